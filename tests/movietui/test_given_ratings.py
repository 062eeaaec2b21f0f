"""The panel with all ratings of a viewer, which can be changed there, and other lists that show these ratings."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from movietui.engine.service import Service
from movietui.formatting import text
from movietui.formatting.movie_files import newest_first
from movietui.protocol.messages import GivenRating, ViewerRatings
from movietui.protocol.viewers import profile, user
from movietui.state.audience import Audience
from movietui.state.session import Session
from movietui.store.ratings import ImportedMovie, Movie, Store
from movietui.ui.browse.given_ratings import RatingsPanel, most_stars_first
from tests.movietui.driving import LARGE, SMALL, Driver, lines, position, shown, started
from tests.movietui.fakes import FakeEngine, title, with_run
from tests.movietui.homes import checkpoint_of

ANNA = profile("anna")
ONE = user("1", "demo")
GONE = Movie("gone with the rest 1939", "[b]Gone[/b] with the Rest", 1939)


@pytest.fixture
def anna(store: Store) -> Store:
    """A store with a profile that has rated two movies in the dataset and one that the dataset does not have."""
    with_run(store)
    store.create_profile("anna")
    for movie, stars in ((Movie("20", title(20), 1970), 3.0), (GONE, 5.0), (Movie("30", title(30), 1980), 4.5)):
        store.rate(ANNA, movie, stars)
    return store


def stars_of(store: Store) -> dict[str, float]:
    """Return the stars of anna's ratings by key."""
    return {key: stars for key, stars, _ in store.stars(ANNA)}


async def open_ratings(driver: Driver) -> RatingsPanel:
    await driver.press("asterisk")
    await driver.see("Ratings · ")
    panel = driver.app.screen
    assert isinstance(panel, RatingsPanel)
    await driver.until(lambda: "Loading" not in shown(driver.app), "the ratings")
    return panel


def titles(panel: RatingsPanel) -> list[str]:
    return [row["title"] for row in panel.given.known_rows()]


@pytest.mark.parametrize("size", [(60, 16), SMALL, (100, 30), LARGE])
async def test_each_rating_is_shown_with_its_prediction_and_date(anna: Store, size: tuple[int, int]) -> None:
    async with started(size, engine=FakeEngine()) as driver:
        panel = await open_ratings(driver)
        await driver.see("Ratings · anna · 3 ratings, newest first")
        assert titles(panel) == [title(30), GONE.title, title(20)]
        (newest,) = [line for line in lines(driver.app) if "★ 4½" in line]
        assert "★ 4.5" in newest  # predicted
        assert title(30)[:9] in newest
        (gone,) = [line for line in lines(driver.app) if "[b]Gone" in line]
        assert gone.count("★") == 1  # nothing is predicted for a movie that the dataset does not have
        if size[0] >= 80:
            assert text.moment(anna.ratings(ANNA)[0].at)[:10] in newest
        await driver.press("o")
        await driver.see("most stars first")
        assert titles(panel) == [GONE.title, title(30), title(20)]
        await driver.press("o", "asterisk")
        await driver.until(lambda: driver.app.screen is driver.browse, "the list")


async def test_a_click_on_a_heading_sorts_the_ratings(anna: Store) -> None:
    async with started(LARGE, engine=FakeEngine()) as driver:
        panel = await open_ratings(driver)
        for heading, order, first in (
            ("given", "most stars first", GONE.title),
            ("rated on", "newest first", title(30)),
        ):
            await driver.pilot.click(offset=position(driver.app, heading))
            await driver.see(f"Ratings · anna · 3 ratings, {order}")
            assert titles(panel)[0] == first
        await driver.pilot.click(offset=position(driver.app, "year"))
        await driver.see("newest first")


async def test_ratings_can_be_changed_and_undone_in_the_panel(anna: Store) -> None:
    def stored() -> dict[str, float]:
        return stars_of(anna)

    async with started(engine=FakeEngine()) as driver:
        panel = await open_ratings(driver)
        before = stored()
        await driver.press("end", "5")
        await driver.see(f"rated {title(20)} ★ 5")
        assert stored()["20"] == 5.0
        assert titles(panel)[0] == title(20)
        assert panel.given.current is not None
        assert panel.given.current["title"] == title(20)  # the cursor stays on its movie
        await driver.press("left_square_bracket")
        await driver.see(f"rated {title(20)} ★ 4½")
        await driver.press("right_square_bracket", "right_square_bracket")
        await driver.see(f"rated {title(20)} ★ 5")
        assert stored()["20"] == 5.0
        await driver.press("x")
        await driver.see(f"removed the rating of {title(20)} · u undo")
        assert "20" not in stored()
        assert len(titles(panel)) == 2
        await driver.press("u", "u", "u", "u")
        await driver.until(lambda: stored() == before, "the ratings as they were")
        await driver.press("r")
        await driver.see(f"redid {title(20)} ★ 5")
        await driver.press("escape")
        await driver.until(lambda: driver.app.screen is driver.browse, "the list")


async def test_a_removed_rating_brings_its_movie_back(anna: Store) -> None:
    async with started(engine=FakeEngine()) as driver:
        assert title(30) not in driver.titles(100)
        total = driver.movies.total
        await open_ratings(driver)
        await driver.press("x")
        await driver.see("removed the rating of")
        await driver.press("escape")
        await driver.until(lambda: driver.movies.total == total + 1, "the movie in the list again")
        assert title(30) in driver.titles(100)


async def test_a_movie_outside_the_dataset_can_be_rated_again(anna: Store) -> None:
    async with started(engine=FakeEngine()) as driver:
        panel = await open_ratings(driver)
        await driver.press("down", "1")
        await driver.see(f"rated {GONE.title} ★ 1")
        assert stars_of(anna)[GONE.key] == 1.0
        assert titles(panel)[0] == GONE.title
        await driver.press("x")
        await driver.see("removed the rating of [b]Gone[/b]")
        assert GONE.key not in stars_of(anna)


async def test_ratings_in_the_dataset_can_be_changed_but_not_removed(store: Store) -> None:
    with_run(store)
    async with started(engine=FakeEngine()) as driver:
        panel = await open_ratings(driver)
        await driver.see("Ratings · user 1 · 2 ratings")
        await driver.see("1998-03-04")
        first = titles(panel)[0]
        await driver.press("x")
        await driver.see("This rating is part of demo; you can change it but not remove it.")
        await driver.press("5")
        await driver.see(f"rated {first} ★ 5")
        await driver.press("x")
        await driver.see(f"removed the rating of {first}")
        await driver.see("2 ratings")
        assert store.ratings(ONE) == []


async def test_the_panel_says_if_there_are_no_ratings(store: Store) -> None:
    with_run(store)
    store.create_profile("anna")
    async with started(engine=FakeEngine()) as driver:
        await open_ratings(driver)
        await driver.see("No ratings yet. Press 1-5 on a movie in the list to rate it.")
        await driver.press("5", "x", "right_square_bracket", "o", "u")
        await driver.see("There is nothing to undo")
        await driver.press("Y", "enter")
        await driver.wait_for_notice("anna has not rated anything yet")


async def test_a_key_leads_from_the_history_to_the_ratings(anna: Store) -> None:
    async with started(engine=FakeEngine()) as driver:
        await driver.press("h")
        await driver.see("History · anna")
        await driver.press("asterisk")
        await driver.see("Ratings · anna · 3 ratings")
        await driver.press("x")
        await driver.see("removed the rating")
        await driver.press("escape")
        await driver.see("★ 4½ → none")
        await driver.press("escape")
        await driver.until(lambda: title(30) in driver.titles(100), "the movie in the list again")


async def test_the_panel_stays_open_if_the_engine_fails(anna: Store) -> None:
    engine = FakeEngine()
    async with started(engine=engine) as driver:
        await open_ratings(driver)
        engine.problem = "The engine stopped."
        await driver.press("1")
        await driver.see("The engine stopped.")
        assert stars_of(anna)["30"] == 1.0  # it is stored nevertheless
        engine.problem = ""
        await driver.press("2")
        await driver.see(f"rated {title(30)} ★ 2")


def row(key: str, stars: float, at: str) -> GivenRating:
    return {
        "id": key,
        "key": key,
        "title": key,
        "year": 0,
        "ids": ("", 0, 0),
        "stars": stars,
        "predicted": None,
        "at": at,
        "stored": True,
    }


def test_ratings_are_sorted_by_date_or_by_stars() -> None:
    rows = [row("a", 3, "2020"), row("b", 5, "2021"), row("c", 5, ""), row("d", 3, "2020")]

    def keys(ratings: Sequence[GivenRating]) -> str:
        return "".join(rating["key"] for rating in ratings)

    assert keys(newest_first(rows)) == "bdac"
    assert keys(most_stars_first(rows)) == "bcda"


async def test_every_rating_of_a_movie_is_removed(store: Store) -> None:
    """If a movie is stored under several keys, the newest rating counts."""
    session = Session(store, FakeEngine())
    session.audience = Audience((ANNA,))
    store.create_profile("anna")
    for key, stars in (("an old key", 2.0), ("7", 4.0)):
        store.import_movies(ANNA, "file", [ImportedMovie(Movie(key, title(7), 1957), key, stars)])
    (rating,) = await session.given_ratings(ANNA)
    assert rating["stars"] == 4.0
    await session.unrate(rating)
    assert store.ratings(ANNA) == []
    await session.undo()
    assert stars_of(store) == {"7": 4.0}


def test_the_engine_lists_all_ratings_of_a_viewer(ready: Path) -> None:
    service = Service()
    service.open(dataset="demo", cleaning="standard", checkpoint=checkpoint_of("mf"))
    dataset = service.opened.dataset
    of_user: ViewerRatings = {"kind": "user", "id": dataset.users.ids[0], "rated": [], "seen": [], "hidden": []}
    rows = service.given_ratings(viewer=of_user)
    known = dataset.ratings.take(dataset.rows_of(0))
    movies = [dataset.movies.ids[movie] for movie in known.movie.tolist()]
    assert {each["id"]: each["stars"] for each in rows} == dict(zip(movies, known.stars.tolist(), strict=True))
    times = [datetime.fromtimestamp(time, UTC) for time in known.time.tolist()]
    assert {each["id"]: datetime.fromisoformat(each["at"]) for each in rows} == dict(zip(movies, times, strict=True))
    first, other = rows[:2]
    details = service.movie_details(viewers=[of_user], movies=[first["id"]])[0]
    assert first["predicted"] == pytest.approx(details["by"][0]["stars"])
    of_anna: ViewerRatings = {"kind": "profile", "id": "anna", "rated": [(first["key"], 1.5)], "seen": [], "hidden": []}
    everything = service.similar_movies(movie=first["id"], limit=len(dataset.movies), users=[of_user["id"], ""])
    assert next(each["rated"] for each in everything if each["id"] == other["id"]) == [other["stars"], 0.0]
    (only,) = service.given_ratings(viewer=of_anna)
    assert (only["stars"], only["at"], only["stored"]) == (1.5, "", False)


# Where else a rating is shown


async def test_search_and_more_like_this_show_ratings(store: Store) -> None:
    with_run(store)
    store.create_profile("anna")
    async with started(engine=FakeEngine()) as driver:
        first = driver.movies.current
        assert first is not None
        number = int(first["id"])
        store.rate(ANNA, Movie(str(number + 2), title(number + 2), 1950), 1.5)
        await driver.press("m")
        await driver.see("More like")
        (line,) = [line for line in lines(driver.app) if "★ 1½" in line]
        assert title(number + 2)[:12] in line
        await driver.see("rated ")
        await driver.press("escape", "slash")
        await driver.type(str(number + 2))
        await driver.see("★ 1½  9 ratings")
        (line,) = [line for line in lines(driver.app) if "★ 1½" in line]
        assert title(number + 2) in line


async def test_similar_movies_without_ratings_show_no_stars(store: Store) -> None:
    with_run(store)
    async with started(engine=FakeEngine()) as driver:
        await driver.press("m")
        await driver.see("both rated")
        assert not any("★" in line for line in lines(driver.app)[4:12] if "│" in line and "Ann" in line)
