"""Starts the app: the engine opens the list on one core while the screens are imported on the other."""

import asyncio
import gc
import sys
from importlib import import_module

from data import locations
from data.problems import Problem
from movietui.children import Engine
from movietui.session import Session
from movietui.store import Store


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
    gc.enable()
    app = app_module.MovieTui(session, theme, opening)
    await app.run_async()
    return app.return_code or 0
