"""Datasets that consist of movies only."""

from collections.abc import Sequence

import numpy as np

from movietui.data.dataset import Dataset, ImdbFacts, Movies, Ratings, Scale, Users
from movietui.data.titles import movie_key, parse_label


def dataset(labels: Sequence[str], imdb: Sequence[str] = (), name: str = "own") -> Dataset:
    """Return a dataset of movies with ids from 1, and no ratings or users."""
    parsed = [parse_label(label) for label in labels]
    count = len(labels)
    nothing = np.zeros(count, np.int32)
    facts = ImdbFacts(np.zeros(count, np.float32), nothing, nothing, ((),) * count, ((),) * count, (), tuple(imdb))
    movies = Movies(
        tuple(str(movie) for movie in range(1, count + 1)),
        tuple(title for title, _ in parsed),
        np.array([year for _, year in parsed], np.int32),
        np.zeros((count, 0), bool),
        (),
        tuple(movie_key(title, year) for title, year in parsed),
        imdb=facts if imdb else None,
    )
    none = np.empty(0, np.int32)
    ratings = Ratings(none, none, none.astype(np.float32), none.astype(np.int64))
    return Dataset(name, ratings, Users(()), movies, Scale(), "")
