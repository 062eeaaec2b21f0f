"""Benchmarks. They measure and print figures, but never assert them."""
