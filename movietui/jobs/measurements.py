"""Measurements of a model that are stored as runs, so that nothing is measured twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from movietui import __version__, models
from movietui.data.progress import Stage
from movietui.data.split_names import resolved
from movietui.data.splits import name_of
from movietui.jobs.environment import environment_of, fingerprints
from movietui.jobs.listener import SILENT, Listener, epoch_message
from movietui.jobs.train import device_of, record_end
from movietui.models.choices import Order, Task, without_stars
from movietui.models.registry import plugin_of
from movietui.protocol.jobs import EpochRow
from movietui.store import interrupts
from movietui.store.ratings import Store
from movietui.store.run_records import VALIDATION, Run
from movietui.store.runs import Recorder, Runs

if TYPE_CHECKING:
    from movietui.data.dataset import Dataset
    from movietui.models.base import Epoch
    from movietui.models.evaluation.measure import Evaluation
    from movietui.models.evaluation.sweep import Validated
    from movietui.models.metrics import ListMeasures
    from movietui.models.settings import Settings

Problems = Callable[[Sequence[EpochRow], int], str]
"""Takes the epochs of a fit so far, and how many it will have; returns why the fit is hopeless, or ``""``."""


class Hopeless(Exception):
    """Ends a fit that would not be the best of its sweep."""


def never(epochs: Sequence[EpochRow], of: int) -> str:
    """Find no fit hopeless."""
    return ""


@dataclass(frozen=True)
class Measurement:
    """A model to measure, and how. The figures depend on nothing else, except on the environment."""

    kind: Literal["evaluation", "trial"]
    """An evaluation is measured on the test part of the split, a trial on a validation part of the train part."""
    model: str
    settings: Settings
    dataset: Dataset
    split: str
    task: Task
    order: Order | None
    """The order of the lists; ``None`` for the usual one of the split."""
    seed: int
    split_seed: int
    measures: ListMeasures | None = None
    """The ranking metrics to measure, with the task ``ranking``; ``None`` for the usual ones of the split."""
    intervals: bool = False
    """Whether to measure ``coverage80`` too, with the task ``rating``."""
    uncertainty: bool = False
    """Whether the evaluation returns the uncertainty of each prediction."""
    of_plugins: Sequence[str] = ()
    """The metrics of plug-ins that are asked for; see ``movietui.models.plugin_metrics.versions``."""

    @property
    def measured_on(self) -> str:
        """The name of the ratings that the model is measured on."""
        name = name_of(self.split)
        return name if self.kind == "evaluation" else f"{name}{VALIDATION}"

    @property
    def lists_by(self) -> Order | None:
        """The order of the lists, if any."""
        from movietui.models.evaluation.measure import order_for

        if self.task == "rating":
            return None
        order = self.order or order_for(self.split)
        return without_stars(order) if self.dataset.implicit else order

    @cached_property
    def identity(self) -> str:
        """A digest of everything that the figures depend on. The ratings and IMDb's facts count by their
        fingerprints, so after a join with IMDb the same measurement is another one."""
        from movietui.models.evaluation.measure import measures_for

        usual = measures_for(self.split)
        measures = self.measures or usual
        described = {
            "kind": self.kind,
            "model": self.model,
            "settings": asdict(self.settings),
            "dataset": self.dataset.name,
            **fingerprints(self.dataset),
            "split": name_of(self.split),
            "task": self.task,
            "order": self.lists_by,
            "metrics": measures.names if self.task == "ranking" else [],
            **({"relevant": measures.relevant} if measures.relevant != usual.relevant else {}),
            **({"of_plugins": list(self.of_plugins)} if self.of_plugins else {}),
            "seeds": [self.seed, self.split_seed],
            "version": plugin.version if (plugin := plugin_of(self.model)) else __version__,
        }
        return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()

    @property
    def request(self) -> dict[str, Any]:
        """What a command that measures the same needs besides the columns of the run."""
        from movietui.models.evaluation.measure import measures_for

        usual = measures_for(self.split).relevant
        relevant = self.measures.relevant if self.measures else usual
        return {"split": resolved(self.split), **({"relevant": relevant} if relevant != usual else {})}


def with_metrics(split: str, names: Sequence[str]) -> ListMeasures:
    """Return the usual ranking metrics of a split and these. Those of plug-ins need not be named: they are always
    computed."""
    from movietui.models.evaluation.measure import measures_for
    from movietui.models.plugin_metrics import is_ours

    usual = measures_for(split)
    return replace(usual, names=tuple(dict.fromkeys([*usual.names, *filter(is_ours, names)])))


@dataclass(frozen=True)
class Measured:
    """The result of a measurement."""

    run: Run
    """The run with which the figures are stored."""
    evaluation: Evaluation | None
    """``None`` for a trial."""


def measure(
    store: Store, wanted: Measurement, label: str, listener: Listener = SILENT, problem_of: Problems = never
) -> Measured:
    """Fit and measure a model, and store the figures with a run.

    ``label`` is what the progress is called. The run replaces earlier ones of the same measurement that did not end. A
    fit that ``problem_of`` finds hopeless ends as ``cancelled``, with the reason. Once the run has begun, its end is
    recorded, even if the fit fails or is interrupted.
    """
    from movietui.models.evaluation.per_user import sum_by_user
    from movietui.models.training.stages import reporting

    evaluation: Evaluation | None = None
    recorder: Recorder | None = None

    def on_epoch(epoch: Epoch) -> None:
        message = epoch_message(epoch)
        assert recorder is not None
        recorder.epoch("fit", message)
        listener.epoch(label, message)
        if problem := problem_of(recorder.curve, epoch.of) if epoch.number < epoch.of else "":
            raise Hopeless(problem)

    def on_step(stage: Stage) -> None:
        assert recorder is not None
        recorder.inside(stage)
        listener.inside(label, stage)

    Runs(store).forget_unfinished(wanted.identity)
    try:
        with interrupts.delayed():  # from the moment that the run exists, its end is recorded
            run = store.start_run(
                wanted.model,
                wanted.dataset.name,
                wanted.dataset.cleaning,
                wanted.measured_on,
                wanted.seed,
                asdict(wanted.settings),
                split_seed=wanted.split_seed,
                imdb=wanted.dataset.joined,
                request=wanted.request,
                device=device_of(wanted.model),
                kind=wanted.kind,
                identity=wanted.identity,
                task=wanted.task,
                list_order=wanted.lists_by or "",
                environment=environment_of(wanted.dataset),
            )
            recorder = Recorder(Runs(store), run, {"fit": 1.0})
        if wanted.kind == "evaluation":
            with reporting(on_step):
                evaluation = _evaluate(wanted, on_epoch)
            if wanted.task != "pair":
                by_user = sum_by_user(evaluation.parts, evaluation.prediction, evaluation.lists)
                Runs(store).measured(run, by_user.fingerprint, by_user.to_bytes(), {})
            recorder.end(
                "done",
                seconds=evaluation.fit_seconds,
                cpu_seconds=evaluation.fit_cpu_seconds,
                metrics=evaluation.metrics,
            )
        else:
            with reporting(on_step):
                trial = _try(wanted, on_epoch)
            best = trial.fitted.best_epoch if trial.fitted else None
            recorder.end(
                "done",
                seconds=trial.fit_seconds,
                cpu_seconds=trial.fit_cpu_seconds,
                best_epoch=best,
                metrics=trial.metrics,
            )
    except Hopeless as hopeless:
        assert recorder is not None
        recorder.end("cancelled", problem=str(hopeless))
    except BaseException as error:
        record_end(recorder, error)
        raise
    return Measured(Runs(store).get(run), evaluation)


def _try(wanted: Measurement, on_epoch: Callable[[Epoch], None]) -> Validated:
    from movietui.models.evaluation.sweep import validate

    return validate(
        wanted.model,
        wanted.dataset,
        wanted.split,
        wanted.task,
        wanted.settings,
        wanted.seed,
        wanted.split_seed,
        wanted.order,
        on_epoch,
        wanted.measures,
    )


def _evaluate(wanted: Measurement, on_epoch: Callable[[Epoch], None]) -> Evaluation:
    return models.evaluate(
        wanted.model,
        wanted.dataset,
        wanted.split,
        task=wanted.task,
        settings=wanted.settings,
        seed=wanted.seed,
        split_seed=wanted.split_seed,
        progress=on_epoch,
        intervals=wanted.intervals,
        order=wanted.order,
        measures=wanted.measures,
        uncertainty=wanted.uncertainty,
    )
