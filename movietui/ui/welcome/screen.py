"""The first start: a screen that shows the progress of the first list, then asks who is watching.

If the list cannot be made, the screen says why, and offers to try again or to use a file, the demo or another dataset.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from movietui.data.language import tr
from movietui.data.problems import Cancelled, Problem
from movietui.formatting import text
from movietui.protocol.messages import DatasetRow
from movietui.protocol.requests import Requests
from movietui.protocol.viewers import ViewerRef
from movietui.state.child_processes import warm_job
from movietui.state.first_list import DEFAULT_DATASET, DEMO, Countdown, FirstList, Step, StepName, usual_seconds
from movietui.state.job_progress import JobProgress
from movietui.ui.bindings import key_of, key_on
from movietui.ui.browse.screen import BrowseScreen
from movietui.ui.frame import FrameScreen, screen_keys
from movietui.ui.problems import shows_problems
from movietui.ui.widgets.drawn_text import DrawnText
from movietui.ui.widgets.line_view import Line
from movietui.ui.widgets.row_list import RowList

TICK = 0.5
"""Seconds between two updates of the time left."""
BAR = 16
LONG = 100
"""From this many seconds, the time left is shown in minutes or hours."""
State = Literal["working", "stopped", "who"]
STATES: Mapping[str, Sequence[State]] = {
    "new_profile": ("who",),
    "import": ("who",),
    "look": ("who",),
    "again": ("stopped",),
    "file": ("stopped",),
    "demo": ("stopped",),
    "cancel": ("working",),
    "choose": ("who", "stopped"),
}
"""The states in which the keys of an action work."""


@dataclass(frozen=True)
class Choice:
    """Something to choose: what a key does, or a profile."""

    title: str
    note: str
    action: str = ""
    key: str = ""
    viewer: ViewerRef | None = None


class ChoiceList(RowList[Choice]):
    """What can be chosen, with its keys."""

    def row_key(self, row: Choice) -> object:
        """Return the action of a choice, and its viewer."""
        return row.action, row.viewer

    def draw(self, row: Choice, width: int) -> Line:
        """Draw a key, what it does, and a note."""
        title = text.cut(row.title, min(22, max(1, width - 4)))
        return [
            (text.cut(f" {row.key}", 4), "group"),
            (title, ""),
            (text.cut(f" {row.note}", max(0, width - 4 - len(title))), "quiet"),
        ]


class WelcomeScreen(FrameScreen):
    """Makes the first list, then asks who is watching."""

    CSS_PATH = "screen.tcss"
    help_title = tr("First start")
    offers_models = False
    shows_jobs = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new_profile", tr("Profile"), id="start.new", tooltip=tr("Make your own profile: type a name")),
        Binding("i", "import", tr("Import"), id="start.import", tooltip=tr("Import ratings from a file")),
        Binding(
            "l,escape", "look", tr("Look around"), id="start.look", tooltip=tr("Look around as a user of the dataset")
        ),
        Binding("r", "again", tr("Try again"), id="start.again", tooltip=tr("Try again to make the first list")),
        Binding("o", "file", tr("File"), id="start.file", tooltip=tr("Use a MovieLens file that you have")),
        Binding("e", "demo", tr("Demo"), id="start.demo", tooltip=tr("Use the demo with invented ratings")),
        Binding("c", "cancel", tr("Stop"), id="start.cancel", tooltip=tr("Stop making the first list")),
        Binding(
            "enter", "choose", tr("Choose"), key_display="enter", id="start.choose", tooltip=tr("Do what is selected")
        ),
        *(binding for binding in screen_keys() if binding.id == "screen.data"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.state: State = "working"
        self._first_list = FirstList(tr("Get MovieLens"))
        self._countdown = Countdown()
        self._title = tr("Your first list")
        self._terms = ""
        self._problem = ""
        self._tried: tuple[str, str | None] = ("", None)
        """The dataset and path that were tried last."""

    def body(self) -> ComposeResult:
        """Put a column in the middle."""
        with Vertical(id="welcome", classes="body"), Vertical(id="welcome-column"):
            yield DrawnText(id="welcome-title")
            yield DrawnText(id="welcome-text")
            yield ChoiceList(id="choices")
            yield DrawnText(id="terms")

    def on_mount(self) -> None:
        """Follow the job and the training, and update the time left."""
        app = self.movie_tui
        app.progress_changed.subscribe(self, self.follow_job)
        app.queue_changed.subscribe(self, self.follow_training)
        app.served_changed.subscribe(self, self.ask_if_opened)
        self.set_interval(TICK, self._draw)
        self._show("working")

    @property
    def choices(self) -> ChoiceList:
        """What can be chosen."""
        return self.query_one(ChoiceList)

    # The first list

    async def make_list(self, name: str = "", path: str | None = None) -> None:
        """Get and clean a dataset, train the quick model and open the list.

        ``name``: empty for the dataset that ``_dataset_to_begin_with`` returns. ``path``: its files, if given.
        """
        app, session = self.movie_tui, self.session
        self._tried = (name, path)
        self._title = tr("Your first list")
        app.show_notice("")
        await asyncio.to_thread(app.first_start_began)
        try:
            rows = await session.engine.ask(Requests.datasets)
            name = name or _dataset_to_begin_with(rows)
            row = next((row for row in rows if row["name"] == name), None)
            self._terms = _terms(row) if row is not None else ""
            title = tr("Get {dataset}", dataset=row["title"] if row is not None else name)
            self._first_list = FirstList(tr("Make the demo") if name == DEMO else title, _usual_seconds(row))
            self._countdown = Countdown()
            self._show("working")
            async with warm_job() as training:  # torch loads while the data arrive
                cleaning = await asyncio.to_thread(session.store.cleaning_of, name)
                await app.jobs.get(name, path, cleaning)
                self._first_list = replace(self._first_list, got=True, learning_began=time.monotonic())
                self._draw()
                await app.stand_in.train(name, training)
            await app.serve(name)
        except Problem as problem:
            self.stop(f"{problem}")
        except Cancelled:
            self.stop(tr("Stopped. Nothing is lost: the next try keeps what is already downloaded."))

    async def learn(self, name: str) -> None:
        """Train the quick model on a dataset that is on disk, and show the progress.

        Raises ``Problem`` if the model cannot be trained, and ``Cancelled`` if the training was cancelled.
        """
        rows = await self.session.engine.ask(Requests.datasets)
        row = next((row for row in rows if row["name"] == name), None)
        title = row["title"] if row is not None else name
        self._title, self._terms = tr("Your list from {dataset}", dataset=title), ""
        usual, now = _usual_seconds(row), time.monotonic()
        self._first_list = FirstList(tr("Get {dataset}", dataset=title), usual, got=True, learning_began=now)
        self._countdown = Countdown()
        self._show("working")
        await self.movie_tui.stand_in.train(name)

    def stop(self, problem: str) -> None:
        """Say why there is no list, and offer choices."""
        self._problem = problem
        self._show("stopped")

    def follow_job(self, progress: JobProgress | None) -> None:
        """Draw the progress of getting the dataset."""
        if progress is not None and progress.request["do"] == "get" and self.state == "working":
            self._first_list = replace(self._first_list, getting=progress)
            self._draw()

    def follow_training(self, _: None) -> None:
        """Draw the progress of the quick model."""
        learning = self.movie_tui.queue.progress.get(self.movie_tui.stand_in.quick_run or 0)
        if learning is not None and self.state == "working":
            self._first_list = replace(self._first_list, learning=learning)
            self._draw()

    # Drawing

    def _show(self, state: State) -> None:
        """Show a state and what can be chosen in that state."""
        self.state = state
        rows = self._choices_without_list() if state == "stopped" else []
        self._list(rows)
        self._draw()

    def _list(self, rows: Sequence[Choice]) -> None:
        choices = self.choices
        choices.display = bool(rows)
        choices.styles.height = max(1, len(rows))
        choices.cursor = 0
        choices.fill(len(rows), 0, list(rows))
        if rows and self.is_current:
            self.set_focus(choices)
        self.refresh_bindings()

    def _choices_without_list(self) -> list[Choice]:
        """Return what a person can choose if there is no list."""
        return [
            self._choice("again", tr("Try again"), ""),
            self._choice("file", tr("Choose a file"), tr("a MovieLens zip or folder that you have")),
            self._choice("demo", tr("Use the demo"), tr("real movies, invented ratings")),
            Choice(tr("Other datasets"), tr("the Data screen"), "data", key_of(self, "screen.data")),
        ]

    def _choice(self, action: str, title: str, note: str) -> Choice:
        name = {"new_profile": "new"}.get(action, action)
        return Choice(title, note, action, key_of(self, f"start.{name}"))

    def _draw(self) -> None:
        title, body = self._words()
        small = Text(self._small_print())
        for name, content in (("welcome-title", Text(title)), ("welcome-text", body), ("terms", small)):
            shown = self.query_one(f"#{name}", DrawnText)
            if shown.words != content:
                shown.show(content)
            shown.display = bool(content)

    def _words(self) -> tuple[str, Text]:
        """Return the title, and the text below it."""
        if self.state == "who":
            return tr("Who is watching?"), Text()
        if self.state == "stopped":
            return tr("There is no list yet"), Text(f"{self._problem}\n")
        width = self.query_one("#welcome-text").size.width
        lines = [_line(step, width) for step in self._first_list.steps()]
        now = time.monotonic()
        left = self._countdown.show(self._first_list.seconds_left(now), now)
        words = text.plural(left, "second") if left < LONG else text.about(left)
        return self._title, Text("\n").join([*lines, Text(), Text(tr("about {duration} left", duration=words))])

    def _small_print(self) -> str:
        """Return the dim text at the bottom: the terms of the dataset, or that its ratings are invented."""
        if self.state == "working":
            return self._terms
        if self.state == "who" and self.session.opened is not None and self.session.opened["invented"]:
            return tr("The movies are real; the ratings are invented.")
        return ""

    # Who is watching

    @work(exclusive=True, group="ask")
    @shows_problems
    async def ask_if_opened(self, dataset: str = "") -> None:
        """Ask who is watching once a list is open."""
        if self.movie_tui.asks_who and self.session.opened is not None:
            await self.ask()

    async def ask(self) -> None:
        """Ask who is watching, and say that the list is ready if another screen is open."""
        session, app = self.session, self.movie_tui
        assert session.opened is not None
        profiles = await asyncio.to_thread(session.store.profiles)
        rows = [Choice(ref.id, text.plural(count, "rating"), viewer=ref) for ref, count in profiles]
        another = tr("for someone else") if rows else tr("rate movies for two minutes")
        rows += [
            self._choice("new_profile", tr("Make a profile"), another),
            self._choice("import", tr("Import your ratings"), tr("Letterboxd, IMDb and others")),
            self._choice("look", tr("Look around"), tr("as a user of {dataset}", dataset=session.opened["dataset"])),
        ]
        self.state = "who"
        self._list(rows)
        self._draw()
        if app.current_mode != "welcome":
            key = key_on(BrowseScreen, app, "screen.browse")
            app.show_notice(tr("Your first list is ready: press {key}", key=key))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key works in the current state."""
        return action not in STATES or self.state in STATES[action]

    def on_screen_resume(self) -> None:
        """Focus the choices again after another screen."""
        if self.choices.display:
            self.set_focus(self.choices)

    # Keys

    @on(RowList.Clicked)
    @work(group="choose")
    @shows_problems
    async def action_choose(self) -> None:
        """Do what is selected."""
        choice = self.choices.current
        if choice is None:
            return
        if choice.viewer is not None:
            await self.session.look_at(choice.viewer)
            await self.movie_tui.end_first_start()
        elif choice.action == "data":
            await self.movie_tui.switch_mode("data")
        else:
            await self.run_action(choice.action)

    @work(group="choose")
    @shows_problems
    async def action_new_profile(self) -> None:
        """Ask for a name, make a profile and begin its interview."""
        from movietui.ui.panels import NamePanel

        panel = NamePanel(tr("Make a profile"), tr("Your name:"), self.session.store.create_profile)
        ref = await self.app.push_screen_wait(panel)
        if ref is not None:
            await self.session.look_at(ref)
            browse = await self.movie_tui.end_first_start()
            browse.profiles.show_new(ref)

    @work(group="choose")
    @shows_problems
    async def action_import(self) -> None:
        """Import a file into a profile and show the list of that profile."""
        from movietui.ui.browse.import_panel import ask_what_to_import

        chosen = await ask_what_to_import(self.movie_tui, "")
        if chosen is not None:
            browse = await self.movie_tui.end_first_start()
            browse.imports.do_import(*chosen)

    @work(group="choose")
    @shows_problems
    async def action_look(self) -> None:
        """Show the list of the current viewer, and go to the viewers to choose another one."""
        ref = self.session.audience.viewers[0]
        await self.session.look_at(ref)
        browse = await self.movie_tui.end_first_start()
        browse.call_after_refresh(browse.action_focus_viewers)
        moves = " ".join(key_on(RowList, self.movie_tui, name) for name in ("list.up", "list.down"))
        choose, movies = key_of(browse, "browse.choose"), key_of(browse, "browse.movies")
        self.movie_tui.show_notice(
            tr(
                "Choose anybody with {moves} and {choose} · {movies} goes to the movies",
                moves=moves,
                choose=choose,
                movies=movies,
            )
        )

    @work(group="list", exclusive=True)
    @shows_problems
    async def action_again(self) -> None:
        """Try again to make the same list."""
        await self.make_list(*self._tried)

    @work(group="list", exclusive=True)
    @shows_problems
    async def action_demo(self) -> None:
        """Make the list of the demo."""
        await self.make_list(DEMO)

    @work(group="list", exclusive=True)
    @shows_problems
    async def action_file(self) -> None:
        """Ask for a MovieLens file and make its list."""
        from movietui.ui.data.screen import ask_for_dataset, name_for

        path = await self.app.push_screen_wait(ask_for_dataset())
        if path is not None:
            on_disk = {row["name"] for row in await self.session.engine.ask(Requests.datasets) if row["on_disk"]}
            await self.make_list(name_for(Path(path).stem, on_disk), path)

    @shows_problems
    async def action_cancel(self) -> None:
        """Stop making the list, at whichever step it is."""
        app = self.movie_tui
        if not await app.jobs.cancel():
            await app.stand_in.cancel()


def _dataset_to_begin_with(rows: Sequence[DatasetRow]) -> str:
    """Return the default dataset, or the first one on disk, other than the demo, if the default is not on disk."""
    ready = [row["name"] for row in rows if row["state"] == "ready"]
    return DEFAULT_DATASET if DEFAULT_DATASET in ready or not ready else ready[0]


def _usual_seconds(row: DatasetRow | None) -> Mapping[StepName, float]:
    """Return how many seconds each step usually takes. ``row`` is ``None`` for a dataset of unknown size."""
    return usual_seconds(0, 0) if row is None else usual_seconds(row["download"], row["ratings"] or 0)


def _terms(row: DatasetRow) -> str:
    return "\n".join(part for part in (row["terms"], row["citation"]) if part)


def _line(step: Step, width: int) -> Text:
    """Draw a step in a line of ``width`` cells: a tick if it is done, a bar if it is in progress."""
    sign = {"done": "✓", "now": "▸", "later": " "}[step.state]
    line = Text.assemble(f"{sign} ", (f"{step.title:<26}", "bold" if step.state == "now" else ""), no_wrap=True)
    if step.state == "now":
        line.append_text(text.thin_bar(step.share, 1, BAR))
        notes = (f" {step.note}", f" {step.short_note}", "")
        line.append(text.longest_fitting(width - line.cell_len, *notes), "dim")
    elif step.state == "later":
        line.stylize("dim")
    return line
