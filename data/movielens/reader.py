"""Reads a MovieLens release of any layout. Importing this module does not import pandas."""

from pathlib import Path

from movietui.data.fetch import archive
from movietui.data.movielens import csv_layout, dat_layout, ml100k_layout
from movietui.data.movielens.release import Raw
from movietui.data.problems import Problem
from movietui.data.progress import Report, silent


def read(path: Path, report: Report = silent) -> Raw:
    """Read a zip archive or folder with the original files of any release, or the wheel with the tables of 100K.

    The file names identify the layout. Raises ``Problem`` if they identify no layout or two, if a file is missing or
    empty, or if a file has more than ten malformed lines and more than one in a thousand.
    """
    layouts = {
        ml100k_layout.TEXT_FILES: ml100k_layout.read_text,
        ml100k_layout.PARQUET_FILES: ml100k_layout.read_parquet,
        dat_layout.FILES: dat_layout.read,
        csv_layout.FILES: csv_layout.read,
    }
    with archive.open_files(path, [name for names in layouts for name in names]) as files:
        # The first file of each layout has the ratings.
        present = [names for names in layouts if names[0] in files]
        if not present:
            raise Problem(
                f"{files.path} is not a MovieLens dataset: it has no u.data, ratings.dat or ratings.csv; "
                f"{archive.DATASET_HINT}."
            )
        if len(present) > 1:
            both = " and ".join(names[0] for names in present)
            raise Problem(f"{files.path} contains {both}, which are two datasets; remove one of them.")
        raw = layouts[present[0]](files, report)
    for table, name in ((raw.ratings, "ratings"), (raw.movies, "movies"), (raw.users, "users")):
        if table.empty:
            raise Problem(f"{path} has no {name}; {archive.DATASET_HINT}.")
    return raw
