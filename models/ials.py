"""Matrix factorisation that also learns from what was not rated."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Floats, Ints, Movies, Ratings, Scale
from movietui.data.language import tr
from movietui.models.base import Fitted, History, Parameters, Progress, history_of
from movietui.models.bias import expected
from movietui.models.feature_regression import regress
from movietui.models.rankers import TINY, PreferenceSettings, RankingModel, Rows, Sample, Scores, unit_mean_of
from movietui.models.settings import setting
from movietui.models.side_features import of_movies

Doubles = NDArray[np.float64]
SAMPLE = 32
"""The maximum number of users from whose scores the slope and the uncertainty of taste are estimated; with more, this
would take as long as the fit."""


@dataclass(frozen=True)
class IalsSettings(PreferenceSettings):
    """Settings of ``Ials``.

    The defaults were chosen on held-out tenths (``hold_out``) of the train parts of ``random80``, seeds 0 to 2 of
    ml-100k and seed 0 of ml-1m, and on some train users of ``strong`` of ml-1m; docs/evaluation.md has the figures.
    """

    factors: int = setting(0, 0, 256)
    """The number of latent factors; 0 for as many as the number of ratings supports."""
    sweeps: int = setting(10, 1, 200)
    """How many times users and movies are updated in turn."""
    ridge: float = setting(0.0, 0.0, 10.0)
    """The weight of the squared factors for each rating; every pair of a user and a movie also counts as a small
    fraction of a rating, which ``unseen`` sets. 0 for a weight that suits the number of ratings."""
    unseen: float = setting(6.0, 0.0, 1000.0)
    """How strongly the scores of all pairs of user and movie are pulled towards 0: the total weight of these pulls,
    divided by the number of ratings (Hu, Koren and Volinsky 2008)."""
    scaling: float = setting(1.0, 0.0, 1.0)
    """The ridge grows with this power of the number of ratings, ``ridge · n^scaling`` (Rendle et al. 2022)."""
    imdb: bool = setting(True, False, True)
    """Whether the mean rating, the number of votes and the runtime on IMDb help to predict movies without ratings, if
    the dataset is joined with it."""

    def for_ratings(self, ratings: int) -> "IalsSettings":
        """Return these settings with the factors and the ridge that suit a number of ratings, where they are 0.

        Both are on curves through the best values for ml-100k and ml-1m. The factors grow up to 230,000 ratings, and
        the ridge falls from 80,000 to 3 million.

        >>> settings = IalsSettings().for_ratings(80_000)
        >>> settings.factors, settings.ridge
        (64, 0.05)
        """
        times = max(ratings, 1) / 80_000
        factors = int(np.clip(round(64 * times**0.65), 4, 128))
        ridge = float(np.clip(round(0.05 * times**-0.25, 4), 0.02, 0.05))
        return replace(self, factors=self.factors or factors, ridge=self.ridge or ridge)


@dataclass(frozen=True, eq=False)
class RatingSums:
    """Sums over a viewer's ratings with a value other than 0, from which the factors follow."""

    ratings: int
    squares: Doubles
    """``sum y y'``, shape (factors, factors)."""
    pull: Doubles
    """``sum v y``, shape (factors,)."""

    def __add__(self, more: "RatingSums") -> "RatingSums":
        """Return the sums over the ratings of both."""
        return RatingSums(self.ratings + more.ratings, self.squares + more.squares, self.pull + more.pull)


@dataclass(frozen=True, eq=False)
class SummedScores(Scores):
    """A viewer's scores, and the sums that they were computed from."""

    sums: RatingSums


class Ials(RankingModel[IalsSettings]):
    """Scores a movie for a viewer by the product of their factors: ``s_ui = x_u . y_i``.

    Hu, Koren and Volinsky, Collaborative filtering for implicit feedback datasets (2008), as revisited by Rendle,
    Krichene, Zhang and Koren, Revisiting the performance of iALS on item recommendation benchmarks (2022). With
    ``v_ui`` the value of a rating, ``n`` the number of ratings of a user or movie, and ``U`` users and ``M`` movies,
    the fit minimises

        sum over ratings (v_ui - s_ui)^2 + e sum over all pairs s_ui^2
        + ridge sum_u (n_u + e M)^scaling |x_u|^2 + ridge sum_i (n_i + e U)^scaling |y_i|^2

    with ``e = unseen N / (U M)`` for ``N`` ratings. The fit solves in turn for all users given the movies, and for all
    movies given the users. Given the movies, a viewer's factors are
    ``x = (sum y y' + e Y'Y + ridge (n + e M)^scaling)^-1 sum v y`` with sums over the rated movies. Ratings with a
    value of 0 are ignored.

    Some users, the sample, do not affect the movies' factors until the last update. Before it, their scores for movies
    that they rated, each from their other ratings, are like those of new viewers and determine the slope.

    The effects and factors of movies without ratings are predicted from their side features; see ``describe_unrated``.
    """

    name = "ials"
    summary = tr("Factors learned from what people did and did not rate; made for lists.")
    formula = "x_u · y_i"
    reference = "Hu, Koren and Volinsky 2008; Rendle et al. 2022"
    settings_type = IalsSettings
    needs_torch = True
    predicts_unrated = True

    def restore(self, parameters: Parameters, scale: Scale) -> None:
        """Load the parameters of a fitted model."""
        super().restore(parameters, scale)
        self._unseen = float(parameters["unseen"]) * int(parameters["learned"])
        self._ridge = float(parameters["ridge"])

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        # Imported here because it needs torch, and serving does not.
        from movietui.models.training.ials import fit

        return fit(train, validation, self.settings, self.seed, progress)

    def movie_vectors(self) -> Floats:
        """Return the movies' factors."""
        return np.asarray(self.parameters["factors"][:-1])

    def without_each(self, history: History) -> tuple[Doubles, NDArray[np.intp]]:
        """Return the viewer's factors without each rating whose value is not 0, shape (ratings, factors), and the
        ratings' indices.

        They are computed all at once: each rating is removed from the inverse of the normal matrix (Sherman and
        Morrison).
        """
        factors, values, indices = self._rated_factors(history)
        inverse = np.linalg.inv(self._normal(factors.T @ factors, len(factors) - 1))
        pulls = values @ factors - values[:, None] * factors
        before, directions = pulls @ inverse, factors @ inverse
        remaining = 1 - np.einsum("nk,nk->n", directions, factors)
        return before + directions * (np.einsum("nk,nk->n", before, factors) / remaining)[:, None], indices

    def solve(self, history: History) -> Doubles:
        """Return the viewer's factors, shape (factors,)."""
        return self._solved(self._sums(history))

    def fold_in(self, history: History) -> SummedScores:
        """Compute the viewer's factors and effect in closed form, and score every movie."""
        return self._scored(history, self._sums(history))

    def extend(self, taste: Scores, history: History) -> SummedScores:
        """Add the last rating to the sums."""
        assert isinstance(taste, SummedScores)
        return self._scored(history, taste.sums + self._sums(history.take(slice(len(history) - 1, None))))

    def _scored(self, history: History, sums: RatingSums) -> SummedScores:
        scores = self._scores_of(self._solved(sums), slice(-1))
        return SummedScores(self._bias.fold_in(history), history, *scores, sums)

    def _sums(self, history: History) -> RatingSums:
        factors, values, _ = self._rated_factors(history)
        return RatingSums(len(factors), factors.T @ factors, values @ factors)

    def _solved(self, sums: RatingSums) -> Doubles:
        return np.asarray(np.linalg.solve(self._normal(sums.squares, sums.ratings), sums.pull), np.float64)

    def _normal(self, squares: Doubles, ratings: int) -> Doubles:
        """Return the matrix of the normal equations, given ``sum y y'`` and a number of ratings."""
        ridge = self._ridge * (max(ratings, 0) + self._unseen) ** self.settings.scaling
        normal: Doubles = squares + self.parameters["gram"]
        normal[np.diag_indices_from(normal)] += ridge
        return normal

    def _rated_factors(self, history: History) -> tuple[Doubles, Floats, NDArray[np.intp]]:
        """Return the factors of the movies whose ratings have a value other than 0, these values, and their indices in
        the history."""
        values = self.settings.values(history.stars)
        indices = np.flatnonzero(values)
        return self.parameters["factors"][history.movies[indices]].astype(np.float64), values[indices], indices

    def _score(self, history: History, movies: Rows) -> tuple[Floats, float]:
        return self._scores_of(self.solve(history), movies)

    def _scores_of(self, x: Doubles, movies: Rows) -> tuple[Floats, float]:
        return self.parameters["factors"][movies] @ x.astype(np.float32), float(x @ self.parameters["along"])

    def _shares(self, history: History, movies: Ints) -> Floats:
        shares = np.zeros((len(movies), len(history)), np.float32)
        if len(history):
            without, indices = self.without_each(history)
            shares[:, indices] = self.parameters["factors"][movies] @ (self.solve(history) - without).T
        return shares


def ials_parameters(movies: Floats, mean_user: NDArray[Any], unseen: float, ridge: float) -> Parameters:
    """Return the parameters that serving needs; the last row of ``factors``, for an unknown movie, is 0.

    ``movies``: the factors of the movies, shape (movies, factors); ``mean_user``: the mean factors of the users;
    ``unseen``: the ``e`` of ``Ials``.
    """
    factors = np.append(movies, np.zeros((1, movies.shape[1]), np.float32), 0)
    unit_mean = unit_mean_of(movies @ mean_user.astype(np.float32))
    return {
        "factors": factors,
        "unseen": np.asarray(unseen),
        "ridge": np.asarray(ridge),
        "learned": np.asarray(len(movies)),
        "gram": unseen * (movies.T @ movies).astype(np.float64),
        "usual": unit_mean,
        "along": unit_mean @ factors,
    }


def describe_unrated(
    parameters: Parameters, mean_user: NDArray[Any], movies: Movies, counts: Ints, *, imdb: bool
) -> Parameters:
    """Return parameters in which movies without ratings have the effects and factors that their side features predict.

    The prediction is a regression on the features of the movies with ratings (Gantner et al., Learning
    attribute-to-feature mappings for cold-start recommendations, 2010). There, a movie counts as much as its ratings
    determine its effect: with ``n`` ratings, and the variances ``v`` of a rating and ``v_c`` of the effects, it counts
    ``n / (n + v / v_c)``. An effect divided by this is no longer shrunk. No effect is predicted beyond those of the
    movies with ratings: a rating on IMDb can be higher than any of theirs.

    The variance has two parts: that of the errors of the effects, with ``1 / n`` as weights, because movies without
    ratings are like those with few, and without what the ratings leave uncertain; and the share of the variance of
    taste (see ``RankingModel``) that the features do not predict.

    ``parameters``: of ``Ials``, fitted to the first of ``movies``; ``counts``: the number of ratings of each of these.
    ``mean_user``: the mean factors of the users. ``imdb``: see ``IalsSettings``.
    """
    rated = counts > 0
    known = np.pad(rated, (0, len(movies) + 1 - len(rated)))  # the last row is an unknown movie
    if known.sum() == len(movies) or not known.any():
        return parameters
    features, middle = of_movies(movies, imdb=imdb), parameters["movie"][-1]
    factors, effects = parameters["factors"][:-1][rated], parameters["movie"][:-1][rated] - middle
    variance = parameters["movie_variance"][rated].astype(np.float64)
    weights = counts[rated] * variance / float(parameters["noise"])
    regression = regress(features[known], np.column_stack([effects / weights, factors]), weights)
    predicted = regression.predict(features[~known])
    few = 1 / counts[rated]
    of_effects = few @ (regression.errors[:, 0] ** 2 - variance / weights) / few.sum()
    of_taste = (weights @ regression.errors[:, 1:] ** 2).sum() / max(float((weights @ factors**2).sum()), TINY)
    remaining = max(0.0, of_effects) + float(parameters["taste"][0]) * min(1.0, of_taste)
    unit_user = mean_user / max(float(np.linalg.norm(parameters["factors"] @ mean_user)), TINY)

    def complete(name: str, of_others: NDArray[Any]) -> Floats:
        """Return a parameter with its rows for movies with ratings, and with these rows for all others."""
        fitted = parameters[name][: len(rated)][rated]
        table = np.empty((len(known), *fitted.shape[1:]), np.float32)
        table[known], table[~known] = fitted, of_others
        return table

    described = {
        "movie": complete("movie", middle + predicted[:, 0].clip(effects.min(), effects.max())),
        "movie_variance": complete("movie_variance", np.full(len(predicted), remaining))[:-1],
        "factors": complete("factors", predicted[:, 1:]),
        "usual": complete("usual", predicted[:, 1:] @ unit_user),
    }
    return parameters | described


def sample_scores(train: Dataset, served: Ials, users: NDArray[np.intp]) -> Sample:
    """Score the rated movies of some users, each from the user's other ratings, to calibrate the stars.

    Also compute how much the scores change if only every second rating of a user is used.
    """
    factors, projection, unit_mean = (served.parameters[name] for name in ("factors", "along", "usual"))
    residuals, personal, changes = [], [], []
    for user in users.tolist():
        history = history_of(train, user)
        if not len(history):
            continue
        personal_factors = factors[history.movies] - np.outer(unit_mean[history.movies], projection)
        factors_of_user = served.solve(history)
        others = np.broadcast_to(factors_of_user, personal_factors.shape).copy()
        without, indices = served.without_each(history)
        others[indices] = without
        half = served.solve(History(history.movies[::2], history.stars[::2]))
        residuals.append(history.stars - expected(served.parameters, np.full(len(history), user), history.movies))
        personal.append((others * personal_factors).sum(1))
        changes.append(personal_factors @ (factors_of_user - half))
    if not residuals:
        empty = np.empty(0, np.float32)
        return Sample(empty, empty, empty, 0.0)
    all_residuals, all_personal, all_changes = (
        np.concatenate(each).astype(np.float32) for each in (residuals, personal, changes)
    )
    return Sample(all_residuals, all_personal, all_changes, len(all_residuals) / len(residuals))
