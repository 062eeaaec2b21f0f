"""The first start: makes the first list and asks who is watching."""
