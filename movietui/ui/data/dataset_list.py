"""The datasets on the left of the Data screen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from movietui.data.language import tr
from movietui.formatting import text
from movietui.protocol.messages import DatasetRow
from movietui.ui.widgets.columns import REST, Column, ColumnList
from movietui.ui.widgets.line_view import Line


@dataclass(frozen=True)
class OpenPath:
    """The row that opens a person's own files."""


Entry = DatasetRow | OpenPath


NAME_CELLS = 19
"""The cells kept for the name of a dataset and its mark. The most useful of the other columns get the rest."""


class DatasetList(ColumnList[Entry]):
    """Datasets that are on disk or can be fetched, then the row for a person's own files."""

    has_header = True

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.open_name = ""
        """The dataset that Browse shows."""

    def row_key(self, row: Entry) -> object:
        """Return the name of the dataset, or ``OpenPath`` itself."""
        return row if isinstance(row, OpenPath) else row["name"]

    def columns(self, width: int) -> Sequence[Column[Entry]]:
        """Return a column for the name, and as many others as there is room for."""
        fitting, left = [], width - NAME_CELLS
        for column in COLUMNS:
            if column.cells > left:
                break
            fitting.append(column)
            left -= column.cells
        return [Column(tr(" dataset"), REST, self._label), *fitting]

    def _label(self, row: Entry, width: int) -> Line:
        if isinstance(row, OpenPath):
            return [(tr("   open folder or zip"), "")]
        mark = "●" if row["name"] == self.open_name else " "
        return [(text.cut(f" {mark} {row['name']}", width), "")]


def _column(heading: str, cells: int, value: Callable[[DatasetRow], str]) -> Column[Entry]:
    """Return a column with a figure of each dataset."""
    return Column(
        f"{heading} ",
        cells,
        lambda row, _: "" if isinstance(row, OpenPath) else f"{value(row)} ",
        right=True,
        style="quiet",
    )


def _size(row: DatasetRow) -> str:
    """Return the size on disk or of the download, or ``on cluster`` or ``invented``."""
    if row["state"] == "available":
        return tr("get {size}", size=text.size(row["download"]))
    if row["state"] == "cluster":
        return tr("on cluster")
    return text.size(row["bytes"]) if row["bytes"] else tr("invented")


COLUMNS = (
    _column(tr("size"), 11, _size),
    _column(tr("newest"), 8, lambda row: str(row["last_year"] or "")),
    _column(tr("first list"), 12, lambda row: text.until_list(row["seconds"])),
    _column(tr("ratings"), 11, lambda row: f"{row['ratings']:,}" if row["ratings"] else ""),
    _column(tr("movies"), 7, lambda row: f"{row['movies']:,}" if row["movies"] else ""),
    _column(tr("oldest"), 7, lambda row: str(row["first_year"] or "")),
    _column(tr("needs"), 8, lambda row: text.size(row["disk"]) if row["disk"] else ""),
)
"""The columns after the name, the most useful first."""
