"""The ranked list in the middle of Browse."""

from rich.cells import cell_len

from movietui.replies import MovieRow
from movietui.text import cut, decimals, dots
from movietui.widgets.line_view import Line
from movietui.widgets.row_list import RowList

TIGHT = 48
"""Cells below which the number of ratings and the year give way to the title."""

WIDE = 64
"""Cells from which a pair's list says how far the two agree."""

WANTED = "◆"
"""Stands before a title on the watchlist; of a pair with the letters of those who want it."""


class MovieList(RowList[MovieRow]):
    """Unseen movies, best first: for one viewer, or for a pair with the stars of each."""

    DEFAULT_CSS = "MovieList { height: 1fr; }"
    has_head = True

    def __init__(self, *, id: str, classes: str = "") -> None:
        super().__init__(id=id, classes=classes)
        self.names: tuple[str, ...] = ("",)
        self.marked = False

    @property
    def pair(self) -> bool:
        """Whether the list is for two."""
        return len(self.names) == 2

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
        return max(3, len(str(self.total))) + 1, 5 if width >= 56 else 4, 7 if width >= WIDE else 6

    def head(self, width: int) -> str:
        """Return the names of the columns."""
        rank, move, each = self._columns(width)
        line = f"{'#':>{rank}}{'':{move + 1}}"
        if self.pair:
            line += "both  "
            line += "".join(
                f"{cut(f'{letter} {name}', each - 1)} " for letter, name in zip("AB", self.names, strict=True)
            )
            line += "agree " if width >= WIDE else ""
        else:
            line += "expect   " if width < TIGHT else "expect        n "
        year = " year " if width >= TIGHT else ""
        return cut(f"{line} title", width - len(year)) + year

    def draw(self, row: MovieRow, width: int) -> Line:
        """Draw one movie; the title has all the room that is left, and the year where there is enough of it."""
        rank, move, each = self._columns(width)
        line: Line = [(f"{row['rank']:>{rank}} ", "quiet"), self._move(row, move), ("★ ", "stars")]
        if self.pair:
            line.append((f"{row['stars']:.1f} ", ""))
            for value in row["by"]:
                line += [("★ ", "stars"), (f"{value:.1f}".ljust(each - 2), "")]
            line.append((f"{dots(row['agreement'])} " if width >= WIDE else "", ""))
        else:
            line.append((f"{row['stars']:.1f} ", ""))
            count = "" if width < TIGHT else f"{row['count']:>6,}"
            line.append((f"±{decimals(row['uncertainty'], 1)}{count} ", "quiet"))
        year = "" if width < TIGHT else f" {row['year'] or '':>4} "
        wanted = row.get("wanted", "")
        mark = f" {WANTED}{wanted if self.pair else ''}" if wanted else ""
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
