"""The named splits of a dataset on a cluster, where the rows of the ratings have no order.

Each rating is therefore in one of ten buckets, chosen by a hash of the seed and of the rows of its user and movie or,
for ``cold-movies-by-hash``, of its movie only. The parts of ``random90-by-hash`` are about as large as those of
``random90``, but it is another split, so it has another name. ``latest`` is the same as on one machine, except that a
user's ratings in the same second are ordered by the rows of their movies: the higher row is the newer.
"""

import re
from typing import TYPE_CHECKING, Any

from movietui.data.language import tr
from movietui.data.near_names import no_such
from movietui.data.splits import LATEST_SHARE

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

BY_HASH = "-by-hash"
NAMES = (
    "random90-by-hash",
    "random80-by-hash",
    *(f"kfold5-{fold}-by-hash" for fold in range(5)),
    "cold-movies-by-hash",
    "latest",
)
BUCKETS = 10
_PRIME = 2**31 - 1


def canonical(name: str) -> str:
    """Return the full name of a split, from one that may lack ``-by-hash``. Raises ``Problem`` for an unknown name."""
    full = name if name in NAMES else f"{name}{BY_HASH}"
    if full not in NAMES:
        raise no_such(
            tr("There is no split {split!r} on a cluster", split=name),
            name,
            NAMES,
            tr("choose one of {splits}.", splits=", ".join(NAMES)),
        )
    return full


def bucket(user: Any, movie: Any, seed: int) -> Any:
    """Return the bucket of each rating, from 0 to 9: a hash of its user's and movie's rows and of the seed, modulo 10.

    ``user`` and ``movie`` are rows below 2^31 - 1, as Spark columns or numpy arrays of 64-bit integers. The hash mixes
    in user and seed, then the movie, then constants, and cubes modulo the prime 2^31 - 1 after each.
    """
    mixed = (user * 1_103_515_245 + seed % _PRIME) % _PRIME
    mixed = (mixed * mixed % _PRIME) * mixed % _PRIME
    mixed = (mixed + movie * 69_621 % _PRIME + 1) % _PRIME
    mixed = (mixed * mixed % _PRIME) * mixed % _PRIME
    mixed = (mixed * 48_271 + 11) % _PRIME
    mixed = (mixed * mixed % _PRIME) * mixed % _PRIME
    return mixed % BUCKETS


def split(ratings: "DataFrame", name: str, seed: int = 0) -> "DataFrame":
    """Return the ratings with the column ``test``, which says whether a rating is in the test part of a split.

    ``ratings`` has the columns ``movietui.data.cluster.dataset.RATINGS``. ``name`` is one of ``NAMES``. ``seed`` is the
    seed of the split; it does not matter for ``latest``.
    """
    return ratings.withColumn("test", _in_test(canonical(name), seed))


def _in_test(name: str, seed: int) -> "Column":
    from pyspark.sql import Window
    from pyspark.sql import functions as f

    user, movie = f.col("user").cast("long"), f.col("movie").cast("long")
    if name == "latest":
        of_user = Window.partitionBy("user")
        newest_first = of_user.orderBy(f.col("time").desc(), f.col("movie").desc(), f.col("stars").desc())
        newest = f.greatest(f.lit(1), f.floor(f.count("*").over(of_user) * LATEST_SHARE))
        return f.row_number().over(newest_first) <= newest
    if name == "cold-movies-by-hash":
        of_movie: Column = bucket(movie, f.lit(0), seed)
        return of_movie == 0
    number: Column = bucket(user, movie, seed)
    if match := re.fullmatch(r"kfold5-([0-4])-by-hash", name):
        return f.floor(number / 2) == int(match[1])
    return number < {"random90-by-hash": 1, "random80-by-hash": 2}[name]
