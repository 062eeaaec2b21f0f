"""What an import brings into the store, and marks."""

import subprocess
import sys
from pathlib import Path

import pytest

from data import locations
from data.imports.entries import Mark
from data.problems import Problem
from movietui.store import Change, Film, Given, Ids, Store
from tests.movietui.stored import ALIEN, ANNA, BRAZIL, FARGO, TOM, given, marked


def test_marks(store: Store) -> None:
    assert store.mark(ANNA, FARGO, "watchlist") == Change(ANNA, FARGO, None, 1, "watchlist")
    store.mark(ANNA, FARGO, "watchlist")
    store.mark(ANNA, ALIEN, "hidden")
    store.mark(ANNA, BRAZIL, "seen")
    store.mark(TOM, BRAZIL, "watchlist")
    assert marked(store, ANNA) == [("Fargo", "watchlist"), ("Alien", "hidden"), ("Brazil", "seen")]
    assert marked(store, ANNA, "watchlist", "seen") == [("Fargo", "watchlist"), ("Brazil", "seen")]
    assert store.not_offered(ANNA) == {ALIEN.key, BRAZIL.key}
    assert store.unmark(ANNA, ALIEN, "hidden") == Change(ANNA, ALIEN, 1, None, "hidden")
    assert store.not_offered(ANNA) == {BRAZIL.key}
    assert given(store, ANNA) == {}
    store.close()
    again = Store(store.path)
    assert marked(again, ANNA) == [("Fargo", "watchlist"), ("Brazil", "seen")]
    again.close()


LONG_AGO = "2010-05-01T00:00:00.000+00:00"
LATER = "2012-05-01T00:00:00.000+00:00"


def brought(film: Film, stars: float | None, at: str = LONG_AGO, *marks: Mark, own: str = "") -> Given:
    return Given(film, own or film.key, stars, marks, at)


def test_an_import_is_one_step(store: Store) -> None:
    store.rate(ANNA, BRAZIL, 3)
    films = [brought(FARGO, 4, LATER), brought(ALIEN, None, LONG_AGO, "watchlist", "liked")]
    step = store.take_in(ANNA, "letterboxd", films)
    assert step is not None
    assert (step.kind, step.note, len(step.changes)) == ("import", "letterboxd", 3)
    assert store.history(ANNA)[0] == step
    assert [rated.at for rated in store.ratings(ANNA)][1] == LATER
    assert store.take_in(ANNA, "letterboxd", films) is None
    back = store.undo([ANNA])
    assert back is not None
    assert {(change.film.title, change.before, change.after) for change in back.changes} == {
        ("Fargo", 4, None),
        ("Alien", 1, None),
    }
    assert (given(store, ANNA), store.marks(ANNA)) == ({"Brazil": 3}, [])
    store.redo([ANNA])
    assert given(store, ANNA) == {"Brazil": 3, "Fargo": 4}
    assert marked(store, ANNA) == [("Alien", "watchlist"), ("Alien", "liked")]


def test_what_is_newer_wins(store: Store) -> None:
    store.take_in(ANNA, "", [brought(FARGO, 4, LONG_AGO), brought(ALIEN, 4, LATER)])
    store.take_in(ANNA, "", [brought(FARGO, 2, LATER), brought(ALIEN, 2, LONG_AGO)])
    assert given(store, ANNA) == {"Fargo": 2, "Alien": 4}
    store.rate(ANNA, FARGO, 5)
    assert store.take_in(ANNA, "", [brought(FARGO, 1, LATER), brought(ALIEN, 1, "")]) is None
    assert given(store, ANNA) == {"Fargo": 5, "Alien": 4}


def test_a_mark_that_was_taken_off_stays_off(store: Store) -> None:
    films = [brought(FARGO, None, LONG_AGO, "watchlist")]
    store.take_in(ANNA, "", films)
    store.unmark(ANNA, FARGO, "watchlist")
    assert store.take_in(ANNA, "", films) is None
    assert store.marks(ANNA) == []
    store.undo([ANNA])
    assert marked(store, ANNA) == [("Fargo", "watchlist")]


def test_what_is_rated_is_not_marked_as_seen_too(store: Store) -> None:
    store.rate(ANNA, FARGO, 4)
    store.take_in(ANNA, "", [brought(FARGO, None, LONG_AGO, "seen", "liked"), brought(ALIEN, None, LONG_AGO, "seen")])
    assert marked(store, ANNA) == [("Fargo", "liked"), ("Alien", "seen")]


def test_nothing_of_an_import_with_wrong_stars_stays(store: Store) -> None:
    with pytest.raises(Problem, match="in halves"):
        store.take_in(ANNA, "", [brought(FARGO, 4), brought(ALIEN, 7)])
    assert (given(store, ANNA), store.history(ANNA)) == ({}, [])


def test_a_film_that_goes_by_two_names(store: Store) -> None:
    """What another dataset calls it is answered for; it is one film to rate, to export and to undo."""
    elsewhere = Film("fargo 1997", "Fargo!", 1997)
    store.take_in(ANNA, "", [brought(Film(FARGO.key, "Fargo!", 1997), 4, own="fargo 1997")])
    assert store.asked(ANNA)["rated"] == [("fargo 1996", 4), ("fargo 1997", 4)]
    store.rate(ANNA, ALIEN, 3)
    assert [key for key, _ in store.asked(ANNA)["rated"]] == ["fargo 1996", "fargo 1997", "alien 1979"]
    store.undo([ANNA])
    store.rate(ANNA, elsewhere, 2)
    assert given(store, ANNA) == {"Fargo!": 2}
    store.mark(ANNA, elsewhere, "hidden")
    assert store.not_offered(ANNA) == {"fargo 1996", "fargo 1997"}
    store.rate(TOM, elsewhere, 5)
    assert [rated.film for rated in store.ratings(TOM)] == [elsewhere]
    assert store.undo([ANNA]) is not None


def test_what_was_settled_by_hand(store: Store) -> None:
    unmatched = Film("fargoh 1996", "Fargoh", 1996)

    def settle(film: Film) -> list[tuple[str, float]]:
        store.settle(unmatched.key, film.key)
        again = Given(Film(film.key, "Fargoh", 1996), unmatched.key, 4, (), LONG_AGO)
        assert store.take_in(ANNA, "", [again]) is None  # it is there already, by its own key
        return store.asked(ANNA)["rated"]

    store.take_in(ANNA, "", [brought(unmatched, 4)])
    assert settle(ALIEN) == [("fargoh 1996", 4), ("alien 1979", 4)]
    assert settle(FARGO) == [("fargoh 1996", 4), ("fargo 1996", 4)]
    store.settle("no film", None)
    assert store.settled() == {"fargoh 1996": "fargo 1996", "no film": None}


def test_ids_of_films_are_gathered(store: Store) -> None:
    for ids in (Ids(imdb="tt0116282"), Ids(tmdb=275), Ids()):
        store.take_in(ANNA, "", [Given(FARGO, FARGO.key, 4, (), LONG_AGO, ids)])
    assert store.ids() == {FARGO.key: Ids("tt0116282", 275, 0)}


TAKES_IN = """
from data import locations
from movietui.store import Film, Given, Store
from movietui.viewers import profile
store = Store(locations.store())
for number in range(10**6):
    films = [Film(f"{number} {part} 1990", "F", 1990) for part in range(40)]
    store.take_in(profile("anna"), str(number), [Given(film, film.key, 4, ("seen",)) for film in films])
    print(number, flush=True)
"""


def test_an_import_is_on_disk_whole_or_not_at_all(home: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", TAKES_IN], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        last = [int(child.stdout.readline()) for _ in range(8)][-1]
        child.kill()
        last = max([last, *(int(line) for line in child.stdout.read().split())])
    store = Store(locations.store())
    steps = store.history(ANNA)
    assert len(steps) in (last + 1, last + 2)
    assert {len(step.changes) for step in steps} == {80}
    assert len(store.ratings(ANNA)) == len(store.marks(ANNA)) == 40 * len(steps)
    store.close()
