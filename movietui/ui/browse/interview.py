"""The interview: a question on the left, and the list from the answers so far on the right."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content

from movietui.data.language import tr
from movietui.state.interview import ENOUGH, Interview
from movietui.ui import wording
from movietui.ui.bindings import half_star_keys, hint, key_of, row_keys, star_keys
from movietui.ui.browse.interview_question import (
    PROGRESS_LINES,
    ROOMY,
    TitleList,
    genre_rows,
    progress,
    question,
)
from movietui.ui.browse.search import SearchPanel, SearchResult
from movietui.ui.frame import FrameScreen
from movietui.ui.problems import shows_problems
from movietui.ui.widgets.drawn_text import DrawnText
from movietui.ui.widgets.row_list import WINDOW

ABOUT = (
    tr(
        "If you have rated fewer than {count} movies, first say which kinds of movies you like. Then, on each of two "
        "cards, give points to the movies you like.",
        count=ENOUGH,
    ),
    tr("After that, rate the movies you have seen, from lists chosen to learn most about your taste."),
    tr("Stop whenever you like; your ratings are saved."),
)
HALF = "interview.half-less interview.half-more"
UNDOES = ("interview.undo", tr("undo"))


class InterviewScreen(FrameScreen):
    """Interviews one viewer. Ratings are on disk before the next question is shown."""

    help_title = tr("Getting to know you")
    about = ABOUT
    offers_models = False
    about_open_dataset = True
    BINDINGS: ClassVar[list[BindingType]] = [
        *star_keys(
            "interview",
            "answer",
            tr("Stars or points"),
            tr("Rate with this many stars; on a card, give the movie with this number a point"),
        ),
        Binding(
            "0",
            "not_seen",
            tr("Not seen"),
            id="interview.not-seen",
            tooltip=tr("Not seen; on a card, you have seen none of the movies"),
        ),
        Binding("enter", "go_on", tr("Next"), key_display="enter", id="interview.go-on", tooltip=tr("Next question")),
        Binding(
            "plus,equals_sign",
            "more_of(1)",
            tr("Like"),
            key_display="+",
            show=False,
            id="interview.more-of",
            tooltip=tr("Like this kind of movie; on a card, give a point"),
        ),
        Binding(
            "minus",
            "more_of(-1)",
            tr("Dislike"),
            key_display="-",
            show=False,
            id="interview.less-of",
            tooltip=tr("Dislike this kind of movie; on a card, take a point back"),
        ),
        *row_keys("move", "page"),
        Binding(
            "left",
            "across(-1)",
            tr("Left"),
            show=False,
            id="interview.left",
            tooltip=tr("Go to the kind of movie on the left"),
        ),
        Binding(
            "right",
            "across(1)",
            tr("Right"),
            show=False,
            id="interview.right",
            tooltip=tr("Go to the kind of movie on the right"),
        ),
        *half_star_keys("interview", tr("movie")),
        Binding("slash", "search", tr("Search"), id="interview.search", tooltip=tr("Search for any movie and rate it")),
        Binding(
            "m",
            "more",
            tr("More"),
            show=False,
            id="interview.more",
            tooltip=tr("More questions, for an even better list"),
        ),
        Binding("u", "undo", tr("Undo"), id="interview.undo", tooltip=tr("Undo the last answer")),
        Binding(
            "escape", "stop", tr("Stop"), key_display="esc", id="interview.stop", tooltip=tr("Stop and go to the list")
        ),
    ]

    def __init__(self, interview: Interview) -> None:
        super().__init__()
        self.interview = interview

    def body(self) -> ComposeResult:
        """Put the question to the left of the list."""
        with Horizontal(classes="body"):
            with Vertical(id="question-pane", classes="pane") as pane:
                pane.border_title = Content(tr("Getting to know {viewer}", viewer=self.interview.viewer.label))
                yield DrawnText(Text(tr("Getting the questions ready …")), id="question")
                yield DrawnText(id="progress-text")
            yield TitleList(id="titles", classes="pane")

    def on_mount(self) -> None:
        """Ask the first question, and ask again whenever another dataset or model is opened."""
        self.titles.set_title(lambda _: tr("Your list so far"))
        self.movie_tui.served_changed.subscribe(self, self.begin)
        self.begin()

    @work(exclusive=True, group="interview")
    @shows_problems
    async def begin(self, dataset: str = "") -> None:
        """Ask the current question."""
        await self.interview.ask()
        await self._show(moved=False)

    @property
    def titles(self) -> TitleList:
        """The list on the right."""
        return self.query_one(TitleList)

    def on_resize(self) -> None:
        """Draw the question again: its lines depend on the width of the pane."""
        super().on_resize()
        self.call_after_refresh(self._draw)

    async def _show(self, *, moved: bool = True) -> None:
        """Show the current question, and the list with the answers so far."""
        ranked = await self.session.ranked(0, WINDOW, after_rating=moved)
        self.titles.fill(len(ranked["rows"]), 0, ranked["rows"])
        self.titles.mark(moved)
        self._draw()
        self.refresh_frame()

    def _draw(self) -> None:
        if self.interview.started:
            pane, below = self.query_one("#question", DrawnText), self.query_one("#progress-text", DrawnText)
            room = pane.size.height + below.size.height
            lines = PROGRESS_LINES if room >= ROOMY else 1
            below.styles.height = lines
            pane.show(question(self.interview, pane.size.width, room - lines, self._keys))
            below.show(progress(self.interview, pane.size.width, lines))

    def _keys(self, names: str) -> str:
        return " ".join(key_of(self, name) for name in names.split())

    # Answers

    @shows_problems
    async def action_answer(self, key: int) -> None:
        """Rate the movie with this many stars, or give the movie with this number on a card a point.

        If the question is about kinds of movies, say which keys answer the question.
        """
        interview = self.interview
        if interview.kind == "card":
            interview.spend(key - 1)
            self._draw()
        elif interview.kind in ("list", "one"):
            change = await interview.rate(float(key))
            self.movie_tui.show_notice(
                f"{wording.describe_change(change)} · {hint(self, (HALF, tr('half a star')), UNDOES)}"
            )
            await self._show()
        elif interview.kind == "genres":
            likes = hint(
                self, ("interview.more-of interview.less-of", tr("like, dislike")), ("interview.go-on", tr("next"))
            )
            self.movie_tui.show_notice(likes)

    @shows_problems
    async def action_go_on(self) -> None:
        """Accept the answers and ask the next question, or stop if the list is good or no question is left."""
        if self.interview.kind in ("enough", "end") and self.interview.started:
            self.action_stop()
        elif self.interview.kind in ("genres", "card", "list"):
            kind = self.interview.kind
            changes = await self.interview.go_on()
            if kind == "card":
                answer = tr(" and ").join(map(wording.describe_change, changes)) or tr("seen none of them")
                self.movie_tui.show_notice(f"{answer} · {hint(self, UNDOES)}")
            await self._show()

    @shows_problems
    async def action_not_seen(self) -> None:
        """Answer that the selected movie, or every movie of a card, is unseen.

        If a movie from the search is shown, go back to the question.
        """
        interview = self.interview
        if interview.kind == "card":
            await interview.none_seen()
            self.movie_tui.show_notice(tr("seen none of them · {hint}", hint=hint(self, UNDOES)))
            await self._show()
        elif interview.kind == "list":
            interview.not_seen()
            self._draw()
        elif interview.kind == "one":
            interview.searched = None
            self._draw()

    @shows_problems
    async def action_more_of(self, step: int) -> None:
        """Like or dislike the genre under the cursor, or give the movie under the cursor a point or take one back."""
        interview = self.interview
        if interview.kind == "genres":
            interview.like_genre(step)
        elif interview.kind == "card" and step > 0:
            interview.spend(interview.cursor)
        elif interview.kind == "card":
            interview.take_back()
        self._draw()

    def action_move(self, step: int) -> None:
        """Move up or down."""
        self.interview.move_to(self.interview.cursor + step)
        self._draw()

    def action_page(self, step: int) -> None:
        """Move to the first or last row."""
        self.interview.move_to(0 if step < 0 else max(len(self.interview.genres), len(self.interview.movies)))
        self._draw()

    def action_across(self, step: int) -> None:
        """Move to the genre on the left or right."""
        rows = genre_rows(self.interview, self.query_one("#question").size.width)
        target = self.interview.cursor + step * rows
        if self.interview.kind == "genres" and 0 <= target < len(self.interview.genres):
            self.interview.move_to(target)
            self._draw()

    def action_search(self) -> None:
        """Search for any movie, to rate it."""
        if self.interview.started:
            self.app.push_screen(SearchPanel(self.session, only_movies=True), self.ask_about_chosen)

    def ask_about_chosen(self, chosen: SearchResult | None) -> None:
        """Ask about the movie that was chosen in the search. After that, the current question continues."""
        if chosen is not None:
            self.ask_about(chosen.name)

    @work(exclusive=True, group="interview")
    @shows_problems
    async def ask_about(self, movie: str) -> None:
        """Ask about the movie with this id."""
        await self.interview.ask_about(movie)
        self._draw()

    def action_more(self) -> None:
        """Ask more questions."""
        if self.interview.kind == "enough":
            self.interview.ask_more()
            self._draw()

    @shows_problems
    async def action_nudge(self, step: float) -> None:
        """Change the last rating by half a star."""
        change = await self.interview.nudge(step)
        self.movie_tui.show_notice(f"{wording.describe_change(change)} · {hint(self, UNDOES)}")
        await self._show()

    @shows_problems
    async def action_undo(self) -> None:
        """Undo the last point, genre or answer, or go back from a movie of the search to the question."""
        if await self.interview.undo():
            self.movie_tui.show_notice(tr("undone"))
            await self._show()
        else:
            self.movie_tui.show_notice(tr("There is no answer to undo."))

    def action_stop(self) -> None:
        """Close the interview, or go back from a movie of the search to the question."""
        if self.interview.searched is not None:
            self.interview.searched = None
            self._draw()
            return
        self.interview.end()
        self.dismiss()
