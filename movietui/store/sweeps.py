"""Stores sweeps: the settings that were tried, in order, and the runs that measured them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.storage import strict_json
from movietui.models.choices import higher_is_better
from movietui.protocol.jobs import SweepRow
from movietui.store.database import now
from movietui.store.ratings import Store
from movietui.store.run_records import UNDER_WAY, Run

_SWEEP = "id, identity, model, dataset, cleaning, split, seed, metric, started, test, request"


@dataclass(frozen=True)
class StoredSweep:
    """A sweep, without its trials."""

    id: int
    identity: str
    """A digest of the request and of the data, by which a repeated sweep is recognised."""
    model: str
    dataset: str
    cleaning: str
    split: str
    seed: int
    metric: str
    """What the settings are chosen by."""
    started: str
    test: int | None
    """The run that measured the best settings on test; ``None`` until the sweep is done."""
    request: Mapping[str, Any]
    """``space``, ``sampler``, ``tries``, ``split_seed``, ``order``, ``published``."""


@dataclass(frozen=True)
class Trial:
    """Settings that a sweep tried, and the run that measured them."""

    changes: Mapping[str, str]
    """The settings that were tried, as text."""
    run: Run


class Sweeps:
    """The sweeps of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, dataset: str | None = None, model: str | None = None) -> list[StoredSweep]:
        """Return the sweeps of this model on this dataset, newest first; ``None`` allows any."""
        return [
            sweep
            for sweep in self._sweeps("ORDER BY id DESC")
            if dataset in (None, sweep.dataset) and model in (None, sweep.model)
        ]

    def get(self, number: int) -> StoredSweep:
        """Return one sweep. Raises ``Problem`` if there is none with this number."""
        for sweep in self.find():
            if sweep.id == number:
                return sweep
        raise Problem(tr("There is no sweep {sweep}; movietui sweep list shows all sweeps.", sweep=number))

    def with_identity(self, identity: str) -> StoredSweep | None:
        """Return the newest sweep with this identity; ``None`` if there is none."""
        return next(iter(self._sweeps("WHERE identity = ? ORDER BY id DESC LIMIT 1", identity)), None)

    def _sweeps(self, where: str, *values: object) -> list[StoredSweep]:
        rows = self._store.rows(f"SELECT {_SWEEP} FROM sweeps {where}", *values)
        valid = self._store.valid_rows("sweeps", _SWEEP.replace(",", ""), rows)
        return [StoredSweep(*row[:-1], *map(strict_json.loads, row[-1:])) for row in valid]

    def add(
        self,
        identity: str,
        model: str,
        dataset: str,
        cleaning: str,
        split: str,
        seed: int,
        metric: str,
        request: Mapping[str, Any],
    ) -> StoredSweep:
        """Add a sweep that starts now."""
        facts = (identity, model, dataset, cleaning, split, seed, metric)
        started = now()
        with self._store.change():
            cursor = self._store.execute(
                "INSERT INTO sweeps (identity, model, dataset, cleaning, split, seed, metric, request, started)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                *(*facts, json.dumps(request), started),
            )
        return StoredSweep(int(cursor.lastrowid or 0), *facts, started, None, request)

    def trials(self, number: int) -> list[Trial]:
        """Return the trials of a sweep, in order. A trial whose run is damaged is left out."""
        rows = self._store.rows("SELECT sweep, run, changes FROM trials WHERE sweep = ? ORDER BY number", number)
        valid = self._store.valid_rows("trials", "sweep run changes", rows)
        runs = {run.id: run for run in self._store.runs([run for _, run, _ in valid])}
        return [Trial(strict_json.loads(changes), runs[run]) for _, run, changes in valid if run in runs]

    def add_trial(self, sweep: int, number: int, run: int, changes: Mapping[str, str]) -> None:
        """Record which run measured the settings that a sweep tried as its ``number``-th."""
        with self._store.change():
            self._store.execute(
                "INSERT OR REPLACE INTO trials (sweep, number, run, changes) VALUES (?, ?, ?, ?)",
                *(sweep, number, run, json.dumps(changes)),
            )

    def end(self, sweep: int, test: int) -> None:
        """Record that a sweep is done. ``test`` is the run that measured the best settings on test."""
        with self._store.change():
            self._store.execute("UPDATE sweeps SET test = ? WHERE id = ?", test, sweep)

    def delete(self, number: int) -> int:
        """Delete a sweep and the runs that only it uses; return how many runs were deleted.

        Raises ``Problem`` if there is no such sweep, or if one of these runs is in progress.
        """
        sweep = self.get(number)
        mine = {trial.run.id for trial in self.trials(number)} | ({sweep.test} if sweep.test else set())
        with self._store.change():
            elsewhere = {
                run
                for (run,) in self._store.rows(
                    "SELECT run FROM trials WHERE sweep <> ?1 UNION SELECT test FROM sweeps WHERE id <> ?1", number
                )
            }
            runs = self._store.runs(mine - elsewhere)
            if under_way := [run.id for run in runs if run.state in UNDER_WAY]:
                raise Problem(
                    tr(
                        "Sweep {sweep} is measuring run {run}; stop it before you delete it.",
                        sweep=number,
                        run=under_way[0],
                    )
                )
            for run in runs:
                self._store.execute("DELETE FROM runs WHERE id = ?", run.id)
            self._store.execute("DELETE FROM sweeps WHERE id = ?", number)
        return len(runs)

    def rows(self, sweep: StoredSweep) -> list[SweepRow]:
        """Return what ``sweep --json`` prints: a row for each trial, the best first."""
        test = self._store.run(sweep.test) if sweep.test else None
        rows = sorted(
            (row_of(sweep, trial.changes, trial.run) for trial in self.trials(sweep.id)),
            key=lambda row: order_of(row, sweep.metric),
        )
        if rows and test is not None:
            rows[0] = {**rows[0], "test": test.metrics}
        return rows

    def whole(self, number: int) -> dict[str, Any]:
        """Return everything known about a sweep, as ``sweep show --json`` prints it."""
        sweep = self.get(number)
        return {**self.as_json(sweep), "environment": self._environment(sweep), "rows": self.rows(sweep)}

    def as_json(self, sweep: StoredSweep) -> dict[str, Any]:
        """Return a sweep as ``sweep list --json`` prints it."""
        rows = self.rows(sweep)
        best = rows[0] if rows and sweep.metric in rows[0]["metrics"] else None
        return {
            "sweep": sweep.id,
            "model": sweep.model,
            "dataset": sweep.dataset,
            "cleaning": sweep.cleaning,
            "split": sweep.split,
            "seed": sweep.seed,
            **sweep.request,
            "metric": sweep.metric,
            "state": "done" if sweep.test else "unfinished",
            "started": sweep.started,
            "tried": len(rows),
            "best": best and {name: best[name] for name in ("run", "grid", "metrics", "test")},
        }

    def _environment(self, sweep: StoredSweep) -> dict[str, Any]:
        """Return the environment of the sweep's newest run."""
        run = self._store.run(sweep.test) if sweep.test else None
        trials = self.trials(sweep.id)
        return run.environment if run else trials[-1].run.environment if trials else {}


def row_of(sweep: StoredSweep, changes: Mapping[str, str], run: Run) -> SweepRow:
    """Return a trial as ``sweep --json`` prints it."""
    return {
        "run": run.id,
        "model": sweep.model,
        "dataset": sweep.dataset,
        "split": sweep.split,
        "split_seed": sweep.request["split_seed"],
        "seed": sweep.seed,
        "cleaning": sweep.cleaning,
        "grid": changes,
        "settings": run.settings,
        "metric": sweep.metric,
        "metrics": run.metrics,
        "test": None,
        "seconds": {"fit": run.seconds or 0.0},
        "problem": run.problem,
    }


def order_of(row: SweepRow, metric: str) -> tuple[bool, float]:
    """Return a key that sorts rows, the best first and those without the metric last."""
    value = row["metrics"].get(metric)
    if value is None:
        return True, 0.0
    return False, -value if higher_is_better(metric) else value
