"""A widget of lines that can be scrolled, whose content changes without laying out the screen again."""

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.style import Style

Line = list[tuple[str, str]]
"""A line as pieces of text, each with the name of a style in ``LineView.STYLES``. Drawing a list is what a rating waits
for, and lines of Rich text take three times as long."""


class _Drawn(Strip):
    """A line on screen. Textual's own notes itself as its only part, and so is freed by no less than a look at all
    garbage: scrolling left thousands of lines to it, and a frame in a hundred waited a tenth of a second for it."""

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        """Return the parts between the cuts."""
        places = list(cuts)
        return [self] if places == [self.cell_length] else super().divide(places)


class LineView(ScrollView, can_focus=False):
    """Draws the lines in view by ``render_line``. Only when its scroll bar comes or goes is the screen laid out."""

    # Not component classes: Textual styles each of those again in every widget, a tenth of the start.
    STYLES: ClassVar[Mapping[str, str]] = {
        "head": "$foreground 60%",
        "quiet": "$foreground 60%",
        "stars": "$text-warning",
        "up": "$text-success",
        "down": "$text-error",
        "group": "bold $text-accent",
        "best": "underline",
        "bar": "$primary-lighten-1",
    }
    DEFAULT_CSS = """
    LineView {
        background: transparent;
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 0;
        overflow-x: hidden;
    }
    """

    virtual_size = Reactive(Size(0, 0))

    def __init__(self, *, id: str | None = None, classes: str = "") -> None:
        super().__init__(id=id, classes=classes)
        self.drawn_with: Mapping[str, RichStyle] = {}
        """The style of each name, while lines are drawn."""

    def fit_lines(self, lines: int) -> None:
        """Tell how many lines there are."""
        region, before = self.scrollable_content_region, self.virtual_size.height
        self.virtual_size = Size(region.width, lines)
        height = self.styles.height
        if (height is not None and height.is_auto and lines != before) or (
            self.show_vertical_scrollbar != (lines > region.height) and self.styles.overflow_y == "auto"
        ):
            self.refresh(layout=True)
        elif self.show_vertical_scrollbar:
            bar = self.vertical_scrollbar
            # A list that is a row shorter has the same bar, in eighths of a cell; drawing it costs milliseconds.
            track = 8 * region.height * region.height
            if round(track / lines) != round(track / max(1, bar.window_virtual_size)):
                bar.window_virtual_size = lines

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw what is in view; the styles are costly, so they are worked out once for all lines."""
        self.drawn_with = {"": self.rich_style, **{name: self.painted(style) for name, style in self.STYLES.items()}}
        return [_Drawn(strip, strip.cell_length) for strip in super().render_lines(crop)]

    def painted(self, *styles: str) -> RichStyle:
        """Return styles such as ``bold $text-accent`` on this widget's own, in the colours of the theme."""
        return sum(map(Style.parse, styles), self.visual_style).rich_style

    @staticmethod
    def strip(line: Line, width: int, styles: Mapping[str, RichStyle]) -> Strip:
        """Return a line as it is drawn in so many cells."""
        segments = [Segment(text, styles[name]) for text, name in line]
        return Strip(segments, sum(cell_len(text) for text, _ in line)).adjust_cell_length(width, styles[""])
