"""Ratings on disk that are read when they are first needed, so that a list of a large dataset appears at once."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import RATING_COLUMNS, Histogram, Ints, Ratings


class StoredRatings(Ratings):
    """Ratings whose columns are read when one of them is first used, as is a sample of them.

    The number of ratings of each user and the histogram of stars are known without reading the ratings.
    """

    def __init__(
        self,
        read: Callable[[int | None], Ratings],
        by_user: Ints,
        histogram: Histogram,
        read_sample: Callable[[None], Ratings] | None,
    ) -> None:
        """``read`` returns one user's ratings, or all for ``None``, in the order of the original file. ``read_sample``
        returns the sample; it is ``None`` if there are too few ratings to need one."""
        self._read, self._by_user, self._histogram, self._read_sample = read, by_user, histogram, read_sample
        self._latest: tuple[int, Ratings] | None = None
        """The user whose ratings were read last, and these ratings, because several lists in a row need them."""

    def __getattr__(self, name: str) -> Any:
        """Read all ratings; called only for a column that is not in memory yet."""
        if name not in RATING_COLUMNS:
            raise AttributeError(name)
        if read := vars(self).get("_read"):
            ratings = read(None)
            vars(self).update({column: getattr(ratings, column) for column in RATING_COLUMNS})
            vars(self).pop("_read", None)  # it holds the content of the file
        return vars(self)[name]

    def __len__(self) -> int:
        return int(self._by_user.sum(dtype=np.int64))

    @property
    def in_memory(self) -> bool:
        """Whether the ratings have been read."""
        return RATING_COLUMNS[0] in vars(self)

    @cached_property
    def sample(self) -> Ratings | None:
        """The sample that was stored with the ratings; ``None`` if there are too few of them to need one."""
        return self._read_sample(None) if self._read_sample else None

    def histogram(self) -> Histogram:
        """Return how often each movie was given each number of stars."""
        return self._histogram

    def of_user(self, user: int) -> Ratings:
        """Return a user's ratings, in the order of the original file."""
        if self.in_memory:
            return super().of_user(user)
        if self._latest is None or self._latest[0] != user:
            self._latest = user, self._read(user)
        return self._latest[1]

    def by_user(self, users: int) -> Ints:
        """Return each user's number of ratings, shape (users,)."""
        return _resized(self._by_user, users)

    def by_movie(self, movies: int) -> Ints:
        """Return each movie's number of ratings, shape (movies,)."""
        numbers = np.bincount(self._histogram.movie, self._histogram.number, movies)
        return _resized(numbers.astype(np.int32), movies)

    def sums_by_movie(self, movies: int) -> NDArray[np.float64]:
        """Return the sum of each movie's stars, shape (movies,)."""
        histogram = self._histogram
        stars = histogram.stars.astype(np.float64)
        return _resized(np.bincount(histogram.movie, histogram.number * stars, movies), movies)


def _resized(values: NDArray[Any], size: int) -> NDArray[Any]:
    """Return the first ``size`` values; if there are fewer, zeros follow, as for movies that nobody has rated."""
    return np.pad(values, (0, max(0, size - len(values))))[:size]
