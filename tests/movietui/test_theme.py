"""The app's own themes: which theme the app starts with, and the contrast of what it draws."""

from dataclasses import replace

import pytest
from textual.color import Color
from textual.theme import Theme

from movietui.store.ratings import Store
from movietui.ui.theme import DARK, LIGHT, THEMES
from movietui.ui.train.curve import Curve
from tests.contrast import GRAPHICS, TEXT, Low, contrast, low_contrast, show_in
from tests.movietui.driving import started
from tests.movietui.fakes import FakeEngine, with_run


async def test_the_app_starts_with_its_own_theme(store: Store) -> None:
    with_run(store)
    async with started(engine=FakeEngine()) as driver:
        assert driver.app.theme == DARK.name
    assert store.choice("theme") == ""  # nobody has chosen


async def test_a_chosen_theme_stays(store: Store) -> None:
    with_run(store)
    store.choose("theme", "nord")
    async with started(engine=FakeEngine()) as driver:
        assert driver.app.theme == "nord"


VISITED = ("enter", "escape", "h", "escape", "question_mark", "escape", "ctrl+p", "escape", "slash", "escape")
VISITED += ("f", "plus", "escape", "T", "escape", "d", "t", "e")
"""Keys that lead from screen to screen."""


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
async def test_everything_has_enough_contrast(theme: str, store: Store) -> None:
    with_run(store)
    lows: set[Low] = set()
    async with started(engine=FakeEngine(), theme=theme) as driver:
        for key in VISITED:
            lows |= {*low_contrast(driver.app)}
            await driver.press(key)
            await driver.until(lambda: not any(curve.busy for curve in driver.app.screen.query(Curve)), "the curve")
        lows |= {*low_contrast(driver.app)}
    assert not lows, "\n".join(map(str, lows))


async def test_an_open_panel_follows_the_theme(store: Store) -> None:
    with_run(store)
    async with started(engine=FakeEngine(), theme=DARK.name) as driver:
        await driver.press("enter")
        await driver.see("because you liked")
        await show_in(driver, LIGHT.name)
        assert not low_contrast(driver.app)


async def test_a_faint_theme_has_too_little_contrast(store: Store) -> None:
    with_run(store)
    async with started(engine=FakeEngine()) as driver:
        driver.app.register_theme(replace(DARK, name="faint", foreground="#505050"))
        await show_in(driver, "faint")
        assert {low.needs for low in low_contrast(driver.app)} == {TEXT}
        assert all(low.theme == "faint" for low in low_contrast(driver.app))


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_the_cursor_stands_out(theme: Theme) -> None:
    cursor = Color.parse(theme.variables["block-cursor-background"]).rgb
    assert contrast(cursor, Color.parse(theme.background or "").rgb) >= GRAPHICS
