"""The SQLite file: opened, brought up to date, read and changed; and what a person chose.

Each change is one transaction that is on disk (``synchronous=FULL``) when the call returns; several windows may write
at once (WAL, and a busy timeout).
"""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

from data.problems import Problem

SCRIPTS = ("schema.sql", "marks.sql", "runs.sql")
"""What makes a store: each brings it to the next version. A change to what is stored is one more."""
VERSION = len(SCRIPTS)

STANDARD = "standard"
"""How a dataset is cleaned unless another cleaning was chosen."""
BUSY_SECONDS = 5.0


def now() -> str:
    """Return the moment as the store writes it: ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Database:
    """The open file. Calls may come from several threads; they are answered one after the other."""

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
                self._keep_a_log()
                self._db.execute("PRAGMA synchronous = FULL")
                self._db.execute("PRAGMA foreign_keys = ON")
                self._migrate()
            except BaseException:
                self._db.close()
                raise

    def _keep_a_log(self) -> None:
        """Write ahead to a log. SQLite does not wait where another window does so to a new file just now."""
        until = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > until:
                    raise
            time.sleep(0.01)

    def close(self) -> None:
        """Close the file, once nobody writes any more."""
        with self._lock:
            self._db.close()

    def _migrate(self) -> None:
        if self._version() > VERSION:
            raise Problem(f"{self.path} was written by a later movietui; update movietui to open it.")
        if self._version() == VERSION:
            return
        with self.change():
            for name in SCRIPTS[self._version() :]:  # asked again: another window may have been faster
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
                reason = "the file is damaged; movietui restore brings a backup back, or move it away to begin anew"
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
    def change(self) -> Iterator[None]:
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

    def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
        """Run one statement. Inside a change only."""
        return self._db.execute(statement, values)

    def rows(self, query: str, *values: object) -> list[Any]:
        """Return what a query finds."""
        with self._lock, self._told():
            return self._db.execute(query, values).fetchall()

    def changed_elsewhere(self) -> int:
        """Return a number that differs from the last one when another window or program changed the store."""
        return int(self.rows("PRAGMA data_version")[0][0])

    def copy_into(self, file: sqlite3.Connection) -> None:
        """Copy all of it, as it is now, into an empty file; whoever has the store open may go on writing."""
        with self._lock:
            self._db.backup(file)

    # Choices

    def choice(self, name: str, default: str = "") -> str:
        """Return what the person chose."""
        found = self.rows("SELECT value FROM choices WHERE name = ?", name)
        return str(found[0][0]) if found else default

    def choose(self, name: str, value: str) -> None:
        """Remember what the person chose."""
        with self.change():
            self.put_choice(name, value)

    def put_choice(self, name: str, value: str) -> None:
        """Remember a choice. Inside a change only."""
        self.execute("INSERT INTO choices VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", name, value)

    def choices(self, beginning: str) -> dict[str, str]:
        """Return what was chosen under names that begin so, by the rest of the name; what is empty is left out."""
        rows = self.rows(
            "SELECT substr(name, ?), value FROM choices WHERE substr(name, 1, ?) = ? AND value <> '' ORDER BY name",
            len(beginning) + 1,
            len(beginning),
            beginning,
        )
        return dict(rows)

    def cleaning_of(self, dataset: str) -> str:
        """Return how a dataset is to be cleaned before a model learns from it: as chosen, else the standard way."""
        return self.choice(f"cleaning:{dataset}", STANDARD)

    def clean_with(self, dataset: str, cleaning: str) -> None:
        """Remember how a dataset is to be cleaned."""
        self.choose(f"cleaning:{dataset}", cleaning)
