"""The viewers on the left of Browse: the profiles of whoever uses the app, then the users of the dataset."""

from dataclasses import dataclass

from rich.text import Text

from movietui.replies import PersonRow
from movietui.text import fitted, person
from movietui.viewers import ViewerRef
from movietui.widgets.row_list import RowList


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

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.chosen: tuple[ViewerRef, ...] = ()

    def choose(self, viewers: tuple[ViewerRef, ...]) -> None:
        """Mark who the list is for."""
        self.chosen = viewers
        self.refresh()

    def selectable(self, row: Entry) -> bool:
        """Headings and hints are only read."""
        return isinstance(row, ViewerRow)

    def draw(self, row: Entry, index: int, width: int, *, under_cursor: bool) -> Text:
        """Draw one viewer."""
        if isinstance(row, Heading):
            return fitted(Text(row.text, self.style("group")), width)
        if isinstance(row, Hint):
            return fitted(Text(f"  {row.text}", self.style("quiet")), width)
        mark = " "
        if row.ref in self.chosen:
            mark = "●○"[self.chosen.index(row.ref)]
        count = f" {row.ratings:,} "
        if row.ref.kind == "profile":
            name = fitted(f" {mark} {row.ref.id}", width - len(count))
        else:
            name = Text(f" {mark} {row.ref.id:>4} ", no_wrap=True)
            name.append(row.about, self.style("quiet"))
            name = fitted(name, width - len(count))
        return name + Text(count, self.style("quiet"))
