"""Fixtures for tests that run on Spark; without it, they are skipped."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from movietui.data.cluster import session
from movietui.data.cluster.dataset import ClusterDataset
from tests.cluster.stored import store
from tests.data.conftest import home as home

MASTER = "MOVIETUI_TEST_MASTER"


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """A Spark session with the master in ``MOVIETUI_TEST_MASTER``; the test is skipped if it is not set."""
    master = os.environ.get(MASTER)
    if not master:
        pytest.skip("make test-cluster runs the tests that need Spark")
    if sentence := session.missing():
        pytest.skip(sentence)
    with session.session(master, "movietui tests", {"spark.sql.shuffle.partitions": "4"}) as started:
        yield started


@pytest.fixture
def many_parts(spark: Any) -> Iterator[None]:
    """Let Spark cut even small files into many parts."""
    before = spark.conf.get("spark.sql.files.maxPartitionBytes")
    spark.conf.set("spark.sql.files.maxPartitionBytes", "2000")
    yield
    spark.conf.set("spark.sql.files.maxPartitionBytes", before)


@pytest.fixture(scope="module")
def stored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterDataset]:
    """The ``DATASET`` of the module, as if it had been cleaned on a cluster, in a home that its tests share."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOVIETUI_HOME", str(tmp_path_factory.mktemp("home")))
        yield store(request.module.DATASET, tmp_path_factory.mktemp("cluster"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that every process of Spark on this machine can write to."""
    return tmp_path / "cluster"
