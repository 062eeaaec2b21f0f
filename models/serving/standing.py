"""Of which movies a movie is one of the best liked, and how many of the very well liked movies a viewer liked."""

from dataclasses import dataclass

import numpy as np

from movietui.data.dataset import Bools, Dataset, Floats, Ints, Movies
from movietui.models.serving.kinship import main_genres

BEST = 5
"""One of the best liked movies of a group is at least this far up; in a large group, among the best ``BEST_SHARE``."""
BEST_SHARE = 0.02
GROUP = 20
"""A group has at least this many movies; to be the best of a few says little."""
RATINGS = 10
"""Only movies with at least this many ratings are compared."""
GROUP_SHARE = 0.3
"""A genre or a decade of more than this share of all movies, such as ``Drama``, says little about a viewer's taste."""
RATED = 5
"""A viewer who rated so many very well liked movies,"""
LIKED_SHARE = 0.8
"""and liked at least this share of them, will probably like another one."""


@dataclass(frozen=True)
class Record:
    """How many of the very well liked movies of a group that they rated a viewer liked."""

    of: str
    """The name of the group, a genre or a decade; empty for all movies."""
    liked: int
    rated: int


@dataclass(frozen=True)
class Standing:
    """How well a movie is liked, compared with others."""

    best_of: str | None
    """The name of a genre or a decade (``1940s``) of which it is one of the best liked movies; empty for all movies;
    ``None`` if it is only very well liked."""
    record: Record | None
    """How many of the other very well liked movies of a group the viewer liked; ``None`` unless these are at least
    ``LIKED_SHARE`` of at least ``RATED``."""


def best_of(dataset: Dataset, means: Floats, row: int) -> str | None:
    """Return of which movies a movie is one of the best liked, see ``Standing.best_of``: of all, of its decade, or of a
    genre. Genres come last, because a person may see the movie in another one.

    ``means``: each movie's mean rating, shrunk if it has few; shape (movies,).
    """
    movies, known = dataset.movies, dataset.counts >= RATINGS
    if not known[row]:
        return None
    for name in ("", *sorted(movies.groups_of(row), key=movies.genres_of(row).__contains__)):
        group = (movies.of_group(name) if name else np.True_) & known
        size, rank = int(group.sum()), int((means[group] > means[row]).sum()) + 1
        if size >= GROUP and rank <= max(BEST, BEST_SHARE * size):
            return name
    return None


def record(movies: Movies, row: int, rated: Ints, liked: Bools) -> Record | None:
    """Return how many very well liked movies of a group a viewer liked, if these are most of several that they rated.

    The group is the smallest of these for which this is so: the movie's ``main_genres`` and its decade, unless they
    have more than ``GROUP_SHARE`` of all movies; or else all movies. ``rated``: the rows of the very well liked movies
    that the viewer rated, without the movie; ``liked``: which of them they liked. Both have the shape (ratings,).
    """
    genres, main = movies.genres_of(row), main_genres(movies, row)
    names = [name for name in movies.groups_of(row) if name in main or name not in genres]
    groups = {name: movies.of_group(name) for name in names}
    sizes = {name: float(members.mean()) for name, members in groups.items()}
    small = [name for name in sorted(sizes, key=lambda name: sizes[name]) if sizes[name] <= GROUP_SHARE]
    for name in [*small, ""]:
        theirs = liked[groups[name][rated]] if name else liked
        if len(theirs) >= RATED and theirs.sum() >= LIKED_SHARE * len(theirs):
            return Record(name, int(theirs.sum()), len(theirs))
    return None
