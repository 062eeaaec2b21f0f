"""Browse: the list with all that helps to choose from it: filter, dial, surprise, search, taste, marks, profiles."""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from data.imports.entries import Mark
from data.problems import Problem
from movietui import saying, text
from movietui.bindings import hint, key_of
from movietui.linking import copy, open_page
from movietui.narrowing import SAVED, check_name, step_decade, step_genre
from movietui.replies import Details
from movietui.screens.listing import ListScreen, dial
from movietui.viewers import ViewerRef, Way, profile
from movietui.widgets.told import told
from movietui.widgets.view_line import ViewLine
from movietui.widgets.viewers_pane import ViewersPane

if TYPE_CHECKING:
    from movietui.screens.panels import CardPanel
    from movietui.screens.search import FoundRow

SIMILAR = 50
"""How many movies are shown that are like one."""
WAYS_TOLD: dict[Way, str] = {
    "weighted": "between the average and the least happy of you, as far as the dial says",
    "average": "the mean of all of you",
    "without misery": "the mean, without what one of you would give less than 3 stars",
    "least misery": "what the least happy of you thinks",
    "most pleasure": "what the happiest of you thinks",
    "multiplicative": "the product of all, so that one low value weighs much",
    "borda": "the mean of the places in your own lists",
}


class BrowseScreen(ListScreen):
    """Unseen movies, best first, and every way to find the one for tonight."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "w",
            "mark('watchlist')",
            "Watchlist",
            show=False,
            id="browse.watchlist",
            tooltip="Put the movie on the watchlist, or take it off",
        ),
        Binding("x", "mark('hidden')", "Hide", show=False, id="browse.hide", tooltip="Never show the movie again"),
        Binding("v", "mark('seen')", "Seen", show=False, id="browse.seen", tooltip="Seen it, without a rating"),
        Binding(
            "W",
            "shelf",
            "Watchlist only",
            show=False,
            id="browse.shelf",
            tooltip="Rank the watchlist only; of several also what all want",
        ),
        Binding(
            "f",
            "filter",
            "Filter",
            show=False,
            priority=True,
            id="browse.filter",
            tooltip="Type what the movies must be like; :name is a saved filter",
        ),
        Binding("e", "genre(1)", "Genre", show=False, id="browse.genre", tooltip="Only the next genre"),
        Binding("E", "genre(-1)", "Genre before", show=False, id="browse.genre-back", tooltip="Only the genre before"),
        Binding("o", "decade(1)", "Older", show=False, id="browse.older", tooltip="Only an older decade"),
        Binding("O", "decade(-1)", "Newer", show=False, id="browse.newer", tooltip="Only a newer decade"),
        Binding("comma", "dare(-1)", "Safer", key_display=",", show=False, id="browse.safer", tooltip="A safer list"),
        Binding(
            "full_stop",
            "dare(1)",
            "More daring",
            key_display=".",
            show=False,
            id="browse.daring",
            tooltip="A more daring list: less known, more different movies",
        ),
        Binding("s", "surprise", "Surprise", show=False, id="browse.surprise", tooltip="One good movie, one reason"),
        Binding("m", "similar", "More like this", show=False, id="browse.similar", tooltip="More like this movie"),
        Binding("T", "taste", "Taste", show=False, id="browse.taste", tooltip="What the viewers like, and dislike"),
        Binding(
            "a", "way(1)", "Way", show=False, id="browse.way", tooltip="Of a pair: make one list of two another way"
        ),
        Binding("A", "way(-1)", "Way before", show=False, id="browse.way-back", tooltip="Of a pair: the way before"),
        Binding(
            "z",
            "standardise",
            "Own scales",
            show=False,
            id="browse.standardise",
            tooltip="Of a pair: see each on their own scale",
        ),
        Binding(
            "V",
            "unseen",
            "Seen films",
            show=False,
            id="browse.unseen",
            tooltip="Of a pair: also what one, or both, saw",
        ),
        Binding(
            "exclamation_mark",
            "veto",
            "Veto",
            key_display="!",
            show=False,
            id="browse.veto",
            tooltip="Of a pair: not this one tonight",
        ),
        Binding(
            "h", "history", "History", show=False, id="browse.history", tooltip="All that was done, and a way back"
        ),
        Binding("y", "copy", "Copy", show=False, id="browse.copy", tooltip="Copy the title and the address on IMDb"),
        Binding("l", "open_page", "IMDb", show=False, id="browse.imdb", tooltip="Open the page of the movie on IMDb"),
        Binding(
            "M",
            "models",
            "Models",
            show=False,
            id="browse.models",
            tooltip="Another model for the list, and what it would change",
        ),
        Binding(
            "i",
            "import",
            "Import",
            show=False,
            id="browse.import",
            tooltip="Bring ratings and lists from Letterboxd, IMDb, Trakt, MovieLens or TMDB",
        ),
    ]

    def body(self) -> ComposeResult:
        """Put a line above the panes that says which movies are in the list."""
        yield ViewLine(self.session)
        yield from super().body()

    @property
    def view_line(self) -> ViewLine:
        """The line above the list."""
        return self.query_one(ViewLine)

    def refresh_frame(self) -> None:
        """Draw the lines of the frame again."""
        super().refresh_frame()
        for line in self.query(ViewLine):
            line.tell(self._view())

    def _view(self) -> list[str]:
        """What makes the list another one than all unseen movies in their order."""
        view = self.session.view
        audience = self.session.audience
        parts = [f"{key_of(self, 'browse.filter')} {view.only}"] if view.only else []
        parts += [dial("safe", "daring", view.daring)] if view.daring else []
        shelf = {"all": [], "watchlist": ["the watchlist"], "both": ["what all of you want"]}[view.shelf]
        parts += [f"{key_of(self, 'browse.shelf')} {what}" for what in shelf]
        if audience.together:
            parts += [f"{key_of(self, 'browse.standardise')} each on their own scale"] * audience.standardise
            vetoes = ", ".join(veto.film.title for veto in audience.vetoes)
            parts += [f"{key_of(self, 'browse.veto')} {vetoes}"] if vetoes else []
        return parts

    # The filter

    @told
    async def action_filter(self) -> None:
        """Let the filter be typed."""
        self._listed()
        await self.view_line.type(self.session.view.only)

    def _listed(self) -> None:
        """Raise ``Problem`` where there is no list yet."""
        if self.session.opened is None:
            raise Problem(f"There is no list yet; {key_of(self, 'screen.data')} opens a dataset.")

    @on(ViewLine.Typed)
    async def narrow(self, event: ViewLine.Typed) -> None:
        """Narrow the list to what is typed so far; what cannot be read yet leaves it as it is."""
        event.stop()
        try:
            await self.narrow_to(event.only)
        except Problem as problem:
            if not event.unfinished:
                self.movie_tui.say_problem(problem)

    async def narrow_to(self, only: str) -> None:
        """Show only what passes a filter. Raises ``Problem`` for one that cannot be read."""
        await self.session.narrow(only)
        await self.fill_movies(from_top=True)
        passing = text.plural(self.movies.total, "unseen movie")
        self.movie_tui.say(f"{passing} {'pass' if self.movies.total != 1 else 'passes'} {only}" if only else "")

    @on(ViewLine.Wrong)
    def tell_wrong(self, event: ViewLine.Wrong) -> None:
        """Say what is wrong with what is typed."""
        event.stop()
        self.movie_tui.say_problem(event.problem)

    @on(ViewLine.Over)
    @told
    async def end_filter(self, event: ViewLine.Over) -> None:
        """Go back to the list; a filter that cannot be read is typed on."""
        event.stop()
        await self.narrow_to(event.only)
        self.set_focus(self.movies)
        await self.view_line.end()

    @on(ViewLine.Save)
    def ask_filter_name(self, event: ViewLine.Save) -> None:
        """Ask for a name for the filter."""
        from movietui.screens.panels import NamePanel

        event.stop()
        only = event.only
        words = (
            f"A word to save {only!r} by:" if only.strip() else "The filter is empty: which name is to be forgotten?"
        )
        self.app.push_screen(NamePanel("Save filter", words, check_name), partial(self.save_filter, only))

    @work
    @told
    async def save_filter(self, only: str, name: str | None) -> None:
        """Save the filter."""
        if name is not None:
            await self.session.save_filter(name, only.strip())
            typed = f"{key_of(self, 'browse.filter')} then {SAVED}{name}"
            self.movie_tui.say(f"{typed} is {only}" if only.strip() else f"{SAVED}{name} is forgotten")

    @told
    async def action_genre(self, step: int) -> None:
        """Go on to the next genre."""
        self._listed()
        assert self.session.opened is not None
        await self.narrow_to(step_genre(self.session.view.only, self.session.opened["genres"], step))

    @told
    async def action_decade(self, step: int) -> None:
        """Go on to the decade before."""
        self._listed()
        assert self.session.opened is not None
        await self.narrow_to(step_decade(self.session.view.only, self.session.opened["decades"], step))

    # Safe and daring

    @told
    async def action_dare(self, steps: int) -> None:
        """Turn the dial between safe and daring."""
        self._listed()
        self.session.dare(steps)
        await self.fill_movies(from_top=True)
        self.movie_tui.say(dial("safe", "daring", self.session.view.daring))

    @work(exclusive=True, group="card")
    @told
    async def action_surprise(self) -> None:
        """Show one good movie, another one each time, and one reason."""
        from movietui.screens.panels import SurprisePanel

        self._listed()
        row = await self.session.surprise(secrets.randbelow(2**32))
        if row is None:
            changes = f"{key_of(self, 'browse.filter')} and {key_of(self, 'browse.shelf')} change"
            raise Problem(f"The list is empty; {changes} what is in it.")
        await self._show_card(SurprisePanel, row["id"])

    @work(exclusive=True, group="card")
    @told
    async def show_card(self, movie: str) -> None:
        """Show a movie that may not be in the list."""
        from movietui.screens.panels import CardPanel

        await self._show_card(CardPanel, movie)

    async def _show_card(self, panel: type[CardPanel], movie: str) -> None:
        details = await self.session.details(movie)
        self.app.push_screen(panel(details, self.names()), partial(self.do, details))

    @work
    @told
    async def do(self, movie: Details, deed: tuple[Any, ...] | None) -> None:
        """Do what a key on a card asked for."""
        match deed:
            case ("rate", stars):
                change = await self.session.rate(movie, float(stars))
                await self.answer(change, saying.did(change))
            case ("mark", mark):
                change = await self.session.mark(movie, mark)
                await self.answer(change, saying.did(change))
            case ("like",):
                await self._show_similar(movie["id"], movie["title"])
            case ("surprise",):
                self.action_surprise()

    # More like this, search, taste

    @work(exclusive=True, group="card")
    @told
    async def action_similar(self) -> None:
        """List the movies that are most like the one under the cursor."""
        row = self.under_cursor()
        await self._show_similar(row["id"], row["title"])

    async def _show_similar(self, movie: str, title: str) -> None:
        from movietui.screens.discovering import SimilarPanel

        self.app.push_screen(SimilarPanel(title, await self.session.similar(movie, SIMILAR)), self._show_chosen)

    def _show_chosen(self, movie: str | None) -> None:
        if movie is not None:
            self.show_card(movie)

    async def action_search(self) -> None:
        """Search everything; from the viewers, search among them."""
        if self.people.has_focus_within or self.session.opened is None:
            await super().action_search()
            return
        from movietui.screens.search import SearchPanel

        self.app.push_screen(SearchPanel(self.session), self.show_found)

    @work
    @told
    async def show_found(self, found: FoundRow | None) -> None:
        """Open what was found: a movie's card, the list of a viewer, the movies of a director."""
        if found is None:
            return
        if found.kind == "movie":
            self.show_card(found.name)
        elif found.kind == "director":
            await self.narrow_to(f'@"{found.name}"' if " " in found.name else f"@{found.name}")
        else:
            from movietui.screens.search import viewer_of

            assert self.session.opened is not None
            await self.look_at(viewer_of(found, self.session.opened["dataset"]))
            await self.people.fill(place_cursor=True)

    @work(exclusive=True, group="card")
    @told
    async def action_taste(self) -> None:
        """Tell what the viewers of the list like."""
        from movietui.screens.discovering import TastePanel

        self._listed()
        self.app.push_screen(TastePanel(await self.session.taste(), self.names()))

    # The pair

    def _paired(self) -> None:
        """Raise ``Problem`` where the list is not for two."""
        if not self.session.audience.together:
            raise Problem(f"That is for a pair; {key_of(self, 'browse.pair')} on a second viewer makes one.")

    @told
    async def action_way(self, steps: int) -> None:
        """Make a pair's list another way."""
        self._paired()
        self.session.step_way(steps)
        await self.fill_movies(from_top=True)
        way = self.session.audience.way
        self.movie_tui.say(f"{way}: {WAYS_TOLD[way]}")

    @told
    async def action_standardise(self) -> None:
        """See each of a pair on their own scale, or not."""
        self._paired()
        self.session.switch_standard()
        await self.fill_movies(from_top=True)
        own = self.session.audience.standardise
        self.movie_tui.say(
            "Each on their own scale: whoever gives few stars weighs as much" if own else "All on the scale of stars"
        )

    @told
    async def action_unseen(self) -> None:
        """Show a pair also what one of them has seen, what both have, or neither of these."""
        self._paired()
        self.session.switch_unseen()
        await self.fill_movies(from_top=True)
        self.movie_tui.say(
            {
                "all": "Only what none of you has seen",
                "any": "Also what one of you has seen",
                "none": "Also what all of you have seen",
            }[self.session.audience.unseen_by]
        )

    @told
    async def action_veto(self) -> None:
        """Leave the movie under the cursor out, as whoever's turn it is."""
        self._paired()
        veto = self.session.veto(self.under_cursor())
        await self.answer(veto, f"veto of {veto.film.title}")

    # Marks

    @told
    async def action_mark(self, mark: str) -> None:
        """Mark the movie under the cursor, or take the mark off."""
        change = await self.session.mark(self.under_cursor(), cast(Mark, mark))
        await self.answer(change, saying.did(change))

    @told
    async def action_shelf(self) -> None:
        """Go on from all movies to those on the watchlist, and back."""
        self.session.step_shelf()
        await self.fill_movies(from_top=True)
        told = {
            "all": "All unseen movies",
            "watchlist": "What is on a watchlist" if self.session.audience.together else "What is on the watchlist",
            "both": "What is on the watchlists of all of you",
        }
        self.movie_tui.say(f"{told[self.session.view.shelf]}, best first")

    # History

    @told
    async def action_history(self) -> None:
        """List all that was done by whoever's turn it is."""
        from movietui.screens.history import HistoryPanel

        if not self.session.audience.viewers:
            raise Problem(
                f"There is no list yet, so nobody did anything; {key_of(self, 'screen.data')} opens a dataset."
            )
        self.app.push_screen(HistoryPanel(self.session, self.session.audience.rater), self.show_after_history)

    @work
    @told
    async def show_after_history(self, changed: bool | None) -> None:
        """Show the list as it is now."""
        if changed:
            await self.refresh_list()

    # A movie for elsewhere

    @told
    async def action_copy(self) -> None:
        """Copy the title and the address of the movie under the cursor."""
        copy(self.movie_tui, await self.session.details(self.under_cursor()["id"]))

    @told
    async def action_open_page(self) -> None:
        """Open the page of the movie that the details are of."""
        row = self.movies.current
        if row is not None:
            open_page(self.movie_tui, await self.session.details(row["id"]))

    # Models

    @work(exclusive=True, group="card")
    @told
    async def action_models(self) -> None:
        """Show the runs that can serve the list, and use the one that is chosen."""
        from movietui.screens.switching import SwitchPanel

        self._listed()
        session = self.session
        assert session.run is not None
        runs = await session.on_store(session.store.serving_runs, session.run.dataset)
        run = await self.app.push_screen_wait(SwitchPanel(session, runs))
        if run is not None and run.id != session.run.id:
            await self.movie_tui.serve(run.dataset, run)
            self.movie_tui.say(f"Run {run.id}, {run.model}, makes the list now")

    # Imports

    @work(exclusive=True, group="import")
    @told
    async def action_import(self) -> None:
        """Ask for a file, show what it would bring, and bring it."""
        from movietui.screens.bringing import PreviewPanel, ask_for_file, outcome

        self._listed()
        found = await self.app.push_screen_wait(ask_for_file(self.session))
        if found is None:
            return
        path, preview = found
        rater = self.session.audience.rater
        name = rater.id if rater.kind == "profile" else ""
        chosen = await self.app.push_screen_wait(PreviewPanel(self.session, path, preview, name))
        if chosen is None:
            self.movie_tui.say("Nothing is imported; everything is as it was.")
            return
        name, settled = chosen
        self.movie_tui.say(f"Importing into {name} …")
        brought = await self.session.bring(name, path, settled)
        viewer = profile(brought["profile"])
        if viewer not in self.session.audience.viewers:
            await self.session.look_at(viewer)
        await self.fill_movies(from_top=True)
        await self.people.fill(place_cursor=True)
        self.set_focus(self.movies)
        takes_back = f" · {hint(self, ('browse.undo', 'takes the import back'))}" if brought["changes"] else ""
        self.movie_tui.say(outcome(brought, path) + takes_back)

    # Profiles

    @on(ViewersPane.Rename)
    def ask_name(self, event: ViewersPane.Rename) -> None:
        """Ask what a profile is to be called."""
        from movietui.screens.panels import NamePanel

        viewer = event.viewer
        rename = partial(self.session.store.rename_profile, viewer)
        panel = NamePanel("Rename", f"Another name for {viewer.id}:", rename, viewer.id)
        self.app.push_screen(panel, partial(self.show_renamed, viewer))

    @work
    @told
    async def show_renamed(self, before: ViewerRef, renamed: ViewerRef | None) -> None:
        """Show a profile under its new name."""
        if renamed is not None:
            self.session.follow(before, renamed)
            await self.refresh_list()
            self.movie_tui.say(f"{before.id} is now {renamed.id}")

    @on(ViewersPane.Delete)
    @told
    async def delete_profile(self, event: ViewersPane.Delete) -> None:
        """Delete a profile; u brings it back."""
        await self.session.delete(event.viewer)
        await self.refresh_list()
        self.movie_tui.say(f"{event.viewer.id} is deleted · {hint(self, ('browse.undo', 'brings it back'))}")
