"""Safe output. Everything drawn or printed passes through this module, which removes what could control a terminal.

Untrusted text may contain escape sequences, control characters, characters that change the writing direction, and
invisible characters. All of these are removed here, wherever the text comes from, even the store.
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
from movietui.formatting.color import color_wanted


def drawn(segments: Iterable[Segment], *, one_line: bool) -> Iterator[Segment]:
    """Yield segments that are safe to send to a terminal. Their text loses control characters, but not its width.

    Segments with which Rich itself controls the terminal pass unchanged. Line breaks stay, except with ``one_line``.
    """
    for segment in segments:
        words = segment.text
        if segment.control or INVISIBLE.search(words) is None:
            yield segment
        else:
            lines = [words] if one_line else words.split("\n")
            cleaned = (set_cell_size(strip_invisible(line), cell_len(line)) for line in lines)
            yield Segment("\n".join(cleaned), segment.style)


class PlainConsole(Console):
    """A console whose text cannot control the terminal and is not read as markup.

    ``movietui.formatting.color`` says when it prints colours.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        color = color_wanted()
        super().__init__(
            markup=False,
            highlight=False,
            emoji=False,
            stderr=stderr,
            color_system="standard" if color else "auto",
            no_color=color is False,
        )

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Return the safe segments of a renderable."""
        return drawn(super().render(renderable, options), one_line=False)


class PlainStream(io.TextIOWrapper):
    """A replacement for standard output or error, which removes from text whatever could control a terminal.

    To print colours, a Rich console bypasses this stream, so movietui prints with a ``PlainConsole``.
    """

    def __init__(self, stream: TextIO) -> None:
        stream.flush()
        ascii_only = stream.encoding.lower() in ("ascii", "us-ascii")  # click bypasses ASCII streams
        super().__init__(
            stream.buffer,
            "utf-8" if ascii_only else stream.encoding,
            stream.errors,
            newline="\n",
            write_through=True,
        )
        self.rich_proxied_file = stream

    def write(self, words: str) -> int:
        """Write text without its control characters, except line breaks."""
        super().write("\n".join(map(strip_invisible, words.split("\n"))))
        return len(words)


@contextlib.contextmanager
def plain_output() -> Iterator[None]:
    """Make everything that is printed until the block ends safe for the terminal, including tracebacks."""
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
