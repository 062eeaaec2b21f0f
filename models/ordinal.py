"""Stars as ordered steps of unequal height: the ordered probit, in numpy.

Behind a rating is a latent number ``z ~ N(f, v)``. Below the first cut, it becomes the lowest number of stars, up to
the second cut the next, and so on (McCullagh, Regression models for ordinal data, 1980). The step from one to two stars
may thus be larger than the step from three to four. The first and the last cut stay halfway between the stars on both
sides, which gives the latent numbers the unit of stars. The cuts between them are learned.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Floats

RANGE = 8.0
"""How far the tabulated normal distribution reaches to both sides of its mean, in standard deviations."""
GRID, STEP = np.linspace(-RANGE, RANGE, 4001, retstep=True)
CDF = np.asarray([math.erfc(-x / math.sqrt(2)) / 2 for x in GRID])
"""The normal distribution function on the grid, because numpy has none. Interpolated between two points, it is off by
less than 1e-6."""
RISE = np.append(np.diff(CDF), 0.0)
"""How much ``CDF`` rises from each point of the grid to the next."""
SINGLE = CDF.astype(np.float32), RISE.astype(np.float32)
"""``CDF`` and ``RISE`` in single precision."""
TINY = 1e-12


def values_and_cuts(stars: Floats) -> tuple[Floats, Floats]:
    """Return the distinct stars, shape (steps,), and the points halfway between them, shape (steps - 1,)."""
    values = np.unique(stars).astype(np.float32)
    return values, ((values[1:] + values[:-1]) / 2).astype(np.float32)


def normal_cdf(x: NDArray[np.floating]) -> NDArray[Any]:
    """Return the normal distribution function at ``x``, in single precision if ``x`` is, which takes a third of the
    time."""
    cdf, rise = SINGLE if x.dtype == np.float32 else (CDF, RISE)
    steps = np.clip((x + cdf.dtype.type(RANGE)) / cdf.dtype.type(STEP), 0, len(GRID) - 1)
    below = steps.astype(np.int32)  # ``np.interp`` would search the grid, which takes five times as long
    return np.asarray(cdf[below] + (steps - below.astype(cdf.dtype)) * rise[below])


def expected(
    values: Floats, cuts: NDArray[np.floating], latent: NDArray[np.floating], deviation: NDArray[np.floating]
) -> Floats:
    """Return the expected stars, ``s_1 + sum_k (s_k+1 - s_k) P(z > cut_k)``, shape (…, n).

    With stars 1 and 2, a cut at 1.5 and a deviation of 1, the expectation is 1.5 at a latent mean of 1.5, and 1.84 at
    2.5. ``values``: shape (steps,); ``cuts``: shape (…, steps - 1); ``latent`` and ``deviation``: the mean and the
    standard deviation of ``z``, shape (…, n) each.
    """
    stars = np.full(latent.shape, float(values[0]))
    for index, step in enumerate(np.diff(values).tolist()):
        stars += step * normal_cdf((latent - cuts[..., index, None]) / deviation)
    return stars.astype(np.float32)


def latent_mean(
    values: Floats,
    cuts: NDArray[np.floating],
    stars: Floats,
    latent: NDArray[np.floating],
    deviation: NDArray[np.floating],
) -> NDArray[np.float64]:
    """Return the mean of ``z`` given the stars: the mean of a normal distribution truncated between two cuts.

    It is ``f + d (phi(a) - phi(b)) / (Phi(b) - Phi(a))``, where ``f`` is ``latent``, ``d`` is ``deviation``, and ``a``
    and ``b`` are the cuts on both sides of the stars, minus ``f`` and divided by ``d``. Shapes as in ``expected``;
    ``stars``: shape (n,). Stars that are not among ``values`` count as the next higher value, or as the highest.
    """
    step = np.minimum(np.searchsorted(values, stars), len(values) - 1)
    end = np.full((*cuts.shape[:-1], 1), np.inf)
    bounds = np.concatenate([-end, cuts, end], -1)
    low, high = (
        np.clip((bound - latent) / deviation, -RANGE, RANGE) for bound in (bounds[..., step], bounds[..., step + 1])
    )
    share = np.maximum(normal_cdf(high) - normal_cdf(low), TINY)
    height = (np.exp(-(low**2) / 2) - np.exp(-(high**2) / 2)) / math.sqrt(2 * math.pi)
    mean = latent + deviation * height / share
    # If almost no probability is left between the cuts, this gives the nearer cut, at most ``RANGE`` deviations away.
    return np.asarray(np.clip(mean, latent + deviation * low, latent + deviation * high))
