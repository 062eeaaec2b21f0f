"""Cleans any number of ratings with Spark, and writes them as Parquet.

The output folder has a ``manifest.json``, which names the folder with the tables and is written last: what an
interrupted run leaves behind is never taken for a dataset. All ratings of a user are in the folder ``part=N`` of the
ratings, where N is the user's ``part`` in the table of users.
"""

import contextlib
import hashlib
import json
import platform
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyspark
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf

from movietui import __version__
from movietui.data.cleaning import encoding
from movietui.data.cleaning.cleaner import VERSION, Cleaning, CleaningReport, check_any_left, parse, result_of
from movietui.data.cleaning.rules import EXAMPLES, RULES
from movietui.data.cleaning.working_tables import published_of, rows_of
from movietui.data.cluster import source as sources
from movietui.data.cluster.dataset import MANIFEST, RATINGS, UNFINISHED, ClusterDataset
from movietui.data.cluster.files import FileSystem
from movietui.data.cluster.rules import SORTED, ClusterTables, apply
from movietui.data.dataset import Ints, Movies, Ratings, Scale, Users
from movietui.data.language import tr
from movietui.data.movielens.raw_frames import MOVIE, frame
from movietui.data.movielens.release import MISSING, Malformed
from movietui.data.movielens.text_lines import LINES_PER_MALFORMED, MIN_MALFORMED
from movietui.data.problems import Problem
from movietui.data.progress import CLEANING, Report, Stage, silent
from movietui.data.storage import cache, locations, parquet, remote

STANDARD = "standard"
PLAIN = "standard -no-genre"
"""The default cleaning of a plain table, whose movies have no genres."""
PART = 4_000_000
"""The approximate limit on the ratings in a partition during cleaning, and in a part of the result."""
SMALL_PART = 100_000
"""Fewer ratings than this are not worth a partition of their own."""
TABLES, STAGING = "tables-", "staging-"
"""The prefixes of the folders in the output: those with the result, and those with intermediate files."""
_FORMAT = 1
_PLACE_BITS = 33
"""Spark's ``monotonically_increasing_id`` numbers the rows of each partition in this many bits."""


def clean(
    spark: SparkSession,
    name: str,
    uri: str,
    output: str,
    cleaning: str | None = None,
    scale: Scale | None = None,
    report: Report = silent,
) -> ClusterDataset:
    """Clean the ratings at a URI and write them to the folder ``output``; store the movies and the report here.

    ``cleaning`` names the rules, see ``movietui.data.cleaning.cleaner.parse``; by default ``STANDARD``, or ``PLAIN``
    for a plain table. ``scale`` is the scale of a plain table. Raises ``Problem``, or the errors that
    ``explain_errors`` explains.
    """
    locations.dataset(name)
    if name in ("demo", "imdb"):
        raise Problem(tr("The name {name} is reserved; choose another name.", name=name))
    if cleaning is not None:
        parse(cleaning)
    files = FileSystem(spark)
    uri, output = files.absolute(uri), files.absolute(output)
    if f"{uri}/".startswith(f"{output}/"):
        raise Problem(
            tr(
                "{uri} is in {output}, which will be replaced; choose another folder for the output.",
                uri=uri,
                output=output,
            )
        )
    _check_free(files, output)
    token = uuid.uuid4().hex[:12]
    folder, staging = f"{TABLES}{token}", f"{output}/{STAGING}{token}"
    with _removed(files, staging), files.removed_if_failed(f"{output}/{folder}"):
        report(Stage(tr("Reading"), note=uri))
        with opened_tables(spark, uri, staging, scale, report) as (every, tables, default):
            rules = parse(cleaning or default)
            tables, results = apply_rules(name, tables, rules, report)
            report(Stage(tr("Storing"), note=output))
            dataset = _write(spark, name, every, tables, results, staging, output, folder)
        facts = {
            "format": _FORMAT,
            "cleaning_version": VERSION,
            "dataset": name,
            "source": uri,
            "folder": folder,
            "fingerprint": dataset.fingerprint,
            "preset": str(rules),
            "rules": [[rule, number] for rule, number in rules.numbers],
            "scale": [dataset.scale.low, dataset.scale.high, dataset.scale.step],
            "report": results.to_json(),
            "versions": {
                "movietui": __version__,
                "pyspark": pyspark.__version__,
                "python": platform.python_version(),
            },
        }
        files.write(f"{output}/{MANIFEST}", parquet.sealed_json(facts))
    _sweep(files, output, folder)
    remote.save(dataset, {"source": uri, "versions": facts["versions"]})
    report(Stage(tr("Storing"), 1, 1, finished=True))
    return dataset


def _check_free(files: FileSystem, output: str) -> None:
    """Raise ``Problem`` unless the output is missing, an empty folder, or a folder that an earlier run wrote."""
    entry = files.entry(output)
    if entry is None:
        return
    if not entry.is_folder:
        raise Problem(tr("{output} is a file; choose a folder for the output.", output=output))
    foreign = [
        each.name for each in files.entries(output) if not each.name.startswith((TABLES, STAGING, MANIFEST, "_", "."))
    ]
    if foreign:
        raise Problem(
            tr(
                "{output} already has {file} in it; choose an empty folder for the output.",
                output=output,
                file=foreign[0],
            )
        )


@contextlib.contextmanager
def _removed(files: FileSystem, uri: str) -> Iterator[None]:
    try:
        yield
    finally:
        files.remove(uri)


def _sweep(files: FileSystem, output: str, folder: str) -> None:
    """Remove earlier tables, and what interrupted runs have left."""
    for entry in files.entries(output):
        if entry.name != folder and entry.name.startswith((TABLES, STAGING, UNFINISHED)):
            files.remove(f"{output}/{entry.name}")


# From rows to tables


@contextlib.contextmanager
def opened_tables(
    spark: SparkSession, uri: str, staging: str, scale: Scale | None = None, report: Report = silent
) -> Iterator[tuple[DataFrame, ClusterTables, str]]:
    """Yield all ratings (the columns ``SORTED`` and stars), the tables before any rule, and the default cleaning.

    The ratings are written to the folder ``staging``, and stay with the executors until the block ends. Raises
    ``Problem`` if nothing usable is at the URI.
    """
    with sources.opened(spark, uri, staging, scale, report) as source:
        source.rows.write.parquet(f"{staging}/rows")
    table = spark.read.parquet(f"{staging}/rows")
    malformed = _malformed(table.where("reason is not null"), source.raw.ratings_file)
    table = table.where("reason is null")
    ratings_of = {row["movie_id"]: row["count"] for row in table.groupBy("movie_id").count().collect()}
    total = sum(ratings_of.values())
    lines = total + malformed[0]
    limit = max(MIN_MALFORMED, lines // LINES_PER_MALFORMED)
    if malformed[0] > limit:
        raise Problem(
            tr(
                "{uri} is not in a known format: more than {limit:,} of {lines:,} lines are wrong; for example: "
                "{reason}.",
                uri=uri,
                limit=limit,
                lines=lines,
                reason=malformed[1][0].reason,
            )
        )
    if not total:
        raise Problem(tr("{uri} has no ratings; {hint}.", uri=uri, hint=sources.HINT))
    occurring = np.array(sorted(ratings_of), np.int64)
    raw = replace(source.raw, malformed=(*malformed[1], *source.raw.malformed))
    if not source.describes_movies:
        ids = occurring[occurring != MISSING].tolist()
        raw = replace(raw, movies=frame([(movie, f"Movie {movie}", "", "") for movie in ids], MOVIE))
    movie, movie_ids = rows_of(occurring, raw.movies["movie_id"].to_numpy())
    nothing = np.empty(0, np.int32)
    published = published_of(raw, raw.users["user_id"].to_numpy(np.int64), movie_ids, nothing, nothing)
    partitions = -(-total // PART)
    partitions = max(partitions, min(spark.sparkContext.defaultParallelism, total // SMALL_PART), 1)
    every = (
        table.join(sf.broadcast(_frame(spark, movie_id=occurring.astype(np.int32), movie=movie)), "movie_id")
        .select(*SORTED, "stars")
        .repartition(partitions, "user_id")
        .sortWithinPartitions(*SORTED)
        .persist()
    )
    try:
        known, unknown_users = None, 0
        users = every.where(sf.col("user_id") != MISSING).select("user_id").distinct()
        if source.describes_users:
            known = _frame(spark, user_id=published.user_ids.astype(np.int32))
            unknown_users = users.join(sf.broadcast(known), "user_id", "left_anti").count()
        counts = np.zeros(len(movie_ids), np.int64)
        counts[movie] = [ratings_of[each] for each in occurring.tolist()]
        yield (
            every,
            ClusterTables(
                published,
                every,
                counts,
                dropped=np.zeros(len(movie_ids), bool),
                users=np.ones(len(published.user_ids), bool),
                movies=movie_ids != MISSING,
                known_users=known,
                unknown_users=unknown_users,
                total_users=len(published.user_ids) + unknown_users if source.describes_users else users.count(),
                malformed_ratings=malformed[0],
            ),
            STANDARD if source.describes_movies else PLAIN,
        )
    finally:
        every.unpersist()


def _malformed(rows: DataFrame, file: str) -> tuple[int, list[Malformed]]:
    """Return how many rows are malformed, and the first of them."""
    first = rows.orderBy("file", "row").limit(EXAMPLES).collect()
    # Rows are numbered anew in each partition, so a row number gives the line only in the first one.
    lines = [row["row"] + 1 if row["row"] < 1 << _PLACE_BITS else 0 for row in first]
    return rows.count(), [Malformed(file, line, row["reason"]) for line, row in zip(lines, first, strict=True)]


def _frame(spark: SparkSession, **columns: Ints) -> DataFrame:
    import pyarrow as pa

    return spark.createDataFrame(pa.table(columns))


def apply_rules(
    name: str, tables: ClusterTables, cleaning: Cleaning, report: Report = silent
) -> tuple[ClusterTables, CleaningReport]:
    """Return the tables after applying the rules in order, and the report. Raises ``Problem`` if no rating remains."""
    numbers, results = dict(cleaning.numbers), []
    for done, rule in enumerate(RULES):
        number = numbers.get(rule.id, rule.number)
        report(Stage(CLEANING, done, len(RULES), tr("rules"), rule.title.format(number)))
        outcome = apply(rule, tables, number)
        results.append(replace(result_of(rule, number, tables, outcome), on=rule.id in numbers))
        tables = outcome.after if rule.id in numbers else tables
    report(Stage(CLEANING, len(RULES), len(RULES), tr("rules"), finished=True))
    movies = int(np.count_nonzero(tables.remaining_movies))
    users = tables.total_users
    if tables.unknown_users and not tables.rated_only:  # unknown users remain only if they have ratings
        users = int(np.count_nonzero(tables.users)) + _unknown(tables).count()
    result = CleaningReport(name, str(cleaning), tuple(results), tables.ratings, users, movies)
    check_any_left(result)
    return tables, result


def _unknown(tables: ClusterTables) -> DataFrame:
    """Return the ids of the users who have remaining ratings, but are not described."""
    assert tables.known_users is not None
    return tables.remaining.select("user_id").distinct().join(sf.broadcast(tables.known_users), "user_id", "left_anti")


# From tables to files


def _write(
    spark: SparkSession,
    name: str,
    every: DataFrame,
    tables: ClusterTables,
    report: CleaningReport,
    staging: str,
    output: str,
    folder: str,
) -> ClusterDataset:
    """Write ratings and users, and return the dataset. Raises ``Problem`` if reading them back gives other counts."""
    parts = every.rdd.getNumPartitions()
    users = _numbered(spark, _users(spark, every, tables), f"{staging}/users")
    users = users.withColumn("part", sf.pmod(sf.hash("id"), sf.lit(parts)))
    users.write.parquet(f"{output}/{folder}/users")
    users = spark.read.parquet(f"{output}/{folder}/users")
    ratings = tables.mapped(encoding.new_rows(tables.remaining_movies), "new_row").join(
        users.select("user", "part", users["id"].alias("user_id")), "user_id"
    )
    ratings = ratings.select("user", sf.col("new_row").alias("movie"), "stars", "time", "part")
    ordered = ratings.sortWithinPartitions("part", "user", "movie", "time")
    ordered.write.partitionBy("part").parquet(f"{output}/{folder}/ratings")
    movies = encoding.movies_of(name, tables)
    scale = tables.published.raw.scale
    written = spark.read.schema(RATINGS).parquet(f"{output}/{folder}/ratings").groupBy("movie")
    sums = written.agg(sf.count("*"), sf.sum(sf.col("stars").cast("double")), _digest("user", "movie", "stars", "time"))
    counts, totals, digests = np.zeros(len(movies), np.int64), np.zeros(len(movies)), 0
    for movie, count, stars, digest in sums.collect():
        counts[movie], totals[movie], digests = count, stars, digests + int(digest)
    people = users.agg(sf.count("*"), _digest(*(column for column in users.columns if column != "part"))).collect()[0]
    if (counts != tables.counts[tables.remaining_movies]).any() or people[0] != report.users:
        raise Problem(
            tr("What Spark wrote to {output} differs from the cleaned ratings; clean them again.", output=output)
        )
    fingerprint = _fingerprint(movies, scale, [int(counts.sum()), digests, people[0], int(people[1])])
    return ClusterDataset(
        name,
        output,
        folder,
        scale,
        report.ratings,
        report.users,
        fingerprint,
        report.preset,
        movies,
        counts,
        totals,
        report,
    )


def _digest(*columns: str) -> Any:
    """Return the sum of the hashes of all rows, which does not depend on the order of the rows."""
    return sf.sum(sf.xxhash64(*columns).cast("decimal(28,0)"))


def _fingerprint(movies: Movies, scale: Scale, sums: list[int]) -> str:
    nothing = np.empty(0, np.int32)
    no_ratings = Ratings(nothing, nothing, nothing.astype(np.float32), nothing.astype(np.int64))
    described = encoding.fingerprint(no_ratings, Users(()), movies, scale)
    return hashlib.sha256(json.dumps([described, sums]).encode()).hexdigest()


def _users(spark: SparkSession, every: DataFrame, tables: ClusterTables) -> DataFrame:
    """Return the remaining users: id, what is published about them, and ``rank`` and ``order``, which order them."""
    if tables.known_users is None:
        rated = tables.remaining if tables.rated_only else every.where(sf.col("user_id") != MISSING)
        ids = rated.select("user_id").distinct()
        return ids.select(sf.col("user_id").alias("id"), sf.lit(0).alias("rank"), sf.col("user_id").alias("order"))
    import pyarrow as pa

    rows = np.flatnonzero(tables.users)
    described = encoding.users_of(
        tables.published, rows.tolist(), coded_gender=tables.coded_gender, keep_zip_codes=tables.keep_zip_codes
    )
    facts = cache.user_table(described).drop_columns("ids")
    table = pa.table(
        {
            "id": tables.published.user_ids[rows].astype(np.int32),
            "rank": np.zeros(len(rows), np.int32),
            "order": rows.astype(np.int32),
            **{name: facts[name] for name in facts.column_names},
        }
    )
    users = spark.createDataFrame(table)
    if not tables.unknown_users:
        return users
    blank = {"age": sf.lit(0), "gender_code": sf.lit(-1)}
    blanks = [blank.get(name, sf.lit("")).alias(name) for name in facts.column_names]
    user = sf.col("user_id")
    unknown = _unknown(tables).select(user.alias("id"), sf.lit(1).alias("rank"), user.alias("order"), *blanks)
    return users.unionByName(unknown)


def _numbered(spark: SparkSession, users: DataFrame, staging: str) -> DataFrame:
    """Number users by ``rank`` and ``order`` in the column ``user``; write them to ``staging`` in between."""
    placed = users.orderBy("rank", "order").drop("rank", "order").withColumn("place", sf.monotonically_increasing_id())
    placed.write.parquet(staging)  # so that a place does not change if Spark computes its partition again
    placed = spark.read.parquet(staging)
    group = sf.shiftrightunsigned("place", _PLACE_BITS)
    sizes = {row["group"]: row["count"] for row in placed.groupBy(group.alias("group")).count().collect()}
    groups = sorted(sizes)
    starts = np.concatenate([[0], np.cumsum([sizes[each] for each in groups])])[:-1]
    offsets = np.asarray(starts, np.int64) - (np.asarray(groups, np.int64) << _PLACE_BITS)
    table = _frame(spark, group=np.asarray(groups, np.int64), offset=offsets)
    user = (sf.col("place") + sf.col("offset")).cast("int").alias("user")
    columns = [column for column in placed.columns if column not in ("id", "place")]
    numbered = placed.withColumn("group", group).join(sf.broadcast(table), "group").select(user, "id", *columns)
    return numbered.sortWithinPartitions("user")
