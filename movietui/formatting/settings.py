"""Settings as text. Without rich, so that jobs can use it."""

from collections.abc import Mapping
from typing import Any


def settings_text(settings: Mapping[str, Any]) -> str:
    """Return settings as they are typed: ``factors=10 sweeps=12``."""
    return " ".join(f"{name}={value}" for name, value in settings.items())
