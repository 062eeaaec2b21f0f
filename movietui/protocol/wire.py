"""The format of the pipes between the app and its child processes: one JSON object per line, in both directions.

The engine replies to ``{"id": 7, "do": "rank", "arguments": {…}}`` with ``{"id": 7, "result": …}`` or, if the request
fails, with ``{"id": 7, "problem": "one sentence"}``; see ``requests``. While working on a request, it sends ``WORKING``
once a second. A job takes one request, ``{"do": "get", …}``, and reports events, ``{"event": "stage", …}``; see
``jobs``.
"""

import json
import os
import sys
from collections.abc import Mapping
from typing import Any, TextIO

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.storage import strict_json

Message = dict[str, Any]
WORKING: Message = {"working": True}
"""What the engine sends while it works on a request."""


def encode(message: Mapping[str, object]) -> bytes:
    """Return a message as a line."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def decode(line: bytes | str) -> Message:
    """Return the message of a line. Raises ``ValueError`` for a line that is not a message."""
    message = strict_json.loads(line)
    if not isinstance(message, dict):
        raise ValueError("a message is a JSON object")
    return message


def take_stdout() -> TextIO:
    """Return the pipe to the parent, for messages. From then on, everything printed goes to standard error."""
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return pipe


def sentence(error: BaseException) -> str:
    """Return a sentence about an error: a ``Problem``'s own, advice if memory ran out, or the error and its line."""
    if isinstance(error, Problem):
        return str(error)
    if isinstance(error, MemoryError):
        return tr("Not enough memory; choose a smaller dataset or close other programs.")
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    position = f" ({os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno})" if trace else ""
    return tr(
        "Unexpected error: {type}: {error}{position}; please report it.",
        type=type(error).__name__,
        error=error,
        position=position,
    )
