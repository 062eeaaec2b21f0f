"""The base class of the controllers of Browse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.ui.bindings import key_of
from movietui.ui.controller import Controller

if TYPE_CHECKING:
    from movietui.ui.browse.list_pane import ListPane
    from movietui.ui.browse.screen import BrowseScreen


class BrowseController(Controller):
    """A controller of Browse."""

    screen: BrowseScreen

    @property
    def list_pane(self) -> ListPane:
        """The ranked list with the details beside it."""
        return self.screen.list_pane

    def require_list(self) -> None:
        """Raise ``Problem`` if no dataset is open yet."""
        if self.session.opened is None:
            data = key_of(self.screen, "screen.data")
            raise Problem(tr("There is no list yet; press {key} to open a dataset.", key=data))
