"""movietui runs no code from the working folder, whatever is in it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from movietui.protocol import code_path
from movietui.protocol.requests import Requests
from movietui.state.child_processes import Engine, Job
from movietui.store.ratings import Store
from tests.movietui.processes import gone, processes_of

SHADOWED = ("pip", "torch", "json", "numpy", "pandas", "sqlite3", "asyncio", "textual", "click", "sitecustomize")
PACKAGES = ("data", "models")


@pytest.fixture
def traps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, full of modules that write a file beside themselves when they are imported."""
    folder = tmp_path / "traps"
    for name in SHADOWED:
        _trap(folder / f"{name}.py")
    for name in PACKAGES:
        _trap(folder / name / "__init__.py")
    monkeypatch.chdir(folder)
    return folder


def _trap(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"open({str(path.with_suffix('.ran'))!r}, 'w').close()\nraise SystemExit('trapped')\n")


def ran(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*.ran"))


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], env={**os.environ, **environment}, capture_output=True, text=True, timeout=300
    )


def test_a_trap_runs_if_it_is_imported(traps: Path) -> None:
    python("-c", "import pip")
    assert ran(traps) == ["pip.ran"]


async def test_children_do_not_fall_into_traps(ready: Path, traps: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "")  # without -P, an empty path means the working folder
    engine = Engine()
    await engine.start()
    assert await engine.ask(Requests.presets)
    await engine.close()
    request = {"do": "train", "model": "mf", "dataset": "demo", "cleaning": "standard", "settings": {"sweeps": 2}}
    events = [event async for event in Job().events(request)]
    assert events[-1]["event"] == "done"
    assert ran(traps) == []
    assert gone(*processes_of(ready))


@pytest.mark.parametrize("parts", [":", "/nowhere:", ".:/nowhere"])
async def test_a_stray_colon_in_pythonpath_does_not_add_the_working_folder(
    home: Path, traps: Path, monkeypatch: pytest.MonkeyPatch, parts: str
) -> None:
    monkeypatch.setenv("PYTHONPATH", parts)
    events = [event async for event in Job().events({"do": "remove", "name": "nothing"})]
    assert "There is no dataset nothing" in events[-1]["problem"]
    assert ran(traps) == []


def test_the_command_line_does_not_fall_into_traps(home: Path, traps: Path) -> None:
    process = python("-m", "movietui", "data", "get", "demo", PYTHONPATH=code_path.HOME)
    assert (process.returncode, process.stderr.count("Traceback")) == (0, 0), process.stderr
    process = python("-m", "movietui", "data", "get", "ml-100k", PYTHONPATH=code_path.HOME)
    assert process.stderr.startswith("ml-100k could not be downloaded: the network is switched off")
    assert ran(traps) == []


async def test_background_jobs_do_not_fall_into_traps(ready: Path, store: Store, traps: Path) -> None:
    line = [*code_path.command("movietui.state.run_queue"), "1"]
    process = subprocess.run(line, env=code_path.environment(), capture_output=True, text=True, timeout=300)
    assert (process.returncode, process.stderr) == (0, "")
    assert ran(traps) == []


def search_path(monkeypatch: pytest.MonkeyPatch, *parts: str) -> list[str]:
    monkeypatch.setattr(sys, "path", list(parts))
    code_path.leave_working_folder()
    return sys.path


def test_the_working_folder_is_not_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert search_path(monkeypatch, str(tmp_path), "", "/else") == ["/else"]
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))  # named explicitly
    assert search_path(monkeypatch, str(tmp_path), "/else") == [str(tmp_path), "/else"]


@pytest.mark.parametrize("folder", [code_path.HOME, os.path.dirname(os.__file__), os.path.dirname(pytest.__path__[0])])
def test_a_working_folder_that_movietui_needs_is_searched(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(code_path.site, "getsitepackages", lambda: [os.path.dirname(pytest.__path__[0])])
    assert search_path(monkeypatch, folder, "/else") == [folder, "/else"]


@pytest.mark.parametrize(
    ("given", "passed_on"),
    [
        (None, [code_path.HOME]),
        ("", [code_path.HOME]),
        ("/one::.:/two", [code_path.HOME, "/one", "/two"]),
        (f"/one:{code_path.HOME}", ["/one", code_path.HOME]),
    ],
)
def test_children_find_movietui_in_any_folder(
    given: str | None, passed_on: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if given is not None:
        monkeypatch.setenv("PYTHONPATH", given)
    assert code_path.environment()["PYTHONPATH"].split(":") == passed_on


def test_children_need_no_pythonpath_for_an_installed_movietui(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_path.site, "getsitepackages", lambda: [code_path.HOME])
    assert "PYTHONPATH" not in code_path.environment()
