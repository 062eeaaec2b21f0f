"""Encodes cleaned tables as a ``Dataset``, with rows instead of ids, and computes its fingerprint."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movietui.data.cleaning.rules import gender_code
from movietui.data.cleaning.working_tables import MovieTables, Published, Tables
from movietui.data.dataset import Bools, Dataset, Ints, Movies, Ratings, Scale, Users
from movietui.data.movielens.release import NO_GENRE
from movietui.data.tags import Tags, strongest
from movietui.data.titles import untitled_key


def encode(name: str, tables: Tables, cleaning: str) -> Dataset:
    """Return the remaining rows of the tables as a dataset, in their original order.

    Users and movies that occur only in ratings follow those that the dataset describes; the rule ``unknown-ids``
    removes them.
    """
    published = tables.published
    published_scale = published.raw.scale
    scale = published_scale.in_stars
    ratings = Ratings(
        new_rows(tables.remaining_users)[published.user[tables.remaining]],
        new_rows(tables.remaining_movies)[tables.movie[tables.remaining]],
        published_scale.to_stars(published.stars[tables.remaining].astype(np.float32, copy=False)),
        published.time[tables.remaining].astype(np.int64, copy=False),
    )
    rows = np.flatnonzero(tables.remaining_users).tolist()
    users = users_of(published, rows, coded_gender=tables.coded_gender, keep_zip_codes=tables.keep_zip_codes)
    movies = movies_of(name, tables)
    return Dataset(
        name,
        ratings,
        users,
        movies,
        scale,
        fingerprint(ratings, users, movies, scale),
        cleaning,
        None if published_scale == scale else published_scale,
        published.raw.implicit,
    )


def new_rows(remaining: Bools) -> Ints:
    """Return, for each old row that remains, its new row; the values for removed rows mean nothing."""
    rows: Ints = np.cumsum(remaining, dtype=np.int32) - np.int32(1)
    return rows


def users_of(published: Published, rows: Sequence[int], *, coded_gender: bool, keep_zip_codes: bool) -> Users:
    """Return these users; the other arguments are as in ``Tables``."""

    def column(name: str, blank: Any) -> list[Any]:
        """Return a column of the users, or an empty list if it is not published.

        Users who occur only in ratings have the value ``blank``.
        """
        column = published.column(name)
        return [column[row] if row < len(column) else blank for row in rows] if column else []

    genders = column("gender", "")
    codes = [gender_code(text) for text in genders] if coded_gender else []
    return Users(
        tuple(str(published.ids_of_users[row]) for row in rows),
        np.maximum(0, np.array(column("age", 0), np.int32)),
        tuple(genders),
        tuple(column("occupation", "")),
        np.array(codes, np.int32),
        tuple(column("zip_code", "")) if keep_zip_codes else (),
    )


def movies_of(name: str, tables: MovieTables) -> Movies:
    """Return the remaining movies, in their original order.

    A movie without a title gets a key that no movie of another dataset has; ``name`` is the name of the dataset.
    """
    published = tables.published
    ids = list(map(str, published.ids_of_movies))
    rows = np.flatnonzero(tables.remaining_movies).tolist()
    titles = published.names if tables.reading_order else published.titles
    genre_names = tuple(genre for genre in published.raw.genre_names if genre not in NO_GENRE)
    months = [int(published.released[row][5:7] or 0) for row in rows]
    return Movies(
        tuple(ids[row] for row in rows),
        tuple(titles[row] for row in rows),
        published.years[rows],
        _genres([published.genres[row] for row in rows], genre_names),
        genre_names,
        tuple(
            published.keys[row] if published.has_title(row) else untitled_key(published.titles[row], name, ids[row])
            for row in rows
        ),
        np.array(months if any(months) else [], np.int32),
        merged={ids[group[0]]: tuple(ids[row] for row in group[1:]) for group in tables.merged},
        tags=_tags(tables),
    )


def _tags(tables: MovieTables) -> Tags | None:
    """Return the tags of the remaining movies; a movie with merged entries has the tags of all of them."""
    published, raw = tables.published, tables.published.raw.tags
    if raw is None:
        return None
    remaining = tables.remaining_movies
    row_of = np.where(remaining, new_rows(remaining), np.int32(-1))
    for group in tables.merged:
        row_of[list(group)] = row_of[group[0]]
    order = np.argsort(published.movie_ids, kind="stable")
    index = np.searchsorted(published.movie_ids, raw.movie_id, sorter=order)
    rows = order[np.minimum(index, len(order) - 1)]
    movie = np.where(published.movie_ids[rows] == raw.movie_id, row_of[rows], np.int32(-1))
    remains = movie >= 0
    return strongest(raw.names, movie[remains], raw.tag[remains], raw.weight[remains], int(np.count_nonzero(remaining)))


def _genres(texts: Sequence[str], names: Sequence[str]) -> Bools:
    """Return whether each text, such as ``Comedy|Drama``, contains each of the genres ``names``, shape (texts, names).

    Many texts are equal, so each distinct text is parsed only once.
    """
    row_of = {text: row for row, text in enumerate(dict.fromkeys(texts))}
    column_of = {name: column for column, name in enumerate(names)}
    table = np.zeros((len(row_of), len(names)), bool)
    for text, row in row_of.items():
        table[row, [column_of[name] for name in text.split("|") if name in column_of]] = True
    genres: Bools = table[[row_of[text] for text in texts]]
    return genres


def fingerprint(ratings: Ratings, users: Users, movies: Movies, scale: Scale) -> str:
    """Return a digest of ratings, users, movies and scale; merged ids and IMDb's facts are not part of it."""
    digest = hashlib.blake2b(digest_size=32)  # twice as fast as sha256
    texts = [users.ids, users.gender, users.occupation, users.zip_code]
    texts += [movies.ids, movies.titles, movies.genre_names, movies.keys]
    texts += [movies.tags.names] if movies.tags else []
    digest.update(json.dumps([texts, scale.low, scale.high, scale.step]).encode())
    columns: list[NDArray[Any]] = [
        ratings.user,
        ratings.movie,
        ratings.stars,
        ratings.time,
        users.age,
        users.gender_code,
        movies.years,
        movies.months,
        movies.genres,
    ]
    columns += [movies.tags.starts, movies.tags.tag, movies.tags.weight] if movies.tags else []
    for column in columns:
        digest.update(f"{column.dtype.str}{column.shape}".encode())
        digest.update(np.ascontiguousarray(column).data)
    return digest.hexdigest()
