"""The panel that asks which columns the table of runs has, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content

from movietui.data.language import tr
from movietui.ui.bindings import back_key, choose_key, hint
from movietui.ui.screens import Panel
from movietui.ui.widgets.columns import REST, Column, ColumnList
from movietui.ui.widgets.row_list import RowList
from movietui.ui.widgets.text_pane import TextPane
from movietui.ui.wording import term_named


class ColumnRows(ColumnList[str]):
    """All columns by name; those that are shown are marked."""

    def __init__(self, shown: Sequence[str]) -> None:
        super().__init__(id="columns")
        self.shown = {*shown}

    def columns(self, width: int) -> Sequence[Column[str]]:
        """Return columns for the mark and the name."""
        return [
            Column("", 4, lambda row, _: " ✓  " if row in self.shown else "    "),
            Column("", REST, lambda row, _: tr(row)),
        ]


class ColumnsPanel(Panel[list[str] | None]):
    """Ends with the names of the columns to show, in their order; empty for the usual ones, or ``None``."""

    DEFAULT_CSS = """
    ColumnsPanel Horizontal { height: 1fr; }
    ColumnsPanel ColumnRows { width: 24; }
    ColumnsPanel #meaning { width: 1fr; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        back_key(),
        choose_key("choose", tr("Show these")),
        Binding(
            "space", "show_or_hide", tr("Show or hide"), id="columns.toggle", tooltip=tr("Show or hide the column")
        ),
        Binding(
            "K,shift+up", "shift(-1)", tr("Earlier"), id="columns.earlier", tooltip=tr("Move the column to the left")
        ),
        Binding(
            "J,shift+down", "shift(1)", tr("Later"), id="columns.later", tooltip=tr("Move the column to the right")
        ),
        Binding("r", "dismiss([])", tr("The usual"), id="columns.usual", tooltip=tr("Show the usual columns")),
    ]

    def __init__(self, names: Sequence[str], shown: Sequence[str]) -> None:
        """``names``: all columns. ``shown``: those that are shown now, in their order."""
        super().__init__()
        self._names = list(dict.fromkeys([*shown, *names]))
        self._shown = shown

    def compose(self) -> ComposeResult:
        """Show the columns."""
        with Vertical(classes="panel wide") as panel:
            panel.border_title = tr("Columns, from left to right")
            panel.border_subtitle = Content(
                hint(
                    self,
                    ("columns.toggle", tr("show or hide")),
                    ("columns.earlier columns.later", tr("move")),
                    ("columns.usual", tr("the usual")),
                    ("panel.choose", tr("accept")),
                    ("panel.back", tr("back")),
                )
            )
            with Horizontal():
                yield ColumnRows(self._shown)
                yield TextPane(id="meaning")

    def on_mount(self) -> None:
        """List the columns."""
        self.rows.fill(len(self._names), 0, self._names)
        self.set_focus(self.rows)

    @on(RowList.Moved)
    def explain(self) -> None:
        """Explain the column under the cursor."""
        term = term_named(self.rows.current or "")
        lines = [Text(line) for line in term.meaning.splitlines()] if term else []
        self.query_one("#meaning", TextPane).show(
            Text("\n\n").join([Text(tr(self.rows.current) if self.rows.current else "", "bold"), *lines])
        )

    @property
    def rows(self) -> ColumnRows:
        """The columns."""
        return self.query_one(ColumnRows)

    def action_show_or_hide(self) -> None:
        """Show or hide the column under the cursor."""
        if self.rows.current is not None:
            self.rows.shown ^= {self.rows.current}
            self.rows.refresh()

    def action_shift(self, step: int) -> None:
        """Move the column under the cursor."""
        before = self.rows.cursor
        after = self.rows.validate_cursor(before + step)
        self._names.insert(after, self._names.pop(before))
        self.rows.fill(len(self._names), 0, self._names, follow=True)

    def action_choose(self) -> None:
        """End with the columns that are shown."""
        self.dismiss([name for name in self._names if name in self.rows.shown])
