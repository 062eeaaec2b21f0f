"""What the engine and the command line both compute, and what only the command line does: exports, named lists."""
