"""An app whose texts cannot control the terminal or a clipboard, and that opens only known pages in a browser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.segment import Segment
from textual.app import App
from textual.color import Color
from textual.filter import LineFilter

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.safe_text import INVISIBLE, strip_invisible
from movietui.formatting.escaping import is_known_page
from movietui.formatting.printing import PlainConsole, drawn


class SanitizedLines(LineFilter):
    """The filter that every drawn line passes through, so that no widget can send control sequences to the terminal."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments of a line without control sequences: the same list if it has none."""
        if INVISIBLE.search("".join([segment.text for segment in segments])) is None:
            return segments
        return list(drawn(segments, one_line=True))


class SanitizedApp(App[int]):
    """An app that sanitizes all of its output."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._sanitized_lines = SanitizedLines()
        self.error_console = PlainConsole(stderr=True)  # a traceback may show values from outside

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return the filters that each drawn line passes through."""
        return [self._sanitized_lines, *super().get_line_filters()]

    def copy_to_clipboard(self, text: str) -> None:
        """Copy text without characters that could control a terminal where it is pasted."""
        super().copy_to_clipboard(strip_invisible(text))

    def copy_lines(self, text: str) -> None:
        """Copy several lines of text, each cleaned as ``copy_to_clipboard`` does."""
        super().copy_to_clipboard("".join(f"{strip_invisible(line)}\n" for line in text.splitlines()))

    def open_url(self, url: str, *, new_tab: bool = True) -> None:
        """Open a page of a known site in a browser. Raises ``Problem`` for any other address."""
        if not is_known_page(url):
            raise Problem(
                tr(
                    "movietui does not open {address}; it opens only pages of IMDb, Letterboxd and JustWatch.",
                    address=url,
                )
            )
        super().open_url(url, new_tab=new_tab)
