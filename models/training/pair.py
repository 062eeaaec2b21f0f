"""The fit of ``Pair``. Imports torch, so only ``Pair._learn`` imports it."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from data import features
from data.dataset import Dataset, Floats, Ratings
from data.pairs import Pairs
from models.device import chosen, on
from models.metrics import mse
from models.mf import BiasedMF, BiasedMFSettings
from models.model import Fitted, History, Parameters, Progress
from models.networks import Plan, named, seeded, train
from models.pair import BASE, PairSettings, encode, predict_pairs
from models.towers import Tower

LEAST_BATCHES = 50
"""Batches that an epoch has at least."""
LEAST_MOVIES = 5
"""How many movies a director must have to be an input."""
MOST_LEVERAGE = 0.9
"""How much of what is expected of a rating may come from the rating itself before the rest is not divided further."""

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
            self.combiner.weight[-1] *= 0.1  # so that at first little is added to what the base expects

    def forward(self, first: Tensor, second: Tensor, movies: Tensor, place: Tensor) -> Tensor:
        """Return what each member adds for each pair, shape (members, pairs).

        ``first`` and ``second``: inputs of users, shape (pairs, columns); ``movies``: of the different movies, of which
        each pair has the one at its ``place``.
        """
        members = len(self.combiner.bias[0])
        a, b = self.users(torch.cat([first, second]).expand(members, -1, -1)).chunk(2, 1)
        movie = self.movies(movies.expand(members, -1, -1))[:, place]
        both = a + b
        added: Tensor = self.combiner(torch.cat([both, (a - b).abs(), movie, both * movie], 2))
        return added[:, :, 0]


def fit(
    train_part: Dataset, validation: Ratings | None, settings: PairSettings, seed: int, progress: Progress
) -> tuple[Parameters, Fitted]:
    """Fit ``mf`` and then the networks on what it leaves; validation ratings are watched one by one."""
    ratings, scale = train_part.ratings, train_part.scale
    taste = features.tastes(train_part)
    wanted = [
        place
        for place, name in enumerate(taste.block.names)
        if name.startswith("ratings of ") or (name == "average" and not settings.factors)
    ]
    parameters: Parameters = {
        "overall": np.asarray(taste.overall),
        "genres": taste.genres,
        "taste_scaling": np.stack([taste.block.mean, taste.block.deviation]),
        "taste_columns": np.asarray(wanted),
        "people": _people(train_part, settings),
    }
    users = [taste.block.values[:, wanted], parameters["people"]]
    movies = _movies(train_part, settings)
    base = _Base(train_part, settings, seed) if settings.factors else None
    if base:
        parameters |= {f"{BASE}{name}": values for name, values in base.model.parameters.items() if name != "counts"}
        parameters["belief_scaling"] = base.scaling
        users.append(base.scaled(base.model.parameters["user_mean"]))
        movie = base.model.parameters["movie_mean"]
        movies.append(((movie - movie.mean(0)) / (movie.std(0) + 1e-6)).astype(np.float32))
    where = chosen()
    of_users, of_movies = np.concatenate(users, 1), on(where, np.concatenate(movies, 1))
    pairs = Pairs.of(ratings)
    wished = max(1, round(settings.triples * len(ratings)))
    batch = max(1, min(settings.batch, wished // LEAST_BATCHES))
    draws = _draws(pairs, len(ratings), batch, settings, seed)

    def inputs(rows: Rows) -> tuple[Tensor, Tensor]:
        """The inputs of each rating's user, and how far it is from what is expected without it."""
        found = of_users[ratings.user[rows]]
        if base is None:
            return on(where, found), on(where, ratings.stars[rows] - np.float32(taste.overall))
        mean, rest = base.without(rows)
        found[:, -mean.shape[1] :] = mean
        return on(where, found), on(where, rest)

    with seeded(seed):
        network = Networks(of_users.shape[1], of_movies.shape[1], settings)

        def step(index: Tensor) -> tuple[Tensor, Tensor]:
            # The triples are drawn anew for each epoch: of the index only its length is of use, and it is always one.
            first, second = next(draws)
            (a, one), (b, other) = inputs(first), inputs(second)
            different, place = np.unique(ratings.movie[first], return_inverse=True)
            rest = network(a, b, of_movies[on(where, different)], on(where, place)) - (one + other) / 2
            weights = sum((weight.square().sum() for weight in network.parameters()), torch.zeros((), device=where))
            return rest.square().mean(1).sum() + settings.decay * weights, rest.detach().mean(0).square().mean()

        def watch() -> float:
            assert validation is not None
            found = parameters | _serving(network, of_users, of_movies)
            return mse(
                scale.clip(predict_pairs(found, validation.user, validation.user, validation.movie)), validation.stars
            )

        plan = Plan(settings.epochs, batch, settings.rate, falling=settings.falling, least_batches=1)
        rows = -(-wished // batch) * batch if len(ratings) else 0
        fitted = train(network, step, rows, plan, progress, watch if validation is not None else None)
    return parameters | _serving(network, of_users, of_movies), fitted


def _draws(pairs: Pairs, ratings: int, batch: int, settings: PairSettings, seed: int) -> Iterator[tuple[Rows, Rows]]:
    """Batches of triples without end, as the rows of both ratings; some are a rating with itself."""
    alone = round(settings.alone * batch)
    if not len(pairs):
        random = np.random.default_rng(seed)
        while True:
            rows = random.integers(ratings, size=batch)
            yield rows, rows
    for number in count():
        for first, second in pairs.drawn(batch * LEAST_BATCHES, batch, seed, number):
            yield first, np.concatenate([first[:alone], second[alone:]])


def _people(train_part: Dataset, settings: PairSettings) -> Floats:
    """The demographics, which source 002 does not use, shape (users + 1, columns); no columns where there are none."""
    known = features.demographics(train_part.users) if settings.factors else None
    if known is None:
        return np.empty((len(train_part.users) + 1, 0), np.float32)
    return known.age.beside(known.gender.one_hot(), known.occupation.one_hot()).values


def _movies(train_part: Dataset, settings: PairSettings) -> list[Floats]:
    """What is known of the movies, each of shape (movies + 1, columns)."""
    movies = train_part.movies
    blocks = [features.genres(movies), features.year(movies), features.imdb(movies)]
    if not settings.factors:
        blocks.append(features.Averages.of_movies(train_part).block("movie"))
    found = [block.values for block in blocks if block is not None]
    bag = features.directors(movies, LEAST_MOVIES)
    if bag is not None:
        own = np.zeros((len(movies) + 1, len(bag.names)), np.float32)
        own[np.repeat(np.arange(len(own)), np.diff(bag.offsets, append=len(bag.ids))), bag.ids] = 1.0
        found.append(own)
    return found


def _serving(network: Networks, of_users: Floats, of_movies: Tensor) -> Parameters:
    found = named(network.users.layers(), "users") | named(network.combiner.layers(), "combiner")
    with torch.no_grad():
        movie = network.movies(of_movies.expand(len(network.combiner.bias[0]), -1, -1)).cpu().numpy()
    return {**found, "movie": movie, "user": encode(found, of_users)}


class _Base:
    """A fitted ``mf``, and what it would expect of each rating of train had it not seen that rating."""

    def __init__(self, train_part: Dataset, settings: PairSettings, seed: int) -> None:
        self.model = BiasedMF(BiasedMFSettings(factors=settings.factors), seed=seed)
        self.model.fit(train_part)
        self.ratings = train_part.ratings
        found, size = self.model.parameters, settings.factors + 1
        self.users = np.zeros((len(train_part.users), size, size), np.float32)
        for user in range(len(train_part.users)):
            rows = train_part.rows_of(user)
            history = History(self.ratings.movie[rows], self.ratings.stars[rows], user)
            self.users[user] = self.model.fold_in(history).covariance
        above = np.triu_indices(size)
        self.movies = np.zeros((len(train_part.movies), size, size), np.float32)
        self.movies[:, above[0], above[1]] = self.movies[:, above[1], above[0]] = found["movie_covariance"]
        mean = found["user_mean"]
        self.scaling: Doubles = np.stack([mean.mean(0), mean.std(0) + 1e-6]).astype(np.float64)

    def scaled(self, mean: NDArray[Any]) -> Floats:
        """Scale means of users' beliefs."""
        return np.asarray(((mean - self.scaling[0]) / self.scaling[1]), np.float32)

    def without(self, rows: Rows) -> tuple[Floats, Floats]:
        """Return each rating's user's mean without that rating, scaled, and the rating's distance from what it expects.

        A user with covariance ``S`` and mean ``x`` who rated ``r`` a movie ``w = (q, 1)`` has, without that rating, the
        mean ``x - S w (r - w x) / (v (1 - h))`` with the leverage ``h = w' S w / v`` (Sherman and Morrison 1950; the
        movie being taken as certain). That the movie has seen the rating as well makes the distance smaller by the
        factor ``1 - h`` of the movie.
        """
        found, user, movie = self.model.parameters, self.ratings.user[rows], self.ratings.movie[rows]
        noise = np.float32(found["noise"])
        x, w = found["user_mean"][user], found["movie_mean"][movie]
        rest = self.ratings.stars[rows] - np.float32(found["overall"]) - w[:, -1]
        w = np.concatenate([w[:, :-1], np.ones((len(w), 1), np.float32)], 1)
        pull = np.einsum("nij,nj->ni", self.users[user], w)
        leverage = np.minimum(np.einsum("ni,ni->n", pull, w) / noise, MOST_LEVERAGE)
        left = (rest - np.einsum("ni,ni->n", x, w)) / (1 - leverage)
        x = x - pull * (left / noise)[:, None]
        x_one = np.concatenate([x[:, :-1], np.ones((len(x), 1), np.float32)], 1)
        of_movie = np.einsum("nij,ni,nj->n", self.movies[movie], x_one, x_one) / noise
        return self.scaled(x), (left / (1 - np.minimum(of_movie, MOST_LEVERAGE))).astype(np.float32)
