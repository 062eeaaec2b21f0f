"""The Data screen, by keyboard."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import cast

import pytest
from textual.widgets import Static

from data import locations
from data.progress import Stage
from data.sources import SOURCES
from movietui.activity import Activity
from movietui.screens.data import DataScreen, _stages
from movietui.store import Store
from tests.data.files import contents, write_folder, write_zip
from tests.movietui.driving import LARGE, SMALL, Driver, lines, shown, started
from tests.movietui.fakes import FakeEngine, with_run

SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "140x40"])


async def go(driver: Driver) -> DataScreen:
    await driver.press("d")
    await driver.until(lambda: driver.app.screen.query("#datasets"), "the datasets")
    screen = cast(DataScreen, driver.app.screen)
    await driver.until(lambda: screen.datasets.total > 1, "the datasets")
    return screen


async def open_path(driver: Driver, path: object) -> None:
    await driver.press("o")
    await driver.see("Where are the files?")
    driver.app.screen.query_one("#path").value = str(path)  # type: ignore[attr-defined]
    await driver.press("enter")


def test_a_download_shows_how_far_and_how_fast_it_is() -> None:
    stage = Stage("Downloading", 120_000_000, 240_000_000, "bytes", "MovieLens 32M", rate=3.1e6, seconds_left=38.0)
    activity = Activity("get ml-32m", {}).after({"event": "stage", **asdict(stage)})
    drawn = _stages(activity, 50).plain
    assert drawn.startswith("  Downloading ━━━─── 120 MB 3.1 MB/s, 38 s left")
    done = activity.after({"event": "stage", **asdict(replace(stage, finished=True))})
    assert _stages(done, 50).plain == "✔ Downloading 120 MB MovieLens 32M"


@SIZES
async def test_the_report(store: Store, size: tuple[int, int]) -> None:
    with_run(store)
    async with started(size, engine=FakeEngine()) as driver:
        screen = await go(driver)
        await driver.until(lambda: screen.report.display and screen.report.total == 3, "the report")
        for told in ("● demo", "invented", "get 4.9 MB", "open a folder or", "movies without a genre", "10,000"):
            await driver.see(told)
        assert "(65)" in shown(driver.app)
        await driver.press("right")
        assert screen.report.has_focus
        await driver.see("nothing to take")
        await driver.press("down")
        await driver.see("[b]Odd[/b] (1971)")
        await driver.press("down")
        await driver.see("would take, for example")
        await driver.press("left")
        assert screen.datasets.has_focus
        await driver.press("up", "up", "down", "down", "down", "end", "home")
        assert driver.app.is_running


@SIZES
async def test_a_dataset_that_is_not_here(store: Store, size: tuple[int, int]) -> None:
    with_run(store)
    async with started(size, engine=FakeEngine()) as driver:
        screen = await go(driver)
        await driver.press("home")
        await driver.until(lambda: not screen.report.display, "no report")
        await driver.see("enter gets it: 4.9 MB from GroupLens.")
        await driver.press("end")
        await driver.see("name the place of a MovieLens 100K zip")
        await driver.press("c")
        await driver.told("Nothing is running.")


async def test_get_what_cannot_be_fetched(ready: Path) -> None:
    async with started() as driver:
        await go(driver)
        await driver.press("home", "enter")
        await driver.told("movietui data get ml-100k --from PATH")
        assert driver.app.outcome.plain.startswith("! ")
        await driver.press("b")
        await driver.rate("4")


async def test_open_a_zip_and_use_it(ready: Path, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "My Films 2.zip", contents())
    async with started(LARGE) as driver:
        screen = await go(driver)
        await open_path(driver, path)
        await driver.told("my-films-2: 240 ratings.")
        await driver.until(lambda: screen.datasets.total == len(SOURCES) + 2, "the new dataset")
        await driver.see("my-films-2")
        await driver.until(lambda: screen.report.total > 3, "its report")
        await driver.press("enter")
        await driver.until(
            lambda: driver.app.session.opened and driver.app.session.opened["dataset"] == "my-films-2", "it is open", 40
        )
        await driver.stands()
        assert "my-films-2 · 30 movies" in lines(driver.app)[0]
        await driver.rate("5")


async def test_open_what_is_no_dataset(ready: Path, tmp_path: Path) -> None:
    whole = write_zip(tmp_path / "whole.zip", contents()).read_bytes()
    write_folder(tmp_path / "folder", {"x.txt": b"x"})
    (tmp_path / "page.zip").write_bytes(b"<!DOCTYPE html><html></html>")
    (tmp_path / "cut.zip").write_bytes(whole[:-900])
    (tmp_path / "README.md").write_bytes(b"# Words\n")
    async with started() as driver:
        screen = await go(driver)
        before = screen.datasets.total
        for name, told in (
            ("page.zip", "web page"),
            ("cut.zip", "damaged or cut off"),
            ("README.md", "README.md"),
            ("folder", "u.data"),
        ):
            await open_path(driver, tmp_path / name)
            await driver.told(told)
            assert driver.app.outcome.plain.startswith("! ")
            await driver.until(lambda: driver.app.work.activity is None, "the end")
        assert screen.datasets.total == before
        assert [path.name for path in locations.datasets().iterdir()] == ["demo"]


async def test_a_path_that_is_not_there(store: Store) -> None:
    with_run(store)
    async with started(engine=FakeEngine()) as driver:
        screen = await go(driver)
        wrong = {"/nowhere/at/[b]all[/b].zip": "There is nothing at /nowhere/at/[b]all[/b].zip", "": "", "   ": ""}
        for path, told in wrong.items():
            await open_path(driver, path)
            await driver.until(lambda: cast(Static, driver.app.screen.query_one("#wrong")).content, "a sentence")
            await driver.see(told)
            await driver.press("escape")
            assert driver.app.screen is screen
        await open_path(driver, "a\0b")
        await driver.pilot.pause(0.1)
        assert driver.app.is_running


async def test_the_first_screen_without_anything(home: Path) -> None:
    """What stands before the first start has done anything, when it is stopped."""
    async with started(stands=False) as driver:
        await driver.until(lambda: driver.app.work.activity is not None, "the work")
        await driver.press("c")
        await driver.told("Stopped.")
        assert driver.app.work.activity is None
        await driver.press("b")
        await driver.pilot.pause(0.1)
        await driver.press("5", "u", "r", "p", "n", "enter", "minus", "tab", "left", "enter", "p", "escape")
        await driver.pilot.pause(0.1)
        assert driver.app.is_running
        await driver.press("d", "t", "b")
        assert driver.app.is_running
