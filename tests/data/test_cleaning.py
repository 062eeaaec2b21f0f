import json
from pathlib import Path

import pytest

from data import cleaning, movielens
from data.cleaning import CleaningReport
from data.problems import Cancelled, Problem
from data.progress import Stage
from tests.data.files import contents, lines, movie_line, write_folder


def clean(
    tmp_path: Path, preset: str = "standard", **added: list[str]
) -> tuple[cleaning.Tables, CleaningReport, dict[str, cleaning.RuleResult]]:
    whole = lines()
    changed = {name.replace("_", "."): whole[name.replace("_", ".")] + more for name, more in added.items()}
    raw = movielens.read(write_folder(tmp_path / "files", contents(changed)))
    tables, report = cleaning.clean("small", raw, preset)
    return tables, report, {result.rule: result for result in report.rules}


def rated(user: int, movie: int, stars: float = 4, time: int = 890_000_000) -> str:
    return f"{user}\t{movie}\t{stars}\t{time}"


RATINGS = len(lines()["u.data"])


def test_nothing_is_taken_from_a_clean_dataset(tmp_path: Path) -> None:
    for preset in cleaning.PRESETS:
        tables, report, _ = clean(tmp_path, preset)
        assert (report.ratings, report.users, report.movies) == (RATINGS, 12, 30)
        assert [result.removed for result in report.rules] == [0] * len(cleaning.RULES)
        assert tables.ratings["user_id"].tolist() == [int(line.split("\t")[0]) for line in lines()["u.data"]]


@pytest.mark.parametrize(
    ("rule", "line", "example"),
    [
        ("malformed-lines", "nonsense", "u.data line 241: 1 fields instead of 4"),
        ("missing-values", "1\t2\t\t880000000", "user 1, movie 2, nan stars"),
        ("missing-values", "\t2\t3\t880000000", "user ?, movie 2, 3 stars"),
        ("outside-scale", rated(1, 99, 6), "user 1, movie 99, 6 stars"),
        ("outside-scale", rated(1, 99, 0), "0 stars"),
        ("outside-scale", rated(1, 99, 3.5), "3.5 stars"),
        ("unknown-ids", rated(1, 99), "user 1, movie 99, 4 stars"),
        ("unknown-ids", rated(77, 2), "user 77, movie 2, 4 stars"),
    ],
)
def test_a_bad_line_is_taken_by_its_rule(tmp_path: Path, rule: str, line: str, example: str) -> None:
    _, report, results = clean(tmp_path, u_data=[line])
    assert results[rule].removed == 1
    assert results[rule].before == RATINGS + 1
    assert example in results[rule].examples[0]
    assert report.ratings == RATINGS
    assert sum(result.removed for result in report.rules if result.on) == 1


def test_the_newest_of_two_ratings_stays(tmp_path: Path) -> None:
    user, movie, _, _ = lines()["u.data"][0].split("\t")
    tables, _, results = clean(tmp_path, u_data=[rated(int(user), int(movie), 1), rated(int(user), int(movie), 2)])
    left = tables.ratings.query(f"user_id == {user} and movie_id == {movie}")
    assert left["stars"].tolist() == [2]  # of two at the same second the later line
    assert results["duplicate-ratings"].removed == 2
    assert results["duplicate-ratings"].examples[1].endswith("movie " + movie + ", 1 stars")


def test_the_same_film_twice_is_merged(tmp_path: Path) -> None:
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
    tables, report, results = clean(tmp_path, u_item=[*twin, *other_year], u_data=new)
    merged = tables.ratings.query("movie_id == 32")
    assert merged[["user_id", "stars"]].to_numpy().tolist() == [[1, 1], [2, 5], [3, 3]]
    assert 31 not in set(tables.movies["movie_id"])
    assert {33, 34, 35} <= set(tables.movies["movie_id"])
    result = results["same-title-twice"]
    assert (result.removed, result.removed_movies) == (1, 1)
    assert result.examples == ("The Twins (1995): 31 and 32 merged, 3 ratings",)
    assert report.movies == 34


def test_merging_leaves_double_ratings_of_one_movie_to_their_own_rule(tmp_path: Path) -> None:
    _, _, results = clean(
        tmp_path,
        "none",
        u_item=[movie_line(31, "Twins (1995)"), movie_line(32, "Twins (1995)")],
        u_data=[rated(1, 31), rated(1, 32), *[lines()["u.data"][0]] * 3],
    )
    assert results["same-title-twice"].removed == 1
    assert results["duplicate-ratings"].removed == 3


def test_of_many_ratings_at_the_same_second_the_last_line_stays(tmp_path: Path) -> None:
    movie = movie_line(31, "New (1995)")
    many = [rated(user, 31, 1 + turn % 4) for turn in range(50) for user in range(1, 13)]
    last = [rated(user, 31, 5) for user in range(1, 13)]
    tables, _, _ = clean(tmp_path, u_item=[movie], u_data=many + last)
    assert tables.ratings.query("movie_id == 31")["stars"].tolist() == [5] * 12


def test_movies_without_genre_go_with_their_ratings(tmp_path: Path) -> None:
    _, report, results = clean(
        tmp_path,
        u_item=[movie_line(31, "A (1995)", genres=("unknown",)), movie_line(32, "B (1995)", genres=())],
        u_data=[rated(1, 31), rated(2, 31), rated(1, 32)],
    )
    result = results["no-genre"]
    assert (result.removed, result.removed_movies, report.ratings, report.movies) == (3, 2, RATINGS, 30)
    assert result.examples == ("A (1995), 2 ratings", "B (1995), 1 rating")


def test_rules_that_are_off_tell_what_they_would_take(tmp_path: Path) -> None:
    added = {
        "u_item": [movie_line(31, "Old (1922)"), movie_line(32, "Nameless", "")],
        "u_data": [rated(1, 31), rated(1, 32), rated(2, 32), rated(14, 1)],
        "u_user": ["13|30|F|none|00000", "14|30|F|none|00000"],
    }
    _, report, results = clean(tmp_path, **added)
    assert report.ratings == RATINGS + 4
    told = {
        rule: (result.on, result.removed, result.removed_movies, result.removed_users)
        for rule, result in results.items()
        if result.removed or result.removed_users
    }
    assert told == {
        "no-year": (False, 2, 1, 0),
        "old-movies": (False, 1, 1, 0),
        "few-ratings-movies": (False, 3, 2, 0),
        "few-ratings-users": (False, 1, 0, 2),
    }
    assert all(result.before == RATINGS + 4 for result in report.rules)


def test_the_report_is_json_and_back(tmp_path: Path) -> None:
    _, report, _ = clean(tmp_path, u_data=[rated(1, 99)])
    document = json.loads(json.dumps(report.to_json()))
    assert set(document) == {"dataset", "preset", "rules", "ratings", "users", "movies"}
    assert {"rule", "on", "before", "removed", "examples"} <= set(document["rules"][0])
    assert CleaningReport.from_json(document) == report


def test_an_unknown_preset(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="choose one of none, standard"):
        clean(tmp_path, "thorough")


def test_nothing_left(tmp_path: Path) -> None:
    raw = movielens.read(write_folder(tmp_path / "x", contents({"u.data": [rated(99, 99)]})))
    with pytest.raises(Problem, match="Nothing is left of small"):
        cleaning.clean("small", raw, "standard")


def test_stages_and_stopping(tmp_path: Path) -> None:
    raw = movielens.read(write_folder(tmp_path / "x", contents()))
    stages: list[Stage] = []
    cleaning.clean("small", raw, "standard", stages.append)
    assert [stage.done for stage in stages] == list(range(len(cleaning.RULES) + 1))
    assert stages[-1].finished

    def stop(stage: Stage) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        cleaning.clean("small", raw, "standard", stop)


def test_published_files(published: Path) -> None:
    raw = movielens.read(published / "ml-100k.zip")
    results = {result.rule: result for result in cleaning.clean("ml-100k", raw, "standard")[1].rules}
    assert (results["same-title-twice"].removed, results["same-title-twice"].removed_movies) == (307, 18)
    assert (results["no-genre"].removed, results["no-genre"].removed_movies) == (10, 2)
    as_published = {result.rule: result for result in cleaning.clean("ml-100k", raw, "none")[1].rules}
    assert as_published["few-ratings-movies"].removed_movies == 333
    assert (as_published["no-year"].removed, as_published["no-year"].removed_movies) == (9, 1)
