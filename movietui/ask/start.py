"""Starts the plain mode: reads lines from standard input, and prints what the conversation says."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Iterator, Sequence

from movietui.ask import commands  # noqa: F401  # defines the commands
from movietui.ask.conversation import Conversation
from movietui.state.child_processes import Engine, EngineClient, end_all
from movietui.state.session import Session
from movietui.store.ratings import Store

PROMPT = "> "
LONGEST_LINE = 4096
"""The most characters of a line; what follows them is read as the next line."""


def run(store: Store, dataset: str, viewers: Sequence[str], model: str, engine: EngineClient | None = None) -> None:
    """Talk until standard input ends or the person leaves. The arguments are those of ``Conversation.begin``.

    Raises ``Problem`` if the dataset, the model or a viewer does not exist. The event loop stands still while a line is
    typed, so that ctrl+c ends the program at once.
    """
    with asyncio.Runner() as loop:
        talk = Conversation(Session(store, engine or Engine()), print)
        try:
            loop.run(talk.begin(dataset, viewers, model))
            for line in lines():
                loop.run(talk.do(line))
                if talk.over:
                    break
        finally:
            loop.run(_end(talk))


async def _end(talk: Conversation) -> None:
    await talk.close()
    await end_all()


def lines() -> Iterator[str]:
    """Yield the lines of standard input, each after a prompt if a person types them."""
    asks = sys.stdin.isatty()
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")
    while True:
        if asks:
            print(PROMPT, end="", flush=True)
        line = sys.stdin.readline(LONGEST_LINE)
        if not line:
            if asks:
                print()
            return
        yield line
