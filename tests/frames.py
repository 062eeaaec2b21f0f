"""Draws what the app shows as a small SVG: a picture of one moment, or an animation of several.

``App.export_screenshot`` names fonts on the web, and needs three times the space. Here, the text of each run of cells
is spaced to its width, so that it fits with whatever monospaced font the reader has.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
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


Placed = tuple[int, Cells]
"""A run of cells, and the column at which it begins."""


class _Drawing:
    """An SVG in the making. Cells that are the same in several frames are drawn once."""

    def __init__(self, frames: Sequence[Frame]) -> None:
        captions = any(frame.caption for frame in frames)
        self._frames = [_captioned(frame) for frame in frames] if captions else list(frames)
        self._styles: dict[str, str] = {}
        """The names of the classes by their styles."""
        self._moves: dict[tuple[int, ...], str] = {}
        """The names of the classes and of the key frames of what is visible, by the frames in which it is."""
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
        for visible, name in self._moves.items():
            styles += f".{name}{{animation:{name} {total}}}@keyframes {name}{{{self._key_frames(visible)}}}"
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" viewBox="0 0 {width} {height}">'
            f"<style>text{{font:{FONT}px {FAMILY};white-space:pre}}{styles}</style>"
            f'<rect width="{width}" height="{height}" rx="8" fill="{self._ground}"/>'
            f'<g transform="translate({MARGIN},{MARGIN})">{body}</g></svg>\n'
        )

    def _versions(self, y: int) -> str:
        """Draw what a row shows in turn."""
        visible: dict[Placed, list[int]] = {}
        for index, frame in enumerate(self._frames):
            for placed in _placed(frame.rows[y]) if y < len(frame.rows) else ():
                visible.setdefault(placed, []).append(index)
        together: dict[tuple[int, ...], list[Placed]] = {}
        for placed, frames in visible.items():
            together.setdefault(tuple(frames), []).append(placed)
        drawn = ""
        for frames_of, cells in together.items():
            name = "" if len(frames_of) == len(self._frames) else f' class="{self._visible_in(frames_of)}"'
            if (shapes := self._draw(cells)) or not name:
                drawn += f'<g{name} transform="translate(0,{y * LINE + BASELINE})">{shapes}</g>'
        return drawn

    def _visible_in(self, frames: tuple[int, ...]) -> str:
        """Return the class of what is visible in these frames only."""
        return self._moves.setdefault(frames, f"k{len(self._moves)}")

    def _key_frames(self, frames: tuple[int, ...]) -> str:
        """Return when something becomes visible or hidden; at the start, everything is visible."""
        moves, before = "", True
        for index, start in enumerate(self._starts[:-1]):
            if (now := index in frames) != before:
                share = f"{100 * start / self._starts[-1]:.4g}%"
                moves += f"{share}{{visibility:{'visible' if now else 'hidden'}}}"
            before = now
        return moves

    def _draw(self, placed: Sequence[Placed]) -> str:
        grounds, texts = "", ""
        for x, (text, color, background, bold, underlined) in placed:
            width = cell_len(text)
            if background != self._ground:
                box = f"M{x * CELL} {-BASELINE}h{width * CELL}v{LINE}h-{width * CELL}z"
                grounds += f'<path class="{self._class(f"fill:{background}")}" d="{box}"/>'
            shown = text.strip(" ")
            if shown:
                left = x + cell_len(text[: len(text) - len(text.lstrip(" "))])
                style = f"fill:{color}" + ";font-weight:bold" * bold + ";text-decoration:underline" * underlined
                length = f' textLength="{cell_len(shown) * CELL}"'
                texts += (
                    f'<text class="{self._class(style)}" x="{left * CELL}"'
                    f"{length if cell_len(shown) > 1 else ''}>{escape(shown, quote=False)}</text>"
                )
        return grounds + texts

    def _class(self, style: str) -> str:
        return self._styles.setdefault(style, f"s{len(self._styles)}")


def _placed(row: Row) -> Iterator[Placed]:
    """Yield the runs of a row with their columns."""
    x = 0
    for cells in row:
        yield x, cells
        x += cell_len(cells[0])


def _captioned(frame: Frame) -> Frame:
    """Return a frame with its caption as two more rows."""
    width = sum(cell_len(cells[0]) for cells in frame.rows[0])
    background, color = CAPTION
    blank = ((" " * width, color, background, False, False),)
    words = ((f" {frame.caption}".ljust(width), color, background, True, False),)
    return Frame((*frame.rows, blank, words), frame.seconds)
