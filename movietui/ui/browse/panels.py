"""The keys of Browse that open a panel, such as details, search, taste or models, and the key that copies a title."""

from __future__ import annotations

import asyncio
import secrets
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.binding import Binding

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.query.condition_text import person_condition, tag_condition
from movietui.protocol.messages import Details
from movietui.ui import wording
from movietui.ui.bindings import key_of
from movietui.ui.browse.controller import BrowseController
from movietui.ui.controller import in_background
from movietui.ui.movie_links import copy
from movietui.ui.problems import shows_problems

if TYPE_CHECKING:
    from movietui.ui.browse.search import SearchResult
    from movietui.ui.panels import CardPanel

SIMILAR_MOVIES = 50
"""How many similar movies are listed."""
SEARCH_KEYS = [
    Binding(
        "slash",
        "search",
        tr("Search"),
        key_display="/",
        show=False,
        priority=True,
        id="browse.search",
        tooltip=tr("Search movies, people, tags and viewers"),
    ),
    Binding(
        "enter", "choose", tr("Why"), id="browse.choose", tooltip=tr("Why this movie; on a viewer, show their list")
    ),
]
DISCOVERY_KEYS = [
    Binding(
        "s", "surprise", tr("Surprise"), show=False, id="browse.surprise", tooltip=tr("Pick one good movie for you")
    ),
    Binding("m", "similar", tr("More like this"), show=False, id="browse.similar", tooltip=tr("Similar movies")),
    Binding("T", "taste", tr("Taste"), show=False, id="browse.taste", tooltip=tr("What the viewers like and dislike")),
]
MOVIE_KEYS = [
    Binding(
        "h", "history", tr("History"), show=False, id="browse.history", tooltip=tr("Everything you did; undo any of it")
    ),
    Binding(
        "asterisk",
        "ratings",
        tr("My ratings"),
        key_display="*",
        show=False,
        id="browse.ratings",
        tooltip=tr("All your ratings, by date or stars; change any of them"),
    ),
    Binding(
        "y", "copy", tr("Copy"), show=False, id="browse.copy", tooltip=tr("Copy the title and IMDb link of the movie")
    ),
    Binding(
        "l",
        "open_page",
        tr("Where to watch"),
        show=False,
        id="browse.imdb",
        tooltip=tr("Where to watch the movie: JustWatch, IMDb, Letterboxd"),
    ),
    Binding(
        "M",
        "models",
        tr("Models"),
        show=False,
        id="browse.models",
        tooltip=tr("Use another model; see what it would change"),
    ),
]


class PanelController(BrowseController):
    """Opens panels, and acts on what was chosen in them."""

    @shows_problems
    async def action_choose(self) -> None:
        """Show the details of the selected movie, or the list of the selected viewer."""
        row, viewer = self.list_pane.movies.current, self.screen.viewers_pane.current
        if not self.list_pane.movies.has_focus:
            if viewer is not None:
                await self.screen.audience.look_at(viewer)
        elif row is not None:
            from movietui.ui.panels import DetailsPanel

            names = self.list_pane.viewer_names()
            self.app.push_screen(DetailsPanel(await self.session.details(row["id"]), names))

    # Cards

    @in_background("card", exclusive=True)
    async def action_surprise(self) -> None:
        """Show one good movie, chosen at random, and one reason for it."""
        from movietui.ui.panels import SurprisePanel

        self.require_list()
        row = await self.session.surprise(secrets.randbelow(2**32))
        if row is None:
            filters, wanted = key_of(self.screen, "browse.filter"), key_of(self.screen, "browse.wanted")
            raise Problem(
                tr(
                    "The list is empty; {filters} changes the filter, and {wanted} leaves the watchlist.",
                    filters=filters,
                    wanted=wanted,
                )
            )
        await self._show_card(SurprisePanel, row["id"])

    @in_background("card", exclusive=True)
    async def show_card(self, movie: str) -> None:
        """Show the movie with this id, whether or not it is in the list."""
        from movietui.ui.panels import CardPanel

        await self._show_card(CardPanel, movie)

    async def _show_card(self, panel: type[CardPanel], movie: str) -> None:
        names = self.list_pane.viewer_names()
        details = await self.session.details(movie)
        self.app.push_screen(panel(details, names), partial(self.act_on_card, details))

    @in_background()
    async def act_on_card(self, movie: Details, action: tuple[Any, ...] | None) -> None:
        """Do what was chosen on a card."""
        match action:
            case ("rate", stars):
                change = await self.session.rate(movie, float(stars))
                await self.screen.ratings.show_change(change, wording.describe_change(change))
            case ("mark", mark):
                change = await self.session.mark(movie, mark)
                await self.screen.ratings.show_change(change, wording.describe_change(change))
            case ("like",):
                await self._show_similar(movie["id"], movie["title"])
            case ("surprise",):
                self.action_surprise()

    # More like this, search, taste

    @in_background("card", exclusive=True)
    async def action_similar(self) -> None:
        """List the movies most like the selected one."""
        row = self.list_pane.selected()
        await self._show_similar(row["id"], row["title"])

    async def _show_similar(self, movie: str, title: str) -> None:
        from movietui.ui.browse.similar import SimilarPanel

        rows = await self.session.similar(movie, SIMILAR_MOVIES)
        self.app.push_screen(SimilarPanel(title, rows), self._show_chosen)

    def _show_chosen(self, movie: str | None) -> None:
        if movie is not None:
            self.show_card(movie)

    async def action_search(self) -> None:
        """Search everything, or only the viewers if they have the focus or no dataset is open."""
        if self.screen.viewers_pane.has_focus_within or self.session.opened is None:
            await self.screen.viewers_pane.search()
            return
        from movietui.ui.browse.search import SearchPanel

        self.app.push_screen(SearchPanel(self.session), self.open_result)

    @in_background()
    async def open_result(self, result: SearchResult | None) -> None:
        """Open the card of a movie or the list of a viewer, or filter by a person or tag."""
        if result is None:
            return
        if result.kind == "movie":
            self.show_card(result.name)
        elif result.kind in ("director", "actor", "tag"):
            condition = tag_condition if result.kind == "tag" else person_condition
            await self.screen.filters.apply(condition(result.name))
        else:
            from movietui.ui.browse.search import viewer_of

            assert self.session.opened is not None
            await self.screen.audience.look_at(viewer_of(result, self.session.opened["dataset"]))
            await self.screen.viewers_pane.fill(move_cursor=True)

    @in_background("card", exclusive=True)
    async def action_taste(self) -> None:
        """Show what the viewers of the list like and dislike."""
        from movietui.ui.browse.taste import TastePanel

        self.require_list()
        names = self.list_pane.viewer_names()
        self.app.push_screen(TastePanel(await self.session.taste(), names))

    # History

    @shows_problems
    async def action_history(self) -> None:
        """List all steps of the viewer who rates next."""
        from movietui.ui.browse.history import HistoryPanel

        if not self.session.audience.viewers:
            data = key_of(self.screen, "screen.data")
            raise Problem(tr("There is no history yet; press {key} to open a dataset.", key=data))
        self.app.push_screen(HistoryPanel(self.session, self.session.audience.rater), self.show_after_history)

    @shows_problems
    async def action_ratings(self) -> None:
        """List all ratings of the viewer who rates next."""
        from movietui.ui.browse.given_ratings import RatingsPanel

        self.require_list()
        self.app.push_screen(RatingsPanel(self.session), self.show_after_history)

    @in_background()
    async def show_after_history(self, changed: bool | None) -> None:
        """Show the list again if something was changed in the panel."""
        if changed:
            await self.screen.refresh_list(compared=True)

    # Links

    @shows_problems
    async def action_copy(self) -> None:
        """Copy the title, the year and, if known, the IMDb address of the selected movie."""
        copy(self.app, await self.session.details(self.list_pane.selected()["id"]))

    @shows_problems
    async def action_open_page(self) -> None:
        """Offer web pages about the selected movie."""
        from movietui.ui.browse.where_to_watch import PagesPanel

        row = self.list_pane.movies.current
        if row is not None:
            self.app.push_screen(PagesPanel(await self.session.details(row["id"])))

    # Models

    @in_background("card", exclusive=True)
    async def action_models(self) -> None:
        """List the runs that can serve the dataset, and use the chosen one."""
        from movietui.ui.browse.model_switch import SwitchPanel

        self.require_list()
        session = self.session
        assert session.run is not None
        runs = await asyncio.to_thread(session.store.serving_runs, session.run.dataset)
        run = await self.app.push_screen_wait(SwitchPanel(session, runs, self.app.stand_in.offered))
        if run is not None and run.id != session.run.id:
            await self.app.serve(run.dataset, run)
            self.app.show_notice(tr("Using run {number}, {model}, for the list", number=run.id, model=run.model))
