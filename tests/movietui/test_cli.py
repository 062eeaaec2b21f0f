"""Every command, as a person and as a script would use it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from data import catalogue, locations, sources
from data.problems import Problem
from data.progress import Stage
from data.sources import Source
from models import ranking
from models.bias import Bias, BiasSettings
from models.reproduce import Experiment
from movietui import __version__
from movietui.cli import cli
from movietui.output import Bars
from movietui.store import Film, Store
from movietui.viewers import profile
from tests.data.files import contents, write_folder, write_zip
from tests.data.imdb_tables import basics, crew, person, rating, write_tables
from tests.movietui.fakes import with_run
from tests.movietui.homes import checkpoint_of

Run = Callable[..., Result]
LOOKING = ("similar", "explain", "taste", "search")


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("COLUMNS", "160")

    def call(*arguments: object) -> Result:
        return CliRunner().invoke(cli, [str(argument) for argument in arguments])

    return call


def document(result: Result) -> Any:
    """Return the one JSON document on standard output."""
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def refused(result: Result, told: str, code: int = 1) -> None:
    """Check that nothing was printed but one sentence that says what and what to do."""
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    assert re.search(told, result.stderr), result.stderr
    assert "Traceback" not in result.stderr
    assert "please report it" not in result.stderr
    if code == 1:
        assert result.stderr.endswith((".\n", "?\n"))
        assert result.stderr.count("\n") == 1


def given(result: dict[str, Any], *fields: str) -> None:
    assert set(fields) <= set(result)


def test_version_and_help(run: Run) -> None:
    assert run("--version").stdout == f"movietui, version {__version__}\n"
    told = run("--help").stdout
    for command in (
        "data",
        "train",
        "evaluate",
        "sweep",
        "reproduce",
        "recommend",
        "rate",
        "import",
        "export",
        "locate",
        *LOOKING,
    ):
        assert re.search(rf"^  {command} ", told, re.MULTILINE)
        assert run(command, "--help").exit_code == 0
    for command in ("list", "get", "remove", "clean", "show", "imdb"):
        assert "--json" in run("data", command, "-h").stdout


def every(group: click.Group, *path: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from every(command, *path, name)
        else:
            yield " ".join((*path, name)), command


@pytest.mark.parametrize(("name", "command"), [pytest.param(*each, id=each[0]) for each in every(cli)])
def test_every_command_takes_the_same_options(name: str, command: click.Command) -> None:
    options = {option for parameter in command.params for option in parameter.opts}
    assert {"--json", "--dataset", "--seed"} <= options


def test_options_that_say_nothing_to_a_command(run: Run) -> None:
    assert document(run("locate", "--json", "--dataset", "demo", "--seed", 3)) == document(run("locate", "--json"))
    assert document(run("data", "list", "--dataset", "demo", "--seed", 3, "--json"))
    assert "--seed" not in run("locate", "--help").stdout
    refused(run("locate", "--seed", "x"), "Usage:.*", 2)


def test_a_dataset_is_named_either_way(run: Run) -> None:
    for named in (("demo",), ("--dataset", "demo"), ("demo", "--dataset", "demo")):
        assert document(run("data", "get", *named, "--json"))["dataset"] == "demo"
    refused(run("data", "get", "demo", "--dataset", "own"), "NAME is 'demo' and --dataset 'own'; name one", 2)
    refused(run("data", "get", ""), "cannot be the name")


# Data


def test_data_list(run: Run) -> None:
    listed = {row["name"]: row for row in document(run("data", "list", "--json"))}
    assert listed["demo"]["state"] == "invented"
    assert listed["ml-100k"]["state"] == "available"
    told = run("data", "list").stdout
    assert "ml-100k" in told
    assert "MovieLens" in told


def test_data_get_the_demo(run: Run) -> None:
    obtained = document(run("data", "get", "demo", "--json"))
    given(obtained, "dataset", "source", "ratings", "users", "movies", "seconds")
    assert (obtained["dataset"], obtained["source"]) == ("demo", "generated")
    told = run("data", "get", "demo").stdout
    assert f"demo: {obtained['ratings']:,} ratings, {obtained['users']} users, {obtained['movies']} movies" in told
    assert "invented" in told


@pytest.mark.parametrize("packed", [True, False])
def test_data_get_from_a_path(run: Run, tmp_path: Path, packed: bool) -> None:
    files = contents()
    path = write_zip(tmp_path / "x.zip", files) if packed else write_folder(tmp_path / "x", files)
    obtained = document(run("data", "get", "own", "--from", path, "--json"))
    assert (obtained["source"], obtained["ratings"], obtained["users"], obtained["movies"]) == ("path", 240, 12, 30)
    assert "own" in run("data", "list").stdout


def test_data_get_insecure(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def fetched(source: Source, report: object, insecure: bool) -> None:
        asked.append(insecure)
        raise Problem("No network.")

    monkeypatch.setattr(sources, "fetched", fetched)
    refused(run("data", "get", "ml-1m"), "No network")
    refused(run("data", "get", "ml-1m", "--insecure"), "No network")
    assert asked == [False, True]


def test_a_download_shows_how_far_and_how_fast_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Bars() as bars:
        bars.stage(Stage("Downloading", 12_000_000, 240_000_000, "bytes", "MovieLens 32M", rate=3.1e6))
        (bar,) = bars._progress.tasks
        assert bar.fields["reached"] == "12 MB of 240 MB, 3.1 MB/s"
        assert (bar.completed, bar.total) == (12_000_000, 240_000_000)


def test_data_remove(run: Run, tmp_path: Path) -> None:
    for layout, name in (("ml-1m", "own"), ("ml-latest-small", "other")):
        path = write_zip(tmp_path / f"{layout}.zip", contents(layout=layout))
        document(run("data", "get", name, "--from", path, "--json"))
    store = Store(locations.store())
    store.rate(store.create_profile("me"), Film("fargo 1996", "Fargo", 1996), 4)
    with_run(store, dataset="own")
    sizes = {row["name"]: row["bytes"] for row in document(run("data", "list", "--json"))}
    removed = document(run("data", "remove", "own", "--json"))
    assert removed == {"dataset": "own", "bytes": sizes["own"], "in_use": True}
    told = run("data", "remove", "other").stdout
    assert re.search(r"^other: removed, [\d.]+ kB free\.$", told.strip())
    assert "in use" not in told
    assert not {"own", "other"} & {row["name"] for row in document(run("data", "list", "--json"))}
    assert len(store.ratings(profile("me"))) == 1


def test_data_remove_says_that_it_is_in_use(run: Run) -> None:
    document(run("data", "get", "demo", "--json"))
    with_run(Store(locations.store()), dataset="demo")
    assert "It is the one in use" in run("data", "remove", "demo").stdout


def test_data_clean(run: Run) -> None:
    document(run("data", "get", "demo", "--json"))
    report = document(run("data", "clean", "demo", "--json"))
    given(report, "dataset", "preset", "rules", "ratings", "users", "movies")
    for rule in report["rules"]:
        given(rule, "rule", "on", "before", "removed", "examples")
    assert document(run("data", "clean", "demo", "--cleaning", "none", "--json"))["preset"] == "none"
    assert "demo after cleaning (none)" in run("data", "clean", "demo").stdout  # as it was cleaned last
    assert "cleaning none" in run("data", "show", "demo").stdout
    assert document(run("train", "popularity", "--dataset", "demo", "--json"))["cleaning"] == "none"
    assert "demo after cleaning (standard)" in run("data", "clean", "demo", "--preset", "standard").stdout


@pytest.mark.parametrize("option", ["--cleaning", "--preset"])
def test_a_cleaning_is_named_with_changes(run: Run, option: str) -> None:
    document(run("data", "get", "demo", "--json"))
    text = "standard  +few-ratings-movies:60 -gender"
    report = document(run("data", "clean", "demo", option, text, "--json"))
    canonical = "standard +few-ratings-movies:60 -gender"
    assert report["preset"] == canonical
    assert canonical in run("data", "show", "demo", option, text).stdout
    trained = document(run("train", "popularity", "--dataset", "demo", option, text, "--json"))
    (measured,) = document(run("evaluate", "popularity", "--dataset", "demo", option, text, "--json"))
    assert (trained["cleaning"], measured["cleaning"]) == (canonical, canonical)
    assert document(run("recommend", "--user", "1", "--dataset", "demo", "--json"))["movies"]


def test_data_show(run: Run) -> None:
    document(run("data", "get", "demo", "--json"))
    shown = document(run("data", "show", "demo", "--json"))
    given(shown, "dataset", "ratings", "users", "movies", "terms", "density", "charts", "absent")
    told = run("data", "show", "demo").stdout
    assert "invented" in told
    for chart in shown["charts"]:
        assert chart["title"] in told
    assert f"{shown['stars']['5']:,}  ███" in told


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    titles = [basics(11, "The Godfather", 1972, minutes=175), basics(12, "Alien", 1979), basics(13, "Alien", 1979)]
    people = [person(21, "Francis \x1b[31mFord Coppola")]
    return write_tables(tmp_path / "imdb", titles, [rating(11, 900, 9.2)], [crew(11, 21)], people)


def test_data_imdb(run: Run, tables: Path) -> None:
    movies = document(run("data", "get", "demo", "--json"))["movies"]
    report = document(run("data", "imdb", "demo", "--from", tables, "--json"))
    given(report, "dataset", "matched", "ambiguous", "unmatched", "by", "tables", "notes", "seconds", "peak_bytes")
    assert report["matched"] + report["ambiguous"] + report["unmatched"] == movies
    assert report["by"] == {"id": 0, "title": 1, "hand": 0}
    assert [row["title"] for row in report["ambiguous_movies"]] == ["Alien (1979)"]
    assert len(report["unmatched_movies"]) == report["unmatched"]
    assert all(row["reason"] for row in (*report["ambiguous_movies"], *report["unmatched_movies"]))
    told = run("data", "imdb", "demo", "--from", tables).stdout
    assert re.search(r"matched +1 +1 by title", told)
    assert "Alien (1979)" in told
    assert "Information courtesy of IMDb (https://www.imdb.com). Used with permission." in told
    (tables / "title.crew.tsv.gz").unlink()
    assert "no directors are known" in run("data", "imdb", "demo", "--from", tables).stdout


def test_recommended_movies_know_what_imdb_says(run: Run, ready: Path, tables: Path) -> None:
    ask = ("recommend", "--profile", "anna", "-k", 400, "--dataset", "demo", "--json")
    run("rate", "--profile", "anna", "Alien", 5, "--dataset", "demo")
    before = document(run(*ask))["movies"]
    assert not any("imdb" in movie for movie in before)
    document(run("data", "imdb", "demo", "--from", tables, "--json"))
    after = document(run(*ask))["movies"]
    assert [movie["id"] for movie in after] == [movie["id"] for movie in before]
    assert {movie["title"]: movie["imdb"] for movie in after if "imdb" in movie} == {
        "The Godfather": {
            "id": "tt0000011",
            "rating": 9.2,
            "votes": 900,
            "minutes": 175,
            "genres": ["Drama"],
            "directors": ["Francis Ford Coppola"],
        }
    }


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("data", "imdb", "nothing"), "There is no dataset nothing"),
        (("data", "imdb", "ml-100k"), "ml-100k is not here yet; run movietui data get ml-100k"),
        (("data", "imdb", "demo"), r"title\.basics\.tsv\.gz could not be downloaded: .*--from DIR"),
        (("data", "imdb", "demo", "--from", "/nowhere/at/all"), "There is no folder /nowhere/at/all"),
        (("data", "get", "nothing"), "There is no dataset nothing; the known ones are demo, ml-100k"),
        (("data", "get", "../evil"), "cannot be the name"),
        (("data", "get", "ml-100k"), "--from PATH"),
        (("data", "remove", "nothing"), "There is no dataset nothing; those that are here: none"),
        (("data", "remove", "ml-1m"), "Nothing of ml-1m is on this disk"),
        (("data", "clean", "ml-100k"), "ml-100k is not here yet; run movietui data get ml-100k"),
        (("data", "show", "nothing"), "There is no dataset nothing"),
        (("data", "clean", "demo", "--cleaning", "spotless"), "There is no cleaning 'spotless'; choose one of"),
        (("data", "get", "own", "--from", "/nowhere/at/all.zip"), "/nowhere/at/all.zip"),
        (("train", "oracle", "--dataset", "demo"), "There is no model 'oracle'; choose one of"),
        (("train", "mf", "--dataset", "nothing"), "There is no dataset nothing"),
        (("train", "mf", "--dataset", "demo", "--split", "u9"), "u9"),
        (("train", "bias", "--dataset", "demo", "--set", "depth=3"), "depth"),
        (("train", "mf", "--dataset", "demo", "--set", "factors=0"), "factors.*1"),
        (("train", "mf", "--dataset", "demo", "--set", "factors=many"), "factors.*many"),
        (("train", "mf", "--dataset", "demo", "--cleaning", "spotless"), "spotless"),
        (("evaluate", "oracle", "--dataset", "demo"), "oracle"),
        (("evaluate", "bias", "--dataset", "demo", "--split", "nosuch"), "nosuch"),
        (("evaluate", "popularity", "--dataset", "demo", "--published"), "None of the source systems has popularity"),
        (("train", "popularity", "--dataset", "demo", "--published"), "None of the source systems has popularity"),
        (("evaluate", "bias", "--dataset", "demo", "--set", "factors=2"), "factors"),
        (("sweep", "bias", "--dataset", "demo"), "needs a grid"),
        (("sweep", "bias", "--dataset", "demo", "--grid", "sweeps="), "no values for sweeps"),
        (("sweep", "bias", "--dataset", "demo", "--grid", "factors=2,3"), "factors"),
        (("sweep", "oracle", "--dataset", "demo", "--grid", "factors=2,3"), "oracle"),
        (("evaluate", "bias", "--dataset", "demo", "--split", "u1"), "u1"),
        (("recommend", "--user", "1", "--dataset", "demo"), "No model is trained on demo yet"),
        (("recommend", "--profile", "nobody", "--dataset", "demo"), "There is no profile 'nobody'"),
        (("rate", "--profile", "a", "No Such Film At All", "3", "--dataset", "demo"), "has no movie"),
    ],
)
def test_what_cannot_be_done(run: Run, arguments: tuple[str, ...], told: str) -> None:
    refused(run(*arguments), told)
    refused(run(*arguments, "--json"), told)


def test_files_that_are_no_dataset(run: Run, tmp_path: Path) -> None:
    whole = write_zip(tmp_path / "whole.zip", contents()).read_bytes()
    wrong = {
        "README.md": b"# A page of text\n",
        "page.zip": b"<!DOCTYPE html><html><body>Sign in</body></html>",
        "cut.zip": whole[: len(whole) // 2],
        "empty.zip": b"",
        "other.zip": write_zip(tmp_path / "other.zip", {"notes.txt": b"hello"}).read_bytes(),
    }
    told = {"page.zip": "web page", "cut.zip": "damaged or cut off", "empty.zip": "empty", "other.zip": "u.data"}
    for name, content in wrong.items():
        (tmp_path / name).write_bytes(content)
        for dataset in ("ml-100k", "demo2"):
            refused(run("data", "get", dataset, "--from", tmp_path / name), told.get(name, re.escape(name)))
            refused(run("data", "get", dataset, "--from", tmp_path / name, "--json"), "")
    refused(run("data", "get", "demo2", "--from", write_folder(tmp_path / "nothing", {})), "nothing")
    assert document(run("data", "list", "--json"))[-1]["name"] != "demo2"


def test_titles_in_messages_steer_no_terminal(run: Run, ready: Path) -> None:
    for arguments in (
        ("rate", "--profile", "a", "\x1b[31mNo Such Film\x07", "3"),
        ("data", "get", "\x1b[31mx"),
        ("recommend", "--profile", "\x1b[31mx"),
        ("recommend", "--user", "\x1b[31mx"),
        ("train", "\x1b[31mx"),
        ("train", "mf", "--split", "\x1b[31mx"),
        ("train", "mf", "--set", "\x1b[31mx=1"),
        ("recommend", "--user", "1", "--dataset", "\x1b[31mx"),
        ("recommend", "--user", "1", "--model", "\x1b[31mx"),
    ):
        result = run(*arguments)
        assert result.exit_code == 1
        assert "\x1b" not in result.output, arguments


# Models


def test_train(run: Run, ready: Path) -> None:
    trained = document(run("train", "bias", "--dataset", "demo", "--set", "sweeps=2", "--seed", "3", "--json"))
    given(trained, "run", "model", "dataset", "epochs", "best_epoch", "metrics", "seconds", "checkpoint")
    given(trained["epochs"][0], "epoch", "train_loss", "validation_loss")
    given(trained["metrics"], "rmse", "mae")
    assert (trained["run"], trained["seed"], trained["settings"]["sweeps"]) == (3, 3, 2)
    assert Path(trained["checkpoint"]).is_dir()
    told = run("train", "popularity", "--dataset", "demo").stdout
    assert "run 4: popularity on demo, learnt from all ratings" in told
    assert "measured on random90" in told


def test_train_takes_the_recommended_model(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def note(store: Store, model: str, dataset: str, **options: object) -> None:
        asked.append(model)
        raise Problem("That is enough.")

    monkeypatch.setattr("movietui.tasks.train", note)
    assert run("train", "--dataset", "demo").exit_code == 1
    assert asked == ["blend"]


def test_train_on_a_split_only(run: Run, ready: Path) -> None:
    trained = document(run("train", "popularity", "--dataset", "demo", "--split", "kfold5-1", "--json"))
    assert (trained["split"], trained["cleaning"], trained["fitted_on"]) == ("kfold5-1", "none", "train")


def test_evaluate(run: Run, ready: Path) -> None:
    splits = "kfold5-0,random80"
    rows = document(run("evaluate", "popularity", "bias", "--dataset", "demo", "--split", splits, "--json"))
    assert [(row["split"], row["model"]) for row in rows] == [
        (split, model) for split in splits.split(",") for model in ("popularity", "bias")
    ]
    for row in rows:
        given(row, "model", "dataset", "split", "task", "seed", "settings", "cleaning", "n_train", "n_test", "metrics")
        given(row["metrics"], "rmse", "mse", "mae", "accuracy", "mse_scaled")
        given(row["seconds"], "fit", "predict")
        assert (row["task"], row["cleaning"], row["settings"]) == ("rating", "none", "tuned")
        assert row["metrics"]["mse"] == pytest.approx(row["metrics"]["rmse"] ** 2)
        assert row["n_train"] + row["n_test"] == 28_005
    given(rows[1]["difference"], "to", "metric", "value", "low", "high")
    over = rows[1]["over_splits"]["rmse"]
    each = [rows[place]["metrics"]["rmse"] for place in (1, 3)]
    assert over["mean"] == pytest.approx(sum(each) / 2)
    assert over["std"] == pytest.approx(abs(each[0] - each[1]) / 2**0.5)
    told = run("evaluate", "popularity", "bias", "--dataset", "demo", "--split", "kfold5-0").stdout
    assert "kfold5-0" in told
    assert f"{rows[0]['metrics']['rmse']:.4f}" in told


def test_evaluate_several_splits_tells_their_mean(run: Run, ready: Path) -> None:
    told = run("evaluate", "bias", "mf", "--dataset", "demo", "--split", "kfold5-0,kfold5-1").stdout
    assert told.count("mean of 2") == told.count("deviation") == 2


def test_evaluate_tells_where_it_fails(run: Run, ready: Path) -> None:
    arguments = ("evaluate", "bias", "--dataset", "demo", "--split", "random80", "--detail")
    row = document(run(*arguments, "--json"))[0]
    assert {group["by"] for group in row["subgroups"]} >= {"ratings of the user", "ratings of the movie", "genre"}
    assert sum(group["rows"] for group in row["subgroups"] if group["by"] == "ratings of the user") == row["n_test"]
    assert sum(found["rows"] for found in row["calibration"]["bins"]) == row["n_test"]
    told = run(*arguments).stdout
    assert all(word in told for word in ("ratings of the movie", "too high", "predicted from", "mean distance"))
    ranked = document(run("evaluate", "bias", "--dataset", "demo", "--task", "ranking", "--detail", "--json"))
    assert "subgroups" not in ranked[0]
    assert ranked[1]["difference"]["metric"] == "ndcg@10"
    assert 0.7 < row["metrics"]["coverage80"] < 0.9
    both = run("evaluate", "popularity", "bias", "--dataset", "demo", "--split", "kfold5-0,kfold5-1", "--detail")
    assert "coverage80" in both.stdout  # of bias alone: popularity does not tell how ratings scatter


def test_evaluate_with_settings(run: Run, ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bias, "published", BiasSettings(sweeps=2))
    arguments = ("evaluate", "bias", "--dataset", "demo", "--split", "kfold5-0", "--json")
    tuned, published, own, same = (
        document(run(*arguments, *more))[0]
        for more in ((), ("--published",), ("--set", "sweeps=1"), ("--published", "--set", "sweeps=12"))
    )
    assert [row["settings"] for row in (tuned, published, own, same)] == ["tuned", "published", "own", "tuned"]
    assert len({row["metrics"]["rmse"] for row in (tuned, published, own)}) == 3
    assert same["metrics"] == tuned["metrics"]


def test_train_as_published(run: Run, ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bias, "published", BiasSettings(sweeps=2))
    arguments = ("train", "bias", "--dataset", "demo", "--published", "--json")
    assert document(run(*arguments))["settings"] == {"sweeps": 2, "caution": 1.0}
    assert document(run(*arguments, "--set", "caution=3"))["settings"] == {"sweeps": 2, "caution": 3.0}


def test_sweep(run: Run, ready: Path) -> None:
    arguments = ("sweep", "bias", "--dataset", "demo", "--split", "kfold5-0", "--grid", "sweeps=1,12")
    rows = document(run(*arguments, "--grid", "caution=1,2", "--json"))
    assert len(rows) == 4
    assert [row["metrics"]["rmse"] for row in rows] == sorted(row["metrics"]["rmse"] for row in rows)
    assert rows[0]["settings"].keys() == {"sweeps", "caution"}
    assert {tuple(row["grid"].items()) for row in rows} == {
        (("sweeps", sweeps), ("caution", caution)) for sweeps in ("1", "12") for caution in ("1", "2")
    }
    assert [row["test"] is None for row in rows] == [False, True, True, True]
    given(rows[0], "model", "dataset", "split", "seed", "seconds")
    told = run(*arguments, "caution=1,2").stdout
    assert re.search(r"the best, sweeps=\d+ caution=\d, on test: rmse 0\.\d{4}", told)


def test_reproduce(run: Run, ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(run("reproduce"), "ml-100k is not here yet")
    own = (Experiment("009", "user-knn", {"mse": 1.5, "mae": None}, "demo", "kfold5-0", note="as invented"),)
    monkeypatch.setattr("models.reproduce.EXPERIMENTS", own)
    rows = document(run("reproduce", "--json"))
    assert [(row["metric"], row["reported"]) for row in rows] == [("mse", 1.5), ("mae", None)]
    given(rows[0], "source", "model", "dataset", "split", "published", "tuned")
    assert rows[0]["published"] > rows[0]["tuned"]
    assert re.search(r"009 +user-knn +demo +kfold5-0 +mse +1.5000 ", run("reproduce").stdout)


def test_evaluate_ranking(run: Run, ready: Path) -> None:
    rows = document(run("evaluate", "bias", "--dataset", "demo", "--split", "kfold5-0", "--task", "ranking", "--json"))
    metrics = ("ndcg@10", "recall@10", "recall@20", "hit@10", "coverage@10", "novelty@10")
    given(rows[0]["metrics"], *metrics)
    assert run("evaluate", "bias", "--dataset", "demo", "--split", "kfold5-0", "--task", "ranking").exit_code == 0


def test_evaluate_pairs(run: Run, ready: Path) -> None:
    arguments = ("evaluate", "bias", "--dataset", "demo", "--split", "kfold5-0", "--task", "pair")
    (row,) = document(run(*arguments, "--json"))
    given(row["metrics"], "rmse", "mae", "mse_scaled", "ndcg@10_mean", "ndcg@10_min", "ndcg@10_gap")
    assert row["task"] == "pair"
    assert re.search(rf" {row['metrics']['triples']:,} .* {row['metrics']['pairs']} ", run(*arguments).stdout)


# Lists


def test_recommend(run: Run, ready: Path) -> None:
    found = document(run("recommend", "--user", 1, "-k", 3, "--dataset", "demo", "--json"))
    given(found, "dataset", "model", "viewers", "movies")
    (viewer,) = found["viewers"]
    assert (viewer["kind"], viewer["id"]) == ("user", "1")
    assert viewer["ratings"] > 0
    assert [movie["rank"] for movie in found["movies"]] == [1, 2, 3]
    for movie in found["movies"]:
        fields = ("id", "title", "year", "genres", "stars", "uncertainty", "score", "stars_by_viewer", "count", "why")
        given(movie, *fields)
        assert len(movie["stars_by_viewer"]) == 1
        for why in movie["why"]:
            given(why, "id", "title", "stars", "share")
    told = run("recommend", "--user", 1, "-k", 3, "--dataset", "demo").stdout
    assert all(movie["title"] in re.sub(r"\s+", " ", told) for movie in found["movies"])


def test_recommend_for_a_pair(run: Run, ready: Path) -> None:
    run("rate", "--profile", "anna", "The Godfather", 5, "--dataset", "demo")
    found = document(run("recommend", "--user", 1, "--profile", "ANNA", "-k", 2, "--dataset", "demo", "--json"))
    assert [(viewer["kind"], viewer["id"]) for viewer in found["viewers"]] == [("user", "1"), ("profile", "anna")]
    assert all(len(movie["stars_by_viewer"]) == 2 for movie in found["movies"])
    assert run("recommend", "--user", 1, "--user", 2, "--dataset", "demo").exit_code == 0


def test_recommend_for_several_in_other_ways(run: Run, ready: Path) -> None:
    asked = ("recommend", "--user", 1, "--user", 2, "-k", 400, "--dataset", "demo", "--json")
    lists = {way: [movie["id"] for movie in document(run(*asked, "--together", way))["movies"]] for way in ranking.WAYS}
    assert len({tuple(found) for found in lists.values()}) == len(ranking.WAYS)
    assert set(lists["without misery"]) < set(lists["average"])
    least = [movie["id"] for movie in document(run(*asked, "--misery", 1))["movies"]]
    assert least == lists["least misery"]
    anybody = [movie["id"] for movie in document(run(*asked, "--unseen", "any"))["movies"]]
    assert set(lists["weighted"]) < set(anybody)
    spread = [movie["id"] for movie in document(run(*asked, "--standardise"))["movies"]]
    assert sorted(spread) == sorted(lists["weighted"])
    assert spread != lists["weighted"]
    wrong = run(*asked, "--together", "average", "--misery", 1)
    assert wrong.exit_code == 2
    assert "--misery is a part of" in wrong.stderr


def test_recommend_with_a_filter(run: Run, ready: Path) -> None:
    asked = ("recommend", "--user", 1, "-k", 400, "--dataset", "demo")
    whole = document(run(*asked, "--json"))["movies"]
    for only, passes in (
        ("+Comedy 1980..1999", lambda movie: "Comedy" in movie["genres"] and 1980 <= movie["year"] <= 1999),
        ("-Drama", lambda movie: "Drama" not in movie["genres"]),
        (">=50", lambda movie: movie["count"] >= 50),
    ):
        found = document(run(*asked, "--filter", only, "--json"))["movies"]
        assert [movie["id"] for movie in found] == [movie["id"] for movie in whole if passes(movie)]
        assert 0 < len(found) < len(whole)
    assert document(run(*asked, "--filter", "xyzzy", "--json"))["movies"] == []
    assert run(*asked, "--filter", "xyzzy").stdout.startswith("No movie is left")
    refused(run(*asked, "--filter", "+\x1b[31mOpera"), "There is no genre .*; choose one of Action")
    refused(run(*asked, "--filter", "1999..1980"), "which is none")


def test_recommend_by_what_imdb_says(run: Run, ready: Path, tables: Path) -> None:
    asked = ("recommend", "--user", 1, "-k", 400, "--dataset", "demo")
    refused(run(*asked, "--filter", "<=110m"), "'<=110m', but runtimes are not known of demo; join it with IMDb")
    document(run("data", "imdb", "demo", "--from", tables, "--json"))
    found = document(run("recommend", "--profile", _nobody(run), *asked[3:], "--filter", "@Ford >=175m", "--json"))
    assert [movie["title"] for movie in found["movies"]] == ["The Godfather"]
    refused(run(*asked, "--filter", "@Fjord"), "No director here is called 'Fjord'; did you mean Francis Ford Coppola")


def _nobody(run: Run) -> str:
    """A profile that has hardly seen anything."""
    document(run("rate", "--profile", "nobody", "Alien", 3, "--dataset", "demo", "--json"))
    return "nobody"


def test_recommend_dares(run: Run, ready: Path) -> None:
    asked = ("recommend", "--user", 1, "-k", 400, "--dataset", "demo", "--json")
    safe = document(run(*asked))["movies"]
    assert document(run(*asked, "--daring", 0))["movies"] == safe
    daring = document(run(*asked, "--daring", 1))["movies"]
    assert {movie["id"] for movie in daring} == {movie["id"] for movie in safe}
    assert sum(movie["count"] for movie in daring[:10]) < sum(movie["count"] for movie in safe[:10])
    assert run(*asked, "--daring", 1.1).exit_code == 2


def test_recommend_surprises(run: Run, ready: Path) -> None:
    asked = ("recommend", "--user", 1, "--dataset", "demo")
    drawn = [document(run(*asked, "--surprise", "--draw", 4, "--json"))["movies"] for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 1
    told = run(*asked, "--surprise", "--draw", 4).stdout.splitlines()
    assert told[0] == f"{drawn[0][0]['title']} ({drawn[0][0]['year']})"
    assert re.fullmatch(r"★ \d\.\d ±\.\d expected(, because you gave .+ ★ .+|; .+ by others)", told[1])
    among = {document(run(*asked, "--surprise", "--json"))["movies"][0]["id"] for _ in range(6)}
    assert len(among) > 1
    assert "--draw is a part of" in run(*asked, "--draw", 4).stderr
    assert run(*asked, "--surprise", "--filter", "xyzzy").stdout.startswith("No movie is left")


def test_similar(run: Run, ready: Path) -> None:
    asked = ("similar", "the godfahter", "-k", 4, "--dataset", "demo")
    found = document(run(*asked, "--json"))
    given(found, "dataset", "model", "movie", "movies")
    assert found["movie"]["title"] == "The Godfather"
    assert [movie["rank"] for movie in found["movies"]] == [1, 2, 3, 4]
    for movie in found["movies"]:
        given(movie, "id", "title", "year", "genres", "count", "similarity", "common", "shared")
        assert movie["id"] != found["movie"]["id"]
    told = run(*asked).stdout
    assert told.startswith("like The Godfather (1972)")
    by_model = document(run(*asked, "--model", "mf", "--json"))
    assert by_model["model"] == "mf"
    assert by_model["movies"] != found["movies"]
    refused(run(*asked, "--model", "bias"), "bias has no vectors of movies to compare")
    refused(run("similar", "xyzzy", "--dataset", "demo"), "demo has no movie 'xyzzy'")


def test_explain(run: Run, ready: Path) -> None:
    run("rate", "--profile", "anna", "The Godfather", 5, "--dataset", "demo")
    run("rate", "--profile", "anna", "Alien", 1, "--dataset", "demo")
    listed = document(run("recommend", "--profile", "anna", "-k", 1, "--dataset", "demo", "--json"))["movies"][0]
    asked = ("explain", "--profile", "anna", f"{listed['title']} ({listed['year']})", "--dataset", "demo")
    found = document(run(*asked, "--json"))
    (person,) = found["viewers"]
    assert (found["model"], found["movie"]["id"]) == ("mf", listed["id"])
    assert (person["stars"], person["score"]) == (listed["stars"], listed["score"])
    assert [(why["id"], why["share"]) for why in person["why"]] == [(why["id"], why["share"]) for why in listed["why"]]
    told = run(*asked).stdout
    assert re.search(
        r"^anna: ★ \d\.\d \(.+\), most (for|against) it: (The Godfather ★ 5|Alien ★ 1)$", told, re.MULTILINE
    )
    pair = document(run(*asked, "--user", 1, "--json"))["viewers"]
    assert [person["id"] for person in pair] == ["1", "anna"]
    assert len(re.findall(r"^(?:1|anna): ★", run(*asked, "--user", 1).stdout, re.MULTILINE)) == 2
    refused(run("explain", "--profile", "nobody", "Alien", "--dataset", "demo"), "no profile 'nobody'")
    assert run("explain", "Alien", "--dataset", "demo").exit_code == 2


def test_taste(run: Run, ready: Path) -> None:
    found = document(run("taste", "--user", 1, "--dataset", "demo", "--json"))
    (person,) = found["viewers"]
    given(person, "kind", "id", "ratings", "mean", "crowd", "generosity", "genres", "decades", "likes", "dislikes")
    for group in (*person["genres"], *person["decades"]):
        given(group, "name", "ratings", "mean", "crowd", "difference", "beyond")
    assert "pair" not in found
    told = run("taste", "--user", 1, "--dataset", "demo").stdout
    assert all(group["name"] in told for group in person["genres"])
    pair = document(run("taste", "--user", 1, "--user", 2, "--dataset", "demo", "--json"))["pair"]
    given(pair, "model", "alike", "divided", "would_divide")
    assert all(abs(movie["stars"][0] - movie["stars"][1]) >= 2 for movie in pair["divided"])
    assert pair["would_divide"]
    assert "would divide you" in run("taste", "--user", 1, "--user", 2, "--dataset", "demo").stdout
    store = Store(locations.store())
    store.create_profile("new")
    store.close()
    told = run("taste", "--profile", "new", "--dataset", "demo").stdout
    assert told.startswith("new: 0 ratings")
    assert "25 more ratings" in told


def test_how_good_the_model_is_for_a_profile(run: Run, ready: Path) -> None:
    store, movies = Store(locations.store()), catalogue.load("demo").movies
    anna = store.create_profile("anna")
    for row in range(30):
        film = Film(movies.keys[row], movies.titles[row], int(movies.years[row]))
        store.rate(anna, film, 5.0 if row >= 27 else 3.0)
    store.close()
    asked = ("taste", "--profile", "anna", "--dataset", "demo")
    found = document(run(*asked, "--model", "bias", "--json"))["viewers"][0]["for_you"]
    given(found, "model", "lacking", "older", "newest", "liked", "top", "by_model", "by_means")
    assert (found["model"], found["older"], found["newest"], found["liked"]) == ("bias", 24, 6, 3)
    rmse = found["by_model"]["rmse"]
    assert rmse["low"] < rmse["value"] < rmse["high"]
    assert document(run("taste", "--user", 1, "--dataset", "demo", "--json"))["viewers"][0]["for_you"] is None
    told = run(*asked).stdout
    assert "the 6 newest ratings, told from the 24 before" in told
    assert re.search(r"mean ratings +\d\.\d\d .* of 3 liked", told)


def test_taste_needs_no_model(run: Run) -> None:
    document(run("data", "get", "demo", "--json"))
    assert document(run("taste", "--user", 1, "--dataset", "demo", "--json"))["viewers"]
    assert document(run("similar", "Alien", "--dataset", "demo", "--json"))["movies"]
    refused(run("taste", "--user", 1, "--user", 2, "--dataset", "demo"), "No model is trained on demo yet")


def test_search(run: Run, ready: Path, tables: Path) -> None:
    found = document(run("search", "godfahter", "--dataset", "demo", "--json"))
    assert found["movies"][0]["title"] == "The Godfather"
    assert (found["people"], found["users"]) == ([], [])
    document(run("data", "imdb", "demo", "--from", tables, "--json"))
    found = document(run("search", "francis", "copola", "--dataset", "demo", "--json"))
    assert found["people"] == [{"name": "Francis Ford Coppola", "movies": 1}]
    assert "Francis Ford Coppola" in run("search", "coppola", "--dataset", "demo").stdout
    assert document(run("search", 400, "-k", 1, "--dataset", "demo", "--json"))["users"][0]["id"] == "400"
    assert run("search", "xyzzy", "--dataset", "demo").stdout == "Nothing is found; try fewer words.\n"


def test_unknown_users(run: Run, ready: Path) -> None:
    for wrong in ("99999", "0", "-1", "abc", ""):
        refused(run("recommend", "--user", wrong, "--dataset", "demo"), f"demo has no user {wrong}")
    refused(run("recommend", "--user", 1, "--model", "popularity", "--dataset", "demo"), "No popularity is trained")


def test_rate(run: Run, ready: Path) -> None:
    rated = document(run("rate", "--profile", "Anna", "the godfather", "4.5", "--dataset", "demo", "--json"))
    assert rated["movie"] == {"title": "The Godfather", "year": 1972}
    assert rated["stars"] == 4.5
    told = run("rate", "--profile", "anna", "The Godfather (1972)", "5", "--dataset", "demo").stdout
    assert told == "Anna: The Godfather (1972) ★ 5, 1 rating in all\n"
    store = Store(locations.store())
    assert [(rated.film.title, rated.stars) for rated in store.ratings(profile("Anna"))] == [("The Godfather", 5)]
    store.close()


def test_a_new_rating_changes_the_list(run: Run, ready: Path) -> None:
    run("rate", "--profile", "anna", "The Godfather", 5, "--dataset", "demo")
    before = document(run("recommend", "--profile", "anna", "-k", 50, "--dataset", "demo", "--json"))["movies"]
    run("rate", "--profile", "anna", before[0]["title"], 1, "--dataset", "demo")
    after = document(run("recommend", "--profile", "anna", "-k", 50, "--dataset", "demo", "--json"))["movies"]
    assert before[0]["id"] not in [movie["id"] for movie in after]
    assert [movie["id"] for movie in before[1:]] != [movie["id"] for movie in after[:49]]


@pytest.mark.parametrize("stars", ["0", "5.5", "3.3", "nan", "inf", "1e9"])
def test_stars_out_of_scale(run: Run, ready: Path, stars: str) -> None:
    refused(run("rate", "--profile", "a", "The Godfather", stars, "--dataset", "demo"), "from 0.5 to 5 in halves")


def test_bad_names(run: Run, ready: Path) -> None:
    refused(run("rate", "--profile", "  ", "The Godfather", "4", "--dataset", "demo"), "1 to 40")
    refused(run("rate", "--profile", "x" * 41, "The Godfather", "4", "--dataset", "demo"), "1 to 40")


@pytest.mark.parametrize(
    "arguments",
    [
        ("nothing",),
        ("data", "nothing"),
        ("data", "get"),
        ("data", "get", "demo", "--nothing"),
        ("train", "mf", "--set", "factors"),
        ("train", "mf", "--seed", "x"),
        ("evaluate",),
        ("evaluate", "bias", "--task", "nothing"),
        ("evaluate", "bias", "--set", "sweeps"),
        ("sweep",),
        ("sweep", "bias", "--grid", "sweeps"),
        ("recommend",),
        ("recommend", "--user", "1", "-k", "0"),
        ("recommend", "--user", "1", "--user", "1"),
        ("rate", "--profile", "a", "Fargo"),
        ("rate", "--profile", "a", "Fargo", "many"),
        ("rate", "Fargo", "4"),
        ("locate", "more"),
    ],
)
def test_wrong_usage(run: Run, arguments: tuple[str, ...]) -> None:
    refused(run(*arguments), "Usage:.*", 2)


def test_locate(run: Run, home: Path) -> None:
    places = document(run("locate", "--json"))
    assert {"store", "checkpoints", "datasets"} <= set(places)
    assert all(place.startswith(str(home)) for place in places.values())
    assert str(home) in run("locate").stdout.replace("\n", "")
    assert not home.exists()


def test_everything_asks_for_json_in_the_same_way(run: Run, ready: Path) -> None:
    """Whatever is asked, standard output is one document and nothing else, also where work is done on the way."""
    document(run("recommend", "--user", "1", "--dataset", "demo", "--json", "-k", 1))
    title = Film("x 1990", "x", 1990).title
    refused(run("rate", "--profile", "anna", title * 30, "3", "--dataset", "demo", "--json"), "has no movie")


# Real processes


def command(home: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "movietui", *arguments]
    return subprocess.run(line, capture_output=True, text=True, timeout=60, **options)


def test_standard_output_is_only_the_document(home: Path) -> None:
    done = command(home, "data", "get", "demo", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["dataset"] == "demo"


def test_a_problem_of_a_real_process(home: Path) -> None:
    done = command(home, "data", "get", "nothing")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("There is no dataset nothing")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", ["data list", "data list --json", "recommend --user 1 -k 300 --json"])
def test_a_reader_that_has_seen_enough(ready: Path, arguments: str) -> None:
    line = f"{sys.executable} -m movietui {arguments} {'--dataset demo' if 'user' in arguments else ''} | head -1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True, timeout=60)
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_a_reader_that_is_gone_already(ready: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    line = [sys.executable, "-m", "movietui", "recommend", "--user", "1", "-k", "300", "--json", "--dataset", "demo"]
    done = subprocess.run(line, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(writing)
    assert done.stderr == ""


def test_interrupted(home: Path) -> None:
    import signal
    import time

    line = [sys.executable, "-m", "movietui", "train", "mf", "--dataset", "demo", "--set", "sweeps=200", "--json"]
    child = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    path = locations.store()
    for _ in range(400):
        time.sleep(0.05)
        if path.exists():
            store = Store(path)
            begun = bool(store.runs())
            store.close()
            if begun:
                break
    child.send_signal(signal.SIGINT)
    out, told = child.communicate(timeout=30)
    assert (child.returncode, out) == (130, ""), told
    assert told == "Stopped; what was there before is as it was.\n"
    store = Store(path)
    assert [run.state for run in store.runs()] == ["cancelled"]
    store.close()
    assert not list(locations.checkpoints().glob("*"))


@pytest.mark.parametrize("arguments", ["data get demo", "rate --profile a Fargo 4 --dataset demo", "train bias"])
def test_a_home_that_cannot_be_written(run: Run, home: Path, arguments: str) -> None:
    home.write_text("a file in the place of the folder")
    refused(run(*arguments.split()), re.escape(str(home)))


def test_a_damaged_store(run: Run, ready: Path) -> None:
    for extra in ready.glob("data/movietui.sqlite3-*"):
        extra.unlink()
    locations.store().write_bytes(b"this is no database\n" * 300)
    refused(run("recommend", "--user", "1", "--dataset", "demo"), "damaged; movietui restore .*or move it away")
    assert run("data", "list").exit_code == 0


def test_a_damaged_checkpoint(run: Run, ready: Path) -> None:
    """The next run that can answer does; where none is left, that is told."""
    (Path(checkpoint_of("mf")) / "model.safetensors").write_bytes(b"\0" * 100)
    assert document(run("recommend", "--user", "1", "--dataset", "demo", "--json"))["model"] == "bias"
    (Path(checkpoint_of("bias")) / "manifest.json").write_text("{")
    refused(run("recommend", "--user", "1", "--dataset", "demo"), "damaged|train")
