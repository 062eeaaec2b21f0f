"""The commands that train and measure models: train, evaluate, reproduce."""

import re
from contextlib import closing
from pathlib import Path

import pytest

from movietui import api
from movietui.data.problems import Problem
from movietui.data.storage import locations
from movietui.jobs.listener import Listener
from movietui.jobs.train import TrainRequest
from movietui.models.bias import Bias, BiasSettings
from movietui.models.choices import metric_named
from movietui.models.evaluation.reproduce import Experiment
from movietui.store.ratings import Store
from tests.movietui.commands import Run, check_fields, document, refused


def test_train_stores_a_run_and_prints_it(run: Run, small: Path) -> None:
    trained = document(run("train", "bias", "--dataset", "demo", "--set", "sweeps=2", "--seed", "3", "--json"))
    check_fields(trained, "run", "model", "dataset", "epochs", "best_epoch", "metrics", "seconds", "checkpoint")
    check_fields(trained["epochs"][0], "epoch", "train_loss", "validation_loss")
    check_fields(trained["metrics"], "rmse", "mae")
    assert (trained["run"], trained["seed"], trained["settings"]["sweeps"]) == (3, 3, 2)
    assert Path(trained["checkpoint"]).is_dir()
    output = run("train", "popularity", "--dataset", "demo").stdout
    assert "run 4: popularity on demo, trained on all ratings" in output
    assert "measured on random90" in output


def test_train_defaults_to_the_recommended_model(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    models: list[str] = []

    def note(store: Store, request: TrainRequest, listener: Listener) -> None:
        models.append(request.model)
        raise Problem("That is enough.")

    monkeypatch.setattr("movietui.jobs.train.train", note)
    assert run("train", "--dataset", "demo").exit_code == 1
    assert models == ["blend"]


def test_a_seed_of_a_split_that_has_none_is_refused(run: Run, small: Path) -> None:
    for command in ("train", "evaluate"):
        refused(
            run(command, "bias", "--dataset", "demo", "--split", "loo", "--split-seed", "5"),
            "loo is the same with every split seed; leave out the split seed.",
        )
    with pytest.raises(Problem, match="loo is the same with every split seed"):
        api.evaluate("bias", api.load("demo"), "loo", split_seed=5)


def test_train_with_a_split_fits_only_its_train_part(run: Run, small: Path) -> None:
    trained = document(run("train", "popularity", "--dataset", "demo", "--split", "kfold5-1", "--json"))
    assert (trained["split"], trained["cleaning"], trained["fitted_on"]) == ("kfold5-1", "none", "train")


def test_evaluate_measures_each_model_on_each_split(run: Run, small: Path) -> None:
    splits = "kfold5-0,random80"
    rows = document(run("evaluate", "popularity", "bias", "--dataset", "demo", "--split", splits, "--json"))
    assert [(row["split"], row["model"]) for row in rows] == [
        (split, model) for split in splits.split(",") for model in ("popularity", "bias")
    ]
    for row in rows:
        check_fields(
            row, "model", "dataset", "split", "task", "seed", "settings", "cleaning", "n_train", "n_test", "metrics"
        )
        check_fields(row["metrics"], "rmse", "mse", "mae", "accuracy", "mse_scaled")
        check_fields(row["seconds"], "fit", "predict")
        assert (row["task"], row["cleaning"], row["settings"]) == ("rating", "none", "tuned")
        assert row["metrics"]["mse"] == pytest.approx(row["metrics"]["rmse"] ** 2)
        assert row["n_train"] + row["n_test"] == 5_602
    check_fields(rows[1]["difference"], "to", "metric", "value", "low", "high")
    assert "over" not in rows[1]  # unlike splits are not averaged
    assert rows[1]["difference"]["p_holm"] >= rows[1]["difference"]["p"]
    output = run("evaluate", "popularity", "bias", "--dataset", "demo", "--split", "kfold5-0").stdout
    assert "kfold5-0" in output
    assert f"{rows[0]['metrics']['rmse']:.4f}" in output


def test_each_evaluation_is_a_run(run: Run, small: Path) -> None:
    arguments = ("evaluate", "bias", "--dataset", "demo", "--split", "random80", "--task", "ranking", "--json")
    for relevant in ("4", "5"):
        rows = document(run(*arguments, "--relevant", relevant))
        runs = {row["run"]: row for row in document(run("runs", "list", "--json"))}
        for row in rows:
            stored = runs[row["run"]]
            for field in ("model", "split", "task", "seed", "metrics"):
                assert stored[field] == row[field]
            assert (stored["kind"], stored["state"], stored["list_order"]) == ("evaluation", "done", row["order"])
    with closing(Store(locations.store())) as store:
        identities = {record.identity for record in store.runs() if record.kind == "evaluation"}
    assert len(identities) == 4  # the stars that are relevant decide what was measured


def test_evaluate_several_splits_prints_their_mean(run: Run, small: Path) -> None:
    output = run("evaluate", "bias", "mf", "--dataset", "demo", "--split", "kfold5-0,kfold5-1").stdout
    assert output.count("mean of 2") == output.count("deviation") == 2


def test_the_table_says_which_rows_have_which_settings(run: Run, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bias, "published", BiasSettings(sweeps=2))
    arguments = ("evaluate", "bias", "--dataset", "demo", "--task", "ranking")
    rows = document(run(*arguments, "--published", "--json"))
    assert [(row["model"], row["settings"]) for row in rows] == [("bias", "published"), ("popularity", "tuned")]
    assert rows[0]["values"] == {"sweeps": 2, "caution": 1.0}
    output = run(*arguments, "--published").stdout
    assert "settings published and tuned" in output
    assert [line.split()[2] for line in output.splitlines()[:3]] == ["settings", "published", "tuned"]
    output = run("evaluate", "bias", "--dataset", "demo", "--set", "sweeps=1").stdout
    assert "settings tuned, except sweeps=1" in output


def test_evaluate_prints_where_a_model_fails(run: Run, small: Path) -> None:
    arguments = ("evaluate", "bias", "--dataset", "demo", "--split", "random80", "--detail")
    row = document(run(*arguments, "--json"))[0]
    assert {group["by"] for group in row["subgroups"]} >= {"ratings of the user", "ratings of the movie", "genre"}
    assert sum(group["rows"] for group in row["subgroups"] if group["by"] == "ratings of the user") == row["n_test"]
    assert sum(result["rows"] for result in row["calibration"]["bins"]) == row["n_test"]
    output = run(*arguments).stdout
    assert all(word in output for word in ("ratings of the movie", "too high", "predicted from", "mean distance"))
    ranked = document(run("evaluate", "bias", "--dataset", "demo", "--task", "ranking", "--detail", "--json"))
    assert {group["by"] for group in ranked[0]["subgroups"]} == {"ratings of the user", "age", "gender", "occupation"}
    assert ranked[1]["difference"]["metric"] == "ndcg@10"
    assert 0.7 < row["metrics"]["coverage80"] < 0.9
    both = run("evaluate", "popularity", "bias", "--dataset", "demo", "--split", "kfold5-0,kfold5-1", "--detail")
    assert "coverage80" in both.stdout  # only of bias, because popularity predicts no uncertainty


def test_evaluate_says_which_settings_it_used(run: Run, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bias, "published", BiasSettings(sweeps=2))
    arguments = ("evaluate", "bias", "--dataset", "demo", "--split", "kfold5-0", "--json")
    tuned, published, changed, same = (
        document(run(*arguments, *more))[0]
        for more in ((), ("--published",), ("--set", "sweeps=1"), ("--published", "--set", "sweeps=12"))
    )
    assert [row["settings"] for row in (tuned, published, changed, same)] == ["tuned", "published", "own", "tuned"]
    assert len({row["metrics"]["rmse"] for row in (tuned, published, changed)}) == 3
    assert same["metrics"] == tuned["metrics"]


def test_train_can_use_the_published_settings(run: Run, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bias, "published", BiasSettings(sweeps=2))
    arguments = ("train", "bias", "--dataset", "demo", "--published", "--json")
    assert document(run(*arguments))["settings"] == {"sweeps": 2, "caution": 1.0}
    assert document(run(*arguments, "--set", "caution=3"))["settings"] == {"sweeps": 2, "caution": 3.0}


def test_reproduce_compares_reported_and_measured_figures(
    run: Run, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused(run("reproduce"), "ml-100k is not on disk yet; run movietui data get ml-100k.")
    experiments = (Experiment("009", "user-knn", {"mse": 1.5, "mae": None}, "demo", "kfold5-0", note="as invented"),)
    monkeypatch.setattr("movietui.models.evaluation.reproduce.EXPERIMENTS", experiments)
    rows = document(run("reproduce", "--json"))
    assert [(row["metric"], row["reported"]) for row in rows] == [("mse", 1.5), ("mae", None)]
    check_fields(rows[0], "source", "model", "dataset", "split", "published", "tuned")
    assert rows[0]["published"] > rows[0]["tuned"]
    assert re.search(r"009 +user-knn +demo +none +kfold5-0 +mse +1.5000 ", run("reproduce").stdout)


def test_evaluate_measures_rankings(run: Run, small: Path) -> None:
    rows = document(run("evaluate", "bias", "--dataset", "demo", "--split", "kfold5-0", "--task", "ranking", "--json"))
    metrics = ("ndcg@10", "recall@10", "recall@20", "hit@10", "coverage@10", "novelty@10")
    check_fields(rows[0]["metrics"], *metrics)
    assert run("evaluate", "bias", "--dataset", "demo", "--split", "kfold5-0", "--task", "ranking").exit_code == 0


def test_evaluate_measures_lists_for_pairs(run: Run, small: Path) -> None:
    arguments = ("evaluate", "bias", "--dataset", "demo", "--split", "kfold5-0", "--task", "pair")
    (row,) = document(run(*arguments, "--json"))
    check_fields(row["metrics"], "rmse", "mae", "mse_scaled", "ndcg@10_mean", "ndcg@10_min", "ndcg@10_gap")
    assert row["task"] == "pair"
    assert re.search(rf" {row['metrics']['triples']:,} .* {row['metrics']['pairs']} ", run(*arguments).stdout)


def test_the_table_of_evaluations_fits_the_terminal(run: Run, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("evaluate", "popularity", "--task", "ranking", "--split", "random80", "--dataset", "demo")
    monkeypatch.setenv("COLUMNS", "80")
    output = run(*arguments).stdout
    heading, row, rest = output.splitlines()[:3]
    assert max(len(line) for line in (heading, row, rest)) <= 80
    assert {"ndcg@10", "liked@10"} <= {*heading.split()}
    assert rest.endswith("more metrics: --json has all")
    (measured,) = document(run(*arguments, "--json"))
    shown = [name for name in measured["metrics"] if name in heading.split()]
    assert len(shown) + int(rest.split()[0]) == len(measured["metrics"])
    monkeypatch.setenv("COLUMNS", "250")
    assert "--json has all" not in run(*arguments).stdout
    monkeypatch.delenv("COLUMNS")  # a pipe has no width
    heading = run(*arguments, "--k", "5,10,20").stdout.splitlines()[0]
    assert len(heading) <= 200
    assert all(metric_named(name) for name in {*heading.split()} - {"split", "model", "fit", "cpu"})
