"""Settings as text. Does not import rich, so that jobs can import this module."""

from collections.abc import Mapping
from typing import Any


def settings_text(settings: Mapping[str, Any]) -> str:
    """Return settings as a user types them: ``factors=10 sweeps=12``."""
    return " ".join(f"{name}={value}" for name, value in settings.items())
