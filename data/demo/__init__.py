"""The demo dataset: real movies with invented users and ratings."""
