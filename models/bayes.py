"""A Bayesian factorisation machine: what is rated, by whom, who they are and what the movies are, all uncertain."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.dataset import Dataset, Floats, Ints, Ratings
from models.model import Expectation, Fitted, History, Model, Parameters, Progress
from models.settings import Settings, setting

Doubles = NDArray[np.float64]

BLOCK = 16_384
"""Pairs that are worked on at once."""
SURE = 8
"""From how many of the samples it is told how unsure a viewer's own vector is, evenly spread; the mean over more
hardly differs, and it is the most work in a list."""


@dataclass(frozen=True)
class BayesSettings(Settings):
    """Settings of ``Bayes``.

    Chosen on a validation tenth (``hold_out``) of the train parts of ``kfold5-0`` and ``kfold5-1`` of ml-100k.
    """

    factors: int = setting(10, 1, 128)
    """How many directions of taste are told apart."""
    sweeps: int = setting(250, 1, 10_000)
    """How often users and movies are drawn in turn."""
    warm_up: float = setting(0.2, 0.0, 0.9)
    """The share of the sweeps that is forgotten, because what they start from still shows."""
    samples: int = setting(32, 1, 1_000)
    """How many of the sweeps after the warm-up are kept for prediction, evenly spread."""
    implicit: int = setting(64, 0, 1_024)
    """How many directions of what is watched, whatever the stars, tell something of user and movie; 0 for none."""
    features: bool = setting(True, False, True)
    """Whether age, gender, occupation, zip code, genres, year and directors tell something, where they are known."""
    caution: float = setting(2.0, 0.0, 10.0)
    """How many standard deviations of uncertainty are taken off the stars to order a list."""
    popularity: float = setting(0.3, 0.0, 5.0)
    """How much of the logarithm of a movie's number of ratings is added to order a list."""


@dataclass(frozen=True, eq=False)
class Beliefs:
    """What is believed of a viewer by each sample: a normal distribution over their factors and, last, their bias."""

    mean: Doubles
    """Shape (samples, factors + 1)."""
    covariance: Doubles
    """Shape (samples, factors + 1, factors + 1)."""


class Bayes(Model[BayesSettings, Beliefs]):
    """A factorisation machine (Rendle, Factorization machines with libFM, 2012) whose posterior is sampled.

    ``r ~ N(m + b_u + c_i + p_u . q_i, v)``. A user's ``x = (p, b)`` is normal around a regression on what is known of
    the user: which movies were rated, whatever the stars (SVD++; Koren 2008), and age, gender, occupation and zip
    code; a movie's ``y = (q, c)`` around one on who rated it, genres, year and directors. All means, weights and
    covariances have normal-Wishart priors and are drawn by Gibbs sampling (``models.gibbs``). Interactions that a
    factorisation machine has within one side are left to that side's bias.

    Some samples are kept. Given a sample's movies and priors the posterior of a user is

        covariance = (L + sum w w' / v)^-1
        mean = covariance (L e + sum w (r - m - c) / v)     with w = (q, 1), sums over the rated movies,

    where ``e`` is the regression and ``L`` the precision around it; what is expected is the mean over the samples.
    """

    name = "bayes"
    summary = "Bayesian factorisation machine; uses what is known of users and movies, and knows how sure it is."
    settings_type = BayesSettings

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        # Only here: it imports torch, which serving does without.
        from models.gibbs import sample

        return sample(train, validation, self.settings, self.seed, progress)

    def predict(self, users: Ints, movies: Ints) -> Floats:
        """Return the expected stars; of unknown users and movies the mean of all is expected."""
        user, movie = self.parameters["users"], self.parameters["movie_means"]
        stars = np.empty(len(users), np.float32)
        for start in range(0, len(users), BLOCK):
            block = slice(start, start + BLOCK)
            stars[block] = sum(_products(x[users[block]], y[movies[block]]) for x, y in zip(user, movie, strict=True))
        return self.scale.clip(stars / np.float32(len(user)) + np.float32(self.parameters["overall"]))

    def fold_in(self, history: History) -> Beliefs:
        """Compute the viewer's posterior in closed form, for each sample."""
        precision, pull = self._sums(history)
        covariance = np.asarray(np.linalg.inv(precision), np.float64)
        return Beliefs((covariance @ pull[:, :, None])[:, :, 0], covariance)

    def expect(self, taste: Beliefs) -> Expectation:
        """Return the mean and the standard deviation over the samples, the viewer's own covariance included.

        The score takes ``caution`` times the deviation off the stars before they are clipped, and adds ``popularity``
        times the logarithm of one more than the movie's ratings.
        """
        drawn, mean = self.parameters["movies"], taste.mean.astype(np.float32)[:, None]
        stars = _said(self.parameters["movie_means"][:, :-1], mean)[:, :, 0].mean(0)
        variance = _said(drawn, mean)[:, :, 0].var(0)
        some = _some(len(mean))
        for y, root in zip(drawn[some], np.linalg.cholesky(taste.covariance[some]).astype(np.float32), strict=True):
            reach = y[:, :-1] @ root[:-1] + root[-1]
            variance += np.einsum("nk,nk->n", reach, reach) / np.float32(len(some))
        return self._expectation(stars, variance, self.counts)

    def explain_list(self, history: History, movies: Ints) -> Floats:
        """Leave out each rating in turn, all at once: it changes a sample's precision by a matrix of rank one."""
        rated, rest, noise = self._rated(history)
        precision, pull = self._sums(history)
        covariance = np.linalg.inv(precision)
        prior = self.parameters["user_precision"].astype(np.float64)
        own = self.parameters["watched"][history.movies].astype(np.float64)
        with_all = self._prior(history.user, self._watched(own.sum(0, keepdims=True), len(history)))
        without = self._prior(history.user, self._watched(own.sum(0) - own, len(history) - 1))
        pulls = pull[:, None] + (without - with_all) @ prior - rated * (rest / noise)[:, :, None]
        gains = rated @ covariance
        left = noise - (gains * rated).sum(2)
        means = pulls @ covariance + gains * ((gains * pulls).sum(2) / left)[:, :, None]
        means = np.concatenate([pull[:, None] @ covariance, means], 1)
        drawn, viewers = self.parameters["movies"][:, movies], means.astype(np.float32)
        stars = _said(self.parameters["movie_means"][:, movies], viewers).mean(0)
        variance = _said(drawn, viewers).var(0)
        some = _some(len(means))
        for s in some:
            design = _design(drawn[s])
            whole = ((design @ covariance[s]) * design).sum(1, keepdims=True)
            variance += np.append(whole, whole + (design @ gains[s].T) ** 2 / left[s], 1) / len(some)
        score = self._expectation(stars, variance, self.counts[movies][:, None]).score
        return score[:, :1] - score[:, 1:]

    def _expectation(self, stars: NDArray[Any], variance: NDArray[Any], counts: NDArray[Any]) -> Expectation:
        stars = stars + np.float32(self.parameters["overall"])
        uncertainty = np.sqrt(np.maximum(variance, 0.0)).astype(np.float32)
        known = np.log1p(counts) * self.settings.popularity
        score = stars - self.settings.caution * uncertainty + known
        return Expectation(self.scale.clip(stars), uncertainty, score.astype(np.float32))

    def _sums(self, history: History) -> tuple[Doubles, Doubles]:
        """The precision of each sample's posterior, and the precision times the mean."""
        rated, rest, noise = self._rated(history)
        prior = self.parameters["user_precision"].astype(np.float64)
        precision = prior + rated.transpose(0, 2, 1) @ (rated / noise[:, :, None])
        watched = self._watched(self.parameters["watched"][history.movies].sum(0, np.float64)[None], len(history))
        expected = self._prior(history.user, watched)[:, 0]
        pull = (prior @ expected[:, :, None])[:, :, 0] + ((rest / noise)[:, None] @ rated)[:, 0]
        return precision, pull

    def _rated(self, history: History) -> tuple[Doubles, Doubles, Doubles]:
        """The rated movies as ``(q, 1)``, shape (samples, ratings, factors + 1); the stars without mean and movie's
        bias, shape (samples, ratings); and the variance of a rating, shape (samples, 1)."""
        movies = self.parameters["movies"][:, history.movies].astype(np.float64)
        rest = history.stars - float(self.parameters["overall"]) - movies[:, :, -1]
        return _design(movies), rest, self.parameters["noise"].astype(np.float64)[:, None]

    def _prior(self, user: int | None, watched: Doubles) -> Doubles:
        """The regression on what is known of a viewer, shape (samples, n, factors + 1), for each of n ``watched``."""
        people = self.parameters["people"][-1 if user is None else user]
        found: Doubles = self.parameters["user_mean"][:, None] + people @ self.parameters["people_weights"][:, None]
        return found + watched @ self.parameters["watched_weights"].astype(np.float64)

    def _watched(self, total: Doubles, ratings: int) -> Doubles:
        """The directions of what somebody watched, from the sum over the rated movies, shape (n, directions)."""
        if ratings < 1:
            return np.zeros_like(total)
        found: Doubles = total / np.sqrt(ratings) - self.parameters["watched_mean"]
        return found


def _design(vectors: NDArray[Any]) -> NDArray[Any]:
    """``(q, 1)`` of ``(q, c)``: what the vector of the other side is multiplied with, but for ``c`` itself."""
    design = vectors.copy()
    design[..., -1] = 1.0
    return design


def _products(users: Floats, movies: Floats) -> Floats:
    """``b + c + p . q`` of pairs, shape (pairs,)."""
    found: Floats = np.einsum("nk,nk->n", users[:, :-1], movies[:, :-1]) + users[:, -1] + movies[:, -1]
    return found


def _said(movies: Floats, viewers: Floats) -> Floats:
    """``b + c + p . q`` by each sample, of each movie with each viewer, shape (samples, movies, viewers)."""
    return movies[:, :, :-1] @ viewers[:, :, :-1].transpose(0, 2, 1) + movies[:, :, -1:] + viewers[:, None, :, -1]


def _some(samples: int) -> NDArray[np.intp]:
    """``SURE`` of the samples, evenly spread."""
    return np.unique(np.linspace(0, samples - 1, SURE).astype(np.intp))
