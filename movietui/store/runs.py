"""Runs: found, named, kept, deleted; watched while they go on; waiting in a queue.

All of it is in the store, so that a run is the same whoever started it: the command line, a screen, or a queue that
ended long ago. Imports nothing heavy, because screens list runs.
"""

import json
import shutil
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from data import locations
from data.problems import Problem
from data.titles import plain
from movietui.processes import peak_bytes, still_runs, this_process
from movietui.run_records import CUT_OFF, UNDER_WAY, Run
from movietui.store import Store
from movietui.wire import Message

QUICK = "mf"
"""The model that is trained first, within seconds."""
RECOMMENDED = "blend"
"""The model whose stars and lists are best."""
SERVED_SPLIT = "random90"
"""What a model that is trained for the list is measured on, before it learns from all ratings."""
LONGEST_RUN_NAME = 60
LONGEST_NOTE = 2000
HIGHER_IS_BETTER = (
    *("accuracy", "ndcg@10", "recall@10", "recall@20", "hit@10"),
    *("coverage@10", "novelty@10", "diversity@10"),
)
"""Of all other metrics less is better."""
OVER = ("done", "cancelled", "failed", CUT_OFF)
WRITE_SECONDS = 1.0
"""How often a run that goes on is written down: what a screen shows, and what is left of it after ``kill -9``."""
RATE_EPOCHS = 5
"""From how many epochs the time that is left is told: those that a resumed training only repeats take none."""
RELEASED = "released"
"""Stands where the time would that a process began: no process has it."""
STAND_IN = "stand-in:"
"""What the choice begins with, before the dataset, that names the run which serves until the recommended one can."""
RECOMMENDED_RUN = "recommended:"
"""The same for the run that is to serve then; below 0 where somebody cancelled it, so that nobody is asked twice."""
_AFTER_ALL = "(SELECT coalesce(max(place), 0) + 1 FROM runs)"


@dataclass(frozen=True)
class Changes:
    """What happened to runs since somebody looked."""

    version: int
    """To ask with the next time."""
    runs: tuple[Run, ...]
    """Those that are new or not as they were, newest first."""
    deleted: tuple[int, ...]


@dataclass(frozen=True)
class Freed:
    """A run whose checkpoint was removed, or is to be."""

    run: Run
    bytes: int


def as_json(run: Run) -> dict[str, Any]:
    """Return a run as ``runs list --json`` prints it."""
    return {
        "run": run.id,
        "name": run.name,
        "note": run.note,
        "model": run.model,
        "dataset": run.dataset,
        "cleaning": run.cleaning,
        "split": run.split,
        "seed": run.seed,
        "device": run.device,
        "state": run.state,
        "problem": run.problem,
        "started": run.started,
        "seconds": run.seconds,
        "peak_bytes": run.peak_bytes,
        "checkpoint_bytes": checkpoint_bytes(run),
        "best_epoch": run.best_epoch,
        "progress": run.progress,
        "settings": run.settings,
        "metrics": run.metrics,
    }


def checkpoint_bytes(run: Run) -> int:
    """Return what a run's checkpoint takes on disk, 0 where there is none."""
    return locations.bytes_in(locations.checkpoints() / run.checkpoint)


class Runs:
    """The runs of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # To look at

    def find(self, dataset: str | None = None, model: str | None = None, split: str | None = None) -> list[Run]:
        """Return the runs of a dataset, a model and a split, of all where ``None``, newest first."""
        return [
            run
            for run in self._store.runs()
            if dataset in (None, run.dataset) and model in (None, run.model) and split in (None, run.split)
        ]

    def get(self, number: int) -> Run:
        """Return one run. Raises ``Problem`` where there is none of that number."""
        run = self._store.run(number)
        if run is None:
            raise Problem(f"There is no run {number}; movietui runs list shows those that there are.")
        return run

    def changes(self, since: int = 0) -> Changes:
        """Return what happened after an earlier answer's ``version``; 0 asks for all runs.

        Cheap where nothing did: two look-ups in an index. Whoever asks also notices the runs that were cut off, and
        writes it down for the others.
        """
        self._write_down_cut_off()
        rows = self._store.rows("SELECT id, run FROM run_changes WHERE id > ? ORDER BY id DESC", since)
        changed = {int(number) for _, number in rows}
        runs = tuple(self._store.runs(changed)) if changed else ()
        deleted = tuple(sorted(changed - {run.id for run in runs}))
        return Changes(int(rows[0][0]) if rows else since, runs, deleted)

    def _write_down_cut_off(self) -> None:
        marks = ",".join("?" * len(UNDER_WAY))
        rows = self._store.rows(f"SELECT id FROM runs WHERE state IN ({marks})", *UNDER_WAY)
        for (number,) in rows:
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
        """Return where a run's model fails: ``subgroups``, ``calibration`` and ``confusion``; empty if not measured."""
        found = self._store.rows("SELECT detail FROM measured WHERE run = ?", number)
        return dict(json.loads(found[0][0])) if found else {}

    def by_user(self, number: int) -> tuple[str, bytes] | None:
        """Return a run's fingerprint of test rows and its sums by user, as ``models.tally`` makes them."""
        found = self._store.rows("SELECT rows, by_user FROM measured WHERE run = ?", number)
        return (str(found[0][0]), bytes(found[0][1])) if found else None

    def whole(self, number: int) -> dict[str, Any]:
        """Return all that is known of a run, as ``runs show --json`` prints it."""
        run = self.get(number)
        checkpoint = str(locations.checkpoints() / run.checkpoint)
        return {**as_json(run), "checkpoint": checkpoint, "curve": run.curve, **self.detail(number)}

    # To keep

    def name(self, number: int, text: str) -> Run:
        """Call a run something; an empty text takes the name away. Raises ``Problem`` for an overlong one."""
        return self._describe(number, "name", text, LONGEST_RUN_NAME)

    def note(self, number: int, text: str) -> Run:
        """Write a note to a run; an empty text takes it away. Raises ``Problem`` for an overlong one."""
        return self._describe(number, "note", text, LONGEST_NOTE)

    def _describe(self, number: int, column: str, text: str, longest: int) -> Run:
        text = " ".join(plain(text).split())
        if len(text) > longest:
            raise Problem(f"The {column} of a run has at most {longest:,} letters; this one has {len(text):,}.")
        self.get(number)
        self._write(f"UPDATE runs SET {column} = ? WHERE id = ?", text, number)
        return self.get(number)

    def without(self, number: int) -> str:
        """Return what it means for lists that a run goes; empty where it serves none."""
        run = self.get(number)
        serving = self._store.serving_runs(run.dataset)
        if not serving or serving[0].id != number:
            return ""
        heir = next((other for other in serving[1:] if checkpoint_bytes(other)), None)
        then = f"run {heir.id}, {heir.model}, makes them then" if heir else "no other run could make them then"
        return f"Run {number} makes the lists of {run.dataset}; {then}."

    def delete(self, number: int) -> Freed:
        """Remove a run with its checkpoint. Raises ``Problem`` while it is under way."""
        run = self.get(number)
        if run.state in UNDER_WAY:
            raise Problem(f"Run {number} is {run.state}; cancel it before it is deleted.")
        freed = self._free(run)
        with self._store.change():
            self._store.execute("DELETE FROM runs WHERE id = ?", number)
            self._store.execute("DELETE FROM choices WHERE name = ? AND value = ?", f"run:{run.dataset}", str(number))
        return freed

    def prune(self, keep: int, metric: str = "rmse") -> list[Freed]:
        """Remove the checkpoints that ``prunable`` finds; what was measured of these runs stays."""
        return [self._free(found.run) for found in self.prunable(keep, metric)]

    def prunable(self, keep: int, metric: str = "rmse") -> list[Freed]:
        """Return the runs that have a checkpoint and are not among the best, newest first.

        ``keep`` of those that can be compared stay (the same dataset, cleaning and split), and always the one that
        serves its dataset. Raises ``Problem`` for a metric that no run has.
        """
        done = [run for run in self.find() if run.state == "done"]
        if done and not any(metric in run.metrics for run in done):
            known = ", ".join(dict.fromkeys(name for run in done for name in run.metrics)) or "none"
            raise Problem(f"No run has a metric {metric!r}; runs have {known}.")
        groups: dict[tuple[str, str, str], list[Run]] = {}
        for run in done:
            groups.setdefault((run.dataset, run.cleaning, run.split), []).append(run)
        kept = {
            run.id for group in groups.values() for run in sorted(group, key=lambda run: place_by(run, metric))[:keep]
        }
        kept |= {serving.id for run in done for serving in self._store.serving_runs(run.dataset)[:1]}
        sizes = [Freed(run, checkpoint_bytes(run)) for run in done if run.id not in kept]
        return [found for found in sizes if found.bytes]

    @staticmethod
    def _free(run: Run) -> Freed:
        size = checkpoint_bytes(run)
        folder = locations.checkpoints() / run.checkpoint
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise Problem(f"{folder} cannot be removed ({error.strerror}); check its rights.") from error
        return Freed(run, size)

    def use(self, number: int) -> Run:
        """Let a run serve its dataset, and its dataset be the one in use.

        Raises ``Problem`` for a run that is not done or whose checkpoint was removed.
        """
        run = self.get(number)
        if run.state != "done":
            raise Problem(f"Run {number} is {run.state}; only a run that is done can be used.")
        if not checkpoint_bytes(run):
            raise Problem(f"The checkpoint of run {number} was removed; train {run.model} again.")
        self._store.serve_with(run)
        self._store.choose("dataset", run.dataset)
        self.decide(run.dataset)
        return run

    # The queue; only the process that wrote its number beside a run starts it

    def queue(self, model: str, dataset: str, split: str, request: Mapping[str, Any]) -> int:
        """Let a run wait behind all others for this process to start it with ``request``; return its number."""
        with self._store.change():
            return self._queue(model, dataset, split, request)

    def _queue(self, model: str, dataset: str, split: str, request: Mapping[str, Any]) -> int:
        """Add a run that waits. Inside a change only."""
        store = self._store
        settings = request.get("settings", {})
        cleaning, seed = request["cleaning"], request.get("seed", 0)
        number = store.insert_run(model, dataset, cleaning, split, seed, settings, request, state="queued")
        store.execute(f"UPDATE runs SET place = {_AFTER_ALL} WHERE id = ?", number)
        return number

    def queue_stand_in(self, model: str, dataset: str, request: Mapping[str, Any]) -> int:
        """Let a run wait that serves a dataset until the recommended model does; return its number.

        Where such a run waits or trains already, in whatever window, it is that one.
        """
        with self._store.change():
            run = self._store.run(self._chosen(STAND_IN, dataset))
            if run is not None and run.request == dict(request) and self._goes_on(run.id):
                return run.id
            number = self._queue(model, dataset, SERVED_SPLIT, request)
            self._store.put_choice(STAND_IN + dataset, str(number))
        return number

    def queue_recommended(self, model: str, stand_in: Run) -> int | None:
        """Let the run wait that a stand-in serves instead of, once for each dataset; return its number.

        ``None`` where the run is no stand-in, somebody chose by themselves what serves, or turned the other away.
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

    def stands_in(self, stand_in: Run, recommended: Run) -> bool:
        """Return whether a run serves only until another one can."""
        chosen = [self._chosen(name, recommended.dataset) for name in (STAND_IN, RECOMMENDED_RUN)]
        return chosen == [stand_in.id, recommended.id]

    def want(self, number: int, *, wanted: bool = True) -> None:
        """Remember of a recommended run whether somebody turned it away: the end of a process does not."""
        with self._store.change():
            run = self._store.run(number)
            if run is not None and abs(self._chosen(RECOMMENDED_RUN, run.dataset)) == number:
                self._store.put_choice(RECOMMENDED_RUN + run.dataset, str(number if wanted else -number))

    def decide(self, dataset: str) -> None:
        """Remember that a person chose by themselves what serves a dataset: nothing takes over from it."""
        self._store.choose(STAND_IN + dataset, "")

    def _chosen(self, name: str, dataset: str) -> int:
        return int(self._store.choice(name + dataset) or 0)

    def _goes_on(self, number: int) -> bool:
        """Whether a run waits or trains and its process lives."""
        rows = self._store.rows(
            "SELECT process, began FROM runs WHERE id = ? AND state IN (?, ?, ?)", number, "queued", *UNDER_WAY
        )
        return any(still_runs(process, began) for process, began in rows)

    def waiting(self) -> Sequence[Run]:
        """Return the runs that wait for this process, the next one first."""
        ours = [
            number
            for (number,) in self._store.rows(
                "SELECT id FROM runs WHERE state = 'queued' AND process = ? AND began = ?", *this_process()
            )
        ]
        return sorted(self._store.runs(ours) if ours else (), key=lambda run: (run.place or 0, run.id))

    def adopt(self) -> int:
        """Take over the runs that wait for a process that is gone; return how many."""
        rows = self._store.rows("SELECT id, process, began FROM runs WHERE state = 'queued'")
        orphans = [(number, process, began) for number, process, began in rows if not still_runs(process, began)]
        # Only from the one that is gone: another process may be faster.
        return sum(
            self._write(
                "UPDATE runs SET process = ?, began = ? WHERE id = ? AND process = ? AND began = ?",
                *this_process(),
                *orphan,
            )
            for orphan in orphans
        )

    def again(self, number: int) -> Run:
        """Let a run that was cut off, cancelled or failed wait once more, behind all others, under its own number.

        Raises ``Problem`` for one that is done or under way, and one that no queue knows how to start.
        """
        before = self._store.rows("SELECT state, process, began FROM runs WHERE id = ?", number)
        run = self.get(number)
        if run.state not in (CUT_OFF, "cancelled", "failed"):
            raise Problem(f"Run {number} is {run.state}; only one that was cut off, cancelled or failed starts again.")
        if not run.request:
            raise Problem(f"How run {number} was started is not known any more; train {run.model} again.")
        self._free(run)
        changed = self._write(
            f"UPDATE runs SET state = 'queued', problem = '', place = {_AFTER_ALL}, process = ?, began = ?"
            " WHERE id = ? AND state = ? AND process IS ? AND began IS ?",
            *this_process(),
            number,
            *before[0],
        )
        if not changed:  # another window was faster
            raise Problem(f"Run {number} was started again elsewhere.")
        return self.get(number)

    def move(self, number: int, place: int) -> None:
        """Put a run that waits at a place of the queue, 0 being the next; beyond the end is the end."""
        order = [run.id for run in self.waiting() if run.id != number]
        order.insert(max(0, place), number)
        with self._store.change():
            for at, own in enumerate(order, 1):
                moved = "UPDATE runs SET place = ? WHERE id = ? AND state = 'queued' AND place IS NOT ?"
                self._store.execute(moved, at, own, at)

    def release(self) -> None:
        """Let whoever adopts first have the runs that wait for this process."""
        self._write(
            "UPDATE runs SET began = ? WHERE state = 'queued' AND process = ? AND began = ?", RELEASED, *this_process()
        )

    def end_unfinished(self, number: int, state: str, problem: str = "") -> None:
        """Write down how a run ended whose process did not: before it began, or because it was killed."""
        run = self._store.run(number)
        if run is not None and run.state in ("queued", CUT_OFF):
            self._write(
                "UPDATE runs SET state = ?, problem = ?, place = NULL, progress = '{}' WHERE id = ?",
                state,
                problem,
                number,
            )

    # The process that trains

    def begin(self, number: int, cleaning: str, settings: Mapping[str, Any], device: str = "cpu") -> None:
        """Write down that a run that waited begins in this process. Raises ``Problem`` if it does not wait any more."""
        changed = self._write(
            "UPDATE runs SET state = 'running', place = NULL, cleaning = ?, settings = ?, device = ?, process = ?,"
            " began = ?, started = strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now') WHERE id = ? AND state = 'queued'",
            cleaning,
            json.dumps(settings),
            device,
            *this_process(),
            number,
        )
        if not changed:
            raise Problem(f"Run {number} does not wait any more; it was started or cancelled elsewhere.")

    def measured(self, number: int, rows: str, by_user: bytes, detail: Mapping[str, Any]) -> None:
        """Keep what was measured of a run."""
        self._write("INSERT OR REPLACE INTO measured VALUES (?, ?, ?, ?)", number, rows, by_user, json.dumps(detail))

    def write_progress(
        self, number: int, state: str, seconds: float, curve: Sequence[Message], progress: Mapping[str, Any]
    ) -> None:
        """Write down how far a run is."""
        self._write(
            "UPDATE runs SET state = ?, seconds = ?, curve = ?, progress = ?, peak_bytes = ? WHERE id = ?",
            state,
            seconds,
            json.dumps(list(curve)),
            json.dumps(progress),
            peak_bytes(),
            number,
        )

    def _write(self, statement: str, *values: object) -> int:
        """Change rows and return how many."""
        with self._store.change():
            return self._store.execute(statement, *values).rowcount


def place_by(run: Run, metric: str) -> float:
    """Return what sorts runs by a metric, best first; those without it come last."""
    if metric not in run.metrics:
        return float("inf")
    return -run.metrics[metric] if metric in HIGHER_IS_BETTER else run.metrics[metric]


class Recorder:
    """Writes a run down while it goes on: at the first epoch of each phase, then once a second."""

    def __init__(self, runs: Runs, number: int, phases: Sequence[str], clock: Callable[[], float] = time.monotonic):
        """``phases``: the fits to come, in their order."""
        self._runs = runs
        self._number = number
        self._phases = phases
        self._clock = clock
        self._began = clock()
        self._paused = 0.0
        self._phase = ""
        self._latest: deque[tuple[float, int]] = deque(maxlen=RATE_EPOCHS + 1)
        self._written = 0.0
        self._progress: dict[str, Any] = {}
        self.curve: list[Message] = []
        """The epochs of the first phase, which has a validation loss."""

    @property
    def seconds(self) -> float:
        """How long it has trained so far."""
        return self._clock() - self._began - self._paused

    def epoch(self, phase: str, epoch: Message) -> None:
        """Take note of an epoch."""
        if phase == self._phases[0]:
            self.curve.append({name: epoch[name] for name in ("epoch", "train_loss", "validation_loss")})
        now = self.seconds
        if phase != self._phase:
            self._phase, self._written = phase, -WRITE_SECONDS
            self._latest.clear()
        self._latest.append((now, epoch["epoch"]))
        self._progress = {
            "phase": phase,
            "epoch": epoch["epoch"],
            "of": epoch["of"],
            "left": self._left(epoch["of"]),
        }
        if now - self._written >= WRITE_SECONDS:
            self._written = now
            self._write("running")

    def _left(self, of: int) -> float | None:
        """Seconds, from the rate of the latest epochs of this phase: the fits to come have as many."""
        (since, first), (now, epoch) = self._latest[0], self._latest[-1]
        if epoch <= first:
            return None
        to_come = len(self._phases) - 1 - self._phases.index(self._phase)
        return (now - since) / (epoch - first) * (of - epoch + to_come * of)

    def hold(self, wait: Callable[[], object]) -> None:
        """Be paused while ``wait`` takes."""
        self._write("paused")
        since = self._clock()
        try:
            wait()
        finally:
            self._paused += self._clock() - since
        self._write("running")

    def _write(self, state: str) -> None:
        try:
            self._runs.write_progress(self._number, state, self.seconds, self.curve, self._progress)
        except Problem:
            return  # a full disk stops no training; what it ends with is written down or told
