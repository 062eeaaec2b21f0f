"""The first start: the progress of the first list, choices if it cannot be made, and who is watching."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from movietui.data.problems import Problem
from movietui.protocol.viewers import profile
from movietui.state.first_list import Countdown, FirstList, Step, StepName, usual_seconds
from movietui.state.job_progress import JobProgress
from movietui.store.ratings import Store
from movietui.store.runs import Runs
from movietui.ui.app import FIRST_START, UNFINISHED, MovieTui
from movietui.ui.quit import QuitPanel
from movietui.ui.welcome import screen as welcome
from movietui.ui.welcome.screen import ChoiceList, WelcomeScreen, _line
from tests.movietui.driving import LARGE, SIZES, SMALL, Driver, lines, shown, started
from tests.movietui.fakes import FakeEngine, FakeJob, with_run


@pytest.fixture(autouse=True)
def jobs(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[FakeJob]:
    """The created jobs, which the test ends. One gets the dataset, and one trains."""

    @asynccontextmanager
    async def warm() -> AsyncIterator[FakeJob]:
        yield FakeJob(store)

    monkeypatch.setattr(welcome, "warm_job", warm)
    FakeJob.made = []
    return FakeJob.made


def window(store: Store, size: tuple[int, int] = SMALL, engine: FakeEngine | None = None) -> Any:
    return started(size, engine=engine or FakeEngine(), job=lambda: FakeJob(store), wait=False)


async def getting(driver: Driver, jobs: list[FakeJob]) -> FakeJob:
    """Wait until a job gets the dataset, and return that job."""
    await driver.until(lambda: driver.app.jobs.progress is not None, "the job")
    return next(job for job in reversed(jobs) if job is driver.app.jobs._job)


async def training(driver: Driver, jobs: list[FakeJob]) -> FakeJob:
    """Wait until the quick model is being trained, and return the job."""
    await driver.until(lambda: any(job.request for job in jobs), "the training")
    await driver.see("▸ Learn what people like")
    return next(job for job in jobs if job.request)


async def to_the_question(driver: Driver, jobs: list[FakeJob]) -> None:
    (await getting(driver, jobs)).end()
    (await training(driver, jobs)).end()
    await driver.see("Who is watching?")


def unfinished(store: Store) -> None:
    """Prepare a home in which the list has been made but nobody has said who is watching."""
    with_run(store)
    store.choose(FIRST_START, UNFINISHED)


@SIZES
async def test_one_screen_leads_to_the_question(store: Store, jobs: list[FakeJob], size: tuple[int, int]) -> None:
    async with window(store, size) as driver:
        job = await getting(driver, jobs)
        await driver.see("▸ Get MovieLens 100K")
        for expected in ("Your first list", "Clean the ratings", "Learn what people like", "seconds left"):
            await driver.see(expected)
        await driver.see("Somebody. 2015.")
        assert not lines(driver.app)[-2].strip()  # the steps already say what happens
        job.end()
        await training(driver, jobs)
        await driver.see("✓ Clean the ratings")
        assert not driver.app.screen.query("#runs, #models")  # nothing of the Train screen
        (await training(driver, jobs)).end()
        await driver.see("Who is watching?")
        for expected in ("n  Make a profile", "i  Import your ratings", "l  Look around", "as a user of ml-100k"):
            await driver.see(expected)
        assert "user 1" not in shown(driver.app)
        await driver.until(lambda: Runs(store).get(2).model == "blend", "the better model in the queue")
        assert all(len(line.rstrip()) <= size[0] for line in lines(driver.app))


async def test_without_torch_it_is_said_what_to_install(
    store: Store, jobs: list[FakeJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeJob, "defect", "PyTorch is not installed; install the package torch")
    async with window(store) as driver:
        await to_the_question(driver, jobs)
        await driver.see("PyTorch is not installed; install the package torch for better models.")
        assert [run.model for run in store.runs()] == ["user-knn"]


async def test_a_name_makes_a_profile_and_its_interview_begins(store: Store, jobs: list[FakeJob]) -> None:
    unfinished(store)
    async with window(store) as driver:
        await driver.see("Who is watching?")
        await driver.press("n")
        await driver.type("anna")
        await driver.press("escape")
        await driver.see("Who is watching?")  # not somebody else's list
        await driver.press("enter")
        await driver.see("Your name:")
        await driver.press("enter")
        await driver.until(lambda: "A profile" in shown(driver.app) or "name" in shown(driver.app), "a sentence")
        await driver.type("anna")
        await driver.press("enter")
        await driver.see("Getting to know anna")
        await driver.leave_the_interview()
        assert driver.app.session.audience.viewers == (profile("anna"),)
    async with window(store) as driver:
        await driver.wait_for_list()
        assert lines(driver.app)[0].rstrip().endswith("anna")


async def test_looking_around_goes_to_the_viewers(store: Store) -> None:
    unfinished(store)
    async with window(store) as driver:
        await driver.see("Who is watching?")
        await driver.press("l")
        await driver.wait_for_list()
        await driver.until(lambda: driver.viewers.has_focus, "the viewers")
        await driver.wait_for_notice("Choose anybody with ↑ ↓ and enter")
        await driver.press("down", "enter")
        await driver.until(lambda: lines(driver.app)[0].rstrip().endswith("user 2"), "the list of another")
    async with window(store) as driver:
        await driver.wait_for_list()
        assert lines(driver.app)[0].rstrip().endswith("user 2")


async def test_profiles_that_exist_are_offered_first(store: Store) -> None:
    unfinished(store)
    store.create_profile("[b]eva[/b]")
    async with window(store) as driver:
        await driver.see("[b]eva[/b]")
        await driver.see("0 ratings")
        await driver.press("enter")
        await driver.wait_for_list()
        assert driver.app.session.audience.viewers == (profile("[b]eva[/b]"),)


async def test_a_click_chooses_who_is_watching(store: Store) -> None:
    unfinished(store)
    async with window(store) as driver:
        await driver.see("Who is watching?")
        await driver.pilot.click(ChoiceList, offset=(6, 2))
        await driver.pilot.click(ChoiceList, offset=(6, 2))
        await driver.wait_for_list()


async def test_an_import_starts_from_the_question(store: Store, tmp_path: Path) -> None:
    unfinished(store)
    async with window(store) as driver:
        await driver.see("Who is watching?")
        await driver.press("i")
        await driver.see("tab complete")
        await driver.press("escape")
        await driver.see("Who is watching?")
        assert driver.app.asks_who


async def test_without_a_network_there_are_other_choices(store: Store, jobs: list[FakeJob]) -> None:
    async with window(store) as driver:
        (await getting(driver, jobs)).end("failed")
        await driver.see("There is no list yet")
        await driver.see("There is no such model.")  # the problem that the job reports
        await driver.press("n", "l", "i", "c", "5")  # keys that work at other moments do nothing here
        await driver.see("There is no list yet")
        await driver.press("r")
        again = await getting(driver, jobs)
        await driver.see("▸ Get MovieLens 100K")
        again.end("failed")
        await driver.see("There is no list yet")
        await driver.press("o")
        await driver.see("Open a folder or zip")
        await driver.press("escape")
        await driver.see("There is no list yet")
        await driver.press("down", "down", "enter")
        await driver.see("▸ Make the demo")
        (await getting(driver, jobs)).end()
        (await training(driver, jobs)).end()
        await driver.see("Who is watching?")
        await driver.see("the ratings are invented")


async def test_a_file_can_be_read_instead(store: Store, jobs: list[FakeJob], tmp_path: Path) -> None:
    (tmp_path / "ml-100k.zip").write_bytes(b"")
    async with window(store) as driver:
        (await getting(driver, jobs)).end("failed")
        await driver.see("There is no list yet")
        await driver.press("o")
        await driver.see("Open a folder or zip")
        await driver.type(str(tmp_path / "ml-100k.zip"))
        await driver.press("enter")
        await driver.until(lambda: driver.app.jobs.progress is not None, "the job")
        assert driver.app.jobs.progress is not None
        assert driver.app.jobs.progress.request == {
            "do": "get",
            "name": "ml-100k",
            "path": str(tmp_path / "ml-100k.zip"),
            "cleaning": "standard",
        }


@pytest.mark.parametrize("moment", ["getting", "training"])
async def test_the_first_start_can_be_stopped_and_tried_again(store: Store, jobs: list[FakeJob], moment: str) -> None:
    async with window(store) as driver:
        job = await getting(driver, jobs)
        if moment == "training":
            job.end()
            await training(driver, jobs)
        await driver.press("c")
        await driver.see("Stopped. Nothing is lost")
        FakeJob.made.clear()
        await driver.press("enter")
        await to_the_question(driver, jobs)


async def test_the_next_start_asks_again_who_is_watching(store: Store, jobs: list[FakeJob]) -> None:
    async with window(store) as driver:
        await to_the_question(driver, jobs)
    async with window(store) as driver:
        await driver.see("Who is watching?")
        await driver.press("enter")
        await driver.see("Your name:")


async def test_the_next_start_begins_again_if_there_is_no_list_yet(store: Store, jobs: list[FakeJob]) -> None:
    async with window(store) as driver:
        (await getting(driver, jobs)).end()
        await training(driver, jobs)
    FakeJob.made.clear()
    async with window(store) as driver:
        await to_the_question(driver, jobs)


async def test_other_screens_lead_back_to_the_question(store: Store, jobs: list[FakeJob]) -> None:
    async with window(store) as driver:
        job = await getting(driver, jobs)
        await driver.press("d")
        await driver.see("Datasets")
        job.end()
        await driver.until(lambda: any(job.request for job in jobs), "the training")
        next(job for job in jobs if job.request).end()
        await driver.wait_for_notice("Your first list is ready: press b")
        await driver.press("b")
        await driver.see("Who is watching?")


@pytest.mark.parametrize("begins", [True, False], ids=["it trains", "its process starts"])
async def test_ctrl_c_while_the_first_model_trains_asks_nothing(
    store: Store, jobs: list[FakeJob], begins: bool
) -> None:
    async with window(store) as driver:
        job = await getting(driver, jobs)
        for each in jobs:
            each.begins = begins or each is job
        job.end()
        await driver.see("▸ Learn what people like")
        await driver.until(lambda: driver.app.queue.running, "the run")
        await driver.press("ctrl+c")
        await driver.until(lambda: not driver.app.is_running or isinstance(driver.app.screen, QuitPanel), "the end")
        assert not driver.app.is_running
    assert "running" not in [run.state for run in store.runs()]


async def test_a_full_disk_does_not_end_the_first_start(
    store: Store, jobs: list[FakeJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise Problem("the disk is full")

    monkeypatch.setattr(Store, "choose", full)
    async with window(store) as driver:
        await to_the_question(driver, jobs)
        await driver.press("l")
        await driver.wait_for_list()


async def test_a_model_that_cannot_be_loaded_is_reported(store: Store) -> None:
    with_run(store, "gone")
    store.choose(FIRST_START, UNFINISHED)
    async with window(store) as driver:
        await driver.see("There is no list yet")
        await driver.see("gone is not here.")
        assert isinstance(driver.app, MovieTui)


@pytest.mark.parametrize("size", [(60, 16), SMALL, LARGE, (200, 60)])
async def test_the_question_fits_every_window(store: Store, size: tuple[int, int]) -> None:
    unfinished(store)
    for number in range(12):
        store.create_profile(f"somebody {number}")
    async with window(store, size) as driver:
        await driver.see("Who is watching?")
        await driver.press("end")
        await driver.see("Look around")
        await driver.pilot.resize_terminal(40, 10)
        await driver.see("needs a larger window")
        await driver.pilot.resize_terminal(*size)
        await driver.see("Who is watching?")
        await driver.until(lambda: isinstance(driver.app.focused, ChoiceList), "the focus")
        assert isinstance(driver.app.screen, WelcomeScreen)


def test_the_seconds_left_are_estimated_from_the_steps() -> None:
    def stage(name: str, done: int, total: int, left: float | None = None) -> Any:
        return {
            "event": "stage",
            "name": name,
            "note": "",
            "done": done,
            "total": total,
            "unit": "bytes" if name == "Downloading" else "",
            "rate": 1.0,
            "seconds_left": left,
            "finished": done == total,
        }

    each: dict[StepName, float] = {"get": 5.0, "clean": 3.0, "learn": 8.0}
    usual = sum(each.values())
    getting = FirstList("Get MovieLens 100K", each, began=100.0)
    assert getting.seconds_left(100.0) == usual
    assert getting.seconds_left(103.0) == usual - 3
    assert getting.seconds_left(900.0) == usual - each["get"] + 1  # the step itself counts as one second
    job = JobProgress("get ml-100k", {"do": "get", "name": "ml-100k", "path": None, "cleaning": "standard"})
    slow = FirstList("Get", each, 100.0, job.after(stage("Downloading", 1_000_000, 4_900_000, 60.0)))
    assert slow.seconds_left(110.0) == 60 + each["clean"] + each["learn"]
    assert [(step.state, step.note) for step in slow.steps()] == [
        ("now", "1.0 MB of 4.9 MB"),
        ("later", ""),
        ("later", ""),
    ]
    assert slow.steps()[0].share == pytest.approx(0.204, abs=0.001)
    cleaning = FirstList("Get", each, 100.0, job.after(stage("Reading", 1, 1)).after(stage("Cleaning", 1, 4)))
    assert [step.state for step in cleaning.steps()] == ["done", "now", "later"]
    storing = FirstList("Get", each, 100.0, job.after(stage("Cleaning", 4, 4)).after(stage("Storing", 0, 1)))
    assert [step.state for step in storing.steps()] == ["done", "now", "later"]
    learning = FirstList("Get", each, 100.0, job, got=True, learning_began=110.0)
    assert learning.seconds_left(112.0) == each["learn"] - 2
    assert learning.seconds_left(500.0) == 1


@pytest.mark.parametrize(("width", "note"), [(76, " 9.8 MB of 240 MB"), (56, " 9.8 MB"), (46, "")])
def test_a_step_takes_one_line(width: int, note: str) -> None:
    line = _line(Step("Get MovieLens 100K", "now", 0.5, "9.8 MB of 240 MB", "9.8 MB"), width)
    assert line.cell_len <= width
    assert line.plain.endswith(f"─{note}")


def test_the_time_left_is_shown_without_jumps() -> None:
    countdown = Countdown()
    assert countdown.show(30.0, 100.0) == 30
    assert countdown.show(29.0, 101.0) == 29
    shown = [countdown.show(10.0 - step / 2, 101.0 + step / 2) for step in range(1, 41)]  # it is nearly done after all
    assert shown[0] >= 26
    assert all(0 <= before - after <= 4 for before, after in pairwise(shown))
    assert shown[-1] == 1
    assert countdown.show(60.0, 121.5) <= 9  # it takes longer after all
    assert countdown.show(60.0, 141.5) >= 55


def test_a_large_dataset_takes_longer_than_the_usual_one() -> None:
    usual = FirstList("Get MovieLens 100K", began=100.0)
    large = FirstList("Get MovieLens 32M", usual_seconds(238_950_008, 32_000_204), began=100.0)
    assert 10 < usual.seconds_left(100.0) < 30
    assert large.seconds_left(100.0) > 100
