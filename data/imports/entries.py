"""The content of a personal export: movies, named lists, and the rows and values that could not be read.

Whatever the scale of the file, ratings are converted to MovieLens stars, 0.5 to 5 in steps of 0.5.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from movietui.data.titles import movie_key

Mark = Literal["watchlist", "hidden", "seen", "liked"]
"""What a viewer can say about a movie besides rating it: on the watchlist, hidden from lists, seen without a rating, or
liked."""
LONGEST_LIST_NAME = 200
"""The maximum number of characters in the name of a list."""
LONGEST_NOTE = 1000
"""The maximum number of characters of a note about a movie of a list."""
MOST_NAMED = 1000
"""How many skipped rows or unread values of a table are described; further ones are only counted."""


class Entry(NamedTuple):
    """A movie in an export. This is a tuple because an export can have a million movies, and a dataclass would be three
    times slower."""

    title: str
    year: int = 0
    """0 if unknown."""
    stars: float | None = None
    """0.5 to 5 in steps of 0.5; None without a rating."""
    marks: frozenset[Mark] = frozenset()
    at: str = ""
    """When the movie was rated or marked, as ISO 8601 in UTC; empty if unknown."""
    original: str = ""
    """The title in the original language, if the export has a separate column for it."""
    imdb: str = ""
    """The IMDb id, such as ``tt0116282``; empty if unknown."""
    tmdb: int = 0
    """The TMDB id; 0 if unknown."""
    movielens: int = 0
    """The MovieLens id; 0 if unknown."""
    qualifier: str = ""
    """Tells the movie apart from another one with the same title and year in the export; empty if there is none."""
    note: str = ""
    """The user's note about the movie in a list."""

    @property
    def key(self) -> str:
        """The key of the title and year, followed by the qualifier if there is one."""
        key = movie_key(self.title, self.year)
        return f"{key} {self.qualifier}" if self.qualifier else key


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that was skipped, or a value that could not be read, with the reason."""

    location: str
    """Such as ``ratings.csv line 3``."""
    title: str
    reason: str


@dataclass
class Log:
    """Skipped rows or unread values: descriptions of the first ones in ``rows``, and the total number in ``count``."""

    rows: list[Skipped] = field(default_factory=list)
    count: int = 0

    def add(self, row: Skipped) -> None:
        """Count a row or value, and keep its description if it is among the first ``MOST_NAMED``."""
        self.count += 1
        if len(self.rows) < MOST_NAMED:
            self.rows.append(row)

    def extend(self, other: "Log") -> None:
        """Add the rows or values in another log."""
        self.rows += other.rows[: max(0, MOST_NAMED - len(self.rows))]
        self.count += other.count


@dataclass(frozen=True)
class Choices:
    """How the user wants a file to be read; these choices override what the file says."""

    scale: int = 0
    """The highest rating of the scale; 0 to use the scale that the file states or its ratings suggest."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """The names of the columns to read, by role; see ``columns.ROLES``."""
    meaning: Literal["", "seen", "watchlist", "list"] = ""
    """What a movie without a rating and without marks means; empty to let the file decide."""
    name: str = ""
    """The name for the list, if the file is one."""


@dataclass(frozen=True)
class Reading:
    """How a table was read."""

    file: str
    scale: int = 0
    """The highest rating of the scale; 0 if the table has no ratings."""
    scale_by: Literal["", "stated", "assumed", "chosen"] = ""
    """Whether the service or the file states the scale, the ratings suggest it, or the user chose it."""
    read: tuple[tuple[str, str], ...] = ()
    """The names of the columns that were read, each with its role."""
    not_read: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """Sentences for the user about uncertain readings."""
    meaning: str = ""
    """What movies without a rating and without marks mean: ``seen``, ``watchlist``, ``liked`` or ``list``."""
    is_unclear: bool = False
    """Whether neither the file nor the user says what movies without a rating and without marks mean."""


@dataclass(frozen=True)
class NamedList:
    """A user's list of movies, in order."""

    name: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Export:
    """The content of an export: its movies, each once and ordered by time, and its lists."""

    format: str
    """``letterboxd``, ``imdb``, ``trakt``, ``movielens``, ``tmdb``, ``csv`` or ``titles``."""
    entries: tuple[Entry, ...]
    skipped: tuple[Skipped, ...]
    """The rows that were skipped; only the first ones are described."""
    unread: tuple[Skipped, ...] = ()
    """The ratings, dates and years that could not be read in rows that were read; only the first ones are described."""
    lists: tuple[NamedList, ...] = ()
    readings: tuple[Reading, ...] = ()
    skipped_count: int = 0
    """The number of all skipped rows."""
    unread_count: int = 0
    """The number of all unread values."""
    namesakes: tuple[str, ...] = ()
    """The labels of the movies that have the same title and year as another movie of the export."""
