"""Passes over the ratings on a cluster, where each partition has all ratings of its users.

``Partitions.sum`` has the executors compute numpy arrays for each partition, and brings the sums of these arrays to the
driver. The function that computes them is sent to the executors, together with all arrays that it refers to.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from movietui.data.cluster.dataset import ClusterDataset
from movietui.data.dataset import Floats, Ints
from movietui.models.base import History

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame

Doubles = NDArray[np.float64]
RATINGS_PER_PARTITION = 1_000_000
"""About how many ratings a partition has. Like the random numbers, this does not depend on the number of workers."""
FEWEST_PARTITIONS = 8
ENTRIES_PER_PIECE = 1 << 18
"""How many numbers of an array are summed in one group. The groups of a large array are spread over the executors."""


@dataclass(frozen=True, eq=False)
class Block:
    """The ratings of some users, one user after the other."""

    users: Ints
    """The rows of the users, ascending, shape (users,)."""
    starts: NDArray[np.int64]
    """The start of each user's ratings, and the end of the last, shape (users + 1,)."""
    movie: Ints
    stars: Floats

    @classmethod
    def of(cls, user: Ints, movie: Ints, stars: Floats) -> "Block":
        """Group ratings by user, and sort each user's ratings by movie."""
        order = np.lexsort((stars, movie, user))
        users, starts = np.unique(user[order], return_index=True)
        return cls(users, np.append(starts, len(order)), movie[order], stars[order])

    @cached_property
    def index(self) -> NDArray[np.intp]:
        """For each rating, the index of its user among ``users``."""
        return np.repeat(np.arange(len(self.users)), np.diff(self.starts))

    def histories(self) -> Iterator[History]:
        """Yield the ratings of each user."""
        for user, start, end in zip(self.users.tolist(), self.starts[:-1], self.starts[1:], strict=True):
            yield History(self.movie[start:end], self.stars[start:end], user)


@dataclass(frozen=True, eq=False)
class Partitions:
    """Ratings on a cluster. Each partition has all ratings of its users."""

    dataset: ClusterDataset
    ratings: "DataFrame"
    """With the columns ``user``, ``movie`` and ``stars``."""

    @cached_property
    def of_movies(self) -> tuple[Ints, Doubles, Doubles]:
        """For each movie, the number of ratings, the sum of their stars and the sum of their squares."""
        movies = len(self.dataset.movies)
        added = self.sum(_powers_by_movie(movies))
        counts, sums, squares = added["powers"] if added else np.zeros((3, movies))
        return counts.astype(np.int32), sums, squares

    @property
    def counts(self) -> Ints:
        """The number of ratings of each movie, shape (movies,)."""
        return self.of_movies[0]

    def __len__(self) -> int:
        return int(self.counts.sum(dtype=np.int64))

    def sum(self, function: Callable[[Block], Mapping[str, NDArray[Any]]]) -> dict[str, Doubles]:
        """Return the sums over all partitions of the arrays that a function computes for each.

        Without ratings, there are no arrays. The arrays of a name must have the same shape in all partitions. They are
        summed in float64, in the order of the partitions' first users. The same partitions therefore give the same
        bits, on any number of workers and even if workers die.
        """
        rows = (
            self.ratings.mapInPandas(lambda batches: _pieces(batches, function), _PIECES)
            .groupBy("name", "piece")
            .applyInPandas(_added, _PIECES)
            .collect()
        )
        pieces_of: dict[str, list[Any]] = {}
        for row in rows:
            pieces_of.setdefault(row["name"], []).append(row)
        arrays = {}
        for name, pieces in pieces_of.items():
            pieces.sort(key=lambda row: row["piece"])
            flat = np.concatenate([np.frombuffer(row["content"]) for row in pieces])
            arrays[name] = flat.reshape(pieces[0]["shape"])
        return arrays

    def sample(self, ratings: int) -> Block:
        """Return the ratings of the users with the lowest hashes, who together have about this many ratings.

        If there are no more ratings than that, all are returned.
        """
        from pyspark.sql import functions as f

        share, steps = ratings / max(1, len(self)), 2**20
        chosen = (
            self.ratings if share >= 1 else self.ratings.where(f.pmod(f.xxhash64("user"), f.lit(steps)) < share * steps)
        )
        return _block_of([chosen.toPandas()])

    def histories(self, users: NDArray[np.integer[Any]]) -> list[History]:
        """Return the ratings of a few users, in the order of their rows, without users without ratings."""
        from pyspark.sql import functions as f

        rows = self.ratings.where(f.col("user").isin(np.unique(users).tolist())).toPandas()
        return list(_block_of([rows]).histories())


_PIECES = "name string, piece int, first int, shape array<int>, content binary"


def _powers_by_movie(movies: int) -> Callable[[Block], dict[str, Doubles]]:
    """Return a function that sums the powers 0, 1 and 2 of the stars by movie, shape (3, movies)."""

    def sums(block: Block) -> dict[str, Doubles]:
        stars = block.stars.astype(np.float64)
        by_movie = [np.bincount(block.movie, stars**power, minlength=movies) for power in range(3)]
        return {"powers": np.stack(by_movie)}

    return sums


def _pieces(
    batches: "Iterator[pd.DataFrame]", function: Callable[[Block], Mapping[str, NDArray[Any]]]
) -> "Iterator[pd.DataFrame]":
    """Yield the arrays that a function computes for a partition in pieces, each with the partition's first user."""
    import pandas as pd

    frames = list(batches)
    if not sum(map(len, frames)):
        return
    block = _block_of(frames)
    first = int(block.users[0])
    for name, array in function(block).items():
        flat, shape = np.ravel(array), list(np.shape(array))
        for piece, start in enumerate(range(0, max(1, len(flat)), ENTRIES_PER_PIECE)):
            content = flat[start : start + ENTRIES_PER_PIECE].astype(np.float64).tobytes()
            row = {"name": name, "piece": piece, "first": first, "shape": shape, "content": content}
            yield pd.DataFrame([row])


def _added(pieces: "pd.DataFrame") -> "pd.DataFrame":
    """Return the sum of the pieces, which arrive in any order."""
    pieces = pieces.sort_values("first")
    total = np.zeros(len(pieces["content"].iloc[0]) // 8)
    for content in pieces["content"]:
        total += np.frombuffer(content)
    first = pieces.iloc[:1].copy()
    first["content"] = [total.tobytes()]
    return first


def _block_of(frames: "list[pd.DataFrame]") -> Block:
    user, movie, stars = (
        np.concatenate([frame[name].to_numpy(kind) for frame in frames])
        for name, kind in (("user", np.int32), ("movie", np.int32), ("stars", np.float32))
    )
    return Block.of(user, movie, stars)


@contextmanager
def partitioned(dataset: ClusterDataset, ratings: "DataFrame", fewest: int = FEWEST_PARTITIONS) -> Iterator[Partitions]:
    """While the block runs, keep ratings of a dataset in the cluster's memory or, if they do not fit, on its disks.

    They are in at least ``fewest`` partitions of whole users.
    """
    from pyspark import StorageLevel

    number = max(fewest, -(-ratings.count() // RATINGS_PER_PARTITION))
    cached = ratings.select("user", "movie", "stars").repartition(number, "user").persist(StorageLevel.MEMORY_AND_DISK)
    try:
        yield Partitions(dataset, cached)
    finally:
        cached.unpersist()
