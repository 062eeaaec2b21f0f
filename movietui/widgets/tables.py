"""The small tables: datasets, the cleaning report, models, epochs and runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.style import Style
from rich.text import Text

from movietui import text
from movietui.replies import DatasetRow, ModelRow
from movietui.store import Run
from movietui.widgets.row_list import RowList

METRICS = ("rmse", "mae", "accuracy", "ndcg@10")
LOWER_IS_BETTER = ("rmse", "mae")


@dataclass(frozen=True)
class OpenPath:
    """The row that opens files of the person's own."""


class DatasetList(RowList[DatasetRow | OpenPath]):
    """Datasets that are here or can be fetched, then the row for files of the person's own."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.open_name = ""

    def draw(self, row: DatasetRow | OpenPath, index: int, width: int, *, under_cursor: bool) -> Text:
        """Draw one dataset."""
        if isinstance(row, OpenPath):
            return text.fitted("   open a folder or zip", width)
        tail = {"ready": f"{row['ratings']:,}", "invented": "invented"}.get(
            row["state"], f"get {text.size(row['bytes'])}"
        )
        mark = "●" if row["name"] == self.open_name else " "
        name = text.fitted(f" {mark} {row['name']} ", width - len(tail) - 1)
        return name + Text(f"{tail} ", self.style("quiet"))


class ReportList(RowList[dict[str, Any]]):
    """What each rule of cleaning took away."""

    @staticmethod
    def _cells(width: int) -> tuple[int, int]:
        number = 9 if width >= 60 else 8
        return max(8, width - 3 - 3 * number), number

    def head(self, width: int) -> Text:
        """Return the names of the columns."""
        name, number = self._cells(width)
        line = text.fitted("   rule", name + 3)
        for column in ("before", "removed", "left"):
            line.append_text(text.fitted(column, number, right=True))
        return line

    def draw(self, row: dict[str, Any], index: int, width: int, *, under_cursor: bool) -> Text:
        """Draw one rule; in brackets what a rule that is off would take."""
        name, number = self._cells(width)
        quiet = Style() if row["on"] else self.style("quiet")
        left = row["before"] - row["removed"]
        line = Text(" ✔ " if row["on"] else " – ", quiet)
        line.append_text(text.fitted(Text(row["title"], quiet), name))
        removed = f"{row['removed']:,}" if row["on"] else f"({row['removed']:,})"
        cells = [f"{row['before']:,}", removed, f"{left:,}" if row["on"] else "would"]
        for cell in cells:
            line.append_text(text.fitted(Text(cell, quiet), number, right=True))
        return line


class ModelList(RowList[ModelRow]):
    """The models that can be trained."""

    def draw(self, row: ModelRow, index: int, width: int, *, under_cursor: bool) -> Text:
        """Draw one model."""
        return text.fitted(f" {row['name']}", width)


class EpochList(RowList[dict[str, Any]]):
    """The losses by epoch, newest first, the best marked."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.best: int | None = None

    def head(self, width: int) -> Text:
        """Return the names of the columns."""
        return Text(" epoch    train  validation")

    def draw(self, row: dict[str, Any], index: int, width: int, *, under_cursor: bool) -> Text:
        """Draw one epoch."""
        validation = f"{row['validation_loss']:.4f}" if row["validation_loss"] is not None else ""
        best = " ●" if row["epoch"] == self.best else ""
        return text.fitted(f"{row['epoch']:>6} {row['train_loss']:>8.4f} {validation:>11}{best}", width)


class RunList(RowList[Run]):
    """All runs with what was measured; the best of those that can be compared is underlined."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.in_use: int | None = None
        self._best: dict[tuple[str, str, str, str], float] = {}

    def name_of(self, row: Run) -> int:
        """Return the number of the run."""
        return row.id

    def show(self, runs: Sequence[Run], in_use: int | None) -> None:
        """Show these runs."""
        self.in_use = in_use
        self._best = {}
        for run in runs:
            for metric in METRICS:
                if metric in run.metrics:
                    key = (run.dataset, run.cleaning, run.split, metric)
                    better = min if metric in LOWER_IS_BETTER else max
                    self._best[key] = better(self._best.get(key, run.metrics[metric]), run.metrics[metric])
        self.fill(len(runs), 0, list(runs), follow=True)

    @staticmethod
    def _columns(width: int) -> list[tuple[str, int]]:
        room = [("model", 12), ("split", 10), ("rmse", 8), ("mae", 8)]
        if width >= 90:
            room = [("run", 5), ("model", 16), ("dataset", 18), ("cleaning", 10), *room[1:]]
        room += [("accuracy", 10)] * (width >= 80) + [("ndcg@10", 9)] * (width >= 58)
        return [*room, ("fit", 9), ("state", 11)]

    def head(self, width: int) -> Text:
        """Return the names of the columns."""
        line = Text("   ")
        for name, cells in self._columns(width):
            line.append_text(text.fitted(f"{name} ", cells, right=name in (*METRICS, "fit", "run")))
        return line

    def draw(self, row: Run, index: int, width: int, *, under_cursor: bool) -> Text:
        """Draw one run."""
        line = Text(" ● " if row.id == self.in_use else "   ")
        for name, cells in self._columns(width):
            line.append_text(self._cell(row, name, cells))
        return line

    def _cell(self, row: Run, name: str, cells: int) -> Text:
        if name in METRICS:
            value = row.metrics.get(name)
            if value is None:
                return Text(" " * cells)
            best = self._best.get((row.dataset, row.cleaning, row.split, name)) == value
            return text.fitted(Text.assemble((f"{value:.4f}", "underline" if best else ""), " "), cells, right=True)
        if name == "fit":
            return text.fitted(f"{text.duration(row.seconds)} " if row.seconds else "", cells, right=True)
        if name == "run":
            return text.fitted(f"{row.id} ", cells, right=True)
        if name == "state":
            return text.fitted("in use" if row.id == self.in_use else row.state, cells)
        return text.fitted(f"{getattr(row, name)} ", cells)
