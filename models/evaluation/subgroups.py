"""Where a model fails: its error by who rated and by what was rated."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.dataset import Bools, Dataset, Floats, Ints, Ratings
from models.metrics import mae, mse

EDGES_OF_USERS = (0, 1, 20, 50, 100, 200, 500)
EDGES_OF_MOVIES = (0, 1, 5, 20, 50, 100, 500)
"""From how many ratings in train on a user or movie belongs to the next group."""
EDGES_OF_AGE = (0, 18, 25, 35, 45, 50, 56)
"""Years; the groups that ML-1M publishes."""


@dataclass(frozen=True)
class Subgroup:
    """The test ratings that have something in common."""

    by: str
    """What the ratings are told apart by: ``ratings of the user``, ``ratings of the movie``, ``age``, ``gender``,
    ``occupation`` or ``genre``."""
    group: str
    rows: int
    users: int
    rmse: float
    mae: float
    too_high: float
    """The mean of prediction minus rating: above 0 where the model expects too much."""


def subgroups(train: Dataset, test: Ratings, prediction: Floats) -> list[Subgroup]:
    """Return the errors of test rows by subgroup; those without rows, or that the dataset cannot tell, are left out.

    ``prediction``: shape (rows,). A movie of several genres is in the group of each.
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
    for by, told in (("gender", users.gender), ("occupation", users.occupation)):
        if told:
            own = np.asarray(told)[test.user]
            yield from ((by, group, own == group) for group in np.unique(own).tolist() if group)
    for column, name in enumerate(movies.genre_names):
        yield "genre", name, movies.genres[test.movie, column]


def _ranges(by: str, values: Ints | NDArray[np.int64], edges: Sequence[int]) -> Iterator[tuple[str, str, Bools]]:
    for low, high in zip(edges, (*edges[1:], None), strict=True):
        if high is None:
            yield by, f"{low}+", values >= low
        else:
            yield by, str(low) if high == low + 1 else f"{low}–{high - 1}", (values >= low) & (values < high)
