"""One job at a time, and what it looks like while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from data.problems import Cancelled, Problem
from movietui.activity import Activity
from movietui.children import Job
from movietui.database import STANDARD
from movietui.wire import Message

DRAWN_A_SECOND = 10


class Work:
    """Runs jobs in child processes and tells, at most a few times a second, how far they are."""

    def __init__(self, changed: Callable[[], None], job: Callable[[], Job] = Job) -> None:
        self._changed = changed
        self._new_job = job
        self._job: Job | None = None
        self._later: asyncio.TimerHandle | None = None
        self.activity: Activity | None = None
        """What runs, or ``None``."""

    async def get(self, name: str, path: str | None = None, cleaning: str = STANDARD) -> dict[str, Any]:
        """Get and clean a dataset."""
        return await self._run(f"get {name}", {"do": "get", "name": name, "path": path, "cleaning": cleaning})

    async def clean(self, name: str, cleaning: str) -> dict[str, Any]:
        """Clean a dataset that is here."""
        return await self._run(f"clean {name}", {"do": "clean", "name": name, "cleaning": cleaning})

    async def remove(self, name: str) -> dict[str, Any]:
        """Remove a dataset from the disk."""
        return await self._run(f"remove {name}", {"do": "remove", "name": name})

    async def imdb(self, name: str, path: str | None = None) -> dict[str, Any]:
        """Join a dataset with IMDb's tables, of a folder or downloaded."""
        return await self._run(f"imdb {name}", {"do": "imdb", "name": name, "path": path})

    async def sweep(self, model: str, dataset: str, options: Message) -> dict[str, Any]:
        """Measure a model with the combinations of a ``grid``, on a ``split`` with a ``cleaning`` and a ``seed``."""
        return await self._run(f"sweep {model}", {"do": "sweep", "model": model, "dataset": dataset, **options})

    async def _run(self, title: str, request: Message) -> dict[str, Any]:
        """Return the result. Raises ``Problem`` with the job's sentence, or ``Cancelled``."""
        if self._job is not None:
            raise Problem("Something else is running; wait for it, or cancel it with c.")
        self._job = self._new_job()
        self._show(Activity(title, request))
        try:
            async for event in self._job.events(request):
                match event["event"]:
                    case "done":
                        result: dict[str, Any] = event["result"]
                        return result
                    case "failed":
                        raise Problem(event["problem"])
                    case "cancelled":
                        break
                    case _:
                        assert self.activity is not None
                        self._show_soon(self.activity.after(event))
            raise Cancelled
        finally:
            self._job = None
            self._show(None)

    async def cancel(self) -> bool:
        """Stop what runs; return whether anything did."""
        job = self._job
        if job is None:
            return False
        await job.cancel()
        return True

    def _show(self, activity: Activity | None) -> None:
        self.activity = activity
        if self._later is not None:
            self._later.cancel()
            self._later = None
        self._changed()

    def _show_soon(self, activity: Activity) -> None:
        self.activity = activity
        if self._later is None:
            loop = asyncio.get_running_loop()
            self._later = loop.call_later(1 / DRAWN_A_SECOND, lambda: self._show(self.activity))
