"""Joins datasets with IMDb's tables."""
