"""Benchmarks measure the program and print the figures; the campaign attacks it."""
