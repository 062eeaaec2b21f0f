"""A widget of lines that can be scrolled, whose content changes without laying out the screen again."""

from textual.geometry import Size
from textual.reactive import Reactive
from textual.scroll_view import ScrollView


class LineView(ScrollView, can_focus=False):
    """Draws the lines in view by ``render_line``. Only when its scroll bar comes or goes is the screen laid out."""

    DEFAULT_CSS = """
    LineView {
        background: transparent;
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 0;
        overflow-x: hidden;
    }
    """

    virtual_size = Reactive(Size(0, 0))

    def fit_lines(self, lines: int) -> None:
        """Tell how many lines there are."""
        region = self.scrollable_content_region
        self.virtual_size = Size(region.width, lines)
        if self.show_vertical_scrollbar != (lines > region.height) and self.styles.overflow_y == "auto":
            self.refresh(layout=True)
        elif self.show_vertical_scrollbar:
            bar = self.vertical_scrollbar
            # A list that is a row shorter has the same bar, in eighths of a cell; drawing it costs milliseconds.
            track = 8 * region.height * region.height
            if round(track / lines) != round(track / max(1, bar.window_virtual_size)):
                bar.window_virtual_size = lines
