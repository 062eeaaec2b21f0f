"""Reads Trakt's export: JSON lists of movies and series.

The fields of an entry, not the name of its file, say whether the movie was rated, watched or put on the watchlist.
"""

from pathlib import PurePosixPath
from typing import Any

from movietui.data.imports.csv_exports import Table
from movietui.data.imports.entries import Entry, Mark, Reading, Skipped
from movietui.data.imports.fields import OF_TEN, to_imdb, to_moment, to_stars, to_title, to_year
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.storage import strict_json

_TIMES: tuple[tuple[str, Mark], ...] = (("last_watched_at", "seen"), ("watched_at", "seen"), ("listed_at", "watchlist"))


def read(path: PurePosixPath, content: bytes, scale: int = 0) -> Table:
    """Return the movies of a JSON list; ``scale`` is the highest rating, or 0 for Trakt's scale of 10.

    Raises ``Problem`` if the content is not a JSON list.
    """
    try:
        items = strict_json.loads(content.decode("utf-8-sig"))
    except ValueError:
        raise Problem(
            tr("{file} is damaged or not JSON; choose the file as you downloaded it from Trakt.", file=path.name)
        ) from None
    if not isinstance(items, list):
        raise Problem(
            tr("{file} is not a list of movies; choose the zip as you downloaded it from Trakt.", file=path.name)
        )
    top = scale or OF_TEN
    table = Table("trakt", reading=Reading(path.name, top, "chosen" if scale else "stated"))
    others = 0
    for number, item in enumerate(items, 1):
        movie = item.get("movie") if isinstance(item, dict) else None
        if not isinstance(movie, dict):
            others += 1
            continue
        at = tr("{file} entry {number}", file=path.name, number=number)
        entry = _entry(item, movie, at, top, table)
        if entry is None:
            table.skipped.add(Skipped(at, _text(movie.get("title"))[:200], tr("it has no title")))
        else:
            table.entries.append(entry)
    if others:
        reason = tr("1 entry is not a movie") if others == 1 else tr("{count:,} entries are not movies", count=others)
        table.skipped.add(Skipped(path.name, "", reason))
    return table


def _text(value: Any) -> str:
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _entry(item: dict[str, Any], movie: dict[str, Any], at: str, top: int, table: Table) -> Entry | None:
    ids = movie.get("ids")
    ids = ids if isinstance(ids, dict) else {}
    nothing: tuple[Any, Mark] = ("", "seen")
    time, mark = next(((item[name], mark) for name, mark in _TIMES if item.get(name)), nothing)
    title = to_title(_text(movie.get("title"))[:200])
    if not title:
        return None
    stars = None
    try:
        stars = to_stars(_text(item.get("rating")), top)
    except ValueError as error:
        table.unread.add(Skipped(at, title, tr("{error}; the movie is imported without it", error=error)))
    tmdb = ids.get("tmdb")
    return Entry(
        title,
        to_year(_text(movie.get("year"))),
        stars,
        frozenset[Mark]() if stars is not None else frozenset({mark}),
        to_moment(_text(item.get("rated_at") or time)),
        imdb=to_imdb(_text(ids.get("imdb"))),
        tmdb=tmdb if isinstance(tmdb, int) and 0 < tmdb < 10**9 else 0,
    )
