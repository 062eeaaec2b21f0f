"""A film for elsewhere: its title and its page on IMDb, copied or opened."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

from data.problems import Problem
from data.titles import plain
from movietui.replies import Details

if TYPE_CHECKING:
    from movietui.app import MovieTui

SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
"""What the environment holds where a browser can be opened that is not drawn over the app."""


def link_of(movie: Details) -> str:
    """Return the address of a movie on IMDb, empty where its id is not known or is none."""
    return f"https://www.imdb.com/title/{movie['link']}/" if re.fullmatch(r"tt[0-9]{7,15}", movie["link"]) else ""


def copy(app: MovieTui, movie: Details) -> None:
    """Copy a movie's title, year and address, as far as they are known, and say so."""
    year = f" ({movie['year']})" if movie["year"] else ""
    words = f"{plain(movie['title'])}{year} {link_of(movie)}".rstrip()
    app.copy_to_clipboard(words)
    app.say(f"Copied: {words}")


def open_page(app: MovieTui, movie: Details) -> None:
    """Open a movie's page on IMDb; where there is no browser, copy the address. Raises ``Problem`` without one."""
    link = link_of(movie)
    if not link:
        raise Problem(f"The IMDb id of {movie['title']} is not known; the Data screen joins movies with IMDb.")
    if sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in SCREENS):
        app.open_url(link)
        app.say(f"Opened {link}")
    else:
        app.copy_to_clipboard(link)
        app.say(f"There is no browser here; copied {link}")
