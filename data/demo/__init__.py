"""The invented demo dataset."""
