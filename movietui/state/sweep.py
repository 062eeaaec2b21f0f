"""A sweep without its screen: its combinations, how long they take, and the effect of each value.

``movietui.jobs.sweep`` measures the combinations.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from movietui.data.problems import Problem
from movietui.models.choices import MOST_COMBINATIONS, SWEEP_METRIC
from movietui.protocol.jobs import SweepRow
from movietui.protocol.messages import FieldRow
from movietui.store.run_records import Run


@dataclass(frozen=True)
class Sweep:
    """A sweep and its results so far."""

    model: str
    dataset: str
    split: str
    grid: Mapping[str, Sequence[str]]
    rows: Sequence[SweepRow] = ()
    """As ``sweep --json`` prints them; until the sweep is done, in the order in which they were measured."""
    state: str = "running"
    """``running``, ``done`` or ``stopped``."""
    problem: str = ""
    """Why the sweep stopped; empty if the user stopped it."""

    @property
    def combinations(self) -> int:
        """The number of combinations."""
        return combinations(self.grid)

    @property
    def seconds_left(self) -> float | None:
        """How many seconds are left, estimated from the fits so far; ``None`` before the first result.

        Once all combinations are measured, the best is fitted again, to measure it on the test part.
        """
        if not self.rows:
            return None
        return fmean(row["seconds"]["fit"] for row in self.rows) * (self.combinations - len(self.rows) + 1)

    @property
    def best(self) -> SweepRow | None:
        """The best combination so far."""
        return min(self.rows, key=lambda row: float(row["metrics"][SWEEP_METRIC]), default=None)


@dataclass(frozen=True)
class Response:
    """The effect of a field's value on ``SWEEP_METRIC``, over all measured combinations with that value."""

    field: str
    value: str
    best: float
    mean: float


def combinations(grid: Mapping[str, Sequence[str]]) -> int:
    """Return how many combinations a grid has."""
    return math.prod(map(len, grid.values()))


def values_of(typed: str, field: FieldRow) -> list[str]:
    """Return the values that were typed for a field, such as ``8,16,32``, each once.

    Raises ``Problem`` if there is no value, or if a value is not a number or is out of the field's range.
    """
    values = list(dict.fromkeys(value.strip() for value in typed.split(",") if value.strip()))
    name, whole = field["name"], field["kind"] != "float"
    if not values:
        raise Problem(f"{name} needs a value; its default is {field['default']:g}.")
    for value in values:
        try:
            number = int(value) if whole else float(value)
        except ValueError:
            raise Problem(f"{name}: {value} is not {'a whole number' if whole else 'a number'}.") from None
        if not field["low"] <= number <= field["high"]:
            raise Problem(f"{name}: {value} is out of range, {field['low']:g} to {field['high']:g}.")
    return values


def grid_of(typed: Mapping[str, str], fields: Sequence[FieldRow]) -> dict[str, list[str]]:
    """Return the typed grid: the fields that have several values, or one value that is not the default.

    Raises ``Problem`` for an invalid value, for too many combinations, or if no field has several values.
    """
    grid = {field["name"]: values_of(typed[field["name"]], field) for field in fields}
    defaults = {field["name"]: float(field["default"]) for field in fields}
    grid = {name: values for name, values in grid.items() if len(values) > 1 or float(values[0]) != defaults[name]}
    if not varied(grid):
        raise Problem("Give at least one field several values, such as 8,16,32.")
    if combinations(grid) > MOST_COMBINATIONS:
        raise Problem(
            f"That makes {combinations(grid):,} combinations, more than {MOST_COMBINATIONS:,}; give fewer values."
        )
    return grid


def varied(grid: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the fields that have several values."""
    return [name for name, values in grid.items() if len(values) > 1]


def seconds_of_fit(runs: Iterable[Run], model: str, dataset: str) -> float | None:
    """Return the median seconds of a fit in the finished runs of a model on a dataset; ``None`` if there are none.

    Assumes that each run fitted the model for its curve, for its metrics and, unless a split was requested, on all
    ratings. A run on a very large dataset makes only one fit, so there the result is too low.
    """
    each = [
        run.seconds / (2 if run.request.get("split") else 3)
        for run in runs
        if run.state == "done" and run.seconds and (run.model, run.dataset) == (model, dataset)
    ]
    return median(each) if each else None


def responses(sweep: Sweep) -> list[Response]:
    """Return the effect of each value of each varied field, as far as it was measured."""
    rows = []
    for name in varied(sweep.grid):
        for value in sweep.grid[name]:
            measured = [float(row["metrics"][SWEEP_METRIC]) for row in sweep.rows if row["grid"][name] == value]
            if measured:
                rows.append(Response(name, value, min(measured), fmean(measured)))
    return rows
