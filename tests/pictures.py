"""Draw the screens as SVG with the app itself, for review; ``tests/docs_pictures.py`` draws those in ``docs``.

    python -m tests.pictures FOLDER [--size 140x40]... [--theme NAME]... [--from PICTURE] [--only PICTURE]...

The app uses the home MOVIETUI_HOME. In an empty home, it begins with the first start. The pictures of the Train screen
need a home with two runs. They start a sweep, and train a run that fails and is deleted at the end.
"""

import asyncio
import re
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

import click

from movietui.protocol.messages import MovieRow
from movietui.state.child_processes import Engine, Job
from movietui.ui.theme import THEMES
from tests.frames import frame_of, picture
from tests.movietui.driving import Driver, shown, started

TYPED = "type "
"""The prefix of a step that types a text instead of pressing a key."""
SEE = "see "
"""The prefix of a step that waits for a pattern instead of pressing a key."""
OFFLINE = "There is no list yet"
FIRST_START = {
    "first-start": ("▸ Get", OFFLINE),
    "first-start-learning": ("▸ Learn",),
    "first-start-question": ("Who is watching?",),
}
"""The pictures of an empty home. Each is drawn as soon as one of its texts is on screen."""
PICTURES: dict[str, tuple[str, ...]] = {
    "browse": ("b",),
    "browse-rated": ("b", "right", "5", "4"),
    "browse-undone": ("u", "u"),
    "browse-search": ("slash", "2", "0"),
    "browse-pair": ("enter", "down", "down", "p"),
    "browse-why": ("enter",),
    "browse-keys": ("escape", "escape", "question_mark"),
    "browse-help-search": ("type pair",),
    "browse-new": ("escape", "n"),
    "interview": ("escape", "N"),
    "interview-rated": ("4", "0", "3"),
    "similar": ("escape", "m"),
    "taste": ("escape", "T"),
    "history": ("escape", "h"),
    "ratings": ("escape", "right", "5", "3", "4", "*"),
    "ratings-by-stars": ("o",),
    "write": ("escape", "Y"),
    "write-csv": ("right", "+"),
    "write-save": ("s",),
    "where-to-watch": ("escape", "l"),
    "surprise": ("escape", "s"),
    "filter": ("escape", "f", "type +"),
    "filter-kept": ("tab", "type 1980..1999", "enter"),
    "lists": ("c",),
    "models": ("escape", "M", "down"),
    "search": ("escape", "slash", "type the"),
    "viewers": ("escape", "left", "down", "down"),
    "pair": ("p",),
    "pair-dial": ("right", "minus", "minus"),
    "pair-why": ("enter",),
    "pair-taste": ("escape", "T"),
    "group": ("escape", "left", "down", "down", "P"),
    "group-of-four": ("left", "down", "P"),
    "palette": ("ctrl+p",),
    "import-path": ("escape", "i", "type {ratings}"),
    "import": ("enter",),
    "import-found": ("2",),
    "import-done": ("y",),
    "data": ("escape", "escape", "d"),
    "data-report": ("right", "down", "down", "down", "down", "down"),
    "train": ("t",),
    "train-settings": ("e",),
    "train-runs": ("escape", "right"),
    "train-marked": ("x", "down", "x"),
    "train-compare": ("m", r"see run \d+ +run \d+"),
    "train-unfolded": ("escape", "enter", "see measured on"),
    "train-baseline": ("escape", "=", "see ±"),
    "train-name": ("=", "x", "up", "x", "n"),
    "train-prune": ("escape", "B", "see would be removed"),
    "train-delete": ("escape", "D"),
    "train-sweep": ("escape", "left", "g", *("down",) * 3, "s", "end", *",4,6,9,12,16", "enter", "see 3 of 6|done ·"),
    "train-swept": ("see on test",),
    "train-refused": ("escape", "up", "e", *("tab",) * 3, *"u77", "see ! There is no split"),
    "train-failed": (*("backspace",) * 3, "type {ratings}", "enter", "see ! Run"),
    "train-without-it": ("escape", "right", "g", "D", "y", "see Deleted"),
    "train-columns": ("C", *("down",) * 5),
    "train-published": ("escape", "end"),
}
"""The other pictures in order, each with the steps that lead to it from the picture before."""


Look = Callable[[Driver, str], Awaitable[None]]
"""Called with the running app and the name of a picture as soon as that picture is on screen."""


async def visit(
    look: Look, size: tuple[int, int], theme: str, *, first: str = next(iter(PICTURES)), only: Sequence[str] = ()
) -> None:
    """Look at the pictures from ``first`` on, at a size and in a theme.

    ``only``: the pictures to look at, if not all. The keys of the others are pressed too.
    """
    wanted = list(PICTURES)[list(PICTURES).index(first) :]
    while only and wanted and wanted[-1] not in only:
        wanted.pop()
    async with started(size, engine=Engine(), job=Job, theme=theme, wait=False) as driver:
        app, pilot = driver.app, driver.pilot
        if app.asks_who:  # an empty home
            for name, shows in FIRST_START.items():
                while not any(words in shown(app) for words in shows):
                    await pilot.press(*["e"] * (OFFLINE in shown(app)))
                    await pilot.pause(0.1)
                if not only or name in only:
                    await look(driver, name)
            await pilot.press("l")
        await driver.wait_for_list()
        await pilot.pause(0.4)
        with tempfile.TemporaryDirectory() as made:
            ratings = Path(made, "ratings.csv")
            ratings.write_text(letterboxd(driver.movies.known_rows()[:24]), "utf-8")
            for name in wanted:
                for step in PICTURES[name]:
                    if step.startswith(SEE):
                        pattern = re.compile(step.removeprefix(SEE))
                        await driver.until(lambda: pattern.search(shown(app)), step, 60)  # noqa: B023
                        continue
                    if step.startswith(TYPED):
                        await driver.type(step.removeprefix(TYPED).format(ratings=ratings))
                    else:
                        await pilot.press(step)
                    await pilot.pause(0.15)
                    await driver.until(lambda: not app.session.engine._connection._waiting, "the engine's reply", 60)
                await pilot.pause(0.5)
                if not only or name in only:
                    await look(driver, name)


async def save(folder: Path, driver: Driver, name: str) -> None:
    """Write what the app shows as SVG."""
    width, height = driver.app.size
    (folder / f"{name}-{width}x{height}-{driver.app.theme}.svg").write_text(picture(frame_of(driver.app)), "utf-8")


def letterboxd(movies: Sequence[MovieRow]) -> str:
    """Return a Letterboxd export with ratings of movies, some without a year, and of three movies that do not exist."""
    rows = ["Date,Name,Year,Letterboxd URI,Rating"]
    for index, movie in enumerate(movies):
        year = "" if index % 5 == 4 else movie["year"]
        rows.append(f'2026-01-{index + 1:02},"{movie["title"]}",{year},https://boxd.it/{index},{index % 10 / 2 + 0.5}')
    rows += [f"2026-02-0{number},Nobody Has This {number},2025,https://boxd.it/x{number},4" for number in range(1, 4)]
    return "\n".join(rows) + "\n"


def parse_size(words: str) -> tuple[int, int]:
    """Return the columns and lines of a size such as ``140x40``."""
    columns, lines = map(int, words.split("x"))
    return columns, lines


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--size", "sizes", multiple=True, default=("140x40", "80x24"), show_default=True)
@click.option("--only", multiple=True, type=click.Choice([*FIRST_START, *PICTURES]), help="Draw only these.")
@click.option("--theme", "themes", multiple=True, default=[theme.name for theme in THEMES], show_default=True)
@click.option("--from", "first", type=click.Choice(list(PICTURES)), default=next(iter(PICTURES)), show_default=True)
def main(folder: Path, sizes: tuple[str, ...], only: tuple[str, ...], themes: tuple[str, ...], first: str) -> None:
    """Draw the screens into FOLDER."""
    folder.mkdir(parents=True, exist_ok=True)
    for size in map(parse_size, sizes):
        for theme in themes:
            asyncio.run(visit(partial(save, folder), size, theme, first=first, only=only))


if __name__ == "__main__":
    main()
