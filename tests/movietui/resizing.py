"""Screens and panels to show at many sizes, all of which the app must survive and draw right."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any, cast

import pyte
import pytest
from rich.console import RenderableType
from textual._compositor import CompositorUpdate
from textual.drivers.headless_driver import HeadlessDriver
from textual.events import Resize
from textual.geometry import Size
from textual.screen import Screen

from movietui.ui.app import MovieTui
from tests.movietui.driving import Driver, lines
from tests.movietui.terminal import displayed

HARMLESS = ("up", "down", "pageup", "pagedown", "home", "end")
"""Keys that do not close a panel."""


class Picture:
    """An emulated terminal that receives everything that an app draws."""

    def __init__(self, app: MovieTui) -> None:
        self._app = app
        self._screen = pyte.Screen(*app.size)
        self._stream = pyte.Stream(self._screen)
        self.emulated = False
        """Whether drawings reach the emulated screen. Only rendering them is much faster."""

    def resize(self, columns: int, rows: int) -> None:
        """Change the size. Lines and columns that no longer fit are lost, as in a real terminal."""
        self._screen.resize(rows, columns)

    def draw(self, update: CompositorUpdate) -> None:
        drawn = update.render_segments(self._app.console)
        if self.emulated:
            self._stream.feed(drawn.replace("\n", "\r\n"))

    def is_right(self) -> bool:
        """Return whether the terminal shows what the app has composed."""
        return [line.rstrip() for line in displayed(self._screen)] == [line.rstrip() for line in lines(self._app)]


@contextmanager
def pictured(driver: Driver) -> Iterator[Picture]:
    """Pass everything that the app draws to an emulated terminal."""
    app = driver.app
    picture = Picture(app)
    display = app._display

    def draw(screen: Screen[Any], update: RenderableType | None) -> None:
        if isinstance(update, CompositorUpdate) and not app._batch_count and app.is_running:
            picture.draw(update)
        display(screen, update)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "_display", draw)
        yield picture


def resize(driver: Driver, picture: Picture, columns: int, rows: int) -> None:
    """Give the terminal another size. The app handles the change later."""
    size = Size(columns, rows)
    cast(HeadlessDriver, driver.app._driver)._size = size
    picture.resize(columns, rows)
    driver.app.post_message(Resize(size, size))


def sizes(random: Random, count: int) -> Iterator[tuple[int, int]]:
    """Yield tiny, usual and very large sizes, and the sizes at which the layout changes."""
    for _ in range(count):
        match random.randrange(20):
            case 0:
                yield random.randint(130, 500), random.randint(40, 200)
            case 1 | 2 | 3 | 4:
                yield random.randint(1, 12), random.randint(1, 6)
            case 5 | 6 | 7 | 8:
                yield random.choice([59, 60, 61, 99, 100, 129, 130]), random.choice([15, 16, 17, 24])
            case _:
                yield random.randint(20, 150), random.randint(5, 45)


async def go_over_sizes(driver: Driver, random: Random, count: int, keys: Sequence[str] = HARMLESS) -> None:
    """Change the size ``count`` times, and press keys in between, some before the app knows the size.

    At the end, check the picture.
    """
    app = driver.app
    with pictured(driver) as picture:
        for columns, rows in sizes(random, count):
            resize(driver, picture, columns, rows)
            if random.random() < 0.3:
                continue  # change the size again at once
            for _ in range(random.randrange(3)):
                await driver.press(random.choice(keys))
            await driver.until(lambda: app.screen.outer_size == app.size, "the new size")
        picture.emulated = True
        for size in ((90, 12), (1, 1), (80, 24)):
            resize(driver, picture, *size)
            await driver.until(lambda size=size: app.screen.outer_size == size, "the new size")  # type: ignore[misc]
            await driver.until(picture.is_right, "the picture")
        # Make the window shorter for a moment, first without and then with time for the app to notice.
        for waits in (False, True):
            resize(driver, picture, 80, 10)
            while waits and app.size != (80, 10):
                await asyncio.sleep(0)
            resize(driver, picture, 80, 24)
            await driver.until(picture.is_right, "the picture after the window was shorter for a moment")


Steps = Sequence[tuple[Sequence[str], str]]
"""Keys in steps, each with a text that is on screen when its keys have been handled."""
DATA, TRAIN = (("d",), "9,988 ratings"), (("t",), "3 runs")
PLACES: Mapping[str, Steps] = {
    "browse": (),
    "viewers": ((("left",), ""),),
    "pair": ((("left", "down", "p"), "both"),),
    "filter": ((("f", "+", "e"), "+even"),),
    "saving a filter": ((("f", "+", "e", "v", "e", "n", "ctrl+s"), "Save filter"),),
    "details": ((("enter",), "average "),),
    "surprise": ((("s",), "s another"),),
    "similar": ((("m",), "More like"),),
    "taste": ((("T",), "Taste"),),
    "search": ((("slash", "t", "h", "e"), "The Silent"),),
    "history": ((("4",), "rated"), (("h",), "History")),
    "models": ((("M",), "model"),),
    "import": ((("i",), "tab complete"),),
    "new profile": ((("n",), "New profile"),),
    "interview": ((("n", "a", "n", "n", "a", "enter"), "Getting to know"),),
    "keys": ((("question_mark",), "Keys · "),),
    "palette": ((("ctrl+p",), "Search for commands"),),
    "data": (DATA,),
    "rules": (DATA, (("l",), "")),
    "chart": (DATA, (("right",), "")),
    "a folder": (DATA, (("o",), "tab complete")),
    "imdb": (DATA, (("i",), "Odd")),
    "train": (TRAIN,),
    "runs": (TRAIN, (("right", "v", "v", "x", "down", "x"), "")),
    "settings": (TRAIN, (("e",), "Learns tastes")),
    "run filter": (TRAIN, (("slash", "m"), "")),
    "sweep": (TRAIN, (("e", "s"), "Sweep mf")),
    "a run": (TRAIN, (("right", "home", "enter"), "Run ")),
    "two runs": (TRAIN, (("right", "home", "down", "x", "down", "x", "m"), " and run ")),
    "naming": (TRAIN, (("right", "home", "n"), "Name run")),
    "deleting": (TRAIN, (("right", "home", "D"), "Delete run")),
    "pruning": (TRAIN, (("right", "B"), "Keep the best")),
}
"""Every screen and panel, and their parts with other keys, each with the keys that lead there from Browse."""


async def go_to(driver: Driver, name: str) -> None:
    """Go to one of ``PLACES``."""
    for keys, shows in PLACES[name]:
        await driver.press(*keys)
        await driver.see(shows)
