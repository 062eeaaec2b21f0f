"""Maps stored movies to the movies of a dataset, so that ratings, marks and lists count in every dataset.

The store identifies a movie by its key in the dataset in which it was rated. If another dataset has the movie under
another key, the matcher of imports recognises it (``answers.lists.recognise``); for the app, this runs in the engine.
This module remembers the matches for the open dataset, so that each stored movie is matched only once. A key is the
dataset's, unless a docstring calls it a stored key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from movietui.data.imports.entries import Mark
from movietui.data.query.list_conditions import folded
from movietui.protocol.messages import Recognised, StoredMovieRow, ViewerRatings
from movietui.protocol.viewers import ViewerRef
from movietui.store.ratings import SEEN, Ids, Movie, Rated, Store, StoredMovie

SHOWN_MARKS: tuple[Mark, ...] = ("hidden", "watchlist", "seen")
"""The marks that a search shows, the most important one first."""


class SameMovies:
    """The ratings and marks of viewers, by the keys of one dataset."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, Recognised] = {}
        self._described: dict[str, StoredMovie] = {}
        """What was known about each movie when it was recognised."""
        self._cached_keys: dict[ViewerRef, tuple[object, list[str]]] = {}
        self._cached_movies: dict[ViewerRef, tuple[object, dict[str, str]]] = {}
        """The last result for each viewer, with the state that it depends on."""
        self._cached_lists: dict[ViewerRef, tuple[object, dict[str, list[str]]]] = {}
        """The stored keys of the movies of each list that was read, by viewer and name, with the state of the store."""
        self._learned = 0

    def unknown(self, refs: Iterable[ViewerRef], *, again: bool = False) -> list[StoredMovie]:
        """Return the stored movies of viewers that have not been matched yet.

        With ``again``, include movies that the store has learned more about since they were matched.
        """
        keys = {key for ref in refs for key in self._keys(ref)}
        movies = self._store.describe(keys if again else keys - self._known.keys())
        return [movie for movie in movies if self._described.get(movie.key) != movie]

    def unknown_listed(self, refs: Iterable[ViewerRef], names: Collection[str] | None = None) -> list[StoredMovie]:
        """Return the movies of viewers' lists that have not been matched yet; see ``lists`` for ``names``."""
        keys = {key for ref in refs for listed in self._lists(ref, names).values() for key in listed}
        return self._store.describe(keys - self._known.keys())

    def learn(self, movies: Iterable[StoredMovie], recognised: Mapping[str, Recognised]) -> None:
        """Remember matches of stored movies, and store the ids that the matches add."""
        self._described.update((movie.key, movie) for movie in movies)
        self._known.update(recognised)
        self._learned += 1
        self._store.learn_ids({key: ids for key, one in recognised.items() if (ids := Ids(*one["ids"])) != Ids()})

    def add_key(self, key: str) -> None:
        """Record that a movie was rated or marked, and is stored under the dataset's key."""
        if key not in self._known:
            self._known[key] = {"key": key, "sure": True, "ids": ("", 0, 0)}
            self._learned += 1

    def for_engine(self, ref: ViewerRef) -> ViewerRatings:
        """Return a viewer with their ratings and marks, as the engine expects them.

        If a movie has several ratings, the newest counts.
        """
        keys, rated = self._movies(ref), dict[str, tuple[float, int]]()
        for stored_key, stars, moment in self._store.stars(ref):
            if key := keys.get(stored_key):
                rated.pop(key, None)
                rated[key] = stars, moment
        return {
            "kind": ref.kind,
            "id": ref.id,
            "rated": [(key, stars) for key, (stars, _) in rated.items()],
            "rated_at": [moment for _, moment in rated.values()],
            "seen": sorted(self.marked(ref, *SEEN)),
            "hidden": sorted(self.marked(ref, "hidden")),
        }

    def lists(self, ref: ViewerRef, names: Collection[str] | None = None) -> dict[str, list[str]]:
        """Return the keys of the movies of all lists of a viewer, by name.

        ``names`` has the names of the lists to read, as ``folded`` returns them; other lists are returned without
        movies.
        """
        return {name: [*self._joined(keys).values()] for name, keys in self._lists(ref, names).items()}

    def listed_keys(self, ref: ViewerRef, name: str) -> dict[str, str]:
        """Return the keys of the movies of one list, by their stored keys; empty if there is no such list."""
        return self._joined(key for keys in self._lists(ref, {folded(name)}).values() for key in keys)

    def marked(self, ref: ViewerRef, *marks: Mark) -> set[str]:
        """Return the keys of a viewer's movies that have one of the marks."""
        keys = self._movies(ref)
        return {keys[each.movie.key] for each in self._store.marks(ref, *marks) if each.movie.key in keys}

    def shown_marks(self, ref: ViewerRef) -> dict[str, str]:
        """Return the mark to show for each of a viewer's movies, by key; of several, the first of ``SHOWN_MARKS``."""
        return {key: mark for mark in reversed(SHOWN_MARKS) for key in self.marked(ref, mark)}

    def stored(self, ref: ViewerRef, movie: Movie, *marks: Mark) -> Movie:
        """Return a movie of the dataset with the key under which the viewer already has it, if any.

        Of several keys, use the last that ``keys_of`` returns; with ``marks``, the last that has one of these marks, if
        there is one.
        """
        keys = self.keys_of(ref, movie)
        marked = {each.movie.key for each in self._store.marks(ref, *marks)} if marks else set()
        return replace(movie, key=max(keys, key=lambda key: (key in marked, keys.index(key)))) if keys else movie

    def keys_of(self, ref: ViewerRef, movie: Movie) -> list[str]:
        """Return the stored keys of a movie of the dataset for a viewer, in the order of ``Store.movie_keys``."""
        return [stored_key for stored_key, key in self._movies(ref).items() if key == movie.key]

    def rated_elsewhere(self, ref: ViewerRef) -> list[Rated]:
        """Return a viewer's ratings of movies that the dataset does not have."""
        keys = self._movies(ref)
        return [rated for rated in self._store.ratings(ref) if rated.movie.key not in keys]

    def stored_keys(self, ref: ViewerRef) -> dict[str, str]:
        """Return the stored keys of a viewer's movies by the dataset's keys.

        Of several stored keys of a movie, the last in the order of ``Store.movie_keys`` is returned.
        """
        return {key: stored_key for stored_key, key in self._movies(ref).items()}

    def _lists(self, ref: ViewerRef, names: Collection[str] | None) -> dict[str, list[str]]:
        """Return the stored keys of the movies of a viewer's lists, by name; see ``lists``."""
        state = self._store.steps_version()
        if ref not in self._cached_lists or self._cached_lists[ref][0] != state:
            self._cached_lists[ref] = state, {}
        read, lists = self._cached_lists[ref][1], dict[str, list[str]]()
        for name, _ in self._store.lists(ref):
            wanted = names is None or folded(name) in names
            if wanted and name not in read:
                read[name] = [movie.key for movie in self._store.list_named(ref, name).movies]
            lists[name] = read[name] if wanted else []
        return lists

    def _keys(self, ref: ViewerRef) -> list[str]:
        """Return the stored keys of a viewer's movies, in the order of ``Store.movie_keys``."""
        state = self._store.steps_version()
        if ref not in self._cached_keys or self._cached_keys[ref][0] != state:
            self._cached_keys[ref] = state, self._store.movie_keys(ref)
        return self._cached_keys[ref][1]

    def _movies(self, ref: ViewerRef) -> dict[str, str]:
        """Return the dataset's keys of a viewer's movies by their stored keys, in the order of ``_keys``."""
        state = self._learned, self._store.steps_version()
        if ref not in self._cached_movies or self._cached_movies[ref][0] != state:
            self._cached_movies[ref] = state, self._joined(self._keys(ref))
        return self._cached_movies[ref][1]

    def _joined(self, keys: Iterable[str]) -> dict[str, str]:
        """Return the dataset's keys of stored movies, by stored key.

        As in an import, two stored movies are the same movie of the dataset only if both matches are sure.
        """
        known = {key: one for key in keys if (one := self._known.get(key)) and one["key"]}
        sure = {one["key"] for one in known.values() if one["sure"]}
        guesses = Counter(one["key"] for one in known.values() if not one["sure"])
        return {
            key: one["key"]
            for key, one in known.items()
            if one["sure"] or (one["key"] not in sure and guesses[one["key"]] == 1)
        }


def to_rows(movies: Iterable[StoredMovie]) -> list[StoredMovieRow]:
    """Return stored movies as messages."""
    return [
        {
            "key": movie.key,
            "title": movie.title,
            "year": movie.year,
            "ids": {"imdb": movie.ids.imdb, "tmdb": movie.ids.tmdb, "movielens": movie.ids.movielens},
            "aliases": list(movie.aliases),
        }
        for movie in movies
    ]


def from_rows(rows: Iterable[StoredMovieRow]) -> list[StoredMovie]:
    """Return stored movies from the result of ``to_rows``."""
    return [
        StoredMovie(row["key"], row["title"], row["year"], Ids(**row["ids"]), tuple(row["aliases"])) for row in rows
    ]
