"""Measure a model with every combination of some settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from movietui import __version__
from movietui.data import catalogue
from movietui.data.splits import name_of
from movietui.data.storage import locations
from movietui.formatting.settings import settings_text
from movietui.jobs.listener import SILENT, Listener, epoch_message
from movietui.models.registry import plugin_of
from movietui.protocol.jobs import SweepRow

if TYPE_CHECKING:
    from movietui.models.base import Epoch
    from movietui.models.evaluation.sweep import Swept


@dataclass(frozen=True)
class SweepRequest:
    """Which settings of a model to try, and on what."""

    model: str
    dataset: str
    split: str
    grid: Mapping[str, Sequence[str]]
    """The values of each setting, as typed."""
    cleaning: str = "none"
    published: bool = False
    """Whether the other settings are the published ones rather than the tuned ones."""
    seed: int = 0
    split_seed: int = 0
    fresh: bool = False
    """Whether to measure again what earlier sweeps have measured."""


def sweep(request: SweepRequest, listener: Listener = SILENT) -> list[SweepRow]:
    """Measure a model with every combination of settings and return what ``sweep --json`` prints, best first.

    Unless the request is ``fresh``, results of earlier sweeps are reused, even of interrupted ones.
    """
    from movietui.models.evaluation import sweep as measured

    combinations = measured.combine(request.model, request.grid, request.published)
    dataset = catalogue.load(request.dataset, request.cleaning, listener.stage)
    results = measured.Results(
        locations.sweeps(),
        model=request.model,
        data=dataset.fingerprint,
        split=name_of(request.split),
        seeds=[request.seed, request.split_seed],
        version=plugin.version if (plugin := plugin_of(request.model)) else __version__,
    )
    if request.fresh:
        results.forget()
    stored = results.read()
    known = sum(measured.key_of(settings) in stored for _, settings in combinations)
    if known:
        listener.known(known)
    numbers = {settings_text(changes): number for number, (changes, _) in enumerate(combinations, 1)}

    def on_epoch(changes: dict[str, str], epoch: Epoch) -> None:
        label = settings_text(changes)
        listener.epoch(f"{numbers[label]} of {len(combinations)}: {label}", epoch_message(epoch))

    def row(swept: Swept) -> SweepRow:
        return {
            "model": request.model,
            "dataset": request.dataset,
            "split": request.split,
            "split_seed": request.split_seed,
            "seed": request.seed,
            "cleaning": dataset.cleaning,
            "grid": swept.changes,
            "settings": asdict(swept.settings),
            "metrics": swept.metrics,
            "test": swept.test,
            "seconds": {"fit": swept.fit_seconds},
        }

    ranked = measured.sweep(
        request.model,
        dataset,
        request.split,
        combinations,
        request.seed,
        request.split_seed,
        on_epoch,
        lambda swept: listener.row(row(swept)),
        results,
    )
    return [row(swept) for swept in ranked]
