"""A sweep as it is typed, awaited and read: which combinations, how long they take, what each value does.

Without a screen and without a model: ``tasks.sweep`` measures.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from data.problems import Problem
from movietui.replies import FieldRow
from movietui.run_records import Run

MOST = 10_000
"""Combinations, as ``models.sweep`` has it."""
JUDGED_BY = "rmse"
"""The best is the one with the least, on the validation part."""


@dataclass(frozen=True)
class Sweep:
    """What was asked for, and what is known of it so far."""

    model: str
    dataset: str
    split: str
    grid: Mapping[str, Sequence[str]]
    rows: Sequence[Mapping[str, Any]] = ()
    """As ``sweep --json`` prints them, in the order in which they were measured until it is done."""
    state: str = "running"
    """``running``, ``done`` or ``stopped``."""
    problem: str = ""
    """What stopped it, where nobody did."""

    @property
    def combinations(self) -> int:
        """How many there are."""
        return combinations(self.grid)

    @property
    def seconds_left(self) -> float | None:
        """From those that are measured; the best is fitted once more, for its figures on test."""
        if not self.rows:
            return None
        return fmean(row["seconds"]["fit"] for row in self.rows) * (self.combinations - len(self.rows) + 1)

    @property
    def best(self) -> Mapping[str, Any] | None:
        """The best so far."""
        return min(self.rows, key=lambda row: float(row["metrics"][JUDGED_BY]), default=None)


@dataclass(frozen=True)
class Response:
    """What a value of a field does to the metric, over all combinations that have it."""

    field: str
    value: str
    best: float
    mean: float


def combinations(grid: Mapping[str, Sequence[str]]) -> int:
    """Return how many combinations a grid has."""
    return math.prod(map(len, grid.values()))


def values_of(typed: str, field: FieldRow) -> list[str]:
    """Return the values that were typed for a field, as ``8,16,32``, each once.

    Raises ``Problem`` where one is none, or out of the field's range.
    """
    values = list(dict.fromkeys(value.strip() for value in typed.split(",") if value.strip()))
    name, whole = field["name"], field["kind"] != "float"
    if not values:
        raise Problem(f"{name} has no value; its default is {field['default']:g}.")
    for value in values:
        try:
            number = int(value) if whole else float(value)
        except ValueError:
            raise Problem(f"{name}: {value} is not {'a whole number' if whole else 'a number'}.") from None
        if not field["low"] <= number <= field["high"]:
            raise Problem(f"{name}: {value} is out of range, {field['low']:g} to {field['high']:g}.")
    return values


def grid_of(typed: Mapping[str, str], fields: Sequence[FieldRow]) -> dict[str, list[str]]:
    """Return the grid that was typed: what has several values, or another one than the default.

    Raises ``Problem`` where a value is none, where nothing is varied, and for too many combinations.
    """
    grid = {field["name"]: values_of(typed[field["name"]], field) for field in fields}
    defaults = {field["name"]: float(field["default"]) for field in fields}
    grid = {name: values for name, values in grid.items() if len(values) > 1 or float(values[0]) != defaults[name]}
    if not varied(grid):
        raise Problem("Give a field several values, such as 8,16,32.")
    if combinations(grid) > MOST:
        raise Problem(f"These are {combinations(grid):,} combinations, more than {MOST:,}; name fewer values.")
    return grid


def varied(grid: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the fields that have several values."""
    return [name for name, values in grid.items() if len(values) > 1]


def seconds_of_fit(runs: Iterable[Run], model: str, dataset: str) -> float | None:
    """Return how long such a model takes to learn, by the runs that are done; ``None`` where none is.

    A run learns for the curve, to be measured, and once more from all ratings unless it was asked for a split.
    """
    each = [
        run.seconds / (2 if run.request.get("split") else 3)
        for run in runs
        if run.state == "done" and run.seconds and (run.model, run.dataset) == (model, dataset)
    ]
    return median(each) if each else None


def responses(sweep: Sweep) -> list[Response]:
    """Return what each value of each varied field did so far; values that were not measured yet are left out."""
    found = []
    for name in varied(sweep.grid):
        for value in sweep.grid[name]:
            measured = [float(row["metrics"][JUDGED_BY]) for row in sweep.rows if row["grid"][name] == value]
            if measured:
                found.append(Response(name, value, min(measured), fmean(measured)))
    return found
