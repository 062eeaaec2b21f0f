"""Autoencoders that fill in the empty places of a row of ratings."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.dataset import Dataset, Floats, Ints, Ratings
from models.model import Expectation, Fitted, History, Model, Parameters, Progress, history_of
from models.preferences import sampled
from models.settings import Settings, setting

Doubles = NDArray[np.float64]

BLOCK = 16_384
"""Pairs that are worked on at once."""
SPREAD = 2.0
"""How much wider than the scatter of the users' weights, which were drawn to their mean, a viewer's prior is."""
RIDGES = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6)
"""How much more than while training a viewer's weights may be drawn to the mean where the users' are all alike."""
ASKED = 200
"""Users whose ratings tell which of these it is."""
LEAST_DECAY = 1e-3
"""The regression that folds a viewer in needs some."""


@dataclass(frozen=True)
class AutoRecSettings(Settings):
    """Settings of ``AutoRec``.

    Chosen on a validation tenth (``hold_out``) of the train parts of ``kfold5-0`` of ml-100k and ``random90`` of ml-1m.
    """

    by_user: bool = setting(False, False, True)
    """Whether a row is a user's ratings of all movies; else it is a movie's ratings by all users."""
    hidden: int = setting(200, 1, 2000)
    """Hidden units."""
    members: int = setting(3, 1, 16)
    """How many autoencoders are trained side by side; what they say is averaged."""
    decay: float = setting(30.0, 0.0, 1000.0)
    """How much the sum of the squared weights counts beside the sum of the squared errors."""
    dropout: float = setting(0.0, 0.0, 0.9)
    """The share of the ratings that is left out of what goes into the network each time: it learns to tell them from
    the others."""
    epochs: int = setting(20, 1, 200)
    """How often all rows are gone through."""
    batch: int = setting(256, 1, 4096)
    """Rows in a batch."""
    rate: float = setting(0.002, 0.00001, 1.0)
    """The learning rate."""
    momentum: float = setting(0.0, 0.0, 0.99)
    """Of stochastic gradient descent; 0 for Adam."""
    falling: bool = setting(True, False, True)
    """Whether the learning rate falls to zero towards the end."""
    caution: float = setting(1.0, 0.0, 10.0)
    """How many standard deviations of uncertainty are taken off the stars to order a list."""
    popularity: float = setting(0.3, 0.0, 5.0)
    """How much of the logarithm of a movie's number of ratings is added to order a list."""


@dataclass(frozen=True, eq=False)
class Weights:
    """What is believed of a viewer: a normal distribution over the weights of the movies' features and, last, a bias.

    Its covariance is ``P - R' R``, with ``P`` the covariance of the prior.
    """

    mean: Doubles
    """Shape (features + 1,)."""
    root: Doubles
    """``R``, shape (ratings, features + 1)."""


class AutoRec(Model[AutoRecSettings, Weights]):
    """A row of residuals through a hidden layer and back: ``x -> V' s(W' x + a) + b``, ``s`` the logistic function.

    Sedhain et al., AutoRec: autoencoders meet collaborative filtering (2015). The rows hold what is left of the ratings
    by the effects of user and movie (``Bias``), and 0 where there is none; only the places with ratings count in the
    loss, ``sum (x - x')^2 + decay (|W|^2 + |V|^2)``.

    Either way a viewer's stars are ``m + c_i + u + f_i . w``: overall mean, effect and features of the movie, and a
    bias and weights of the viewer.

    *By movie* the features are the movie's hidden units, less those of an empty row. A movie's row would have one more
    place for a new viewer; it is left empty, so that nobody else's answers change, and what is missing is the viewer's
    column of ``V`` and ``b``. Given the features these are a ridge regression: with prior ``(w, u) ~ N(e, P)``, rated
    features ``A`` (with a column of ones), ``y = r - m - c`` and a rating's variance ``v``,

        mean = e + P A' (A P A' + v)^-1 (y - A e)      covariance = P - P A' (A P A' + v)^-1 A P

    ``P`` is ``SPREAD C + v / (k decay)``, ``C`` being how the users' columns of ``V`` scatter about their mean: most of
    what tells users apart lies in few directions, in which a viewer is drawn to the mean less than by ``v / decay``,
    the ridge that ``V`` was trained with. In all others the ridge may be too weak, for in the few epochs that are best
    ``V`` does not come as far as the regression: ``k`` is what makes some users' ratings most likely (the evidence:
    MacKay, Bayesian interpolation, 1992). Users of the dataset are stored the same way, so that folding somebody in is
    no approximation. Their own ratings are in the movies' rows: where they learn from a movie, theirs is taken out of
    its hidden units (``inside`` is what those are the logistic of), for it is in no row of a movie that they have not
    rated.

    *By user* the features are ``V``, and the weights are the viewer's hidden units: a pass forward over their row. The
    covariance is that of the same regression, with the variance of the hidden units over users as prior.

    Several members stand side by side: their features are put together, each divided by the root of their number.
    """

    name = "autorec"
    summary = "Autoencoder over rows of ratings; fills in the empty places."
    settings_type = AutoRecSettings
    on_device = True
    # The source names neither the size nor the decay: 500 is that of the paper.
    published = AutoRecSettings(
        by_user=True, hidden=500, members=1, decay=0.0, epochs=10, batch=128, rate=0.08, momentum=0.9, falling=False
    )

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        # Only here: it imports torch, which serving does without.
        from models.autoencoder import fit

        parameters, fitted = fit(train, validation, self.settings, self.seed, progress)
        served = AutoRec(self.settings)
        served.restore(parameters, train.scale)
        served.tighten(train)
        served.settle(train, np.arange(len(train.users)))
        return served.parameters, fitted

    def tighten(self, train: Dataset) -> None:
        """Choose by the ratings of some users, while fitting, how much weights are drawn to the mean."""
        if self.settings.by_user:
            return
        features, prior, mean = (self.parameters[name] for name in ("features", "prior", "mean"))
        noise = float(self.parameters["noise"])
        weakest = ridge(noise, self.settings)
        evidence = np.zeros(len(RIDGES))
        for user in sampled(len(train.users), ASKED).tolist():
            history = history_of(train, user)
            design = self._rated(history)
            scatter, alike = design @ prior @ design.T, design[:, :-1] @ design[:, :-1].T
            rest = self._rest(history) - design @ mean
            for place, tighter in enumerate(RIDGES):
                gain = scatter + (1 / tighter - 1) * weakest * alike + noise * np.eye(len(history))
                lower = np.linalg.cholesky(gain)
                evidence[place] -= np.square(np.linalg.solve(lower, rest)).sum() / 2 + np.log(np.diag(lower)).sum()
        change = (1 / RIDGES[int(evidence.argmax())] - 1) * weakest
        prior = prior + np.diag(np.append(np.full(len(prior) - 1, change), 0.0))
        self.parameters = self.parameters | {"prior": prior, "spread": spread(features, prior)}

    def settle(self, train: Dataset, users: NDArray[np.integer]) -> None:
        """Fold users in, while fitting: their weights and biases, shape (users + 1, features + 1), for ``predict``."""
        found = np.zeros((len(train.users) + 1, len(self.parameters["mean"])), np.float32)
        for user in users.tolist():
            rows = train.rows_of(user)
            found[user] = self._mean(History(train.ratings.movie[rows], train.ratings.stars[rows], user))
        found[-1] = self._mean(History(np.empty(0, np.int32), np.empty(0, np.float32)))
        self.parameters = self.parameters | {"user": found}

    def predict(self, users: Ints, movies: Ints) -> Floats:
        """Return the expected stars; an unknown movie has no features, an unknown user the prior's mean."""
        features, effects, weights = (self.parameters[name] for name in ("features", "movie", "user"))
        stars = np.empty(len(users), np.float32)
        for start in range(0, len(users), BLOCK):
            block = slice(start, start + BLOCK)
            w, movie = weights[users[block]], movies[block]
            stars[block] = np.einsum("nk,nk->n", features[movie], w[:, :-1]) + w[:, -1] + effects[movie]
        return self.scale.clip(stars + np.float32(self.parameters["overall"]))

    def fold_in(self, history: History) -> Weights:
        """Compute the viewer's weights in closed form."""
        design = self._rated(history)
        pulled = design @ self.parameters["prior"]
        lower = np.linalg.cholesky(pulled @ design.T + float(self.parameters["noise"]) * np.eye(len(history)))
        return Weights(self._mean(history, (design, pulled)), np.linalg.solve(lower, pulled))

    def expect(self, taste: Weights) -> Expectation:
        """Return mean and standard deviation of ``m + c + u + f . w``, the movie's effect being uncertain as well.

        The score takes ``caution`` times the deviation off the stars before they are clipped, and adds ``popularity``
        times the logarithm of one more than the movie's ratings.
        """
        design = self._design(np.arange(len(self.counts), dtype=np.int32)).astype(np.float32)
        stars = design @ taste.mean.astype(np.float32) + self.parameters["movie"][:-1]
        variance = self.parameters["spread"] - np.square(design @ taste.root.T.astype(np.float32)).sum(1)
        return self._expectation(stars, variance, np.arange(len(self.counts)))

    def explain_list(self, history: History, movies: Ints) -> Floats:
        """Leave out each rating in turn, all at once: the covariance without it is known from the one with it."""
        taste, rated, asked = self.fold_in(history), self._rated(history), self._design(movies)
        noise = float(self.parameters["noise"])
        pull = rated @ self.parameters["prior"] - (rated @ taste.root.T) @ taste.root
        left = noise - np.einsum("nk,nk->n", rated, pull)
        across = asked @ pull.T
        stars = (asked @ taste.mean)[:, None]
        variance = (self.parameters["spread"][movies] - np.square(asked @ taste.root.T).sum(1))[:, None]
        if self.settings.by_user:
            means = [self._mean(history.without(place)) for place in range(len(history))]
            others = asked @ np.reshape(means, (len(history), asked.shape[1])).T
        else:
            rest = self._rest(history) - rated @ taste.mean
            others = stars - across * rest / left
        effects = self.parameters["movie"][movies][:, None]
        whole = self._expectation(stars + effects, variance, movies[:, None]).score
        return whole - self._expectation(others + effects, variance + across**2 / left, movies[:, None]).score

    def _expectation(
        self, stars: NDArray[np.floating], variance: NDArray[np.floating], rows: NDArray[np.integer]
    ) -> Expectation:
        variance = np.maximum(variance, 0.0) + self.parameters["movie_variance"][rows]
        uncertainty = np.sqrt(variance).astype(np.float32)
        stars = stars + np.float32(self.parameters["overall"])
        score = stars - self.settings.caution * uncertainty + np.log1p(self.counts[rows]) * self.settings.popularity
        return Expectation(self.scale.clip(stars.astype(np.float32)), uncertainty, score.astype(np.float32))

    def _design(self, movies: Ints) -> Doubles:
        """The features of some movies, and a column of ones."""
        return _with_ones(self.parameters["features"][movies])

    def _rated(self, history: History) -> Doubles:
        """The features of the rated movies, and a column of ones; by movie without the viewer's part in them."""
        if self.settings.by_user or history.user is None:
            return self._design(history.movies)
        left = self._rest(history) - self.parameters["bias"][history.user]
        inside = self.parameters["inside"][history.movies] - np.outer(left, self.parameters["encoder"][history.user])
        root = self.settings.members**0.5
        return _with_ones((_logistic(inside) - _logistic(self.parameters["inside"][-1])) / root)

    def _rest(self, history: History) -> Doubles:
        """The stars less the overall mean and the movies' effects."""
        effects = self.parameters["movie"][history.movies].astype(np.float64)
        return np.asarray(history.stars - effects - float(self.parameters["overall"]), np.float64)

    def _mean(self, history: History, known: tuple[Doubles, Doubles] | None = None) -> Doubles:
        """The mean of a viewer's weights and bias; ``known``: the rated features and their product with ``P``."""
        mean, prior = self.parameters["mean"], self.parameters["prior"]
        noise, rest = float(self.parameters["noise"]), self._rest(history)
        if self.settings.by_user:
            # The bias as in ``Bias``, then what it leaves of the stars is the row that goes in.
            spread = prior[-1, -1] / (noise + len(history) * prior[-1, -1])
            bias = mean[-1] + spread * (rest - mean[-1]).sum()
            row = (rest - bias + self.parameters["shift"][history.movies]) @ self.parameters["encoder"][history.movies]
            hidden = _logistic(row + self.parameters["encoder"][-1])
            return np.append(hidden / np.sqrt(self.settings.members), bias)
        design, pulled = known or ((rated := self._rated(history)), rated @ prior)
        gain = pulled @ design.T + noise * np.eye(len(history))
        return np.asarray(mean + np.linalg.solve(gain, rest - design @ mean) @ pulled)


def ridge(noise: float, settings: AutoRecSettings) -> float:
    """Return the variance of weights that the decay stands for."""
    return noise / max(settings.decay, LEAST_DECAY)


def spread(features: NDArray[np.floating], prior: Doubles) -> Floats:
    """Return the variance of each movie's stars before anything is known of a viewer, shape (movies,)."""
    known = features[:-1]
    return np.asarray(((known @ prior[:-1, :-1]) * known).sum(1) + prior[-1, -1], np.float32)


def _with_ones(features: NDArray[np.floating]) -> Doubles:
    return np.concatenate([features, np.ones((len(features), 1))], axis=1, dtype=np.float64)


def _logistic(values: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.asarray(1 / (1 + np.exp(-values)))
