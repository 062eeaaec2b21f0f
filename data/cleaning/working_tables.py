"""A dataset during cleaning: the columns as published, and masks of the rows that remain.

A rule that removes rows copies no columns; it only makes new masks, so that even 32 million ratings can be cleaned rule
by rule. Nothing here imports pandas.
"""

from collections.abc import Callable, Sequence
from dataclasses import Field, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import IMPLICIT_STARS, Bools, Ints
from movietui.data.movielens.release import MISSING, Raw
from movietui.data.titles import movie_key, reading_order, split_year

if TYPE_CHECKING:
    import pandas as pd

Numbers = NDArray[Any]
Ids = NDArray[np.int64]

PIECE = 2**20
"""Ratings processed at once, so that temporary columns stay small and fit into the processor's cache."""


@dataclass(frozen=True, eq=False)
class Published:
    """A dataset as published, where ratings refer to users and movies by row instead of by id.

    Users and movies that occur only in ratings follow those that the dataset describes, ordered by id.
    """

    raw: Raw
    user_ids: Ids
    movie_ids: Ids
    user: Ints
    """The row of each rating's user, shape (ratings,); likewise ``movie``."""
    movie: Ints
    stars: Numbers
    time: Numbers
    titles: tuple[str, ...]
    """As published; for a movie without a title, ``Movie 99`` or, if its id is not a number, the id."""
    trimmed: tuple[str, ...]
    """The titles without the year and without extra spaces."""
    names: tuple[str, ...]
    """The titles with the article first, such as ``The Matrix``, and without the year."""
    years: Ints
    """The year in the title, or else the year of release; 0 if unknown."""
    keys: tuple[str, ...]
    genres: tuple[str, ...]
    """Such as ``Comedy|Drama``; a movie with merged entries has the genres of all of them."""
    released: tuple[str, ...]
    """The date of release, such as ``1995-01-01``, or empty; for merged entries, that of the first dated entry."""

    @property
    def known_users(self) -> int:
        """The number of users that the dataset describes; the users after these occur only in ratings."""
        return len(self.raw.users)

    @property
    def known_movies(self) -> int:
        """The number of movies that the dataset describes; the movies after these occur only in ratings."""
        return len(self.raw.movies)

    @cached_property
    def ids_of_users(self) -> Sequence[int | str]:
        """The ids of the users as published."""
        return _published_ids(self.raw.users, self.user_ids)

    @cached_property
    def ids_of_movies(self) -> Sequence[int | str]:
        """The ids of the movies as published."""
        return _published_ids(self.raw.movies, self.movie_ids)

    def has_title(self, row: int) -> bool:
        """Return whether a movie has a title of its own."""
        return row < len(self._has_title) and self._has_title[row]

    @cached_property
    def _has_title(self) -> list[bool]:
        return (self.raw.movies["title"] != "").tolist()

    def column(self, name: str) -> list[Any]:
        """Return a column of the users that the dataset describes, or an empty list if there is no such column."""
        return self.raw.users[name].tolist() if name in self.raw.users.columns else []


class MovieTables(Protocol):
    """What the rules about movies use of a dataset during cleaning, on one machine or a cluster; see ``Tables``."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def published(self) -> Published:
        """The movies and the users that the dataset describes."""

    @property
    def users(self) -> Bools:
        """Which users no rule has removed; on a cluster, only for the users that the dataset describes."""

    @property
    def movies(self) -> Bools:
        """Which movies no rule has removed or merged, shape (movies,)."""

    @property
    def reading_order(self) -> bool:
        """Whether to use ``Published.names`` as the titles."""

    @property
    def merged(self) -> tuple[tuple[int, ...], ...]:
        """For each group of merged entries, the rows of its movies; the movie that remains comes first."""

    @property
    def ratings(self) -> int:
        """The number of remaining ratings."""

    @property
    def malformed_ratings(self) -> int:
        """The number of malformed lines of the file with the ratings."""

    @property
    def total_users(self) -> int:
        """The number of users that no rule has removed."""

    @property
    def ratings_per_movie(self) -> Ids:
        """The number of remaining ratings of each movie."""

    @property
    def remaining_movies(self) -> Bools:
        """Which movies remain."""

    def without_movies(self: "AnyTables", bad: Bools) -> "AnyTables":
        """Return the tables without these movies and their ratings."""


AnyTables = TypeVar("AnyTables", bound=MovieTables)


@dataclass(frozen=True, eq=False)
class Tables:
    """The rows of a dataset that remain, and how to encode them."""

    published: Published
    movie: Ints
    """The row of each rating's movie after merging, shape (ratings,)."""
    remaining: Bools
    """Which ratings remain, shape (ratings,)."""
    users: Bools
    """Which users no rule has removed, shape (users,); not all of them remain, see ``remaining_users``."""
    movies: Bools
    """Which movies no rule has removed or merged, shape (movies,); not all of them remain, see ``remaining_movies``."""
    reading_order: bool = False
    """Whether to use ``Published.names``, in which the article comes first, as the titles."""
    coded_gender: bool = False
    keep_zip_codes: bool = True
    merged: tuple[tuple[int, ...], ...] = ()
    """For each group of merged entries, the rows of its movies; the movie that remains comes first."""

    @cached_property
    def ratings(self) -> int:
        """The number of remaining ratings."""
        return int(np.count_nonzero(self.remaining))

    @property
    def malformed_ratings(self) -> int:
        """The number of malformed lines of the file with the ratings."""
        raw = self.published.raw
        return sum(line.file == raw.ratings_file for line in raw.malformed)

    @cached_property
    def total_users(self) -> int:
        """The number of users that no rule has removed."""
        return int(np.count_nonzero(self.users))

    @cached_property
    def ratings_per_movie(self) -> Ids:
        """The number of remaining ratings of each movie."""
        return self._count(self.movie, len(self.movies))

    @cached_property
    def ratings_per_user(self) -> Ids:
        """The number of remaining ratings of each user."""
        return self._count(self.published.user, len(self.users))

    def _count(self, rows: Ints, length: int) -> Ids:
        counts = np.zeros(length, np.int64)
        for piece in pieces(len(rows)):
            counts += np.bincount(rows[piece][self.remaining[piece]], minlength=length)
        return counts

    @cached_property
    def remaining_users(self) -> Bools:
        """Which users remain; a user who occurs only in ratings remains as long as one of these ratings does."""
        return self.users & ((np.arange(len(self.users)) < self.published.known_users) | (self.ratings_per_user > 0))

    @cached_property
    def remaining_movies(self) -> Bools:
        """Which movies remain; a movie that occurs only in ratings remains as long as one of these ratings does."""
        return remaining_movies(self)

    def without_ratings(self, bad: Bools) -> "Tables":
        """Return the tables without these ratings.

        Here and below, if there is nothing to remove, the same tables are returned, with their cached counts.
        """
        return replace(self, remaining=self.remaining & ~bad) if (self.remaining & bad).any() else self

    def without_movies(self, bad: Bools) -> "Tables":
        """Return the tables without these movies and their ratings."""
        if not (self.movies & bad).any():
            return self
        return replace(self, movies=self.movies & ~bad, remaining=self.remaining & ~bad[self.movie])

    def without_users(self, bad: Bools) -> "Tables":
        """Return the tables without these users and their ratings."""
        if not (self.users & bad).any():
            return self
        return replace(self, users=self.users & ~bad, remaining=self.remaining & ~bad[self.published.user])


def remaining_movies(tables: MovieTables) -> Bools:
    """Return which movies no rule has removed, without those that occur only in ratings and have none left."""
    known = np.arange(len(tables.movies)) < tables.published.known_movies
    return tables.movies & (known | (tables.ratings_per_movie > 0))


def pieces(length: int) -> list[slice]:
    """Return slices that cut a column of this length into pieces of at most ``PIECE``."""
    return [slice(start, min(length, start + PIECE)) for start in range(0, length, PIECE)]


def marked(test: Callable[..., Bools], *columns: Numbers) -> Bools:
    """Return which ratings pass a test; the test is called with the given columns, one piece at a time."""
    marks = np.empty(len(columns[0]), bool)
    for piece in pieces(len(marks)):
        marks[piece] = test(*(column[piece] for column in columns))
    return marks


def tables_of(raw: Raw) -> Tables:
    """Return the tables of a raw dataset before any rule is applied.

    If an id is missing in some ratings, ``MISSING`` has a row too, which counts as removed.
    """
    user, user_ids = rows_of(raw.ratings["user_id"].to_numpy(), raw.users["user_id"].to_numpy())
    movie, movie_ids = rows_of(raw.ratings["movie_id"].to_numpy(), raw.movies["movie_id"].to_numpy())
    published = published_of(raw, user_ids, movie_ids, user, movie)
    return Tables(published, movie, np.ones(len(movie), bool), user_ids != MISSING, movie_ids != MISSING)


def published_of(raw: Raw, user_ids: Ids, movie_ids: Ids, user: Ints, movie: Ints) -> Published:
    """Return a raw dataset as ``Published``, with the titles of its movies parsed."""
    ids = _published_ids(raw.movies, movie_ids)
    unknown = len(ids) - len(raw.movies)
    given = [*raw.movies["title"].tolist(), *[""] * unknown]
    titles = tuple(title or _stand_in(movie) for title, movie in zip(given, ids, strict=True))
    released = (*raw.movies["release_date"].tolist(), *[""] * unknown)
    labels = [split_year(title) if title else (stand_in, 0) for title, stand_in in zip(given, titles, strict=True)]
    names = tuple(reading_order(title) if named else title for (title, _), named in zip(labels, given, strict=True))
    years = [year or int(release[:4] or 0) for (_, year), release in zip(labels, released, strict=True)]
    return Published(
        raw,
        user_ids,
        movie_ids,
        user,
        movie,
        np.full(len(raw.ratings), IMPLICIT_STARS, np.float32) if raw.implicit else raw.ratings["stars"].to_numpy(),
        raw.ratings["time"].to_numpy(),
        titles,
        tuple(title for title, _ in labels),
        names,
        np.array(years, np.int32),
        tuple(movie_key(name, year) for name, year in zip(names, years, strict=True)),
        (*raw.movies["genres"].tolist(), *[""] * unknown),
        released,
    )


def _published_ids(described: "pd.DataFrame", ids: Ids) -> Sequence[int | str]:
    """Return the published ids of users or movies; ``described`` has those that the dataset describes."""
    if "published_id" not in described.columns:
        return [*ids.tolist()]
    return [*described["published_id"].tolist(), *ids[len(described) :].tolist()]


def _stand_in(movie: int | str) -> str:
    """Return the name of a movie without a title, made from its id."""
    return movie if isinstance(movie, str) and not movie.isdigit() else f"Movie {movie}"


def rows_of(ids: Numbers, known: Numbers) -> tuple[Ints, Ids]:
    """Return the row of each id, and the id of each row: first the known ids, then the others that occur."""
    if not len(ids):
        return np.empty(0, np.int32), known.astype(np.int64)
    low, high = int(ids.min()), int(ids.max())
    if high - low < max(PIECE, len(ids)):  # a lookup table for this range is small, and many times faster
        return _rows_by_table(ids, known, low, high)
    occurring_ids, positions = np.unique(ids, return_inverse=True)
    all_ids = np.concatenate([known, np.setdiff1d(occurring_ids, known)]).astype(np.int64)
    order = np.argsort(all_ids)
    rows = order[np.searchsorted(all_ids, occurring_ids, sorter=order)].astype(np.int32)
    return rows[positions], all_ids


def _rows_by_table(ids: Numbers, known: Numbers, low: int, high: int) -> tuple[Ints, Ids]:
    table = np.full(high - low + 1, -1, np.int32)
    occurring = np.zeros(high - low + 1, bool)
    for piece in pieces(len(ids)):
        occurring[ids[piece].astype(np.int64) - low] = True
    in_range = np.flatnonzero((known >= low) & (known <= high))
    table[known[in_range] - low] = in_range
    further = np.flatnonzero(occurring & (table < 0))
    table[further] = len(known) + np.arange(len(further), dtype=np.int32)
    rows = np.empty(len(ids), np.int32)
    for piece in pieces(len(ids)):
        rows[piece] = table[ids[piece].astype(np.int64) - low]
    return rows, np.concatenate([known, further + low]).astype(np.int64)
