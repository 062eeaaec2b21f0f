"""Clicks on hints, on the title line and beside a panel do what keys do."""

import doctest

import pytest

from movietui.store.ratings import Store
from movietui.ui import hints
from movietui.ui.hints import MOST, Hints
from tests.movietui.driving import LARGE, SIZES, SMALL, Driver, position, shown, started
from tests.movietui.fakes import FakeEngine, with_run


async def click(driver: Driver, text: str, offset: int = 0) -> None:
    x, y = position(driver.app, text)
    await driver.pilot.click(offset=(x + offset, y))


@SIZES
async def test_a_hint_in_the_status_line_can_be_clicked(faked: FakeEngine, size: tuple[int, int]) -> None:
    async with started(size, engine=faked) as driver:
        title = await driver.rate("5")
        await click(driver, "u undo", 3)
        await driver.wait_for_notice(f"undid {title}")
        await click(driver, "r redo")
        await driver.wait_for_notice(f"redid {title}")


async def test_a_hint_on_a_border_can_be_clicked(faked: FakeEngine) -> None:
    async with started(LARGE, engine=faked) as driver:
        await driver.press("left")
        await click(driver, "/ search", 4)
        await driver.until(lambda: driver.browse.viewers_pane.searching, "the field")
        await driver.press("escape", "right", "enter")
        await driver.see("esc back")
        await click(driver, "esc back", 5)
        await driver.until(lambda: driver.app.screen is driver.browse, "the end of the panel")


async def test_each_key_of_a_hint_can_be_clicked(faked: FakeEngine) -> None:
    async with started(LARGE, engine=faked) as driver:
        await driver.pair_with_next()
        await driver.see("- = move the dial")
        misery = driver.app.session.audience.misery
        await click(driver, "- = move the dial", 2)
        await driver.until(lambda: driver.app.session.audience.misery > misery, "the dial")
        await click(driver, "- = move the dial")
        await driver.until(lambda: driver.app.session.audience.misery == misery, "the dial")


async def test_clicking_words_that_only_look_like_a_hint_does_nothing(faked: FakeEngine, store: Store) -> None:
    faked.titles[4] = "A menu undone"
    async with started(LARGE, engine=faked) as driver:
        title = await driver.rate("5")
        await driver.see("movies moved")
        await click(driver, "movies moved")
        await click(driver, f"rated {title}", len("rated A menu un"))
        await driver.pilot.pause(0.1)
        assert driver.app.notice.plain.startswith(f"rated {title}")


@pytest.mark.parametrize(
    ("line", "cell", "key"),
    [
        ("· u undo ", 2, "u"),
        ("· u undo ", 7, "u"),
        ("· u undo ", 1, ""),
        ("· u undo ", 8, ""),
        ("menu undo", 4, ""),
        ("u undone", 0, ""),
        ("menu undo · u undo", 12, "u"),
        ("漢字 u undo", 4, ""),
        ("漢字 u undo", 5, "u"),
        ("u undo", 99, ""),
        ("", 0, ""),
        ("↑ ↓ others", 0, "up"),
        ("↑ ↓ others", 2, "down"),
        ("↑ ↓ others", 6, "up"),
    ],
)
def test_the_key_of_a_hint_is_found_by_its_cell(line: str, cell: int, key: str) -> None:
    shown_hints = Hints()
    shown_hints.add("u undo", (("u", "u"),))
    shown_hints.add("↑ ↓ others", (("↑", "up"), ("↓", "down")))
    assert shown_hints.key_at(line, cell) == key


def test_old_hints_are_forgotten() -> None:
    shown_hints = Hints()
    for number in range(MOST + 2):
        shown_hints.add(f"f +word{number}", (("f", "f"),))
    assert shown_hints.key_at("f +word0", 0) == shown_hints.key_at("f +word1", 0) == ""
    assert shown_hints.key_at("f +word2", 0) == "f"
    assert doctest.testmod(hints).failed == 0


async def test_clicking_the_filter_above_the_list_edits_it(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        await driver.press("e")
        await driver.see("f +even")
        await click(driver, "f +even", 3)
        await driver.until(lambda: driver.browse.filter_line.typing, "the field")


async def test_the_parts_of_the_title_line_can_be_clicked(faked: FakeEngine) -> None:
    async with started(LARGE, engine=faked) as driver:
        await click(driver, "demo · 240")
        await driver.see("Datasets")
        await click(driver, "user 1")
        await driver.until(lambda: driver.app.screen is driver.browse and driver.viewers.has_focus, "the viewers")
        await driver.press("right")
        await click(driver, "RMSE")
        await driver.until(lambda: driver.app.screen is not driver.browse, "the models")
        await driver.press("escape", "t")
        await driver.see("Models")
        await driver.press("b")
        await driver.pair_with_next()
        await click(driver, "B user 2")
        await driver.until(lambda: driver.app.session.audience.rating_as == 1, "B")
        await driver.wait_for_notice("The next rating is for B: user 2")
        await click(driver, "A user 1")
        await driver.wait_for_notice("The next rating is for A: user 1")
        assert driver.movies.has_focus


@SIZES
async def test_a_click_beside_a_panel_closes_it(faked: FakeEngine, size: tuple[int, int]) -> None:
    async with started(size, engine=faked) as driver:
        for key in ("enter", "question_mark", "slash", "n", "T", "M", "h", "m"):
            await driver.press(key)
            await driver.until(lambda: driver.app.screen is not driver.browse, key)
            await driver.see("─╮")
            inside = driver.widget(".panel").region
            await driver.pilot.click(offset=(inside.x + 1, inside.y))
            await driver.pilot.pause(0.1)
            assert driver.app.screen is not driver.browse, key
            await driver.pilot.click(offset=(0, size[1] - 1))
            await driver.until(lambda: driver.app.screen is driver.browse, f"the end of the panel of {key}")


async def test_a_click_beside_a_question_means_no(store: Store) -> None:
    with_run(store)
    async with started(SMALL, engine=FakeEngine()) as driver:
        await driver.press("t")
        await driver.see("Models")
        await driver.press("right", "D")
        await driver.see("y delete")
        await driver.pilot.click(offset=(0, 23))
        await driver.until(lambda: "y delete" not in shown(driver.app), "the end of the question")
        assert len(store.runs()) == 3


async def test_escape_clears_the_filter_first(faked: FakeEngine) -> None:
    async with started(LARGE, engine=faked) as driver:
        await driver.pair_with_next()
        await driver.press("e")
        await driver.wait_for_notice("match +even")
        await driver.press("escape")
        await driver.wait_for_notice("Cleared the filter +even")
        assert driver.app.session.view.filter_text == ""
        assert driver.app.session.audience.together
        assert driver.movies.total == 240
        await driver.press("e", "left", "escape")
        assert driver.app.session.view.filter_text == "+even"
        assert driver.movies.has_focus
        await driver.press("escape", "escape")
        await driver.until(lambda: not driver.movies.together, "one viewer")
