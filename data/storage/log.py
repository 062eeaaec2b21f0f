"""The log: errors that nobody expected, for bug reports.

It has no ratings, titles, names or texts of people. An entry therefore has the type of an error and where it happened,
but of its message only what cannot contain a value. Several processes write to the log at the same time.
"""

import contextlib
import fcntl
import os
import sys
import threading
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BufferedWriter
from pathlib import Path
from types import TracebackType

from movietui import __version__
from movietui.data.problems import Problem
from movietui.data.storage import disk, locations

MAX_BYTES = 2**18
"""When the log is larger than this, a new one is begun; the previous one is kept beside it."""
MAX_ERRORS = 5
"""How many errors that caused one another an entry has, at most."""
MAX_FRAMES = 30
"""How many of the innermost lines of code of an error an entry has, at most."""
PACKAGES = ("site-packages", "dist-packages")
"""The names of folders with installed packages."""
PACKAGE = Path(__file__).resolve().parents[2]
"""The folder that contains this code: that of the package, or of the checkout."""


def record(process: str, error: BaseException) -> None:
    """Append an error that happened in a process, such as ``engine``; do nothing if the log cannot be written."""
    note(process, *_described(error))


def note(process: str, *lines: str) -> None:
    """Append an entry; do nothing if the log cannot be written. The lines may not contain values from outside."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    head = f"{now} movietui {__version__}, {process}, process {os.getpid()}"
    entry = "".join(f"{line}\n" for line in (head, *(f"  {line}" for line in lines)))
    with contextlib.suppress(OSError), _locked(locations.log()) as file:
        file.write(entry.encode("utf-8", "backslashreplace"))


def read() -> str:
    """Return the previous log and the current one."""
    path = locations.log()
    both = []
    for each in (_previous(path), path):
        with contextlib.suppress(OSError):
            both.append(disk.read(each).decode("utf-8", "replace"))
    return "".join(both)


def record_uncaught(process: str) -> None:
    """From now on, also record errors that end this process or one of its threads."""
    before, before_in_thread = sys.excepthook, threading.excepthook

    def ended(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, Exception):
            record(process, error)
        before(kind, error, trace)

    def thread_ended(arguments: threading.ExceptHookArgs) -> None:
        if isinstance(arguments.exc_value, Exception):
            record(process, arguments.exc_value)
        before_in_thread(arguments)

    sys.excepthook, threading.excepthook = ended, thread_ended


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[BufferedWriter]:
    """Yield the log, open for appending, while no other process writes to it or replaces it. Raises ``OSError``."""
    disk.make_folder(path.parent)
    while True:
        with disk.open_to_append(path) as file:
            with contextlib.suppress(OSError):  # the file system has no locks
                fcntl.flock(file, fcntl.LOCK_EX)
            if not _is_open(path, file):  # another process has begun a new log since
                continue
            if os.fstat(file.fileno()).st_size > MAX_BYTES:
                path.replace(_previous(path))
                continue
            yield file
            return


def _is_open(path: Path, file: BufferedWriter) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _previous(path: Path) -> Path:
    return path.with_name(f"{path.name}.1")


def _described(error: BaseException) -> Iterator[str]:
    """Yield lines about an error and about those that caused it, the first cause last."""
    cause: BaseException | None = error
    for _ in range(MAX_ERRORS):
        if cause is None:
            return
        frames = list(traceback.walk_tb(cause.__traceback__))[-MAX_FRAMES:]
        files = [frame.f_code.co_filename for frame, _ in frames]
        yield f"{type(cause).__name__}{_message(cause) if files and _own_file(files[-1]) else ''}"
        for (frame, line), file in zip(frames, files, strict=True):
            yield f"  {_own_file(file) or _foreign_file(file)}:{line} {frame.f_code.co_qualname}"
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)


def _message(error: BaseException) -> str:
    """Return what an error says, if that is about code or the system, not about what people typed or read."""
    if isinstance(error, Problem):
        return ""
    if isinstance(error, OSError):
        return f": {error.strerror}" if error.strerror else ""
    if isinstance(error, ImportError):
        return f": {error.name}"
    return f": {error}" if isinstance(error, AttributeError | NameError | TypeError) else ""


def _own_file(name: str) -> str:
    """Return the path of a file of our code, as in the repository; empty for a file of another package."""
    path = Path(name).resolve()
    inside = path.relative_to(PACKAGE) if PACKAGE in path.parents else Path()
    return "" if set(PACKAGES) & set(inside.parts) or not inside.parts else str(inside)


def _foreign_file(name: str) -> str:
    """Return the path of a file inside a package, without the folders that only this machine has."""
    parts = Path(name).parts
    start = max((parts.index(folder) + 1 for folder in PACKAGES if folder in parts), default=len(parts) - 1)
    return "/".join(parts[start:])
