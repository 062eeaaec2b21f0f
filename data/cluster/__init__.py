"""Cleans datasets that are too large for one machine, with Spark.

Only this folder, ``movietui.models.cluster`` and ``movietui.jobs.cluster`` import pyspark.
"""
