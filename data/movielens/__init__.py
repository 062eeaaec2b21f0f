"""Reads the MovieLens releases; there is one reader for each layout of their files."""
