"""A pane of text that is wrapped to its width and can be scrolled."""

from collections.abc import Callable

from rich.segment import Segment
from rich.text import Text
from textual.strip import Strip

from movietui.widgets.line_view import LineView


class TextPane(LineView):
    """Shows a text. Another text costs a repaint of the pane, where ``Static`` lays out the whole screen."""

    def __init__(self, *, id: str, classes: str = "") -> None:
        super().__init__(id=id, classes=classes)
        self._text = Text()
        self._lines: list[Text] = []

    def show(self, text: Text) -> None:
        """Show another text from its beginning."""
        if text != self._text or text.spans != self._text.spans:
            self._text = text
            self.scroll_to(y=0, animate=False)
            self._wrap()

    def show_made(self, make: Callable[[int], Text]) -> None:
        """Show a text that is made for a width in cells, for a cell less where it needs a scroll bar."""
        room = self.scrollable_content_region
        width = room.width + self.show_vertical_scrollbar
        text = make(width)
        self.show(text if len(text.wrap(self.app.console, width)) <= room.height else make(width - 1))

    def on_resize(self) -> None:
        """Wrap the text to the new width."""
        self._wrap()

    def _wrap(self) -> None:
        width = max(1, self.scrollable_content_region.width)
        self._lines = list(self._text.wrap(self.app.console, width)) if self._text else []
        self.fit_lines(len(self._lines))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one line of what is in view."""
        width, place = self.scrollable_content_region.width, self.scroll_offset.y + y
        base = self.drawn_with[""]
        if place >= len(self._lines):
            return Strip.blank(width, base)
        line = self._lines[place]
        segments = Segment.apply_style(line.render(self.app.console, end=""), base)
        return Strip(segments).adjust_cell_length(width, base)
