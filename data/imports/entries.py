"""A film of a personal export, and what is written in its fields.

Stars become those of MovieLens, 0.5 to 5 in halves. Letterboxd, MovieLens and plain tables have that scale; IMDb, Trakt
and TMDB go from 1 to 10 and are halved. What lies between two halves goes to the nearer one, from the middle up.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Literal

from data.titles import FIRST_YEAR, LAST_YEAR, film_key, plain

Mark = Literal["watchlist", "hidden", "seen", "liked"]
"""What a film can be to a person beside rated: to be watched, never to be offered, seen without rating, liked."""
OF_FIVE, OF_TEN = 5, 10
"""The highest rating of a scale."""
LONGEST_TITLE = 1000

_NUMBER = re.compile(r"[0-9]{1,3}(?:[.,][0-9]{1,9})?")
_IMDB = re.compile(r"(?:tt)?([0-9]{1,15})")
_ID = re.compile(r"[0-9]{1,9}")
_GUARDED = ("'=", "'+", "'-", "'@")
"""What a cell begins with that a spreadsheet is kept from running."""
_IMDB_MOMENT = "%a %b %d %H:%M:%S %Y"


@dataclass(frozen=True)
class Entry:
    """A film of an export."""

    title: str
    year: int = 0
    """0 where unknown."""
    stars: float | None = None
    """0.5 to 5 in halves."""
    marks: frozenset[Mark] = frozenset()
    at: str = ""
    """When it was rated or marked, ISO 8601 in UTC; empty where unknown."""
    original: str = ""
    """Its title in the language of the film, where that is told apart."""
    imdb: str = ""
    """``tt0116282``, or empty."""
    tmdb: int = 0
    """0 where unknown."""
    movielens: int = 0

    @cached_property
    def own(self) -> str:
        """The key of its title and year."""
        return film_key(self.title, self.year)


@dataclass(frozen=True)
class Skipped:
    """Something of an export that is no film, or cannot be understood."""

    place: str
    """``ratings.csv line 3``."""
    title: str
    reason: str


@dataclass(frozen=True)
class Export:
    """What a file brings, each film once, in the order of time."""

    format: str
    """``letterboxd``, ``imdb``, ``trakt``, ``movielens``, ``tmdb`` or ``csv``."""
    entries: tuple[Entry, ...]
    skipped: tuple[Skipped, ...]


def to_stars(text: str, most: int) -> float | None:
    """Return stars of a rating, None for none. Raises ``ValueError`` for what is no rating of the scale."""
    text = text.strip()
    if not text:
        return None
    value = float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else math.nan
    stars = math.floor(value / most * 10 + 0.5) / 2 if 0 < value <= most else 0.0
    if stars < 0.5:
        low = "0.5" if most == OF_FIVE else "1"
        raise ValueError(f"the rating {plain(text[:40])!r} is not from {low} to {most}")
    return stars


def to_year(text: str) -> int:
    """Return a year, 0 where there is none: ``1999``, ``1999-05-01``, ``2004–2006``."""
    found = re.match(r"\s*([0-9]{4})(?![0-9])", text)
    year = int(found[1]) if found else 0
    return year if FIRST_YEAR <= year <= LAST_YEAR else 0


def to_title(text: str) -> str:
    """Return a title in one line and without what steers a terminal. Raises ``ValueError`` for an overlong one."""
    title = " ".join(plain(text).split())
    if title.startswith(_GUARDED):
        title = title[1:]
    if len(title) > LONGEST_TITLE:
        raise ValueError(f"its title has more than {LONGEST_TITLE:,} characters")
    return title


def to_imdb(text: str) -> str:
    """Return the id of an IMDb title with seven digits or more, empty where there is none."""
    found = _IMDB.fullmatch(text.strip())
    return f"tt{int(found[1]):07}" if found and int(found[1]) else ""


def to_id(text: str) -> int:
    """Return an id, 0 where there is none."""
    return int(text) if _ID.fullmatch(text.strip()) else 0


def to_moment(text: str) -> str:
    """Return a date or moment as ISO 8601 in UTC; empty where there is none, or it is still to come.

    >>> to_moment("2020-01-05")
    '2020-01-05T00:00:00.000+00:00'
    """
    text = text.strip().removesuffix(" UTC")
    try:
        moment = datetime.fromisoformat(text) if text[:1].isdigit() else datetime.strptime(text, _IMDB_MOMENT)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return ""
    return moment.isoformat(timespec="milliseconds") if moment <= datetime.now(UTC) else ""


def merged(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Make one entry of all that say something of one film: the newest rating, and all marks.

    Of two ratings of the same time the later one in the file counts. A rated film is not marked as seen too.
    """
    films: dict[tuple[str, str, int], list[Entry]] = {}
    for entry in entries:
        films.setdefault((entry.own, entry.imdb, entry.tmdb), []).append(entry)
    return tuple(sorted(map(_one, films.values()), key=lambda entry: entry.at))


def _one(entries: Sequence[Entry]) -> Entry:
    ordered = sorted(entries, key=lambda entry: entry.at)
    last = next((entry for entry in reversed(ordered) if entry.stars is not None), ordered[-1])
    marks = frozenset[Mark]().union(*(entry.marks for entry in entries))
    return replace(last, marks=marks - {"seen"} if last.stars is not None else marks)
