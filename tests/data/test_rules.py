"""Tests of each rule on rows that it removes or changes."""

from dataclasses import replace
from pathlib import Path

import pytest

from movietui.data.cleaning import cleaner as cleaning
from movietui.data.cleaning.cleaner import parse
from movietui.data.cleaning.encoding import encode
from tests.data.cleaned import RATINGS, by_rule, clean, rated, ratings_of, read
from tests.data.files import lines, movie_line


@pytest.mark.parametrize(
    ("rule", "line", "example"),
    [
        ("malformed-lines", "nonsense", "u.data line 241: it should have 4 fields, not 1"),
        ("missing-values", "1\t2\t\t880000000", "user 1, movie 2, ? stars"),
        ("missing-values", "\t2\t3\t880000000", "user ?, movie 2, 3 stars"),
        ("outside-scale", rated(1, 99, 6), "user 1, movie 99, 6 stars"),
        ("outside-scale", rated(1, 99, 0), "0 stars"),
        ("outside-scale", rated(1, 99, 3.5), "3.5 stars"),
        ("unknown-ids", rated(1, 99), "user 1, movie 99, 4 stars"),
        ("unknown-ids", rated(77, 2), "user 77, movie 2, 4 stars"),
    ],
)
def test_a_bad_line_is_removed_by_its_rule(tmp_path: Path, rule: str, line: str, example: str) -> None:
    _, report, results = clean(tmp_path, u_data=[line])
    assert results[rule].removed == 1
    assert results[rule].before == RATINGS + 1
    assert example in results[rule].examples[0]
    assert report.ratings == RATINGS
    assert sum(result.removed for result in report.rules if result.on) == 1


def test_the_newest_of_two_ratings_stays(tmp_path: Path) -> None:
    user, movie, _, _ = lines()["u.data"][0].split("\t")
    dataset, _, results = clean(tmp_path, u_data=[rated(int(user), int(movie), 1), rated(int(user), int(movie), 2)])
    remaining = [stars for *pair, stars in ratings_of(dataset) if pair == [user, movie]]
    assert remaining == [2]  # of two ratings in the same second, the one in the later line stays
    assert results["duplicate-ratings"].removed == 2
    assert results["duplicate-ratings"].examples[1].endswith("movie " + movie + ", 1 stars")


def test_the_same_movie_twice_is_merged(tmp_path: Path) -> None:
    twin = [movie_line(31, "Twins, The (1995)", genres=("Comedy",)), movie_line(32, "the TWINS (1995)")]
    other_year = [movie_line(33, "Twins, The (1996)"), movie_line(34, "Untitled", ""), movie_line(35, "Untitled", "")]
    new = [
        rated(1, 31, 1, 890_000_000),
        rated(1, 32, 5, 880_000_000),
        rated(2, 32, 5),
        rated(3, 32, 3),
        rated(4, 33),
        rated(4, 34),
        rated(4, 35),
    ]
    dataset, report, results = clean(tmp_path, u_item=[*twin, *other_year], u_data=new)
    merged = [(user, stars) for user, movie, stars in ratings_of(dataset) if movie == "32"]
    assert merged == [("1", 1), ("2", 5), ("3", 3)]
    assert "31" not in dataset.movies.ids
    assert {"33", "34", "35"} <= set(dataset.movies.ids)
    result = results["same-title-twice"]
    assert (result.removed, result.removed_movies) == (1, 1)
    assert result.examples == ("the TWINS (1995): 31 and 32 merged, 3 ratings",)
    assert report.movies == 34


@pytest.mark.parametrize("first", [("unknown",), ("Comedy", "Crime"), ()])
def test_a_merged_movie_has_the_facts_of_any_entry(tmp_path: Path, first: tuple[str, ...]) -> None:
    twin = [
        movie_line(31, "Twins (1995)", "", genres=first),
        movie_line(32, "Twins (1995)", "14-Aug-1995"),
        movie_line(33, "Twins (1995)", "14-Sep-1995", genres=("unknown",)),
    ]
    dataset, _, _ = clean(tmp_path, u_item=twin, u_data=[rated(1, 31), rated(2, 31), rated(3, 32)])
    row = dataset.movies.row["31"]
    assert dataset.movies.genres_of(row) == [*(genre for genre in first if genre != "unknown"), "Drama"]
    assert dataset.movies.months[row] == 8
    assert dataset.counts[row] == 3
    assert dataset.movies.merged == {"31": ("32", "33")}


def test_merging_leaves_duplicate_ratings_of_one_entry_to_their_rule(tmp_path: Path) -> None:
    _, _, results = clean(
        tmp_path,
        "none",
        u_item=[movie_line(31, "Twins (1995)"), movie_line(32, "Twins (1995)")],
        u_data=[rated(1, 31), rated(1, 32), *[lines()["u.data"][0]] * 3],
    )
    assert results["same-title-twice"].removed == 1
    assert results["duplicate-ratings"].removed == 3


def test_the_last_of_many_ratings_in_one_second_stays(tmp_path: Path) -> None:
    movie = movie_line(31, "New (1995)")
    many = [rated(user, 31, 1 + turn % 4) for turn in range(50) for user in range(1, 13)]
    last = [rated(user, 31, 5) for user in range(1, 13)]
    dataset, _, _ = clean(tmp_path, u_item=[movie], u_data=many + last)
    assert [stars for _, movie, stars in ratings_of(dataset) if movie == "31"] == [5] * 12


def test_movies_without_genre_are_removed_with_their_ratings(tmp_path: Path) -> None:
    _, report, results = clean(
        tmp_path,
        u_item=[movie_line(31, "A (1995)", genres=("unknown",)), movie_line(32, "B (1995)", genres=())],
        u_data=[rated(1, 31), rated(2, 31), rated(1, 32)],
    )
    result = results["no-genre"]
    assert (result.removed, result.removed_movies, report.ratings, report.movies) == (3, 2, RATINGS, 30)
    assert result.examples == ("A (1995), 2 ratings", "B (1995), 1 rating")


def test_the_newest_of_a_title_stays(tmp_path: Path) -> None:
    movies = [
        movie_line(31, "Sabrina (1954)", genres=("Comedy", "Romance")),
        movie_line(32, "Sabrina (1995)", genres=("Romance", "Comedy")),
        movie_line(33, "Sabrina (1970)", genres=("Comedy",)),
        movie_line(34, "Sabrina", "", genres=("Comedy", "Romance")),
        movie_line(35, "SABRINA (1995)", genres=("Comedy", "Romance")),
    ]
    new = [rated(1, 31), rated(2, 31), rated(1, 32), rated(1, 33)]
    dataset, _, results = clean(tmp_path, "as in 002", u_item=movies, u_data=new)
    assert dataset.movies.ids[-4:] == ("32", "33", "34", "35")
    result = results["newest-of-title"]
    assert (result.removed, result.removed_movies) == (2, 1)
    assert result.examples == ("Sabrina (1954), 2 ratings",)


@pytest.mark.parametrize(
    ("change", "users"),
    [("+few-ratings-users:21", 10), ("+few-ratings-users:20", 12), ("+few-ratings-users", 12)],
)
def test_a_rule_is_applied_with_its_number(tmp_path: Path, change: str, users: int) -> None:
    more = [rated(user, 31) for user in range(3, 13)]
    _, report, results = clean(tmp_path, f"standard {change}", u_item=[movie_line(31, "New (1995)")], u_data=more)
    assert report.users == users
    assert results["few-ratings-users"].removed_users == 12 - users
    assert results["few-ratings-users"].title == f"users, under {results['few-ratings-users'].number} ratings"


def test_movies_that_were_never_rated_are_counted(tmp_path: Path) -> None:
    movies = [movie_line(31, "Never (1995)"), movie_line(32, "Once (1995)")]
    _, report, results = clean(tmp_path, "standard +few-ratings-movies:2", u_item=movies, u_data=[rated(1, 32)])
    result = results["few-ratings-movies"]
    assert (result.removed, result.removed_movies, report.movies) == (1, 2, 30)
    assert result.note == "1 never rated"
    assert result.examples == ("Once (1995), 1 rating", "Never (1995), 0 ratings")


def test_titles_in_reading_order_or_as_published(tmp_path: Path) -> None:
    movies = [movie_line(31, "Usual Suspects, The (1995) "), movie_line(32, "Plain")]
    reordered, _, results = clean(tmp_path, "standard", u_item=movies)
    published, _, off = clean(tmp_path, "standard -titles", u_item=movies)
    assert reordered.movies.titles[-2:] == ("The Usual Suspects", "Plain")
    assert published.movies.titles[-2:] == ("Usual Suspects, The (1995) ", "Plain")
    assert reordered.movies.keys == published.movies.keys
    assert published.movies.label(30) == "Usual Suspects, The (1995) "
    assert reordered.movies.label(30) == "The Usual Suspects (1995)"
    result = results["titles"]
    assert (result.removed, result.changed, result.examples[0]) == (
        0,
        31,
        "Usual Suspects, The (1995)  becomes The Usual Suspects",
    )
    assert result.note == "31 years split off, article put first in 1 title, 1 trimmed"
    assert (off["titles"].on, off["titles"].changed) == (False, 31)


def test_gender_is_coded_or_left_as_published(tmp_path: Path) -> None:
    people = ["13|30|female|none|1", "14|30||none|2", "15|30|x|none|3"]
    coded, _, results = clean(tmp_path, u_user=people)
    as_published, _, _ = clean(tmp_path, "standard -gender", u_user=people)
    expected = [{"F": 0, "M": 1}[line.split("|")[2]] for line in lines()["u.user"]]
    assert coded.users.gender_code.tolist() == [*expected, 0, -1, -1]
    assert coded.users.gender == as_published.users.gender
    assert len(as_published.users.gender_code) == 0
    assert (results["gender"].changed, results["gender"].note) == (13, "7 F, 6 M")


def test_zip_codes_are_dropped_or_kept(tmp_path: Path) -> None:
    dropped, _, results = clean(tmp_path)
    unchanged, _, _ = clean(tmp_path, "none", u_data=[rated(99, 1)])
    assert dropped.users.zip_code == ()
    assert unchanged.users.zip_code == (*(line.split("|")[4] for line in lines()["u.user"]), "")
    assert results["unused-columns"].changed == 12
    assert dropped.fingerprint != unchanged.fingerprint


def test_a_dataset_without_demographics(tmp_path: Path) -> None:
    whole = read(tmp_path, u_data=[rated(99, 1)])
    dates = whole.movies.assign(release_date="")
    raw = replace(whole, users=whole.users[["user_id"]], movies=dates)
    tables, report = cleaning.clean("bare", raw, parse("none +gender +unused-columns"))
    dataset = encode("bare", tables, "none")
    users = dataset.users
    assert len(users) == 13
    assert (len(users.age), users.gender, users.occupation, len(users.gender_code)) == (0, (), (), 0)
    assert len(dataset.movies.months) == 0
    results = by_rule(report)
    assert [results[rule].changed for rule in ("gender", "unused-columns")] == [0, 0]


def test_months_of_release(tmp_path: Path) -> None:
    movies = [movie_line(31, "Dated (1995)", "14-Aug-1995"), movie_line(32, "Undated (1995)", "")]
    dataset, _, _ = clean(tmp_path, u_item=movies)
    assert dataset.movies.months.tolist() == [1] * 30 + [8, 0]
    movies[0] = movie_line(31, "Dated (1995)", "14-Sep-1995")
    assert clean(tmp_path, u_item=movies)[0].fingerprint != dataset.fingerprint
