"""Benchmarks: figures are measured and printed, never asserted."""
