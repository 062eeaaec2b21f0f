"""A list of any length that draws only the rows on screen, whose content arrives in windows.

Textual's own tables measure every cell before they show the first: 10,000 rows freeze for more than a second, and a
catalogue has 87,000. Here a row costs nothing until it is looked at.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import Reactive, reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from movietui.text import fitted

Row = TypeVar("Row")

WINDOW = 100
"""How many rows are asked for at once."""


class RowList(ScrollView, Generic[Row], can_focus=True):
    """A list with a cursor. Subclasses say how a row is drawn, the screen brings the rows that are asked for."""

    COMPONENT_CLASSES = {
        "row-list--cursor",
        "row-list--cursor-idle",
        "row-list--head",
        "row-list--quiet",
        "row-list--stars",
        "row-list--up",
        "row-list--down",
        "row-list--group",
    }
    DEFAULT_CSS = """
    RowList {
        background: transparent;
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 0;
        overflow-x: hidden;
        & > .row-list--cursor { background: $primary; color: $text; text-style: bold; }
        & > .row-list--cursor-idle { background: $surface-lighten-2; }
        & > .row-list--head { color: $text-muted; }
        & > .row-list--quiet { color: $text-muted; }
        & > .row-list--stars { color: $text-warning; }
        & > .row-list--up { color: $text-success; }
        & > .row-list--down { color: $text-error; }
        & > .row-list--group { color: $text-accent; text-style: bold; }
    }
    """
    BINDINGS = [
        Binding("up,k", "move(-1)", "Up", show=False, tooltip="One row up"),
        Binding("down,j", "move(1)", "Down", show=False, tooltip="One row down"),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False, tooltip="A page up"),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False, tooltip="A page down"),
        Binding("home,g", "top", "First", show=False, tooltip="To the first row"),
        Binding("end,G", "bottom", "Last", show=False, tooltip="To the last row"),
    ]

    virtual_size = Reactive(Size(0, 0))  # a list that is a row shorter after a rating needs no new layout
    cursor: reactive[int] = reactive(0)
    total: reactive[int] = reactive(0)

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

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows: dict[int, Row] = {}
        self._asked: set[int] = set()
        self._base = Style.null()

    # What a subclass says

    def head(self, width: int) -> Text | None:
        """Return the line above the rows, or none."""
        return None

    def draw(self, row: Row, index: int, width: int, *, under_cursor: bool) -> Text:
        """Return the row as text of that width in cells."""
        raise NotImplementedError

    def selectable(self, row: Row) -> bool:
        """Return whether the cursor may stand on a row."""
        return True

    def name_of(self, row: Row) -> object:
        """Return what tells a row from all others, to find it again in another list."""
        return row

    # Content

    def fill(self, total: int, offset: int, rows: list[Row], *, follow: bool = False) -> None:
        """Show a new list of which these rows are known.

        The cursor stays at its place, or with ``follow`` on its row, as far as that is among them.
        """
        row = self._rows.get(self.cursor)
        name = None if row is None else self.name_of(row)
        self._rows = {}
        self._asked = set()
        self.total = total
        self._resize()
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
        """Put another row in the place of each that has been brought."""
        self._rows = {index: change(row) for index, row in self._rows.items()}
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
        return 1 if self.head(80) is not None else 0

    def _resize(self) -> None:
        region, lines = self.scrollable_content_region, self.total + self._head_lines
        self.virtual_size = Size(region.width, lines)
        if self.show_vertical_scrollbar != (lines > region.height):
            self.refresh(layout=True)
        elif self.show_vertical_scrollbar:
            self.vertical_scrollbar.window_virtual_size = lines

    def on_resize(self, event: events.Resize) -> None:
        """Keep the cursor in sight."""
        self._resize()
        self._show_cursor()

    def watch_has_focus(self, value: bool) -> None:
        """The cursor's row is drawn stronger where the keys go."""
        super().watch_has_focus(value)
        self.refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw what is in view; the style that all lines start from is costly, so it is worked out once."""
        self._base = self.rich_style
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Draw one line of what is in view."""
        width = self.scrollable_content_region.width
        if y < self._head_lines:
            head = self.head(width) or Text()
            head.stylize_before(self.style("head"))
            return self._strip(head, width)
        index = self.scroll_offset.y + y - self._head_lines
        if index >= self.total:
            return Strip.blank(width, self._base)
        row = self.row_at(index)
        here = index == self.cursor
        line = fitted("  …", width) if row is None else self.draw(row, index, width, under_cursor=here)
        if here:
            name = "row-list--cursor" if self.has_focus else "row-list--cursor-idle"
            line.stylize(self.get_component_rich_style(name, partial=True))
        return self._strip(line, width)

    def _strip(self, text: Text, width: int) -> Strip:
        console = self.app.console
        base = self._base
        whole = base + console.get_style(text.style)  # a text without spans renders without its own style
        return Strip(Segment.apply_style(text.render(console, end=""), whole)).adjust_cell_length(width, base)

    def style(self, name: str) -> Style:
        """Return a component style by its short name, for pieces of a row.

        Its colour is blended with the background, which a partial style would leave out; the background itself is the
        row's, so that the cursor shows through.
        """
        whole = self.get_component_rich_style(f"row-list--{name}")
        return Style(color=whole.color, bold=whole.bold, dim=whole.dim)

    # The cursor

    def watch_cursor(self) -> None:
        """Tell that another row is under the cursor."""
        self._show_cursor()
        self.refresh()
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
