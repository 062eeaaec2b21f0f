"""The line above the list: what filters or changes the list, and the filter field with its completions."""

from __future__ import annotations

import asyncio
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

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.query.condition_text import EXAMPLE
from movietui.data.query.list_conditions import begun_in
from movietui.protocol.messages import SuggestionRow
from movietui.protocol.requests import Requests
from movietui.state.filter_line import FILTER, SAVED, expand
from movietui.state.session import Session
from movietui.ui.bindings import hint
from movietui.ui.problems import shows_problems
from movietui.ui.widgets.fields import Field

if TYPE_CHECKING:
    from textual.widgets import Input


class FilterLine(Vertical):
    """Says what filters or changes the list, or has the field for a filter. Hidden if nothing filters the list."""

    DEFAULT_CSS = """
    FilterLine { height: auto; padding: 0 1; background: $surface; color: $text; display: none; }
    FilterLine #filter-summary { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    FilterLine Input { height: 1; background: $boost; }
    FilterLine #filter-completions { height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "accept", tr("Accept the completion"), show=False, id="filter.take"),
        Binding("down", "step(1)", tr("Next completion"), show=False, id="filter.next"),
        Binding("up", "step(-1)", tr("Previous completion"), show=False, id="filter.before"),
        Binding("ctrl+s", "save", tr("Save the filter under a name"), show=False, id="filter.save"),
        Binding("escape", "leave", tr("Cancel; keep the old filter"), show=False, id="filter.leave"),
    ]

    @dataclass
    class Typed(Message):
        """The filter typed so far, with the names of saved filters replaced by the filters."""

        filter_text: str
        unfinished: bool
        """Whether the last part of the filter has completions, so that the filter need not be valid yet."""

    @dataclass
    class Invalid(Message):
        """The typed text is not a valid filter."""

        problem: Problem

    @dataclass
    class Save(Message):
        """The key that saves the typed filter was pressed."""

        filter_text: str

    @dataclass
    class Finished(Message):
        """Typing has ended. The message has the filter to apply."""

        filter_text: str

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._before = ""
        self._parts: list[str] = []
        self._completions: list[SuggestionRow] = []
        self._chosen = 0
        self._field: Input | None = None
        """The field for a filter. ``end`` only hides it: removing it would take a moment, and ``type`` could then focus
        a field that is about to disappear."""

    def compose(self) -> ComposeResult:
        """Add the summary; ``type`` adds the field."""
        yield Static(id="filter-summary", markup=False)

    def show_parts(self, parts: list[str]) -> None:
        """Show what filters or changes the list, or hide the summary if nothing does."""
        if parts == self._parts:  # no rating should wait until Textual has laid out the screen for a new text
            return
        self._parts = parts
        self.query_one("#filter-summary", Static).update(Text(" · ".join(parts)))
        self.set_class(bool(parts), "-summarised")
        self._show_or_hide()

    def _show_or_hide(self) -> None:
        self.query_one("#filter-summary").display = not self.typing
        self.display = self.typing or self.has_class("-summarised")

    @property
    def typing(self) -> bool:
        """Whether a filter is being typed."""
        return self._field is not None and self._field.display

    async def type(self, filter_text: str) -> None:
        """Show and focus the field, with the current filter in it."""
        from textual.widgets import Input  # an import at the top would delay the first screen

        if self._field is None:
            self._field = Field(placeholder=EXAMPLE, id="filter", compact=True, select_on_focus=False)
            self._field.display = False
            await self.mount(self._field, Static(id="filter-completions", markup=False))
        if not self.typing:
            self._before = filter_text
            with self.prevent(Input.Changed):
                self._field.value = f"{filter_text} " if filter_text else ""
            self._field.cursor_position = len(self._field.value)
            self._field.display = self.query_one("#filter-completions").display = True
        self._show_or_hide()
        self.screen.set_focus(self._field)
        self.complete(self._field.value)

    async def end(self) -> None:
        """Close the field, and show the summary again."""
        if self._field is not None:
            self._field.display = self.query_one("#filter-completions").display = False
        self._show_or_hide()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show completions for the filter typed so far, and post the filter."""
        event.stop()
        if self.typing:
            self.complete(event.value)

    @work(exclusive=True, group="filter")
    @shows_problems
    async def complete(self, typed: str) -> None:
        """Show completions for the filter, and post the filter typed so far."""
        saved = await asyncio.to_thread(self._session.store.choices, FILTER)
        last = typed.rpartition(" ")[2]
        try:
            if last.startswith(SAVED) or (saved and not typed.strip()):
                self._completions = [
                    {
                        "line": typed[: len(typed) - len(last)] + SAVED + name,
                        "part": f"{SAVED}{name} {filter_text}",
                        "movies": 0,
                    }
                    for name, filter_text in saved.items()
                    if name.startswith(last[1:])
                ]
            else:
                lists = {each.name: each.movies for each in await self._session.lists()} if begun_in(typed) else {}
                self._completions = await self._session.engine.ask(Requests.complete_filter, text=typed, lists=lists)
            self._chosen = 0
            self._show_completions()
            self.post_message(self.Typed(expand(typed, saved), bool(self._completions)))
        except Problem as problem:
            if not self._completions:
                self.post_message(self.Invalid(problem))

    def _show_completions(self) -> None:
        if not self.typing:
            return
        line = Text(no_wrap=True, overflow="ellipsis")
        if self._completions:
            accepts = hint(self, ("filter.take", tr("accept")), ("filter.before filter.next", tr("others")))
            keys = tr("{hint} · enter apply", hint=accepts)
        else:
            saves = hint(self, ("filter.save", tr("save")), ("filter.leave", tr("cancel")))
            keys = tr("enter apply · {hint}", hint=saves)
        room = self.content_size.width - len(keys) - 2
        for index, completion in enumerate(self._completions[self._chosen :], self._chosen):
            count = f" {completion['movies']:,}   " if completion["movies"] else "   "
            if index > self._chosen and line.cell_len + cell_len(completion["part"] + count) > room:
                break  # keep the keys visible
            line.append(completion["part"], "reverse" if index == self._chosen else "").append(count, "dim")
        line.append(f"  {keys}", "dim italic")
        self.query_one("#filter-completions", Static).update(line)

    def action_step(self, step: int) -> None:
        """Select another completion."""
        if self._completions:
            self._chosen = (self._chosen + step) % len(self._completions)
            self._show_completions()

    def action_accept(self) -> None:
        """Insert the selected completion."""
        if self._completions and self._field is not None:
            self._field.value = self._completions[self._chosen]["line"] + " "
            self._field.cursor_position = len(self._field.value)

    async def action_save(self) -> None:
        """Post ``Save`` with the typed filter."""
        saved = await asyncio.to_thread(self._session.store.choices, FILTER)
        if self._field is None:
            return
        try:
            self.post_message(self.Save(expand(self._field.value, saved)))
        except Problem as problem:
            self.post_message(self.Invalid(problem))

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """Post ``Finished`` with the typed filter."""
        event.stop()
        saved = await asyncio.to_thread(self._session.store.choices, FILTER)
        try:
            self.post_message(self.Finished(expand(event.value, saved)))
        except Problem as problem:
            self.post_message(self.Invalid(problem))

    def action_leave(self) -> None:
        """Restore the previous filter."""
        self.workers.cancel_group(self, "filter")
        self.post_message(self.Finished(self._before))
