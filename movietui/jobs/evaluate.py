"""Measure models on splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from itertools import product
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

from movietui import models
from movietui.data import catalogue
from movietui.data.language import tr
from movietui.data.near_names import no_such
from movietui.data.problems import Problem
from movietui.data.split_names import check_seed, protocol
from movietui.data.splits import split
from movietui.jobs.detail import detail
from movietui.jobs.listener import SILENT, Listener
from movietui.jobs.measurements import Measurement, measure
from movietui.models.choices import METRICS, Order, Task, metric_named
from movietui.store.ratings import Store

if TYPE_CHECKING:
    from movietui.jobs.evaluation_files import Write
    from movietui.models.evaluation.comparison import Difference, Sums
    from movietui.models.evaluation.measure import Evaluation
    from movietui.models.metrics import ListMeasures

Row = dict[str, Any]
"""What ``evaluate --json`` prints for one evaluation."""
TREC_DEPTH = 100
"""How many movies of each list go to a TREC run, if the metrics need no more."""


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
    seeds: Sequence[int] = (0,)
    """The models' seeds; each model is fitted and measured with each."""
    split_seeds: Sequence[int] = (0,)
    """The splits' seeds; each split is made with each."""
    order: Order | None = None
    """The order of the lists that the tasks ``ranking`` and ``pair`` measure; ``None`` for the usual one of the
    split."""
    cuts: Sequence[int] = ()
    """How many movies of each list the ranking metrics use; empty for the usual metrics of the split."""
    relevant: float | None = None
    """The stars from which on a movie in test is relevant, with the task ``ranking``; ``None`` for the usual ones."""
    metrics: Sequence[str] = ()
    """Metrics to measure, besides the usual ones."""
    detail: bool = False
    """Whether to report where each model fails: with the task ``rating``, its errors by subgroup, its calibration, the
    confusion of stars and ``coverage80``; with the task ``ranking``, its metrics by subgroup of users."""
    predictions: Path | None = None
    """A new file for the predicted stars; only with the task ``rating``."""
    trec: Path | None = None
    """A new folder for the lists and the relevant movies in TREC's formats; only with the task ``ranking``."""
    force: bool = False
    """Whether to replace existing files."""

    def measures(self, split_name: str) -> ListMeasures:
        """Return the ranking metrics to measure on a split; the first by which models can be compared is that of
        ``metrics``, if there is one."""
        from movietui.models.evaluation.measure import measures_for
        from movietui.models.metrics import BY_USER, OF_ALL_LISTS, family

        usual = measures_for(split_name, self.cuts, self.relevant)
        wanted = [name for name in self.metrics if family(name) in {*BY_USER, *OF_ALL_LISTS}]
        comparable = [name for name in wanted if family(name) in BY_USER]
        return replace(
            usual,
            names=tuple(dict.fromkeys([*comparable, *usual.names, *wanted])),
            depth=TREC_DEPTH if self.trec else 0,
        )


def evaluate(store: Store, request: EvaluateRequest, listener: Listener = SILENT) -> list[Row]:
    """Measure models on splits and return what ``evaluate --json`` prints. Each evaluation is stored as a run.

    Figures of one model and one protocol, over its folds and seeds, are repetitions: their rows have ``over``, the mean
    and the standard deviation of each metric, and the difference to the first model over all rows of the repetitions.
    With the task ``ranking``, the model ``popularity`` is added as a baseline. Raises ``Problem`` for an unknown model,
    setting or split, and for a file that cannot be written, before anything is fitted.
    """
    from movietui.jobs.evaluation_files import files_for

    for name in request.metrics:
        _check_metric(name, request.task)
    chosen = {model: models.choose(model, request.published, request.settings) for model in request.models}
    if request.task == "ranking" and "popularity" not in request.models:
        chosen["popularity"] = models.choose("popularity")  # the baseline of every ranking figure
    with ExitStack() as stack:
        writes = [stack.enter_context(file) for file in files_for(request)]
        dataset = catalogue.load(request.dataset, request.cleaning, listener.stage)
        models.check_ratings(chosen, dataset, request.task)
        for name in request.splits:
            for split_seed in request.split_seeds:
                check_seed(name, split_seed)
            split(dataset, name, request.split_seeds[0])
        comparisons = Comparisons(request.models[0])
        rows = []
        for name, split_seed, seed in product(request.splits, request.split_seeds, request.seeds):
            first: Evaluation | None = None
            for model, settings in chosen.items():
                wanted = Measurement(
                    "evaluation",
                    model,
                    settings,
                    dataset,
                    name,
                    request.task,
                    request.order,
                    seed,
                    split_seed,
                    measures=request.measures(name),
                    intervals=request.detail,
                    uncertainty=request.predictions is not None,
                )
                measured = measure(store, wanted, _label(request, model, name, split_seed, seed), listener)
                evaluation = measured.evaluation
                assert evaluation is not None
                rows.append({**_row(request, evaluation, first, writes), "run": measured.run.id})
                comparisons.add(evaluation)
                first = first or evaluation
    _summarise(rows, comparisons)
    return rows


def _check_metric(name: str, task: Task) -> None:
    """Raise ``Problem`` for an unknown metric, and for one that the task does not measure."""
    from movietui.models import plugin_metrics

    plugin_metrics.load_all()
    metric = metric_named(name)
    if metric is None:
        known = ", ".join(each.name for each in METRICS.values() if task in each.tasks)
        listed = tr("choose one of {names}.", names=known)
        raise no_such(tr("There is no metric {name!r}", name=name), name, METRICS, listed)
    if task not in metric.tasks:
        raise Problem(
            tr(
                "{metric} is not a metric of the task {task}; it is measured with --task {other}.",
                metric=name,
                task=task,
                other=metric.tasks[0],
            )
        )


def _label(request: EvaluateRequest, model: str, split_name: str, split_seed: int, seed: int) -> str:
    """Return what the progress bar calls an evaluation. It includes a seed only if the request has several of them."""
    seeds = [tr("split seed {seed}", seed=split_seed)] if len(request.split_seeds) > 1 else []
    seeds += [tr("seed {seed}", seed=seed)] if len(request.seeds) > 1 else []
    return ", ".join([tr("{model} on {split}", model=model, split=split_name), *seeds])


def _row(request: EvaluateRequest, measured: Evaluation, first: Evaluation | None, writes: Sequence[Write]) -> Row:
    """Return the row of an evaluation, compared with the first model on the same rows; write it to the files."""
    from movietui.models.evaluation.subgroups import list_subgroups

    row = measured.as_json()
    if first is not None and (request.task != "pair" or measured.pair_errors is not None):
        row["difference"] = {"to": first.model, **asdict(models.compare(measured, first))}
    if request.detail and measured.prediction is not None:
        row |= detail(measured.parts, measured.prediction)
    if request.detail and measured.lists is not None:
        row["subgroups"] = [asdict(group) for group in list_subgroups(measured.parts, measured.lists)]
    for write in writes:
        write(measured)
    return row


class Comparisons:
    """Compares the models with the first of them on all test rows of a protocol: of all its folds and seeds."""

    def __init__(self, first: str) -> None:
        self.first = first
        self._sums: dict[tuple[str, str], Sums] = {}
        """By protocol and model."""

    def add(self, measured: Evaluation) -> None:
        """Add an evaluation, unless its task is ``pair``."""
        from movietui.models.evaluation.comparison import sums_of

        if measured.task == "pair":
            return
        key, sums = (protocol(measured.split), measured.model), sums_of(measured)
        self._sums[key] = self._sums[key] + sums if key in self._sums else sums

    def differences(self) -> dict[tuple[str, str], Difference]:
        """Return the difference of each model to the first, by protocol and model."""
        from movietui.models.evaluation.comparison import compare_sums

        return {
            (name, model): compare_sums(sums, self._sums[name, self.first])
            for (name, model), sums in self._sums.items()
            if model != self.first
        }


def _summarise(rows: Sequence[Row], comparisons: Comparisons) -> None:
    """Add ``over`` to the rows of repetitions, and to each difference its p-value after Holm's correction.

    One test for each model and protocol counts: over all rows of the repetitions, if there are any.
    """
    from movietui.models.evaluation.comparison import holm

    repetitions: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        repetitions.setdefault((row["protocol"], row["model"]), []).append(row)
    pooled = comparisons.differences()
    tests: list[Row] = []
    for key, repeated in repetitions.items():
        if len(repeated) == 1:
            tests += [repeated[0]["difference"]] if "difference" in repeated[0] else []
            continue
        splits = {row["split"] for row in repeated}
        over: Row = {
            "protocol": key[0] if len(splits) > 1 else repeated[0]["split"],
            "count": len(repeated),
            "metrics": _mean_and_deviation([row["metrics"] for row in repeated]),
        }
        if key in pooled:
            over["difference"] = {"to": comparisons.first, **asdict(pooled[key])}
            tests.append(over["difference"])
        for row in repeated:
            row["over"] = over
    for test, corrected in zip(tests, holm([test["p"] for test in tests]), strict=True):
        test["p_holm"] = corrected


def _mean_and_deviation(metrics: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Return the mean and the sample standard deviation of each metric."""
    values = {name: [each[name] for each in metrics] for name in metrics[0] if all(name in each for each in metrics)}
    return {name: {"mean": fmean(each), "std": stdev(each)} for name, each in values.items()}
