"""Run an experiment file: measure what was not measured before, and compare with the figures in the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from movietui import __version__
from movietui.data import catalogue
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.split_names import check_seed, protocol
from movietui.data.splits import split
from movietui.jobs import experiment_file
from movietui.jobs.environment import environment_of, fingerprints
from movietui.jobs.experiment_file import DatasetEntry, Experiment, Figure
from movietui.jobs.listener import SILENT, Listener
from movietui.jobs.measurements import Measurement, measure, with_metrics
from movietui.models import plugin_metrics
from movietui.store.ratings import Store

SAME = 1e-6
"""Figures that differ by at most this are the same; other processors round differently."""


@dataclass(frozen=True)
class ExperimentRequest:
    """Which experiment file to run."""

    file: Path
    fresh: bool = False
    """Whether to measure again what was measured before."""


@dataclass(frozen=True)
class Outcome:
    """What an experiment measured."""

    experiment: Experiment
    document: Mapping[str, Any]
    """What ``experiment --json`` prints."""
    pinned: str
    """The experiment as TOML that says everything that could change; see ``experiment_file.pinned``."""


def run(store: Store, request: ExperimentRequest, listener: Listener = SILENT) -> Outcome:
    """Measure everything that an experiment file names, except what is in the store from before.

    Each task of a model is an evaluation of its own. Raises ``Problem`` for a wrong file, for a dataset that is not on
    disk or does not have the fingerprint in the file, and for a split that does not fit it, all before anything is
    fitted.
    """
    experiment = experiment_file.read(request.file)
    environments = [
        _check(f"{request.file}, [[datasets]] {number}", experiment, entry, listener)
        for number, entry in enumerate(experiment.datasets, 1)
    ]
    rows = [row for entry in experiment.datasets for row in _rows(store, experiment, entry, request.fresh, listener)]
    document = {
        "title": experiment.title,
        "file": str(request.file),
        "pinned_by": experiment.movietui,
        "order": experiment.order,
        "fitted": sum(len(row["fitted"]) for row in rows),
        "rows": rows,
        "table": _table(rows),
        "differences": _differences(experiment.figures, map(_figure, rows)),
        "datasets": [
            {"dataset": entry.name, "cleaning": entry.cleaning, "environment": environment}
            for entry, environment in zip(experiment.datasets, environments, strict=True)
        ],
    }
    data = [{name: facts[name] for name in ("data", "imdb")} for facts in environments]
    pinned = experiment_file.pinned(experiment, __version__, data, list(map(_figure, rows)))
    return Outcome(experiment, document, pinned)


def _check(where: str, experiment: Experiment, entry: DatasetEntry, listener: Listener) -> dict[str, Any]:
    """Check that a dataset is there, is the right one, and can be split; return its environment and fingerprints.

    ``where``: the place in the file, for the ``Problem`` that is raised otherwise.
    """
    from movietui.models.evaluation.measure import check_ratings

    try:
        dataset = catalogue.load(entry.name, entry.cleaning, listener.stage)
        for task in experiment.metrics:
            check_ratings([model.name for model in experiment.models], dataset, task)
        for name in entry.splits:
            for split_seed in entry.split_seeds:
                check_seed(name, split_seed)
            split(dataset, name, entry.split_seeds[0])
    except Problem as problem:
        raise Problem(f"{where}: {problem}") from None
    environment = {**environment_of(dataset), **fingerprints(dataset)}
    for key, what, wanted in (("data", tr("ratings"), entry.data or None), ("imdb", tr("join with IMDb"), entry.imdb)):
        if wanted not in (None, environment[key]):
            raise Problem(
                tr(
                    "{where}: the {what} of {dataset} changed: the fingerprint is {fingerprint}, but {wanted} in the "
                    "file; get the same data, or remove the line {key}.",
                    where=where,
                    what=what,
                    dataset=entry.name,
                    fingerprint=environment[key][:12] or tr("empty"),
                    wanted=str(wanted)[:12] or tr("empty"),
                    key=key,
                )
            )
    return environment


def _rows(
    store: Store, experiment: Experiment, entry: DatasetEntry, fresh: bool, listener: Listener
) -> Iterator[dict[str, Any]]:
    """Yield a row for each split, model and seed of a dataset; measure what the store does not have."""
    dataset = catalogue.load(entry.name, entry.cleaning, listener.stage)
    for split_name, split_seed, model, seed in product(
        entry.splits, entry.split_seeds, experiment.models, experiment.seeds
    ):
        runs: dict[str, int] = {}
        metrics: dict[str, float] = {}
        fitted: list[str] = []
        for task, names in experiment.metrics.items():
            wanted = Measurement(
                "evaluation",
                model.name,
                model.settings,
                dataset,
                split_name,
                task,
                experiment.order,
                seed,
                split_seed,
                with_metrics(split_name, names) if task == "ranking" else None,
                of_plugins=plugin_metrics.versions(names),
            )
            run = None if fresh else store.measured_run(wanted.identity)
            if run is None:
                label = tr(
                    "{model} on {dataset}, {split}, seed {seed}, {task}",
                    model=model.label,
                    dataset=entry.name,
                    split=split_name,
                    seed=seed,
                    task=task,
                )
                run = measure(store, wanted, label, listener).run
                fitted.append(task)
            runs[task] = run.id
            metrics |= {_column(experiment, task, name): run.metrics[name] for name in names if name in run.metrics}
        yield {
            "dataset": entry.name,
            "cleaning": entry.cleaning,
            "split": split_name,
            "split_seed": split_seed,
            "model": model.name,
            "label": model.label,
            "settings": asdict(model.settings),
            "seed": seed,
            "runs": runs,
            "fitted": fitted,
            "metrics": metrics,
        }


def _column(experiment: Experiment, task: str, metric: str) -> str:
    """Return what to call a metric: with its task if two tasks measure it."""
    tasks = [each for each, names in experiment.metrics.items() if metric in names]
    return metric if len(tasks) == 1 else f"{task} {metric}"


def _figure(row: Mapping[str, Any]) -> Figure:
    names = ("dataset", "cleaning", "split", "split_seed", "label", "seed", "metrics")
    return Figure(*(row[name] for name in names))


def _table(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the mean and the sample standard deviation of each metric over the seeds and the folds."""
    groups: dict[tuple[str, ...], list[Mapping[str, float]]] = {}
    for row in rows:
        key = (row["dataset"], row["cleaning"], protocol(row["split"]), row["label"])
        groups.setdefault(key, []).append(row["metrics"])
    return [
        {
            **dict(zip(("dataset", "cleaning", "protocol", "label"), key, strict=True)),
            "count": len(repeated),
            "metrics": {
                name: _mean_and_deviation([metrics[name] for metrics in repeated if name in metrics])
                for name in dict.fromkeys(name for metrics in repeated for name in metrics)
            },
        }
        for key, repeated in groups.items()
    ]


def _mean_and_deviation(values: Sequence[float]) -> dict[str, float | None]:
    return {"mean": fmean(values), "std": stdev(values) if len(values) > 1 else None}


def _differences(expected: Iterable[Figure], measured: Iterable[Figure]) -> list[dict[str, Any]]:
    """Return the figures in the file that were not measured, or differ from what was measured by more than ``SAME``."""
    known = {figure.key: figure.metrics for figure in measured}
    names = ("dataset", "cleaning", "split", "split_seed", "label", "seed")
    return [
        {**dict(zip(names, figure.key, strict=True)), "metric": metric, "expected": value, "measured": now}
        for figure in expected
        for metric, value in figure.metrics.items()
        if (now := known.get(figure.key, {}).get(metric)) is None or abs(now - value) > SAME * max(1.0, abs(value))
    ]
