"""If the disk is full or read-only, everything can still be read and copied elsewhere, and nothing is lost."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from movietui.cli import cli
from movietui.data.problems import Problem
from movietui.data.storage import locations
from movietui.store.backup import restore
from movietui.store.database import scripts
from movietui.store.ratings import Store
from tests.movietui.driving import started
from tests.movietui.fakes import FakeEngine, with_run
from tests.movietui.stored import ALIEN, ANNA, BRAZIL, FARGO, stars_of

KILLED = """
import os, sys
from movietui.data.storage import locations
from movietui.store.ratings import Movie, Store
from movietui.protocol.viewers import profile
Store(locations.store()).rate(profile("anna"), Movie("brazil 1985", "Brazil", 1985), 3)
os._exit(0)
"""


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def mount(*arguments: str | Path) -> None:
    if subprocess.run(["mount", *map(str, arguments)], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")


@contextmanager
def read_only(home: Path) -> Iterator[None]:
    """Make a folder and its contents read-only, even for root."""
    mount("--bind", home, home)
    try:
        mount("-o", "remount,bind,ro", home)
        yield
    finally:
        subprocess.run(["umount", "--lazy", home], check=True)


@contextmanager
def full(home: Path) -> Iterator[None]:
    """Replace a folder with a full disk of two megabytes that has the same contents."""
    content = {path.relative_to(home): path.read_bytes() for path in home.rglob("*") if path.is_file()}
    mount("-t", "tmpfs", "-o", "size=2m", "tmpfs", home)
    try:
        for path, data in content.items():
            (home / path).parent.mkdir(parents=True, exist_ok=True)
            (home / path).write_bytes(data)
        with suppress(OSError), (home / "ballast").open("wb", buffering=0) as ballast:
            while ballast.write(b"x" * 512):
                pass
        with pytest.raises(OSError, match="No space"):
            (home / "more").write_bytes(b"x")
        yield
    finally:
        subprocess.run(["umount", "--lazy", home], check=True)


Unwritable = Callable[[Path], "contextmanager[None]"]  # type: ignore[type-arg]
UNWRITABLE = pytest.mark.parametrize("unwritable", [read_only, full])


@pytest.fixture
def filled(home: Path) -> Path:
    store = Store(locations.store())
    store.rate(ANNA, FARGO, 4)
    store.rate(ANNA, ALIEN, 5)
    with_run(store)
    store.close()
    return home


@UNWRITABLE
def test_everything_can_be_read_and_copied_elsewhere(filled: Path, tmp_path: Path, unwritable: Unwritable) -> None:
    before = locations.store().read_bytes()
    with unwritable(filled):
        history = invoke("history", "--profile", "anna", "--json")
        assert "Alien" in history.stdout, history.output
        assert "Fargo" in history.stdout
        assert "can be read but not changed now: " in history.stderr
        assert history.stderr.count("\n") == 1
        listed = invoke("runs", "list", "--json")
        assert [run["run"] for run in json.loads(listed.stdout)] == [3, 2, 1]
        result = invoke("backup", tmp_path / "backup.sqlite3", "--json")
        assert json.loads(result.stdout)["ratings"] == 2
        result = invoke("export", "--profile", "anna", "--format", "csv", "--output", tmp_path / "out.csv")
        assert result.exit_code == 0
        assert "Fargo" in (tmp_path / "out.csv").read_text()
        for refused in (
            invoke("rate", "Fargo", "2", "--profile", "anna"),
            invoke("runs", "delete", "1"),
            invoke("backup"),
            invoke("restore", tmp_path / "backup.sqlite3"),
        ):
            assert refused.exit_code == 1
            assert "Traceback" not in refused.output
        assert locations.store().read_bytes() == before
    restore(tmp_path / "backup.sqlite3", tmp_path / "elsewhere.sqlite3")
    store = Store(tmp_path / "elsewhere.sqlite3")
    assert stars_of(store, ANNA) == {"Fargo": 4, "Alien": 5}
    store.close()


def test_changes_that_are_only_in_the_log_are_read(filled: Path) -> None:
    """A killed window has left changes in the log of the store, and then the disk becomes read-only."""
    subprocess.run([sys.executable, "-c", KILLED], check=True, timeout=100)
    log = locations.store().with_name(locations.store().name + "-wal")
    assert log.stat().st_size
    log.with_name(log.name.replace("-wal", "-shm")).unlink()
    with read_only(filled):
        store = Store(locations.store())
        assert stars_of(store, ANNA) == {"Fargo": 4, "Alien": 5, "Brazil": 3}
        assert len(store.notices()) == 1
        store.close()


def test_changes_work_again_once_the_disk_is_writable(filled: Path) -> None:
    with read_only(filled):
        store = Store(locations.store())
        with pytest.raises(Problem, match=r"can be read but not changed now: its disk is read-only; .*\.$"):
            store.rate(ANNA, BRAZIL, 3)
        assert stars_of(store, ANNA) == {"Fargo": 4, "Alien": 5}
    store.rate(ANNA, BRAZIL, 3)
    store.close()
    again = Store(locations.store())
    assert stars_of(again, ANNA) == {"Fargo": 4, "Alien": 5, "Brazil": 3}
    again.close()


def test_an_unwritable_home_without_a_store_is_a_problem(home: Path) -> None:
    home.mkdir()
    with read_only(home), pytest.raises(Problem, match="cannot be used: Read-only file system; check its permissions"):
        Store(locations.store())


def test_an_unwritable_store_of_version_1_is_read(home: Path) -> None:
    path = locations.store()
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as db:
        db.executescript(scripts()[0])
        db.execute("INSERT INTO viewers VALUES (1, 'profile', '', 'anna', '2026-01-01')")
        db.execute("INSERT INTO ratings VALUES (1, 'fargo 1996', 'Fargo', 1996, 4, '2026-01-01')")
        db.execute("PRAGMA user_version = 1")
        db.commit()
    before = path.read_bytes()
    with read_only(home):
        store = Store(path)
        assert stars_of(store, ANNA) == {"Fargo": 4}
        store.close()
    assert path.read_bytes() == before


async def test_the_app_works_on_an_unwritable_disk(home: Path) -> None:
    """A rating is refused with a sentence, and the list does not change."""
    store = Store(locations.store())
    with_run(store)
    store.close()
    with read_only(home):
        async with started(engine=FakeEngine()) as driver:
            await driver.wait_for_notice("can be read but not changed now: its disk is read-only")
            total, first = driver.movies.total, driver.titles()
            await driver.press("5")
            await driver.wait_for_notice("can be read but not changed now: its disk is read-only")
            assert (driver.movies.total, driver.titles()) == (total, first)
            await driver.press("down", "i")
            assert driver.app.is_running


# Files are private


@pytest.fixture
def open_to_all() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def shared(folder: Path) -> list[str]:
    """Return the paths that other users can access, of a folder and everything in it."""
    return sorted(str(path) for path in [folder, *folder.rglob("*")] if path.stat().st_mode & 0o077)


def test_new_files_are_private(home: Path, tmp_path: Path, open_to_all: None) -> None:
    store = Store(locations.store())
    store.rate(ANNA, FARGO, 4)
    assert {path.suffix for path in locations.store().parent.iterdir()} >= {".sqlite3", ".sqlite3-wal", ".sqlite3-shm"}
    assert invoke("backup").exit_code == 0
    assert invoke("backup", tmp_path / "backup.sqlite3").exit_code == 0
    out = ("--output", tmp_path / "out.csv")
    assert invoke("export", "--profile", "anna", "--format", "csv", *out).exit_code == 0
    assert shared(home / "data") == []
    store.close()
    assert invoke("restore", tmp_path / "backup.sqlite3").exit_code == 0
    assert shared(home / "data") == []
    made = (tmp_path / "backup.sqlite3", tmp_path / "out.csv")
    assert [path.stat().st_mode & 0o777 for path in made] == [0o600, 0o600]


def test_files_that_others_could_read_become_private(filled: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for folder in (locations.backups(), locations.checkpoints(), locations.imdb()):
        folder.mkdir(parents=True)
    (locations.backups() / "old.sqlite3").write_text("")
    for path in [filled / "data", *(filled / "data").rglob("*")]:
        path.chmod(0o777)
    Store(locations.store()).close()
    assert shared(filled / "data") == []
    assert tmp_path.stat().st_mode & 0o777 == 0o755  # this folder is not movietui's own
