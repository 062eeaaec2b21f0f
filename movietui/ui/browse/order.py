"""Sorts the list: with a key, from the palette, or by a click on the heading of a column."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from textual.app import SystemCommand
from textual.binding import Binding

from movietui.data.language import tr
from movietui.models.choices import Order
from movietui.ui.browse.controller import BrowseController
from movietui.ui.controller import in_background
from movietui.ui.problems import shows_problems

ORDER_KEYS = [
    Binding("S", "sort", tr("Sort"), show=False, id="browse.sort", tooltip=tr("Sort the list by something else"))
]


class OrderController(BrowseController):
    """Sorts the list."""

    @shows_problems
    async def action_sort(self) -> None:
        """Sort the list in the next order."""
        self.require_list()
        await self._show(self.session.view.next_order(tuple(self.session.orders)).order)

    @in_background("sort", exclusive=True)
    async def sort_by(self, order: Order) -> None:
        """Sort the list in one of the session's ``orders``."""
        self.require_list()
        await self._show(order)

    def sort_by_heading(self, order: Order) -> None:
        """Sort by the column whose heading was clicked. A second click restores the default order."""
        default = next(iter(self.session.orders))
        self.sort_by(default if order == self.session.view.order or order not in self.session.orders else order)

    async def _show(self, order: Order) -> None:
        self.session.view = self.session.view.ordered_by(order)
        await self.list_pane.fill(from_top=True)
        self.app.show_notice(tr("Sorted by {order}", order=self.session.orders[order]))

    def commands(self) -> Iterable[SystemCommand]:
        """Yield an entry of the palette for each order."""
        for order, words in self.session.orders.items():
            yield SystemCommand(
                tr("Sort by {order}", order=words), tr("The order of the list"), partial(self.sort_by, order)
            )
