"""Models that are fitted and used on a cluster, against the same models on one machine."""

import itertools
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from movietui.data.cluster.dataset import ClusterDataset
from movietui.data.cluster.splits import NAMES, bucket, canonical, split
from movietui.data.dataset import Dataset
from movietui.data.problems import Problem
from movietui.models import MODELS
from movietui.models.als import Als, AlsSettings
from movietui.models.base import AnyModel, History, history_of
from movietui.models.bayes import BayesSettings
from movietui.models.bias import BiasSettings
from movietui.models.evaluation.measure import lists_of_users
from movietui.models.ials import IalsSettings
from movietui.models.metrics import ranking_metrics, rating_metrics
from movietui.models.mf import BiasedMFSettings
from movietui.models.settings import Settings
from tests.cluster.stored import store
from tests.models.builders import tastes


def people_rate_what_they_like() -> Dataset:
    """Ratings by users who mostly rate what they like, so that what they rated shows their taste."""
    every = tastes(share=0.9)[0]
    chosen = np.random.RandomState(1).random_sample(len(every.ratings)) < (every.ratings.stars / 5) ** 4
    return every.with_ratings(np.flatnonzero(chosen))


DATASET = people_rate_what_they_like()
FEW_SWEEPS = {
    "als": AlsSettings(factors=4, sweeps=15, ridge=0.1),
    "bayes": BayesSettings(factors=3, sweeps=50),
    "bias": BiasSettings(sweeps=3),
    "mf": BiasedMFSettings(sweeps=3),
    "ials": IalsSettings(factors=3, unseen=3.0),
}


@pytest.fixture(scope="module")
def parts(spark: Any, stored: ClusterDataset) -> Any:
    """The ratings, a tenth of them in the test part."""
    return split(stored.ratings(spark), "random90-by-hash").persist()


def in_memory() -> tuple[Dataset, Any]:
    """The train and the test part of the same split."""
    ratings = DATASET.ratings
    test = bucket(ratings.user.astype(np.int64), ratings.movie.astype(np.int64), 0) == 0
    return DATASET.with_ratings(np.flatnonzero(~test)), ratings.take(np.flatnonzero(test))


def settings_of(name: str) -> Settings:
    return FEW_SWEEPS.get(name) or MODELS[name].settings_type()


@pytest.fixture(scope="module")
def fitted(spark: Any, stored: ClusterDataset, parts: Any) -> dict[str, tuple[AnyModel, AnyModel]]:
    """Each model, fitted on the cluster and in memory; few sweeps and few tasks save time."""
    from movietui.models.cluster.fits import FITS, fit
    from movietui.models.cluster.networks import NETWORKS
    from movietui.models.cluster.partitions import partitioned

    models = {}
    with pytest.MonkeyPatch.context() as patch, partitioned(stored, parts.where("not test"), fewest=3) as train:
        patch.setattr("movietui.models.cluster.als.FEWEST_BLOCKS", 2)
        for module in ("ease", "training.ials", "cluster.als", "cluster.products"):
            patch.setattr(f"movietui.models.{module}.SWEEPS", 3)
        for name in set(FITS) - {*NETWORKS}:  # those have tests of their own
            here = MODELS[name](settings_of(name))
            here.fit(in_memory()[0])
            models[name] = fit(name, train, settings_of(name), 0), here
    return models


def predictions(model: AnyModel, train: Dataset, test: Any) -> Any:
    """The predicted stars of the test part, each user folded in."""
    stars = np.empty(len(test), np.float32)
    for user in np.unique(test.user).tolist():
        rows = test.user == user
        rated = history_of(train, user)
        stars[rows] = model.expect(model.fold_in(History(rated.movies, rated.stars))).stars[test.movie[rows]]
    return stars


@pytest.mark.parametrize("name", ["popularity", "bias", "mf", "item-knn", "ease"])
def test_predictions_are_those_of_one_machine(fitted: dict[str, tuple[AnyModel, AnyModel]], name: str) -> None:
    train = in_memory()[0]
    assert set(fitted[name][0].parameters) == set(fitted[name][1].parameters)
    for user in (0, 4, 77, 149):
        there, here = (model.expect(model.fold_in(history_of(train, user))) for model in fitted[name])
        for each in ("stars", "uncertainty", "score"):
            np.testing.assert_allclose(getattr(there, each), getattr(here, each), rtol=1e-3, atol=1e-3)


def test_ials_scores_much_like_on_one_machine(fitted: dict[str, tuple[AnyModel, AnyModel]]) -> None:
    train, test = in_memory()
    assert set(fitted["ials"][0].parameters) == set(fitted["ials"][1].parameters)
    scores = [
        np.concatenate([model.fold_in(history_of(train, user)).score for user in range(0, 150, 10)])
        for model in fitted["ials"]
    ]
    assert np.corrcoef(*scores)[0, 1] > 0.9
    assert scores[0].std() == pytest.approx(scores[1].std(), rel=0.2)
    there, here = (rating_metrics(predictions(model, train, test), test.stars)["rmse"] for model in fitted["ials"])
    assert there == pytest.approx(here, abs=0.03)


@pytest.mark.parametrize("name", ["popularity", "bias"])
def test_parameters_are_those_of_one_machine(fitted: dict[str, tuple[AnyModel, AnyModel]], name: str) -> None:
    there, here = (model.parameters for model in fitted[name])
    assert set(there) == set(here)
    for key in set(there) - {"user"}:
        np.testing.assert_allclose(there[key], here[key], rtol=1e-5, atol=1e-6)
    if "user" in there:
        np.testing.assert_allclose(there["user"], here["user"][-1:], rtol=1e-5)


@pytest.mark.parametrize("name", ["als", "bayes"])
def test_a_model_has_the_error_that_it_has_on_one_machine(
    fitted: dict[str, tuple[AnyModel, AnyModel]], name: str
) -> None:
    train, test = in_memory()
    there, here = (rating_metrics(predictions(model, train, test), test.stars)["rmse"] for model in fitted[name])
    assert there == pytest.approx(here, abs=0.02)
    for name in ("noise", "user_precision", "gains"):
        one, other = (np.linalg.norm(model.parameters[name]) for model in fitted["als"])
        assert one == pytest.approx(other, rel=0.25)


def test_splits_by_hash_are_those_of_the_same_hash_in_numpy(spark: Any, stored: ClusterDataset) -> None:
    user, movie = DATASET.ratings.user.astype(np.int64), DATASET.ratings.movie.astype(np.int64)
    parts: Any = {
        "random90-by-hash": bucket(user, movie, 5) == 0,
        "random80-by-hash": bucket(user, movie, 5) < 2,
        "kfold5-3-by-hash": bucket(user, movie, 5) // 2 == 3,
        "cold-movies-by-hash": bucket(movie, movie * 0, 5) == 0,
    }
    for name, expected in parts.items():
        rows = split(stored.ratings(spark), name, 5).where("test").toPandas()
        assert 0 < len(rows) < len(DATASET.ratings) / 3
        assert set(zip(rows["user"], rows["movie"], strict=True)) == set(
            zip(user[expected].tolist(), movie[expected].tolist(), strict=True)
        )


def test_latest_is_the_split_of_one_machine(spark: Any, stored: ClusterDataset) -> None:
    from movietui.data.splits import split as split_in_memory

    rows = split(stored.ratings(spark), "latest").where("test").toPandas()
    expected = DATASET.ratings.take(split_in_memory(DATASET, "latest").test)
    assert set(zip(rows["user"], rows["movie"], strict=True)) == set(
        zip(expected.user.tolist(), expected.movie.tolist(), strict=True)
    )


def test_buckets_are_equally_full_for_every_user_movie_and_seed() -> None:
    user, movie = (grid.ravel().astype(np.int64) for grid in np.indices((400, 400)))
    buckets = bucket(user, movie, 0)
    for rows in (user < 5, movie < 5, user == movie, np.ones(len(user), bool)):
        shares = np.bincount(buckets[rows], minlength=10) / rows.sum()
        np.testing.assert_allclose(shares, 0.1, atol=4 * np.sqrt(0.09 / rows.sum()))
    assert 0.08 < (bucket(user, movie, 1) == buckets).mean() < 0.12


def test_an_unknown_split_is_refused_and_a_short_name_means_by_hash() -> None:
    assert canonical("random90") == "random90-by-hash"
    assert [canonical(name) for name in NAMES] == [*NAMES]
    with pytest.raises(Problem, match="There is no split 'u1' on a cluster"):
        canonical("u1")


@pytest.mark.parametrize("name", ["bias", "als"])
def test_rating_metrics_are_those_of_one_machine(
    fitted: dict[str, tuple[AnyModel, AnyModel]], parts: Any, name: str
) -> None:
    from movietui.models.cluster.users import measure_ratings

    model, (train, test) = fitted[name][0], in_memory()
    expected = rating_metrics(predictions(model, train, test), test.stars)
    assert measure_ratings(model, parts) == pytest.approx(expected, rel=1e-5)


def test_ranking_metrics_are_those_of_one_machine(
    fitted: dict[str, tuple[AnyModel, AnyModel]], stored: ClusterDataset, parts: Any
) -> None:
    from movietui.models.cluster.users import measure_lists

    model, (train, test) = fitted["als"][0], in_memory()
    expected = ranking_metrics(lists_of_users(model, train, test), train)
    assert measure_lists(model, stored, parts, "liked", 0) == pytest.approx(expected, rel=1e-5)


def test_a_users_rows_may_be_in_several_batches() -> None:
    import pandas as pd

    from movietui.models.cluster.users import _users_of

    batches = [pd.DataFrame({"user": user, "movie": range(len(user))}) for user in ([1, 1, 2], [], [2, 2], [2, 5], [6])]
    assert [each["user"].tolist() for each in _users_of(iter(batches))] == [[1, 1], [2, 2, 2, 2], [5], [6]]


def test_sums_do_not_depend_on_the_order_in_which_partitions_end() -> None:
    import pandas as pd

    from movietui.models.cluster.partitions import _added

    numbers = [1e16, 1.0, -1e16, 0.1]
    rows = [{"first": first, "content": np.asarray([each]).tobytes()} for first, each in enumerate(numbers)]
    sums = {_added(pd.DataFrame(order))["content"].iloc[0] for order in itertools.permutations(rows)}
    assert sums == {np.asarray([((1e16 + 1.0) - 1e16) + 0.1]).tobytes()}


def test_two_ratings_of_a_movie_by_a_user_are_always_in_the_same_order(spark: Any) -> None:
    from movietui.models.cluster.users import _by_user

    rows = [(1, 7, 2.0), (1, 7, 5.0), (0, 3, 4.0), (0, 3, 1.0)]
    for order in (rows, rows[::-1]):
        frame = spark.createDataFrame(order, "user int, movie int, stars float").coalesce(1)
        of_user = {user: [row["stars"] for row in _by_user(frame).collect() if row["user"] == user] for user in (0, 1)}
        assert of_user == {0: [1.0, 4.0], 1: [2.0, 5.0]}


def test_scratch_folders_of_dead_trainings_are_removed(spark: Any, stored: ClusterDataset, tmp_path: Path) -> None:
    long_ago, beside = 10**9, tmp_path / "dataset"
    for name in ("_unfinished-dead", "_unfinished-running", "tables-of-the-dataset"):
        checkpoints = beside / name / "checkpoints"
        checkpoints.mkdir(parents=True)
        for folder in (checkpoints, checkpoints.parent)[name == "_unfinished-running" :]:
            os.utime(folder, (long_ago, long_ago))
    left = {"_unfinished-running", "tables-of-the-dataset"}
    with replace(stored, uri=beside.as_uri()).scratch(spark) as scratch:
        mine = Path(scratch.removeprefix("file://"))
        mine.mkdir()
        assert {each.name for each in beside.iterdir()} == {mine.name, *left}
    assert {each.name for each in beside.iterdir()} == left


@pytest.mark.parametrize(
    ("name", "settings"),
    [("mf", BiasedMFSettings(factors=2, sweeps=2)), ("bayes", BayesSettings(factors=2, sweeps=3, samples=2))],
)
def test_a_fit_does_not_depend_on_where_the_ratings_are(
    spark: Any, stored: ClusterDataset, name: str, settings: Settings
) -> None:
    from movietui.models.cluster.fits import fit
    from movietui.models.cluster.partitions import partitioned

    fits = []
    for files in (1, 5):
        with partitioned(stored, stored.ratings(spark).repartition(files, "movie"), fewest=3) as train:
            fits.append(fit(name, train, settings, 7).parameters)
    for key in fits[0]:
        np.testing.assert_array_equal(*(each[key] for each in fits))


@pytest.mark.real
def test_als_on_ml_1m_has_the_error_that_it_has_on_one_machine(
    spark: Any, datasets_folder: Path, tmp_path: Path
) -> None:
    from movietui.data import catalogue
    from movietui.models.cluster.fits import fit
    from movietui.models.cluster.partitions import partitioned
    from movietui.models.cluster.users import measure_ratings

    archive = datasets_folder / "ml-1m.zip"
    if not archive.exists():
        pytest.skip("the real ML-1M is not beside the repository")
    catalogue.get("ml-1m", archive)
    dataset = catalogue.load("ml-1m", "none")
    ratings, stored = dataset.ratings, store(dataset, tmp_path / "cluster")
    test = bucket(ratings.user.astype(np.int64), ratings.movie.astype(np.int64), 0) == 0
    here = Als()
    here.fit(dataset.with_ratings(np.flatnonzero(~test)))
    held_out = ratings.take(np.flatnonzero(test))
    expected = rating_metrics(here.predict(held_out.user, held_out.movie), held_out.stars)["rmse"]
    parts = split(stored.ratings(spark), "random90")
    with partitioned(stored, parts.where("not test")) as train:
        model = fit("als", train, AlsSettings(), 0)
    assert expected < 0.853
    assert measure_ratings(model, parts)["rmse"] == pytest.approx(expected, abs=0.001)
