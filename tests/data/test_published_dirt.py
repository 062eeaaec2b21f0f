"""What the rules remove from the published files."""

from pathlib import Path

import pytest

from movietui.data.cleaning import cleaner as cleaning
from movietui.data.cleaning.cleaner import CleaningReport, RuleResult, parse
from movietui.data.movielens import reader as movielens
from tests.data.cleaned import by_rule

pytestmark = pytest.mark.real


def cleaned(datasets_folder: Path, name: str, text: str) -> tuple[CleaningReport, dict[str, RuleResult]]:
    report = cleaning.clean(name, movielens.read(datasets_folder / f"{name}.zip"), parse(text))[1]
    return report, by_rule(report)


DIRT = {
    # The numbers of ratings and movies that each rule removes from the published rows.
    "ml-100k": {
        "same-title-twice": (307, 18),
        "newest-of-title": (85, 3),
        "no-genre": (10, 2),
        "no-year": (9, 1),
        "old-movies": (56, 2),
        "few-ratings-movies": (713, 333),
    },
    "ml-1m": {
        "newest-of-title": (4672, 21),
        "old-movies": (1741, 37),
        "few-ratings-movies": (598, 177 + 290),  # 177 were never rated
    },
    "ml-latest-small": {
        "same-title-twice": (4, 5),
        "newest-of-title": (297, 45),
        "no-genre": (47, 34),
        "no-year": (17, 12),
        "old-movies": (141, 47),
        "few-ratings-movies": (10_562, 6092),
    },
}


@pytest.mark.parametrize("name", DIRT)
def test_the_dirt_of_the_published_files(datasets_folder: Path, name: str) -> None:
    _, results = cleaned(datasets_folder, name, "none")
    removed = {rule: (result.removed, result.removed_movies) for rule, result in results.items()}
    assert {rule: counts for rule, counts in removed.items() if counts != (0, 0)} == DIRT[name]
    assert {result.before for result in results.values()} == {results["missing-values"].before}
    never = {"ml-1m": "177 never rated", "ml-latest-small": "18 never rated"}.get(name, "")
    assert results["few-ratings-movies"].note == never


def test_changes_to_the_published_100k(datasets_folder: Path) -> None:
    report, results = cleaned(datasets_folder, "ml-100k", "standard")
    assert (report.ratings, report.users, report.movies) == (99_683, 943, 1662)
    assert results["titles"].note.endswith("3 trimmed")
    assert results["gender"].note == "273 F, 670 M"
    assert results["unused-columns"].changed == 943


def test_source_004_on_the_published_100k(datasets_folder: Path) -> None:
    report, results = cleaned(datasets_folder, "ml-100k", "as in 004")
    # The authors start from "100000 ratings by 943 users on 1682 items", and remove movies with fewer than 5 ratings,
    # without a genre or from before 1930.
    assert (results["missing-values"].before, report.users) == (100_000, 943)
    assert (report.ratings, report.movies) == (99_224, 1347)
    assert results["few-ratings-movies"].removed_movies == 333 - 2  # earlier rules removed two of these
    assert results["same-title-twice"].on is False
