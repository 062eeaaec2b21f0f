"""Brings a person's ratings and lists from elsewhere into their profile, and tells what became of each film."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data.dataset import Dataset
from data.imports.entries import Entry, Export, Mark
from data.imports.files import read
from data.imports.matching import Match, Matcher
from data.problems import Problem
from data.titles import film_key, parse_label, plain
from movietui.store import Film, Given, Ids, Store

NONE = "none"
"""What a film is settled to be where it is none of the dataset's."""
OTHER = "other"
"""Added to the key of a film that has the title and year of another one."""


def bring(
    store: Store,
    name: str,
    path: Path,
    matcher: Matcher,
    settle: Mapping[str, str] | None = None,
    *,
    preview: bool = False,
) -> dict[str, Any]:
    """Import a file into a profile, which is made where it does not exist; as ``import --json`` prints it.

    ``settle`` says which movie of the matcher's dataset, by id or ``none``, a title of the file is; it is remembered.
    A title is named as it is listed, or by its ``key``. Films that the dataset does not have, or that are not settled,
    are kept under their own title: they count as rated and seen, and are exported. A ``preview`` changes nothing.
    """
    export, loaded = read(path), matcher.dataset
    settled = _settled(loaded, export, settle or {})
    found = matcher.match(export.entries, {**store.settled(), **settled})
    told: dict[str, Any] = {
        "profile": name,
        "dataset": loaded.name,
        "format": export.format,
        "preview": preview,
        **{outcome: [] for outcome in ("matched", "ambiguous", "unmatched")},
        "skipped": [{"place": row.place, "title": row.title, "reason": row.reason} for row in export.skipped],
        "changes": 0,
    }
    for match in found:
        told[match.outcome].append(_row(loaded, match))
    if not preview:
        ref = store.find_profile(name) or store.create_profile(name)
        for own, film in settled.items():
            store.settle(own, film)
        step = store.take_in(ref, f"{export.format}: {plain(path.name)}", [_given(matcher, each) for each in found])
        told |= {"profile": ref.id, "changes": len(step.changes) if step else 0}
    return told


def _settled(dataset: Dataset, export: Export, settle: Mapping[str, str]) -> dict[str, str | None]:
    """The keys of films by the keys of the titles that were settled by hand."""
    movies = dataset.movies
    known = {entry.own for entry in export.entries}
    found: dict[str, str | None] = {}
    for label, movie in settle.items():
        own = label if label in known else film_key(*parse_label(label))
        if own not in known:
            raise Problem(f"The file has no film {label!r}; write its title and year as they are listed.")
        if movie != NONE and movie not in movies.row:
            raise Problem(f"{dataset.name} has no movie {movie!r}; take the id from the candidates, or {NONE}.")
        found[own] = None if movie == NONE else movies.keys[movies.row[movie]]
    return found


def _given(matcher: Matcher, match: Match) -> Given:
    """A film as the store takes it: by the key of the movie that it is, with the title that it was brought with."""
    entry, row, movies = match.entry, match.row, matcher.dataset.movies
    ids = Ids(entry.imdb, entry.tmdb, entry.movielens)
    title, year = entry.title or entry.imdb, entry.year
    key = None
    if row is not None:
        links = matcher.links
        ids = Ids(ids.imdb or links.imdb[row], ids.tmdb or links.tmdb[row], ids.movielens or links.movielens[row])
        key = movies.keys[row]
        if not entry.title:
            title, year = movies.titles[row], int(movies.years[row])
    own = film_key(title, year)
    if own != key and own in movies.rows_by_key:  # the key of another film, which this one must not be taken for
        own = f"{own} {entry.imdb or entry.tmdb or OTHER}"
    marks: tuple[Mark, ...] = tuple(sorted(entry.marks))
    return Given(Film(key or own, title, year), own, entry.stars, marks, entry.at, ids)


def film_json(entry: Entry) -> dict[str, Any]:
    """Return a film of a profile as JSON-able values; what is not known is null."""
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


def _row(dataset: Dataset, match: Match) -> dict[str, Any]:
    movies = dataset.movies

    def movie(row: int) -> dict[str, Any]:
        return {"id": movies.ids[row], "title": movies.titles[row], "year": int(movies.years[row]) or None}

    row = {**film_json(match.entry), "key": match.entry.own}
    if match.row is not None:
        return {**row, "by": match.way, "movie": movie(match.row)}
    row["reason"] = match.reason
    if match.candidates:
        row["candidates"] = [movie(candidate) for candidate in match.candidates]
    return row
