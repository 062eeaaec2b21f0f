"""The keys that change which movies are listed: filters, genres, decades, named lists, the watchlist, and two dials."""

from __future__ import annotations

import asyncio
from functools import partial

from textual.binding import Binding

from movietui.data.language import tr, tr_noun
from movietui.data.problems import Problem
from movietui.data.query.list_conditions import names_in, with_list
from movietui.formatting import text
from movietui.models.choices import DIALLED
from movietui.state.filter_line import FILTER, SAVED, check_name, step_decade, step_genre
from movietui.ui.bindings import hint, key_of
from movietui.ui.browse.controller import BrowseController
from movietui.ui.browse.filter_line import FilterLine
from movietui.ui.browse.list_pane import dial
from movietui.ui.controller import in_background
from movietui.ui.problems import shows_problems
from movietui.ui.wording import SHORT_ORDERS

FILTER_KEYS = [
    Binding(
        "W",
        "wanted",
        tr("Watchlist only"),
        show=False,
        id="browse.wanted",
        tooltip=tr("Only the watchlist; in a pair or group, press again for movies all of you want"),
    ),
    Binding(
        "f",
        "filter",
        tr("Filter"),
        show=False,
        priority=True,
        id="browse.filter",
        tooltip=tr("Filter by genre, year, person, tag …; :name is a saved filter"),
    ),
    Binding(
        "c",
        "lists",
        tr("Lists"),
        show=False,
        id="browse.lists",
        tooltip=tr("Only movies on one of your lists, such as your shelf"),
    ),
    Binding("e", "genre(1)", tr("Genre"), show=False, id="browse.genre", tooltip=tr("Next genre")),
    Binding("E", "genre(-1)", tr("Previous genre"), show=False, id="browse.genre-back", tooltip=tr("Previous genre")),
    Binding("o", "decade(1)", tr("Older"), show=False, id="browse.older", tooltip=tr("Older decade")),
    Binding("O", "decade(-1)", tr("Newer"), show=False, id="browse.newer", tooltip=tr("Newer decade")),
    Binding(
        "comma",
        "dare(-1)",
        tr("Safer"),
        key_display=",",
        show=False,
        id="browse.safer",
        tooltip=tr("Safer list: better-known movies"),
    ),
    Binding(
        "full_stop",
        "dare(1)",
        tr("More daring"),
        key_display=".",
        show=False,
        id="browse.daring",
        tooltip=tr("More adventurous list: lesser-known, more varied movies"),
    ),
    Binding(
        "less_than_sign",
        "lean_recent(-1)",
        tr("Any year"),
        key_display="<",
        show=False,
        id="browse.any-year",
        tooltip=tr("Less recent list: movies of any year"),
    ),
    Binding(
        "greater_than_sign",
        "lean_recent(1)",
        tr("More recent"),
        key_display=">",
        show=False,
        id="browse.recent",
        tooltip=tr("More recent list: newer movies rise"),
    ),
]


class FilterController(BrowseController):
    """Handles the filter line and the keys that change which movies are listed."""

    def summary(self) -> list[str]:
        """Return the parts of the filter line: what filters or changes the list, such as the filter and vetoes."""
        view, audience = self.session.view, self.session.audience
        parts = [hint(self.screen, ("browse.filter", view.filter_text))] if view.filter_text else []
        parts += [dial(tr("safe"), tr("daring"), view.daring)] if view.daring else []
        parts += [dial(tr("any year"), tr("recent"), view.recent)] if view.recent else []
        wanted = {"all": [], "watchlist": [tr("the watchlist")], "both": [tr("movies all of you want")]}[view.wanted]
        parts += [hint(self.screen, ("browse.wanted", movies)) for movies in wanted]
        if audience.together:
            same_scale = hint(self.screen, ("browse.standardise", tr("same scale for everyone")))
            parts += [same_scale] * audience.standardise
            vetoes = ", ".join(veto.movie.title for veto in audience.vetoes)
            parts += [f"{key_of(self.screen, 'browse.veto')} {vetoes}"] if vetoes else []
        return parts

    @shows_problems
    async def action_filter(self) -> None:
        """Open the field for the filter."""
        self.require_list()
        await self.screen.filter_line.type(self.session.view.filter_text)

    async def apply_typed(self, event: FilterLine.Typed) -> None:
        """Apply the filter typed so far, unless the filter is invalid."""
        try:
            await self.apply(event.filter_text)
        except Problem as problem:
            if not event.unfinished:
                self.app.show_problem(problem)

    async def apply(self, filter_text: str) -> None:
        """List only the movies that match a filter. Raise ``Problem`` if it is invalid."""
        await self.session.apply_filter(filter_text)
        await self.list_pane.fill(from_top=True)
        total = self.list_pane.movies.total
        movies = text.plural(total, self.list_pane.listed_kind())
        notice = (
            tr("{movies} match {filter}", movies=movies, filter=filter_text)
            if total != 1
            else tr("{movies} matches {filter}", movies=movies, filter=filter_text)
        )
        self.app.show_notice(notice if filter_text else "")

    @shows_problems
    async def finish(self, event: FilterLine.Finished) -> None:
        """Apply the filter and go back to the list. An invalid filter stays in the field."""
        await self.apply(event.filter_text)
        self.screen.set_focus(self.list_pane.movies)
        await self.screen.filter_line.end()

    async def clear(self) -> None:
        """Remove the filter, and say so."""
        cleared = self.session.view.filter_text
        await self.apply("")
        self.app.show_notice(tr("Cleared the filter {filter}", filter=cleared))

    def ask_name(self, event: FilterLine.Save) -> None:
        """Ask for a name for the filter."""
        from movietui.ui.panels import NamePanel

        filter_text = event.filter_text
        prompt = (
            tr("Save {filter!r} as (one word):", filter=filter_text)
            if filter_text.strip()
            else tr("The filter is empty. Which saved filter do you want to delete?")
        )
        self.app.push_screen(NamePanel(tr("Save filter"), prompt, check_name), partial(self.save, filter_text))

    @in_background()
    async def save(self, filter_text: str, name: str | None) -> None:
        """Save the filter under a name. An empty filter deletes the one with this name."""
        if name is not None:
            await asyncio.to_thread(self.session.store.choose, FILTER + name, filter_text.strip())
            shown_name = f"{SAVED}{name}"
            typed = tr("{key} then {name}", key=key_of(self.screen, "browse.filter"), name=shown_name)
            saved = tr("Saved {filter} · {keys} applies it", filter=filter_text, keys=typed)
            self.app.show_notice(saved if filter_text.strip() else tr("Deleted {name}", name=shown_name))

    @shows_problems
    async def action_genre(self, step: int) -> None:
        """List only movies of the next or the previous genre."""
        self.require_list()
        assert self.session.opened is not None
        await self.apply(step_genre(self.session.view.filter_text, self.session.opened["genres"], step))

    @shows_problems
    async def action_decade(self, step: int) -> None:
        """List only movies of the next older or newer decade."""
        self.require_list()
        assert self.session.opened is not None
        await self.apply(step_decade(self.session.view.filter_text, self.session.opened["decades"], step))

    def _require_dialled(self) -> None:
        """Raise ``Problem`` if the list is in an order for which the dials do nothing."""
        self.require_list()
        if self.session.view.order not in DIALLED:
            orders, sort = (
                tr(" or ").join(SHORT_ORDERS[order] for order in DIALLED if order in self.session.orders),
                key_of(self.screen, "browse.sort"),
            )
            raise Problem(
                tr("This works only when the list is sorted {orders}; {key} sorts it.", orders=orders, key=sort)
            )

    @shows_problems
    async def action_dare(self, steps: int) -> None:
        """Move the dial between safe and daring."""
        self._require_dialled()
        self.session.view = self.session.view.more_daring(steps)
        await self.list_pane.fill(from_top=True)
        self.app.show_notice(dial(tr("safe"), tr("daring"), self.session.view.daring))

    @in_background("card", exclusive=True)
    async def action_lists(self) -> None:
        """Ask for one of the viewers' lists, and list only its movies."""
        from movietui.ui.browse.lists_panel import ListsPanel

        self.require_list()
        session = self.session
        assert session.opened is not None
        current = names_in(session.view.filter_text)
        viewers = session.audience.viewers
        panel = ListsPanel(await session.lists(), viewers, session.opened["dataset"], current)
        name = await self.app.push_screen_wait(panel)
        if name is not None:
            await self.apply(with_list(session.view.filter_text, name))
            kind = self.list_pane.listed_kind()
            movies = text.plural(self.list_pane.movies.total, kind)
            clears = hint(self.screen, ("browse.back", tr("clears the filter")))
            on_list = tr("{movies} on the list {list} · {hint}", movies=movies, list=name, hint=clears)
            self.app.show_notice(on_list if name else tr("All {movies}", movies=tr_noun(2, kind)))

    @shows_problems
    async def action_lean_recent(self, steps: int) -> None:
        """Move the dial between movies of any year and recent movies."""
        self._require_dialled()
        self.session.view = self.session.view.more_recent(steps)
        await self.list_pane.fill(from_top=True)
        self.app.show_notice(dial(tr("any year"), tr("recent"), self.session.view.recent))

    @shows_problems
    async def action_wanted(self) -> None:
        """Switch between all movies and the watchlist; several viewers can also see only what all of them want."""
        self.session.view = self.session.view.next_wanted(together=self.session.audience.together)
        await self.list_pane.fill(from_top=True)
        descriptions = {
            "all": tr("All {movies}", movies=tr_noun(2, self.list_pane.listed_kind())),
            "watchlist": (
                tr("Movies on a watchlist") if self.session.audience.together else tr("Movies on the watchlist")
            ),
            "both": tr("Movies on all of your watchlists"),
        }
        self.app.show_notice(f"{descriptions[self.session.view.wanted]}, {SHORT_ORDERS[self.session.view.order]}")
