"""Fits, measures and applies models on a Spark cluster. Of ``movietui.models``, only this folder needs pyspark."""
