"""The cleaning rules on the Data screen, and the rows that a rule removes."""

from collections.abc import Sequence

from rich.cells import cell_len

from movietui.data.language import tr
from movietui.formatting import text
from movietui.protocol.messages import RemovedRows, RuleRow
from movietui.ui.widgets.columns import REST, Column, ColumnList
from movietui.ui.widgets.line_view import Line
from movietui.ui.widgets.row_list import RowList

FEWEST_CELLS = 16
"""The least width of a rule that is off, in cells; if the words beside it leave less, only their figure is shown."""


class RuleList(ColumnList[RuleRow]):
    """What each rule removes or changes. A rule that differs from the stored cleaning is marked."""

    has_header = True

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.applied: frozenset[tuple[str, int]] = frozenset()
        """The rules that are on in the stored cleaning, each with its number."""

    def row_key(self, row: RuleRow) -> str:
        """Return the id of the rule."""
        return row["rule"]

    def columns(self, width: int) -> Sequence[Column[RuleRow]]:
        """Return columns for the rule and as many of its counts as there is room for.

        ``before`` is how many rows the rule above left.
        """
        most = max((row["before"] for row in self.known_rows()), default=0)
        cells = max(8, len(f"{most:,}") + 2)
        before: Column[RuleRow] = Column(tr("before"), cells, lambda row, _: f"{row['before']:,}", right=True)
        return [
            Column(tr("    rule"), REST, self._rule),
            *([before] if width >= 30 + 3 * cells else []),
            Column(tr("removed"), cells, _removed, right=True),
            *([Column(tr("left"), cells, _left, right=True)] if width >= 18 + 2 * cells else []),
        ]

    def draw(self, row: RuleRow, width: int) -> Line:
        """Draw one rule. A rule that is off is dimmed and says what it would do."""
        if row["on"]:
            return super().draw(row, width)
        effect = _effect_if_on(row)
        if width - len(effect) < FEWEST_CELLS:
            effect = f" {_removed(row, width)}"
        pieces = [*self._rule(row, width - len(effect)), (effect, "")]
        return [(piece, style or "quiet") for piece, style in pieces]

    def _rule(self, row: RuleRow, width: int) -> Line:
        sign = "▪" if row["always"] else "x" if row["on"] else " "
        changed = row["on"] != ((row["rule"], row["number"]) in self.applied)
        mark = (f"[{sign}]*", "up") if changed else (f"[{sign}] ", "")
        return [mark, (text.cut(row["title"], width - 5), "")]  # the cell at the end stays free


def _removed(row: RuleRow, width: int) -> str:
    """Return how many rows a rule removes, or how many values it changes."""
    return f"{row['changed'] or row['removed']:,}"


def _effect_if_on(row: RuleRow) -> str:
    """Return what a rule that is off would do: `` would remove 85``."""
    if row["changed"]:
        return tr(" would change {changed:,}", changed=row["changed"])
    return tr(" would remove {removed:,}", removed=row["removed"])


def _left(row: RuleRow, width: int) -> str:
    return tr("changed") if row["changed"] else f"{row['before'] - row['removed']:,}"


class RemovedList(RowList[list[str | int | float]]):
    """The rows that a rule removes. The widest column gets the cells that the others leave."""

    has_header = True

    def __init__(self, *, id: str, classes: str = "") -> None:
        super().__init__(id=id, classes=classes)
        self._columns: Sequence[str] = ()
        self._widths: Sequence[int] = ()
        self._numbers: Sequence[bool] = ()

    def show(self, removed: RemovedRows) -> None:
        """Show the first rows that a rule removes, with columns as wide as their values."""
        self._columns = removed["columns"]
        cells = [[_cell(cell) for cell in row] for row in removed["rows"]]
        self._widths = [
            max([cell_len(column), *(cell_len(row[index]) for row in cells)])
            for index, column in enumerate(self._columns)
        ]
        self._numbers = [
            bool(removed["rows"]) and not isinstance(removed["rows"][0][index], str)
            for index in range(len(self._columns))
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

    def header(self, width: int) -> str:
        """Return the headings."""
        return self._fitted(self._columns, width)

    def draw(self, row: list[str | int | float], width: int) -> Line:
        """Draw one row."""
        return [(self._fitted([_cell(cell) for cell in row], width), "")]


def _cell(cell: str | int | float) -> str:
    return cell if isinstance(cell, str) else f"{cell:g}" if isinstance(cell, float) else str(cell)
