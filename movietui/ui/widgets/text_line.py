"""A line of text that is drawn again only if it changed."""

from rich.text import Text
from textual.widget import Widget


class TextLine(Widget):
    """A widget whose ``render`` returns the text of one line."""

    _shown = Text()

    def refresh_if_changed(self) -> None:
        """Draw again if the text or its style changed."""
        words = self.render()
        assert isinstance(words, Text)
        if (words, words.style) != (self._shown, self._shown.style):
            self._shown = words
            self.refresh()
