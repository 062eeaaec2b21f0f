"""The fit of ``movietui.models.embeddings``. This module imports torch, so only ``Embedded._learn`` imports this
module."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from movietui.data.dataset import Dataset, Floats, Ratings, Scale
from movietui.data.splits import hold_out
from movietui.models.base import Fitted, Parameters, Progress
from movietui.models.embeddings import BLOCK, EmbeddingSettings, Shape
from movietui.models.networks import seeded, to_arrays, train
from movietui.models.training.device import choose_device, to_device
from movietui.models.training.towers import Tower

START = 0.1
"""The standard deviation of the initial embeddings."""


class Vectors(NamedTuple):
    """The vectors of a batch."""

    p: Tensor
    """Embeddings of the users, shape (members, rows, factors)."""
    q: Tensor
    """Embeddings of the movies."""
    b: Tensor
    """Biases of the users, shape (members, rows)."""
    c: Tensor
    """Biases of the movies."""
    features: Tensor
    """Side features of the users, then of the movies, shape (rows, features)."""


class Network(nn.Module):
    """The members of an embedding model, in torch; ``movietui.models.embeddings.outputs`` computes the same in
    numpy."""

    def __init__(
        self, features: tuple[Tensor, Tensor], members: int, shape: Shape, scale: Scale, overall: float
    ) -> None:
        """``features``: those of users and those of movies, each with a last row for an unknown one."""
        super().__init__()
        self.features, self.members, self.shape, self.scale, self.overall = features, members, shape, scale, overall
        users, movies = (len(rows) - 1 for rows in features)
        self.user = self._embeddings(users, shape.user_factors)
        self.movie = self._embeddings(movies, shape.movie_factors)
        # The biases have separate tables: a slice of a table would copy its gradient at every batch.
        self.user_bias = nn.Parameter(torch.zeros(users, members))
        self.movie_bias = nn.Parameter(torch.zeros(movies, members))
        if shape.hidden:
            inputs = shape.user_factors + shape.movie_factors + sum(rows.shape[1] for rows in features)
            self.tower = Tower(members, (inputs, *shape.hidden, 1), shape.dropout, shape.normalise)
            # Small at first, so that the biases are learned first.
            with torch.no_grad():
                self.tower.weight[-1] *= START

    def _embeddings(self, rows: int, factors: int) -> nn.Parameter:
        """Return a table with a row for each user or movie, which holds the members' embeddings one after the other."""
        return nn.Parameter(START * torch.randn(rows, self.members * factors))

    def look_up(self, users: Tensor, movies: Tensor) -> Vectors:
        """Look up the vectors for pairs of a user and a movie."""
        tables = self.user, self.movie
        p, q = (
            embedding(rows, table).view(len(rows), self.members, -1).transpose(0, 1)
            for rows, table in zip((users, movies), tables, strict=True)
        )
        features = torch.cat([rows[of] for rows, of in zip(self.features, (users, movies), strict=True)], 1)
        return Vectors(p, q, embedding(users, self.user_bias).T, embedding(movies, self.movie_bias).T, features)

    def forward(self, batch: Vectors) -> Tensor:
        """Return the stars, shape (members, rows)."""
        shape, p, q = self.shape, batch.p, batch.q
        stars = p.new_full(p.shape[:-1], self.overall)
        if shape.biases:
            stars = stars + batch.b + batch.c
        if shape.dot:
            stars = stars + (p * q).sum(-1)
        if shape.hidden:
            stars = stars + self.tower(torch.cat([p, q, batch.features.expand(self.members, -1, -1)], -1))[..., 0]
        if shape.sigmoid:
            stars = self.scale.low + (self.scale.high - self.scale.low) * stars.sigmoid()
        return stars


def fit(
    train_part: Dataset,
    validation: Ratings | None,
    shape: Shape,
    settings: EmbeddingSettings,
    features: tuple[Floats, Floats],
    seed: int,
    progress: Progress,
) -> tuple[Parameters, Fitted]:
    """Train all members at once, and return their parameters for ``movietui.models.embeddings``.

    ``features``: as from ``Embedded.side_features``.
    """
    ratings, scale, held_out = train_part.ratings, train_part.scale, None
    if settings.kept_back:
        rows, held_out_rows = hold_out(np.arange(len(ratings)), seed, settings.kept_back)
        ratings, held_out = ratings.take(rows), ratings.take(held_out_rows)
    overall = float(ratings.stars.mean(dtype=np.float64)) if len(ratings) else (scale.low + scale.high) / 2
    middle = overall
    if shape.sigmoid:
        share = np.clip((overall - scale.low) / (scale.high - scale.low), 0.01, 0.99)
        middle = float(np.log(share / (1 - share)))
    device = choose_device()
    user, movie, stars = (to_device(device, column) for column in (ratings.user, ratings.movie, ratings.stars))
    with seeded(seed):
        network = Network(
            (to_device(device, features[0]), to_device(device, features[1])), settings.members, shape, scale, middle
        )

        def step(index: Tensor) -> tuple[Tensor, Tensor]:
            batch = network.look_up(user[index], movie[index])
            output, target = network(batch), stars[index]
            loss = (output - target).square().mean(1).sum()
            for vectors in (batch.p, batch.q):
                if settings.decay:
                    loss = loss + settings.decay / len(index) * vectors.square().sum()
            for biases in (batch.b, batch.c):
                if shape.biases and settings.bias_decay:
                    loss = loss + settings.bias_decay / len(index) * biases.square().sum()
            return loss, (output.detach().mean(0) - target).square().mean()

        def loss_on(rows: Ratings | None) -> Callable[[], float] | None:
            return None if rows is None else lambda: _loss(network, rows)

        fitted = train(network, step, len(ratings), settings.plan, progress, loss_on(validation), loss_on(held_out))
    counts = np.bincount(ratings.movie, minlength=len(train_part.movies))
    parameters: Parameters = {
        "overall": np.asarray(middle, np.float32),
        "span": np.asarray([scale.low, scale.high], np.float32),
        "user": _table(
            network.user,
            network.user_bias,
            features[0],
            settings.members,
            np.bincount(ratings.user, minlength=len(train_part.users)),
        ),
        "movie": _table(network.movie, network.movie_bias, features[1], settings.members, counts),
        "movie_spread": np.asarray(_spread(train_part, overall)),
    }
    return parameters | (to_arrays(network.tower.layers(), "tower") if shape.hidden else {}), fitted


def _table(embeddings: Tensor, biases: Tensor, features: Floats, members: int, counts: np.ndarray) -> Floats:
    """Return the vectors of users or movies: embedding, bias, side features.

    Shape (members, rows + 1, factors + 1 + features). In the last row and in rows without ratings, embedding and bias
    are the means of the other rows.
    """
    parts = embeddings.detach().cpu().view(len(embeddings), members, -1), biases.detach().cpu()[:, :, None]
    rows = torch.cat(parts, 2).numpy().transpose(1, 0, 2)
    known = counts > 0
    mean = rows[:, known].mean(1) if known.any() else np.zeros_like(rows[:, 0])
    vectors = np.concatenate([rows, mean[:, None]], 1)
    vectors[:, :-1][:, ~known] = mean[:, None]
    return np.concatenate([vectors, np.broadcast_to(features, (members, *features.shape))], -1, dtype=np.float32)


def _spread(train_part: Dataset, overall: float) -> float:
    """Return the variance of the movies' mean ratings, damped by five ratings at the overall mean."""
    counts = train_part.counts
    sums = np.bincount(train_part.ratings.movie, train_part.ratings.stars - overall, len(counts))
    means = (sums / (counts + 5.0))[counts > 0]
    return float((means @ means + 0.2) / (len(means) + 1))


def _loss(network: Network, ratings: Ratings) -> float:
    """Return the mean squared error of the predictions, clipped to the scale."""
    total, scale, device = 0.0, network.scale, network.user.device
    for start in range(0, len(ratings), BLOCK):
        block = slice(start, start + BLOCK)
        batch = network.look_up(to_device(device, ratings.user[block]), to_device(device, ratings.movie[block]))
        output = network(batch).mean(0).clamp(scale.low, scale.high)
        total += float((output - to_device(device, ratings.stars[block])).square().sum(dtype=torch.float64))
    return total / max(1, len(ratings))
