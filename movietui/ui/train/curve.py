"""The curves of runs: what was lost by epoch, the best epoch marked."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from rich.ansi import AnsiDecoder
from rich.segment import Segment
from rich.style import Style
from textual import work
from textual.geometry import Size
from textual.strip import Strip
from textual_plotext import PlotextPlot

from movietui.widgets.told import told

SIGNS = "●x+◆o*"
"""Of several runs, each has one of its own, so that nobody needs colours to tell them apart."""
BEST = "★"


@dataclass(frozen=True)
class Drawn:
    """What is drawn of a run."""

    name: str
    epochs: Sequence[dict[str, Any]]
    best: int | None


def best_of(epochs: Sequence[dict[str, Any]]) -> int | None:
    """Return the epoch with the lowest validation loss."""
    held_out = [(epoch["validation_loss"], epoch["epoch"]) for epoch in epochs if epoch["validation_loss"] is not None]
    return min(held_out)[1] if held_out else None


class Curve(PlotextPlot):
    """Train and validation loss of a run by epoch, or what several lost on their validation part.

    The picture is made in a thread, the newest one next: a screen that waits for it is felt to stand still.
    """

    RESTS = 15
    """How many times as long as a picture took a training waits for the next: it has better use for a processor."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._strips: Sequence[Strip] = ()
        self._drawn: tuple[Sequence[Drawn], int, str] = ((), 1, "")
        self._stale = False
        """Whether something else is to be drawn than there is."""
        self.drawing = False
        """Whether the picture is made, or nothing is drawn for a while after it was."""
        self._asked = asyncio.Event()
        """Set where a person waits for the picture, not a training."""

    def draw_curves(self, runs: Sequence[Drawn], zoom: int = 1, instead: str = "") -> None:
        """Draw these runs; of ``zoom`` equal parts of the epochs only the last.

        ``instead`` is what stands there where none of them has an epoch.
        """
        before, self._drawn = self._drawn, (runs, zoom, instead)
        if self._drawn != before:
            further = [run.name for run in runs] == [run.name for run in before[0]] and (zoom, instead) == before[1:]
            self._draw_soon(asked=not further)

    def legend(self) -> str:
        """Return what the signs stand for."""
        runs, zoom, _ = self._drawn
        if not any(run.epochs for run in runs):
            return ""
        part = f" · last 1/{zoom}" if zoom > 1 else ""
        if len(runs) > 1:
            return "  ".join(f"{SIGNS[place % len(SIGNS)]} {run.name}" for place, run in enumerate(runs)) + part
        best = runs[0].best
        return "⠒⠒ train" + (f"  ▀▀ validation  {BEST} best epoch {best}" if best else "") + part

    def on_resize(self) -> None:
        """Draw in the new size."""
        self._draw_soon(asked=True)

    def _register_theme(self, app_theme_name: str) -> None:
        super()._register_theme(app_theme_name)
        self._draw_soon(asked=True)

    def _draw_soon(self, *, asked: bool) -> None:
        self._stale = True
        if asked:
            self._asked.set()
        if not self.drawing and self.size:
            self.drawing = True
            self._draw()

    @work(group="curve")
    @told
    async def _draw(self) -> None:
        """Draw until the picture shows the newest."""
        while self._stale:
            self._stale = False
            self._asked.clear()
            began = time.monotonic()
            self._strips = await asyncio.to_thread(self._picture, *self._drawn, self.size, self.rich_style)
            self.refresh()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), self.RESTS * (time.monotonic() - began))
        self.drawing = False

    def _picture(self, runs: Sequence[Drawn], zoom: int, instead: str, size: Size, style: Style) -> list[Strip]:
        """Make the picture, a strip for each of its lines. In a thread."""
        if instead and not any(run.epochs for run in runs):
            return [Strip([Segment(f" {line}", style)]) for line in ("", *wrap(instead, max(1, size.width - 2)))]
        plot = self.plt
        plot.clear_data()
        last = max((run.epochs[-1]["epoch"] for run in runs if run.epochs), default=0)
        first = 1 + last * (zoom - 1) // zoom
        for place, run in enumerate(runs):
            epochs = [epoch for epoch in run.epochs if epoch["epoch"] >= first]
            train = [(epoch["epoch"], epoch["train_loss"]) for epoch in epochs]
            held_out = [
                (epoch["epoch"], epoch["validation_loss"]) for epoch in epochs if epoch["validation_loss"] is not None
            ]
            if len(runs) == 1:
                _line(plot, train, "braille")
                _line(plot, held_out, "hd")
            else:
                _line(plot, held_out or train, SIGNS[place % len(SIGNS)])
            marked = [point for point in held_out if point[0] == run.best]
            if marked:
                plot.scatter(*map(list, zip(*marked, strict=True)), marker=BEST)
        every = max(1, -(-(last - first + 1) // 8))
        plot.xticks(list(range(first, last + 1, every)))
        plot.plotsize(*size)
        plot._set_size(*size)  # without it a plot keeps the size that it had
        plot.theme(self._get_plotext_theme_name(self.app.theme))
        lines = AnsiDecoder().decode(plot.build())
        return [Strip(Segment.apply_style(line.render(self.app.console, end=""), style)) for line in lines]

    def render_line(self, y: int) -> Strip:
        """Show a line of the picture that was made last."""
        width = self.size.width
        return (self._strips[y] if y < len(self._strips) else Strip([])).adjust_cell_length(width, self.rich_style)


def _line(plot: Any, points: Sequence[tuple[int, float]], marker: str) -> None:
    if points:
        plot.plot(*map(list, zip(*points, strict=True)), marker=marker)
