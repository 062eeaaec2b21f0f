"""The app in a browser: ``server.py`` serves it, and ``demo.py`` runs it for a visitor of the public demo."""
