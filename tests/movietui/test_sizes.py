"""The app works in a terminal of any size, whatever is open and however the size changes."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from rich.console import Console
from rich.text import Text
from textual.events import Resize
from textual.geometry import Region, Size
from textual.widgets import Input

from movietui.formatting import text
from movietui.store.ratings import Store
from movietui.ui.screens import Palette
from movietui.ui.train.screen import TrainScreen
from tests.movietui.driving import LARGE, SMALL, started
from tests.movietui.fakes import FakeEngine, joined, with_run
from tests.movietui.resizing import PLACES, go_over_sizes, go_to, pictured, resize
from tests.movietui.terminal import Terminal
from tests.movietui.training import go


@pytest.mark.parametrize("name", PLACES)
async def test_every_screen_and_panel_survives_every_size(store: Store, name: str) -> None:
    with_run(store)
    engine = FakeEngine()
    engine.joined = joined()
    async with started(SMALL, engine=engine) as driver:
        await go_to(driver, name)
        await go_over_sizes(driver, Random(name), 2)


@pytest.fixture
def terminal(ready: Path) -> Iterator[Terminal]:
    opened = Terminal()
    yield opened
    opened.kill()


def test_the_list_survives_a_window_that_gets_shorter_and_taller(terminal: Terminal) -> None:
    terminal.wait_for_movies(10)
    for rows in (14, 30, 22, 16, 5, 1, 40, 17):
        terminal.resize(100, rows)
        if rows >= 16:
            terminal.wait_until(lambda: "Rate  u Undo" in terminal.lines[-1], "the keys are not in the last line")
            terminal.wait_for_movies(6)
    terminal.resize(20, 3)
    terminal.wait_for("needs a")
    terminal.resize(100, 30)
    terminal.wait_for_movies(10)
    terminal.send("q")
    assert terminal.end() == 0


@pytest.mark.parametrize("size", itertools.product([1, 2, 59], [1, 3, 15]), ids=str)
async def test_the_app_starts_in_a_window_that_is_too_small(store: Store, size: tuple[int, int]) -> None:
    with_run(store)
    async with started(size, engine=FakeEngine(), wait=False) as driver:
        await driver.until(lambda: driver.movies.total, "the list")
        with pictured(driver) as picture:
            picture.emulated = True
            await driver.press("down", "enter", "escape", "t", "d", "b")
            resize(driver, picture, *SMALL)
            await driver.see("★")
            await driver.until(picture.is_right, "the picture")


async def test_a_search_that_ends_in_a_window_that_is_too_small_leaves_no_hidden_focus(store: Store) -> None:
    with_run(store)
    async with started(SMALL, engine=FakeEngine()) as driver:
        await driver.press("left", "slash")
        field = driver.browse.focused
        assert isinstance(field, Input)
        with pictured(driver) as picture:
            resize(driver, picture, 20, 5)
            await driver.until(lambda: driver.browse.focused is None, "no focus")
            field.display = False  # as when the search ends meanwhile
            resize(driver, picture, *SMALL)
            await driver.until(lambda: driver.browse.focused is driver.movies, "the focus on the list")
        await driver.press("d")
        await driver.see("Datasets")


async def test_a_window_that_was_too_small_gives_the_focus_back(store: Store) -> None:
    with_run(store)
    async with started(SMALL, engine=FakeEngine()) as driver:
        await driver.press("left")
        before = driver.browse.focused
        with pictured(driver) as picture:
            resize(driver, picture, 20, 5)
            await driver.until(lambda: driver.browse.focused is None, "no focus")
            resize(driver, picture, *SMALL)
            await driver.until(lambda: driver.browse.focused is before, "the focus as before")


async def test_regions_outside_the_screen_are_not_drawn(store: Store) -> None:
    with_run(store)
    async with started(SMALL, engine=FakeEngine()) as driver:
        with pictured(driver) as picture:
            screen: TrainScreen = await go(driver)
            stale = {Region(0, 20, 80, 8), Region(2, 30, 5, 1), Region(90, 0, 4, 2), Region(0, 2, 30, 1)}
            for regions in ({region} for region in stale):
                screen._compositor._dirty_regions |= regions
                screen._compositor_refresh()
            screen._compositor._dirty_regions |= stale
            screen._compositor_refresh()
            picture.emulated = True
            screen.refresh()
            await driver.until(picture.is_right, "the picture")


async def test_changes_during_a_batch_of_updates_are_drawn_after_it(store: Store) -> None:
    with_run(store)
    async with started(SMALL, engine=FakeEngine()) as driver:
        with pictured(driver) as picture:
            picture.emulated = True
            with driver.app.batch_update():
                resize(driver, picture, 100, 20)
                await driver.until(lambda: driver.app.screen.outer_size == (100, 20), "the new size")
            await driver.until(picture.is_right, "the picture")


@pytest.mark.parametrize("width", [-3, 0, 1, 2])
def test_text_is_fitted_to_the_width(width: int) -> None:
    for words in ("", "a", "Alien", "漢字"):
        assert text.fitted(words, width).cell_len == max(0, width)
        assert len(text.fitted(Text(words), width, right=True).wrap(Console(), 9)) <= 1


@pytest.mark.parametrize("keys", [(), ("question_mark",), ("ctrl+p",)], ids=["screen", "panel", "palette"])
async def test_a_size_that_is_out_of_date_is_ignored(store: Store, keys: tuple[str, ...]) -> None:
    """Textual reports a screen's size again after a layout, when the window may already have another size."""
    with_run(store)
    async with started(SMALL, engine=FakeEngine()) as driver:
        await driver.press(*keys)
        screen = driver.app.screen
        with pictured(driver) as picture:
            picture.emulated = True
            for late in ((100, 30), (40, 10)):
                screen.post_message(Resize(Size(*late), Size(*late)))
                await driver.pilot.pause()
                assert screen.outer_size == driver.app.size == SMALL
            now, before = Size(100, 20), Size(*SMALL)
            resize(driver, picture, *now)
            driver.app._size = now
            for each in (now, before):  # if several messages wait, Textual takes the last
                screen.post_message(Resize(each, each))
            await driver.until(lambda: screen.outer_size == now, "the new size")
            screen.refresh()
            await driver.until(picture.is_right, "the picture")


async def test_a_palette_without_room_survives_page_keys(store: Store) -> None:
    with_run(store)
    async with started((30, 2), engine=FakeEngine(), wait=False) as driver:
        await driver.until(lambda: driver.movies.total, "the list")
        await driver.press("ctrl+p", "pagedown", "pageup", "down", "end", "escape")
        assert driver.app.is_running


async def test_the_palette_survives_every_width(store: Store) -> None:
    with_run(store)
    async with started(LARGE, engine=FakeEngine()) as driver:
        await driver.press("ctrl+p")
        await driver.until(lambda: isinstance(driver.app.screen, Palette), "the palette")
        with pictured(driver) as picture:
            for width in (8, 7, 6, 5, 4, 3, 2, 1, 140):
                resize(driver, picture, width, 34)
                await driver.press("down")
        await driver.press("escape")
        await driver.until(lambda: driver.app.screen is driver.browse, "the list")
