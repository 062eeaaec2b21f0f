"""The losses of a run by epoch or by stage, on the Train screen."""

from collections.abc import Sequence

from movietui.formatting import text
from movietui.formatting.run_progress import has_stages, loss_headings
from movietui.protocol.jobs import EpochRow
from movietui.ui.widgets.columns import Column, ColumnList

USED = " ●"
ROOMY = 29
"""The width in cells from which the columns have their full headings."""


class EpochList(ColumnList[EpochRow]):
    """Both losses of each epoch or stage, newest first; the epoch that the model is taken from is marked."""

    has_header = True

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.used: int | None = None
        """The epoch that the model is taken from, if it is known."""

    def columns(self, width: int) -> Sequence[Column[EpochRow]]:
        """Return columns for the epoch or stage, its losses and the mark of the used epoch."""
        train, validation, heading = (9, 12, "validation") if width >= ROOMY else (8, 8, "valid")
        rows = self.known_rows()
        first, second = loss_headings(rows)
        losses = [
            Column[EpochRow](second, train, lambda row, _: _loss(row["train_loss"]), right=True),
            Column[EpochRow](heading, validation, lambda row, _: _loss(row["validation_loss"]), right=True),
        ]
        if has_stages(rows):
            return [Column(first, 9, lambda row, cells: text.cut(row.get("stage", ""), cells)), *losses]
        return [
            Column(first, 6, lambda row, _: str(row["epoch"]), right=True),
            *losses,
            Column("", len(USED), lambda row, _: USED if row["epoch"] == self.used else ""),
        ]


def _loss(value: float | None) -> str:
    return f"{value:.4f}" if value is not None else ""
