"""The help: what the figures mean, and the keys of a screen, grouped by what a person wants to do."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from movietui.data.language import tr
from movietui.formatting import text
from movietui.ui import wording
from movietui.ui.bindings import all_keys, cancel_key, declared_bindings, hint
from movietui.ui.frame import FrameScreen
from movietui.ui.screens import Panel
from movietui.ui.widgets.text_pane import TextPane
from movietui.ui.wording import Term

LEGEND = tr("What you see beside a movie")
EVERYWHERE = tr("Everywhere")
PALETTE = ("ctrl+p", tr("Find anything by its name; change the colours"))
"""The key of Textual's palette, which has no id."""
KEY_CELLS = 14
CLOSES = "question_mark,f1"
"""The keys that open the help also close it: nobody searches for a question mark."""


@dataclass(frozen=True)
class Group:
    """Keys that serve one purpose."""

    title: str
    actions: Sequence[str]
    """The ids of the actions, in order."""
    panes: Sequence[str] = ()
    """The ids of widgets. While such a widget has the focus, the group comes first."""


GROUPS = (
    Group(
        tr("Rate and remember movies"),
        (
            "browse.rate-1",
            "browse.half-less",
            "browse.half-more",
            "browse.undo",
            "browse.redo",
            "browse.watchlist",
            "browse.seen",
            "browse.hide",
            "browse.history",
            "browse.ratings",
        ),
        ("movies",),
    ),
    Group(
        tr("Find a movie"),
        (
            "browse.search",
            "browse.filter",
            "browse.sort",
            "browse.genre",
            "browse.genre-back",
            "browse.older",
            "browse.newer",
            "browse.wanted",
            "browse.lists",
            "browse.safer",
            "browse.daring",
            "browse.any-year",
            "browse.recent",
            "browse.surprise",
            "browse.similar",
        ),
    ),
    Group(
        tr("Type a filter"),
        ("filter.take", "filter.next", "filter.before", "filter.save", "filter.leave"),
        ("filter",),
    ),
    Group(tr("Learn more about a movie"), ("browse.choose", "browse.imdb", "browse.legend"), ("details",)),
    Group(tr("Copy or save movies"), ("browse.copy", "browse.write")),
    Group(
        tr("Choose who is watching"),
        (
            "browse.viewers",
            "browse.movies",
            "browse.new",
            "browse.interview",
            "browse.import",
            "browse.taste",
            "browse.rename",
            "browse.delete",
            "browse.back",
        ),
        ("viewers", "search"),
    ),
    Group(
        tr("Watch together"),
        (
            "browse.pair",
            "browse.join",
            "browse.turn",
            "browse.veto",
            "browse.average",
            "browse.misery",
            "browse.way",
            "browse.way-back",
            "browse.standardise",
            "browse.unseen",
        ),
    ),
    Group(tr("Change the model or the dataset"), ("browse.models", "browse.get-newer", "browse.hide-newer")),
    Group(tr("Get a dataset"), ("data.choose", "data.open", "data.imdb", "data.remove", "data.cancel"), ("datasets",)),
    Group(
        tr("Clean a dataset"),
        ("data.rules", "data.toggle", "data.less", "data.more", "data.preset", "data.back"),
        ("rules", "removed"),
    ),
    Group(tr("Look at a dataset"), ("data.chart-before", "data.chart"), ("chart",)),
    Group(
        tr("Train a model"),
        (
            "train.models",
            "train.choose",
            "train.settings",
            "train.back",
            "train.preset",
            "train.sweep",
            "train.copy",
            "train.view",
            "train.zoom",
        ),
        ("models", "form", "epochs"),
    ),
    Group(
        tr("Manage the queue"),
        (
            "train.cancel",
            "train.pause",
            "train.again",
            "train.earlier",
            "train.later",
            "train.more",
            "train.fewer",
        ),
    ),
    Group(
        tr("Compare and use runs"),
        (
            "train.runs",
            "train.use",
            "train.filter",
            "train.sort",
            "train.turn",
            "train.columns",
            "train.published",
            "train.baseline",
            "train.mark",
            "train.compare",
        ),
        ("runs", "filter"),
    ),
    Group(tr("Tidy up runs"), ("train.name", "train.note", "train.export", "train.delete", "train.prune")),
    Group(
        tr("Move through a list"),
        ("list.up", "list.down", "list.page-up", "list.page-down", "list.first", "list.last"),
    ),
    Group(EVERYWHERE, ("screen.browse", "screen.data", "screen.train", "app.keys", "app.suspend", "app.quit")),
)
"""The keys of all screens, grouped by what a person wants to do, in the order of the help."""


@dataclass(frozen=True)
class Entry:
    """A line of the help."""

    sign: str
    """A key, or a sign in a list."""
    meaning: str


@dataclass(frozen=True)
class Section:
    """Entries below a title."""

    title: str
    entries: Sequence[Entry]
    here: bool = False
    """Whether the section is about the pane that has the focus."""

    def only(self, keep: Callable[[Entry], bool]) -> Section:
        """Return the section with only those entries for which ``keep`` returns true."""
        return Section(self.title, [entry for entry in self.entries if keep(entry)], self.here)


def sections_of(screen: FrameScreen) -> list[Section]:
    """Return the help of a screen: the legend, the keys of the pane with the focus, the other keys, and its terms."""
    app = screen.movie_tui
    bindings = _bindings(screen)
    focused = {node.id for node in screen.focused.ancestors_with_self} if screen.focused is not None else set()
    grouped = {name for group in GROUPS for name in group.actions}
    others = [name for name in bindings if name not in grouped]
    keys = []
    for group in (Group(screen.help_title, others), *GROUPS):
        entries = [
            Entry(all_keys(app, bindings[name]), bindings[name].tooltip) for name in group.actions if name in bindings
        ]
        if entries and group.title == EVERYWHERE:
            entries.append(Entry(*PALETTE))
        if entries:
            keys.append(Section(group.title, entries, here=bool(focused.intersection(group.panes))))
    keys.sort(key=lambda section: not section.here)
    legend = _explaining(LEGEND, wording.LEGEND.values())
    return [legend, *keys, *(_explaining(title, terms) for title, terms in screen.terms().items())]


def _explaining(title: str, terms: Iterable[Term]) -> Section:
    return Section(title, [Entry(term.sign, term.meaning) for term in terms])


def search(sections: Sequence[Section], words: str) -> list[Section]:
    """Return the entries that contain all words. If ``words`` is a key, what the key does comes first."""
    wanted = words.casefold().split()
    named = [entry for section in sections for entry in section.entries if words in entry.sign.split()]

    def matches(section: Section, entry: Entry) -> bool:
        content = f"{section.title} {entry.sign} {entry.meaning}".casefold()
        return entry not in named and all(word in content for word in wanted)

    others = [section.only(partial(matches, section)) for section in sections]
    return [section for section in (Section(tr("The key {key}", key=words), named), *others) if section.entries]


def _bindings(screen: FrameScreen) -> dict[str, Binding]:
    """Return the bindings with a tooltip that a screen, its widgets and the app declare, by the id of the action."""
    kinds = [type(screen), *(type(node) for node in screen.walk_children()), type(screen.app)]
    bindings: dict[str, Binding] = {}
    for kind in dict.fromkeys(kinds):
        for binding in declared_bindings(kind):
            if binding.id is not None and binding.tooltip:
                bindings.setdefault(binding.id, binding)
    return bindings


class HelpField(Input):
    """The field that searches the help. The keys in ``CLOSES`` are not typed, but close the help."""

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Return whether the field takes a key as text."""
        return key not in CLOSES.split(",") and super().check_consume_key(key, character)


class HelpPanel(Panel[None]):
    """The help of a screen, with a field that searches it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        cancel_key(),
        Binding(CLOSES, "dismiss(None)", show=False, priority=True, id="help.close", tooltip=tr("Close")),
        Binding("up", "scroll(-1)", show=False, id="help.up", tooltip=tr("One line up")),
        Binding("down", "scroll(1)", show=False, id="help.down", tooltip=tr("One line down")),
        Binding("pageup", "page(-1)", show=False, id="help.page-up", tooltip=tr("One page up")),
        Binding("pagedown", "page(1)", show=False, id="help.page-down", tooltip=tr("One page down")),
    ]

    def __init__(self, screen: FrameScreen) -> None:
        super().__init__()
        self._title, self._about = screen.help_title, tuple(screen.about)
        self._sections = sections_of(screen)

    def compose(self) -> ComposeResult:
        """Put the field above the help."""
        with Vertical(classes="panel wide") as panel:
            panel.border_title = Content(tr("Keys · {screen}", screen=self._title))
            moves = hint(self, ("help.up help.down", tr("scroll")), ("panel.leave", tr("back")))
            panel.border_subtitle = Content(tr("type to search · {keys}", keys=moves))
            yield HelpField(placeholder=tr("what do you want to do? type a word or a key"), max_length=40, compact=True)
            yield TextPane(id="help")

    def on_mount(self) -> None:
        """Focus the field."""
        self.set_focus(self.query_one(Input))

    @property
    def _pane(self) -> TextPane:
        return self.query_one("#help", TextPane)

    def on_resize(self) -> None:
        """Wrap the lines to the new width."""
        self.call_after_refresh(self.show_matches)

    @on(Input.Changed)
    def show_matches(self) -> None:
        """Show the entries that match the typed text, from the top."""
        words = self.query_one(Input).value.strip()
        sections = search(self._sections, words) if words else self._sections
        self._pane.show_fitted(lambda width: self._render_help(sections, words, width))

    def _render_help(self, sections: Sequence[Section], words: str, width: int) -> Text:
        if not sections:
            return Text(tr("Nothing matches; try another word."), "dim")
        lines = [] if words else [Text(line, "dim") for line in self._about]
        for section in sections:
            if lines:
                lines.append(Text())
            here = (tr("  you are here"), "dim") if section.here and not words else ""
            lines.append(Text.assemble((section.title, "group"), here))
            for entry in section.entries:
                lines += _lines(entry, width)
        return Text("\n").join(lines)

    @on(Input.Submitted)
    def close(self) -> None:
        """Close the help: there is nothing to choose."""
        self.dismiss(None)

    def action_scroll(self, lines: int) -> None:
        """Scroll by lines."""
        self._pane.scroll_relative(y=lines, animate=False)

    def action_page(self, pages: int) -> None:
        """Scroll by a page less one line."""
        self.action_scroll(pages * max(1, self._pane.scrollable_content_region.height - 1))


def _lines(entry: Entry, width: int) -> Iterator[Text]:
    """Yield the lines of an entry, with its meaning wrapped beside its key."""
    sign = text.cut(entry.sign, max(KEY_CELLS, cell_len(entry.sign) + 2))
    room = max(10, width - cell_len(sign))
    lines = [part for line in entry.meaning.splitlines() for part in textwrap.wrap(line, room)]
    for index, line in enumerate(lines):
        yield Text.assemble((sign if not index else " " * cell_len(sign), "bold"), line)
