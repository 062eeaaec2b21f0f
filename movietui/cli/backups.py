"""Commands that back up and restore the store."""

from __future__ import annotations

from pathlib import Path

import click

from movietui.cli.output import as_json, handle_errors, open_store, print_json
from movietui.cli.standard_files import BINARY_OUTPUT, INPUT, name_of
from movietui.data.language import tr
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
        raise Problem(tr("There is nothing to back up yet; rate a movie or train a model first."))
    report = back_up(open_store(), path, force=force)
    if json_:
        print_json(report)
        return
    size = text.size(report["bytes"])
    click.echo(tr("Backed up {counts} to {path}, {size}", counts=_summary(report), path=report["backup"], size=size))


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
    source = name_of(report["restored"])
    click.echo(tr("Restored {counts} from {path}", counts=_summary(report), path=source))
    if report["kept"]:
        click.echo(tr("The previous data is kept in {path}", path=report["kept"]))
    if report["left_out"]:
        left_out = report["left_out"].items()
        rows = ", ".join(tr("{count:,} of {table}", count=count, table=table) for table, count in left_out)
        click.echo(tr("Skipped, because of invalid values: {rows}", rows=rows))
        for value in report["damaged"]:
            table, row, column = value["table"], value["row"], value["column"]
            click.echo("  " + tr("{table} {row}: invalid {column}", table=table, row=row, column=column))
    if report["cleaned"]:
        click.echo(tr("Removed control characters from {texts}", texts=text.plural(report["cleaned"], "text")))


def _summary(counts: Message) -> str:
    return ", ".join(text.plural(counts[f"{noun}s"], noun) for noun in ("profile", "rating", "run"))
