"""Cleans datasets with Spark that are larger than one machine. Nothing outside this folder needs pyspark."""
