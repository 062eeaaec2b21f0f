"""Reads a personal export: the zip that a service provides, the folder it unpacks to, or one of the files inside."""

import re
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from movietui.data.fetch import archive
from movietui.data.imports import csv_exports, trakt
from movietui.data.imports.columns import key_of, keys_of
from movietui.data.imports.entries import Choices, Entry, Export, Log, NamedList
from movietui.data.imports.merging import Hashes, hashes_of, merged, namesake_labels, shared_keys, title_year_key
from movietui.data.language import tr
from movietui.data.near_names import no_such
from movietui.data.problems import Problem

MAX_BYTES = 64 * 2**20
"""The maximum unpacked size of an export, in bytes; ten thousand diary entries with reviews have 5 MiB."""

LETTERBOXD = ("reviews.csv", "diary.csv", "ratings.csv", "watched.csv", "watchlist.csv")
"""Letterboxd's tables at the top level of its zip; other folders contain deleted entries, likes and lists.

For a movie in several of these tables, the later table counts if the times are equal.
"""
LIKES = PurePosixPath("likes/films.csv")
LISTS = "lists"
_TRAKT = re.compile(
    r"(?:ratings-movies|watched-movies|watched-history|history|lists-watchlist|watchlist)(?:-[0-9]+)?\.json"
)


def read(path: Path, choices: Choices | None = None) -> Export:
    """Return the movies and lists of an export; each movie occurs once, but may be on lists too.

    Raises ``Problem`` if the path is not an export, if it is unsafe, or if it contains no movie.
    """
    path, choices = path.expanduser(), choices or Choices()
    contents = _contents(path)
    parts = {inner: _read(inner, content, choices) for inner, content in contents.items()}
    _check_columns(path, parts, choices)
    hashes = _separate_namesakes(parts, contents, choices)
    contents.clear()
    formats = {table.format for table in parts.values()}
    if len(formats) > 1:
        services = tr(" and ").join(sorted(formats))
        raise Problem(
            tr("{path} contains tables from {services}; import them one by one.", path=path, services=services)
        )
    skipped, unread = Log(), Log()
    for table in parts.values():
        skipped.extend(table.skipped)
        unread.extend(table.unread)
    lists = tuple(_list_of(table) for table in parts.values() if table.list_name and table.entries)
    all_entries = _all_entries(parts)
    entries = merged(all_entries, hashes if len(parts) == 1 and len(all_entries) == len(hashes) else None)
    if not entries and not lists:
        first = skipped.rows[0] if skipped.rows else None
        why = f" ({first.location}: {first.reason})" if first else ""
        raise Problem(tr("{path} contains no movie{why}; choose the file as you downloaded it.", path=path, why=why))
    return Export(
        formats.pop(),
        entries,
        tuple(skipped.rows),
        tuple(unread.rows),
        lists,
        tuple(table.reading for table in parts.values()),
        skipped.count,
        unread.count,
        tuple(namesake_labels(entries)),
    )


def _read(inner: PurePosixPath, content: bytes, choices: Choices) -> csv_exports.Table:
    if content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"[", b"{"):
        return trakt.read(inner, content, choices.scale)
    return csv_exports.read(inner, content, choices)


def _check_columns(path: Path, parts: Mapping[PurePosixPath, csv_exports.Table], choices: Choices) -> None:
    """Raise ``Problem`` if no table has a column that the user chose."""
    known = [name for table in parts.values() for name in (*dict(table.reading.read), *table.reading.not_read)]
    for name in choices.columns.values():
        if key_of(name) not in keys_of(known):
            listed = tr("its columns are: {columns}.", columns=", ".join(dict.fromkeys(known)))
            raise no_such(tr("{file} has no column {column!r}", file=path.name, column=name), name, known, listed)


def _separate_namesakes(
    parts: dict[PurePosixPath, csv_exports.Table], contents: Mapping[PurePosixPath, bytes], choices: Choices
) -> Hashes:
    """Read the tables with addresses again, and use the addresses, if movies in one of them share title and year.

    Return the hashes of the entries of the last table with addresses; empty if there is no such table.
    """
    namesakes: frozenset[str] = frozenset()
    hashes = hashes_of(())
    addressed = [inner for inner, table in parts.items() if table.addressed]
    for inner in addressed:
        hashes = hashes_of(parts[inner].entries)
        namesakes |= shared_keys(parts[inner].entries, hashes)
    if namesakes:
        for inner in addressed:
            parts[inner] = csv_exports.read(inner, contents[inner], choices, namesakes)
    return hashes


def _list_of(table: csv_exports.Table) -> NamedList:
    return NamedList(table.list_name, tuple(table.entries))


def _contents(path: Path) -> dict[PurePosixPath, bytes]:
    """Return the content of the files to read, by path; if two ratings have the same time, the later file counts."""
    try:
        facts = path.stat()
        if stat.S_ISDIR(facts.st_mode):
            return _relevant(path, archive.read_all(path, _wanted, MAX_BYTES))
        if not stat.S_ISREG(facts.st_mode):
            raise Problem(tr("{path} is not a regular file; {hint}.", path=path, hint=archive.EXPORT_HINT))
        with path.open("rb") as file:
            head = file.read(512)
            file.seek(0)
            content = head if head.startswith(b"PK\3\4") else file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise Problem(tr("There is no file {path}; check the path.", path=path)) from None
    except (OSError, ValueError) as error:
        raise Problem(
            tr(
                "{path} cannot be read: {reason}; check the path.",
                path=path,
                reason=getattr(error, "strerror", None) or error,
            )
        ) from None
    if head.startswith(b"PK\3\4"):
        return _relevant(path, archive.read_all(path, _wanted, MAX_BYTES))
    if not content or content.isspace():
        raise Problem(tr("{path} is empty; {hint}.", path=path, hint=archive.EXPORT_HINT))
    if len(content) > MAX_BYTES:
        raise Problem(
            tr(
                "{path} is larger than the limit of {limit:,} bytes; {hint}.",
                path=path,
                limit=MAX_BYTES,
                hint=archive.EXPORT_HINT,
            )
        )
    if archive.looks_like_html(head):
        raise Problem(tr("{path} is a web page, not an export; {hint}.", path=path, hint=archive.EXPORT_HINT))
    return {PurePosixPath(path.name): content}


def _wanted(name: str) -> bool:
    low = name.casefold()
    return not low.startswith(".") and (low.endswith(".csv") or bool(_TRAKT.fullmatch(low)))


def _relevant(path: Path, contents: Mapping[PurePosixPath, bytes]) -> dict[PurePosixPath, bytes]:
    """Return the files with the movies that the user rated, watched, liked or wants to watch, and those with lists."""
    contents = {inner: content for inner, content in contents.items() if "__MACOSX" not in inner.parts}
    depth = min((len(inner.parts) for inner in contents if inner.name.casefold() in LETTERBOXD), default=0)
    letterboxd = [
        inner
        for name in LETTERBOXD
        for inner in contents
        if inner.name.casefold() == name and len(inner.parts) == depth
    ]
    if letterboxd:
        one_deeper = [inner for inner in contents if len(inner.parts) == depth + 1]
        letterboxd += [inner for inner in one_deeper if inner.parts[-2:] == LIKES.parts]
        letterboxd += [inner for inner in one_deeper if inner.parts[-2].casefold() == LISTS and contents[inner].strip()]
    json = [inner for inner in contents if inner.suffix.casefold() == ".json"]
    relevant = letterboxd or json or list(contents)
    if not relevant:
        raise Problem(
            tr(
                "{path} contains no table from {services}; {hint}.",
                path=path,
                services=csv_exports.SERVICES,
                hint=archive.EXPORT_HINT,
            )
        )
    return {inner: contents[inner] for inner in relevant}


def _all_entries(parts: Mapping[PurePosixPath, csv_exports.Table]) -> list[Entry]:
    """Return the entries of all tables; of lists, only those with a rating or a mark.

    If Letterboxd's ``ratings.csv`` has a movie, ratings of this movie in other files are ignored.
    """
    rating = [inner.name.casefold() == "ratings.csv" and len(parts) > 1 for inner in parts]
    rated = {
        title_year_key(entry)
        for is_rating, table in zip(rating, parts.values(), strict=True)
        if is_rating
        for entry in table.entries
    }
    all_entries: list[Entry] = []
    for is_rating, table in zip(rating, parts.values(), strict=True):
        if is_rating or not rated:
            entries = table.entries
        else:
            entries = [
                entry._replace(stars=None) if entry.stars is not None and title_year_key(entry) in rated else entry
                for entry in table.entries
            ]
        listed = bool(table.list_name)
        all_entries += [entry for entry in entries if entry.stars is not None or entry.marks] if listed else entries
    return all_entries
