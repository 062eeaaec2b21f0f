"""Samples of a dataset, for computations that do not need all ratings of a large one."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from movietui.data.dataset import Dataset


def evenly_spread(total: int, most: int) -> NDArray[np.intp]:
    """Return at most ``most`` of the numbers below ``total``, evenly spread."""
    return np.linspace(0, total - 1, min(most, total)).astype(np.intp)


def some_users(train: "Dataset", ratings: int, seed: int = 0) -> NDArray[np.intp]:
    """Return the rows of users who together have about this many ratings, drawn with the seed, ascending.

    If the dataset has no more ratings than that, all users are returned.
    """
    users, total = len(train.users), len(train.ratings)
    if total <= ratings:
        return np.arange(users)
    return np.flatnonzero(np.random.default_rng(seed).random(users) < ratings / total)


def ratings_of(train: "Dataset", users: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the rows of these users' ratings, ascending."""
    if len(users) == len(train.users):
        return np.arange(len(train.ratings))
    chosen = np.zeros(len(train.users), bool)
    chosen[users] = True
    return np.flatnonzero(chosen[train.ratings.user])
