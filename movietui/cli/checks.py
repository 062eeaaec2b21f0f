"""What ``movietui doctor`` checks. Nothing is changed, created or downloaded, and anything may be broken.

Packages are imported in a child process, because a broken one may crash it.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, cast

from movietui.commit import version_text
from movietui.data import plugins
from movietui.data.fetch.downloads import OFFLINE, offline
from movietui.data.fetch.sources import GROUPLENS, SOURCES
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.safe_text import strip_controls
from movietui.data.storage import disk, locations, log, strict_json
from movietui.formatting import text
from movietui.formatting.color import DUMB, color_wanted
from movietui.formatting.printing import PlainConsole
from movietui.protocol import code_path

State = Literal["ok", "warn", "fail"]
PACKAGES = ("numpy", "pandas", "pyarrow", "textual", "torch")
"""The large packages that movietui imports."""
IMPORTS = """
import importlib, json, sys
for name in sys.argv[1:]:
    facts = {"name": name}
    try:
        module = importlib.import_module(name)
        facts["version"] = str(getattr(module, "__version__", ""))
        if name == "torch":
            facts["build"] = "CUDA " + module.version.cuda if module.version.cuda else "processors only"
            facts["gpu"] = bool(module.cuda.is_available())
            facts["folder"] = module.__path__[0]
    except BaseException as error:
        facts["error"] = f"{type(error).__name__}: {error}"
    print(json.dumps(facts), flush=True)
"""
IMPORT_SECONDS = 120.0
WITHOUT_TORCH = tr("Everything but training most models works without it; to train them, install the package torch.")
BESIDE_TORCH = ("nvidia", "triton")
"""Packages that only torch needs, and whose size counts as its own."""
LARGE_TORCH = 10**9
"""With a build for CUDA but no GPU, a torch of this many bytes is worth a remark."""
SMALL_SCREEN = (80, 24)
LITTLE_SPACE = 500 * 10**6
"""With fewer free bytes than this, a dataset may not fit."""
MAX_NAMED = 5
"""How many datasets and models a line names, at most."""
NETWORK_SECONDS = 5.0
ATTEMPTS = 3
"""How many times the store is checked: a copy that is made while another process writes may be inconsistent."""
LONGEST_REASON = 300


@dataclass(frozen=True)
class Check:
    """A line of the doctor."""

    name: str
    state: State
    text: str
    advice: str = ""
    """What to do; empty if there is nothing to do."""
    shared: str = ""
    """What a report says instead of ``text``, if that has names that a person chose."""


def run_checks() -> list[Check]:
    """Return the results of all checks. A check that fails in an unexpected way is itself a result."""
    return [check for name, function in CHECKS.items() for check in _guarded(name, function)]


def _guarded(name: str, function: Callable[[str], Iterator[Check]]) -> Iterator[Check]:
    try:
        yield from function(name)
    except Exception as error:
        log.record("doctor", error)
        words = tr("could not be checked: {error}", error=type(error).__name__)
        yield Check(name, "fail", words, tr("Please report it."))


def _version(name: str) -> Iterator[Check]:
    yield Check(name, "ok", version_text().removeprefix("movietui "))


def _python(name: str) -> Iterator[Check]:
    version = f"{platform.python_implementation()} {platform.python_version()}"
    system, machine = platform.system(), platform.machine()
    yield Check(name, "ok", tr("{version} on {system} {machine}", version=version, system=system, machine=machine))


def _packages(name: str) -> Iterator[Check]:
    facts = _import_all()
    fine = [f"{each} {facts[each]['version']}" for each in PACKAGES if "version" in facts[each] and each != "torch"]
    if fine:
        yield Check(name, "ok", ", ".join(fine))
    for each in PACKAGES:
        if "error" in facts[each]:
            words = tr("cannot be imported: {error}", error=facts[each]["error"])
            if each == "torch":
                yield Check(each, "warn", words, WITHOUT_TORCH)
            else:
                yield Check(each, "fail", words, tr("Install {package} again.", package=each))
        elif each == "torch":
            yield _torch(facts[each])


def _import_all() -> dict[str, dict[str, Any]]:
    """Return what a child process says about each package: ``version``, or ``error`` if it cannot be imported."""
    command = [sys.executable, "-P", "-c", IMPORTS, *PACKAGES]
    reason = tr("it takes too long")
    try:
        child = subprocess.run(
            command, capture_output=True, stdin=subprocess.DEVNULL, env=code_path.environment(), timeout=IMPORT_SECONDS
        )
        printed, reason = child.stdout, tr("Python ends with exit code {code}", code=child.returncode)
    except subprocess.TimeoutExpired as late:
        printed = late.stdout or b""
    facts: dict[str, dict[str, Any]] = {each: {"error": reason} for each in PACKAGES}
    for line in printed.decode("utf-8", "replace").splitlines():
        try:
            row = strict_json.loads(line)
        except ValueError:  # a package printed something
            continue
        if isinstance(row, dict) and row.get("name") in facts:
            row["error"] = strip_controls(str(row["error"]))[:LONGEST_REASON] if "error" in row else None
            facts[row["name"]] = {key: value for key, value in row.items() if value is not None}
    return facts


def _torch(facts: Mapping[str, Any]) -> Check:
    folder = Path(facts["folder"])
    size = sum(map(locations.bytes_in, (folder, *(folder.with_name(each) for each in BESIDE_TORCH))))
    version, build = facts["version"], facts["build"]
    words = tr("{version}, for {build}, {size}", version=version, build=build, size=text.size(size))
    if facts["gpu"]:
        words += tr(", with a GPU")
    elif "CUDA" in build and size > LARGE_TORCH:
        advice = tr(
            "There is no GPU, so a build for processors does the same and is far smaller: install torch again with "
            "{option}",
            option="--index-url https://download.pytorch.org/whl/cpu",
        )
        return Check("torch", "warn", words, advice)
    return Check("torch", "ok", words)


def _terminal(name: str) -> Iterator[Check]:
    if sys.__stdout__ is None or not sys.__stdout__.isatty():
        yield Check(name, "ok", tr("standard output is not a terminal"))
        return
    size, term = shutil.get_terminal_size(), os.environ.get("TERM", "")
    kind = strip_controls(term) or tr("TERM is not set")
    words = f"{kind}, {size.columns}×{size.lines}"
    if term in ("", DUMB):
        yield Check(name, "warn", words, tr("Set TERM to the kind of your terminal, such as xterm-256color."))
    elif size < SMALL_SCREEN:
        columns, lines = SMALL_SCREEN
        advice = tr("The app shows more in a window of at least {columns}×{lines}.", columns=columns, lines=lines)
        yield Check(name, "warn", words, advice)
    else:
        yield Check(name, "ok", words)


def _colors(name: str) -> Iterator[Check]:
    wanted = color_wanted()
    system = PlainConsole().color_system
    if wanted is None:
        colors = {"standard": "16", "256": "256", "truecolor": tr("all")}
        yield Check(name, "ok", colors.get(system or "", tr("none")))
    elif wanted:
        yield Check(name, "ok", tr("demanded by CLICOLOR_FORCE"))
    else:
        variable = "NO_COLOR" if os.environ.get("NO_COLOR") else "CLICOLOR"
        yield Check(name, "ok", tr("forbidden by {variable}", variable=variable))


def _unicode(name: str) -> Iterator[Check]:
    encoding = sys.__stdout__.encoding if sys.__stdout__ else ""
    if encoding.lower().replace("-", "") == "utf8":
        yield Check(name, "ok", encoding)
    else:
        advice = tr("Stars and charts become question marks; set LANG to C.UTF-8, for example.")
        yield Check(name, "warn", encoding, advice)


def _folders(name: str) -> Iterator[Check]:
    folders = {
        "data": locations.store().parent,
        "cache": locations.datasets().parent,
        "config": locations.config().parent,
        "log": locations.log().parent,
    }
    for kind, folder in dict(zip(folders.values(), folders, strict=True)).items():
        yield _folder(f"{folder} folder", kind)


def _folder(name: str, folder: Path) -> Check:
    existing = next(each for each in (folder, *folder.parents) if os.path.lexists(each))
    new = "" if existing == folder else tr(", which will be created")
    if not existing.is_dir():
        words = tr("{path} is not a folder", path=existing)
        return Check(name, "fail", words, tr("Move it away, or set MOVIETUI_HOME."))
    if not os.access(existing, os.R_OK | os.W_OK | os.X_OK):
        words = tr("{folder} cannot be written to", folder=existing)
        return Check(name, "fail", words, tr("Change its permissions, or set MOVIETUI_HOME."))
    facts = os.statvfs(existing)
    free = facts.f_bavail * facts.f_frsize
    words = tr("{folder}, {size} free", folder=f"{folder}{new}", size=text.size(free))
    if not free:
        return Check(name, "fail", words, tr("Free some space, or set MOVIETUI_HOME to a folder on another disk."))
    if free < LITTLE_SPACE:
        return Check(name, "warn", words, tr("Free some space: larger datasets may not fit."))
    return Check(name, "ok", words)


def _store(name: str) -> Iterator[Check]:
    path = locations.store()
    if not os.path.lexists(path):
        yield Check(name, "ok", tr("there is none yet"))
        return
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(0.2)
        check = _checked_store(name, path)
        if check.state == "ok":
            break
    yield check


def _checked_store(name: str, path: Path) -> Check:
    from movietui.store.backup import counts_of, is_intact
    from movietui.store.database import VERSION, connect, load_into

    damaged = tr("Restore a backup with movietui restore, or move the file away to start fresh.")
    try:
        with closing(connect(":memory:")) as copy:
            has_log = load_into(copy, path)
            version = int(copy.execute("PRAGMA user_version").fetchone()[0])
            if version > VERSION:
                words = tr("{path} was written by a newer movietui", path=path)
                return Check(name, "fail", words, tr("Update movietui."))
            if not is_intact(copy):
                return Check(name, "fail", tr("{path} is damaged", path=path), damaged)
            counts = ", ".join(text.plural(count, noun[:-1]) for noun, count in counts_of(copy).items())
    except sqlite3.DatabaseError:
        return Check(name, "fail", tr("{path} is damaged or not a database", path=path), damaged)
    except OSError as error:
        words = tr("{path} cannot be read: {error}", path=path, error=error.strerror)
        return Check(name, "fail", words, tr("Check its permissions."))
    size = text.size(path.stat().st_size)
    words = tr("intact, version {version}, {counts}, {size}", version=version, counts=counts, size=size)
    if not has_log:
        words = tr("{facts}; its latest changes could not be read", facts=words)
        return Check(name, "warn", words, tr("Close movietui, and try again."))
    return Check(name, "ok", words)


def _datasets(name: str) -> Iterator[Check]:
    sizes = {each: locations.bytes_in(locations.dataset(each)) for each in locations.stored_datasets()}
    yield Check(name, "ok", _sized(sizes), shared=_sized(sizes, _shared_name))
    for each in sizes:
        try:
            strict_json.loads(disk.read(locations.dataset(each) / "dataset.json"))
        except (OSError, ValueError):
            advice = tr("Remove it with movietui data remove, and get it again.")
            shared = tr("{dataset} is damaged", dataset=_shared_name(each))
            yield Check(name, "fail", tr("{dataset} is damaged", dataset=each), advice, shared)


def _models(name: str) -> Iterator[Check]:
    from movietui.store.ratings import Store

    sizes: dict[str, int] = {}
    shared: dict[str, int] = {}
    labels = {}
    try:
        with closing(Store(locations.store(), to_read=True)) as store:
            labels = {run.checkpoint: (run.model, run.dataset) for run in store.runs()}
    except Problem:  # the check of the store reports it
        pass
    folders = locations.checkpoints().iterdir() if locations.checkpoints().is_dir() else ()
    for folder in folders:
        model, dataset = labels.get(folder.name, (tr("unknown"), tr("unknown")))
        size = locations.bytes_in(folder)
        for sums, called in ((sizes, dataset), (shared, _shared_name(dataset))):
            words = tr("{model} on {dataset}", model=model, dataset=called)
            sums[words] = sums.get(words, 0) + size
    yield Check(name, "ok", _sized(sizes), shared=_sized(shared))


def _shared_name(dataset: str) -> str:
    """Return the name of a dataset in a report: a person may have named their own after somebody."""
    return dataset if dataset in SOURCES else tr("a dataset of your own")


def _sized(sizes: Mapping[str, int], shown: Callable[[str], str] = str) -> str:
    """Return names with their sizes, the largest first, and the size of all."""
    if not sizes:
        return tr("none")
    largest = sorted(sizes.items(), key=lambda item: -item[1])
    named = ", ".join(f"{shown(name)} {text.size(size)}" for name, size in largest[:MAX_NAMED])
    more = tr(" and {count} more", count=len(sizes) - MAX_NAMED) if len(sizes) > MAX_NAMED else ""
    return f"{text.size(sum(sizes.values()))}: {named}{more}"


def _config(name: str) -> Iterator[Check]:
    path = locations.config()
    result = import_module("movietui.ui.keymap").read(path)
    if result.problems:
        count = len(result.problems)
        more = tr(" and {count} more", count=count - 1) if count > 1 else ""
        shared = tr("{count} wrong entries", count=count)
        yield Check(name, "warn", f"{result.problems[0]}{more}", tr("movietui config lists all problems."), shared)
    else:
        changes = tr("{path} changes {count} keys", path=path, count=len(result.keys))
        yield Check(name, "ok", changes if path.exists() else tr("the default keys"))


def _plugins(name: str) -> Iterator[Check]:
    declared = [each for kind in plugins.KINDS for each in plugins.declared(kind)]
    packages = ", ".join(dict.fromkeys(f"{each.package} {each.version}" for each in declared))
    words = tr("{packages}; movietui plugins checks them", packages=packages) if packages else tr("none")
    yield Check(name, "ok", words)


def _network(name: str) -> Iterator[Check]:
    if offline():
        yield Check(name, "ok", tr("switched off by {variable}", variable=OFFLINE))
        return
    from urllib.error import HTTPError
    from urllib.parse import urlsplit
    from urllib.request import Request, urlopen

    host = urlsplit(GROUPLENS).hostname
    try:
        urlopen(Request(f"{GROUPLENS}/", method="HEAD"), timeout=NETWORK_SECONDS).close()
    except HTTPError:
        pass  # the server is there
    except (OSError, ValueError) as error:
        reason = strip_controls(str(getattr(error, "reason", error)))[:LONGEST_REASON]
        advice = tr("Everything on disk works; movietui data get NAME --from FILE reads files that you have.")
        yield Check(name, "warn", tr("{host} cannot be reached: {error}", host=host, error=reason), advice)
        return
    yield Check(name, "ok", tr("{host} can be reached", host=host))


def _log(name: str) -> Iterator[Check]:
    entries = len(re.findall("^[^ ]", log.read(), re.MULTILINE))
    advice = tr("movietui doctor --report FILE writes a report that you can send with a description of the problem.")
    words = tr("{records} in {path}", records=text.plural(entries, "record"), path=locations.log())
    yield Check(name, "ok", words if entries else tr("empty"), advice if entries else "")


CHECKS: Mapping[str, Callable[[str], Iterator[Check]]] = {
    "movietui": _version,
    "Python": _python,
    "packages": _packages,
    "terminal": _terminal,
    "colours": _colors,
    "Unicode": _unicode,
    "folders": _folders,
    "store": _store,
    "datasets": _datasets,
    "models": _models,
    "config.toml": _config,
    "plug-ins": _plugins,
    "network": _network,
    "log": _log,
}


def report(checks: Sequence[Check]) -> str:
    """Return a report on a problem as text: the checks, the keys that are set, and the log.

    It has no rating, title or name that a person chose. The home folder is ``~``, and the name of the account ``USER``.
    """
    keys = cast("Mapping[str, str]", import_module("movietui.ui.keymap").read(locations.config()).keys)
    lines = ["movietui doctor", "", *map(_shared_line, checks)]
    lines += ["", "config.toml", "", *(f"{name} = {json.dumps(key)}" for name, key in keys.items())]
    lines += ["", "log", "", *log.read().splitlines()]
    return _without_folders("\n".join(lines) + "\n")


def _shared_line(check: Check) -> str:
    return f"{check.state:<5} {check.name}: {check.shared or check.text}"


def _without_folders(words: str) -> str:
    """Return text without the folders and the name by which somebody could be recognised."""
    for folder, shown in ((os.environ.get("MOVIETUI_HOME", ""), "$MOVIETUI_HOME"), (str(Path.home()), "~")):
        if folder and Path(folder) != Path("/"):
            words = re.sub(rf"{re.escape(str(Path(folder).expanduser().absolute()))}(?![\w.-])", shown, words)
    account = Path.home().name
    return (
        re.sub(rf"(?<![\w.-]){re.escape(account)}(?![\w.-])", "USER", words) if account not in ("", "root") else words
    )
