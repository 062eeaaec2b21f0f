"""Changes one part of a typed filter, and expands filters that were saved under a name.

``movietui.data.query.filters`` defines what a filter means.
"""

import re
from collections.abc import Mapping, Sequence

from movietui.data.language import tr
from movietui.data.near_names import no_such
from movietui.data.problems import Problem
from movietui.data.query.condition_text import conditions_of

SAVED = ":"
"""The character before the name of a saved filter when it is typed."""

FILTER = "filter:"
"""With the name of a saved filter appended, the name of the choice in the store that contains the filter."""

_YEARS = re.compile(r"[0-9]{4}\.\.[0-9]{4}")
_NAME = re.compile(r'[^\s":]{1,20}')


def step_genre(filter_text: str, genres: Sequence[str], step: int) -> str:
    """Return the filter with its first ``+GENRE`` replaced by the next (1) or previous (-1) of ``genres``.

    A filter without a genre gets the first (1) or last (-1) of them. A step beyond the last or the first removes the
    genre. Genres whose names contain spaces or quotes are left out.

    >>> step_genre("+Drama >=50", ["Drama", "Comedy"], 1)
    '+Comedy >=50'
    """
    return _step(filter_text, [f"+{genre}" for genre in genres if not re.search(r'[\s"]', genre)], step)


def step_decade(filter_text: str, decades: Sequence[int], step: int) -> str:
    """Return the filter with its years replaced by the next (1) or previous (-1) decade, from newest to oldest.

    A filter without years gets the newest decade in both directions. A step beyond the oldest or the newest removes the
    years. Years that are not one of ``decades`` are replaced by the newest (1) or oldest (-1) decade.

    >>> step_decade("1990..1994 alien", [1990, 1980], 1)
    '1990..1999 alien'
    """
    if step < 0 and not any(_YEARS.fullmatch(part) for part in conditions_of(filter_text)):
        step = 1  # the first decade is the newest
    return _step(filter_text, [f"{decade}..{decade + 9}" for decade in decades], step, _YEARS)


def _step(filter_text: str, choices: Sequence[str], step: int, also: re.Pattern[str] | None = None) -> str:
    parts = conditions_of(filter_text)
    matches = [
        index for index, part in enumerate(parts) if part in choices or (also is not None and also.fullmatch(part))
    ]
    steps = ["", *choices]
    now = parts[matches[0]] if matches else ""
    new = steps[(steps.index(now) + step) % len(steps) if now in steps else 1 if step > 0 else -1]
    if matches:
        parts[matches[0]] = new
    else:
        parts.append(new)
    return " ".join(filter(None, parts))


def expand(typed: str, saved: Mapping[str, str]) -> str:
    """Return a filter in which the name of each saved filter is replaced by that filter.

    A filter with an open quote is returned as it is. Raises ``Problem`` for a name under which no filter is saved.

    >>> expand(":short -Horror", {"short": "<=100m"})
    '<=100m -Horror'
    """

    def expanded(part: str) -> str:
        if not part.startswith(SAVED):
            return part
        if part[1:] not in saved:
            names = [SAVED + name for name in saved]
            listed = tr("saved filters: {names}.", names=", ".join(names) or tr("none yet"))
            raise no_such(tr("There is no saved filter {filter}", filter=part), part, names, listed)
        return saved[part[1:]]

    return " ".join(expanded(part) for part in conditions_of(typed)) if typed.count('"') % 2 == 0 else typed


def check_name(name: str) -> str:
    """Return the name for a saved filter, without the colon. Raises ``Problem`` for an invalid name."""
    name = name.strip().removeprefix(SAVED)
    if not _NAME.fullmatch(name):
        raise Problem(tr("Name the filter with one word of up to 20 characters, without quotes or colons."))
    return name
