"""The choice of a named list in Browse, and lists in the filter line."""

from movietui.protocol.viewers import ViewerRef, profile
from movietui.store.named_lists import ListEntry
from movietui.store.ratings import Store
from movietui.ui.browse.lists_panel import ListsPanel
from tests.movietui.driving import LARGE, SIZES, SMALL, started
from tests.movietui.fakes import FakeEngine, title

ANNA, TOM = profile("anna"), profile("tom")


def put(store: Store, viewer: ViewerRef, name: str, *movies: int) -> None:
    """Give a viewer, whose profile may be new, a list of the fake engine's movies."""
    if store.find_profile(viewer.id) is None:
        store.create_profile(viewer.id)
    listed = tuple(ListEntry(f"old {movie}", title(movie), 1990) for movie in movies)
    store.change_list(viewer, name, lambda before: listed, "added movies")


@SIZES
async def test_only_the_movies_of_a_chosen_list_are_listed(
    faked: FakeEngine, store: Store, size: tuple[int, int]
) -> None:
    put(store, ANNA, "Rainy evenings", 3, 5, 8)
    put(store, ANNA, "shelf", 2, 3)
    async with started(size, engine=faked) as driver:
        await driver.press("c")
        await driver.see("Rainy evenings")
        await driver.see("Lists of anna")
        await driver.press("down", "enter")
        await driver.until(lambda: driver.movies.total == 2, "the shelf")
        await driver.see("Unseen on shelf")
        await driver.see("f list:shelf")
        await driver.wait_for_notice("2 unseen movies on the list shelf")
        assert set(driver.titles()) == {title(2), title(3)}
        await driver.press("c")
        await driver.see("● shelf")
        await driver.press("up", "enter")
        await driver.until(lambda: driver.movies.total == 3, "the rainy evenings")
        assert driver.app.session.view.filter_text == 'list:"Rainy evenings"'
        await driver.press("escape")
        await driver.until(lambda: driver.movies.total == 240, "all movies")
        await driver.see("Unseen ·")


async def test_all_movies_are_listed_again(faked: FakeEngine, store: Store) -> None:
    put(store, ANNA, "shelf", 2, 3)
    async with started(engine=faked) as driver:
        await driver.press("e", "c")
        await driver.see("shelf")
        await driver.press("enter")
        await driver.until(lambda: driver.app.session.view.filter_text == "+even list:shelf", "both conditions")
        await driver.until(lambda: driver.movies.total == 1, "the even movie of the shelf")
        await driver.press("c")
        await driver.see("all movies")
        await driver.press("up", "up", "enter")
        await driver.until(lambda: driver.movies.total == 120, "the even movies")
        assert driver.app.session.view.filter_text == "+even"
        await driver.press("c")
        await driver.see("shelf")
        await driver.press("c")
        await driver.until(lambda: driver.app.screen is driver.browse, "Browse")
        assert driver.movies.total == 120


async def test_two_viewers_share_their_lists(faked: FakeEngine, store: Store) -> None:
    put(store, ANNA, "shelf", 2, 3)
    put(store, TOM, "Shelf", 3, 4)
    put(store, TOM, "only tom", 9)
    async with started(LARGE, engine=faked) as driver:
        await driver.pair_with_next()
        await driver.press("c")
        await driver.see("Lists of anna and tom")
        await driver.see("only tom")
        await driver.see("anna and tom")
        await driver.press("down", "enter")
        await driver.until(lambda: driver.movies.total == 3, "the movies of both shelves")
        await driver.see("Unseen by both on shelf")


async def test_how_to_make_a_list_is_explained(faked: FakeEngine, store: Store) -> None:
    store.create_profile("anna")
    async with started(SMALL, engine=faked) as driver:
        await driver.press("c")
        await driver.see("movietui list --profile anna scan FOLDER")
        await driver.press("enter")
        await driver.until(lambda: driver.app.screen is driver.browse, "Browse")
        await driver.press("left", "down", "enter")
        await driver.wait_for_notice("The list of user 1")
        await driver.press("c")
        await driver.see("Users of a dataset have no lists.")


async def test_a_list_in_the_filter_line_is_completed_and_checked(faked: FakeEngine, store: Store) -> None:
    put(store, ANNA, "Rainy evenings", 3, 5, 8)
    async with started(LARGE, engine=faked) as driver:
        await driver.press("f")
        await driver.type("list")
        await driver.see('list:"Rainy evenings" 3')
        await driver.press("tab", "enter")
        await driver.until(lambda: driver.movies.total == 3, "the list")
        await driver.press("f", "ctrl+u")
        await driver.type("list:nothing")
        await driver.press("enter")
        await driver.wait_for_notice("There is no list 'nothing' of anna; lists: Rainy evenings.")
        assert driver.app.session.view.filter_text in ("", 'list:"Rainy evenings"')


async def test_the_filter_loses_a_list_that_the_next_viewer_lacks(faked: FakeEngine, store: Store) -> None:
    put(store, ANNA, "shelf", 2, 3)
    async with started(engine=faked) as driver:
        await driver.press("e", "c")
        await driver.see("shelf")
        await driver.press("enter")
        await driver.until(lambda: driver.movies.total == 1, "the even movie of the shelf")
        await driver.press("left", "down", "enter")
        await driver.wait_for_notice("The list of user 1")
        await driver.until(lambda: driver.movies.total == 120, "the even movies")
        assert driver.app.session.view.filter_text == "+even"


async def test_a_change_in_another_window_is_shown(faked: FakeEngine, store: Store) -> None:
    put(store, ANNA, "shelf", 2, 3)
    async with started(engine=faked) as driver:
        await driver.press("c")
        await driver.see("shelf")
        await driver.press("enter")
        await driver.until(lambda: driver.movies.total == 2, "the shelf")
        put(store, ANNA, "shelf", 2, 3, 4)
        await driver.until(lambda: driver.movies.total == 3, "the new movie")
        await driver.press("u")
        await driver.wait_for_notice("undid the change of the list shelf")
        await driver.until(lambda: driver.movies.total == 2, "the shelf as before")
        await driver.press("r")
        await driver.wait_for_notice("redid the change of the list shelf")
        await driver.press("h")
        await driver.see("added movies")
        await driver.press("escape")
        store.change_list(ANNA, "shelf", lambda movies: (), "removed the list")
        await driver.until(lambda: driver.movies.total == 240, "all movies, because the list is gone")
        assert driver.app.session.view.filter_text == ""


async def test_a_click_chooses_a_list(faked: FakeEngine, store: Store) -> None:
    put(store, ANNA, "shelf", 2, 3)
    async with started(LARGE, engine=faked) as driver:
        await driver.press("c")
        await driver.until(lambda: isinstance(driver.app.screen, ListsPanel), "the lists")
        await driver.see("shelf")
        await driver.pilot.click("#lists", offset=(5, 1))
        await driver.until(lambda: driver.movies.total == 2, "the shelf")
