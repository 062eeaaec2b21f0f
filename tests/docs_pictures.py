"""Draw the pictures and sessions in ``docs/pictures`` with the app itself, from its demo, in some minutes.

    python -m tests.docs_pictures [NAME]...

A session is an animation: a few keys in the running app, one after the other.
"""

import asyncio
import csv
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL

import click

from movietui.data import catalogue
from movietui.data.storage import locations
from movietui.data.titles import with_year
from movietui.protocol import code_path
from movietui.state.child_processes import Engine, Job
from movietui.store.ratings import Store
from movietui.ui.app import FIRST_START, UNFINISHED
from movietui.web.demo import prepare
from tests.frames import Frame, animation, frame_of, picture
from tests.movietui.driving import Driver, shown, started
from tests.pictures import Look, visit

FOLDER = Path(__file__).parent.parent / "docs" / "pictures"
THEME = "movietui-dark"
WIDE, NARROW, SESSION = (140, 36), (100, 28), (88, 24)
SHOWN: Mapping[str, tuple[int, int]] = {
    "browse-rated": WIDE,
    "pair": WIDE,
    "train": WIDE,
    **dict.fromkeys(
        (
            *("browse-keys", "interview", "history", "write", "where-to-watch", "filter", "models", "search"),
            *("import-found", "data", "train-compare"),
        ),
        NARROW,
    ),
}
"""The pictures in ``docs``, of those in ``PICTURES``, with their sizes in cells."""


ANN = (
    *((("rate", "--profile", "Ann", title, "5", "--dataset", "demo")) for title in ("Heat", "Fargo", "Spirited Away")),
    (
        "list",
        "--profile",
        "Ann",
        "add",
        "Rainy evenings",
        "Casablanca",
        "Before Sunrise",
        "Amelie",
        "--dataset",
        "demo",
    ),
    ("list", "--profile", "Ann", "scan", "{movies}", "--dataset", "demo"),
)
"""The commands that give Ann ratings, a list and a shelf."""
ON_DISK = ("Alien (1979)", "Fargo (1996)", "Heat (1995)", "Seven Samurai (1954)", "The Thing (1982)")
"""The movie files on the shelf."""
OLD = (
    ("data", "get", "mine", "--from", "{ratings}"),
    ("train", "mf", "--dataset", "mine"),
    ("runs", "use", "3"),
)
"""The commands that make lists from a dataset of one's own: the demo's movies up to 1998, with their ratings."""
LAST_YEAR = 1998
OTHER_HOMES: Mapping[str, tuple[Sequence[Sequence[str]], tuple[str, ...], str]] = {
    "lists": (ANN, ("c",), "Rainy evenings"),
    "newer": (OLD, (), "goes to 20"),
}
"""Pictures that need more than the demo: the commands that change its home, the keys, and what the screen then has."""


@dataclass(frozen=True)
class Scene:
    """A moment of a session."""

    keys: tuple[str, ...]
    """The keys that lead to it."""
    caption: str
    see: str
    """A pattern that the screen then shows."""
    seconds: float = 2.5


SESSIONS: Mapping[str, Sequence[Scene]] = {
    "session-list": (
        Scene((), "The first start: who is watching?", "Who is watching"),
        Scene(("l",), "l   look around first", "Unseen"),
        Scene(("right", "down", "down"), "↓ ↓   a movie that you know", "Unseen"),
        Scene(("4",), "4   four stars, and the list is new", "rated"),
        Scene(("left_square_bracket",), "[   half a star less", "3½"),
        Scene(("enter",), "enter   why is this movie here?", "liked"),
        Scene(("escape", "u"), "u   undo", "undid", 3.5),
    ),
    "session-pair": (
        Scene(("left", "down", "down"), "← ↓ ↓   somebody to watch with", "Viewers"),
        Scene(("p",), "p   one list for both", "Unseen by both"),
        Scene(("right", "equals_sign", "equals_sign"), "= =   nobody should dislike it", "least misery"),
        Scene(("enter",), "enter   why would each of you like it?", "average"),
        Scene(("escape", "exclamation_mark"), "!   not tonight", "vetoed", 3.5),
    ),
    "session-train": (
        Scene(("t",), "t   Train", "Models"),
        Scene(("down", "down", "down"), "↓ ↓ ↓   choose a model", "Models"),
        Scene(("enter",), "enter   train it", "run 3.*mf", 1.5),
        Scene((), "the curve, epoch by epoch", r"│ +4 +0\.\d+|done", 1.5),
        Scene((), "measured on ratings that it has not seen", r"3 mf .* done", 3.5),
        Scene(("right", "u"), "u   make lists with it", "in use", 3.5),
    ),
}
"""The sessions in ``docs``."""


async def record(driver: Driver, scenes: Sequence[Scene]) -> list[Frame]:
    """Play a session, and return a frame for each scene."""
    frames = []
    for scene in scenes:
        await driver.press(*scene.keys)
        await driver.until(lambda: re.search(scene.see, shown(driver.app)), scene.see)  # noqa: B023
        await driver.pilot.pause(0.3)
        frames.append(frame_of(driver.app, scene.seconds, scene.caption))
    return frames


async def play(name: str) -> list[Frame]:
    """Play a session in the home."""
    asks = SESSIONS[name][0].see.startswith("Who")
    if asks:
        store = Store(locations.store())
        store.choose(FIRST_START, UNFINISHED)
        store.close()
    async with started(SESSION, engine=Engine(), job=Job, theme=THEME, wait=not asks) as driver:
        return await record(driver, SESSIONS[name])


async def look(save: Look, name: str, keys: Sequence[str], see: str) -> None:
    """Save a picture of the home after some keys."""
    async with started(NARROW, engine=Engine(), job=Job, theme=THEME) as driver:
        await driver.press(*keys)
        await driver.until(lambda: see in shown(driver.app), see)
        await driver.pilot.pause(0.5)
        await save(driver, name)


def change_home(commands: Sequence[Sequence[str]], folder: Path) -> None:
    """Run commands in the home. ``folder``: where the files that they read are written."""
    movies, ratings = folder / "movies", folder / "mine.csv"
    movies.mkdir(exist_ok=True)
    for name in ON_DISK:
        (movies / f"{name}.mkv").touch()
    demo = catalogue.load("demo")
    years = demo.movies.years[demo.ratings.movie]
    with ratings.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("user", "item", "rating", "time", "title"))
        columns = (demo.ratings.user, demo.ratings.movie, demo.ratings.stars, demo.ratings.time)
        for user, movie, stars, time in zip(*(column[years <= LAST_YEAR].tolist() for column in columns), strict=True):
            title = with_year(demo.movies.titles[movie], int(demo.movies.years[movie]))
            rows.writerow((demo.users.ids[user], demo.movies.ids[movie], stars, time, title))
    for arguments in commands:
        words = [each.format(movies=movies, ratings=ratings) for each in arguments]
        subprocess.run(code_path.command("movietui", *words), env=code_path.environment(), check=True, stdout=DEVNULL)


def draw_all(folder: Path, names: Sequence[str]) -> None:
    """Draw these pictures and sessions into a folder. Each session begins with the same home."""

    async def save(driver: Driver, name: str) -> None:
        (folder / f"{name}.svg").write_text(picture(frame_of(driver.app)), "utf-8")

    with tempfile.TemporaryDirectory() as made:
        template, home = Path(made, "template"), Path(made, "home")
        prepare(template)
        os.environ.update(MOVIETUI_HOME=str(home), MOVIETUI_OFFLINE="1", TZ="UTC")

        def begin() -> None:
            shutil.rmtree(home, ignore_errors=True)
            shutil.copytree(template, home)

        for size in (WIDE, NARROW):
            if only := [name for name in names if SHOWN.get(name) == size]:
                begin()
                asyncio.run(visit(save, size, THEME, only=only))
        for name in (name for name in names if name in OTHER_HOMES):
            begin()
            os.environ.pop("MOVIETUI_OFFLINE")  # newer movies are offered only where they can be fetched
            commands, keys, see = OTHER_HOMES[name]
            change_home(commands, Path(made))
            asyncio.run(look(save, name, keys, see))
            os.environ["MOVIETUI_OFFLINE"] = "1"
        for name in (name for name in names if name in SESSIONS):
            begin()
            (folder / f"{name}.svg").write_text(animation(asyncio.run(play(name))), "utf-8")


@click.command()
@click.argument("names", nargs=-1, type=click.Choice([*SHOWN, *OTHER_HOMES, *SESSIONS]))
def main(names: tuple[str, ...]) -> None:
    """Draw all pictures and sessions, or those with these NAMES."""
    draw_all(FOLDER, names or (*SHOWN, *OTHER_HOMES, *SESSIONS))


if __name__ == "__main__":
    main()
