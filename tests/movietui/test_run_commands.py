"""The command that makes a run again, as the parsers of the commands read it."""

import shlex
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import click
import pytest

from movietui.cli.cluster_models import cluster_train
from movietui.cli.models import evaluate, pairs, train
from movietui.cli.sweeps import start
from movietui.data import catalogue
from movietui.data.problems import Problem
from movietui.engine.service import Service
from movietui.jobs.measurements import Measurement
from movietui.models import MODELS, choose
from movietui.models.metrics import ListMeasures
from movietui.protocol.messages import ModelRow
from movietui.state.run_commands import command_of
from movietui.store.ratings import Store
from movietui.store.run_records import Run

COMMANDS: dict[str, click.Command] = {"train": train, "evaluate": evaluate, "sweep": start}


@pytest.fixture(scope="module")
def models() -> dict[str, ModelRow]:
    return {row["name"]: row for row in Service().models()}


def parsed(command: str) -> tuple[str, dict[str, Any]]:
    """Return the name of a command and its parameters, as click parses them."""
    program, name, *arguments = shlex.split(command)
    assert program == "movietui"
    kind = COMMANDS.get(name, cluster_train)
    arguments = arguments if name in COMMANDS else arguments[1:]
    return name, kind.make_context(name, arguments).params


def changed(model: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Return all settings that a command asks for."""
    settings = choose(model, parameters["published"], pairs("--set", parameters["settings"]))
    return {name: getattr(settings, name) for name in vars(settings)}


def run_of(
    store: Store, model: str, *, published: bool = False, changes: dict[str, str] | None = None, **facts: Any
) -> Run:
    settings = vars(choose(model, published, changes or {}))
    number = store.start_run(
        model,
        facts.pop("dataset", "ml-100k"),
        facts.pop("cleaning", "standard"),
        facts.pop("split", "random90"),
        facts.pop("seed", 0),
        settings,
        **facts,
    )
    run = store.run(number)
    assert run is not None
    return run


@pytest.mark.parametrize("name", list(MODELS))
def test_a_training_is_made_again(store: Store, models: dict[str, ModelRow], name: str) -> None:
    presets = [False] if MODELS[name].published is None else [False, True]
    for published, changes in product(presets, ({}, _other_values(models[name]))):
        run = run_of(
            store,
            name,
            published=published,
            changes=changes,
            dataset="my-ratings",
            split="kfold5-3",
            seed=7,
            split_seed=5,
            request={"split": "kfold5-3", "cleaning": "none"},
            cleaning="none",
        )
        command, parameters = parsed(command_of(run, models[name]))
        assert command == "train"
        assert (parameters["model"], parameters["dataset"]) == (name, "my-ratings")
        assert (parameters["split"], parameters["seed"], parameters["split_seed"]) == ("kfold5-3", 7, 5)
        assert parameters["cleaning"] == "none"
        assert changed(name, parameters) == run.settings


def _other_values(model: ModelRow) -> dict[str, str]:
    """Return values that are not the defaults: switches turned, fractions with many digits."""
    values = {}
    for field in model["settings"]:
        if field["kind"] == "bool":
            values[field["name"]] = "no" if field["default"] else "yes"
        elif field["kind"] == "float":
            values[field["name"]] = repr(field["low"] + (field["high"] - field["low"]) * 0.123456789012)
        else:
            values[field["name"]] = str(int(field["low"]) + 1)
    return values


def test_a_training_without_a_split_is_made_again_without_one(store: Store, models: dict[str, ModelRow]) -> None:
    run = run_of(store, "mf", request={"split": None, "cleaning": "standard"})
    assert command_of(run, models["mf"]) == "movietui train mf --dataset ml-100k --cleaning standard"
    typed = replace(run, settings={"factors": "32"}, state="queued", request={"published": False})
    assert " --set factors=32 " in command_of(typed, models["mf"])


def test_a_split_in_a_file_is_named_by_its_path(store: Store, models: dict[str, ModelRow]) -> None:
    run = run_of(store, "mf", split="folds.csv:157b7ad6", request={"split": "/data/my folds.csv"})
    assert parsed(command_of(run, models["mf"]))[1]["split"] == "/data/my folds.csv"
    with pytest.raises(Problem, match=r"The path of folds.csv, the split of run \d+, is not known"):
        command_of(replace(run, request={}), models["mf"])


def test_an_evaluation_is_made_again(store: Store, models: dict[str, ModelRow]) -> None:
    run = run_of(
        store,
        "ease",
        changes={"ridge": "1234.5", "ones": "yes"},
        kind="evaluation",
        split="strong",
        cleaning="none",
        task="ranking",
        list_order="likely",
        seed=2,
        split_seed=1,
        request={"split": "strong", "relevant": 3.5},
    )
    run = replace(run, metrics={"recall@20": 0.5, "recall@77": 0.6, "users": 10})
    command, parameters = parsed(command_of(run, models["ease"]))
    assert command == "evaluate"
    assert (parameters["models"], parameters["dataset"], parameters["splits"]) == (("ease",), "ml-100k", "strong")
    assert (parameters["task"], parameters["order"], parameters["metrics"]) == ("ranking", "likely", "recall@77")
    assert (parameters["seeds"], parameters["split_seeds"], parameters["cleaning"]) == ((2,), (1,), "none")
    assert parameters["relevant"] == 3.5
    assert changed("ease", parameters) == run.settings


def test_a_measurement_stores_what_its_command_needs(home: Path) -> None:
    dataset = catalogue.load("demo", "none")
    wanted = Measurement("evaluation", "ease", choose("ease"), dataset, "folds.csv", "ranking", None, 0, 0)
    assert wanted.request == {"split": str(Path.cwd() / "folds.csv")}
    unusual = replace(wanted, split="random80", measures=ListMeasures.at([10], relevant=3.0))
    assert unusual.request == {"split": "random80", "relevant": 3.0}


@pytest.mark.parametrize("changes", [{}, {"factors": "32", "sweeps": "40"}])
def test_a_trial_is_made_again_by_a_sweep_that_tries_only_its_settings(
    store: Store, models: dict[str, ModelRow], changes: dict[str, str]
) -> None:
    run = run_of(
        store, "mf", changes=changes, kind="trial", split="u1 validation", cleaning="none", task="rating", seed=3
    )
    command, parameters = parsed(command_of(run, models["mf"]))
    assert command == "sweep"
    assert (parameters["model"], parameters["dataset"], parameters["split"]) == ("mf", "ml-100k", "u1")
    assert (parameters["metric"], parameters["seed"], parameters["cleaning"]) == ("rmse", 3, "none")
    grid = pairs("--grid", parameters["grid"])
    assert grid
    assert vars(choose("mf", False, grid)) == run.settings


def test_a_run_on_a_cluster_is_made_again_there(store: Store, models: dict[str, ModelRow]) -> None:
    run = run_of(store, "als", changes={"factors": "30"}, device="spark", split="random90-by-hash", seed=4)
    run = replace(run, cluster={"master": "spark://host:7077"})
    command, parameters = parsed(command_of(run, models["als"]))
    assert command == "cluster"
    assert (parameters["split"], parameters["seed"], parameters["master"]) == (
        "random90-by-hash",
        4,
        "spark://host:7077",
    )
    assert changed("als", parameters) == run.settings


def test_a_setting_that_the_model_lost_is_reported(store: Store, models: dict[str, ModelRow]) -> None:
    run = replace(run_of(store, "mf"), settings={"depth": 3})
    with pytest.raises(Problem, match="mf no longer has the setting depth of run"):
        command_of(run, models["mf"])
