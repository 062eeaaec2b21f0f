"""The queue, with fake jobs and with real processes."""

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from movietui.data.problems import Problem
from movietui.jobs.listener import Listener
from movietui.jobs.train import TrainRequest, resume, train
from movietui.protocol.wire import Message
from movietui.state.run_queue import RunQueue
from movietui.store.ratings import Store
from movietui.store.runs import Runs
from tests.movietui.driving import PATIENCE
from tests.movietui.fakes import FakeJob, train_request
from tests.movietui.processes import gone, processes_of

OPTIONS: Message = {"cleaning": "standard", "split": "u1", "settings": {}, "seed": 0}


@pytest.fixture
def jobs() -> list[FakeJob]:
    FakeJob.made = []
    return FakeJob.made


def queue_of(store: Store, at_a_time: int = 1, **listeners: Any) -> RunQueue:
    return RunQueue(store, at_a_time, lambda: FakeJob(store), **listeners)


async def until(condition: Any) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.005)


async def add(queue: RunQueue, count: int) -> list[int]:
    return [await queue.add("mf", "demo", OPTIONS) for _ in range(count)]


def states(store: Store) -> list[str]:
    return [run.state for run in reversed(store.runs())]


async def test_runs_are_trained_one_after_another(store: Store, jobs: list[FakeJob]) -> None:
    ended: list[int] = []
    queue = queue_of(store, ended=lambda run: ended.append(run.id))
    numbers = await add(queue, 3)
    for index in range(3):
        await until(lambda: states(store)[index] == "running" and len(jobs) == index + 1)  # noqa: B023
        assert queue.running == [numbers[index]]
        jobs[index].end()
    await asyncio.wait_for(queue.drained(), PATIENCE)
    assert states(store) == ["done"] * 3
    assert ended == numbers
    assert jobs[0].request == {"do": "train", "model": "mf", "dataset": "demo", **OPTIONS, "run": numbers[0]}


async def test_several_runs_are_trained_at_a_time(store: Store, jobs: list[FakeJob]) -> None:
    queue = queue_of(store, 2)
    await add(queue, 4)
    await until(lambda: states(store) == ["running", "running", "queued", "queued"])
    jobs[1].end()
    await until(lambda: states(store) == ["running", "done", "running", "queued"])
    await queue.set_at_a_time(3)
    await until(lambda: states(store) == ["running", "done", "running", "running"])
    await queue.close()
    assert states(store) == ["cancelled", "done", "cancelled", "cancelled"]


async def test_the_order_of_the_queue_can_be_changed(store: Store, jobs: list[FakeJob]) -> None:
    queue = queue_of(store)
    first, second, third = await add(queue, 3)
    await train_request(jobs)
    await queue.move(third, 0)
    assert [run.id for run in await queue.waiting()] == [third, second]
    with pytest.raises(Problem, match=f"Run {first} is not queued; only a queued run can be moved."):
        await queue.move(first, 0)
    jobs[0].end()
    assert (await train_request(jobs, 1))["run"] == third
    await queue.close()


async def test_queued_and_running_runs_can_be_cancelled(store: Store, jobs: list[FakeJob]) -> None:
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


async def test_a_run_cancelled_in_the_queue_does_not_begin(
    store: Store, jobs: list[FakeJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = queue_of(store)
    first, second = await add(queue, 2)
    await until(lambda: states(store) == ["running", "queued"])
    began, may_finish = threading.Event(), threading.Event()
    end_unfinished = queue._runs.end_unfinished

    def slow(number: int, state: str, problem: str = "") -> None:
        if number == second and state == "cancelled" and not began.is_set():
            began.set()
            assert may_finish.wait(PATIENCE)
        end_unfinished(number, state, problem)

    monkeypatch.setattr(queue._runs, "end_unfinished", slow)
    cancelling = asyncio.create_task(queue.cancel(second))
    await until(began.is_set)
    jobs[0].end()
    await until(lambda: first not in queue.running)  # the next run may begin now
    for _ in range(100):
        await asyncio.sleep(0)
    may_finish.set()
    await asyncio.wait_for(cancelling, PATIENCE)
    await asyncio.wait_for(queue.drained(), PATIENCE)
    assert states(store) == ["done", "cancelled"]
    assert len(jobs) == 1


async def test_a_run_that_cannot_begin_fails_and_the_next_begins(store: Store, jobs: list[FakeJob]) -> None:
    queue = queue_of(store)
    await queue.add("mf", "demo", OPTIONS)
    jobs[0].begins = False
    await queue.add("mf", "demo", OPTIONS)
    await train_request(jobs)
    jobs[0].end("failed")
    await until(lambda: states(store) == ["failed", "running"])
    assert store.runs()[1].problem == "There is no such model."
    await queue.close()


async def test_a_run_can_be_paused_and_resumed(store: Store, jobs: list[FakeJob]) -> None:
    queue = queue_of(store)
    first, second = await add(queue, 2)
    await queue.pause(first)
    assert queue.paused == {first}
    await queue.resume(first)
    assert (jobs[0].sent, queue.paused) == (["pause", "resume"], set())
    with pytest.raises(
        Problem, match=f"Run {second} is not training in this window, so it cannot be paused or resumed here."
    ):
        await queue.pause(second)
    await queue.close()


async def test_the_queue_survives_a_restart(store: Store, jobs: list[FakeJob]) -> None:
    queue = queue_of(store)
    await add(queue, 2)
    await until(lambda: states(store) == ["running", "queued"])
    await queue.close()
    assert states(store) == ["cancelled", "queued"]
    store.execute("UPDATE runs SET began = 'then' WHERE state = 'queued'")  # as if another process had queued it
    later = queue_of(store)
    assert await later.waiting() == []
    assert await later.open() == 1
    await until(lambda: states(store) == ["cancelled", "running"])
    await later.close()


async def test_changes_are_reported_together(store: Store, jobs: list[FakeJob]) -> None:
    calls: list[bool] = []
    queue = queue_of(store, changed=lambda: calls.append(True))
    number = await queue.add("mf", "demo", OPTIONS)
    await until(lambda: number in queue.progress and queue.progress[number].curve)
    before = len(calls)
    for _ in range(50):
        queue._report_soon()
    await until(lambda: len(calls) > before)
    assert len(calls) == before + 1
    assert queue._later is None
    await queue.close()


def test_the_remaining_time_is_that_of_the_stored_progress(store: Store) -> None:
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
    async with asyncio.timeout(PATIENCE):
        while number not in queue.progress or len(queue.progress[number].curve) < 2:
            await asyncio.sleep(0.02)
        await queue.pause(number)
        while runs.get(number).state != "paused":
            await asyncio.sleep(0.02)
        assert number in queue.paused
        reached = len(runs.get(number).curve)
        await queue.resume(number)
        while len(runs.get(number).curve) == reached:
            await asyncio.sleep(0.02)
    await queue.pause(number)
    await queue.cancel(number)
    assert runs.get(number).state == "cancelled"
    assert len(runs.get(number).curve) >= reached
    assert gone(*processes_of(ready))


async def test_runs_are_trained_in_the_background_after_quitting(ready: Path, store: Store) -> None:
    queue = RunQueue(store)
    short = {"cleaning": "standard", "settings": {"sweeps": 3}}
    first = {"cleaning": "standard", "settings": {"sweeps": 30}}
    numbers = [await queue.add("mf", "demo", first), await queue.add("bias", "demo", short)]
    runs = Runs(store)
    async with asyncio.timeout(PATIENCE):
        while runs.get(numbers[0]).state != "running":
            await asyncio.sleep(0.02)
        await queue.close(stay=True)
        while [runs.get(number).state for number in numbers] != ["done", "done"]:
            await asyncio.sleep(0.1)
    assert gone(*processes_of(ready))


def test_killed_training_resumes_to_the_same_metrics(ready: Path, store: Store) -> None:
    words = ["train", "sgd-mf", "--dataset", "demo", "--split", "kfold5-0", "--cleaning", "standard"]
    settings = {"members": "1", "factors": "2", "epochs": "3"}
    words += [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    process = subprocess.Popen([sys.executable, "-m", "movietui", *words], stderr=subprocess.DEVNULL)
    until = time.monotonic() + PATIENCE
    while not (newest := store.runs()[0]).progress and time.monotonic() < until:
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert newest.model == "sgd-mf"
    runs = Runs(store)
    assert runs.changes().runs[0].state == "cut off"
    messages: list[str] = []
    resumed = resume(store, newest.id, Listener(say=messages.append))
    assert "where the same training was interrupted" in messages[0]
    undisturbed = train(store, TrainRequest("sgd-mf", "demo", "standard", "kfold5-0", settings=settings))
    assert resumed["run"] == newest.id
    assert (resumed["metrics"], resumed["epochs"]) == (undisturbed["metrics"], undisturbed["epochs"])
