"""Fits, measures and applies models on a Spark cluster. Nothing outside this folder needs pyspark."""
