"""More like this: movies that are liked by those who like one, with what they have in common."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from data.dataset import Dataset, Floats
from models.reasons import Shared, shared

DAMPING = 10.0
"""How many ratings of their own a movie's and a user's mean need to be halfway to what they say."""
PRIOR = 60.0
"""How many users in common weigh as much as what is known of the movies themselves."""
ALIKE = 0.3
"""The correlation that is believed of two movies with all genres, the director and the time in common, before any
rating is seen."""
PARTS = (0.6, 0.25, 0.15)
"""What genres, directors and the time of release count in that."""
YEARS = 10.0
"""The distance in years at which the times of release have little in common."""


@dataclass(frozen=True)
class Similar:
    """A movie that is like another."""

    movie: int
    """Its row."""
    similarity: float
    """From -1 to 1."""
    common: int
    """How many users rated both."""
    shared: Shared


class Similarities:
    """Tells how alike movies are.

    Ratings are seen relative to the damped means of movie and user. The similarity of two movies is the correlation of
    these over the ``n`` users in common (Sarwar et al., Item-based collaborative filtering, 2001), drawn towards what
    their genres, directors and times of release make one believe,

        (n correlation + PRIOR * ALIKE * content) / (n + PRIOR),

    so that a movie with few ratings, or none, has its like among those of its kind. ``PRIOR`` and ``ALIKE`` were chosen
    on ml-100k: the ten nearest by one half of the users, judged by the mean product of what the other half left above
    and below the means, 0.139 for movies with fewer than 40 ratings and 0.110 for others (0.068 and 0.100 with 20 and
    0.15). Twice ``ALIKE`` raises both, and puts what nobody has seen beside what everybody has.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    @cached_property
    def _rest(self) -> Floats:
        """What is left of each rating without the means of movie and user."""
        ratings = self.dataset.ratings
        rest = ratings.stars - (ratings.stars.mean() if len(ratings) else np.float32(0))
        for rows, total in ((ratings.movie, len(self.dataset.movies)), (ratings.user, len(self.dataset.users))):
            means = np.bincount(rows, rest, total) / (np.bincount(rows, minlength=total) + DAMPING)
            rest = rest - means.astype(np.float32)[rows]
        return np.asarray(rest, np.float32)

    def of(self, row: int, vectors: Floats | None = None) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return how alike each movie is to one, and how many users rated both; shape (movies,) each.

        With a model's movie ``vectors``, the cosine of these takes the place of the correlation, as far as both movies
        have ratings: for ``n`` then stands how many the one with fewer has.
        """
        ratings, total = self.dataset.ratings, len(self.dataset.movies)
        rest = np.zeros(len(self.dataset.users), np.float32)
        mine = np.flatnonzero(ratings.movie == row)
        rated = np.zeros(len(self.dataset.users), bool)
        rest[ratings.user[mine]], rated[ratings.user[mine]] = self._rest[mine], True
        theirs = np.flatnonzero(rated[ratings.user])
        movie, here, there = ratings.movie[theirs], rest[ratings.user[theirs]], self._rest[theirs]
        common = np.bincount(movie, minlength=total)
        if vectors is None:
            dot = np.bincount(movie, here * there, total)
            size = np.sqrt(np.bincount(movie, here**2, total) * np.bincount(movie, there**2, total))
            support = common.astype(np.float64)
        else:
            dot = (vectors @ vectors[row]).astype(np.float64)
            size = (np.linalg.norm(vectors, axis=1) * np.linalg.norm(vectors[row])).astype(np.float64)
            support = np.minimum(self.dataset.counts, self.dataset.counts[row]).astype(np.float64)
        correlation = np.clip(dot / np.maximum(size, 1e-9), -1, 1)
        return (support * correlation + PRIOR * ALIKE * self.content(row)) / (support + PRIOR), common

    def content(self, row: int) -> NDArray[np.float64]:
        """Return what each movie has in common with one without regard to ratings, from 0 to 1, shape (movies,)."""
        movies = self.dataset.movies
        genres = movies.genres.astype(np.float32)
        sizes = np.sqrt(genres.sum(1) * genres[row].sum())
        alike = PARTS[0] * (genres @ genres[row]) / np.maximum(sizes, 1).astype(np.float64)
        if movies.imdb is not None:
            rows = [other for name in movies.imdb.directors[row] for other in movies.imdb.directed[name]]
            alike[list(set(rows))] += PARTS[1]
        known = (movies.years > 0) & (movies.years[row] > 0)
        near = np.exp(-np.abs(movies.years - movies.years[row]) / YEARS)
        return np.asarray(alike + PARTS[2] * known * near, np.float64)

    def nearest(self, row: int, most: int, vectors: Floats | None = None) -> list[Similar]:
        """Return the movies that are most like one, without itself; of equal ones those with more ratings first."""
        similarity, common = self.of(row, vectors)
        similarity[row] = -np.inf
        movies = self.dataset.movies
        best = np.lexsort((-self.dataset.counts, -similarity))[: min(most, len(movies) - 1)].tolist()
        return [
            Similar(other, float(similarity[other]), int(common[other]), shared(movies, row, [other])) for other in best
        ]
