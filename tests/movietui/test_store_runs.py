"""The store keeps runs, and knows which of them serves a dataset."""

import subprocess
import sys

from movietui.store.ratings import Store


def test_runs_are_stored_with_their_results(store: Store) -> None:
    first = store.start_run("mf", "demo", "standard", "random90", 3, {"factors": 10})
    second = store.start_run("bias", "demo", "none", "u1", 0, {})
    running = store.run(first)
    assert running is not None
    assert (running.state, running.seconds, running.metrics) == ("running", None, {})
    curve = [{"epoch": 1, "train_loss": 0.5, "validation_loss": None}]
    store.end_run(first, "done", seconds=1.5, curve=curve, best_epoch=1, metrics={"rmse": 0.9})
    store.end_run(second, "failed", problem="The disk is full.")
    assert [run.id for run in store.runs()] == [second, first]
    done = store.run(first)
    assert done is not None
    assert (done.seed, done.settings, done.curve, done.metrics) == (3, {"factors": 10}, curve, {"rmse": 0.9})
    assert store.runs()[0].problem == "The disk is full."
    assert store.run(99) is None


def test_the_newest_finished_run_serves_unless_another_is_chosen(store: Store) -> None:
    assert store.serving_runs("demo") == []
    numbers = [store.start_run("mf", "demo", "standard", "random90", 0, {}) for _ in range(3)]
    assert store.serving_runs("demo") == []
    for number in numbers[:2]:
        store.end_run(number, "done")
    store.end_run(numbers[2], "cancelled")
    assert store.serving_runs("ml-1m") == []
    oldest, newest = store.run(numbers[0]), store.run(numbers[1])
    assert oldest is not None
    assert store.serving_runs("demo") == [newest, oldest]
    store.serve_with(oldest)
    assert store.serving_runs("demo") == [oldest, newest]
    assert oldest.checkpoint != newest.checkpoint  # type: ignore[union-attr]


def test_the_last_dataset_that_a_run_serves_is_opened_at_the_start(store: Store) -> None:
    assert store.dataset_in_use() is None
    for dataset, state in (("demo", "done"), ("ml-1m", "done"), ("ml-100k", "failed")):
        store.end_run(store.start_run("mf", dataset, "standard", "random90", 0, {}), state)
    assert store.dataset_in_use() == "ml-1m"
    store.choose("dataset", "demo")
    assert store.dataset_in_use() == "demo"
    store.choose("dataset", "ml-100k")
    assert store.dataset_in_use() == "ml-1m"


def test_a_run_whose_process_is_gone_was_cut_off(store: Store) -> None:
    number = store.start_run("mf", "demo", "standard", "random90", 0, {})
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    store.execute("UPDATE runs SET process = ? WHERE id = ?", process.pid, number)
    run = store.run(number)
    assert run is not None
    assert run.state == "cut off"
    assert "interrupted" in run.problem
