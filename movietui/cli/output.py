"""What subcommands share: printing, progress bars, handling errors, and opening the store."""

from __future__ import annotations

import functools
import itertools
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import click
from rich.measure import Measurement
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from movietui.cli import completers
from movietui.cli.commands import Named
from movietui.cli.standard_files import with_standard_files
from movietui.data import plugins
from movietui.data.language import tr
from movietui.data.problems import Problem, is_stop
from movietui.data.progress import WHOLE, Stage
from movietui.data.storage import locations, log
from movietui.formatting import text
from movietui.formatting.escaping import json_text
from movietui.formatting.printing import PlainConsole
from movietui.formatting.run_progress import PHASES, loss_headings, loss_text
from movietui.jobs.listener import Listener
from movietui.models.choices import DEFAULT_ORDER, ORDERS
from movietui.protocol.exit_codes import FAILED, INTERRUPTED
from movietui.protocol.jobs import EpochProgress
from movietui.protocol.wire import sentence

WIDEST = 200
"""How wide a table may be where the width of the terminal is unknown, in cells."""
UNLIMITED = 10_000
"""A width that no table reaches, with which tables are measured."""
ROWS_PER_WRITE = 1000
"""How many rows of a long JSON document are written at once."""


class Bars:
    """Progress on standard error: bars on a terminal, nothing elsewhere."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(30),
            TextColumn("{task.fields[reached]}", markup=False),
            TimeRemainingColumn(),
            console=PlainConsole(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._bars: dict[str, TaskID] = {}
        self._shares: set[str] = set()
        """The names of the bars that show which share of a whole fit is done, rather than its epochs."""

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def _show(self, name: str, reached: str, done: float | None, total: float | None) -> None:
        """Show a line beside a bar; ``done`` and ``total``: if the bar changes, too."""
        if name not in self._bars:
            self._bars[name] = self._progress.add_task(PHASES.get(name, name), total=None, reached="")
        self._progress.update(self._bars[name], completed=done, total=total or None, reached=reached)

    def stage(self, stage: Stage) -> None:
        """Show the progress of a stage."""
        reached = stage.note
        if stage.unit == "bytes":
            total = tr(" of {size}", size=text.size(stage.total)) if stage.total else ""
            rate = tr(", {size}/s", size=text.size(stage.rate)) if stage.rate else ""
            reached = f"{text.size(stage.done)}{total}{rate}"
        self._show(stage.name, reached, stage.done, stage.total)

    def epoch(self, phase: str, epoch: EpochProgress) -> None:
        """Show the latest epoch of a fit with its losses."""
        losses = {tr(loss_headings([epoch])[1]): epoch["train_loss"], tr("validation"): epoch["validation_loss"]}
        named = (f"{name} {loss_text(loss)}" for name, loss in losses.items() if loss is not None)
        reached = "  ".join([*([epoch["stage"]] if "stage" in epoch else []), *named])
        done, total = (None, None) if phase in self._shares else (epoch["epoch"], epoch["of"])
        self._show(phase, reached, done, total)

    def inside(self, phase: str, stage: Stage) -> None:
        """Show which share of a fit is done, if that is known: the stages of some fits take minutes."""
        if stage.unit == WHOLE:
            self._shares.add(phase)
            self._show(phase, stage.name, stage.done, stage.total)

    @property
    def listener(self) -> Listener:
        """The callbacks that draw the progress of long work."""
        return Listener(stage=self.stage, epoch=self.epoch, inside=self.inside, say=self.say)

    def say(self, line: str) -> None:
        """Print a line above the bars; print nothing if there are no bars."""
        if not self._progress.disable:
            self._progress.console.print(line)


def handle_errors(command: Callable[..., Any]) -> Callable[..., None]:
    """Decorator: print an error of the command as one sentence, and exit with the code for the error.

    The command gets paths for standard input and output. An unexpected error goes to the log, too; ``MOVIETUI_DEBUG``
    shows its traceback. Whatever happens, close the stores at the end, and say which plug-ins were left out.
    """

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        try:
            with with_standard_files(options) as usable:
                command(*arguments, **usable)
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the reader closed the pipe
        except click.ClickException:
            raise
        except (KeyboardInterrupt, Exception) as error:
            if is_stop(error):
                click.echo(tr("Stopped."), err=True)
                sys.exit(INTERRUPTED)
            if isinstance(error, Problem):
                click.echo(str(error), err=True)
                sys.exit(FAILED)
            log.record(f"command {click.get_current_context().command_path}", error)
            if os.environ.get("MOVIETUI_DEBUG"):
                raise
            click.echo(sentence(error), err=True)
            sys.exit(FAILED)
        finally:
            _close_stores()
            for report in plugins.take_reports():
                click.echo(report, err=True)

    return run


as_json = click.option("--json", "json_", is_flag=True, help="Print one JSON document.")
ORDER_HELP = f"The order of lists. {'; '.join(f'{name}: by {words}' for name, words in ORDERS.items())}."
order_option = click.option(
    "--order", default=DEFAULT_ORDER, show_default=True, type=Named(tuple(ORDERS)), help=ORDER_HELP
)
usual_order_option = click.option(
    "--order",
    default=None,
    type=Named(tuple(ORDERS)),
    help=f"{ORDER_HELP} Default: liked; on the split strong, likely.",
)
dataset_option = click.option(
    "--dataset",
    default=None,
    help="The dataset. Default: the dataset used last.",
    shell_complete=completers.stored_datasets,
)


def print_json(document: object) -> None:
    """Print one JSON document on standard output."""
    click.echo(json_text(document))


def print_rows(head: Mapping[str, object], rows: Mapping[str, Iterable[Mapping[str, object]]]) -> None:
    """Print one JSON document with lists that may be too long for memory; each row of a list takes one line.

    ``head``: the other fields. ``rows``: the lists by name.
    """
    written = functools.partial(json_text, indent=None)
    parts = [f"{written(name)}: {written(value)}" for name, value in head.items()]
    sys.stdout.write("{\n  " + ",\n  ".join(parts))
    for name, each in rows.items():
        sys.stdout.write(f",\n  {written(name)}: [")
        separator, lines = "\n    ", map(written, each)
        while chunk := list(itertools.islice(lines, ROWS_PER_WRITE)):
            sys.stdout.write(separator + ",\n    ".join(chunk))
            separator = ",\n    "
        sys.stdout.write("]")
    sys.stdout.write("\n}\n")


def print_rich(*tables: Table | Text | str) -> None:
    """Print tables and lines for people. Text in them is never read as markup."""
    console = PlainConsole()
    for table in tables:
        if isinstance(table, Table) and all(column.no_wrap for column in table.columns):
            # On a narrow terminal, long lines of the table wrap instead of losing figures.
            wide = console.options.update(width=UNLIMITED)
            console.width = max(console.width, Measurement.get(console, wide, table).maximum)
        console.print(table)


def fitting_columns(table_of: Callable[[Sequence[str]], Table], columns: Sequence[str]) -> list[str]:
    """Return the first columns, at least one, whose table fits the width of the terminal.

    A file or a pipe has no width, so a table there may be ``WIDEST`` cells wide, or as wide as ``COLUMNS`` says.
    """
    console = PlainConsole()
    wide = console.options.update(width=UNLIMITED)
    width = console.width if console.is_terminal or "COLUMNS" in os.environ else WIDEST
    fitting = list(columns)
    while len(fitting) > 1 and Measurement.get(console, wide, table_of(fitting)).maximum > width:
        fitting.pop()
    return fitting


def open_store() -> Any:
    """Open the store; it is closed when the command ends."""
    from movietui.store.ratings import Store

    store = Store(locations.store())
    _opened.append(store)
    return store


_opened: list[Any] = []
"""The open stores of this command."""


def _close_stores() -> None:
    """Print the notices of the open stores, such as which values are damaged, and close the stores."""
    while _opened:
        store = _opened.pop()
        for notice in store.notices():
            click.echo(notice, err=True)
        store.close()


def dataset_named(store: Any, name: str | None) -> str:
    """Return the named dataset, else the one in use, else the first one that can be downloaded."""
    if named := name or store.dataset_in_use():
        return str(named)
    from movietui.data.fetch.sources import SOURCES

    return next(source for source in SOURCES if source != "demo")
