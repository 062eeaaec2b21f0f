"""Commands that back up and restore the store."""

from __future__ import annotations

from pathlib import Path

import click

from movietui.cli.output import as_json, handle_errors, open_store, print_json
from movietui.cli.standard_files import BINARY_OUTPUT, INPUT, name_of
from movietui.data.problems import Problem
from movietui.data.storage import locations
from movietui.formatting import text
from movietui.protocol.wire import Message


@click.command()
@click.argument("path", metavar="[FILE]", required=False, type=BINARY_OUTPUT)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@as_json
@handle_errors
def backup(path: Path | None, force: bool, json_: bool) -> None:
    """Back up all profiles (ratings, lists, history) and the records of runs to FILE.

    Without FILE, or if FILE is a folder, the backup is named after the date and time; movietui locate shows the
    default folder. Trained models and datasets are not included, because they can be made again. You can make a backup
    while movietui is open.
    """
    from movietui.store.backup import back_up

    if not locations.store().exists():
        raise Problem("There is nothing to back up yet; rate a movie or train a model first.")
    report = back_up(open_store(), path, force=force)
    if json_:
        print_json(report)
        return
    click.echo(f"Backed up {_summary(report)} to {report['backup']}, {text.size(report['bytes'])}")


@click.command()
@click.argument("path", metavar="FILE", type=INPUT)
@as_json
@handle_errors
def restore(path: Path, json_: bool) -> None:
    """Replace all profiles, ratings and runs with those in the backup FILE.

    Close movietui first. FILE is checked before anything is replaced, and the previous data is kept in a file that
    you can restore.
    """
    from movietui.store.backup import restore

    report = restore(path, locations.store())
    if json_:
        print_json(report)
        return
    click.echo(f"Restored {_summary(report)} from {name_of(report['restored'])}")
    if report["kept"]:
        click.echo(f"The previous data is kept in {report['kept']}")
    if report["left_out"]:
        rows = ", ".join(f"{count:,} of {table}" for table, count in report["left_out"].items())
        click.echo(f"Skipped, because of invalid values: {rows}")
        for value in report["damaged"]:
            click.echo(f"  {value['table']} {value['row']}: invalid {value['column']}")
    if report["cleaned"]:
        click.echo(f"Removed control characters from {text.plural(report['cleaned'], 'text')}")


def _summary(counts: Message) -> str:
    return ", ".join(text.plural(counts[f"{noun}s"], noun) for noun in ("profile", "rating", "run"))
