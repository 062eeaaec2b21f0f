"""Helpers that open the Train screen, fill in its form and read its runs."""

from typing import cast

from textual.widgets import Input

from movietui.store.ratings import Store
from movietui.ui.train.screen import TrainScreen
from tests.movietui.driving import Driver
from tests.movietui.fakes import FakeJob


async def go(driver: Driver) -> TrainScreen:
    await driver.press("t")
    await driver.until(lambda: driver.app.screen.query("#models"), "the models")
    screen = cast(TrainScreen, driver.app.screen)
    await driver.until(lambda: screen.models.total > 2 and screen.query("#set-seed"), "the models and the form")
    await driver.until(lambda: screen.runs.total, "the runs")
    listing = ("open", "models", "runs")
    await driver.until(lambda: not any(one.group in listing for one in driver.app.workers), "the end of all lists")
    return screen


async def fill(driver: Driver, screen: TrainScreen, **values: str) -> None:
    for name, value in values.items():
        screen.query_one(f"#set-{name}", Input).value = value
    await driver.pilot.pause()


async def choose(driver: Driver, screen: TrainScreen, model: str) -> None:
    names = [row["name"] for row in screen.models.known_rows()]
    screen.models.cursor = names.index(model)
    await form_of(driver, screen, model)


async def form_of(driver: Driver, screen: TrainScreen, model: str) -> None:
    """Wait until the form of a model is complete."""
    await driver.until(
        lambda: (
            screen.form.model is not None
            and screen.form.model["name"] == model
            and screen.query("#set-split")
            and not screen._showing.locked()
        ),
        f"the form of {model}",
    )


async def with_fake_jobs(driver: Driver, store: Store) -> TrainScreen:
    FakeJob.made = []
    driver.app.queue.new_job = lambda: FakeJob(store)
    return await go(driver)


def states(store: Store) -> list[str]:
    """Return the states of the runs that the test has started."""
    return [run.state for run in reversed(store.runs())][3:]


def numbers(screen: TrainScreen) -> list[int]:
    return [row.id for row in screen.runs.known_rows()]
