"""``movietui data``: get, clean and look at datasets."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from movietui import text
from movietui.cli.commands import CLEANING, Commands
from movietui.output import (
    Bars,
    answers,
    as_json,
    new_table,
    open_store,
    print_json,
    print_rich,
)
from movietui.wire import Message


@click.group(cls=Commands)
def data() -> None:
    """Get, clean and look at datasets."""


@data.command("list")
@as_json
@answers
def data_list(json_: bool) -> None:
    """List the datasets that are here or can be fetched, and what is here of IMDb's tables."""
    from data import catalogue

    listed = catalogue.stored()
    if json_:
        print_json([entry.to_json() for entry in listed])
        return
    table = new_table("dataset", "state", "ratings", "on disk", "title", right=("ratings", "on disk"))
    for entry in listed:
        ratings = f"{entry.ratings:,}" if entry.ratings else ""
        table.add_row(entry.name, entry.state, ratings, text.size(entry.bytes) if entry.bytes else "", entry.title)
    print_rich(table)


@data.command("get")
@click.argument("name")
@click.option("--from", "path", type=click.Path(path_type=Path), help="A zip or folder with the original files.")
@click.option(
    "--insecure",
    is_flag=True,
    help="Do not verify the server's certificate; only an archive with the published checksum is taken.",
)
@as_json
@answers
def data_get(name: str, path: Path | None, insecure: bool, json_: bool) -> None:
    """Fetch the dataset NAME, or read it from a file of yours.

    A download that was broken off goes on where it was.
    """
    from movietui import tasks

    with Bars() as bars:
        obtained = tasks.get(name, path, bars.stage, insecure=insecure)
    if json_:
        print_json(obtained)
        return
    counts = ", ".join(text.plural(obtained[of], of[:-1]) for of in ("ratings", "users", "movies"))
    print_rich(f"{obtained['dataset']}: {counts} ({obtained['source']}, {text.duration(obtained['seconds'])})")
    if obtained["note"]:
        print_rich(obtained["note"])


@data.command("remove")
@click.argument("name")
@as_json
@answers
def data_remove(name: str, json_: bool) -> None:
    """Remove the dataset NAME: its tables and the downloaded archive. Ratings of profiles stay."""
    from movietui import tasks

    removed = tasks.remove(open_store(), name)
    if json_:
        print_json(removed)
        return
    print_rich(f"{removed['dataset']}: removed, {text.size(removed['bytes'])} free.")
    if removed["in_use"]:
        print_rich("It is the one in use: choose another with --dataset or in the app, or get it again.")


cleaning_option = click.option("--cleaning", "--preset", "cleaning", default=None, help=f"{CLEANING} Else as chosen.")


@data.command("clean")
@click.argument("name")
@cleaning_option
@as_json
@answers
def data_clean(name: str, cleaning: str | None, json_: bool) -> None:
    """Clean the dataset NAME and tell what each rule took away."""
    from movietui import tasks

    store = open_store()
    with Bars() as bars:
        report = tasks.clean(name, cleaning or store.cleaning_of(name), bars.stage)
    if cleaning:
        store.clean_with(name, report["preset"])
    if json_:
        print_json(report)
        return
    table = new_table("", "rule", "before", "removed", "also", "example", right=("before", "removed"))
    for rule in report["rules"]:
        removed = f"{rule['removed']:,}" if rule["on"] else f"({rule['removed']:,})"
        also = [text.plural(rule[f"removed_{of}s"], of) for of in ("movie", "user") if rule[f"removed_{of}s"]]
        also += [f"{rule['changed']:,} changed"] if rule["changed"] else []
        example = rule["note"] or next(iter(rule["examples"]), "")
        mark = "✔" if rule["on"] else "–"
        table.add_row(mark, rule["title"], f"{rule['before']:,}", removed, ", ".join(also), example)
    counts = ", ".join(text.plural(report[of], of[:-1]) for of in ("ratings", "users", "movies"))
    print_rich(table, f"{report['dataset']} after cleaning ({report['preset']}): {counts}")


@data.command("show")
@click.argument("name")
@cleaning_option
@as_json
@answers
def data_show(name: str, cleaning: str | None, json_: bool) -> None:
    """Tell what is in the dataset NAME."""
    from data import catalogue

    with Bars() as bars:
        facts = catalogue.show(name, cleaning or open_store().cleaning_of(name), bars.stage)
    if json_:
        print_json(facts)
        return
    counts = ", ".join(text.plural(facts[of], of[:-1]) for of in ("ratings", "users", "movies"))
    published = ", ".join(text.plural(facts["published"][of], of[:-1]) for of in ("ratings", "users", "movies"))
    print_rich(f"{facts['title']}, cleaning {facts['preset']}: {counts}")
    table = new_table("", "")
    table.add_row("as published", published)
    table.add_row("rated", f"{facts['first']} to {facts['last']}, mean {facts['mean_stars']:.2f} stars")
    table.add_row("density", f"{facts['density']:.2%} of all pairs of user and movie")
    for key in ("ratings_per_user", "ratings_per_movie"):
        table.add_row(key.replace("_", " "), _told(facts[key]))
    table.add_row("most rated", ", ".join(f"{row['title']} {row['ratings']:,}" for row in facts["most_rated"][:5]))
    for key in ("genders", "occupations"):
        if facts[key]:
            table.add_row(key, _told(facts[key]))
    missing = {f"without {key.replace('_', ' ')}": count for key, count in facts["missing"].items() if count}
    for key, value in (
        ("missing", _told(missing)),
        ("absent", facts["absent_note"]),
        ("note", facts["note"]),
        ("on disk", f"{text.size(facts['bytes'])} in {facts['folder']}"),
        ("terms", facts["terms"]),
        ("citation", facts["citation"]),
    ):
        if value:
            table.add_row(key, value)
    print_rich(table, *(part for chart in facts["charts"] for part in ("", *_drawn(chart))))


@data.command("imdb")
@click.argument("name")
@click.option("--from", "path", type=click.Path(path_type=Path), help="A folder with IMDb's tables (tsv.gz).")
@as_json
@answers
def data_imdb(name: str, path: Path | None, json_: bool) -> None:
    """Join the dataset NAME with IMDb: ratings, votes, runtimes, genres and directors.

    The tables are downloaded unless --from names a folder that holds them. What is ambiguous can be settled on the
    Data screen and is remembered.
    """
    from movietui import tasks

    with Bars() as bars:
        report = tasks.imdb(name, path, bars.stage)
    if json_:
        print_json(report)
        return
    by = ", ".join(f"{count:,} by {way}" for way, count in report["by"].items() if count)
    table = new_table("", "movies", "", right=("movies",))
    table.add_row("matched", f"{report['matched']:,}", by)
    for outcome in ("ambiguous", "unmatched"):
        examples = ", ".join(row["title"] for row in report[f"{outcome}_movies"][:3])
        table.add_row(outcome, f"{report[outcome]:,}", f"for example {examples}" if examples else "")
    seconds, peak = text.duration(report["seconds"]), text.size(report["peak_bytes"])
    print_rich(
        table, *report["notes"], f"{name} joined with IMDb in {seconds}, at most {peak} of memory", report["terms"]
    )


MOST_BARS = 24
BAR = 40


def _drawn(chart: Message) -> list[Table | str]:
    """A chart as bars; where there are many, neighbours are counted together."""
    title = chart["title"] + (f" ({chart['note']})" if chart["note"] else "")
    if chart["shares"]:
        table = new_table(
            *map(str, range(len(chart["shares"][0]))), right=[str(c) for c in range(len(chart["shares"][0]))]
        )
        table.show_header = False
        for row in chart["shares"]:
            table.add_row(*(f"{share:.1%}" for share in row))
        return [title, table]
    together = -(-len(chart["labels"]) // MOST_BARS)
    bars = []
    for start in range(0, len(chart["labels"]), together):
        labels = chart["labels"][start : start + together]
        label = labels[0] if len(labels) == 1 else f"{labels[0]}–{labels[-1]}"
        bars.append((label, sum(chart["counts"][start : start + together])))
    most = max(count for _, count in bars)
    table = new_table("label", "count", "bar", right=("count",))
    table.show_header = False
    for label, count in bars:
        table.add_row(label, f"{count:,}", "█" * round(count / most * BAR) or ("▏" if count else ""))
    return [title, table]


def _told(counts: dict[str, float]) -> str:
    return "  ".join(f"{key.replace('_', ' ')} {count:,.10g}" for key, count in counts.items())
