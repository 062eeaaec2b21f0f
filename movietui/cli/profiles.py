"""Commands about what a profile has: import, history, export."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from movietui import text
from movietui.cli.lists import for_viewers, titled, viewers_named
from movietui.output import (
    answers,
    as_json,
    dataset_named,
    dataset_option,
    new_table,
    open_store,
    print_json,
    print_rich,
)


@click.command("import")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--profile", "name", required=True, help="Whose ratings; a new name makes a new profile.")
@click.option("--preview", is_flag=True, help="Tell what would be imported; change nothing.")
@click.option(
    "--settle",
    multiple=True,
    metavar="TITLE=MOVIE",
    help='Which movie of the dataset, by id or "none", a film is; remembered: --settle "Hamlet (1996)=1411".',
)
@dataset_option
@as_json
@answers
def import_(path: Path, name: str, preview: bool, settle: Sequence[str], dataset: str | None, json_: bool) -> None:
    """Import the ratings and lists that another service exported to FILE.

    FILE is a zip of Letterboxd or Trakt, or a table of Letterboxd, IMDb, MovieLens, TMDB or of your own. Films that the
    dataset does not have are kept, count as seen, and are exported again. What is newer in the profile stays.
    """
    from data import catalogue
    from data.imports.matching import Matcher
    from movietui import importing

    wrong = [entry for entry in settle if "=" not in entry]
    if wrong:
        raise click.UsageError(f"--settle takes TITLE=MOVIE, not {wrong[0]!r}.")
    store = open_store()
    settled = {title: movie for title, _, movie in (entry.rpartition("=") for entry in settle)}
    named = dataset_named(store, dataset)
    matcher = Matcher(catalogue.load(named, store.cleaning_of(named)))
    told = importing.bring(store, name, path, matcher, settled, preview=preview)
    if json_:
        print_json(told)
        return
    table = new_table("", "film", "", "")
    for outcome in ("ambiguous", "unmatched"):
        for row in told[outcome]:
            candidates = ", ".join(f"{titled(movie)} is {movie['id']}" for movie in row.get("candidates", ()))
            table.add_row(outcome, titled(row), row["reason"], candidates)
    for row in told["skipped"]:
        table.add_row("skipped", row["title"], row["reason"], row["place"])
    counts = ", ".join(
        f"{len(told[outcome]):,} {outcome}" for outcome in ("matched", "ambiguous", "unmatched", "skipped")
    )
    done = "a preview, nothing is changed" if preview else text.plural(told["changes"], "change")
    if table.row_count:
        print_rich(table)
    print_rich(f"{told['profile']}: {told['format']}, {counts}; {done}")


@click.command()
@for_viewers
@click.option("-k", "most", default=None, type=click.IntRange(1), help="How many steps of each; else all.")
@dataset_option
@as_json
@answers
def history(users: Sequence[str], profiles: Sequence[str], most: int | None, dataset: str | None, json_: bool) -> None:
    """List ratings, marks and imports with their times, newest first; of all profiles where none is named.

    What was taken back, and can be done again, is marked as undone.
    """
    from movietui import asking, saying

    store = open_store()
    if users or profiles:
        viewers = viewers_named(store, users, profiles, dataset_named(store, dataset))
    else:
        viewers = [ref for ref, _ in store.profiles()]
    if json_:
        print_json(asking.history(store, viewers, most))
        return
    if not viewers:
        print_rich("There is no profile yet; movietui rate and movietui import make one.")
    for ref in viewers:
        table = new_table("when", "what", "movie", "")
        for step in store.history(ref)[:most]:
            undone = "undone" if step.undone else ""
            table.add_row(text.moment(step.at), saying.recorded(step), saying.about(step), undone)
        told = [table] if table.row_count else ["nothing yet: ratings, marks and imports are listed here"]
        print_rich(ref.label, *told, *([""] if ref is not viewers[-1] else []))


EXPORTS = ("letterboxd", "imdb", "movielens", "csv", "watchlist", "shortlist")


@click.command()
@click.option("--profile", "name", required=True, help="Whose films.")
@click.option("--format", "format_", required=True, type=click.Choice(EXPORTS), help="For whom the file is.")
@click.option("--output", required=True, type=click.Path(path_type=Path), help="The file that is written.")
@click.option("--force", is_flag=True, help="Replace the file where it exists.")
@click.option("-k", default=10, show_default=True, type=click.IntRange(1), help="How many movies a shortlist has.")
@dataset_option
@as_json
@answers
def export(name: str, format_: str, output: Path, force: bool, k: int, dataset: str | None, json_: bool) -> None:
    """Write what a profile has to a file.

    letterboxd, imdb and movielens are tables for these services; csv holds all, marks included; watchlist and shortlist
    (the best movies that were not seen) are Markdown.
    """
    from movietui import asking

    store = open_store()
    ref = asking.named_profile(store, name)
    named = dataset_named(store, dataset) if format_ == "shortlist" else ""
    told = asking.export(store, ref, format_, output, named, k, force=force)
    if json_:
        print_json(told)
        return
    left_out = f", {told['left_out']:,} left out" if told["left_out"] else ""
    print_rich(f"{told['profile']}: {text.plural(len(told['films']), 'film')} written to {told['output']}{left_out}")
    if told["note"]:
        print_rich(told["note"])
