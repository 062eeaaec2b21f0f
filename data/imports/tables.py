"""Personal exports that are tables: which service wrote one is told by its header.

| service | columns that tell it | scale |
|---|---|---|
| Letterboxd | ``Letterboxd URI``, ``Name`` | 0.5 to 5 |
| IMDb, in each of its layouts | ``Const`` | 1 to 10 |
| TMDB | ``TMDb ID``, ``Type`` | 1 to 10 |
| MovieLens | ``movie_id``, ``average_rating`` | 0.5 to 5 |
| any other, ours too | ``title``, ``name``, ``movie`` or ``film`` | ``rating``: 0.5 to 5, ``rating10``: 1 to 10 |

Columns are found by their names in any order and case. Fields are parted by commas, semicolons or tabs, and text is
UTF-8, UTF-16 with its mark, or Windows-1252.
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import get_args

from data.imports.entries import (
    OF_FIVE,
    OF_TEN,
    Entry,
    Mark,
    Skipped,
    to_id,
    to_imdb,
    to_moment,
    to_stars,
    to_title,
    to_year,
)
from data.problems import Problem
from data.titles import parse_label, plain, title_key

DELIMITERS = ",;\t"
SERVICES = "Letterboxd, IMDb, Trakt, MovieLens or TMDB"
SERIES = (
    "serie",
    "episod",
    "folge",
    "podcast",
    "game",
    "videospiel",
    "videojuego",
    "videogioco",
    "jeu video",
    "music video",
    "musikvideo",
)
"""What the types of titles that are no films hold, in whichever language; a type that is not known may be a film."""

Row = Mapping[str, str]
"""The fields of a line by the names of their columns, in small letters; absent ones are empty."""


class NoFilm(ValueError):
    """Why a line is left out."""


@dataclass(frozen=True)
class Table:
    """A table that was read."""

    format: str
    entries: list[Entry]
    skipped: list[Skipped]


def read(place: PurePosixPath, content: bytes) -> Table:
    """Return the films of a table, a row each.

    ``place`` is where it lies in its export: Letterboxd and IMDb tell only by its name what some tables are. Raises
    ``Problem`` where it is not a table that is known, or a rating is not on its scale.
    """
    text = _decoded(place, content)
    delimiter, name, read_row = _recognised(place, text)
    table = Table(name, [], [])
    for number, row, wrong in _rows(place, text, delimiter):
        at = f"{place.name} line {number}"
        try:
            if wrong:
                raise NoFilm(wrong)
            entry = read_row(row)
            if not entry.title and not entry.imdb:
                raise NoFilm("it has no title")
            table.entries.append(entry)
        except NoFilm as reason:
            title = row.get("title") or row.get("name") or ""
            table.skipped.append(Skipped(at, " ".join(plain(title).split())[:200], str(reason)))
        except ValueError as error:
            raise Problem(f"{at}: {error}; is it of another scale?") from None
    return table


def _decoded(place: PurePosixPath, content: bytes) -> str:
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    encodings = ("utf-16",) if wide else ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return text
    raise Problem(f"{place.name} is not text in UTF-8 or Windows-1252; name the file as the service gave it to you.")


def _recognised(place: PurePosixPath, text: str) -> tuple[str, str, Callable[[Row], Entry]]:
    """Return the delimiter, the format and what reads a line."""
    head = next((line for line in text.splitlines() if line.strip()), "")
    for delimiter in DELIMITERS:
        columns = frozenset(_names(next(csv.reader([head], delimiter=delimiter), [])))
        for name, told_by, reader in _LAYOUTS:
            if any(told <= columns for told in told_by):
                return delimiter, name, reader(place, columns)
    shown = plain(head[:60])
    raise Problem(
        f"{place.name} begins with {shown!r}, which is no header of {SERVICES}, nor has it a column title; "
        "name the file as the service gave it to you."
    )


def _names(header: list[str]) -> list[str]:
    return [" ".join(name.split()).casefold() for name in header]


def _rows(place: PurePosixPath, text: str, delimiter: str) -> Iterator[tuple[int, Row, str]]:
    """Give the number of each line below the header, its fields, and what is wrong with them."""
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: list[str] = []
    try:
        for fields in lines:
            if not any(field.strip() for field in fields):
                continue
            if not header:
                header = _names(fields)
            else:
                missing = len(header) - len(fields)
                wrong = "" if missing in (0, 1) else f"it has {len(fields)} fields instead of {len(header)}"
                yield lines.line_num, dict(zip(header, [*fields, *[""] * missing], strict=False)), wrong
    except csv.Error as error:
        raise Problem(
            f"{place.name} line {lines.line_num} cannot be read ({error}); name the file as the service gave it to you."
        ) from None


def _title(text: str) -> str:
    try:
        return to_title(text)
    except ValueError as error:
        raise NoFilm(str(error)) from None


def _first(row: Row, *names: str) -> str:
    """The first of the columns that is not empty."""
    return next((found for name in names if (found := row.get(name, "").strip())), "")


def _letterboxd(place: PurePosixPath, columns: frozenset[str]) -> Callable[[Row], Entry]:
    name = place.name.casefold()
    marks: frozenset[Mark]
    if "rating" in columns:
        marks = frozenset({"seen"})
    elif "watchlist" in name:
        marks = frozenset({"watchlist"})
    elif "watched" in name:
        marks = frozenset({"seen"})
    elif name.startswith("films") or "likes" in name:
        marks = frozenset({"liked"})
    else:
        raise Problem(
            f"{place.name} may be films watched, liked or to watch; call it watched.csv, films.csv or watchlist.csv."
        )

    def read_row(row: Row) -> Entry:
        return Entry(
            _title(row["name"]),
            to_year(row.get("year", "")),
            to_stars(row.get("rating", ""), OF_FIVE),
            marks,
            to_moment(_first(row, "watched date", "date")),
        )

    return read_row


def _imdb(place: PurePosixPath, columns: frozenset[str]) -> Callable[[Row], Entry]:
    # A list's file does not say which list it is, so that each is taken for the watchlist.
    listed = "position" in columns and "you rated" not in columns

    def read_row(row: Row) -> Entry:
        kind = title_key(row.get("title type", ""))
        if any(word in kind for word in SERIES):
            raise NoFilm(f"it is no film but of type {plain(row['title type'].strip())}")
        stars = to_stars(_first(row, "your rating", "you rated"), OF_TEN)
        if stars is None and not listed:
            raise NoFilm("it has no rating")
        rated = _first(row, "date rated", "date added", "created")
        return Entry(
            _title(row.get("title", "")),
            to_year(row.get("year", "")),
            stars,
            frozenset({"watchlist"}) if listed else frozenset(),
            to_moment(rated),
            _title(row.get("original title", "")),
            to_imdb(row["const"]),
        )

    return read_row


def _tmdb(place: PurePosixPath, columns: frozenset[str]) -> Callable[[Row], Entry]:
    listed = "watchlist" in place.name.casefold()

    def read_row(row: Row) -> Entry:
        if row["type"].strip().casefold() != "movie":
            raise NoFilm(f"it is no film but of type {plain(row['type'].strip())}")
        stars = to_stars(row.get("your rating", ""), OF_TEN)
        if stars is None and not listed:
            raise NoFilm("it has no rating")
        return Entry(
            _title(row.get("name", "")),
            to_year(row.get("release date", "")),
            stars,
            frozenset({"watchlist"}) if listed else frozenset(),
            to_moment(row.get("date rated", "")),
            imdb=to_imdb(row.get("imdb id", "")),
            tmdb=to_id(row["tmdb id"]),
        )

    return read_row


def _movielens(place: PurePosixPath, columns: frozenset[str]) -> Callable[[Row], Entry]:
    listed = "wish" in place.name.casefold()

    def read_row(row: Row) -> Entry:
        stars = to_stars(row.get("rating", ""), OF_FIVE)
        if stars is None and not listed:
            raise NoFilm("it has no rating")
        title, year = parse_label(_title(row.get("title", "")))
        return Entry(
            title,
            year,
            stars,
            frozenset({"watchlist"}) if listed else frozenset(),
            imdb=to_imdb(row.get("imdb_id", "")),
            tmdb=to_id(row.get("tmdb_id", "")),
            movielens=to_id(row["movie_id"]),
        )

    return read_row


def _plain(place: PurePosixPath, columns: frozenset[str]) -> Callable[[Row], Entry]:
    listed = "watchlist" in place.name.casefold()

    def read_row(row: Row) -> Entry:
        title = _title(_first(row, *_TITLES))
        year = to_year(row.get("year", ""))
        label, year_of_label = parse_label(title)
        if year in (0, year_of_label):
            title, year = label, year_of_label
        ten = to_stars(row.get("rating10", ""), OF_TEN)
        stars = to_stars(_first(row, "rating", "stars", "my rating"), OF_FIVE) if ten is None else ten
        marks = frozenset(mark for mark in get_args(Mark) if mark in row.get("marks", "").casefold().split())
        return Entry(
            title,
            year,
            stars,
            marks or frozenset({"watchlist"} if listed else {"seen"}),
            to_moment(_first(row, "date", "rated_at", "watcheddate", "watched date", "date rated")),
            imdb=to_imdb(_first(row, "imdb_id", "imdbid", "imdb id", "imdb")),
            tmdb=to_id(_first(row, "tmdb_id", "tmdbid", "tmdb id", "tmdb")),
        )

    return read_row


_TITLES = ("title", "name", "movie", "film")
_LAYOUTS: tuple[
    tuple[str, tuple[set[str], ...], Callable[[PurePosixPath, frozenset[str]], Callable[[Row], Entry]]], ...
] = (
    ("letterboxd", ({"letterboxd uri", "name"},), _letterboxd),
    ("imdb", ({"const"},), _imdb),
    ("tmdb", ({"tmdb id", "type"},), _tmdb),
    ("movielens", ({"movie_id", "average_rating"},), _movielens),
    ("csv", tuple({name} for name in _TITLES), _plain),
)
"""The formats by the columns that tell them, the first that fits."""
