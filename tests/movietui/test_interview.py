"""Getting to know somebody: cards, single films, the way back, and the list beside it."""

import re
from pathlib import Path

import pytest

from data.problems import Problem
from movietui.screens.interview import InterviewScreen
from movietui.store import Store
from movietui.viewers import profile, user
from tests.movietui.driving import LARGE, SIZES, SMALL, Driver, lines, shown, started
from tests.movietui.fakes import FakeEngine, title

STARS = re.compile(r"★ \d\.\d|±")


async def begin(driver: Driver, name: str = "eva") -> InterviewScreen:
    await driver.press("n")
    await driver.see("New profile")
    await driver.type(name)
    await driver.press("enter")
    await driver.see("3 points to spend")
    assert isinstance(driver.app.screen, InterviewScreen)
    return driver.app.screen


async def past_the_cards(driver: Driver) -> None:
    await driver.press(*"00000")
    await driver.see("How many stars?")


def rated(store: Store, name: str = "eva") -> dict[str, float]:
    return {one.film.title: one.stars for one in store.ratings(profile(name))}


@SIZES
async def test_points_become_the_stars_that_the_card_says(
    faked: FakeEngine, store: Store, size: tuple[int, int]
) -> None:
    async with started(size, engine=faked) as driver:
        await begin(driver)
        for words in (title(0), title(2), "●○○ ★ 4  ●●○ ★ 4½  ●●● ★ 5", "enter", "how well you are known", "0%"):
            assert words in shown(driver.app)
        await driver.press("1", "1")
        await driver.see(f"1 ●●○ {title(0)}")
        await driver.press("0")
        await driver.told("go on with these")
        assert rated(store) == {}
        await driver.press("3")
        await driver.told(f"rated {title(0)} ★ 4½ and rated {title(2)} ★ 4")
        assert rated(store) == {title(0): 4.5, title(2): 4.0}
        await driver.see("2 of about 15 rated · 1 question")
        await driver.see(f"1 ○○○ {title(3)}")  # the one without points is not asked about again
        await driver.press("2", "enter")
        await driver.told(f"rated {title(4)} ★ 4")
        assert len(rated(store)) == 3


async def test_single_films(faked: FakeEngine, store: Store) -> None:
    async with started(SMALL, engine=faked) as driver:
        screen = await begin(driver)
        await past_the_cards(driver)
        assert rated(store) == {}
        for words in (
            title(15),
            "Crime, [b]Drama[/b]",
            "Ann [i]Odd[/i]",
            "not seen",
            "0 of about 15 rated · 5 questions",
        ):
            assert words in shown(driver.app)
        await driver.press("4")
        await driver.told(f"rated {title(15)} ★ 4")
        assert rated(store) == {title(15): 4.0}
        await driver.press("right_square_bracket")
        await driver.told(f"rated {title(15)} ★ 4½")
        await driver.see(title(16))
        await driver.press("0")
        await driver.see(title(17))
        assert rated(store) == {title(15): 4.5}
        assert (screen.interview.answers, screen.interview.questions) == (1, 7)
        await driver.see("10%")


async def test_the_smallest_terminal(faked: FakeEngine) -> None:
    async with started((60, 16), engine=faked) as driver:
        await begin(driver)
        for words in ("1 ○○○ The Si", "3 ○○○ The La", "●○○ ★ 4", "1 2 3 point", "0%", "0 of about 15"):
            assert words in shown(driver.app)
        await past_the_cards(driver)
        for words in ("The Golden Winter 15", "Ann [i]Odd[/i]", "1 … 5", "not seen", "half off", "0%", "0 of about 15"):
            assert words in shown(driver.app)


async def test_what_is_expected_is_nowhere(faked: FakeEngine) -> None:
    async with started(LARGE, engine=faked) as driver:
        assert STARS.search(shown(driver.app))
        screen = await begin(driver)
        for keys in ("12", "3", "00000", "5", "["):
            await driver.type(keys)
            await driver.pilot.pause()
            assert not STARS.search(shown(driver.app))
        assert screen.titles.known_rows()[0]["title"] in shown(driver.app)


async def test_the_list_gets_better(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        screen = await begin(driver)
        await past_the_cards(driver)
        before = [row["title"] for row in screen.titles.known_rows()[:10]]
        await driver.press("5")
        await driver.until(lambda: [row["title"] for row in screen.titles.known_rows()[:10]] != before, "another list")
        assert "▲" in shown(driver.app)


async def test_undo_goes_back_answer_by_answer(faked: FakeEngine, store: Store) -> None:
    async with started(engine=faked) as driver:
        await begin(driver)
        await driver.press("1", "u")
        await driver.see(f"1 ○○○ {title(0)}")
        await driver.press("1", "2", "3")
        await driver.see("3 of about 15")
        await driver.press(*"0000")
        await driver.see("How many stars?")
        await driver.press("2", "right_square_bracket", "0")
        await driver.see("4 of about 15 rated · 7 questions")
        await driver.press("u")  # not seen
        await driver.see("4 of about 15 rated · 6 questions")
        await driver.press("u")  # the rating with its half
        await driver.see("3 of about 15 rated · 5 questions")
        assert len(rated(store)) == 3
        await driver.press(*"uuuu")
        await driver.see("3 of about 15 rated · 1 question ")
        await driver.press("u")
        await driver.see("0 of about 15 rated · 0 questions")
        await driver.see(title(0))
        assert rated(store) == {}
        await driver.press("u")
        await driver.told("There is no answer to take back")


async def test_stopping_keeps_what_was_answered(faked: FakeEngine, store: Store) -> None:
    async with started(engine=faked) as driver:
        await begin(driver)
        await driver.press("1", "enter", "2")
        await driver.see("●○○")
        await driver.press("escape")
        await driver.told("eva rated 1 film · N goes on asking")
        assert rated(store) == {title(0): 4.0}
        assert driver.app.screen is driver.browse
        assert driver.movies.has_focus
        assert title(0) not in driver.titles(300)
        await driver.see("● eva")
        await driver.press("N")
        await driver.see(f"1 ○○○ {title(1)}")


async def test_the_pair_and_the_filter_are_there_afterwards(faked: FakeEngine, store: Store) -> None:
    async with started(LARGE, engine=faked) as driver:
        await driver.press("left", "down", "p")
        await driver.until(lambda: driver.movies.together, "the pair")
        await driver.app.session.narrow("+even")
        await driver.press("tab", "N")
        await driver.see("Getting to know user 2")
        await driver.press("1", "enter")
        await driver.see("1 of about 15")
        assert faked.asked[-1][1]["viewers"][0]["id"] == "2"
        assert "only" not in faked.asked[-1][1]
        assert len(faked.asked[-1][1]["viewers"]) == 1
        assert len(store.ratings(user("2", "demo"))) == 1
        await driver.press("escape")
        await driver.told("user 2 rated 1 film")
        assert driver.movies.together
        assert driver.app.session.view.only == "+even"
        assert driver.app.session.audience.rating_as == 1


async def test_hidden_films_are_not_asked_about(faked: FakeEngine, store: Store) -> None:
    async with started(engine=faked) as driver:
        hidden = driver.movies.current
        assert hidden is not None
        await driver.press("x")
        await driver.told("hid")
        await driver.press("N")
        await driver.see("3 points to spend")
        (question,) = (asked for do, asked in faked.asked if do == "interview")
        assert question["passed"] == [hidden["film"]]


async def test_nothing_is_left_to_ask(faked: FakeEngine) -> None:
    faked.titles = faked.titles[:4]
    async with started(engine=faked) as driver:
        await begin(driver)
        await driver.press("4")
        await driver.told("No film has that key")
        await driver.press("0", "3")
        await driver.see("There is nothing left to ask")
        await driver.press("5", "0", "enter")
        assert "There is nothing left to ask" in shown(driver.app)
        await driver.press("escape")
        await driver.told("eva rated 1 film")


async def test_an_answer_that_cannot_be_kept(faked: FakeEngine, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise Problem("The disk is full.")

    async with started(engine=faked) as driver:
        await begin(driver)
        with monkeypatch.context() as patch:
            patch.setattr(driver.app.session.store, "rate", full)
            await driver.press(*"1111")
            await driver.told("The disk is full.")
            await driver.see(f"1 ●●● {title(0)}")
            await driver.press("u")
            await past_the_cards(driver)
            await driver.press("5")
            await driver.told("The disk is full.")
            assert title(15) in shown(driver.app)
        faked.problem = "The engine is gone."
        await driver.press("5")
        await driver.told("The engine is gone.")
        assert title(15) in shown(driver.app)
        faked.problem = ""
        await driver.press("5")
        await driver.see("1 of about 15 rated · 6 questions")
        assert rated(store) == {title(15): 5.0}
        await driver.press("u")
        await driver.see("0 of about 15")
        assert rated(store) == {}


async def test_another_dataset_asks_again(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        await begin(driver)
        faked.titles = [f"Other {movie}" for movie in range(40)]
        await driver.app.serve("demo")
        await driver.see("1 ○○○ Other 0")


async def test_its_keys_are_told(faked: FakeEngine) -> None:
    async with started(LARGE, engine=faked) as driver:
        assert "N" in driver.app.active_bindings
        await begin(driver)
        assert "esc Stop" in lines(driver.app)[-1]
        await driver.press("question_mark")
        for meaning in ("on a card a point for that film", "Not seen, or none of the card", "at any time"):
            await driver.see(meaning)


async def test_with_the_real_engine(ready: Path, store: Store) -> None:
    async with started(SMALL) as driver:
        screen = await begin(driver)
        await driver.press("1", "2", "enter")
        await driver.see("2 of about 15 rated")
        await driver.press(*"0000")
        await driver.see("How many stars?")
        known = screen.interview.known
        assert known > 0
        await driver.press("5")
        await driver.see("3 of about 15 rated")
        assert screen.interview.known > known
        assert len(rated(store)) == 3
