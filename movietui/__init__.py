"""A terminal application that recommends movies. ARCHITECTURE.md says what each folder is for."""

__version__ = "0.1.0"
