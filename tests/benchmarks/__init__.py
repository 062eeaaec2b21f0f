"""Benchmarks print the figures that they measure, without judging them; the campaign attacks the program."""
