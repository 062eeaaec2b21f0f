"""Sorting the movies of a list."""

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Floats

_LOW_BITS = 0xFFFFFFFF


def best_first(values: Floats) -> NDArray[np.intp]:
    """Return the indices that sort some values, shape (values,), highest first. Equal values keep their order.

    This is ``np.argsort(-values, kind="stable")``, but for 80,000 movies it takes a quarter of the time. Each value, as
    an ordered integer, and its index become one 64-bit integer, because numpy sorts integers with vector instructions.
    ``values`` must be 32-bit and must not contain NaN.

    >>> best_first(np.float32([2, 7, -np.inf, 7]))
    array([1, 3, 0, 2])
    """
    assert values.dtype == np.float32
    bits = (np.float32(0) - values).view(np.int32)  # a zero has no sign then
    ascending = np.where(bits < 0, bits ^ np.int32(0x7FFFFFFF), bits).astype(np.int64)
    keys = (ascending << 32) | np.arange(len(values))
    keys.sort()
    return (keys & _LOW_BITS).astype(np.intp)
