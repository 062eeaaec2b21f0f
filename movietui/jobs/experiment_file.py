"""Experiment files: TOML that says which models to measure on which data, and how.

A file comes from outside, so everything in it is checked: a wrong key or value is a ``Problem`` that says where it is
and what is allowed there.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from movietui import models
from movietui.data.language import tr
from movietui.data.near_names import hint, no_such
from movietui.data.problems import Problem
from movietui.data.storage import disk
from movietui.models import plugin_metrics
from movietui.models.choices import METRICS, ORDERS, PRESETS, TASKS, Order, Preset, Task, metric_named

if TYPE_CHECKING:
    from movietui.models.settings import Settings

MAX_BYTES = 2**20
"""The size of the largest file that is read."""
MAX_QUOTED = 60
"""The maximum number of characters of a wrong value that a message quotes."""
MOST_EVALUATIONS = 10_000
"""The maximum number of evaluations of a file; more are probably a mistake."""
LONGEST = 200
"""The maximum number of characters of a name."""
LARGEST_SEED = 2**32 - 1


@dataclass(frozen=True)
class DatasetEntry:
    """A dataset to measure on, from a table ``[[datasets]]``."""

    name: str
    cleaning: str
    splits: Sequence[str]
    split_seeds: Sequence[int]
    data: str
    """The fingerprint that the dataset must have; empty if any will do. Likewise ``imdb``, that of its join."""
    imdb: str | None
    """``None`` if any will do, also none."""


@dataclass(frozen=True)
class ModelEntry:
    """A model to measure, from a table ``[[models]]``."""

    name: str
    label: str
    """What the table calls it."""
    settings: Settings


@dataclass(frozen=True)
class Figure:
    """What the file says that was measured, from a table ``[[figures]]``."""

    dataset: str
    cleaning: str
    split: str
    split_seed: int
    model: str
    """The label."""
    seed: int
    metrics: Mapping[str, float]

    @property
    def key(self) -> tuple[str | int, ...]:
        """What was measured."""
        return (self.dataset, self.cleaning, self.split, self.split_seed, self.model, self.seed)


@dataclass(frozen=True)
class Experiment:
    """What an experiment file says."""

    title: str
    movietui: str
    """The version of movietui that pinned the file; empty if it is not pinned."""
    order: Order | None
    """The order of lists; ``None`` for the usual one of each split."""
    seeds: Sequence[int]
    metrics: Mapping[Task, Sequence[str]]
    """The metrics to show, by the task that measures them."""
    datasets: Sequence[DatasetEntry]
    models: Sequence[ModelEntry]
    figures: Sequence[Figure]


def read(path: Path) -> Experiment:
    """Read an experiment file. Raises ``Problem`` if it cannot be read, and for a wrong key or value."""
    try:
        content = disk.read(path.expanduser(), MAX_BYTES).decode("utf-8-sig")
        document = tomllib.loads(content)
    except OSError as error:
        raise Problem(
            tr("{path} cannot be read: {reason}; name an experiment file.", path=path, reason=error.strerror)
        ) from error
    except RecursionError:
        raise Problem(tr("{path} is nested too deeply; see docs/experiment.toml for an example.", path=path)) from None
    except ValueError as error:
        match = re.search(r"(.*) \(at line (\d+)", str(error))
        what, line = (match[1], tr(", line {line}", line=match[2])) if match else (str(error), "")
        reason = f"{what[:1].lower()}{what[1:MAX_QUOTED]}"
        raise Problem(tr("{path}{line}: this is not TOML: {reason}.", path=path, line=line, reason=reason)) from None
    top = _Table(str(path), document)
    top.only("title", "movietui", "order", "seeds", "metrics", "datasets", "models", "figures")
    experiment = Experiment(
        title=top.text("title", path.stem),
        movietui=top.text("movietui", ""),
        order=cast(Order, top.one_of("order", ORDERS)) if "order" in document else None,
        seeds=top.seeds("seeds"),
        metrics=_metrics(top.table("metrics")),
        datasets=[_dataset(table) for table in top.tables("datasets")],
        models=[_model(table) for table in top.tables("models")],
        figures=[_figure(table) for table in top.tables("figures", needed=False)],
    )
    labels = [model.label for model in experiment.models]
    if again := _first_repeated(labels):
        raise Problem(
            tr(
                "{path}, [[models]]: several models are called {label}; give each another label.",
                path=path,
                label=_quoted(again),
            )
        )
    datasets = [
        tr("{dataset}, cleaning {cleaning}", dataset=each.name, cleaning=each.cleaning) for each in experiment.datasets
    ]
    if again := _first_repeated(datasets):
        raise Problem(
            tr("{path}, [[datasets]]: several are {dataset}; put their splits into one list.", path=path, dataset=again)
        )
    splits = sum(len(each.splits) * len(each.split_seeds) for each in experiment.datasets)
    total = splits * len(experiment.models) * len(experiment.seeds) * len(experiment.metrics)
    if total > MOST_EVALUATIONS:
        raise Problem(
            tr(
                "{path} asks for {count:,} evaluations, more than {most:,}; split it up.",
                path=path,
                count=total,
                most=MOST_EVALUATIONS,
            )
        )
    return experiment


def _first_repeated(names: Sequence[str]) -> str:
    return next((name for name in names if names.count(name) > 1), "")


def _metrics(table: _Table) -> dict[Task, Sequence[str]]:
    plugin_metrics.load_all()
    table.only(*TASKS)
    wanted: dict[Task, Sequence[str]] = {}
    for task in TASKS:
        names = table.texts(task, needed=False)
        for name in names:
            metric = metric_named(name)
            if metric is None or task not in metric.tasks:
                known = [each.name for each in METRICS.values() if task in each.tasks]
                wrong = tr(
                    "{where}: there is no {task} metric {name}", where=table.where, task=task, name=_quoted(name)
                )
                raise no_such(wrong, name, known, tr("there are {names}.", names=", ".join(known)))
        if names:
            wanted[task] = names
    if not wanted:
        raise Problem(tr('{where}: there are no metrics; write, for example, rating = ["rmse"].', where=table.where))
    return wanted


def _dataset(table: _Table) -> DatasetEntry:
    table.only("name", "cleaning", "splits", "split_seeds", "data", "imdb")
    return DatasetEntry(
        table.text("name"),
        table.text("cleaning", "none"),
        table.texts("splits"),
        table.seeds("split_seeds"),
        table.text("data", ""),
        table.text("imdb", "") if "imdb" in table.content else None,
    )


def _model(table: _Table) -> ModelEntry:
    table.only("name", "label", "preset", "settings")
    name, preset = table.text("name"), cast(Preset, table.one_of("preset", PRESETS, PRESETS[0]))
    changes = table.table("settings", needed=False)
    texts = {key: changes.setting(key) for key in changes.content}
    try:
        settings = models.choose(name, preset == "published", texts)
    except Problem as problem:
        raise Problem(f"{changes.where if texts else table.where}: {problem}") from None
    return ModelEntry(name, table.text("label", name), settings)


def _figure(table: _Table) -> Figure:
    table.only("dataset", "cleaning", "split", "split_seed", "model", "seed", "metrics")
    metrics = table.table("metrics")
    return Figure(
        table.text("dataset"),
        table.text("cleaning"),
        table.text("split"),
        table.seed("split_seed"),
        table.text("model"),
        table.seed("seed"),
        {name: metrics.number(name) for name in metrics.content},
    )


class _Table:
    """A table of the file. Its methods return checked values, and raise ``Problem`` for others."""

    def __init__(self, where: str, content: Mapping[str, Any]) -> None:
        self.where, self.content = where, content

    def only(self, *keys: str) -> None:
        """Check that there are no other keys."""
        for key in self.content:
            if key not in keys:
                listed = tr("the keys are {keys}.", keys=", ".join(keys))
                raise Problem(
                    tr(
                        "{where}: there is no key {key}; {hint}",
                        where=self.where,
                        key=_quoted(key),
                        hint=hint(key, keys, listed),
                    )
                )

    def _get(self, key: str, example: str) -> Any:
        if key not in self.content:
            raise Problem(
                tr(
                    "{where}: {key} is missing; write, for example, {key} = {example}.",
                    where=self.where,
                    key=key,
                    example=example,
                )
            )
        return self.content[key]

    def _wrong(self, key: str, value: object, allowed: str) -> Problem:
        return Problem(
            tr(
                "{where}: {key} is {value}; it must be {allowed}.",
                where=self.where,
                key=key,
                value=_quoted(value),
                allowed=allowed,
            )
        )

    def text(self, key: str, default: Any = ...) -> Any:
        """Return a text; without a default, it must be there. Only with the default ``""`` may it be empty."""
        if key not in self.content and default is not ...:
            return default
        value = self._get(key, '"…"')
        if not isinstance(value, str) or len(value) > LONGEST or not (value or default == ""):
            raise self._wrong(key, value, tr("a text of 1 to {longest} characters", longest=LONGEST))
        return value

    def one_of(self, key: str, names: Sequence[str] | Mapping[Any, str], default: Any = ...) -> str:
        """Return one of a few names."""
        value = self.text(key, default)
        if value not in names:
            otherwise = tr("it is one of {names}.", names=", ".join(names))
            wrong = tr("{where}: there is no {key} {name}", where=self.where, key=key, name=_quoted(value))
            raise no_such(wrong, value, names, otherwise)
        return str(value)

    def texts(self, key: str, *, needed: bool = True) -> list[str]:
        """Return a list of different texts; it is empty only if it is missing and not ``needed``."""
        if key not in self.content and not needed:
            return []
        values = self._get(key, '["…"]')
        if not isinstance(values, list) or not values or not all(isinstance(each, str) and each for each in values):
            raise self._wrong(key, values, tr("a list of texts, with at least one"))
        return list(dict.fromkeys(values))

    def seeds(self, key: str) -> list[int]:
        """Return a list of different seeds; without the key, the seed 0."""
        values = self.content.get(key, [0])
        if not isinstance(values, list) or not values or not all(map(_is_seed, values)):
            allowed = tr("a list of whole numbers from 0 to {largest}, such as [0, 1, 2]", largest=LARGEST_SEED)
            raise self._wrong(key, values, allowed)
        return list(dict.fromkeys(values))

    def seed(self, key: str) -> int:
        """Return a seed."""
        value = self._get(key, "0")
        if not _is_seed(value):
            raise self._wrong(key, value, tr("a whole number from 0 to {largest}", largest=LARGEST_SEED))
        return int(value)

    def number(self, key: str) -> float:
        """Return a number."""
        value = self._get(key, "0.9")
        if type(value) not in (int, float):
            raise self._wrong(key, value, tr("a number"))
        return float(value)

    def setting(self, key: str) -> str:
        """Return the value of a setting as text."""
        value = self.content[key]
        if not isinstance(value, int | float):
            raise self._wrong(key, value, tr("a number, or true or false"))
        return str(value)

    def table(self, key: str, *, needed: bool = True) -> _Table:
        """Return a table."""
        value = self._get(key, "{ … }") if needed else self.content.get(key, {})
        if not isinstance(value, dict):
            raise self._wrong(key, value, tr("a table: write [{key}] on a line, and its keys below", key=key))
        return _Table(f"{self.where}, {key}", value)

    def tables(self, key: str, *, needed: bool = True) -> list[_Table]:
        """Return a list of tables; if it is ``needed``, there must be one."""
        values = self.content.get(key, [])
        tables = isinstance(values, list) and all(isinstance(each, dict) for each in values)
        if not tables or (needed and not values):
            raise Problem(
                tr(
                    "{where}: write [[{key}]] on a line for each of the {key}, and its keys below.",
                    where=self.where,
                    key=key,
                )
            )
        return [_Table(f"{self.where}, [[{key}]] {number}", each) for number, each in enumerate(values, 1)]


def _is_seed(value: object) -> bool:
    return type(value) is int and 0 <= value <= LARGEST_SEED


def _quoted(value: object) -> str:
    words = repr(value)
    return words if len(words) <= MAX_QUOTED else f"{words[:MAX_QUOTED]}…"


# Writing


def pinned(experiment: Experiment, version: str, data: Sequence[Mapping[str, str]], figures: Sequence[Figure]) -> str:
    """Return an experiment as TOML that says everything that could change: all settings, the fingerprints of the
    datasets, the version of movietui, and the figures.

    ``data``: the fingerprints ``data`` and ``imdb`` of each dataset.
    """
    order = {"order": experiment.order} if experiment.order else {}
    lines = [
        _pairs({"title": experiment.title, "movietui": version, **order, "seeds": experiment.seeds}),
        "[metrics]",
        _pairs(experiment.metrics),
    ]
    for dataset, fingerprints in zip(experiment.datasets, data, strict=True):
        facts = {name: getattr(dataset, name) for name in ("name", "cleaning", "splits", "split_seeds")}
        lines += ["[[datasets]]", _pairs({**facts, **fingerprints})]
    for model in experiment.models:
        lines += ["[[models]]", _pairs({"name": model.name, "label": model.label, "settings": asdict(model.settings)})]
    for figure in figures:
        lines += ["[[figures]]", _pairs(asdict(figure))]
    return "\n".join(lines)


def _pairs(values: Mapping[Any, object]) -> str:
    return "".join(f"{key} = {_value(value)}\n" for key, value in values.items())


def _value(value: object) -> str:
    """Return a value as TOML. JSON writes text, numbers and truth in the same way, except for the character DEL."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{json.dumps(key)} = {_value(each)}' for key, each in value.items())} }}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
