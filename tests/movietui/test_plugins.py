"""The example plug-in is installed and used. Broken and conflicting plug-ins are left out with a sentence."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from movietui.data import catalogue, plugins, readers
from movietui.data.problems import Problem
from movietui.data.storage import locations
from movietui.jobs.listener import Listener
from movietui.jobs.sweep import SweepRequest, sweep
from movietui.models import MODELS, plugin_metrics, registry
from movietui.models.base import AnyModel
from movietui.models.checkpoints import load, read_manifest, save
from movietui.models.choices import by_importance, higher_is_better, metric_named
from movietui.models.evaluation.measure import evaluate, train
from movietui.protocol import code_path
from movietui.protocol.messages import PluginRow
from movietui.store.ratings import Store
from movietui.ui.train.screen import TrainScreen
from tests.models.builders import tastes
from tests.models.contract import ModelContract
from tests.movietui.commands import Run, document, refused
from tests.movietui.driving import LARGE, started
from tests.movietui.fakes import FakeEngine, with_run
from tests.movietui.training import choose, go

EXAMPLE = Path(__file__).parents[2] / "docs" / "plugin"
Declare = Callable[..., None]


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which pip has installed the example package."""
    folder = tmp_path_factory.mktemp("plug-in")
    shutil.copytree(EXAMPLE, folder / "source", ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
    options = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    into = ["--target", folder / "packages", folder / "source"]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, *into], check=True)
    return folder / "packages"


@pytest.fixture
def forgetful() -> Iterator[None]:
    """Let this process forget, before and after the test, which plug-ins there are."""

    def forget() -> None:
        for cached in (plugins._declared, registry.load, plugin_metrics.load_all):
            cached.cache_clear()
        plugins.take_reports()

    forget()
    known = {**sys.modules}
    yield
    forget()
    for name in set(sys.modules) - set(known):
        if name.partition(".")[0] in ("movietui_example", "plugged"):
            del sys.modules[name]


@pytest.fixture
def example(installed: Path, forgetful: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example package, installed for this process and its children."""
    monkeypatch.syspath_prepend(str(installed))
    monkeypatch.setenv("PYTHONPATH", f"{installed}{os.pathsep}{code_path.HOME}")
    return installed


@pytest.fixture
def declare(forgetful: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Declare:
    """A function that installs a package with the module ``plugged`` for this process."""

    def install(package: str, kind: str, entries: dict[str, str], code: str = "") -> None:
        folder = tmp_path / package
        information = folder / f"{package}-1.0.dist-info"
        information.mkdir(parents=True)
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = [f"{name} = {value}" for name, value in entries.items()]
        (information / "entry_points.txt").write_text("\n".join([f"[movietui.{kind}s]", *lines]))
        if code:
            (folder / "plugged.py").write_text(code)
        monkeypatch.syspath_prepend(str(folder))
        plugins._declared.cache_clear()

    return install


def movietui(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = code_path.command("movietui", *map(str, arguments))
    return subprocess.run(command, env=code_path.environment(), capture_output=True, text=True, check=False)


# The example


def test_the_names_of_plug_ins_are_listed_without_importing_them(example: Path) -> None:
    code = (
        "import sys; from movietui.models import MODELS; print('drift' in MODELS, list(MODELS)[-1], len(MODELS), "
        "not {'numpy', 'movietui_example', 'movietui.models.base'} & {*sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=code_path.environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "drift", str(len(registry._CLASSES) + 1), "True"]


def test_the_example_is_listed(example: Path, run: Run) -> None:
    rows = document(run("plugins", "--json"))
    assert [(row["kind"], row["name"], row["problem"]) for row in rows] == [
        ("model", "drift", ""),
        ("reader", "sqlite", ""),
        ("metric", "far-off", ""),
        ("metric", "years@10", ""),
    ]
    assert {(row["package"], row["version"]) for row in rows} == {("movietui-example", "1.0")}
    assert rows[2]["metric"]["higher_is_better"] is False
    assert "movietui-example" in run("plugins").stdout


def test_commands_train_evaluate_sweep_and_recommend_with_the_model(example: Path, small: Path, run: Run) -> None:
    child = movietui("train", "drift", "--dataset", "demo", "--set", "shrinkage=3", "--json")
    assert child.returncode == 0, child.stderr
    trained = json.loads(child.stdout)
    assert trained["settings"] == {"shrinkage": 3.0}
    assert {"rmse", "ndcg@10", "far-off", "years@10"} <= set(trained["metrics"])
    listed = document(run("recommend", "--user", "1", "--model", "drift", "--dataset", "demo", "--json"))
    assert listed["model"] == "drift"
    rows = document(run("evaluate", "drift", "bias", "--dataset", "demo", "--split", "random80", "--json"))
    assert [row["model"] for row in rows] == ["drift", "bias"]
    assert all(0 < row["metrics"]["far-off"] < 1 for row in rows)
    named = run(
        *("evaluate", "drift", "--dataset", "demo", "--split", "random80,latest", "--task", "ranking"),
        *("--metrics", "years@10", "--json"),
    )
    assert all(row["metrics"]["years@10"] > 0 for row in document(named))
    assert len(document(run("sweep", "drift", "--dataset", "demo", "shrinkage=1,5", "--json"))) == 2
    assert "did you mean shrinkage?" in run("evaluate", "drift", "--dataset", "demo", "--set", "shrinkag=1").stderr


def test_a_sweep_of_a_newer_version_measures_again(
    installed: Path, forgetful: None, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(installed, tmp_path / "packages")
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    known: list[int] = []
    request = SweepRequest("drift", "demo", "random80", {"shrinkage": ["1", "5"]})
    store = Store(locations.store())
    for _ in range(2):
        sweep(store, request, Listener(known=known.append))
    assert known == [2]
    metadata = tmp_path / "packages" / "movietui_example-1.0.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text().replace("Version: 1.0", "Version: 2.0"))
    plugins._declared.cache_clear()
    sweep(store, request, Listener(known=known.append))
    store.close()
    assert known == [2]


def test_a_checkpoint_is_loaded_only_while_its_plug_in_is_installed(
    example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = tastes(users=60, movies=40)[0]
    model = MODELS["drift"]()
    model.fit(dataset)
    save(tmp_path / "one", model, dataset)
    assert load(tmp_path / "one", dataset)[0].name == "drift"
    assert read_manifest(tmp_path / "one").package == "movietui-example"
    monkeypatch.setattr(sys, "path", [part for part in sys.path if part != str(example)])
    plugins._declared.cache_clear()
    with pytest.raises(
        Problem, match=r"'drift' of the package movietui-example, which is not installed; install it or"
    ):
        load(tmp_path / "one", dataset)


async def test_a_run_of_a_plug_in_that_is_gone_does_not_prevent_the_start(
    example: Path, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert movietui("train", "drift", "--dataset", "demo").returncode == 0
    monkeypatch.delenv("PYTHONPATH")
    asked = movietui("recommend", "--user", "1", "--dataset", "demo", "--model", "drift")
    assert (asked.returncode, asked.stderr.count("\n")) == (1, 1)
    assert "There is no model 'drift'" in asked.stderr
    listed = movietui("recommend", "--user", "1", "--dataset", "demo", "--json")
    assert json.loads(listed.stdout)["model"] == "mf", listed.stderr
    monkeypatch.setattr(sys, "path", [part for part in sys.path if part != str(example)])
    plugins._declared.cache_clear()
    async with started(LARGE) as driver:
        await driver.see("mf RMSE")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "ratings.sqlite3"
    with closing(sqlite3.connect(path)) as made, made:
        made.execute("CREATE TABLE ratings (user INTEGER, movie INTEGER, stars REAL, time INTEGER)")
        made.execute("CREATE TABLE movies (movie INTEGER, title TEXT)")
        made.executemany(
            "INSERT INTO ratings VALUES (?, ?, ?, ?)", [(n % 7, n % 11, n % 5 + 0.5, n) for n in range(60)]
        )
        made.executemany(
            "INSERT INTO movies VALUES (?, ?)", [(n, f"Movie\x1b[31m {n} (199{n % 10})") for n in range(11)]
        )
    return path


def test_data_get_reads_with_the_reader_that_recognises_the_file(
    example: Path, home: Path, run: Run, database: Path
) -> None:
    got = document(run("data", "get", "mine", "--from", database, "--json"))
    assert (got["ratings"], got["users"], got["movies"]) == (60, 7, 11)
    assert got["note"] == "Read by sqlite (movietui-example 1.0)."
    raw, _ = readers.read(database) or pytest.fail("nothing recognises the file")
    assert raw.movies["title"][3] == "Movie 3 (1993)"
    data = catalogue.load("mine", "none")
    assert (data.movies.titles[3], data.movies.years[3]) == ("Movie 3", 1993)
    assert (data.scale.low, data.ratings.stars[4]) == (0.5, 4.5)
    empty = database.with_name("empty.sqlite3")
    with closing(sqlite3.connect(empty)) as made, made:
        made.execute("CREATE TABLE other (user)")
    refused(run("data", "get", "other", "--from", empty), "must have the tables ratings")


def test_files_that_no_plug_in_recognises_are_read_as_before(example: Path, run: Run, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("x")
    refused(run("data", "get", "mine", "--from", tmp_path / "text"), "names no user and item")
    refused(run("data", "get", "mine", "--from", tmp_path / "nothing"), "There is no file or folder")


def _drift() -> type[AnyModel]:
    """Return the example's model, whether pip has installed it yet or not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(EXAMPLE))
        kind: type[AnyModel] = import_module("movietui_example.drift").Drift
        return kind


class TestDrift(ModelContract):
    """The example's model keeps the contract of ours."""

    kind = _drift()
    checkerboard_bound = 2.1
    tastes_bound = 1.1
    personal = False

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _on_the_path(cls, installed: Path) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(installed))
            plugins._declared.cache_clear()
            yield
        plugins._declared.cache_clear()


# The app


async def test_the_model_is_in_the_train_list_with_its_form_and_can_be_trained(example: Path, small: Path) -> None:
    async with started((140, 60)) as driver:
        screen = await go(driver)
        await driver.see("plug-in")
        await choose(driver, screen, "drift")
        await driver.see("movietui-example")
        await driver.see("How many average ratings")
        await driver.see("movietui train drift")
        await driver.press("enter")
        await driver.wait_for_notice("drift: RMSE 0.")
        await driver.until(lambda: screen.runs.current is not None and not driver.app.queue.running, "the run")
        newest = driver.app.session.store.runs()[0]
        assert (newest.model, newest.state) == ("drift", "done")
        assert {"far-off", "years@10"} <= set(newest.metrics)


class EngineWithPlugins(FakeEngine):
    """An engine that knows a metric, and plug-ins that cannot be used."""

    def plugins(self) -> list[PluginRow]:
        row: PluginRow = {
            "kind": "metric",
            "name": "serenity",
            "package": "calm",
            "version": "1",
            "problem": "",
            "metric": {"name": "serenity", "tasks": ("ranking",), "higher_is_better": True, "measures": "calm"},
        }
        broken: PluginRow = {**row, "metric": None, "problem": "The model 'x' of the package y cannot be imported."}
        return [row, broken, broken]


async def test_the_train_screen_names_broken_plug_ins_and_learns_the_direction_of_metrics(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("movietui.models.choices._of_plugins", {})
    with_run(store)
    assert not higher_is_better("serenity")
    async with started(LARGE, engine=EngineWithPlugins()) as driver:
        assert isinstance(await go(driver), TrainScreen)
        await driver.wait_for_notice(
            "The model 'x' of the package y cannot be imported. movietui plugins lists 1 more."
        )
        assert higher_is_better("serenity")


# Metrics


def test_metrics_of_plug_ins_are_known_and_sorted_last(example: Path) -> None:
    plugin_metrics.load_all()
    assert by_importance(["years@10", "nothing", "rmse", "far-off"]) == ["rmse", "far-off", "years@10"]
    metric = metric_named("far-off")
    assert metric is not None
    assert (metric.tasks, metric.higher_is_better) == (("rating",), False)


DIRECTED = """
import numpy as np
from movietui.models import ListMetric, RatingMetric
OFF = RatingMetric("x", lambda prediction, stars: np.mean(np.abs(prediction - stars) > 0.9), higher_is_better=False)
SPREAD = ListMetric("x", lambda lists, train: train.movies.years[lists.movies].std(), higher_is_better=True)
"""


@pytest.mark.parametrize(("metric", "ours"), [("off", "rmse"), ("spread", "ndcg@10")])
def test_a_metric_of_a_plug_in_chooses_settings(metric: str, ours: str, declare: Declare, small: Path) -> None:
    """Measurements from before the plug-in was installed lack its metric, so they are made again."""
    store = Store(locations.store())
    request = SweepRequest("bias", "demo", "random80", {"sweeps": ["1", "6"]}, metric=ours)
    earlier = {row["run"] for row in sweep(store, request)}
    declare("directed", "metric", {metric: f"plugged:{metric.upper()}"}, DIRECTED)
    plugin_metrics.load_all.cache_clear()
    rows = sweep(store, replace(request, metric=metric))
    store.close()
    assert earlier.isdisjoint(row["run"] for row in rows)
    values = [row["metrics"][metric] for row in rows]
    assert values == sorted(values, reverse=metric == "spread")
    assert values[0] != values[1]
    assert rows[0]["test"] is not None
    assert metric in rows[0]["test"]


def test_a_metric_without_a_direction_chooses_no_settings(example: Path, small: Path, run: Run) -> None:
    refused(
        run("sweep", "bias", "sweeps=1,2", "--dataset", "demo", "--metric", "years@10"), "Settings cannot be chosen"
    )


def test_an_experiment_names_metrics_of_plug_ins(
    example: Path, small: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("movietui.models.choices._of_plugins", {})
    file = tmp_path / "experiment.toml"
    file.write_text(
        'metrics = { rating = ["far-off"] }\n[[datasets]]\nname = "demo"\nsplits = ["random80"]\n'
        '[[models]]\nname = "bias"\n'
    )
    (row,) = document(run("experiment", str(file), "--json"))["rows"]
    assert 0 < row["metrics"]["far-off"] < 1


def test_the_metric_of_the_example_is_what_it_says(example: Path) -> None:
    dataset = tastes(users=60, movies=40)[0]
    measured = evaluate("bias", dataset, "random80")
    assert measured.prediction is not None
    errors = np.abs(measured.prediction - measured.parts.test.stars)
    assert measured.metrics["far-off"] == pytest.approx((errors > 1).mean())
    assert "years@10" not in measured.metrics


METRIC = """
from movietui.models import ListMetric, RatingMetric
def fail(prediction, stars):
    raise ValueError("what\\nelse")
FAIL = RatingMetric("x", fail)
NAN = RatingMetric("x", lambda prediction, stars: float("nan"))
TEXT = ListMetric("x", lambda lists, train: "text")
GOOD = RatingMetric("x", lambda prediction, stars: len(stars), higher_is_better=True)
"""


def test_a_metric_that_fails_is_left_out_and_the_fit_is_not_lost(declare: Declare) -> None:
    entries = {name: f"plugged:{name.upper()}" for name in ("fail", "nan", "text", "good")}
    declare("measures", "metric", entries, METRIC)
    trained = train("bias", tastes(users=60, movies=40)[0], "random80", refit_all=False)
    assert trained.metrics["good"] == len(trained.parts.test)
    assert not {"fail", "nan", "text"} & set(trained.metrics)
    reports = plugins.take_reports()
    assert [sentence.partition(" of the package measures ")[0] for sentence in reports] == [
        "The metric 'fail'",
        "The metric 'nan'",
        "The metric 'text'",
    ]
    assert "(ValueError: what else)" in reports[0]


def test_runs_are_pruned_by_a_metric_only_if_its_direction_is_known(
    small: Path, run: Run, declare: Declare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("movietui.models.choices._of_plugins", {})
    declare("measures", "metric", {"good": "plugged:GOOD"}, METRIC)
    document(run("train", "popularity", "--dataset", "demo", "--json"))
    assert run("runs", "prune", "--keep", "9", "--metric", "good").exit_code == 0
    monkeypatch.setattr("movietui.models.choices._of_plugins", {})
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **selected: ())
    plugins._declared.cache_clear()
    plugin_metrics.load_all.cache_clear()
    refused(run("runs", "prune", "--keep", "9", "--metric", "good"), "Only the plug-in that has good knows")


# Broken and conflicting plug-ins

PRINTS = "print('hello')\nraise SystemExit(3)"
EMPTY_MODEL = """
from movietui.models import Model
class Empty(Model):
    name = "empty"
"""
UNDESCRIBED = """
from dataclasses import dataclass
from movietui.models.popularity import Popularity
from movietui.models.settings import Settings, setting
@dataclass(frozen=True)
class Bare(Settings):
    weight: float = setting(1.0, 0.0, 2.0)
class Other(Popularity):
    name = "other"
    settings_type = Bare
class Misnamed(Popularity):
    pass
"""


@pytest.mark.parametrize(
    ("kind", "entry", "code", "sentence"),
    [
        ("model", {"gone": "nowhere:Model"}, "", "cannot be imported (ModuleNotFoundError: No module named 'nowhere')"),
        ("model", {"quits": "plugged:Model"}, PRINTS, "cannot be imported (SystemExit: 3)"),
        ("model", {"odd": "plugged:PRINTS"}, "PRINTS = 3", "is not a subclass of movietui.models.Model"),
        ("model", {"empty": "plugged:Empty"}, EMPTY_MODEL, "lacks the method _learn"),
        ("model", {"other": "plugged:Other"}, UNDESCRIBED, "cannot describe itself (KeyError: 'weight')"),
        ("model", {"mine": "plugged:Misnamed"}, UNDESCRIBED, "calls itself 'popularity'"),
        ("model", {"mf": "plugged:Model"}, "", "is not used, because movietui has one with this name"),
        ("model", {"A B": "plugged:Model"}, "", "is not used: a name has at most 40 lowercase letters"),
        ("reader", {"odd": "plugged:READ"}, "READ = print", "is not a movietui.data.readers.Reader"),
        ("metric", {"odd": "plugged:READ"}, "READ = print", "is neither a RatingMetric nor a ListMetric"),
        ("metric", {"rmse": "plugged:READ"}, "", "is not used, because movietui has one with this name"),
        ("metric", {"ndcg@7": "plugged:READ"}, "", "is not used, because movietui has one with this name"),
        ("metric", {"bad": "= ="}, "", "cannot be imported"),
    ],
)
def test_a_broken_plug_in_gets_one_sentence_and_prevents_nothing(
    declare: Declare, run: Run, small: Path, kind: str, entry: dict[str, str], code: str, sentence: str
) -> None:
    declare("broken", kind, entry, code)
    (row,) = document(run("plugins", "--json"))
    assert row["problem"].startswith(f"The {kind} {next(iter(entry))!r} of the package broken ")
    assert sentence in row["problem"]
    assert row["problem"].endswith(".")
    assert "cannot be used" in run("plugins").stdout
    assert run("evaluate", "popularity", "--dataset", "demo", "--json").exit_code == 0
    if kind == "model" and row["name"] != "mf":
        asked = run("evaluate", row["name"], "--dataset", "demo")
        assert (asked.exit_code, asked.stdout) == (1, "")
        assert row["problem"] in asked.stderr
    assert set(MODELS.load_all()) == set(registry._CLASSES)


def test_two_packages_with_the_same_name_are_both_left_out(declare: Declare, run: Run, small: Path) -> None:
    declare("one", "model", {"same": "plugged:A"})
    declare("two", "model", {"same": "plugged:B"})
    rows = document(run("plugins", "--json"))
    assert [row["package"] for row in rows] == ["one", "two"]
    assert all("because one and two declare the same name; uninstall one" in row["problem"] for row in rows)
    assert "same" not in MODELS
    done = run("evaluate", "popularity", "--dataset", "demo")
    assert done.exit_code == 0


def test_damaged_metadata_of_another_package_prevents_nothing(
    forgetful: None, run: Run, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**selected: str) -> Any:
        raise TypeError("damaged")

    monkeypatch.setattr("importlib.metadata.entry_points", fail)
    done = run("evaluate", "popularity", "--dataset", "demo", "--json")
    document(done)
    assert done.stderr == "Plug-ins cannot be listed (TypeError): the metadata of a package is damaged.\n"


READERS = """
import pandas as pd
from movietui.data.movielens.release import Raw
from movietui.data.readers import Reader
RATINGS = pd.DataFrame({"user_id": [1, 2] * 20, "movie_id": [5, 6, 7, 8] * 10, "stars": 3.0, "time": 0})
MOVIES = pd.DataFrame({"movie_id": [5, 6, 7, 8], "title": "x", "release_date": "soon", "genres": ""})
USERS = pd.DataFrame({"user_id": [1, 2]})
def reader(ratings=RATINGS, movies=MOVIES, users=USERS, recognises=lambda path: True):
    return Reader(recognises, lambda path, report: Raw(ratings, movies, users, ()))
GOOD = reader()
FAILS = Reader(lambda path: True, lambda path, report: 1 / 0)
UNSURE = reader(recognises=lambda path: 1 / 0)
WRONG = Reader(lambda path: True, lambda path, report: "text")
NO_COLUMN = reader(ratings=RATINGS.drop(columns="time"))
NOTHING = reader(ratings=RATINGS.head(0))
TEXT = reader(ratings=RATINGS.assign(user_id="anna"))
HUGE = reader(ratings=RATINGS.assign(movie_id=2**40))
TWICE = reader(users=pd.DataFrame({"user_id": [1, 1]}))
"""


TEXTS = """
import pyarrow as pa
from movietui.data.tables.interactions import Interactions
def texts(path, report):
    users, items = pa.chunked_array([["anna", "bob", "anna"] * 9]), pa.chunked_array([["x", "y", "z"] * 9])
    return Interactions(users, items, None, None, path.name).to_raw(None)
TEXTS = Reader(lambda path: True, texts)
"""


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["fails"], r"cannot read .*file \(ZeroDivisionError: division by zero\); update or uninstall"),
        (["wrong"], "returned a str instead of a Raw"),
        (["no_column"], "returned ratings without the column time"),
        (["nothing"], "found no ratings"),
        (["text"], "column user_id has other values than whole numbers"),
        (["huge"], "column movie_id has other values than whole numbers"),
        (["twice"], "two users or two movies with the same id"),
        (["good", "fails"], r"Several readers recognise .*: fails \(readers\) and good \(readers\); uninstall"),
    ],
)
def test_what_a_reader_gets_wrong_is_one_sentence(
    declare: Declare, run: Run, tmp_path: Path, names: list[str], sentence: str
) -> None:
    (tmp_path / "file").write_text("x")
    declare("readers", "reader", {name: f"plugged:{name.upper()}" for name in names}, READERS)
    refused(run("data", "get", "mine", "--from", tmp_path / "file"), sentence)
    assert not catalogue.cache.names()


def test_a_reader_may_return_ids_of_any_kind_and_no_stars(declare: Declare, run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    declare("readers", "reader", {"texts": "plugged:TEXTS"}, READERS + TEXTS)
    assert document(run("data", "get", "mine", "--from", tmp_path / "file", "--json"))["scale"] is None
    data = catalogue.load("mine", "none")
    assert (data.users.ids, data.movies.ids, data.implicit) == (("anna", "bob"), ("x", "y", "z"), True)


def test_a_reader_that_fails_to_look_is_left_out(declare: Declare, run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    declare("readers", "reader", {"good": "plugged:GOOD", "unsure": "plugged:UNSURE"}, READERS)
    done = run("data", "get", "mine", "--from", tmp_path / "file")
    assert done.exit_code == 0
    assert "The reader 'unsure' of the package readers cannot look at" in done.stderr
    assert len(catalogue.load("mine", "none").ratings) == 40
    refused(run("data", "get", "ml-100k", "--from", tmp_path / "file"), "is not a zip archive")
