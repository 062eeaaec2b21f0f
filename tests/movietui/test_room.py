"""The list has room for titles and years at every width, because panes without the focus fold to their edge."""

import doctest

import pytest
from rich.cells import cell_len

from movietui.ui.browse import room
from movietui.ui.browse.movie_list import MovieList
from movietui.ui.widgets.columns import REST
from tests.movietui.driving import LARGE, SMALL, Driver, lines, position, shown, started
from tests.movietui.fakes import FakeEngine

LONG = "The Englishman Who Went Up a Hill But Came Down a Mountain"
WIDTHS = (60, 72, 80, 99, 100, 119, 120, 139, 140, 200)


async def make_group(driver: Driver, viewers: int) -> None:
    if viewers > 1:
        await driver.pair_with_next()
    for _ in range(viewers - 2):
        await driver.press("P", "down", "P")
    await driver.until(lambda: len(driver.movies.names) == viewers, "the viewers")


def columns(movies: MovieList) -> dict[str, int]:
    """Return the widths of the columns on screen, by heading."""
    width = movies.scrollable_content_region.width
    shown_columns = movies.columns(width)
    rest = width - sum(column.cells for column in shown_columns)
    return {column.heading.strip(): column.cells if column.cells != REST else rest for column in shown_columns}


@pytest.mark.parametrize("viewers", [1, 2, 3, 4])
@pytest.mark.parametrize("focus", ["right", "left"])
async def test_titles_and_years_fit_at_every_width(faked: FakeEngine, viewers: int, focus: str) -> None:
    faked.titles[:40] = [f"{LONG[:28]}{number}" for number in range(40)]
    async with started(SMALL, engine=faked) as driver:
        await make_group(driver, viewers)
        await driver.press(focus)
        for width in WIDTHS:
            await driver.pilot.resize_terminal(width, 24)
            await driver.until(lambda width=width: driver.app.screen.size.width == width, "the width")
            await driver.see(LONG[:27])
            assert columns(driver.movies)["title"] >= 29
            assert "year" in columns(driver.movies)
            if focus == "right" and width >= 80:
                stars = [name for name in columns(driver.movies) if name[:2] in ("A ", "B ", "C ", "D ")]
                assert len(stars) == (viewers if viewers > 1 else 0)


@pytest.mark.parametrize("viewers", [1, 2, 3, 4])
async def test_a_larger_window_shows_at_least_as_much(faked: FakeEngine, viewers: int) -> None:
    async with started(SMALL, engine=faked) as driver:
        await make_group(driver, viewers)
        await driver.press("right")
        await driver.until(lambda: driver.browse.viewers_pane.viewers.folded, "the edge")
        small = columns(driver.movies)
        rows = sum("★" in line for line in lines(driver.app))
        for size in ((100, 30), (110, 30), (120, 30), (139, 30), LARGE):
            await driver.pilot.resize_terminal(*size)
            await driver.until(lambda size=size: driver.app.screen.size == size, "the size")
            assert small.keys() <= columns(driver.movies).keys(), size
            assert columns(driver.movies)["title"] >= 29
            assert sum("★" in line for line in lines(driver.app)) >= rows


async def test_panes_fold_when_the_list_has_the_focus(faked: FakeEngine) -> None:
    async with started((100, 30), engine=faked) as driver:
        assert "users of demo" not in shown(driver.app)
        assert "in common" not in shown(driver.app)
        edge = "".join(line[1] for line in lines(driver.app)[2:9])
        assert edge == "Viewers"
        await driver.press("left")
        await driver.see("users of demo")
        await driver.press("escape")
        await driver.until(lambda: "users of demo" not in shown(driver.app), "the edge")
        await driver.press("tab")
        await driver.see("users of demo")
        await driver.pilot.resize_terminal(130, 30)
        await driver.until(lambda: driver.browse.list_pane.details.folded, "the edge")
        await driver.press("right")
        await driver.see("in common")
        assert "users of demo" not in shown(driver.app)
        await driver.pilot.resize_terminal(*LARGE)
        await driver.see("users of demo")
        await driver.see("in common")


async def test_a_click_on_an_edge_opens_its_pane(faked: FakeEngine) -> None:
    async with started(SMALL, engine=faked) as driver:
        await driver.pilot.click(offset=(1, 6))
        await driver.see("users of demo")
        assert driver.viewers.has_focus
        assert [ref.id for ref in driver.app.session.audience.viewers] == ["1"]
        await driver.pilot.click(offset=(78, 6))
        await driver.see("in common")
        await driver.press("escape")
        assert driver.movies.has_focus


async def test_a_click_on_an_edge_selects_no_row(faked: FakeEngine) -> None:
    async with started(SMALL, engine=faked) as driver:
        cursor = driver.viewers.cursor
        await driver.pilot.click(offset=(1, 9))
        await driver.see("users of demo")
        assert driver.viewers.cursor == cursor
        x, y = position(driver.app, " 39 M ")
        await driver.pilot.click(offset=(x, y))
        assert driver.viewers.cursor != cursor


async def test_a_folded_pane_requests_no_details(faked: FakeEngine) -> None:
    async with started(SMALL, engine=faked) as driver:
        await driver.press("down", "down")
        await driver.pilot.pause(0.2)
        assert "movie_details" not in [request for request, _ in faked.asked]
        await driver.pilot.resize_terminal(*LARGE)
        await driver.see("in common")


async def test_a_search_for_viewers_is_kept_while_they_are_folded(faked: FakeEngine) -> None:
    async with started(SMALL, engine=faked) as driver:
        await driver.press("left", "slash")
        await driver.type("11")
        await driver.until(lambda: driver.viewers.total < 100, "the matches")
        await driver.press("enter", "right")
        await driver.until(lambda: driver.viewers.folded, "the edge")
        assert lines(driver.app)[2][1] == "V"
        await driver.press("left")
        await driver.see("110")
        assert driver.browse.viewers_pane.searching
        await driver.press("escape")
        await driver.until(lambda: driver.viewers.total > 100, "everybody")


@pytest.mark.parametrize("viewers", [1, 2, 3, 4])
def test_a_wider_list_has_no_fewer_columns(viewers: int) -> None:
    movies = MovieList(id="movies")
    movies.names = ("Anna", "Ben", "Cleo", "Dan")[:viewers]
    before = 0
    for width in range(41, 120):
        headings = [column.heading.strip() for column in movies.columns(width)]
        assert {"title", "year"} <= set(headings)
        assert len(headings) >= before
        before = len(headings)
        assert cell_len(movies.header(width)) == width
        assert movies.columns(width)[-2].cells == REST
        assert width - sum(column.cells for column in movies.columns(width)) >= 29


def test_the_examples_in_docstrings_are_right() -> None:
    assert doctest.testmod(room).attempted >= 2
    assert doctest.testmod(room).failed == 0
