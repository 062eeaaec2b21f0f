"""Reads a personal export: a zip as a service gives it, the folder that it unpacks to, or one of its files."""

import re
import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from data import archive
from data.imports import tables, trakt
from data.imports.entries import Entry, Export, Skipped, merged
from data.problems import Problem

MOST = 64 * 2**20
"""Bytes of an export, unpacked; ten thousand diary entries with reviews have 5 MiB."""

LETTERBOXD = ("reviews.csv", "diary.csv", "ratings.csv", "watched.csv", "watchlist.csv")
"""The tables of Letterboxd at the top of its zip; in its other folders lie lists, and what the person deleted."""
LIKES = PurePosixPath("likes/films.csv")
_TRAKT = re.compile(
    r"(?:ratings-movies|watched-movies|watched-history|history|lists-watchlist|watchlist)(?:-[0-9]+)?\.json"
)


def read(path: Path) -> Export:
    """Return the films of an export, each once. Raises ``Problem`` where it is none, is hostile, or holds no film."""
    path = path.expanduser()
    contents = _contents(path)
    parts = {place: _read(place, content) for place, content in contents.items()}
    formats = {table.format for table in parts.values()}
    if len(formats) > 1:
        raise Problem(f"{path} holds tables of {' and of '.join(sorted(formats))}; import them one by one.")
    entries = merged(_agreed({place: table.entries for place, table in parts.items()}))
    skipped: tuple[Skipped, ...] = tuple(row for table in parts.values() for row in table.skipped)
    if not entries:
        why = f"; of its entries, {skipped[0].place}: {skipped[0].reason}" if skipped else ""
        raise Problem(f"{path} holds no film{why}; name the file as the service gave it to you.")
    return Export(formats.pop(), entries, skipped)


def _read(place: PurePosixPath, content: bytes) -> tables.Table:
    if content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"[", b"{"):
        return trakt.read(place, content)
    return tables.read(place, content)


def _contents(path: Path) -> dict[PurePosixPath, bytes]:
    """The files of an export that are read, in the order in which the later one counts."""
    try:
        facts = path.stat()
        if stat.S_ISDIR(facts.st_mode):
            return _chosen(path, archive.read_all(path, _wanted, MOST))
        if not stat.S_ISREG(facts.st_mode):
            raise Problem(f"{path} is no plain file; {archive.EXPORT}.")
        with path.open("rb") as file:
            head = file.read(512)
            content = head if head.startswith(b"PK\3\4") else head + file.read(MOST + 1 - len(head))
    except FileNotFoundError:
        raise Problem(f"There is no file {path}; check the path.") from None
    except (OSError, ValueError) as error:
        raise Problem(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}; check the path.") from None
    if head.startswith(b"PK\3\4"):
        return _chosen(path, archive.read_all(path, _wanted, MOST))
    if not content.strip():
        raise Problem(f"{path} is empty; {archive.EXPORT}.")
    if len(content) > MOST:
        raise Problem(f"{path} has more than the {MOST:,} bytes that are read; {archive.EXPORT}.")
    if archive.looks_like_html(head):
        raise Problem(f"{path} is a web page, not an export; {archive.EXPORT}.")
    return {PurePosixPath(path.name): content}


def _wanted(name: str) -> bool:
    low = name.casefold()
    return not low.startswith(".") and (low.endswith(".csv") or bool(_TRAKT.fullmatch(low)))


def _chosen(path: Path, found: Mapping[PurePosixPath, bytes]) -> dict[PurePosixPath, bytes]:
    """Those of the files that say what the person rated, saw, likes or wants to see."""
    found = {place: content for place, content in found.items() if "__MACOSX" not in place.parts}
    least = min((len(place.parts) for place in found if place.name.casefold() in LETTERBOXD), default=0)
    letterboxd = [
        place for name in LETTERBOXD for place in found if place.name.casefold() == name and len(place.parts) == least
    ] + [place for place in found if least and place.parts[-2:] == LIKES.parts and len(place.parts) == least + 1]
    json = [place for place in found if place.suffix.casefold() == ".json"]
    chosen = letterboxd or json or list(found)
    if not chosen:
        raise Problem(f"{path} holds no table of {tables.SERVICES}; {archive.EXPORT}.")
    return {place: found[place] for place in chosen}


def _agreed(parts: Mapping[PurePosixPath, list[Entry]]) -> list[Entry]:
    """All entries; of a film that ``ratings.csv`` of Letterboxd has, no other file says how it is rated."""
    now = {entry.own for place, entries in parts.items() if place.name.casefold() == "ratings.csv" for entry in entries}
    return [
        replace(entry, stars=None) if entry.own in now and place.name.casefold() != "ratings.csv" else entry
        for place, entries in parts.items()
        for entry in entries
    ]
