"""What every subcommand shares: how it prints, answers for what goes wrong, and finds store and dataset."""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click
from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from data import locations
from data.problems import Cancelled, Problem
from data.progress import Stage
from movietui import text
from movietui.wire import Message, sentence

INTERRUPTED = 130
WIDEST = 200
"""Cells that a table may need."""


class Bars:
    """Progress on standard error: bars on a terminal, nothing elsewhere."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(30),
            TextColumn("{task.fields[reached]}", markup=False),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._bars: dict[str, TaskID] = {}

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def _show(self, name: str, done: float, total: float, reached: str) -> None:
        if name not in self._bars:
            self._bars[name] = self._progress.add_task(name, total=None, reached="")
        self._progress.update(self._bars[name], completed=done, total=total or None, reached=reached)

    def stage(self, stage: Stage) -> None:
        """Show where a stage is."""
        reached = stage.note
        if stage.unit == "bytes":
            of = f" of {text.size(stage.total)}" if stage.total else ""
            reached = f"{text.size(stage.done)}{of}" + (f", {text.size(stage.rate)}/s" if stage.rate else "")
        self._show(stage.name, stage.done, stage.total, reached)

    def epoch(self, phase: str, epoch: Message) -> None:
        """Show an epoch with its losses."""
        validation = epoch["validation_loss"]
        losses = f"train {epoch['train_loss']:.4f}" + (f"  validation {validation:.4f}" if validation else "")
        self._show(phase, epoch["epoch"], epoch["of"], losses)

    def say(self, line: str) -> None:
        """Print a line above the bars."""
        if not self._progress.disable:
            self._progress.console.print(line, markup=False, highlight=False)


def answers(command: Callable[..., Any]) -> Callable[..., None]:
    """Turn what goes wrong in a command into one sentence and an exit code."""

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        try:
            command(*arguments, **options)
            sys.stdout.flush()
        except Problem as problem:
            click.echo(str(problem), err=True)
            sys.exit(1)
        except (KeyboardInterrupt, Cancelled):
            click.echo("Stopped; what was there before is as it was.", err=True)
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whoever read has seen enough
        except click.ClickException:
            raise
        except Exception as error:
            if os.environ.get("MOVIETUI_DEBUG"):
                raise
            click.echo(sentence(error), err=True)
            sys.exit(1)

    return run


as_json = click.option("--json", "json_", is_flag=True, help="Print one JSON document.")
dataset_option = click.option("--dataset", default=None, help="The dataset; else the one used last.")


def print_json(document: object) -> None:
    """Print one document on standard output."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False))


def print_rich(*tables: Table | Text | str) -> None:
    """Print tables and lines for people; nothing in them is read as markup."""
    console = Console(markup=False, highlight=False, emoji=False)
    for table in tables:
        if isinstance(table, Table) and all(column.no_wrap for column in table.columns):
            # A figure that a narrow terminal has no room for goes to the next line; it is never cut.
            wide = console.options.update(width=WIDEST)
            console.width = max(console.width, Measurement.get(console, wide, table).maximum)
        console.print(table)


def new_table(*columns: str, right: Sequence[str] = ()) -> Table:
    """Return an empty table; the columns of figures stand on the right and stay whole."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
    for column in columns:
        number = column in right  # stays whole; what people wrote may be folded
        table.add_column(column, justify="right" if number else "left", overflow="fold", no_wrap=number)
    return table


def open_store() -> Any:
    """Open the person's store."""
    from movietui.store import Store

    return Store(locations.store())


def dataset_named(store: Any, name: str | None) -> str:
    """Return the dataset that is meant: the one named, else the one in use, else the first there is."""
    from data.sources import SOURCES

    return name or store.dataset_in_use() or next(own for own in SOURCES if own != "demo")


def figure(value: float | None) -> str:
    """Return a metric for people; nothing where there is none."""
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def subgroups_table(row: Message) -> Table:
    """Return the errors by subgroup as a table."""
    columns = ("rows", "users", "rmse", "mae", "too high")
    table = new_table("by", "", *columns, right=columns)
    before = ""
    for group in row["subgroups"]:
        figures = (f"{group['rmse']:.4f}", f"{group['mae']:.4f}", f"{group['too_high']:+.3f}")
        by, before = "" if group["by"] == before else group["by"], group["by"]
        table.add_row(by, group["group"], f"{group['rows']:,}", f"{group['users']:,}", *figures)
    return table


def calibration_table(row: Message) -> Table:
    """Return what was rated where what was predicted, as a table."""
    columns = ("predicted from", "to", "rows", "mean", "rated")
    table = new_table(*columns, right=columns)
    for found in row["calibration"]["bins"]:
        means = (f"{found['predicted']:.2f}", f"{found['rated']:.2f}")
        table.add_row(f"{found['low']:.1f}", f"{found['high']:.1f}", f"{found['rows']:,}", *means)
    table.caption = f"mean distance {row['calibration']['error']:.4f} stars"
    return table


def confusion_table(row: Message) -> Table:
    """Return how often which rating was predicted as how many whole stars, as a table."""
    found = row["confusion"]
    columns = [f"as {stars:g}" for stars in found["predicted"]]
    table = new_table("rated", *columns, right=("rated", *columns))
    for stars, counts in zip(found["rated"], found["counts"], strict=True):
        table.add_row(f"{stars:g}", *(f"{count:,}" for count in counts))
    return table
