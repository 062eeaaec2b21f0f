"""A scrollable widget of lines, which can change without a new layout of the screen."""

from collections.abc import Mapping

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.style import Style

from movietui.ui.textual_internals import LightStrip, draw_lines_fast
from movietui.ui.theme import STYLES
from movietui.ui.widgets.explained import Explained

Line = list[tuple[str, str]]
"""A line as pieces of text, each with the name of a style in ``theme.STYLES``. Rich text would take three times as
long to draw, and a rating waits until the list is drawn."""


class LineView(ScrollView, Explained, can_focus=False):
    """Draws the visible lines with ``render_line``.

    The screen is laid out again only if the scroll bar appears or disappears, or if an automatic height changes.
    """

    folded_name = ""
    """The word on the edge of the folded widget."""

    DEFAULT_CSS = """
    LineView {
        background: transparent;
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 0;
        overflow-x: hidden;
    }
    """

    virtual_size = Reactive(Size(0, 0), repaint=False)

    def __init__(self, *, id: str | None = None, classes: str = "") -> None:
        super().__init__(id=id, classes=classes)
        draw_lines_fast(self)
        self._folded = False
        self.line_styles: Mapping[str, RichStyle] = {}
        """``STYLES`` as drawn here, computed whenever lines are drawn.

        Component classes would be simpler, but Textual computes those again for every widget, which takes a tenth of
        the start-up time.
        """

    @property
    def folded(self) -> bool:
        """Whether the widget is folded to its edge."""
        return self._folded

    def fold(self, folded: bool) -> bool:
        """Fold the widget to its edge or unfold it, and return whether this changed anything.

        The style sheet sets the width of the edge.
        """
        if changed := folded != self._folded:
            self._folded = folded
            self.set_class(folded, "-folded")
            self.refresh()
        return changed

    def draw_folded(self, y: int) -> Strip:
        """Draw one line of the edge, with a letter of ``folded_name``."""
        return self.strip([(self.folded_name[y : y + 1], "quiet")], self.size.width, self.line_styles)

    def set_line_count(self, lines: int) -> None:
        """Set the number of lines."""
        region, before = self.scrollable_content_region, self.virtual_size.height
        self.virtual_size = Size(region.width, lines)
        height = self.styles.height
        if (height is not None and height.is_auto and lines != before) or (
            self.show_vertical_scrollbar != (lines > region.height) and self.styles.overflow_y == "auto"
        ):
            self.refresh(layout=True)
        elif self.show_vertical_scrollbar:
            bar = self.vertical_scrollbar
            # A single row often changes the bar by less than an eighth of a cell. Drawing the bar takes milliseconds.
            track = 8 * region.height * region.height
            if round(track / lines) != round(track / max(1, bar.window_virtual_size)):
                bar.window_virtual_size = lines

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw the visible lines, with the costly styles computed once for all lines."""
        self.line_styles = {
            "": self.rich_style,
            **{name: self.resolve_style(style) for name, style in STYLES.items()},
        }
        return super().render_lines(crop)

    def resolve_style(self, *styles: str) -> RichStyle:
        """Return this widget's style with others added, such as ``bold $text-accent``."""
        return sum(map(Style.parse, styles), self.visual_style).rich_style

    @staticmethod
    def strip(line: Line, width: int, styles: Mapping[str, RichStyle]) -> Strip:
        """Return a drawn line, ``width`` cells wide."""
        segments = [Segment(text, styles[name]) for text, name in line]
        missing = width - sum(cell_len(text) for text, _ in line)
        if missing < 0:
            return Strip(segments, width - missing).crop(0, width)
        return LightStrip([*segments, Segment(" " * missing, styles[""])] if missing else segments, width)
