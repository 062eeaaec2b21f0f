"""The movies of a profile as exports contain them: each once, with its rating, marks and ids."""

from __future__ import annotations

from collections.abc import Iterable

from movietui.data.imports.entries import Entry
from movietui.protocol.viewers import ViewerRef
from movietui.store.ratings import Ids, Movie, Store


def entries_of(store: Store, ref: ViewerRef) -> list[Entry]:
    """Return the movies that a viewer rated, and then those that they only marked, each once, with the known ids."""
    ids = store.ids()

    def entry(movie: Movie, at: str, stars: float | None = None) -> Entry:
        known = ids.get(movie.key, Ids())
        return Entry(movie.title, movie.year, stars, at=at, imdb=known.imdb, tmdb=known.tmdb, movielens=known.movielens)

    entries = {rated.movie.key: entry(rated.movie, rated.at, rated.stars) for rated in store.ratings(ref)}
    for marked in store.marks(ref):
        before = entries.get(marked.movie.key) or entry(marked.movie, marked.at)
        entries[marked.movie.key] = before._replace(marks=before.marks | {marked.mark})
    return _each_once(entries.values())


def _each_once(movies: Iterable[Entry]) -> list[Entry]:
    """Merge movies that have the same id because they were rated in different datasets.

    The newest rating counts. The merged movie takes the position of the last of these movies.
    """
    merged: dict[object, Entry] = {}
    for movie in movies:
        identity = movie.imdb or movie.tmdb or movie
        before = merged.pop(identity, movie)
        newest = movie if movie.stars is not None else before
        merged[identity] = newest._replace(marks=movie.marks | before.marks)
    return list(merged.values())
