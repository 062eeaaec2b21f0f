"""The store is backed up and restored completely or not at all, and an invalid backup changes nothing."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from movietui.cli import cli
from movietui.data.problems import Problem
from movietui.data.storage import locations
from movietui.protocol.viewers import profile
from movietui.store.backup import back_up, restore
from movietui.store.database import VERSION, scripts
from movietui.store.ratings import Movie, Store
from tests.movietui.driving import started
from tests.movietui.fakes import FakeEngine, with_run

ANNA = profile("anna")
FARGO, ALIEN = Movie("fargo 1996", "Fargo", 1996), Movie("alien 1979", "Alien", 1979)


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def titles() -> list[str]:
    store = Store(locations.store())
    result = [rated.movie.title for rated in store.ratings(ANNA)]
    store.close()
    return result


@pytest.fixture
def backup(home: Path, tmp_path: Path) -> Path:
    """A backup with one rating. The store has two ratings by now."""
    store = Store(locations.store())
    store.rate(ANNA, FARGO, 4)
    back_up(store, tmp_path / "backup.sqlite3")
    store.rate(ANNA, ALIEN, 5)
    store.close()
    return tmp_path / "backup.sqlite3"


def files_in_the_store_folder() -> list[str]:
    return sorted(path.name for path in locations.store().parent.iterdir())


def test_restoring_a_backup_keeps_the_previous_store(backup: Path) -> None:
    result = invoke("restore", backup, "--json")
    output = json.loads(result.stdout)
    assert {key: output[key] for key in ("restored", "store", "profiles", "ratings", "runs")} == {
        "restored": str(backup),
        "store": str(locations.store()),
        "profiles": 1,
        "ratings": 1,
        "runs": 0,
    }
    assert titles() == ["Fargo"]
    assert files_in_the_store_folder() == sorted([locations.store().name, Path(output["kept"]).name])
    again = invoke("restore", output["kept"])
    assert again.stdout.startswith("Restored 1 profile, 2 ratings, 0 runs from ")
    assert titles() == ["Fargo", "Alien"]
    assert backup.exists()


def test_a_backup_is_one_file_with_the_latest_changes(store: Store, tmp_path: Path) -> None:
    """This holds even while the store is open and every change is still in its log."""
    store.rate(ANNA, FARGO, 4)
    file = tmp_path / "copies" / "one.sqlite3"
    file.parent.mkdir()
    report = back_up(store, file)
    assert report == {"backup": str(file), "bytes": file.stat().st_size, "profiles": 1, "ratings": 1, "runs": 0}
    assert os.listdir(file.parent) == [file.name]
    with closing(sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)) as db:
        assert db.execute("SELECT title FROM ratings").fetchall() == [("Fargo",)]


def test_a_backup_is_restored_if_there_is_no_store(backup: Path) -> None:
    locations.store().unlink()
    result = invoke("restore", backup)
    assert result.exit_code == 0
    assert "kept" not in result.stdout
    assert titles() == ["Fargo"]


def test_a_backup_goes_to_the_given_path_or_to_the_folder_of_backups(backup: Path, tmp_path: Path) -> None:
    assert "already exists" in invoke("backup", backup).stderr
    assert json.loads(invoke("backup", backup, "--force", "--json").stdout)["ratings"] == 2
    for given, folder in (((), locations.backups()), ((tmp_path,), tmp_path)):
        made = Path(json.loads(invoke("backup", *given, "--json").stdout)["backup"])
        assert (made.parent, made.suffix) == (folder, ".sqlite3")
    assert "is the app's own database" in invoke("backup", locations.store(), "--force").stderr
    assert "is the app's own database" in invoke("restore", locations.store()).stderr
    assert titles() == ["Fargo", "Alien"]


def test_a_folder_of_backups_that_cannot_be_created_is_a_problem(backup: Path) -> None:
    locations.backups().write_text("in the way")
    result = invoke("backup")
    assert (result.exit_code, result.stderr) == (
        1,
        f"{locations.backups()} could not be created: File exists; choose another folder.\n",
    )


def test_backing_up_without_a_store_is_a_problem(home: Path) -> None:
    result = invoke("backup")
    assert (result.exit_code, result.stderr) == (
        1,
        "There is nothing to back up yet; rate a movie or train a model first.\n",
    )
    assert not locations.store().exists()


def foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE moz_places (id)")
        db.execute(f"PRAGMA user_version = {VERSION}")


def later(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE more (id)")
        db.execute(f"PRAGMA user_version = {VERSION + 1}")


def with_trigger(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TRIGGER odd AFTER INSERT ON ratings BEGIN DELETE FROM ratings; END")


def damaged_inside(path: Path) -> None:
    """Empty an index, which only a complete check notices."""
    with closing(sqlite3.connect(path)) as db:
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'steps_by_viewer'").fetchone()
        (size,) = db.execute("PRAGMA page_size").fetchone()
    content = bytearray(path.read_bytes())
    entries = slice((page - 1) * size + 3, (page - 1) * size + 5)
    content[entries] = b"\0\0"
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda path: path.write_text("title,year\nFargo,1996\n"), "is not a movietui backup, or it is damaged"),
        (lambda path: path.write_bytes(b""), "is not a movietui backup;"),
        (lambda path: path.write_bytes(path.read_bytes()[:20_000]), "or it is damaged"),
        (damaged_inside, "is damaged; use an older backup"),
        (foreign, "is not a movietui backup;"),
        (with_trigger, "is not a movietui backup;"),
        (later, "was written by a newer movietui; update movietui"),
        (Path.unlink, "does not exist"),
    ],
)
def test_an_invalid_backup_changes_nothing(backup: Path, spoil: Callable[[Path], object], expected: str) -> None:
    spoil(backup)
    before = locations.store().read_bytes()
    result = invoke("restore", backup)
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert expected in result.stderr
    assert str(backup) in result.stderr
    assert locations.store().read_bytes() == before
    assert files_in_the_store_folder() == [locations.store().name]


def test_an_older_backup_is_migrated(backup: Path, tmp_path: Path) -> None:
    old = tmp_path / "old.sqlite3"
    with closing(sqlite3.connect(old)) as db:
        db.executescript(scripts()[0])
        db.execute("INSERT INTO viewers VALUES (1, 'profile', '', 'anna', '2026')")
        db.execute("INSERT INTO ratings VALUES (1, 'brazil 1985', 'Brazil', 1985, 3, '2026-01-01T00:00:00+00:00')")
        db.execute("PRAGMA user_version = 1")
        db.commit()
    assert invoke("restore", old).exit_code == 0
    with closing(sqlite3.connect(locations.store())) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (VERSION,)
    assert titles() == ["Brazil"]


@pytest.mark.parametrize("content", [b"not a database at all", None])
def test_a_damaged_store_is_replaced(backup: Path, content: bytes | None) -> None:
    damaged = locations.store().read_bytes()[:20_000] if content is None else content
    locations.store().write_bytes(damaged)
    result = invoke("backup")
    assert result.exit_code == 1
    assert "is damaged; restore a backup with movietui restore" in result.stderr
    output = json.loads(invoke("restore", backup, "--json").stdout)
    assert titles() == ["Fargo"]
    assert Path(output["kept"]).read_bytes() == damaged


def test_a_large_backup_may_take_longer(backup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("movietui.store.backup.PROGRESS_STEPS", 1)
    monkeypatch.setattr("movietui.store.backup.MAX_QUERY_SECONDS", -1000.0)
    with pytest.raises(Problem, match="SQLite could not finish reading"):
        restore(backup, locations.store())
    monkeypatch.setattr("movietui.store.backup.BYTES_A_SECOND", 1)
    restore(backup, locations.store())
    assert titles() == ["Fargo"]


def test_restoring_fails_while_another_window_is_open(backup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("movietui.store.backup.WAIT_SECONDS", 0.05)
    window = Store(locations.store())
    with pytest.raises(Problem, match="is in use; close all windows of movietui"):
        restore(backup, locations.store())
    window.rate(ANNA, FARGO, 2)
    window.close()
    assert titles() == ["Alien", "Fargo"]
    restore(backup, locations.store())
    assert titles() == ["Fargo"]


NO_ROOM = """
import resource, signal, sys
from movietui.cli import cli
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, resource.RLIM_INFINITY))
cli(sys.argv[1:])
"""


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_full_disk_is_a_problem_and_leaves_nothing_behind(backup: Path, tmp_path: Path, command: str) -> None:
    before = locations.store().read_bytes()
    path = backup if command == "restore" else tmp_path / "new.sqlite3"
    result = subprocess.run([sys.executable, "-c", NO_ROOM, command, str(path)], capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr.startswith(f"{path} could not be {'restored' if command == 'restore' else 'written'}: d")
    assert "Traceback" not in result.stderr
    assert locations.store().read_bytes() == before
    assert files_in_the_store_folder() == [locations.store().name]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.sqlite3", "home"]


async def test_the_palette_makes_a_backup(store: Store) -> None:
    with_run(store)
    store.rate(ANNA, Movie("7", "Fargo", 1996), 4)
    async with started(engine=FakeEngine()) as driver:
        await driver.press("ctrl+p")
        await driver.type("back up")
        await driver.see("Save all profiles, ratings and runs to one file")
        await driver.press("enter")
        await driver.wait_for_notice("Backed up 1 rating, all profiles and runs to ")
        (made,) = locations.backups().iterdir()
        assert made.name in driver.app.notice.plain
