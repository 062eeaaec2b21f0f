"""Stores of earlier and later versions, files that are not stores, and full disks."""

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from movietui.data.problems import Problem
from movietui.data.storage import locations
from movietui.store import backup
from movietui.store.database import scripts
from movietui.store.ratings import Change, Ids, Movie, Store
from tests.movietui.stored import ALIEN, ANNA, BRAZIL, FARGO, TOM, redone, stars_of, undone

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


OF_VERSION_4 = """
INSERT INTO viewers VALUES (1, 'profile', '', 'anna', '2026-01-01T00:00:00.000+00:00');
INSERT INTO steps VALUES (1, 1, 'rating', '', '2026-01-01T00:00:00.000+00:00', 0),
    (2, 1, 'watchlist', '', '2026-01-02T00:00:00.000+00:00', 0), (3, 1, 'list', '', '2026-01-03T00:00:00.000+00:00', 0);
INSERT INTO changes VALUES (1, 1, 'fargo 1996', 'Fargo', 1996, 'rating', NULL, NULL, NULL, 4, '2026-01-01'),
    (2, 2, 'alien 1979', 'Alien', 1979, 'watchlist', NULL, NULL, NULL, 1, '2026-01-02');
INSERT INTO ratings VALUES (1, 'fargo 1996', 'Fargo', 1996, 4, '2026-01-01', 1);
INSERT INTO marks VALUES (1, 'alien 1979', 'watchlist', 'Alien', 1979, '2026-01-02', 2);
INSERT INTO aliases VALUES ('fargo 1996', 'fargoh 1996'), ('fargoh 1996', 'fargo 1996');
INSERT INTO films VALUES ('fargo 1996', 'tt0116282', 275, 608);
INSERT INTO settled VALUES ('fargoh 1996', 'fargo 1996');
INSERT INTO lists VALUES (1, 1, 3, 'shelf', 0);
INSERT INTO listed VALUES (1, 1, 'brazil 1985', 'Brazil', 1985, 'tape');
PRAGMA user_version = 4;
"""


@pytest.fixture
def old_store(home: Path) -> Path:
    path = locations.store()
    path.parent.mkdir(parents=True)
    with sqlite3.connect(path) as database:
        database.executescript(scripts()[0] + OF_VERSION_1)
    database.close()
    return path


def test_a_store_of_version_1_keeps_everything(old_store: Path) -> None:
    store = Store(old_store)
    assert [(rated.movie, rated.stars, rated.at) for rated in store.ratings(ANNA)] == [
        (FARGO, 2, "2026-01-03"),
        (ALIEN, 5, "2026-01-02"),
    ]
    assert store.choice("theme") == "light"
    assert redone(store, [ANNA]) == Change(ANNA, BRAZIL, None, 1)
    assert [rated.movie for rated in store.ratings(ANNA)] == [FARGO, ALIEN, BRAZIL]
    assert [undone(store, [ANNA]) for _ in range(4)] == [
        Change(ANNA, BRAZIL, 1, None),
        Change(ANNA, ALIEN, 5, None),
        Change(ANNA, FARGO, 2, 4),
        Change(ANNA, FARGO, 4, None),
    ]
    assert store.ratings(ANNA) == []
    for _ in range(4):
        store.redo([ANNA])
    assert [rated.movie for rated in store.ratings(ANNA)] == [FARGO, ALIEN, BRAZIL]
    store.close()


def test_a_store_of_version_4_keeps_everything(home: Path) -> None:
    path = locations.store()
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as database:
        database.executescript("".join(scripts()[:4]) + OF_VERSION_4)
    store = Store(path)
    assert [(rated.movie, rated.stars) for rated in store.ratings(ANNA)] == [(FARGO, 4)]
    assert store.marks(ANNA, "watchlist")[0].movie == ALIEN
    assert store.ids(["fargo 1996"])["fargo 1996"] == Ids("tt0116282", 275, 608)
    assert store.settled() == {"fargoh 1996": "fargo 1996"}
    assert [entry.title for entry in store.list_named(ANNA, "shelf").movies] == ["Brazil"]
    assert store.undo([ANNA]) is not None  # the list
    assert undone(store, [ANNA]) == Change(ANNA, ALIEN, 1, None, "watchlist")
    assert store.marks(ANNA, "watchlist") == []
    store.close()


def test_two_windows_migrate_a_store_at_once(old_store: Path) -> None:
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


def test_a_later_version_is_refused_and_unchanged(store: Store) -> None:
    store.rate(ANNA, FARGO, 4)
    store.close()
    with sqlite3.connect(store.path) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(Problem, match="written by a newer movietui; update"):
        Store(store.path)
    with sqlite3.connect(store.path) as database:
        assert database.execute("SELECT count(*) FROM ratings").fetchone() == (1,)
        assert database.execute("PRAGMA user_version").fetchone() == (99,)


@pytest.mark.parametrize("content", [b"this is no database\n" * 500, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_not_a_database_is_refused_and_unchanged(home: Path, content: bytes) -> None:
    path = locations.store()
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(Problem, match="damaged"):
        Store(path)
    assert path.read_bytes() == content


def test_damage_is_reported_even_if_the_message_of_sqlite_is_not_text(home: Path) -> None:
    store = Store(locations.store())
    store.close()
    with closing(sqlite3.connect(store.path)) as database, database:
        database.execute("PRAGMA writable_schema = ON")
        database.execute(
            "UPDATE sqlite_schema SET name = CAST(x'EE41' AS TEXT), sql = 'no table' WHERE name = 'ratings'"
        )
    with closing(sqlite3.connect(store.path)) as database, pytest.raises(UnicodeDecodeError):
        database.execute("SELECT 1 FROM ratings")
    with pytest.raises(Problem, match="damaged"):
        Store(store.path)
    with pytest.raises(Problem, match="or it is damaged"):
        backup.restore(store.path, home / "elsewhere" / "store.sqlite3")


def test_the_database_of_another_program_stays_as_it_is(home: Path) -> None:
    path = locations.store()
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE moz_places (id)")
    with pytest.raises(Problem, match="is the database of another program; move it away"):
        Store(path)
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT name FROM sqlite_schema").fetchall() == [("moz_places",)]


def test_a_folder_in_place_of_the_store_is_a_problem(home: Path) -> None:
    locations.store().mkdir(parents=True)
    with pytest.raises(Problem, match="cannot be used"):
        Store(locations.store())


def test_a_file_in_place_of_the_folder_is_a_problem(home: Path) -> None:
    home.mkdir()
    (home / "data").write_text("x")
    with pytest.raises(Problem, match="cannot be used"):
        Store(locations.store())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permissions_is_a_problem(home: Path) -> None:
    home.mkdir(mode=0o500)
    with pytest.raises(Problem, match="check its permissions"):
        Store(locations.store())


def test_a_store_that_another_program_locks_is_a_problem(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.execute("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Problem, match="another program is using the file"):
        store.rate(ANNA, FARGO, 4)
    other.close()
    store.rate(ANNA, FARGO, 4)


FILLS = """
import resource, signal
from movietui.data.storage import locations
from movietui.data.problems import Problem
from movietui.store.ratings import Movie, Store
from movietui.protocol.viewers import profile
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = Store(locations.store())
store.rate(profile("anna"), Movie("fargo 1996", "Fargo", 1996), 4)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.RLIM_INFINITY))
written = 0
try:
    for number in range(5000):
        store.rate(profile("anna"), Movie(f"{{number}} 1990", "x" * 500, 1990), 3)
        written += 1
except Problem as problem:
    print(written, problem)
"""


def test_a_store_that_cannot_grow_loses_nothing(home: Path) -> None:
    """Writes fail as on a full disk or beyond a quota, on any system and without root."""
    code = FILLS.format(limit=200_000)
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    written, _, output = process.stdout.partition(" ")
    assert "the disk is full or failing; free some space" in output, process.stderr
    assert "Traceback" not in process.stderr
    store = Store(locations.store())
    assert len(store.ratings(ANNA)) == 1 + int(written)
    store.rate(ANNA, ALIEN, 5)
    store.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_a_store_on_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        store = Store(disk / "movietui.sqlite3")
        store.rate(ANNA, FARGO, 4)
        written = 1
        with pytest.raises(Problem, match="disk is full"):  # noqa: PT012
            for number in range(5000):
                store.rate(ANNA, Movie(f"{number} 1990", "x" * 500, 1990), 3)
                written += 1
        assert len(store.ratings(ANNA)) == written
        store.close()
        again = Store(disk / "movietui.sqlite3")
        assert len(again.ratings(ANNA)) == written
        again.close()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_failed_change_is_rolled_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.rate(ANNA, FARGO, 4)

    def fails(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(store, "_put", fails)
    with pytest.raises(Problem, match=r"free some space \(nothing that was saved is lost\)"):
        store.rate(TOM, ALIEN, 2)
    monkeypatch.undo()
    assert [ref for ref, _ in store.profiles()] == [ANNA]
    store.rate(TOM, ALIEN, 3)
    assert stars_of(store, TOM) == {"Alien": 3}
