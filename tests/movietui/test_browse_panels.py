"""The dial, the surprise, the ways of a pair, search, more like this, taste."""

from typing import Any

from movietui.screens.discovering import tell_taste
from movietui.session import film_of
from movietui.store import Store
from movietui.viewers import profile, user
from movietui.widgets.details import surprise
from tests.movietui.driving import LARGE, SIZES, lines, shown, started
from tests.movietui.fakes import FakeEngine

# The dial and the surprise


async def test_the_list_dares(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        safe = driver.titles()
        await driver.press(*["full_stop"] * 12)
        await driver.told("safe ├──────────●┤ daring")
        assert "safe ├──────────●┤ daring" in lines(driver.app)[1]
        assert driver.titles() != safe
        await driver.press(*["comma"] * 10)
        await driver.until(lambda: driver.titles() == safe, "the safe list")
        assert "daring" not in lines(driver.app)[1]


@SIZES
async def test_a_surprise(faked: FakeEngine, store: Store, size: tuple[int, int]) -> None:
    async with started(size, engine=faked) as driver:
        found = set()
        await driver.press("s")
        for _ in range(6):
            await driver.see("because you gave")
            await driver.see("s another")
            found.add(str(driver.widget(".panel").border_title))
            await driver.press("s")
            await driver.pilot.pause(0.1)
        assert len(found) > 1
        await driver.see("s another")
        title = str(driver.widget(".panel").border_title)
        await driver.press("w")
        await driver.told(f"put {title} on the watchlist")
        assert [marked.film.title for marked in store.marks(user("1", "demo"))] == [title]
        assert driver.app.screen is driver.browse


async def test_every_key_is_in_the_palette(faked: FakeEngine) -> None:
    async with started(LARGE, engine=faked) as driver:
        await driver.press("ctrl+p")
        await driver.pilot.pause(0.2)
        await driver.type("surprise")
        await driver.see("One good movie, one reason")
        await driver.press("enter")
        await driver.see("s another")


def test_a_surprise_has_one_reason() -> None:
    movie = FakeEngine().details([{}, {}], "3")
    assert surprise(movie, ["user 1", "user 2"]).plain.count("because") == 1
    assert "because user 1 gave The Second Station 12 ★ 5" in surprise(movie, ["user 1", "user 2"]).plain
    for viewer in movie["by"]:
        viewer["why"] = []
    assert surprise(movie, ["a", "b"]).plain.endswith("because 267 ratings by others say so: ★ 4.1")


# The pair


async def test_ways_of_a_pair(faked: FakeEngine) -> None:
    async with started(LARGE, engine=faked) as driver:
        await driver.press("a")
        await driver.told("That is for a pair")
        await driver.pair_with_next()
        weighted = driver.titles()
        for way in ("average", "without misery", "least misery", "most pleasure", "multiplicative", "borda"):
            await driver.press("a")
            await driver.told(f"{way}: ")
            await driver.see(f"Unseen by both · {way}")
        assert faked.asked[-2][1].get("way", faked.asked[-1][1].get("way")) == "borda"
        assert driver.titles() != weighted
        await driver.press("a")
        await driver.told("weighted: ")
        assert driver.titles() == weighted
        await driver.press("A")
        await driver.told("borda: ")


async def test_each_on_their_own_scale(faked: FakeEngine) -> None:
    async with started(LARGE, engine=faked) as driver:
        await driver.pair_with_next()
        before = driver.titles()
        await driver.press("z")
        await driver.told("Each on their own scale")
        await driver.see("z each on their own scale")
        assert driver.titles() != before
        await driver.press("z")
        await driver.told("All on the scale of stars")
        assert driver.titles() == before


async def test_seen_by_neither_one_or_both(faked: FakeEngine) -> None:
    async with started(LARGE, engine=faked) as driver:
        title = await driver.rate("4")
        hidden = driver.titles(1)[0]
        await driver.press("x")
        await driver.told("hid ")
        await driver.pair_with_next()
        assert title not in driver.titles(100)
        await driver.press("V")
        await driver.told("Also what one of you has seen")
        await driver.see("Unseen by either")
        assert title in driver.titles(100)
        assert hidden not in driver.titles(100)
        await driver.press("home", "down", "down")
        session, seen = driver.app.session, driver.app.screen.movies.current  # type: ignore[attr-defined]
        assert seen["title"] != title
        for viewer in session.audience.viewers:
            session.store.mark(viewer, film_of(seen), "seen")
        await driver.press("V")
        await driver.told("Also what all of you have seen")
        await driver.see("Seen or not")
        assert seen["title"] in driver.titles(100)
        assert title in driver.titles(100)
        assert hidden not in driver.titles(100)
        await driver.press("V")
        await driver.told("Only what none of you has seen")
        assert title not in driver.titles(100)
        await driver.press("V")
        await driver.told("Also what one of you has seen")
        assert title in driver.titles(100)
        assert seen["title"] not in driver.titles(100)


async def test_a_veto(faked: FakeEngine, store: Store) -> None:
    async with started(LARGE, engine=faked) as driver:
        await driver.press("exclamation_mark")
        await driver.told("That is for a pair")
        await driver.pair_with_next()
        first, second, *_ = driver.titles()
        await driver.press("exclamation_mark", "tab", "exclamation_mark")
        await driver.told(f"veto of {second} as B user 2")
        assert not {first, second} & set(driver.titles(100))
        await driver.see(f"! {first}, {second}")
        title = await driver.rate("3")
        for told in (title, f"the veto of {second}", f"the veto of {first}"):
            await driver.press("u")
            await driver.told(f"took back {told}")
        assert driver.titles(2) == [first, second]
        await driver.press("r")
        await driver.told(f"gave again the veto of {first}")
        assert driver.titles(1) == [second]
        await driver.press("escape")
        await driver.until(lambda: not driver.movies.together, "one viewer")
        assert first in driver.titles(100)
        await driver.press("u")
        await driver.told("nothing to undo")
        assert not store.marks(user("2", "demo"))


# A group


@SIZES
async def test_a_group(faked: FakeEngine, store: Store, size: tuple[int, int]) -> None:
    async with started(size, engine=faked) as driver:
        await driver.pair_with_next()
        await driver.press("P")
        await driver.told("Choose who joins")
        await driver.press("down", "P")
        await driver.see("Unseen by all")
        await driver.see("A user 1  B user 2  C user 3")
        await driver.told("The list of user 1, user 2 and user 3")
        assert [len(row["by"]) for row in driver.movies.known_rows()[:2]] == [3, 3]
        assert driver.titles(1)[0][:6] in shown(driver.app)
        await driver.press("tab", "tab")
        await driver.told("The next rating is C’s: user 3")
        await driver.press("4")
        await driver.told("as C user 3")
        assert len(store.ratings(user("3", "demo"))) == 1
        await driver.press("enter", "pagedown")
        await driver.see("because C user 3 gave")
        await driver.press("escape", "V")
        await driver.see("Unseen by some")
        await driver.press("P", "down", "P")
        await driver.see("D user 4")
        await driver.press("P", "down", "P")
        await driver.told("A list is for 4 at most")
        await driver.press("up", "P")
        await driver.until(lambda: len(driver.app.session.audience.viewers) == 3, "three again")
        await driver.press("escape")
        await driver.until(lambda: not driver.movies.together, "one viewer")


async def test_shares_are_whole_beside_a_scroll_bar(faked: FakeEngine) -> None:
    async with started((140, 18), engine=faked) as driver:
        await driver.pair_with_next()
        await driver.see("because B user 2 gave")
        assert driver.browse.details.show_vertical_scrollbar
        reasons = [line for line in lines(driver.app) if "The Crimson Summer 13" in line and "★ 5 " in line]
        assert len(reasons) == 2
        assert all("+.21" in line for line in reasons)


# Search


@SIZES
async def test_search_finds_a_movie(faked: FakeEngine, store: Store, size: tuple[int, int]) -> None:
    async with started(size, engine=faked) as driver:
        await driver.press("slash")
        await driver.see("typos are forgiven")
        await driver.type("garden 2")
        await driver.see("The Last Garden 2")
        await driver.press("down", "up", "enter")
        await driver.see("m more like this")
        await driver.press("5")
        await driver.told("rated The Last Garden 2 ★ 5")
        assert [rated.film.title for rated in store.ratings(user("1", "demo"))] == ["The Last Garden 2"]
        assert driver.app.screen is driver.browse


async def test_search_finds_people(faked: FakeEngine, store: Store) -> None:
    store.create_profile("Oddny")
    async with started(LARGE, engine=faked) as driver:
        await driver.press("slash")
        await driver.type("odd")
        await driver.see("director")
        await driver.see("profile")
        await driver.press("enter")
        await driver.told("pass @Odd")
        assert driver.app.session.view.only == "@Odd"
        await driver.press("slash")
        await driver.type("77")
        await driver.see("user ")
        await driver.press("end", *["down"] * 20, "enter")
        await driver.told("The list of user 77")
        await driver.press("slash")
        await driver.type("oddny")
        await driver.see("profile")
        await driver.press("enter")
        await driver.told("The list of Oddny")
        assert driver.app.session.audience.viewers == (profile("Oddny"),)


async def test_a_search_is_made_ready_before_the_first_letter(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        await driver.press("slash")
        await driver.see("Type a few letters.")
        await driver.until(lambda: ("find", {"words": ""}) in faked.asked, "the question")


async def test_search_finds_nothing(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        await driver.press("slash")
        await driver.type("zzzqx")
        await driver.see("Nothing is found")
        await driver.press("enter", "escape")
        assert driver.app.screen is driver.browse


# More like this


@SIZES
async def test_more_like_this(faked: FakeEngine, size: tuple[int, int]) -> None:
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


async def test_what_is_hidden_is_no_longer_named(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        film = driver.movies.current["film"] if driver.movies.current else ""
        await driver.press("x")
        await driver.told("hid")
        await driver.press("v")
        await driver.told("seen")
        await driver.press("T")
        await driver.see("Taste · user 1")
        await driver.press("T", "m")
        await driver.see("More like")
        told = {do: arguments for do, arguments in faked.asked if do in ("taste", "similar")}
        assert [told[do]["hidden"] for do in told] == [[film], [film]]
        assert len(told["taste"]["not_offered"]) == 2


@SIZES
async def test_taste(faked: FakeEngine, size: tuple[int, int]) -> None:
    async with started(size, engine=faked) as driver:
        await driver.press("T")
        await driver.see("Taste · user 1")
        await driver.see("40 ratings, ★ 3.61")
        await driver.see("[b]Drama[/b]")
        drawn = shown(driver.app)
        assert drawn.index("Crime") < drawn.index("Horror")
        for told in ("Likes more than others", "Likes less than others"):
            for _ in range(4):
                if told in shown(driver.app):
                    break
                await driver.press("pagedown")
            await driver.see(told)
        await driver.press("T")
        assert driver.app.screen is driver.browse


def test_how_good_the_model_is_for_a_profile() -> None:
    told = FakeEngine().taste([{"kind": "user", "id": "1"}])
    assert "How good" not in tell_taste(told, ["Eva"], 80).plain
    (eva,) = told["viewers"]
    eva["for_you"] = {"model": "[b]mf", "lacking": 3}
    assert "3 more ratings, and the newest of them will tell." in tell_taste(told, ["Eva"], 80).plain

    def by(value: float, hits: int) -> dict[str, Any]:
        rate = {"value": hits / 12, "low": 0.319, "high": 0.807}
        return {"rmse": {"value": value, "low": value - 0.1, "high": value + 0.1}, "hits": hits, "hit_rate": rate}

    eva["for_you"] |= {"lacking": 0, "older": 96, "newest": 24, "liked": 12, "top": 50}
    eva["for_you"] |= {"by_model": by(0.82, 7), "by_means": by(0.98, 2)}
    lines = tell_taste(told, ["Eva"], 68).plain.splitlines()[-4:]
    assert lines[0] == " Your 24 newest ratings, told from the 96 before:"
    assert [line.split() for line in lines[2:]] == [
        ["[b]mf", "0.82", "(.72", "…", ".92)", "7", "of", "12", "58%", "(32", "…", "81)"],
        ["mean", "ratings", "0.98", "(.88", "…", "1.08)", "2", "of", "12", "17%", "(32", "…", "81)"],
    ]
    assert max(map(len, lines)) <= 64
    for figures in (eva["for_you"]["by_model"], eva["for_you"]["by_means"]):
        figures |= {"hits": 0, "hit_rate": None}
    assert tell_taste(told, ["Eva"], 68).plain.count("none was liked") == 2


def test_a_taste_in_words() -> None:
    engine = FakeEngine()
    one = {"kind": "user", "id": "1"}
    told = tell_taste(engine.taste([one, {"kind": "profile", "id": "Eva"}]), ["user 1", "Eva"], 80).plain
    assert "Eva has rated nothing here yet" in told
    assert "You differ on" in told
    assert "A ★ 5.0   B ★ 1.0" in told
    (crime,) = [line for line in told.splitlines() if line.startswith("Crime")]
    (horror,) = [line for line in told.splitlines() if line.startswith("Horror")]
    assert crime.index("┼") < crime.index("▪")
    assert horror.index("▪") < horror.index("┼")
    assert horror.count("▪") > crime.count("▪")
    for width in (40, 80):
        for line in tell_taste(engine.taste([one]), ["user 1"], width).plain.splitlines():
            assert len(line) <= max(width, 90)
