"""Writes files and folders completely or not at all: each is written as a draft, and then renamed.

``write_file`` and ``whole_file`` write files that the user asked for, and raise ``Problem``. The other functions write
movietui's internal files, and raise ``OSError``. Only ``write_new`` makes no draft, because it writes into drafts. Only
their owner can read the files.
"""

import contextlib
import errno
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.storage import disk, public_demo

DRAFT = ".tmp-"
"""The prefix of the names of drafts. A process that is killed leaves its draft behind."""
ATTEMPTS = 3
"""How many times to try to replace a folder that other processes are replacing too."""


def write_file(path: Path, content: bytes, *, force: bool) -> None:
    """Write a file that the user asked for; replace an existing file only with ``force``.

    Raises ``Problem`` if the file cannot be written, or exists and must not be replaced.
    """
    with whole_file(path.expanduser(), force=force) as draft:
        draft.write_bytes(content)


@contextmanager
def whole_file(path: Path, *, force: bool) -> Iterator[Path]:
    """Yield an empty draft that is renamed to ``path`` when the block succeeds and removed when it fails.

    An existing file is replaced only with ``force``. Raises ``Problem`` if the file cannot be written, or exists and
    must not be replaced, and in the public demo.
    """
    public_demo.refuse_files()
    draft = _draft_of(path)
    try:
        if path.is_dir():
            raise Problem(tr("{path} is a folder; add a file name.", path=path))
        try:
            disk.open_new(draft).close()
            yield draft
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            if force:
                draft.replace(path)
            else:
                _rename_to_free(draft, path)
        finally:
            draft.unlink(missing_ok=True)
    except FileExistsError:
        raise _taken(path) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Problem(
            tr("{path} could not be written: {reason}; choose another path.", path=path, reason=reason)
        ) from None


def require_free(path: Path, *, force: bool) -> None:
    """Raise ``Problem`` if a path exists and must not be replaced; call it before long work whose result goes there."""
    if path.expanduser().exists() and not force:
        raise _taken(path)


def _taken(path: Path) -> Problem:
    return Problem(tr("{path} already exists; choose another file, or replace it with --force.", path=path))


def write_new(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write a new file and, if ``durable``, wait until it is on the disk. Raises ``OSError``, also if it exists."""
    with disk.open_new(path) as file:
        file.write(content)
        file.flush()
        if durable:
            os.fsync(file.fileno())


def replace_file(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write an internal file, replacing an existing one, which stays unchanged if ``OSError`` is raised."""
    draft = _draft_of(path)
    try:
        write_new(draft, content, durable=durable)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def new_folder(
    target: Path, *, replace: bool = False, lock: AbstractContextManager[None] | None = None
) -> Iterator[Path]:
    """Yield an empty draft folder that is renamed to ``target`` when the block succeeds and removed when it fails.

    ``lock`` is held during the rename. An existing folder is replaced only with ``replace``. Raises ``OSError``.
    """
    disk.make_folder(target.parent)
    draft = Path(tempfile.mkdtemp(prefix=DRAFT, dir=target.parent))
    try:
        yield draft
        with lock or nullcontext():
            if replace:
                _replace_folder(draft, target)
            else:
                draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Wait until the names of the files in a folder are on the disk.

    On systems that cannot open a folder, this does nothing; it is not needed there.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _draft_of(path: Path) -> Path:
    return path.with_name(f"{DRAFT}{uuid.uuid4().hex[:8]}-{path.name[-100:]}")


def _rename_to_free(draft: Path, path: Path) -> None:
    """Give a draft its final name, using a link because, unlike a rename, a link never replaces a file.

    Raises ``FileExistsError`` if the name is taken.
    """
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links, such as that of a memory stick
        with path.open("xb"):
            draft.replace(path)


def _replace_folder(draft: Path, target: Path) -> None:
    for _ in range(ATTEMPTS):
        try:
            draft.rename(target)
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
        # The existing folder is from an earlier run or damaged, or another process has just written it. Each folder is
        # complete, so it does not matter which process writes last.
        away = Path(tempfile.mkdtemp(prefix=DRAFT, dir=target.parent))
        try:
            with contextlib.suppress(FileNotFoundError):
                target.rename(away / target.name)
        finally:
            shutil.rmtree(away, ignore_errors=True)
    raise OSError(errno.EEXIST, tr("another process is writing to it"))
