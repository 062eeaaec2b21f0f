"""The first start: the first list, and who is watching."""
