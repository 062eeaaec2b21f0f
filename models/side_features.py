"""Side features of users and movies, as columns for a regression or for a network.

Each column, except those of directors, is centred over the rows in which it is known, so that 0 means the average. An
unknown user or movie has zeros. In a regression, constant columns are dropped.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movietui.data import features
from movietui.data.dataset import Bools, Floats, Movies, Users
from movietui.data.features import Block, Index, demographics, directors

YEARS = 5
"""The width of a bucket of release years."""
DIRECTORS = 300
"""The most directors that have a column, those with the most movies."""


def of_users(users: Users) -> Floats:
    """Return occupation, age group, gender and the first character of the zip code, for a regression, shape (users + 1,
    columns)."""
    tables: list[NDArray[Any]] = []
    people = demographics(users)
    if people is not None:
        tables = [index.one_hot().values for index in (people.occupation, people.age_group, people.gender)]
    if users.zip_code:
        tables.append(_one_hot([code[:1] for code in users.zip_code] + [""]))
    return _centred_columns(tables, len(users) + 1)


def of_movies(movies: Movies, tag_columns: int = 0, imdb: bool = True) -> Floats:
    """Return features of the movies for a regression, shape (movies + 1, columns).

    These are the genres, the five-year bucket of the release and up to ``tag_columns`` directions of the tags. If the
    dataset is joined with IMDb, they also include the directors and, with ``imdb``, the mean rating, the number of
    votes and the runtime on IMDb. If a movie has several genres or directors, their columns are divided by the square
    root of their number.
    """
    rows = len(movies) + 1
    buckets = [str(year // YEARS) if year else "" for year in movies.years.tolist()] + [""]
    tables: list[NDArray[Any]] = [_over_root_of_count(np.pad(movies.genres, ((0, 1), (0, 0)))), _one_hot(buckets)]
    described = (features.tags(movies, tag_columns) if tag_columns else None, features.imdb(movies) if imdb else None)
    tables += [block.values for block in described if block is not None]
    credited = directors(movies)
    if credited is not None:
        # The last entry of ``names`` stands for everybody who directed only one movie, and carries no information.
        movie_counts = np.bincount(credited.ids, minlength=len(credited.names))[:-1]
        column_of = np.full(len(credited.names), -1)
        most_frequent = np.argsort(-movie_counts, kind="stable")[:DIRECTORS]
        column_of[most_frequent] = np.arange(len(most_frequent))
        row, column = (
            np.repeat(np.arange(rows), np.diff(credited.offsets, append=len(credited.ids))),
            column_of[credited.ids],
        )
        table = np.zeros((rows, len(most_frequent)))
        table[row[column >= 0], column[column >= 0]] = 1
        # Not centred: a movie by a director without a column is not the average of those with one.
        return np.concatenate([_centred_columns(tables, rows), _over_root_of_count(table)], 1, dtype=np.float32)
    return _centred_columns(tables, rows)


def _one_hot(texts: Sequence[str]) -> Floats:
    """Return a column for each distinct text except the empty one."""
    names = sorted({*texts} - {""})
    column_of = {name: column for column, name in enumerate(names)}
    return np.eye(len(names) + 1, dtype=np.float32)[[column_of.get(text, -1) for text in texts], :-1]


def _over_root_of_count(table: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(table / np.sqrt(np.maximum(1, table.sum(1, keepdims=True))))


def _centred_columns(tables: Sequence[NDArray[Any]], rows: int) -> Floats:
    """Return the columns of all tables, each centred over the rows of its table that are not all zero."""
    columns = [np.zeros((rows, 0))]
    for table in tables:
        known = np.asarray(table.any(1))
        if not known.any():
            continue
        centred: NDArray[Any] = np.where(known[:, None], table - table[known].mean(0), 0.0)
        columns.append(centred[:, np.abs(centred).max(0) > 1e-6])
    return np.concatenate(columns, 1).astype(np.float32)


def user_inputs(users: Users) -> Floats:
    """Return age, gender and occupation as inputs of a network, if the dataset has them, shape (users + 1, columns)."""
    people = demographics(users)
    return _columns([people.age, people.gender, people.occupation] if people else [], len(users))


def movie_inputs(movies: Movies) -> Floats:
    """Return genres, year and month of release and IMDb facts as inputs of a network, shape (movies + 1, columns).

    Facts that the dataset lacks have no columns.
    """
    genres = features.genres(movies)
    # Without the first column, ``unknown``, a movie without known genres has only zeros.
    parts: list[Block | Index] = [Block.as_is(genres.names[1:], genres.values[:, 1:])]
    parts += [part for part in (features.year(movies), features.month(movies), features.imdb(movies)) if part]
    return _columns(parts, len(movies))


def _columns(parts: Sequence[Block | Index], rows: int) -> Floats:
    """Concatenate features, with each column centred over the rows in which it is known, and 0 in other rows."""
    columns: list[Floats] = [np.zeros((rows + 1, 0), np.float32)]
    for part in parts:
        values = (part.one_hot() if isinstance(part, Index) else part).values
        known: Bools = np.asarray(values.any(1))
        if known.any():
            values = np.where(known[:, None], values - values[known].mean(0), np.float32(0))
        columns.append(values)
    return np.concatenate(columns, 1)
