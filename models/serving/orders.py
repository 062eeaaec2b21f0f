"""The orders of a list: above all ``liked``, by how much the viewer would like each movie."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Bools, Floats, Scale
from movietui.models.base import Expectation, History
from movietui.models.metrics import DISLIKED, RELEVANT
from movietui.models.ordinal import normal_cdf

SHARPNESS = 2.0
"""The weight of a standard deviation of the model's score, in the logarithm of a movie's value."""
LOSS = 3.0
"""How many liked movies a disliked one outweighs."""
SMALLEST_VALUE = 1e-3
"""The least expected value whose logarithm is taken."""
TYPICAL_NOISE = 0.8
"""The variance of a rating around its prediction, in stars squared, where a model does not estimate it."""
MARGIN = 0.3
"""How many stars more than the movie above it a movie may be predicted, before the two change places."""
PASSES = 3
"""How often neighbours are compared, which is also how many ranks a movie can move."""


def value(expected: Expectation, noise: Floats | None, known: Bools, scale: Scale) -> Floats:
    """Return how much a viewer would gain from each movie in a list, in logarithms, shape (movies,).

    ``SHARPNESS s + log(max(P(liked) + P(loved) - LOSS P(disliked), SMALLEST_VALUE))``. Here ``s`` is the model's score,
    standardised over the ``known`` movies: how likely the viewer is to watch the movie, where the model was made to
    rank. The three probabilities are those of a rating of at least 4 stars, of the highest rating and of at most 2
    stars. A rating is assumed normal around the predicted stars with variance ``uncertainty^2 + noise``, and cut
    halfway between two steps of the scale.

    ``SHARPNESS``, ``LOSS``, ``MARGIN`` and ``PASSES`` were chosen with the parts of ``blend`` on a validation tenth of
    the train parts of ``random80`` of ml-100k, seeds 0 to 2. Learning the weights of all parts on that tenth, for the
    same gain and loss, moved no figure of the test part by more than .002.
    """
    deviation = np.sqrt(expected.uncertainty**2 + (np.float32(TYPICAL_NOISE) if noise is None else noise))
    half_step = scale.step / 2

    def at_least(stars: float) -> NDArray[np.float64]:
        return normal_cdf((expected.stars - (stars - half_step)) / deviation)

    gain = at_least(RELEVANT) + at_least(scale.high) - LOSS * (1 - at_least(DISLIKED + scale.step))
    score = expected.score[known].astype(np.float64)
    standardised = (expected.score - score.mean()) / max(float(score.std()), 1e-9) if len(score) else expected.score
    return np.asarray(SHARPNESS * standardised + np.log(np.maximum(gain, SMALLEST_VALUE)), np.float32)


def usual_stars(histories: Sequence[History]) -> float:
    """Return the mean rating of a viewer, or of a group the mean of its members'; minus infinity without ratings."""
    means = [float(history.stars.mean()) for history in histories if len(history)]
    return float(np.mean(means)) if means else -np.inf


def order_by_liking(rows: NDArray[np.intp], values: Floats, stars: Floats, usual: float) -> NDArray[np.intp]:
    """Return rows of movies by their value, those predicted below the viewers' ``usual`` stars last.

    ``values`` and ``stars``: for all movies. Rows of equal value keep their order.
    """
    return rows[np.lexsort((-values[rows], stars[rows] < usual))]


def settle(order: NDArray[np.intp], stars: Floats) -> NDArray[np.intp]:
    """Let movies that are predicted clearly more stars than their upper neighbour move up to ``PASSES`` ranks.

    A few passes of odd-even transposition (Habermann 1972), counted from the start of each run of neighbours that
    should change places, so that what is far above in a list does not matter. A list then seldom shows a movie above
    one that it predicts more than ``MARGIN`` stars higher, while it stays the list that was asked for.

    >>> settle(np.array([0, 1, 2]), np.float32([4.0, 4.2, 4.6]))
    array([2, 0, 1])
    """
    settled = order.copy()
    index = np.arange(len(order) - 1)
    for _ in range(PASSES if len(order) > 1 else 0):
        predicted = stars[settled]
        rises = predicted[1:] > predicted[:-1] + np.float32(MARGIN)
        starts = rises & ~np.append(False, rises[:-1])
        offset = index - np.maximum.accumulate(np.where(starts, index, 0))
        upper = index[rises & (offset % 2 == 0)]
        settled[upper], settled[upper + 1] = settled[upper + 1].copy(), settled[upper].copy()
    return settled


def hold_back(order: NDArray[np.intp], places: Mapping[int, int]) -> NDArray[np.intp]:
    """Let some movies have no better place than they had: at least so many of the other movies are above each.

    ``places``: by row, how many other movies were above it. What is further down already stays there.

    >>> hold_back(np.array([7, 4, 5, 6]), {7: 2, 6: 0})
    array([4, 5, 7, 6])
    """
    is_held = np.isin(order, [*places])
    above: NDArray[np.intp] = np.cumsum(~is_held) - ~is_held
    least = np.asarray([places[row] for row in order[is_held].tolist()], np.intp)
    above[is_held] = np.maximum(above[is_held], least)
    return order[np.lexsort((~is_held, above))]
