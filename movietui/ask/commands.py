"""All commands of the plain mode. The order of the imports is the order of the help."""

from __future__ import annotations

from movietui.ask import movies  # isort: skip
from movietui.ask import lists, viewers  # isort: skip
from movietui.ask import imports, interviews, datasets  # isort: skip
from movietui.ask.conversation import Conversation
from movietui.ask.grammar import command, help_lines
from movietui.data.language import tr

__all__ = ["datasets", "imports", "interviews", "lists", "movies", "viewers"]


@command("help", "[COMMAND]", tr("say what the commands do"), "h")
async def help_(talk: Conversation, rest: str) -> None:
    """Say what the commands do."""
    talk.say(*help_lines(rest))
    if not rest:
        talk.say(tr("MOVIE is the number of a movie in what was listed last, or its title."))


@command("quit", "[train]", tr("leave; everything is saved; quit train goes on training in the background"), "q")
async def quit_(talk: Conversation, rest: str) -> None:
    """Leave."""
    if rest not in ("", "train"):
        raise talk.usage("quit")
    talk.trains_on = bool(rest)
    if talk.queue.running and not talk.trains_on:
        talk.say(tr("The training stops, and goes on the next time."))
    talk.over = True
