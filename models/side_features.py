"""Who users are and what movies are, as columns for a regression.

Each column but those of directors is taken off its mean over those of whom it is known, so that all zeros, as of
somebody of whom nothing is known, stand for the average; a column in which all are the same is dropped.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data import features
from data.dataset import Bools, Floats, Movies, Users
from data.features import Block, Index, demographics, directors

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
        # Not off the mean of the others who are named: a movie by somebody else is not the average of theirs.
        return np.concatenate([_beside(tables, rows), _over_root(table)], 1, dtype=np.float32)
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


def user_inputs(users: Users) -> Floats:
    """Return age, gender and occupation as inputs of a network, as far as published, shape (users + 1, columns)."""
    people = demographics(users)
    return _columns([people.age, people.gender, people.occupation] if people else [], len(users))


def movie_inputs(movies: Movies) -> Floats:
    """Return genres, date of release and what IMDb says as inputs of a network, shape (movies + 1, columns)."""
    genres = features.genres(movies)
    # Without the first column, which says that a movie has no genre: that is unknown, not a genre.
    parts: list[Block | Index] = [Block.as_is(genres.names[1:], genres.values[:, 1:])]
    parts += [part for part in (features.year(movies), features.month(movies), features.imdb(movies)) if part]
    return _columns(parts, len(movies))


def _columns(parts: Sequence[Block | Index], rows: int) -> Floats:
    """Put features beside each other, each column centred over the rows where it is known and 0 where it is not."""
    found: list[Floats] = [np.zeros((rows + 1, 0), np.float32)]
    for part in parts:
        values = (part.one_hot() if isinstance(part, Index) else part).values
        known: Bools = np.asarray(values.any(1))
        if known.any():
            values = np.where(known[:, None], values - values[known].mean(0), np.float32(0))
        found.append(values)
    return np.concatenate(found, 1)
