"""Datasets on a cluster, as this machine stores them. These tests need no Spark."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from movietui.cli import cli
from movietui.data import catalogue
from movietui.data.problems import Problem
from movietui.data.storage import locations, remote
from movietui.data.storage.remote import RemoteDataset


@pytest.fixture
def saved() -> RemoteDataset:
    """The demo, stored as a dataset on a cluster that is called own."""
    dataset = catalogue.load("demo")
    counts = dataset.counts.astype(np.int64)
    report = catalogue.clean("demo")
    sizes = len(dataset.ratings), len(dataset.users)
    dataset = RemoteDataset(
        "own",
        "hdfs://nn/own",
        "tables-1",
        dataset.scale,
        *sizes,
        dataset.fingerprint,
        "standard",
        dataset.movies,
        counts,
        counts * 3.0,
        report,
    )
    remote.save(dataset, {"source": "hdfs://nn/ratings"})
    return dataset


def test_a_dataset_is_read_as_it_was_saved(saved: RemoteDataset) -> None:
    read = remote.load("own", RemoteDataset)
    for field in ("name", "uri", "folder", "scale", "rating_count", "user_count", "fingerprint", "preset", "report"):
        assert getattr(read, field) == getattr(saved, field)
    assert (read.movies.ids, read.movies.titles) == (saved.movies.ids, saved.movies.titles)
    assert (read.movies.genres == saved.movies.genres).all()
    assert (read.counts == saved.counts).all()
    assert (read.totals == saved.totals).all()
    assert remote.names() == ["own"]


def test_a_dataset_is_listed_and_commands_that_need_its_ratings_say_where_these_are(saved: RemoteDataset) -> None:
    listed = {row["name"]: row for row in json.loads(CliRunner().invoke(cli, ["data", "list", "--json"]).stdout)}
    row = listed["own"]
    assert (row["state"], row["on_disk"], row["cluster"], row["seconds"]) == ("cluster", False, "hdfs://nn/own", None)
    assert (row["ratings"], row["movies"]) == (saved.rating_count, len(saved.movies))
    assert listed["demo"]["cluster"] == ""
    for arguments in (["show", "own"], ["clean", "own"], ["get", "own"]):
        refused = CliRunner().invoke(cli, ["data", *arguments])
        assert refused.exit_code == 1
        assert refused.stderr.startswith(
            "The ratings of own are on a cluster, at hdfs://nn/own, and not on this machine;"
        )
    removed = CliRunner().invoke(cli, ["data", "remove", "own"])
    assert "Its ratings on the cluster stay at hdfs://nn/own" in removed.stdout
    assert remote.names() == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("folder", "../../etc"), ("folder", "/etc"), ("uri", 3), ("ratings", -1), ("scale", [5, 1, 1]), ("movies", 2)],
)
def test_facts_that_cannot_be_true_are_refused(saved: RemoteDataset, field: str, value: object) -> None:
    from movietui.data.storage import parquet

    path = locations.dataset("own") / "cluster" / "manifest.json"
    facts = parquet.unsealed(path.read_bytes())
    path.write_bytes(parquet.sealed_json({**facts, field: value}))
    with pytest.raises(Problem, match="The stored movies of own, which is on a cluster, are damaged; clean it"):
        remote.load("own", RemoteDataset)


def test_an_unknown_name(saved: RemoteDataset) -> None:
    with pytest.raises(Problem, match="There is no dataset owm on a cluster; did you mean own"):
        remote.load("owm", RemoteDataset)
