"""The named splits of a dataset on a cluster, where the rows of the ratings have no order.

A split of random ratings therefore depends on the rows of each rating's user and movie instead: a hash of them and of
the seed puts the rating into one of ten buckets. ``random90-by-hash`` has the same sizes as ``random90`` to within
chance, but is another split, so it has another name. ``latest`` is the same as on one machine, except that of two
ratings in the same second, the one of the movie with the higher row counts as newer.
"""

import re
from typing import TYPE_CHECKING, Any

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
    """Return the name of a split here: ``random90`` stands for ``random90-by-hash``. Raises ``Problem`` if there is
    none."""
    full = name if name in NAMES else f"{name}{BY_HASH}"
    if full not in NAMES:
        raise no_such(f"There is no split {name!r} on a cluster", name, NAMES, f"choose one of {', '.join(NAMES)}.")
    return full


def bucket(user: Any, movie: Any, seed: int) -> Any:
    """Return a number from 0 to 9 for each rating: the hash of the rows of its user and its movie, and of a seed.

    ``user`` and ``movie``: columns of Spark or numpy arrays, of 64-bit integers; rows are below 2^31 - 1. With them,
    multiplied and added, ``x``, the hash is ``x^3 mod (2^31 - 1)``, twice; the remainder of a division by 10 is the
    bucket.
    """
    mixed = (user * 1_103_515_245 + seed % _PRIME) % _PRIME
    mixed = (mixed * mixed % _PRIME) * mixed % _PRIME
    mixed = (mixed + movie * 69_621 % _PRIME + 1) % _PRIME
    mixed = (mixed * mixed % _PRIME) * mixed % _PRIME
    mixed = (mixed * 48_271 + 11) % _PRIME
    mixed = (mixed * mixed % _PRIME) * mixed % _PRIME
    return mixed % BUCKETS


def split(ratings: "DataFrame", name: str, seed: int = 0) -> "DataFrame":
    """Return the ratings with another column, ``test``: whether the rating is in the test part of a split.

    ``ratings``: with the columns ``movietui.data.cluster.dataset.RATINGS``. ``name``: one of ``NAMES``. ``seed``: of
    the split; ``latest`` has none.
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
        return bucket(movie, f.lit(0), seed) == 0
    number = bucket(user, movie, seed)
    if match := re.fullmatch(r"kfold5-([0-4])-by-hash", name):
        return f.floor(number / 2) == int(match[1])
    return number < {"random90-by-hash": 1, "random80-by-hash": 2}[name]
