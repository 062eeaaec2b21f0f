"""My ratings: every rating that a viewer gave, by date or by stars, to change or remove."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.formatting import text
from movietui.formatting.movie_files import MovieFile, newest_first, ratings_file
from movietui.protocol.messages import GivenRating
from movietui.state.session import Session
from movietui.store.ratings import STARS
from movietui.ui import wording
from movietui.ui.bindings import RATE_KEYS, back_key, half_star_keys, hint, key_of
from movietui.ui.problems import shows_problems
from movietui.ui.screens import Panel
from movietui.ui.widgets.columns import REST, Column, ColumnList
from movietui.ui.widgets.row_list import RowList

if TYPE_CHECKING:
    from movietui.ui.app import MovieTui

DATED = 56
"""The least width, in cells, at which the list has a column of dates."""


def most_stars_first(rows: Sequence[GivenRating]) -> list[GivenRating]:
    """Return ratings, most stars first and, among equal stars, newest first."""
    return sorted(newest_first(rows), key=lambda row: -row["stars"])


BY_DATE, BY_STARS = tr("newest first"), tr("most stars first")
ORDERS: dict[str, Callable[[Sequence[GivenRating]], list[GivenRating]]] = {
    BY_DATE: newest_first,
    BY_STARS: most_stars_first,
}
"""The orders of the list, as its title names them."""


class GivenList(ColumnList[GivenRating]):
    """The ratings that a viewer gave."""

    DEFAULT_CSS = "GivenList { height: 1fr; }"
    has_header = True

    @dataclass
    class SortRequested(Message):
        """The heading of a column was clicked."""

        order: str

    def sort(self, column: str) -> None:
        """Post ``SortRequested`` for the column whose heading was clicked."""
        self.post_message(self.SortRequested(column))

    def row_key(self, row: GivenRating) -> str:
        """Return the key of the movie."""
        return row["key"]

    def columns(self, width: int) -> Sequence[Column[GivenRating]]:
        """Return columns for the given and the predicted stars, the title, the year and, if there is room, the date."""
        date: Column[GivenRating] = Column(f" {tr('rated on')}", 12, _date, style="quiet", key=BY_DATE)
        return [
            Column(f" {tr('given')} ", 7, lambda row, _: f" {text.number_of_stars(row['stars'])} ", key=BY_STARS),
            Column(f"{tr('predicted')} ", 10, _predicted),
            Column(tr("title"), REST, lambda row, _: row["title"]),
            Column(f" {tr('year')} ", 6, lambda row, _: f" {row['year'] or '':>4} ", style="quiet"),
            *([date] if width >= DATED else []),
        ]


def _date(row: GivenRating, width: int) -> str:
    return f" {text.moment(row['at'])[:10] if row['at'] else ''} "


def _predicted(row: GivenRating, width: int) -> str:
    return f"★ {row['predicted']:.1f}" if row["predicted"] else ""


class RatingsPanel(Panel[bool]):
    """Lists the ratings of the viewer who rates next. Ends with true if something changed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        back_key("leave"),
        Binding("asterisk", "leave", tr("Back"), key_display="*", id="browse.ratings"),
        *RATE_KEYS,
        *half_star_keys("browse", tr("movie")),
        Binding("x,delete", "remove", tr("Remove"), id="ratings.remove", tooltip=tr("Remove the rating")),
        Binding("o", "order", tr("Order"), id="ratings.order", tooltip=tr("By date or by stars")),
        Binding("u", "move('undo')", tr("Undo"), id="browse.undo"),
        Binding("r", "move('redo')", tr("Redo"), id="browse.redo"),
        Binding("Y", "write", tr("Copy or save"), id="browse.write"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session, self._viewer = session, session.audience.rater
        self._order = next(iter(ORDERS))
        self._rows: Sequence[GivenRating] = ()
        self._changed = False

    def compose(self) -> ComposeResult:
        """Show the ratings and the keys."""
        with Vertical(classes="panel wide") as panel:
            panel.border_subtitle = Content(
                hint(
                    self,
                    ("browse.rate-1", tr("rate again")),
                    ("ratings.remove", tr("remove")),
                    ("ratings.order", tr("order")),
                    ("browse.undo", tr("undo")),
                    ("browse.write", tr("copy or save")),
                )
            )
            yield GivenList(id="given")
            yield Static(id="wrong", markup=False)

    async def on_mount(self) -> None:
        """Load the ratings."""
        self.given.set_placeholder(tr("Loading …"))
        self.fill()

    @property
    def given(self) -> GivenList:
        """The ratings."""
        return self.query_one(GivenList)

    @work(exclusive=True, group="ratings")
    @shows_problems
    async def fill(self) -> None:
        """Load the ratings."""
        await self._load()

    async def _load(self, message: str = "") -> None:
        """Load and show the ratings, with a message below."""
        self._rows = await self._session.given_ratings(self._viewer)
        self._show(message)

    def _show(self, message: str = "") -> None:
        rows = ORDERS[self._order](self._rows)
        panel = self.query_one(".panel")
        count = text.plural(len(rows), "rating")
        name = self._viewer.label
        panel.border_title = Content(
            tr("Ratings · {viewer} · {ratings}, {order}", viewer=name, ratings=count, order=self._order)
        )
        self.given.fill(len(rows), 0, rows, follow=True)
        rate = key_of(self, "browse.rate-1")
        self.given.set_placeholder(tr("No ratings yet. Press {key} on a movie in the list to rate it.", key=rate))
        self.query_one("#wrong", Static).update(Content(message))

    async def _do(self, change: Callable[[], Awaitable[str]]) -> None:
        """Make a change and show what was done, or show why the change is impossible."""
        try:
            await self._load(await change())
        except Problem as problem:
            self.query_one("#wrong", Static).update(Content(str(problem)))

    # Changes

    @shows_problems
    async def action_rate(self, stars: float) -> None:
        """Rate the selected movie again."""
        await self._rate(lambda row: float(stars))

    @shows_problems
    async def action_nudge(self, step: float) -> None:
        """Change the selected rating by half a star."""
        await self._rate(lambda row: min(STARS[1], max(STARS[0], row["stars"] + step)))

    async def _rate(self, stars_of: Callable[[GivenRating], float]) -> None:
        row = self.given.current
        if row is None:
            return

        async def rate() -> str:
            change = await self._session.rate(row, stars_of(row))
            self._changed = True
            return wording.describe_change(change)

        await self._do(rate)

    @shows_problems
    async def action_remove(self) -> None:
        """Remove the selected rating."""
        row = self.given.current
        if row is None:
            return

        async def remove() -> str:
            change = await self._session.unrate(row)
            self._changed = True
            return f"{wording.describe_change(change)} · {hint(self, ('browse.undo', tr('undo')))}"

        await self._do(remove)

    @shows_problems
    async def action_move(self, which: str) -> None:
        """Undo the last change, or redo the change that was undone last."""

        async def move() -> str:
            done = await (self._session.undo() if which == "undo" else self._session.redo())
            if done is None:
                return tr("There is nothing to undo.") if which == "undo" else tr("There is nothing to redo.")
            self._changed = True
            step = wording.describe_step(done, undone=which == "undo")
            return tr("undid {step}", step=step) if which == "undo" else tr("redid {step}", step=step)

        await self._do(move)

    def action_order(self) -> None:
        """Show the ratings in the next order, from the top."""
        orders = list(ORDERS)
        self._sort(orders[(orders.index(self._order) + 1) % len(orders)])

    @on(GivenList.SortRequested)
    def sort(self, event: GivenList.SortRequested) -> None:
        """Sort by the column whose heading was clicked."""
        event.stop()
        self._sort(event.order)

    def _sort(self, order: str) -> None:
        self._order = order
        self.given.cursor = 0
        rows = ORDERS[self._order](self._rows)
        self.given.fill(len(rows), 0, rows)
        self._show()

    # Copy or save

    @work(exclusive=True, group="write")
    @shows_problems
    async def action_write(self) -> None:
        """Copy or save the ratings, in the order in which they are shown."""
        from movietui.ui.browse.write_panel import Source, WritePanel
        from movietui.ui.browse.writing import write

        title = tr("Ratings of {viewer}", viewer=self._viewer.label)
        source = Source(title, self._order, "ratings", None, self._file)
        choice = await self.app.push_screen_wait(WritePanel([source]))
        if choice is not None:
            await write(cast("MovieTui", self.app), choice)

    async def _file(self, _: int) -> MovieFile:
        rows = ORDERS[self._order](self._rows)
        if not rows:
            raise Problem(tr("{viewer} has not rated anything yet.", viewer=self._viewer.label))
        opened = self._session.opened
        assert opened is not None
        conditions = [self._order.capitalize()]
        return ratings_file(self._viewer.label, rows, opened["dataset"], opened["model"], conditions)

    @on(RowList.Clicked)
    def ignore_click(self, event: RowList.Clicked) -> None:
        """Ignore a click on the selected rating, as the history does."""
        event.stop()

    def action_leave(self) -> None:
        """Close the panel."""
        self.dismiss(self._changed)
