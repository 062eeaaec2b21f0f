"""The command line. Every subcommand prints text for people or, with ``--json``, one JSON document.

``movietui.protocol.exit_codes`` says how it ends.
"""

from __future__ import annotations

import sys

import click

from movietui.ask import is_wanted
from movietui.cli import (
    ask,
    backups,
    cluster,
    cluster_models,
    completion,
    data,
    doctor,
    experiments,
    lists,
    models,
    named_lists,
    profiles,
    runs,
    serve,
    sweeps,
)
from movietui.cli.commands import Commands
from movietui.cli.output import as_json, handle_errors, print_json, print_rich
from movietui.data.language import tr
from movietui.data.storage import locations
from movietui.formatting.tables import new_table


def _version(context: click.Context, option: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from movietui.commit import version_text

        click.echo(version_text())
        context.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
@click.option("--theme", default=None, help="Theme of the app; its command palette (ctrl+p) lists the names.")
@click.option("--plain", is_flag=True, help="Start the plain mode, like movietui ask; so does TERM=dumb.")
@click.pass_context
def cli(context: click.Context, theme: str | None, plain: bool) -> None:
    """Movies you haven't seen, best first, for you alone or for several people.

    Without a command, open the app.
    """
    if context.invoked_subcommand is None:
        if plain or is_wanted():
            context.invoke(ask.ask)
            return
        from movietui.ui.start import run

        sys.exit(run(theme))


for command in (
    ask.ask,
    data.data,
    cluster.cluster,
    models.train,
    models.evaluate,
    sweeps.sweep,
    experiments.experiment,
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
    named_lists.list_,
    backups.backup,
    backups.restore,
    serve.serve,
    doctor.doctor,
    completion.completion,
):
    cli.add_command(command)
for command in (cluster_models.cluster_train, cluster_models.cluster_evaluate, cluster_models.cluster_recommend):
    cluster.cluster.add_command(command)


@cli.command()
@click.option("--defaults", is_flag=True, help="Print a configuration file that lists and explains every default key.")
@click.option("--schema", is_flag=True, help="Print a JSON Schema of the file, for editors that complete and check it.")
@as_json
@handle_errors
def config(defaults: bool, schema: bool, json_: bool) -> None:
    """Show where config.toml is, which keys it changes, and any errors in it."""
    from importlib import import_module

    keys = import_module("movietui.ui.keymap")  # the screens define the keys; no other command imports screens
    path = locations.config()
    if schema:
        print_json(keys.schema())
        return
    if defaults and json_:
        print_json(
            [
                {"id": each.id, "keys": each.keys, "does": each.description, "section": each.section}
                for each in keys.list_actions()
            ]
        )
        return
    if defaults:
        click.echo(keys.defaults(path), nl=False)
        return
    result = keys.read(path)
    if json_:
        report = {"path": str(path), "exists": path.exists(), "keys": result.keys, "problems": list(result.problems)}
        print_json(report)
        return
    missing = "" if path.exists() else tr(" does not exist yet; movietui config --defaults prints one to start from")
    click.echo(f"{path}{missing}")  # not wrapped, so that the path can be copied
    for problem in result.problems:
        click.echo(problem)
    if result.keys:
        table = new_table(tr("what"), tr("key"))
        for name, key in result.keys.items():
            table.add_row(name, key)
        print_rich(table)


@cli.command()
@as_json
@handle_errors
def plugins(json_: bool) -> None:
    """List the models, readers and metrics that other installed packages add, and what is wrong with them."""
    from movietui.answers.plugins import list_plugins

    rows = list_plugins()
    if json_:
        print_json(rows)
        return
    if not rows:
        print_rich(tr("No installed package has plug-ins."))
        return
    table = new_table(tr("kind"), tr("name"), tr("package"), tr("version"), tr("state"))
    for row in rows:
        state = tr("cannot be used") if row["problem"] else tr("ready")
        table.add_row(row["kind"], row["name"], row["package"], row["version"], state)
    print_rich(table, *(row["problem"] for row in rows if row["problem"]))


@cli.command()
@as_json
@handle_errors
def locate(json_: bool) -> None:
    """Show where movietui stores its files."""
    paths = {name: str(path) for name, path in locations.all_locations().items()}
    if json_:
        print_json(paths)
        return
    table = new_table("", "")
    for name, path in paths.items():
        table.add_row(name, path)
    print_rich(table)
