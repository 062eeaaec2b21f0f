"""The queue on the Train screen: order, pausing, resuming, and quitting while runs are unfinished."""

import pytest

from movietui.data.progress import Stage
from movietui.data.storage import locations
from movietui.store.ratings import Store
from movietui.store.run_records import SPARK
from movietui.store.runs import Recorder, Runs
from tests.movietui.driving import LARGE, SIZES, shown, started
from tests.movietui.fakes import FakeEngine, FakeJob, train_request, with_run
from tests.movietui.training import go, states, with_fake_jobs


@SIZES
async def test_runs_wait_for_each_other(store: Store, size: tuple[int, int]) -> None:
    with_run(store)
    async with started(size, engine=FakeEngine()) as driver:
        screen = await with_fake_jobs(driver, store)
        await driver.press("enter")
        await driver.until(lambda: states(store) == ["running"], "the first")
        await driver.press("enter")
        await driver.wait_for_notice("Run 5, mf, is queued behind 1 run.")
        await driver.press("enter")
        await driver.wait_for_notice("Run 6, mf, is queued behind 2 runs.")
        for expected in ("queued (1st)", "queued (2nd)", "running"):
            await driver.see(expected)
        assert [row.id for row in screen.runs.known_rows()][:4] == [4, 5, 6, 3]
        await driver.until(lambda: screen.runs.current and screen.runs.current.id == 6, "the cursor on the newest")
        await driver.press("right", "K")
        await driver.until(lambda: [row.id for row in screen.runs.known_rows()][:3] == [4, 6, 5], "the new order")
        assert screen.runs.current is not None
        assert screen.runs.current.id == 6
        await driver.press("J")
        await driver.until(lambda: [row.id for row in screen.runs.known_rows()][:3] == [4, 5, 6], "the old order")
        await driver.press("K")
        await driver.until(lambda: [row.id for row in screen.runs.known_rows()][:3] == [4, 6, 5], "the new order")
        FakeJob.made[0].end()
        await driver.until(lambda: states(store) == ["done", "queued", "running"], "the next")
        await driver.wait_for_notice("press u on run 4 to use it in Browse")
        await driver.press("c")
        await driver.until(lambda: states(store) == ["done", "running", "cancelled"], "the last")
        await driver.wait_for_notice("Stopped training mf; run 6 keeps its curve, and r resumes it.")
        await driver.press("r")
        await driver.until(lambda: states(store) == ["done", "running", "queued"], "the cancelled run in the queue")
        await driver.until(lambda: screen.runs.current and screen.runs.current.id == 6, "the cursor on the run")
        await driver.see("queued (1st)")
        await driver.press("c")
        await driver.until(lambda: states(store) == ["done", "running", "cancelled"], "the queued run cancelled")
        FakeJob.made[2].end("done")
        await driver.until(lambda: states(store) == ["done", "done", "cancelled"], "the end")


async def test_runs_are_paused_and_several_trained_at_a_time(store: Store) -> None:
    with_run(store)
    async with started(LARGE, engine=FakeEngine()) as driver:
        screen = await with_fake_jobs(driver, store)
        await driver.press("p")
        await driver.wait_for_notice("! No run here can be paused.")
        await driver.press("J")
        await driver.wait_for_notice("! Only a run queued in this window can be moved.")
        await driver.press("enter", "enter", "plus")
        await driver.until(lambda: states(store) == ["running", "running"], "both")
        await driver.wait_for_notice("2 runs at a time.")
        await driver.see("2 at a time")
        await driver.press("right", "home", "p")
        await driver.wait_for_notice("Run 4 will pause in a moment; p resumes it.")
        await driver.see("paused")
        await driver.press("p")
        await driver.wait_for_notice("Resumed run 4.")
        assert FakeJob.made[0].sent == ["pause", "resume"]
        assert screen.runs.has_focus


async def test_an_interrupted_run_can_be_resumed(store: Store) -> None:
    with_run(store)
    number = store.start_run("mf", "demo", "standard", "random90", 0, {}, request={"cleaning": "standard"})
    store.execute("UPDATE runs SET process = 2147483, began = 'then' WHERE id = ?", number)
    async with started(LARGE, engine=FakeEngine()) as driver:
        await with_fake_jobs(driver, store)
        await driver.see("interrupted")
        await driver.see("run 4 was interrupted · r resume")
        await driver.press("r")
        await driver.until(lambda: states(store) == ["running"], "the resumed run")
        await driver.until(lambda: "was interrupted" not in shown(driver.app), "the end of the offer")
        assert (await train_request(FakeJob.made))["run"] == number


async def test_quitting_asks_what_to_do_with_the_runs(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with_run(store)
    closed: list[bool] = []
    async with started(engine=FakeEngine()) as driver:
        await with_fake_jobs(driver, store)
        queue = driver.app.queue
        close = queue.close

        async def note(*, stay: bool = False) -> None:
            closed.append(stay)
            await close()

        monkeypatch.setattr(queue, "close", note)
        await driver.press("enter", "enter")
        await driver.until(lambda: states(store) == ["running", "queued"], "both")
        await driver.press("q")
        await driver.see("1 run training and 1 run queued.")
        await driver.press("escape")
        assert driver.app.is_running
        assert states(store) == ["running", "queued"]
        await driver.press("q")
        await driver.see("Quit while models are training?")
        await driver.press("y")
        await driver.until(lambda: driver.app._exit, "the end")
        assert closed[0] is True


async def test_quitting_twice_stops_training(store: Store) -> None:
    with_run(store)
    async with started(engine=FakeEngine()) as driver:
        await with_fake_jobs(driver, store)
        await driver.press("enter", "enter")
        await driver.until(lambda: states(store) == ["running", "queued"], "both")
        await driver.press("ctrl+c")
        await driver.see("Quit while models are training?")
        await driver.press("ctrl+c")
        await driver.until(lambda: driver.app._exit, "the end")
        assert states(store) == ["cancelled", "queued"]


async def test_a_run_that_a_command_starts_appears(store: Store) -> None:
    with_run(store)
    async with started(LARGE, engine=FakeEngine()) as driver:
        screen = await go(driver)
        other = Store(locations.store())
        number = other.start_run("sgd-mf", "demo", "standard", "u2", 0, {})
        await driver.until(lambda: screen.runs.known_rows()[0].id == number, "the run", 1.5)
        await driver.see("─ 4 runs ─")
        Runs(other).delete(1)
        await driver.until(lambda: screen.runs.total == 4, "the deletion", 1.5)
        other.close()


@SIZES
async def test_a_training_on_a_cluster_is_seen(store: Store, size: tuple[int, int]) -> None:
    with_run(store)
    other = Store(locations.store())
    number = other.start_run("als", "own", "standard", "random90-by-hash", 0, {}, device=SPARK)
    time = 0.0
    recorder = Recorder(Runs(other), number, {}, clock=lambda: time)
    async with started(size, engine=FakeEngine()) as driver:
        screen = await go(driver)
        await driver.press("right", "home")
        await driver.until(lambda: screen.runs.current and screen.runs.current.id == number, "the run")
        await driver.see("running")
        cluster = {"master": "spark://host:7077", "executors": 2, "jobs": 0, "stages": 0, "tasks": 0, "failed_tasks": 0}
        recorder.cluster(Stage("Fitting als"), cluster)
        await driver.see("Fitting als")
        await driver.see("spark://host:7077, 2 executors")
        time = 2.0
        recorder.cluster(Stage("Fitting als", 3, 8, "tasks"), {**cluster, "jobs": 4, "stages": 5, "tasks": 21})
        await driver.see("Fitting als, 3 of 8 tasks")
        await driver.see("tasks 3/8")
        await driver.see("4 jobs")
        await driver.press("c")
        await driver.wait_for_notice(f"! Run {number} is not in this window's queue; cancel it where it was started.")
        last = {**cluster, "executors": 1, "jobs": 9, "stages": 12, "tasks": 96, "failed_tasks": 1}
        recorder.cluster(Stage("", finished=True), last)
        recorder.end("done", metrics={"rmse": 0.9})
        await driver.until(lambda: states(store) == ["done"], "the end")
        await driver.press("enter")
        await driver.see("spark://host:7077, 1 executor · 9 jobs, 12 stages")
        await driver.see("1 failed task")
        await driver.see("spark")
    other.close()
