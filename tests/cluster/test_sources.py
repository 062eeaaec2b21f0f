"""What a cluster can read: plain tables, and releases whose ratings are Parquet."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
import pytest

from movietui.data.dataset import Scale
from movietui.data.problems import Problem
from tests.data.files import contents, rated, write_folder

ROWS = [(3, 20, 4.5, 100), (1, 10, 3.0, 50), (3, 10, 0.5, 70)]


def read(spark: Any, path: Path, scale: Scale | None = None) -> tuple[list[tuple[int, int, float, int]], Any, str]:
    """Return the ratings with the ids of user and movie, the tables, and the cleaning by default."""
    from movietui.data.cluster.clean import opened_tables

    staging = path.with_name(f"staging-{uuid4().hex}").as_uri()
    with opened_tables(spark, path.as_uri(), staging, scale) as (_, tables, default):
        ids = tables.published.movie_ids
        rows = tables.remaining.select("user_id", "movie", "stars", "time").toArrow().to_pylist()
        ratings = [(row["user_id"], int(ids[row["movie"]]), row["stars"], row["time"]) for row in rows]
    return sorted(ratings), tables, default


def text(rows: list[tuple[Any, ...]], separator: str = ",") -> str:
    return "".join(separator.join(map(str, row)) + "\n" for row in rows)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plain.csv", "user,movie,rating,time\n" + text(ROWS)),
        ("plain.csv", text(ROWS)),
        ("plain.csv", '"timestamp","userId","rating","movieId"\n' + text([(t, u, s, m) for u, m, s, t in ROWS])),
        ("plain.tsv", "user\titem_id\tSTARS\ttimestamp\n" + text(ROWS, "\t")),
    ],
)
def test_a_plain_table_as_text(spark: Any, tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    ratings, tables, default = read(spark, tmp_path / name)
    assert ratings == sorted(ROWS)
    assert default == "standard -no-genre"
    assert (tables.total_users, tables.published.titles) == (2, ("Movie 10", "Movie 20"))


def test_a_folder_of_files_each_with_a_header(spark: Any, tmp_path: Path) -> None:
    header = "user,movie,rating,time\n"
    files = {f"part-{part}.csv": (header + text([row])).encode() for part, row in enumerate(ROWS)}
    ratings, tables, _ = read(spark, write_folder(tmp_path / "plain", {**files, "_SUCCESS": b""}))
    assert ratings == sorted(ROWS)
    assert tables.malformed_ratings == 0


@pytest.mark.parametrize("folder", [False, True])
def test_a_plain_table_as_parquet(spark: Any, tmp_path: Path, folder: bool) -> None:
    path = tmp_path / "plain.parquet"
    wrong = [(-4, 10, 3.0, 50), (2**40, 10, 3.0, 50), (1, 10, float("inf"), 50)]
    table = pd.DataFrame([*ROWS, *wrong], columns=["userId", "movieId", "rating", "timestamp"])
    if folder:
        path.mkdir()
        table["timestamp"] = (
            pd.to_datetime(table["timestamp"], unit="s").dt.tz_localize("UTC").astype("datetime64[us, UTC]")
        )
    table.to_parquet(path / "part-0.parquet" if folder else path)
    ratings, tables, _ = read(spark, path)
    assert ratings == sorted(ROWS)
    assert tables.malformed_ratings == len(wrong)


def test_values_that_are_missing_in_parquet(spark: Any, tmp_path: Path) -> None:
    from movietui.data.cleaning.cleaner import parse
    from movietui.data.cluster.clean import apply_rules

    path = tmp_path / "plain.parquet"
    gaps = [(None, 10, 3.0, 50), (1, None, 3.0, 50), (1, 10, None, 50), (1, 10, 3.0, None)]
    table = pd.DataFrame([*ROWS, *gaps], columns=["user", "movie", "rating", "time"])
    table.astype({"user": "Int64", "movie": "Int64", "time": "Int64"}).to_parquet(path)
    from movietui.data.cluster.clean import opened_tables

    with opened_tables(spark, path.as_uri(), (tmp_path / "staging").as_uri()) as (_, tables, _):
        report = apply_rules("plain", tables, parse("none"))[1]
    assert {rule.rule: rule.removed for rule in report.rules if rule.on and rule.removed} == {"missing-values": 4}
    assert (report.ratings, report.users, report.movies) == (3, 2, 2)


def test_a_release_whose_ratings_are_parquet(spark: Any, tmp_path: Path) -> None:
    files = contents(layout="ml-latest-small")
    del files["ratings.csv"]
    folder = write_folder(tmp_path / "release", files)
    expected = rated(halves=True)
    table = pd.DataFrame(expected, columns=["userId", "movieId", "rating", "timestamp"])
    table.astype({"rating": np.float64}).to_parquet(folder / "ratings.parquet")
    ratings, tables, default = read(spark, folder)
    assert ratings == sorted(expected)
    assert default == "standard"
    assert tables.published.names[0] == "Filmé, Number 1"


def test_the_scale_of_a_plain_table(spark: Any, tmp_path: Path) -> None:
    (tmp_path / "plain.csv").write_text(text(ROWS))
    assert read(spark, tmp_path / "plain.csv")[1].published.raw.scale == Scale(0.5, 5, 0.5)
    ten = read(spark, tmp_path / "plain.csv", Scale(1, 10, 1))[1]
    assert ten.published.raw.scale == Scale(1, 10, 1)
    release = write_folder(tmp_path / "release", contents())
    with pytest.raises(Problem, match="is a MovieLens release, whose scale is known; leave out --scale"):
        read(spark, release, Scale(1, 10, 1))


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, "is neither a MovieLens release nor a table of ratings"),
        ({"notes.md": b"?"}, "is neither a MovieLens release nor a table of ratings"),
        ({"a.csv": b""}, "is empty"),
        (
            {"a.csv": b"user,movie,time\n1,2,3\n"},
            "The first line of .* is 'user,movie,time', not user,movie,rating,time",
        ),
        ({"a.csv": b"user,movie,rating,time\n"}, "has no ratings"),
        (
            {"a.csv": b"user,movie,rating,time\n" + 11 * b"x\n"},
            "more than 10 of 11 lines are wrong; for example: it should",
        ),
        ({"a.parquet": b"PAR1"}, None),
        ({"u.data": b"1\t1\t1\t1\n", "ratings.csv": b""}, "contains u.data and ratings.csv, which are two datasets"),
        ({"u.data": b"1\t1\t1\t1\n"}, "has no file u.item"),
        ({"ratings.csv": b"userId,movieId\n", "movies.csv": b""}, "begins with 'userId,movieId'"),
    ],
)
def test_what_cannot_be_read(spark: Any, tmp_path: Path, files: dict[str, bytes], expected: str | None) -> None:
    from movietui.data.cluster.session import explain_errors

    folder = write_folder(tmp_path / "files", files)
    with pytest.raises(Problem, match=expected or "Spark failed on here"), explain_errors("here"):
        read(spark, folder)


def test_nothing_there(spark: Any, tmp_path: Path) -> None:
    with pytest.raises(Problem, match="There is nothing at file:"):
        read(spark, tmp_path / "gone")
