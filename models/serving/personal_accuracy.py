"""A model's accuracy for one profile, whose newest ratings are held out and predicted from the older ones.

The model is not retrained: it never saw the ratings of a profile, so it is enough to fold in the older ones. For a user
of the dataset, this would not work, because the model has learned from all of the user's ratings.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Floats
from movietui.models.base import History
from movietui.models.metrics import RELEVANT
from movietui.models.serving.ranking import Ranker, Viewer
from movietui.models.serving.taste import crowd_means

HELD_OUT_EVERY = 5
"""One in this many ratings is held out."""
MIN_HELD_OUT = 5
"""The smallest number of held-out ratings."""
TOP = 50
"""The lowest rank at which a liked movie counts as a hit."""
CONFIDENCE = 0.95
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


@dataclass(frozen=True)
class Interval:
    """A figure with its confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Accuracy:
    """The accuracy on held-out ratings."""

    rmse: Interval
    """In stars."""
    hits: int
    """How many of the held-out liked movies are among the first ``TOP`` of the list."""
    hit_rate: Interval | None
    """The hits as a share of the held-out liked movies; ``None`` without such movies."""


@dataclass(frozen=True)
class PersonalAccuracy:
    """A model's accuracy for one profile."""

    older: int
    """How many ratings are folded in."""
    newest: int
    """How many ratings are held out."""
    liked: int
    """How many of the held-out movies are liked."""
    top: int
    by_model: Accuracy
    by_means: Accuracy
    """The accuracy of predicting each movie's mean rating, shrunk towards the overall mean."""


def ratings_needed(ratings: int) -> int:
    """Return how many more ratings a profile needs before ``personal_accuracy`` can be measured.

    >>> ratings_needed(20), ratings_needed(25)
    (5, 0)
    """
    return max(0, HELD_OUT_EVERY * MIN_HELD_OUT - ratings)


def personal_accuracy(ranker: Ranker, history: History) -> PersonalAccuracy:
    """Return a model's accuracy for a profile whose ratings it did not learn from.

    ``history``: ratings from the oldest to the newest, as many as ``ratings_needed`` requires. The newest fifth,
    rounded down, is held out.
    """
    cut = len(history) - len(history) // HELD_OUT_EVERY
    older = history.take(slice(cut))
    movies, stars = history.movies[cut:], history.stars[cut:]
    liked = movies[stars >= RELEVANT]
    means = crowd_means(ranker.dataset)
    viewer = [Viewer("profile", "", older)]
    candidates = np.flatnonzero(ranker.candidates(viewer))
    counts = ranker.model.counts[candidates]
    by_means = candidates[np.lexsort((candidates, -counts, -means[candidates]))]

    def accuracy(expected: Floats, order: NDArray[np.intp]) -> Accuracy:
        hits = int(np.isin(liked, order[:TOP]).sum())
        rate = wilson(hits, len(liked)) if len(liked) else None
        return Accuracy(rmse(expected[movies], stars), hits, rate)

    return PersonalAccuracy(
        cut,
        len(movies),
        len(liked),
        TOP,
        accuracy(ranker.expect(older).stars, ranker.rank(viewer).order),
        accuracy(ranker.model.scale.clip(means), by_means),
    )


def rmse(prediction: Floats, stars: Floats) -> Interval:
    """Return ``sqrt(mean((p - r)^2))``, with the interval of the mean squared error, which is assumed to be normal.

    >>> rmse(np.float32([4, 2, 3]), np.float32([5, 2, 3]))
    Interval(value=0.5773502691896257, low=0.0, high=0.993304918699868)
    """
    squared = (prediction.astype(np.float64) - stars) ** 2
    mean = float(squared.mean())
    reach = _Z * float(squared.std(ddof=1)) / math.sqrt(len(squared)) if len(squared) > 1 else math.inf
    return Interval(math.sqrt(mean), math.sqrt(max(0.0, mean - reach)), math.sqrt(mean + reach))


def wilson(hits: int, total: int) -> Interval:
    """Return a share with its interval (Wilson 1927), which is valid for few samples and for shares near 0 and 1.

    ``(h + z^2 / 2 ± z sqrt(h (n - h) / n + z^2 / 4)) / (n + z^2)``

    >>> rate = wilson(8, 10)
    >>> round(rate.low, 3), round(rate.high, 3)
    (0.49, 0.943)
    """
    middle, reach = hits + _Z**2 / 2, _Z * math.sqrt(hits * (total - hits) / total + _Z**2 / 4)
    low, high = ((middle + sign * reach) / (total + _Z**2) for sign in (-1, 1))
    return Interval(hits / total, max(0.0, low), min(1.0, high))
