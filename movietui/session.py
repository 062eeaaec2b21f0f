"""What the app knows and can do, without a screen: who the list is for, and every way to change it.

Ratings are on disk before any method here returns; the store is written in a thread, because a slow disk must not
stop the screen.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, get_args

from data import locations
from data.imports.entries import Mark
from data.problems import Problem
from movietui.children import Engine
from movietui.replies import (
    AskedFilm,
    DatasetRow,
    Details,
    FoundAll,
    ModelRow,
    MovieRow,
    Opened,
    People,
    Question,
    Ranked,
    SimilarMovie,
    SuggestionRow,
    Wish,
)
from movietui.run_records import Run
from movietui.store import NOT_OFFERED, RATING, STARS, Change, Film, Step, Store
from movietui.viewers import LETTERS, WAYS, Asked, UnseenBy, ViewerRef, Way, profile, user

MISERY_STEP = 0.1
DARING_STEP = 0.1
FILTER = "filter:"
"""What the names of choices begin with that are saved filters."""
Shelf = Literal["all", "watchlist", "both"]


@dataclass(frozen=True)
class Audience:
    """Who the list is for: one viewer, a pair or a group, whose rating the next key is, and how they are joined."""

    viewers: tuple[ViewerRef, ...] = ()
    rating_as: int = 0
    misery: float = 0.0
    """How much a pair's score leans from the average (0) to the less happy of them (1), where it is ``weighted``."""
    way: Way = "weighted"
    standardise: bool = False
    """Whether each of a pair is seen on their own scale: somebody's 4 stars may be another one's 3."""
    unseen_by: UnseenBy = "all"
    vetoes: tuple["Veto", ...] = ()
    """What one of a pair does not want tonight, for as long as the pair is together."""

    @property
    def rater(self) -> ViewerRef:
        """Whose rating the next key is."""
        return self.viewers[self.rating_as]

    @property
    def together(self) -> bool:
        """Whether there are several: a pair, or a group."""
        return len(self.viewers) > 1


@dataclass(frozen=True)
class Veto:
    """A movie that one of a pair does not want tonight."""

    viewer: ViewerRef
    film: Film


@dataclass(frozen=True)
class Deleted:
    """A profile that was deleted, and what brings it back."""

    viewer: ViewerRef
    deleted: str


Done = Step | Veto | Deleted


@dataclass(frozen=True)
class View:
    """Which of the unseen movies are in the list, and in which order."""

    only: str = ""
    """A filter, see ``models.filters``."""
    daring: float = 0.0
    """From 0, safe, to 1."""
    shelf: Shelf = "all"
    """Movies on the watchlist only, of any or of both viewers, or all."""


@dataclass
class _Deeds:
    """What can be undone that is not the store's, among the steps that are: ``None`` stands for one of those."""

    done: list[Veto | Deleted | None] = field(default_factory=list)
    undone: list[Veto | Deleted | None] = field(default_factory=list)

    def did(self, deed: Veto | Deleted | None) -> None:
        """Something was done; what was undone before cannot be done again."""
        self.done.append(deed)
        self.undone.clear()


class Session:
    """The state behind the screens."""

    def __init__(self, store: Store, engine: Engine) -> None:
        self.store = store
        self.engine = engine
        self.opened: Opened | None = None
        self.run: Run | None = None
        self.audience = Audience()
        self.view = View()
        self.last_change: Change | None = None
        self._deeds = _Deeds()
        self.seen_version = store.changed_elsewhere()
        """What ``Store.changed_elsewhere`` said last."""
        self.seen_deeds: tuple[Any, ...] = ()
        """What ``Store.deeds`` said when the list was asked for last."""

    async def on_store(self, method: Any, *arguments: Any) -> Any:
        """Call a method of the store in a thread."""
        return await asyncio.to_thread(method, *arguments)

    # What is served

    async def open(self, dataset: str, run: Run | None = None) -> Opened:
        """Serve a dataset with a run, else with the first that can: the one chosen last, or a newer one.

        What was open stays open where that fails. Raises ``Problem`` where there is no run or none can be loaded.
        """
        runs = [run] if run else await self.on_store(self.store.serving_runs, dataset)
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
        if self.opened is None or self.opened["dataset"] != dataset:
            self.view = replace(self.view, only="")  # another dataset has other genres and directors
        self.opened, self.run = opened, candidate
        await self._remember(self.store.serve_with, candidate)
        await self._remember(self.store.choose, "dataset", dataset)
        return opened

    async def _remember(self, method: Any, *arguments: Any) -> None:
        """Write down a choice; where that fails, for example on a full disk, the list goes on all the same."""
        with contextlib.suppress(Problem):
            await self.on_store(method, *arguments)

    async def _is_here(self, ref: ViewerRef, dataset: str) -> bool:
        """Whether the engine has a viewer in what it opened last."""
        if ref.kind == "profile":
            return True
        found = await self.people(ref.id, 0, 1)
        return ref == user(ref.id, dataset) and bool(found["rows"]) and found["rows"][0]["id"] == ref.id

    async def _first_viewer(self, opened: Opened) -> ViewerRef:
        """Whoever was looked at last, else the first profile, else the first user."""
        chosen: str = await self.on_store(self.store.choice, f"viewer:{opened['dataset']}")
        kind, _, name = chosen.partition(":")
        profiles = await self.on_store(self.store.profiles)
        if kind == "profile" and profile(name) in dict(profiles):
            return profile(name)
        if kind == "user" and await self._is_here(user(name, opened["dataset"]), opened["dataset"]):
            return user(name, opened["dataset"])
        first: ViewerRef = profiles[0][0] if profiles else user(opened["first_user"], opened["dataset"])
        return first

    async def cleaning_of(self, dataset: str) -> str:
        """Return how a dataset is to be cleaned."""
        cleaning: str = await self.on_store(self.store.cleaning_of, dataset)
        return cleaning

    # Who it is for

    async def look_at(self, viewer: ViewerRef) -> None:
        """Make the list for one viewer."""
        self.audience = replace(self.audience, viewers=(viewer,), rating_as=0, vetoes=())
        self._shelve()
        if self.opened is not None:
            await self._remember(self.store.choose, f"viewer:{self.opened['dataset']}", f"{viewer.kind}:{viewer.id}")

    def pair_with(self, viewer: ViewerRef) -> None:
        """Add a second viewer, replace them, or go back to one where they were the second already."""
        first = self.audience.viewers[0]
        if viewer in self.audience.viewers:
            others = tuple(ref for ref in self.audience.viewers if ref != viewer) or (first,)
            self.audience = replace(self.audience, viewers=others, rating_as=0, vetoes=())
        else:
            self.audience = replace(self.audience, viewers=(first, viewer), rating_as=0, vetoes=())
        self._shelve()

    def join(self, viewer: ViewerRef) -> None:
        """Add a further viewer, or let one go who is among them. Raises ``Problem`` where the list is full."""
        viewers = self.audience.viewers
        if viewer in viewers:
            viewers = tuple(ref for ref in viewers if ref != viewer) or viewers
        elif len(viewers) == len(LETTERS):
            raise Problem(f"A list is for {len(LETTERS)} at most; let one of them go first.")
        else:
            viewers = (*viewers, viewer)
        left = tuple(veto for veto in self.audience.vetoes if veto.viewer in viewers)
        self.audience = replace(self.audience, viewers=viewers, rating_as=0, vetoes=left)
        self._shelve()

    def _shelve(self) -> None:
        """One viewer has no watchlist that they share."""
        if self.view.shelf == "both" and not self.audience.together:
            self.view = replace(self.view, shelf="watchlist")

    def rate_as_other(self) -> None:
        """The next rating is the other one's, of a group the next one's."""
        following = (self.audience.rating_as + 1) % max(1, len(self.audience.viewers))
        self.audience = replace(self.audience, rating_as=following)

    def lean(self, steps: int) -> None:
        """Turn the dial of a pair towards the average (down) or the less happy of the two (up)."""
        misery = round(min(1.0, max(0.0, self.audience.misery + steps * MISERY_STEP)), 2)
        self.audience = replace(self.audience, misery=misery)

    def step_way(self, steps: int) -> None:
        """Make a pair's list another way."""
        way = WAYS[(WAYS.index(self.audience.way) + steps) % len(WAYS)]
        self.audience = replace(self.audience, way=way)

    def switch_standard(self) -> None:
        """See each of a pair on their own scale, or not."""
        self.audience = replace(self.audience, standardise=not self.audience.standardise)

    def switch_unseen(self) -> None:
        """Show a pair also what one of them has seen, what both have, or neither of these."""
        choices: tuple[UnseenBy, ...] = get_args(UnseenBy)
        after = choices[(choices.index(self.audience.unseen_by) + 1) % len(choices)]
        self.audience = replace(self.audience, unseen_by=after)

    # Lists

    def _ask_for(self, viewers: tuple[ViewerRef, ...]) -> list[Asked]:
        return [self.store.asked(ref) for ref in viewers]

    def _marked(self, *marks: Mark) -> list[str]:
        """The keys of what any viewer of the list gave one of the marks."""
        return sorted(set[str]().union(*(self.store.keys_marked(ref, *marks) for ref in self.audience.viewers)))

    def _question(self, *, anew: bool = False) -> tuple[list[Asked], Wish, list[set[str]]]:
        """What a list is asked for, and the watchlist of each viewer."""
        audience, view = self.audience, self.view
        if anew:
            self.seen_deeds = self.store.deeds()
        asked = self._ask_for(audience.viewers)
        off = [self.store.not_offered(ref) for ref in audience.viewers]
        if audience.unseen_by == "all" or not audience.together:
            left_out = set[str]().union(*off)
        else:
            left_out = set[str]().union(*(self.store.keys_marked(ref, "hidden") for ref in audience.viewers))
            if audience.unseen_by == "any":  # out is also what all have seen, each in whatever way
                seen = [{key for key, _ in one["rated"]} | keys for one, keys in zip(asked, off, strict=True)]
                left_out |= set.intersection(*seen)
        left_out |= {veto.film.key for veto in audience.vetoes}
        wish: Wish = {"left_out": sorted(left_out)}
        if audience.together:
            wish |= {"way": audience.way, "standardise": audience.standardise, "unseen_by": audience.unseen_by}
        if view.only:
            wish["only"] = view.only
        if view.daring:
            wish["daring"] = view.daring
        wanted = [self.store.keys_marked(ref, "watchlist") for ref in audience.viewers]
        if view.shelf != "all":
            joined = set.intersection(*wanted) if view.shelf == "both" else set.union(*wanted)
            wish["among"] = sorted(joined)
        return asked, wish, wanted

    async def ranked(self, offset: int, limit: int, *, after_rating: bool = False, more: bool = False) -> Ranked:
        """Return a window of the list; ``after_rating`` compares its order with the one before.

        ``more`` asks for a further window of the list that is shown.
        """
        misery = self.audience.misery
        asked, wish, wanted = await self.on_store(partial(self._question, anew=not more))
        reply: Ranked = await self.engine.ask(
            "rank", viewers=asked, misery=misery, offset=offset, limit=limit, compare=after_rating, **wish
        )
        for row in reply["rows"]:
            row["wanted"] = _letters(row["film"], wanted)
        return reply

    async def surprise(self, draw: int) -> MovieRow | None:
        """Return one of the good movies of the list, another with each ``draw``; none of an empty list."""
        asked, wish, wanted = await self.on_store(self._question)
        row: MovieRow | None = await self.engine.ask(
            "surprise", viewers=asked, misery=self.audience.misery, draw=draw, **wish
        )
        if row is not None:
            row["wanted"] = _letters(row["film"], wanted)
        return row

    async def beside(self, run: Run, limit: int) -> dict[str, Any]:
        """Return the top of the list beside what another run of the dataset makes of it."""
        asked, wish, _ = await self.on_store(self._question)
        reply: dict[str, Any] = await self.engine.ask(
            "beside",
            viewers=asked,
            misery=self.audience.misery,
            cleaning=run.cleaning,
            checkpoint=str(locations.checkpoints() / run.checkpoint),
            limit=limit,
            **wish,
        )
        return reply

    async def narrow(self, only: str) -> None:
        """Show only what passes a filter. Raises ``Problem`` for one that cannot be read, and keeps the one before."""
        before, self.view = self.view, replace(self.view, only=" ".join(only.split()))
        try:
            await self.ranked(0, 1)
        except Problem:
            self.view = before
            raise

    def dare(self, steps: int) -> None:
        """Turn the dial of the list towards safe (down) or daring (up)."""
        daring = round(min(1.0, max(0.0, self.view.daring + steps * DARING_STEP)), 2)
        self.view = replace(self.view, daring=daring)

    def step_shelf(self) -> None:
        """Go on from all movies to the watchlist, of several then to what all of them want, and back."""
        shelves: list[Shelf] = ["all", "watchlist", *(["both"] if self.audience.together else [])]  # type: ignore[list-item]
        shelf = shelves[(shelves.index(self.view.shelf) + 1) % len(shelves)]
        self.view = replace(self.view, shelf=shelf)

    # Interviews

    async def question(self, unseen: Sequence[str], passed: Sequence[str], *, card: bool) -> Question:
        """Return what to ask whoever the list is for; ``unseen`` and ``passed`` are keys of films not to ask about."""
        viewer = self.audience.rater
        asked = await self.on_store(self.store.asked, viewer)
        hidden = await self.on_store(self.store.keys_marked, viewer, "hidden")
        reply: Question = await self.engine.ask(
            "interview", asked=asked, unseen=list(unseen), passed=[*passed, *sorted(hidden)], card=card
        )
        return reply

    # Filters

    async def complete(self, typed: str) -> list[SuggestionRow]:
        """Return how a half-typed filter may go on."""
        reply: list[SuggestionRow] = await self.engine.ask("complete", text=typed)
        return reply

    async def saved_filters(self) -> dict[str, str]:
        """Return the filters that were saved, by name."""
        found: dict[str, str] = await self.on_store(self.store.choices, FILTER)
        return found

    async def save_filter(self, name: str, only: str) -> None:
        """Save a filter by name, or forget the name where the filter is empty."""
        await self.on_store(self.store.choose, FILTER + name, only)

    # What is known of movies and viewers

    async def similar(self, movie: str, limit: int) -> list[SimilarMovie]:
        """Return the movies that are most like one, without those that a viewer of the list hides."""
        hidden = await self.on_store(self._marked, "hidden")
        reply: list[SimilarMovie] = await self.engine.ask("similar", movie=movie, limit=limit, hidden=hidden)
        return reply

    async def find(self, words: str) -> FoundAll:
        """Return the movies, directors and users that a search finds."""
        reply: FoundAll = await self.engine.ask("find", words=words)
        return reply

    async def taste(self) -> dict[str, Any]:
        """Return what the viewers of the list like, as ``taste --json`` prints it."""
        viewers = await self.on_store(self._ask_for, self.audience.viewers)
        hidden = await self.on_store(self._marked, "hidden")
        not_offered = await self.on_store(self._marked, *NOT_OFFERED)
        reply: dict[str, Any] = await self.engine.ask("taste", viewers=viewers, hidden=hidden, not_offered=not_offered)
        return reply

    async def details(self, movie: str) -> Details:
        """Return what is known of a movie, for the viewers of the list."""
        viewers = await self.on_store(self._ask_for, self.audience.viewers)
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

    # Ratings and marks

    async def rate(self, movie: MovieRow | Details | AskedFilm, stars: float) -> Change:
        """Rate a movie as whoever's turn it is."""
        self.last_change = await self.on_store(self.store.rate, self.audience.rater, film_of(movie), stars)
        self._deeds.did(None)
        return self.last_change

    async def nudge(self, step: float) -> Change:
        """Change the rating that was given last by half a star. Raises ``Problem`` where there is none."""
        last = self.last_change
        if last is None or last.after is None or last.viewer not in self.audience.viewers:
            raise Problem("Rate a movie with 1 to 5 first; [ and ] then take half a star off it or add one.")
        stars = min(STARS[1], max(STARS[0], last.after + step))
        self.last_change = await self.on_store(self.store.rate, last.viewer, last.film, stars)
        self._deeds.did(None)
        return self.last_change

    async def mark(self, movie: MovieRow | Details, mark: Mark) -> Change:
        """Mark a movie as whoever's turn it is; a mark that it has already is taken off."""
        rater = self.audience.rater
        change: Change = await self.on_store(self._switch, rater, film_of(movie), mark)
        self._deeds.did(None)
        return change

    def _switch(self, viewer: ViewerRef, film: Film, mark: Mark) -> Change:
        if film.key in self.store.keys_marked(viewer, mark):
            return self.store.unmark(viewer, film, mark)
        return self.store.mark(viewer, film, mark)

    def veto(self, movie: MovieRow | Details) -> Veto:
        """Leave a movie out for as long as this pair is together. Raises ``Problem`` where there is no pair."""
        if not self.audience.together:
            raise Problem("A veto is for a pair; a movie can be hidden from your own lists.")
        veto = Veto(self.audience.rater, film_of(movie))
        self.audience = replace(self.audience, vetoes=(*self.audience.vetoes, veto))
        self._deeds.did(veto)
        return veto

    async def undo(self) -> Done | None:
        """Take back what the viewers of the list did last: a rating, a mark, an import as a whole, a veto.

        A profile that was deleted last comes back.
        """
        self.last_change = None
        deed = self._deeds.done.pop() if self._deeds.done else None
        if isinstance(deed, Veto) and deed not in self.audience.vetoes:  # of a pair that is no more
            return await self.undo()
        if isinstance(deed, Veto):
            vetoes = tuple(veto for veto in self.audience.vetoes if veto != deed)
            self.audience = replace(self.audience, vetoes=vetoes)
        elif isinstance(deed, Deleted):
            await self.on_store(self.store.restore_profile, deed.viewer, deed.deleted)
        step: Step | None = None
        if deed is None:
            step = await self.on_store(self.store.undo, self.audience.viewers)
        if step or deed:
            self._deeds.undone.append(deed)
        return deed or step

    async def redo(self) -> Done | None:
        """Do again what was taken back last."""
        deed = self._deeds.undone.pop() if self._deeds.undone else None
        step: Step | None = None
        if isinstance(deed, Veto) and set(self.audience.viewers) >= {deed.viewer} and self.audience.together:
            self.audience = replace(self.audience, vetoes=(*self.audience.vetoes, deed))
        elif isinstance(deed, Deleted):
            deed = Deleted(deed.viewer, await self.on_store(self.store.delete_profile, deed.viewer))
        else:
            deed = None
            step = await self.on_store(self.store.redo, self.audience.viewers)
        if step or deed:
            self._deeds.done.append(deed)
        self.last_change = step.changes[0] if step and step.kind == RATING else None
        return deed or step

    # Imports

    async def look_into(self, path: str) -> dict[str, Any]:
        """Return what an import of a file would bring, as ``import --preview --json`` prints it."""
        reply: dict[str, Any] = await self.engine.ask("look_into", path=path)
        return reply

    async def bring(self, name: str, path: str, settle: dict[str, str]) -> dict[str, Any]:
        """Import a file into a profile, which is made where it does not exist; see ``importing.bring``."""
        reply: dict[str, Any] = await self.engine.ask("bring", name=name, path=path, settle=settle)
        self.last_change = None
        if reply["changes"]:
            self._deeds.did(None)
        return reply

    # Profiles

    def follow(self, viewer: ViewerRef, renamed: ViewerRef) -> None:
        """Go on with a profile that was renamed, where the list is for it."""
        viewers = tuple(renamed if ref == viewer else ref for ref in self.audience.viewers)
        self.audience = replace(self.audience, viewers=viewers)

    async def delete(self, viewer: ViewerRef) -> Deleted:
        """Delete a profile; who is left of the list's viewers, or the first there is, gets the list."""
        done = Deleted(viewer, await self.on_store(self.store.delete_profile, viewer))
        self._deeds.did(done)
        await self.leave_gone()
        return done

    async def leave_gone(self) -> None:
        """Make the list for who is left, where a viewer of it is no more."""
        assert self.opened is not None
        profiles = dict(await self.on_store(self.store.profiles))
        left = [ref for ref in self.audience.viewers if ref.kind == "user" or ref in profiles]
        if len(left) < len(self.audience.viewers):
            await self.look_at(left[0] if left else await self._first_viewer(self.opened))

    # History

    async def history(self, viewer: ViewerRef) -> list[Step]:
        """Return all that a viewer did, newest first."""
        steps: list[Step] = await self.on_store(self.store.history, viewer)
        return steps

    async def take_back(self, step: Step) -> Step | None:
        """Take one step back, whatever was done since; that is a step of its own."""
        taken: Step | None = await self.on_store(self.store.take_back, step)
        if taken is not None:
            self._deeds.did(None)
        return taken

    async def go_to(self, step: Step) -> int:
        """Take back everything down to a step, or where it was taken back, do all again up to it; return how many."""
        move = self.store.redo if step.undone else self.store.undo
        count = 0
        while done := await self.on_store(move, (step.viewer,)):
            count += 1
            if done.number == step.number:
                break
        self.last_change = None
        return count


def film_of(movie: MovieRow | Details | AskedFilm) -> Film:
    """Return a movie as the store keeps it."""
    return Film(movie["film"], movie["title"], movie["year"])


def _letters(film: str, wanted: Sequence[set[str]]) -> str:
    """Whose watchlist a film is on."""
    return "".join(letter for letter, keys in zip(LETTERS, wanted, strict=False) if film in keys)
