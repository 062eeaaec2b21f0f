"""Which of the candidates a list shows, and in which order. Immutable, like the audience."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from movietui.models.choices import DEFAULT_ORDER, Order

DIAL_STEP = 0.1
Wanted = Literal["all", "watchlist", "both"]


@dataclass(frozen=True)
class View:
    """Which movies a list shows (filter, watchlists), how daring it is, how much it favours recent movies, and its
    order."""

    filter_text: str = ""
    """A filter, see ``movietui.data.query.filters``."""
    daring: float = 0.0
    """From 0 (safe) to 1 (daring)."""
    recent: float = 0.0
    """From 0 (movies of any year) to 1 (recent movies first)."""
    wanted: Wanted = "all"
    """All movies, those on any viewer's watchlist, or those on all viewers' watchlists."""
    order: Order = DEFAULT_ORDER

    def ordered_by(self, order: Order) -> View:
        """Sort the list in this order."""
        return replace(self, order=order)

    def next_order(self, orders: Sequence[Order]) -> View:
        """Sort the list in the next of ``orders``."""
        return replace(self, order=orders[(orders.index(self.order) + 1) % len(orders)])

    def more_daring(self, steps: int) -> View:
        """Change ``daring`` by ``steps``: down towards safe, up towards daring."""
        return replace(self, daring=_turned(self.daring, steps))

    def more_recent(self, steps: int) -> View:
        """Change ``recent`` by ``steps``: down towards movies of any year, up towards recent ones."""
        return replace(self, recent=_turned(self.recent, steps))

    def next_wanted(self, *, together: bool) -> View:
        """Step from all movies to the watchlist, then (with ``together``) to movies on all watchlists, and back."""
        choices: tuple[Wanted, ...] = ("all", "watchlist", "both") if together else ("all", "watchlist")
        return replace(self, wanted=choices[(choices.index(self.wanted) + 1) % len(choices)])

    def for_one(self) -> View:
        """Return the view for one viewer, whose watchlist replaces a shared one."""
        return replace(self, wanted="watchlist") if self.wanted == "both" else self


def _turned(dial: float, steps: int) -> float:
    """Return a dial, which runs from 0 to 1, after a number of steps up or, if negative, down."""
    return round(min(1.0, max(0.0, dial + steps * DIAL_STEP)), 2)
