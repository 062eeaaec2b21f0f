"""What is drawn again, and what is not: each drawing takes from what trains, and a long one is felt as a stall."""

import asyncio
import gc
from typing import Any

import pytest
from textual.geometry import Region
from textual.strip import Strip

from movietui.runs import Runs
from movietui.screens.frame import FrameScreen, apart, entitle
from movietui.screens.train import TrainScreen
from movietui.store import Store
from movietui.widgets.curve import Curve, Drawn
from movietui.widgets.run_table import RunTable
from tests.movietui.driving import LARGE, Driver, started
from tests.movietui.fakes import FakeEngine, with_run
from tests.movietui.training import go


async def train_screen(driver: Driver) -> TrainScreen:
    screen = await go(driver)
    await still(driver)
    return screen


async def still(driver: Driver) -> None:
    """Wait until every picture is made."""
    await driver.until(lambda: not any(curve.drawing for curve in driver.app.screen.query(Curve)), "the curve")


def test_changes_that_lie_apart_are_drawn_one_by_one() -> None:
    line, curve, status = Region(20, 2, 50, 1), Region(20, 3, 50, 20), Region(0, 38, 140, 1)
    assert apart([status, curve, line]) == [Region(20, 2, 50, 21), status]
    assert apart([line, Region(22, 2, 4, 1)]) == [line]
    assert apart([]) == []


def drawings(screen: TrainScreen, monkeypatch: pytest.MonkeyPatch) -> list[Region]:
    """Return where the screen is drawn from now on, as it goes on."""
    drawn: list[Region] = []
    render = screen._compositor._render_chops
    monkeypatch.setattr(
        screen._compositor, "_render_chops", lambda crop, lines: drawn.append(crop) or render(crop, lines)
    )
    return drawn


async def test_between_a_curve_and_the_status_line_nothing_is_drawn(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_run(store)
    async with started(LARGE, engine=FakeEngine()) as driver:
        screen = await train_screen(driver)
        curve, status = screen.query_one(Curve), driver.widget("#status-line")
        drawn = drawings(screen, monkeypatch)
        curve.refresh()
        driver.app.say("Something else.")
        await driver.until(lambda: len(drawn) > 1, "both")
        assert drawn == [curve.region, status.region]


async def test_what_came_meanwhile_has_its_turn_between_two_drawings(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_run(store)
    async with started(LARGE, engine=FakeEngine()) as driver:
        screen = await train_screen(driver)
        turns: list[str] = []
        display, pane, drawn = driver.app._display, screen.query_one("#epochs-pane"), drawings(screen, monkeypatch)

        def meanwhile() -> None:
            turns.append("another")
            if len(turns) == 2:
                pane._set_dirty()
                screen._dirty_widgets.add(pane)

        def note(*update: Any) -> None:
            display(*update)
            turns.append("drawn")
            asyncio.get_running_loop().call_soon(meanwhile)

        monkeypatch.setattr(driver.app, "_display", note)
        screen.query_one(Curve).refresh()
        driver.app.say("Something else.")
        await driver.until(lambda: turns.count("another") > 2, "all three")
        assert turns == ["drawn", "another"] * 3
        assert pane.region in drawn


async def test_what_says_the_same_is_not_drawn_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with_run(store)
    async with started(LARGE, engine=FakeEngine()) as driver:
        screen = await train_screen(driver)
        pane = screen.query_one("#curve-pane")
        entitle(pane, "run 3", "a [b]legend")
        await driver.see("a [b]legend")
        await driver.pilot.pause(0.1)
        drawn = drawings(screen, monkeypatch)
        entitle(pane, "run 3", "a [b]legend")
        driver.app.refresh_frames()
        await driver.pilot.pause(0.1)
        assert drawn == []
        entitle(pane, "run 2")
        await driver.until(lambda: drawn == [pane.region], "the pane")


async def test_a_screen_catches_up_when_it_is_shown_again(store: Store) -> None:
    with_run(store)
    async with started(LARGE, engine=FakeEngine()) as driver:
        await train_screen(driver)
        await driver.press("b")
        driver.app.say("Said meanwhile.")
        await driver.press("t")
        await driver.see("Said meanwhile.")
        await driver.press("b")
        driver.app.theme = "textual-light"
        await driver.press("t")
        screens = list(driver.app.frames())
        assert len({screen.styles.background.hex for screen in screens}) == 1
        assert len({line.styles.background.hex for screen in screens for line in screen.query("#title-line")}) == 1
        assert driver.app.screen.styles.background.brightness > 0.8
        assert all(isinstance(screen, FrameScreen) for screen in screens)


async def test_a_training_does_not_hurry_its_picture_but_a_person_does(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_run(store)
    async with started(LARGE, engine=FakeEngine()) as driver:
        screen = await train_screen(driver)
        curve = screen.query_one(Curve)
        monkeypatch.setattr(Curve, "RESTS", 1_000_000)
        pictures: list[int] = []
        make = curve._picture

        def note(runs: Any, zoom: int, *others: Any) -> Any:
            pictures.append(len(runs[0].epochs) * zoom)
            return make(runs, zoom, *others)

        monkeypatch.setattr(curve, "_picture", note)
        epochs = [{"epoch": epoch, "train_loss": 1 / epoch, "validation_loss": None} for epoch in (1, 2, 3)]
        curve.draw_curves([Drawn("mf", epochs[:1], None)])
        await driver.until(lambda: pictures == [1], "the first picture")
        curve.draw_curves([Drawn("mf", epochs[:2], None)])
        await driver.pilot.pause(0.1)
        assert pictures == [1]
        curve.draw_curves([Drawn("mf", epochs, None)], 2)
        await driver.until(lambda: pictures == [1, 6], "the one that was asked for")


async def test_of_a_run_that_goes_on_only_its_row_is_drawn(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with_run(store)
    number = store.start_run("mf", "demo", "standard", "u1", 0, {})
    async with started(LARGE, engine=FakeEngine()) as driver:
        await train_screen(driver)
        await driver.see("running")
        rows: list[int] = []
        draw = RunTable.draw
        monkeypatch.setattr(RunTable, "draw", lambda table, row, width: rows.append(row.id) or draw(table, row, width))
        Runs(store).write_progress(number, "running", 1.0, [], {"epoch": 3, "of": 9, "left": 1.0})
        await driver.see("epoch 3/9")
        assert set(rows) == {number}
        store.end_run(number, "done", metrics={"rmse": 0.5})
        await driver.see("0.5000")
        assert set(rows) == {number, 3, 2, 1, 0}


async def test_lines_that_were_scrolled_away_are_freed_at_once(store: Store) -> None:
    with_run(store)
    async with started(LARGE, engine=FakeEngine()) as driver:
        movies = driver.movies

        def after_drawing() -> int:
            movies._styles_cache.clear()
            for strip in movies.render_lines(movies.size.region):
                assert list(strip.divide([strip.cell_length])) == [strip]  # as the lines of a pane are put together
            return sum(issubclass(type(each), Strip) for each in gc.get_objects())

        gc.disable()
        try:
            after_drawing()
            first = after_drawing()
            assert after_drawing() == first
        finally:
            gc.enable()
