"""The base of models for lists: the value of a rating, and how scores become stars.

A rating of ``r`` stars has the value ``r - zero``, or just 1, and 0 below ``least``. From a viewer's values, a ranker
predicts the value of every movie, which is the movie's score. The score depends as much on whether the viewer would
rate the movie at all as on the stars they would give. Lists in the order ``likely`` are sorted by this score.

Stars come from ``Bias`` and from how far the viewer's scores are from the average scores. With a viewer's scores ``s``,
and the mean scores over users scaled to a length of 1, ``a``,

    r_i ~ m + b + c_i + slope (s_i - a_i (s . a))

so that neither a popular movie nor a viewer with many ratings gets more stars for that alone. ``slope`` is fitted by
least squares to the residuals of ``Bias`` for some users, whose scores come from a ranker that never saw them.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Floats, Ints, Scale, grouped
from movietui.data.samples import evenly_spread
from movietui.models.base import Expectation, History, Model, Parameters
from movietui.models.bias import Bias, Generosity, expected
from movietui.models.settings import Settings, setting

PRIOR_RATINGS = 10
"""The weight, in ratings, that shrinks the slope towards 0."""
TINY = 1e-9
"""Smaller lengths and sums of squares count as 0."""
SWEEPS = 12
"""How many times the effects of users and movies are updated in turn."""
RATINGS_BY_USER = frozenset(("starts", "rated", "stars"))
"""The parameters of ``ratings_by_user``."""
Rows = NDArray[np.integer[Any]] | slice


@dataclass(frozen=True)
class PreferenceSettings(Settings):
    """Settings of the rankers that read the values of ratings."""

    least: float = setting(0.0, 0.0, 5.0)
    """Ratings with fewer stars than this are ignored."""
    ones: bool = setting(False, False, True)
    """Whether every rating that counts has the value 1, rather than its stars minus ``zero``."""
    zero: float = setting(1.0, 0.0, 5.0)
    """The stars that have a value of 0; fewer stars count against the movie and against similar ones."""

    def values(self, stars: Floats) -> Floats:
        """Return the values of ratings."""
        values = np.ones_like(stars) if self.ones else stars - np.float32(self.zero)
        return np.asarray(np.where(stars >= self.least, values, 0), np.float32)


@dataclass(frozen=True, eq=False)
class Scores:
    """A viewer's generosity and scores, before ``RankingModel.expect`` adds to the scores of rated movies."""

    generosity: Generosity
    history: History
    score: Floats
    """Shape (movies,)."""
    projection: float
    """``s . a``."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Some users' ratings, and the scores of the rated movies.

    Each score is computed from the user's other ratings, by a ranker that never saw the users.
    """

    residuals: Floats
    """The residual of each rating after ``Bias``, in stars, shape (ratings,)."""
    personal: Floats
    """How far each score is from the average score, its personal part, shape (ratings,)."""
    half_change: Floats
    """How much the personal part changes if half of the user's ratings are left out, shape (ratings,)."""
    ratings: float
    """The mean number of ratings per user."""


P = TypeVar("P", bound=Settings)


class RankingModel(Model[P, Scores]):
    """A model that scores movies by the values of the viewer's ratings; see the docstring of the module.

    Lists leave out the movies that the viewer rated. If such a movie is shown elsewhere, its own rating adds
    ``(r - middle) / width`` to its score, with the middle and the width of the scale: from -1/2 to 1/2.

    The uncertainty combines that of the effects and that of the viewer's taste. For users of the sample, who have ``n``
    ratings on average, the mean square of the personal part of the stars is ``t``, and the mean square of its change
    when half of the ratings are left out is ``h``. The variance of taste is thus ``t`` without ratings and ``h`` with
    ``n / 2`` ratings; with ``k`` ratings, it is ``t / (1 + g k)``, where ``g = (t / h - 1) / (n / 2)``.
    """

    needs_stars = False

    def restore(self, parameters: Parameters, scale: Scale) -> None:
        """Load the parameters of a fitted model."""
        super().restore(parameters, scale)
        self._bias = Bias()
        self._bias.restore(parameters, scale)

    def only_for_predict(self) -> frozenset[str]:
        """Return the names of the users' ratings."""
        return RATINGS_BY_USER

    def predict(self, users: Ints, movies: Ints) -> Floats:
        """Return the predicted stars, for users folded in from their ratings in train."""
        stars = expected(self.parameters, users, movies)
        order = np.argsort(users, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(users[order])) + 1):
            if len(rows):
                score, projection = self._score(self._history_of(int(users[rows[0]])), movies[rows])
                stars[rows] += float(self.parameters["slope"]) * self._personal_part(score, projection, movies[rows])
        return self.scale.clip(stars)

    def fold_in(self, history: History) -> Scores:
        """Score every movie, and compute the viewer's effect in closed form."""
        return Scores(self._bias.fold_in(history), history, *self._score(history, slice(-1)))

    def expect(self, taste: Scores) -> Expectation:
        """Return the stars, the uncertainty and the ranker's scores."""
        parameters = self.parameters
        personal = self._personal_part(taste.score, taste.projection, slice(-1))
        stars = (
            float(parameters["overall"])
            + taste.generosity.mean
            + parameters["movie"][:-1]
            + float(parameters["slope"]) * personal
        )
        taste_variance, gain = parameters["taste"]
        variance = (
            parameters["movie_variance"] + taste.generosity.variance + taste_variance / (1 + len(taste.history) * gain)
        )
        return Expectation(
            self.scale.clip(stars.astype(np.float32)), np.sqrt(variance).astype(np.float32), self.score(taste)
        )

    def score(self, taste: Scores) -> Floats:
        """Return the ranker's scores."""
        score = taste.score.copy()
        score[taste.history.movies] += self._score_of_rated(taste.history.stars)
        return score

    def explain_list(self, history: History, movies: Ints) -> Floats:
        """Return each rating's share of the ranker's scores, including what it adds to the score of its own movie."""
        shares = self._shares(history, movies)
        row, column = np.nonzero(movies[:, None] == history.movies)
        shares[row, column] += self._score_of_rated(history.stars[column])
        return shares

    @abstractmethod
    def _score(self, history: History, movies: Rows) -> tuple[Floats, float]:
        """Return the scores of some movies, and ``s . a`` over all movies.

        The score is 0 for a row of -1 and for a movie without ratings.
        """

    @abstractmethod
    def _shares(self, history: History, movies: Ints) -> Floats:
        """Return how much the scores of some movies would drop without each rating, shape (movies, ratings)."""

    def _score_of_rated(self, stars: Floats) -> Floats:
        middle, width = (self.scale.low + self.scale.high) / 2, self.scale.high - self.scale.low
        return np.asarray((stars - middle) / width, np.float32)

    def _personal_part(self, score: Floats, projection: float, movies: Rows) -> Floats:
        """Return how far a viewer's scores of some movies are from the average scores."""
        return np.asarray(score - np.float32(projection) * self.parameters["usual"][movies], np.float32)

    def _history_of(self, user: int) -> History:
        """Return a user's ratings in the train part; none for the row -1, an unknown user."""
        starts = self.of_train("starts")
        rows = slice(starts[user], starts[user + 1])  # empty for -1: from the end of all ratings to their start
        return History(self.of_train("rated")[rows], self.of_train("stars")[rows], user if user >= 0 else None)


def calibrate(sample: Sample) -> tuple[Parameters, float]:
    """Return the slope and the terms ``t`` and ``g`` of the uncertainty, and the mean squared error over the sample."""
    if not len(sample.residuals):
        return {"slope": np.asarray(0.0), "taste": np.zeros(2)}, 0.0
    personal, residuals = sample.personal.astype(np.float64), sample.residuals.astype(np.float64)
    # As if a few more ratings had shown no taste.
    weight = float(personal @ personal) * (1 + PRIOR_RATINGS / len(residuals))
    slope = max(0.0, float(personal @ residuals) / weight) if weight > TINY else 0.0
    variance, variance_of_half = (
        slope**2 * float(np.square(values, dtype=np.float64).mean()) for values in (personal, sample.half_change)
    )
    gain = max(0.0, (variance / variance_of_half - 1) * 2 / sample.ratings) if variance_of_half else 0.0
    loss = float(np.square(residuals - slope * personal).mean())
    return {"slope": np.asarray(slope), "taste": np.asarray([variance, gain])}, loss


def sample_users(users: int, most: int) -> NDArray[np.intp]:
    """Return at most ``most`` users, and at most a tenth of all users (rounded up), evenly spread."""
    return evenly_spread(users, min(most, -(-users // 10)))


def ratings_by_user(train: Dataset) -> Parameters:
    """Return every user's ratings as parameters: movies and stars, one user after the other, and where each user's
    ratings start."""
    order, starts = grouped(train.ratings.user, len(train.users))
    return {"starts": starts, "rated": train.ratings.movie[order], "stars": train.ratings.stars[order]}


def unit_mean_of(mean: NDArray[Any]) -> Floats:
    """Return the mean scores of all movies scaled to a length of 1, with a final 0 for unknown movies."""
    length = float(np.sqrt(np.square(mean, dtype=np.float64).sum()))
    return np.append(mean / max(length, TINY), 0).astype(np.float32)
