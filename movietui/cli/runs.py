"""``movietui runs``: every run of the store, whoever started it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from movietui import text
from movietui.cli.commands import Commands
from movietui.output import (
    Bars,
    answers,
    as_json,
    figure,
    new_table,
    open_store,
    print_json,
    print_rich,
)
from movietui.run_tables import of_one, of_two, state_text

LISTED_METRICS = ("rmse", "mse", "mae", "accuracy", "mse_scaled", "ndcg@10")


@click.group(cls=Commands)
def runs() -> None:
    """List, compare, name, export and remove runs."""


def _filters(command: Callable[..., None]) -> Callable[..., None]:
    for name, meaning in (("split", "measured on this split"), ("model", "of this model"), ("dataset", "on this")):
        command = click.option(f"--{name}", default=None, help=f"Runs {meaning} only.")(command)
    return command


def _runs() -> Any:
    from movietui.runs import Runs

    return Runs(open_store())


@runs.command("list")
@_filters
@click.option("--reported", "with_reported", is_flag=True, help="With what the authors of the source systems report.")
@as_json
@answers
def runs_list(dataset: str | None, model: str | None, split: str | None, with_reported: bool, json_: bool) -> None:
    """List the runs, newest first."""
    from movietui.runs import as_json as told

    rows = [told(run) for run in _runs().find(dataset, model, split)]
    if with_reported:
        from movietui.comparison import reported

        rows += reported(dataset, model, split)
    if json_:
        print_json(rows)
        return
    if not rows:
        print_rich("There is no such run yet; movietui train makes one.")
        return
    metrics = [name for name in LISTED_METRICS if any(name in row["metrics"] for row in rows)]
    figures = ("fit", "memory", "disk")
    numbers = ("run", *metrics, *figures)
    table = new_table("run", "model", "dataset", "split", *metrics, *figures, "state", "name", right=numbers)
    for column in table.columns:
        column.no_wrap = True
    for row in rows:
        table.add_row(
            str(row["run"] or ""),
            row["model"],
            row["dataset"],
            row["split"],
            *(figure(row["metrics"][name]) if name in row["metrics"] else "" for name in metrics),
            text.duration(row["seconds"]) if row.get("seconds") is not None else "",
            text.size(row["peak_bytes"]) if row.get("peak_bytes") else "",
            text.size(row["checkpoint_bytes"]) if row.get("checkpoint_bytes") else "",
            state_text(row),
            row["name"],
        )
    print_rich(table)


@runs.command("show")
@click.argument("number", metavar="ID", type=int)
@as_json
@answers
def runs_show(number: int, json_: bool) -> None:
    """Tell all about the run ID: settings, curve, metrics, and where its model fails."""
    row = _runs().whole(number)
    if json_:
        print_json(row)
        return
    print_rich(*of_one(row))


@runs.command("compare")
@click.argument("first", metavar="ID", type=int)
@click.argument("second", metavar="ID", type=int)
@click.option("--user", "users", multiple=True, metavar="ID", help="Whose lists to compare; twice for a pair.")
@click.option("--profile", "profiles", multiple=True, metavar="NAME", help="A profile; twice for a pair.")
@click.option("-k", default=10, show_default=True, type=click.IntRange(1), help="How many movies of each list.")
@as_json
@answers
def runs_compare(first: int, second: int, users: Sequence[str], profiles: Sequence[str], k: int, json_: bool) -> None:
    """Compare two runs: settings, metrics (second minus first) and the lists that they make for somebody."""
    from movietui import asking
    from movietui.comparison import compare
    from movietui.runs import Runs
    from movietui.viewers import user

    store = open_store()
    dataset = Runs(store).get(first).dataset
    viewers = [user(one, dataset) for one in users] + [asking.named_profile(store, one) for one in profiles]
    found = compare(store, first, second, [store.asked(ref) for ref in viewers], k)
    if json_:
        print_json(found)
        return
    print_rich(*of_two(found))


@runs.command("export")
@_filters
@click.option("--format", "form", default="csv", show_default=True, type=click.Choice(["csv", "json", "markdown"]))
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="A file; else standard output.")
@as_json
@answers
def runs_export(
    dataset: str | None, model: str | None, split: str | None, form: str, output: Path | None, json_: bool
) -> None:
    """Write the runs as a table, or with all that is known of each as JSON."""
    from movietui import run_files

    kept = _runs()
    rows = [kept.whole(run.id) for run in kept.find(dataset, model, split)]
    if output is None and (json_ or form == "json"):
        print_json(rows)
        return
    if output is None:
        sys.stdout.write(run_files.FORMS[form](rows))
        return
    run_files.write(rows, output, form, force=True)
    told = {"output": str(output), "format": form, "runs": len(rows)}
    if json_:
        print_json(told)
    else:
        print_rich(f"{text.plural(len(rows), 'run')} written to {output}")


@runs.command("delete")
@click.argument("number", metavar="ID", type=int)
@as_json
@answers
def runs_delete(number: int, json_: bool) -> None:
    """Remove the run ID and its checkpoint."""
    kept = _runs()
    lists = kept.without(number)
    freed = kept.delete(number)
    if json_:
        print_json({"run": number, "bytes": freed.bytes})
        return
    print_rich(f"run {number}: removed, {text.size(freed.bytes)} free. {lists}".rstrip())


@runs.command("name")
@click.argument("number", metavar="ID", type=int)
@click.argument("words", metavar="TEXT")
@as_json
@answers
def runs_name(number: int, words: str, json_: bool) -> None:
    """Call the run ID something; an empty TEXT takes its name away."""
    run = _runs().name(number, words)
    if json_:
        print_json({"run": run.id, "name": run.name})
        return
    print_rich(f"run {run.id}: {run.name}" if run.name else f"run {run.id} has no name.")


@runs.command("note")
@click.argument("number", metavar="ID", type=int)
@click.argument("words", metavar="TEXT")
@as_json
@answers
def runs_note(number: int, words: str, json_: bool) -> None:
    """Write a note to the run ID; an empty TEXT takes it away."""
    run = _runs().note(number, words)
    if json_:
        print_json({"run": run.id, "note": run.note})
        return
    print_rich(f"run {run.id}: {run.note}" if run.note else f"run {run.id} has no note.")


@runs.command("prune")
@click.option("--keep", required=True, type=click.IntRange(0), help="How many of those that can be compared stay.")
@click.option("--metric", default="rmse", show_default=True, help="What the best are the best by.")
@as_json
@answers
def runs_prune(keep: int, metric: str, json_: bool) -> None:
    """Remove the checkpoints of all but the best runs of each dataset, cleaning and split.

    What was measured of the others stays, and always the checkpoint of the run in use.
    """
    freed = _runs().prune(keep, metric)
    total = sum(one.bytes for one in freed)
    if json_:
        print_json({"removed": [{"run": one.run.id, "bytes": one.bytes} for one in freed], "bytes": total})
        return
    print_rich(f"{text.plural(len(freed), 'checkpoint')} removed, {text.size(total)} free.")


@runs.command("use")
@click.argument("number", metavar="ID", type=int)
@as_json
@answers
def runs_use(number: int, json_: bool) -> None:
    """Make lists with the run ID from now on."""
    run = _runs().use(number)
    if json_:
        print_json({"run": run.id, "model": run.model, "dataset": run.dataset})
        return
    print_rich(f"run {run.id}: {run.model} makes the lists of {run.dataset} now.")


@runs.command("resume")
@click.argument("number", metavar="ID", type=int)
@as_json
@answers
def runs_resume(number: int, json_: bool) -> None:
    """Train the run ID to its end, under its own number, where it was cut off, cancelled or failed."""
    from movietui import tasks

    with Bars() as bars:
        trained = tasks.resume(open_store(), number, bars.stage, bars.epoch, bars.say)
    if json_:
        print_json(trained)
        return
    print_rich(f"run {number}: rmse {figure(trained['metrics']['rmse'])} ({text.duration(trained['seconds'])})")
