"""Starts the app: the engine opens the list on one core while the screens are imported on another."""

import asyncio
import gc
import os
import sys
import time
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Protocol

from movietui.data.problems import Problem
from movietui.data.storage import locations
from movietui.protocol.wire import sentence
from movietui.state.child_processes import Engine, end_all, kill_all
from movietui.state.session import Session
from movietui.store.ratings import Store
from movietui.ui.shutdown import Shutdown, missing_terminal

GARBAGE = (1000, 5, 1000)
"""Thresholds of the garbage collector. A full collection stalls the screen for up to a tenth of a second, so it is left
to moments when nothing happens, unless there are none for very long."""
PAUSE_SECONDS = 0.5
"""Seconds between checks whether the app is idle."""
QUIET = 0.02
"""Seconds of processor time within such a pause up to which the app counts as idle; a key costs about as much."""
WORTH = 10
"""Collections of young objects after which an idle app runs a full one."""
OVERDUE = 50
"""Collections of young objects after which a full one no longer waits for an idle moment: a key that is held down
leaves none. About two hundred keys cause as many, and each leaves about eighty objects that nothing else frees."""


def run(theme: str | None = None) -> int:
    """Open the app and return its exit code."""
    # Another driver, such as the one for a browser, needs no terminal.
    if "TEXTUAL_DRIVER" not in os.environ and (missing := missing_terminal()):
        print(missing, file=sys.stderr)
        return 1
    gc.disable()  # imported modules stay: collecting garbage meanwhile takes a tenth of the start
    try:
        session = Session(Store(locations.store()), Engine())
        return asyncio.run(_run(session, theme))
    except Problem as problem:
        print(problem, file=sys.stderr)
    except Exception as error:
        if os.environ.get("MOVIETUI_DEBUG"):
            raise
        print(sentence(error), file=sys.stderr)
    return 1


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
    # In a thread, so that the request to the engine is sent meanwhile.
    app_module = await asyncio.to_thread(import_module, "movietui.ui.app")
    gc.freeze()
    gc.set_threshold(*GARBAGE)
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
        """Release them."""


async def tidy(screens: Callable[[], Iterable[Tidied]]) -> None:
    """Collect garbage while the app is idle, or when there is too much of it.

    After that, exclude the objects of new screens from collection. A screen counts as new only if there have never been
    so many screens: excluded objects are never freed, so nothing temporary, such as an interview, may be among them.
    """
    most = 0
    while True:
        before = time.process_time()
        await asyncio.sleep(PAUSE_SECONDS)
        quiet = time.process_time() - before <= QUIET
        now = list(screens())
        if gc.get_count()[2] < (WORTH if quiet else OVERDUE) and not (quiet and len(now) > most):
            continue
        for screen in now:
            screen.forget_removed()
        gc.collect()
        if len(now) > most:
            most = len(now)
            gc.freeze()
