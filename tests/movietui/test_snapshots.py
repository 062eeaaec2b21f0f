"""What the screens look like. ``make snapshots`` draws them anew; look at every one before keeping it."""

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from movietui.store import Store
from movietui.widgets.curve import Curve
from tests.movietui.driving import LARGE, SMALL, Driver, new_app
from tests.movietui.fakes import FakeEngine, with_run

DARK, LIGHT = "textual-dark", "textual-light"
SCENES = {
    "browse": ((), SMALL, DARK),
    "browse-light": ((), SMALL, LIGHT),
    "browse-wide": ((), LARGE, DARK),
    "browse-wide-light": ((), LARGE, LIGHT),
    "browse-rated": (("down", "down", "1"), LARGE, DARK),
    "browse-pair": (("left", "down", "down", "p"), SMALL, DARK),
    "browse-pair-wide": (("left", "down", "down", "p"), LARGE, DARK),
    "browse-why": (("enter",), SMALL, DARK),
    "browse-keys": (("question_mark",), LARGE, DARK),
    "data": (("d", "right", "down"), SMALL, DARK),
    "data-wide": (("d", "right", "down"), LARGE, LIGHT),
    "train": (("t",), SMALL, DARK),
    "train-wide": (("t",), LARGE, DARK),
}


@pytest.mark.parametrize("scene", SCENES)
def test_looks(scene: str, store: Store, snap_compare: Callable[..., bool]) -> None:
    keys, size, theme = SCENES[scene]
    with_run(store)
    app = new_app(FakeEngine(), theme)

    async def before(pilot: Pilot[Any]) -> None:
        driver = Driver(app, pilot)
        await driver.stands()
        for key in keys:
            await driver.press(key)
            await pilot.pause(0.15)
        await driver.until(lambda: not any(curve.drawing for curve in app.screen.query(Curve)), "the curve")
        await pilot.pause(0.3)

    assert snap_compare(app, terminal_size=size, run_before=before)
