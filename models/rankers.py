"""What models that are made to rank have in common: what a rating says, and how their scores become stars.

A rating of ``r`` stars says ``r - zero`` for its movie, or just 1, and nothing where it is below ``least``. From what
the viewer's ratings say, a ranker scores every movie: how much somebody with these ratings would say for it, which is
as much about having rated it at all as about the stars. Lists are ordered by this score.

The stars come from ``Bias`` and from how far the viewer's scores are from everybody's. With ``s`` a viewer's scores and
``a`` the mean scores over users, scaled to a length of 1,

    r_i ~ m + b + c_i + slope (s_i - a_i (s . a))

so that neither a popular movie nor a viewer with many ratings gets more stars for that. ``slope`` is learned by least
squares on what ``Bias`` leaves of ratings of some users, whose scores come from a ranker that never saw them.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from data.dataset import Dataset, Floats, Ints, Scale, grouped
from models.bias import Bias, Generosity, expected
from models.model import Expectation, History, Model, Parameters
from models.settings import Settings, setting

FEW = 10
"""Ratings that draw the slope towards 0."""
TINY = 1e-9
"""Scores below say nothing."""
SWEEPS = 12
"""How often the effects of users and movies are updated in turn."""
Rows = NDArray[np.integer[Any]] | slice


@dataclass(frozen=True)
class PreferenceSettings(Settings):
    """Settings that all rankers have."""

    least: float = setting(0.0, 0.0, 5.0)
    """From how many stars on a rating counts at all."""
    ones: bool = setting(False, False, True)
    """Whether each rating that counts says the same, else its stars less ``zero``."""
    zero: float = setting(1.0, 0.0, 5.0)
    """The stars that say nothing; fewer speak against a movie, and against what goes with it."""

    def values(self, stars: Floats) -> Floats:
        """Return what ratings say."""
        said = np.ones_like(stars) if self.ones else stars - np.float32(self.zero)
        return np.asarray(np.where(stars >= self.least, said, 0), np.float32)


@dataclass(frozen=True, eq=False)
class Liking:
    """A viewer's scores before their own ratings of the movies are looked at, and how generous they are."""

    generosity: Generosity
    history: History
    score: Floats
    """Shape (movies,)."""
    along: float
    """``s . a``."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Ratings of some users and how a ranker that never saw these users scores the movies from their other ratings."""

    rest: Floats
    """What ``Bias`` leaves of each, in stars, shape (ratings,)."""
    apart: Floats
    """How far each score is from everybody's, shape (ratings,)."""
    moved: Floats
    """By how much half of the user's ratings would move that, shape (ratings,)."""
    ratings: float
    """How many a user has, on average."""


P = TypeVar("P", bound=PreferenceSettings)


class Preferring(Model[P, Liking]):
    """A model that scores movies by what the viewer's ratings say; see the module.

    A movie that the viewer rated would be scored as if they had not. Lists leave it out; where it is shown, its own
    rating moves its score by ``(r - middle) / width`` of the scale, from -1/2 to 1/2.

    The uncertainty is that of the effects and of the viewer's taste. Taste moves what is expected of a viewer of the
    sample, who has ``n`` ratings, by ``t`` stars squared on average, and the second half of the ratings moves it by
    ``h``: so ``t`` is the variance without ratings, ``h`` that with ``n / 2``, and with ``k`` it is ``t / (1 + g k)``
    with ``g = (t / h - 1) / (n / 2)``.
    """

    def restore(self, parameters: Parameters, scale: Scale) -> None:
        """Become the fitted model that these parameters were taken from."""
        super().restore(parameters, scale)
        self._bias = Bias()
        self._bias.restore(parameters, scale)

    def predict(self, users: Ints, movies: Ints) -> Floats:
        """Return the expected stars: each user is folded in from the ratings of train, so a stranger has no taste."""
        stars = expected(self.parameters, users, movies)
        order = np.argsort(users, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(users[order])) + 1):
            if len(rows) and users[rows[0]] >= 0:
                score, along = self._score(self._stored(int(users[rows[0]])), movies[rows])
                stars[rows] += float(self.parameters["slope"]) * self._apart(score, along, movies[rows])
        return self.scale.clip(stars)

    def fold_in(self, history: History) -> Liking:
        """Score every movie, and compute the viewer's effect in closed form."""
        return Liking(self._bias.fold_in(history), history, *self._score(history, slice(-1)))

    def expect(self, taste: Liking) -> Expectation:
        """Return the stars, the uncertainty and the ranker's own scores."""
        found = self.parameters
        apart = self._apart(taste.score, taste.along, slice(-1))
        stars = float(found["overall"]) + taste.generosity.mean + found["movie"][:-1] + float(found["slope"]) * apart
        start, gain = found["taste"]
        variance = found["movie_variance"] + taste.generosity.variance + start / (1 + len(taste.history) * gain)
        score = taste.score.copy()
        score[taste.history.movies] += self._own(taste.history.stars)
        return Expectation(self.scale.clip(stars.astype(np.float32)), np.sqrt(variance).astype(np.float32), score)

    def explain_list(self, history: History, movies: Ints) -> Floats:
        """Return each rating's share of the ranker's score, and of its movie's own."""
        shares = self._shares(history, movies)
        row, column = np.nonzero(movies[:, None] == history.movies)
        shares[row, column] += self._own(history.stars[column])
        return shares

    @abstractmethod
    def _score(self, history: History, movies: Rows) -> tuple[Floats, float]:
        """The scores of some movies, 0 for one of -1 and without any ratings, and ``s . a`` over all movies."""

    @abstractmethod
    def _shares(self, history: History, movies: Ints) -> Floats:
        """By how much the scores of some movies would fall without each rating, shape (movies, ratings)."""

    def _own(self, stars: Floats) -> Floats:
        middle, width = (self.scale.low + self.scale.high) / 2, self.scale.high - self.scale.low
        return np.asarray((stars - middle) / width, np.float32)

    def _apart(self, score: Floats, along: float, movies: Rows) -> Floats:
        """How far a viewer's scores of some movies are from everybody's."""
        return np.asarray(score - np.float32(along) * self.parameters["usual"][movies], np.float32)

    def _stored(self, user: int) -> History:
        """What a user of the dataset had rated in train."""
        starts = self.parameters["starts"]
        own = slice(starts[user], starts[user + 1])
        return History(self.parameters["rated"][own], self.parameters["stars"][own], user)


def calibrate(sample: Sample) -> tuple[Parameters, float]:
    """Return the slope and what the uncertainty of taste is made of, and the mean squared error over the sample."""
    if not len(sample.rest):
        return {"slope": np.asarray(0.0), "taste": np.zeros(2)}, 0.0
    apart, rest = sample.apart.astype(np.float64), sample.rest.astype(np.float64)
    # As if a few more ratings had said that taste does not matter.
    weight = float(apart @ apart) * (1 + FEW / len(rest))
    slope = max(0.0, float(apart @ rest) / weight) if weight > TINY else 0.0
    start, half = (slope**2 * float(np.square(values, dtype=np.float64).mean()) for values in (apart, sample.moved))
    gain = max(0.0, (start / half - 1) * 2 / sample.ratings) if half else 0.0
    loss = float(np.square(rest - slope * apart).mean())
    return {"slope": np.asarray(slope), "taste": np.asarray([start, gain])}, loss


def sampled(users: int, most: int) -> NDArray[np.intp]:
    """Return at most so many of all users, evenly spread, and never more than a tenth of them."""
    wanted = min(most, -(-users // 10))
    return np.unique(np.linspace(0, users - 1, wanted).astype(np.intp)) if users else np.empty(0, np.intp)


def lists_of(train: Dataset) -> Parameters:
    """Return what every user rated, one user's ratings after the other's."""
    order, starts = grouped(train.ratings.user, len(train.users))
    return {"starts": starts, "rated": train.ratings.movie[order], "stars": train.ratings.stars[order]}


def usual(mean: NDArray[Any]) -> Floats:
    """Return the mean scores of all movies scaled to a length of 1, with 0 for an unknown movie at the end."""
    length = float(np.sqrt(np.square(mean, dtype=np.float64).sum()))
    return np.append(mean / max(length, TINY), 0).astype(np.float32)
