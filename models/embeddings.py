"""What the models share that learn an embedding for each user and each movie and put a network on top.

The models are those of ``models.products`` and ``models.deep``.
"""

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from data.dataset import Dataset, Floats, Ints, Ratings
from models.metrics import mse
from models.model import Epoch, Expectation, Fitted, History, Model, Parameters, Progress
from models.networks import Plan, forward, forward_with_slope, layers_of
from models.settings import Settings, setting

Doubles = NDArray[np.float64]

BLOCK = 16_384
"""Ratings that are predicted at once."""
LEAST_BATCHES = 50
"""See ``Plan``."""
STEPS = 10
"""Newton steps of a fold-in at most; a model that is linear in the viewer's vector needs one."""
HALVINGS = 5
"""How often a step that does not improve is tried at half its length; ReLU bends the answer under way."""
SETTLED = 0.3
"""A fold-in ends when what it minimises, in units of the noise, falls by less: less than one rating brings. Going on to
a hundredth takes twice as many steps and predicts no better (validation mse of deep-mf on ml-100k: 0.8363 with a
hundredth, 0.8362 with this)."""


@dataclass(frozen=True)
class Shape:
    """What a model of this family computes from the embeddings ``p`` of a user and ``q`` of a movie."""

    user_factors: int
    movie_factors: int
    dot: bool
    """Whether ``p . q`` is part of the answer."""
    hidden: tuple[int, ...] = ()
    """Sizes of the dense layers over both embeddings; without any there is no tower."""
    dropout: float = 0.0
    normalise: bool = False
    biases: bool = True
    sigmoid: bool = False
    """Whether the answer goes through a sigmoid that spans the scale."""

    @property
    def linear(self) -> bool:
        """Whether the answer is linear in the user's vector."""
        return not self.hidden and not self.sigmoid


@dataclass(frozen=True)
class EmbeddingSettings(Settings):
    """Settings that all models of this family have; each has defaults of its own."""

    members: int = setting(4, 1, 16)
    """How many models, alike but for their start, are trained side by side; their mean is the answer."""
    epochs: int = setting(8, 1, 500)
    """How often every rating is learned from."""
    batch: int = setting(1024, 1, 65536)
    """How many ratings are learned from at once, at most; a small dataset still has 50 batches."""
    rate: float = setting(0.006, 0.000001, 1.0)
    """The learning rate."""
    adam: bool = setting(True, False, True)
    """Whether to train with Adam; else with stochastic gradient descent."""
    momentum: float = setting(0.9, 0.0, 0.999)
    """Of stochastic gradient descent; Adam has its own."""
    falling: bool = setting(True, False, True)
    """Whether the learning rate falls to nothing towards the end."""
    biases: bool = setting(True, False, True)
    """Whether each user and each movie has a bias beside the embedding."""
    decay: float = setting(0.1, 0.0, 10.0)
    """What a squared entry of an embedding costs at each rating that uses it, in stars squared."""
    bias_decay: float = setting(0.005, 0.0, 10.0)
    """The same for a bias."""
    kept_back: float = setting(0.0, 0.0, 0.5)
    """The share of the ratings that the network does not learn from: they tell its best epoch, which is kept."""
    caution: float = setting(2.0, 0.0, 10.0)
    """How many standard deviations of uncertainty are taken off the stars to order a list."""
    popularity: float = setting(0.3, 0.0, 5.0)
    """How much of the logarithm of a movie's number of ratings is added to order a list."""

    @property
    def plan(self) -> Plan:
        """How the network is trained."""
        return Plan(
            self.epochs,
            self.batch,
            self.rate,
            None if self.adam else self.momentum,
            self.falling,
            least_batches=LEAST_BATCHES,
        )


@dataclass(frozen=True, eq=False)
class Place:
    """Where a viewer stands for each member: a normal distribution over the embedding and, last, the bias."""

    mean: Doubles
    """Shape (members, factors + 1 + features): after the bias come the viewer's side features, which are certain."""
    covariance: Doubles
    """Shape (members, factors + 1, factors + 1)."""


UNTOLD: dict[str, Any] = {
    "members": 1,
    "batch": 64,
    "rate": 0.001,
    "falling": False,
    "biases": False,
    "decay": 0.0,
    "bias_decay": 0.0,
}
"""What sources 001 and 004 do not tell of their settings, and is taken: one network, Adam at its usual rate, batches of
64, and neither biases nor decay."""

E = TypeVar("E", bound=EmbeddingSettings)


class Embedded(Model[E, Place]):
    """A family of networks over embeddings.

    With the mean ``m``, biases ``b`` and ``c`` and embeddings ``p`` and ``q``,

        f = m + b_u + c_i + p_u . q_i + tower(p_u, q_i)

    where each model names its parts (``Shape``). Several members, alike but for the random numbers they start from,
    are trained side by side on the same batches, and the mean of their answers is the model's (Hansen and Salamon,
    Neural network ensembles, 1990).

    A viewer is folded in for each member with the network held fixed: ``x = (p, b)`` is where

        sum (r - f(x))^2 / v + (x - e)' C^-1 (x - e)

    is least, by Gauss-Newton steps, each halved until it improves; linear ones need a single step, which is ridge
    regression. Mean ``e`` and covariance ``C`` of the users and the variance ``v`` around the answers are learned after
    the fit by a few steps of expectation-maximisation (``learn_prior``). As a part of the last epoch the users of the
    dataset are folded in as well, in the place of the vectors they were trained with: what is measured is then what is
    served, and it predicts better, for the prior knows more than the decay that all users are trained with.
    """

    on_device = True

    @property
    @abstractmethod
    def shape(self) -> Shape:
        """What the settings make of the network."""

    def side_features(self, train: Dataset) -> tuple[Floats, Floats]:
        """Return what the tower is told of each user and each movie beside their embeddings; here nothing.

        Shapes (users + 1, features) and (movies + 1, features); the last row is somebody of whom nothing is known.
        """
        return np.zeros((len(train.users) + 1, 0), np.float32), np.zeros((len(train.movies) + 1, 0), np.float32)

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        # Only here: it imports torch, which serving does without.
        from models.embedding import fit

        def hold_back_the_last(epoch: Epoch) -> None:
            if epoch.number < epoch.of:
                progress(epoch)

        parameters, fitted = fit(
            train, validation, self.shape, self.settings, self.side_features(train), self.seed, hold_back_the_last
        )
        learn_prior(parameters, train, self.shape)
        fold_in_all(parameters, train, self.shape)
        last = fitted.curve[-1]
        if validation is not None:
            found = train.scale.clip(predict(parameters, self.shape, validation.user, validation.movie))
            last = replace(last, validation_loss=mse(found, validation.stars))
        progress(last)
        return parameters, Fitted.of([*fitted.curve[:-1], last])

    def predict(self, users: Ints, movies: Ints) -> Floats:
        """Return the mean of the members' answers; an unknown user or movie has the mean vector of the known ones."""
        return self.scale.clip(predict(self.parameters, self.shape, users, movies))

    def movie_vectors(self) -> Floats:
        """Return the movies' embeddings, those of the members beside each other."""
        found = self.parameters["movie"][:, :-1, :-1]
        return np.concatenate(list(found), axis=1)

    def fold_in(self, history: History) -> Place:
        """Find the viewer's vectors with everything else held fixed."""
        order = np.argsort(history.movies)  # the same to the last bit, whatever the order of rating
        user = -1 if history.user is None else history.user
        return solve(self.parameters, self.shape, history.movies[order], history.stars[order], user)

    def expect(self, taste: Place) -> Expectation:
        """Return the mean answer and how unsure it is.

        The variance is, with the slope ``j`` of a member's answer and its covariance ``S`` of the viewer
        ``(C^-1 + sum j j' / v)^-1`` (Laplace's approximation), the mean of ``j' S j`` over the members, plus the
        variance between the members, plus ``1 / (1 / s + n / v)`` for a movie with ``n`` ratings, ``s`` being how far
        the movies' mean ratings lie apart. The score takes ``caution`` deviations off the stars and adds
        ``popularity`` times the logarithm of one more than the movie's ratings.
        """
        return self._expect(taste, slice(0, -1))

    def explain_list(self, history: History, movies: Ints) -> Floats:
        """Leave out each rating in turn, and look at the movies asked for alone."""
        whole = self._expect(self.fold_in(history), movies).score
        shares = np.empty((len(movies), len(history)), np.float32)
        for place in range(len(history)):
            shares[:, place] = whole - self._expect(self.fold_in(history.without(place)), movies).score
        return shares

    def _expect(self, taste: Place, movies: Ints | slice) -> Expectation:
        movie = self.parameters["movie"][:, movies]
        stars, slope = answer_and_slope(self.parameters, self.shape, taste.mean.astype(np.float32)[:, None], movie)
        variance = ((slope @ taste.covariance.astype(np.float32)) * slope).sum(-1).mean(0) + stars.var(0)
        counts = self.counts if isinstance(movies, slice) else self.counts[movies]
        variance += 1 / (1 / self.parameters["movie_spread"] + counts / self.parameters["noise"].mean())
        mean, uncertainty = stars.mean(0), np.sqrt(variance)
        score = mean - self.settings.caution * uncertainty + self.settings.popularity * np.log1p(counts)
        return Expectation(
            self.scale.clip(mean.astype(np.float32)), uncertainty.astype(np.float32), score.astype(np.float32)
        )


def predict(parameters: Parameters, shape: Shape, users: Ints, movies: Ints) -> Floats:
    """Return the mean of the members' answers for pairs of a user and a movie, not clipped."""
    stars = np.empty(len(users), np.float32)
    for start in range(0, len(users), BLOCK):
        block = slice(start, start + BLOCK)
        x, y = parameters["user"][:, users[block]], parameters["movie"][:, movies[block]]
        stars[block] = answer(parameters, shape, x, y).mean(0)
    return stars


def answer(parameters: Parameters, shape: Shape, x: Floats, y: Floats, ahead: Floats | None = None) -> Floats:
    """Return each member's answer, shape (members, rows).

    Takes vectors of users and movies, (members, rows, factors + 1 + features): embedding, bias, side features. One row
    of users serves for all movies. ``ahead``: ``bring`` of the movies, where it is known.
    """
    stars = _effects(parameters, shape, x, y)
    if shape.hidden:
        first = _first(parameters, shape, x, y, ahead)
        stars = stars + forward(layers_of(parameters, "tower")[1:], first)[..., 0]
    if shape.sigmoid:
        stars = _squash(parameters, stars)[0]
    return np.asarray(stars, np.float32)


def answer_and_slope(
    parameters: Parameters, shape: Shape, x: Floats, y: Floats, ahead: Floats | None = None
) -> tuple[Floats, Floats]:
    """Return ``answer`` and its derivatives by the user's embedding and bias, shape (members, rows, factors + 1)."""
    factors = shape.user_factors
    stars = _effects(parameters, shape, x, y)
    slope = np.zeros((*stars.shape, factors + 1), np.float32)
    slope[..., -1] = shape.biases
    if shape.dot:
        slope[..., :-1] += y[..., :factors]
    if shape.hidden:
        layers = layers_of(parameters, "tower")
        first = _first(parameters, shape, x, y, ahead)
        more, by_first = forward_with_slope(layers[1:], first)
        stars = stars + more
        slope[..., :-1] += (by_first * (first > 0)) @ np.swapaxes(layers[0][0][..., :factors, :], -1, -2)
    if shape.sigmoid:
        stars, steep = _squash(parameters, stars)
        slope *= steep[..., None]
    return np.asarray(stars, np.float32), slope


def _effects(parameters: Parameters, shape: Shape, x: Floats, y: Floats) -> Floats:
    """The mean, the biases and the product of the embeddings, if it is part of the answer."""
    p, q = shape.user_factors, shape.movie_factors
    stars = x[..., p] + y[..., q] + parameters["overall"]
    return np.asarray(stars + (x[..., :p] * y[..., :q]).sum(-1) if shape.dot else stars)


def bring(parameters: Parameters, shape: Shape, y: Floats) -> Floats:
    """Return what movies bring to the first layer of the tower, shape (members, rows, size of the layer).

    It is most of the work of an answer, and the same for whatever is tried as a viewer's vector.
    """
    q, (weight, bias) = shape.movie_factors, layers_of(parameters, "tower")[0]
    features = y.shape[-1] - q - 1
    told = np.concatenate([y[..., :q], y[..., q + 1 :]], -1)
    start, end = shape.user_factors, weight.shape[-2] - features
    return np.asarray(told @ np.concatenate([weight[..., start : start + q, :], weight[..., end:, :]], -2) + bias)


def _first(parameters: Parameters, shape: Shape, x: Floats, y: Floats, ahead: Floats | None) -> Floats:
    """The first layer of the tower over both embeddings and, after them, the side features of both."""
    p, weight = shape.user_factors, layers_of(parameters, "tower")[0][0]
    features, start = x.shape[-1] - p - 1, p + shape.movie_factors
    told = np.concatenate([x[..., :p], x[..., p + 1 :]], -1)
    ours = told @ np.concatenate([weight[..., :p, :], weight[..., start : start + features, :]], -2)
    return np.asarray(np.maximum(ours + (bring(parameters, shape, y) if ahead is None else ahead), 0.0))


def _squash(parameters: Parameters, raw: Floats) -> tuple[Floats, Floats]:
    low, high = parameters["span"]
    share = 1 / (1 + np.exp(-raw.clip(-30, 30)))  # beyond that the share is 0 or 1 to the last bit
    return low + (high - low) * share, (high - low) * share * (1 - share)


def solve(parameters: Parameters, shape: Shape, movies: Ints, stars: Floats, user: int = -1) -> Place:
    """Fold a viewer in, see ``Embedded``; ``user`` is whose side features they have, -1 where they are unknown."""
    y = parameters["movie"][:, movies]
    ahead = bring(parameters, shape, y) if shape.hidden else None
    mean, precision, noise = parameters["user_mean"], parameters["user_precision"], parameters["noise"][:, None]
    features = parameters["user"][:, user, shape.user_factors + 1 :]

    def whole(x: Doubles) -> Floats:
        return np.concatenate([x, features], -1, dtype=np.float32)[:, None]

    def badness(x: Doubles) -> Doubles:
        rest = stars - answer(parameters, shape, whole(x), y, ahead)
        away = x - mean
        far = ((away[:, None] @ precision)[:, 0] * away).sum(-1)
        return np.asarray((rest.astype(np.float64) ** 2 / noise).sum(-1) + far)

    x, least = mean.copy(), badness(mean)
    settled = np.zeros(len(mean), bool)
    for _ in range(STEPS):
        found, slope = answer_and_slope(parameters, shape, whole(x), y, ahead)
        curvature = _curvature(slope, precision, noise)
        pull = (np.swapaxes(slope, -1, -2) @ (stars - found)[..., None])[..., 0].astype(np.float64) / noise
        step = np.linalg.solve(curvature, (pull - (precision @ (x - mean)[..., None])[..., 0])[..., None])[..., 0]
        if shape.linear:
            return Place(np.concatenate([x + step, features], -1), _inverse(curvature))
        before = least
        for _ in range(HALVINGS):
            now = badness(x + step)
            better = now < least
            if (better | settled).all():
                break
            step[~better] /= 2
        x, least = np.where(better[:, None], x + step, x), np.minimum(now, least)
        settled = before - least < SETTLED
        if settled.all():
            break
    slope = answer_and_slope(parameters, shape, whole(x), y, ahead)[1]
    return Place(np.concatenate([x, features], -1), _inverse(_curvature(slope, precision, noise)))


def _curvature(slope: Floats, precision: Doubles, noise: Doubles) -> Doubles:
    """Half the second derivative of what is least, after Gauss and Newton."""
    return precision + (np.swapaxes(slope, -1, -2) @ slope).astype(np.float64) / noise[..., None]


def _inverse(curvature: Doubles) -> Doubles:
    return np.asarray(np.linalg.inv(curvature), np.float64)


PRIOR_USERS = 3_000
"""From how many users, at most, the prior of fold-ins is learned."""
ROUNDS = 5
SPREAD = 0.2
"""The variance that entries of a user's vector are believed to have before any is seen; weighs as a few users do."""


def learn_prior(parameters: Parameters, train: Dataset, shape: Shape) -> None:
    """Learn what fold-ins believe of users beforehand, from the users that were trained.

    A trained vector is one point of what the ratings leave open, so the spread of the points alone is too narrow a
    prior: with each user's covariance ``S = (C^-1 + sum j j' / v)^-1``, ``C`` is the mean of ``S`` and of the squared
    distance from the mean, and ``v`` the mean of the squared errors and of ``j' S j``, in turn (Dempster, Laird and
    Rubin, EM, 1977).
    """
    trained = parameters["user"]
    members, size = len(trained), shape.user_factors + 1
    known = np.flatnonzero(np.bincount(train.ratings.user, minlength=len(train.users)))
    if len(known) > PRIOR_USERS:
        known = known[np.linspace(0, len(known) - 1, PRIOR_USERS).astype(int)]
    x = trained[:, known, :size].astype(np.float64)
    mean = trained[:, -1, :size].astype(np.float64)
    grams = np.empty((members, len(known), size, size), np.float32)
    squares, ratings = np.zeros(members), 0
    for place, user in enumerate(known):
        rows = train.rows_of(int(user))
        y = parameters["movie"][:, train.ratings.movie[rows]]
        found, slope = answer_and_slope(parameters, shape, trained[:, user][:, None], y)
        grams[:, place] = np.swapaxes(slope, -1, -2) @ slope
        squares += ((train.ratings.stars[rows] - found) ** 2).sum(-1)
        ratings += len(rows)
    away = x - mean[:, None]
    weight = size + 1
    scatter = np.swapaxes(away, -1, -2) @ away + weight * SPREAD * np.eye(size) / size
    noise = (squares + 1) / (ratings + 1)
    spread = scatter / (len(known) + weight)
    for _ in range(ROUNDS):
        covariance = np.linalg.inv(np.linalg.inv(spread)[:, None] + grams / noise[:, None, None, None])
        noise = (squares + np.einsum("eukl,eukl->e", covariance, grams) + 1) / (ratings + 1)
        spread = (scatter + covariance.sum(1)) / (len(known) + weight)
    parameters["user_mean"] = mean
    parameters["user_precision"] = np.linalg.inv(spread)
    parameters["noise"] = noise


def fold_in_all(parameters: Parameters, train: Dataset, shape: Shape) -> None:
    """Put what folding in gives in the place of the trained vectors of users, so that what is measured is served."""
    for user in np.flatnonzero(np.bincount(train.ratings.user, minlength=len(train.users))):
        rows = train.rows_of(int(user))
        place = solve(parameters, shape, train.ratings.movie[rows], train.ratings.stars[rows], int(user))
        parameters["user"][:, user] = place.mean
