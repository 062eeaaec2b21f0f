"""How good predictions and lists are, by the project's protocols.

Rating metrics pool all test rows. Ranking metrics rank all candidates of a user and average over users. Pair metrics
ask what two users who both rated a movie thought of it on average.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from data.dataset import Bools, Dataset, Floats, Ints, Ratings
from data.pairs import Pairs, Rows

Metrics = dict[str, float]
Doubles = NDArray[np.float64]

RELEVANT = 4.0
"""From how many stars on a test rating counts as a hit."""
CUTS = (10, 20)


def mse(prediction: Floats, stars: Floats) -> float:
    """Mean squared error, ``mean((p - r)^2)``, in stars squared.

    >>> mse(np.float32([4, 2]), np.float32([5, 2]))
    0.5
    """
    rest = prediction.astype(np.float64) - stars
    return float(rest @ rest / len(rest))


def mae(prediction: Floats, stars: Floats) -> float:
    """Mean absolute error, ``mean(|p - r|)``, in stars.

    >>> mae(np.float32([4, 2]), np.float32([5, 2]))
    0.5
    """
    return float(np.abs(prediction.astype(np.float64) - stars).mean())


def accuracy(prediction: Floats, stars: Floats) -> float:
    """The share of rows whose prediction, rounded to the nearest whole star (a half goes up), is the rating.

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
    error = mse(prediction, stars)
    return {
        "rmse": float(np.sqrt(error)),
        "mse": error,
        "mae": mae(prediction, stars),
        "accuracy": accuracy(prediction, stars),
        "mse_scaled": error / 25,
    }


@dataclass(frozen=True)
class Bin:
    """Test rows whose predictions are alike."""

    low: float
    high: float
    """The predictions lie from ``low`` to below ``high``."""
    rows: int
    predicted: float
    """The mean prediction."""
    rated: float
    """The mean rating; where a model is calibrated, the same."""


def calibration(prediction: Floats, stars: Floats, width: float = 0.5) -> list[Bin]:
    """Return what was rated where this was predicted, in bins of ``width`` stars; bins without rows are left out.

    >>> for found in calibration(np.float32([3.1, 3.3, 4.0]), np.float32([3, 4, 4])):
    ...     print(found.low, found.rows, round(found.predicted, 2), found.rated)
    3.0 2 3.2 3.5
    4.0 1 4.0 4.0
    """
    place = np.floor(prediction.astype(np.float64) / width).astype(np.int64)
    return [
        Bin(
            float(one * width),
            float((one + 1) * width),
            int(inside.sum()),
            float(prediction[inside].mean(dtype=np.float64)),
            float(stars[inside].mean(dtype=np.float64)),
        )
        for one in np.unique(place)
        for inside in [place == one]
    ]


def calibration_error(bins: list[Bin]) -> float:
    """Return the mean of ``|predicted - rated|`` over bins, weighted by their rows, in stars (Guo et al. 2017).

    >>> calibration_error(calibration(np.float32([3.1, 3.3, 4.0]), np.float32([3, 4, 4]))).__round__(4)
    0.2
    """
    return sum(found.rows * abs(found.predicted - found.rated) for found in bins) / sum(found.rows for found in bins)


@dataclass(frozen=True)
class Confusion:
    """How often which rating was predicted as how many whole stars."""

    rated: list[float]
    """The ratings that there are, rising."""
    predicted: list[float]
    """The predictions, rounded to the nearest whole star (a half goes up), rising."""
    counts: list[list[int]]
    """A row for each of ``rated`` with a column for each of ``predicted``."""


def confusion(prediction: Floats, stars: Floats) -> Confusion:
    """Return how often each rating was predicted as each whole star; what never came is left out.

    Rounded as for ``accuracy``, which is the share of rows where both are the same.

    >>> confusion(np.float32([4.5, 2.0, 4.6]), np.float32([5, 3, 5]))
    Confusion(rated=[3.0, 5.0], predicted=[2.0, 5.0], counts=[[1, 0], [0, 2]])
    """
    rated, row = np.unique(stars, return_inverse=True)
    predicted, column = np.unique(np.floor(prediction.astype(np.float64) + 0.5), return_inverse=True)
    counts = np.bincount(row * len(predicted) + column, minlength=len(rated) * len(predicted))
    return Confusion(rated.tolist(), predicted.tolist(), counts.reshape(len(rated), len(predicted)).tolist())


def ndcg(hits: Bools, relevant: Ints) -> Doubles:
    """Normalised discounted cumulative gain of lists, binary, against each user's own ideal.

    ``hits``: whether the movie at each place is relevant, shape (users, k). ``relevant``: how many relevant movies each
    user has, shape (users,), all above 0. ``DCG = sum over places j = 1…k of hit_j / log2(j + 1)``, divided by the DCG
    of a list that starts with ``min(k, relevant)`` hits (Järvelin and Kekäläinen 2002).

    >>> ndcg(np.array([[True, False], [False, True]]), np.array([1, 2])).round(4)
    array([1.    , 0.3869])
    """
    gains = 1 / np.log2(np.arange(2, hits.shape[1] + 2))
    ideal = np.append(0.0, np.cumsum(gains))[np.minimum(relevant, hits.shape[1])]
    return np.asarray(hits @ gains / ideal)


def recall(hits: Bools, relevant: Ints) -> Doubles:
    """The share of each user's relevant movies that is in the list; arguments as in ``ndcg``.

    >>> recall(np.array([[True, False], [False, True]]), np.array([1, 2]))
    array([1. , 0.5])
    """
    return np.asarray(hits.sum(1) / relevant)


def hit(hits: Bools) -> Doubles:
    """1 for each user whose list has a relevant movie in it, else 0; ``hits`` as in ``ndcg``.

    >>> hit(np.array([[False, True], [False, False]]))
    array([1., 0.])
    """
    return np.asarray(hits.any(1), np.float64)


def coverage(movies: NDArray[np.intp], counts: Ints) -> float:
    """The share of the movies with ratings that are in anybody's list.

    ``movies``: the lists, -1 where there is nothing, shape (users, k). ``counts``: of ratings, shape (movies,).

    >>> coverage(np.array([[0, 1], [0, -1]]), np.array([5, 1, 2, 2, 0]))
    0.5
    """
    return len(np.unique(movies[movies >= 0])) / int((counts > 0).sum())


def novelty(movies: NDArray[np.intp], counts: Ints, users: int) -> float:
    """The mean of ``-log2(ratings of the movie / users)`` over all that is in a list, in bits (Zhou et al. 2010).

    >>> novelty(np.array([[0, 1], [0, -1]]), np.array([4, 1]), 8).__round__(4)
    1.6667
    """
    return float(-np.log2(counts[movies[movies >= 0]] / users).mean())


def diversity(movies: NDArray[np.intp], genres: Bools) -> float:
    """How unlike the movies of a list are, from 0 to 1, averaged over the lists of at least two movies.

    Of each list the mean over its pairs of movies of ``1 - |A and B| / |A or B|``, with their sets of genres A and B
    (Ziegler et al. 2005, with the distance of Jaccard); two movies without any genre are alike. ``genres``: shape
    (movies, genres).

    >>> diversity(np.array([[0, 1, 2], [0, 1, -1]]), np.array([[1, 0], [1, 0], [1, 1]], bool)).__round__(4)
    0.1667
    """
    total, lists = 0.0, 0
    for own in movies:
        own = own[own >= 0]
        if len(own) < 2:
            continue
        have = genres[own].astype(np.float64)
        both = have @ have.T
        size = np.diag(both)
        either = size[:, None] + size - both
        alike = np.divide(both, either, out=np.ones_like(both), where=either > 0)
        total += 1 - (alike.sum() - np.trace(alike)) / (len(own) * (len(own) - 1))
        lists += 1
    return total / lists if lists else 0.0


def top(scores: Floats, k: int, counts: Ints) -> NDArray[np.intp]:
    """The columns of the ``k`` highest scores of each row, best first, shape (rows, k).

    Equal scores are ordered by ``counts``, highest first, then by column. A score of minus infinity is not a
    candidate; where fewer than ``k`` are, the rest of the row is -1.

    >>> top(np.float32([[1, 3, 3, -np.inf]]), 4, np.int32([9, 5, 6, 7]))
    array([[ 2,  1,  0, -1]])
    """
    order = np.lexsort((np.arange(len(counts)), -counts))
    ranked = order[np.argsort(-scores[:, order], axis=1, kind="stable")[:, :k]]
    best: NDArray[np.intp] = np.where(np.isneginf(np.take_along_axis(scores, ranked, 1)), -1, ranked)
    return best


@dataclass(frozen=True, eq=False)
class Lists:
    """The lists of the users who have something relevant in test."""

    users: NDArray[np.intp]
    """Shape (users,)."""
    movies: NDArray[np.intp]
    """Best first, -1 where there are no more candidates, shape (users, 20)."""
    hits: Bools
    """Whether each is relevant, shape (users, 20)."""
    relevant: Ints
    """How many movies are relevant to each user, shape (users,)."""

    @cached_property
    def ndcg(self) -> Doubles:
        """Of the first ten of each list, shape (users,)."""
        return ndcg(self.hits[:, :10], self.relevant)


def rank_users(train: Dataset, test: Ratings, score: Callable[[int], Floats]) -> Lists:
    """Rank, for each user with a relevant test rating, all movies of train that the user has not rated in train.

    ``score(user)`` returns a score for each movie of the dataset, shape (movies,). Relevant is a test rating of at
    least ``RELEVANT`` stars, whether or not the movie can be recommended at all.
    """
    wanted = test.stars >= RELEVANT
    relevant_user, relevant_movie = test.user[wanted], test.movie[wanted]
    users = np.unique(relevant_user).astype(np.intp)
    counts = train.counts
    unknown = counts == 0
    k = min(CUTS[-1], len(counts))
    movies = np.full((len(users), CUTS[-1]), -1, np.intp)
    hits = np.zeros(movies.shape, bool)
    marks = np.zeros(len(counts), bool)
    by_user = np.argsort(relevant_user, kind="stable")
    starts = np.searchsorted(relevant_user[by_user], np.append(users, len(train.users)))
    for place, user in enumerate(users):
        scores = score(int(user)).astype(np.float32, copy=True)
        scores[unknown] = -np.inf
        scores[train.ratings.movie[train.rows_of(int(user))]] = -np.inf
        movies[place, :k] = _first(scores, k, counts)
        own = relevant_movie[by_user[starts[place] : starts[place + 1]]]
        marks[own] = True
        hits[place] = marks[movies[place]] & (movies[place] >= 0)
        marks[own] = False
    return Lists(users, movies, hits, np.diff(starts).astype(np.int32))


def _first(scores: Floats, k: int, counts: Ints) -> NDArray[np.intp]:
    """``top`` of one row, without sorting all of it: only what reaches the k-th highest score."""
    bound = np.partition(scores, len(scores) - k)[len(scores) - k]
    reach = np.flatnonzero(scores >= bound)
    ranked = reach[top(scores[None, reach], k, counts[reach])[0]]
    return np.where(np.isneginf(scores[ranked]), -1, ranked)


def ranking_metrics(lists: Lists, train: Dataset) -> Metrics:
    """Return what the lists are worth: the first four are means over users, the others describe the tens together."""
    ten, hits = lists.movies[:, :10], lists.hits[:, :10]
    return {
        "ndcg@10": float(lists.ndcg.mean()),
        "recall@10": float(recall(hits, lists.relevant).mean()),
        "recall@20": float(recall(lists.hits, lists.relevant).mean()),
        "hit@10": float(hit(hits).mean()),
        "coverage@10": coverage(ten, train.counts),
        "novelty@10": novelty(ten, train.counts, len(np.unique(train.ratings.user))),
        "diversity@10": diversity(ten, train.movies.genres),
    }


def pair_errors(predict: Callable[[Rows, Rows], Floats], test: Ratings) -> Iterator[Floats]:
    """Tell how far the stars predicted for each pair of users who rated a movie in test are from the mean of both.

    ``predict``: from the test rows of one rating and of the other to what is predicted for each pair. The triples are
    formed inside test: nothing that they ask for was seen in train. Of a movie that somebody rated twice only the
    newest rating is asked for. Block by block, as ``Pairs.blocks`` has them: there may be far too many to hold.
    """
    stars = test.stars.astype(np.float64)
    for first, second in Pairs.of(test).blocks():
        yield (predict(first, second) - (stars[first] + stars[second]) / 2).astype(np.float32)


def pair_metrics(errors: Iterable[Floats]) -> Metrics:
    """Return ``rmse``, ``mae``, ``mse_scaled``, which is mse / 25, and ``triples``, from ``pair_errors``.

    Raises ``ValueError`` without any triple.
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

    ``hits``: whether the movie at each place is relevant to each member, shape (pairs, 2, 10). ``relevant``: how many
    movies are, shape (pairs, 2), all above 0. With the ``ndcg`` of the one list against each member's own ideal: the
    mean of both, the lower one, and the distance between them, each averaged over the pairs.

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
