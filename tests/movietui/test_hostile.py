"""Titles, names and jobs that are out to break the screen, in every list."""

import re
from pathlib import Path

import pytest
from rich.cells import cell_len

from data.titles import plain
from movietui.store import Store
from movietui.widgets.details import describe
from tests.movietui.driving import LARGE, SIZES, Driver, lines, shown, started
from tests.movietui.fakes import FakeEngine, with_run
from tests.movietui.hostile import TITLES

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
SHORT = [title for title in TITLES if title == plain(title) and len(title) < 14 and title.isascii()]


def check(driver: Driver) -> None:
    """Nothing on screen steers the terminal, and every line has the width of the screen."""
    for line in lines(driver.app):
        assert not STEERING.search(line), repr(line)
        assert cell_len(line) == driver.app.size.width, repr(line)


def columns(driver: Driver) -> set[int]:
    """Return in which cell the right border of each row of the list lies."""
    drawn = [line for line in lines(driver.app) if "★" in line]
    return {cell_len(line[: line.index("★")]) for line in drawn}


@SIZES
async def test_every_list(hostile: Path, size: tuple[int, int]) -> None:
    async with started(size) as driver:
        check(driver)
        await driver.press("n")
        await driver.type("x")
        await driver.press("enter")
        await driver.see("Getting to know x")
        await driver.see("3 points to spend")
        for _ in range(8):
            check(driver)
            await driver.press("0")
        await driver.leave_the_interview()
        assert driver.movies.total == len(TITLES)
        seen = ""
        for _ in range(driver.movies.total):
            check(driver)
            assert len(columns(driver) - {0}) <= (2 if size == LARGE else 1)
            seen += shown(driver.app)
            await driver.press("down")
        for title in SHORT:
            assert title in seen
        if size == LARGE:
            return
        await driver.press("home")
        for _ in range(driver.movies.total):
            await driver.press("enter")
            await driver.until(lambda: driver.app.screen is not driver.browse, "the panel")
            check(driver)
            await driver.press("escape")
            title = await driver.rate("4")
            check(driver)
            assert title[:20] in driver.app.outcome.plain
        await driver.see("Everything here has been seen")


@SIZES
async def test_a_pair(hostile: Path, size: tuple[int, int]) -> None:
    async with started(size) as driver:
        await driver.press("n")
        driver.app.screen.query_one("#name").value = "[red]漢字[/red] [/b]"  # type: ignore[attr-defined]
        await driver.press("enter")
        await driver.leave_the_interview()
        await driver.press("left", "down", "p")
        await driver.until(lambda: driver.movies.together, "the pair")
        check(driver)
        await driver.press("enter")
        await driver.pilot.pause(0.1)
        check(driver)
        await driver.press("escape")
        await driver.rate("2")
        await driver.press("d")
        await driver.see("hostile")
        check(driver)
        await driver.press("t")
        await driver.see("bias")
        check(driver)


async def test_toasts(store: Store) -> None:
    with_run(store)
    engine = FakeEngine()
    async with started(LARGE, engine=engine) as driver:
        for title in TITLES:
            engine.problem = f"There is no movie {plain(title)} here."
            await driver.press("enter")
            await driver.until(lambda title=title: plain(title)[:10] in driver.app.outcome.plain, title)
            check(driver)
        assert driver.app.is_running


@pytest.mark.parametrize("title", TITLES, ids=range(len(TITLES)))
def test_reasons_have_their_width(title: str) -> None:
    engine = FakeEngine()
    engine.titles = [plain(title)] * 200
    details = engine.details([{"kind": "user", "id": "1", "rated": []}] * 2, "3")
    for width in (20, 40, 52):
        reasons = [line for line in describe(details, ["a", "b"], width).plain.splitlines() if ".21" in line]
        assert [cell_len(line) for line in reasons] == [width, width]
