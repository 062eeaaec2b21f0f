"""What a job is asked to do, and the events that it reports: one TypedDict for each, with a discriminating field.

A job takes one request, reports its events, and ends with ``done``, ``failed`` or ``cancelled``.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Literal, NotRequired, Protocol, TypedDict

from movietui.protocol.messages import CleaningReport, ImdbReport

# Requests


class GetJob(TypedDict):
    """Get a dataset, from a path or by its name, and clean it."""

    do: Literal["get"]
    name: str
    path: str | None
    cleaning: str


class CleanJob(TypedDict):
    """Clean a dataset that is on disk."""

    do: Literal["clean"]
    name: str
    cleaning: str


class RemoveJob(TypedDict):
    """Remove a dataset from the disk."""

    do: Literal["remove"]
    name: str


class ImdbJob(TypedDict):
    """Join a dataset with IMDb's tables, from a folder or downloaded."""

    do: Literal["imdb"]
    name: str
    path: str | None


class TrainOptions(TypedDict):
    """How a model is trained; the store keeps it with the run."""

    cleaning: str
    split: NotRequired[str | None]
    """Without one the model is measured on the usual split, then trained on all ratings."""
    settings: NotRequired[Mapping[str, Any]]
    """Changes to the settings."""
    published: NotRequired[bool]
    """Whether the changes are to the published settings, not to the tuned ones."""
    seed: NotRequired[int]


class TrainJob(TrainOptions):
    """Train a model: a run that waits in the queue, or a new one."""

    do: Literal["train"]
    model: str
    dataset: str
    run: NotRequired[int]


class SweepOptions(TypedDict):
    """What a sweep measures: every combination of the grid."""

    split: str
    cleaning: str
    seed: int
    grid: Mapping[str, Sequence[str]]


class SweepJob(SweepOptions):
    """Measure a model with many settings."""

    do: Literal["sweep"]
    model: str
    dataset: str


JobRequest = GetJob | CleanJob | RemoveJob | ImdbJob | TrainJob | SweepJob

# Results


class GetResult(TypedDict):
    """A dataset that is on disk now, as ``data get --json`` prints it, and how it was cleaned."""

    dataset: str
    source: str
    ratings: int
    users: int
    movies: int
    seconds: float
    note: str
    report: CleaningReport


class RemoveResult(TypedDict):
    """A dataset that was removed, as ``data remove --json`` prints it."""

    dataset: str
    bytes: int
    """Freed on disk."""
    in_use: bool


class EpochRow(TypedDict):
    """A point of a curve; losses are mean squared errors in stars squared."""

    epoch: int
    train_loss: float
    validation_loss: float | None


class EpochProgress(EpochRow):
    """A point of a curve, and how many epochs there will be at most."""

    of: int


class TrainResult(TypedDict):
    """A run that is done, as ``train --json`` prints it."""

    run: int
    model: str
    dataset: str
    cleaning: str
    split: str
    fitted_on: str
    seed: int
    settings: dict[str, Any]
    epochs: Sequence[EpochRow]
    best_epoch: int | None
    metrics: dict[str, float]
    seconds: float
    device: str
    peak_bytes: int
    checkpoint: str


class SweepRow(TypedDict):
    """A combination that was measured, as ``sweep --json`` prints it."""

    model: str
    dataset: str
    split: str
    split_seed: int
    seed: int
    cleaning: str
    grid: Mapping[str, str]
    """The settings that were varied, as typed."""
    settings: Mapping[str, Any]
    metrics: Mapping[str, float]
    """On the validation part."""
    test: Mapping[str, float] | None
    """Of the best combination only."""
    seconds: Mapping[str, float]
    """``fit``."""


class SweepResult(TypedDict):
    """The combinations of a sweep, the best first."""

    rows: list[SweepRow]


JobResult = GetResult | CleaningReport | RemoveResult | ImdbReport | TrainResult | SweepResult

# Events


class StageFields(TypedDict):
    """The fields of ``movietui.data.progress.Stage``."""

    name: str
    done: int
    total: int
    unit: str
    note: str
    finished: bool
    rate: float
    seconds_left: float | None


class StageEvent(StageFields):
    """How far a stage of the work is."""

    event: Literal["stage"]


class InsideEvent(StageFields):
    """How far a fit is within an epoch, or a fit that has no epochs."""

    event: Literal["inside"]


class EpochEvent(EpochProgress):
    """An epoch that is over."""

    event: Literal["epoch"]
    phase: str


class ResultEvent(TypedDict):
    """A combination of a sweep that was measured."""

    event: Literal["result"]
    row: SweepRow


ProgressEvent = StageEvent | InsideEvent | EpochEvent | ResultEvent


class DoneEvent(TypedDict):
    """The job is done. Which result it has follows from the request."""

    event: Literal["done"]
    result: JobResult


class FailedEvent(TypedDict):
    """The job could not be done, with a sentence that says why."""

    event: Literal["failed"]
    problem: str


class CancelledEvent(TypedDict):
    """The job was stopped."""

    event: Literal["cancelled"]


JobEvent = ProgressEvent | DoneEvent | FailedEvent | CancelledEvent


class JobClient(Protocol):
    """What the app needs of a job. The tests have implementations without a child process."""

    def events(self, request: JobRequest) -> AsyncGenerator[JobEvent, None]:
        """Do the work and report its events."""
        ...

    async def send(self, do: Literal["pause", "resume"]) -> None:
        """Pause or resume a training."""

    async def cancel(self) -> None:
        """Stop the work."""
