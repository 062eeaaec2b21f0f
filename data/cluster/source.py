"""Recognises and reads the ratings that a cluster cleans: a MovieLens release, or a plain table.

Only the ratings are read by Spark. All other files of a release are small, and the driver reads them as on one machine.
"""

import contextlib
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from pyspark.sql import DataFrame, SparkSession, types
from pyspark.sql import functions as sf

from movietui.data.cluster.files import Entry, FileSystem
from movietui.data.cluster.lines import ROWS, parse
from movietui.data.dataset import Scale
from movietui.data.fetch import archive
from movietui.data.language import tr
from movietui.data.movielens import csv_layout, reader
from movietui.data.movielens.number_columns import RATING
from movietui.data.movielens.raw_frames import MOVIE, frame, genre_names, numbers
from movietui.data.movielens.release import GENRES_FROM_10M, HALF_STARS, MISSING, Raw
from movietui.data.movielens.text_lines import LAST_ID, quote
from movietui.data.problems import Problem
from movietui.data.progress import Report, Stage

RATINGS_PARQUET = "ratings.parquet"
"""May take the place of ``ratings.csv`` in a release: one file, or a folder of files."""
NAMES = {
    "user_id": ("user", "userid", "user_id"),
    "movie_id": ("movie", "movieid", "movie_id", "item", "itemid", "item_id"),
    "stars": ("rating", "stars"),
    "time": ("time", "timestamp"),
}
"""The names that the columns of a plain table may have, in any case."""
HINT = tr(
    "give the folder or zip of a MovieLens release, or CSV or Parquet with the columns user, movie, rating and time"
)
_ORDER = tuple(field.name for field in RATING)
_HEAD = 2**16
"""The bytes of a file in which its first line must end."""


@dataclass(frozen=True, eq=False)
class Source:
    """Ratings to clean on a cluster, and what is known about their users and movies."""

    raw: Raw
    """The release without its ratings; for a plain table, without movies too."""
    rows: DataFrame
    """The ratings, with the columns ``movietui.data.cluster.lines.ROWS``."""
    describes_users: bool
    """Whether ``raw.users`` has the users; otherwise, the users are those who rated."""
    describes_movies: bool
    """Whether ``raw.movies`` has the movies; otherwise, the movies are those that were rated."""


@contextlib.contextmanager
def opened(spark: SparkSession, uri: str, staging: str, scale: Scale | None, report: Report) -> Iterator[Source]:
    """Yield the release or plain table at a URI.

    ``staging`` is the URI of a folder where the ratings of a zip may be unpacked. ``scale`` is the scale of a plain
    table; ``HALF_STARS`` if None. Raises ``Problem`` if there is nothing usable at the URI.
    """
    files = FileSystem(spark)
    entry = files.entry(uri)
    if entry is None:
        raise Problem(tr("There is nothing at {uri}; {hint}.", uri=uri, hint=HINT))
    with tempfile.TemporaryDirectory(prefix="movietui-") as temporary:
        folder = Path(temporary)
        if not entry.is_folder and entry.name.lower().endswith((".zip", ".whl")):
            yield _unpacked(spark, files, uri, staging, folder, scale, report)
            return
        names = {each.name: each for each in files.entries(uri)} if entry.is_folder else {}
        layout = reader.layout_of(names, uri)
        if layout is None and RATINGS_PARQUET in names and "movies.csv" in names:
            layout = next(each for each in reader.LAYOUTS if each.ratings == "ratings.csv")
            names["ratings.csv"] = names[RATINGS_PARQUET]
        if layout is None:
            yield _plain(spark, files, uri, entry, scale or HALF_STARS)
            return
        if scale is not None:
            raise Problem(tr("{uri} is a MovieLens release, whose scale is known; leave out --scale.", uri=uri))
        for name in layout.files[1:]:
            if name in names:
                report(Stage(tr("Reading"), note=name))
                files.fetch(f"{uri}/{name}", folder / name)
        ratings_uri = f"{uri}/{names[layout.ratings].name}"
        if layout.separator == "," and ratings_uri.endswith(".csv"):
            (folder / layout.ratings).write_bytes(files.head(ratings_uri, _HEAD).partition(b"\n")[0] + b"\n")
        yield _release(spark, layout, ratings_uri, folder, report)


def _unpacked(
    spark: SparkSession, files: FileSystem, uri: str, staging: str, folder: Path, scale: Scale | None, report: Report
) -> Source:
    """Return what is in a zip. The driver unpacks it, and copies the ratings to ``staging``, where Spark reads them."""
    if scale is not None:
        raise Problem(tr("{uri} is a MovieLens release, whose scale is known; leave out --scale.", uri=uri))
    packed, unpacked = folder / "archive.zip", folder / "unpacked"
    files.fetch(uri, packed)
    unpacked.mkdir()
    with archive.open_files(packed, reader.WANTED) as inside:
        layout = reader.layout_of(inside.sizes, uri)
        if layout is None:
            raise Problem(tr("{uri} is not a MovieLens dataset; {hint}.", uri=uri, hint=archive.DATASET_HINT))
        if not layout.separator:
            return _in_wheel(spark, files, layout.read(inside, report), f"{staging}/{RATINGS_PARQUET}", folder)
        for name in inside.sizes:
            report(Stage(tr("Unpacking"), note=name))
            with (unpacked / name).open("wb") as file:
                file.writelines(inside.blocks(name))
    ratings_uri = f"{staging}/{layout.ratings}"
    files.send(unpacked / layout.ratings, ratings_uri)
    with (unpacked / layout.ratings).open("r+b") as file:
        file.truncate(len(file.readline(_HEAD)) if layout.separator == "," else 0)
    return _release(spark, layout, ratings_uri, unpacked, report)


def _in_wheel(spark: SparkSession, files: FileSystem, raw: Raw, ratings_uri: str, folder: Path) -> Source:
    """Return the 100,000 ratings in a wheel, whose unusual compression Spark may not know."""
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table({field.name: raw.ratings[field.name].to_numpy() for field in RATING})
    parquet.write_table(table, folder / RATINGS_PARQUET)
    files.send(folder / RATINGS_PARQUET, ratings_uri)
    return Source(_without_ratings(raw), _from_parquet(spark, ratings_uri), True, True)


def _release(spark: SparkSession, layout: reader.Layout, ratings_uri: str, folder: Path, report: Report) -> Source:
    """Return a release whose ratings are at ``ratings_uri``, and whose other files are in ``folder``."""
    head = folder / layout.ratings
    if not head.exists():
        head.write_bytes(csv_layout.HEADERS[layout.ratings].encode() + b"\n" if layout.separator == "," else b"")
    with archive.open_files(folder, reader.WANTED) as files:
        raw = layout.read(files, report)
    if raw.movies.empty:
        raise Problem(tr("{uri} has no movies beside it; {hint}.", uri=ratings_uri, hint=archive.DATASET_HINT))
    if ratings_uri.endswith(RATINGS_PARQUET):
        rows = _from_parquet(spark, ratings_uri)
    else:
        rows = _from_text(
            spark, ratings_uri, _ORDER, layout.separator, _without_first if layout.separator == "," else None
        )
    return Source(_without_ratings(raw), rows, not raw.users.empty, True)


def _without_ratings(raw: Raw) -> Raw:
    return replace(raw, ratings=numbers({field.name: np.empty(0, field.kind) for field in RATING}))


def _from_text(
    spark: SparkSession,
    ratings_uri: str,
    order: Sequence[str],
    separator: str,
    without_header: Callable[[DataFrame], DataFrame] | None = None,
) -> DataFrame:
    """Return the ``ROWS`` of text files; ``order`` has the names of the fields in a line."""
    lines = _positioned(spark.read.text(ratings_uri)).select("value", "file", "row")
    if without_header:
        lines = without_header(lines)
    lines = lines.where(~sf.col("value").rlike(r"^\s*$")).withColumn("value", sf.col("value").cast("binary"))
    return lines.mapInArrow(partial(parse, order=order, separator=separator), ROWS)


def _positioned(table: DataFrame) -> DataFrame:
    """Add the columns ``file`` and ``row`` to a table just read; ``row`` gives the order of the rows in a file."""
    # Spark cuts a file into partitions in the file's order, and numbers the rows in the order of the partitions.
    return table.withColumn("file", sf.xxhash64("_metadata.file_name")).withColumn(
        "row", sf.monotonically_increasing_id()
    )


def _without_first(lines: DataFrame) -> DataFrame:
    """Return the lines of a single file without the first one."""
    return lines.where(lines["row"] != 0)


def _plain(spark: SparkSession, files: FileSystem, uri: str, entry: Entry, scale: Scale) -> Source:
    """Return a table of user, movie, rating and time: one file, or a folder of files."""
    parts = files.entries(uri) if entry.is_folder else [entry]
    names = [each.name.lower() for each in parts if not each.name.startswith(("_", "."))]
    if any(name.endswith(".parquet") or "=" in name for name in names):
        rows = _from_parquet(spark, uri)
    elif any(name.endswith((".csv", ".csv.gz", ".tsv", ".txt")) for name in names):
        rows = _from_csv(spark, uri)
    else:
        raise Problem(tr("{uri} is neither a MovieLens release nor a table of ratings; {hint}.", uri=uri, hint=HINT))
    nothing = frame([], MOVIE)
    users = numbers({"user_id": np.empty(0, np.int32)})
    genres = genre_names(GENRES_FROM_10M, nothing["genres"])
    raw = Raw(numbers({field.name: np.empty(0, field.kind) for field in RATING}), nothing, users, genres, scale)
    return Source(replace(raw, ratings_file=entry.name), rows, False, False)


def _from_csv(spark: SparkSession, uri: str) -> DataFrame:
    first = spark.read.text(uri).where(~sf.col("value").rlike(r"^\s*$")).head()
    if first is None:
        raise Problem(tr("{uri} is empty; {hint}.", uri=uri, hint=HINT))
    header = str(first[0])
    separator = "\t" if "\t" in header else ","
    fields = [field.strip().strip('"') for field in header.removeprefix("\ufeff").split(separator)]
    order = [_column_named(field) for field in fields]
    if sorted(map(str, order)) == sorted(_ORDER):
        return _from_text(
            spark, uri, [str(name) for name in order], separator, lambda lines: lines.where(lines["value"] != header)
        )
    if len(fields) == len(_ORDER) and all(re.fullmatch(r"-?[0-9.]*", field) for field in fields):
        return _from_text(spark, uri, _ORDER, separator)
    raise Problem(
        tr(
            "The first line of {uri} is {header}, not user,movie,rating,time in any order; {hint}.",
            uri=uri,
            header=quote(header),
            hint=HINT,
        )
    )


def _column_named(name: str) -> str | None:
    return next((column for column, names in NAMES.items() if name.lower() in names), None)


def _from_parquet(spark: SparkSession, ratings_uri: str) -> DataFrame:
    """Return the ``ROWS`` of Parquet files, whose columns are found by name.

    Raises ``Problem`` unless ids are integers, times integers or timestamps, and stars numbers.
    """
    table = spark.read.parquet(ratings_uri)
    fields = {_column_named(field.name): field for field in table.schema.fields}
    missing = [column for column in _ORDER if column not in fields]
    if missing:
        lacking = ", ".join(NAMES[column][0] for column in missing)
        raise Problem(tr("{uri} has no column {columns}; {hint}.", uri=ratings_uri, columns=lacking, hint=HINT))
    columns, faults = {}, []
    for field in RATING:
        column, kind = sf.col(f"`{fields[field.name].name}`"), fields[field.name].dataType
        if field.name == "time" and isinstance(kind, types.TimestampType):
            column, kind = sf.unix_seconds(column), types.LongType()
        if not isinstance(kind, types.IntegralType if field.name != "stars" else types.NumericType):
            raise Problem(
                tr(
                    "The column {column} of {uri} is of the type {kind}; make it {wanted}.",
                    column=fields[field.name].name,
                    uri=ratings_uri,
                    kind=kind.simpleString(),
                    wanted=tr("a number") if field.name == "stars" else tr("a whole number"),
                )
            )
        if field.name == "stars":
            columns[field.name] = sf.coalesce(column.cast("float"), sf.lit(float("nan")).cast("float"))
            faults.append(sf.when(sf.abs(columns[field.name]) == float("inf"), "the stars are not a number"))
        else:
            fault = f"the {field.label} is not a whole number in range"
            faults.append(sf.when((column < 0) | (column > field.last), fault))
            valid = sf.when((column >= 0) & (column <= field.last), column)
            columns[field.name] = sf.coalesce(valid, sf.lit(MISSING)).cast("int" if field.last == LAST_ID else "long")
    return _positioned(
        table.select(
            *(column.alias(name) for name, column in columns.items()), sf.coalesce(*faults).alias("reason"), "_metadata"
        )
    ).select(*_ORDER, "file", "row", "reason")
