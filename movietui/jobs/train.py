"""Train a model and store the run: its settings, curve, metrics and checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from movietui import models
from movietui.data import catalogue
from movietui.data.language import tr
from movietui.data.problems import is_stop
from movietui.data.progress import Report, Stage
from movietui.data.split_names import check_seed
from movietui.data.splits import split
from movietui.data.storage import locations
from movietui.jobs.environment import environment_of, fingerprints
from movietui.jobs.listener import SILENT, Listener, epoch_message, epoch_row
from movietui.models.choices import phases
from movietui.protocol.jobs import EpochProgress, TrainResult
from movietui.protocol.wire import sentence
from movietui.store import interrupts
from movietui.store.ratings import Store
from movietui.store.runs import SERVED_SPLIT, Recorder, Runs

if TYPE_CHECKING:
    from movietui.data.dataset import Dataset
    from movietui.models.base import Epoch
    from movietui.models.evaluation.measure import Trained
    from movietui.models.settings import Settings
    from movietui.models.training.resume import States


@dataclass(frozen=True)
class TrainRequest:
    """Which model to train, and on what."""

    model: str
    dataset: str
    cleaning: str
    split: str | None = None
    """The split whose train part the model learns from. Without one, the model is measured on ``SERVED_SPLIT`` and then
    trained on all ratings, unless the dataset is very large; see ``movietui.models.evaluation.measure.train``."""
    published: bool = False
    """Whether to start from the published settings rather than the tuned ones."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Changes to the settings, as typed."""
    seed: int = 0
    """The seed of the model."""
    split_seed: int = 0

    @property
    def measured_on(self) -> str:
        """The split on which the model is measured."""
        return self.split or SERVED_SPLIT

    def to_json(self) -> dict[str, Any]:
        """Return what is stored with the run, besides its model and dataset, so that it can be trained again."""
        return {
            "split": self.split,
            "cleaning": self.cleaning,
            "published": self.published,
            "settings": {**self.settings},
            "seed": self.seed,
            "split_seed": self.split_seed,
        }


@dataclass(frozen=True)
class Prepared:
    """A request with its data loaded and its settings parsed."""

    request: TrainRequest
    settings: Settings
    dataset: Dataset
    device: str
    """The device that the model is fitted on."""
    split: str
    """What the run calls the split on which the model is measured."""

    @property
    def phases(self) -> Mapping[str, float]:
        """The fits to come, in order, each with how long it takes as a share of the first one."""
        return phases(self.request.model, len(self.dataset.ratings), refit_all=self.request.split is None)


def record_end(recorder: Recorder | None, error: BaseException) -> None:
    """Record that a run was cancelled or failed, if there is a recorder, so it has begun. ``error``: what ended it."""
    if recorder is None:
        return
    if is_stop(error):
        recorder.end("cancelled")
    elif isinstance(error, Exception):
        recorder.end("failed", problem=sentence(error))


def train(
    store: Store,
    request: TrainRequest,
    listener: Listener = SILENT,
    *,
    run: int | None = None,
    again: bool = False,
) -> TrainResult:
    """Train a model, store the run and its checkpoint, and return what ``train --json`` prints.

    ``run``: the number of a queued run to train; without it, a new run begins. Once the run has begun, its end is
    recorded, even if the training fails or is interrupted. If the same training was interrupted before, it resumes
    after the last epoch that was saved, and the listener is told so; if it is trained ``again`` but nothing was saved,
    the listener is told that it starts over.
    """
    prepared = prepare(request, listener.stage)
    recorder: Recorder | None = None
    try:
        with interrupts.delayed():  # from the moment that the run exists, its end is recorded
            run = begin(store, prepared, run)
            recorder = Recorder(Runs(store), run, prepared.phases)
        trained = fit(prepared, recorder, listener, again=again)
        checkpoint = checkpoint_of(store, run)
        save(store, run, checkpoint, trained, prepared.dataset)
        seconds, cpu_seconds = sum(trained.seconds.values()), sum(trained.cpu_seconds.values())
        recorder.curve = [*map(epoch_row, trained.fitted.curve)]  # only the end of a fit knows the loss of its model
        recorder.end(
            "done",
            seconds=seconds,
            cpu_seconds=cpu_seconds,
            best_epoch=trained.fitted.best_epoch,
            metrics=trained.metrics,
        )
    except BaseException as error:
        record_end(recorder, error)
        raise
    return {
        "run": run,
        "model": request.model,
        "dataset": request.dataset,
        "cleaning": prepared.dataset.cleaning,
        "split": trained.split,
        "fitted_on": trained.fitted_on,
        "seed": request.seed,
        "split_seed": request.split_seed,
        "imdb": prepared.dataset.joined,
        "settings": asdict(prepared.settings),
        "epochs": recorder.curve,
        "best_epoch": trained.fitted.best_epoch,
        "metrics": trained.metrics,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "device": prepared.device,
        "peak_bytes": recorder.peak_bytes,
        "checkpoint": str(checkpoint),
    }


def prepare(request: TrainRequest, report: Report) -> Prepared:
    """Parse the settings, load the data and check the split, all before the run begins. Raises ``Problem``."""
    settings = models.choose(request.model, request.published, request.settings)
    check_seed(request.measured_on, request.split_seed)
    dataset = catalogue.load(request.dataset, request.cleaning, report)
    models.check_ratings([request.model], dataset, "ranking")
    device = device_of(request.model)
    measured_on = split(dataset, request.measured_on, request.split_seed).name
    return Prepared(request, settings, dataset, device, measured_on)


def device_of(model: str) -> str:
    """Return the device that a model is fitted on; torch is imported only for models that need it.

    Raises ``Problem`` if the model needs torch and torch cannot be imported.
    """
    kind = models.MODELS[model]
    kind.check_torch()
    if not kind.on_device:
        return "cpu"
    from movietui.models.training import device

    return str(device.choose_device())


def begin(store: Store, prepared: Prepared, run: int | None) -> int:
    """Begin the queued run with the number ``run``, or a new run, and return its number."""
    request, cleaning, settings = prepared.request, prepared.dataset.cleaning, asdict(prepared.settings)
    imdb = prepared.dataset.joined
    if run is not None:
        Runs(store).begin(
            run, cleaning, settings, imdb=imdb, device=prepared.device, environment=environment_of(prepared.dataset)
        )
        return run
    return store.start_run(
        request.model,
        request.dataset,
        cleaning,
        prepared.split,
        request.seed,
        settings,
        split_seed=request.split_seed,
        imdb=imdb,
        request=request.to_json(),
        device=prepared.device,
        environment=environment_of(prepared.dataset),
    )


def fit(prepared: Prepared, recorder: Recorder, listener: Listener, *, again: bool = False) -> Trained:
    """Fit and measure the model, and record each epoch. At each report of progress, wait while ``gate`` is cleared."""
    from movietui.models.training.resume import resumable
    from movietui.models.training.stages import reporting

    def pause() -> None:
        if listener.gate is not None and not listener.gate.is_set():
            recorder.hold(listener.gate.wait)

    def on_epoch(phase: str, epoch: Epoch) -> None:
        message: EpochProgress = {**epoch_message(epoch), "fits": sum(prepared.phases.values())}
        recorder.epoch(phase, message)
        listener.epoch(phase, message)
        pause()

    def on_step(stage: Stage) -> None:
        listener.inside(recorder.inside(stage), stage)
        pause()

    request, states = prepared.request, states_of(prepared, listener)
    if again and not states.exist:
        listener.say(tr("Nothing of the interrupted training was saved, so it starts over."))
    with resumable(states), reporting(on_step):
        return models.train(
            request.model,
            prepared.dataset,
            request.measured_on,
            refit_all=request.split is None,
            settings=prepared.settings,
            seed=request.seed,
            split_seed=request.split_seed,
            progress=on_epoch,
        )


def states_of(prepared: Prepared, listener: Listener) -> States:
    """Return the states of this training on disk, from which it can resume after an interruption."""
    from movietui.models.training.resume import States

    request = prepared.request

    def resumed(last: Epoch) -> None:
        listener.say(
            tr(
                "Resuming after epoch {epoch} of {total}, where the same training was interrupted.",
                epoch=last.number,
                total=last.of,
            )
        )

    return States(
        locations.unfinished(),
        {
            "model": request.model,
            "settings": asdict(prepared.settings),
            "seed": request.seed,
            "split": [request.split, request.split_seed],
            "dataset": [*fingerprints(prepared.dataset).values()],
        },
        resumed,
    )


def save(store: Store, run: int, checkpoint: Path, trained: Trained, dataset: Dataset) -> None:
    """Save the model to its checkpoint, and store its errors by user and by subgroup, if any, with the run."""
    from movietui.jobs.detail import detail
    from movietui.models.evaluation.per_user import sum_by_user

    models.save(
        checkpoint,
        trained.model,
        dataset,
        split=trained.split,
        fitted_on=trained.fitted_on,
        metrics=trained.metrics,
    )
    if trained.prediction is None:
        return
    by_user = sum_by_user(trained.parts, trained.prediction, trained.lists)
    subgroups = detail(trained.parts, trained.prediction)
    Runs(store).measured(run, by_user.fingerprint, by_user.to_bytes(), subgroups)


def checkpoint_of(store: Store, number: int) -> Path:
    """Return the folder of a run's checkpoint."""
    run = store.run(number)
    assert run is not None
    return locations.checkpoint(run.checkpoint)


def resume(store: Store, number: int, listener: Listener = SILENT) -> TrainResult:
    """Resume an interrupted, cancelled or failed run under its number, and return what ``train`` returns."""
    run = Runs(store).again(number)
    try:
        return train(store, TrainRequest(run.model, run.dataset, **run.request), listener, run=number, again=True)
    # If the training did not begin, its end is recorded here; otherwise, ``train`` has recorded it.
    except (KeyboardInterrupt, Exception) as error:
        if is_stop(error):
            Runs(store).end_unfinished(number, "cancelled")
        else:
            Runs(store).end_unfinished(number, "failed", sentence(error))
        raise
