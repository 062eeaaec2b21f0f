"""Draws the screens as SVG, by the app itself: for the README, and to look at.

    python -m tests.pictures FOLDER [--size 140x40]... [--theme NAME]...

What is drawn is what lies under MOVIETUI_HOME; a home without anything begins with the first start.
"""

import asyncio
from pathlib import Path
from typing import Any

import click
from textual.pilot import Pilot

from movietui.app import MovieTui


async def settled(pilot: Pilot[Any], seconds: float = 60.0) -> None:
    """Wait until a list stands and nothing runs."""
    app = pilot.app
    assert isinstance(app, MovieTui)
    for _ in range(int(seconds / 0.05)):
        await pilot.pause(0.05)
        if app.work.activity is None and app.session.opened is not None:
            break
    await pilot.pause(0.4)


SCENES: dict[str, tuple[str, ...]] = {
    "browse": ("b",),
    "browse-rated": ("b", "right", "5", "4"),
    "browse-undone": ("u", "u"),
    "browse-search": ("slash", "2", "0"),
    "browse-pair": ("enter", "down", "down", "p"),
    "browse-why": ("enter",),
    "browse-keys": ("escape", "escape", "question_mark"),
    "browse-new": ("escape", "n"),
    "data": ("escape", "d"),
    "data-report": ("right", "down", "down", "down", "down", "down"),
    "train": ("t",),
    "train-settings": ("e",),
    "train-runs": ("escape", "right"),
}


async def draw(folder: Path, size: tuple[int, int], theme: str) -> None:
    """Draw every scene at a size in a theme."""
    app = MovieTui(theme)
    async with app.run_test(size=size, notifications=True) as pilot:
        await settled(pilot)
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
