"""Starts the app. The engine opens the dataset on one core while the app imports its screens on another."""

import asyncio
import gc
import os
import sys
import time
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Protocol

from movietui.data.problems import Problem
from movietui.data.storage import locations, log
from movietui.formatting.color import set_no_color
from movietui.protocol.exit_codes import FAILED
from movietui.protocol.wire import sentence
from movietui.state.child_processes import Engine, end_all, kill_all
from movietui.state.session import Session
from movietui.store.ratings import Store
from movietui.ui.shutdown import Shutdown, missing_terminal

GC_THRESHOLDS = (1000, 5, 1000)
"""Thresholds of the garbage collector. A full collection stalls the screen for up to a tenth of a second, so it waits
for a moment when nothing happens, unless no such moment comes for a very long time."""
PAUSE_SECONDS = 0.5
"""Seconds between checks of whether the app is idle."""
IDLE_CPU_SECONDS = 0.02
"""The app is idle if it uses at most this many seconds of processor time between checks, about as many as one key
takes."""
DUE = 10
"""The number of partial collections after which an idle app runs a full one."""
OVERDUE = 50
"""After this many partial collections, a full one no longer waits for an idle moment: while a key is held down, the app
is never idle. About two hundred key presses cause that many partial collections, and each press leaves about eighty
objects that only a full collection frees."""


def run(theme: str | None = None) -> int:
    """Run the app and return its exit code."""
    # Another driver, such as the one for a browser, needs no terminal.
    if "TEXTUAL_DRIVER" not in os.environ and (missing := missing_terminal()):
        print(missing, file=sys.stderr)
        return FAILED
    set_no_color()
    gc.disable()  # imported modules are never garbage, and collections meanwhile take a tenth of the start
    try:
        session = Session(Store(locations.store()), Engine())
        return asyncio.run(_run(session, theme))
    except Problem as problem:
        print(problem, file=sys.stderr)
    except Exception as error:
        log.record("app", error)
        if os.environ.get("MOVIETUI_DEBUG"):
            raise
        print(sentence(error), file=sys.stderr)
    return FAILED


async def _run(session: Session, theme: str | None) -> int:
    """Run the app until a person or a signal ends it, then end all child processes."""
    shutdown = Shutdown(session.engine.close, kill_all)
    try:
        code = await _show(session, theme)
    except asyncio.CancelledError:
        code = shutdown.code
    finally:
        await end_all()
        session.store.close()
    return shutdown.code or code


async def _show(session: Session, theme: str | None) -> int:
    dataset = session.store.dataset_in_use()
    await session.engine.start()
    opening = asyncio.create_task(session.open(dataset)) if dataset else None
    # In a thread, so that the event loop can send the request to the engine meanwhile.
    app_module = await asyncio.to_thread(import_module, "movietui.ui.app")
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    gc.enable()
    app = app_module.MovieTui(session, theme, opening)
    session.engine.notice, app.hurry = app.show_notice, session.engine.hurry
    tidying = asyncio.create_task(tidy(app.frame_screens))
    try:
        await app.run_async()
    finally:
        tidying.cancel()
    return app.return_code or 0


class Tidied(Protocol):
    """A screen that keeps references to removed widgets."""

    def forget_removed(self) -> None:
        """Release these references."""


async def tidy(screens: Callable[[], Iterable[Tidied]]) -> None:
    """Collect garbage while the app is idle, or when there is too much of it.

    If there are then more screens than ever before, exclude all existing objects from later collections. Excluded
    objects in cycles are never freed, so screens that open again and again, such as interviews, must not cause this.
    """
    most = 0
    while True:
        before = time.process_time()
        await asyncio.sleep(PAUSE_SECONDS)
        idle = time.process_time() - before <= IDLE_CPU_SECONDS
        now = list(screens())
        if gc.get_count()[2] < (DUE if idle else OVERDUE) and not (idle and len(now) > most):
            continue
        for screen in now:
            screen.forget_removed()
        gc.collect()
        if len(now) > most:
            most = len(now)
            gc.freeze()
