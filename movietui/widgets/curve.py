"""The curves of runs: what was lost by epoch, the best epoch marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text
from textual.app import RenderResult
from textual_plotext import PlotextPlot

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

    The picture is made between two frames, not while one is painted: both take long enough to be felt together.
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._picture: RenderResult = Text()
        self._drawn: tuple[Sequence[Drawn], int] = ((), 1)

    def draw_curves(self, runs: Sequence[Drawn], zoom: int = 1) -> None:
        """Draw these runs; of ``zoom`` equal parts of the epochs only the last."""
        if (runs, zoom) == self._drawn:
            return
        self._drawn = (runs, zoom)
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
        self.call_later(self._build)

    def legend(self) -> str:
        """Return what the signs stand for."""
        runs, zoom = self._drawn
        part = f" · last 1/{zoom}" if zoom > 1 else ""
        if len(runs) > 1:
            return "  ".join(f"{SIGNS[place % len(SIGNS)]} {run.name}" for place, run in enumerate(runs)) + part
        best = runs[0].best if runs else None
        return ("⠒⠒ train" + (f"  ▀▀ validation  {BEST} best epoch {best}" if best else "") if runs else "") + part

    def on_resize(self) -> None:
        """Draw in the new size."""
        self._build()

    def _register_theme(self, app_theme_name: str) -> None:
        super()._register_theme(app_theme_name)
        self._build()

    def _build(self) -> None:
        self._picture = super().render()
        self.refresh()

    def render(self) -> RenderResult:
        """Show the picture that was made last."""
        return self._picture


def _line(plot: Any, points: Sequence[tuple[int, float]], marker: str) -> None:
    if points:
        plot.plot(*map(list, zip(*points, strict=True)), marker=marker)
