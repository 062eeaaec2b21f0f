"""The progress of a run, and what was done for the run on a cluster, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from movietui.formatting import text
from movietui.models.choices import TRAIN_LOSSES
from movietui.protocol.jobs import EpochRow

PHASES = {
    "curve": "learning",
    "measure": "measuring on the test part",
    "serve": "training on all ratings",
}
"""The phases of training (see ``movietui.models.evaluation.measure.Phase``), in words."""
UNIT = "mean squared error, in stars²"
"""What losses are, and in which unit."""


def progress_text(progress: Mapping[str, Any]) -> str:
    """Return the progress of a run: ``learning, epoch 3 of 40, 12 s left``, ``Fitting als, 3 of 8 tasks``."""
    if progress.get("unit") == "tasks":
        tasks = f", {progress['epoch']:,} of {text.plural(progress['of'], 'task')}" if progress["of"] else ""
        return f"{progress['phase']}{tasks}"
    left = f", {text.duration(progress['left'])} left" if progress["left"] else ""
    phase = PHASES.get(progress["phase"], progress["phase"])
    return f"{phase}, epoch {progress['epoch']} of {progress['of']}{left}"


def has_stages(epochs: Sequence[EpochRow]) -> bool:
    """Return whether a curve has named stages, as a blend's has, rather than epochs."""
    return any("stage" in epoch for epoch in epochs)


def loss_headings(epochs: Sequence[EpochRow]) -> tuple[str, str]:
    """Return the headings of a curve's first two columns, which are the name of a row and its first loss."""
    return ("stage", "held out") if has_stages(epochs) else ("epoch", "train")


def losses_text(model: str, train: str = "train") -> str:
    """Return what the losses of a model are measured on. ``train``: what the first one is called."""
    of_train = f"; {train}: {TRAIN_LOSSES[model]}" if model in TRAIN_LOSSES else ""
    return f"{UNIT}{of_train}"


def cluster_text(cluster: Mapping[str, Any]) -> str:
    """Return where on a cluster a run was trained, and what was done there; empty for other runs."""
    if not cluster:
        return ""
    done = ", ".join(text.plural(cluster[name], name[:-1]) for name in ("jobs", "stages", "tasks"))
    failed = f", {text.plural(cluster['failed_tasks'], 'failed task')} repeated" if cluster["failed_tasks"] else ""
    return f"{cluster['master']}, {text.plural(cluster['executors'], 'executor')} · {done}{failed}"
