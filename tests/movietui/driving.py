"""Functions that run the app in the process of the test, press its keys and read its screen."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual import _wait
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.pilot import Pilot
from textual.widget import Widget

from movietui.data.storage import locations
from movietui.protocol.jobs import JobClient
from movietui.state.child_processes import EngineClient
from movietui.state.session import Session
from movietui.store.ratings import Store
from movietui.ui.app import MovieTui
from movietui.ui.browse.movie_list import MovieList
from movietui.ui.browse.screen import BrowseScreen
from movietui.ui.browse.viewers import ViewerList
from tests.movietui.at_hand import EngineAtHand, JobAtHand

# After each key, Textual checks 50 times a second whether the app is idle. Here, it checks more often, and an app that
# uses up to half of a processor also counts as idle.
_wait.SLEEP_GRANULARITY, _wait.SLEEP_IDLE = 1 / 120, 1 / 240


def _share_parsed_rules() -> None:
    """Parse each style sheet once for all apps with the same theme, and not once for each app that a test starts."""
    parse, parsed = Stylesheet._parse_rules, dict[tuple[Any, ...], list[RuleSet]]()

    def parse_once(sheet: Stylesheet, *arguments: Any, **options: Any) -> list[RuleSet]:
        key = (arguments, *options.items(), *sheet._variables.items())
        if key not in parsed:
            parsed[key] = parse(sheet, *arguments, **options)
        return parsed[key]

    Stylesheet._parse_rules = parse_once  # type: ignore[method-assign, assignment]


_share_parsed_rules()

PATIENCE = 120.0
"""Seconds after which a test stops waiting, far more than it needs on a busy machine."""
SMALL = (80, 24)
LARGE = (140, 40)
SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "140x40"])


def lines(app: MovieTui) -> list[str]:
    """Return the lines on screen."""
    strips = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip) for strip in strips]


def shown(app: MovieTui) -> str:
    """Return everything on screen as one text."""
    return "\n".join(lines(app))


def position(app: MovieTui, text: str) -> tuple[int, int]:
    """Return the column and line at which a text first appears on screen."""
    drawn = lines(app)
    y = next(index for index, line in enumerate(drawn) if text in line)
    return drawn[y].index(text), y


class Driver:
    """Presses keys in a running app, and waits for what the app shows."""

    def __init__(self, app: MovieTui, pilot: Pilot[Any]) -> None:
        self.app = app
        self.pilot = pilot
        self._notices = [app.notice.plain]
        app.watch(app, "notice", lambda notice: self._notices.append(notice.plain), init=False)

    async def until(self, condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
        """Wait until a condition holds. ``what`` says in the failure message what should have appeared."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if condition():
                await self.pilot.pause()
                return
            await self.pilot.pause(0.02)
        raise AssertionError(f"{what} did not appear; the screen:\n{shown(self.app)}")

    async def see(self, text: str, seconds: float = PATIENCE) -> None:
        """Wait until a text is on screen."""
        await self.until(lambda: text in shown(self.app), repr(text), seconds)

    async def press(self, *keys: str) -> None:
        self._notices = [self.app.notice.plain]
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        names = {"/": "slash", "[": "left_square_bracket", "]": "right_square_bracket", " ": "space", ".": "full_stop"}
        names |= {"-": "minus", "_": "underscore", "+": "plus", ":": "colon", "@": "at", "#": "number_sign"}
        await self.press(*(names.get(character, character) for character in text))

    async def wait_for_notice(self, text: str, seconds: float = PATIENCE) -> None:
        """Wait until the status line has shown a text since the last ``press``, even if another notice replaced it."""
        await self.until(
            lambda: any(text in notice for notice in self._notices), f"{text!r} in the status line", seconds
        )

    async def leave_the_interview(self) -> None:
        """Stop the interview of a new profile without an answer, and go to the profile's list."""
        await self.see("Getting to know")
        await self.press("escape")
        await self.wait_for_notice("rated 0 movies")

    async def rate(self, key: str = "5") -> str:
        """Rate the movie under the cursor, wait for the new list, and return the title of the movie."""
        row = self.movies.current
        assert row is not None
        total = self.movies.total
        await self.press(key)
        await self.until(lambda: self.movies.total == total - 1, "the new list")
        await self.wait_for_notice("rated")
        return row["title"]

    async def pair_with_next(self) -> None:
        """Make a pair of the viewer and the next viewer in the list."""
        await self.press("left", "down", "p")
        await self.until(lambda: self.app.session.audience.together and self.movies.together, "the pair")

    @property
    def browse(self) -> BrowseScreen:
        return next(screen for screen in self.app.frame_screens() if isinstance(screen, BrowseScreen))

    @property
    def movies(self) -> MovieList:
        return self.browse.list_pane.movies

    @property
    def viewers(self) -> ViewerList:
        return self.browse.viewers_pane.viewers

    def titles(self, count: int = 15) -> list[str]:
        return [row["title"] for row in self.movies.known_rows()[:count]]

    def widget(self, selector: str) -> Widget:
        return self.app.screen.query_one(selector)

    async def wait_for_list(self) -> None:
        """Wait until no job runs and a list is shown."""
        await self.until(
            lambda: (
                self.app.session.opened is not None
                and self.app.jobs.progress is None
                and isinstance(self.app.screen, BrowseScreen)
                and self.app.screen.query("#movies, #viewers")
                and self.movies.total
                and self.movies.display
                and self.viewers.total
            ),
            "the list",
        )


def new_app(engine: EngineClient, theme: str | None = None) -> MovieTui:
    """Return an app that uses the store of the test's home."""
    return MovieTui(Session(Store(locations.store()), engine), theme)


@asynccontextmanager
async def started(
    size: tuple[int, int] = SMALL,
    *,
    engine: EngineClient | None = None,
    job: Callable[[], JobClient] = JobAtHand,
    theme: str | None = None,
    wait: bool = True,
    tooltips: bool = False,
) -> AsyncIterator[Driver]:
    """Start the app. Unless others are given, the real engine and jobs run in this process.

    ``wait``: wait for the first list.
    """
    app = new_app(engine or EngineAtHand(), theme)
    app.queue.new_job = app.jobs._new_job = job
    try:
        async with app.run_test(size=size, notifications=True, tooltips=tooltips) as pilot:
            driver = Driver(app, pilot)
            if wait:
                await driver.wait_for_list()
            yield driver
    finally:
        await app.session.engine.close()
