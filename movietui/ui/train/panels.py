"""Panels of the Train screen."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

from rich.console import Console
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from data.problems import Problem
from movietui import text
from movietui.bindings import back, choose, hint, key_of, key_on, never_mind
from movietui.run_records import Run
from movietui.runs import RECOMMENDED, Freed, Runs
from movietui.screens.panels import ScrollPanel
from movietui.widgets.text_pane import TextPane
from movietui.widgets.told import told

if TYPE_CHECKING:
    from movietui.app import MovieTui

LISTED = 6
"""Of how many checkpoints that would go the panel tells one by one."""


async def leave(app: MovieTui) -> None:
    """End the app; where trainings are not over, ask first what becomes of them."""
    queue, waiting = app.queue, 0
    with contextlib.suppress(Problem):  # a store that cannot be read keeps nobody here
        waiting = len(await queue.waiting())
    answer = "stop"
    # Whoever asks to leave while the question stands does not want to hear it again.
    if (queue.running or waiting) and not isinstance(app.screen, LeavePanel):
        by_itself = app.stand_in.awaited in queue.running
        answer = await app.push_screen_wait(LeavePanel(len(queue.running), waiting, RECOMMENDED if by_itself else ""))
    if answer == "back":
        return
    await app.work.cancel()
    await queue.close(stay=answer == "stay")
    await app.session.engine.close()
    app.exit(0)


class LeavePanel(ModalScreen[str]):
    """Asks what becomes of the trainings: ``stay``, ``stop``, or ``back`` to the app."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "dismiss('stay')", "Let them finish", id="panel.yes"),
        choose("dismiss('stay')", "Let them finish"),
        Binding("n", "dismiss('stop')", "Stop them", id="panel.no"),
        back("dismiss('back')", "Stay here"),
    ]

    def __init__(self, running: int, waiting: int, by_itself: str) -> None:
        """``by_itself``: the model among them that began to train by itself, if one did."""
        super().__init__()
        self._training, self._waiting, self._by_itself = running, waiting, by_itself

    def compose(self) -> ComposeResult:
        """Ask."""
        trains = [f"{text.plural(self._training, 'run')} {'trains' if self._training == 1 else 'train'}"]
        waits = [f"{text.plural(self._waiting, 'run')} {'waits' if self._waiting == 1 else 'wait'}"]
        told = " and ".join(trains * bool(self._training) + waits * bool(self._waiting))
        with Vertical(classes="panel") as panel:
            panel.border_title = "Leave while models train?"
            keys = (("panel.yes", "finishes in the background"), ("panel.no", "stops"), ("panel.back", "stays"))
            panel.border_subtitle = Content(hint(self, *keys))
            better = f" {self._by_itself} makes the list better when it is ready." if self._by_itself else ""
            yield Static(f"{told}.{better}", markup=False)
            yield Static()
            yield Static(f"{key_of(self, 'panel.yes')}  finish in the background, without this window", markup=False)
            on = f"{self._by_itself} and what waits go" if self._by_itself else "what waits goes"
            yield Static(f"{key_of(self, 'panel.no')}  stop; {on} on at the next start", markup=False)


class PrunePanel(ModalScreen[list[Freed] | None]):
    """Asks of how many runs the checkpoints stay, and by which metric; shows which go. Ends with those that went."""

    BINDINGS: ClassVar[list[BindingType]] = [never_mind()]

    def __init__(self, runs: Runs, metric: str) -> None:
        super().__init__()
        self._runs, self._metric = runs, metric

    def compose(self) -> ComposeResult:
        """Ask."""
        with Vertical(classes="panel prune") as panel:
            panel.border_title = "Keep the best checkpoints"
            panel.border_subtitle = Content(f"enter removes the others · tab · {hint(self, ('panel.leave', 'leaves'))}")
            yield Static("How many stay of each dataset, cleaning and split", markup=False)
            yield Input("3", id="keep", compact=True, max_length=4)
            yield Static("The best by", markup=False)
            yield Input(self._metric, id="metric", compact=True, max_length=40)
            yield Static(id="would-go", markup=False)
            yield Static(id="wrong", markup=False)

    def _asked(self) -> tuple[int, str]:
        """Return what was typed. Raises ``Problem`` where it cannot be used."""
        keep = self.query_one("#keep", Input).value.strip()
        if not keep.isdecimal():
            raise Problem("Type how many stay: 0 or more.")
        return int(keep), self.query_one("#metric", Input).value.strip()

    @on(Input.Changed)
    @work(exclusive=True, group="look")
    @told
    async def look(self) -> None:
        """Show what would go."""
        told, wrong = Text(), ""
        try:
            found = await asyncio.to_thread(self._runs.prunable, *self._asked())
            total = text.size(sum(one.bytes for one in found))
            told.append(
                f"{text.plural(len(found), 'checkpoint')} would go, {total}:" if found else "None would go.", "bold"
            )
            for one in found[:LISTED]:
                figure = one.run.metrics.get(self.query_one("#metric", Input).value.strip())
                named = f"run {one.run.id}  {one.run.name or one.run.model}, {one.run.dataset}, {one.run.split}"
                measured = f"  {figure:.4f}" if figure is not None else ""
                told.append(f"\n{text.cut(named, 38)}{measured}  {text.size(one.bytes)}")
            if len(found) > LISTED:
                told.append(f"\nand {len(found) - LISTED} more", "dim")
            told.append("\n\nFigures and curves stay, and what is in use.", "dim")
        except Problem as problem:
            wrong = str(problem)
        self.query_one("#would-go", Static).update(told)
        self.query_one("#wrong", Static).update(Text(wrong))

    @on(Input.Submitted)
    async def prune(self) -> None:
        """Remove them, or say why that cannot be."""
        try:
            self.dismiss(await asyncio.to_thread(self._runs.prune, *self._asked()))
        except Problem as problem:
            self.query_one("#wrong", Static).update(Text(str(problem)))


class TablesPanel(ScrollPanel[None]):
    """All about a run, or two side by side: the tables that the command line prints."""

    scrolls = "#tables"

    def __init__(self, title: str, tables: Callable[[ModuleType], list[Any]]) -> None:
        """``tables``: given the module ``run_tables``, the tables and lines of the panel."""
        super().__init__()
        self._title, self._tables = title, tables

    def compose(self) -> ComposeResult:
        """Leave room for the tables."""
        with Vertical(classes="panel wide") as panel:
            panel.border_title = self._title
            panel.border_subtitle = Content(hint(self, ("list.up list.down", "scroll"), ("panel.back", "goes back")))
            yield TextPane(id="tables")

    def on_resize(self) -> None:
        """Draw the tables as wide as there is room."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        from movietui import run_tables

        pane = self.query_one("#tables", TextPane)
        page = io.StringIO()
        # What people wrote is never read as markup.
        width = max(40, pane.scrollable_content_region.width)
        console = Console(file=page, width=width, markup=False, highlight=False, emoji=False, force_terminal=True)
        for part in self._tables(run_tables):
            console.print(part)
        pane.show(Text.from_ansi(page.getvalue()))


def how_it_ended(app: MovieTui, run: Run) -> str:
    """Return the sentence for the end of a run."""
    from movietui.screens.train import TrainScreen

    match run.state:
        case "done":
            figure = f"RMSE {run.metrics['rmse']:.4f} on {run.split}" if "rmse" in run.metrics else "done"
            return f"{run.model}: {figure} · {key_on(TrainScreen, app, 'train.use')} on run {run.id} uses it in Browse"
        case "cancelled":
            again = key_on(TrainScreen, app, "train.again")
            return f"Stopped training {run.model}; run {run.id} keeps its curve, {again} goes on with it."
        case _:
            return f"! Run {run.id} {run.state}: {run.problem}"
