"""Similar movies, which the same people like and which are of the same kind."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Floats, Ints
from movietui.models.metrics import RELEVANT
from movietui.models.serving.kinship import Shared, content_similarity, shared

DAMPING = 10.0
"""The weight, in ratings, with which the means of movies and users are shrunk and movies with few ratings
discounted."""
RATERS = 500
"""The most raters of a movie whose other ratings are read. They are evenly spread, and counts are extrapolated."""
PRIOR_USERS = 60.0
"""The number of common users that weigh as much as the content of the movies."""
PRIOR_CORRELATION = 0.3
"""The correlation that is assumed before any ratings between two movies with the same content."""
WELL_KNOWN = 1000
"""How close two movies are is compared with this many movies, the most rated ones, so that it means the same in a
dataset with many more movies, most of which hardly anybody knows."""
YEARS_APART = 1000
"""No two movies are so many years apart; it stands for an unknown number."""


@dataclass(frozen=True)
class Similar:
    """A movie similar to another."""

    movie: int
    """The row of the similar movie."""
    similarity: float
    """From -0.5 to 1."""
    common: int
    """How many users rated both movies."""
    shared: Shared


@dataclass(frozen=True, eq=False)
class Raters:
    """People who rated a movie, at most ``RATERS``, and all that they rated."""

    user: Ints
    """The row of each of the people."""
    stars: Floats
    """How many stars each of them gave the movie."""
    here: Floats
    """The residual of these stars, like ``residual``."""
    person: NDArray[np.intp]
    """For each rating by one of them, the index of the person. ``movie``, ``given`` and ``residual`` have the same
    shape, (ratings,)."""
    movie: Ints
    given: Floats
    residual: Floats
    """Each rating minus the damped means of movie and user."""


@dataclass(frozen=True, eq=False)
class Relations:
    """How one movie is related to each movie of the dataset, shape (movies,) each."""

    similarity: NDArray[np.float64]
    common: NDArray[np.int64]
    """How many users rated both."""
    correlation: NDArray[np.float64]
    """How much alike the same people rated both, shrunk towards 0."""
    fans: NDArray[np.float64]
    """How much more often the same people like both than by chance, from 0 to 1."""
    raters: Raters


class Similarities:
    """Computes how similar movies are, as the mean of two parts: liked by the same people, and of the same kind.

    *Liked by the same people.* Ratings are taken relative to the damped means of movie and user. Their correlation over
    the ``n`` common users (Sarwar et al., Item-based collaborative filtering, 2001) is shrunk towards the similarity of
    content,

        (n correlation + PRIOR_USERS * PRIOR_CORRELATION * content) / (n + PRIOR_USERS),

    so that a movie with few ratings, or none, has neighbours of its kind. ``PRIOR_USERS`` and ``PRIOR_CORRELATION``
    were chosen on ml-100k: the ten nearest movies were computed from one half of the users, and judged by the mean
    product of the other half's residuals.

    *Of the same kind.* The mean of two similarities: that of content, and that of the audiences, which is the
    correlation between who rated one movie and who rated the other (phi coefficient). Unlike the overlap of the
    audiences, it is not higher for movies that everybody has seen. For a movie with ``m`` ratings, the mean is
    multiplied by ``m / (m + DAMPING)``: of two equally similar movies, the better-known one is the more useful
    neighbour.

    Both parts are needed: movies that the same people happened to rate alike may have nothing in common, and movies of
    the same genre and year may please different people.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    @cached_property
    def _residuals(self) -> Floats:
        """Each rating minus the means of movie and user."""
        ratings = self.dataset.sample.ratings
        residuals = ratings.stars - (ratings.stars.mean() if len(ratings) else np.float32(0))
        for rows, total in ((ratings.movie, len(self.dataset.movies)), (ratings.user, len(self.dataset.users))):
            means = np.bincount(rows, residuals, total) / (np.bincount(rows, minlength=total) + DAMPING)
            residuals = residuals - means.astype(np.float32)[rows]
        return np.asarray(residuals, np.float32)

    @cached_property
    def _likes(self) -> NDArray[np.float64]:
        """How many people like each movie, shape (movies,), extrapolated from a sample."""
        ratings = self.dataset.sample.ratings
        liked = np.bincount(ratings.movie, ratings.stars >= RELEVANT, len(self.dataset.movies))
        return np.asarray(liked * (len(self.dataset.ratings) / max(1, len(ratings))), np.float64)

    @cached_property
    def _active_users(self) -> int:
        return int(np.count_nonzero(self.dataset.ratings.by_user(len(self.dataset.users))))

    @cached_property
    def _well_known(self) -> NDArray[np.intp]:
        """The rows of the ``WELL_KNOWN`` movies with the most ratings."""
        counts = self.dataset.counts
        order = np.argsort(-counts, kind="stable")[:WELL_KNOWN]
        return order[counts[order] > 0]

    def _raters(self, row: int) -> tuple[Raters, float]:
        """Return people who rated a movie, evenly spread, and how many people each of them stands for."""
        sample = self.dataset.sample
        ratings = sample.ratings
        rows = np.flatnonzero(ratings.movie == row)
        share = max(1.0, len(rows) / RATERS) * len(self.dataset.ratings) / max(1, len(ratings))
        here = rows[np.linspace(0, len(rows) - 1, min(len(rows), RATERS)).astype(np.intp)]
        theirs = [sample.rows_of(user) for user in ratings.user[here].tolist()]
        there = np.concatenate(theirs) if theirs else np.empty(0, np.intp)
        person = np.repeat(np.arange(len(here)), [len(each) for each in theirs])
        raters = Raters(
            ratings.user[here],
            ratings.stars[here],
            self._residuals[here],
            person,
            ratings.movie[there],
            ratings.stars[there],
            self._residuals[there],
        )
        return raters, share

    def of(self, row: int, vectors: Floats | None = None) -> Relations:
        """Return how a movie is related to each movie.

        With a model's movie ``vectors``, their cosine replaces the correlation, and the smaller of the two movies'
        numbers of ratings replaces ``n``.
        """
        counts = self.dataset.counts
        raters, share = self._raters(row)
        movie, residuals_here, residuals_there = raters.movie, raters.here[raters.person], raters.residual
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
        correlation = np.clip(dot / np.maximum(norm, 1e-9), -1, 1) * support / (support + PRIOR_USERS)
        content = content_similarity(self.dataset.movies, row)
        liked_alike = correlation + PRIOR_USERS * PRIOR_CORRELATION * content / (support + PRIOR_USERS)
        both = (raters.stars >= RELEVANT)[raters.person] & (raters.given >= RELEVANT)
        liked = np.bincount(movie[both], minlength=len(counts)) * share
        audience, fans = self._together(common, counts, row), self._together(liked, self._likes, row)
        of_a_kind = (content + audience) / 2 * counts / (counts + DAMPING)
        similarity = (liked_alike + of_a_kind) / 2
        return Relations(similarity, np.rint(common).astype(np.int64), correlation, fans, raters)

    def _together(
        self, common: NDArray[np.floating[Any]], people: NDArray[np.float64] | Ints, row: int
    ) -> NDArray[np.float64]:
        """Return the phi coefficient of who is for one movie and who is for each movie, at least 0, shape (movies,).

        ``common``: how many people are for both. ``people``: how many are for each movie.
        """
        users = max(self._active_users, 1)
        share = people / users
        expected = share * share[row]
        spread = np.sqrt(np.maximum(expected * (1 - share) * (1 - share[row]), 1e-12))
        return np.asarray(np.clip((common / users - expected) / spread, 0, 1), np.float64)

    def closer_shares(self, row: int, relations: Relations, others: Ints) -> NDArray[np.float64]:
        """Return the share of well-known movies that are at least as close to a movie as each of the others is: by
        correlation, by who likes both, and by year of release; shape (3, others). It is 1 if a year is unknown. Without
        stars, there is no correlation, and who likes both counts twice."""
        years = self.dataset.movies.years
        apart = np.where((years > 0) & (years[row] > 0), np.abs(years - years[row]), YEARS_APART)
        known = self._well_known[self._well_known != row]
        closer = [
            len(known) - np.searchsorted(np.sort(each[known]), each[others])
            for each in (relations.fans if self.dataset.implicit else relations.correlation, relations.fans, -apart)
        ]
        return np.asarray(np.maximum(closer, 1) / max(len(known), 1), np.float64)

    def nearest(self, row: int, most: int, vectors: Floats | None = None) -> list[Similar]:
        """Return the other movies most similar to one movie. Ties are ordered by the number of ratings."""
        relations = self.of(row, vectors)
        similarity, common = relations.similarity.copy(), relations.common
        similarity[row] = -np.inf
        movies = self.dataset.movies
        best = np.lexsort((-self.dataset.counts, -similarity))[: min(most, len(movies) - 1)].tolist()
        return [
            Similar(other, float(similarity[other]), int(common[other]), shared(movies, row, [other])) for other in best
        ]
