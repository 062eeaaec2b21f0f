"""The Train screen, by keyboard."""

from pathlib import Path
from typing import cast

import pytest
from textual.widgets import Input

from data import locations
from movietui.screens.train import TrainScreen
from movietui.store import Store
from tests.movietui.driving import LARGE, SMALL, Driver, lines, shown, started
from tests.movietui.fakes import FakeEngine, with_run
from tests.movietui.processes import gone

SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "140x40"])


async def go(driver: Driver) -> TrainScreen:
    await driver.press("t")
    await driver.until(lambda: driver.app.screen.query("#models"), "the models")
    screen = cast(TrainScreen, driver.app.screen)
    await driver.until(lambda: screen.models.total > 2 and screen.query("#set-seed"), "the models and the form")
    await driver.until(lambda: screen.runs.total, "the runs")
    return screen


async def fill(driver: Driver, screen: TrainScreen, **values: str) -> None:
    for name, value in values.items():
        screen.query_one(f"#set-{name}", Input).value = value
    await driver.pilot.pause()


async def choose(driver: Driver, screen: TrainScreen, model: str) -> None:
    names = [row["name"] for row in screen.models.known_rows()]
    screen.models.cursor = names.index(model)
    field = "damping" if model == "popularity" else "sweeps"
    await driver.until(lambda: screen.query(f"#set-{field}") and screen.query("#set-seed"), "the form")
    await driver.pilot.pause(0.1)


@SIZES
async def test_the_runs(store: Store, size: tuple[int, int]) -> None:
    with_run(store)
    async with started(size, engine=FakeEngine()) as driver:
        screen = await go(driver)
        for told in ("0.9100", "0.9400", "in use", "cancelled", "2.5 s", "best epoch 5"):
            await driver.see(told)
        await driver.press("right")
        assert screen.runs.has_focus
        await driver.press("down")
        await driver.see("run 2 · mf · demo · random90")
        await driver.press("u")
        await driver.told("Run 2 is cancelled; only a run that is done can be used.")
        await driver.press("down", "u")
        await driver.told("Browse uses run 1: bias on demo")
        assert driver.app.session.run is not None
        assert driver.app.session.run.id == 1
        await driver.press("left")
        assert screen.models.has_focus
        for told in ("validation", "sweeps", "train"):
            if size == SMALL:
                await driver.press("v")
            await driver.see(told)
        await driver.press("c")
        await driver.told("Nothing is running.")


@SIZES
async def test_training_adds_a_run_that_can_be_used(ready: Path, size: tuple[int, int]) -> None:
    async with started(size) as driver:
        assert "mf RMSE" in lines(driver.app)[0]
        screen = await go(driver)
        await choose(driver, screen, "bias")
        await fill(driver, screen, sweeps="4", seed="7")
        await driver.press("enter")
        await driver.until(lambda: screen.runs.total == 3 and driver.app.work.activity is None, "the run", 40)
        await driver.told("bias: RMSE 0.")
        newest = driver.app.session.store.runs()[0]
        assert (newest.state, newest.model, newest.seed, newest.settings["sweeps"]) == ("done", "bias", 7, 4)
        await driver.press("right", "home", "u")
        await driver.told("Browse uses run 3: bias on demo")
        await driver.until(lambda: "bias RMSE" in lines(driver.app)[0], "the title line")
        await driver.see("in use")
        await driver.press("b")
        await driver.rate("5")


async def test_a_form_that_cannot_be_used(store: Store) -> None:
    with_run(store)
    async with started(engine=FakeEngine()) as driver:
        screen = await go(driver)
        await choose(driver, screen, "bias")
        for name, good, wrong in (("sweeps", "12", ("0", "201", "many", "", "2.5")), ("seed", "0", ("-1", "x"))):
            for value in wrong:
                driver.app.say("")
                await fill(driver, screen, **{name: value})
                await driver.press("enter")
                await driver.told(f"! {name}: ")
            await fill(driver, screen, **{name: good})
        assert driver.app.work.activity is None
        assert [run.state for run in store.runs()] == ["done", "cancelled", "done"]


async def test_typing_into_the_form(store: Store) -> None:
    with_run(store)
    async with started(engine=FakeEngine()) as driver:
        screen = await go(driver)
        await driver.press("e")
        field = screen.query_one("#set-sweeps", Input)
        await driver.until(lambda: field.has_focus, "the field")
        await driver.press("end", "backspace", "backspace")
        await driver.type("3q")
        assert field.value == "3q"
        assert driver.app.is_running
        await driver.press("escape")
        assert screen.models.has_focus


async def test_cancelling(ready: Path) -> None:
    async with started(LARGE) as driver:
        screen = await go(driver)
        await fill(driver, screen, sweeps="200")
        await driver.press("enter")
        await driver.until(lambda: driver.app.work.activity is not None, "the work")
        job = driver.app.work._job
        assert job is not None
        await driver.until(lambda: (driver.app.work.activity or 0) and driver.app.work.activity.curve, "an epoch", 30)
        await driver.see("train mf")
        await driver.press("enter")
        await driver.told("Something else is running")
        await driver.press("b")
        await driver.rate("4")
        await driver.press("t", "c")
        await driver.told("Stopped training mf; the run keeps its curve.")
        assert job._process is not None
        assert gone(job._process.pid)
        newest = driver.app.session.store.runs()[0]
        assert newest.state == "cancelled"
        assert newest.curve
        await driver.see("cancelled")
        assert not (locations.checkpoints() / newest.checkpoint).exists()


async def test_nothing_to_train_on(home: Path) -> None:
    async with started(stands=False) as driver:
        await driver.until(lambda: driver.app.work.activity is not None, "the work")
        await driver.press("c")
        await driver.told("Stopped.")
        await driver.press("t")
        await driver.until(lambda: driver.app.screen.query("#set-seed"), "the form")
        await driver.see("No runs yet")
        await driver.press("right", "u")
        await driver.told("There is no run to use yet.")
        assert "No runs yet" in shown(driver.app)
