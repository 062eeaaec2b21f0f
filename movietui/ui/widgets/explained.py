"""Tooltips that explain parts of a widget, such as a heading or a figure."""

from textual import events
from textual.content import Content
from textual.widget import Widget

TERM = "term"
"""The key in a style's metadata whose value names the term that explains the text; see ``wording.term_named``."""


class Explained(Widget):
    """A widget whose parts have different tooltips. Textual's widgets have only one each."""

    _explanation = ""

    def explain(self, x: int, y: int) -> str:
        """Return the explanation of what is drawn at a cell of the content, or an empty text."""
        return ""

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Explain what is under the mouse."""
        from movietui.ui.wording import term_named

        term = term_named(event.style.meta.get(TERM, ""))
        words = term.explained if term else self.explain(*event.get_content_offset_capture(self))
        if words != self._explanation:
            self._explanation = words
            self.tooltip = Content(words) if words else None
