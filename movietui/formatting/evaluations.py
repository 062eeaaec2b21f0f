"""The rows of evaluations as tables, for people and for files, and as a chart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rich.table import Table

from movietui.data.language import tr
from movietui.formatting import text
from movietui.formatting.cell_tables import TABLES, Cells
from movietui.formatting.charts import Figure, figure_chart
from movietui.formatting.escaping import json_text
from movietui.formatting.settings import settings_text
from movietui.formatting.tables import new_table
from movietui.models.choices import metric_named
from movietui.protocol.wire import Message

FACTS = (
    *("model", "dataset", "imdb", "cleaning", "split", "split_seed", "seed", "task", "order", "relevant", "settings"),
    "values",
)
"""The columns of a CSV file before the metrics."""
COUNTS = ("n_train", "n_test")
SECONDS = ("fit", "fit_cpu", "predict")
Rows = Sequence[Message]
"""Rows as ``evaluate --json`` prints them."""


def evaluations_table(rows: Rows, metrics: Sequence[str]) -> Table:
    """Return a table of evaluations with these metrics, and the means and deviations of repetitions at the end.

    If the models' settings are of different kinds (tuned, published, own), a column says which.
    """
    mixed = ["settings"] * (len({row["settings"] for row in rows}) > 1)
    seeds = [name for name in ("split_seed", "seed") if len({row[name] for row in rows}) > 1]
    headings = [name.replace("_", " ") for name in seeds]
    comparison = (tr("to first"), "p") if any("difference" in row for row in rows) else ()
    figures = (*metrics, tr("fit"), tr("cpu"), *comparison)
    table = new_table(tr("split"), *headings, tr("model"), *mixed, *figures, right=(*headings, *figures))
    for column in table.columns:
        column.no_wrap = True
    for row in rows:
        values = [text.figure(row["metrics"].get(name)) for name in metrics]
        table.add_row(
            row["split"],
            *(str(row[name]) for name in seeds),
            row["model"],
            *(row[name] for name in mixed),
            *values,
            *("" if name not in row["seconds"] else text.duration(row["seconds"][name]) for name in ("fit", "fit_cpu")),
            *_compared(row.get("difference"))[: len(comparison)],
        )
    for row in _repeated(rows):
        over = row["over"]
        for statistic, label in (("mean", tr("mean of {count}", count=over["count"])), ("std", tr("deviation"))):
            values = [text.figure(over["metrics"].get(name, {}).get(statistic)) for name in metrics]
            compared = _compared(over.get("difference")) if statistic == "mean" else ("", "")
            split = f"{over['protocol']}, {label}"
            facts = (*[""] * len(seeds), row["model"], *(row[name] for name in mixed))
            table.add_row(split, *facts, *values, "", "", *compared[: len(comparison)])
    return table


def settings_used(rows: Rows, changes: Mapping[str, str], *, published: bool) -> str:
    """Return which settings the models had: ``tuned``, ``published and tuned`` or ``tuned, except sweeps=1``.

    ``changes``: the settings that were changed, as typed.
    """
    labels = {row["settings"] for row in rows}
    if labels == {"own"}:
        kind = "published" if published else "tuned"
        return tr("{settings}, except {changes}", settings=kind, changes=settings_text(changes))
    return tr(" and ").join(sorted(labels))


def _repeated(rows: Rows) -> list[Message]:
    """Return one row of each model and protocol that have repetitions."""
    return list({(row["protocol"], row["model"]): row for row in rows if "over" in row}.values())


def measured_on(row: Message) -> str:
    """Return what the figures of a row, or of its repetitions, were measured on: ``kfold5`` stands for several folds,
    ``kfold5-0`` for one."""
    return str(row["over"]["protocol"] if "over" in row else row["split"])


def _compared(difference: Message | None) -> tuple[str, str]:
    """Return a difference with half of its interval, and its p-value after Holm's correction, if known."""
    if difference is None:
        return "", ""
    reach = (difference["high"] - difference["low"]) / 2
    p = difference.get("p_holm")
    return f"{difference['value']:+.4f} ±{reach:.4f}", "" if p is None else p_text(p)


def p_text(p: float) -> str:
    """Return a p-value with three decimals.

    >>> p_text(0.0312), p_text(0.00001)
    ('0.031', '<0.001')
    """
    return f"{p:.3f}" if p >= 0.001 else "<0.001"


def all_cells(rows: Rows, metrics: Sequence[str]) -> Cells:
    """Return a row for each evaluation, without what depends on other evaluations."""
    body = [
        [
            *(settings_text(row[name]) if name == "values" else row[name] for name in (*FACTS, *COUNTS)),
            *(row["metrics"].get(name) for name in metrics),
            *(row["seconds"][name] for name in SECONDS),
        ]
        for row in rows
    ]
    return [[*FACTS, *COUNTS, *metrics, *(f"{name}_seconds" for name in SECONDS)], *body]


def summary_cells(rows: Rows, metrics: Sequence[str]) -> Cells:
    """Return a row for each model and protocol, with means and deviations over repetitions."""
    comparison = ("to first", "p") if any("difference" in row for row in rows) else ()
    body = []
    for row in {(row["protocol"], row["model"]): row for row in rows}.values():
        over = row.get("over")
        figures = [_figure(row, name) for name in metrics]
        difference = (over or row).get("difference")
        body.append(
            [measured_on(row), row["model"], *figures, *_compared(difference)[: len(comparison)]],
        )
    return [["split", "model", *metrics, *comparison], *body]


def _figure(row: Message, name: str) -> str:
    """Return a metric of a model, with its deviation if there are repetitions."""
    if "over" not in row:
        return text.figure(row["metrics"].get(name))
    statistics = row["over"]["metrics"].get(name)
    return f"{statistics['mean']:.4f} ± {statistics['std']:.4f}" if statistics else ""


def chart(rows: Rows, metrics: Sequence[str]) -> str:
    """Return a chart of the first metric as SVG: means of repetitions with their standard deviations, or single
    evaluations with their intervals, if known."""
    name = metrics[0]
    metric = metric_named(name)
    groups: dict[str, list[Figure]] = {}
    intervals = set()
    for row in {(row["protocol"], row["model"]): row for row in rows}.values():
        value, reach = row["metrics"].get(name), row["metrics"].get(f"{name}_margin", 0.0)
        if "over" in row:
            statistics = row["over"]["metrics"].get(name, {})
            value, reach = statistics.get("mean"), statistics.get("std", 0.0)
        if value is not None:
            groups.setdefault(measured_on(row), []).append(Figure(row["model"], value, reach))
            intervals |= {tr("± standard deviation over repetitions")} if "over" in row else set()
            intervals |= {tr("95 % interval over users")} if "over" not in row and reach else set()
    title = f"{rows[0]['dataset']}, {rows[0]['task']}"
    about = ", ".join([metric.label if metric else name, *sorted(intervals)])
    return figure_chart(title, about, groups)


def _json(rows: Rows, _: Sequence[str]) -> str:
    return json_text(rows) + "\n"


FORMATS: Mapping[str, Callable[[Rows, Sequence[str]], str]] = {
    "csv": lambda rows, metrics: TABLES["csv"](all_cells(rows, metrics)),
    "markdown": lambda rows, metrics: TABLES["markdown"](summary_cells(rows, metrics)),
    "latex": lambda rows, metrics: TABLES["latex"](summary_cells(rows, metrics)),
    "json": _json,
    "svg": chart,
}
"""The formats of files with evaluations, by name. Each takes rows and the metrics to write."""
