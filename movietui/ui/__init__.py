"""The Textual app: its screens, panels and widgets. The only package that imports textual."""
