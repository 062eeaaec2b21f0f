"""The left pane of Browse: the viewers that a list can be made for, and the search among them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.formatting.text import cut, person
from movietui.protocol.messages import UserRow
from movietui.protocol.requests import Requests
from movietui.protocol.viewers import ViewerRef, user
from movietui.state.session import Session
from movietui.ui.bindings import hint
from movietui.ui.problems import shows_problems
from movietui.ui.widgets.columns import REST, Column, ColumnList
from movietui.ui.widgets.fields import Field
from movietui.ui.widgets.line_view import Line
from movietui.ui.widgets.row_list import WINDOW, RowList

if TYPE_CHECKING:
    from textual.widgets import Input

MARKS = "●○■□"
"""The signs before the viewers whom the list is for."""
LISTED_USERS = 10_000
"""The most users that are listed without a search. In a larger dataset, only the users whom the list is for are listed:
nobody scrolls through more."""
LEAST = 4
"""A word is left out rather than cut to fewer cells than this."""


@dataclass(frozen=True)
class Heading:
    """The heading above the profiles or the users."""

    text: str


@dataclass(frozen=True)
class Hint:
    """What to show under a heading if no profile or user is listed there."""

    text: str


@dataclass(frozen=True)
class ViewerRow:
    """A viewer for whom a list can be made."""

    ref: ViewerRef
    ratings: int
    about: str = ""


Entry = Heading | Hint | ViewerRow


def user_row(facts: UserRow, ref: ViewerRef) -> ViewerRow:
    """Return the row of a user of the dataset."""
    return ViewerRow(ref, facts["ratings"], person(facts))


class ViewerList(ColumnList[Entry]):
    """Profiles and users. ``MARKS`` mark the first to the fourth viewer whom the list is for."""

    DEFAULT_CSS = "ViewerList { height: 1fr; }"
    folded_name = tr("Viewers")

    def __init__(self, *, id: str, classes: str = "") -> None:
        super().__init__(id=id, classes=classes)
        self.chosen: tuple[ViewerRef, ...] = ()

    def choose(self, viewers: tuple[ViewerRef, ...]) -> None:
        """Mark the viewers whom the list of movies is for."""
        if viewers != self.chosen:
            self.chosen = viewers
            self.refresh()

    def selectable(self, row: Entry) -> bool:
        """Return whether a row is a viewer, not a heading or hint."""
        return isinstance(row, ViewerRow)

    def columns(self, width: int) -> Sequence[Column[Entry]]:
        """Return columns for a viewer and the number of their ratings. Headings and hints fill the whole line."""
        return [Column("", REST, self._who), Column("", 8, _ratings)]

    def draw(self, row: Entry, width: int) -> Line:
        """Draw one viewer, heading or hint."""
        if isinstance(row, Heading):
            return [(cut(row.text, width), "group")]
        if isinstance(row, Hint):
            return [(cut(f" {row.text}", width), "quiet")]
        return super().draw(row, width)

    def _who(self, row: Entry, width: int) -> Line:
        """Return the mark and name of a viewer and, for a user, what the dataset says about them."""
        assert isinstance(row, ViewerRow)
        mark = MARKS[self.chosen.index(row.ref)] if row.ref in self.chosen else " "
        if row.ref.kind == "profile":
            return [(cut(f" {mark} {row.ref.id}", width), "")]
        name = f" {mark} {row.ref.id:>4} "
        return [(name, ""), (_about(row.about, width - len(name)), "quiet")]


def _ratings(row: Entry, width: int) -> Line:
    assert isinstance(row, ViewerRow)
    return [(f" {row.ratings:,} ", "quiet")]


def _about(about: str, width: int) -> str:
    """Return what is known about a user, ``width`` cells wide, without the last word if too little of it fits."""
    rest, _, last = about.rpartition(" ")
    left_out = rest and cell_len(about) > width and width - cell_len(rest) - 1 < min(LEAST, cell_len(last))
    return cut(rest if left_out else about, width)


class ViewersPane(Vertical):
    """Shows the profiles, then the users of the dataset, that match the search."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "rename", tr("Rename"), show=False, id="browse.rename", tooltip=tr("Rename the profile")),
        Binding("x,delete", "delete", tr("Delete"), show=False, id="browse.delete", tooltip=tr("Delete the profile")),
    ]

    @dataclass
    class Rename(Message):
        """The key that renames the selected profile was pressed."""

        viewer: ViewerRef

    @dataclass
    class Delete(Message):
        """The key that deletes the selected profile was pressed."""

        viewer: ViewerRef

    @dataclass
    class Chosen(Message):
        """The only match of the search was chosen."""

        viewer: ViewerRef

    def __init__(self, session: Session, *, id: str, classes: str) -> None:
        super().__init__(id=id, classes=classes)
        self._session = session
        self._search = ""
        self._searching = False
        self._field: Input | None = None
        """The field for a search. ``end_search`` only hides it: removing it would take a moment, and ``search`` could
        then focus a field that is about to disappear."""
        self.border_title = tr("Viewers")

    def compose(self) -> ComposeResult:
        """Add the list; ``search`` adds the field."""
        yield ViewerList(id="viewers")

    @property
    def viewers(self) -> ViewerList:
        """The viewers."""
        return self.query_one(ViewerList)

    @property
    def current(self) -> ViewerRef | None:
        """The selected viewer."""
        entry = self.viewers.current
        return entry.ref if isinstance(entry, ViewerRow) else None

    @property
    def searching(self) -> bool:
        """Whether a person is searching the viewers."""
        return self._searching

    def _set_searching(self, searching: bool) -> None:
        self._searching = searching
        if self._field is not None:
            self._field.display = searching and not self.viewers.folded

    def fold(self, folded: bool) -> None:
        """Fold the pane to its edge, or unfold it."""
        if self.viewers.fold(folded):
            self.set_class(folded, "-folded")
            self._set_searching(self._searching)

    def _profile(self) -> ViewerRef:
        ref = self.current
        if ref is None or ref.kind != "profile":
            raise Problem(tr("Only profiles can be renamed or deleted; this is a user of the dataset."))
        return ref

    @shows_problems
    async def action_rename(self) -> None:
        """Post ``Rename`` for the selected profile."""
        self.post_message(self.Rename(self._profile()))

    @shows_problems
    async def action_delete(self) -> None:
        """Post ``Delete`` for the selected profile."""
        self.post_message(self.Delete(self._profile()))

    async def search(self) -> None:
        """Open the search field and focus it."""
        if self._field is None:
            self._field = Field(placeholder=tr("search"), id="search", compact=True)
            await self.mount(self._field, before=0)
        self.fold(False)  # a hidden field would not get the focus
        self._set_searching(True)
        self.screen.set_focus(self._field)

    async def end_search(self) -> None:
        """Close the search."""
        self.screen.set_focus(self.viewers)
        self._set_searching(False)
        if self._field is not None:
            self._field.value = ""
        await self._find("")

    @shows_problems
    async def _find(self, words: str) -> None:
        if words != self._search:
            self._search = words
            self.viewers.cursor = 0
            await self.fill()

    async def fill(self, *, move_cursor: bool = False) -> None:
        """Show the matches of the search, or everybody. With ``move_cursor``, select the first viewer of the list."""
        if self._session.opened is None:
            return
        self.border_subtitle = hint(self.screen, ("browse.search", tr("search")))
        rows = await self._fixed_rows()
        total = len(rows)
        chosen = self._session.audience.viewers
        elsewhere = self._session.opened["cluster"]
        if elsewhere and self._search:
            rows.append(Hint(tr("enter finds user {user}", user=self._search)))
        elif not elsewhere and (self._search or self._session.opened["users"] <= LISTED_USERS):
            people = await self._session.engine.ask(Requests.find_users, search=self._search, offset=0, limit=WINDOW)
            rows += [user_row(row, user(row["id"], people["dataset"])) for row in people["rows"]]
            total += people["total"]
            if not people["total"]:
                rows.append(Hint(tr("nobody matches")))
        else:
            for ref in chosen:
                if ref.kind == "user":
                    rows += await self._user(ref)
            finds = hint(self.screen, ("browse.search", tr("finds one")))
            rows.append(Hint(f"{self._session.opened['users']:,}; {finds}"))
        self.viewers.fill(max(len(rows), total), 0, rows)
        self.viewers.choose(chosen)
        if move_cursor:
            indices = {row.ref: index for index, row in enumerate(rows) if isinstance(row, ViewerRow)}
            self.viewers.cursor = indices.get(chosen[0]) or min(indices.values(), default=0)

    async def _user(self, ref: ViewerRef) -> list[ViewerRow]:
        """Return the row of a user of the open dataset; empty if a user on a cluster cannot be read."""
        try:
            people = await self._session.engine.ask(Requests.find_users, search=ref.id, offset=0, limit=1)
        except Problem:  # the list says what is wrong
            return []
        return [user_row(row, ref) for row in people["rows"]]

    async def _fixed_rows(self) -> list[Entry]:
        """Return all rows above the users."""
        opened = self._session.opened
        assert opened is not None
        words = self._search.casefold().split()
        profiles: list[Entry] = [
            ViewerRow(ref, ratings)
            for ref, ratings in await asyncio.to_thread(self._session.store.profiles)
            if all(word in ref.id.casefold() for word in words)
        ]
        none = Hint(tr("nobody matches") if self._search else hint(self.screen, ("browse.new", tr("new profile"))))
        on_cluster, of_dataset = tr("users on the cluster"), tr("users of {dataset}", dataset=opened["dataset"])
        users = on_cluster if opened["cluster"] else of_dataset
        return [Heading(tr("you")), *(profiles or [none]), Heading(users)]

    def update_counts(self, profiles: list[tuple[ViewerRef, int]]) -> None:
        """Update the number of ratings of each profile."""
        counts = dict(profiles)

        def updated(row: Entry) -> Entry:
            if not isinstance(row, ViewerRow) or counts.get(row.ref, row.ratings) == row.ratings:
                return row
            return replace(row, ratings=counts[row.ref])

        self.viewers.change(updated)

    @on(RowList.RowsRequested)
    @shows_problems
    async def add_rows(self, event: RowList.RowsRequested) -> None:
        """Request the users that a person scrolled to, and add their rows."""
        event.stop()
        above = len(await self._fixed_rows())
        people = await self._session.engine.ask(
            Requests.find_users, search=self._search, offset=event.offset - above, limit=WINDOW
        )
        rows: list[Entry] = [user_row(row, user(row["id"], people["dataset"])) for row in people["rows"]]
        self.viewers.add_rows(event.offset, rows)

    async def on_input_changed(self, event: Input.Changed) -> None:
        """Show the matches so far."""
        event.stop()
        if self.searching:
            await self._find(event.value)

    @shows_problems
    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to the matches, and choose the match if it is the only one."""
        event.stop()
        self.screen.set_focus(self.viewers)
        matches = [row for row in self.viewers.known_rows() if isinstance(row, ViewerRow)]
        if self._search and len(matches) == 1:
            self.post_message(self.Chosen(matches[0].ref))
        elif self._search and not matches and self._session.opened and self._session.opened["cluster"]:
            await self._choose_on_cluster(self._session.opened["dataset"], self._search.strip())

    async def _choose_on_cluster(self, dataset: str, name: str) -> None:
        """Choose the user with this id on a cluster. Raises ``Problem`` if there is no such user to read."""
        people = await self._session.engine.ask(Requests.find_users, search=name, offset=0, limit=1)
        if not people["rows"]:
            raise Problem(
                tr("{dataset} has no user {user} on its cluster; type a whole id.", dataset=dataset, user=name)
            )
        ref = user(people["rows"][0]["id"], dataset)
        await self._session.look_at(ref)
        await self.end_search()
        self.post_message(self.Chosen(ref))
