"""A text with stars, dots or bars, as high as it needs."""

from rich.text import Text
from textual.widgets import Static

from movietui.ui.theme import drawn


class DrawnText(Static):
    """Shows a text whose stars, dots and bars look as they do in lists."""

    def __init__(self, words: Text | None = None, *, id: str | None = None) -> None:
        self.words = words or Text()
        super().__init__(drawn(self.words), markup=False, id=id)

    def on_mount(self) -> None:
        """Draw again whenever the theme changes: Textual would keep the colours of the previous theme."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.update(drawn(self.words)))

    def show(self, words: Text) -> None:
        """Show another text."""
        self.words = words
        self.update(drawn(words))
