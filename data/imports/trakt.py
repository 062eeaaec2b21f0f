"""Trakt's export: lists in JSON, of films among series. What an entry says is told by its fields, not by its file."""

import json
from pathlib import PurePosixPath
from typing import Any

from data.imports.entries import OF_TEN, Entry, Mark, Skipped, to_imdb, to_moment, to_stars, to_title, to_year
from data.imports.tables import Table
from data.problems import Problem

_TIMES: tuple[tuple[str, Mark], ...] = (("last_watched_at", "seen"), ("watched_at", "seen"), ("listed_at", "watchlist"))


def read(place: PurePosixPath, content: bytes) -> Table:
    """Return the films of a list. Raises ``Problem`` where it is none, or a rating is not from 1 to 10."""
    try:
        items = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise Problem(f"{place.name} is damaged or no JSON; name the file as Trakt gave it to you.") from None
    if not isinstance(items, list):
        raise Problem(f"{place.name} is not a list of films; name the zip as Trakt gave it to you.")
    table = Table("trakt", [], [])
    others = 0
    for number, item in enumerate(items, 1):
        film = item.get("movie") if isinstance(item, dict) else None
        if not isinstance(film, dict):
            others += 1
            continue
        at = f"{place.name} entry {number}"
        try:
            entry = _entry(item, film)
        except ValueError as error:
            raise Problem(f"{at}: {error}; is it of another scale?") from None
        if entry is None:
            table.skipped.append(Skipped(at, _text(film.get("title"))[:200], "it has no title"))
        else:
            table.entries.append(entry)
    if others:
        reason = "it is no film" if others == 1 else f"{others:,} entries are no films"
        table.skipped.append(Skipped(place.name, "", reason))
    return table


def _text(value: Any) -> str:
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _entry(item: dict[str, Any], film: dict[str, Any]) -> Entry | None:
    ids = film.get("ids")
    ids = ids if isinstance(ids, dict) else {}
    stars = to_stars(_text(item.get("rating")), OF_TEN)
    nothing: tuple[Any, Mark] = ("", "seen")
    time, mark = next(((item[name], mark) for name, mark in _TIMES if item.get(name)), nothing)
    title = to_title(_text(film.get("title"))[:200])
    if not title:
        return None
    tmdb = ids.get("tmdb")
    return Entry(
        title,
        to_year(_text(film.get("year"))),
        stars,
        frozenset[Mark]() if stars is not None else frozenset({mark}),
        to_moment(_text(item.get("rated_at") or time)),
        imdb=to_imdb(_text(ids.get("imdb"))),
        tmdb=tmdb if isinstance(tmdb, int) and 0 < tmdb < 10**9 else 0,
    )
