"""Exports profiles to files for other services, for spreadsheets, or for people to read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from movietui.answers.import_ratings import entry_json
from movietui.data.imports.entries import Entry
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.storage.atomic_files import write_file
from movietui.data.titles import with_year
from movietui.formatting import movie_files, text
from movietui.formatting.escaping import csv_text, imdb_page
from movietui.formatting.movie_files import (
    FileMovie,
    MovieFile,
    ids_of,
    letterboxd_note,
    rating_text,
    to_letterboxd,
    to_markdown,
    watchlist_file,
)
from movietui.protocol.viewers import ViewerRef
from movietui.store.profile_entries import entries_of
from movietui.store.ratings import Store

_IMDB_COLUMNS = (
    "Const,Your Rating,Date Rated,Title,Original Title,URL,Title Type,IMDb Rating,Runtime (mins),Year,Genres,Num Votes,"
    "Release Date,Directors"
)


@dataclass(frozen=True)
class Format:
    """A way to write the movies of a profile."""

    includes: Callable[[Entry], bool]
    """Whether a movie is written."""
    write: Callable[[str, Sequence[Entry]], str]
    """Takes the name of the profile and its movies, and returns the text of the file."""


def export(store: Store, ref: ViewerRef, format_: str, output: Path, *, force: bool = False) -> dict[str, Any]:
    """Export a profile in one of ``FORMATS`` and return what ``export --json`` prints.

    Raises ``Problem`` if there is nothing to export, if the file exists and ``force`` is not set, or if it cannot be
    written.
    """
    every = entries_of(store, ref)
    movies = [movie for movie in every if FORMATS[format_].includes(movie)]
    if not movies:
        raise Problem(
            tr(
                "{profile} has no movies to export as {format}; rate or mark some first.",
                profile=ref.id,
                format=format_,
            )
        )
    content = FORMATS[format_].write(ref.id, movies).encode("utf-8")
    write_file(output, content, force=force)
    note = letterboxd_note(content) if format_ == "letterboxd" else ""
    return {
        "profile": ref.id,
        "format": format_,
        "output": str(output),
        "movies": [entry_json(movie) for movie in movies],
        "left_out": len(every) - len(movies),
        "note": note,
    }


def shortlist(name: str, result: dict[str, Any]) -> str:
    """Return recommendations for the profile ``name`` as Markdown; ``result`` is what ``lists.recommend`` returned."""
    movies = [movie_files.recommended(movie) for movie in result["movies"]]
    ordered = tr("Ordered by {order}", order=text.ordered_by(result))
    return to_markdown(movie_files.shortlist_file([name], movies, result["dataset"], result["model"], [ordered]))


def _table(header: str, rows: Iterable[Sequence[object]]) -> str:
    return csv_text([header.split(","), *([cell or "" for cell in row] for row in rows)], "\r\n")


def _letterboxd(name: str, movies: Sequence[Entry]) -> str:
    rated = [FileMovie(movie.title, movie.year, ids_of(movie), stars=movie.stars) for movie in movies]
    return to_letterboxd(MovieFile(name, rated))


def _imdb(name: str, movies: Sequence[Entry]) -> str:
    def row(movie: Entry) -> Sequence[object]:
        out_of_ten = round((movie.stars or 0) * 2)
        page = imdb_page(movie.imdb)
        title, date = movie.title, movie.at[:10]
        return (movie.imdb, out_of_ten, date, title, title, page, "Movie", "", "", movie.year, "", "", "", "")

    return _table(_IMDB_COLUMNS, map(row, movies))


def _movielens(name: str, movies: Sequence[Entry]) -> str:
    def row(movie: Entry) -> Sequence[object]:
        label = with_year(movie.title, movie.year)
        return movie.movielens, movie.imdb.removeprefix("tt"), movie.tmdb, rating_text(movie.stars), "", label

    return _table("movie_id,imdb_id,tmdb_id,rating,average_rating,title", map(row, movies))


def _plain(name: str, movies: Sequence[Entry]) -> str:
    return _table(
        "title,year,rating,marks,date,imdb_id,tmdb_id",
        [
            (
                movie.title,
                movie.year,
                rating_text(movie.stars),
                " ".join(sorted(movie.marks)),
                movie.at,
                movie.imdb,
                movie.tmdb,
            )
            for movie in movies
        ],
    )


def _rated(movie: Entry) -> bool:
    return movie.stars is not None


FORMATS = {
    "letterboxd": Format(lambda movie: _rated(movie) or not movie.marks.isdisjoint({"seen", "liked"}), _letterboxd),
    "imdb": Format(_rated, _imdb),
    "movielens": Format(_rated, _movielens),
    "csv": Format(lambda movie: True, _plain),
    "watchlist": Format(
        lambda movie: "watchlist" in movie.marks, lambda name, movies: to_markdown(watchlist_file(name, movies))
    ),
}
"""The formats by name."""
SHORTLIST = "shortlist"
"""The name of one more format, which needs a model; see ``shortlist``."""
