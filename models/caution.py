"""The order of lists by models that predict stars with an uncertainty."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Scale
from movietui.models.base import Expectation


class Caution(Protocol):
    """The settings of such a model."""

    @property
    def caution(self) -> float:
        """How many standard deviations of uncertainty are subtracted from the stars."""

    @property
    def popularity(self) -> float:
        """How much of ``log(1 + n)`` is added, where ``n`` is the movie's number of ratings."""


def cautious(
    settings: Caution, scale: Scale, stars: NDArray[Any], variance: NDArray[Any], counts: NDArray[Any]
) -> Expectation:
    """Return the stars, clipped to the scale, their uncertainty, and the score ``stars - caution · uncertainty +
    popularity · log(1 + n)`` of the unclipped stars.

    ``variance``: of the stars; below 0, where rounding took it, it counts as 0. ``counts``: the number of ratings,
    ``n``. All shapes must fit together.
    """
    uncertainty = np.sqrt(np.maximum(variance, 0.0)).astype(np.float32)
    popularity = np.log1p(counts.astype(np.float32)) * np.float32(settings.popularity)
    score = stars - settings.caution * uncertainty + popularity
    return Expectation(scale.clip(stars.astype(np.float32)), uncertainty, score.astype(np.float32))
