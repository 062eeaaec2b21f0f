"""The marks watchlist, hidden and seen, the history, and profiles that are renamed and deleted."""

import pytest

from movietui.data.problems import Problem
from movietui.data.storage import locations
from movietui.protocol.viewers import profile, user
from movietui.store.ratings import Movie, Store
from tests.movietui.driving import LARGE, SIZES, Driver, lines, shown, started
from tests.movietui.fakes import FakeEngine

ONE = user("1", "demo")
EVA, TOM = profile("Eva"), profile("Tom")


def marks(store: Store, ref: object = ONE) -> dict[str, str]:
    return {marked.movie.title: marked.mark for marked in store.marks(ref)}  # type: ignore[arg-type]


@SIZES
async def test_a_key_adds_to_the_watchlist_and_another_shows_it(
    faked: FakeEngine, store: Store, size: tuple[int, int]
) -> None:
    async with started(size, engine=faked) as driver:
        await driver.press("down", "w")
        title = driver.titles(2)[1]
        await driver.wait_for_notice(f"added {title} to the watchlist")
        assert marks(store) == {title: "watchlist"}
        assert [line for line in lines(driver.app) if f"◆ {title[:9]}" in line]
        assert driver.movies.cursor == 1
        await driver.press("w")
        await driver.wait_for_notice(f"removed {title} from the watchlist")
        assert marks(store) == {}
        assert "◆" not in shown(driver.app)
        await driver.press("u", "u")
        await driver.until(lambda: not marks(store), "no mark")
        await driver.press("r")
        await driver.wait_for_notice(f"redid adding {title} to the watchlist")
        assert marks(store) == {title: "watchlist"}
        await driver.see("◆")
        await driver.press("W")
        await driver.until(lambda: driver.titles() == [title], "the watchlist alone")
        await driver.see("Watchlist ·")
        await driver.press("w")
        await driver.see("The watchlist is empty")
        await driver.press("W")
        await driver.until(lambda: driver.movies.total == 240, "all movies")


@pytest.mark.parametrize(
    ("key", "mark", "expected", "undone"),
    [("x", "hidden", "hid {}", "hiding {}"), ("v", "seen", "marked {} as seen", "marking {} as seen")],
)
async def test_a_hidden_or_seen_movie_leaves_the_list_at_once(
    faked: FakeEngine, store: Store, key: str, mark: str, expected: str, undone: str
) -> None:
    async with started(LARGE, engine=faked) as driver:
        title = driver.titles(1)[0]
        await driver.press(key)
        await driver.wait_for_notice(expected.format(title))
        assert marks(store) == {title: mark}
        assert title not in driver.titles(100)
        assert driver.movies.total == 239
        await driver.press("u")
        await driver.wait_for_notice(f"undid {undone.format(title)}")
        assert driver.titles(1) == [title]
        assert marks(store) == {}


async def test_marks_need_the_focus_on_the_list(faked: FakeEngine, store: Store) -> None:
    async with started(engine=faked) as driver:
        await driver.press("left", "w", "v")
        await driver.wait_for_notice("Select a movie in the list first")
        assert marks(store) == {}


async def test_a_pair_sees_either_watchlist_or_what_both_want(faked: FakeEngine, store: Store) -> None:
    async with started(LARGE, engine=faked) as driver:
        await driver.press("left", "down", "p")
        await driver.until(lambda: driver.movies.together, "the pair")
        first, second = driver.titles(2)
        await driver.press("w", "down", "w", "tab", "w")
        await driver.until(lambda: marks(store, user("2", "demo")) == {second: "watchlist"}, "the mark of B")
        assert marks(store) == {first: "watchlist", second: "watchlist"}
        await driver.see(f"◆A {first}")
        await driver.see(f"◆AB {second[:9]}")
        await driver.press("W")
        await driver.until(lambda: driver.titles() == [first, second], "either watchlist")
        await driver.press("W")
        await driver.until(lambda: driver.titles() == [second], "both watchlists")
        await driver.press("escape")
        await driver.until(lambda: driver.titles() == [first, second], "one watchlist")


# History


async def rate_three(driver: Driver) -> list[str]:
    return [await driver.rate(key) for key in "345"]


@SIZES
async def test_history_lists_everything(faked: FakeEngine, size: tuple[int, int]) -> None:
    async with started(size, engine=faked) as driver:
        first, second, third = await rate_three(driver)
        await driver.press("w")
        await driver.wait_for_notice("watchlist")
        await driver.press("h")
        await driver.see("History · user 1")
        drawn = [line for line in lines(driver.app) if "★" in line and "│" in line and "20" in line]
        for title, stars, line in zip((third, second, first), ("★ 5", "★ 4", "★ 3"), drawn, strict=False):
            assert title[:9] in line
            assert stars in line
        await driver.see("+ watchlist")
        await driver.press("escape")
        assert driver.app.screen is driver.browse


async def test_the_history_undoes_and_redoes_to_any_step(faked: FakeEngine, store: Store) -> None:
    async with started(LARGE, engine=faked) as driver:
        first, second, third = await rate_three(driver)
        await driver.press("h")
        await driver.see("History · user 1")
        await driver.press("down", "enter")
        await driver.see("undid 2 steps")
        assert [rated.movie.title for rated in store.ratings(ONE)] == [first]
        assert shown(driver.app).count("↶") == 2
        await driver.press("up", "enter")
        await driver.see("redid 2 steps")
        assert [rated.movie.title for rated in store.ratings(ONE)] == [first, second, third]
        await driver.press("u")
        await driver.see(f"undid {third}")
        await driver.press("r")
        await driver.see(f"redid {third}")
        await driver.press("r")
        await driver.see("There is nothing to redo")


async def test_one_step_can_be_undone_alone(faked: FakeEngine, store: Store) -> None:
    async with started(LARGE, engine=faked) as driver:
        first, second, third = await rate_three(driver)
        await driver.press("h")
        await driver.see("History · user 1")
        await driver.press("end", "x")
        await driver.see(f"undid {first}")
        assert [rated.movie.title for rated in store.ratings(ONE)] == [second, third]
        await driver.press("end", "x")
        await driver.see("This step cannot be undone on its own")
        await driver.press("escape")
        await driver.until(lambda: first in driver.titles(100), "the movie in the list again")
        await driver.press("u")
        await driver.until(lambda: first not in driver.titles(100), "the list without the movie")
        assert len(store.ratings(ONE)) == 3


async def test_an_empty_history_says_so(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        await driver.press("h")
        await driver.see("Nothing yet")
        await driver.press("u", "enter", "x", "h")
        assert driver.app.screen is driver.browse


def test_undoing_one_step_alone_keeps_later_changes(store: Store) -> None:
    movie = Movie("fargo 1996", "Fargo", 1996)
    for stars in (2, 4, 5):
        store.rate(EVA, movie, stars)
    newest, middle, _ = store.history(EVA)
    assert store.take_back(middle) is None
    taken = store.take_back(newest)
    assert taken is not None
    assert [(change.before, change.after) for change in taken.changes] == [(5, 4)]
    assert [rated.stars for rated in store.ratings(EVA)] == [4]
    store.undo([EVA])
    assert [rated.stars for rated in store.ratings(EVA)] == [5]


# Profiles


async def test_a_profile_is_renamed(faked: FakeEngine, store: Store) -> None:
    store.create_profile("Eva")
    store.create_profile("Tom")
    async with started(engine=faked) as driver:
        assert driver.app.session.audience.viewers == (EVA,)
        title = await driver.rate()
        await driver.press("left", "e")
        await driver.see("New name for Eva")
        await driver.press("ctrl+u")
        await driver.type("tom")
        await driver.press("enter")
        await driver.see("The profile 'Tom' already exists")
        await driver.press("ctrl+u")
        await driver.type("Ada")
        await driver.press("enter")
        await driver.wait_for_notice("Eva is now Ada")
        assert driver.app.session.audience.viewers == (profile("Ada"),)
        assert lines(driver.app)[0].rstrip().endswith("Ada")
        assert [rated.movie.title for rated in store.ratings(profile("Ada"))] == [title]
        assert [ref.id for ref, _ in store.profiles()] == ["Ada", "Tom"]


async def test_a_deleted_profile_can_be_restored(faked: FakeEngine, store: Store) -> None:
    store.create_profile("Eva")
    store.create_profile("Tom")
    async with started(engine=faked) as driver:
        title = await driver.rate()
        await driver.press("left", "x")
        await driver.wait_for_notice("Deleted Eva · u undo")
        assert [ref for ref, _ in store.profiles()] == [TOM]
        assert driver.app.session.audience.viewers == (TOM,)
        await driver.press("right")
        other = await driver.rate()
        await driver.press("u")
        await driver.wait_for_notice(f"undid {other}")
        await driver.press("u")
        await driver.wait_for_notice("undid the deletion of Eva")
        assert [ref for ref, _ in store.profiles()] == [EVA, TOM]
        assert [rated.movie.title for rated in store.ratings(EVA)] == [title]
        await driver.see("Eva")
        await driver.press("r")
        await driver.wait_for_notice("redid the deletion of Eva")
        assert [ref for ref, _ in store.profiles()] == [TOM]


async def test_users_cannot_be_renamed_or_deleted(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        for key in ("e", "x"):
            await driver.press("left", key)
            await driver.wait_for_notice("Only profiles can be renamed or deleted")
            await driver.press("right")


def test_a_deleted_name_is_free_again(store: Store) -> None:
    store.create_profile("Eva")
    deleted = store.delete_profile(EVA)
    store.create_profile("eva")
    with pytest.raises(Problem, match="already"):
        store.restore_profile(EVA, deleted)
    store.delete_profile(profile("eva"))
    assert store.profiles() == []
    store.restore_profile(EVA, deleted)
    assert [ref.id for ref, _ in store.profiles()] == ["Eva"]


def test_a_profile_that_was_deleted_long_ago_cannot_be_restored(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.create_profile("Eva")
    with monkeypatch.context() as patch:
        patch.setattr("movietui.store.ratings.now", lambda: "2020-01-01T00:00:00.000+00:00")
        deleted = store.delete_profile(EVA)
    store.create_profile("Tom")
    store.delete_profile(TOM)
    with pytest.raises(Problem, match="The profile 'Eva' no longer exists"):
        store.restore_profile(EVA, deleted)


def test_a_profile_that_is_not_there_cannot_be_renamed(store: Store) -> None:
    with pytest.raises(Problem, match="The profile 'Eva' no longer exists"):
        store.rename_profile(EVA, "Ada")


def test_marks_from_another_window_are_noticed(store: Store) -> None:
    movie = Movie("fargo 1996", "Fargo", 1996)
    other = Store(locations.store())
    other.mark(EVA, movie, "hidden")
    other.close()
    assert [each.movie for each in store.marks(EVA, "hidden")] == [movie]
