"""More like this: lists the movies that are most like another one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from movietui.formatting import text
from movietui.protocol.messages import SimilarMovie
from movietui.ui import wording
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

    def __init__(self, given: Mapping[str, str]) -> None:
        """``given`` maps the id of a movie to the stars that the viewers gave the movie, as shown on screen."""
        super().__init__(id="similar")
        self._given = given

    def columns(self, width: int) -> Sequence[Column[SimilarMovie]]:
        """Return columns for the similarity, the number of users who rated both movies, the title with what both have
        in common, the stars that the viewers gave and the year. Columns without content are left out."""
        cells = max(map(cell_len, self._given.values()), default=0)
        given: Column[SimilarMovie] = Column(
            " rated", max(7, cells + 2), lambda row, _: f" {self._given.get(row['id'], '')} "
        )
        both: Column[SimilarMovie] = Column(
            " both rated  ", 13, lambda row, _: f" {row['common'] or 0:>10,}  ", style="quiet"
        )
        return [
            Column(" alike ", 7, lambda row, _: f" {text.decimals(row['similarity']):>5} ", style="quiet"),
            *([both] if any(row["common"] is not None for row in self.known_rows()) else []),
            Column("title", REST, partial(_title_and_shared, roomy=width >= ROOMY)),
            *([given] if cells else []),
            Column("", 6, lambda row, _: f"{row['year'] or '':>5} ", style="quiet"),
        ]


def _title_and_shared(row: SimilarMovie, width: int, *, roomy: bool) -> Line:
    cells = width * 2 // 5 if roomy else 0
    shared = text.cut(f"  {', '.join(row['shared'])}", cells)
    return [(text.cut(row["title"], width - cells), ""), (shared, "quiet")]


class SimilarPanel(Panel[str | None]):
    """Lists movies that are similar to another one. Ends with the id of the chosen movie, or ``None``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        back_key(),
        Binding("m", "dismiss(None)", "Back", id="browse.similar"),
        choose_key("choose", "Open"),
    ]

    def __init__(self, title: str, rows: Sequence[SimilarMovie], given: Sequence[Sequence[float | None]]) -> None:
        """``given`` has, for each row, the stars that each viewer gave."""
        super().__init__()
        self._title, self._rows = title, list(rows)
        shown = [(row["id"], wording.describe_given(stars)) for row, stars in zip(rows, given, strict=True)]
        self._given = {movie: stars for movie, stars in shown if stars}

    def compose(self) -> ComposeResult:
        """Show the movies."""
        with Vertical(classes="panel wide") as panel:
            panel.border_title = Content(f"More like {self._title}")
            panel.border_subtitle = Content(hint(self, ("panel.choose", "open"), ("panel.back", "back")))
            yield SimilarRows(self._given)

    def on_mount(self) -> None:
        """Fill the list."""
        rows = self.query_one(SimilarRows)
        rows.fill(len(self._rows), 0, self._rows)
        rows.set_placeholder("There is no other movie in this dataset.")

    @on(RowList.Clicked)
    def action_choose(self) -> None:
        """End with the selected movie."""
        row = self.query_one(SimilarRows).current
        if row is not None:
            self.dismiss(row["id"])
