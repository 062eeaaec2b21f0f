"""Opens and copies the addresses of pages about a movie."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from movietui.data.language import tr
from movietui.formatting import text
from movietui.formatting.movie_pages import Page, link_of
from movietui.protocol.messages import Details

if TYPE_CHECKING:
    from movietui.ui.app import MovieTui

BROWSER_VARIABLES = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
"""One of these environment variables is set if a browser can open a window."""


def has_browser(app: MovieTui) -> bool:
    """Return whether a page can be opened, in a window of this machine or in the browser that shows the app."""
    return app.is_web or sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in BROWSER_VARIABLES)


def copy(app: MovieTui, movie: Details) -> None:
    """Copy a movie's title and, if known, its year and IMDb address."""
    words = f"{text.movie_title(movie)} {link_of(movie)}".rstrip()
    app.copy_to_clipboard(words)
    app.show_notice(tr("Copied: {movie}", movie=words))


def open_page(app: MovieTui, page: Page) -> None:
    """Open a page, or copy its address if there is no browser."""
    if has_browser(app):
        app.open_url(page.address)
        app.show_notice(tr("Opened {address}", address=page.address))
    else:
        app.copy_to_clipboard(page.address)
        app.show_notice(tr("There is no browser here; copied {address}", address=page.address))
