"""Who somebody is and what kind of movie it is: ratings by age, gender, occupation and genre."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.dataset import Bools, Dataset, Floats, Ints, Ratings
from data.features import Averages, Inputs, demographic_inputs, year
from models.model import Expectation, Fitted, History, Model, Parameters, Progress
from models.networks import forward, layers_of
from models.settings import Settings, setting

HIDDEN = (64, 32, 16)
"""Of source 000."""
BLOCK = 16_384
"""Pairs that are worked on at once."""


@dataclass(frozen=True)
class DemographicSettings(Settings):
    """Settings of ``Demographic``.

    Chosen on a validation tenth (``hold_out``) of the train part of ``random80`` of ml-100k.
    """

    epochs: int = setting(40, 1, 200)
    """How often the ratings are gone through."""
    batch: int = setting(512, 16, 65_536)
    """Ratings in a batch."""
    rate: float = setting(0.003, 0.00001, 0.1)
    """The learning rate of Adam."""
    falling: bool = setting(True, False, True)
    """Whether the learning rate falls to zero towards the end."""
    members: int = setting(8, 1, 32)
    """How many networks are trained side by side; what they say is averaged."""
    squares: float = setting(0.25, 0.0, 100.0)
    """How much the squared error counts beside the absolute one in what is minimised: 0 aims at the middle rating,
    which is right more often, a lot at the mean, which is never far off."""
    averages: bool = setting(False, False, True)
    """Whether the year of release, and average and number of ratings of user and movie, are inputs too."""
    caution: float = setting(1.0, 0.0, 10.0)
    """How many standard deviations of uncertainty are taken off the stars to order a list."""
    popularity: float = setting(0.3, 0.0, 5.0)
    """How much of the logarithm of a movie's number of ratings is added to order a list."""


@dataclass(frozen=True, eq=False)
class Person:
    """What is known of a viewer."""

    inputs: Floats
    """The user's columns of the inputs, shape (columns,)."""
    offset: float
    """By how much the viewer rates above what the networks say, in stars."""
    variance: float
    """Of the offset, in stars squared."""


class Demographic(Model[DemographicSettings, Person]):
    """Age, gender, occupation and genres through dense layers 43, 64, 32, 16, 1 with ReLU: source 000.

    A user of the dataset is their age, gender and occupation: what they rated changes nothing (with ``averages``: but
    for their average and number of ratings). Of a viewer of whom none of these is known, as a profile, the inputs are
    the mean of all users', and their own ratings only tell how generous they are: with residuals ``d`` of ``n``
    ratings from what the networks say, the offset is normal with mean ``sum d / (n + v / s)`` and variance
    ``v / (n + v / s)``, where ``v`` is the variance of a rating and ``s`` that of the users' offsets in train.

    The uncertainty is how far the members disagree, and that of the offset. Raises ``Problem`` for a dataset without
    demographics.
    """

    name = "demographic"
    summary = "Age, gender, occupation and genre; ignores what was rated."
    settings_type = DemographicSettings
    on_device = True
    # The source gives neither optimiser nor loss; of the losses the absolute one gives what it reports.
    published = DemographicSettings(epochs=10, batch=64, rate=0.001, falling=False, members=1, squares=0.0)

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        # Only here: it imports torch, which serving does without.
        from models.perceptron import fit

        inputs = demographic_inputs(train)
        strangers: Bools = np.asarray(~inputs.users.values.any(1))
        if not strangers.all():
            inputs.users.values[strangers] = inputs.users.values[~strangers].mean(0)
        parameters: Parameters = {"unknown": strangers}
        if self.settings.averages:
            inputs, parameters["average"] = _with_averages(train, inputs)
        middle = (train.scale.low + train.scale.high) / 2
        overall = float(train.ratings.stars.mean(dtype=np.float64)) if len(train.ratings) else middle
        parameters |= {"users": inputs.users.values, "movies": inputs.movies.values, "overall": np.asarray(overall)}
        layers, fitted = fit(train, validation, inputs, self.settings, overall, self.seed, progress)
        parameters |= layers
        return parameters | _spread(train, parameters), fitted

    def predict(self, users: Ints, movies: Ints) -> Floats:
        """Return what the networks say; for users and movies of whom nothing is known, what they say of the mean."""
        return self.scale.clip(_answer(self.parameters, users, movies).mean(0))

    def fold_in(self, history: History) -> Person:
        """Look up who the viewer is, or compute the offset of somebody of whom nothing is known."""
        row = -1 if history.user is None else history.user
        inputs = self.parameters["users"][row].copy()
        if "average" in self.parameters:
            inputs[-2:] = self._average(history)
            return Person(inputs, 0.0, 0.0)
        if not self.parameters["unknown"][row]:
            return Person(inputs, 0.0, 0.0)
        noise, spread = (float(value) for value in self.parameters["variances"])
        expected = self._say(inputs, self.parameters["movies"][history.movies]).mean(0)
        weight = len(history) + noise / spread
        return Person(inputs, float((history.stars - expected).sum(dtype=np.float64) / weight), noise / weight)

    def expect(self, taste: Person) -> Expectation:
        """Return the members' mean and how far they disagree.

        The score takes ``caution`` times the uncertainty off the stars and adds ``popularity`` times the logarithm of
        one more than the movie's ratings.
        """
        said = self._say(taste.inputs, self.parameters["movies"][:-1])
        stars = said.mean(0) + np.float32(taste.offset)
        uncertainty = np.sqrt(said.var(0) + np.float32(taste.variance)).astype(np.float32)
        known = np.log1p(self.counts) * self.settings.popularity
        score = stars - self.settings.caution * uncertainty + known
        return Expectation(self.scale.clip(stars), uncertainty, score.astype(np.float32))

    def _say(self, inputs: Floats, movies: Floats) -> Floats:
        """What each member says of a viewer and some movies, shape (members, movies)."""
        return _run(self.parameters, np.concatenate([np.broadcast_to(inputs, (len(movies), len(inputs))), movies], 1))

    def _average(self, history: History) -> Floats:
        """The viewer's average and number of ratings, scaled as the inputs are."""
        overall, damping, *scaling = self.parameters["average"]
        total, rated = history.stars.sum(dtype=np.float64), len(history)
        raw = np.asarray([(total + damping * overall) / (rated + damping), np.log1p(rated)])
        mean, deviation = np.reshape(scaling, (2, 2))
        return np.asarray((raw - mean) / deviation, np.float32)


def _with_averages(train: Dataset, inputs: Inputs) -> tuple[Inputs, NDArray[np.float64]]:
    """Add year, averages and numbers of ratings to the inputs, the last two columns of each side.

    Returns, with the inputs, what a new viewer's two columns are made with.
    """
    users, movies = Averages.of_users(train), Averages.of_movies(train)
    of_users, released = users.block("user"), year(train.movies)
    of_movies = inputs.movies.beside(*([released] if released else []), movies.block("movie"))
    scaling = np.concatenate([[users.overall, users.damping], of_users.mean, of_users.deviation])
    return Inputs(inputs.users.beside(of_users), of_movies), scaling


def _spread(train: Dataset, parameters: Parameters) -> Parameters:
    """The variance of a rating around what the networks say, and of the users' offsets; a weak prior on both."""
    rest = train.ratings.stars - _answer(parameters, train.ratings.user, train.ratings.movie).mean(0)
    user = train.ratings.user
    counts = np.bincount(user)
    means = np.bincount(user, rest)[counts > 0] / counts[counts > 0]
    noise = (float(rest @ rest) + 1.0) / (len(rest) + 1.0)
    # The mean of n residuals scatters by v / n even where all users are equally generous.
    chance = noise / counts[counts > 0]
    spread = max(0.01, (float((means**2 - chance).sum()) + 0.2) / (len(means) + 1.0))
    return {"variances": np.asarray([noise, spread])}


def _answer(parameters: Parameters, users: Ints, movies: Ints) -> Floats:
    """What each member says of pairs of a user and a movie, shape (members, pairs)."""
    found = []
    for start in range(0, max(1, len(users)), BLOCK):
        user, movie = users[start : start + BLOCK], movies[start : start + BLOCK]
        found.append(_run(parameters, np.concatenate([parameters["users"][user], parameters["movies"][movie]], 1)))
    return np.concatenate(found, axis=1)


def _run(parameters: Parameters, inputs: Floats) -> Floats:
    found: NDArray[Any] = forward(layers_of(parameters, "layers"), inputs)[..., 0]
    return (found + np.float32(parameters["overall"])).astype(np.float32)
