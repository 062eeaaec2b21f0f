"""Send hostile text through every command and screen. None of it may control the terminal.

The store, the dataset, the config, file names and typed text contain control sequences, each with a marker word.
Commands may print the word, but no raw control characters. On a screen, the program itself sends control sequences;
none of them may contain the word or come right before it, and the emulated screen may not show control characters.
"""

import json
import os
import random
import re
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import click

from movietui.cli import cli
from movietui.data.storage import locations
from movietui.protocol.viewers import profile
from movietui.store.ratings import Movie, Store
from tests.benchmarks.campaign import homes, places
from tests.benchmarks.campaign.report import Evidence, Report
from tests.benchmarks.campaign.terminals import Watched
from tests.data.exports import LETTERBOXD, letterboxd_row, table
from tests.data.files import write_zip

WORD = "OWNED"
HOSTILE = (
    f"\x1b]0;{WORD}\x07",
    f"\x1b[31m{WORD}\x1b[0m",
    f"\x1bP{WORD}\x1b\\",
    f"\x9b31m{WORD}",
    f"\x9d0;{WORD}\x9c",
    f"\x07\x08{WORD}",
    f"\r{WORD}",
    f"\u202e{WORD}\u202c",
    f"\u2066{WORD}\u2069",
    f"\u200b{WORD}\ufeff",
    f"\x85{WORD}\u2028",
)
ALL = " ".join(HOSTILE)
DRAWN = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\r(?=\n)|\r(?=\x1b)|(?<=\x1b\[\?25h)\r")
"""What the program itself sends to control a terminal: colours, line ends, and the moves that redraw progress bars."""
RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
"""Characters that must not be printed. Zero-width joiners are allowed: emoji and some scripts are written with them."""
STEERED = re.compile(
    f"(?:\x1b\\][0-9;]*|\x1bP|\x9b[0-9;]*m?|\x9d[0-9;]*|[\x00-\x09\x0b-\x1a\x7f-\x9f\u200b\u2028-\u202e\u2060-\u2069\ufeff]){WORD}"
)
"""The marker word right after a control character, except after a colour, which the program itself may set."""
FOREIGN = re.compile(f"\x1b[\\]P_^][^\x1b\x07]*{WORD}")
"""The marker word within a window title, a device control string or the like."""
SIZE = (120, 36)

STRUCTURE = {
    *(
        "kind",
        "mark",
        "state",
        "movie",
        "at",
        "rated_at",
        "marked_at",
        "given_before",
        "given_after",
        "started",
        "began",
    ),
    *("checkpoint", "model", "dataset", "cleaning", "split", "device", "settings", "progress", "curve", "metrics"),
    *(
        "request",
        "cluster",
        "rows",
        "detail",
        "imdb",
        "identity",
        "task",
        "list_order",
        "environment",
        "metric",
        "changes",
    ),
}
"""Text columns whose values the program itself chooses and uses as references."""

ARGUMENTS: dict[str, Sequence[Sequence[str]]] = {
    "ask": [["--profile", "{text}"], ["--dataset", "{text}"], ["--user", "{text}"]],
    "backup": [["{folder}/copy.sqlite3"], ["{hostile}/x"]],
    "cluster clean": [["{text}", "--from", "{hostile}", "--output", "{hostile}"]],
    "cluster evaluate": [["{text}", "--dataset", "{text}"], ["als", "--dataset", "{text}"]],
    "cluster recommend": [["--dataset", "{text}", "--everyone", "--output", "{hostile}"]],
    "cluster train": [["{text}", "--dataset", "{text}"], ["als", "--dataset", "hostile", "--set", "{text}"]],
    "completion": [["{text}"]],
    "config": [[], ["--defaults"], ["--schema"]],
    "data clean": [["hostile"], ["{text}"], ["hostile", "--cleaning", "{text}"]],
    "data get": [
        ["{text}"],
        ["mine", "--from", "{hostile}"],
        ["mine", "--from", "{zip}"],
        ["mine", "--from", "{csv}"],
        ["mine", "--from", "{csv}", "--columns", "{text}", "--scale", "{text}"],
    ],
    "data imdb": [["hostile", "--from", "{hostile}"], ["{text}"]],
    "data list": [[]],
    "data remove": [["{text}"]],
    "data show": [["hostile"], ["{text}"]],
    "doctor": [[], ["--report", "{hostile}/x"], ["--report", "{folder}/report", "--force"]],
    "evaluate": [
        ["bias", "--dataset", "hostile", "--detail"],
        ["{text}"],
        ["bias", "--split", "{text}"],
        ["bias", "--split", "{csv}"],
        ["bias", "--dataset", "hostile", "--metrics", "{text}"],
        ["bias", "--dataset", "hostile", "--predictions", "{hostile}/x.csv"],
        ["bias", "--dataset", "hostile", "--task", "ranking", "--trec", "{hostile}/trec", "--format", "svg"],
        ["bias", "--dataset", "hostile", "--output", "{folder}/table.tex", "--force"],
    ],
    "experiment": [["{hostile}"], ["{text}"]],
    "explain": [["[REC]² (1995)", "--user", "1"], ["{text}", "--user", "1"]],
    "export": [
        *(["--profile", "anna", "--format", form, "--output", "{folder}/" + form] for form in ("csv", "letterboxd")),
        ["--profile", "anna", "--format", "watchlist", "--output", "{folder}/watchlist.md"],
        ["--profile", "{text}", "--format", "csv", "--output", "{folder}/x.csv"],
        ["--profile", "anna", "--format", "imdb", "--output", "{hostile}/x"],
    ],
    "history": [[], ["--profile", "{text}"], ["--user", "{text}"]],
    "import": [
        ["{csv}", "--profile", "anna", "--preview"],
        ["{csv}", "--profile", "{text}"],
        ["{zip}", "--profile", "anna"],
        ["{hostile}", "--profile", "anna"],
        ["{csv}", "--profile", "anna", "--settle", "{text}=1"],
    ],
    "list": [["--profile", "anna"], ["--profile", "{text}"]],
    "list add": [["--profile", "anna", "{text}", "1"], ["--profile", "{text}", "tonight", "{text}"]],
    "list import": [["--profile", "anna", "{csv}", "{text}"], ["--profile", "anna", "{zip}"]],
    "list remove": [["--profile", "anna", "tonight", "{text}"], ["--profile", "anna", "{text}"]],
    "list scan": [
        ["--profile", "anna", "{hostile}", "{text}"],
        ["--profile", "{text}", "{hostile}", "--settle", "{text}=1"],
    ],
    "list show": [["--profile", "anna", "{text}"], ["--profile", "anna", "tonight"]],
    "locate": [[]],
    "plugins": [[]],
    "rate": [["--profile", "anna", "{text}", "4"], ["--profile", "{text}", "[REC]² (1995)", "4"]],
    "recommend": [
        ["--user", "1", "-k", "20"],
        ["--user", "{text}"],
        *(["--user", "1", "--filter", words] for words in ("{text}", "list:{text}")),
        ["--profile", "anna", "--filter", 'list:"{text}"'],
    ],
    "reproduce": [["--dataset", "{text}"]],
    "restore": [["{hostile}"], ["{csv}"]],
    "runs compare": [["1", "2"]],
    "runs delete": [["2"]],
    "runs export": [["--format", form] for form in ("csv", "json", "markdown", "latex", "svg")],
    "runs list": [[], ["--reported"], ["--model", "{text}"]],
    "runs name": [["1", "{text}"]],
    "runs note": [["1", "{text}"]],
    "runs prune": [["--keep", "1", "--metric", "{text}"], ["--keep", "0"]],
    "runs resume": [["2"]],
    "runs show": [["1"], ["2"]],
    "runs use": [["1"], ["2"]],
    "search": [["{text}"], ["x"]],
    "serve": [["--public-demo", "--url", "{text}"], ["{text}"]],
    "similar": [["[REC]² (1995)"], ["{text}"]],
    "sweep delete": [["1"]],
    "sweep export": [["1", "--format", form] for form in ("csv", "json", "markdown", "svg")],
    "sweep list": [[], ["--model", "{text}"], ["--dataset", "{text}"]],
    "sweep show": [["1"]],
    "sweep start": [
        ["bias", "--dataset", "hostile", "--split", "{text}", "--grid", "sweeps=1"],
        ["bias", "--dataset", "hostile", "--split", "random90", "--grid", "{text}=1"],
        ["bias", "--dataset", "hostile", "--search", "2", "--metric", "{text}"],
    ],
    "taste": [["--user", "1"], ["--profile", "anna"], ["--user", "{text}"]],
    "train": [["{text}"], ["bias", "--dataset", "{text}"], ["bias", "--dataset", "hostile", "--set", "{text}=1"]],
}
"""The arguments for each command: options that print stored text, and hostile text wherever text is accepted."""
OUTPUTS = ("plain", "json", "terminal")


def commands() -> list[str]:
    """Return the names of all commands."""
    return sorted(_leaves(cli, ()))


def _leaves(group: click.Group, above: tuple[str, ...]) -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _leaves(command, (*above, name))
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield " ".join((*above, name))


ATTEMPTS = [
    *(
        (name, index, output)
        for name, arguments in ARGUMENTS.items()
        for index in range(len(arguments))
        for output in OUTPUTS
    ),
    *(("", index, name) for index, name in enumerate(places.PLACES)),
]
"""For a command: its name, the index of its arguments and the kind of output. For a screen: an empty text, an index and
the name of the screen."""
TIMES = len(ATTEMPTS)


def run(report: Report, template: Path, scratch: Path) -> None:
    """Try every command with all its arguments and kinds of output, and every screen.

    The seed is the number of the attempt.
    """
    for seed in report.seeds():
        command, index, target = ATTEMPTS[seed % len(ATTEMPTS)]
        report.tried[f"command, {target}" if command else "screen"] += 1
        with report.attempt(seed) as evidence, homes.copy_of(template, scratch / f"home-{seed}") as home:
            spoil(random.Random(seed), home)
            if command:
                _command(command, ARGUMENTS[command][index], target, home, evidence)
            else:
                _screen(target, home, evidence)


# Hostile text


def spoil(random: random.Random, home: Path) -> None:
    """Put hostile text wherever text is stored. Do so without the program, which would reject it."""
    anna = profile("anna")
    with closing(Store(locations.store())) as store:
        for number in range(4):
            store.rate(anna, Movie(f"movie {number}", f"Movie {number}", 1990), 4.0)
            store.mark(anna, Movie(f"other {number}", f"Other {number}", 1990), "watchlist")
        second = store.start_run("bias", "hostile", "standard", "random90", 1, {})
        store.end_run(second, "failed", problem="x", curve=[], metrics={})
        store.choose("filter:saved", "x")
        store.create_profile("bob")
    with closing(sqlite3.connect(locations.store())) as database, database:
        database.execute("PRAGMA ignore_check_constraints = ON")
        viewer, step = database.execute("SELECT viewer, max(id) FROM steps").fetchone()
        database.execute("INSERT INTO lists (id, viewer, step, name) VALUES (1, ?, ?, 'tonight')", (viewer, step))
        database.execute("INSERT INTO listed VALUES (1, 1, 'movie 1', 'Movie 1', 1990, 'x')")
        for table_, column in _texts(database):
            text = random.choice((*HOSTILE, ALL))
            database.execute(f"UPDATE {table_} SET {column} = ? || {column}", (text,))
        database.execute("UPDATE viewers SET name = ? WHERE name = 'bob'", (random.choice(HOSTILE),))
        database.execute("UPDATE choices SET value = ? WHERE name = 'filter:saved'", (ALL,))
        database.execute("UPDATE runs SET split = ?, settings = ? WHERE id = 2", (ALL, json.dumps({ALL: 1.0})))
    (home / "config.toml").write_text(f'[keys]\nbrowse.hide = {json.dumps(ALL)}\n{json.dumps(ALL)} = "x"\n')
    hostile = _hostile_folder(home)
    hostile.mkdir()
    titles = [letterboxd_row(text, 1990, 4) for text in (*HOSTILE, ALL)] + [letterboxd_row("[REC]²", 1995, 3)]
    content = table(LETTERBOXD["ratings.csv"], titles) + f"2020-01-01,{ALL},x{ALL},,{ALL}\n".encode()
    (hostile / f"{ALL}.csv").write_bytes(content)
    (hostile / "ratings.csv").write_bytes(content)
    (hostile / f"{ALL}.mkv").touch()
    (home / homes.EXPORT).write_bytes(content)
    write_zip(home / "export.zip", {f"{ALL}.csv": content, "ratings.csv": content}, "")


def _texts(database: sqlite3.Connection) -> list[tuple[str, str]]:
    """Return the table and name of each column with text from people, services or files, even in tables added later.

    Columns of ``viewers`` and ``choices`` are left out, because ``spoil`` changes only some of their rows.
    """
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return [
        (table_, column)
        for table_ in tables
        for _, column, kind, _, _, key in database.execute(f"PRAGMA table_info({table_})")
        if kind == "TEXT" and not key and column not in STRUCTURE and table_ not in ("viewers", "choices")
    ]


def _hostile_folder(home: Path) -> Path:
    return home / ALL.replace("/", "")


def _filled(words: Sequence[str], home: Path) -> list[str]:
    hostile = _hostile_folder(home)
    values = {"folder": home, "hostile": hostile, "csv": hostile / f"{ALL}.csv", "zip": home / "export.zip"}
    return [word.format(text=ALL, **values) for word in words]


# Commands


def _command(name: str, words: Sequence[str], output: str, home: Path, evidence: Evidence) -> None:
    before = {path for path in home.rglob("*") if path.is_file()}
    arguments = [*name.split(), *_filled(words, home)]
    if name.startswith("list "):  # the options of ``list`` come before the name of its command
        arguments = ["list", *arguments[2:4], arguments[1], *arguments[4:]]
    if output == "terminal":
        printed = _in_terminal(arguments)
    else:
        process = subprocess.run(
            homes.command(*arguments, *(["--json"] if output == "json" else [])),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=homes.LIMIT_SECONDS,
            env={**os.environ, "COLUMNS": "160"},
        )
        printed = process.stdout + process.stderr
        assert process.returncode in (0, 1, 2), f"the exit code is {process.returncode}"
    evidence.files["printed.bin"] = printed
    what = f"{name} {' '.join(words)} ({output})"
    text = printed.decode("utf-8", "replace")
    match = RAW.search(text)
    assert match is None, f"{what}: {match[0]!r} in {text[max(0, match.start() - 20) : match.end() + 20]!r}"
    for unwanted in ("Traceback", "please report it"):
        assert unwanted not in text, f"{what}: {unwanted} {text[-200:]!r}"
    for path in {path for path in home.rglob("*.md") if path.is_file()} - before:
        match = RAW.search(path.read_text("utf-8"))
        assert match is None, f"{what}: {match[0]!r} in {path.name}"


def _in_terminal(words: Sequence[str]) -> bytes:
    """Run a command in a terminal, and return its output without its colours and progress bars."""
    terminal = Watched(homes.command(*words), SIZE)
    try:
        terminal.emulated = False
        terminal.wait_until_gone()
        return DRAWN.sub(b"", terminal.raw)
    finally:
        terminal.kill()


# Screens


def _screen(name: str, home: Path, evidence: Evidence) -> None:
    terminal = Watched(size=places.PLACES[name].size)
    try:
        terminal.until(lambda: len(terminal.list_of_movies()) > 2, "the list")
        terminal.settle()
        for keys, _ in places.PLACES[name].steps:
            for key in keys:
                terminal.press(key.format(export=home / homes.EXPORT))
                _look(terminal, name)
        last = () if name == "QuitPanel" else ("enter",)  # on that panel, enter quits the app
        for key in ("down", "down", "up", "right", "left", "tab", *last):
            assert terminal.press(key), f"the program ended after {key}"
            _look(terminal, name)
    finally:
        evidence.files["output.bin"] = terminal.raw
        terminal.kill()


def _look(terminal: Watched, name: str) -> None:
    """Check the bytes sent, the emulated screen and the window title."""
    for pattern in (STEERED, FOREIGN):
        match = pattern.search(terminal.raw.decode("utf-8", "replace"))
        assert match is None, f"{name}: {match[0]!r} was sent"
    for line in terminal.lines:
        match = RAW.search(line)
        assert match is None, f"{name}: {match[0]!r} on screen, in {line!r}"
    assert WORD not in terminal.screen.title, f"{name}: the window title is {terminal.screen.title!r}"
