"""The named splits, and splits in files. Results can be compared only on identical splits, so every figure names its
split.

``movietui.data.split_names`` has the names. All named splits are defined on the rows of the ratings, in the order of
the original file. A file says which pairs of a user and a movie are in which part; see
``movietui.data.tables.split_file``.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Ratings, grouped
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.split_names import check_name, is_file
from movietui.data.tables import split_file

Rows = NDArray[np.intp]

FEWEST_RATINGS = 20
"""A dataset with fewer ratings is not split."""
LATEST_SHARE = 0.1
"""The share of each user's ratings (``latest``), or of all ratings (``latest-global``), that are in test."""
COLD_SHARE = 0.1
"""The share of the movies (``cold-movies``), or of the ratings (``cold-newest``), that are in test."""
VALIDATION_SHARE = 0.1
"""The share of the train part that ``hold_out`` holds out by default."""
NEW_SHARE = 0.1
"""The share of the users that are new in ``new-users``, and the highest share of them in ``strong``."""
TESTED_SHARE = 0.2
"""The share of each new user's ratings that are in test."""
STRONG_STARS = 3.5
"""Only ratings with more stars than this are in ``strong``."""
STRONG_RATINGS = 5
"""Users with fewer such ratings are not in ``strong``. New users with fewer such ratings of train's movies have none in
test."""
STRONG_USERS = 10_000
"""The maximum number of new users of ``strong``."""
STRONG_SEED = 98765
"""The seed of ``strong``, to which the split seed is added."""


@dataclass(frozen=True, eq=False)
class Split:
    """The rows of each part. A row is in at most one part; ``strong`` leaves rows out, and so may a file."""

    name: str
    train: Rows
    test: Rows
    fold_in: Rows | None = None
    """The other ratings of the users in test, if these users are new: a model folds the users in from them. ``None`` if
    the users in test have ratings in train."""


def split(dataset: Dataset, name: str, seed: int = 0) -> Split:
    """Split a dataset's ratings.

    ``name`` is one of ``split_names.NAMES``, or the path of a file. ``seed`` is the seed of the split, not of the
    model; it does not matter for files and ``split_names.WITHOUT_SEED``. Raises ``Problem`` for any other name, if the
    file cannot be read, and if the split does not fit the dataset.
    """
    if is_file(name):
        train, test = split_file.read(Path(name), dataset)
        return Split(name_of(name), train, test)
    check_name(name)
    total = len(dataset.ratings)
    if total < FEWEST_RATINGS:
        raise Problem(
            tr(
                "{dataset} has only {count} ratings, too few to split; choose a larger dataset.",
                dataset=dataset.name,
                count=total,
            )
        )
    if name == "strong":
        return _strong(dataset, seed)
    if name == "new-users":
        return _new_users(dataset, seed)
    test = _test_rows(dataset, name, seed)
    in_test = np.zeros(total, bool)
    in_test[test] = True
    return Split(name, np.flatnonzero(~in_test), test)


def name_of(name: str) -> str:
    """Return the name of a split in results; that of a file changes with its content. Raises ``Problem``."""
    return split_file.name_of(Path(name)) if is_file(name) else name


def _test_rows(dataset: Dataset, name: str, seed: int) -> Rows:
    total = len(dataset.ratings)
    if match := re.fullmatch(r"u([1-5])", name):
        if (dataset.name, dataset.cleaning, total) != ("ml-100k", "none", 100_000):
            raise Problem(
                tr("The split {split} is defined on the published rows of ml-100k; use the cleaning none.", split=name)
            )
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
        "latest": lambda ratings: _latest_of_each_user(ratings, LATEST_SHARE),
        "latest-global": _latest,
        "loo": lambda ratings: _latest_of_each_user(ratings, 0),
        "cold-newest": _of_newest_movies,
    }
    if not (dataset.ratings.time > 0).any():
        raise Problem(
            tr(
                "{dataset} does not say when its ratings were given; choose a split such as random80.",
                dataset=dataset.name,
            )
        )
    return by_time[name](dataset.ratings)


def _shuffled(total: int, seed: int) -> Rows:
    rows = np.arange(total)
    np.random.RandomState(seed).shuffle(rows)
    return rows


def _latest(ratings: Ratings) -> Rows:
    """Return the rows of the newest tenth of all ratings, and of others in the same second as the oldest of these."""
    ordered = np.sort(ratings.time)
    cutoff = ordered[len(ordered) - max(1, round(len(ordered) * LATEST_SHARE))]
    return np.flatnonzero(ratings.time >= cutoff)


def _latest_of_each_user(ratings: Ratings, share: float) -> Rows:
    """Return the rows of the newest ratings of each user: this share of them, but at least one.

    Of two ratings in the same second, the later row counts as newer.
    """
    order = np.lexsort((np.arange(len(ratings)), ratings.time, ratings.user))
    user = ratings.user[order]
    counts = np.bincount(user)
    ends = np.cumsum(counts)
    rank_from_newest = ends[user] - 1 - np.arange(len(user))
    keep = np.maximum(1, (counts * share).astype(int))
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


def _new_users(dataset: Dataset, seed: int) -> Split:
    """Return a split whose new users are a tenth of the users with ratings, drawn like the movies of ``cold-movies``.

    The generator then draws, for each of them in the order of their rows, a fifth of their ratings, rounded down but at
    least one: these are in test.
    """
    user = dataset.ratings.user
    users = np.unique(user)
    random = np.random.RandomState(seed)
    shuffled = np.arange(len(users))
    random.shuffle(shuffled)
    new = np.zeros(len(dataset.users), bool)
    new[users[shuffled[: max(1, round(len(users) * NEW_SHARE))]]] = True
    is_new = new[user]
    rows = np.flatnonzero(is_new)
    order, starts = grouped(user[rows], len(new))
    tested = [
        order[start:end][random.choice(end - start, max(1, int(TESTED_SHARE * (end - start))), replace=False)]
        for start, end in pairwise(starts.tolist())
        if end > start
    ]
    in_test = np.zeros(len(rows), bool)
    in_test[np.concatenate(tested)] = True
    return Split("new-users", np.flatnonzero(~is_new), rows[in_test], rows[~in_test])


def _strong(dataset: Dataset, seed: int) -> Split:
    """Return the split of strong generalisation by Liang, Krishnan, Hoffman and Jebara, Variational autoencoders for
    collaborative filtering (2018), as the authors' code makes it.

    Raises ``Problem`` if the dataset is too small.
    """
    ratings, total = dataset.ratings, len(dataset.users)
    high = ratings.stars > STRONG_STARS
    enough = np.bincount(ratings.user[high], minlength=total) >= STRONG_RATINGS
    by_id = np.asarray([row for row in _sorted_by_id(dataset.users.ids) if enough[row]], np.intp)
    new_count = min(STRONG_USERS, int(len(by_id) * NEW_SHARE))
    permuted = by_id[np.random.RandomState(STRONG_SEED + seed).permutation(len(by_id))]
    of_train, new = np.zeros(total, bool), np.zeros(total, bool)
    of_train[permuted[: len(by_id) - 2 * new_count]] = True  # the users in between are the authors' validation users
    new[permuted[len(by_id) - new_count :]] = True
    train = np.flatnonzero(high & of_train[ratings.user])
    known = np.zeros(len(dataset.movies), bool)
    known[ratings.movie[train]] = True
    rows = np.flatnonzero(high & new[ratings.user] & known[ratings.movie])
    order, starts = grouped(ratings.user[rows], total)
    random = np.random.RandomState(STRONG_SEED + seed)
    in_test = np.zeros(len(rows), bool)
    for user in by_id[new[by_id]].tolist():
        count = int(starts[user + 1] - starts[user])
        if count >= STRONG_RATINGS:
            drawn = random.choice(count, int(TESTED_SHARE * count), replace=False)
            in_test[order[starts[user] + drawn]] = True
    if not in_test.any():
        raise Problem(
            tr(
                "{dataset} has too few users with {count} ratings above {stars} stars for the split strong; choose "
                "another split.",
                dataset=dataset.name,
                count=STRONG_RATINGS,
                stars=STRONG_STARS,
            )
        )
    return Split("strong", train, rows[in_test], rows[~in_test])


def _sorted_by_id(ids: Sequence[str]) -> list[int]:
    """Return the rows in the order of the ids: as numbers if all are whole numbers, else as text."""
    key: Callable[[int], int | str] = (
        (lambda row: int(ids[row])) if all(map(re.compile("[0-9]{1,18}").fullmatch, ids)) else (lambda row: ids[row])
    )
    return sorted(range(len(ids)), key=key)


def hold_out(rows: Rows, seed: int = 0, share: float = VALIDATION_SHARE) -> tuple[Rows, Rows]:
    """Split train rows into ``(learn, validation)``; validation is for choosing settings and the stopping epoch.

    The rows in validation are drawn at random: this share of all rows, but at least one. Both parts are sorted.
    """
    shuffled = np.random.RandomState(seed).permutation(rows)
    cut = max(1, round(len(rows) * share))
    return np.sort(shuffled[cut:]), np.sort(shuffled[:cut])
