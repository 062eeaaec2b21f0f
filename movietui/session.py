"""What the app knows and can do, without a screen: who the list is for, and every way to change it.

Ratings are on disk before any method here returns; the store is written in a thread, because a slow disk must not
stop the screen.
"""

import asyncio
import contextlib
from dataclasses import dataclass, replace
from typing import Any

from data import locations
from data.problems import Problem
from movietui.children import Engine
from movietui.replies import DatasetRow, Details, ModelRow, MovieRow, Opened, People, Ranked
from movietui.store import RATING, STARS, Change, Film, Run, Step, Store
from movietui.viewers import Asked, ViewerRef, profile, user

MISERY_STEP = 0.1


@dataclass(frozen=True)
class Audience:
    """Who the list is for: one viewer or a pair, whose rating the next key is, and how a pair is joined."""

    viewers: tuple[ViewerRef, ...] = ()
    rating_as: int = 0
    misery: float = 0.0
    """How much a pair's score leans from the average (0) to the less happy of the two (1)."""

    @property
    def rater(self) -> ViewerRef:
        """Whose rating the next key is."""
        return self.viewers[self.rating_as]

    @property
    def pair(self) -> bool:
        """Whether there are two."""
        return len(self.viewers) == 2


class Session:
    """The state behind the screens."""

    def __init__(self, store: Store, engine: Engine) -> None:
        self.store = store
        self.engine = engine
        self.opened: Opened | None = None
        self.run: Run | None = None
        self.audience = Audience()
        self.last_change: Change | None = None
        self.seen_version = store.changed_elsewhere()
        """What ``Store.changed_elsewhere`` said last."""

    async def _stored(self, method: Any, *arguments: Any) -> Any:
        return await asyncio.to_thread(method, *arguments)

    # What is served

    async def open(self, dataset: str, run: Run | None = None) -> Opened:
        """Serve a dataset with a run, else with the first that can: the one chosen last, or a newer one.

        What was open stays open where that fails. Raises ``Problem`` where there is no run or none can be loaded.
        """
        runs = [run] if run else await self._stored(self.store.serving_runs, dataset)
        if not runs:
            raise Problem(f"No model is trained on {dataset} yet; train one on the Train screen.")
        problems: list[Problem] = []
        for candidate in runs:
            try:
                opened: Opened = await self.engine.ask(
                    "open",
                    dataset=dataset,
                    cleaning=candidate.cleaning,
                    checkpoint=str(locations.checkpoints() / candidate.checkpoint),
                )
                break
            except Problem as problem:
                problems.append(problem)
        else:
            raise problems[0]
        known = [ref for ref in self.audience.viewers if await self._is_here(ref, dataset)]
        if len(known) < max(1, len(self.audience.viewers)):
            # Of another dataset, or a user whom another cleaning took away.
            first = known[0] if known else await self._first_viewer(opened)
            self.audience = Audience((first,), misery=opened["misery"])
        self.opened, self.run = opened, candidate
        await self._remember(self.store.serve_with, candidate)
        await self._remember(self.store.choose, "dataset", dataset)
        return opened

    async def _remember(self, method: Any, *arguments: Any) -> None:
        """Write down a choice; where that fails, for example on a full disk, the list goes on all the same."""
        with contextlib.suppress(Problem):
            await self._stored(method, *arguments)

    async def _is_here(self, ref: ViewerRef, dataset: str) -> bool:
        """Whether the engine has a viewer in what it opened last."""
        if ref.kind == "profile":
            return True
        found = await self.people(ref.id, 0, 1)
        return ref == user(ref.id, dataset) and bool(found["rows"]) and found["rows"][0]["id"] == ref.id

    async def _first_viewer(self, opened: Opened) -> ViewerRef:
        """Whoever was looked at last, else the first profile, else the first user."""
        chosen: str = await self._stored(self.store.choice, f"viewer:{opened['dataset']}")
        kind, _, name = chosen.partition(":")
        profiles = await self._stored(self.store.profiles)
        if kind == "profile" and profile(name) in dict(profiles):
            return profile(name)
        if kind == "user" and await self._is_here(user(name, opened["dataset"]), opened["dataset"]):
            return user(name, opened["dataset"])
        first: ViewerRef = profiles[0][0] if profiles else user(opened["first_user"], opened["dataset"])
        return first

    async def cleaning_of(self, dataset: str) -> str:
        """Return how a dataset is to be cleaned."""
        cleaning: str = await self._stored(self.store.cleaning_of, dataset)
        return cleaning

    # Who it is for

    async def look_at(self, viewer: ViewerRef) -> None:
        """Make the list for one viewer."""
        self.audience = Audience((viewer,), misery=self.audience.misery)
        if self.opened is not None:
            await self._remember(self.store.choose, f"viewer:{self.opened['dataset']}", f"{viewer.kind}:{viewer.id}")

    def pair_with(self, viewer: ViewerRef) -> None:
        """Add a second viewer, replace them, or go back to one where they were the second already."""
        first = self.audience.viewers[0]
        if viewer in self.audience.viewers:
            others = tuple(ref for ref in self.audience.viewers if ref != viewer) or (first,)
            self.audience = replace(self.audience, viewers=others, rating_as=0)
        else:
            self.audience = replace(self.audience, viewers=(first, viewer), rating_as=0)

    def rate_as_other(self) -> None:
        """The next rating is the other one's."""
        if self.audience.pair:
            self.audience = replace(self.audience, rating_as=1 - self.audience.rating_as)

    def lean(self, steps: int) -> None:
        """Turn the dial of a pair towards the average (down) or the less happy of the two (up)."""
        misery = round(min(1.0, max(0.0, self.audience.misery + steps * MISERY_STEP)), 2)
        self.audience = replace(self.audience, misery=misery)

    # Lists

    def _ask_for(self, viewers: tuple[ViewerRef, ...]) -> list[Asked]:
        return [self.store.asked(ref) for ref in viewers]

    async def ranked(self, offset: int, limit: int, *, after_rating: bool = False) -> Ranked:
        """Return a window of the list; ``after_rating`` compares its order with the one before."""
        audience = self.audience
        reply: Ranked = await self.engine.ask(
            "rank",
            viewers=await self._stored(self._ask_for, audience.viewers),
            misery=audience.misery,
            offset=offset,
            limit=limit,
            compare=after_rating,
        )
        return reply

    async def details(self, movie: str) -> Details:
        """Return what is known of a movie, for the viewers of the list."""
        viewers = await self._stored(self._ask_for, self.audience.viewers)
        reply: Details = await self.engine.ask("details", viewers=viewers, movie=movie)
        return reply

    async def people(self, search: str, offset: int, limit: int) -> People:
        """Return a window of the users of the dataset that a search finds."""
        reply: People = await self.engine.ask("people", search=search, offset=offset, limit=limit)
        return reply

    async def datasets(self) -> list[DatasetRow]:
        """Return the datasets that are here or can be fetched."""
        reply: list[DatasetRow] = await self.engine.ask("datasets")
        return reply

    async def models(self) -> list[ModelRow]:
        """Return the models that can be trained."""
        reply: list[ModelRow] = await self.engine.ask("models")
        return reply

    # Ratings

    async def rate(self, row: MovieRow, stars: float) -> Change:
        """Rate a movie of the list as whoever's turn it is."""
        film = Film(row["film"], row["title"], row["year"])
        self.last_change = await self._stored(self.store.rate, self.audience.rater, film, stars)
        return self.last_change

    async def nudge(self, step: float) -> Change:
        """Change the rating that was given last by half a star. Raises ``Problem`` where there is none."""
        last = self.last_change
        if last is None or last.after is None or last.viewer not in self.audience.viewers:
            raise Problem("Rate a movie with 1 to 5 first; [ and ] then take half a star off it or add one.")
        stars = min(STARS[1], max(STARS[0], last.after + step))
        self.last_change = await self._stored(self.store.rate, last.viewer, last.film, stars)
        return self.last_change

    async def undo(self) -> Step | None:
        """Take back what the viewers of the list did last: a rating, a mark, or an import as a whole."""
        self.last_change = None
        step: Step | None = await self._stored(self.store.undo, self.audience.viewers)
        return step

    async def redo(self) -> Step | None:
        """Do again what was taken back last."""
        step: Step | None = await self._stored(self.store.redo, self.audience.viewers)
        self.last_change = step.changes[0] if step and step.kind == RATING else None
        return step
