"""The store: profiles, ratings, runs and choices in one SQLite file.

A person's ratings are the one thing here that cannot be had again. Each change is one transaction that is on disk
(``synchronous=FULL``) when the call returns; several windows may write at once (WAL, and a busy timeout).
"""

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

from data.problems import Problem
from movietui.viewers import ViewerRef, profile

VERSION = 1
MIGRATIONS: dict[int, str] = {}
"""What brings a store of that version to the next one."""

STARS = (0.5, 5.0)
BUSY_SECONDS = 5.0


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
    model: str
    dataset: str
    cleaning: str
    split: str
    seed: int
    settings: dict[str, float]
    state: str
    started: str
    seconds: float | None
    curve: list[dict[str, Any]]
    best_epoch: int | None
    metrics: dict[str, float]
    problem: str


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
        """Close the file."""
        self._db.close()

    def _migrate(self) -> None:
        if self._version() > VERSION:
            raise Problem(f"{self.path} was written by a later movietui; update movietui to open it.")
        if self._version() == VERSION:
            return
        with self._change():
            version = self._version()  # another window may have been faster
            if version == 0:
                script = resources.files("movietui").joinpath("schema.sql").read_text("utf-8")
                self._run_script(script)
            for step in range(max(version, 1), VERSION if version else 1):
                self._run_script(MIGRATIONS[step])
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
        if not name or not name.isprintable() or len(name) > 40:
            raise Problem("A profile needs a name of 1 to 40 letters, digits or signs.")
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

    def rate(self, ref: ViewerRef, film: Film, stars: float) -> Change:
        """Give a film stars, in halves. On disk when this returns. Raises ``Problem`` for stars out of scale."""
        if not STARS[0] <= stars <= STARS[1] or stars * 2 != int(stars * 2):
            raise Problem(f"{stars:g} is no rating; stars go from {STARS[0]:g} to {STARS[1]:g} in halves.")
        with self._change():
            viewer = self._viewer(ref)
            before = self._set_rating(viewer, film, stars)
            self._db.execute(
                "INSERT INTO log (viewer, film, title, year, stars_before, stars_after, at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (viewer, film.key, film.title, film.year, before, stars, _now()),
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
                "SELECT id, viewer, film, title, year, stars_before, stars_after FROM log"
                f" WHERE viewer IN ({marks}) AND undone = ?"
                # What was undone may be done again only from the newest change that still stands onwards.
                f" AND (NOT ? OR id > (SELECT coalesce(max(id), 0) FROM log WHERE viewer IN ({marks}) AND NOT undone))"
                f" ORDER BY id {'ASC' if undone else 'DESC'} LIMIT 1",
                (*viewers, undone, undone, *viewers),
            ).fetchone()
            if found is None:
                return None
            entry, viewer, key, title, year, before, after = found
            film = Film(key, title, year)
            if undone:
                before, after = after, before
            self._set_rating(viewer, film, before)
            self._db.execute("UPDATE log SET undone = ? WHERE id = ?", (not undone, entry))
        return Change(viewers[viewer], film, after, before)

    def _set_rating(self, viewer: int, film: Film, stars: float | None) -> float | None:
        """Set or remove a rating and return the one before. Inside a change only."""
        place = (viewer, film.key)
        row = self._db.execute("SELECT stars FROM ratings WHERE viewer = ? AND film = ?", place).fetchone()
        if stars is None:
            self._db.execute("DELETE FROM ratings WHERE viewer = ? AND film = ?", place)
        else:
            self._db.execute(
                "INSERT INTO ratings (viewer, film, title, year, stars, rated_at) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET stars = excluded.stars, rated_at = excluded.rated_at",
                (*place, film.title, film.year, stars, _now()),
            )
        return None if row is None else float(row[0])

    # Runs

    def start_run(
        self, model: str, dataset: str, cleaning: str, split: str, seed: int, settings: dict[str, float]
    ) -> int:
        """Write down that a training began and return its number."""
        with self._change():
            cursor = self._db.execute(
                "INSERT INTO runs (model, dataset, cleaning, split, seed, settings, state, started)"
                " VALUES (?, ?, ?, ?, ?, ?, 'running', ?)",
                (model, dataset, cleaning, split, seed, json.dumps(settings), _now()),
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
    ) -> None:
        """Write down how a training ended: ``done``, ``cancelled`` or ``failed``."""
        with self._change():
            self._db.execute(
                "UPDATE runs SET state = ?, seconds = ?, curve = ?, best_epoch = ?, metrics = ?, problem = ?"
                " WHERE id = ?",
                (state, seconds, json.dumps(list(curve)), best_epoch, json.dumps(metrics or {}), problem, run),
            )

    def runs(self) -> list[Run]:
        """Return all runs, newest first."""
        return [self._run(row) for row in self._rows(f"{_RUNS} ORDER BY id DESC")]

    def run(self, number: int) -> Run | None:
        """Return one run."""
        found = self._rows(f"{_RUNS} WHERE id = ?", number)
        return self._run(found[0]) if found else None

    @staticmethod
    def _run(row: Sequence[Any]) -> Run:
        number, model, dataset, cleaning, split, seed, settings, state, started, seconds, curve, best, metrics, why = (
            row
        )
        return Run(
            id=number,
            model=model,
            dataset=dataset,
            cleaning=cleaning,
            split=split,
            seed=seed,
            settings=json.loads(settings),
            state=state,
            started=started,
            seconds=seconds,
            curve=json.loads(curve),
            best_epoch=best,
            metrics=json.loads(metrics),
            problem=why,
        )

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

    def serving_run(self, dataset: str) -> Run | None:
        """Return the run that serves a dataset: the chosen one, else the newest that is done."""
        chosen = self.choice(f"run:{dataset}")
        run = self.run(int(chosen)) if chosen else None
        if run is None or run.state != "done":
            run = next((r for r in self.runs() if r.dataset == dataset and r.state == "done"), None)
        return run

    def serve_with(self, run: Run) -> None:
        """Choose the run that serves its dataset."""
        self.choose(f"run:{run.dataset}", str(run.id))


_RUNS = (
    "SELECT id, model, dataset, cleaning, split, seed, settings, state, started, seconds, curve, best_epoch, metrics,"
    " problem FROM runs"
)
