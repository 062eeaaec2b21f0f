"""Builds datasets that have movies but no users or ratings."""

from collections.abc import Sequence

import numpy as np

from movietui.data.dataset import Dataset, ImdbFacts, Movies, Ratings, Scale, Users
from movietui.data.titles import movie_key, parse_label


def dataset(labels: Sequence[str], imdb: Sequence[str] = (), name: str = "own") -> Dataset:
    """Return a dataset of movies with these labels and ids from 1; ``imdb`` has the ids of their IMDb titles."""
    parsed = [parse_label(label) for label in labels]
    count = len(labels)
    zeros = np.zeros(count, np.int32)
    facts = ImdbFacts(np.zeros(count, np.float32), zeros, zeros, ((),) * count, ((),) * count, (), tuple(imdb))
    movies = Movies(
        tuple(str(movie) for movie in range(1, count + 1)),
        tuple(title for title, _ in parsed),
        np.array([year for _, year in parsed], np.int32),
        np.zeros((count, 0), bool),
        (),
        tuple(movie_key(title, year) for title, year in parsed),
        imdb=facts if imdb else None,
    )
    empty = np.empty(0, np.int32)
    ratings = Ratings(empty, empty, empty.astype(np.float32), empty.astype(np.int64))
    return Dataset(name, ratings, Users(()), movies, Scale(), "")
