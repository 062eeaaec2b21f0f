"""The models on the left of the Train screen."""

from collections.abc import Sequence

from movietui.data.language import tr
from movietui.formatting.explanations import model_lines
from movietui.formatting.text import cut
from movietui.models.choices import RECOMMENDED
from movietui.protocol.messages import ModelRow
from movietui.ui.widgets.columns import REST, Column, ColumnList
from movietui.ui.widgets.line_view import Line


class ModelList(ColumnList[ModelRow]):
    """The models that can be trained. A tooltip says what each is; the form says it of the selected one."""

    def explain(self, x: int, y: int) -> str:
        """Explain the model under the mouse."""
        row = self.row_on_line(y)
        return "\n".join(model_lines(row)) if row is not None else ""

    def columns(self, width: int) -> Sequence[Column[ModelRow]]:
        """Return columns for the name, and for whether the model is the recommended one or that of a plug-in."""
        return [
            Column("", 16, lambda row, _: [(f" {row['name']}", "")]),
            Column("", REST, _note, right=True),
        ]


def _note(row: ModelRow, width: int) -> str | Line:
    note = tr("recommended") if row["name"] == RECOMMENDED else tr("plug-in") if row["package"] else ""
    return [(cut(f"{note} ", width, right=True), "quiet")] if note else ""
