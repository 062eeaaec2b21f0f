"""Reads files from a zip archive or a folder that may be hostile.

Only the wanted files are unpacked, piece by piece and in memory. Nothing is written to disk, and no large file is ever
in memory as a whole.
"""

import contextlib
import io
import lzma
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TypeVar

from movietui.data.fetch import unpacking
from movietui.data.language import tr
from movietui.data.problems import Problem

MAX_BYTES = 4 * 2**30
"""The maximum unpacked size of all wanted files together, in bytes; no MovieLens release has half as much."""
MAX_READ = 2**26
"""The maximum unpacked size of a file that is read as a whole, in bytes; the largest table of movies has 4 MiB."""
MAX_RATIO = 100
"""The highest ratio of unpacked to packed size; files of ratings compress about 5 to 1, and 20 to 1 at most."""
RATIO_FROM = 2**20
"""A file that unpacks to this many bytes or fewer may have any ratio."""
MAX_MEMBERS = 10_000
MAX_DIRECTORY = 2**21
"""The maximum size, in bytes, of an archive's central directory, which lists its files."""
MAX_DEPTH = 3
"""How many levels deep wanted files are searched for in a folder; in an archive, they may be at any depth."""
BLOCK = 4 * 2**20
"""Bytes of a file processed at once."""

Piece = TypeVar("Piece")
Name = TypeVar("Name", str, PurePosixPath)

DATASET_HINT = tr("choose a zip or folder with the dataset's original files")
"""Tells the user what to do if the path to a dataset is unusable."""
EXPORT_HINT = tr("choose the file as you downloaded it")
"""Tells the user what to do if the path to a personal export is unusable."""


@dataclass(frozen=True)
class Files:
    """The wanted files that exist, by their names without a folder. Usable only inside ``with open_files(…)``."""

    path: Path
    sizes: Mapping[str, int]
    """The unpacked size of each file in bytes, by name."""
    pieces: Callable[[str, int], Iterator[bytes]]
    """Yields the content of a named file in pieces of at most the given number of bytes.

    Raises an error unless the pieces add up to the size of the file.
    """

    def __contains__(self, name: str) -> bool:
        return name in self.sizes

    def size(self, *names: str) -> int:
        """Return the total size of the named files in bytes. Raises ``Problem`` if one is missing."""
        for name in names:
            if name not in self:
                raise Problem(
                    tr(
                        "{path} has no file {file}; it must contain the dataset's original files.",
                        path=self.path,
                        file=name,
                    )
                )
        return sum(self.sizes[name] for name in names)

    def read(self, name: str) -> bytes:
        """Return a file's content. Raises ``Problem`` if it is missing, damaged or suspiciously large."""
        if self.size(name) > MAX_READ:
            raise Problem(
                tr(
                    "{file} in {path} is larger than the limit of {limit:,} bytes; {hint}.",
                    file=name,
                    path=self.path,
                    limit=MAX_READ,
                    hint=DATASET_HINT,
                )
            )
        return _concatenate(self._pieces(name, BLOCK))

    def blocks(self, name: str, size: int = BLOCK) -> Iterator[bytes]:
        """Yield a file's content in blocks of whole lines, each about ``size`` bytes long.

        The last line may lack its line end. Raises ``Problem`` if the file is missing or damaged, or has a line that
        is too long for a block.
        """
        rest = b""
        for piece in self._pieces(name, size):
            end = piece.rfind(b"\n") + 1
            if not end and len(rest) + len(piece) > size:
                raise Problem(
                    tr("{file} in {path} is not a text file; {hint}.", file=name, path=self.path, hint=DATASET_HINT)
                )
            if end:
                yield rest + piece[:end]
                rest = b""
            rest += piece[end:]
        if rest:
            yield rest

    def _pieces(self, name: str, size: int) -> Iterator[bytes]:
        self.size(name)
        with _explain_errors(self.path):
            yield from self.pieces(name, size)


@contextlib.contextmanager
def open_files(path: Path, wanted: Collection[str]) -> Iterator[Files]:
    """Open a zip archive or a folder and yield the wanted files, all of which are in the same folder inside it.

    Raises ``Problem`` if the path cannot be read, if it is neither an archive nor a folder, if the archive is damaged
    or unsafe, or if there are two datasets inside.
    """
    path = path.expanduser()
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise Problem(tr("There is no file or folder {path}; check the path.", path=path)) from None
    except (OSError, ValueError) as error:
        raise Problem(
            tr("{path} cannot be read: {reason}; {hint}.", path=path, reason=_reason(error), hint=DATASET_HINT)
        ) from None
    if stat.S_ISDIR(mode):
        with _explain_errors(path):
            files = _files_in_folder(path, frozenset(wanted))
        yield files
    elif stat.S_ISREG(mode):
        with contextlib.ExitStack() as stack:
            with _explain_errors(path):
                files = _files_in_zip(path, stack.enter_context(path.open("rb")), frozenset(wanted))
            yield files
    else:
        raise Problem(tr("{path} is neither a zip archive nor a folder; {hint}.", path=path, hint=DATASET_HINT))


def read_all(path: Path, wanted: Callable[[str], bool], max_bytes: int) -> dict[PurePosixPath, bytes]:
    """Return the content of all files with wanted names in a zip archive or folder, by their path inside it.

    Unlike ``open_files``, this function takes files from all folders inside. Raises ``Problem`` if the path cannot be
    read, if the archive is damaged or unsafe, or if the files have more than ``max_bytes`` in total.
    """
    with _explain_errors(path, EXPORT_HINT):
        if path.is_dir():
            inner_paths = [inside / name for inside, names in _walk(path) for name in sorted(names) if wanted(name)]
            sizes = _sizes(path, {inner: inner for inner in inner_paths}, max_bytes)
            return {inner: _concatenate(_read(path / inner, size, BLOCK)) for inner, size in sizes.items()}
        with path.open("rb") as file:
            members = _members(path, file, wanted, EXPORT_HINT)
            _check_sizes(path, members.values(), max_bytes)
            return {inner: _concatenate(unpacking.pieces(file, member, BLOCK)) for inner, member in members.items()}


def _concatenate(pieces: Iterable[bytes]) -> bytes:
    """Concatenate pieces without holding the whole content in memory twice."""
    whole = io.BytesIO()
    whole.writelines(pieces)
    return whole.getvalue()


def _read(path: Path, remaining: int, size: int) -> Iterator[bytes]:
    """Yield the content of a file in pieces of at most ``size`` bytes.

    Raises ``EOFError`` if the file does not have exactly ``remaining`` bytes, for example while it is being written.
    """
    with path.open("rb") as file:
        while remaining and (piece := file.read(min(remaining, size))):
            remaining -= len(piece)
            yield piece
        if remaining or file.read(1):
            raise EOFError


@contextlib.contextmanager
def _explain_errors(path: Path, hint: str = DATASET_HINT) -> Iterator[None]:
    """Replace errors in reading with a ``Problem`` that says what went wrong."""
    try:
        yield
    except OSError as error:
        if error.errno is None:  # bz2 raises this for damaged data
            raise Problem(tr("{path} is damaged or incomplete; download it again.", path=path)) from None
        raise Problem(
            tr("{path} cannot be read: {reason}; {hint}.", path=path, reason=_reason(error), hint=hint)
        ) from None
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, ValueError):
        raise Problem(tr("{path} is damaged or incomplete; download it again.", path=path)) from None
    except (NotImplementedError, RuntimeError):
        raise Problem(
            tr("{path} is encrypted or compressed in an unusual way; repack it as an ordinary zip.", path=path)
        ) from None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _choose(path: Path, inner_paths: Collection[PurePosixPath]) -> dict[str, PurePosixPath]:
    """Return the files in the shallowest folder that has any, by name.

    Raises ``Problem`` if there are several such folders.
    """
    if not inner_paths:
        return {}
    folders = sorted({inner.parent for inner in inner_paths}, key=lambda folder: (len(folder.parts), folder))
    if len(folders) > 1 and len(folders[0].parts) == len(folders[1].parts):
        raise Problem(
            tr(
                "{path} contains two datasets, in {folder} and in {other_folder}; choose one of these folders.",
                path=path,
                folder=folders[0],
                other_folder=folders[1],
            )
        )
    return {inner.name: inner for inner in inner_paths if inner.parent == folders[0]}


def _files_in_folder(path: Path, wanted: frozenset[str]) -> Files:
    inner_paths = []
    for inside, names in _walk(path):
        inner_paths += [inside / name for name in wanted.intersection(names)]
        if not inside.parts and inner_paths:
            break
    chosen = _choose(path, inner_paths)
    sizes = _sizes(path, chosen, MAX_BYTES)
    return Files(path, sizes, lambda name, size: _read(path / chosen[name], sizes[name], size))


def _walk(path: Path) -> Iterator[tuple[PurePosixPath, list[str]]]:
    """Yield a folder and its subfolders, relative to ``path``, each with the names of its files.

    Hidden subfolders are skipped, and so are those whose files would be more than ``MAX_DEPTH`` levels deep.
    """
    for folder, subfolders, names in os.walk(path):
        inside = PurePosixPath(Path(folder).relative_to(path).as_posix())
        if len(inside.parts) >= MAX_DEPTH - 1:
            subfolders.clear()
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        yield inside, names


def _sizes(path: Path, inner_paths: Mapping[Name, PurePosixPath], max_bytes: int) -> dict[Name, int]:
    """Return the sizes of files in a folder, in bytes.

    Raises ``Problem`` if one is not a regular file, or if they are larger than ``max_bytes`` together.
    """
    sizes = {}
    for name, inner in inner_paths.items():
        status = (path / inner).stat()
        if not stat.S_ISREG(status.st_mode):
            raise Problem(tr("{path} is not a regular file; put the original file in its place.", path=path / inner))
        sizes[name] = status.st_size
    total = sum(sizes.values())
    if total > max_bytes:
        raise Problem(
            tr(
                "The files in {path} have {size:,} bytes, more than the limit of {limit:,}; choose a smaller folder.",
                path=path,
                size=total,
                limit=max_bytes,
            )
        )
    return sizes


def _files_in_zip(path: Path, file: IO[bytes], wanted: frozenset[str]) -> Files:
    by_path = _members(path, file, wanted.__contains__)
    chosen = {name: by_path[inner] for name, inner in _choose(path, by_path).items()}
    _check_sizes(path, chosen.values(), MAX_BYTES)
    sizes = {name: member.file_size for name, member in chosen.items()}
    return Files(path, sizes, lambda name, size: unpacking.pieces(file, chosen[name], size))


class _Directory:
    """Wraps the archive file for ``zipfile``. Raises ``Problem`` if the central directory is too large."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self._path, self._file = path, file
        self.seek, self.tell = file.seek, file.tell

    def read(self, count: int = -1) -> bytes:
        content = self._file.read(MAX_DIRECTORY + 1 if count < 0 else min(count, MAX_DIRECTORY + 1))
        if len(content) > MAX_DIRECTORY:
            raise Problem(
                tr(
                    "{path} is refused: its list of files has more than {limit:,} bytes; download it again.",
                    path=self._path,
                    limit=MAX_DIRECTORY,
                )
            )
        return content


def _members(
    path: Path, file: IO[bytes], wanted: Callable[[str], bool], hint: str = DATASET_HINT
) -> dict[PurePosixPath, zipfile.ZipInfo]:
    """Return the members with wanted names, by path.

    Raises ``Problem`` if the file is not a zip archive, or if any of its members is unsafe.
    """
    head = file.read(512)
    if not head:
        raise Problem(tr("{path} is empty; {hint}.", path=path, hint=hint))
    if not head.startswith(b"PK"):
        if looks_like_html(head):
            raise Problem(tr("{path} is a web page, not a zip archive; download the archive itself.", path=path))
        raise Problem(tr("{path} is not a zip archive; {hint}.", path=path, hint=hint))
    with zipfile.ZipFile(_Directory(path, file)) as archive:
        members, end = archive.infolist(), archive.start_dir
    if len(members) > MAX_MEMBERS:
        raise Problem(
            tr(
                "{path} contains {count:,} files, more than the limit of {limit:,}; {hint}.",
                path=path,
                count=len(members),
                limit=MAX_MEMBERS,
                hint=hint,
            )
        )
    by_path: dict[PurePosixPath, zipfile.ZipInfo] = {}
    for member in members:
        inner = _safe_path(path, member)
        if member.is_dir() or not wanted(inner.name):
            continue
        if inner in by_path:
            raise Problem(
                tr("{path} is refused: it contains {file!r} twice; download it again.", path=path, file=str(inner))
            )
        by_path[inner] = member
    _check_overlap(path, members, end)
    return by_path


def _check_overlap(path: Path, members: Collection[zipfile.ZipInfo], end: int) -> None:
    """Raise ``Problem`` if members overlap, so that the same packed bytes would be unpacked several times."""
    for member in sorted(members, key=lambda member: member.header_offset, reverse=True):
        if member.header_offset + unpacking.MIN_HEADER_SIZE + member.compress_size > end:
            raise Problem(
                tr(
                    "{path} is damaged or unsafe: {file!r} overlaps the file after it; download it again.",
                    path=path,
                    file=member.filename,
                )
            )
        end = member.header_offset


def _check_sizes(path: Path, members: Collection[zipfile.ZipInfo], max_bytes: int) -> None:
    """Raise ``Problem`` if members would unpack to more than the limits."""
    total = sum(member.file_size for member in members)
    if total > max_bytes:
        raise Problem(
            tr(
                "{path} is refused: it unpacks to {size:,} bytes, more than the limit of {limit:,}; choose a smaller "
                "archive.",
                path=path,
                size=total,
                limit=max_bytes,
            )
        )
    for member in members:
        if member.file_size > RATIO_FROM and member.file_size > MAX_RATIO * max(1, member.compress_size):
            raise Problem(
                tr(
                    "{path} is refused: {file!r} unpacks to more than {ratio} times its packed size; download it "
                    "again.",
                    path=path,
                    file=member.filename,
                    ratio=MAX_RATIO,
                )
            )


def _safe_path(path: Path, member: zipfile.ZipInfo) -> PurePosixPath:
    """Return a member's path inside the archive.

    Raises ``Problem`` if the path is empty or leads outside, or if the member is a link.
    """
    # zipfile normalises `filename` and cuts it off at a null byte, so check the name as it is in the archive.
    name = member.orig_filename.replace("\\", "/")
    inner = PurePosixPath(name)
    drive = len(name) > 1 and name[1] == ":"
    if not name:
        raise Problem(tr("{path} is damaged: it contains a file without a name; download it again.", path=path))
    if "\0" in name or inner.is_absolute() or drive or ".." in inner.parts:
        raise Problem(
            tr(
                "{path} is refused: its member {file!r} leads outside the archive; download it again.",
                path=path,
                file=member.orig_filename,
            )
        )
    mode = member.external_attr >> 16
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise Problem(
            tr(
                "{path} is refused: its member {file!r} is a link, not a regular file; download it again.",
                path=path,
                file=member.orig_filename,
            )
        )
    return inner


def prefetched(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Yield each piece while a thread unpacks the next one. Unpacking and parsing release the interpreter lock."""
    with ThreadPoolExecutor(1) as unpacking:
        next_piece = unpacking.submit(next, pieces, None)
        while piece := next_piece.result():
            next_piece = unpacking.submit(next, pieces, None)
            yield piece


def looks_like_html(head: bytes) -> bool:
    """Return whether a file that starts with these bytes is a web page."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return start.startswith((b"<!doctype", b"<html", b"<head", b"<?xml", b"<!--"))
