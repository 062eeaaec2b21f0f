"""The losses of a run by epoch or by stage, on the Train screen."""

from collections.abc import Sequence

from movietui.data.language import tr
from movietui.formatting import text
from movietui.formatting.run_progress import has_stages, has_validation, loss_headings, loss_text
from movietui.models.choices import CLOSED_FORM, TRAIN_LOSSES
from movietui.protocol.jobs import EpochRow
from movietui.ui.widgets.columns import Column, ColumnList

USED = " ●"
ROOMY = 29
"""The width in cells from which the columns of epochs have their full headings."""
STAGE = len(CLOSED_FORM)
"""The width of the names of stages."""


class EpochList(ColumnList[EpochRow]):
    """Both losses of each epoch or stage, newest first; the epoch that the model is taken from is marked."""

    has_header = True

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.used: int | None = None
        """The epoch that the model is taken from, if it is known."""
        self.model = ""
        """The model whose epochs are listed."""

    def explain(self, x: int, y: int) -> str:
        """Explain the column whose heading is under the mouse; that of the train loss depends on the model."""
        words, column = super().explain(x, y), self.column_at(x)
        of_model = column is not None and "train" in column.terms and TRAIN_LOSSES.get(self.model)
        return f"{words}\n{self.model}: {of_model}" if words and of_model else words

    def columns(self, width: int) -> Sequence[Column[EpochRow]]:
        """Return columns for the epoch or stage, its losses and the mark of the used epoch."""
        rows = self.known_rows()
        staged, (first, second) = has_stages(rows), loss_headings(rows)
        roomy = width >= (STAGE + 21 if staged else ROOMY)
        train, validation, heading = (9, 12, tr("validation")) if roomy else (8, 8, tr("valid"))
        losses = [
            Column[EpochRow](
                tr(second), train, lambda row, _: loss_text(row["train_loss"]), right=True, terms=(second,)
            ),
            Column[EpochRow](
                heading,
                validation,
                lambda row, _: loss_text(row["validation_loss"]),
                right=True,
                terms=("validation",),
            ),
        ]
        if staged:
            stage = Column[EpochRow](
                tr(first), STAGE, lambda row, cells: text.cut(row.get("stage", ""), cells), terms=(first,)
            )
            return [stage, *(losses if has_validation(rows) or not rows else losses[:1])]
        return [
            Column(tr(first), 6, lambda row, _: str(row["epoch"]), right=True, terms=(first,)),
            *losses,
            Column("", len(USED), lambda row, _: USED if row["epoch"] == self.used else ""),
        ]
