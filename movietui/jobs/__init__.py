"""Jobs: child processes that fetch, clean and train. The only processes that load torch."""
