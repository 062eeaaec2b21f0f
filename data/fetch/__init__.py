"""Fetches datasets: where they come from, how to download them, and how to read the archives."""
