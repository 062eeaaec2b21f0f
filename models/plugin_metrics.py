"""The metrics of plug-ins, which are computed wherever movietui's metrics of the same task are."""

import functools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from movietui.data import plugins
from movietui.data.dataset import Dataset, Floats
from movietui.data.language import tr
from movietui.data.plugins import Plugin, explained
from movietui.data.problems import Problem
from movietui.models.choices import METRICS, RANKING, RATING, Metric, add_metrics
from movietui.models.metrics import Lists, Metrics, family


@dataclass(frozen=True)
class RatingMetric:
    """A metric of predicted ratings, which an entry point in the group ``movietui.metrics`` names."""

    measures: str
    """What it measures, in a few words; see ``movietui.models.choices.Metric``."""
    compute: Callable[[Floats, Floats], float]
    """Takes the predictions and the ratings of all test rows, on the scale of the published ratings, shape (rows,)
    each.
    """
    higher_is_better: bool | None = None
    """``None`` for a figure whose best value is neither the highest nor the lowest."""


@dataclass(frozen=True)
class ListMetric:
    """A metric of lists, which an entry point in the group ``movietui.metrics`` names."""

    measures: str
    """What it measures, in a few words; see ``movietui.models.choices.Metric``."""
    compute: Callable[[Lists, Dataset], float]
    """Takes the users' lists and the train part."""
    higher_is_better: bool | None = None
    """``None`` for a figure whose best value is neither the highest nor the lowest."""


AnyMetric = RatingMetric | ListMetric
Chosen = TypeVar("Chosen", RatingMetric, ListMetric)


def is_ours(name: str) -> bool:
    """Return whether movietui has a metric with this name, for any number of movies."""
    return family(name) in map(family, METRICS)


def declared() -> tuple[Plugin, ...]:
    """Return the metrics that plug-ins declare, even those that cannot be used."""
    return plugins.declared("metric", is_ours)


def load(plugin: Plugin) -> AnyMetric:
    """Return a plug-in's metric. Raises ``Problem`` if it cannot be imported or is not a metric."""
    metric = plugin.load()
    if not isinstance(metric, RatingMetric | ListMetric):
        raise plugin.problem(
            tr("is neither a RatingMetric nor a ListMetric of movietui.models; update or uninstall the package")
        )
    return metric


def described(plugin: Plugin, metric: AnyMetric) -> Metric:
    """Return a plug-in's metric as an entry of ``choices.METRICS``."""
    tasks = RATING if isinstance(metric, RatingMetric) else RANKING
    return Metric(plugin.name, tasks, metric.higher_is_better, str(metric.measures))


@functools.cache
def load_all() -> Mapping[Plugin, AnyMetric]:
    """Return the metrics of all plug-ins, and make them known to this process.

    A plug-in that cannot be used is reported and left out.
    """
    metrics = {}
    for plugin in plugins.usable("metric", is_ours).values():
        try:
            metrics[plugin] = load(plugin)
        except Problem as problem:
            plugins.report(problem)
    add_metrics(described(plugin, metric) for plugin, metric in metrics.items())
    return metrics


def versions(names: Iterable[str]) -> tuple[str, ...]:
    """Return those of the names that are metrics of plug-ins, each with the package and its version."""
    wanted = set(names)
    return tuple(
        f"{plugin.name} of {plugin.package} {plugin.version}" for plugin in load_all() if plugin.name in wanted
    )


def of_ratings(prediction: Floats, stars: Floats) -> Metrics:
    """Return the metrics of plug-ins for predicted ratings. Arguments as in ``rating_metrics``."""
    return _computed(RatingMetric, prediction, stars)


def of_lists(lists: Lists, train: Dataset) -> Metrics:
    """Return the metrics of plug-ins for lists. Arguments as in ``ranking_metrics``."""
    return _computed(ListMetric, lists, train)


def _computed(kind: type[Chosen], *arguments: Any) -> Metrics:
    """Return the metrics of a kind. A metric that fails is reported and left out, because the fit may have taken
    hours."""
    metrics: Metrics = {}
    for plugin, metric in load_all().items():
        if not isinstance(metric, kind):
            continue
        try:
            with explained(plugin, tr("be computed")):
                value = float(metric.compute(*arguments))
            if not math.isfinite(value):
                raise plugin.problem(tr("is {value} here, not a finite number, so it is left out", value=value))
            metrics[plugin.name] = value
        except Problem as problem:
            plugins.report(problem)
    return metrics
