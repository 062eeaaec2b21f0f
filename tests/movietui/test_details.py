"""The detail pane as text, and a movie for elsewhere: copied, or opened on IMDb."""

from typing import Any

import pytest

from movietui import linking
from movietui.app import MovieTui
from movietui.store import Store
from movietui.widgets.details import describe
from tests.movietui.driving import LARGE, Driver, lines, started
from tests.movietui.fakes import FakeEngine, with_run


@pytest.mark.parametrize(
    ("known", "head"),
    [
        (
            {"minutes": 106, "directors": ["Bryan Singer"], "imdb": 8.6},
            ["1995 · Crime, Drama · 106 min", "Bryan Singer · IMDb 8.6", ""],
        ),
        ({"imdb": 8.0}, ["1995 · Crime, Drama", "IMDb 8.0", ""]),
        ({"directors": ["Joel Coen", "Ethan Coen"]}, ["1995 · Crime, Drama", "Joel Coen, Ethan Coen", ""]),
        ({"year": 0, "genres": [], "minutes": 9}, ["9 min", ""]),
        ({}, ["1995 · Crime, Drama", ""]),
        ({"year": 0, "genres": []}, []),
    ],
)
def test_what_is_not_known_is_left_out(known: dict[str, Any], head: list[str]) -> None:
    details = {**FakeEngine().details([{"kind": "user", "id": "1", "rated": []}], "45"), **known}
    lines = describe(details, ["a"], 40).plain.split("\n")  # type: ignore[arg-type]
    assert lines[: len(head)] == head
    assert lines[len(head)].startswith("expect")


async def at_linked(driver: Driver) -> str:
    """Put the cursor on a movie whose page on IMDb is known; return its title."""
    place, row = next((place, row) for place, row in enumerate(driver.movies.known_rows()) if int(row["id"]) % 10 == 1)
    driver.movies.cursor = place
    await driver.until(lambda: driver.movies.current == row, "the movie")
    return row["title"]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses that the app opened, where there is a browser."""
    found: list[str] = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(MovieTui, "open_url", lambda app, url, new_tab=True: found.append(url))
    return found


async def test_a_movie_is_copied_and_opened(store: Store, opened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with_run(store)
    async with started(engine=FakeEngine()) as driver:
        title = await at_linked(driver)
        number = title.rpartition(" ")[2]
        link = f"https://www.imdb.com/title/tt{int(number):07}/"
        await driver.press("y")
        await driver.told(f"Copied: {title} ({1950 + int(number) % 70}) {link}")
        assert driver.app.clipboard == f"{title} ({1950 + int(number) % 70}) {link}"
        await driver.press("l")
        await driver.told(f"Opened {link}")
        await driver.press("enter")
        await driver.see("l opens IMDb")
        await driver.press("l")
        await driver.until(lambda: len(opened) == 2, "the second time")
        assert opened == [link, link]
        for name in linking.SCREENS:
            monkeypatch.delenv(name, raising=False)
        await driver.press("l")
        await driver.told("There is no browser here; copied")
        assert (driver.app.clipboard, len(opened)) == (link, 2)


async def test_a_click_opens_the_page(store: Store, opened: list[str]) -> None:
    with_run(store)
    async with started(LARGE, engine=FakeEngine()) as driver:
        await at_linked(driver)
        await driver.until(lambda: any(" IMDb " in line for line in lines(driver.app)[3:8]), "the link")
        x, y = next((line.index(" IMDb ") + 2, y) for y, line in enumerate(lines(driver.app)) if " IMDb " in line)
        await driver.pilot.click(offset=(x, y))
        await driver.told("Opened https://www.imdb.com/title/tt")
        assert len(opened) == 1


async def test_what_is_no_id_is_no_link(store: Store, opened: list[str]) -> None:
    with_run(store)
    assert not linking.link_of({**FakeEngine().details([], "45"), "link": "tt1/../x"})
    async with started(engine=FakeEngine()) as driver:
        assert int(driver.movies.known_rows()[0]["id"]) % 10 != 1
        await driver.press("l")
        await driver.told("is not known; the Data screen joins movies with IMDb")
        await driver.press("y")
        await driver.told("Copied: ")
        assert "imdb" not in driver.app.clipboard
        assert not opened
