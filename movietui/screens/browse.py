"""Browse: viewers on the left, the ranked list in the middle, what is known of the movie on the right."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Input, Static

from data.problems import Problem
from movietui import text
from movietui.replies import Details, MovieRow, Ranked
from movietui.screens.frame import FrameScreen, screen_keys
from movietui.screens.panels import DetailsPanel, NamePanel
from movietui.session import Session
from movietui.store import Change
from movietui.viewers import ViewerRef, user
from movietui.widgets.details import describe
from movietui.widgets.movie_list import MovieList
from movietui.widgets.row_list import WINDOW, RowList
from movietui.widgets.viewer_list import Entry, Heading, Hint, ViewerList, ViewerRow, user_row

if TYPE_CHECKING:
    from movietui.app import MovieTui

DETAILS_DELAY = 0.05
"""Seconds that the cursor rests before its movie is looked up."""
WELCOME = (
    "← and enter   the list of anybody on the left",
    "n             a profile of your own; 1 to 5 rate",
    "p             a second viewer; ? lists all keys",
)


class BrowseScreen(FrameScreen):
    """Unseen movies, best first, for one viewer or a pair."""

    title_of_help = "Browse"
    about = WELCOME
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "rate(1)", "Rate", key_display="1-5", id="browse.rate-1", tooltip="This many stars for the movie"),
        *(Binding(str(stars), f"rate({stars})", show=False, id=f"browse.rate-{stars}") for stars in range(2, 6)),
        Binding(
            "left_square_bracket",
            "nudge(-0.5)",
            "Half less",
            key_display="[",
            show=False,
            id="browse.half-less",
            tooltip="Half a star less for the movie rated last",
        ),
        Binding(
            "right_square_bracket",
            "nudge(0.5)",
            "Half more",
            key_display="]",
            show=False,
            id="browse.half-more",
            tooltip="Half a star more for the movie rated last",
        ),
        Binding("u", "undo", "Undo", id="browse.undo", tooltip="Take the last rating back; again for the one before"),
        Binding("r", "redo", "Redo", show=False, id="browse.redo", tooltip="Give the rating that was taken back again"),
        Binding(
            "p", "pair", "Pair", id="browse.pair", tooltip="Add the viewer under the cursor as the second, or drop"
        ),
        Binding(
            "n", "new_profile", "New profile", id="browse.new", tooltip="A profile of your own, which starts empty"
        ),
        Binding("slash", "search", "Search", key_display="/", show=False, id="browse.search", tooltip="Find a viewer"),
        Binding("enter", "choose", "Why", id="browse.choose", tooltip="Details of a movie; the list of a viewer"),
        Binding("left,h", "focus_viewers", "Viewers", show=False, tooltip="Go to the viewers"),
        Binding("right,l", "focus_movies", "Movies", show=False, tooltip="Go to the movies"),
        Binding(
            "tab", "turn", "Other", show=False, id="browse.turn", tooltip="Of a pair: whose rating the next key is"
        ),
        Binding("minus", "lean(-1)", "Average", key_display="-", show=False, tooltip="Of a pair: lean to the average"),
        Binding(
            "equals_sign",
            "lean(1)",
            "Least misery",
            key_display="=",
            show=False,
            tooltip="Of a pair: lean to the less happy one",
        ),
        Binding("escape", "back", "Back", show=False, tooltip="Leave the search; one viewer instead of a pair"),
        *screen_keys(),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._names: tuple[str, ...] = ()
        self._details: Details | None = None
        self._details_timer: Timer | None = None
        self._search = ""

    def body(self) -> ComposeResult:
        """Put the three panes side by side."""
        with Horizontal(id="panes"):
            with Vertical(id="viewers-pane", classes="pane"):
                yield Input(placeholder="/ search", id="search", compact=True)
                yield ViewerList(id="viewers")
            with Vertical(id="movies-pane", classes="pane"):
                yield Static(id="welcome", markup=False)
                yield Static(id="empty", markup=False)
                yield MovieList(id="movies")
            with VerticalScroll(id="details-pane", classes="pane", can_focus=False):
                yield Static(id="details", markup=False)

    def on_mount(self) -> None:
        """Say what the panes are for while the engine warms up."""
        self.query_one("#viewers-pane").border_title = "Viewers"
        self.query_one("#movies-pane").border_title = "Unseen, best first"
        self.query_one("#details-pane").border_title = "Movie"
        self.query_one("#welcome").display = False
        self.show_empty("Getting the list ready …")
        self.movies.focus()
        self.movie_tui.served_changed.subscribe(self, self.open_list)
        if self.session.opened is not None:
            self.open_list()

    # Short cuts

    @property
    def movie_tui(self) -> MovieTui:
        """The app."""
        return cast("MovieTui", self.app)

    @property
    def session(self) -> Session:
        """What the app knows."""
        session = self.movie_tui.session
        assert session is not None
        return session

    @property
    def movies(self) -> MovieList:
        """The list in the middle."""
        return self.query_one("#movies", MovieList)

    @property
    def viewers(self) -> ViewerList:
        """The list on the left."""
        return self.query_one("#viewers", ViewerList)

    # What is shown

    def show_empty(self, message: str) -> None:
        """Say why there is no list and what to do; an empty message shows the list again."""
        empty = self.query_one("#empty", Static)
        empty.update(Text(message))
        empty.display = bool(message)
        self.movies.display = not message

    def welcome(self) -> None:
        """Show three lines for somebody who is here for the first time; they go with the first key."""
        panel = self.query_one("#welcome", Static)
        panel.update(Text("\n".join(WELCOME)))
        panel.display = True

    def on_key(self) -> None:
        """The welcome is read; marks of what moved are, too."""
        self.query_one("#welcome").display = False
        self.movies.mark(False)

    @work(exclusive=True, group="open")
    async def open_list(self, dataset: str = "") -> None:
        """Show the viewers and the list of another dataset or model."""
        await self.fill_viewers(place_cursor=True)
        await self.fill_movies(from_top=True)

    async def fill_movies(self, *, from_top: bool = False, after_rating: bool = False) -> Ranked | None:
        """Ask for the list around the cursor and show it."""
        movies = self.movies
        if self.session.opened is None:
            self.show_empty("No dataset is open: d opens the Data screen, t trains a model.")
            return None
        if from_top:
            movies.cursor = 0
        try:
            ranked = await self.session.ranked(movies.window, WINDOW, after_rating=after_rating)
        except Problem as problem:
            self.movie_tui.say_problem(problem)
            return None
        if ranked["total"] and movies.window >= ranked["total"]:  # the list became shorter than where the cursor was
            movies.total = ranked["total"]
            movies.cursor = ranked["total"] - 1
            ranked = await self.session.ranked(movies.window, WINDOW, after_rating=after_rating)
        audience = self.session.audience
        movies.names = tuple(ref.id for ref in audience.viewers)
        movies.fill(ranked["total"], ranked["offset"], ranked["rows"])
        if from_top:
            movies.scroll_to(y=0, animate=False)
        movies.mark(after_rating)
        self.viewers.choose(audience.viewers)
        self.show_empty("" if ranked["total"] else "Everything here has been seen. Open a larger dataset with d.")
        self._title_movies(ranked)
        self.refresh_frame()
        return ranked

    def _title_movies(self, ranked: Ranked) -> None:
        pane = self.query_one("#movies-pane")
        audience = self.session.audience
        opened = self.session.opened
        assert opened is not None
        if audience.pair:
            knob = round(audience.misery * 10)
            dial = f"average ├{'─' * knob}●{'─' * (10 - knob)}┤ least misery"
            pane.border_title = Content(f"Unseen by both · {dial}")
            alike = ranked["alike"]
            pane.border_subtitle = Content(
                f"alike: {alike['value']:.2f} over {text.plural(alike['common'], 'film')} both rated"
                if alike
                else "alike: too few films in common to say"
            )
            return
        pane.border_title = Content("Unseen, best first")
        pane.border_subtitle = Content(f"{ranked['total']:,} of {opened['movies']:,} · {ranked['seen'][0]:,} seen")

    async def fill_viewers(self, *, place_cursor: bool = False) -> None:
        """Show profiles and users that the search finds."""
        session = self.session
        if session.opened is None:
            return
        head = await self._profiles()
        people = await session.people(self._search, 0, WINDOW)
        rows: list[Entry] = [*head, *(user_row(row, user(row["id"], people["dataset"])) for row in people["rows"])]
        if self._search and not people["total"]:
            rows.append(Hint("nobody is found"))
        viewers = self.viewers
        viewers.fill(max(len(rows), len(head) + people["total"]), 0, rows)
        viewers.choose(session.audience.viewers)
        if place_cursor:
            self._put_cursor_on(rows)

    def _put_cursor_on(self, rows: list[Entry]) -> None:
        chosen = self.session.audience.viewers[:1]
        places = [i for i, row in enumerate(rows) if isinstance(row, ViewerRow) and row.ref in chosen]
        people = [i for i, row in enumerate(rows) if isinstance(row, ViewerRow)]
        self.viewers.cursor = (places or people or [0])[0]

    async def _profiles(self) -> list[Entry]:
        stored = await self.movie_tui.in_thread(self.session.store.profiles)
        words = self._search.casefold().split()
        found = [ViewerRow(ref, count) for ref, count in stored if all(word in ref.id.casefold() for word in words)]
        opened = self.session.opened
        name = opened["dataset"] if opened else ""
        group: list[Entry] = [*found] if found else [Hint("nobody is found" if self._search else "n adds a profile")]
        return [Heading("you"), *group, Heading(f"people in {name}")]

    # What comes into view

    @on(RowList.Wanted, "#movies")
    async def bring_movies(self, event: RowList.Wanted) -> None:
        """Bring a window of the list that was scrolled to."""
        event.stop()
        try:
            ranked = await self.session.ranked(event.offset, WINDOW)
        except Problem as problem:
            self.movie_tui.say_problem(problem)
            return
        self.movies.bring(ranked["offset"], ranked["rows"])

    @on(RowList.Wanted, "#viewers")
    async def bring_viewers(self, event: RowList.Wanted) -> None:
        """Bring users that were scrolled to."""
        event.stop()
        above = len(await self._profiles())
        people = await self.session.people(self._search, event.offset - above, WINDOW)
        rows: list[Entry] = [user_row(row, user(row["id"], people["dataset"])) for row in people["rows"]]
        self.viewers.bring(event.offset, rows)

    @on(RowList.Moved, "#movies")
    def look_up(self, event: RowList.Moved) -> None:
        """Look the movie under the cursor up, once the cursor rests."""
        event.stop()
        if self._details_timer is not None:
            self._details_timer.stop()
        self._details_timer = self.set_timer(DETAILS_DELAY, self.show_details)

    @work(exclusive=True, group="details")
    async def show_details(self) -> None:
        """Show what is known of the movie under the cursor."""
        row = self.movies.current
        pane = self.query_one("#details-pane")
        if row is None or not pane.display:
            return
        try:
            details = await self.session.details(row["id"])
        except Problem as problem:
            self.movie_tui.say_problem(problem)
            return
        self._details = details
        pane.border_title = Content(details["title"])
        names = [ref.label for ref in self.session.audience.viewers]
        self.query_one("#details", Static).update(describe(details, names, max(20, pane.size.width - 4)))

    # Keys

    def _row(self) -> MovieRow | None:
        """The movie that a rating is for; none while the list is not what is looked at."""
        if not self.movies.has_focus:
            return None
        return self.movies.current

    async def action_rate(self, stars: int) -> None:
        """Rate the movie under the cursor."""
        row = self._row()
        if row is None:
            self.movie_tui.say("Go to the list with → first; the stars are for the movie under its cursor.")
            return
        try:
            change = await self.session.rate(row, float(stars))
        except Problem as problem:
            self.movie_tui.say_problem(problem)
            return
        await self._answer(change, "rated")

    async def action_nudge(self, step: float) -> None:
        """Change the rating given last by half a star."""
        try:
            change = await self.session.nudge(step)
        except Problem as problem:
            self.movie_tui.say_problem(problem)
            return
        await self._answer(change, "rated")

    async def action_undo(self) -> None:
        """Take the last rating back."""
        await self._step(undo=True)

    async def action_redo(self) -> None:
        """Give the rating that was taken back again."""
        await self._step(undo=False)

    async def _step(self, *, undo: bool) -> None:
        try:
            change = await (self.session.undo() if undo else self.session.redo())
        except Problem as problem:
            self.movie_tui.say_problem(problem)
            return
        if change is None:
            self.movie_tui.say("There is nothing to undo." if undo else "There is nothing to do again.")
            return
        await self._answer(change, "took back" if undo else "gave again")

    async def _answer(self, change: Change, did: str) -> None:
        """Show the new order and say what happened."""
        ranked = await self.fill_movies(after_rating=True)
        await self.fill_viewers()
        given = change.before if did == "took back" else change.after
        parts = [f"{did} {change.film.title} {text.number_of_stars(given) if given is not None else ''}".rstrip()]
        if self.session.audience.pair:
            letter = "AB"[self.session.audience.viewers.index(change.viewer)]
            parts[0] += f" as {letter} {change.viewer.label}"
        if ranked is not None:
            parts.append(f"{text.plural(ranked['moved'], 'movie')} moved" if ranked["moved"] else "nothing moved")
        parts.append("r gives it again" if did == "took back" else "u undoes")
        self.movie_tui.say(" · ".join(parts))

    async def action_pair(self) -> None:
        """Make the viewer under the cursor the second; on the list, go to the viewers or drop the second."""
        if self.movies.has_focus:
            if self.session.audience.pair:
                await self._drop_second()
                return
            self.viewers.focus()
            self.movie_tui.say("Choose the second viewer and press p.")
            return
        entry = self.viewers.current
        if isinstance(entry, ViewerRow):
            if self.session.audience.viewers == (entry.ref,):
                self.movie_tui.say(f"The list is for {entry.ref.label} already; choose somebody else for a pair.")
                return
            self.session.pair_with(entry.ref)
            await self._audience_changed()

    async def _drop_second(self) -> None:
        await self.session.look_at(self.session.audience.viewers[0])
        await self._audience_changed()

    async def _audience_changed(self) -> None:
        await self.fill_movies(from_top=True)
        names = " and ".join(ref.label for ref in self.session.audience.viewers)
        hint = " · tab: whose rating the next key is · - = lean" if self.session.audience.pair else ""
        self.movie_tui.say(f"The list of {names}{hint}")
        self.movies.focus()

    async def look_at(self, viewer: ViewerRef) -> None:
        """Show the list of a viewer."""
        await self.session.look_at(viewer)
        await self._audience_changed()

    async def action_lean(self, steps: int) -> None:
        """Turn the dial of a pair."""
        if not self.session.audience.pair:
            self.movie_tui.say("The dial is for a pair; p on a second viewer makes one.")
            return
        self.session.lean(steps)
        await self.fill_movies()

    def action_turn(self) -> None:
        """Of a pair: the next rating is the other's. Otherwise go to the next pane."""
        if self.session.opened is not None and self.session.audience.pair and self.movies.has_focus:
            self.session.rate_as_other()
            self.refresh_frame()
            audience = self.session.audience
            self.movie_tui.say(f"The next rating is {'AB'[audience.rating_as]}’s: {audience.rater.label}")
        else:
            self.focus_next()

    async def action_choose(self) -> None:
        """Details of the movie under the cursor, or the list of the viewer under it."""
        if self.movies.has_focus:
            row = self.movies.current
            if row is not None:
                try:
                    details = await self.session.details(row["id"])
                except Problem as problem:
                    self.movie_tui.say_problem(problem)
                    return
                names = [ref.label for ref in self.session.audience.viewers]
                self.app.push_screen(DetailsPanel(details, names))
            return
        entry = self.viewers.current
        if isinstance(entry, ViewerRow):
            await self.look_at(entry.ref)

    @on(RowList.Clicked)
    async def choose_clicked(self, event: RowList.Clicked) -> None:
        """A click on the row under the cursor is as good as enter."""
        event.stop()
        await self.action_choose()

    @work
    async def action_new_profile(self) -> None:
        """Ask for a name and show the new profile's list."""
        if self.session.opened is None:
            self.movie_tui.say("Open a dataset first: d.")
            return
        ref = await self.app.push_screen_wait(NamePanel(self.session.store.create_profile))
        if ref is not None:
            await self.look_at(ref)
            await self.fill_viewers(place_cursor=True)
            self.movie_tui.say(f"This is what most people like, {ref.id}. Rate what you know with 1 to 5.")

    # Searching viewers

    def action_search(self) -> None:
        """Type to find a viewer."""
        self.query_one("#search", Input).focus()

    @on(Input.Changed, "#search")
    async def search_changed(self, event: Input.Changed) -> None:
        """Show who is found so far."""
        if event.value != self._search:
            self._search = event.value
            self.viewers.cursor = 0
            await self.fill_viewers()

    @on(Input.Submitted, "#search")
    async def search_submitted(self) -> None:
        """Go to those found; if it is just one, show the list."""
        self.viewers.focus()
        rows = [row for row in self.viewers.known_rows() if isinstance(row, ViewerRow)]
        if self._search and len(rows) == 1:
            await self.look_at(rows[0].ref)

    def action_focus_viewers(self) -> None:
        """Go to the viewers."""
        self.viewers.focus()

    def action_focus_movies(self) -> None:
        """Go to the movies."""
        self.movies.focus()

    async def action_back(self) -> None:
        """Leave the search, else the viewers, else the pair."""
        search = self.query_one("#search", Input)
        if search.has_focus or self._search:
            search.value = ""
            self.viewers.focus()
        elif self.viewers.has_focus:
            self.movies.focus()
        elif self.session.opened is not None and self.session.audience.pair:
            await self._drop_second()
