"""The progress of a run, and what was done for the run on a cluster, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from movietui.data.language import mark, mark_noun, tr
from movietui.data.progress import WHOLE
from movietui.formatting import text
from movietui.models.choices import CLOSED_FORM, TRAIN_LOSSES
from movietui.protocol.jobs import EpochRow

PHASES = {
    "curve": tr("learning"),
    "measure": tr("measuring on the test part"),
    "serve": tr("training on all ratings"),
}
"""The phases of training (see ``movietui.models.evaluation.measure.Phase``), in words."""
UNIT = tr("mean squared error, in stars²")
"""What losses are, and in which unit."""
NO_LOSSES = tr("There are no losses, because the dataset has no stars.")


def progress_text(progress: Mapping[str, Any]) -> str:
    """Return the progress of a run: ``learning, epoch 3 of 40, 12 s left``, ``learning, bayes, 12%, 4 min left``,
    ``Fitting als, 3 of 8 tasks``."""
    if progress.get("unit") == "tasks":
        tasks = ""
        if progress["of"]:
            tasks = tr(", {done:,} of {tasks}", done=progress["epoch"], tasks=text.plural(progress["of"], "task"))
        return f"{progress['phase']}{tasks}"
    left = tr(", {duration} left", duration=text.duration(progress["left"])) if progress["left"] else ""
    phase = PHASES.get(progress["phase"], progress["phase"])
    unit, done, of = progress.get("unit", "epoch"), progress["epoch"], progress["of"]
    number = f"{progress.get('stage', '')}, {done / max(of, 1):.0%}" if unit == WHOLE else reached(unit, done, of)
    return ", ".join(filter(None, (phase, number))) + left


def reached(unit: str, number: int, of: int) -> str:
    """Return how many epochs or stages of a fit are done: ``epoch 3 of 40``; empty for the only stage of a fit."""
    return "" if (unit, of) == ("stage", 1) else tr("{unit} {number} of {total}", unit=unit, number=number, total=of)


def has_stages(epochs: Sequence[EpochRow]) -> bool:
    """Return whether a curve has named stages, as a blend's has, rather than epochs."""
    return any("stage" in epoch for epoch in epochs)


def has_losses(epochs: Sequence[EpochRow]) -> bool:
    """Return whether a curve has losses; it has none if the dataset has no stars."""
    return any(epoch["train_loss"] is not None for epoch in epochs)


def has_validation(epochs: Sequence[EpochRow]) -> bool:
    """Return whether a curve has validation losses; that of a model that is fitted only once has none."""
    return any(epoch["validation_loss"] is not None for epoch in epochs)


def loss_headings(epochs: Sequence[EpochRow]) -> tuple[str, str]:
    """Return the headings of a curve's first two columns, which are the name of a row and its first loss; ``tr``
    translates them."""
    if not has_stages(epochs):
        return mark("epoch"), mark("train")
    return mark("stage"), mark("train") if epochs[0].get("stage") == CLOSED_FORM else mark("held out")


def loss_text(loss: float | None) -> str:
    """Return a loss with four decimals; empty if there is none."""
    return "" if loss is None else f"{loss:.4f}"


def losses_text(model: str, train: str = "train") -> str:
    """Return what the losses of a model are measured on. ``train``: what the first one is called."""
    of_train = f"; {tr(train)}: {TRAIN_LOSSES[model]}" if model in TRAIN_LOSSES else ""
    return f"{UNIT}{of_train}"


def cluster_text(cluster: Mapping[str, Any]) -> str:
    """Return where on a cluster a run was trained, and what was done there; empty for other runs."""
    if not cluster:
        return ""
    work = {"jobs": mark_noun("job"), "stages": mark_noun("stage"), "tasks": mark_noun("task")}
    done = ", ".join(text.plural(cluster[name], noun) for name, noun in work.items())
    failed = ""
    if cluster["failed_tasks"]:
        failed = tr(", {tasks} repeated", tasks=text.plural(cluster["failed_tasks"], "failed task"))
    return f"{cluster['master']}, {text.plural(cluster['executors'], 'executor')} · {done}{failed}"
