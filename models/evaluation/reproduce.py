"""The experiments of the five source systems: what their authors reported beside what we measure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from data.dataset import Dataset
from models.evaluation import Task, choose, evaluate
from models.model import Epoch
from models.table import MODELS


@dataclass(frozen=True)
class Experiment:
    """A model of a source system, and where it is measured."""

    source: str
    model: str
    reported: Mapping[str, float | None]
    """The author's figure of each metric; ``None`` where there is a drawn curve at most."""
    dataset: str = "ml-100k"
    split: str = "random80"
    task: Task = "rating"
    note: str = ""
    """How the author's protocol differs from the split, as far as it is described."""


OWN_SPLIT = "the author's split is not described"
CURVE = "reported as a curve only"
EXPERIMENTS = (
    Experiment(
        "000",
        "demographic",
        {"mae": 0.84, "mse": 1.199, "accuracy": 0.35},
        note="mae on another random fifth; mse and accuracy on all ratings, those learnt from among them",
    ),
    Experiment("001", "dot", {"rmse": None}, "ml-1m", "random90", note="no figure reported"),
    Experiment("001", "ncf", {"rmse": None}, "ml-1m", "random90", note="no figure reported"),
    Experiment("002", "pair", {"mse_scaled": 0.09}, split="kfold5-0", task="pair", note=OWN_SPLIT),
    Experiment("003", "user-knn", {"mse": 1.0906}, note=OWN_SPLIT),
    Experiment("003", "item-knn", {"mse": 4.4829}, note=OWN_SPLIT),
    Experiment("003", "sgd-mf", {"mse": None}, note=CURVE),
    Experiment("003", "deep-mf", {"mse": None}, note=CURVE),
    Experiment("003", "residual-mf", {"mse": None}, note=CURVE),
    Experiment("003", "autorec", {"mse": None}, note=CURVE),
    Experiment("004", "hybrid", {"mse_scaled": 0.041384}, note=OWN_SPLIT),
)


def here() -> list[Experiment]:
    """Return the experiments whose models there are."""
    return [experiment for experiment in EXPERIMENTS if experiment.model in MODELS]


def reproduce(
    datasets: Mapping[str, Dataset],
    seed: int = 0,
    progress: Callable[[str, Epoch], None] = lambda label, epoch: None,
) -> Iterator[dict[str, Any]]:
    """Run the experiments, each with published and with tuned settings, and yield a row for each metric.

    ``datasets`` holds the loaded datasets of ``here()`` by name. Where no author describes settings, or no figure is
    reported, that entry is ``None``.
    """
    for experiment in here():
        dataset = datasets[experiment.dataset]
        measured: dict[str, Mapping[str, float]] = {}
        for label in ("published", "tuned"):
            published = label == "published"
            if published and MODELS[experiment.model].published is None:
                continue
            told = f"{experiment.model}, {label}"
            measured[label] = evaluate(
                experiment.model,
                dataset,
                experiment.split,
                experiment.task,
                choose(experiment.model, published),
                seed,
                progress=lambda epoch, told=told: progress(told, epoch),  # type: ignore[misc]
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
