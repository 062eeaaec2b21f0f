"""Executors and drivers that are killed in the middle of a command: it ends with the same result, or with none."""

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from movietui.data.cluster.dataset import MANIFEST, ClusterDataset, load
from movietui.data.problems import Problem
from movietui.data.progress import Report, silent
from movietui.data.storage import locations
from movietui.data.storage.remote_view import find
from movietui.jobs.listener import Listener
from movietui.models import checkpoints
from movietui.models.base import Parameters
from movietui.store.ratings import Store
from tests.benchmarks.generate import generate
from tests.cluster.conftest import MASTER
from tests.cluster.stored import store
from tests.models.builders import tastes
from tests.movietui.processes import descendants, gone

TWO_WORKERS, ONE_WORKER = "local-cluster[2,1,1024]", "local-cluster[1,1,1024]"
pytestmark = pytest.mark.skipif(
    os.environ.get(MASTER) != TWO_WORKERS, reason=f"only {TWO_WORKERS} has executors to kill; see make test-cluster"
)
SETTINGS = {"als": {"factors": "4", "sweeps": "12", "ridge": "0.1"}, "mf": {"sweeps": "4"}}
K = 5
Fitted = Callable[[str], Parameters]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home that all tests of this module share."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("home")
        patch.setenv("MOVIETUI_HOME", str(folder))
        patch.setenv("MOVIETUI_OFFLINE", "1")
        yield folder


@pytest.fixture(scope="module", autouse=True)
def same_session(spark: Any) -> Iterator[None]:
    """Let jobs run in the session of the tests, and leave it open."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("movietui.jobs.cluster.session", lambda *_: contextlib.nullcontext(spark))
        yield


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    generate(folder, 20_000)
    return folder


@pytest.fixture(scope="module")
def stored(home: Path, tmp_path_factory: pytest.TempPathFactory) -> ClusterDataset:
    return store(tastes()[0], tmp_path_factory.mktemp("cluster"))


class Killer:
    """Kills an executor as soon as a stage of Spark is active, after ``begin``.

    Spark tells of the tasks of a stage a tenth of a second late, when those of a small stage have ended.
    """

    def __init__(self, spark: Any) -> None:
        self._tracker = spark.sparkContext.statusTracker()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.killed = 0
        """The process that was killed, or 0."""

    def begin(self) -> None:
        if not self._thread.ident:
            self._thread.start()

    def at(self, name: str) -> Report:
        """Return a report of progress that begins with the stage of this name."""
        return lambda stage: self.begin() if stage.name == name and not stage.finished else None

    def _watch(self) -> None:
        while not self.killed and not self._ended.is_set():
            if self._tracker.getActiveStageIds() and (running := executors()):
                os.kill(running[0], signal.SIGKILL)
                self.killed = running[0]

    def __enter__(self) -> "Killer":
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        assert self.killed, "the work ended before an executor could be killed"
        assert gone(self.killed)


def executors() -> list[int]:
    """The processes of Java that work for this process, the oldest first."""
    return sorted(pid for pid, line in descendants(os.getpid()).items() if "CoarseGrainedExecutorBackend" in line)


@pytest.fixture(scope="module")
def cleaned(spark: Any, home: Path, release: Path, tmp_path_factory: pytest.TempPathFactory) -> ClusterDataset:
    from movietui.data.cluster.clean import clean

    return clean(spark, "own", str(release), str(tmp_path_factory.mktemp("cleaned")))


@pytest.mark.parametrize("stage", ["Reading", "Cleaning", "Storing"])
def test_cleaning_gives_the_same_rows_if_an_executor_dies(
    spark: Any, cleaned: ClusterDataset, release: Path, tmp_path: Path, many_parts: None, stage: str
) -> None:
    from movietui.data.cluster.clean import clean

    spark.conf.set("spark.sql.files.maxPartitionBytes", "40000")
    with Killer(spark) as killer:
        again = clean(spark, "own", str(release), str(tmp_path / "out"), report=killer.at(stage))
    assert (again.fingerprint, again.report) == (cleaned.fingerprint, cleaned.report)
    assert sorted(again.ratings(spark).collect()) == sorted(cleaned.ratings(spark).collect())
    assert list_folder(tmp_path / "out") == [MANIFEST, again.folder]


def list_folder(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir() if not each.name.startswith("."))


def trained(name: str, report: Report) -> Parameters:
    """Train a model in the session of the tests, and return the parameters of its checkpoint."""
    from movietui.jobs import cluster as job

    with contextlib.closing(Store(locations.store())) as opened:
        request = job.ClusterRequest((name,), "planted", settings=SETTINGS[name])
        checkpoint = job.train(opened, request, Listener(stage=report))["checkpoint"]
    return parameters_in(Path(checkpoint))


def parameters_in(checkpoint: Path) -> Parameters:
    dataset = find("planted", load("planted").fingerprint)
    assert dataset is not None
    return checkpoints.load(checkpoint, dataset)[0].parameters


@pytest.fixture(scope="module")
def undisturbed(spark: Any, stored: ClusterDataset) -> Fitted:
    """Fits a model once, while no executor dies."""
    return functools.cache(lambda name: trained(name, silent))


@pytest.mark.parametrize("name", list(SETTINGS))
def test_a_model_is_the_same_if_an_executor_dies(
    spark: Any, stored: ClusterDataset, undisturbed: Fitted, name: str
) -> None:
    expected = undisturbed(name)
    with Killer(spark) as killer:
        again = trained(name, killer.at(f"Fitting {name}"))
    check_same(again, expected, exactly=name == "mf")
    assert not list(Path(stored.uri.removeprefix("file://")).glob("_unfinished-*"))


def check_same(one: Parameters, other: Parameters, *, exactly: bool) -> None:
    assert set(one) == set(other)
    for key, array in other.items():
        if exactly:
            np.testing.assert_array_equal(one[key], array, err_msg=key)
        else:
            np.testing.assert_allclose(one[key], array, rtol=1e-5, atol=1e-5, err_msg=key)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "movietui", *arguments]


def test_a_model_is_the_same_on_one_and_on_two_workers(stored: ClusterDataset, undisturbed: Fitted) -> None:
    changes = [word for setting, value in SETTINGS["mf"].items() for word in ("--set", f"{setting}={value}")]
    train = ["cluster", "train", "mf", "--dataset", "planted", *changes, "--master", ONE_WORKER]
    printed = subprocess.run(command(*train, "--json"), check=True, capture_output=True, text=True).stdout
    checkpoint = Path(json.loads(printed)["checkpoint"])
    check_same(parameters_in(checkpoint), undisturbed("mf"), exactly=True)


def recommended(output: Path, report: Report) -> Any:
    """Recommend with ``als`` to everyone in the session of the tests, and return the rows."""
    from movietui.jobs import cluster as job

    with contextlib.closing(Store(locations.store())) as opened:
        listener = Listener(stage=report)
        job.recommend_to_everyone(opened, "planted", str(output), K, "als", listener=listener)
    return pq.read_table(output).to_pandas().sort_values(["user", "rank"], ignore_index=True)


@pytest.fixture(scope="module")
def lists(spark: Any, undisturbed: Fitted, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The lists of everyone, made while no executor died."""
    undisturbed("als")
    rows = recommended(tmp_path_factory.mktemp("lists"), silent)
    assert len(rows) == K * load("planted").user_count
    return rows


def test_lists_are_the_same_if_an_executor_dies(spark: Any, lists: Any, tmp_path: Path) -> None:
    with Killer(spark) as killer:
        again = recommended(tmp_path / "lists", killer.at("Recommending"))
    assert again.equals(lists)
    assert "_unfinished" not in list_folder(tmp_path / "lists")


def kill_driver(arguments: list[str], until: Callable[[], bool]) -> None:
    """Run a command, and kill the driver and its executors once ``until`` returns true."""
    driver = subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    while not until():
        assert driver.poll() is None, driver.communicate()[0]
    family = [driver.pid, *descendants(driver.pid)]
    for pid in family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    driver.wait()
    assert gone(*family)


@pytest.mark.parametrize(
    ("name", "reached"), [("reading", "staging-*/rows/_temporary"), ("storing", "tables-*/users/_SUCCESS")]
)
def test_what_a_dead_driver_cleaned_is_no_dataset_and_the_next_run_removes_it(
    spark: Any, cleaned: ClusterDataset, release: Path, tmp_path: Path, name: str, reached: str
) -> None:
    from movietui.data.cluster.clean import clean

    output = tmp_path / "out"
    arguments = ["cluster", "clean", name, "--from", str(release), "--output", str(output), "--master", TWO_WORKERS]
    kill_driver(arguments, lambda: any(output.glob(reached)))
    left = list_folder(output)
    assert left
    assert MANIFEST not in left
    with pytest.raises(Problem, match=f"There is no dataset {name}"):
        load(name)
    again = clean(spark, name, str(release), str(output))
    assert again.fingerprint == cleaned.fingerprint
    assert list_folder(output) == [MANIFEST, again.folder]


def test_lists_of_a_dead_driver_are_not_whole_and_the_next_run_replaces_them(
    spark: Any, lists: Any, tmp_path: Path
) -> None:
    output = tmp_path / "lists"
    arguments = ["cluster", "recommend", "--everyone", "--dataset", "planted", "--model", "als", "-k", str(K)]
    arguments += ["--output", str(output), "--master", TWO_WORKERS]
    kill_driver(arguments, lambda: any(output.glob("_temporary/0/_temporary/*/*.parquet")))
    assert "_SUCCESS" not in list_folder(output)
    # Spark may die while it moves the files to where they belong, or just after it.
    (output / "part-00000-from-the-dead.snappy.parquet").write_bytes(b"half")
    assert recommended(output, silent).equals(lists)
    assert "_SUCCESS" in list_folder(output)
    with pytest.raises(Problem, match="There is already something at"):
        recommended(output, silent)
