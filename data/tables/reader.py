"""Reads ratings that are not a MovieLens release. Importing this module does not import pandas."""

import gzip
import io
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from movietui.data.dataset import Scale
from movietui.data.fetch import archive
from movietui.data.language import tr
from movietui.data.movielens.release import Raw
from movietui.data.problems import Problem
from movietui.data.progress import Report, Stage, silent
from movietui.data.storage import disk
from movietui.data.tables import columns as column_names
from movietui.data.tables import other_datasets, table
from movietui.data.tables.interactions import Interactions

SUFFIXES = (".csv", ".tsv", ".txt", ".dat", ".data", ".json", ".jsonl", ".parquet")
"""The ends of the names of files with ratings; ``.gz`` may follow."""
ZIP = b"PK"
GZIP = b"\x1f\x8b"
HINT = tr("give a CSV, TSV or Parquet file with columns for the user, the item, the rating and the time")


def read(path: Path, named: Sequence[str] = (), scale: Scale | None = None, report: Report = silent) -> tuple[Raw, str]:
    """Read ratings from a file, or from a zip or folder of files; return the raw tables and a note for the user.

    ``named`` has the columns that the user named, see ``columns.as_named``. ``scale`` is the scale that the user gave.
    Raises ``Problem`` if ``path`` has no table of ratings or more than one, or if the table cannot be read.
    """
    report(Stage(tr("Reading"), note=path.name))
    interactions = _interactions(contents(path), path, named)
    if not len(interactions.user):
        raise Problem(tr("{path} has no ratings; {hint}.", path=path, hint=HINT))
    raw = interactions.to_raw(scale)
    report(Stage(tr("Reading"), 1, 1, note=path.name, finished=True))
    return raw, interactions.note


def contents(path: Path) -> dict[str, bytes]:
    """Return the content of each file that may have ratings, by its path inside ``path``. Raises ``Problem``."""
    path = path.expanduser()
    try:
        if path.is_dir():
            packed: Mapping[PurePosixPath, bytes] = archive.read_all(path, _is_wanted, archive.MAX_BYTES)
        else:
            with path.open("rb") as file:
                is_zip = file.read(2) == ZIP
            if is_zip:
                packed = archive.read_all(path, _is_wanted, archive.MAX_BYTES)
            else:
                packed = {PurePosixPath(path.name): disk.read(path, archive.MAX_BYTES)}
    except FileNotFoundError:
        raise Problem(tr("There is no file or folder {path}; check the path.", path=path)) from None
    except (OSError, ValueError) as error:
        raise Problem(
            tr(
                "{path} cannot be read: {reason}; {hint}.",
                path=path,
                reason=getattr(error, "strerror", None) or error,
                hint=HINT,
            )
        ) from None
    files = {str(name): _unpacked(path, content) for name, content in packed.items()}
    filled = {name: content for name, content in files.items() if content.strip()}
    if not filled:
        wrong = tr("is empty") if path.is_file() else tr("has no table of ratings")
        raise Problem(f"{path} {wrong}; {HINT}.")
    if any(archive.looks_like_html(content[: table.HEAD]) for content in filled.values()):
        raise Problem(tr("{path} is a web page, not a table of ratings; download the file itself.", path=path))
    return filled


def _is_wanted(name: str) -> bool:
    return name.lower().removesuffix(".gz").endswith(SUFFIXES) and not name.startswith((".", "_"))


def _unpacked(path: Path, content: bytes) -> bytes:
    """Return the content of a file that may be packed with gzip."""
    if not content.startswith(GZIP):
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            unpacked = file.read(archive.MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error):
        raise Problem(tr("{path} is damaged or incomplete; download it again.", path=path)) from None
    if len(unpacked) > archive.MAX_BYTES:
        raise Problem(
            tr("{path} unpacks to more than the limit of {limit:,} bytes.", path=path, limit=archive.MAX_BYTES)
        )
    return unpacked


def _interactions(files: Mapping[str, bytes], path: Path, named: Sequence[str]) -> Interactions:
    if not named and (interactions := other_datasets.read(files, path)):
        return interactions
    usable = [name for name, content in files.items() if len(files) == 1 or _is_usable(content, named)]
    if len(usable) != 1:
        several = tr("has {count} tables of ratings, {files}", count=len(usable), files=", ".join(usable[:4]))
        wrong = several if usable else tr("has no table of ratings")
        raise Problem(tr("{path} {wrong}; name the file that has the ratings.", path=path, wrong=wrong))
    interactions = table.read(files[usable[0]], usable[0], path, named)
    return replace(interactions, titles=table.titles_of(files) | interactions.titles)


def _is_usable(content: bytes, named: Sequence[str]) -> bool:
    """Return whether a file is a table whose header names a user and an item or has the columns in ``named``."""
    names = table.names_of(content)
    if not named:
        return column_names.by_header(names) is not None
    try:
        return bool(column_names.as_named(named, names, ""))
    except Problem:
        return False
