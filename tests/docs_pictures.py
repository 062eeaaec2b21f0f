"""Draw the pictures and sessions in ``docs/pictures`` with the app itself, from its demo, in some minutes.

    python -m tests.docs_pictures [NAME]...

A session is an animation: a few keys in the running app, one after the other.
"""

import asyncio
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from movietui.data.storage import locations
from movietui.state.child_processes import Engine, Job
from movietui.store.ratings import Store
from movietui.ui.app import FIRST_START, UNFINISHED
from movietui.web.demo import prepare
from tests.frames import Frame, animation, frame_of, picture
from tests.movietui.driving import Driver, shown, started
from tests.pictures import visit

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
        for name in (name for name in names if name in SESSIONS):
            begin()
            (folder / f"{name}.svg").write_text(animation(asyncio.run(play(name))), "utf-8")


@click.command()
@click.argument("names", nargs=-1, type=click.Choice([*SHOWN, *SESSIONS]))
def main(names: tuple[str, ...]) -> None:
    """Draw all pictures and sessions, or those with these NAMES."""
    draw_all(FOLDER, names or (*SHOWN, *SESSIONS))


if __name__ == "__main__":
    main()
