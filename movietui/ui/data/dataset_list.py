"""The datasets on the left of the Data screen."""

from collections.abc import Sequence
from dataclasses import dataclass

from movietui.formatting import text
from movietui.protocol.messages import DatasetRow
from movietui.ui.widgets.columns import REST, Column, ColumnList
from movietui.ui.widgets.line_view import Line


@dataclass(frozen=True)
class OpenPath:
    """The row that opens a person's own files."""


Entry = DatasetRow | OpenPath


class DatasetList(ColumnList[Entry]):
    """Datasets that are on disk or can be fetched, then the row for a person's own files."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.open_name = ""
        """The dataset that Browse shows."""

    def row_key(self, row: Entry) -> object:
        """Return the name of the dataset; the row for a person's own files is its own key."""
        return row if isinstance(row, OpenPath) else row["name"]

    def columns(self, width: int) -> Sequence[Column[Entry]]:
        """Return columns for the name and the size of the dataset."""
        return [Column("", REST, self._label), Column("", 10, _amount)]

    def _label(self, row: Entry, width: int) -> Line:
        if isinstance(row, OpenPath):
            return [("   open a folder or zip", "")]
        mark = "●" if row["name"] == self.open_name else " "
        return [(text.cut(f" {mark} {row['name']}", width), "")]


def _amount(row: Entry, width: int) -> Line:
    """Return the number of ratings or, for a dataset that is not on disk, the size of the download.

    For the demo, return ``invented``; for the row of a person's own files, nothing.
    """
    if isinstance(row, OpenPath):
        return []
    amounts = {"ready": f"{row['ratings']:,}", "invented": "invented"}
    download = f"get {text.size(row['bytes'])}"
    return [(f" {amounts.get(row['state'], download)} ", "quiet")]
