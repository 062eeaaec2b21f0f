"""The fit of ``Ials``. This module imports torch, so only ``Ials._learn`` imports this module."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from movietui.data.dataset import Dataset, Floats, Ints, Ratings
from movietui.data.samples import ratings_of, some_users
from movietui.models.base import Epoch, Fitted, History, Parameters, Progress, history_of
from movietui.models.bias import expected, learn_effects
from movietui.models.ials import Ials, IalsSettings
from movietui.models.metrics import mse
from movietui.models.rankers import SWEEPS, Sample, calibrate, ratings_by_user, sample_users, unit_mean_of

START = 0.1
"""The approximate length of the movies' initial factors."""
SAMPLE = 32
"""How many users' scores determine the slope and the uncertainty of taste; more would take as long as the fit."""
LEARNED_RATINGS = 4_000_000
"""About how many ratings the movies' factors are learned from. With 128 factors, this takes a minute and a half on two
cores; all 32 million ratings of ml-32m would take twelve minutes."""
BLOCK = 32_768
"""How many ratings are processed in one batch of solves."""


def fit(
    train: Dataset, validation: Ratings | None, settings: IalsSettings, seed: int, progress: Progress
) -> tuple[Parameters, Fitted]:
    """Fit by solving in turn for the users and for the movies.

    The movies of a large dataset learn from some of its users, who together have about ``LEARNED_RATINGS`` ratings.
    """
    parameters = learn_effects(train, SWEEPS) | ratings_by_user(train)
    learned = some_users(train, LEARNED_RATINGS, seed)
    rows = ratings_of(train, learned)
    user = np.searchsorted(learned, train.ratings.user[rows]).astype(np.int32)
    movie, values = train.ratings.movie[rows], settings.values(train.ratings.stars[rows])
    in_sample = sample_users(len(learned), SAMPLE)
    sample, others = learned[in_sample], np.setdiff1d(np.arange(len(learned)), in_sample)
    of_others = ~np.isin(user, in_sample)
    by_user = _Lists.of(user, movie, values, len(learned))
    by_movie = _Lists.of(movie, user, values, len(train.movies))
    by_others = _Lists.of(movie[of_others], user[of_others], values[of_others], len(train.movies))
    generator = torch.Generator().manual_seed(seed)
    factors = settings.factors or supported_factors(len(train.ratings))
    movies = torch.randn(len(train.movies), factors, generator=generator) * (START / factors**0.5)
    unseen = settings.unseen * max(1, int(by_user.lengths.sum())) / max(1, len(learned) * len(train.movies))
    served = Ials(settings)
    curve: list[Epoch] = []
    for number in range(1, settings.sweeps + 1):
        users = _solve(by_user, movies, movies, unseen, settings)
        movies = _solve(by_others, users, users[others], unseen, settings)
        served.restore(parameters | _parameters(movies, users, unseen), train.scale)
        taste, loss = calibrate(_sample(train, served, sample))
        held_out = None
        if validation is not None:
            served.restore(served.parameters | taste, train.scale)
            held_out = mse(served.predict(validation.user, validation.movie), validation.stars)
        curve.append(Epoch(number, settings.sweeps, loss, held_out))
        progress(curve[-1])
    # Finally, the movies also learn from the sample.
    users = _solve(by_user, movies, movies, unseen, settings)
    movies = _solve(by_movie, users, users, unseen, settings)
    return parameters | _parameters(movies, users, unseen) | taste, Fitted.of(curve)


def supported_factors(ratings: int) -> int:
    """Return the number of factors that this many ratings support: a curve through the best numbers for ml-100k and for
    ml-1m."""
    return int(np.clip(round(40 * (ratings / 80_000) ** 0.45), 4, 128))


@dataclass(frozen=True)
class _Lists:
    """The values of ratings, in a list for each user (or movie), with the movie (or user) of each rating."""

    lengths: Tensor
    """int64, shape (lists,)."""
    groups: Sequence[tuple[Tensor, Tensor, Tensor]]
    """For each batch of non-empty lists of similar length: their rows, shape (some,); the other side of each rating,
    padded with -1, shape (some, longest); and the values, padded with 0, of the same shape."""

    @classmethod
    def of(cls, rows: Ints, others: Ints, values: Floats, total: int) -> "_Lists":
        rated = np.flatnonzero(values)
        rated = rated[np.argsort(rows[rated], kind="stable")]
        lengths = np.bincount(rows[rated], minlength=total)
        starts = np.cumsum(lengths) - lengths
        order = np.argsort(lengths, kind="stable")
        groups, end = [], total
        while end and (longest := int(lengths[order[end - 1]])):
            first = max(end - max(1, BLOCK // longest), int(np.searchsorted(lengths[order], 1)))
            numbers = order[first:end]
            inside = np.arange(longest) < lengths[numbers, None]
            indices = rated[np.where(inside, starts[numbers, None] + np.arange(longest), 0)]
            padded = np.where(inside, others[indices], -1)
            padded_values = np.where(inside, values[indices], np.float32(0))
            groups.append((torch.from_numpy(numbers), torch.from_numpy(padded), torch.from_numpy(padded_values)))
            end = first
        return cls(torch.from_numpy(lengths), groups)


def _solve(lists: _Lists, other_side: Tensor, others: Tensor, unseen: float, settings: IalsSettings) -> Tensor:
    """Return the factors of one side, given those of the other.

    ``others``: the factors for which the score of every pair is pulled towards 0, with the weight ``unseen``: the ``e``
    of ``Ials``, not the setting.
    """
    gram = unseen * (others.T @ others)
    ridges = settings.ridge * (lists.lengths + unseen * len(others)) ** settings.scaling
    other_side = torch.cat([other_side, torch.zeros_like(other_side[:1])])  # the last row is for -1
    solution = other_side.new_zeros(len(ridges), other_side.shape[1])
    for numbers, padded, values in lists.groups:
        vectors = other_side[padded]
        normal = vectors.mT @ vectors + gram
        normal.diagonal(dim1=1, dim2=2).add_(ridges[numbers, None])
        pull = vectors.mT @ values[:, :, None]
        solution[numbers] = torch.cholesky_solve(pull, torch.linalg.cholesky(normal))[:, :, 0]
    return solution


def _parameters(movies: Tensor, users: Tensor, unseen: float) -> Parameters:
    """Return the parameters that serving needs; the last row of ``factors``, for an unknown movie, is 0."""
    factors = torch.cat([movies, torch.zeros(1, movies.shape[1])]).numpy()
    unit_mean = unit_mean_of((movies @ users.mean(0)).numpy())
    return {
        "factors": factors,
        "unseen": np.asarray(unseen),
        "gram": unseen * (movies.T @ movies).double().numpy(),
        "usual": unit_mean,
        "along": unit_mean @ factors,
    }


def _sample(train: Dataset, served: Ials, users: NDArray[np.intp]) -> Sample:
    """Score the rated movies of some users, each from the user's other ratings, and from every second rating."""
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
