"""Where a model fails: its errors by groups of users and of movies, and its lists by groups of users."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Bools, Dataset, Floats, Ints
from movietui.models.evaluation.parts import Parts
from movietui.models.metrics import BY_USER, Lists, Metrics, family, mae, mse

EDGES_OF_USERS = (0, 1, 20, 50, 100, 200, 500)
EDGES_OF_MOVIES = (0, 1, 5, 20, 50, 100, 500)
"""The numbers of ratings in train at which a new group of users or movies begins."""
EDGES_OF_AGE = (0, 18, 25, 35, 45, 50, 56)
"""The ages in years at which a new group of users begins, as in ML-1M."""


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


@dataclass(frozen=True)
class ListSubgroup:
    """Users with something in common, and the lists that were measured for them."""

    by: str
    group: str
    """As in ``Subgroup``."""
    users: int
    metrics: Metrics
    """The means of the metrics that are means over users."""


def subgroups(parts: Parts, prediction: Floats) -> list[Subgroup]:
    """Return the errors on test rows by subgroup, without subgroups that are empty or unknown to the dataset.

    ``prediction``: shape (rows,). A movie with several genres belongs to the subgroup of each.
    """
    test = parts.test
    cuts = [(by, group, users[test.user]) for by, group, users in _user_groups(parts)]
    cuts += [(by, group, movies[test.movie]) for by, group, movies in _movie_groups(parts.train)]
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
        for by, group, inside in cuts
        if inside.any()
    ]


def list_subgroups(parts: Parts, lists: Lists) -> list[ListSubgroup]:
    """Return the metrics of lists by subgroup of their users, without empty subgroups."""
    names = [name for name in lists.measures.names if family(name) in BY_USER]
    values = {name: lists.by_user(name) for name in names}
    return [
        ListSubgroup(by, group, int(inside.sum()), {name: float(each[inside].mean()) for name, each in values.items()})
        for by, group, users in _user_groups(parts)
        for inside in [users[lists.users]]
        if inside.any()
    ]


def _user_groups(parts: Parts) -> Iterator[tuple[str, str, Bools]]:
    """Yield how users are grouped, the name of a group, and which users are in the group, shape (users,)."""
    users = parts.train.users
    yield from _ranges(
        "ratings of the user", np.bincount(parts.known.ratings.user, minlength=len(users)), EDGES_OF_USERS
    )
    if len(users.age):
        known = users.age > 0
        yield from ((by, group, inside & known) for by, group, inside in _ranges("age", users.age, EDGES_OF_AGE))
    for by, values in (("gender", users.gender), ("occupation", users.occupation)):
        if values:
            groups = np.asarray(values)
            yield from ((by, group, groups == group) for group in np.unique(groups).tolist() if group)


def _movie_groups(train: Dataset) -> Iterator[tuple[str, str, Bools]]:
    """Yield groups of movies as ``_user_groups`` yields groups of users."""
    yield from _ranges("ratings of the movie", train.counts, EDGES_OF_MOVIES)
    for column, name in enumerate(train.movies.genre_names):
        yield "genre", name, train.movies.genres[:, column]


def _ranges(by: str, values: Ints | NDArray[np.int64], edges: Sequence[int]) -> Iterator[tuple[str, str, Bools]]:
    for low, high in zip(edges, (*edges[1:], None), strict=True):
        if high is None:
            yield by, f"{low}+", values >= low
        else:
            yield by, str(low) if high == low + 1 else f"{low}–{high - 1}", (values >= low) & (values < high)
