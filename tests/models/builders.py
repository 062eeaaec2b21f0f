"""Small datasets with a known structure."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Floats, Movies, Ratings, Scale, Users
from movietui.data.tags import Tags, strongest


def dataset(
    user: object, movie: object, stars: object, users: int = 0, movies: int = 0, name: str = "planted"
) -> Dataset:
    """Return a dataset with these ratings and at least ``users`` users and ``movies`` movies.

    Users with ratings have an age, a gender and an occupation, which are unrelated to the ratings.
    """
    user, movie = np.asarray(user, np.int32), np.asarray(movie, np.int32)
    users, movies = max(users, int(user.max(initial=-1)) + 1), max(movies, int(movie.max(initial=-1)) + 1)
    known = np.isin(np.arange(users), user) if len(user) else np.ones(users, bool)
    return Dataset(
        name=name,
        ratings=Ratings(user, movie, np.asarray(stars, np.float32), np.arange(len(user), dtype=np.int64)),
        users=Users(
            tuple(f"u{row}" for row in range(users)),
            age=np.where(known, 18 + 7 * np.arange(users) % 50, 0).astype(np.int32),
            gender=tuple("FM"[row // 2 % 2] if known[row] else "" for row in range(users)),
            occupation=tuple(("artist", "baker", "clerk")[row % 3] if known[row] else "" for row in range(users)),
        ),
        movies=Movies(
            ids=tuple(f"m{row}" for row in range(movies)),
            titles=tuple(f"Movie {row}" for row in range(movies)),
            years=np.full(movies, 1990, np.int32),
            genres=np.eye(movies, 2, dtype=bool),
            genre_names=("Comedy", "Drama"),
            keys=tuple(f"movie {row}" for row in range(movies)),
        ),
        scale=Scale(),
        fingerprint=f"{len(user):08x}",
    )


def tags_of(cells: Sequence[tuple[int, str, float]], movies: int) -> Tags:
    """Return the tags of this many movies, from the movie, name and weight of each."""
    names = list(dict.fromkeys(name for _, name, _ in cells))
    movie, tag, weight = zip(*((row, names.index(name), weight) for row, name, weight in cells), strict=True)
    return strongest(names, np.int32(movie), np.int32(tag), np.float32(weight), movies)


def checkerboard(users: int = 60, movies: int = 40, share: float = 0.6, seed: int = 3) -> tuple[Dataset, Ratings]:
    """Return ``(train, held out)``: even users like even movies, and odd users odd movies.

    In the whole table, all users and all movies have the same mean, so only taste separates 5 from 1. The last user and
    the last movie have no ratings.
    """
    random = np.random.RandomState(seed)
    user, movie = (grid.ravel() for grid in np.indices((users, movies)))
    stars = np.where((user + movie) % 2 == 0, 5.0, 1.0)
    known = random.random_sample(len(user)) < share
    train = dataset(user[known], movie[known], stars[known], users + 1, movies + 1)
    rest = dataset(user[~known], movie[~known], stars[~known], users + 1, movies + 1)
    return train, rest.ratings


def tastes(users: int = 150, movies: int = 90, share: float = 0.35, seed: int = 5) -> tuple[Dataset, Ratings]:
    """Return ``(train, held out)``: noisy ratings from biases and three directions of taste, in whole stars."""
    random = np.random.RandomState(seed)
    p, q = random.normal(0, 0.9, (users, 3)), random.normal(0, 0.5, (movies, 3))
    b, c = random.normal(0, 0.4, users), random.normal(0, 0.4, movies)
    exact = 3.4 + b[:, None] + c + p @ q.T + random.normal(0, 0.3, (users, movies))
    stars = np.clip(np.round(exact), 1, 5)
    user, movie = np.nonzero(random.random_sample(stars.shape) < share)
    held_out = random.random_sample(len(user)) < 0.15
    train = dataset(user[~held_out], movie[~held_out], stars[user, movie][~held_out], users, movies)
    rest = dataset(user[held_out], movie[held_out], stars[user, movie][held_out], users, movies)
    return train, rest.ratings


def rmse(prediction: Floats, stars: Floats) -> float:
    """Return the root mean squared error."""
    return float(np.sqrt(np.mean((prediction.astype(np.float64) - stars) ** 2)))


def by_score(train: Dataset, user: int, scores: Floats) -> NDArray[np.intp]:
    """Return the rows of the movies that have ratings in train, but none by this user, by score, highest first.

    ``scores``: shape (movies,). Ties are ordered by the number of ratings, then by row.
    """
    rows = np.setdiff1d(np.flatnonzero(train.counts), train.ratings.movie[train.rows_of(user)])
    return rows[np.lexsort((-train.counts[rows], -scores[rows]))]
