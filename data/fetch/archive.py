"""Files out of a zip archive or a folder, read without trusting it.

Only the wanted files are unpacked, piece by piece and never to the disk, so that nothing can be written outside of the
cache and a large file never lies in memory as a whole.
"""

import contextlib
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TypeVar

from data.problems import Problem

MAX_BYTES = 4 * 2**30
"""Of all wanted files together, unpacked; the largest MovieLens set has 0.9 GiB."""
MAX_WHOLE = 2**28
"""Of a file that is not read by blocks, unpacked; the largest table of movies has 4 MiB."""
MAX_RATIO = 100
"""Unpacked over packed size; ratings as text pack about 5 to 1, at most 20."""
RATIO_FROM = 2**20
"""Files unpacking to less than this many bytes may have any ratio."""
MAX_MEMBERS = 10_000
MAX_DEPTH = 3
"""How many folders deep a wanted file may lie in a folder; in an archive any number."""
BLOCK = 4 * 2**20
"""Bytes of a file that are looked at together."""

Piece = TypeVar("Piece")

WANTED = "name a zip or folder with the original files of the dataset"
"""What to do where a path is of no use."""
EXPORT = "name the file as the service gave it to you"
"""The same, for what a person brings along from elsewhere."""


@dataclass(frozen=True)
class Files:
    """Those of the wanted files that were found, by name without their folder. Open while ``opened`` is."""

    path: Path
    sizes: Mapping[str, int]
    """Bytes of each file, unpacked."""
    open: Callable[[str], AbstractContextManager[IO[bytes]]]

    def __contains__(self, name: str) -> bool:
        return name in self.sizes

    def size(self, *names: str) -> int:
        """Return the bytes of some files together. Raises ``Problem`` where one is missing."""
        for name in names:
            if name not in self:
                raise Problem(f"{self.path} has no file {name}; it must hold the original files of the dataset.")
        return sum(self.sizes[name] for name in names)

    def read(self, name: str) -> bytes:
        """Return a file's content. Raises ``Problem`` where it is missing, damaged or suspiciously large."""
        if self.size(name) > MAX_WHOLE:
            raise Problem(f"{name} in {self.path} has more than the {MAX_WHOLE:,} bytes that are read.")
        return b"".join(self._pieces(name, BLOCK))

    def blocks(self, name: str, size: int = BLOCK) -> Iterator[bytes]:
        """Return a file's content in pieces of whole lines, each about ``size`` bytes; the last line may lack its end.

        Raises ``Problem`` where the file is missing or damaged, or a line is longer than that.
        """
        rest = b""
        for piece in self._pieces(name, size):
            end = piece.rfind(b"\n") + 1
            if not end and len(rest) + len(piece) > size:
                raise Problem(f"{name} in {self.path} is not a text of lines; {WANTED}.")
            if end:
                yield rest + piece[:end]
                rest = b""
            rest += piece[end:]
        if rest:
            yield rest

    def _pieces(self, name: str, size: int) -> Iterator[bytes]:
        left = self.size(name)
        with _damages(self.path), self.open(name) as file:
            while piece := file.read(size):
                left -= len(piece)
                yield piece
            if left:  # an archive that lies about the size, or a file that somebody writes to
                raise EOFError


@contextlib.contextmanager
def opened(path: Path, wanted: Collection[str]) -> Iterator[Files]:
    """Open a zip archive or folder and find those of the wanted files that it has, all in one folder of it.

    Raises ``Problem`` where the path cannot be read, is no archive, is damaged, or is an archive that is not safe.
    """
    path = path.expanduser()
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise Problem(f"There is no file or folder {path}; check the path.") from None
    except (OSError, ValueError) as error:
        raise Problem(f"{path} cannot be read: {_reason(error)}; {WANTED}.") from None
    if stat.S_ISDIR(mode):
        with _damages(path):
            files = _in_folder(path, frozenset(wanted))
        yield files
    elif stat.S_ISREG(mode):
        with contextlib.ExitStack() as stack:
            with _damages(path):
                files = _in_zip(path, stack.enter_context(path.open("rb")), frozenset(wanted), stack)
            yield files
    else:
        raise Problem(f"{path} is neither a zip archive nor a folder; {WANTED}.")


def read_all(path: Path, wanted: Callable[[str], bool], most: int) -> dict[PurePosixPath, bytes]:
    """Return the content of those files of a zip archive or folder whose names are wanted, by their place in it.

    Unlike ``opened`` from whichever folders they lie in; ``most`` bytes together. Raises ``Problem`` as ``opened``.
    """
    with _damages(path, EXPORT), contextlib.ExitStack() as stack:
        if path.is_dir():
            places = [inside / name for inside, names in _walk(path) for name in sorted(names) if wanted(name)]
            _sizes(path, {str(place): place for place in places}, most)
            return {place: (path / place).read_bytes() for place in places}
        archive, members = _members(path, stack.enter_context(path.open("rb")), wanted, stack, EXPORT)
        _check(path, members.values(), most)
        return {place: archive.read(member) for place, member in members.items()}


@contextlib.contextmanager
def _damages(path: Path, hint: str = WANTED) -> Iterator[None]:
    """Say in one sentence why something could not be read."""
    try:
        yield
    except OSError as error:
        raise Problem(f"{path} cannot be read: {_reason(error)}; {hint}.") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, UnicodeError):
        raise Problem(f"{path} is damaged or cut off; download it again.") from None
    except (NotImplementedError, RuntimeError):
        raise Problem(f"{path} is encrypted or packed in an unusual way; pack it again as an ordinary zip.") from None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _choose(path: Path, places: Collection[PurePosixPath]) -> dict[str, PurePosixPath]:
    """Choose the files of the least deep folder that has any."""
    if not places:
        return {}
    folders = sorted({place.parent for place in places}, key=lambda folder: (len(folder.parts), folder))
    if len(folders) > 1 and len(folders[0].parts) == len(folders[1].parts):
        raise Problem(
            f"{path} holds datasets twice, in {folders[0]} and in {folders[1]}; name the folder that is meant."
        )
    return {place.name: place for place in places if place.parent == folders[0]}


def _in_folder(path: Path, wanted: frozenset[str]) -> Files:
    places = []
    for inside, names in _walk(path):
        places += [inside / name for name in wanted.intersection(names)]
        if not inside.parts and places:
            break
    chosen = _choose(path, places)
    sizes = _sizes(path, chosen, MAX_BYTES)
    return Files(path, sizes, lambda name: (path / chosen[name]).open("rb"))


def _walk(path: Path) -> Iterator[tuple[PurePosixPath, list[str]]]:
    """Give the folders in a folder, itself first, each with the names of its files; hidden ones are left out."""
    for folder, subfolders, names in os.walk(path):
        inside = PurePosixPath(Path(folder).relative_to(path).as_posix())
        if len(inside.parts) >= MAX_DEPTH - 1:
            subfolders.clear()
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        yield inside, names


def _sizes(path: Path, places: Mapping[str, PurePosixPath], most: int) -> dict[str, int]:
    """Return the bytes of files in a folder. Raises ``Problem`` for what is no file, and where they are too large."""
    sizes = {}
    for name, place in places.items():
        facts = (path / place).stat()
        if not stat.S_ISREG(facts.st_mode):
            raise Problem(f"{path / place} is not a plain file.")
        sizes[name] = facts.st_size
    total = sum(sizes.values())
    if total > most:
        raise Problem(f"The files in {path} have {total:,} bytes, more than the {most:,} that are read.")
    return sizes


def _in_zip(path: Path, file: IO[bytes], wanted: frozenset[str], stack: contextlib.ExitStack) -> Files:
    archive, by_place = _members(path, file, wanted.__contains__, stack)
    chosen = {name: by_place[place] for name, place in _choose(path, by_place).items()}
    _check(path, chosen.values(), MAX_BYTES)
    return Files(path, {name: member.file_size for name, member in chosen.items()}, lambda n: archive.open(chosen[n]))


def _members(
    path: Path, file: IO[bytes], wanted: Callable[[str], bool], stack: contextlib.ExitStack, hint: str = WANTED
) -> tuple[zipfile.ZipFile, dict[PurePosixPath, zipfile.ZipInfo]]:
    """Open an archive and return its members whose names are wanted, once all were found to be safe."""
    head = file.read(512)
    if not head:
        raise Problem(f"{path} is empty; {hint}.")
    if not head.startswith(b"PK"):
        if looks_like_html(head):
            raise Problem(f"{path} is a web page, not a zip archive; download the archive itself.")
        raise Problem(f"{path} is not a zip archive; {hint}.")
    archive = stack.enter_context(zipfile.ZipFile(file))
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise Problem(f"{path} holds {len(members):,} files, more than the {MAX_MEMBERS:,} that are accepted.")
    by_place: dict[PurePosixPath, zipfile.ZipInfo] = {}
    for member in members:
        place = _safe(path, member)
        if member.is_dir() or not wanted(place.name):
            continue
        if place in by_place:
            raise Problem(f"{path} is refused: it holds {str(place)!r} twice.")
        by_place[place] = member
    return archive, by_place


def _check(path: Path, members: Collection[zipfile.ZipInfo], most: int) -> None:
    """Raise ``Problem`` where members would unpack to more than is read."""
    total = sum(member.file_size for member in members)
    if total > most:
        raise Problem(f"{path} is refused: it unpacks to {total:,} bytes, more than the {most:,} that are read.")
    for member in members:
        if member.file_size > RATIO_FROM and member.file_size > MAX_RATIO * max(1, member.compress_size):
            raise Problem(
                f"{path} is refused: {member.filename!r} unpacks to more than {MAX_RATIO} times its packed size."
            )


def _safe(path: Path, member: zipfile.ZipInfo) -> PurePosixPath:
    """Return the member's place inside the archive. Raises ``Problem`` where it would lie outside."""
    # zipfile normalises `filename` and cuts it at a null byte; what the archive says is judged, not the result.
    name = member.orig_filename.replace("\\", "/")
    place = PurePosixPath(name)
    drive = len(name) > 1 and name[1] == ":"
    if "\0" in name or place.is_absolute() or drive or ".." in place.parts:
        raise Problem(f"{path} is refused: its member {member.orig_filename!r} would lie outside of its folder.")
    mode = member.external_attr >> 16
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise Problem(f"{path} is refused: its member {member.orig_filename!r} is a link, not a plain file.")
    return place


def ahead(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Unpack the next piece in a thread while the last one is looked at; both let go of the interpreter."""
    with ThreadPoolExecutor(1) as unpacking:
        following = unpacking.submit(next, pieces, None)
        while piece := following.result():
            following = unpacking.submit(next, pieces, None)
            yield piece


def looks_like_html(head: bytes) -> bool:
    """Tell whether the first bytes are those of a web page."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return start.startswith((b"<!doctype", b"<html", b"<head", b"<?xml", b"<!--"))
