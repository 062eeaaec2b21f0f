"""How the members' scores become a group's, and how similarly two viewers rate."""

from dataclasses import dataclass

import numpy as np

from movietui.data.dataset import Bools, Floats
from movietui.data.language import tr
from movietui.data.near_names import no_such
from movietui.models.base import History
from movietui.models.choices import WAYS, Way

MISERY = 0.6
"""How much the least pleased member of a group counts by default."""
MIN_COMMON = 10
"""How many movies two viewers must both have rated before their similarity is shown."""


def weighted(values: Floats, misery: float = MISERY, mean: Floats | None = None) -> Floats:
    """Combine the members' scores or stars by their mean and the least pleased member, shape (movies,).

    ``values``: shape (viewers, movies). Returns ``mean - misery (mean - minimum)``, which is the average for a misery
    of 0, and the least pleased member's value for 1 (Masthoff 2004). For two viewers, it is the mean minus misery times
    half of the difference of their values. ``mean``, shape (movies,), replaces the first mean in this formula if a
    model itself predicts the pair's mean rating.
    """
    average = values.mean(0)
    loss = np.float32(misery) * (average - values.min(0))
    return np.asarray((average if mean is None else mean) - loss, np.float32)


def borda(values: Floats) -> Floats:
    """Return the mean of the members' points: 0 for a member's last movie, 1 for the next, and so on.

    ``values``: shape (viewers, movies). Ties share their points evenly (de Borda 1781).

    >>> borda(np.float32([[1, 3, 2], [1, 1, 5]]))
    array([0.25, 1.25, 1.5 ], dtype=float32)
    """
    points = [
        (np.searchsorted(ordered, row, "left") + np.searchsorted(ordered, row, "right") - 1) / 2
        for row, ordered in zip(values, np.sort(values, axis=1), strict=True)
    ]
    return np.asarray(np.mean(points, axis=0), np.float32)


def multiplicative(values: Floats) -> Floats:
    """Return the geometric mean of the members' values, each measured from the member's own minimum.

    ``values``: shape (viewers, movies). A product needs positive numbers, and scores may be negative.

    >>> multiplicative(np.float32([[1, 3, 2], [1, 2, 5]]))
    array([0.       , 1.4142135, 2.       ], dtype=float32)
    """
    above = values - values.min(1, keepdims=True)
    return np.asarray(above.prod(0) ** np.float32(1 / len(values)), np.float32)


def standardised(values: Floats) -> Floats:
    """Return each member's values with a mean of 0 and a standard deviation of 1, shape (viewers, movies).

    A member who uses the whole scale then weighs no more than one who gives threes and fours.
    """
    deviation = values.std(1, keepdims=True)
    return np.asarray((values - values.mean(1, keepdims=True)) / np.maximum(deviation, 1e-6), np.float32)


@dataclass(frozen=True)
class Aggregation:
    """How the members' scores are combined into a group's (Masthoff, Group modeling, 2004)."""

    way: Way = "weighted"
    misery: float = MISERY
    """For ``weighted``: from 0, the average, to 1, the least pleased member."""
    enough: float = 3.0
    """For ``without misery``: every member must be predicted to give at least this many stars."""
    standardise: bool = False
    """Whether each member's scores are ``standardised`` first."""

    def __post_init__(self) -> None:
        if self.way not in WAYS:
            wrong = tr("There is no way {way!r} to combine lists", way=self.way)
            raise no_such(wrong, self.way, WAYS, tr("choose one of {names}.", names=", ".join(WAYS)))

    def score(self, scores: Floats, stars: Floats, mean: Floats | None = None) -> Floats:
        """Return the group's score, shape (movies,); minus infinity for an excluded movie.

        ``scores`` and ``stars``: the members', shape (viewers, movies), for the movies that may be listed. ``mean``: as
        in ``weighted``; ignored for standardised scores.
        """
        if len(scores) == 1:
            return np.asarray(scores[0])
        if self.standardise:
            scores, mean = standardised(scores), None
        if self.way == "borda":
            return borda(scores)
        if self.way == "multiplicative":
            return multiplicative(scores)
        return np.where(self.excludes(stars), np.float32(-np.inf), self._simple(scores, mean))

    def excludes(self, stars: Floats) -> Bools:
        """Return which movies may not be in the group's list, shape (movies,).

        ``stars``: the members', shape (viewers, movies).
        """
        if self.way == "without misery" and len(stars) > 1:
            return np.asarray(stars.min(0) < self.enough)
        return np.zeros(stars.shape[1], bool)

    def stars(self, stars: Floats, mean: Floats | None = None) -> Floats:
        """Return the stars to show for the group, shape (movies,). Points and products are shown as mean stars."""
        return self._simple(stars, mean)

    def _simple(self, values: Floats, mean: Floats | None) -> Floats:
        if self.way == "most pleasure":
            return np.asarray(values.max(0))
        if self.way == "least misery":
            return np.asarray(values.min(0))
        return weighted(values, self.misery if self.way == "weighted" else 0.0, mean)


DEFAULT_AGGREGATION = Aggregation()


@dataclass(frozen=True)
class Alikeness:
    """How similarly two viewers rate."""

    correlation: float
    """From -1 to 1, shrunk towards 0 if they rated few movies in common."""
    common: int
    """How many movies both rated."""


def alikeness(first: History, second: History) -> Alikeness | None:
    """Compare two viewers on the movies that both rated; ``None`` if there are fewer than ``MIN_COMMON``.

    The correlation is Pearson's, of their stars, times ``n / (n + MIN_COMMON)`` for ``n`` common movies. It is 0 if one
    viewer gave all these movies the same stars.
    """
    _, a, b = np.intersect1d(first.movies, second.movies, assume_unique=True, return_indices=True)
    common = len(a)
    if common < MIN_COMMON:
        return None
    x, y = first.stars[a].astype(np.float64), second.stars[b].astype(np.float64)
    x, y = x - x.mean(), y - y.mean()
    size = float(np.sqrt((x @ x) * (y @ y)))
    correlation = float(x @ y) / size if size else 0.0
    return Alikeness(correlation * common / (common + MIN_COMMON), common)
