"""Sweeps as tables of text, for the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from movietui.data.language import tr
from movietui.formatting import text
from movietui.formatting.cell_tables import Cells
from movietui.formatting.settings import settings_text
from movietui.formatting.tables import new_table
from movietui.models.choices import by_importance
from movietui.protocol.jobs import SweepRow


def varied(rows: Sequence[SweepRow]) -> list[str]:
    """Return the settings that a sweep varies."""
    return list(rows[0]["grid"]) if rows else []


def metrics_of(rows: Sequence[SweepRow]) -> list[str]:
    """Return the measured metrics, beginning with the one that the settings are chosen by."""
    names = by_importance(name for row in rows for name in row["metrics"])
    return list(dict.fromkeys([*(row["metric"] for row in rows[:1]), *names]))


def sweep_table(rows: Sequence[SweepRow], metrics: Sequence[str]) -> Table:
    """Return a table of the settings tried, with these metrics on the validation part."""
    names = varied(rows)
    columns = (tr("run"), *names, *metrics, tr("fit"))
    table = new_table(*columns, "", right=columns)
    table.columns[-1].no_wrap = True
    for row in rows:
        figures = [text.figure(row["metrics"].get(name)) for name in metrics]
        stopped = tr("stopped early") if row["problem"] else ""
        table.add_row(str(row["run"]), *row["grid"].values(), *figures, text.duration(row["seconds"]["fit"]), stopped)
    return table


def outcome(rows: Sequence[SweepRow]) -> list[str]:
    """Return sentences on what a sweep was measured on, and on the best settings' metrics on test."""
    best = rows[0]
    lines = [
        tr(
            "{model} on {dataset}, split {split}, split seed {split_seed}, seed {seed}, cleaning {cleaning}; measured "
            "on a validation part of the train part, chosen by {metric}",
            model=best["model"],
            dataset=best["dataset"],
            split=best["split"],
            split_seed=best["split_seed"],
            seed=best["seed"],
            cleaning=best["cleaning"],
            metric=best["metric"],
        )
    ]
    if best["test"]:
        metrics = by_importance(best["test"])
        figures = "  ".join(f"{name} {text.figure(best['test'][name])}" for name in metrics)
        settings = settings_text(best["grid"])
        lines.append(tr("the best settings, {settings}, on test: {metrics}", settings=settings, metrics=figures))
    return lines


def cells(sweep: Mapping[str, Any]) -> Cells:
    """Return a sweep from ``Sweeps.whole`` as cells: a header, and a row for each combination of settings."""
    rows: Sequence[SweepRow] = sweep["rows"]
    names, metrics = varied(rows), metrics_of(rows)
    tested = [f"test {name}" for name in by_importance(rows[0]["test"] or ())] if rows else []
    head = ["run", *names, *metrics, *tested, "fit seconds", "note"]
    body = [
        [
            row["run"],
            *(row["grid"][name] for name in names),
            *(row["metrics"].get(name) for name in metrics),
            *((row["test"] or {}).get(name.removeprefix("test ")) for name in tested),
            row["seconds"]["fit"],
            row["problem"],
        ]
        for row in rows
    ]
    return [head, *body]
