"""Where IMDb's tables come from: a folder of the person's own, the downloads, or IMDb. They never leave the machine."""

from pathlib import Path

from data import downloads, locations
from data.problems import Problem
from data.progress import Report, silent

URL = "https://datasets.imdbws.com"
MOST_BYTES = 2**30
"""Of a table as it is downloaded; the largest has 0.3 GB."""
NEEDED = "title.basics"
FURTHER = {
    "title.ratings": "no ratings and votes are known, and votes could settle nothing",
    "title.crew": "no directors are known",
    "name.basics": "no names of directors are known",
}
"""Tables that may be missing, and what is missing then."""


def tables(folder: Path | None, report: Report = silent) -> dict[str, Path]:
    """Return the files of IMDb's tables by name: those in a folder, else those downloaded, now or before.

    Of a folder only ``NEEDED`` must be there; a download has all. Raises ``Problem`` with one sentence.
    """
    if folder is None:
        return {table: _downloaded(table, report) for table in (NEEDED, *FURTHER)}
    folder = folder.expanduser()
    if not folder.is_dir():
        raise Problem(f"There is no folder {folder}; name the one with {NEEDED}.tsv.gz in it.")
    found: dict[str, Path] = {}
    for table in (NEEDED, *FURTHER):
        for path in (folder / f"{table}.tsv.gz", folder / f"{table}.tsv"):
            if path.is_file():
                found.setdefault(table, path)
    if NEEDED not in found:
        raise Problem(f"{folder} has no file {NEEDED}.tsv.gz; download it from {URL} into that folder.")
    return found


def _downloaded(table: str, report: Report) -> Path:
    path = _folder() / f"{table}.tsv.gz"
    if path.is_file():
        return path
    try:
        downloads.download(f"{URL}/{path.name}", path, f"{table} from {URL.split('/')[2]}", report, size=MOST_BYTES)
    except downloads.Failed as failure:
        raise Problem(
            f"{path.name} could not be downloaded: {failure}; get it from {URL} elsewhere and name its folder with "
            "--from DIR."
        ) from None
    return path


def _folder() -> Path:
    return locations.downloads() / "imdb"


def downloaded() -> list[Path]:
    """Return the downloaded tables that lie on this disk, and what has come of others."""
    return [path for path in _folder().glob("*") if path.is_file()]


def spoiled(path: Path, wrong: str) -> Problem:
    """Return what is wrong with a table that is of no use; one that was downloaded goes, so that it is again."""
    if path.parent == _folder():
        path.unlink(missing_ok=True)
        return Problem(f"{path} {wrong}; it was removed, join again to download it again.")
    return Problem(f"{path} {wrong}; download it again.")
