"""Browse, by keyboard: the list, viewers, pairs, panels, and changes and failures elsewhere."""

import asyncio
import os
import re
import shutil
import signal
from pathlib import Path

import pytest
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Input

from movietui.data.storage import locations
from movietui.protocol.viewers import profile, user
from movietui.state.child_processes import Engine
from movietui.store.ratings import Change, Movie, Step, Store
from movietui.store.runs import Runs
from movietui.ui.browse import viewers
from movietui.ui.browse.list_pane import ListPane
from movietui.ui.wording import describe_step
from tests.movietui.driving import LARGE, SIZES, SMALL, lines, shown, started
from tests.movietui.fakes import PEOPLE, FakeEngine, with_run
from tests.movietui.processes import gone, processes_of


def rated_by(ref_user: str) -> dict[str, float]:
    store = Store(locations.store())
    ref = user(ref_user, "demo") if ref_user.isdigit() else profile(ref_user)
    result = {rated.movie.title: rated.stars for rated in store.ratings(ref)}
    store.close()
    return result


async def test_the_first_start_works_without_a_network(home: Path) -> None:
    async with started(engine=Engine(), wait=False) as driver:
        await driver.see("ml-100k could not be downloaded")
        await driver.press("e")
        await driver.see("Who is watching?")
        await driver.press("l")
        await driver.wait_for_list()
        assert driver.app.session.opened is not None
        assert driver.app.session.opened["dataset"] == "demo"
        assert driver.viewers.has_focus
        screen = shown(driver.app)
        assert "ratings invented" in screen
        assert driver.titles(1)[0][:12] in screen
        assert "user 1" in lines(driver.app)[0]
    assert gone(*processes_of(home))


@pytest.mark.parametrize(
    ("kind", "changes", "undone", "expected"),
    [
        ("rating", [Change(profile("a"), Movie("", "Fargo", 1996), 4.5, None)], True, "Fargo ★ 4½"),
        ("rating", [Change(profile("a"), Movie("", "Fargo", 1996), 4.5, None)], False, "Fargo"),
        ("seen", [Change(profile("a"), Movie("", "Fargo", 1996), None, 1, "seen")], False, "marking Fargo as seen"),
        ("seen", [Change(profile("a"), Movie("", "Fargo", 1996), 1, None, "seen")], True, "marking Fargo as seen"),
        ("import", [Change(profile("a"), Movie("", "Fargo", 1996), None, 4)] * 512, True, "an import with 512 changes"),
    ],
)
def test_a_step_is_described_in_words(kind: str, changes: list[Change], undone: bool, expected: str) -> None:
    assert describe_step(Step(profile("a"), kind, "", tuple(changes)), undone=undone) == expected


@SIZES
async def test_a_start_with_a_model_opens_the_list(ready: Path, size: tuple[int, int]) -> None:
    async with started(size) as driver:
        title, *_, footer = lines(driver.app)
        assert "demo · 3" in title
        assert "mf RMSE 0." in title
        assert title.rstrip().endswith("user 1")
        assert "1-5 Rate" in footer
        assert "? Keys" in footer
        if size == LARGE:
            await driver.see("average   ★")
        for line in lines(driver.app):
            assert len(line.rstrip()) <= size[0]


@SIZES
async def test_clicking_a_key_is_like_pressing_it(faked: FakeEngine, size: tuple[int, int]) -> None:
    async with started(size, engine=faked) as driver:
        column = lines(driver.app)[-1].index("? Keys")
        await driver.pilot.click("#key-line", offset=(column + 3, 0))
        await driver.see("Keys · Browse")


async def test_a_rating_does_not_lay_out_the_screen_again(faked: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    async with started(LARGE, engine=faked) as driver:
        await driver.rate()  # the first notice appears on the status line
        laid_out = []
        refresh = Screen._refresh_layout
        monkeypatch.setattr(Screen, "_refresh_layout", lambda *of, **by: (laid_out.append(of), refresh(*of, **by)))
        await driver.rate()
        await driver.press("down")
        await driver.pilot.pause(0.2)
        assert not laid_out


@SIZES
async def test_a_rating_is_stored_and_changes_the_list(ready: Path, size: tuple[int, int]) -> None:
    async with started(size) as driver:
        before = driver.titles(100)
        await driver.press("down", "down")
        assert driver.movies.cursor == 2
        title = await driver.rate("1")
        assert title == before[2]
        assert rated_by("1") == {title: 1.0}
        assert driver.movies.cursor == 2
        after = driver.titles(100)
        assert title not in after
        assert [one for one in before if one != title][:99] != after[:99]
        assert driver.app.notice.plain.startswith(f"rated {title} ★ 1 · ")
        assert "moved · u undo" in driver.app.notice.plain
        assert f"rated {title} ★ 1"[:60] in lines(driver.app)[-2]
        marks = [line for line in lines(driver.app) if re.search(r"[▲▼]\d", line)]
        assert marks
        await driver.press("down")
        assert not [line for line in lines(driver.app) if re.search(r"[▲▼]\d", line)]
        assert driver.movies.cursor == 3


async def test_marks_show_how_far_a_row_moved(ready: Path) -> None:
    async with started(LARGE) as driver:
        before = driver.titles(100)
        title = await driver.rate("1")
        stayed = [one for one in before if one != title]
        drawn = lines(driver.app)
        for row in driver.movies.known_rows()[:20]:
            (line,) = [one for one in drawn if f" {row['title'][:30]} "[:30] in one and "★" in one][:1]
            step = stayed.index(row["title"]) + 1 - row["rank"] if row["title"] in stayed else 0
            if step:
                assert f"{'▲' if step > 0 else '▼'}{abs(step)}" in line


async def test_half_stars_are_rated_undone_and_redone(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        first = driver.titles(5)
        title = await driver.rate("4")
        await driver.press("right_square_bracket")
        await driver.wait_for_notice(f"rated {title} ★ 4½")
        assert rated_by("1") == {title: 4.5}
        await driver.press("left_square_bracket", "left_square_bracket")
        await driver.wait_for_notice(f"rated {title} ★ 3½")
        for expected in ("★ 3½", "★ 4 ", "★ 4½", "★ 4 "):
            await driver.press("u")
            await driver.wait_for_notice(f"undid {title}")
            await driver.until(lambda expected=expected: expected in f"{driver.app.notice.plain} ", expected)
        await driver.until(lambda: not rated_by("1"), "no rating")
        await driver.until(lambda: driver.titles(5) == first, "the first list")
        await driver.press("u")
        await driver.wait_for_notice("There is nothing to undo.")
        await driver.press("r")
        await driver.wait_for_notice(f"redid {title} ★ 4")
        assert rated_by("1") == {title: 4.0}
        await driver.press("r", "r", "r")
        await driver.until(lambda: rated_by("1") == {title: 3.5}, "three and a half")
        await driver.press("r")
        await driver.wait_for_notice("There is nothing to redo.")


async def test_keys_with_nothing_to_do_say_so(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        for key, expected in (
            ("u", "There is nothing to undo."),
            ("r", "There is nothing to redo."),
            ("left_square_bracket", "Rate a movie first, with 1 to 5"),
            ("right_square_bracket", "Rate a movie first, with 1 to 5"),
            ("minus", "This needs a pair"),
            ("equals_sign", "This needs a pair"),
            ("escape", ""),
        ):
            await driver.press(key)
            await driver.wait_for_notice(expected)
        await driver.press("left", "5")
        await driver.wait_for_notice("Select a movie in the list first; press → to go there.")
        await driver.press("p")
        await driver.wait_for_notice("The list is already for user 1")
        await driver.press("6", "0", "x", "z", "ctrl+x", "f9", "space", "backspace", "delete")
        assert rated_by("1") == {}
        assert driver.app.is_running


async def test_ratings_in_quick_succession_are_all_stored(faked: FakeEngine) -> None:
    """Even if keys come faster than new lists, each key rates the movie under the cursor, and no rating is lost."""
    async with started(engine=faked) as driver:
        total = driver.movies.total
        await driver.press("5", "4", "3", "2", "1")
        await driver.until(lambda: driver.movies.total == total - 5, "five rated")
        assert sorted(rated_by("1").values()) == [1, 2, 3, 4, 5]


async def test_the_last_row_can_be_rated(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        await driver.press("end")
        await driver.until(lambda: driver.movies.current is not None, "the last row")
        last = driver.movies.total - 1
        assert driver.movies.cursor == last
        await driver.rate("3")
        assert driver.movies.cursor == last - 1
        assert driver.movies.current is not None
        await driver.press("home")
        assert driver.movies.cursor == 0


async def test_an_empty_list_says_that_everything_is_seen(home: Path, store: Store) -> None:
    with_run(store)
    engine = FakeEngine()
    engine.titles = engine.titles[:2]
    async with started(engine=engine) as driver:
        await driver.rate("5")
        await driver.press("5")
        await driver.see("You have seen everything here")
        await driver.press("5", "enter", "down")
        await driver.press("u")
        await driver.until(lambda: driver.movies.total == 1 and driver.movies.display, "the list again")


# Viewers


async def test_choosing_a_viewer_shows_their_list(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        mine = driver.titles()
        await driver.press("left")
        assert driver.viewers.has_focus
        await driver.press("down", "down", "enter")
        await driver.wait_for_notice("The list of user 3")
        assert driver.movies.has_focus
        assert driver.titles() != mine
        assert lines(driver.app)[0].rstrip().endswith("user 3")
        await driver.press("left", "right")
        assert driver.movies.has_focus
        await driver.press("left", "escape")
        assert driver.movies.has_focus


async def test_a_search_finds_a_viewer(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        await driver.press("left", "slash")
        await driver.type("11")
        await driver.until(lambda: driver.viewers.total < 100, "the matches")
        await driver.see("110")
        await driver.type("7")
        await driver.until(lambda: driver.viewers.total == 4, "user 117")
        await driver.press("enter")
        await driver.wait_for_notice("The list of user 117")
        assert driver.movies.has_focus
        await driver.press("escape")
        await driver.until(lambda: driver.viewers.total > 100, "everybody")


async def test_a_search_can_begin_while_another_ends(faked: FakeEngine) -> None:
    async with started(LARGE, engine=faked) as driver:
        pane = driver.browse.viewers_pane
        for _ in range(3):
            await pane.search()
            await asyncio.gather(pane.end_search(), pane.search())
        await driver.type("9")
        await driver.until(lambda: driver.app.focused is driver.widget("#search"), "the field")
        await driver.press("escape", "d")
        await driver.see("Datasets")


async def test_a_widget_that_is_being_removed_gets_no_focus(faked: FakeEngine) -> None:
    async with started(LARGE, engine=faked) as driver:
        field = Input()
        await driver.browse.mount(field)
        removed = field.remove()
        driver.browse.set_focus(field)
        await removed
        assert driver.app.focused is driver.movies
        await driver.press("d")
        await driver.see("Datasets")


async def test_the_frame_can_be_drawn_before_the_list_is_there(
    faked: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[bool] = []
    compose = ListPane.compose

    def composed_late(pane: ListPane) -> ComposeResult:
        pane.app.refresh_frames()  # type: ignore[attr-defined]
        drawn.append(pane.screen in pane.app.screen_stack)
        yield from compose(pane)

    monkeypatch.setattr(ListPane, "compose", composed_late)
    async with started(LARGE, engine=faked) as driver:
        await driver.see("★ predicted")
        assert drawn == [True]


async def test_users_of_a_large_dataset_are_looked_up(faked: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewers, "LISTED_USERS", PEOPLE - 1)
    async with started(LARGE, engine=faked) as driver:
        await driver.see(f"{PEOPLE:,}; / finds one")
        rows = driver.app.query_one(viewers.ViewerList)
        assert [row.ref.id for row in rows.known_rows() if isinstance(row, viewers.ViewerRow)] == ["1"]
        await driver.press("left", "slash", "7")
        await driver.see(" 7 ")
        await driver.press("escape")
        await driver.see(f"{PEOPLE:,}; / finds one")


async def test_a_search_for_viewers_says_if_nobody_matches(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        await driver.press("left", "slash")
        await driver.type("zzz")
        await driver.see("nobody matches")
        await driver.press("enter", "enter", "p", "down", "up", "end", "home")
        assert rated_by("1") == {}
        assert [ref.id for ref in driver.app.session.audience.viewers] == ["1"]
        await driver.press("escape")
        await driver.until(lambda: driver.viewers.total > 100, "everybody")
        assert driver.viewers.has_focus


async def test_letters_typed_into_the_search_are_not_keys(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        await driver.press("left", "slash")
        await driver.type("qdtbunp?[1-5]")
        assert driver.app.is_running
        assert driver.app.current_mode == "browse"
        assert driver.app.screen is driver.browse
        assert rated_by("1") == {}
        await driver.press("escape")


async def test_a_new_profile_can_be_created_and_rate(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        await driver.press("n")
        await driver.see("New profile")
        await driver.press("enter")
        await driver.see("A profile name has")
        await driver.type("[b]Eva[/b]")
        await driver.press("enter")
        await driver.leave_the_interview()
        assert lines(driver.app)[0].rstrip().endswith("[b]Eva[/b]")
        assert driver.movies.has_focus
        await driver.press("left")
        await driver.see("● [b]Eva[/b]")
        await driver.press("right")
        title = await driver.rate("5")
        assert rated_by("[b]Eva[/b]") == {title: 5.0}
        await driver.press("n")
        await driver.type("[B]eva[/B]")
        await driver.press("enter")
        await driver.see("already")
        await driver.press("escape")
        assert driver.app.screen is driver.browse
        assert [ref.id for ref, _ in driver.app.session.store.profiles()] == ["[b]Eva[/b]"]


async def test_the_last_viewer_is_shown_at_the_next_start(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        await driver.press("left", "down", "down", "down", "enter")
        await driver.wait_for_notice("The list of user 4")
        title = await driver.rate("5")
    async with started(engine=faked) as driver:
        assert lines(driver.app)[0].rstrip().endswith("user 4")
        assert title not in driver.titles(100)
        await driver.press("u")
        await driver.wait_for_notice(f"undid {title}")


# The pair


@SIZES
async def test_a_pair_has_its_own_list_and_both_members_rate(ready: Path, size: tuple[int, int]) -> None:
    async with started(size) as driver:
        alone = driver.titles()
        await driver.pair_with_next()
        screen = shown(driver.app)
        assert "Unseen by both" in screen
        assert "A 1" in screen
        assert "B 2" in screen
        assert "A user 1" in lines(driver.app)[0]
        assert "B user 2" in lines(driver.app)[0]
        if size == LARGE:
            assert "agree" in screen
            assert "●●" in screen
        together = driver.titles()
        assert together != alone
        title = await driver.rate("5")
        assert rated_by("1") == {title: 5.0}
        assert "as A user 1" in driver.app.notice.plain
        await driver.press("tab")
        await driver.wait_for_notice("The next rating is for B: user 2")
        second = await driver.rate("2")
        assert rated_by("2") == {second: 2.0}
        assert "as B user 2" in driver.app.notice.plain
        await driver.press("u")
        await driver.wait_for_notice(f"undid {second}")
        await driver.press("u")
        await driver.wait_for_notice(f"undid {title}")
        assert (rated_by("1"), rated_by("2")) == ({}, {})
        await driver.press("escape")
        await driver.until(lambda: not driver.movies.together, "one viewer")
        assert driver.titles() == alone


async def test_the_dial_changes_the_order_for_a_pair(faked: FakeEngine) -> None:
    async with started(LARGE, engine=faked) as driver:
        await driver.pair_with_next()
        for _ in range(7):
            await driver.press("minus")
        await driver.see("average ├●──────────┤ least misery")
        average = driver.titles(30)
        for _ in range(11):
            await driver.press("equals_sign")
        await driver.see("average ├──────────●┤ least misery")
        await driver.until(lambda: driver.titles(30) != average, "another order")


async def test_two_keys_end_a_pair(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        for key in ("escape", "p"):
            await driver.pair_with_next()
            await driver.press(key)
            await driver.until(lambda: not driver.app.session.audience.together, "one viewer")
            await driver.press("left", "up", "right")
        await driver.press("p")
        await driver.wait_for_notice("Select a second viewer, then press p.")
        assert driver.viewers.has_focus


async def test_a_profile_and_a_user_can_be_a_pair(ready: Path) -> None:
    async with started(LARGE) as driver:
        await driver.press("n")
        await driver.type("Eva")
        await driver.press("enter")
        await driver.leave_the_interview()
        await driver.press("left", "slash")
        await driver.type("12")
        await driver.until(lambda: driver.viewers.total < 50, "the matches")
        await driver.press("enter")
        await driver.until(lambda: driver.viewers.has_focus, "the viewers")
        await driver.press("p")
        await driver.see("too few movies in common")
        await driver.press("tab")
        title = await driver.rate("4")
        assert rated_by("12") == {title: 4.0}


# Panels and screens


@SIZES
async def test_enter_explains_the_selected_movie(faked: FakeEngine, size: tuple[int, int]) -> None:
    async with started(size, engine=faked) as driver:
        await driver.press("enter")
        title = driver.titles(1)[0]
        await driver.until(lambda: driver.app.screen is not driver.browse, "the panel")
        for expected in (title, "because you liked", "average", "predicted"):
            await driver.see(expected)
        await driver.press("down", "up", "5")
        assert rated_by("1") == {}
        await driver.press("escape")
        assert driver.app.screen is driver.browse


async def test_a_key_leads_to_each_screen(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        for key, expected in (("d", "Datasets"), ("t", "Models"), ("b", "Unseen · by how much")):
            await driver.press(key)
            await driver.see(expected)
        await driver.press("ctrl+p")
        await driver.pilot.pause(0.1)
        await driver.press("escape")
        await driver.see(driver.titles(1)[0][:10])


async def test_a_small_window_asks_for_a_larger_one(faked: FakeEngine) -> None:
    async with started((50, 12), engine=faked) as driver:
        for size in ((59, 40), (140, 15), (50, 12)):
            await driver.pilot.resize_terminal(*size)
            await driver.see("needs a larger window")
            assert "★" not in shown(driver.app)
        await driver.pilot.resize_terminal(*SMALL)
        await driver.see(driver.titles(1)[0][:15])


async def test_resizing_keeps_everything(faked: FakeEngine) -> None:
    async with started(LARGE, engine=faked) as driver:
        await driver.pair_with_next()
        await driver.press(*["down"] * 12)
        title = driver.movies.current
        assert title is not None
        for size in (SMALL, (50, 12), (90, 18), (200, 60), LARGE):
            await driver.pilot.resize_terminal(*size)
            await driver.pilot.pause(0.05)
            assert driver.movies.cursor == 12
            assert driver.movies.current == title
            assert driver.app.session.audience.together
            if size[0] >= 60 and size[1] >= 16:
                await driver.see(title["title"][:12])
        assert driver.movies.has_focus


@pytest.mark.parametrize("pair", [False, True], ids=["one", "pair"])
async def test_titles_can_be_read_at_any_width(faked: FakeEngine, pair: bool) -> None:
    async with started(SMALL, engine=faked) as driver:
        if pair:
            await driver.pair_with_next()
        for columns in (80, 99, 100, 110, 120, 60):
            await driver.pilot.resize_terminal(columns, 20)
            await driver.see(driver.titles(1)[0][:6])


async def test_q_quits(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        await driver.press("q")
        await driver.until(lambda: not driver.app.is_running, "the end")
        assert driver.app.return_code == 0


# Changes and failures elsewhere


async def test_a_killed_engine_goes_unnoticed(ready: Path) -> None:
    async with started(LARGE, engine=Engine()) as driver:
        for _ in range(2):
            connection = driver.app.session.engine._connection
            assert connection is not None
            os.kill(connection.process.pid, signal.SIGKILL)
            await driver.rate("5")
            assert not driver.app.notice.plain.startswith("!")
        assert len(rated_by("1")) == 2


async def test_a_rating_is_stored_even_if_no_list_can_be_made(home: Path, store: Store) -> None:
    with_run(store)
    engine = FakeEngine()
    async with started(engine=engine) as driver:
        engine.problem = "The ranking engine stopped twice; restart movietui."
        await driver.press("5")
        await driver.wait_for_notice("The ranking engine stopped twice")
        assert len(rated_by("1")) == 1
        await driver.press("enter", "u", "left", "down", "enter", "end", "pageup", "p")
        await driver.press("left", "slash", "7", "escape")
        await driver.press("d")
        await driver.pilot.pause(0.1)
        await driver.press("t")
        await driver.pilot.pause(0.1)
        await driver.press("enter", "b")
        assert driver.app.is_running
        engine.problem = ""
        await driver.press("right")
        await driver.press("down")
        await driver.rate("4")


async def test_a_rating_in_another_window_changes_the_list(ready: Path) -> None:
    async with started() as driver:
        await driver.pilot.pause(1.2)
        row = driver.movies.known_rows()[0]
        other = Store(locations.store())
        await asyncio.to_thread(other.rate, user("1", "demo"), Movie(row["key"], row["title"], row["year"]), 4)
        other.create_profile("elsewhere")
        other.close()
        await driver.until(lambda: row["title"] not in driver.titles(100), "the list without the movie")
        await driver.press("left")
        await driver.see("elsewhere")


async def test_a_rating_in_another_window_is_noticed_from_the_start(faked: FakeEngine) -> None:
    """The app must notice even a change between its first list and its first check of the store."""
    async with started(engine=faked) as driver:
        row = driver.movies.known_rows()[0]
        other = Store(locations.store())
        await asyncio.to_thread(other.rate, user("1", "demo"), Movie(row["key"], row["title"], row["year"]), 4)
        other.close()
        await driver.until(lambda: row["title"] not in driver.titles(100), "the list without the movie")


async def test_a_model_whose_checkpoint_is_missing_is_trained_again(small: Path) -> None:
    shutil.rmtree(locations.checkpoints())
    async with started() as driver:
        await driver.until(lambda: driver.movies.total, "a list")
        models = [run.model for run in Runs(driver.app.session.store).find()]
        assert models.count("mf") == 2


async def test_the_app_starts_if_the_last_viewer_is_gone(ready: Path) -> None:
    """This happens if the dataset has been read again from another file, which lacks the user."""
    store = Store(locations.store())
    store.choose("viewer:demo", "user:99999")
    store.close()
    async with started(wait=False) as driver:
        await driver.until(lambda: driver.browse.viewers_pane.viewers.total > 400, "the viewers")
        await driver.pilot.pause(0.3)
        await driver.press("left", "down", "enter")
        await driver.until(lambda: driver.movies.total and driver.movies.display, "a list")
