"""Finds movies by full-text search and by the filter language."""
