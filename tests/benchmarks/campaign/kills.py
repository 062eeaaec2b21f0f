"""``kill -9`` at any moment: acknowledged changes are stored, the store is intact, and no process is left running.

Most often, the killed process is one that only writes to the store, because that is where a rating could be lost. It
reports each change after making it; the store must then contain exactly the reported changes, or one more. The app, its
engine, commands and training are killed in the same way, but less often, because that takes longer.
"""

import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from movietui.data.imports.entries import Mark
from movietui.data.storage import locations
from movietui.protocol.viewers import profile
from movietui.store.ratings import ImportedMovie, Movie, Store
from tests.benchmarks.campaign import homes, places, terminals
from tests.benchmarks.campaign.report import Report
from tests.movietui.processes import gone, processes_of

TIMES = 1000
KINDS = {"writer": 880, "rate": 40, "import": 40, "app": 20, "engine": 10, "train": 10}
"""How many of a thousand kills each kind gets; the slow kinds get few."""
MOVIES = [Movie(f"movie {number}", f"Movie {number}", 1950 + number) for number in range(12)]
WRITER = profile("writer")
MARKS: tuple[Mark, ...] = ("watchlist", "hidden", "seen", "liked")
MOST_CHANGES = 60
"""The maximum number of changes that a writer makes. It is killed before it has made them all, or just after."""
RATED = re.compile(r"rated ([^─│\s][^─│]*?) ★ ([1-5])\b")


def run(report: Report, template: Path, scratch: Path) -> None:
    """Kill until there are enough kills."""
    victims: dict[str, Callable[[random.Random, Path], None]] = {
        "writer": _writer,
        "rate": _rate,
        "import": _import,
        "app": _app,
        "engine": _engine,
        "train": _train,
    }
    for seed in report.seeds():
        kind = kind_of(seed)
        report.tried[kind] += 1
        with (
            report.attempt(seed) as evidence,
            homes.copy_of(template if kind != "writer" else _empty(scratch), scratch / f"home-{seed}") as home,
        ):
            evidence.folders.append(home)
            try:
                victims[kind](random.Random(seed), home)
                assert gone(*processes_of(home)), f"still running: {processes_of(home)}"
                check_database()
            except Exception:
                _keep(home, scratch / f"kept-{seed}", evidence.folders)
                raise
            finally:
                for pid in processes_of(home):
                    os.kill(pid, signal.SIGKILL)


def kind_of(seed: int) -> str:
    """Return what to kill: for the first seeds, each kind once; then a random kind, with the weights of ``KINDS``."""
    if seed < len(KINDS):
        return list(KINDS)[seed]
    return random.Random(f"kind {seed}").choices(list(KINDS), list(KINDS.values()))[0]


def _empty(scratch: Path) -> Path:
    (scratch / "empty").mkdir(exist_ok=True)
    return scratch / "empty"


def _keep(home: Path, folder: Path, folders: list[Path]) -> None:
    """Copy a home to ``folder`` before it is removed, and make the copy the only folder of evidence."""
    shutil.copytree(home, folder, dirs_exist_ok=True)
    folders[:] = [folder]


def check_database() -> None:
    """Check with SQLite alone that the file of the store is intact."""
    if not locations.store().exists():
        return
    with closing(sqlite3.connect(locations.store())) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []


# A process that writes


def change(store: Store, random: random.Random) -> None:
    """Make one change, which the random generator determines."""
    movie = random.choice(MOVIES)
    match random.choices(("rate", "mark", "unmark", "undo", "redo", "import"), (8, 2, 1, 4, 2, 2))[0]:
        case "rate":
            store.rate(WRITER, movie, random.randint(1, 10) / 2)
        case "mark":
            store.mark(WRITER, movie, random.choice(MARKS))
        case "unmark":
            store.unmark(WRITER, movie, random.choice(MARKS))
        case "undo":
            store.undo([WRITER])
        case "redo":
            store.redo([WRITER])
        case _:
            at = f"20{random.randint(10, 20)}-01-01T00:00:00.000+00:00"
            movies = random.sample(MOVIES, 5)
            ratings = [ImportedMovie(one, one.key, random.randint(1, 10) / 2, at=at) for one in movies]
            store.import_movies(WRITER, "export", ratings)


def state(store: Store) -> Any:
    """Return what changes affect, without timestamps: the ratings, the marks and the history."""
    steps = [(step.kind, step.note, step.changes, step.undone) for step in store.history(WRITER)]
    rated = [(one.movie, one.stars) for one in store.ratings(WRITER)]
    return rated, [(one.movie, one.mark) for one in store.marks(WRITER)], steps


def _writer(random: random.Random, home: Path) -> None:
    seed, most = random.random(), random.randint(1, MOST_CHANGES)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        _write(writing, seed)
    os.close(writing)
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        acknowledged = 0
        while acknowledged < most and pipe.read(1):
            acknowledged += 1
        _busy_for(random.uniform(0, 0.003))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        while pipe.read(1):
            acknowledged += 1
    with closing(Store(locations.store())) as store:
        stored = state(store)
    assert stored in _expected(seed, acknowledged, home), f"after {acknowledged} changes the store holds {stored}"


def _write(pipe: int, seed: float) -> None:
    """Change the store, and report each change after making it. Runs in a separate process, which is killed."""
    try:
        generator = random.Random(seed)
        store = Store(locations.store())
        for _ in range(MOST_CHANGES):
            change(store, generator)
            os.write(pipe, b".")
    finally:
        os._exit(0)


def _expected(seed: float, acknowledged: int, home: Path) -> list[Any]:
    """Return the two allowed states: with exactly the acknowledged changes, or with one more change."""
    states = []
    generator = random.Random(seed)
    with closing(Store(home / "expected" / "store.sqlite3")) as store:
        store._db.execute("PRAGMA synchronous = OFF")  # this process is not killed
        for count in range(acknowledged + 2):
            if count >= acknowledged:
                states.append(state(store))
            change(store, generator)
    return states


def _busy_for(seconds: float) -> None:
    """Wait without sleeping, because even the shortest sleep would be too long."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


# Commands


def _run_and_kill(random: random.Random, *arguments: object, longest: float) -> bytes:
    """Run a command, kill it at a random moment if it has not ended, and return its output so far."""
    process = subprocess.Popen(
        homes.command(*arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        return process.communicate(timeout=random.uniform(0, longest))[0]
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[0]


def _ratings(name: str) -> dict[str, float]:
    """Return the stars of a profile by title, as the program reads them from the store."""
    with closing(Store(locations.store())) as store:
        return {rated.movie.title: rated.stars for rated in store.ratings(profile(name))}


def _rate(random: random.Random, home: Path) -> None:
    stars = random.randint(1, 10) / 2
    printed = _run_and_kill(random, "rate", "--profile", "anna", "Alien (1979)", stars, "--json", longest=1.5)
    before = {title: stars for title, _, stars in homes.RATED}
    after = {**before, "Alien": stars}
    assert _ratings("anna") in ([after] if printed else [before, after])


def _import(random: random.Random, home: Path) -> None:
    printed = _run_and_kill(random, "import", home / homes.EXPORT, "--profile", "bob", "--json", longest=2.0)
    whole = {"Fargo": 3.0, "Nowhere at all": 2.0, "Heat": 5.0, "Alien": 4.0}
    stored = _ratings("bob")
    assert stored == whole if printed else stored in ({}, whole), stored


# The app and its engine


def _app(random: random.Random, home: Path) -> None:
    acknowledged: dict[str, float] = {}
    terminal = places.begin("BrowseScreen", home)
    try:
        for number in range(1, random.randint(2, 4)):
            terminal.type(str(random.randint(1, 5)))
            terminal.until(lambda number=number: len(_acknowledged(terminal, acknowledged)) == number, "the rating")  # type: ignore[misc]
        last = random.choice("12345ur")
        terminal.type(last)
        _busy_for(random.uniform(0, 0.05))
        os.kill(terminal.child.pid, signal.SIGKILL)
        assert terminal.wait_until_gone() == 128 + signal.SIGKILL
    finally:
        terminal.kill()
    stored = _ratings("anna")
    lost = [title for title, stars in acknowledged.items() if stored.get(title) != stars]
    undone = [list(acknowledged)[-1]] if last == "u" else []
    assert lost in ([], undone), f"{lost} were shown as rated; the store holds {stored}"


def _acknowledged(terminal: terminals.Watched, so_far: dict[str, float]) -> dict[str, float]:
    """Add the rating that the status line acknowledges, if any, and return the ratings so far."""
    if match := RATED.search(" ".join(terminal.lines[-4:])):
        so_far[match[1]] = float(match[2])
    return so_far


def _engine(random: random.Random, home: Path) -> None:
    terminal = places.begin("BrowseScreen", home)
    try:
        for _ in range(2):
            (engine,) = terminals.engines_of(terminal.child.pid)
            acknowledged: dict[str, float] = {}
            terminal.type(str(random.randint(1, 5)))
            _busy_for(random.uniform(0, 0.02))
            os.kill(engine, signal.SIGKILL)
            terminal.until(lambda so_far=acknowledged: _acknowledged(terminal, so_far), "the rating")  # type: ignore[misc]
            assert acknowledged.items() <= _ratings("anna").items()
            terminal.press("u")
            terminal.see("undid")
        terminal.type("q")
        assert terminal.wait_until_gone() == 0
        assert not terminal.left_on(), f"not restored: {terminal.left_on()}"
    finally:
        terminal.kill()


# Training


def _train(random: random.Random, home: Path) -> None:
    train = ("train", "sgd-mf", "--dataset", "demo", "--split", "kfold5-0", "--set", "epochs=20", "--json")
    process = subprocess.Popen(homes.command(*train), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with closing(Store(locations.store())) as store:
            until = time.monotonic() + homes.LIMIT_SECONDS
            while process.poll() is None and len(store.runs()) < 3:
                assert time.monotonic() < until, "no run began"
                time.sleep(0.01)
        try:
            process.wait(random.uniform(0, 2.0))
        except subprocess.TimeoutExpired:
            process.kill()
    finally:
        process.kill()
        process.wait()
    (newest, *_) = json.loads(homes.check_output("runs", "list", "--json"))
    assert newest["state"] in ("cut off", "done"), newest["state"]
    if newest["state"] == "cut off":
        resumed = json.loads(homes.check_output("runs", "resume", newest["run"], "--json"))
        assert resumed["metrics"] == json.loads(homes.check_output(*train))["metrics"], "the metrics differ"
    for run in json.loads(homes.check_output("runs", "list", "--json")):
        homes.check_output("runs", "show", run["run"], "--json")
