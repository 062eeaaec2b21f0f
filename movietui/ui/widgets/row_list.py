"""A list of any length that draws only the visible rows, and whose content arrives in windows.

Textual's own tables measure every cell before they show the first: 10,000 rows freeze the screen for more than a
second, and ``ml-32m`` has 87,000 movies. Here a row costs nothing until it is visible.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any, ClassVar, Generic, TypeVar

from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.filter import ANSIToTruecolor, LineFilter
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from movietui.data.language import tr
from movietui.ui.bindings import row_keys
from movietui.ui.theme import CURSOR, CURSOR_ELSEWHERE, STYLES
from movietui.ui.widgets.line_view import Line, LineView

Row = TypeVar("Row")

WINDOW = 50
"""The number of rows in a window, which are requested together."""


class RowList(LineView, Generic[Row], can_focus=True):
    """A list with a cursor. Subclasses draw the rows. The handler of ``RowsRequested`` calls ``add_rows``."""

    BINDINGS = [
        *row_keys("move", "page"),
        Binding("home,g", "top", tr("First"), show=False, id="list.first", tooltip=tr("Go to the first row")),
        Binding("end,G", "bottom", tr("Last"), show=False, id="list.last", tooltip=tr("Go to the last row")),
    ]

    cursor: reactive[int] = reactive(0, repaint=False)
    total: reactive[int] = reactive(0, repaint=False)

    @dataclass
    class Moved(Message):
        """The cursor moved to another row, or the row under it may have changed."""

        list: "RowList[Any]"

        @property
        def control(self) -> "RowList[Any]":
            return self.list

    @dataclass
    class RowsRequested(Message):
        """A row was needed that has not been added yet."""

        list: "RowList[Any]"
        offset: int

        @property
        def control(self) -> "RowList[Any]":
            return self.list

    @dataclass
    class Clicked(Message):
        """The row under the cursor was clicked."""

        list: "RowList[Any]"

        @property
        def control(self) -> "RowList[Any]":
            return self.list

    def __init__(self, *, id: str | None = None, classes: str = "") -> None:
        super().__init__(id=id, classes=classes)
        self._rows: dict[int, Row] = {}
        self._requested: set[int] = set()
        self._placeholder = ""
        self._pressed_edge = False
        self._cursor_styles: Mapping[str, Style] = {}
        self._line_cells = self._first_row = self._last_row = self._cursor_row = 0
        """While lines are drawn: their width, the row at the top, the last row, and the row under the cursor. Asking
        for one of these takes as long as drawing a column."""

    # For subclasses

    has_header: ClassVar[bool] = False
    """Whether there is a line with headings above the rows."""

    def header(self, width: int) -> str:
        """Return the line of headings."""
        raise NotImplementedError

    def draw(self, row: Row, width: int) -> Line:
        """Draw a row, ``width`` cells wide."""
        raise NotImplementedError

    def selectable(self, row: Row) -> bool:
        """Return whether the cursor may be on a row."""
        return True

    def row_key(self, row: Row) -> object:
        """Return what identifies a row, so that the cursor can follow the row when ``fill`` shows a new list."""
        return row

    # Content

    def fill(
        self, total: int, offset: int, rows: list[Row], *, follow: bool = False, only_changed: bool = False
    ) -> None:
        """Show a new list of ``total`` rows, of which ``rows`` begin at ``offset``.

        The cursor keeps its index or, with ``follow``, stays on its row if that is among ``rows``. With
        ``only_changed``, and if the list is as long as before, redraw only the rows that changed.
        """
        row = self._rows.get(self.cursor)
        key = None if row is None else self.row_key(row)
        before, self._rows = self._rows, {}
        self._requested = set()
        if only_changed and total == self.total and len(before) == len(rows):
            self._rows = dict(enumerate(rows, offset))
            for index, row in self._rows.items():
                if row is not before.get(index):
                    self.refresh_row(index)
        else:
            self.total = total
            self.set_line_count(self.total + self._header_lines)
            self._rows = dict(enumerate(rows, offset))
            self.refresh_rows()
        positions = [index for index, row in enumerate(rows, offset) if follow and self.row_key(row) == key]
        self.cursor = self._nearest_selectable(positions[0] if positions else self.cursor)
        self._show_cursor()
        self.post_message(self.Moved(self))

    def add_rows(self, offset: int, rows: list[Row]) -> None:
        """Add rows that were requested."""
        self._rows.update(enumerate(rows, offset))
        self.refresh_rows()
        if offset <= self.cursor < offset + len(rows):
            self.post_message(self.Moved(self))

    def change(self, change: Callable[[Row], Row]) -> None:
        """Replace each added row with what ``change`` returns for it, and redraw the rows that changed."""
        for index, row in self._rows.items():
            changed = change(row)
            if changed != row:
                self._rows[index] = changed
                self.refresh_row(index)

    def refresh_rows(self) -> None:
        """Redraw all rows and the headings, but not the border and the scroll bar, which redraw themselves."""
        self.refresh(self.scrollable_content_region.size.region)

    def refresh_row(self, index: int) -> None:
        """Redraw one row."""
        line = index - self.scroll_offset.y + self._header_lines
        if self._header_lines <= line < self.size.height:
            self.refresh(Region(0, line, self.size.width, 1))

    def row_on_line(self, y: int) -> Row | None:
        """Return the row that is drawn on a line of the content; ``None`` for the headings and below the last row."""
        line = y - self._header_lines
        return self._rows.get(self.scroll_offset.y + line) if line >= 0 and not self.folded else None

    def set_placeholder(self, text: str) -> None:
        """Set the text that an empty list shows: why the list is empty, and what to do."""
        if text != self._placeholder:
            self._placeholder = text
            self.refresh_rows()

    def row_at(self, index: int) -> Row | None:
        """Return a row, or request its window and return ``None``."""
        row = self._rows.get(index)
        if row is None and 0 <= index < self.total:
            window = index // WINDOW * WINDOW
            if window not in self._requested:
                self._requested.add(window)
                self.post_message(self.RowsRequested(self, window))
        return row

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self.row_at(self.cursor)

    def known_rows(self) -> list[Row]:
        """Return the rows that have been added, in order."""
        return [self._rows[index] for index in sorted(self._rows)]

    @property
    def window(self) -> int:
        """The offset of the window that the cursor is in."""
        return self.cursor // WINDOW * WINDOW

    # Drawing

    @property
    def _header_lines(self) -> int:
        return 1 if self.has_header else 0

    def on_resize(self, event: events.Resize) -> None:
        """Keep the cursor visible."""
        self.set_line_count(self.total + self._header_lines)
        self._show_cursor()

    def watch_has_focus(self, value: bool) -> None:
        """Redraw the cursor, which stands out more while the list has the focus."""
        super().watch_has_focus(value)
        self.refresh_row(self.cursor)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw the visible lines."""
        self._cursor_styles = {}
        self._line_cells, self._first_row = self.scrollable_content_region.width, self.scroll_offset.y
        self._last_row, self._cursor_row = self.total - 1, self.cursor
        return super().render_lines(crop)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return the app's filters except the one that translates ANSI colours and dim text: rows have neither."""
        return [each for each in super().get_line_filters() if not isinstance(each, ANSIToTruecolor)]

    def _under_cursor(self) -> Mapping[str, Style]:
        if not self._cursor_styles:
            cursor = CURSOR if self.has_focus else CURSOR_ELSEWHERE
            styles = {name: self.resolve_style(style, cursor) for name, style in STYLES.items()}
            self._cursor_styles = {"": self.resolve_style(cursor), **styles}
        return self._cursor_styles

    def render_line(self, y: int) -> Strip:
        """Draw one visible line."""
        if self.folded:
            return self.draw_folded(y)
        width, header = self._line_cells, self._header_lines
        if self._last_row < 0:
            return self.strip([(self._placeholder_line(y, width), "quiet")], width, self.line_styles)
        if y < header:
            return self.strip([(self.header(width), "head")], width, self.line_styles)
        index = self._first_row + y - header
        if index > self._last_row:
            return Strip.blank(width, self.line_styles[""])
        row = self._rows.get(index) or self.row_at(index)
        line = [("  …", "")] if row is None else self.draw(row, width)
        return self.strip(line, width, self._under_cursor() if index == self._cursor_row else self.line_styles)

    def _placeholder_line(self, y: int, width: int) -> str:
        lines = wrap(self._placeholder, max(1, width - 4))
        index = y - (self.scrollable_content_region.height - len(lines)) // 2
        return lines[index].center(width) if 0 <= index < len(lines) else ""

    # The cursor

    def watch_cursor(self, before: int, now: int) -> None:
        """Redraw both rows and post ``Moved``."""
        self._show_cursor()
        self.refresh_row(before)
        self.refresh_row(now)
        self.post_message(self.Moved(self))

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor within the list."""
        return max(0, min(cursor, self.total - 1))

    def _nearest_selectable(self, cursor: int, step: int = 1) -> int:
        """Return the index of the nearest selectable row in the direction of the step, or else in the other one."""
        cursor = self.validate_cursor(cursor)
        for direction in (step, -step):
            index = cursor
            while 0 <= index < self.total:
                row = self._rows.get(index)
                if row is None or self.selectable(row):
                    return index
                index += direction
        return cursor

    def _show_cursor(self) -> None:
        height = self.scrollable_content_region.height - self._header_lines
        if height <= 0:
            return
        top = self.scroll_offset.y
        # With the first row, show the heading above it too.
        first = 0 if self.cursor == self._nearest_selectable(0) else self.cursor
        if first < top:
            self.scroll_to(y=first, animate=False)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False)

    def action_move(self, step: int) -> None:
        """Move up or down."""
        self.cursor = self._nearest_selectable(self.cursor + step, step)

    def action_page(self, step: int) -> None:
        """Move a page up or down."""
        page = max(1, self.scrollable_content_region.height - self._header_lines - 1)
        self.cursor = self._nearest_selectable(self.cursor + step * page, step)

    def action_top(self) -> None:
        """Move to the first row."""
        self.cursor = self._nearest_selectable(0)

    def action_bottom(self) -> None:
        """Move to the last row."""
        self.cursor = self._nearest_selectable(self.total - 1, -1)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Remember whether the list is folded, because it unfolds before the click ends."""
        self._pressed_edge = self.folded

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the clicked row, or post ``Clicked`` if the cursor is there already."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y < self._header_lines or self._pressed_edge:
            return
        index = self.scroll_offset.y + offset.y - self._header_lines
        if not 0 <= index < self.total:
            return
        row = self._rows.get(index)
        if row is not None and not self.selectable(row):
            return
        if index == self.cursor:
            self.post_message(self.Clicked(self))
        self.cursor = index
