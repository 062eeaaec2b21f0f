"""First list fast, best list soon: a quick model stands in until the recommended one has learned and takes over."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from data.problems import Cancelled, Problem
from movietui.queue import RunQueue, Training
from movietui.run_records import Run
from movietui.runs import OVER, QUICK, RECOMMENDED, Runs
from movietui.session import Session

MOST_RATINGS = 2_000_000
"""Of larger datasets the recommended model learns for an hour and more, which nobody is put through unasked."""


class StandIn:
    """Trains the quick model where nothing serves a dataset, the recommended one behind it, and lets that take over.

    It takes over only from the run that stood in for it, in every window that shows that one. Whoever chose what serves
    by themselves is left with it, and whoever cancelled the recommended run is not asked again. One that was cut off or
    stopped with the app goes on with the next start.
    """

    def __init__(self, session: Session, queue: RunQueue, serves: Callable[[], None]) -> None:
        """``serves`` is called when another run serves."""
        self._session = session
        self._queue = queue
        self._serves = serves
        self._runs = Runs(session.store)
        self._opening = asyncio.Lock()
        self.awaited: int | None = None
        """The run of the recommended model that is to serve when it is done."""
        self.leading: int | None = None
        """The run of the quick model that somebody waits for now."""

    async def train(self, dataset: str, job: Training | None = None) -> None:
        """Train the quick model and wait for it, in a job that was started before if one is given.

        Raises ``Problem`` where that cannot be done, ``Cancelled`` where it was stopped.
        """
        options = {"cleaning": await self._session.cleaning_of(dataset), "settings": {}}
        self.leading = await self._queue.add_stand_in(QUICK, dataset, options, job)
        try:
            run = await self._queue.end_of(self.leading)
        finally:
            self.leading = None
        if run.state == "cancelled":
            raise Cancelled
        if run.state != "done":
            raise Problem(run.problem or f"{QUICK} could not be trained on {dataset}; the Train screen tries again.")

    async def serve(self, dataset: str, run: Run | None = None) -> None:
        """Serve a dataset with a run that a person chose, else with the one chosen last."""
        async with self._opening:
            await self._session.open(dataset, run)
            if run is not None:
                with contextlib.suppress(Problem):  # on a full disk the list goes on all the same
                    await asyncio.to_thread(self._runs.decide, dataset)
        self._serves()

    async def go_on(self) -> str:
        """Train the recommended model, go on where it was cut off, or let it serve where it is done.

        For the dataset that is open, where the quick model serves it because nobody chose another. Returns what is to
        be said.
        """
        self.awaited = None
        opened, serving = self._session.opened, self._session.run
        if opened is None or serving is None or opened["ratings"] > MOST_RATINGS:
            return ""
        run = await self._queue.add_recommended(RECOMMENDED, serving)
        self.awaited = run.id if run is not None else None
        return await self.look()

    async def look(self) -> str:
        """Let the run that is waited for serve once it is done; return what is to be said.

        Of one that trains here the queue tells the end.
        """
        if self.awaited is None or self.awaited in self._queue.running:
            return ""
        run = None
        with contextlib.suppress(Problem):  # whoever needs the store next is told what is wrong with it
            run = await asyncio.to_thread(self._session.store.run, self.awaited)
        if run is None or run.state not in OVER:
            return ""
        self.awaited = None
        return await self.take_over(run)

    async def take_over(self, run: Run) -> str:
        """Let a run serve if another stands in for it; return what is to be said, nothing where none does."""
        async with self._opening:
            before = self._session.run
            if run.state != "done" or before is None or before.dataset != run.dataset:
                return ""
            if not await asyncio.to_thread(self._runs.stands_in, before, run):
                return ""
            await self._session.open(run.dataset, run)
        self._serves()
        figures = [f"RMSE {one.metrics['rmse']:.2f}" for one in (run, before) if "rmse" in one.metrics]
        better = f": {figures[0]} instead of {figures[1].removeprefix('RMSE ')}" if len(figures) == 2 else ""
        return f"{run.model} is ready{better}; the list is now its"
