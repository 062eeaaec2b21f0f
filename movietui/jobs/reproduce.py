"""Repeat the experiments of the earlier systems."""

from typing import Any

from movietui.data import catalogue
from movietui.jobs.listener import SILENT, Listener, epoch_message


def reproduce(seed: int = 0, listener: Listener = SILENT) -> list[dict[str, Any]]:
    """Run every experiment whose model we have, and return what ``reproduce --json`` prints."""
    from movietui.models.evaluation import reproduce as experiments

    names = dict.fromkeys(experiment.dataset for experiment in experiments.runnable())
    datasets = {name: catalogue.load(name, "none", listener.stage) for name in names}
    rows = experiments.reproduce(datasets, seed, lambda label, epoch: listener.epoch(label, epoch_message(epoch)))
    return list(rows)
