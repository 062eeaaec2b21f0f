"""The app: it guides the first start, connects the screens, and runs jobs for them."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from rich.theme import ThemeStackError
from textual import events, work
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.reactive import Reactive, reactive
from textual.screen import Screen
from textual.signal import Signal
from textual.theme import Theme
from textual.worker import WorkerFailed, get_current_worker

from movietui.data import near_names
from movietui.data.language import tr
from movietui.data.problems import Cancelled, Problem
from movietui.data.storage import locations, public_demo
from movietui.protocol.messages import Opened
from movietui.protocol.requests import Requests
from movietui.state.first_list import DEFAULT_DATASET
from movietui.state.first_model import StandIn
from movietui.state.job_progress import JobProgress
from movietui.state.job_runner import JobRunner
from movietui.state.newer_dataset import NewerOffer
from movietui.state.run_queue import RunQueue
from movietui.state.session import NoModel, Session
from movietui.store.run_records import Run
from movietui.ui.bindings import key_on
from movietui.ui.browse.screen import BrowseScreen
from movietui.ui.frame import SCREENS, FrameScreen
from movietui.ui.hints import Hints
from movietui.ui.problems import came_too_late, shows_problems
from movietui.ui.sanitized_app import SanitizedApp
from movietui.ui.screens import Palette
from movietui.ui.terminal import TerminalApp, legible
from movietui.ui.textual_internals import active_node, all_screens
from movietui.ui.theme import THEMES, drawn, text_styles

if TYPE_CHECKING:
    from movietui.ui.welcome.screen import WelcomeScreen

FIRST_START = "first-start"
"""The name under which the store remembers that nobody has said yet who is watching, so that each start asks."""
UNFINISHED = "unfinished"
WATCH_SECONDS = 1.0
"""Seconds between checks for changes that another process made to the store."""


def _screen(name: str) -> Screen[None]:
    """Return a new screen. Its module is imported when the screen is first needed."""
    screen: Screen[None] = getattr(import_module(f"movietui.ui.{name}.screen"), f"{name.title()}Screen")()
    return screen


class MovieTui(SanitizedApp, TerminalApp):
    """The application."""

    TITLE = "movietui"
    CSS_PATH = Path(__file__).with_name("app.tcss")
    ENABLE_COMMAND_PALETTE = True
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {
        "browse": BrowseScreen,
        "data": partial(_screen, "data"),
        "train": partial(_screen, "train"),
        "welcome": partial(_screen, "welcome"),
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "question_mark,f1",
            "keys",
            tr("Keys"),
            key_display="?",
            id="app.keys",
            tooltip=tr("Help with the figures and keys of this screen"),
        ),
        Binding("q", "quit", tr("Quit"), show=False, id="app.quit", tooltip=tr("Quit (everything is already saved)")),
        Binding("ctrl+c", "quit", show=False, system=True, priority=True),
    ]

    # Setting another theme after the start would style everything twice.
    theme: Reactive[str] = Reactive(THEMES[0].name)
    # The status line draws the notice; by default Textual would redraw the whole screen.
    notice: reactive[Text] = reactive(Text, init=False, repaint=False)

    def __init__(self, session: Session, theme: str | None = None, opening: asyncio.Task[Opened] | None = None) -> None:
        """``opening`` is the task that opens the dataset used last, if it has already started."""
        self.session = session
        self.hints = Hints()
        """The hints shown so far. A click on a hint does what its key does."""
        self.first_dataset = session.store.dataset_in_use()
        # Start with the right screen: showing another one first would take a tenth of a second.
        self.asks_who = self.first_dataset is None or session.store.choice(FIRST_START) == UNFINISHED
        """Whether this is the first start, which ends when a person says who is watching."""
        self.DEFAULT_MODE = "welcome" if self.asks_who else "browse"  # type: ignore[misc]
        super().__init__()
        self._opening = opening
        self.jobs = JobRunner(self.show_job)
        self.queue = RunQueue(session.store, changed=self.show_queue, ended=self.run_ended)
        self.stand_in = StandIn(session, self.queue, self._dataset_opened)
        self.newer = NewerOffer(session, self.jobs, self.queue, self.stand_in, self.show_newer)
        self.notice_dataset = ""
        """The dataset that the notice is about; empty for other notices."""
        self._offer_is_news = False
        """Whether a better model is ready that has not been announced yet."""
        self._drawn_progress: JobProgress | None = None
        self.current_dataset = self.first_dataset or DEFAULT_DATASET
        self.progress_changed: Signal[JobProgress | None] = Signal(self, "progress")
        self.queue_changed: Signal[None] = Signal(self, "queue")
        self.served_changed: Signal[str] = Signal(self, "served")
        self.custom_keys: Mapping[str, str] = {}
        """The keys that the person configured, by the ids of their actions."""
        self._theme_from_command_line = bool(theme)
        chosen = legible(theme or os.environ.get("TEXTUAL_THEME") or self.session.store.choice("theme"))
        if chosen in self.available_themes:
            self.theme = chosen
        elif chosen:
            meant = near_names.hint(chosen, self.available_themes, tr("ctrl+p lists the themes."))
            self.set_reactive(MovieTui.notice, Text(tr("There is no theme {name!r}; {hint}", name=chosen, hint=meant)))
        if public_demo.is_on():
            self.set_reactive(MovieTui.notice, Text(public_demo.NOTICE))

    @property
    def available_themes(self) -> dict[str, Theme]:
        """Textual's themes and the app's own, by name."""
        return super().available_themes | {theme.name: theme for theme in THEMES}

    def get_css_variables(self) -> dict[str, str]:
        """Return the variables of the theme, and let Rich text use the names of its styles."""
        variables = super().get_css_variables()
        with contextlib.suppress(ThemeStackError):  # the first time
            self.console.pop_theme()
        self.console.push_theme(text_styles(variables))
        return variables

    # Start and end

    def on_mount(self) -> None:
        """Start the slow work in a worker, so that the first screen does not wait, and watch the store."""
        self.theme_changed_signal.subscribe(self, self._save_theme)
        self.begin()
        self.set_interval(WATCH_SECONDS, self.watch_store)

    @shows_problems
    async def _save_theme(self, theme: object) -> None:
        if not self._theme_from_command_line:
            await asyncio.to_thread(self.session.store.choose, "theme", self.theme)

    @work(group="begin")
    @shows_problems
    async def begin(self) -> None:
        """Set the configured keys, start the engine, and open the dataset used last or make the first list."""
        if os.path.lexists(path := locations.config()):
            from movietui.ui.keymap import apply_keymap

            await apply_keymap(self, path)
        await self.session.engine.start()
        try:
            if self.first_dataset is None:
                await self._welcome().make_list()
            else:
                await self._open_last(self.first_dataset)
            await self.queue.open()
            await asyncio.to_thread(import_module, "movietui.ui.train.screen")  # so that Train opens at once
            self.stylesheet.read(Path(__file__).with_name("train") / "screen.tcss")
        except Problem as problem:
            if self.session.opened is None and self.asks_who:
                self._welcome().stop(str(problem))
                return
            self.show_problem(problem)
            if self.session.opened is None:
                await self.switch_mode("data")

    async def _open_last(self, name: str) -> None:
        """Show the list of the dataset used last, after training a model if none of its models can be loaded."""
        try:
            if self._opening is None:
                await self.serve(name)
            else:
                await self._opening
                self._dataset_opened()
                await self.improve()
        except NoModel:
            rows = await self.session.engine.ask(Requests.datasets)
            if name not in [row["name"] for row in rows if row["on_disk"]]:
                raise
            await self.open_dataset(name)

    # The first start

    def _welcome(self) -> WelcomeScreen:
        from movietui.ui.welcome.screen import WelcomeScreen

        return next(screen for screen in self.frame_screens() if isinstance(screen, WelcomeScreen))

    def first_start_began(self) -> None:
        """Record that nobody has said yet who is watching. Call this in a thread."""
        with contextlib.suppress(Problem):  # on a full disk, the next start may not ask
            self.session.store.choose(FIRST_START, UNFINISHED)

    async def end_first_start(self) -> BrowseScreen:
        """Show the list, now that a person has said who is watching, and return its screen."""
        self.asks_who = False
        with contextlib.suppress(Problem):
            await asyncio.to_thread(self.session.store.choose, FIRST_START, "")
        await self.switch_mode("browse")
        browse = self._browse()
        assert browse is not None
        return browse

    async def show_list(self) -> None:
        """Show the list or, at the first start, ask who is watching."""
        await self.switch_mode("welcome" if self.asks_who else "browse")

    async def action_switch_mode(self, mode: str) -> None:
        """Show another screen."""
        await (self.show_list() if mode == "browse" else self.switch_mode(mode))

    def _browse(self) -> BrowseScreen | None:
        return next((screen for screen in self.frame_screens() if isinstance(screen, BrowseScreen)), None)

    def frame_screens(self) -> Iterable[FrameScreen]:
        """Return the main screens opened so far, whether shown or not."""
        return (screen for screen in all_screens(self) if isinstance(screen, FrameScreen))

    @work(group="quit")
    @shows_problems
    async def action_quit(self) -> None:  # type: ignore[override]  # a worker may ask and wait
        """Quit, but first ask what to do with unfinished runs.

        No rating is lost: each was on disk before it was on screen.
        """
        from movietui.ui.quit import quit_app

        await quit_app(self)

    async def on_unmount(self) -> None:
        """Close the queue, if ``quit_app`` has not done so."""
        await self.queue.close()

    def on_resize(self, event: events.Resize) -> None:
        """Redraw everything if the window has its previous size again, because lines may have been lost in between."""
        if self.screen_stack and event.size == self.screen.outer_size:
            self.screen.refresh()

    def ignores(self, error: Exception) -> bool:
        """Return whether an error happened only because a screen or widget is being removed."""
        if isinstance(error, WorkerFailed):
            return came_too_late(error.error, get_current_worker().node)
        return came_too_late(error, active_node())

    # The served dataset

    async def open_dataset(self, name: str) -> None:
        """Show the list of a dataset that is on disk, after training a model if it has none that can be loaded."""
        before = waiting_mode = self.current_mode
        try:
            await self.serve(name)
        except NoModel:
            waiting_mode = "welcome"
            await self.switch_mode(waiting_mode)
            try:
                await self._welcome().learn(name)
            except (Problem, Cancelled):
                if self.current_mode == waiting_mode:
                    await self.switch_mode(before)
                raise
            await self.serve(name)
        if self.current_mode == waiting_mode:  # a person who went to another screen stays there
            await self.show_list()

    async def serve(self, dataset: str, run: Run | None = None) -> None:
        """Open a dataset with a run, then train or offer a better model. Without a run, ``Session.open`` picks one."""
        await self.stand_in.serve(dataset, run)
        await self.improve()

    async def improve(self) -> None:
        """Train or offer a better model, or say what to install for that."""
        await self.offer_better_model(self.stand_in.improve())
        if self.stand_in.note:
            self.show_notice(self.stand_in.note)

    def _dataset_opened(self) -> None:
        assert self.session.opened is not None
        self.current_dataset = self.session.opened["dataset"]
        self.served_changed.publish(self.current_dataset)
        self.refresh_frames()

    async def watch_store(self) -> None:
        """Show what another process changed in the store, and offer a better model that it trained."""
        session, browse = self.session, self._browse()
        for notice in session.store.notices():
            self.show_problem(Problem(notice))
        if session.opened is None or browse is None or not browse.is_mounted:
            return
        with contextlib.suppress(Problem):  # the next action that needs the store reports the problem
            version = await asyncio.to_thread(session.store.changed_elsewhere)
            # A run in training writes to the store every second, which does not affect the list.
            if session.seen_version != version and session.seen_steps != await asyncio.to_thread(
                session.store.steps_version
            ):
                await browse.refresh_list()
            session.seen_version = version
        if self.queue.progress:
            self.refresh_frames()  # the time left changes even if no epoch ends
        await self.offer_better_model(self.stand_in.check())

    # The status line

    def show_notice(self, message: str, dataset: str | None = None) -> None:
        """Show a notice about a dataset, by default about the open one.

        A screen that is only about the open dataset hides notices about any other, even about one that was open before.
        """
        self._note(drawn(Text(message)), dataset)

    def _note(self, notice: Text, dataset: str | None = None) -> None:
        opened = self.session.opened
        self.notice_dataset = dataset if dataset is not None else opened["dataset"] if opened is not None else ""
        self.notice = notice

    @shows_problems
    async def offer_better_model(self, offering: Awaitable[bool]) -> None:
        """Announce that a better model is ready if ``offering`` returns true."""
        if await offering:
            self._offer_is_news = True
            self.announce_offer()

    def announce_offer(self) -> None:
        """Say once that a better model is ready, unless the open screen has no such notices, as in an interview."""
        frame = next((screen for screen in reversed(self.screen_stack) if isinstance(screen, FrameScreen)), None)
        if self._offer_is_news and self.stand_in.offered is not None and frame is not None and frame.offers_models:
            self._offer_is_news = False
            keys = [key_on(BrowseScreen, self, "browse.models")]
            if not isinstance(frame, BrowseScreen):
                keys.insert(0, key_on(BrowseScreen, self, "screen.browse"))
            pressed = tr(" and then ").join(keys)
            self.show_notice(tr("A better model is ready: press {keys} to see what it changes", keys=pressed))

    def show_newer(self) -> None:
        """Draw the offer of a dataset with newer movies."""
        if self.is_running:
            self.refresh_frames()

    def announce_newer(self) -> None:
        """Say that the dataset with newer movies is ready, unless the open screen has no such notices."""
        offered = self.newer.current
        frame = next((screen for screen in reversed(self.screen_stack) if isinstance(screen, FrameScreen)), None)
        if offered is not None and frame is not None and frame.offers_models:
            keys = [key_on(BrowseScreen, self, "browse.get-newer")]
            if not isinstance(frame, BrowseScreen):
                keys.insert(0, key_on(BrowseScreen, self, "screen.browse"))
            pressed = tr(" and then ").join(keys)
            self.show_notice(
                tr("{dataset} is ready: press {keys} to open it", dataset=offered["dataset"], keys=pressed)
            )

    def show_problem(self, problem: Problem) -> None:
        """Show a problem on the status line."""
        self._note(Text(f"! {problem}", "bold"))

    def watch_notice(self) -> None:
        """Draw the status lines of the open screens now, and the other lines soon: a notice may be about an offer."""
        for screen in self.screen_stack:
            if isinstance(screen, FrameScreen):
                screen.refresh_status()
        self.call_later(self.refresh_frames)

    def show_job(self) -> None:
        """Draw the job in progress. When a job starts, clear the notice."""
        if self.jobs.progress is not None and self._drawn_progress is None:
            self.notice = Text()
        self._drawn_progress = self.jobs.progress
        if self.is_running:
            self.progress_changed.publish(self.jobs.progress)
            self.refresh_frames()

    def show_queue(self) -> None:
        """Draw the progress of the queue."""
        if self.is_running:
            self.queue_changed.publish(None)
            self.refresh_frames()

    @work(group="ended")
    @shows_problems
    async def run_ended(self, run: Run) -> None:
        """Say how a run ended, or offer the run if the run in use stands in for it.

        If the run is done and no dataset is open, open the run's dataset. For a run that ``stand_in`` or ``newer``
        waits for, do nothing.
        """
        if run.id not in (self.stand_in.quick_run, self.newer.run):
            describe_end = import_module("movietui.ui.train.panels").describe_end
            if await self.stand_in.offer(run):
                self._offer_is_news = True
                self.announce_offer()
            else:
                self.show_notice(describe_end(self, run), run.dataset)
            if run.state == "done" and self.session.opened is None:
                await self.serve(run.dataset)

    def refresh_frames(self) -> None:
        """Redraw what changed in the frames of the open screens."""
        for screen in self.screen_stack:
            if isinstance(screen, FrameScreen):
                screen.refresh_frame()

    # The title line

    @shows_problems
    async def action_show_viewers(self) -> None:
        """Go to the viewers."""
        await self.switch_mode("browse")
        if (browse := self._browse()) is not None:
            browse.action_focus_viewers()

    def action_rate_next_as(self, index: int) -> None:
        """Let a viewer of a pair or group rate next."""
        if (browse := self._browse()) is not None:
            browse.audience.rate_next_as(index)

    # Keys and palette

    def action_keys(self) -> None:
        """Show the help with the figures and keys of the open screen."""
        from movietui.ui.help import HelpPanel

        if isinstance(screen := self.screen, FrameScreen):
            self.push_screen(HelpPanel(screen))

    def action_command_palette(self) -> None:
        """Open the palette, unless it is already open below another panel."""
        if not any(isinstance(screen, Palette) for screen in self.screen_stack):
            self.push_screen(Palette(id="--command-palette"))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Yield the commands of the palette, including screens, a backup and, on Browse, its keys and orders."""
        yield from super().get_system_commands(screen)
        for mode, (_, title, meaning) in SCREENS.items():
            yield SystemCommand(title, meaning, lambda mode=mode: self.action_switch_mode(mode))
        if isinstance(screen, FrameScreen):
            yield SystemCommand(
                tr("Back up"), tr("Save all profiles, ratings and runs to one file"), screen.action_back_up
            )
        if isinstance(screen, BrowseScreen):
            for node, key, enabled, _ in screen.active_bindings.values():
                if node is screen and enabled and key.tooltip and not key.action.startswith("app."):
                    yield SystemCommand(key.description, key.tooltip, partial(screen.run_action, key.action))
            yield from screen.order.commands()
