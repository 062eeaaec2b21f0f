"""A quick model serves first, and the recommended model is offered when it is ready."""

import asyncio
import os
import time
from dataclasses import replace
from typing import Any

import pytest
from textual.worker import WorkerFailed

from movietui.data.problems import Problem
from movietui.protocol.messages import Opened
from movietui.state.job_progress import JobProgress
from movietui.store.processes import _began
from movietui.store.ratings import Store
from movietui.store.run_records import Run
from movietui.store.runs import Runs
from movietui.ui.browse.screen import BrowseScreen
from tests.movietui.driving import LARGE, SMALL, Driver, lines, shown, started
from tests.movietui.fakes import FakeEngine, FakeJob, train_request

REQUEST = {"cleaning": "standard", "settings": {}}
READY = "A better model is ready: press M to see what it changes"


@pytest.fixture
def jobs() -> list[FakeJob]:
    FakeJob.made = []
    return FakeJob.made


@pytest.fixture
def quick(store: Store) -> int:
    """The number of the quick run, which is done and serves until the recommended model is chosen."""
    runs = Runs(store)
    number = runs.queue_stand_in("mf", "demo", REQUEST)
    runs.begin(number, "standard", {})
    store.end_run(number, "done", metrics={"rmse": 0.93})
    return number


def window(store: Store, engine: FakeEngine | None = None, size: tuple[int, int] = LARGE):  # type: ignore[no-untyped-def]
    return started(size, engine=engine or FakeEngine(), job=lambda: FakeJob(store))


def run(store: Store, number: int) -> Run:
    return Runs(store).get(number)


async def wait_for_training(driver: Driver, jobs: list[FakeJob]) -> FakeJob:
    """Wait until the recommended model is being trained, and return the job."""
    await driver.until(lambda: jobs and driver.app.queue.progress, "the training")
    await driver.see("train blend")
    assert (await train_request(jobs))["model"] == "blend"
    jobs[0].metrics = {"rmse": 0.8687}
    return jobs[0]


def in_use(driver: Driver) -> str:
    assert driver.app.session.run is not None
    return driver.app.session.run.model


async def test_the_list_stays_until_the_recommended_model_is_taken(
    store: Store, quick: int, jobs: list[FakeJob]
) -> None:
    async with window(store) as driver:
        job = await wait_for_training(driver, jobs)
        await driver.app.session.apply_filter("+even")
        await driver.press("left", "down", "p")
        await driver.see("Unseen by both")
        await driver.press("right", "down", "down", "down")
        rated = await driver.rate("4")
        titles, audience = driver.titles(100), driver.app.session.audience
        job.end()
        await driver.wait_for_notice(READY)
        await driver.see("M better model")
        assert (driver.titles(100), driver.movies.cursor, in_use(driver)) == (titles, 3, "mf")
        await driver.press("M")
        await driver.see("run 2 blend compared with run 1 mf")
        await driver.see("3 of 10 in both lists")
        await driver.see("esc keep mf")
        await driver.press("escape")
        assert (driver.titles(100), driver.movies.cursor, in_use(driver)) == (titles, 3, "mf")
        assert "M better model" in lines(driver.app)[0]  # the model is still offered
        await driver.press("M")
        await driver.see("3 of 10 in both lists")
        await driver.press("enter")
        await driver.until(lambda: "blend RMSE" in lines(driver.app)[0], "the title line")
        await driver.until(lambda: driver.movies.cursor == 0 and driver.titles(100) != titles, "the top of the list")
        assert driver.movies.scroll_offset.y == 0
        assert "better model" not in lines(driver.app)[0]
        assert driver.app.session.audience == audience
        assert driver.app.session.view.filter_text == "+even"
        assert rated not in driver.titles(100)
        assert store.serving_runs("demo")[0].model == "blend"
    async with window(store) as driver:
        assert in_use(driver) == "blend"
        assert driver.app.stand_in.offered is None
        assert len(jobs) == 1


async def test_a_model_that_was_not_taken_is_offered_again(store: Store, quick: int, jobs: list[FakeJob]) -> None:
    async with window(store) as driver:
        job = await wait_for_training(driver, jobs)
        job.end()
        await driver.wait_for_notice(READY)
    async with window(store, size=SMALL) as driver:
        await driver.wait_for_notice(READY)
        assert (in_use(driver), len(jobs)) == ("mf", 1)
        Runs(store).delete(2)  # as on the Train screen, or with a command
        await driver.app.watch_store()
        assert driver.app.stand_in.offered is None


async def test_on_another_screen_the_offer_says_how_to_get_to_browse(
    store: Store, quick: int, jobs: list[FakeJob]
) -> None:
    async with window(store) as driver:
        job = await wait_for_training(driver, jobs)
        await driver.press("d")
        await driver.see("Datasets")
        job.end()
        await driver.wait_for_notice("A better model is ready: press b and then M to see what it changes")


async def test_an_interview_is_not_interrupted_by_an_offer(store: Store, quick: int, jobs: list[FakeJob]) -> None:
    async with window(store) as driver:
        job = await wait_for_training(driver, jobs)
        await driver.press("N")
        await driver.see("Getting to know")
        job.end()
        await driver.until(lambda: driver.app.stand_in.offered, "the offer")
        await driver.pilot.pause()
        assert "better model" not in shown(driver.app)
        await driver.press("escape")
        await driver.wait_for_notice(READY)


async def test_a_run_that_a_person_chose_is_not_replaced(store: Store, quick: int, jobs: list[FakeJob]) -> None:
    async with window(store, size=SMALL) as driver:
        job = await wait_for_training(driver, jobs)
        await driver.rate("4")
        assert lines(driver.app)[-2].split()[0] == "rated"
        assert lines(driver.app)[-2].split()[-2:] == ["blend", "━─────"]
        await driver.app.serve("demo", run(store, quick))  # a choice, although the quick run serves already
        job.end()
        await driver.wait_for_notice("blend: RMSE 0.8687 on random90 · press u on run 2 to use it in Browse")
        assert in_use(driver) == "mf"
    async with window(store) as driver:
        assert in_use(driver) == "mf"
        assert len(jobs) == 1


async def test_a_cancelled_recommended_run_is_not_started_again(store: Store, quick: int, jobs: list[FakeJob]) -> None:
    async with window(store) as driver:
        await wait_for_training(driver, jobs)
        await driver.press("t")
        await driver.until(lambda: driver.app.screen.query("#runs"), "the screen")
        await driver.press("c")
        await driver.wait_for_notice("Stopped training blend; run 2 keeps its curve, and r resumes it.")
    async with window(store) as driver:
        await driver.app.stand_in.improve()
        assert [one.state for one in store.runs()] == ["cancelled", "done"]
        assert len(jobs) == 1
        await driver.app.queue.again(2)  # unless the user resumes it
        await driver.until(lambda: len(jobs) == 2 and driver.app.queue.progress, "the training")
        jobs[1].metrics = {"rmse": 0.8687}
        jobs[1].end()
        await driver.wait_for_notice(READY)


async def test_a_run_stopped_by_quitting_resumes_at_the_next_start(
    store: Store, quick: int, jobs: list[FakeJob]
) -> None:
    async with window(store) as driver:
        await wait_for_training(driver, jobs)
    assert run(store, 2).state == "cancelled"  # its process stores this even if the app is killed
    async with window(store) as driver:
        assert (await train_request(jobs, 1))["run"] == 2
    store.execute("UPDATE runs SET process = 2147483, began = 'then', state = 'running' WHERE id = 2")
    async with window(store) as driver:
        assert (await train_request(jobs, 2))["run"] == 2
        assert len(store.runs()) == 2


async def test_a_model_that_another_window_trained_is_offered(store: Store, quick: int, jobs: list[FakeJob]) -> None:
    number = Runs(store).queue_recommended("blend", run(store, quick))
    assert number == 2
    other = (os.getppid(), _began(os.getppid()), number)
    store.execute("UPDATE runs SET state = 'running', process = ?, began = ? WHERE id = ?", *other)
    engine = FakeEngine()
    async with window(store, engine) as driver:
        rank_requests = [do for do, _ in engine.asked].count("rank")
        theirs = Store(store.path)
        Runs(theirs).write_progress(number, "running", 1.0, [], {})
        await driver.app.watch_store()
        assert [do for do, _ in engine.asked].count("rank") == rank_requests  # progress does not change the list
        theirs.end_run(number, "done", metrics={"rmse": 0.8687})
        theirs.close()
        await driver.app.watch_store()
        await driver.wait_for_notice(READY)
        assert (in_use(driver), jobs) == ("mf", [])
        theirs = Store(store.path)
        Runs(theirs).decide("demo")  # a choice in that window, so nothing is offered any more
        theirs.close()
        await driver.app.watch_store()
        assert driver.app.stand_in.offered is None


def test_two_windows_queue_the_same_run(store: Store) -> None:
    runs, other_runs = Runs(store), Runs(Store(store.path))
    number = runs.queue_stand_in("mf", "demo", REQUEST)
    assert other_runs.queue_stand_in("mf", "demo", REQUEST) == number
    store.end_run(number, "cancelled")
    again = other_runs.queue_stand_in("mf", "demo", REQUEST)
    assert again != number
    assert other_runs.queue_recommended("blend", run(store, number)) is None
    assert other_runs.queue_recommended("blend", run(store, again)) == runs.queue_recommended(
        "blend", run(store, again)
    )
    assert len(store.runs()) == 3
    other_runs._store.close()


async def test_the_first_model_of_another_dataset_is_trained_in_the_queue(store: Store, jobs: list[FakeJob]) -> None:
    runs = Runs(store)
    store.end_run(store.start_run("bias", "demo", "standard", "random90", 0, {}), "done")
    async with window(store) as driver:
        assert jobs == []  # nothing is trained for people who train models themselves
        older = await driver.app.queue.add("mf", "demo", REQUEST)
        opening = driver.app.run_worker(driver.app.open_dataset("ml-100k"))
        await driver.until(lambda: len(driver.app.queue.progress) == 2, "both, at once")
        request = await train_request(jobs, 1)
        assert request == {"do": "train", "model": "mf", "dataset": "ml-100k", **REQUEST, "run": older + 1}
        await driver.see("Your list from")
        await driver.see("▸ Learn what people like")
        jobs[1].end()
        await opening.wait()
        assert isinstance(driver.app.screen, BrowseScreen)
        assert driver.app.session.opened is not None
        assert driver.app.session.opened["dataset"] == "ml-100k"
        await driver.until(lambda: runs.get(older + 2).model == "blend", "the recommended run in the queue")
        assert runs.get(older + 2).state == "queued"
        opening = driver.app.run_worker(driver.app.open_dataset("ml-1m"), exit_on_error=False)
        request = await train_request(jobs, 2)
        await driver.see("Your list from")
        await driver.press("c")  # stops the run that the app waits for, not the older one
        with pytest.raises(WorkerFailed, match="Cancelled"):
            await opening.wait()
        assert isinstance(driver.app.screen, BrowseScreen)
        assert [runs.get(number).state for number in (older, request["run"])] == ["running", "cancelled"]
        opening = driver.app.run_worker(driver.app.open_dataset("ml-1m"), exit_on_error=False)
        await train_request(jobs, 3)
        jobs[3].end("failed")
        with pytest.raises(WorkerFailed, match="mf could not be trained on ml-1m"):
            await opening.wait()


def test_progress_covers_all_phases() -> None:
    def epoch(number: int, phase: str = "curve") -> dict[str, Any]:
        losses = {"train_loss": 1.0, "validation_loss": None}
        return {"event": "epoch", "phase": phase, "epoch": number, "of": 4, **losses}

    begun = JobProgress("train blend", {"do": "train"}, began=time.monotonic() - 60)
    assert begun.whole() == (0.0, None)
    stage = {"event": "stage", "name": "read", "note": "", "done": 1, "total": 1, "unit": "", "seconds_left": None}
    assert begun.after(stage).whole() == (0.0, None)  # what comes before the fits does not count
    first = begun.after({"event": "inside", "name": "bayes", "done": 500, "total": 1000, "unit": "whole"})
    assert first.whole() == (pytest.approx(1 / 6, abs=0.01), pytest.approx(300, abs=5))
    assert first.after(epoch(1)).whole()[0] == pytest.approx(1 / 6, abs=0.01)  # an epoch does not set the progress back
    second = first.after(epoch(4)).after(epoch(1, "measure"))
    assert second.whole() == (pytest.approx(1 / 3, abs=0.01), pytest.approx(120, abs=5))
    sooner = first.after(epoch(3)).after(epoch(1, "measure"))
    assert sooner.first_phase == pytest.approx(60, abs=1)
    late = replace(second, began=second.began - 600)
    assert late.whole() == (0.99, None)


async def test_without_torch_another_model_serves_until_torch_works(
    store: Store, jobs: list[FakeJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeJob, "defect", "PyTorch is not installed; install the package torch")
    note = "PyTorch is not installed; install the package torch for better models."
    store.end_run(store.start_run("bias", "demo", "standard", "random90", 0, {}), "done")
    async with window(store, size=SMALL) as driver:
        assert jobs == []  # the run of a person who trains models is not replaced, so torch does not matter
        opening = driver.app.run_worker(driver.app.open_dataset("ml-100k"))
        assert (await train_request(jobs, 1))["model"] == "user-knn"  # the first job only looked for torch
        jobs[1].end()
        await opening.wait()
        await driver.wait_for_notice(note)
        assert len(store.runs()) == 2
    monkeypatch.setattr(FakeJob, "defect", "")
    async with window(store) as driver:
        await driver.until(lambda: Runs(store).get(3).model == "blend", "the recommended run")
        assert driver.app.stand_in.note == ""


class Newer(FakeEngine):
    """An engine that cannot load the checkpoints of some runs, because an older version wrote them."""

    def __init__(self, *old: Run) -> None:
        super().__init__()
        self._old = tuple(run.checkpoint for run in old)

    def open(self, *, dataset: str, cleaning: str, checkpoint: str) -> Opened:
        if checkpoint.endswith(self._old):
            raise Problem("The checkpoint was written by an older version of movietui; train the model again.")
        return super().open(dataset=dataset, cleaning=cleaning, checkpoint=checkpoint)


async def test_with_only_old_checkpoints_a_quick_model_is_trained_again(store: Store, jobs: list[FakeJob]) -> None:
    runs = Runs(store)
    quick = runs.queue_stand_in("mf", "demo", REQUEST)
    blend = runs.queue_recommended("blend", run(store, quick))
    assert blend is not None
    for number in (quick, blend):
        runs.begin(number, "standard", {})
        store.end_run(number, "done")
    store.choose("dataset", "demo")
    engine = Newer(run(store, quick), run(store, blend))
    async with started(SMALL, engine=engine, job=lambda: FakeJob(store), wait=False) as driver:
        await driver.see("▸ Learn what people like")
        assert (await train_request(jobs))["model"] == "mf"
        jobs[0].end()
        await driver.wait_for_list()
        assert in_use(driver) == "mf"
        await train_request(jobs, 1)
        assert [each.model for each in store.runs()] == ["blend", "mf", "blend", "mf"]
        assert driver.app.stand_in.offered is None  # not the old one


async def test_a_dataset_that_is_gone_trains_nothing(store: Store, jobs: list[FakeJob]) -> None:
    store.end_run(store.start_run("mf", "gone", "standard", "random90", 0, {}), "done")
    store.choose("dataset", "gone")
    async with started(SMALL, engine=FakeEngine(), job=lambda: FakeJob(store), wait=False) as driver:
        await driver.wait_for_notice("! gone is not here.")
        await driver.see("Datasets")
        assert jobs == []


async def test_the_first_list_can_be_stopped_while_torch_loads(
    store: Store, jobs: list[FakeJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = asyncio.Event()

    async def load(job: FakeJob) -> str:
        await loaded.wait()
        return ""

    monkeypatch.setattr(FakeJob, "torch_defect", load)
    monkeypatch.setattr(FakeJob, "cancel", lambda job: _cancel(job, loaded))
    store.end_run(store.start_run("bias", "demo", "standard", "random90", 0, {}), "done")
    async with window(store, size=SMALL) as driver:
        opening = driver.app.run_worker(driver.app.open_dataset("ml-100k"), exit_on_error=False)
        await driver.see("▸ Learn what people like")
        await driver.until(lambda: jobs, "the job")
        await driver.press("c")
        with pytest.raises(WorkerFailed, match="Cancelled"):
            await opening.wait()
        assert [one.state for one in store.runs()] == ["cancelled", "done"]


async def _cancel(job: FakeJob, loaded: asyncio.Event) -> None:
    job.end("cancelled")
    loaded.set()


async def test_a_full_disk_does_not_prevent_the_list(
    store: Store, quick: int, jobs: list[FakeJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise Problem("the disk is full")

    monkeypatch.setattr(Runs, "queue_recommended", full)
    async with window(store) as driver:
        await driver.wait_for_notice("! the disk is full")
        await driver.rate("5")
        assert jobs == []


async def test_the_status_line_of_the_list_mentions_no_other_dataset(
    store: Store, quick: int, jobs: list[FakeJob]
) -> None:
    async with window(store, size=LARGE) as driver:
        app = driver.app
        await wait_for_training(driver, jobs)
        other = await app.queue.add("bias", "ml-100k", REQUEST)
        await app.queue.set_at_a_time(2)
        await driver.until(lambda: len(app.queue.progress) == 2, "both trainings")
        jobs[0].end("failed")  # the training on the open dataset
        await driver.wait_for_notice("failed")
        app.show_notice("")
        await driver.until(lambda: not lines(app)[-2].strip(), "nothing about ml-100k")
        await driver.press("d")
        await driver.see("train bias · ml-100k")
        await driver.press("b")
        await driver.until(lambda: not lines(app)[-2].strip(), "nothing about ml-100k")
        jobs[1].metrics = {"rmse": 0.95}
        jobs[1].end()
        await driver.wait_for_notice(f"press u on run {other}")
        assert not lines(app)[-2].strip()
        await driver.press("t")
        await driver.see(f"press u on run {other}")
        await driver.press("b")
        app.show_notice("rated something in the demo")
        await driver.see("rated something in the demo")
        await app.serve("ml-100k", run(store, other))
        await driver.until(lambda: "ml-100k" in lines(app)[0], "the other dataset")
        assert "in the demo" not in shown(app)
