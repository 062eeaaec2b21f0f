"""Drives a browser: the app ends with the page that shows it, and takes no size that no window has."""

from __future__ import annotations

import os
from typing import Any

from textual import messages
from textual.drivers.web_driver import WebDriver

MOST_COLUMNS, MOST_LINES = 500, 200
"""A page could ask for millions, which would not fit into memory."""


def bounded(columns: object, lines: object) -> tuple[int, int]:
    """Return numbers of columns and lines that a window can have; 80 and 24 for what is no number."""
    return _bounded(columns, 80, MOST_COLUMNS), _bounded(lines, 24, MOST_LINES)


def _bounded(wanted: object, usual: int, most: int) -> int:
    return max(1, min(int(str(wanted)), most)) if str(wanted).isdecimal() else usual


class BrowserDriver(WebDriver):
    """Textual's driver for a browser. ``web/server.py`` names it in the environment of the app."""

    def __init__(self, app: Any, *, size: tuple[int, int] | None = None, **options: Any) -> None:
        first = bounded(os.environ.get("COLUMNS"), os.environ.get("ROWS"))
        super().__init__(app, size=size or first, **options)
        self.app = app

    def on_meta(self, packet_type: str, payload: dict[str, object]) -> None:
        """Handle what the server says about the page, such as its size."""
        if packet_type == "resize":
            columns, lines = bounded(payload.get("width"), payload.get("height"))
            payload = {**payload, "width": columns, "height": lines}
        super().on_meta(packet_type, payload)

    def run_input_thread(self) -> None:
        """Read keys until the app ends. If the server is gone, end the app: nobody can see it any more."""
        super().run_input_thread()
        if not self.exit_event.is_set():
            self.app.post_message(messages.ExitApp())
