"""Rows of the store with values that movietui never writes are skipped and reported, and the program continues."""

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from movietui.cli import cli
from movietui.data.problems import Problem
from movietui.data.storage import locations
from movietui.store.backup import back_up
from movietui.store.database import now
from movietui.store.ratings import Store
from movietui.store.runs import Runs
from movietui.store.validation import DEEPEST, TABLES, is_choice, wrong_column
from tests.movietui.driving import started
from tests.movietui.fakes import FakeEngine, with_run
from tests.movietui.stored import ALIEN, ANNA, BRAZIL, FARGO, stars_of


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture
def filled(home: Path) -> Path:
    """A store with two ratings, a mark, a setting and a measured run, whose checkpoint folder is empty."""
    store = Store(locations.store())
    store.rate(ANNA, FARGO, 4)
    store.rate(ANNA, ALIEN, 5)
    store.mark(ANNA, BRAZIL, "watchlist")
    number = store.start_run("mf", "ml-100k", "standard", "random90", 0, {"factors": 8})
    store.end_run(number, "done", seconds=1.5, curve=[{"epoch": 1, "train_loss": 0.5}], metrics={"rmse": 0.9})
    Runs(store).measured(number, "ab" * 32, b"sums", {"subgroups": []})
    run = store.run(number)
    assert run is not None
    locations.checkpoint(run.checkpoint).mkdir(parents=True)
    store.choose("theme", "nord")
    store.close()
    return locations.store()


def spoil(path: Path, statement: str, *values: object) -> None:
    """Change a store as movietui never would, even if the constraints of its tables forbid it."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute(statement, values)
        db.commit()


def reported(store: Store) -> str:
    return " ".join(store.notices())


BAD: list[tuple[str, str, Any]] = [
    *(("runs", "checkpoint", value) for value in ("../../../victim", "/etc", "a/b", "", ".", "..", "a\0b", b"x")),
    *(("runs", "settings", value) for value in ("[]", "{", '{"factors": NaN}', '{"factors": 1e999}', "[" * 9999)),
    *(("runs", "metrics", value) for value in ('{"rmse": "low"}', '{"rmse": Infinity}', '{"rmse": [1]}', "null")),
    *(("runs", "progress", value) for value in ('{"epoch": -1}', '{"epoch": 3, "of": 9, "left": 1}', "3", b"{}")),
    *(("runs", "cluster", value) for value in ('{"master": "local[2]"}', '{"master": "\\u001b[0m"}', "[]")),
    *(("runs", "request", value) for value in ('{"do": "remove", "name": "ml-100k"}', '{"cleaning": "\\u001b[31m"}')),
    ("runs", "state", "eternal"),
    ("runs", "process", 2**40),
    ("runs", "seed", -1),
    ("runs", "seconds", "soon"),
    ("runs", "dataset", "../x"),
    ("runs", "cleaning", "\x1b]0;x\x07"),
    ("runs", "model", "../mf"),
    ("runs", "started", "yesterday"),
    ("runs", "position", 0.5),
    ("runs", "name", b"\xff\xfe"),
]


@pytest.mark.parametrize(("table", "column", "value"), BAD)
def test_a_run_with_a_damaged_value_is_skipped(filled: Path, table: str, column: str, value: object) -> None:
    if column == "position":
        spoil(filled, "UPDATE runs SET position = 'x'")
    else:
        spoil(filled, f"UPDATE {table} SET {column} = ?", value)
    store = Store(filled)
    assert store.runs() == []
    assert store.run(1) is None
    assert Runs(store).changes().gone == (1,)
    assert store.serving_runs("ml-100k") == []
    assert f"runs 1: invalid {column}" in reported(store)
    assert reported(store) == ""  # reported only once
    with pytest.raises(Problem, match="of run 1 is damaged; delete it with movietui runs delete 1"):
        Runs(store).get(1)
    assert stars_of(store, ANNA) == {"Fargo": 4, "Alien": 5}
    store.close()


def test_a_checkpoint_that_is_a_path_removes_nothing(filled: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "letter.txt").write_text("dear")
    spoil(filled, "UPDATE runs SET checkpoint = ?", os.path.relpath(victim, locations.checkpoints()))
    result = invoke("runs", "delete", "1")
    assert (result.exit_code, "its damaged record is deleted" in result.stdout) == (0, True)
    assert json.loads(invoke("runs", "list", "--json").stdout) == []
    assert (victim / "letter.txt").read_text() == "dear"


def test_a_command_reports_what_it_skipped(filled: Path) -> None:
    spoil(filled, "UPDATE runs SET checkpoint = '../x'")
    result = invoke("runs", "list", "--json")
    assert json.loads(result.stdout) == []
    assert result.stderr.count("\n") == 1
    assert "runs 1: invalid checkpoint" in result.stderr


def test_deleting_a_checkpoint_that_is_a_link_keeps_its_target(filled: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "letter.txt").write_text("dear")
    (folder,) = locations.checkpoints().iterdir()
    folder.rmdir()
    folder.symlink_to(victim)
    assert invoke("runs", "delete", "1").exit_code == 0
    assert not folder.is_symlink()
    assert (victim / "letter.txt").read_text() == "dear"


def test_a_damaged_curve_is_empty(filled: Path) -> None:
    for curve in ("[" * 100_000, '[{"epoch": 1}]', '[{"epoch": 1, "train_loss": NaN}]', "{}"):
        spoil(filled, "UPDATE runs SET curve = ?", curve)
        store = Store(filled)
        assert [run.curve for run in store.runs()] == [[]]
        store.close()


@pytest.mark.parametrize(
    ("column", "value"),
    [("stars", 3.3), ("stars", "many"), ("title", b"\xff"), ("year", "soon"), ("rated_at", "x"), ("movie", "a\x1b[0m")],
)
def test_only_the_damaged_rating_is_skipped(filled: Path, column: str, value: object) -> None:
    spoil(filled, f"UPDATE ratings SET {column} = ? WHERE title = 'Fargo'", value)
    store = Store(filled)
    assert stars_of(store, ANNA) == {"Alien": 5}
    assert f"invalid {column}" in reported(store)
    if column != "movie":
        assert store.rate(ANNA, FARGO, 2).after == 2
        assert stars_of(store, ANNA)["Alien"] == 5
    store.close()
    with closing(sqlite3.connect(filled)) as db:
        assert db.execute("SELECT count(*) FROM ratings").fetchone()[0] >= 2  # the row stays in the file


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE steps SET kind = 'dance'",
        "UPDATE steps SET at = 'never'",
        "UPDATE changes SET kind = 'liked'",
        "UPDATE changes SET after = 7",
        "UPDATE changes SET step = 1",
        "DELETE FROM changes",
        "UPDATE changes SET year = x'00'",
    ],
)
def test_damaged_steps_are_left_out_of_the_history(filled: Path, statement: str) -> None:
    spoil(filled, statement)
    result = invoke("history", "--profile", "anna")
    assert (result.exit_code, "Traceback" in result.output) == (0, False)
    store = Store(filled)
    for step in store.history(ANNA):
        assert len(step.changes) == 1
    for _ in range(4):
        store.undo([ANNA])
    store.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("run:ml-100k", value) for value in ("abc", "9" * 40, "-", b"\xff", "1.5")),
        *((f"{name}:ml-100k", "abc") for name in ("stand-in", "recommended", "viewer")),
        ("dataset", "../x"),
        ("dataset", "\x1b[31m"),
        ("theme", "\x1b[31m"),
        ("viewer:ml-100k", "user:"),
        ("cleaning:ml-100k", "\x1b[31m"),
        ("filter:x", b"\xff"),
    ],
)
def test_a_damaged_choice_is_ignored(filled: Path, name: str, value: object) -> None:
    spoil(filled, "INSERT OR REPLACE INTO choices VALUES (?, ?)", name, value)
    store = Store(filled)
    assert store.choice(name, "as it was") == "as it was"
    assert f"choices '{name}': invalid value" in reported(store)
    assert store.dataset_in_use() == "ml-100k"
    assert [run.id for run in store.serving_runs("ml-100k")] == [1]
    assert store.cleaning_of("ml-100k") == "standard"
    assert store.choices("filter:") == {}
    Runs(store).want(1)
    assert not Runs(store).stands_in(store.runs()[0], store.runs()[0])
    store.choose("theme", "nord")
    store.close()


async def test_the_app_starts_despite_damage(home: Path) -> None:
    """If what the app reads at its start is damaged, it reports what it skipped, and shows the list."""
    store = Store(locations.store())
    last = with_run(store)
    store.close()
    spoil(locations.store(), "UPDATE runs SET checkpoint = '../x' WHERE id = 1")
    choices = {
        "dataset": "../x",
        "theme": "\x1b[31m",
        "viewer:demo": "\x1b[31m",
        "cleaning:demo": "\x1b[31m",
        **dict.fromkeys(("run:demo", "stand-in:demo", "recommended:demo"), "abc"),
    }
    for name, value in choices.items():
        spoil(locations.store(), "INSERT OR REPLACE INTO choices VALUES (?, ?)", name, value)
    async with started(engine=FakeEngine()) as driver:
        assert driver.app.session.run is not None
        assert driver.app.session.run.id == last
        await driver.wait_for_notice("Skipped damaged values")


async def test_the_app_starts_despite_outdated_choices(home: Path) -> None:
    """Each stored setting has the right form, but names something that does not exist."""
    store = Store(locations.store())
    with_run(store)
    choices = {
        "dataset": "nowhere",
        "theme": "no such theme",
        "viewer:demo": "user:999999",
        "cleaning:demo": "gone +never",
        **dict.fromkeys(("run:demo", "stand-in:demo", "recommended:demo"), "999"),
    }
    for name, value in choices.items():
        store.choose(name, value)
    store.close()
    async with started(engine=FakeEngine()) as driver:
        assert driver.app.session.opened is not None
        assert driver.app.session.opened["dataset"] == "demo"


# Restoring


def test_a_backup_is_restored_without_its_damaged_rows(filled: Path, tmp_path: Path) -> None:
    store = Store(filled)
    back_up(store, tmp_path / "backup.sqlite3")
    store.close()
    backup = tmp_path / "backup.sqlite3"
    spoil(backup, "UPDATE runs SET checkpoint = '../../../victim'")
    spoil(backup, "UPDATE ratings SET stars = 7 WHERE title = 'Alien'")
    spoil(backup, "INSERT INTO choices VALUES ('run:ml-100k', 'abc')")
    spoil(backup, "INSERT INTO ratings VALUES (99, 'x 1990', 'X', 1990, 4, '2020-01-01', 1)")
    output = json.loads(invoke("restore", backup, "--json").stdout)
    assert output["left_out"] == {"runs": 1, "ratings": 2, "choices": 1, "measured": 1}
    assert {(one["table"], one["column"]) for one in output["damaged"]} == {
        *(("runs", "checkpoint"), ("ratings", "form"), ("choices", "value")),
    }
    assert (output["profiles"], output["ratings"], output["runs"]) == (1, 1, 0)
    store = Store(filled)
    assert stars_of(store, ANNA) == {"Fargo": 4}
    assert [step.kind for step in store.history(ANNA)] == ["watchlist", "rating", "rating"]
    assert store.choice("theme") == "nord"
    assert store.start_run("mf", "ml-100k", "standard", "random90", 0, {}) == 2  # no number is reused
    assert reported(store) == ""
    store.close()
    assert Path(output["kept"]).exists()


def test_restore_prints_what_it_skipped(filled: Path, tmp_path: Path) -> None:
    store = Store(filled)
    back_up(store, tmp_path / "backup.sqlite3")
    store.close()
    spoil(tmp_path / "backup.sqlite3", "UPDATE runs SET dataset = '../x'")
    result = invoke("restore", tmp_path / "backup.sqlite3")
    assert "Skipped, because of invalid values: 1 of runs" in result.stdout
    assert "  runs 1: invalid dataset" in result.stdout


def test_restored_texts_lose_control_characters(filled: Path, tmp_path: Path) -> None:
    """Nobody should lose ratings because of a bad name or title."""
    store = Store(filled)
    back_up(store, tmp_path / "backup.sqlite3")
    store.close()
    backup = tmp_path / "backup.sqlite3"
    spoil(backup, "UPDATE viewers SET name = ?, created = 'x'", "an\x1b]0;x\x07na\u202e")
    spoil(backup, "UPDATE ratings SET title = ? WHERE title = 'Fargo'", "Far\x1b[31mgo\n")
    spoil(backup, "UPDATE runs SET note = ?, name = ?", "a\x9b2Jb", "c\x07d" * 300)
    output = json.loads(invoke("restore", backup, "--json").stdout)
    assert (output["left_out"], output["cleaned"]) == ({}, 4)
    store = Store(filled)
    assert stars_of(store, ANNA) == {"Fargo": 4, "Alien": 5}
    (run,) = store.runs()
    assert run.note.isprintable()
    assert run.name.isprintable()
    assert len(run.name) <= 200
    store.close()


def test_restored_profiles_have_different_names(filled: Path, tmp_path: Path) -> None:
    store = Store(filled)
    store.create_profile("tom")
    back_up(store, tmp_path / "backup.sqlite3")
    store.close()
    spoil(tmp_path / "backup.sqlite3", "UPDATE viewers SET name = 'anna' || char(7) WHERE name = 'tom'")
    assert invoke("restore", tmp_path / "backup.sqlite3").exit_code == 0
    store = Store(filled)
    assert sorted(ref.id for ref, _ in store.profiles()) == ["anna", "anna 2"]
    store.close()


def view_instead_of_a_table(db: sqlite3.Connection) -> None:
    db.execute("ALTER TABLE settled RENAME TO hidden")
    db.execute("CREATE VIEW settled AS SELECT * FROM hidden")


def trigger_of_the_same_name(db: sqlite3.Connection) -> None:
    db.execute("DROP TRIGGER run_changed")
    db.execute("CREATE TRIGGER run_changed AFTER UPDATE ON runs BEGIN DELETE FROM ratings; END")


@pytest.mark.parametrize("act", [view_instead_of_a_table, trigger_of_the_same_name])
def test_triggers_and_views_are_not_restored(
    filled: Path, tmp_path: Path, act: Callable[[sqlite3.Connection], object]
) -> None:
    store = Store(filled)
    back_up(store, tmp_path / "backup.sqlite3")
    store.close()
    with closing(sqlite3.connect(tmp_path / "backup.sqlite3")) as db:
        act(db)
        db.commit()
    invoke("restore", tmp_path / "backup.sqlite3")
    store = Store(filled)
    with store.change():
        store.execute("UPDATE runs SET note = 'x'")
    assert len(store.ratings(ANNA)) == 2
    store.close()


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_a_backup_that_is_not_a_file_is_refused(filled: Path, tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "it")
    result = invoke("restore", tmp_path / "it")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"{tmp_path / 'it'} cannot be read: it is ")


# Validation


def test_every_column_of_the_store_is_validated(home: Path) -> None:
    store = Store(locations.store())
    tables = {name for (name,) in store.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
    tables -= {"sqlite_sequence", "run_changes"}
    assert set(TABLES) == tables
    for table in tables:
        columns = {name for (name,) in store.rows("SELECT name FROM pragma_table_info(?)", table)}
        assert set(TABLES[table]) == columns, table
    store.close()


def test_everything_that_movietui_writes_is_valid(filled: Path) -> None:
    with closing(sqlite3.connect(filled)) as db:
        for table, columns in TABLES.items():
            for row in db.execute(f"SELECT {', '.join(columns)} FROM {table}"):
                assert wrong_column(table, tuple(columns), row) == "", (table, row)
        assert all(is_choice(*row) for row in db.execute("SELECT name, value FROM choices"))


def test_deep_nesting_is_invalid() -> None:
    deep = '{"a": ' * DEEPEST + "1" + "}" * DEEPEST
    assert wrong_column("measured", ("detail",), (deep,)) == ""
    assert wrong_column("measured", ("detail",), (f'{{"a": {deep}}}',)) == "detail"
    assert wrong_column("steps", ("at",), (now(),)) == ""
