"""Long work: fetch, clean, train, measure. The app runs it in child processes, a command in its own process."""
