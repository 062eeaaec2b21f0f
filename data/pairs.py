"""Pairs of users who rated the same movie: the triples (user, other user, movie, mean rating) of system 002.

There are far too many triples to hold in memory (8,353,595 in ML-100K, about 407.7 million in ML-1M), so they are
counted, drawn at random for a training epoch, or iterated over in blocks. Split the ratings, never the triples: train
triples come from train ratings, and test triples from test ratings. Splitting the triples would leak test ratings into
training.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Floats, Ints, Ratings
from movietui.data.language import tr
from movietui.data.problems import Problem

Rows = NDArray[np.intp]

AT_ONCE = 1 << 18
"""Triples per block."""
DRAWN_AT_ONCE = 1 << 16
"""Triples drawn at once; larger blocks do not fit into the processor's cache, so drawing them is slower."""


@dataclass(frozen=True, eq=False)
class Triples:
    """Triples as four columns of equal length. The two users of a triple differ."""

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

    def take(self, positions: slice) -> "Triples":
        """Return a slice of the triples, without copying."""
        return Triples(self.first[positions], self.second[positions], self.movie[positions], self.stars[positions])


@dataclass(frozen=True, eq=False)
class Pairs:
    """All pairs of raters of each movie. ``len`` is the number of triples; it counts each unordered pair once.

    Memory use grows with the number of ratings, not of triples.
    """

    rows: Rows
    """Rows of the ratings, sorted by movie, then by user. If a user rated a movie twice, the newer rating counts."""
    user: Ints
    """The user of each of these ratings; likewise ``movie`` and ``stars``."""
    movie: Ints
    stars: Floats
    raters: NDArray[np.int64]
    """The number of users who rated each movie, from movie 0 to the last movie that was rated."""

    @classmethod
    def of(cls, ratings: Ratings) -> "Pairs":
        """Return the pairs within these ratings: pass train ratings to learn from, or test ratings to measure on."""
        key = ratings.movie.astype(np.int64) * (int(ratings.user.max(initial=0)) + 1) + ratings.user
        order = np.lexsort((ratings.time, key))
        newest = np.diff(key[order], append=-1) != 0
        rows = order[newest]
        movie = ratings.movie[rows]
        return cls(rows, ratings.user[rows], movie, ratings.stars[rows], np.bincount(movie))

    def __len__(self) -> int:
        return int((self.raters * (self.raters - 1) // 2).sum())

    def blocks(self, at_once: int = AT_ONCE) -> Iterator[tuple[Rows, Rows]]:
        """Yield all triples as ``(rows of the first ratings, rows of the second ratings)``, ``at_once`` per block.

        The last block may be smaller. The triples are ordered by movie; within a triple, the user with the lower row
        comes first.
        """
        for first, second in self._positions(at_once):
            yield self.rows[first], self.rows[second]

    def triples(self, at_once: int = AT_ONCE) -> Iterator[Triples]:
        """Yield all triples with their users, movies and stars, in the blocks and order of ``blocks``."""
        for first, second in self._positions(at_once):
            yield self._triples(first, second)

    def epoch(self, size: int, batch: int, seed: int, number: int = 0) -> Iterator[Triples]:
        """Draw ``size`` triples at random, in batches of ``batch``; the last batch may be smaller.

        All triples, in either order of their users, are equally likely: a movie with n raters is drawn with weight
        n (n - 1) / 2, and then two different raters of this movie. For given ratings, the draw depends only on the
        seed, the number of the epoch and the sizes. Raises ``Problem`` if no movie has two raters.
        """
        for first, second in self._drawn(size, batch, seed, number):
            yield self._triples(first, second)

    def drawn(self, size: int, batch: int, seed: int, number: int = 0) -> Iterator[tuple[Rows, Rows]]:
        """Draw the triples that ``epoch`` draws, as ``(rows of the first ratings, rows of the second ratings)``."""
        for first, second in self._drawn(size, batch, seed, number):
            yield self.rows[first], self.rows[second]

    def _drawn(self, size: int, batch: int, seed: int, number: int) -> Iterator[tuple[Rows, Rows]]:
        if not len(self):
            raise Problem(
                tr("No movie has ratings from two users, so there are no pairs to learn from; use more ratings.")
            )
        random = np.random.default_rng([seed, number])
        at_once = max(1, DRAWN_AT_ONCE // batch) * batch
        for start in range(0, size, at_once):
            first, second = self._draw(random, min(at_once, size - start))
            for begin in range(0, len(first), batch):
                yield first[begin : begin + batch], second[begin : begin + batch]

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        """The position at which each movie's raters start in the columns."""
        return np.cumsum(self.raters) - self.raters

    @cached_property
    def _shared(self) -> tuple[Ints, NDArray[np.float64]]:
        """The movies with at least two raters, and each movie's share of all triples."""
        movies = np.flatnonzero(self.raters > 1).astype(np.int32)
        raters = self.raters[movies].astype(np.float64)
        weights = raters * (raters - 1)
        return movies, weights / weights.sum()

    def _positions(self, at_once: int) -> Iterator[tuple[Rows, Rows]]:
        """Yield all triples as positions in the columns: each rater is paired with all later raters of the movie."""
        positions = np.arange(len(self.rows))
        partners = (self._starts + self.raters)[self.movie] - positions - 1
        ends = np.cumsum(partners)
        begins = ends - partners
        for low in range(0, len(self), at_once):
            high = min(low + at_once, len(self))
            reach = slice(np.searchsorted(ends, low, side="right"), np.searchsorted(ends, high) + 1)
            counts = np.minimum(ends[reach], high) - np.maximum(begins[reach], low)
            first = np.repeat(positions[reach], counts)
            yield first, first + 1 + np.arange(low, high) - begins[first]

    def _draw(self, random: np.random.Generator, size: int) -> tuple[Rows, Rows]:
        # Draw how often each movie occurs, then shuffle: equivalent to drawing the movies one by one, but faster.
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
