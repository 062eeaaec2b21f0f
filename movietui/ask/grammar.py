"""The commands of the plain mode: their names, what follows them, and what they do. ``parse`` reads a typed line."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from movietui.data.language import tr
from movietui.data.near_names import no_such
from movietui.data.problems import Problem
from movietui.formatting import text

if TYPE_CHECKING:
    from movietui.ask.conversation import Conversation

Action = Callable[["Conversation", str], Awaitable[None]]
"""Does what a command says; the text is what follows the command's name."""
Name = TypeVar("Name", bound=str)
_STARS = re.compile(r"([0-9]*)([.,][0-9]+|½)?")


@dataclass(frozen=True)
class Command:
    """A command."""

    name: str
    short: str
    """Another name, of one character; empty without one."""
    usage: str
    """What follows the name, such as ``MOVIE STARS``; may be empty."""
    does: str
    """What it does, in a few words."""
    action: Action

    @property
    def shown(self) -> str:
        """The command with its usage, as the help names it: ``rate MOVIE STARS``."""
        return f"{self.name} {self.usage}".rstrip()


COMMANDS: dict[str, Command] = {}
"""The commands by name, in the order of the help. The modules that define the commands fill it."""


def command(name: str, usage: str, does: str, short: str = "") -> Callable[[Action], Action]:
    """Decorator: make a function the action of a command; see ``Command``."""

    def add(action: Action) -> Action:
        COMMANDS[name] = Command(name, short, usage, does, action)
        return action

    return add


def parse(line: str) -> tuple[Command, str]:
    """Return the command of a line, and what follows it. Case does not count.

    Raises ``Problem`` if there is no such command.
    """
    word, _, rest = line.strip().partition(" ")
    return named(word), rest.strip()


def named(word: str) -> Command:
    """Return the command with this name or short name. Raises ``Problem``, with similar names, if there is none."""
    wanted = word.casefold()
    for each in COMMANDS.values():
        if wanted in (each.name, each.short):
            return each
    shown = text.cut(word, text.QUOTED).rstrip()
    raise no_such(tr("There is no command {command!r}", command=shown), word, COMMANDS, tr("help lists the commands."))


def help_lines(about: str) -> Iterator[str]:
    """Yield a line for each command or, if ``about`` names one, for this one."""
    for each in [named(about)] if about else COMMANDS.values():
        short = tr("; short: {command}", command=each.short) if each.short else ""
        yield f"{each.shown}: {each.does}{short}."


def movie_and_stars(words: str) -> tuple[str, float]:
    """Split ``3 4.5`` or ``fargo 4½`` into the movie and the stars. Raises ``Problem`` if one of them is missing."""
    movie, _, typed = words.rpartition(" ")
    match = _STARS.fullmatch(typed)
    if not movie.strip() or not typed or match is None:
        raise Problem(tr("Say which movie and how many stars: rate 3 4.5, or rate fargo 4."))
    return movie.strip(), float((match[1] or "0") + (match[2] or "").replace("½", ".5").replace(",", "."))


def number_in(words: str) -> int | None:
    """Return the number that was typed; ``None`` for anything else.

    >>> number_in("12"), number_in("fargo")
    (12, None)
    """
    return int(words) if re.fullmatch("[0-9]{1,6}", words) else None


def one_of(words: str, names: Collection[Name], what: str) -> Name:
    """Return the name that was typed; its beginning is enough if only one name begins so.

    ``what`` says what the names are of. Raises ``Problem``, with similar names, for anything else.
    """
    wanted = words.casefold()
    near = [name for name in names if name == wanted] or [name for name in names if wanted and name.startswith(wanted)]
    if len(near) == 1:
        return near[0]
    wrong = tr("There is no {kind} {name!r}", kind=what, name=words)
    raise no_such(wrong, words, names, tr("choose one of {names}.", names=", ".join(names)))
