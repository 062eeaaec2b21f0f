"""The variances of many linear functions of the same uncertain numbers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK = 2048
"""How many rows are multiplied at once. So few products stay in the processor's cache; 80,000 movies then take half of
the time."""


def variances(rows: NDArray[Any], covariance: NDArray[Any]) -> NDArray[Any]:
    """Return ``y' C y`` for each row ``y``, shape (rows,): the variance of ``y . x`` if ``x`` has the covariance ``C``.

    ``rows``: shape (rows, n). ``covariance``: shape (n, n) or, if each row is meant to end with a 1 that it lacks,
    (n + 1, n + 1). The result is no more precise than ``rows``.

    >>> variances(np.eye(2), np.asarray([[4.0, 1.0], [1.0, 9.0]]))
    array([4., 9.])
    >>> variances(np.ones((1, 1)), np.asarray([[4.0, 1.0], [1.0, 9.0]]))
    array([15.])
    """
    size = rows.shape[1]
    covariance = covariance.astype(rows.dtype)
    result = np.empty(len(rows), rows.dtype)
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        np.einsum("nk,nk->n", block @ covariance[:size, :size], block, out=result[start : start + BLOCK])
    if len(covariance) > size:
        result += rows @ (2 * covariance[size, :size]) + covariance[size, size]
    return result
