"""Fixtures. Each test has its own home, no network, and none of the settings of the person who runs the tests."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from movietui.data.demo import generate
from movietui.data.storage import disk, locations
from movietui.store.ratings import Store
from tests.data.imdb_tables import basics, crew, person, rating, write_tables
from tests.movietui.commands import Run, document, invoke
from tests.movietui.fakes import FakeEngine, with_run
from tests.movietui.homes import build_once
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


def train(home: Path, *arguments: str) -> None:
    """Train a model in a home, in this process, because a child would import torch first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOVIETUI_HOME", str(home))
        patch.setenv("MOVIETUI_OFFLINE", "1")
        document(invoke("train", *arguments, "--json"))


def train_both(home: Path) -> None:
    """Train a bias run (1) and an mf run (2), which serves, on the demo."""
    train(home, "bias", "--dataset", "demo", "--set", "sweeps=3")
    train(home, "mf", "--dataset", "demo", "--set", "sweeps=6", "--set", "factors=4")


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the demo and its two runs."""
    return build_once(tmp_path_factory, "demo-home", train_both)


@pytest.fixture(scope="session")
def small_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a demo of a fifth of the users and ratings, and its two runs."""

    def build(folder: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(generate, "USERS", generate.USERS // 5)
            patch.setattr(generate, "RATINGS", generate.RATINGS // 5)
            train_both(folder)

    return build_once(tmp_path_factory, "small-home", build)


@pytest.fixture(scope="session")
def hostile_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a dataset in which every text tries to break the screen, and a bias run on it."""

    def build(folder: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MOVIETUI_HOME", str(folder))
            save_hostile()
        train(folder, "bias", "--dataset", "hostile", "--set", "sweeps=3", "--cleaning", "standard")

    return build_once(tmp_path_factory, "hostile-home", build)


@pytest.fixture
def ready(home: Path, demo_home: Path) -> Path:
    """This test's home, with the demo and its two runs."""
    shutil.copytree(demo_home, home)
    return home


@pytest.fixture
def small(home: Path, small_home: Path) -> Path:
    """This test's home, with the small demo and its two runs, on which models are measured in a fifth of the time."""
    shutil.copytree(small_home, home)
    return home


@pytest.fixture
def hostile(home: Path, hostile_home: Path) -> Path:
    """This test's home, with the hostile dataset."""
    shutil.copytree(hostile_home, home)
    return home


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a store in which nothing is stored yet."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOVIETUI_HOME", str(tmp_path_factory.mktemp("empty-home")))
        Store(locations.store()).close()
        return locations.store()


@pytest.fixture
def store(home: Path, empty_store: Path) -> Iterator[Store]:
    path = locations.store()
    if not path.exists():  # to copy an empty store takes a tenth of the time that SQLite needs to create one
        disk.make_folder(path.parent)
        shutil.copyfile(empty_store, path)
    opened = Store(path)
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
    return invoke


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
