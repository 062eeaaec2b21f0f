"""Runs as tables of text, for the command line and the panels of the Train screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from rich.table import Table

from movietui.data.language import tr
from movietui.formatting import text
from movietui.formatting.explanations import metric_summary
from movietui.formatting.run_progress import (
    NO_LOSSES,
    cluster_text,
    has_losses,
    has_validation,
    loss_headings,
    loss_text,
    losses_text,
    progress_text,
)
from movietui.formatting.settings import settings_text, value_text
from movietui.formatting.tables import calibration_table, confusion_table, new_table, subgroups_table
from movietui.models.choices import ORDERS, Order, by_importance
from movietui.protocol.messages import RunComparison

FINGERPRINT = 12
"""How many digits of a fingerprint are shown."""


def run_summary(row: dict[str, Any]) -> list[Table | str]:
    """Return everything known about a run, as tables."""
    about = new_table("", "")
    about.show_header = False
    for name, value in (
        (tr("run"), f"{row['run']} {row['name']}".rstrip()),
        (
            tr("model"),
            tr(
                "{model} on {dataset}, cleaning {cleaning}, seed {seed}",
                model=row["model"],
                dataset=row["dataset"],
                cleaning=row["cleaning"],
                seed=row["seed"],
            ),
        ),
        ("IMDb", text.joined(row["imdb"]) if row["imdb"] is not None or row["state"] == "done" else ""),
        (
            tr("measured on"),
            ", ".join([row["split"], tr("split seed {seed}", seed=row["split_seed"]), *_lists_by(row["list_order"])]),
        ),
        (tr("state"), " ".join(part for part in (state_text(row), row["problem"]) if part)),
        (tr("started"), text.moment(row["started"])),
        (tr("fit"), _fit(row)),
        (tr("device"), row["device"]),
        (tr("cluster"), cluster_text(row["cluster"])),
        (tr("memory"), text.size(row["peak_bytes"]) if row["peak_bytes"] else ""),
        (
            tr("checkpoint"),
            tr("{size} in {path}", size=text.size(row["checkpoint_bytes"]), path=row["checkpoint"])
            * bool(row["checkpoint_bytes"]),
        ),
        (tr("settings"), settings_text(row["settings"])),
        (tr("note"), row["note"]),
        (tr("data"), _data(row["environment"])),
        (tr("computed by"), _machine(row["environment"])),
    ):
        if value:
            about.add_row(name, value)
    parts: list[Table | str] = [about]
    if row["metrics"]:
        parts += ["", _metrics(row["metrics"])]
    if row["curve"]:
        parts += ["", _curve(row)]
    if "subgroups" in row:
        parts += ["", subgroups_table(row), "", calibration_table(row), "", confusion_table(row)]
    return parts


def published_summary(about: Mapping[str, str], metrics: Mapping[str, float]) -> list[Table | str]:
    """Return published figures as tables: where they come from, and what they mean."""
    facts = new_table("", "")
    facts.show_header = False
    for name, value in about.items():
        if value:
            facts.add_row(name, value)
    parts: list[Table | str] = ["", _metrics(metrics)]
    return [facts, *parts * bool(metrics)]


def _metrics(metrics: Mapping[str, float]) -> Table:
    """Return a table of metrics that explains each of them."""
    table = new_table(tr("metric"), "", tr("what it measures, formula, reference"), right=[""])
    for name in dict.fromkeys([*by_importance(metrics), *metrics]):
        table.add_row(name, text.figure(metrics[name]), metric_summary(name))
    return table


def _lists_by(order: str) -> list[str]:
    return [tr("lists by {order}", order=ORDERS[cast(Order, order)])] if order else []


def _data(environment: Mapping[str, Any]) -> str:
    """Return the beginning of the fingerprint of the data; ``--json`` has all of it."""
    return tr("fingerprint {fingerprint}", fingerprint=environment["data"][:FINGERPRINT]) if environment else ""


def _machine(environment: Mapping[str, Any]) -> str:
    if not environment:
        return ""
    packages = [f"{name} {version}" for name, version in environment["packages"].items()]
    versions = [f"movietui {environment['movietui']}", f"Python {environment['python']}", *packages]
    machine = " ".join(filter(None, (environment["processor"], f"({environment['system']})")))
    return tr(
        "{versions}; {threads} on {machine}",
        versions=", ".join(versions),
        threads=text.plural(environment["threads"], "thread"),
        machine=machine,
    )


def run_comparison(comparison: RunComparison) -> list[Table | str]:
    """Return a comparison of two runs, as tables."""
    names = [tr("run {run}", run=row["run"]) for row in comparison["runs"]]
    settings = new_table("", *names, right=names)
    for row in comparison["facts"] + comparison["settings"]:
        both = (row["first"], row["second"])
        if row["name"] == "imdb":
            settings.add_row("IMDb", *map(text.joined, both))
        else:
            name = row["name"].replace("split_seed", "split seed")
            settings.add_row(name, *("" if value is None else value_text(value) for value in both))
    columns = (*names, tr("difference"))
    metrics = new_table("", *columns, right=columns)
    for measured in comparison["metrics"]:
        low, high = measured["low"], measured["high"]
        reach = f" ±{(high - low) / 2:.4f}" if low is not None and high is not None else ""
        values = ["" if value is None else text.figure(value) for value in (measured["first"], measured["second"])]
        difference = measured["difference"]
        metrics.add_row(measured["metric"], *values, "" if difference is None else f"{difference:+.4f}{reach}")
    parts: list[Table | str] = [settings if settings.row_count else tr("The settings are the same."), "", metrics]
    if not comparison["same_rows"]:
        parts.append(
            tr("No intervals: they need two trainings or evaluations, not of pairs, on the same test ratings.")
        )
    if comparison["top"]:
        lists = new_table(*names, tr("title"), tr("year"), right=(*names, tr("year")))
        for movie in comparison["top"]["movies"]:
            ranks = (str(rank or "") for rank in (movie["first"], movie["second"]))
            lists.add_row(*ranks, movie["title"], str(movie["year"] or ""))
        common, k = comparison["top"]["common"], comparison["top"]["k"]
        parts += ["", lists, tr("{common} of {movies} in both lists", common=common, movies=k)]
    return parts


def _fit(row: Mapping[str, Any]) -> str:
    """Return how long the fits of a run took."""
    if row["seconds"] is None:
        return ""
    cpu = row["cpu_seconds"]
    processor = tr(", {duration} of processor time", duration=text.duration(cpu)) if cpu is not None else ""
    return text.duration(row["seconds"]) + processor


def _curve(row: dict[str, Any]) -> Table:
    first, train = loss_headings(row["curve"])
    names = {tr(train): "train_loss"} | ({tr("validation"): "validation_loss"} if has_validation(row["curve"]) else {})
    table = new_table(tr(first), *names, "", right=(*([tr(first)] if first == "epoch" else []), *names))
    for epoch in row["curve"]:
        losses = (loss_text(epoch[name]) for name in names.values())
        used = tr("● used") if epoch["epoch"] == row["best_epoch"] and "stage" not in epoch else ""
        table.add_row(epoch.get("stage", str(epoch["epoch"])), *losses, used)
    measured = losses_text(row["model"], train) if has_losses(row["curve"]) else NO_LOSSES
    table.caption, table.caption_justify = measured, "left"
    return table


def state_text(row: Mapping[str, Any]) -> str:
    """Return the state of a run and, while it trains, its progress."""
    progress = row.get("progress") or {}
    if not progress:
        return str(row["state"])
    return f"{row['state']}, {progress_text(progress)}"
