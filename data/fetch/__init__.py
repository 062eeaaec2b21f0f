"""Fetching datasets: sources, downloads and archives."""
