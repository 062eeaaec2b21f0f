"""Standard input and output as files: what ``-`` stands for where a command reads or writes a file."""

from __future__ import annotations

import contextlib
import io
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from movietui.cli.commands import PastedPath
from movietui.data.language import tr
from movietui.data.problems import Problem

FOLDER = "movietui-standard-"
"""The beginning of the name of a temporary folder that stands for standard input or output."""


@dataclass(frozen=True)
class StandardFile:
    """Standard input or output. While a command runs, a temporary file stands for it; see ``with_standard_files``."""

    name: str
    """``standard input`` or ``standard output``; the name of the temporary file, which messages may quote."""
    suffix: str = ""
    """The suffix of the temporary file, which may decide its format."""
    is_text: bool = True


class FilePath(PastedPath):
    """The path of a file, or ``-`` for a standard file."""

    def __init__(self, standard: StandardFile) -> None:
        super().__init__()
        self.standard = standard

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path, or the standard file."""
        return self.standard if value == "-" else super().convert(value, param, ctx)


INPUT = FilePath(StandardFile("standard input"))
OUTPUT = FilePath(StandardFile("standard output"))
TABLE_OUTPUT = FilePath(StandardFile("standard output", ".csv"))
"""For a file whose suffix decides its format: on standard output, it is CSV unless an option says otherwise."""
BINARY_OUTPUT = FilePath(StandardFile("standard output", is_text=False))


@contextlib.contextmanager
def with_standard_files(options: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the options of a command, with a temporary file for each standard file.

    Standard input is read first. When the block ends without an error, what it wrote to the file goes to standard
    output; everything else that it printed there is dropped. Raises ``Problem``, and ``click.UsageError`` if two things
    would be printed.
    """
    standard = {name: value for name, value in options.items() if isinstance(value, StandardFile)}
    if not standard:
        yield {**options}
        return
    output = next((each for each in standard.values() if each.name == OUTPUT.standard.name), None)
    if sum(each is output for each in standard.values()) + bool(options.get("json_")) > 1 and output:
        raise click.UsageError(tr("Only one thing can be printed on standard output; name a file instead of -."))
    if output and not output.is_text and sys.stdout.isatty():
        raise Problem(tr("This is not text for a terminal; name a file, or redirect standard output to one."))
    with tempfile.TemporaryDirectory(prefix=FOLDER) as folder:
        paths = {name: Path(folder) / f"{each.name}{each.suffix}" for name, each in standard.items()}
        for name, each in standard.items():
            if each is not output:
                _read_standard_input(paths[name])
        ended: SystemExit | None = None
        with _explained(folder), contextlib.redirect_stdout(io.StringIO()) if output else contextlib.nullcontext():
            try:
                yield {**options, **paths}
            except SystemExit as by_command:
                ended = by_command
        if output:
            (written,) = (paths[name] for name, each in standard.items() if each is output)
            with written.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        if ended:
            raise ended


def name_of(path: object) -> str:
    """Return a path as messages show it: the temporary file of a standard file by its name."""
    shown = Path(str(path))
    return shown.stem if shown.parent.name.startswith(FOLDER) else str(path)


def _read_standard_input(path: Path) -> None:
    try:
        with path.open("xb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
    except OSError as error:
        raise Problem(
            tr("Standard input could not be read: {error}; name a file instead of -.", error=error.strerror)
        ) from None


@contextlib.contextmanager
def _explained(folder: str) -> Iterator[None]:
    """Name standard input and output in a problem, not the temporary files."""
    try:
        yield
    except Problem as problem:
        raise Problem(str(problem).replace(f"{folder}/", "")) from problem.__cause__
