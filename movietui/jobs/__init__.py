"""Long work: fetching, cleaning, training, measuring. The app starts processes for it; a command does it itself."""
