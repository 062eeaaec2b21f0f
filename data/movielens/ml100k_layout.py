"""MovieLens 100K: three text files, or the same tables as Parquet in a wheel.

``u.data`` has a rating on each line, tab separated: user, movie, stars, seconds since 1970. ``u.item`` has 24 fields
separated by ``|``: id, title, release date, video release date, address, then a flag for each genre. ``u.user`` has
id, age, gender, occupation and zip code. All are latin-1.
"""

import re
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from data.archive import Files
from data.movielens import GENRES, MISSING, WHOLE_STARS, Malformed, Raw
from data.problems import Problem
from data.progress import Meter, Report
from data.readers.columns import RATING, Field, columns_of
from data.readers.frames import MOVIE, USER, frame, numbers
from data.readers.lines import EMPTY, age, fields, new_id, quoted, rows_of, titled
from data.titles import plain

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

TEXT_FILES = ("u.data", "u.item", "u.user")
PARQUET_FILES = tuple(f"MovieLens100k_{table}.parquet.brotli" for table in ("data", "items", "users"))
PARQUET_ROWS = (100_000, 1682, 943)
PARQUET_BYTES = 2**25
"""Of a table, unpacked; the largest has 3 MB."""
ENCODING = "latin-1"

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY_MONTH_YEAR = re.compile(r"([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})")


def read_text(files: Files, report: Report) -> Raw:
    """Read the three text files."""
    meter = Meter(report, "Reading", files.size(*TEXT_FILES), "bytes")
    wrong: list[Malformed] = []
    ratings = numbers(columns_of(files, "u.data", RATING, "\t", wrong, meter))
    meter.on("u.item")
    movies = _movies(files, wrong)
    meter.on("u.user")
    users = _users(files, wrong)
    meter.add(files.size("u.item", "u.user"))
    meter.finish()
    return Raw(ratings, movies, users, GENRES, WHOLE_STARS, tuple(wrong), "u.data")


def _movies(files: Files, wrong: list[Malformed]) -> "pd.DataFrame":
    known: set[int] = set()

    def parse(line: str) -> tuple[int, str, str, str]:
        parts = fields(line.split("|"), 5 + len(GENRES))
        movie = new_id(parts[0], "movie", known)
        flags = [flag.strip() for flag in parts[5:]]
        if not set(flags) <= {"0", "1"}:
            raise ValueError("a genre is marked with something other than 0 and 1")
        genres = "|".join(genre for genre, flag in zip(GENRES, flags, strict=True) if flag == "1")
        row = (movie, titled(parts[1]), iso_date(parts[2]), genres)
        known.add(movie)
        return row

    return frame(rows_of(files, "u.item", ENCODING, parse, wrong), MOVIE)


def iso_date(text: str) -> str:
    """Return ``4-Feb-1971`` as ``1971-02-04``, and empty as empty. Raises ``ValueError`` for anything else."""
    # Not strptime: it takes the names of months from the locale.
    text = text.strip()
    if text in EMPTY:
        return ""
    match = _DAY_MONTH_YEAR.fullmatch(text)
    if match is None or match[2].lower() not in _MONTHS:
        raise ValueError(f"the date {quoted(text)} is not like 01-Jan-1995")
    try:
        return date(int(match[3]), _MONTHS.index(match[2].lower()) + 1, int(match[1])).isoformat()
    except ValueError:
        raise ValueError(f"there is no date {quoted(text)}") from None


def _users(files: Files, wrong: list[Malformed]) -> "pd.DataFrame":
    known: set[int] = set()

    def parse(line: str) -> tuple[int, int, str, str, str]:
        parts = fields(line.split("|"), 5)
        user = new_id(parts[0], "user", known)
        gender, occupation, zip_code = (plain(text).strip() for text in parts[2:])
        row = (user, age(parts[1]), gender, occupation, zip_code)
        known.add(user)
        return row

    return frame(rows_of(files, "u.user", ENCODING, parse, wrong), USER)


def read_parquet(files: Files, report: Report) -> Raw:
    """Read the three tables of the wheel: the same rows in the same order, with other names of columns."""
    meter = Meter(report, "Reading", files.size(*PARQUET_FILES), "bytes")
    tables = []
    for name, rows in zip(PARQUET_FILES, PARQUET_ROWS, strict=True):
        meter.on(name)
        tables.append(_parquet(files, name, rows))
        meter.add(files.size(name))
    meter.finish()
    data, items, people = tables
    try:
        ratings = numbers(
            {
                field.name: _filled(data.column(published), field)
                for field, published in zip(RATING, ("user_id", "movie_id", "rating", "timestamp"), strict=True)
            }
        )
        flags = np.column_stack([items.column(genre).to_numpy() for genre in GENRES]) == 1
        movies = zip(
            _ids(items.column("movie_id"), "movie"),
            [titled(title) for title in items.column("movie_title").to_pylist()],
            [iso_date(text or "") for text in items.column("release_date").to_pylist()],
            ["|".join(np.array(GENRES)[row]) for row in flags],
            strict=True,
        )
        users = zip(
            _ids(people.column("user_id"), "user"),
            [age(str(years)) for years in people.column("age").to_pylist()],
            *([plain(text) for text in people.column(name).to_pylist()] for name in list(USER)[2:]),
            strict=True,
        )
        return Raw(ratings, frame(list(movies), MOVIE), frame(list(users), USER), GENRES, WHOLE_STARS)
    except (KeyError, TypeError, ValueError):
        raise Problem(f"{files.path} does not carry the tables of MovieLens 100K as expected.") from None


def _parquet(files: Files, name: str, rows: int) -> "pa.Table":
    import pyarrow as pa
    from pyarrow import parquet

    try:
        # Not a Python file object: pyarrow's threads reading one can abort the interpreter when it exits.
        with parquet.ParquetFile(pa.BufferReader(files.read(name)), pre_buffer=False) as file:
            of = file.metadata
            unpacked = sum(of.row_group(group).total_byte_size for group in range(of.num_row_groups))
            if of.num_rows != rows or unpacked > PARQUET_BYTES:  # told before anything is unpacked
                raise Problem(
                    f"{name} in {files.path} is not that of MovieLens 100K: it has {of.num_rows:,} rows and unpacks to "
                    f"{unpacked:,} bytes."
                )
            return file.read(use_threads=False)
    except (pa.ArrowInvalid, OSError):
        raise Problem(f"{name} in {files.path} is damaged; download it again.") from None


def _filled(column: "pa.ChunkedArray", field: Field) -> np.ndarray:
    """Return a column as numpy array; nulls become ``MISSING`` in whole numbers and NaN in others.

    Raises ``ValueError`` where a number is out of range.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_integer(column.type):
        ends = pc.min_max(column).as_py()
        if (ends["min"] or 0) < 0 or (ends["max"] or 0) > field.last:
            raise ValueError(field.what)
        column = pc.fill_null(column, MISSING)
    values: np.ndarray = column.to_numpy().astype(field.kind)
    return values


def _ids(column: "pa.ChunkedArray", what: str) -> list[int]:
    """Return ids. Raises ``ValueError`` where one is there twice or is none."""
    known: dict[int, None] = {}
    for number in column.to_pylist():
        known[new_id(str(number), what, known)] = None
    return list(known)
