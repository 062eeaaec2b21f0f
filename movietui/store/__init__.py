"""What is stored: ratings, marks, lists, profiles and runs, in one SQLite file, and its backups."""
