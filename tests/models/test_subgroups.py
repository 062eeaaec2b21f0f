"""Where a model fails."""

from dataclasses import replace

import numpy as np
import pytest

from movietui.data.dataset import Dataset, Ratings
from movietui.data.splits import Split
from movietui.models.evaluation.parts import Parts
from movietui.models.evaluation.subgroups import Subgroup, subgroups
from tests.models.builders import dataset


@pytest.fixture
def train() -> Dataset:
    """Users 0, 1 and 2 have 20, 1 and 0 ratings; movie 0 has two ratings, movies 1 to 19 have one each."""
    made = dataset([0] * 20 + [1], [*range(20), 0], [3.0] * 21, 3, 22)
    users = replace(made.users, age=np.int32([17, 35, 0]), gender=("F", "M", ""), occupation=("artist", "", "artist"))
    genres = np.zeros((22, 2), bool)
    genres[0], genres[1] = [True, True], [False, True]
    return replace(made, users=users, movies=replace(made.movies, genres=genres, genre_names=("Comedy", "Drama")))


def parts_with(train: Dataset, test: Ratings) -> Parts:
    nothing = np.empty(0, np.intp)
    return Parts(Split("planted", nothing, nothing), train, train, test)


def errors_of(train: Dataset) -> dict[tuple[str, str], Subgroup]:
    test = dataset([0, 1, 1, 2], [21, 0, 1, 1], [3.0, 3.0, 5.0, 4.0], 3, 22).ratings
    rows = subgroups(parts_with(train, test), np.float32([4, 4, 4, 2]))
    assert len({(row.by, row.group) for row in rows}) == len(rows)
    return {(row.by, row.group): row for row in rows}


def test_users_by_their_number_of_ratings(train: Dataset) -> None:
    rows = errors_of(train)
    by = "ratings of the user"
    assert [group for name, group in rows if name == by] == ["0", "1–19", "20–49"]
    assert rows[by, "0"] == Subgroup(by, "0", 1, 1, 2.0, 2.0, -2.0)
    assert rows[by, "1–19"] == Subgroup(by, "1–19", 2, 1, 1.0, 1.0, 0.0)
    assert rows[by, "20–49"].too_high == 1


def test_movies_by_how_often_they_were_rated(train: Dataset) -> None:
    rows = errors_of(train)
    sizes = {group: row.rows for (by, group), row in rows.items() if by == "ratings of the movie"}
    assert sizes == {"0": 1, "1–4": 3}


def test_demographics_and_genres(train: Dataset) -> None:
    rows = errors_of(train)
    assert {key: (row.rows, row.users) for key, row in rows.items() if not key[0].startswith("ratings")} == {
        ("age", "0–17"): (1, 1),
        ("age", "35–44"): (2, 1),
        ("gender", "F"): (1, 1),
        ("gender", "M"): (2, 1),
        ("occupation", "artist"): (2, 2),
        ("genre", "Comedy"): (1, 1),
        ("genre", "Drama"): (3, 2),
    }
    assert rows["occupation", "artist"].rmse == pytest.approx(np.sqrt((1 + 4) / 2))
    assert rows["genre", "Drama"].mae == pytest.approx((1 + 1 + 2) / 3)


def test_missing_demographics_are_left_out(train: Dataset) -> None:
    without_demographics = replace(
        train, users=replace(train.users, age=np.empty(0, np.int32), gender=(), occupation=())
    )
    assert {by for by, _ in errors_of(without_demographics)} == {"ratings of the user", "ratings of the movie", "genre"}
