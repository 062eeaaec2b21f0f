"""Getting to know somebody: a question on the left, and on the right the list that each answer makes better."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from movietui import saying
from movietui.bindings import half_star_keys, hint, key_of, star_keys
from movietui.interviewing import Interviewing
from movietui.screens.frame import FrameScreen
from movietui.widgets.asked import TitleList, progress, question
from movietui.widgets.row_list import WINDOW
from movietui.widgets.told import told

ABOUT = (
    "First cards of three films with points to spend,",
    "then single films, chosen for what they teach.",
    "What was answered is kept whenever you stop.",
)
HALF = "interview.half-less interview.half-more"
UNDOES = ("interview.undo", "undoes")


class InterviewScreen(FrameScreen):
    """Asks one viewer; what they answer is on disk before the next question stands."""

    title_of_help = "Getting to know you"
    about = ABOUT
    BINDINGS: ClassVar[list[BindingType]] = [
        *star_keys("interview", "answer", "Stars or points", "So many stars; on a card a point for that film"),
        Binding("0", "not_seen", "Not seen", id="interview.not-seen", tooltip="Not seen, or none of the card"),
        Binding("enter", "go_on", "Go on", show=False, id="interview.go-on", tooltip="On with the points as they are"),
        *half_star_keys("interview", "film"),
        Binding(
            "u", "undo", "Undo", id="interview.undo", tooltip="Take the last answer back; again for the one before"
        ),
        Binding("escape", "stop", "Stop", key_display="esc", id="interview.stop", tooltip="To the list, at any time"),
    ]

    def __init__(self, interview: Interviewing) -> None:
        super().__init__()
        self.interview = interview

    def body(self) -> ComposeResult:
        """Put the question left of the list."""
        with Horizontal(classes="body"):
            with Vertical(id="asked", classes="pane") as pane:
                pane.border_title = Content(f"Getting to know {self.interview.viewer.label}")
                yield Static("Getting the questions ready …", id="question", markup=False)
                yield Static(id="known", markup=False)
            yield TitleList(id="titles", classes="pane")

    def on_mount(self) -> None:
        """Ask the first question, and again where another dataset or model is opened."""
        self.titles.border_title = "Your list so far"
        self.movie_tui.served_changed.subscribe(self, self.begin)
        self.begin()

    @work(exclusive=True, group="interview")
    @told
    async def begin(self, dataset: str = "") -> None:
        """Ask the question that comes now."""
        await self.interview.ask()
        await self._show(moved=False)

    @property
    def titles(self) -> TitleList:
        """The list on the right."""
        return self.query_one(TitleList)

    def on_resize(self) -> None:
        """Draw the question again: its lines are as long as the pane is wide."""
        super().on_resize()
        self.call_after_refresh(self._draw)

    async def _show(self, *, moved: bool = True) -> None:
        """Show the question that stands, and the list as it is by now."""
        ranked = await self.session.ranked(0, WINDOW, after_rating=moved)
        self.titles.fill(len(ranked["rows"]), 0, ranked["rows"])
        self.titles.mark(moved)
        self._draw()
        self.refresh_frame()

    def _draw(self) -> None:
        asked = self.query_one("#question", Static)
        if self.interview.started:
            asked.update(question(self.interview, asked.size.width, asked.size.height, partial(key_of, self)))
            self.query_one("#known", Static).update(progress(self.interview, asked.size.width))

    # Answers

    @told
    async def action_answer(self, key: int) -> None:
        """Rate the film, or give a point to one of the card; with the last point the card is taken."""
        interview = self.interview
        if not interview.films:
            return
        if not interview.card:
            change = await interview.rate(float(key))
            self.movie_tui.say(f"{saying.did(change)} · {hint(self, (HALF, 'half a star'), UNDOES)}")
            await self._show()
            return
        spent = interview.spend(key - 1)
        self._draw()
        if spent:
            await self.action_go_on()

    @told
    async def action_go_on(self) -> None:
        """Take the card as it is."""
        if self.interview.card:
            changes = await self.interview.take_card()
            self.movie_tui.say(f"{' and '.join(map(saying.did, changes)) or 'none of them'} · {hint(self, UNDOES)}")
            await self._show()

    @told
    async def action_not_seen(self) -> None:
        """Go on without a rating."""
        if self.interview.films:
            said = "none of them" if self.interview.card else f"not seen {self.interview.films[0]['title']}"
            await self.interview.not_seen()
            self.movie_tui.say(f"{said} · {hint(self, UNDOES)}")
            await self._show()

    @told
    async def action_nudge(self, step: float) -> None:
        """Change the rating given last by half a star."""
        change = await self.interview.nudge(step)
        self.movie_tui.say(f"{saying.did(change)} · {hint(self, UNDOES)}")
        await self._show()

    @told
    async def action_undo(self) -> None:
        """Take the points of the card back, else the last answer."""
        if await self.interview.undo():
            self.movie_tui.say("took that back")
            await self._show()
        else:
            self.movie_tui.say("There is no answer to take back.")

    def action_stop(self) -> None:
        """Go back to the list."""
        self.interview.end()
        self.dismiss()
