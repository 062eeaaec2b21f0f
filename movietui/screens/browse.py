"""Browse: the list with all that helps to choose from it: marks, History, profiles."""

from __future__ import annotations

from functools import partial
from typing import ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from data.imports.entries import Mark
from data.problems import Problem
from movietui import saying, text
from movietui.narrowing import SAVED, check_name, step_decade, step_genre
from movietui.screens.listing import ListScreen
from movietui.viewers import ViewerRef
from movietui.widgets.told import told
from movietui.widgets.view_line import ViewLine
from movietui.widgets.viewers_pane import ViewersPane


class BrowseScreen(ListScreen):
    """Unseen movies, best first, and every way to find the one for tonight."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "w",
            "mark('watchlist')",
            "Watchlist",
            show=False,
            id="browse.watchlist",
            tooltip="Put the movie on the watchlist, or take it off",
        ),
        Binding("x", "mark('hidden')", "Hide", show=False, id="browse.hide", tooltip="Never show the movie again"),
        Binding("v", "mark('seen')", "Seen", show=False, id="browse.seen", tooltip="Seen it, without a rating"),
        Binding(
            "W",
            "shelf",
            "Watchlist only",
            show=False,
            id="browse.shelf",
            tooltip="Rank the watchlist only; of a pair also what both want",
        ),
        Binding(
            "f",
            "filter",
            "Filter",
            show=False,
            priority=True,
            id="browse.filter",
            tooltip="Type what the movies must be like; :name is a saved filter",
        ),
        Binding("e", "genre(1)", "Genre", show=False, id="browse.genre", tooltip="Only the next genre"),
        Binding("E", "genre(-1)", "Genre before", show=False, id="browse.genre-back", tooltip="Only the genre before"),
        Binding("o", "decade(1)", "Older", show=False, id="browse.older", tooltip="Only an older decade"),
        Binding("O", "decade(-1)", "Newer", show=False, id="browse.newer", tooltip="Only a newer decade"),
        Binding(
            "h", "history", "History", show=False, id="browse.history", tooltip="All that was done, and a way back"
        ),
    ]

    def body(self) -> ComposeResult:
        """Put a line above the panes that says which movies are in the list."""
        yield ViewLine(self.session)
        yield from super().body()

    @property
    def view_line(self) -> ViewLine:
        """The line above the list."""
        return self.query_one(ViewLine)

    def refresh_frame(self) -> None:
        """Draw the lines of the frame again."""
        super().refresh_frame()
        for line in self.query(ViewLine):
            line.tell(self._view())

    def _view(self) -> list[str]:
        """What makes the list another one than all unseen movies in their order."""
        view = self.session.view
        return [f"f {view.only}"] if view.only else []

    # The filter

    @told
    async def action_filter(self) -> None:
        """Let the filter be typed."""
        self._listed()
        await self.view_line.type(self.session.view.only)

    def _listed(self) -> None:
        """Raise ``Problem`` where there is no list yet."""
        if self.session.opened is None:
            raise Problem("There is no list yet; d opens a dataset.")

    @on(ViewLine.Typed)
    async def narrow(self, event: ViewLine.Typed) -> None:
        """Narrow the list to what is typed so far; what cannot be read yet leaves it as it is."""
        event.stop()
        await self._narrow(event.only)

    @told
    async def _narrow(self, only: str) -> None:
        await self.session.narrow(only)
        await self.fill_movies(from_top=True)
        passing = text.plural(self.movies.total, "unseen movie")
        self.movie_tui.say(f"{passing} {'pass' if self.movies.total != 1 else 'passes'} {only}" if only else "")

    @on(ViewLine.Wrong)
    def tell_wrong(self, event: ViewLine.Wrong) -> None:
        """Say what is wrong with what is typed."""
        event.stop()
        self.movie_tui.say_problem(event.problem)

    @on(ViewLine.Over)
    async def end_filter(self, event: ViewLine.Over) -> None:
        """Go back to the list."""
        event.stop()
        self.set_focus(self.movies)
        await self.view_line.end()

    @on(ViewLine.Save)
    def ask_filter_name(self, event: ViewLine.Save) -> None:
        """Ask for a name for the filter."""
        from movietui.screens.panels import NamePanel

        event.stop()
        only = event.only
        words = (
            f"A word to save {only!r} by:" if only.strip() else "The filter is empty: which name is to be forgotten?"
        )
        self.app.push_screen(NamePanel("Save filter", words, check_name), partial(self.save_filter, only))

    @work
    @told
    async def save_filter(self, only: str, name: str | None) -> None:
        """Save the filter."""
        if name is not None:
            await self.session.save_filter(name, only.strip())
            self.movie_tui.say(f"f then {SAVED}{name} is {only}" if only.strip() else f"{SAVED}{name} is forgotten")

    @told
    async def action_genre(self, step: int) -> None:
        """Go on to the next genre."""
        self._listed()
        assert self.session.opened is not None
        await self._narrow(step_genre(self.session.view.only, self.session.opened["genres"], step))

    @told
    async def action_decade(self, step: int) -> None:
        """Go on to the decade before."""
        self._listed()
        assert self.session.opened is not None
        await self._narrow(step_decade(self.session.view.only, self.session.opened["decades"], step))

    # Marks

    @told
    async def action_mark(self, mark: str) -> None:
        """Mark the movie under the cursor, or take the mark off."""
        change = await self.session.mark(self.under_cursor(), cast(Mark, mark))
        await self.answer(change, saying.did(change))

    @told
    async def action_shelf(self) -> None:
        """Go on from all movies to those on the watchlist, and back."""
        self.session.step_shelf()
        await self.fill_movies(from_top=True)
        told = {
            "all": "All unseen movies",
            "watchlist": "What is on a watchlist" if self.session.audience.pair else "What is on the watchlist",
            "both": "What is on both watchlists",
        }
        self.movie_tui.say(f"{told[self.session.view.shelf]}, best first")

    # History

    @told
    async def action_history(self) -> None:
        """List all that was done by whoever's turn it is."""
        from movietui.screens.history import HistoryPanel

        if not self.session.audience.viewers:
            raise Problem("There is no list yet, so nobody did anything; d opens a dataset.")
        self.app.push_screen(HistoryPanel(self.session, self.session.audience.rater), self.show_after_history)

    @work
    @told
    async def show_after_history(self, changed: bool | None) -> None:
        """Show the list as it is now."""
        if changed:
            await self.refresh_list()

    # Profiles

    @on(ViewersPane.Rename)
    def ask_name(self, event: ViewersPane.Rename) -> None:
        """Ask what a profile is to be called."""
        from movietui.screens.panels import NamePanel

        viewer = event.viewer
        rename = partial(self.session.store.rename_profile, viewer)
        panel = NamePanel("Rename", f"Another name for {viewer.id}:", rename, viewer.id)
        self.app.push_screen(panel, partial(self.show_renamed, viewer))

    @work
    @told
    async def show_renamed(self, before: ViewerRef, renamed: ViewerRef | None) -> None:
        """Show a profile under its new name."""
        if renamed is not None:
            self.session.follow(before, renamed)
            await self.refresh_list()
            self.movie_tui.say(f"{before.id} is now {renamed.id}")

    @on(ViewersPane.Delete)
    @told
    async def delete_profile(self, event: ViewersPane.Delete) -> None:
        """Delete a profile; u brings it back."""
        await self.session.delete(event.viewer)
        await self.refresh_list()
        self.movie_tui.say(f"{event.viewer.id} is deleted · u brings it back")
