"""How fast Browse answers: the figures of an evening in front of it, by one command.

    python -m tests.benchmarks.tonight [--from ml-1m.zip] [--home FOLDER] [--model mf] [--runs 3]

In homes of its own it gets ml-1m and a generated dataset of as many movies as ML-32M has (87,585), and trains a model
on each. Then, the engine warm:

- rating, scrolling, import: the real program in a pseudo-terminal, from the key to the bytes on the terminal;
- explanation, pair list, search: from the question of the process that draws to the engine's answer;
- search among 87,585 titles of invented words, letter by letter: the search alone, see ``discover``.

Prints one JSON document: of each figure the limit it is meant to keep, the median, 95 of 100 and the worst in
milliseconds. Of several runs the median of each and the best; a machine that others use too makes the difference.
``cpu`` is what the processors of the app and its engine spent on one, which does not depend on others so much.
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

from data import catalogue, locations
from data.dataset import Dataset
from models.search import Search
from movietui.children import Engine
from movietui.session import Session
from movietui.store import Store
from movietui.viewers import user
from tests.benchmarks.discover import invented, typed
from tests.benchmarks.generate import MOVIES, generate
from tests.benchmarks.screen import COMMAND, Terminal

Waits = list[float]
Figure = dict[str, Any]

SMALL, LARGE = "ml-1m", "generated"
GENERATED = 400_000
"""Ratings of the generated dataset."""
FILMS = 1000
"""Films of a profile that is imported."""
KEYS = (("\x1b[6~", 120), ("j", 120), ("Gg", 5), ("\x1b[<65;60;20M", 60))
"""What scrolls, and how often: a page, a row, to the end and back to the top, the wheel."""
PARTS = ("rating", "questions", "import", "search", "scrolling")
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
    """Return the milliseconds that processors spent so far on processes and on those that they started."""
    spent = 0
    for process in processes:
        for task in Path(f"/proc/{process}/task").iterdir():
            spent += int((task / "schedstat").read_text().split()[0])
            spent += int(1e6 * cpu(*map(int, (task / "children").read_text().split())))
    return spent / 1e6


@contextmanager
def measured(figures: dict[str, list[Figure]], name: str, *processes: int) -> Iterator[Waits]:
    """Add a run of a figure: the waits that the block writes down, in milliseconds, and the time of processors."""
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


def told(runs: list[Figure], limit: float) -> Figure:
    """Return the runs of one figure as they are printed: the median of the runs, and the best."""
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
    """Bring the program with a list that stands."""
    terminal = Terminal(COMMAND)
    terminal.wait_for(r"\d of \d")
    terminal.drain(1.5)
    yield terminal
    terminal.close()


def rating(figures: dict[str, list[Figure]], count: int = 60) -> None:
    """From the key to the line that says what moved, which is drawn with the list; then all is taken back."""
    with opened() as terminal:
        with measured(figures, "rating", terminal.pid) as waits:
            for number in range(count):
                pressed = terminal.send("12345"[number % 5])
                waits.append((terminal.wait_for("moved|u undoes") - pressed) * 1000)
                terminal.drain(0.15)
        for _ in range(count):
            terminal.send("u")
            terminal.wait_for("gives it again|nothing to undo")
            terminal.drain(0.02)


def scrolling(figures: dict[str, list[Figure]]) -> None:
    """From a key, or a turn of the wheel, to the rows that come into view; and what the processors spent meanwhile."""
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
    """From the key that ends the preview of an import to the list of the profile; then it is taken back.

    The first one, which makes the profile and what is made once, is not counted.
    """
    store = Store(locations.store())
    store.choose(f"viewer:{SMALL}", "user:1")
    store.close()
    with opened() as terminal:
        _import(terminal, path, "y", f"guest {time.time():.0f}\r")
        with measured(figures, "import of 1,000", terminal.pid) as waits:
            for _ in range(count):
                terminal.send("u")
                terminal.wait_for("gives it again")
                waits.append(_import(terminal, path, "y"))


def _import(terminal: Terminal, path: Path, *keys: str) -> float:
    """Import a file, and return the milliseconds from the last of the keys that end the preview."""
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
    return (terminal.wait_for("takes the import back") - pressed) * 1000


def letterboxd(dataset: Dataset, path: Path) -> None:
    """Write ratings of well-known movies as Letterboxd exports them."""
    random = np.random.default_rng(0)
    known = np.argsort(-dataset.counts)[: FILMS * 3 // 2]
    rows = ["Date,Name,Year,Letterboxd URI,Rating"]
    for row in random.choice(known, FILMS, replace=False).tolist():
        title = dataset.movies.titles[row].replace('"', '""')
        stars = int(random.integers(1, 11)) / 2
        rows.append(f'2026-01-01,"{title}",{dataset.movies.years[row]},https://boxd.it/{row},{stars:g}')
    path.write_text("\n".join(rows) + "\n", "utf-8")


# Questions to the engine


async def asked(figures: dict[str, list[Figure]], name: str, asks: Sequence[Callable[[], Awaitable[object]]]) -> None:
    """Ask one after the other; the first ten, which make what is made once, are not counted."""
    for ask in asks[:10]:
        await ask()
    with measured(figures, name, os.getpid()) as waits:
        for ask in asks[10:]:
            began = time.perf_counter()
            await ask()
            waits.append((time.perf_counter() - began) * 1000)


async def questions(figures: dict[str, list[Figure]], dataset: Dataset, count: int = 100) -> None:
    """Explanations, lists of pairs and searches, as the screens ask for them."""
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
        session.pair_with(users[number - 1])
        await session.ranked(0, 100)

    numbers = range(count + 10)
    await asked(figures, "explanation", [lambda number=number: explain(number) for number in numbers])
    await asked(figures, "pair list", [lambda number=number: pair(number) for number in numbers])
    texts = typed(dataset)[: 3 * count]
    await asked(figures, "search ml-1m", [lambda text=text: session.find(text) for text in texts])
    await engine.close()
    session.store.close()


def searching(figures: dict[str, list[Figure]], dataset: Dataset) -> None:
    """Search the titles of a catalogue letter by letter."""
    search = Search(dataset)
    search.find("a", 12)
    with measured(figures, "search 87,585", os.getpid()) as waits:
        for text in typed(dataset):
            began = time.perf_counter()
            search.find(text, 12)
            waits.append((time.perf_counter() - began) * 1000)


# The homes


def home(folder: Path, name: str, source: Path | None, model: str) -> Path:
    """Return a home with a dataset and a model that serves it; what is there already is not made again."""
    place = folder / name
    os.environ["MOVIETUI_HOME"] = str(place)
    if not (place / "ready").exists():
        for command in (
            ("data", "get", name, *(("--from", str(source)) if source else ())),
            ("train", model, "--dataset", name, "--cleaning", "none"),
        ):
            subprocess.run([sys.executable, "-m", "movietui", *command], check=True, stdout=sys.stderr)
        (place / "ready").touch()
    return place


@click.command()
@click.option("--from", "source", type=click.Path(path_type=Path), help="The archive of ml-1m; else it is fetched.")
@click.option("--home", "folder", type=click.Path(path_type=Path), help="Where the homes lie; kept for another time.")
@click.option("--model", default="mf", show_default=True, help="What serves.")
@click.option("--only", multiple=True, type=click.Choice(PARTS), help="Measure this alone; may be given several times.")
@click.option("--runs", default=3, show_default=True, type=click.IntRange(1), help="How often all is measured.")
def main(source: Path | None, folder: Path | None, model: str, only: Sequence[str], runs: int) -> None:
    """Measure and print."""
    figures: dict[str, list[Figure]] = {}
    with tempfile.TemporaryDirectory() as made:
        folder = (folder or Path(made)).absolute()
        generated = Path(made) / "files"
        if not (folder / LARGE / "ready").exists():
            generate(generated, GENERATED, movies=MOVIES)
        large = home(folder, LARGE, generated, model)
        small = home(folder, SMALL, source and source.absolute(), model)
        dataset, films = catalogue.load(SMALL), Path(made) / "ratings.csv"
        letterboxd(dataset, films)
        titles = invented(MOVIES)
        for part in (only or PARTS) * runs:
            os.environ["MOVIETUI_HOME"] = str(large if part == "scrolling" else small)
            if part == "rating":
                rating(figures)
            elif part == "questions":
                asyncio.run(questions(figures, dataset))
            elif part == "import":
                importing(figures, films)
            elif part == "search":
                searching(figures, titles)
            else:
                scrolling(figures)
    shown = {name: told(figures[name], limit) for name, limit in LIMITS.items() if name in figures}
    print(json.dumps({"model": model, "milliseconds": shown}, indent=2))


if __name__ == "__main__":
    main()
