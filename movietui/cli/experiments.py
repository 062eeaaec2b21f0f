"""``movietui experiment``: run what an experiment file describes, and print its table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from movietui import __version__
from movietui.cli.output import Bars, as_json, handle_errors, open_store, print_json, print_rich
from movietui.cli.standard_files import INPUT, OUTPUT
from movietui.data.language import tr
from movietui.data.storage.atomic_files import write_file
from movietui.formatting import text
from movietui.formatting.tables import new_table
from movietui.models.choices import ORDERS


@click.command()
@click.argument("file", type=INPUT)
@click.option(
    "--pin",
    type=OUTPUT,
    help="A new experiment file, with all settings, fingerprints and figures; - is standard output.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@click.option("--fresh", is_flag=True, help="Measure again what was measured before.")
@as_json
@handle_errors
def experiment(file: Path, pin: Path | None, force: bool, fresh: bool, json_: bool) -> None:
    """Measure what FILE names, unless it was measured before, and print the table.

    FILE is TOML: datasets, splits, models, settings, seeds and metrics. docs/experiment.toml is an example.
    """
    from movietui.jobs import experiment as job

    with Bars() as bars:
        outcome = job.run(open_store(), job.ExperimentRequest(file, fresh), bars.listener)
    document = outcome.document
    if pin:
        write_file(pin, outcome.pinned.encode("utf-8"), force=force)
    if json_:
        print_json(document)
        return
    _print(document)
    if (by := document["pinned_by"]) not in ("", __version__):
        print_rich(
            tr(
                "The file was pinned by movietui {pinned_by}; this is movietui {version}.",
                pinned_by=by,
                version=__version__,
            )
        )
    if outcome.experiment.figures and not document["differences"]:
        print_rich(tr("All figures are those in the file."))
    if pin:
        print_rich(tr("Pinned in {path}", path=pin))


def _print(document: Mapping[str, Any]) -> None:
    rows = document["table"]
    metrics = list(dict.fromkeys(name for row in rows for name in row["metrics"]))
    several = any(row["count"] > 1 for row in rows)
    table = new_table(tr("dataset"), tr("split"), tr("model"), *metrics, right=metrics)
    for column in table.columns:
        column.no_wrap = True
    for row in rows:
        figures = [_figure(row["metrics"].get(name)) for name in metrics]
        table.add_row(row["dataset"], row["protocol"], row["label"], *figures)
    measured = sum(len(row["runs"]) for row in document["rows"])
    print_rich(document["title"], "", table)
    evaluations = text.plural(measured, "evaluation")
    print_rich(
        tr("{evaluations}, {count} of them now", evaluations=evaluations, count=document["fitted"])
        + tr("; mean ± standard deviation over seeds and folds") * several
        + (tr("; lists by {order}", order=ORDERS[document["order"]]) if document["order"] else "")
    )
    for each in document["differences"]:
        print_rich(
            tr(
                "{metric} of {model} on {dataset}, {split}, seed {seed}: {measured}, but {expected} in the file",
                metric=each["metric"],
                model=each["label"],
                dataset=each["dataset"],
                split=each["split"],
                seed=each["seed"],
                measured=text.figure(each["measured"]) or tr("not measured"),
                expected=text.figure(each["expected"]),
            )
        )


def _figure(value: Mapping[str, float | None] | None) -> str:
    if value is None:
        return ""
    spread = f" ±{value['std']:.4f}" if value["std"] is not None else ""
    return f"{text.figure(value['mean'])}{spread}"
