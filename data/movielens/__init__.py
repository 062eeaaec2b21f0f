"""Readers of the MovieLens releases, one per layout."""
