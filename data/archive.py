"""Files out of a zip archive or a folder, read without trusting it."""

import os
import stat
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from data.problems import Problem

MAX_BYTES = 4 * 2**30
"""Of all wanted files together, unpacked; the largest MovieLens set has 0.9 GiB."""
MAX_RATIO = 100
"""Unpacked over packed size; ratings as text pack about 5 to 1, at most 20."""
RATIO_FROM = 2**20
"""Files unpacking to less than this many bytes may have any ratio."""
MAX_MEMBERS = 10_000
MAX_DEPTH = 3
"""How many folders deep a wanted file may lie."""
_CHUNK = 2**20

WANTED = "name a zip or folder with the original files of the dataset"
"""What to do where a path is of no use."""


@dataclass(frozen=True)
class Files:
    """The contents of the wanted files by name, without their folders."""

    path: Path
    contents: dict[str, bytes]

    def __getitem__(self, name: str) -> bytes:
        """Return a file's content. Raises ``Problem`` where it is missing."""
        if name not in self.contents:
            raise Problem(f"{self.path} has no file {name}; it must hold the original files of the dataset.")
        return self.contents[name]

    def __contains__(self, name: str) -> bool:
        return name in self.contents


def read(path: Path, wanted: Sequence[str]) -> Files:
    """Return those of the wanted files that the zip archive or folder has, found by their name in any folder of it.

    Raises ``Problem`` where the path cannot be read, is no archive, is damaged, or is an archive that is not safe.
    """
    path = path.expanduser()
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise Problem(f"There is no file or folder {path}; check the path.") from None
    except (OSError, ValueError) as error:
        raise Problem(f"{path} cannot be read: {_reason(error)}; {WANTED}.") from None
    try:
        if stat.S_ISDIR(mode):
            return Files(path, _from_folder(path, frozenset(wanted)))
        if stat.S_ISREG(mode):
            return Files(path, _from_zip(path, frozenset(wanted)))
    except OSError as error:
        raise Problem(f"{path} cannot be read: {_reason(error)}; {WANTED}.") from None
    raise Problem(f"{path} is neither a zip archive nor a folder; {WANTED}.")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _choose(path: Path, places: dict[str, list[PurePosixPath]]) -> dict[str, PurePosixPath]:
    """Choose the least deep place of each file."""
    chosen = {}
    for name, found in places.items():
        found.sort(key=lambda place: (len(place.parts), place))
        if len(found) > 1 and len(found[0].parts) == len(found[1].parts):
            raise Problem(f"{path} holds {name} twice ({found[0]} and {found[1]}); name the folder that is meant.")
        chosen[name] = found[0]
    return chosen


def _from_folder(path: Path, wanted: frozenset[str]) -> dict[str, bytes]:
    places: dict[str, list[PurePosixPath]] = {}
    for folder, subfolders, names in os.walk(path):
        inside = PurePosixPath(Path(folder).relative_to(path).as_posix())
        if len(inside.parts) >= MAX_DEPTH - 1:
            subfolders.clear()
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in wanted.intersection(names):
            places.setdefault(name, []).append(inside / name)
        if wanted.issubset(places):
            break
    chosen = _choose(path, places)
    total = 0
    for place in chosen.values():
        facts = (path / place).stat()
        if not stat.S_ISREG(facts.st_mode):
            raise Problem(f"{path / place} is not a plain file.")
        total += facts.st_size
    if total > MAX_BYTES:
        raise Problem(f"The files in {path} have {total:,} bytes, more than the {MAX_BYTES:,} that are read.")
    return {name: (path / place).read_bytes() for name, place in chosen.items()}


def _from_zip(path: Path, wanted: frozenset[str]) -> dict[str, bytes]:
    with path.open("rb") as file:
        head = file.read(512)
        if not head:
            raise Problem(f"{path} is empty; {WANTED}.")
        if not head.startswith(b"PK"):
            if looks_like_html(head):
                raise Problem(f"{path} is a web page, not a zip archive; download the archive itself.")
            raise Problem(f"{path} is not a zip archive; {WANTED}.")
        try:
            with zipfile.ZipFile(file) as archive:
                return _members(path, archive, wanted)
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, UnicodeError):
            raise Problem(f"{path} is damaged or cut off; download it again.") from None
        except (NotImplementedError, RuntimeError):
            raise Problem(
                f"{path} is encrypted or packed in an unusual way; pack it again as an ordinary zip."
            ) from None


def looks_like_html(head: bytes) -> bool:
    """Tell whether the first bytes are those of a web page."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return start.startswith((b"<!doctype", b"<html", b"<head", b"<?xml", b"<!--"))


def _members(path: Path, archive: zipfile.ZipFile, wanted: frozenset[str]) -> dict[str, bytes]:
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise Problem(f"{path} holds {len(members):,} files, more than the {MAX_MEMBERS:,} that are accepted.")
    places: dict[str, list[PurePosixPath]] = {}
    by_place: dict[PurePosixPath, zipfile.ZipInfo] = {}
    for member in members:
        place = _safe(path, member)
        if member.is_dir() or place.name not in wanted:
            continue
        if place in by_place:
            raise Problem(f"{path} is refused: it holds {str(place)!r} twice.")
        by_place[place] = member
        places.setdefault(place.name, []).append(place)
    chosen = {name: by_place[place] for name, place in _choose(path, places).items()}
    total = sum(member.file_size for member in chosen.values())
    if total > MAX_BYTES:
        raise Problem(f"{path} is refused: it unpacks to {total:,} bytes, more than the {MAX_BYTES:,} that are read.")
    for member in chosen.values():
        if member.file_size > RATIO_FROM and member.file_size > MAX_RATIO * max(1, member.compress_size):
            raise Problem(
                f"{path} is refused: {member.filename!r} unpacks to more than {MAX_RATIO} times its packed size."
            )
    return {name: _unpack(path, archive, member) for name, member in chosen.items()}


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


def _unpack(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    parts = []
    size = 0
    with archive.open(member) as file:
        while part := file.read(_CHUNK):
            size += len(part)
            if size > member.file_size:
                raise Problem(f"{path} is refused: {member.filename!r} is larger than the archive says.")
            parts.append(part)
    if size != member.file_size:
        raise zipfile.BadZipFile(member.filename)
    return b"".join(parts)
