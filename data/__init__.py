"""Fetches, reads, cleans, splits and encodes datasets of movie ratings. Never imports torch or textual."""
