"""Networks over embeddings that several workers train, with and without Spark."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from movietui.data.cluster.dataset import ClusterDataset
from movietui.data.dataset import Dataset
from movietui.data.problems import Problem
from movietui.data.storage.remote_view import RemoteView, find
from movietui.models import MODELS
from movietui.models.base import AnyModel, History, history_of
from movietui.models.checkpoints import load, read_manifest, save
from movietui.models.cluster import networks
from movietui.models.cluster.fits import FITS, fit
from movietui.models.cluster.networks import NETWORKS
from movietui.models.cluster.partitions import Block, Partitions, partitioned
from movietui.models.embedding_networks import HybridSettings
from movietui.models.embedding_products import DotSettings
from movietui.models.embeddings import Embedded
from movietui.models.serving.ranking import Ranker, Viewer
from tests.models.builders import rmse, tastes

DATASET, HELD_OUT = tastes(share=0.7)
DOT = DotSettings(factors=4, epochs=4, rate=0.03)
HYBRID = HybridSettings(factors=4, members=2, hidden=16, epochs=4, rate=0.05, dropout=0.0, kept_back=0.1)


@pytest.fixture(autouse=True)
def home(stored: ClusterDataset) -> Path:
    """The home that all tests of this module share."""
    return Path(os.environ["MOVIETUI_HOME"])


@pytest.fixture(scope="module")
def train(spark: Any, stored: ClusterDataset) -> Iterator[Partitions]:
    """All ratings, in the cluster's memory."""
    with partitioned(stored, stored.ratings(spark), fewest=3) as partitions:
        yield partitions


@pytest.fixture
def two_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let batches as small as those of the tests be split between two workers."""
    monkeypatch.setattr(networks, "ROWS_PER_WORKER", 20)


def error(model: AnyModel) -> float:
    """The error on the held-out ratings, each user folded in."""
    stars = np.empty(len(HELD_OUT), np.float32)
    for user in np.unique(HELD_OUT.user).tolist():
        rows = HELD_OUT.user == user
        rated = history_of(DATASET, user)
        stars[rows] = model.expect(model.fold_in(History(rated.movies, rated.stars))).stars[HELD_OUT.movie[rows]]
    return rmse(stars, HELD_OUT.stars)


def leftovers(stored: ClusterDataset) -> list[str]:
    return [each.name for each in Path(stored.uri.removeprefix("file://")).glob("_unfinished*")]


def test_all_models_over_embeddings_are_fitted_by_workers() -> None:
    assert {name for name in MODELS if issubclass(MODELS[name], Embedded)} == {*NETWORKS} <= {*FITS}


# The random start alone changes the error of hybrid by up to 0.1.
@pytest.mark.parametrize(("name", "settings", "tolerance"), [("dot", DOT, 0.02), ("hybrid", HYBRID, 0.1)])
def test_two_workers_on_spark_are_as_good_as_one_machine(
    train: Partitions, stored: ClusterDataset, two_workers: None, name: str, settings: Any, tolerance: float
) -> None:
    assert networks._processes(train, settings) == 2
    there, here = fit(name, train, settings, 0), MODELS[name](settings)
    here.fit(DATASET)
    assert set(there.parameters) >= set(here.parameters)
    assert there.parameters["user"].shape[1] == 1
    assert there.parameters["user_mean"].shape == here.parameters["user_mean"].shape
    assert error(there) < error(here) + tolerance
    assert leftovers(stored) == []


def test_small_batches_and_few_parts_limit_the_workers(train: Partitions, monkeypatch: pytest.MonkeyPatch) -> None:
    assert networks._processes(train, DOT) == 1
    monkeypatch.setattr(networks, "ROWS_PER_WORKER", DOT.plan.batch_of(len(train)))
    assert networks._processes(train, DOT) == 1
    monkeypatch.setattr(networks, "ROWS_PER_WORKER", 1)
    one_part = Partitions(train.dataset, train.ratings.coalesce(1))
    assert networks._processes(one_part, DOT) == 1


def test_a_worker_that_fails_says_why(
    train: Partitions, stored: ClusterDataset, two_workers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_task = networks._in_task

    def damaged_for_one(work: Any) -> Any:
        few_movies = work.features[:10] if os.environ["RANK"] == "1" else work.features
        return in_task(replace(work, features=few_movies))

    monkeypatch.setattr(networks, "_in_task", damaged_for_one)
    said = (
        "dot could not be trained on 2 workers: The ratings at .* are damaged; clean the dataset on the cluster again"
    )
    with pytest.raises(Problem, match=said):
        fit("dot", train, DOT, 0)
    assert leftovers(stored) == []


def test_a_worker_that_dies_is_named_as_the_cause(
    train: Partitions, stored: ClusterDataset, two_workers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_task = networks._in_task

    def deadly_for_one(work: Any) -> Any:
        if os.environ["RANK"] == "1":
            os.kill(os.getpid(), signal.SIGKILL)
        return in_task(work)

    monkeypatch.setattr(networks, "_in_task", deadly_for_one)
    with pytest.raises(Problem, match="dot could not be trained on 2 workers: a worker died"):
        fit("dot", train, DOT, 0)
    assert leftovers(stored) == []


TORCHRUN = ("torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "movietui.models.cluster.networks")
ARGUMENTS = ("hybrid", "--dataset", "planted", "--set", "kept_back=0.1", "--set", "epochs=2", "--set", "dropout=0")


def test_two_workers_without_spark_train_what_one_trains(
    stored: ClusterDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without normalisation, for which each worker takes its own rows, only rounding differs. Unlike Adam, gradient
    # descent depends on the scale of the gradients.
    arguments = (*ARGUMENTS, "--set", "normalise=no", "--set", "adam=no", "--set", "rate=0.02", "--output")
    for name, value in {"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}.items():
        monkeypatch.setenv(name, value)
    networks.main([*arguments, str(tmp_path / "one")])
    started = subprocess.run(
        [sys.executable, "-m", *TORCHRUN, *arguments, str(tmp_path / "two")],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode == 0, started.stderr
    assert "epoch 2 of 2: rmse 0." in started.stdout
    dataset = view_of(stored)
    one, two = (load(tmp_path / each, dataset)[0].parameters for each in ("one", "two"))
    assert set(one) == set(two)
    assert read_manifest(tmp_path / "one").fitted_on == "all ratings"
    for name in one:
        assert np.linalg.norm(two[name] - one[name]) <= 0.002 * np.linalg.norm(one[name])


def view_of(stored: ClusterDataset) -> RemoteView:
    dataset = find("planted", stored.fingerprint)
    assert dataset is not None
    return dataset


def test_the_checkpoint_serves_without_spark(
    train: Partitions, stored: ClusterDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = fit("ncf", train, MODELS["ncf"].settings_type(members=1, epochs=1), 0)
    save(tmp_path / "ncf", model, view_of(stored))
    for name in [*sys.modules]:
        if name.partition(".")[0] in ("pyspark", "py4j"):
            monkeypatch.setitem(sys.modules, name, None)
    dataset = view_of(stored).read_users(["u3", "u15"])
    served = load(tmp_path / "ncf", dataset)[0]
    listed = Ranker(dataset, served).rank([Viewer("user", "u15", history_of(dataset, 1))])
    history = history_of(DATASET, 15)
    expected = model.expect(model.fold_in(History(history.movies, history.stars)))
    np.testing.assert_allclose(listed.stars, expected.stars, rtol=1e-4)


def parts_of(dataset: Dataset, parts: int) -> list[tuple[int, Block]]:
    ratings = dataset.ratings
    chosen = [ratings.take(np.flatnonzero(ratings.user % parts == part)) for part in range(parts)]
    return [(number, Block.of(each.user, each.movie, each.stars)) for number, each in enumerate(chosen)]


@pytest.mark.parametrize("kept_back", [0.0, 0.1])
def test_batches_are_the_same_with_any_number_of_workers(kept_back: float) -> None:
    from movietui.models.cluster.workers import Share

    blocks, count, every = parts_of(DATASET, 5), 40, []
    for workers in (1, 2, 5):
        shares = [Share(blocks[worker::workers], 7, kept_back) for worker in range(workers)]
        rows = sum(len(share.learned) for share in shares)
        assert rows + sum(len(share.held_out) for share in shares) == len(DATASET.ratings)
        epochs = []
        for epoch in (1, 2):
            batches: list[list[Any]] = [[] for _ in range(count)]
            weight = np.zeros(count)
            for share in shares:
                for number, index in enumerate(share.batches(epoch, count, rows / count)):
                    if share.weight:
                        seen = index.numpy()
                        user, movie = share.users[share.user[seen]], share.movie[seen]
                        batches[number] += zip(user.tolist(), movie.tolist(), strict=True)
                        weight[number] += share.weight
            assert len({pair for batch in batches for pair in batch}) == sum(map(len, batches)) == rows
            np.testing.assert_allclose(weight, [len(batch) / rows * count for batch in batches])
            assert weight.min() > 0.9
            assert weight.max() < 1.1
            epochs.append([sorted(batch) for batch in batches])
        assert epochs[0] != epochs[1]
        every.append(epochs)
    assert every[0] == every[1] == every[2]


def test_a_worker_without_rows_in_a_batch_takes_part_with_no_weight() -> None:
    from movietui.models.cluster.workers import Share

    share = Share(parts_of(DATASET, 50)[:1], 0, 0.0)
    few = len(share.learned)
    weights = [(len(index), share.weight) for index in share.batches(1, 3 * few, 1.0)]
    assert sum(weight for _, weight in weights) == few
    assert all(length == (weight or 2) for length, weight in weights)
    assert 0.0 in dict(weights).values()
