"""The results of a sweep: a table of the combinations, and the effect of each setting."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from textwrap import wrap

from textual.strip import Strip

from movietui.data.language import tr
from movietui.formatting import text
from movietui.models.choices import by_importance, higher_is_better
from movietui.protocol.jobs import SweepRow
from movietui.state.sweep import Effect, Sweep, effects
from movietui.store.sweeps import order_of
from movietui.ui.widgets.columns import Column, ColumnList
from movietui.ui.widgets.line_view import Line, LineView

METRIC_CELLS = 9
"""The minimum width of a column for a metric."""
IMPORTANCE_CELLS = 10
"""The width of the bar that shows how important a setting is."""
BEST, MEAN = "●", "○"


class SweepTable(ColumnList[SweepRow]):
    """The measured combinations, the best first and marked."""

    has_header = True

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._fields: Sequence[str] = ()
        self._metrics: Sequence[str] = ("rmse",)
        """The metric that the settings are chosen by, and then the others."""

    def row_key(self, row: SweepRow) -> object:
        """Return the combination."""
        return tuple(row["grid"].items())

    def show(self, sweep: Sweep) -> None:
        """Show the results so far."""
        rows = sorted(sweep.rows, key=lambda row: order_of(row, sweep.metric))
        names = {name: {row["grid"][name] for row in rows} for name in (rows[0]["grid"] if rows else ())}
        self._fields = [name for name, values in names.items() if len(values) > 1] or list(names)
        others = by_importance(name for row in rows for name in row["metrics"])
        self._metrics = list(dict.fromkeys([sweep.metric, *others]))
        self.fill(len(rows), 0, rows, follow=self.has_focus)

    def columns(self, width: int) -> Sequence[Column[SweepRow]]:
        """Return columns for the varied fields, the metrics and the time, as far as there is room.

        There is always a column for the metric that the settings are chosen by.
        """
        metric = self._metrics[0]
        room = width - len(BEST) - 1 - _cells(metric)
        columns: list[Column[SweepRow]] = [
            Column("", len(BEST) + 1, lambda row, _: f"{BEST} " if self._is_best(row) else "")
        ]
        for name in self._fields:
            cells = min(12, max(7, len(name) + 1))
            if cells > room:
                break
            columns.append(Column(f"{name} ", cells, partial(_setting, name), right=True))
            room -= cells
        columns.append(Column(f"{metric} ", _cells(metric), self._judged, right=True, terms=(metric,)))
        if room >= METRIC_CELLS:
            room -= METRIC_CELLS
            columns.append(Column(tr("fit "), METRIC_CELLS, _fit, right=True, terms=("fit",)))
        for name in self._metrics[1:]:
            if _cells(name) > room:
                break
            columns.append(Column(f"{name} ", _cells(name), partial(_metric, name), right=True, terms=(name,)))
            room -= _cells(name)
        return columns

    def _is_best(self, row: SweepRow) -> bool:
        return self.row_key(row) == self.row_key(self.known_rows()[0])

    def _judged(self, row: SweepRow, width: int) -> str | Line:
        value = _metric(self._metrics[0], row, width)
        return [(" " * (width - len(value)), ""), (value[:-1], "best"), (" ", "")] if self._is_best(row) else value


def _setting(name: str, row: SweepRow, width: int) -> str:
    return f"{row['grid'][name]} "


def _metric(name: str, row: SweepRow, width: int) -> str:
    if name not in row["metrics"]:
        return tr("stopped ") if row["problem"] else ""
    return f"{row['metrics'][name]:.4f} "


def _cells(metric: str) -> int:
    return max(METRIC_CELLS, len(metric) + 2)


def _fit(row: SweepRow, width: int) -> str:
    return f"{text.short_duration(row['seconds']['fit'])} "


NO_EFFECTS = tr("The effect of each setting is shown here.")


class ResponseChart(LineView):
    """For each setting that was varied: how important it is, and the best and the mean metric for its values.

    The most important setting comes first. Better figures are further to the left.
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._effects: Sequence[Effect] = ()
        self._metric = ""

    def show(self, sweep: Sweep) -> None:
        """Show the results so far."""
        self._effects, self._metric = effects(sweep), sweep.metric
        self.set_line_count(len(self._lines(self.scrollable_content_region.width)))
        self.refresh()

    def on_resize(self) -> None:
        """Draw the chart at the new width."""
        self.set_line_count(len(self._lines(self.scrollable_content_region.width)))

    def _lines(self, width: int) -> list[Line]:
        if not self._effects:
            return [[(f" {line}", "quiet")] for line in wrap(NO_EFFECTS, max(1, width - 1))]
        legend = tr(
            " {metric}  {best_sign} best  {mean_sign} mean  ← better",
            metric=self._metric,
            best_sign=BEST,
            mean_sign=MEAN,
        )
        lines: list[Line] = [[(legend, "quiet")]]
        shown = [response for effect in self._effects for response in effect.responses]
        better, worse = (max, min) if higher_is_better(self._metric) else (min, max)
        left, right = better(each.best for each in shown), worse(each.mean for each in shown)
        labels = min(9, max(len(response.value) for response in shown))
        track = max(4, width - labels - 3 - 2 * 7)
        for effect in self._effects:
            lines.append(_heading(effect))
            for response in effect.responses:
                positions = [
                    round((value - left) / ((right - left) or 1) * (track - 1))
                    for value in (response.best, response.mean)
                ]
                cells = ["·"] * track
                cells[positions[1]] = MEAN
                cells[positions[0]] = BEST
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


def _heading(effect: Effect) -> Line:
    """Return the name of a setting with a bar that shows how important it is."""
    if effect.importance is None:
        return [(f" {effect.setting}", "group")]
    filled = round(effect.importance * IMPORTANCE_CELLS)
    return [
        (f" {effect.setting} ", "group"),
        ("━" * filled, "bar"),
        ("─" * (IMPORTANCE_CELLS - filled), "quiet"),
        (tr(" explains {share:.0%}", share=effect.importance), "quiet"),
    ]
