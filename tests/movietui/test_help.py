"""The help shows the legend, then the keys of the pane with the focus, then all others, and can be searched."""

import re

import pytest

from movietui.store.ratings import Store
from movietui.ui import keymap, wording
from movietui.ui.help import EVERYWHERE, GROUPS, LEGEND, HelpPanel, sections_of
from movietui.ui.widgets.text_pane import TextPane
from tests.movietui.driving import LARGE, SIZES, Driver, lines, shown, started
from tests.movietui.fakes import FakeEngine, with_run


async def open_help(driver: Driver, screen: str) -> None:
    await driver.press("question_mark")
    await driver.see(f"Keys · {screen}")
    await driver.until(lambda: driver.app.screen.query_one("#help", TextPane).virtual_size.height, "the help")


def titles(driver: Driver) -> list[str]:
    """Return the headings of the help of the open screen, in order."""
    return [section.title for section in sections_of(driver.app.screen)]  # type: ignore[arg-type]


@SIZES
async def test_the_first_page_explains_every_figure(faked: FakeEngine, size: tuple[int, int]) -> None:
    async with started(size, engine=faked) as driver:
        await open_help(driver, "Browse")
        page = " ".join(re.sub(r"[│▁-█]", " ", shown(driver.app)).split())
        assert LEGEND in page
        for term in wording.LEGEND.values():
            assert f"{term.sign} {term.meaning}" in page
        for name in ("predicted", "±", "n", "▲▼", "◆", "●", "in common", "RMSE"):
            assert name in wording.LEGEND


def test_groups_name_each_key_at_most_once_and_only_keys_that_exist() -> None:
    named = [name for group in GROUPS for name in group.actions]
    assert len(named) == len(set(named))
    assert set(named) <= {action.id for action in keymap.list_actions()}


async def test_every_key_of_every_screen_is_named_once(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        for key, screen in (("b", "Browse"), ("d", "Data"), ("t", "Train")):
            await driver.press(key)
            await driver.until(lambda name=screen: driver.app.screen.help_title == name, screen)
            ids = {
                active.binding.id
                for active in driver.app.screen.active_bindings.values()
                if active.binding.tooltip and active.binding.id
            }
            assert ids
            sections = sections_of(driver.app.screen)  # type: ignore[arg-type]
            assert EVERYWHERE in titles(driver)
            entries = [entry for section in sections for entry in section.entries]
            assert len(entries) == len(set(entries))
            meanings = [entry.meaning for entry in entries]
            for active in driver.app.screen.active_bindings.values():
                if active.binding.tooltip and active.binding.id:
                    assert meanings.count(active.binding.tooltip) == 1
            assert not any(word in meaning.casefold() for meaning in meanings for word in ("film", "told", "place"))


async def test_the_pane_with_the_focus_comes_first(faked: FakeEngine) -> None:
    async with started(LARGE, engine=faked) as driver:
        assert titles(driver)[:2] == [LEGEND, "Rate and remember movies"]
        await driver.press("left")
        assert titles(driver)[:2] == [LEGEND, "Choose who is watching"]
        await open_help(driver, "Browse")
        await driver.see("Choose who is watching  you are here")
        await driver.see("Go to the viewers")
        await driver.press("escape", "d", "right")
        await driver.see("rule")
        assert titles(driver)[1] == "Clean a dataset"
        await driver.press("t")
        await driver.until(lambda: driver.app.screen.query("#runs"), "the screen")
        await driver.press("right")
        assert titles(driver)[1] == "Compare and use runs"


async def test_typing_searches_the_help(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        await open_help(driver, "Browse")
        await driver.type("whoever less")
        await driver.see("Pair: favour whoever would like it less")
        assert "Redo" not in shown(driver.app)
        assert LEGEND not in shown(driver.app)
        await driver.press("ctrl+u")
        await driver.type("w")
        await driver.see("The key w")
        drawn = [line for line in lines(driver.app) if "Add to the watchlist" in line]
        assert len(drawn) == 1
        await driver.press("ctrl+u")
        await driver.type("rmse")
        await driver.see(wording.LEGEND["RMSE"].meaning)
        await driver.type("zzz")
        await driver.see("Nothing matches; try another word.")
        await driver.type("[b]")
        await driver.see("Nothing matches")
        await driver.press("question_mark")
        await driver.until(lambda: driver.app.screen is driver.browse, "the list")


@pytest.mark.parametrize("key", ["escape", "enter", "f1", "question_mark"])
async def test_keys_close_the_help(faked: FakeEngine, key: str) -> None:
    async with started(engine=faked) as driver:
        await open_help(driver, "Browse")
        await driver.press(key)
        assert driver.app.screen is driver.browse


async def test_the_help_scrolls_to_its_end_and_fits_the_window(store: Store) -> None:
    with_run(store)
    async with started((60, 16), engine=FakeEngine()) as driver:
        await open_help(driver, "Browse")
        for _ in range(40):
            await driver.press("pagedown")
        await driver.see("Quit (everything is already saved)")
        assert all(len(line.rstrip()) <= 60 for line in lines(driver.app))
        await driver.pilot.resize_terminal(*LARGE)
        await driver.see(LEGEND)
        await driver.press("pagedown", "pagedown", "pagedown")
        await driver.see("Quit (everything is already saved)")
        assert isinstance(driver.app.screen, HelpPanel)
