"""Reads a MovieLens release of any layout. Importing this module does not import pandas."""

import contextlib
from collections.abc import Callable, Container
from dataclasses import dataclass
from pathlib import Path

from movietui.data.fetch import archive
from movietui.data.fetch.archive import Files
from movietui.data.language import tr
from movietui.data.movielens import csv_layout, dat_layout, ml100k_layout
from movietui.data.movielens.release import Raw
from movietui.data.problems import Problem
from movietui.data.progress import Report, silent


@dataclass(frozen=True)
class Layout:
    """The files of a release, by which it is recognised."""

    files: tuple[str, ...]
    """Their names; the first one has the ratings."""
    read: Callable[[Files, Report], Raw]
    separator: str = ""
    """What separates the fields of a rating; empty if the ratings are not text. With a comma, the first line is a
    header."""

    @property
    def ratings(self) -> str:
        """The name of the file with the ratings."""
        return self.files[0]


LAYOUTS = (
    Layout(ml100k_layout.TEXT_FILES, ml100k_layout.read_text, "\t"),
    Layout(ml100k_layout.PARQUET_FILES, ml100k_layout.read_parquet),
    Layout(dat_layout.FILES, dat_layout.read, "::"),
    Layout(csv_layout.FILES, csv_layout.read, ","),
)
WANTED = tuple(name for layout in LAYOUTS for name in layout.files)
"""The names of all files that are read."""


def layout_of(names: Container[str], source: object) -> Layout | None:
    """Return the layout whose file with the ratings is among ``names``, or None.

    Raises ``Problem`` if there are two such layouts; ``source`` is the place that the message names.
    """
    present = [layout for layout in LAYOUTS if layout.ratings in names]
    if len(present) > 1:
        both = tr(" and ").join(layout.ratings for layout in present)
        raise Problem(
            tr("{path} contains {files}, which are two datasets; remove one of them.", path=source, files=both)
        )
    return present[0] if present else None


def is_release(path: Path) -> bool:
    """Return whether a path is a zip archive or folder with the files of a release. Raises ``Problem`` like ``read``.

    A ``ratings.csv`` without ``movies.csv`` is a table like any other.
    """
    path = path.expanduser()
    if path.is_file():
        with contextlib.suppress(OSError), path.open("rb") as file:
            if file.read(2) != b"PK":
                return False
    with archive.open_files(path, WANTED) as files:
        layout = layout_of(files.sizes, files.path)
        return layout is not None and (layout.read is not csv_layout.read or "movies.csv" in files)


def read(path: Path, report: Report = silent) -> Raw:
    """Read a zip archive or folder with the original files of any release, or the wheel with the tables of 100K.

    The file names identify the layout. Raises ``Problem`` if they identify no layout or two, if a file is missing or
    empty, or if a file has more than ten malformed lines and more than one in a thousand.
    """
    with archive.open_files(path, WANTED) as files:
        layout = layout_of(files.sizes, files.path)
        if layout is None:
            raise Problem(
                tr(
                    "{path} is not a MovieLens dataset: it has no u.data, ratings.dat or ratings.csv; {hint}.",
                    path=files.path,
                    hint=archive.DATASET_HINT,
                )
            )
        raw = layout.read(files, report)
    for table, name in ((raw.ratings, tr("ratings")), (raw.movies, tr("movies")), (raw.users, tr("users"))):
        if table.empty:
            raise Problem(tr("{path} has no {rows}; {hint}.", path=path, rows=name, hint=archive.DATASET_HINT))
    return raw
