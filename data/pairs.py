"""Pairs of users who rated the same movie: the triples (user, other user, movie, mean rating) of source 002.

There are far too many to hold, 8,353,595 in ML-100K and about 407.7 million in ML-1M, so they are counted, drawn at
random for an epoch of training, or gone through block by block. A split comes first: the triples to learn from are
those of the ratings in train, the triples to be judged on those of the ratings in test. A split over triples leaks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from data.dataset import Floats, Ints, Ratings
from data.problems import Problem

Rows = NDArray[np.intp]

AT_ONCE = 1 << 18
"""Triples in a block."""
DRAWN_AT_ONCE = 1 << 16
"""Larger blocks are drawn more slowly: they leave the processor's cache."""


@dataclass(frozen=True, eq=False)
class Triples:
    """Some triples, as four columns of equal length. The two users of a triple are never the same."""

    first: Ints
    """Row of one user, int32."""
    second: Ints
    """Row of the other user, int32."""
    movie: Ints
    """Row of the movie that both rated, int32."""
    stars: Floats
    """The mean of both ratings, float32."""

    def __len__(self) -> int:
        return len(self.movie)

    def take(self, places: slice) -> "Triples":
        """Return a stretch of the triples, without copying them."""
        return Triples(self.first[places], self.second[places], self.movie[places], self.stars[places])


@dataclass(frozen=True, eq=False)
class Pairs:
    """All pairs of raters of each movie; ``len`` is the number of triples, each counted once whichever way round.

    Takes memory for the ratings, not for the triples.
    """

    rows: Rows
    """Rows of the ratings by movie, then by user. Where a user rated a movie twice, the newest rating alone counts."""
    user: Ints
    """Of each of these rows."""
    movie: Ints
    stars: Floats
    raters: NDArray[np.int64]
    """How many users rated each movie, shape (movies,) up to the last movie that was rated."""

    @classmethod
    def of(cls, ratings: Ratings) -> "Pairs":
        """Find the pairs within some ratings: those of train to learn from, those of test to be judged on."""
        key = ratings.movie.astype(np.int64) * (int(ratings.user.max(initial=0)) + 1) + ratings.user
        order = np.lexsort((ratings.time, key))
        newest = np.diff(key[order], append=-1) != 0
        rows = order[newest]
        movie = ratings.movie[rows]
        return cls(rows, ratings.user[rows], movie, ratings.stars[rows], np.bincount(movie))

    def __len__(self) -> int:
        return int((self.raters * (self.raters - 1) // 2).sum())

    def blocks(self, at_once: int = AT_ONCE) -> Iterator[tuple[Rows, Rows]]:
        """Go through all triples once: ``(rows of one rating, rows of the other)``, ``at_once`` of them in a block.

        In the order of movies; within a triple the user with the lower row comes first.
        """
        for first, second in self._places(at_once):
            yield self.rows[first], self.rows[second]

    def triples(self, at_once: int = AT_ONCE) -> Iterator[Triples]:
        """Go through all triples once, as ``blocks`` does."""
        for first, second in self._places(at_once):
            yield self._triples(first, second)

    def epoch(self, size: int, batch: int, seed: int, number: int = 0) -> Iterator[Triples]:
        """Draw ``size`` triples in batches of ``batch``; the last batch may be smaller.

        Every triple is as likely as any other, either way round: a movie by the weight n (n - 1) / 2 of its n raters,
        then two different raters of it. What is drawn follows from the seed, the number of the epoch and the sizes.
        Raises ``Problem`` where no movie has two raters.
        """
        for first, second in self._drawn(size, batch, seed, number):
            yield self._triples(first, second)

    def drawn(self, size: int, batch: int, seed: int, number: int = 0) -> Iterator[tuple[Rows, Rows]]:
        """Draw as ``epoch`` does: ``(rows of one rating, rows of the other)``."""
        for first, second in self._drawn(size, batch, seed, number):
            yield self.rows[first], self.rows[second]

    def _drawn(self, size: int, batch: int, seed: int, number: int) -> Iterator[tuple[Rows, Rows]]:
        if not len(self):
            raise Problem("No movie has ratings of two users, so there are no pairs to learn from; take more ratings.")
        random = np.random.default_rng([seed, number])
        at_once = max(1, DRAWN_AT_ONCE // batch) * batch
        for start in range(0, size, at_once):
            first, second = self._draw(random, min(at_once, size - start))
            for begin in range(0, len(first), batch):
                yield first[begin : begin + batch], second[begin : begin + batch]

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        """Where each movie's raters begin in the columns."""
        return np.cumsum(self.raters) - self.raters

    @cached_property
    def _shared(self) -> tuple[Ints, NDArray[np.float64]]:
        """The movies with two raters or more, and the share of all triples that each has, above 0."""
        movies = np.flatnonzero(self.raters > 1).astype(np.int32)
        raters = self.raters[movies].astype(np.float64)
        weights = raters * (raters - 1)
        return movies, weights / weights.sum()

    def _places(self, at_once: int) -> Iterator[tuple[Rows, Rows]]:
        """The triples as places in the columns: each rater with all later raters of the same movie, in one row."""
        places = np.arange(len(self.rows))
        partners = (self._starts + self.raters)[self.movie] - places - 1
        ends = np.cumsum(partners)
        begins = ends - partners
        for low in range(0, len(self), at_once):
            high = min(low + at_once, len(self))
            reach = slice(np.searchsorted(ends, low, side="right"), np.searchsorted(ends, high) + 1)
            counts = np.minimum(ends[reach], high) - np.maximum(begins[reach], low)
            first = np.repeat(places[reach], counts)
            yield first, first + 1 + np.arange(low, high) - begins[first]

    def _draw(self, random: np.random.Generator, size: int) -> tuple[Rows, Rows]:
        # How often each movie comes, then in which order: the same as drawing movies one by one, and faster.
        movies, shares = self._shared
        movie = random.permutation(np.repeat(movies, random.multinomial(size, shares)))
        raters, start = self.raters[movie], self._starts[movie]
        first = (random.random(size) * raters).astype(np.intp)
        second = (random.random(size) * (raters - 1)).astype(np.intp)
        second += second >= first
        return start + first, start + second

    def _triples(self, first: Rows, second: Rows) -> Triples:
        stars = (self.stars[first] + self.stars[second]) * np.float32(0.5)
        return Triples(self.user[first], self.user[second], self.movie[first], stars)
