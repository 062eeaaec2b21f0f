"""Measure with one command how fast Browse responds.

    python -m tests.benchmarks.browse [--from ml-1m.zip] [--home FOLDER] [--model mf] [--only PART]... [--runs 3]

It fetches ml-1m and generates a dataset with as many movies as ML-32M (87,585), each in a separate home, and trains a
model on each. Then it measures, with a warm engine:

- rating, scrolling, import: the real program in a pseudo-terminal, from the key to the bytes on the terminal;
- explanation, pair list, search: from the app's request to the engine's reply;
- search among 87,585 titles of invented words, letter by letter: the search alone (see ``discover``).

Prints one JSON document: for each figure its limit, and the median, 95th percentile and worst time in milliseconds. Of
several runs, it prints the median and the best of each figure, because other users of the machine slow some runs down.
``cpu`` is the CPU time of the app and its engine per action, which depends less on other processes.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import numpy as np

from movietui.data import catalogue
from movietui.data.dataset import Dataset
from movietui.data.query.search import Search
from movietui.data.storage import locations
from movietui.protocol.requests import Requests
from movietui.protocol.viewers import user
from movietui.state.child_processes import Engine
from movietui.state.session import Session
from movietui.store.ratings import Store
from tests.benchmarks.discover import invented, typed
from tests.benchmarks.generate import MOVIES, generate
from tests.benchmarks.screen import COMMAND, Terminal

Waits = list[float]
Figure = dict[str, Any]

SMALL, LARGE = "ml-1m", "generated"
GENERATED = 400_000
"""The number of ratings in the generated dataset."""
IMPORTED = 1000
"""The number of movies in the imported file."""
KEYS = (("\x1b[6~", 120), ("j", 120), ("Gg", 5), ("\x1b[<65;60;20M", 60))
"""What scrolls, and how often: by a page, by a row, to the end and back to the top, and by turns of the wheel."""
PARTS = ("rating", "requests", "import", "search", "scrolling")
LIMITS = {
    "rating": 50.0,
    "explanation": 30.0,
    "pair list": 60.0,
    "search ml-1m": 20.0,
    "search 87,585": 20.0,
    "scrolling 87,585": 30.0,
    "scrolling 87,585, processors": 30.0,
    "import of 1,000": 2000.0,
}


def cpu(*processes: int) -> float:
    """Return the CPU milliseconds that processes and their children have used so far."""
    spent = 0
    for process in processes:
        for task in Path(f"/proc/{process}/task").iterdir():
            spent += int((task / "schedstat").read_text().split()[0])
            spent += int(1e6 * cpu(*map(int, (task / "children").read_text().split())))
    return spent / 1e6


@contextmanager
def measured(figures: dict[str, list[Figure]], name: str, *processes: int) -> Iterator[Waits]:
    """Yield a list for waits in milliseconds; then add a run to a figure: statistics of the waits, and the CPU time."""
    waits: Waits = []
    before = cpu(*processes)
    yield waits
    figures.setdefault(name, []).append(
        {
            "median": statistics.median(waits),
            "p95": float(np.quantile(waits, 0.95)),
            "max": max(waits),
            "cpu": (cpu(*processes) - before) / len(waits),
            "tried": len(waits),
        }
    )


def summarise(runs: list[Figure], limit: float) -> Figure:
    """Return the median and the best of the runs of a figure, for printing."""
    parts = ("median", "p95", "max", "cpu")
    return {
        "at most": limit,
        **{part: round(statistics.median(run[part] for run in runs), 1) for part in parts},
        "best": {part: round(min(run[part] for run in runs), 1) for part in parts},
        "tried": runs[0]["tried"],
        "runs": len(runs),
    }


# The real program in a pseudo-terminal


@contextmanager
def opened() -> Iterator[Terminal]:
    """Start the program, yield its terminal when the list is drawn, and quit it afterwards."""
    terminal = Terminal(COMMAND)
    terminal.wait_for(r"\d of \d")
    terminal.drain(1.5)
    yield terminal
    terminal.close()


def rating(figures: dict[str, list[Figure]], count: int = 60) -> None:
    """Time rating keys, each until the notice of how many movies moved, which is drawn with the list; then undo."""
    with opened() as terminal:
        with measured(figures, "rating", terminal.pid) as waits:
            for number in range(count):
                pressed = terminal.send("12345"[number % 5])
                waits.append((terminal.wait_for("moved") - pressed) * 1000)
                terminal.drain(0.15)
        for _ in range(count):
            terminal.send("u")
            terminal.wait_for("redo|nothing to undo")
            terminal.drain(0.02)


def scrolling(figures: dict[str, list[Figure]]) -> None:
    """Time keys and turns of the wheel, each until rows come into view, and measure the CPU time of each."""
    with (
        opened() as terminal,
        measured(figures, "scrolling 87,585", terminal.pid) as waits,
        measured(figures, "scrolling 87,585, processors", terminal.pid) as spent,
    ):
        for keys, times in KEYS:
            for key in (keys if keys.isalpha() else [keys]) * times:
                before = cpu(terminal.pid)
                pressed = terminal.send(key)
                waits.append((terminal.wait_for(r"\d\.\d") - pressed) * 1000)
                spent.append(cpu(terminal.pid) - before)
                terminal.drain(0.04)


def importing(figures: dict[str, list[Figure]], path: Path, count: int = 5) -> None:
    """Time imports of a file, each from the key that ends the preview to the profile's list. Undo between imports.

    The first import, which creates the profile and fills caches, is not counted.
    """
    store = Store(locations.store())
    store.choose(f"viewer:{SMALL}", "user:1")
    store.close()
    with opened() as terminal:
        _import(terminal, path, "y", f"guest {time.time():.0f}\r")
        with measured(figures, "import of 1,000", terminal.pid) as waits:
            for _ in range(count):
                terminal.send("u")
                terminal.wait_for("redo")
                waits.append(_import(terminal, path, "y"))


def _import(terminal: Terminal, path: Path, *keys: str) -> float:
    """Import a file; return the milliseconds from the last of ``keys``, which start the import, until its end."""
    terminal.drain(0.5)
    terminal.send("i")
    terminal.wait_for("Import")
    terminal.drain(0.3)
    terminal.send(f"{path}\r")
    terminal.wait_for("imports")
    pressed = 0.0
    for key in keys:
        terminal.drain(0.5)
        pressed = terminal.send(key)
    return (terminal.wait_for("undo") - pressed) * 1000


def letterboxd(dataset: Dataset, path: Path) -> None:
    """Write a file with ratings of well-known movies, like one that Letterboxd exports."""
    random = np.random.default_rng(0)
    known = np.argsort(-dataset.counts)[: IMPORTED * 3 // 2]
    rows = ["Date,Name,Year,Letterboxd URI,Rating"]
    for row in random.choice(known, IMPORTED, replace=False).tolist():
        title = dataset.movies.titles[row].replace('"', '""')
        stars = int(random.integers(1, 11)) / 2
        rows.append(f'2026-01-01,"{title}",{dataset.movies.years[row]},https://boxd.it/{row},{stars:g}')
    path.write_text("\n".join(rows) + "\n", "utf-8")


# Requests to the engine


async def time_requests(
    figures: dict[str, list[Figure]], name: str, asks: Sequence[Callable[[], Awaitable[object]]]
) -> None:
    """Time requests, sent one after another. The first ten, which fill caches, are not counted."""
    for ask in asks[:10]:
        await ask()
    with measured(figures, name, os.getpid()) as waits:
        for ask in asks[10:]:
            began = time.perf_counter()
            await ask()
            waits.append((time.perf_counter() - began) * 1000)


async def requests(figures: dict[str, list[Figure]], dataset: Dataset, count: int = 100) -> None:
    """Time explanations, lists for pairs, and searches, requested as the screens request them."""
    engine = Engine()
    session = Session(Store(locations.store()), engine)
    await engine.start()
    await session.open(SMALL)
    users = [user(name, SMALL) for name in np.random.default_rng(0).choice(dataset.users.ids, count + 10).tolist()]
    movies = np.random.default_rng(1).choice(dataset.movies.ids, count + 10).tolist()

    async def explain(number: int) -> None:
        await session.look_at(users[number])
        await session.details(movies[number])

    async def pair(number: int) -> None:
        await session.look_at(users[number])
        session.show_to(session.audience.paired_with(users[number - 1]))
        await session.ranked(0, 100)

    numbers = range(count + 10)
    await time_requests(figures, "explanation", [lambda number=number: explain(number) for number in numbers])
    await time_requests(figures, "pair list", [lambda number=number: pair(number) for number in numbers])
    texts = typed(dataset)[: 3 * count]
    await time_requests(
        figures, "search ml-1m", [lambda text=text: session.engine.ask(Requests.search, words=text) for text in texts]
    )
    await engine.close()
    session.store.close()


def searching(figures: dict[str, list[Figure]], dataset: Dataset) -> None:
    """Time searches of a dataset's titles, letter by letter."""
    search = Search(dataset)
    search.find("a", 12)
    with measured(figures, "search 87,585", os.getpid()) as waits:
        for text in typed(dataset):
            began = time.perf_counter()
            search.find(text, 12)
            waits.append((time.perf_counter() - began) * 1000)


# The homes


def home(folder: Path, name: str, source: Path | None, model: str) -> Path:
    """Return a home with a dataset and a model that serves it. Create the home unless it is there already."""
    path = folder / name
    os.environ["MOVIETUI_HOME"] = str(path)
    if not (path / "ready").exists():
        for command in (
            ("data", "get", name, *(("--from", str(source)) if source else ())),
            ("train", model, "--dataset", name, "--cleaning", "none"),
        ):
            subprocess.run([sys.executable, "-m", "movietui", *command], check=True, stdout=sys.stderr)
        (path / "ready").touch()
    return path


@click.command()
@click.option("--from", "source", type=click.Path(path_type=Path), help="The archive of ml-1m. Default: fetch it.")
@click.option(
    "--home",
    "folder",
    type=click.Path(path_type=Path),
    help="A folder to keep the homes in, for the next time. Default: a temporary folder.",
)
@click.option("--model", default="mf", show_default=True, help="The model that makes the lists.")
@click.option("--only", multiple=True, type=click.Choice(PARTS), help="Measure only this; can be repeated.")
@click.option(
    "--runs", default=3, show_default=True, type=click.IntRange(1), help="How many times to measure all of it."
)
def main(source: Path | None, folder: Path | None, model: str, only: Sequence[str], runs: int) -> None:
    """Measure how fast Browse responds."""
    figures: dict[str, list[Figure]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = (folder or Path(scratch)).absolute()
        generated = Path(scratch) / "files"
        if not (folder / LARGE / "ready").exists():
            generate(generated, GENERATED, movies=MOVIES)
        large = home(folder, LARGE, generated, model)
        small = home(folder, SMALL, source and source.absolute(), model)
        dataset, export = catalogue.load(SMALL), Path(scratch) / "ratings.csv"
        letterboxd(dataset, export)
        titles = invented(MOVIES)
        for part in (only or PARTS) * runs:
            os.environ["MOVIETUI_HOME"] = str(large if part == "scrolling" else small)
            if part == "rating":
                rating(figures)
            elif part == "requests":
                asyncio.run(requests(figures, dataset))
            elif part == "import":
                importing(figures, export)
            elif part == "search":
                searching(figures, titles)
            else:
                scrolling(figures)
    shown = {name: summarise(figures[name], limit) for name, limit in LIMITS.items() if name in figures}
    print(json.dumps({"model": model, "milliseconds": shown}, indent=2))


if __name__ == "__main__":
    main()
