"""The Browse screen: viewers, lists, movie details, the interview, history, search and imports."""
