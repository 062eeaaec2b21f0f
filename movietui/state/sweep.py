"""A sweep without its screen: what it tries, how long that takes, and the effect of each setting.

``movietui.jobs.sweep`` measures what it tries.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from statistics import fmean, median

from movietui.data.language import tr
from movietui.data.near_names import no_such
from movietui.data.problems import Problem
from movietui.formatting.settings import YES_NO, comparable, setting_text
from movietui.models.choices import (
    MOST_COMBINATIONS,
    NEEDS_OPTUNA,
    SEARCHES,
    Sampler,
    higher_is_better,
    phases,
    sweep_metrics,
    sweep_task,
)
from movietui.protocol.jobs import SweepRow
from movietui.protocol.messages import FieldRow
from movietui.store.run_records import Run
from movietui.store.sweeps import order_of

TO = ".."
"""Between the ends of a range, from which a search draws values."""
PARTS = 4
"""How many groups of equal size the drawn values of a setting are divided into, to show their effect."""


@dataclass(frozen=True)
class Sweep:
    """A sweep and its results so far."""

    model: str
    dataset: str
    split: str
    grid: Mapping[str, Sequence[str]]
    metric: str
    """What the settings are chosen by."""
    sampler: Sampler = "grid"
    tries: int | None = None
    """How many combinations a search tries; ``None`` with the sampler ``grid``, which tries all."""
    rows: Sequence[SweepRow] = ()
    """As ``sweep --json`` prints them; until the sweep is done, in the order in which they were measured."""
    state: str = "running"
    """``running``, ``done`` or ``stopped``."""
    problem: str = ""
    """Why the sweep stopped; empty if the user stopped it."""

    @property
    def combinations(self) -> int:
        """The number of combinations to try."""
        return self.tries or combinations(self.grid)

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
        first = min(self.rows, key=lambda row: order_of(row, self.metric), default=None)
        return first if first is not None and self.metric in first["metrics"] else None


@dataclass(frozen=True)
class Response:
    """The metric of all measured combinations that have a value of a setting, or one of a range of values."""

    value: str
    best: float
    mean: float


@dataclass(frozen=True)
class Effect:
    """The effect of a setting on the metric."""

    setting: str
    importance: float | None
    """The share of the variance of the metric that the setting explains alone, 0 to 1, corrected for the number of its
    values (epsilon squared; Kelley 1935); ``None`` if too little was measured."""
    responses: Sequence[Response]


def combinations(grid: Mapping[str, Sequence[str]]) -> int:
    """Return how many combinations a grid has."""
    return math.prod(map(len, grid.values()))


def metric_of(typed: str) -> str:
    """Return the metric that was typed. Raises ``Problem`` if settings cannot be chosen by it."""
    metric = typed.strip()
    if sweep_task(metric) is None:
        raise no_such(
            tr("Settings cannot be chosen by {metric!r}", metric=metric),
            metric,
            sweep_metrics(),
            tr("type rmse or ndcg@10, for example."),
        )
    return metric


def tries_of(typed: str) -> int | None:
    """Return the number of combinations that a search should try; ``None`` if nothing was typed.

    Raises ``Problem`` for anything other than a number from 1 to ``MOST_COMBINATIONS``.
    """
    words = typed.strip()
    if not words:
        return None
    if not words.isdecimal() or not 1 <= int(words[:9]) <= MOST_COMBINATIONS:
        raise Problem(
            tr(
                "search: {typed} is not a number of combinations, 1 to {most:,}.",
                typed=words,
                most=MOST_COMBINATIONS,
            )
        )
    return int(words)


def sampler_of(typed: str, tries: int | None) -> Sampler:
    """Return the sampler that was typed; without ``tries``, all combinations are tried.

    Raises ``Problem`` for a name that is not a sampler, and for one whose package is not installed.
    """
    name = typed.strip() or SEARCHES[0]
    for sampler in SEARCHES:
        if name == sampler:
            if sampler == "tpe" and find_spec("optuna") is None:
                raise Problem(NEEDS_OPTUNA)
            return sampler if tries else "grid"
    names = tr(" or ").join(SEARCHES)
    raise no_such(tr("There is no sampler {name!r}", name=name), name, SEARCHES, tr("type {names}.", names=names))


def values_of(typed: str, field: FieldRow, *, search: bool = False) -> list[str]:
    """Return the values that were typed for a field, such as ``8,16,32``, each once; a ``search`` may have a range.

    Raises ``Problem`` if there is no value, or if a value is not a number or is out of the field's range.
    """
    values = list(dict.fromkeys(value.strip() for value in typed.split(",") if value.strip()))
    name, whole = field["name"], field["kind"] != "float"
    if not values:
        default = setting_text(field["kind"], field["default"])
        raise Problem(tr("{setting} needs a value; its default is {default}.", setting=name, default=default))
    if field["kind"] == "bool":
        if wrong := [value for value in values if value not in YES_NO.values()]:
            raise Problem(tr("{setting}: {value} is neither yes nor no.", setting=name, value=wrong[0]))
        return values
    ends = values[0].split(TO) if search and len(values) == 1 else []
    for value in ends if len(ends) == 2 else values:
        try:
            number = int(value) if whole else float(value)
        except ValueError:
            kind = tr("a whole number") if whole else tr("a number")
            raise Problem(tr("{setting}: {value} is not {kind}.", setting=name, value=value, kind=kind)) from None
        if not field["low"] <= number <= field["high"]:
            raise Problem(
                tr(
                    "{setting}: {value} is out of range, {low:g} to {high:g}.",
                    setting=name,
                    value=value,
                    low=field["low"],
                    high=field["high"],
                )
            )
    return values


def grid_of(typed: Mapping[str, str], fields: Sequence[FieldRow], *, search: bool = False) -> dict[str, list[str]]:
    """Return the typed grid: the fields that have several values, a range, or one value that is not the default.

    For a ``search``, it is empty if no field has several values; the search then tries values around the defaults.
    Raises ``Problem`` for an invalid value and, unless it is a search, for too many combinations, or if no field has
    several values.
    """
    grid = {field["name"]: values_of(typed[field["name"]], field, search=search) for field in fields}
    defaults = {field["name"]: setting_text(field["kind"], field["default"]) for field in fields}
    grid = {
        name: values
        for name, values in grid.items()
        if len(values) > 1 or TO in values[0] or comparable(values[0]) != comparable(defaults[name])
    }
    if search:
        return grid if varied(grid) else {}
    if not varied(grid):
        raise Problem(tr("Give at least one field several values, such as 8,16,32."))
    if combinations(grid) > MOST_COMBINATIONS:
        raise Problem(
            tr(
                "That makes {count:,} combinations, more than {most:,}; give fewer values.",
                count=combinations(grid),
                most=MOST_COMBINATIONS,
            )
        )
    return grid


def varied(grid: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the names of the fields that have several values or a range."""
    return [name for name, values in grid.items() if len(values) > 1 or TO in values[0]]


def seconds_of_fit(runs: Iterable[Run], model: str, dataset: str, ratings: int) -> float | None:
    """Return the median seconds of a fit in the finished runs of a model on a dataset; ``None`` if there are none.

    ``ratings``: how many ratings the dataset has.
    """
    each = [
        run.seconds / sum(phases(model, ratings, refit_all=not run.request.get("split")).values())
        for run in runs
        if run.kind == "training" and (run.model, run.dataset, run.state) == (model, dataset, "done") and run.seconds
    ]
    return median(each) if each else None


def effects(sweep: Sweep) -> list[Effect]:
    """Return the effect of each setting that was varied, as far as it was measured, the most important first."""
    measured = [row for row in sweep.rows if sweep.metric in row["metrics"]]
    names = list(measured[0]["grid"]) if measured else []
    each = [_effect(name, measured, sweep) for name in names if len({row["grid"][name] for row in measured}) > 1]
    return sorted(each, key=lambda effect: -(effect.importance or 0.0))


def _effect(name: str, rows: Sequence[SweepRow], sweep: Sweep) -> Effect:
    better = max if higher_is_better(sweep.metric) else min
    groups = {
        label: [float(row["metrics"][sweep.metric]) for row in rows if row["grid"][name] in values]
        for label, values in _groups(name, rows, sweep).items()
    }
    responses = [Response(label, better(values), fmean(values)) for label, values in groups.items() if values]
    return Effect(name, _importance([values for values in groups.values() if values]), responses)


def _groups(name: str, rows: Sequence[SweepRow], sweep: Sweep) -> Mapping[str, Sequence[str]]:
    """Return the values of a setting whose effect is shown together, by what they are called.

    Values that were typed are shown one by one. Drawn ones are sorted, and divided into ``PARTS`` of equal size.
    """
    typed = sweep.grid.get(name, ())
    tried = {row["grid"][name] for row in rows}
    if len(typed) > 1:
        return {value: [value] for value in typed if value in tried}
    if len(tried) <= PARTS:
        return {value: [value] for value in sorted(tried)}
    drawn = sorted(tried, key=float)
    ends = [round(part * len(drawn) / PARTS) for part in range(PARTS + 1)]
    return {f"{drawn[low]}…": drawn[low:high] for low, high in pairwise(ends)}


def _importance(groups: Sequence[Sequence[float]]) -> float | None:
    """Return the share of the variance that the groups explain; see ``Effect.importance``."""
    values = [value for group in groups for value in group]
    free = len(values) - len(groups)
    mean = fmean(values)
    total = math.fsum((value - mean) ** 2 for value in values)
    if free <= 0 or not total:
        return None
    within = math.fsum((value - fmean(group)) ** 2 for group in groups for value in group)
    return max(0.0, 1 - within / free * (len(values) - 1) / total)
