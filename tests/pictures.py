"""Draws the screens as SVG, by the app itself: for the README, and to look at.

    python -m tests.pictures FOLDER [--size 140x40]... [--theme NAME]...

What is drawn is what lies under MOVIETUI_HOME; a home without anything begins with the first start.
"""

import asyncio
from pathlib import Path

import click

from tests.movietui.driving import started

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
}


async def draw(folder: Path, size: tuple[int, int], theme: str) -> None:
    """Draw every scene at a size in a theme."""
    async with started(size, theme=theme) as driver:
        app, pilot = driver.app, driver.pilot
        await pilot.pause(0.4)
        for scene, keys in SCENES.items():
            for key in keys:
                await pilot.press(key)
                await pilot.pause(0.15)
            await pilot.pause(0.5)
            name = f"{scene}-{size[0]}x{size[1]}-{theme}.svg"
            (folder / name).write_text(app.export_screenshot(title="movietui"), "utf-8")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--size", "sizes", multiple=True, default=("140x40", "80x24"), show_default=True)
@click.option("--theme", "themes", multiple=True, default=("textual-dark", "textual-light"), show_default=True)
def main(folder: Path, sizes: tuple[str, ...], themes: tuple[str, ...]) -> None:
    """Draw the screens into FOLDER."""
    folder.mkdir(parents=True, exist_ok=True)
    for size in sizes:
        columns, lines = (int(part) for part in size.split("x"))
        for theme in themes:
            asyncio.run(draw(folder, (columns, lines), theme))


if __name__ == "__main__":
    main()
