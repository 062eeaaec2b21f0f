"""What a sweep found: a table of the combinations, and what each value of a field does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from textual.strip import Strip

from movietui import text
from movietui.sweeping import JUDGED_BY, Response, Sweep, responses, varied
from movietui.widgets.line_view import Line, LineView
from movietui.widgets.row_list import RowList

Measured = Mapping[str, Any]
METRICS = (JUDGED_BY, "mae", "accuracy")
BEST, MEAN, BOTH = "●", "○", "◉"


class SweepTable(RowList[Measured]):
    """The combinations that were measured, the best first and marked."""

    has_head = True

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._fields: Sequence[str] = ()

    def name_of(self, row: Measured) -> object:
        """Return the combination."""
        return tuple(row["grid"].items())

    def show(self, sweep: Sweep) -> None:
        """Show what is measured so far."""
        self._fields = varied(sweep.grid)
        rows = sorted(sweep.rows, key=lambda row: float(row["metrics"][JUDGED_BY]))
        self.fill(len(rows), 0, rows, follow=self.has_focus)

    def _columns(self, width: int) -> list[tuple[str, int]]:
        """The fields, then the metrics and the time that have room; a field gives way before the metric does."""
        room = width - 2 - 9
        columns = []
        for name in self._fields:
            cells = min(12, max(7, len(name) + 1))
            if cells > room:
                break
            columns.append((name, cells))
            room -= cells
        columns.append((JUDGED_BY, 9))
        for name in (*METRICS[1:], "fit"):
            if room < 9:
                break
            columns.append((name, 9))
            room -= 9
        return columns

    def head(self, width: int) -> str:
        """Return the names of the columns."""
        return "  " + "".join(text.cut(f"{name} ", cells, right=True) for name, cells in self._columns(width))

    def draw(self, row: Measured, width: int) -> Line:
        """Draw one combination."""
        best = self.name_of(row) == self.name_of(self.known_rows()[0])
        line: Line = [(f"{BEST} " if best else "  ", "")]
        for name, cells in self._columns(width):
            if name in self._fields:
                value = str(row["grid"][name])
            elif name == "fit":
                value = text.short_duration(row["seconds"]["fit"])
            else:
                value = f"{row['metrics'][name]:.4f}"
            if name == JUDGED_BY and best:
                line += [(" " * (cells - len(value) - 1), ""), (value, "best"), (" ", "")]
            else:
                line.append((text.cut(f"{value} ", cells, right=True), ""))
        return line


class ResponseChart(LineView):
    """The metric against each field: the best and the mean of all combinations with a value, left is better."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._found: Sequence[Response] = ()

    def show(self, sweep: Sweep) -> None:
        """Show what is measured so far."""
        self._found = responses(sweep)
        self.fit_lines(len(self._lines(self.scrollable_content_region.width)))
        self.refresh()

    def on_resize(self) -> None:
        """Draw as wide as there is room now."""
        self.fit_lines(len(self._lines(self.scrollable_content_region.width)))

    def _lines(self, width: int) -> list[Line]:
        if not self._found:
            return [[(" What each value does stands here.", "quiet")]]
        lines: list[Line] = [[(f" {JUDGED_BY}  {BEST} best  {MEAN} mean  ← better", "quiet")]]
        least, most = min(one.best for one in self._found), max(one.mean for one in self._found)
        labels = min(9, max(len(one.value) for one in self._found))
        track = max(4, width - labels - 3 - 2 * 7)
        for name, values in groupby(self._found, lambda one: one.field):
            lines.append([(f" {name}", "group")])
            for one in values:
                places = [
                    round((value - least) / ((most - least) or 1) * (track - 1)) for value in (one.best, one.mean)
                ]
                cells = ["·"] * track
                cells[places[1]] = MEAN
                cells[places[0]] = BOTH if places[0] == places[1] else BEST
                figures = f" {text.decimals(one.best, 4):>6} {text.decimals(one.mean, 4):>6}"
                lines.append(
                    [(f" {text.cut(one.value, labels, right=True)} ", ""), ("".join(cells), "bar"), (figures, "quiet")]
                )
        return lines

    def render_line(self, y: int) -> Strip:
        """Draw one line of what is in view."""
        width, place = self.scrollable_content_region.width, self.scroll_offset.y + y
        lines = self._lines(width)
        return self.strip(lines[place] if place < len(lines) else [], width, self.drawn_with)
