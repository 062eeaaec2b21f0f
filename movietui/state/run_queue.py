"""Several trainings, one after the other or some at a time, each in a child process; without a screen.

The queue is in the store: it survives a restart, and what waited for a process that is gone is taken over by the next.
A run is paused between two epochs, so that a paused one can be cancelled like any other and outlives nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from data import locations
from data.problems import Problem
from movietui.activity import Activity
from movietui.children import Job
from movietui.run_records import CUT_OFF, UNDER_WAY, Run
from movietui.runs import OVER, SERVED_SPLIT, Runs
from movietui.store import Store
from movietui.wire import Message

DRAWN_A_SECOND = 5
"""How often it is told how far the runs are: each time a screen is drawn, which takes from what trains."""
LOOK_SECONDS = 0.5
"""How often it is looked whether a run that another process trains is over."""


class Training(Protocol):
    """What the queue needs of a job."""

    def events(self, request: Message) -> Any:
        """Do the work and tell its events, the last of them ``done``, ``failed`` or ``cancelled``."""

    async def tell(self, do: str) -> None:
        """Say ``pause`` or ``resume``."""

    async def cancel(self) -> None:
        """Stop the work."""


class RunQueue:
    """The runs that this process starts, in their order."""

    def __init__(
        self,
        store: Store,
        at_a_time: int = 1,
        job: Callable[[], Training] = Job,
        changed: Callable[[], object] = lambda: None,
        ended: Callable[[Run], object] = lambda run: None,
    ) -> None:
        """``changed`` is called, at most some times a second, when a run is further; ``ended`` with each that is over.

        ``at_a_time``: how many train at once.
        """
        self._store = store
        self._runs = Runs(store)
        self._at_a_time = at_a_time
        self._new_job = job
        self._changed = changed
        self._ended = ended
        self._jobs: dict[int, Training] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._later: asyncio.TimerHandle | None = None
        self._filling = asyncio.Lock()
        self._closing = False
        self._at_once: dict[int, Training | None] = {}
        """The runs that wait for no other, each with the job that was started for it already."""
        self._over: set[int] = set()
        """What ended here is not started again by itself, also where its end could not be written down."""
        self._idle = asyncio.Event()
        self._idle.set()
        self.paused: set[int] = set()
        """The runs that were told to pause; one is really paused at the end of its epoch, as its state says."""
        self.activities: dict[int, Activity] = {}
        """What trains now, by the number of the run: its curve and how far it is."""

    async def open(self) -> int:
        """Take over what waits for a process that is gone, and go on with it; return how many runs that are."""
        adopted = await asyncio.to_thread(self._runs.adopt)
        await self._fill()
        return adopted

    async def add(self, model: str, dataset: str, options: Mapping[str, Any]) -> int:
        """Let a run wait behind the others and return its number.

        ``options``: ``cleaning``, and where wanted ``split``, ``settings``, ``published`` and ``seed``.
        """
        number = await asyncio.to_thread(
            self._runs.queue, model, dataset, options.get("split") or SERVED_SPLIT, options
        )
        await self._fill()
        return number

    async def add_stand_in(
        self, model: str, dataset: str, options: Mapping[str, Any], job: Training | None = None
    ) -> int:
        """Train at once, beside all others, what is to serve soon; return the number of the run.

        ``job`` may have been started before. Where another window trains the same already, it is that run.
        """
        number = await asyncio.to_thread(self._runs.queue_stand_in, model, dataset, options)
        self._at_once[number] = job
        await self._fill()
        return number

    async def add_recommended(self, model: str, stand_in: Run) -> Run | None:
        """Let the run wait that another stands in for; ``None`` where it does not, or nobody wants that.

        Where it ended with the process that trained it, it goes on.
        """
        number = await asyncio.to_thread(self._runs.queue_recommended, model, stand_in)
        run = await asyncio.to_thread(self._store.run, number) if number else None
        if run is not None and run.state in (CUT_OFF, "cancelled"):
            with contextlib.suppress(Problem):  # another window was faster
                await self.again(run.id)
        await self._fill()
        return run

    async def end_of(self, number: int) -> Run:
        """Wait until a run is over, whichever process trains it. Raises ``Problem`` where it is deleted."""
        while True:
            run = await asyncio.to_thread(self._runs.get, number)
            if run.state in OVER or number in self._over:
                return run
            if number in self._tasks:
                await asyncio.wait([self._tasks[number]])
            else:
                await asyncio.sleep(LOOK_SECONDS)

    async def again(self, number: int) -> None:
        """Let a run that was cut off, cancelled or failed wait once more. Raises ``Problem`` for any other."""
        await asyncio.to_thread(self._runs.again, number)
        await asyncio.to_thread(self._runs.want, number)
        self._over.discard(number)
        await self._fill()

    async def waiting(self) -> list[Run]:
        """Return the runs that wait, the next one first."""
        return list(await asyncio.to_thread(self._runs.waiting))

    @property
    def running(self) -> list[int]:
        """The numbers of the runs that were started and are not over, paused ones among them."""
        return list(self._jobs)

    @property
    def at_a_time(self) -> int:
        """How many runs train at once."""
        return self._at_a_time

    async def let(self, at_a_time: int) -> None:
        """Train so many at once from now on; what trains already goes on."""
        self._at_a_time = max(1, at_a_time)
        await self._fill()

    async def move(self, number: int, place: int) -> None:
        """Put a run that waits at a place of the queue, 0 being the next. Raises ``Problem`` for one that does not."""
        if number not in [run.id for run in await self.waiting()]:
            raise Problem(f"Run {number} does not wait; only one that does can be moved.")
        await asyncio.to_thread(self._runs.move, number, place)
        self._changed()

    async def cancel(self, number: int) -> None:
        """End a run, whether it waits, trains or is paused. Raises ``Problem`` for one that is not of this queue.

        One that began by itself is not begun again.
        """
        if number not in self._jobs and number not in [run.id for run in await self.waiting()]:
            raise Problem(f"Run {number} is not in this window's queue; cancel it where it was started.")
        with contextlib.suppress(Problem):  # what cannot be written down ends all the same
            await asyncio.to_thread(self._runs.want, number, wanted=False)
        if number in self._jobs:
            task = self._tasks[number]
            await self._jobs[number].cancel()
            await asyncio.wait([task])
        else:
            await asyncio.to_thread(self._runs.end_unfinished, number, "cancelled")
            self._changed()

    async def pause(self, number: int) -> None:
        """Let a run wait at the end of its epoch; none takes its place. Raises ``Problem`` where it does not train."""
        await self._job(number).tell("pause")
        self.paused.add(number)
        self._changed()

    async def resume(self, number: int) -> None:
        """Let a paused run go on."""
        await self._job(number).tell("resume")
        self.paused.discard(number)
        self._changed()

    def _job(self, number: int) -> Training:
        if number not in self._jobs:
            raise Problem(f"Run {number} does not train in this window; only one that does can be paused.")
        return self._jobs[number]

    def seconds_left(self, run: Run) -> float | None:
        """Return how long a run will still take, whoever started it; ``None`` where that cannot be said yet."""
        left = run.progress.get("left") if run.state in UNDER_WAY else None
        return float(left) if left is not None else None

    async def drained(self) -> None:
        """Wait until nothing trains and nothing waits."""
        await self._idle.wait()

    async def close(self, *, stay: bool = False) -> None:
        """End what trains. What waits goes on with the next start.

        With ``stay``, a process that nobody sees goes on with both: with what trained first, from where it can.
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
            [sys.executable, "-P", "-m", "movietui.queue", str(self._at_a_time)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    async def _fill(self) -> None:
        """Start what may start."""
        async with self._filling:
            waiting = [] if self._closing else await self.waiting()
            for run in waiting:
                may = len(self._jobs) < self._at_a_time or run.id in self._at_once
                if may and run.id not in self._over and run.id not in self._jobs:
                    self._jobs[run.id] = self._at_once.pop(run.id, None) or self._new_job()
                    self._tasks[run.id] = asyncio.create_task(self._train(run))
            if self._jobs:
                self._idle.clear()
            else:
                self._idle.set()
        self._changed()

    async def _train(self, run: Run) -> None:
        request: Message = {"do": "train", "model": run.model, "dataset": run.dataset, **run.request, "run": run.id}
        self.activities[run.id] = Activity(f"train {run.model}", request)
        state, problem = "failed", "The work stopped before it began; start it again."
        async for event in self._jobs[run.id].events(request):
            match event["event"]:
                case "failed":
                    problem = event["problem"]
                case "cancelled":
                    state, problem = "cancelled", ""
                case "done":
                    pass
                case _:
                    self.activities[run.id] = self.activities[run.id].after(event)
                    self._soon()
        # A training that began has written down its own end; here is told what kept one from beginning.
        over = None
        with contextlib.suppress(Problem):  # a store that cannot be written to says so where a person asks for it
            await asyncio.to_thread(self._runs.end_unfinished, run.id, state, problem)
            over = await asyncio.to_thread(self._store.run, run.id)
        for known in (self._jobs, self._tasks, self.activities):
            known.pop(run.id, None)
        self.paused.discard(run.id)
        self._over.add(run.id)
        if over is not None:
            self._ended(over)
        await self._fill()

    def _soon(self) -> None:
        """Tell of a change, together with those that come at about the same time."""
        if self._later is None:
            self._later = asyncio.get_running_loop().call_later(1 / DRAWN_A_SECOND, self._tell)

    def _tell(self) -> None:
        self._later = None
        self._changed()


async def drain(at_a_time: int) -> None:
    """Train what waits for nobody, and end."""
    queue = RunQueue(Store(locations.store()), at_a_time)
    await queue.open()
    await queue.drained()


if __name__ == "__main__":
    asyncio.run(drain(int(sys.argv[1])))
