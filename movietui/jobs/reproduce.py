"""Repeat the experiments of the earlier systems."""

from typing import Any

from movietui.data import catalogue
from movietui.jobs.listener import SILENT, Listener, epoch_message


def reproduce(seed: int = 0, listener: Listener = SILENT) -> list[dict[str, Any]]:
    """Run every experiment whose model we have, and return what ``reproduce --json`` prints."""
    from movietui.models.evaluation import reproduce as experiments

    needed = dict.fromkeys(experiment.data for experiment in experiments.runnable())
    datasets = {data: catalogue.load(*data, listener.stage) for data in needed}
    rows = experiments.reproduce(datasets, seed, lambda label, epoch: listener.epoch(label, epoch_message(epoch)))
    return list(rows)
