"""How the drawing process and its children speak: one JSON object a line, in both directions.

The engine answers requests, ``{"id": 7, "do": "rank", …}``, with ``{"id": 7, "result": …}`` or, where it cannot,
``{"id": 7, "problem": "one sentence"}``. A job is given one request and tells its events until the last, which is
``done``, ``failed`` or ``cancelled``.
"""

import json
import os
import sys
from collections.abc import Callable
from typing import Any, TextIO

from data.problems import Problem

Message = dict[str, Any]


def encode(message: Message) -> bytes:
    """Return a message as a line."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def decode(line: bytes | str) -> Message:
    """Return the message of a line."""
    message = json.loads(line)
    if not isinstance(message, dict):
        raise ValueError("a message is a JSON object")
    return message


def take_stdout() -> TextIO:
    """Keep the pipe to the parent for messages; whatever a library prints goes to standard error instead."""
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return pipe


def sentence(error: BaseException) -> str:
    """Return what to tell a person about an error: a problem's own words, or what broke and where."""
    if isinstance(error, Problem):
        return str(error)
    if isinstance(error, MemoryError):
        return "There is not enough memory for this; choose a smaller dataset or close other programs."
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" ({os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno})" if trace else ""
    return f"Something broke that should not: {type(error).__name__}: {error}{place}; please report it."


Send = Callable[[Message], None]
