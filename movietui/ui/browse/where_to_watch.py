"""Where to watch a movie, and where to read about it: pages that a key opens in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from movietui.data.language import tr
from movietui.formatting import text
from movietui.formatting.movie_pages import Page, pages_of
from movietui.protocol.messages import Details
from movietui.ui.bindings import back_key, choose_key, hint
from movietui.ui.movie_links import has_browser, open_page
from movietui.ui.problems import shows_problems
from movietui.ui.screens import Panel
from movietui.ui.widgets.line_view import Line
from movietui.ui.widgets.row_list import RowList

if TYPE_CHECKING:
    from movietui.ui.app import MovieTui

WHAT = {
    "JustWatch": tr("where to stream, rent or buy it"),
    "IMDb": tr("cast, plot and ratings"),
    "Letterboxd": tr("reviews"),
}
"""What the pages of each site show."""


class PageList(RowList[Page]):
    """The pages about a movie."""

    DEFAULT_CSS = "PageList { height: 3; }"

    def draw(self, row: Page, width: int) -> Line:
        """Draw the site, what its page shows, and whether the page is a search."""
        about = WHAT[row.site] if row.exact else tr("{page} · search", page=WHAT[row.site])
        return [(text.cut(f" {row.site}", 12), ""), (text.cut(about, max(1, width - 12)), "quiet")]


class PagesPanel(Panel[None]):
    """Lists web pages about a movie, and opens the selected page or copies its address."""

    DEFAULT_CSS = "PagesPanel #address { height: auto; margin: 1 0 0 0; color: $text-muted; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        back_key(),
        Binding("l", "dismiss(None)", tr("Back"), id="browse.imdb"),
        choose_key("open", tr("Open")),
        Binding("y", "copy_address", tr("Copy"), id="browse.copy"),
    ]

    def __init__(self, movie: Details) -> None:
        super().__init__()
        self._title, self._pages = text.movie_title(movie), pages_of(movie)

    @property
    def _app(self) -> MovieTui:
        return cast("MovieTui", self.app)

    def compose(self) -> ComposeResult:
        """Show the pages, and the address of the selected one."""
        with Vertical(classes="panel") as panel:
            panel.border_title = Content(tr("Where to watch {movie}", movie=self._title))
            keys = [("browse.copy", tr("copy the address")), ("panel.back", tr("back"))]
            opens = [("panel.choose", tr("open"))] if has_browser(self._app) else []
            panel.border_subtitle = Content(hint(self, *opens, *keys))
            yield PageList(id="pages")
            yield Static(id="address", markup=False)

    def on_mount(self) -> None:
        """List the pages."""
        self.pages.fill(len(self._pages), 0, self._pages)
        self.set_focus(self.pages)

    @property
    def pages(self) -> PageList:
        """The pages."""
        return self.query_one(PageList)

    @on(RowList.Moved)
    def show_address(self) -> None:
        """Show the whole address of the selected page, for a browser on another machine."""
        if (page := self.pages.current) is not None:
            self.query_one("#address", Static).update(Text(page.address, overflow="fold"))

    @on(RowList.Clicked)
    @shows_problems
    async def action_open(self) -> None:
        """Open the selected page, or copy its address if there is no browser."""
        if (page := self.pages.current) is not None:
            open_page(self._app, page)
            self.dismiss(None)

    @shows_problems
    async def action_copy_address(self) -> None:
        """Copy the address of the selected page."""
        if (page := self.pages.current) is not None:
            self._app.copy_to_clipboard(page.address)
            self._app.show_notice(tr("Copied: {address}", address=page.address))
            self.dismiss(None)
