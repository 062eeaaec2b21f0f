"""Work on Spark is seen while it runs, and ends when it is interrupted."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from movietui.data.cluster import session
from movietui.data.cluster.running import ClusterWork, run
from movietui.data.problems import Cancelled
from movietui.data.progress import Report, Stage
from movietui.data.storage import locations
from movietui.store.ratings import Store
from movietui.store.run_records import Run
from tests.cluster.conftest import MASTER
from tests.cluster.stored import store as write
from tests.models.builders import tastes

PATIENCE = 300.0
"""Seconds after which a test stops waiting."""


def test_tasks_executors_and_what_was_done_are_reported(spark: Any, folder: Path) -> None:
    folder.mkdir()
    seen: list[tuple[Stage, ClusterWork]] = []
    gate = str(folder / "go")

    def wait(number: int) -> int:
        while number == 7 and not os.path.exists(gate):
            time.sleep(0.05)
        return number

    def work(report: Report) -> int:
        report(Stage("Counting", note="all"))
        total: int = spark.sparkContext.parallelize(range(8), 8).map(wait).sum()
        report(Stage("Counting", finished=True))
        return total

    def saw(stage: Stage, done: ClusterWork) -> None:
        seen.append((stage, done))
        if stage.done == 7:
            Path(gate).touch()

    reported: list[Stage] = []
    assert run(spark, work, reported.append, saw) == 28
    assert [stage for stage, _ in seen][:-1] == reported
    stage, last = next((stage, done) for stage, done in seen if stage.done == 7)
    assert (stage.name, stage.total, stage.unit) == ("Counting", 8, "tasks")
    assert stage.note.startswith("all · ")
    assert "7 of 8 tasks, " in stage.note
    assert last.master == spark.sparkContext.master
    assert last.executors == (2 if last.master.startswith("local-cluster[2") else 1)
    end, done = seen[-1]
    assert end.finished
    assert (done.jobs, done.stages, done.tasks, done.failed_tasks) == (1, 1, 8, 0)


def test_a_stage_that_counts_keeps_its_own_count(spark: Any) -> None:
    reported: list[Stage] = []
    ended = threading.Event()

    def work(report: Report) -> None:
        report(Stage("Cleaning", 3, 9, "rules", "a rule"))
        spark.sparkContext.parallelize(range(2), 2).map(lambda _: time.sleep(2)).count()
        ended.set()

    run(spark, work, reported.append)
    assert ended.is_set()
    assert {(stage.done, stage.total, stage.unit) for stage in reported} == {(3, 9, "rules")}
    assert any("of 2 tasks" in stage.note for stage in reported)


def test_an_error_of_the_report_ends_the_work_and_a_session_that_was_open_prints_what_it_did(spark: Any) -> None:
    def report(stage: Stage) -> None:
        if stage.unit == "tasks":
            raise Cancelled

    def work(report: Report) -> int:
        report(Stage("Counting"))
        return int(spark.sparkContext.parallelize(range(1), 1).map(lambda _: time.sleep(3600)).count())

    before = session.log_level(spark)
    with session.session(None) as same:
        assert same is spark
        with pytest.raises(Cancelled):
            run(spark, work, report)
        assert session.log_level(spark) == "OFF"
    assert session.log_level(spark) == before != "OFF"


def test_an_error_of_the_work_is_raised(spark: Any) -> None:
    def work(report: Report) -> None:
        raise LookupError("no such movie")

    with pytest.raises(LookupError, match="no such movie"):
        run(spark, work, lambda stage: None)


def test_ctrl_c_ends_a_training(home: Path, folder: Path) -> None:
    if MASTER not in os.environ:
        pytest.skip("make test-cluster runs the tests that need Spark")
    if sentence := session.missing():
        pytest.skip(sentence)
    write(tastes()[0], folder)
    command = ["cluster", "train", "als", "--dataset", "planted", "--set", "sweeps=200", "--master"]
    training = subprocess.Popen(
        [sys.executable, "-m", "movietui", *command, os.environ[MASTER]],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        until = time.monotonic() + PATIENCE
        while not (run := newest()) or run.cluster.get("jobs", 0) < 5:
            assert training.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
        assert (run.state, run.device) == ("running", "spark")
        assert run.cluster["master"] == os.environ[MASTER]
        assert run.cluster["executors"] >= 1
        assert run.progress["phase"] == "Fitting als"
        interrupted = time.monotonic()
        os.killpg(training.pid, signal.SIGINT)  # as a terminal does: all processes of Spark get it
        _, said = training.communicate(timeout=PATIENCE)
        took = time.monotonic() - interrupted
    finally:
        training.kill()
    assert training.returncode == 130
    assert said.splitlines()[-1] == "Stopped."
    assert "Exception" not in said, said[:3000]
    assert took < 30, "the training went on"
    run = newest()
    assert run is not None
    assert (run.state, run.progress) == ("cancelled", {})
    assert run.cluster["tasks"] > 0
    assert sorted(each.name for each in folder.iterdir()) == ["manifest.json", "tables"]


def newest() -> Run | None:
    """Return the newest run of this home."""
    if not locations.store().exists():
        return None
    store = Store(locations.store())
    runs = store.runs()
    store.close()
    return runs[0] if runs else None
