"""The interview: genres, cards, lists of movies, undo, and the list beside it."""

import re
from pathlib import Path
from typing import Any

import pytest

from movietui.data.problems import Problem
from movietui.protocol.viewers import profile, user
from movietui.state.interview import CARDS
from movietui.store.ratings import Store
from movietui.ui.browse.interview import InterviewScreen
from tests.movietui.driving import LARGE, SIZES, SMALL, Driver, lines, shown, started
from tests.movietui.fakes import FakeEngine, title

STARS = re.compile(r"★ \d\.\d|±")


async def begin(driver: Driver, name: str = "eva") -> InterviewScreen:
    await driver.press("n")
    await driver.see("New profile")
    await driver.type(name)
    await driver.press("enter")
    await driver.see("Which kinds")
    assert isinstance(driver.app.screen, InterviewScreen)
    return driver.app.screen


async def skip_genres(driver: Driver) -> None:
    await driver.press("enter")
    await driver.see("3 points")


async def skip_cards(driver: Driver) -> None:
    await skip_genres(driver)
    await driver.press(*"0" * CARDS)
    await driver.see("Rate those you have seen")


def rated(store: Store, name: str = "eva") -> dict[str, float]:
    return {one.movie.title: one.stars for one in store.ratings(profile(name))}


def last_request(faked: FakeEngine) -> dict[str, Any]:
    """Return the arguments of the last request for a question."""
    return [named for name, named in faked.asked if name == "next_question"][-1]


@SIZES
async def test_genres_are_liked_and_disliked(faked: FakeEngine, size: tuple[int, int]) -> None:
    async with started(size, engine=faked) as driver:
        await begin(driver)
        for words in ("▸  even", "like, dislike", "0 of 20", "0%", "Your list so far"):
            await driver.see(words)
        await driver.press("plus")
        await driver.see("▸+ even")
        await driver.press("right", "minus")
        await driver.see("▸− odd")
        await driver.press("left", "minus")
        await driver.see("▸  even")
        await driver.press("u")
        await driver.see("▸+ even")
        await driver.press("3")
        await driver.wait_for_notice("+ - like, dislike · enter next")
        await skip_genres(driver)
        assert last_request(faked)["answers"]["genres"] == {"even": 1, "odd": -1}
        await driver.press("u")
        await driver.see("▸+ even")


async def test_genres_do_not_outlast_the_interview(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        await begin(driver)
        await driver.press("plus", "enter")
        await driver.see("3 points")
        await driver.press("escape")
        await driver.wait_for_notice("eva rated 0 movies")
        await driver.press("N")
        await driver.see("▸  even")


async def test_genres_are_scrolled_in_a_small_terminal(faked: FakeEngine) -> None:
    names = [f"Kind [b]{number}" for number in range(40)]
    faked.genres = names
    async with started((60, 16), engine=faked) as driver:
        await begin(driver)
        await driver.press("pagedown", "plus")
        await driver.see("▸+ Kind [b]39")
        await driver.see("+ - choose  enter next")
        await driver.press("pageup")
        await driver.see("▸  Kind [b]0")


@SIZES
async def test_points_become_the_stars_that_the_card_says(
    faked: FakeEngine, store: Store, size: tuple[int, int]
) -> None:
    async with started(size, engine=faked) as driver:
        await begin(driver)
        await skip_genres(driver)
        for words in (title(0), title(4), "●○○ ★ 4  ●●○ ★ 4½  ●●● ★ 5", "enter", "profile strength", "0%"):
            await driver.see(words)
        await driver.press("1", "1")
        await driver.see(f"▸1 ●●○ {title(0)}")
        await driver.press("0")
        await driver.wait_for_notice("accept or undo them first")
        await driver.press("3")
        await driver.see("All points given")
        assert rated(store) == {}
        await driver.press("enter")
        await driver.wait_for_notice(f"rated {title(0)} ★ 4½ and rated {title(2)} ★ 4")
        assert rated(store) == {title(0): 4.5, title(2): 4.0}
        await driver.see("2 of 20 rated · about 12 questions left" if size == LARGE else "2 of 20 · 12 questions left")
        await driver.see(f"1 ○○○ {title(5)}")  # movies without points are not shown again
        unchosen = last_request(faked)["answers"]["unchosen"]
        assert [movie["key"] for movie in unchosen] == ["1", "3", "4"]
        await driver.press("2", "enter")
        await driver.wait_for_notice(f"rated {title(6)} ★ 4")
        assert len(rated(store)) == 3


async def test_points_can_be_changed_before_they_are_accepted(faked: FakeEngine, store: Store) -> None:
    async with started(engine=faked) as driver:
        await begin(driver)
        await skip_genres(driver)
        await driver.press("minus")
        await driver.wait_for_notice("no point to take back")
        await driver.press("1", "1", "2", "4")
        await driver.wait_for_notice("You have given all 3 points; take one back first.")
        await driver.press("1")
        await driver.see(f"1 ●●○ {title(0)}")
        await driver.press("up", "minus")
        await driver.see(f"▸1 ●○○ {title(0)}")
        await driver.press("down", "down", "down", "plus")
        await driver.see(f"▸4 ●○○ {title(3)}")
        await driver.press("u")
        await driver.see(f"4 ○○○ {title(3)}")
        await driver.press("u")
        await driver.see(f"1 ●●○ {title(0)}")
        await driver.press("minus", "5")
        await driver.see(f"5 ●○○ {title(4)}")
        assert rated(store) == {}
        await driver.press("enter")
        await driver.wait_for_notice("★ 4")
        assert rated(store) == {title(0): 4.0, title(1): 4.0, title(4): 4.0}


async def test_movies_without_points_are_held_at_their_places(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        await begin(driver)
        await skip_genres(driver)
        await driver.press("1", "enter")
        await driver.see("1 of 20")

        def held() -> object:
            return [named for name, named in faked.asked if name == "rank"][-1]["query"]["viewers"][0].get("held")

        places = [("1", 1), ("2", 2), ("3", 3), ("4", 4)]
        await driver.until(lambda: held() == places, "the places")
        await driver.press("escape")
        await driver.wait_for_notice("eva rated 1 movie")
        assert held() == places
        await driver.press("N")
        await driver.see("Which kinds")
        await driver.press("enter")
        await driver.see("3 points")
        assert held() == places
        await driver.press("1", "enter")
        await driver.see("2 of 20")
        await driver.press("u", "u", "u")
        await driver.see("1 of 20")
        await driver.until(lambda: held() == places, "the previous places")


async def test_movies_of_a_list_are_rated_or_not_seen(faked: FakeEngine, store: Store) -> None:
    async with started(SMALL, engine=faked) as driver:
        screen = await begin(driver)
        await skip_cards(driver)
        assert rated(store) == {}
        for words in (f"▸     {title(10)}", "Crime, [b]Drama[/b]", title(15), "enter next, rest not seen", "0 of 20"):
            await driver.see(words)
        await driver.press("4")
        await driver.wait_for_notice(f"rated {title(10)} ★ 4")
        assert rated(store) == {title(10): 4.0}
        await driver.see("10%")
        await driver.press("right_square_bracket")
        await driver.see(f"★ 4½ {title(10)}")
        assert rated(store) == {title(10): 4.5}
        await driver.press("0")
        await driver.see(f"–    {title(11)}")
        await driver.press("up", "5", "up", "up", "0")
        await driver.wait_for_notice("You have rated this movie")
        await driver.press("j", "k", "2")
        await driver.see(f"★ 2  {title(10)}")
        assert rated(store) == {title(10): 2.0, title(11): 5.0}
        assert screen.interview.newly_rated == 2
        await driver.press("enter")
        await driver.see(f"▸     {title(16)}")
        assert last_request(faked)["answers"]["unseen"] == [str(movie) for movie in (*range(10), *range(12, 16))]
        assert screen.interview.questions == 3


async def test_the_interview_fits_the_smallest_terminal(faked: FakeEngine) -> None:
    async with started((60, 16), engine=faked) as driver:
        await begin(driver)
        await skip_genres(driver)
        for words in ("1 ○○○ The Si", "5 ○○○ The ", "●○○ ★ 4", "+ - point", "enter next", "0 of 20 · 14 questions"):
            await driver.see(words)
        await driver.press("0", "0")
        await driver.see("Rate those you have seen")
        for words in ("▸     The", "1-5 rate", "enter next", "0 of 20"):
            await driver.see(words)
        assert shown(driver.app).count("The ") >= 12  # six movies, and those of the list beside them


async def test_any_movie_can_be_searched_and_rated(faked: FakeEngine, store: Store) -> None:
    async with started(engine=faked) as driver:
        screen = await begin(driver)
        await skip_genres(driver)
        await driver.press("2", "slash")
        await driver.see("title; typos are fine")
        await driver.type("odd")
        await driver.see("No movie")
        await driver.press("escape")
        await driver.see(f"2 ●○○ {title(1)}")
        await driver.press("slash")
        await driver.type(title(100))
        await driver.see("movie    " + title(100)[:20])
        await driver.press("enter")
        await driver.see("How many stars?")
        await driver.press("3")
        await driver.wait_for_notice(f"rated {title(100)} ★ 3")
        await driver.see(f"2 ●○○ {title(1)}")  # the card is as it was
        assert rated(store) == {title(100): 3.0}
        assert (screen.interview.newly_rated, screen.interview.questions) == (1, 0)
        await driver.press("right_square_bracket")
        await driver.wait_for_notice("★ 3½")
        await driver.press("u")
        await driver.see("0 of 20")
        await driver.see(f"2 ●○○ {title(1)}")
        assert rated(store) == {}


@pytest.mark.parametrize("key", ["0", "u", "escape"])
async def test_a_searched_movie_need_not_be_rated(faked: FakeEngine, store: Store, key: str) -> None:
    async with started(engine=faked) as driver:
        await begin(driver)
        await driver.press("slash")
        await driver.type(title(100))
        await driver.see("movie    " + title(100)[:20])
        await driver.press("enter")
        await driver.see("How many stars?")
        await driver.press("enter")
        await driver.press(key)
        await driver.see("Which kinds")
        assert rated(store) == {}


async def test_a_searched_movie_is_also_rated_on_the_card_or_in_the_list(faked: FakeEngine, store: Store) -> None:
    async def search(movie: int, stars: str) -> None:
        await driver.press("slash")
        await driver.type(title(movie))
        await driver.see("movie    " + title(movie)[:20])
        await driver.press("enter")
        await driver.see("How many stars?")
        await driver.press(stars)
        await driver.wait_for_notice(f"rated {title(movie)}")

    async with started(engine=faked) as driver:
        screen = await begin(driver)
        await skip_genres(driver)
        await search(3, "2")
        await driver.see(f"4 ○○○ {title(4)}")  # a rated movie is on no card
        await driver.press("0", "0")
        await driver.see("Rate those you have seen")
        movie = screen.interview.movies[2]
        await search(int(movie["key"]), "5")
        await driver.see(f"★ 5  {movie['title']}")
        await driver.press("enter")
        await driver.until(lambda: movie["key"] not in last_request(faked)["answers"]["unseen"], "the next list")
        assert rated(store) == {title(3): 2.0, movie["title"]: 5.0}


async def test_the_interview_says_when_it_knows_enough(faked: FakeEngine, store: Store) -> None:
    async with started(LARGE, engine=faked) as driver:
        screen = await begin(driver)
        await skip_cards(driver)
        await driver.press(*"345345", "enter", *"345345", "enter", *"345345", "enter", *"45")
        await driver.see("20 rated · enough for a good list")
        await driver.see("Rate those you have seen")  # the message does not interrupt the question
        await driver.press("enter")
        await driver.see("That's enough for a good list.")
        await driver.press("4")
        assert len(rated(store)) == 20
        await driver.press("m")
        await driver.see("Rate those you have seen")
        await driver.press("1", "enter")
        await driver.see(f"▸     {screen.interview.movies[0]['title']}")
        assert "That's enough" not in shown(driver.app)
        await driver.press("u", "u", "u")
        await driver.see("20 rated")
        await driver.see("★ 5")
        await driver.press("enter", "enter")
        await driver.wait_for_notice("eva rated 20 movies")
        assert driver.app.screen is driver.browse


async def test_earlier_ratings_count(faked: FakeEngine, store: Store) -> None:
    async with started(LARGE, engine=faked) as driver:
        screen = await begin(driver)
        await skip_cards(driver)
        await driver.press(*"345")
        await driver.see("3 of 20 rated")
        await driver.press("escape")
        await driver.wait_for_notice("eva rated 3 movies")
        for _ in range(18):
            await driver.rate("4")
        await driver.press("N")
        await driver.see("21 rated · enough for a good list")
        await driver.see("Rate those you have seen")  # no genres, no cards
        screen = driver.app.screen
        assert isinstance(screen, InterviewScreen)
        await driver.press("4", "enter")
        await driver.see("22 rated")
        assert screen.interview.newly_rated == 1
        assert screen.interview.kind == "list"


async def test_fewer_questions_are_left_after_each_rating(faked: FakeEngine) -> None:
    async with started(LARGE, engine=faked) as driver:
        screen = await begin(driver)
        assert screen.interview.questions_left == 15
        await skip_cards(driver)
        assert screen.interview.questions_left > 14  # two questions brought no ratings
        await driver.press(*"345345")
        await driver.see("6 of 20 rated · about 7 questions left")
        await driver.press("enter", *"345345", "enter", *"345345", "enter", "3")
        await driver.see("19 of 20 rated · about 1 question left")


async def test_predicted_stars_are_not_shown(faked: FakeEngine) -> None:
    async with started(LARGE, engine=faked) as driver:
        assert STARS.search(shown(driver.app))
        screen = await begin(driver)
        for keys in ("+", "=", "-"):
            await driver.type(keys)
        await skip_genres(driver)
        for keys in ("12", "3", "u", "u", "u", "00", "5", "["):
            await driver.type(keys)
            await driver.pilot.pause()
            assert not STARS.search(shown(driver.app))
        await driver.see(screen.titles.known_rows()[0]["title"])


async def test_the_list_changes_with_a_rating(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        screen = await begin(driver)
        await skip_cards(driver)
        before = [row["title"] for row in screen.titles.known_rows()[:10]]
        await driver.press("5")
        await driver.until(lambda: [row["title"] for row in screen.titles.known_rows()[:10]] != before, "another list")
        await driver.see("▲")


async def test_undo_reverts_one_answer_at_a_time(faked: FakeEngine, store: Store) -> None:
    async with started(engine=faked) as driver:
        screen = await begin(driver)
        await skip_genres(driver)
        await driver.press("1", "u")
        await driver.see(f"1 ○○○ {title(0)}")
        await driver.press("1", "2", "3", "enter")
        await driver.see("3 of 20")
        await driver.press("0")
        await driver.see("Rate those")
        await driver.press("2", "right_square_bracket", "0", "enter")
        await driver.see("4 of 20")
        assert screen.interview.questions == 3
        await driver.press("u")  # the list comes back as it was
        await driver.see("★ 2½")
        assert screen.interview.questions == 2
        await driver.press("u")  # not seen
        await driver.press("u")  # the rating, together with its half star
        await driver.see("3 of 20")
        assert len(rated(store)) == 3
        await driver.press("u")
        await driver.see("3 points")
        await driver.press("u")  # the card comes back with its points
        await driver.see("All points given")
        assert rated(store) == {}
        await driver.press("u", "u", "u", "u")
        await driver.see("Which kinds")
        await driver.press("u")
        await driver.wait_for_notice("There is no answer to undo")


async def test_undo_works_after_half_a_star_for_an_earlier_movie(faked: FakeEngine, store: Store) -> None:
    async with started(engine=faked) as driver:
        await begin(driver)
        await skip_cards(driver)
        await driver.press("2", "enter")
        await driver.see(title(16))
        await driver.press("right_square_bracket")
        await driver.wait_for_notice("★ 2½")
        await driver.press("4")
        await driver.see("2 of 20")
        await driver.press("u")
        await driver.see("1 of 20")
        assert rated(store) == {title(10): 2.5}


async def test_stopping_keeps_the_answers(faked: FakeEngine, store: Store) -> None:
    async with started(engine=faked) as driver:
        await begin(driver)
        await skip_genres(driver)
        await driver.press("1", "enter", "2")
        await driver.see("●○○")
        await driver.press("escape")
        await driver.wait_for_notice("eva rated 1 movie · N answer more")
        assert rated(store) == {title(0): 4.0}
        assert driver.app.screen is driver.browse
        assert driver.movies.has_focus
        assert title(0) not in driver.titles(300)
        await driver.press("left")
        await driver.see("● eva")
        await driver.press("N")
        await driver.see("Which kinds")
        await driver.press("enter")
        await driver.see(f"1 ○○○ {title(1)}")
        await driver.see("1 of 20")


async def test_the_pair_and_the_filter_outlast_the_interview(faked: FakeEngine, store: Store) -> None:
    async with started(LARGE, engine=faked) as driver:
        await driver.press("left", "down", "p")
        await driver.until(lambda: driver.movies.together, "the pair")
        await driver.app.session.apply_filter("+even")
        await driver.press("tab", "N")
        await driver.see("Getting to know user 2")
        await driver.see("Which kinds")
        await driver.press("enter", "1", "enter")
        await driver.see("1 of 20")
        query = faked.asked[-1][1]["query"]
        assert query["viewers"][0]["id"] == "2"
        assert "filter" not in query
        assert len(query["viewers"]) == 1
        assert len(store.ratings(user("2", "demo"))) == 1
        await driver.press("escape")
        await driver.wait_for_notice("user 2 rated 1 movie")
        assert driver.movies.together
        assert driver.app.session.view.filter_text == "+even"
        assert driver.app.session.audience.rating_as == 1


async def test_hidden_movies_are_not_asked_about(faked: FakeEngine, store: Store) -> None:
    async with started(engine=faked) as driver:
        hidden = driver.movies.current
        assert hidden is not None
        await driver.press("x")
        await driver.wait_for_notice("hid")
        await driver.press("N")
        await driver.see("Which kinds")
        assert last_request(faked)["viewer"]["hidden"] == [hidden["key"]]


async def test_the_interview_says_when_no_question_is_left(faked: FakeEngine, store: Store) -> None:
    faked.titles = faked.titles[:8]
    async with started(engine=faked) as driver:
        await begin(driver)
        await skip_genres(driver)
        await driver.press("0")
        await driver.see("Rate those you have seen")  # too few for a card
        await driver.press("3", "enter")
        await driver.see("No questions left")
        await driver.press("5", "0", "m", "plus", "minus", "down")
        await driver.see("No questions left")
        await driver.press("enter")
        await driver.wait_for_notice("eva rated 1 movie")
        assert rated(store) == {title(5): 3.0}


async def test_an_answer_that_cannot_be_stored_can_be_given_again(
    faked: FakeEngine, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise Problem("The disk is full.")

    async with started(engine=faked) as driver:
        await begin(driver)
        await skip_genres(driver)
        with monkeypatch.context() as patch:
            patch.setattr(driver.app.session.store, "rate", full)
            await driver.press(*"111", "enter")
            await driver.wait_for_notice("The disk is full.")
            await driver.see(f"1 ●●● {title(0)}")
            await driver.press(*"uuu", "0", "0")
            await driver.see("Rate those")
            await driver.press("5")
            await driver.wait_for_notice("The disk is full.")
            await driver.see(f"▸     {title(10)}")
        faked.problem = "The engine is gone."
        await driver.press("5")
        await driver.wait_for_notice("The engine is gone.")
        await driver.see(f"▸     {title(10)}")
        await driver.press("enter", "slash", "a")
        await driver.wait_for_notice("The engine is gone.")
        await driver.press("escape")
        faked.problem = ""
        await driver.press("5")
        await driver.see("1 of 20")
        assert rated(store) == {title(10): 5.0}
        await driver.press("u")
        await driver.see("0 of 20")
        assert rated(store) == {}


async def test_the_question_changes_with_the_dataset(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        await begin(driver)
        await skip_genres(driver)
        faked.titles = [f"Other {movie}" for movie in range(40)]
        await driver.app.serve("demo")
        await driver.see("1 ○○○ Other 0")


async def test_the_help_lists_the_keys_of_the_interview(faked: FakeEngine) -> None:
    async with started(LARGE, engine=faked) as driver:
        assert "N" in driver.app.active_bindings
        await begin(driver)
        assert "esc Stop" in lines(driver.app)[-1]
        await driver.press("question_mark")
        for meaning in (
            "Rate with this many stars; on a card, give the movie with this number a",
            "Not seen; on a card, you have seen none of the movies",
        ):
            await driver.see(meaning)
        await driver.press("pagedown")
        await driver.see("Search for any movie and rate it")
        await driver.see("Stop and go to the list")


async def test_the_interview_works_with_the_real_engine(ready: Path, store: Store) -> None:
    async with started(SMALL) as driver:
        screen = await begin(driver)
        await driver.press("plus")
        await skip_genres(driver)
        without_points = [movie["key"] for movie in screen.interview.movies[2:]]
        await driver.press("1", "2", "enter")
        await driver.see("2 of 20")
        held = driver.app.session.held[profile("eva")]
        assert [*held] == without_points
        ranked = [row["key"] for row in (await driver.app.session.ranked(0, 10_000))["rows"]]
        for key in without_points:
            above = ranked[: ranked.index(key)]
            assert len([other for other in above if other not in without_points]) >= held[key]
        await driver.press("0")
        await driver.see("Rate those you have seen")
        strength = screen.interview.strength
        assert strength > 0
        await driver.press("5")
        await driver.see("3 of 20")
        assert screen.interview.strength > strength
        assert len(rated(store)) == 3
        await driver.press("slash")
        await driver.type("the")
        await driver.see("movie    ")
        await driver.press("enter")
        await driver.see("stars")
        await driver.until(lambda: screen.interview.searched is not None, "the movie")
        await driver.press("1")
        await driver.wait_for_notice("★ 1")
