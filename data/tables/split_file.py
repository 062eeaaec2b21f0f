"""Reads a split from a file: which ratings are in the train part, and which in the test part.

The file is a table with a header and the columns ``user``, ``movie`` (or ``item``) and ``part``, which is ``train`` or
``test``. Ratings that it leaves out are in neither part.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from movietui.data.language import tr
from movietui.data.movielens.text_lines import quote
from movietui.data.problems import Problem
from movietui.data.tables import reader, table
from movietui.data.tables.columns import role_of
from movietui.data.tables.interactions import codes_of

if TYPE_CHECKING:
    from movietui.data.dataset import Dataset

PARTS = ("train", "test")
PART = "part"
DIGITS = 8
"""How many digits of a digest are in the name of a split."""
Rows = NDArray[np.intp]


def name_of(path: Path) -> str:
    """Return the name of the file and a digest of its content. Raises ``Problem`` if it cannot be read."""
    name, content = _content(path)
    return f"{name}:{hashlib.sha256(content).hexdigest()[:DIGITS]}"


def read(path: Path, dataset: "Dataset") -> tuple[Rows, Rows]:
    """Return the rows of a dataset's ratings that are in the train part, and those in the test part, both ascending.

    If the dataset is cleaned, pairs in the file that it lacks are ignored, because cleaning may have removed them.
    Otherwise, or if it lacks all pairs, ``Problem`` is raised. ``Problem`` is also raised if the file cannot be read,
    has other columns or parts, or puts a pair into both parts, and if one of the parts is empty.
    """
    name, content = _content(path)
    header = table.names_of(content)
    index = {PART if each.strip().casefold() == PART else role_of(each): column for column, each in enumerate(header)}
    if not {"user", "item", PART} <= index.keys():
        raise Problem(
            tr(
                "{file} has the columns {columns}; a split needs user, movie and part.",
                file=name,
                columns=", ".join(header[:10]),
            )
        )
    wanted = {role: index[role] for role in ("user", "item", PART)}
    if content.startswith(table.PARQUET):
        raw = table.parquet_of(content, [header[column] for column in wanted.values()]).rename_columns([*wanted])
    else:
        raw, malformed = table.text(content, name, wanted, len(header), True)
        if malformed:
            raise Problem(
                tr(
                    "Line {number} of {file} is wrong: {reason}.",
                    number=malformed[0].line,
                    file=name,
                    reason=malformed[0].reason,
                )
            )
    part, parts = codes_of(raw[PART])
    wrong = [each for each in parts if each not in PARTS]
    if wrong or (part < 0).any():
        shown = quote(wrong[0]) if wrong else tr("empty")
        raise Problem(tr("A part in {file} is {part}; write train or test.", file=name, part=shown))
    user, users = codes_of(raw["user"])
    movie, movies = codes_of(raw["item"])
    rows_of_movies = {**dataset.movies.row}
    for remaining, merged in dataset.movies.merged.items():
        rows_of_movies |= dict.fromkeys(merged, dataset.movies.row[remaining])
    user_row, movie_row = _rows(user, users, dataset.users.row), _rows(movie, movies, rows_of_movies)
    pair = user_row * len(dataset.movies) + movie_row
    pair[(user_row < 0) | (movie_row < 0)] = -1
    of_ratings = dataset.ratings.user.astype(np.int64) * len(dataset.movies) + dataset.ratings.movie
    known = np.isin(pair, of_ratings)
    if not known.all() and (dataset.cleaning == "none" or not known.any()):
        first = int(np.flatnonzero(~known)[0])
        raise Problem(
            tr(
                "{file} has rows that are not ratings of {dataset} ({count:,} in all), such as user {user}, movie "
                "{movie}.",
                file=name,
                dataset=dataset.name,
                count=int((~known).sum()),
                user=raw["user"][first],
                movie=raw["item"][first],
            )
        )
    in_parts = [np.unique(pair[known & (part == parts.index(each))]) if each in parts else pair[:0] for each in PARTS]
    twice = np.intersect1d(in_parts[0], in_parts[1])
    if len(twice):
        both = divmod(int(twice[0]), len(dataset.movies))
        raise Problem(
            tr(
                "{file} puts ratings into both parts ({count:,} in all), such as user {user}, movie {movie}.",
                file=name,
                count=len(twice),
                user=dataset.users.ids[both[0]],
                movie=dataset.movies.ids[both[1]],
            )
        )
    train, test = (np.flatnonzero(np.isin(of_ratings, pairs)) for pairs in in_parts)
    for each, rows in zip(PARTS, (train, test), strict=True):
        if not len(rows):
            raise Problem(
                tr("{file} has no ratings of {dataset} in the part {part}.", file=name, dataset=dataset.name, part=each)
            )
    return train, test


def _content(path: Path) -> tuple[str, bytes]:
    """Return the name of the file and its content. Raises ``Problem`` unless it is one file."""
    files = reader.contents(path)
    if len(files) != 1:
        raise Problem(
            tr("{path} contains {count} files; give the path of the one with the split.", path=path, count=len(files))
        )
    return next(iter(files.items()))


def _rows(codes: NDArray[np.int32], ids: list[str], known: Mapping[str, int]) -> NDArray[np.int64]:
    """Return the row of each id, -1 if it is missing or unknown. ``codes`` and ``ids`` as ``codes_of`` returns them."""
    return np.asarray([*(known.get(each, -1) for each in ids), -1], np.int64)[codes]
