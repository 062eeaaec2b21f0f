"""The table of all runs and what was reported elsewhere: sorted by any column, filtered, against a baseline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from textual import events

from movietui import text
from movietui.run_records import UNDER_WAY, Run
from movietui.runs import HIGHER_IS_BETTER
from movietui.widgets.line_view import Line
from movietui.widgets.row_list import RowList

METRICS = (
    *("rmse", "mae", "accuracy", "ndcg@10", "mse", "mse_scaled", "recall@10", "recall@20", "hit@10"),
    *("coverage@10", "novelty@10"),
)
"""In the order in which they give way; what else a run has comes behind."""
WORDS = ("model", "name", "dataset", "cleaning", "split", "state")
NUMBERS = ("run", "seed", "fit")
WITH_REACH = 16
"""Cells of a difference with its interval: ``-.0090 ±.0040``."""


@dataclass(frozen=True)
class Reported:
    """What the authors of a source system reported, as a row beside the runs."""

    name: str
    model: str
    dataset: str
    cleaning: str
    split: str
    metrics: Mapping[str, float]
    note: str
    state: str = "reported"
    id: int = 0
    """No run has it."""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Reported":
        """Make it of a row of the engine's answer."""
        return cls(*(row[name] for name in ("name", "model", "dataset", "cleaning", "split", "metrics", "note")))


Row = Run | Reported


@dataclass(frozen=True)
class Reach:
    """The interval of a difference, where one can be given."""

    low: float
    high: float


@dataclass
class Picture:
    """What the table knows beside its rows."""

    in_use: int | None = None
    places: Mapping[int, int] = field(default_factory=dict)
    """Of each run that waits here, its place in the queue from 1 on."""
    running: frozenset[int] = frozenset()
    """The runs that this window started and that are not over."""


class RunTable(RowList[Row]):
    """Runs and reported figures; of those that can be compared, the best in each column is underlined."""

    has_head = True
    FIXED: ClassVar[Mapping[str, int]] = {
        "run": 5,
        "model": 16,
        "name": 15,
        "dataset": 12,
        "cleaning": 10,
        "split": 10,
        "fit": 8,
        "state": 15,
    }

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.picture = Picture()
        self.sorted_by = ""
        """A column; empty for the order in which they began, what trains and waits first."""
        self.turned = False
        """Whether the order is the other way round."""
        self.words = ""
        """What is looked for: each word begins a model, dataset, split, state or name."""
        self.baseline: int | None = None
        """The run that the others are compared with."""
        self.reaches: dict[int, Mapping[str, Reach | None]] = {}
        """Of runs that were compared with the baseline: the interval of each metric's difference."""
        self.marked: list[int] = []
        """The runs to be compared, in the order in which they were marked."""
        self._all: Sequence[Row] = ()
        self._base: Row | None = None
        """The row of the baseline."""
        self._measured: list[Row] = []
        """The rows that have metrics."""
        self._metrics: Sequence[str] = METRICS
        self._best: dict[tuple[str, str, str, str], float] = {}
        self._named = False
        """Whether any run has a name, so that the names have a column."""

    def name_of(self, row: Row) -> object:
        """Return the number of the run, or the name of what was reported."""
        return row.id or (row.name, row.model, row.split)

    # Content

    def show(self, rows: Sequence[Row], picture: Picture) -> None:
        """Show these runs."""
        measured = [row for row in rows if row.metrics]
        named = any(isinstance(row, Run) and row.name for row in rows)
        # While a run goes on it is all that changes, and each of its steps comes here.
        alike = (picture, measured, named) == (self.picture, self._measured, self._named)
        self._all, self.picture, self._named = rows, picture, named
        known = {row.id for row in rows}
        self.marked = [number for number in self.marked if number in known]
        if self.baseline not in known:
            self.baseline = None
        self._base = self._row_of(self.baseline)
        if measured != self._measured:
            self._measure(measured)
        self.rearrange(alike=alike)

    def _measure(self, measured: list[Row]) -> None:
        """Take note of which metrics there are, and the best of each."""
        self._measured = measured
        self._metrics = list(dict.fromkeys([*METRICS, *(name for row in measured for name in row.metrics)]))
        self._best = {}
        for row in measured:
            for metric, value in row.metrics.items():
                key = (row.dataset, row.cleaning, row.split, metric)
                better = max if metric in HIGHER_IS_BETTER else min
                self._best[key] = better(self._best.get(key, value), value)

    def rearrange(self, *, alike: bool = False) -> None:
        """Filter and sort once more; the cursor stays on its row. With ``alike`` only rows that changed are drawn."""
        wanted = self.words.casefold().split()
        rows = [row for row in self._all if all(self._begins(row, word) for word in wanted)]
        rows = self._sorted(rows)
        self.fill(len(rows), 0, rows, follow=True, alike=alike)

    @staticmethod
    def _begins(row: Row, word: str) -> bool:
        told = (row.model, row.dataset, row.split, row.state, *row.name.split())
        return any(one.casefold().startswith(word) for one in told)

    def _sorted(self, rows: list[Row]) -> list[Row]:
        by = self.sorted_by
        if not by:
            places = self.picture.places

            def order(row: Row) -> tuple[int, float]:
                if row.state in UNDER_WAY:
                    return 0, row.id
                if row.id in places:
                    return 1, places[row.id]
                return (2, -row.id) if row.id else (3, 0)

            return sorted(rows, key=order)
        values = {id(row): self._value(row, by) for row in rows}
        there = [row for row in rows if values[id(row)] is not None]
        higher_first = by in HIGHER_IS_BETTER or by == "run"
        there.sort(key=lambda row: values[id(row)], reverse=higher_first != self.turned)  # type: ignore[arg-type,return-value]
        return there + [row for row in rows if values[id(row)] is None]

    @staticmethod
    def _value(row: Row, column: str) -> str | float | None:
        """What a row is sorted by; ``None`` where it has nothing there, which always comes last."""
        if column in WORDS:
            return str(getattr(row, column)).casefold() or None
        if column == "run":
            return row.id or None
        if column == "fit":
            return row.seconds if isinstance(row, Run) else None
        return row.metrics.get(column)

    def sort(self, column: str) -> None:
        """Sort by a column, best first; the other way round where it is sorted by that already."""
        self.turned = column == self.sorted_by and not self.turned
        self.sorted_by = column
        self.rearrange()

    def columns(self) -> list[str]:
        """Return all that it can be sorted by, also what has no room now."""
        names = ["name"] * self._named
        return ["run", "model", *names, "dataset", "cleaning", "split", *self._metrics, "fit", "state"]

    def mark(self, number: int) -> None:
        """Mark a run to be compared, or take its mark away."""
        if number in self.marked:
            self.marked.remove(number)
        else:
            self.marked.append(number)
        self.refresh()

    def compare_with(self, number: int | None) -> None:
        """Show differences to a run instead of figures."""
        self.baseline = number
        self._base = self._row_of(number)
        self.reaches = {}
        self.refresh()

    def _row_of(self, number: int | None) -> Row | None:
        return next((row for row in self._all if row.id == number), None) if number else None

    def comparable(self) -> list[Run]:
        """Return the runs in view that have figures and were not compared with the baseline yet."""
        top, height = self.scroll_offset.y, self.size.height
        in_view = self.known_rows()[top : top + height]
        return [
            row
            for row in in_view
            if isinstance(row, Run) and row.metrics and row.id != self.baseline and row.id not in self.reaches
        ]

    # Drawing

    def _columns(self, width: int) -> list[tuple[str, int]]:
        """The columns that have room; the one that it is sorted by is always among them."""
        names = ["model", "split", "fit", "state"]
        if width >= 90:
            names = ["run", "model", "dataset", "split", "fit", "state"]
        if width >= 130:
            names = [name for name in self.FIXED if name != "name"]
        if self._named:
            names.insert(names.index("model") + 1, "name")
        if self.sorted_by in self.FIXED and self.sorted_by not in names:
            names.insert(0, self.sorted_by)
        room = width - 3 - sum(self.FIXED[name] for name in names)
        metrics = [(name, WITH_REACH if self.baseline else max(9, len(name) + 3)) for name in self._metrics]
        if self.sorted_by in self._metrics:  # those before it give way
            place = list(self._metrics).index(self.sorted_by)
            while place > 0 and sum(cells for _, cells in metrics[: place + 1]) > room:
                metrics.pop(0)
                place -= 1
        shown = []
        for name, cells in metrics:
            if cells > room:
                break
            room -= cells
            shown.append((name, cells))
        split = names.index("fit")
        fixed = [(name, self.FIXED[name]) for name in names]
        return [*fixed[:split], *shown, *fixed[split:]]

    def head(self, width: int) -> str:
        """Return the names of the columns; an arrow stands at the one that it is sorted by."""
        line = "   "
        for name, cells in self._columns(width):
            lowest_first = (name in HIGHER_IS_BETTER or name == "run") == self.turned
            arrow = ("▲" if lowest_first else "▼") if name == self.sorted_by else ""
            line += text.cut(f"{name}{arrow} ", cells, right=name in NUMBERS or name in self._metrics)
        return line

    def draw(self, row: Row, width: int) -> Line:
        """Draw one row."""
        sign = "=" if row.id and row.id == self.baseline else "●" if row.id and row.id == self.picture.in_use else " "
        line: Line = [(f"{'x' if row.id in self.marked else ' '}{sign} ", "")]
        for name, cells in self._columns(width):
            if name not in self._metrics:
                quiet = "quiet" if isinstance(row, Reported) or row.id in self.picture.places else ""
                line.append((text.cut(f"{self._cell(row, name)} ", cells, right=name in NUMBERS), quiet))
                continue
            value = self._figure(row, name)
            best = self._best.get((row.dataset, row.cleaning, row.split, name)) == row.metrics.get(name)
            if value and best:
                line += [(" " * (cells - len(value) - 1), ""), (value, "best"), (" ", "")]
            else:
                line.append((text.cut(f"{value} ", cells, right=True), ""))
        return line

    def _figure(self, row: Row, name: str) -> str:
        """A metric, or by how much it is above the baseline's."""
        if name not in row.metrics:
            return ""
        base = self._base
        value = row.metrics[name]
        comparable = base is not None and (row.dataset, row.split) == (base.dataset, base.split)
        if base is None or row is base or not comparable or name not in base.metrics:
            return f"{value:.4f}"
        told = f"{'+' if value >= base.metrics[name] else ''}{text.decimals(value - base.metrics[name], 4)}"
        reach = self.reaches.get(row.id, {}).get(name)
        return told + (f" ±{text.decimals((reach.high - reach.low) / 2, 4)}" if reach else "")

    def _cell(self, row: Row, name: str) -> str:
        if name == "run":
            return str(row.id or "")
        if name == "fit":
            return text.short_duration(row.seconds) if isinstance(row, Run) and row.seconds else ""
        if name == "state" and isinstance(row, Run):
            return self._state(row)
        if name == "name" and isinstance(row, Reported):
            return ""
        if name == "model" and isinstance(row, Reported):
            return f"{row.name.split()[0]} {row.model}"
        return str(getattr(row, name))

    def _state(self, row: Run) -> str:
        if row.id == self.picture.in_use:
            return "in use"
        if row.id in self.picture.places:
            return f"waits, {self.picture.places[row.id]}"
        if row.state == "queued":
            return "waits elsewhere"
        if row.state in UNDER_WAY and row.progress:
            word = "paused" if row.state == "paused" else "epoch"
            return f"{word} {row.progress['epoch']}/{row.progress['of']}"
        return row.state

    def on_click(self, event: events.Click) -> None:
        """Sort by the column whose name was clicked; elsewhere the cursor goes."""
        if event.y > 0:
            return  # the list itself listens too
        left = 3
        for name, cells in self._columns(self.scrollable_content_region.width):
            left += cells
            if event.x < left:
                self.sort(name)
                return
