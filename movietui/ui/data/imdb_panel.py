"""What became of a dataset's movies when it was joined with IMDb, and the choice where that was not clear."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from movietui import text
from movietui.bindings import back, hint
from movietui.session import Session
from movietui.widgets.line_view import Line
from movietui.widgets.row_list import RowList
from movietui.widgets.told import told

Movie = dict[str, Any]
MOST = 9
"""Candidates have a digit each; none of ours has more."""


class MovieRows(RowList[Movie]):
    """Movies that are ambiguous, then those settled by hand, then those that were not found."""

    def name_of(self, row: Movie) -> str:
        """Return the id of the movie."""
        return str(row["id"])

    def draw(self, row: Movie, width: int) -> Line:
        """Draw one movie with what is to be said of it."""
        told = {"ambiguous": "?", "settled": "✔"}.get(row["outcome"], " ")
        room = max(12, width * 3 // 5)
        return [
            (f" {told} {text.cut(row['title'], room - 3)}", ""),
            (text.cut(f" {row['reason']}", width - room), "quiet"),
        ]


class ImdbPanel(ModalScreen[bool]):
    """Shows what was matched; the digits say which title an ambiguous movie is. Ends true to join again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        back("dismiss(False)"),
        Binding("i", "dismiss(False)", "Back", id="data.imdb"),
        Binding("r", "dismiss(True)", "Join again", id="imdb.again", tooltip="Join with IMDb once more"),
        Binding("u", "unsettle", "Forget the choice", id="imdb.unsettle", tooltip="Forget which title a movie is"),
        Binding("0", "settle(0)", "None of them", show=False, id="imdb.none", tooltip="The movie is none of these"),
        *(
            Binding(
                str(digit),
                f"settle({digit})",
                f"Title {digit}",
                show=False,
                id=f"imdb.title-{digit}",
                tooltip=f"The movie is title {digit}",
            )
            for digit in range(1, MOST + 1)
        ),
    ]

    def __init__(self, session: Session, report: dict[str, Any]) -> None:
        super().__init__()
        self._session = session
        self._report = report

    def compose(self) -> ComposeResult:
        """Show the counts, the movies, and the candidates of one of them."""
        with Vertical(classes="panel wide") as panel:
            panel.border_title = Content(f"IMDb · {self._report['dataset']}")
            panel.border_subtitle = Content(hint(self, ("imdb.again", "joins again"), ("panel.back", "goes back")))
            yield Static(id="counts", markup=False)
            yield MovieRows(id="imdb-movies")
            yield Static(id="candidates", markup=False)

    def on_mount(self) -> None:
        """Fill it."""
        self._fill()

    @property
    def movies(self) -> MovieRows:
        """The movies that are not simply matched."""
        return self.query_one(MovieRows)

    def _fill(self) -> None:
        report = self._report
        by = ", ".join(f"{count:,} by {way}" for way, count in report["by"].items() if count) or "none"
        counts = f"matched {report['matched']:,} ({by}) · ambiguous {report['ambiguous']:,} · not found "
        self.query_one("#counts", Static).update(Text(f"{counts}{report['unmatched']:,}"))
        settled = {row["id"] for row in report["settled_movies"]}
        rows = [
            {**row, "outcome": outcome}
            for outcome in ("ambiguous", "settled", "unmatched")
            for row in report[f"{outcome}_movies"]
            if outcome != "unmatched" or row["id"] not in settled
        ]
        self.movies.fill(len(rows), 0, rows)
        self.movies.say("All movies were found.")
        self.show_candidates()

    @on(RowList.Moved)
    def show_candidates(self) -> None:
        """Show what the movie under the cursor may be."""
        row = self.movies.current
        lines = Text(f" {row['reason']}\n" if row and row["reason"] else "", "dim")
        for digit, title in enumerate(row["candidates"][:MOST] if row else (), start=1):
            about = [str(title["year"] or ""), title["kind"], ", ".join(title["directors"][:2])]
            votes = f"{title['votes']:,} votes" if title["votes"] else ""
            lines.append(f" {digit}  ", "not dim bold").append(title["title"], "not dim")
            lines.append(f"  {' · '.join(part for part in (*about, votes) if part)}\n", "dim")
        if row and row["outcome"] == "ambiguous":
            lines.append(" 0  ", "not dim bold").append("none of these", "not dim")
        elif row and row["outcome"] == "settled":
            lines.append(" " if row["candidates"] else " none of the candidates, as you said · ")
            lines.append("u", "bold").append(" forgets your choice")
        self.query_one("#candidates", Static).update(lines)

    @work
    @told
    async def action_settle(self, digit: int) -> None:
        """Remember which title the movie under the cursor is; 0 is none of them."""
        row = self.movies.current
        if row is None or row["outcome"] != "ambiguous" or digit > len(row["candidates"]):
            return
        title = row["candidates"][digit - 1]["id"] if digit else None
        await self._changed("settle", movie=row["id"], title=title)

    @work
    @told
    async def action_unsettle(self) -> None:
        """Forget what was said of the movie under the cursor."""
        row = self.movies.current
        if row is not None and row["outcome"] == "settled":
            await self._changed("unsettle", movie=row["id"])

    async def _changed(self, do: str, **arguments: Any) -> None:
        self._report = await self._session.engine.ask(do, dataset=self._report["dataset"], **arguments)
        self._fill()
