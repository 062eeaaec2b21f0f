"""Of which movies a movie is one of the best liked, and how many of the very well liked movies a viewer liked."""

from dataclasses import dataclass

import numpy as np

from movietui.data.dataset import Bools, Dataset, Floats

BEST = 5
"""One of the best liked movies of a group is at least this far up; in a large group, among the best ``BEST_SHARE``."""
BEST_SHARE = 0.02
GROUP = 20
"""A group has at least this many rated movies; to be the best of a few says little."""
RATED = 5
"""A viewer who rated so many very well liked movies,"""
LIKED_SHARE = 0.75
"""and liked at least this share of them, will probably like another one."""


@dataclass(frozen=True)
class Record:
    """How many of the very well liked movies that they rated a viewer liked."""

    liked: int
    rated: int


@dataclass(frozen=True)
class Standing:
    """How well a movie is liked, compared with others."""

    best_of: str | None
    """The name of a genre or a decade (``1940s``) of which it is one of the best liked movies; empty for all movies;
    ``None`` if it is only very well liked."""
    record: Record | None
    """How many others the viewer liked, if these are most of several."""


def best_of(dataset: Dataset, means: Floats, row: int) -> str | None:
    """Return of which movies a movie is one of the best liked, see ``Standing.best_of``: of all, of its decade, or of a
    genre. Genres come last, because a person may see the movie in another one.

    ``means``: each movie's mean rating, shrunk if it has few; shape (movies,).
    """
    movies, known = dataset.movies, dataset.counts > 0
    for name in ("", *sorted(movies.groups_of(row), key=movies.genres_of(row).__contains__)):
        group = (movies.of_group(name) if name else np.True_) & known
        size, rank = int(group.sum()), int((means[group] > means[row]).sum()) + 1
        if size >= GROUP and rank <= max(BEST, BEST_SHARE * size):
            return name
    return None


def record(liked: Bools) -> Record | None:
    """Return how many of the very well liked movies that they rated a viewer liked, if these are most of several.

    ``liked``: which of these movies they liked, shape (movies,).
    """
    counts = Record(int(liked.sum()), len(liked))
    return counts if counts.rated >= RATED and counts.liked >= LIKED_SHARE * counts.rated else None
