"""The orders of a list, above all ``liked``: by how much the viewer would like each movie."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Bools, Floats, Scale
from movietui.models.base import Expectation, History
from movietui.models.metrics import DISLIKED, RELEVANT
from movietui.models.ordinal import normal_cdf
from movietui.models.sorting import best_first

SHARPNESS = 2.0
"""The weight of the model's standardised score in the logarithm of a movie's value."""
LOSS = 3.0
"""How many liked movies a disliked one outweighs."""
SMALLEST_VALUE = 1e-3
"""The smallest gain from a movie whose logarithm is taken. Smaller gains count as this."""
TYPICAL_NOISE = 0.8
"""The variance of a rating around its prediction, in stars squared, if a model does not estimate it."""
MARGIN = 0.3
"""If a movie's predicted stars exceed those of the movie above it by more than this, the two change places."""
PASSES = 3
"""How many times neighbours in a list are compared, which is also how many ranks a movie can move."""


def value(expected: Expectation, noise: Floats | None, known: Bools, scale: Scale) -> Floats:
    """Return the logarithm of how much a viewer would gain from each movie in a list, shape (movies,).

    It is ``SHARPNESS s + log(max(P(liked) + P(loved) - LOSS P(disliked), SMALLEST_VALUE))``. ``known``, shape
    (movies,), says which movies have ratings. Over these movies, ``s``, the model's score, is standardised. A model
    made for lists scores how likely the viewer is to watch a movie.

    A movie is liked with at least 4 stars, loved with the highest rating and disliked with at most 2 stars. A rating is
    assumed to be normal around the predicted stars, with the variance ``uncertainty^2 + noise``, and to be rounded to a
    step of the scale.

    ``SHARPNESS``, ``LOSS``, ``MARGIN`` and ``PASSES`` were chosen with the models inside ``blend``, on held-out tenths
    of the train parts of ``random80`` of ml-100k, split seeds 0 to 2.
    """
    deviation = np.sqrt(expected.uncertainty**2 + (np.float32(TYPICAL_NOISE) if noise is None else noise))
    half_step = scale.step / 2

    def at_least(stars: float) -> NDArray[np.floating]:
        return normal_cdf((expected.stars - (stars - half_step)) / deviation)

    gain = at_least(RELEVANT) + at_least(scale.high) - LOSS * (1 - at_least(DISLIKED + scale.step))
    score = expected.score[known].astype(np.float64)
    standardised = (
        (expected.score - float(score.mean())) / max(float(score.std()), 1e-9) if len(score) else expected.score
    )
    return np.asarray(SHARPNESS * standardised + np.log(np.maximum(gain, SMALLEST_VALUE)), np.float32)


def with_unrated(expected: Expectation, known: Bools) -> Expectation:
    """Return the predictions with scores by which movies without ratings can be ranked among the others.

    A model's own score of such a movie says nothing, because few people watch a movie that nobody has rated yet. If the
    movie's lower bound, ``stars - uncertainty``, is *z* standard deviations above the mean lower bound of the ``known``
    movies, which have ratings, its score becomes *z* standard deviations above the mean of their scores.
    """
    if known.all() or not known.any():
        return expected
    bound, score = expected.stars - expected.uncertainty, expected.score.copy()
    standardised = (bound[~known] - bound[known].mean()) / max(float(bound[known].std()), 1e-9)
    score[~known] = score[known].mean() + standardised * score[known].std()
    return replace(expected, score=score)


def usual_stars(histories: Sequence[History]) -> float:
    """Return the mean of the viewers' mean ratings; minus infinity without any ratings."""
    means = [float(history.stars.mean()) for history in histories if len(history)]
    return float(np.mean(means)) if means else -np.inf


def order_by_liking(rows: NDArray[np.intp], values: Floats, stars: Floats, usual: float) -> NDArray[np.intp]:
    """Return rows of movies by value, highest first, but movies predicted below the viewers' ``usual`` stars last.

    ``values`` and ``stars``: shape (movies,). Rows with equal values keep their order.
    """
    below = stars[rows] < usual
    return np.concatenate([part[best_first(values[part])] for part in (rows[~below], rows[below])])


def settle(order: NDArray[np.intp], stars: Floats) -> NDArray[np.intp]:
    """Let movies with clearly more predicted stars than the movie above rise, by at most ``PASSES`` ranks.

    This makes a few passes of odd-even transposition (Habermann 1972), counted from the start of each run of neighbours
    that should change places, so that movies far above in the list have no effect. After that, a movie is seldom above
    one whose predicted stars are more than ``MARGIN`` higher. Otherwise the list keeps its order.

    >>> settle(np.array([0, 1, 2]), np.float32([4.0, 4.2, 4.6]))
    array([2, 0, 1])
    """
    settled, predicted = order.copy(), stars[order]
    for _ in range(PASSES):
        rises = np.flatnonzero(predicted[1:] > predicted[:-1] + np.float32(MARGIN))
        starts = np.maximum.accumulate(np.where(np.diff(rises, prepend=-2) > 1, rises, 0))
        upper = rises[(rises - starts) % 2 == 0]
        for column in (settled, predicted):
            column[upper], column[upper + 1] = column[upper + 1], column[upper]
    return settled


def hold_back(order: NDArray[np.intp], least_above: Mapping[int, int]) -> NDArray[np.intp]:
    """Keep some movies down, so that at least as many other movies stay above each as ``least_above`` says.

    ``least_above``: by the row of each of these movies, how many of the other movies were above it. A movie that is
    already further down stays there.

    >>> hold_back(np.array([7, 4, 5, 6]), {7: 2, 6: 0})
    array([4, 5, 7, 6])
    """
    is_held = np.isin(order, [*least_above])
    above: NDArray[np.intp] = np.cumsum(~is_held) - ~is_held
    least = np.asarray([least_above[row] for row in order[is_held].tolist()], np.intp)
    above[is_held] = np.maximum(above[is_held], least)
    return order[np.lexsort((~is_held, above))]
