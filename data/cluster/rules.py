"""The cleaning rules for ratings in a Spark table; they do the same as the rules in ``movietui.data.cleaning``.

Movies are few, so the driver knows how many ratings each has. Rules that need no more than that are the same functions
as on one machine (``MOVIE_RULES``). This module has the others, which look at ratings or users. All ratings of a user
are in one partition, sorted by movie and time, so that no rule has to move ratings between machines.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as sf

from movietui.data.cleaning.rules import (
    EXAMPLES,
    OFF_STEP,
    RATING_COLUMNS,
    AffectedRows,
    Outcome,
    Row,
    Rule,
    describe_rating,
    describe_user,
    merge_into,
    merged,
    merged_rows,
    rating_row,
    same_movies,
)
from movietui.data.cleaning.rules import MOVIE_RULES as MOVIE_RULES
from movietui.data.cleaning.working_tables import Ids, Published, remaining_movies
from movietui.data.dataset import Bools, Ints
from movietui.data.language import tr
from movietui.data.movielens.release import MISSING

SORTED = ("user_id", "movie", "time", "file", "row")
"""The order of the ratings in each partition. Of two ratings of a movie by a user in the same second, the one that
follows in its file counts as newer."""


@dataclass(frozen=True, eq=False)
class ClusterTables:
    """The rows of a dataset that remain; what is not described here is as in ``working_tables.Tables``."""

    published: Published
    """The table of ratings is empty, and so are the columns with a value for each rating. The users are those that the
    dataset describes."""
    frame: DataFrame
    """The remaining ratings, and those of the movies ``dropped``. Columns: ``SORTED`` and stars; ``movie`` is the row
    of the movie after merging."""
    counts: Ids
    """The number of remaining ratings of each movie."""
    dropped: Bools
    """Which movies are removed, but not yet their ratings in ``frame``, shape (movies,)."""
    users: Bools
    """Which of the users that the dataset describes remain, shape (users,)."""
    movies: Bools
    known_users: DataFrame | None
    """The ids of the users that the dataset describes, as ``user_id``; None if it describes none."""
    unknown_users: int
    """The number of users who rated, but are not described."""
    total_users: int
    malformed_ratings: int
    rated_only: bool = False
    """Whether users without remaining ratings are removed, even if the dataset describes them."""
    reading_order: bool = False
    coded_gender: bool = False
    keep_zip_codes: bool = True
    merged: tuple[tuple[int, ...], ...] = ()

    @property
    def ratings(self) -> int:
        """The number of remaining ratings."""
        return int(self.counts.sum())

    @property
    def ratings_per_movie(self) -> Ids:
        """The number of remaining ratings of each movie."""
        return self.counts

    @property
    def remaining_movies(self) -> Bools:
        """Which movies remain; a movie that occurs only in ratings remains as long as one of these ratings does."""
        return remaining_movies(self)

    def without_movies(self, bad: Bools) -> "ClusterTables":
        """Return the tables without these movies and their ratings."""
        return replace(
            self,
            movies=self.movies & ~bad,
            counts=np.where(bad, 0, self.counts),
            dropped=self.dropped | (bad & (self.counts > 0)),
        )

    @property
    def remaining(self) -> DataFrame:
        """The remaining ratings."""
        if not self.dropped.any():
            return self.frame
        movies = self._table({"movie": np.flatnonzero(~self.dropped).astype(np.int32)})
        return self.frame.join(sf.broadcast(movies), "movie", "left_semi")

    def mapped(self, values: Ints, name: str) -> DataFrame:
        """Return the remaining ratings with a column that has the value of each rating's movie."""
        rows = np.flatnonzero(self.counts > 0).astype(np.int32)
        table = self._table({"movie": rows, name: values[rows]})
        return self.remaining.join(sf.broadcast(table), "movie")

    def _table(self, columns: Mapping[str, NDArray[np.int32]]) -> DataFrame:
        import pyarrow as pa

        return self.frame.sparkSession.createDataFrame(pa.table(dict(columns)))

    def per_movie(self, table: DataFrame) -> Ids:
        """Return the number of rows of each movie in a table that has the column ``movie``."""
        counts = np.zeros(len(self.movies), np.int64)
        for movie, count in table.groupBy("movie").count().collect():
            counts[movie] = count
        return counts


Applied = Outcome[ClusterTables]


def _without_ratings(tables: ClusterTables, marked: DataFrame, bad: Column) -> Applied:
    """Return the outcome of removing the bad ratings; ``marked`` has the remaining ratings, and maybe more columns.

    The examples are the first bad rating of each movie, in the order of the file.
    """
    position = sf.struct("file", "row")
    first = sf.min_by(sf.struct("user_id", "movie", "stars", "time", "file", "row"), position)
    by_movie = marked.where(bad).groupBy("movie").agg(sf.count("*").alias("count"), first.alias("first")).collect()
    removed = np.zeros(len(tables.movies), np.int64)
    for group in by_movie:
        removed[group["movie"]] = group["count"]
    firsts = sorted((group["first"] for group in by_movie), key=lambda each: (each["file"], each["row"]))

    def rows(start: int, end: int) -> list[Row]:
        return [
            rating_row(tables.published, each["user_id"], each["movie"], each["stars"], each["time"])
            for each in firsts[start:end]
        ]

    affected = AffectedRows(RATING_COLUMNS, int(removed.sum()), rows, describe_rating)
    if not removed.any():
        return Outcome(tables, affected)
    frame = marked.where(~bad).select(tables.frame.columns)
    dropped = np.zeros_like(tables.dropped)
    return Outcome(replace(tables, frame=frame, counts=tables.counts - removed, dropped=dropped), affected)


def _missing(tables: ClusterTables, _: int) -> Applied:
    no_movie = np.flatnonzero(tables.published.movie_ids == MISSING).tolist()
    bad = (
        (sf.col("user_id") == MISSING)
        | sf.col("movie").isin(no_movie)
        | sf.isnan("stars")
        | (sf.col("time") == MISSING)
    )
    return _without_ratings(tables, tables.remaining, bad)


def _outside_scale(tables: ClusterTables, _: int) -> Applied:
    scale, stars = tables.published.raw.scale, sf.col("stars")

    def single(number: float) -> Column:  # stars are compared with the precision in which they are stored
        return sf.lit(number).cast("float")

    steps = (stars.cast("double") - sf.lit(scale.low)) / sf.lit(scale.step)
    off = sf.abs(steps - sf.rint(steps)) > sf.lit(OFF_STEP)
    return _without_ratings(tables, tables.remaining, (stars < single(scale.low)) | (stars > single(scale.high)) | off)


def _superseded(ratings: DataFrame) -> DataFrame:
    """Return ratings with the column ``superseded``: whether the same user rated the same movie again later."""
    same = Window.partitionBy("user_id", "movie").orderBy("time", "file", "row")
    return ratings.withColumn("superseded", sf.lead(sf.lit(True), 1, False).over(same))


def _duplicates(tables: ClusterTables, _: int) -> Applied:
    return _without_ratings(tables, _superseded(tables.remaining), sf.col("superseded"))


def _unknown_ids(tables: ClusterTables, _: int) -> Applied:
    movies = np.arange(len(tables.movies)) >= tables.published.known_movies
    marked, bad = tables.remaining, sf.col("movie") >= tables.published.known_movies
    if tables.known_users is not None and tables.unknown_users:
        known = tables.known_users.withColumn("described", sf.lit(True))
        marked = marked.join(sf.broadcast(known), "user_id", "left")
        bad = bad | sf.col("described").isNull()
    outcome = _without_ratings(tables, marked, bad)
    after = replace(outcome.after, total_users=tables.total_users - tables.unknown_users, unknown_users=0)
    return replace(outcome, after=after.without_movies(movies))


def _merge_titles(tables: ClusterTables, _: int) -> Applied:
    groups = same_movies(tables)
    if not groups:
        return Outcome(tables, merged_rows(tables.published, groups, tables.counts, tables.counts))
    into = merge_into(groups, len(tables.movies))
    moved = tables.mapped(into, "into").withColumn("movie", sf.col("into")).select(tables.frame.columns)
    joined = sf.col("movie").isin([group[0] for group in groups])
    marked = _superseded(moved).withColumn("superseded", sf.col("superseded") & joined)
    twice = tables.per_movie(marked.where("superseded"))
    counts = np.bincount(into, tables.counts, len(into)).astype(np.int64) - twice
    after = replace(
        tables,
        published=merged(tables.published, groups),
        frame=marked.where("not superseded").select(tables.frame.columns),
        counts=counts,
        dropped=np.zeros_like(tables.dropped),
        movies=tables.movies & (into == np.arange(len(into))),
        merged=tuple(map(tuple, groups)),
    )
    return Outcome(after, merged_rows(tables.published, groups, counts, twice))


def _few_ratings_users(tables: ClusterTables, fewest: int) -> Applied:
    rated = tables.remaining.withColumn("rated", sf.count("*").over(Window.partitionBy("user_id")))
    users = tables.remaining.groupBy("user_id").agg(sf.count("*").alias("rated"))
    few = users.where(sf.col("rated") < fewest)
    active = users.where(sf.col("rated") >= fewest)
    remaining = active.count()
    first = few.orderBy(sf.desc("rated"), "user_id").limit(EXAMPLES).collect()

    def rows(start: int, end: int) -> list[Row]:
        return [(each["user_id"], each["rated"]) for each in first[start:end]]

    affected = AffectedRows((tr("user"), tr("ratings")), tables.total_users - remaining, rows, describe_user)
    described = tables.users
    if tables.known_users is not None and remaining < tables.total_users:
        ids = [
            each["user_id"] for each in active.join(sf.broadcast(tables.known_users), "user_id", "left_semi").collect()
        ]
        described = tables.users & np.isin(tables.published.user_ids, np.array(ids, np.int64))
    after = replace(tables, users=described, total_users=remaining, rated_only=True)
    if first:
        after = replace(
            after,
            frame=rated.where(sf.col("rated") >= fewest).select(tables.frame.columns),
            counts=tables.counts - tables.per_movie(rated.where(sf.col("rated") < fewest)),
            dropped=np.zeros_like(tables.dropped),
        )
    return Outcome(after, affected)


RATING_RULES: Mapping[str, Callable[[ClusterTables, int], Applied]] = {
    "missing-values": _missing,
    "outside-scale": _outside_scale,
    "duplicate-ratings": _duplicates,
    "unknown-ids": _unknown_ids,
    "same-title-twice": _merge_titles,
    "few-ratings-users": _few_ratings_users,
}
"""The rules that look at ratings or users, by id; with ``MOVIE_RULES``, these are all rules."""


def apply(rule: Rule, tables: ClusterTables, number: int) -> Applied:
    """Return the outcome of a rule."""
    if rule.id in MOVIE_RULES:
        return MOVIE_RULES[rule.id](tables, number)
    return RATING_RULES[rule.id](tables, number)
