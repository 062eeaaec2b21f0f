"""Finding movies: full-text search and the filter language."""
