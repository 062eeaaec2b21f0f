"""Commands about what a profile contains: import, history, export."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click
from rich.table import Table

from movietui.cli import completers
from movietui.cli.commands import Named
from movietui.cli.lists import for_viewers, viewers_named
from movietui.cli.output import (
    as_json,
    dataset_named,
    dataset_option,
    handle_errors,
    open_store,
    print_json,
    print_rich,
    print_rows,
)
from movietui.cli.standard_files import INPUT, OUTPUT
from movietui.data.language import tr
from movietui.data.near_names import either, hint, near_names
from movietui.formatting import newer_datasets, text
from movietui.formatting.tables import new_table
from movietui.protocol.messages import ImportedRow

if TYPE_CHECKING:
    from movietui.data.imports.entries import Choices


SHOWN = 200
"""How many movies of each outcome are listed; ``--json`` prints all."""
SCALE = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?\.\.)?([0-9]{1,4})")
MEANINGS = ("seen", "watchlist")


def choices_of(scale: str | None, named: Sequence[str], meaning: str | None) -> Choices:
    """Return what the options say about how to read a file. Raises ``click.UsageError`` if an option is invalid."""
    from movietui.data.imports.columns import ROLES
    from movietui.data.imports.entries import Choices

    top = SCALE.fullmatch(scale) if scale else None
    if scale and (top is None or int(top[1]) < 2):
        raise click.UsageError(
            tr(
                "--scale needs the highest rating, such as 5, 10 or 100, or a range, such as 1..10, not {scale!r}.",
                scale=scale,
            )
        )
    columns = {}
    for each in named:
        role, equals, name = each.partition("=")
        if not equals or role not in ROLES or not name:
            roles = tr("WHAT is one of {roles}.", roles=", ".join(ROLES))
            meant = hint(role, () if role in ROLES else ROLES, roles)
            raise click.UsageError(tr("--column needs WHAT=NAME, not {entry!r}; {advice}", entry=each, advice=meant))
        columns[role] = name
    kind, colon, name = (meaning or "").partition(":")
    if meaning and (colon or meaning not in MEANINGS) and (kind != "list" or not name.strip()):
        near = near_names(meaning, MEANINGS)
        needs = tr("--as needs seen, watchlist or list:NAME, not {meaning!r}", meaning=meaning)
        meant = tr("; did you mean {names}?", names=either(near)) if near else "."
        raise click.UsageError(f"{needs}{meant}")
    return Choices(int(top[1]) if top else 0, columns, cast("Any", kind), name)


settle_option = click.option(
    "--settle",
    multiple=True,
    metavar="TITLE=MOVIE",
    help='Choose the movie that a title is, by id, or "none"; the choice is remembered: --settle "Hamlet (1996)=1411".',
)


def settled_by(options: Sequence[str]) -> dict[str, str]:
    """Return the movies that ``--settle`` names, by title. Raises ``click.UsageError`` if an option is invalid."""
    wrong = [entry for entry in options if "=" not in entry]
    if wrong:
        raise click.UsageError(tr("--settle needs TITLE=MOVIE, not {entry!r}.", entry=wrong[0]))
    return {title: movie for title, _, movie in (entry.rpartition("=") for entry in options)}


@click.command("import")
@click.argument("path", metavar="FILE", type=INPUT)
@click.option(
    "--profile",
    "name",
    required=True,
    help="Profile to import into; a new name creates a profile.",
    shell_complete=completers.profiles,
)
@click.option("--preview", is_flag=True, help="Show how the file is read and what would be imported; change nothing.")
@settle_option
@click.option(
    "--scale",
    metavar="TOP",
    help="The highest rating in FILE, if FILE does not say, such as 5, 10 or 100, or a range, such as 1..10.",
)
@click.option(
    "--column",
    "named",
    multiple=True,
    metavar="WHAT=NAME",
    help='Say what a column contains: --column rating="My Score".',
)
@click.option(
    "--as",
    "meaning",
    metavar="WHAT",
    help="How to import movies without a rating, if FILE does not say: seen, watchlist or list:NAME.",
)
@dataset_option
@as_json
@handle_errors
def import_(
    path: Path,
    name: str,
    preview: bool,
    settle: Sequence[str],
    scale: str | None,
    named: Sequence[str],
    meaning: str | None,
    dataset: str | None,
    json_: bool,
) -> None:
    """Import ratings and lists from FILE into a profile.

    FILE is a zip from Letterboxd or Trakt, a table from Letterboxd, IMDb, MovieLens or TMDB, a table of your own, or a
    text file with a title on each line. Movies that are not in the dataset are saved in the profile too, and are
    included in exports. Newer ratings in the profile are kept. Lists keep their names; movietui list shows them.
    """
    from movietui.answers import import_ratings
    from movietui.data import catalogue
    from movietui.data.imports.matching import Matcher

    settled = settled_by(settle)
    choices = choices_of(scale, named, meaning)
    store = open_store()
    used = dataset_named(store, dataset)
    matcher = Matcher(catalogue.load(used, store.cleaning_of(used)))
    result = import_ratings.import_file(store, name, path, matcher, settled, choices, preview=preview)
    if json_:
        print_rows(result.head(), {outcome: result.rows(outcome) for outcome in import_ratings.OUTCOMES})
        return
    report = result.to_json(SHOWN)
    table = new_table("", tr("movie"), "", "")
    add_matches(table, tr("ambiguous"), report["ambiguous"])
    add_matches(table, tr("unmatched"), report["unmatched"])
    for part, skipped in ((tr("skipped"), report["skipped"]), (tr("partly read"), report["unread"])):
        for each in skipped[:SHOWN]:
            table.add_row(part, each["title"], each["reason"], each["location"])
    counts = report["counts"]
    if table.row_count:
        print_rich(table)
    if any(counts[part] > SHOWN for part in counts if part != "matched"):
        print_rich(tr("Only the first {count} movies of each outcome are listed; --json prints all.", count=SHOWN))
    print_rich(*(line for reading in report["tables"] for line in text.describe_table(reading)), *report["notes"])
    outcomes = tr(
        "{matched:,} matched, {ambiguous:,} ambiguous, {unmatched:,} unmatched, {skipped:,} skipped",
        matched=counts["matched"],
        ambiguous=counts["ambiguous"],
        unmatched=counts["unmatched"],
        skipped=counts["skipped"],
    )
    done = tr("preview, nothing changed") if preview else text.plural(report["changes"], "change")
    print_rich(f"{report['profile']}: {report['format']}, {outcomes}; {done}")
    for named_list in report["lists"]:
        titles, listed = text.plural(named_list["movies"], "title"), named_list["name"]
        print_rich(
            tr("{titles} would become the list “{list}”", titles=titles, list=listed)
            if preview
            else tr("{titles} became the list “{list}”", titles=titles, list=listed)
        )
    if (newer := report["newer"]) is not None:
        print_rich(f"{newer_datasets.reason(newer)}. {newer_datasets.offer(newer)}.")
        if newer["commands"]:
            print_rich(tr("To use it: {commands}", commands=" && ".join(newer["commands"])))
    if report["stayed"]:
        ratings = text.plural(report["stayed"], "rating")
        profile = report["profile"]
        print_rich(
            tr("Kept {ratings} of {profile}, typed in or newer than in the file.", ratings=ratings, profile=profile)
        )


def add_matches(table: Table, outcome: str, movies: Iterable[ImportedRow]) -> None:
    """Add titles without a match to a table, each with the reason and the movies that it may be."""
    for row in movies:
        candidates = ", ".join(
            tr("{movie} is {id}", movie=text.movie_title(movie), id=movie["id"]) for movie in row.get("candidates", ())
        )
        table.add_row(outcome, text.movie_title(row), row.get("reason", ""), candidates)


@click.command()
@for_viewers
@click.option(
    "-k", "most", default=None, type=click.IntRange(1), help="Show only this many of each viewer's newest changes."
)
@dataset_option
@as_json
@handle_errors
def history(users: Sequence[str], profiles: Sequence[str], most: int | None, dataset: str | None, json_: bool) -> None:
    """Show when viewers rated, marked and imported movies and changed lists, newest first.

    Without --profile or --user, show this for all profiles. Undone steps that can be redone are marked.
    """
    from movietui.answers import lists
    from movietui.ui import wording

    store = open_store()
    if users or profiles:
        viewers = viewers_named(store, users, profiles, dataset_named(store, dataset))
    else:
        viewers = [ref for ref, _ in store.profiles()]
    if json_:
        print_json(lists.history(store, viewers, most))
        return
    if not viewers:
        print_rich(tr("There is no profile yet; movietui rate or movietui import creates one."))
    for ref in viewers:
        table = new_table(tr("when"), tr("what"), tr("movie"), "")
        for step in store.history(ref)[:most]:
            undone = tr("undone") if step.undone else ""
            table.add_row(text.moment(step.at), wording.summarize_step(step), wording.about(step), undone)
        report = [table] if table.row_count else [tr("nothing yet; ratings, marks and imports will be listed here")]
        print_rich(ref.label, *report, *([""] if ref is not viewers[-1] else []))


EXPORTS = ("letterboxd", "imdb", "movielens", "csv", "watchlist", "shortlist")


@click.command()
@click.option("--profile", "name", required=True, help="Profile to export.", shell_complete=completers.profiles)
@click.option("--format", "format_", required=True, type=Named(EXPORTS), help="Format of the file.")
@click.option(
    "--list",
    "listed",
    default=None,
    metavar="NAME",
    help="Export this list, as csv or letterboxd.",
    shell_complete=completers.named_lists,
)
@click.option("--output", required=True, type=OUTPUT, help="File to write; - is standard output.")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@click.option("-k", default=10, show_default=True, type=click.IntRange(1), help="How many movies a shortlist contains.")
@dataset_option
@as_json
@handle_errors
def export(
    name: str,
    format_: str,
    listed: str | None,
    output: Path,
    force: bool,
    k: int,
    dataset: str | None,
    json_: bool,
) -> None:
    """Export a profile, or one of its lists, to a file.

    letterboxd, imdb and movielens are tables for these services. csv contains all ratings and marks. watchlist and
    shortlist (the best unseen movies) are Markdown.
    """
    from movietui.answers import lists, named_lists

    if listed is not None and format_ not in named_lists.EXPORTED_AS:
        raise click.UsageError(
            tr(
                "--list works only with --format {formats}, not with {format}.",
                formats=either(named_lists.EXPORTED_AS),
                format=format_,
            )
        )
    store = open_store()
    ref = lists.named_profile(store, name)
    if listed is not None:
        report = named_lists.export(store, ref, listed, format_, output, force=force)
    else:
        named = dataset_named(store, dataset) if format_ == "shortlist" else ""
        report = lists.export(store, ref, format_, output, named, k, force=force)
    if json_:
        print_json(report)
        return
    skipped = tr(", {count:,} skipped", count=report["left_out"]) if report["left_out"] else ""
    exported = tr(
        "{profile}: exported {movies} to {path}",
        profile=report["profile"],
        movies=text.plural(len(report["movies"]), "movie"),
        path=report["output"],
    )
    print_rich(f"{exported}{skipped}")
    if report["note"]:
        print_rich(report["note"])
