from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from movietui.data import catalogue
from movietui.data import summary as summary_module
from movietui.data.cleaning import working_tables
from movietui.data.dataset import COVERED_MOVIES, COVERED_RATINGS, Dataset, Movies, Ratings, Scale, Users
from movietui.data.summary import summary


def dataset(**changed: Any) -> Dataset:
    """Return a dataset of four users, three movies and five ratings."""
    ratings = Ratings(
        np.array([0, 0, 0, 1, 2], np.int32),
        np.array([0, 1, 2, 0, 0], np.int32),
        np.array([1, 2, 2, 5, 5], np.float32),
        np.array([moment(2000, 1), moment(2000, 1), moment(2000, 3), moment(2000, 3), moment(2000, 3)], np.int64),
    )
    users = Users(("a", "b", "c", "d"), np.array([17, 18, 40, 0], np.int32), ("F", "M", "M", ""), ("x", "x", "y", ""))
    movies = Movies(
        ("1", "2", "3"),
        ("One", "Two", "Three"),
        np.array([1990, 1993, 0], np.int32),
        np.array([[True, True], [False, True], [False, False]]),
        ("Comedy", "Drama"),
        ("one 1990", "two 1993", "three 0"),
        np.array([1, 0, 0], np.int32),
    )
    whole = {"ratings": ratings, "users": users, "movies": movies, **changed}
    return Dataset("small", scale=Scale(), fingerprint="print", **whole)


def moment(year: int, month: int) -> int:
    return int(datetime(year, month, 2, tzinfo=UTC).timestamp())


def chart(data: Dataset, name: str) -> dict[str, int]:
    (one,) = (chart for chart in summary(data)["charts"] if chart["name"] == name)
    return dict(zip(one["labels"], one["counts"], strict=True))


def test_stray_times_do_not_create_thousands_of_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    times = np.array([moment(2000, 1), moment(2000, 1), moment(2001, 3), moment(1990, 1), moment(9999, 1)])
    stray = dataset(ratings=replace(dataset().ratings, time=times))
    assert chart(stray, "ratings over time") == {"1990": 1, "2000": 2, "2001": 1, "9999": 1}
    monkeypatch.setattr(summary_module, "MOST_BINS", 2)
    assert chart(stray, "ratings over time") == {"1990": 1, "2000": 2}
    (one,) = (each for each in summary(stray)["charts"] if each["name"] == "ratings over time")
    assert one["note"] == "years without ratings are not shown, nor are years with few ratings (ratings left out: 2)"


@pytest.mark.parametrize("piece", [1, 2, 1000])
def test_counts(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working_tables, "PIECE", piece)
    facts = summary(dataset())
    assert (facts["ratings"], facts["users"], facts["movies"]) == (5, 4, 3)
    assert facts["density"] == 5 / 12
    assert facts["mean_stars"] == 3
    assert facts["stars"] == {"1": 1, "2": 2, "5": 2}
    assert (facts["first"], facts["last"]) == ("2000-01-02", "2000-03-02")
    assert facts["genres"] == {"Comedy": {"movies": 1, "ratings": 3}, "Drama": {"movies": 2, "ratings": 4}}
    assert facts["decades"] == {"1990s": 2}
    assert facts["ratings_per_user"]["median"] == 1
    assert facts["genders"] == {"M": 2, "F": 1}
    assert (facts["children"], facts["adults"]) == (1, 2)
    assert facts["missing"] == {"year": 1, "genre": 1, "rating_of_movie": 0, "rating_of_user": 1, "age": 1}
    assert (facts["absent"], facts["absent_note"]) == ([], "")


@pytest.mark.parametrize(
    ("name", "bars"),
    [
        ("ratings", {"1": 1, "2": 2, "5": 2}),
        ("genres", {"Drama": 2, "Comedy": 1}),
        ("release years", {"1990": 1, "1991": 0, "1992": 0, "1993": 1}),
        ("ages", {"15–19": 2, "40–44": 1}),
        ("ratings per user", {"0": 1, "1": 2, "2–4": 1}),
        ("ratings per movie", {"1": 2, "2–4": 1}),
        ("ratings over time", {"2000-01": 2, "2000-02": 0, "2000-03": 3}),
    ],
)
@pytest.mark.parametrize("piece", [2, 1000])
def test_charts(name: str, bars: dict[str, int], piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working_tables, "PIECE", piece)
    assert chart(dataset(), name) == bars


def test_the_chart_by_year_counts_movies_and_ratings() -> None:
    (one,) = (chart for chart in summary(dataset())["charts"] if chart["name"] == "release years")
    assert (one["of"], one["also_of"]) == ("movies", "ratings")
    assert one["counts"] == [1, 0, 0, 1]
    assert one["also"] == [3, 0, 0, 1]
    assert one["note"] == ""
    assert summary(dataset())["covered_year"] is None


def test_the_newest_year_with_enough_movies_and_ratings_is_named() -> None:
    years = [1990] * COVERED_MOVIES + [1991] * COVERED_MOVIES + [1992] * (COVERED_MOVIES - 1) + [0] * 20
    ratings = [COVERED_RATINGS] * COVERED_MOVIES + [COVERED_RATINGS - 1] * COVERED_MOVIES + [COVERED_RATINGS] * 29
    movie = np.repeat(np.arange(len(years)), ratings).astype(np.int32)
    given = Ratings(
        np.zeros(len(movie), np.int32), movie, np.ones(len(movie), np.float32), np.zeros(len(movie), np.int64)
    )
    ids = tuple(map(str, range(len(years))))
    movies = Movies(ids, ids, np.asarray(years, np.int32), np.zeros((len(ids), 0), bool), (), ids)
    covered = dataset(ratings=given, movies=movies)
    assert (covered.covered_year, covered.newest_year) == (1990, 1992)
    facts = summary(covered)
    assert facts["covered_year"] == 1990
    (one,) = (chart for chart in facts["charts"] if chart["name"] == "release years")
    assert one["note"] == "newest well-covered year: 1990"


def test_age_groups_are_shown_as_groups() -> None:
    users = Users(tuple("abcd"), np.array([1, 18, 18, 56], np.int32))
    assert chart(dataset(users=users), "ages") == {"under 18": 1, "18–24": 2, "56+": 1}


def test_many_months_are_counted_by_year() -> None:
    times = np.array([moment(1996, 1), moment(1996, 12), moment(1998, 1), moment(1999, 12), moment(2000, 1)])
    ratings = dataset().ratings
    later = Ratings(ratings.user, ratings.movie, ratings.stars, times)
    assert chart(dataset(ratings=later), "ratings over time") == {"1996": 2, "1997": 0, "1998": 1, "1999": 1, "2000": 1}


@pytest.mark.parametrize("piece", [2, 1000])
def test_the_density_map(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working_tables, "PIECE", piece)
    # There are twenty users and ten movies; user u rates the first 10 - u // 2 movies.
    pairs = [(user, movie) for user in range(20) for movie in range(10 - user // 2)]
    user, movie = (np.array(column, np.int32) for column in zip(*pairs, strict=True))
    ratings = Ratings(user, movie, np.ones(len(pairs), np.float32), np.zeros(len(pairs), np.int64))
    ids = tuple(str(number) for number in range(20))
    movies = Movies(ids[:10], ids[:10], np.zeros(10, np.int32), np.zeros((10, 0), bool), (), ids[:10])
    shares = summary(dataset(ratings=ratings, users=Users(ids), movies=movies))["charts"][-1]["shares"]
    assert shares == [[float(column < 10 - row) for column in range(10)] for row in range(10)]


def test_unpublished_columns_are_listed() -> None:
    bare = dataset(users=Users(("a", "b", "c", "d")))
    facts = summary(bare)
    assert facts["absent"] == ["age", "gender", "occupation"]
    assert facts["absent_note"] == "Not published in this dataset: age, gender, occupation."
    assert "age" not in facts["missing"]
    assert "ages" not in [chart["name"] for chart in facts["charts"]]
    assert (facts["ages"], facts["genders"]) == ({}, {})


@pytest.mark.real
def test_the_published_files(datasets_folder: Any) -> None:
    catalogue.get("ml-100k", datasets_folder / "ml-100k.zip")
    facts = catalogue.show("ml-100k", "none")
    assert (facts["children"], facts["adults"]) == (36, 907)  # as system 004 counts them
    assert facts["stars"] == {"1": 6110, "2": 11_370, "3": 27_145, "4": 34_174, "5": 21_201}
    assert facts["missing"] == {"year": 1, "genre": 2, "rating_of_movie": 0, "rating_of_user": 0, "age": 0}
    bars = {chart["name"]: dict(zip(chart["labels"], chart["counts"], strict=True)) for chart in facts["charts"]}
    assert (bars["release years"]["1922"], sum(bars["release years"].values())) == (1, 1681)
    assert (bars["ratings per movie"]["1"], bars["ratings per movie"]["2–4"]) == (141, 333 - 141)
    assert list(bars["ratings over time"])[0::7] == ["1997-09", "1998-04"]


@pytest.mark.real
def test_columns_that_published_releases_lack(datasets_folder: Any) -> None:
    for name in ("ml-1m", "ml-latest-small"):
        catalogue.get(name, datasets_folder / f"{name}.zip")
    older, later = catalogue.show("ml-1m"), catalogue.show("ml-latest-small")
    assert older["absent"] == ["month of release"]
    assert later["absent"] == ["age", "gender", "occupation", "month of release"]
    bars = {chart["name"]: chart for chart in older["charts"]}
    assert bars["ages"]["labels"] == ["under 18", "18–24", "25–34", "35–44", "45–49", "50–55", "56+"]
    assert "ages" not in [chart["name"] for chart in later["charts"]]
    assert list(later["stars"])[:2] == ["0.5", "1"]
