"""The keys that rate or mark the selected movie, undo and redo. Each then shows the list in its new order."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import cast

from textual.binding import Binding

from movietui.data.imports.entries import Mark
from movietui.data.language import tr
from movietui.protocol.messages import ListWindow
from movietui.protocol.viewers import LETTERS
from movietui.state.changes import Deleted, Done
from movietui.store.ratings import Change
from movietui.ui import wording
from movietui.ui.bindings import RATE_KEYS, half_star_keys, hint
from movietui.ui.browse.controller import BrowseController
from movietui.ui.problems import shows_problems

RATING_KEYS = [
    *(replace(key, priority=True) for key in (*RATE_KEYS, *half_star_keys("browse", tr("movie")))),
    Binding("u", "undo", tr("Undo"), id="browse.undo", tooltip=tr("Undo")),
    Binding("r", "redo", tr("Redo"), show=False, id="browse.redo", tooltip=tr("Redo")),
]
MARK_KEYS = [
    Binding(
        "w",
        "mark('watchlist')",
        tr("Watchlist"),
        show=False,
        id="browse.watchlist",
        tooltip=tr("Add to the watchlist, or remove from it"),
    ),
    Binding("x", "mark('hidden')", tr("Hide"), show=False, id="browse.hide", tooltip=tr("Never show the movie again")),
    Binding(
        "v", "mark('seen')", tr("Seen"), show=False, id="browse.seen", tooltip=tr("Mark as seen, without a rating")
    ),
]


class RatingController(BrowseController):
    """Rates and marks movies, undoes and redoes."""

    @shows_problems
    async def action_rate(self, stars: int) -> None:
        """Rate the selected movie."""
        change, ranked = await self.list_pane.rate(float(stars))
        await self.show_change(change, wording.describe_change(change), ranked)

    @shows_problems
    async def action_nudge(self, step: float) -> None:
        """Change the last rating by half a star."""
        change = await self.session.nudge(step)
        await self.show_change(change, wording.describe_change(change))

    @shows_problems
    async def action_mark(self, mark: str) -> None:
        """Mark the selected movie, or remove the mark."""
        change = await self.session.mark(self.list_pane.selected(), cast(Mark, mark))
        await self.show_change(change, wording.describe_change(change))

    @shows_problems
    async def action_undo(self) -> None:
        """Undo the last step."""
        done = await self.session.undo()
        if done is None:
            self.app.show_notice(tr("There is nothing to undo."))
        else:
            notice = tr("undid {step}", step=wording.describe_step(done, undone=True))
            await self.show_change(done, notice, reverted_by=("browse.redo", tr("redo")))

    @shows_problems
    async def action_redo(self) -> None:
        """Redo the step that was undone last."""
        done = await self.session.redo()
        if done is None:
            self.app.show_notice(tr("There is nothing to redo."))
        else:
            await self.show_change(done, tr("redid {step}", step=wording.describe_step(done, undone=False)))

    async def show_change(
        self,
        done: Change | Done,
        notice: str,
        ranked: ListWindow | None = None,
        *,
        reverted_by: tuple[str, str] = ("browse.undo", tr("undo")),
    ) -> None:
        """Show the list in its new order and, in the same frame, what was done.

        ``ranked`` is the list if it is already known. ``reverted_by`` is the id of the action that reverts the change,
        and the word for it in the notice.
        """
        if isinstance(done, Deleted):
            await self.session.replace_deleted_viewers()
        ranked = ranked or await self.list_pane.request(after_rating=True)
        audience = self.session.audience
        if audience.together and done.viewer in audience.viewers:
            letter = LETTERS[audience.viewers.index(done.viewer)]
            notice = tr("{change} as {letter} {viewer}", change=notice, letter=letter, viewer=done.viewer.label)
        self.list_pane.show(ranked, marked=True)
        self.app.show_notice(f"{notice} · {wording.describe_moves(ranked['moved'])} · {hint(self.screen, reverted_by)}")
        self.screen.draw_now(self.list_pane.movies, self.screen.status_line)
        if isinstance(done, Deleted):
            await self.screen.viewers_pane.fill()
        else:
            self.screen.viewers_pane.update_counts(await asyncio.to_thread(self.session.store.profiles))
