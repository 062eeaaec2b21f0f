"""The Data screen, by keyboard."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

import pytest
from rich.cells import cell_len
from textual.widgets import Static

from movietui.data import catalogue
from movietui.data.fetch.sources import SOURCES
from movietui.data.progress import Stage
from movietui.data.storage import cache, locations
from movietui.protocol.messages import ChartRow
from movietui.protocol.requests import Requests
from movietui.state.child_processes import Job
from movietui.state.job_progress import JobProgress
from movietui.store.ratings import Store
from movietui.ui.data.chart import draw
from movietui.ui.data.dataset_list import DatasetList, OpenPath
from movietui.ui.data.screen import DataScreen, _stages
from tests.data.files import contents, write_folder, write_zip
from tests.movietui.driving import LARGE, SIZES, SMALL, Driver, lines, shown, started
from tests.movietui.fakes import FakeEngine, FakeJob, joined, with_run


async def go(driver: Driver) -> DataScreen:
    await driver.press("d")
    await driver.until(lambda: driver.app.screen.query("#datasets"), "the datasets")
    screen = cast(DataScreen, driver.app.screen)
    await driver.until(lambda: screen.datasets.total > 1, "the datasets")
    return screen


async def open_path(driver: Driver, path: object) -> None:
    await driver.press("o")
    await driver.see("Path of the files")
    driver.app.screen.query_one("#path").value = str(path)  # type: ignore[attr-defined]
    await driver.press("enter")


def test_a_download_shows_its_progress_and_speed() -> None:
    stage = Stage("Downloading", 120_000_000, 240_000_000, "bytes", "MovieLens 32M", rate=3.1e6, seconds_left=38.0)
    progress = JobProgress("get ml-32m", {}).after({"event": "stage", **asdict(stage)})
    drawn = _stages(progress, 50).plain
    assert drawn.startswith("  Downloading ━━━─── 120 MB 3.1 MB/s, 38 s left")
    done = progress.after({"event": "stage", **asdict(replace(stage, finished=True))})
    assert _stages(done, 50).plain == "✓ Downloading 120 MB MovieLens 32M"


def test_a_chart_of_two_counts_draws_one_below_the_other() -> None:
    chart: ChartRow = {
        "name": "release years",
        "title": "movies and ratings by year",
        "of": "movies",
        "labels": ["1990", "1991", "1992"],
        "counts": [1, 2, 4],
        "also_of": "ratings",
        "also": [80, 0, 40],
        "note": "noted",
        "shares": [],
    }
    drawn = ["".join(text for text, _ in line).rstrip() for line in draw(chart, 12, 13)]
    assert drawn == [
        *("4 movies", "        ████", "    ▄▄▄▄████", "▆▆▆▆████████", "1990    1992", ""),
        *("80 ratings", "████", "████    ▄▄▄▄", "████    ████", "1990    1992", ""),
        "noted",
    ]


@pytest.mark.parametrize(
    ("width", "headings"),
    [
        (24, ["dataset"]),
        (30, ["dataset", "size"]),
        (40, ["dataset", "size", "newest"]),
        (54, ["dataset", "size", "newest", "first", "list"]),
        (90, ["dataset", "size", "newest", "first", "list", "ratings", "movies", "oldest", "needs"]),
    ],
)
def test_the_datasets_show_as_many_columns_as_fit(width: int, headings: list[str]) -> None:
    datasets = DatasetList()
    assert datasets.header(width).split() == headings
    row = {row["name"]: row for row in FakeEngine().datasets()}["ml-100k"]
    drawn = "".join(text for text, _ in datasets.draw(row, width))
    assert cell_len(drawn) == width
    assert "ml-100k" in drawn
    assert ("1998" in drawn) == (width >= 40)
    assert ("100,000" in drawn) == (width >= 90)


async def rules_of_demo(driver: Driver) -> DataScreen:
    screen = await go(driver)
    await driver.until(lambda: screen.rules.display and screen.rules.total == 3, "the rules")
    await driver.until(lambda: screen.chart.charts, "the charts")
    await driver.press("right")
    assert screen.rules.has_focus
    return screen


async def test_in_a_narrow_window_rules_and_keys_are_whole(faked: FakeEngine) -> None:
    async with started((60, 20), engine=faked) as driver:
        await driver.press("d")
        await driver.see("[ ]")
        rows = [line for line in lines(driver.app) if "[ ]" in line]
        assert all(re.search(r"\[ \] \w\w", row) for row in rows)  # the rule, rather than what it would remove
        assert lines(driver.app)[-1].rstrip().endswith("? Keys")


@SIZES
async def test_rules_are_turned_on_previewed_and_discarded(store: Store, size: tuple[int, int]) -> None:
    with_run(store)
    async with started(size, engine=FakeEngine()) as driver:
        await go(driver)
        for expected in ("● demo", "invented", "get 4.9 MB", "1998", "open folder or zip"):
            await driver.see(expected)
        await rules_of_demo(driver)
        for expected in ("● demo", "open folder or zip", "demo · standard"):
            await driver.see(expected)
        await driver.see("[▪] malformed lines")
        await driver.see("[x] movies without a genre")
        await driver.see("would remove 325")
        await driver.press("space")
        await driver.wait_for_notice("This rule is always on")
        await driver.press("down", "down", "space")
        await driver.see("[x]*movies, under 5 ratings")
        await driver.see("standard +few-ratings-movies")
        await driver.see("enter apply · 9,663 ratings")
        await driver.press("right_square_bracket")
        await driver.see("[x]*movies, under 10 ratings")
        await driver.press("left_square_bracket", "left_square_bracket")
        await driver.see("[x]*movies, under 3 ratings")
        await driver.press("left_square_bracket", "left_square_bracket")
        await driver.see("[x]*movies, under 2 ratings")
        await driver.press("right_square_bracket", "right_square_bracket", "left_square_bracket")
        await driver.see("[x]*movies, under 3 ratings")
        await driver.press("space")
        await driver.see("[ ] movies, under 5 ratings")
        await driver.press("up", "space")
        await driver.see("[ ]*movies without a genre")
        await driver.see("· none")
        await driver.press("escape")
        await driver.see("[x] movies without a genre")
        assert "enter apply" not in shown(driver.app)
        assert store.choice("cleaning:demo") == ""


async def test_p_steps_through_the_presets(store: Store) -> None:
    with_run(store)
    async with started(LARGE, engine=FakeEngine()) as driver:
        await rules_of_demo(driver)
        await driver.see("Not published in this dataset: [b]age[/b].")
        await driver.press("p")
        await driver.see("demo · none")
        await driver.press("p", "p", "p")
        await driver.see("demo · standard")


@SIZES
async def test_a_preset_is_previewed_in_the_rules(store: Store, size: tuple[int, int]) -> None:
    with_run(store)
    async with started(size, engine=FakeEngine()) as driver:
        screen = await rules_of_demo(driver)
        await driver.press("right", "p")
        await driver.see("demo · none")
        await driver.see("[▪] malformed lines")
        assert screen.rules.has_focus


async def test_an_impossible_cleaning_is_reported_and_discarded(store: Store) -> None:
    with_run(store)
    engine = FakeEngine()
    async with started(LARGE, engine=engine) as driver:
        await rules_of_demo(driver)
        engine.problem = "There is no such number."
        await driver.press("down", "space")
        await driver.wait_for_notice("There is no such number.")
        engine.problem = ""
        await driver.see("[x] movies without a genre")
        await driver.press("down", "space")
        await driver.see("standard +few-ratings-movies")


async def test_a_late_reply_is_dropped(store: Store) -> None:
    with_run(store)
    engine = FakeEngine()
    async with started(LARGE, engine=engine) as driver:
        screen = await rules_of_demo(driver)
        gate = asyncio.Event()
        ask = engine.ask

        async def slow(request: Callable[..., Any], **arguments: Any) -> Any:
            if request is Requests.preview_cleaning:
                await gate.wait()
            return await ask(request, **arguments)

        engine.ask = slow  # type: ignore[method-assign]
        await driver.press("down", "space", "shift+tab", "up")
        await driver.see("enter downloads it: 4.9 MB")
        gate.set()
        await driver.pilot.pause(0.1)
        assert not screen.rules.display
        assert "enter apply" not in shown(driver.app)


@SIZES
async def test_a_rule_shows_the_rows_it_removes(store: Store, size: tuple[int, int]) -> None:
    with_run(store)
    async with started(size, engine=FakeEngine()) as driver:
        screen = await rules_of_demo(driver)
        await driver.press("enter")
        await driver.see("This rule removes nothing here.")
        await driver.press("escape", "down", "down", "enter")
        await driver.see("would remove 325 rows")
        await driver.see("[b]Row[/b] 0")
        if size == SMALL:
            assert screen.removed.has_focus
        else:
            screen.set_focus(screen.removed)
        await driver.press("end")
        await driver.see("[b]Row[/b] 324")
        await driver.press("escape")
        assert screen.rules.has_focus
        assert "[b]Row[/b]" not in shown(driver.app)
        await driver.press("escape")
        assert screen.datasets.has_focus


@SIZES
async def test_keys_step_through_the_charts(store: Store, size: tuple[int, int]) -> None:
    with_run(store)
    async with started(size, engine=FakeEngine()) as driver:
        screen = await rules_of_demo(driver)
        if size == SMALL:
            assert "ratings by stars" not in shown(driver.app)
            await driver.press("right")
        await driver.see("ratings by stars")
        await driver.see("[i]noted[/i]")
        bars = {line.split("█")[0].strip("│ ")[-1]: line.count("█") for line in lines(driver.app) if "█" in line}
        assert bars["4"] > bars["3"] > bars["2"] > bars["1"] > 0
        assert "5" not in bars
        await driver.press("right")
        await driver.see("movies and ratings by year")
        await driver.see("1999")
        await driver.press("right")
        await driver.see("rated pairs")
        await driver.press("right")
        await driver.see("ratings by stars")
        await driver.press("left")
        await driver.see("rated pairs")
        await driver.press("escape")
        assert screen.rules.has_focus or screen.datasets.has_focus


async def test_an_applied_cleaning_is_remembered(ready: Path) -> None:
    async with started(LARGE) as driver:
        screen = await go(driver)
        await driver.until(lambda: screen.rules.total > 10, "the rules")
        await driver.press("right")
        names = [rule["rule"] for rule in screen.rules.known_rows()]
        await driver.press(*["down"] * names.index("few-ratings-users"), "space", "right_square_bracket")
        await driver.see("enter apply")
        await driver.see("standard +few-ratings-users:30")
        await driver.press("enter")
        await driver.wait_for_notice("Cleaned demo (standard +few-ratings-users:30)")
        assert driver.app.session.store.choice("cleaning:demo") == "standard +few-ratings-users:30"
        await driver.see("[x] users, under 30 ratings")
        assert "*" not in "".join(line for line in lines(driver.app) if "[x]" in line)
        rule = screen.rules.known_rows()[names.index("few-ratings-users")]
        assert rule["on"]
        assert rule["removed"] > 0


async def test_a_stopped_removal_is_reported(ready: Path) -> None:
    async with started(LARGE, job=Job) as driver:
        screen = await go(driver)
        await driver.until(lambda: screen.rules.display, "the rules")
        await driver.press("x")
        await driver.see("Remove demo?")
        await driver.press("y", "c")
        await driver.until(lambda: driver.app.jobs.progress is None, "the end")
        await driver.until(
            lambda: "Stopped" in driver.app.notice.plain or "is removed" in driver.app.notice.plain, "the notice"
        )
        assert driver.app.is_running


async def test_a_dataset_that_was_never_cleaned_is_previewed_and_cleaned(ready: Path, tmp_path: Path) -> None:
    catalogue.get("raw-films", write_zip(tmp_path / "films.zip", contents()))
    async with started(LARGE) as driver:
        screen = await go(driver)
        screen.datasets.cursor = next(
            index
            for index, row in enumerate(screen.datasets.known_rows())
            if not isinstance(row, OpenPath) and row["name"] == "raw-films"
        )
        await driver.see("raw-films · standard")
        await driver.see("enter apply")
        await driver.press("right", "enter")
        await driver.wait_for_notice("Cleaned raw-films (standard)")
        await driver.see("ratings by stars")


async def test_removing_needs_a_confirmation(ready: Path) -> None:
    async with started(LARGE) as driver:
        screen = await go(driver)
        await driver.until(lambda: screen.rules.display, "the rules")
        await driver.press("x")
        await driver.see("Remove demo?")
        await driver.press("escape")
        assert "demo" in cache.names()
        await driver.press("x")
        await driver.see("Remove demo?")
        await driver.press("y")
        await driver.wait_for_notice("Removed demo")
        assert "demo" not in cache.names()
        await driver.press("home", "x")
        await driver.wait_for_notice("This dataset is not on disk.")


@SIZES
async def test_an_ambiguous_imdb_match_is_decided(store: Store, size: tuple[int, int]) -> None:
    with_run(store)
    engine = FakeEngine()
    async with started(size, engine=engine) as driver:
        await rules_of_demo(driver)
        await driver.press("i")
        await driver.see("Join demo with IMDb")
        await driver.see("Used with permission")
        await driver.press("escape")
        engine.joined = joined()
        await driver.press("i")
        await driver.see("matched 238 (238 by title) · ambiguous 1 · not on IMDb 1")
        await driver.see("The [b]Odd[/b] 2  1992 · movie · Somebody · 10 votes")
        await driver.press("9", "2")
        await driver.see("ambiguous 0")
        assert engine.asked[-1] == ("choose_imdb_title", {"dataset": "demo", "movie": "1", "title": "tt0000002"})
        await driver.see("✓ Odd, The (1991)")
        await driver.press("u")
        await driver.see("ambiguous 1")
        await driver.press("0")
        await driver.see("ambiguous 0")
        assert engine.asked[-1][1]["title"] is None
        await driver.press("down")
        await driver.see("no title with that name")
        await driver.press("r")
        await driver.see("Join demo with IMDb")


@SIZES
async def test_a_dataset_that_is_not_on_disk_offers_its_download(store: Store, size: tuple[int, int]) -> None:
    with_run(store)
    async with started(size, engine=FakeEngine()) as driver:
        screen = await go(driver)
        await driver.press("home")
        await driver.until(lambda: not screen.rules.display, "no rules")
        await driver.see("1922–1998 · 240 movies")
        await driver.see("enter downloads it: 4.9 MB")
        await driver.see("The first list takes about 20")
        await driver.press("space", "right", "p", "i")
        await driver.wait_for_notice("Press enter to get the dataset first")
        await driver.press("end")
        await driver.see("Choose a MovieLens zip")
        await driver.press("c")
        await driver.wait_for_notice("Nothing is running.")


async def test_a_failed_fetch_says_how_to_get_the_dataset(ready: Path) -> None:
    async with started() as driver:
        await go(driver)
        await driver.press("home", "enter")
        await driver.wait_for_notice("movietui data get ml-100k --from PATH")
        assert driver.app.notice.plain.startswith("! ")
        await driver.press("b")
        await driver.rate("4")


async def test_a_zip_can_be_opened_and_used(ready: Path, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "My Films 2.zip", contents())
    async with started(LARGE) as driver:
        screen = await go(driver)
        await open_path(driver, path)
        await driver.wait_for_notice("my-films-2: 240 ratings.")
        await driver.until(lambda: screen.datasets.total == len(SOURCES) + 2, "the new dataset")
        await driver.see("my-films-2")
        await driver.until(lambda: screen.rules.total > 3, "its report")
        await driver.press("enter")
        await driver.until(
            lambda: driver.app.session.opened and driver.app.session.opened["dataset"] == "my-films-2", "it is open", 40
        )
        await driver.wait_for_list()
        assert "my-films-2 · 30 movies" in lines(driver.app)[0]
        await driver.rate("5")


async def test_files_that_are_not_a_dataset_are_refused(ready: Path, tmp_path: Path) -> None:
    whole = write_zip(tmp_path / "whole.zip", contents()).read_bytes()
    write_folder(tmp_path / "folder", {"x.txt": b"x"})
    (tmp_path / "page.zip").write_bytes(b"<!DOCTYPE html><html></html>")
    (tmp_path / "cut.zip").write_bytes(whole[:-900])
    (tmp_path / "README.md").write_bytes(b"# Words\n")
    async with started() as driver:
        screen = await go(driver)
        before = screen.datasets.total
        for name, expected in (
            ("page.zip", "web page"),
            ("cut.zip", "damaged or incomplete"),
            ("README.md", "README.md"),
            ("folder", "names no user and item"),
        ):
            await open_path(driver, tmp_path / name)
            await driver.wait_for_notice(expected)
            assert driver.app.notice.plain.startswith("! ")
            await driver.until(lambda: driver.app.jobs.progress is None, "the end")
        assert screen.datasets.total == before
        assert [path.name for path in locations.datasets().iterdir()] == ["demo"]


async def test_a_path_that_does_not_exist_is_reported(store: Store) -> None:
    with_run(store)
    async with started(engine=FakeEngine()) as driver:
        screen = await go(driver)
        wrong = {"/nowhere/at/[b]all[/b].zip": "/nowhere/at/[b]all[/b].zip does not exist", "": "", "   ": ""}
        for path, expected in wrong.items():
            await open_path(driver, path)
            await driver.until(lambda: cast(Static, driver.app.screen.query_one("#wrong")).content, "a sentence")
            await driver.see(expected)
            await driver.press("escape")
            assert driver.app.screen is screen
        await open_path(driver, "a\0b")
        await driver.pilot.pause(0.1)
        assert driver.app.is_running


async def test_keys_do_no_harm_while_there_is_no_dataset(store: Store) -> None:
    """Many keys are pressed after the first start was stopped before it had fetched anything."""

    def pending() -> FakeJob:
        job = FakeJob(store)  # without a network, a real job may fail before the key is pressed
        job.begins = False
        return job

    async with started(wait=False, job=pending) as driver:
        await driver.until(lambda: driver.app.jobs.progress is not None, "the job")
        await driver.press("c")
        await driver.see("Stopped.")
        assert driver.app.jobs.progress is None
        await driver.press("b")
        await driver.pilot.pause(0.1)
        await driver.press("5", "u", "r", "p", "n", "enter", "minus", "tab", "left", "enter", "p", "escape")
        await driver.pilot.pause(0.1)
        assert driver.app.is_running
        await driver.press("d", "t", "b")
        assert driver.app.is_running
