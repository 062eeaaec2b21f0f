"""Draws the screens as SVG, by the app itself: for the README, and to look at.

    python -m tests.pictures FOLDER [--size 140x40]... [--theme NAME]... [--from SCENE]

What is drawn is what lies under MOVIETUI_HOME; a home without anything begins with the first start. The scenes of
Train want a home with two runs; they sweep, and train a run that fails and is deleted at the end.
"""

import asyncio
import re
from pathlib import Path

import click

from tests.movietui.driving import shown, started

SEE = "see "
"""What a step begins with that is no key, but a pattern to be waited for."""
SCENES: dict[str, tuple[str, ...]] = {
    "browse": ("b",),
    "browse-rated": ("b", "right", "5", "4"),
    "browse-undone": ("u", "u"),
    "browse-search": ("slash", "2", "0"),
    "browse-pair": ("enter", "down", "down", "p"),
    "browse-why": ("enter",),
    "browse-keys": ("escape", "escape", "question_mark"),
    "browse-new": ("escape", "n"),
    "interview": ("escape", "N"),
    "interview-points": ("1", "3"),
    "data": ("escape", "d"),
    "data-report": ("right", "down", "down", "down", "down", "down"),
    "train": ("t",),
    "train-settings": ("e",),
    "train-runs": ("escape", "right"),
    "train-marked": ("x", "down", "x"),
    "train-compare": ("m", "see difference"),
    "train-unfolded": ("escape", "enter", "see measured on"),
    "train-baseline": ("escape", "=", "see ±"),
    "train-name": ("=", "x", "up", "x", "n"),
    "train-prune": ("escape", "B", "see stay"),
    "train-delete": ("escape", "D"),
    "train-sweep": ("escape", "left", "g", *("down",) * 3, "s", "end", *",4,6,9,12,16", "enter", "see 3 of 6|done ·"),
    "train-swept": ("see on test",),
    "train-failed": ("escape", "up", "e", *("tab",) * 3, *"u77", "enter", "see ! Run"),
    "train-without-it": ("right", "g", "D", "y", "see deleted"),
}


async def draw(folder: Path, size: tuple[int, int], theme: str, first: str) -> None:
    """Draw every scene from the first on, at a size in a theme."""
    async with started(size, theme=theme) as driver:
        app, pilot = driver.app, driver.pilot
        await pilot.pause(0.4)
        for scene in list(SCENES)[list(SCENES).index(first) :]:
            for step in SCENES[scene]:
                if step.startswith(SEE):
                    pattern = re.compile(step.removeprefix(SEE))
                    await driver.until(lambda: pattern.search(shown(app)), step, 60)  # noqa: B023
                else:
                    await pilot.press(step)
                    await pilot.pause(0.15)
            await pilot.pause(0.5)
            name = f"{scene}-{size[0]}x{size[1]}-{theme}.svg"
            (folder / name).write_text(app.export_screenshot(title="movietui"), "utf-8")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--size", "sizes", multiple=True, default=("140x40", "80x24"), show_default=True)
@click.option("--theme", "themes", multiple=True, default=("textual-dark", "textual-light"), show_default=True)
@click.option("--from", "first", type=click.Choice(list(SCENES)), default=next(iter(SCENES)), show_default=True)
def main(folder: Path, sizes: tuple[str, ...], themes: tuple[str, ...], first: str) -> None:
    """Draw the screens into FOLDER."""
    folder.mkdir(parents=True, exist_ok=True)
    for size in sizes:
        columns, lines = (int(part) for part in size.split("x"))
        for theme in themes:
            asyncio.run(draw(folder, (columns, lines), theme, first))


if __name__ == "__main__":
    main()
