"""Fetches, reads, cleans, splits and encodes datasets of movie ratings, without importing torch or textual."""
