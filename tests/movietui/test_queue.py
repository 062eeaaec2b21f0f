"""The queue with jobs that do as they are told, and once with real processes."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from data.problems import Problem
from movietui import tasks
from movietui.queue import RunQueue
from movietui.runs import Runs
from movietui.store import Store
from movietui.wire import Message
from tests.movietui.fakes import FakeJob
from tests.movietui.processes import gone, processes_of

OPTIONS: Message = {"cleaning": "standard", "split": "u1", "settings": {}, "seed": 0}


@pytest.fixture
def jobs() -> list[FakeJob]:
    FakeJob.made = []
    return FakeJob.made


def queue_of(store: Store, at_a_time: int = 1, **listeners: Any) -> RunQueue:
    return RunQueue(store, at_a_time, lambda: FakeJob(store), **listeners)


async def until(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


async def add(queue: RunQueue, many: int) -> list[int]:
    return [await queue.add("mf", "demo", OPTIONS) for _ in range(many)]


def states(store: Store) -> list[str]:
    return [run.state for run in reversed(store.runs())]


async def test_one_after_the_other(store: Store, jobs: list[FakeJob]) -> None:
    ended: list[int] = []
    queue = queue_of(store, ended=lambda run: ended.append(run.id))
    numbers = await add(queue, 3)
    for place in range(3):
        await until(lambda: states(store)[place] == "running" and len(jobs) == place + 1)  # noqa: B023
        assert queue.running == [numbers[place]]
        jobs[place].end()
    await asyncio.wait_for(queue.drained(), 5)
    assert states(store) == ["done"] * 3
    assert ended == numbers
    assert jobs[0].request == {"do": "train", "model": "mf", "dataset": "demo", **OPTIONS, "run": numbers[0]}


async def test_some_at_a_time(store: Store, jobs: list[FakeJob]) -> None:
    queue = queue_of(store, 2)
    await add(queue, 4)
    await until(lambda: states(store) == ["running", "running", "queued", "queued"])
    jobs[1].end()
    await until(lambda: states(store) == ["running", "done", "running", "queued"])
    await queue.let(3)
    await until(lambda: states(store) == ["running", "done", "running", "running"])
    await queue.close()
    assert states(store) == ["cancelled", "done", "cancelled", "cancelled"]


async def test_the_order_may_be_changed(store: Store, jobs: list[FakeJob]) -> None:
    queue = queue_of(store)
    first, second, third = await add(queue, 3)
    await queue.move(third, 0)
    assert [run.id for run in await queue.waiting()] == [third, second]
    with pytest.raises(Problem, match=f"Run {first} does not wait"):
        await queue.move(first, 0)
    jobs[0].end()
    await until(lambda: len(jobs) == 2)
    assert jobs[1].request["run"] == third
    await queue.close()


async def test_cancelling_what_waits_and_what_trains(store: Store, jobs: list[FakeJob]) -> None:
    queue = queue_of(store)
    first, second, third = await add(queue, 3)
    await until(lambda: states(store)[0] == "running")
    await queue.cancel(second)
    await queue.cancel(first)
    await until(lambda: states(store) == ["cancelled", "cancelled", "running"])
    assert queue.running == [third]
    with pytest.raises(Problem, match="not in this window"):
        await queue.cancel(first)
    await queue.again(first)
    assert states(store)[0] == "queued"
    jobs[1].end()
    await until(lambda: states(store)[0] == "running")
    await queue.close()


async def test_what_cannot_begin_fails_with_its_sentence_and_the_next_goes_on(
    store: Store, jobs: list[FakeJob]
) -> None:
    queue = queue_of(store)
    await queue.add("mf", "demo", OPTIONS)
    jobs[0].begins = False
    await queue.add("mf", "demo", OPTIONS)
    await until(lambda: jobs[0].request)
    jobs[0].end("failed")
    await until(lambda: states(store) == ["failed", "running"])
    assert store.runs()[1].problem == "There is no such model."
    await queue.close()


async def test_pausing(store: Store, jobs: list[FakeJob]) -> None:
    queue = queue_of(store)
    first, second = await add(queue, 2)
    await queue.pause(first)
    assert queue.paused == {first}
    await queue.resume(first)
    assert (jobs[0].told, queue.paused) == (["pause", "resume"], set())
    with pytest.raises(Problem, match=f"Run {second} does not train"):
        await queue.pause(second)
    await queue.close()


async def test_what_waits_survives_a_restart(store: Store, jobs: list[FakeJob]) -> None:
    queue = queue_of(store)
    await add(queue, 2)
    await until(lambda: states(store) == ["running", "queued"])
    await queue.close()
    assert states(store) == ["cancelled", "queued"]
    store.execute("UPDATE runs SET began = 'then' WHERE state = 'queued'")  # as after another process
    later = queue_of(store)
    assert await later.waiting() == []
    assert await later.open() == 1
    await until(lambda: states(store) == ["cancelled", "running"])
    await later.close()


async def test_changes_are_told_together(store: Store, jobs: list[FakeJob]) -> None:
    told: list[float] = []
    queue = queue_of(store, changed=lambda: told.append(time.monotonic()))
    number = await queue.add("mf", "demo", OPTIONS)
    await until(lambda: number in queue.activities and queue.activities[number].curve)
    before = len(told)
    for _ in range(50):
        queue._soon()
    await asyncio.sleep(0.25)
    assert len(told) == before + 1
    await queue.close()


def test_the_time_that_is_left(store: Store) -> None:
    runs, queue = Runs(store), RunQueue(store)
    number = store.start_run("mf", "demo", "none", "u1", 0, {})
    assert queue.seconds_left(runs.get(number)) is None
    runs.write_progress(number, "running", 1.0, [], {"phase": "curve", "epoch": 2, "of": 4, "left": 12.5})
    assert queue.seconds_left(runs.get(number)) == 12.5
    store.end_run(number, "done")
    assert queue.seconds_left(runs.get(number)) is None


# Real processes

LONG: Message = {"cleaning": "standard", "settings": {"sweeps": 200}, "seed": 0}


async def test_a_real_run_is_paused_resumed_and_cancelled(ready: Path, store: Store) -> None:
    queue = RunQueue(store)
    number = await queue.add("mf", "demo", LONG)
    runs = Runs(store)
    async with asyncio.timeout(30):
        while number not in queue.activities or len(queue.activities[number].curve) < 2:
            await asyncio.sleep(0.02)
        await queue.pause(number)
        while runs.get(number).state != "paused":
            await asyncio.sleep(0.02)
        reached = queue.activities[number].done
        await asyncio.sleep(0.4)
        assert queue.activities[number].done == reached
        await queue.resume(number)
        while queue.activities[number].done == reached:
            await asyncio.sleep(0.02)
    await queue.pause(number)
    started = time.monotonic()
    await queue.cancel(number)
    assert time.monotonic() - started < 2
    assert runs.get(number).state == "cancelled"
    assert len(runs.get(number).curve) >= reached
    assert gone(*processes_of(ready))


async def test_runs_go_on_in_the_background(ready: Path, store: Store) -> None:
    queue = RunQueue(store)
    short = {"cleaning": "standard", "settings": {"sweeps": 3}}
    first = {"cleaning": "standard", "settings": {"sweeps": 30}}
    numbers = [await queue.add("mf", "demo", first), await queue.add("bias", "demo", short)]
    runs = Runs(store)
    async with asyncio.timeout(60):
        while runs.get(numbers[0]).state != "running":
            await asyncio.sleep(0.02)
        await queue.close(stay=True)
        while [runs.get(number).state for number in numbers] != ["done", "done"]:
            await asyncio.sleep(0.1)
    assert gone(*processes_of(ready))


def test_a_training_that_was_killed_goes_on_to_the_same_metrics(ready: Path, store: Store) -> None:
    words = ["train", "sgd-mf", "--dataset", "demo", "--split", "kfold5-0", "--cleaning", "standard"]
    settings = {"members": "1", "factors": "2", "epochs": "3"}
    words += [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    killed = subprocess.Popen([sys.executable, "-m", "movietui", *words], stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not (newest := store.runs()[0]).progress and time.monotonic() < until:
        time.sleep(0.02)
    killed.kill()
    killed.wait()
    assert newest.model == "sgd-mf"
    runs = Runs(store)
    assert runs.changes().runs[0].state == "cut off"
    said: list[str] = []
    resumed = tasks.resume(store, newest.id, say=said.append)
    assert "where the same training was cut off" in said[0]
    undisturbed = tasks.train(store, "sgd-mf", "demo", split="kfold5-0", cleaning="standard", settings=settings)
    assert resumed["run"] == newest.id
    assert (resumed["metrics"], resumed["epochs"]) == (undisturbed["metrics"], undisturbed["epochs"])
