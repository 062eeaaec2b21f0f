"""What is stored: ratings, marks, lists, profiles and runs, in one SQLite file, and the backups of that file."""
