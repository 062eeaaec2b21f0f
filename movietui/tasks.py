"""The work itself, without a screen: what the command line calls directly and the app's jobs call in a child."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean, stdev
from threading import Event
from typing import TYPE_CHECKING, Any

from data import catalogue, locations
from data.problems import Cancelled
from data.progress import Report, Stage, silent
from movietui import __version__
from movietui.processes import peak_bytes
from movietui.runs import SERVED_SPLIT, Recorder, Runs
from movietui.store import Store
from movietui.wire import Message, sentence

if TYPE_CHECKING:
    from data.dataset import Dataset, Floats, Ratings
    from models.model import Epoch

OnEpoch = Callable[[str, Message], None]


def _told(epoch: Epoch) -> Message:
    """Return an epoch as it is told."""
    return {"epoch": epoch.number, "of": epoch.of} | {
        name: getattr(epoch, name) for name in ("train_loss", "validation_loss")
    }


def unheard(phase: str, epoch: Message) -> None:
    """Tell no epochs."""


def get(name: str, path: Path | None = None, report: Report = silent, *, insecure: bool = False) -> dict[str, Any]:
    """Get a dataset, as ``data get --json`` prints it."""
    return catalogue.get(name, path, report, insecure=insecure).to_json()


def remove(store: Store, name: str) -> dict[str, Any]:
    """Remove a dataset, as ``data remove --json`` prints it."""
    removed = catalogue.remove(name).to_json()
    return {**removed, "in_use": store.dataset_in_use() == name}


def clean(name: str, cleaning: str, report: Report = silent) -> dict[str, Any]:
    """Clean a dataset, as ``data clean --json`` prints it."""
    return catalogue.clean(name, cleaning, report).to_json()


def imdb(name: str, folder: Path | None = None, report: Report = silent) -> dict[str, Any]:
    """Join a dataset with IMDb, as ``data imdb --json`` prints it."""
    return catalogue.join(name, folder, report).to_json()


def train(
    store: Store,
    model: str,
    dataset: str,
    *,
    split: str | None = None,
    cleaning: str,
    published: bool = False,
    settings: Mapping[str, str],
    seed: int = 0,
    run: int | None = None,
    on_stage: Report = silent,
    on_epoch: OnEpoch = unheard,
    on_inside: Report = silent,
    say: Callable[[str], None] = lambda line: None,
    gate: Event | None = None,
) -> dict[str, Any]:
    """Train a model, keep the run and its checkpoint, and return it as ``train --json`` prints it.

    Without a split the model is measured on ``SERVED_SPLIT`` and then learns from all ratings; with one it knows the
    train part only. ``settings`` are changes to the tuned settings, or to the published ones. Whatever ends it early
    is written down in the run: a new one, or ``run``, which waits in a queue. The same call again then goes on after
    the last epoch, and ``say`` is told so. ``on_inside`` hears what a fit is at between its epochs. After each epoch,
    and at what a fit tells between them, it waits while the ``gate`` is closed.
    """
    from data.splits import split as cut
    from models import evaluation
    from models.checkpoints import save
    from models.keeping import Keeper, keeping
    from models.stages import inside
    from models.tally import tally

    chosen = evaluation.choose(model, published, settings)
    loaded = catalogue.load(dataset, cleaning, on_stage)
    measured_on = split or SERVED_SPLIT
    device = _device_of(model)
    cut(loaded, measured_on)  # a split that does not fit is told before a run is begun
    runs = Runs(store)
    imdb = loaded.movies.imdb
    keeper = Keeper(
        locations.unfinished(),
        {
            "model": model,
            "settings": asdict(chosen),
            "seed": seed,
            "split": split,
            "dataset": [loaded.fingerprint, imdb.fingerprint if imdb else ""],
        },
        lambda last: say(f"Going on after epoch {last.number} of {last.of}, where the same training was cut off."),
    )

    def watch(phase: str, epoch: Epoch) -> None:
        told = _told(epoch)
        recorder.epoch(phase, told)
        on_epoch(phase, told)
        pause()

    def watch_inside(stage: Stage) -> None:
        on_inside(stage)
        pause()

    def pause() -> None:
        if gate is not None and not gate.is_set():
            recorder.hold(gate.wait)

    if run is None:
        request = {"split": split, "cleaning": cleaning, "published": published, "settings": {**settings}, "seed": seed}
        run = store.start_run(
            model, dataset, loaded.cleaning, measured_on, seed, asdict(chosen), request=request, device=device
        )
    else:
        runs.begin(run, loaded.cleaning, asdict(chosen), device)
    recorder = Recorder(runs, run, ("curve", "measure") if split else ("curve", "measure", "serve"))
    curve = recorder.curve
    try:  # at once: an interruption before would leave a run that nothing ends
        with keeping(keeper), inside(watch_inside):
            trained = evaluation.train(
                model,
                loaded,
                measured_on,
                refit_all=split is None,
                settings=chosen,
                seed=seed,
                progress=watch,
            )
        checkpoint = checkpoint_of(store, run)
        save(
            checkpoint,
            trained.model,
            loaded,
            split=trained.split,
            fitted_on=trained.fitted_on,
            metrics=trained.metrics,
        )
        kept = tally(trained.known, trained.test, trained.prediction, trained.lists)
        detail = _detail(trained.known, trained.test, trained.prediction)
        runs.measured(run, kept.rows, kept.to_bytes(), detail)
    except (KeyboardInterrupt, Cancelled):
        store.end_run(run, "cancelled", curve=curve, seconds=recorder.seconds, peak_bytes=peak_bytes())
        raise
    except Exception as error:
        problem = sentence(error)
        store.end_run(run, "failed", curve=curve, seconds=recorder.seconds, peak_bytes=peak_bytes(), problem=problem)
        raise
    seconds = sum(trained.seconds.values())
    peak = peak_bytes()
    store.end_run(
        run,
        "done",
        seconds=seconds,
        curve=curve,
        best_epoch=trained.fitted.best_epoch,
        metrics=trained.metrics,
        peak_bytes=peak,
    )
    return {
        "run": run,
        "model": model,
        "dataset": dataset,
        "cleaning": loaded.cleaning,
        "split": trained.split,
        "fitted_on": trained.fitted_on,
        "seed": seed,
        "settings": asdict(chosen),
        "epochs": curve,
        "best_epoch": trained.fitted.best_epoch,
        "metrics": trained.metrics,
        "seconds": seconds,
        "device": device,
        "peak_bytes": peak,
        "checkpoint": str(checkpoint),
    }


def _device_of(model: str) -> str:
    """Return where a model is fitted; torch is imported only for those that ask for a device."""
    from models import MODELS

    if not MODELS[model].on_device:
        return "cpu"
    from models import device

    return str(device.chosen())


def resume(
    store: Store,
    number: int,
    on_stage: Report = silent,
    on_epoch: OnEpoch = unheard,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Train a run that was cut off, cancelled or failed, under its own number; returns what ``train`` does."""
    run = Runs(store).again(number)
    try:
        return train(
            store,
            run.model,
            run.dataset,
            **run.request,
            run=number,
            on_stage=on_stage,
            on_epoch=on_epoch,
            say=say,
        )
    # What keeps it from beginning; a training that began has written down its own end.
    except (KeyboardInterrupt, Cancelled):
        Runs(store).end_unfinished(number, "cancelled")
        raise
    except Exception as error:
        Runs(store).end_unfinished(number, "failed", sentence(error))
        raise


def evaluate(
    models: Sequence[str],
    dataset: str,
    splits: Sequence[str],
    *,
    task: str,
    cleaning: str,
    published: bool = False,
    settings: Mapping[str, str] | None = None,
    seed: int,
    split_seed: int,
    on_stage: Report = silent,
    on_epoch: OnEpoch = unheard,
    detail: bool = False,
) -> list[dict[str, Any]]:
    """Measure models on splits, as ``evaluate --json`` prints it; models after the first are compared with it.

    ``settings`` are changes to the tuned settings of every model, or to the published ones. With several splits the
    row of each model and split has the mean and the standard deviation over them, ``over_splits``. ``detail`` asks
    where a model fails: with the task rating, its errors by subgroup, its calibration, the confusion of stars and
    ``coverage80``.
    """
    from data.splits import split as cut
    from models import evaluation

    # What cannot be is told before anything is fitted.
    chosen = {model: evaluation.choose(model, published, settings) for model in models}
    if task == "ranking" and "popularity" not in models:
        chosen["popularity"] = evaluation.choose("popularity")  # what every ranking figure is read beside
    loaded = catalogue.load(dataset, cleaning, on_stage)
    for name in splits:
        cut(loaded, name, split_seed)
    rows: list[dict[str, Any]] = []
    for name in splits:
        first: evaluation.Evaluation | None = None
        for model, own in chosen.items():
            label = f"{model} on {name}"
            measured = evaluation.evaluate(
                model,
                loaded,
                name,
                task=task,  # type: ignore[arg-type]
                settings=own,
                seed=seed,
                split_seed=split_seed,
                progress=lambda epoch, label=label: on_epoch(label, _told(epoch)),  # type: ignore[misc]
                intervals=detail,
            )
            row = measured.as_json()
            if first is None:
                first = measured
            elif task != "pair" or measured.pair_errors is not None:
                difference = evaluation.compare(measured, first)
                row["difference"] = {"to": first.model, **asdict(difference)}
            if detail and measured.prediction is not None:
                row |= _detail(measured.train, measured.test, measured.prediction)
            rows.append(row)
    if len(splits) > 1:
        for row in rows:
            row["over_splits"] = _over_splits([own["metrics"] for own in rows if own["model"] == row["model"]])
    return rows


def _detail(train: Dataset, test: Ratings, prediction: Floats) -> dict[str, Any]:
    from models.metrics import calibration, calibration_error, confusion
    from models.subgroups import subgroups

    bins = calibration(prediction, test.stars)
    return {
        "subgroups": [asdict(found) for found in subgroups(train, test, prediction)],
        "calibration": {"error": calibration_error(bins), "bins": [asdict(found) for found in bins]},
        "confusion": asdict(confusion(prediction, test.stars)),
    }


def _over_splits(metrics: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Mean and standard deviation (of the sample) of each metric."""
    values = {name: [own[name] for own in metrics] for name in metrics[0]}
    return {name: {"mean": fmean(each), "std": stdev(each)} for name, each in values.items()}


def sweep(
    model: str,
    dataset: str,
    split: str,
    grid: Mapping[str, Sequence[str]],
    *,
    cleaning: str = "none",
    published: bool = False,
    seed: int = 0,
    split_seed: int = 0,
    on_stage: Report = silent,
    on_epoch: OnEpoch = unheard,
    on_result: Callable[[dict[str, Any]], None] = lambda row: None,
    on_known: Callable[[int], None] = lambda known: None,
    fresh: bool = False,
) -> list[dict[str, Any]]:
    """Measure a model with every combination of settings, as ``sweep --json`` prints it, best first.

    What was measured before, by a sweep that was broken off or had fewer values, is taken from there unless all is to
    be ``fresh``; ``on_known`` hears how many combinations that are. ``on_result`` hears each row as it arrives.
    """
    from models.sweep import Notes, Swept, combine, told
    from models.sweep import sweep as run

    combinations = combine(model, grid, published)
    loaded = catalogue.load(dataset, cleaning, on_stage)
    notes = Notes(
        locations.sweeps(),
        model=model,
        data=loaded.fingerprint,
        split=split,
        seeds=[seed, split_seed],
        version=__version__,
    )
    if fresh:
        notes.forget()
    before = notes.read()
    known = sum(told(settings) in before for _, settings in combinations)
    if known:
        on_known(known)
    many = len(combinations)
    order = {told_settings(changes): number for number, (changes, _) in enumerate(combinations, 1)}

    def watch(changes: dict[str, str], epoch: Epoch) -> None:
        told = told_settings(changes)
        on_epoch(f"{order[told]} of {many}: {told}", _told(epoch))

    def row(swept: Swept) -> dict[str, Any]:
        return {
            "model": model,
            "dataset": dataset,
            "split": split,
            "split_seed": split_seed,
            "seed": seed,
            "cleaning": loaded.cleaning,
            "grid": swept.changes,
            "settings": asdict(swept.settings),
            "metrics": swept.metrics,
            "test": swept.test,
            "seconds": {"fit": swept.fit_seconds},
        }

    found = run(model, loaded, split, combinations, seed, split_seed, watch, lambda swept: on_result(row(swept)), notes)
    return [row(swept) for swept in found]


def told_settings(changes: Mapping[str, str]) -> str:
    """Return settings as a person writes them."""
    return " ".join(f"{key}={value}" for key, value in changes.items())


def reproduce(
    *,
    seed: int = 0,
    on_stage: Report = silent,
    on_epoch: OnEpoch = unheard,
) -> list[dict[str, Any]]:
    """Run the experiments of the source systems, as ``reproduce --json`` prints them."""
    from models import reproduce as sources

    datasets = {
        name: catalogue.load(name, "none", on_stage) for name in dict.fromkeys(one.dataset for one in sources.here())
    }
    return list(sources.reproduce(datasets, seed, lambda label, epoch: on_epoch(label, _told(epoch))))


def checkpoint_of(store: Store, number: int) -> Path:
    """Return the folder of a run's checkpoint."""
    run = store.run(number)
    assert run is not None
    return locations.checkpoints() / run.checkpoint
