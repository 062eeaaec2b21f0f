"""Runs as tables of text, for the command line and the panels of the Train screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from rich.table import Table

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
        ("run", f"{row['run']} {row['name']}".rstrip()),
        ("model", f"{row['model']} on {row['dataset']}, cleaning {row['cleaning']}, seed {row['seed']}"),
        ("IMDb", text.joined(row["imdb"]) if row["imdb"] is not None or row["state"] == "done" else ""),
        ("measured on", ", ".join([row["split"], f"split seed {row['split_seed']}", *_lists_by(row["list_order"])])),
        ("state", " ".join(part for part in (state_text(row), row["problem"]) if part)),
        ("started", text.moment(row["started"])),
        ("fit", _fit(row)),
        ("device", row["device"]),
        ("cluster", cluster_text(row["cluster"])),
        ("memory", text.size(row["peak_bytes"]) if row["peak_bytes"] else ""),
        ("checkpoint", f"{text.size(row['checkpoint_bytes'])} in {row['checkpoint']}" * bool(row["checkpoint_bytes"])),
        ("settings", settings_text(row["settings"])),
        ("note", row["note"]),
        ("data", _data(row["environment"])),
        ("computed by", _machine(row["environment"])),
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
    table = new_table("metric", "", "what it measures, formula, reference", right=[""])
    for name in dict.fromkeys([*by_importance(metrics), *metrics]):
        table.add_row(name, text.figure(metrics[name]), metric_summary(name))
    return table


def _lists_by(order: str) -> list[str]:
    return [f"lists by {ORDERS[cast(Order, order)]}"] if order else []


def _data(environment: Mapping[str, Any]) -> str:
    """Return the beginning of the fingerprint of the data; ``--json`` has all of it."""
    return f"fingerprint {environment['data'][:FINGERPRINT]}" if environment else ""


def _machine(environment: Mapping[str, Any]) -> str:
    if not environment:
        return ""
    packages = [f"{name} {version}" for name, version in environment["packages"].items()]
    versions = [f"movietui {environment['movietui']}", f"Python {environment['python']}", *packages]
    machine = " ".join(filter(None, (environment["processor"], f"({environment['system']})")))
    return f"{', '.join(versions)}; {text.plural(environment['threads'], 'thread')} on {machine}"


def run_comparison(comparison: RunComparison) -> list[Table | str]:
    """Return a comparison of two runs, as tables."""
    names = [f"run {row['run']}" for row in comparison["runs"]]
    settings = new_table("", *names, right=names)
    for row in comparison["facts"] + comparison["settings"]:
        both = (row["first"], row["second"])
        if row["name"] == "imdb":
            settings.add_row("IMDb", *map(text.joined, both))
        else:
            name = row["name"].replace("split_seed", "split seed")
            settings.add_row(name, *("" if value is None else value_text(value) for value in both))
    columns = (*names, "difference")
    metrics = new_table("", *columns, right=columns)
    for measured in comparison["metrics"]:
        low, high = measured["low"], measured["high"]
        reach = f" ±{(high - low) / 2:.4f}" if low is not None and high is not None else ""
        values = ["" if value is None else text.figure(value) for value in (measured["first"], measured["second"])]
        difference = measured["difference"]
        metrics.add_row(measured["metric"], *values, "" if difference is None else f"{difference:+.4f}{reach}")
    parts: list[Table | str] = [settings if settings.row_count else "The settings are the same.", "", metrics]
    if not comparison["same_rows"]:
        parts.append("No intervals: they need two trainings or evaluations, not of pairs, on the same test ratings.")
    if comparison["top"]:
        lists = new_table(*names, "title", "year", right=(*names, "year"))
        for movie in comparison["top"]["movies"]:
            ranks = (str(rank or "") for rank in (movie["first"], movie["second"]))
            lists.add_row(*ranks, movie["title"], str(movie["year"] or ""))
        parts += ["", lists, f"{comparison['top']['common']} of {comparison['top']['k']} in both lists"]
    return parts


def _fit(row: Mapping[str, Any]) -> str:
    """Return how long the fits of a run took."""
    if row["seconds"] is None:
        return ""
    cpu = row["cpu_seconds"]
    processor = f", {text.duration(cpu)} of processor time" if cpu is not None else ""
    return text.duration(row["seconds"]) + processor


def _curve(row: dict[str, Any]) -> Table:
    first, train = loss_headings(row["curve"])
    names = {train: "train_loss"} | ({"validation": "validation_loss"} if has_validation(row["curve"]) else {})
    table = new_table(first, *names, "", right=(*([first] if first == "epoch" else []), *names))
    for epoch in row["curve"]:
        losses = (loss_text(epoch[name]) for name in names.values())
        used = "● used" if epoch["epoch"] == row["best_epoch"] and "stage" not in epoch else ""
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
