"""``movietui runs``: list and change the runs in the store, whether a screen or a command started them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from movietui.cli import completers
from movietui.cli.commands import Commands, Named
from movietui.cli.output import Bars, as_json, handle_errors, open_store, print_json, print_rich
from movietui.cli.standard_files import OUTPUT
from movietui.data.language import tr
from movietui.data.near_names import hint
from movietui.formatting import run_files, text
from movietui.formatting.run_files import FORMATS
from movietui.formatting.run_tables import run_comparison, run_summary, state_text
from movietui.formatting.tables import new_table
from movietui.models.choices import METRICS


@click.group(cls=Commands)
def runs() -> None:
    """List, compare, name, export and remove runs."""


def _filters(command: Callable[..., None]) -> Callable[..., None]:
    meanings = {"split": "measured on this split", "model": "of this model", "dataset": "on this dataset"}
    for name, meaning in meanings.items():
        complete = {"model": completers.models, "dataset": completers.stored_datasets}.get(name)
        command = click.option(f"--{name}", default=None, help=f"Only runs {meaning}.", shell_complete=complete)(
            command
        )
    return command


def _runs() -> Any:
    from movietui.store.runs import Runs

    return Runs(open_store())


def _no_run(**wanted: str | None) -> str:
    """Return why no run is listed. For an unknown name, suggest similar ones; otherwise, say how to start a run."""
    for column, typed in wanted.items():
        known = {str(getattr(run, column)) for run in _runs().find()}
        if typed and typed not in known:
            advice = hint(typed, sorted(known), tr("movietui train starts one."))
            return tr("There is no run with {column} {name}; {advice}", column=column, name=typed, advice=advice)
    if any(wanted.values()):
        return tr("No run has all of these; movietui runs list shows the runs that there are.")
    return tr("There are no runs yet; movietui train starts one.")


@runs.command("list")
@_filters
@click.option(
    "--reported",
    "with_reported",
    is_flag=True,
    help="Include the figures that the five earlier systems, other libraries and papers report.",
)
@as_json
@handle_errors
def runs_list(dataset: str | None, model: str | None, split: str | None, with_reported: bool, json_: bool) -> None:
    """List the runs, newest first."""
    from movietui.store.runs import as_json as run_json

    rows: list[Mapping[str, Any]] = [run_json(run) for run in _runs().find(dataset, model, split)]
    if with_reported:
        from movietui.answers.compare_runs import published_results

        rows += published_results(dataset, model, split)
    if json_:
        print_json(rows)
        return
    if not rows:
        print_rich(_no_run(dataset=dataset, model=model, split=split))
        return
    metrics = [name for name in METRICS if METRICS[name].headline and any(name in row["metrics"] for row in rows)]
    figures = (tr("fit"), tr("cpu"), tr("memory"), tr("disk"))
    imdb = ["IMDb"] * any(row["imdb"] for row in rows)
    numbers = (tr("run"), tr("split seed"), tr("seed"), *metrics, *figures)
    facts = (tr("run"), tr("model"), tr("dataset"), *imdb, tr("split"), tr("split seed"), tr("seed"))
    table = new_table(*facts, *metrics, *figures, tr("state"), tr("name"), right=numbers)
    for column in table.columns:
        column.no_wrap = True
    for row in rows:
        table.add_row(
            str(row["run"] or ""),
            row["model"],
            row["dataset"],
            *((row["imdb"] or "")[:8] for _ in imdb),
            row["split"],
            *("" if row[seed] is None else str(row[seed]) for seed in ("split_seed", "seed")),
            *(text.figure(row["metrics"][name]) if name in row["metrics"] else "" for name in metrics),
            *("" if row.get(name) is None else text.duration(row[name]) for name in ("seconds", "cpu_seconds")),
            text.size(row["peak_bytes"]) if row.get("peak_bytes") else "",
            text.size(row["checkpoint_bytes"]) if row.get("checkpoint_bytes") else "",
            state_text(row),
            row["name"],
        )
    print_rich(table)


@runs.command("show")
@click.argument("number", metavar="ID", type=int, shell_complete=completers.runs)
@as_json
@handle_errors
def runs_show(number: int, json_: bool) -> None:
    """Show run ID: its settings, curve and metrics, and where its model fails."""
    row = _runs().whole(number)
    if json_:
        print_json(row)
        return
    print_rich(*run_summary(row))


@runs.command("compare")
@click.argument("first", metavar="ID", type=int, shell_complete=completers.runs)
@click.argument("second", metavar="ID", type=int, shell_complete=completers.runs)
@click.option(
    "--user", "users", multiple=True, metavar="ID", help="Compare the lists for this user; give two for a pair."
)
@click.option(
    "--profile",
    "profiles",
    multiple=True,
    metavar="NAME",
    help="Compare the lists for this profile; give two for a pair.",
    shell_complete=completers.profiles,
)
@click.option(
    "-k", default=10, show_default=True, type=click.IntRange(1), help="How many movies of each list to compare."
)
@as_json
@handle_errors
def runs_compare(first: int, second: int, users: Sequence[str], profiles: Sequence[str], k: int, json_: bool) -> None:
    """Compare two runs: their settings, their metrics (second minus first) and their lists for viewers."""
    from movietui.answers import lists
    from movietui.answers.compare_runs import compare_runs
    from movietui.protocol.viewers import user
    from movietui.store.runs import Runs

    store = open_store()
    dataset = Runs(store).get(first).dataset
    viewers = [user(one, dataset) for one in users] + [lists.named_profile(store, one) for one in profiles]
    result = compare_runs(store, first, second, viewers, k)
    if json_:
        print_json(result)
        return
    print_rich(*run_comparison(result))


@runs.command("export")
@_filters
@click.option("--format", "form", default="csv", show_default=True, type=Named(tuple(FORMATS)))
@click.option("--output", type=OUTPUT, help="File to write. Default: -, standard output.")
@as_json
@handle_errors
def runs_export(
    dataset: str | None, model: str | None, split: str | None, form: str, output: Path | None, json_: bool
) -> None:
    """Export the runs as a table, as JSON with all details, or their curves as SVG."""
    stored = _runs()
    rows = [stored.whole(run.id) for run in stored.find(dataset, model, split)]
    if output is None and (json_ or form == "json"):
        print_json(rows)
        return
    if output is None:
        sys.stdout.write(FORMATS[form](rows))
        return
    run_files.write(rows, output, form, force=True)
    report = {"output": str(output), "format": form, "runs": len(rows)}
    if json_:
        print_json(report)
    else:
        print_rich(tr("Exported {runs} to {path}", runs=text.plural(len(rows), "run"), path=output))


@runs.command("delete")
@click.argument("number", metavar="ID", type=int, shell_complete=completers.runs)
@as_json
@handle_errors
def runs_delete(number: int, json_: bool) -> None:
    """Delete run ID and its checkpoint."""
    stored = _runs()
    damaged = stored.forget_damaged(number)
    effect = "" if damaged else stored.effect_of_deleting(number)
    freed = None if damaged else stored.delete(number)
    if freed is None:
        if json_:
            print_json({"run": number, "bytes": 0})
        else:
            print_rich(tr("run {run}: its damaged record is deleted; its checkpoint may still be on disk.", run=number))
        return
    if json_:
        print_json({"run": number, "bytes": freed.bytes})
        return
    size = text.size(freed.bytes)
    print_rich(tr("run {run}: deleted, {size} freed. {effect}", run=number, size=size, effect=effect).rstrip())


@runs.command("name")
@click.argument("number", metavar="ID", type=int, shell_complete=completers.runs)
@click.argument("words", metavar="TEXT")
@as_json
@handle_errors
def runs_name(number: int, words: str, json_: bool) -> None:
    """Name run ID; an empty TEXT removes the name."""
    run = _runs().name(number, words)
    if json_:
        print_json({"run": run.id, "name": run.name})
        return
    print_rich(
        tr("run {run}: {name}", run=run.id, name=run.name) if run.name else tr("run {run} has no name.", run=run.id)
    )


@runs.command("note")
@click.argument("number", metavar="ID", type=int, shell_complete=completers.runs)
@click.argument("words", metavar="TEXT")
@as_json
@handle_errors
def runs_note(number: int, words: str, json_: bool) -> None:
    """Write a note about run ID; an empty TEXT removes the note."""
    run = _runs().note(number, words)
    if json_:
        print_json({"run": run.id, "note": run.note})
        return
    print_rich(
        tr("run {run}: {note}", run=run.id, note=run.note) if run.note else tr("run {run} has no note.", run=run.id)
    )


@runs.command("prune")
@click.option(
    "--keep",
    required=True,
    type=click.IntRange(0),
    help="How many checkpoints to keep for each dataset, cleaning and split.",
)
@click.option("--metric", default="rmse", show_default=True, help="Metric that decides which runs are best.")
@as_json
@handle_errors
def runs_prune(keep: int, metric: str, json_: bool) -> None:
    """Remove all checkpoints except those of the best runs for each dataset, cleaning and split.

    The checkpoints of the runs in use are kept, and so are the metrics and curves of all runs.
    """
    if metric not in METRICS:
        from movietui.models import plugin_metrics

        plugin_metrics.load_all()
    freed = _runs().prune(keep, metric)
    total = sum(checkpoint.bytes for checkpoint in freed)
    if json_:
        removed = [{"run": checkpoint.run.id, "bytes": checkpoint.bytes} for checkpoint in freed]
        print_json({"removed": removed, "bytes": total})
        return
    checkpoints = text.plural(len(freed), "checkpoint")
    print_rich(tr("Removed {checkpoints}; {size} freed.", checkpoints=checkpoints, size=text.size(total)))


@runs.command("use")
@click.argument("number", metavar="ID", type=int, shell_complete=completers.runs)
@as_json
@handle_errors
def runs_use(number: int, json_: bool) -> None:
    """Make lists with run ID from now on."""
    run = _runs().use(number)
    if json_:
        print_json({"run": run.id, "model": run.model, "dataset": run.dataset})
        return
    print_rich(
        tr("run {run}: {model} now makes the lists for {dataset}.", run=run.id, model=run.model, dataset=run.dataset)
    )


@runs.command("resume")
@click.argument("number", metavar="ID", type=int, shell_complete=completers.runs)
@as_json
@handle_errors
def runs_resume(number: int, json_: bool) -> None:
    """Resume run ID if it failed or was interrupted or cancelled; it keeps its number."""
    from movietui.jobs.train import resume

    with Bars() as bars:
        trained = resume(open_store(), number, bars.listener)
    if json_:
        print_json(trained)
        return
    rmse, duration = text.figure(trained["metrics"]["rmse"]), text.duration(trained["seconds"])
    print_rich(tr("run {run}: rmse {rmse} ({duration})", run=number, rmse=rmse, duration=duration))
