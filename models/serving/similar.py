"""More like this: movies liked by the same people, with what they have in common."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Floats
from movietui.models.serving.kinship import Shared, content_similarity, shared

DAMPING = 10.0
"""The weight, in ratings, that shrinks a movie's and a user's mean, and that discounts a movie with few ratings."""
RATERS = 500
"""The most users of a movie whose other ratings are read, evenly spread; figures over all are extrapolated."""
PRIOR_USERS = 60.0
"""The number of common users that weighs as much as the content of the movies."""
PRIOR_CORRELATION = 0.3
"""The prior correlation of two movies with the same genres, director and time, before any rating."""


@dataclass(frozen=True)
class Similar:
    """A movie similar to another."""

    movie: int
    """Its row."""
    similarity: float
    """From -1 to 1."""
    common: int
    """How many users rated both."""
    shared: Shared


class Similarities:
    """Computes how similar movies are: the mean of whether the same people like both, and whether they are of a kind.

    *Liked by the same people.* Ratings are taken relative to the damped means of movie and user. The correlation of
    these over the ``n`` common users (Sarwar et al., Item-based collaborative filtering, 2001) is shrunk towards the
    similarity of content,

        (n correlation + PRIOR_USERS * PRIOR_CORRELATION * content) / (n + PRIOR_USERS),

    so that a movie with few ratings, or none, has neighbours of its kind. ``PRIOR_USERS`` and ``PRIOR_CORRELATION``
    were chosen on ml-100k by the ten nearest movies from one half of the users, judged by the mean product of the other
    half's residuals.

    *Of a kind.* The mean of the similarity of content and of the audiences: the correlation of who rated the two movies
    (phi coefficient), which, unlike their overlap, is no higher for movies that everybody has seen. A movie with ``m``
    ratings counts ``m / (m + DAMPING)`` of it: of two that are alike in kind, the better known one is the more useful
    neighbour.

    Either alone misleads: movies that the same people happened to rate alike may have nothing in common, and movies of
    one genre and year may please different people.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    @cached_property
    def _residuals(self) -> Floats:
        """Each rating minus the means of movie and user."""
        ratings = self.dataset.ratings
        residuals = ratings.stars - (ratings.stars.mean() if len(ratings) else np.float32(0))
        for rows, total in ((ratings.movie, len(self.dataset.movies)), (ratings.user, len(self.dataset.users))):
            means = np.bincount(rows, residuals, total) / (np.bincount(rows, minlength=total) + DAMPING)
            residuals = residuals - means.astype(np.float32)[rows]
        return np.asarray(residuals, np.float32)

    @cached_property
    def _active_users(self) -> int:
        return len(np.unique(self.dataset.ratings.user))

    def of(self, row: int, vectors: Floats | None = None) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return each movie's similarity to one, and how many users rated both; shape (movies,) each.

        With a model's movie ``vectors``, their cosine replaces the correlation; the ``n`` that weighs it is then the
        smaller number of ratings of the two movies.
        """
        ratings, counts = self.dataset.ratings, self.dataset.counts
        rows = np.flatnonzero(ratings.movie == row)
        share = max(1.0, len(rows) / RATERS)
        raters = rows[np.linspace(0, len(rows) - 1, min(len(rows), RATERS)).astype(np.intp)]
        theirs = [self.dataset.rows_of(user) for user in ratings.user[raters].tolist()]
        there = np.concatenate(theirs) if theirs else np.empty(0, np.intp)
        here = np.repeat(raters, [len(each) for each in theirs])
        movie, residuals_here, residuals_there = ratings.movie[there], self._residuals[here], self._residuals[there]
        common = np.minimum(np.bincount(movie, minlength=len(counts)) * share, np.minimum(counts, counts[row]))
        if vectors is None:
            dot, here_squared, there_squared = (
                np.bincount(movie, values, len(counts))
                for values in (residuals_here * residuals_there, residuals_here**2, residuals_there**2)
            )
            norm, support = np.sqrt(here_squared * there_squared), common
        else:
            dot = (vectors @ vectors[row]).astype(np.float64)
            norm = (np.linalg.norm(vectors, axis=1) * np.linalg.norm(vectors[row])).astype(np.float64)
            support = np.minimum(counts, counts[row]).astype(np.float64)
        correlation = np.clip(dot / np.maximum(norm, 1e-9), -1, 1)
        content = content_similarity(self.dataset.movies, row)
        liked_alike = (support * correlation + PRIOR_USERS * PRIOR_CORRELATION * content) / (support + PRIOR_USERS)
        rated = counts / max(self._active_users, 1)
        expected = rated * rated[row]
        spread = np.sqrt(np.maximum(expected * (1 - rated) * (1 - rated[row]), 1e-12))
        audience = np.clip((common / max(self._active_users, 1) - expected) / spread, 0, 1)
        of_a_kind = (content + audience) / 2 * counts / (counts + DAMPING)
        return (liked_alike + of_a_kind) / 2, np.rint(common).astype(np.int64)

    def nearest(self, row: int, most: int, vectors: Floats | None = None) -> list[Similar]:
        """Return the movies most similar to one, excluding it; ties are ordered by the number of ratings."""
        similarity, common = self.of(row, vectors)
        similarity[row] = -np.inf
        movies = self.dataset.movies
        best = np.lexsort((-self.dataset.counts, -similarity))[: min(most, len(movies) - 1)].tolist()
        return [
            Similar(other, float(similarity[other]), int(common[other]), shared(movies, row, [other])) for other in best
        ]
