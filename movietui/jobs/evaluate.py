"""Measure models on splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

from movietui import models
from movietui.data import catalogue
from movietui.data.splits import split
from movietui.jobs.detail import detail
from movietui.jobs.listener import SILENT, Listener, epoch_message
from movietui.models.choices import DEFAULT_ORDER, Order, Task

if TYPE_CHECKING:
    from movietui.data.dataset import Dataset
    from movietui.models.evaluation.measure import Evaluation
    from movietui.models.settings import Settings


@dataclass(frozen=True)
class EvaluateRequest:
    """Which models to measure, and on what."""

    models: Sequence[str]
    """The first model is the one that the others are compared with."""
    dataset: str
    splits: Sequence[str]
    task: Task = "rating"
    cleaning: str = "none"
    published: bool = False
    """Whether to start from the published settings rather than the tuned ones."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Changes to the settings of every model, as typed."""
    seed: int = 0
    split_seed: int = 0
    order: Order = DEFAULT_ORDER
    """The order of the lists that the tasks ``ranking`` and ``pair`` measure."""
    detail: bool = False
    """Whether each row with the task ``rating`` shows where the model fails: its errors by subgroup, its calibration,
    the confusion of stars and ``coverage80``."""


def evaluate(request: EvaluateRequest, listener: Listener = SILENT) -> list[dict[str, Any]]:
    """Measure models on splits and return what ``evaluate --json`` prints.

    With several splits, each row also has ``over_splits``: the mean and the standard deviation of the model's metrics
    over the splits. With the task ``ranking``, the model ``popularity`` is added as a baseline. Raises ``Problem`` for
    an unknown model, setting or split before anything is fitted.
    """
    chosen = {model: models.choose(model, request.published, request.settings) for model in request.models}
    if request.task == "ranking" and "popularity" not in request.models:
        chosen["popularity"] = models.choose("popularity")  # the baseline of every ranking figure
    dataset = catalogue.load(request.dataset, request.cleaning, listener.stage)
    for name in request.splits:
        split(dataset, name, request.split_seed)
    rows = [row for name in request.splits for row in _on_split(request, dataset, name, chosen, listener)]
    if len(request.splits) > 1:
        for row in rows:
            row["over_splits"] = _over_splits([each["metrics"] for each in rows if each["model"] == row["model"]])
    return rows


def _on_split(
    request: EvaluateRequest, dataset: Dataset, split_name: str, chosen: Mapping[str, Settings], listener: Listener
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    first: Evaluation | None = None
    for model, settings in chosen.items():
        label = f"{model} on {split_name}"
        measured = models.evaluate(
            model,
            dataset,
            split_name,
            task=request.task,
            settings=settings,
            seed=request.seed,
            split_seed=request.split_seed,
            progress=lambda epoch, label=label: listener.epoch(label, epoch_message(epoch)),  # type: ignore[misc]
            intervals=request.detail,
            order=request.order,
        )
        row = measured.as_json()
        if first is None:
            first = measured
        elif request.task != "pair" or measured.pair_errors is not None:
            row["difference"] = {"to": first.model, **asdict(models.compare(measured, first))}
        if request.detail and measured.prediction is not None:
            row |= detail(measured.train, measured.test, measured.prediction)
        rows.append(row)
    return rows


def _over_splits(metrics: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Return the mean and the sample standard deviation of each metric over the splits."""
    values = {name: [each[name] for each in metrics] for name in metrics[0]}
    return {name: {"mean": fmean(each), "std": stdev(each)} for name, each in values.items()}
