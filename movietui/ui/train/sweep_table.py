"""The results of a sweep: a table of the combinations, and the effect of each value of a field."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import groupby

from textual.strip import Strip

from movietui.formatting import text
from movietui.models.choices import SWEEP_METRIC
from movietui.protocol.jobs import SweepRow
from movietui.state.sweep import Response, Sweep, responses, varied
from movietui.ui.widgets.columns import Column, ColumnList
from movietui.ui.widgets.line_view import Line, LineView

METRICS = (SWEEP_METRIC, "mae", "accuracy")
METRIC_CELLS = 9
BEST, MEAN, BOTH = "●", "○", "◉"


class SweepTable(ColumnList[SweepRow]):
    """The measured combinations, the best first and marked."""

    has_header = True

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._fields: Sequence[str] = ()

    def row_key(self, row: SweepRow) -> object:
        """Return the combination."""
        return tuple(row["grid"].items())

    def show(self, sweep: Sweep) -> None:
        """Show the results so far."""
        self._fields = varied(sweep.grid)
        rows = sorted(sweep.rows, key=lambda row: float(row["metrics"][SWEEP_METRIC]))
        self.fill(len(rows), 0, rows, follow=self.has_focus)

    def columns(self, width: int) -> Sequence[Column[SweepRow]]:
        """Return columns for the varied fields, the metrics and the time, as far as there is room.

        There is always a column for ``SWEEP_METRIC``.
        """
        room = width - len(BEST) - 1 - METRIC_CELLS
        columns: list[Column[SweepRow]] = [
            Column("", len(BEST) + 1, lambda row, _: f"{BEST} " if self._is_best(row) else "")
        ]
        for name in self._fields:
            cells = min(12, max(7, len(name) + 1))
            if cells > room:
                break
            columns.append(Column(f"{name} ", cells, partial(_setting, name), right=True))
            room -= cells
        others: list[Column[SweepRow]] = [
            *(Column(f"{name} ", METRIC_CELLS, partial(_metric, name), right=True) for name in METRICS[1:]),
            Column("fit ", METRIC_CELLS, _fit, right=True),
        ]
        judged: Column[SweepRow] = Column(f"{SWEEP_METRIC} ", METRIC_CELLS, self._judged, right=True)
        return [*columns, judged, *others[: max(0, room // METRIC_CELLS)]]

    def _is_best(self, row: SweepRow) -> bool:
        return self.row_key(row) == self.row_key(self.known_rows()[0])

    def _judged(self, row: SweepRow, width: int) -> str | Line:
        value = _metric(SWEEP_METRIC, row, width)
        return [(" " * (width - len(value)), ""), (value[:-1], "best"), (" ", "")] if self._is_best(row) else value


def _setting(name: str, row: SweepRow, width: int) -> str:
    return f"{row['grid'][name]} "


def _metric(name: str, row: SweepRow, width: int) -> str:
    return f"{row['metrics'][name]:.4f} "


def _fit(row: SweepRow, width: int) -> str:
    return f"{text.short_duration(row['seconds']['fit'])} "


class ResponseChart(LineView):
    """The metric for each value of the varied fields: the best and the mean of all combinations with that value.

    Better figures are further to the left.
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._responses: Sequence[Response] = ()

    def show(self, sweep: Sweep) -> None:
        """Show the results so far."""
        self._responses = responses(sweep)
        self.set_line_count(len(self._lines(self.scrollable_content_region.width)))
        self.refresh()

    def on_resize(self) -> None:
        """Draw the chart at the new width."""
        self.set_line_count(len(self._lines(self.scrollable_content_region.width)))

    def _lines(self, width: int) -> list[Line]:
        if not self._responses:
            return [[(" The effect of each value is shown here.", "quiet")]]
        lines: list[Line] = [[(f" {SWEEP_METRIC}  {BEST} best  {MEAN} mean  ← better", "quiet")]]
        least, most = (
            min(response.best for response in self._responses),
            max(response.mean for response in self._responses),
        )
        labels = min(9, max(len(response.value) for response in self._responses))
        track = max(4, width - labels - 3 - 2 * 7)
        for name, values in groupby(self._responses, lambda response: response.field):
            lines.append([(f" {name}", "group")])
            for response in values:
                positions = [
                    round((value - least) / ((most - least) or 1) * (track - 1))
                    for value in (response.best, response.mean)
                ]
                cells = ["·"] * track
                cells[positions[1]] = MEAN
                cells[positions[0]] = BOTH if positions[0] == positions[1] else BEST
                figures = f" {text.decimals(response.best, 4):>6} {text.decimals(response.mean, 4):>6}"
                lines.append(
                    [
                        (f" {text.cut(response.value, labels, right=True)} ", ""),
                        ("".join(cells), "bar"),
                        (figures, "quiet"),
                    ]
                )
        return lines

    def render_line(self, y: int) -> Strip:
        """Draw one visible line."""
        width, index = self.scrollable_content_region.width, self.scroll_offset.y + y
        lines = self._lines(width)
        return self.strip(lines[index] if index < len(lines) else [], width, self.line_styles)
