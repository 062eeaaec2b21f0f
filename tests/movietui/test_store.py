"""Ratings and choices are stored on disk, by several windows at once."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from movietui.data.problems import Problem
from movietui.data.storage import locations
from movietui.protocol.viewers import ViewerRef, profile, user
from movietui.store.ratings import Change, Movie, Store
from tests.movietui.stored import ALIEN, ANNA, BRAZIL, FARGO, TOM, stars_of, undone


def test_ratings_are_stored_on_disk(store: Store) -> None:
    store.create_profile("anna")
    assert store.rate(ANNA, FARGO, 4.5) == Change(ANNA, FARGO, None, 4.5)
    assert store.rate(ANNA, FARGO, 2) == Change(ANNA, FARGO, 4.5, 2)
    store.rate(user("7", "ml-100k"), ALIEN, 0.5)
    store.close()
    again = Store(store.path)
    assert stars_of(again, ANNA) == {"Fargo": 2.0}
    assert again.ratings(ANNA)[0].movie == FARGO
    assert stars_of(again, user("7", "ml-100k")) == {"Alien": 0.5}
    assert stars_of(again, user("7", "ml-1m")) == stars_of(again, user("7", "demo")) == {}
    assert stars_of(again, profile("7")) == {}
    assert again.profiles() == [(ANNA, 1)]
    again.close()


CLOCKS = {"stops": [5] * 9, "steps back": [5, 4, 3, 2, 1, 0], "runs": [1, 2, 3, 4, 5, 6]}


@pytest.mark.parametrize("seconds", CLOCKS.values(), ids=CLOCKS)
def test_ratings_are_listed_in_the_order_in_which_they_were_given(
    store: Store, monkeypatch: pytest.MonkeyPatch, seconds: list[int]
) -> None:
    ticks = iter(seconds)
    store.create_profile("anna")
    monkeypatch.setattr("movietui.store.ratings.now", lambda: f"2026-01-01T00:00:0{next(ticks)}.000+00:00")
    for movie in (FARGO, ALIEN, BRAZIL):
        store.rate(ANNA, movie, 3)
    assert [rated.movie for rated in store.ratings(ANNA)] == [FARGO, ALIEN, BRAZIL]


def test_a_repeated_rating_is_the_newest_until_undone(store: Store) -> None:
    for movie, stars in ((FARGO, 3), (ALIEN, 3), (FARGO, 4)):
        store.rate(ANNA, movie, stars)
    assert [rated.movie for rated in store.ratings(ANNA)] == [ALIEN, FARGO]
    store.undo([ANNA])
    assert [rated.movie for rated in store.ratings(ANNA)] == [FARGO, ALIEN]
    store.redo([ANNA])
    assert [rated.movie for rated in store.ratings(ANNA)] == [ALIEN, FARGO]
    assert all(rated.at.endswith("+00:00") for rated in store.ratings(ANNA))


RATES = """
import sys, time
from movietui.data.storage import locations
from movietui.store.ratings import Movie, Store
from movietui.protocol.viewers import profile
store = Store(locations.store())
for number in range(10**6):
    store.rate(profile("anna"), Movie(f"movie {number} 1990", f"Movie {number}", 1990), 4)
    print(number, flush=True)
"""


def test_a_rating_is_on_disk_before_rate_returns(home: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", RATES], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        last = [int(child.stdout.readline()) for _ in range(20)][-1]
        child.kill()
        last = max([last, *(int(line) for line in child.stdout.read().split())])
    store = Store(locations.store())
    assert {f"Movie {number}" for number in range(last + 1)} <= set(stars_of(store, ANNA))
    store.rate(ANNA, FARGO, 5)
    assert stars_of(store, ANNA)["Fargo"] == 5
    store.close()


def test_each_change_is_forced_to_the_disk(store: Store) -> None:
    assert store.rows("PRAGMA synchronous")[0][0] == 2
    assert store.rows("PRAGMA journal_mode")[0][0] == "wal"


def test_two_windows_write_at_once(store: Store) -> None:
    other = Store(store.path)

    def write(to: Store, ref: ViewerRef) -> None:
        for number in range(40):
            to.rate(ref, Movie(f"movie {number} 1990", f"Movie {number}", 1990), 1 + number % 5)

    threads = [threading.Thread(target=write, args=pair) for pair in ((store, ANNA), (other, TOM), (other, ANNA))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(other.ratings(ANNA)) == len(store.ratings(TOM)) == 40
    assert stars_of(store, ANNA) == stars_of(other, ANNA) == stars_of(store, TOM)
    other.close()


def test_two_windows_open_a_new_store_at_once(home: Path) -> None:
    problems: list[BaseException] = []

    def begin() -> None:
        try:
            Store(locations.store()).close()
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


@pytest.mark.parametrize("stars", [0, 0.25, 3.3, 5.5, 6, -1, float("nan"), float("inf")])
def test_only_half_stars_on_the_scale_are_valid(store: Store, stars: float) -> None:
    with pytest.raises(Problem, match=r"use 0\.5 to 5 in half stars"):
        store.rate(ANNA, FARGO, stars)
    assert stars_of(store, ANNA) == {}
    assert undone(store, [ANNA]) is None


def test_choices_are_stored(store: Store) -> None:
    assert store.choice("theme") == ""
    assert store.choice("theme", "dark") == "dark"
    store.choose("theme", "light")
    store.choose("theme", "nord")
    assert store.choice("theme", "dark") == "nord"


def test_changed_elsewhere_changes_only_when_another_window_writes(store: Store) -> None:
    other = Store(store.path)
    before = store.changed_elsewhere()
    store.rate(ANNA, FARGO, 4)
    assert store.changed_elsewhere() == before
    other.ratings(ANNA)
    assert store.changed_elsewhere() == before
    other.rate(ANNA, ALIEN, 4)
    assert store.changed_elsewhere() != before
    other.close()


def test_the_version_of_steps_changes_with_each_step(store: Store) -> None:
    versions = [store.steps_version()]
    anna = store.create_profile("anna")
    versions.append(store.steps_version())
    store.rate(anna, Movie("1", "One", 1990), 4.0)
    versions.append(store.steps_version())
    store.undo((anna,))
    versions.append(store.steps_version())
    store.rate(anna, Movie("2", "Two", 1990), 2.0)  # takes the place of the undone step
    versions.append(store.steps_version())
    store.rename_profile(anna, "eva")
    versions.append(store.steps_version())
    assert len(set(versions)) == len(versions)
    store.start_run("mf", "demo", "standard", "random90", 0, {})
    assert store.steps_version() == versions[-1]
