"""What viewers rated and marked, by the keys of the open dataset."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import ParamSpec, TypeVar

from movietui.data.imports.entries import Mark
from movietui.data.problems import Problem
from movietui.protocol.messages import GivenRating
from movietui.protocol.requests import Requests
from movietui.protocol.viewers import ViewerRef
from movietui.state.child_processes import EngineClient
from movietui.store.ratings import NO_IDS, Change, Ids, Movie, Rated, Store, StoredMovie
from movietui.store.same_movies import SameMovies, to_rows

P = ParamSpec("P")
R = TypeVar("R")


class StoredMovies:
    """Reads and writes stored movies, after the engine has matched them with the movies of its dataset."""

    def __init__(self, store: Store, engine: EngineClient) -> None:
        self._store = store
        self._engine = engine
        self.same = SameMovies(store)
        self._recognised_at = store.changed_elsewhere()
        """The result of ``Store.changed_elsewhere`` when ``after_matching`` last looked for unmatched movies."""

    def reset(self) -> None:
        """Forget all matches, because another dataset is open."""
        self.same = SameMovies(self._store)

    async def after_matching(
        self, viewers: Sequence[ViewerRef], function: Callable[P, R], *arguments: P.args, **named: P.kwargs
    ) -> R:
        """Match all movies that these viewers rated or marked, then call a function in a thread; return its result."""
        same = self.same
        done: list[R] = []

        def call_if_matched() -> list[StoredMovie]:
            """Return the movies that have to be matched first; if there are none, call ``function`` right here.

            Usually there are none, and starting a second thread for ``function`` would take time.
            """
            before, self._recognised_at = self._recognised_at, self._store.changed_elsewhere()
            movies = same.unknown(viewers, again=self._recognised_at != before)
            if not movies:
                done.append(function(*arguments, **named))
            return movies

        if movies := await asyncio.to_thread(call_if_matched):
            await self._match(movies)
            return await asyncio.to_thread(function, *arguments, **named)
        return done[0]

    async def _match(self, movies: Sequence[StoredMovie]) -> None:
        """Match movies with those of the dataset."""
        same = self.same
        recognised = await self._engine.ask(Requests.recognise, movies=to_rows(movies))
        with contextlib.suppress(Problem):  # matches that cannot be stored now are requested again
            await asyncio.to_thread(same.learn, movies, recognised)

    async def lists(
        self, viewers: Sequence[ViewerRef], names: Collection[str] | None = None
    ) -> list[dict[str, list[str]]]:
        """Match the movies of viewers' lists, then return ``SameMovies.lists`` of each viewer."""
        same = self.same
        if movies := await asyncio.to_thread(same.unknown_listed, viewers, names):
            await self._match(movies)
        return await asyncio.to_thread(lambda: [same.lists(ref, names) for ref in viewers])

    # To be called in a thread, once the movies are matched

    def hidden(self, viewers: Sequence[ViewerRef]) -> list[str]:
        """Return the keys of the movies that at least one of the viewers hides."""
        return sorted(set[str]().union(*(self.same.marked(ref, "hidden") for ref in viewers)))

    def rated_and_marked(self, viewers: Sequence[ViewerRef]) -> tuple[list[dict[str, float]], list[dict[str, str]]]:
        """Return two lists with an entry for each viewer: the stars of their movies, and the marks, both by key."""
        rated = [dict(self.same.for_engine(ref)["rated"]) for ref in viewers]
        return rated, [self.same.shown_marks(ref) for ref in viewers]

    def rate(self, viewer: ViewerRef, movie: Movie, stars: float, written: Callable[[], object]) -> Change:
        """Rate a movie of the dataset. ``written`` is called when the rating can be read, before it is on disk."""

        def add(change: Change) -> None:
            self.same.add_key(change.movie.key)
            written()

        return self._store.rate(viewer, self.same.stored(viewer, movie), stars, add)

    def unrate(self, viewer: ViewerRef, movie: Movie) -> list[Change]:
        """Remove a movie's ratings under all keys that the viewer rated it under; return the changes, newest last."""
        rated = {key for key, _, _ in self._store.stars(viewer)}
        keys = [key for key in self.same.keys_of(viewer, movie) or [movie.key] if key in rated]
        return [self._store.unrate(viewer, replace(movie, key=key)) for key in keys]

    def with_stored(self, viewer: ViewerRef, rows: Sequence[GivenRating]) -> list[GivenRating]:
        """Return a viewer's ratings from the engine, completed with the times of those that are in the store.

        Ratings of movies that the dataset does not have are added, without a prediction. The ratings that are only in
        the dataset come first, then those in the store, in the order in which they were given. Sorting them by time
        would not give this order, because two times may be equal.
        """
        stored = {rated.movie.key: rated for rated in self._store.ratings(viewer)}
        ranks = {key: rank for rank, key in enumerate(stored)}
        keys = self.same.stored_keys(viewer)
        for row in rows:
            rated = stored.get(keys.get(row["key"], ""))
            if rated is not None:
                row["at"], row["stored"] = rated.at, True
        elsewhere = self.same.rated_elsewhere(viewer)
        ids = self._store.ids([rated.movie.key for rated in elsewhere])
        added = [_elsewhere(rated, ids.get(rated.movie.key, NO_IDS)) for rated in elsewhere]
        return sorted([*rows, *added], key=lambda row: ranks.get(keys.get(row["key"], row["key"]), -1))

    def switch_mark(self, viewer: ViewerRef, movie: Movie, mark: Mark) -> Change:
        """Mark a movie of the dataset, or remove the mark if the movie has it."""
        marked, stored = self.same.marked(viewer, mark), self.same.stored(viewer, movie, mark)
        if movie.key in marked:
            return self._store.unmark(viewer, stored, mark)
        change = self._store.mark(viewer, stored, mark)
        self.same.add_key(change.movie.key)
        return change


def _elsewhere(rated: Rated, ids: Ids) -> GivenRating:
    """Return the rating of a movie that the dataset does not have."""
    movie = rated.movie
    return {
        "id": "",
        "key": movie.key,
        "title": movie.title,
        "year": movie.year,
        "ids": (ids.imdb, ids.tmdb, ids.movielens),
        "stars": rated.stars,
        "predicted": None,
        "at": rated.at,
        "stored": True,
    }
