"""The fit of ``Pair``. This module imports torch, so only ``Pair._learn`` imports this module."""

from collections.abc import Iterator
from math import ceil
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from movietui.data import features
from movietui.data.dataset import Dataset, Floats, Ratings
from movietui.data.pairs import Pairs
from movietui.models.base import Fitted, History, Parameters, Progress
from movietui.models.metrics import mse
from movietui.models.mf import BiasedMF, BiasedMFSettings
from movietui.models.networks import Plan, seeded, to_arrays, train
from movietui.models.pair import BASE, PairSettings, encode, predict_pairs
from movietui.models.training.device import choose_device, to_device
from movietui.models.training.towers import Tower

MIN_BATCHES = 50
"""The smallest number of batches in an epoch."""
MIN_MOVIES = 5
"""A director of at least this many movies of the dataset is a separate input. All other directors share an input."""
MAX_LEVERAGE = 0.9
"""The largest leverage of a rating on its own prediction that counts, so that no residual grows more than tenfold."""

Rows = NDArray[np.intp]
Doubles = NDArray[np.float64]


class Networks(nn.Module):
    """The three networks, several members side by side."""

    def __init__(self, users: int, movies: int, settings: PairSettings) -> None:
        super().__init__()
        members, hidden, size = settings.members, settings.hidden, settings.size
        self.users = Tower(members, (users, hidden, size))
        self.movies = Tower(members, (movies, hidden, size))
        self.combiner = Tower(members, (4 * size, hidden, 1))
        with torch.no_grad():
            self.combiner.weight[-1] *= 0.1  # so that the networks add little to the prediction of ``mf`` at first

    def forward(self, first: Tensor, second: Tensor, movies: Tensor, movie_index: Tensor) -> Tensor:
        """Return what each member adds to the prediction for each pair, shape (members, pairs).

        ``first`` and ``second``: inputs of users, shape (pairs, columns). ``movies``: inputs of the distinct movies.
        ``movie_index``: each pair's row in ``movies``.
        """
        members = len(self.combiner.bias[0])
        a, b = self.users(torch.cat([first, second]).expand(members, -1, -1)).chunk(2, 1)
        movie = self.movies(movies.expand(members, -1, -1))[:, movie_index]
        both = a + b
        added: Tensor = self.combiner(torch.cat([both, (a - b).abs(), movie, both * movie], 2))
        return added[:, :, 0]


def fit(
    train_part: Dataset, validation: Ratings | None, settings: PairSettings, seed: int, progress: Progress
) -> tuple[Parameters, Fitted]:
    """Fit ``mf`` and then the networks on its residuals or, without factors, only the networks.

    The validation loss is that of single viewers, each paired with themselves.
    """
    ratings, scale = train_part.ratings, train_part.scale
    taste = features.tastes(train_part)
    taste_columns = [
        column
        for column, name in enumerate(taste.block.names)
        if name.startswith("ratings of ") or (name == "average" and not settings.factors)
    ]
    parameters: Parameters = {
        "overall": np.asarray(taste.overall),
        "genres": taste.genres,
        "taste_scaling": np.stack([taste.block.mean, taste.block.deviation]),
        "taste_columns": np.asarray(taste_columns),
        "people": _people(train_part, settings),
    }
    users = [taste.block.values[:, taste_columns], parameters["people"]]
    movies = _movies(train_part, settings)
    base = _Base(train_part, settings, seed) if settings.factors else None
    if base:
        parameters |= {f"{BASE}{name}": values for name, values in base.model.parameters.items() if name != "counts"}
        parameters["belief_scaling"] = base.scaling
        users.append(base.scaled(base.model.parameters["user_mean"]))
        movie = base.model.parameters["movie_mean"]
        movies.append(((movie - movie.mean(0)) / (movie.std(0) + 1e-6)).astype(np.float32))
    device = choose_device()
    of_users, of_movies = np.concatenate(users, 1), to_device(device, np.concatenate(movies, 1))
    pairs = Pairs.of(ratings)
    triples = ceil(settings.triples * len(ratings))
    batch = max(1, min(settings.batch, triples // MIN_BATCHES))

    def batches(number: int, size: int) -> Iterator[Tensor]:
        """Draw the triples of an epoch: the rows of their two ratings, shape (batch, 2)."""
        for first, second in _drawn(pairs, len(ratings), triples, size, seed, number):
            alone = round(settings.alone * len(first))
            yield torch.from_numpy(np.stack([first, np.concatenate([first[:alone], second[alone:]])], 1))

    def inputs(rows: Rows) -> tuple[Tensor, Tensor]:
        """Return the inputs of each rating's user, and the rating minus what is predicted without it."""
        table = of_users[ratings.user[rows]]
        if base is None:
            return to_device(device, table), to_device(device, ratings.stars[rows] - np.float32(taste.overall))
        mean, residuals = base.without(rows)
        table[:, -mean.shape[1] :] = mean
        return to_device(device, table), to_device(device, residuals)

    with seeded(seed):
        network = Networks(of_users.shape[1], of_movies.shape[1], settings)

        def step(index: Tensor) -> tuple[Tensor, Tensor]:
            first, second = index.numpy().T
            (a, one), (b, other) = inputs(first), inputs(second)
            distinct, movie_index = np.unique(ratings.movie[first], return_inverse=True)
            movies = of_movies[to_device(device, distinct)]
            errors = network(a, b, movies, to_device(device, movie_index)) - (one + other) / 2
            weights = sum((weight.square().sum() for weight in network.parameters()), torch.zeros((), device=device))
            loss = errors.square().mean(1).sum() + settings.decay * weights
            return loss, errors.detach().mean(0).square().mean()

        def validation_loss() -> float:
            assert validation is not None
            served = parameters | _serving(network, of_users, of_movies)
            return mse(
                scale.clip(predict_pairs(served, validation.user, validation.user, validation.movie)), validation.stars
            )

        plan = Plan(settings.epochs, batch, settings.rate, falling=settings.falling, min_batches=1, unit="triples")
        fitted = train(
            network,
            step,
            triples,
            plan,
            progress,
            validation_loss if validation is not None else None,
            batches=batches,
        )
    return parameters | _serving(network, of_users, of_movies), fitted


def _drawn(pairs: Pairs, ratings: int, size: int, batch: int, seed: int, number: int) -> Iterator[tuple[Rows, Rows]]:
    """Draw triples as ``Pairs.drawn`` does, or pair ratings with themselves if no movie has two raters."""
    if len(pairs):
        yield from pairs.drawn(size, batch, seed, number)
        return
    random = np.random.default_rng([seed, number])
    for start in range(0, size, batch):
        rows = random.integers(ratings, size=min(batch, size - start))
        yield rows, rows


def _people(train_part: Dataset, settings: PairSettings) -> Floats:
    """Return the demographics, shape (users + 1, columns).

    There are no columns without demographics in the dataset, or with 0 factors, because system 002 uses none.
    """
    known = features.demographics(train_part.users) if settings.factors else None
    if known is None:
        return np.empty((len(train_part.users) + 1, 0), np.float32)
    return known.age.beside(known.gender.one_hot(), known.occupation.one_hot()).values


def _movies(train_part: Dataset, settings: PairSettings) -> list[Floats]:
    """Return the features of the movies, each of shape (movies + 1, columns)."""
    movies = train_part.movies
    blocks = [features.genres(movies), features.year(movies), features.imdb(movies)]
    if not settings.factors:
        blocks.append(features.Averages.of_movies(train_part).block("movie"))
    tables = [block.values for block in blocks if block is not None]
    bag = features.directors(movies, MIN_MOVIES)
    if bag is not None:
        table = np.zeros((len(movies) + 1, len(bag.names)), np.float32)
        table[np.repeat(np.arange(len(table)), np.diff(bag.offsets, append=len(bag.ids))), bag.ids] = 1.0
        tables.append(table)
    return tables


def _serving(network: Networks, of_users: Floats, of_movies: Tensor) -> Parameters:
    parameters = to_arrays(network.users.layers(), "users") | to_arrays(network.combiner.layers(), "combiner")
    with torch.no_grad():
        movie = network.movies(of_movies.expand(len(network.combiner.bias[0]), -1, -1)).cpu().numpy()
    return {**parameters, "movie": movie, "user": encode(parameters, of_users)}


class _Base:
    """A fitted ``mf``, and what it would predict for each rating of the train part without having seen the rating."""

    def __init__(self, train_part: Dataset, settings: PairSettings, seed: int) -> None:
        self.model = BiasedMF(BiasedMFSettings(factors=settings.factors), seed=seed)
        self.model.fit(train_part)
        self.ratings = train_part.ratings
        parameters, size = self.model.parameters, settings.factors + 1
        self.users = np.zeros((len(train_part.users), size, size), np.float32)
        for user in range(len(train_part.users)):
            rows = train_part.rows_of(user)
            history = History(self.ratings.movie[rows], self.ratings.stars[rows], user)
            self.users[user] = self.model.fold_in(history).covariance
        upper = np.triu_indices(size)
        self.movies = np.zeros((len(train_part.movies), size, size), np.float32)
        self.movies[:, upper[0], upper[1]] = self.movies[:, upper[1], upper[0]] = parameters["movie_covariance"]
        mean = parameters["user_mean"]
        self.scaling: Doubles = np.stack([mean.mean(0), mean.std(0) + 1e-6]).astype(np.float64)

    def scaled(self, mean: NDArray[Any]) -> Floats:
        """Scale users' posterior means."""
        return np.asarray(((mean - self.scaling[0]) / self.scaling[1]), np.float32)

    def without(self, rows: Rows) -> tuple[Floats, Floats]:
        """Return the scaled mean of each rating's user without that rating, and the rating's residual.

        With ``r`` the rating minus the overall mean and the movie's bias, and ``w = (q, 1)`` for the movie, a user with
        covariance ``S`` and mean ``x`` has, without the rating, the mean ``x - S w (r - w x) / (v (1 - h))`` with the
        leverage ``h = w' S w / v`` (Sherman and Morrison 1950), if the movie is taken as certain. The movie was also
        fitted to the rating, which shrank the residual again. Dividing by ``1 - h``, with the leverage ``h`` on the
        movie, undoes this.
        """
        parameters, user, movie = self.model.parameters, self.ratings.user[rows], self.ratings.movie[rows]
        noise = np.float32(parameters["noise"])
        x, w = parameters["user_mean"][user], parameters["movie_mean"][movie]
        residuals = self.ratings.stars[rows] - np.float32(parameters["overall"]) - w[:, -1]
        w = np.concatenate([w[:, :-1], np.ones((len(w), 1), np.float32)], 1)
        pull = np.einsum("nij,nj->ni", self.users[user], w)
        leverage = np.minimum(np.einsum("ni,ni->n", pull, w) / noise, MAX_LEVERAGE)
        residual = (residuals - np.einsum("ni,ni->n", x, w)) / (1 - leverage)
        x = x - pull * (residual / noise)[:, None]
        x_one = np.concatenate([x[:, :-1], np.ones((len(x), 1), np.float32)], 1)
        of_movie = np.einsum("nij,ni,nj->n", self.movies[movie], x_one, x_one) / noise
        return self.scaled(x), (residual / (1 - np.minimum(of_movie, MAX_LEVERAGE))).astype(np.float32)
