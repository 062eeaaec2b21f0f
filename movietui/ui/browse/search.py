"""One search for everything: movies, directors, profiles and users, as somebody types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from movietui import text
from movietui.bindings import hint, never_mind
from movietui.session import Session
from movietui.viewers import ViewerRef, profile, user
from movietui.widgets.line_view import Line
from movietui.widgets.row_list import RowList
from movietui.widgets.told import told


@dataclass(frozen=True)
class FoundRow:
    """Something that was found."""

    kind: str
    """``movie``, ``director``, ``profile`` or ``user``."""
    name: str
    """Of a movie its id, of others what they are called."""
    title: str
    about: str


class FoundRows(RowList[FoundRow]):
    """What was found: movies first."""

    DEFAULT_CSS = "FoundRows { height: 1fr; }"

    def draw(self, row: FoundRow, width: int) -> Line:
        """Draw one thing that was found."""
        about = f"  {row.about} "
        return [
            (f" {row.kind:<9}", "quiet"),
            (text.cut(row.title, max(1, width - 10 - len(about))), ""),
            (about, "quiet"),
        ]


class SearchPanel(ModalScreen[FoundRow | None]):
    """Finds as somebody types; ends with what was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        never_mind(),
        Binding("down", "move(1)", show=False, id="search.next", tooltip="The next thing that is found"),
        Binding("up", "move(-1)", show=False, id="search.before", tooltip="What is found before"),
        Binding("pagedown", "page(1)", show=False, id="search.page-down", tooltip="A page of what is found down"),
        Binding("pageup", "page(-1)", show=False, id="search.page-up", tooltip="A page of what is found up"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def compose(self) -> ComposeResult:
        """Ask, and show what is found below."""
        with Vertical(classes="panel wide") as panel:
            panel.border_title = "Search"
            moves = hint(self, ("search.before search.next", "choose"))
            panel.border_subtitle = Content(f"{moves} · enter opens · {hint(self, ('panel.leave', 'goes back'))}")
            yield Input(placeholder="a title, a director, a profile, a user; typos are forgiven", id="words")
            yield FoundRows(id="found")

    def on_mount(self) -> None:
        """Type at once."""
        self.found.can_focus = False
        self.found.say("Type a few letters.")
        self.set_focus(self.query_one(Input))
        self.get_ready()

    @work(group="ready")
    @told
    async def get_ready(self) -> None:
        """Search for nothing: what a search needs is made once, which takes long where there are very many movies."""
        await self._session.find("")

    @property
    def found(self) -> FoundRows:
        """What was found."""
        return self.query_one(FoundRows)

    @on(Input.Changed)
    @work(exclusive=True, group="search")
    @told
    async def search(self, event: Input.Changed) -> None:
        """Show what is found so far."""
        words = event.value.strip()
        rows = await find(self._session, words) if words else []
        self.found.cursor = 0
        self.found.fill(len(rows), 0, rows)
        self.found.say("Nothing is found; try fewer words." if words else "Type a few letters.")

    def action_move(self, step: int) -> None:
        """Go up or down."""
        self.found.action_move(step)

    def action_page(self, step: int) -> None:
        """Go a page up or down."""
        self.found.action_page(step)

    @on(Input.Submitted)
    @on(RowList.Clicked)
    def choose(self) -> None:
        """End with what is under the cursor."""
        row = self.found.current
        if row is not None:
            self.dismiss(row)


async def find(session: Session, words: str) -> list[FoundRow]:
    """Return what a search finds: movies, directors, profiles, users."""
    found = await session.find(words)
    profiles = await session.on_store(session.store.profiles)
    wanted = words.casefold().split()
    return [
        *(
            FoundRow(
                "movie", row["id"], row["title"], f"{text.plural(row['count'], 'rating')}  {row['year'] or '    '}"
            )
            for row in found["movies"]
        ),
        *(
            FoundRow("director", row["name"], row["name"], text.plural(row["movies"], "movie"))
            for row in found["people"]
        ),
        *(
            FoundRow("profile", ref.id, ref.id, text.plural(count, "rating"))
            for ref, count in profiles
            if all(word in ref.id.casefold() for word in wanted)
        ),
        *(
            FoundRow("user", row["id"], f"{row['id']}  {text.person(row)}", text.plural(row["ratings"], "rating"))
            for row in found["users"]
        ),
    ]


def viewer_of(row: FoundRow, dataset: str) -> ViewerRef:
    """Return the viewer that was found."""
    return profile(row.name) if row.kind == "profile" else user(row.name, dataset)
