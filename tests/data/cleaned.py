"""Small datasets for the tests of cleaning."""

from pathlib import Path

from movietui.data.cleaning import cleaner as cleaning
from movietui.data.cleaning.cleaner import CleaningReport, RuleResult, parse
from movietui.data.cleaning.encoding import encode
from movietui.data.dataset import Dataset
from movietui.data.movielens import reader as movielens
from movietui.data.movielens.release import Raw
from tests.data.files import contents, lines, write_folder

RATINGS = len(lines()["u.data"])


def read(tmp_path: Path, **added: list[str]) -> Raw:
    whole = lines()
    changed = {name.replace("_", "."): whole[name.replace("_", ".")] + more for name, more in added.items()}
    return movielens.read(write_folder(tmp_path / "files", contents(changed)))


def clean(
    tmp_path: Path, text: str = "standard", **added: list[str]
) -> tuple[Dataset, CleaningReport, dict[str, RuleResult]]:
    tables, report = cleaning.clean("small", read(tmp_path, **added), parse(text))
    return encode("small", tables, text), report, by_rule(report)


def ratings_of(dataset: Dataset) -> list[tuple[str, str, float]]:
    ratings = dataset.ratings
    return [
        (dataset.users.ids[user], dataset.movies.ids[movie], float(stars))
        for user, movie, stars in zip(ratings.user, ratings.movie, ratings.stars, strict=True)
    ]


def rated(user: int, movie: int, stars: float = 4, time: int = 890_000_000) -> str:
    return f"{user}\t{movie}\t{stars}\t{time}"


def by_rule(report: CleaningReport) -> dict[str, RuleResult]:
    """Return the result of each rule in a report, by the id of the rule."""
    return {result.rule: result for result in report.rules}
