"""Cleaning as a whole: the report, the stages, and which steps are repeated after a change."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from movietui.data.cleaning import cleaner as cleaning
from movietui.data.cleaning.cleaner import Cleaner, CleaningReport, parse
from movietui.data.cleaning.rules import BY_ID, RULES
from movietui.data.movielens import reader as movielens
from movietui.data.problems import Cancelled, Problem
from movietui.data.progress import Stage
from tests.data.cleaned import RATINGS, clean, rated, ratings_of, read
from tests.data.files import contents, lines, movie_line, write_folder


def test_nothing_is_removed_from_a_clean_dataset(tmp_path: Path) -> None:
    for preset in cleaning.PRESETS:
        dataset, report, _ = clean(tmp_path, preset)
        assert (report.ratings, report.users, report.movies) == (RATINGS, 12, 30)
        assert [result.removed for result in report.rules] == [0] * len(RULES)
        assert [row[0] for row in ratings_of(dataset)] == [line.split("\t")[0] for line in lines()["u.data"]]


def test_rules_that_are_off_report_what_they_would_remove(tmp_path: Path) -> None:
    added = {
        "u_item": [movie_line(31, "Old (1922)"), movie_line(32, "Nameless", "")],
        "u_data": [rated(1, 31), rated(1, 32), rated(2, 32), rated(14, 1)],
        "u_user": ["13|30|F|none|00000", "14|30|F|none|00000"],
    }
    _, report, results = clean(tmp_path, **added)
    assert report.ratings == RATINGS + 4
    counts = {
        rule: (result.on, result.removed, result.removed_movies, result.removed_users)
        for rule, result in results.items()
        if result.removed or result.removed_users
    }
    assert counts == {
        "no-year": (False, 2, 1, 0),
        "old-movies": (False, 1, 1, 0),
        "few-ratings-movies": (False, 3, 2, 0),
        "few-ratings-users": (False, 1, 0, 2),
    }
    assert all(result.before == RATINGS + 4 for result in report.rules)


def test_the_report_survives_json(tmp_path: Path) -> None:
    _, report, _ = clean(tmp_path, u_data=[rated(1, 99)])
    document = json.loads(json.dumps(report.to_json()))
    assert set(document) == {"dataset", "preset", "rules", "ratings", "users", "movies"}
    assert {"rule", "on", "before", "removed", "examples"} <= set(document["rules"][0])
    assert CleaningReport.from_json(document) == report


def test_a_dataset_without_ratings_is_a_problem(tmp_path: Path) -> None:
    _, report, _ = clean(tmp_path, u_data=[rated(1, 99)])
    none = replace(report, ratings=0, rules=tuple(replace(rule, removed=0) for rule in report.rules))
    with pytest.raises(Problem, match="small has no ratings; check the source files"):
        cleaning.check_any_left(none)


def test_a_cleaning_that_leaves_no_ratings(tmp_path: Path) -> None:
    raw = movielens.read(write_folder(tmp_path / "x", contents({"u.data": [rated(99, 99)]})))
    for text, rule in (("standard", "unknown-ids"), ("none +few-ratings-movies", "few-ratings-movies")):
        with pytest.raises(
            Problem, match=f"^No ratings of small are left after cleaning: the rule {rule} removed the last"
        ):
            cleaning.clean("small", raw, parse(text))


def test_stages_and_stopping(tmp_path: Path) -> None:
    raw = movielens.read(write_folder(tmp_path / "x", contents()))
    stages: list[Stage] = []
    cleaning.clean("small", raw, parse("standard"), stages.append)
    assert [stage.done for stage in stages] == list(range(len(RULES) + 1))
    assert stages[-1].finished

    def stop(stage: Stage) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        cleaning.clean("small", raw, parse("standard"), stop)


def test_a_change_repeats_only_the_steps_after_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    applied: list[str] = []
    apply = cleaning._apply
    monkeypatch.setattr(cleaning, "_apply", lambda rule, *rest: applied.append(rule.id) or apply(rule, *rest))
    cleaner = Cleaner("small", read(tmp_path, u_item=[movie_line(31, "Old (1922)")], u_data=[rated(1, 31)]))
    cleaner.clean(parse("standard"))
    assert applied == list(BY_ID)
    applied.clear()
    cleaner.clean(parse("standard +old-movies"))
    assert applied == ["few-ratings-movies", "few-ratings-users", "titles", "gender", "unused-columns"]
    applied.clear()
    cleaner.clean(parse("standard +old-movies +few-ratings-users:3"))
    assert applied == ["few-ratings-users"]
