"""Lists with columns. The heading, width and cells of a column are declared in one place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from rich.cells import cell_len
from textual import events
from textual.geometry import Region
from textual.strip import Strip

from movietui.formatting.text import cut
from movietui.ui.theme import starred
from movietui.ui.widgets.line_view import Line
from movietui.ui.widgets.row_list import RowList
from movietui.ui.wording import term_named

Row = TypeVar("Row")

CACHED_CELLS = 4096
"""How many cells of text are kept: most of those of a list are also in the list after the next rating."""
REST = 0
"""The width of the one column that takes the cells that the other columns leave."""


@dataclass(frozen=True)
class Column(Generic[Row]):
    """A column of a list."""

    heading: str
    cells: int
    """The width in cells, including the gap to the next column, or ``REST``."""
    cell: Callable[[Row, int], str | Line]
    """Returns the cell of a row for a width. Text is then cut or padded to the width, but styled pieces must fit."""
    right: bool = False
    """Whether heading and text are right-aligned."""
    style: str = ""
    """The style of text, one of ``theme.STYLES``. Stars in the text have their own."""
    key: str = ""
    """What ``ColumnList.sort`` calls the column; empty if the list cannot be sorted by it."""
    terms: tuple[str, ...] = ()
    """The names of the terms that explain the column; see ``wording.term_named``."""

    def draw(self, row: Row, cells: int) -> Line:
        """Return the cell of a row, ``cells`` wide."""
        content = self.cell(row, cells)
        return _text_cell(content, cells, self.right, self.style) if isinstance(content, str) else content


@lru_cache(CACHED_CELLS)
def _text_cell(text: str, cells: int, right: bool, style: str) -> Line:
    """Return the cell of a text; the caller does not change it."""
    return starred(cut(text, cells, right=right), style)


class ColumnList(RowList[Row]):
    """A list whose rows are drawn from columns. Subclasses declare these in ``columns``."""

    _rendered: tuple[int, Sequence[Column[Row]]] | None = None
    """The width and the columns while lines are drawn: creating the columns for each row would take longer than drawing
    the row."""

    _pressed_heading: Column[Row] | None = None

    def columns(self, width: int) -> Sequence[Column[Row]]:
        """Return the columns that a list of this width has room for, from left to right."""
        raise NotImplementedError

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw the lines in view."""
        width = self.scrollable_content_region.width
        self._rendered = (width, self.columns(width))
        try:
            return super().render_lines(crop)
        finally:
            self._rendered = None

    def _columns_for(self, width: int) -> Sequence[Column[Row]]:
        if self._rendered is not None and self._rendered[0] == width:
            return self._rendered[1]
        return self.columns(width)

    def header(self, width: int) -> str:
        """Return the headings of the columns."""
        columns = self._columns_for(width)
        rest = width - sum(column.cells for column in columns)
        headings = [cut(column.heading, column.cells or rest, right=column.right) for column in columns]
        return "".join(headings if columns[-1].heading else headings[:-1])

    def column_at(self, x: int) -> Column[Row] | None:
        """Return the column at a cell of a line; ``None`` beyond the last column."""
        width = self.scrollable_content_region.width
        columns = self._columns_for(width)
        rest = width - sum(column.cells for column in columns)
        left = 0
        for column in columns:
            left += column.cells or rest
            if x < left:
                return column
        return None

    def sort(self, column: str) -> None:
        """Sort by the column with this key, whose heading was clicked. By default, do nothing."""

    def explain(self, x: int, y: int) -> str:
        """Explain the column whose heading is under the mouse."""
        column = self.column_at(x) if self.has_header and y == 0 and not self.folded else None
        terms = map(term_named, column.terms if column is not None else ())
        return "\n".join(term.explained for term in terms if term is not None)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Remember the heading under the mouse, because the list may get another width before the click ends."""
        offset = event.get_content_offset(self)
        on_heading = self.has_header and self.total and offset is not None and offset.y == 0 and not self.folded
        self._pressed_heading = self.column_at(offset.x) if on_heading and offset is not None else None

    def on_click(self, event: events.Click) -> None:
        """Sort by a clicked heading. ``RowList`` handles clicks on rows."""
        offset = event.get_content_offset(self)
        pressed, self._pressed_heading = self._pressed_heading, None
        if pressed is not None and pressed.key and offset is not None and offset.y == 0:
            self.sort(pressed.key)

    def draw(self, row: Row, width: int) -> Line:
        """Draw one row, ``width`` cells wide."""
        columns = self._columns_for(width)
        cells = [column.draw(row, column.cells) if column.cells else [] for column in columns]
        rest = width - sum([cell_len(text) for cell in cells for text, _ in cell])
        line: Line = []
        before, before_style = "", ""
        for column, cell in zip(columns, cells, strict=True):
            for text, style in cell if column.cells else column.draw(row, rest):
                if style == before_style:
                    before += text
                elif text:
                    if before:
                        line.append((before, before_style))
                    before, before_style = text, style
        return [*line, (before, before_style)] if before else line
