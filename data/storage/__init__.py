"""Stores files on disk: their locations, the dataset cache, Parquet tables and atomic writing."""
