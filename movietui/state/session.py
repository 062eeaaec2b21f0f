"""What the app knows and can do, without a screen: the open dataset, the list, and the viewers that it is for.

A rating is on disk before the method that changes it returns. The store is written in a thread, because a slow disk
must not stop the screen.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ParamSpec, TypeVar

from movietui.data.imports.entries import Mark
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.query.list_conditions import combined, folded, names_in, without_lists
from movietui.data.storage import locations
from movietui.models.choices import DEFAULT_ORDER, Order, orders
from movietui.protocol.messages import (
    Details,
    GivenRating,
    ImportChoices,
    ImportReport,
    InterviewAnswers,
    InterviewMovie,
    ListComparison,
    ListQuery,
    ListWindow,
    MovieRow,
    Opened,
    Question,
    SearchedMovie,
    SearchResults,
    SimilarMovie,
    TasteReport,
    ViewerRatings,
)
from movietui.protocol.requests import Requests
from movietui.protocol.viewers import LETTERS, ViewerRef, profile, user
from movietui.state.audience import Audience, Veto
from movietui.state.changes import Changes, Deleted, Done
from movietui.state.child_processes import EngineClient
from movietui.state.stored_movies import StoredMovies
from movietui.state.view import View
from movietui.store.ratings import Change, Ids, Movie, Store
from movietui.store.run_records import Run

P = ParamSpec("P")
R = TypeVar("R")


class NoModel(Problem):
    """A dataset cannot be opened, because no model has been trained on it or none of them can be loaded."""


@dataclass(frozen=True)
class NamedListRow:
    """One row for all of the viewers' lists that have the same name."""

    name: str
    viewers: tuple[ViewerRef, ...]
    """The viewers who have a list of this name."""
    movies: int
    """How many movies of the open dataset are on at least one of these lists."""


class Session:
    """The state behind the screens."""

    def __init__(self, store: Store, engine: EngineClient) -> None:
        self.store = store
        self.engine = engine
        self.opened: Opened | None = None
        self.run: Run | None = None
        """The run that serves the open dataset."""
        self.audience = Audience()
        self.view = View()
        self._movies = StoredMovies(store, engine)
        self.changes = Changes(store, self._movies)
        self.held: dict[ViewerRef, dict[str, int]] = {}
        """``ViewerRatings.held`` by viewer and key. Forgotten when another dataset is opened or the app ends."""
        self.seen_version = store.changed_elsewhere()
        """The result of ``Store.changed_elsewhere`` when the app last looked for changes of other windows."""
        self.seen_steps: object = ()
        """The result of ``Store.steps_version`` when the list was ranked last."""

    # The open dataset

    @property
    def has_stars(self) -> bool:
        """Whether the open dataset has stars."""
        return self.opened is None or self.opened["has_stars"]

    @property
    def orders(self) -> Mapping[Order, str]:
        """The orders for a list of the open dataset, each in words for the viewer; the first is the default."""
        return orders(has_stars=self.has_stars)

    async def open(self, dataset: str, run: Run | None = None) -> Opened:
        """Open a dataset with a run: by default the run chosen last or, if it cannot be loaded, the newest that can.

        Raises ``NoModel`` if there is no run, or if none can be loaded; nothing changes then.
        """
        runs = [run] if run else await asyncio.to_thread(self.store.serving_runs, dataset)
        if not runs:
            raise NoModel(
                tr("No model has been trained on {dataset} yet; train one on the Train screen.", dataset=dataset)
            )
        problems: list[Problem] = []
        for candidate in runs:
            try:
                opened = await self.engine.ask(
                    Requests.open,
                    dataset=dataset,
                    cleaning=candidate.cleaning,
                    checkpoint=str(locations.checkpoint(candidate.checkpoint)),
                )
                break
            except Problem as problem:
                problems.append(problem)
        else:
            raise NoModel(str(problems[0]))
        present = [ref for ref in self.audience.viewers if await self._has_viewer(ref, dataset)]
        if len(present) < max(1, len(self.audience.viewers)):
            # Some viewers are users of another dataset, or users that the new cleaning removes.
            first = present[0] if present else await self._first_viewer(opened)
            self.audience = Audience((first,), misery=opened["misery"])
        if self.opened is None or self.opened["dataset"] != dataset:
            default = next(iter(orders(has_stars=opened["has_stars"])))
            order = self.view.order if self.has_stars == opened["has_stars"] else default
            # Another dataset has other genres and directors.
            self.view = replace(self.view, filter_text="", order=order)
            self.held.clear()  # its numbers are about lists of the previous dataset
        self.opened, self.run = opened, candidate
        self._movies.reset()
        await self._remember(self.store.serve_with, candidate)
        await self._remember(self.store.choose, "dataset", dataset)
        return opened

    async def _remember(self, write: Callable[P, object], *arguments: P.args, **named: P.kwargs) -> None:
        """Store a choice in a thread. If that fails, for example on a full disk, the app continues without it."""
        with contextlib.suppress(Problem):
            await asyncio.to_thread(write, *arguments, **named)

    async def remember(self, name: str, value: str) -> None:
        """Store a choice. If the store cannot be written, the choice lasts until the app ends."""
        await self._remember(self.store.choose, name, value)

    # Whom the list is for

    async def _has_viewer(self, ref: ViewerRef, dataset: str) -> bool:
        """Return whether a viewer is a profile, or a user of ``dataset``, which must be open in the engine.

        A user on a cluster that cannot be reached counts as absent.
        """
        if ref.kind == "profile":
            return True
        try:
            users = (await self.engine.ask(Requests.find_users, search=ref.id, offset=0, limit=1))["rows"]
        except Problem:
            return False
        return ref == user(ref.id, dataset) and [row["id"] for row in users] == [ref.id]

    async def _first_viewer(self, opened: Opened) -> ViewerRef:
        """Return the viewer whose list was shown last, or else the first profile, or else the first user."""
        chosen = await asyncio.to_thread(self.store.choice, f"viewer:{opened['dataset']}")
        kind, _, name = chosen.partition(":")
        profiles = await asyncio.to_thread(self.store.profiles)
        if kind == "profile" and profile(name) in dict(profiles):
            return profile(name)
        if kind == "user" and await self._has_viewer(user(name, opened["dataset"]), opened["dataset"]):
            return user(name, opened["dataset"])
        if profiles:
            return profiles[0][0]
        first = opened["first_user"]
        if opened["cluster"]:
            with contextlib.suppress(Problem):  # the list, which needs the user too, says what is wrong
                people = await self.engine.ask(Requests.find_users, search="", offset=0, limit=1)
                first = people["rows"][0]["id"] if people["rows"] else ""
        return user(first, opened["dataset"])

    def show_to(self, audience: Audience) -> None:
        """Make the list for another audience."""
        self.audience = audience
        if not audience.together:
            self.view = self.view.for_one()

    async def look_at(self, viewer: ViewerRef) -> None:
        """Make the list for one viewer, now and the next time the dataset is opened."""
        self.show_to(self.audience.of(viewer))
        if self.opened is not None:
            await self._remember(self.store.choose, f"viewer:{self.opened['dataset']}", f"{viewer.kind}:{viewer.id}")

    async def delete(self, viewer: ViewerRef) -> Deleted:
        """Delete a profile; if the list was for it, make the list for another viewer."""
        deleted = await self.changes.delete(viewer)
        self.held.pop(viewer, None)
        await self.replace_deleted_viewers()
        return deleted

    def rename(self, before: ViewerRef, after: ViewerRef) -> None:
        """Use the new name of a profile that is already renamed in the store."""
        self.audience = self.audience.renamed(before, after)
        self.changes.rename(before, after)

    async def replace_deleted_viewers(self) -> None:
        """If the profile of a viewer has been deleted, make the list for the first remaining viewer.

        If no viewer remains, make it for the one that ``_first_viewer`` returns.
        """
        assert self.opened is not None
        profiles = dict(await asyncio.to_thread(self.store.profiles))
        left = [ref for ref in self.audience.viewers if ref.kind == "user" or ref in profiles]
        if len(left) < len(self.audience.viewers):
            await self.look_at(left[0] if left else await self._first_viewer(self.opened))

    # Lists

    def _ratings(self, viewers: Sequence[ViewerRef]) -> list[ViewerRatings]:
        """Return what these viewers rated. Called in a thread, while the list may get other viewers."""
        ratings = [self._movies.same.for_engine(ref) for ref in viewers]
        for ref, each in zip(viewers, ratings, strict=True):
            if held := self.held.get(ref):
                each["held"] = [*held.items()]
        return ratings

    async def _ratings_after_matching(self) -> list[ViewerRatings]:
        viewers = self.audience.viewers
        return await self._movies.after_matching(viewers, self._ratings, viewers)

    async def _read_query(self, *, anew: bool = False) -> tuple[ListQuery, list[set[str]]]:
        """Return the query of the list, and the watchlist of each viewer; with ``anew``, also update ``seen_steps``."""
        viewers, names = self.audience.viewers, names_in(self.view.filter_text)
        lists = combined(await self._movies.lists(viewers, names)) if names else None
        return await self._movies.after_matching(viewers, self._query, lists, anew=anew)

    def _query(self, lists: dict[str, list[str]] | None, *, anew: bool) -> tuple[ListQuery, list[set[str]]]:
        audience, view = self.audience, self.view
        if anew:
            self.seen_steps = self.store.steps_version()
        query: ListQuery = {"viewers": self._ratings(audience.viewers), "misery": audience.misery}
        if audience.vetoes:
            query["excluded"] = sorted({veto.movie.key for veto in audience.vetoes})
        if audience.together:
            query |= {"way": audience.way, "standardise": audience.standardise, "unseen_by": audience.unseen_by}
        if view.filter_text:
            query["filter"] = view.filter_text
        if lists is not None:
            query["lists"] = lists
        if view.daring:
            query["daring"] = view.daring
        if view.recent:
            query["recent"] = view.recent
        if view.order != DEFAULT_ORDER:
            query["order"] = view.order
        watchlists = [self._movies.same.marked(ref, "watchlist") for ref in audience.viewers]
        if view.wanted != "all":
            among = set.intersection(*watchlists) if view.wanted == "both" else set.union(*watchlists)
            query["among"] = sorted(among)
        return query, watchlists

    async def ranked(self, offset: int, limit: int, *, after_rating: bool = False, more: bool = False) -> ListWindow:
        """Return a window of the list.

        With ``after_rating``, the list is compared with the previous one; see ``Requests.rank``. With ``more``, this is
        a further window of the list that is already shown.
        """
        if not more:
            await self._drop_missing_lists()
        return await self._ranked(offset, limit, after_rating=after_rating, more=more)

    async def _ranked(self, offset: int, limit: int, *, after_rating: bool = False, more: bool = False) -> ListWindow:
        read = await self._read_query(anew=not more)
        return await self._window(*read, offset, limit, after_rating=after_rating)

    async def _window(
        self, query: ListQuery, watchlists: Sequence[set[str]], offset: int, limit: int, *, after_rating: bool
    ) -> ListWindow:
        window = await self.engine.ask(Requests.rank, query=query, offset=offset, limit=limit, compare=after_rating)
        for row in window["rows"]:
            row["wanted"] = _letters(row["key"], watchlists)
        return window

    async def query(self) -> ListQuery:
        """Return the query of the list."""
        return (await self._read_query())[0]

    async def surprise(self, draw: int) -> MovieRow | None:
        """Return one of the good movies of the list, at random; ``None`` for an empty list. ``draw`` is the seed."""
        query, watchlists = await self._read_query()
        row = await self.engine.ask(Requests.surprise, query=query, draw=draw)
        if row is not None:
            row["wanted"] = _letters(row["key"], watchlists)
        return row

    async def compare_list(self, run: Run, limit: int) -> ListComparison:
        """Compare the top of the list with the top of the list that another run on the dataset would make."""
        query, _ = await self._read_query()
        return await self.engine.ask(
            Requests.compare_lists,
            query=query,
            cleaning=run.cleaning,
            checkpoint=str(locations.checkpoint(run.checkpoint)),
            limit=limit,
        )

    async def apply_filter(self, filter_text: str) -> None:
        """Show only movies that match a filter. For an invalid filter, keep the previous one and raise ``Problem``."""
        before, self.view = self.view, replace(self.view, filter_text=" ".join(filter_text.split()))
        try:
            await self._ranked(0, 1)
        except Problem:
            self.view = before
            raise

    async def _drop_missing_lists(self) -> None:
        """Remove the lists that no viewer has any more from the filter."""
        if named := names_in(self.view.filter_text):
            known = await asyncio.to_thread(self._list_names)
            if missing := named - known:
                self.view = replace(self.view, filter_text=without_lists(self.view.filter_text, missing))

    def _list_names(self) -> set[str]:
        return {folded(name) for ref in self.audience.viewers for name, _ in self.store.lists(ref)}

    async def lists(self) -> list[NamedListRow]:
        """Return the named lists of all viewers in alphabetical order; lists of the same name share a row."""
        viewers = self.audience.viewers
        by_viewer = await self._movies.lists(viewers)
        rows: list[NamedListRow] = []
        for name, keys in combined(by_viewer).items():
            having = [ref for ref, lists in zip(viewers, by_viewer, strict=True) if folded(name) in map(folded, lists)]
            rows.append(NamedListRow(name, tuple(having), len(keys)))
        return sorted(rows, key=lambda row: row.name.casefold())

    # Movies and viewers

    async def next_question(self, answers: InterviewAnswers, *, card: bool) -> Question:
        """Return the next question of an interview; the arguments are those of ``Requests.next_question``."""
        viewer = self.audience.rater
        ratings = await self._movies.after_matching(self.audience.viewers, self._movies.same.for_engine, viewer)
        if held := self.held.get(viewer):
            ratings["held"] = [*held.items()]
        return await self.engine.ask(Requests.next_question, viewer=ratings, answers=answers, card=card)

    async def similar(self, movie: str, limit: int) -> list[SimilarMovie]:
        """Return the movies most similar to the movie with this id, without those that a viewer hides."""
        viewers = self.audience.viewers
        hidden = await self._movies.after_matching(viewers, self._movies.hidden, viewers)
        rows, stored = await asyncio.gather(
            self.engine.ask(Requests.similar_movies, movie=movie, limit=limit, hidden=hidden, users=_users(viewers)),
            self._movies.after_matching(viewers, self._movies.rated_and_marked, viewers),
        )
        _set_rated_and_marked(rows, *stored)
        return rows

    async def search(self, words: str) -> SearchResults:
        """Return what matches, as ``Requests.search`` does, and for each movie the viewers' ratings and marks."""
        viewers = self.audience.viewers
        results, stored = await asyncio.gather(
            self.engine.ask(Requests.search, words=words, users=_users(viewers)),
            self._movies.after_matching(viewers, self._movies.rated_and_marked, viewers),
        )
        _set_rated_and_marked(results["movies"], *stored)
        return results

    async def taste(self) -> TasteReport:
        """Return what the viewers like, as ``taste --json`` prints it."""
        viewers = await self._ratings_after_matching()
        return await self.engine.ask(Requests.taste, viewers=viewers)

    async def details(self, movie: str) -> Details:
        """Return the details of a movie, with the predictions for the viewers."""
        return (await self.all_details([movie]))[0]

    async def all_details(self, movies: Sequence[str]) -> list[Details]:
        """Return the details of several movies."""
        viewers = await self._ratings_after_matching()
        return await self.engine.ask(Requests.movie_details, viewers=viewers, movies=list(movies))

    async def given_ratings(self, viewer: ViewerRef) -> list[GivenRating]:
        """Return all ratings of a viewer, each with what the model predicts for the movie now.

        Ratings of movies that the open dataset does not have are included, without a prediction.
        """
        ratings = await self._movies.after_matching((viewer,), self._movies.same.for_engine, viewer)
        rows = await self.engine.ask(Requests.given_ratings, viewer=ratings)
        return await asyncio.to_thread(self._movies.with_stored, viewer, rows)

    # Changes

    async def rate(self, movie: MovieRow | Details | InterviewMovie | GivenRating, stars: float) -> Change:
        """Rate a movie for the viewer who rates next."""
        return await self.changes.rate(self.audience, movie_to_store(movie), stars)

    async def rate_and_rank(self, movie: MovieRow, stars: float, offset: int, limit: int) -> tuple[Change, ListWindow]:
        """Rate a movie for the viewer who rates next, and return the change with a window of the new list.

        The list is ranked while the rating is written to disk. When this returns, both are done.
        """
        if names_in(self.view.filter_text):  # the lists that the filter names are read first
            change = await self.rate(movie, stars)
            return change, await self.ranked(offset, limit, after_rating=True)
        loop = asyncio.get_running_loop()
        read: asyncio.Future[tuple[ListQuery, list[set[str]]]] = loop.create_future()

        def read_query() -> None:
            """Read the query in the thread that writes the rating."""
            try:
                loop.call_soon_threadsafe(_settle, read, self._query(None, anew=True))
            except Exception as error:  # here, it would undo the rating
                loop.call_soon_threadsafe(_settle, read, error)

        async def rank() -> ListWindow:
            return await self._window(*await read, offset, limit, after_rating=True)

        ranking = asyncio.create_task(rank())
        try:
            change = await self.changes.rate(self.audience, movie_to_store(movie), stars, read_query)
        except BaseException as error:
            ranking.cancel()
            await asyncio.gather(ranking, return_exceptions=True)
            if isinstance(error, Exception):  # the engine would compare the next list with one that is never shown
                with contextlib.suppress(Problem):
                    await self._ranked(offset, limit)
            raise
        return change, await ranking

    async def unrate(self, movie: GivenRating) -> Change:
        """Remove a rating of the viewer who rates next. Raises ``Problem`` for a rating that is part of the dataset."""
        change = await self.changes.unrate(self.audience, movie_to_store(movie))
        if change is None:
            assert self.opened is not None
            raise Problem(
                tr(
                    "This rating is part of {dataset}; you can change it but not remove it.",
                    dataset=self.opened["dataset"],
                )
            )
        return change

    async def nudge(self, step: float) -> Change:
        """Change the latest rating by ``step`` stars. Raises ``Problem`` if there is none."""
        return await self.changes.nudge(self.audience.viewers, step)

    async def mark(self, movie: MovieRow | Details, mark: Mark) -> Change:
        """Mark a movie for the viewer who rates next, or remove the mark if the movie has it."""
        return await self.changes.mark(self.audience, movie_to_store(movie), mark)

    def veto(self, movie: MovieRow | Details) -> Veto:
        """Veto a movie of a shared list for the viewer who rates next. Raises ``Problem`` for a list for one viewer."""
        if not self.audience.together:
            raise Problem(tr("Vetoes are for shared lists; to remove a movie from your own list, hide it."))
        veto = Veto(self.audience.rater, movie_to_store(movie))
        self.audience = self.audience.vetoing(veto)
        self.changes.record(veto)
        return veto

    async def undo(self) -> Done | None:
        """Undo the latest change, see ``Changes.undo``, and return it; ``None`` if there is none."""
        done, self.audience = await self.changes.undo(self.audience)
        return done

    async def redo(self) -> Done | None:
        """Redo the change that was undone last, and return it; ``None`` if there is none."""
        done, self.audience = await self.changes.redo(self.audience)
        return done

    async def import_file(
        self, profile: str, path: str, settled: dict[str, str], choices: ImportChoices
    ) -> ImportReport:
        """Import a file into a profile, which is created if it does not exist."""
        report = await self.engine.ask(
            Requests.import_file, profile=profile, path=path, settled=settled, choices=choices
        )
        self.changes.last = None
        if report["changes"]:
            self.changes.record()
        return report


def _settle(future: asyncio.Future[R], result: R | Exception) -> None:
    """Give a future its result or its exception, unless nobody waits for it any more."""
    if future.done():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)


def movie_to_store(movie: MovieRow | Details | InterviewMovie | GivenRating) -> Movie:
    """Convert a movie of the engine to one of the store."""
    return Movie(movie["key"], movie["title"], movie["year"], Ids(*movie.get("ids", ())))


def _users(viewers: Sequence[ViewerRef]) -> list[str]:
    """Return for each viewer the id of a user of the dataset, or empty for a profile."""
    return [ref.id if ref.kind == "user" else "" for ref in viewers]


def _set_rated_and_marked(
    movies: Sequence[SearchedMovie], rated: Sequence[Mapping[str, float]], marked: Sequence[Mapping[str, str]]
) -> None:
    """Set what the viewers stored about movies; a stored rating replaces the one in the dataset."""
    for movie in movies:
        key = movie["key"]
        movie["rated"] = [stored.get(key, stars) for stored, stars in zip(rated, movie["rated"], strict=True)]
        movie["marked"] = [stored.get(key, "") for stored in marked]


def _letters(key: str, watchlists: Sequence[set[str]]) -> str:
    """Return the letters that stand for the viewers whose watchlist contains a movie, such as ``AB``."""
    return "".join(letter for letter, keys in zip(LETTERS, watchlists, strict=False) if key in keys)
