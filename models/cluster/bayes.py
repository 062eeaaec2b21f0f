"""The Gibbs sampler of ``Bayes``: given the movies, users are independent, so each partition draws its own."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.models.base import Parameters
from movietui.models.bayes import BayesSettings
from movietui.models.cluster.partitions import Block, Doubles, Partitions
from movietui.models.side_features import of_movies

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from movietui.models.training.bayes import ImplicitFeedback, Side
    from movietui.models.training.mf import Lists

ROUNDS = 3
"""How many times in each sweep a user's vector and scatter are drawn in turn."""


def fit_bayes(train: Partitions, settings: BayesSettings, seed: int) -> Parameters:
    """Return the parameters of ``Bayes``, drawn from the same posterior as on one machine, with three differences.

    First, age, gender, occupation and zip code of the users are not used. Second, the times of the ratings are not
    used, so there are no sittings. Third, nothing about a user is kept from one sweep to the next. Given the movies, a
    partition draws a user's vector and scatter in turn, ``ROUNDS`` times, starting with average scatter. If a partition
    is lost, it is drawn again, with the same result.

    The partitions return sums over their users, and the driver draws the movies and all regressions. Random numbers
    depend on the seed, the sweep and the users of a partition, but not on the number of workers. Raises ``Problem`` for
    the setting ``ordinal``.
    """
    if settings.ordinal:
        raise Problem(tr("ordinal=true is not possible on a cluster, where stars are plain numbers; leave it out."))
    import torch

    from movietui.models.training.bayes import (
        Side,
        Unrated,
        decorrelated,
        draw_noise,
        state_of,
        stored_sweeps,
        supported_factors,
    )
    from movietui.models.training.mf import Lists

    counts, sums, _ = train.of_movies
    ratings, scale = len(train), train.dataset.scale
    overall = float(sums.sum()) / ratings if ratings else (scale.low + scale.high) / 2
    factors = settings.factors or supported_factors(ratings)
    size = factors + 1
    generator = torch.Generator().manual_seed(seed)
    watched, watchers = _implicit_feedback(train, settings.implicit * factors, generator)
    watched, squares = _decorrelated_over_users(train, watched)
    by_movie = Lists.elsewhere(torch.from_numpy(counts))
    features = of_movies(train.dataset.movies, settings.tags, settings.imdb)
    design = decorrelated(features if settings.features else features[:, :0], by_movie)
    movies = Side(by_movie, [watchers.design, design[:-1]], size)
    unrated = Unrated(design[:-1], movies, torch.Generator().manual_seed(seed + 1))
    users = Side(Lists.elsewhere(torch.empty(0)), [torch.empty(0, len(squares)), torch.empty(0, 0)], size)
    users.blocks[0].squares = squares[:, None]
    stored = stored_sweeps(settings, len(counts))
    samples: list[dict[str, Tensor]] = []
    noise = 1.0
    products = _products(train.sum(_started(size, overall, len(counts), seed)), len(counts), size)
    for number in range(1, settings.sweeps + 1):
        movies.draw_given(products.__getitem__, noise, generator)
        unrated.draw()
        movies.learn(noise, generator)
        noise = draw_noise(float((movies.errors / movies.scatter).sum()), ratings, generator)
        users.means[-1] = users.mean
        if number in stored:
            samples.append(state_of(users, movies, noise))
        if ratings and number < settings.sweeps:
            added = train.sum(_drawn(users, movies, watched, noise, overall, (seed, number)))
            _learn(users, {name: torch.from_numpy(total) for name, total in added.items()}, generator)
            products = _products(added, len(counts), size)
    # ``pop`` leaves only one array at a time in memory twice.
    stacked = {name: torch.stack([each.pop(name) for each in samples]).numpy() for name in list(samples[0])}
    return {
        **stacked,
        "overall": np.asarray(overall),
        "people": np.zeros((1, 0), np.float32),
        "watched": watched.weights.numpy(),
        "watched_mean": watched.mean.numpy(),
    }


def _implicit_feedback(
    train: Partitions, directions: int, generator: "Generator"
) -> "tuple[ImplicitFeedback, ImplicitFeedback]":
    """Return the implicit feedback of users, and that of movies, computed from the ratings of some users."""
    import torch

    from movietui.models.training.bayes import DIRECTION_RATINGS, ImplicitFeedback
    from movietui.models.training.mf import Lists

    some = train.sample(DIRECTION_RATINGS)
    user, movie = (torch.from_numpy(rows.astype(np.int32)) for rows in (some.index, some.movie))
    stars = torch.from_numpy(some.stars)
    by_user = Lists.of(user, movie, stars, len(some.users))
    by_movie = Lists.of(movie, user, stars, len(train.dataset.movies))
    watched = ImplicitFeedback.of(by_user, by_movie, directions, generator)
    return watched, ImplicitFeedback.of(by_movie, by_user, directions, generator)


def _decorrelated_over_users(train: Partitions, watched: "ImplicitFeedback") -> "tuple[ImplicitFeedback, Tensor]":
    """Return the implicit feedback, centred and decorrelated over all users, and its sums of squares over the users,
    shape (directions,). The users' design is left out."""
    import torch

    from movietui.models.training.bayes import ImplicitFeedback, decorrelating

    def sums(block: Block) -> dict[str, Doubles]:
        design = _design(_lists(block, 0.0), watched).double()
        return {
            "users": np.asarray(float(len(design))),
            "means": design.sum(0).numpy(),
            "second": (design.T @ design).numpy(),
        }

    added = train.sum(sums)
    if not added or not len(watched.mean):
        return watched, torch.ones(len(watched.mean))
    mean = torch.from_numpy(added["means"] / added["users"])
    gram = torch.from_numpy(added["second"]) - float(added["users"]) * torch.outer(mean, mean)
    rotation = decorrelating(gram)
    turned = ImplicitFeedback(
        watched.design[:0] @ rotation, watched.weights @ rotation, (watched.mean + mean.float()) @ rotation
    )
    return turned, (rotation.double().T @ gram @ rotation.double()).diag().float()


def _started(size: int, overall: float, movies: int, seed: int) -> Callable[[Block], dict[str, Doubles]]:
    """Return a function that gives a partition's users random factors, and sums the movies' products over the users."""

    def start(block: Block) -> dict[str, Doubles]:
        import torch

        from movietui.models.training.bayes import START, Side

        side = Side(_lists(block, overall), [], size)
        side.vectors[:, :-1] = START * torch.randn(len(block.users), size - 1, generator=_generator(block, seed, 0))
        return {"products": _packed_products(block, side, overall, movies)}

    return start


def _drawn(
    users: "Side", movies: "Side", watched: "ImplicitFeedback", noise: float, overall: float, key: tuple[int, int]
) -> Callable[[Block], dict[str, Doubles]]:
    """Return a function that draws a partition's users, and sums over them what the driver needs.

    ``users``: their prior. ``key``: the seed of the fit and the number of the sweep.
    """
    table, weights, total = movies.as_others(), users.blocks[0].weights, len(movies.vectors)
    mean, precision, size = users.mean, users.precision, len(users.mean)

    def draw(block: Block) -> dict[str, Doubles]:
        from movietui.models.training.bayes import Side

        lists = _lists(block, overall)
        design = _design(lists, watched)
        side = Side(lists, [design], size)
        side.mean, side.precision, side.blocks[0].fitted = mean, precision, design @ weights
        generator = _generator(block, *key)
        products = {rows.start: side.products(rows, table) for rows in side.blocks_of_rows()}
        for _ in range(ROUNDS):
            side.draw_given(lambda rows: products[rows.start], noise, generator)
            side.draw_scatter(noise, generator)
        vectors = side.vectors.double()
        return {
            "users": np.asarray(float(len(vectors))),
            "vectors": vectors.sum(0).numpy(),
            "second": (vectors.T @ vectors).numpy(),
            "features": (design.double().T @ vectors).numpy(),
            "products": _packed_products(block, side, overall, total),
        }

    return draw


def _learn(users: "Side", added: "dict[str, Tensor]", generator: "Generator") -> None:
    """Draw the mean, the precision and the regression of the users' vectors, given the sums that ``_drawn`` returns."""
    from movietui.models.training.bayes import draw_normal_given

    feedback = users.blocks[0]
    weights, by_feature = feedback.weights.double(), added["features"]
    # The sums of products of the vectors minus their regression. The centred columns of the design are orthogonal, so
    # ``squares`` is all that is needed of their products.
    cross = by_feature.T @ weights
    second = added["second"] - cross - cross.T + weights.T @ (feedback.squares.double() * weights)
    users.mean, users.precision = draw_normal_given(int(added["users"]), added["vectors"], second, generator)
    if len(weights):
        feedback.draw_given(by_feature.float(), users.precision, generator)


def _lists(block: Block, overall: float) -> "Lists":
    import torch

    from movietui.models.training.mf import Lists

    movie, starts = torch.from_numpy(block.movie.astype(np.int32)), torch.from_numpy(block.starts.astype(np.int32))
    return Lists(movie, torch.from_numpy(block.stars - np.float32(overall)), starts)


def _design(lists: "Lists", watched: "ImplicitFeedback") -> "Tensor":
    """Return the implicit feedback of the users of a partition, shape (users, directions)."""
    from movietui.models.training.mf import bags

    design: Tensor = (
        bags(lists.others, watched.weights, lists.starts) / lists.starts.diff().sqrt()[:, None] - watched.mean
    )
    return design


def _generator(block: Block, seed: int, sweep: int) -> "Generator":
    """Return the random generator for a partition and a sweep, which does not depend on the machine."""
    import torch

    state = np.random.SeedSequence([seed, sweep, int(block.users[0])]).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0] >> np.uint64(1)))


def _packed_products(block: Block, side: "Side", overall: float, movies: int) -> Doubles:
    """Return the upper triangles of the movies' ``Side.products`` over a partition's users, shape (movies, entries)."""
    import torch

    from movietui.models.training.bayes import Side
    from movietui.models.training.mf import Lists

    index, movie = (torch.from_numpy(rows.astype(np.int32)) for rows in (block.index, block.movie))
    lists = Lists.of(movie, index, torch.from_numpy(block.stars - np.float32(overall)), movies)
    size = side.vectors.shape[1]
    rows, columns = torch.triu_indices(size + 2, size + 2)
    return Side(lists, [], size).products(slice(0, movies), side.as_others())[:, rows, columns].double().numpy()


def _products(added: "dict[str, Doubles]", movies: int, size: int) -> "Tensor":
    """Return the movies' products from their upper triangles, shape (movies, size + 2, size + 2); 0 without ratings."""
    import torch

    products = torch.zeros(movies, size + 2, size + 2)
    if added:
        rows, columns = torch.triu_indices(size + 2, size + 2)
        products[:, rows, columns] = products[:, columns, rows] = torch.from_numpy(added["products"]).float()
    return products
