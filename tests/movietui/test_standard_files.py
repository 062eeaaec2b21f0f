"""``-`` stands for standard input or output wherever a command reads or writes a file."""

import io
import json
import sqlite3
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from movietui.cli import cli
from movietui.cli.standard_files import FilePath
from movietui.data.storage import locations
from movietui.protocol.code_path import HOME
from movietui.store.ratings import Store
from tests.movietui.commands import Run, document, refused
from tests.movietui.terminal import Start

FOLDERS = {("data", "imdb"): "--from", ("evaluate",): "--trec"}
"""The options that name a folder, so that a standard file makes no sense."""
TITLES = "Title,Year,Rating\nNo Such Movie,1999,4\n"
TABLE = "user,item,rating\n" + "".join(
    f"u{user},i{item},{1 + (user + item) % 5}\n" for user in range(9) for item in range(9)
)
EXPERIMENT = """\
title = "small"
[metrics]
rating = ["rmse"]
[[datasets]]
name = "demo"
splits = ["random90"]
[[models]]
name = "bias"
"""


def piped(standard_input: str | bytes, *arguments: object) -> Result:
    """Run a command with this standard input."""
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], input=standard_input)


def parameters(command: click.Command, path: Sequence[str] = ()) -> Iterator[tuple[tuple[str, ...], click.Parameter]]:
    """Yield the parameters of every command, each with the name of its command."""
    yield from ((tuple(path), parameter) for parameter in command.params)
    for name, each in command.commands.items() if isinstance(command, click.Group) else ():
        yield from parameters(each, (*path, name))


def test_every_file_can_be_standard() -> None:
    types = {(path, parameter.opts[0]): parameter.type for path, parameter in parameters(cli)}
    files = {name: kind for name, kind in types.items() if isinstance(kind, click.Path)}
    assert len(files) > 10
    assert {name for name, kind in files.items() if not isinstance(kind, FilePath)} == set(FOLDERS.items())


def test_import_reads_standard_input(ready: Path) -> None:
    result = piped(TITLES, "import", "-", "--profile", "anna", "--dataset", "demo", "--json")
    assert [each["title"] for each in document(result)["unmatched"]] == ["No Such Movie"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("ratings.csv", "Date,Name,Year,Letterboxd URI,Rating\n2020-01-01,Another,1995,x,4\n")
    zipped_result = piped(archive.getvalue(), "import", "-", "--profile", "anna", "--dataset", "demo", "--json")
    assert [each["title"] for each in document(zipped_result)["unmatched"]] == ["Another"]


def test_problems_name_standard_input_and_no_temporary_file(ready: Path) -> None:
    for content in ("", "\x00\x01\x02"):
        result = piped(content, "import", "-", "--profile", "anna", "--dataset", "demo")
        refused(result, "standard input")
        assert "/" not in result.stderr


def test_lists_are_read_from_standard_input(ready: Path) -> None:
    for command in ("import", "scan"):
        result = piped(TITLES, "list", "--profile", "anna", command, "-", "Later", "--dataset", "demo")
        assert result.exit_code == 0, result.output
        assert "standard input: 0 matched, 0 ambiguous, 1 unmatched" in " ".join(result.stdout.split())


def test_a_dataset_is_read_from_standard_input(home: Path) -> None:
    assert document(piped(TABLE, "data", "get", "mine", "--from", "-", "--json"))["ratings"] == 81


def test_export_writes_to_standard_output(
    ready: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run("import", "--profile", "anna", "--dataset", "demo", _saved(tmp_path / "titles.csv"))
    for form in ("csv", "letterboxd"):
        path = tmp_path / f"{form}.csv"
        assert run("export", "--profile", "anna", "--format", form, "--output", path).exit_code == 0
        result = run("export", "--profile", "anna", "--format", form, "--output", "-")
        assert (result.exit_code, result.stderr) == (0, "")
        assert result.stdout_bytes == path.read_bytes()
    assert not Path("-").exists()


def _saved(path: Path) -> Path:
    path.write_text(TITLES, "utf-8")
    return path


def test_runs_and_evaluations_are_written_to_standard_output(ready: Path, run: Run) -> None:
    assert run("runs", "export", "--output", "-").stdout == run("runs", "export").stdout
    evaluation = ("evaluate", "bias", "--dataset", "demo", "--set", "sweeps=1")
    assert run(*evaluation, "--output", "-").stdout.startswith("model,")
    assert run(*evaluation, "--output", "-", "--format", "markdown").stdout.startswith("| ")
    predicted = run(*evaluation, "--predictions", "-").stdout.splitlines()
    assert predicted[0].startswith("user,item,rating,predicted")
    assert len(predicted) > 100
    document(run("sweep", "bias", "--dataset", "demo", "--search", "1", "--json"))
    assert run("sweep", "export", "1", "--output", "-").stdout == run("sweep", "export", "1").stdout


def test_an_experiment_is_read_and_pinned_on_standard_files(ready: Path) -> None:
    result = piped(EXPERIMENT, "experiment", "-", "--pin", "-")
    assert result.exit_code == 0, result.stderr
    assert 'title = "small"' in result.stdout
    assert "rmse" in result.stdout
    again = piped(result.stdout, "experiment", "-")
    assert "All figures are those in the file." in again.stdout


def test_a_backup_goes_through_a_pipe(ready: Path, run: Run, tmp_path: Path) -> None:
    store = Store(locations.store())
    store.create_profile("anna")
    store.close()
    saved = run("backup", "-").stdout_bytes
    (tmp_path / "copy.sqlite3").write_bytes(saved)
    with closing(sqlite3.connect(tmp_path / "copy.sqlite3")) as copy:
        assert copy.execute("SELECT name FROM viewers").fetchall() == [("anna",)]
    locations.store().unlink()
    result = piped(saved, "restore", "-")
    assert "from standard input" in result.stdout
    store = Store(locations.store())
    assert [ref.id for ref, _ in store.profiles()] == ["anna"]
    store.close()


def test_a_terminal_gets_no_binary_file(ready: Path, start: Start) -> None:
    terminal = start(arguments=("backup", "-"), PYTHONPATH=HOME)
    assert terminal.end() == 1
    assert "This is not text for a terminal; name a file, or redirect standard output to one." in " ".join(
        terminal.lines
    )
    assert b"SQLite format" not in terminal.raw


def test_only_one_thing_goes_to_standard_output(ready: Path, run: Run) -> None:
    message = "Only one thing can be printed on standard output"
    refused(run("backup", "-", "--json"), message, 2)
    refused(run("evaluate", "bias", "--dataset", "demo", "--output", "-", "--predictions", "-"), message, 2)
    with_json = piped(TITLES, "import", "-", "--profile", "anna", "--dataset", "demo", "--preview", "--json")
    assert json.loads(with_json.stdout)["preview"]


def test_a_failed_command_writes_nothing(ready: Path, run: Run) -> None:
    refused(run("export", "--profile", "nobody", "--format", "csv", "--output", "-"), "There is no profile 'nobody'")


def test_no_temporary_file_stays(ready: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import tempfile

    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    piped(TITLES, "import", "-", "--profile", "anna", "--dataset", "demo")
    piped("", "import", "-", "--profile", "anna", "--dataset", "demo")
    assert not list(folder.iterdir())
