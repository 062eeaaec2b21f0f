"""The engine: a child process that replies to requests about an open dataset and model. Loads numpy, never torch."""
