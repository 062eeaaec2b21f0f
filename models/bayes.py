"""A Bayesian factorisation machine: what is rated, by whom, who they are and what the movies are, all uncertain."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.dataset import Dataset, Floats, Ints, Ratings, Scale
from models import ordinal
from models.model import Expectation, Fitted, History, Model, Parameters, Progress, history_of
from models.settings import Settings, setting
from models.threads import side_by_side

Doubles = NDArray[np.float64]

BLOCK = 16_384
"""Pairs that are worked on at once."""
AT_ONCE = 128
"""Ratings of a viewer that are worked on at once: so many stay in the cache of the processor."""
SURE = 8
"""From how many of the samples it is told how unsure a viewer's own vector is, evenly spread: the uncertainty is 1.6 %
off what all 32 give, and it is the most work in a list."""
ROUNDS = 8
"""How often the latent numbers behind a viewer's stars and the viewer's mean are found in turn, with ``ordinal``."""


@dataclass(frozen=True)
class BayesSettings(Settings):
    """Settings of ``Bayes``.

    Chosen on a validation tenth (``hold_out``) of the train parts of ``kfold5-0`` and ``kfold5-1`` of ml-100k and of
    ``random90`` of ml-1m; caution and popularity are those of ``BiasedMF``.
    """

    factors: int = setting(0, 0, 128)
    """How many directions of taste are told apart; 0 for as many as the number of ratings supports: 10 for the 80,000
    of a fold of ml-100k, 30 for the 900,000 of ml-1m, from 4 to 32."""
    sweeps: int = setting(200, 1, 10_000)
    """How often users and movies are drawn in turn."""
    warm_up: float = setting(0.2, 0.0, 0.9)
    """The share of the sweeps that is forgotten, because what they start from still shows."""
    samples: int = setting(32, 1, 1_000)
    """How many of the sweeps after the warm-up are kept for prediction, evenly spread."""
    implicit: int = setting(6, 0, 100)
    """How many directions of what is watched, whatever the stars, tell something of user and movie, for each factor; 0
    for none."""
    ordinal: bool = setting(False, False, True)
    """Whether stars are steps of unequal height (ordered probit); else they are plain numbers."""
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
    roots: Floats
    """Of some samples, those of ``_some``, a root ``R`` of the covariance ``R' R``, shape (some, factors + 1,
    factors + 1)."""
    scatter: Floats
    """How far their ratings lie from what is expected: the variance, over the average one, shape (samples,)."""


class Bayes(Model[BayesSettings, Beliefs]):
    """A factorisation machine (Rendle, Factorization machines with libFM, 2012) whose posterior is sampled.

    ``r ~ N(m + b_u + c_i + p_u . q_i, v s_u s_i)``: the ratings of some users, and of some movies, scatter more than
    others and tell less (as in Lakshminarayanan, Bouchard and Archambeau, Robust Bayesian matrix factorisation, 2011).
    A user's ``x = (p, b)`` is normal around a regression on what is known of the user: which movies were rated,
    whatever the stars (SVD++; Koren 2008), and age, gender, occupation and zip code; a movie's ``y = (q, c)`` around
    one on who rated it, genres, year and directors. All means, weights and covariances have normal-Wishart priors, the
    scatters inverse gamma ones, and are drawn by Gibbs sampling (``models.gibbs``). Interactions that a factorisation
    machine has within one side are left to that side's bias.

    Some samples are kept. Given a sample's movies and priors the posterior of a user is

        covariance = (L + sum w w' / v_i)^-1
        mean = covariance (L e + sum w (r - m - c) / v_i)     with w = (q, 1), sums over the rated movies,

    where ``e`` is the regression, ``L`` the precision around it and ``v_i = v s_u s_i``; somebody who is not in the
    dataset scatters as the average does. What is expected is the mean over the samples.

    With ``ordinal`` what is normal is a latent number behind the stars (``models.ordinal``), and the stars are what it
    makes expected. Folding in takes its mean given the stars in the place of ``r``, and as that depends on the viewer's
    own mean, both in turn, ``ROUNDS`` times (mean-field variational Bayes).
    """

    name = "bayes"
    summary = "Bayesian factorisation machine; uses what is known of users and movies, and knows how sure it is."
    settings_type = BayesSettings

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        # Only here: it imports torch, which serving does without.
        from models.gibbs import sample

        parameters, fitted = sample(train, validation, self.settings, self.seed, progress)
        if self.settings.ordinal:
            # The sampler knows the latent numbers that it drew; folding in, which serves, knows their means.
            served = Bayes(self.settings)
            served.restore(parameters, train.scale)
            for user in np.unique(train.ratings.user).tolist():
                parameters["users"][:, user] = served.fold_in(history_of(train, user)).mean
        return parameters, fitted

    def restore(self, parameters: Parameters, scale: Scale) -> None:
        """Become a fitted model; keep what was drawn of each movie beside each other too.

        Folding in reads it so: from ``movies`` it takes a cache line for every number, half of the time of a list.
        """
        super().restore(parameters, scale)
        self._by_movie = np.ascontiguousarray(parameters["movies"].transpose(2, 0, 1))

    def predict(self, users: Ints, movies: Ints) -> Floats:
        """Return the expected stars; of unknown users and movies the mean of all is expected."""
        user, movie = self.parameters["users"], self.parameters["movie_means"]
        stars = np.empty(len(users), np.float32)
        for start in range(0, len(users), BLOCK):
            block = slice(start, start + BLOCK)
            total = np.zeros(len(users[block]), np.float32)
            for sample, (xs, ys) in enumerate(zip(user, movie, strict=True)):
                x, y = xs[users[block]], ys[:, movies[block]].T
                said = np.einsum("nk,nk->n", x[:, :-1], y[:, :-1]) + x[:, -1] + y[:, -1]
                total += self._read(sample, said, self._scatter_of(users[block])[sample], movies[block])
            stars[block] = total / np.float32(len(user))
        return self.scale.clip(stars)

    def _read(self, sample: int | slice, said: Floats, scatter: Floats, movies: Ints | slice) -> Floats:
        """The stars that are expected by a sample, or by several beside each other, where ``said`` is.

        ``scatter``: of the viewer.
        """
        latent, known = said + np.float32(self.parameters["overall"]), self.parameters
        if not self.settings.ordinal:
            return latent
        of_movies = np.pad(known["movie_scatter"][sample], [(0, 0)] * (said.ndim - 1) + [(0, 1)], constant_values=1)
        noise = known["noise"][sample, ..., None] * scatter * of_movies[..., movies]
        return ordinal.expected(known["values"], known["cuts"][sample], latent, np.sqrt(noise))

    def _scatter_of(self, users: Any) -> Floats:
        found: Floats = self.parameters["user_scatter"][:, users]
        return found

    def fold_in(self, history: History) -> Beliefs:
        """Compute the viewer's posterior for each sample: in closed form, or in turn with the latent numbers."""
        precision, pull = self._sums(history)
        mean = _solved(precision, pull)
        if self.settings.ordinal and len(history):
            rated, rest, noise = self._rated(history)
            for _ in range(ROUNDS):
                latent = history.stars - rest + (rated @ mean[:, :, None])[:, :, 0]
                drawn = ordinal.latent_mean(
                    self.parameters["values"], self.parameters["cuts"], history.stars, latent, np.sqrt(noise)
                )
                moved = pull + (((drawn - history.stars) / noise)[:, None] @ rated)[:, 0]
                mean = _solved(precision, moved)
        roots = np.linalg.inv(np.linalg.cholesky(precision[_some(len(mean))])).astype(np.float32)
        return Beliefs(mean, roots, self._scatter_of(-1 if history.user is None else history.user))

    def expect(self, taste: Beliefs) -> Expectation:
        """Return the mean and the standard deviation over the samples, the viewer's own covariance included.

        The score takes ``caution`` times the deviation off the stars before they are clipped, and adds ``popularity``
        times the logarithm of one more than the movie's ratings.
        """
        total = len(self.counts)
        halves = (partial(self._moments, taste, half) for half in (slice(total // 2), slice(total // 2, total)))
        stars, variance = map(np.concatenate, zip(*side_by_side(*halves), strict=True))
        return self._expectation(stars, variance, self.counts)

    def _moments(self, taste: Beliefs, movies: slice) -> tuple[Floats, Floats]:
        """The mean and the variance over the samples of the stars of some movies."""
        drawn, means, mean = self.parameters["movies"], self.parameters["movie_means"], taste.mean.astype(np.float32)
        if self.settings.ordinal:
            each_said = _said(means[..., movies], mean[:, None])[:, 0]
            stars = self._read(slice(None), each_said, taste.scatter[:, None], movies).mean(0)
        else:
            # The mean over the samples is one product, which reads the movies once.
            said = _design(mean).ravel() @ means.reshape(mean.size, -1)[:, movies] / np.float32(len(mean))
            stars = said + mean[:, -1].mean() + np.float32(self.parameters["overall"])
        drawn = drawn[..., movies]
        variance = _said(drawn, mean[:, None]).var(0)[0]
        reach = np.empty(drawn.shape[1:], np.float32)  # made once: to make it takes as long as to fill it
        for sample, root in zip(_some(len(mean)), taste.roots, strict=True):
            np.matmul(root[:, :-1], drawn[sample, :-1], out=reach)
            reach += root[:, -1:]
            variance += np.einsum("km,km->m", reach, reach) / np.float32(len(taste.roots))
        if self.settings.ordinal:
            variance = self._in_stars(each_said.mean(0), np.sqrt(variance), taste, movies) ** 2
        return stars, variance

    def explain_list(self, history: History, movies: Ints) -> Floats:
        """Leave out each rating in turn, all at once: it changes a sample's precision by a matrix of rank one."""
        if self.settings.ordinal:
            return super().explain_list(history, movies)  # what is left out moves the latent numbers of all the others
        rated, rest, noise = (part.astype(np.float64) for part in self._rated(history))
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
        drawn, viewers = self.parameters["movies"][:, :, movies], means.astype(np.float32)
        stars = _said(self.parameters["movie_means"][:, :, movies], viewers).mean(0) + self.parameters["overall"]
        variance = _said(drawn, viewers).var(0)
        some = _some(len(means))
        for s in some:
            design = _design(drawn[s].T)
            whole = np.einsum("nk,nk->n", design @ covariance[s], design)[None]
            variance += np.append(whole, whole + (gains[s] @ design.T) ** 2 / left[s][:, None], 0) / len(some)
        score = self._expectation(stars, variance, self.counts[movies]).score.T
        return score[:, :1] - score[:, 1:]

    def _in_stars(self, latent: Floats, deviation: Floats, taste: Beliefs, movies: slice) -> Floats:
        """How far the stars of some movies move where the latent numbers do by their standard deviation, up and
        down."""
        known = self.parameters
        noise = (known["noise"] * taste.scatter).mean() * known["movie_scatter"][:, movies].mean(0)
        cuts, middle, deviation_of_one = known["cuts"].mean(0), latent + known["overall"], np.sqrt(noise)
        high, low = (
            ordinal.expected(known["values"], cuts, middle + way * deviation, deviation_of_one) for way in (1, -1)
        )
        return np.asarray((high - low) / 2, np.float32)

    def _expectation(self, stars: NDArray[Any], variance: NDArray[Any], counts: NDArray[Any]) -> Expectation:
        stars = np.asarray(stars, np.float32)
        uncertainty = np.sqrt(np.maximum(variance, 0.0)).astype(np.float32)
        known = np.log1p(counts) * self.settings.popularity
        score = stars - self.settings.caution * uncertainty + known
        return Expectation(self.scale.clip(stars), uncertainty, score.astype(np.float32))

    def _sums(self, history: History) -> tuple[Doubles, Doubles]:
        """The precision of each sample's posterior, and the precision times the mean."""
        prior = self.parameters["user_precision"].astype(np.float64)
        watched = self._watched(self.parameters["watched"][history.movies].sum(0, np.float64)[None], len(history))
        expected = self._prior(history.user, watched)[:, 0]
        precision, pull = prior, (prior @ expected[:, :, None])[:, :, 0]
        for first in range(0, len(history), AT_ONCE):
            some = slice(first, first + AT_ONCE)
            rated, rest, noise = self._rated(History(history.movies[some], history.stars[some], history.user))
            # In float32, which is twice as fast: of these sums it loses nothing that counts beside the prior.
            root = np.sqrt(noise)
            rated /= root[:, :, None]
            precision += rated.transpose(0, 2, 1) @ rated
            pull += ((rest / root)[:, None] @ rated)[:, 0]
        return precision, pull

    def _rated(self, history: History) -> tuple[Floats, Floats, Floats]:
        """The rated movies as ``(q, 1)``, shape (samples, ratings, factors + 1); the stars without mean and movie's
        bias, and the variance of each rating, shape (samples, ratings) both."""
        movies = self._by_movie[history.movies].transpose(1, 0, 2)
        rest = history.stars - np.float32(self.parameters["overall"]) - movies[:, :, -1]
        movies[:, :, -1] = 1
        scatter = self.parameters["user_scatter"][:, -1 if history.user is None else history.user, None]
        noise = self.parameters["noise"][:, None] * scatter * self.parameters["movie_scatter"][:, history.movies]
        return movies, rest, noise

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


def _solved(precision: Doubles, pull: Doubles) -> Doubles:
    """The mean of each sample's posterior, shape (samples, factors + 1)."""
    return np.asarray(np.linalg.solve(precision, pull[:, :, None])[:, :, 0], np.float64)


def _design(vectors: NDArray[Any]) -> NDArray[Any]:
    """``(q, 1)`` of ``(q, c)``: what the vector of the other side is multiplied with, but for ``c`` itself."""
    design = vectors.copy()
    design[..., -1] = 1.0
    return design


def _said(movies: Floats, viewers: Floats) -> Floats:
    """``b + c + p . q`` by each sample, of each viewer and each movie, shape (samples, viewers, movies).

    ``movies``: shape (samples, factors + 1, movies), in which the products are twice as fast as the other way round;
    ``viewers``: shape (samples, viewers, factors + 1).
    """
    said: Floats = _design(viewers) @ movies + viewers[:, :, -1:]
    return said


def _some(samples: int) -> NDArray[np.intp]:
    """``SURE`` of the samples, evenly spread."""
    return np.unique(np.linspace(0, samples - 1, SURE).astype(np.intp))
