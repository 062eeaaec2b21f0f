"""MovieLens 100K: three text files, or the same tables as Parquet in a wheel.

``u.data`` has one rating per line, with fields separated by tabs: user, movie, stars and seconds since 1970.
``u.item`` has 24 fields separated by ``|``: id, title, release date, video release date, URL, and a flag for each
genre. ``u.user`` has id, age, gender, occupation and zip code, also separated by ``|``. All files are in latin-1.
"""

import re
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from movietui.data.fetch.archive import Files
from movietui.data.language import tr
from movietui.data.movielens.number_columns import RATING, Field, columns_of
from movietui.data.movielens.raw_frames import MOVIE, USER, frame, numbers
from movietui.data.movielens.release import GENRES_100K, MISSING, WHOLE_STARS, Malformed, Raw
from movietui.data.movielens.text_lines import (
    EMPTY,
    expect_fields,
    parse_age,
    parse_new_id,
    parse_title,
    quote,
    rows_of,
)
from movietui.data.problems import Problem
from movietui.data.progress import Meter, Report
from movietui.data.safe_text import strip_controls

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

TEXT_FILES = ("u.data", "u.item", "u.user")
PARQUET_FILES = tuple(f"MovieLens100k_{table}.parquet.brotli" for table in ("data", "items", "users"))
PARQUET_ROWS = (100_000, 1682, 943)
PARQUET_BYTES = 2**25
"""The maximum unpacked size of a table, in bytes; the largest has 3 MB."""
ENCODING = "latin-1"

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY_MONTH_YEAR = re.compile(r"([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})")


def read_text(files: Files, report: Report) -> Raw:
    """Read the three text files. Raises ``Problem``."""
    meter = Meter(report, tr("Reading"), files.size(*TEXT_FILES), "bytes")
    malformed: list[Malformed] = []
    ratings = numbers(columns_of(files, "u.data", RATING, "\t", malformed, meter))
    meter.set_note("u.item")
    movies = _movies(files, malformed)
    meter.set_note("u.user")
    users = _users(files, malformed)
    meter.add(files.size("u.item", "u.user"))
    meter.finish()
    return Raw(ratings, movies, users, GENRES_100K, WHOLE_STARS, tuple(malformed), "u.data")


def _movies(files: Files, malformed: list[Malformed]) -> "pd.DataFrame":
    known: set[int] = set()

    def parse(line: str) -> tuple[int, str, str, str]:
        parts = expect_fields(line.split("|"), 5 + len(GENRES_100K))
        movie = parse_new_id(parts[0], "movie", known)
        flags = [flag.strip() for flag in parts[5:]]
        if not set(flags) <= {"0", "1"}:
            raise ValueError("a genre is marked with something other than 0 or 1")
        genres = "|".join(genre for genre, flag in zip(GENRES_100K, flags, strict=True) if flag == "1")
        row = (movie, parse_title(parts[1]), iso_date(parts[2]), genres)
        known.add(movie)
        return row

    return frame(rows_of(files, "u.item", ENCODING, parse, malformed), MOVIE)


def iso_date(text: str) -> str:
    """Return a date such as ``4-Feb-1971`` as ``1971-02-04``, and an empty field as an empty string.

    Raises ``ValueError`` for anything else.
    """
    # strptime cannot be used: it expects the names of the months in the language of the locale.
    text = text.strip()
    if text in EMPTY:
        return ""
    match = _DAY_MONTH_YEAR.fullmatch(text)
    if match is None or match[2].lower() not in _MONTHS:
        raise ValueError(f"the date {quote(text)} is not like 01-Jan-1995")
    try:
        return date(int(match[3]), _MONTHS.index(match[2].lower()) + 1, int(match[1])).isoformat()
    except ValueError:
        raise ValueError(f"there is no date {quote(text)}") from None


def _users(files: Files, malformed: list[Malformed]) -> "pd.DataFrame":
    known: set[int] = set()

    def parse(line: str) -> tuple[int, int, str, str, str]:
        parts = expect_fields(line.split("|"), 5)
        user = parse_new_id(parts[0], "user", known)
        gender, occupation, zip_code = (strip_controls(text).strip() for text in parts[2:])
        row = (user, parse_age(parts[1]), gender, occupation, zip_code)
        known.add(user)
        return row

    return frame(rows_of(files, "u.user", ENCODING, parse, malformed), USER)


def read_parquet(files: Files, report: Report) -> Raw:
    """Read the three tables in the wheel, which have the rows of the text files, in order. Raises ``Problem``."""
    meter = Meter(report, tr("Reading"), files.size(*PARQUET_FILES), "bytes")
    tables = []
    for name, rows in zip(PARQUET_FILES, PARQUET_ROWS, strict=True):
        meter.set_note(name)
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
        flags = np.column_stack([items.column(genre).to_numpy() for genre in GENRES_100K]) == 1
        movies = zip(
            _ids(items.column("movie_id"), "movie"),
            [parse_title(title) for title in items.column("movie_title").to_pylist()],
            [iso_date(text or "") for text in items.column("release_date").to_pylist()],
            ["|".join(np.array(GENRES_100K)[row]) for row in flags],
            strict=True,
        )
        users = zip(
            _ids(people.column("user_id"), "user"),
            [parse_age(str(years)) for years in people.column("age").to_pylist()],
            *([strip_controls(text) for text in people.column(name).to_pylist()] for name in list(USER)[2:]),
            strict=True,
        )
        return Raw(ratings, frame(list(movies), MOVIE), frame(list(users), USER), GENRES_100K, WHOLE_STARS)
    except (KeyError, TypeError, ValueError):
        raise Problem(
            tr("{path} does not contain the expected tables of MovieLens 100K; download it again.", path=files.path)
        ) from None


def _parquet(files: Files, name: str, rows: int) -> "pa.Table":
    import pyarrow as pa
    from pyarrow import parquet

    try:
        # A buffer, because pyarrow's threads can abort the interpreter at exit when they read a Python file object.
        with parquet.ParquetFile(pa.BufferReader(files.read(name)), pre_buffer=False) as file:
            metadata = file.metadata
            unpacked = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
            if metadata.num_rows != rows or unpacked > PARQUET_BYTES:  # before anything is unpacked
                raise Problem(
                    tr(
                        "{file} in {path} is not the MovieLens 100K file: it has {rows:,} rows and unpacks to {size:,} "
                        "bytes; download it again.",
                        file=name,
                        path=files.path,
                        rows=metadata.num_rows,
                        size=unpacked,
                    )
                )
            return file.read(use_threads=False)
    except (pa.ArrowInvalid, OSError):
        raise Problem(tr("{file} in {path} is damaged; download it again.", file=name, path=files.path)) from None


def _filled(column: "pa.ChunkedArray", field: Field) -> np.ndarray:
    """Return a column as a numpy array; nulls become ``MISSING`` in integers and NaN in floats.

    Raises ``ValueError`` if an integer is out of range.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_integer(column.type):
        ends = pc.min_max(column).as_py()
        if (ends["min"] or 0) < 0 or (ends["max"] or 0) > field.last:
            raise ValueError(field.label)
        column = pc.fill_null(column, MISSING)
    values: np.ndarray = column.to_numpy().astype(field.kind)
    return values


def _ids(column: "pa.ChunkedArray", what: str) -> list[int]:
    """Return a column of ids as a list. Raises ``ValueError`` if an id is invalid or occurs twice."""
    known: dict[int, None] = {}
    for number in column.to_pylist():
        known[parse_new_id(str(number), what, known)] = None
    return list(known)
