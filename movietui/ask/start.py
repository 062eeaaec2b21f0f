"""Starts the plain mode: reads lines from standard input, and prints what the conversation says."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from typing import Any, TextIO

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

    With a ``transcript``, nothing is printed. If a person types, the better model trains meanwhile. Raises ``Problem``
    if the dataset, the model or a viewer does not exist.
    """
    person = transcript is None and sys.stdin.isatty()

    async def talk() -> None:
        say = transcript.say if transcript else print
        it = Conversation(Session(store, engine or Engine()), say, trains=person)
        try:
            await it.begin(dataset, viewers, model)
            async for line in lines(PROMPT if person else ""):
                if transcript:
                    transcript.hear(line)
                await it.do(line)
                if it.over:
                    break
        finally:
            await it.close()
            await end_all()

    asyncio.run(talk())


async def lines(prompt: str = "") -> AsyncIterator[str]:
    """Yield the lines of standard input, each after the prompt."""
    reader = _standard_input()
    while True:
        if prompt:
            print(prompt, end="", flush=True)
        line = await _read_line(reader)
        if not line:
            if prompt:
                print()
            return
        yield line


def _standard_input() -> TextIO:
    """Return a reader of standard input that is not ``sys.stdin``: Python cannot end while a thread reads that."""
    try:
        number = sys.stdin.fileno()
    except (OSError, ValueError):  # not a file
        return sys.stdin
    return open(os.dup(number), encoding="utf-8", errors="replace")


async def _read_line(reader: TextIO) -> str:
    """Read a line in a thread that neither ctrl+c nor the end of the program waits for."""
    loop = asyncio.get_running_loop()
    read: asyncio.Future[str] = loop.create_future()

    def finish(line: str) -> None:
        if not read.done():
            read.set_result(line)

    def work() -> None:
        line = ""
        with contextlib.suppress(OSError):  # the terminal is gone
            line = reader.readline(LONGEST_LINE)
        with contextlib.suppress(RuntimeError):  # the conversation is over
            loop.call_soon_threadsafe(finish, line)

    threading.Thread(target=work, daemon=True).start()
    return await read
