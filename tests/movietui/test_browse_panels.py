"""Browse: the dial, the surprise, pairs and groups, search, similar movies and taste."""

import asyncio
from typing import Any

import pytest

from movietui.protocol.messages import ViewerRatings
from movietui.protocol.viewers import profile, user
from movietui.state.audience import Audience, Veto
from movietui.state.session import Session, movie_to_store
from movietui.store.ratings import Movie, Store
from movietui.ui.browse import search
from movietui.ui.browse.movie_details import surprise
from movietui.ui.browse.taste import describe_taste
from tests.movietui.driving import LARGE, SIZES, lines, shown, started
from tests.movietui.fakes import FakeEngine

VIEWER: ViewerRatings = {"kind": "user", "id": "1", "rated": [], "seen": [], "hidden": []}

# The dial and the surprise


async def test_the_dial_makes_the_list_daring_and_safe_again(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        safe = driver.titles()
        await driver.press(*["full_stop"] * 12)
        await driver.wait_for_notice("safe ├──────────●┤ daring")
        assert "safe ├──────────●┤ daring" in lines(driver.app)[1]
        assert driver.titles() != safe
        await driver.press(*["comma"] * 10)
        await driver.until(lambda: driver.titles() == safe, "the safe list")
        assert "daring" not in lines(driver.app)[1]


@pytest.mark.parametrize("key", ["full_stop", "comma", "less_than_sign", "greater_than_sign"])
async def test_the_dials_say_in_which_orders_they_work(faked: FakeEngine, key: str) -> None:
    async with started(engine=faked) as driver:
        await driver.press("S", "S", "S")
        await driver.wait_for_notice("Sorted by year, newest first")
        view = driver.app.session.view
        await driver.press(key)
        await driver.wait_for_notice("only when the list is sorted best first or likeliest first; S sorts it")
        assert driver.app.session.view == view


@pytest.mark.parametrize(("key", "kind"), [("down", "details"), ("s", "details"), ("T", "taste")])
async def test_viewers_may_change_before_a_reply_about_them(
    faked: FakeEngine, monkeypatch: pytest.MonkeyPatch, key: str, kind: str
) -> None:
    async with started(LARGE, engine=faked) as driver:  # fails if the app does
        session, asked, ready = driver.app.session, asyncio.Event(), asyncio.Event()
        request = getattr(session, kind)

        async def reply_when_ready(*arguments: str) -> object:
            reply = await request(*arguments)
            asked.set()
            await ready.wait()
            return reply

        monkeypatch.setattr(session, kind, reply_when_ready)
        await driver.pilot.press(key)
        await asked.wait()
        session.show_to(session.audience.joined_by(user("2", "demo")))
        ready.set()
        await driver.pilot.pause(0.1)


@SIZES
async def test_the_surprise_shows_one_movie_after_another(
    faked: FakeEngine, store: Store, size: tuple[int, int]
) -> None:
    async with started(size, engine=faked) as driver:
        titles = set()
        await driver.press("s")
        for _ in range(6):
            await driver.see("because you liked")
            await driver.see("s another")
            titles.add(str(driver.widget(".panel").border_title))
            await driver.press("s")
            await driver.pilot.pause(0.1)
        assert len(titles) > 1
        await driver.see("s another")
        title = str(driver.widget(".panel").border_title)
        await driver.press("w")
        await driver.wait_for_notice(f"added {title} to the watchlist")
        assert [marked.movie.title for marked in store.marks(user("1", "demo"))] == [title]
        assert driver.app.screen is driver.browse


async def test_the_palette_runs_the_action_of_a_key(faked: FakeEngine) -> None:
    async with started(LARGE, engine=faked) as driver:
        await driver.press("ctrl+p")
        await driver.pilot.pause(0.2)
        await driver.type("surprise")
        await driver.see("Pick one good movie for you")
        await driver.press("enter")
        await driver.see("s another")


def test_a_surprise_has_one_reason() -> None:
    movie = FakeEngine().movie_details(viewers=[VIEWER, VIEWER], movies=["3"])[0]
    assert surprise(movie, ["user 1", "user 2"]).plain.count("because") == 1
    assert "because user 1 liked The Second Station 12 ★ 5" in surprise(movie, ["user 1", "user 2"]).plain
    for viewer in movie["by"]:
        viewer["why"], viewer["basis"] = [], "everyone"
    assert surprise(movie, ["a", "b"]).plain.endswith("everyone's average: ★ 4.1 from 267 ratings")


# The pair


async def test_keys_step_through_the_ways_to_combine_scores(faked: FakeEngine) -> None:
    async with started(LARGE, engine=faked) as driver:
        await driver.press("a")
        await driver.wait_for_notice("This needs a pair")
        await driver.pair_with_next()
        weighted = driver.titles()
        for way in ("average", "without misery", "least misery", "most pleasure", "multiplicative", "borda"):
            await driver.press("a")
            await driver.wait_for_notice(f"{way}: ")
            await driver.see(f"Unseen by both · {way}")
        ranked = [
            arguments["query"]["way"] for do, arguments in faked.asked if do == "rank" and "way" in arguments["query"]
        ]
        assert ranked[-1] == "borda"
        await driver.until(lambda: driver.titles() != weighted, "another order")
        await driver.press("a")
        await driver.wait_for_notice("weighted: ")
        await driver.until(lambda: driver.titles() == weighted, "the first order")
        await driver.press("A")
        await driver.wait_for_notice("borda: ")


async def test_scores_can_be_put_on_the_same_scale(faked: FakeEngine) -> None:
    async with started(LARGE, engine=faked) as driver:
        await driver.pair_with_next()
        before = driver.titles()
        await driver.press("z")
        await driver.wait_for_notice("Same scale")
        await driver.see("z same scale for everyone")
        await driver.until(lambda: driver.titles() != before, "another order")
        await driver.press("z")
        await driver.wait_for_notice("Scores are predicted stars again")
        await driver.until(lambda: driver.titles() == before, "the first order")


async def test_the_list_of_a_pair_can_include_movies_that_they_have_seen(faked: FakeEngine) -> None:
    async with started(LARGE, engine=faked) as driver:
        title = await driver.rate("4")
        hidden = driver.titles(1)[0]
        await driver.press("x")
        await driver.wait_for_notice("hid ")
        await driver.pair_with_next()
        assert title not in driver.titles(100)
        await driver.press("V")
        await driver.wait_for_notice("Including movies that some of you have seen")
        await driver.see("Unseen by either")
        assert title in driver.titles(100)
        assert hidden not in driver.titles(100)
        await driver.press("home", "down", "down")
        session, seen = driver.app.session, driver.movies.current
        assert seen["title"] != title
        for viewer in session.audience.viewers:
            session.store.mark(viewer, movie_to_store(seen), "seen")
        await driver.press("V")
        await driver.wait_for_notice("Including movies all of you have seen")
        await driver.see("Seen or not")
        await driver.press("W", "W", "W")
        await driver.wait_for_notice("All movies, best first")
        assert seen["title"] in driver.titles(100)
        assert title in driver.titles(100)
        assert hidden not in driver.titles(100)
        await driver.press("V")
        await driver.wait_for_notice("Only movies none of you has seen")
        assert title not in driver.titles(100)
        await driver.press("V")
        await driver.wait_for_notice("Including movies that some of you have seen")
        assert title in driver.titles(100)
        assert seen["title"] not in driver.titles(100)


async def test_a_veto_removes_a_movie_from_the_list_of_the_pair(faked: FakeEngine, store: Store) -> None:
    async with started(LARGE, engine=faked) as driver:
        await driver.press("exclamation_mark")
        await driver.wait_for_notice("This needs a pair")
        await driver.pair_with_next()
        first, second, *_ = driver.titles()
        await driver.press("exclamation_mark", "tab", "exclamation_mark")
        await driver.wait_for_notice(f"vetoed {second} as B user 2")
        assert not {first, second} & set(driver.titles(100))
        await driver.see(f"! {first}, {second}")
        title = await driver.rate("3")
        for expected in (title, f"the veto of {second}", f"the veto of {first}"):
            await driver.press("u")
            await driver.wait_for_notice(f"undid {expected}")
        assert driver.titles(2) == [first, second]
        await driver.press("r")
        await driver.wait_for_notice(f"redid the veto of {first}")
        assert driver.titles(1) == [second]
        await driver.press("escape")
        await driver.until(lambda: not driver.movies.together, "one viewer")
        assert first in driver.titles(100)
        await driver.press("u")
        await driver.wait_for_notice("nothing to undo")
        assert not store.marks(user("2", "demo"))


def test_vetoes_follow_a_renamed_profile() -> None:
    eva, ada, tom = profile("Eva"), profile("Ada"), profile("Tom")
    movies = [Movie("alien 1979", "Alien", 1979), Movie("fargo 1996", "Fargo", 1996)]
    audience = Audience((eva, tom)).vetoing(Veto(eva, movies[0])).vetoing(Veto(tom, movies[1]))
    renamed = audience.renamed(eva, ada)
    assert renamed.viewers == (ada, tom)
    assert renamed.vetoes == (Veto(ada, movies[0]), Veto(tom, movies[1]))


async def test_a_veto_is_undone_after_its_profile_was_renamed(faked: FakeEngine, store: Store) -> None:
    eva, ada = store.create_profile("Eva"), profile("Ada")
    async with started(LARGE, engine=faked) as driver:
        await driver.press("left", "down", "down", "p")
        await driver.until(lambda: driver.movies.together, "a pair")
        await driver.press("right")
        first = driver.titles()[0]
        await driver.press("exclamation_mark")
        await driver.wait_for_notice(f"vetoed {first}")
        store.rename_profile(eva, ada.id)
        driver.app.session.rename(eva, ada)
        await driver.press("u")
        await driver.wait_for_notice(f"undid the veto of {first}")


# A group


@SIZES
async def test_up_to_four_viewers_form_a_group(faked: FakeEngine, store: Store, size: tuple[int, int]) -> None:
    async with started(size, engine=faked) as driver:
        await driver.pair_with_next()
        await driver.press("P")
        await driver.wait_for_notice("Select a viewer to add or remove")
        await driver.press("down", "P")
        await driver.see("Unseen by all")
        await driver.see("A user 1  B user 2  C user 3")
        await driver.wait_for_notice("The list of user 1, user 2 and user 3")
        assert [len(row["by"]) for row in driver.movies.known_rows()[:2]] == [3, 3]
        await driver.see(driver.titles(1)[0][:6])
        await driver.press("tab", "tab")
        await driver.wait_for_notice("The next rating is for C: user 3")
        await driver.press("4")
        await driver.wait_for_notice("as C user 3")
        assert len(store.ratings(user("3", "demo"))) == 1
        await driver.press("enter", "pagedown")
        await driver.see("because user 3 liked")
        await driver.press("escape", "V")
        await driver.see("Unseen by some")
        await driver.press("P", "down", "P")
        await driver.see("D user 4")
        await driver.press("P", "down", "P")
        await driver.wait_for_notice("A list is for at most 4 viewers")
        await driver.press("up", "P")
        await driver.until(lambda: len(driver.app.session.audience.viewers) == 3, "three again")
        await driver.press("escape")
        await driver.until(lambda: not driver.movies.together, "one viewer")


async def test_the_weights_of_reasons_are_fully_visible_beside_a_scroll_bar(faked: FakeEngine) -> None:
    async with started((140, 23), engine=faked) as driver:
        await driver.pair_with_next()
        await driver.see("because user 2 liked")
        assert driver.browse.list_pane.details.show_vertical_scrollbar
        reasons = [line for line in lines(driver.app) if "The Crimson Summer 13" in line and "★ 5 " in line]
        assert len(reasons) == 2
        assert all("●●●●●" in line for line in reasons)


# Search


@SIZES
async def test_search_finds_a_movie(faked: FakeEngine, store: Store, size: tuple[int, int]) -> None:
    async with started(size, engine=faked) as driver:
        await driver.press("slash")
        await driver.see("typos are fine")
        await driver.type("garden 2")
        await driver.see("The Last Garden 2")
        await driver.press("down", "up", "enter")
        await driver.see("m more like this")
        await driver.press("5")
        await driver.wait_for_notice("rated The Last Garden 2 ★ 5")
        assert [rated.movie.title for rated in store.ratings(user("1", "demo"))] == ["The Last Garden 2"]
        assert driver.app.screen is driver.browse


async def test_search_finds_people(faked: FakeEngine, store: Store) -> None:
    store.create_profile("Oddny")
    async with started(LARGE, engine=faked) as driver:
        await driver.press("slash")
        await driver.type("odd")
        await driver.see("director")
        await driver.see("profile")
        await driver.press("enter")  # on the director, who comes first
        await driver.wait_for_notice("match @Odd")
        assert driver.app.session.view.filter_text == "@Odd"
        await driver.press("slash")
        await driver.type("77")
        await driver.see("user ")
        await driver.press("end", *["down"] * 20, "enter")
        await driver.wait_for_notice("The list of user 77")
        await driver.press("slash")
        await driver.type("oddny")
        await driver.see("profile")
        await driver.press("enter")
        await driver.wait_for_notice("The list of Oddny")
        assert driver.app.session.audience.viewers == (profile("Oddny"),)


@pytest.mark.parametrize(("words", "kind", "condition"), [("ann", "actor", "@Ann"), ("calm", "tag", "#calm-seas")])
async def test_search_finds_actors_and_tags(faked: FakeEngine, words: str, kind: str, condition: str) -> None:
    async with started(LARGE, engine=faked) as driver:
        await driver.press("slash")
        await driver.type(words)
        await driver.see(f" {kind} ")
        await driver.press("enter")
        await driver.wait_for_notice(f"match {condition}")
        assert driver.app.session.view.filter_text == condition


async def test_a_search_is_prepared_before_the_first_letter(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        await driver.press("slash")
        await driver.see("Type a few letters.")
        await driver.until(lambda: ("search", {"words": ""}) in faked.asked, "the request")


@pytest.mark.parametrize("more", ["", "3"])
async def test_enter_counts_once_the_matches_come_unless_more_is_typed(
    faked: FakeEngine, monkeypatch: pytest.MonkeyPatch, more: str
) -> None:
    ready, find = asyncio.Event(), search.search_everything

    async def find_when_ready(session: Session, words: str) -> tuple[list[search.SearchResult], str]:
        await ready.wait()
        return await find(session, words)

    monkeypatch.setattr(search, "search_everything", find_when_ready)
    async with started(LARGE, engine=faked) as driver:
        await driver.press("slash", "7", "enter")
        await driver.type(more)
        ready.set()
        if not more:
            await driver.see("average")
            await driver.until(lambda: not isinstance(driver.app.screen, search.SearchPanel), "the end of the search")
            return
        await driver.until(lambda: driver.app.screen.query_one(search.SearchResults).total > 0, "the matches")
        assert isinstance(driver.app.screen, search.SearchPanel)
        await driver.press("backspace")
        await driver.until(lambda: driver.app.screen.query_one(search.SearchResults).total > 1, "other matches")
        assert isinstance(driver.app.screen, search.SearchPanel)


async def test_a_search_without_matches_says_so(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        await driver.press("slash")
        await driver.type("zzzqx")
        await driver.see("No movie, person, tag, profile or user matches 'zzzqx'.")
        await driver.press("enter", "escape")
        assert driver.app.screen is driver.browse


async def test_a_search_says_how_to_find_directors(faked: FakeEngine) -> None:
    faked.directors_known = False
    async with started(LARGE, engine=faked) as driver:
        await driver.press("slash")
        await driver.type("zzzqx")
        await driver.see("No movie, tag, profile or user matches 'zzzqx'.")
        await driver.see("To find directors and actors,")


async def test_a_search_shows_ratings_and_marks(faked: FakeEngine, store: Store) -> None:
    anna = store.create_profile("anna")
    for number, stars in ((2, 4.5), (11, 3)):
        store.rate(anna, Movie(str(number), faked.titles[number], 1950 + number), stars)
    store.mark(anna, Movie("20", faked.titles[20], 1970), "watchlist")
    async with started(LARGE, engine=faked) as driver:
        await driver.app.session.look_at(anna)
        await driver.press("slash")
        await driver.type("garden 2")
        await driver.see("★ 4½  9 ratings  1952")
        await driver.see("watchlist  9 ratings  1970")
        assert len([line for line in lines(driver.app) if "★ 4½" in line]) == 1


# More like this


@SIZES
async def test_similar_movies_lead_to_further_similar_movies(faked: FakeEngine, size: tuple[int, int]) -> None:
    async with started(size, engine=faked) as driver:
        title = driver.titles(1)[0]
        await driver.press("m")
        await driver.see(f"More like {title}")
        number = int(title.rpartition(" ")[2])
        await driver.see(faked.titles[number + 1])
        await driver.press("down", "enter")
        await driver.until(
            lambda: str(driver.widget(".panel").border_title) == faked.titles[number + 2], "the card of the second"
        )
        await driver.press("m")
        await driver.see(f"More like {faked.titles[number + 2]}")
        await driver.press("escape")
        assert driver.app.screen is driver.browse


# Taste


async def test_taste_and_similar_movies_leave_out_hidden_movies(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        hidden = driver.movies.current["key"] if driver.movies.current else ""
        await driver.press("x")
        await driver.wait_for_notice("hid")
        await driver.press("v")
        await driver.wait_for_notice("seen")
        await driver.press("T")
        await driver.see("Taste · user 1")
        await driver.press("T", "m")
        await driver.see("More like")
        requests = {do: arguments for do, arguments in faked.asked if do in ("taste", "similar_movies")}
        (viewer,) = requests["taste"]["viewers"]
        assert requests["similar_movies"]["hidden"] == viewer["hidden"] == [hidden]
        assert len(viewer["seen"]) == 1


@SIZES
async def test_taste_shows_likes_and_dislikes(faked: FakeEngine, size: tuple[int, int]) -> None:
    async with started(size, engine=faked) as driver:
        await driver.press("T")
        await driver.see("Taste · user 1")
        await driver.see("40 movies rated ★ 3.61")
        await driver.see("[b]Drama[/b]")
        drawn = shown(driver.app)
        assert drawn.index("Crime") < drawn.index("Horror")
        for expected in ("Likes more than others", "Likes less than others"):
            for _ in range(4):
                if expected in shown(driver.app):
                    break
                await driver.press("pagedown")
            await driver.see(expected)
        await driver.press("T")
        assert driver.app.screen is driver.browse


def test_taste_says_how_accurate_the_model_is_for_a_profile() -> None:
    taste = FakeEngine().taste(viewers=[VIEWER])
    assert "How good" not in describe_taste(taste, ["Eva"], 80, "1-5").plain
    (eva,) = taste["viewers"]
    eva["for_you"] = {"model": "[b]mf", "lacking": 3}
    assert "3 more ratings needed to measure this." in describe_taste(taste, ["Eva"], 80, "1-5").plain

    def by(value: float, hits: int) -> dict[str, Any]:
        rate = {"value": hits / 12, "low": 0.319, "high": 0.807}
        return {"rmse": {"value": value, "low": value - 0.1, "high": value + 0.1}, "hits": hits, "hit_rate": rate}

    eva["for_you"] |= {"lacking": 0, "older": 96, "newest": 24, "liked": 12, "top": 50}
    eva["for_you"] |= {"by_model": by(0.82, 7), "by_means": by(0.98, 2)}
    lines = describe_taste(taste, ["Eva"], 68, "1-5").plain.splitlines()[-4:]
    assert lines[0] == " Your 24 newest ratings, predicted from the 96 before them:"
    assert [line.split() for line in lines[2:]] == [
        ["[b]mf", "0.82", "(.72", "…", ".92)", "7", "of", "12", "58%", "(32", "…", "81)"],
        ["mean", "ratings", "0.98", "(.88", "…", "1.08)", "2", "of", "12", "17%", "(32", "…", "81)"],
    ]
    assert max(map(len, lines)) <= 64
    for figures in (eva["for_you"]["by_model"], eva["for_you"]["by_means"]):
        figures |= {"hits": 0, "hit_rate": None}
    assert describe_taste(taste, ["Eva"], 68, "1-5").plain.count("none liked") == 2


def test_a_taste_is_described_in_words() -> None:
    engine = FakeEngine()
    one = VIEWER
    lines_shown = describe_taste(
        engine.taste(viewers=[one, {"kind": "profile", "id": "Eva", "rated": [], "seen": [], "hidden": []}]),
        ["user 1", "Eva"],
        80,
        "1-5",
    ).plain
    assert "Eva has no ratings here yet; press 1-5 on a movie in the list." in lines_shown
    assert "You differ on" in lines_shown
    assert "A ★ 5.0   B ★ 1.0" in lines_shown
    (crime,) = [line for line in lines_shown.splitlines() if line.startswith("Crime")]
    (horror,) = [line for line in lines_shown.splitlines() if line.startswith("Horror")]
    assert crime.index("┼") < crime.index("━")
    assert horror.index("━") < horror.index("┼")
    assert horror.count("━") > crime.count("━")
    for width in (40, 80):
        for line in describe_taste(engine.taste(viewers=[one]), ["user 1"], width, "1-5").plain.splitlines():
            assert len(line) <= max(width, 90)


@SIZES
async def test_more_like_this_shows_what_movies_have_in_common(faked: FakeEngine, size: tuple[int, int]) -> None:
    async with started(size, engine=faked) as driver:
        await driver.press("m")
        await driver.see("More like")
        await driver.see("Ann [b]Odd[/b]")
