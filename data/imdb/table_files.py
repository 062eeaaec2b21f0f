"""Finds IMDb's tables in a folder that the user names, or downloads these tables from IMDb."""

from dataclasses import dataclass
from pathlib import Path

from movietui.data.fetch import downloads
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.progress import Report, silent
from movietui.data.safe_text import strip_controls
from movietui.data.storage import locations

URL = "https://datasets.imdbws.com"
MAX_BYTES = 2**31
"""The maximum size of a downloaded table, in bytes; IMDb's largest has 0.7 GB."""
REQUIRED = "title.basics"
OPTIONAL = {
    "title.ratings": tr("ratings and votes are unknown, so votes cannot decide between titles"),
    "title.crew": tr("directors are unknown"),
    "name.basics": tr("the names of directors and actors are unknown"),
    "title.principals": tr("actors are unknown"),
    "title.akas": tr("original languages and countries are unknown"),
}
"""The tables that may be missing, and what follows if they are."""
LARGE = frozenset({"title.principals", "title.akas"})
"""If one of these tables cannot be downloaded, the join is made without it."""


@dataclass(frozen=True)
class TableFiles:
    """The tables that can be read."""

    files: dict[str, Path]
    """By the name of the table."""
    notes: tuple[str, ...] = ()
    """For each table that is missing, a sentence that says what follows."""


def tables(folder: Path | None, report: Report = silent) -> TableFiles:
    """Return the files of IMDb's tables.

    If a folder is given, only its files are used; it must contain ``REQUIRED`` and may lack the others. Otherwise the
    downloaded tables are used, and missing ones are downloaded. Raises ``Problem`` if the folder lacks ``REQUIRED``, or
    if a table that is not one of ``LARGE`` cannot be downloaded.
    """
    if folder is None:
        return _downloads(report)
    folder = folder.expanduser()
    if not folder.is_dir():
        raise Problem(
            tr("There is no folder {folder}; choose the one with {table}.tsv.gz.", folder=folder, table=REQUIRED)
        )
    files: dict[str, Path] = {}
    for table in (REQUIRED, *OPTIONAL):
        for path in (folder / f"{table}.tsv.gz", folder / f"{table}.tsv"):
            if path.is_file():
                files.setdefault(table, path)
    if REQUIRED not in files:
        raise Problem(
            tr(
                "{folder} has no file {table}.tsv.gz; download it from {url} into that folder.",
                folder=folder,
                table=REQUIRED,
                url=URL,
            )
        )
    where = strip_controls(str(folder))
    notes = (
        tr("{table}.tsv.gz is not in {folder}: {lost}.", table=table, folder=where, lost=lost)
        for table, lost in OPTIONAL.items()
        if table not in files
    )
    return TableFiles(files, tuple(notes))


def _downloads(report: Report) -> TableFiles:
    files, notes = {}, []
    for table in (REQUIRED, *OPTIONAL):
        try:
            files[table] = _download(table, report)
        except downloads.Failed as failure:
            failed = tr("{table}.tsv.gz could not be downloaded: {reason}", table=table, reason=failure)
            if table not in LARGE:
                raise Problem(
                    tr("{failed}; download it from {url} elsewhere and use --from FOLDER.", failed=failed, url=URL)
                ) from None
            notes.append(f"{failed}; {OPTIONAL[table]}.")
    return TableFiles(files, tuple(notes))


def _download(table: str, report: Report) -> Path:
    """Return the file of a table, which is downloaded if it is missing. Raises ``downloads.Failed``."""
    path = _folder() / f"{table}.tsv.gz"
    if not path.is_file():
        note = tr("{table} from {host}", table=table, host=URL.split("/")[2])
        downloads.download(f"{URL}/{path.name}", path, note, report, size=MAX_BYTES)
    return path


def _folder() -> Path:
    return locations.downloads() / "imdb"


def downloaded() -> list[Path]:
    """Return the files of all downloaded tables, complete or partial."""
    return [path for path in _folder().glob("*") if path.is_file()]


def damaged_table(path: Path, wrong: str) -> Problem:
    """Return the ``Problem`` to raise for an unusable table; ``wrong`` says what is wrong with it.

    A downloaded table is removed, so that the next join downloads it again.
    """
    if path.parent == _folder():
        path.unlink(missing_ok=True)
        return Problem(tr("{path} {wrong}; it was removed; join again to download it.", path=path, wrong=wrong))
    return Problem(tr("{path} {wrong}; download it again.", path=path, wrong=wrong))
