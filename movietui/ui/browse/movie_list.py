"""The ranked list in the middle of Browse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from rich.cells import cell_len
from textual import events
from textual.message import Message

from movietui.data.language import tr
from movietui.formatting.text import cut, decimals, dots, raters
from movietui.models.choices import DEFAULT_ORDER, ORDERS, Order
from movietui.protocol.messages import MovieRow
from movietui.protocol.viewers import LETTERS
from movietui.ui.textual_internals import set_border
from movietui.ui.widgets.columns import REST, Column, ColumnList
from movietui.ui.widgets.line_view import Line
from movietui.ui.wording import SORTED

TITLE_CELLS = 29
"""The cells kept for a title and the space before it. Only the stars and the year, which are always shown, can leave
fewer. The most useful of the other columns get the remaining cells."""
STARS_CELLS = 6
YEAR_CELLS = 6
UNCERTAINTY_CELLS = 4
MOVE_CELLS = 4
COUNT_CELLS = 7
AGREEMENT_CELLS = 6
BORDER_CELLS = 6
"""The cells of the border that its title cannot have."""
ON_WATCHLIST = "◆"
"""The sign before a movie on a watchlist. For several viewers, letters after it say on whose."""


class MovieList(ColumnList[MovieRow]):
    """The ranked movies, for one viewer or several."""

    DEFAULT_CSS = "MovieList { height: 1fr; }"
    has_header = True

    @dataclass
    class SortRequested(Message):
        """The heading of a column was clicked."""

        order: Order

    class Resized(Message):
        """The list has another size, so it may have other columns."""

    def __init__(self, *, id: str, classes: str = "") -> None:
        super().__init__(id=id, classes=classes)
        self.names: tuple[str, ...] = ("",)
        """The names of the viewers: the ids of their ``ViewerRef``."""
        self.marked = False
        """Whether rows show how far they moved."""
        self.order: Order = DEFAULT_ORDER
        """What the list is sorted by."""
        self.has_stars = True
        """Whether the dataset has stars. Otherwise, no column shows stars."""
        self._title_for: Callable[[int], str] = lambda cells: tr("Unseen")

    @property
    def together(self) -> bool:
        """Whether the list is for several viewers."""
        return len(self.names) > 1

    def row_key(self, row: MovieRow) -> str:
        """Return the id of the movie."""
        return row["id"]

    def sort(self, column: str) -> None:
        """Post ``SortRequested`` for a column."""
        self.post_message(self.SortRequested(next(order for order in ORDERS if order == column)))

    def set_title(self, title: Callable[[int], str]) -> None:
        """Draw a title on the border, now and whenever the width changes. ``title`` takes the width in cells."""
        self._title_for = title
        set_border(self, title(max(0, self.outer_size.width - BORDER_CELLS)))

    def on_resize(self, event: events.Resize) -> None:
        """Draw the title that fits the new width."""
        self.set_title(self._title_for)
        self.post_message(self.Resized())

    def terms(self) -> list[str]:
        """Return the keys in ``wording.LEGEND`` of the terms that explain the visible columns."""
        columns = self._columns_for(self.scrollable_content_region.width)
        return list(dict.fromkeys(term for column in columns for term in column.terms))

    def mark(self, marked: bool) -> None:
        """Show or hide how far rows moved."""
        if marked != self.marked:
            self.marked = marked
            self.refresh_rows()

    def _rank_and_move(self, width: int) -> Sequence[Column[MovieRow]]:
        """Return the columns of ranks and moves, at any width."""
        room = _Room(max(width, self._rank_cells + MOVE_CELLS))
        return [*self._rank(room), *self._moves(room)]

    def columns(self, width: int) -> Sequence[Column[MovieRow]]:
        """Return the columns for stars, title and year, and as many others as leave enough room for the title."""
        room = _Room(width - STARS_CELLS * self.has_stars - TITLE_CELLS - YEAR_CELLS)
        stars_of_each = self._stars_of_each(room) if self.together and self.has_stars else []
        rank = self._rank(room)
        has_uncertainty = self.has_stars and not self.together
        uncertainty = UNCERTAINTY_CELLS if has_uncertainty and room.take(UNCERTAINTY_CELLS) else 0
        move = self._moves(room)
        others: list[Column[MovieRow]] = []
        if self.together:
            others += [AGREEMENT] if self.has_stars and room.take(AGREEMENT_CELLS) else []
        elif room.take(COUNT_CELLS):
            others.append(self._column("n", COUNT_CELLS, _count, "ratings", terms=("n",), right=True))
        return [
            *rank,
            *move,
            *([self._stars(uncertainty)] if self.has_stars else []),
            *stars_of_each,
            *others,
            self._column(f" {tr('title')}", REST, self._title, "title"),
            replace(YEAR, heading=f" {tr('year')}{SORTED}") if self.order == YEAR.key else YEAR,
        ]

    def _column(
        self,
        heading: str,
        cells: int,
        cell: Callable[[MovieRow, int], str | Line],
        order: Order,
        *,
        terms: tuple[str, ...] = (),
        right: bool = False,
    ) -> Column[MovieRow]:
        """Return a column by which the list can be sorted. The heading is marked if the list is sorted that way."""
        mark = SORTED if order == self.order else " " if right else ""
        return Column(f"{heading}{mark}", cells, cell, right=right, style="quiet", key=order, terms=terms)

    @property
    def _rank_cells(self) -> int:
        return max(3, len(str(self.total))) + 2

    def _rank(self, room: _Room) -> Sequence[Column[MovieRow]]:
        """Return the column of ranks, if there is room. A click on its heading restores the default order."""
        cells = self._rank_cells
        rank: Column[MovieRow] = Column("# ", cells, _rank_in_list, right=True, style="quiet", key=DEFAULT_ORDER)
        return [rank] if room.take(cells) else []

    def _moves(self, room: _Room) -> Sequence[Column[MovieRow]]:
        return [Column("", MOVE_CELLS, self._move, terms=("▲▼",))] if room.take(MOVE_CELLS) else []

    def _stars(self, uncertainty: int) -> Column[MovieRow]:
        """Return the column of predicted stars of the viewer, or of all viewers together."""
        if self.together:
            heading = tr("both") if len(self.names) == 2 else tr("all")
            return self._column(heading, STARS_CELLS, _stars, "stars", terms=("together",))
        if not uncertainty:
            return self._column(tr("stars"), STARS_CELLS, _stars, "stars", terms=("predicted",))
        cells = STARS_CELLS + uncertainty
        return self._column(tr("predicted"), cells, _stars_and_uncertainty, "stars", terms=("predicted", "±"))

    def _stars_of_each(self, room: _Room) -> Sequence[Column[MovieRow]]:
        """Return a column for the stars of each viewer, or no column if they do not all fit."""
        if not room.take(STARS_CELLS * len(self.names)):
            return []
        return [
            Column(
                f"{cut(f'{LETTERS[index]} {name}', STARS_CELLS - 1)} ",
                STARS_CELLS,
                partial(_stars_of_viewer, index),
                terms=("each",),
            )
            for index, name in enumerate(self.names)
        ]

    def _title(self, row: MovieRow, width: int) -> Line:
        wanted = row.get("wanted", "")
        mark = f" {ON_WATCHLIST}{wanted if self.together else ''}" if wanted else ""
        return [(mark, "group"), (cut(f" {row['title']}", width - cell_len(mark)), "")]

    def _move(self, row: MovieRow, width: int) -> Line:
        if not self.marked or row["before"] == row["rank"]:
            return [(" " * width, "")]
        if row["before"] is None:
            return [(cut(tr("new"), width), "up")]
        step = row["before"] - row["rank"]
        limit = 10 ** (width - 2)  # the first number too long to fit beside the arrow and a space
        size = min(abs(step), limit - 1)
        return [(cut(f"▲{size}", width), "up") if step > 0 else (cut(f"▼{size}", width), "down")]


class _Room:
    """The cells that a list has left for more columns."""

    def __init__(self, cells: int) -> None:
        self._cells = cells

    def take(self, cells: int) -> bool:
        """Take cells if enough are left, and return whether they were."""
        if fits := cells <= self._cells:
            self._cells -= cells
        return fits


AGREEMENT: Column[MovieRow] = Column(
    f"{tr('agree')} ", AGREEMENT_CELLS, lambda row, _: [(dots(row["agreement"]), "bar"), (" ", "")], terms=("agree",)
)


def _rank_in_list(row: MovieRow, cells: int) -> str:
    return f"{row['rank']} "


def _count(row: MovieRow, cells: int) -> str:
    return f"{raters(row['count'])} "


def _year(row: MovieRow, cells: int) -> str:
    return f" {row['year'] or '':>4} "


YEAR: Column[MovieRow] = Column(f" {tr('year')} ", YEAR_CELLS, _year, style="quiet", key="year")


def _in_stars(value: float, cells: int) -> Line:
    return [("★ ", "stars"), (f"{value:.1f}".ljust(cells - 2), "")]


def _stars(row: MovieRow, cells: int) -> Line:
    return _in_stars(row["stars"], cells)


def _stars_and_uncertainty(row: MovieRow, cells: int) -> Line:
    uncertainty = cut(f"±{decimals(row['uncertainty'], 1)}", cells - STARS_CELLS)
    return [*_stars(row, STARS_CELLS), (uncertainty, "quiet")]


def _stars_of_viewer(index: int, row: MovieRow, cells: int) -> Line:
    return _in_stars(row["by"][index], cells)
