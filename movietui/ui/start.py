"""Starts the app: the engine opens the list on one core while the screens are imported on the other."""

import asyncio
import gc
import sys
import time
from collections.abc import Callable, Iterable
from importlib import import_module

from data import locations
from data.problems import Problem
from movietui.children import Engine
from movietui.session import Session
from movietui.store import Store

GARBAGE = (1000, 5, 1000)
"""How seldom garbage is looked for. A look at all there is stalls the screen for up to a tenth of a second, so that is
left to moments in which nothing happens, unless there are none for very long."""
PAUSE_SECONDS = 0.5
"""How often it is asked whether anything happens."""
QUIET = 0.02
"""Seconds of the processor within such a pause up to which nothing did: a key costs about as much."""
WORTH = 10
"""Looks at what is new after which all there is is worth a look."""


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
    tidying = asyncio.create_task(tidy(app.frames))
    await app.run_async()
    tidying.cancel()
    return app.return_code or 0


async def tidy(screens: Callable[[], Iterable[object]]) -> None:
    """Look for garbage while nobody waits for a frame; what new screens are made of is left out from then on."""
    known = 0
    while True:
        before = time.process_time()
        await asyncio.sleep(PAUSE_SECONDS)
        if time.process_time() - before > QUIET:
            continue
        now = len(list(screens()))
        if now != known or gc.get_count()[2] >= WORTH:
            gc.collect()
        if now != known:
            known = now
            gc.freeze()
