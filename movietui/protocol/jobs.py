"""The requests that jobs take, their results, and the events that they report.

A job takes one request and reports events. The last event is ``done``, ``failed`` or ``cancelled``. The field ``do`` of
a message names the request, and the field ``event`` the event.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Literal, NotRequired, Protocol, TypedDict

from movietui.models.choices import FittedOn, Sampler
from movietui.protocol.messages import CleaningReport, ImdbReport

# Requests


class GetJob(TypedDict):
    """Fetch a dataset, or read it from a path, and clean it."""

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
    """Join a dataset with IMDb's tables, which are read from a folder or downloaded."""

    do: Literal["imdb"]
    name: str
    path: str | None


class TrainOptions(TypedDict):
    """How a model is trained. The store records this for each run."""

    cleaning: str
    split: NotRequired[str | None]
    """The split whose train part the model learns from. Without it, the model is measured on the usual split and then
    trained on all ratings, unless the dataset is very large; see ``movietui.models.evaluation.measure.train``."""
    settings: NotRequired[Mapping[str, Any]]
    """Changes to the tuned or published settings."""
    published: NotRequired[bool]
    """Whether to start from the published settings rather than the tuned ones."""
    seed: NotRequired[int]
    """The seed of the model."""
    split_seed: NotRequired[int]


class TrainJob(TrainOptions):
    """Train a model."""

    do: Literal["train"]
    model: str
    dataset: str
    run: NotRequired[int]
    """The number of a queued run. Without it, a new run begins."""


class SweepOptions(TypedDict):
    """What a sweep measures; see ``movietui.jobs.sweep.SweepRequest``."""

    split: str
    cleaning: str
    seed: int
    grid: Mapping[str, Sequence[str]]
    metric: str
    sampler: Sampler
    tries: int | None


class SweepJob(SweepOptions):
    """Measure a model with many combinations of settings."""

    do: Literal["sweep"]
    model: str
    dataset: str


JobRequest = GetJob | CleanJob | RemoveJob | ImdbJob | TrainJob | SweepJob

# Results


class GetResult(TypedDict):
    """A dataset that was fetched, as ``data get --json`` prints it, and how it was cleaned."""

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
    """How many bytes were freed on disk."""
    in_use: bool
    """Whether the dataset was in use; see ``Store.dataset_in_use``."""
    cluster: str
    """Where its ratings stay on a cluster; empty if they are not on a cluster."""


class EpochRow(TypedDict):
    """A point of a curve. Losses are mean squared errors in stars squared; ``None`` if the dataset has no stars."""

    epoch: int
    train_loss: float | None
    validation_loss: float | None
    stage: NotRequired[str]
    """The name of a stage; see ``movietui.models.base.Epoch.stage``."""


class EpochProgress(EpochRow):
    """A point of a curve, with the maximum number of epochs."""

    of: int
    fits: NotRequired[float]
    """How long the whole training takes, in units of its first fit: 2 for two fits that take the same time."""


class TrainResult(TypedDict):
    """A run that is done, as ``train --json`` prints it."""

    run: int
    model: str
    dataset: str
    cleaning: str
    split: str
    fitted_on: FittedOn
    seed: int
    split_seed: int
    imdb: str
    """The fingerprint of the dataset's join with IMDb; empty without a join."""
    settings: dict[str, Any]
    epochs: Sequence[EpochRow]
    best_epoch: int | None
    metrics: dict[str, float]
    seconds: float
    cpu_seconds: float | None
    """The processor time of the fits, over all threads; ``None`` on a cluster."""
    device: str
    peak_bytes: int
    checkpoint: str


class SweepRow(TypedDict):
    """Settings that a sweep tried, as ``sweep --json`` prints them."""

    run: int
    """The run that measured the settings."""
    model: str
    dataset: str
    split: str
    split_seed: int
    seed: int
    cleaning: str
    grid: Mapping[str, str]
    """The value of each varied setting, as text."""
    settings: Mapping[str, Any]
    metric: str
    """What the settings are chosen by."""
    metrics: Mapping[str, float]
    """Measured on the validation part; empty if the fit was stopped."""
    test: Mapping[str, float] | None
    """The metrics on the test part; ``None`` unless these settings are the best."""
    seconds: Mapping[str, float]
    """How long the fit took, as ``fit``."""
    problem: str
    """Why the fit was stopped; empty for a whole fit."""


class SweepResult(TypedDict):
    """The combinations of a sweep, the best first."""

    rows: list[SweepRow]


JobResult = GetResult | CleaningReport | RemoveResult | ImdbReport | TrainResult | SweepResult

# Events


class WarmEvent(TypedDict):
    """A job that was started early has loaded torch, before it reads its request."""

    event: Literal["warm"]
    defect: str
    """What is wrong with torch, in words; empty if nothing is."""


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
    """The progress of a stage of the work."""

    event: Literal["stage"]


class InsideEvent(StageFields):
    """The progress within an epoch, or within a fit that has no epochs."""

    event: Literal["inside"]


class EpochEvent(EpochProgress):
    """An epoch that has ended."""

    event: Literal["epoch"]
    phase: str


class ResultEvent(TypedDict):
    """A measured combination of a sweep."""

    event: Literal["result"]
    row: SweepRow


ProgressEvent = StageEvent | InsideEvent | EpochEvent | ResultEvent


class DoneEvent(TypedDict):
    """The job is done. The type of the result depends on the request."""

    event: Literal["done"]
    result: JobResult


class FailedEvent(TypedDict):
    """The job failed. ``problem`` is a sentence that says why."""

    event: Literal["failed"]
    problem: str


class CancelledEvent(TypedDict):
    """The job was stopped."""

    event: Literal["cancelled"]


JobEvent = ProgressEvent | DoneEvent | FailedEvent | CancelledEvent


class JobClient(Protocol):
    """What the app needs from a job. Tests implement it without a child process."""

    async def torch_defect(self) -> str:
        """Load torch, and return what is wrong with it, in words; empty if a model that needs it can be trained.

        Call this before ``events``, at most once.
        """
        return ""

    def events(self, request: JobRequest) -> AsyncGenerator[JobEvent, None]:
        """Do the work, and yield its events."""
        ...

    async def send(self, do: Literal["pause", "resume"]) -> None:
        """Pause the training of a model at its next report of progress, or resume it."""

    async def cancel(self) -> None:
        """Stop the work."""
