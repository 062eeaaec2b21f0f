"""Matrix factorisation by alternating least squares, as Spark computes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Floats, Ints, Ratings, Scale
from movietui.data.language import tr
from movietui.models.base import Expectation, Fitted, History, Model, Parameters, Progress
from movietui.models.caution import cautious
from movietui.models.settings import Settings, setting
from movietui.models.variances import variances

Doubles = NDArray[np.float64]
BLOCK = 16_384
"""How many ratings are predicted at once."""
SAMPLE = 256
"""The most users from whose errors the variance of a rating around the prediction is estimated."""


@dataclass(frozen=True)
class AlsSettings(Settings):
    """Settings of ``Als``.

    The defaults of the fit were chosen on a held-out tenth (``hold_out``) of the train part of ``random90`` of ml-1m,
    because this model is for large datasets. With 100 factors, the RMSE there is only 0.001 lower. Smaller datasets
    need a larger ridge: 0.1 is best for ml-100k, and 0.15 for ml-latest-small. The defaults of ``caution`` and
    ``popularity`` are the same as in ``BiasedMF``.
    """

    factors: int = setting(20, 1, 256)
    """The number of latent factors; Spark calls it ``rank``."""
    sweeps: int = setting(20, 1, 200)
    """How many times movies and users are updated in turn; Spark calls it ``maxIter``."""
    ridge: float = setting(0.08, 0.00001, 10.0)
    """For each rating, the weight of the squared factors of its user and movie, ``ridge (|x_u|² + |y_i|²)``; Spark
    calls it ``regParam``."""
    caution: float = setting(2.0, 0.0, 10.0)
    """How many standard deviations of uncertainty are subtracted from the stars to order a list:
    ``stars − caution · uncertainty``."""
    popularity: float = setting(0.3, 0.0, 5.0)
    """How much of the logarithm of a movie's number of ratings, ``n``, is added to order a list:
    ``popularity · log(1 + n)``."""


@dataclass(frozen=True, eq=False)
class Estimate:
    """A viewer's factors, and how uncertain they are."""

    factors: Doubles
    """Shape (factors,)."""
    covariance: Doubles
    """Shape (factors, factors)."""


class Als(Model[AlsSettings, Estimate]):
    """A rating is the product of the factors of user and movie: ``r_ui ~ x_u . y_i``.

    With ``n`` the number of ratings of a user or movie, the fit minimises

        sum over ratings (r_ui - x_u . y_i)^2 + ridge (sum_u n_u |x_u|^2 + sum_i n_i |y_i|^2)

    (Zhou, Wilkinson, Schreiber and Pan, Large-scale parallel collaborative filtering for the Netflix Prize, 2008). This
    is the objective of the explicit ALS of Spark's MLlib, which likewise does not subtract means. The fit solves in
    turn for all movies given the users, and for all users given the movies. Given the movies, a viewer's factors are
    ``x = (sum y y' + ridge n I)^-1 sum r y`` with sums over the rated movies. Without ratings, they are the mean over
    the users.

    The uncertainty does not come from the ridge, which says nothing about a viewer without ratings. Instead, ``x`` is
    taken as drawn from a normal distribution with the covariance ``S`` of the users' factors, and ``y`` from one with
    the covariance ``T`` of the movies' factors. With ``v`` the variance of a rating around the prediction, the
    covariance of a viewer is ``(S^-1 + sum y y' / v)^-1``. Likewise, the covariance of a movie with ``n`` ratings is
    ``(T^-1 + n G / v)^-1``, where ``G`` is the mean of ``x x'`` over all ratings, as if the movie's raters were
    typical. Diagonalised by ``W' T^-1 W = I`` and ``W' G W = diag(d)``, it is ``W diag(1 / (1 + n d / v)) W'``.
    """

    name = "als"
    summary = tr("Matrix factorisation as Spark computes it: the same model on one machine and on a cluster.")
    formula = "x_u · y_i"
    reference = "Zhou et al. 2008"
    settings_type = AlsSettings
    needs_torch = True

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        # Imported here because it needs torch, and serving does not.
        from movietui.models.training.als import fit

        return fit(train, validation, self.settings, self.seed, progress)

    def restore(self, parameters: Parameters, scale: Scale) -> None:
        """Load the parameters of a fitted model."""
        super().restore(parameters, scale)
        gains = (parameters["gains"] / self._noise).astype(np.float32)
        self._unknown = np.asarray(1 / (1 + self.counts[:, None].astype(np.float32) * gains), np.float32)
        """The share of the variance of each movie's factors that remains along each axis, shape (movies, factors)."""

    def predict(self, users: Ints, movies: Ints) -> Floats:
        """Return the predicted stars. Unknown users and movies have the mean factors."""
        return self.scale.clip(products(self.of_train("user"), self.parameters["factors"], users, movies))

    def only_for_predict(self) -> frozenset[str]:
        """Return the name of the users' factors."""
        return frozenset(("user",))

    def fold_in(self, history: History) -> Estimate:
        """Compute the viewer's factors in closed form."""
        rated, covariance = self._rated(history), self._covariance(history)
        if not len(history):
            return Estimate(self.parameters["mean_user"], covariance)
        return Estimate(factors_of(rated, history.stars, self.settings.ridge), covariance)

    def expect(self, taste: Estimate) -> Expectation:
        """Return the product of the factors and its standard deviation; see the docstring of the class.

        The score is that of ``cautious``.
        """
        movies = self.parameters["factors"][:-1]
        stars = movies @ taste.factors.astype(np.float32)
        axes = self.parameters["axes"]
        squares = (taste.factors @ axes) ** 2 + np.einsum("kj,kj->j", taste.covariance @ axes, axes)
        of_movies = self._unknown @ squares.astype(np.float32)
        variance = variances(movies, taste.covariance) + of_movies
        return cautious(self.settings, self.scale, stars, variance, self.counts)

    def stars(self, taste: Estimate, movies: Ints) -> Floats:
        """Return the products of the factors."""
        return self.scale.clip(self.parameters["factors"][movies] @ taste.factors.astype(np.float32))

    def movie_vectors(self) -> Floats:
        """Return the movies' factors without the direction in which the average user's predictions grow."""
        movies, mean = self.parameters["factors"][:-1], self.parameters["mean_user"]
        direction = (mean / max(float(np.linalg.norm(mean)), 1e-9)).astype(np.float32)
        return np.asarray(movies - np.outer(movies @ direction, direction), np.float32)

    def explain_list(self, history: History, movies: Ints) -> Floats:
        """Return how much each rating adds to the scores.

        Each rating is removed from the inverse of the normal matrix and from the covariance (Sherman and Morrison), all
        at once.
        """
        if not len(history):
            return np.zeros((len(movies), 0), np.float32)
        whole, rated = self.fold_in(history), self._rated(history)
        without = self._without_each(history, rated)
        vectors, axes = self.parameters["factors"][movies].astype(np.float64), self.parameters["axes"]
        # Without a rating of y, the covariance S becomes S + S y y' S / (v - y' S y).
        reaches = rated @ whole.covariance
        reaches /= np.sqrt(self._noise - np.einsum("nk,nk->n", reaches, rated))[:, None]
        estimates = np.concatenate([whole.factors[None], without])
        more = np.concatenate([np.zeros((1, rated.shape[1])), reaches])
        of_viewer = variances(vectors, whole.covariance)[:, None] + (vectors @ more.T) ** 2
        squares = (estimates @ axes) ** 2 + (more @ axes) ** 2
        squares += np.einsum("kj,kj->j", whole.covariance @ axes, axes)
        of_movies = self._unknown[movies] @ squares.T
        stars, counts = vectors @ estimates.T, self.counts[movies][:, None]
        score = cautious(self.settings, self.scale, stars, of_viewer + of_movies, counts).score
        return score[:, :1] - score[:, 1:]

    @property
    def _noise(self) -> float:
        return float(self.parameters["noise"])

    def _rated(self, history: History) -> Doubles:
        return self.parameters["factors"][history.movies].astype(np.float64)

    def _covariance(self, history: History) -> Doubles:
        rated = self._rated(history)
        precision = self.parameters["user_precision"] + rated.T @ rated / self._noise
        return np.asarray(np.linalg.inv(precision), np.float64)

    def _without_each(self, history: History, rated: Doubles) -> Doubles:
        """Return the viewer's factors without each rating, shape (ratings, factors)."""
        if len(history) == 1:
            return self.parameters["mean_user"][None]
        inverse = np.linalg.inv(_normal(rated, len(rated) - 1, self.settings.ridge))
        pulls = history.stars @ rated - history.stars[:, None] * rated
        before, directions = pulls @ inverse, rated @ inverse
        remaining = 1 - np.einsum("nk,nk->n", directions, rated)
        return np.asarray(before + directions * (np.einsum("nk,nk->n", before, rated) / remaining)[:, None])


def factors_of(rated: NDArray[Any], stars: Floats, ridge: float) -> Doubles:
    """Return a viewer's factors, shape (factors,). ``rated``: the rated movies' factors, shape (ratings, factors)."""
    vectors = rated.astype(np.float64)
    return np.asarray(np.linalg.solve(_normal(vectors, len(vectors), ridge), stars @ vectors), np.float64)


def _normal(rated: Doubles, ratings: int, ridge: float) -> Doubles:
    """Return the matrix of the normal equations for the factors of rated movies and a number of ratings."""
    return rated.T @ rated + ridge * ratings * np.eye(rated.shape[1])


def products(user_factors: Floats, movie_factors: Floats, users: Ints, movies: Ints) -> Floats:
    """Return the products of the factors of pairs of a user and a movie, not clipped to the scale."""
    stars = np.empty(len(users), np.float32)
    for start in range(0, len(users), BLOCK):
        block = slice(start, start + BLOCK)
        x, y = user_factors[users[block]], movie_factors[movies[block]]
        stars[block] = np.einsum("nk,nk->n", x, y)
    return stars


@dataclass(frozen=True, eq=False)
class UserSums:
    """Sums over users from which the uncertainty is estimated. Sums over different users can be added."""

    users: float
    ratings: float
    factors: Doubles
    """``sum x``, shape (factors,)."""
    squares: Doubles
    """``sum x x'``, shape (factors, factors)."""
    rated_squares: Doubles
    """``sum n x x'``, with ``n`` the user's number of ratings, shape (factors, factors)."""

    @classmethod
    def of(cls, factors: NDArray[Any], counts: NDArray[Any]) -> "UserSums":
        """Return the sums over users with these factors, shape (users, factors), and ``counts`` of ratings, shape
        (users,). Users without ratings do not count."""
        known = counts > 0
        x, n = factors[known].astype(np.float64), counts[known].astype(np.float64)
        return cls(len(x), float(n.sum()), x.sum(0), x.T @ x, (x * n[:, None]).T @ x)

    def __add__(self, other: "UserSums") -> "UserSums":
        return UserSums(
            self.users + other.users,
            self.ratings + other.ratings,
            self.factors + other.factors,
            self.squares + other.squares,
            self.rated_squares + other.rated_squares,
        )


def parameters_of(
    movies: Floats, counts: Ints, sums: UserSums, sample: Sequence[History], settings: AlsSettings
) -> Parameters:
    """Return the parameters that serving needs, without the users' factors, whose mean is ``mean_user``.

    ``movies``: the factors of the movies, shape (movies, factors). ``sample``: the ratings of some users, from which
    the variance ``v`` is estimated: the sum of the squared errors, divided by the number of ratings minus the degrees
    of freedom that the fit spends on them. Each rating spends its leverages: ``y' (sum y y' + ridge n I)^-1 y`` for the
    user, and ``q / (1 + q)`` with ``q = x' ((n - 1) G + ridge n I)^-1 x`` for the movie, as if its other raters were
    typical.
    """
    size, known = movies.shape[1], counts > 0
    rated = movies[known].astype(np.float64)
    movie_mean = rated.sum(0) / max(1, len(rated))
    user_mean = sums.factors / max(1, sums.users)
    spread_of_users = sums.squares - sums.users * np.outer(user_mean, user_mean)
    spread_of_movies = rated.T @ rated - len(rated) * np.outer(movie_mean, movie_mean)
    # As if a few more users and movies had unit factors, so that no direction counts as known.
    user_covariance, movie_covariance = (
        (spread + np.eye(size)) / (number + size)
        for spread, number in ((spread_of_users, sums.users), (spread_of_movies, len(rated)))
    )
    gram = sums.rated_squares / max(1, sums.ratings)
    lower = np.linalg.cholesky(movie_covariance)
    gains, directions = np.linalg.eigh(lower.T @ gram @ lower)
    factors = np.concatenate([np.where(known[:, None], movies, movie_mean), movie_mean[None]]).astype(np.float32)
    return {
        "factors": factors,
        "mean_user": user_mean,
        "user_precision": np.linalg.inv(user_covariance),
        "axes": lower @ directions,
        "gains": np.maximum(gains, 0.0),
        "noise": np.asarray(_noise_of(factors, counts, gram, sample, settings.ridge)),
    }


def _noise_of(factors: Floats, counts: Ints, gram: Doubles, sample: Sequence[History], ridge: float) -> float:
    """Return ``v``; see ``parameters_of``. ``gram``: ``G``."""
    squares, remaining = 1.0, 1.0  # a weak prior: a variance of 1
    identity = np.eye(factors.shape[1])
    scales, directions = np.linalg.eigh(gram)
    for history in sample:
        y, n = factors[history.movies].astype(np.float64), counts[history.movies, None]
        inverse = np.linalg.inv(y.T @ y + ridge * max(1, len(y)) * identity)
        x = inverse @ (history.stars @ y)
        squares += float(((history.stars - y @ x) ** 2).sum())
        ratios = (x @ directions) ** 2 @ (1 / ((n - 1) * np.maximum(scales, 0) + ridge * n)).T
        leverages = variances(y, inverse) + ratios / (1 + ratios)
        remaining += float(np.maximum(1 - leverages, 0).sum())
    return squares / remaining
