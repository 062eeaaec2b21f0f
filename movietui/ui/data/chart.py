"""Charts of a dataset: horizontal bars, vertical bars, or a map of shades.

Bars are vertical if each label has two counts, or if the pane has fewer lines than there are bars.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content
from textual.strip import Strip

from movietui.data.language import tr
from movietui.formatting.text import cut
from movietui.protocol.messages import ChartRow
from movietui.ui.widgets.line_view import Line, LineView

ACROSS = " ▏▎▍▌▋▊▉█"
UP = " ▁▂▃▄▅▆▇█"
SHADES = " ░▒▓█"
LONGEST_LABEL = 16


class Chart(LineView, can_focus=True):
    """Shows one chart at a time, as large as the pane."""

    def __init__(self, *, id: str, classes: str = "") -> None:
        super().__init__(id=id, classes=classes)
        self.charts: Sequence[ChartRow] = ()
        self._index = 0
        self._lines: list[Line] = []

    def show(self, charts: Sequence[ChartRow]) -> None:
        """Show other charts, beginning with the one that has the same name as the current chart, if any."""
        name = self.charts[self._index]["name"] if self.charts else ""
        self.charts = charts
        self._index = next((index for index, chart in enumerate(charts) if chart["name"] == name), 0)
        self._draw()

    def step(self, steps: int) -> None:
        """Go to another chart."""
        if self.charts:
            self._index = (self._index + steps) % len(self.charts)
            self._draw()

    def on_resize(self) -> None:
        """Draw the chart at the new size."""
        self._draw()

    def _draw(self) -> None:
        region = self.scrollable_content_region
        self._lines = []
        self.border_title, self.border_subtitle = "", ""
        if self.charts and region.width > 0:
            chart = self.charts[self._index]
            self.border_title = Content(chart["title"])
            self.border_subtitle = Content(
                tr("← → {number} of {charts}", number=self._index + 1, charts=len(self.charts))
            )
            self._lines = draw(chart, region.width, region.height)
        self.set_line_count(len(self._lines))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one visible line."""
        index, width = self.scroll_offset.y + y, self.scrollable_content_region.width
        line = self._lines[index] if index < len(self._lines) else []
        return self.strip(line, width, self.line_styles)


def draw(chart: ChartRow, width: int, height: int) -> list[Line]:
    """Return the lines of a chart for a pane of ``width`` × ``height`` cells."""
    note: list[Line] = [[], [(cut(chart["note"], width), "quiet")]] if chart["note"] else []
    height -= len(note)
    if chart["shares"]:
        return shades(chart["shares"], width) + note
    labels, counts = chart["labels"], chart["counts"]
    if chart["also"]:
        upper = (height - 1) // 2
        parts = [(counts, chart["of"], upper), (chart["also"], chart["also_of"], height - 1 - upper)]
        first, second = (columns(labels, each, width, rows, of) for each, of, rows in parts)
        return [*first, [], *second, *note]
    if len(labels) <= height:
        lines = across(labels, counts, width)
        if 2 * len(lines) <= height:
            lines = [part for line in lines for part in (line, [])]
        return lines + note
    return columns(labels, counts, width, height) + note


def across(labels: Sequence[str], counts: Sequence[int], width: int) -> list[Line]:
    """Return a line for each bar, with its name and count."""
    names = min(LONGEST_LABEL, max(cell_len(label) for label in labels))
    numbers = max(len(f"{count:,}") for count in counts)
    room = max(1, width - names - numbers - 3)
    most = max(counts) or 1
    lines: list[Line] = []
    for label, count in zip(labels, counts, strict=True):
        eighths = round(count / most * room * 8) or bool(count)
        bar = ACROSS[8] * (eighths // 8) + ACROSS[eighths % 8].strip()
        lines.append(
            [(f"{cut(label, names, right=True)} ", "quiet"), (cut(bar, room), "bar"), (f" {count:>{numbers},}", "")]
        )
    return lines


def columns(labels: Sequence[str], counts: Sequence[int], width: int, height: int, of: str = "") -> list[Line]:
    """Return vertical bars above the first and last label. With more counts than cells, each bar sums several counts.

    The first line has the count of the highest bar and ``of``, which says what the bars count.
    """
    per_bar = -(-len(counts) // width)
    sums = [sum(counts[start : start + per_bar]) for start in range(0, len(counts), per_bar)]
    bar_cells = max(1, min(4, width // len(sums)))
    most = max(sums) or 1
    rows = max(1, height - 2)
    eighths = [round(count / most * rows * 8) or bool(count) for count in sums]
    lines: list[Line] = [[(f"{most:,} {of}".rstrip(), "quiet")]]
    for row in reversed(range(rows)):
        cells = "".join(UP[min(8, max(0, eighth - row * 8))] * bar_cells for eighth in eighths)
        lines.append([(cells, "bar")])
    last = labels[-1]
    lines.append([(f"{labels[0]}{last:>{max(len(last) + 1, bar_cells * len(sums) - len(labels[0]))}}", "quiet")])
    return lines


def shades(shares: Sequence[Sequence[float]], width: int) -> list[Line]:
    """Return a map, denser for more ratings, of the most active users (top) and the most rated movies (left).

    Each line ends with its first share, that of the most rated movies.
    """
    share_cells = max(1, min(4, (width - 12) // len(shares)))
    lines: list[Line] = [[(tr("       most rated movies → least"), "quiet")]]
    for index, row in enumerate(shares):
        name = {0: tr("most   "), 1: tr("active "), 2: tr("users  "), len(shares) - 1: tr("least  ")}.get(
            index, "       "
        )
        cells = "".join(SHADES[min(4, -(-round(share * 1000) * 4 // 1000))] * share_cells for share in row)
        lines.append([(name, "quiet"), (cells, "bar"), (f" {row[0]:.0%}", "")])
    return lines
