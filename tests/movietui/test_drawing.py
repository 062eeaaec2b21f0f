"""Only what has changed is drawn again: drawing takes processor time from training, and long drawing stalls the app."""

import asyncio
import gc
from typing import Any

import pytest
from textual._styles_cache import StylesCache
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from movietui.store.ratings import Store
from movietui.store.runs import Runs
from movietui.ui.frame import FrameScreen
from movietui.ui.textual_internals import merge_regions, set_border
from movietui.ui.train.curve import Curve, CurveLine
from movietui.ui.train.run_table import RunTable
from movietui.ui.train.screen import TrainScreen
from movietui.ui.train.sweep_panel import SweepPanel
from tests.movietui.driving import LARGE, Driver, started
from tests.movietui.fakes import FakeEngine, with_run
from tests.movietui.training import go


async def train_screen(driver: Driver) -> TrainScreen:
    screen = await go(driver)
    await wait_for_curves(driver)
    return screen


async def wait_for_curves(driver: Driver) -> None:
    """Wait until every curve is rendered."""
    await driver.until(lambda: not any(curve.busy for curve in driver.app.screen.query(Curve)), "the curve")


def test_distant_regions_are_not_merged() -> None:
    line, curve, status = Region(20, 2, 50, 1), Region(20, 3, 50, 20), Region(0, 38, 140, 1)
    assert merge_regions([status, curve, line]) == [Region(20, 2, 50, 21), status]
    assert merge_regions([line, Region(22, 2, 4, 1)]) == [line]
    assert merge_regions([]) == []


def drawings(screen: TrainScreen, monkeypatch: pytest.MonkeyPatch) -> list[Region]:
    """Return the regions drawn from now on, in a list that grows."""
    drawn: list[Region] = []
    render = screen._compositor._render_chops
    monkeypatch.setattr(
        screen._compositor, "_render_chops", lambda crop, lines: drawn.append(crop) or render(crop, lines)
    )
    return drawn


async def test_nothing_is_drawn_between_a_curve_and_the_status_line(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_run(store)
    async with started(LARGE, engine=FakeEngine()) as driver:
        screen = await train_screen(driver)
        curve, status = screen.query_one(Curve), driver.widget("#status-line")
        drawn = drawings(screen, monkeypatch)
        curve.refresh()
        driver.app.show_notice("Something else.")
        await driver.until(lambda: len(drawn) > 1, "both")
        assert drawn == [curve.region, status.region]


async def test_a_list_is_written_together_with_the_notice(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with_run(store)
    async with started(LARGE, engine=FakeEngine()) as driver:
        written: list[str] = []
        display, console = driver.app._display, driver.app.console

        def note(screen: Any, update: Any) -> None:
            written.append(update.render_segments(console))
            display(screen, update)

        monkeypatch.setattr(driver.app, "_display", note)
        title = await driver.rate()
        first = next(each for each in written if f"rated {title}" in each)
        assert driver.titles(1)[0] in first


async def test_messages_are_handled_between_two_drawings(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
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
        screen.query_one("#runs-pane").refresh()
        await driver.until(lambda: turns.count("another") > 2, "all three")
        assert turns == ["drawn", "another"] * 3
        assert pane.region in drawn


async def test_an_unchanged_text_is_not_drawn_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with_run(store)
    async with started(LARGE, engine=FakeEngine()) as driver:
        screen = await train_screen(driver)
        pane = screen.query_one("#curve-pane")
        set_border(pane, "run 3", "a [b]legend")
        await driver.see("a [b]legend")
        await driver.pilot.pause(0.1)
        drawn = drawings(screen, monkeypatch)
        set_border(pane, "run 3", "a [b]legend")
        driver.app.refresh_frames()
        await driver.pilot.pause(0.1)
        assert drawn == []
        set_border(pane, "run 2")
        top, *_ = pane.region.split_horizontal(1)
        await driver.until(lambda: drawn == [top], "the line of the title")


async def test_a_screen_catches_up_when_it_is_shown_again(store: Store) -> None:
    with_run(store)
    async with started(LARGE, engine=FakeEngine()) as driver:
        await train_screen(driver)
        await driver.press("b")
        driver.app.show_notice("Said meanwhile.")
        await driver.press("t")
        await driver.see("Said meanwhile.")
        await driver.press("b")
        driver.app.theme = "textual-light"
        await driver.press("t")
        screens = list(driver.app.frame_screens())
        assert all(isinstance(screen, FrameScreen) for screen in screens)
        parts = [*screens, *(line for screen in screens for line in screen.query("#title-line"))]
        await driver.until(lambda: all(part.styles.background.brightness > 0.8 for part in parts), "the light theme")
        assert len({screen.styles.background.hex for screen in screens}) == 1
        assert len({line.styles.background.hex for screen in screens for line in screen.query("#title-line")}) == 1


async def test_a_curve_is_drawn_sooner_for_a_person_than_for_training(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_run(store)
    async with started(LARGE, engine=FakeEngine()) as driver:
        screen = await train_screen(driver)
        curve = screen.query_one(Curve)
        monkeypatch.setattr(Curve, "PAUSE_FACTOR", 1_000_000)
        pictures: list[int] = []
        make = curve._picture

        def note(runs: Any, zoom: int, *others: Any) -> Any:
            pictures.append(len(runs[0].epochs) * zoom)
            return make(runs, zoom, *others)

        monkeypatch.setattr(curve, "_picture", note)
        epochs = [{"epoch": epoch, "train_loss": 1 / epoch, "validation_loss": None} for epoch in (1, 2, 3)]
        curve.draw_curves([CurveLine("mf", epochs[:1], None)])
        await driver.until(lambda: pictures == [1], "the first picture")
        curve.draw_curves([CurveLine("mf", epochs[:2], None)])
        await driver.pilot.pause(0.1)
        assert pictures == [1]
        curve.draw_curves([CurveLine("mf", epochs, None)], 2)
        await driver.until(lambda: pictures == [1, 6], "the picture that the zoom asked for")


async def test_only_the_row_of_a_running_run_is_drawn(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with_run(store)
    number = store.start_run("mf", "demo", "standard", "u1", 0, {})
    async with started(LARGE, engine=FakeEngine()) as driver:
        await train_screen(driver)
        await driver.see("running")
        rows: list[int] = []
        draw = RunTable.draw
        monkeypatch.setattr(RunTable, "draw", lambda table, row, width: rows.append(row.id) or draw(table, row, width))
        Runs(store).write_progress(number, "running", 1.0, [], {"phase": "curve", "epoch": 3, "of": 9, "left": 1.0})
        await driver.see("epoch 3/9")
        assert set(rows) == {number}
        store.end_run(number, "done", metrics={"rmse": 0.5})
        await driver.see("0.5000")
        assert set(rows) == {number, 3, 2, 1, 0}


async def test_lines_scrolled_out_of_view_are_freed_at_once(store: Store) -> None:
    with_run(store)
    async with started(LARGE, engine=FakeEngine()) as driver:
        movies = driver.movies

        def after_drawing() -> int:
            movies._styles_cache.clear()
            for strip in movies.render_lines(movies.size.region):
                # Textual divides the lines of all panes when it puts them together.
                assert list(strip.divide([strip.cell_length])) == [strip]
            return sum(issubclass(type(each), Strip) for each in gc.get_objects())

        gc.disable()
        try:
            after_drawing()
            first = after_drawing()
            assert after_drawing() == first
        finally:
            gc.enable()


async def test_closed_panels_are_freed(store: Store) -> None:
    with_run(store)
    async with started(LARGE, engine=FakeEngine()) as driver:

        def count(*kinds: type) -> int:
            for frame in driver.app.frame_screens():
                frame.forget_removed()
            gc.collect()
            return sum(isinstance(each, kinds) for each in gc.get_objects())

        async def open_and_leave() -> None:
            for key in ("question_mark", "T", "f", "ctrl+p"):
                await driver.press(key, "escape")
            await driver.until(lambda: driver.app.screen is driver.browse, "the list")

        await go(driver)  # panels on this screen listen to the app
        for _ in range(2):
            await driver.press("s")
            await driver.see("Sweep mf")
            await driver.press("escape")
        await driver.press("b")
        await driver.until(lambda: not count(SweepPanel), "the end of the sweep panels")
        await open_and_leave()
        await driver.until(
            lambda: not any(field.display for field in driver.browse.query("Input")), "the end of the filter"
        )
        once = count(Widget, StylesCache)
        for _ in range(4):
            await open_and_leave()
        await driver.until(lambda: count(Widget, StylesCache) <= once, "the end of all panels")


async def test_widgets_added_in_a_batch_are_laid_out_before_drawing(store: Store) -> None:
    """A widget that is drawn before it is laid out never learns its size, and stays empty."""
    with_run(store)
    async with started(engine=FakeEngine()) as driver:
        await driver.press("t")
        for part in ("factors 10 · sweeps 8", "┤", "3 runs"):
            await driver.see(part)
    async with started(LARGE, engine=FakeEngine()) as driver:
        await driver.press("d", "right")
        await driver.see("[i]noted[/i]")
