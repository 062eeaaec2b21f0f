"""``movietui list``: the named lists and shelves of a profile."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from movietui.cli import completers
from movietui.cli.commands import SEEDS, Commands
from movietui.cli.output import (
    Bars,
    as_json,
    dataset_named,
    dataset_option,
    handle_errors,
    open_store,
    print_json,
    print_rich,
    print_rows,
)
from movietui.cli.profiles import add_matches, settle_option, settled_by
from movietui.cli.standard_files import INPUT, name_of
from movietui.data.language import tr
from movietui.data.query.list_conditions import command
from movietui.formatting import text
from movietui.formatting.tables import new_table

if TYPE_CHECKING:
    from movietui.answers.named_lists import Filled
    from movietui.data.imports.matching import Matcher

SHOWN = 20
"""How many titles of each outcome are listed as examples; ``--json`` prints all."""


@dataclass(frozen=True)
class _Target:
    """The profile and the dataset that the options before a subcommand name."""

    profile: str
    dataset: str | None

    def dataset_for(self, store: Any, dataset: str | None) -> str:
        """Return the dataset that the options of a subcommand name, else those before it, else the one in use."""
        return dataset_named(store, dataset or self.dataset)


@click.group("list", cls=Commands, invoke_without_command=True)
@click.option(
    "--profile",
    "name",
    required=True,
    help="Profile whose lists to show or change.",
    shell_complete=completers.profiles,
)
@click.option("--dataset", hidden=True)
@click.option("--seed", hidden=True, expose_value=False, type=SEEDS)
@as_json
@click.pass_context
@handle_errors
def list_(context: click.Context, name: str, dataset: str | None, json_: bool) -> None:
    """List the named lists of a profile, such as its shelf and the lists imported from Letterboxd.

    The filter list:NAME shows only movies on a list. Each change of a list can be undone in the app.
    """
    from movietui.answers import lists, named_lists

    if context.invoked_subcommand is not None:
        context.obj = _Target(name, dataset)
        return
    store = open_store()
    report = named_lists.overview(store, lists.named_profile(store, name))
    if json_:
        print_json(report)
        return
    table = new_table(tr("list"), tr("movies"), right=(tr("movies"),))
    for row in report["lists"]:
        table.add_row(row["name"], f"{row['movies']:,}")
    scanning = command(report["profile"], "scan DIR")
    makes = tr("{command} makes one from a folder with movie files.", command=scanning)
    advice = tr("{profile} has no list yet; {advice}", profile=report["profile"], advice=makes)
    print_rich(table if report["lists"] else advice)


listed_argument = click.argument("listed", metavar="NAME", shell_complete=completers.named_lists)


@list_.command("show")
@listed_argument
@as_json
@click.pass_obj
@handle_errors
def show(target: _Target, listed: str, json_: bool) -> None:
    """Print the movies on the list NAME, in order."""
    from movietui.answers import lists, named_lists

    store = open_store()
    report = named_lists.show(store, lists.named_profile(store, target.profile), listed)
    if json_:
        print_json(report)
        return
    table = new_table("#", tr("movie"), tr("note"), right=("#",))
    for row in report["movies"]:
        table.add_row(str(row["position"]), text.movie_title(row), row["note"] or "")
    print_rich(f"{report['list']}: {text.plural(len(report['movies']), 'movie')}", table)


@list_.command("add")
@listed_argument
@click.argument("movies", metavar="MOVIE...", nargs=-1, required=True, shell_complete=completers.movies)
@dataset_option
@as_json
@click.pass_obj
@handle_errors
def add(target: _Target, listed: str, movies: Sequence[str], dataset: str | None, json_: bool) -> None:
    """Add movies to the list NAME; a new name makes a list.

    MOVIE is a title such as "Fargo (1996)", or an id from --json. A MOVIE that could be either is read as a title;
    id:300 is always an id.
    """
    from movietui.answers import named_lists

    store = open_store()
    used = target.dataset_for(store, dataset)
    _print_change(named_lists.add(store, used, target.profile, listed, movies), json_=json_)


@list_.command("remove")
@listed_argument
@click.argument("movies", metavar="[MOVIE]...", nargs=-1, shell_complete=completers.movies)
@dataset_option
@as_json
@click.pass_obj
@handle_errors
def remove(target: _Target, listed: str, movies: Sequence[str], dataset: str | None, json_: bool) -> None:
    """Remove movies from the list NAME or, without MOVIE, the whole list."""
    from movietui.answers import named_lists

    store = open_store()
    used = target.dataset_for(store, dataset)
    _print_change(named_lists.remove(store, used, target.profile, listed, movies), json_=json_)


def _print_change(report: dict[str, Any], *, json_: bool) -> None:
    if json_:
        print_json(report)
    else:
        print_rich(f"{report['profile']}: {_describe_change(report)}")


@list_.command("import")
@click.argument("path", metavar="FILE", type=INPUT)
@click.argument("listed", metavar="[NAME]", required=False, shell_complete=completers.named_lists)
@settle_option
@dataset_option
@as_json
@click.pass_obj
@handle_errors
def import_(
    target: _Target, path: Path, listed: str | None, settle: Sequence[str], dataset: str | None, json_: bool
) -> None:
    """Fill the list NAME with the titles in FILE, in place of the movies on it.

    FILE is a list from Letterboxd or IMDb, a table with titles, or a text file with a title on each line. Without NAME,
    the list is named as in FILE. Titles that are not in the dataset stay on the list, and count in datasets that have
    them.
    """
    from movietui.answers import named_lists

    settled = settled_by(settle)
    store = open_store()
    matcher = _matcher(store, target.dataset_for(store, dataset))
    _print_filled(named_lists.import_list(store, target.profile, path, listed, matcher, settled), json_=json_)


@list_.command("scan")
@click.argument("path", metavar="DIR", type=INPUT)
@click.argument("listed", metavar="[NAME]", required=False, shell_complete=completers.named_lists)
@settle_option
@dataset_option
@as_json
@click.pass_obj
@handle_errors
def scan(
    target: _Target, path: Path, listed: str | None, settle: Sequence[str], dataset: str | None, json_: bool
) -> None:
    """Fill the list NAME, by default "shelf", with the movies in the folder DIR, in place of the movies on it.

    Movies are recognised by the names of files and folders, such as "Heat (1995)" and Heat.1995.1080p.x264-GRP.mkv,
    and by the ids in .nfo files. Extras, samples and episodes of series are ignored, and links are not followed. DIR
    can also be a table that Jellyfin, Plex or Kodi exported from a library.
    """
    from movietui.answers import named_lists

    settled = settled_by(settle)
    store = open_store()
    matcher = _matcher(store, target.dataset_for(store, dataset))
    with Bars() as bars:
        filled = named_lists.scan(store, target.profile, path, listed, matcher, settled, bars.stage)
    _print_filled(filled, json_=json_)


def _matcher(store: Any, dataset: str) -> Matcher:
    from movietui.data import catalogue
    from movietui.data.imports.matching import Matcher

    return Matcher(catalogue.load(dataset, store.cleaning_of(dataset)))


def _print_filled(filled: Filled, *, json_: bool) -> None:
    from movietui.answers.import_ratings import OUTCOMES

    report = filled.head()
    if json_:
        print_rows(report, {outcome: filled.rows(outcome) for outcome in OUTCOMES})
        return
    counts = report["counts"]
    table = new_table("", tr("movie"), "", "")
    for outcome, shown in (("ambiguous", tr("ambiguous")), ("unmatched", tr("unmatched"))):
        add_matches(table, shown, itertools.islice(filled.rows(outcome), SHOWN))
    if table.row_count:
        print_rich(table)
    if counts["ambiguous"] > SHOWN or counts["unmatched"] > SHOWN:
        print_rich(tr("Only {count} titles of each kind are listed; --json prints all.", count=SHOWN))
    if counts["ambiguous"]:
        print_rich(tr('To say which movie a title is, repeat the command with --settle "TITLE=ID".'))
    if report["ignored"]:
        ignored = ", ".join(f"{what} ({count:,})" for what, count in report["ignored"].items())
        print_rich(tr("Ignored: {files}.", files=ignored))
    print_rich(*report["notes"])
    files = text.plural(report["files"], "movie file") + ", " if report["files"] else ""
    outcomes = tr(
        "{matched:,} matched, {ambiguous:,} ambiguous, {unmatched:,} unmatched",
        matched=counts["matched"],
        ambiguous=counts["ambiguous"],
        unmatched=counts["unmatched"],
    )
    print_rich(
        tr(
            "{source}: {files}{outcomes} in {dataset}",
            source=name_of(report["source"]),
            files=files,
            outcomes=outcomes,
            dataset=report["dataset"],
        )
    )
    print_rich(f"{report['profile']}: {_describe_change(report)}")


def _describe_change(report: dict[str, Any]) -> str:
    """Return what happened to a list: ``“shelf” now has 143 movies, 4 added and 2 removed``."""
    name = f"“{report['list']}”"
    if not report["movies"]:
        return (
            tr("removed the list {list}", list=name)
            if report["removed"]
            else tr("the list {list} has no movies", list=name)
        )
    changed = [tr("{count:,} added", count=len(report["added"]))] if report["added"] else []
    changed += [tr("{count:,} removed", count=len(report["removed"]))] if report["removed"] else []
    movies = text.plural(report["movies"], "movie")
    if not changed:
        return tr("{list} has the same {movies} as before", list=name, movies=movies)
    return tr("{list} now has {movies}, {changes}", list=name, movies=movies, changes=tr(" and ").join(changed))
