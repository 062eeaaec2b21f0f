"""Imports ratings and lists into a profile: asks for a file, previews it, and shows the new list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.binding import Binding

from movietui.data.language import tr
from movietui.formatting import newer_datasets
from movietui.protocol.viewers import profile
from movietui.ui.bindings import hint
from movietui.ui.browse.controller import BrowseController
from movietui.ui.controller import in_background
from movietui.ui.wording import describe_import

if TYPE_CHECKING:
    from movietui.ui.browse.import_panel import Chosen

IMPORT_KEYS = [
    Binding(
        "i",
        "import",
        tr("Import"),
        show=False,
        id="browse.import",
        tooltip=tr("Import ratings and lists from Letterboxd, IMDb, Trakt, MovieLens or TMDB"),
    ),
]


class ImportController(BrowseController):
    """Handles the key that imports a file."""

    @in_background("import", exclusive=True)
    async def action_import(self) -> None:
        """Ask for a file, show a preview, and import it."""
        from movietui.ui.browse.import_panel import ask_what_to_import

        self.require_list()
        rater = self.session.audience.rater
        chosen = await ask_what_to_import(self.app, rater.id if rater.kind == "profile" else "")
        if chosen is not None:
            await self._import(*chosen)

    @in_background("import", exclusive=True)
    async def do_import(self, path: str, chosen: Chosen) -> None:
        """Import what was chosen in the preview of a file, and show the list."""
        await self._import(path, chosen)

    async def _import(self, path: str, chosen: Chosen) -> None:
        name, settled, choices = chosen
        self.app.show_notice(tr("Importing into {profile} …", profile=name))
        result = await self.session.import_file(name, path, settled, choices)
        viewer = profile(result["profile"])
        if viewer not in self.session.audience.viewers:
            await self.session.look_at(viewer)
        await self.list_pane.fill(from_top=True)
        await self.screen.viewers_pane.fill(move_cursor=True)
        self.screen.set_focus(self.list_pane.movies)
        undo = f" · {hint(self.screen, ('browse.undo', tr('undo')))}" if result["changes"] else ""
        newer = f" · {newer_datasets.reason(result['newer'])}" if result["newer"] is not None else ""
        self.app.show_notice(describe_import(result, path) + newer + undo)
        self.app.newer.after_import(result)
