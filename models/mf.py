"""Biased matrix factorisation with uncertainty."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Floats, Ints, Ratings
from movietui.data.language import tr
from movietui.models.base import Expectation, Fitted, History, Model, Parameters, Progress
from movietui.models.caution import cautious
from movietui.models.settings import Settings, setting
from movietui.models.variances import variances

Doubles = NDArray[np.float64]

BLOCK = 16_384
"""How many users, movies or ratings are processed at once: enough to keep the processor busy, few enough to fit in
memory."""


@dataclass(frozen=True)
class BiasedMFSettings(Settings):
    """Settings of ``BiasedMF``.

    The defaults of the fit were chosen on a held-out tenth (``hold_out``) of the train part of ``kfold5-0`` of
    ml-100k, those of ``caution`` and ``popularity`` on a held-out tenth of ``random80``. On the latter, a larger
    ``popularity`` raises ndcg@10 further, from 0.085 at 0.3 to 0.104 at 1, but ranks less liked movies higher and puts
    fewer different movies into lists.
    """

    factors: int = setting(10, 1, 128)
    """The number of latent factors."""
    sweeps: int = setting(12, 1, 200)
    """How many times users and movies are updated in turn."""
    spread: float = setting(0.2, 0.001, 10.0)
    """The prior variance of biases and factors."""
    caution: float = setting(2.0, 0.0, 10.0)
    """How many standard deviations of uncertainty are subtracted from the stars to order a list:
    ``stars − caution · uncertainty``."""
    popularity: float = setting(0.3, 0.0, 5.0)
    """How much of the logarithm of a movie's number of ratings, ``n``, is added to order a list:
    ``popularity · log(1 + n)``."""


@dataclass(frozen=True, eq=False)
class Posterior:
    """The posterior of a viewer: a normal distribution over their factors and, last, their bias."""

    mean: Doubles
    """Shape (factors + 1,)."""
    covariance: Doubles
    """Shape (factors + 1, factors + 1)."""


class BiasedMF(Model[BiasedMFSettings, Posterior]):
    """A rating is the sum of a mean, a user's bias, a movie's bias and the product of their factors, which are all
    uncertain.

    ``r ~ N(m + b_u + c_i + p_u . q_i, v)``. A user's ``x = (p, b)`` and a movie's ``y = (q, c)`` have normal priors,
    with a mean ``e`` and a full covariance ``C`` for each side. These are learned, and so is ``v``. The model is fitted
    by variational Bayes, with a normal posterior for each user and each movie (Lim and Teh, Variational Bayesian
    approach to movie rating prediction, 2007; the normal-Wishart priors are those of Salakhutdinov and Mnih, Bayesian
    probabilistic matrix factorization, 2008). Given the movies, the posterior of a user is

        covariance = (C^-1 + sum E[w w'] / v)^-1
        mean = covariance (C^-1 e + sum E[w (r - m - c)] / v)     with w = (q, 1), sums over the rated movies.

    The expectations account for how uncertain each movie is: a movie with few ratings says little about a user.
    """

    name = "mf"
    summary = tr("Matrix factorisation; learns tastes, and knows how sure it is.")
    formula = "m + b_u + c_i + p_u · q_i"
    reference = "Lim and Teh 2007; Salakhutdinov and Mnih 2008"
    settings_type = BiasedMFSettings
    needs_torch = True

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        # Imported here because it needs torch, and serving does not.
        from movietui.models.training.mf import fit

        return fit(train, validation, self.settings, self.seed, progress)

    def predict(self, users: Ints, movies: Ints) -> Floats:
        """Return the predicted stars. Unknown users and movies get the prior mean."""
        return self.scale.clip(expected(self.parameters, users, movies))

    def fold_in(self, history: History) -> Posterior:
        """Compute the viewer's posterior in closed form."""
        precision, pull = self._sums(history)
        covariance = np.asarray(np.linalg.inv(precision), np.float64)
        return Posterior(covariance @ pull, covariance)

    def expect(self, taste: Posterior) -> Expectation:
        """Return the mean and the standard deviation of ``m + b + c + p . q``; see ``moments``.

        The score is that of ``cautious``.
        """
        return cautious(self.settings, self.scale, *self.moments(taste), self.counts)

    def stars(self, taste: Posterior, movies: Ints) -> Floats:
        """Return the mean of ``m + b + c + p . q``."""
        movie, mean = self.parameters["movie_mean"][movies], taste.mean.astype(np.float32)
        return self.scale.clip(
            movie[:, :-1] @ mean[:-1] + movie[:, -1] + (np.float32(self.parameters["overall"]) + mean[-1])
        )

    def moments(self, taste: Posterior) -> tuple[Floats, Floats]:
        """Return the mean and the variance of ``m + b + c + p . q`` for each movie, with uncertainty on both sides.

        With the means of ``a = (p, 1)`` and ``w = (q, 1)``, the viewer's covariance ``S`` and the movie's covariance
        ``T``, the variance is ``a' T a + w' S w + tr(S_pp T_qq)``. The mean is not clipped to the scale.
        """
        movie = self.parameters["movie_mean"][:-1]
        factors, bias = movie[:, :-1], movie[:, -1]
        mean = taste.mean.astype(np.float32)
        stars = factors @ mean[:-1] + bias + (np.float32(self.parameters["overall"]) + mean[-1])
        weights = _packed_weights(taste.mean, taste.covariance).astype(np.float32)
        variance = variances(factors, taste.covariance) + self.parameters["movie_covariance"] @ weights
        return stars, np.maximum(variance, 0.0)

    def movie_vectors(self) -> Floats:
        """Return the means of the movies' factors."""
        return np.asarray(self.parameters["movie_mean"][:-1, :-1], np.float32)

    def explain_list(self, history: History, movies: Ints) -> Floats:
        """Return how much each rating adds to the scores.

        For all ratings at once, subtract what each adds to the precision and to the pull, solve again, and compare the
        scores.
        """
        precision, pull = self._sums(history)
        parts, pulls = self._parts(history)
        covariances = np.linalg.inv(np.concatenate([precision[None], precision - parts]))
        means = (covariances @ np.concatenate([pull[None], pull - pulls])[:, :, None])[:, :, 0]
        rows = self.parameters["movie_mean"][movies].astype(np.float64)
        bias = rows[:, -1:] + float(self.parameters["overall"])
        design = np.concatenate([rows[:, :-1], np.ones((len(rows), 1))], 1)
        squares = (design[:, :, None] * design[:, None, :]).reshape(len(rows), precision.size)
        variance = squares @ covariances.reshape(len(means), precision.size).T
        variance += self.parameters["movie_covariance"][movies] @ _packed_weights(means, covariances).T
        stars, counts = design @ means.T + bias, self.counts[movies][:, None]
        score = cautious(self.settings, self.scale, stars, variance, counts).score
        return score[:, :1] - score[:, 1:]

    def _sums(self, history: History) -> tuple[Doubles, Doubles]:
        """Return the precision of a viewer's posterior, and the precision times the mean."""
        design, covariance, residuals = self._rated(history)
        precision, pull = design.T @ design, design.T @ residuals
        spread = _unpack(covariance.sum(0))
        precision[:-1, :-1] += spread[:-1, :-1]
        pull[:-1] -= spread[:-1, -1]
        prior, noise = self.parameters["user_precision"], float(self.parameters["noise"])
        return prior + precision / noise, prior @ self.parameters["user_mean"][-1] + pull / noise

    def _parts(self, history: History) -> tuple[Doubles, Doubles]:
        """Return what each rating adds to ``_sums``."""
        design, covariance, residuals = self._rated(history)
        spread = _unpack(covariance)
        parts, pulls = design[:, :, None] * design[:, None, :], design * residuals[:, None]
        parts[:, :-1, :-1] += spread[:, :-1, :-1]
        pulls[:, :-1] -= spread[:, :-1, -1]
        noise = float(self.parameters["noise"])
        return parts / noise, pulls / noise

    def _rated(self, history: History) -> tuple[Doubles, Doubles, Doubles]:
        """Return the rated movies as ``(q, 1)``, their packed covariances, and the stars minus the overall mean and
        the movies' biases."""
        movie = self.parameters["movie_mean"][history.movies].astype(np.float64)
        residuals = history.stars - float(self.parameters["overall"]) - movie[:, -1]
        movie[:, -1] = 1.0
        return movie, self.parameters["movie_covariance"][history.movies].astype(np.float64), residuals


def expected(parameters: Parameters, users: Ints, movies: Ints) -> Floats:
    """Return the predicted stars of pairs of a user and a movie, not clipped to the scale."""
    user, movie = parameters["user_mean"], parameters["movie_mean"]
    stars = np.empty(len(users), np.float32)
    for start in range(0, len(users), BLOCK):
        block = slice(start, start + BLOCK)
        x, y = user[users[block]], movie[movies[block]]
        stars[block] = np.einsum("nk,nk->n", x[:, :-1], y[:, :-1]) + x[:, -1] + y[:, -1]
    return stars + np.float32(parameters["overall"])


_triangle = cache(np.triu_indices)
"""The rows and columns of the upper triangle of a square matrix of this size."""


def _unpack(packed: Doubles) -> Doubles:
    """Return symmetric matrices, shape (..., n, n), from their upper triangles, packed row by row, shape (..., n (n +
    1) / 2)."""
    size = int((np.sqrt(8 * packed.shape[-1] + 1) - 1) / 2)
    rows, columns = _triangle(size)
    matrices = np.empty((*packed.shape[:-1], size, size))
    matrices[..., rows, columns] = packed
    matrices[..., columns, rows] = packed
    return matrices


def _packed_weights(mean: Doubles, covariance: Doubles) -> Doubles:
    """Return the weights that turn a movie's packed covariance ``T`` into ``a' T a + tr(S_pp T_qq)``.

    ``mean``: shape (..., n), and ``covariance``: shape (..., n, n), of viewers; returns shape (..., n (n + 1) / 2).
    """
    design = mean.copy()
    design[..., -1] = 1.0
    matrices = design[..., :, None] * design[..., None, :]
    matrices[..., :-1, :-1] += covariance[..., :-1, :-1]
    rows, columns = _triangle(mean.shape[-1])
    weights: Doubles = matrices[..., rows, columns] * np.where(rows == columns, 1.0, 2.0)
    return weights
