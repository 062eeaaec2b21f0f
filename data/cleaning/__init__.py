"""Cleaning: the rules, and how a raw release becomes a dataset."""
