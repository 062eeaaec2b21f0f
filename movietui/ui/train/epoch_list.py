"""The losses of a run by epoch, on the Train screen."""

from collections.abc import Sequence

from movietui.protocol.jobs import EpochRow
from movietui.ui.widgets.columns import Column, ColumnList

BEST = " ●"
ROOMY = 29
"""The width in cells from which the columns have their full headings."""


class EpochList(ColumnList[EpochRow]):
    """Train and validation loss by epoch, newest first, the best epoch marked."""

    has_header = True

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.best: int | None = None
        """The epoch with the lowest validation loss."""

    def columns(self, width: int) -> Sequence[Column[EpochRow]]:
        """Return columns for the epoch, its losses and the mark of the best one."""
        train, validation, heading = (9, 12, "validation") if width >= ROOMY else (8, 8, "valid")
        return [
            Column("epoch", 6, lambda row, _: str(row["epoch"]), right=True),
            Column("train", train, lambda row, _: _loss(row["train_loss"]), right=True),
            Column(heading, validation, lambda row, _: _loss(row["validation_loss"]), right=True),
            Column("", len(BEST), lambda row, _: BEST if row["epoch"] == self.best else ""),
        ]


def _loss(value: float | None) -> str:
    return f"{value:.4f}" if value is not None else ""
