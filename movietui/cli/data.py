"""``movietui data``: get, clean and look at datasets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from movietui.cli import completers
from movietui.cli.commands import CLEANING, PASTED, Commands
from movietui.cli.output import (
    Bars,
    as_json,
    fitting_columns,
    handle_errors,
    open_store,
    print_json,
    print_rich,
)
from movietui.cli.standard_files import INPUT
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.formatting import text
from movietui.formatting.tables import new_table
from movietui.protocol.wire import Message


@click.group(cls=Commands)
def data() -> None:
    """Get, clean and inspect datasets."""


@data.command("list")
@as_json
@handle_errors
def data_list(json_: bool) -> None:
    """List the datasets on disk or available for download, and IMDb's tables on disk."""
    from movietui.answers import datasets

    try:
        store = open_store()
    except Problem:  # a damaged store must not hide the datasets
        store = None
    listed: Sequence[Message] = [{**row} for row in datasets.list_stored(store)]
    if json_:
        print_json(listed)
        return
    print_rich(_dataset_table(listed, fitting_columns(partial(_dataset_table, listed), list(COLUMNS))))


COLUMNS: Mapping[str, Callable[[Message], str]] = {
    tr("dataset"): lambda entry: str(entry["name"]),
    tr("state"): lambda entry: ", ".join(
        dict.fromkeys([str(entry["state"]), *(["cluster"] if entry["cluster"] else [])])
    ),
    tr("years"): lambda entry: text.span(entry["first_year"], entry["last_year"]),
    tr("ratings"): lambda entry: f"{entry['ratings']:,}" if entry["ratings"] else "",
    tr("movies"): lambda entry: f"{entry['movies']:,}" if entry["movies"] else "",
    tr("download"): lambda entry: text.size(entry["download"]) if entry["download"] else "",
    tr("on disk"): lambda entry: text.size(entry["bytes"]) if entry["bytes"] else "",
    tr("first list"): lambda entry: text.until_list(entry["seconds"]),
    tr("needs"): lambda entry: text.size(entry["disk"]) if entry["disk"] else "",
    tr("title"): lambda entry: str(entry["title"]),
}
"""The columns of the table of datasets, the most important first; a narrow terminal shows as many as fit."""
FIGURES = (tr("ratings"), tr("movies"), tr("download"), tr("on disk"), tr("needs"))


def _dataset_table(listed: Sequence[Message], columns: Sequence[str]) -> Table:
    table = new_table(*columns, right=FIGURES)
    for entry in listed:
        table.add_row(*(COLUMNS[column](entry) for column in columns))
    return table


@data.command("get")
@click.argument("name", shell_complete=completers.datasets)
@click.option(
    "--from",
    "path",
    type=INPUT,
    help="A zip or folder with the original files, or any CSV, TSV or Parquet of ratings; - is standard input.",
)
@click.option(
    "--columns",
    metavar="USER,ITEM,RATING,TIME",
    help="The columns of your table, if its header does not tell: see docs/data.md.",
)
@click.option("--scale", metavar="LOW..HIGH", help="The scale of your ratings. Default: the one they are on.")
@click.option(
    "--insecure",
    is_flag=True,
    help="Do not check the server's certificate; the archive must still match the published checksum.",
)
@as_json
@handle_errors
def data_get(name: str, path: Path | None, columns: str | None, scale: str | None, insecure: bool, json_: bool) -> None:
    """Download the dataset NAME, or read it from your own files.

    An interrupted download resumes where it stopped. A table of your own needs a column for the user and one for the
    item; without ratings, only models of ranking learn from it.
    """
    from movietui.jobs import datasets

    named = [column.strip() for column in columns.split(",")] if columns else []
    with Bars() as bars:
        obtained = datasets.get(name, path, bars.stage, insecure=insecure, columns=named, scale=scale or "")
    if json_:
        print_json(obtained)
        return
    counts = ", ".join(text.plural(obtained[key], key[:-1]) for key in ("ratings", "users", "movies"))
    print_rich(f"{obtained['dataset']}: {counts} ({obtained['source']}, {text.duration(obtained['seconds'])})")
    if obtained["note"]:
        print_rich(obtained["note"])


@data.command("remove")
@click.argument("name", shell_complete=completers.stored_datasets)
@as_json
@handle_errors
def data_remove(name: str, json_: bool) -> None:
    """Remove the dataset NAME, its tables and its archive. Profiles keep their ratings."""
    from movietui.jobs import datasets

    removed = datasets.remove(open_store(), name)
    if json_:
        print_json(removed)
        return
    size = text.size(removed["bytes"])
    print_rich(tr("{dataset}: removed, {size} freed.", dataset=removed["dataset"], size=size))
    if removed["cluster"]:
        print_rich(tr("Its ratings on the cluster stay at {uri}", uri=removed["cluster"]))
    if removed["in_use"]:
        print_rich(tr("It was in use: choose another dataset with --dataset or in the app, or get this one again."))


cleaning_option = click.option(
    "--cleaning",
    "--preset",
    "cleaning",
    default=None,
    help=f"{CLEANING} Default: the cleaning chosen last, or else standard.",
)


@data.command("clean")
@click.argument("name", shell_complete=completers.stored_datasets)
@cleaning_option
@as_json
@handle_errors
def data_clean(name: str, cleaning: str | None, json_: bool) -> None:
    """Clean the dataset NAME and show what each rule removed."""
    from movietui.jobs import datasets

    store = open_store()
    with Bars() as bars:
        report = datasets.clean(name, cleaning or store.cleaning_of(name), bars.stage)
    if cleaning:
        store.clean_with(name, report["preset"])
    if json_:
        print_json(report)
    else:
        print_cleaning(report)


def print_cleaning(report: Mapping[str, Any]) -> None:
    """Print what each rule removed."""
    right = (tr("before"), tr("removed"))
    table = new_table("", tr("rule"), *right, tr("also"), tr("example"), right=right)
    for rule in report["rules"]:
        removed = f"{rule['removed']:,}" if rule["on"] else f"({rule['removed']:,})"
        removed_too = (("movie", rule["removed_movies"]), ("user", rule["removed_users"]))
        also = [text.plural(count, what) for what, count in removed_too if count]
        also += [tr("{count:,} changed", count=rule["changed"])] if rule["changed"] else []
        example = rule["note"] or next(iter(rule["examples"]), "")
        mark = "✓" if rule["on"] else "–"
        table.add_row(mark, rule["title"], f"{rule['before']:,}", removed, ", ".join(also), example)
    left = (("rating", report["ratings"]), ("user", report["users"]), ("movie", report["movies"]))
    counts = ", ".join(text.plural(count, what) for what, count in left)
    dataset, cleaning = report["dataset"], report["preset"]
    after = tr("{dataset} after cleaning ({cleaning}): {counts}", dataset=dataset, cleaning=cleaning, counts=counts)
    print_rich(table, after)


@data.command("show")
@click.argument("name", shell_complete=completers.stored_datasets)
@cleaning_option
@as_json
@handle_errors
def data_show(name: str, cleaning: str | None, json_: bool) -> None:
    """Show what is in the dataset NAME."""
    from movietui.data import catalogue

    with Bars() as bars:
        facts = catalogue.show(name, cleaning or open_store().cleaning_of(name), bars.stage)
    if json_:
        print_json(facts)
        return
    counts = ", ".join(text.plural(facts[key], key[:-1]) for key in ("ratings", "users", "movies"))
    published = ", ".join(text.plural(facts["published"][key], key[:-1]) for key in ("ratings", "users", "movies"))
    title, preset = facts["title"], facts["preset"]
    print_rich(tr("{dataset}, cleaning {cleaning}: {counts}", dataset=title, cleaning=preset, counts=counts))
    table = new_table("", "")
    table.add_row(tr("as published"), published)
    table.add_row(tr("scale"), facts["scale_note"])
    if facts["mean_rating"] is not None:
        table.add_row(tr("mean rating"), text.figure(facts["mean_rating"]))
    if facts["first"]:
        table.add_row(tr("rated"), tr("{first} to {last}", first=facts["first"], last=facts["last"]))
    table.add_row(tr("density"), tr("{density:.2%} of all user-movie pairs", density=facts["density"]))
    table.add_row(tr("ratings per user"), _counts_text(facts["ratings_per_user"]))
    table.add_row(tr("ratings per movie"), _counts_text(facts["ratings_per_movie"]))
    table.add_row(tr("most rated"), ", ".join(f"{row['title']} {row['ratings']:,}" for row in facts["most_rated"][:5]))
    for key, counted in ((tr("genders"), facts["genders"]), (tr("occupations"), facts["occupations"])):
        if counted:
            table.add_row(key, _counts_text(counted))
    missing = {
        tr("without {fact}", fact=key.replace("_", " ")): count for key, count in facts["missing"].items() if count
    }
    for key, value in (
        (tr("missing"), _counts_text(missing)),
        (tr("absent"), facts["absent_note"]),
        (tr("note"), facts["note"]),
        (tr("on disk"), tr("{size} in {folder}", size=text.size(facts["bytes"]), folder=facts["folder"])),
        (tr("terms"), facts["terms"]),
        (tr("citation"), facts["citation"]),
    ):
        if value:
            table.add_row(key, value)
    print_rich(table, *(part for chart in facts["charts"] for part in ("", *_chart(chart))))


@data.command("imdb")
@click.argument("name", shell_complete=completers.stored_datasets)
@click.option("--from", "path", type=PASTED, help="A folder with IMDb's tables (tsv.gz).")
@as_json
@handle_errors
def data_imdb(name: str, path: Path | None, json_: bool) -> None:
    """Join the dataset NAME with IMDb: ratings, votes, runtimes, genres, people, languages and countries.

    Without --from, the tables are downloaded. Review ambiguous movies on the Data screen; your choices are remembered.
    """
    from movietui.jobs import datasets

    with Bars() as bars:
        report = datasets.join_imdb(name, path, bars.stage)
    if json_:
        print_json(report)
        return
    by = ", ".join(tr("{count:,} by {way}", count=count, way=way) for way, count in report["by"].items() if count)
    table = new_table("", tr("movies"), "", right=(tr("movies"),))
    table.add_row(tr("matched"), f"{report['matched']:,}", by)
    for outcome, count, movies in (
        (tr("ambiguous"), report["ambiguous"], report["ambiguous_movies"]),
        (tr("unmatched"), report["unmatched"], report["unmatched_movies"]),
    ):
        examples = ", ".join(movie["title"] for movie in movies[:3])
        table.add_row(outcome, f"{count:,}", tr("for example {movies}", movies=examples) if examples else "")
    seconds, peak = text.duration(report["seconds"]), text.size(report["peak_bytes"])
    done = tr("{dataset} joined with IMDb in {duration}, peak memory {size}", dataset=name, duration=seconds, size=peak)
    print_rich(table, *report["notes"], done, report["terms"])


MOST_BARS = 24
BAR = 40
"""The cells of the longest bar."""


def _chart(chart: Message) -> list[Table | str]:
    """Return the title of a chart and its table: shares, or up to ``MOST_BARS`` bars, each of one or more labels."""
    title = chart["title"] + (f" ({chart['note']})" if chart["note"] else "")
    if chart["shares"]:
        table = new_table(
            *map(str, range(len(chart["shares"][0]))), right=[str(c) for c in range(len(chart["shares"][0]))]
        )
        table.show_header = False
        for row in chart["shares"]:
            table.add_row(*(f"{share:.1%}" for share in row))
        return [title, table]
    per_bar = -(-len(chart["labels"]) // MOST_BARS)
    bars = []
    for start in range(0, len(chart["labels"]), per_bar):
        labels = chart["labels"][start : start + per_bar]
        label = labels[0] if len(labels) == 1 else f"{labels[0]}–{labels[-1]}"
        also = [f"{sum(chart['also'][start : start + per_bar]):,}"] if chart["also"] else []
        bars.append((label, sum(chart["counts"][start : start + per_bar]), also))
    most = max(count for _, count, _ in bars)
    counted = [chart["of"], *([chart["also_of"]] if chart["also"] else [])]
    table = new_table("", *counted, "", right=counted)
    table.show_header = bool(chart["also"])
    for label, count, also in bars:
        table.add_row(label, f"{count:,}", *also, "█" * round(count / most * BAR) or ("▏" if count else ""))
    return [title, table]


def _counts_text(counts: dict[str, float]) -> str:
    return "  ".join(f"{key.replace('_', ' ')} {count:,.10g}" for key, count in counts.items())
