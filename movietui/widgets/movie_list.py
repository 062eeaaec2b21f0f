"""The ranked list in the middle of Browse."""

from rich.cells import cell_len

from movietui.replies import MovieRow
from movietui.text import cut, decimals, dots
from movietui.viewers import LETTERS
from movietui.widgets.line_view import Line
from movietui.widgets.row_list import RowList

TIGHT = 48
"""Cells below which the number of ratings and the year give way to the title."""

WIDE = 64
"""Cells from which a pair's list says how far the two agree."""

EACH = 7
"""Cells that the stars of one viewer take."""

WANTED = "◆"
"""Stands before a title on the watchlist; of several with the letters of those who want it."""


class MovieList(RowList[MovieRow]):
    """Unseen movies, best first: for one viewer, or for a pair with the stars of each."""

    DEFAULT_CSS = "MovieList { height: 1fr; }"
    has_head = True

    def __init__(self, *, id: str, classes: str = "") -> None:
        super().__init__(id=id, classes=classes)
        self.names: tuple[str, ...] = ("",)
        self.marked = False

    @property
    def together(self) -> bool:
        """Whether the list is for several."""
        return len(self.names) > 1

    def name_of(self, row: MovieRow) -> str:
        """Return the id of the movie."""
        return row["id"]

    def mark(self, marked: bool) -> None:
        """Show by how much rows moved, or do not."""
        if marked != self.marked:
            self.marked = marked
            self.refresh()

    def _columns(self, width: int) -> tuple[int, int, int]:
        """The widths of the rank, of the mark for a move, and of one viewer's stars."""
        return max(3, len(str(self.total))) + 1, 5 if width >= 56 else 4, 7 if self._has_room(width, WIDE) else 6

    def _has_room(self, width: int, least: int) -> bool:
        """Whether there is room for more, from so many cells on for a pair; each further viewer takes of it."""
        return width >= least + EACH * max(0, len(self.names) - 2)

    def head(self, width: int) -> str:
        """Return the names of the columns."""
        rank, move, each = self._columns(width)
        line = f"{'#':>{rank}}{'':{move + 1}}"
        if self.together:
            line += "both  " if len(self.names) == 2 else "all   "
            line += "".join(f"{cut(f'{LETTERS[at]} {name}', each - 1)} " for at, name in enumerate(self.names))
            line += "agree " if self._has_room(width, WIDE) else ""
        else:
            line += "expect   " if width < TIGHT else "expect        n "
        year = " year " if self._has_room(width, TIGHT) else ""
        return cut(f"{line} title", width - len(year)) + year

    def draw(self, row: MovieRow, width: int) -> Line:
        """Draw one movie; the title has all the room that is left, and the year where there is enough of it."""
        rank, move, each = self._columns(width)
        line: Line = [(f"{row['rank']:>{rank}} ", "quiet"), self._move(row, move), ("★ ", "stars")]
        if self.together:
            line.append((f"{row['stars']:.1f} ", ""))
            for value in row["by"]:
                line += [("★ ", "stars"), (f"{value:.1f}".ljust(each - 2), "")]
            line.append((f"{dots(row['agreement'])} " if self._has_room(width, WIDE) else "", ""))
        else:
            line.append((f"{row['stars']:.1f} ", ""))
            count = "" if width < TIGHT else f"{row['count']:>6,}"
            line.append((f"±{decimals(row['uncertainty'], 1)}{count} ", "quiet"))
        year = f" {row['year'] or '':>4} " if self._has_room(width, TIGHT) else ""
        wanted = row.get("wanted", "")
        mark = f" {WANTED}{wanted if self.together else ''}" if wanted else ""
        room = width - len(year) - len(mark) - sum(cell_len(text) for text, _ in line)
        return [*line, (mark, "group"), (cut(f" {row['title']}", room), ""), (year, "quiet")]

    def _move(self, row: MovieRow, width: int) -> tuple[str, str]:
        if not self.marked or row["before"] == row["rank"]:
            return " " * width, ""
        if row["before"] is None:
            return cut("new", width), "up"
        step = row["before"] - row["rank"]
        far = 10 ** (width - 2)  # what fits beside the arrow and a space
        size = min(abs(step), far - 1)
        return (cut(f"▲{size}", width), "up") if step > 0 else (cut(f"▼{size}", width), "down")
