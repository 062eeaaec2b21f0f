"""A list of any length that draws only the rows on screen, whose content arrives in windows.

Textual's own tables measure every cell before they show the first: 10,000 rows freeze for more than a second, and a
catalogue has 87,000. Here a row costs nothing until it is looked at.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from textwrap import wrap
from typing import Any, ClassVar, Generic, TypeVar

from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from movietui.bindings import row_keys
from movietui.widgets.line_view import Line, LineView

Row = TypeVar("Row")

WINDOW = 100
"""How many rows are asked for at once."""


class RowList(LineView, Generic[Row], can_focus=True):
    """A list with a cursor. Subclasses say how a row is drawn, the screen brings the rows that are asked for."""

    BINDINGS = [
        *row_keys("move", "page"),
        Binding("home,g", "top", "First", show=False, id="list.first", tooltip="To the first row"),
        Binding("end,G", "bottom", "Last", show=False, id="list.last", tooltip="To the last row"),
    ]

    cursor: reactive[int] = reactive(0, repaint=False)
    total: reactive[int] = reactive(0, repaint=False)

    @dataclass
    class Moved(Message):
        """The cursor stands on another row, or the row below it changed."""

        list: "RowList[Any]"

        @property
        def control(self) -> "RowList[Any]":
            return self.list

    @dataclass
    class Wanted(Message):
        """Rows came into view that have not been brought yet."""

        list: "RowList[Any]"
        offset: int

        @property
        def control(self) -> "RowList[Any]":
            return self.list

    @dataclass
    class Clicked(Message):
        """A row was clicked that the cursor stood on already."""

        list: "RowList[Any]"

        @property
        def control(self) -> "RowList[Any]":
            return self.list

    def __init__(self, *, id: str | None = None, classes: str = "") -> None:
        super().__init__(id=id, classes=classes)
        self._rows: dict[int, Row] = {}
        self._asked: set[int] = set()
        self._notice = ""
        self._cursor_styles: Mapping[str, Style] = {}

    # What a subclass says

    has_head: ClassVar[bool] = False
    """Whether a line with the names of the columns stands above the rows."""

    def head(self, width: int) -> str:
        """Return the line above the rows."""
        raise NotImplementedError

    def draw(self, row: Row, width: int) -> Line:
        """Return the row, which has so many cells."""
        raise NotImplementedError

    def selectable(self, row: Row) -> bool:
        """Return whether the cursor may stand on a row."""
        return True

    def name_of(self, row: Row) -> object:
        """Return what tells a row from all others, to find it again in another list."""
        return row

    # Content

    def fill(self, total: int, offset: int, rows: list[Row], *, follow: bool = False, alike: bool = False) -> None:
        """Show a new list of which these rows are known.

        The cursor stays at its place, or with ``follow`` on its row, as far as that is among them. With ``alike`` only
        the rows that are other than before are drawn.
        """
        row = self._rows.get(self.cursor)
        name = None if row is None else self.name_of(row)
        before, self._rows = self._rows, {}
        self._asked = set()
        if alike and total == self.total and len(before) == len(rows):
            self._rows = dict(enumerate(rows, offset))
            for index, row in self._rows.items():
                if row is not before.get(index):
                    self.refresh_row(index)
        else:
            self.total = total
            self.fit_lines(self.total + self._head_lines)
            self.bring(offset, rows)
        places = [place for place, row in enumerate(rows, offset) if follow and self.name_of(row) == name]
        self.cursor = self._allowed(places[0] if places else self.cursor)
        self._show_cursor()
        self.post_message(self.Moved(self))

    def bring(self, offset: int, rows: list[Row]) -> None:
        """Add rows that were asked for."""
        self._rows.update(enumerate(rows, offset))
        self.refresh()
        if offset <= self.cursor < offset + len(rows):
            self.post_message(self.Moved(self))

    def change(self, change: Callable[[Row], Row]) -> None:
        """Put another row in the place of each that has been brought; only those that are other are drawn."""
        for index, row in self._rows.items():
            changed = change(row)
            if changed != row:
                self._rows[index] = changed
                self.refresh_row(index)

    def refresh_row(self, index: int) -> None:
        """Draw one row again."""
        line = index - self.scroll_offset.y + self._head_lines
        if self._head_lines <= line < self.size.height:
            self.refresh(Region(0, line, self.size.width, 1))

    def say(self, notice: str) -> None:
        """Say why the list is empty and what to do, for as long as it is."""
        self._notice = notice
        self.refresh()

    def row_at(self, index: int) -> Row | None:
        """Return a row, asking for its window where it has not been brought."""
        row = self._rows.get(index)
        if row is None and 0 <= index < self.total:
            window = index // WINDOW * WINDOW
            if window not in self._asked:
                self._asked.add(window)
                self.post_message(self.Wanted(self, window))
        return row

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self.row_at(self.cursor)

    def known_rows(self) -> list[Row]:
        """Return the rows that have been brought, in their order."""
        return [self._rows[index] for index in sorted(self._rows)]

    @property
    def window(self) -> int:
        """The offset of the window that the cursor is in."""
        return self.cursor // WINDOW * WINDOW

    # Drawing

    @property
    def _head_lines(self) -> int:
        return 1 if self.has_head else 0

    def on_resize(self, event: events.Resize) -> None:
        """Keep the cursor in sight."""
        self.fit_lines(self.total + self._head_lines)
        self._show_cursor()

    def watch_has_focus(self, value: bool) -> None:
        """The cursor's row is drawn stronger where the keys go."""
        super().watch_has_focus(value)
        self.refresh_row(self.cursor)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw what is in view."""
        self._cursor_styles = {}
        return super().render_lines(crop)

    def _under_cursor(self) -> Mapping[str, Style]:
        if not self._cursor_styles:
            cursor = "bold $text on $primary" if self.has_focus else "on $surface-lighten-2"
            styles = {name: self.painted(style, cursor) for name, style in self.STYLES.items()}
            self._cursor_styles = {"": self.painted(cursor), **styles}
        return self._cursor_styles

    def render_line(self, y: int) -> Strip:
        """Draw one line of what is in view."""
        width = self.scrollable_content_region.width
        if not self.total:
            return self.strip([(self._notice_line(y, width), "quiet")], width, self.drawn_with)
        if y < self._head_lines:
            return self.strip([(self.head(width), "head")], width, self.drawn_with)
        index = self.scroll_offset.y + y - self._head_lines
        if index >= self.total:
            return Strip.blank(width, self.drawn_with[""])
        row = self.row_at(index)
        line = [("  …", "")] if row is None else self.draw(row, width)
        return self.strip(line, width, self._under_cursor() if index == self.cursor else self.drawn_with)

    def _notice_line(self, y: int, width: int) -> str:
        lines = wrap(self._notice, max(1, width - 4))
        place = y - (self.scrollable_content_region.height - len(lines)) // 2
        return lines[place].center(width) if 0 <= place < len(lines) else ""

    # The cursor

    def watch_cursor(self, before: int, now: int) -> None:
        """Tell that another row is under the cursor."""
        self._show_cursor()
        self.refresh_row(before)
        self.refresh_row(now)
        self.post_message(self.Moved(self))

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor on a row."""
        return max(0, min(cursor, self.total - 1))

    def _allowed(self, cursor: int, step: int = 1) -> int:
        """Return the nearest row from there on where the cursor may stand, looking in the direction of the step."""
        cursor = self.validate_cursor(cursor)
        for direction in (step, -step):
            place = cursor
            while 0 <= place < self.total:
                row = self._rows.get(place)
                if row is None or self.selectable(row):
                    return place
                place += direction
        return cursor

    def _show_cursor(self) -> None:
        height = self.scrollable_content_region.height - self._head_lines
        if height <= 0:
            return
        top = self.scroll_offset.y
        # A heading above the first row stays in sight with it.
        first = 0 if self.cursor == self._allowed(0) else self.cursor
        if first < top:
            self.scroll_to(y=first, animate=False)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False)

    def action_move(self, step: int) -> None:
        """Go up or down."""
        self.cursor = self._allowed(self.cursor + step, step)

    def action_page(self, step: int) -> None:
        """Go a page up or down."""
        page = max(1, self.scrollable_content_region.height - self._head_lines - 1)
        self.cursor = self._allowed(self.cursor + step * page, step)

    def action_top(self) -> None:
        """Go to the first row."""
        self.cursor = self._allowed(0)

    def action_bottom(self) -> None:
        """Go to the last row."""
        self.cursor = self._allowed(self.total - 1, -1)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse is; a click on the cursor's row chooses it."""
        index = self.scroll_offset.y + event.y - self._head_lines
        if not 0 <= index < self.total or event.y < self._head_lines:
            return
        row = self._rows.get(index)
        if row is not None and not self.selectable(row):
            return
        if index == self.cursor:
            self.post_message(self.Clicked(self))
        self.cursor = index
