"""Text fields for any text and for numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textual import events
from textual.message import Message
from textual.widgets import Input

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.safe_text import strip_controls
from movietui.formatting import text
from movietui.ui.problems import shows_problems

LONGEST = 200
"""The most characters in a field that sets no other limit: enough for a title, name, filter or number."""
LONGEST_PATH = 4096
"""The most characters of a path."""


class Field(Input):
    """A text field that is cheap to create and limits pastes. All text fields but that of the help are ``Field``s."""

    def __init__(self, value: str = "", *, max_length: int = LONGEST, **options: Any) -> None:
        super().__init__(value, max_length=max_length, **options)

    @shows_problems
    async def on_paste(self, event: events.Paste) -> None:
        """Insert the pasted text as one line, as far as there is room, and say if some of the text did not fit.

        Textual would insert only the first line of the text, or nothing at all if that line is too long.
        """
        event.stop()
        event.prevent_default()
        start, end = sorted(self.selection)
        room = max(0, self.max_length - len(self.value) + end - start) if self.max_length else len(event.text)
        # Text far beyond the room is never read, so that pasting megabytes takes no time.
        line = " ".join(strip_controls(" ".join(event.text[: 2 * room + LONGEST].split())).split())
        self.replace(line[:room], start, end)
        if len(line) > room:
            characters = text.plural(room, "character")
            raise Problem(tr("The pasted text is too long: only its first {characters} fit.", characters=characters))

    def update_node_styles(self, animate: bool = True) -> None:
        """Update the styles after the classes changed. A field that is not mounted yet gets its styles when it is."""
        if self.parent is not None:
            super().update_node_styles(animate)


WHOLE = r"[0-9]*"
FRACTION = r"[0-9]*\.?[0-9]*(?:(?<=[0-9.])e[-+]?[0-9]*)?"
SEVERAL = r"[-+0-9.e, ]*"
"""What can be typed into a field for a whole number, for any number, and for several numbers or a range."""
YES_NO = "yes|no"
YES_NO_LETTERS = "[yesno, ]*"
"""What can be typed into a field for one switch, and for one or both of its values."""


class NumberInput(Field):
    """A text field for numbers, which takes nothing else."""

    @dataclass
    class Pressed(Message):
        """A letter was typed that is a key of the screen."""

        input: NumberInput
        key: str

        @property
        def control(self) -> NumberInput:
            return self.input

    def __init__(self, value: str, *, keys: str, restrict: str, **options: Any) -> None:
        """``keys`` are the letters that are posted as ``Pressed`` instead of typed. ``restrict`` matches what can be
        typed."""
        super().__init__(value, compact=True, restrict=restrict, **options)
        self._keys = keys

    async def on_key(self, event: events.Key) -> None:
        if event.character and event.character in self._keys:
            event.stop()
            event.prevent_default()
            self.post_message(self.Pressed(self, event.character))


class SwitchInput(NumberInput):
    """A field that is yes or no: ``y`` and ``n`` choose, and space changes it."""

    def __init__(self, value: str, *, keys: str, **options: Any) -> None:
        super().__init__(value, keys=keys, restrict=YES_NO, **options)

    async def on_key(self, event: events.Key) -> None:
        await super().on_key(event)
        other = {"y": "yes", "n": "no", " ": "no" if self.value == "yes" else "yes"}
        if event.character in other:
            event.stop()
            event.prevent_default()
            self.value = other[event.character]
