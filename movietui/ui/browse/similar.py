"""More like this: lists the movies that are most like another one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from movietui.data.language import tr
from movietui.formatting import text
from movietui.protocol.messages import SimilarMovie
from movietui.ui.bindings import back_key, choose_key, hint
from movietui.ui.screens import Panel
from movietui.ui.widgets.columns import REST, Column, ColumnList
from movietui.ui.widgets.line_view import Line
from movietui.ui.widgets.row_list import RowList

ROOMY = 60
"""The least width, in cells, at which the list shows what movies have in common."""


class SimilarRows(ColumnList[SimilarMovie]):
    """The movies that are similar to another one, the most similar first."""

    DEFAULT_CSS = "SimilarRows { height: 1fr; }"
    has_header = True

    def columns(self, width: int) -> Sequence[Column[SimilarMovie]]:
        """Return columns for the similarity, the number of users who rated both movies, the title with what both have
        in common, the viewers' stars and marks, and the year. Columns without content are left out."""
        cells = max((cell_len(_given(row)) for row in self.known_rows()), default=0)
        given: Column[SimilarMovie] = Column(f" {tr('rated')}", max(7, cells + 2), lambda row, _: f" {_given(row)} ")
        both: Column[SimilarMovie] = Column(
            f" {tr('both rated')}  ", 13, lambda row, _: f" {row['common'] or 0:>10,}  ", style="quiet"
        )
        return [
            Column(f" {tr('alike')} ", 7, lambda row, _: f" {text.decimals(row['similarity']):>5} ", style="quiet"),
            *([both] if any(row["common"] is not None for row in self.known_rows()) else []),
            Column(tr("title"), REST, partial(_title_and_shared, roomy=width >= ROOMY)),
            *([given] if cells else []),
            Column("", 6, lambda row, _: f"{row['year'] or '':>5} ", style="quiet"),
        ]


def _given(row: SimilarMovie) -> str:
    return text.rated_and_marked(row["rated"], row["marked"])


def _title_and_shared(row: SimilarMovie, width: int, *, roomy: bool) -> Line:
    cells = width * 2 // 5 if roomy else 0
    shared = text.cut(f"  {', '.join(row['shared'])}", cells)
    return [(text.cut(row["title"], width - cells), ""), (shared, "quiet")]


class SimilarPanel(Panel[str | None]):
    """Lists movies that are similar to another one. Ends with the id of the chosen movie, or ``None``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        back_key(),
        Binding("m", "dismiss(None)", tr("Back"), id="browse.similar"),
        choose_key("choose", tr("Open")),
    ]

    def __init__(self, title: str, rows: Sequence[SimilarMovie]) -> None:
        super().__init__()
        self._title, self._rows = title, list(rows)

    def compose(self) -> ComposeResult:
        """Show the movies."""
        with Vertical(classes="panel wide") as panel:
            panel.border_title = Content(tr("More like {movie}", movie=self._title))
            panel.border_subtitle = Content(hint(self, ("panel.choose", tr("open")), ("panel.back", tr("back"))))
            yield SimilarRows(id="similar")

    def on_mount(self) -> None:
        """Fill the list."""
        rows = self.query_one(SimilarRows)
        rows.fill(len(self._rows), 0, self._rows)
        rows.set_placeholder(tr("There is no other movie in this dataset."))

    @on(RowList.Clicked)
    def action_choose(self) -> None:
        """End with the selected movie."""
        row = self.query_one(SimilarRows).current
        if row is not None:
            self.dismiss(row["id"])
