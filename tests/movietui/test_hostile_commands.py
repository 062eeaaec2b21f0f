"""Every command reads text that tries to control the terminal, and prints none of it raw."""

import functools
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import pexpect
import pytest
from markdown_it import MarkdownIt

from movietui.cli import checks, cli
from movietui.data.storage import locations
from tests.data.imdb_tables import basics, crew, person, rating, write_tables
from tests.movietui.commands import Run, invoke
from tests.movietui.homes import build_once
from tests.movietui.hostile import POISON, RAW, TITLES, poison
from tests.movietui.terminal import program

MARK = "pwn"
NAME = POISON.replace("/", "")
"""``POISON`` without slashes, so that a file can have this name."""
Call = Sequence[str]


def commands(group: click.Group = cli, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the name of every command."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name))


WHO = ("--profile", "bob")
ON = ("--dataset", "hostile")
ELSEWHERE = ("--dataset", POISON)
CALLS: dict[str, Sequence[Call]] = {
    "ask": [(*WHO, *ON), ("--user", POISON, *ON), ("--profile", POISON, *ON), ("--model", POISON, *ON), ELSEWHERE],
    "data list": [()],
    "data get": [
        (POISON,),
        ("mine", "--from", POISON),
        ("ml-100k",),
        ("mine", "--from", f"{POISON}/export.zip"),
        ("mine", "--from", "poison.csv"),
        ("mine", "--from", "poison.csv", "--columns", f"{POISON},{POISON}"),
        ("mine", "--from", "poison.csv", "--columns", "user,item,rating,title", "--scale", POISON),
        ("mine", "--from", "poison.csv", "--columns", "user,item,rating,title"),
    ],
    "data remove": [(POISON,)],
    "data clean": [("hostile",), (POISON,), ("hostile", "--cleaning", POISON)],
    "data show": [("hostile",), (POISON,), ("hostile", "--cleaning", POISON)],
    "data imdb": [("hostile", "--from", "tables"), (POISON,), ("hostile", "--from", POISON)],
    "cluster clean": [
        (POISON, "--from", POISON, "--output", POISON),
        ("mine", "--from", POISON, "--output", POISON, "--scale", POISON),
    ],
    "cluster train": [(POISON, *ELSEWHERE), ("als", *ON, "--set", POISON), ("als", *ELSEWHERE)],
    "cluster evaluate": [(POISON, *ELSEWHERE), ("als", *ON, "--task", POISON), ("als", *ELSEWHERE)],
    "cluster recommend": [(*ELSEWHERE, "--everyone", "--output", POISON)],
    "train": [
        (POISON, *ON),
        ("bias", *ON, "--set", f"{POISON}=1"),
        ("bias", *ON, "--set", POISON),
        ("bias", *ON, "--split", POISON),
        ("bias", *ELSEWHERE),
    ],
    "evaluate": [
        ("bias", *ON, "--split", "poison.csv"),
        ("bias", *ON, "--predictions", f"{NAME}.csv", "--output", f"{NAME}.svg"),
        ("bias", *ON, "--split", POISON),
        (POISON, *ON),
        ("bias", *ELSEWHERE),
        ("bias", *ON, "--metrics", POISON),
        ("bias", *ON, "--predictions", POISON),
        ("bias", *ON, "--task", "ranking", "--trec", f"{POISON}/trec"),
        ("bias", *ON, "--format", "latex"),
        ("bias", *ON, "--format", "svg"),
    ],
    "sweep start": [
        ("bias", *ON, "--grid", f"{POISON}=1"),
        (POISON, *ON, "--grid", "sweeps=1,2"),
        ("bias", POISON),
        ("bias", *ON, "--grid", f"sweeps={POISON}..{POISON}", "--search", "2"),
        ("bias", *ON, "--search", "2", "--metric", POISON),
        ("bias", *ON, "--search", "1"),
    ],
    "experiment": [(f"{POISON}/experiment.toml",), (POISON,), (f"{POISON}/wrong.toml",)],
    "sweep list": [(), ELSEWHERE, ("--model", POISON)],
    "sweep show": [("1",), (POISON,)],
    "sweep export": [("1",), ("1", "--format", "json"), ("1", "--output", f"{NAME}.md"), ("1", "--format", POISON)],
    "sweep delete": [("1",), (POISON,)],
    "reproduce": [(), (POISON,)],
    "recommend": [
        ("--user", "1", *ON),
        (*WHO, *ON),
        ("--user", POISON, *ON),
        ("--user", "1", *ON, "--filter", f"+{POISON}"),
        (*WHO, *ON, "--filter", f'list:"{POISON}"'),
        (*WHO, *ON, "--filter", "list:shelf"),
        ("--user", "1", *ON, "--model", POISON),
        ("--user", "1", *ELSEWHERE),
    ],
    "rate": [(*WHO, "[REC]² (1995)", "4", *ON), (*WHO, POISON, "4", *ON), (*WHO, "[", POISON, *ON)],
    "similar": [("1", *ON), (POISON, *ON)],
    "explain": [("1", "--user", "2", *ON), (POISON, "--user", "2", *ON), ("1", "--user", POISON, *ON)],
    "taste": [("--user", "1", *ON), (*WHO, *ON), ("--user", POISON, *ON)],
    "search": [("red", *ON), (POISON, *ON), (POISON, *ELSEWHERE)],
    "runs list": [(), ("--model", POISON), ("--reported",)],
    "runs show": [("1",), ("2",), (POISON,)],
    "runs compare": [("1", "2"), ("1", "1", "--user", POISON), ("1", "1", "--profile", POISON)],
    "runs export": [
        (),
        ("--format", "json"),
        ("--format", "markdown"),
        ("--format", "latex"),
        ("--format", "svg"),
        ("--output", f"{NAME}.csv"),
        ("--output", "out.md", "--format", "markdown"),
        ("--output", "out.json", "--format", "json"),
        ("--format", POISON),
    ],
    "runs name": [("1", POISON), (POISON, "x")],
    "runs note": [("1", POISON)],
    "runs use": [("1",), ("99",), (POISON,)],
    "runs resume": [("2",), (POISON,)],
    "runs prune": [("--keep", "9", "--metric", POISON), ("--keep", "9")],
    "runs delete": [(POISON,), ("2",)],
    "import": [
        (f"{POISON}/export.zip", *WHO, *ON),
        (POISON, *WHO, *ON),
        (f"{POISON}/export.zip", "--profile", POISON, *ON, "--preview"),
        (f"{POISON}/export.zip", *WHO, *ON, "--settle", f"{POISON} (1995)={POISON}"),
        (f"{POISON}/export.zip", *WHO, *ON, "--settle", POISON),
    ],
    "history": [(), (*WHO,), ("--profile", POISON)],
    "export": [
        *((*WHO, "--format", form, "--output", f"{form}{NAME}.txt", *ON) for form in ("csv", "imdb", "letterboxd")),
        (*WHO, "--format", "movielens", "--output", "out.movielens.csv"),
        (*WHO, "--format", "watchlist", "--output", "watchlist.md"),
        (*WHO, "--format", "shortlist", "--output", "shortlist.md", *ON),
        (*WHO, "--format", POISON, "--output", "x"),
        ("--profile", POISON, "--format", "csv", "--output", "x.csv"),
        (*WHO, "--list", "shelf", "--format", "csv", "--output", "shelf.csv"),
        (*WHO, "--list", POISON, "--format", "letterboxd", "--output", "shelf.csv"),
    ],
    "backup": [(NAME + ".sqlite3",), ("nowhere/" + NAME,)],
    "restore": [(POISON,), ("good.sqlite3",)],
    "config": [(), ("--defaults",), ("--schema",), (POISON,)],
    "doctor": [(), ("--report", f"{NAME}.report"), ("--report", "-"), (POISON,)],
    "completion": [("bash",), ("zsh",), ("fish",), (POISON,)],
    "list show": [(POISON,), ("--", POISON), ("shelf",)],
    "list add": [(POISON, "1", *ON), ("shelf", POISON, *ON), (POISON, "1", *ELSEWHERE)],
    "list remove": [(POISON,), ("shelf", POISON, *ON), ("shelf", "[REC]² (1995)", *ON)],
    "list import": [
        (f"{POISON}/titles.txt", *ON),
        (f"{POISON}/titles.txt", POISON, *ON),
        (f"{POISON}/export.zip", POISON, *ON),
        (POISON, *ELSEWHERE),
    ],
    "list scan": [
        (POISON, *ON),
        (POISON, POISON, *ON),
        (POISON, *ON, "--settle", f"{POISON}={POISON}"),
        (f"{POISON}/titles.txt", *ON),
        (NAME, *ON),
    ],
    "plugins": [(), (POISON,)],
    "serve": [("--url", POISON), ("--public-demo", "--url", POISON), ("--port", POISON), (POISON,)],
    "locate": [(), (POISON,)],
}
"""The arguments with which each command is tried. Hostile text is in the arguments, or in what the command reads."""
OF_GROUPS: dict[str, Call] = {"list": WHO}
"""The arguments of a group, before the name of its command."""


def _fill(folder: Path) -> None:
    """Fill the folder ``work`` in which the commands run, and the folder ``home`` beside it."""
    home, work = folder / "home", folder / "work"
    (work / POISON).mkdir(parents=True)
    with zipfile.ZipFile(work / POISON / "export.zip", "w") as zipped:
        zipped.writestr("ratings.csv", f"Date,Name,Year,Letterboxd URI,Rating\n2020-01-01,{POISON},1995,x,4\n")
        zipped.writestr(f"lists/{POISON}.csv", "x")
        zipped.writestr("watchlist.csv", "Date,Name,Year,Letterboxd URI\n2020-01-01,Foo [/b],1995,y\n")
        zipped.writestr("likes/films.csv", f"Date,Name,Year,Letterboxd URI\n2020-01-01,{POISON},{POISON},x\n")
    row = f'"{POISON}","{POISON}",4,"{POISON}"\n'
    (work / "poison.csv").write_text(f'"{POISON}",x,y,z\n{row}u,i,{POISON},{POISON}\nu,j,1,t\nu,{row}', "utf-8")
    hostile_key = json.dumps(POISON, ensure_ascii=False).replace("\x7f", "\\u007f")
    rest = '[metrics]\nrating = ["rmse"]\n[[models]]\nname = "bias"\n'
    rest += '[[datasets]]\nname = "hostile"\nsplits = ["random90"]\n'
    for name, key in (("experiment", "title"), ("wrong", hostile_key)):
        content = f"{key} = {hostile_key}\n{rest}"
        (work / POISON / f"{name}.toml").write_text(content, "utf-8")
    (work / POISON / "titles.txt").write_text(f"{POISON} (1995)\nFoo [/b] (1995)\n", "utf-8")
    (work / POISON / f"{NAME} (1995).mkv").touch()
    people = [person(21, f"Francis {POISON}")]
    titles = [basics(11, f"[REC]² {POISON}", 1995)]
    write_tables(work / "tables", titles, [rating(11, 900, 9.2)], [crew(11, 21)], people)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOVIETUI_HOME", str(home))
        patch.setenv("MOVIETUI_OFFLINE", "1")
        for name in ("anna", "bob"):
            invoke("rate", "--profile", name, "[REC]² (1995)", "4", *ON)
            invoke("import", work / POISON / "export.zip", "--profile", name, *ON)
            invoke("list", "--profile", name, "scan", work / POISON, *ON)
        invoke("train", "bias", *ON, "--set", "sweeps=1", "--seed", "3")
        invoke("sweep", "bias", *ON, "--search", "1")
        poison(locations.store())
        invoke("backup", work / "good.sqlite3")
        locations.config().write_text(json.dumps(f"{POISON} = 1 ") + f'[keys]\n"{MARK}.x" = "y"\n', "utf-8")


@pytest.fixture(scope="session")
def filled(hostile_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``_fill`` makes, with the hostile dataset in the home."""

    def build(folder: Path) -> None:
        shutil.copytree(hostile_home, folder / "home")
        _fill(folder)

    return build_once(tmp_path_factory, "poisoned", build)


@pytest.fixture
def poisoned(home: Path, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the commands run. Its files and the store contain hostile text."""
    shutil.copytree(filled / "home", home)
    monkeypatch.setattr(checks, "_import_all", functools.cache(checks._import_all))  # a child that imports torch
    monkeypatch.chdir(shutil.copytree(filled / "work", tmp_path / "work"))
    return tmp_path / "work"


def test_every_command_is_called() -> None:
    assert set(commands()) == set(CALLS)


@pytest.mark.parametrize("command", commands())
def test_commands_print_no_raw_control_characters(command: str, poisoned: Path, run: Run) -> None:
    printed = ""
    for call in CALLS[command]:
        for more in ((), ("--json",)):
            group, *names = command.split()
            result = run(group, *OF_GROUPS.get(group, ()), *names, *more, *call)
            assert result.exit_code in (0, 1, 2), result.output
            assert not RAW.search(result.stdout), repr(RAW.search(result.stdout))
            assert not RAW.search(result.stderr), repr(RAW.search(result.stderr))
            assert "Traceback" not in result.stderr
            assert "please report it" not in result.stderr
            printed += result.stdout + result.stderr
    assert MARK in printed


def test_exports_contain_no_raw_control_characters(poisoned: Path, run: Run) -> None:
    given = {*poisoned.glob("*")}
    for command in ("export", "runs export", "sweep export"):
        for call in CALLS[command]:
            run(*command.split(), *call)
    run("runs", "export", "--output", "runs.csv")
    written = [path for path in {*poisoned.glob("*")} - given if path.suffix in (".md", ".csv", ".json", ".txt")]
    assert len(written) >= 9
    for path in written:
        words = path.read_text("utf-8")
        assert not re.search("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]", words), path
        if path.suffix == ".json":
            assert not RAW.search(words)


def test_markdown_shows_hostile_text_as_text(poisoned: Path, run: Run) -> None:
    run("runs", "export", "--format", "markdown", "--output", "runs.md")
    for form in ("shortlist", "watchlist"):
        run("export", *WHO, "--format", form, "--output", f"{form}.md", *ON)
    for name in ("runs.md", "shortlist.md", "watchlist.md"):
        words = (poisoned / name).read_text("utf-8")
        tokens = MarkdownIt("gfm-like", {"html": True}).parse(words)
        kinds = {token.type for each in tokens for token in (each, *(each.children or ()))}
        assert "inline" in kinds
        assert not [kind for kind in kinds if kind.startswith(("html", "link", "image", "em", "strong", "code", "s_"))]
        shown = "".join(token.content for each in tokens for token in each.children or ())
        assert "[" in shown
        if name != "shortlist.md":
            assert "[b]x[/b]<img src=x>|[a](http:// example.org)" in shown


def test_exported_tables_contain_no_formulas(hostile: Path, tmp_path: Path, run: Run) -> None:
    for number, words in enumerate(("=1+1", "+1", "-1", "@x", " =1+1")):
        run("runs", "name", "1", "--", words)
        run("runs", "note", "1", "--", f"{words} {POISON}")
        path = tmp_path / f"{number}.csv"
        run("runs", "export", "--output", path)
        assert f",'{words.strip()}" in path.read_text("utf-8")


@pytest.mark.parametrize(
    "call", [("runs", "list"), ("history",), ("data", "get", POISON), ("recommend", "--user", POISON, *ON)]
)
def test_a_real_terminal_gets_no_raw_control_characters(poisoned: Path, call: Sequence[str]) -> None:
    child = pexpect.spawn(
        program(), list(call), dimensions=(40, 200), timeout=60, env={**os.environ, "LANG": "C.UTF-8"}
    )
    child.expect(pexpect.EOF)
    child.close()
    words = child.before.decode("utf-8")
    drawn = re.sub(r"\x1b\[(?:[0-9;]*m|\?25[lh]|2K)|\r", "", words)  # movietui itself sends colours, bars and line ends
    assert MARK in drawn
    assert "owned" in drawn
    assert not RAW.search(drawn), repr(drawn)
    assert "\x1b[31m" not in words


def test_a_process_prints_no_raw_control_characters(poisoned: Path) -> None:
    environment = {**os.environ, "MOVIETUI_DEBUG": "1", "PYTHONIOENCODING": "ascii"}
    for call in (["runs", "list", "--json"], ["import", POISON, *WHO], ["runs", "export"], [POISON], ["rate", POISON]):
        process = subprocess.run(
            [sys.executable, "-m", "movietui", *call], capture_output=True, env=environment, timeout=60
        )
        words = (process.stdout + process.stderr).decode("utf-8")
        assert words
        assert not RAW.search(words), repr(words)


def test_a_traceback_contains_no_raw_control_characters(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError(POISON)

    monkeypatch.setenv("MOVIETUI_DEBUG", "1")
    monkeypatch.setattr("movietui.data.catalogue.list_stored", broken)
    result = run("data", "list")
    assert result.exit_code == 1
    assert "Traceback" in result.stderr
    assert MARK in result.stderr
    assert not RAW.search(result.stderr)


def test_some_titles_are_hostile() -> None:
    assert any(RAW.search(title) for title in TITLES)  # otherwise the tests above test nothing
