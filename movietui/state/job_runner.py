"""Runs jobs for the screens, one at a time, and follows their progress. ``run_queue`` runs those that train models."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import overload

from movietui.data.language import tr
from movietui.data.problems import Cancelled, Problem
from movietui.protocol.jobs import (
    CleanJob,
    GetJob,
    GetResult,
    ImdbJob,
    JobClient,
    JobRequest,
    JobResult,
    RemoveJob,
    RemoveResult,
    SweepJob,
    SweepOptions,
    SweepResult,
)
from movietui.protocol.messages import CleaningReport, ImdbReport
from movietui.state.child_processes import Job
from movietui.state.job_progress import JobProgress
from movietui.store.database import STANDARD

UPDATES_PER_SECOND = 10
"""How many times a second, at most, progress is reported."""


class JobRunner:
    """Runs jobs in child processes, one at a time. Calls ``changed`` when a job begins, progresses or ends."""

    def __init__(self, changed: Callable[[], None], job: Callable[[], JobClient] = Job) -> None:
        self._changed = changed
        self._new_job = job
        self._job: JobClient | None = None
        self._later: asyncio.TimerHandle | None = None
        self.progress: JobProgress | None = None
        """The progress of the running job; ``None`` if there is none."""

    async def get(self, name: str, path: str | None = None, cleaning: str = STANDARD) -> GetResult:
        """Get and clean a dataset."""
        return await self._run(
            tr("get {dataset}", dataset=name), {"do": "get", "name": name, "path": path, "cleaning": cleaning}
        )

    async def clean(self, name: str, cleaning: str) -> CleaningReport:
        """Clean a dataset that is on disk."""
        return await self._run(tr("clean {dataset}", dataset=name), {"do": "clean", "name": name, "cleaning": cleaning})

    async def remove(self, name: str) -> RemoveResult:
        """Remove a dataset from the disk."""
        return await self._run(tr("remove {dataset}", dataset=name), {"do": "remove", "name": name})

    async def imdb(self, name: str, path: str | None = None) -> ImdbReport:
        """Join a dataset with IMDb's tables, read from a folder or downloaded."""
        return await self._run(tr("imdb {dataset}", dataset=name), {"do": "imdb", "name": name, "path": path})

    async def sweep(self, model: str, dataset: str, options: SweepOptions) -> SweepResult:
        """Try settings of a model, and measure the model with each."""
        return await self._run(
            tr("sweep {model}", model=model), {"do": "sweep", "model": model, "dataset": dataset, **options}
        )

    @overload
    async def _run(self, title: str, request: GetJob) -> GetResult: ...

    @overload
    async def _run(self, title: str, request: CleanJob) -> CleaningReport: ...

    @overload
    async def _run(self, title: str, request: RemoveJob) -> RemoveResult: ...

    @overload
    async def _run(self, title: str, request: ImdbJob) -> ImdbReport: ...

    @overload
    async def _run(self, title: str, request: SweepJob) -> SweepResult: ...

    async def _run(self, title: str, request: JobRequest) -> JobResult:
        """Run a job and return its result.

        Raises ``Problem`` if another job is running, or with the job's message if this job fails. Raises ``Cancelled``
        if this job is cancelled.
        """
        if self._job is not None:
            raise Problem(tr("Another job is running; wait for it, or cancel it on the Data screen."))
        self._job = self._new_job()
        self._show(JobProgress(title, request))
        try:
            async with aclosing(self._job.events(request)) as events:  # after this block, the job's process has ended
                async for event in events:
                    if event["event"] == "done":
                        return event["result"]
                    if event["event"] == "failed":
                        raise Problem(event["problem"])
                    if event["event"] == "cancelled":
                        break
                    assert self.progress is not None
                    self._show_soon(self.progress.after(event))
            raise Cancelled
        finally:
            self._job = None
            self._show(None)

    async def cancel(self) -> bool:
        """Stop the running job; return whether there was one."""
        job = self._job
        if job is None:
            return False
        await job.cancel()
        return True

    def _show(self, progress: JobProgress | None) -> None:
        self.progress = progress
        if self._later is not None:
            self._later.cancel()
            self._later = None
        self._changed()

    def _show_soon(self, progress: JobProgress) -> None:
        self.progress = progress
        if self._later is None:
            loop = asyncio.get_running_loop()
            self._later = loop.call_later(1 / UPDATES_PER_SECOND, lambda: self._show(self.progress))
