"""The part of the store that holds runs: how they started and ended, and which one serves a dataset."""

import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from movietui.data.language import tr
from movietui.data.storage import strict_json
from movietui.data.storage.strict_json import finite
from movietui.models.choices import DEFAULT_ORDER
from movietui.protocol.jobs import EpochRow
from movietui.store.database import Database, now
from movietui.store.processes import still_runs, this_process
from movietui.store.validation import LARGEST, Kind, is_curve

SPARK = "spark"
"""The device of a run that was trained on a cluster."""
UNDER_WAY = ("running", "paused")
VALIDATION = " validation"
"""Follows the name of the split that a trial was measured on."""
CUT_OFF = "cut off"
"""The state of a run whose process ended without recording the end of the run."""


Protocol = tuple[str, str | None, str, str, int, str]
"""Dataset, join with IMDb, cleaning, split, split seed and order of the lists."""


@dataclass(frozen=True)
class Run:
    """One training or measurement of one model, with its settings, curve and metrics."""

    id: int
    kind: Kind
    identity: str
    """A digest of everything that the figures of an evaluation or a trial depend on; empty for training."""
    name: str
    """The name that the user gave the run; usually empty."""
    note: str
    model: str
    dataset: str
    cleaning: str
    split: str
    """The split that the model was measured on; of a trial, with ``VALIDATION`` after it."""
    seed: int
    """The seed of the model."""
    split_seed: int
    imdb: str | None
    """The fingerprint of the dataset's join with IMDb, empty without a join; ``None`` if unknown, as for a queued run
    and for runs of earlier versions."""
    task: str
    """What an evaluation or a trial measured: ``rating``, ``ranking`` or ``pair``; empty for training."""
    list_order: str
    """The order of the lists that an evaluation or a trial measured; empty for other tasks. Empty for training too,
    which measures lists in the default order."""
    device: str
    state: str
    """``queued``, ``running``, ``paused``, ``done``, ``cancelled``, ``failed`` or ``cut off``."""
    checkpoint: str
    """The name of the folder of its checkpoint."""
    started: str
    seconds: float | None
    """How long the training took, or has taken so far, without pauses."""
    cpu_seconds: float | None
    """The processor time of the fits, over all threads; ``None`` if unknown."""
    peak_bytes: int | None
    """The peak memory of the process that trained it."""
    best_epoch: int | None
    problem: str
    position: int | None
    """The position in the queue, if the run is queued; the run with the lowest position is next."""
    curve_text: str
    """``curve`` as JSON."""
    settings: dict[str, Any]
    """All settings; of a queued run, those that the user changed."""
    metrics: dict[str, float]
    progress: dict[str, Any]
    """For a run in progress: ``phase``, ``epoch``, ``of`` (the last epoch) and ``left`` (the remaining seconds).

    ``unit`` is ``stage`` if the fit has stages instead of epochs. If it is ``whole``, ``epoch`` of ``of`` is the share
    of the fit that is done, and ``stage`` is the stage in progress. On a cluster, it is ``tasks``, and ``epoch`` and
    ``of`` count the tasks of the stage of Spark in progress."""
    request: dict[str, Any]
    """The request that starts a queued run; of a measurement, its split, which may be the
    path of a file, and the stars that make a movie relevant, if these are not the usual ones."""
    cluster: dict[str, Any]
    """For a run on a cluster, the fields of ``movietui.data.cluster.running.ClusterWork``; else empty."""
    environment: dict[str, Any]
    """What else the figures depend on; see ``movietui.jobs.environment``. Empty for a run of an older version."""

    @property
    def protocol(self) -> Protocol:
        """What the run was measured on: only the figures of runs with the same protocol can be compared."""
        order = self.list_order or DEFAULT_ORDER
        return self.dataset, self.imdb, self.cleaning, self.split, self.split_seed, order

    @cached_property
    def curve(self) -> list[EpochRow]:
        """The epochs of the first fit, with their validation losses if it has a validation part.

        Empty if the stored text is damaged. It is parsed on demand, because most curves are not needed.
        """
        return list(strict_json.loads(self.curve_text)) if is_curve(self.curve_text) else []


class RunRecords(Database):
    """The part of the store that holds runs."""

    def start_run(
        self,
        model: str,
        dataset: str,
        cleaning: str,
        split: str,
        seed: int,
        settings: Mapping[str, Any],
        *,
        split_seed: int = 0,
        imdb: str | None = None,
        request: Mapping[str, Any] | None = None,
        device: str = "cpu",
        kind: Kind = "training",
        identity: str = "",
        task: str = "",
        list_order: str = "",
        environment: Mapping[str, Any] | None = None,
    ) -> int:
        """Record that a run started in this process; return its number. ``request`` can start the run again."""
        with self.change():
            run = self.insert_run(
                model, dataset, cleaning, split, seed, settings, request or {}, split_seed=split_seed, state="running"
            )
            self.execute(
                "UPDATE runs SET imdb = ?, device = ?, kind = ?, identity = ?, task = ?, list_order = ?,"
                " environment = ? WHERE id = ?",
                *(imdb, device, kind, identity, task, list_order, json.dumps(environment or {}), run),
            )
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
        split_seed: int = 0,
        state: str,
    ) -> int:
        """Add a run of this process; return its number. Call only inside ``with change()``."""
        checkpoint = f"{dataset}-{model}-{uuid.uuid4().hex[:12]}"
        cursor = self.execute(
            "INSERT INTO runs"
            " (model, dataset, cleaning, split, seed, split_seed, settings, request, state, process, began, checkpoint,"
            " started) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(model, dataset, cleaning, split, seed, split_seed, json.dumps(settings), json.dumps(request)),
            *(state, *this_process(), checkpoint, now()),
        )
        return int(cursor.lastrowid or 0)

    def end_run(
        self,
        run: int,
        state: str,
        *,
        seconds: float | None = None,
        cpu_seconds: float | None = None,
        curve: Sequence[dict[str, Any]] = (),
        best_epoch: int | None = None,
        metrics: dict[str, float] | None = None,
        problem: str = "",
        peak_bytes: int | None = None,
    ) -> None:
        """Record how a run ended: ``done``, ``cancelled`` or ``failed``."""
        with self.change():
            self.execute(
                "UPDATE runs SET state = ?, seconds = ?, cpu_seconds = ?, curve = ?, best_epoch = ?, metrics = ?,"
                " problem = ?, peak_bytes = ?, progress = '{}', position = NULL WHERE id = ?",
                *(state, seconds, cpu_seconds, json.dumps(finite(list(curve))), best_epoch),
                *(json.dumps(finite(metrics or {})), problem, peak_bytes, run),
            )

    def runs(self, numbers: Collection[int] | None = None) -> list[Run]:
        """Return all undamaged runs, or only those with these numbers, newest first."""
        if numbers is None:
            return self._runs(f"SELECT {_RUN} FROM runs ORDER BY id DESC")
        query = f"SELECT {_RUN} FROM runs WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id DESC"
        return self._runs(query, json.dumps(list(numbers)))

    def run(self, number: int) -> Run | None:
        """Return one run; ``None`` if it is missing or damaged."""
        runs = self._runs(f"SELECT {_RUN} FROM runs WHERE id = ?", number) if abs(number) <= LARGEST else []
        return runs[0] if runs else None

    def is_damaged(self, number: int) -> bool:
        """Return whether a run exists but cannot be read."""
        return abs(number) <= LARGEST and bool(
            self.rows("SELECT 1 FROM runs WHERE id = ?", number) and self.run(number) is None
        )

    def _runs(self, query: str, *values: object) -> list[Run]:
        return [self._run(row) for row in self.valid_rows("runs", _CHECKED, self.rows(query, *values))]

    @staticmethod
    def _run(row: Sequence[Any]) -> Run:
        *facts, process, began = row
        texts = len(facts) - _TEXTS
        run = Run(*facts[:texts], *map(strict_json.loads, facts[texts:]))
        if run.state in UNDER_WAY and not still_runs(process, began):
            return replace(run, state=CUT_OFF, problem=tr("It was interrupted; resume it."))
        return run

    def dataset_in_use(self) -> str | None:
        """Return the dataset that was opened last if a model was trained on it, or else that of the newest training.

        Returns ``None`` if no training has finished.
        """
        rows = self.rows(
            "SELECT dataset FROM runs WHERE state = 'done' AND kind = 'training' GROUP BY dataset ORDER BY max(id) DESC"
        )
        trained = [dataset for (dataset,) in self.valid_rows("runs", "dataset", rows)]
        chosen = self.choice("dataset")
        return chosen if chosen in trained else next(iter(trained), None)

    def serving_runs(self, dataset: str) -> list[Run]:
        """Return the finished trainings on a dataset: the chosen one, if any, and then the others, newest first.

        Each can serve the dataset as long as its checkpoint exists.
        """
        query = (
            f"SELECT {_RUN} FROM runs WHERE dataset = ? AND state = 'done' AND kind = 'training'"
            " ORDER BY id = ? DESC, id DESC"
        )
        return self._runs(query, dataset, self.chosen_run(f"run:{dataset}"))

    def measured_run(self, identity: str) -> Run | None:
        """Return the newest finished evaluation or trial with this identity, if there is one."""
        runs = self._runs(
            f"SELECT {_RUN} FROM runs WHERE identity = ? AND state = 'done' ORDER BY id DESC LIMIT 1", identity
        )
        return runs[0] if runs else None

    def serve_with(self, run: Run) -> None:
        """Store which run serves its dataset."""
        self.choose(f"run:{run.dataset}", str(run.id))


_RUN = (
    "id, kind, identity, name, note, model, dataset, cleaning, split, seed, split_seed, imdb, task, list_order, device,"
    " state, checkpoint, started, seconds, cpu_seconds, peak_bytes, best_epoch, problem, position, curve, settings,"
    " metrics, progress, request, cluster, environment, process, began"
)
"""The columns of a run, in the order of the fields of ``Run``, and then those of its process."""
_CHECKED = _RUN.replace(" curve,", " -,").replace(",", "")
_TEXTS = 6
"""How many JSON columns, which are always parsed, precede the columns of the process."""
