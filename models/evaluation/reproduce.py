"""The experiments of the five earlier systems: what their authors reported, and our measurements."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from movietui.data.dataset import Dataset
from movietui.models.base import Epoch
from movietui.models.choices import Task
from movietui.models.evaluation.measure import choose, evaluate
from movietui.models.registry import MODELS


@dataclass(frozen=True)
class Experiment:
    """An earlier system's model and protocol."""

    source: str
    model: str
    reported: Mapping[str, float | None]
    """The author's figure for each metric; ``None`` if the author gives no number."""
    dataset: str = "ml-100k"
    split: str = "random80"
    task: Task = "rating"
    note: str = ""
    """How the author's protocol differs from ours, as far as it is described."""


UNKNOWN_SPLIT = "the author's split is not described"
CURVE = "reported as a curve only"
EXPERIMENTS = (
    Experiment(
        "000",
        "demographic",
        {"mae": 0.84, "mse": 1.199, "accuracy": 0.35},
        note="mae on another random fifth; mse and accuracy on all ratings, including those trained on",
    ),
    Experiment("001", "dot", {"rmse": None}, "ml-1m", "random90", note="no figure reported"),
    Experiment("001", "ncf", {"rmse": None}, "ml-1m", "random90", note="no figure reported"),
    Experiment("002", "pair", {"mse_scaled": 0.09}, split="kfold5-0", task="pair", note=UNKNOWN_SPLIT),
    Experiment("003", "user-knn", {"mse": 1.0906}, note=UNKNOWN_SPLIT),
    Experiment("003", "item-knn", {"mse": 4.4829}, note=UNKNOWN_SPLIT),
    Experiment("003", "sgd-mf", {"mse": None}, note=CURVE),
    Experiment("003", "deep-mf", {"mse": None}, note=CURVE),
    Experiment("003", "residual-mf", {"mse": None}, note=CURVE),
    Experiment("003", "autorec", {"mse": None}, note=CURVE),
    Experiment("004", "hybrid", {"mse_scaled": 0.041384}, note=UNKNOWN_SPLIT),
)


def runnable() -> list[Experiment]:
    """Return the experiments whose models are in ``MODELS``."""
    return [experiment for experiment in EXPERIMENTS if experiment.model in MODELS]


def reproduce(
    datasets: Mapping[str, Dataset],
    seed: int = 0,
    progress: Callable[[str, Epoch], None] = lambda label, epoch: None,
) -> Iterator[dict[str, str | float | None]]:
    """Run the experiments with published and with tuned settings, and yield a row for each metric.

    ``datasets`` holds the loaded datasets of ``runnable()`` by name. A value is ``None`` if the author describes no
    settings or reports no figure.
    """
    for experiment in runnable():
        dataset = datasets[experiment.dataset]
        measured: dict[str, Mapping[str, float]] = {}
        for label in ("published", "tuned"):
            published = label == "published"
            if published and MODELS[experiment.model].published is None:
                continue
            name = f"{experiment.model}, {label}"
            measured[label] = evaluate(
                experiment.model,
                dataset,
                experiment.split,
                experiment.task,
                choose(experiment.model, published),
                seed,
                progress=lambda epoch, name=name: progress(name, epoch),  # type: ignore[misc]
            ).metrics
        for metric, reported in experiment.reported.items():
            yield {
                "source": experiment.source,
                "model": experiment.model,
                "dataset": experiment.dataset,
                "split": experiment.split,
                "seed": seed,
                "metric": metric,
                "reported": reported,
                "published": measured["published"][metric] if "published" in measured else None,
                "tuned": measured["tuned"][metric],
                "note": experiment.note,
            }
