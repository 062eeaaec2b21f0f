"""Which panes of Browse fold to their edge, so that the list has room for whole titles."""

from dataclasses import dataclass

DETAILS_COLUMNS = 120
"""The narrowest window, in columns, that shows the details beside the list."""
VIEWERS_COLUMNS = 140
"""The narrowest window, in columns, that shows the viewers beside the list and the details."""
EDGE_COLUMNS = 80
"""The narrowest window, in columns, that shows the edge of folded details. Below it, the list needs the room."""


@dataclass(frozen=True)
class Folding:
    """Which panes are folded."""

    viewers: bool
    details: bool


def fold(columns: int, *, viewers_focused: bool) -> Folding:
    """Return which panes are folded in a window of this width. Viewers with the focus are never folded.

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
