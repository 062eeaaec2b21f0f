"""Whom the list is for (one viewer, a pair or a group), how scores are combined, and which viewer rates next."""

from __future__ import annotations

from textual.binding import Binding

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.formatting import text
from movietui.models.choices import WAYS
from movietui.protocol.viewers import LETTERS, ViewerRef
from movietui.state.audience import Audience
from movietui.ui.bindings import hint, key_of
from movietui.ui.browse.controller import BrowseController
from movietui.ui.problems import shows_problems

VIEWER_KEYS = [
    Binding("p", "pair", tr("Pair"), id="browse.pair", tooltip=tr("Pair: add or remove the second viewer")),
    Binding(
        "P",
        "join",
        tr("Group"),
        show=False,
        id="browse.join",
        tooltip=tr("Group: add or remove the selected viewer"),
    ),
]
DIAL_KEYS = [
    Binding(
        "tab", "turn", tr("Other"), show=False, id="browse.turn", tooltip=tr("Pair: let the other viewer rate next")
    ),
    Binding(
        "minus",
        "lean(-1)",
        tr("Average"),
        key_display="-",
        show=False,
        id="browse.average",
        tooltip=tr("Pair: favour the average of both scores"),
    ),
    Binding(
        "equals_sign",
        "lean(1)",
        tr("Least misery"),
        key_display="=",
        show=False,
        id="browse.misery",
        tooltip=tr("Pair: favour whoever would like it less"),
    ),
]
METHOD_KEYS = [
    Binding("a", "way(1)", tr("Way"), show=False, id="browse.way", tooltip=tr("Pair: next way to combine the scores")),
    Binding(
        "A",
        "way(-1)",
        tr("Previous way"),
        show=False,
        id="browse.way-back",
        tooltip=tr("Pair: previous way to combine the scores"),
    ),
    Binding(
        "z",
        "standardise",
        tr("Same scale"),
        show=False,
        id="browse.standardise",
        tooltip=tr("Pair: put both viewers' scores on the same scale"),
    ),
    Binding(
        "V",
        "unseen",
        tr("Seen movies"),
        show=False,
        id="browse.unseen",
        tooltip=tr("Pair: include movies that one or both have seen"),
    ),
    Binding(
        "exclamation_mark",
        "veto",
        tr("Veto"),
        key_display="!",
        show=False,
        id="browse.veto",
        tooltip=tr("Pair: not this movie tonight"),
    ),
]


class AudienceController(BrowseController):
    """Changes the viewers of the list, and how the list of a pair or group is made."""

    @shows_problems
    async def look_at(self, viewer: ViewerRef) -> None:
        """Show the list of a viewer."""
        await self.session.look_at(viewer)
        await self._show_list()

    async def _show_list(self) -> None:
        """Show the list for the current viewers, and name them on the status line."""
        await self.list_pane.fill(from_top=True)
        notice = tr("The list of {viewers}", viewers=text.enumerate_names(self.list_pane.viewer_names()))
        if self.session.audience.together:
            turn = tr("{key}: whose rating is next", key=key_of(self.screen, "browse.turn"))
            dial = hint(self.screen, ("browse.average browse.misery", tr("move the dial")))
            notice += f" · {turn} · {dial}"
        self.app.show_notice(notice)
        self.screen.set_focus(self.list_pane.movies)

    @shows_problems
    async def action_pair(self) -> None:
        """Pair the first viewer with the selected viewer, or remove the selected viewer from the pair or group.

        While the list has the focus, go to the viewers instead. If it is for several viewers, keep only the first.
        """
        audience, viewer, pane = self.session.audience, self.screen.viewers_pane.current, self.screen.viewers_pane
        if self.list_pane.movies.has_focus and audience.together:
            await self.look_at(audience.viewers[0])
        elif self.list_pane.movies.has_focus:
            self.screen.set_focus(pane.viewers)
            pair = key_of(self.screen, "browse.pair")
            self.app.show_notice(tr("Select a second viewer, then press {key}.", key=pair))
        elif viewer is not None and audience.viewers == (viewer,):
            self.app.show_notice(
                tr("The list is already for {viewer}; select someone else for a pair.", viewer=viewer.label)
            )
        elif viewer is not None and audience.viewers:
            self.session.show_to(self.session.audience.paired_with(viewer))
            await self._show_list()

    @shows_problems
    async def action_join(self) -> None:
        """Add the selected viewer to the group, or remove them from it.

        While the list has the focus, go to the viewers instead.
        """
        viewer = self.screen.viewers_pane.current
        if self.list_pane.movies.has_focus:
            self.screen.set_focus(self.screen.viewers_pane.viewers)
            join = key_of(self.screen, "browse.join")
            self.app.show_notice(tr("Select a viewer to add or remove, then press {key}.", key=join))
        elif viewer is not None and self.session.audience.viewers:
            self.session.show_to(self.session.audience.joined_by(viewer))
            await self._show_list()

    @shows_problems
    async def action_lean(self, steps: int) -> None:
        """Move the dial of a pair or group towards the average or towards the least pleased viewer."""
        self._require_pair()
        self.session.audience = self.session.audience.leaning(steps)
        await self.list_pane.fill()

    def action_turn(self) -> None:
        """On the list of a pair or group, let the next viewer rate. Otherwise, go to the next pane."""
        if not self.session.audience.together or not self.list_pane.movies.has_focus:
            self.screen.focus_next()
            return
        self._let_rate(self.session.audience.next_rater())

    def rate_next_as(self, index: int) -> None:
        """Let a viewer of a pair or group rate next."""
        self._let_rate(self.session.audience.rated_by(index))

    def _let_rate(self, audience: Audience) -> None:
        self.session.audience = audience
        self.screen.refresh_frame()
        letter, viewer = LETTERS[audience.rating_as], audience.rater.label
        self.app.show_notice(tr("The next rating is for {letter}: {viewer}", letter=letter, viewer=viewer))

    @shows_problems
    async def action_way(self, steps: int) -> None:
        """Combine the scores of a pair or group in the next or the previous way."""
        self._require_pair()
        self.session.audience = self.session.audience.next_way(steps)
        await self.list_pane.fill(from_top=True)
        method = self.session.audience.way
        self.app.show_notice(f"{method}: {WAYS[method]}")

    @shows_problems
    async def action_standardise(self) -> None:
        """Put the scores of a pair or group on the same scale, or show them in stars again."""
        self._require_pair()
        self.session.audience = self.session.audience.toggle_scale()
        await self.list_pane.fill(from_top=True)
        same_scale = tr("Same scale: generous and strict viewers count equally")
        standardised = self.session.audience.standardise
        self.app.show_notice(same_scale if standardised else tr("Scores are predicted stars again"))

    @shows_problems
    async def action_unseen(self) -> None:
        """Switch between movies that no viewer has seen, movies that at least one has not seen, and all movies."""
        self._require_pair()
        self.session.audience = self.session.audience.next_unseen_by()
        await self.list_pane.fill(from_top=True)
        descriptions = {
            "all": tr("Only movies none of you has seen"),
            "any": tr("Including movies that some of you have seen"),
            "none": tr("Including movies all of you have seen"),
        }
        self.app.show_notice(descriptions[self.session.audience.unseen_by])

    @shows_problems
    async def action_veto(self) -> None:
        """Leave the selected movie out of the list of a pair or group tonight."""
        self._require_pair()
        veto = self.session.veto(self.list_pane.selected())
        await self.screen.ratings.show_change(veto, tr("vetoed {movie}", movie=veto.movie.title))

    def _require_pair(self) -> None:
        """Raise ``Problem`` if the list is for one viewer."""
        if not self.session.audience.together:
            pair = key_of(self.screen, "browse.pair")
            raise Problem(tr("This needs a pair; select a second viewer and press {key}.", key=pair))
