"""Panels that several screens use: for a name, a path, a confirmation or the details of a movie."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.storage import public_demo
from movietui.data.storage.paths import pasted
from movietui.protocol.messages import Details
from movietui.ui.bindings import RATE_KEYS, back_key, cancel_key, choose_key, hint, row_keys
from movietui.ui.browse.movie_details import describe, surprise
from movietui.ui.movie_links import copy
from movietui.ui.problems import shows_problems
from movietui.ui.screens import Panel
from movietui.ui.widgets.drawn_text import DrawnText
from movietui.ui.widgets.fields import LONGEST_PATH, Field

if TYPE_CHECKING:
    from movietui.ui.app import MovieTui

Ended = TypeVar("Ended")

AS_IN_THE_LIST = "browse.rate-1 browse.watchlist browse.hide browse.seen"
"""The ids of actions whose keys do the same on a card as in the list."""
SHOWN_NAMES = 12
"""The most completions that are listed."""


class NamePanel(Panel[Any]):
    """Asks for a name or another line of text.

    Ends with what ``make`` returns for the typed text, or ``None`` if cancelled. If ``make`` raises ``Problem``, the
    panel shows it and stays open.
    """

    BINDINGS: ClassVar[list[BindingType]] = [cancel_key()]

    def __init__(
        self,
        title: str,
        prompt: str,
        make: Callable[[str], Any],
        value: str = "",
        *,
        example: str = tr("name"),
        longest: int = 40,
    ) -> None:
        """``longest``: the most characters that can be typed. ``example``: the placeholder."""
        super().__init__()
        self._title, self._prompt, self._make, self._value = title, prompt, make, value
        self._example, self._longest = example, longest

    def compose(self) -> ComposeResult:
        """Show the field."""
        with Vertical(classes="panel") as panel:
            panel.border_title = Content(self._title)
            cancels = hint(self, ("panel.leave", tr("cancel")))
            panel.border_subtitle = Content(tr("enter accept · {cancel}", cancel=cancels))
            yield Static(self._prompt, markup=False)
            yield Field(self._value, placeholder=self._example, max_length=self._longest, id="name")
            yield Static(id="wrong", markup=False)

    @on(Input.Submitted)
    async def make(self, event: Input.Submitted) -> None:
        """End with the result of ``make``, or show what is wrong with the typed text."""
        try:
            self.dismiss(await asyncio.to_thread(self._make, event.value))
        except Problem as problem:
            self.query_one("#wrong", Static).update(Text(str(problem)))


class PathPanel(Panel[Any]):
    """Asks for an existing file or folder. ``tab`` completes the path, and an ``optional`` path may be empty.

    Ends with the path, or with what ``make`` returns for the path, or ``None`` if cancelled. If ``make`` raises
    ``Problem``, the panel shows it and stays open.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        cancel_key(),
        Binding(
            "tab",
            "complete",
            tr("Complete"),
            show=False,
            priority=True,
            id="path.complete",
            tooltip=tr("Complete the path"),
        ),
    ]

    def __init__(
        self,
        title: str,
        prompt: str,
        example: str,
        *,
        optional: bool = False,
        files: tuple[str, ...] = (".zip",),
        make: Callable[[str], Awaitable[Any]] | None = None,
    ) -> None:
        """``files``: the suffixes of the files that are offered as completions, besides folders.

        Raises ``Problem`` in the public demo.
        """
        public_demo.refuse_files()
        super().__init__()
        self._title, self._prompt, self._example = title, prompt, example
        self._optional, self._files, self._make = optional, files, make

    def compose(self) -> ComposeResult:
        """Show the field."""
        with Vertical(classes="panel") as panel:
            panel.border_title = Content(self._title)
            completes = hint(self, ("path.complete", tr("complete")))
            cancels = hint(self, ("panel.leave", tr("cancel")))
            panel.border_subtitle = Content(
                tr("{complete} · enter open · {cancel}", complete=completes, cancel=cancels)
            )
            yield Static(self._prompt, markup=False)
            yield Field(placeholder=self._example, max_length=LONGEST_PATH, id="path")
            yield Static(id="wrong", markup=False)
            yield Static(id="completions", markup=False)

    @work(exclusive=True, group="complete")
    @shows_problems
    async def action_complete(self) -> None:
        """Complete the path as far as all matches agree, and list several matches."""
        field = self.query_one(Input)
        typed = field.value[: field.cursor_position]
        names = await asyncio.to_thread(completions, typed, self._files)
        if names:
            folder = typed[: typed.rfind("/") + 1]
            done = folder + os.path.commonprefix(names)  # noqa: RUF071  # it compares characters, as intended
            if len(done) > len(typed) or len(names) == 1:
                with self.prevent(Input.Changed):
                    field.value = done + field.value[field.cursor_position :]
                field.cursor_position = len(done)
        left = len(names) - SHOWN_NAMES
        more = tr(" … {count} more", count=left) if left > 0 else ""
        listed = "  ".join(names[:SHOWN_NAMES]) + more if len(names) > 1 else ""
        self._say(listed or ("" if names else tr("No file or folder starts with that.")))

    def _say(self, message: str, wrong: str = "") -> None:
        self.query_one("#completions", Static).update(Text(message, "dim"))
        self.query_one("#wrong", Static).update(Text(wrong))

    @on(Input.Changed)
    def clear_messages(self) -> None:
        """Clear the messages about the previous text."""
        self._say("")

    @on(Input.Submitted)
    @work(exclusive=True, group="accept")
    @shows_problems
    async def accept(self, event: Input.Submitted) -> None:
        """End with the typed path if it exists, or show what is wrong with it."""
        typed = event.value.strip()
        path = pasted(event.value)
        if self._optional and not typed:
            self.dismiss("")
        elif not typed:
            self._say("", tr("Type the path of the file."))
        elif not await asyncio.to_thread(os.path.exists, path):
            self._say("", tr("{path} does not exist; check the path.", path=path))
        elif self._make is None:
            self.dismiss(str(path.absolute()))
        else:
            self._say(tr("Reading …"))
            try:
                self.dismiss(await self._make(str(path.absolute())))
            except Problem as problem:
                self._say("", str(problem))


def completions(typed: str, files: tuple[str, ...]) -> list[str]:
    """Return completions for the last part of a path: folders, with a slash, and files with one of the suffixes.

    Hidden names are included only if that part starts with a dot. An unreadable folder has no completions.
    """
    folder, _, part = typed.rpartition("/")
    if typed == "~":
        return ["~/"]
    folder_path = os.path.expanduser(f"{folder}/") if "/" in typed else "."
    try:
        with os.scandir(folder_path) as entries:
            names = [
                f"{entry.name}/" if entry.is_dir() else entry.name
                for entry in entries
                if entry.name.startswith(part)
                and (part or not entry.name.startswith("."))
                and (entry.is_dir() or entry.name.casefold().endswith(files))
            ]
    except (OSError, ValueError):
        return []
    return sorted(names, key=str.casefold)


class ConfirmPanel(Panel[bool]):
    """Asks for confirmation before something is deleted or replaced. Ends with true for yes, false for no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        back_key("dismiss(False)", tr("Cancel")),
        Binding("n", "dismiss(False)", tr("Cancel"), id="panel.no", tooltip=tr("Answer no")),
        Binding("y", "dismiss(True)", tr("Yes"), id="panel.yes", tooltip=tr("Answer yes")),
    ]

    def __init__(self, title: str, prompt: str, action_name: str) -> None:
        super().__init__()
        self._title, self._prompt, self._action_name = title, prompt, action_name

    def compose(self) -> ComposeResult:
        """Show the question."""
        with Vertical(classes="panel") as panel:
            panel.border_title = Content(self._title)
            panel.border_subtitle = Content(
                hint(self, ("panel.yes", self._action_name.lower()), ("panel.back", tr("cancel")))
            )
            yield Static(self._prompt, markup=False)


class ScrollPanel(Panel[Ended]):
    """A panel with a text that scrolls if it is longer than the window."""

    BINDINGS: ClassVar[list[BindingType]] = [
        back_key(),
        choose_key("dismiss(None)", tr("Back")),
        *row_keys("scroll", "page"),
        Binding("space", "page(1)", show=False, id="panel.page-down", tooltip=tr("One page down")),
    ]
    scrolls: ClassVar[str] = "VerticalScroll"
    """The selector of the widget that scrolls."""

    def action_scroll(self, lines: int) -> None:
        """Scroll by lines."""
        self.query_one(self.scrolls).scroll_relative(y=lines, animate=False)

    def action_page(self, pages: int) -> None:
        """Scroll by a page less one line."""
        self.action_scroll(pages * max(1, self.query_one(self.scrolls).scrollable_content_region.height - 1))


class DetailsPanel(ScrollPanel[Any]):
    """Shows the details of a movie, for example when there is no room for them beside the list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", tr("Copy"), show=False, id="browse.copy"),
        Binding("l", "open_page", tr("Where to watch"), show=False, id="browse.imdb"),
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
            yield DrawnText(self.prompt())

    @property
    def hint(self) -> str:
        """What the keys do, for the border."""
        return hint(
            self, ("browse.copy", tr("copy")), ("browse.imdb", tr("where to watch")), ("panel.back", tr("back"))
        )

    def prompt(self) -> Text:
        """Return the text of the panel."""
        return describe(self._details, self._names, 52)

    @shows_problems
    async def action_copy(self) -> None:
        """Copy the title, the year and, if known, the IMDb address of the movie."""
        copy(cast("MovieTui", self.app), self._details)

    @shows_problems
    async def action_open_page(self) -> None:
        """Offer web pages about the movie."""
        from movietui.ui.browse.where_to_watch import PagesPanel

        self.app.push_screen(PagesPanel(self._details))


class CardPanel(DetailsPanel):
    """Shows a movie, in the list or not, with the keys of the list. Ends with the chosen action, or ``None``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *RATE_KEYS,
        Binding("w", "dismiss(('mark', 'watchlist'))", tr("Watchlist"), id="browse.watchlist"),
        Binding("x", "dismiss(('mark', 'hidden'))", tr("Hide"), id="browse.hide"),
        Binding("v", "dismiss(('mark', 'seen'))", tr("Seen"), id="browse.seen"),
        Binding("m", "dismiss(('like',))", tr("More like this"), id="browse.similar"),
    ]

    def action_rate(self, stars: int) -> None:
        """End with a rating."""
        self.dismiss(("rate", stars))

    @property
    def hint(self) -> str:
        """What the keys do."""
        return hint(self, (AS_IN_THE_LIST, tr("as in the list")), ("browse.similar", tr("more like this")))


class SurprisePanel(CardPanel):
    """Suggests one movie for tonight, with one reason."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "dismiss(('surprise',))", tr("Another"), id="browse.surprise")
    ]

    @property
    def hint(self) -> str:
        """What the keys do."""
        return hint(self, ("browse.surprise", tr("another")), (AS_IN_THE_LIST, tr("as in the list")))

    def prompt(self) -> Text:
        """Return what the movie is, its predicted stars, and the strongest reason."""
        return surprise(self._details, self._names)
