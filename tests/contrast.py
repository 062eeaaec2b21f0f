"""Measure the contrast of everything on screen, by WCAG 2.2, level AA (success criteria 1.4.3 and 1.4.11).

    python -m tests.contrast [--size 80x24]... [--theme NAME]... [--only PICTURE]...

Visits the screens of ``tests.pictures``, in the home MOVIETUI_HOME, and reads the colours of each cell as drawn. Ends
with exit code 1 if anything in one of the app's own themes has too little contrast. Other themes are only reported.
"""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click
from rich.cells import cell_len
from rich.color import Color
from rich.style import Style
from textual.constants import DIM_FACTOR
from textual.screen import ModalScreen

from movietui.ui.app import MovieTui
from movietui.ui.theme import THEMES
from movietui.ui.train.curve import Curve
from tests.movietui.driving import Driver
from tests.pictures import FIRST_START, PICTURES, parse_size, visit

TEXT, GRAPHICS = 4.5, 3.0
"""The lowest contrast of text, and of signs that are no text: borders, bars, dots, curves, stars and scroll bars.

WCAG asks the latter only of graphics that are needed to understand the content.
"""
GRAPHIC_SIGNS = {chr(code) for block in ((0x2500, 0x2600), (0x2800, 0x2900)) for code in range(*block)} | {*"★·"}
"""Box drawing, block elements, geometric shapes and braille, and the other signs that are drawn, not read."""

Rgb = tuple[int, int, int]


@dataclass(frozen=True)
class Low:
    """Something on screen with too little contrast."""

    theme: str
    words: str
    color: Rgb
    background: Rgb
    needs: float

    def __str__(self) -> str:
        colors = " on ".join("#" + bytes(each).hex() for each in (self.color, self.background))
        return f"{contrast(self.color, self.background):.2f} < {self.needs}  {colors}  {self.words!r}"


def luminance(color: Rgb) -> float:
    """Return the relative luminance of a colour, 0 to 1 (WCAG 2.2, definition of relative luminance)."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (c / 255 for c in color)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Rgb, other: Rgb) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2, definition of contrast ratio).

    >>> contrast((0, 0, 0), (255, 255, 255)), contrast((9, 9, 9), (9, 9, 9))
    (21.0, 1.0)
    >>> round(contrast((0x76, 0x76, 0x76), (255, 255, 255)), 2)
    4.54
    """
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def low_contrast(app: MovieTui) -> list[Low]:
    """Return what has too little contrast now. Below a panel, where nothing can be done, nothing counts."""
    screen, low = app.screen, []
    for y, strip in enumerate(screen._compositor.render_strips()):
        x = 0
        for words, style, _ in strip:
            below = isinstance(screen, ModalScreen) and words and screen.get_widget_at(x, y)[0] is screen
            if words.strip() and style is not None and not below:
                color, background = colors(style)
                for needs, part in parts(words):
                    if contrast(color, background) < needs:
                        low.append(Low(app.theme, part, color, background, needs))
            x += cell_len(words)
    return low


def parts(words: str) -> Iterator[tuple[float, str]]:
    """Yield the text and the graphics in a piece of a line, each with the contrast that it needs."""
    text = "".join(" " if sign in GRAPHIC_SIGNS else sign for sign in words).strip()
    graphics = "".join(sign for sign in words if sign in GRAPHIC_SIGNS)
    if text:
        yield TEXT, text
    if graphics:
        yield GRAPHICS, graphics


def colors(style: Style) -> tuple[Rgb, Rgb]:
    """Return the colours of text and of its background, as the terminal draws them."""
    color, background = rgb(style.color, (224, 224, 224)), rgb(style.bgcolor, (0, 0, 0))
    if style.reverse:
        color, background = background, color
    if style.dim:
        red, green, blue = (round(b + (c - b) * DIM_FACTOR) for c, b in zip(color, background, strict=True))
        color = red, green, blue
    return color, background


def rgb(color: Color | None, default: Rgb) -> Rgb:
    """Return the parts of a colour. ``default``: the colour of a terminal that was not asked for one."""
    if color is None or color.is_default:
        return default
    red, green, blue = color.get_truecolor()
    return red, green, blue


async def show_in(driver: Driver, theme: str) -> None:
    """Change the theme and wait until everything is drawn in it."""
    driver.app.theme = theme
    await driver.pilot.pause()
    await driver.until(lambda: not any(curve.busy for curve in driver.app.screen.query(Curve)), "the curve")


async def measure(size: tuple[int, int], themes: Sequence[str], only: Sequence[str]) -> set[Low]:
    """Return what has too little contrast, and print each of these once, with the first picture that shows it."""
    low_ones: set[Low] = set()

    async def look(driver: Driver, picture: str) -> None:
        for theme in themes:
            await show_in(driver, theme)
            for low in {*low_contrast(driver.app)} - low_ones:
                low_ones.add(low)
                click.echo(f"{low.theme}  {picture} {size[0]}x{size[1]}  {low}")

    await visit(look, size, themes[0], only=only)
    return low_ones


@click.command()
@click.option("--size", "sizes", multiple=True, default=("140x40", "80x24"), show_default=True)
@click.option("--only", multiple=True, type=click.Choice([*FIRST_START, *PICTURES]), help="Measure only these.")
@click.option("--theme", "themes", multiple=True, default=[theme.name for theme in THEMES], show_default=True)
def main(sizes: tuple[str, ...], only: tuple[str, ...], themes: tuple[str, ...]) -> None:
    """Measure the contrast of everything on screen."""
    low_ones = {low for size in sizes for low in asyncio.run(measure(parse_size(size), themes, only))}
    for theme in themes:
        click.echo(f"{theme}: {sum(low.theme == theme for low in low_ones)} below the contrast of WCAG AA")
    sys.exit(bool({low.theme for low in low_ones} & {theme.name for theme in THEMES}))


if __name__ == "__main__":
    main()
