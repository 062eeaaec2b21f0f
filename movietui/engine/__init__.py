"""The engine: a child process that answers requests about an open dataset and model. It loads numpy, never torch."""
