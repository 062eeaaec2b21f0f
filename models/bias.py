"""Generous and strict users, good and bad movies: what can be predicted without taste."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Floats, Ints, Ratings
from movietui.data.language import tr
from movietui.models.base import Epoch, Expectation, Fitted, History, Model, Parameters, Progress
from movietui.models.metrics import mse
from movietui.models.settings import Settings, setting

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class BiasSettings(Settings):
    """Settings of ``Bias``."""

    sweeps: int = setting(12, 1, 200)
    """How many times users and movies are updated in turn."""
    caution: float = setting(1.0, 0.0, 10.0)
    """How many standard deviations of uncertainty are subtracted from the stars to order a list:
    ``stars − caution · uncertainty``."""


@dataclass(frozen=True)
class Generosity:
    """How far above other people a viewer rates: a normal distribution, in stars."""

    mean: float
    variance: float


class Bias(Model[BiasSettings, Generosity]):
    """A rating is the sum of the overall mean, an effect of the user and an effect of the movie.

    ``r ~ N(m + b_u + c_i, v)`` with ``b_u ~ N(e_b, v_b)`` and ``c_i ~ N(e_c, v_c)``, fitted by mean-field variational
    Bayes (Bishop, Pattern Recognition and Machine Learning, section 10.1): with ``n_u`` ratings, a user's effect has
    the variance ``s = 1 / (1/v_b + n_u/v)`` and the mean ``s (e_b/v_b + sum(r - m - c_i)/v)``. A movie's effect is
    computed likewise. The variances are re-estimated after every sweep, so the fit needs no tuning.
    """

    name = "bias"
    summary = tr("Generous and strict users, good and bad movies; ignores taste.")
    formula = "m + b_u + c_i"
    reference = "Bishop 2006, section 10.1"
    settings_type = BiasSettings

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        ratings, scale = train.ratings, train.scale
        curve: list[Epoch] = []

        def loss(parameters: Parameters, rows: Ratings) -> float:
            return mse(scale.clip(expected(parameters, rows.user, rows.movie)), rows.stars) if len(rows) else 0.0

        def on_sweep(number: int, parameters: Parameters) -> None:
            held_out = loss(parameters, validation) if validation is not None else None
            curve.append(Epoch(number, self.settings.sweeps, loss(parameters, ratings), held_out))
            progress(curve[-1])

        return learn_effects(train, self.settings.sweeps, on_sweep=on_sweep), Fitted.of(curve)

    def predict(self, users: Ints, movies: Ints) -> Floats:
        """Return the sum of the effects. Unknown users and movies get the mean effect."""
        return self.scale.clip(expected(self.parameters, users, movies))

    def fold_in(self, history: History) -> Generosity:
        """Compute the viewer's effect in closed form."""
        prior_mean, prior_variance = self.parameters["user_prior"]
        noise, overall = self.parameters["noise"], self.parameters["overall"]
        residuals = history.stars.astype(np.float64) - overall - self.parameters["movie"][history.movies]
        variance = 1 / (1 / prior_variance + len(history) / noise)
        return Generosity(float(variance * (prior_mean / prior_variance + residuals.sum() / noise)), float(variance))

    def expect(self, taste: Generosity) -> Expectation:
        """Return the sum of the effects. The score is this sum minus ``caution`` times the uncertainty."""
        stars = np.float32(self.parameters["overall"] + taste.mean) + self.parameters["movie"][:-1]
        uncertainty = np.sqrt(self.parameters["movie_variance"] + np.float32(taste.variance)).astype(np.float32)
        score = stars - np.float32(self.settings.caution) * uncertainty
        return Expectation(self.scale.clip(stars), uncertainty, score)

    def explain_list(self, history: History, movies: Ints) -> Floats:
        """Compute the contributions of all ratings at once, because leaving one out shifts every movie's stars
        equally."""
        whole = self.fold_in(history)
        means, variance = self.without_each(history, whole)
        spread = self.parameters["movie_variance"][movies].astype(np.float64)[:, None]
        more_certain = np.sqrt(spread + variance) - np.sqrt(spread + whole.variance)
        return np.asarray(whole.mean - means + self.settings.caution * more_certain, np.float32)

    def without_each(self, history: History, whole: Generosity) -> tuple[Doubles, float]:
        """Return the means of the viewer's effect without each rating, shape (ratings,), and the variance of all."""
        noise = float(self.parameters["noise"])
        residuals = history.stars - float(self.parameters["overall"]) - self.parameters["movie"][history.movies]
        variance = 1 / (1 / whole.variance - 1 / noise)
        means = np.asarray(variance * (whole.mean / whole.variance - residuals / noise), np.float64)
        return means, variance


FIXED_VARIANCE = 1e-9
"""The variance of an effect that is not fitted."""


def learn_effects(
    train: Dataset,
    sweeps: int,
    *,
    of_users: bool = True,
    of_movies: bool = True,
    on_sweep: Callable[[int, Parameters], None] | None = None,
) -> Parameters:
    """Fit the effects of users, of movies or of both, and return the parameters of ``Bias``.

    ``on_sweep`` is called after each sweep with its number and the parameters so far. A model with further parameters
    must not name any of them ``overall``, ``noise``, ``user_prior``, ``user``, ``movie`` or ``movie_variance``.
    """
    ratings, scale = train.ratings, train.scale
    user, movie = ratings.user.astype(np.intp), ratings.movie.astype(np.intp)
    overall = float(ratings.stars.mean(dtype=np.float64)) if len(ratings) else (scale.low + scale.high) / 2
    stars = ratings.stars.astype(np.float64) - overall
    users, movies = (
        Effects(np.bincount(rows, minlength=total), np.bincount(rows, stars, minlength=total), fitted)
        for rows, total, fitted in ((user, len(train.users), of_users), (movie, len(train.movies), of_movies))
    )
    square, noise = float(stars @ stars), 1.0
    by_user, by_movie = np.empty((2, len(stars)))  # allocated once, because allocating takes as long as filling

    def sums_of(
        effects: Effects, others: NDArray[np.intp], rows: NDArray[np.intp], total: int, buffer: Doubles
    ) -> Doubles:
        """Return the sum of the other side's effects over the ratings of each user (or movie)."""
        np.take(effects.mean, others, out=buffer, mode="clip")  # the default mode would allocate another buffer
        return np.asarray(np.bincount(rows, buffer, minlength=total), np.float64)

    movie_sums = sums_of(movies, movie, user, len(train.users), by_movie)
    for number in range(1, sweeps + 1):
        users.update(movie_sums, noise)
        movies.update(sums_of(users, user, movie, len(train.movies), by_user), noise)
        users.learn_prior()
        movies.learn_prior()
        movie_sums = sums_of(movies, movie, user, len(train.users), by_movie)
        # The sum of squares of ``stars - b - c``, multiplied out to avoid a pass over the ratings.
        remaining = square - users.explained() - movies.explained() + 2 * float(users.mean @ movie_sums)
        noise = noise_of(remaining, users.scatter() + movies.scatter(), len(ratings))
        if on_sweep is not None:
            on_sweep(number, effects_parameters(overall, noise, users, movies))
    # Users are updated last, so that a stored user is exactly what folding in their ratings gives.
    users.update(movie_sums, noise)
    return effects_parameters(overall, noise, users, movies)


def noise_of(remaining: float, scatter: float, ratings: int) -> float:
    """Return the variance of a rating, from sums over all ratings: the squared errors of the mean effects
    (``remaining``) and the effects' variances (``scatter``)."""
    return float(max(remaining, 0.0) + scatter + 1) / (ratings + 1)


def expected(parameters: Parameters, users: Ints, movies: Ints) -> Floats:
    """Return the sum of the effects, not clipped to the scale. A row of -1 gets the mean effect."""
    effects = parameters["user"][users] + parameters["movie"][movies]
    return np.asarray(np.float32(parameters["overall"]) + effects, np.float32)


class Effects:
    """The effects of users or of movies: independent normal distributions with a common prior."""

    def __init__(self, counts: NDArray[Any], stars: NDArray[Any], fitted: bool = True) -> None:
        """``counts``: of each user's (or movie's) ratings. ``stars``: their sums, each rating minus the overall
        mean."""
        self.counts = counts
        self.stars = stars
        self.fitted = fitted
        self.prior_mean = 0.0
        self.prior_variance = 0.2 if fitted else FIXED_VARIANCE
        self.mean = np.zeros(len(counts))
        self.variance = np.full(len(counts), self.prior_variance)

    def update(self, others: NDArray[Any], noise: float) -> None:
        """Update the effects, given the sums of the other side's effects."""
        self.variance = 1 / (1 / self.prior_variance + self.counts / noise)
        self.mean = self.variance * (self.prior_mean / self.prior_variance + (self.stars - others) / noise)

    def scatter(self) -> float:
        """Return the sum of the effects' variances over all ratings."""
        return float(self.counts @ self.variance)

    def explained(self) -> float:
        """Return how much these effects alone reduce the sum of the squared stars."""
        return float(2 * self.mean @ self.stars - self.counts @ self.mean**2)

    def learn_prior(self) -> None:
        """Fit the prior to the users (or movies) with ratings, and give it to the others, if the effects are fitted.

        A weak hyperprior keeps the prior from collapsing.
        """
        known = self.counts > 0
        if not self.fitted or not known.any():
            return
        mean = self.mean[known]
        self.take_prior(len(mean), float(mean.sum()), float(mean @ mean), float(self.variance[known].sum()))
        self.mean[~known], self.variance[~known] = self.prior_mean, self.prior_variance

    def take_prior(self, known: float, total: float, squares: float, variances: float) -> None:
        """Fit the prior to ``known`` effects, given the sums of their means, squared means and variances."""
        self.prior_mean = total / (known + 1)
        spread = squares - 2 * self.prior_mean * total + known * self.prior_mean**2 + variances
        self.prior_variance = (spread + 0.2) / (known + 1)


def effects_parameters(overall: float, noise: float, users: Effects, movies: Effects) -> Parameters:
    """Return the parameters of ``Bias``."""
    return {
        "overall": np.asarray(overall),
        "noise": np.asarray(noise),
        "user_prior": np.asarray([users.prior_mean, users.prior_variance]),
        "user": np.append(users.mean, users.prior_mean).astype(np.float32),
        "movie": np.append(movies.mean, movies.prior_mean).astype(np.float32),
        "movie_variance": movies.variance.astype(np.float32),
    }
