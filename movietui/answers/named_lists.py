"""Shows and changes the named lists of profiles, and fills them from files and from folders of movie files."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from movietui.answers.import_ratings import OUTCOMES, listed_movies, match_row, settled_keys
from movietui.answers.lists import find_movie, named_profile, same_movies
from movietui.data import catalogue
from movietui.data.imports import export_file, shelf
from movietui.data.imports.entries import Choices, Entry, Export, NamedList
from movietui.data.imports.matching import Matcher, Matches
from movietui.data.language import tr
from movietui.data.near_names import no_such
from movietui.data.problems import Problem
from movietui.data.progress import Report, silent
from movietui.data.query.list_conditions import command, folded
from movietui.data.safe_text import strip_controls
from movietui.data.storage.atomic_files import write_file
from movietui.data.titles import parse_label, title_key, with_year
from movietui.formatting import text
from movietui.formatting.movie_files import FORMATS, FileMovie, FormatName, MovieFile, letterboxd_note
from movietui.protocol.messages import ImportedRow
from movietui.protocol.viewers import ViewerRef
from movietui.store.named_lists import ListEntry, check_list_name, known_name
from movietui.store.ratings import NO_IDS, ListChange, Store

EXPORTED_AS: tuple[FormatName, ...] = ("csv", "letterboxd")
"""The formats of ``export`` in which a list can be written."""
SHELF = "shelf"
"""The default name of a shelf."""


def overview(store: Store, ref: ViewerRef) -> dict[str, Any]:
    """Return the named lists of a profile, as ``list --json`` prints them."""
    return {"profile": ref.id, "lists": [{"name": name, "movies": count} for name, count in store.lists(ref)]}


def show(store: Store, ref: ViewerRef, name: str) -> dict[str, Any]:
    """Return the movies of a named list, as ``list show --json`` prints them. Raises ``Problem`` if there is none."""
    listed = store.list_named(ref, name)
    movies = [{"position": position, **_movie_json(movie)} for position, movie in enumerate(listed.movies, 1)]
    return {"profile": ref.id, "list": listed.name, "movies": movies}


def export(store: Store, ref: ViewerRef, name: str, format_: str, output: Path, *, force: bool) -> dict[str, Any]:
    """Write a list to a file, in one of ``EXPORTED_AS``, and return what ``export --list NAME --json`` prints.

    Raises ``Problem`` if there is no such list, if the file exists and ``force`` is not set, or if it cannot be
    written.
    """
    stored = store.list_named(ref, name)
    known = store.ids([movie.key for movie in stored.movies])
    movies = []
    for movie in stored.movies:
        ids = known.get(movie.key, NO_IDS)
        movies.append(FileMovie(movie.title, movie.year, (ids.imdb, ids.tmdb, ids.movielens), note=movie.note))
    content = FORMATS[cast(FormatName, format_)].write(MovieFile(stored.name, movies)).encode("utf-8")
    write_file(output, content, force=force)
    return {
        "profile": ref.id,
        "list": stored.name,
        "format": format_,
        "output": str(output),
        "movies": [_movie_json(movie) for movie in stored.movies],
        "left_out": 0,
        "note": letterboxd_note(content) if format_ == "letterboxd" else "",
    }


def add(store: Store, dataset: str, profile: str, name: str, titles: Sequence[str]) -> dict[str, Any]:
    """Add movies of a dataset to a list, and return what ``list add --json`` prints.

    The profile and the list are created if they do not exist. Raises ``Problem`` for an unknown movie.
    """
    name = check_list_name(name)
    loaded = catalogue.load(dataset, store.cleaning_of(dataset))
    wanted = {movie.key: movie for movie in (find_movie(loaded, title) for title in titles)}
    ref = store.find_profile(profile) or store.create_profile(profile)
    store.learn_ids({key: movie.ids for key, movie in wanted.items()})
    same = same_movies(store, loaded, [ref], lists={folded(name)}).listed_keys(ref, name)

    def with_wanted(movies: tuple[ListEntry, ...]) -> tuple[ListEntry, ...]:
        there = {same.get(movie.key, movie.key) for movie in movies}
        new = [movie for key, movie in wanted.items() if key not in there]
        return (*movies, *(ListEntry(movie.key, movie.title, movie.year) for movie in new))

    what = _named_movies([with_year(movie.title, movie.year) for movie in wanted.values()])
    return _change_json(ref, store.change_list(ref, name, with_wanted, f"added {what}"))


def remove(store: Store, dataset: str, profile: str, name: str, titles: Sequence[str]) -> dict[str, Any]:
    """Remove movies from a list or, without titles, the whole list; return what ``list remove --json`` prints.

    Raises ``Problem`` if the profile has no such list, or the list no such movie.
    """
    ref = named_profile(store, profile)
    listed = store.list_named(ref, name)
    gone = {_entry(store, dataset, ref, listed.name, listed.movies, title).key for title in titles}

    def without_gone(movies: tuple[ListEntry, ...]) -> tuple[ListEntry, ...]:
        return tuple(movie for movie in movies if movie.key not in gone) if titles else ()

    labels = [with_year(movie.title, movie.year) for movie in listed.movies if movie.key in gone]
    note = f"removed {_named_movies(labels)}" if titles else "removed the list"
    return _change_json(ref, store.change_list(ref, listed.name, without_gone, note))


@dataclass(frozen=True)
class Filled:
    """A list that was filled from a file or folder."""

    profile: str
    matcher: Matcher
    format: str
    """The format of the file, as in ``Export.format``, or ``folder``."""
    source: Path
    matches: Matches
    change: ListChange
    files: int = 0
    """The number of movie files; 0 for a list from a file."""
    ignored: Mapping[str, int] = field(default_factory=dict)
    """The number of ignored movie files, by what they are; see ``Shelf.ignored``."""
    notes: tuple[str, ...] = ()
    """Sentences about what was not read."""

    def head(self) -> dict[str, Any]:
        """Return everything except the matches, as ``list scan --json`` and ``list import --json`` print it."""
        counts = self.matches.counts()
        return {
            **_change_json(None, self.change),
            "profile": self.profile,
            "dataset": self.matcher.dataset.name,
            "format": self.format,
            "source": strip_controls(str(self.source)),
            "files": self.files,
            "ignored": dict(self.ignored),
            "notes": list(self.notes),
            "counts": {outcome: counts[outcome] for outcome in OUTCOMES},
        }

    def rows(self, outcome: str) -> Iterator[ImportedRow]:
        """Yield the titles with an outcome, as ``import --json`` prints them."""
        return (match_row(self.matcher.dataset, match) for match in self.matches.with_outcome(outcome))


def import_list(
    store: Store, profile: str, path: Path, name: str | None, matcher: Matcher, settle: Mapping[str, str] | None = None
) -> Filled:
    """Fill a list with the titles in a file: a list from Letterboxd or IMDb, a table, or text with one title per line.

    The list, by default named as in the file, is replaced if it exists; the profile is created if it does not. Ratings
    in the file are ignored. ``settle`` is that of ``import_file``. Raises ``Problem`` if the file cannot be read, if it
    has no list, or if it has several lists and none of them is called ``name``.
    """
    export = export_file.read(path)
    if not export.lists:
        export = export_file.read(path, Choices(meaning="list"))
    listed = _one_list(path, export, name)
    notes = [tr("Skipped {rows}.", rows=text.plural(export.skipped_count, "row"))] * bool(export.skipped_count)
    if any(entry.stars is not None for entry in listed.entries):
        notes.append(tr("Ratings in the file were not imported; movietui import imports them."))
    note = f"{export.format}: {strip_controls(path.name)}"
    filled = _fill(store, profile, name or listed.name, listed.entries, matcher, settle or {}, note)
    return replace(filled, format=export.format, source=path, notes=tuple(notes))


def scan(
    store: Store,
    profile: str,
    folder: Path,
    name: str | None,
    matcher: Matcher,
    settle: Mapping[str, str] | None = None,
    report: Report = silent,
) -> Filled:
    """Fill a list, by default ``SHELF``, with the movies whose files are in a folder.

    ``folder`` may also be a file: the table of a library, which is read as in ``import_list``. The list is replaced if
    it exists, so movies whose files are gone leave the list, except those in folders that cannot be read. The profile
    is created if it does not exist. ``settle`` is that of ``import_file``. Raises ``Problem`` if the folder cannot be
    read or has no movie.
    """
    if os.path.isfile(folder.expanduser()):
        return import_list(store, profile, folder, name or SHELF, matcher, settle)
    scanned = shelf.read(folder, report)
    note = f"scan of {strip_controls(str(folder))}"
    filled = _fill(store, profile, name or SHELF, scanned.entries, matcher, settle or {}, note, scanned.unread)
    notes = []
    if scanned.unread:
        stayed = sum(_is_inside(movie.note, scanned.unread) for movie in filled.change.stored.movies)
        stay = ""
        if stayed:
            stays = tr("stays") if stayed == 1 else tr("stay")
            stay = tr("; {movies} there {stays} on the list", movies=text.plural(stayed, "movie"), stays=stays)
        notes.append(tr("Could not read {folders}{stay}.", folders=_some(scanned.unread), stay=stay))
    return replace(filled, source=folder, files=scanned.files, ignored=scanned.ignored, notes=tuple(notes))


def _fill(
    store: Store,
    profile: str,
    name: str,
    entries: Sequence[Entry],
    matcher: Matcher,
    settle: Mapping[str, str],
    note: str,
    unread: Collection[str] = (),
) -> Filled:
    """Replace the movies of a list, except those in the folders ``unread``. Each movie will be on the list once."""
    name = check_list_name(name)
    settled = settled_keys(matcher.dataset, {entry.key for entry in entries}, settle)
    matches = matcher.match(entries, {**store.settled(), **settled})
    movies, ids = listed_movies(matcher, matches)
    ref = store.find_profile(profile) or store.create_profile(profile)
    for import_key, key in settled.items():
        store.settle(import_key, key)
    store.learn_ids(ids)

    def replaced(before: tuple[ListEntry, ...]) -> tuple[ListEntry, ...]:
        by_key: dict[str, ListEntry] = {}
        for movie in (*movies, *(movie for movie in before if _is_inside(movie.note, unread))):
            by_key.setdefault(movie.key, movie)
        return tuple(by_key.values())

    return Filled(ref.id, matcher, "folder", Path(), matches, store.change_list(ref, name, replaced, note))


def _one_list(path: Path, export: Export, name: str | None) -> NamedList:
    """Return the only list of a file, or the one with this name. Raises ``Problem`` if there is none."""
    if not export.lists:
        raise Problem(tr("{path} has no list; movietui import imports ratings and watchlists.", path=path))
    if len(export.lists) == 1:
        return export.lists[0]
    names = [each.name for each in export.lists]
    chosen = known_name(name or "", names)
    if chosen is None:
        listed = tr("choose one of {names}; movietui import imports all of them.", names=", ".join(names))
        wrong = tr("{path} has {count} lists", path=path, count=len(names))
        raise no_such(wrong, name or "", names, listed)
    return next(each for each in export.lists if each.name == chosen)


def _is_inside(note: str, folders: Collection[str]) -> bool:
    """Return whether the note of a movie is a path in one of the folders of a shelf."""
    return any(note.startswith(f"{folder}/") for folder in folders)


def _entry(store: Store, dataset: str, ref: ViewerRef, name: str, movies: Sequence[ListEntry], typed: str) -> ListEntry:
    """Return the movie of a list that was typed as a title, or as an id of the dataset.

    Raises ``Problem`` if no movie of the list fits, or several do.
    """
    title, year = parse_label(typed)
    fitting = [
        movie
        for movie in movies
        if title_key(movie.title) == title_key(title) and (not year or movie.year in (0, year))
    ]
    if len(fitting) == 1:
        return fitting[0]
    labels = [with_year(movie.title, movie.year) for movie in fitting or movies]
    if fitting:
        raise Problem(
            tr(
                "{list!r} has several movies called {title!r}: {movies}; add the year.",
                list=name,
                title=typed,
                movies=", ".join(labels),
            )
        )
    with contextlib.suppress(Problem):  # the text is no movie of the dataset either, or there is no dataset
        loaded = catalogue.load(dataset, store.cleaning_of(dataset))
        key = find_movie(loaded, typed).key
        same = same_movies(store, loaded, [ref], lists={folded(name)}).listed_keys(ref, name)
        for movie in movies:
            if same.get(movie.key) == key:
                return movie
    lists = tr("{command} lists its movies.", command=command(ref.id, f"show {shlex.quote(name)}"))
    raise no_such(tr("{list!r} has no movie {title!r}", list=name, title=typed), typed, labels, lists)


def _movie_json(movie: ListEntry) -> dict[str, Any]:
    return {"title": movie.title, "year": movie.year or None, "key": movie.key, "note": movie.note or None}


def _change_json(ref: ViewerRef | None, change: ListChange) -> dict[str, Any]:
    """Return what a change of a list did, as ``--json`` prints it."""
    return {
        "profile": ref.id if ref else "",
        "list": change.stored.name,
        "movies": len(change.stored.movies),
        "added": list(map(_movie_json, change.added)),
        "removed": list(map(_movie_json, change.removed)),
    }


def _named_movies(labels: Sequence[str]) -> str:
    return labels[0] if len(labels) == 1 else text.plural(len(labels), "movie")


def _some(names: Sequence[str]) -> str:
    """Return the first of these folders, and how many more there are, for a sentence."""
    more = tr(" and {folders}", folders=text.plural(len(names) - 3, "more folder")) if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more}"
