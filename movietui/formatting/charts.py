"""Charts as SVG files: the curves of runs, and the figures of models with intervals."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from movietui.data.language import tr
from movietui.formatting.escaping import xml
from movietui.formatting.run_progress import has_stages

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Colours that people with colour-blindness can tell apart (Okabe and Ito 2008)."""
WIDTH, PLOT_HEIGHT = 720, 320
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 40, 50
"""The margins around the plot, in pixels."""
LINE = 18
"""The height of a line of text, and of an entry in the legend."""
ROW = 26
"""The height of a model's row in a chart of figures."""


@dataclass(frozen=True)
class Line:
    """A line of a chart."""

    name: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False


@dataclass(frozen=True)
class Figure:
    """A model's figure in a chart."""

    name: str
    value: float
    reach: float = 0.0
    """The length of the interval on each side of the value; 0 without an interval."""


@dataclass(frozen=True)
class Scale:
    """Maps values to pixels."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the pixel of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return at most ``most`` round numbers from ``low`` to ``high``, in steps of 1, 2 or 5 times a power of ten.

    >>> ticks(0.83, 1.12)
    [0.85, 0.9, 0.95, 1.0, 1.05, 1.1]
    """
    exact = max(high - low, 1e-9) / most
    power = 10.0 ** math.floor(math.log10(exact))
    step = next(each for each in (power, 2 * power, 5 * power, 10 * power) if each >= exact * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    digits = max(0, -math.floor(math.log10(step)))
    return [round(number * step, digits) for number in range(first, math.floor(high / step + 1e-9) + 1)][:most]


def curves(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the curves of runs as SVG: their train losses (dashed) and validation losses, by epoch.

    Runs with stages instead of epochs are left out, because no line connects stages. ``rows``: from ``Runs.whole``.
    """
    lines: list[list[Line]] = []
    for row in rows:
        if has_stages(row["curve"]):
            continue
        name = tr("run {run}, {model} on {dataset}", run=row["run"], model=row["model"], dataset=row["dataset"])
        parts = [
            ("validation_loss", tr("{run}: validation", run=name), False),
            ("train_loss", tr("{run}: train", run=name), True),
        ]
        points = {
            loss: [(epoch["epoch"], epoch[loss]) for epoch in row["curve"] if epoch[loss] is not None]
            for loss, _, _ in parts
        }
        lines.append([Line(label, points[loss], dashed) for loss, label, dashed in parts if points[loss]])
    return line_chart(
        tr("Loss by epoch"), tr("epoch"), tr("mean squared error (stars²)"), [each for each in lines if each]
    )


def line_chart(title: str, across: str, up: str, groups: Sequence[Sequence[Line]]) -> str:
    """Return lines as SVG, in a colour for each group. The horizontal axis is for whole numbers.

    ``across`` and ``up``: the titles of the axes.
    """
    lines = [line for group in groups for line in group]
    points = [point for line in lines for point in line.points]
    height = TOP + PLOT_HEIGHT + BOTTOM + LINE * len(lines)
    parts = [_text(WIDTH / 2, 22, title, "middle", "bold")]
    if not points:
        parts.append(_text(WIDTH / 2, TOP + PLOT_HEIGHT / 2, tr("There are no curves."), "middle"))
        return _svg(height, parts)
    (left, right), (low, high) = (_range(values) for values in zip(*points, strict=True))
    x = Scale(left, right, LEFT, WIDTH - RIGHT)
    y = Scale(low, high, TOP + PLOT_HEIGHT, TOP)
    for tick in ticks(low, high):
        parts += [
            _line(LEFT, y(tick), WIDTH - RIGHT, y(tick), "#ddd"),
            _text(LEFT - 6, y(tick) + 4, f"{tick:g}", "end"),
        ]
    for tick in filter(float.is_integer, ticks(left, right, 10)):
        parts.append(_text(x(tick), TOP + PLOT_HEIGHT + LINE, f"{tick:g}", "middle"))
    parts += _axes(PLOT_HEIGHT)
    parts += [_text((LEFT + WIDTH - RIGHT) / 2, TOP + PLOT_HEIGHT + 38, across, "middle"), _up(up)]
    below = TOP + PLOT_HEIGHT + BOTTOM
    for group, colour in zip(groups, _repeated(COLOURS, len(groups)), strict=True):
        for line in group:
            style = f'stroke="{colour}" stroke-width="2" fill="none"' + ' stroke-dasharray="5 4"' * line.dashed
            drawn = " ".join(f"{x(across):.1f},{y(up):.1f}" for across, up in line.points)
            parts += [
                f'<polyline points="{drawn}" {style}/>'
                if len(line.points) > 1
                else f'<circle cx="{drawn.split(",")[0]}" cy="{drawn.split(",")[1]}" r="3" fill="{colour}"/>',
                f'<polyline points="{LEFT},{below + 5} {LEFT + 30},{below + 5}" {style}/>',
                _text(LEFT + 38, below + 9, line.name),
            ]
            below += LINE
    return _svg(height, parts)


def figure_chart(title: str, across: str, groups: Mapping[str, Sequence[Figure]]) -> str:
    """Return figures as SVG: a group of rows for each split, with a point and an interval for each model.

    ``across``: the title of the axis, which also says what the intervals are.
    """
    ends = [figure.value + sign * figure.reach for group in groups.values() for figure in group for sign in (-1, 1)]
    if not ends:
        return _svg(TOP + BOTTOM, [_text(WIDTH / 2, TOP, tr("There are no figures."), "middle")])
    rows = sum(1 + len(group) for group in groups.values())
    left, plot_height = 180, ROW * rows
    low, high = _range(ends)
    x = Scale(low, high, left, WIDTH - RIGHT)
    parts = [_text(WIDTH / 2, 22, title, "middle", "bold")]
    for tick in ticks(low, high):
        parts += [
            _line(x(tick), TOP, x(tick), TOP + plot_height, "#ddd"),
            _text(x(tick), TOP + plot_height + LINE, f"{tick:g}", "middle"),
        ]
    parts.append(_text((left + WIDTH - RIGHT) / 2, TOP + plot_height + 38, across, "middle"))
    y = TOP + ROW / 2
    for name, group in groups.items():
        parts.append(_text(8, y + 4, name, weight="bold"))
        y += ROW
        for figure, colour in zip(group, _repeated(COLOURS, len(group)), strict=True):
            parts += [
                _text(left - 10, y + 4, figure.name, "end"),
                _line(x(figure.value - figure.reach), y, x(figure.value + figure.reach), y, colour, 2),
                f'<circle cx="{x(figure.value):.1f}" cy="{y:.1f}" r="4.5" fill="{colour}"/>',
            ]
            y += ROW
    return _svg(TOP + plot_height + BOTTOM, parts)


def _range(values: Iterable[float]) -> tuple[float, float]:
    """Return the lowest and the highest value, with some room on both sides."""
    values = list(values)
    low, high = min(values), max(values)
    room = (high - low) * 0.03 or abs(high) * 0.1 or 1.0
    return low - room, high + room


def _repeated(values: Sequence[str], count: int) -> list[str]:
    return [values[index % len(values)] for index in range(count)]


def _svg(height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}" '
        f'viewBox="0 0 {WIDTH} {height:.0f}" font-family="sans-serif" font-size="12">\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n' + "".join(f"{part}\n" for part in parts) + "</svg>\n"
    )


def _text(x: float, y: float, words: str, anchor: str = "start", weight: str = "normal") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}">{xml(words)}</text>'


def _up(words: str) -> str:
    """Return the title of the vertical axis."""
    middle = TOP + PLOT_HEIGHT / 2
    turned = f'x="16" y="{middle:.1f}" text-anchor="middle" transform="rotate(-90 16 {middle:.1f})"'
    return f"<text {turned}>{xml(words)}</text>"


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: int = 1) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>'


def _axes(height: float) -> list[str]:
    return [
        _line(LEFT, TOP, LEFT, TOP + height, "#444"),
        _line(LEFT, TOP + height, WIDTH - RIGHT, TOP + height, "#444"),
    ]
