"""The keys that make a profile with an interview, interview again, rename and delete."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.binding import Binding

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.formatting import text
from movietui.protocol.viewers import ViewerRef
from movietui.ui.bindings import hint, key_of
from movietui.ui.browse.controller import BrowseController
from movietui.ui.controller import in_background
from movietui.ui.problems import shows_problems

if TYPE_CHECKING:
    from movietui.state.interview import Interview

PROFILE_KEYS = [
    Binding(
        "n",
        "new_profile",
        tr("New profile"),
        priority=True,
        id="browse.new",
        tooltip=tr("Make your own profile in two minutes"),
    ),
    Binding(
        "N",
        "interview",
        tr("Interview"),
        show=False,
        priority=True,
        id="browse.interview",
        tooltip=tr("Rate well-known movies to improve the list"),
    ),
]


class ProfileController(BrowseController):
    """Creates, interviews, renames and deletes profiles."""

    @shows_problems
    async def action_new_profile(self) -> None:
        """Ask for the name of a new profile."""
        from movietui.ui.panels import NamePanel

        if self.session.opened is None:
            data = key_of(self.screen, "screen.data")
            raise Problem(tr("Open a dataset before you make a profile; press {key}.", key=data))
        panel = NamePanel(tr("New profile"), tr("Name of the profile:"), self.session.store.create_profile)
        self.app.push_screen(panel, self.show_new)

    @in_background()
    async def show_new(self, ref: ViewerRef | None) -> None:
        """Show the list of a new profile and start its interview."""
        if ref is not None:
            await self.screen.audience.look_at(ref)
            await self.screen.viewers_pane.fill(move_cursor=True)
            await self.action_interview()

    @shows_problems
    async def action_interview(self) -> None:
        """Interview the viewer who rates next: ask about movies that reveal their taste."""
        from movietui.state.interview import Interview
        from movietui.ui.browse.interview import InterviewScreen

        opened = self.session.opened
        if opened is not None and opened["cluster"]:
            finds = hint(self.screen, ("browse.search", tr("finds")))
            raise Problem(
                tr(
                    "An interview needs the ratings of many users of {dataset}, which are on a cluster; "
                    "rate movies in the list instead: {finds} those that you know.",
                    dataset=opened["dataset"],
                    finds=finds,
                )
            )
        if not self.session.audience.viewers:
            data = key_of(self.screen, "screen.data")
            raise Problem(tr("There is no list yet; press {key} to open a dataset.", key=data))
        interview = Interview(self.session)
        self.app.show_notice(tr("Rate what you have seen. Stop whenever you like; your ratings are saved."))
        self.app.push_screen(InterviewScreen(interview), partial(self.show_after_interview, interview))

    @in_background()
    async def show_after_interview(self, interview: Interview, _: object = None) -> None:
        """Show the list that the answers lead to."""
        await self.screen.viewers_pane.fill()
        await self.list_pane.fill(from_top=True)
        rated = text.plural(interview.newly_rated, "movie")
        more = hint(self.screen, ("browse.interview", tr("answer more")))
        name = interview.viewer.label
        self.app.show_notice(tr("{viewer} rated {movies} · {hint}", viewer=name, movies=rated, hint=more))

    def ask_name(self, viewer: ViewerRef) -> None:
        """Ask for a new name for a profile."""
        from movietui.ui.panels import NamePanel

        rename = partial(self.session.store.rename_profile, viewer)
        panel = NamePanel(tr("Rename"), tr("New name for {profile}:", profile=viewer.id), rename, viewer.id)
        self.app.push_screen(panel, partial(self.show_renamed, viewer))

    @in_background()
    async def show_renamed(self, before: ViewerRef, renamed: ViewerRef | None) -> None:
        """Show a profile under its new name."""
        if renamed is not None:
            self.session.rename(before, renamed)
            await self.screen.refresh_list()
            self.app.show_notice(tr("{profile} is now {name}", profile=before.id, name=renamed.id))

    @shows_problems
    async def delete(self, viewer: ViewerRef) -> None:
        """Delete a profile. Undo restores it."""
        await self.session.delete(viewer)
        await self.screen.refresh_list()
        undo = hint(self.screen, ("browse.undo", tr("undo")))
        self.app.show_notice(tr("Deleted {profile} · {hint}", profile=viewer.id, hint=undo))
