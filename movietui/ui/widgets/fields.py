"""Fields of forms; in one for numbers, letters that are keys of the screen stay keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textual import events
from textual.message import Message
from textual.widgets import Input


class Field(Input):
    """A line to type into that costs little to make, for forms that have many."""

    def update_node_styles(self, animate: bool = True) -> None:
        """Follow changed classes; one that is being made gets its styles once, when it is mounted."""
        if self.parent is not None:
            super().update_node_styles(animate)


class NumberInput(Field):
    """A line to type numbers into."""

    @dataclass
    class Pressed(Message):
        """A key was pressed that is no part of a number."""

        input: NumberInput
        key: str

        @property
        def control(self) -> NumberInput:
            return self.input

    def __init__(self, value: str, *, keys: str, **options: Any) -> None:
        """``keys``: the letters that are told, not typed."""
        super().__init__(value, compact=True, **options)
        self._keys = keys

    async def _on_key(self, event: events.Key) -> None:
        if event.character and event.character in self._keys:
            event.stop()
            event.prevent_default()
            self.post_message(self.Pressed(self, event.character))
