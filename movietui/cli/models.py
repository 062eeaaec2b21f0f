"""Commands that learn and measure: train, evaluate, sweep, reproduce."""

from __future__ import annotations

from collections.abc import Sequence

import click

from movietui import text
from movietui.cli.commands import CLEANING, SEEDS
from movietui.output import (
    Bars,
    answers,
    as_json,
    calibration_table,
    confusion_table,
    dataset_named,
    dataset_option,
    figure,
    new_table,
    open_store,
    print_json,
    print_rich,
    subgroups_table,
)
from movietui.runs import RECOMMENDED

UNCLEANED = f"{CLEANING} Published figures are measured on none."
published_option = click.option(
    "--published", is_flag=True, help="The settings that the author of the source system describes."
)
settings_option = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a setting of the model."
)


def _pairs(option: str, entries: Sequence[str]) -> dict[str, str]:
    wrong = [entry for entry in entries if "=" not in entry]
    if wrong:
        raise click.UsageError(f"{option} takes KEY=VALUE, not {wrong[0]!r}.")
    return dict(entry.split("=", 1) for entry in entries)


@click.command()
@click.argument("model", default=RECOMMENDED)
@dataset_option
@click.option("--split", default=None, help="Learn from the train part of this split only.")
@click.option("--cleaning", "--preset", "cleaning", default=None, help=UNCLEANED)
@published_option
@settings_option
@click.option("--seed", default=0, show_default=True, type=SEEDS, help="Seed of the model.")
@as_json
@answers
def train(
    model: str,
    dataset: str | None,
    split: str | None,
    cleaning: str | None,
    published: bool,
    settings: Sequence[str],
    seed: int,
    json_: bool,
) -> None:
    """Train MODEL and use it for lists; the recommended one, blend, unless another is named.

    Without --split it is measured on random90 and then learns from all ratings.
    """
    from movietui import tasks

    store = open_store()
    named = dataset_named(store, dataset)
    changes = _pairs("--set", settings)
    with Bars() as bars:
        trained = tasks.train(
            store,
            model,
            named,
            split=split,
            cleaning=cleaning or (store.cleaning_of(named) if split is None else "none"),
            published=published,
            settings=changes,
            seed=seed,
            on_stage=bars.stage,
            on_epoch=bars.epoch,
            say=bars.say,
        )
    store.serve_with(store.run(trained["run"]))
    if json_:
        print_json(trained)
        return
    metrics = "  ".join(f"{name} {value:.4f}" for name, value in trained["metrics"].items())
    print_rich(
        f"run {trained['run']}: {model} on {trained['dataset']}, learnt from {trained['fitted_on']} "
        f"({text.duration(trained['seconds'])})",
        f"measured on {trained['split']} (cleaning {trained['cleaning']}): {metrics}",
    )


@click.command()
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@dataset_option
@click.option("--split", "splits", default="random90", show_default=True, help="Splits, with commas between them.")
@click.option("--task", default="rating", show_default=True, type=click.Choice(["rating", "ranking", "pair"]))
@click.option("--cleaning", "--preset", "cleaning", default="none", show_default=True, help=UNCLEANED)
@published_option
@settings_option
@click.option("--seed", default=0, show_default=True, type=SEEDS, help="Seed of the model.")
@click.option("--split-seed", default=0, show_default=True, type=SEEDS, help="Seed of the split.")
@click.option(
    "--detail", is_flag=True, help="Where it fails: errors by user, movie and genre; calibration, confusion, coverage."
)
@as_json
@answers
def evaluate(
    models: Sequence[str],
    dataset: str | None,
    splits: str,
    task: str,
    cleaning: str,
    published: bool,
    settings: Sequence[str],
    seed: int,
    split_seed: int,
    detail: bool,
    json_: bool,
) -> None:
    """Measure models on named splits; the first is what the others are compared with."""
    from movietui import tasks

    names = [name.strip() for name in splits.split(",") if name.strip()]
    if not names:
        raise click.UsageError("Name at least one split.")
    changes = _pairs("--set", settings)
    with Bars() as bars:
        rows = tasks.evaluate(
            models,
            dataset or dataset_named(open_store(), None),
            names,
            task=task,
            cleaning=cleaning,
            published=published,
            settings=changes,
            seed=seed,
            split_seed=split_seed,
            on_stage=bars.stage,
            on_epoch=bars.epoch,
            detail=detail,
        )
    if json_:
        print_json(rows)
        return
    metrics = list(dict.fromkeys(name for row in rows for name in row["metrics"]))  # not every model has all
    table = new_table("split", "model", *metrics, "fit", "to first", right=(*metrics, "fit", "to first"))
    table.columns[0].no_wrap = table.columns[1].no_wrap = True
    for row in rows:
        difference = row.get("difference")
        reach = (difference["high"] - difference["low"]) / 2 if difference else 0.0
        against = f"{difference['value']:+.4f} ±{reach:.4f}" if difference else ""
        values = [figure(row["metrics"].get(name)) for name in metrics]
        table.add_row(row["split"], row["model"], *values, text.duration(row["seconds"]["fit"]), against)
    for row in rows[: len(rows) // len(names)] if len(names) > 1 else []:
        for of, split in (("mean", f"mean of {len(names)}"), ("std", "deviation")):
            over = [figure(row["over_splits"].get(name, {}).get(of)) for name in metrics]
            table.add_row(split, row["model"], *over, "", "")
    about = f"{rows[0]['dataset']}, cleaning {rows[0]['cleaning']}, settings {rows[0]['settings']}"
    print_rich(table, f"{about}, seed {seed}, split seed {split_seed}")
    compared = [row["difference"]["metric"] for row in rows if "difference" in row]
    if compared:
        print_rich(f"to first: {compared[0]} minus that of {models[0]} on the same rows, with its 95 % interval")
    for row in rows:
        if "subgroups" in row:
            print_rich(
                "",
                f"{row['model']} on {row['split']}",
                subgroups_table(row),
                calibration_table(row),
                confusion_table(row),
            )


@click.command()
@click.argument("model")
@click.argument("more", nargs=-1, metavar="[KEY=A,B,C]...")
@dataset_option
@click.option("--split", default="random90", show_default=True, help="The split whose train part is learnt from.")
@click.option("--grid", "grid", multiple=True, metavar="KEY=A,B,C", help="A setting and its values; more than once.")
@click.option("--cleaning", "--preset", "cleaning", default="none", show_default=True, help=UNCLEANED)
@published_option
@click.option("--seed", default=0, show_default=True, type=SEEDS, help="Seed of the model.")
@click.option("--split-seed", default=0, show_default=True, type=SEEDS, help="Seed of the split.")
@click.option("--fresh", is_flag=True, help="Measure again what an earlier sweep has measured.")
@as_json
@answers
def sweep(
    model: str,
    more: Sequence[str],
    dataset: str | None,
    split: str,
    grid: Sequence[str],
    cleaning: str,
    published: bool,
    seed: int,
    split_seed: int,
    fresh: bool,
    json_: bool,
) -> None:
    """Measure MODEL with every combination of settings.

    Each is measured on a validation part of train, which chooses the best; that one alone is measured on test. A sweep
    that was broken off goes on where it was.
    """
    from movietui import tasks

    values = {
        key: [value.strip() for value in listed.split(",") if value.strip()]
        for key, listed in _pairs("--grid", [*grid, *more]).items()
    }
    with Bars() as bars:
        rows = tasks.sweep(
            model,
            dataset or dataset_named(open_store(), None),
            split,
            values,
            cleaning=cleaning,
            published=published,
            seed=seed,
            split_seed=split_seed,
            on_stage=bars.stage,
            on_epoch=bars.epoch,
            on_result=lambda row: bars.say(f"{tasks.told_settings(row['grid'])}  rmse {row['metrics']['rmse']:.4f}"),
            on_known=lambda known: bars.say(f"{text.plural(known, 'combination')} known from before (--fresh: again)"),
            fresh=fresh,
        )
    if json_:
        print_json(rows)
        return
    metrics = list(rows[0]["metrics"])
    table = new_table(*values, *metrics, "fit", right=(*values, *metrics, "fit"))
    for row in rows:
        figures = [figure(row["metrics"][name]) for name in metrics]
        table.add_row(*row["grid"].values(), *figures, text.duration(row["seconds"]["fit"]))
    on_test = "  ".join(f"{name} {figure(value)}" for name, value in rows[0]["test"].items())
    print_rich(
        table,
        f"{model} on a validation part of the train part of {split} of {rows[0]['dataset']}, cleaning {cleaning}",
        f"the best, {tasks.told_settings(rows[0]['grid'])}, on test: {on_test}",
    )


@click.command()
@click.option("--seed", default=0, show_default=True, type=SEEDS, help="Seed of the models.")
@as_json
@answers
def reproduce(seed: int, json_: bool) -> None:
    """Run the experiments of the five source systems: what was reported, and what we measure.

    Each model is fitted with the settings that its author describes (published) and with ours (tuned).
    """
    from movietui import tasks

    with Bars() as bars:
        rows = tasks.reproduce(seed=seed, on_stage=bars.stage, on_epoch=bars.epoch)
    if json_:
        print_json(rows)
        return
    figures = ("reported", "published", "tuned")
    table = new_table("source", "model", "dataset", "split", "metric", *figures, "note", right=figures)
    for row in rows:
        told = [figure(row[name]) for name in figures]
        table.add_row(row["source"], row["model"], row["dataset"], row["split"], row["metric"], *told, row["note"])
    print_rich(table, f"rows as published, no cleaning, seed {seed}, split seed 0")
