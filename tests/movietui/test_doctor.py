"""``movietui doctor`` finds what is wrong, changes nothing, and its report has nothing personal."""

import json
import os
import shutil
import sqlite3
import urllib.request
from collections.abc import Callable
from contextlib import closing
from email.message import Message
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.error import HTTPError, URLError

import pytest

from movietui.cli import checks
from movietui.data.storage import locations, log
from movietui.store.ratings import Movie, Store
from tests.movietui.commands import Run, refused

Facts = dict[str, dict[str, Any]]
FINE: Facts = {name: {"name": name, "version": "1.0"} for name in checks.PACKAGES}
FINE["torch"] |= {"build": "processors only", "gpu": False, "folder": "/nowhere/torch"}


@pytest.fixture(autouse=True)
def imported(monkeypatch: pytest.MonkeyPatch) -> Facts:
    """What the child process that imports packages says; nothing is imported."""
    facts = {name: {**each} for name, each in FINE.items()}
    monkeypatch.setattr(checks, "_import_all", lambda: facts)
    return facts


def states(run: Run, *, code: int = 0) -> dict[str, str]:
    """Return the state of each check; that of the worst if several have the same name."""
    result = run("doctor", "--json")
    assert result.exit_code == code, result.output
    by_check: dict[str, str] = {}
    for row in json.loads(result.stdout)["checks"]:
        by_check[row["check"]] = max(by_check.get(row["check"], ""), row["state"], key=("", "ok", "warn", "fail").index)
    return by_check


def test_all_is_well_in_an_empty_home(run: Run, home: Path) -> None:
    assert set(states(run).values()) == {"ok"}
    assert not home.exists()


def test_a_used_home_is_described(ready: Path, run: Run) -> None:
    before = {path: path.stat().st_mtime_ns for path in ready.rglob("*")}
    result = run("doctor")
    words = " ".join(result.stdout.split())
    assert result.exit_code == 0
    assert "intact, version" in words
    assert "0 profiles, 0 ratings, 2 runs" in words
    assert "demo" in words
    assert "mf on demo" in words
    assert "switched off by MOVIETUI_OFFLINE" in words
    assert {path: path.stat().st_mtime_ns for path in ready.rglob("*")} == before


def test_changes_that_the_app_has_just_written_count(ready: Path, run: Run) -> None:
    store = Store(locations.store())
    store.create_profile("anna")
    before = sorted(ready.rglob("*"))
    assert "1 profile," in " ".join(run("doctor").stdout.split())
    assert sorted(ready.rglob("*")) == before
    store.close()


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[5000:9000] = b"\xff" * 4000
    path.write_bytes(content)


def damage_an_index(path: Path) -> None:
    """Remove the entries of an index, which no query notices."""
    with closing(sqlite3.connect(path)) as db:
        (page,) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_runs_1'").fetchone()
        (size,) = db.execute("PRAGMA page_size").fetchone()
    content = bytearray(path.read_bytes())
    start = (page - 1) * size
    content[start + 3 : start + 5] = b"\0\0"  # the number of entries on the page
    path.write_bytes(content)


def not_a_database(path: Path) -> None:
    path.write_bytes(b"no database\n" * 500)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 999")


@pytest.mark.parametrize("spoil", [damage, damage_an_index, not_a_database, a_folder, a_pipe, newer])
def test_a_store_that_cannot_be_used_fails(ready: Path, run: Run, spoil: Callable[[Path], None]) -> None:
    for extra in ready.glob("data/movietui.sqlite3-*"):
        extra.unlink()
    spoil(locations.store())
    content = locations.store().read_bytes() if locations.store().is_file() else b""
    by_check = states(run, code=1)
    assert by_check["store"] == "fail"
    assert by_check["models"] == "ok"
    assert content == (locations.store().read_bytes() if locations.store().is_file() else b"")


def test_an_older_store_is_not_migrated(home: Path, run: Run) -> None:
    Store(locations.store()).close()
    with closing(sqlite3.connect(locations.store())) as db:
        db.execute("DROP TABLE sweeps")
        db.execute("PRAGMA user_version = 7")
        db.execute("PRAGMA journal_mode = DELETE")
    before = locations.store().read_bytes()
    assert states(run)["store"] == "ok"
    assert locations.store().read_bytes() == before


def test_a_damaged_dataset_fails(ready: Path, run: Run) -> None:
    (locations.dataset("demo") / "dataset.json").write_text("{")
    assert states(run, code=1)["datasets"] == "fail"
    assert "demo is damaged" in " ".join(run("doctor").stdout.split())


def test_a_home_that_is_no_folder_fails(home: Path, run: Run) -> None:
    home.write_text("a file instead of the folder")
    by_check = states(run, code=1)
    assert {by_check[f"{kind} folder"] for kind in ("data", "cache", "log")} == {"fail"}


@pytest.mark.parametrize(("free", "state"), [(0, "fail"), (10**8, "warn"), (10**10, "ok")])
def test_a_full_disk_fails(home: Path, run: Run, monkeypatch: pytest.MonkeyPatch, free: int, state: str) -> None:
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_bavail=free, f_frsize=1, f_flag=0))
    assert states(run, code=int(state == "fail"))["data folder"] == state


def test_a_read_only_folder_fails(home: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    home.mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != home)
    assert states(run, code=1)["data folder"] == "fail"


def test_broken_packages_fail_and_the_rest_is_checked(run: Run, imported: Facts) -> None:
    imported["pyarrow"] = {"error": "ImportError: libarrow.so: cannot open shared object file"}
    by_check = states(run, code=1)
    assert (by_check["pyarrow"], by_check["packages"], by_check["store"]) == ("fail", "ok", "ok")
    refused_line = " ".join(run("doctor").stdout.split())
    assert "cannot be imported: ImportError: libarrow.so" in refused_line
    assert "Install pyarrow again." in refused_line


def test_a_missing_torch_is_only_a_warning(run: Run, imported: Facts) -> None:
    imported["torch"] = {"error": "ModuleNotFoundError: No module named 'torch'"}
    assert states(run, code=0)["torch"] == "warn"
    assert "to train them, install the package torch." in " ".join(run("doctor").stdout.split())


def test_a_large_torch_without_a_gpu_is_worth_a_remark(
    run: Run, imported: Facts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "nvidia").mkdir()
    (tmp_path / "nvidia" / "large").write_bytes(b"x" * 500)
    imported["torch"] |= {"build": "CUDA 13.0", "folder": str(tmp_path / "torch")}
    monkeypatch.setattr(checks, "LARGE_TORCH", 400)
    assert states(run)["torch"] == "warn"
    imported["torch"]["gpu"] = True
    assert states(run)["torch"] == "ok"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("raise ImportError('no such library')", {"error": "ImportError: no such library"}),
        ("import os; os._exit(139)", {"error": "Python ends with exit code 139"}),
        ("print('hello'); __version__ = '2'", {"name": "broken", "version": "2"}),
    ],
)
def test_packages_are_imported_in_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, expected: dict[str, str]
) -> None:
    monkeypatch.undo()  # the fixture
    (tmp_path / "broken.py").write_text(code)
    (tmp_path / "fine.py").write_text("__version__ = '1'")
    monkeypatch.setattr(checks, "PACKAGES", ("fine", "broken"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    facts = checks._import_all()
    assert facts["fine"]["version"] == "1"
    assert expected.items() <= facts["broken"].items()


def test_a_check_that_breaks_is_itself_a_result(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> Any:
        raise RuntimeError("x")

    monkeypatch.setattr(checks, "CHECKS", {**checks.CHECKS, "plug-ins": broken})
    assert states(run, code=1)["plug-ins"] == "fail"


def answer(error: Exception | None) -> Callable[..., Any]:
    def urlopen(request: Any, timeout: float) -> Any:
        if error is not None:
            raise error
        return SimpleNamespace(close=lambda: None)

    return urlopen


@pytest.mark.parametrize(
    ("error", "state"),
    [(None, "ok"), (HTTPError("x", 403, "no", Message(), None), "ok"), (URLError("no route"), "warn")],
)
def test_the_network_is_tried_unless_it_is_switched_off(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception | None, state: str
) -> None:
    monkeypatch.delenv("MOVIETUI_OFFLINE")
    monkeypatch.setattr(urllib.request, "urlopen", answer(error))
    assert states(run)["network"] == state


def test_wrong_keys_are_reported(home: Path, run: Run) -> None:
    home.mkdir()
    locations.config().write_text('[keys]\nno.such = "x"\n')
    assert states(run)["config.toml"] == "warn"


def test_a_report_has_nothing_personal(ready: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "annabel"))
    monkeypatch.setenv("MOVIETUI_HOME", str(tmp_path / "annabel" / "home"))
    shutil.copytree(ready, tmp_path / "annabel" / "home")
    store = Store(locations.store())
    anna = store.create_profile("annabel")
    store.rate(anna, Movie("secret 1999", "A Secret Movie", 1999), 4.5)
    store.close()
    annabel = locations.dataset("annabel-ratings")
    shutil.copytree(locations.dataset("demo"), annabel)
    locations.config().write_text('# for annabel\n[keys]\nbrowse.hide = "f9"\nsecret.key = "annabel"\n')
    log.note("app", "a job ended with exit code -9")
    path = tmp_path / "report.txt"
    assert run("doctor", "--report", path).exit_code == 0
    report = path.read_text("utf-8")
    assert "annabel" not in report.lower()
    assert "secret" not in report.lower()
    assert str(tmp_path) not in report
    assert "4.5" not in report
    assert "1 profile, 1 rating" in report
    assert 'browse.hide = "f9"' in report
    assert "a dataset of your own" in report
    assert "a job ended with exit code -9" in report
    assert "$MOVIETUI_HOME/log" in report
    assert "fail " not in report
    refused(run("doctor", "--report", path), "already exists")
    assert run("doctor", "--report", path, "--force").exit_code == 0


def test_a_report_goes_to_standard_output_even_if_something_fails(ready: Path, run: Run) -> None:
    (locations.dataset("demo") / "dataset.json").write_text("{")
    result = run("doctor", "--report", "-")
    assert result.exit_code == 1
    assert result.stdout.startswith("movietui doctor\n")
    assert "fail  datasets: demo is damaged" in result.stdout
