"""The callbacks through which long work reports: the command line draws its progress, and a job sends it as events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any, cast

from movietui.data.progress import Report, Stage, silent
from movietui.protocol.jobs import EpochProgress, EpochRow, SweepRow

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
    inside: Callable[[str, Stage], None] = ignore
    """Called with the name of the fit and the progress within an epoch, or within a fit that has no epochs."""
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
    return cast(EpochProgress, {**epoch_row(epoch), "of": epoch.of})


def epoch_row(epoch: Epoch) -> EpochRow:
    """Return an epoch as a point of a curve."""
    row: EpochRow = {
        "epoch": epoch.number,
        "train_loss": epoch.train_loss,
        "validation_loss": epoch.validation_loss,
    }
    return {**row, "stage": epoch.stage} if epoch.stage else row
