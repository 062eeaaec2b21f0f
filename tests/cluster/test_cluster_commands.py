"""``movietui cluster train``, ``evaluate`` and ``recommend``, and lists that need no Spark afterwards."""

import contextlib
import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from movietui.cli import cli
from movietui.data.cluster.dataset import ClusterDataset
from movietui.data.storage import locations
from movietui.data.storage.remote_view import find
from movietui.models.base import history_of
from movietui.models.checkpoints import load
from movietui.models.serving.ranking import Ranker, Viewer
from movietui.store.ratings import Store
from tests.models.builders import tastes
from tests.movietui.commands import document, refused

DATASET = tastes()[0]
Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def home(stored: ClusterDataset) -> Path:
    """The home that all tests of this module share."""
    return Path(os.environ["MOVIETUI_HOME"])


@pytest.fixture(scope="module")
def movietui(spark: Any, stored: ClusterDataset) -> Iterator[Run]:
    """Runs a command in the session of the tests, which the command does not stop."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("movietui.jobs.cluster.session", lambda *_: contextlib.nullcontext(spark))
        yield lambda *arguments: CliRunner().invoke(cli, arguments)


@pytest.fixture(scope="module")
def trained(movietui: Run) -> dict[str, Any]:
    arguments = "cluster train als --dataset planted --set factors=4 --set sweeps=10 --set ridge=0.1 --seed 3 --json"
    result: dict[str, Any] = document(movietui(*arguments.split()))
    return result


def test_training_stores_a_run_and_its_checkpoint(trained: dict[str, Any], stored: ClusterDataset) -> None:
    assert (trained["model"], trained["dataset"], trained["seed"]) == ("als", "planted", 3)
    assert (trained["split"], trained["fitted_on"], trained["device"]) == ("random90-by-hash", "train", "spark")
    assert trained["settings"]["factors"] == 4
    assert 0.5 < trained["metrics"]["rmse"] < 1
    assert 0 < trained["metrics"]["ndcg@10"] < 1
    opened = Store(locations.store())
    run = opened.serving_runs("planted")[0]
    opened.close()
    assert (run.id, run.state, run.device, run.split) == (trained["run"], "done", "spark", "random90-by-hash")
    assert run.metrics == pytest.approx(trained["metrics"])
    model = load(Path(trained["checkpoint"]), view_of(stored))[0]
    assert model.parameters["mean_user"].shape == (4,)
    assert 0.85 < model.counts.sum() / len(DATASET.ratings) < 0.95


def view_of(stored: ClusterDataset) -> Any:
    dataset = find("planted", stored.fingerprint)
    assert dataset is not None
    return dataset


@pytest.mark.parametrize("command", ["recommend", "taste", "explain"])
def test_a_list_for_a_user_or_a_profile_needs_no_spark(
    trained: dict[str, Any], stored: ClusterDataset, movietui: Run, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    for name in [*sys.modules]:
        if name.partition(".")[0] in ("pyspark", "py4j"):
            monkeypatch.setitem(sys.modules, name, None)
    movie = ["Movie 3"] if command == "explain" else []
    result = document(movietui(command, *movie, "--dataset", "planted", "--model", "als", "--user", "u15", "--json"))
    if command != "recommend":
        assert result["viewers"][0]["ratings"] == len(DATASET.rows_of(15))
        return
    assert result["viewers"] == [{"kind": "user", "id": "u15", "ratings": len(DATASET.rows_of(15))}]
    view = view_of(stored)
    model = load(Path(trained["checkpoint"]), view)[0]
    ranked = Ranker(view, model).rank([Viewer("user", "u15", history_of(DATASET, 15))])
    assert [movie["id"] for movie in result["movies"]] == [f"m{row}" for row in ranked.order[:10]]
    assert [movie["count"] for movie in result["movies"]] == DATASET.counts[ranked.order[:10]].tolist()
    document(movietui("rate", "Movie 3", "5", "--profile", "anna", "--dataset", "planted", "--json"))
    both = document(movietui("recommend", "--dataset", "planted", "--user", "u15", "--profile", "anna", "--json"))
    assert [viewer["ratings"] for viewer in both["viewers"]] == [len(DATASET.rows_of(15)), 1]


def test_an_unknown_user_and_lost_ratings_are_named(
    trained: dict[str, Any], stored: ClusterDataset, movietui: Run
) -> None:
    refused(movietui("recommend", "--dataset", "planted", "--user", "nobody"), "planted has no user 'nobody'")
    folder = Path(stored.uri.removeprefix("file://"))
    folder.rename(folder.with_name("elsewhere"))
    refused(movietui("recommend", "--dataset", "planted", "--user", "u15"), "cannot be read from here")
    folder.with_name("elsewhere").rename(folder)


def test_everyone_gets_the_list_of_one_machine(
    trained: dict[str, Any], stored: ClusterDataset, movietui: Run, tmp_path: Path
) -> None:
    output = tmp_path / "lists"
    arguments = ["cluster", "recommend", "--everyone", "--dataset", "planted", "-k", "7", "--output"]
    written = document(movietui(*arguments, str(output), "--json"))
    assert (written["users"], written["rows"], written["model"]) == (150, 7 * 150, "als")
    assert (output / "_SUCCESS").exists()
    rows = pq.read_table(output).to_pandas().sort_values(["user", "rank"])
    assert set(rows["user"]) == set(DATASET.users.ids)
    view = view_of(stored)
    model = load(Path(trained["checkpoint"]), view)[0]
    for user in (0, 15, 149):
        ranked = Ranker(view, model).rank([Viewer("user", "", history_of(DATASET, user))])
        theirs = rows[rows["user"] == f"u{user}"]
        assert theirs["rank"].tolist() == [*range(1, 8)]
        assert theirs["movie"].tolist() == [f"m{row}" for row in ranked.order[:7]]
        np.testing.assert_allclose(theirs["stars"], ranked.stars[ranked.order[:7]], rtol=1e-4)
    refused(movietui(*arguments, str(output)), "There is already something at file:")
    leftover = tmp_path / "died"
    (leftover / "_temporary").mkdir(parents=True)
    (leftover / "part-00000.snappy.parquet").write_bytes(b"half")
    refused(movietui(*arguments, str(leftover)), "There is already something at file:")
    (leftover / "_unfinished").touch()
    assert document(movietui(*arguments, str(leftover), "--json"))["rows"] == 7 * 150
    assert {each.name for each in leftover.iterdir() if not each.name.startswith((".", "part-"))} == {"_SUCCESS"}


def test_evaluation_prints_a_row_for_each_model_and_split(movietui: Run) -> None:
    arguments = "cluster evaluate popularity --dataset planted --split random80,latest --json"
    rows = document(movietui(*arguments.split()))
    assert [(row["model"], row["split"]) for row in rows] == [
        ("popularity", "random80-by-hash"),
        ("popularity", "latest"),
    ]
    for row in rows:
        assert row["n_train"] + row["n_test"] == len(DATASET.ratings)
        assert 0.8 < row["metrics"]["rmse"] < 1.1
    arguments = "cluster evaluate bias --dataset planted --task ranking --set sweeps=2 --json"
    rows = document(movietui(*arguments.split()))
    assert [row["model"] for row in rows] == ["bias", "popularity"]
    assert all(0 < row["metrics"]["ndcg@10"] < 1 for row in rows)
    table = movietui(*["cluster", "evaluate", "popularity", "--dataset", "planted"])
    assert "random90-by-hash" in table.stdout


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("train nosuch --dataset planted", "There is no model 'nosuch' on a cluster"),
        ("train als --dataset planted --set factors=0", "factors=0 is out of range"),
        ("train als --dataset planted --split u1", "There is no split 'u1' on a cluster"),
        ("train als --dataset nosuch", "There is no dataset nosuch on a cluster"),
        ("evaluate als nosuch --dataset planted", "There is no model 'nosuch' on a cluster"),
    ],
)
def test_a_wrong_name_is_refused_before_spark_starts(
    stored: ClusterDataset, monkeypatch: pytest.MonkeyPatch, arguments: str, expected: str
) -> None:
    monkeypatch.delattr("movietui.jobs.cluster.session")
    refused(CliRunner().invoke(cli, ["cluster", *arguments.split()]), expected)


@pytest.mark.parametrize("command", ["train mf", "evaluate popularity dot"])
def test_an_executor_without_torch_is_named_before_anything_starts(
    movietui: Run, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr("movietui.models.cluster.fits.NEEDED", ("movietui", "no_such_package"))
    monkeypatch.delattr("movietui.jobs.cluster.split")
    before = recorded_runs()
    result = movietui("cluster", *command.split(), "--dataset", "planted")
    expected = rf"{command.split()[-1]} needs no_such_package on every executor, but {socket.gethostname()} has none; "
    refused(result, expected)
    assert recorded_runs() == before


def recorded_runs() -> list[int]:
    with contextlib.closing(Store(locations.store())) as opened:
        return [run.id for run in opened.runs()]


def test_a_failed_training_is_recorded(movietui: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr("movietui.jobs.cluster.fit", fail)
    result = movietui("cluster", "train", "popularity", "--dataset", "planted")
    assert result.exit_code == 1
    opened = Store(locations.store())
    newest = opened.runs()[0]
    opened.close()
    assert (newest.model, newest.state) == ("popularity", "failed")
    assert "no room" in newest.problem
