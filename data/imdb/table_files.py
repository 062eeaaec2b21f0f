"""Finds IMDb's tables in a folder that the user names, or downloads them from IMDb. They never leave the machine."""

from pathlib import Path

from movietui.data.fetch import downloads
from movietui.data.problems import Problem
from movietui.data.progress import Report, silent
from movietui.data.storage import locations

URL = "https://datasets.imdbws.com"
MAX_BYTES = 2**30
"""The most bytes of a downloaded table; IMDb's largest has 0.3 GB."""
REQUIRED = "title.basics"
OPTIONAL = {
    "title.ratings": "ratings and votes are unknown, so votes cannot decide between titles",
    "title.crew": "directors are unknown",
    "name.basics": "directors' names are unknown",
}
"""The tables that may be missing, and what follows if they are."""


def tables(folder: Path | None, report: Report = silent) -> dict[str, Path]:
    """Return the files of IMDb's tables, by the name of the table.

    If a folder is given, only its files are used; it must contain ``REQUIRED`` and may lack the others. Otherwise the
    downloaded tables are used, and missing ones are downloaded. Raises ``Problem`` if the folder lacks ``REQUIRED``, or
    if a table cannot be downloaded.
    """
    if folder is None:
        return {table: _download(table, report) for table in (REQUIRED, *OPTIONAL)}
    folder = folder.expanduser()
    if not folder.is_dir():
        raise Problem(f"There is no folder {folder}; choose the one with {REQUIRED}.tsv.gz.")
    files: dict[str, Path] = {}
    for table in (REQUIRED, *OPTIONAL):
        for path in (folder / f"{table}.tsv.gz", folder / f"{table}.tsv"):
            if path.is_file():
                files.setdefault(table, path)
    if REQUIRED not in files:
        raise Problem(f"{folder} has no file {REQUIRED}.tsv.gz; download it from {URL} into that folder.")
    return files


def _download(table: str, report: Report) -> Path:
    path = _folder() / f"{table}.tsv.gz"
    if path.is_file():
        return path
    try:
        downloads.download(f"{URL}/{path.name}", path, f"{table} from {URL.split('/')[2]}", report, size=MAX_BYTES)
    except downloads.Failed as failure:
        raise Problem(
            f"{path.name} could not be downloaded: {failure}; download it from {URL} elsewhere and use --from FOLDER."
        ) from None
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
        return Problem(f"{path} {wrong}; it was removed; join again to download it.")
    return Problem(f"{path} {wrong}; download it again.")
