"""Which panes of Browse fold to their edge, so that the list has room for whole titles."""

from dataclasses import dataclass

DETAILS_COLUMNS = 120
"""Columns of the window from which the details stand beside the list."""
VIEWERS_COLUMNS = 140
"""Columns of the window from which the viewers stand beside the list and the details."""
EDGE_COLUMNS = 80
"""Columns of the window from which folded details have an edge; with fewer the list needs its cells."""


@dataclass(frozen=True)
class Folding:
    """What is folded."""

    viewers: bool
    details: bool


def fold(columns: int, *, viewers_focused: bool) -> Folding:
    """Return what is folded in a window of this width: what has not the focus, as far as there is too little room.

    >>> fold(80, viewers_focused=False)
    Folding(viewers=True, details=True)
    >>> fold(130, viewers_focused=False), fold(130, viewers_focused=True)
    (Folding(viewers=True, details=False), Folding(viewers=False, details=True))
    """
    narrow = columns < VIEWERS_COLUMNS
    return Folding(
        viewers=narrow and not viewers_focused,
        details=columns < DETAILS_COLUMNS or (narrow and viewers_focused),
    )
