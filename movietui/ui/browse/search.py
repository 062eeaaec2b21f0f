"""One search for movies, people, tags, profiles and users, as a person types."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from movietui.data.language import tr
from movietui.formatting import text
from movietui.protocol.messages import NameRow
from movietui.protocol.requests import Requests
from movietui.protocol.viewers import ViewerRef, profile, user
from movietui.state.session import Session
from movietui.ui.bindings import cancel_key, hint
from movietui.ui.problems import shows_problems
from movietui.ui.screens import Panel
from movietui.ui.theme import starred
from movietui.ui.widgets.fields import Field
from movietui.ui.widgets.line_view import Line
from movietui.ui.widgets.row_list import RowList


@dataclass(frozen=True)
class SearchResult:
    """A match."""

    kind: str
    """``movie``, ``director``, ``actor``, ``tag``, ``profile`` or ``user``."""
    name: str
    """The id of a movie or user; the name of a director, actor, tag or profile."""
    title: str
    about: str
    mine: str = ""
    """The viewers' ratings and marks of a movie."""


class SearchResults(RowList[SearchResult]):
    """The matches, movies first unless a director matches better."""

    DEFAULT_CSS = "SearchResults { height: 1fr; }"

    def draw(self, row: SearchResult, width: int) -> Line:
        """Draw one match."""
        about = f"  {row.about} "
        mine = f"  {row.mine}" if row.mine else ""
        return [
            (f" {row.kind:<9}", "quiet"),
            (text.cut(row.title, max(1, width - 10 - len(about) - len(mine))), ""),
            *starred(mine, ""),
            (about, "quiet"),
        ]


class SearchPanel(Panel[SearchResult | None]):
    """Searches as a person types. Ends with the chosen match, or ``None``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        cancel_key(),
        Binding("down", "move(1)", show=False, id="search.next", tooltip=tr("Next match")),
        Binding("up", "move(-1)", show=False, id="search.before", tooltip=tr("Previous match")),
        Binding("pagedown", "page(1)", show=False, id="search.page-down", tooltip=tr("One page of matches down")),
        Binding("pageup", "page(-1)", show=False, id="search.page-up", tooltip=tr("One page of matches up")),
    ]

    def __init__(self, session: Session, *, only_movies: bool = False) -> None:
        """With ``only_movies``, only movies are found."""
        super().__init__()
        self._session, self._only_movies = session, only_movies
        self._searched = ""
        """The words whose matches are shown."""
        self._entered = ""
        """The words for which enter was pressed before their matches arrived; empty otherwise."""

    def compose(self) -> ComposeResult:
        """Show the field, and the matches below."""
        with Vertical(classes="panel wide") as panel:
            panel.border_title = tr("Search")
            moves = hint(self, ("search.before search.next", tr("choose")))
            back = hint(self, ("panel.leave", tr("back")))
            panel.border_subtitle = Content(f"{moves} · {tr('enter open')} · {back}")
            wanted = tr("title") if self._only_movies else tr("title, person, tag, profile or user")
            yield Field(placeholder=tr("{wanted}; typos are fine", wanted=wanted), id="words")
            yield SearchResults(id="matches")

    def on_mount(self) -> None:
        """Focus the field."""
        self.results.can_focus = False
        self.results.set_placeholder(tr("Type a few letters."))
        self.set_focus(self.query_one(Input))
        self.get_ready()

    @work(group="ready")
    @shows_problems
    async def get_ready(self) -> None:
        """Send an empty search, so that the engine builds its index before the first word is typed."""
        await self._session.engine.ask(Requests.search, words="")

    @property
    def results(self) -> SearchResults:
        """The matches."""
        return self.query_one(SearchResults)

    @on(Input.Changed)
    @work(exclusive=True, group="search")
    @shows_problems
    async def search(self, event: Input.Changed) -> None:
        """Show the matches so far."""
        words = event.value.strip()
        if words != self._entered:
            self._entered = ""
        rows, placeholder = await search_everything(self._session, words) if words else ([], tr("Type a few letters."))
        rows = [row for row in rows if row.kind == "movie" or not self._only_movies]
        self.results.cursor = 0
        self.results.fill(len(rows), 0, rows)
        self.results.set_placeholder(placeholder)
        self._searched = words
        if words and words == self._entered:
            self.choose()

    def action_move(self, step: int) -> None:
        """Move up or down."""
        self.results.action_move(step)

    def action_page(self, step: int) -> None:
        """Move a page up or down."""
        self.results.action_page(step)

    @on(Input.Submitted)
    def choose_when_found(self, event: Input.Submitted) -> None:
        """End with the selected match, once the matches of the typed words are shown."""
        self._entered = event.value.strip()
        if self._entered == self._searched:
            self.choose()

    @on(RowList.Clicked)
    def choose(self) -> None:
        """End with the selected match."""
        row = self.results.current
        if row is not None:
            self.dismiss(row)


async def search_everything(session: Session, words: str) -> tuple[list[SearchResult], str]:
    """Return the matches among movies, people, tags, profiles and users, and what to say without matches."""
    results = await session.search(words)
    profiles = await asyncio.to_thread(session.store.profiles)
    wanted = words.casefold().split()
    movies = [
        SearchResult(
            "movie",
            row["id"],
            row["title"],
            f"{text.plural(row['count'], 'rating')}  {row['year'] or '    '}",
            text.rated_and_marked(row["rated"], row["marked"]),
        )
        for row in results["movies"]
    ]

    def named(kind: str, entries: Sequence[NameRow]) -> list[SearchResult]:
        return [SearchResult(kind, row["name"], row["name"], text.plural(row["movies"], "movie")) for row in entries]

    directors = named("director", results["directors"])
    rows = [
        *(directors + movies if results["directors_first"] else movies + directors),
        *named("actor", results["actors"]),
        *named("tag", results["tags"]),
        *(
            SearchResult("profile", ref.id, ref.id, text.plural(count, "rating"))
            for ref, count in profiles
            if all(word in ref.id.casefold() for word in wanted)
        ),
        *(
            SearchResult("user", row["id"], f"{row['id']}  {text.person(row)}", text.plural(row["ratings"], "rating"))
            for row in results["users"]
        ),
    ]
    known = {tr("person"): results["joined"], tr("tag"): results["tagged"]}
    kinds = (tr("movie"), *(kind for kind, is_known in known.items() if is_known), tr("profile"), tr("user"))
    placeholder = text.nothing_matches(words, kinds)
    if not results["joined"]:
        joins = tr("To find directors and actors, join the dataset with IMDb on the Data screen.")
        placeholder += f" {joins}"
    return rows, placeholder


def viewer_of(row: SearchResult, dataset: str) -> ViewerRef:
    """Return the viewer of a match that is a profile or a user."""
    return profile(row.name) if row.kind == "profile" else user(row.name, dataset)
