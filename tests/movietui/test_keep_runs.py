"""Runs are named, noted, deleted, exported and pruned on the Train screen."""

from pathlib import Path

import pytest
from textual.widgets import Input, Static

from movietui.data.storage import locations
from movietui.store.ratings import Store
from movietui.store.runs import Runs
from tests.movietui.driving import SIZES, shown, started
from tests.movietui.fakes import FakeEngine, with_run
from tests.movietui.training import go, numbers


def with_checkpoints(store: Store, **sizes: int) -> None:
    """Give runs checkpoints with these numbers of bytes."""
    for run in store.runs():
        if size := sizes.get(f"run_{run.id}"):
            folder = locations.checkpoints() / run.checkpoint
            folder.mkdir(parents=True)
            (folder / "arrays").write_bytes(b"x" * size)


@SIZES
async def test_a_run_gets_a_name_and_a_note(store: Store, size: tuple[int, int]) -> None:
    with_run(store)
    with_checkpoints(store, run_3=2_000_000)
    async with started(size, engine=FakeEngine()) as driver:
        screen = await go(driver)
        await driver.see("3 runs · 2.0 MB of checkpoints")
        await driver.press("right", "home", "n")
        await driver.see("Name run 3")
        await driver.type("[b]best")
        await driver.press("enter")
        await driver.wait_for_notice("Run 3 is now called [b]best.")
        await driver.see("[b]best ")
        assert screen.runs.column_names()[2] == "name"
        await driver.press("N")
        await driver.see("Note on run 3")
        await driver.type("wide")
        await driver.press("enter")
        await driver.wait_for_notice("Saved the note on run 3.")
        run = store.run(3)
        assert run is not None
        assert (run.name, run.note) == ("[b]best", "wide")
        await driver.press("n")
        await driver.see("Name run 3")
        await driver.press("ctrl+u", "enter")
        await driver.wait_for_notice("Run 3 has no name now.")
        await driver.press("end", "n")
        await driver.wait_for_notice("! No run is selected.")  # the last row has published figures


@SIZES
async def test_deleting_asks_first_and_mentions_the_run_in_use(store: Store, size: tuple[int, int]) -> None:
    with_run(store)
    with_checkpoints(store, run_1=100, run_3=4_000)
    async with started(size, engine=FakeEngine()) as driver:
        screen = await go(driver)
        await driver.press("right", "home", "D")
        await driver.see("Delete run 3?")
        await driver.see("Run 3 makes the lists for demo; without it, run 1")
        await driver.press("escape")
        assert store.run(3) is not None
        await driver.press("D")
        await driver.see("Delete run 3?")
        await driver.press("y")
        await driver.until(lambda: store.run(3) is None, "the deletion")
        await driver.until(lambda: driver.app.session.run and driver.app.session.run.id == 1, "the next run in use")
        await driver.until(lambda: numbers(screen) == [2, 1, 0], "the table without it")
        store.execute("UPDATE runs SET state = 'running' WHERE id = 2")
        await driver.until(lambda: "running" in shown(driver.app), "the running run")
        await driver.press("home", "D")
        await driver.wait_for_notice("! Run 2 is running; c cancels it")
        store.execute("UPDATE runs SET state = 'cancelled' WHERE id = 2")
        await driver.press("end", "up", "D")
        await driver.see("without it, no run is")
        await driver.press("y")
        await driver.wait_for_notice("Browse keeps its list until you quit")


@SIZES
async def test_runs_are_written_to_a_file(
    store: Store, size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_run(store)
    Runs(store).note(3, "=1+1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs.csv").write_text("mine")
    async with started(size, engine=FakeEngine()) as driver:
        await go(driver)
        await driver.press("E")
        await driver.see("the 3 listed runs")
        field = driver.app.screen.query_one("#name", Input)
        assert field.value == str(tmp_path / "runs-2.csv")
        for typed, expected in (
            (tmp_path / "runs.csv", "already exists"),
            (tmp_path / "no" / "runs.csv", "No such file"),
            (tmp_path / "runs.txt", "End the file name with .csv, .json, .md, .tex or .svg"),
            ("", "Type a file name."),
        ):
            field.value = str(typed)
            await driver.press("enter")
            wrong = driver.app.screen.query_one("#wrong", Static)
            await driver.until(lambda: expected in str(wrong.content), expected)  # noqa: B023
        field.value = "runs-2.csv"
        await driver.press("enter")
        await driver.wait_for_notice(f"Exported 3 runs to {tmp_path / 'runs-2.csv'}")
        head, first, *_ = (tmp_path / "runs-2.csv").read_text().splitlines()
        assert head.startswith("run,name,model")
        assert first.endswith(",'=1+1")
        await driver.press("right", "home", "x", "E")
        await driver.see("the 1 marked run")
        driver.app.screen.query_one("#name", Input).value = "one.md"
        await driver.press("enter")
        await driver.wait_for_notice("Exported 1 run to")
        assert len((tmp_path / "one.md").read_text().splitlines()) == 3
        assert (tmp_path / "runs.csv").read_text() == "mine"


@SIZES
async def test_pruning_shows_what_would_be_removed(store: Store, size: tuple[int, int]) -> None:
    with_run(store)
    with_checkpoints(store, run_1=1_000_000, run_3=2_000_000)
    async with started(size, engine=FakeEngine()) as driver:
        await go(driver)
        await driver.press("B")
        await driver.see("Nothing would be removed.")
        keep, metric = (driver.app.screen.query_one(f"#{name}", Input) for name in ("keep", "metric"))
        for field, value, expected in (
            (metric, "taste", "No run has the metric 'taste'"),
            (metric, "rmse", "Nothing would be removed."),
            (keep, "x", "Type how many to keep"),
            (keep, "1", "1 checkpoint would be removed, 1.0 MB:"),
        ):
            field.value = value
            await driver.see(expected)
        await driver.see("run 1  bias, demo")
        assert len(list(locations.checkpoints().iterdir())) == 2
        await driver.press("enter")
        await driver.wait_for_notice("Removed 1 checkpoint; 1.0 MB freed.")
        await driver.see("3 runs · 2.0 MB of checkpoints")
