"""The rules give the same counts and leave the same rows on a cluster as on one machine."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from movietui.data.cleaning import cleaner
from movietui.data.cleaning.cleaner import PRESETS, CleaningReport, parse
from movietui.data.cleaning.encoding import encode
from movietui.data.movielens import reader
from movietui.data.movielens.release import MISSING, Raw
from tests.data.files import contents, write_folder, write_zip
from tests.data.test_cleaning_reference import dirty

ALL = "standard +newest-of-title +no-year +old-movies:1950 +few-ratings-movies:3 +few-ratings-users:5"
CLEANINGS = (
    *PRESETS,
    ALL,
    "none +same-title-twice +few-ratings-users:12",
    "standard -unknown-ids -no-genre",
    "none +no-genre",
)
Columns = list[NDArray[Any]]
"""The ids of the users and of the movies, the stars and the times of all ratings, ordered by these."""


def in_order(user: Any, movie: Any, stars: Any, time: Any) -> Columns:
    order = np.lexsort((stars, time, movie, user))
    return [np.asarray(column)[order] for column in (user, movie, stars, time)]


def on_one_machine(raw: Raw, cleaning: str) -> tuple[CleaningReport, Columns]:
    tables, report = cleaner.clean("shared", raw, parse(cleaning))
    dataset = encode("shared", tables, cleaning)
    users, movies = (np.array(ids, np.int64) for ids in (dataset.users.ids, dataset.movies.ids))
    ratings = dataset.ratings
    return report, in_order(users[ratings.user], movies[ratings.movie], ratings.stars, ratings.time)


def on_cluster(tables: Any, cleaning: str) -> tuple[CleaningReport, Columns]:
    from movietui.data.cluster.clean import apply_rules

    cleaned, report = apply_rules("shared", tables, parse(cleaning))
    table = cleaned.remaining.select("user_id", "movie", "stars", "time").toArrow()
    user, movie, stars, time = (table.column(name).to_numpy() for name in table.column_names)
    return report, in_order(user, cleaned.published.movie_ids[movie], stars, time)


def check(spark: Any, path: Path, staging: Path, cleanings: tuple[str, ...] = CLEANINGS) -> None:
    from movietui.data.cluster.clean import opened_tables

    raw = reader.read(path)
    with opened_tables(spark, path.as_uri(), staging.as_uri()) as (_, tables, _):
        for cleaning in cleanings:
            report, ratings = on_one_machine(raw, cleaning)
            cluster_report, cluster_ratings = on_cluster(tables, cleaning)
            assert counts(cluster_report) == counts(report)
            for ours, theirs in zip(cluster_ratings, ratings, strict=True):
                np.testing.assert_array_equal(ours, theirs)


def counts(report: CleaningReport) -> CleaningReport:
    """Return a report without its examples, which differ on a cluster."""
    return replace(report, rules=tuple(replace(rule, examples=()) for rule in report.rules))


HOSTILE = [
    "",
    "  ",
    "nonsense",
    "1{0}2",
    "{0}{0}{0}",
    "1{0}2{0}3{0}x",
    "99999999999{0}2{0}3{0}4",
    " 1 {0}2{0}4{0}10",
    "-5{0}2{0}3{0}4",
]
"""Lines that may be in a file of ratings, with {0} for the separator."""


def ratings_lines(raw: Raw, separator: str) -> list[str]:
    """Return random ratings, most of them dirty, and hostile lines among them."""
    lines = []
    for user, movie, stars, time in raw.ratings.itertuples(index=False):
        fields = ["" if value == MISSING else f"{value}" for value in (user, movie)]
        fields += ["" if stars != stars else f"{stars:g}", "" if time == MISSING else f"{time}"]
        lines.append(separator.join(fields))
    for index, line in enumerate(HOSTILE):
        lines.insert(index * 37, line.format(separator))
    return lines


def dirty_files(layout: str, seed: int) -> dict[str, bytes]:
    raw = dirty(seed, in_order=False)
    movies = list(raw.movies.itertuples(index=False))
    if layout == "ml-1m":
        files = {
            "ratings.dat": ratings_lines(raw, "::"),
            "movies.dat": [f"{movie.movie_id}::{movie.title}::{movie.genres}" for movie in movies],
            "users.dat": [f"{user}::{'FMx'[user % 3]}::25::{user}::0{user}" for user in raw.users["user_id"]],
        }
    else:
        files = {
            "ratings.csv": [*ratings_lines(raw, ","), '"1","2",3.5,"7"', '"1,2,3,4'],
            "movies.csv": [f'{movie.movie_id},"{movie.title}",{movie.genres}' for movie in movies],
        }
    return contents(files, layout)


@pytest.mark.usefixtures("many_parts")
@pytest.mark.parametrize("layout", ["ml-1m", "ml-latest-small"])
@pytest.mark.parametrize("seed", [1, 2])
def test_hostile_files(spark: Any, folder: Path, layout: str, seed: int) -> None:
    files = dirty_files(layout, seed)
    check(spark, write_folder(folder / "files", files), folder / "staging")


@pytest.mark.parametrize("layout", ["ml-100k", "ml-10m"])
def test_the_other_layouts_in_a_zip(spark: Any, folder: Path, layout: str) -> None:
    folder.mkdir()
    path = write_zip(folder / "small.zip", contents(layout=layout))
    check(spark, path, folder / "staging", ("standard", "none"))


@pytest.mark.real
@pytest.mark.parametrize("name", ["ml-100k", "ml-latest-small", "ml-1m"])
def test_published_files(spark: Any, folder: Path, datasets_folder: Path, name: str) -> None:
    check(spark, datasets_folder / f"{name}.zip", folder / "staging", (*PRESETS, ALL))
