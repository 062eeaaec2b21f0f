"""``movietui sweep``: try settings of a model, and list, show, export and delete the sweeps in the store."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from movietui.cli import completers
from movietui.cli.commands import SEEDS, Commands, Named
from movietui.cli.models import UNCLEANED, pairs, published_option
from movietui.cli.output import (
    Bars,
    as_json,
    dataset_named,
    dataset_option,
    fitting_columns,
    handle_errors,
    open_store,
    print_json,
    print_rich,
    usual_order_option,
)
from movietui.cli.standard_files import OUTPUT
from movietui.data.language import tr
from movietui.data.storage.atomic_files import write_file
from movietui.formatting import text
from movietui.formatting.cell_tables import TABLES
from movietui.formatting.charts import Figure, figure_chart
from movietui.formatting.escaping import json_text
from movietui.formatting.settings import settings_text
from movietui.formatting.sweeps import cells, metrics_of, outcome, sweep_table
from movietui.formatting.tables import new_table
from movietui.models.choices import MOST_COMBINATIONS, SEARCHES, Order, Sampler, label_of, metric_for
from movietui.protocol.jobs import SweepRow

if TYPE_CHECKING:
    from rich.table import Table

    from movietui.store.sweeps import Sweeps

START = "start"
FORMATS = (*TABLES, "json", "svg")


class SweepCommands(Commands):
    """A group whose command ``start`` needs no name: ``movietui sweep mf`` is ``movietui sweep start mf``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the name of the command before the arguments if it is missing."""
        if args and args[0] not in {*self.commands, *ctx.help_option_names}:
            args = [START, *args]
        return super().parse_args(ctx, args)


@click.group(cls=SweepCommands, no_args_is_help=False)
def sweep() -> None:
    """Try many settings of a model: movietui sweep MODEL --grid KEY=A,B.

    Also list, show, export and delete earlier sweeps.
    """


@sweep.command(START)
@click.argument("model", shell_complete=completers.models)
@click.argument("more", nargs=-1, metavar="[KEY=A,B,C]...")
@dataset_option
@click.option("--split", default="random90", show_default=True, help="Train on the train part of this split.")
@click.option(
    "--grid",
    "grid",
    multiple=True,
    metavar="KEY=A,B,C",
    help="A setting and its values; repeat for more settings. With --search, also a range: KEY=LOW..HIGH.",
    shell_complete=completers.settings,
)
@click.option(
    "--search",
    "tries",
    type=click.IntRange(1, MOST_COMBINATIONS),
    metavar="N",
    help="Try N combinations rather than all. Without --grid, try values around the defaults.",
)
@click.option(
    "--sampler",
    default=None,
    type=Named(SEARCHES),
    help="How --search chooses: random, the default, or tpe, which learns from the results and needs optuna.",
)
@click.option(
    "--metric",
    default=None,
    help="What to choose by, such as rmse or ndcg@20. Default: rmse; for ease, ials, vae, sasrec and popularity, "
    "ndcg@10.",
)
@usual_order_option
@click.option("--whole", is_flag=True, help="Let --search finish hopeless fits, too.")
@click.option("--cleaning", "--preset", "cleaning", default="none", show_default=True, help=UNCLEANED)
@published_option
@click.option("--seed", default=0, show_default=True, type=SEEDS, help="Seed of the model and of the search.")
@click.option("--split-seed", default=0, show_default=True, type=SEEDS, help="Seed of the split.")
@click.option("--fresh", is_flag=True, help="Measure again what was measured before.")
@as_json
@handle_errors
def start(
    model: str,
    more: Sequence[str],
    dataset: str | None,
    split: str,
    grid: Sequence[str],
    tries: int | None,
    sampler: Sampler | None,
    metric: str | None,
    order: Order | None,
    whole: bool,
    cleaning: str,
    published: bool,
    seed: int,
    split_seed: int,
    fresh: bool,
    json_: bool,
) -> None:
    """Measure MODEL with many settings; start is the command if none is named.

    Everything is measured on a validation part of the train part; only the best settings are measured on test. Each
    measurement is a run. An interrupted sweep resumes where it stopped. A search stops fits whose validation loss is
    above the median of earlier ones.
    """
    from movietui.jobs import sweep as job

    if sampler and tries is None:
        raise click.UsageError(tr("--sampler needs --search N."))
    values = {
        key: [value.strip() for value in listed.split(",") if value.strip()]
        for key, listed in pairs("--grid", [*grid, *more]).items()
    }
    store = open_store()
    request = job.SweepRequest(
        model,
        dataset_named(store, dataset),
        split,
        values,
        metric=metric or metric_for(model),
        sampler="grid" if tries is None else sampler or SEARCHES[0],
        tries=tries,
        order=order,
        cleaning=cleaning,
        published=published,
        seed=seed,
        split_seed=split_seed,
        whole=whole,
        fresh=fresh,
    )
    with Bars() as bars:
        listener = replace(
            bars.listener,
            row=lambda row: bars.say(_line(row)),
            known=lambda known: bars.say(
                tr(
                    "{combinations} already measured (--fresh measures them again)",
                    combinations=text.plural(known, "combination"),
                )
            ),
        )
        rows = job.sweep(store, request, listener)
    if json_:
        print_json(rows)
        return
    _print(rows)


def _line(row: SweepRow) -> str:
    figure = f"{row['metric']} {text.figure(row['metrics'].get(row['metric']))}"
    return f"{settings_text(row['grid'])}  {row['problem'] or figure}"


def _print(rows: Sequence[SweepRow]) -> None:
    metrics = metrics_of(rows)
    fitting = fitting_columns(lambda some: sweep_table(rows, some), metrics)
    print_rich(sweep_table(rows, fitting))
    if omitted := len(metrics) - len(fitting):
        print_rich(tr("{metrics}: --json has all", metrics=text.plural(omitted, "more metric")))
    print_rich(*outcome(rows))


def _sweeps() -> Sweeps:
    """Return the stored sweeps. The best in them depends on the direction of metrics, also of those of plug-ins."""
    from movietui.models import plugin_metrics
    from movietui.store.sweeps import Sweeps

    plugin_metrics.load_all()
    return Sweeps(open_store())


@sweep.command("list")
@dataset_option
@click.option("--model", default=None, help="Only sweeps of this model.", shell_complete=completers.models)
@as_json
@handle_errors
def sweep_list(dataset: str | None, model: str | None, json_: bool) -> None:
    """List the sweeps, newest first."""
    sweeps = _sweeps()
    rows: list[dict[str, Any]] = [sweeps.as_json(one) for one in sweeps.find(dataset, model)]
    if json_:
        print_json(rows)
        return
    if not rows:
        which = tr(" of {model}", model=model) * bool(model) + tr(" on {dataset}", dataset=dataset) * bool(dataset)
        print_rich(tr("There is no sweep{which} yet; movietui sweep MODEL --search 20 starts one.", which=which))
        return
    columns = {
        "sweep": tr("sweep"),
        "model": tr("model"),
        "dataset": tr("dataset"),
        "split": tr("split"),
        "tried": tr("tried"),
        "metric": tr("metric"),
        "validation": tr("validation"),
        "test": tr("test"),
        "state": tr("state"),
        "best": tr("best"),
    }
    cells = [_cells_of(row) for row in rows]

    def table(names: Sequence[str]) -> Table:
        right = [columns[name] for name in ("sweep", "tried", "validation", "test")]
        listed = new_table(*(columns[name] for name in names), right=right)
        for column in listed.columns:
            column.no_wrap = True
        for row in cells:
            listed.add_row(*(row[name] for name in names))
        return listed

    print_rich(table(fitting_columns(table, list(columns))))


def _cells_of(row: dict[str, Any]) -> dict[str, str]:
    """Return the columns of a sweep in the list of sweeps."""
    best, metric = row["best"] or {}, row["metric"]
    return {
        **{name: str(row[name]) for name in ("sweep", "model", "dataset", "split", "metric", "state")},
        "tried": f"{row['tried']}" + (tr(" of {tries}", tries=row["tries"]) if row["tries"] else ""),
        "validation": text.figure((best.get("metrics") or {}).get(metric)),
        "test": text.figure((best.get("test") or {}).get(metric)),
        "best": settings_text(best.get("grid") or {}),
    }


@sweep.command("show")
@click.argument("number", metavar="ID", type=int)
@as_json
@handle_errors
def sweep_show(number: int, json_: bool) -> None:
    """Show sweep ID: what was tried, the best first."""
    whole = _sweeps().whole(number)
    if json_:
        print_json(whole)
        return
    if not whole["rows"]:
        print_rich(
            tr(
                "Sweep {sweep} has no results yet; the same movietui sweep {model} continues it.",
                sweep=number,
                model=whole["model"],
            )
        )
        return
    _print(whole["rows"])
    if whole["state"] != "done":
        print_rich(tr("unfinished: the same movietui sweep {model} continues it", model=whole["model"]))


@sweep.command("export")
@click.argument("number", metavar="ID", type=int)
@click.option("--format", "form", default="csv", show_default=True, type=Named(FORMATS))
@click.option("--output", type=OUTPUT, help="A new file to write. Default: -, standard output.")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@as_json
@handle_errors
def sweep_export(number: int, form: str, output: Path | None, force: bool, json_: bool) -> None:
    """Export sweep ID as a table, as JSON with all details, or the effect of each setting as a chart (SVG)."""
    whole = _sweeps().whole(number)
    if output is None and (json_ or form == "json"):
        print_json(whole)
        return
    other = {"json": lambda: json_text(whole) + "\n", "svg": lambda: _chart(whole)}
    written = other[form]() if form in other else TABLES[form](cells(whole))
    if output is None:
        sys.stdout.write(written)
        return
    write_file(output, written.encode("utf-8"), force=force)
    if json_:
        print_json({"output": str(output), "format": form, "rows": len(whole["rows"])})
    else:
        print_rich(tr("Exported {rows} to {path}", rows=text.plural(len(whole["rows"]), "row"), path=output))


def _chart(whole: dict[str, Any]) -> str:
    """Return the best and the mean metric for the values of each setting as SVG, the most important setting first."""
    from movietui.state.sweep import Sweep, effects

    names = ("model", "dataset", "split")
    about = Sweep(whole["model"], whole["dataset"], whole["split"], whole["space"], whole["metric"], rows=whole["rows"])
    groups = {
        effect.setting
        + (tr(" explains {share:.0%}", share=effect.importance) if effect.importance is not None else ""): [
            Figure(f"{response.value}, {statistic}", value)
            for response in effect.responses
            for statistic, value in ((tr("best"), response.best), (tr("mean"), response.mean))
        ]
        for effect in effects(about)
    }
    title = tr("Sweep {sweep}: {names}", sweep=whole["sweep"], names=", ".join(whole[name] for name in names))
    metric = tr("{metric} on a validation part of the train part", metric=label_of(whole["metric"]))
    return figure_chart(title, metric, groups)


@sweep.command("delete")
@click.argument("number", metavar="ID", type=int)
@as_json
@handle_errors
def sweep_delete(number: int, json_: bool) -> None:
    """Delete sweep ID and the runs that only it uses."""
    runs = _sweeps().delete(number)
    if json_:
        print_json({"sweep": number, "runs": runs})
        return
    print_rich(tr("sweep {sweep}: deleted, with {runs}.", sweep=number, runs=text.plural(runs, "run")))
