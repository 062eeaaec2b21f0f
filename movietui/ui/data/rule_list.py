"""The small tables: datasets, the rules of cleaning and the rows they took, models and epochs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len

from movietui import text
from movietui.replies import DatasetRow, ModelRow, RemovedRows, RuleRow
from movietui.runs import RECOMMENDED
from movietui.widgets.line_view import Line
from movietui.widgets.row_list import RowList


@dataclass(frozen=True)
class OpenPath:
    """The row that opens files of the person's own."""


class DatasetList(RowList[DatasetRow | OpenPath]):
    """Datasets that are here or can be fetched, then the row for files of the person's own."""

    def name_of(self, row: DatasetRow | OpenPath) -> object:
        """Return the name of the dataset."""
        return row if isinstance(row, OpenPath) else row["name"]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.open_name = ""

    def draw(self, row: DatasetRow | OpenPath, width: int) -> Line:
        """Draw one dataset."""
        if isinstance(row, OpenPath):
            return [("   open a folder or zip", "")]
        tail = {"ready": f"{row['ratings']:,}", "invented": "invented"}.get(
            row["state"], f"get {text.size(row['bytes'])}"
        )
        mark = "●" if row["name"] == self.open_name else " "
        return [(text.cut(f" {mark} {row['name']}", width - len(tail) - 2), ""), (f" {tail} ", "quiet")]


class RuleList(RowList[RuleRow]):
    """What each rule of cleaning takes; rules that were turned on or off since they were applied are marked."""

    has_head = True

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.applied: frozenset[tuple[str, int]] = frozenset()
        """The rules that are on in what is stored, each with its number."""

    def name_of(self, row: RuleRow) -> str:
        """Return the id of the rule."""
        return row["rule"]

    def _columns(self, width: int) -> tuple[Sequence[str], int]:
        """The columns of numbers, and how wide each is; what a narrow list leaves out stands one row higher."""
        most = max((row["before"] for row in self.known_rows()), default=0)
        each = max(8, len(f"{most:,}") + 2)
        return (("before", "removed", "left") if width >= 30 + 3 * each else ("removed", "left")), each

    def head(self, width: int) -> str:
        """Return the names of the columns."""
        columns, each = self._columns(width)
        numbers = "".join(text.cut(column, each, right=True) for column in columns)
        return text.cut("    rule", width - len(numbers)) + numbers

    def draw(self, row: RuleRow, width: int) -> Line:
        """Draw one rule; in brackets what a rule that is off would take."""
        columns, each = self._columns(width)
        sign = "▪" if row["always"] else "x" if row["on"] else " "
        turned = row["on"] != ((row["rule"], row["number"]) in self.applied)
        amount = row["changed"] or row["removed"]
        left = "changed" if row["changed"] else f"{row['before'] - row['removed']:,}"
        cells = {
            "before": f"{row['before']:,}",
            "removed": f"{amount:,}" if row["on"] else f"({amount:,})",
            "left": left if row["on"] else "would",
        }
        numbers = "".join(text.cut(cells[column], each, right=True) for column in columns)
        quiet = "" if row["on"] else "quiet"
        mark = (f"[{sign}]*", "up") if turned else (f"[{sign}] ", quiet)
        return [mark, (text.cut(row["title"], width - 5 - len(numbers)) + numbers, quiet)]


class RemovedList(RowList[list[str | int | float]]):
    """The rows that a rule took, as wide as their columns need."""

    has_head = True

    def __init__(self, *, id: str, classes: str = "") -> None:
        super().__init__(id=id, classes=classes)
        self._columns: Sequence[str] = ()
        self._widths: Sequence[int] = ()
        self._numbers: Sequence[bool] = ()

    def show(self, removed: RemovedRows) -> None:
        """Show the first rows of a rule; the widest column is the one that gives way."""
        self._columns = removed["columns"]
        cells = [[_cell(cell) for cell in row] for row in removed["rows"]]
        self._widths = [
            max([cell_len(column), *(cell_len(row[place]) for row in cells)])
            for place, column in enumerate(self._columns)
        ]
        self._numbers = [
            bool(removed["rows"]) and not isinstance(removed["rows"][0][place], str)
            for place in range(len(self._columns))
        ]
        self.cursor = 0
        self.fill(removed["total"], removed["offset"], removed["rows"])

    def _fitted(self, cells: Sequence[str], width: int) -> str:
        widths = list(self._widths)
        if widths:
            widest = widths.index(max(widths))
            widths[widest] = max(6, width - 1 - 2 * len(widths) - (sum(widths) - widths[widest]))
        parts = zip(cells, widths, self._numbers, strict=True)
        return " " + "  ".join(text.cut(cell, room, right=number) for cell, room, number in parts)

    def head(self, width: int) -> str:
        """Return the names of the columns."""
        return self._fitted(self._columns, width)

    def draw(self, row: list[str | int | float], width: int) -> Line:
        """Draw one row."""
        return [(self._fitted([_cell(cell) for cell in row], width), "")]


def _cell(cell: str | int | float) -> str:
    return cell if isinstance(cell, str) else f"{cell:g}" if isinstance(cell, float) else str(cell)


class ModelList(RowList[ModelRow]):
    """The models that can be trained."""

    def draw(self, row: ModelRow, width: int) -> Line:
        """Draw one model."""
        name = f" {row['name']}"
        if row["name"] != RECOMMENDED:
            return [(text.cut(name, width), "")]
        return [(name, ""), (text.cut("recommended ", width - len(name), right=True), "quiet")]


class EpochList(RowList[dict[str, Any]]):
    """The losses by epoch, newest first, the best marked."""

    has_head = True
    SIGN = " ●"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.best: int | None = None

    def _columns(self, width: int) -> dict[str, int]:
        """The columns and how wide each is; the sign of the best epoch stands behind them."""
        roomy = {"epoch": 6, "train": 9, "validation": 12}
        return roomy if sum(roomy.values()) + len(self.SIGN) <= width else {"epoch": 6, "train": 8, "valid": 8}

    def head(self, width: int) -> str:
        """Return the names of the columns."""
        return "".join(text.cut(name, cells, right=True) for name, cells in self._columns(width).items())

    def draw(self, row: dict[str, Any], width: int) -> Line:
        """Draw one epoch."""
        losses = [row["train_loss"], row["validation_loss"]]
        told = [str(row["epoch"]), *(f"{loss:.4f}" if loss is not None else "" for loss in losses)]
        cells = zip(told, self._columns(width).values(), strict=True)
        line = "".join(text.cut(value, each, right=True) for value, each in cells)
        return [(line + (self.SIGN if row["epoch"] == self.best else ""), "")]
