"""Safe output: everything drawn or printed passes here, and loses whatever could control a terminal.

Untrusted text may contain escape sequences, control characters, marks for the direction of writing, and invisible
characters. They may be stored; they are removed here, whoever wrote the text.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterable, Iterator
from typing import TextIO

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from movietui.data.safe_text import INVISIBLE, strip_invisible


def drawn(segments: Iterable[Segment], *, one_line: bool) -> Iterator[Segment]:
    """Yield segments as they may be sent to a terminal: without control characters, each as wide as before.

    With ``one_line`` a line break is removed like other controls, else it stays.
    """
    for segment in segments:
        words = segment.text
        if segment.control or INVISIBLE.search(words) is None:
            yield segment
        else:
            lines = [words] if one_line else words.split("\n")
            kept = (set_cell_size(strip_invisible(line), cell_len(line)) for line in lines)
            yield Segment("\n".join(kept), segment.style)


class PlainConsole(Console):
    """A console whose output cannot control the terminal, and that interprets no markup."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(markup=False, highlight=False, emoji=False, stderr=stderr)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Return the segments of a renderable."""
        return drawn(super().render(renderable, options), one_line=False)


class PlainStream(io.TextIOWrapper):
    """Standard output or error, through which nothing that controls a terminal can be printed.

    A Rich console writes past it, for its colours; ours is a ``PlainConsole``.
    """

    def __init__(self, beneath: TextIO) -> None:
        beneath.flush()
        ascii_only = beneath.encoding.lower() in ("ascii", "us-ascii")  # click would write past this one
        super().__init__(
            beneath.buffer,
            "utf-8" if ascii_only else beneath.encoding,
            beneath.errors,
            newline="\n",
            write_through=True,
        )
        self.rich_proxied_file = beneath

    def write(self, words: str) -> int:
        """Write text line by line."""
        super().write("\n".join(map(strip_invisible, words.split("\n"))))
        return len(words)


@contextlib.contextmanager
def plain_output() -> Iterator[None]:
    """Sanitize everything that is printed until the block ends, including tracebacks."""
    before = sys.stdout, sys.stderr
    streams = [PlainStream(each) if hasattr(each, "buffer") else each for each in before]
    sys.stdout, sys.stderr = streams
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        for stream in streams:
            if isinstance(stream, PlainStream):
                with contextlib.suppress(OSError):  # the reader is gone
                    stream.detach()
