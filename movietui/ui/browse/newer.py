"""The line that offers a dataset with newer movies, until a person opens the dataset or hides the line."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.app import RenderResult
from textual.binding import Binding

from movietui.data.language import tr
from movietui.data.problems import Cancelled, Problem
from movietui.formatting import newer_datasets
from movietui.formatting.text import fitted, longest_fitting
from movietui.ui.bindings import hint, key_of
from movietui.ui.browse.controller import BrowseController
from movietui.ui.controller import in_background
from movietui.ui.widgets.text_line import TextLine

if TYPE_CHECKING:
    from movietui.ui.browse.screen import BrowseScreen

NEWER_KEYS = [
    Binding(
        "X",
        "get_newer",
        tr("Newer movies"),
        show=False,
        id="browse.get-newer",
        tooltip=tr("Get or open the offered dataset with newer movies; press again to stop"),
    ),
    Binding(
        "H",
        "hide_newer",
        tr("No newer movies"),
        show=False,
        id="browse.hide-newer",
        tooltip=tr("Hide the offer of a dataset with newer movies"),
    ),
]


class NewerLine(TextLine):
    """Offers a dataset with newer movies in one line, or is hidden."""

    DEFAULT_CSS = """
    NewerLine { height: 1; padding: 0 1; color: $text; background: $surface; display: none; }
    NewerLine.-offered { display: block; }
    """

    def refresh_if_changed(self) -> None:
        """Show or hide the line, and draw it again if it changed."""
        self.set_class(cast("BrowseScreen", self.screen).movie_tui.newer.current is not None, "-offered")
        super().refresh_if_changed()

    def render(self) -> RenderResult:
        """Draw the longest wording that fits."""
        width = self.content_size.width
        return fitted(longest_fitting(width, *self._wordings()), width)

    def _wordings(self) -> list[str]:
        """Return wordings of the line, the longest first."""
        screen = cast("BrowseScreen", self.screen)
        newer = screen.movie_tui.newer
        offered = newer.current
        if offered is None:
            return [""]
        name = offered["dataset"]
        if newer.getting:
            stops = hint(screen, ("browse.get-newer", tr("stops it")))
            return [
                tr("Getting {dataset} in the background · {hint}", dataset=name, hint=stops),
                tr("Getting {dataset} · {hint}", dataset=name, hint=stops),
            ]
        hides = hint(screen, ("browse.hide-newer", tr("hides this")))
        reason, offer = newer_datasets.reason(offered), newer_datasets.offer(offered)
        if offered["state"] == "full":
            too_full = tr("Disk too full for {dataset}", dataset=name)
            return [f"{reason}. {offer} · {hides}", f"{offer} · {hides}", f"{too_full} · {hides}"]
        opens = offered["state"] == "open"
        does = hint(screen, ("browse.get-newer", tr("opens it") if opens else tr("gets it")))
        gets = tr("opens {dataset}", dataset=name) if opens else tr("gets {dataset}", dataset=name)
        shorter = tr("{hint}, to {year}", hint=hint(screen, ("browse.get-newer", gets)), year=offered["last_year"])
        return [
            f"{reason}. {offer}: {does} · {hides}",
            f"{offer}: {does} · {hides}",
            f"{shorter} · {hides}",
        ]


class NewerController(BrowseController):
    """Handles the keys for the offer of a dataset with newer movies."""

    @in_background("offer", exclusive=True)
    async def offer(self) -> None:
        """Look for a dataset with much newer movies than the open one, to offer it."""
        await self.app.newer.look()

    @in_background("newer")
    async def action_get_newer(self) -> None:
        """Get the offered dataset in the background and train a model on it, or open the dataset if it is ready.

        If the dataset is being fetched, stop.
        """
        newer = self.app.newer
        if newer.getting:
            await newer.stop()
            return
        offered = newer.current
        if offered is None:
            data = key_of(self.screen, "screen.data")
            raise Problem(tr("No dataset with newer movies is offered; {key} shows all datasets.", key=data))
        if offered["state"] == "full":
            raise Problem(tr("{offer}; free some space first.", offer=newer_datasets.offer(offered)))
        if offered["state"] == "open":
            await self.app.open_dataset(offered["dataset"])
            name, year = offered["dataset"], offered["last_year"]
            self.app.show_notice(
                tr("{dataset} has movies up to {year}; your ratings count here too", dataset=name, year=year)
            )
            return
        try:
            await newer.get()
        except Cancelled:
            downloading = newer.current is not None and newer.current["state"] == "get"
            resumes = tr("; the download can continue later") if downloading else ""
            self.app.show_notice(tr("Stopped getting {dataset}{resumes}", dataset=offered["dataset"], resumes=resumes))
            return
        self.app.announce_newer()

    @in_background("newer")
    async def action_hide_newer(self) -> None:
        """Hide the offer, now and at later starts, unless the dataset is being fetched."""
        newer = self.app.newer
        if newer.current is not None and not newer.getting:
            await newer.hide()
            data = key_of(self.screen, "screen.data")
            self.app.show_notice(tr("Hidden; {key} shows all datasets", key=data))
