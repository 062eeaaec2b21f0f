"""The experiments of the five earlier systems: what their authors reported, and our measurements."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace

from movietui.data.dataset import Dataset
from movietui.data.language import tr
from movietui.models.base import Epoch
from movietui.models.choices import Task
from movietui.models.evaluation.measure import choose, evaluate
from movietui.models.registry import MODELS
from movietui.models.settings import Settings


@dataclass(frozen=True)
class Experiment:
    """An earlier system's model and protocol."""

    source: str
    model: str
    reported: Mapping[str, float | None]
    """The author's figure for each metric; ``None`` without a number."""
    dataset: str = "ml-100k"
    split: str = "random80"
    task: Task = "rating"
    cleaning: str = "none"
    """The preset that cleans as the author describes."""
    note: str = ""
    """How the author's protocol differs from ours, as far as the author describes it."""

    @property
    def data(self) -> tuple[str, str]:
        """The dataset and its cleaning."""
        return self.dataset, self.cleaning


ADDED = {"mean": True, "biases": True, "folded": True, "residuals": True}
"""The settings that add to a published model what its author does not describe: the overall mean and biases, folding
users in after the fit, and rows of residuals instead of ratings."""


def extended(settings: Settings) -> Settings | None:
    """Return published settings with ``ADDED``, or ``None`` if that changes nothing."""
    named = asdict(settings)
    added = replace(settings, **{name: value for name, value in ADDED.items() if name in named})
    return None if added == settings else added


UNKNOWN_SPLIT = tr("the author's split is not described")
CURVE = tr("reported as a curve only")
INFERRED = tr("the author does not describe the scale; /25 is inferred from the size of the figure")
NOT_REPRODUCIBLE = tr("not reproducible: predicting 2 stars for every rating has a lower mse, 3.61")
EXPERIMENTS = (
    Experiment(
        "000",
        "demographic",
        {"mae": 0.84, "mse": 1.199, "accuracy": 0.35},
        note=tr("mae on another random fifth; mse and accuracy on all ratings, including those trained on"),
    ),
    Experiment("001", "dot", {"rmse": None}, "ml-1m", "random90", note=tr("no figure reported")),
    Experiment("001", "ncf", {"rmse": None}, "ml-1m", "random90", note=tr("no figure reported")),
    Experiment("002", "pair", {"mse_scaled": 0.09}, split="kfold5-0", task="pair", note=f"{UNKNOWN_SPLIT}; {INFERRED}"),
    Experiment("003", "user-knn", {"mse": 1.0906}, note=UNKNOWN_SPLIT),
    Experiment("003", "item-knn", {"mse": 4.4829}, note=f"{UNKNOWN_SPLIT}; {NOT_REPRODUCIBLE}"),
    Experiment("003", "sgd-mf", {"mse": None}, note=CURVE),
    Experiment("003", "deep-mf", {"mse": None}, note=CURVE),
    Experiment("003", "residual-mf", {"mse": None}, note=CURVE),
    Experiment("003", "autorec", {"mse": None}, note=CURVE),
    Experiment("004", "hybrid", {"mse_scaled": 0.041384}, cleaning="as in 004", note=f"{UNKNOWN_SPLIT}; {INFERRED}"),
)


def runnable() -> list[Experiment]:
    """Return the experiments whose models are in ``MODELS``."""
    return [experiment for experiment in EXPERIMENTS if experiment.model in MODELS]


def reproduce(
    datasets: Mapping[tuple[str, str], Dataset],
    seed: int = 0,
    progress: Callable[[str, Epoch], None] = lambda label, epoch: None,
) -> Iterator[dict[str, str | float | None]]:
    """Run the experiments, and yield a row for each metric with the author's figure and ours.

    Ours are measured with three sets of settings: ``published``, which does what the author describes and nothing else,
    ``extended``, which adds ``ADDED``, and ``tuned``. ``datasets`` holds the datasets of ``runnable()``, by name and
    cleaning. A value is ``None`` if the author describes no settings or reports no figure, or if ``ADDED`` changes
    nothing.
    """
    for experiment in runnable():
        dataset = datasets[experiment.data]
        published = MODELS[experiment.model].published
        chosen = {
            "published": published,
            "extended": extended(published) if published is not None else None,
            "tuned": choose(experiment.model),
        }
        measured: dict[str, Mapping[str, float]] = {}
        for label, settings in chosen.items():
            if settings is None:
                continue
            name = f"{experiment.model}, {label}"
            measured[label] = evaluate(
                experiment.model,
                dataset,
                experiment.split,
                experiment.task,
                settings,
                seed,
                progress=lambda epoch, name=name: progress(name, epoch),  # type: ignore[misc]
            ).metrics
        for metric, reported in experiment.reported.items():
            yield {
                "source": experiment.source,
                "model": experiment.model,
                "dataset": experiment.dataset,
                "cleaning": experiment.cleaning,
                "split": experiment.split,
                "seed": seed,
                "metric": metric,
                "reported": reported,
                **{label: measured[label][metric] if label in measured else None for label in chosen},
                "note": experiment.note,
            }
