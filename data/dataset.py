"""A dataset in memory: ratings as columns, users and movies by index.

Everything after cleaning works with indices: ``ratings.user[i]`` is a row of ``users``, ``ratings.movie[i]`` a row of
``movies``. The ids of the original files are text and only met at the edges.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.titles import title_key

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Scale:
    """The stars that a dataset allows: from ``low`` to ``high`` in steps of ``step``."""

    low: float = 1.0
    high: float = 5.0
    step: float = 1.0

    def clip(self, stars: Floats) -> Floats:
        """Return the stars, none below the lowest or above the highest of the scale."""
        return np.clip(stars, np.float32(self.low), np.float32(self.high))


@dataclass(frozen=True, eq=False)
class Ratings:
    """Ratings as four columns of equal length, in the order of the original file."""

    user: Ints
    """Row in ``users``, int32."""
    movie: Ints
    """Row in ``movies``, int32."""
    stars: Floats
    """On the dataset's own scale, float32."""
    time: NDArray[np.int64]
    """Seconds since 1970 in UTC."""

    def __len__(self) -> int:
        return len(self.user)

    def take(self, rows: NDArray[np.intp]) -> "Ratings":
        """Return the named rows, in the order given."""
        return Ratings(self.user[rows], self.movie[rows], self.stars[rows], self.time[rows])


@dataclass(frozen=True, eq=False)
class Users:
    """The users. A column that the dataset does not have is empty, never invented."""

    ids: tuple[str, ...]
    age: Ints = field(default_factory=lambda: np.empty(0, np.int32))
    """Years, or the lower end of ML-1M's age groups."""
    gender: tuple[str, ...] = ()
    """``F`` or ``M``, as the datasets have it."""
    occupation: tuple[str, ...] = ()
    gender_code: Ints = field(default_factory=lambda: np.empty(0, np.int32))
    """0 for F, 1 for M, -1 where unknown; empty where cleaning did not code it."""
    zip_code: tuple[str, ...] = ()
    """As published; empty where cleaning dropped it, for nobody learns from it."""

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def row(self) -> Mapping[str, int]:
        """The row of each id."""
        return {user: row for row, user in enumerate(self.ids)}


@dataclass(frozen=True, eq=False)
class ImdbFacts:
    """What IMDb says about each movie, in the rows of ``Movies``."""

    rating: Floats
    """Mean rating on IMDb, 1 to 10; NaN where unknown."""
    votes: Ints
    """Number of IMDb ratings; 0 where unknown."""
    minutes: Ints
    """Runtime; 0 where unknown."""
    directors: tuple[tuple[str, ...], ...]
    """Names in the order of the credits; empty where unknown."""
    people: tuple[tuple[str, ...], ...]
    """The ids of the directors, ``nm0001741``, in the same order: two people may have one name."""
    genres: tuple[tuple[str, ...], ...] = ()
    """As IMDb names them; empty where unknown."""
    ids: tuple[str, ...] = ()
    """Of the IMDb titles, ``tt0114709``; empty where a movie has no match."""
    fingerprint: str = ""
    """Hexadecimal digest that differs where anything about the join does, by hand or by another table."""

    @cached_property
    def directed(self) -> Mapping[str, tuple[int, ...]]:
        """The rows of each director's movies, by name; who has the same name is one here."""
        rows: dict[str, list[int]] = {}
        for row, names in enumerate(self.directors):
            for name in names:
                rows.setdefault(name, []).append(row)
        return {name: tuple(own) for name, own in rows.items()}

    @cached_property
    def director_keys(self) -> Mapping[str, str]:
        """How each director's name is compared, as ``data.titles.title_key``."""
        return {name: title_key(name) for name in self.directed}

    def of(self, row: int) -> dict[str, Any] | None:
        """Return what is known of a movie as JSON-able values, or None where it has no match."""
        if not self.ids or not self.ids[row]:
            return None
        return {
            "id": self.ids[row],
            "rating": None if np.isnan(self.rating[row]) else round(float(self.rating[row]), 1),
            "votes": int(self.votes[row]),
            "minutes": int(self.minutes[row]) or None,
            "genres": list(self.genres[row]),
            "directors": list(self.directors[row]),
        }


@dataclass(frozen=True, eq=False)
class Movies:
    """The movies."""

    ids: tuple[str, ...]
    titles: tuple[str, ...]
    """In reading order and without the year: ``The Usual Suspects``; as published where cleaning left them so."""
    years: Ints
    """Of the title, else of the release; 0 where unknown."""
    genres: Bools
    """Shape (movies, genre names)."""
    genre_names: tuple[str, ...]
    keys: tuple[str, ...]
    """The same film has the same key in every dataset; see ``data.titles.film_key``."""
    months: Ints = field(default_factory=lambda: np.empty(0, np.int32))
    """Month of release, 1 to 12, 0 where unknown; empty where the dataset has no dates of release."""
    merged: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The ids of further entries of the same film that were merged into one, by its id."""
    imdb: ImdbFacts | None = None
    """None where the dataset was not joined with IMDb."""

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def row(self) -> Mapping[str, int]:
        """The row of each id."""
        return {movie: row for row, movie in enumerate(self.ids)}

    @cached_property
    def rows_by_key(self) -> Mapping[str, tuple[int, ...]]:
        """The rows of each film; more than one where the dataset was not merged."""
        rows: dict[str, tuple[int, ...]] = {}
        for row, key in enumerate(self.keys):
            rows[key] = (*rows.get(key, ()), row)
        return rows

    def genres_of(self, row: int) -> list[str]:
        """Return the names of a movie's genres."""
        return [self.genre_names[column] for column in np.flatnonzero(self.genres[row])]

    def label(self, row: int) -> str:
        """Return the title with its year, as in the original files: ``Fargo (1996)``."""
        title, year = self.titles[row], f"({self.years[row]})"
        return title if not self.years[row] or title.rstrip().endswith(year) else f"{title} {year}"


@dataclass(frozen=True, eq=False)
class Dataset:
    """Ratings, users and movies after reading and cleaning."""

    name: str
    ratings: Ratings
    users: Users
    movies: Movies
    scale: Scale
    fingerprint: str
    """Hexadecimal digest of the content after cleaning; two datasets with the same one are equal."""
    cleaning: str = "none"
    """Which rules cleaned it, as text; see ``data.cleaning.parse``."""

    def with_ratings(self, rows: NDArray[np.intp]) -> "Dataset":
        """Return the dataset with the named ratings only. Users and movies keep their rows."""
        return replace(self, ratings=self.ratings.take(rows))

    @cached_property
    def counts(self) -> Ints:
        """The number of ratings of each movie, shape (movies,)."""
        return np.bincount(self.ratings.movie, minlength=len(self.movies)).astype(np.int32)

    @cached_property
    def _by_user(self) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        return grouped(self.ratings.user, len(self.users))

    def rows_of(self, user: int) -> NDArray[np.intp]:
        """Return the rows of ``ratings`` that belong to a user, in file order."""
        order, starts = self._by_user
        return order[starts[user] : starts[user + 1]]


def grouped(groups: NDArray[Any], total: int) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Return the rows group by group, each group's in their order, and where each group starts and the last one ends.

    ``groups``: that of each row, from 0 to ``total`` - 1. Shapes (rows,) and (total + 1,).
    """
    # Sorting by a 16-bit number is several times faster.
    order = np.argsort(groups.astype(np.uint16) if total <= 1 << 16 else groups, kind="stable")
    starts = np.zeros(total + 1, np.int64)
    np.cumsum(np.bincount(groups, minlength=total), out=starts[1:])
    return order, starts
