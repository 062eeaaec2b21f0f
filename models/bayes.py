"""A Bayesian factorisation machine over ratings, implicit feedback and side features, fitted by Gibbs sampling."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Floats, Ints, Ratings, Scale
from movietui.data.language import tr
from movietui.data.samples import evenly_spread
from movietui.models import ordinal
from movietui.models.base import Expectation, Fitted, History, Model, Parameters, Progress, Times, history_of
from movietui.models.caution import cautious
from movietui.models.settings import Settings, setting
from movietui.models.training.threads import side_by_side
from movietui.models.variances import variances

Doubles = NDArray[np.float64]

SITTING_BITS = 40
"""How many bits of a ``sitting_keys`` say which of the user's sittings it is."""
UNKNOWN_SITTINGS = 1 << 39
"""The first number of the sittings of ratings whose time is not known."""
BLOCK = 16_384
"""How many pairs of a user and a movie are processed at once."""
RATINGS_AT_ONCE = 128
"""How many ratings of a viewer are processed at once: this many fit in the processor's cache."""
COVARIANCE_SAMPLES = 8
"""What a viewer's covariance adds to the uncertainty is most of the work of a first list. It is computed for at most
this many samples, evenly spread; the uncertainty differs by 1.6 % from that with all 32 samples."""
ROUNDS = 8
"""With ``ordinal``, how many times the latent numbers behind the stars of a viewer and the viewer's mean are updated in
turn."""


@dataclass(frozen=True)
class BayesSettings(Settings):
    """Settings of ``Bayes``.

    The defaults were chosen on a held-out tenth (``hold_out``) of the train parts of ``kfold5-0`` and ``kfold5-1`` of
    ml-100k and of ``random90`` of ml-1m, the length of a sitting on held-out tenths of the rows that are in the train
    parts of ``kfold5-0``, ``u1`` and ``random90`` (split seed 12345); caution and popularity are those of ``BiasedMF``.
    """

    factors: int = setting(0, 0, 128)
    """The number of latent factors; 0 for as many as the number of ratings supports, from 4 to 32: 10 for the 80,000
    ratings of a fold of ml-100k, 30 for the 900,000 of ml-1m."""
    sweeps: int = setting(200, 1, 10_000)
    """Gibbs sweeps: how many times users and movies are sampled in turn."""
    warm_up: float = setting(0.2, 0.0, 0.9)
    """The share of the sweeps that is discarded as burn-in."""
    samples: int = setting(32, 1, 1_000)
    """How many of the sweeps after the burn-in, evenly spread, are stored for prediction; fewer for a dataset of more
    than 20,000 movies."""
    implicit: int = setting(6, 0, 100)
    """How many directions of implicit feedback (which movies a user rated, regardless of the stars) are used for each
    factor; 0 for none (SVD++; Koren 2008)."""
    sitting: float = setting(5.0, 0.0, 1_000_000.0)
    """How many minutes a sitting lasts: the ratings that a user gives in one sitting are all higher or lower by the
    same amount (Koren 2009). 0 for no sittings; there are none either if the dataset does not say when ratings were
    given."""
    ordinal: bool = setting(False, False, True)
    """Whether stars are unequally spaced levels (ordered probit; McCullagh 1980) rather than plain numbers."""
    features: bool = setting(True, False, True)
    """Whether to use age, gender, occupation, zip code, genres, year and directors, where known."""
    imdb: bool = setting(True, False, True)
    """Whether the features include the mean rating, the number of votes and the runtime on IMDb, if the dataset is
    joined with it."""
    tags: int = setting(0, 0, 100)
    """How many directions of the movies' tags are used with the other facts, if the dataset has tags; 0 for none."""
    caution: float = setting(2.0, 0.0, 10.0)
    """How many standard deviations of uncertainty are subtracted from the stars to order a list:
    ``stars − caution · uncertainty``."""
    popularity: float = setting(0.3, 0.0, 5.0)
    """How much of the logarithm of a movie's number of ratings, ``n``, is added to order a list:
    ``popularity · log(1 + n)``."""


@dataclass(frozen=True, eq=False)
class RatingSums:
    """Sums over a viewer's ratings in each sample, from which the posterior follows."""

    watched: Doubles
    """The sum of the movies' directions of implicit feedback, shape (directions,)."""
    precision: Doubles
    """``sum w w' / v_i``, shape (samples, factors + 1, factors + 1)."""
    pull: Doubles
    """``sum w (r - m - c) / v_i``, shape (samples, factors + 1)."""
    sittings: Times
    """The ``sitting_keys`` of the sittings, each once. A rating whose time is not known has none: the variance of its
    level is part of its ``v_i``."""
    levels: Floats
    """For each sitting ``sum w / v_i`` and, last, ``sum (r - m - c) / v_i``, shape (samples, sittings, factors + 2)."""

    def __add__(self, more: "RatingSums") -> "RatingSums":
        """Return the sums over the ratings of both."""
        is_new = ~np.isin(more.sittings, self.sittings)
        keys = np.append(self.sittings, more.sittings[is_new])
        levels = np.concatenate([self.levels, np.zeros_like(more.levels[:, is_new])], 1)
        levels[:, [np.flatnonzero(keys == key)[0] for key in more.sittings.tolist()]] += more.levels
        precision, pull = self.precision + more.precision, self.pull + more.pull
        return RatingSums(self.watched + more.watched, precision, pull, keys, levels)


@dataclass(frozen=True, eq=False)
class Posteriors:
    """A viewer's posterior in each sample: a normal distribution over their factors and, last, their bias."""

    mean: Doubles
    """Shape (samples, factors + 1)."""
    variance: Doubles
    """The variance of each movie's stars because of the viewer's covariance, the mean over the ``_covariance_samples``,
    shape (movies,)."""
    scatter: Floats
    """The variance of the viewer's ratings around the prediction, relative to the average, shape (samples,)."""
    sums: RatingSums
    """The sums that the posterior was computed from."""


class Bayes(Model[BayesSettings, Posteriors]):
    """A factorisation machine (Rendle, Factorization machines with libFM, 2012) whose posterior is sampled.

    ``r ~ N(m + b_u + c_i + p_u . q_i + t_us, v s_u s_i)``: the ratings of some users, and of some movies, scatter more
    than others and carry less information (as in Lakshminarayanan, Bouchard and Archambeau, Robust Bayesian matrix
    factorisation, 2011). The prior of a user's ``x = (p, b)`` is normal; its mean is a regression on which movies the
    user rated, regardless of the stars (SVD++; Koren 2008), and on age, gender, occupation and zip code. The prior mean
    of a movie's ``y = (q, c)`` is a regression on who rated the movie, and on genres, year and directors. All means,
    weights and covariances have normal-Wishart priors, the scatters ``s`` have inverse gamma priors, and all are drawn
    by Gibbs sampling (``movietui.models.training.bayes``). A factorisation machine also has interactions between the
    features of one side; here, that side's bias stands for them.

    The ratings that a user gives in one sitting share a level ``t_us`` (as those of one day in Koren, Collaborative
    filtering with temporal dynamics, 2009), drawn from ``N(0, V)``. It is integrated out where a viewer is folded in.
    A viewer's next sitting is new: its level is 0 on average, and ``V`` is part of the noise.

    Some samples are stored. Given a sample's movies and priors, the posterior of a user is

        covariance = (L + sum w w' / v_i)^-1
        mean = covariance (L e + sum w (r - m - c) / v_i)     with w = (q, 1), sums over the rated movies,

    where ``e`` is the regression, ``L`` the precision around it and ``v_i = v s_u s_i``; for the ratings of a sitting,
    the inverse of their covariance, ``diag(v_i) + V 1 1'``, takes the place of ``1 / v_i``. A viewer who is not in the
    dataset has the average scatter. The prediction is the mean over the samples.

    With ``ordinal``, the normal distribution is that of a latent number behind the stars (``movietui.models.ordinal``),
    and the prediction is the expected number of stars. Folding in replaces ``r`` by the mean of the latent number given
    the stars. Since this mean depends on the viewer's mean, both are updated in turn, ``ROUNDS`` times (mean-field
    variational Bayes).
    """

    name = "bayes"
    summary = tr("Bayesian factorisation machine; uses facts about users and movies, and knows how sure it is.")
    formula = "m + b_u + c_i + p_u · q_i + t_us"
    reference = "Rendle 2012; Koren 2008, 2009; Lakshminarayanan et al. 2011; Simm et al. 2015"
    settings_type = BayesSettings
    needs_torch = True
    predicts_unrated = True

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        # Imported here because it needs torch, and serving does not.
        from movietui.models.training.bayes import fit

        parameters, fitted = fit(train, validation, self.settings, self.seed, progress)
        if self.settings.ordinal:
            # The sampler drew the latent numbers, but folding in uses their means: store users as they will be served.
            served = Bayes(self.settings)
            served.restore(parameters, train.scale)
            for user in np.unique(train.ratings.user).tolist():
                history = history_of(train, user)
                precision, pull = served._precision_and_pull(history, served._sums(history))
                parameters["users"][:, user] = served._means(history, precision, pull)
        return parameters, fitted

    def restore(self, parameters: Parameters, scale: Scale) -> None:
        """Load the parameters of a fitted model, and also store each movie's samples contiguously.

        Folding in reads this copy. Reading ``movies`` instead would load a cache line for every number, which would
        take half of the time of a list.
        """
        super().restore(parameters, scale)
        by_movie = parameters["movies"].transpose(2, 0, 1)
        self._by_movie = np.empty(by_movie.shape, by_movie.dtype)
        middle = len(by_movie) // 2
        side_by_side(
            lambda: np.copyto(self._by_movie[:middle], by_movie[:middle]),
            lambda: np.copyto(self._by_movie[middle:], by_movie[middle:]),
        )
        # Converting these for each list would take a millisecond.
        self._prior_precision, self._prior_mean = (
            parameters[name].astype(np.float64) for name in ("user_precision", "user_mean")
        )
        weights = parameters["watched_weights"].astype(np.float64)
        self._watched_weights = weights.transpose(1, 0, 2).reshape(weights.shape[1], self._prior_mean.size)
        """The weights of implicit feedback, shape (directions, samples * (factors + 1))."""

    @property
    def reads_time(self) -> bool:
        """Whether there are sittings."""
        return self.settings.sitting > 0

    def only_for_predict(self) -> frozenset[str]:
        """Return the names of the users' means, their sittings and the levels of these."""
        return frozenset(("users", "sittings", "sitting_levels"))

    def noise(self, user: int | None) -> Floats:
        """Return the noise, which includes the variance of the level of a new sitting."""
        noise = super().noise(user)
        assert noise is not None
        return np.asarray(noise + self.parameters["sitting_variance"].mean(), np.float32)

    def predict(self, users: Ints, movies: Ints) -> Floats:
        """Return the predicted stars in a new sitting; unknown users and movies get the prior mean."""
        return self._predict(users, movies, np.full(len(users), -1))

    def predict_at(self, users: Ints, movies: Ints, time: Times) -> Floats:
        """Return the predicted stars, with the levels of those sittings from which there are ratings in train.

        Of the ratings to predict, nothing but the time is used.
        """
        sittings = sitting_rows(self.of_train("sittings"), users, time, self.settings.sitting)
        return self._predict(users, movies, sittings)

    def _predict(self, users: Ints, movies: Ints, sittings: NDArray[np.intp]) -> Floats:
        user, movie = self.of_train("users"), self.parameters["movie_means"]
        levels = self.of_train("sitting_levels")
        stars = np.empty(len(users), np.float32)
        for start in range(0, len(users), BLOCK):
            block = slice(start, start + BLOCK)
            total = np.zeros(len(users[block]), np.float32)
            for sample, (xs, ys) in enumerate(zip(user, movie, strict=True)):
                x, y = xs[users[block]], ys[:, movies[block]].T
                predictor = np.einsum("nk,nk->n", x[:, :-1], y[:, :-1]) + x[:, -1] + y[:, -1]
                predictor += levels[sample, sittings[block]]
                unknown = np.where(sittings[block] < 0, self.parameters["sitting_variance"][sample], np.float32(0))
                total += self._stars(sample, predictor, self._scatter_of(users[block])[sample], movies[block], unknown)
            stars[block] = total / np.float32(len(user))
        return self.scale.clip(stars)

    def _stars(
        self, sample: int | slice, predictor: Floats, scatter: Floats, movies: Ints | slice, unknown: Floats
    ) -> Floats:
        """Return the expected stars for values of ``b + c + p . q``, in one sample or in several at once.

        ``scatter``: how much the ratings of each viewer scatter, relative to the average; ``unknown``: the variance of
        the level of each rating's sitting.
        """
        latent, parameters = predictor + np.float32(self.parameters["overall"]), self.parameters
        if not self.settings.ordinal:
            return latent
        of_movies = np.pad(
            parameters["movie_scatter"][sample], [(0, 0)] * (predictor.ndim - 1) + [(0, 1)], constant_values=1
        )
        noise = parameters["noise"][sample, ..., None] * scatter * of_movies[..., movies] + unknown
        return ordinal.expected(parameters["values"], parameters["cuts"][sample], latent, np.sqrt(noise))

    def _scatter_of(self, users: Ints | int) -> Floats:
        scatter: Floats = self.parameters["user_scatter"][:, users]
        return scatter

    def fold_in(self, history: History) -> Posteriors:
        """Compute the viewer's posterior in each sample, in closed form; with ``ordinal``, in turn with the latent
        numbers."""
        sums = self._sums(history)
        precision, pull = self._precision_and_pull(history, sums)
        variance = self._variance(precision)
        return Posteriors(self._means(history, precision, pull), variance, self._scatter(history), sums)

    def extend(self, taste: Posteriors, history: History) -> Posteriors:
        """Add the last rating to the sums, and subtract what it tells about each movie from the variances.

        Given the other ratings of its sitting, the rating is ``u . x`` with a variance of ``v``, where
        ``u = w - sum w / v_i / (l + sum 1 / v_i)`` and ``v = v_i + 1 / (l + sum 1 / v_i)``. It lowers the variance of a
        movie with the vector ``d`` by ``(d' C u)^2 / (v - u' C u)``, where ``C`` is the new covariance (Sherman and
        Morrison).
        """
        last = slice(len(history) - 1, None)
        rating, key = history.take(last), _sitting_keys_of(history, self.settings.sitting)[last]
        sums = taste.sums + self._sums(rating, key)
        precision, pull = self._precision_and_pull(history, sums)
        samples = _covariance_samples(len(precision))
        (rated,), _, (noise,) = (part[samples].swapaxes(0, 1) for part in self._rated(rating))
        level = taste.sums.levels[samples][:, taste.sums.sittings == key].sum(1)
        known = level[:, -2] + self._level_precision()[samples, 0]
        direction = rated - level[:, :-1] / known[:, None]
        gains = np.linalg.solve(precision[samples], direction[:, :, None])[:, :, 0]
        remaining = noise + 1 / known - (gains * direction).sum(1)
        variance = taste.variance.copy()
        for sample, gain in zip(samples, (gains / np.sqrt(remaining * len(samples))[:, None]), strict=True):
            gain = gain.astype(np.float32)
            variance -= np.square(gain[:-1] @ self.parameters["movies"][sample, :-1, : len(variance)] + gain[-1])
        return Posteriors(self._means(history, precision, pull), variance, self._scatter(history), sums)

    def _scatter(self, history: History) -> Floats:
        return self._scatter_of(-1 if history.user is None else history.user)

    def _variance(self, precision: Doubles) -> Doubles:
        """Return the ``variance`` of ``Posteriors``."""
        movies, samples = len(self.counts), _covariance_samples(len(precision))
        roots = np.linalg.inv(np.linalg.cholesky(precision[samples])).astype(np.float32)
        variance, spread = np.zeros(movies), np.empty((roots.shape[1], movies), np.float32)
        for sample, root in zip(samples, roots, strict=True):
            np.matmul(root[:, :-1], self.parameters["movies"][sample, :-1, :movies], out=spread)
            spread += root[:, -1:]
            variance += np.einsum("km,km->m", spread, spread)
        return variance / len(samples)

    def _means(self, history: History, precision: Doubles, pull: Doubles) -> Doubles:
        """Return the ``mean`` of ``Posteriors``."""
        mean = _means_of(precision, pull)
        if self.settings.ordinal and len(history):
            rated, residuals, noise = self._rated(history)
            sittings = _Sittings(history, 1 / noise, self._level_precision(), self.settings.sitting)
            shift: NDArray[Any] = np.zeros_like(residuals)
            for _ in range(ROUNDS):
                expected = (rated @ mean[:, :, None])[:, :, 0]
                latent = history.stars - residuals + expected + sittings.means(residuals + shift - expected)
                shift = (
                    ordinal.latent_mean(
                        self.parameters["values"], self.parameters["cuts"], history.stars, latent, np.sqrt(noise)
                    )
                    - history.stars
                )
                mean = _means_of(precision, pull + (sittings.weigh(shift)[:, None] @ rated)[:, 0])
        return mean

    def expect(self, taste: Posteriors) -> Expectation:
        """Return the mean and the standard deviation over the samples; the latter includes the viewer's covariance.

        The score is that of ``cautious``.
        """
        total = len(self.counts)
        halves = (partial(self._moments, taste, half) for half in (slice(total // 2), slice(total // 2, total)))
        stars, variance = map(np.concatenate, zip(*side_by_side(*halves), strict=True))
        return cautious(self.settings, self.scale, stars, variance, self.counts)

    def _moments(self, taste: Posteriors, movies: slice) -> tuple[Floats, Floats]:
        """Return the mean and the variance of some movies' stars over the samples."""
        drawn, means, mean = self.parameters["movies"], self.parameters["movie_means"], taste.mean.astype(np.float32)
        if self.settings.ordinal:
            by_sample = _predictors(means[..., movies], mean[:, None])[:, 0]
            unknown = self.parameters["sitting_variance"][:, None]
            stars = self._stars(slice(None), by_sample, taste.scatter[:, None], movies, unknown).mean(0)
        else:
            # The mean over the samples is computed as a single product, which reads the movies only once.
            predictor = _design(mean).ravel() @ means.reshape(mean.size, -1)[:, movies] / np.float32(len(mean))
            stars = predictor + mean[:, -1].mean() + np.float32(self.parameters["overall"])
        drawn = drawn[..., movies]
        variance = _predictors(drawn, mean[:, None]).var(0)[0] + taste.variance[movies].astype(np.float32)
        if self.settings.ordinal:
            variance = self._in_stars(by_sample.mean(0), np.sqrt(variance), taste, movies) ** 2
        return stars, variance

    def movie_vectors(self) -> Floats:
        """Return the movies' mean factors in the ``_covariance_samples``, side by side."""
        means = self.parameters["movie_means"]
        factors = means[_covariance_samples(len(means)), :-1, :-1]
        return np.concatenate(list(factors.transpose(0, 2, 1)), axis=1)

    def explain_list(self, history: History, movies: Ints) -> Floats:
        """Compute the contributions of all ratings at once: leaving one out changes a precision by a rank-one
        matrix, also if the rating shares a level with others."""
        if self.settings.ordinal:
            return super().explain_list(history, movies)  # every rating affects all latent numbers
        rated, residuals, noise = (part.astype(np.float64) for part in self._rated(history))
        sittings = _Sittings(history, 1 / noise, self._level_precision(), self.settings.sitting)
        noise = noise / sittings.free
        rated, residuals = sittings.weigh(rated) * noise[:, :, None], sittings.weigh(residuals) * noise
        precision, pull = self._precision_and_pull(history, self._sums(history))
        covariance = np.linalg.inv(precision)
        prior = self._prior_precision
        rated_directions = self.parameters["watched"][history.movies].astype(np.float64)
        with_all = self._prior(history.user, self._watched(rated_directions.sum(0, keepdims=True), len(history)))
        without = self._prior(history.user, self._watched(rated_directions.sum(0) - rated_directions, len(history) - 1))
        pulls = pull[:, None] + (without - with_all) @ prior - rated * (residuals / noise)[:, :, None]
        gains = rated @ covariance
        remaining = noise - (gains * rated).sum(2)
        means = pulls @ covariance + gains * ((gains * pulls).sum(2) / remaining)[:, :, None]
        means = np.concatenate([pull[:, None] @ covariance, means], 1)
        drawn, viewers = self.parameters["movies"][:, :, movies], means.astype(np.float32)
        stars = _predictors(self.parameters["movie_means"][:, :, movies], viewers).mean(0) + self.parameters["overall"]
        variance = _predictors(drawn, viewers).var(0)
        samples = _covariance_samples(len(means))
        for s in samples:
            design = _design(drawn[s].T)
            variance_with_all = variances(design.astype(np.float64), covariance[s])[None]
            variance += np.append(
                variance_with_all, variance_with_all + (gains[s] @ design.T) ** 2 / remaining[s][:, None], 0
            ) / len(samples)
        score = cautious(self.settings, self.scale, stars, variance, self.counts[movies]).score.T
        return score[:, :1] - score[:, 1:]

    def _in_stars(self, latent: Floats, deviation: Floats, taste: Posteriors, movies: slice) -> Floats:
        """Return the deviation of some movies' stars: half the difference between the stars one latent deviation above
        the latent mean and those one below it."""
        parameters = self.parameters
        noise = (parameters["noise"] * taste.scatter).mean() * parameters["movie_scatter"][:, movies].mean(0)
        noise = noise + parameters["sitting_variance"].mean()
        cuts, middle, deviation_of_one = parameters["cuts"].mean(0), latent + parameters["overall"], np.sqrt(noise)
        high, low = (
            ordinal.expected(parameters["values"], cuts, middle + sign * deviation, deviation_of_one)
            for sign in (1, -1)
        )
        return np.asarray((high - low) / 2, np.float32)

    def _sums(self, history: History, keys: Times | None = None) -> RatingSums:
        """Return the sums over the ratings. ``keys``: their ``sitting_keys``, if they are part of a longer history."""
        keys = _sitting_keys_of(history, self.settings.sitting) if keys is None else keys
        order = np.argsort(keys, kind="stable")  # those without a time, which share no level, come last
        history, keys = history.take(order), keys[order]
        sittings = np.unique(keys[keys < UNKNOWN_SITTINGS])
        watched = self.parameters["watched"][history.movies].sum(0, np.float64)
        samples, size = self._prior_mean.shape
        precision, pull = np.zeros((samples, size, size)), np.zeros((samples, size))
        levels = np.zeros((samples, len(sittings), size + 1), np.float32)
        for first in range(0, len(history), RATINGS_AT_ONCE):
            block = slice(first, first + RATINGS_AT_ONCE)
            rated, residuals, noise = self._rated(history.take(block))
            noise = noise + self.parameters["sitting_variance"][:, None] * (keys[block] >= UNKNOWN_SITTINGS)
            # In float32, which is twice as fast: the rounding errors are negligible compared with the prior.
            weighted = rated / noise[:, :, None]
            precision += weighted.transpose(0, 2, 1) @ rated
            pull += (residuals[:, None] @ weighted)[:, 0]
            dated = keys[block][: np.searchsorted(keys[block], UNKNOWN_SITTINGS)]
            if len(dated):
                of_block = np.unique(dated)
                rows, inside = np.searchsorted(sittings, of_block), (of_block[:, None] == dated).astype(np.float32)
                # As one product for all samples: ``reduceat`` takes several times as long.
                by_sitting = inside @ weighted.swapaxes(0, 1)[: len(dated)].reshape(len(dated), -1)
                levels[:, rows, :-1] += by_sitting.reshape(len(of_block), samples, size).swapaxes(0, 1)
                levels[:, rows, -1] += (residuals / noise)[:, : len(dated)] @ inside.T
        return RatingSums(watched, precision, pull, sittings, levels)

    def _precision_and_pull(self, history: History, sums: RatingSums) -> tuple[Doubles, Doubles]:
        """Return the precision of each sample's posterior, and the precision times the mean."""
        expected = self._prior(history.user, self._watched(sums.watched[None], len(history)))[:, 0]
        precision = self._prior_precision + sums.precision
        pull = (self._prior_precision @ expected[:, :, None])[:, :, 0] + sums.pull
        # The ratings of a sitting say less together than if they did not share a level (Woodbury).
        of_sittings = sums.levels[:, :, :-1].astype(np.float64)
        shares = sums.levels / (of_sittings[:, :, -1:] + self._level_precision()[:, None])
        precision -= of_sittings.transpose(0, 2, 1) @ shares[:, :, :-1]
        pull -= (shares[:, None, :, -1] @ of_sittings)[:, 0]
        return precision, pull

    def _level_precision(self) -> Doubles:
        """Return the prior precision of the levels in each sample, shape (samples, 1); infinite without sittings."""
        with np.errstate(divide="ignore"):
            return 1 / self.parameters["sitting_variance"].astype(np.float64)[:, None]

    def _rated(self, history: History) -> tuple[Floats, Floats, Floats]:
        """Return the rated movies as ``(q, 1)``, shape (samples, ratings, factors + 1); the stars minus the overall
        mean and the movie's bias, and the variance of each rating, shape (samples, ratings) each."""
        movies = self._by_movie[history.movies].transpose(1, 0, 2)
        residuals = history.stars - np.float32(self.parameters["overall"]) - movies[:, :, -1]
        movies[:, :, -1] = 1
        scatter = self.parameters["user_scatter"][:, -1 if history.user is None else history.user, None]
        noise = self.parameters["noise"][:, None] * scatter * self.parameters["movie_scatter"][:, history.movies]
        return movies, residuals, noise

    def _prior(self, user: int | None, watched: Doubles) -> Doubles:
        """Return a viewer's prior mean for each of the ``n`` rows of ``watched``, shape (samples, n, factors + 1)."""
        people = self.parameters["people"][-1 if user is None else user]
        mean: Doubles = self._prior_mean[:, None] + people @ self.parameters["people_weights"][:, None]
        implicit = (watched @ self._watched_weights).reshape(len(watched), *self._prior_mean.shape)
        return mean + implicit.transpose(1, 0, 2)

    def _watched(self, total: Doubles, ratings: int) -> Doubles:
        """Return a viewer's implicit feedback, shape (n, directions), from its sum over the rated movies."""
        if ratings < 1:
            return np.zeros_like(total)
        return np.asarray(total / np.sqrt(ratings) - self.parameters["watched_mean"], np.float64)


def sitting_keys(user: Ints | int, time: Times, minutes: float) -> Times:
    """Return a number for each rating: the same for two ratings that a user gave in one sitting.

    The numbers ascend with the user. If the time of a rating is not known, it has a sitting of its own.
    """
    number = np.minimum(time // max(1, round(minutes * 60)), UNKNOWN_SITTINGS - 1)
    number = np.where(time > 0, number, UNKNOWN_SITTINGS + np.arange(len(time)))
    return np.asarray((np.int64(1) << SITTING_BITS) * user + number, np.int64)


def sitting_users(keys: Times) -> Times:
    """Return the users from what ``sitting_keys`` returns."""
    return keys >> SITTING_BITS


def sitting_rows(keys: Times, user: Ints, time: Times, minutes: float) -> NDArray[np.intp]:
    """Return where the sitting of each rating is among sorted ``keys``; -1 if it is not, or its time is not known."""
    wanted = sitting_keys(user, time, minutes)
    row = np.searchsorted(keys, wanted)
    is_there = (time > 0) & (np.append(keys, -1)[row] == wanted)
    return np.where(is_there, row, -1)


def _sitting_keys_of(history: History, minutes: float) -> Times:
    """Return the ``sitting_keys`` of a viewer's ratings."""
    return sitting_keys(0, np.zeros(len(history), np.int64) if history.time is None else history.time, minutes)


class _Sittings:
    """The sittings of a viewer in each sample.

    The precision of the ratings of a sitting is ``W - W 1 1' W / (l + 1' W 1)``, where ``W`` holds their weights, and
    ``l`` is the prior precision of the level.
    """

    def __init__(self, history: History, weights: NDArray[Any], level_precision: Doubles, minutes: float) -> None:
        """``weights``: shape (samples, ratings); ``level_precision``: shape (samples, 1)."""
        keys, self._sitting = np.unique(_sitting_keys_of(history, minutes), return_inverse=True)
        self._order = np.argsort(self._sitting, kind="stable")
        self._starts = np.searchsorted(self._sitting[self._order], np.arange(len(keys)))
        self._weights = weights
        self._total = (self._sums(weights) + level_precision)[:, self._sitting]
        self.free = 1 - weights / self._total
        """The precision of each rating given the viewer's vector and the other ratings, divided by its weight."""

    def _sums(self, values: NDArray[Any]) -> NDArray[Any]:
        return np.add.reduceat(values[:, self._order], self._starts, 1)

    def means(self, residuals: NDArray[Any]) -> NDArray[Any]:
        """Return the mean of the level of each rating's sitting, given residuals of the ratings.

        ``residuals``: shape (samples, ratings) or (samples, ratings, columns).
        """
        weights, total = self._weights, self._total
        if residuals.ndim > weights.ndim:
            weights, total = weights[:, :, None], total[:, :, None]
        return self._sums(weights * residuals)[:, self._sitting] / total

    def weigh(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the precision of the ratings times values."""
        weights = self._weights if values.ndim == self._weights.ndim else self._weights[:, :, None]
        return np.asarray((values - self.means(values)) * weights)


def _means_of(precision: Doubles, pull: Doubles) -> Doubles:
    """Return the mean of each sample's posterior, shape (samples, factors + 1)."""
    return np.asarray(np.linalg.solve(precision, pull[:, :, None])[:, :, 0], np.float64)


def _design(vectors: NDArray[Any]) -> NDArray[Any]:
    """Return ``(q, 1)`` from ``(q, c)``: what the other side's vector is multiplied with; ``c`` itself is left out."""
    design = vectors.copy()
    design[..., -1] = 1.0
    return design


def _predictors(movies: Floats, viewers: Floats) -> Floats:
    """Return ``b + c + p . q`` in each sample for each viewer and movie, shape (samples, viewers, movies).

    ``movies``: shape (samples, factors + 1, movies), the layout in which the products are twice as fast; ``viewers``:
    shape (samples, viewers, factors + 1).
    """
    predictor: Floats = _design(viewers) @ movies + viewers[:, :, -1:]
    return predictor


def _covariance_samples(samples: int) -> NDArray[np.intp]:
    """Return the indices of ``COVARIANCE_SAMPLES`` samples, evenly spread, or of all if there are fewer."""
    return evenly_spread(samples, COVARIANCE_SAMPLES)
