"""Try settings of a model, choose the best on a validation part of the train part, and measure these on test."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from movietui import models
from movietui.data import catalogue
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.splits import name_of, split
from movietui.formatting.settings import settings_text
from movietui.jobs.listener import SILENT, Listener
from movietui.jobs.measurements import Measurement, measure, never, with_metrics
from movietui.models.choices import Order, Sampler
from movietui.protocol.jobs import EpochRow, SweepRow
from movietui.store.ratings import Store
from movietui.store.run_records import Run
from movietui.store.sweeps import StoredSweep, Sweeps, order_of, row_of

if TYPE_CHECKING:
    from movietui.models.evaluation.sweep import Losses


@dataclass(frozen=True)
class SweepRequest:
    """Which settings of a model to try, and on what."""

    model: str
    dataset: str
    split: str
    grid: Mapping[str, Sequence[str]]
    """The values of each setting, as typed; for a search, a value may be a range, and without any grid the usual ranges
    are tried."""
    metric: str = "rmse"
    """What the settings are chosen by."""
    sampler: Sampler = "grid"
    tries: int | None = None
    """How many settings a search tries; ``None`` with the sampler ``grid``."""
    order: Order | None = None
    """The order of the lists, if the metric is one of lists; ``None`` for the usual one of the split."""
    cleaning: str = "none"
    published: bool = False
    """Whether the other settings are the published ones rather than the tuned ones."""
    seed: int = 0
    """The seed of the model, and of the search."""
    split_seed: int = 0
    whole: bool = False
    """Whether to finish hopeless fits, too; see ``movietui.models.evaluation.sweep.MedianRule``. A grid always does."""
    fresh: bool = False
    """Whether to measure again what was measured before."""


def sweep(store: Store, request: SweepRequest, listener: Listener = SILENT) -> list[SweepRow]:
    """Measure a model with many settings and return what ``sweep --json`` prints, best first.

    Every measurement is a run in the store. What was measured before, also by another sweep, is not measured again
    unless the request is ``fresh``, so a sweep that was interrupted resumes. Raises ``Problem`` for an impossible
    request, and if no settings could be measured.
    """
    from movietui.models import plugin_metrics
    from movietui.models.evaluation.measure import check_ratings
    from movietui.models.evaluation.sweep import Grid, MedianRule, space_of, task_of, tries_of, usual_texts

    task, searches = task_of(request.metric), request.sampler != "grid"
    texts = request.grid or (usual_texts(request.model, request.published) if searches else {})
    space = space_of(request.model, texts, request.published, search=searches)
    tries = tries_of(request.sampler, space, request.metric, request.tries, request.seed)
    dataset = catalogue.load(request.dataset, request.cleaning, listener.stage)
    check_ratings([request.model], dataset, task)
    split(dataset, request.split, request.split_seed)
    wanted = Measurement(
        "trial",
        request.model,
        models.choose(request.model, request.published),
        dataset,
        request.split,
        task,
        request.order,
        request.seed,
        request.split_seed,
        with_metrics(request.split, [request.metric]) if task == "ranking" else None,
        of_plugins=plugin_metrics.versions([request.metric]),
    )
    total = len(tries.combinations) if isinstance(tries, Grid) else request.tries
    stored = _stored(store, replace(request, grid=texts), wanted)
    sweeps, rule = Sweeps(store), MedianRule()
    earlier = {tuple(trial.changes.items()): trial.run for trial in sweeps.trials(stored.id)}
    if earlier:
        listener.known(len(earlier))
    # The loss of a fit says little about its lists, or about the metric of a plug-in.
    stops = searches and task == "rating" and not wanted.of_plugins and not request.whole
    runs: dict[tuple[tuple[str, str], ...], Run] = {}
    failure: Problem | None = None
    number = 0
    while (changes := tries.ask()) is not None:
        key = tuple(changes.items())
        if (again := runs.get(key)) is not None:
            tries.tell(again.metrics.get(request.metric), _losses(again.curve))
            continue
        number += 1
        trial = replace(wanted, settings=models.choose(request.model, request.published, changes))
        run = earlier.get(key)
        if run is None or not (run.state == "done" or _was_hopeless(run)):
            run = None if request.fresh else store.measured_run(trial.identity)
        if run is None:
            label = tr("{number} of {total}: {settings}", number=number, total=total, settings=settings_text(changes))
            problem_of = (lambda curve, of: rule.problem(_losses(curve), of)) if stops else never
            try:
                run = measure(store, trial, label, listener, problem_of).run
            except Problem as problem:  # such as settings that need too much memory
                failure = problem
                tries.tell(None)
                continue
        runs[key] = run
        sweeps.add_trial(stored.id, number, run.id, changes)
        rule.add(_losses(run.curve))
        tries.tell(run.metrics.get(request.metric), _losses(run.curve))
        listener.row(row_of(stored, changes, run))
    measured = [run for run in runs.values() if request.metric in run.metrics]
    if not measured:
        raise failure or Problem(tr("No settings have a {metric}; choose others.", metric=request.metric))
    rows = [row_of(stored, dict(key), run) for key, run in runs.items()]
    rows.sort(key=lambda row: order_of(row, request.metric))
    best = replace(
        wanted,
        kind="evaluation",
        settings=models.choose(request.model, request.published, rows[0]["grid"]),
    )
    test = None if request.fresh else store.measured_run(best.identity)
    label = tr("best: {settings}", settings=settings_text(rows[0]["grid"]))
    test = test or measure(store, best, label, listener).run
    sweeps.end(stored.id, test.id)
    return [{**rows[0], "test": test.metrics}, *rows[1:]]


def _stored(store: Store, request: SweepRequest, wanted: Measurement) -> StoredSweep:
    """Return the stored sweep that a request continues, or a new one."""
    described = {
        "space": {name: list(values) for name, values in request.grid.items()},
        "sampler": request.sampler,
        "tries": request.tries,
        "split_seed": request.split_seed,
        "order": wanted.lists_by,
        "published": request.published,
    }
    facts = [wanted.identity, request.metric, request.whole, described]
    identity = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    sweeps = Sweeps(store)
    earlier = None if request.fresh else sweeps.with_identity(identity)
    return earlier or sweeps.add(
        identity,
        request.model,
        request.dataset,
        wanted.dataset.cleaning,
        name_of(request.split),
        request.seed,
        request.metric,
        described,
    )


def _was_hopeless(run: Run) -> bool:
    """Return whether a run was stopped because it was hopeless, rather than by the user."""
    return run.state == "cancelled" and bool(run.problem)


def _losses(curve: Sequence[EpochRow]) -> Losses:
    return [(row["epoch"], row["validation_loss"]) for row in curve if row["validation_loss"] is not None]
