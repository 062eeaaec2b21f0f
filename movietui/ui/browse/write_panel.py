"""The panel that asks what to copy or save: which movies, how many, in which format, and where to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from rich.style import Style
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from movietui.data.language import tr
from movietui.formatting import text
from movietui.formatting.movie_files import FORMATS, FormatName, MovieFile
from movietui.ui.bindings import back_key, choose_key, hint
from movietui.ui.screens import Panel
from movietui.ui.widgets.line_view import Line
from movietui.ui.widgets.row_list import RowList

COUNTS = (10, 25, 50, 100)
"""The numbers of movies that can be chosen, besides the length of the list."""
NAMES: tuple[FormatName, ...] = tuple(FORMATS)
NOTES: dict[FormatName, str] = {
    "markdown": tr("To read, or to send to a friend."),
    "csv": tr("A table for a spreadsheet."),
    "letterboxd": tr("For Letterboxd's import. Import a list or watchlist as a list, not as movies you have seen."),
}
"""What each format is for."""


@dataclass(frozen=True)
class Source:
    """Movies that can be written."""

    name: str
    """What the panel calls these movies."""
    about: str
    """A note beside the name; may be empty."""
    stem: str
    """The start of the proposed file name."""
    total: int | None
    """The number of movies; ``None`` if all are always written."""
    make: Callable[[int], Awaitable[MovieFile]]
    """Takes how many movies to write, which counts only with a ``total``. Raises ``Problem`` without movies."""


@dataclass(frozen=True)
class Choice:
    """What to write, and where."""

    source: Source
    count: int
    format: FormatName
    to: Literal["clipboard", "file"]


class SourceList(RowList[Source]):
    """The movies that can be written."""

    DEFAULT_CSS = "SourceList { max-height: 9; }"

    def draw(self, row: Source, width: int) -> Line:
        """Draw one entry."""
        about = f"  {row.about} " if row.about else ""
        return [(text.cut(f" {row.name}", max(1, width - len(about))), ""), (about, "quiet")]

    def row_key(self, row: Source) -> str:
        """Return the name."""
        return row.name


class WritePanel(Panel[Choice | None]):
    """Asks what to copy or save. Ends with the choice, or ``None``."""

    DEFAULT_CSS = """
    WritePanel #choices { height: auto; margin: 1 0 0 0; }
    WritePanel #note { height: auto; margin: 1 0 0 0; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        back_key(),
        Binding("Y", "dismiss(None)", tr("Back"), id="browse.write"),
        choose_key("write('clipboard')", tr("Copy")),
        Binding("s", "write('file')", tr("Save"), id="write.save", tooltip=tr("Save to a file")),
        Binding("left", "format(-1)", show=False, id="write.format-back", tooltip=tr("Previous format")),
        Binding("right,tab", "format(1)", show=False, id="write.format", tooltip=tr("Next format")),
        Binding("minus", "count(-1)", key_display="-", show=False, id="write.fewer", tooltip=tr("Fewer movies")),
        Binding(
            "plus,equals_sign", "count(1)", key_display="+", show=False, id="write.more", tooltip=tr("More movies")
        ),
    ]

    def __init__(self, sources: Sequence[Source], chosen: FormatName = NAMES[0], count: int = COUNTS[0]) -> None:
        """``chosen`` and ``count`` are the format and the number of movies to begin with."""
        super().__init__()
        self._sources, self._format, self._count = list(sources), chosen, count

    def compose(self) -> ComposeResult:
        """Show what can be written, and the choices below."""
        with Vertical(classes="panel") as panel:
            panel.border_title = tr("Copy or save")
            keys = [("panel.choose", tr("copy")), ("write.save", tr("save to a file")), ("panel.back", tr("back"))]
            panel.border_subtitle = Content(hint(self, *keys))
            yield SourceList(id="sources")
            yield Static(id="choices", markup=False)
            yield Static(id="note", markup=False)

    def on_mount(self) -> None:
        """List what can be written."""
        self.sources.styles.height = len(self._sources)
        self.sources.fill(len(self._sources), 0, self._sources)
        self.set_focus(self.sources)

    @property
    def sources(self) -> SourceList:
        """What can be written."""
        return self.query_one(SourceList)

    @on(RowList.Moved)
    def show_choices(self) -> None:
        """Show the formats and, for a list, the numbers of movies; mark the chosen ones."""
        names = [(FORMATS[name].name, name == self._format, f"take_format({name!r})") for name in NAMES]
        lines = [self._choices(tr("as"), "write.format-back write.format", names)]
        if counts := self._counts():
            total = counts[-1]
            many = [
                (
                    tr("all {count:,}", count=each) if each == total else f"{each}",
                    each == self._chosen_count(),
                    f"take_count({each})",
                )
                for each in counts
            ]
            lines.append(self._choices(tr("first"), "write.fewer write.more", many))
        self.query_one("#choices", Static).update(Text("\n").join(lines))
        self.query_one("#note", Static).update(NOTES[self._format])

    def _choices(self, heading: str, keys: str, choices: Sequence[tuple[str, bool, str]]) -> Text:
        line = Text(f" {heading:<7}", no_wrap=True)
        for words, chosen, action in choices:
            style = Style(bold=chosen, meta={"@click": f"screen.{action}"})
            line.append(f"{'●' if chosen else '○'} {words}", style).append("  ")
        return line.append(hint(self, (keys, "")).strip(), "dim")

    def _counts(self) -> list[int]:
        """Return the numbers of movies to choose from, the length of the list last; empty without ``total``."""
        source = self.sources.current
        if source is None or source.total is None:
            return []
        return [*(count for count in COUNTS if count < source.total), source.total]

    def _chosen_count(self) -> int:
        counts = self._counts()
        return next((count for count in counts if count >= self._count), counts[-1]) if counts else 0

    def action_format(self, step: int) -> None:
        """Choose the next or the previous format."""
        self.action_take_format(NAMES[(NAMES.index(self._format) + step) % len(NAMES)])

    def action_take_format(self, name: FormatName) -> None:
        """Choose a format."""
        self._format = name
        self.show_choices()

    def action_count(self, step: int) -> None:
        """Choose more movies, or fewer."""
        if counts := self._counts():
            index = counts.index(self._chosen_count()) + step
            self.action_take_count(counts[max(0, min(index, len(counts) - 1))])

    def action_take_count(self, count: int) -> None:
        """Choose the number of movies."""
        self._count = count
        self.show_choices()

    @on(RowList.Clicked)
    def copy_clicked(self) -> None:
        """Copy the movies of the selected row, which was clicked."""
        self.action_write("clipboard")

    def action_write(self, to: Literal["clipboard", "file"]) -> None:
        """End with the choice."""
        if (source := self.sources.current) is not None:
            self.dismiss(Choice(source, self._chosen_count(), self._format, to))
