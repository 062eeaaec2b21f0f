"""The fit of ``BiasedMF``. This module imports torch, so other modules, except the fit of ``Bayes``, import it only
inside functions."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import embedding_bag, pad

from movietui.data.dataset import Dataset, Ratings
from movietui.data.samples import evenly_spread
from movietui.models.base import Epoch, Fitted, Parameters, Progress
from movietui.models.mf import BLOCK, BiasedMFSettings

NOISE = 1.0
"""The initial variance of a rating around the prediction, in stars squared."""
START = 0.3
"""The standard deviation of the movies' initial factors."""
TRAIN_LOSS_RATINGS = 1_000_000
"""The most ratings, evenly spread, on which the train loss is computed."""


def fit(
    train: Dataset, validation: Ratings | None, settings: BiasedMFSettings, seed: int, progress: Progress
) -> tuple[Parameters, Fitted]:
    """Fit by updating users and movies in turn, each given the posterior of the other side."""
    ratings, scale, size = train.ratings, train.scale, settings.factors + 1
    overall = float(ratings.stars.mean(dtype=np.float64)) if len(ratings) else (scale.low + scale.high) / 2
    stars = torch.from_numpy(ratings.stars - np.float32(overall))
    user, movie = torch.from_numpy(ratings.user), torch.from_numpy(ratings.movie)
    prior = torch.eye(size) * settings.spread
    users = Side(Lists.of(user, movie, stars, len(train.users)), prior)
    movies = Side(Lists.of(movie, user, stars, len(train.movies)), prior)
    start(movies, seed)
    squares = float(stars.double().square().sum())
    noise = NOISE
    some_ratings = ratings.take(evenly_spread(len(ratings), TRAIN_LOSS_RATINGS))
    curve: list[Epoch] = []
    for number in range(1, settings.sweeps + 1):
        users.update(movies, noise)
        users.learn_prior()
        error = movies.update(users, noise)
        movies.learn_prior()
        noise = noise_of(squares, error, len(ratings))
        train_loss = _loss(users, movies, overall, some_ratings, train)
        held_out = _loss(users, movies, overall, validation, train) if validation is not None else None
        curve.append(Epoch(number, settings.sweeps, train_loss, held_out))
        progress(curve[-1])
    # Users are updated last, so that a stored user is exactly what folding in their ratings gives.
    users.update(movies, noise)
    return parameters_of(users, movies, overall, noise), Fitted.of(curve)


def start(movies: "Side", seed: int) -> None:
    """Give the movies random factors, and no uncertainty."""
    generator = torch.Generator().manual_seed(seed)
    total, size = movies.mean.shape
    movies.mean[:, :-1] = START * torch.randn(total, size - 1, generator=generator)
    movies.covariance.zero_()


def noise_of(squares: float, error: float, ratings: int) -> float:
    """Return the variance of a rating. ``squares``: the sum of (stars minus overall mean)². ``error``: from
    ``Side.update``."""
    return (squares + error + 1.0) / (ratings + 1.0)


def parameters_of(users: "Side", movies: "Side", overall: float, noise: float) -> Parameters:
    """Return the parameters of ``BiasedMF``."""
    size = movies.mean.shape[1]
    rows, columns = torch.triu_indices(size, size)
    return {
        "overall": np.asarray(overall),
        "noise": np.asarray(noise),
        "user_precision": torch.linalg.inv(users.prior_covariance.double()).numpy(),
        "user_mean": torch.cat([users.mean, users.prior_mean[None]]).numpy(),
        "movie_mean": torch.cat([movies.mean, movies.prior_mean[None]]).numpy(),
        "movie_covariance": movies.covariance[:, rows, columns].numpy(),
    }


@dataclass(frozen=True)
class Lists:
    """A list of ratings for each user (or movie), with the other side and the stars minus the overall mean."""

    others: Tensor
    """int32, shape (ratings,): one list after the other."""
    stars: Tensor
    """float32, shape (ratings,)."""
    starts: Tensor
    """Integers, shape (lists + 1,): where each list starts, and where the last one ends."""

    @classmethod
    def of(cls, rows: Tensor, others: Tensor, stars: Tensor, total: int) -> "Lists":
        order = torch.argsort(rows, stable=True)
        starts = torch.zeros(total + 1, dtype=torch.int32)
        starts[1:] = torch.bincount(rows, minlength=total).cumsum(0)
        return cls(others[order].contiguous(), stars[order].contiguous(), starts)

    @classmethod
    def elsewhere(cls, lengths: Tensor) -> "Lists":
        """Return lists of these lengths without ratings, for a side that gets sums over its ratings instead."""
        starts = torch.zeros(len(lengths) + 1, dtype=torch.int64)
        starts[1:] = lengths.cumsum(0)
        return cls(torch.empty(0, dtype=torch.int32), torch.empty(0), starts)


class Side:
    """The posteriors of all users, or of all movies: a normal distribution over (factors, bias) for each."""

    def __init__(self, lists: Lists, prior: Tensor) -> None:
        size, total = len(prior), len(lists.starts) - 1
        self.lists = lists
        self.mean = torch.zeros(total, size)
        self.covariance = prior.repeat(total, 1, 1)
        self.start = prior
        self.prior_mean = torch.zeros(size)
        self.prior_covariance = prior
        self.known = lists.starts.diff() > 0

    def update(self, other: "Side", noise: float) -> float:
        """Update the posteriors, given the other side's.

        Return the expected sum of the squared errors of all ratings, minus the sum of the squared stars.
        """
        return sum(self.solve(first, sums, weighted, noise) for first, sums, weighted in self.sums(other))

    def sums(self, other: "Side") -> Iterator[tuple[int, Tensor, Tensor]]:
        """Yield sums over the lists of the other side's terms, for some lists at a time.

        Each item has the index of the first of these lists, the sums of the rows of the second table of ``_tables``,
        and the sums of the rows of the first table times the stars.
        """
        design, table = other._tables()
        for first in range(0, len(self.mean), BLOCK):
            starts = self.lists.starts[first : first + BLOCK + 1]
            inside = slice(int(starts[0]), int(starts[-1]))
            others, starts = self.lists.others[inside], starts - starts[0]
            yield first, bags(others, table, starts), bags(others, design, starts, self.lists.stars[inside])

    def solve(self, first: int, sums: Tensor, weighted_sums: Tensor, noise: float) -> float:
        """Update the posteriors from ``first`` on, given sums over their lists; see ``sums`` and ``update``."""
        size = self.mean.shape[1]
        block = slice(first, first + len(sums))
        rows, columns = torch.triu_indices(size, size)
        precision = torch.linalg.inv(self.prior_covariance)
        pull = precision @ self.prior_mean
        gram = sums.new_empty(len(sums), size, size)
        gram[:, rows, columns] = gram[:, columns, rows] = sums[:, : len(rows)]
        right = weighted_sums[:, :size] - sums[:, len(rows) : -1]
        lower = torch.linalg.cholesky(gram / noise + precision)
        inverse = torch.linalg.solve_triangular(lower, torch.eye(size).expand_as(lower), upper=False)
        self.covariance[block] = inverse.mT @ inverse
        mean = (self.covariance[block] @ (right / noise + pull)[:, :, None])[:, :, 0]
        self.mean[block] = mean
        second = self.covariance[block] + mean[:, :, None] * mean[:, None, :]
        error = float((gram * second).sum(dtype=torch.float64) - 2 * (right * mean).sum(dtype=torch.float64))
        return error + float((sums[:, -1] - 2 * weighted_sums[:, -1]).sum(dtype=torch.float64))

    def _tables(self) -> tuple[Tensor, Tensor]:
        """Return two tables of the terms of this side that the other side sums over its lists.

        The first has ``(q, 1, c)``, the second the packed ``E[w w']``, ``E[w c]`` and ``E[c c]`` with ``w = (q, 1)``,
        side by side.
        """
        size = self.mean.shape[1]
        rows, columns = torch.triu_indices(size, size)
        design = self.mean.clone()
        design[:, -1] = 1.0
        bias = self.mean[:, -1:]
        second = design[:, :, None] * design[:, None, :]
        second[:, :-1, :-1] += self.covariance[:, :-1, :-1]
        with_bias = design * bias + pad(self.covariance[:, :-1, -1], (0, 1))
        packed = second.reshape(len(second), -1).index_select(1, rows * size + columns)
        table = torch.cat([packed, with_bias, bias**2 + self.covariance[:, -1, -1:]], 1)
        return torch.cat([design, bias], 1), table

    def learn_prior(self) -> None:
        """Fit the prior to the entries with ratings, and give it to the others.

        The covariance is the most probable one under an inverse Wishart prior around the initial covariance, which
        weighs as much as ``factors + 2`` entries. Directions that the ratings do not support then stay small without
        collapsing.
        """
        self.take_prior(*self.prior_sums())
        self.mean[~self.known] = self.prior_mean
        self.covariance[~self.known] = self.prior_covariance

    def prior_sums(self) -> tuple[int, Tensor, Tensor]:
        """Return the number of entries with ratings, and the sums of their means, shape (size,), and second moments,
        shape (size, size), to which the prior is fitted."""
        mean = self.mean[self.known].double()
        second = self.covariance[self.known].sum(0, dtype=torch.float64) + mean.T @ mean
        return len(mean), mean.sum(0), second

    def take_prior(self, total: float, means: Tensor, second: Tensor) -> None:
        """Fit the prior to entries with these sums; see ``prior_sums``."""
        if not total:
            return
        weight = len(means) + 1
        prior_mean = means / (total + 1)
        cross = means[:, None] * prior_mean
        spread = second - cross - cross.mT + total * prior_mean[:, None] * prior_mean + weight * self.start
        self.prior_mean = prior_mean.float()
        self.prior_covariance = (spread / (total + weight)).float()


def bags(others: Tensor, table: Tensor, starts: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return the sum of the table's rows over each list, shape (lists, columns). A list may be empty.

    ``weights``: a factor for each entry of the lists; by default 1.
    """
    if not len(others):
        return table.new_zeros(len(starts) - 1, table.shape[1])
    return embedding_bag(others, table, starts, mode="sum", per_sample_weights=weights, include_last_offset=True)


def _loss(users: Side, movies: Side, overall: float, ratings: Ratings, dataset: Dataset) -> float:
    """Return the mean squared error of the predictions, clipped to the scale."""
    total = 0.0
    for start in range(0, len(ratings), BLOCK):
        block = slice(start, start + BLOCK)
        x = users.mean.index_select(0, torch.from_numpy(ratings.user[block]))
        y = movies.mean.index_select(0, torch.from_numpy(ratings.movie[block]))
        stars = torch.linalg.vecdot(x[:, :-1], y[:, :-1]) + x[:, -1] + y[:, -1] + overall
        stars = stars.clamp(dataset.scale.low, dataset.scale.high)
        total += float((stars - torch.from_numpy(ratings.stars[block])).square().sum(dtype=torch.float64))
    return total / max(1, len(ratings))
