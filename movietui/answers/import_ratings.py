"""Imports ratings and lists from other services into a profile, and reports the outcome for each movie."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from movietui.answers.datasets import newer
from movietui.answers.lists import same_movies
from movietui.data.dataset import Dataset
from movietui.data.imports.entries import LONGEST_LIST_NAME, Choices, Entry, Export, NamedList, Reading, Skipped
from movietui.data.imports.export_file import read
from movietui.data.imports.matching import Match, Matcher, Matches
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.safe_text import strip_controls
from movietui.data.titles import movie_key, parse_label
from movietui.formatting import newer_datasets
from movietui.protocol.messages import (
    EntryRow,
    ImportedRow,
    ImportReport,
    ImportSummary,
    MovieChoice,
    NewerDataset,
    NewerForImport,
    ReadTable,
    SkippedRow,
)
from movietui.store.named_lists import ListEntry, StoredList
from movietui.store.ratings import NO_IDS, Ids, ImportedMovie, Movie, Store

NONE = "none"
"""What the user gives instead of an id for a title that is not a movie of the dataset."""
OTHER = "other"
"""Added to the key of an imported movie that another movie of the dataset has, if the imported one has no id."""
OUTCOMES = ("matched", "ambiguous", "unmatched")
FIRST = 1000
"""How many movies of each outcome a report to the app contains, at most."""


@dataclass(frozen=True)
class Imported:
    """What an import did, or would do."""

    profile: str
    dataset: Dataset
    export: Export
    matches: Matches
    preview: bool
    changes: int = 0
    stayed: int = 0
    """The number of ratings that differ from the file but were kept."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """The number of movies of each of the ``OUTCOMES``."""
    newer: NewerDataset | None = None
    """A dataset with movies that are newer than ``dataset``; see ``movietui.answers.datasets.newer``."""

    def head(self) -> ImportSummary:
        """Return everything except the movies, as ``import --json`` prints it."""
        export = self.export
        return {
            "profile": self.profile,
            "dataset": self.dataset.name,
            "format": export.format,
            "preview": self.preview,
            "tables": [reading_json(reading) for reading in export.readings],
            "asks": any(reading.is_unclear for reading in export.readings),
            "notes": _notes(export),
            "lists": [{"name": each.name, "movies": len(each.entries)} for each in export.lists],
            "counts": {**self.counts, "skipped": export.skipped_count, "unread": export.unread_count},
            "skipped": list(map(_skipped_json, export.skipped)),
            "unread": list(map(_skipped_json, export.unread)),
            "changes": self.changes,
            "stayed": self.stayed,
            "newer": self._newer_with_commands(),
        }

    def _newer_with_commands(self) -> NewerForImport | None:
        if self.newer is None:
            return None
        return {**self.newer, "commands": newer_datasets.commands(self.newer, self.profile)}

    def rows(self, outcome: str) -> Iterator[ImportedRow]:
        """Yield the movies with an outcome, as ``import --json`` prints them."""
        return (match_row(self.dataset, match) for match in self.matches.with_outcome(outcome))

    def to_json(self, first: int | None = None) -> ImportReport:
        """Return what ``import --json`` prints; with ``first``, at most that many movies of each outcome."""
        matched, ambiguous, unmatched = (list(itertools.islice(self.rows(outcome), first)) for outcome in OUTCOMES)
        return {**self.head(), "matched": matched, "ambiguous": ambiguous, "unmatched": unmatched}


def import_file(
    store: Store,
    name: str,
    path: Path,
    matcher: Matcher,
    settle: Mapping[str, str] | None = None,
    choices: Choices | None = None,
    *,
    preview: bool = False,
) -> Imported:
    """Import a file into a profile, which is created if it does not exist.

    ``settle`` maps titles in the file, or their keys, to ids of movies of the matcher's dataset or to ``none``; these
    matches are stored. ``choices`` say how to read the file. Movies that are ambiguous or not in the dataset are stored
    as well, under their titles in the file, so exports contain them. A ``preview`` stores nothing. Raises ``Problem``
    for a file that cannot be read, and for a title or an id that does not exist.
    """
    loaded = matcher.dataset
    with _without_garbage_collection():
        export = read(path, choices)
        keys = {
            entry.key for entries in (export.entries, *(each.entries for each in export.lists)) for entry in entries
        }
        settled = settled_keys(loaded, keys if settle else (), settle or {})
        decided = {**store.settled(), **settled}
        matches = matcher.match(export.entries, decided)
        counts = matches.counts()
        imported = Imported(
            name,
            loaded,
            export,
            matches,
            preview,
            counts={outcome: counts[outcome] for outcome in OUTCOMES},
            newer=newer(store, loaded, [match.entry.year for match in matches]),
        )
        if preview:
            return imported
        ref = store.find_profile(name) or store.create_profile(name)
        for import_key, key in settled.items():
            store.settle(import_key, key)
        stored_keys = same_movies(store, loaded, [ref], matcher).stored_keys(ref)
        imported_movies = (_as_stored(_imported_movie(matcher, match), stored_keys) for match in matches)
        lists = []
        for each in _each_named(export.lists):
            listed, ids = listed_movies(matcher, matcher.match(each.entries, decided))
            lists.append(StoredList(each.name, listed))
            store.learn_ids(ids)
        result = store.import_movies(ref, f"{export.format}: {strip_controls(path.name)}", imported_movies, lists)
        changes, stayed = (result.changes, result.stayed) if result else (0, 0)
        return replace(imported, profile=ref.id, changes=changes, stayed=stayed)


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Turn off garbage collection: it would scan up to a million movies again and again, and find nothing to free."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


def settled_keys(dataset: Dataset, import_keys: Collection[str], settle: Mapping[str, str]) -> dict[str, str | None]:
    """Return which movies the user chose for titles: the dataset's keys by import key, with ``None`` for no movie.

    ``settle`` is that of ``import_file``. ``import_keys`` are the keys of the titles that were read. Raises ``Problem``
    if a title was not read, or a movie is not in the dataset.
    """
    movies = dataset.movies
    keys: dict[str, str | None] = {}
    for label, movie in settle.items():
        import_key = label if label in import_keys else movie_key(*parse_label(label))
        if import_key not in import_keys:
            raise Problem(tr("There is no title {title!r} in the file or folder; write it as listed.", title=label))
        if movie != NONE and movie not in movies.row:
            raise Problem(
                tr(
                    "{dataset} has no movie {movie!r}; use an id from the candidates, or {none}.",
                    dataset=dataset.name,
                    movie=movie,
                    none=NONE,
                )
            )
        keys[import_key] = None if movie == NONE else movies.keys[movies.row[movie]]
    return keys


def _imported_movie(matcher: Matcher, match: Match) -> ImportedMovie:
    """Return a movie for the store, with the title in the file and, if it is matched, the key of its match."""
    entry, row, movies = match.entry, match.row, matcher.dataset.movies
    ids = Ids(entry.imdb, entry.tmdb, entry.movielens) if entry.imdb or entry.tmdb or entry.movielens else NO_IDS
    title, year = entry.title or entry.imdb, entry.year
    key = None
    if row is not None:
        links = matcher.links
        ids = Ids(ids.imdb or links.imdb[row], ids.tmdb or links.tmdb[row], ids.movielens or links.movielens[row])
        key = movies.keys[row]
        if not entry.title:
            title, year = movies.titles[row], int(movies.years[row])
    import_key = entry.key if entry.title else movie_key(title, year)
    if import_key != key and import_key in movies.rows_by_key:  # another movie of the dataset has this key
        import_key = f"{import_key} {entry.imdb or entry.tmdb or OTHER}"
    marks = tuple(sorted(entry.marks)) if entry.marks else ()
    movie = Movie(key or import_key, title, year)
    return ImportedMovie(movie, import_key, entry.stars, marks, entry.at, ids, key is None)


def _as_stored(imported: ImportedMovie, stored_keys: Mapping[str, str]) -> ImportedMovie:
    """Return a movie with the key that the profile already uses for it, if any.

    ``stored_keys`` has the keys that the profile uses, by the dataset's keys.
    """
    key = stored_keys.get(imported.movie.key) if stored_keys else None
    return imported._replace(movie=replace(imported.movie, key=key)) if key else imported


def _each_named(lists: Iterable[NamedList]) -> Iterator[NamedList]:
    """Yield the lists; of several with the same name, all but the first get a number after it."""
    used: set[str] = set()
    for each in lists:
        endings = itertools.chain([""], (f" {number}" for number in itertools.count(2)))
        names = (each.name[: LONGEST_LIST_NAME - len(ending)] + ending for ending in endings)
        name = next(name for name in names if name not in used)
        used.add(name)
        yield NamedList(name, each.entries)


def listed_movies(matcher: Matcher, matches: Iterable[Match]) -> tuple[tuple[ListEntry, ...], dict[str, Ids]]:
    """Return the movies of a list for the store, each matched one with the key of its match, and their ids by key.

    The store needs the ids to match the movies with those of another dataset.
    """
    movies, ids = [], {}
    for match in matches:
        imported = _imported_movie(matcher, match)
        movie = imported.movie
        movies.append(ListEntry(movie.key, movie.title, movie.year, match.entry.note))
        if imported.ids != NO_IDS:
            ids[movie.key] = imported.ids
    return tuple(movies), ids


def _notes(export: Export) -> list[str]:
    """Return sentences that the user should read before confirming the import."""
    notes = [note for reading in export.readings for note in reading.notes]
    for label in export.namesakes[:5]:
        notes.append(tr("{movie} appears more than once, with different links; kept as different movies.", movie=label))
    for reading in export.readings:
        if reading.is_unclear:
            notes.append(_unclear_note(reading))
    return notes


def _unclear_note(reading: Reading) -> str:
    unread = tr(" Ignored columns: {columns}.", columns=", ".join(reading.not_read)) if reading.not_read else ""
    return tr(
        "{file} does not say whether you have seen its movies, so they become a list; use --as seen or --as "
        "watchlist to change that.{unread}",
        file=reading.file,
        unread=unread,
    )


def reading_json(reading: Reading) -> ReadTable:
    """Return how a table was read, as ``import --json`` prints it."""
    return {
        "file": reading.file,
        "scale": reading.scale or None,
        "scale_by": reading.scale_by or None,
        "columns": dict(reading.read),
        "not_read": list(reading.not_read),
        "meaning": reading.meaning or None,
        "asks": reading.is_unclear,
    }


def _skipped_json(row: Skipped) -> SkippedRow:
    return {"location": row.location, "title": row.title, "reason": row.reason}


def entry_json(entry: Entry) -> EntryRow:
    """Return a movie of a profile, as ``export --json`` prints it."""
    return {
        "title": entry.title,
        "year": entry.year or None,
        "stars": entry.stars,
        "marks": sorted(entry.marks),
        "at": entry.at or None,
        "imdb": entry.imdb or None,
        "tmdb": entry.tmdb or None,
        "movielens": entry.movielens or None,
    }


def _choice(dataset: Dataset, row: int) -> MovieChoice:
    return cast(MovieChoice, dataset.movies.to_json(row))


def match_row(dataset: Dataset, match: Match) -> ImportedRow:
    """Return an imported movie and what it matches, as ``import --json`` prints it."""
    row = cast(ImportedRow, {**entry_json(match.entry), "key": match.entry.key})
    if match.row is not None:
        row["by"], row["movie"] = match.way, _choice(dataset, match.row)
        return row
    row["reason"] = match.reason
    if match.candidates:
        row["candidates"] = [_choice(dataset, candidate) for candidate in match.candidates]
    return row
