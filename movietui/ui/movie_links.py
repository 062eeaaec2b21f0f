"""A movie's pages at IMDb, Letterboxd and JustWatch: their addresses, opened in a browser or copied.

``movietui.formatting.escaping`` names the sites that may be opened. Titles are text from outside and quoted here.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from movietui.data.safe_text import strip_controls
from movietui.formatting import text
from movietui.formatting.escaping import imdb_page
from movietui.protocol.messages import Details

if TYPE_CHECKING:
    from movietui.ui.app import MovieTui

SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
"""Environment variables of which one is set if a browser can open a window."""
LOCALES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""Environment variables for the language and country, the first that is set counts."""
COUNTRY = "us"
"""The country of JustWatch's pages where the person's is unknown."""
LONGEST_SEARCH = 200
"""The most characters of a title that are searched for."""


@dataclass(frozen=True)
class Page:
    """A page about a movie."""

    site: str
    address: str
    exact: bool
    """Whether it is the movie's own page, not a search for its title."""


def link_of(movie: Details) -> str:
    """Return the address of a movie on IMDb; empty if its id is unknown or invalid."""
    return imdb_page(movie["link"])


def pages_of(movie: Details) -> list[Page]:
    """Return where to read about a movie and where to watch it: its own page if its id is known, else a search.

    Only JustWatch says where a movie can be watched, and it has no address by id.
    """
    imdb, tmdb = link_of(movie), movie.get("ids", ("", 0, 0))[1]
    words = _words(movie)
    letterboxd = f"imdb/{movie['link']}/" if imdb else f"tmdb/{tmdb}/" if tmdb > 0 else ""
    return [
        Page("JustWatch", f"https://www.justwatch.com/{country(os.environ)}/search?q={quote_plus(words)}", False),
        Page("IMDb", imdb or f"https://www.imdb.com/find/?s=tt&q={quote_plus(_with_year(words, movie))}", bool(imdb)),
        Page(
            "Letterboxd",
            # A slash in a path is refused even if it is quoted.
            f"https://letterboxd.com/{letterboxd}"
            if letterboxd
            else f"https://letterboxd.com/search/films/{quote(_with_year(words, movie).replace('/', ' '), safe='')}/",
            bool(letterboxd),
        ),
    ]


def _words(movie: Details) -> str:
    """Return the title as a search finds it: without its other titles, which follow in parentheses."""
    title = " ".join(strip_controls(movie["title"]).split())
    return title.partition(" (")[0][:LONGEST_SEARCH]


def _with_year(words: str, movie: Details) -> str:
    return f"{words} {movie['year']}" if movie["year"] else words


def country(environment: Mapping[str, str]) -> str:
    """Return the country of JustWatch's pages for the locale: ``at`` for ``de_AT.UTF-8``."""
    chosen = next((environment[name] for name in LOCALES if environment.get(name)), "")
    match = re.match(r"[a-z]{2,3}_([A-Z]{2})\b", chosen)
    code = match[1].lower() if match else COUNTRY
    return "uk" if code == "gb" else code


def has_browser(app: MovieTui) -> bool:
    """Return whether a page can be opened: in a window of this machine, or in the browser that shows the app."""
    return app.is_web or sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in SCREENS)


def copy(app: MovieTui, movie: Details) -> None:
    """Copy a movie's title, year and address, as far as they are known, and show a notice."""
    words = f"{text.movie_title(movie)} {link_of(movie)}".rstrip()
    app.copy_to_clipboard(words)
    app.show_notice(f"Copied: {words}")


def open_page(app: MovieTui, page: Page) -> None:
    """Open a page; without a browser, copy its address."""
    if has_browser(app):
        app.open_url(page.address)
        app.show_notice(f"Opened {page.address}")
    else:
        app.copy_to_clipboard(page.address)
        app.show_notice(f"There is no browser here; copied {page.address}")
