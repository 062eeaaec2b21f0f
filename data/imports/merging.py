"""Merges the entries of an export about the same movie, and tells different movies with the same name apart."""

from collections import Counter
from collections.abc import Iterable, Sequence
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from movietui.data.imports.entries import Entry, Mark
from movietui.data.titles import movie_key, title_key, with_year

Hashes = NDArray[np.int64]


def title_year_key(entry: Entry) -> str:
    """Return the key of an entry's title and year; different movies may have the same key."""
    return movie_key(entry.title, entry.year)


def hashes_of(entries: Sequence[Entry]) -> Hashes:
    """Return a hash of each entry, shape (entries,); entries with the same title and year have the same hash.

    Hashes are used because a million keys would need more memory than the entries. Two hashes may be equal by chance.
    """
    return np.fromiter((hash((title_key(entry.title), entry.year)) for entry in entries), np.int64, len(entries))


def _repeats(hashes: Hashes) -> list[list[int]]:
    """Return the positions of all hashes that occur more than once, grouped by hash and ascending in each group."""
    if not len(hashes):
        return []
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    sizes = np.diff(np.r_[starts, len(hashes)])
    several = sizes > 1
    return [
        order[start : start + size].tolist()
        for start, size in zip(starts[several].tolist(), sizes[several].tolist(), strict=True)
    ]


def shared_keys(entries: Sequence[Entry], hashes: Hashes) -> frozenset[str]:
    """Return the keys of title and year that more than one entry has."""
    keys = Counter(title_year_key(entries[index]) for indices in _repeats(hashes) for index in indices)
    return frozenset(key for key, count in keys.items() if count > 1)


def merged(entries: Sequence[Entry], hashes: Hashes | None = None) -> tuple[Entry, ...]:
    """Merge the entries of each movie into one, with the newest rating and all marks; return the movies sorted by time.

    Of two ratings with the same time, the one that comes later in the file counts. If a movie is rated, its mark
    ``seen`` is dropped. Movies with the same title and year but different ids or addresses stay separate. Movies with
    the same time stay in the order in which they first occur. Pass ``hashes`` if the hashes of the entries are already
    computed.
    """
    groups = {indices[0]: indices for indices in _repeats(hashes_of(entries) if hashes is None else hashes)}
    grouped = {index for indices in groups.values() for index in indices}
    movies: list[Entry] = []
    for index, entry in enumerate(entries):
        if index in groups:
            movies += _movies([entries[index] for index in groups[index]])
        elif index not in grouped:
            movies.append(_without_seen(entry) if entry.marks else entry)
    movies.sort(key=_time)
    return tuple(movie._replace(at="") if movie.at.endswith("?") else movie for movie in movies)


_time = attrgetter("at")


def _without_seen(entry: Entry) -> Entry:
    rated = entry.stars is not None and "seen" in entry.marks
    return entry._replace(marks=entry.marks - {"seen"}) if rated else entry


def _movies(entries: Sequence[Entry]) -> list[Entry]:
    """Return the movies of entries with the same hash, which different titles and years may share by chance."""
    by_key: dict[str, list[Entry]] = {}
    for entry in entries:
        by_key.setdefault(title_year_key(entry), []).append(entry)
    return [movie for same_key in by_key.values() for movie in _separate_namesakes(same_key)]


def _separate_namesakes(entries: Sequence[Entry]) -> list[Entry]:
    """Return the movies of entries with the same title and year, told apart by their ids and addresses."""
    groups: dict[tuple[str, int], list[Entry]] = {}
    for entry in entries:
        groups.setdefault((entry.imdb, entry.tmdb), []).append(entry)
    by_id = len([ids for ids in groups if ids != ("", 0)]) > 1
    movies = []
    for (imdb, tmdb), group in groups.items():
        # Entries without an address, such as those of the diary, count as the first movie that has an address.
        addresses = list(dict.fromkeys(entry.qualifier for entry in group if entry.qualifier)) or [""]
        for address in addresses:
            same = [entry for entry in group if (entry.qualifier or addresses[0]) == address]
            movies.append(_merge(same, address * (len(addresses) > 1) or (imdb or str(tmdb or "")) * by_id))
    return movies


def _merge(entries: Sequence[Entry], qualifier: str) -> Entry:
    """Merge the entries of one movie, which gets the given qualifier."""
    ordered = sorted(entries, key=_time)
    last = next((entry for entry in reversed(ordered) if entry.stars is not None), ordered[-1])
    marks = frozenset[Mark]().union(*(entry.marks for entry in entries))
    return last._replace(marks=marks - {"seen"} if last.stars is not None else marks, qualifier=qualifier)


def namesake_labels(entries: Iterable[Entry]) -> list[str]:
    """Return the labels of the movies that have the same title and year as another movie of the export."""
    namesakes = dict.fromkeys((entry.title, entry.year) for entry in entries if entry.qualifier)
    return [with_year(title, year) for title, year in namesakes]
