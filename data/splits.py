"""The named splits. Results can be compared only on identical splits, so every figure names its split.

All splits are defined on the rows of the ratings, in the order of the original file.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Ratings
from movietui.data.near_names import no_such
from movietui.data.problems import Problem

Rows = NDArray[np.intp]

NAMES = (
    *(f"u{fold}" for fold in range(1, 6)),
    *(f"kfold5-{fold}" for fold in range(5)),
    "random90",
    "random80",
    "latest",
    "latest-global",
    "cold-movies",
    "cold-newest",
)
LATEST_SHARE = 0.1
"""The share of each user's ratings (``latest``), or of all ratings (``latest-global``), that are in test."""
COLD_SHARE = 0.1
"""The share of the movies (``cold-movies``), or of the ratings (``cold-newest``), that are in test."""
VALIDATION_SHARE = 0.1
"""The share of the train part that ``hold_out`` holds out by default."""


@dataclass(frozen=True, eq=False)
class Split:
    """The rows of the train part and those of the test part; each row is in exactly one of them."""

    name: str
    train: Rows
    test: Rows


def split(dataset: Dataset, name: str, seed: int = 0) -> Split:
    """Split a dataset's ratings.

    ``seed`` is the seed of the split (``kfold5``, ``random90``, ``random80``, ``cold-movies``), not of the model.
    Raises ``Problem`` if the name is not in ``NAMES`` or the split does not fit the dataset.
    """
    total = len(dataset.ratings)
    if total < len(NAMES):
        raise Problem(f"{dataset.name} has only {total} ratings, too few to split; choose a larger dataset.")
    test = _test_rows(dataset, name, seed)
    in_test = np.zeros(total, bool)
    in_test[test] = True
    return Split(name, np.flatnonzero(~in_test), test)


def _test_rows(dataset: Dataset, name: str, seed: int) -> Rows:
    total = len(dataset.ratings)
    if match := re.fullmatch(r"u([1-5])", name):
        if (dataset.name, dataset.cleaning, total) != ("ml-100k", "none", 100_000):
            raise Problem(f"The split {name} is defined on the published rows of ml-100k; use the cleaning none.")
        fold = int(match[1]) - 1
        return np.arange(20_000 * fold, 20_000 * (fold + 1))
    if match := re.fullmatch(r"kfold5-([0-4])", name):
        return np.array_split(_shuffled(total, seed), 5)[int(match[1])]
    shares = {"random90": 0.1, "random80": 0.2}
    if name in shares:
        return _shuffled(total, seed)[: round(total * shares[name])]
    if name == "cold-movies":
        return _of_random_movies(dataset.ratings, seed)
    by_time: dict[str, Callable[[Ratings], Rows]] = {
        "latest": _latest_of_each_user,
        "latest-global": _latest,
        "cold-newest": _of_newest_movies,
    }
    if name in by_time:
        return by_time[name](dataset.ratings)
    raise no_such(f"There is no split {name!r}", name, NAMES, f"choose one of {', '.join(NAMES)}.")


def _shuffled(total: int, seed: int) -> Rows:
    rows = np.arange(total)
    np.random.RandomState(seed).shuffle(rows)
    return rows


def _latest(ratings: Ratings) -> Rows:
    """Return the rows of the newest tenth of all ratings, and of others in the same second as the oldest of these."""
    ordered = np.sort(ratings.time)
    cutoff = ordered[len(ordered) - max(1, round(len(ordered) * LATEST_SHARE))]
    return np.flatnonzero(ratings.time >= cutoff)


def _latest_of_each_user(ratings: Ratings) -> Rows:
    """Return the rows of the newest tenth of each user's ratings, at least one per user.

    Of two ratings in the same second, the later row counts as newer.
    """
    order = np.lexsort((np.arange(len(ratings)), ratings.time, ratings.user))
    user = ratings.user[order]
    counts = np.bincount(user)
    ends = np.cumsum(counts)
    rank_from_newest = ends[user] - 1 - np.arange(len(user))
    keep = np.maximum(1, (counts * LATEST_SHARE).astype(int))
    newest: Rows = order[rank_from_newest < keep[user]]
    return newest


def _of_random_movies(ratings: Ratings, seed: int) -> Rows:
    """Return all ratings of a tenth of the movies that have ratings."""
    movies = np.unique(ratings.movie)
    drawn = movies[_shuffled(len(movies), seed)[: max(1, round(len(movies) * COLD_SHARE))]]
    return np.flatnonzero(np.isin(ratings.movie, drawn))


def _of_newest_movies(ratings: Ratings) -> Rows:
    """Return all ratings of the movies whose first rating is the latest: as many movies as have at least a tenth of the
    ratings together. Of movies first rated in the same second, the later row counts as newer."""
    movies, which = np.unique(ratings.movie, return_inverse=True)
    first = np.full(len(movies), np.iinfo(np.int64).max)
    np.minimum.at(first, which, ratings.time)
    newest_first = np.lexsort((np.arange(len(movies)), first))[::-1]
    counts = np.bincount(which)[newest_first].cumsum()
    newest = newest_first[: 1 + np.searchsorted(counts, len(ratings) * COLD_SHARE)]
    return np.flatnonzero(np.isin(which, newest))


def hold_out(rows: Rows, seed: int = 0, share: float = VALIDATION_SHARE) -> tuple[Rows, Rows]:
    """Split train rows into ``(learn, validation)``; validation is for choosing settings and the stopping epoch.

    The rows in validation are drawn at random: this share of all rows, but at least one. Both parts are sorted.
    """
    shuffled = np.random.RandomState(seed).permutation(rows)
    cut = max(1, round(len(rows) * share))
    return np.sort(shuffled[cut:]), np.sort(shuffled[:cut])
