"""The viewers whom a list is for, and every way to change them. Immutable: each change returns a new audience."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import get_args

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.models.choices import WAYS, UnseenBy, Way
from movietui.protocol.viewers import LETTERS, ViewerRef
from movietui.store.ratings import Movie

MISERY_STEP = 0.1


@dataclass(frozen=True)
class Veto:
    """A movie that one viewer of a pair or group does not want tonight."""

    viewer: ViewerRef
    movie: Movie

    def renamed(self, before: ViewerRef, after: ViewerRef) -> Veto:
        """Return this veto; if its viewer is the profile that was renamed, return a copy with the new name."""
        return replace(self, viewer=after) if self.viewer == before else self


@dataclass(frozen=True)
class Audience:
    """The viewers of a list (one, a pair or a group), which of them rates next, and how their lists are combined."""

    viewers: tuple[ViewerRef, ...] = ()
    rating_as: int = 0
    """The index of the viewer who rates next."""
    misery: float = 0.0
    """If ``way`` is ``weighted``: from 0 (only the average counts) to 1 (only the least pleased viewer counts)."""
    way: Way = "weighted"
    standardise: bool = False
    """Whether to put all viewers' scores on the same scale: 4 stars from one may mean as much as 3 from another."""
    unseen_by: UnseenBy = "all"
    vetoes: tuple[Veto, ...] = ()
    """The vetoes that apply now. A veto ends, at the latest, when its viewer leaves the list."""

    @property
    def rater(self) -> ViewerRef:
        """The viewer who rates next."""
        return self.viewers[self.rating_as]

    @property
    def together(self) -> bool:
        """Whether there are several viewers."""
        return len(self.viewers) > 1

    def of(self, *viewers: ViewerRef) -> Audience:
        """Return an audience of these viewers with the same settings and without vetoes."""
        return replace(self, viewers=viewers, rating_as=0, vetoes=())

    def paired_with(self, viewer: ViewerRef) -> Audience:
        """Pair the first viewer with another one, or remove one whom the list is for, unless it is the only one."""
        if viewer in self.viewers:
            return self.of(*self._without(viewer))
        return self.of(self.viewers[0], viewer)

    def joined_by(self, viewer: ViewerRef) -> Audience:
        """Add a viewer, or remove one whom the list is for, unless it is the only one.

        Raises ``Problem`` for too many viewers.
        """
        if viewer in self.viewers:
            viewers = self._without(viewer)
        elif len(self.viewers) == len(LETTERS):
            raise Problem(tr("A list is for at most {count} viewers; remove one first.", count=len(LETTERS)))
        else:
            viewers = (*self.viewers, viewer)
        vetoes = tuple(veto for veto in self.vetoes if veto.viewer in viewers)
        return replace(self.of(*viewers), vetoes=vetoes)

    def _without(self, viewer: ViewerRef) -> tuple[ViewerRef, ...]:
        """Return the viewers without this one; the only viewer of a list is never removed."""
        return tuple(ref for ref in self.viewers if ref != viewer) or self.viewers

    def renamed(self, before: ViewerRef, after: ViewerRef) -> Audience:
        """Replace a renamed profile with its new name."""
        viewers = tuple(after if ref == before else ref for ref in self.viewers)
        return replace(self, viewers=viewers, vetoes=tuple(veto.renamed(before, after) for veto in self.vetoes))

    def rated_by(self, index: int) -> Audience:
        """Let the viewer with this index rate next; if the index is too high, the last viewer."""
        return replace(self, rating_as=min(index, max(0, len(self.viewers) - 1)))

    def next_rater(self) -> Audience:
        """Let the next viewer in order rate; the first follows the last."""
        return replace(self, rating_as=(self.rating_as + 1) % max(1, len(self.viewers)))

    def leaning(self, steps: int) -> Audience:
        """Change ``misery`` by ``steps``: down towards the average, up towards the least pleased viewer."""
        return replace(self, misery=round(min(1.0, max(0.0, self.misery + steps * MISERY_STEP)), 2))

    def next_way(self, steps: int) -> Audience:
        """Combine the viewers' lists in another way, ``steps`` further on in ``WAYS``; the first follows the last."""
        ways = tuple(WAYS)
        return replace(self, way=ways[(ways.index(self.way) + steps) % len(ways)])

    def toggle_scale(self) -> Audience:
        """Turn ``standardise`` on or off."""
        return replace(self, standardise=not self.standardise)

    def next_unseen_by(self) -> Audience:
        """Step from movies that nobody has seen to movies that somebody has not seen, to all movies, and back."""
        choices: tuple[UnseenBy, ...] = get_args(UnseenBy)
        return replace(self, unseen_by=choices[(choices.index(self.unseen_by) + 1) % len(choices)])

    def vetoing(self, veto: Veto) -> Audience:
        """Add a veto."""
        return replace(self, vetoes=(*self.vetoes, veto))

    def without(self, veto: Veto) -> Audience:
        """Remove a veto."""
        return replace(self, vetoes=tuple(each for each in self.vetoes if each != veto))
