"""What all commands have in common, as people and scripts use them."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from movietui import __version__
from movietui.cli import cli
from movietui.data.storage import locations
from movietui.store.ratings import Movie, Store
from tests.movietui.commands import Run, document, refused
from tests.movietui.homes import checkpoint_of


def test_version_and_help_are_printed(run: Run) -> None:
    assert re.fullmatch(rf"movietui {re.escape(__version__)}( \(commit [0-9a-f]{{7}}\))?\n", run("--version").stdout)
    output = run("--help").stdout
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
        "similar",
        "explain",
        "taste",
        "search",
    ):
        assert re.search(rf"^  {command} ", output, re.MULTILINE)
        assert run(command, "--help").exit_code == 0
    for command in ("list", "get", "remove", "clean", "show", "imdb"):
        assert "--json" in run("data", command, "-h").stdout


def all_commands(group: click.Group, *path: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from all_commands(command, *path, name)
        else:
            yield " ".join((*path, name)), command


@pytest.mark.parametrize(("name", "command"), [pytest.param(*each, id=each[0]) for each in all_commands(cli)])
def test_every_command_accepts_dataset_and_seed(name: str, command: click.Command) -> None:
    options = {option for parameter in command.params for option in parameter.opts}
    assert {"--json", "--dataset", "--seed"} <= options


def test_a_command_ignores_options_that_it_does_not_need(run: Run) -> None:
    assert document(run("locate", "--json", "--dataset", "demo", "--seed", 3)) == document(run("locate", "--json"))
    assert document(run("data", "list", "--dataset", "demo", "--seed", 3, "--json"))
    assert "--seed" not in run("locate", "--help").stdout
    refused(run("locate", "--seed", "x"), "Usage:.*", 2)


def test_a_dataset_is_an_argument_or_an_option(run: Run) -> None:
    for named in (("demo",), ("--dataset", "demo"), ("demo", "--dataset", "demo")):
        assert document(run("data", "get", *named, "--json"))["dataset"] == "demo"
    refused(
        run("data", "get", "demo", "--dataset", "own"),
        "NAME is 'demo' but --dataset is 'own'; give only one of them",
        2,
    )
    refused(run("data", "get", ""), "cannot be the name")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("data", "imdb", "nothing"), "There is no dataset nothing"),
        (("data", "imdb", "ml-100k"), "ml-100k is not on disk yet; run movietui data get ml-100k"),
        (("data", "imdb", "demo"), r"title\.basics\.tsv\.gz could not be downloaded: .*--from FOLDER"),
        (("data", "imdb", "demo", "--from", "/nowhere/at/all"), "There is no folder /nowhere/at/all"),
        (("data", "get", "nothing"), "There is no dataset nothing; datasets: demo, ml-100k"),
        (("data", "get", "../evil"), "cannot be the name"),
        (("data", "get", "ml-100k"), "--from PATH"),
        (("data", "remove", "nothing"), "There is no dataset nothing; on disk: none"),
        (("data", "remove", "ml-1m"), "ml-1m is not on disk"),
        (("data", "clean", "ml-100k"), "ml-100k is not on disk yet; run movietui data get ml-100k"),
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
        (("evaluate", "popularity", "--dataset", "demo", "--published"), "None of the five earlier systems"),
        (("train", "popularity", "--dataset", "demo", "--published"), "None of the five earlier systems"),
        (("evaluate", "bias", "--dataset", "demo", "--set", "factors=2"), "factors"),
        (("sweep", "bias", "--dataset", "demo"), "needs a grid"),
        (("sweep", "bias", "--dataset", "demo", "--grid", "sweeps="), "no values for sweeps"),
        (("sweep", "bias", "--dataset", "demo", "--grid", "factors=2,3"), "factors"),
        (("sweep", "oracle", "--dataset", "demo", "--grid", "factors=2,3"), "oracle"),
        (("evaluate", "bias", "--dataset", "demo", "--split", "u1"), "u1"),
        (("recommend", "--user", "1", "--dataset", "demo"), "No model has been trained on demo yet"),
        (("recommend", "--profile", "nobody", "--dataset", "demo"), "There is no profile 'nobody'"),
        (("rate", "--profile", "a", "No Such Film At All", "3", "--dataset", "demo"), "has no movie"),
    ],
)
def test_impossible_requests_exit_with_one_sentence(run: Run, arguments: tuple[str, ...], expected: str) -> None:
    refused(run(*arguments), expected)
    refused(run(*arguments, "--json"), expected)


def test_titles_in_messages_cannot_control_the_terminal(run: Run, ready: Path) -> None:
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


def test_invalid_profile_names_are_refused(run: Run, ready: Path) -> None:
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
def test_wrong_usage_is_refused(run: Run, arguments: tuple[str, ...]) -> None:
    refused(run(*arguments), "Usage:.*", 2)


def test_locate_prints_paths_and_creates_nothing(run: Run, home: Path) -> None:
    paths = document(run("locate", "--json"))
    assert {"store", "checkpoints", "datasets"} <= set(paths)
    assert all(path.startswith(str(home)) for path in paths.values())
    assert str(home) in run("locate").stdout.replace("\n", "")
    assert not home.exists()


def test_commands_print_only_one_json_document(run: Run, ready: Path) -> None:
    """Standard output has one document and nothing else, or nothing if the command fails."""
    document(run("recommend", "--user", "1", "--dataset", "demo", "--json", "-k", 1))
    title = Movie("x 1990", "x", 1990).title
    refused(run("rate", "--profile", "anna", title * 30, "3", "--dataset", "demo", "--json"), "has no movie")


def command(home: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "movietui", *arguments]
    return subprocess.run(line, capture_output=True, text=True, timeout=300, **options)


def test_standard_output_is_only_the_document(home: Path) -> None:
    process = command(home, "data", "get", "demo", "--json")
    assert (process.returncode, process.stderr) == (0, "")
    assert json.loads(process.stdout)["dataset"] == "demo"


def test_a_real_process_reports_a_problem(home: Path) -> None:
    process = command(home, "data", "get", "nothing")
    assert (process.returncode, process.stdout) == (1, "")
    assert process.stderr.startswith("There is no dataset nothing")
    assert process.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", ["data list", "data list --json", "recommend --user 1 -k 300 --json"])
def test_closing_the_pipe_early_causes_no_error(ready: Path, arguments: str) -> None:
    line = f"{sys.executable} -m movietui {arguments} {'--dataset demo' if 'user' in arguments else ''} | head -1"
    process = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True, timeout=300)
    assert process.stdout.count("\n") == 1
    assert process.stderr == ""


def test_a_pipe_that_is_already_closed_causes_no_error(ready: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    line = [sys.executable, "-m", "movietui", "recommend", "--user", "1", "-k", "300", "--json", "--dataset", "demo"]
    process = subprocess.run(line, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=300)
    os.close(writing)
    assert process.stderr == ""


def test_an_interrupted_command_stops_with_one_sentence(home: Path) -> None:
    import signal
    import time

    line = [sys.executable, "-m", "movietui", "train", "bayes", "--dataset", "demo", "--set", "sweeps=10000", "--json"]
    child = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    path = locations.store()
    for _ in range(2400):
        time.sleep(0.05)
        if path.exists():
            store = Store(path)
            begun = bool(store.runs())
            store.close()
            if begun:
                break
    child.send_signal(signal.SIGINT)
    out, output = child.communicate(timeout=300)
    assert child.returncode == 130
    assert (out, output) == ("", "Stopped.\n")
    store = Store(path)
    assert [run.state for run in store.runs()] == ["cancelled"]
    store.close()
    assert not list(locations.checkpoints().glob("*"))


@pytest.mark.parametrize("arguments", ["data get demo", "rate --profile a Fargo 4 --dataset demo", "train bias"])
def test_a_home_that_cannot_be_written_is_a_problem(run: Run, home: Path, arguments: str) -> None:
    home.write_text("a file instead of the folder")
    refused(run(*arguments.split()), re.escape(str(home)))


def test_a_damaged_store_is_a_problem(run: Run, ready: Path) -> None:
    for extra in ready.glob("data/movietui.sqlite3-*"):
        extra.unlink()
    locations.store().write_bytes(b"this is no database\n" * 300)
    refused(
        run("recommend", "--user", "1", "--dataset", "demo"),
        "damaged; restore a backup with movietui restore, or move the file away to start fresh",
    )
    assert run("data", "list").exit_code == 0


def test_a_run_with_a_damaged_checkpoint_does_not_serve(run: Run, ready: Path) -> None:
    """The next run that can be loaded serves instead. Without such a run, the command says so."""
    (Path(checkpoint_of("mf")) / "model.safetensors").write_bytes(b"\0" * 100)
    assert document(run("recommend", "--user", "1", "--dataset", "demo", "--json"))["model"] == "bias"
    (Path(checkpoint_of("bias")) / "manifest.json").write_text("{")
    refused(run("recommend", "--user", "1", "--dataset", "demo"), "damaged|train")
