"""The command line. Every subcommand prints for people, or with ``--json`` one JSON document on standard output.

Exit codes: 0 done, 1 could not be done (one sentence on standard error), 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click
from rich.table import Table

from data import locations
from movietui import __version__, discover, text
from movietui.backup_commands import backup, restore
from movietui.commands import SEEDS, Commands
from movietui.output import (
    Bars,
    answers,
    as_json,
    calibration_table,
    confusion_table,
    dataset_named,
    dataset_option,
    figure,
    new_table,
    open_store,
    print_json,
    print_rich,
    subgroups_table,
)
from movietui.runs import RECOMMENDED
from movietui.runs_commands import runs
from movietui.wire import Message


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.version_option(__version__, prog_name="movietui")
@click.option("--theme", default=None, help="Colours of the app; the palette (ctrl+p) lists the names.")
@click.pass_context
def cli(context: click.Context, theme: str | None) -> None:
    """Movies that you, or you and somebody else, have not seen, best first.

    Without a command, the app opens.
    """
    if context.invoked_subcommand is None:
        from movietui.start import run

        sys.exit(run(theme))


# Data


@cli.group()
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


CLEANING = 'Which cleaning rules are on: a preset and what is changed in it, "standard +old-movies:1950 -no-genre".'
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


# Models

UNCLEANED = f"{CLEANING} Published figures are measured on none."
published_option = click.option(
    "--published", is_flag=True, help="The settings that the author of the source system describes."
)
settings_option = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a setting of the model."
)


def _pairs(option: str, entries: Sequence[str]) -> dict[str, str]:
    wrong = [entry for entry in entries if "=" not in entry]
    if wrong:
        raise click.UsageError(f"{option} takes KEY=VALUE, not {wrong[0]!r}.")
    return dict(entry.split("=", 1) for entry in entries)


@cli.command()
@click.argument("model", default=RECOMMENDED)
@dataset_option
@click.option("--split", default=None, help="Learn from the train part of this split only.")
@click.option("--cleaning", "--preset", "cleaning", default=None, help=UNCLEANED)
@published_option
@settings_option
@click.option("--seed", default=0, show_default=True, type=SEEDS, help="Seed of the model.")
@as_json
@answers
def train(
    model: str,
    dataset: str | None,
    split: str | None,
    cleaning: str | None,
    published: bool,
    settings: Sequence[str],
    seed: int,
    json_: bool,
) -> None:
    """Train MODEL and use it for lists; the recommended one, blend, unless another is named.

    Without --split it is measured on random90 and then learns from all ratings.
    """
    from movietui import tasks

    store = open_store()
    named = dataset_named(store, dataset)
    changes = _pairs("--set", settings)
    with Bars() as bars:
        trained = tasks.train(
            store,
            model,
            named,
            split=split,
            cleaning=cleaning or (store.cleaning_of(named) if split is None else "none"),
            published=published,
            settings=changes,
            seed=seed,
            on_stage=bars.stage,
            on_epoch=bars.epoch,
            say=bars.say,
        )
    store.serve_with(store.run(trained["run"]))
    if json_:
        print_json(trained)
        return
    metrics = "  ".join(f"{name} {value:.4f}" for name, value in trained["metrics"].items())
    print_rich(
        f"run {trained['run']}: {model} on {trained['dataset']}, learnt from {trained['fitted_on']} "
        f"({text.duration(trained['seconds'])})",
        f"measured on {trained['split']} (cleaning {trained['cleaning']}): {metrics}",
    )


@cli.command()
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@dataset_option
@click.option("--split", "splits", default="random90", show_default=True, help="Splits, with commas between them.")
@click.option("--task", default="rating", show_default=True, type=click.Choice(["rating", "ranking", "pair"]))
@click.option("--cleaning", "--preset", "cleaning", default="none", show_default=True, help=UNCLEANED)
@published_option
@settings_option
@click.option("--seed", default=0, show_default=True, type=SEEDS, help="Seed of the model.")
@click.option("--split-seed", default=0, show_default=True, type=SEEDS, help="Seed of the split.")
@click.option(
    "--detail", is_flag=True, help="Where it fails: errors by user, movie and genre; calibration, confusion, coverage."
)
@as_json
@answers
def evaluate(
    models: Sequence[str],
    dataset: str | None,
    splits: str,
    task: str,
    cleaning: str,
    published: bool,
    settings: Sequence[str],
    seed: int,
    split_seed: int,
    detail: bool,
    json_: bool,
) -> None:
    """Measure models on named splits; the first is what the others are compared with."""
    from movietui import tasks

    names = [name.strip() for name in splits.split(",") if name.strip()]
    if not names:
        raise click.UsageError("Name at least one split.")
    changes = _pairs("--set", settings)
    with Bars() as bars:
        rows = tasks.evaluate(
            models,
            dataset or dataset_named(open_store(), None),
            names,
            task=task,
            cleaning=cleaning,
            published=published,
            settings=changes,
            seed=seed,
            split_seed=split_seed,
            on_stage=bars.stage,
            on_epoch=bars.epoch,
            detail=detail,
        )
    if json_:
        print_json(rows)
        return
    metrics = list(dict.fromkeys(name for row in rows for name in row["metrics"]))  # not every model has all
    table = new_table("split", "model", *metrics, "fit", "to first", right=(*metrics, "fit", "to first"))
    table.columns[0].no_wrap = table.columns[1].no_wrap = True
    for row in rows:
        difference = row.get("difference")
        reach = (difference["high"] - difference["low"]) / 2 if difference else 0.0
        against = f"{difference['value']:+.4f} ±{reach:.4f}" if difference else ""
        values = [figure(row["metrics"].get(name)) for name in metrics]
        table.add_row(row["split"], row["model"], *values, text.duration(row["seconds"]["fit"]), against)
    for row in rows[: len(rows) // len(names)] if len(names) > 1 else []:
        for of, split in (("mean", f"mean of {len(names)}"), ("std", "deviation")):
            over = [figure(row["over_splits"].get(name, {}).get(of)) for name in metrics]
            table.add_row(split, row["model"], *over, "", "")
    about = f"{rows[0]['dataset']}, cleaning {rows[0]['cleaning']}, settings {rows[0]['settings']}"
    print_rich(table, f"{about}, seed {seed}, split seed {split_seed}")
    compared = [row["difference"]["metric"] for row in rows if "difference" in row]
    if compared:
        print_rich(f"to first: {compared[0]} minus that of {models[0]} on the same rows, with its 95 % interval")
    for row in rows:
        if "subgroups" in row:
            print_rich(
                "",
                f"{row['model']} on {row['split']}",
                subgroups_table(row),
                calibration_table(row),
                confusion_table(row),
            )


@cli.command()
@click.argument("model")
@click.argument("more", nargs=-1, metavar="[KEY=A,B,C]...")
@dataset_option
@click.option("--split", default="random90", show_default=True, help="The split whose train part is learnt from.")
@click.option("--grid", "grid", multiple=True, metavar="KEY=A,B,C", help="A setting and its values; more than once.")
@click.option("--cleaning", "--preset", "cleaning", default="none", show_default=True, help=UNCLEANED)
@published_option
@click.option("--seed", default=0, show_default=True, type=SEEDS, help="Seed of the model.")
@click.option("--split-seed", default=0, show_default=True, type=SEEDS, help="Seed of the split.")
@click.option("--fresh", is_flag=True, help="Measure again what an earlier sweep has measured.")
@as_json
@answers
def sweep(
    model: str,
    more: Sequence[str],
    dataset: str | None,
    split: str,
    grid: Sequence[str],
    cleaning: str,
    published: bool,
    seed: int,
    split_seed: int,
    fresh: bool,
    json_: bool,
) -> None:
    """Measure MODEL with every combination of settings.

    Each is measured on a validation part of train, which chooses the best; that one alone is measured on test. A sweep
    that was broken off goes on where it was.
    """
    from movietui import tasks

    values = {
        key: [value.strip() for value in listed.split(",") if value.strip()]
        for key, listed in _pairs("--grid", [*grid, *more]).items()
    }
    with Bars() as bars:
        rows = tasks.sweep(
            model,
            dataset or dataset_named(open_store(), None),
            split,
            values,
            cleaning=cleaning,
            published=published,
            seed=seed,
            split_seed=split_seed,
            on_stage=bars.stage,
            on_epoch=bars.epoch,
            on_result=lambda row: bars.say(f"{tasks.told_settings(row['grid'])}  rmse {row['metrics']['rmse']:.4f}"),
            on_known=lambda known: bars.say(f"{text.plural(known, 'combination')} known from before (--fresh: again)"),
            fresh=fresh,
        )
    if json_:
        print_json(rows)
        return
    metrics = list(rows[0]["metrics"])
    table = new_table(*values, *metrics, "fit", right=(*values, *metrics, "fit"))
    for row in rows:
        figures = [figure(row["metrics"][name]) for name in metrics]
        table.add_row(*row["grid"].values(), *figures, text.duration(row["seconds"]["fit"]))
    on_test = "  ".join(f"{name} {figure(value)}" for name, value in rows[0]["test"].items())
    print_rich(
        table,
        f"{model} on a validation part of the train part of {split} of {rows[0]['dataset']}, cleaning {cleaning}",
        f"the best, {tasks.told_settings(rows[0]['grid'])}, on test: {on_test}",
    )


@cli.command()
@click.option("--seed", default=0, show_default=True, type=SEEDS, help="Seed of the models.")
@as_json
@answers
def reproduce(seed: int, json_: bool) -> None:
    """Run the experiments of the five source systems: what was reported, and what we measure.

    Each model is fitted with the settings that its author describes (published) and with ours (tuned).
    """
    from movietui import tasks

    with Bars() as bars:
        rows = tasks.reproduce(seed=seed, on_stage=bars.stage, on_epoch=bars.epoch)
    if json_:
        print_json(rows)
        return
    figures = ("reported", "published", "tuned")
    table = new_table("source", "model", "dataset", "split", "metric", *figures, "note", right=figures)
    for row in rows:
        told = [figure(row[name]) for name in figures]
        table.add_row(row["source"], row["model"], row["dataset"], row["split"], row["metric"], *told, row["note"])
    print_rich(table, f"rows as published, no cleaning, seed {seed}, split seed 0")


# Lists

# As in models.ranking, which takes numpy to import: not for a page of help.
WAYS = ("weighted", "average", "without misery", "least misery", "most pleasure", "multiplicative", "borda")
DARING = "From 0, the best first, to 1: less known and more different movies."
TOGETHER = "How one list is made for several viewers."


@cli.command()
@discover.for_viewers
@click.option("-k", default=10, show_default=True, type=click.IntRange(1), help="How many movies.")
@click.option("--model", default=None, help="The newest run of this model instead of the one in use.")
@click.option("--seed", default=None, type=SEEDS, help="The newest run with this seed.")
@click.option("--filter", "only", default="", help='For example: +Comedy -Horror 1980..1999 >=50 <=110m "alien".')
@click.option("--together", "way", default="weighted", show_default=True, type=click.Choice(WAYS), help=TOGETHER)
@click.option(
    "--misery",
    type=click.FloatRange(0, 1),
    help="Of weighted: from 0, the average, to 1, the least pleased. [default: 0.6]",
)
@click.option("--standardise", is_flag=True, help="Give everybody's scores the same mean and spread first.")
@click.option(
    "--unseen",
    "unseen_by",
    default="all",
    show_default=True,
    type=click.Choice(["all", "any"]),
    help="Movies that all of the viewers have not seen, or any of them.",
)
@click.option("--daring", default=0.0, show_default=True, type=click.FloatRange(0, 1), help=DARING)
@click.option("--surprise", is_flag=True, help="One good movie that is not at the top, and one reason.")
@click.option("--draw", default=None, type=SEEDS, help="Which surprise: the same number is the same movie.")
@dataset_option
@as_json
@answers
def recommend(
    users: Sequence[str],
    profiles: Sequence[str],
    k: int,
    model: str | None,
    seed: int | None,
    only: str,
    way: str,
    misery: float | None,
    standardise: bool,
    unseen_by: Literal["all", "any"],
    daring: float,
    surprise: bool,
    draw: int | None,
    dataset: str | None,
    json_: bool,
) -> None:
    """Print the best movies that none of the viewers has seen.

    The filter takes +GENRE and -GENRE, years of release (1980..1999, 1980.., ..1999), a least number of ratings (>=50),
    parts of the title and, where the dataset is joined with IMDb, runtimes (<=110m, >=90m) and directors (@Scorsese); a
    movie must pass all of it.
    """
    from movietui import asking

    store = open_store()
    name = dataset_named(store, dataset)
    viewers = discover.viewers_named(store, users, profiles, name)
    if misery is not None and way != "weighted":
        raise click.UsageError(f"--misery is a part of --together weighted; {way} has none.")
    how = {"way": way, "standardise": standardise} | ({} if misery is None else {"misery": misery})
    if draw is not None and not surprise:
        raise click.UsageError("--draw is a part of --surprise.")
    drawn = secrets.randbelow(2**32) if surprise and draw is None else draw
    found = asking.recommend(store, name, viewers, k, model, seed, only, how, unseen_by, daring, drawn)
    if json_:
        print_json(found)
        return
    if not found["movies"]:
        print_rich("No movie is left that nobody has seen and that passes the filter.")
        return
    if surprise:
        (movie,) = found["movies"]
        print_rich(discover.titled(movie), discover.reason(movie))
        return
    table = new_table("#", "expect", "ratings", "title", "year", "because of", right=("#", "expect", "ratings", "year"))
    for movie in found["movies"]:
        best = max(movie["why"], key=lambda why: why["share"], default=None)
        why = f"{best['title']} {text.number_of_stars(best['stars'])}" if best and best["share"] > 0 else ""
        together = " ".join(f"{value:.1f}" for value in movie["stars_by_viewer"]) if len(viewers) > 1 else ""
        expected = f"★ {movie['stars']:.1f} ±{text.decimals(movie['uncertainty'], 1)} {together}".rstrip()
        table.add_row(
            str(movie["rank"]), expected, f"{movie['count']:,}", movie["title"], str(movie["year"] or ""), why
        )
    print_rich(table)


@cli.command()
@click.option("--profile", "name", required=True, help="Whose rating; a new name makes a new profile.")
@click.argument("movie")
@click.argument("stars", type=float)
@dataset_option
@as_json
@answers
def rate(name: str, movie: str, stars: float, dataset: str | None, json_: bool) -> None:
    """Give MOVIE, for example "Fargo (1996)", 0.5 to 5 STARS."""
    from movietui import asking

    store = open_store()
    rated = asking.rate(store, dataset_named(store, dataset), name, movie, stars)
    if json_:
        print_json(rated)
        return
    year = f" ({rated['movie']['year']})" if rated["movie"]["year"] else ""
    print_rich(
        f"{rated['profile']}: {rated['movie']['title']}{year} {text.number_of_stars(rated['stars'])}, "
        f"{text.plural(rated['ratings'], 'rating')} in all"
    )


for command in (discover.similar, discover.explain, discover.taste, discover.search, runs, backup, restore):
    cli.add_command(command)


# What a profile has


@cli.command("import")
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
            candidates = ", ".join(f"{discover.titled(movie)} is {movie['id']}" for movie in row.get("candidates", ()))
            table.add_row(outcome, discover.titled(row), row["reason"], candidates)
    for row in told["skipped"]:
        table.add_row("skipped", row["title"], row["reason"], row["place"])
    counts = ", ".join(
        f"{len(told[outcome]):,} {outcome}" for outcome in ("matched", "ambiguous", "unmatched", "skipped")
    )
    done = "a preview, nothing is changed" if preview else text.plural(told["changes"], "change")
    if table.row_count:
        print_rich(table)
    print_rich(f"{told['profile']}: {told['format']}, {counts}; {done}")


@cli.command()
@discover.for_viewers
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
        viewers = discover.viewers_named(store, users, profiles, dataset_named(store, dataset))
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


@cli.command()
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


@cli.command()
@click.option("--defaults", is_flag=True, help="Print a file that changes nothing and explains everything.")
@as_json
@answers
def config(defaults: bool, json_: bool) -> None:
    """Tell where config.toml lies, which keys it changes, and what in it cannot be used."""
    from dataclasses import asdict
    from importlib import import_module

    keys = import_module("movietui.keys")  # the keys are where the screens are: the one command that loads them
    path = locations.config()
    if defaults and json_:
        print_json([asdict(each) for each in keys.known()])
        return
    if defaults:
        click.echo(keys.defaults(path), nl=False)
        return
    found = keys.read(path)
    if json_:
        told = {"path": str(path), "exists": path.exists(), "keys": found.keys, "problems": list(found.problems)}
        print_json(told)
        return
    missing = "" if path.exists() else " is not there yet; movietui config --defaults prints one to begin with"
    click.echo(f"{path}{missing}")  # not wrapped: it is to be copied
    for problem in found.problems:
        click.echo(problem)
    if found.keys:
        table = new_table("what", "key")
        for name, key in found.keys.items():
            table.add_row(name, key)
        print_rich(table)


@cli.command()
@as_json
@answers
def locate(json_: bool) -> None:
    """Tell where everything lies."""
    places = {name: str(path) for name, path in locations.everything().items()}
    if json_:
        print_json(places)
        return
    table = new_table("", "")
    for name, path in places.items():
        table.add_row(name, path)
    print_rich(table)
