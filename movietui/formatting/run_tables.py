"""Runs as tables of text: the same on the command line and in the panels of the Train screen."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from movietui import text
from movietui.output import calibration_table, confusion_table, figure, new_table, subgroups_table


def of_one(row: dict[str, Any]) -> list[Table | str]:
    """Return all about a run as tables."""
    about = new_table("", "")
    about.show_header = False
    for name, value in (
        ("run", f"{row['run']} {row['name']}".rstrip()),
        ("model", f"{row['model']} on {row['dataset']}, cleaning {row['cleaning']}"),
        ("measured on", f"{row['split']}, seed {row['seed']}"),
        ("state", " ".join(part for part in (state_text(row), row["problem"]) if part)),
        ("started", text.moment(row["started"])),
        ("fit", text.duration(row["seconds"]) if row["seconds"] is not None else ""),
        ("device", row["device"]),
        ("memory", text.size(row["peak_bytes"]) if row["peak_bytes"] else ""),
        ("checkpoint", f"{text.size(row['checkpoint_bytes'])} in {row['checkpoint']}" * bool(row["checkpoint_bytes"])),
        ("settings", settings_text(row["settings"])),
        ("metrics", "  ".join(f"{name} {figure(value)}" for name, value in row["metrics"].items())),
        ("note", row["note"]),
    ):
        if value:
            about.add_row(name, value)
    parts: list[Table | str] = [about]
    if row["curve"]:
        parts += ["", _curve(row)]
    if "subgroups" in row:
        parts += ["", subgroups_table(row), "", calibration_table(row), "", confusion_table(row)]
    return parts


def of_two(found: dict[str, Any]) -> list[Table | str]:
    """Return two runs side by side as tables."""
    names = [f"run {row['run']}" for row in found["runs"]]
    settings = new_table("", *names, right=names)
    for row in found["facts"] + found["settings"]:
        settings.add_row(row["name"], *("" if row[of] is None else str(row[of]) for of in ("first", "second")))
    columns = (*names, "difference")
    metrics = new_table("", *columns, right=columns)
    for row in found["metrics"]:
        reach = f" ±{(row['high'] - row['low']) / 2:.4f}" if row["low"] is not None else ""
        values = ["" if row[of] is None else figure(row[of]) for of in ("first", "second")]
        metrics.add_row(row["metric"], *values, "" if row["difference"] is None else f"{row['difference']:+.4f}{reach}")
    parts: list[Table | str] = [settings if settings.row_count else "The settings are the same.", "", metrics]
    if not found["same_rows"]:
        parts.append("not measured on the same rows: no interval can be given")
    if found["top"]:
        lists = new_table(*names, "title", "year", right=(*names, "year"))
        for movie in found["top"]["movies"]:
            places = (str(movie[of] or "") for of in ("first", "second"))
            lists.add_row(*places, movie["title"], str(movie["year"] or ""))
        parts += ["", lists, f"{found['top']['common']} of {found['top']['k']} in both lists"]
    return parts


def _curve(row: dict[str, Any]) -> Table:
    columns = ("epoch", "train", "validation")
    table = new_table(*columns, "", right=columns)
    for epoch in row["curve"]:
        held_out = "" if epoch["validation_loss"] is None else f"{epoch['validation_loss']:.4f}"
        best = "● best" if epoch["epoch"] == row["best_epoch"] else ""
        table.add_row(str(epoch["epoch"]), f"{epoch['train_loss']:.4f}", held_out, best)
    return table


def settings_text(settings: dict[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in settings.items())


def state_text(row: dict[str, Any]) -> str:
    """How a run is, and how far."""
    progress = row.get("progress") or {}
    if not progress:
        return str(row["state"])
    left = f", {text.duration(progress['left'])} left" if progress["left"] else ""
    return f"{row['state']}, {progress['phase']} {progress['epoch']} of {progress['of']}{left}"
