"""Of which movies a movie is one of the best liked: of all, of a genre, or of a decade."""

from dataclasses import dataclass

import numpy as np

from movietui.data.dataset import Dataset, Floats
from movietui.models.choices import WELL_LIKED
from movietui.models.serving.kinship import COMMON
from movietui.models.serving.taste import Taste, TasteGroup

BEST = 5
"""One of the best liked movies of a group is at least this far up; in a large group, among the best ``BEST_SHARE``."""
BEST_SHARE = 0.02
GROUP = 20
"""A group has at least this many rated movies; to be the best of a few says little."""
LIKED_STARS = 3.5
"""A viewer likes a genre or a decade if the mean of their ratings of its movies is at least this,"""
LIKED_RATINGS = 5
"""if these are at least so many ratings,"""
LIKED_MORE = 0.25
"""if the mean is at least this much above that of their other ratings,"""
LIKED_BEYOND = 0.1
"""and if they like them so much better than others do; see ``TasteGroup.beyond``."""


@dataclass(frozen=True)
class Liking:
    """How a viewer rates a group of movies that they like."""

    mean: float
    """The mean of their ratings of the group."""
    others: float
    """The mean of their other ratings."""


@dataclass(frozen=True)
class Standing:
    """A group of movies of which a movie is one of the best liked."""

    group: str
    """The name of a genre or a decade (``1940s``); empty for all movies."""
    rank: int
    """The movie's rank among them by mean rating, from 1; means of few ratings are shrunk."""
    liking: Liking | None = None
    """How the viewer rates the group, if they like it."""


def standings(dataset: Dataset, means: Floats, row: int, taste: Taste) -> list[Standing]:
    """Return the groups of which a movie is one of the best liked: all movies, its decade, and its genres, the one with
    the best rank first. Genres come last, because a person may see the movie in another one.

    ``means``: each movie's mean rating, shrunk if it has few; shape (movies,). ``taste``: the viewer's.
    """
    mean = dataset.mean_of(row)
    if mean is None or round(mean, 1) < WELL_LIKED:
        return []
    likings = {group.name: liking for group in (*taste.genres, *taste.decades) if (liking := liking_of(taste, group))}
    best_of = []
    for name in ("", *dataset.movies.groups_of(row)):
        group = (dataset.movies.of_group(name) if name else np.True_) & (dataset.counts > 0)
        size, rank = int(group.sum()), int((means[group] > means[row]).sum()) + 1
        if size >= GROUP and rank <= max(BEST, BEST_SHARE * size):
            common = size >= COMMON * np.count_nonzero(dataset.counts)  # to like what is common says little
            best_of.append(Standing(name, rank, None if common else likings.get(name)))
    of_genre = dataset.movies.genres_of(row)
    return sorted(best_of, key=lambda each: (each.group in of_genre, bool(each.group), each.rank))


def liking_of(taste: Taste, group: TasteGroup) -> Liking | None:
    """Return how a viewer rates a genre or a decade if they like it more than other movies, and more than others do."""
    if group.ratings < LIKED_RATINGS or group.ratings == taste.ratings:
        return None
    others = (taste.mean * taste.ratings - group.mean * group.ratings) / (taste.ratings - group.ratings)
    likes = group.mean >= max(others + LIKED_MORE, LIKED_STARS) and group.beyond >= LIKED_BEYOND
    return Liking(group.mean, others) if likes else None
