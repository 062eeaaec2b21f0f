"""The fit of ``Ials``. Imports torch, so only ``Ials._learn`` imports it."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import embedding_bag

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
BLOCK = 4096
"""Users or movies that are solved for at once."""


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
    movies = torch.randn(len(train.movies), settings.factors, generator=generator) * (START / settings.factors**0.5)
    served = Ials(settings)
    curve: list[Epoch] = []
    for number in range(1, settings.sweeps + 1):
        users = _solve(by_user, movies, movies, settings)
        movies = _solve(by_others, users, users[others], settings)
        served.restore(found | _parameters(movies, users, settings), train.scale)
        taste, loss = calibrate(_sample(train, served, sample))
        held_out = None
        if validation is not None:
            served.restore(served.parameters | taste, train.scale)
            held_out = mse(served.predict(validation.user, validation.movie), validation.stars)
        curve.append(Epoch(number, settings.sweeps, loss, held_out))
        progress(curve[-1])
    # At last the movies learn from the sample as well.
    users = _solve(by_user, movies, movies, settings)
    movies = _solve(by_movie, users, users, settings)
    return found | _parameters(movies, users, settings) | taste, Fitted.of(curve)


@dataclass(frozen=True)
class _Lists:
    """What ratings say, as a list for each user (or movie) of the movies (or users) that they say it of."""

    others: Tensor
    """int32, shape (ratings,): the list of the first, of the second, …"""
    values: Tensor
    """float32, shape (ratings,)."""
    starts: Tensor
    """int32, shape (lists + 1,): where each list starts and the last one ends."""

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
        starts = np.zeros(total + 1, np.int32)
        np.cumsum(np.bincount(rows[said], minlength=total), out=starts[1:])
        return cls(torch.from_numpy(others[said]), torch.from_numpy(values[said]), torch.from_numpy(starts))

    def sums(self, table: Tensor, lists: slice, weighed: bool = False) -> Tensor:
        """The sum of the table's rows over some lists, or of what the ratings say times these."""
        starts = self.starts[lists.start : lists.stop + 1]
        inside = slice(int(starts[0]), int(starts[-1]))
        if inside.start == inside.stop:
            return table.new_zeros(len(starts) - 1, table.shape[1])
        return embedding_bag(
            self.others[inside],
            table,
            starts - starts[0],
            mode="sum",
            per_sample_weights=self.values[inside] if weighed else None,
            include_last_offset=True,
        )


def _solve(lists: _Lists, given: Tensor, unseen: Tensor, settings: IalsSettings) -> Tensor:
    """Solve for all of one side, given the other; of the other, those in ``unseen`` count where nothing was said."""
    size = given.shape[1]
    rows, columns = torch.triu_indices(size, size)
    squares = given[:, rows] * given[:, columns]
    everybody = settings.unseen * (unseen.T @ unseen)
    numbers = lists.starts.diff() + settings.unseen * len(unseen)
    ridges = settings.ridge * numbers**settings.scaling
    solved = given.new_empty(len(ridges), size)
    for first in range(0, len(solved), BLOCK):
        block = slice(first, min(first + BLOCK, len(solved)))
        sums = lists.sums(squares, block)
        normal = sums.new_empty(len(sums), size, size)
        normal[:, rows, columns] = normal[:, columns, rows] = sums
        normal += everybody
        normal.diagonal(dim1=1, dim2=2).add_(ridges[block, None])
        pull = lists.sums(given, block, weighed=True)[:, :, None]
        solved[block] = torch.cholesky_solve(pull, torch.linalg.cholesky(normal))[:, :, 0]
    return solved


def _parameters(movies: Tensor, users: Tensor, settings: IalsSettings) -> Parameters:
    """What is served, with nothing for an unknown movie at the end."""
    factors = torch.cat([movies, torch.zeros(1, movies.shape[1])]).numpy()
    share = usual((movies @ users.mean(0)).numpy())
    return {
        "factors": factors,
        "gram": settings.unseen * (movies.T @ movies).double().numpy(),
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
