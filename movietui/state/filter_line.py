"""Keys that change one part of a filter line, and filters that were saved by name. What a filter means is for
``models.filters`` to say."""

import re
from collections.abc import Mapping, Sequence

from data.problems import Problem

SAVED = ":"
"""The sign before the name of a saved filter."""

_PARTS = re.compile(r'@?"[^"]*"|\S+')
_YEARS = re.compile(r"[0-9]{4}\.\.[0-9]{4}")
_NAME = re.compile(r'[^\s":]{1,20}')


def step_genre(only: str, genres: Sequence[str], step: int) -> str:
    """Return the filter with the next of the genres wanted; after the last, and before the first, comes none.

    >>> step_genre("+Drama >=50", ["Drama", "Comedy"], 1)
    '+Comedy >=50'
    """
    return _step(only, [f"+{genre}" for genre in genres if not re.search(r'[\s"]', genre)], step)


def step_decade(only: str, decades: Sequence[int], step: int) -> str:
    """Return the filter with the next of the decades; after the last, and before the first, come all years.

    >>> step_decade("1990..1994 alien", [1990, 1980], 1)
    '1990..1999 alien'
    """
    return _step(only, [f"{decade}..{decade + 9}" for decade in decades], step, _YEARS)


def _step(only: str, choices: Sequence[str], step: int, also: re.Pattern[str] | None = None) -> str:
    parts = _PARTS.findall(only)
    places = [
        place for place, part in enumerate(parts) if part in choices or (also is not None and also.fullmatch(part))
    ]
    steps = ["", *choices]
    now = parts[places[0]] if places else ""
    new = steps[(steps.index(now) + step) % len(steps) if now in steps else 1 if step > 0 else -1]
    if places:
        parts[places[0]] = new
    else:
        parts.append(new)
    return " ".join(filter(None, parts))


def expand(typed: str, saved: Mapping[str, str]) -> str:
    """Return a filter with saved ones in the places of their names.

    Raises ``Problem`` for a name that none was saved by.

    >>> expand(":short -Horror", {"short": "<=100m"})
    '<=100m -Horror'
    """

    def meant(part: str) -> str:
        if not part.startswith(SAVED):
            return part
        if part[1:] not in saved:
            known = ", ".join(SAVED + name for name in saved) or "none yet; ctrl+s saves one"
            raise Problem(f"No filter is saved as {part}; saved are: {known}.")
        return saved[part[1:]]

    return " ".join(meant(part) for part in _PARTS.findall(typed)) if typed.count('"') % 2 == 0 else typed


def check_name(name: str) -> str:
    """Return a name for a filter. Raises ``Problem`` for one that could not be typed again."""
    name = name.strip().removeprefix(SAVED)
    if not _NAME.fullmatch(name):
        raise Problem("A filter is saved by one word of up to 20 letters, without quotes and colons.")
    return name
