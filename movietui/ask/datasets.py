"""The commands about datasets and about the models that make the list."""

from __future__ import annotations

import asyncio

from movietui.ask import words
from movietui.ask.conversation import PAGE, Conversation, offer
from movietui.ask.grammar import command, number_in
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.formatting import text
from movietui.protocol.requests import Requests
from movietui.store.run_records import Run


@command("dataset", "[NAME]", tr("use another dataset, and get it first if it is not on disk; alone, say the datasets"))
async def dataset(talk: Conversation, rest: str) -> None:
    """Say the datasets, or open one."""
    if rest:
        await talk.open(rest)
        await talk.list_movies()
        return
    opened = talk.session.opened["dataset"] if talk.session.opened is not None else ""
    for row in await talk.session.engine.ask(Requests.datasets):
        parts = [row["name"], row["title"], text.span(row["first_year"], row["last_year"])]
        parts += [text.plural(row["movies"], "movie")] if row["movies"] else []
        parts += [tr("in use")] if row["name"] == opened else [tr("on disk")] if row["on_disk"] else []
        if row["download"] and not row["on_disk"]:
            parts.append(tr("{size} to download", size=text.size(row["download"])))
        talk.say(", ".join(filter(None, parts)))


@command("newer", "[hide]", tr("say which dataset has newer movies; hide ends the offer"))
async def newer(talk: Conversation, rest: str) -> None:
    """Offer a dataset with newer movies, or hide the offer."""
    talk.require_list()
    if rest not in ("", "hide"):
        raise talk.usage("newer")
    await talk.newer.look()
    if talk.newer.current is None:
        raise Problem(tr("No dataset with newer movies is offered; dataset lists all."))
    if rest:
        await talk.newer.hide()
        talk.say(tr("Hidden; dataset lists all."))
    else:
        talk.say(offer(talk.newer.current))


@command("model", "[NAME|NUMBER]", tr("let another trained model make the list; alone, say which there are"))
async def model(talk: Conversation, rest: str) -> None:
    """Say the runs that can make the list, or use one."""
    runs, now = await _runs(talk)
    if rest:
        run = _run(talk, rest, runs)
        await talk.serve(run.dataset, run)
        await talk.show_list(tr("Using run {run}, {model}, for the list", run=run.id, model=run.model))
        return
    for run in runs:
        named = f", {run.name}" if run.name else ""
        used = tr(", in use") if run.id == now.id else ""
        talk.say(f"{run.id}. {run.model}{named}{used}")


@command("compare", "NAME|NUMBER", tr("say what another trained model would change at the top of the list"))
async def compare(talk: Conversation, rest: str) -> None:
    """Compare the list with the one that another run would make."""
    runs, _ = await _runs(talk)
    if not rest:
        raise talk.usage("compare")
    talk.say(*words.compared(await talk.session.compare_list(_run(talk, rest, runs), PAGE)))


async def _runs(talk: Conversation) -> tuple[list[Run], Run]:
    """Return the runs that can serve the open dataset, and the one that does."""
    talk.require_list()
    now = talk.session.run
    assert now is not None
    return await asyncio.to_thread(talk.session.store.serving_runs, now.dataset), now


def _run(talk: Conversation, typed: str, runs: list[Run]) -> Run:
    number = number_in(typed)
    return next((run for run in runs if run.id == number), None) or talk.run_of(typed, runs)
