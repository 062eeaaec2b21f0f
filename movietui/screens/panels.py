"""Panels above a screen: a name or a path to type, a question, the details of a movie, all keys."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from rich.table import Table
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from data.problems import Problem
from movietui.replies import Details
from movietui.widgets.details import describe, surprise


class NamePanel(ModalScreen[Any]):
    """Asks for a name, or another line. Ends with what ``make`` makes of it; a ``Problem`` is told, and asks again."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Never mind")]

    def __init__(
        self,
        title: str,
        words: str,
        make: Callable[[str], Any],
        value: str = "",
        *,
        example: str = "name",
        longest: int = 40,
    ) -> None:
        """``longest``: how many letters may be typed."""
        super().__init__()
        self._title, self._words, self._make, self._value = title, words, make, value
        self._example, self._longest = example, longest

    def compose(self) -> ComposeResult:
        """Ask."""
        with Vertical(classes="panel") as panel:
            panel.border_title = Content(self._title)
            panel.border_subtitle = "enter takes it · esc leaves"
            yield Static(self._words, markup=False)
            yield Input(self._value, placeholder=self._example, max_length=self._longest, id="name")
            yield Static(id="wrong", markup=False)

    @on(Input.Submitted)
    async def make(self, event: Input.Submitted) -> None:
        """Take the name, or say why it cannot be."""
        try:
            self.dismiss(await asyncio.to_thread(self._make, event.value))
        except Problem as problem:
            self.query_one("#wrong", Static).update(Text(str(problem)))


class PathPanel(ModalScreen[str | None]):
    """Asks for a file or folder that exists; an ``optional`` one may be left empty."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Never mind")]

    def __init__(self, title: str, words: str, example: str, *, optional: bool = False) -> None:
        super().__init__()
        self._title, self._words, self._example = title, words, example
        self._optional = optional

    def compose(self) -> ComposeResult:
        """Ask."""
        with Vertical(classes="panel") as panel:
            panel.border_title = Content(self._title)
            panel.border_subtitle = "enter goes on · esc leaves"
            yield Static(self._words, markup=False)
            yield Input(placeholder=self._example, id="path")
            yield Static(id="wrong", markup=False)

    @on(Input.Submitted)
    def take(self, event: Input.Submitted) -> None:
        """Take a path that exists."""
        typed = event.value.strip()
        path = Path(typed).expanduser()
        if self._optional and not typed:
            self.dismiss("")
        elif typed and path.exists():
            self.dismiss(str(path.absolute()))
        else:
            wrong = f"There is nothing at {path}; check the path." if typed else "Type where the zip or folder is."
            self.query_one("#wrong", Static).update(Text(wrong))


class ConfirmPanel(ModalScreen[bool]):
    """Asks before something is done that cannot be undone."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n,q", "dismiss(False)", "Never mind"),
        Binding("y", "dismiss(True)", "Do it"),
    ]

    def __init__(self, title: str, words: str, deed: str) -> None:
        super().__init__()
        self._title, self._words, self._deed = title, words, deed

    def compose(self) -> ComposeResult:
        """Ask."""
        with Vertical(classes="panel") as panel:
            panel.border_title = Content(self._title)
            panel.border_subtitle = Content(f"y {self._deed.lower()} · esc leaves it")
            yield Static(self._words, markup=False)


class DetailsPanel(ModalScreen[Any]):
    """What is known of a movie, where there is no room for it beside the list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "dismiss(None)", "Back"),
        Binding("down,j", "scroll(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
    ]
    hint = "esc goes back"

    def __init__(self, details: Details, names: Sequence[str]) -> None:
        super().__init__()
        self._details = details
        self._names = names

    def compose(self) -> ComposeResult:
        """Show the movie."""
        with VerticalScroll(classes="panel", can_focus=False) as panel:
            panel.border_title = Content(self._details["title"])
            panel.border_subtitle = self.hint
            yield Static(self.words(), markup=False)

    def words(self) -> Text:
        """Return what is shown."""
        return describe(self._details, self._names, 52)

    def action_scroll(self, lines: int) -> None:
        """Scroll where it is longer than the panel."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


class CardPanel(DetailsPanel):
    """A movie that may not be in the list, with the keys of the list. Ends with what is to be done, or nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(stars), f"dismiss(('rate', {stars}))", show=False) for stars in range(1, 6)),
        Binding("w", "dismiss(('mark', 'watchlist'))", "Watchlist"),
        Binding("x", "dismiss(('mark', 'hidden'))", "Hide"),
        Binding("v", "dismiss(('mark', 'seen'))", "Seen"),
        Binding("m", "dismiss(('like',))", "More like this"),
    ]
    hint = "1-5 w x v as in the list · m more like this"


class SurprisePanel(CardPanel):
    """One movie for tonight, and one reason."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("s", "dismiss(('surprise',))", "Another")]
    hint = "s another · 1-5 w x v as in the list"

    def words(self) -> Text:
        """Return the movie in four lines: what it is, what is expected, and the reason that counts most."""
        return surprise(self._details, self._names)


class HelpPanel(ModalScreen[None]):
    """All keys of a screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter,f1", "dismiss", "Back"),
        Binding("down,j", "scroll(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("pagedown,space", "scroll(10)", show=False),
        Binding("pageup", "scroll(-10)", show=False),
    ]

    def __init__(self, title: str, about: Sequence[str], keys: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._title = title
        self._about = about
        self._keys = keys

    def compose(self) -> ComposeResult:
        """List the keys."""
        table = Table.grid(padding=(0, 2))
        table.add_column(style="bold", no_wrap=True)
        table.add_column()
        for key, meaning in self._keys:
            table.add_row(Text(key), Text(meaning))
        with VerticalScroll(classes="panel", can_focus=False) as panel:
            panel.border_title = Content(f"Keys · {self._title}")
            panel.border_subtitle = "esc goes back"
            for line in self._about:
                yield Static(line, markup=False)
            yield Static()
            yield Static(table)

    def action_scroll(self, lines: int) -> None:
        """Scroll where there are more keys than lines."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


def keys_of(bindings: Sequence[ActiveBinding], display: Callable[[Binding], str]) -> list[tuple[str, str]]:
    """Return each action once with all its keys, in the order of the screen."""
    keys: dict[tuple[str, str], list[str]] = {}
    for active in bindings:
        binding = active.binding
        if binding.tooltip:  # Textual's own keys for focus and scrolling have none
            keys.setdefault((binding.action, binding.tooltip), []).append(display(binding))
    return [(" ".join(dict.fromkeys(names)), meaning) for (_, meaning), names in keys.items()]
