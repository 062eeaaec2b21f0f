"""The app: leads through the first start, holds the screens together, and runs jobs for them."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from rich.text import Text
from textual import work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.screen import Screen
from textual.signal import Signal

from data import locations
from data.problems import Cancelled, Problem
from movietui.activity import Activity
from movietui.children import warm_job
from movietui.queue import RunQueue
from movietui.replies import Opened
from movietui.run_records import Run
from movietui.screens.browse import BrowseScreen
from movietui.screens.frame import SCREENS, FrameScreen
from movietui.session import Session
from movietui.stand_in import StandIn
from movietui.widgets.told import told
from movietui.work import Work

T = TypeVar("T")

REAL = "ml-100k"
DEMO = "demo"
WATCH_SECONDS = 1.0
"""How often the store is asked whether another window changed it."""


def _screen(name: str) -> Screen[None]:
    """Make a screen that is imported when it is needed, not at the start."""
    made: Screen[None] = getattr(import_module(f"movietui.screens.{name}"), f"{name.title()}Screen")()
    return made


class MovieTui(App[int]):
    """movietui."""

    TITLE = "movietui"
    CSS_PATH = Path(__file__).with_name("app.tcss")
    ENABLE_COMMAND_PALETTE = True
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {
        "browse": BrowseScreen,
        "data": partial(_screen, "data"),
        "train": partial(_screen, "train"),
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1", "keys", "Keys", key_display="?", id="app.keys", tooltip="All keys of this screen"),
        Binding("q", "quit", "Quit", show=False, id="app.quit", tooltip="Leave; everything is saved already"),
        Binding("ctrl+c", "quit", show=False, system=True, priority=True),
    ]

    # The status line draws it; without this, all of the screen would be drawn again.
    outcome: reactive[Text] = reactive(Text, init=False, repaint=False)

    def __init__(self, session: Session, theme: str | None = None, opening: asyncio.Task[Opened] | None = None) -> None:
        """``opening`` is the dataset used last being opened already, where there is one."""
        self.session = session
        self.first_dataset = session.store.dataset_in_use()
        # The first screen is the right one at once; to show another first would cost a tenth of a second.
        self.DEFAULT_MODE = "browse" if self.first_dataset else "data"  # type: ignore[misc]
        super().__init__()
        self._opening = opening
        self.work = Work(self.show_work)
        self.queue = RunQueue(session.store, changed=self.show_queue, ended=self.run_ended)
        self.stand_in = StandIn(session, self.queue, self._serves)
        self._drawn_activity: Activity | None = None
        self.working = self.first_dataset or REAL
        self.activity_changed: Signal[Activity | None] = Signal(self, "activity")
        self.queue_changed: Signal[None] = Signal(self, "queue")
        self.served_changed: Signal[str] = Signal(self, "served")
        self.own_keys: Mapping[str, str] = {}
        """The keys that the person's file gives, by the ids of what they do."""
        self._theme_for_once = bool(theme)
        chosen = theme or os.environ.get("TEXTUAL_THEME") or self.session.store.choice("theme")
        if "NO_COLOR" in os.environ and "ansi" in chosen:
            chosen = ""  # without colours the terminal's own palette would be drawn black on black
        if chosen in self.available_themes:
            self.theme = chosen
        elif chosen:
            self.set_reactive(MovieTui.outcome, Text(f"There is no theme {chosen!r}; ctrl+p lists the names."))

    # Start and end

    def on_mount(self) -> None:
        """Do everything slow after the first screen was painted."""
        self.theme_changed_signal.subscribe(self, self._keep_theme)
        self.begin()
        self.set_interval(WATCH_SECONDS, self.watch_store)

    @told
    async def _keep_theme(self, theme: object) -> None:
        if not self._theme_for_once:
            await self.in_thread(self.session.store.choose, "theme", self.theme)

    @work(group="begin")
    @told
    async def begin(self) -> None:
        """Start the engine; open what was open last, or lead through the first start."""
        if (path := locations.config()).exists():
            from movietui.keys import use

            await use(self, path)
        await self.session.engine.start()
        try:
            if self._opening is not None:
                await self._opening
                self._serves()
                await self.say_when_ready(self.stand_in.go_on())
            elif self.first_dataset is None:
                await self.first_start()
            else:
                await self.serve(self.first_dataset)
            await self.queue.open()
            await self.in_thread(import_module, "movietui.screens.train")  # so that it opens at once
            self.stylesheet.read(Path(__file__).with_name("screens") / "train.tcss")
        except Problem as problem:
            self.say_problem(problem)
            if self.session.opened is None:
                await self.switch_mode("data")
        except Cancelled:
            self.say("Stopped. The Data screen gets datasets, the Train screen trains models.")

    async def first_start(self) -> None:
        """Fetch, clean and train without any question, then show the list."""
        ready = [row["name"] for row in await self.session.datasets() if row["state"] == "ready"]
        name = REAL if REAL in ready or not ready else ready[0]
        async with warm_job() as training:  # torch loads while the data come in
            try:
                await self.work.get(name)
            except Problem as problem:
                self.say(str(problem))
                name = DEMO
                await self.work.get(name)
            if self.current_mode == "data":
                await self.switch_mode("train")
            await self.stand_in.train(name, training)
        stayed = self.current_mode == "train"  # whoever went elsewhere meanwhile is not torn away
        await self.serve(name)
        if stayed:
            await self.switch_mode("browse")
        if (browse := self._browse()) is not None:
            browse.welcome()
        if name == DEMO:
            self.say(
                f"{REAL} could not be fetched, so this is the demo: its ratings are invented. "
                f"movietui data get {REAL} --from PATH reads the real ones."
            )

    def _browse(self) -> BrowseScreen | None:
        return next((screen for screen in self.frames() if isinstance(screen, BrowseScreen)), None)

    def frames(self) -> Iterable[FrameScreen]:
        """Return the screens that were opened, whichever is shown."""
        for stack in self._screen_stacks.values():
            yield from (screen for screen in stack if isinstance(screen, FrameScreen))

    @work(group="quit")
    @told
    async def action_quit(self) -> None:  # type: ignore[override]  # a worker may ask and wait
        """Stop what runs and leave. Ratings were on disk before they were on screen."""
        from movietui.screens.run_panels import leave

        await leave(self)

    async def on_unmount(self) -> None:
        """End the trainings, where that was not done, and close the store."""
        await self.queue.close()
        self.session.store.close()

    # What is served

    async def open_dataset(self, name: str) -> None:
        """Show the list of a dataset that is here; train a model where it has none."""
        stays = self.current_mode
        if not await self.in_thread(self.session.store.serving_runs, name):
            stays = "train"
            await self.switch_mode(stays)
            await self.stand_in.train(name)
        await self.serve(name)
        if self.current_mode == stays:  # whoever went elsewhere meanwhile is not torn away
            await self.switch_mode("browse")

    async def serve(self, dataset: str, run: Run | None = None) -> None:
        """Open a dataset in the engine, with a run that was chosen or the one chosen last, and show its list."""
        await self.stand_in.serve(dataset, run)
        await self.say_when_ready(self.stand_in.go_on())

    def _serves(self) -> None:
        assert self.session.opened is not None
        self.working = self.session.opened["dataset"]
        self.served_changed.publish(self.working)
        self.refresh_frames()

    async def in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call something that reads or writes files without holding up the screen."""
        return await asyncio.to_thread(function, *arguments)

    async def watch_store(self) -> None:
        """Show what another window, or the command line, changed."""
        session, browse = self.session, self._browse()
        if session.opened is None or browse is None or not browse.is_mounted:
            return
        with contextlib.suppress(Problem):  # whoever needs the store next is told what is wrong with it
            version = await self.in_thread(session.store.changed_elsewhere)
            # A training writes every second, which is nothing to the list.
            if session.seen_version != version and session.seen_deeds != await self.in_thread(session.store.deeds):
                await browse.refresh_list()
            session.seen_version = version
        if self.queue.activities:
            self.refresh_frames()  # time passes also where no epoch ends
        await self.say_when_ready(self.stand_in.look())

    # The status line

    def say(self, message: str) -> None:
        """Say how something ended."""
        self.outcome = Text(message)

    @told
    async def say_when_ready(self, message: Awaitable[str]) -> None:
        """Say what comes of something, if anything does."""
        if said := await message:
            self.say(said)

    def say_problem(self, problem: Problem) -> None:
        """Say what cannot be done."""
        self.outcome = Text(f"! {problem}", "bold")

    def watch_outcome(self) -> None:
        """Draw the status line."""
        self.refresh_frames()

    def show_work(self) -> None:
        """Draw what runs; how the last thing ended is over when another begins."""
        if self.work.activity is not None and self._drawn_activity is None:
            self.outcome = Text()
        self._drawn_activity = self.work.activity
        if self.is_running:
            self.activity_changed.publish(self.work.activity)
            self.refresh_frames()

    def show_queue(self) -> None:
        """Draw how far the queue is."""
        if self.is_running:
            self.queue_changed.publish(None)
            self.refresh_frames()

    @work(group="ended")
    @told
    async def run_ended(self, run: Run) -> None:
        """Tell how a run of the queue ended; one that is waited for serves, and the first model of all."""
        if run.id != self.stand_in.leading:
            ended = import_module("movietui.screens.run_panels").how_it_ended
            self.say(await self.stand_in.take_over(run) or ended(self, run))
            if run.state == "done" and self.session.opened is None:
                await self.serve(run.dataset)

    def refresh_frames(self) -> None:
        """Draw the lines around the open screen again."""
        for screen in self.screen_stack:
            if isinstance(screen, FrameScreen):
                screen.refresh_frame()

    # Keys and palette

    def action_keys(self) -> None:
        """List the keys of the open screen."""
        from movietui.screens.panels import HelpPanel, keys_of

        if isinstance(screen := self.screen, FrameScreen):
            active = list(screen.active_bindings.values())
            self.push_screen(HelpPanel(screen.title_of_help, screen.about, keys_of(active, self.get_key_display)))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Offer the screens and everything a key does."""
        yield from super().get_system_commands(screen)
        for mode, (_, title, meaning) in SCREENS.items():
            yield SystemCommand(title, meaning, lambda mode=mode: self.action_switch_mode(mode))
        if isinstance(screen, FrameScreen):
            yield SystemCommand("Back up", "All profiles, ratings and runs in one file", screen.action_back_up)
        if isinstance(screen, BrowseScreen):
            for node, key, enabled, _ in screen.active_bindings.values():
                if node is screen and enabled and key.tooltip and not key.action.startswith("app."):
                    yield SystemCommand(key.description, key.tooltip, partial(screen.run_action, key.action))
