"""The command line. Every subcommand prints for people, or with ``--json`` one JSON document on standard output.

Exit codes: 0 done, 1 could not be done (one sentence on standard error), 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import sys

import click

from data import locations
from movietui import __version__
from movietui.cli import backups, data, lists, models, profiles, runs
from movietui.cli.commands import Commands
from movietui.output import answers, as_json, new_table, print_json, print_rich


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.version_option(__version__, prog_name="movietui")
@click.option("--theme", default=None, help="Colours of the app; the palette (ctrl+p) lists the names.")
@click.pass_context
def cli(context: click.Context, theme: str | None) -> None:
    """Movies that you, or you and somebody else, have not seen, best first.

    Without a command, the app opens.
    """
    if context.invoked_subcommand is None:
        from movietui.start import run

        sys.exit(run(theme))


for command in (
    data.data,
    models.train,
    models.evaluate,
    models.sweep,
    models.reproduce,
    lists.recommend,
    lists.rate,
    lists.similar,
    lists.explain,
    lists.taste,
    lists.search,
    runs.runs,
    profiles.import_,
    profiles.history,
    profiles.export,
    backups.backup,
    backups.restore,
):
    cli.add_command(command)


@cli.command()
@click.option("--defaults", is_flag=True, help="Print a file that changes nothing and explains everything.")
@as_json
@answers
def config(defaults: bool, json_: bool) -> None:
    """Tell where config.toml lies, which keys it changes, and what in it cannot be used."""
    from dataclasses import asdict
    from importlib import import_module

    keys = import_module("movietui.keys")  # the keys are where the screens are: the one command that loads them
    path = locations.config()
    if defaults and json_:
        print_json([asdict(each) for each in keys.known()])
        return
    if defaults:
        click.echo(keys.defaults(path), nl=False)
        return
    found = keys.read(path)
    if json_:
        told = {"path": str(path), "exists": path.exists(), "keys": found.keys, "problems": list(found.problems)}
        print_json(told)
        return
    missing = "" if path.exists() else " is not there yet; movietui config --defaults prints one to begin with"
    click.echo(f"{path}{missing}")  # not wrapped: it is to be copied
    for problem in found.problems:
        click.echo(problem)
    if found.keys:
        table = new_table("what", "key")
        for name, key in found.keys.items():
            table.add_row(name, key)
        print_rich(table)


@cli.command()
@as_json
@answers
def locate(json_: bool) -> None:
    """Tell where everything lies."""
    places = {name: str(path) for name, path in locations.everything().items()}
    if json_:
        print_json(places)
        return
    table = new_table("", "")
    for name, path in places.items():
        table.add_row(name, path)
    print_rich(table)
