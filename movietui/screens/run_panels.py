"""Panels of the Train screen."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

from rich.console import Console
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from data.problems import Problem
from movietui import text
from movietui.runs import RECOMMENDED
from movietui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from movietui.app import MovieTui


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
        Binding("y,enter", "dismiss('stay')", "Let them finish"),
        Binding("n", "dismiss('stop')", "Stop them"),
        Binding("escape,q", "dismiss('back')", "Stay here"),
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
            panel.border_subtitle = "y finishes in the background · n stops · esc stays"
            better = f" {self._by_itself} makes the list better when it is ready." if self._by_itself else ""
            yield Static(f"{told}.{better}", markup=False)
            yield Static()
            yield Static("y  finish in the background, without this window", markup=False)
            on = f"{self._by_itself} and what waits go" if self._by_itself else "what waits goes"
            yield Static(f"n  stop; {on} on at the next start", markup=False)


class TablesPanel(ModalScreen[None]):
    """All about a run, or two side by side: the tables that the command line prints."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "dismiss", "Back"),
        Binding("down,j", "scroll(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("pagedown,space", "scroll(15)", show=False),
        Binding("pageup", "scroll(-15)", show=False),
    ]

    def __init__(self, title: str, tables: Callable[[ModuleType], list[Any]]) -> None:
        """``tables``: given the module ``run_tables``, the tables and lines of the panel."""
        super().__init__()
        self._title, self._tables = title, tables

    def compose(self) -> ComposeResult:
        """Leave room for the tables."""
        with Vertical(classes="panel wide") as panel:
            panel.border_title = self._title
            panel.border_subtitle = "↑ ↓ scroll · esc goes back"
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

    def action_scroll(self, lines: int) -> None:
        """Scroll where it is longer than the panel."""
        self.query_one("#tables", TextPane).scroll_relative(y=lines, animate=False)
