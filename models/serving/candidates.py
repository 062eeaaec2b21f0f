"""What may enter a list."""

from collections.abc import Sequence

import numpy as np

from movietui.data.dataset import Bools, Ints
from movietui.models.choices import UnseenBy


def candidates(
    predicted: Bools,
    seen: Sequence[Ints],
    hidden: Sequence[Ints],
    passing: Bools | None = None,
    unseen_by: UnseenBy = "all",
) -> Bools:
    """Return which movies may be in a list, shape (movies,).

    A candidate is ``predicted``, passes the filter and is hidden by no viewer. ``unseen_by`` says who must not have
    seen a candidate: ``all`` viewers, ``any`` (at least one of them), or ``none``.

    ``predicted`` and ``passing``: shape (movies,); without ``passing``, all movies pass. ``seen`` and ``hidden``: for
    each viewer, the rows of the movies that they rated or marked as seen, each once, and of those that they hid.

    >>> candidates(np.array([True, True, False, True]), [np.array([0])], [np.array([3])])
    array([False,  True, False, False])
    """
    is_candidate = predicted.copy()
    if passing is not None:
        is_candidate &= passing
    seen_by = np.zeros(len(is_candidate), np.int32)
    for rows in seen:
        seen_by[rows] += 1
    for rows in hidden:
        is_candidate[rows] = False
    is_candidate &= seen_by < {"all": 1, "any": len(seen), "none": len(seen) + 1}[unseen_by]
    return is_candidate
