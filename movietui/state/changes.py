"""Ratings, marks, imports, changed lists, vetoes and deleted profiles: how to make, undo and redo them.

The store undoes and redoes its own steps. Vetoes and deletions of profiles are not steps of the store, so this module
remembers their order among the steps as long as the app runs.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from movietui.data.imports.entries import Mark
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.protocol.viewers import ViewerRef
from movietui.state.audience import Audience, Veto
from movietui.state.stored_movies import StoredMovies
from movietui.store.ratings import RATING, STARS, Change, Movie, Step, Store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True)
class Deleted:
    """A deleted profile."""

    viewer: ViewerRef
    deleted: str
    """What ``Store.restore_profile`` needs to restore it."""


Done = Step | Veto | Deleted


class Changes:
    """Makes changes that can be undone. When a method returns, its change is on disk; only vetoes are not stored."""

    def __init__(self, store: Store, movies: StoredMovies) -> None:
        self._store = store
        self._movies = movies
        self.last: Change | None = None
        """The latest rating, which ``nudge`` changes."""
        self._done: list[Veto | Deleted | None] = []
        """What was done, in order; ``None`` stands for a step of the store."""
        self._undone: list[Veto | Deleted | None] = []
        self._ended_redo = False
        """Whether a veto or a deletion came after the step of the store that was undone last. The store knows of
        neither, so it would still redo that step."""

    def record(self, entry: Veto | Deleted | None = None) -> None:
        """Record a change; ``None`` stands for a step of the store. Changes undone before can no longer be redone."""
        self._done.append(entry)
        self._undone.clear()
        self._ended_redo = entry is not None

    def rename(self, before: ViewerRef, after: ViewerRef) -> None:
        """Use a renamed profile's new name in the recorded vetoes; the steps of the store already have it."""
        for entries in (self._done, self._undone):
            entries[:] = [each.renamed(before, after) if isinstance(each, Veto) else each for each in entries]

    async def rate(
        self, audience: Audience, movie: Movie, stars: float, written: Callable[[], object] = lambda: None
    ) -> Change:
        """Rate a movie for the viewer who rates next; for ``written``, see ``StoredMovies.rate``."""
        self.last = await self._movies.after_matching(
            audience.viewers, self._movies.rate, audience.rater, movie, stars, written
        )
        self.record()
        return self.last

    async def unrate(self, audience: Audience, movie: Movie) -> Change | None:
        """Remove the rating that the viewer who rates next gave a movie.

        Return the change; ``None`` if the store has no such rating.
        """
        self.last = None
        removed = await self._movies.after_matching(audience.viewers, self._movies.unrate, audience.rater, movie)
        for _ in removed:
            self.record()
        return removed[-1] if removed else None

    async def nudge(self, viewers: Sequence[ViewerRef], step: float) -> Change:
        """Raise or lower the latest rating by ``step`` stars, within the scale.

        Raises ``Problem`` if there is no such rating, or if none of these viewers gave it.
        """
        last = self.last
        if last is None or last.after is None or last.viewer not in viewers:
            raise Problem(tr("Rate a movie first, with 1 to 5; then [ and ] change the rating by half a star."))
        stars = min(STARS[1], max(STARS[0], last.after + step))
        self.last = await asyncio.to_thread(self._store.rate, last.viewer, last.movie, stars)
        self.record()
        return self.last

    async def mark(self, audience: Audience, movie: Movie, mark: Mark) -> Change:
        """Mark a movie for the viewer who rates next, or remove the mark if the movie has it."""
        change = await self._movies.after_matching(
            audience.viewers, self._movies.switch_mark, audience.rater, movie, mark
        )
        self.record()
        return change

    async def delete(self, viewer: ViewerRef) -> Deleted:
        """Delete a profile."""
        deleted = Deleted(viewer, await asyncio.to_thread(self._store.delete_profile, viewer))
        self.record(deleted)
        return deleted

    async def undo(self, audience: Audience) -> tuple[Done | None, Audience]:
        """Undo the latest change: a step of one of these viewers, a veto, or the deletion of a profile.

        Return what was undone (``None`` if there was nothing to undo) and the new audience.
        """
        self.last = None
        entry = self._done.pop() if self._done else None
        if isinstance(entry, Veto) and entry not in audience.vetoes:  # the veto ended when the viewers changed
            return await self.undo(audience)
        step: Step | None = None
        if isinstance(entry, Veto):
            audience = audience.without(entry)
        elif isinstance(entry, Deleted):
            await asyncio.to_thread(self._store.restore_profile, entry.viewer, entry.deleted)
        else:
            step = await asyncio.to_thread(self._store.undo, audience.viewers)
            self._ended_redo = self._ended_redo and step is None
        if step or entry:
            self._undone.append(entry)
        return entry or step, audience

    async def redo(self, audience: Audience) -> tuple[Done | None, Audience]:
        """Redo the change that was undone last.

        Return what was redone (``None`` if there was nothing to redo) and the new audience.
        """
        entry = self._undone.pop() if self._undone else None
        step: Step | None = None
        if isinstance(entry, Veto) and entry.viewer in audience.viewers and audience.together:
            audience = audience.vetoing(entry)
        elif isinstance(entry, Deleted):
            entry = Deleted(entry.viewer, await asyncio.to_thread(self._store.delete_profile, entry.viewer))
        else:
            entry = None
            step = None if self._ended_redo else await asyncio.to_thread(self._store.redo, audience.viewers)
        if step or entry:
            self._done.append(entry)
        self.last = step.changes[0] if step and step.kind == RATING else None
        return entry or step, audience

    async def take_back(self, step: Step) -> Step | None:
        """Undo one step of the history, even if it is not the newest, and return the new step that does this.

        Return ``None`` if nothing of the step is left to undo.
        """
        reverting = await asyncio.to_thread(self._store.take_back, step)
        if reverting is not None:
            self.record()
        return reverting

    async def go_to(self, step: Step) -> int:
        """Undo all steps of a viewer from the newest to this one or, if this one is undone, redo all steps up to it.

        Return the number of steps that were undone or redone.
        """
        move = self._store.redo if step.undone else self._store.undo
        count = 0
        while done := await asyncio.to_thread(move, (step.viewer,)):
            count += 1
            if done.number == step.number:
                break
        self.last = None
        return count
