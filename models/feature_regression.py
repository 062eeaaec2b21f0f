"""What features say about values that are only known for some rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
RIDGES = 10.0 ** np.arange(-1, 5)
"""The ridges of which ``regress`` takes the best."""


@dataclass(frozen=True, eq=False)
class Regression:
    """A linear function of features."""

    intercept: Doubles
    """Shape (columns,)."""
    slopes: Doubles
    """Shape (features, columns)."""
    errors: Doubles
    """For each row that it was fitted to, how far its value is from the one that the other rows predict, shape (rows,
    columns)."""

    def predict(self, features: NDArray[Any]) -> Doubles:
        """Return the values of rows with these features, shape (rows, columns)."""
        return np.asarray(features @ self.slopes + self.intercept, np.float64)


def regress(features: NDArray[Any], values: NDArray[Any], weights: NDArray[Any]) -> Regression:
    """Fit a ridge regression of values on features. Each column of values has the one of ``RIDGES`` that leaves the
    smallest errors.

    ``features``: shape (rows, features). ``values``: shape (rows, columns). ``weights``: how much each row counts,
    shape (rows,). The error of a row is that of the regression on all others, which follows from its leverage (Allen,
    The relationship between variable selection and data augmentation and a method for prediction, 1974).
    """
    total = max(float(weights.sum()), 1e-9)
    intercept, middle = weights @ values / total, weights @ features / total
    root = np.sqrt(weights)[:, None]
    x, y = root * (features - middle), values - intercept
    squares, directions = np.linalg.eigh(x.T @ x)
    along = x @ directions
    products = along.T @ (root * y)
    best = np.full(values.shape[1], np.inf)
    slopes, errors = np.empty_like(products), np.empty_like(y)
    for ridge in RIDGES:
        gains = 1 / (np.maximum(squares, 0.0) + ridge)
        remaining = np.maximum(1 - weights / total - along**2 @ gains, 1e-3)
        coefficients = gains[:, None] * products
        left_out = (y - along @ coefficients / root) / remaining[:, None]
        squared = weights @ left_out**2
        better = squared < best
        best[better], slopes[:, better], errors[:, better] = (
            squared[better],
            coefficients[:, better],
            left_out[:, better],
        )
    slopes = directions @ slopes
    return Regression(intercept - middle @ slopes, slopes, errors)
