"""What shells and scripts rely on: exit codes, colours, the version, the schema of config.toml, and the man pages."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest

from movietui import __version__, commit
from movietui.cli import cli, manual
from movietui.data.storage import locations
from movietui.formatting.color import color_wanted, set_no_color
from movietui.formatting.printing import PlainConsole
from movietui.protocol import exit_codes
from movietui.protocol.code_path import HOME
from movietui.ui import keymap
from tests.movietui.commands import Run, document
from tests.movietui.terminal import Start

ROOT = Path(HOME)
COLOUR = re.compile(rb"\x1b\[[0-9;]*[34][0-7]?[0-9;]*m")
DATE = "2026-12-01"


# Exit codes


def test_commands_end_with_the_documented_codes(run: Run, home: Path) -> None:
    assert run("locate").exit_code == exit_codes.DONE
    assert run("data", "show", "nothing").exit_code == exit_codes.FAILED
    assert run("data", "show").exit_code == exit_codes.WRONG_USAGE
    assert "130" in exit_codes.MEANINGS


def test_the_documentation_has_the_same_exit_codes() -> None:
    table = dict(
        re.findall(r"^\| ([0-9][0-9N +]*) \| (.*) \|$", (ROOT / "docs/command-line.md").read_text("utf-8"), re.M)
    )
    assert table == dict(exit_codes.MEANINGS)


# Colours


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({}, None),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, None),
        ({"CLICOLOR_FORCE": "1"}, True),
        ({"CLICOLOR_FORCE": "0"}, None),
        ({"CLICOLOR": "0"}, False),
        ({"CLICOLOR": "1"}, None),
        ({"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, False),
        ({"CLICOLOR": "0", "CLICOLOR_FORCE": "1"}, True),
    ],
)
def test_the_environment_decides_about_colours(
    monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str], wanted: bool | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert color_wanted() is wanted
    assert PlainConsole().color_system == ("standard" if wanted else None)
    monkeypatch.setenv("NO_COLOR", variables.get("NO_COLOR", ""))  # so that the next line is undone
    set_no_color()
    assert (os.environ.get("NO_COLOR") == "1") is (wanted is False)


def printed(**variables: str) -> bytes:
    """Return what doctor prints into a pipe."""
    environment = {**os.environ, "PYTHONPATH": HOME, **variables}
    line = [sys.executable, "-m", "movietui", "data", "list"]
    return subprocess.run(line, env=environment, capture_output=True, timeout=60, check=True).stdout


def test_a_pipe_gets_colours_only_if_they_are_demanded(home: Path) -> None:
    assert b"\x1b" not in printed()
    assert b"\x1b[1m" in printed(CLICOLOR_FORCE="1")
    assert not COLOUR.search(printed(CLICOLOR_FORCE="1", NO_COLOR="1"))


@pytest.mark.parametrize(
    ("variables", "colours"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"CLICOLOR": "0"}, False), ({"TERM": "dumb"}, False)],
)
def test_a_terminal_gets_colours_unless_they_are_forbidden(
    home: Path, start: Start, variables: Mapping[str, str], colours: bool
) -> None:
    code = "from movietui.formatting.printing import PlainConsole; PlainConsole().print('hello', style='red')"
    terminal = start(command=sys.executable, arguments=("-c", code), PYTHONPATH=HOME, **variables)
    terminal.end(60)
    assert b"hello" in terminal.raw
    assert bool(COLOUR.search(terminal.raw)) is colours


@pytest.mark.parametrize(("value", "colours"), [("1", True), ("0", False)])
def test_the_app_obeys_clicolor(ready: Path, start: Start, value: str, colours: bool) -> None:
    terminal = start(PYTHONPATH=HOME, CLICOLOR=value)
    terminal.wait_for_movies(3)
    greys = re.findall(rb"\x1b\[[0-9;]*38;2;(\d+);(\d+);(\d+)", terminal.raw)
    assert any(len(set(grey)) > 1 for grey in greys) is colours


# The version


def test_the_version_names_the_commit_of_a_checkout(tmp_path: Path) -> None:
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x"]
    assert commit.commit_of(tmp_path) == ""
    subprocess.run([*git, "init", "--quiet"], check=True)
    assert commit.commit_of(tmp_path) == ""
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "--message", "x"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout
    assert commit.commit_of(tmp_path) == head[:7]
    (tmp_path / "inside").mkdir()
    assert commit.commit_of(tmp_path / "inside") == ""  # such as a folder of packages in somebody's repository


def test_the_version_names_the_recorded_commit(tmp_path: Path) -> None:
    (tmp_path / "movietui").mkdir()
    (tmp_path / "movietui" / commit.RECORD).write_text("abcdef1\n")
    assert commit.commit_of(tmp_path) == "abcdef1"
    (tmp_path / "movietui" / commit.RECORD).write_text("\x1b[31mred\n")
    assert commit.commit_of(tmp_path) == ""


def test_the_version_is_printed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for recorded, expected in (
        ("abcdef1", f"movietui {__version__} (commit abcdef1)\n"),
        ("", f"movietui {__version__}\n"),
    ):
        monkeypatch.setattr(commit, "commit_of", lambda source, recorded=recorded: recorded)
        assert run("--version").stdout == expected


# The schema of config.toml


def test_the_schema_has_every_key_of_the_default_file(run: Run, home: Path) -> None:
    schema = document(run("config", "--schema"))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    commented = run("config", "--defaults").stdout
    file = re.sub(r'^# (\S+ = ".*") +#', r"\1  #", commented, flags=re.MULTILINE)
    tables = schema["properties"][keymap.TABLE]["properties"]
    keys = re.compile(schema["$defs"]["keys"]["pattern"])
    actions = {(table, name) for table, actions in tables.items() for name in actions["properties"]}
    assert actions == {(table, name) for table, actions in tomllib.loads(file)["keys"].items() for name in actions}
    assert len(actions) > 50
    for each in keymap.list_actions():
        table, _, name = each.id.rpartition(".")
        entry = tables[table]["properties"][name]
        assert entry["default"] == each.keys
        assert entry["description"].startswith(each.description)
        assert keys.fullmatch(each.keys), each.keys
    assert all(part["additionalProperties"] is False for part in (schema, *tables.values()))


@pytest.mark.parametrize(
    ("value", "keys"),
    [
        *(("h", "h"), (",", "comma"), ("h, left", "h,left"), ("ctrl+x", "ctrl+x"), ("comma", "comma"), ("é", "é")),
        *(("?", "question_mark"), ("ctrl+shift+a", "ctrl+shift+a"), ("+", "plus"), ("ctrl++", "ctrl+plus")),
        *((word, None) for word in ("", "two words", "a,,b", "strg+x", "enterr", "ctrl-x", "ctrl", "\x1b", "\u200b")),
    ],
)
def test_the_file_is_checked_with_the_pattern_of_the_schema(value: str, keys: str | None) -> None:
    assert bool(re.search(keymap.schema()["$defs"]["keys"]["pattern"], value)) == bool(keys)
    assert keymap._keys(value) == keys


# Man pages


def commands(command: click.Command, *path: str) -> Iterator[tuple[str, click.Command]]:
    yield "-".join(path), command
    for name, each in command.commands.items() if isinstance(command, click.Group) else ():
        yield from commands(each, *path, name)


COMMANDS = dict(commands(cli, "movietui"))
PAGES = manual.pages(cli, DATE)


def test_every_command_has_a_man_page() -> None:
    assert set(PAGES) == set(COMMANDS)


def test_a_man_page_has_all_of_the_help() -> None:
    for name, page in PAGES.items():
        for heading in (
            "NAME",
            "SYNOPSIS",
            "DESCRIPTION",
            "OPTIONS",
            "EXIT STATUS",
            "ENVIRONMENT",
            "FILES",
            "SEE ALSO",
        ):
            assert f"\n.SH {heading}\n" in page, name
        for parameter in COMMANDS[name].params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                assert parameter.opts[0].replace("-", "\\-") in page
        assert "/home/" not in page
        assert page.isascii()


def test_man_pages_describe_all_files_and_variables() -> None:
    names = {Path(path).name for path in manual.FILES}
    assert names == {path.name for path in locations.all_locations().values()}
    guide = (ROOT / "docs/guide.md").read_text("utf-8")
    for variable in manual.ENVIRONMENT:
        if not variable.startswith("XDG"):
            assert f"`{variable}" in guide


def test_text_is_literal_in_a_man_page() -> None:
    assert manual._roff(".so /etc/passwd") == "\\&.so /etc/passwd"
    assert manual._roff("'a\\b -x ★") == "\\(aqa\\eb \\-x \\[u2605]"


@pytest.mark.parametrize("checker", [("mandoc", "-T", "lint", "-W", "warning"), ("groff", "-man", "-ww", "-z")])
def test_man_pages_are_valid(checker: tuple[str, ...], tmp_path: Path) -> None:
    if shutil.which(checker[0]) is None:
        pytest.skip(f"{checker[0]} is not installed")
    for name, page in PAGES.items():
        (tmp_path / f"{name}.1").write_text(page, "utf-8")
    paths: list[Any] = sorted(tmp_path.iterdir())
    result = subprocess.run([*checker, *paths], capture_output=True, text=True)
    assert result.stdout + result.stderr == ""
