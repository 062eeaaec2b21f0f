"""The fit of ``Vae``. This module imports torch, so only ``Vae._learn`` imports this module."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from movietui.data.dataset import Dataset, Ints, Ratings, grouped
from movietui.data.samples import evenly_spread, ratings_of, some_users
from movietui.models.base import Fitted, Parameters, Progress
from movietui.models.bias import learn_effects
from movietui.models.ease import columns_of, learned_movies
from movietui.models.networks import Plan, seeded, train, validation_loss
from movietui.models.rankers import SWEEPS, TINY, calibrate, ratings_by_user, sample_users, unit_mean_of
from movietui.models.training.device import choose_device, to_device
from movietui.models.vae import EPSILON, SAMPLE, Vae, VaeSettings, sample_scores

LEARNED_RATINGS = 4_000_000
"""About how many ratings the network learns from."""
MEAN_USERS = 256
"""The most users whose mean scores are those of the average user."""
MIN_BATCHES = 16
"""The fewest batches in an epoch."""


@dataclass(frozen=True)
class Batch:
    """The ratings of some users, one user after the other."""

    starts: Tensor
    """Where each user's ratings start, int64, shape (users,)."""
    row: Tensor
    """The row of the user in the batch, int64, shape (ratings,)."""
    column: Tensor
    """The row of the movie among the weights, int64, shape (ratings,)."""
    values: Tensor
    """float32, shape (ratings,)."""


@dataclass(frozen=True)
class Lists:
    """The values of all users' ratings, one user after the other, so that no table of users by movies is needed."""

    starts: Tensor
    """Where each user's ratings start and, last, where they all end, int64, shape (users + 1,)."""
    column: Tensor
    values: Tensor

    @classmethod
    def of(cls, train_part: Dataset, users: NDArray[np.intp], column: Ints, settings: VaeSettings) -> "Lists":
        """Return the lists of some users, ascending, with the learned movies whose ratings have a value other than
        0."""
        rows = ratings_of(train_part, users)
        columns = column[train_part.ratings.movie[rows]]
        values = settings.values(train_part.ratings.stars[rows])
        counts = (columns >= 0) & (values != 0)
        user = np.searchsorted(users, train_part.ratings.user[rows[counts]]).astype(np.int32)
        order, starts = grouped(user, len(users))
        device = choose_device()
        return cls(
            to_device(device, starts.astype(np.int64)),
            to_device(device, columns[counts][order].astype(np.int64)),
            to_device(device, values[counts][order]),
        )

    def take(self, users: Tensor) -> Batch:
        """Return the ratings of these users."""
        first = self.starts[users]
        lengths = self.starts[users + 1] - first
        starts = lengths.cumsum(0) - lengths
        row = torch.repeat_interleave(torch.arange(len(users), device=users.device), lengths)
        indices = torch.arange(len(row), device=users.device) + (first - starts)[row]
        return Batch(starts, row, self.column[indices], self.values[indices])


class Autoencoders(nn.Module):
    """Several autoencoders that are trained side by side on the same users."""

    def __init__(self, movies: int, settings: VaeSettings) -> None:
        super().__init__()
        members, hidden, code = settings.members, settings.hidden, settings.code
        self.hidden = hidden
        self.encoder = nn.Parameter(_start(movies, members * hidden, hidden + movies))
        self.bias = nn.Parameter(torch.zeros(members * hidden))
        self.scale, self.shift = _norm(members, hidden)
        self.inner = nn.Parameter(_start(members, hidden, hidden, 2 * hidden))
        self.inner_bias = nn.Parameter(torch.zeros(members, 1, hidden))
        self.inner_scale, self.inner_shift = _norm(members, hidden)
        self.code = nn.Parameter(_start(members, hidden, 2 * code, hidden + code))
        self.code_bias = nn.Parameter(torch.zeros(members, 1, 2 * code))
        self.decoder = nn.Parameter(_start(members, movies, code, code + movies))
        self.offset = nn.Parameter(torch.zeros(members, 1, movies))

    def sums(self, batch: Batch, values: Tensor) -> tuple[Tensor, Tensor]:
        """Return what ``Vae.scores_of`` takes. ``values``: those of the batch or, with dropout, of a part of it."""
        sums = functional.embedding_bag(batch.column, self.encoder, batch.starts, mode="sum", per_sample_weights=values)
        return sums, values.new_zeros(len(batch.starts)).index_add(0, batch.row, values.square())

    def codes(self, sums: Tensor, squares: Tensor) -> tuple[Tensor, Tensor]:
        """Return the means and the logarithms of the variances of the codes, shape (members, users, code)."""
        hidden = sums / squares.clamp(min=TINY).sqrt()[:, None] + self.bias
        hidden = hidden.view(len(hidden), -1, self.hidden).transpose(0, 1)
        first = _swish(hidden, self.scale, self.shift)
        inner = first + torch.baddbmm(self.inner_bias, first, self.inner)
        hidden = _swish(inner, self.inner_scale, self.inner_shift)
        mean, log_variance = torch.baddbmm(self.code_bias, hidden, self.code).chunk(2, 2)
        return mean, log_variance

    def scores(self, codes: Tensor) -> Tensor:
        """Return ``y``, shape (members, users, movies)."""
        return torch.baddbmm(self.offset, codes, self.decoder.mT)

    def serving(self) -> Parameters:
        """Return the parameters that fold viewers in; the variances of the codes are not needed."""
        arrays = {name: value.detach().cpu().numpy().copy() for name, value in self.named_parameters()}
        return arrays | {name: np.ascontiguousarray(np.split(arrays[name], 2, 2)[0]) for name in ("code", "code_bias")}


def fit(
    train_part: Dataset, validation: Ratings | None, settings: VaeSettings, seed: int, progress: Progress
) -> tuple[Parameters, Fitted]:
    """Train all members at once, and return the parameters that ``Vae`` needs to fold viewers in.

    The network of a large dataset learns from some of its users, who together have about ``LEARNED_RATINGS`` ratings.
    """
    column = columns_of(train_part.counts, settings.movies)
    parameters = learn_effects(train_part, SWEEPS) | ratings_by_user(train_part) | {"column": column}
    learned = learned_movies(column)
    users = some_users(train_part, LEARNED_RATINGS, seed)
    in_sample = sample_users(len(users), SAMPLE)
    sample = users[in_sample]
    lists = Lists.of(train_part, np.delete(users, in_sample), column, settings)
    active = lists.starts.diff().nonzero()[:, 0]
    total = max(1.0, float(lists.values.sum())) / max(1, len(active))
    gamma = settings.prior / max(1, len(active)) ** 0.5

    with seeded(seed):
        network = Autoencoders(len(learned), settings)
        served = Vae(settings)

        def step(index: Tensor) -> tuple[Tensor, Tensor]:
            batch = lists.take(active[index])
            noisy = batch.values * (torch.rand_like(batch.values) >= settings.dropout)
            mean, log_variance = network.codes(*network.sums(batch, noisy))
            scores = network.scores(mean + torch.randn_like(mean) * (log_variance / 2).exp())
            totals = batch.values.new_zeros(len(index)).index_add(0, batch.row, batch.values)
            drawn = scores.flatten(1)[:, batch.row * len(learned) + batch.column]
            likelihood = (drawn @ batch.values).sum() - (scores.logsumexp(2) @ totals).sum()
            divergence = ((mean.square() + log_variance.exp() - log_variance - 1).sum(2) @ totals).sum() / 2
            loss = (gamma * divergence - likelihood) / (total * len(index))
            return loss, loss.detach()

        def serve() -> float:
            """Give ``served`` the current weights, and return its error over the sample."""
            served.restore(parameters | network.serving(), train_part.scale)
            some = to_device(choose_device(), evenly_spread(len(active), MEAN_USERS).astype(np.int64))
            batch = lists.take(active[some])
            scores = served.scores_of(*(each.cpu().numpy() for each in network.sums(batch, batch.values)))
            mean = np.zeros(len(train_part.movies))
            mean[learned] = scores.sum(0) / max(1, len(some))
            served.restore(served.parameters | {"usual": unit_mean_of(mean)}, train_part.scale)
            taste, loss = calibrate(sample_scores(train_part, served, sample))
            served.restore(served.parameters | taste, train_part.scale)
            return loss

        plan = Plan(settings.epochs, settings.batch, settings.rate, falling=True, min_batches=MIN_BATCHES)
        fitted = train(
            network,
            step,
            len(active),
            plan,
            progress,
            validation_loss(served, validation, len(train_part.users), seed),
            train_loss=serve,
        )
        with torch.no_grad():
            serve()
    return served.parameters, fitted


def _norm(members: int, size: int) -> tuple[nn.Parameter, nn.Parameter]:
    """Return the scale and the shift of a layer normalisation."""
    return nn.Parameter(torch.ones(members, 1, size)), nn.Parameter(torch.zeros(members, 1, size))


def _swish(values: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Return ``f`` of ``Vae``."""
    normalised = functional.layer_norm(values, values.shape[-1:], eps=EPSILON)
    return functional.silu(normalised * scale + shift)


def _start(*shape: int) -> Tensor:
    """Return random weights: the last number of the shape is the sum of inputs and outputs (Glorot and Bengio 2010)."""
    weights: Tensor = torch.randn(shape[:-1]) * (2 / max(1, shape[-1])) ** 0.5
    return weights
