"""Readers of the layouts that MovieLens datasets were published in, a module for each family."""
