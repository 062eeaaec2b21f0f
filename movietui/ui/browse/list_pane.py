"""The ranked list with the details of the selected movie beside it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from rich.cells import cell_len
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.timer import Timer

from movietui.data.language import mark_noun, tr, tr_noun
from movietui.data.problems import Problem
from movietui.data.query.list_conditions import wanted_list
from movietui.formatting import text
from movietui.protocol.messages import ListWindow, MovieRow
from movietui.state.session import Session
from movietui.store.ratings import Change
from movietui.ui.bindings import hint, key_of, works_on_click
from movietui.ui.browse.movie_details import describe
from movietui.ui.browse.movie_list import MovieList
from movietui.ui.problems import shows_problems
from movietui.ui.textual_internals import set_border
from movietui.ui.widgets.row_list import WINDOW, RowList
from movietui.ui.widgets.text_pane import TextPane
from movietui.ui.wording import LEGEND, SHORT_ORDERS, describe_order

DETAILS_DELAY = 0.05
"""Seconds that the cursor must rest before the details of its movie are requested."""
MOST_REQUESTED = 1000
"""The most rows that one request for copying or saving the list asks for."""
PAIR_TITLES = {"all": tr("Unseen by both"), "any": tr("Unseen by either"), "none": tr("Seen or not")}
GROUP_TITLES = {"all": tr("Unseen by all"), "any": tr("Unseen by some"), "none": tr("Seen or not")}
NAME_CELLS = 20
"""The most cells of the name of a named list in the title."""


class ListPane(Horizontal):
    """The ranked list for one viewer or for several, with the details of the selected movie beside it."""

    DEFAULT_CSS = "ListPane { width: 1fr; height: 1fr; }"

    def __init__(self, session: Session, shown: Callable[[], None]) -> None:
        """``shown`` is called for each list that is shown, before it is drawn; after a rating, once it is drawn."""
        super().__init__()
        self._session, self._shown = session, shown
        self._details_timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Put the details on the right of the list."""
        yield MovieList(id="movies", classes="pane")
        yield DetailsPane(id="details", classes="pane")

    def on_mount(self) -> None:
        """Set the titles of the panes and the text shown until the first list arrives."""
        self.movies.border_title = tr("Unseen")
        self.details.border_title = tr("Movie")
        self.movies.set_placeholder(tr("Getting the list ready …"))

    @property
    def movies(self) -> MovieList:
        """The list."""
        return self.query_one("#movies", MovieList)

    @property
    def details(self) -> DetailsPane:
        """The details of the selected movie."""
        return self.query_one(DetailsPane)

    def viewer_names(self) -> list[str]:
        """Return the labels of the viewers of the list. Called before the engine is asked about these viewers: when it
        replies, the list may have others."""
        return [ref.label for ref in self._session.audience.viewers]

    def listed_kind(self) -> str:
        """Return ``unseen movie``, or ``movie`` for a list that may have movies that all viewers have seen."""
        audience = self._session.audience
        is_any = audience.together and audience.unseen_by == "none"
        return mark_noun("movie") if is_any else mark_noun("unseen movie")

    def selected(self) -> MovieRow:
        """Return the selected movie. Raises ``Problem`` if the list is not ready, is empty or lacks the focus."""
        row = self.movies.current
        if row is None and self._session.opened is None:
            raise Problem(tr("The list is not ready yet; try again in a moment."))
        if row is None:
            raise Problem(tr("The list is empty, so no movie is selected."))
        if not self.movies.has_focus:
            key = key_of(self.screen, "browse.movies")
            raise Problem(tr("Select a movie in the list first; press {key} to go there.", key=key))
        return row

    # The list

    async def fill(self, *, from_top: bool = False) -> None:
        """Request and show the window that the cursor is in; with ``from_top``, go to the top first."""
        if from_top:
            self.movies.cursor = 0
        self.show(await self.request())
        if from_top:
            self.movies.scroll_to(y=0, animate=False)

    async def request(self, *, after_rating: bool = False) -> ListWindow:
        """Request the window that the cursor is in."""
        window = await self._session.ranked(self.movies.window, WINDOW, after_rating=after_rating)
        return await self._with_cursor(window, after_rating=after_rating)

    async def rate(self, stars: float) -> tuple[Change, ListWindow]:
        """Rate the selected movie, and return the change with the window of the new list that the cursor is in."""
        change, window = await self._session.rate_and_rank(self.selected(), stars, self.movies.window, WINDOW)
        return change, await self._with_cursor(window, after_rating=True)

    async def _with_cursor(self, window: ListWindow, *, after_rating: bool) -> ListWindow:
        """Return a window or, if the list is now too short for the cursor, move the cursor and request another."""
        movies = self.movies
        if 0 < window["total"] <= movies.window:
            movies.total = window["total"]
            movies.cursor = window["total"] - 1
            return await self._session.ranked(movies.window, WINDOW, after_rating=after_rating)
        return window

    async def first_rows(self, count: int) -> list[MovieRow]:
        """Return the first ``count`` movies of the list, and request movies that are not loaded yet."""
        shown = {row["rank"]: row for row in self.movies.known_rows()}
        rows: list[MovieRow] = []
        while len(rows) < min(count, self.movies.total):
            if (row := shown.get(len(rows) + 1)) is not None:
                rows.append(row)
                continue
            missing = min(MOST_REQUESTED, count - len(rows))
            more = (await self._session.ranked(len(rows), missing, more=True))["rows"]
            if not more:
                break
            rows += more
        return rows

    def show(self, ranked: ListWindow, *, marked: bool = False, follow: bool = False) -> None:
        """Show a window of the list.

        With ``marked``, rows show how far they moved. With ``follow``, the cursor stays on its movie.
        """
        movies = self.movies
        movies.names = tuple(ref.id for ref in self._session.audience.viewers)
        movies.order = self._session.view.order
        movies.has_stars = self._session.has_stars
        movies.fill(ranked["total"], ranked["offset"], ranked["rows"], follow=follow)
        movies.mark(marked)
        movies.set_placeholder("" if ranked["total"] else self._why_empty())
        self._set_titles(ranked)
        if marked:  # a rating hardly changes anything around the list, and its list should appear at once
            self.call_after_refresh(self._shown)
        else:
            self._shown()

    def _why_empty(self) -> str:
        view = self._session.view
        if view.filter_text:
            changes = [("browse.filter", tr("changes the filter"))]
            changes += [("browse.lists", tr("chooses another list"))] if wanted_list(view.filter_text) else []
            return tr(
                "No {movie} matches {filter}. {hint}.",
                movie=tr_noun(1, self.listed_kind()),
                filter=view.filter_text,
                hint=hint(self.screen, *changes),
            )
        if view.wanted != "all":
            adds, returns = (
                hint(self.screen, ("browse.watchlist", tr("adds"))),
                hint(self.screen, ("browse.wanted", tr("returns"))),
            )
            nothing = (
                tr("No movie is on all of your watchlists") if view.wanted == "both" else tr("The watchlist is empty")
            )
            return tr(
                "{nothing}. {adds} a movie, {returns} to all movies.", nothing=nothing, adds=adds, returns=returns
            )
        opens = hint(self.screen, ("screen.data", tr("opens")))
        return tr(
            "You have seen everything here. {opens} the Data screen, where you can get a larger dataset.", opens=opens
        )

    def _set_titles(self, ranked: ListWindow) -> None:
        """Say on the border which movies the list has and how it is sorted.

        The border also has the length of a list for one viewer, how alike a pair rates, or the size of a group.
        """
        pane, opened, audience = self.movies, self._session.opened, self._session.audience
        assert opened is not None
        several = len(audience.viewers) > 2
        name = wanted_list(self._session.view.filter_text)
        on_list = tr(" on {list}", list=text.cut(name, NAME_CELLS).rstrip()) if name else ""
        if not audience.together:
            movies = (tr("Unseen") if self._session.view.wanted == "all" else tr("Watchlist")) + on_list
            subtitle = tr(
                "{count:,} of {movies:,} · {rated:,} rated",
                count=ranked["total"],
                movies=opened["movies"],
                rated=ranked["rated"][0],
            )
        else:
            method = (
                dial(tr("average"), tr("least misery"), audience.misery) if audience.way == "weighted" else audience.way
            )
            movies = f"{(GROUP_TITLES if several else PAIR_TITLES)[audience.unseen_by]}{on_list} · {method}"
            subtitle = tr("for {count} viewers", count=len(audience.viewers)) if several else _alike(ranked)
        set_border(pane, subtitle=subtitle)
        pane.set_title(partial(self._title, movies))

    def _title(self, movies: str, width: int) -> str:
        """Return which movies the list has, how scores are combined (if there is room), and the order."""
        order = self._session.view.order
        if cell_len(movies) + len(SHORT_ORDERS[order]) + 5 > width:
            movies = movies.partition(" · ")[0]
        ordered = describe_order(order, width - cell_len(movies) - 3, has_stars=self._session.has_stars)
        works_on_click(self.screen, ordered, "browse.sort")
        return f"{movies} · {ordered}"

    @on(RowList.RowsRequested)
    @shows_problems
    async def add_rows(self, event: RowList.RowsRequested) -> None:
        """Request the window of the list that a person scrolled to, and add its rows."""
        event.stop()
        ranked = await self._session.ranked(event.offset, WINDOW, more=True)
        self.movies.add_rows(ranked["offset"], ranked["rows"])

    # The details

    def fold_details(self, folded: bool) -> None:
        """Fold the details to their edge, or unfold them."""
        if self.details.fold(folded):
            self.show_details()

    @on(RowList.Moved)
    def show_details_soon(self, event: RowList.Moved) -> None:
        """Request the details of the selected movie once the cursor rests."""
        event.stop()
        if self._details_timer is not None:
            self._details_timer.stop()
        self._details_timer = self.set_timer(DETAILS_DELAY, self.show_details)

    @work(exclusive=True, group="details")
    @shows_problems
    async def show_details(self) -> None:
        """Show the details of the selected movie."""
        row = self.movies.current
        pane = self.details
        if not self.movies.total:
            pane.border_title = tr("Movie")
            pane.show(Text(tr("Here is why a movie is in the list, as soon as there is one."), "dim"))
        if row is None or pane.folded:
            return
        names = self.viewer_names()
        details = await self._session.details(row["id"])
        pane.border_title = Content(details["title"])
        pane.show_fitted(partial(describe, details, names))


class DetailsPane(TextPane):
    """The details of the selected movie. A click on the folded pane unfolds it or, without room, opens a panel."""

    folded_name = tr("Why")

    def explain(self, x: int, y: int) -> str:
        """Explain the dots on a line that says how much a rating counts."""
        return LEGEND["●"].explained if not self.folded and self.line_at(y).rstrip().endswith(("●", "○")) else ""

    async def on_click(self) -> None:
        """If the pane is folded, go to the list, which unfolds the pane if there is room. Otherwise open a panel."""
        if self.folded:
            await self.run_action("screen.focus_movies")
            self.screen.call_after_refresh(self._open)

    async def _open(self) -> None:
        if self.folded:
            await self.run_action("screen.choose")


def _alike(ranked: ListWindow) -> str:
    """Return how similarly a pair rates."""
    alike = ranked["alike"]
    if alike is None:
        return tr("alike: too few movies in common to say")
    movies = text.plural(alike["common"], "movie")
    return tr("alike: {share:.2f} over {movies} both rated", share=alike["value"], movies=movies)


def dial(left: str, right: str, share: float) -> str:
    """Return a dial whose knob is at ``share``, 0 to 1, of the way from left to right."""
    knob = round(share * 10)
    return f"{left} ├{'─' * knob}●{'─' * (10 - knob)}┤ {right}"
