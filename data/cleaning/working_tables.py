"""A dataset while it is cleaned: the columns as they were published, and marks on what is left of them.

Nothing is copied when a rule takes rows away: a rule makes new marks, so that 32 million ratings can be looked at rule
by rule. Nothing here imports pandas.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.dataset import Bools, Ints
from data.movielens import MISSING, Raw
from data.titles import film_key, reading_order, split_year

Numbers = NDArray[Any]
Ids = NDArray[np.int64]

PIECE = 2**20
"""Ratings that are looked at together: temporary columns stay small, and in the processor's cache."""


@dataclass(frozen=True, eq=False)
class Published:
    """A dataset as published, with the rows of users and movies in place of their ids.

    Users and movies that only occur in ratings follow after the known ones, in the order of their ids.
    """

    raw: Raw
    user_ids: Ids
    movie_ids: Ids
    user: Ints
    """Row of each rating's user, shape (ratings,)."""
    movie: Ints
    stars: Numbers
    time: Numbers
    titles: tuple[str, ...]
    """As published; ``Movie 99`` for one that only occurs in ratings."""
    trimmed: tuple[str, ...]
    """Without the year."""
    names: tuple[str, ...]
    """In reading order and without the year."""
    years: Ints
    """Of the title, else of the release; 0 where unknown."""
    keys: tuple[str, ...]
    genres: tuple[str, ...]
    """``Comedy|Drama``; of all entries that were merged."""
    released: tuple[str, ...]
    """``1995-01-01`` or empty; of the first entry with a date where some were merged."""

    @property
    def known_users(self) -> int:
        """How many users the dataset describes; the rows from here on only occur in ratings."""
        return len(self.raw.users)

    @property
    def known_movies(self) -> int:
        """How many movies the dataset describes."""
        return len(self.raw.movies)

    def column(self, name: str) -> list[Any]:
        """Return a column of the users that the dataset describes; empty where it has none."""
        return self.raw.users[name].tolist() if name in self.raw.users.columns else []


@dataclass(frozen=True, eq=False)
class Tables:
    """What is left of a dataset, and how it is to be encoded."""

    published: Published
    movie: Ints
    """Row of each rating's movie, after merging; shape (ratings,)."""
    left: Bools
    """Which ratings are left, shape (ratings,)."""
    users: Bools
    movies: Bools
    reading_order: bool = False
    """Whether titles are those in reading order."""
    coded_gender: bool = False
    all_columns: bool = True
    """Whether columns that nobody learns from are kept."""
    merged: tuple[tuple[int, ...], ...] = ()
    """Rows of movies that became one, the one that stays first."""

    @cached_property
    def ratings(self) -> int:
        """How many ratings are left."""
        return int(np.count_nonzero(self.left))

    @cached_property
    def of_movie(self) -> Ids:
        """The number of ratings left of each movie."""
        return self._counted(self.movie, len(self.movies))

    @cached_property
    def of_user(self) -> Ids:
        """The number of ratings left of each user."""
        return self._counted(self.published.user, len(self.users))

    def _counted(self, rows: Ints, length: int) -> Ids:
        counts = np.zeros(length, np.int64)
        for piece in pieces(len(rows)):
            counts += np.bincount(rows[piece][self.left[piece]], minlength=length)
        return counts

    @cached_property
    def kept_users(self) -> Bools:
        """The users that will be encoded: of those that only occur in ratings, the ones with a rating left."""
        return self.users & ((np.arange(len(self.users)) < self.published.known_users) | (self.of_user > 0))

    @cached_property
    def kept_movies(self) -> Bools:
        """The movies that will be encoded."""
        return self.movies & ((np.arange(len(self.movies)) < self.published.known_movies) | (self.of_movie > 0))

    def without_ratings(self, bad: Bools) -> "Tables":
        """Take ratings away. Where nothing goes, here and below, the tables are the same ones, with their counts."""
        return replace(self, left=self.left & ~bad) if (self.left & bad).any() else self

    def without_movies(self, bad: Bools) -> "Tables":
        """Take movies away, and their ratings."""
        if not (self.movies & bad).any():
            return self
        return replace(self, movies=self.movies & ~bad, left=self.left & ~bad[self.movie])

    def without_users(self, bad: Bools) -> "Tables":
        """Take users away, and their ratings."""
        if not (self.users & bad).any():
            return self
        return replace(self, users=self.users & ~bad, left=self.left & ~bad[self.published.user])


def pieces(length: int) -> list[slice]:
    """Cut a column into pieces."""
    return [slice(start, min(length, start + PIECE)) for start in range(0, length, PIECE)]


def marked(test: Callable[..., Bools], *columns: Numbers) -> Bools:
    """Mark the ratings that pass a test, piece by piece."""
    marks = np.empty(len(columns[0]), bool)
    for piece in pieces(len(marks)):
        marks[piece] = test(*(column[piece] for column in columns))
    return marks


def tables_of(raw: Raw) -> Tables:
    """Find the rows of users and movies, and derive name, year and film key of each movie."""
    user, user_ids = _rows(raw.ratings["user_id"].to_numpy(), raw.users["user_id"].to_numpy())
    movie, movie_ids = _rows(raw.ratings["movie_id"].to_numpy(), raw.movies["movie_id"].to_numpy())
    unknown = [int(movie) for movie in movie_ids[len(raw.movies) :]]
    titles = (*raw.movies["title"].tolist(), *(f"Movie {movie}" for movie in unknown))
    released = (*raw.movies["release_date"].tolist(), *[""] * len(unknown))
    labels = [split_year(title) for title in titles]
    names = tuple(reading_order(title) for title, _ in labels)
    years = [year or int(release[:4] or 0) for (_, year), release in zip(labels, released, strict=True)]
    published = Published(
        raw,
        user_ids,
        movie_ids,
        user,
        movie,
        raw.ratings["stars"].to_numpy(),
        raw.ratings["time"].to_numpy(),
        titles,
        tuple(title for title, _ in labels),
        names,
        np.array(years, np.int32),
        tuple(film_key(name, year) for name, year in zip(names, years, strict=True)),
        (*raw.movies["genres"].tolist(), *[""] * len(unknown)),
        released,
    )
    return Tables(published, movie, np.ones(len(movie), bool), user_ids != MISSING, movie_ids != MISSING)


def _rows(ids: Numbers, known: Numbers) -> tuple[Ints, Ids]:
    """Return the row of each id, and the ids of all rows: the known ones, then those that occur beside them."""
    if not len(ids):
        return np.empty(0, np.int32), known.astype(np.int64)
    low, high = int(ids.min()), int(ids.max())
    if high - low < max(PIECE, len(ids)):  # a table of all ids in the range is small, and many times faster
        return _rows_by_table(ids, known, low, high)
    found, places = np.unique(ids, return_inverse=True)
    everything = np.concatenate([known, np.setdiff1d(found, known)]).astype(np.int64)
    order = np.argsort(everything)
    rows = order[np.searchsorted(everything, found, sorter=order)].astype(np.int32)
    return rows[places], everything


def _rows_by_table(ids: Numbers, known: Numbers, low: int, high: int) -> tuple[Ints, Ids]:
    table = np.full(high - low + 1, -1, np.int32)
    occurring = np.zeros(high - low + 1, bool)
    for piece in pieces(len(ids)):
        occurring[ids[piece].astype(np.int64) - low] = True
    inside = np.flatnonzero((known >= low) & (known <= high))
    table[known[inside] - low] = inside
    more = np.flatnonzero(occurring & (table < 0))
    table[more] = len(known) + np.arange(len(more), dtype=np.int32)
    rows = np.empty(len(ids), np.int32)
    for piece in pieces(len(ids)):
        rows[piece] = table[ids[piece].astype(np.int64) - low]
    return rows, np.concatenate([known, more + low]).astype(np.int64)
