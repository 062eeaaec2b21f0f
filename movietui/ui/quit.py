"""Quitting, and what happens to unfinished runs."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.storage import public_demo
from movietui.formatting import text
from movietui.models.choices import RECOMMENDED
from movietui.ui.bindings import back_key, choose_key, hint, key_of
from movietui.ui.screens import Panel

if TYPE_CHECKING:
    from movietui.ui.app import MovieTui


async def quit_app(app: MovieTui) -> None:
    """End the app. If runs are training or queued, first ask what to do with them."""
    app.quit_requested()
    queue, waiting = app.queue, 0
    with contextlib.suppress(Problem):  # an unreadable store must not prevent quitting
        # Until the process of a run has started, the store says that the run is queued.
        waiting = len({run.id for run in await queue.waiting()}.difference(queue.running))
    answer = "stop"
    # The quick run is not asked about: it only trains while a person waits for a list, so stopping it loses nothing.
    running = [number for number in queue.running if number != app.stand_in.quick_run]
    # A person who quits while the question is open does not want to be asked again.
    asks = not isinstance(app.screen, QuitPanel) and not public_demo.is_on()  # there, nothing may continue
    if (running or waiting) and asks:
        automatic = app.stand_in.recommended_run in running
        answer = await app.push_screen_wait(QuitPanel(len(running), waiting, RECOMMENDED if automatic else ""))
    if answer == "back":
        return
    await asyncio.gather(app.jobs.cancel(), queue.close(stay=answer == "stay"), app.session.engine.close())
    app.exit(0)


class QuitPanel(Panel[str]):
    """Asks what to do with unfinished runs.

    Ends with ``stay`` to continue training in the background, ``stop`` to stop it, or ``back`` to return to the app.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "dismiss('stay')", tr("Keep training"), id="panel.yes"),
        choose_key("dismiss('stay')", tr("Keep training")),
        Binding("n", "dismiss('stop')", tr("Stop them"), id="panel.no"),
        back_key("dismiss('back')", tr("Stay here")),
    ]

    def __init__(self, running: int, waiting: int, automatic: str) -> None:
        """``automatic``: the name of the model that the app is training by itself; empty if there is none."""
        super().__init__()
        self._training, self._waiting, self._automatic = running, waiting, automatic

    def compose(self) -> ComposeResult:
        """Show the question."""
        running_text = [tr("{runs} training", runs=text.plural(self._training, "run"))]
        waiting_text = [tr("{runs} queued", runs=text.plural(self._waiting, "run"))]
        message = tr(" and ").join(running_text * bool(self._training) + waiting_text * bool(self._waiting))
        with Vertical(classes="panel") as panel:
            panel.border_title = tr("Quit while models are training?")
            keys = (("panel.yes", tr("background")), ("panel.no", tr("stop")), ("panel.back", tr("stay")))
            panel.border_subtitle = Content(hint(self, *keys))
            model = self._automatic
            better = tr(" {model} makes a better list: you can use it when it is ready.", model=model) * bool(model)
            yield Static(f"{message}.{better}", markup=False)
            yield Static()
            stay = tr("{key}  keep training in the background", key=key_of(self, "panel.yes"))
            yield Static(stay, markup=False)
            continuing = tr("{model} and the queue continue", model=model) if model else tr("the queue continues")
            stop = tr(
                "{key}  stop training; {continuing} when you next open movietui",
                key=key_of(self, "panel.no"),
                continuing=continuing,
            )
            yield Static(stop, markup=False)
