import os
import random
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import pytest

from data import locations
from data.imports.entries import Mark
from data.problems import Problem
from movietui.store import Change, Film, Given, Ids, Step, Store
from movietui.viewers import ViewerRef, profile, user

FARGO = Film("fargo 1996", "Fargo", 1996)
ALIEN = Film("alien 1979", "Alien", 1979)
BRAZIL = Film("brazil 1985", "Brazil", 1985)
ANNA = profile("anna")
TOM = profile("tom")


def given(store: Store, ref: ViewerRef) -> dict[str, float]:
    return {rated.film.title: rated.stars for rated in store.ratings(ref)}


def undone(store: Store, refs: Sequence[ViewerRef]) -> Change | None:
    """Undo a step of one change."""
    return only(store.undo(refs))


def redone(store: Store, refs: Sequence[ViewerRef]) -> Change | None:
    return only(store.redo(refs))


def only(step: Step | None) -> Change | None:
    if step is None:
        return None
    (change,) = step.changes
    return change


def test_ratings_come_back(store: Store) -> None:
    store.create_profile("anna")
    assert store.rate(ANNA, FARGO, 4.5) == Change(ANNA, FARGO, None, 4.5)
    assert store.rate(ANNA, FARGO, 2) == Change(ANNA, FARGO, 4.5, 2)
    store.rate(user("7", "ml-100k"), ALIEN, 0.5)
    store.close()
    again = Store(store.path)
    assert given(again, ANNA) == {"Fargo": 2.0}
    assert again.ratings(ANNA)[0].film == FARGO
    assert given(again, user("7", "ml-100k")) == {"Alien": 0.5}
    assert given(again, user("7", "ml-1m")) == given(again, user("7", "demo")) == {}
    assert given(again, profile("7")) == {}
    assert again.profiles() == [(ANNA, 1)]
    again.close()


CLOCKS = {"stands": [5] * 9, "steps back": [5, 4, 3, 2, 1, 0], "runs": [1, 2, 3, 4, 5, 6]}


@pytest.mark.parametrize("seconds", CLOCKS.values(), ids=CLOCKS)
def test_ratings_are_in_the_order_given(store: Store, monkeypatch: pytest.MonkeyPatch, seconds: list[int]) -> None:
    ticks = iter(seconds)
    store.create_profile("anna")
    monkeypatch.setattr("movietui.store.now", lambda: f"2026-01-01T00:00:0{next(ticks)}.000+00:00")
    for film in (FARGO, ALIEN, BRAZIL):
        store.rate(ANNA, film, 3)
    assert [rated.film for rated in store.ratings(ANNA)] == [FARGO, ALIEN, BRAZIL]
    assert [key for key, _ in store.asked(ANNA)["rated"]] == [FARGO.key, ALIEN.key, BRAZIL.key]


def test_a_rating_that_is_given_again_is_the_newest_until_that_is_undone(store: Store) -> None:
    for film, stars in ((FARGO, 3), (ALIEN, 3), (FARGO, 4)):
        store.rate(ANNA, film, stars)
    assert [rated.film for rated in store.ratings(ANNA)] == [ALIEN, FARGO]
    store.undo([ANNA])
    assert [rated.film for rated in store.ratings(ANNA)] == [FARGO, ALIEN]
    store.redo([ANNA])
    assert [rated.film for rated in store.ratings(ANNA)] == [ALIEN, FARGO]
    assert all(rated.at.endswith("+00:00") for rated in store.ratings(ANNA))


RATES = """
import sys, time
from data import locations
from movietui.store import Film, Store
from movietui.viewers import profile
store = Store(locations.store())
for number in range(10**6):
    store.rate(profile("anna"), Film(f"film {number} 1990", f"Film {number}", 1990), 4)
    print(number, flush=True)
"""


def test_a_rating_is_on_disk_before_rate_returns(home: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", RATES], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        last = [int(child.stdout.readline()) for _ in range(20)][-1]
        child.kill()
        last = max([last, *(int(line) for line in child.stdout.read().split())])
    store = Store(locations.store())
    assert {f"Film {number}" for number in range(last + 1)} <= set(given(store, ANNA))
    store.rate(ANNA, FARGO, 5)
    assert given(store, ANNA)["Fargo"] == 5
    store.close()


def test_each_change_is_forced_to_the_disk(store: Store) -> None:
    assert store.rows("PRAGMA synchronous")[0][0] == 2
    assert store.rows("PRAGMA journal_mode")[0][0] == "wal"


def test_two_windows_write_at_once(store: Store) -> None:
    other = Store(store.path)

    def write(to: Store, ref: ViewerRef) -> None:
        for number in range(40):
            to.rate(ref, Film(f"film {number} 1990", f"Film {number}", 1990), 1 + number % 5)

    threads = [threading.Thread(target=write, args=pair) for pair in ((store, ANNA), (other, TOM), (other, ANNA))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(other.ratings(ANNA)) == len(store.ratings(TOM)) == 40
    assert given(store, ANNA) == given(other, ANNA) == given(store, TOM)
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
def test_only_halves_on_the_scale(store: Store, stars: float) -> None:
    with pytest.raises(Problem, match=r"stars go from 0\.5 to 5 in halves"):
        store.rate(ANNA, FARGO, stars)
    assert given(store, ANNA) == {}
    assert undone(store, [ANNA]) is None


# Undo and redo


def test_undo_and_redo(store: Store) -> None:
    store.rate(ANNA, FARGO, 4)
    store.rate(ANNA, FARGO, 2)
    store.rate(ANNA, ALIEN, 5)
    assert undone(store, [ANNA]) == Change(ANNA, ALIEN, 5, None)
    assert undone(store, [ANNA]) == Change(ANNA, FARGO, 2, 4)
    assert given(store, ANNA) == {"Fargo": 4}
    assert redone(store, [ANNA]) == Change(ANNA, FARGO, 4, 2)
    assert undone(store, [ANNA]) == Change(ANNA, FARGO, 2, 4)
    assert undone(store, [ANNA]) == Change(ANNA, FARGO, 4, None)
    assert undone(store, [ANNA]) is None
    assert given(store, ANNA) == {}
    assert [redone(store, [ANNA]) is not None for _ in range(4)] == [True, True, True, False]
    assert given(store, ANNA) == {"Fargo": 2, "Alien": 5}


def test_undo_outlives_the_window(store: Store) -> None:
    store.rate(ANNA, FARGO, 4)
    store.close()
    again = Store(store.path)
    assert undone(again, [ANNA]) == Change(ANNA, FARGO, 4, None)
    again.close()


def test_viewers_undo_their_own(store: Store) -> None:
    store.rate(ANNA, FARGO, 4)
    store.rate(TOM, ALIEN, 3)
    assert undone(store, [ANNA]) == Change(ANNA, FARGO, 4, None)
    assert undone(store, [ANNA]) is None
    assert given(store, TOM) == {"Alien": 3}
    assert undone(store, [ANNA, TOM]) == Change(TOM, ALIEN, 3, None)
    assert redone(store, [TOM]) == Change(TOM, ALIEN, None, 3)


def test_a_new_rating_ends_what_could_be_redone(store: Store) -> None:
    store.rate(ANNA, FARGO, 4)
    undone(store, [ANNA])
    store.rate(ANNA, ALIEN, 3)
    assert redone(store, [ANNA]) is None
    assert given(store, ANNA) == {"Alien": 3}


def test_redo_gives_again_what_was_taken_back_last(store: Store) -> None:
    store.rate(ANNA, FARGO, 5)
    undone(store, [ANNA])
    store.rate(ANNA, FARGO, 1)
    undone(store, [ANNA])
    assert redone(store, [ANNA]) == Change(ANNA, FARGO, None, 1)
    assert redone(store, [ANNA]) is None


@pytest.mark.parametrize("seed", range(6))
def test_any_mix_of_rating_undo_and_redo(store: Store, seed: int) -> None:
    """A pair's undo is one stack for both, as in an editor."""
    chance = random.Random(seed)
    pair = [ANNA, TOM]
    now: dict[tuple[str, str], float] = {}
    done: list[tuple[tuple[str, str], float | None, float | None]] = []
    back: list[tuple[tuple[str, str], float | None, float | None]] = []

    def put(key: tuple[str, str], stars: float | None) -> None:
        if stars is None:
            now.pop(key, None)
        else:
            now[key] = stars

    for _ in range(60):
        action = chance.choice(["rate", "rate", "undo", "undo", "redo"])
        if action == "rate":
            ref, film, stars = chance.choice(pair), chance.choice([FARGO, ALIEN, BRAZIL]), chance.randint(1, 10) / 2
            key = (ref.id, film.title)
            store.rate(ref, film, stars)
            if now.get(key) == stars:  # nothing changed, so there is nothing to undo
                continue
            done.append((key, now.get(key), stars))
            back.clear()
            put(key, stars)
        elif action == "undo":
            change = undone(store, pair)
            assert (change is None) == (not done)
            if done:
                entry = done.pop()
                back.append(entry)
                put(entry[0], entry[1])
        else:
            change = redone(store, pair)
            assert (change is None) == (not back)
            if back:
                entry = back.pop()
                done.append(entry)
                put(entry[0], entry[2])
        found = {(ref.id, title): stars for ref in pair for title, stars in given(store, ref).items()}
        assert found == now


# Marks


def marked(store: Store, ref: ViewerRef, *only: Mark) -> list[tuple[str, str]]:
    return [(each.film.title, each.mark) for each in store.marks(ref, *only)]


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


def test_undo_goes_through_ratings_and_marks_alike(store: Store) -> None:
    store.mark(ANNA, FARGO, "watchlist")
    store.rate(ANNA, FARGO, 4)
    store.unmark(ANNA, FARGO, "watchlist")
    store.mark(ANNA, ALIEN, "hidden")
    told = [(step.kind, len(step.changes), step.undone) for step in store.history(ANNA)]
    assert told == [("hidden", 1, False), ("watchlist", 1, False), ("rating", 1, False), ("watchlist", 1, False)]
    assert undone(store, [ANNA]) == Change(ANNA, ALIEN, 1, None, "hidden")
    assert undone(store, [ANNA]) == Change(ANNA, FARGO, None, 1, "watchlist")
    assert marked(store, ANNA) == [("Fargo", "watchlist")]
    assert undone(store, [ANNA]) == Change(ANNA, FARGO, 4, None)
    assert [step.undone for step in store.history(ANNA)] == [True, True, True, False]
    for _ in range(3):
        store.redo([ANNA])
    assert (marked(store, ANNA), given(store, ANNA)) == ([("Alien", "hidden")], {"Fargo": 4})
    assert store.redo([ANNA]) is None
    assert store.history(TOM) == []
    assert store.history(ANNA)[2].changes == (Change(ANNA, FARGO, None, 4),)


# Imports

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


# Stores of earlier versions

OF_VERSION_1 = """
INSERT INTO viewers VALUES (1, 'profile', '', 'anna', '2026');
INSERT INTO ratings VALUES (1, 'fargo 1996', 'Fargo', 1996, 2, '2026-01-03'), (1, 'alien 1979', 'Alien', 1979, 5,
    '2026-01-02');
INSERT INTO log VALUES (1, 1, 'fargo 1996', 'Fargo', 1996, NULL, NULL, 4, '2026-01-01', 0),
    (2, 1, 'fargo 1996', 'Fargo', 1996, 4, '2026-01-01', 2, '2026-01-03', 0),
    (3, 1, 'alien 1979', 'Alien', 1979, NULL, NULL, 5, '2026-01-02', 0),
    (4, 1, 'brazil 1985', 'Brazil', 1985, NULL, NULL, 1, '2026-01-04', 1);
INSERT INTO choices VALUES ('theme', 'light');
PRAGMA user_version = 1;
"""


@pytest.fixture
def old_store(home: Path) -> Path:
    path = locations.store()
    path.parent.mkdir(parents=True)
    with sqlite3.connect(path) as database:
        database.executescript(resources.files("movietui").joinpath("schema.sql").read_text("utf-8") + OF_VERSION_1)
    database.close()
    return path


def test_a_store_of_version_1_keeps_all_that_it_has(old_store: Path) -> None:
    store = Store(old_store)
    assert [(rated.film, rated.stars, rated.at) for rated in store.ratings(ANNA)] == [
        (FARGO, 2, "2026-01-03"),
        (ALIEN, 5, "2026-01-02"),
    ]
    assert store.choice("theme") == "light"
    assert redone(store, [ANNA]) == Change(ANNA, BRAZIL, None, 1)
    assert [rated.film for rated in store.ratings(ANNA)] == [FARGO, ALIEN, BRAZIL]
    assert [undone(store, [ANNA]) for _ in range(4)] == [
        Change(ANNA, BRAZIL, 1, None),
        Change(ANNA, ALIEN, 5, None),
        Change(ANNA, FARGO, 2, 4),
        Change(ANNA, FARGO, 4, None),
    ]
    assert store.ratings(ANNA) == []
    for _ in range(4):
        store.redo([ANNA])
    assert [rated.film for rated in store.ratings(ANNA)] == [FARGO, ALIEN, BRAZIL]
    store.close()


def test_two_windows_bring_a_store_up_to_date_at_once(old_store: Path) -> None:
    problems: list[BaseException] = []

    def begin() -> None:
        try:
            Store(old_store).close()
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    store = Store(old_store)
    assert len(store.ratings(ANNA)) == 2
    store.close()


# Files that are none


def test_a_later_version_is_refused_and_left_alone(store: Store) -> None:
    store.rate(ANNA, FARGO, 4)
    store.close()
    with sqlite3.connect(store.path) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(Problem, match="written by a later movietui; update"):
        Store(store.path)
    with sqlite3.connect(store.path) as database:
        assert database.execute("SELECT count(*) FROM ratings").fetchone() == (1,)
        assert database.execute("PRAGMA user_version").fetchone() == (99,)


@pytest.mark.parametrize("content", [b"this is no database\n" * 500, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_database(home: Path, content: bytes) -> None:
    path = locations.store()
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(Problem, match="damaged"):
        Store(path)
    assert path.read_bytes() == content


def test_a_folder_in_the_place_of_the_store(home: Path) -> None:
    locations.store().mkdir(parents=True)
    with pytest.raises(Problem, match="cannot be used"):
        Store(locations.store())


def test_a_file_in_the_place_of_the_folder(home: Path) -> None:
    home.mkdir()
    (home / "data").write_text("x")
    with pytest.raises(Problem, match="cannot be used"):
        Store(locations.store())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_rights(home: Path) -> None:
    home.mkdir(mode=0o500)
    with pytest.raises(Problem, match="check its rights"):
        Store(locations.store())


def test_another_program_holds_the_file(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.execute("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Problem, match="another program holds the file"):
        store.rate(ANNA, FARGO, 4)
    other.close()
    store.rate(ANNA, FARGO, 4)


FILLS = """
import resource, signal
from data import locations
from data.problems import Problem
from movietui.store import Film, Store
from movietui.viewers import profile
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = Store(locations.store())
store.rate(profile("anna"), Film("fargo 1996", "Fargo", 1996), 4)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.RLIM_INFINITY))
kept = 0
try:
    for number in range(5000):
        store.rate(profile("anna"), Film(f"{{number}} 1990", "x" * 500, 1990), 3)
        kept += 1
except Problem as problem:
    print(kept, problem)
"""


def test_a_file_that_may_not_grow(home: Path) -> None:
    """What a full disk or a quota does to a write, on any system and without being root."""
    code = FILLS.format(limit=200_000)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    kept, _, told = done.stdout.partition(" ")
    assert "the disk is full or failing; free some space" in told, done.stderr
    assert "Traceback" not in done.stderr
    store = Store(locations.store())
    assert len(store.ratings(ANNA)) == 1 + int(kept)
    store.rate(ANNA, ALIEN, 5)
    store.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_a_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        store = Store(disk / "movietui.sqlite3")
        store.rate(ANNA, FARGO, 4)
        kept = 1
        with pytest.raises(Problem, match="disk is full"):  # noqa: PT012
            for number in range(5000):
                store.rate(ANNA, Film(f"{number} 1990", "x" * 500, 1990), 3)
                kept += 1
        assert len(store.ratings(ANNA)) == kept
        store.close()
        again = Store(disk / "movietui.sqlite3")
        assert len(again.ratings(ANNA)) == kept
        again.close()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_nothing_of_a_failed_change_stays(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.rate(ANNA, FARGO, 4)

    def fails(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(store, "_put", fails)
    with pytest.raises(Problem, match="free some space, nothing that was saved is lost"):
        store.rate(TOM, ALIEN, 2)
    monkeypatch.undo()
    assert [ref for ref, _ in store.profiles()] == [ANNA]
    store.rate(TOM, ALIEN, 3)
    assert given(store, TOM) == {"Alien": 3}


# Profiles


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("  Anna   Maria ", "Anna Maria"),
        ("[bold]x[/]", "[bold]x[/]"),
        ("李小龍", "李小龍"),
        ("a" * 40, "a" * 40),
        ("O'Brien; DROP TABLE viewers", "O'Brien; DROP TABLE viewers"),
        ("user 7", "user 7"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("Sally 👩🏽\u200d🚀", "Sally 👩🏽\u200d🚀"),
        ("❤\ufe0f\u200d🔥", "❤\ufe0f\u200d🔥"),
    ],
)
def test_names(store: Store, typed: str, name: str) -> None:
    assert store.create_profile(typed) == profile(name)
    assert store.profiles() == [(profile(name), 0)]
    assert store.find_profile(typed.upper()) == profile(name)


MISPLACED_JOINERS = ["\u200d", "an\u200dna", "👨\u200d", "\u200d👨", "👨\u200dx", "x\u200d👨", "👨\u200d\u200d👩"]


@pytest.mark.parametrize(
    "typed", ["", "   ", "\t\n", "a" * 41, "a\x1b[31m", "a\x07b", "a\u202eb", "🏴\U000e0067", *MISPLACED_JOINERS]
)
def test_names_that_are_none(store: Store, typed: str) -> None:
    with pytest.raises(Problem, match="1 to 40"):
        store.create_profile(typed)
    assert store.profiles() == []


def test_a_name_is_taken_in_any_case(store: Store) -> None:
    store.create_profile("Anna Maria")
    with pytest.raises(Problem, match="'Anna Maria' already"):
        store.create_profile("anna  MARIA")
    assert store.find_profile("nobody") is None


def test_profiles_are_listed_by_name(store: Store) -> None:
    for name in ("tom", "Anna", "bob"):
        store.create_profile(name)
    assert [ref.id for ref, _ in store.profiles()] == ["Anna", "bob", "tom"]


# Runs and choices


def test_runs(store: Store) -> None:
    first = store.start_run("mf", "demo", "standard", "random90", 3, {"factors": 10})
    second = store.start_run("bias", "demo", "none", "u1", 0, {})
    running = store.run(first)
    assert running is not None
    assert (running.state, running.seconds, running.metrics) == ("running", None, {})
    curve = [{"epoch": 1, "train_loss": 0.5, "validation_loss": None}]
    store.end_run(first, "done", seconds=1.5, curve=curve, best_epoch=1, metrics={"rmse": 0.9})
    store.end_run(second, "failed", problem="The disk is full.")
    assert [run.id for run in store.runs()] == [second, first]
    done = store.run(first)
    assert done is not None
    assert (done.seed, done.settings, done.curve, done.metrics) == (3, {"factors": 10}, curve, {"rmse": 0.9})
    assert store.runs()[0].problem == "The disk is full."
    assert store.run(99) is None


def test_which_run_serves(store: Store) -> None:
    assert store.serving_runs("demo") == []
    numbers = [store.start_run("mf", "demo", "standard", "random90", 0, {}) for _ in range(3)]
    assert store.serving_runs("demo") == []
    for number in numbers[:2]:
        store.end_run(number, "done")
    store.end_run(numbers[2], "cancelled")
    assert store.serving_runs("ml-1m") == []
    oldest, newest = store.run(numbers[0]), store.run(numbers[1])
    assert oldest is not None
    assert store.serving_runs("demo") == [newest, oldest]
    store.serve_with(oldest)
    assert store.serving_runs("demo") == [oldest, newest]
    assert oldest.checkpoint != newest.checkpoint  # type: ignore[union-attr]


def test_which_dataset_is_opened_at_the_start(store: Store) -> None:
    assert store.dataset_in_use() is None
    for dataset, state in (("demo", "done"), ("ml-1m", "done"), ("ml-100k", "failed")):
        store.end_run(store.start_run("mf", dataset, "standard", "random90", 0, {}), state)
    assert store.dataset_in_use() == "ml-1m"
    store.choose("dataset", "demo")
    assert store.dataset_in_use() == "demo"
    store.choose("dataset", "ml-100k")
    assert store.dataset_in_use() == "ml-1m"


def test_a_run_whose_process_is_gone_was_cut_off(store: Store) -> None:
    number = store.start_run("mf", "demo", "standard", "random90", 0, {})
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    store.execute("UPDATE runs SET process = ? WHERE id = ?", ended.pid, number)
    run = store.run(number)
    assert run is not None
    assert run.state == "cut off"
    assert "cut off" in run.problem


def test_choices(store: Store) -> None:
    assert store.choice("theme") == ""
    assert store.choice("theme", "dark") == "dark"
    store.choose("theme", "light")
    store.choose("theme", "nord")
    assert store.choice("theme", "dark") == "nord"


def test_changed_elsewhere_moves_only_when_another_writes(store: Store) -> None:
    other = Store(store.path)
    before = store.changed_elsewhere()
    store.rate(ANNA, FARGO, 4)
    assert store.changed_elsewhere() == before
    other.ratings(ANNA)
    assert store.changed_elsewhere() == before
    other.rate(ANNA, ALIEN, 4)
    assert store.changed_elsewhere() != before
    other.close()


def test_deeds_differ_once_somebody_did_something(store: Store) -> None:
    seen = [store.deeds()]
    anna = store.create_profile("anna")
    seen.append(store.deeds())
    store.rate(anna, Film("1", "One", 1990), 4.0)
    seen.append(store.deeds())
    store.undo((anna,))
    seen.append(store.deeds())
    store.rename_profile(anna, "eva")
    seen.append(store.deeds())
    assert len(set(seen)) == len(seen)
    store.start_run("mf", "demo", "standard", "random90", 0, {})
    assert store.deeds() == seen[-1]
