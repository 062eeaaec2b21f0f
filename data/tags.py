"""What people say about movies: the strongest tags of each movie.

A tag is a word or phrase such as ``twist ending``. Its weight says how well it describes a movie, from 0 to 1. Two
sources agree on this scale. If ``n`` users gave the tag to the movie, its weight is ``n / (n + DOUBT)``. The tag genome
(Vig, Sen and Riedl, The tag genome: encoding community knowledge to support novel interaction, ACM TiiS 2(3), 2012)
publishes a relevance; if that is at least ``MIN_RELEVANCE``, it is the weight.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from movietui.data.safe_text import strip_invisible
from movietui.data.titles import title_key

MOST_TAGS = 30
"""The maximum number of tags of a movie that are stored."""
DOUBT = 2.0
"""How many people are assumed to disagree with every tag, so that one person alone does not decide it."""
MIN_USERS = 2
"""A tag that is not in the tag genome is kept only if at least this many users of the dataset use it. What only one
person says, such as ``in netflix queue``, describes the person, and nobody else would look for it."""
MIN_RELEVANCE = 0.6
"""The lowest relevance in the tag genome at which a movie has a tag."""
STRONG = 0.5
"""The weight from which a tag is strong: two users gave it to the movie, or it is from the tag genome."""
COMMON = 0.1
"""A tag of at least this share of the movies with tags makes no two movies alike by itself."""
ENOUGH = 6.0
"""The sum of weight times ``rarity`` from which a movie's tags describe it well: about three strong tags."""
MAX_LENGTH = 50
"""The maximum number of characters of a tag; what is longer is a remark about one movie."""


@dataclass(frozen=True, eq=False)
class Tags:
    """The tags of all movies of a dataset."""

    names: tuple[str, ...]
    """Every tag that some movie has, in alphabetical order, in lower case."""
    starts: NDArray[np.int32]
    """The index in ``tag`` and ``weight`` at which the tags of each movie begin, then the length of both, shape
    (movies + 1,)."""
    tag: NDArray[np.int32]
    """The indices in ``names`` of the tags of each movie, the most telling tag of each movie first."""
    weight: NDArray[np.float32]
    """How well each of these tags describes the movie, from 0 to 1."""

    def of(self, row: int) -> list[str]:
        """Return the tags of a movie, the most telling first."""
        return [self.names[tag] for tag in self.tag[self._of(row)].tolist()]

    def with_untagged(self, movies: int) -> "Tags":
        """Return the tags of the same movies, followed by this many movies without tags."""
        return replace(self, starts=np.append(self.starts, np.full(movies, self.starts[-1], np.int32)))

    def take(self, rows: NDArray[np.integer]) -> "Tags":
        """Return the tags of the movies in these rows, in this order."""
        lengths = np.diff(self.starts)[rows]
        starts = np.append(0, np.cumsum(lengths)).astype(np.int32)
        entries = np.arange(starts[-1]) + np.repeat(self.starts[rows] - starts[:-1], lengths)
        return replace(self, starts=starts, tag=self.tag[entries], weight=self.weight[entries])

    def strong(self, row: int) -> list[str]:
        """Return those tags of a movie that are ``STRONG``, in the same order."""
        piece = self._of(row)
        return [self.names[tag] for tag in self.tag[piece][self.weight[piece] >= STRONG].tolist()]

    def _of(self, row: int) -> slice:
        return slice(int(self.starts[row]), int(self.starts[row + 1]))

    @cached_property
    def movie(self) -> NDArray[np.int32]:
        """The row of the movie of each entry of ``tag``."""
        return np.repeat(np.arange(len(self.starts) - 1, dtype=np.int32), np.diff(self.starts))

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """The number of movies that have each tag, shape (names,)."""
        return np.bincount(self.tag, minlength=len(self.names))

    @cached_property
    def rarity(self) -> NDArray[np.float64]:
        """How much each tag tells about a movie, shape (names,): ``log(1 + tagged movies / movies with the tag)``."""
        return rarity(self.counts, int(np.count_nonzero(np.diff(self.starts))))

    @cached_property
    def index(self) -> dict[str, int]:
        """The index of each tag in ``names``, by the key by which tags are compared."""
        return {title_key(name): index for index, name in enumerate(self.names)}

    @cached_property
    def _by_tag(self) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.int64]]:
        """``movie`` and ``weight`` sorted by tag, and where each tag begins in them, shape (names + 1,)."""
        order = np.argsort(self.tag, kind="stable")
        return self.movie[order], self.weight[order], np.concatenate([[0], np.cumsum(self.counts)])

    def _having(self, tag: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the rows of the movies that have a tag, and the weight that it has there."""
        movie, weight, starts = self._by_tag
        piece = slice(starts[tag], starts[tag + 1])
        return movie[piece], weight[piece]

    def rows_with(self, tag: int) -> NDArray[np.int32]:
        """Return the rows of the movies that have a tag, by its index in ``names``."""
        return self._having(tag)[0]

    def rows_named(self, name: str) -> NDArray[np.int32]:
        """Return the rows of the movies that have a tag, by its name; spelling does not matter (see ``index``)."""
        return self.rows_with(self.index[title_key(name)])

    @cached_property
    def _totals(self) -> NDArray[np.float64]:
        """For each movie, the sum of weight times ``rarity`` over its tags."""
        telling = self.weight * self.rarity[self.tag]
        return np.asarray(np.bincount(self.movie, telling, len(self.starts) - 1), np.float64)

    def similarity(self, row: int) -> NDArray[np.float64]:
        """Return how far the tags of each movie agree with those of one movie, from 0 to 1, shape (movies,).

        For each tag that two movies share, the lower of its two weights is multiplied by its ``rarity``. The sum of
        these products is divided by the larger of the two movies' sums over all of their tags, or by ``ENOUGH`` if that
        is larger. Otherwise, a single tag in common would make two movies with few tags the same.
        """
        shared = np.zeros(len(self.starts) - 1)
        for entry in range(self.starts[row], self.starts[row + 1]):
            tag, weight = int(self.tag[entry]), self.weight[entry]
            rows, weights = self._having(tag)
            shared[rows] += np.minimum(weights, weight) * np.float32(self.rarity[tag])
        return np.asarray(shared / np.maximum(np.maximum(self._totals, self._totals[row]), ENOUGH))

    def strong_kin(self, row: int) -> NDArray[np.bool_]:
        """Return which movies share a strong tag that is not ``COMMON`` with a movie, shape (movies,)."""
        kin = np.zeros(len(self.starts) - 1, bool)
        piece = self._of(row)
        tagged = int(np.count_nonzero(np.diff(self.starts)))
        for tag in self.tag[piece][self.weight[piece] >= STRONG].tolist():
            if self.counts[tag] < COMMON * tagged:
                rows, weights = self._having(tag)
                kin[rows[weights >= STRONG]] = True
        return kin


def rarity(counts: NDArray[np.int64], tagged: int) -> NDArray[np.float64]:
    """Return how rare each tag is: its inverse document frequency (Spärck Jones 1972).

    ``counts`` has the number of movies with each tag, shape (tags,). ``tagged`` is the number of movies with any tag.
    """
    return np.log1p(tagged / np.maximum(counts, 1))


def normalised(text: str) -> str:
    """Return a tag in lower case, without surplus spaces and invisible characters; empty if it is too long.

    >>> normalised("  Twist   ENDING ")
    'twist ending'
    """
    name = " ".join(unicodedata.normalize("NFC", strip_invisible(text)).lower().split())
    return name if len(name) <= MAX_LENGTH else ""


def strongest(
    names: Sequence[str],
    movie: NDArray[np.int32],
    tag: NDArray[np.int32],
    weight: NDArray[np.float32],
    movies: int,
) -> Tags:
    """Return the most telling tags of each of ``movies`` movies: those with the highest weight times ``rarity``.

    ``movie``, ``tag`` (an index in ``names``, which are distinct) and ``weight`` have an entry for each tag of each
    movie, in any order; if a movie has a tag twice, the higher weight counts.
    """
    order = np.lexsort((-weight, tag, movie))
    movie, tag, weight = movie[order], tag[order], weight[order]
    first = np.ones(len(movie), bool)
    first[1:] = (movie[1:] != movie[:-1]) | (tag[1:] != tag[:-1])
    movie, tag, weight = movie[first], tag[first], weight[first]
    telling = weight * rarity(np.bincount(tag, minlength=len(names)), len(np.unique(movie)))[tag]
    alphabetical = np.argsort(np.argsort(np.asarray(names, object), kind="stable"), kind="stable")
    order = np.lexsort((alphabetical[tag], -telling, movie))
    movie, tag, weight = movie[order], tag[order], weight[order]
    rank = np.arange(len(movie)) - np.searchsorted(movie, movie)
    chosen = rank < MOST_TAGS
    movie, tag, weight = movie[chosen], tag[chosen], weight[chosen]
    used = sorted(np.unique(tag).tolist(), key=names.__getitem__)
    renumbered = np.zeros(len(names), np.int32)
    renumbered[used] = np.arange(len(used), dtype=np.int32)
    starts = np.searchsorted(movie, np.arange(movies + 1)).astype(np.int32)
    return Tags(tuple(names[index] for index in used), starts, renumbered[tag], weight.astype(np.float32))
