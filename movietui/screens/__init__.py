"""The three screens and the panels above them."""
