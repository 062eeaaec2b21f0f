"""Backs up and restores the store.

A backup is a whole store in one file. Other processes may write to the store while SQLite makes the copy, and the file
gets its name once it is complete and checked. A restore trusts nothing in a backup, which may come from anywhere: it
creates a new store and copies only the rows that ``validation`` accepts.
"""

import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.safe_text import strip_controls
from movietui.data.storage import disk, locations
from movietui.data.storage.atomic_files import whole_file
from movietui.protocol.viewers import LONGEST_NAME, is_name
from movietui.protocol.wire import Message
from movietui.store.database import SIDE_FILES, VERSION, Database, connect, now, scripts
from movietui.store.ratings import IMPORT, LIST, Store
from movietui.store.validation import LARGEST, TABLES, cleaned, is_choice, is_moment, wrong_column

WAIT_SECONDS = 1.0
"""How many seconds a restore waits for another window to close the store."""
MAX_QUERY_SECONDS = 120.0
"""How many seconds of processor time all queries on an untrusted file may take together, besides ``BYTES_A_SECOND``; a
malicious file may make a query endless."""
BYTES_A_SECOND = 500_000
"""A second more is allowed for so many bytes of the file: an honest one needs less on any machine."""
PROGRESS_STEPS = 100_000
"""How many instructions of SQLite's virtual machine run between two checks of the time."""
MAX_VALUE_BYTES = 2**28
"""The maximum number of bytes that a value in an untrusted file may have."""
MAX_NAMED = 20
"""The maximum number of rejected values that a restore lists; it counts all rejected rows."""
WRONG_VALUES = ("CHECK constraint failed", "NULL value in")
"""Messages of SQLite's integrity check that begin like this concern only values."""
DERIVED = ("run_changes",)
"""Tables that triggers fill from other tables."""
COUNTED = ("runs", "sweeps")
"""Tables whose row numbers people see."""


def back_up(store: Database, output: Path | None = None, *, force: bool = False) -> Message:
    """Write the whole store to a file; return what ``backup --json`` prints.

    Without ``output``, or if it is a folder, the file is named after the current time. Raises ``Problem`` if the file
    cannot be written, if it exists and ``force`` is not set, or if the store is damaged.
    """
    path = (output or locations.backups()).expanduser()
    if output is None:
        try:
            disk.make_folder(path)
        except OSError as error:
            raise Problem(
                tr("{path} could not be created: {reason}; choose another folder.", path=path, reason=error.strerror)
            ) from error
    if path.is_dir():
        path /= f"movietui-{_timestamp()}{store.path.suffix}"
    if path.exists() and path.samefile(store.path):
        raise Problem(tr("{path} is the app's own database; choose another file.", path=path))
    with whole_file(path, force=force) as temporary:
        try:
            with closing(_open_new(temporary)) as copy:
                store.copy_into(copy)
                _disable_wal(copy)
                intact = is_intact(copy)
                counts = counts_of(copy)
        except sqlite3.DatabaseError as error:
            raise Problem(
                tr("{path} could not be written: {reason}; choose another file.", path=path, reason=error)
            ) from error
        if not intact:
            raise Problem(
                tr(
                    "{path} is damaged, so no backup was made; restore an older one with movietui restore.",
                    path=store.path,
                )
            )
    return {"backup": str(path), "bytes": path.stat().st_size, **counts}


def restore(path: Path, store_path: Path) -> Message:
    """Replace the store with a backup, keeping the old store beside it; return what ``restore --json`` prints.

    Rows with an invalid value are left out and reported, but text that people wrote is cleaned, and invalid names and
    dates of profiles are replaced. Raises ``Problem`` if the file is not a backup, is damaged or was written by a later
    version, or if another window has the store open.
    """
    path = path.expanduser()
    if path.exists() and store_path.exists() and path.samefile(store_path):
        raise Problem(tr("{path} is the app's own database; choose a file written by movietui backup.", path=path))
    try:
        disk.make_folder(store_path.parent)
        with _rebuilt(path, store_path.with_name(f".{store_path.name}.{_timestamp()}")) as (new, report):
            if exists := store_path.exists():
                disk.open_to_read(store_path).close()  # fails for a folder, or a pipe that SQLite would wait for
            previous = _replace_store(new, store_path) if exists else None
            if previous is None:
                new.replace(store_path)
    except sqlite3.DatabaseError as error:
        raise Problem(
            tr("{path} could not be restored: {reason}; nothing was changed.", path=path, reason=error)
        ) from error
    except OSError as error:
        raise Problem(
            tr("{path} could not be restored: {reason}; nothing was changed.", path=path, reason=error.strerror)
        ) from error
    return {"restored": str(path), "store": str(store_path), "kept": str(previous) if previous else None, **report}


def _timestamp() -> str:
    return datetime.now().strftime("%Y-%m-%d-%H%M%S")


def _open_new(path: Path) -> sqlite3.Connection:
    """Open a new temporary file for writing. It needs no journal, because an incomplete file is deleted."""
    with suppress(FileExistsError):
        disk.open_new(path).close()
    copy = connect(path, isolation_level=None)
    copy.execute("PRAGMA journal_mode = OFF")
    return copy


def _disable_wal(db: sqlite3.Connection) -> None:
    """Turn off the write-ahead log, which is a separate file, so that everything is in one file."""
    db.execute("PRAGMA journal_mode = DELETE")


def is_intact(db: sqlite3.Connection) -> bool:
    """Return whether SQLite finds no damage other than invalid values, each of which costs only its row."""
    messages = [text for (text,) in db.execute("PRAGMA integrity_check")]
    return all(text == "ok" or text.startswith(WRONG_VALUES) for text in messages)


def _is_unreadable(error: sqlite3.DatabaseError) -> bool:
    """Return whether the content of the file caused an error, rather than the disk or another program."""
    return any(word in str(error) for word in ("not a database", "malformed"))


def counts_of(db: sqlite3.Connection) -> Message:
    """Return the numbers of profiles, ratings and runs."""
    profiles, ratings, runs = db.execute(
        "SELECT (SELECT count(*) FROM viewers WHERE kind = 'profile' AND dataset = ''),"
        " (SELECT count(*) FROM ratings), (SELECT count(*) FROM runs)"
    ).fetchone()
    return {"profiles": profiles, "ratings": ratings, "runs": runs}


@contextmanager
def _rebuilt(path: Path, new: Path) -> Iterator[tuple[Path, Message]]:
    """Yield the path of a new store with the valid rows of a backup, and a report of what it contains and lacks.

    At the end, the new store is deleted, unless the block has moved it.
    """
    copy = new.with_name(new.name + ".copy")
    try:
        disk.open_to_read(path).close()
    except FileNotFoundError:
        raise Problem(tr("{path} does not exist; choose a file written by movietui backup.", path=path)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Problem(
            tr("{path} cannot be read: {reason}; choose a file written by movietui backup.", path=path, reason=reason)
        ) from None
    try:
        report = _RestoreReport()
        try:
            # With mode=ro, SQLite neither creates nor changes the file.
            with closing(connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source:
                source.execute(
                    "PRAGMA schema_version"
                )  # fails if another program has locked the file; copying would wait
                with closing(_open_new(copy)) as db:
                    source.backup(db)
                    _disable_wal(db)
            with closing(_open_untrusted(copy)) as db, closing(_open_new(new)) as store:
                version = _check(path, db)
                _copy_rows(db, store, version, report)
        except sqlite3.DatabaseError as error:
            if "interrupted" in str(error):
                raise Problem(tr("SQLite could not finish reading {path}; nothing was changed.", path=path)) from error
            if not _is_unreadable(error):
                raise
            raise Problem(
                tr("{path} is not a movietui backup, or it is damaged; nothing was changed.", path=path)
            ) from error
        Store(new).close()  # migrates an older version
        with closing(connect(new, isolation_level=None)) as store:
            _disable_wal(store)
            _delete_invalid(store, report)
            counts = counts_of(store)
        yield new, {**counts, **report.to_json()}
    finally:
        for file in (copy, new):
            for end in ("", *SIDE_FILES):
                file.with_name(file.name + end).unlink(missing_ok=True)


@dataclass
class _RestoreReport:
    """What was left out of a restored store, or changed."""

    left_out: "Counter[str]" = field(default_factory=Counter)
    """The number of rows that were left out, by table."""
    cleaned: int = 0
    """The number of texts that were changed to make them valid."""
    damaged: list[Message] = field(default_factory=list)
    """The first invalid values whose rows were left out: the table, the row and the column of each."""

    def name(self, table: str, row: object, column: str) -> None:
        """List an invalid value whose row is left out, unless ``MAX_NAMED`` values are listed already."""
        if len(self.damaged) < MAX_NAMED:
            self.damaged.append({"table": table, "row": strip_controls(str(row))[:60], "column": column})

    def to_json(self) -> Message:
        return {"left_out": dict(+self.left_out), "damaged": self.damaged, "cleaned": self.cleaned}


def _open_untrusted(path: Path) -> sqlite3.Connection:
    """Open an untrusted file so that nothing in it runs by itself (such as a trigger) and no query runs endlessly."""
    db = connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    db.text_factory = lambda content: str(content, "utf-8", "surrogateescape")
    db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
    until = time.thread_time() + MAX_QUERY_SECONDS + path.stat().st_size / BYTES_A_SECOND
    db.set_progress_handler(lambda: time.thread_time() > until, PROGRESS_STEPS)
    db.execute("PRAGMA trusted_schema = OFF")
    return db


def _check(path: Path, db: sqlite3.Connection) -> int:
    """Return the version of a store. Raises ``Problem`` for any other file, a damaged store and a later version."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    present = _schema(db)
    if version > VERSION and "viewers" in present:
        raise Problem(tr("{path} was written by a newer movietui; update movietui to restore it.", path=path))
    if not 0 < version <= VERSION or present != _schema_of(version):
        raise Problem(tr("{path} is not a movietui backup; nothing was changed.", path=path))
    if not is_intact(db):
        raise Problem(tr("{path} is damaged; use an older backup. Nothing was changed.", path=path))
    return int(version)


Schema = dict[str, tuple[str, list[str]]]


def _schema(db: sqlite3.Connection) -> Schema:
    """Return the kind and columns of everything in a database, by name, including triggers and views."""
    names = db.execute(
        "SELECT name, iif(sql LIKE 'CREATE VIRTUAL%', 'virtual', type) FROM sqlite_master"
        " WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!'"
    ).fetchall()
    return {
        name: (kind, [column for (column,) in db.execute("SELECT name FROM pragma_table_xinfo(?)", (name,))])
        for name, kind in names
    }


def _schema_of(version: int) -> Schema:
    """Return the schema of a store of this version."""
    with closing(connect(":memory:")) as db:
        _create(db, version)
        return _schema(db)


def _create(db: sqlite3.Connection, version: int) -> None:
    """Create the tables of an empty store of this version."""
    for script in scripts()[:version]:
        db.executescript(script)


def _copy_rows(db: sqlite3.Connection, store: sqlite3.Connection, version: int, report: _RestoreReport) -> None:
    """Copy the rows of a file into a new store of the same version.

    Rows that the store rejects, or that refer to a missing row, are left out.
    """
    _create(store, version)
    store.execute("PRAGMA foreign_keys = OFF")  # tables are copied in any order
    tables = [name for name, (kind, _) in _schema(store).items() if kind == "table" and name not in DERIVED]
    store.execute("BEGIN")
    for table in tables:
        columns = _schema(store)[table][1]
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        for row in db.execute(f"SELECT {', '.join(columns)} FROM {table}"):
            try:
                store.execute(statement, _encodable(row))
            except sqlite3.IntegrityError:
                report.left_out[table] += 1
                report.name(table, row[0], "form")
    _keep_run_counter(db, store)
    while sum(_delete_orphans(store, table, report) for table in tables):
        pass  # rows that belonged to deleted rows are orphans too
    store.execute(f"PRAGMA user_version = {version}")
    store.execute("COMMIT")


def _delete_orphans(store: sqlite3.Connection, table: str, report: _RestoreReport) -> int:
    """Delete the rows of a table that refer to a missing row; return their number."""
    owners = store.execute('SELECT "table", "from" FROM pragma_foreign_key_list(?)', (table,)).fetchall()
    deleted = sum(
        store.execute(f"DELETE FROM {table} WHERE {column} NOT IN (SELECT id FROM {owner})").rowcount
        for owner, column in owners
    )
    report.left_out[table] += deleted
    return deleted


def _encodable(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return values that can be written. Text that is not UTF-8 becomes bytes, which ``validation`` rejects later."""
    return tuple(
        value.encode("utf-8", "surrogateescape") if isinstance(value, str) and not _is_text(value) else value
        for value in row
    )


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _keep_run_counter(db: sqlite3.Connection, store: sqlite3.Connection) -> None:
    """Copy the counters of runs and sweeps, so that the number of a deleted one is never reused."""
    with suppress(sqlite3.OperationalError):  # the first versions had no counter
        for name, number in db.execute("SELECT name, seq FROM sqlite_sequence").fetchall():
            if name in COUNTED and type(number) is int and 0 < number <= LARGEST:
                store.execute("DELETE FROM sqlite_sequence WHERE name = ?", (name,))
                store.execute("INSERT INTO sqlite_sequence VALUES (?, ?)", (name, number))


def _delete_invalid(store: sqlite3.Connection, report: _RestoreReport) -> None:
    """Delete invalid rows from a store of the current version, and clean the text that people wrote."""
    store.execute("PRAGMA foreign_keys = ON")  # rows that belong to a deleted row are deleted too
    store.execute("BEGIN")
    before = _count_rows(store)
    _repair_profile_names(store, report)
    for table, columns in TABLES.items():
        keys = [
            name for (name,) in store.execute("SELECT name FROM pragma_table_info(?) WHERE pk ORDER BY pk", (table,))
        ]
        free_text = [name for name, column in columns.items() if column.max_length]
        where = " AND ".join(f"{key} = ?" for key in keys)
        for row in store.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall():
            values = dict(zip(columns, row, strict=True))
            cleaned_values = {name: cleaned(columns[name], values[name]) for name in free_text}
            wrong = wrong_column(table, tuple(columns), tuple({**values, **cleaned_values}.values()))
            if table == "choices" and not wrong and not is_choice(*row):
                wrong = "value"
            key = [values[name] for name in keys]
            if wrong:
                report.name(table, key[min(1, len(key) - 1)], wrong)  # for a rating or mark, this is the movie
                store.execute(f"DELETE FROM {table} WHERE {where}", key)
                continue
            changed = {name: value for name, value in cleaned_values.items() if value != values[name]}
            if changed:
                report.cleaned += len(changed)
                sets = ", ".join(f"{name} = ?" for name in changed)
                store.execute(f"UPDATE {table} SET {sets} WHERE {where}", [*changed.values(), *key])
    # A step of the kind ``list`` has lists and no changes. An import may have any number of both. Every other step has
    # one change, of its own kind, and no list. Delete steps that break these rules: they could not be undone.
    store.execute(
        "DELETE FROM steps WHERE id NOT IN (SELECT step FROM changes UNION SELECT step FROM lists)"
        " OR (kind NOT IN (:import, :list) AND id IN (SELECT step FROM lists))"
        " OR (kind <> :import AND id IN"
        " (SELECT step FROM changes JOIN steps AS of ON of.id = step GROUP BY step"
        " HAVING count(*) > 1 OR max(changes.kind <> of.kind)))",
        {"import": IMPORT, "list": LIST},
    )
    report.left_out.update(before - _count_rows(store))
    store.execute("COMMIT")


def _count_rows(store: sqlite3.Connection) -> "Counter[str]":
    """Return the number of rows in each table."""
    return Counter({table: store.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES})


def _repair_profile_names(store: sqlite3.Connection, report: _RestoreReport) -> None:
    """Replace invalid names and dates of profiles, because leaving out a profile would delete its ratings too."""
    rows = store.execute("SELECT id, name, created FROM viewers WHERE kind = 'profile' ORDER BY id").fetchall()
    taken = {name.casefold() for _, name, _ in rows if isinstance(name, str) and is_name(name)}
    for number, name, created in rows:
        if not is_moment(created):
            store.execute("UPDATE viewers SET created = ? WHERE id = ?", (now(), number))
        if isinstance(name, str) and is_name(name):
            continue
        wanted = " ".join(strip_controls(name).split())[: LONGEST_NAME - 4] if isinstance(name, str) else ""
        wanted = wanted if is_name(wanted) else "profile"
        names = [wanted, *(f"{wanted} {count}" for count in range(2, len(rows) + 3))]
        free = next(each for each in names if each.casefold() not in taken)
        taken.add(free.casefold())
        report.cleaned += 1
        store.execute("UPDATE viewers SET name = ? WHERE id = ?", (free, number))


def _replace_store(new: Path, store_path: Path) -> Path:
    """Replace the content of the store; return the path of a copy with the old content.

    The file itself stays, and its content changes in one transaction, so that a window that opens meanwhile waits and
    then reads the new content. No window can have a store open that SQLite cannot read, so such a file is replaced.
    """
    name = f"{store_path.stem}-before-{_timestamp()}"
    taken = len([*store_path.parent.glob(f"{name}*{store_path.suffix}")])
    previous = store_path.with_name(f"{name}{f'-{taken + 1}' if taken else ''}{store_path.suffix}")
    try:
        with closing(connect(store_path, timeout=WAIT_SECONDS, isolation_level=None)) as store:
            store.execute("PRAGMA locking_mode = EXCLUSIVE")
            _disable_wal(store)  # SQLite refuses this, and the next statement, while another process has the file open
            store.execute("BEGIN EXCLUSIVE")
            store.execute("COMMIT")  # in exclusive mode, the lock stays
            with whole_file(previous, force=False) as temporary, closing(_open_new(temporary)) as copy:
                store.backup(copy)
            with closing(connect(new)) as source:
                source.backup(store)
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            raise Problem(
                tr(
                    "{path} is in use; close all windows of movietui, let background training end, then try again.",
                    path=store_path,
                )
            ) from error
        if not _is_unreadable(error):
            raise
        for end in ("", *SIDE_FILES):
            if (part := store_path.with_name(store_path.name + end)).exists():
                part.replace(previous.with_name(previous.name + end))
        new.replace(store_path)
    return previous
