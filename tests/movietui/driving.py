"""Drives the app in the test's own process, and reads what it shows."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual import _wait
from textual.pilot import Pilot
from textual.widget import Widget

from data import locations
from movietui.app import MovieTui
from movietui.children import Engine
from movietui.queue import Training
from movietui.screens.browse import BrowseScreen
from movietui.session import Session
from movietui.store import Store
from movietui.widgets.movie_list import MovieList
from movietui.widgets.viewer_list import ViewerList
from tests.movietui.at_hand import EngineAtHand, JobAtHand
from tests.movietui.fakes import FakeEngine

# Textual looks 50 times a second whether all is quiet, after each key; here five times as often.
_wait.SLEEP_GRANULARITY, _wait.SLEEP_IDLE = 1 / 120, 1 / 240

SMALL = (80, 24)
LARGE = (140, 40)
SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "140x40"])


def lines(app: MovieTui) -> list[str]:
    """Return what is on screen, a string for each line."""
    strips = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip) for strip in strips]


def shown(app: MovieTui) -> str:
    return "\n".join(lines(app))


class Driver:
    """A running app and how a test talks to it."""

    def __init__(self, app: MovieTui, pilot: Pilot[Any]) -> None:
        self.app = app
        self.pilot = pilot

    async def until(self, condition: Callable[[], object], what: str, seconds: float = 8.0) -> None:
        """Wait until something is so."""
        for _ in range(int(seconds / 0.02)):
            if condition():
                await self.pilot.pause()
                return
            await self.pilot.pause(0.02)
        raise AssertionError(f"{what} did not come; the screen:\n{shown(self.app)}")

    async def see(self, text: str, seconds: float = 8.0) -> None:
        """Wait until a text is on screen."""
        await self.until(lambda: text in shown(self.app), repr(text), seconds)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        names = {"/": "slash", "[": "left_square_bracket", "]": "right_square_bracket", " ": "space", ".": "full_stop"}
        names |= {"-": "minus", "_": "underscore", "+": "plus", ":": "colon"}
        await self.press(*(names.get(sign, sign) for sign in text))

    async def told(self, text: str, seconds: float = 8.0) -> None:
        """Wait until the status line holds a text."""
        await self.until(lambda: text in self.app.outcome.plain, f"{text!r} in the status line", seconds)

    async def leave_the_interview(self) -> None:
        """Answer nothing, and go to the list of the profile that was made."""
        await self.see("Getting to know")
        await self.press("escape")
        await self.told("rated 0 films")

    async def rate(self, key: str = "5") -> str:
        """Rate the movie under the cursor, wait for the new order, return its title."""
        row = self.movies.current
        assert row is not None
        total = self.movies.total
        await self.press(key)
        await self.until(lambda: self.movies.total == total - 1, "the new list")
        await self.told("rated")
        return row["title"]

    async def pair_with_next(self) -> None:
        """Put the cursor on the second user and make the pair of users 1 and 2."""
        await self.press("left", "down", "p")
        await self.until(lambda: self.app.session.audience.together and self.movies.together, "the pair")

    @property
    def browse(self) -> BrowseScreen:
        found = [screen for screen in self.app.frames() if isinstance(screen, BrowseScreen)]
        return found[0]

    @property
    def movies(self) -> MovieList:
        return self.browse.movies

    @property
    def viewers(self) -> ViewerList:
        return self.browse.people.viewers

    def titles(self, count: int = 15) -> list[str]:
        return [row["title"] for row in self.movies.known_rows()[:count]]

    def widget(self, selector: str) -> Widget:
        return self.app.screen.query_one(selector)

    async def stands(self) -> None:
        """Wait until nothing runs and a list stands."""
        await self.until(
            lambda: (
                self.app.session.opened is not None
                and self.app.work.activity is None
                and isinstance(self.app.screen, BrowseScreen)
                and self.app.screen.query("#movies, #viewers")
                and self.movies.total
                and self.movies.display
                and self.viewers.total
            ),
            "the list",
            60,
        )


def new_app(engine: Engine | EngineAtHand | FakeEngine, theme: str | None = None) -> MovieTui:
    """Return an app on the store of this test's home."""
    return MovieTui(Session(Store(locations.store()), engine), theme)  # type: ignore[arg-type]


@asynccontextmanager
async def started(
    size: tuple[int, int] = SMALL,
    *,
    engine: Engine | EngineAtHand | FakeEngine | None = None,
    job: Callable[[], Training] = JobAtHand,
    theme: str | None = None,
    stands: bool = True,
) -> AsyncIterator[Driver]:
    """Start the app, with the real engine and jobs in this process where no others are given.

    With ``stands`` wait for the first list.
    """
    app = new_app(engine or EngineAtHand(), theme)
    app.queue._new_job = app.work._new_job = job
    try:
        async with app.run_test(size=size, notifications=True) as pilot:
            driver = Driver(app, pilot)
            if stands:
                await driver.stands()
            yield driver
    finally:
        await app.session.engine.close()
