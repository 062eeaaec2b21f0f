"""A first list fast, and the best list soon: a quick model serves until the user accepts the recommended one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from movietui.data.language import tr
from movietui.data.problems import Cancelled, Problem
from movietui.models.choices import QUICK, RECOMMENDED, STAND_INS, quick_model
from movietui.protocol.jobs import JobClient, TrainOptions
from movietui.protocol.requests import Requests
from movietui.state.run_queue import RunQueue
from movietui.state.session import Session
from movietui.store.run_records import Run
from movietui.store.runs import OVER, Runs

MOST_RATINGS = 2_000_000
"""On larger datasets, the recommended model takes an hour or more to train, so it is not trained automatically."""


class StandIn:
    """Trains the quick model for a dataset without a model, then the recommended one, which it offers when done.

    A list must not change while the user reads it, so the recommended run serves only once the user accepts it. It is
    offered in every window whose list the quick run makes, and again at the next start. Nothing is offered once the
    user has chosen a run, and a recommended run that the user cancelled is not started again. A recommended run that
    was interrupted, or stopped because the app quit, is resumed at the next start.
    """

    def __init__(self, session: Session, queue: RunQueue, serves: Callable[[], None]) -> None:
        """``serves`` is called whenever another run starts to serve."""
        self._session = session
        self._queue = queue
        self._serves = serves
        self._runs = Runs(session.store)
        self._opening = asyncio.Lock()
        self.recommended_run: int | None = None
        """The number of the recommended run, until it is over."""
        self.offered: Run | None = None
        """The recommended run, once it is done and until the user chooses a run."""
        self.quick_run: int | None = None
        """The number of the quick run, while ``train`` waits for it."""
        self.note = ""
        """What to install, if the serving run stands in for better models only because torch is missing or broken."""
        self._starting: JobClient | None = None
        """The job of the quick run, while it loads torch."""

    async def train(self, dataset: str, job: JobClient | None = None) -> None:
        """Train the quick model and wait until it is done. ``job`` is a job already started for this, if any.

        Raises ``Problem`` if the model cannot be trained, and ``Cancelled`` if its run was cancelled.
        """
        self.quick_run = await self.start(dataset, job)
        try:
            await self.finish(self.quick_run)
        finally:
            self.quick_run = None

    async def start(self, dataset: str, job: JobClient | None = None) -> int:
        """Start training the quick model and return the number of the run.

        If such a run is already queued or training, return its number. ``job`` is a job already started for this, if
        any. Where torch is missing or broken, the quick model is one that needs none.
        """
        options: TrainOptions = {
            "cleaning": await asyncio.to_thread(self._session.store.cleaning_of, dataset),
            "settings": {},
        }
        rows = await self._session.engine.ask(Requests.datasets)
        row = next((row for row in rows if row["name"] == dataset), None)
        implicit, users = (row["implicit"], row["users"] or 0) if row is not None else (False, 0)
        self._starting = job = job or self._queue.new_job()
        try:
            torch = not await job.torch_defect()
        finally:
            self._starting = None
        if not torch:  # torch may have ended the process
            await job.cancel()
            job = None
        return await self._queue.add_stand_in(
            quick_model(implicit=implicit, users=users, torch=torch), dataset, options, job
        )

    async def cancel_start(self) -> bool:
        """Cancel the quick run that ``start`` is about to start; return whether there is one."""
        if self._starting is None:
            return False
        await self._starting.cancel()
        return True

    async def cancel(self) -> bool:
        """Cancel the quick run that ``train`` waits for; return whether there is one."""
        if self.quick_run not in self._queue.running:
            return await self.cancel_start()
        await self._queue.cancel(self.quick_run)
        return True

    async def finish(self, number: int) -> None:
        """Wait until a run of the quick model is over.

        Raises ``Problem`` if it failed, and ``Cancelled`` if it was cancelled.
        """
        run = await self._queue.end_of(number)
        if run.state == "cancelled":
            raise Cancelled
        if run.state != "done":
            failed = tr(
                "{model} could not be trained on {dataset}; try again on the Train screen.",
                model=run.model,
                dataset=run.dataset,
            )
            raise Problem(run.problem or failed)

    async def serve(self, dataset: str, run: Run | None = None) -> None:
        """Open a dataset with ``run``, which the user has just chosen.

        Without ``run``, use the run chosen last or, if it cannot be loaded, the newest that can.
        """
        async with self._opening:
            await self._session.open(dataset, run)
            if run is not None:
                with contextlib.suppress(Problem):  # on a full disk, the choice is not stored
                    await asyncio.to_thread(self._runs.decide, dataset)
        self.offered = None
        self._serves()

    async def improve(self, *, trains: bool = True) -> bool:
        """Train the recommended model, resume its run, or offer it if it is done; without ``trains``, only offer it.

        Train and offer nothing unless one of ``STAND_INS`` serves the open dataset, torch works, the dataset has at
        most ``MOST_RATINGS`` ratings, and the user has chosen no run. Return whether the recommended model is offered
        now.
        """
        self.recommended_run = self.offered = None
        self.note = ""
        opened, serving = self._session.opened, self._session.run
        if opened is None or serving is None or serving.model not in STAND_INS:
            return False
        if not await asyncio.to_thread(self._runs.is_stand_in, serving):
            return False
        if serving.model != QUICK and (defect := await self._torch_defect()):
            self.note = tr("{defect} for better models.", defect=defect)
            return False
        if opened["ratings"] > MOST_RATINGS:
            return False
        if trains:
            run = await self._queue.add_recommended(RECOMMENDED, serving)
            self.recommended_run = run.id if run is not None else None
        else:
            self.recommended_run = await asyncio.to_thread(self._runs.recommended_for, serving)
        return await self.check()

    async def _torch_defect(self) -> str:
        job = self._queue.new_job()
        try:
            return await job.torch_defect()
        finally:
            await job.cancel()

    async def check(self) -> bool:
        """Offer the recommended run if another process has finished it; return whether the offer is new.

        An offer ends if another window accepted it or deleted the run. This method does not offer a run that trains in
        this window, because the queue reports its end.
        """
        if self.offered is not None and not await self._may_offer(self.offered.id):
            self.offered = None
        if self.recommended_run is None or self.recommended_run in self._queue.running:
            return False
        run = None
        with contextlib.suppress(Problem):  # the next action that needs the store reports what is wrong
            run = await asyncio.to_thread(self._session.store.run, self.recommended_run)
        return run is not None and run.state in OVER and await self.offer(run)

    async def offer(self, run: Run) -> bool:
        """Offer a run that has ended, provided that it is ``done`` and that the serving run stands in for it.

        Return whether the run is offered.
        """
        if run.id == self.recommended_run:
            self.recommended_run = None
        if run.state == "done" and await self._may_offer(run.id):
            self.offered = run
            return True
        return False

    async def _may_offer(self, number: int) -> bool:
        """Return whether a run exists and the serving run stands in for it."""
        serving = self._session.run
        if serving is None:
            return False
        with contextlib.suppress(Problem):
            run = await asyncio.to_thread(self._session.store.run, number)
            if run is None or run.dataset != serving.dataset:
                return False
            return await asyncio.to_thread(self._runs.stands_in, serving, run)
        return False
