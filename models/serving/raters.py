"""The people who rated a movie, and how their ratings of other movies agree with a viewer's."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Bools, Dataset, Floats, Ints
from movietui.models.base import History
from movietui.models.metrics import RELEVANT

DAMPING = 10.0
"""The weight, in ratings, that shrinks a movie's and a user's mean, and that discounts what few ratings say."""
RATERS = 500
"""The maximum number of raters of a movie whose other ratings are read, evenly spread."""
AGREEING = 30
"""How many raters of a movie count as those who agree most with a viewer, at most."""
FEWEST_AGREEING = 10
"""Fewer raters who agree with a viewer than this say nothing."""
FEWEST_COMMON = 3
"""Somebody agrees with a viewer if they have rated at least this many of the same movies."""


@dataclass(frozen=True)
class Likers:
    """Some of the people who rated a movie, and how many of them liked it."""

    people: int
    liked: int
    """How many of them gave the movie at least ``RELEVANT`` stars."""

    @property
    def share(self) -> float:
        """The share of the people who liked the movie."""
        return self.liked / self.people


@dataclass(frozen=True)
class Agreeing:
    """The people who rated a movie and whose ratings of other movies agree most with a viewer's."""

    likers: Likers
    movies: Ints
    """Movies that both they and the viewer rate above the average, as indices into the history."""


@dataclass(frozen=True, eq=False)
class LikeMinded:
    """The raters of a movie who gave each movie of a history at least as many stars as the viewer, or at most as many
    if the viewer dislikes it."""

    people: NDArray[np.intp]
    """Their number, shape (rated,)."""
    liked: NDArray[np.intp]
    """How many of them gave the first movie at least ``RELEVANT`` stars, shape (rated,)."""
    lift: NDArray[np.float64]
    """By how many stars they like the first movie more than usual, or less if the viewer dislikes the other one: the
    mean of their stars relative to the damped means of movie and person, damped, too; shape (rated,)."""

    def of(self, index: int) -> Likers | None:
        """Return the people for one movie of the history; ``None`` if there are none."""
        people = int(self.people[index])
        return Likers(people, int(self.liked[index])) if people else None


@dataclass(frozen=True, eq=False)
class Raters:
    """People who rated a movie, and all their ratings."""

    here: NDArray[np.intp]
    """The rows of their ratings of the movie in ``Dataset.sample``, shape (people,)."""
    person: NDArray[np.intp]
    """Who gave each of their ratings, an index into ``here``, shape (ratings,)."""
    there: NDArray[np.intp]
    """The rows of their ratings in ``Dataset.sample``, shape (ratings,)."""
    total: int
    """How many people in the sample rated the movie, including those beyond ``RATERS``."""


class Audiences:
    """Reads who rated the movies of a dataset."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self._newest: tuple[int, Raters] | None = None

    @cached_property
    def _movie_means(self) -> Floats:
        """The damped mean stars of each movie, shape (movies,)."""
        ratings, movies = self.dataset.sample.ratings, len(self.dataset.movies)
        overall = ratings.stars.mean() if len(ratings) else np.float32(0)
        sums = np.bincount(ratings.movie, ratings.stars - overall, movies)
        return np.asarray(overall + sums / (np.bincount(ratings.movie, minlength=movies) + DAMPING), np.float32)

    @cached_property
    def residuals(self) -> Floats:
        """Each rating of ``Dataset.sample`` minus the damped means of movie and user, shape (ratings,)."""
        ratings, users = self.dataset.sample.ratings, len(self.dataset.users)
        residuals = ratings.stars - self._movie_means[ratings.movie]
        means = np.bincount(ratings.user, residuals, users) / (np.bincount(ratings.user, minlength=users) + DAMPING)
        return np.asarray(residuals - means.astype(np.float32)[ratings.user], np.float32)

    def raters_of(self, row: int) -> Raters:
        """Return the people who rated a movie, at most ``RATERS``. The newest result is cached."""
        if self._newest is None or self._newest[0] != row:
            sample = self.dataset.sample
            rows = np.flatnonzero(sample.ratings.movie == row)
            here = rows[np.linspace(0, len(rows) - 1, min(len(rows), RATERS)).astype(np.intp)]
            theirs = [sample.rows_of(user) for user in sample.ratings.user[here].tolist()]
            there = np.concatenate(theirs) if theirs else np.empty(0, np.intp)
            person = np.repeat(np.arange(len(here)), [len(each) for each in theirs])
            self._newest = row, Raters(here, person, there, len(rows))
        return self._newest[1]

    def compared(self, row: int, history: History) -> "Compared":
        """Compare the raters of a movie with a viewer, who is not counted among them."""
        ratings, raters = self.dataset.sample.ratings, self.raters_of(row)
        column_of = np.full(len(self.dataset.movies), -1)
        column_of[history.movies] = np.arange(len(history))
        column_of[row] = -1
        common = column_of[ratings.movie[raters.there]] >= 0
        if history.user is not None:
            common &= ratings.user[raters.there] != history.user
        there = raters.there[common]
        above = history.stars - self._movie_means[history.movies]
        above = above - above.sum() / np.float32(len(history) + DAMPING)
        return Compared(
            stars=ratings.stars[raters.here],
            above=self.residuals[raters.here],
            person=raters.person[common],
            column=column_of[ratings.movie[there]],
            given=ratings.stars[there],
            given_above=self.residuals[there],
            viewer_above=above,
        )


@dataclass(frozen=True, eq=False)
class Compared:
    """How the raters of a movie rated the movies that a viewer rated.

    Stars ``above`` are relative to the damped means of movie and person.
    """

    stars: Floats
    """Each person's stars for the movie, shape (people,)."""
    above: Floats
    """Likewise, ``above``."""
    person: NDArray[np.intp]
    """Who gave each of their ratings of the viewer's movies, an index into ``stars``, shape (ratings,)."""
    column: NDArray[np.intp]
    """The movie of each of these ratings, an index into the history."""
    given: Floats
    """The stars of each of these ratings."""
    given_above: Floats
    viewer_above: Floats
    """The viewer's stars for each movie of the history, shape (rated,)."""

    def like_minded(self, stars: Floats, disliked: Bools) -> "LikeMinded":
        """Return the people who like or dislike each movie of the history as much as the viewer.

        ``stars``: the viewer's; ``disliked``: whether the viewer dislikes the movie, shape (rated,).
        """
        side = np.where(disliked, -1, 1)
        chosen = (self.given - stars[self.column]) * side[self.column] >= 0
        column, person = self.column[chosen], self.person[chosen]
        people = np.bincount(column, minlength=len(stars))
        liked = np.bincount(column[self.stars[person] >= RELEVANT], minlength=len(stars))
        above = np.bincount(column, self.above[person], len(stars))
        return LikeMinded(people, liked, side * above / (people + DAMPING))

    def agreeing(self, closeness: NDArray[np.float64], most: int) -> Agreeing | None:
        """Return the ``AGREEING`` people whose ratings agree most with the viewer's.

        At most ``most`` movies are named as those on which they agree, those of most agreement times ``closeness``
        first, shape (rated,); where it is 0, a movie is not named.

        Agreement is the correlation over the movies that both rated, of the stars relative to the damped means of movie
        and person, times ``n / (n + DAMPING)``, where ``n`` is the number of these movies; for fewer than
        ``FEWEST_COMMON``, it is 0. Return ``None`` if it is positive for fewer than ``FEWEST_AGREEING`` people.
        """
        people, mine = len(self.stars), self.viewer_above[self.column]
        counts = np.bincount(self.person, minlength=people)
        products, squares, my_squares = (
            np.bincount(self.person, values, people)
            for values in (self.given_above * mine, self.given_above**2, mine**2)
        )
        agreement = products / np.maximum(np.sqrt(squares * my_squares), 1e-9) * counts / (counts + DAMPING)
        agreement[counts < FEWEST_COMMON] = 0
        best = np.argsort(-agreement, kind="stable")[:AGREEING]
        best = best[agreement[best] > 0]
        if len(best) < FEWEST_AGREEING:
            return None
        among = np.isin(self.person, best) & (self.given_above > 0)
        by_movie = np.bincount(self.column[among], (self.given_above * mine)[among], len(closeness)) * closeness
        order = np.argsort(-by_movie, kind="stable")[:most]
        likers = Likers(len(best), int(np.count_nonzero(self.stars[best] >= RELEVANT)))
        return Agreeing(likers, order[by_movie[order] > 0].astype(np.int32))
