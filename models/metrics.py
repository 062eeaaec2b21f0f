"""Metrics of predictions and of lists, as ``docs/evaluation.md`` defines them.

Rating metrics pool all test rows. Ranking metrics use the top of each user's list of all candidates. Pair metrics
compare predictions with the mean rating of two users who both rated a movie, or use the top of lists for two users.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Bools, Dataset, Floats, Ints, Ratings
from movietui.data.pairs import Pairs, Rows
from movietui.models.choices import METRICS

Metrics = dict[str, float]
Doubles = NDArray[np.float64]

RELEVANT = 4.0
"""A movie to which a user gave at least this many stars counts as liked. If the rating is in test, the movie is
relevant to the user."""
NORMAL_95 = 1.96
"""Half the width of the 95 % interval of a normal distribution, in standard deviations."""
DISLIKED = 2.0
"""A movie to which a user gave at most this many stars counts as disliked."""
INVERTED = 0.3
"""Two movies of a list count as inverted if the lower one is predicted more than this many stars above the upper
one."""
OF_STARS = ("liked", "disliked", "believed", "inverted")
"""The families of ranking metrics that need stars."""


@dataclass(frozen=True)
class ListMeasures:
    """Which ranking metrics to compute."""

    names: tuple[str, ...] = tuple(
        name for name, metric in METRICS.items() if "ranking" in metric.tasks and metric.higher_is_better is not None
    )
    """``ndcg@10`` is of the first ten movies, and ``mrr`` of the whole list. Models are compared by the first
    metric."""
    relevant: float = RELEVANT
    """A movie with at least this many stars in test is relevant. Above 0."""
    capped: bool = False
    """Whether ``recall@k`` divides by ``k`` if more movies are relevant."""
    depth: int = 0
    """How many movies of each list to return, if more than the metrics need."""

    @classmethod
    def at(cls, cuts: Sequence[int], relevant: float = RELEVANT, capped: bool = False) -> "ListMeasures":
        """Return all metrics at these numbers of movies.

        >>> ListMeasures.at([5, 20]).names[:3]
        ('ndcg@5', 'ndcg@20', 'liked@5')
        """
        families = dict.fromkeys(map(family, cls.names))
        names = ([f"{each}@{k}" for k in cuts] if each != "mrr" else [each] for each in families)
        return cls(tuple(name for each in names for name in each), relevant, capped)

    @property
    def length(self) -> int:
        """How many movies of each list are needed."""
        return max(self.depth, *(cut(name) for name in self.names))

    @property
    def main(self) -> str:
        """The metric by which models are compared."""
        return self.names[0]


def family(name: str) -> str:
    """Return the part of a ranking metric's name that does not depend on the length of the list: ``ndcg``."""
    return name.partition("@")[0]


def cut(name: str) -> int:
    """Return how many movies of a list a ranking metric uses, 0 for all: 10 for ``ndcg@10``."""
    return int(name.partition("@")[2] or 0)


DEFAULT_MEASURES = ListMeasures()
STRONG_MEASURES = ListMeasures(
    ("ndcg@100", "recall@20", "recall@50", *(name for name in DEFAULT_MEASURES.names if name != "recall@20")),
    capped=True,
)
"""The metrics of the split ``strong``, beginning with those that are published for it."""


def mse(prediction: Floats, stars: Floats) -> float:
    """Return the mean squared error, ``mean((p - r)^2)``, in stars squared.

    >>> mse(np.float32([4, 2]), np.float32([5, 2]))
    0.5
    """
    errors = prediction.astype(np.float64) - stars
    return float(errors @ errors / len(errors))


def mae(prediction: Floats, stars: Floats) -> float:
    """Return the mean absolute error, ``mean(|p - r|)``, in stars.

    >>> mae(np.float32([4, 2]), np.float32([5, 2]))
    0.5
    """
    return float(np.abs(prediction.astype(np.float64) - stars).mean())


def accuracy(prediction: Floats, stars: Floats) -> float:
    """Return the share of rows whose prediction, rounded to the nearest whole star (a half goes up), is the rating.

    >>> accuracy(np.float32([4.5, 2.0]), np.float32([5, 3]))
    0.5
    """
    return float((np.floor(prediction.astype(np.float64) + 0.5) == stars).mean())


def rating_metrics(prediction: Floats, stars: Floats) -> Metrics:
    """Return ``rmse``, ``mse``, ``mae``, ``accuracy`` and ``mse_scaled`` over all test rows.

    ``prediction`` and ``stars``: shape (rows,), at least one row, predictions already clipped to the scale.
    ``rmse = sqrt(mse)``; ``mse_scaled = mse / 25``, the mse of ratings divided by 5.

    >>> rating_metrics(np.float32([4.5, 2.0]), np.float32([5, 3]))
    {'rmse': 0.7905694150420949, 'mse': 0.625, 'mae': 0.75, 'accuracy': 0.5, 'mse_scaled': 0.025}
    """
    return rating_metrics_of(rating_sums(prediction, stars))


def rating_sums(prediction: Floats, stars: Floats) -> Doubles:
    """Return the number of test rows, and their sums of squared errors, absolute errors and exact predictions.

    ``rating_metrics_of`` computes the metrics from these. The sums over different rows can be added.

    >>> rating_sums(np.float32([4.5, 2.0]), np.float32([5, 3])).tolist()
    [2.0, 1.25, 1.5, 1.0]
    """
    rows = len(stars)
    if not rows:
        return np.zeros(4)
    means = np.asarray([1.0, mse(prediction, stars), mae(prediction, stars), accuracy(prediction, stars)])
    return np.asarray(rows * means, np.float64)


def rmse_margin(prediction: Floats, stars: Floats, user: Ints) -> float:
    """Return half the width of the 95 % interval of rmse, with users as the sampling unit.

    ``1.96 sqrt(sum_u (e_u - mse n_u)^2) / (2 rmse sum_u n_u)``, where ``e_u`` is the sum of a user's ``n_u`` squared
    errors: the deviation of a ratio (Cochran, Sampling Techniques, 1977, section 6.4), divided by the derivative of the
    square. All arguments have the shape (rows,). 0 if all predictions are exact.

    >>> rmse_margin(np.float32([3, 3]), np.float32([4, 5]), np.int32([0, 1])).__round__(4)
    0.6574
    """
    errors = (prediction.astype(np.float64) - stars) ** 2
    mean = errors.mean()
    spread = np.bincount(user, errors) - mean * np.bincount(user)
    return float(NORMAL_95 * np.sqrt(np.square(spread).sum()) / (2 * np.sqrt(mean) * len(errors))) if mean else 0.0


def rating_metrics_of(sums: Doubles) -> Metrics:
    """Return ``rating_metrics`` from ``rating_sums``, of at least one row."""
    error, absolute, exact = (float(each) for each in sums[1:] / sums[0])
    return {
        "rmse": error**0.5,
        "mse": error,
        "mae": absolute,
        "accuracy": exact,
        "mse_scaled": error / 25,
    }


@dataclass(frozen=True)
class Bin:
    """Test rows with similar predictions."""

    low: float
    high: float
    """Predictions are at least ``low`` and below ``high``."""
    rows: int
    predicted: float
    """The mean prediction."""
    rated: float
    """The mean rating; equal to ``predicted`` if the model is calibrated."""


def calibration(prediction: Floats, stars: Floats, width: float = 0.5) -> list[Bin]:
    """Return the mean prediction and the mean rating in bins of ``width`` predicted stars, without empty bins.

    >>> for each in calibration(np.float32([3.1, 3.3, 4.0]), np.float32([3, 4, 4])):
    ...     print(each.low, each.rows, round(each.predicted, 2), each.rated)
    3.0 2 3.2 3.5
    4.0 1 4.0 4.0
    """
    index = np.floor(prediction.astype(np.float64) / width).astype(np.int64)
    return [
        Bin(
            float(number * width),
            float((number + 1) * width),
            int(inside.sum()),
            float(prediction[inside].mean(dtype=np.float64)),
            float(stars[inside].mean(dtype=np.float64)),
        )
        for number in np.unique(index)
        for inside in [index == number]
    ]


def calibration_error(bins: list[Bin]) -> float:
    """Return the mean of ``|predicted - rated|`` over bins, weighted by their rows, in stars (Guo et al. 2017).

    >>> calibration_error(calibration(np.float32([3.1, 3.3, 4.0]), np.float32([3, 4, 4]))).__round__(4)
    0.2
    """
    return sum(each.rows * abs(each.predicted - each.rated) for each in bins) / sum(each.rows for each in bins)


@dataclass(frozen=True)
class Confusion:
    """How often each rating was predicted as each number of whole stars."""

    rated: list[float]
    """The ratings that occur, ascending."""
    predicted: list[float]
    """The predictions, rounded to the nearest whole star (a half goes up), ascending."""
    counts: list[list[int]]
    """A row for each of ``rated``, with a column for each of ``predicted``."""


def confusion(prediction: Floats, stars: Floats) -> Confusion:
    """Return how often each rating was predicted as each number of whole stars, without values that never occur.

    Predictions are rounded as in ``accuracy``, which is the share of rows in which both numbers are the same.

    >>> confusion(np.float32([4.5, 2.0, 4.6]), np.float32([5, 3, 5]))
    Confusion(rated=[3.0, 5.0], predicted=[2.0, 5.0], counts=[[1, 0], [0, 2]])
    """
    rated, row = np.unique(stars, return_inverse=True)
    predicted, column = np.unique(np.floor(prediction.astype(np.float64) + 0.5), return_inverse=True)
    counts = np.bincount(row * len(predicted) + column, minlength=len(rated) * len(predicted))
    return Confusion(rated.tolist(), predicted.tolist(), counts.reshape(len(rated), len(predicted)).tolist())


def ndcg(hits: Bools, relevant: Ints) -> Doubles:
    """Return the normalised discounted cumulative gain of lists, with binary relevance, shape (users,).

    ``hits``: whether the movie at each rank is relevant, shape (users, k). ``relevant``: how many relevant movies each
    user has, shape (users,), all above 0. The result is ``DCG = sum over ranks j = 1…k of hit_j / log2(j + 1)``,
    divided by the DCG of a list that starts with ``min(k, relevant)`` hits (Järvelin and Kekäläinen 2002).

    >>> ndcg(np.array([[True, False], [False, True]]), np.array([1, 2])).round(4)
    array([1.    , 0.3869])
    """
    gains = 1 / np.log2(np.arange(2, hits.shape[1] + 2))
    ideal = np.append(0.0, np.cumsum(gains))[np.minimum(relevant, hits.shape[1])]
    return np.asarray(hits @ gains / ideal)


def recall(hits: Bools, relevant: Ints) -> Doubles:
    """Return the share of each user's relevant movies that are in the list. Arguments as in ``ndcg``.

    >>> recall(np.array([[True, False], [False, True]]), np.array([1, 2]))
    array([1. , 0.5])
    """
    return np.asarray(hits.sum(1) / relevant)


def precision(hits: Bools) -> Doubles:
    """Return the share of the ``k`` movies of each list that are relevant; ``hits`` as in ``ndcg``.

    >>> precision(np.array([[True, False], [False, False]]))
    array([0.5, 0. ])
    """
    return np.asarray(hits.mean(1))


def average_precision(hits: Bools, relevant: Ints) -> Doubles:
    """Return the average precision of each list, whose mean over users is ``map``. Arguments as in ``ndcg``.

    It is ``sum over ranks j of hit_j (hits among the first j) / j``, divided by the number of relevant movies, even if
    that is more than ``k``, as in trec_eval's ``map_cut``.

    >>> average_precision(np.array([[True, False, True]]), np.array([4])).round(4)
    array([0.4167])
    """
    precisions = np.cumsum(hits, 1) / np.arange(1, hits.shape[1] + 1)
    return np.asarray((precisions * hits).sum(1) / relevant)


def reciprocal_rank(first: Ints) -> Doubles:
    """Return ``1 / rank`` of the first relevant movie of each list, and 0 for a list without one (a rank of 0).

    >>> reciprocal_rank(np.array([4, 0]))
    array([0.25, 0.  ])
    """
    return np.divide(1.0, first, out=np.zeros(len(first)), where=first > 0)


def hit(hits: Bools) -> Doubles:
    """Return 1 for each user whose list has a relevant movie, else 0; ``hits`` as in ``ndcg``.

    >>> hit(np.array([[False, True], [False, False]]))
    array([1., 0.])
    """
    return np.asarray(hits.any(1), np.float64)


def coverage(movies: NDArray[np.intp], counts: Ints) -> float:
    """Return the share of the movies with ratings that are in anybody's list.

    ``movies``: the lists, with -1 after their ends, shape (users, k). ``counts``: each movie's number of ratings, shape
    (movies,).

    >>> coverage(np.array([[0, 1], [0, -1]]), np.array([5, 1, 2, 2, 0]))
    0.5
    """
    return len(np.unique(movies[movies >= 0])) / int((counts > 0).sum())


def gini(movies: NDArray[np.intp], counts: Ints) -> float:
    """Return how unequally movies with ratings are listed: 0 if all are listed equally often, near 1 if few are listed.

    With ``n`` movies in ascending order of the number of lists ``x_i`` that they are in, it is
    ``sum_i (2 i - n - 1) x_i / (n sum x)`` (Gini 1912). Arguments as in ``coverage``.

    >>> gini(np.array([[0, 1], [0, -1]]), np.array([5, 1, 2, 2, 0])).__round__(4)
    0.5833
    """
    listed = np.sort(np.bincount(movies[movies >= 0], minlength=len(counts))[counts > 0])
    ranks = np.arange(1, len(listed) + 1)
    return float(((2 * ranks - len(listed) - 1) * listed).sum() / max(len(listed) * listed.sum(), 1))


def novelty(movies: NDArray[np.intp], counts: Ints, users: int) -> float:
    """Return the mean of ``-log2(ratings of the movie / users)`` over all lists' movies, in bits (Zhou et al. 2010).

    ``movies`` and ``counts`` as in ``coverage``; ``users``: the number of users with ratings in train.

    >>> novelty(np.array([[0, 1], [0, -1]]), np.array([4, 1]), 8).__round__(4)
    1.6667
    """
    return float(-np.log2(counts[movies[movies >= 0]] / users).mean())


def diversity(movies: NDArray[np.intp], genres: Bools) -> float:
    """Return how different the movies of a list are, from 0 to 1, averaged over the lists of at least two movies.

    For a list, it is the mean of ``1 - |A and B| / |A or B|`` over the pairs of its movies, with their sets of genres
    ``A`` and ``B`` (Ziegler et al. 2005, with the Jaccard distance). Two movies without any genre count as alike.
    ``genres``: shape (movies, genres).

    >>> diversity(np.array([[0, 1, 2], [0, 1, -1]]), np.array([[1, 0], [1, 0], [1, 1]], bool)).__round__(4)
    0.1667
    """
    total, lists = 0.0, 0
    for row in movies:
        listed = row[row >= 0]
        if len(listed) < 2:
            continue
        sets = genres[listed].astype(np.float64)
        both = sets @ sets.T
        size = np.diag(both)
        either = size[:, None] + size - both
        similarity = np.divide(both, either, out=np.ones_like(both), where=either > 0)
        total += 1 - (similarity.sum() - np.trace(similarity)) / (len(listed) * (len(listed) - 1))
        lists += 1
    return float(total / lists) if lists else 0.0


class Ranked(NamedTuple):
    """A user's list."""

    order: NDArray[np.intp]
    """Rows of the movies, best first."""
    stars: Floats
    """The predicted stars, shape (movies,)."""


@dataclass(frozen=True, eq=False)
class Lists:
    """The lists of the users who have a relevant movie in test, with these users' ratings of the listed movies.

    All arrays except ``users``, ``relevant``, ``first`` and ``means`` have the shape (users, ``measures.length``).
    """

    users: NDArray[np.intp]
    """Shape (users,)."""
    movies: NDArray[np.intp]
    """Rows of the movies, best first; -1 after the last candidate."""
    rated: Floats
    """The stars that the user gave each movie in test; 0 without a rating there."""
    predicted: Floats
    """The predicted stars; NaN after the last candidate."""
    relevant: Ints
    """How many movies are relevant to each user, shape (users,)."""
    first: Ints
    """The rank of the first relevant movie in each user's whole list, shape (users,); 0 without one."""
    means: Floats
    """The user's mean rating in train, shape (users,); minus infinity without ratings."""
    measures: ListMeasures = DEFAULT_MEASURES

    def hits(self, k: int) -> Bools:
        """Return whether each of the first ``k`` movies is relevant, shape (users, k)."""
        return np.asarray(self.rated[:, :k] >= self.measures.relevant)

    def by_user(self, name: str) -> Doubles:
        """Return the value of a metric of ``BY_USER`` for each user, shape (users,)."""
        return BY_USER[family(name)](self, cut(name))


BY_USER: Mapping[str, Callable[[Lists, int], Doubles]] = {
    "ndcg": lambda lists, k: ndcg(lists.hits(k), lists.relevant),
    "precision": lambda lists, k: precision(lists.hits(k)),
    "recall": lambda lists, k: recall(
        lists.hits(k), np.minimum(lists.relevant, k) if lists.measures.capped else lists.relevant
    ),
    "map": lambda lists, k: average_precision(lists.hits(k), lists.relevant),
    "mrr": lambda lists, _: reciprocal_rank(lists.first),
    "hit": lambda lists, k: hit(lists.hits(k)),
}
"""The ranking metrics that are means over users, by ``family``."""


class Top(NamedTuple):
    """The first movies of lists, and facts about the train part."""

    movies: NDArray[np.intp]
    rated: Floats
    predicted: Floats
    """These three as in ``Lists``, shape (users, k)."""
    means: Floats
    relevant: float
    """As in ``ListMeasures``."""
    counts: Ints
    """Each movie's number of ratings in train, shape (movies,)."""
    users: int
    """How many users have ratings in train."""
    genres: Bools
    """Shape (movies, genres)."""


OF_ALL_LISTS: Mapping[str, Callable[[Top], float]] = {
    "liked": lambda top: liked(top.rated, top.relevant),
    "disliked": lambda top: disliked(top.rated),
    "believed": lambda top: believed(top.predicted, top.means),
    "inverted": lambda top: inverted(top.predicted),
    "coverage": lambda top: coverage(top.movies, top.counts),
    "gini": lambda top: gini(top.movies, top.counts),
    "novelty": lambda top: novelty(top.movies, top.counts, top.users),
    "diversity": lambda top: diversity(top.movies, top.genres),
}
"""The ranking metrics of all lists together, by ``family``."""


MANY_USERS = 10_000
"""If more users than this have a relevant movie in test, the lists of only ``SAMPLED_USERS`` users are measured."""
SAMPLED_USERS = 2_000
"""How many users are drawn: enough to know ndcg@10 to about 0.01, in seconds instead of minutes."""


def rank_users(
    train: Dataset,
    test: Ratings,
    rank: Callable[[int], Ranked],
    seed: int = 0,
    measures: ListMeasures = DEFAULT_MEASURES,
) -> Lists:
    """Return the lists of the users with a relevant movie in test.

    If more than ``MANY_USERS`` users have one, ``SAMPLED_USERS`` of these users are drawn with the seed. ``rank(user)``
    returns the user's list of movies that have ratings in train and that the user has not rated there. A movie without
    ratings in train can be relevant, although it is in no list.
    """
    liked = test.stars >= measures.relevant
    users = np.unique(test.user[liked]).astype(np.intp)
    if len(users) > MANY_USERS:
        users = np.sort(np.random.default_rng(seed).choice(users, SAMPLED_USERS, replace=False))
    shape = len(users), measures.length
    lists = Lists(
        users,
        np.full(shape, -1, np.intp),
        np.zeros(shape, np.float32),
        np.full(shape, np.nan, np.float32),
        np.bincount(test.user[liked], minlength=len(train.users))[users].astype(np.int32),
        np.zeros(len(users), np.int32),
        np.full(len(users), -np.inf, np.float32),
        measures,
    )
    in_test = np.zeros(len(train.movies), np.float32)
    by_user = np.argsort(test.user, kind="stable")
    starts = np.searchsorted(test.user[by_user], np.append(users, len(train.users)))
    ends = np.searchsorted(test.user[by_user], users, "right")
    for index, user in enumerate(users):
        ranked = rank(int(user))
        order = ranked.order[: measures.length]
        rows = by_user[starts[index] : ends[index]]
        in_test[test.movie[rows]] = test.stars[rows]
        lists.movies[index, : len(order)] = order
        lists.rated[index, : len(order)] = in_test[order]
        lists.predicted[index, : len(order)] = ranked.stars[order]
        relevant_ranks = np.flatnonzero(in_test[ranked.order] >= measures.relevant)
        lists.first[index] = relevant_ranks[0] + 1 if len(relevant_ranks) else 0
        in_test[test.movie[rows]] = 0
        if len(known := train.rows_of(int(user))):
            lists.means[index] = train.ratings.stars[known].mean()
    return lists


def ranking_metrics(lists: Lists, train: Dataset) -> Metrics:
    """Return ``list_metrics``, without those of ``OF_STARS`` if the dataset has no stars."""
    metrics = list_metrics(lists, train.counts, len(np.unique(train.ratings.user)), train.movies.genres)
    return {name: value for name, value in metrics.items() if not (train.implicit and family(name) in OF_STARS)}


def list_metrics(lists: Lists, counts: Ints, users: int, genres: Bools) -> Metrics:
    """Return the metrics of ``lists.measures``, the margin of the main one, and ``users``, the number of lists.

    ``counts``: each movie's number of ratings in train, shape (movies,). ``users``: how many users have ratings in
    train. ``genres``: shape (movies, genres).
    """
    metrics: Metrics = {}
    for name in lists.measures.names:
        k = cut(name)
        if family(name) in BY_USER:
            metrics[name] = float(lists.by_user(name).mean())
        else:
            metrics[name] = OF_ALL_LISTS[family(name)](
                Top(
                    movies=lists.movies[:, :k],
                    rated=lists.rated[:, :k],
                    predicted=lists.predicted[:, :k],
                    means=lists.means,
                    relevant=lists.measures.relevant,
                    counts=counts,
                    users=users,
                    genres=genres,
                )
            )
    main = lists.measures.main
    return {**metrics, f"{main}_margin": margin(lists.by_user(main)), "users": len(lists.users)}


def margin(values: Doubles) -> float:
    """Return half the width of the 95 % interval of a mean of independent values.

    >>> margin(np.array([0.0, 1.0] * 50)).__round__(3)
    0.098
    """
    return float(NORMAL_95 * values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0


def liked(rated: Floats, relevant: float = RELEVANT) -> float:
    """Return the share of listed movies with at least ``relevant`` stars, among those that their users rated.

    ``rated``: the users' stars for their lists, 0 if not rated, shape (users, k). Returns 0 if no listed movie was
    rated.

    >>> liked(np.float32([[5, 0, 3], [4, 0, 0]])).__round__(4)
    0.6667
    """
    return float((rated >= relevant).sum() / max((rated > 0).sum(), 1))


def disliked(rated: Floats) -> float:
    """Return the mean number of movies in a list that its user gave at most ``DISLIKED`` stars.

    ``rated`` as in ``liked``.

    >>> disliked(np.float32([[5, 0, 2], [4, 0, 0]]))
    0.5
    """
    return float(((rated > 0) & (rated <= DISLIKED)).sum() / len(rated))


def believed(predicted: Floats, means: Floats) -> float:
    """Return the share of listed movies whose predicted stars are at or above the user's mean rating.

    ``predicted``: the predicted stars of the lists, with NaN after their ends, shape (users, k); ``means``: shape
    (users,).

    >>> believed(np.float32([[4, 3.5, np.nan], [3, 2, 1]]), np.float32([3.6, 2]))
    0.6
    """
    return float((predicted >= means[:, None]).sum() / max(np.isfinite(predicted).sum(), 1))


def inverted(predicted: Floats) -> float:
    """Return the share of pairs in a list whose lower movie is predicted more than ``INVERTED`` stars higher.

    ``predicted`` as in ``believed``.

    >>> inverted(np.float32([[4, 4.5, 4.2]])).__round__(4)
    0.3333
    """
    upper, lower = np.triu_indices(predicted.shape[1], 1)
    above = predicted[:, lower] - predicted[:, upper]
    return float((above > INVERTED).sum() / max(np.isfinite(above).sum(), 1))


def pair_errors(predict: Callable[[Rows, Rows], Floats], test: Ratings) -> Iterator[Floats]:
    """Yield the errors of the predicted mean rating for each pair of users who both rated a movie in test.

    ``predict``: takes the test rows of the first and of the second rating of each pair, and returns the predictions.
    The pairs' ratings are all in test, so that none is in train. If a user rated a movie twice, only the newest rating
    counts. The errors come in the blocks of ``Pairs.blocks``, because there may be far too many for the memory.
    """
    stars = test.stars.astype(np.float64)
    for first, second in Pairs.of(test).blocks():
        yield (predict(first, second) - (stars[first] + stars[second]) / 2).astype(np.float32)


def pair_metrics(errors: Iterable[Floats]) -> Metrics:
    """Return ``rmse``, ``mae``, ``mse_scaled`` (mse / 25) and ``triples``, from ``pair_errors``.

    Raises ``ValueError`` if there is no triple.

    >>> pair_metrics([np.float32([1, -2]), np.float32([2])])
    {'rmse': 1.7320508075688772, 'mae': 1.6666666666666667, 'mse_scaled': 0.12, 'triples': 3}
    """
    squares = magnitudes = 0.0
    triples = 0
    for block in errors:
        squares += float(np.square(block, dtype=np.float64).sum())
        magnitudes += float(np.abs(block).sum(dtype=np.float64))
        triples += len(block)
    if not triples:
        raise ValueError("no movie has two raters in test")
    return {
        "rmse": float(np.sqrt(squares / triples)),
        "mae": magnitudes / triples,
        "mse_scaled": squares / triples / 25,
        "triples": triples,
    }


def pair_list_metrics(hits: Bools, relevant: Ints) -> Metrics:
    """Return ``ndcg@10_mean``, ``ndcg@10_min``, ``ndcg@10_gap`` and ``pairs`` of lists that two users share.

    ``hits``: whether the movie at each rank is relevant to each member, shape (pairs, 2, 10). ``relevant``: how many
    movies are relevant to each member, shape (pairs, 2), all above 0. The list has an ``ndcg`` for each member,
    relative to the member's ideal list. The metrics are the mean, the minimum and the difference of these two, each
    averaged over the pairs.

    >>> hits = np.zeros((1, 2, 10), bool)
    >>> hits[0, 0, 0] = hits[0, 1, 1] = True
    >>> {name: round(value, 4) for name, value in pair_list_metrics(hits, np.array([[1, 1]])).items()}
    {'ndcg@10_mean': 0.8155, 'ndcg@10_min': 0.6309, 'ndcg@10_gap': 0.3691, 'pairs': 1}
    """
    members = ndcg(hits.reshape(-1, hits.shape[2]), relevant.reshape(-1)).reshape(-1, 2)
    return {
        "ndcg@10_mean": float(members.mean()),
        "ndcg@10_min": float(members.min(1).mean()),
        "ndcg@10_gap": float(np.ptp(members, axis=1).mean()),
        "pairs": len(members),
    }
