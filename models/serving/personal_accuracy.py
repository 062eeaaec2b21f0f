"""How good a model is for one person: their newest ratings are held out, and told from those before them.

The model is not trained again: it never saw the ratings of a profile, so folding in the older ones is all it takes.
Of a user of the dataset it learnt from the newest too, and there is nothing to tell.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from data.dataset import Floats
from models.metrics import RELEVANT
from models.model import History
from models.ranking import Ranker, Viewer
from models.taste import crowd_means

NEWEST = 5
"""One of so many ratings is held out."""
FEWEST = 5
"""How many held-out ratings there must be at least."""
TOP = 50
"""How far down the list a liked movie counts as found."""
CONFIDENCE = 0.95
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


@dataclass(frozen=True)
class Interval:
    """A figure with the ends of its confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Told:
    """How well held-out ratings are told."""

    rmse: Interval
    """In stars."""
    hits: int
    """How many liked ones are among the first ``TOP`` of the list."""
    hit_rate: Interval | None
    """Their share of the liked ones; None where nothing that is held out was liked."""


@dataclass(frozen=True)
class Personal:
    """How good a model is for one person."""

    older: int
    newest: int
    """How many ratings are held out."""
    liked: int
    """How many of these are likes."""
    top: int
    by_model: Told
    by_means: Told
    """The same, where the mean rating of a movie tells what everybody gives it, drawn to the mean of all."""


def lacking(ratings: int) -> int:
    """Return how many ratings somebody with so many still needs before ``personal`` can tell anything.

    >>> lacking(20), lacking(25)
    (5, 0)
    """
    return max(0, NEWEST * FEWEST - ratings)


def personal(ranker: Ranker, history: History) -> Personal:
    """Return how good a model is for somebody whom it did not learn from.

    ``history``: in the order given, and enough of it, see ``lacking``. The newest fifth is held out, rounded down.
    """
    cut = len(history) - len(history) // NEWEST
    older = History(history.movies[:cut], history.stars[:cut])
    movies, stars = history.movies[cut:], history.stars[cut:]
    liked = movies[stars >= RELEVANT]
    means = crowd_means(ranker.dataset)
    viewer = [Viewer("profile", "", older)]
    candidates = np.flatnonzero(ranker.candidates(viewer))
    counts = ranker.model.counts[candidates]
    by_means = candidates[np.lexsort((candidates, -counts, -means[candidates]))]

    def told(expected: Floats, order: NDArray[np.intp]) -> Told:
        hits = int(np.isin(liked, order[:TOP]).sum())
        rate = wilson(hits, len(liked)) if len(liked) else None
        return Told(rmse(expected[movies], stars), hits, rate)

    return Personal(
        cut,
        len(movies),
        len(liked),
        TOP,
        told(ranker.expect(older).stars, ranker.rank(viewer).order),
        told(ranker.model.scale.clip(means), by_means),
    )


def rmse(prediction: Floats, stars: Floats) -> Interval:
    """Return ``sqrt(mean((p - r)^2))``; its interval is that of the mean of the squared errors, taken as normal.

    >>> rmse(np.float32([4, 2, 3]), np.float32([5, 2, 3]))
    Interval(value=0.5773502691896258, low=0.0, high=0.9932805370797783)
    """
    squared = (prediction.astype(np.float64) - stars) ** 2
    mean = float(squared.mean())
    reach = _Z * float(squared.std(ddof=1)) / math.sqrt(len(squared)) if len(squared) > 1 else math.inf
    return Interval(math.sqrt(mean), math.sqrt(max(0.0, mean - reach)), math.sqrt(mean + reach))


def wilson(hits: int, of: int) -> Interval:
    """Return a share with its interval (Wilson 1927), which holds for few and for shares near 0 and 1.

    ``(h + z^2 / 2 ± z sqrt(h (n - h) / n + z^2 / 4)) / (n + z^2)``

    >>> found = wilson(8, 10)
    >>> round(found.low, 3), round(found.high, 3)
    (0.49, 0.943)
    """
    middle, reach = hits + _Z**2 / 2, _Z * math.sqrt(hits * (of - hits) / of + _Z**2 / 4)
    low, high = ((middle + side * reach) / (of + _Z**2) for side in (-1, 1))
    return Interval(hits / of, max(0.0, low), min(1.0, high))
