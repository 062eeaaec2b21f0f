"""Where a model fails: its errors by groups of users and of movies."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Bools, Dataset, Floats, Ints, Ratings
from movietui.models.metrics import mae, mse

EDGES_OF_USERS = (0, 1, 20, 50, 100, 200, 500)
EDGES_OF_MOVIES = (0, 1, 5, 20, 50, 100, 500)
"""The numbers of ratings in train at which a new group of users or movies begins."""
EDGES_OF_AGE = (0, 18, 25, 35, 45, 50, 56)
"""The ages in years at which a new group of users begins; these are the groups that ML-1M publishes."""


@dataclass(frozen=True)
class Subgroup:
    """Test ratings with something in common."""

    by: str
    """How the ratings are grouped: ``ratings of the user``, ``ratings of the movie``, ``age``, ``gender``,
    ``occupation`` or ``genre``."""
    group: str
    rows: int
    users: int
    rmse: float
    mae: float
    too_high: float
    """The mean of prediction minus rating: positive if the model predicts too many stars."""


def subgroups(train: Dataset, test: Ratings, prediction: Floats) -> list[Subgroup]:
    """Return the errors on test rows by subgroup; empty subgroups, and those that the dataset does not describe, are
    left out.

    ``prediction``: shape (rows,). A movie with several genres belongs to the subgroup of each.
    """
    return [
        Subgroup(
            by,
            group,
            int(inside.sum()),
            len(np.unique(test.user[inside])),
            float(np.sqrt(mse(prediction[inside], test.stars[inside]))),
            mae(prediction[inside], test.stars[inside]),
            float((prediction[inside].astype(np.float64) - test.stars[inside]).mean()),
        )
        for by, group, inside in _cuts(train, test)
        if inside.any()
    ]


def _cuts(train: Dataset, test: Ratings) -> Iterator[tuple[str, str, Bools]]:
    users, movies = train.users, train.movies
    of_user = np.bincount(train.ratings.user, minlength=len(users))
    yield from _ranges("ratings of the user", of_user[test.user], EDGES_OF_USERS)
    yield from _ranges("ratings of the movie", train.counts[test.movie], EDGES_OF_MOVIES)
    if len(users.age):
        known = users.age[test.user] > 0
        yield from (
            (by, group, inside & known) for by, group, inside in _ranges("age", users.age[test.user], EDGES_OF_AGE)
        )
    for by, values in (("gender", users.gender), ("occupation", users.occupation)):
        if values:
            groups = np.asarray(values)[test.user]
            yield from ((by, group, groups == group) for group in np.unique(groups).tolist() if group)
    for column, name in enumerate(movies.genre_names):
        yield "genre", name, movies.genres[test.movie, column]


def _ranges(by: str, values: Ints | NDArray[np.int64], edges: Sequence[int]) -> Iterator[tuple[str, str, Bools]]:
    for low, high in zip(edges, (*edges[1:], None), strict=True):
        if high is None:
            yield by, f"{low}+", values >= low
        else:
            yield by, str(low) if high == low + 1 else f"{low}–{high - 1}", (values >= low) & (values < high)
