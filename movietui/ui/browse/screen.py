"""Browse: viewers on the left, the ranked list in the middle, details of the selected movie on the right.

Controllers, one for each topic, handle the keys: ``ratings``, ``filters``, ``audience``, ``profiles``, ``panels``,
``imports``, ``order``, ``legend``, ``newer`` and ``writing``.
"""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input

from movietui.data.language import tr
from movietui.ui.bindings import declared_bindings
from movietui.ui.browse.audience import DIAL_KEYS, METHOD_KEYS, VIEWER_KEYS, AudienceController
from movietui.ui.browse.filter_line import FilterLine
from movietui.ui.browse.filters import FILTER_KEYS, FilterController
from movietui.ui.browse.imports import IMPORT_KEYS, ImportController
from movietui.ui.browse.legend import HIDDEN_CLASS, LEGEND_KEYS, LegendController, LegendLine
from movietui.ui.browse.list_pane import ListPane
from movietui.ui.browse.movie_list import MovieList
from movietui.ui.browse.newer import NEWER_KEYS, NewerController, NewerLine
from movietui.ui.browse.order import ORDER_KEYS, OrderController
from movietui.ui.browse.panels import DISCOVERY_KEYS, MOVIE_KEYS, SEARCH_KEYS, PanelController
from movietui.ui.browse.profiles import PROFILE_KEYS, ProfileController
from movietui.ui.browse.ratings import MARK_KEYS, RATING_KEYS, RatingController
from movietui.ui.browse.room import EDGE_COLUMNS, fold
from movietui.ui.browse.viewers import ViewersPane
from movietui.ui.browse.writing import WRITE_KEYS, WriteController
from movietui.ui.frame import FrameScreen, screen_keys
from movietui.ui.problems import shows_problems
from movietui.ui.widgets.row_list import RowList
from movietui.ui.wording import describe_moves

RANKING_ACTIONS = ("rate", "nudge", "undo", "redo", "mark", "veto")
"""Actions after which the list has a new order."""
PRIORITY_ACTIONS = {"search", "filter", "focus_viewers", "focus_movies", "new_profile", "interview", "rate", "nudge"}
"""Actions whose keys have priority: the next key must already reach the widget that the action focuses, and a rating
must not wait until each widget around the list has ignored its key."""


class BrowseScreen(FrameScreen):
    """Unseen movies, best first, and every way to find the one for tonight."""

    help_title = tr("Browse")
    models_action = "screen.models"
    about_open_dataset = True
    # In the order of the line of keys, and of ``movietui config --defaults``.
    BINDINGS: ClassVar[list[BindingType]] = [
        *RATING_KEYS,
        *VIEWER_KEYS,
        *PROFILE_KEYS,
        *SEARCH_KEYS,
        Binding(
            "left",
            "focus_viewers",
            tr("Viewers"),
            show=False,
            priority=True,
            id="browse.viewers",
            tooltip=tr("Go to the viewers"),
        ),
        Binding(
            "right",
            "focus_movies",
            tr("Movies"),
            show=False,
            priority=True,
            id="browse.movies",
            tooltip=tr("Go to the movies"),
        ),
        *DIAL_KEYS,
        Binding(
            "escape",
            "back",
            tr("Back"),
            show=False,
            id="browse.back",
            tooltip=tr("Close the search, clear the filter, or go back to one viewer"),
        ),
        *screen_keys(),
        *MARK_KEYS,
        *FILTER_KEYS,
        *ORDER_KEYS,
        *DISCOVERY_KEYS,
        *METHOD_KEYS,
        *MOVIE_KEYS,
        *IMPORT_KEYS,
        *WRITE_KEYS,
        *LEGEND_KEYS,
        *NEWER_KEYS,
    ]

    def __init__(self) -> None:
        super().__init__()
        self._shown_dataset = ""
        """The dataset whose list is shown."""
        self.ratings = RatingController(self)
        self.filters = FilterController(self)
        self.audience = AudienceController(self)
        self.profiles = ProfileController(self)
        self.panels = PanelController(self)
        self.imports = ImportController(self)
        self.order = OrderController(self)
        self.legend = LegendController(self)
        self.newer = NewerController(self)
        for controller in (
            self.ratings,
            self.filters,
            self.audience,
            self.profiles,
            self.panels,
            self.imports,
            self.order,
            self.legend,
            self.newer,
            WriteController(self),
        ):
            controller.install()

    def body(self) -> ComposeResult:
        """Put the panes side by side, below a line for the filter."""
        yield FilterLine(self.session)
        with Horizontal(classes="body"):
            yield ViewersPane(self.session, id="viewers-pane", classes="pane")
            yield ListPane(self.session, self._list_shown)
        yield NewerLine()
        yield LegendLine(classes=HIDDEN_CLASS if self.legend.is_hidden() else "")

    def on_mount(self) -> None:
        """Show the list as soon as a dataset is open."""
        self.set_focus(self.list_pane.movies)
        self.movie_tui.served_changed.subscribe(self, self.open_list)
        if self.session.opened is not None:
            self.open_list()

    def main_widget(self) -> Widget:
        """Return the list."""
        return self.list_pane.movies

    @property
    def filter_line(self) -> FilterLine:
        """The line above the panes."""
        return self.query_one(FilterLine)

    @property
    def viewers_pane(self) -> ViewersPane:
        """The pane on the left."""
        return self.query_one(ViewersPane)

    @property
    def list_pane(self) -> ListPane:
        """The list in the middle, and the details on the right."""
        return self.query_one(ListPane)

    # Room

    @on(events.Resize)
    @on(events.DescendantFocus)
    def fold_panes(self) -> None:
        """Fold panes if the list needs their room, except viewers with the focus."""
        folding = fold(self.app.size.width, viewers_focused=self.viewers_pane.has_focus_within)
        self.viewers_pane.fold(folding.viewers)
        self.list_pane.fold_details(folding.details)
        self.list_pane.details.display = self.app.size.width >= EDGE_COLUMNS

    # The list

    @work(exclusive=True, group="open")
    @shows_problems
    async def open_list(self, dataset: str = "") -> None:
        """Show the list of another dataset or model, from the top because its order is new."""
        assert self.session.opened is not None
        before, self._shown_dataset = self._shown_dataset, self.session.opened["dataset"]
        await self.session.replace_deleted_viewers()
        await self.viewers_pane.fill(move_cursor=before != self._shown_dataset)
        await self.list_pane.fill(from_top=True)
        self.newer.offer()

    @shows_problems
    async def refresh_list(self, *, compared: bool = False) -> None:
        """Show what changed elsewhere. The cursor stays on its movie: a key must rate the movie that a person sees.

        With ``compared``, also mark the movies that moved, and say how many did.
        """
        await self.session.replace_deleted_viewers()
        await self.viewers_pane.fill()
        ranked = await self.list_pane.request(after_rating=compared)
        self.list_pane.show(ranked, marked=compared, follow=True)
        if compared:
            self.movie_tui.show_notice(describe_moves(ranked["moved"]))

    def _list_shown(self) -> None:
        self.viewers_pane.viewers.choose(self.session.audience.viewers)
        self.refresh_frame()

    def refresh_frame(self) -> None:
        """Redraw what changed in the lines of the frame and around the list."""
        super().refresh_frame()
        if not self.is_mounted:
            return  # the lines below may exist before the list that they describe
        if (legend := self.query_one_optional(LegendLine)) is not None:
            legend.refresh_if_changed()
        if (line := self.query_one_optional(FilterLine)) is not None:
            line.show_parts(self.filters.summary())
        if (offer := self.query_one_optional(NewerLine)) is not None:
            offer.refresh_if_changed()

    def on_screen_resume(self) -> None:
        """Announce a better model, if another screen kept the app from announcing it."""
        self.movie_tui.announce_offer()

    # The marks of rows that moved

    def on_key(self, event: events.Key) -> None:
        """Remove the marks of rows that moved, unless the key changes the order."""
        if event.key not in self._ranking_keys:
            self.list_pane.movies.mark(False)

    @cached_property
    def _ranking_keys(self) -> set[str]:
        """The keys of the actions after which the list has a new order."""
        custom_keys = self.movie_tui.custom_keys
        return {
            key
            for binding in declared_bindings(type(self))
            if binding.action.startswith(RANKING_ACTIONS)
            for key in custom_keys.get(binding.id or "", binding.key).split(",")
        }

    # Messages of the panes

    @on(FilterLine.Typed)
    async def apply_typed_filter(self, event: FilterLine.Typed) -> None:
        """Apply the filter typed so far."""
        event.stop()
        await self.filters.apply_typed(event)

    @on(FilterLine.Invalid)
    def show_invalid_filter(self, event: FilterLine.Invalid) -> None:
        """Show what is wrong with the filter typed so far."""
        event.stop()
        self.movie_tui.show_problem(event.problem)

    @on(FilterLine.Finished)
    async def finish_filter(self, event: FilterLine.Finished) -> None:
        """Apply the filter and go back to the list."""
        event.stop()
        await self.filters.finish(event)

    @on(FilterLine.Save)
    def ask_filter_name(self, event: FilterLine.Save) -> None:
        """Ask for a name for the filter."""
        event.stop()
        self.filters.ask_name(event)

    @on(MovieList.SortRequested)
    def sort_list(self, event: MovieList.SortRequested) -> None:
        """Sort the list by a column."""
        self.order.sort_by_heading(event.order)

    @on(MovieList.Resized)
    def show_other_columns(self) -> None:
        """Explain the columns for which there is room now."""
        self.refresh_frame()

    @on(ViewersPane.Chosen)
    async def look_at_chosen(self, event: ViewersPane.Chosen) -> None:
        """Show the list of the only viewer that a search matched."""
        await self.audience.look_at(event.viewer)

    @on(ViewersPane.Rename)
    def ask_profile_name(self, event: ViewersPane.Rename) -> None:
        """Ask for a new name for a profile."""
        self.profiles.ask_name(event.viewer)

    @on(ViewersPane.Delete)
    async def delete_profile(self, event: ViewersPane.Delete) -> None:
        """Delete a profile."""
        await self.profiles.delete(event.viewer)

    @on(RowList.Clicked)
    async def choose_clicked(self, event: RowList.Clicked) -> None:
        """Treat a click on the selected row like enter."""
        event.stop()
        await self.panels.action_choose()

    # Moving the focus

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a field has the focus, disable the actions with priority, whose keys are text there."""
        return not (action in PRIORITY_ACTIONS and isinstance(self.focused, Input))

    def action_focus_viewers(self) -> None:
        """Go to the viewers."""
        self.set_focus(self.viewers_pane.viewers)

    def action_focus_movies(self) -> None:
        """Go to the movies."""
        self.set_focus(self.list_pane.movies)

    async def action_back(self) -> None:
        """Close the search, leave the viewers, clear the filter or go back to one viewer: the first that applies."""
        if self.viewers_pane.searching:
            await self.viewers_pane.end_search()
        elif self.viewers_pane.viewers.has_focus:
            self.set_focus(self.list_pane.movies)
        elif self.session.view.filter_text:
            await self.filters.clear()
        elif self.session.audience.together:
            await self.audience.look_at(self.session.audience.viewers[0])
