"""The store: profiles, ratings, runs and choices in one SQLite file.

A person's ratings are the one thing here that cannot be had again. Each change is one transaction that is on disk
(``synchronous=FULL``) when the call returns; several windows may write at once (WAL, and a busy timeout).
"""

import json
import sqlite3
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from data.problems import Problem
from movietui.processes import still_runs, this_process
from movietui.viewers import LONGEST_NAME, Asked, ViewerRef, is_name, profile

VERSION = 2
MIGRATIONS = {1: "runs.sql"}
"""The script that brings a store of that version to the next one."""

STANDARD = "standard"
"""How a dataset is cleaned unless another cleaning was chosen."""
STARS = (0.5, 5.0)
BUSY_SECONDS = 5.0
UNDER_WAY = ("running", "paused")
CUT_OFF = "cut off"
"""The state of a run that was under way when its process ended without a word."""


@dataclass(frozen=True)
class Film:
    """A movie as the store keeps it."""

    key: str
    title: str
    year: int
    """0 where unknown."""


@dataclass(frozen=True)
class Rated:
    """A rating of the store."""

    film: Film
    stars: float
    at: str
    """When, ISO 8601 in UTC."""


@dataclass(frozen=True)
class Change:
    """A rating that was given, changed or taken back; ``None`` stands for no rating."""

    viewer: ViewerRef
    film: Film
    before: float | None
    after: float | None


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


def check_stars(stars: float) -> None:
    """Raise ``Problem`` for stars that cannot be given."""
    if not STARS[0] <= stars <= STARS[1] or stars * 2 != int(stars * 2):
        raise Problem(f"{stars:g} is no rating; stars go from {STARS[0]:g} to {STARS[1]:g} in halves.")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Store:
    """The open store. Calls may come from several threads; they are answered one after the other."""

    def __init__(self, path: Path) -> None:
        """Open the store, making it where there is none.

        Raises ``Problem`` where the file cannot be opened, is no store, or was written by a later version.
        """
        self.path = path
        self._lock = threading.RLock()
        with self._told():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = FULL")
                self._db.execute("PRAGMA foreign_keys = ON")
                self._migrate()
            except BaseException:
                self._db.close()
                raise

    def close(self) -> None:
        """Close the file, once nobody writes any more."""
        with self._lock:
            self._db.close()

    def _migrate(self) -> None:
        if self._version() > VERSION:
            raise Problem(f"{self.path} was written by a later movietui; update movietui to open it.")
        if self._version() == VERSION:
            return
        with self._change():
            version = self._version()  # another window may have been faster
            names = [MIGRATIONS[step] for step in range(version, VERSION)] if version else ["schema.sql"]
            for name in names:
                self._run_script(resources.files("movietui").joinpath(name).read_text("utf-8"))
            self._db.execute(f"PRAGMA user_version = {VERSION}")

    def _run_script(self, script: str) -> None:
        """Run several statements inside the open transaction, which ``executescript`` would commit."""
        statement = ""
        for line in script.splitlines(keepends=True):
            statement += line
            if sqlite3.complete_statement(statement):
                self._db.execute(statement)
                statement = ""

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what SQLite and the system say into one sentence."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            text = str(error)
            if "disk is full" in text or "disk I/O error" in text:
                reason = "the disk is full or failing; free some space, nothing that was saved is lost"
            elif "not a database" in text or "malformed" in text:
                reason = "the file is damaged; move it away and restore a backup"
            elif "locked" in text:
                reason = "another program holds the file; close it and try again"
            else:
                reason = f"{text}; check that its folder can be written to"
            raise Problem(f"Your ratings in {self.path} cannot be used: {reason}.") from error
        except OSError as error:
            raise Problem(
                f"The folder {self.path.parent} cannot be used: {error.strerror}; check its rights and free space."
            ) from error

    @contextmanager
    def _change(self) -> Iterator[None]:
        """One transaction: all of it is on disk when the block is left, or nothing is."""
        with self._lock, self._told():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _rows(self, query: str, *values: object) -> list[Any]:
        with self._lock, self._told():
            return self._db.execute(query, values).fetchall()

    def changed_elsewhere(self) -> int:
        """Return a number that differs from the last one when another window or program changed the store."""
        return int(self._rows("PRAGMA data_version")[0][0])

    # Profiles

    def profiles(self) -> list[tuple[ViewerRef, int]]:
        """Return all profiles and how many ratings each has, by name."""
        rows = self._rows(
            "SELECT name, (SELECT count(*) FROM ratings WHERE viewer = viewers.id) FROM viewers"
            " WHERE kind = 'profile' ORDER BY name COLLATE NOCASE"
        )
        return [(profile(name), count) for name, count in rows]

    def create_profile(self, name: str) -> ViewerRef:
        """Add a profile without ratings. Raises ``Problem`` for an empty, overlong or taken name."""
        name = " ".join(name.split())
        if not is_name(name):
            raise Problem(f"A profile needs a name of 1 to {LONGEST_NAME} letters, digits or signs.")
        taken = [ref.id for ref, _ in self.profiles() if ref.id.casefold() == name.casefold()]
        if taken:
            raise Problem(f"There is a profile {taken[0]!r} already; choose another name.")
        with self._change():
            self._viewer(profile(name))
        return profile(name)

    def find_profile(self, name: str) -> ViewerRef | None:
        """Return the profile of that name, whatever its case."""
        wanted = " ".join(name.split()).casefold()
        return next((ref for ref, _ in self.profiles() if ref.id.casefold() == wanted), None)

    def _viewer(self, ref: ViewerRef) -> int:
        """Return the row of a viewer, making it where there is none. Inside a change only."""
        key = (ref.kind, ref.dataset, ref.id)
        self._db.execute(
            "INSERT INTO viewers (kind, dataset, name, created) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (*key, _now()),
        )
        found = self._db.execute("SELECT id FROM viewers WHERE kind = ? AND dataset = ? AND name = ?", key)
        return int(found.fetchone()[0])

    # Ratings

    def ratings(self, ref: ViewerRef) -> list[Rated]:
        """Return what a viewer rated here, oldest first."""
        rows = self._rows(
            "SELECT film, title, year, stars, rated_at FROM ratings JOIN viewers ON viewers.id = ratings.viewer"
            " WHERE kind = ? AND dataset = ? AND name = ? ORDER BY rated_at, film",
            ref.kind,
            ref.dataset,
            ref.id,
        )
        return [Rated(Film(film, title, year), stars, at) for film, title, year, stars, at in rows]

    def asked(self, ref: ViewerRef) -> Asked:
        """Return a viewer as the engine is asked about them."""
        return {"kind": ref.kind, "id": ref.id, "rated": [(rated.film.key, rated.stars) for rated in self.ratings(ref)]}

    def rate(self, ref: ViewerRef, film: Film, stars: float) -> Change:
        """Give a film stars, in halves. On disk when this returns. Raises ``Problem`` for stars out of scale."""
        check_stars(stars)
        with self._change():
            viewer = self._viewer(ref)
            before, rated_before = self._rating(viewer, film)
            if stars != before:
                now = _now()
                self._set_rating(viewer, film, stars, now)
                self._db.execute("DELETE FROM log WHERE viewer = ? AND undone > 0", (viewer,))
                self._db.execute(
                    "INSERT INTO log (viewer, film, title, year, stars_before, rated_before, stars_after, at)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (viewer, film.key, film.title, film.year, before, rated_before, stars, now),
                )
        return Change(ref, film, before, stars)

    def undo(self, refs: Sequence[ViewerRef]) -> Change | None:
        """Take back the newest change of any of the viewers that was not taken back yet."""
        return self._step(refs, undone=False)

    def redo(self, refs: Sequence[ViewerRef]) -> Change | None:
        """Do again what was taken back last, unless one of the viewers rated something since."""
        return self._step(refs, undone=True)

    def _step(self, refs: Sequence[ViewerRef], *, undone: bool) -> Change | None:
        with self._change():
            viewers = {self._viewer(ref): ref for ref in refs}
            marks = ",".join("?" * len(viewers))
            found = self._db.execute(
                "SELECT id, viewer, film, title, year, stars_before, rated_before, stars_after, at FROM log"
                f" WHERE viewer IN ({marks}) AND (undone > 0) = ?"
                # What was undone may be done again only from the newest change that still stands onwards.
                f" AND (NOT ? OR id > (SELECT coalesce(max(id), 0) FROM log WHERE viewer IN ({marks}) AND undone = 0))"
                f" ORDER BY {'undone' if undone else 'id'} DESC LIMIT 1",
                (*viewers, undone, undone, *viewers),
            ).fetchone()
            if found is None:
                return None
            entry, viewer, key, title, year, before, rated_before, after, at = found
            film = Film(key, title, year)
            if undone:
                self._set_rating(viewer, film, after, at)
            else:
                self._set_rating(viewer, film, before, rated_before)
            place = "0" if undone else "(SELECT max(undone) + 1 FROM log)"
            self._db.execute(f"UPDATE log SET undone = {place} WHERE id = ?", (entry,))
        return Change(viewers[viewer], film, before, after) if undone else Change(viewers[viewer], film, after, before)

    def _rating(self, viewer: int, film: Film) -> tuple[float | None, str | None]:
        """Return a rating and when it was given. Inside a change only."""
        row = self._db.execute(
            "SELECT stars, rated_at FROM ratings WHERE viewer = ? AND film = ?", (viewer, film.key)
        ).fetchone()
        return row or (None, None)

    def _set_rating(self, viewer: int, film: Film, stars: float | None, at: str | None) -> None:
        """Set or remove a rating. Inside a change only."""
        if stars is None:
            self._db.execute("DELETE FROM ratings WHERE viewer = ? AND film = ?", (viewer, film.key))
            return
        self._db.execute(
            "INSERT INTO ratings (viewer, film, title, year, stars, rated_at) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET stars = excluded.stars, rated_at = excluded.rated_at",
            (viewer, film.key, film.title, film.year, stars, at),
        )

    # Runs

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
        with self._change():
            run = self._insert_run(model, dataset, cleaning, split, seed, settings, request or {}, state="running")
            self._db.execute("UPDATE runs SET device = ? WHERE id = ?", (device, run))
        return run

    def _insert_run(
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
        cursor = self._db.execute(
            "INSERT INTO runs"
            " (model, dataset, cleaning, split, seed, settings, request, state, process, began, checkpoint, started)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(model, dataset, cleaning, split, seed, json.dumps(settings), json.dumps(request)),
                *(state, *this_process(), checkpoint, _now()),
            ),
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
        with self._change():
            self._db.execute(
                "UPDATE runs SET state = ?, seconds = ?, curve = ?, best_epoch = ?, metrics = ?, problem = ?,"
                " peak_bytes = ?, progress = '{}', place = NULL WHERE id = ?",
                (
                    state,
                    seconds,
                    json.dumps(list(curve)),
                    best_epoch,
                    json.dumps(metrics or {}),
                    problem,
                    peak_bytes,
                    run,
                ),
            )

    def runs(self) -> list[Run]:
        """Return all runs, newest first."""
        return [self._run(row) for row in self._rows(f"SELECT {_RUN} FROM runs ORDER BY id DESC")]

    def run(self, number: int) -> Run | None:
        """Return one run."""
        found = self._rows(f"SELECT {_RUN} FROM runs WHERE id = ?", number)
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
        rows = self._rows("SELECT dataset FROM runs WHERE state = 'done' GROUP BY dataset ORDER BY max(id) DESC")
        trained = [str(dataset) for (dataset,) in rows]
        chosen = self.choice("dataset")
        return chosen if chosen in trained else next(iter(trained), None)

    # Choices

    def choice(self, name: str, default: str = "") -> str:
        """Return what the person chose."""
        found = self._rows("SELECT value FROM choices WHERE name = ?", name)
        return str(found[0][0]) if found else default

    def choose(self, name: str, value: str) -> None:
        """Remember what the person chose."""
        with self._change():
            self._db.execute(
                "INSERT INTO choices VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (name, value)
            )

    def cleaning_of(self, dataset: str) -> str:
        """Return how a dataset is to be cleaned before a model learns from it: as chosen, else the standard way."""
        return self.choice(f"cleaning:{dataset}", STANDARD)

    def clean_with(self, dataset: str, cleaning: str) -> None:
        """Remember how a dataset is to be cleaned."""
        self.choose(f"cleaning:{dataset}", cleaning)

    def serving_runs(self, dataset: str) -> list[Run]:
        """Return the runs that can serve a dataset: the chosen one, then the others from the newest on."""
        chosen = self.choice(f"run:{dataset}")
        done = [run for run in self.runs() if run.dataset == dataset and run.state == "done"]
        return sorted(done, key=lambda run: str(run.id) != chosen)

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
