"""The engine process. It replies to the requests on standard input until the app closes that pipe."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING, TextIO

from movietui.data.problems import Problem
from movietui.data.storage import log
from movietui.protocol.requests import NAMES
from movietui.protocol.wire import WORKING, Message, decode, encode, sentence, take_stdout

if TYPE_CHECKING:
    from movietui.protocol.requests import Requests

# Set before numpy is loaded. The models make two calls side by side where that helps (``side_by_side``); if each were
# divided among further threads, these would wait for each other: on a busy machine, for ten times as long as the list
# takes.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

SIGN_SECONDS = 1.0
"""Seconds between the signs of life that the engine gives while it works on a request."""


class Replies:
    """The pipe to the client: a line for each reply and, while the engine works on a request, a sign of life."""

    def __init__(self, pipe: TextIO) -> None:
        self._pipe = pipe
        self._writing = threading.Lock()
        self.working = threading.Event()
        threading.Thread(target=self._give_signs, daemon=True).start()

    def write(self, line: bytes) -> None:
        """Write one line."""
        with self._writing:
            self._pipe.write(line.decode())
            self._pipe.flush()

    def _give_signs(self) -> None:
        while self.working.wait():
            time.sleep(SIGN_SECONDS)
            if self.working.is_set():
                try:
                    self.write(encode(WORKING))
                except OSError:  # the client is gone, so nobody waits for the reply
                    os._exit(1)


def reply(service: Requests, request: Message) -> bytes:
    """Return the line that replies to a request. An error becomes a sentence, and the process continues."""
    number = request["id"]
    try:
        name = request["do"]
        if name not in NAMES:
            raise LookupError(f"there is no request {name!r}")
        return encode({"id": number, "result": getattr(service, name)(**request["arguments"])})
    except Exception as error:
        if not isinstance(error, Problem):
            log.record("engine", error)
        return encode({"id": number, "problem": sentence(error)})


def main() -> None:
    """Reply until standard input ends."""
    log.record_uncaught("engine")
    replies = Replies(take_stdout())
    replies.working.set()  # importing numpy may take a while on a cold disk
    from movietui.engine.service import Service

    service = Service()
    replies.working.clear()
    for line in sys.stdin.buffer:
        replies.working.set()
        reply_line = reply(service, decode(line))
        replies.working.clear()
        replies.write(reply_line)


if __name__ == "__main__":
    main()
