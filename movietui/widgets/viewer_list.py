"""The viewers on the left of Browse: the profiles of whoever uses the app, then the users of the dataset."""

from dataclasses import dataclass

from rich.cells import cell_len

from movietui.replies import PersonRow
from movietui.text import cut, person
from movietui.viewers import ViewerRef
from movietui.widgets.line_view import Line
from movietui.widgets.row_list import RowList

MARKS = "●○◎◇"
"""Stand before those whom the list is for."""
LEAST = 4
"""Cells below which a word that is cut says nothing."""


@dataclass(frozen=True)
class Heading:
    """A line between the groups."""

    text: str


@dataclass(frozen=True)
class Hint:
    """What to do where a group is empty."""

    text: str


@dataclass(frozen=True)
class ViewerRow:
    """Somebody a list can be made for."""

    ref: ViewerRef
    ratings: int
    about: str = ""


Entry = Heading | Hint | ViewerRow


def user_row(facts: PersonRow, ref: ViewerRef) -> ViewerRow:
    """Return the row of a user of the dataset."""
    return ViewerRow(ref, facts["ratings"], person(facts))


class ViewerList(RowList[Entry]):
    """Profiles and users; the first viewer is marked ●, the second ○."""

    DEFAULT_CSS = "ViewerList { height: 1fr; }"

    def __init__(self, *, id: str, classes: str = "") -> None:
        super().__init__(id=id, classes=classes)
        self.chosen: tuple[ViewerRef, ...] = ()

    def choose(self, viewers: tuple[ViewerRef, ...]) -> None:
        """Mark who the list is for."""
        if viewers != self.chosen:
            self.chosen = viewers
            self.refresh()

    def selectable(self, row: Entry) -> bool:
        """Headings and hints are only read."""
        return isinstance(row, ViewerRow)

    def draw(self, row: Entry, width: int) -> Line:
        """Draw one viewer."""
        if isinstance(row, Heading):
            return [(cut(row.text, width), "group")]
        if isinstance(row, Hint):
            return [(cut(f" {row.text}", width), "quiet")]
        mark = MARKS[self.chosen.index(row.ref)] if row.ref in self.chosen else " "
        count = f" {row.ratings:,} "
        room = width - len(count)
        if row.ref.kind == "profile":
            return [(cut(f" {mark} {row.ref.id}", room), ""), (count, "quiet")]
        name = f" {mark} {row.ref.id:>4} "
        return [(name, ""), (_about(row.about, room - len(name)), "quiet"), (count, "quiet")]


def _about(about: str, width: int) -> str:
    """What is known of a person in so many cells; a last word of which hardly anything would be left is left out."""
    rest, _, last = about.rpartition(" ")
    left_out = rest and cell_len(about) > width and width - cell_len(rest) - 1 < min(LEAST, cell_len(last))
    return cut(rest if left_out else about, width)
