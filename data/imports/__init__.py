"""Reads personal exports of other services as ratings and lists, and matches them with a dataset's movies."""
