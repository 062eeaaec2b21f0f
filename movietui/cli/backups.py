"""Commands that keep the store safe: backup and restore."""

from __future__ import annotations

from pathlib import Path

import click

from data import locations
from data.problems import Problem
from movietui import text
from movietui.output import answers, as_json, open_store, print_json
from movietui.wire import Message


@click.command()
@click.argument("path", metavar="[FILE]", required=False, type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace the file where it exists.")
@as_json
@answers
def backup(path: Path | None, force: bool, json_: bool) -> None:
    """Write all profiles, their ratings, lists and history, and the records of runs to FILE.

    Without FILE, or where it is a folder, the file is named by the moment; movietui locate tells where backups lie that
    were given no place. Trained models and datasets are not in it: they can be had again. It may be done at any time.
    """
    from movietui.backup import back_up

    if not locations.store().exists():
        raise Problem("There is nothing to back up yet.")
    told = back_up(open_store(), path, force=force)
    if json_:
        print_json(told)
        return
    click.echo(f"{_told(told)} written to {told['backup']}, {text.size(told['bytes'])}")


@click.command()
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@as_json
@answers
def restore(path: Path, json_: bool) -> None:
    """Put the backup FILE in the place of all profiles, ratings and runs.

    It is looked through first. What was there is kept in a file that can be restored in turn. Close movietui before.
    """
    from movietui.backup import restore

    told = restore(path, locations.store())
    if json_:
        print_json(told)
        return
    click.echo(f"{_told(told)} restored from {told['restored']}")
    if told["kept"]:
        click.echo(f"What was there is kept in {told['kept']}")


def _told(counts: Message) -> str:
    return ", ".join(text.plural(counts[f"{of}s"], of) for of in ("profile", "rating", "run"))
