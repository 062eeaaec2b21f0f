"""The lists of the rows that each rule removed or changed."""

import json
from pathlib import Path
from typing import Any

import pytest

from movietui.data.cleaning.cleaner import Cleaner, parse
from movietui.data.problems import Problem
from tests.data.cleaned import rated, read
from tests.data.files import lines, movie_line


def test_part_of_the_rows_that_a_rule_removed(tmp_path: Path) -> None:
    bad = [f"{user}\t99\t4\t88000000{user}" for user in range(1, 8)]
    cleaner = Cleaner("small", read(tmp_path, u_data=bad))
    shown = cleaner.removed_rows(parse("standard"), "unknown-ids", 5, 3).to_json()
    assert shown == {
        "rule": "unknown-ids",
        "title": "unknown user or movie",
        "on": True,
        "columns": ["user", "movie", "title", "stars", "rated on"],
        "total": 7,
        "offset": 5,
        "rows": [[6, 99, "Movie 99", 4.0, "1997-11-20"], [7, 99, "Movie 99", 4.0, "1997-11-20"]],
    }
    off = cleaner.removed_rows(parse("none"), "unknown-ids", 0, 1)
    assert (off.on, off.total, len(off.rows)) == (False, 7, 1)


@pytest.mark.parametrize(
    ("rule", "row"),
    [
        ("malformed-lines", ["u.data", 241, "it should have 4 fields, not 1"]),
        ("missing-values", ["?", 2, "Film Number 2 (1995)", "?", "?"]),
        ("same-title-twice", ["Film Number 1", 1995, "1 and 31", 5, 1]),
        ("few-ratings-movies", [32, "Rare", 1922, "Comedy, Drama", 1]),
        ("few-ratings-users", [13, 0]),
        ("titles", [32, "Rare (1922)", "Rare", 1922]),
        ("gender", [1, "M", 1]),
        ("unused-columns", [1, "00001"]),
    ],
)
def test_the_rows_of_each_rule(tmp_path: Path, rule: str, row: list[Any]) -> None:
    movies = [movie_line(31, "Film Number 1 (1995)"), movie_line(32, "Rare (1922)", genres=("Comedy", "Drama"))]
    rates_1 = next(line.split("\t")[0] for line in lines()["u.data"] if line.split("\t")[1] == "1")
    data = ["nonsense", "\t2\t\t", f"{rates_1}\t31\t3\t990000000", rated(1, 32)]
    raw = read(tmp_path, u_item=movies, u_data=data, u_user=["13|30||none|1"])
    shown = json.loads(json.dumps(Cleaner("small", raw).removed_rows(parse("standard"), rule, 0, 100).to_json()))
    assert row in shown["rows"]
    assert shown["total"] == len(shown["rows"])
    assert all(len(cells) == len(shown["columns"]) for cells in shown["rows"])


def test_an_unknown_rule_has_no_rows(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="There is no cleaning rule 'dust'; choose one of malformed-lines"):
        Cleaner("small", read(tmp_path)).removed_rows(parse("none"), "dust", 0, 1)
