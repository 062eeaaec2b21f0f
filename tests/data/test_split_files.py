"""Splits in files."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from movietui.data import catalogue, splits
from movietui.data.dataset import Dataset
from movietui.data.problems import Problem
from movietui.data.splits import split
from tests.data.tables import rated, write

HEADER = ("user", "movie", "part")
TEST = 5
"""Every fifth rating is in the test part."""


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    catalogue.get("mine", write(tmp_path / "mine.csv", ("user", "item", "rating", "time"), rated()))
    return catalogue.load("mine", "none")


def parts() -> list[tuple[str, str, str]]:
    return [(user, item, "train" if row % TEST else "test") for row, (user, item, _, _) in enumerate(rated())]


@pytest.mark.parametrize("header", [HEADER, ("Part", "item_id", "userId")])
@pytest.mark.parametrize("ending", [".csv", ".tsv", ".parquet"])
def test_a_file_says_which_ratings_are_in_which_part(
    tmp_path: Path, dataset: Dataset, header: tuple[str, ...], ending: str
) -> None:
    rows = parts() if header == HEADER else [row[::-1] for row in parts()]
    path = tmp_path / f"folds{ending}"
    if ending == ".parquet":
        pd.DataFrame(rows, columns=[*header]).to_parquet(path)
    else:
        write(path, header, rows[::-1], "\t" if ending == ".tsv" else ",")
    divided = split(dataset, str(path))
    assert divided.test.tolist() == [row for row in range(len(rated())) if row % TEST == 0]
    assert divided.train.tolist() == [row for row in range(len(rated())) if row % TEST]


def test_ratings_that_a_file_leaves_out_are_in_neither_part(tmp_path: Path, dataset: Dataset) -> None:
    divided = split(dataset, str(write(tmp_path / "folds.csv", HEADER, parts()[10:])))
    assert min(divided.train.min(), divided.test.min()) == 10
    assert len(divided.train) + len(divided.test) == len(rated()) - 10


def test_all_ratings_of_a_pair_are_in_its_part(tmp_path: Path) -> None:
    rows = [*rated(), *rated()[:10]]
    catalogue.get("twice", write(tmp_path / "mine.csv", ("user", "item", "rating", "time"), rows))
    divided = split(catalogue.load("twice", "none"), str(write(tmp_path / "folds.csv", HEADER, parts())))
    assert {0, len(rated())} <= {*divided.test.tolist()}
    assert len(divided.train) + len(divided.test) == len(rows)


def test_rows_that_cleaning_removed_are_ignored(tmp_path: Path, dataset: Dataset) -> None:
    fewer = catalogue.load("mine", "none +few-ratings-movies:16")
    assert 0 < len(fewer.ratings) < len(rated())
    divided = split(fewer, str(write(tmp_path / "folds.csv", HEADER, parts())))
    assert len(divided.train) + len(divided.test) == len(fewer.ratings)


def test_the_name_changes_with_the_content(tmp_path: Path, dataset: Dataset) -> None:
    path = write(tmp_path / "folds.csv", HEADER, parts())
    before = split(dataset, str(path)).name
    assert before.startswith("folds.csv:")
    assert splits.name_of(str(path)) == before
    write(path, HEADER, parts()[1:])
    assert splits.name_of(str(path)) != before
    assert splits.name_of("random80") == "random80"


@pytest.mark.parametrize(
    ("header", "rows", "sentence"),
    [
        (("user", "movie", "set"), parts(), "has the columns user, movie, set; a split needs user, movie and part"),
        (
            HEADER,
            [*parts(), ("nobody", "it_1é", "test")],
            r"folds.csv has rows that are not ratings of mine \(1 in all\), such as user nobody",
        ),
        (HEADER, [*parts(), (*parts()[1][:2], "test")], r"puts ratings into both parts \(1 in all\), such as user Us-"),
        (
            HEADER,
            [*parts()[2:], (*parts()[1][:2], "validation")],
            "A part in folds.csv is 'validation'; write train or test",
        ),
        (HEADER, [*parts()[2:], (*parts()[1][:2], "")], "A part in folds.csv is empty"),
        (HEADER, [row for row in parts() if row[2] == "train"], "has no ratings of mine in the part test"),
        (HEADER, [*parts(), ("a", "b")], "Line .* of folds.csv is wrong"),
    ],
)
def test_files_that_do_not_fit_are_refused(
    tmp_path: Path, dataset: Dataset, header: tuple[str, ...], rows: list[tuple[str, ...]], sentence: str
) -> None:
    with pytest.raises(Problem, match=sentence):
        split(dataset, str(write(tmp_path / "folds.csv", header, rows)))


def test_a_missing_file_is_refused(dataset: Dataset) -> None:
    with pytest.raises(Problem, match="There is no file or folder nowhere"):
        split(dataset, "nowhere.csv")


@pytest.mark.parametrize("name", ["latest", "latest-global", "cold-newest"])
def test_splits_by_time_need_times(tmp_path: Path, name: str) -> None:
    catalogue.get("undated", write(tmp_path / "mine.csv", ("user", "item", "rating"), [row[:3] for row in rated()]))
    with pytest.raises(Problem, match="undated does not say when its ratings were given"):
        split(catalogue.load("undated", "none"), name)
    assert np.array_equal(split(catalogue.load("undated", "none"), "random80").test[:0], [])
