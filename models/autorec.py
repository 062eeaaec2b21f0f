"""Autoencoders that fill in the missing entries of a row of ratings."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Floats, Ints, Ratings
from movietui.data.language import tr
from movietui.models.base import Expectation, Fitted, History, Model, Parameters, Progress, history_of
from movietui.models.caution import cautious
from movietui.models.rankers import sample_users
from movietui.models.settings import Settings, setting

Doubles = NDArray[np.float64]

BLOCK = 16_384
"""How many pairs of a user and a movie are processed at once."""
SPREAD = 2.0
"""The factor by which the covariance of the users' weights is enlarged for a viewer's prior, because training shrank
these weights towards their mean."""
RIDGES = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6)
"""The candidates for ``k`` (see ``AutoRec``): in directions in which the users' weights hardly differ, a viewer's
weights are shrunk towards the mean ``k`` times as strongly as in training."""
EVIDENCE_USERS = 200
"""The most users whose ratings are used to choose among ``RIDGES``."""
LEAST_DECAY = 1e-3
"""The smallest decay in the regression that folds a viewer in. A smaller setting counts as this."""


@dataclass(frozen=True)
class AutoRecSettings(Settings):
    """Settings of ``AutoRec``.

    The defaults were chosen on a held-out tenth (``hold_out``) of the train parts of ``kfold5-0`` of ml-100k and
    ``random90`` of ml-1m.
    """

    by_user: bool = setting(False, False, True)
    """Whether a row holds a user's ratings of all movies, rather than a movie's ratings by all users."""
    residuals: bool = setting(True, False, True)
    """Whether the rows hold residuals, which are ratings minus the effects of their user and movie, rather than
    ratings."""
    hidden: int = setting(200, 1, 2000)
    """The number of hidden units."""
    members: int = setting(3, 1, 16)
    """How many autoencoders are trained side by side; their outputs are averaged."""
    decay: float = setting(30.0, 0.0, 1000.0)
    """The weight of the sum of squared weights against the sum of squared errors:
    ``Σ (x − y)² + decay (|W|² + |V|² + |b|²)``."""
    dropout: float = setting(0.0, 0.0, 0.9)
    """The share of the ratings that is dropped at random from the input; the network learns to predict these ratings
    from the others (Vincent et al. 2008)."""
    epochs: int = setting(20, 1, 200)
    """The number of passes over all rows."""
    batch: int = setting(256, 1, 4096)
    """The number of rows in a batch."""
    rate: float = setting(0.002, 0.00001, 1.0)
    """The learning rate."""
    momentum: float = setting(0.0, 0.0, 0.99)
    """The momentum of stochastic gradient descent; 0 for Adam (Kingma and Ba 2015)."""
    falling: bool = setting(True, False, True)
    """Whether the learning rate falls gradually to zero."""
    caution: float = setting(1.0, 0.0, 10.0)
    """How many standard deviations of uncertainty are subtracted from the stars to order a list:
    ``stars − caution · uncertainty``."""
    popularity: float = setting(0.3, 0.0, 5.0)
    """How much of the logarithm of a movie's number of ratings, ``n``, is added to order a list:
    ``popularity · log(1 + n)``."""


@dataclass(frozen=True, eq=False)
class Weights:
    """A viewer's posterior: a normal distribution over the weights of the movies' features and, last, a bias.

    Its covariance is ``P - R' R``, where ``P`` is the prior covariance.
    """

    mean: Doubles
    """Shape (features + 1,)."""
    root: Doubles
    """``R``, shape (ratings, features + 1)."""


class AutoRec(Model[AutoRecSettings, Weights]):
    """Maps a row of residuals through a hidden layer and back: ``x -> V' s(W' x + a) + b``, where ``s`` is the logistic
    function.

    Sedhain et al., AutoRec: autoencoders meet collaborative filtering (2015). The rows hold residuals, which are
    ratings minus the effects of their user and movie (``Bias``), and 0 where there is no rating. Without the setting
    ``residuals``, all effects are 0, and the rows hold the ratings themselves. Only rated entries count in the loss,
    ``sum (x - y)^2 + decay (|W|^2 + |V|^2 + |b|^2)``, where ``y`` is the output for the row ``x``.

    Whether a row is that of a movie or of a user, a viewer's stars are ``m + c_i + u + f_i . w``, with the overall mean
    ``m``, the movie's effect ``c_i`` and features ``f_i``, and the viewer's bias ``u`` and weights ``w``.

    *By movie*, the features are the movie's hidden units minus those of an empty row. A new viewer would add one entry
    to each movie's row. This entry stays empty, so that nobody else's predictions change, and only the viewer's column
    of ``V`` and ``b`` has to be computed. Given the features, that is a ridge regression: with the prior
    ``(w, u) ~ N(e, P)``, the features ``A`` of the rated movies (and a column of ones), ``y = r - m - c`` and the
    variance ``v`` of a rating,

        mean = e + P A' (A P A' + v)^-1 (y - A e)      covariance = P - P A' (A P A' + v)^-1 A P

    For the weights, ``P`` is ``SPREAD C + v / (k decay)``, where ``C`` is the covariance of the users' columns of
    ``V``; the bias has the prior of ``Bias``. Users differ mostly in a few directions, in which a viewer's weights are
    shrunk less than those of ``V`` were in training, where the prior variance was ``v / decay``. In all other
    directions, the prior of training may shrink too little, because training stops before ``V`` reaches the solution of
    the regression; ``k`` is therefore chosen to maximise the likelihood of some users' ratings (the evidence: MacKay,
    Bayesian interpolation, 1992). The weights of users of the dataset are computed in the same way, so folding a user
    in gives exactly the stored weights. A user's ratings are entries of the movies' rows. When the user's weights are
    learned from a movie, the user's own rating is removed from the movie's hidden units (the parameter ``inside`` holds
    the arguments of the logistic function), because the rows of the movies that the user has not rated lack such an
    entry too.

    *By user*, the features are ``V``, the weights are the viewer's hidden units, from a forward pass over their row,
    and ``c_i`` includes ``b_i``. The covariance is that of the same regression, with the variance of the hidden units
    over users as the prior.

    The features of several members are concatenated and divided by the square root of the number of members.
    """

    name = "autorec"
    summary = tr("Autoencoder over rows of ratings; fills in the missing ratings.")
    formula = "y = V' σ(W' x + a) + b"
    reference = tr("Sedhain et al. 2015; earlier system 003")
    settings_type = AutoRecSettings
    needs_torch = True
    on_device = True
    # The author gives neither the layer size nor the decay; 500 is the size in the paper.
    published = AutoRecSettings(
        by_user=True,
        residuals=False,
        hidden=500,
        members=1,
        decay=0.0,
        epochs=10,
        batch=128,
        rate=0.08,
        momentum=0.9,
        falling=False,
    )

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        # Imported here because it needs torch, and serving does not.
        from movietui.models.training.autorec import fit

        parameters, fitted = fit(train, validation, self.settings, self.seed, progress)
        served = AutoRec(self.settings)
        served.restore(parameters, train.scale)
        served.learn_shrinkage(train)
        served.store_users(train, np.arange(len(train.users)))
        return served.parameters, fitted

    def learn_shrinkage(self, train: Dataset) -> None:
        """Choose ``k`` (see ``RIDGES``) by some users' ratings, and update the prior, as a part of the fit.

        With ``by_user``, do nothing.
        """
        if self.settings.by_user:
            return
        features, prior, mean = (self.parameters[name] for name in ("features", "prior", "mean"))
        noise = float(self.parameters["noise"])
        decay_variance = variance_of_decay(noise, self.settings)
        evidence = np.zeros(len(RIDGES))
        for user in sample_users(len(train.users), EVIDENCE_USERS).tolist():
            history = history_of(train, user)
            design = self._rated_design(history)
            scatter, similarity = design @ prior @ design.T, design[:, :-1] @ design[:, :-1].T
            residuals = self._residuals(history) - design @ mean
            for index, factor in enumerate(RIDGES):
                gain = scatter + (1 / factor - 1) * decay_variance * similarity + noise * np.eye(len(history))
                lower = np.linalg.cholesky(gain)
                evidence[index] -= np.square(np.linalg.solve(lower, residuals)).sum() / 2 + np.log(np.diag(lower)).sum()
        change = (1 / RIDGES[int(evidence.argmax())] - 1) * decay_variance
        prior = prior + np.diag(np.append(np.full(len(prior) - 1, change), 0.0))
        self.parameters = self.parameters | {"prior": prior, "spread": spread(features, prior)}

    def memory_needed(self, train: Dataset) -> int:
        """Return the size of two tables of users by movies, in float32, and their transposed copies unless
        ``by_user``."""
        return (2 if self.settings.by_user else 4) * 4 * len(train.users) * len(train.movies)

    def store_users(self, train: Dataset, users: NDArray[np.integer]) -> None:
        """Fold users in, and store their weights and biases for ``predict``, as a part of the fit.

        Shape (users + 1, features + 1). The last row is an unknown user. Users that are not folded in have zeros.
        """
        weights = np.zeros((len(train.users) + 1, len(self.parameters["mean"])), np.float32)
        for user in users.tolist():
            rows = train.rows_of(user)
            weights[user] = self._mean(History(train.ratings.movie[rows], train.ratings.stars[rows], user))
        weights[-1] = self._mean(History(np.empty(0, np.int32), np.empty(0, np.float32)))
        self.parameters = self.parameters | {"user": weights}

    def predict(self, users: Ints, movies: Ints) -> Floats:
        """Return the predicted stars. An unknown movie has features of 0, an unknown user the weights without
        ratings."""
        features, effects, weights = (self.parameters[name] for name in ("features", "movie", "user"))
        stars = np.empty(len(users), np.float32)
        for start in range(0, len(users), BLOCK):
            block = slice(start, start + BLOCK)
            w, movie = weights[users[block]], movies[block]
            stars[block] = np.einsum("nk,nk->n", features[movie], w[:, :-1]) + w[:, -1] + effects[movie]
        return self.scale.clip(stars + np.float32(self.parameters["overall"]))

    def fold_in(self, history: History) -> Weights:
        """Compute the viewer's weights in closed form."""
        design = self._rated_design(history)
        pulled = design @ self.parameters["prior"]
        lower = np.linalg.cholesky(pulled @ design.T + float(self.parameters["noise"]) * np.eye(len(history)))
        return Weights(self._mean(history, (design, pulled)), np.linalg.solve(lower, pulled))

    def expect(self, taste: Weights) -> Expectation:
        """Return the mean and the standard deviation of ``m + c + u + f . w``, in which the movie's effect is uncertain
        too.

        The score is that of ``cautious``.
        """
        design = self._design(np.arange(len(self.counts), dtype=np.int32)).astype(np.float32)
        stars = design @ taste.mean.astype(np.float32) + self.parameters["movie"][:-1]
        variance = self.parameters["spread"] - np.square(design @ taste.root.T.astype(np.float32)).sum(1)
        return self._expectation(stars, variance, np.arange(len(self.counts)))

    def explain_list(self, history: History, movies: Ints) -> Floats:
        """Compute the contributions of all ratings at once from the posterior with all ratings.

        With ``by_user``, only the covariances follow from it. The mean is computed without each rating in turn.
        """
        taste, rated, design = self.fold_in(history), self._rated_design(history), self._design(movies)
        noise = float(self.parameters["noise"])
        pull = rated @ self.parameters["prior"] - (rated @ taste.root.T) @ taste.root
        remaining = noise - np.einsum("nk,nk->n", rated, pull)
        across = design @ pull.T
        stars = (design @ taste.mean)[:, None]
        variance = (self.parameters["spread"][movies] - np.square(design @ taste.root.T).sum(1))[:, None]
        if self.settings.by_user:
            means = [self._mean(history.without(index)) for index in range(len(history))]
            others = design @ np.reshape(means, (len(history), design.shape[1])).T
        else:
            residuals = self._residuals(history) - rated @ taste.mean
            others = stars - across * residuals / remaining
        effects = self.parameters["movie"][movies][:, None]
        score = self._expectation(stars + effects, variance, movies[:, None]).score
        return score - self._expectation(others + effects, variance + across**2 / remaining, movies[:, None]).score

    def _expectation(
        self, stars: NDArray[np.floating], variance: NDArray[np.floating], rows: NDArray[np.integer]
    ) -> Expectation:
        variance = np.maximum(variance, 0.0) + self.parameters["movie_variance"][rows]
        stars = stars + np.float32(self.parameters["overall"])
        return cautious(self.settings, self.scale, stars, variance, self.counts[rows])

    def _design(self, movies: Ints) -> Doubles:
        """Return the features of some movies and a column of ones."""
        return _with_ones(self.parameters["features"][movies])

    def _rated_design(self, history: History) -> Doubles:
        """Return the features of the rated movies and a column of ones.

        By movie, the features for a user of the dataset are computed without the user's own ratings.
        """
        if self.settings.by_user or history.user is None:
            return self._design(history.movies)
        remaining = self._residuals(history) - self.parameters["bias"][history.user]
        hidden_inputs = self.parameters["inside"][history.movies] - np.outer(
            remaining, self.parameters["encoder"][history.user]
        )
        root = self.settings.members**0.5
        return _with_ones((_logistic(hidden_inputs) - _logistic(self.parameters["inside"][-1])) / root)

    def _residuals(self, history: History) -> Doubles:
        """Return the stars minus the overall mean and minus the movies' effects."""
        effects = self.parameters["movie"][history.movies].astype(np.float64)
        return np.asarray(history.stars - effects - float(self.parameters["overall"]), np.float64)

    def _mean(self, history: History, known: tuple[Doubles, Doubles] | None = None) -> Doubles:
        """Return the mean of a viewer's weights and bias.

        ``known``: the rated features and their product with ``P``, if they are already computed.
        """
        mean, prior = self.parameters["mean"], self.parameters["prior"]
        noise, residuals = float(self.parameters["noise"]), self._residuals(history)
        if self.settings.by_user:
            # The bias is computed as in ``Bias``. What remains of the residuals is the input row.
            spread = prior[-1, -1] / (noise + len(history) * prior[-1, -1])
            bias = mean[-1] + spread * (residuals - mean[-1]).sum()
            row = (residuals - bias + self.parameters["shift"][history.movies]) @ self.parameters["encoder"][
                history.movies
            ]
            hidden = _logistic(row + self.parameters["encoder"][-1])
            return np.append(hidden / np.sqrt(self.settings.members), bias)
        design, pulled = known or ((rated := self._rated_design(history)), rated @ prior)
        gain = pulled @ design.T + noise * np.eye(len(history))
        return np.asarray(mean + np.linalg.solve(gain, residuals - design @ mean) @ pulled)


def variance_of_decay(noise: float, settings: AutoRecSettings) -> float:
    """Return the prior variance of a weight that the decay implies, ``v / decay``."""
    return noise / max(settings.decay, LEAST_DECAY)


def spread(features: NDArray[np.floating], prior: Doubles) -> Floats:
    """Return the prior variance of each movie's stars for an unknown viewer, shape (movies,)."""
    known = features[:-1]
    return np.asarray(((known @ prior[:-1, :-1]) * known).sum(1) + prior[-1, -1], np.float32)


def _with_ones(features: NDArray[np.floating]) -> Doubles:
    return np.concatenate([features, np.ones((len(features), 1))], axis=1, dtype=np.float64)


def _logistic(values: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.asarray(1 / (1 + np.exp(-values)))
