"""Trainings as the store keeps them: when they began, how they ended, and which serves a dataset."""

import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from movietui.database import Database, now
from movietui.processes import still_runs, this_process

UNDER_WAY = ("running", "paused")
CUT_OFF = "cut off"
"""The state of a run that was under way when its process ended without a word."""


@dataclass(frozen=True)
class Run:
    """One training with its settings, curve and metrics."""

    id: int
    name: str
    """What a person calls it; empty for most."""
    note: str
    model: str
    dataset: str
    cleaning: str
    split: str
    seed: int
    device: str
    state: str
    """``queued``, ``running``, ``paused``, ``done``, ``cancelled``, ``failed`` or ``cut off``."""
    checkpoint: str
    """The name of its folder among the checkpoints."""
    started: str
    seconds: float | None
    """Of training, so far while it runs; pauses are not counted."""
    peak_bytes: int | None
    """The most memory that its process had."""
    best_epoch: int | None
    problem: str
    place: int | None
    """In the queue, where it waits there: the least goes first."""
    curve_text: str
    """``curve`` as JSON."""
    settings: dict[str, Any]
    """All of them; of a run that waits, what a person changed."""
    metrics: dict[str, float]
    progress: dict[str, Any]
    """Of a run that is not over: ``phase``, ``epoch``, ``of`` and ``left``, the seconds that it will still take."""
    request: dict[str, Any]
    """What a run of the queue is started with."""

    @cached_property
    def curve(self) -> list[dict[str, Any]]:
        """The epochs of the fit that left validation ratings out; read when it is asked for, as most are not."""
        return list(json.loads(self.curve_text))


class RunRecords(Database):
    """The part of the store that is about runs."""

    def start_run(
        self,
        model: str,
        dataset: str,
        cleaning: str,
        split: str,
        seed: int,
        settings: Mapping[str, Any],
        *,
        request: Mapping[str, Any] | None = None,
        device: str = "cpu",
    ) -> int:
        """Write down that a training began in this process and return its number; ``request`` starts it again."""
        with self.change():
            run = self.insert_run(model, dataset, cleaning, split, seed, settings, request or {}, state="running")
            self.execute("UPDATE runs SET device = ? WHERE id = ?", device, run)
        return run

    def insert_run(
        self,
        model: str,
        dataset: str,
        cleaning: str,
        split: str,
        seed: int,
        settings: Mapping[str, Any],
        request: Mapping[str, Any],
        *,
        state: str,
    ) -> int:
        """Add a run that this process has to do with. Inside a change only."""
        checkpoint = f"{dataset}-{model}-{uuid.uuid4().hex[:12]}"
        cursor = self.execute(
            "INSERT INTO runs"
            " (model, dataset, cleaning, split, seed, settings, request, state, process, began, checkpoint, started)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(model, dataset, cleaning, split, seed, json.dumps(settings), json.dumps(request)),
            *(state, *this_process(), checkpoint, now()),
        )
        return int(cursor.lastrowid or 0)

    def end_run(
        self,
        run: int,
        state: str,
        *,
        seconds: float | None = None,
        curve: Sequence[dict[str, Any]] = (),
        best_epoch: int | None = None,
        metrics: dict[str, float] | None = None,
        problem: str = "",
        peak_bytes: int | None = None,
    ) -> None:
        """Write down how a training ended: ``done``, ``cancelled`` or ``failed``."""
        with self.change():
            self.execute(
                "UPDATE runs SET state = ?, seconds = ?, curve = ?, best_epoch = ?, metrics = ?, problem = ?,"
                " peak_bytes = ?, progress = '{}', place = NULL WHERE id = ?",
                *(state, seconds, json.dumps(list(curve)), best_epoch),
                *(json.dumps(metrics or {}), problem, peak_bytes, run),
            )

    def runs(self, numbers: Collection[int] | None = None) -> list[Run]:
        """Return all runs, or those of these numbers that are there, newest first."""
        if numbers is None:
            return [self._run(row) for row in self.rows(f"SELECT {_RUN} FROM runs ORDER BY id DESC")]
        query = f"SELECT {_RUN} FROM runs WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id DESC"
        return [self._run(row) for row in self.rows(query, json.dumps(list(numbers)))]

    def run(self, number: int) -> Run | None:
        """Return one run."""
        found = self.rows(f"SELECT {_RUN} FROM runs WHERE id = ?", number)
        return self._run(found[0]) if found else None

    @staticmethod
    def _run(row: Sequence[Any]) -> Run:
        *facts, process, began = row
        texts = len(facts) - _TEXTS
        run = Run(*facts[:texts], *map(json.loads, facts[texts:]))
        if run.state in UNDER_WAY and not still_runs(process, began):
            return replace(run, state=CUT_OFF, problem="It was cut off before its end; start it again.")
        return run

    def dataset_in_use(self) -> str | None:
        """Return the dataset that was open last, else the one trained on last; none that no run can serve."""
        rows = self.rows("SELECT dataset FROM runs WHERE state = 'done' GROUP BY dataset ORDER BY max(id) DESC")
        trained = [str(dataset) for (dataset,) in rows]
        chosen = self.choice("dataset")
        return chosen if chosen in trained else next(iter(trained), None)

    def serving_runs(self, dataset: str) -> list[Run]:
        """Return the runs that can serve a dataset: the chosen one, then the others from the newest on."""
        chosen = self.choice(f"run:{dataset}")
        query = f"SELECT {_RUN} FROM runs WHERE dataset = ? AND state = 'done' ORDER BY id = ? DESC, id DESC"
        return [self._run(row) for row in self.rows(query, dataset, int(chosen or 0))]

    def serve_with(self, run: Run) -> None:
        """Choose the run that serves its dataset."""
        self.choose(f"run:{run.dataset}", str(run.id))


_RUN = (
    "id, name, note, model, dataset, cleaning, split, seed, device, state, checkpoint, started, seconds, peak_bytes,"
    " best_epoch, problem, place, curve, settings, metrics, progress, request, process, began"
)
"""The columns of a run in the order of ``Run``, the process behind them."""
_TEXTS = 4
"""How many columns before the process are read as JSON at once."""
