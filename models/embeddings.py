"""The base of models with an embedding for each user and each movie, and a network on top of them.

The models are in ``movietui.models.embedding_products`` and ``movietui.models.embedding_networks``.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Floats, Ints, Ratings
from movietui.data.samples import evenly_spread
from movietui.models.base import Epoch, Expectation, Fitted, History, Model, Parameters, Progress, history_of
from movietui.models.caution import cautious
from movietui.models.metrics import mse
from movietui.models.networks import Plan, forward, forward_with_slope, layers_of
from movietui.models.settings import Settings, setting

Doubles = NDArray[np.float64]

BLOCK = 16_384
"""How many ratings are predicted at once."""
MIN_BATCHES = 50
"""The smallest number of batches in an epoch."""
STEPS = 10
"""The most Newton steps of a fold-in. A model that is linear in the viewer's vector needs only one."""
HALVINGS = 5
"""How many times, at most, a step that does not lower the objective is halved. Since ReLU bends the output, a full step
may be too long."""
TOLERANCE = 0.3
"""A fold-in stops when a step lowers its objective by less than this, in units of the noise. One rating adds more. A
threshold of 0.01 takes twice as many steps and predicts no better (validation mse of deep-mf on ml-100k: 0.8363 with
0.01, 0.8362 with 0.3)."""


@dataclass(frozen=True)
class Shape:
    """What a model computes from the embeddings ``p`` of a user and ``q`` of a movie."""

    user_factors: int
    movie_factors: int
    dot: bool
    """Whether the output includes the term ``p . q``."""
    hidden: tuple[int, ...] = ()
    """The sizes of the dense layers over both embeddings, which form the tower; empty without a tower."""
    dropout: float = 0.0
    normalise: bool = False
    biases: bool = True
    sigmoid: bool = False
    """Whether the output goes through a sigmoid that spans the scale."""

    @property
    def linear(self) -> bool:
        """Whether the output is linear in the user's vector."""
        return not self.hidden and not self.sigmoid


@dataclass(frozen=True)
class EmbeddingSettings(Settings):
    """Settings of all models of this family. Each model changes some defaults."""

    members: int = setting(4, 1, 16)
    """How many models that differ only in their random start are trained side by side; their outputs are averaged
    (Hansen and Salamon 1990)."""
    epochs: int = setting(8, 1, 500)
    """The number of passes over all ratings."""
    batch: int = setting(1024, 1, 65536)
    """The largest batch size; a small dataset has smaller batches, so that there are at least 50 of them."""
    rate: float = setting(0.006, 0.000001, 1.0)
    """The learning rate."""
    adam: bool = setting(True, False, True)
    """Whether to train with Adam (Kingma and Ba 2015) rather than stochastic gradient descent."""
    momentum: float = setting(0.9, 0.0, 0.999)
    """The momentum of stochastic gradient descent (Sutskever et al. 2013); Adam does not use it."""
    falling: bool = setting(True, False, True)
    """Whether the learning rate falls gradually to zero."""
    mean: bool = setting(True, False, True)
    """Whether the overall mean of the ratings is added to the output, so that embeddings need not learn it."""
    folded: bool = setting(True, False, True)
    """Whether users of the dataset are folded in after the fit, like viewers, and predicted by that instead of by their
    trained embeddings."""
    biases: bool = setting(True, False, True)
    """Whether each user and each movie has a bias in addition to the embedding."""
    decay: float = setting(0.1, 0.0, 10.0)
    """The cost of a squared entry of an embedding for each rating that uses it, ``decay (|p_u|² + |q_i|²)``, in stars
    squared."""
    bias_decay: float = setting(0.005, 0.0, 10.0)
    """The cost of a squared bias for each rating that uses it, ``bias_decay (b_u² + c_i²)``, in stars squared."""
    kept_back: float = setting(0.0, 0.0, 0.5)
    """The share of the ratings that is held out from training to choose the best epoch."""
    caution: float = setting(2.0, 0.0, 10.0)
    """How many standard deviations of uncertainty are subtracted from the stars to order a list:
    ``stars − caution · uncertainty``."""
    popularity: float = setting(0.3, 0.0, 5.0)
    """How much of the logarithm of a movie's number of ratings, ``n``, is added to order a list:
    ``popularity · log(1 + n)``."""

    @property
    def plan(self) -> Plan:
        """How the network is trained."""
        return Plan(
            self.epochs,
            self.batch,
            self.rate,
            None if self.adam else self.momentum,
            self.falling,
            min_batches=MIN_BATCHES,
        )


@dataclass(frozen=True, eq=False)
class Posterior:
    """A viewer's posterior in each member: a normal distribution over the embedding and, last, the bias."""

    mean: Doubles
    """Shape (members, factors + 1 + features): after the bias come the viewer's side features, which are certain."""
    covariance: Doubles
    """Shape (members, factors + 1, factors + 1)."""


UNSPECIFIED: dict[str, Any] = {
    "members": 1,
    "batch": 64,
    "rate": 0.001,
    "falling": False,
    "mean": False,
    "folded": False,
    "biases": False,
    "decay": 0.0,
    "bias_decay": 0.0,
}
"""What we assume where the authors of systems 001, 003 and 004 do not say: one network, Adam at its default rate,
batches of 64, no mean, no biases, no decay, and predictions by the trained embeddings."""

E = TypeVar("E", bound=EmbeddingSettings)


class Embedded(Model[E, Posterior]):
    """A family of networks over embeddings.

    With the mean ``m``, biases ``b`` and ``c`` and embeddings ``p`` and ``q``,

        f = m + b_u + c_i + p_u . q_i + tower(p_u, q_i)

    where each model chooses which of the terms after ``m`` it has, and whether the sum goes through a sigmoid that
    spans the scale (``Shape``). Several members that differ only in their random start are trained side by side on the
    same batches, and their outputs are averaged (Hansen and Salamon, Neural network ensembles, 1990).

    A viewer is folded in for each member with the network held fixed: ``x = (p, b)`` minimises

        sum (r - f(x))^2 / v + (x - e)' C^-1 (x - e)

    by Gauss-Newton steps, each halved at most ``HALVINGS`` times until it lowers this sum. A linear model needs a
    single step, which is ridge regression. The mean ``e`` and covariance ``C`` of the users and the noise variance
    ``v`` are learned after the fit by a few steps of expectation-maximisation (``learn_prior``).

    After the last epoch, with the setting ``folded``, the users of the dataset are folded in too, which replaces their
    trained vectors. What is measured is then what is served, and the predictions are better, because the prior says
    more than the decay with which all users are trained. The validation loss of the best epoch is measured after that.
    """

    needs_torch = True
    on_device = True

    @property
    @abstractmethod
    def shape(self) -> Shape:
        """The network that the settings describe."""

    def side_features(self, train: Dataset) -> tuple[Floats, Floats]:
        """Return side features of users and of movies for the tower; by default, without columns.

        Shapes (users + 1, features) and (movies + 1, features). The last row is an unknown user or movie.
        """
        return np.zeros((len(train.users) + 1, 0), np.float32), np.zeros((len(train.movies) + 1, 0), np.float32)

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        # Imported here because it needs torch, and serving does not.
        from movietui.models.training.embeddings import fit

        def report_all_but_last(epoch: Epoch) -> None:
            if epoch.number < epoch.of:
                progress(epoch)

        parameters, fitted = fit(
            train, validation, self.shape, self.settings, self.side_features(train), self.seed, report_all_but_last
        )
        known = np.flatnonzero(np.bincount(train.ratings.user, minlength=len(train.users)))
        known = known[evenly_spread(len(known), PRIOR_USERS)]
        histories = [history_of(train, user) for user in known.tolist()]
        learn_prior(parameters, parameters["user"][:, known], histories, self.shape)
        if self.settings.folded:
            fold_in_users(parameters, train, self.shape)
        curve = list(fitted.curve)
        if validation is not None and fitted.best_epoch is not None:
            used = fitted.best_epoch - 1  # which is not the last one, if ratings that were held out chose another
            output = train.scale.clip(predict(parameters, self.shape, validation.user, validation.movie))
            curve[used] = replace(curve[used], validation_loss=mse(output, validation.stars))
        progress(curve[-1])
        return parameters, Fitted(tuple(curve), fitted.best_epoch)

    def predict(self, users: Ints, movies: Ints) -> Floats:
        """Return the mean of the members' outputs. An unknown user or movie has the mean embedding and bias."""
        return self.scale.clip(predict(self.parameters, self.shape, users, movies))

    def movie_vectors(self) -> Floats:
        """Return the movies' embeddings, with the members' side by side."""
        vectors = self.parameters["movie"][:, :-1, : self.shape.movie_factors]
        return np.concatenate(list(vectors), axis=1)

    def fold_in(self, history: History) -> Posterior:
        """Fit the viewer's vectors with everything else fixed."""
        order = np.argsort(history.movies)  # so that the result has the same bits for any order of the ratings
        user = -1 if history.user is None else history.user
        return fold_in(self.parameters, self.shape, history.movies[order], history.stars[order], user)

    def expect(self, taste: Posterior) -> Expectation:
        """Return the mean output and its uncertainty.

        With the slope ``j`` of a member's output and the viewer's covariance in that member,
        ``S = (C^-1 + sum j j' / v)^-1`` (Laplace's approximation), the variance is the mean of ``j' S j`` over the
        members, plus the variance between the members, plus ``1 / (1 / s + n / v)`` for a movie with ``n`` ratings,
        where ``s`` is the variance of the movies' mean ratings. The score is that of ``cautious``.
        """
        return self._expect(taste, slice(0, -1))

    def explain_list(self, history: History, movies: Ints) -> Floats:
        """Leave out each rating in turn, computing only the requested movies."""
        score = self._expect(self.fold_in(history), movies).score
        shares = np.empty((len(movies), len(history)), np.float32)
        for index in range(len(history)):
            shares[:, index] = score - self._expect(self.fold_in(history.without(index)), movies).score
        return shares

    def _expect(self, taste: Posterior, movies: Ints | slice) -> Expectation:
        movie = self.parameters["movie"][:, movies]
        stars, slope = outputs_and_slopes(self.parameters, self.shape, taste.mean.astype(np.float32)[:, None], movie)
        variance = ((slope @ taste.covariance.astype(np.float32)) * slope).sum(-1).mean(0) + stars.var(0)
        counts = self.counts if isinstance(movies, slice) else self.counts[movies]
        variance += 1 / (1 / self.parameters["movie_spread"] + counts / self.parameters["noise"].mean())
        return cautious(self.settings, self.scale, stars.mean(0), variance, counts)


def predict(parameters: Parameters, shape: Shape, users: Ints, movies: Ints) -> Floats:
    """Return the mean of the members' outputs for pairs of a user and a movie, not clipped."""
    stars = np.empty(len(users), np.float32)
    for start in range(0, len(users), BLOCK):
        block = slice(start, start + BLOCK)
        x, y = parameters["user"][:, users[block]], parameters["movie"][:, movies[block]]
        stars[block] = outputs(parameters, shape, x, y).mean(0)
    return stars


def outputs(parameters: Parameters, shape: Shape, x: Floats, y: Floats, precomputed: Floats | None = None) -> Floats:
    """Return each member's output, shape (members, rows).

    ``x`` and ``y``: vectors of users and of movies, with embedding, bias and side features, shape (members, rows,
    factors + 1 + features). A single row of ``x`` is used for all movies. ``precomputed``: ``movie_part`` of the
    movies, if already computed.
    """
    stars = _effects(parameters, shape, x, y)
    if shape.hidden:
        first = _first_layer(parameters, shape, x, y, precomputed)
        stars = stars + forward(layers_of(parameters, "tower")[1:], first)[..., 0]
    if shape.sigmoid:
        stars = _sigmoid(parameters, stars)[0]
    return np.asarray(stars, np.float32)


def outputs_and_slopes(
    parameters: Parameters, shape: Shape, x: Floats, y: Floats, precomputed: Floats | None = None
) -> tuple[Floats, Floats]:
    """Return ``outputs`` and their derivatives with respect to the user's embedding and bias, shape (members, rows,
    factors + 1)."""
    factors = shape.user_factors
    stars = _effects(parameters, shape, x, y)
    slope = np.zeros((*stars.shape, factors + 1), np.float32)
    slope[..., -1] = shape.biases
    if shape.dot:
        slope[..., :-1] += y[..., :factors]
    if shape.hidden:
        layers = layers_of(parameters, "tower")
        first = _first_layer(parameters, shape, x, y, precomputed)
        tower_output, slope_of_first = forward_with_slope(layers[1:], first)
        stars = stars + tower_output
        slope[..., :-1] += (slope_of_first * (first > 0)) @ np.swapaxes(layers[0][0][..., :factors, :], -1, -2)
    if shape.sigmoid:
        stars, derivative = _sigmoid(parameters, stars)
        slope *= derivative[..., None]
    return np.asarray(stars, np.float32), slope


def _effects(parameters: Parameters, shape: Shape, x: Floats, y: Floats) -> Floats:
    """Return the overall mean plus the biases and, with ``dot``, the product of the embeddings."""
    p, q = shape.user_factors, shape.movie_factors
    stars = x[..., p] + y[..., q] + parameters["overall"]
    return np.asarray(stars + (x[..., :p] * y[..., :q]).sum(-1) if shape.dot else stars)


def movie_part(parameters: Parameters, shape: Shape, y: Floats) -> Floats:
    """Return the movies' contribution to the first layer of the tower, shape (members, rows, size of the layer).

    This is most of the work of an output, and does not depend on the viewer.
    """
    q, (weight, bias) = shape.movie_factors, layers_of(parameters, "tower")[0]
    features = y.shape[-1] - q - 1
    inputs = np.concatenate([y[..., :q], y[..., q + 1 :]], -1)
    start, end = shape.user_factors, weight.shape[-2] - features
    return np.asarray(inputs @ np.concatenate([weight[..., start : start + q, :], weight[..., end:, :]], -2) + bias)


def _first_layer(parameters: Parameters, shape: Shape, x: Floats, y: Floats, precomputed: Floats | None) -> Floats:
    """Return the output of the tower's first layer, whose inputs are both embeddings and then both side features."""
    p, weight = shape.user_factors, layers_of(parameters, "tower")[0][0]
    features, start = x.shape[-1] - p - 1, p + shape.movie_factors
    inputs = np.concatenate([x[..., :p], x[..., p + 1 :]], -1)
    user_part = inputs @ np.concatenate([weight[..., :p, :], weight[..., start : start + features, :]], -2)
    return np.asarray(
        np.maximum(user_part + (movie_part(parameters, shape, y) if precomputed is None else precomputed), 0.0)
    )


def _sigmoid(parameters: Parameters, raw: Floats) -> tuple[Floats, Floats]:
    low, high = parameters["span"]
    share = 1 / (1 + np.exp(-raw.clip(-30, 30)))  # outside this range, the output is exactly low or high
    return low + (high - low) * share, (high - low) * share * (1 - share)


def fold_in(parameters: Parameters, shape: Shape, movies: Ints, stars: Floats, user: int = -1) -> Posterior:
    """Fold a viewer in; see ``Embedded``. ``user``: the row of the viewer's side features; -1 if unknown."""
    y = parameters["movie"][:, movies]
    precomputed = movie_part(parameters, shape, y) if shape.hidden else None
    mean, precision, noise = parameters["user_mean"], parameters["user_precision"], parameters["noise"][:, None]
    features = parameters["user"][:, user, shape.user_factors + 1 :]

    def user_vector(x: Doubles) -> Floats:
        return np.concatenate([x, features], -1, dtype=np.float32)[:, None]

    def objective(x: Doubles) -> Doubles:
        residuals = stars - outputs(parameters, shape, user_vector(x), y, precomputed)
        difference = x - mean
        prior_term = ((difference[:, None] @ precision)[:, 0] * difference).sum(-1)
        return np.asarray((residuals.astype(np.float64) ** 2 / noise).sum(-1) + prior_term)

    x, lowest = mean.copy(), objective(mean)
    converged = np.zeros(len(mean), bool)
    for _ in range(STEPS):
        output, slope = outputs_and_slopes(parameters, shape, user_vector(x), y, precomputed)
        curvature = _curvature(slope, precision, noise)
        gradient = (np.swapaxes(slope, -1, -2) @ (stars - output)[..., None])[..., 0].astype(np.float64) / noise
        step = np.linalg.solve(curvature, (gradient - (precision @ (x - mean)[..., None])[..., 0])[..., None])[..., 0]
        if shape.linear:
            return Posterior(np.concatenate([x + step, features], -1), _inverse(curvature))
        previous = lowest
        for _ in range(HALVINGS):
            value = objective(x + step)
            better = value < lowest
            if (better | converged).all():
                break
            step[~better] /= 2
        x, lowest = np.where(better[:, None], x + step, x), np.minimum(value, lowest)
        converged = previous - lowest < TOLERANCE
        if converged.all():
            break
    slope = outputs_and_slopes(parameters, shape, user_vector(x), y, precomputed)[1]
    return Posterior(np.concatenate([x, features], -1), _inverse(_curvature(slope, precision, noise)))


def _curvature(slope: Floats, precision: Doubles, noise: Doubles) -> Doubles:
    """Return half the second derivative of the objective (Gauss-Newton)."""
    return precision + (np.swapaxes(slope, -1, -2) @ slope).astype(np.float64) / noise[..., None]


def _inverse(curvature: Doubles) -> Doubles:
    return np.asarray(np.linalg.inv(curvature), np.float64)


PRIOR_USERS = 3_000
"""The most users from whom the prior of fold-ins is learned."""
ROUNDS = 5
"""How many times the prior and the users' covariances are updated in turn."""
SPREAD = 0.2
"""The prior variance of a user's vector, summed over its entries. It weighs as much as ``factors + 2`` users."""


def learn_prior(parameters: Parameters, trained: Floats, histories: Sequence[History], shape: Shape) -> None:
    """Learn the prior of fold-ins from trained users, and add it to the parameters.

    ``trained``: the vectors of some users, shape (members, users, factors + 1 + features). ``histories``: the ratings
    of each of these users.

    A trained vector is a point estimate without its uncertainty, so the spread of these points alone would be too
    narrow a prior. With each user's covariance ``S = (C^-1 + sum j j' / v)^-1``, ``C`` is the mean of ``S`` plus the
    squared distance from the mean, and ``v`` is the mean of the squared error plus ``j' S j``. ``S``, ``C`` and ``v``
    are updated in turn (Dempster, Laird and Rubin, EM, 1977).
    """
    members, size = len(trained), shape.user_factors + 1
    x = trained[..., :size].astype(np.float64)
    mean = parameters["user"][:, -1, :size].astype(np.float64)
    grams = np.empty((members, len(histories), size, size), np.float32)
    squares, ratings = np.zeros(members), 0
    for index, history in enumerate(histories):
        y = parameters["movie"][:, history.movies]
        output, slope = outputs_and_slopes(parameters, shape, trained[:, index][:, None], y)
        grams[:, index] = np.swapaxes(slope, -1, -2) @ slope
        squares += ((history.stars - output) ** 2).sum(-1)
        ratings += len(history)
    difference = x - mean[:, None]
    weight = size + 1
    scatter = np.swapaxes(difference, -1, -2) @ difference + weight * SPREAD * np.eye(size) / size
    noise = (squares + 1) / (ratings + 1)
    spread = scatter / (len(histories) + weight)
    for _ in range(ROUNDS):
        covariance = np.linalg.inv(np.linalg.inv(spread)[:, None] + grams / noise[:, None, None, None])
        noise = (squares + np.einsum("eukl,eukl->e", covariance, grams) + 1) / (ratings + 1)
        spread = (scatter + covariance.sum(1)) / (len(histories) + weight)
    parameters["user_mean"] = mean
    parameters["user_precision"] = np.linalg.inv(spread)
    parameters["noise"] = noise


def fold_in_users(parameters: Parameters, train: Dataset, shape: Shape) -> None:
    """Replace the trained vectors of users with folded-in vectors, which serving uses."""
    for user in np.flatnonzero(np.bincount(train.ratings.user, minlength=len(train.users))):
        rows = train.rows_of(int(user))
        posterior = fold_in(parameters, shape, train.ratings.movie[rows], train.ratings.stars[rows], int(user))
        parameters["user"][:, user] = posterior.mean
