"""Finds, names, deletes and queues runs, and records their progress.

All of this is in the store, so it makes no difference what started a run: the command line, a screen, or a queue that
ended long ago. This module imports nothing heavy, because screens list runs.
"""

import json
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from movietui.data.language import tr
from movietui.data.near_names import no_such
from movietui.data.peak_memory import peak_bytes
from movietui.data.problems import Problem
from movietui.data.progress import ENOUGH_TO_PREDICT, WHOLE, Stage
from movietui.data.safe_text import strip_controls
from movietui.data.storage import disk, locations, strict_json
from movietui.data.storage.strict_json import finite
from movietui.models.choices import higher_is_better, metric_named
from movietui.protocol.jobs import EpochProgress, EpochRow
from movietui.protocol.messages import RunRow
from movietui.store import interrupts
from movietui.store.processes import still_runs, this_process
from movietui.store.ratings import Store
from movietui.store.run_records import CUT_OFF, UNDER_WAY, Protocol, Run

SERVED_SPLIT = "random90"
"""The split on which a model is measured if the request names no split."""
LONGEST_RUN_NAME = 60
LONGEST_NOTE = 2000
OVER = ("done", "cancelled", "failed", CUT_OFF)
WRITE_SECONDS = 1.0
"""Seconds between two writes of a run's progress to the store: screens read it there, and it survives ``kill -9``."""
RATE_EPOCHS = 5
"""How many of the latest epochs the remaining time is estimated from. Earlier ones do not count, because a resumed run
replays them in no time."""
RELEASED = "released"
"""Stored instead of the start time of a process that has released its runs."""
STAND_IN = "stand-in:"
"""With a dataset appended, the name of a choice: the run that serves until the recommended run replaces it."""
RECOMMENDED_RUN = "recommended:"
"""With a dataset appended, the name of a choice: the number of the recommended run, negative if somebody declined it.

The app does not start a declined run again by itself.
"""
_LAST_POSITION = "(SELECT coalesce(max(position), 0) + 1 FROM runs)"


@dataclass(frozen=True)
class Changes:
    """What has happened to runs since an earlier call."""

    version: int
    """The value to pass to the next call."""
    runs: tuple[Run, ...]
    """The new and changed runs, newest first."""
    gone: tuple[int, ...]
    """The numbers of the runs that can no longer be listed, because they were deleted or their records are damaged."""


@dataclass(frozen=True)
class Freed:
    """A run whose checkpoint was removed, or would be."""

    run: Run
    bytes: int


def as_json(run: Run) -> RunRow:
    """Return a run as ``runs list --json`` prints it."""
    return {
        "run": run.id,
        "kind": run.kind,
        "name": run.name,
        "note": run.note,
        "model": run.model,
        "dataset": run.dataset,
        "cleaning": run.cleaning,
        "split": run.split,
        "seed": run.seed,
        "split_seed": run.split_seed,
        "imdb": run.imdb,
        "task": run.task,
        "list_order": run.list_order,
        "device": run.device,
        "state": run.state,
        "problem": run.problem,
        "started": run.started,
        "seconds": run.seconds,
        "cpu_seconds": run.cpu_seconds,
        "peak_bytes": run.peak_bytes,
        "checkpoint_bytes": checkpoint_bytes(run),
        "best_epoch": run.best_epoch,
        "progress": run.progress,
        "cluster": run.cluster,
        "settings": run.settings,
        "metrics": run.metrics,
        "environment": run.environment,
    }


def checkpoint_bytes(run: Run) -> int:
    """Return the size of a run's checkpoint, 0 if there is none."""
    return locations.bytes_in(locations.checkpoint(run.checkpoint))


class Runs:
    """The runs of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # Reading

    def find(self, dataset: str | None = None, model: str | None = None, split: str | None = None) -> list[Run]:
        """Return the runs with this dataset, model and split, newest first; ``None`` allows any."""
        return [
            run
            for run in self._store.runs()
            if dataset in (None, run.dataset) and model in (None, run.model) and split in (None, run.split)
        ]

    def get(self, number: int) -> Run:
        """Return one run. Raises ``Problem`` if there is no run with this number, or its record is damaged."""
        run = self._store.run(number)
        if run is None and self._store.is_damaged(number):
            raise Problem(
                tr("The record of run {run} is damaged; delete it with movietui runs delete {run}.", run=number)
            )
        if run is None:
            raise Problem(tr("There is no run {run}; movietui runs list shows all runs.", run=number))
        return run

    def changes(self, since: int = 0) -> Changes:
        """Return what has happened since ``since``, the ``version`` of an earlier call; with 0, return all runs.

        Also record which runs were cut off. If nothing has happened, this reads only an index and the runs' states.
        """
        with suppress(Problem):  # a full disk must not keep the runs from being listed
            self._record_cut_off()
        rows = self._store.rows("SELECT id, run FROM run_changes WHERE id > ? ORDER BY id DESC", since)
        changed = {int(number) for _, number in rows}
        runs = tuple(self._store.runs(changed)) if changed else ()
        gone = tuple(sorted(changed - {run.id for run in runs}))
        return Changes(int(rows[0][0]) if rows else since, runs, gone)

    def _record_cut_off(self) -> None:
        marks = ",".join("?" * len(UNDER_WAY))
        rows = self._store.rows(f"SELECT id FROM runs WHERE state IN ({marks})", *UNDER_WAY)
        for (number,) in self._store.valid_rows("runs", "id", rows):
            run = self._store.run(number)
            if run is not None and run.state == CUT_OFF:
                self._write(
                    f"UPDATE runs SET state = ?, problem = ?, progress = '{{}}' WHERE id = ? AND state IN ({marks})",
                    CUT_OFF,
                    run.problem,
                    number,
                    *UNDER_WAY,
                )

    def detail(self, number: int) -> dict[str, Any]:
        """Return what shows where a run's model fails: ``subgroups``, ``calibration`` and ``confusion``.

        Returns an empty dict if this was not measured.
        """
        rows = self._store.rows("SELECT run, detail FROM measured WHERE run = ?", number)
        rows = self._store.valid_rows("measured", "run detail", rows)
        return dict(strict_json.loads(rows[0][1])) if rows else {}

    def by_user(self, number: int) -> tuple[str, bytes] | None:
        """Return the fingerprint of a run's test rows and its sums by user; ``None`` if they were not measured.

        See ``movietui.models.evaluation.per_user``.
        """
        rows = self._store.rows("SELECT run, rows, by_user FROM measured WHERE run = ?", number)
        rows = self._store.valid_rows("measured", "run rows by_user", rows)
        return (str(rows[0][1]), bytes(rows[0][2])) if rows else None

    def whole(self, number: int) -> dict[str, Any]:
        """Return everything known about a run, as ``runs show --json`` prints it."""
        run = self.get(number)
        checkpoint = str(locations.checkpoint(run.checkpoint))
        return {**as_json(run), "checkpoint": checkpoint, "curve": run.curve, **self.detail(number)}

    # Changing

    def name(self, number: int, text: str) -> Run:
        """Name a run; an empty text removes the name. Raises ``Problem`` for a name that is too long."""
        return self._describe(number, "name", text, LONGEST_RUN_NAME)

    def note(self, number: int, text: str) -> Run:
        """Set the note of a run; an empty text removes the note. Raises ``Problem`` for a note that is too long."""
        return self._describe(number, "note", text, LONGEST_NOTE)

    def _describe(self, number: int, column: str, text: str, longest: int) -> Run:
        text = " ".join(strip_controls(text).split())
        if len(text) > longest:
            raise Problem(
                tr(
                    "The {column} of a run can have at most {longest:,} characters; this one has {length:,}.",
                    column=column,
                    longest=longest,
                    length=len(text),
                )
            )
        self.get(number)
        self._write(f"UPDATE runs SET {column} = ? WHERE id = ?", text, number)
        return self.get(number)

    def effect_of_deleting(self, number: int) -> str:
        """Return a sentence about what deleting a run does to lists; empty if the run does not serve its dataset."""
        run = self.get(number)
        serving = self._store.serving_runs(run.dataset)
        if not serving or serving[0].id != number:
            return ""
        successor = next((other for other in serving[1:] if checkpoint_bytes(other)), None)
        then = (
            tr("run {run}, {model}, will make them", run=successor.id, model=successor.model)
            if successor
            else tr("no run is left to make them")
        )
        return tr(
            "Run {run} makes the lists for {dataset}; without it, {then}.", run=number, dataset=run.dataset, then=then
        )

    def delete(self, number: int) -> Freed:
        """Delete a run and its checkpoint.

        Raises ``Problem`` if there is no such run, if it is in progress, or if its record is damaged.
        """
        run = self.get(number)
        if run.state in UNDER_WAY:
            raise Problem(tr("Run {run} is {state}; cancel it before you delete it.", run=number, state=run.state))
        freed = self._free(run)
        with self._store.change():
            self._store.execute("DELETE FROM runs WHERE id = ?", number)
            self._store.execute("DELETE FROM choices WHERE name = ? AND value = ?", f"run:{run.dataset}", str(number))
        return freed

    def forget_unfinished(self, identity: str) -> None:
        """Delete the evaluations and trials with this identity that failed, or that somebody interrupted.

        A trial that was stopped because it was hopeless stays, because that is a result.
        """
        rows = self._store.rows("SELECT id FROM runs WHERE identity = ? AND state <> 'done'", identity)
        for run in self._store.runs([number for (number,) in rows]) if rows else ():
            if run.state in (CUT_OFF, "failed") or (run.state == "cancelled" and not run.problem):
                self._write("DELETE FROM runs WHERE id = ?", run.id)

    def forget_damaged(self, number: int) -> bool:
        """Delete a run if its record cannot be read; return whether it was deleted.

        Its checkpoint stays, because the path is unknown.
        """
        damaged = self._store.is_damaged(number)
        if damaged:
            self._write("DELETE FROM runs WHERE id = ?", number)
        return damaged

    def prune(self, keep: int, metric: str = "rmse") -> list[Freed]:
        """Remove the checkpoints of the runs that ``prunable`` returns; the metrics of these runs stay."""
        return [self._free(freed.run) for freed in self.prunable(keep, metric)]

    def prunable(self, keep: int, metric: str = "rmse") -> list[Freed]:
        """Return the finished runs that have a checkpoint and are not among the best, newest first.

        Of comparable runs (``Run.protocol``), the best ``keep`` are not prunable. Neither is a run that serves its
        dataset. Raises ``Problem`` for a metric that no finished run has, and for a metric of a plug-in that is not
        installed, because it is unknown whether higher is better.
        """
        done = [run for run in self.find() if run.state == "done" and run.kind == "training"]
        if done and not any(metric in run.metrics for run in done):
            known = list(dict.fromkeys(name for run in done for name in run.metrics))
            listed = tr("metrics: {metrics}.", metrics=", ".join(known) or tr("none"))
            raise no_such(tr("No run has the metric {metric!r}", metric=metric), metric, known, listed)
        if done and metric_named(metric) is None:
            raise Problem(
                tr(
                    "Only the plug-in that has {metric} knows whether a higher value is better; install it.",
                    metric=metric,
                )
            )
        groups: dict[Protocol, list[Run]] = {}
        for run in done:
            groups.setdefault(run.protocol, []).append(run)
        best = {
            run.id
            for group in groups.values()
            for run in sorted(group, key=lambda run: metric_order(run, metric))[:keep]
        }
        best |= {serving.id for run in done for serving in self._store.serving_runs(run.dataset)[:1]}
        sizes = [Freed(run, checkpoint_bytes(run)) for run in done if run.id not in best]
        return [freed for freed in sizes if freed.bytes]

    @staticmethod
    def _free(run: Run) -> Freed:
        size = checkpoint_bytes(run)
        folder = locations.checkpoint(run.checkpoint)
        try:
            disk.remove(folder.parent, folder.name)
        except OSError as error:
            raise Problem(
                tr("{path} cannot be removed ({reason}); check its permissions.", path=folder, reason=error.strerror)
            ) from error
        return Freed(run, size)

    def use(self, number: int) -> Run:
        """Let a run serve its dataset, and let the app open this dataset from now on.

        Raises ``Problem`` if the run is not a finished training, or if its checkpoint has been removed.
        """
        run = self.get(number)
        if run.kind != "training":
            raise Problem(
                tr(
                    "Run {run} only measured {model}; train it with movietui train {model}.",
                    run=number,
                    model=run.model,
                )
            )
        if run.state != "done":
            raise Problem(tr("Run {run} is {state}; only a finished run can be used.", run=number, state=run.state))
        if not checkpoint_bytes(run):
            raise Problem(
                tr("The checkpoint of run {run} was removed; train {model} again.", run=number, model=run.model)
            )
        self._store.serve_with(run)
        self._store.choose("dataset", run.dataset)
        self.decide(run.dataset)
        return run

    # The queue. Only the process that is recorded with a run starts the run.

    def queue(self, model: str, dataset: str, split: str, request: Mapping[str, Any]) -> int:
        """Add a run, which ``request`` starts, to the end of this process's queue; return its number."""
        with self._store.change():
            return self._queue(model, dataset, split, request)

    def _queue(self, model: str, dataset: str, split: str, request: Mapping[str, Any]) -> int:
        """Queue a run. Call only inside ``with change()``."""
        store = self._store
        settings = request.get("settings", {})
        cleaning, seed, split_seed = request["cleaning"], request.get("seed", 0), request.get("split_seed", 0)
        number = store.insert_run(
            model, dataset, cleaning, split, seed, settings, request, split_seed=split_seed, state="queued"
        )
        store.execute(f"UPDATE runs SET position = {_LAST_POSITION} WHERE id = ?", number)
        return number

    def queue_stand_in(self, model: str, dataset: str, request: Mapping[str, Any]) -> int:
        """Queue a run that serves a dataset until the recommended model does; return its number.

        If such a run for the same request is already queued or training, in any window, return the number of that run.
        """
        with self._store.change():
            run = self._store.run(self._chosen(STAND_IN, dataset))
            if run is not None and run.request == dict(request) and self._is_alive(run.id):
                return run.id
            number = self._queue(model, dataset, SERVED_SPLIT, request)
            self._store.put_choice(STAND_IN + dataset, str(number))
            recommended = self._store.run(self._chosen(RECOMMENDED_RUN, dataset))
            if recommended is not None and recommended.state == "done":  # it can no longer be loaded
                self._store.put_choice(RECOMMENDED_RUN + dataset, "")
        return number

    def queue_recommended(self, model: str, stand_in: Run) -> int | None:
        """Queue the recommended run that replaces a stand-in, once for each dataset; return its number.

        Return ``None`` if ``stand_in`` is not a stand-in, or if somebody chose another run or declined the recommended
        one.
        """
        dataset = stand_in.dataset
        with self._store.change():
            if self._chosen(STAND_IN, dataset) != stand_in.id:
                return None
            number = self._chosen(RECOMMENDED_RUN, dataset)
            if not number:
                number = self._queue(model, dataset, SERVED_SPLIT, stand_in.request)
                self._store.put_choice(RECOMMENDED_RUN + dataset, str(number))
        return number if number > 0 else None

    def is_stand_in(self, run: Run) -> bool:
        """Return whether a run serves its dataset only until the recommended model does."""
        return self._chosen(STAND_IN, run.dataset) == run.id

    def recommended_for(self, stand_in: Run) -> int | None:
        """Return the number of the recommended run of a stand-in's dataset; ``None`` if there is none or somebody
        declined it."""
        number = self._chosen(RECOMMENDED_RUN, stand_in.dataset)
        return number if number > 0 else None

    def stands_in(self, stand_in: Run, recommended: Run) -> bool:
        """Return whether ``stand_in`` serves only until ``recommended`` replaces it."""
        chosen = [self._chosen(name, recommended.dataset) for name in (STAND_IN, RECOMMENDED_RUN)]
        return chosen == [stand_in.id, recommended.id]

    def want(self, number: int, *, wanted: bool = True) -> None:
        """Record that somebody wants or declines a recommended run. A run whose process merely ends is not declined."""
        with self._store.change():
            run = self._store.run(number)
            if run is not None and abs(self._chosen(RECOMMENDED_RUN, run.dataset)) == number:
                self._store.put_choice(RECOMMENDED_RUN + run.dataset, str(number if wanted else -number))

    def decide(self, dataset: str) -> None:
        """Record that the user chose which run serves a dataset, so that no recommended run is offered."""
        self._store.choose(STAND_IN + dataset, "")

    def _chosen(self, name: str, dataset: str) -> int:
        return self._store.chosen_run(name + dataset)

    def _is_alive(self, number: int) -> bool:
        """Return whether a run is queued or in progress and its process is alive."""
        rows = self._store.rows(
            "SELECT process, began FROM runs WHERE id = ? AND state IN (?, ?, ?)", number, "queued", *UNDER_WAY
        )
        return any(still_runs(process, began) for process, began in rows)

    def waiting(self) -> Sequence[Run]:
        """Return the queued runs of this process, the next one first."""
        ours = [
            number
            for (number,) in self._store.rows(
                "SELECT id FROM runs WHERE state = 'queued' AND process = ? AND began = ?", *this_process()
            )
        ]
        return sorted(self._store.runs(ours) if ours else (), key=lambda run: (run.position or 0, run.id))

    def adopt(self) -> int:
        """Take over queued runs whose process has ended; return how many were taken over."""
        rows = self._store.rows("SELECT id, process, began FROM runs WHERE state = 'queued'")
        orphans = [(number, process, began) for number, process, began in rows if not still_runs(process, began)]
        # Only runs that still belong to the ended process: another process may be faster.
        return sum(
            self._write(
                "UPDATE runs SET process = ?, began = ? WHERE id = ? AND process = ? AND began = ?",
                *this_process(),
                *orphan,
            )
            for orphan in orphans
        )

    def again(self, number: int) -> Run:
        """Queue a run again, at the end and under its old number, after it was cut off, was cancelled or failed.

        Its checkpoint, if it has one, is removed. Raises ``Problem`` if the run is not a training or is in another
        state, or if the request that started it is unknown.
        """
        before = self._store.rows("SELECT state, process, began FROM runs WHERE id = ?", number)
        run = self.get(number)
        if run.kind != "training":
            command = "sweep" if run.kind == "trial" else tr("evaluate, experiment or sweep")
            raise Problem(
                tr(
                    "Run {run} is measured again by the movietui {command} that it belongs to.",
                    run=number,
                    command=command,
                )
            )
        if run.state not in (CUT_OFF, "cancelled", "failed"):
            raise Problem(
                tr(
                    "Run {run} is {state}; only an interrupted, cancelled or failed run can be resumed.",
                    run=number,
                    state=run.state,
                )
            )
        if not run.request or "relevant" in run.request:  # no training has the latter
            raise Problem(
                tr(
                    "Run {run} cannot be resumed: how it was started is unknown; train {model} again.",
                    run=number,
                    model=run.model,
                )
            )
        self._free(run)
        changed = self._write(
            f"UPDATE runs SET state = 'queued', problem = '', position = {_LAST_POSITION}, process = ?, began = ?"
            " WHERE id = ? AND state = ? AND process IS ? AND began IS ?",
            *this_process(),
            number,
            *before[0],
        )
        if not changed:  # another window was faster
            raise Problem(tr("Run {run} was already resumed in another window.", run=number))
        return self.get(number)

    def move(self, number: int, position: int) -> None:
        """Move a queued run to a position in the queue: 0 is the next run, and any large number is the end."""
        order = [run.id for run in self.waiting() if run.id != number]
        order.insert(max(0, position), number)
        with self._store.change():
            for position, run_id in enumerate(order, 1):
                moved = "UPDATE runs SET position = ? WHERE id = ? AND state = 'queued' AND position IS NOT ?"
                self._store.execute(moved, position, run_id, position)

    def release(self) -> None:
        """Release the queued runs of this process, so that another process can adopt them."""
        self._write(
            "UPDATE runs SET began = ? WHERE state = 'queued' AND process = ? AND began = ?", RELEASED, *this_process()
        )

    def end_unfinished(self, number: int, state: str, problem: str = "") -> None:
        """Record the end of a run whose process did not record it: the run never started, or the process was killed."""
        with self._store.change():
            run = self._store.run(number)
            if run is not None and run.state in ("queued", CUT_OFF):
                self._store.execute(
                    "UPDATE runs SET state = ?, problem = ?, position = NULL, progress = '{}' WHERE id = ?",
                    state,
                    problem,
                    number,
                )

    # Training

    def begin(
        self,
        number: int,
        cleaning: str,
        settings: Mapping[str, Any],
        *,
        imdb: str = "",
        device: str = "cpu",
        environment: Mapping[str, Any] | None = None,
    ) -> None:
        """Record that a queued run starts in this process. Raises ``Problem`` if the run is no longer queued."""
        changed = self._write(
            "UPDATE runs SET state = 'running', position = NULL, cleaning = ?, settings = ?, imdb = ?, device = ?,"
            " environment = ?, process = ?, began = ?, started = strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')"
            " WHERE id = ? AND state = 'queued'",
            cleaning,
            json.dumps(settings),
            imdb,
            device,
            json.dumps(environment or {}),
            *this_process(),
            number,
        )
        if not changed:
            raise Problem(tr("Run {run} is no longer queued; it was started or cancelled elsewhere.", run=number))

    def measured(self, number: int, rows: str, by_user: bytes, detail: Mapping[str, Any]) -> None:
        """Store the errors of a run by user and by subgroup."""
        self._write(
            "INSERT OR REPLACE INTO measured VALUES (?, ?, ?, ?)", number, rows, by_user, json.dumps(finite(detail))
        )

    def end(self, number: int, state: str, **facts: Any) -> None:
        """Record how a run ended; ``facts`` are the other arguments of ``Store.end_run``."""
        self._store.end_run(number, state, **facts)

    def write_progress(
        self, number: int, state: str, seconds: float, curve: Sequence[EpochRow], progress: Mapping[str, Any]
    ) -> None:
        """Record the progress of a run."""
        self._write(
            "UPDATE runs SET state = ?, seconds = ?, curve = ?, progress = ?, peak_bytes = ? WHERE id = ?",
            state,
            seconds,
            json.dumps(finite(list(curve))),
            json.dumps(finite(progress)),
            peak_bytes(),
            number,
        )

    def write_cluster(self, number: int, cluster: Mapping[str, Any]) -> None:
        """Record where a run is trained, and what has been done there so far."""
        self._write("UPDATE runs SET cluster = ? WHERE id = ?", json.dumps(cluster), number)

    def _write(self, statement: str, *values: object) -> int:
        """Run a statement as a change; return the number of rows that it changed."""
        with self._store.change():
            return self._store.execute(statement, *values).rowcount


def metric_order(run: Run, metric: str) -> float:
    """Return a key that sorts runs by a metric, best first; runs without the metric come last."""
    if metric not in run.metrics:
        return float("inf")
    return -run.metrics[metric] if higher_is_better(metric) else run.metrics[metric]


class Recorder:
    """Records the progress of a run: at the first epoch of each phase, then at most once a second."""

    def __init__(
        self, runs: Runs, number: int, phases: Mapping[str, float], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``phases`` has the names of the fits to come, in order, each with how long it takes as a share of the first
        one."""
        self._runs = runs
        self._number = number
        self._phases = phases
        self._clock = clock
        self._began = clock()
        self._paused = 0.0
        self._phase = ""
        self._phase_began = self._phase_ended = 0.0
        """When the phase began, and when the one before it ended, in ``seconds``."""
        self._phase_over = False
        """Whether the last epoch of the phase is recorded."""
        self._latest: deque[tuple[float, int]] = deque(maxlen=RATE_EPOCHS + 1)
        self._written = 0.0
        self._progress: dict[str, Any] = {}
        self._over = False
        self.peak_bytes = 0
        """The peak memory of the process; set at the end."""
        self.curve: list[EpochRow] = []
        """The epochs of the first phase. They have a validation loss, unless the training has only one fit."""

    @property
    def seconds(self) -> float:
        """How long the training has taken so far, without pauses."""
        return self._clock() - self._began - self._paused

    def epoch(self, phase: str, epoch: EpochProgress) -> None:
        """Record an epoch."""
        if phase == next(iter(self._phases)):
            row: EpochRow = {
                "epoch": epoch["epoch"],
                "train_loss": epoch["train_loss"],
                "validation_loss": epoch["validation_loss"],
            }
            self.curve.append({**row, "stage": epoch["stage"]} if "stage" in epoch else row)
        if phase != self._phase:
            self._begin(phase)
        self._latest.append((self.seconds, epoch["epoch"]))
        self._phase_over = epoch["epoch"] == epoch["of"]
        if self._phase_over:
            self._phase_ended = self.seconds
        if self._progress.get("unit") != WHOLE:
            self._progress = {
                "phase": phase,
                "epoch": epoch["epoch"],
                "of": epoch["of"],
                "left": self._left(epoch["of"]),
                "unit": "stage" if "stage" in epoch else "epoch",
            }
        self._write_if_due()

    def inside(self, stage: Stage) -> str:
        """Record which share of a fit is done, if that is known: the stages of some fits take minutes.

        Return the phase.
        """
        names = [*self._phases]
        if not self._phase or (self._phase_over and self._phase != names[-1]):
            self._begin(names[names.index(self._phase) + 1 if self._phase else 0])
        if stage.unit == WHOLE:
            share, so_far = stage.done / stage.total, self.seconds - self._phase_began
            left = so_far / share * (1 - share + self._to_come()) if share >= ENOUGH_TO_PREDICT else None
            self._progress = {
                "phase": self._phase,
                "epoch": stage.done,
                "of": stage.total,
                "left": left,
                "unit": WHOLE,
                "stage": stage.name,
            }
            self._write_if_due()
        return self._phase

    def _begin(self, phase: str) -> None:
        self._phase, self._written = phase, -WRITE_SECONDS
        self._phase_began, self._phase_over = self._phase_ended, False
        self._progress = {}
        self._latest.clear()

    def _write_if_due(self) -> None:
        if self.seconds - self._written >= WRITE_SECONDS:
            self._written = self.seconds
            self._write("running")

    def cluster(self, stage: Stage, cluster: Mapping[str, Any]) -> None:
        """Record a stage of training on a cluster and what was done there, at most once a second within a stage.

        The end of a stage is always recorded. ``cluster`` is as in ``Run.cluster``.
        """
        now = self.seconds
        if stage.name == self._phase and not stage.finished and now - self._written < WRITE_SECONDS:
            return
        self._phase, self._written = stage.name, now
        if not stage.finished:
            self._progress = {
                "phase": stage.name,
                "epoch": stage.done,
                "of": stage.total,
                "left": None,
                "unit": "tasks",
            }
            self._write("running")
        with suppress(Problem):  # as in ``_write``
            self._runs.write_cluster(self._number, cluster)

    def _left(self, of: int) -> float | None:
        """Estimate the remaining seconds from the latest epochs of this phase; ``None`` if there are too few.

        Assumes that all epochs of a phase take the same time.
        """
        (since, first), (now, epoch) = self._latest[0], self._latest[-1]
        if epoch <= first:
            return None
        return (now - since) / (epoch - first) * (of - epoch + self._to_come() * of)

    def _to_come(self) -> float:
        """Return how long the phases after this one take, as a share of this one."""
        names = [*self._phases]
        return sum(self._phases[name] for name in names[names.index(self._phase) + 1 :]) / self._phases[self._phase]

    def hold(self, wait: Callable[[], object]) -> None:
        """Call ``wait``, which blocks until the run continues; meanwhile, the run is recorded as paused."""
        self._write("paused")
        since = self._clock()
        try:
            wait()
        finally:
            self._paused += self._clock() - since
        self._write("running")

    def end(self, state: str, *, seconds: float | None = None, **facts: Any) -> None:
        """Record how the run ended. Only the first call does so, so that a later interruption changes nothing.

        ``seconds`` defaults to the time that the training has taken.
        """
        if self._over:
            return
        seconds, self.peak_bytes = self.seconds if seconds is None else seconds, peak_bytes()
        with interrupts.delayed():
            self._runs.end(self._number, state, seconds=seconds, curve=self.curve, peak_bytes=self.peak_bytes, **facts)
            self._over = True

    def _write(self, state: str) -> None:
        try:
            self._runs.write_progress(self._number, state, self.seconds, self.curve, self._progress)
        except Problem:
            return  # a full disk does not stop training; the end is recorded or reported
