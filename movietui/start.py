"""Starts the app: the engine opens the list on one core while the screens are imported on the other."""

import asyncio
import gc
import sys
from collections.abc import Callable, Iterable
from importlib import import_module

from data import locations
from data.problems import Problem
from movietui.children import Engine
from movietui.session import Session
from movietui.store import Store

GARBAGE = (1000, 5, 100)
"""How seldom garbage is looked for: a look at all there is stalls the screen for a tenth of a second."""
SETTLED_SECONDS = 2.0
"""How often it is asked whether a screen was opened; by then it stands."""


def run(theme: str | None = None) -> int:
    """Open the app and return its exit code."""
    gc.disable()  # what is imported stays: looking for garbage meanwhile takes a tenth of the start
    try:
        session = Session(Store(locations.store()), Engine())
        return asyncio.run(_run(session, theme))
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 1


async def _run(session: Session, theme: str | None) -> int:
    dataset = session.store.dataset_in_use()
    await session.engine.start()
    opening = asyncio.create_task(session.open(dataset)) if dataset else None
    # In a thread, so that the engine is asked meanwhile.
    app_module = await asyncio.to_thread(import_module, "movietui.app")
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    gc.enable()
    app = app_module.MovieTui(session, theme, opening)
    tidying = asyncio.create_task(_leave_out_what_stays(app.frames))
    await app.run_async()
    tidying.cancel()
    return app.return_code or 0


async def _leave_out_what_stays(screens: Callable[[], Iterable[object]]) -> None:
    """Take what each new screen is made of out of the search for garbage, which stalls for as long as it looks."""
    known = 0
    while True:
        await asyncio.sleep(SETTLED_SECONDS)
        if (now := len(list(screens()))) != known:
            known = now
            gc.freeze()
