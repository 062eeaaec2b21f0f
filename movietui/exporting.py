"""Writes what a profile has to a file: for other services, for a spreadsheet, or to be read."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from data.imports.entries import Entry
from data.problems import Problem
from data.titles import plain
from movietui import text
from movietui.files import RUN_BY_SPREADSHEETS, write_file
from movietui.importing import film_json
from movietui.store import Ids, Store
from movietui.viewers import ViewerRef

LETTERBOXD_LIMIT = 1_000_000
"""Bytes of a file that Letterboxd imports."""
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~&])")
_IMDB_COLUMNS = (
    "Const,Your Rating,Date Rated,Title,Original Title,URL,Title Type,IMDb Rating,Runtime (mins),Year,Genres,Num Votes,"
    "Release Date,Directors"
)


@dataclass(frozen=True)
class Format:
    """A way to write the films of a profile."""

    wants: Callable[[Entry], bool]
    """Which films are written."""
    write: Callable[[str, Sequence[Entry]], str]
    """Makes the file, of the profile's name and its films."""


def films_of(store: Store, ref: ViewerRef) -> list[Entry]:
    """Return all that a profile has rated or marked, in the order given, with what imports said about their ids."""
    ids = store.ids()
    films: dict[str, Entry] = {}
    for rated in store.ratings(ref):
        film, known = rated.film, ids.get(rated.film.key, Ids())
        films[film.key] = Entry(
            film.title, film.year, rated.stars, at=rated.at, imdb=known.imdb, tmdb=known.tmdb, movielens=known.movielens
        )
    for marked in store.marks(ref):
        film, known = marked.film, ids.get(marked.film.key, Ids())
        entry = films.get(film.key) or Entry(
            film.title, film.year, at=marked.at, imdb=known.imdb, tmdb=known.tmdb, movielens=known.movielens
        )
        films[film.key] = replace(entry, marks=entry.marks | {marked.mark})
    return list(films.values())


def export(store: Store, ref: ViewerRef, format_: str, output: Path, *, force: bool = False) -> dict[str, Any]:
    """Write what a profile has in one of ``FORMATS``; as ``export --json`` prints it.

    Raises ``Problem`` where there is nothing to write, or the file is there already and not to be replaced.
    """
    every = films_of(store, ref)
    films = [film for film in every if FORMATS[format_].wants(film)]
    if not films:
        raise Problem(f"{ref.id} has no films for a file of format {format_}; rate or mark some first.")
    content = FORMATS[format_].write(ref.id, films).encode("utf-8")
    write_file(output, content, force=force)
    note = ""
    if format_ == "letterboxd" and len(content) > LETTERBOXD_LIMIT:
        note = f"Letterboxd takes at most {LETTERBOXD_LIMIT:,} bytes at once; cut the file in parts."
    return {
        "profile": ref.id,
        "format": format_,
        "output": str(output),
        "films": [film_json(film) for film in films],
        "left_out": len(every) - len(films),
        "note": note,
    }


def shortlist(name: str, found: dict[str, Any]) -> str:
    """Return what ``recommend`` found for somebody as Markdown."""
    lines = [f"# What {escaped(name)} may like", ""]
    lines += [f"From {escaped(found['dataset'])}, by the model {escaped(found['model'])}.", ""]
    for movie in found["movies"]:
        best = max(movie["why"], key=lambda why: why["share"], default=None)
        why = f", because of {escaped(best['title'])}" if best and best["share"] > 0 else ""
        stars = f"{text.number_of_stars(movie['stars'])} ± {movie['uncertainty']:.1f}"
        lines.append(f"{movie['rank']}. {_labelled(movie['title'], movie['year'] or 0)}: {stars}{why}")
    return "\n".join(lines) + "\n"


def escaped(words: str) -> str:
    """Return text that Markdown shows as it is."""
    return _MARKDOWN.sub(r"\\\1", " ".join(plain(words).split()))


def _labelled(title: str, year: int) -> str:
    return escaped(title) + (f" \\({year}\\)" if year else "")


def _watchlist(name: str, films: Sequence[Entry]) -> str:
    def linked(film: Entry) -> str:
        label = _labelled(film.title, film.year)
        return f"[{label}](https://www.imdb.com/title/{film.imdb}/)" if film.imdb else label

    return "\n".join([f"# Watchlist of {escaped(name)}", "", *(f"- {linked(film)}" for film in films)]) + "\n"


def _table(header: str, rows: Iterable[Sequence[object]], end: str = "\r\n") -> str:
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator=end)
    writer.writerow(header.split(","))
    writer.writerows([[_safe(str(cell)) if cell else "" for cell in row] for row in rows])
    return lines.getvalue()


def _safe(cell: str) -> str:
    cell = plain(cell)
    return f"'{cell}" if cell.startswith(RUN_BY_SPREADSHEETS) else cell


def _halves(film: Entry) -> str:
    return f"{film.stars:.1f}" if film.stars is not None else ""


def _letterboxd(name: str, films: Sequence[Entry]) -> str:
    return _table(
        "tmdbID,imdbID,Title,Year,Rating",
        [(film.tmdb, film.imdb, film.title, film.year, _halves(film)) for film in films],
    )


def _imdb(name: str, films: Sequence[Entry]) -> str:
    def row(film: Entry) -> Sequence[object]:
        url = f"https://www.imdb.com/title/{film.imdb}/" if film.imdb else ""
        ten = round((film.stars or 0) * 2)
        return (film.imdb, ten, film.at[:10], film.title, film.title, url, "Movie", "", "", film.year, "", "", "", "")

    return _table(_IMDB_COLUMNS, map(row, films))


def _movielens(name: str, films: Sequence[Entry]) -> str:
    def row(film: Entry) -> Sequence[object]:
        label = f"{film.title} ({film.year})" if film.year else film.title
        return film.movielens, film.imdb.removeprefix("tt"), film.tmdb, _halves(film), "", label

    return _table("movie_id,imdb_id,tmdb_id,rating,average_rating,title", map(row, films))


def _plain(name: str, films: Sequence[Entry]) -> str:
    return _table(
        "title,year,rating,marks,date,imdb_id,tmdb_id",
        [
            (film.title, film.year, _halves(film), " ".join(sorted(film.marks)), film.at, film.imdb, film.tmdb)
            for film in films
        ],
    )


def _rated(film: Entry) -> bool:
    return film.stars is not None


FORMATS = {
    "letterboxd": Format(lambda film: _rated(film) or not film.marks.isdisjoint({"seen", "liked"}), _letterboxd),
    "imdb": Format(_rated, _imdb),
    "movielens": Format(_rated, _movielens),
    "csv": Format(lambda film: True, _plain),
    "watchlist": Format(lambda film: "watchlist" in film.marks, _watchlist),
}
"""The formats by name; the shortlist, which needs a model, is a file of its own."""
SHORTLIST = "shortlist"
