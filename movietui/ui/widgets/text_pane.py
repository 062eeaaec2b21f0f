"""A scrollable pane of text that is wrapped to its width."""

from collections.abc import Callable

from rich.segment import Segment
from rich.text import Text
from textual.strip import Strip

from movietui.ui.theme import drawn
from movietui.ui.widgets.line_view import LineView


class TextPane(LineView):
    """Shows a text. Unlike in a ``Static``, a new text redraws only the pane and does not lay out the screen."""

    def __init__(self, *, id: str, classes: str = "") -> None:
        super().__init__(id=id, classes=classes)
        self._text = Text()
        self._lines: list[Text] = []

    def show(self, text: Text) -> None:
        """Show another text, from its beginning."""
        text = drawn(text)
        if text != self._text or text.spans != self._text.spans:
            self._text = text
            self.scroll_to(y=0, animate=False)
            self._wrap()

    def show_fitted(self, render: Callable[[int], Text]) -> None:
        """Show a text that depends on the width in cells, a cell narrower if it needs a scroll bar."""
        room = self.scrollable_content_region
        width = max(1, room.width + self.show_vertical_scrollbar)
        text = render(width)
        self.show(text if len(text.wrap(self.app.console, width)) <= room.height else render(max(1, width - 1)))

    def on_resize(self) -> None:
        """Wrap the text to the new width."""
        self._wrap()

    def line_at(self, y: int) -> str:
        """Return the text of a visible line."""
        index = self.scroll_offset.y + y
        return self._lines[index].plain if 0 <= index < len(self._lines) else ""

    def _wrap(self) -> None:
        width = max(1, self.scrollable_content_region.width)
        self._lines = list(self._text.wrap(self.app.console, width)) if self._text and not self.folded else []
        self.set_line_count(len(self._lines))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one visible line."""
        if self.folded:
            return self.draw_folded(y)
        width, index = self.scrollable_content_region.width, self.scroll_offset.y + y
        base = self.line_styles[""]
        if index >= len(self._lines):
            return Strip.blank(width, base)
        line = self._lines[index]
        segments = Segment.apply_style(line.render(self.app.console, end=""), base)
        return Strip(segments).adjust_cell_length(width, base)
