"""The content of a personal export: movies, named lists, and what could not be read.

Ratings are converted to MovieLens stars, 0.5 to 5 in halves, whatever the scale of the file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from movietui.data.titles import movie_key

Mark = Literal["watchlist", "hidden", "seen", "liked"]
"""What a movie can be to a viewer besides rated: on the watchlist, hidden from lists, watched without a rating, liked.
"""
MOST_NAMED = 1000
"""How many unread rows of a table are described; the rest are only counted."""


class Entry(NamedTuple):
    """A movie of an export. A tuple, because an export can have a million, and dataclasses are three times slower."""

    title: str
    year: int = 0
    """0 if unknown."""
    stars: float | None = None
    """0.5 to 5 in halves."""
    marks: frozenset[Mark] = frozenset()
    at: str = ""
    """When it was rated or marked, ISO 8601 in UTC; empty if unknown."""
    original: str = ""
    """Its title in the original language, if the export has it separately."""
    imdb: str = ""
    """``tt0116282``, or empty."""
    tmdb: int = 0
    """0 if unknown."""
    movielens: int = 0
    qualifier: str = ""
    """Distinguishes it from another movie of the same title and year in its export; empty if there is none."""
    note: str = ""
    """The user's note about it in a list."""

    @property
    def key(self) -> str:
        """The key of title and year, with the qualifier if there is one."""
        key = movie_key(self.title, self.year)
        return f"{key} {self.qualifier}" if self.qualifier else key


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that is not a movie, or a value that cannot be read."""

    location: str
    """``ratings.csv line 3``."""
    title: str
    reason: str


@dataclass
class Log:
    """Rows or values that were not read: descriptions of the first ones, and the total number."""

    rows: list[Skipped] = field(default_factory=list)
    count: int = 0

    def add(self, row: Skipped) -> None:
        """Describe one more, or only count it after the first ``MOST_NAMED``."""
        self.count += 1
        if len(self.rows) < MOST_NAMED:
            self.rows.append(row)

    def extend(self, other: "Log") -> None:
        """Add those of another table."""
        self.rows += other.rows[: max(0, MOST_NAMED - len(self.rows))]
        self.count += other.count


@dataclass(frozen=True)
class Choices:
    """How the user wants a file to be read, if the file does not say so."""

    scale: int = 0
    """The highest rating; 0 to use what the file states or its ratings suggest."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """The names of columns by role, see ``columns.ROLES``."""
    meaning: Literal["", "seen", "watchlist", "list"] = ""
    """What a movie without rating and marks means."""
    name: str = ""
    """The name of a list."""


@dataclass(frozen=True)
class Reading:
    """How a table was read."""

    file: str
    scale: int = 0
    """The highest rating; 0 if there are no ratings."""
    scale_by: Literal["", "stated", "assumed", "chosen"] = ""
    """Whether the service or the file states the scale, its ratings suggest it, or the user chose it."""
    read: tuple[tuple[str, str], ...] = ()
    """The names of the columns that were read, each with its role."""
    not_read: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """Sentences about uncertain points."""
    meaning: str = ""
    """What movies without rating and marks mean: ``seen``, ``watchlist``, ``liked`` or ``list``."""
    is_unclear: bool = False
    """Whether neither the file nor the user says what they mean."""


@dataclass(frozen=True)
class NamedList:
    """A user's list of movies, in order."""

    name: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Export:
    """The content of a file: movies, each once and ordered by time, and lists."""

    format: str
    """``letterboxd``, ``imdb``, ``trakt``, ``movielens``, ``tmdb``, ``csv`` or ``titles``."""
    entries: tuple[Entry, ...]
    skipped: tuple[Skipped, ...]
    """Rows that were skipped; only the first ones."""
    unread: tuple[Skipped, ...] = ()
    """Ratings, dates and years that were skipped although their rows were read; only the first ones."""
    lists: tuple[NamedList, ...] = ()
    readings: tuple[Reading, ...] = ()
    skipped_count: int = 0
    unread_count: int = 0
    namesakes: tuple[str, ...] = ()
    """The labels of movies that share title and year with another movie of the export."""
