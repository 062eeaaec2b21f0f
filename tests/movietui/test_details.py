"""The text of the details pane, and the pages about a movie, which can be copied or opened."""

from typing import Any

import pytest

from movietui.formatting import movie_pages
from movietui.formatting.escaping import is_known_page
from movietui.formatting.reasons import UNRATED
from movietui.protocol.messages import ViewerRatings
from movietui.store.ratings import Store
from movietui.ui import movie_links
from movietui.ui.app import MovieTui
from movietui.ui.browse.movie_details import describe, surprise
from tests.movietui.driving import LARGE, Driver, lines, shown, started
from tests.movietui.fakes import FakeEngine, with_run


@pytest.mark.parametrize(
    ("known", "head"),
    [
        (
            {"minutes": 106, "directors": ["Bryan Singer"], "imdb": 8.6},
            ["1995 · Crime, Drama · 106 min", "Bryan Singer · IMDb 8.6", ""],
        ),
        (
            {
                "directors": ["Bong Joon-ho"],
                "cast": ["Song Kang-ho", "Lee Sun-kyun", "Cho Yeo-jeong", "Choi Woo-shik"],
                "languages": ["Korean"],
                "countries": ["South Korea"],
                "tags": ["[b]dark[/b] comedy", "twist ending"],
            },
            [
                "1995 · Crime, Drama",
                "Bong Joon-ho",
                "with Song Kang-ho, Lee Sun-kyun, Cho Yeo-jeong",
                "Korean · South Korea",
                "[b]dark[/b] comedy, twist ending",
                "",
            ],
        ),
        ({"countries": ["France"]}, ["1995 · Crime, Drama", "France", ""]),
        ({"imdb": 8.0}, ["1995 · Crime, Drama", "IMDb 8.0", ""]),
        ({"directors": ["Joel Coen", "Ethan Coen"]}, ["1995 · Crime, Drama", "Joel Coen, Ethan Coen", ""]),
        ({"year": 0, "genres": [], "minutes": 9}, ["9 min", ""]),
        ({}, ["1995 · Crime, Drama", ""]),
        ({"year": 0, "genres": []}, []),
    ],
)
def test_unknown_facts_are_left_out(known: dict[str, Any], head: list[str]) -> None:
    details = {
        **FakeEngine().movie_details(
            viewers=[{"kind": "user", "id": "1", "rated": [], "seen": [], "hidden": []}], movies=["45"]
        )[0],
        **known,
    }
    lines = describe(details, ["a"], 40).plain.split("\n")  # type: ignore[arg-type]
    assert lines[: len(head)] == head
    assert lines[len(head)].startswith("predicted")


def test_without_stars_movies_are_watched_and_not_liked() -> None:
    (details,) = FakeEngine().movie_details(
        viewers=[{"kind": "user", "id": "1", "rated": [], "seen": [], "hidden": []}], movies=["45"]
    )
    details["by"][0]["stars"] = 0.0
    text = describe(details, ["a"], 40).plain
    assert "because you watched" in text
    assert "liked" not in text


async def select_linked(driver: Driver) -> str:
    """Put the cursor on a movie whose IMDb page is known, and return its title."""
    index, row = next((index, row) for index, row in enumerate(driver.movies.known_rows()) if int(row["id"]) % 10 == 1)
    driver.movies.cursor = index
    await driver.until(lambda: driver.movies.current == row, "the movie")
    return row["title"]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that the app has opened, as if there were a browser."""
    addresses: list[str] = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(MovieTui, "open_url", lambda app, url, new_tab=True: addresses.append(url))
    return addresses


async def test_a_movie_can_be_copied_and_its_pages_opened(store: Store, opened: list[str]) -> None:
    with_run(store)
    async with started(engine=FakeEngine()) as driver:
        title = await select_linked(driver)
        number = title.rpartition(" ")[2]
        year, link = 1950 + int(number) % 70, f"https://www.imdb.com/title/tt{int(number):07}/"
        await driver.press("y")
        await driver.wait_for_notice(f"Copied: {title} ({year}) {link}")
        assert driver.app.clipboard == f"{title} ({year}) {link}"
        await driver.press("l")
        await driver.see(f"Where to watch {title}")
        assert not opened  # nothing opens before a page is chosen
        await driver.press("down")
        await driver.see(link)
        await driver.press("enter")
        await driver.wait_for_notice(f"Opened {link}")
        await driver.press("enter")
        await driver.see("l where to watch")
        await driver.press("l")
        await driver.see("JustWatch")
        await driver.press("enter")
        words = title.replace(" ", "+")
        await driver.wait_for_notice("Opened https://www.justwatch.com/")
        assert opened == [link, f"https://www.justwatch.com/us/search?q={words}"]


async def test_without_a_browser_the_address_is_shown_and_copied(
    store: Store, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in movie_links.BROWSER_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    with_run(store)
    async with started(engine=FakeEngine()) as driver:
        title = await select_linked(driver)
        await driver.press("l", "down", "down")
        link = f"https://letterboxd.com/imdb/tt{int(title.rpartition(' ')[2]):07}/"
        await driver.see(link)
        assert "enter open" not in shown(driver.app)
        await driver.press("enter")
        await driver.wait_for_notice(f"There is no browser here; copied {link}")
        assert (driver.app.clipboard, opened) == (link, [])
        await driver.press("l")
        await driver.see("Where to watch")
        await driver.press("y")
        await driver.wait_for_notice("Copied: https://www.justwatch.com/us/search?q=")
        await driver.press("l")
        await driver.see("Where to watch")
        await driver.press("l")
        await driver.until(lambda: driver.app.screen is driver.browse, "the list")


async def test_a_page_opens_in_the_browser_that_shows_the_app(
    store: Store, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in movie_links.BROWSER_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(MovieTui, "is_web", True)
    with_run(store)
    async with started(engine=FakeEngine()) as driver:
        await driver.press("l")
        await driver.see("enter open")
        await driver.press("enter")
        await driver.wait_for_notice("Opened https://www.justwatch.com/")
        assert len(opened) == 1


async def test_a_click_offers_the_pages(store: Store, opened: list[str]) -> None:
    with_run(store)
    async with started(LARGE, engine=FakeEngine()) as driver:
        await select_linked(driver)
        await driver.until(lambda: any(" IMDb " in line for line in lines(driver.app)[3:8]), "the link")
        x, y = next((line.index(" IMDb ") + 2, y) for y, line in enumerate(lines(driver.app)) if " IMDb " in line)
        await driver.pilot.click(offset=(x, y))
        await driver.see("Where to watch")
        assert not opened


async def test_an_invalid_id_gives_no_link(store: Store, opened: list[str]) -> None:
    with_run(store)
    assert not movie_pages.link_of({**FakeEngine().movie_details(viewers=[], movies=["45"])[0], "link": "tt1/../x"})
    async with started(engine=FakeEngine()) as driver:
        assert int(driver.movies.known_rows()[0]["id"]) % 10 != 1
        await driver.press("y")
        await driver.wait_for_notice("Copied: ")
        assert "imdb" not in driver.app.clipboard
        assert not opened


@pytest.mark.parametrize(
    ("known", "addresses"),
    [
        (
            {"title": "Fargo", "year": 1996, "link": "tt0116282", "ids": ("tt0116282", 275, 608)},
            [
                "https://www.justwatch.com/us/search?q=Fargo",
                "https://www.imdb.com/title/tt0116282/",
                "https://letterboxd.com/imdb/tt0116282/",
            ],
        ),
        (
            {"title": "Face/Off & more?#", "year": 1997, "link": "", "ids": ("", 0, 0)},
            [
                "https://www.justwatch.com/us/search?q=Face%2FOff+%26+more%3F%23",
                "https://www.imdb.com/find/?s=tt&q=Face%2FOff+%26+more%3F%23+1997",
                "https://letterboxd.com/search/films/Face%20Off%20%26%20more%3F%23%201997/",
            ],
        ),
        (
            {"title": "Delicatessen \x1b[31m(La Cité)", "year": 0, "link": "", "ids": ("", 892, 0)},
            [
                "https://www.justwatch.com/us/search?q=Delicatessen",
                "https://www.imdb.com/find/?s=tt&q=Delicatessen",
                "https://letterboxd.com/tmdb/892",
            ],
        ),
        (
            {"title": "漢", "year": 0, "link": "", "ids": ("", -1, 0)},
            [
                "https://www.justwatch.com/us/search?q=%E6%BC%A2",
                "https://www.imdb.com/find/?s=tt&q=%E6%BC%A2",
                "https://letterboxd.com/search/films/%E6%BC%A2/",
            ],
        ),
    ],
)
def test_the_pages_of_a_movie_have_the_right_addresses(
    known: dict[str, Any], addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    movie = {**FakeEngine().movie_details(viewers=[], movies=["45"])[0], **known}
    pages = movie_pages.pages_of(movie)  # type: ignore[arg-type]
    assert [page.address.rstrip("/") for page in pages] == [address.rstrip("/") for address in addresses]
    assert all(is_known_page(page.address) for page in pages)
    assert not any(is_known_page(page.address.replace("https", "http")) for page in pages)


@pytest.mark.parametrize(
    ("locale", "expected"),
    [("de_AT.UTF-8", "at"), ("en_GB", "uk"), ("C.UTF-8", "us"), ("", "us"), ("de_../x", "us"), ("POSIX", "us")],
)
def test_the_locale_determines_the_country_of_the_pages(locale: str, expected: str) -> None:
    assert movie_pages.country({"LANG": locale}) == expected
    assert movie_pages.country({"LC_ALL": "fr_FR", "LANG": locale}) == "fr"


def test_details_name_each_viewer_who_rated_the_movie() -> None:
    ratings: list[ViewerRatings] = [{"kind": "user", "id": "1", "rated": [], "seen": [], "hidden": []}] * 2
    details = FakeEngine().movie_details(viewers=ratings, movies=["45"])[0]
    details["by"][0]["rated"] = 4.5
    for drawn in (describe(details, ["anna", "tom"], 40), surprise(details, ["anna", "tom"])):
        assert "anna rated it ★ 4½" in drawn.plain
        assert "tom rated it" not in drawn.plain
    details["by"] = details["by"][:1]
    for drawn in (describe(details, ["anna"], 40), surprise(details, ["anna"])):
        assert "you rated it ★ 4½" in drawn.plain


def test_details_say_what_the_prediction_of_a_new_movie_rests_on() -> None:
    ratings: list[ViewerRatings] = [{"kind": "user", "id": "1", "rated": [], "seen": [], "hidden": []}]
    details = FakeEngine().movie_details(viewers=ratings, movies=["45"])[0]
    assert "nobody in the dataset" not in describe(details, ["anna"], 200).plain
    details["count"] = 0
    for why in (details["by"][0]["why"], []):
        details["by"][0]["why"] = why
        assert describe(details, ["anna"], 200).plain.count(UNRATED) == 1
        assert "average" not in describe(details, ["anna"], 200).plain
