"""Text for the screens and the command line: tables, files, escaping and safe output."""
