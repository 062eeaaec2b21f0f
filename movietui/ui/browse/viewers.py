"""The left pane of Browse: everybody a list can be made for, and the search among them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message

from data.problems import Problem
from movietui.bindings import hint
from movietui.session import Session
from movietui.viewers import ViewerRef, user
from movietui.widgets.row_list import WINDOW, RowList
from movietui.widgets.told import told
from movietui.widgets.viewer_list import Entry, Heading, Hint, ViewerList, ViewerRow, user_row

if TYPE_CHECKING:
    from textual.widgets import Input


class ViewersPane(Vertical):
    """Profiles, then the users of the dataset, as far as the search finds them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "rename", "Rename", show=False, id="browse.rename", tooltip="Of viewers: rename the profile"),
        Binding("x,delete", "end", "Delete", show=False, id="browse.delete", tooltip="Of viewers: delete the profile"),
    ]

    @dataclass
    class Rename(Message):
        """The profile under the cursor is to be called otherwise."""

        viewer: ViewerRef

    @dataclass
    class Delete(Message):
        """The profile under the cursor is to go."""

        viewer: ViewerRef

    @dataclass
    class Chosen(Message):
        """The search found just this one."""

        viewer: ViewerRef

    def __init__(self, session: Session, *, id: str, classes: str) -> None:
        super().__init__(id=id, classes=classes)
        self._session = session
        self._search = ""
        self.border_title = "Viewers"

    def compose(self) -> ComposeResult:
        """Show the list; a search is put above it when one begins."""
        yield ViewerList(id="viewers")

    @property
    def viewers(self) -> ViewerList:
        """The viewers."""
        return self.query_one(ViewerList)

    @property
    def current(self) -> ViewerRef | None:
        """The viewer under the cursor."""
        entry = self.viewers.current
        return entry.ref if isinstance(entry, ViewerRow) else None

    @property
    def searching(self) -> bool:
        """Whether something is typed or about to be."""
        return bool(self.query("#search"))

    def _profile(self) -> ViewerRef:
        ref = self.current
        if ref is None or ref.kind != "profile":
            raise Problem("That is no profile; users of a dataset stay as they are.")
        return ref

    @told
    async def action_rename(self) -> None:
        """Ask for another name for the profile under the cursor."""
        self.post_message(self.Rename(self._profile()))

    @told
    async def action_end(self) -> None:
        """Delete the profile under the cursor."""
        self.post_message(self.Delete(self._profile()))

    async def search(self) -> None:
        """Go to the search."""
        if not self.searching:
            from textual.widgets import Input  # loading it would hold up the first screen

            await self.mount(Input(placeholder="search", id="search", compact=True), before=0)
        self.screen.set_focus(self.query_one("#search"))

    async def end_search(self) -> None:
        """Show everybody again."""
        self.screen.set_focus(self.viewers)
        await self.query("#search").remove()
        await self._find("")

    @told
    async def _find(self, words: str) -> None:
        if words != self._search:
            self._search = words
            self.viewers.cursor = 0
            await self.fill()

    async def fill(self, *, place_cursor: bool = False) -> None:
        """Show who the search finds; put the cursor on who the list is for, if asked."""
        if self._session.opened is None:
            return
        self.border_subtitle = hint(self.screen, ("browse.search", "search"))
        head = await self._head()
        people = await self._session.people(self._search, 0, WINDOW)
        rows: list[Entry] = [*head, *(user_row(row, user(row["id"], people["dataset"])) for row in people["rows"])]
        if not people["total"]:
            rows.append(Hint("nobody is found"))
        self.viewers.fill(max(len(rows), len(head) + people["total"]), 0, rows)
        chosen = self._session.audience.viewers
        self.viewers.choose(chosen)
        if place_cursor:
            people_at = {row.ref: place for place, row in enumerate(rows) if isinstance(row, ViewerRow)}
            self.viewers.cursor = people_at.get(chosen[0]) or min(people_at.values(), default=0)

    async def _head(self) -> list[Entry]:
        """Everything above the users."""
        opened = self._session.opened
        assert opened is not None
        words = self._search.casefold().split()
        found: list[Entry] = [
            ViewerRow(ref, count)
            for ref, count in await asyncio.to_thread(self._session.store.profiles)
            if all(word in ref.id.casefold() for word in words)
        ]
        none = Hint("nobody is found" if self._search else hint(self.screen, ("browse.new", "adds a profile")))
        return [Heading("you"), *(found or [none]), Heading(f"people in {opened['dataset']}")]

    def count(self, profiles: list[tuple[ViewerRef, int]]) -> None:
        """Show how many ratings each profile has now."""
        counts = dict(profiles)
        self.viewers.change(
            lambda row: replace(row, ratings=counts.get(row.ref, row.ratings)) if isinstance(row, ViewerRow) else row
        )

    @on(RowList.Wanted)
    @told
    async def bring(self, event: RowList.Wanted) -> None:
        """Bring users that were scrolled to."""
        event.stop()
        above = len(await self._head())
        people = await self._session.people(self._search, event.offset - above, WINDOW)
        rows: list[Entry] = [user_row(row, user(row["id"], people["dataset"])) for row in people["rows"]]
        self.viewers.bring(event.offset, rows)

    async def on_input_changed(self, event: Input.Changed) -> None:
        """Show who is found so far."""
        event.stop()
        if self.searching:
            await self._find(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to those found; if it is just one, choose them."""
        event.stop()
        self.screen.set_focus(self.viewers)
        found = [row for row in self.viewers.known_rows() if isinstance(row, ViewerRow)]
        if self._search and len(found) == 1:
            self.post_message(self.Chosen(found[0].ref))
