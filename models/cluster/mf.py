"""Biased matrix factorisation. Given the movies, users are independent, so each partition updates its own users."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from movietui.models.base import Parameters
from movietui.models.cluster.partitions import Block, Doubles, Partitions
from movietui.models.mf import BiasedMFSettings

if TYPE_CHECKING:
    from movietui.models.training.mf import Side


def fit_mf(train: Partitions, settings: BiasedMFSettings, seed: int) -> Parameters:
    """Return the parameters of ``BiasedMF``, the same as on one machine.

    In each sweep, the partitions update their users, and the driver updates the movies, given sums over the users.
    """
    import torch

    from movietui.models.training.mf import NOISE, Lists, Side, noise_of, parameters_of, start

    counts, sums, squares = train.of_movies
    ratings, scale, size = len(train), train.dataset.scale, settings.factors + 1
    overall = float(sums.sum()) / ratings if ratings else (scale.low + scale.high) / 2
    prior = torch.eye(size) * settings.spread
    users, movies = (Side(Lists.elsewhere(lengths), prior) for lengths in (torch.empty(0), torch.from_numpy(counts)))
    start(movies, seed)
    square, noise = float(squares.sum()) - ratings * overall**2, NOISE
    for _ in range(settings.sweeps):
        added = train.sum(_update_users(users, movies, overall, noise))
        if not added:
            break
        users.take_prior(int(added["users"]), *(torch.from_numpy(added[name]) for name in ("means", "second")))
        of_movies, weighted = (torch.from_numpy(added[name].astype(np.float32)) for name in ("sums", "weighted"))
        error = movies.solve(0, of_movies, weighted, noise)
        movies.learn_prior()
        noise = noise_of(square, error, ratings)
    return parameters_of(users, movies, overall, noise)


def _update_users(users: "Side", movies: "Side", overall: float, noise: float) -> Callable[[Block], dict[str, Doubles]]:
    """Return a function that updates a partition's users, and returns the sums that the driver needs.

    ``users``: the prior of the users.
    """

    def update(block: Block) -> dict[str, Doubles]:
        import torch

        from movietui.models.training.mf import Lists, Side

        index, movie = (torch.from_numpy(rows.astype(np.int32)) for rows in (block.index, block.movie))
        stars = torch.from_numpy(block.stars - np.float32(overall))
        side = Side(Lists.of(index, movie, stars, len(block.users)), users.start)
        side.prior_mean, side.prior_covariance = users.prior_mean, users.prior_covariance
        side.update(movies, noise)
        total, means, second = side.prior_sums()
        back = Side(Lists.of(movie, index, stars, len(movies.mean)), movies.start)
        sums, weighted = (torch.cat(each).numpy() for each in zip(*(each[1:] for each in back.sums(side)), strict=True))
        return {
            "users": np.asarray(total),
            "means": means.numpy(),
            "second": second.numpy(),
            "sums": sums,
            "weighted": weighted,
        }

    return update
