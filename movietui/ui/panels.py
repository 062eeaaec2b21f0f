"""Panels above a screen: a name or a path to type, a question, the details of a movie, all keys."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from rich.table import Table
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from data.problems import Problem
from data.titles import plain
from movietui.bindings import RATE_KEYS, back, choose, hint, never_mind, row_keys
from movietui.linking import copy, link_of, open_page
from movietui.replies import Details
from movietui.widgets.details import describe, surprise
from movietui.widgets.told import told

if TYPE_CHECKING:
    from movietui.app import MovieTui

Ended = TypeVar("Ended")

AS_IN_THE_LIST = "browse.rate-1 browse.watchlist browse.hide browse.seen"
SHOWN_NAMES = 12
"""How many names of files are listed that a path may go on with."""


class NamePanel(ModalScreen[Any]):
    """Asks for a name, or another line. Ends with what ``make`` makes of it; a ``Problem`` is told, and asks again."""

    BINDINGS: ClassVar[list[BindingType]] = [never_mind()]

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
            panel.border_subtitle = Content(f"enter takes it · {hint(self, ('panel.leave', 'leaves'))}")
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


class PathPanel(ModalScreen[Any]):
    """Asks for a file or folder that exists; an ``optional`` one may be left empty. ``tab`` completes what is typed.

    Ends with the path, or with what ``make`` makes of it; a ``Problem`` of its own is told, and asks again.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        never_mind(),
        Binding(
            "tab",
            "complete",
            "Complete",
            show=False,
            priority=True,
            id="path.complete",
            tooltip="Go on with a path as far as that is clear",
        ),
    ]

    def __init__(
        self,
        title: str,
        words: str,
        example: str,
        *,
        optional: bool = False,
        files: tuple[str, ...] = (".zip",),
        make: Callable[[str], Awaitable[Any]] | None = None,
    ) -> None:
        """``files``: how the names of the files end that are offered beside folders."""
        super().__init__()
        self._title, self._words, self._example = title, words, example
        self._optional, self._files, self._make = optional, files, make

    def compose(self) -> ComposeResult:
        """Ask."""
        with Vertical(classes="panel") as panel:
            panel.border_title = Content(self._title)
            completes, leaves = hint(self, ("path.complete", "completes")), hint(self, ("panel.leave", "leaves"))
            panel.border_subtitle = Content(f"{completes} · enter goes on · {leaves}")
            yield Static(self._words, markup=False)
            yield Input(placeholder=self._example, id="path")
            yield Static(id="wrong", markup=False)
            yield Static(id="completions", markup=False)

    @work(exclusive=True, group="complete")
    @told
    async def action_complete(self) -> None:
        """Go on as far as all names that fit agree, and list these where there are several."""
        field = self.query_one(Input)
        typed = field.value[: field.cursor_position]
        names = await asyncio.to_thread(completions, typed, self._files)
        if names:
            folder = typed[: typed.rfind("/") + 1]
            done = folder + os.path.commonprefix(names)  # noqa: RUF071  # by characters is what is meant
            if len(done) > len(typed) or len(names) == 1:
                with self.prevent(Input.Changed):
                    field.value = done + field.value[field.cursor_position :]
                field.cursor_position = len(done)
        more = f" … {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
        listed = "  ".join(plain(name) for name in names[:SHOWN_NAMES]) + more if len(names) > 1 else ""
        self._say(listed or ("" if names else "Nothing to go on with begins like that."))

    def _say(self, words: str, wrong: str = "") -> None:
        self.query_one("#completions", Static).update(Text(words, "dim"))
        self.query_one("#wrong", Static).update(Text(wrong))

    @on(Input.Changed)
    def forget(self) -> None:
        """What was said is of what stood here before."""
        self._say("")

    @on(Input.Submitted)
    @work(exclusive=True, group="take")
    @told
    async def take(self, event: Input.Submitted) -> None:
        """Take a path that exists."""
        typed = event.value.strip()
        path = Path(os.path.expanduser(typed))  # unlike that of Path, it does not raise for ~nobody
        if self._optional and not typed:
            self.dismiss("")
        elif not typed:
            self._say("", "Type where the file is.")
        elif not await asyncio.to_thread(os.path.exists, path):
            self._say("", f"There is nothing at {path}; check the path.")
        elif self._make is None:
            self.dismiss(str(path.absolute()))
        else:
            self._say("Reading …")
            try:
                self.dismiss(await self._make(str(path.absolute())))
            except Problem as problem:
                self._say("", str(problem))


def completions(typed: str, files: tuple[str, ...]) -> list[str]:
    """Return how the last part of a path may go on: folders, with a stroke behind them, and files that end so.

    Hidden ones only where the part begins with a full stop. What cannot be looked into has none.
    """
    folder, _, part = typed.rpartition("/")
    if typed == "~":
        return ["~/"]
    place = os.path.expanduser(f"{folder}/") if "/" in typed else "."
    try:
        with os.scandir(place) as entries:
            found = [
                f"{entry.name}/" if entry.is_dir() else entry.name
                for entry in entries
                if entry.name.startswith(part)
                and (part or not entry.name.startswith("."))
                and (entry.is_dir() or entry.name.casefold().endswith(files))
            ]
    except (OSError, ValueError):
        return []
    return sorted(found, key=str.casefold)


class ConfirmPanel(ModalScreen[bool]):
    """Asks before something is done that cannot be undone."""

    BINDINGS: ClassVar[list[BindingType]] = [
        back("dismiss(False)", "Never mind"),
        Binding("n", "dismiss(False)", "Never mind", id="panel.no", tooltip="Do not do what a panel asks about"),
        Binding("y", "dismiss(True)", "Do it", id="panel.yes", tooltip="Do what a panel asks about"),
    ]

    def __init__(self, title: str, words: str, deed: str) -> None:
        super().__init__()
        self._title, self._words, self._deed = title, words, deed

    def compose(self) -> ComposeResult:
        """Ask."""
        with Vertical(classes="panel") as panel:
            panel.border_title = Content(self._title)
            panel.border_subtitle = Content(hint(self, ("panel.yes", self._deed.lower()), ("panel.back", "leaves it")))
            yield Static(self._words, markup=False)


class ScrollPanel(ModalScreen[Ended]):
    """A panel that is read, and scrolls where it is longer than the window."""

    BINDINGS: ClassVar[list[BindingType]] = [
        back(),
        choose("dismiss(None)", "Back"),
        *row_keys("scroll", "page"),
        Binding("space", "page(1)", show=False, id="panel.page-down", tooltip="A page down, in a panel that is read"),
    ]
    scrolls: ClassVar[str] = "VerticalScroll"
    """What holds the text."""

    def action_scroll(self, lines: int) -> None:
        """Go up or down by lines."""
        self.query_one(self.scrolls).scroll_relative(y=lines, animate=False)

    def action_page(self, pages: int) -> None:
        """Go up or down by what is seen at once, but for a line."""
        self.action_scroll(pages * max(1, self.query_one(self.scrolls).scrollable_content_region.height - 1))


class DetailsPanel(ScrollPanel[Any]):
    """What is known of a movie, where there is no room for it beside the list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "Copy", show=False, id="browse.copy"),
        Binding("l", "open_page", "IMDb", show=False, id="browse.imdb"),
    ]

    def __init__(self, details: Details, names: Sequence[str]) -> None:
        super().__init__()
        self._details = details
        self._names = names

    def compose(self) -> ComposeResult:
        """Show the movie."""
        with VerticalScroll(classes="panel", can_focus=False) as panel:
            panel.border_title = Content(self._details["title"])
            panel.border_subtitle = Content(self.hint)
            yield Static(self.words(), markup=False)

    @property
    def hint(self) -> str:
        """What the keys do."""
        opens = [("browse.imdb", "opens IMDb")] if link_of(self._details) else []
        return hint(self, ("browse.copy", "copies"), *opens, ("panel.back", "goes back"))

    def words(self) -> Text:
        """Return what is shown."""
        return describe(self._details, self._names, 52)

    @told
    async def action_copy(self) -> None:
        """Copy the title and the address of the movie."""
        copy(cast("MovieTui", self.app), self._details)

    @told
    async def action_open_page(self) -> None:
        """Open the page of the movie on IMDb."""
        open_page(cast("MovieTui", self.app), self._details)


class CardPanel(DetailsPanel):
    """A movie that may not be in the list, with the keys of the list. Ends with what is to be done, or nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *RATE_KEYS,
        Binding("w", "dismiss(('mark', 'watchlist'))", "Watchlist", id="browse.watchlist"),
        Binding("x", "dismiss(('mark', 'hidden'))", "Hide", id="browse.hide"),
        Binding("v", "dismiss(('mark', 'seen'))", "Seen", id="browse.seen"),
        Binding("m", "dismiss(('like',))", "More like this", id="browse.similar"),
    ]

    def action_rate(self, stars: int) -> None:
        """End with a rating."""
        self.dismiss(("rate", stars))

    @property
    def hint(self) -> str:
        """What the keys do."""
        return hint(self, (AS_IN_THE_LIST, "as in the list"), ("browse.similar", "more like this"))


class SurprisePanel(CardPanel):
    """One movie for tonight, and one reason."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("s", "dismiss(('surprise',))", "Another", id="browse.surprise")]

    @property
    def hint(self) -> str:
        """What the keys do."""
        return hint(self, ("browse.surprise", "another"), (AS_IN_THE_LIST, "as in the list"))

    def words(self) -> Text:
        """Return the movie in four lines: what it is, what is expected, and the reason that counts most."""
        return surprise(self._details, self._names)


class HelpPanel(ScrollPanel[None]):
    """All keys of a screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1", "dismiss(None)", "Back", id="app.keys"),
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
            panel.border_subtitle = Content(hint(self, ("panel.back", "goes back")))
            for line in self._about:
                yield Static(line, markup=False)
            yield Static()
            yield Static(table)


def keys_of(bindings: Sequence[ActiveBinding], display: Callable[[Binding], str]) -> list[tuple[str, str]]:
    """Return each action once with all its keys, in the order of the screen."""
    keys: dict[tuple[str, str], list[str]] = {}
    for active in bindings:
        binding = active.binding
        if binding.tooltip:  # Textual's own keys for focus and scrolling have none
            keys.setdefault((binding.action, binding.tooltip), []).append(display(binding))
    return [(" ".join(dict.fromkeys(names)), meaning) for (_, meaning), names in keys.items()]
