import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from movietui.data import catalogue, splits
from movietui.data.dataset import Dataset, Ratings
from movietui.data.problems import Problem


@pytest.fixture
def demo() -> Dataset:
    return catalogue.load("demo", "none")


NAMES = [name for name in splits.NAMES if not name.startswith("u")]


@pytest.mark.parametrize("name", NAMES)
def test_each_row_is_either_in_train_or_in_test(demo: Dataset, name: str) -> None:
    cut = splits.split(demo, name)
    assert cut.name == name
    assert sorted([*cut.train, *cut.test]) == list(range(len(demo.ratings)))
    assert (np.diff(cut.train) > 0).all()


def test_the_folds_contain_each_row_once(demo: Dataset) -> None:
    tests = [splits.split(demo, f"kfold5-{fold}").test for fold in range(5)]
    assert sorted(np.concatenate(tests)) == list(range(len(demo.ratings)))


@pytest.mark.parametrize("seed", [0, 7])
def test_the_random_splits_are_as_defined(demo: Dataset, seed: int) -> None:
    index = np.arange(len(demo.ratings))
    np.random.RandomState(seed).shuffle(index)
    for fold in range(5):
        assert (splits.split(demo, f"kfold5-{fold}", seed).test == np.array_split(index, 5)[fold]).all()
    tenth = splits.split(demo, "random90", seed).test
    assert (tenth == index[: len(tenth)]).all()
    assert len(tenth) == round(len(index) / 10)
    assert len(splits.split(demo, "random80", seed).test) == round(len(index) / 5)


def test_latest_selects_the_newest_ratings_of_each_user(demo: Dataset) -> None:
    cut = splits.split(demo, "latest")
    in_test = np.zeros(len(demo.ratings), bool)
    in_test[cut.test] = True
    for user in range(len(demo.users)):
        rows = demo.rows_of(user)
        taken = rows[in_test[rows]]
        assert len(taken) == max(1, int(len(rows) * 0.1))
        assert demo.ratings.time[taken].min() >= demo.ratings.time[rows[~in_test[rows]]].max()


def test_latest_global_splits_at_one_moment(demo: Dataset) -> None:
    cut = splits.split(demo, "latest-global")
    assert demo.ratings.time[cut.train].max() < demo.ratings.time[cut.test].min()
    assert len(cut.test) == pytest.approx(len(demo.ratings) / 10, rel=0.01)


def test_latest_selects_at_least_one_rating_and_the_later_of_equal_times(demo: Dataset) -> None:
    user = np.repeat(np.arange(10, dtype=np.int32), 3)
    time = np.zeros(30, np.int64)
    few = Ratings(user, np.tile(np.arange(3, dtype=np.int32), 10), np.ones(30, np.float32), time)
    assert sorted(splits.split(replace(demo, ratings=few), "latest").test) == list(range(2, 30, 3))


def test_latest_global_keeps_ratings_of_one_moment_together(demo: Dataset) -> None:
    time = np.array([0] * 25 + [9] * 5, np.int64)
    ratings = replace(demo.ratings.take(np.arange(30)), time=time)
    assert splits.split(replace(demo, ratings=ratings), "latest-global").test.tolist() == [25, 26, 27, 28, 29]


def test_cold_splits_keep_all_ratings_of_a_movie_together(demo: Dataset) -> None:
    movie, time = demo.ratings.movie, demo.ratings.time
    rated = np.unique(movie)
    first = {int(each): int(time[movie == each].min()) for each in rated}
    for name, seeds in (("cold-movies", [0, 1]), ("cold-newest", [0])):
        for seed in seeds:
            cut = splits.split(demo, name, seed)
            cold = np.unique(movie[cut.test])
            assert not np.isin(movie[cut.train], cold).any()
            if name == "cold-movies":
                shuffled = np.arange(len(rated))
                np.random.RandomState(seed).shuffle(shuffled)
                assert sorted(rated[shuffled[: round(len(rated) / 10)]]) == cold.tolist()
            else:
                warm = np.unique(movie[cut.train])
                assert min(first[int(each)] for each in cold) >= max(first[int(each)] for each in warm)
                assert len(cut.test) >= len(movie) / 10
                oldest = min(cold.tolist(), key=lambda each: first[each])
                assert len(cut.test) - (movie == oldest).sum() < len(movie) / 10


def test_u_splits_are_only_for_the_published_rows(demo: Dataset) -> None:
    with pytest.raises(Problem, match="use the cleaning none"):
        splits.split(demo, "u1")


def test_unknown_splits_and_too_few_ratings(demo: Dataset) -> None:
    with pytest.raises(Problem, match="choose one of"):
        splits.split(demo, "u6")
    with pytest.raises(Problem, match="too few"):
        splits.split(replace(demo, ratings=demo.ratings.take(np.arange(5))), "random90")


def test_hold_out(demo: Dataset) -> None:
    train = splits.split(demo, "random80").train
    learn, validation = splits.hold_out(train, seed=3)
    assert sorted([*learn, *validation]) == train.tolist()
    assert len(validation) == round(len(train) / 10)
    assert (splits.hold_out(train, seed=3)[1] == validation).all()
    assert (splits.hold_out(train, seed=4)[1] != validation).any()


@pytest.fixture
def rows_in_file(published: Path) -> Callable[[str], set[tuple[str, ...]]]:
    def read(name: str) -> set[tuple[str, ...]]:
        with zipfile.ZipFile(published / "ml-100k.zip") as archive:
            text = archive.read(f"ml-100k/{name}").decode("latin-1")
        return {tuple(line.split("\t")) for line in text.splitlines()}

    return read


@pytest.mark.parametrize("fold", [1, 5])
def test_u_splits_are_those_in_the_archive(
    published: Path, rows_in_file: Callable[[str], set[tuple[str, ...]]], fold: int
) -> None:
    catalogue.get("ml-100k", published / "ml-100k.zip")
    dataset = catalogue.load("ml-100k", "none")
    cut = splits.split(dataset, f"u{fold}")
    for rows, name in ((cut.test, f"u{fold}.test"), (cut.train, f"u{fold}.base")):
        ratings = dataset.ratings.take(rows)
        ours = {
            (dataset.users.ids[user], dataset.movies.ids[movie], f"{stars:g}", str(time))
            for user, movie, stars, time in zip(ratings.user, ratings.movie, ratings.stars, ratings.time, strict=True)
        }
        assert ours == rows_in_file(name)
    with pytest.raises(Problem):
        splits.split(catalogue.load("ml-100k"), "u1")
