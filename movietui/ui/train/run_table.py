"""The table of all runs and published results: sorted by any column, filtered, compared with a baseline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from movietui.formatting import text
from movietui.models.choices import DEFAULT_ORDER, RUN_METRICS, higher_is_better
from movietui.protocol.messages import PublishedResult
from movietui.store.run_records import UNDER_WAY, Protocol, Run
from movietui.ui.widgets.columns import Column, ColumnList
from movietui.ui.widgets.line_view import Line
from movietui.ui.wording import state_in_words

DIFFERENCE_CELLS = 16
"""Cells of a difference with its interval: ``-.0090 ±.0040``."""
MARK_CELLS = 3


@dataclass(frozen=True)
class PublishedRow:
    """A result that the authors of an earlier system published, as a row beside the runs."""

    name: str
    model: str
    dataset: str
    cleaning: str
    split: str
    metrics: Mapping[str, float]
    note: str
    split_seed: int = 0
    imdb: str = ""
    state: str = "published result"
    id: int = 0
    """Always 0, because this is not a run."""

    @property
    def protocol(self) -> Protocol:
        """What was measured on; see ``Run.protocol``."""
        return self.dataset, self.imdb, self.cleaning, self.split, self.split_seed, DEFAULT_ORDER

    @classmethod
    def of(cls, row: PublishedResult) -> PublishedRow:
        """Convert a row of the engine's reply."""
        return cls(
            row["name"], row["model"], row["dataset"], row["cleaning"], row["split"], row["metrics"], row["note"]
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
        """Return the state of a row: ``in use``, ``queued (1st)``, ``epoch 3/40``, ``tasks 3/8``, ``done`` …"""
        if isinstance(row, PublishedRow):
            return row.state
        if row.id == self.in_use:
            return "in use"
        if row.id in self.positions:
            return f"queued ({_ordinal(self.positions[row.id])})"
        if row.state == "queued":
            return "queued elsewhere"
        if row.state in UNDER_WAY and row.progress:
            if not row.progress["of"]:
                return state_in_words(row.state)
            word = "paused" if row.state == "paused" else row.progress.get("unit", "epoch")
            return f"{word} {row.progress['epoch']}/{row.progress['of']}"
        return state_in_words(row.state)


def _ordinal(number: int) -> str:
    """Return ``1st``, ``2nd``, ``3rd``, ``4th`` …"""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


@dataclass(frozen=True)
class Fact:
    """A column with a fact about a run, other than a metric. To add one to the table, add a ``Fact`` to ``FACTS``."""

    name: str
    cells: int
    text: Callable[[Row, QueueState], str]
    order: Callable[[Row], str | float | None]
    """The value that rows are sorted by; rows for which it is ``None`` always come last."""
    minimum: int = 0
    """The narrowest table, in cells, that shows the column."""
    right: bool = False


def _words(name: str) -> Callable[[Row], str | None]:
    return lambda row: str(getattr(row, name)).casefold() or None


def _number(name: str) -> tuple[Callable[[Row, QueueState], str], Callable[[Row], float | None]]:
    """Return the text and the order of a number that only runs have."""

    def value(row: Row) -> float | None:
        return getattr(row, name) if isinstance(row, Run) else None

    return lambda row, _: "" if value(row) is None else str(value(row)), value


def _model(row: Row, _: QueueState) -> str:
    return f"{row.name.split()[0]} {row.model}" if isinstance(row, PublishedRow) else row.model


def _seconds(row: Row) -> float | None:
    return row.seconds if isinstance(row, Run) else None


def _fit(row: Row, _: QueueState) -> str:
    seconds = _seconds(row)
    return text.short_duration(seconds) if seconds else ""


FACTS = (
    Fact("run", 5, lambda row, _: str(row.id or ""), lambda row: row.id or None, minimum=90, right=True),
    Fact("model", 16, _model, _words("model")),
    Fact("name", 15, lambda row, _: row.name if isinstance(row, Run) else "", _words("name")),
    Fact("dataset", 12, lambda row, _: row.dataset, _words("dataset"), minimum=90),
    Fact("cleaning", 10, lambda row, _: row.cleaning, _words("cleaning"), minimum=130),
    Fact("split", 10, lambda row, _: row.split, _words("split")),
    Fact("split seed", 11, *_number("split_seed"), minimum=170, right=True),
    Fact("seed", 6, *_number("seed"), minimum=170, right=True),
)
"""The columns before those of the metrics; names are shown only if a run has one."""
LAST_FACTS = (
    Fact("fit", 8, _fit, _seconds, right=True),
    Fact("state", 17, lambda row, state: state.describe(row), lambda row: state_in_words(row.state)),
)
"""The columns after those of the metrics."""
FACT = {fact.name: fact for fact in (*FACTS, *LAST_FACTS)}


class RunTable(ColumnList[Row]):
    """Runs and published results. Of comparable figures in a column, the best is underlined."""

    has_header = True

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.queue_state = QueueState()
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
        self._metrics: Sequence[str] = RUN_METRICS
        self._best: dict[tuple[Protocol, str], float] = {}
        self._named = False
        """Whether any run has a name, so that there is a column of names."""

    def row_key(self, row: Row) -> object:
        """Return the number of a run, or what identifies a published result."""
        return row.id or (row.name, row.model, row.split)

    # Content

    def show(self, rows: Sequence[Row], queue_state: QueueState) -> None:
        """Show these runs and published results; their states depend on ``queue_state``."""
        measured = [row for row in rows if row.metrics]
        named = any(isinstance(row, Run) and row.name for row in rows)
        # While a run trains, usually only its progress changes: then redraw only the rows that changed.
        only_changed = (queue_state, measured, named) == (self.queue_state, self._measured, self._named)
        self._all, self.queue_state, self._named = rows, queue_state, named
        numbers = {row.id for row in rows}
        self.marked = [number for number in self.marked if number in numbers]
        if self.baseline not in numbers:
            self.baseline = None
        self._baseline_row = self._row_of(self.baseline)
        if measured != self._measured:
            self._measure(measured)
        self.rearrange(only_changed=only_changed)

    def _measure(self, measured: list[Row]) -> None:
        """Collect the metrics of these rows, and the best value of each."""
        self._measured = measured
        self._metrics = list(dict.fromkeys([*RUN_METRICS, *(name for row in measured for name in row.metrics)]))
        self._best = {}
        for row in measured:
            for metric, value in row.metrics.items():
                key = (row.protocol, metric)
                better = max if higher_is_better(metric) else min
                self._best[key] = better(self._best.get(key, value), value)

    def rearrange(self, *, only_changed: bool = False) -> None:
        """Filter and sort again; the cursor stays on its row. With ``only_changed``, redraw only the changed rows."""
        wanted = self.filter_text.casefold().split()
        rows = [row for row in self._all if all(self._begins(row, word) for word in wanted)]
        rows = self._sorted(rows)
        self.fill(len(rows), 0, rows, follow=True, only_changed=only_changed)

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

    @staticmethod
    def _value(row: Row, column: str) -> str | float | None:
        """Return the value that a row is sorted by; rows for which it is ``None`` always come last."""
        return FACT[column].order(row) if column in FACT else row.metrics.get(column)

    def sort(self, column: str) -> None:
        """Sort by a column, a metric with the best value first; if it is the current column, reverse the order."""
        self.is_reversed = column == self.sorted_by and not self.is_reversed
        self.sorted_by = column
        self.rearrange()

    def column_names(self) -> list[str]:
        """Return all columns that the table can be sorted by, including those for which there is no room."""
        first = [fact.name for fact in FACTS if fact.name != "name" or self._named]
        return [*first, *self._metrics, *(fact.name for fact in LAST_FACTS)]

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
        """Return the columns for which there is room; metrics make way for the column that the table is sorted by."""
        facts = [fact for fact in FACTS if width >= fact.minimum and (fact.name != "name" or self._named)]
        if self.sorted_by in FACT and FACT[self.sorted_by] not in (*facts, *LAST_FACTS):
            facts.insert(0, FACT[self.sorted_by])
        room = width - MARK_CELLS - sum(fact.cells for fact in (*facts, *LAST_FACTS))
        return [
            Column("", MARK_CELLS, self._marks),
            *map(self._fact_column, facts),
            *(self._metric_column(name, cells) for name, cells in self._metrics_in(room)),
            *map(self._fact_column, LAST_FACTS),
        ]

    def _metrics_in(self, room: int) -> list[tuple[str, int]]:
        """Return the metrics for which there is room, with their widths.

        If there is no room for the metric that the table is sorted by, leave out the first metrics instead.
        """
        metrics = [(name, DIFFERENCE_CELLS if self.baseline else max(9, len(name) + 3)) for name in self._metrics]
        if self.sorted_by in self._metrics:
            index = list(self._metrics).index(self.sorted_by)
            while index > 0 and sum(cells for _, cells in metrics[: index + 1]) > room:
                metrics.pop(0)
                index -= 1
        shown = []
        for name, cells in metrics:
            if cells > room:
                break
            room -= cells
            shown.append((name, cells))
        return shown

    def _heading(self, name: str) -> str:
        """Return the heading of a column, with an arrow if the table is sorted by it."""
        lowest_first = (higher_is_better(name) or name == "run") == self.is_reversed
        arrow = ("▲" if lowest_first else "▼") if name == self.sorted_by else ""
        return f"{name}{arrow} "

    def _fact_column(self, fact: Fact) -> Column[Row]:
        def cell(row: Row, cells: int) -> Line:
            quiet = "quiet" if isinstance(row, PublishedRow) or row.id in self.queue_state.positions else ""
            return [(text.cut(f"{fact.text(row, self.queue_state)} ", cells, right=fact.right), quiet)]

        return Column(self._heading(fact.name), fact.cells, cell, right=fact.right, key=fact.name)

    def _metric_column(self, name: str, cells: int) -> Column[Row]:
        return Column(
            self._heading(name), cells, lambda row, cells: self._figure(row, name, cells), right=True, key=name
        )

    def _marks(self, row: Row, cells: int) -> str:
        """Return signs for a run that is marked (x), and for the baseline (=) or the run in use (●)."""
        in_use = row.id and row.id == self.queue_state.in_use
        sign = "=" if row.id and row.id == self.baseline else "●" if in_use else " "
        return f"{'x' if row.id in self.marked else ' '}{sign} "

    def _figure(self, row: Row, name: str, cells: int) -> Line:
        value = self._figure_text(row, name)
        best = self._best.get((row.protocol, name)) == row.metrics.get(name)
        if value and best:
            return [(" " * (cells - len(value) - 1), ""), (value, "best"), (" ", "")]
        return [(text.cut(f"{value} ", cells, right=True), "")]

    def _figure_text(self, row: Row, name: str) -> str:
        """Return a metric or, with a comparable baseline, the difference from the baseline's metric.

        If the interval of the difference is known, half its width follows.
        """
        if name not in row.metrics:
            return ""
        base = self._baseline_row
        value = row.metrics[name]
        comparable = base is not None and (
            (row.dataset, row.split, row.split_seed) == (base.dataset, base.split, base.split_seed)
        )
        if base is None or row is base or not comparable or name not in base.metrics:
            return text.figure(value)
        difference = f"{'+' if value >= base.metrics[name] else ''}{text.decimals(value - base.metrics[name], 4)}"
        interval = self.intervals.get(row.id, {}).get(name)
        return difference + (f" ±{text.decimals((interval.high - interval.low) / 2, 4)}" if interval else "")
