"""Settings as text. Does not import rich, so that jobs can import this module."""

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

YES_NO = {True: "yes", False: "no"}


def value_text(value: Any) -> str:
    """Return the value of a setting as a user types it. The text of a number has all its digits, but no more.

    >>> value_text(True), value_text(32.0), value_text(0.1), value_text(0.123456789)
    ('yes', '32', '0.1', '0.123456789')
    """
    if isinstance(value, bool):
        return YES_NO[value]
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return str(value)


def setting_text(kind: str, value: float) -> str:
    """Return the value of a setting of a ``kind``, such as ``bool``, as a user types it; JSON may have 1 for true."""
    return value_text(bool(value) if kind == "bool" else value)


def settings_text(settings: Mapping[str, Any]) -> str:
    """Return settings as a user types them: ``factors=10 sweeps=12``."""
    return " ".join(f"{name}={value_text(value)}" for name, value in settings.items())


def differing(runs: Iterable[tuple[Hashable, str, Mapping[str, Any]]]) -> dict[Hashable, str]:
    """Return for each run the settings that are not the same in all runs of its model: ``factors 32, sweeps 200``.

    Each run has a key, a model and settings. A queued run may have only some settings; those that it lacks do not
    count. The value that a person typed counts as the same as the number that it stands for.
    """
    rows = [(key, model, {name: comparable(value) for name, value in known.items()}) for key, model, known in runs]
    values: dict[tuple[str, str], set[str]] = {}
    for _, model, known in rows:
        for name, value in known.items():
            values.setdefault((model, name), set()).add(value)
    return {
        key: ", ".join(f"{name} {value}" for name, value in known.items() if len(values[model, name]) > 1)
        for key, model, known in rows
    }


def comparable(value: Any) -> str:
    """Return the same text for a value of a setting and for what a person types for it."""
    try:
        return value_text(float(value) if isinstance(value, str | int) and not isinstance(value, bool) else value)
    except ValueError:
        return str(value)
