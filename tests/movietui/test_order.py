"""The order of the list is chosen by a key, the headings or the palette, and the engine sorts by it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from movietui.data.problems import Problem
from movietui.models.choices import DEFAULT_ORDER, ORDERS, order_by_taste
from movietui.models.choices import orders as orders_of
from movietui.protocol.viewers import user
from movietui.state.session import Session
from movietui.state.view import View
from movietui.store.ratings import Store
from movietui.ui.wording import SHORT_ORDERS, SORTED, describe_order
from tests.movietui.at_hand import EngineAtHand
from tests.movietui.driving import LARGE, SIZES, lines, position, shown, started
from tests.movietui.fakes import FakeEngine


def requested_order(engine: FakeEngine) -> str:
    query = [named["query"] for request, named in engine.asked if request == "rank"][-1]
    return str(query.get("order", DEFAULT_ORDER))


@SIZES
async def test_a_key_sorts_by_one_order_after_the_other(faked: FakeEngine, size: tuple[int, int]) -> None:
    async with started(size, engine=faked) as driver:
        await driver.see("Unseen · by how much you would like it ▾")
        for order in [*list(ORDERS)[1:], DEFAULT_ORDER]:
            await driver.press("down", "S")
            await driver.wait_for_notice(f"Sorted by {ORDERS[order]}")
            await driver.see(f"Unseen · by {ORDERS[order]} ▾")
            assert requested_order(faked) == order
            assert driver.movies.cursor == 0
        assert driver.app.session.view == View()


@SIZES
async def test_a_click_on_a_heading_sorts(faked: FakeEngine, size: tuple[int, int]) -> None:
    async with started(size, engine=faked) as driver:
        first = driver.titles()
        for heading, order in (("predicted", "stars"), (" n ", "ratings"), ("title", "title"), ("year", "year")):
            x, y = position(driver.app, heading)
            assert y == 2
            await driver.pilot.click(offset=(x + 1, y))
            await driver.see(heading.strip() + SORTED)
            assert driver.app.session.view.order == order
            assert driver.titles() != first
            row = driver.movies.known_rows()
            values = {
                "ratings": [-each["count"] for each in row],
                "title": [each["title"] for each in row],
                "year": [-each["year"] for each in row],
                "stars": [-each["stars"] for each in row],
            }[order]
            assert values == sorted(values)
            await driver.pilot.click(offset=(x + 1, y))
            await driver.until(lambda: driver.titles() == first, "the first order")
            assert SORTED not in lines(driver.app)[y]


async def test_a_click_on_a_row_selects_that_row(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        x, y = position(driver.app, driver.titles()[4])
        await driver.pilot.click(offset=(x, y))
        assert driver.movies.cursor == 4
        assert driver.app.screen is driver.browse
        await driver.pilot.click(offset=(x, y))
        await driver.until(lambda: driver.app.screen is not driver.browse, "why")


async def test_a_click_on_the_heading_of_the_list_sorts(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        x, y = position(driver.app, "by how much")
        await driver.pilot.click(offset=(x + 9, y))
        await driver.wait_for_notice("Sorted by how likely you are to watch it and like it")


async def test_headings_can_be_clicked_while_the_viewers_have_the_focus(faked: FakeEngine) -> None:
    """When the mouse button goes down, the list gets the focus, and so another width before the click ends."""
    async with started(engine=faked) as driver:
        await driver.press("left")
        await driver.see("users of demo")
        x, y = position(driver.app, "title")
        await driver.pilot.click(offset=(x + 1, y))
        await driver.wait_for_notice("Sorted by title")


async def test_the_palette_offers_each_order(faked: FakeEngine) -> None:
    async with started(LARGE, engine=faked) as driver:
        for order in ("year", "ratings"):
            await driver.press("ctrl+p")
            await driver.until(lambda: driver.app.screen is not driver.browse, "the palette")
            await driver.type(f"sort by {ORDERS[order][:7]}")
            await driver.see(f"Sort by {ORDERS[order]}")
            await driver.press("enter")
            await driver.wait_for_notice(f"Sorted by {ORDERS[order]}")
            assert driver.app.session.view.order == order


async def test_the_order_is_kept_for_other_viewers(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        await driver.press("S", "S")
        await driver.wait_for_notice("Sorted by predicted stars")
        await driver.press("left", "down", "enter")
        await driver.wait_for_notice("The list of user 2")
        assert requested_order(faked) == "stars"
        await driver.rate()
        assert requested_order(faked) == "stars"
        await driver.press("left", "down", "p")
        await driver.wait_for_notice("The list of user 2 and user 3")
        await driver.see("both▾")
        assert requested_order(faked) == "stars"
        await driver.press("N")
        await driver.see("Getting to know")
        assert requested_order(faked) == DEFAULT_ORDER
        await driver.press("escape")
        await driver.see("both▾")


@SIZES
async def test_a_list_without_stars_has_no_order_and_no_column_of_stars(
    faked: FakeEngine, size: tuple[int, int]
) -> None:
    faked.has_stars = False
    async with started(size, engine=faked) as driver:
        await driver.see("Unseen · by how likely you are to watch it ▾")
        orders = orders_of(has_stars=False)
        for order in [*list(orders)[1:], "likely"]:
            heading = lines(driver.app)[2]
            assert [word for word in ("title", "predicted", "stars") if word in heading] == ["title"]
            await driver.press("S")
            await driver.wait_for_notice(f"Sorted by {orders[order]}")
            assert requested_order(faked) == order
        await driver.pilot.click(offset=position(driver.app, "# "))
        await driver.press("ctrl+p")
        await driver.until(lambda: driver.app.screen is not driver.browse, "the palette")
        await driver.type("sort by")
        await driver.see("Sort by title")
        assert "Sort by predicted stars" not in shown(driver.app)


async def test_sorting_needs_a_list(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        driver.app.session.opened = None
        await driver.press("S")
        await driver.wait_for_notice("There is no list yet")
        assert driver.app.session.view == View()


def test_the_name_of_the_order_fits_the_width() -> None:
    assert set(SHORT_ORDERS) == set(ORDERS)
    assert describe_order("liked", 33) == "by how much you would like it ▾"
    assert describe_order("liked", 30) == "best first ▾"
    for order, words in SHORT_ORDERS.items():
        assert describe_order(order, 0) == f"{words} ▾"


# The engine


@pytest.fixture
async def session(ready: Path, store: Store) -> AsyncIterator[Session]:
    opened = Session(store, EngineAtHand())
    await opened.open("demo")
    yield opened
    await opened.engine.close()


@pytest.mark.parametrize("users", [("1",), ("1", "2"), ("1", "2", "3")], ids=["one", "pair", "group"])
async def test_the_engine_sorts_by_what_the_column_shows(session: Session, users: tuple[str, ...]) -> None:
    session.audience = session.audience.of(*(user(each, "demo") for each in users))
    lists = {}
    for order in ORDERS:
        session.view = View(order=order)
        lists[order] = (await session.ranked(0, 10_000))["rows"]
    assert [row["id"] for row in lists["liked"]] != [row["id"] for row in lists["likely"]]
    for rows in lists.values():
        assert {row["id"] for row in rows} == {row["id"] for row in lists["liked"]}
    for order, key in (
        ("stars", lambda row: -row["stars"]),
        ("year", lambda row: -row["year"]),
        ("ratings", lambda row: -row["count"]),
        ("title", lambda row: row["title"].casefold()),
    ):
        assert list(map(key, lists[order])) == sorted(map(key, lists[order])), order
    if len(users) > 1:
        assert all(min(row["by"]) <= row["stars"] <= max(row["by"]) for row in lists["stars"])


async def test_a_surprise_is_a_good_movie_even_if_the_list_is_not_sorted_by_taste(session: Session) -> None:
    session.view = View(order="liked")
    best = {row["id"] for row in (await session.ranked(0, 40))["rows"]}
    for order in ORDERS:
        session.view = View(order=order)
        drawn = [await session.surprise(draw) for draw in range(4)]
        if order_by_taste(order) == DEFAULT_ORDER:
            assert {row["id"] for row in drawn if row is not None} <= best


async def test_models_are_compared_by_taste_in_any_order(session: Session) -> None:
    session.view = View(order="liked")
    run = session.store.serving_runs("demo")[-1]
    compared = await session.compare_list(run, 20)
    session.view = View(order="title")
    assert await session.compare_list(run, 20) == compared


async def test_an_unknown_order_is_a_problem(session: Session) -> None:
    session.view = View(order="best")  # type: ignore[arg-type]
    with pytest.raises(Problem, match="no order 'best'; choose one of liked, likely, stars, year, title, ratings"):
        await session.ranked(0, 1)


async def test_undo_counts_only_movies_that_changed_their_rank(session: Session) -> None:
    """A movie that comes back shifts the rows below it, which does not count as a move."""
    session.view = View(order="title")
    row = (await session.ranked(0, 100))["rows"][3]
    await session.rate(row, 5.0)
    after = await session.ranked(0, 100, after_rating=True)
    assert after["moved"] == 0
    await session.undo()
    undone = await session.ranked(0, 100, after_rating=True)
    assert undone["rows"][3]["id"] == row["id"]
    assert undone["rows"][3]["before"] is None
    assert undone["moved"] == 0
    assert [each["before"] for each in undone["rows"] if each is not undone["rows"][3]] == [
        each["rank"] for each in undone["rows"] if each is not undone["rows"][3]
    ]
    session.view = View()
    first = (await session.ranked(0, 100))["rows"]
    await session.rate(first[0], 1.0)
    moved = (await session.ranked(0, 100, after_rating=True))["moved"]
    await session.undo()
    undone = await session.ranked(0, 100, after_rating=True)
    assert 0 < undone["moved"] <= 100
    assert abs(undone["moved"] - moved) <= 10


async def test_undo_says_what_moved(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        await driver.press("S", "S", "S", "S")
        await driver.wait_for_notice("Sorted by title")
        title = await driver.rate("5")
        await driver.press("u")
        await driver.wait_for_notice(f"undid {title} ★ 5 · nothing moved · r redo")
        await driver.press("S", "S")
        await driver.wait_for_notice("Sorted by how much you would like it")
        title = await driver.rate("5")
        await driver.press("u")
        await driver.wait_for_notice(f"undid {title} ★ 5 · ")
        assert "movies moved · r redo" in driver.app.notice.plain


async def test_undo_in_the_history_says_what_moved(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        await driver.rate("5")
        await driver.press("h")
        await driver.see("History · user 1")
        await driver.press("u")
        await driver.see("undid ")
        await driver.press("escape")
        await driver.wait_for_notice("movies moved")


async def test_the_order_is_one_that_the_opened_dataset_has(faked: FakeEngine, store: Store) -> None:
    session = Session(store, faked)
    for has_stars, chosen, order in (
        (True, "stars", DEFAULT_ORDER),
        (False, "title", "likely"),
        (True, "ratings", DEFAULT_ORDER),
    ):
        faked.has_stars = has_stars
        session.opened = None if session.opened is None else {**session.opened, "dataset": "another"}
        await session.open("demo")
        assert session.view.order == order
        session.view = session.view.ordered_by(chosen)  # type: ignore[arg-type]
