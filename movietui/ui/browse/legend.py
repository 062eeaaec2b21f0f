"""The line under the list that explains its columns, until a person hides it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual.app import RenderResult
from textual.binding import Binding

from movietui.data.language import tr
from movietui.formatting.text import fitted
from movietui.ui.bindings import hint
from movietui.ui.browse.controller import BrowseController
from movietui.ui.controller import in_background
from movietui.ui.theme import drawn
from movietui.ui.widgets.text_line import TextLine
from movietui.ui.wording import LEGEND

if TYPE_CHECKING:
    from movietui.ui.browse.screen import BrowseScreen

LEGEND_KEYS = [
    Binding(
        "L",
        "legend",
        tr("Legend"),
        show=False,
        id="browse.legend",
        tooltip=tr("Show or hide the line that explains the columns"),
    )
]
CHOICE = "legend"
"""The name under which the store remembers whether the line is hidden."""
HIDDEN = "hidden"
HIDDEN_CLASS = "-hidden"


class LegendLine(TextLine):
    """Says in a few words what each visible column means."""

    DEFAULT_CSS = """
    LegendLine { height: 1; padding: 0 1; color: $text-muted; }
    LegendLine.-hidden { display: none; }
    """

    def render(self) -> RenderResult:
        """Draw as many terms as fit, and the key that hides the line."""
        screen = cast("BrowseScreen", self.screen)
        terms = screen.list_pane.movies.terms()
        hides = hint(screen, ("browse.legend", tr("hides this")))
        line, room = "", self.content_size.width - len(hides) - 2
        for term in (term for name, term in LEGEND.items() if name in terms):
            longer = f"{line}{'   ' if line else ''}{term.sign} {term.short}"
            if len(longer) > room:
                break
            line = longer
        return drawn(fitted(line, self.content_size.width - len(hides)) + Text(hides))


class LegendController(BrowseController):
    """Shows or hides the line that explains the columns, and remembers the choice."""

    def is_hidden(self) -> bool:
        """Return whether a person hid the line, now or in an earlier session."""
        return self.session.store.choice(CHOICE) == HIDDEN

    @in_background("legend")
    async def action_legend(self) -> None:
        """Hide the line, or show it again."""
        line = self.screen.query_one(LegendLine)
        line.toggle_class(HIDDEN_CLASS)
        hidden = line.has_class(HIDDEN_CLASS)
        self.app.show_notice(hint(self.screen, ("browse.legend", tr("explains the columns again"))) if hidden else "")
        await self.session.remember(CHOICE, HIDDEN if hidden else "")
