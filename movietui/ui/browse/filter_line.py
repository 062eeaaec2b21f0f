"""The line above the list: which of the movies it holds, where these are not simply all; and where a filter is typed,
with how it may go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from data.problems import Problem
from movietui.bindings import hint
from movietui.narrowing import SAVED, expand
from movietui.replies import SuggestionRow
from movietui.session import Session
from movietui.widgets.told import told

if TYPE_CHECKING:
    from textual.widgets import Input

EXAMPLE = "+Comedy -Horror 1980..1999 >=50 <=110m @Scorsese alien"


class ViewLine(Vertical):
    """Hidden while there is nothing to say."""

    DEFAULT_CSS = """
    ViewLine { height: auto; padding: 0 1; background: $surface; color: $text; display: none; }
    ViewLine #view-told { height: 1; }
    ViewLine Input { height: 1; background: $boost; }
    ViewLine #ways-on { height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "take", "Take the completion", show=False, id="filter.take"),
        Binding("down", "step(1)", "The next completion", show=False, id="filter.next"),
        Binding("up", "step(-1)", "The completion before", show=False, id="filter.before"),
        Binding("ctrl+s", "save", "Save the filter by a name", show=False, id="filter.save"),
        Binding("escape", "leave", "Leave the filter as it was", show=False, id="filter.leave"),
    ]

    @dataclass
    class Typed(Message):
        """The filter that is typed so far, with the saved ones in the places of their names."""

        only: str
        unfinished: bool
        """Whether its last part may go on in a way that is known, so that it need not be right yet."""

    @dataclass
    class Wrong(Message):
        """What is typed so far is no filter."""

        problem: Problem

    @dataclass
    class Save(Message):
        """The filter that is typed is to be saved by a name."""

        only: str

    @dataclass
    class Over(Message):
        """Nothing more is typed; this filter is to be kept."""

        only: str

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._before = ""
        self._told: list[str] = []
        self._ways: list[SuggestionRow] = []
        self._chosen = 0

    def compose(self) -> ComposeResult:
        """Show what is told; the rest comes when a filter is typed."""
        yield Static(id="view-told", markup=False)

    def tell(self, parts: list[str]) -> None:
        """Say what makes the list another one than all unseen movies in their order."""
        if parts == self._told:  # another text lays the screen out, which a rating must not wait for
            return
        self._told = parts
        self.query_one("#view-told", Static).update(Text(" · ".join(parts), no_wrap=True, overflow="ellipsis"))
        self.set_class(bool(parts), "-told")
        self._show_or_hide()

    def _show_or_hide(self) -> None:
        self.query_one("#view-told").display = not self.typing
        self.display = self.typing or self.has_class("-told")

    @property
    def typing(self) -> bool:
        """Whether a filter is being typed."""
        return bool(self.query("#filter"))

    async def type(self, only: str) -> None:
        """Let the filter be typed."""
        from textual.widgets import Input  # loading it would hold up the first screen

        if not self.typing:
            self._before = only
            entry = Input(
                f"{only} " if only else "", placeholder=EXAMPLE, id="filter", compact=True, select_on_focus=False
            )
            await self.mount(entry, Static(id="ways-on", markup=False))
        self._show_or_hide()
        self.screen.set_focus(self.query_one("#filter"))
        self.look_on(self._entry.value)

    @property
    def _entry(self) -> Input:
        from textual.widgets import Input

        return self.query_one("#filter", Input)

    async def end(self) -> None:
        """Show the filter again, instead of letting it be typed."""
        await self.query("#filter, #ways-on").remove()
        self._show_or_hide()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow the list to what is typed so far."""
        event.stop()
        self.look_on(event.value)

    @work(exclusive=True, group="filter")
    @told
    async def look_on(self, typed: str) -> None:
        """Show how the filter may go on, and tell what it is so far."""
        saved = await self._session.saved_filters()
        last = typed.rpartition(" ")[2]
        try:
            if last.startswith(SAVED) or (saved and not typed.strip()):
                self._ways = [
                    {
                        "line": typed[: len(typed) - len(last)] + SAVED + name,
                        "part": f"{SAVED}{name} {only}",
                        "movies": 0,
                    }
                    for name, only in saved.items()
                    if name.startswith(last[1:])
                ]
            else:
                self._ways = await self._session.complete(typed)
            self._chosen = 0
            self._show_ways()
            self.post_message(self.Typed(expand(typed, saved), bool(self._ways)))
        except Problem as problem:
            if not self._ways:
                self.post_message(self.Wrong(problem))

    def _show_ways(self) -> None:
        if not self.query("#ways-on"):
            return
        line = Text(no_wrap=True, overflow="ellipsis")
        if self._ways:
            takes = hint(self, ("filter.take", "takes it"), ("filter.before filter.next", "others"))
            keys = f"{takes} · enter keeps"
        else:
            keys = f"enter keeps · {hint(self, ('filter.save', 'saves'), ('filter.leave', 'leaves'))}"
        room = self.content_size.width - len(keys) - 2
        for place, way in enumerate(self._ways[self._chosen :], self._chosen):
            count = f" {way['movies']:,}   " if way["movies"] else "   "
            if place > self._chosen and line.cell_len + cell_len(way["part"] + count) > room:
                break  # what the keys do is to be seen whole
            line.append(way["part"], "reverse" if place == self._chosen else "").append(count, "dim")
        line.append(f"  {keys}", "dim italic")
        self.query_one("#ways-on", Static).update(line)

    def action_step(self, step: int) -> None:
        """Go to another way to go on."""
        if self._ways:
            self._chosen = (self._chosen + step) % len(self._ways)
            self._show_ways()

    def action_take(self) -> None:
        """Complete what is typed."""
        if self._ways:
            self._entry.value = self._ways[self._chosen]["line"] + " "
            self._entry.cursor_position = len(self._entry.value)

    async def action_save(self) -> None:
        """Ask for a name for what is typed."""
        saved = await self._session.saved_filters()
        try:
            self.post_message(self.Save(expand(self._entry.value, saved)))
        except Problem as problem:
            self.post_message(self.Wrong(problem))

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter."""
        event.stop()
        saved = await self._session.saved_filters()
        try:
            self.post_message(self.Over(expand(event.value, saved)))
        except Problem as problem:
            self.post_message(self.Wrong(problem))

    def action_leave(self) -> None:
        """Go back to the filter before."""
        self.workers.cancel_group(self, "filter")
        self.post_message(self.Over(self._before))
