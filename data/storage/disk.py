"""Creates private files and folders, turns names into paths, and reads regular files only.

The program creates its files here, so that only their owner can read them, whatever the umask. It turns names into
paths here, so that no name leads out of its folder. And it opens its files for reading here, so that no pipe or device
blocks it.
"""

import contextlib
import errno
import mmap
import os
import shutil
import stat
import zlib
from io import BufferedReader, BufferedWriter
from pathlib import Path

from movietui.data.language import tr
from movietui.data.problems import Problem

FOLDER, FILE = 0o700, 0o600
"""The permissions of everything that is created here: only the owner has access."""
LONGEST_NAME = 200
DEFAULT_MAX_BYTES = 64 * 2**20
"""The size of the largest file that ``read`` accepts by default."""
MAX_FILE_BYTES = 2**36
"""An upper bound for the files that movietui writes: tables of a dataset, arrays of a model."""


def checksum(content: bytes | memoryview) -> str:
    """Return the CRC-32 of a file. It detects damage, not forgery, and is faster than sha256."""
    return f"{zlib.crc32(content):08x}"


def inside(folder: Path, name: str) -> Path:
    """Return the path of a name in a folder. Raises ``Problem`` if the name is not plain, such as ``../x``."""
    if not is_plain_name(name):
        raise Problem(
            tr("{name!r} cannot be the name of something in {folder}; use a plain file name.", name=name, folder=folder)
        )
    return folder / name


def is_plain_name(name: object) -> bool:
    """Return whether this is a plain file name: printable, not too long, not hidden, and without a path."""
    return (
        isinstance(name, str)
        and 0 < len(name) <= LONGEST_NAME
        and name.isprintable()
        and not name.startswith(".")
        and not {"/", "\\", ":"} & set(name)
    )


def remove(folder: Path, name: str) -> None:
    """Remove a file, a link or a whole folder from a folder, if it exists; the target of a link stays.

    Raises ``Problem`` if the name is not plain, and ``OSError`` if it cannot be removed.
    """
    remove_tree(inside(folder, name))


def remove_tree(path: Path) -> None:
    """Remove a file, a link or a whole folder, if it exists; the target of a link stays.

    Use ``remove`` instead if the path contains a name from outside. Raises ``OSError`` if it cannot be removed.
    """
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISDIR(path.lstat().st_mode):
            shutil.rmtree(path)
        else:
            path.unlink()


def make_folder(path: Path) -> None:
    """Create a folder and any missing parents, which only their owner can use. Raises ``OSError``."""
    if not path.parent.exists():
        make_folder(path.parent)
    try:
        path.mkdir(FOLDER)
    except FileExistsError:
        if not path.is_dir():
            raise


def make_private(path: Path) -> None:
    """Revoke other users' permissions on a file or folder, if it exists.

    Files of other users, and the targets of links, are not changed.
    """
    with contextlib.suppress(OSError):  # the path does not exist, or its file system has no permissions
        facts = path.lstat()
        kind = stat.S_IFMT(facts.st_mode)
        shared = stat.S_IMODE(facts.st_mode) & 0o077
        if shared and facts.st_uid == os.geteuid() and kind in (stat.S_IFDIR, stat.S_IFREG):
            path.chmod(FOLDER if kind == stat.S_IFDIR else FILE)


def open_new(path: Path) -> BufferedWriter:
    """Create a file that only its owner can use, and open it for writing. Raises ``OSError``, also if it exists."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE), "wb")


def open_to_append(path: Path) -> BufferedWriter:
    """Open a regular file for appending; a new file is created so that only its owner can use it.

    Raises ``OSError``, also for anything other than a regular file.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
    return os.fdopen(_checked(os.open(path, flags, FILE), path), "ab")


def open_to_read(path: Path) -> BufferedReader:
    """Open a regular file for reading. Never blocks on a pipe or a device: it raises ``OSError`` for these."""
    _check(path, path.stat())  # first, because opening a device may have an effect
    return os.fdopen(_checked(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), path), "rb")


def read(path: Path, max_bytes: int = DEFAULT_MAX_BYTES) -> bytes:
    """Return the content of a regular file. Raises ``OSError``, also if it has more than ``max_bytes`` bytes."""
    with open_to_read(path) as file:
        _check_size(os.fstat(file.fileno()).st_size, max_bytes, path)
        return file.read()


def mapped(path: Path) -> memoryview:
    """Return the content of a regular file without reading it into memory: the system reads what is used.

    Only for files that are never changed, but replaced or removed as a whole; a file that is removed stays readable.
    Raises ``OSError``, also if the file has more than ``MAX_FILE_BYTES`` bytes.
    """
    with open_to_read(path) as file:
        size = os.fstat(file.fileno()).st_size
        _check_size(size, MAX_FILE_BYTES, path)
        return memoryview(mmap.mmap(file.fileno(), size, mmap.MAP_PRIVATE, mmap.PROT_READ) if size else b"")


def _check_size(size: int, max_bytes: int, path: Path) -> None:
    if size > max_bytes:
        raise OSError(errno.EFBIG, tr("it has more than {limit:,} bytes", limit=max_bytes), str(path))


def _checked(descriptor: int, path: Path) -> int:
    try:
        _check(path, os.fstat(descriptor))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _check(path: Path, facts: os.stat_result) -> None:
    if stat.S_ISDIR(facts.st_mode):
        raise IsADirectoryError(errno.EISDIR, tr("it is a folder"), str(path))
    if not stat.S_ISREG(facts.st_mode):
        raise OSError(errno.EINVAL, tr("it is not a regular file"), str(path))
