"""Cleaning: turns a raw release into a dataset by named rules."""
