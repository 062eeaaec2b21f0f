"""The list of Browse: viewers on the left, movies in the middle, what is known of one on the right; rating and undo."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from data.problems import Problem
from movietui import saying, text
from movietui.bindings import RATE_KEYS, half_star_keys, hint, key_of
from movietui.replies import MovieRow, Ranked
from movietui.screens.frame import FrameScreen, screen_keys
from movietui.session import Deleted, Done
from movietui.store import Change
from movietui.viewers import LETTERS, ViewerRef
from movietui.widgets.details import describe
from movietui.widgets.movie_list import MovieList
from movietui.widgets.row_list import WINDOW, RowList
from movietui.widgets.text_pane import TextPane
from movietui.widgets.told import told
from movietui.widgets.viewers_pane import ViewersPane

if TYPE_CHECKING:
    from movietui.interviewing import Interviewing

DETAILS_DELAY = 0.05
"""Seconds that the cursor rests before its movie is looked up."""
ANSWERED = ("rate", "nudge", "undo", "redo", "mark", "veto")
"""Actions that the list answers with a new order."""
PRIOR = {"search", "filter", "focus_viewers", "focus_movies", "new_profile", "interview"}
"""Actions whose keys have priority, so that what is typed right after them finds the focus where they put it."""
_WHAT = {"all": "Unseen by both", "any": "Unseen by either", "none": "Seen or not"}
_WHAT_GROUP = {"all": "Unseen by all", "any": "Unseen by some", "none": "Seen or not"}
WELCOME = (
    ("browse.viewers browse.choose", "the list of anybody on the left"),
    ("browse.new", "a profile of your own in two minutes"),
    ("browse.import", "import from Letterboxd, IMDb or Trakt"),
    ("browse.pair", "a second viewer; {} lists all keys"),
)
"""The ids of keys, and what they do."""


class ListScreen(FrameScreen):
    """Unseen movies, best first, for one viewer or a pair."""

    title_of_help = "Browse"
    BINDINGS: ClassVar[list[BindingType]] = [
        *RATE_KEYS,
        *half_star_keys("browse", "movie"),
        Binding("u", "undo", "Undo", id="browse.undo", tooltip="Take the last rating back; again for the one before"),
        Binding("r", "redo", "Redo", show=False, id="browse.redo", tooltip="Give the rating that was taken back again"),
        Binding(
            "p", "pair", "Pair", id="browse.pair", tooltip="Add the viewer under the cursor as the second, or drop"
        ),
        Binding(
            "P",
            "join",
            "Group",
            show=False,
            id="browse.join",
            tooltip="Of more than two: let the viewer under the cursor join, or go",
        ),
        Binding(
            "n",
            "new_profile",
            "New profile",
            priority=True,
            id="browse.new",
            tooltip="A profile of your own, in two minutes",
        ),
        Binding(
            "N",
            "interview",
            "Get to know me",
            show=False,
            priority=True,
            id="browse.interview",
            tooltip="Answer about well-known films, so that the list gets better",
        ),
        Binding(
            "slash",
            "search",
            "Search",
            key_display="/",
            show=False,
            priority=True,
            id="browse.search",
            tooltip="Find a viewer",
        ),
        Binding("enter", "choose", "Why", id="browse.choose", tooltip="Details of a movie; the list of a viewer"),
        Binding(
            "left",
            "focus_viewers",
            "Viewers",
            show=False,
            priority=True,
            id="browse.viewers",
            tooltip="Go to the viewers",
        ),
        Binding(
            "right", "focus_movies", "Movies", show=False, priority=True, id="browse.movies", tooltip="Go to the movies"
        ),
        Binding(
            "tab", "turn", "Other", show=False, id="browse.turn", tooltip="Of a pair: whose rating the next key is"
        ),
        Binding(
            "minus",
            "lean(-1)",
            "Average",
            key_display="-",
            show=False,
            id="browse.average",
            tooltip="Of a pair: lean to the average",
        ),
        Binding(
            "equals_sign",
            "lean(1)",
            "Least misery",
            key_display="=",
            show=False,
            id="browse.misery",
            tooltip="Of a pair: lean to the less happy one",
        ),
        Binding(
            "escape",
            "back",
            "Back",
            show=False,
            id="browse.back",
            tooltip="Leave the search; one viewer instead of a pair",
        ),
        *screen_keys(),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._details_timer: Timer | None = None
        self._listed_dataset = ""
        """The dataset whose list is shown."""

    def body(self) -> ComposeResult:
        """Put the three panes side by side."""
        with Horizontal(classes="body"):
            yield ViewersPane(self.session, id="viewers-pane", classes="pane")
            yield MovieList(id="movies", classes="pane")
            yield TextPane(id="details", classes="pane")

    def on_mount(self) -> None:
        """Say what the panes are for while the engine warms up."""
        self.movies.border_title = "Unseen, best first"
        self.details.border_title = "Movie"
        self.movies.say("Getting the list ready …")
        self.set_focus(self.movies)
        self.movie_tui.served_changed.subscribe(self, self.open_list)
        if self.session.opened is not None:
            self.open_list()

    @property
    def movies(self) -> MovieList:
        """The list in the middle."""
        return self.query_one("#movies", MovieList)

    @property
    def details(self) -> TextPane:
        """What is known of the movie under the cursor, on the right."""
        return self.query_one("#details", TextPane)

    @property
    def people(self) -> ViewersPane:
        """The pane on the left."""
        return self.query_one(ViewersPane)

    # What is shown

    @property
    def about(self) -> Sequence[str]:  # type: ignore[override]  # with the keys in force
        """What there is to do first."""
        keys = [" and ".join(key_of(self, name) for name in names.split()) for names, _ in WELCOME]
        width = max(13, *map(len, keys)) + 1
        all_keys = key_of(self.app, "app.keys")
        return [f"{key:<{width}}{does.format(all_keys)}" for key, (_, does) in zip(keys, WELCOME, strict=True)]

    def welcome(self) -> None:
        """Show three lines for somebody who is here for the first time; they go with the first key."""
        self.mount(Static(Text("\n".join(self.about)), id="welcome"), before=".body")

    @cached_property
    def _answered(self) -> set[str]:
        """The keys of the actions that are answered with a new order."""
        own = self.movie_tui.own_keys
        bindings = (binding for each in self._bindings.key_to_bindings.values() for binding in each)
        return {
            key
            for binding in bindings
            if binding.action.startswith(ANSWERED)
            for key in own.get(binding.id or "", binding.key).split(",")
        }

    def on_screen_suspend(self) -> None:
        """The welcome is read, also where the first key opens a panel and is seen there."""
        self.query("#welcome").remove()

    def on_key(self, event: events.Key) -> None:
        """The welcome is read; marks of what moved are, too, unless the key sets new ones."""
        self.query("#welcome").remove()
        if event.key not in self._answered:
            self.movies.mark(False)

    @work(exclusive=True, group="open")
    @told
    async def open_list(self, dataset: str = "") -> None:
        """Show the viewers and the list of another dataset, from the top; of another model where the eye is."""
        assert self.session.opened is not None
        before, self._listed_dataset = self._listed_dataset, self.session.opened["dataset"]
        if before == self._listed_dataset:
            await self.refresh_list()
            return
        await self.people.fill(place_cursor=True)
        await self.fill_movies(from_top=True)

    @told
    async def refresh_list(self) -> None:
        """Show what was changed elsewhere; the cursor stays on its movie, so that a key rates what was looked at."""
        await self.session.leave_gone()
        await self.people.fill()
        self._show(await self._ranked(), follow=True)

    async def fill_movies(self, *, from_top: bool = False) -> None:
        """Ask for the list around the cursor and show it."""
        if from_top:
            self.movies.cursor = 0
        self._show(await self._ranked())
        if from_top:
            self.movies.scroll_to(y=0, animate=False)

    async def _ranked(self, *, after_rating: bool = False) -> Ranked:
        """Ask for the window that the cursor is in."""
        movies = self.movies
        ranked = await self.session.ranked(movies.window, WINDOW, after_rating=after_rating)
        if 0 < ranked["total"] <= movies.window:  # the list became shorter than where the cursor was
            movies.total = ranked["total"]
            movies.cursor = ranked["total"] - 1
            ranked = await self.session.ranked(movies.window, WINDOW, after_rating=after_rating)
        return ranked

    def _show(self, ranked: Ranked, *, marked: bool = False, follow: bool = False) -> None:
        movies, viewers = self.movies, self.session.audience.viewers
        movies.names = tuple(ref.id for ref in viewers)
        movies.fill(ranked["total"], ranked["offset"], ranked["rows"], follow=follow)
        movies.mark(marked)
        self.people.viewers.choose(viewers)
        movies.say(self._why_empty())
        self._title(ranked)
        self.refresh_frame()

    def _why_empty(self) -> str:
        view = self.session.view
        if view.only:
            return f"No unseen movie passes the filter {view.only}. {hint(self, ('browse.filter', 'changes it'))}."
        if view.shelf != "all":
            puts, shows = hint(self, ("browse.watchlist", "puts")), hint(self, ("browse.shelf", "goes back"))
            return f"Nothing is on the watchlist. {puts} a movie there, {shows} to all movies."
        return f"Everything here has been seen. {hint(self, ('screen.data', 'opens'))} a larger dataset."

    def _title(self, ranked: Ranked) -> None:
        pane = self.movies
        opened = self.session.opened
        assert opened is not None
        if self.session.audience.together:
            audience = self.session.audience
            way = dial("average", "least misery", audience.misery) if audience.way == "weighted" else audience.way
            several = len(audience.viewers) > 2
            pane.border_title = Content(f"{(_WHAT_GROUP if several else _WHAT)[audience.unseen_by]} · {way}")
            if several:
                pane.border_subtitle = f"for {len(audience.viewers)} of you"
                return
            alike = ranked["alike"]
            pane.border_subtitle = Content(
                f"alike: {alike['value']:.2f} over {text.plural(alike['common'], 'film')} both rated"
                if alike
                else "alike: too few films in common to say"
            )
            return
        pane.border_title = "Unseen, best first" if self.session.view.shelf == "all" else "Watchlist, best first"
        pane.border_subtitle = Content(f"{ranked['total']:,} of {opened['movies']:,} · {ranked['seen'][0]:,} seen")

    @on(RowList.Wanted, "#movies")
    @told
    async def bring_movies(self, event: RowList.Wanted) -> None:
        """Bring a window of the list that was scrolled to."""
        event.stop()
        ranked = await self.session.ranked(event.offset, WINDOW, more=True)
        self.movies.bring(ranked["offset"], ranked["rows"])

    @on(RowList.Moved, "#movies")
    def look_up(self, event: RowList.Moved) -> None:
        """Look the movie under the cursor up, once the cursor rests."""
        event.stop()
        if self._details_timer is not None:
            self._details_timer.stop()
        self._details_timer = self.set_timer(DETAILS_DELAY, self.show_details)

    @work(exclusive=True, group="details")
    @told
    async def show_details(self) -> None:
        """Show what is known of the movie under the cursor."""
        row = self.movies.current
        pane = self.details
        if not self.movies.total:
            pane.border_title = ""
            pane.show(Text())
        if row is None or not pane.display:
            return
        details = await self.session.details(row["id"])
        pane.border_title = Content(details["title"])
        pane.show_made(partial(describe, details, self.names()))

    def names(self) -> list[str]:
        """How the viewers of the list are called."""
        return [ref.label for ref in self.session.audience.viewers]

    # Rating

    def under_cursor(self) -> MovieRow:
        """Return the movie that a key is for. Raises ``Problem`` where the list is not where the keys go."""
        row = self.movies.current
        if row is None or not self.movies.has_focus:
            raise Problem(
                f"Go to the list with {key_of(self, 'browse.movies')} first; the key is for the movie under its cursor."
            )
        return row

    @told
    async def action_rate(self, stars: int) -> None:
        """Rate the movie under the cursor."""
        change = await self.session.rate(self.under_cursor(), float(stars))
        await self.answer(change, saying.did(change))

    @told
    async def action_nudge(self, step: float) -> None:
        """Change the rating given last by half a star."""
        change = await self.session.nudge(step)
        await self.answer(change, saying.did(change))

    @told
    async def action_undo(self) -> None:
        """Take back what was done last."""
        done = await self.session.undo()
        if done is None:
            self.movie_tui.say("There is nothing to undo.")
        else:
            await self.answer(
                done, f"took back {saying.called(done, taken_back=True)}", again=("browse.redo", "gives it again")
            )

    @told
    async def action_redo(self) -> None:
        """Do again what was taken back."""
        done = await self.session.redo()
        if done is None:
            self.movie_tui.say("There is nothing to do again.")
        else:
            await self.answer(done, f"gave again {saying.called(done, taken_back=False)}")

    async def answer(
        self, done: Change | Done, said: str, *, again: tuple[str, str] = ("browse.undo", "undoes")
    ) -> None:
        """Show the new order and say what happened, all in one frame."""
        if isinstance(done, Deleted):
            await self.session.leave_gone()
        ranked = await self._ranked(after_rating=True)
        profiles = await self.movie_tui.in_thread(self.session.store.profiles)
        audience = self.session.audience
        if audience.together and done.viewer in audience.viewers:
            said += f" as {LETTERS[audience.viewers.index(done.viewer)]} {done.viewer.label}"
        moved = f"{text.plural(ranked['moved'], 'movie')} moved" if ranked["moved"] else "nothing moved"
        self._show(ranked, marked=True)
        if isinstance(done, Deleted):
            await self.people.fill()
        else:
            self.people.count(profiles)
        self.movie_tui.say(f"{said} · {moved} · {hint(self, again)}")

    # Viewers

    @told
    async def look_at(self, viewer: ViewerRef) -> None:
        """Show the list of a viewer."""
        await self.session.look_at(viewer)
        await self._audience_changed()

    async def _audience_changed(self) -> None:
        await self.fill_movies(from_top=True)
        said = f"The list of {_and(self.names())}"
        if self.session.audience.together:
            turn, leans = key_of(self, "browse.turn"), hint(self, ("browse.average browse.misery", "lean"))
            said += f" · {turn}: whose rating is next · {leans}"
        self.movie_tui.say(said)
        self.set_focus(self.movies)

    @on(ViewersPane.Chosen)
    async def look_at_found(self, event: ViewersPane.Chosen) -> None:
        """Show the list of the one that a search found."""
        await self.look_at(event.viewer)

    @told
    async def action_choose(self) -> None:
        """Details of the movie under the cursor, or the list of the viewer under it."""
        row, viewer = self.movies.current, self.people.current
        if not self.movies.has_focus:
            if viewer is not None:
                await self.look_at(viewer)
        elif row is not None:
            from movietui.screens.panels import DetailsPanel

            self.app.push_screen(DetailsPanel(await self.session.details(row["id"]), self.names()))

    @on(RowList.Clicked)
    async def choose_clicked(self, event: RowList.Clicked) -> None:
        """A click on the row under the cursor is as good as enter."""
        event.stop()
        await self.action_choose()

    @told
    async def action_pair(self) -> None:
        """Make the viewer under the cursor the second; on the list, go to the viewers or drop the second."""
        audience, viewer = self.session.audience, self.people.current
        if self.movies.has_focus and audience.together:
            await self.look_at(audience.viewers[0])
        elif self.movies.has_focus:
            self.set_focus(self.people.viewers)
            self.movie_tui.say(f"Choose the second viewer and press {key_of(self, 'browse.pair')}.")
        elif viewer is not None and audience.viewers == (viewer,):
            self.movie_tui.say(f"The list is for {viewer.label} already; choose somebody else for a pair.")
        elif viewer is not None and audience.viewers:
            self.session.pair_with(viewer)
            await self._audience_changed()

    @told
    async def action_join(self) -> None:
        """Let the viewer under the cursor join those whom the list is for, or go; on the list, go to the viewers."""
        viewer = self.people.current
        if self.movies.has_focus:
            self.set_focus(self.people.viewers)
            self.movie_tui.say(f"Choose who joins, or goes, and press {key_of(self, 'browse.join')}.")
        elif viewer is not None and self.session.audience.viewers:
            self.session.join(viewer)
            await self._audience_changed()

    @told
    async def action_lean(self, steps: int) -> None:
        """Turn the dial of a pair."""
        if not self.session.audience.together:
            raise Problem(f"The dial is for a pair; {key_of(self, 'browse.pair')} on a second viewer makes one.")
        self.session.lean(steps)
        await self.fill_movies()

    def action_turn(self) -> None:
        """Of a pair: the next rating is the other's. Otherwise go to the next pane."""
        if not self.session.audience.together or not self.movies.has_focus:
            self.focus_next()
            return
        self.session.rate_as_other()
        self.refresh_frame()
        audience = self.session.audience
        self.movie_tui.say(f"The next rating is {LETTERS[audience.rating_as]}’s: {audience.rater.label}")

    @told
    async def action_new_profile(self) -> None:
        """Ask for a name; the next key is already part of it."""
        from movietui.screens.panels import NamePanel

        if self.session.opened is None:
            raise Problem(
                f"There is no list yet to start a profile with; {key_of(self, 'screen.data')} opens a dataset."
            )
        words = "Your name, or whoever it is for:"
        panel = NamePanel("New profile", words, self.session.store.create_profile)
        self.app.push_screen(panel, self.show_new_profile)

    @work
    @told
    async def show_new_profile(self, ref: ViewerRef | None) -> None:
        """Get to know a profile that was made."""
        if ref is not None:
            await self.look_at(ref)
            await self.people.fill(place_cursor=True)
            await self.action_interview()

    @told
    async def action_interview(self) -> None:
        """Ask whoever's turn it is what they think of films that tell much."""
        from movietui.interviewing import Interviewing
        from movietui.screens.interview import InterviewScreen

        if not self.session.audience.viewers:
            raise Problem(f"There is no list yet to get better; {key_of(self, 'screen.data')} opens a dataset.")
        interview = Interviewing(self.session)
        self.movie_tui.say("Answer what you have seen, and stop at any time; what you said is kept.")
        self.app.push_screen(InterviewScreen(interview), partial(self.show_after_interview, interview))

    @work
    @told
    async def show_after_interview(self, interview: Interviewing, _: object = None) -> None:
        """Show the list as it is with what was answered."""
        await self.people.fill()
        await self.fill_movies(from_top=True)
        rated = text.plural(interview.answers, "film")
        self.movie_tui.say(
            f"{interview.viewer.label} rated {rated} · {hint(self, ('browse.interview', 'goes on asking'))}"
        )

    # Moving about

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the keys that go elsewhere to the search while it is typed in.

        They have priority, because a key that is typed right after them must find the focus where they put it.
        """
        return not (self.query("Input:focus") and action in PRIOR)

    async def action_search(self) -> None:
        """Type to find a viewer."""
        await self.people.search()

    def action_focus_viewers(self) -> None:
        """Go to the viewers."""
        self.set_focus(self.people.viewers)

    def action_focus_movies(self) -> None:
        """Go to the movies."""
        self.set_focus(self.movies)

    async def action_back(self) -> None:
        """Leave the search, else the viewers, else the pair."""
        if self.people.searching:
            await self.people.end_search()
        elif self.people.viewers.has_focus:
            self.set_focus(self.movies)
        elif self.session.audience.together:
            await self.look_at(self.session.audience.viewers[0])


def _and(names: Sequence[str]) -> str:
    """Names as they are listed in a sentence."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def dial(left: str, right: str, share: float) -> str:
    """Return a dial that stands at a share of the way from left to right."""
    knob = round(share * 10)
    return f"{left} ├{'─' * knob}●{'─' * (10 - knob)}┤ {right}"
