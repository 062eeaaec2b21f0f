"""Benchmarks, which print the figures that they measure without judging them, and the campaign."""
