"""Browse: the list with all that helps to choose from it: marks, History, profiles."""

from __future__ import annotations

from functools import partial
from typing import ClassVar, cast

from textual import on, work
from textual.binding import Binding, BindingType

from data.imports.entries import Mark
from data.problems import Problem
from movietui import saying
from movietui.screens.listing import ListScreen
from movietui.viewers import ViewerRef
from movietui.widgets.told import told
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
            "h", "history", "History", show=False, id="browse.history", tooltip="All that was done, and a way back"
        ),
    ]

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
