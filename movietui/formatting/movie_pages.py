"""The addresses of pages about a movie on IMDb, Letterboxd and JustWatch.

``movietui.formatting.escaping`` lists the sites that may be opened. Titles come from outside, so addresses quote them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

from movietui.data.safe_text import strip_controls
from movietui.formatting.escaping import imdb_page
from movietui.protocol.messages import Details

LOCALE_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""The environment variables for language and country. The first that is set counts."""
COUNTRY = "us"
"""The country of JustWatch's pages if the person's country is unknown."""
LONGEST_SEARCH = 200
"""The most characters of a title that are searched for."""


@dataclass(frozen=True)
class Page:
    """A page about a movie."""

    site: str
    address: str
    exact: bool
    """Whether this is the movie's own page rather than a search for its title."""


def link_of(movie: Details) -> str:
    """Return the address of a movie on IMDb; empty if its id is unknown or invalid."""
    return imdb_page(movie["link"])


def pages_of(movie: Details) -> list[Page]:
    """Return a page of each site: the movie's own page if its id is known, else a search for the title.

    JustWatch's page is always a search, because its addresses contain no ids.
    """
    imdb, tmdb = link_of(movie), movie.get("ids", ("", 0, 0))[1]
    words = _words(movie)
    letterboxd = f"imdb/{movie['link']}/" if imdb else f"tmdb/{tmdb}/" if tmdb > 0 else ""
    return [
        Page("JustWatch", f"https://www.justwatch.com/{country(os.environ)}/search?q={quote_plus(words)}", False),
        Page("IMDb", imdb or f"https://www.imdb.com/find/?s=tt&q={quote_plus(_with_year(words, movie))}", bool(imdb)),
        Page(
            "Letterboxd",
            # Letterboxd refuses a slash in a path, even a quoted one.
            f"https://letterboxd.com/{letterboxd}"
            if letterboxd
            else f"https://letterboxd.com/search/films/{quote(_with_year(words, movie).replace('/', ' '), safe='')}/",
            bool(letterboxd),
        ),
    ]


def _words(movie: Details) -> str:
    """Return the title to search for, without the other titles that follow it in parentheses."""
    title = " ".join(strip_controls(movie["title"]).split())
    return title.partition(" (")[0][:LONGEST_SEARCH]


def _with_year(words: str, movie: Details) -> str:
    return f"{words} {movie['year']}" if movie["year"] else words


def country(environment: Mapping[str, str]) -> str:
    """Return the country of JustWatch's pages for the locale: ``at`` for ``de_AT.UTF-8``."""
    chosen = next((environment[name] for name in LOCALE_VARIABLES if environment.get(name)), "")
    match = re.match(r"[a-z]{2,3}_([A-Z]{2})\b", chosen)
    code = match[1].lower() if match else COUNTRY
    return "uk" if code == "gb" else code
