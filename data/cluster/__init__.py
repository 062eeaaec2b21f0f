"""Cleans datasets that are too large for one machine, with Spark. Nothing outside this folder needs pyspark."""
