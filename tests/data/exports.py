"""Builds the content of invented personal exports, in every layout that the services have used."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

LETTERBOXD = {
    "ratings.csv": "Date,Name,Year,Letterboxd URI,Rating",
    "watched.csv": "Date,Name,Year,Letterboxd URI",
    "watchlist.csv": "Date,Name,Year,Letterboxd URI",
    "likes/films.csv": "Date,Name,Year,Letterboxd URI",
    "diary.csv": "Date,Name,Year,Letterboxd URI,Rating,Rewatch,Tags,Watched Date",
    "reviews.csv": "Date,Name,Year,Letterboxd URI,Rating,Rewatch,Review,Tags,Watched Date",
}
IMDB = {
    "now": "Const,Your Rating,Date Rated,Title,Original Title,URL,Title Type,IMDb Rating,Runtime (mins),Year,Genres,"
    "Num Votes,Release Date,Directors",
    "earlier": "Const,Your Rating,Date Rated,Title,URL,Title Type,IMDb Rating,Runtime (mins),Year,Genres,Num Votes,"
    "Release Date,Directors",
    "2017": "Const,Your Rating,Date Added,Title,Title Type,Directors,IMDb Rating,Runtime (mins),Year,Genres,Num Votes",
    "oldest": "position,const,created,modified,description,Title,Title type,Directors,You rated,IMDb Rating,"
    "Runtime (mins),Year,Genres,Num. Votes,Release Date (month/day/year),URL",
}
IMDB_LIST = (
    "Position,Const,Created,Modified,Description,Title,Original Title,URL,Title Type,IMDb Rating,Runtime (mins),Year,"
    "Genres,Num Votes,Release Date,Directors,Your Rating,Date Rated"
)
MOVIELENS = "movie_id,imdb_id,tmdb_id,rating,average_rating,title"
TMDB = "TMDb ID,IMDb ID,Type,Name,Release Date,Season Number,Episode Number,Rating,Your Rating,Date Rated"


def table(header: str, rows: Sequence[Mapping[str, Any]], end: str = "\n") -> bytes:
    """Return a CSV table; each row maps lower-case column names to values, and missing cells are empty."""
    names = [name.strip().casefold() for name in header.split(",")]
    lines = [header, *(",".join(_cell(row.get(name, "")) for name in names) for row in rows)]
    return "".join(line + end for line in lines).encode("utf-8")


def _cell(value: object) -> str:
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if any(character in text for character in ',"\n;') else text


def letterboxd(**rows: Sequence[Mapping[str, Any]]) -> dict[str, bytes]:
    """Return the tables of a Letterboxd export, by path.

    ``rows`` has the rows of each table by the first part of its path without ``.csv``, such as ``likes``. A table
    that ``rows`` lacks is left out.
    """
    return {
        name: table(header, rows[key])
        for name, header in LETTERBOXD.items()
        if (key := name.partition("/")[0].removesuffix(".csv")) in rows
    }


def letterboxd_row(
    name: str, year: int | str, rating: object = "", date: str = "2020-01-05", **more: object
) -> dict[str, Any]:
    """Return a row of a Letterboxd table."""
    return {"name": name, "year": year, "rating": rating, "date": date, "letterboxd uri": "https://boxd.it/1", **more}


def imdb_row(
    const: str, rating: object, title: str, year: object, kind: str = "Movie", **more: object
) -> dict[str, Any]:
    """Return a row that fits each layout of the tables that IMDb has exported."""
    return {
        "const": const,
        "your rating": rating,
        "you rated": rating,
        "title": title,
        "original title": title,
        "title type": kind,
        "year": year,
        "date rated": "2019-03-02",
        "date added": "2019-03-02",
        "created": "Sat Mar  2 00:00:00 2019",
        "genres": "Crime, Drama",
        **more,
    }


def trakt(items: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the content of a file of a Trakt export."""
    return json.dumps(items).encode("utf-8")


def trakt_entry(title: str, year: int | None, **more: object) -> dict[str, Any]:
    """Return one movie in a file of a Trakt export."""
    ids = {"trakt": 1, "slug": "x", "imdb": more.pop("imdb", None), "tmdb": more.pop("tmdb", None)}
    return {"type": "movie", "movie": {"title": title, "year": year, "ids": ids}, **more}
