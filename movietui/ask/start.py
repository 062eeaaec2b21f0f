"""Starts the plain mode: reads lines from standard input, and prints what the conversation says."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from movietui.ask import commands  # noqa: F401  # defines the commands
from movietui.ask.conversation import Conversation
from movietui.state.child_processes import Engine, EngineClient, end_all
from movietui.state.session import Session
from movietui.store.ratings import Store

PROMPT = "> "
LONGEST_LINE = 4096
"""The most characters of a line; what follows them is read as the next line."""


class Transcript:
    """What was typed and said, for ``--json``."""

    def __init__(self) -> None:
        self.turns: list[dict[str, Any]] = [{"typed": "", "said": []}]
        """Each typed line with what was said about it; first, what is said at the start."""

    def say(self, line: str) -> None:
        """Add a line that is said."""
        self.turns[-1]["said"].append(line)

    def hear(self, line: str) -> None:
        """Add a line that was typed."""
        self.turns.append({"typed": line.strip(), "said": []})


def run(
    store: Store,
    dataset: str,
    viewers: Sequence[str],
    model: str,
    engine: EngineClient | None = None,
    transcript: Transcript | None = None,
) -> None:
    """Talk until standard input ends or the person leaves. The arguments are those of ``Conversation.begin``.

    With a ``transcript``, nothing is printed. Raises ``Problem`` if the dataset, the model or a viewer does not exist.
    The event loop stands still while a line is typed, so that ctrl+c ends the program at once.
    """
    with asyncio.Runner() as loop:
        talk = Conversation(Session(store, engine or Engine()), transcript.say if transcript else print)
        try:
            loop.run(talk.begin(dataset, viewers, model))
            for line in lines(prompt="" if transcript else PROMPT):
                if transcript:
                    transcript.hear(line)
                loop.run(talk.do(line))
                if talk.over:
                    break
        finally:
            loop.run(_end(talk))


async def _end(talk: Conversation) -> None:
    await talk.close()
    await end_all()


def lines(prompt: str = PROMPT) -> Iterator[str]:
    """Yield the lines of standard input, each after a prompt if a person types them."""
    asks = bool(prompt) and sys.stdin.isatty()
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")
    while True:
        if asks:
            print(prompt, end="", flush=True)
        line = sys.stdin.readline(LONGEST_LINE)
        if not line:
            if asks:
                print()
            return
        yield line
