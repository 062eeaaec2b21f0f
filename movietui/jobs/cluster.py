"""Train and measure models on a Spark cluster, and recommend movies there to every user.

Needs pyspark, so only the commands of ``movietui cluster`` import this module.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from movietui import models
from movietui.answers.lists import served
from movietui.data.cluster.dataset import ClusterDataset, load
from movietui.data.cluster.files import FileSystem
from movietui.data.cluster.running import ClusterWork
from movietui.data.cluster.running import run as run_on
from movietui.data.cluster.session import explain_errors, session
from movietui.data.cluster.splits import canonical, split
from movietui.data.language import tr
from movietui.data.near_names import no_such
from movietui.data.problems import Problem
from movietui.data.progress import Report, Stage
from movietui.data.split_names import check_seed
from movietui.data.storage.remote_view import view
from movietui.jobs.listener import SILENT, Listener
from movietui.jobs.train import checkpoint_of, record_end
from movietui.models.choices import DEFAULT_ORDER, Order, Task
from movietui.models.cluster.fits import check_executors, check_name, fit
from movietui.models.cluster.partitions import partitioned
from movietui.models.cluster.users import measure_lists, measure_ratings, recommend_everyone
from movietui.models.evaluation.measure import label
from movietui.protocol.jobs import TrainResult
from movietui.store import interrupts
from movietui.store.ratings import Store
from movietui.store.run_records import SPARK
from movietui.store.runs import SERVED_SPLIT, Recorder, Runs

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from movietui.models.base import AnyModel
    from movietui.models.settings import Settings

TASKS: tuple[Task, ...] = ("rating", "ranking")
COMPLETE = "_SUCCESS"
"""The file that Spark writes last into a folder."""
UNFINISHED = "_unfinished"
"""A file that marks a folder for lists while they are being written. A folder with this file but without ``COMPLETE``
was left by a command that died: some of its lists may already be there."""


@dataclass(frozen=True)
class ClusterRequest:
    """Which models to fit on a cluster, and on what."""

    models: Sequence[str]
    dataset: str
    master: str | None = None
    """The URL of the cluster; see ``movietui.data.cluster.session``."""
    splits: Sequence[str] = (SERVED_SPLIT,)
    published: bool = False
    """Whether to start from the published settings rather than the tuned ones."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Changes to the settings of every model, as typed."""
    seed: int = 0
    split_seed: int = 0


@dataclass(frozen=True)
class _Prepared:
    dataset: ClusterDataset
    settings: Mapping[str, Settings]
    """By the name of the model."""
    splits: Sequence[str]
    """The canonical names of the splits."""


def _prepare(request: ClusterRequest) -> _Prepared:
    """Check the request before Spark starts. Raises ``Problem`` for an unknown model, setting, split or dataset."""
    for name in request.models:
        check_name(name)
    settings = {name: models.choose(name, request.published, request.settings) for name in request.models}
    for name in request.splits:
        check_seed(name, request.split_seed)
    return _Prepared(load(request.dataset), settings, [canonical(name) for name in request.splits])


def train(store: Store, request: ClusterRequest, listener: Listener = SILENT) -> TrainResult:
    """Train one model on the train part of a split, measure it on the test part, and store the run and its checkpoint.

    The checkpoint can serve on this machine, without Spark. Once the run has begun, its end is recorded, even if the
    training fails or is interrupted; it cannot be resumed.
    """
    prepared = _prepare(request)
    (name,), (split_name,), dataset = request.models, prepared.splits, prepared.dataset
    settings = prepared.settings[name]
    with session(request.master, f"movietui cluster train {name} on {dataset.name}") as spark:
        recorder: Recorder | None = None

        def fitted_and_measured(report: Report) -> tuple[AnyModel, dict[str, float]]:
            parts = split(dataset.ratings(spark), split_name, request.split_seed)
            model = _fit(name, settings, request.seed, dataset, parts, report)
            measured = [_measure(task, model, dataset, parts, request, DEFAULT_ORDER, report) for task in TASKS]
            return model, {metric: value for each in measured for metric, value in each.items()}

        def saw(stage: Stage, work: ClusterWork) -> None:
            assert recorder is not None
            recorder.cluster(stage, work.to_json())

        with explain_errors(tr("the executors")):
            run_on(spark, partial(check_executors, spark, request.models), listener.stage)
        try:
            with interrupts.delayed():  # from the moment that the run exists, its end is recorded
                run = store.start_run(
                    name,
                    dataset.name,
                    dataset.preset,
                    split_name,
                    request.seed,
                    asdict(settings),
                    split_seed=request.split_seed,
                    imdb="",
                    device=SPARK,
                )
                recorder = Recorder(Runs(store), run, {"measure": 1.0})
            with explain_errors(dataset.uri):
                model, metrics = run_on(spark, fitted_and_measured, listener.stage, saw)
            checkpoint = checkpoint_of(store, run)
            models.save(checkpoint, model, view(dataset), split=split_name, fitted_on="train", metrics=metrics)
            seconds = recorder.seconds
            recorder.end("done", seconds=seconds, metrics=metrics)
        except BaseException as error:
            record_end(recorder, error)
            raise
    return {
        "run": run,
        "model": name,
        "dataset": dataset.name,
        "cleaning": dataset.preset,
        "split": split_name,
        "fitted_on": "train",
        "seed": request.seed,
        "split_seed": request.split_seed,
        "imdb": "",
        "settings": asdict(settings),
        "epochs": [],
        "best_epoch": None,
        "metrics": metrics,
        "seconds": seconds,
        "cpu_seconds": None,
        "device": SPARK,
        "peak_bytes": recorder.peak_bytes,
        "checkpoint": str(checkpoint),
    }


def evaluate(
    request: ClusterRequest, task: Task = "rating", order: Order = DEFAULT_ORDER, listener: Listener = SILENT
) -> list[dict[str, Any]]:
    """Fit models on the train part of each split, measure them on the test part, and return a row for each fit.

    With the task ``ranking``, ``popularity`` is added as a baseline.
    """
    if task not in TASKS:
        listed = tr("choose one of {names}.", names=", ".join(TASKS))
        raise no_such(tr("There is no task {task!r} on a cluster", task=task), task, TASKS, listed)
    prepared = _prepare(request)
    chosen, dataset = dict(prepared.settings), prepared.dataset
    if task == "ranking":
        chosen.setdefault("popularity", models.choose("popularity"))
    app = f"movietui cluster evaluate {' '.join(chosen)} on {dataset.name}"

    def measured(report: Report) -> list[dict[str, Any]]:
        check_executors(spark, list(chosen), report)
        rows = []
        for split_name in prepared.splits:
            parts = split(dataset.ratings(spark), split_name, request.split_seed).persist()
            in_test = {row["test"]: row["count"] for row in parts.groupBy("test").count().collect()}
            for name, settings in chosen.items():
                start = time.perf_counter()
                model = _fit(name, settings, request.seed, dataset, parts, report)
                fitted = time.perf_counter()
                metrics = _measure(task, model, dataset, parts, request, order, report)
                rows.append(
                    {
                        "model": name,
                        "dataset": dataset.name,
                        "split": split_name,
                        "split_seed": request.split_seed,
                        "task": task,
                        "seed": request.seed,
                        "order": None if task == "rating" else order,
                        "settings": label(model),
                        "values": asdict(settings),
                        "cleaning": dataset.preset,
                        "imdb": "",
                        "n_train": in_test.get(False, 0),
                        "n_test": in_test.get(True, 0),
                        "metrics": metrics,
                        "seconds": {"fit": fitted - start, "predict": time.perf_counter() - fitted},
                    }
                )
            parts.unpersist()
        return rows

    with session(request.master, app) as spark, explain_errors(dataset.uri):
        return run_on(spark, measured, listener.stage)


def recommend_to_everyone(
    store: Store,
    dataset_name: str,
    output: str,
    k: int,
    model_name: str | None = None,
    seed: int | None = None,
    master: str | None = None,
    order: Order = DEFAULT_ORDER,
    listener: Listener = SILENT,
) -> dict[str, Any]:
    """Write the first ``k`` movies of the list of every user of a dataset as Parquet, and return what was written.

    The model is the one that serves the dataset here or, with ``model_name`` and ``seed``, its newest run that has
    them. The output is complete once it has the file ``COMPLETE``. Raises ``Problem`` if there is anything at
    ``output``, except what a command that died has left.
    """
    dataset = load(dataset_name)
    loaded, model = served(store, dataset_name, model_name, seed)
    if loaded.fingerprint != dataset.fingerprint:
        raise Problem(
            tr(
                "The {model} that serves {dataset} was trained on this machine; train it on the cluster with movietui "
                "cluster train {model} --dataset {dataset}, or name another with --model.",
                model=model.name,
                dataset=dataset_name,
            )
        )
    started = time.perf_counter()
    with session(master, f"movietui cluster recommend {dataset_name}") as spark, explain_errors(output):
        files = FileSystem(spark)
        output_uri = files.absolute(output)
        _make_room(files, output_uri)

        def written(report: Report) -> int:
            report(Stage(tr("Recommending")))
            lists = recommend_everyone(model, dataset, dataset.ratings(spark), dataset.users(spark), k, order)
            with files.removed_if_failed(output_uri):
                lists.write.mode("append").parquet(output_uri)
            files.remove(f"{output_uri}/{UNFINISHED}")
            rows = int(spark.read.parquet(output_uri).count())
            report(Stage(tr("Recommending"), finished=True))
            return rows

        rows = run_on(spark, written, listener.stage)
    return {
        "dataset": dataset_name,
        "model": model.name,
        "order": order,
        "k": k,
        "users": dataset.user_count,
        "rows": rows,
        "output": output_uri,
        "seconds": time.perf_counter() - started,
    }


def _make_room(files: FileSystem, uri: str) -> None:
    """Make a folder with only ``UNFINISHED``. Raises ``Problem`` if there is anything but what a dead command left."""
    if (entry := files.entry(uri)) is not None:
        names = {each.name for each in files.entries(uri)} if entry.is_folder else {entry.name}
        if names and (UNFINISHED not in names or COMPLETE in names):
            raise Problem(
                tr("There is already something at {path}; choose another folder, or remove it first.", path=uri)
            )
        files.remove(uri)
    files.write(f"{uri}/{UNFINISHED}", b"")


def _fit(
    name: str, settings: Settings, seed: int, dataset: ClusterDataset, parts: DataFrame, report: Report
) -> AnyModel:
    report(Stage(tr("Fitting {model}", model=name)))
    with partitioned(dataset, parts.where("not test")) as train_part:
        model = fit(name, train_part, settings, seed)
    report(Stage(tr("Fitting {model}", model=name), finished=True))
    return model


def _measure(
    task: Task,
    model: AnyModel,
    dataset: ClusterDataset,
    parts: DataFrame,
    request: ClusterRequest,
    order: Order,
    report: Report,
) -> dict[str, float]:
    report(Stage(tr("Measuring {model}, {task}", model=model.name, task=task)))
    if task == "rating":
        metrics = measure_ratings(model, parts)
    else:
        metrics = measure_lists(model, dataset, parts, order, request.split_seed)
    report(Stage(tr("Measuring {model}, {task}", model=model.name, task=task), finished=True))
    return metrics
