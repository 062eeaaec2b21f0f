"""Files on disk: locations, the dataset cache, Parquet, atomic writing."""
