"""The commands of sweeps."""

import csv
import io
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.movietui.commands import Run, check_fields, document, refused

ON = ("--dataset", "demo", "--split", "kfold5-0")
SWEEP = ("sweep", "bias", *ON, "--grid", "sweeps=1,12", "--grid", "caution=1,2")


def test_sweep_measures_every_combination_and_tests_the_best(run: Run, small: Path) -> None:
    rows = document(run(*SWEEP, "--json"))
    assert len(rows) == 4
    assert [row["metrics"]["rmse"] for row in rows] == sorted(row["metrics"]["rmse"] for row in rows)
    assert rows[0]["settings"].keys() == {"sweeps", "caution"}
    assert {tuple(row["grid"].items()) for row in rows} == {
        (("sweeps", sweeps), ("caution", caution)) for sweeps in ("1", "12") for caution in ("1", "2")
    }
    assert [row["test"] is None for row in rows] == [False, True, True, True]
    check_fields(rows[0], "run", "model", "dataset", "split", "seed", "metric", "problem", "seconds")
    output = run("sweep", "start", *SWEEP[1:-2], "caution=1,2").stdout  # the command without its name is ``start``
    assert re.search(r"the best settings, sweeps=\d+ caution=\d, on test: rmse 0\.\d{4}", output)


def test_a_search_chooses_by_a_metric(run: Run, small: Path) -> None:
    arguments = ("sweep", "ease", *ON, "--search", "4", "--order", "likely")
    rows = document(run(*arguments, "--metric", "ndcg@10", "--json"))
    values = [row["metrics"]["ndcg@10"] for row in rows]
    assert len(values) == 4
    assert values == sorted(values, reverse=True)
    assert {row["metric"] for row in rows} == {"ndcg@10"}
    assert document(run(*arguments, "--json")) == rows  # a ranker is chosen by this metric unless another is named
    assert document(run("sweep", "bias", *ON, "--search", "2", "--json"))[0]["metric"] == "rmse"
    other = document(run(*arguments, "--metric", "recall@50", "--json"))
    assert [row["metrics"]["recall@50"] for row in other] == sorted(
        (row["metrics"]["recall@50"] for row in other), reverse=True
    )
    ranges = ("sweep", "bias", *ON, "--search", "5", "--grid", "sweeps=3..5", "--json")
    assert {row["settings"]["sweeps"] for row in document(run(*ranges))} == {3, 4, 5}


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (("--grid", "sweeps=1..5"), "is a range, from which only --search draws", 1),
        (("--search", "5", "--grid", "sweeps=5..1"), "put the lower end first", 1),
        (("--search", "0"), "0 is not in the range", 2),
        (("--sampler", "random", "--grid", "sweeps=1,2"), "--sampler needs --search", 2),
        (("--search", "5", "--sampler", "grid"), "'grid' does not exist|is not one of", 2),
        (("--search", "5", "--metric", "ndgc@10"), "did you mean ndcg@10", 1),
        (("--search", "5", "--metric", "ndcg@10_gap"), "did you mean ndcg@10", 1),
    ],
)
def test_impossible_sweeps_are_refused(
    run: Run, small: Path, arguments: tuple[str, ...], message: str, code: int
) -> None:
    refused(run("sweep", "bias", *ON, *arguments), message, code)


def test_sweeps_are_listed_shown_exported_and_deleted(run: Run, small: Path, tmp_path: Path) -> None:
    assert "There is no sweep yet" in run("sweep", "list").stdout
    rows = document(run(*SWEEP, "--json"))
    document(run("sweep", "bias", *ON, "--search", "2", "--seed", "3", "--json"))
    listed = document(run("sweep", "list", "--json"))
    assert [(each["sweep"], each["sampler"], each["state"], each["tried"]) for each in listed] == [
        (2, "random", "done", 2),
        (1, "grid", "done", 4),
    ]
    assert listed[1]["best"]["metrics"] == rows[0]["metrics"]
    assert listed[1]["space"] == {"sweeps": ["1", "12"], "caution": ["1", "2"]}
    assert re.search(rf" 1 +bias +demo +kfold5-0 .* {rows[0]['test']['rmse']:.4f} ", run("sweep", "list").stdout)
    assert document(run("sweep", "list", "--model", "mf", "--json")) == []

    shown = document(run("sweep", "show", 1, "--json"))
    assert shown["rows"] == rows
    check_fields(shown["environment"], "movietui", "python", "packages", "threads", "processor", "data")
    assert "on test: rmse" in run("sweep", "show", 1).stdout

    exported = list(csv.DictReader(io.StringIO(run("sweep", "export", 1).stdout)))
    assert [float(row["rmse"]) for row in exported] == [row["metrics"]["rmse"] for row in rows]
    assert [row["test rmse"] for row in exported] == [str(rows[0]["test"]["rmse"]), "", "", ""]
    assert run("sweep", "export", 1, "--format", "markdown").stdout.startswith("| run | sweeps | caution | rmse |")
    drawn = ElementTree.fromstring(run("sweep", "export", 1, "--format", "svg").stdout)
    words = [str(element.text) for element in drawn.iter() if element.tag.endswith("text")]
    assert {"1, best", "1, mean", "12, best", "2, mean"} <= {*words}
    assert any(re.fullmatch(r"sweeps explains \d+%", each) for each in words)
    assert {"Sweep 1: bias, demo, kfold5-0", "RMSE on a validation part of the train part"} <= {*words}
    output = tmp_path / "sweep.json"
    assert document(run("sweep", "export", 1, "--format", "json", "--output", output, "--json"))["rows"] == 4
    assert json.loads(output.read_text("utf-8"))["rows"] == rows
    refused(run("sweep", "export", 1, "--output", output), "already exists")

    assert document(run("sweep", "delete", 1, "--json")) == {"sweep": 1, "runs": 5}
    for command in ("show", "export", "delete"):
        refused(run("sweep", command, 1), "There is no sweep 1")
    assert [each["sweep"] for each in document(run("sweep", "list", "--json"))] == [2]


def test_runs_show_what_their_figures_depend_on(run: Run, small: Path) -> None:
    (row,) = document(run("sweep", "bias", *ON, "--grid", "sweeps=3", "--json"))
    shown = document(run("runs", "show", row["run"], "--json"))
    assert (shown["kind"], shown["split"]) == ("trial", "kfold5-0 validation")
    assert (shown["task"], shown["list_order"], shown["split_seed"]) == ("rating", "", 0)
    environment = shown["environment"]
    assert environment["packages"].keys() >= {"numpy", "torch"}
    assert environment["threads"] >= 1
    assert document(run("runs", "show", 1, "--json"))["environment"].keys() == environment.keys()  # trained runs, too
    output = run("runs", "show", row["run"]).stdout
    assert f"fingerprint {environment['data'][:12]}" in output
    assert f"Python {environment['python']}" in output
