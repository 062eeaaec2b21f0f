"""Ratings predicted from age, gender, occupation and genre."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Bools, Dataset, Floats, Ints, Ratings
from movietui.data.features import Averages, Inputs, demographic_inputs, year
from movietui.data.language import tr
from movietui.models.base import Expectation, Fitted, History, Model, Parameters, Progress
from movietui.models.caution import cautious
from movietui.models.networks import forward, layers_of
from movietui.models.settings import Settings, setting

HIDDEN = (64, 32, 16)
"""The sizes of the hidden layers of system 000."""
BLOCK = 16_384
"""How many pairs of a user and a movie are processed at once."""


@dataclass(frozen=True)
class DemographicSettings(Settings):
    """Settings of ``Demographic``.

    The defaults were chosen on a held-out tenth (``hold_out``) of the train part of ``random80`` of ml-100k.
    """

    epochs: int = setting(40, 1, 200)
    """The number of passes over the ratings."""
    batch: int = setting(512, 16, 65_536)
    """The number of ratings in a batch."""
    rate: float = setting(0.003, 0.00001, 0.1)
    """The learning rate of Adam (Kingma and Ba 2015)."""
    falling: bool = setting(True, False, True)
    """Whether the learning rate falls gradually to zero."""
    members: int = setting(8, 1, 32)
    """How many networks are trained side by side; their outputs are averaged."""
    squares: float = setting(0.25, 0.0, 100.0)
    """The weight of the squared error relative to the absolute error in the loss. With 0, the network predicts the
    median, which is exactly right more often; with a large weight it predicts the mean, which is seldom far off."""
    mean: bool = setting(True, False, True)
    """Whether the overall mean of the ratings is added to the output, so that the networks need not learn it."""
    averages: bool = setting(False, False, True)
    """Whether the release year, and the average and number of the ratings of user and movie, are inputs too."""
    caution: float = setting(1.0, 0.0, 10.0)
    """How many standard deviations of uncertainty are subtracted from the stars to order a list:
    ``stars − caution · uncertainty``."""
    popularity: float = setting(0.3, 0.0, 5.0)
    """How much of the logarithm of a movie's number of ratings, ``n``, is added to order a list:
    ``popularity · log(1 + n)``."""


@dataclass(frozen=True, eq=False)
class ViewerInputs:
    """A viewer as the networks see them."""

    inputs: Floats
    """The viewer's inputs to the networks, shape (columns,)."""
    offset: float
    """How many stars above the networks' output the viewer rates; 0 for a viewer with demographics, and with
    ``averages``."""
    variance: float
    """The variance of the offset, in stars squared."""


class Demographic(Model[DemographicSettings, ViewerInputs]):
    """Passes age, gender, occupation and genres through dense layers of 64, 32, 16 and 1 units with ReLU between them,
    as in system 000. ML-100K and ML-1M give 43 inputs, without ``averages``.

    A user of the dataset is represented by age, gender and occupation. For a viewer without these facts, such as a
    profile, the inputs are the means of all users' inputs. Such a viewer's ratings determine an offset. Given the ``n``
    ratings minus the networks' output, ``d``, the offset is normal with mean ``sum d / (n + v / s)`` and variance
    ``v / (n + v / s)``, where ``v`` is the variance of a rating and ``s`` that of the users' offsets in train. With
    ``averages``, there is no offset, but the average and the number of any viewer's ratings are inputs.

    The uncertainty combines the disagreement of the members and the variance of the offset. ``fit`` raises ``Problem``
    for a dataset without demographics.
    """

    name = "demographic"
    summary = tr("Age, gender, occupation and genre; ignores personal taste.")
    formula = "m + f(age, gender, occupation, genres)"
    reference = tr("earlier system 000")
    settings_type = DemographicSettings
    needs_torch = True
    on_device = True
    # The author does not name the optimiser or the loss. With the absolute loss, we reproduce the author's figures.
    published = DemographicSettings(epochs=10, batch=64, rate=0.001, falling=False, members=1, squares=0.0, mean=False)

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        # Imported here because it needs torch, and serving does not.
        from movietui.models.training.demographic import fit

        inputs = demographic_inputs(train)
        without_features: Bools = np.asarray(~inputs.users.values.any(1))
        if not without_features.all():
            inputs.users.values[without_features] = inputs.users.values[~without_features].mean(0)
        parameters: Parameters = {"unknown": without_features}
        if self.settings.averages:
            inputs, parameters["average"] = _with_averages(train, inputs)
        middle = (train.scale.low + train.scale.high) / 2
        overall = float(train.ratings.stars.mean(dtype=np.float64)) if len(train.ratings) else middle
        overall = overall if self.settings.mean else 0.0
        parameters |= {"users": inputs.users.values, "movies": inputs.movies.values, "overall": np.asarray(overall)}
        layers, fitted = fit(train, validation, inputs, self.settings, overall, self.seed, progress)
        parameters |= layers
        return parameters | _variances(train, parameters), fitted

    def predict(self, users: Ints, movies: Ints) -> Floats:
        """Return the mean output of the networks. Unknown users have mean inputs, unknown movies the genre
        ``unknown``."""
        return self.scale.clip(_outputs_of_pairs(self.parameters, users, movies).mean(0))

    def fold_in(self, history: History) -> ViewerInputs:
        """Look up the viewer's inputs, and compute the average and number of their ratings or the offset, if needed."""
        row = -1 if history.user is None else history.user
        inputs = self.parameters["users"][row].copy()
        if "average" in self.parameters:
            inputs[-2:] = self._average(history)
            return ViewerInputs(inputs, 0.0, 0.0)
        if not self.parameters["unknown"][row]:
            return ViewerInputs(inputs, 0.0, 0.0)
        noise, spread = (float(value) for value in self.parameters["variances"])
        expected = self._outputs(inputs, self.parameters["movies"][history.movies]).mean(0)
        weight = len(history) + noise / spread
        return ViewerInputs(inputs, float((history.stars - expected).sum(dtype=np.float64) / weight), noise / weight)

    def expect(self, taste: ViewerInputs) -> Expectation:
        """Return the mean of the members' outputs and its uncertainty.

        The score is that of ``cautious``.
        """
        outputs = self._outputs(taste.inputs, self.parameters["movies"][:-1])
        stars = outputs.mean(0) + np.float32(taste.offset)
        variance = outputs.var(0) + np.float32(taste.variance)
        return cautious(self.settings, self.scale, stars, variance, self.counts)

    def _outputs(self, inputs: Floats, movies: Floats) -> Floats:
        """Return each member's output for a viewer and some movies, shape (members, movies)."""
        return _forward(
            self.parameters, np.concatenate([np.broadcast_to(inputs, (len(movies), len(inputs))), movies], 1)
        )

    def _average(self, history: History) -> Floats:
        """Return the average and the number of the viewer's ratings, scaled like the inputs."""
        overall, damping, *scaling = self.parameters["average"]
        total, ratings = history.stars.sum(dtype=np.float64), len(history)
        columns = np.asarray([(total + damping * overall) / (ratings + damping), np.log1p(ratings)])
        mean, deviation = np.reshape(scaling, (2, 2))
        return np.asarray((columns - mean) / deviation, np.float32)


def _with_averages(train: Dataset, inputs: Inputs) -> tuple[Inputs, NDArray[np.float64]]:
    """Add the release year to the inputs of movies, and the average and number of ratings to both sides' inputs.

    These are the last two columns. Also return the constants with which ``_average`` computes a viewer's two columns.
    """
    users, movies = Averages.of_users(train), Averages.of_movies(train)
    of_users, released = users.block("user"), year(train.movies)
    of_movies = inputs.movies.beside(*([released] if released else []), movies.block("movie"))
    scaling = np.concatenate([[users.overall, users.damping], of_users.mean, of_users.deviation])
    return Inputs(inputs.users.beside(of_users), of_movies), scaling


def _variances(train: Dataset, parameters: Parameters) -> Parameters:
    """Return the variances of a rating around the networks' output and of the users' offsets, with weak priors."""
    residuals = train.ratings.stars - _outputs_of_pairs(parameters, train.ratings.user, train.ratings.movie).mean(0)
    user = train.ratings.user
    counts = np.bincount(user)
    means = np.bincount(user, residuals)[counts > 0] / counts[counts > 0]
    noise = (float(residuals @ residuals) + 1.0) / (len(residuals) + 1.0)
    # The mean of n residuals has a variance of v / n even if all users are equally generous.
    sampling_variance = noise / counts[counts > 0]
    spread = max(0.01, (float((means**2 - sampling_variance).sum()) + 0.2) / (len(means) + 1.0))
    return {"variances": np.asarray([noise, spread])}


def _outputs_of_pairs(parameters: Parameters, users: Ints, movies: Ints) -> Floats:
    """Return each member's output for pairs of a user and a movie, shape (members, pairs)."""
    outputs = []
    for start in range(0, max(1, len(users)), BLOCK):
        user, movie = users[start : start + BLOCK], movies[start : start + BLOCK]
        outputs.append(
            _forward(parameters, np.concatenate([parameters["users"][user], parameters["movies"][movie]], 1))
        )
    return np.concatenate(outputs, axis=1)


def _forward(parameters: Parameters, inputs: Floats) -> Floats:
    outputs: NDArray[Any] = forward(layers_of(parameters, "layers"), inputs)[..., 0]
    return (outputs + np.float32(parameters["overall"])).astype(np.float32)
