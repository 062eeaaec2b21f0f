"""``movietui cluster train``, ``evaluate`` and ``recommend``: models on a Spark cluster."""

from __future__ import annotations

from collections.abc import Sequence

import click

from movietui.cli import completers
from movietui.cli.cluster import master_option
from movietui.cli.commands import SEEDS, Named
from movietui.cli.lists import model_option
from movietui.cli.models import pairs, published_option, serve_and_print, settings_option
from movietui.cli.output import (
    Bars,
    as_json,
    fitting_columns,
    handle_errors,
    open_store,
    order_option,
    print_json,
    print_rich,
)
from movietui.data.language import tr
from movietui.formatting import text
from movietui.formatting.evaluations import evaluations_table
from movietui.models.choices import ORDERS, Order, Task, by_importance

SPLITS = "random90, random80, kfold5-0 to kfold5-4 and cold-movies, all by hash, because rows have no order; or latest."
dataset_option = click.option(
    "--dataset",
    required=True,
    help="A dataset that was cleaned with movietui cluster clean.",
    shell_complete=completers.stored_datasets,
)
split_seed_option = click.option("--split-seed", default=0, show_default=True, type=SEEDS, help="Seed of the split.")
seed_option = click.option("--seed", default=0, show_default=True, type=SEEDS, help="Seed of the model.")


@click.command("train")
@click.argument("model", shell_complete=completers.cluster_models)
@dataset_option
@click.option("--split", default="random90", show_default=True, help=f"Train on the train part of this split: {SPLITS}")
@published_option
@settings_option
@seed_option
@split_seed_option
@master_option
@as_json
@handle_errors
def cluster_train(
    model: str,
    dataset: str,
    split: str,
    published: bool,
    settings: Sequence[str],
    seed: int,
    split_seed: int,
    master: str | None,
    json_: bool,
) -> None:
    """Train MODEL on the cluster, measure it, and use it for lists here.

    The checkpoint comes to this machine, which then needs no Spark to make lists. Users stay on the cluster; their
    ratings are read from there when you ask for their list.
    """
    from movietui.jobs import cluster as job

    changes = pairs("--set", settings)
    request = job.ClusterRequest((model,), dataset, master, (split,), published, changes, seed, split_seed)
    store = open_store()
    with Bars() as bars:
        trained = job.train(store, request, bars.listener)
    serve_and_print(store, trained, json_=json_)


@click.command("evaluate")
@click.argument("models", nargs=-1, required=True, metavar="MODEL...", shell_complete=completers.cluster_models)
@dataset_option
@click.option("--split", "splits", default="random90", show_default=True, help=f"Splits, separated by commas: {SPLITS}")
@click.option(
    "--task",
    default="rating",
    show_default=True,
    type=Named(("rating", "ranking")),
    help="What to measure: predicted stars or lists.",
)
@order_option
@published_option
@settings_option
@seed_option
@split_seed_option
@master_option
@as_json
@handle_errors
def cluster_evaluate(
    models: Sequence[str],
    dataset: str,
    splits: str,
    task: Task,
    order: Order,
    published: bool,
    settings: Sequence[str],
    seed: int,
    split_seed: int,
    master: str | None,
    json_: bool,
) -> None:
    """Fit models on the cluster, on the train part of splits, and measure them there on the test part."""
    from movietui.jobs import cluster as job

    names = [name.strip() for name in splits.split(",") if name.strip()]
    if not names:
        raise click.UsageError(tr("Name at least one split."))
    changes = pairs("--set", settings)
    request = job.ClusterRequest(models, dataset, master, names, published, changes, seed, split_seed)
    with Bars() as bars:
        rows = job.evaluate(request, task, order, bars.listener)
    if json_:
        print_json(rows)
        return
    measured = by_importance(name for row in rows for name in row["metrics"])
    fitting = fitting_columns(lambda metrics: evaluations_table(rows, metrics), measured)
    print_rich(evaluations_table(rows, fitting))
    if omitted := len(measured) - len(fitting):
        print_rich(tr("{metrics}: --json has all", metrics=text.plural(omitted, "more metric")))
    ordered = tr(", lists by {order}", order=ORDERS[order]) if task != "rating" else ""
    about = tr(
        "{dataset}, cleaning {cleaning}, seed {seed}, split seed {split_seed}",
        dataset=dataset,
        cleaning=rows[0]["cleaning"],
        seed=seed,
        split_seed=split_seed,
    )
    print_rich(f"{about}{ordered}")


@click.command("recommend")
@dataset_option
@click.option("--everyone", is_flag=True, required=True, help="Recommend to every user of the dataset.")
@click.option("-k", default=50, show_default=True, type=click.IntRange(1), help="How many movies for each user.")
@click.option("--output", required=True, help="A new folder for the lists, where the cluster can write.")
@model_option
@click.option("--seed", default=None, type=SEEDS, help="Use the newest run with this seed.")
@order_option
@master_option
@as_json
@handle_errors
def cluster_recommend(
    dataset: str,
    everyone: bool,
    k: int,
    output: str,
    model: str | None,
    seed: int | None,
    order: Order,
    master: str | None,
    json_: bool,
) -> None:
    """Write the best movies for every user, as Parquet: user, rank, movie, stars, uncertainty and score.

    The lists are complete once the folder contains a file _SUCCESS. For a list for a few viewers, use movietui
    recommend.
    """
    from movietui.jobs import cluster as job

    with Bars() as bars:
        written = job.recommend_to_everyone(open_store(), dataset, output, k, model, seed, master, order, bars.listener)
    if json_:
        print_json(written)
        return
    print_rich(
        tr(
            "{lists} of {length} by {model}: {rows:,} rows at {path} ({duration})",
            lists=text.plural(written["users"], "list"),
            length=k,
            model=written["model"],
            rows=written["rows"],
            path=written["output"],
            duration=text.duration(written["seconds"]),
        )
    )
