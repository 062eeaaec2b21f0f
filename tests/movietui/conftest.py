"""Fixtures. Each test has its own home, no network, and none of the settings of the person who runs the tests."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from movietui.cli import cli
from movietui.data.storage import locations
from movietui.store.ratings import Store
from tests.data.imdb_tables import basics, crew, person, rating, write_tables
from tests.movietui.commands import Run
from tests.movietui.fakes import FakeEngine, with_run
from tests.movietui.hostile import save_hostile
from tests.movietui.terminal import Start, Terminal

FOREIGN = (
    *("TEXTUAL_THEME", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "MOVIETUI_DEBUG", "COLUMNS", "LINES", "TEXTUAL"),
    "PYTHONPATH",
)
"""Environment variables that somebody may have set, but that must not change the tests."""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    for name in FOREIGN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MOVIETUI_HOME", str(folder))
    monkeypatch.setenv("MOVIETUI_OFFLINE", "1")
    monkeypatch.setenv("TZ", "UTC")
    return folder


def movietui(home: Path, *arguments: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    environment |= {"MOVIETUI_HOME": str(home), "MOVIETUI_OFFLINE": "1"}
    subprocess.run(
        [sys.executable, "-m", "movietui", *arguments], env=environment, check=True, stdout=subprocess.DEVNULL
    )


def _once(tmp_path_factory: pytest.TempPathFactory, name: str, build: Callable[[Path], None]) -> Path:
    """Return the home with this name, and build it if no other worker of the test run has done so."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / name
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            unfinished = shared / f"{name}.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            build(unfinished)
            unfinished.rename(folder)
    return folder


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the demo, a bias run (1) and an mf run (2), which serves."""

    def build(folder: Path) -> None:
        movietui(folder, "train", "bias", "--dataset", "demo", "--set", "sweeps=3")
        movietui(folder, "train", "mf", "--dataset", "demo", "--set", "sweeps=6", "--set", "factors=4")

    return _once(tmp_path_factory, "demo-home", build)


@pytest.fixture(scope="session")
def hostile_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a dataset in which every text tries to break the screen, and a bias run on it."""

    def build(folder: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MOVIETUI_HOME", str(folder))
            save_hostile()
        movietui(folder, "train", "bias", "--dataset", "hostile", "--set", "sweeps=3", "--cleaning", "standard")

    return _once(tmp_path_factory, "hostile-home", build)


@pytest.fixture
def ready(home: Path, demo_home: Path) -> Path:
    """This test's home, with the demo and its two runs."""
    shutil.copytree(demo_home, home)
    return home


@pytest.fixture
def hostile(home: Path, hostile_home: Path) -> Path:
    """This test's home, with the hostile dataset."""
    shutil.copytree(hostile_home, home)
    return home


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    opened = Store(locations.store())
    yield opened
    opened.close()


@pytest.fixture
def faked(store: Store) -> FakeEngine:
    """A fake engine, and a store with a run that it serves."""
    with_run(store)
    return FakeEngine()


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A function that runs a command in this process."""
    monkeypatch.setenv("COLUMNS", "160")

    def call(*arguments: object) -> Result:
        return CliRunner().invoke(cli, [str(argument) for argument in arguments])

    return call


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """A folder with IMDb tables, in which Alien is ambiguous."""
    titles = [basics(11, "The Godfather", 1972, minutes=175), basics(12, "Alien", 1979), basics(13, "Alien", 1979)]
    people = [person(21, "Francis \x1b[31mFord Coppola")]
    return write_tables(tmp_path / "imdb", titles, [rating(11, 900, 9.2)], [crew(11, 21)], people)


@pytest.fixture
def start(home: Path) -> Iterator[Start]:
    """A function that starts the program in a terminal. The program is killed after the test."""
    opened: list[Terminal] = []

    def begin(*arguments: object, **options: object) -> Terminal:
        opened.append(Terminal(*arguments, **options))  # type: ignore[arg-type]
        return opened[-1]

    yield begin
    for terminal in opened:
        terminal.kill()
