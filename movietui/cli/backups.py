"""Commands that keep the store safe: backup and restore."""

from __future__ import annotations

from pathlib import Path

import click

from movietui.cli.commands import PASTED
from movietui.cli.output import as_json, handle_errors, open_store, print_json
from movietui.data.problems import Problem
from movietui.data.storage import locations
from movietui.formatting import text
from movietui.protocol.wire import Message


@click.command()
@click.argument("path", metavar="[FILE]", required=False, type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@as_json
@handle_errors
def backup(path: Path | None, force: bool, json_: bool) -> None:
    """Back up all profiles (ratings, lists, history) and the records of runs to FILE.

    Without FILE, or if it is a folder, the file is named by date and time; movietui locate shows the default folder.
    Trained models and datasets are not included: they can be made again. You can do this at any time.
    """
    from movietui.store.backup import back_up

    if not locations.store().exists():
        raise Problem("There is nothing to back up yet.")
    report = back_up(open_store(), path, force=force)
    if json_:
        print_json(report)
        return
    click.echo(f"Backed up {_summary(report)} to {report['backup']}, {text.size(report['bytes'])}")


@click.command()
@click.argument("path", metavar="FILE", type=PASTED)
@as_json
@handle_errors
def restore(path: Path, json_: bool) -> None:
    """Replace all profiles, ratings and runs with the backup FILE.

    FILE is checked first. The previous data is kept in a file that you can restore. Close movietui first.
    """
    from movietui.store.backup import restore

    report = restore(path, locations.store())
    if json_:
        print_json(report)
        return
    click.echo(f"Restored {_summary(report)} from {report['restored']}")
    if report["kept"]:
        click.echo(f"The previous data is kept in {report['kept']}")
    if report["left_out"]:
        rows = ", ".join(f"{count:,} of {table}" for table, count in report["left_out"].items())
        click.echo(f"Skipped, because of invalid values: {rows}")
        for one in report["damaged"]:
            click.echo(f"  {one['table']} {one['row']}: invalid {one['column']}")
    if report["cleaned"]:
        click.echo(f"Removed control characters from {text.plural(report['cleaned'], 'text')}")


def _summary(counts: Message) -> str:
    return ", ".join(text.plural(counts[f"{of}s"], of) for of in ("profile", "rating", "run"))
