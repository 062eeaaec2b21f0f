"""The curves of runs: loss by epoch, with the epoch marked that the model is taken from."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any, Literal

from rich.ansi import AnsiDecoder
from rich.segment import Segment
from rich.style import Style
from textual import work
from textual.geometry import Size
from textual.strip import Strip
from textual.style import Style as TextualStyle
from textual.widget import Widget
from textual_plotext import PlotextPlot

from movietui.data.language import tr
from movietui.formatting.run_progress import NO_LOSSES, has_losses, has_stages, has_validation, loss_headings, loss_text
from movietui.formatting.text import longest_fitting
from movietui.protocol.jobs import EpochRow
from movietui.ui.problems import shows_problems
from movietui.ui.textual_internals import set_border, set_plot_size
from movietui.ui.theme import SERIES

SIGNS = "x+o*■□"
"""The signs of several runs, which tell the runs apart without colours. Common fonts have them, unlike braille."""
TRAIN = "·"
USED = "●"
"""The sign of the epoch that the model is taken from, as in the list of epochs."""
BORDER_CELLS = 4
"""How many cells of the width of a pane its border keeps beside the legend."""
X_TITLE, Y_TITLE = tr("epoch"), tr("mse, stars²")

PlotColor = tuple[int, int, int] | int | str
"""A colour as plotext takes it."""


@dataclass(frozen=True)
class CurveLine:
    """The curve of one run."""

    name: str
    epochs: Sequence[EpochRow]
    used: int | None
    """The epoch that the model is taken from, if it is known."""


def lowest(epochs: Sequence[EpochRow]) -> int | None:
    """Return the epoch with the lowest validation loss; ``None`` if no epoch has one."""
    held_out = [(epoch["validation_loss"], epoch["epoch"]) for epoch in epochs if epoch["validation_loss"] is not None]
    return min(held_out)[1] if held_out else None


class Curve(PlotextPlot):
    """Train and validation loss of one run by epoch; of several runs, only validation loss or, without it, train loss.
    A run that has stages instead of epochs is shown as a table, because no line connects its stages.

    A thread renders the picture from the newest data, so that the screen does not stall meanwhile.
    """

    PAUSE_FACTOR = 15
    """While a run trains, the pause before the next picture is this many times as long as rendering took: training
    needs the processor."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._strips: Sequence[Strip] = ()
        self._inputs: tuple[Sequence[CurveLine], int, str] = ((), 1, "")
        self._outdated = False
        """Whether the picture is out of date."""
        self.busy = False
        """Whether a picture is being rendered, or the pause after that has not ended."""
        self._requested = asyncio.Event()
        """Set if a person, not a run in training, waits for the picture."""

    def draw_curves(self, runs: Sequence[CurveLine], zoom: int = 1, instead: str = "") -> None:
        """Draw these runs. If their epochs are divided into ``zoom`` equal parts, draw only the last part.

        ``instead``: the text to show if no run has an epoch.
        """
        before, self._inputs = self._inputs, (runs, zoom, instead)
        if self._inputs != before:
            same_runs = [run.name for run in runs] == [run.name for run in before[0]] and (zoom, instead) == before[1:]
            self._draw_soon(requested=not same_runs)
            self._show_legend()

    def _show_legend(self) -> None:
        """Say on the border of the pane what the signs mean."""
        if isinstance(self.parent, Widget):
            set_border(self.parent, subtitle=longest_fitting(self.size.width - BORDER_CELLS, *self._legends()))

    def _legends(self) -> list[str]:
        """Return wordings of what the signs mean, the longest first."""
        runs, zoom, _ = self._inputs
        if not any(run.epochs for run in runs):
            return [""]
        part = tr(" · last 1/{zoom}", zoom=zoom) if zoom > 1 else ""
        if len(runs) > 1:
            signs = [f"{SIGNS[index % len(SIGNS)]} {run.name}" for index, run in enumerate(_drawn(runs))]
            without = ", ".join(run.name for run in runs if run not in _drawn(runs))
            others = [tr("no curve: {runs}", runs=without)] * bool(without)
            return ["  ".join([*signs, *others]) + part, "  ".join(signs)]
        epochs, used = runs[0].epochs, runs[0].used
        if has_stages(epochs) or not has_losses(epochs):
            return [Y_TITLE * has_losses(epochs)]
        least = lowest(epochs)
        legend = tr("{sign} train", sign=TRAIN * 2) + (tr("  ▀▀ validation") if least else "")
        # The axis has the numbers of the epochs, too.
        short = tr("{sign} train", sign=TRAIN) + (tr("  ▀ validation") if least else "")
        if used:
            short += tr("  {sign} used", sign=USED)
            legend += (
                tr("  {sign} used {used}, lowest {lowest}", sign=USED, used=used, lowest=least)
                if least not in (None, used)
                else tr("  {sign} epoch {epoch} used", sign=USED, epoch=used)
            )
        return [legend + part, short + part, short]

    def on_resize(self) -> None:
        """Draw at the new size."""
        self._show_legend()
        self._draw_soon(requested=True)

    def on_mount(self) -> None:
        """Draw again whenever the theme changes."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self._draw_soon(requested=True))

    def _draw_soon(self, *, requested: bool) -> None:
        self._outdated = True
        if requested:
            self._requested.set()
        if not self.busy and self.size:
            self.busy = True
            self._draw()

    @work(group="curve")
    @shows_problems
    async def _draw(self) -> None:
        """Draw until the picture is up to date."""
        while self._outdated and self.size:
            self._outdated = False
            self._requested.clear()
            began = time.monotonic()
            colors = [self._plot_color(series) for series in SERIES]
            self._strips = await asyncio.to_thread(self._picture, *self._inputs, self.size, self.rich_style, colors)
            self.refresh()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._requested.wait(), self.PAUSE_FACTOR * (time.monotonic() - began))
        self.busy = False

    def _plot_color(self, style: str) -> PlotColor:
        color = (self.visual_style + TextualStyle.parse(style)).rich_style.color
        if color is None or color.is_default:
            return "default"
        return color.number or 0 if color.triplet is None else (*color.triplet,)

    def _picture(
        self,
        runs: Sequence[CurveLine],
        zoom: int,
        instead: str,
        size: Size,
        style: Style,
        colors: Sequence[PlotColor],
    ) -> list[Strip]:
        """Return the picture, a strip for each line. Called in a thread. ``colors``: those of ``SERIES``."""
        if any(run.epochs for run in runs) and not any(has_losses(run.epochs) for run in runs):
            instead = NO_LOSSES
        if instead and not any(has_losses(run.epochs) for run in runs):
            return [Strip([Segment(f" {line}", style)]) for line in ("", *wrap(instead, max(1, size.width - 2)))]
        if len(runs) == 1 and has_stages(runs[0].epochs):
            return [Strip([Segment(f" {line}", style)]) for line in stage_lines(runs[0].epochs)]
        plot = self.plt
        plot.clear_data()
        several, runs = len(runs) > 1, _drawn(runs)
        last = max((run.epochs[-1]["epoch"] for run in runs if run.epochs), default=0)
        first = 1 + last * (zoom - 1) // zoom
        for index, run in enumerate(runs):
            epochs = [epoch for epoch in run.epochs if epoch["epoch"] >= first]
            train, held_out = _points(epochs, "train_loss"), _points(epochs, "validation_loss")
            if not several:
                _line(plot, train, TRAIN, "default")
                _line(plot, held_out, "hd", colors[0])
            else:
                _line(plot, held_out or train, SIGNS[index % len(SIGNS)], colors[index % len(colors)])
            marked = [point for point in held_out or train if point[0] == run.used]
            if marked:
                plot.scatter(*map(list, zip(*marked, strict=True)), marker=USED, color=colors[1])
        plot.xlabel(X_TITLE)
        plot.ylabel(Y_TITLE)
        every = max(1, -(-(last - first + 1) // 8))
        plot.xticks(list(range(first, last + 1, every)))
        set_plot_size(self, size)
        plot.theme("clear")  # the colours of the app
        lines = AnsiDecoder().decode(plot.build())
        return [Strip(Segment.apply_style(line.render(self.app.console, end=""), style)) for line in lines]

    def render_line(self, y: int) -> Strip:
        """Show a line of the last picture."""
        width = self.size.width
        return (self._strips[y] if y < len(self._strips) else Strip([])).adjust_cell_length(width, self.rich_style)


def _drawn(runs: Sequence[CurveLine]) -> list[CurveLine]:
    """Return the runs that have a curve: those with epochs, if these have losses."""
    return [run for run in runs if not has_stages(run.epochs) and has_losses(run.epochs)]


def stage_lines(epochs: Sequence[EpochRow]) -> list[str]:
    """Return the stages of a curve with their losses, a line for each.

    >>> stage_lines([{"epoch": 1, "train_loss": 0.77, "validation_loss": None, "stage": "bayes"}])
    ['stage        held out', 'bayes          0.7700']
    """
    rows = [(*map(tr, loss_headings(epochs)), tr("validation"))]
    rows += [
        (epoch.get("stage", ""), loss_text(epoch["train_loss"]), loss_text(epoch["validation_loss"]))
        for epoch in epochs
    ]
    validated = has_validation(epochs)
    return [f"{name:11}{first:>10}" + (f"{second:>12}" if validated else "") for name, first, second in rows]


def _points(epochs: Sequence[EpochRow], loss: Literal["train_loss", "validation_loss"]) -> list[tuple[int, float]]:
    """Return the epochs that have a loss, with it."""
    return [(epoch["epoch"], value) for epoch in epochs if (value := epoch[loss]) is not None]


def _line(plot: Any, points: Sequence[tuple[int, float]], marker: str, color: PlotColor) -> None:
    if points:
        plot.plot(*map(list, zip(*points, strict=True)), marker=marker, color=color)
