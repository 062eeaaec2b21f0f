"""The commands about movies: list them, rate and mark them, ask why, undo."""

from __future__ import annotations

import asyncio
import secrets

from movietui.ask import interviews, words
from movietui.ask.conversation import PAGE, Conversation, given
from movietui.ask.grammar import command, movie_and_stars, number_in
from movietui.data.imports.entries import Mark
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.query.condition_text import person_condition, tag_condition
from movietui.formatting import text
from movietui.formatting.movie_files import newest_first
from movietui.formatting.movie_pages import pages_of
from movietui.protocol.messages import Details, GivenRating
from movietui.ui import wording


@command("list", "[NUMBER]", tr("list movies, from the first or from this number"), "l")
async def list_(talk: Conversation, rest: str) -> None:
    """List movies, with ratings that other windows have stored meanwhile."""
    number = number_in(rest or "1")
    if not number:
        raise talk.usage("list")
    await talk.list_movies(number - 1)


@command("more", "", tr("list the next movies"), "m")
async def more(talk: Conversation, rest: str) -> None:
    """List the movies after those that were listed last."""
    if talk.offset + PAGE >= talk.total:
        raise Problem(tr("The list ends here; list starts again."))
    await talk.list_movies(talk.offset + PAGE)


@command("back", "", tr("list the movies before these"), "b")
async def back(talk: Conversation, rest: str) -> None:
    """List the movies before those that were listed last."""
    if not talk.offset:
        raise Problem(tr("The list begins here; more goes on."))
    await talk.list_movies(max(0, talk.offset - PAGE))


@command("why", "MOVIE", tr("say everything about a movie, and why it may be for you"), "w")
async def why(talk: Conversation, rest: str) -> None:
    """Say everything about a movie."""
    movie = await talk.movie(rest)
    talk.say(*words.why(movie, talk.names()))


@command("rate", "MOVIE STARS", tr("rate a movie with 0.5 to 5 stars"), "r")
async def rate(talk: Conversation, rest: str) -> None:
    """Rate a movie for the viewer who rates next. A rated movie is rated again."""
    typed, stars = movie_and_stars(rest)
    if talk.interview is not None:
        await interviews.rate(talk, talk.interview, await talk.movie(typed), stars)
        return
    movie: Details | GivenRating = given(talk.numbered(typed)) or await talk.movie(typed)
    change = await talk.session.rate(movie, stars)
    await talk.show_change(change, wording.describe_change(change))


@command("unrate", "MOVIE", tr("remove your rating of a movie"))
async def unrate(talk: Conversation, rest: str) -> None:
    """Remove a rating of the viewer who rates next."""
    movie = given(talk.numbered(rest)) or await _given_to(talk, await talk.movie(rest))
    change = await talk.session.unrate(movie)
    await talk.show_change(change, wording.describe_change(change))


async def _given_to(talk: Conversation, movie: Details) -> GivenRating:
    for row in await talk.session.given_ratings(talk.session.audience.rater):
        if row["key"] == movie["key"]:
            return row
    viewer = talk.session.audience.rater.label
    raise Problem(tr("{viewer} has not rated {movie}.", viewer=viewer, movie=text.movie_title(movie)))


async def _mark(talk: Conversation, rest: str, mark: Mark) -> None:
    change = await talk.session.mark(await talk.movie(rest), mark)
    await talk.show_change(change, wording.describe_change(change))


@command("seen", "MOVIE", tr("mark a movie as seen, without a rating; again to remove the mark"))
async def seen(talk: Conversation, rest: str) -> None:
    """Mark a movie as seen."""
    await _mark(talk, rest, "seen")


@command("hide", "MOVIE", tr("never list a movie again; again to remove the mark"))
async def hide(talk: Conversation, rest: str) -> None:
    """Hide a movie."""
    await _mark(talk, rest, "hidden")


@command("watchlist", "MOVIE", tr("add a movie to the watchlist, or remove it"))
async def watchlist(talk: Conversation, rest: str) -> None:
    """Add a movie to the watchlist."""
    await _mark(talk, rest, "watchlist")


@command("veto", "MOVIE", tr("in a pair or group: not this movie tonight"))
async def veto(talk: Conversation, rest: str) -> None:
    """Leave a movie out of a shared list."""
    vetoed = talk.session.veto(await talk.movie(rest))
    await talk.show_change(vetoed, tr("vetoed {movie}", movie=vetoed.movie.title))


@command("undo", "", tr("undo the last change"), "u")
async def undo(talk: Conversation, rest: str) -> None:
    """Undo the last change; in an interview, the last answer."""
    if talk.interview is not None:
        await interviews.undo(talk, talk.interview)
        return
    talk.require_list()
    done = await talk.session.undo()
    if done is None:
        raise Problem(tr("There is nothing to undo."))
    await talk.show_change(done, tr("undid {step}", step=wording.describe_step(done, undone=True)), "redo")


@command("redo", "", tr("redo what was undone last"))
async def redo(talk: Conversation, rest: str) -> None:
    """Redo the change that was undone last."""
    talk.require_list()
    done = await talk.session.redo()
    if done is None:
        raise Problem(tr("There is nothing to redo."))
    await talk.show_change(done, tr("redid {step}", step=wording.describe_step(done, undone=False)))


@command("history", "", tr("say everything that you did, newest first"))
async def history(talk: Conversation, rest: str) -> None:
    """Number all steps of the viewer who rates next."""
    talk.require_list()
    steps = await asyncio.to_thread(talk.session.store.history, talk.session.audience.rater)
    talk.steps = dict(enumerate(steps, 1))
    if not steps:
        raise Problem(tr("Nothing yet. Whatever you rate, mark or import will be listed here."))
    for number, step in talk.steps.items():
        undone = tr(", undone") if step.undone else ""
        talk.say(f"{number}. {wording.about(step)}, {wording.summarize_step(step)}, {text.moment(step.at)}{undone}")
    talk.say(tr("revert 1 undoes only that step, upto 1 undoes it and all after it."))


@command("revert", "NUMBER", tr("undo only this step of the history"))
async def revert(talk: Conversation, rest: str) -> None:
    """Undo one step, even if it is not the newest."""
    step = talk.steps.get(number_in(rest) or 0)
    if step is None:
        raise talk.usage("revert")
    reverting = None if step.undone else await talk.session.changes.take_back(step)
    if reverting is None:
        raise Problem(
            tr("This step cannot be undone on its own: it is undone, or everything in it was changed again later.")
        )
    await talk.show_change(reverting, tr("undid {step}", step=wording.describe_step(reverting, undone=True)))


@command("upto", "NUMBER", tr("undo this step of the history and all after it, or redo all up to it"))
async def upto(talk: Conversation, rest: str) -> None:
    """Undo several steps, or redo them."""
    step = talk.steps.get(number_in(rest) or 0)
    if step is None:
        raise talk.usage("upto")
    steps = text.plural(await talk.session.changes.go_to(step), "step")
    await talk.show_list(tr("redid {steps}", steps=steps) if step.undone else tr("undid {steps}", steps=steps))


@command("ratings", "", tr("list your ratings, newest first"))
async def ratings(talk: Conversation, rest: str) -> None:
    """Number the ratings of the viewer who rates next."""
    talk.require_list()
    rows = newest_first(await talk.session.given_ratings(talk.session.audience.rater))
    if not rows:
        raise Problem(tr("{viewer} has not rated anything yet.", viewer=talk.session.audience.rater.label))
    talk.number(rows)
    for number, row in enumerate(rows, 1):
        predicted = tr(", predicted {stars:.1f}", stars=row["predicted"]) if row["predicted"] else ""
        talk.say(f"{number}. {text.movie_title(row)}, {text.number_of_stars(row['stars'])}{predicted}")


@command("search", "WORDS", tr("search movies, people, tags and viewers; typos are fine"), "s")
async def search(talk: Conversation, rest: str) -> None:
    """Number the movies that match, and name the people, tags and viewers that do."""
    talk.require_list()
    if not rest:
        raise talk.usage("search")
    results = await talk.session.search(rest)
    movies = results["movies"][:PAGE]
    if movies:
        talk.number(movies)
    for number, row in enumerate(movies, 1):
        mine = text.rated_and_marked(row["rated"], row["marked"])
        talk.say(
            ", ".join(filter(None, [f"{number}. {text.movie_title(row)}", text.plural(row["count"], "rating"), mine]))
        )
    tags = results["tags"]
    for kind, rows in ((tr("director"), results["directors"]), (tr("actor"), results["actors"]), (tr("tag"), tags)):
        for name in rows[:PAGE]:
            condition = (tag_condition if rows is tags else person_condition)(name["name"])
            talk.say(
                tr(
                    "{kind} {name}, {movies}; filter {condition} lists them",
                    kind=kind,
                    name=name["name"],
                    movies=text.plural(name["movies"], "movie"),
                    condition=condition,
                )
            )
    profiles = await asyncio.to_thread(talk.session.store.profiles)
    people = [ref.id for ref, _ in profiles if all(word in ref.id.casefold() for word in rest.casefold().split())]
    talk.say(*(tr("profile {profile}", profile=name) for name in people))
    talk.say(
        *(
            tr("user {user}, {facts}", user=row["id"], facts=text.person(row)).rstrip(", ")
            for row in results["users"][:PAGE]
        )
    )
    if not (movies or people or results["directors"] or results["actors"] or results["tags"] or results["users"]):
        raise Problem(text.nothing_matches(rest, (tr("movie"), tr("person"), tr("tag"), tr("viewer"))))


@command("similar", "MOVIE", tr("list movies that are most like this one"))
async def similar(talk: Conversation, rest: str) -> None:
    """Number the movies that are most like a movie."""
    movie = await talk.movie(rest)
    rows = await talk.session.similar(movie["id"], PAGE)
    talk.say(tr("Most like {movie}:", movie=text.movie_title(movie)))
    talk.number(rows)
    for number, row in enumerate(rows, 1):
        common = tr("in common: {facts}", facts=", ".join(row["shared"])) if row["shared"] else ""
        parts = [f"{number}. {text.movie_title(row)}", text.rated_and_marked(row["rated"], row["marked"]), common]
        talk.say(", ".join(filter(None, parts)))


@command("surprise", "", tr("pick one good movie"))
async def surprise(talk: Conversation, rest: str) -> None:
    """Say one good movie of the list, chosen at random; its number is 0."""
    talk.require_list()
    row = await talk.session.surprise(secrets.randbelow(2**32))
    if row is None:
        raise Problem(tr("The list is empty; clear removes the filter."))
    talk.movies[0] = row
    talk.say(
        *words.why(await talk.session.details(row["id"]), talk.names()), tr("Its number is 0: rate 0 4, watchlist 0.")
    )


@command("where", "MOVIE", tr("say the addresses of pages about a movie: where to watch it, IMDb, reviews"))
async def where(talk: Conversation, rest: str) -> None:
    """Say the addresses of web pages about a movie."""
    movie = await talk.movie(rest)
    talk.say(text.movie_title(movie), *(f"{page.site}: {page.address}" for page in pages_of(movie)))


@command("taste", "", tr("say what you like compared with everybody, and what divides a pair"))
async def taste(talk: Conversation, rest: str) -> None:
    """Say what the viewers like."""
    talk.require_list()
    talk.say(*words.taste(await talk.session.taste(), talk.names()))
