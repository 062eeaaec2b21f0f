"""The fit of ``Ials``. Imports torch, so only ``Ials._learn`` imports it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from data.dataset import Dataset, Ratings
from models.bias import expected, learn_effects
from models.ials import Ials, IalsSettings
from models.metrics import mse
from models.model import Epoch, Fitted, History, Parameters, Progress, history_of
from models.preferences import SWEEPS, Sample, calibrate, lists_of, sampled, usual
from models.threads import leave_one_core

START = 0.1
"""The length of the movies' factors that the fit starts from, about."""
SAMPLE = 32
"""Users whose scores tell the slope and how sure it is; more would take as long as the fit."""
BLOCK = 32_768
"""Ratings of users or movies that are solved for at once."""


def alternate(
    train: Dataset, validation: Ratings | None, settings: IalsSettings, seed: int, progress: Progress
) -> tuple[Parameters, Fitted]:
    """Fit by solving for users and movies in turn."""
    leave_one_core()
    found = learn_effects(train, SWEEPS) | lists_of(train)
    sample = sampled(len(train.users), SAMPLE)
    others = np.setdiff1d(np.arange(len(train.users)), sample)
    by_user = _Lists.of_users(train, settings)
    by_movie = _Lists.of_movies(train, settings)
    by_others = _Lists.of_movies(train.with_ratings(np.flatnonzero(~np.isin(train.ratings.user, sample))), settings)
    generator = torch.Generator().manual_seed(seed)
    factors = settings.factors or supported(len(train.ratings))
    movies = torch.randn(len(train.movies), factors, generator=generator) * (START / factors**0.5)
    unseen = settings.unseen * max(1, int(by_user.lengths.sum())) / max(1, len(train.users) * len(train.movies))
    served = Ials(settings)
    curve: list[Epoch] = []
    for number in range(1, settings.sweeps + 1):
        users = _solve(by_user, movies, movies, unseen, settings)
        movies = _solve(by_others, users, users[others], unseen, settings)
        served.restore(found | _parameters(movies, users, unseen), train.scale)
        taste, loss = calibrate(_sample(train, served, sample))
        held_out = None
        if validation is not None:
            served.restore(served.parameters | taste, train.scale)
            held_out = mse(served.predict(validation.user, validation.movie), validation.stars)
        curve.append(Epoch(number, settings.sweeps, loss, held_out))
        progress(curve[-1])
    # At last the movies learn from the sample as well.
    users = _solve(by_user, movies, movies, unseen, settings)
    movies = _solve(by_movie, users, users, unseen, settings)
    return found | _parameters(movies, users, unseen) | taste, Fitted.of(curve)


def supported(ratings: int) -> int:
    """How many factors so many ratings support: a curve through what is best for ml-100k and for ml-1m."""
    return int(np.clip(round(40 * (ratings / 80_000) ** 0.45), 4, 128))


@dataclass(frozen=True)
class _Lists:
    """What ratings say, as a list for each user (or movie) of the movies (or users) that they say it of."""

    lengths: Tensor
    """int64, shape (lists,)."""
    groups: Sequence[tuple[Tensor, Tensor, Tensor]]
    """Of lists about as long as each other, none empty: which they are, shape (some,); whom or what each is of, made
    equally long by minus ones, shape (some, longest); and what the ratings say, with zeros, of the same shape."""

    @classmethod
    def of_users(cls, train: Dataset, settings: IalsSettings) -> "_Lists":
        return cls._of(train.ratings.user, train.ratings.movie, train, len(train.users), settings)

    @classmethod
    def of_movies(cls, train: Dataset, settings: IalsSettings) -> "_Lists":
        return cls._of(train.ratings.movie, train.ratings.user, train, len(train.movies), settings)

    @classmethod
    def _of(
        cls, rows: NDArray[np.int32], others: NDArray[np.int32], train: Dataset, total: int, settings: IalsSettings
    ) -> "_Lists":
        values = settings.values(train.ratings.stars)
        said = np.flatnonzero(values)
        said = said[np.argsort(rows[said], kind="stable")]
        lengths = np.bincount(rows[said], minlength=total)
        starts = np.cumsum(lengths) - lengths
        order = np.argsort(lengths, kind="stable")
        groups, end = [], total
        while end and (longest := int(lengths[order[end - 1]])):
            first = max(end - max(1, BLOCK // longest), int(np.searchsorted(lengths[order], 1)))
            some = order[first:end]
            inside = np.arange(longest) < lengths[some, None]
            places = said[np.where(inside, starts[some, None] + np.arange(longest), 0)]
            of, say = np.where(inside, others[places], -1), np.where(inside, values[places], np.float32(0))
            groups.append((torch.from_numpy(some), torch.from_numpy(of), torch.from_numpy(say)))
            end = first
        return cls(torch.from_numpy(lengths), groups)


def _solve(lists: _Lists, given: Tensor, others: Tensor, unseen: float, settings: IalsSettings) -> Tensor:
    """Solve for all of one side, given the other; of that, ``others`` count ``unseen`` where nothing was said."""
    everybody = unseen * (others.T @ others)
    ridges = settings.ridge * (lists.lengths + unseen * len(others)) ** settings.scaling
    given = torch.cat([given, torch.zeros_like(given[:1])])  # the last one is that of minus one
    solved = given.new_zeros(len(ridges), given.shape[1])
    for some, of, say in lists.groups:
        vectors = given[of]
        normal = vectors.mT @ vectors + everybody
        normal.diagonal(dim1=1, dim2=2).add_(ridges[some, None])
        pull = vectors.mT @ say[:, :, None]
        solved[some] = torch.cholesky_solve(pull, torch.linalg.cholesky(normal))[:, :, 0]
    return solved


def _parameters(movies: Tensor, users: Tensor, unseen: float) -> Parameters:
    """What is served, with nothing for an unknown movie at the end."""
    factors = torch.cat([movies, torch.zeros(1, movies.shape[1])]).numpy()
    share = usual((movies @ users.mean(0)).numpy())
    return {
        "factors": factors,
        "unseen": np.asarray(unseen),
        "gram": unseen * (movies.T @ movies).double().numpy(),
        "usual": share,
        "along": share @ factors,
    }


def _sample(train: Dataset, served: Ials, users: NDArray[np.intp]) -> Sample:
    """Score what some users rated from their other ratings, and from every other rating."""
    factors, along, share = (served.parameters[name] for name in ("factors", "along", "usual"))
    rests, aparts, moves = [], [], []
    for user in users.tolist():
        history = history_of(train, user)
        if not len(history):
            continue
        beside = factors[history.movies] - np.outer(share[history.movies], along)
        whole = served.solve(history)
        others = np.broadcast_to(whole, beside.shape).copy()
        without, places = served.without_each(history)
        others[places] = without
        half = served.solve(History(history.movies[::2], history.stars[::2]))
        rests.append(history.stars - expected(served.parameters, np.full(len(history), user), history.movies))
        aparts.append((others * beside).sum(1))
        moves.append(beside @ (whole - half))
    if not rests:
        nothing = np.empty(0, np.float32)
        return Sample(nothing, nothing, nothing, 0.0)
    rest, apart, moved = (np.concatenate(each).astype(np.float32) for each in (rests, aparts, moves))
    return Sample(rest, apart, moved, len(rest) / len(rests))
