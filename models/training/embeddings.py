"""The fit of ``movietui.models.embeddings``. This module imports torch, so only ``Embedded._learn`` and the workers on
a cluster import this module."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import embedding

from movietui.data.dataset import Dataset, Floats, Ints, Ratings, Scale
from movietui.data.splits import hold_out
from movietui.models.base import Fitted, Parameters, Progress
from movietui.models.embeddings import BLOCK, EmbeddingSettings, Shape
from movietui.models.networks import Step, seeded, to_arrays, train
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
    """The members of an embedding model in torch. ``movietui.models.embeddings.outputs`` computes the same in numpy."""

    def __init__(
        self, features: tuple[Tensor, Tensor], members: int, shape: Shape, scale: Scale, overall: float
    ) -> None:
        """``features``: of users and of movies, each with a last row for an unknown user or movie."""
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

    def take_users(self, embeddings: Tensor) -> None:
        """Replace the users by others, with these embeddings, biases of 0 and no side features.

        ``embeddings``: shape (users, members * factors).
        """
        users = len(embeddings)
        self.user = nn.Parameter(embeddings)
        self.user_bias = nn.Parameter(torch.zeros(users, self.members))
        self.features = torch.zeros(users + 1, 0, device=self.features[1].device), self.features[1]

    def _embeddings(self, rows: int, factors: int) -> nn.Parameter:
        """Return a table with the members' embeddings side by side in the row of each user or movie."""
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

    def user_vectors(self) -> Floats:
        """Return the embeddings and, last, the biases of the users, shape (members, users, factors + 1)."""
        return self._vectors(self.user, self.user_bias)

    def movie_vectors(self) -> Floats:
        """Return the embeddings and, last, the biases of the movies, shape (members, movies, factors + 1)."""
        return self._vectors(self.movie, self.movie_bias)

    def _vectors(self, embeddings: Tensor, biases: Tensor) -> Floats:
        by_member = embeddings.detach().cpu().view(len(embeddings), self.members, embeddings.shape[1] // self.members)
        rows: Floats = torch.cat((by_member, biases.detach().cpu()[:, :, None]), 2).numpy()
        return rows.transpose(1, 0, 2)


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
    device = choose_device()
    columns = Columns(*(to_device(device, column) for column in (ratings.user, ratings.movie, ratings.stars)))
    with seeded(seed):
        network = Network(
            (to_device(device, features[0]), to_device(device, features[1])),
            settings.members,
            shape,
            scale,
            middle_of(overall if settings.mean else None, shape, scale),
        )

        def loss_on(rows: Ratings | None) -> Callable[[], float] | None:
            if rows is None:
                return None
            return lambda: squared_errors(network, rows.user, rows.movie, rows.stars) / max(1, len(rows))

        fitted = train(
            network,
            step_of(network, network, columns, settings),
            len(ratings),
            settings.plan,
            progress,
            loss_on(validation),
            loss_on(held_out),
        )
    users, movies = len(train_part.users), len(train_part.movies)
    sums = np.bincount(train_part.ratings.movie, train_part.ratings.stars - overall, movies)
    return (
        parameters_of(
            network,
            table_of(network.user_vectors(), features[0], np.bincount(ratings.user, minlength=users)),
            table_of(network.movie_vectors(), features[1], np.bincount(ratings.movie, minlength=movies)),
            spread_of(train_part.counts, sums),
        ),
        fitted,
    )


def middle_of(overall: float | None, shape: Shape, scale: Scale) -> float:
    """Return the number with which the network predicts ``overall``, the mean rating, if biases and embeddings are 0.

    It is ``overall`` itself or, if the network ends in a sigmoid, the argument that the sigmoid turns into ``overall``.
    Without a mean, it is 0.
    """
    if overall is None:
        return 0.0
    if not shape.sigmoid:
        return overall
    share = np.clip((overall - scale.low) / (scale.high - scale.low), 0.01, 0.99)
    return float(np.log(share / (1 - share)))


class Columns(NamedTuple):
    """Ratings as tensors on the device: rows of users, rows of movies, and stars."""

    user: Tensor
    movie: Tensor
    stars: Tensor


def step_of(network: Network, forward: nn.Module, columns: Columns, settings: EmbeddingSettings) -> Step:
    """Return the step that ``movietui.models.networks.train`` takes.

    Its loss is the mean over the batch of the squared error plus the decay, summed over the members. ``forward``: the
    network, or a module that calls the network's ``forward``.
    """
    user, movie, stars = columns

    def step(index: Tensor) -> tuple[Tensor, Tensor]:
        batch = network.look_up(user[index], movie[index])
        output, target = forward(batch), stars[index]
        loss = (output - target).square().mean(1).sum()
        for vectors in (batch.p, batch.q):
            if settings.decay:
                loss = loss + settings.decay / len(index) * vectors.square().sum()
        for biases in (batch.b, batch.c):
            if network.shape.biases and settings.bias_decay:
                loss = loss + settings.bias_decay / len(index) * biases.square().sum()
        return loss, (output.detach().mean(0) - target).square().mean()

    return step


def parameters_of(network: Network, users: Floats, movies: Floats, movie_spread: float) -> Parameters:
    """Return the parameters of a trained network, without those of ``movietui.models.embeddings.learn_prior``.

    ``users`` and ``movies``: from ``table_of``. ``movie_spread``: from ``spread_of``.
    """
    parameters: Parameters = {
        "overall": np.asarray(network.overall, np.float32),
        "span": np.asarray([network.scale.low, network.scale.high], np.float32),
        "user": users,
        "movie": movies,
        "movie_spread": np.asarray(movie_spread),
    }
    return parameters | (to_arrays(network.tower.layers(), "tower") if network.shape.hidden else {})


def table_of(rows: Floats, features: Floats, counts: NDArray[Any]) -> Floats:
    """Return the vectors of users or movies (embedding, bias, side features), shape (members, rows + 1, factors + 1 +
    features).

    ``rows``: embeddings and biases, shape (members, rows, factors + 1). ``counts``: the number of ratings of each row.
    In the last row and in rows without ratings, embedding and bias are the means of the other rows.
    """
    known = counts > 0
    mean = rows[:, known].mean(1) if known.any() else np.zeros_like(rows[:, 0])
    vectors = np.concatenate([rows, mean[:, None]], 1)
    vectors[:, :-1][:, ~known] = mean[:, None]
    return np.concatenate([vectors, np.broadcast_to(features, (len(rows), *features.shape))], -1, dtype=np.float32)


def spread_of(counts: NDArray[Any], sums: NDArray[Any]) -> float:
    """Return the variance of the movies' mean ratings, damped by five ratings at the overall mean.

    ``counts``: the number of ratings of each movie. ``sums``: the sum of their stars, each minus the overall mean.
    """
    means = (sums / (counts + 5.0))[counts > 0]
    return float((means @ means + 0.2) / (len(means) + 1))


def squared_errors(network: Network, user: Ints, movie: Ints, stars: Floats) -> float:
    """Return the sum of the squared errors of the predictions, clipped to the scale."""
    total, scale, device = 0.0, network.scale, network.user.device
    for start in range(0, len(stars), BLOCK):
        block = slice(start, start + BLOCK)
        batch = network.look_up(to_device(device, user[block]), to_device(device, movie[block]))
        output = network(batch).mean(0).clamp(scale.low, scale.high)
        total += float((output - to_device(device, stars[block])).square().sum(dtype=torch.float64))
    return total
