"""The queue of runs. Each run is trained in its own child process, one or several at a time.

The queue is in the store, so it survives a restart: the next process adopts the queued runs of a process that has
ended. A run pauses at its next report of progress, which comes after an epoch or within one. Its process then waits
until the run is resumed or cancelled, or until the app ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import cast

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.storage import locations, log
from movietui.protocol import code_path
from movietui.protocol.jobs import JobClient, TrainJob, TrainOptions
from movietui.state.child_processes import Job
from movietui.state.job_progress import JobProgress
from movietui.store.ratings import Store
from movietui.store.run_records import CUT_OFF, UNDER_WAY, Run
from movietui.store.runs import OVER, SERVED_SPLIT, Runs

UPDATES_PER_SECOND = 5
"""How many times a second, at most, progress is reported: each report redraws a screen, which slows the training."""
LOOK_SECONDS = 0.5
"""Seconds between checks of whether a run of another process has ended."""


class RunQueue:
    """Starts the queued runs of this process, in order."""

    def __init__(
        self,
        store: Store,
        at_a_time: int = 1,
        job: Callable[[], JobClient] = Job,
        changed: Callable[[], object] = lambda: None,
        ended: Callable[[Run], object] = lambda run: None,
    ) -> None:
        """``at_a_time`` is how many runs may train at once.

        ``changed`` is called when the queue changes and, a few times a second, while runs progress. ``ended`` is called
        with each run that is over.
        """
        self._store = store
        self._runs = Runs(store)
        self._at_a_time = at_a_time
        self.new_job = job
        """Returns a new job for a run."""
        self._changed = changed
        self._ended = ended
        self._jobs: dict[int, JobClient] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._later: asyncio.TimerHandle | None = None
        self._filling = asyncio.Lock()
        self._closing = False
        self._at_once: dict[int, JobClient | None] = {}
        """The runs that start without waiting for others, each with the job that was started for it, if any."""
        self._over: set[int] = set()
        """Runs that ended in this process. They are not started again, even if their end could not be recorded."""
        self._idle = asyncio.Event()
        self._idle.set()
        self.paused: set[int] = set()
        """The runs that were asked to pause. When one has paused, its state is ``paused``."""
        self.progress: dict[int, JobProgress] = {}
        """The progress of the runs that train, by number."""

    async def open(self) -> int:
        """Adopt the queued runs of ended processes, and start those that may start; return how many were adopted."""
        adopted = await asyncio.to_thread(self._runs.adopt)
        await self._fill()
        return adopted

    async def add(self, model: str, dataset: str, options: TrainOptions) -> int:
        """Add a run to the end of the queue, and return its number."""
        number = await asyncio.to_thread(
            self._runs.queue, model, dataset, options.get("split") or SERVED_SPLIT, options
        )
        await self._fill()
        return number

    async def add_stand_in(self, model: str, dataset: str, options: TrainOptions, job: JobClient | None = None) -> int:
        """Train a model at once, without waiting for other runs, so that it serves soon; return the run's number.

        If such a run is already queued or training, in any window, no other one is queued, and its number is returned.
        ``job`` is a job already started for the run, if any.
        """
        number = await asyncio.to_thread(self._runs.queue_stand_in, model, dataset, options)
        self._at_once[number] = job
        await self._fill()
        unused = self._at_once.pop(number, None)  # the run trains in another window
        if unused is not None:
            await unused.cancel()
        return number

    async def add_recommended(self, model: str, stand_in: Run) -> Run | None:
        """Queue the recommended run that ``stand_in`` stands in for, unless that was done before, and return the run.

        Return ``None`` if ``stand_in`` is not a stand-in, or if somebody cancelled or deleted the recommended run. A
        recommended run that stopped because its process or the app ended is queued again.
        """
        number = await asyncio.to_thread(self._runs.queue_recommended, model, stand_in)
        run = await asyncio.to_thread(self._store.run, number) if number else None
        if run is not None and run.state in (CUT_OFF, "cancelled"):
            with contextlib.suppress(Problem):  # another window was faster
                await self.again(run.id)
        await self._fill()
        return run

    async def end_of(self, number: int) -> Run:
        """Wait until a run of any process is over, and return the run. Raises ``Problem`` if it is deleted."""
        while True:
            run = await asyncio.to_thread(self._runs.get, number)
            if run.state in OVER or number in self._over:
                return run
            if number in self._tasks:
                await asyncio.wait([self._tasks[number]])
            else:
                await asyncio.sleep(LOOK_SECONDS)

    async def again(self, number: int) -> None:
        """Queue an interrupted, cancelled or failed run again. Raises ``Problem`` for a run in another state."""
        await asyncio.to_thread(self._runs.again, number)
        await asyncio.to_thread(self._runs.want, number)
        self._over.discard(number)
        await self._fill()

    async def waiting(self) -> list[Run]:
        """Return the queued runs, the next one first."""
        return list(await asyncio.to_thread(self._runs.waiting))

    @property
    def running(self) -> list[int]:
        """The numbers of the runs that train or are paused."""
        return list(self._jobs)

    @property
    def at_a_time(self) -> int:
        """How many runs may train at once."""
        return self._at_a_time

    async def set_at_a_time(self, at_a_time: int) -> None:
        """Change how many runs may train at once; those already training continue."""
        self._at_a_time = max(1, at_a_time)
        await self._fill()

    async def move(self, number: int, position: int) -> None:
        """Move a queued run to a position; 0 is the next run. Raises ``Problem`` for a run that is not queued."""
        if number not in [run.id for run in await self.waiting()]:
            raise Problem(tr("Run {number} is not queued; only a queued run can be moved.", number=number))
        await asyncio.to_thread(self._runs.move, number, position)
        self._changed()

    async def cancel(self, number: int) -> None:
        """Cancel a run, whether it is queued, training or paused. Raises ``Problem`` for a run of another queue.

        After that, a recommended run is queued again only if somebody asks for it.
        """
        if number not in self._jobs and number not in [run.id for run in await self.waiting()]:
            raise Problem(
                tr("Run {number} is not in this window's queue; cancel it where it was started.", number=number)
            )
        with contextlib.suppress(Problem):  # the run ends even if this cannot be recorded
            await asyncio.to_thread(self._runs.want, number, wanted=False)
        async with self._filling:  # otherwise it might start while its end is recorded
            if number not in self._jobs:
                await asyncio.to_thread(self._runs.end_unfinished, number, "cancelled")
        if number in self._jobs:
            task = self._tasks[number]
            await self._jobs[number].cancel()
            await asyncio.wait([task])
        else:
            self._changed()

    async def pause(self, number: int) -> None:
        """Pause a run at its next report of progress. No other run starts instead.

        Raises ``Problem`` for a run that does not train in this window.
        """
        job = self._job(number)
        self.paused.add(number)  # before sending: if the run ends meanwhile, ``_train`` removes it again
        await job.send("pause")
        self._changed()

    async def resume(self, number: int) -> None:
        """Resume a paused run. Raises ``Problem`` for a run that does not train in this window."""
        await self._job(number).send("resume")
        self.paused.discard(number)
        self._changed()

    def _job(self, number: int) -> JobClient:
        if number not in self._jobs:
            raise Problem(
                tr(
                    "Run {number} is not training in this window, so it cannot be paused or resumed here.",
                    number=number,
                )
            )
        return self._jobs[number]

    def seconds_left(self, run: Run) -> float | None:
        """Return how many seconds a run, of any process, has left; ``None`` if unknown."""
        left = run.progress.get("left") if run.state in UNDER_WAY else None
        return float(left) if left is not None else None

    async def drained(self) -> None:
        """Wait until no run is training or queued."""
        await self._idle.wait()

    async def close(self, *, stay: bool = False) -> None:
        """End the runs that are training. Queued runs start when the app is opened again.

        With ``stay``, a background process trains the queued runs, starting with the runs that were training.
        """
        self._closing = True
        if self._later is not None:
            self._later.cancel()
        trained, tasks = list(self._jobs), list(self._tasks.values())
        await asyncio.gather(*(job.cancel() for job in list(self._jobs.values())))
        await asyncio.gather(*tasks)
        if stay:
            await asyncio.to_thread(self._hand_over, trained)

    def _hand_over(self, trained: Sequence[int]) -> None:
        for number in reversed(trained):
            if self._runs.get(number).state == "cancelled":
                self._runs.again(number)
                self._runs.move(number, 0)
        self._runs.release()
        subprocess.Popen(
            code_path.command("movietui.state.run_queue", str(self._at_a_time)),
            env=code_path.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    async def _fill(self) -> None:
        """Start the queued runs that may start now."""
        async with self._filling:
            waiting = [] if self._closing else await self.waiting()
            for run in waiting:
                may_start = len(self._jobs) < self._at_a_time or run.id in self._at_once
                if may_start and run.id not in self._over and run.id not in self._jobs:
                    self._jobs[run.id] = self._at_once.pop(run.id, None) or self.new_job()
                    self._tasks[run.id] = asyncio.create_task(self._train(run))
            if self._jobs:
                self._idle.clear()
            else:
                self._idle.set()
        self._changed()

    async def _train(self, run: Run) -> None:
        options = cast(TrainOptions, run.request)
        request: TrainJob = {
            **options,
            "do": "train",
            "model": run.model,
            "dataset": run.dataset,
            "run": run.id,
        }
        self.progress[run.id] = JobProgress(tr("train {model}", model=run.model), request)
        state, problem = "failed", tr("The job stopped before the training began; start it again.")
        async for event in self._jobs[run.id].events(request):
            if event["event"] == "failed":
                problem = event["problem"]
            elif event["event"] == "cancelled":
                state, problem = "cancelled", ""
            elif event["event"] != "done":
                self.progress[run.id] = self.progress[run.id].after(event)
                self._report_soon()
        # A job that began to train records its end itself, unless it is killed. Any other end is recorded here.
        over = None
        with contextlib.suppress(Problem):  # the next action that needs the store reports what is wrong
            await asyncio.to_thread(self._runs.end_unfinished, run.id, state, problem)
            over = await asyncio.to_thread(self._store.run, run.id)
        for by_number in (self._jobs, self._tasks, self.progress):
            by_number.pop(run.id, None)
        self.paused.discard(run.id)
        self._over.add(run.id)
        if over is not None:
            self._ended(over)
        await self._fill()

    def _report_soon(self) -> None:
        """Report changes soon, all together."""
        if self._later is None:
            self._later = asyncio.get_running_loop().call_later(1 / UPDATES_PER_SECOND, self._report)

    def _report(self) -> None:
        self._later = None
        self._changed()


async def drain(at_a_time: int) -> None:
    """Adopt queued runs and train them, ``at_a_time`` at once."""
    queue = RunQueue(Store(locations.store()), at_a_time)
    await queue.open()
    await queue.drained()


if __name__ == "__main__":
    log.record_uncaught("queue")
    asyncio.run(drain(int(sys.argv[1])))
