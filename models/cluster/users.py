"""What a fitted model does for every user on a cluster: predict, make lists, recommend.

Each partition has all ratings of its users. It folds them in one after the other, as serving does, with numpy.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from movietui.data.cluster.dataset import ClusterDataset
from movietui.data.dataset import Dataset, Floats, Ratings, Users
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.storage.remote_view import view
from movietui.models.base import AnyModel, History, history_of
from movietui.models.choices import Order
from movietui.models.cluster.partitions import FEWEST_PARTITIONS, RATINGS_PER_PARTITION
from movietui.models.metrics import (
    MANY_USERS,
    RELEVANT,
    SAMPLED_USERS,
    Lists,
    Metrics,
    Ranked,
    list_metrics,
    rank_users,
    rating_metrics_of,
    rating_sums,
)
from movietui.models.serving.ranking import Ranker, Viewer

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame

_SUMS = "rows double, squares double, magnitudes double, exact double"
_LISTS = "user int, movies binary, rated binary, predicted binary, relevant int, first int, mean float"
_RECOMMENDED = "user int, rank int, movie int, stars float, uncertainty float, score float"
LISTS_PER_FRAME = 100
"""How many users' lists go back to Spark at once. One at a time, each would cost another half of a millisecond."""
_TYPES = {"movies": np.int64, "rated": np.float32, "predicted": np.float32}


def measure_ratings(model: AnyModel, parts: "DataFrame") -> Metrics:
    """Return the rating metrics of a model on the test part.

    ``parts``: the ratings, with the column ``test``; see ``movietui.data.cluster.splits.split``. Raises ``Problem`` if
    the test part is empty.
    """

    def sums(batches: "Iterator[pd.DataFrame]") -> "Iterator[pd.DataFrame]":
        import pandas as pd

        total = np.zeros(4)
        for frame in _users_of(batches):
            test = frame["test"].to_numpy(bool)
            if test.any():
                history = _history(frame[~test])
                stars = model.stars(model.fold_in(history), frame["movie"].to_numpy()[test])
                total += rating_sums(stars, frame["stars"].to_numpy(np.float32)[test])
        yield pd.DataFrame([total], columns=["rows", "squares", "magnitudes", "exact"])

    rows = _by_user(parts.select("user", "movie", "stars", "test")).mapInPandas(sums, _SUMS).toPandas()
    total = rows.to_numpy(np.float64).sum(0)
    if not total[0]:
        raise Problem(tr("The test part has no ratings; choose another split."))
    return rating_metrics_of(total)


def measure_lists(model: AnyModel, dataset: ClusterDataset, parts: "DataFrame", order: Order, seed: int) -> Metrics:
    """Return the ranking metrics of a model on the test part, for the lists that serving would make.

    If more than ``MANY_USERS`` users have a relevant movie in test, only ``SAMPLED_USERS`` lists count: those of the
    users with the lowest hashes of their row and the seed. ``parts``: as in ``measure_ratings``. Raises ``Problem`` if
    nobody has a relevant movie.
    """
    from pyspark.sql import functions as f

    users = parts.where(f.col("test") & (f.col("stars") >= RELEVANT)).select("user").distinct()
    if users.count() > MANY_USERS:
        users = users.orderBy(f.xxhash64("user", f.lit(seed)), "user").limit(SAMPLED_USERS)
    movies = replace(view(dataset), remote=replace(dataset, counts=model.counts.astype(np.int64)))

    def lists_of(batches: "Iterator[pd.DataFrame]") -> "Iterator[pd.DataFrame]":
        import pandas as pd

        frames = list(batches)
        if not sum(map(len, frames)):
            return
        train, test = _as_dataset(movies, pd.concat(frames))
        ranker = Ranker(train, model, unrated=False)

        def rank(user: int) -> Ranked:
            ranked = ranker.rank([Viewer("user", train.users.ids[user], history_of(train, user))], order=order)
            return Ranked(ranked.order, ranked.stars)

        lists = rank_users(train, test, rank)
        for index, user in enumerate(lists.users.tolist()):
            arrays = {name: [getattr(lists, name)[index].astype(kind).tobytes()] for name, kind in _TYPES.items()}
            numbers = {
                "relevant": [int(lists.relevant[index])],
                "first": [int(lists.first[index])],
                "mean": [float(lists.means[index])],
            }
            yield pd.DataFrame({"user": [int(train.users.ids[user])], **arrays, **numbers})

    chosen = parts.select("user", "movie", "stars", "test").join(users, "user", "left_semi")
    rows = _by_user(chosen).mapInPandas(lists_of, _LISTS).toPandas().sort_values("user")
    if not len(rows):
        raise Problem(
            tr("Nobody gave four stars or more in the test part, so lists cannot be measured; choose another split.")
        )
    arrays = {name: np.stack([np.frombuffer(each, kind) for each in rows[name]]) for name, kind in _TYPES.items()}
    lists = Lists(
        rows["user"].to_numpy(np.intp),
        arrays["movies"].astype(np.intp),
        arrays["rated"],
        arrays["predicted"],
        rows["relevant"].to_numpy(np.int32),
        rows["first"].to_numpy(np.int32),
        rows["mean"].to_numpy(np.float32),
    )
    in_train = parts.where(~f.col("test")).select("user").distinct().count()
    return list_metrics(lists, model.counts, in_train, dataset.movies.genres)


def recommend_everyone(
    model: AnyModel, dataset: ClusterDataset, ratings: "DataFrame", users: "DataFrame", k: int, order: Order
) -> "DataFrame":
    """Return the first ``k`` movies of the list of every user, even of users without ratings.

    ``ratings`` and ``users``: of the dataset. The result has the columns ``user`` and ``movie`` (ids as published),
    ``rank`` (from 1), ``stars``, ``uncertainty`` and ``score``.
    """
    from pyspark.sql import functions as f

    movies = view(dataset)

    def best_of(frame: "pd.DataFrame", ranker: Ranker) -> BestMovies:
        user = int(frame["user"].iloc[0])
        history = _history(frame[frame["movie"].notna()])
        ranked = ranker.rank([Viewer("user", str(user), history)], order=order)
        best = ranked.order[:k]
        return BestMovies(user, best, ranked.stars[best], ranked.uncertainty[best], ranked.score[best])

    def lists_of(batches: "Iterator[pd.DataFrame]") -> "Iterator[pd.DataFrame]":
        ranker = Ranker(movies, model, unrated=False)
        yield from in_frames(best_of(frame, ranker) for frame in _users_of(batches))

    everyone = users.select("user").join(ratings.select("user", "movie", "stars"), "user", "left")
    lists = _by_user(everyone).mapInPandas(lists_of, _RECOMMENDED)
    ids = users.sparkSession.createDataFrame(list(enumerate(dataset.movies.ids)), "movie int, movie_id string")
    named = lists.join(f.broadcast(ids), "movie").join(
        users.select("user", f.col("id").cast("string").alias("user_id")), "user"
    )
    return named.select(
        f.col("user_id").alias("user"), "rank", f.col("movie_id").alias("movie"), "stars", "uncertainty", "score"
    )


class BestMovies(NamedTuple):
    """The first movies of a user's list, best first."""

    user: int
    movies: NDArray[np.intp]
    """Their rows, shape (movies,)."""
    stars: Floats
    uncertainty: Floats
    score: Floats


def in_frames(lists: Iterator[BestMovies]) -> "Iterator[pd.DataFrame]":
    """Yield lists as tables of ``LISTS_PER_FRAME`` each, the last with fewer."""
    import pandas as pd

    while some := list(islice(lists, LISTS_PER_FRAME)):
        lengths = [len(each.movies) for each in some]
        yield pd.DataFrame(
            {
                "user": np.repeat(np.asarray([each.user for each in some], np.int32), lengths),
                "rank": np.concatenate([np.arange(1, length + 1, dtype=np.int32) for length in lengths]),
                "movie": np.concatenate([each.movies for each in some]).astype(np.int32),
                "stars": np.concatenate([each.stars for each in some]),
                "uncertainty": np.concatenate([each.uncertainty for each in some]),
                "score": np.concatenate([each.score for each in some]),
            }
        )


def _by_user(rows: "DataFrame") -> "DataFrame":
    """Return the rows in partitions of whole users, one user after the other, in an order that does not vary."""
    number = max(FEWEST_PARTITIONS, -(-rows.count() // RATINGS_PER_PARTITION))
    return rows.repartition(number, "user").sortWithinPartitions("user", "movie", "stars")


def _users_of(batches: "Iterator[pd.DataFrame]") -> "Iterator[pd.DataFrame]":
    """Yield the rows of each user, which may be in two or more consecutive batches."""
    import pandas as pd

    waiting: list[pd.DataFrame] = []
    for batch in batches:
        user = batch["user"].to_numpy()
        if not len(user):
            continue
        ends = [*(np.flatnonzero(np.diff(user)) + 1).tolist(), len(user)]
        for start, end in zip([0, *ends], ends, strict=False):
            if waiting and waiting[-1]["user"].iloc[0] != user[start]:
                yield pd.concat(waiting)
                waiting = []
            waiting.append(batch.iloc[start:end])
    if waiting:
        yield pd.concat(waiting)


def _history(frame: "pd.DataFrame") -> History:
    """Return a user's ratings, with the last of several ratings of the same movie."""
    rated = frame.drop_duplicates("movie", keep="last")
    return History(rated["movie"].to_numpy(np.int32), rated["stars"].to_numpy(np.float32))


def _as_dataset(movies: Dataset, frame: "pd.DataFrame") -> tuple[Dataset, Ratings]:
    """Return the train part of some users, as a dataset of these users only, and their test part."""
    ids, user = np.unique(frame["user"].to_numpy(np.int32), return_inverse=True)
    ratings = Ratings(
        user.astype(np.int32),
        frame["movie"].to_numpy(np.int32),
        frame["stars"].to_numpy(np.float32),
        np.zeros(len(frame), np.int64),
    )
    test = frame["test"].to_numpy(bool)
    users = Users(tuple(map(str, ids.tolist())))
    return replace(movies, users=users, ratings=ratings.take(np.flatnonzero(~test))), ratings.take(np.flatnonzero(test))
