"""The commands that change which movies are listed, and in which order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from movietui.ask import words
from movietui.ask.conversation import PAGE, Conversation
from movietui.ask.grammar import command, number_in, one_of
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.query.condition_text import EXAMPLE
from movietui.data.query.list_conditions import with_list
from movietui.data.storage.atomic_files import write_file
from movietui.data.storage.paths import pasted
from movietui.formatting import text
from movietui.formatting.movie_files import (
    FORMATS,
    FormatName,
    MovieFile,
    letterboxd_note,
    listed,
    newest_first,
    ratings_file,
    shortlist_file,
    watchlist_file,
)
from movietui.models.choices import DIALLED
from movietui.state.filter_line import FILTER, check_name, expand, step_decade, step_genre
from movietui.state.view import View, Wanted
from movietui.store.profile_entries import entries_of
from movietui.ui.wording import SHORT_ORDERS

LETTERBOXD: FormatName = "letterboxd"
MOST_SAVED = 1000
"""The most movies of the list that are saved to a file."""


async def _filter(talk: Conversation, typed: str) -> None:
    """List only the movies that match a filter; an empty one matches all."""
    talk.require_list()
    saved = await asyncio.to_thread(talk.session.store.choices, FILTER)
    await talk.session.apply_filter(expand(typed, saved))
    await talk.list_movies()


@command(
    "filter",
    "[CONDITIONS]",
    tr("list only movies that match, such as filter {filter}; alone, all movies", filter=EXAMPLE),
    "f",
)
async def filter_(talk: Conversation, rest: str) -> None:
    """Filter the list."""
    await _filter(talk, rest)


@command("clear", "", tr("remove the filter and whatever else leaves movies out or reorders them"))
async def clear(talk: Conversation, rest: str) -> None:
    """Show the whole list again in its default order."""
    talk.require_list()
    talk.session.view = View(order=next(iter(talk.session.orders)))
    await talk.list_movies()


@command("genre", "[back]", tr("list only movies of the next genre, or of the one before"))
async def genre(talk: Conversation, rest: str) -> None:
    """Step through the genres."""
    talk.require_list()
    assert talk.session.opened is not None
    await _filter(
        talk, step_genre(talk.session.view.filter_text, talk.session.opened["genres"], _step(talk, "genre", rest))
    )


@command("decade", "[back]", tr("list only movies of the next older decade, or of the newer one"))
async def decade(talk: Conversation, rest: str) -> None:
    """Step through the decades."""
    talk.require_list()
    assert talk.session.opened is not None
    steps = _step(talk, "decade", rest)
    await _filter(talk, step_decade(talk.session.view.filter_text, talk.session.opened["decades"], steps))


def _step(talk: Conversation, name: str, rest: str) -> int:
    if rest not in ("", "back"):
        raise talk.usage(name)
    return -1 if rest else 1


@command("keep", "NAME", tr("save the filter under a name: filter :NAME uses it; without a filter, delete it"))
async def keep(talk: Conversation, rest: str) -> None:
    """Save the filter, or delete a saved one."""
    name, filter_text = check_name(rest), talk.session.view.filter_text
    await asyncio.to_thread(talk.session.store.choose, FILTER + name, filter_text)
    talk.say(
        tr("Saved {filter} as :{name}", filter=filter_text, name=name)
        if filter_text
        else tr("Deleted :{name}", name=name)
    )


@command("filters", "", tr("say the saved filters"))
async def filters(talk: Conversation, rest: str) -> None:
    """Say the saved filters."""
    saved = await asyncio.to_thread(talk.session.store.choices, FILTER)
    if not any(saved.values()):
        raise Problem(tr("There is no saved filter yet; keep NAME saves the filter."))
    talk.say(
        *(
            tr(":{name} is {filter}", name=name, filter=filter_text)
            for name, filter_text in saved.items()
            if filter_text
        )
    )


@command("lists", "", tr("say your named lists, such as your shelf"))
async def lists(talk: Conversation, rest: str) -> None:
    """Say the named lists of the viewers."""
    talk.require_list()
    rows = await talk.session.lists()
    if not rows:
        raise Problem(tr("There is no list yet; import adds the lists in a file."))
    talk.say(
        *(f"{row.name}, {text.plural(row.movies, 'movie')}" for row in rows), tr("on NAME lists the movies of one.")
    )


@command("on", "[NAME]", tr("list only movies on this named list; alone, on any or none"))
async def on(talk: Conversation, rest: str) -> None:
    """List only the movies of a named list."""
    await _filter(talk, with_list(talk.session.view.filter_text, rest))


@command(
    "only", "[watchlist|both|all]", tr("list only the watchlist, in a pair only what all of you want, or all movies")
)
async def only(talk: Conversation, rest: str) -> None:
    """List only the movies of the watchlist."""
    talk.require_list()
    together = talk.session.audience.together
    choices: tuple[Wanted, ...] = ("watchlist", "both", "all") if together else ("watchlist", "all")
    wanted = one_of(rest, choices, tr("watchlist choice")) if rest else "watchlist"
    talk.session.view = replace(talk.session.view, wanted=wanted)
    await talk.list_movies()


@command("sort", "ORDER", tr("sort the list: {orders}", orders=", ".join(SHORT_ORDERS)))
async def sort(talk: Conversation, rest: str) -> None:
    """Sort the list."""
    talk.require_list()
    talk.session.view = talk.session.view.ordered_by(one_of(rest, tuple(talk.session.orders), tr("order")))
    await talk.list_movies()


async def _turn(talk: Conversation, view: View) -> None:
    """List movies after a dial was moved. Raises ``Problem`` in an order for which the dials do nothing."""
    talk.require_list()
    if talk.session.view.order not in DIALLED:
        orders = tr(" or ").join(f"sort {order}" for order in DIALLED if order in talk.session.orders)
        raise Problem(tr("This works only in another order; type {commands} first.", commands=orders))
    talk.session.view = view
    await talk.list_movies()


@command("daring", "", tr("a step towards lesser-known, more varied movies"))
async def daring(talk: Conversation, rest: str) -> None:
    """Move the dial towards daring."""
    await _turn(talk, talk.session.view.more_daring(1))


@command("safe", "", tr("a step towards better-known movies"))
async def safe(talk: Conversation, rest: str) -> None:
    """Move the dial towards safe."""
    await _turn(talk, talk.session.view.more_daring(-1))


@command("recent", "", tr("a step towards newer movies"))
async def recent(talk: Conversation, rest: str) -> None:
    """Move the dial towards recent movies."""
    await _turn(talk, talk.session.view.more_recent(1))


@command("anyyear", "", tr("a step towards movies of any year"))
async def anyyear(talk: Conversation, rest: str) -> None:
    """Move the dial towards movies of any year."""
    await _turn(talk, talk.session.view.more_recent(-1))


@command(
    "save",
    "[NUMBER|watchlist|ratings] [letterboxd] FILE",
    tr("save the list, your watchlist or ratings to a .md or .csv file, or to a .csv file for Letterboxd"),
)
async def save(talk: Conversation, rest: str) -> None:
    """Save movies to a file. Raises ``Problem`` if the file exists, or for another suffix."""
    talk.require_list()
    what, name = _split(rest, lambda word: word in ("watchlist", "ratings") or bool(number_in(word)))
    service, name = _split(name, lambda word: word == LETTERBOXD)
    if not name:
        raise talk.usage("save")
    path = pasted(name).absolute()
    formats = [FORMATS[LETTERBOXD]] if service else FORMATS.values()
    file_format = next((each for each in formats if each.suffix == path.suffix.casefold()), None)
    if file_format is None:
        wrong = (
            tr("does not end in {suffix}", suffix=FORMATS[LETTERBOXD].suffix)
            if service
            else tr("ends in neither .md nor .csv")
        )
        raise Problem(tr("{file} {problem}, so movietui does not know how to write it.", file=path.name, problem=wrong))
    file = await _file(talk, what or str(PAGE))
    if not file.movies:
        raise Problem(tr("There is nothing to save."))
    content = (await asyncio.to_thread(file_format.write, file)).encode()
    await asyncio.to_thread(write_file, path, content, force=False)
    movies = text.plural(len(file.movies), "movie")
    talk.say(tr("Saved {movies} {format} to {path}", movies=movies, format=file_format.phrase, path=path))
    talk.say(*filter(None, [letterboxd_note(content) if service else ""]))


def _split(words: str, wanted: Callable[[str], bool]) -> tuple[str, str]:
    """Return the first word, if it is wanted and others follow, and what is left."""
    first, _, others = words.partition(" ")
    return (first, others.strip()) if others.strip() and wanted(first) else ("", words)


async def _file(talk: Conversation, what: str) -> MovieFile:
    """Return the watchlist or ratings of the viewer who rates next or, if ``what`` is a number, so many movies."""
    session = talk.session
    opened, rater = session.opened, session.audience.rater
    assert opened is not None
    if what == "watchlist":
        return watchlist_file(rater.label, await asyncio.to_thread(entries_of, session.store, rater))
    if what == "ratings":
        rows = newest_first(await session.given_ratings(rater))
        return ratings_file(rater.label, rows, opened["dataset"], opened["model"], [tr("Newest first")])
    movies = [listed(row) for row in (await session.ranked(0, min(int(what), MOST_SAVED)))["rows"]]
    conditions = [tr("ordered by {order}", order=session.orders[session.view.order])]
    conditions += words.list_conditions(session.view, session.audience)
    sentences = [f"{each[0].upper()}{each[1:]}" for each in conditions]
    return shortlist_file(talk.names(), movies, opened["dataset"], opened["model"], sentences)
