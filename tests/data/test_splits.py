import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from movietui.data import catalogue, split_names, splits
from movietui.data.dataset import Dataset, Ratings
from movietui.data.problems import Problem


@pytest.fixture
def demo() -> Dataset:
    return catalogue.load("demo", "none")


NAMES = [name for name in split_names.NAMES if not name.startswith("u")]
WHOLE = [name for name in NAMES if name not in ("new-users", "strong")]


@pytest.mark.parametrize("name", WHOLE)
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
    time = np.ones(30, np.int64)
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


def test_loo_selects_the_newest_rating_of_each_user(demo: Dataset) -> None:
    tied = replace(demo.ratings, time=demo.ratings.time // 100_000)
    cut = splits.split(replace(demo, ratings=tied), "loo")
    expected = [max(demo.rows_of(user), key=lambda row: (tied.time[row], row)) for user in np.unique(tied.user)]
    assert sorted(cut.test) == sorted(expected)
    assert cut.fold_in is None


@pytest.mark.parametrize("seed", [0, 3])
def test_new_users_are_not_in_train(demo: Dataset, seed: int) -> None:
    cut = splits.split(demo, "new-users", seed)
    assert cut.fold_in is not None
    assert sorted([*cut.train, *cut.test, *cut.fold_in]) == list(range(len(demo.ratings)))
    user = demo.ratings.user
    new = np.unique(user[cut.test])
    assert not np.isin(user[cut.train], new).any()
    shuffled = np.arange(len(demo.users))
    np.random.RandomState(seed).shuffle(shuffled)
    assert new.tolist() == sorted(shuffled[: round(len(demo.users) / 10)].tolist())
    for each in new:
        assert (user[cut.test] == each).sum() == max(1, int(0.2 * len(demo.rows_of(each))))
    other = splits.split(demo, "new-users", seed + 1)
    assert cut.test.tolist() == splits.split(demo, "new-users", seed).test.tolist() != other.test.tolist()


def test_a_new_user_with_one_rating_has_it_in_test(demo: Dataset) -> None:
    user = np.arange(30, dtype=np.int32)
    ones = Ratings(user, user, np.ones(30, np.float32), np.zeros(30, np.int64))
    cut = splits.split(replace(demo, ratings=ones), "new-users")
    assert cut.fold_in is not None
    assert (len(cut.test), len(cut.fold_in)) == (3, 0)


def strong_as_published(ratings: pd.DataFrame, seed: int, new: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the rows of train, fold-in and test, by the steps in the notebook of Liang et al. (2018).

    ``new`` is the number of test users.
    """
    raw = ratings[ratings["stars"] > 3.5]
    activity = raw.groupby("user").size()
    raw = raw[raw["user"].isin(activity.index[activity >= 5])]
    users = raw.groupby("user").size().index
    np.random.seed(seed)
    users = users[np.random.permutation(users.size)]
    train = raw[raw["user"].isin(users[: len(users) - 2 * new])]
    tested = raw[raw["user"].isin(users[len(users) - new :])]
    tested = tested[tested["movie"].isin(train["movie"].unique())]
    folded, held_out = [], []
    np.random.seed(seed)
    for _, group in tested.groupby("user"):
        chosen = np.zeros(len(group), bool)
        if len(group) >= 5:
            chosen[np.random.choice(len(group), size=int(0.2 * len(group)), replace=False)] = True
        folded.append(group[~chosen])
        held_out.append(group[chosen])
    return train, pd.concat(folded), pd.concat(held_out)


@pytest.mark.parametrize(("seed", "limit"), [(0, 10_000), (2, 10_000), (0, 7)])
def test_strong_is_as_published(demo: Dataset, monkeypatch: pytest.MonkeyPatch, seed: int, limit: int) -> None:
    monkeypatch.setattr(splits, "STRONG_USERS", limit)
    # The rows of users are shuffled, so that their order is not that of the ids.
    ids = np.random.RandomState(1).permutation(len(demo.users)) + 1
    shuffled = replace(demo, users=replace(demo.users, ids=tuple(map(str, ids.tolist()))))
    cut = splits.split(shuffled, "strong", seed)
    ratings = demo.ratings
    frame = pd.DataFrame({"user": ids[ratings.user], "movie": ratings.movie, "stars": ratings.stars})
    usable = int((frame[frame["stars"] > 3.5].groupby("user").size() >= 5).sum())
    expected = strong_as_published(frame, 98765 + seed, min(limit, usable // 10))
    for rows, part in zip((cut.train, cut.fold_in, cut.test), expected, strict=True):
        assert rows is not None
        assert sorted(rows) == sorted(part.index)
    assert len(np.unique(ratings.user[cut.test])) == min(limit, usable // 10)


def test_strong_sorts_ids_that_are_not_numbers_as_text() -> None:
    assert splits._sorted_by_id(("10", "9", "1")) == [2, 1, 0]
    assert splits._sorted_by_id(("10", "9", "a1")) == [0, 1, 2]
    assert splits._sorted_by_id(("9" * 5000, "10")) == [1, 0]


def test_a_dataset_may_be_too_small_for_strong(demo: Dataset) -> None:
    few = replace(demo, ratings=demo.ratings.take(np.arange(40)))
    with pytest.raises(Problem, match=r"too few users with 5 ratings above 3\.5 stars"):
        splits.split(few, "strong")


def test_folds_have_one_protocol() -> None:
    protocols = {name: split_names.protocol(name) for name in split_names.NAMES}
    assert {name for name, each in protocols.items() if each == "kfold5"} == {f"kfold5-{fold}" for fold in range(5)}
    assert {name for name, each in protocols.items() if each == "u"} == {f"u{fold}" for fold in range(1, 6)}
    assert all(name == each for name, each in protocols.items() if each not in ("kfold5", "u"))


def test_what_was_typed_is_checked_by_its_name(tmp_path: Path) -> None:
    folds = tmp_path / "folds.csv"
    folds.write_text("user,movie,part\n", encoding="utf-8")
    for name in ("kfold5-0", "strong", str(folds)):
        split_names.check(name, "ml-1m")
    split_names.check("u5", "ml-100k")
    for name, problem in (
        ("u5", "Only ml-100k has the split u5; for ml-1m, choose another"),
        ("kfold5", "There is no split 'kfold5'; did you mean kfold5-0"),
        ("no-such.csv", "There is no file no-such.csv"),
        ("~nobody-here/folds.csv", "There is no file ~nobody-here/folds.csv"),
        (f"/{'x' * 300}", "There is no file /xxx"),
        (str(tmp_path), "There is no file /"),
    ):
        with pytest.raises(Problem, match=problem):
            split_names.check(name, "ml-1m")
    assert split_names.resolved("random80") == "random80"
    assert split_names.resolved("folds.csv") == str(Path.cwd() / "folds.csv")
    split_names.check_seed("random80", 3)
    split_names.check_seed("latest", 0)
    with pytest.raises(Problem, match="latest is the same with every split seed"):
        split_names.check_seed("latest", 3)
    with pytest.raises(Problem, match=r"folds\.csv is the same with every split seed"):
        split_names.check_seed("folds.csv", 3)


@pytest.mark.parametrize("name", split_names.WITHOUT_SEED[5:])
def test_splits_without_seed_are_the_same_for_every_seed(demo: Dataset, name: str) -> None:
    one, other = (splits.split(demo, name, seed).test for seed in (0, 1))
    assert one.tolist() == other.tolist()


@pytest.mark.parametrize("name", [name for name in NAMES if name not in split_names.WITHOUT_SEED])
def test_splits_with_seed_differ(demo: Dataset, name: str) -> None:
    one, other = (splits.split(demo, name, seed).test for seed in (0, 1))
    assert one.tolist() != other.tolist()


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
def rows_in_file(datasets_folder: Path) -> Callable[[str], set[tuple[str, ...]]]:
    def read(name: str) -> set[tuple[str, ...]]:
        with zipfile.ZipFile(datasets_folder / "ml-100k.zip") as archive:
            text = archive.read(f"ml-100k/{name}").decode("latin-1")
        return {tuple(line.split("\t")) for line in text.splitlines()}

    return read


@pytest.mark.real
@pytest.mark.parametrize("fold", [1, 5])
def test_u_splits_are_those_in_the_archive(
    datasets_folder: Path, rows_in_file: Callable[[str], set[tuple[str, ...]]], fold: int
) -> None:
    catalogue.get("ml-100k", datasets_folder / "ml-100k.zip")
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
