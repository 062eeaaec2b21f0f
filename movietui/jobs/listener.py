"""The callbacks through which long work reports: the command line draws its progress, and a job sends it as events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any

from movietui.data.progress import Report, silent
from movietui.protocol.jobs import EpochProgress, SweepRow

if TYPE_CHECKING:
    from movietui.models.base import Epoch


def ignore(*values: Any) -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Listener:
    """The callbacks for long work. A callback that raises ``Cancelled`` ends the work cleanly."""

    stage: Report = silent
    """Called with the progress of fetching, cleaning and loading."""
    epoch: Callable[[str, EpochProgress], None] = ignore
    """Called after each epoch, with the name of the fit and the epoch."""
    inside: Report = silent
    """Called with the progress within an epoch, or within a fit that has no epochs."""
    say: Callable[[str], None] = ignore
    """Called with a sentence for the user."""
    known: Callable[[int], None] = ignore
    """Called with the number of combinations that the same sweep has measured before it was interrupted."""
    row: Callable[[SweepRow], None] = ignore
    """Called with each measured combination of a sweep."""
    gate: Event | None = None
    """Clear it to pause a fit at its next report of progress, which may be within an epoch; set it to continue."""


SILENT = Listener()


def epoch_message(epoch: Epoch) -> EpochProgress:
    """Return an epoch as a message."""
    message: EpochProgress = {
        "epoch": epoch.number,
        "of": epoch.of,
        "train_loss": epoch.train_loss,
        "validation_loss": epoch.validation_loss,
    }
    return {**message, "stage": epoch.stage} if epoch.stage else message
