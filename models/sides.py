"""Who users are and what movies are, as columns for a regression.

Each column is taken off its mean over those of whom it is known, so that all zeros, as of somebody of whom nothing is
known, stand for the average; a column in which all are the same is dropped.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.dataset import Floats, Movies, Users
from data.features import demographics, directors

YEARS = 5
"""Movies released within so many years of each other share a column."""
DIRECTORS = 300
"""Columns for directors, at most: for those with the most movies."""


def of_users(users: Users) -> Floats:
    """Return occupation, age group, gender and first character of the zip code, shape (users + 1, columns)."""
    tables: list[NDArray[Any]] = []
    people = demographics(users)
    if people is not None:
        tables = [index.one_hot().values for index in (people.occupation, people.age_group, people.gender)]
    if users.zip_code:
        tables.append(_one_hot([code[:1] for code in users.zip_code] + [""]))
    return _beside(tables, len(users) + 1)


def of_movies(movies: Movies) -> Floats:
    """Return genres, five-year bucket of the release and, where joined, directors, shape (movies + 1, columns).

    What a movie may have several of is divided by the square root of their number.
    """
    rows = len(movies) + 1
    buckets = [str(year // YEARS) if year else "" for year in movies.years.tolist()] + [""]
    tables = [_over_root(np.pad(movies.genres, ((0, 1), (0, 0)))), _one_hot(buckets)]
    credited = directors(movies)
    if credited is not None:
        # The last name stands for all who directed a single movie, and says nothing.
        many = np.bincount(credited.ids, minlength=len(credited.names))[:-1]
        place = np.full(len(credited.names), -1)
        chosen = np.argsort(-many, kind="stable")[:DIRECTORS]
        place[chosen] = np.arange(len(chosen))
        row, column = (
            np.repeat(np.arange(rows), np.diff(credited.offsets, append=len(credited.ids))),
            place[credited.ids],
        )
        table = np.zeros((rows, len(chosen)))
        table[row[column >= 0], column[column >= 0]] = 1
        tables.append(_over_root(table))
    return _beside(tables, rows)


def _one_hot(texts: Sequence[str]) -> Floats:
    """A column for each text that there is; none for the empty one."""
    names = sorted({*texts} - {""})
    place = {name: column for column, name in enumerate(names)}
    return np.eye(len(names) + 1, dtype=np.float32)[[place.get(text, -1) for text in texts], :-1]


def _over_root(table: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(table / np.sqrt(np.maximum(1, table.sum(1, keepdims=True))))


def _beside(tables: Sequence[NDArray[Any]], rows: int) -> Floats:
    """The columns of all tables, each off its mean over the rows of its table that are not all zero."""
    found = [np.zeros((rows, 0))]
    for table in tables:
        known = np.asarray(table.any(1))
        if not known.any():
            continue
        off: NDArray[Any] = np.where(known[:, None], table - table[known].mean(0), 0.0)
        found.append(off[:, np.abs(off).max(0) > 1e-6])
    return np.concatenate(found, 1).astype(np.float32)
