"""Fields of forms. In a field for numbers, letters remain keys of the screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textual import events
from textual.message import Message
from textual.widgets import Input

from movietui.data.problems import Problem
from movietui.data.safe_text import strip_controls
from movietui.formatting import text
from movietui.ui.problems import shows_problems

LONGEST = 200
"""The most characters of a field that sets no other limit; no title, name, filter or number needs more."""
LONGEST_PATH = 4096
"""The most characters of a path."""


class Field(Input):
    """A text field, cheap to create for forms with many. Every field of the app is one, so that all limit a paste."""

    def __init__(self, value: str = "", *, max_length: int = LONGEST, **options: Any) -> None:
        super().__init__(value, max_length=max_length, **options)

    @shows_problems
    async def on_paste(self, event: events.Paste) -> None:
        """Insert what was pasted as one line, as far as there is room, and say so if that is not all of it.

        Textual would insert the first line only, and nothing at all if it is too long.
        """
        event.stop()
        event.prevent_default()
        start, end = sorted(self.selection)
        room = max(0, self.max_length - len(self.value) + end - start) if self.max_length else len(event.text)
        # Much more than there is room for is never looked at, so that a paste of megabytes takes no time.
        line = " ".join(strip_controls(" ".join(event.text[: 2 * room + LONGEST].split())).split())
        self.replace(line[:room], start, end)
        if len(line) > room:
            raise Problem(f"That was long: only its first {text.plural(room, 'letter')} fit in here.")

    def update_node_styles(self, animate: bool = True) -> None:
        """Update the styles for changed classes; a new field gets its styles once, when it is mounted."""
        if self.parent is not None:
            super().update_node_styles(animate)


class NumberInput(Field):
    """A text field for numbers."""

    @dataclass
    class Pressed(Message):
        """A letter was typed that is not part of a number."""

        input: NumberInput
        key: str

        @property
        def control(self) -> NumberInput:
            return self.input

    def __init__(self, value: str, *, keys: str, **options: Any) -> None:
        """``keys`` are the letters that are posted as ``Pressed`` instead of typed."""
        super().__init__(value, compact=True, **options)
        self._keys = keys

    async def on_key(self, event: events.Key) -> None:
        if event.character and event.character in self._keys:
            event.stop()
            event.prevent_default()
            self.post_message(self.Pressed(self, event.character))
