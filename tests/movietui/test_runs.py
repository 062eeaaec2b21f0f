"""Runs in the store are found, deleted and watched, and wait in the queue."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from movietui.data.problems import Problem
from movietui.data.progress import WHOLE, Stage
from movietui.data.storage import locations
from movietui.formatting.run_tables import state_text
from movietui.store.database import scripts
from movietui.store.processes import still_runs, this_process
from movietui.store.ratings import Store
from movietui.store.runs import Recorder, Runs, metric_order
from tests.movietui.fakes import with_run
from tests.movietui.processes import gone

REQUEST = {"cleaning": "none", "split": "u1", "settings": {"sweeps": "3"}, "seed": 4, "published": False}
OF_VERSION_2 = """
INSERT INTO runs VALUES (7, 'mf', 'demo', 'standard', 'random90', 3, '{"factors": 10}', 'done', 1, 'demo-mf-1',
    '2026-01-01T00:00:00.000+00:00', 1.5, '[{"epoch": 1, "train_loss": 0.5}]', 1, '{"rmse": 0.9}', '');
PRAGMA user_version = 2;
"""


@pytest.fixture
def runs(store: Store) -> Runs:
    return Runs(store)


def with_checkpoint(store: Store, number: int, size: int = 1000) -> Path:
    run = store.run(number)
    assert run is not None
    folder = locations.checkpoints() / run.checkpoint
    folder.mkdir(parents=True)
    (folder / "arrays").write_bytes(b"x" * size)
    return folder


def finished_run(store: Store, rmse: float, split: str = "u1", model: str = "mf") -> int:
    number = store.start_run(model, "demo", "none", split, 0, {})
    store.end_run(number, "done", metrics={"rmse": rmse, "ndcg@10": rmse})
    return number


def give_to_dead_process(store: Store, number: int) -> None:
    """Make a run belong to a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    store.execute("UPDATE runs SET process = ?, began = 'then' WHERE id = ?", process.pid, number)


def test_a_store_of_version_2_keeps_its_runs(home: Path) -> None:
    path = locations.store()
    path.parent.mkdir(parents=True)
    with sqlite3.connect(path) as database:
        database.executescript("".join(scripts()[:2]) + OF_VERSION_2)
    database.close()
    store = Store(path)
    (run,) = store.runs()
    assert (run.id, run.model, run.state, run.seconds, run.curve, run.metrics) == (
        *(7, "mf", "done", 1.5),
        *([{"epoch": 1, "train_loss": 0.5}], {"rmse": 0.9}),
    )
    assert (run.name, run.note, run.device, run.peak_bytes) == ("", "", "", None)
    assert (run.split_seed, run.imdb, run.cpu_seconds) == (0, None, None)
    assert run.best_epoch is None  # it had another meaning
    assert [changed.id for changed in Runs(store).changes().runs] == [7]
    assert store.start_run("mf", "demo", "none", "u1", 0, {}) == 8
    fresh = Store(home / "fresh.sqlite3")
    kinds = ("runs", "measured", "run_changes", "run_added", "run_changed", "run_deleted")
    for name in kinds:
        texts = [one.rows("SELECT sql FROM sqlite_master WHERE name = ?", name)[0][0] for one in (store, fresh)]
        assert texts[0] == texts[1]


def test_runs_are_found_by_dataset_model_split_and_number(store: Store, runs: Runs) -> None:
    first, second = finished_run(store, 0.9), finished_run(store, 0.8, "u2", "bias")
    assert [run.id for run in runs.find()] == [second, first]
    assert [run.id for run in runs.find(split="u1")] == [first]
    assert [run.id for run in runs.find("demo", "bias")] == [second]
    assert runs.find("ml-1m") == []
    with pytest.raises(Problem, match="no run 99"):
        runs.get(99)


def test_changes_return_only_what_is_new(store: Store, runs: Runs) -> None:
    first, second = finished_run(store, 0.9), finished_run(store, 0.8)
    before = runs.changes()
    assert [run.id for run in before.runs] == [second, first]
    assert runs.changes(before.version) == replace(before, runs=())
    other = Runs(Store(store.path))  # another window
    other.name(first, "best")
    after = runs.changes(before.version)
    assert [(run.id, run.name) for run in after.runs] == [(first, "best")]
    other.delete(second)
    last = runs.changes(after.version)
    assert (last.runs, last.gone) == ((), (second,))
    assert runs.changes(last.version).gone == ()
    assert finished_run(store, 0.7) > second  # the number of the deleted run is not reused


def test_a_run_that_was_cut_off_is_reported_once(store: Store, runs: Runs) -> None:
    number = store.start_run("mf", "demo", "none", "u1", 0, {})
    version = runs.changes().version
    assert runs.changes(version).runs == ()
    give_to_dead_process(store, number)
    (run,) = runs.changes(runs.changes(version).version - 1).runs
    assert (run.state, run.progress) == ("cut off", {})
    assert "resume it" in run.problem
    assert runs.changes(runs.changes().version).runs == ()


def test_a_process_is_identified_by_its_number_and_start_time() -> None:
    number, began = this_process()
    assert began
    assert still_runs(number, began)
    assert still_runs(number, "")  # as an earlier version stored it
    assert not still_runs(number, "another time")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert still_runs(child.pid, "")
        assert not still_runs(child.pid, began)
        child.kill()
        assert gone(child.pid)
        assert not still_runs(child.pid, "")  # it is a zombie


def test_names_and_notes_are_cleaned_and_limited(store: Store, runs: Runs) -> None:
    number = finished_run(store, 0.9)
    assert runs.name(number, "  the \x1b[31mbest\n one ").name == "the best one"
    assert runs.note(number, "why").note == "why"
    assert runs.name(number, "").name == ""
    for call, longest in ((runs.name, 60), (runs.note, 2000)):
        call(number, "x" * longest)
        with pytest.raises(Problem, match="at most"):
            call(number, "x" * (longest + 1))
        with pytest.raises(Problem, match="no run"):
            call(99, "x")


def test_deleting_a_run_removes_everything_about_it(store: Store, runs: Runs) -> None:
    first, second = finished_run(store, 0.9), finished_run(store, 0.8)
    folder = with_checkpoint(store, first)
    runs.use(first)
    runs.measured(first, "rows", b"bytes", {"subgroups": []})
    assert runs.delete(first).bytes == 1000
    assert not folder.exists()
    assert [run.id for run in store.serving_runs("demo")] == [second]
    assert store.choice("run:demo") == ""
    assert runs.by_user(first) is None
    running = store.start_run("mf", "demo", "none", "u1", 0, {})
    with pytest.raises(Problem, match="cancel it before"):
        runs.delete(running)


def test_prune_keeps_the_best_of_comparable_runs(store: Store, runs: Runs) -> None:
    numbers = [finished_run(store, rmse) for rmse in (0.93, 0.91, 0.92, 0.95)] + [finished_run(store, 0.99, "u2")]
    folders = {number: with_checkpoint(store, number) for number in numbers}
    runs.use(numbers[3])
    freed = runs.prune(1)
    assert {one.run.id: one.bytes for one in freed} == {numbers[0]: 1000, numbers[2]: 1000}
    assert {number for number in numbers if folders[number].exists()} == {numbers[1], numbers[3], numbers[4]}
    assert len(runs.find()) == 5
    assert runs.prune(1) == []
    with pytest.raises(Problem, match="rmse, ndcg@10"):
        runs.prune(1, "taste")
    with pytest.raises(Problem, match="was removed"):
        runs.use(numbers[0])


def test_runs_on_other_splits_or_joined_with_imdb_are_not_comparable(store: Store, runs: Runs) -> None:
    numbers = []
    for split_seed, imdb in ((0, ""), (5, ""), (0, "c0ffee"), (0, "")):
        numbers.append(store.start_run("mf", "demo", "none", "random90", 0, {}, split_seed=split_seed, imdb=imdb))
        store.end_run(numbers[-1], "done", metrics={"rmse": 0.9 + 0.01 * len(numbers)})
        with_checkpoint(store, numbers[-1])
    runs.use(numbers[0])
    assert [freed.run.id for freed in runs.prunable(1)] == [numbers[3]]


def test_runs_are_sorted_by_how_good_their_metric_is(store: Store) -> None:
    runs = [store.run(finished_run(store, value)) for value in (0.3, 0.2, 0.4)]
    result = [run for run in runs if run is not None]
    assert [run.metrics["rmse"] for run in sorted(result, key=lambda run: metric_order(run, "rmse"))] == [0.2, 0.3, 0.4]
    assert [run.metrics["rmse"] for run in sorted(result, key=lambda run: metric_order(run, "ndcg@10"))] == [
        0.4,
        0.3,
        0.2,
    ]
    assert metric_order(result[0], "mae") == float("inf")


def test_a_run_that_somebody_chooses_serves(store: Store, runs: Runs) -> None:
    number = with_run(store, "own")
    with_checkpoint(store, number)
    store.choose("stand-in:own", str(number))
    runs.use(number)
    assert runs.queue_recommended("blend", runs.get(number)) is None  # a person chose another run
    assert store.dataset_in_use() == "own"
    assert store.serving_runs("own")[0].id == number
    with pytest.raises(Problem, match="cancelled; only a finished run"):
        runs.use(number - 1)


# The queue


def test_queued_runs_wait_in_order(store: Store, runs: Runs) -> None:
    numbers = [runs.queue("mf", "demo", "u1", REQUEST) for _ in range(3)]
    assert [run.id for run in runs.waiting()] == numbers
    waiting = runs.get(numbers[0])
    assert (waiting.state, waiting.request, waiting.settings, waiting.seed) == ("queued", REQUEST, {"sweeps": "3"}, 4)
    runs.move(numbers[2], 0)
    assert [run.id for run in runs.waiting()] == [numbers[2], numbers[0], numbers[1]]
    runs.move(numbers[2], 99)
    assert [run.id for run in runs.waiting()] == numbers
    runs.begin(numbers[0], "none", {"sweeps": 3})
    assert runs.get(numbers[0]).state == "running"
    assert [run.id for run in runs.waiting()] == numbers[1:]
    with pytest.raises(Problem, match="is no longer queued"):
        runs.begin(numbers[0], "none", {})


def test_queued_runs_of_a_dead_process_are_adopted(store: Store, runs: Runs) -> None:
    ours, theirs = (runs.queue("mf", "demo", "u1", REQUEST) for _ in range(2))
    assert runs.adopt() == 0
    give_to_dead_process(store, theirs)
    assert [run.id for run in runs.waiting()] == [ours]
    assert runs.adopt() == 1
    assert [run.id for run in runs.waiting()] == [ours, theirs]
    runs.release()
    assert runs.waiting() == []
    assert runs.adopt() == 2


def test_only_one_window_queues_a_run_again(store: Store, runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    number = store.start_run("mf", "demo", "none", "u1", 4, {"sweeps": 3}, request=REQUEST)
    give_to_dead_process(store, number)
    other_runs = Runs(Store(store.path))
    monkeypatch.setattr(runs, "_free", lambda run: other_runs.again(number))  # another window is faster
    with pytest.raises(Problem, match=f"Run {number} was already resumed in another window"):
        runs.again(number)
    other_runs._store.close()


def test_a_run_that_did_not_finish_is_queued_again(store: Store, runs: Runs) -> None:
    number = store.start_run("mf", "demo", "none", "u1", 4, {"sweeps": 3}, request=REQUEST)
    with pytest.raises(Problem, match="is running; only an interrupted"):
        runs.again(number)
    give_to_dead_process(store, number)
    folder = with_checkpoint(store, number)
    again = runs.again(number)
    assert (again.state, again.request) == ("queued", REQUEST)
    assert not folder.exists()
    old = store.start_run("mf", "demo", "none", "u1", 0, {})
    store.end_run(old, "failed")
    with pytest.raises(Problem, match="how it was started is unknown"):
        runs.again(old)


# During training


def epoch(number: int, of: int = 4) -> dict[str, Any]:
    return {"epoch": number, "of": of, "train_loss": 1 / number, "validation_loss": None}


def test_progress_is_stored_during_training(store: Store, runs: Runs) -> None:
    number = store.start_run("mf", "demo", "none", "u1", 0, {})
    now = [100.0]
    recorder = Recorder(runs, number, {"curve": 1.0, "measure": 0.5}, lambda: now[0])
    for epoch_number in range(1, 4):
        now[0] += 2
        recorder.epoch("curve", epoch(epoch_number))
    run = runs.get(number)
    assert (run.state, run.seconds, len(run.curve)) == ("running", 6, 3)
    assert run.progress == {"phase": "curve", "epoch": 3, "of": 4, "unit": "epoch", "left": 2 * (1 + 0.5 * 4)}
    assert run.peak_bytes
    assert run.peak_bytes > 10_000_000
    now[0] += 0.1
    recorder.epoch("curve", epoch(4))
    assert runs.get(number).progress["epoch"] == 3  # stored at most once a second
    recorder.epoch("measure", epoch(1))
    run = runs.get(number)
    assert (run.progress["phase"], run.progress["left"], len(run.curve)) == ("measure", None, 4)


def test_the_share_of_a_fit_whose_stages_take_minutes_is_stored(store: Store, runs: Runs) -> None:
    number = store.start_run("blend", "demo", "none", "random90", 0, {})
    now = [0.0]
    recorder = Recorder(runs, number, {"measure": 1.0, "serve": 0.5}, lambda: now[0])

    def progress() -> str:
        run = runs.get(number)
        return state_text({"state": run.state, "progress": run.progress})

    def share(name: str, done: int) -> str:
        return recorder.inside(Stage(name, done, 1000, WHOLE, name))

    assert recorder.inside(Stage("effects")) == "measure"  # a stage of a part, whose share is not known
    assert runs.get(number).progress == {}
    now[0] = 2.0
    assert share("bayes", 50) == "measure"
    assert progress() == "running, measuring on the test part, bayes, 5%"
    now[0] = 10.0
    share("item-knn", 250)
    assert runs.get(number).progress["left"] == 30 + 20
    assert progress().endswith("item-knn, 25%, 50 s left")
    recorder.epoch("measure", {**epoch(1, 2), "stage": "bayes"})
    now[0] = 40.0
    recorder.epoch("measure", {**epoch(2, 2), "stage": "blend"})
    assert "25%" in progress()  # a stage tells less
    assert [row.get("stage") for row in runs.get(number).curve] == ["bayes", "blend"]
    now[0] = 50.0
    assert share("bayes", 500) == "serve"
    assert runs.get(number).progress["left"] == 10
    assert progress().startswith("running, training on all ratings, bayes, 50%")


def test_a_pause_is_stored_and_does_not_count_as_training_time(store: Store, runs: Runs) -> None:
    number = store.start_run("mf", "demo", "none", "u1", 0, {})
    now = [0.0]
    recorder = Recorder(runs, number, {"curve": 1.0}, lambda: now[0])
    now[0] = 1.0
    seen = []

    def wait() -> None:
        seen.append(runs.get(number).state)
        now[0] = 50.0

    recorder.hold(wait)
    run = runs.get(number)
    assert seen == ["paused"]
    assert (run.state, run.seconds) == ("running", 1.0)


KILLED = """
import os, signal, sys
from movietui.data.storage import locations
from movietui.jobs.listener import Listener
from movietui.jobs.train import TrainRequest, train
from movietui.store.ratings import Store
def die(phase, epoch):
    if phase == "measure":
        os.kill(os.getpid(), signal.SIGKILL)
request = TrainRequest("bias", "demo", "standard", settings={"sweeps": "3"})
train(Store(locations.store()), request, Listener(epoch=die))
"""


def test_a_killed_run_restarts_under_its_number(ready: Path, store: Store, runs: Runs) -> None:
    from movietui.jobs.listener import Listener
    from movietui.jobs.train import resume

    process = subprocess.run([sys.executable, "-c", KILLED])
    assert process.returncode == -signal.SIGKILL
    killed = runs.find()[0]
    assert (killed.state, len(killed.curve), killed.split, killed.device) == ("cut off", 3, "random90", "cpu")
    said: list[str] = []
    trained = resume(store, killed.id, Listener(say=said.append))
    assert said == ["Nothing of the interrupted training was saved, so it starts over."]
    run = runs.get(killed.id)
    assert (run.state, run.settings["sweeps"], run.metrics) == ("done", 3, trained["metrics"])
    assert run.peak_bytes == trained["peak_bytes"]
    detail = runs.detail(run.id)
    assert set(detail) == {"subgroups", "calibration", "confusion"}
    assert sum(map(sum, detail["confusion"]["counts"])) == sum(one["rows"] for one in detail["calibration"]["bins"])


def test_a_whole_run_can_be_written_as_json(store: Store, runs: Runs) -> None:
    row = runs.whole(finished_run(store, 0.9))
    assert json.loads(json.dumps(row)) == row
    assert {"run", "model", "dataset", "split", "seed", "state", "metrics", "curve"} <= set(row)
    assert os.path.isabs(row["checkpoint"])
