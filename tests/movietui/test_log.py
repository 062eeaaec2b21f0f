"""The log: it has what a bug report needs and nothing that a person typed, and several processes write to it."""

import json
import multiprocessing
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from movietui.data import catalogue
from movietui.data.problems import Problem
from movietui.data.storage import locations, log
from movietui.engine.__main__ import reply
from movietui.protocol.code_path import HOME
from movietui.ui.terminal import TerminalApp
from tests.movietui.commands import Run

SECRET = "Anna's Secret Movie (1999)"


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        raise error from cause
    except BaseException as caught:
        return caught


def written() -> str:
    return locations.log().read_text("utf-8")


def test_an_entry_says_what_happened_and_where(home: Path) -> None:
    log.record("engine", raised(AttributeError("no attribute 'x'"), raised(KeyError(SECRET))))
    head, *lines = written().splitlines()
    assert re.fullmatch(rf"\d{{4}}-\d\d-\d\dT\S+ movietui \S+, engine, process {os.getpid()}", head)
    assert lines[0] == "  AttributeError: no attribute 'x'"
    assert re.fullmatch(r"    tests/movietui/test_log\.py:\d+ raised", lines[1])
    assert lines[2] == "  KeyError"
    assert locations.log().stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "error",
    [
        KeyError(SECRET),
        ValueError(SECRET),
        Problem(SECRET),
        FileNotFoundError(2, "No such file or directory", f"/home/anna/{SECRET}"),
        ImportError(SECRET, name="torch"),
        RuntimeError(SECRET),
    ],
)
def test_an_entry_has_no_value(home: Path, error: Exception) -> None:
    log.record("job", raised(error))
    assert "Secret" not in written()
    assert "anna" not in written()
    assert type(error).__name__ in written()


def test_an_entry_has_no_message_and_no_folder_of_another_package(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "anna" / "site-packages" / "other"
    folder.mkdir(parents=True)
    (folder / "part.py").write_text(f"def fail():\n    raise TypeError({SECRET!r})\n")
    names: dict[str, object] = {}
    exec(compile((folder / "part.py").read_text(), str(folder / "part.py"), "exec"), names)
    try:
        names["fail"]()  # type: ignore[operator]
    except TypeError as error:
        log.record("job", error)
    assert "    other/part.py:2 fail" in written().splitlines()
    assert "Secret" not in written()
    assert str(tmp_path) not in written()


def test_commands_record_unexpected_errors_only(run: Run, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    assert run("data", "show", "nothing").exit_code == 1
    assert not locations.log().exists()

    def broken() -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(catalogue, "list_stored", broken)
    assert "please report it" in run("data", "list").stderr
    assert "command " in written()
    assert "data list" in written()
    assert "RuntimeError" in written()
    assert "Secret" not in written()


class BrokenService:
    """An engine whose requests fail."""

    def models(self) -> None:
        raise RuntimeError(SECRET)

    def search(self) -> None:
        raise Problem(SECRET)


def test_the_engine_records_unexpected_errors_only(home: Path) -> None:
    service = BrokenService()
    assert b"problem" in reply(service, {"id": 1, "do": "search", "arguments": {}})  # type: ignore[arg-type]
    assert b"RuntimeError" in reply(service, {"id": 1, "do": "models", "arguments": {}})  # type: ignore[arg-type]
    assert written().count("engine, process") == 1
    assert "Secret" not in written()


def test_jobs_record_why_they_fail(home: Path) -> None:
    request = json.dumps({"do": "clean", "name": "nothing", "cleaning": "standard"}) + "\n"
    environment = {**os.environ, "PYTHONPATH": HOME}
    job = subprocess.Popen(
        [sys.executable, "-m", "movietui.jobs"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert job.stdin is not None
    assert job.stdout is not None
    job.stdin.write(request)
    job.stdin.flush()
    assert "nothing" in job.stdout.read()
    job.stdin.close()
    job.wait()
    assert "job, process" in written()
    assert "Problem" in written()
    assert "nothing" not in written()


def test_the_app_records_the_error_that_ends_it(home: Path) -> None:
    TerminalApp.crashed(None, raised(IndexError(SECRET)))  # type: ignore[arg-type]
    assert "app, process" in written()
    assert "IndexError" in written()


def test_errors_that_end_a_process_or_a_thread_are_recorded(home: Path) -> None:
    code = "import threading; from movietui.data.storage import log; log.record_uncaught('test')\n"
    code += "def fail(): raise ValueError('x')\n"
    code += "thread = threading.Thread(target=fail); thread.start(); thread.join()\nraise LookupError('y')"
    process = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": HOME}, capture_output=True, text=True
    )
    assert "LookupError: y" in process.stderr
    assert "ValueError: x" in process.stderr
    assert re.findall(r"^  (\w+Error)$", written(), re.MULTILINE) == ["ValueError", "LookupError"]


def test_a_large_log_is_replaced_and_kept_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "MAX_BYTES", 300)
    for number in range(20):
        log.note("app", f"note {number}")
    files = sorted(path.name for path in locations.log().parent.iterdir())
    assert files == ["movietui.log", "movietui.log.1"]
    assert all(path.stat().st_size < 500 for path in locations.log().parent.iterdir())
    notes = re.findall(r"note (\d+)", log.read())
    assert notes == [str(number) for number in range(20 - len(notes), 20)]


def test_an_entry_goes_to_the_log_that_another_process_has_begun(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, lock, waits = locations.log(), log.fcntl.flock, threading.Event()

    def waiting_lock(file: Any, how: int) -> None:
        waits.set()
        lock(file, how)

    second = threading.Thread(target=log.note, args=("app", "second"))
    with log._locked(path):
        monkeypatch.setattr(log.fcntl, "flock", waiting_lock)
        second.start()
        assert waits.wait(60)
        path.replace(path.with_name("movietui.log.1"))
    second.join()
    assert "second" in written()


def write_many(process: str) -> None:
    log.MAX_BYTES = 4000
    for number in range(40):
        log.note(process, f"note {number}", "x" * 50)


def test_several_processes_write_whole_entries(home: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Pool(4) as pool:
        pool.map(write_many, ["a", "b", "c", "d"])
    lines = log.read().splitlines()
    assert len(lines) % 3 == 0
    for head, note, more in zip(lines[::3], lines[1::3], lines[2::3], strict=True):
        assert re.fullmatch(r"\S+ movietui \S+, [abcd], process \d+", head)
        assert re.fullmatch(r"  note \d+", note)
        assert more == "  " + "x" * 50


def test_a_log_that_cannot_be_written_is_no_problem(home: Path) -> None:
    home.write_text("a file instead of the folder")
    log.note("app", "note")
    assert log.read() == ""
