"""The panel that asks for a named list, such as a shelf, whose movies alone are then listed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from movietui.data.language import tr
from movietui.data.query.list_conditions import command, folded
from movietui.formatting import text
from movietui.protocol.viewers import ViewerRef
from movietui.state.session import NamedListRow
from movietui.ui.bindings import back_key, choose_key, hint, key_on
from movietui.ui.screens import Panel
from movietui.ui.widgets.columns import REST, Column, ColumnList
from movietui.ui.widgets.row_list import RowList

if TYPE_CHECKING:
    from movietui.ui.app import MovieTui

ALL = NamedListRow("", (), 0)
"""The row that stands for all movies."""


class ListRows(ColumnList[NamedListRow]):
    """The lists of the viewers. Those in the filter are marked."""

    DEFAULT_CSS = "ListRows { height: auto; max-height: 16; min-height: 2; margin: 0 0 1 0; }"
    has_header = True

    def __init__(self, current: Collection[str], *, together: bool) -> None:
        """``current``: the names of the lists in the filter, ``folded``."""
        super().__init__(id="lists")
        self._current, self._together = current, together

    def row_key(self, row: NamedListRow) -> str:
        """Return the name of the list."""
        return row.name

    def columns(self, width: int) -> Sequence[Column[NamedListRow]]:
        """Return columns for the mark of lists in the filter, the name, the owners (if several) and the movies."""
        whose: Column[NamedListRow] = Column(
            f"  {tr('whose')}", min(24, width // 3), lambda row, _: f"  {_names(row.viewers)}", style="quiet"
        )
        return [
            Column("", 3, lambda row, _: " ● " if folded(row.name) in self._current else "   "),
            Column(tr("list"), REST, lambda row, _: row.name or tr("all movies")),
            *([whose] if self._together else []),
            Column(
                f"{tr('movies')} ", 9, lambda row, _: f"{row.movies:,} " if row.name else "", right=True, style="quiet"
            ),
        ]


def _names(viewers: Sequence[ViewerRef]) -> str:
    return text.enumerate_names([ref.label for ref in viewers])


class ListsPanel(Panel[str | None]):
    """Lists the viewers' named lists. Ends with the name of the chosen list, ``""`` for all movies, or ``None``."""

    DEFAULT_CSS = "ListsPanel #how { height: auto; color: $text-muted; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        back_key(),
        Binding("c", "dismiss(None)", tr("Back"), id="browse.lists"),
        choose_key("choose", tr("Choose")),
    ]

    def __init__(
        self, rows: Sequence[NamedListRow], viewers: Sequence[ViewerRef], dataset: str, current: Collection[str]
    ) -> None:
        """``dataset``: the open dataset. ``current``: see ``ListRows``."""
        super().__init__()
        self._rows = [*([ALL] if current else []), *rows]
        self._viewers, self._dataset, self._current = tuple(viewers), dataset, current

    def compose(self) -> ComposeResult:
        """Show the lists, and how to make one."""
        with Vertical(classes="panel") as panel:
            panel.border_title = Content(tr("Lists of {viewers}", viewers=_names(self._viewers)))
            chooses = [("panel.choose", tr("only this list"))] if self._rows else []
            panel.border_subtitle = Content(hint(self, *chooses, ("panel.back", tr("back"))))
            if self._rows:
                yield ListRows(self._current, together=len(self._viewers) > 1)
            yield Static(self._how(), id="how", markup=False)

    def on_mount(self) -> None:
        """Show the lists, with the cursor on the first one that is in the filter."""
        if self._rows:
            lists = self.query_one(ListRows)
            lists.fill(len(self._rows), 0, self._rows)
            named = [folded(row.name) in self._current for row in self._rows]
            lists.cursor = named.index(True) if True in named else 0
            self.set_focus(lists)

    def _how(self) -> str:
        """Return which movies are counted or, if there is no list, how to make one."""
        if self._rows:
            return tr("Only movies in {dataset} are counted.", dataset=self._dataset)
        profiles = [ref.id for ref in self._viewers if ref.kind == "profile"]
        if not profiles:
            from movietui.ui.browse.screen import BrowseScreen

            new = key_on(BrowseScreen, cast("MovieTui", self.app), "browse.new")
            return tr("Users of a dataset have no lists. {key} makes a profile, which can have lists.", key=new)
        shelf = tr("There is no list yet. A shelf lists the movies in one of your folders:")
        others = tr("Any other list, movie by movie or from a file:")
        return (
            f"{shelf}\n\n"
            f"{command(profiles[0], 'scan FOLDER')}\n\n"
            f"{others}\n\n"
            f"{command(profiles[0], 'add NAME MOVIE')}\n{command(profiles[0], 'import FILE')}"
        )

    @on(RowList.Clicked)
    def action_choose(self) -> None:
        """End with the selected list."""
        row = self.query_one(ListRows).current if self._rows else None
        self.dismiss(None if row is None else row.name)
