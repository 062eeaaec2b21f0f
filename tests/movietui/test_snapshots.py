"""The look of the screens. ``make snapshots`` draws new snapshots; check each one before you commit it."""

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from movietui.store.ratings import Store
from movietui.ui.app import FIRST_START, UNFINISHED
from movietui.ui.theme import THEMES
from movietui.ui.train.curve import Curve
from tests.movietui.driving import LARGE, SMALL, Driver, new_app
from tests.movietui.fakes import FakeEngine, with_run

DARK, LIGHT = (theme.name for theme in THEMES)
PICTURES = {
    "browse": ((), SMALL, DARK),
    "browse-light": ((), SMALL, LIGHT),
    "browse-wide": ((), LARGE, DARK),
    "browse-wide-light": ((), LARGE, LIGHT),
    "browse-rated": (("down", "down", "1"), LARGE, DARK),
    "browse-pair": (("left", "down", "down", "p"), SMALL, DARK),
    "browse-pair-wide": (("left", "down", "down", "p"), LARGE, DARK),
    "browse-why": (("enter",), SMALL, DARK),
    "browse-keys": (("question_mark",), LARGE, DARK),
    "browse-help-search": (("question_mark", *"pair"), SMALL, DARK),
    "data": (("d", "right", "down"), SMALL, DARK),
    "data-wide": (("d", "right", "down"), LARGE, LIGHT),
    "train": (("t",), SMALL, DARK),
    "train-wide": (("t",), LARGE, DARK),
}


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "140x40"])
def test_the_first_question_looks(size: tuple[int, int], store: Store, snap_compare: Callable[..., bool]) -> None:
    with_run(store)
    store.choose(FIRST_START, UNFINISHED)
    store.create_profile("anna")
    app = new_app(FakeEngine(), DARK)

    async def before(pilot: Pilot[Any]) -> None:
        await Driver(app, pilot).see("Who is watching?")
        await pilot.pause(0.3)

    assert snap_compare(app, terminal_size=size, run_before=before)


@pytest.mark.parametrize("picture", PICTURES)
def test_looks(picture: str, store: Store, snap_compare: Callable[..., bool]) -> None:
    keys, size, theme = PICTURES[picture]
    with_run(store)
    app = new_app(FakeEngine(), theme)

    async def before(pilot: Pilot[Any]) -> None:
        driver = Driver(app, pilot)
        await driver.wait_for_list()
        for key in keys:
            await driver.press(key)
            await pilot.pause(0.15)
        await driver.until(lambda: not any(curve.busy for curve in app.screen.query(Curve)), "the curve")
        for field in app.screen.query(Input):
            field.cursor_blink = False
        await pilot.pause(0.3)

    assert snap_compare(app, terminal_size=size, run_before=before)
