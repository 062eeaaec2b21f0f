"""Reads ratings and lists from personal exports of other services, and matches their movies with a dataset's."""
