"""Backups of the store, and the way back from them.

A backup is a whole store in one file. SQLite copies it while others write, and it gets its name once it is whole and
was looked through. Going back, what a file says is believed only after that: it may come from anywhere.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from importlib import resources
from pathlib import Path

from data import locations
from data.problems import Problem
from movietui.database import SCRIPTS, VERSION, Database
from movietui.files import whole_file
from movietui.store import Store
from movietui.wire import Message

WAIT_SECONDS = 1.0
"""How long a restore waits for another window to let go of the store."""
BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite may keep beside a file, by how the names end."""


def back_up(store: Database, output: Path | None = None, *, force: bool = False) -> Message:
    """Write all that is in the store to a file, as ``backup --json`` prints it.

    Without a file, or with a folder, its name is the present moment. Raises ``Problem`` where it cannot be written, or
    the store is damaged.
    """
    path = (output or locations.backups()).expanduser()
    if output is None:
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Problem(f"{path} could not be made: {error.strerror}; name another place.") from error
    if path.is_dir():
        path /= f"movietui-{_moment()}{store.path.suffix}"
    if path.exists() and path.samefile(store.path):
        raise Problem(f"{path} is the store itself; name another file.")
    with whole_file(path, force=force) as temporary:
        try:
            with closing(_open_new(temporary)) as copy:
                store.copy_into(copy)
                _be_one_file(copy)
                whole = _is_whole(copy)
                counts = _counts(copy)
        except sqlite3.DatabaseError as error:
            raise Problem(f"{path} could not be written: {error}; name another place.") from error
        if not whole:
            raise Problem(f"{store.path} is damaged, so no backup was made; movietui restore brings an older one back.")
    return {"backup": str(path), "bytes": path.stat().st_size, **counts}


def restore(path: Path, place: Path) -> Message:
    """Put a backup in the place of the store, as ``restore --json`` prints it; what was there is kept beside it.

    Raises ``Problem`` for a file that is no backup, is damaged or was written by a later version, and while another
    window has the store open.
    """
    path = path.expanduser()
    if path.exists() and place.exists() and path.samefile(place):
        raise Problem(f"{path} is the store itself; name a file of movietui backup.")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with _checked(path, place.with_name(f".{place.name}.{_moment()}")) as (new, counts):
            kept = _put(new, place) if place.exists() else None
            if kept is None:
                new.replace(place)
    except sqlite3.DatabaseError as error:
        raise Problem(f"{path} could not be restored: {error}; nothing is changed.") from error
    except OSError as error:
        raise Problem(f"{path} could not be restored: {error.strerror}; nothing is changed.") from error
    return {"restored": str(path), "store": str(place), "kept": str(kept) if kept else None, **counts}


def _moment() -> str:
    return datetime.now().strftime("%Y-%m-%d-%H%M%S")


def _open_new(path: Path) -> sqlite3.Connection:
    """Open a file of ours that is thrown away unless it gets whole, so that no journal is needed."""
    copy = sqlite3.connect(path, isolation_level=None)
    copy.execute("PRAGMA journal_mode = OFF")
    return copy


def _be_one_file(db: sqlite3.Connection) -> None:
    """Keep nothing beside the file: a store writes ahead to a log, which a file that is carried about must not need."""
    db.execute("PRAGMA journal_mode = DELETE")


def _is_whole(db: sqlite3.Connection) -> bool:
    found = db.execute("PRAGMA integrity_check(1)").fetchone()
    return bool(found == ("ok",))


def _is_unreadable(error: sqlite3.DatabaseError) -> bool:
    """Whether a file is what is wrong, not the disk or who else has it open."""
    return any(word in str(error) for word in ("not a database", "malformed"))


def _counts(db: sqlite3.Connection) -> Message:
    """How many profiles there are, how many ratings were given, and how many runs there are."""
    profiles, ratings, runs = db.execute(
        "SELECT (SELECT count(*) FROM viewers WHERE kind = 'profile' AND dataset = ''),"
        " (SELECT count(*) FROM ratings), (SELECT count(*) FROM runs)"
    ).fetchone()
    return {"profiles": profiles, "ratings": ratings, "runs": runs}


@contextmanager
def _checked(path: Path, copy: Path) -> Iterator[tuple[Path, Message]]:
    """Bring a copy of a backup that was looked through and is of the present version, and what is in it.

    What is looked through is the copy, so that it is what is restored. It is gone when the block ends.
    """
    if not path.is_file():
        raise Problem(f"{path} is {'a folder' if path.is_dir() else 'not there'}; name a file of movietui backup.")
    try:
        try:
            # Opened by its address, SQLite neither makes nor changes the file.
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source:
                source.execute("PRAGMA schema_version")  # fails where another program holds the file; a copy would wait
                with closing(_open_new(copy)) as db:
                    source.backup(db)
                    _be_one_file(db)
                    _check(path, db)
        except sqlite3.DatabaseError as error:
            if not _is_unreadable(error):
                raise
            raise Problem(f"{path} is no backup of movietui, or it is damaged; nothing is changed.") from error
        Store(copy).close()  # brings an older one up to date
        with closing(sqlite3.connect(copy, isolation_level=None)) as db:
            _be_one_file(db)
            counts = _counts(db)
        yield copy, counts
    finally:
        for end in ("", *BESIDE):
            copy.with_name(copy.name + end).unlink(missing_ok=True)


def _check(path: Path, db: sqlite3.Connection) -> None:
    """Raise ``Problem`` where a copy of a file is no store, is damaged, or was written by a later version."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    present = _shape(db)
    if version > VERSION and "viewers" in present:
        raise Problem(f"{path} was written by a later movietui; update movietui to restore it.")
    if not 0 < version <= VERSION or present != _shape_of(version):
        raise Problem(f"{path} is no backup of movietui; nothing is changed.")
    if not _is_whole(db):
        raise Problem(f"{path} is damaged, take an older backup; nothing is changed.")


def _shape(db: sqlite3.Connection) -> dict[str, list[str]]:
    """What a database has by name, of tables their columns: something that acts by itself, a trigger, stands out."""
    names = db.execute("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!'").fetchall()
    return {
        name: [column for (column,) in db.execute("SELECT name FROM pragma_table_info(?)", (name,))]
        for (name,) in names
    }


def _shape_of(version: int) -> dict[str, list[str]]:
    """What a store of a version has."""
    with closing(sqlite3.connect(":memory:")) as db:
        for name in SCRIPTS[:version]:
            db.executescript(resources.files("movietui").joinpath(name).read_text("utf-8"))
        return _shape(db)


def _put(new: Path, place: Path) -> Path:
    """Put a file in the place of the store, and return where the store is kept that was there.

    Another window that opens meanwhile waits, and then reads the new one: the file stays, its content is changed in
    one transaction. A store that SQLite cannot read is not open anywhere either, and makes way.
    """
    name = f"{place.stem}-before-{_moment()}"
    taken = len([*place.parent.glob(f"{name}*{place.suffix}")])
    kept = place.with_name(f"{name}{f'-{taken + 1}' if taken else ''}{place.suffix}")
    try:
        with closing(sqlite3.connect(place, timeout=WAIT_SECONDS, isolation_level=None)) as held:
            held.execute("PRAGMA locking_mode = EXCLUSIVE")
            _be_one_file(held)  # which SQLite refuses, as it does the next, while anybody else has it open
            held.execute("BEGIN EXCLUSIVE")
            held.execute("COMMIT")  # in this mode the file stays ours
            with whole_file(kept, force=False) as temporary, closing(_open_new(temporary)) as copy:
                held.backup(copy)
            with closing(sqlite3.connect(new)) as source:
                source.backup(held)
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            raise Problem(f"{place} is open in another window; close movietui everywhere, then restore.") from error
        if not _is_unreadable(error):
            raise
        for end in ("", *BESIDE):
            if (part := place.with_name(place.name + end)).exists():
                part.replace(kept.with_name(kept.name + end))
        new.replace(place)
    return kept
