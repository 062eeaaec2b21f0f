"""From cleaned tables to a dataset of indices, and its fingerprint."""

import hashlib
import json

import numpy as np
from numpy.typing import NDArray

from data.cleaning import Tables
from data.dataset import Dataset, Ints, Movies, Ratings, Scale, Users
from data.movielens import NO_GENRE
from data.titles import film_key


def encode(name: str, tables: Tables, preset: str) -> Dataset:
    """Return the tables as a dataset; rows keep their order.

    Users and movies that only occur in ratings (the preset ``none`` leaves them) follow after the known ones.
    """
    rated_users = tables.ratings["user_id"].to_numpy()
    rated_movies = tables.ratings["movie_id"].to_numpy()
    user_ids = tables.users["user_id"].to_numpy()
    movie_ids = tables.movies["movie_id"].to_numpy()
    more_users = np.setdiff1d(rated_users, user_ids)
    more_movies = np.setdiff1d(rated_movies, movie_ids)
    all_users = np.concatenate([user_ids, more_users])
    all_movies = np.concatenate([movie_ids, more_movies])

    ratings = Ratings(
        _places(rated_users, all_users),
        _places(rated_movies, all_movies),
        tables.ratings["stars"].to_numpy().astype(np.float32),
        tables.ratings["time"].to_numpy().astype(np.int64),
    )
    blank = [""] * len(more_users)
    users = Users(
        tuple(str(user) for user in all_users),
        np.maximum(0, np.concatenate([tables.users["age"], np.zeros(len(more_users), np.int64)])).astype(np.int32),
        (*tables.users["gender"], *blank),
        (*tables.users["occupation"], *blank),
    )
    unnamed = [f"Movie {movie}" for movie in more_movies]
    titles = [*tables.movies["name"], *unnamed]
    years = np.concatenate([tables.movies["year"].to_numpy(), np.zeros(len(more_movies), np.int64)]).astype(np.int32)
    genre_names = tuple(genre for genre in tables.raw.genre_names if genre not in NO_GENRE)
    sets = [frozenset(genres.split("|")) for genres in [*tables.movies["genres"], *([""] * len(more_movies))]]
    movies = Movies(
        tuple(str(movie) for movie in all_movies),
        tuple(titles),
        years,
        np.array([[genre in found for genre in genre_names] for found in sets], bool).reshape(len(sets), -1),
        genre_names,
        (*tables.movies["key"], *(film_key(title, 0) for title in unnamed)),
    )
    print_ = fingerprint(ratings, users, movies, tables.raw.scale)
    return Dataset(name, ratings, users, movies, tables.raw.scale, print_, preset)


def _places(ids: NDArray[np.int64], among: NDArray[np.int64]) -> Ints:
    """The place of each id among all ids, which are unique."""
    order = np.argsort(among)
    places: Ints = order[np.searchsorted(among, ids, sorter=order)].astype(np.int32)
    return places


def fingerprint(ratings: Ratings, users: Users, movies: Movies, scale: Scale) -> str:
    """Return the sha256 of everything that a dataset holds, but not of its name."""
    digest = hashlib.sha256()
    texts = [users.ids, users.gender, users.occupation]
    texts += [movies.ids, movies.titles, movies.genre_names, movies.keys]
    digest.update(json.dumps([texts, scale.low, scale.high, scale.step]).encode())
    columns = (ratings.user, ratings.movie, ratings.stars, ratings.time, users.age, movies.years, movies.genres)
    for column in columns:
        digest.update(f"{column.dtype.str}{column.shape}".encode())
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()
