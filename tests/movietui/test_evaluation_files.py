"""``movietui evaluate``: lengths of lists, seeds, and what it writes to files."""

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import pytest
from pyarrow import parquet

from movietui.data import catalogue
from movietui.jobs import evaluation_files
from movietui.jobs.evaluation_files import COLUMNS
from movietui.models.evaluation.measure import evaluate
from tests.models.builders import tastes
from tests.movietui.commands import Run, document, refused

ON = ("--dataset", "demo", "--split", "kfold5-0")
RANKING = ("--task", "ranking")


def test_predictions_have_the_ids_and_figures_of_the_test_part(run: Run, small: Path, tmp_path: Path) -> None:
    file = tmp_path / "predictions.parquet"
    arguments = ("evaluate", "bias", "popularity", "--dataset", "demo", "--split", "kfold5-0,new-users")
    rows = document(run(*arguments, "--predictions", file, "--json"))
    table = parquet.read_table(file)
    assert tuple(table.column_names) == COLUMNS
    frame = table.to_pandas()
    dataset = catalogue.load("demo", "none")
    given = {
        (dataset.users.ids[user], dataset.movies.ids[movie], stars)
        for user, movie, stars in zip(
            dataset.ratings.user.tolist(),
            dataset.ratings.movie.tolist(),
            dataset.ratings.stars.tolist(),
            strict=True,
        )
    }
    assert len(rows) == 4
    for row in rows:
        part = frame[(frame["model"] == row["model"]) & (frame["split"] == row["split"])]
        assert len(part) == row["n_test"]
        rmse = float(np.sqrt(((part["predicted"].astype(float) - part["rating"]) ** 2).mean()))
        assert rmse == pytest.approx(row["metrics"]["rmse"], rel=1e-6)
        assert {*zip(part["user"], part["item"], part["rating"].astype(float), strict=True)} <= given
        assert (part["uncertainty"] > 0).all()
        assert {*part["seed"], *part["split_seed"]} == {0}


def test_predictions_as_csv_are_the_same(run: Run, small: Path, tmp_path: Path) -> None:
    for name in ("a.csv", "a.parquet"):
        run("evaluate", "bias", *ON, "--seeds", "3,4", "--predictions", tmp_path / name)
    rows = list(csv.DictReader((tmp_path / "a.csv").open(encoding="utf-8")))
    frame = parquet.read_table(tmp_path / "a.parquet").to_pandas()
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == len(frame)
    assert {row["seed"] for row in rows} == {"3", "4"}
    for name in ("user", "item", "model", "split"):
        assert [row[name] for row in rows] == frame[name].tolist()
    for name in ("rating", "predicted", "uncertainty"):
        np.testing.assert_allclose([float(row[name]) for row in rows], frame[name], atol=1e-6)


def test_files_are_refused_before_anything_is_fitted(
    run: Run, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise AssertionError("a model was fitted")

    monkeypatch.setattr("movietui.models.bias.Bias.fit", fail)
    there = tmp_path / "there.csv"
    there.write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    call = ("evaluate", "bias", *ON)
    refused(run(*call, "--predictions", there), "already exists; .* --force")
    refused(run(*call, "--output", there), "already exists; .* --force")
    refused(run(*call, "--predictions", tmp_path / "a.txt"), r"must end with \.parquet or \.csv")
    refused(run(*call, "--output", tmp_path / "a.txt"), r"\.csv, .*\.svg; the suffix decides")
    refused(run(*call, "--predictions", tmp_path / "no" / "a.csv"), "could not be written")
    refused(run(*call, *RANKING, "--predictions", tmp_path / "a.csv"), "use it with --task rating")
    refused(run(*call, "--trec", tmp_path / "new"), "use it with --task ranking")
    refused(run(*call, *RANKING, "--trec", tmp_path / "full"), "already exists; .* --force")
    refused(run(*call, *RANKING, "--trec", there / "x"), "could not be made")
    refused(run(*call, "--k", "5"), "for --task ranking", code=2)
    refused(run(*call, *RANKING, "--k", "0"), "0 is not in the range", code=2)
    refused(run(*call, *RANKING, "--relevant", "0"), "0.0 is not in the range", code=2)
    refused(run(*call, "--seeds", "1,x"), "'x' is not a valid integer", code=2)
    refused(run(*call, "--metrics", "rmsee"), "There is no metric 'rmsee'; did you mean rmse")
    refused(run(*call, "--metrics", "xyzzy"), "There is no metric 'xyzzy'; choose one of rmse, rmse_undated, mae")
    refused(run(*call, "--metrics", "rmse,ndcg@5"), "ndcg@5 is not a metric of the task rating; .* --task ranking")
    refused(run("evaluate", "bias", "--dataset", "demo", "--split", "loo", "--split-seed", "0,1"), "loo is the same")
    assert there.read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "home") == ["full", "there.csv"]


def test_force_replaces_files_and_a_failure_leaves_them(
    run: Run, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, folder = tmp_path / "a.csv", tmp_path / "trec"
    for force in ((), ("--force",)):
        assert run("evaluate", "bias", *ON, "--predictions", file, *force).exit_code == 0
        assert run("evaluate", "bias", *ON, *RANKING, "--trec", folder, *force).exit_code == 0
    before = file.read_bytes()
    monkeypatch.setattr(evaluation_files, "predictions_of", None)
    assert run("evaluate", "bias", *ON, "--predictions", file, "--force").exit_code == 1
    assert file.read_bytes() == before
    assert {path.suffix for path in folder.iterdir()} == {".run", ".qrels"}


def test_trec_files_give_the_figures_of_the_evaluation(run: Run, small: Path, tmp_path: Path) -> None:
    trec = pytest.importorskip("pytrec_eval")
    arguments = ("evaluate", "bias", "popularity", *ON, *RANKING, "--seeds", "0,1", "--k", "5,20", "--relevant", "5")
    rows = document(run(*arguments, "--trec", tmp_path / "trec", "--json"))
    assert len(list((tmp_path / "trec").glob("*.run"))) == 4
    with (tmp_path / "trec" / "kfold5-0-0.qrels").open() as file:
        qrels = trec.parse_qrel(file)
    for row in rows:
        name = f"{row['model']}-kfold5-0-0-{row['seed']}.run"
        with (tmp_path / "trec" / name).open() as file:
            lists = trec.parse_run(file)
        by_user = trec.RelevanceEvaluator(qrels, {"ndcg_cut.5,20", "P.5", "map_cut.20", "recall.20"}).evaluate(lists)
        assert len(by_user) == row["metrics"]["users"]
        for theirs, ours in (
            *(("ndcg_cut_5", "ndcg@5"), ("ndcg_cut_20", "ndcg@20")),
            *(("P_5", "precision@5"), ("map_cut_20", "map@20"), ("recall_20", "recall@20")),
        ):
            mean = np.mean([values[theirs] for values in by_user.values()])
            assert row["metrics"][ours] == pytest.approx(mean), ours


def test_trec_files_keep_ids_with_white_space_apart() -> None:
    plain = tastes(users=30, movies=20)[0]
    users = replace(plain.users, ids=tuple(f"{each} \t\x1b%é" for each in plain.users.ids))
    movies = replace(plain.movies, ids=tuple(f"the {each}" for each in plain.movies.ids))
    measured = evaluate("popularity", replace(plain, users=users, movies=movies), "random80", "ranking")
    for lines, fields in ((evaluation_files.run_of(measured), 6), (evaluation_files.qrels_of(measured), 4)):
        cells = [line.split() for line in lines]
        assert {len(each) for each in cells} == {fields}
        assert {unquote(each[0]) for each in cells} <= {*users.ids}
        assert {unquote(each[2]) for each in cells} <= {*movies.ids}


def test_several_seeds_are_repetitions(run: Run, small: Path) -> None:
    call = ("evaluate", "bias", "popularity", "--dataset", "demo", "--split", "kfold5-0,kfold5-1,random80")
    rows = document(run(*call, "--seeds", "0,1", "--split-seed", "0,1", "--json"))
    assert [(row["split"], row["split_seed"], row["seed"]) for row in rows[::2]] == [
        (split, split_seed, seed)
        for split in ("kfold5-0", "kfold5-1", "random80")
        for split_seed in (0, 1)
        for seed in (0, 1)
    ]
    for model in ("bias", "popularity"):
        for protocol, count in (("kfold5", 8), ("random80", 4)):
            repeated = [row for row in rows if (row["model"], row["protocol"]) == (model, protocol)]
            rmse = [row["metrics"]["rmse"] for row in repeated]
            over = repeated[0]["over"]
            assert all(row["over"] == over for row in repeated)
            assert (over["protocol"], over["count"], len(rmse)) == (protocol, count, count)
            assert over["metrics"]["rmse"]["mean"] == pytest.approx(np.mean(rmse))
            assert over["metrics"]["rmse"]["std"] == pytest.approx(np.std(rmse, ddof=1))
            assert ("difference" in over) == (model != "bias")
    tests = {(row["model"], row["protocol"]): row["over"]["difference"] for row in rows if row["model"] != "bias"}
    for protocol, test in ((name, test) for (_, name), test in tests.items()):
        repeated = {
            model: [row for row in rows if (row["model"], row["protocol"]) == (model, protocol)]
            for model in ("bias", "popularity")
        }
        roots = {
            model: np.sqrt(np.average([row["metrics"]["mse"] for row in each], weights=[row["n_test"] for row in each]))
            for model, each in repeated.items()
        }
        assert test["value"] == pytest.approx(roots["popularity"] - roots["bias"])
    lowest = min(tests.values(), key=lambda test: test["p"])
    assert lowest["p_holm"] == pytest.approx(2 * lowest["p"])
    assert all(test["p"] <= test["p_holm"] <= 1 for test in tests.values())
    assert all("p_holm" not in row["difference"] for row in rows if row["model"] != "bias")


def test_the_table_ends_with_means_and_deviations(run: Run, small: Path) -> None:
    call = ("evaluate", "bias", "popularity", "--dataset", "demo", "--split", "kfold5-0,kfold5-1,random80")
    output = run(*call, "--metrics", "mae,rmse").stdout
    heading, *lines = output.splitlines()
    assert heading.split() == ["split", "model", "mae", "rmse", "fit", "cpu", "to", "first", "p"]
    assert sum(line.startswith("kfold5, mean of 2") for line in lines) == 2
    assert sum(line.startswith("kfold5, deviation") for line in lines) == 2
    assert "random80, mean" not in output
    assert "Holm" in output
    assert run(*call, "--seeds", "0,1").stdout.splitlines()[0].split()[:3] == ["split", "seed", "model"]


def test_lists_of_other_lengths_and_thresholds(run: Run, small: Path) -> None:
    call = ("evaluate", "popularity", *ON, *RANKING, "--json")
    usual, five = (document(run(*call, *more))[0] for more in ((), ("--k", "5,10", "--relevant", "5")))
    assert (usual["relevant"], five["relevant"]) == (4, 5)
    assert {"ndcg@5", "ndcg@10", "map@5", "gini@10", "mrr", "ndcg@5_margin"} <= {*five["metrics"]}
    assert "recall@20" not in five["metrics"]
    assert five["metrics"]["users"] <= usual["metrics"]["users"]
    assert five["metrics"]["precision@10"] < usual["metrics"]["precision@10"]
    same = document(run(*call, "--k", "10"))[0]["metrics"]
    assert same == {name: usual["metrics"][name] for name in usual["metrics"] if name != "recall@20"}
    refused(run(*call[:-1], "--relevant", "9"), "Nobody gave 9 stars or more")


def test_wanted_metrics_are_measured_and_compared(run: Run, small: Path) -> None:
    call = ("evaluate", "bias", "popularity", *ON, *RANKING, "--metrics", "gini@3,recall@3,mrr,users,liked@2")
    row = document(run(*call, "--json"))[1]
    assert {"gini@3", "recall@3", "liked@2", "ndcg@10", "recall@3_margin"} <= {*row["metrics"]}
    assert row["difference"]["metric"] == "recall@3"
    heading = run(*call).stdout.splitlines()[0].split()
    assert heading == [
        "split",
        "model",
        "gini@3",
        "recall@3",
        "mrr",
        "users",
        "liked@2",
        "fit",
        "cpu",
        "to",
        "first",
        "p",
    ]


def test_detail_of_lists_is_by_subgroup_of_users(run: Run, small: Path) -> None:
    call = ("evaluate", "bias", *ON, *RANKING, "--detail")
    row = document(run(*call, "--json"))[0]
    assert sum(group["users"] for group in row["subgroups"] if group["by"] == "gender") == row["metrics"]["users"]
    assert {"ndcg@10", "recall@20", "mrr"} <= {*row["subgroups"][0]["metrics"]}
    assert "ratings of the user" in run(*call).stdout


@pytest.mark.parametrize("split", ["loo", "strong", "cold-movies", "cold-newest", "new-users"])
def test_every_protocol_measures_stars_and_lists(run: Run, small: Path, split: str) -> None:
    for task in ("rating", "ranking"):
        call = ("evaluate", "mf", "--set", "sweeps=2", "--dataset", "demo", "--split", split, "--task", task)
        row = document(run(*call, "--json"))[0]
        assert (row["split"], row["protocol"]) == (split, split)
        assert row["n_test"] > 0


def test_tables_as_csv_markdown_and_latex(run: Run, small: Path, tmp_path: Path) -> None:
    call = ("evaluate", "bias", "popularity", "--dataset", "demo", "--split", "kfold5-0,kfold5-1")
    rows = document(run(*call, "--json"))
    lines = list(csv.DictReader(io.StringIO(run(*call, "--format", "csv").stdout)))
    assert [float(line["rmse"]) for line in lines] == [row["metrics"]["rmse"] for row in rows]
    assert [line["split"] for line in lines] == [row["split"] for row in rows]
    mean = rows[1]["over"]["metrics"]["rmse"]["mean"]
    markdown = run(*call, "--format", "markdown", "--metrics", "rmse").stdout.splitlines()
    assert len(markdown) == 4
    assert f"{mean:.4f} ±" in markdown[3]
    latex = run(*call, "--format", "latex", "--metrics", "rmse,mse_scaled").stdout
    assert r"split & model & rmse & mse\_scaled & to first & p \\" in latex
    assert rf"kfold5 & popularity & {mean:.4f} $\pm$ " in latex
    assert latex.startswith("\\begin{tabular}{ll")
    assert latex.count("\\\\\n") == 3
    for suffix, start in (
        (".tex", "\\begin"),
        (".md", "| split"),
        (".csv", "model,"),
        (".svg", "<svg"),
        (".json", "["),
    ):
        file = tmp_path / f"table{suffix}"
        shown = run(*call, "--output", file)
        assert shown.exit_code == 0, shown.stderr
        assert "mean of 2" in shown.stdout
        assert file.read_text("utf-8").startswith(start)
    assert document(run(*call, "--output", tmp_path / "x.tex", "--json"))[0]["metrics"] == rows[0]["metrics"]


def test_one_fold_is_not_called_by_the_name_of_all(run: Run, small: Path) -> None:
    call = ("evaluate", "bias", "--dataset", "demo", "--split", "kfold5-1", "--metrics", "rmse", "--set", "sweeps=1")
    assert "| kfold5\\-1 | bias |" in run(*call, "--format", "markdown").stdout
    assert "kfold5-1 & bias &" in run(*call, "--format", "latex").stdout
    assert ">kfold5-1<" in run(*call, "--format", "svg").stdout
    assert "kfold5-1, mean of 2" in run(*call, "--seeds", "0,1").stdout


def test_a_chart_shows_each_model_with_its_interval(run: Run, small: Path) -> None:
    call = ("evaluate", "bias", "popularity", "--dataset", "demo", "--split", "kfold5-0,kfold5-1,random80")
    drawn = ElementTree.fromstring(run(*call, "--format", "svg").stdout)
    words = [element.text for element in drawn.iter() if element.tag.endswith("text")]
    assert words.count("bias") == words.count("popularity") == 2
    assert {"kfold5", "random80", "demo, rating"} <= {*words}
    assert "RMSE, 95 % interval over users, ± standard deviation over repetitions" in words
    assert sum(element.tag.endswith("circle") for element in drawn.iter()) == 4
    ranked = run("evaluate", "popularity", *ON, *RANKING, "--format", "svg").stdout
    assert "ndcg@10, 95 % interval over users" in ranked


def test_curves_of_runs_are_drawn(run: Run, small: Path, tmp_path: Path) -> None:
    drawn = ElementTree.fromstring(run("runs", "export", "--format", "svg").stdout)
    words = [element.text for element in drawn.iter() if element.tag.endswith("text")]
    assert {"epoch", "mean squared error (stars²)", "run 2, mf on demo: validation"} <= {*words}
    whole = json.loads(run("runs", "show", "2", "--json").stdout)["curve"]
    points = [element.get("points", "").split(" ") for element in drawn.iter() if element.tag.endswith("polyline")]
    assert len(whole) in {len(each) for each in points}
    latex = run("runs", "export", "--format", "latex").stdout
    assert re.search(r"& mf & demo & [^&]*& \w+ & random90 &", latex)
