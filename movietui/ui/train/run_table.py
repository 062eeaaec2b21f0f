"""The table of all runs and published figures: sorted by any column, filtered, compared with a baseline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from rich.cells import cell_len

from movietui.data.language import mark, tr
from movietui.data.progress import WHOLE
from movietui.data.split_names import protocol
from movietui.formatting import text
from movietui.formatting.settings import differing
from movietui.models.choices import (
    DEFAULT_ORDER,
    RUN_METRICS,
    Task,
    by_importance,
    has_another_length,
    higher_is_better,
    metric_for,
)
from movietui.protocol.messages import PublishedResult
from movietui.store.run_records import UNDER_WAY, VALIDATION, Protocol, Run
from movietui.ui.widgets.columns import Column, ColumnList
from movietui.ui.widgets.line_view import Line
from movietui.ui.wording import SORTED, SORTED_UP, state_in_words

PAIR: Task = "pair"
DIFFERENCE_CELLS = 16
"""Cells of a difference with its interval: ``-.0090 ±.0040``."""
MARK_CELLS = 3
MAIN_METRICS = 2
"""How many of the metrics that runs are judged by come before the dataset: one of stars and one of lists."""
FIGURE_CELLS = 6
"""The width of a figure, such as ``0.9130``."""
LEAST_CELLS = 9
"""The minimum width of a column for a metric."""
ROOMY = 90
"""From this width on, a column may be as wide as its longest usual text."""
WhichPublished = Literal["comparable", "all", "none"]
WHICH_PUBLISHED: tuple[WhichPublished, ...] = get_args(WhichPublished)
"""Which published figures are listed: those that can be compared with a run, all, or none."""


@dataclass(frozen=True)
class PublishedRow:
    """Figures that somebody else published, as a row beside the runs."""

    name: str
    model: str
    dataset: str
    cleaning: str
    split: str
    metrics: Mapping[str, float]
    task: str
    state: str
    """Who published them, in a few letters."""
    reference: str
    note: str
    split_seed: int = 0
    imdb: str = ""
    id: int = 0
    """Always 0, because this is not a run."""

    @property
    def protocol(self) -> Protocol:
        """What was measured on; see ``Run.protocol``."""
        return self.dataset, self.imdb, self.cleaning, self.split, self.split_seed, DEFAULT_ORDER

    @property
    def about(self) -> str:
        """Where the figures are published, and how the protocol differs from ours."""
        return "; ".join(filter(None, (self.reference, self.note)))

    @classmethod
    def of(cls, row: PublishedResult) -> PublishedRow:
        """Convert a row of the engine's reply."""
        return cls(
            row["name"],
            row["model"],
            row["dataset"],
            row["cleaning"],
            row["split"],
            row["metrics"],
            row["task"],
            row["by"],
            row["reference"],
            row["note"],
        )


Row = Run | PublishedRow


@dataclass(frozen=True)
class Interval:
    """The confidence interval of a difference."""

    low: float
    high: float


@dataclass
class QueueState:
    """What the states of the runs depend on, besides the runs themselves."""

    in_use: int | None = None
    """The run that serves the list."""
    positions: Mapping[int, int] = field(default_factory=dict)
    """The position of each run in this window's queue; the next run has 1."""
    running: frozenset[int] = frozenset()
    """The runs that this window started and that have not ended."""

    def describe(self, row: Row) -> str:
        """Return the state of a row: ``in use``, ``queued (1st)``, ``epoch 3/40``, ``running 12%``, ``done`` …"""
        if isinstance(row, PublishedRow):
            return row.state
        if row.id == self.in_use:
            return tr("in use")
        if row.id in self.positions:
            return tr("queued ({position})", position=_ordinal(self.positions[row.id]))
        if row.state == "queued":
            return tr("other queue")
        if row.state in UNDER_WAY and row.progress:
            if not row.progress["of"]:
                return state_in_words(row.state)
            unit, done, of = row.progress.get("unit", "epoch"), row.progress["epoch"], row.progress["of"]
            if unit == WHOLE:
                return f"{state_in_words(row.state)} {done / of:.0%}"
            step = state_in_words("paused") if row.state == "paused" else tr(unit)
            return f"{step} {done}/{of}"
        return state_in_words(row.state)


def _ordinal(number: int) -> str:
    """Return ``1st``, ``2nd``, ``3rd``, ``4th`` …"""
    if number % 100 in (11, 12, 13):
        return tr("{number}th", number=number)
    endings = {
        1: tr("{number}st", number=number),
        2: tr("{number}nd", number=number),
        3: tr("{number}rd", number=number),
    }
    return endings.get(number % 10, tr("{number}th", number=number))


@dataclass(frozen=True)
class Fact:
    """A column with a fact about a run, other than a metric. To add one to the table, add a ``Fact`` to ``FACTS``, and
    its meaning to ``RUN_COLUMNS``."""

    name: str
    cells: int
    """The width in cells; of a column that is ``fitted``, the maximum."""
    text: Callable[[Row, RunTable], str]
    order: Callable[[Row, RunTable], str | float | None]
    """The value that rows are sorted by; rows for which it is ``None`` always come last."""
    right: bool = False
    fitted: bool = False
    """Whether the column is as wide as its longest text."""


def _words(name: str) -> Callable[[Row, RunTable], str | None]:
    return lambda row, _: str(getattr(row, name)).casefold() or None


def _number(name: str) -> tuple[Callable[[Row, RunTable], str], Callable[[Row, RunTable], float | None]]:
    """Return the text and the order of a number that only runs have."""

    def value(row: Row, table: RunTable) -> float | None:
        return getattr(row, name) if isinstance(row, Run) else None

    return lambda row, table: "" if value(row, table) is None else str(value(row, table)), value


def _seconds(row: Row, table: RunTable) -> float | None:
    return row.seconds if isinstance(row, Run) else None


def _fit(row: Row, table: RunTable) -> str:
    seconds = _seconds(row, table)
    return text.short_duration(seconds) if seconds else ""


def _split(row: Row, table: RunTable) -> str:
    """Return the split; a trial's validation part is ``valid``, as in the list of epochs."""
    split = row.split.removesuffix(VALIDATION)
    return split if split == row.split else tr("{split} valid", split=split)


def _main_metric(run: Run) -> list[str]:
    """Return the metric that a run is judged by: that of its model or, if it did not measure that, its first."""
    usual = metric_for(run.model)
    return [usual] if usual in run.metrics and run.kind == "training" else by_importance(run.metrics)[:1]


FACTS = (
    Fact(mark("run"), 5, lambda row, _: str(row.id or ""), lambda row, _: row.id or None, right=True),
    Fact(mark("model"), 20, lambda row, _: row.model, _words("model"), fitted=True),
    Fact(mark("name"), 16, lambda row, _: row.name if isinstance(row, Run) else "", _words("name"), fitted=True),
    Fact(mark("dataset"), 18, lambda row, _: row.dataset, _words("dataset"), fitted=True),
    Fact(mark("IMDb"), 9, lambda row, _: (row.imdb or "")[:8], lambda row, _: row.imdb or None, fitted=True),
    Fact(mark("cleaning"), 11, lambda row, _: row.cleaning, _words("cleaning")),
    Fact(mark("split"), 20, _split, _words("split"), fitted=True),
    Fact(mark("split seed"), 11, *_number("split_seed"), right=True),
    Fact(mark("seed"), 6, *_number("seed"), right=True),
    Fact(
        mark("settings"),
        60,
        lambda row, table: table.differing.get(row.id, ""),
        lambda row, table: table.differing.get(row.id) or None,
        fitted=True,
    ),
)
"""The columns before those of the metrics; joins, names and settings are shown only if a run has any."""
LAST_FACTS = (
    Fact(mark("fit"), 8, _fit, _seconds, right=True),
    Fact(
        mark("state"), 17, lambda row, table: table.queue_state.describe(row), lambda row, _: state_in_words(row.state)
    ),
)
"""The columns after those of the metrics."""
FACT = {fact.name: fact for fact in (*FACTS, *LAST_FACTS)}
STATE_CELLS = 14
"""The width of the states in a narrow table."""


class RunTable(ColumnList[Row]):
    """Runs and, quiet, published figures. Of comparable figures of runs in a column, the best is underlined."""

    has_header = True

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.queue_state: QueueState = QueueState()
        self.sorted_by = ""
        """A column; empty for the default order: runs in progress, this window's queue, then the newest runs first."""
        self.is_reversed = False
        """Whether the order is reversed."""
        self.filter_text = ""
        """The filter: each word is the start of a model, dataset, split, state or name."""
        self.baseline: int | None = None
        """The run that the others are compared with."""
        self.intervals: dict[int, Mapping[str, Interval | None]] = {}
        """For each run compared with the baseline: the interval of each metric's difference."""
        self.marked: list[int] = []
        """The runs to compare, in the order in which they were marked."""
        self._all: Sequence[Row] = ()
        self._baseline_row: Row | None = None
        """The row of the baseline."""
        self._measured: list[Row] = []
        """The rows that have metrics."""
        self.chosen: Sequence[str] = ()
        """The columns that a person chose, in their order; empty for the usual ones, as far as there is room."""
        self.which_published: WhichPublished = WHICH_PUBLISHED[0]
        """Which published figures are listed."""
        self.differing: Mapping[Any, str] = {}
        """By the number of a run, the settings that are not the same in all listed runs of its model."""
        self._settings: Sequence[tuple[int, str, Mapping[str, Any]]] = ()
        """What ``differing`` was computed from."""
        self._metrics: Sequence[str] = RUN_METRICS
        """All metrics, the most important first, those of the runs before the others."""
        self._main: Sequence[str] = ()
        """The metrics that the runs are judged by."""
        self._measured_on: dict[tuple[str, str, bool], set[str]] = {}
        """The metrics of all runs by dataset, split (or what its figures are averaged over with), and whether they are
        metrics of pairs."""
        self._best: dict[tuple[Protocol, str], float] = {}
        self._longest: dict[str, int] = {}
        """The width in cells of the longest text in each column that is ``fitted``."""

    def row_key(self, row: Row) -> object:
        """Return the number of a run, or what identifies published figures."""
        return row.id or (row.name, row.model, row.dataset, row.split)

    # Content

    def show(self, rows: Sequence[Row], queue_state: QueueState) -> None:
        """Show these runs and published figures; their states depend on ``queue_state``."""
        measured = [row for row in rows if row.metrics]
        # While a run trains, usually only its progress changes: then redraw only the rows that changed.
        only_changed = (queue_state, measured) == (self.queue_state, self._measured)
        self._all, self.queue_state = rows, queue_state
        numbers = {row.id for row in rows}
        self.marked = [number for number in self.marked if number in numbers]
        if self.baseline not in numbers:
            self.baseline = None
        self._baseline_row = self._row_of(self.baseline)
        if measured != self._measured:
            self._measure(measured)
        self.rearrange(only_changed=only_changed)

    def _measure(self, measured: list[Row]) -> None:
        """Collect the metrics of these rows, and the best value of each among the runs."""
        self._measured = measured
        runs = [row for row in measured if isinstance(row, Run)]
        self._main = by_importance(name for run in runs for name in _main_metric(run))
        names = dict.fromkeys(name for run in runs for name in run.metrics)
        self._metrics = list(dict.fromkeys([*self._main, *by_importance(names), *RUN_METRICS, *names]))
        self._measured_on = {}
        for run in runs:
            for split in (run.split, protocol(run.split)):
                self._measured_on.setdefault((run.dataset, split, run.task == PAIR), set()).update(run.metrics)
        self._best = {}
        for run in runs:
            for metric, value in run.metrics.items():
                key = (run.protocol, metric)
                better = max if higher_is_better(metric) else min
                self._best[key] = better(self._best.get(key, value), value)

    def rearrange(self, *, only_changed: bool = False) -> None:
        """Filter and sort again; the cursor stays on its row. With ``only_changed``, redraw only the changed rows."""
        wanted = self.filter_text.casefold().split()
        rows = [row for row in self._all if self._is_listed(row) and all(self._begins(row, word) for word in wanted)]
        before, self._longest = self._longest, self._measure_texts(rows)
        rows = self._sorted(rows)
        self.fill(len(rows), 0, rows, follow=True, only_changed=only_changed and before == self._longest)

    def _is_listed(self, row: Row) -> bool:
        if isinstance(row, Run) or self.which_published == "all":
            return True
        metrics = self._measured_on.get((row.dataset, row.split, row.task == PAIR), set())
        return self.which_published == "comparable" and not metrics.isdisjoint(row.metrics)

    def _measure_texts(self, rows: Sequence[Row]) -> dict[str, int]:
        """Find the settings that differ among these rows; return the longest text of each column that is fitted."""
        settings = [(row.id, row.model, row.settings) for row in rows if isinstance(row, Run)]
        if settings != self._settings:
            self._settings, self.differing = settings, differing(settings)
        return {
            fact.name: max((cell_len(fact.text(row, self)) for row in rows), default=0)
            for fact in FACT.values()
            if fact.fitted
        }

    @staticmethod
    def _begins(row: Row, word: str) -> bool:
        fields = (row.model, row.dataset, row.split, state_in_words(row.state), *row.name.split())
        return any(one.casefold().startswith(word) for one in fields)

    def _sorted(self, rows: list[Row]) -> list[Row]:
        by = self.sorted_by
        if not by:
            positions = self.queue_state.positions

            def order(row: Row) -> tuple[int, float]:
                if row.state in UNDER_WAY:
                    return 0, row.id
                if row.id in positions:
                    return 1, positions[row.id]
                return (2, -row.id) if row.id else (3, 0)

            return sorted(rows, key=order)
        values = {id(row): self._value(row, by) for row in rows}
        with_value = [row for row in rows if values[id(row)] is not None]
        higher_first = higher_is_better(by) or by == "run"
        with_value.sort(key=lambda row: values[id(row)], reverse=higher_first != self.is_reversed)  # type: ignore[arg-type,return-value]
        return with_value + [row for row in rows if values[id(row)] is None]

    def _value(self, row: Row, column: str) -> str | float | None:
        """Return the value that a row is sorted by; rows for which it is ``None`` always come last."""
        return FACT[column].order(row, self) if column in FACT else row.metrics.get(column)

    def sort(self, column: str) -> None:
        """Sort by a column, a metric with the best value first; if it is the current column, reverse the order."""
        self.is_reversed = column == self.sorted_by and not self.is_reversed
        self.sorted_by = column
        self.rearrange()

    def column_names(self) -> list[str]:
        """Return all columns in their usual order, including those for which there is no room or nothing to show."""
        return [*(fact.name for fact in FACTS), *self._metrics, *(fact.name for fact in LAST_FACTS)]

    def choose(self, columns: Sequence[str]) -> None:
        """Show these columns in this order, as far as there is room; none stands for the usual ones."""
        self.chosen = columns
        self.refresh()

    def mark(self, number: int) -> None:
        """Mark a run for comparison, or remove its mark."""
        if number in self.marked:
            self.marked.remove(number)
        else:
            self.marked.append(number)
        self.refresh()

    def compare_with(self, number: int | None) -> None:
        """Show differences from a run instead of metrics; ``None`` shows metrics again."""
        self.baseline = number
        self._baseline_row = self._row_of(number)
        self.intervals = {}
        self.refresh()

    def _row_of(self, number: int | None) -> Row | None:
        return next((row for row in self._all if row.id == number), None) if number else None

    def without_intervals(self) -> list[Run]:
        """Return the visible runs that have metrics but no intervals yet, without the baseline."""
        top, height = self.scroll_offset.y, self.size.height
        in_view = self.known_rows()[top : top + height]
        return [
            row
            for row in in_view
            if isinstance(row, Run) and row.metrics and row.id != self.baseline and row.id not in self.intervals
        ]

    # Drawing

    def columns(self, width: int) -> Sequence[Column[Row]]:
        """Return the columns for which there is room; the one that the table is sorted by always has room."""
        return [
            Column("", MARK_CELLS, self._marks),
            *(
                self._fact_column(FACT[name], cells) if name in FACT else self._metric_column(name, cells)
                for name, cells in self._shown(width).items()
            ),
        ]

    def shown_names(self) -> list[str]:
        """Return the columns that are shown, from left to right."""
        return list(self._shown(self.scrollable_content_region.width))

    def _shown(self, width: int) -> dict[str, int]:
        """Return the columns for which there is room, with their widths: the most important or the chosen ones."""
        room, cells = width - MARK_CELLS, {}
        for name in dict.fromkeys(filter(None, (self.sorted_by, *(self.chosen or self._usual())))):
            wanted = self._cells(name, width)
            if wanted <= room:
                cells[name] = wanted
                room -= wanted
            elif not self.chosen and name not in self._longest:
                break  # less important columns do not take its room
        order = list(self.chosen or self.column_names())
        return {
            name: cells[name] for name in sorted(cells, key=lambda name: order.index(name) if name in order else -1)
        }

    def _usual(self) -> list[str]:
        """Return the columns that are shown if there is room for them, the most important one first."""
        published = {name for row in self.known_rows() if isinstance(row, PublishedRow) for name in row.metrics}
        others = [name for name in self._metrics if name not in self._main]
        others.sort(key=lambda name: name not in published)
        names = [name for name in ("IMDb", "name", "settings") if self._longest.get(name)]
        main = sorted(self._main, key=has_another_length)
        return [
            *("run", "model", "split", *main[:MAIN_METRICS], "dataset", "state", *names, "fit", *main[MAIN_METRICS:]),
            *(*others[:2], "cleaning", *others[2:], "split seed", "seed"),
        ]

    def _cells(self, name: str, width: int) -> int:
        """Return the width of a column in a table of a width: heading, arrow and a gap fit in any case."""
        if name not in FACT:
            return DIFFERENCE_CELLS if self.baseline else max(LEAST_CELLS, len(name) + 2)
        if name == "state" and width < ROOMY:
            return STATE_CELLS
        fact = FACT[name]
        return (
            max(cell_len(tr(name)) + 2, min(fact.cells, self._longest.get(name, 0) + 1)) if fact.fitted else fact.cells
        )

    def _heading(self, name: str) -> str:
        """Return the heading of a column, with an arrow if the table is sorted by it."""
        lowest_first = (higher_is_better(name) or name == "run") == self.is_reversed
        arrow = (SORTED_UP if lowest_first else SORTED) if name == self.sorted_by else ""
        return f"{tr(name)}{arrow} "

    def explain(self, x: int, y: int) -> str:
        """Explain the column whose heading is under the mouse, or the published figures there."""
        row = self.row_on_line(y)
        return row.about if isinstance(row, PublishedRow) else super().explain(x, y)

    def _fact_column(self, fact: Fact, cells: int) -> Column[Row]:
        def cell(row: Row, cells: int) -> Line:
            quiet = "quiet" if isinstance(row, PublishedRow) or row.id in self.queue_state.positions else ""
            return [(text.cut(f"{fact.text(row, self)} ", cells, right=fact.right), quiet)]

        return Column(self._heading(fact.name), cells, cell, right=fact.right, key=fact.name, terms=(fact.name,))

    def _metric_column(self, name: str, cells: int) -> Column[Row]:
        return Column(
            self._heading(name),
            cells,
            lambda row, cells: self._figure(row, name, cells),
            right=True,
            key=name,
            terms=(name,),
        )

    def _marks(self, row: Row, cells: int) -> str:
        """Return signs for a run that is marked (x), and for the baseline (=) or the run in use (●)."""
        in_use = row.id and row.id == self.queue_state.in_use
        sign = "=" if row.id and row.id == self.baseline else "●" if in_use else " "
        return f"{'x' if row.id in self.marked else ' '}{sign} "

    def _figure(self, row: Row, name: str, cells: int) -> Line:
        value = self._figure_text(row, name)
        best = self._best.get((row.protocol, name)) == row.metrics.get(name)
        quiet = "quiet" if isinstance(row, PublishedRow) else ""
        if value and best and isinstance(row, Run):
            return [(" " * (cells - len(value) - 1), ""), (value, "best"), (" ", "")]
        return [(text.cut(f"{value} ", cells, right=True), quiet)]

    def _figure_text(self, row: Row, name: str) -> str:
        """Return a metric or, with a comparable baseline, the difference from the baseline's metric.

        If the interval of the difference is known, half its width follows.
        """
        if name not in row.metrics:
            return ""
        base = self._baseline_row
        value = row.metrics[name]
        if isinstance(row, PublishedRow) and base is None:
            return f"{value:.4f}".rstrip("0").ljust(FIGURE_CELLS)  # no more digits than were published
        comparable = base is not None and (
            (row.dataset, row.split, row.split_seed) == (base.dataset, base.split, base.split_seed)
        )
        if base is None or row is base or not comparable or name not in base.metrics:
            return text.figure(value)
        difference = f"{'+' if value >= base.metrics[name] else ''}{text.decimals(value - base.metrics[name], 4)}"
        interval = self.intervals.get(row.id, {}).get(name)
        return difference + (f" ±{text.decimals((interval.high - interval.low) / 2, 4)}" if interval else "")
