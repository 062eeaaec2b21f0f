"""The panel that shows how a dataset was joined with IMDb, and asks which title an ambiguous movie is."""

from __future__ import annotations

from typing import ClassVar, Literal

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from movietui.data.language import tr
from movietui.formatting import text
from movietui.protocol.messages import ImdbMovie, ImdbReport
from movietui.protocol.requests import Requests
from movietui.state.session import Session
from movietui.ui.bindings import back_key, hint, key_of
from movietui.ui.problems import shows_problems
from movietui.ui.screens import Panel
from movietui.ui.widgets.line_view import Line
from movietui.ui.widgets.row_list import RowList

Outcome = Literal["ambiguous", "settled", "unmatched"]


class Movie(ImdbMovie):
    """A movie with its outcome."""

    outcome: Outcome


MAX_CANDIDATES = 9
"""The most candidates that are shown, because each has a digit as its key."""


class ImdbRows(RowList[Movie]):
    """The ambiguous movies, then those decided by hand, then the others without a match."""

    def row_key(self, row: Movie) -> str:
        """Return the id of the movie."""
        return row["id"]

    def draw(self, row: Movie, width: int) -> Line:
        """Draw one movie with its reason."""
        sign = {"ambiguous": "?", "settled": "✓"}.get(row["outcome"], " ")
        room = max(12, width * 3 // 5)
        return [
            (f" {sign} {text.cut(row['title'], room - 3)}", ""),
            (text.cut(f" {row['reason']}", width - room), "quiet"),
        ]


class ImdbPanel(Panel[bool]):
    """Shows the movies that were not matched automatically. A digit chooses the title of an ambiguous movie.

    Ends with true if the dataset is to be joined again.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        back_key("dismiss(False)"),
        Binding("i", "dismiss(False)", tr("Back"), id="data.imdb"),
        Binding("r", "dismiss(True)", tr("Join again"), id="imdb.again", tooltip=tr("Join with IMDb again")),
        Binding("u", "unsettle", tr("Forget"), id="imdb.unsettle", tooltip=tr("Forget your choice for this movie")),
        Binding("0", "settle(0)", tr("None of them"), show=False, id="imdb.none", tooltip=tr("None of these titles")),
        *(
            Binding(
                str(digit),
                f"settle({digit})",
                tr("Title {digit}", digit=digit),
                show=False,
                id=f"imdb.title-{digit}",
                tooltip=tr("The movie is title {digit}", digit=digit),
            )
            for digit in range(1, MAX_CANDIDATES + 1)
        ),
    ]

    def __init__(self, session: Session, report: ImdbReport) -> None:
        super().__init__()
        self._session = session
        self._report = report

    def compose(self) -> ComposeResult:
        """Show the counts, the movies, and the candidates for the selected movie."""
        with Vertical(classes="panel wide") as panel:
            panel.border_title = Content(f"IMDb · {self._report['dataset']}")
            panel.border_subtitle = Content(hint(self, ("imdb.again", tr("join again")), ("panel.back", tr("back"))))
            yield Static(id="counts", markup=False)
            yield ImdbRows(id="imdb-movies")
            yield Static(id="candidates", markup=False)

    def on_mount(self) -> None:
        """Fill the list."""
        self._fill()

    @property
    def movies(self) -> ImdbRows:
        """The movies that could not be matched automatically."""
        return self.query_one(ImdbRows)

    def _fill(self) -> None:
        report = self._report
        by = ", ".join(
            tr("{count:,} by {way}", count=count, way=way) for way, count in report["by"].items() if count
        ) or tr("none")
        counts = tr(
            "matched {matched:,} ({ways}) · ambiguous {ambiguous:,} · not on IMDb ",
            matched=report["matched"],
            ways=by,
            ambiguous=report["ambiguous"],
        )
        self.query_one("#counts", Static).update(Text(f"{counts}{report['unmatched']:,}"))
        settled = {row["id"] for row in report["settled_movies"]}
        by_outcome: tuple[tuple[Outcome, list[ImdbMovie]], ...] = (
            ("ambiguous", report["ambiguous_movies"]),
            ("settled", report["settled_movies"]),
            ("unmatched", [row for row in report["unmatched_movies"] if row["id"] not in settled]),
        )
        rows: list[Movie] = [{**row, "outcome": outcome} for outcome, each in by_outcome for row in each]
        self.movies.fill(len(rows), 0, rows)
        self.movies.set_placeholder(tr("Every movie was matched."))
        self.show_candidates()

    @on(RowList.Moved)
    def show_candidates(self) -> None:
        """Show the candidates for the selected movie."""
        row = self.movies.current
        lines = Text(f" {row['reason']}\n" if row and row["reason"] else "", "dim")
        for digit, title in enumerate(row["candidates"][:MAX_CANDIDATES] if row else (), start=1):
            about = [str(title["year"] or ""), title["kind"], ", ".join(title["directors"][:2])]
            votes = tr("{votes:,} votes", votes=title["votes"]) if title["votes"] else ""
            lines.append(f" {digit}  ", "not dim bold").append(title["title"], "not dim")
            lines.append(f"  {' · '.join(part for part in (*about, votes) if part)}\n", "dim")
        if row and row["outcome"] == "ambiguous":
            lines.append(" 0  ", "not dim bold").append(tr("none of these"), "not dim")
        elif row and row["outcome"] == "settled":
            lines.append(" " if row["candidates"] else tr(" you chose: none of these · "))
            lines.append(key_of(self, "imdb.unsettle"), "bold").append(tr(" forget your choice"))
        self.query_one("#candidates", Static).update(lines)

    @work
    @shows_problems
    async def action_settle(self, digit: int) -> None:
        """Store which title the selected movie is. 0 stands for none of the candidates."""
        row = self.movies.current
        if row is None or row["outcome"] != "ambiguous" or digit > len(row["candidates"]):
            return
        title = row["candidates"][digit - 1]["id"] if digit else None
        self._report = await self._session.engine.ask(
            Requests.choose_imdb_title, dataset=self._report["dataset"], movie=row["id"], title=title
        )
        self._fill()

    @work
    @shows_problems
    async def action_unsettle(self) -> None:
        """Forget the choice for the selected movie."""
        row = self.movies.current
        if row is not None and row["outcome"] == "settled":
            self._report = await self._session.engine.ask(
                Requests.forget_imdb_title, dataset=self._report["dataset"], movie=row["id"]
            )
            self._fill()
