"""``movietui runs``, as people and scripts use it."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from movietui.cli import cli
from movietui.data.storage import locations
from movietui.engine.service import Service
from movietui.models.evaluation.peers import PEERS
from movietui.models.evaluation.reproduce import EXPERIMENTS
from movietui.store.ratings import Store
from tests.movietui.commands import Run, document, refused

METRICS = {"rmse", "mse", "mae", "accuracy", "mse_scaled", "ndcg@10", "recall@10", "recall@20", "hit@10"}
"""The metrics whose differences have an interval, because they are computed from means over rows or users."""


@pytest.fixture
def run(ready: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A function that calls ``movietui runs`` in a home with a bias run (1) and an mf run (2), which serves."""
    monkeypatch.setenv("COLUMNS", "160")
    return lambda *arguments: CliRunner().invoke(cli, ["runs", *map(str, arguments)])


def test_list_prints_runs_with_their_metrics(run: Run) -> None:
    second, first = document(run("list", "--json"))
    assert (first["run"], first["model"], first["state"]) == (1, "bias", "done")
    assert (second["run"], second["model"], second["split"], second["seed"]) == (2, "mf", "random90", 0)
    assert set(second["metrics"]) >= METRICS
    assert second["peak_bytes"] > 10_000_000
    assert 0 < first["checkpoint_bytes"] < second["checkpoint_bytes"]
    assert [row["run"] for row in document(run("list", "--model", "bias", "--json"))] == [1]
    assert document(run("list", "--dataset", "ml-1m", "--json")) == []
    assert "movietui train starts one" in run("list", "--split", "u1").stdout
    head, *rows = run("list").stdout.splitlines()
    assert head.split()[:4] == ["run", "model", "dataset", "split"]
    assert [row.split()[1] for row in rows] == ["mf", "bias"]


def test_list_can_include_reported_results(run: Run) -> None:
    rows = [row for row in document(run("list", "--reported", "--json")) if row["state"] == "reported"]
    assert len(rows) == len(EXPERIMENTS) + len(PEERS)
    (hybrid,) = [row for row in rows if row["model"] == "hybrid"]
    assert (hybrid["run"], hybrid["source"], hybrid["metrics"]) == (None, "004", {"mse_scaled": 0.041384})
    filtered = document(run("list", "--reported", "--model", "item-knn", "--json"))
    assert [row["metrics"] for row in filtered] == [{"mse": 4.4829}]
    table = run("list", "--reported").stdout
    assert "003 as reported" in table
    assert "Shenbin 2020" in table
    assert Service().published_results() == rows


def test_show_prints_a_run_in_full(run: Run) -> None:
    row = document(run("show", 2, "--json"))
    assert [epoch["epoch"] for epoch in row["curve"]] == list(range(1, 7))
    assert row["best_epoch"] == 6  # the model is taken from the last epoch, whichever had the lowest loss
    assert {"subgroups", "calibration", "confusion"} <= set(row)
    output = run("show", 2).stdout
    assert "factors=4" in output
    assert "● used" in output
    assert "mean squared error, in stars²" in output
    assert "not joined with IMDb" in output
    assert "of processor time" in output
    assert "too high" in output
    assert "as 5" in output
    refused(run("show", 9), "There is no run 9; movietui runs list")


def test_compare_prints_differences_and_both_lists(run: Run) -> None:
    report = document(run("compare", 1, 2, "--user", 1, "--json"))
    assert {row["name"]: (row["first"], row["second"]) for row in report["facts"]} == {"model": ("bias", "mf")}
    assert {row["name"]: (row["first"], row["second"]) for row in report["settings"]}["factors"] == (None, 4)
    assert report["same_rows"]
    for row in report["metrics"]:
        assert row["difference"] == pytest.approx(row["second"] - row["first"])
        if row["metric"] in METRICS:
            assert row["low"] <= row["difference"] + 1e-5
            assert row["high"] >= row["difference"] - 1e-5
            assert row["low"] < row["high"]
    top = report["top"]
    assert sorted(movie["first"] for movie in top["movies"] if movie["first"]) == list(range(1, 11))
    assert top["common"] == sum(bool(movie["first"] and movie["second"]) for movie in top["movies"])
    recommended = CliRunner().invoke(cli, ["recommend", "--dataset", "demo", "--user", "1", "--model", "mf", "--json"])
    expected = [movie["title"] for movie in document(recommended)["movies"]]
    second = sorted((movie for movie in top["movies"] if movie["second"]), key=lambda movie: movie["second"])
    assert [movie["title"] for movie in second] == expected
    output = run("compare", 1, 2, "--user", 1).stdout
    assert "±" in output
    assert "in both lists" in output
    refused(run("compare", 1, 1), "You named run 1 twice")
    refused(run("compare", 1, 2, "--user", "nobody"), "has no user nobody")
    refused(run("compare", 1, 2, "--profile", "nobody"), "There is no profile")
    viewer: Any = {"kind": "user", "id": "1", "dataset": "demo"}
    assert Service().compare_runs(first=1, second=2, viewers=[viewer]) == report


def test_what_a_run_was_measured_on_is_listed_and_compared(run: Run, ready: Path) -> None:
    trained = CliRunner().invoke(
        cli, ["train", "bias", "--dataset", "demo", "--seed", "3", "--split-seed", "5", "--json"]
    )
    row = document(trained)
    assert (row["seed"], row["split_seed"], row["imdb"]) == (3, 5, "")
    assert row["cpu_seconds"] > 0
    listed = document(run("list", "--json"))[0]
    assert (listed["seed"], listed["split_seed"], listed["imdb"]) == (3, 5, "")
    assert listed["cpu_seconds"] == row["cpu_seconds"]
    assert row["metrics"]["rmse"] != document(run("list", "--model", "bias", "--json"))[1]["metrics"]["rmse"]
    head, first, *_ = run("list").stdout.splitlines()
    assert "split seed" in head
    assert first.split()[3:6] == ["random90", "5", "3"]
    store = Store(locations.store())
    with store.change():
        store.execute("UPDATE runs SET imdb = 'c0ffee00c0ffee' WHERE id = ?", row["run"])
    store.close()
    report = document(run("compare", 1, row["run"], "--json"))
    facts = {fact["name"]: (fact["first"], fact["second"]) for fact in report["facts"]}
    assert facts["imdb"] == ("", "c0ffee00c0ffee")
    assert facts["split_seed"] == (0, 5)
    assert not report["same_rows"]
    output = run("compare", 1, row["run"]).stdout
    assert "joined with IMDb c0ffee00" in output
    assert "split seed" in output
    assert "c0ffee00" in run("list").stdout


@pytest.mark.parametrize(("task", "metric"), [("rating", "rmse"), ("ranking", "ndcg@10")])
def test_evaluations_are_compared_with_intervals_and_have_processor_time(run: Run, task: str, metric: str) -> None:
    call = ["evaluate", "bias", "--dataset", "demo", "--task", task, "--json"]
    first = document(CliRunner().invoke(cli, call))[0]
    other = document(CliRunner().invoke(cli, [*call, "--set", "sweeps=1"]))[0]
    report = document(run("compare", first["run"], other["run"], "--json"))
    assert report["same_rows"]
    row = next(row for row in report["metrics"] if row["metric"] == metric)
    assert row["low"] < row["difference"] < row["high"]
    assert document(run("show", first["run"], "--json"))["cpu_seconds"] == first["seconds"]["fit_cpu"]


def test_runs_measured_on_different_rows_have_no_interval(run: Run) -> None:
    CliRunner().invoke(cli, ["train", "popularity", "--dataset", "demo", "--split", "kfold5-0"])
    report = document(run("compare", 1, 3, "--json"))
    assert not report["same_rows"]
    assert {row["low"] for row in report["metrics"]} == {None}
    assert report["top"] is None
    assert "No intervals: they need two trainings or evaluations" in run("compare", 1, 3).stdout


def test_export_writes_csv_markdown_and_json(run: Run, tmp_path: Path) -> None:
    run("note", 1, 'a | b, "c"')
    rows = list(csv.DictReader(io.StringIO(run("export").stdout)))
    assert [row["run"] for row in rows] == ["2", "1"]
    assert float(rows[0]["rmse"]) == document(run("list", "--json"))[0]["metrics"]["rmse"]
    assert rows[1]["note"] == 'a | b, "c"'
    assert "sweeps=3" in rows[1]["settings"]
    lines = run("export", "--format", "markdown").stdout.splitlines()
    assert len(lines) == 4
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1
    assert document(run("export", "--format", "json"))[0]["curve"]
    file = tmp_path / "runs.json"
    report = document(run("export", "--format", "json", "--output", file, "--json"))
    assert report == {"output": str(file), "format": "json", "runs": 2}
    assert len(json.loads(file.read_text())) == 2
    refused(run("export", "--output", tmp_path / "no" / "where.csv"), "could not be written")


def test_runs_are_named_noted_used_pruned_and_deleted(run: Run, ready: Path) -> None:
    assert document(run("name", 1, "plain one", "--json")) == {"run": 1, "name": "plain one"}
    assert "plain one" in run("list").stdout
    assert document(run("note", 1, "why", "--json")) == {"run": 1, "note": "why"}
    assert document(run("use", 1, "--json")) == {"run": 1, "model": "bias", "dataset": "demo"}
    assert Store(locations.store()).serving_runs("demo")[0].id == 1
    before = document(run("show", 2, "--json"))
    freed = document(run("prune", "--keep", 0, "--json"))
    assert freed == {"removed": [{"run": 2, "bytes": before["checkpoint_bytes"]}], "bytes": before["checkpoint_bytes"]}
    assert not Path(before["checkpoint"]).exists()
    assert document(run("show", 2, "--json"))["metrics"] == before["metrics"]
    refused(run("use", 2), "was removed; train mf again")
    refused(run("resume", 2), "is done; only an interrupted")
    assert document(run("delete", 2, "--json")) == {"run": 2, "bytes": 0}
    assert [row["run"] for row in document(run("list", "--json"))] == [1]
    refused(run("delete", 2), "There is no run 2")


def test_resume_trains_an_unfinished_run_again(run: Run) -> None:
    store = Store(locations.store())
    request = {"cleaning": "standard", "split": None, "settings": {"sweeps": "3"}, "seed": 0, "published": False}
    number = store.start_run("bias", "demo", "standard", "random90", 0, {"sweeps": 3}, request=request)
    store.end_run(number, "cancelled")
    assert document(run("resume", number, "--json"))["metrics"] == store.run(1).metrics  # type: ignore[union-attr]
    assert store.run(number).state == "done"  # type: ignore[union-attr]
    broken = store.start_run("bias", "gone", "standard", "random90", 0, {}, request=request)
    store.end_run(broken, "failed", problem="Something.")
    refused(run("resume", broken), "gone")
    assert store.run(broken).state == "failed"  # type: ignore[union-attr]
