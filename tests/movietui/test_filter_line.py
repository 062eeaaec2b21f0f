"""The filter in Browse can be typed, completed, saved, and changed step by step with keys."""

import doctest

import pytest

from movietui.data.problems import Problem
from movietui.state import filter_line
from movietui.state.filter_line import FILTER, check_name, expand, step_decade, step_genre
from movietui.store.ratings import Store
from tests.movietui.driving import LARGE, SIZES, SMALL, lines, shown, started
from tests.movietui.fakes import FakeEngine


@SIZES
async def test_a_filter_applies_as_it_is_typed(faked: FakeEngine, size: tuple[int, int]) -> None:
    async with started(size, engine=faked) as driver:
        await driver.press("f")
        await driver.see("+Comedy -Horror")
        await driver.press("plus")
        await driver.see("+even 120")
        await driver.type("odd")
        await driver.wait_for_notice("120 unseen movies match +odd")
        assert driver.movies.total == 120
        await driver.press("enter")
        assert driver.movies.has_focus
        await driver.until(lambda: "f +odd" in lines(driver.app)[1], "the filter above the list")
        await driver.rate("4")
        assert driver.movies.total == 119
        await driver.press("f", "escape")
        await driver.see("f +odd")
        await driver.press("f", "ctrl+u", "enter")
        await driver.until(lambda: driver.movies.total == 239, "all movies")
        assert "f +odd" not in shown(driver.app)


async def test_a_line_above_the_list_that_is_too_long_ends_in_an_ellipsis(faked: FakeEngine) -> None:
    async with started(SMALL, engine=faked) as driver:
        await driver.press("f")
        await driver.type("@Ann #calm-seas 1990..1999")
        await driver.press("enter", "full_stop", "greater_than_sign")
        await driver.until(lambda: "any year" in lines(driver.app)[1], "both dials above the list")
        await driver.until(lambda: lines(driver.app)[1].rstrip().endswith("…"), "the start of the line")
        await driver.pilot.resize_terminal(*LARGE)
        await driver.until(lambda: lines(driver.app)[1].rstrip().endswith("recent"), "the whole line")


async def test_escape_restores_the_previous_filter(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        await driver.press("f", "plus", *"even")
        await driver.wait_for_notice("match +even")
        await driver.press("escape")
        await driver.until(lambda: driver.movies.total == 240, "all movies")
        assert driver.app.session.view.filter_text == ""
        assert driver.movies.has_focus


async def test_an_invalid_filter_is_reported_and_changes_nothing(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        await driver.press("f", "plus", *"odd", "space", "plus", *"western")
        await driver.wait_for_notice("There is no genre 'western'; choose one of even, odd.")
        assert driver.movies.total == 120
        assert driver.app.session.view.filter_text == "+odd"


async def test_tab_completes_the_filter(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        await driver.press("f", "plus")
        await driver.see("+even 120")
        await driver.press("down", "tab")
        await driver.wait_for_notice("match +odd")
        await driver.press(*"198")
        await driver.see("1980..1989 40")
        await driver.press("tab")
        await driver.wait_for_notice("match +odd 1980..1989")
        await driver.press("tab", "down", "up", "enter")
        assert driver.app.session.view.filter_text == "+odd 1980..1989"


async def test_letters_typed_into_the_filter_are_not_keys(faked: FakeEngine, store: Store) -> None:
    async with started(engine=faked) as driver:
        await driver.press("f")
        await driver.type("wxvfnhpq/5")
        assert driver.app.screen is driver.browse
        assert driver.app.is_running
        assert driver.movies.total == 240
        await driver.press("left", "right", "escape")
        assert driver.movies.has_focus


async def test_a_filter_is_saved_applied_and_deleted_by_name(faked: FakeEngine) -> None:
    async with started(LARGE, engine=faked) as driver:
        await driver.press("f", "plus", *"odd", "ctrl+s")
        await driver.see("Save '+odd' as")
        await driver.type("two words")
        await driver.press("enter")
        await driver.see("one word of up to 20 characters")
        await driver.press("ctrl+u", *"strange", "enter")
        await driver.wait_for_notice("Saved +odd · f then :strange applies it")
        await driver.press("escape")
        await driver.until(lambda: driver.movies.total == 240, "all movies")
        await driver.press("f")
        await driver.see(":strange +odd")
        await driver.press("tab", "enter")
        await driver.until(lambda: driver.movies.total == 120, "the odd ones")
        assert driver.app.session.view.filter_text == "+odd"
        await driver.press("f", "ctrl+u", "colon", *"nothing")
        await driver.wait_for_notice("There is no saved filter :nothing; saved filters: :strange.")
        await driver.press("ctrl+u", "ctrl+s")
        await driver.see("The filter is empty. Which saved filter do you want to")
        await driver.see("delete?")
        await driver.press(*"strange", "enter")
        await driver.wait_for_notice("Deleted :strange")
        assert driver.app.session.store.choices(FILTER) == {}


async def test_keys_step_through_genres_and_decades(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        for key, expected in (
            ("e", "+even"),
            ("e", "+odd"),
            ("o", "+odd 1990..1999"),
            ("o", "+odd 1980..1989"),
            ("O", "+odd 1990..1999"),
            ("e", "1990..1999"),
            ("E", "1990..1999 +odd"),
            ("O", "+odd"),
            ("O", "+odd 1990..1999"),
            ("O", "+odd"),
            ("e", ""),
        ):
            await driver.press(key)
            await driver.until(lambda expected=expected: driver.app.session.view.filter_text == expected, expected)
        await driver.until(lambda: driver.movies.total == 240, "all movies")


async def test_an_empty_list_says_why(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        await driver.press("f")
        await driver.type("+even +odd")
        await driver.see("No unseen movie matches")


def test_the_examples_in_docstrings_are_right() -> None:
    assert doctest.testmod(filter_line).attempted >= 3
    assert doctest.testmod(filter_line).failed == 0


def test_steps_through_genres_and_decades_wrap_around() -> None:
    genres = ["Drama", "(no genres listed)", "Film-Noir"]
    assert [text := "", *(text := step_genre(text, genres, 1) for _ in range(3))] == ["", "+Drama", "+Film-Noir", ""]
    assert step_genre("+Drama", genres, -1) == ""
    assert step_genre('"a film" +War', genres, -1) == '"a film" +War +Film-Noir'
    assert step_decade("", [], 1) == step_decade("", [], -1) == ""
    assert step_decade("+War", [1990, 1980, 1970], -1) == "+War 1990..1999"
    assert step_decade("1931..1947", [1990, 1980], -1) == "1980..1989"


def test_names_of_saved_filters_are_expanded_and_checked() -> None:
    assert expand("a :b c", {"b": "+D <=90m"}) == "a +D <=90m c"
    assert expand('"not :b"', {"b": "x"}) == '"not :b"'
    with pytest.raises(Problem, match="saved filters: none yet"):
        expand(":b", {})
    assert check_name(" :late ") == "late"
    for wrong in ("", "two words", 'quo"te', "a:b", "x" * 21):
        with pytest.raises(Problem, match="one word"):
            check_name(wrong)


@SIZES
async def test_the_key_hints_are_fully_visible(faked: FakeEngine, size: tuple[int, int]) -> None:
    many = [{"line": f"+{name}", "part": f"+{name * 9}", "movies": 1000} for name in "abcdefgh"]
    faked.complete_filter = lambda *, text, lists: many  # type: ignore[method-assign]
    async with started(size, engine=faked) as driver:
        await driver.press("f", "plus")
        await driver.see("tab accept · ↑ ↓ others · enter apply")
        await driver.see(many[0]["part"])
        await driver.press("down")
        await driver.until(lambda: many[0]["part"] not in shown(driver.app), "the next one first")
        await driver.see("enter apply")


async def test_details_are_empty_if_no_movie_matches(faked: FakeEngine) -> None:
    async with started(LARGE, engine=faked) as driver:
        await driver.see("because you liked")
        await driver.press("f")
        await driver.type("+even +odd")
        await driver.see("No unseen movie matches")
        await driver.until(lambda: "because you liked" not in shown(driver.app), "the details to be cleared")
