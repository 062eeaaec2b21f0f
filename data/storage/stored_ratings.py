"""Ratings on disk that are read when they are first needed, so that a list of a large dataset appears at once."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Ints, Ratings

COLUMNS = ("user", "movie", "stars", "time")


class StoredRatings(Ratings):
    """Ratings whose columns are read when one of them is first used.

    How many ratings each user and each movie has, and the sum of each movie's stars, are known before.
    """

    def __init__(
        self, read: Callable[[int | None], Ratings], by_user: Ints, by_movie: Ints, sums: NDArray[np.float64]
    ) -> None:
        """``read``: returns all ratings, or those of the user with this row, in the order of the original file."""
        self._read, self._by_user, self._by_movie, self._sums = read, by_user, by_movie, sums

    def __getattr__(self, name: str) -> Any:
        """Read all ratings; called only for a column that is not in memory yet."""
        if name not in COLUMNS:
            raise AttributeError(name)
        ratings = self._read(None)
        vars(self).update({column: getattr(ratings, column) for column in COLUMNS})
        return getattr(ratings, name)

    def __len__(self) -> int:
        return int(self._by_user.sum(dtype=np.int64))

    @property
    def in_memory(self) -> bool:
        """Whether the ratings have been read."""
        return COLUMNS[0] in vars(self)

    def of_user(self, user: int) -> Ratings:
        """Return a user's ratings, in the order of the original file."""
        return super().of_user(user) if self.in_memory else self._read(user)

    def by_user(self, users: int) -> Ints:
        """Return each user's number of ratings, shape (users,)."""
        return _resized(self._by_user, users)

    def by_movie(self, movies: int) -> Ints:
        """Return each movie's number of ratings, shape (movies,)."""
        return _resized(self._by_movie, movies)

    def sums_by_movie(self, movies: int) -> NDArray[np.float64]:
        """Return the sum of each movie's stars, shape (movies,)."""
        return _resized(self._sums, movies)


def _resized(values: NDArray[Any], size: int) -> NDArray[Any]:
    """Return the first values; if there are fewer, zeros follow, as for movies that nobody has rated."""
    return np.pad(values, (0, max(0, size - len(values))))[:size]
