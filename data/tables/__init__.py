"""Reads ratings that are not in a MovieLens layout: any table of them, and the layouts of other datasets."""
