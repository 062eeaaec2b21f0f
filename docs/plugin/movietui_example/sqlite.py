"""A reader of SQLite databases with the tables ``ratings (user, movie, stars, time)`` and ``movies (movie, title)``.

All ids are whole numbers; ``time`` is in seconds since 1970.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from movietui.data.dataset import Scale
from movietui.data.movielens.raw_frames import users_of
from movietui.data.movielens.release import Raw
from movietui.data.problems import Problem
from movietui.data.progress import Report
from movietui.data.readers import Reader

MAGIC = b"SQLite format 3\x00"


def recognises(path: Path) -> bool:
    """Return whether a file is an SQLite database."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def read(path: Path, report: Report) -> Raw:
    """Read the ratings and the movies."""
    import pandas as pd  # imported here, so that a list of plug-ins does not load pandas

    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        try:
            ratings = pd.read_sql_query(
                "SELECT user AS user_id, movie AS movie_id, stars, time FROM ratings ORDER BY rowid", database
            )
            movies = pd.read_sql_query("SELECT movie AS movie_id, title FROM movies", database)
        except pd.errors.DatabaseError:
            raise Problem(f"{path} must have the tables ratings and movies; docs/plugin describes them.") from None
    movies = movies.assign(release_date="", genres="")
    return Raw(ratings, movies, users_of(ratings), (), Scale(0.5, 5.0, 0.5), ratings_file=path.name)


SQLITE = Reader(recognises, read)
