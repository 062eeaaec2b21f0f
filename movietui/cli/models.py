"""Commands that train and measure models: train, evaluate, reproduce."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from movietui.cli import completers
from movietui.cli.commands import CLEANING, PASTED, SEED_LIST, SEEDS, Named, Numbers
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
from movietui.cli.standard_files import TABLE_OUTPUT
from movietui.data.language import tr
from movietui.data.split_names import resolved
from movietui.data.storage.atomic_files import require_free, write_file
from movietui.formatting import text
from movietui.formatting.evaluations import FORMATS, evaluations_table, settings_used
from movietui.formatting.run_files import suffix_format
from movietui.formatting.tables import (
    calibration_table,
    confusion_table,
    list_subgroups_table,
    new_table,
    subgroups_table,
)
from movietui.models.choices import ORDERS, RECOMMENDED, TASKS, Order, Task, by_importance
from movietui.protocol.wire import Message

if TYPE_CHECKING:
    from movietui.protocol.jobs import TrainResult
    from movietui.store.ratings import Store

UNCLEANED = f"{CLEANING} Published figures use none."
MEASURED = "What to measure: predicted stars, lists, or both for pairs of users."
SPLIT_FILE = "It may be a CSV or Parquet file of user, movie and part: train or test."
published_option = click.option(
    "--published",
    is_flag=True,
    help="Use the settings described by the author of the system that the model comes from.",
)
settings_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a setting of the model.",
    shell_complete=completers.settings,
)


def pairs(option: str, entries: Sequence[str]) -> dict[str, str]:
    """Return the values of an option by key. Fail unless each entry is ``KEY=VALUE``."""
    wrong = [entry for entry in entries if "=" not in entry]
    if wrong:
        raise click.UsageError(tr("{option} needs KEY=VALUE, not {entry!r}.", option=option, entry=wrong[0]))
    return dict(entry.split("=", 1) for entry in entries)


@click.command()
@click.argument("model", default=RECOMMENDED, shell_complete=completers.models)
@dataset_option
@click.option("--split", default=None, help=f"Train only on the train part of this split. {SPLIT_FILE}")
@click.option(
    "--cleaning",
    "--preset",
    "cleaning",
    default=None,
    help=f"{CLEANING} Default: the cleaning chosen last, or else standard; with --split, none.",
)
@published_option
@settings_option
@click.option("--seed", default=0, show_default=True, type=SEEDS, help="Seed of the model.")
@click.option("--split-seed", default=0, show_default=True, type=SEEDS, help="Seed of the split.")
@as_json
@handle_errors
def train(
    model: str,
    dataset: str | None,
    split: str | None,
    cleaning: str | None,
    published: bool,
    settings: Sequence[str],
    seed: int,
    split_seed: int,
    json_: bool,
) -> None:
    """Train MODEL (default: blend, the recommended one) and use it for lists.

    Without --split, the model is measured on random90 and then, unless the dataset has more than 10 million ratings,
    trained on all ratings.
    """
    from movietui.jobs import train as job

    store = open_store()
    named = dataset_named(store, dataset)
    cleaning = cleaning or (store.cleaning_of(named) if split is None else "none")
    measured_on, changes = split and resolved(split), pairs("--set", settings)
    request = job.TrainRequest(model, named, cleaning, measured_on, published, changes, seed, split_seed)
    with Bars() as bars:
        trained = job.train(store, request, bars.listener)
    serve_and_print(store, trained, json_=json_)


def serve_and_print(store: Store, trained: TrainResult, *, json_: bool) -> None:
    """Use a model that was just trained for lists, and print what was trained and measured."""
    run = store.run(trained["run"])
    assert run is not None
    store.serve_with(run)
    if json_:
        print_json(trained)
        return
    metrics = "  ".join(f"{name} {text.figure(value)}" for name, value in trained["metrics"].items())
    print_rich(
        tr(
            "run {run}: {model} on {dataset}, trained on {part} ({duration})",
            run=trained["run"],
            model=trained["model"],
            dataset=trained["dataset"],
            part=trained["fitted_on"],
            duration=text.duration(trained["seconds"]),
        ),
        tr(
            "measured on {split} (cleaning {cleaning}): {metrics}",
            split=text.split_title(trained),
            cleaning=trained["cleaning"],
            metrics=metrics,
        ),
    )


@click.command()
@click.argument("models", nargs=-1, required=True, metavar="MODEL...", shell_complete=completers.models)
@dataset_option
@click.option(
    "--split", "splits", default="random90", show_default=True, help=f"Splits, separated by commas. {SPLIT_FILE}"
)
@click.option("--task", default="rating", show_default=True, type=Named(TASKS), help=MEASURED)
@usual_order_option
@click.option(
    "--k",
    "cuts",
    default=(),
    type=Numbers(click.IntRange(1, 10_000)),
    help="Ranking metrics at these lengths: 5,10,20.",
)
@click.option(
    "--relevant",
    default=None,
    type=click.FloatRange(0, min_open=True),
    help="Stars that make a movie in test relevant. Default: 4.",
)
@click.option("--cleaning", "--preset", "cleaning", default="none", show_default=True, help=UNCLEANED)
@published_option
@settings_option
@click.option(
    "--seed", "--seeds", "seeds", default="0", show_default=True, type=SEED_LIST, help="Models' seeds: 0,1,2."
)
@click.option(
    "--split-seed", "split_seeds", default="0", show_default=True, type=SEED_LIST, help="Splits' seeds: 0,1,2."
)
@click.option(
    "--detail",
    is_flag=True,
    help="Show the errors or, for --task ranking, the lists of groups of users; for --task rating, also errors by "
    "groups of movies, and calibration, confusion and coverage.",
)
@click.option(
    "--predictions", type=TABLE_OUTPUT, help="A new file for predicted stars: .parquet or .csv; - prints them as CSV."
)
@click.option(
    "--trec", type=PASTED, help="A new folder for lists (.run) and relevant movies (.qrels), as trec_eval reads."
)
@click.option("--metrics", default="", help="Only these columns in the table: rmse,mae. Default: all that fit.")
@click.option("--format", "form", default=None, type=Named(tuple(FORMATS)), help="How to print the table.")
@click.option(
    "--output",
    type=TABLE_OUTPUT,
    help="A new file for the table; its suffix or --format decides the format; - is standard output.",
)
@click.option("--force", is_flag=True, help="Overwrite existing files.")
@as_json
@handle_errors
def evaluate(
    models: Sequence[str],
    dataset: str | None,
    splits: str,
    task: Task,
    order: Order | None,
    cuts: Sequence[int],
    relevant: float | None,
    cleaning: str,
    published: bool,
    settings: Sequence[str],
    seeds: Sequence[int],
    split_seeds: Sequence[int],
    detail: bool,
    predictions: Path | None,
    trec: Path | None,
    metrics: str,
    form: str | None,
    output: Path | None,
    force: bool,
    json_: bool,
) -> None:
    """Measure models on splits, and compare each model with the first.

    Each evaluation is a run; see movietui runs list.
    """
    from movietui.jobs import evaluate as job

    names = _listed(splits)
    if not names:
        raise click.UsageError(tr("Name at least one split."))
    if task != "ranking" and (cuts or relevant is not None):
        raise click.UsageError(tr("--k and --relevant are for --task ranking."))
    wanted = _listed(metrics)
    file_format = form or (suffix_format(output) if output else None)
    if output:
        require_free(output, force=force)
    store = open_store()
    request = job.EvaluateRequest(
        models,
        dataset or dataset_named(store, None),
        [resolved(name) for name in names],
        task=task,
        cleaning=cleaning,
        published=published,
        settings=pairs("--set", settings),
        seeds=seeds,
        split_seeds=split_seeds,
        order=order,
        cuts=cuts,
        relevant=relevant,
        metrics=wanted,
        detail=detail,
        predictions=predictions,
        trec=trec,
        force=force,
    )
    with Bars() as bars:
        rows = job.evaluate(store, request, bars.listener)
    measured = by_importance(name for row in rows for name in row["metrics"])  # not every model has every metric
    if file_format:
        written = FORMATS[file_format](rows, wanted or measured)
        if output:
            write_file(output, written.encode("utf-8"), force=force)
        elif not json_:
            sys.stdout.write(written)
    if json_:
        print_json(rows)
        return
    if output or not file_format:
        used = settings_used(rows, request.settings, published=published)
        _print_evaluations(rows, models[0], wanted or measured, used, everything=bool(wanted))


def _listed(words: str) -> list[str]:
    """Return words that are separated by commas."""
    return [word.strip() for word in words.split(",") if word.strip()]


def _print_evaluations(
    rows: Sequence[Message], first: str, metrics: Sequence[str], used: str, *, everything: bool
) -> None:
    """Print evaluations for people; unless ``everything`` was asked for, only those metrics that fit.

    ``used``: which settings were used, in words.
    """
    fitting = metrics if everything else fitting_columns(lambda some: evaluations_table(rows, some), metrics)
    print_rich(evaluations_table(rows, fitting))
    if omitted := len(metrics) - len(fitting):
        print_rich(tr("{metrics}: --json has all", metrics=text.plural(omitted, "more metric")))
    about = [
        tr(
            "{dataset}, cleaning {cleaning}, settings {settings}",
            dataset=text.dataset_title(rows[0]),
            cleaning=rows[0]["cleaning"],
            settings=used,
        )
    ]
    about += [tr("seed {seed}", seed=rows[0]["seed"])] if len({row["seed"] for row in rows}) == 1 else []
    if len({row["split_seed"] for row in rows}) == 1:
        about += [tr("split seed {seed}", seed=rows[0]["split_seed"])]
    orders = dict.fromkeys(row["order"] for row in rows if row["order"])
    about += [tr("lists by {order}", order=ORDERS[order]) for order in orders]
    print_rich(", ".join(about))
    compared = [row["difference"]["metric"] for row in rows if "difference" in row]
    if compared:
        print_rich(
            tr(
                "to first: {metric} minus that of {model} on the same rows, with its 95 % interval; p: of the test "
                "that they are equal, after Holm's correction for the number of tests",
                metric=compared[0],
                model=first,
            )
        )
    for row in rows:
        if "subgroups" not in row:
            continue
        print_rich("", tr("{model} on {split}", model=row["model"], split=row["split"]))
        if row["task"] == "ranking":
            print_rich(list_subgroups_table(row))
        else:
            print_rich(subgroups_table(row), calibration_table(row), confusion_table(row))


@click.command()
@click.option("--seed", default=0, show_default=True, type=SEEDS, help="Seed of the models.")
@as_json
@handle_errors
def reproduce(seed: int, json_: bool) -> None:
    """Repeat the experiments of the five earlier systems, and show their reported figures beside ours.

    These are five recommenders whose models movietui has too. Each model is trained as its author describes
    (published), the same with what we add to it (extended), and with our settings (tuned).
    """
    from movietui.jobs import reproduce as job

    with Bars() as bars:
        rows = job.reproduce(seed, bars.listener)
    if json_:
        print_json(rows)
        return
    figures = {
        "reported": tr("reported"),
        "published": tr("published"),
        "extended": tr("extended"),
        "tuned": tr("tuned"),
    }
    facts = {
        "source": tr("system"),
        "model": tr("model"),
        "dataset": tr("dataset"),
        "cleaning": tr("cleaning"),
        "split": tr("split"),
        "metric": tr("metric"),
    }
    table = new_table(*facts.values(), *figures.values(), tr("note"), right=list(figures.values()))
    for row in rows:
        report = [text.figure(row[name]) for name in figures]
        table.add_row(*(row[name] for name in facts), *report, row["note"])
    print_rich(
        table,
        tr(
            "published: as the author describes; extended: the same, with mean, biases and residuals, and "
            "users folded in"
        ),
        tr("seed {seed}, split seed 0", seed=seed),
    )
