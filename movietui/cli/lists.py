"""Commands about movies for viewers: recommend, rate, similar, explain, taste, search."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any, get_args

import click
from rich.table import Table

from movietui.cli import completers
from movietui.cli.commands import SEEDS, Named
from movietui.cli.output import (
    as_json,
    dataset_named,
    dataset_option,
    handle_errors,
    open_store,
    order_option,
    print_json,
    print_rich,
)
from movietui.data.language import tr
from movietui.data.query.condition_text import EXAMPLE
from movietui.formatting import reasons, text
from movietui.formatting.reasons import foremost, strongest
from movietui.formatting.tables import new_table
from movietui.models.choices import DIALLED, WAYS, Order, UnseenBy
from movietui.protocol.messages import DividingMovie, PersonalAccuracy, RatedMovie, TasteGroup
from movietui.protocol.viewers import ViewerRef, user
from movietui.protocol.wire import Message

model_option = click.option(
    "--model",
    default=None,
    help="Use the newest run of this model instead of the run in use.",
    shell_complete=completers.models,
)


def for_viewers(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: add the options ``--user`` and ``--profile``, which name the viewers; see ``viewers_named``."""
    for name, metavar, meaning in (("profile", "NAME", "A profile"), ("user", "ID", "A user of the dataset")):
        option = click.option(
            f"--{name}",
            f"{name}s",
            multiple=True,
            metavar=metavar,
            help=f"{meaning}; repeat the option for more viewers.",
            shell_complete=completers.profiles if name == "profile" else completers.users,
        )
        command = option(command)
    return command


def reason(movie: Message) -> str:
    """Return the predicted stars of a recommended movie and the rating that counts most for it.

    If no rating counts for it, say what the prediction rests on, for one of the viewers.
    """
    best = strongest(movie["why"])
    if movie["stars"] is None and best is not None:
        return tr("because you watched {title}", title=best["title"])
    predicted = ""
    if movie["stars"]:
        uncertainty = text.decimals(movie["uncertainty"], 1)
        predicted = tr("★ {stars:.1f} ±{uncertainty} predicted", stars=movie["stars"], uncertainty=uncertainty)
    if best is not None:
        return f"{predicted}, {reasons.liked(best, best.get('viewer', reasons.YOU))}"
    rests_on = next((each for each in movie["bases"] if each["basis"] != "everyone"), movie["bases"][0])
    name = rests_on.get("viewer")
    of_them = {key: [each for each in movie[key] if each.get("viewer") == name] for key in reasons.NAMED}
    basis = reasons.basis({**rests_on, **of_them}, movie["count"], movie["mean"] or 0.0, name or reasons.YOU)
    return f"{predicted}; {basis}" if predicted else basis


def viewers_named(store: Any, users: Sequence[str], profiles: Sequence[str], dataset: str) -> list[ViewerRef]:
    """Return the viewers that the options name, users first.

    Raises ``click.UsageError`` if the options name no viewer, or the same one twice.
    """
    from movietui.answers import lists

    if not users and not profiles:
        raise click.UsageError(tr("Choose a viewer: --user ID or --profile NAME."))
    viewers = [user(one, dataset) for one in users] + [lists.named_profile(store, one) for one in profiles]
    if len(set(viewers)) < len(viewers):
        raise click.UsageError(tr("You named the same viewer twice; name different ones."))
    return viewers


def _shared(shared: Message) -> str:
    return ", ".join([*reasons.special(shared), *shared["genres"]])


@click.command()
@click.argument("movie", shell_complete=completers.movies)
@click.option("-k", default=10, show_default=True, type=click.IntRange(1), help="How many movies.")
@click.option(
    "--model",
    default=None,
    help="Compare movies by this model's vectors instead of by their ratings.",
    shell_complete=completers.models,
)
@dataset_option
@as_json
@handle_errors
def similar(movie: str, k: int, model: str | None, dataset: str | None, json_: bool) -> None:
    """Print movies similar to MOVIE.

    MOVIE is a title such as "Fargo (1996)", or an id from --json. A MOVIE that could be either is read as a title;
    id:300 is always an id.
    """
    from movietui.answers import lists

    store = open_store()
    result = lists.similar(store, dataset_named(store, dataset), movie, k, model)
    if json_:
        print_json(result)
        return
    right = ("#", tr("similarity"), tr("both rated"), tr("year"))
    table = new_table(*right[:3], tr("title"), tr("year"), tr("in common"), right=right)
    for row in result["movies"]:
        figures = (text.decimals(row["similarity"]), "" if row["common"] is None else f"{row['common']:,}")
        table.add_row(str(row["rank"]), *figures, row["title"], str(row["year"] or ""), _shared(row["shared"]))
    print_rich(tr("Movies like {movie}", movie=text.movie_title(result["movie"])), table)


@click.command()
@click.argument("movie", shell_complete=completers.movies)
@for_viewers
@click.option("-k", "most", default=3, show_default=True, type=click.IntRange(1), help="How many reasons for MOVIE.")
@model_option
@dataset_option
@as_json
@handle_errors
def explain(
    movie: str,
    users: Sequence[str],
    profiles: Sequence[str],
    most: int,
    model: str | None,
    dataset: str | None,
    json_: bool,
) -> None:
    """Say why a viewer may or may not like MOVIE: which of their ratings count most for it, and which against it.

    MOVIE is a title such as "Fargo (1996)", or an id from --json. A MOVIE that could be either is read as a title;
    id:300 is always an id.
    """
    from movietui.answers import lists

    store = open_store()
    named = dataset_named(store, dataset)
    viewers = viewers_named(store, users, profiles, named)
    result = lists.explain(store, named, viewers, movie, most, model)
    if json_:
        print_json(result)
        return
    print_rich(f"{text.movie_title(result['movie'])}, {', '.join(result['movie']['genres'])}")
    if not result["movie"]["count"]:
        print_rich(reasons.UNRATED)
    for ref, viewer in zip(viewers, result["viewers"], strict=True):
        print_rich("", *_explained(ref.label, viewer, result["movie"]))


def _explained(name: str, viewer: Message, movie: Message) -> list[Any]:
    """Return the prediction for a viewer, and tables of the ratings that count for the movie and against it."""
    lines: list[Any] = []
    if viewer["stars"]:
        stars, low, high = viewer["stars"], viewer["low"], viewer["high"]
        lines.append(tr("{name}: ★ {stars:.1f} ({low:.1f} to {high:.1f})", name=name, stars=stars, low=low, high=high))
    if viewer["rated"] is not None:
        lines.append(tr("{name} rated it {stars}", name=name, stars=text.number_of_stars(viewer["rated"])))
    if not viewer["why"] and movie["count"]:
        lines.append(reasons.basis(viewer, movie["count"], movie["mean"] or 0.0, name))
    for heading, named in ((tr("liked"), viewer["why"]), (tr("counts against it"), viewer["against"])):
        if named:
            table = new_table(heading, tr("counts"), tr("in common"))
            for why in named:
                rated = f"{why['title']} {text.number_of_stars(why['stars'])}"
                table.add_row(rated, reasons.bar(why, [*viewer["why"], *viewer["against"]]), _shared(why["shared"]))
            lines.append(table)
    return lines


@click.command()
@for_viewers
@click.option(
    "-k",
    "most",
    default=5,
    show_default=True,
    type=click.IntRange(1),
    help="How many unusual likes, and how many dislikes.",
)
@model_option
@dataset_option
@as_json
@handle_errors
def taste(
    users: Sequence[str],
    profiles: Sequence[str],
    most: int,
    model: str | None,
    dataset: str | None,
    json_: bool,
) -> None:
    """Show what a viewer likes more or less than others do and, for two viewers, also what divides them.

    A difference is how many more stars the viewer gives than others gave the same movies. With few ratings,
    it is pulled towards the viewer's difference over all movies.
    """
    from movietui.answers import lists

    store = open_store()
    named = dataset_named(store, dataset)
    result = lists.taste(store, named, viewers_named(store, users, profiles, named), most, model)
    if json_:
        print_json(result)
        return
    for viewer in result["viewers"]:
        print_rich(
            tr(
                "{name}: {ratings}, mean {mean:.2f}, others' mean for the same movies {crowd:.2f}",
                name=viewer["id"],
                ratings=text.plural(viewer["ratings"], "rating"),
                mean=viewer["mean"],
                crowd=viewer["crowd"],
            )
        )
        if viewer["ratings"]:
            print_rich(_group_table(tr("genre"), viewer["genres"]), "", _group_table(tr("decade"), viewer["decades"]))
        for title, movies in ((tr("unusual likes"), viewer["likes"]), (tr("unusual dislikes"), viewer["dislikes"])):
            if movies:
                print_rich("", _rated_table(title, viewer["id"], movies))
        if viewer["for_you"]:
            print_rich("", *_personal_accuracy(viewer["for_you"]))
        print_rich("")
    if "pair" in result:
        ids = [viewer["id"] for viewer in result["viewers"]]
        pair = result["pair"]
        for title, dividing in (
            (tr("you differ on"), pair["divided"]),
            (tr("would divide you"), pair["would_divide"]),
        ):
            if dividing:
                print_rich(_dividing_table(title, ids, dividing), "")


def _personal_accuracy(result: PersonalAccuracy) -> list[Table | str]:
    """Return how accurate the model is for a profile, compared with predicting each movie's mean rating.

    If the profile has too few ratings to measure this, say how many more it needs.
    """
    if result["lacking"]:
        more = text.plural(result["lacking"], "more rating")
        return [
            tr(
                "{ratings} needed to measure how accurate {model} is for this profile",
                ratings=more,
                model=result["model"],
            )
        ]
    in_top = tr("in top {length}", length=result["top"])
    columns = ("rmse", tr("from"), tr("to"), in_top, tr("share"), tr("from "), tr("to "))
    table = new_table(tr("predicted by"), *columns, right=columns)
    for name, report in ((result["model"], result["by_model"]), (tr("mean ratings"), result["by_means"])):
        errors = [f"{report['rmse'][end]:.2f}" for end in ("value", "low", "high")]
        rate = report["hit_rate"]
        shares = [f"{rate[end]:.0%}" for end in ("value", "low", "high")] if rate else [""] * 3
        hits = tr("{hits} of {count} liked", hits=report["hits"], count=result["liked"])
        table.add_row(name, *errors, hits, *shares)
    newest = text.plural(result["newest"], "newest rating")
    accuracy = tr(
        "accuracy for this profile: the {ratings}, predicted from the {older:,} before",
        ratings=newest,
        older=result["older"],
    )
    return [accuracy, table]


def _group_table(name: str, groups: Sequence[TasteGroup]) -> Table:
    figures = (tr("ratings"), tr("mean"), tr("crowd"), tr("difference"))
    table = new_table(name, *figures, right=figures)
    for group in groups:
        means = (f"{group['mean']:.2f}", f"{group['crowd']:.2f}", f"{group['difference']:+.2f}")
        table.add_row(group["name"], f"{group['ratings']:,}", *means)
    return table


def _rated_table(title: str, name: str, movies: Sequence[RatedMovie]) -> Table:
    table = new_table(title, name, tr("crowd"), right=(name, tr("crowd")))
    for movie in movies:
        table.add_row(text.movie_title(movie), text.number_of_stars(movie["stars"]), f"{movie['crowd']:.1f}")
    return table


def _dividing_table(title: str, ids: Sequence[str], movies: Sequence[DividingMovie]) -> Table:
    table = new_table(title, *ids, right=ids)
    for movie in movies:
        table.add_row(text.movie_title(movie), *(f"★ {stars:.1f}" for stars in movie["stars"]))
    return table


@click.command()
@click.argument("words", nargs=-1, required=True)
@for_viewers
@click.option(
    "-k",
    "most",
    default=10,
    show_default=True,
    type=click.IntRange(1),
    help="How many of each kind: movies, directors, actors, tags and users.",
)
@dataset_option
@as_json
@handle_errors
def search(
    words: Sequence[str],
    users: Sequence[str],
    profiles: Sequence[str],
    most: int,
    dataset: str | None,
    json_: bool,
) -> None:
    """Find movies, people, tags and users by WORDS; typos are fine.

    With a viewer, also show how they rated or marked each movie.
    """
    from movietui.answers import lists

    store = open_store()
    named = dataset_named(store, dataset)
    viewers = viewers_named(store, users, profiles, named) if users or profiles else []
    result = lists.search(store, named, " ".join(words), most, viewers)
    if json_:
        print_json(result)
        return
    advice = ""
    if not result["joined"]:
        advice = tr("To find directors and actors, run movietui data imdb {dataset}.", dataset=result["dataset"])
    if not any(result[kind] for kind in ("movies", "directors", "actors", "tags", "users")):
        known = {tr("person"): result["joined"], tr("tag"): result["tagged"]}
        kinds = (tr("movie"), *(kind for kind, is_known in known.items() if is_known), tr("user"))
        print_rich(f"{text.nothing_matches(' '.join(words), kinds)} {advice}".rstrip())
        return
    names = [ref.id for ref in viewers]
    table = new_table(tr("kind"), tr("name"), tr("count"), *names, right=(tr("count"),))
    movies = [(tr("movie"), text.movie_title(each), text.plural(each["count"], "rating")) for each in result["movies"]]
    by_viewer = [
        [text.rated_and_marked([by["stars"] or 0], [by["mark"] or ""]) for by in each.get("viewers", ())]
        for each in result["movies"]
    ]

    def rows_of(kind: str, entries: Sequence[Message]) -> list[list[str]]:
        return [[kind, each["name"], text.plural(each["movies"], "movie"), *[""] * len(names)] for each in entries]

    rows = [[*movie, *cells] for movie, cells in zip(movies, by_viewer, strict=True)]
    directors = rows_of(tr("director"), result["directors"])
    first = directors + rows if result["directors_first"] else rows + directors
    for row in [*first, *rows_of(tr("actor"), result["actors"]), *rows_of(tr("tag"), result["tags"])]:
        table.add_row(*row)
    for each in result["users"]:
        table.add_row(tr("user"), each["id"], text.plural(each["ratings"], "rating"), *[""] * len(names))
    print_rich(table)


DARING = "From 0 (best movies first) to 1 (less known and more varied movies)."
RECENT = "From 0 (movies of any year) to 1 (recent movies first)."
TOGETHER = "How to combine the scores of several viewers."


@click.command()
@for_viewers
@click.option("-k", default=10, show_default=True, type=click.IntRange(1), help="How many movies.")
@model_option
@click.option("--seed", default=None, type=SEEDS, help="Use the newest run with this seed.")
@click.option("--filter", "only", default="", help=f"For example: {EXAMPLE}.")
@order_option
@click.option("--together", "way", default="weighted", show_default=True, type=Named(tuple(WAYS)), help=TOGETHER)
@click.option(
    "--misery",
    type=click.FloatRange(0, 1),
    help="For --together weighted: from 0 (average) to 1 (least pleased viewer). [default: 0.6]",
)
@click.option("--standardise", is_flag=True, help="First give all viewers' scores the same mean and spread.")
@click.option(
    "--unseen",
    "unseen_by",
    default="all",
    show_default=True,
    type=Named(get_args(UnseenBy)),
    help="all: movies unseen by all viewers; any: unseen by at least one; none: also movies that everyone has seen.",
)
@click.option("--daring", default=0.0, show_default=True, type=click.FloatRange(0, 1), help=DARING)
@click.option("--recent", default=0.0, show_default=True, type=click.FloatRange(0, 1), help=RECENT)
@click.option("--surprise", is_flag=True, help="Pick one of the best movies at random, with one reason.")
@click.option("--draw", default=None, type=SEEDS, help="Seed of the surprise; the same seed gives the same movie.")
@dataset_option
@as_json
@handle_errors
def recommend(
    users: Sequence[str],
    profiles: Sequence[str],
    k: int,
    model: str | None,
    seed: int | None,
    only: str,
    order: Order,
    way: str,
    misery: float | None,
    standardise: bool,
    unseen_by: UnseenBy,
    daring: float,
    recent: float,
    surprise: bool,
    draw: int | None,
    dataset: str | None,
    json_: bool,
) -> None:
    """Print the best movies that none of the viewers has seen.

    A filter can contain genres (+GENRE, -GENRE), years of release (1980..1999, 1980.., ..1999), a minimum number of
    ratings (>=50), words of the title, lists of the viewers (list:NAME, -list:NAME), tags if the dataset has them
    (#twist-ending, -#gore) and, once the dataset is joined with IMDb, runtimes (<=110m, >=90m), directors and actors
    (@Scorsese), original languages (lang:ko, -lang:en) and countries (country:france). A movie must match every part of
    the filter.
    """
    from movietui.answers import lists

    store = open_store()
    name = dataset_named(store, dataset)
    viewers = viewers_named(store, users, profiles, name)
    if misery is not None and way != "weighted":
        raise click.UsageError(tr("--misery works only with --together weighted, not with {way}.", way=way))
    how = {"way": way, "standardise": standardise} | ({} if misery is None else {"misery": misery})
    if (daring or recent) and order not in DIALLED:
        option = "--daring" if daring else "--recent"
        orders = tr(" or ").join(DIALLED)
        raise click.UsageError(
            tr(
                "{option} works only with --order {orders}, not with {order}.",
                option=option,
                orders=orders,
                order=order,
            )
        )
    if draw is not None and not surprise:
        raise click.UsageError(tr("--draw works only with --surprise."))
    draw = secrets.randbelow(2**32) if surprise and draw is None else draw
    result = lists.recommend(store, name, viewers, k, model, seed, only, how, unseen_by, daring, draw, order, recent)
    if json_:
        print_json(result)
        return
    if not result["movies"]:
        print_rich(tr("No unseen movie matches the filter.") if only else tr("No unseen movie is left to recommend."))
        return
    if surprise:
        (movie,) = result["movies"]
        print_rich(text.movie_title(movie), reason(movie))
        return
    figures = ("#", tr("predicted"), tr("ratings"), tr("year"))
    table = new_table(*figures[:3], tr("title"), tr("year"), tr("because of"), right=figures)
    for movie in result["movies"]:
        best = foremost(movie)
        why, predicted = best["title"] if best else "", ""
        if movie["stars"] is not None:
            why = f"{why} {text.number_of_stars(best['stars'])}" if best else ""
            together = " ".join(f"{value:.1f}" for value in movie["stars_by_viewer"]) if len(viewers) > 1 else ""
            predicted = f"★ {movie['stars']:.1f} ±{text.decimals(movie['uncertainty'], 1)} {together}".rstrip()
        table.add_row(
            str(movie["rank"]), predicted, text.raters(movie["count"]), movie["title"], str(movie["year"] or ""), why
        )
    names = tr(" and ").join(ref.label for ref in viewers)
    print_rich(tr("For {names}, by {order}", names=names, order=text.ordered_by(result)), table)


@click.command()
@click.option(
    "--profile",
    "name",
    required=True,
    help="Profile that gives the rating; a new name creates a profile.",
    shell_complete=completers.profiles,
)
@click.argument("movie", shell_complete=completers.movies)
@click.argument("stars", type=float)
@dataset_option
@as_json
@handle_errors
def rate(name: str, movie: str, stars: float, dataset: str | None, json_: bool) -> None:
    """Rate MOVIE with 0.5 to 5 STARS.

    MOVIE is a title such as "Fargo (1996)", or an id from --json. A MOVIE that could be either is read as a title;
    id:300 is always an id.
    """
    from movietui.answers import lists

    store = open_store()
    rated = lists.rate(store, dataset_named(store, dataset), name, movie, stars)
    if json_:
        print_json(rated)
        return
    print_rich(
        tr(
            "{profile}: {movie} {stars}, {ratings} in all",
            profile=rated["profile"],
            movie=text.movie_title(rated["movie"]),
            stars=text.number_of_stars(rated["stars"]),
            ratings=text.plural(rated["ratings"], "rating"),
        )
    )
