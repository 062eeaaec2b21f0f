"""Stars as steps that somebody takes on a scale of their own: the ordered probit, in numpy.

Behind a rating lies a latent number ``z ~ N(f, v)``; it becomes the lowest of the stars below the first cut, the next
up to the second, and so on (McCullagh, Regression models for ordinal data, 1980). From one to two stars may thus be
farther than from three to four. The first and the last cut stay halfway between the stars on both sides of them, which
is what gives the latent numbers the unit of stars; those between are learned.
"""

import math

import numpy as np
from numpy.typing import NDArray

from data.dataset import Floats

REACH = 8.0
"""Beyond so many standard deviations a normal distribution has ended."""
GRID = np.linspace(-REACH, REACH, 4001)
BELOW = np.asarray([math.erfc(-x / math.sqrt(2)) / 2 for x in GRID])
"""The normal distribution function on the grid: numpy has none; between two points it is off by less than 1e-6."""
TINY = 1e-12


def steps_of(stars: Floats) -> tuple[Floats, Floats]:
    """Return the different stars, shape (steps,), and the points halfway between them, shape (steps - 1,)."""
    values = np.unique(stars).astype(np.float32)
    return values, ((values[1:] + values[:-1]) / 2).astype(np.float32)


def below(x: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the share of a normal distribution below ``x``."""
    return np.asarray(np.interp(x, GRID, BELOW), np.float64)


def expected(
    values: Floats, cuts: NDArray[np.floating], latent: NDArray[np.floating], deviation: NDArray[np.floating]
) -> Floats:
    """Return the mean stars, ``s_1 + sum_k (s_k+1 - s_k) P(z > cut_k)``, shape (…, n).

    With stars 1 and 2, a cut at 1.5 and a deviation of 1, 1.5 is expected where the latent mean is 1.5, and 1.84 where
    it is 2.5. ``values``: shape (steps,); ``cuts``: shape (…, steps - 1); ``latent``: the mean of ``z``, shape (…, n),
    and ``deviation`` its standard deviation around that.
    """
    stars = np.full(latent.shape, float(values[0]))
    for place, step in enumerate(np.diff(values).tolist()):
        stars += step * below((latent - cuts[..., place, None]) / deviation)
    return stars.astype(np.float32)


def latent_mean(
    values: Floats,
    cuts: NDArray[np.floating],
    stars: Floats,
    latent: NDArray[np.floating],
    deviation: NDArray[np.floating],
) -> NDArray[np.float64]:
    """Return the mean of ``z`` given the stars that it became: that of a normal distribution between two cuts.

    ``f + d (phi(a) - phi(b)) / (Phi(b) - Phi(a))`` with ``a`` and ``b`` the cuts on both sides of the stars, less ``f``
    and over ``d``. Shapes as in ``expected``; ``stars``: shape (n,), and what is none of ``values`` counts as the next
    of them above.
    """
    step = np.minimum(np.searchsorted(values, stars), len(values) - 1)
    end = np.full((*cuts.shape[:-1], 1), np.inf)
    walls = np.concatenate([-end, cuts, end], -1)
    low, high = (
        np.clip((wall - latent) / deviation, -REACH, REACH) for wall in (walls[..., step], walls[..., step + 1])
    )
    share = np.maximum(below(high) - below(low), TINY)
    height = (np.exp(-(low**2) / 2) - np.exp(-(high**2) / 2)) / math.sqrt(2 * math.pi)
    found = latent + deviation * height / share
    # Where nothing of the distribution lies between the cuts, the nearer of them.
    return np.asarray(np.clip(found, latent + deviation * low, latent + deviation * high))
