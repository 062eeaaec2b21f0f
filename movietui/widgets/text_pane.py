"""A pane of text that is wrapped to its width and can be scrolled."""

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
