"""Draws what the app shows as a small SVG: a picture of one moment, or an animation of several.

``App.export_screenshot`` names fonts on the web, and needs three times the space. Here, the text of each run of cells
is spaced to its width, so that it fits with whatever monospaced font the reader has.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from rich.cells import cell_len
from rich.color import ColorType
from rich.segment import Segment
from rich.style import Style
from textual._compositor import LayoutUpdate

from movietui.ui.app import MovieTui

CELL, LINE, FONT, BASELINE, MARGIN = 10, 20, 16.6, 15, 12
"""The size of a cell, of the font and of the margin, in the units of the SVG."""
FAMILY = "'Fira Code','JetBrains Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace"
CAPTION = "#000000", "#ffd866"
"""The background and the colour of the line with the keys."""

Cells = tuple[str, str, str, bool, bool]
"""A run of cells: text, colour, background, bold, underlined."""
Row = tuple[Cells, ...]


@dataclass(frozen=True)
class Frame:
    """What the app shows at one moment."""

    rows: tuple[Row, ...]
    seconds: float = 1.0
    """How long an animation shows the frame."""
    caption: str = ""
    """What was pressed, for the line below the app."""


def frame_of(app: MovieTui, seconds: float = 1.0, caption: str = "") -> Frame:
    """Return what an app shows now."""
    app.screen._styles_cache.clear()  # what ``driving.lines`` drew there has no screen behind a panel
    update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
    assert isinstance(update, LayoutUpdate)
    rows = ([segment for strip in line for segment in strip] for line in update.strips)
    return Frame(tuple(_row(segments) for segments in rows), seconds, caption)


def text_of(row: Row) -> str:
    """Return the text of a row, without blanks at its end."""
    return "".join(cells[0] for cells in row).rstrip()


def _row(segments: Sequence[Segment]) -> Row:
    runs = [
        (segment.text, *_look(segment.style or Style.null()))
        for segment in segments
        if segment.text and not segment.control
    ]
    merged = groupby(runs, key=lambda run: run[1:])
    return tuple(("".join(run[0] for run in same), *look) for look, same in merged)


def _look(style: Style) -> tuple[str, str, bool, bool]:
    color, background = (
        part.get_truecolor().hex if part is not None and part.type != ColorType.DEFAULT else usual
        for part, usual in ((style.color, "#ffffff"), (style.bgcolor, "#000000"))
    )
    if style.reverse:
        color, background = background, color
    return color, background, bool(style.bold), bool(style.underline)


def picture(frame: Frame) -> str:
    """Return a frame as SVG."""
    return _Drawing([frame]).svg()


def animation(frames: Sequence[Frame]) -> str:
    """Return frames as an SVG that shows one after the other, again and again."""
    return _Drawing(frames).svg()


class _Drawing:
    """An SVG in the making. A row that is the same in several frames in a row is drawn once."""

    def __init__(self, frames: Sequence[Frame]) -> None:
        captions = any(frame.caption for frame in frames)
        self._frames = [_captioned(frame) for frame in frames] if captions else list(frames)
        self._styles: dict[str, str] = {}
        """The names of the classes by their styles."""
        self._moves: dict[str, str] = {}
        """When something is visible, by the name of its class and of its key frames."""
        self._columns = max(cell_len("".join(cells[0] for cells in row)) for row in frames[0].rows)
        grounds = Counter(cells[2] for row in frames[0].rows for cells in row for _ in cells[0])
        self._ground = grounds.most_common(1)[0][0]
        """The background of most cells."""
        self._starts = [sum(frame.seconds for frame in frames[:index]) for index in range(len(frames) + 1)]

    def svg(self) -> str:
        rows = max(len(frame.rows) for frame in self._frames)
        body = "".join(self._versions(y) for y in range(rows))
        width, height = self._columns * CELL + 2 * MARGIN, rows * LINE + 2 * MARGIN
        styles = "".join(f".{name}{{{style}}}" for style, name in self._styles.items())
        total = f"{self._starts[-1]:g}s step-end infinite"
        for name, frames in self._moves.items():
            styles += f".{name}{{animation:{name} {total}}}@keyframes {name}{{{frames}}}"
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" viewBox="0 0 {width} {height}">'
            f"<style>text{{font:{FONT}px {FAMILY};white-space:pre}}{styles}</style>"
            f'<rect width="{width}" height="{height}" rx="8" fill="{self._ground}"/>'
            f'<g transform="translate({MARGIN},{MARGIN})">{body}</g></svg>\n'
        )

    def _versions(self, y: int) -> str:
        """Draw what a row shows in turn."""
        drawn, index = "", 0
        for row, same in groupby(frame.rows[y] if y < len(frame.rows) else () for frame in self._frames):
            until = index + len(list(same))
            name = "" if (index, until) == (0, len(self._frames)) else f' class="{self._between(index, until)}"'
            drawn += f'<g{name} transform="translate(0,{y * LINE})">{self._draw(row)}</g>'
            index = until
        return drawn

    def _between(self, first: int, until: int) -> str:
        """Return the class of what is visible from one frame until another."""
        start, end = (f"{100 * self._starts[index] / self._starts[-1]:.4g}%" for index in (first, until))
        hidden = "0%{visibility:hidden}" if first else ""
        again = f"{end}{{visibility:hidden}}" if until < len(self._frames) else ""
        name = f"k{first}-{until}"
        self._moves[name] = f"{hidden}{start}{{visibility:visible}}{again}"
        return name

    def _draw(self, row: Row) -> str:
        grounds, texts, x = "", "", 0
        for text, color, background, bold, underlined in row:
            width = cell_len(text)
            if background != self._ground:
                box = f"M{x * CELL} 0h{width * CELL}v{LINE}h-{width * CELL}z"
                grounds += f'<path class="{self._class(f"fill:{background}")}" d="{box}"/>'
            shown = text.strip(" ")
            if shown:
                left = x + cell_len(text[: len(text) - len(text.lstrip(" "))])
                style = f"fill:{color}" + ";font-weight:bold" * bold + ";text-decoration:underline" * underlined
                length = f' textLength="{cell_len(shown) * CELL}"'
                texts += (
                    f'<text class="{self._class(style)}" x="{left * CELL}" y="{BASELINE}"'
                    f"{length if cell_len(shown) > 1 else ''}>{escape(shown, quote=False)}</text>"
                )
            x += width
        return grounds + texts

    def _class(self, style: str) -> str:
        return self._styles.setdefault(style, f"s{len(self._styles)}")


def _captioned(frame: Frame) -> Frame:
    """Return a frame with its caption as two more rows."""
    width = sum(cell_len(cells[0]) for cells in frame.rows[0])
    background, color = CAPTION
    blank = ((" " * width, color, background, False, False),)
    words = ((f" {frame.caption}".ljust(width), color, background, True, False),)
    return Frame((*frame.rows, blank, words), frame.seconds)
