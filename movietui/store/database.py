"""Opens, migrates, reads and changes the SQLite file, and stores the user's choices.

Each change is one transaction, which is on disk (``synchronous=FULL``) when the call returns. Several windows may have
the file open and change it in turn (WAL and a busy timeout). If the file cannot be written when it is opened, for
example because the disk is full or read-only, all of it is read into memory. Its content can then be seen and copied
elsewhere, but changes are refused until the file can be written again.
"""

import errno
import os
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.storage import disk, locations
from movietui.store import interrupts
from movietui.store.validation import is_choice, wrong_column

SCHEMA = (
    "1_ratings.sql",
    "2_marks.sql",
    "3_runs.sql",
    "4_lists.sql",
    "5_names.sql",
    "6_cluster.sql",
    "7_protocol.sql",
    "8_sweeps.sql",
)
"""The scripts that create a store: each migrates it to the next version. To change what is stored, add a script."""
VERSION = len(SCHEMA)

STANDARD = "standard"
"""The default cleaning of a dataset."""
BUSY_SECONDS = 5.0
SIDE_FILES = ("-wal", "-shm", "-journal")
"""Suffixes of the files that SQLite may keep beside the store."""
IN_MEMORY = Path("/dev/shm")
"""A folder in memory, on systems that have it."""
MAX_NAMED = 3
"""How many damaged rows a notice names, at most; the others are only counted."""


class Connection(sqlite3.Connection):
    """A connection that reports damage as ``DatabaseError``, even if SQLite's message about it is not UTF-8."""

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """Run one statement. Raises ``sqlite3.DatabaseError`` instead of ``UnicodeDecodeError`` for a damaged file."""
        try:
            return super().execute(sql, parameters)
        except UnicodeDecodeError as error:
            raise sqlite3.DatabaseError("the database is malformed") from error


def connect(name: Path | str, **options: Any) -> sqlite3.Connection:
    """Open a file with the options of ``sqlite3.connect``, and return a ``Connection``."""
    return sqlite3.connect(name, factory=Connection, **options)


def load_into(memory: sqlite3.Connection, path: Path) -> bool:
    """Read a store into an empty database in memory, page by page, without changing or creating a file beside it.

    Return whether its write-ahead log could be read, too. Raises ``OSError`` and ``sqlite3.DatabaseError``.
    """
    disk.open_to_read(path).close()  # SQLite would wait for a pipe
    log = _log_of(path)
    has_log = log.exists() and log.stat().st_size > 0
    if has_log and _load_with_log(memory, path, log):
        return True
    with closing(connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as file:
        file.backup(memory)
    return not has_log


def _load_with_log(memory: sqlite3.Connection, path: Path, log: Path) -> bool:
    """Read a store with its write-ahead log, through a temporary folder; return whether that was possible."""
    for parent in (IN_MEMORY, Path(tempfile.gettempdir())):
        with suppress(OSError), tempfile.TemporaryDirectory(dir=parent) as folder:
            copy = Path(folder) / path.name
            shutil.copyfile(path, copy)
            shutil.copyfile(log, copy.with_name(log.name))
            with closing(connect(copy)) as file:
                file.backup(memory)
            return True
    return False


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def scripts() -> list[str]:
    """Return the SQL of ``SCHEMA``, in order."""
    folder = resources.files("movietui.store") / "schema"
    return [folder.joinpath(name).read_text("utf-8") for name in SCHEMA]


def now() -> str:
    """Return the current time as it is stored: ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Database:
    """The open store. Calls may come from several threads; they are handled one after the other."""

    def __init__(self, path: Path, *, to_read: bool = False) -> None:
        """Open the store, and create it if it does not exist.

        With ``to_read``, change no file: read the store into memory; without a file, the store is empty. Raises
        ``Problem`` if the file cannot be opened, is not a database, or was written by a later version.
        """
        self.path = path
        self.unwritable = ""
        """Why nothing can be changed now; empty if changes are possible."""
        self._lock = threading.RLock()
        self._left_out: dict[tuple[str, str], str] = {}
        self._notices: list[str] = []
        with self._as_problems():
            if to_read:
                self._db = self._open_copy()
                return
            try:
                self._db = self._open()
            except (sqlite3.OperationalError, OSError) as error:
                if not self._is_readable(error):
                    raise
                self._db = self._open_copy()
                self.unwritable = tr(
                    "{path} can be read but not changed now: {reason}.", path=path, reason=self._why_unwritable(error)
                )
                self._notices.append(self.unwritable)

    def _open(self) -> sqlite3.Connection:
        locations.make_private()
        disk.make_folder(self.path.parent)
        with suppress(FileExistsError):
            disk.open_new(self.path).close()  # SQLite would make it readable for everybody
        disk.open_to_read(self.path).close()
        for end in ("", *SIDE_FILES):
            disk.make_private(self.path.with_name(self.path.name + end))
        db = connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            self._enable_wal(db)
            return self._prepared(db)
        except BaseException:
            db.close()
            raise

    def _prepared(self, db: sqlite3.Connection) -> sqlite3.Connection:
        """Configure and migrate an open store, and return it."""
        # Text that is not UTF-8 must not make a query fail.
        db.text_factory = lambda content: str(content, "utf-8", "surrogateescape")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA trusted_schema = OFF")
        self._migrate(db)
        return db

    def _is_readable(self, error: Exception) -> bool:
        """Return whether the store exists and can be read, so that the error concerns only writing."""
        text = str(error)
        if any(word in text for word in ("not a database", "malformed", "locked")):
            return False
        try:
            disk.open_to_read(self.path).close()
            return self.path.stat().st_size > 0
        except OSError:
            return False

    def _open_copy(self) -> sqlite3.Connection:
        """Read the store into memory: in WAL mode, SQLite cannot read a store without creating files beside it."""
        memory = connect(":memory:", isolation_level=None, check_same_thread=False)
        try:
            if self.path.exists() and not load_into(memory, self.path):
                self._notices.append(
                    tr(
                        "The latest changes in {log} cannot be read until {path} can be written to.",
                        log=_log_of(self.path),
                        path=self.path,
                    )
                )
            return self._prepared(memory)
        except BaseException:
            memory.close()
            raise

    def _why_unwritable(self, error: Exception) -> str:
        with suppress(OSError):
            facts = os.statvfs(self.path.parent)
            if facts.f_flag & os.ST_RDONLY:
                return tr("its disk is read-only; save to another one with movietui backup or export")
            if not facts.f_bavail or getattr(error, "errno", 0) in (errno.ENOSPC, errno.EDQUOT):
                return tr("the disk is full; free some space, or save to another disk with movietui backup or export")
        return tr(
            "its folder cannot be written to; check its permissions, or back up to another folder with movietui backup"
        )

    def _enable_wal(self, db: sqlite3.Connection) -> None:
        """Enable the write-ahead log. Retry if another window is enabling it, because SQLite does not wait for that."""
        until = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                db.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > until:
                    raise
            time.sleep(0.01)

    def close(self) -> None:
        """Close the store after the current change."""
        with self._lock:
            self._db.close()

    def _migrate(self, db: sqlite3.Connection) -> None:
        if _version(db) > VERSION:
            raise Problem(tr("{path} was written by a newer movietui; update movietui to open it.", path=self.path))
        if _version(db) == VERSION:
            return
        with _transaction(db):
            if _version(db) == 0 and db.execute("SELECT 1 FROM sqlite_schema").fetchone():
                raise Problem(
                    tr("{path} is the database of another program; move it away to start fresh.", path=self.path)
                )
            for script in scripts()[_version(db) :]:  # read again: another window may have migrated the store
                _run_script(db, script)
            db.execute(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def _as_problems(self) -> Iterator[None]:
        """Turn an error of SQLite or the system into a ``Problem``."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            text = str(error)
            if "disk is full" in text or "disk I/O error" in text:
                reason = tr("the disk is full or failing; free some space (nothing that was saved is lost)")
            elif "not a database" in text or "malformed" in text:
                reason = tr(
                    "the file is damaged; restore a backup with movietui restore, or move the file away to start fresh"
                )
            elif "locked" in text:
                reason = tr("another program is using the file; close it and try again")
            elif "readonly" in text:
                reason = tr("the file or its disk is read-only; make both writable")
            else:
                reason = tr("{error}; check that the folder of this file can be written to", error=text)
            raise Problem(
                tr("Your ratings in {path} cannot be used: {reason}.", path=self.path, reason=reason)
            ) from error
        except OSError as error:
            path = error.filename or self.path.parent
            raise Problem(
                tr(
                    "{path} cannot be used: {reason}; check its permissions and free space.",
                    path=path,
                    reason=error.strerror,
                )
            ) from error

    @contextmanager
    def change(self) -> Iterator[None]:
        """Open a transaction. When the block ends, either all of its changes are on disk or none are.

        An interruption is delayed until the block ends, and then rolls the transaction back.
        """
        with self._lock, self._as_problems():
            if self.unwritable:
                self._open_again()
            with _transaction(self._db):
                yield

    def _open_again(self) -> None:
        """Switch from the copy in memory back to the file. Raises ``Problem`` if the file still cannot be written."""
        try:
            db = self._open()
        except (sqlite3.OperationalError, OSError):
            raise Problem(self.unwritable) from None
        self._db.close()
        self._db, self.unwritable = db, ""

    def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
        """Run one statement. Call only inside ``with change()``."""
        return self._db.execute(statement, values)

    def rows(self, query: str, *values: object) -> list[Any]:
        """Return the rows of a query."""
        with self._lock, self._as_problems():
            return self._db.execute(query, values).fetchall()

    # Damage

    def valid_rows(self, table: str, columns: str, rows: Iterable[Sequence[Any]]) -> list[Any]:
        """Return the rows whose values are valid; see ``validation``. ``notices`` names the others, which stay stored.

        ``columns`` has the names of the first columns of each row, separated by spaces.
        """
        names = columns.split()
        valid_rows = []
        for row in rows:
            if wrong := wrong_column(table, names, row):
                self._note_left_out(table, row[0], wrong)
            else:
                valid_rows.append(row)
        return valid_rows

    def _note_left_out(self, table: str, name: object, column: str) -> None:
        key = (table, repr(name)[:60])
        if key not in self._left_out:
            self._left_out[key] = column

    def notices(self) -> list[str]:
        """Return sentences about the store that the user should read, each only once. Never blocks."""
        notices, self._notices = self._notices, []
        new = [(*key, column) for key, column in list(self._left_out.items()) if column]
        self._left_out.update({(table, name): "" for table, name, _ in new})
        if new:
            named = "; ".join(
                tr("{table} {row}: invalid {column}", table=table, row=name, column=column)
                for table, name, column in new[:MAX_NAMED]
            )
            more = tr("; and {count} more", count=len(new) - MAX_NAMED) if len(new) > MAX_NAMED else ""
            notices.append(
                tr(
                    "Skipped damaged values in {path} ({damaged}{more}); restore a backup with movietui restore.",
                    path=self.path,
                    damaged=named,
                    more=more,
                )
            )
        return notices

    def changed_elsewhere(self) -> int:
        """Return a number that changes when another window or program changes the store."""
        return int(self.rows("PRAGMA data_version")[0][0])

    def copy_into(self, file: sqlite3.Connection) -> None:
        """Copy the current content into an empty file. Other processes may write to the store meanwhile."""
        with self._lock:
            self._db.backup(file)

    # Choices

    def choice(self, name: str, default: str = "") -> str:
        """Return a stored choice, or ``default`` if there is no valid one."""
        rows = self.rows("SELECT name, value FROM choices WHERE name = ?", name)
        for _, value in self._valid_choices(rows):
            return str(value)
        return default

    def _valid_choices(self, rows: Sequence[Any]) -> list[tuple[str, str]]:
        valid_rows = []
        for name, value in rows:
            if is_choice(name, value):
                valid_rows.append((name, value))
            else:
                self._note_left_out("choices", name, "value")
        return valid_rows

    def choose(self, name: str, value: str) -> None:
        """Store a choice."""
        with self.change():
            self.put_choice(name, value)

    def put_choice(self, name: str, value: str) -> None:
        """Store a choice. Call only inside ``with change()``."""
        self.execute("INSERT INTO choices VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", name, value)

    def choices(self, beginning: str) -> dict[str, str]:
        """Return the non-empty choices whose names start with ``beginning``, by the rest of their names."""
        rows = self.rows(
            "SELECT name, value FROM choices WHERE substr(name, 1, ?) = ? AND value <> '' ORDER BY name",
            len(beginning),
            beginning,
        )
        return {name[len(beginning) :]: value for name, value in self._valid_choices(rows)}

    def chosen_run(self, name: str) -> int:
        """Return the number of a chosen run; 0 if none was chosen, and negative if the run was declined."""
        return int(self.choice(name) or 0)

    def cleaning_of(self, dataset: str) -> str:
        """Return how a dataset is cleaned before training: the chosen cleaning, or else the standard one."""
        return self.choice(f"cleaning:{dataset}", STANDARD)

    def clean_with(self, dataset: str, cleaning: str) -> None:
        """Store the chosen cleaning of a dataset."""
        self.choose(f"cleaning:{dataset}", cleaning)


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    with interrupts.delayed() as let_interruptions_through:
        db.execute("BEGIN IMMEDIATE")
        try:
            yield
            let_interruptions_through()
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise


def _run_script(db: sqlite3.Connection, script: str) -> None:
    """Run several statements inside the open transaction, which ``executescript`` would commit."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            db.execute(statement)
            statement = ""


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])
