"""Commands about movies for somebody: recommend, rate, similar, explain, taste, search."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any, get_args

import click
from rich.table import Table

from movietui import text
from movietui.cli.commands import SEEDS
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
from movietui.viewers import WAYS, UnseenBy, ViewerRef, user
from movietui.wire import Message

model_option = click.option("--model", default=None, help="The newest run of this model instead of the one in use.")


def for_viewers(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that name one viewer or two, see ``viewers_named``."""
    for name, metavar, told in (("profile", "NAME", "A profile"), ("user", "ID", "A user of the dataset")):
        option = click.option(
            f"--{name}", f"{name}s", multiple=True, metavar=metavar, help=f"{told}; twice for a pair, more for a group."
        )
        command = option(command)
    return command


def titled(movie: Message) -> str:
    """Return a movie's title with its year."""
    return f"{movie['title']} ({movie['year']})" if movie["year"] else str(movie["title"])


def reason(movie: Message) -> str:
    """Return the one reason for a recommended movie: the rating that speaks for it most, else what is expected."""
    expected = f"★ {movie['stars']:.1f} ±{text.decimals(movie['uncertainty'], 1)} expected"
    best = max(movie["why"], key=lambda why: why["share"], default=None)
    if best is None or best["share"] <= 0:
        return f"{expected}; {text.plural(movie['count'], 'rating')} by others"
    whose = best.get("viewer", "you")
    return f"{expected}, because {whose} gave {best['title']} {text.number_of_stars(best['stars'])}"


def viewers_named(store: Any, users: Sequence[str], profiles: Sequence[str], dataset: str) -> list[ViewerRef]:
    """Return whom the options name, users of the dataset first. Nobody, or somebody twice, is wrong usage."""
    from movietui import asking

    if not users and not profiles:
        raise click.UsageError("Say for whom: --user ID or --profile NAME.")
    viewers = [user(one, dataset) for one in users] + [asking.named_profile(store, one) for one in profiles]
    if len(set(viewers)) < len(viewers):
        raise click.UsageError("The same viewer is named twice.")
    return viewers


def _shared(shared: Message) -> str:
    return ", ".join([*shared["directors"], *shared["genres"]])


@click.command()
@click.argument("movie")
@click.option("-k", default=10, show_default=True, type=click.IntRange(1), help="How many movies.")
@click.option("--model", default=None, help="Compare by what this model knows of the movies, not by who rated what.")
@dataset_option
@as_json
@answers
def similar(movie: str, k: int, model: str | None, dataset: str | None, json_: bool) -> None:
    """Print the movies that are most like MOVIE, for example "Fargo (1996)"."""
    from movietui import asking

    store = open_store()
    found = asking.similar(store, dataset_named(store, dataset), movie, k, model)
    if json_:
        print_json(found)
        return
    figures = ("#", "alike", "both rated", "year")
    table = new_table("#", "alike", "both rated", "title", "year", "in common", right=figures)
    for row in found["movies"]:
        alike, common = text.decimals(row["similarity"]), f"{row['common']:,}"
        table.add_row(str(row["rank"]), alike, common, row["title"], str(row["year"] or ""), _shared(row["shared"]))
    print_rich(f"like {titled(found['movie'])}", table)


@click.command()
@click.argument("movie")
@for_viewers
@click.option("-k", "most", default=5, show_default=True, type=click.IntRange(1), help="How many reasons.")
@model_option
@dataset_option
@as_json
@answers
def explain(
    movie: str,
    users: Sequence[str],
    profiles: Sequence[str],
    most: int,
    model: str | None,
    dataset: str | None,
    json_: bool,
) -> None:
    """Tell why MOVIE is where it is in a list: what each rated film adds to its score, or takes off."""
    from movietui import asking

    store = open_store()
    named = dataset_named(store, dataset)
    found = asking.explain(store, named, viewers_named(store, users, profiles, named), movie, most, model)
    if json_:
        print_json(found)
        return
    print_rich(f"{titled(found['movie'])}, {', '.join(found['movie']['genres'])}")
    for person in found["viewers"]:
        table = new_table("", "share", "in common", right=("share",))
        for why in person["why"]:
            rated = f"{why['title']} {text.number_of_stars(why['stars'])}"
            table.add_row(rated, f"{why['share']:+.2f}", _shared(why["shared"]))
        print_rich("", _for_one(person), *([table] if person["why"] else []))


def _for_one(person: Message) -> str:
    """One line that says what is expected of a viewer, and the strongest reason for or against."""
    line = f"{person['id']}: ★ {person['stars']:.1f} ({person['low']:.1f} to {person['high']:.1f})"
    if not person["why"]:
        return f"{line}, from what everybody gave it"
    first = person["why"][0]
    for_or_against = "most for it" if first["share"] > 0 else "most against it"
    return f"{line}, {for_or_against}: {first['title']} {text.number_of_stars(first['stars'])}"


@click.command()
@for_viewers
@click.option("-k", "most", default=5, show_default=True, type=click.IntRange(1), help="How many unusual ratings.")
@model_option
@dataset_option
@as_json
@answers
def taste(
    users: Sequence[str],
    profiles: Sequence[str],
    most: int,
    model: str | None,
    dataset: str | None,
    json_: bool,
) -> None:
    """Tell what somebody likes against the crowd; of two, also what divides them.

    A difference is how much more they give than others gave the same movies; with few ratings it is drawn to how
    generous they are in general.
    """
    from movietui import asking

    store = open_store()
    named = dataset_named(store, dataset)
    found = asking.taste(store, named, viewers_named(store, users, profiles, named), most, model)
    if json_:
        print_json(found)
        return
    for person in found["viewers"]:
        print_rich(
            f"{person['id']}: {text.plural(person['ratings'], 'rating')}, mean {person['mean']:.2f}, "
            f"the crowd's of the same movies {person['crowd']:.2f}"
        )
        if person["ratings"]:
            print_rich(_groups("genre", person["genres"]), "", _groups("decade", person["decades"]))
        for name in ("likes", "dislikes"):
            if person[name]:
                print_rich("", _beside(f"unusual {name}", person["id"], person[name]))
        if person["for_you"]:
            print_rich("", *_for_you(person["for_you"]))
        print_rich("")
    if "pair" in found:
        ids = [person["id"] for person in found["viewers"]]
        for name, told in (("divided", "you differ on"), ("would_divide", "would divide you")):
            if found["pair"][name]:
                print_rich(_apart(told, ids, found["pair"][name]), "")


def _for_you(found: Message) -> list[Table | str]:
    """How good the model is for a profile, beside the mean ratings of the movies."""
    if found["lacking"]:
        more = text.plural(found["lacking"], "more rating")
        return [f"{more}, and the newest of them will tell how good {found['model']} is here"]
    columns = ("rmse", "from", "to", f"in top {found['top']}", "share", "from ", "to ")
    table = new_table("told by", *columns, right=columns)
    for name, told in ((found["model"], found["by_model"]), ("mean ratings", found["by_means"])):
        errors = [f"{told['rmse'][end]:.2f}" for end in ("value", "low", "high")]
        rate = told["hit_rate"]
        shares = [f"{rate[end]:.0%}" for end in ("value", "low", "high")] if rate else [""] * 3
        table.add_row(name, *errors, f"{told['hits']} of {found['liked']} liked", *shares)
    held = text.plural(found["newest"], "newest rating")
    return [f"how good it is here: the {held}, told from the {found['older']:,} before", table]


def _groups(name: str, groups: Sequence[Message]) -> Table:
    figures = ("ratings", "mean", "crowd", "difference")
    table = new_table(name, *figures, right=figures)
    for group in groups:
        means = (f"{group['mean']:.2f}", f"{group['crowd']:.2f}", f"{group['difference']:+.2f}")
        table.add_row(group["name"], f"{group['ratings']:,}", *means)
    return table


def _beside(title: str, name: str, movies: Sequence[Message]) -> Table:
    table = new_table(title, name, "crowd", right=(name, "crowd"))
    for movie in movies:
        table.add_row(titled(movie), text.number_of_stars(movie["stars"]), f"{movie['crowd']:.1f}")
    return table


def _apart(title: str, ids: Sequence[str], movies: Sequence[Message]) -> Table:
    table = new_table(title, *ids, right=ids)
    for movie in movies:
        table.add_row(titled(movie), *(f"★ {stars:.1f}" for stars in movie["stars"]))
    return table


@click.command()
@click.argument("words", nargs=-1, required=True)
@click.option("-k", "most", default=10, show_default=True, type=click.IntRange(1), help="How many of each kind.")
@dataset_option
@as_json
@answers
def search(words: Sequence[str], most: int, dataset: str | None, json_: bool) -> None:
    """Find movies, directors and users by WORDS; typos are forgiven."""
    from movietui import asking

    store = open_store()
    found = asking.search(store, dataset_named(store, dataset), " ".join(words), most)
    if json_:
        print_json(found)
        return
    if not any(found[kind] for kind in ("movies", "people", "users")):
        print_rich("Nothing is found; try fewer words.")
        return
    table = new_table("found", "name", "how much", right=("how much",))
    for movie in found["movies"]:
        table.add_row("movie", titled(movie), text.plural(movie["count"], "rating"))
    for person in found["people"]:
        table.add_row("director", person["name"], text.plural(person["movies"], "movie"))
    for row in found["users"]:
        table.add_row("user", row["id"], text.plural(row["ratings"], "rating"))
    print_rich(table)


DARING = "From 0, the best first, to 1: less known and more different movies."
TOGETHER = "How one list is made for several viewers."


@click.command()
@for_viewers
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
    type=click.Choice(get_args(UnseenBy)),
    help="Movies that all of the viewers have not seen, or any of them; with none also what all have seen.",
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
    unseen_by: UnseenBy,
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
    viewers = viewers_named(store, users, profiles, name)
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
        print_rich(titled(movie), reason(movie))
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


@click.command()
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
