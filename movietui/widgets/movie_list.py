"""The ranked list in the middle of Browse."""

from rich.text import Text

from movietui.replies import MovieRow
from movietui.text import decimals, dots, fitted
from movietui.widgets.row_list import RowList

TIGHT = 48
"""Cells below which the number of ratings and the year give way to the title."""


class MovieList(RowList[MovieRow]):
    """Unseen movies, best first: for one viewer, or for a pair with the stars of each."""

    DEFAULT_CSS = "MovieList { height: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
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
        return max(3, len(str(self.total))) + 1, 5 if width >= 56 else 4, 9 if width >= 64 else 6

    def head(self, width: int) -> Text:
        """Return the names of the columns."""
        rank, move, each = self._columns(width)
        line = fitted("#", rank, right=True)
        line.append(" " * (move + 1))
        if self.pair:
            line.append("both   " if width < 64 else "together ")
            for letter, name in zip("AB", self.names, strict=True):
                line.append_text(fitted(f"{letter} {name}", each - 1))
                line.append(" ")
            line.append("agree  " if width >= 64 else "")
        else:
            line.append("expect   " if width < TIGHT else "expect        n ")
        return self._with_title(line, " title", " year ", width)

    @staticmethod
    def _with_title(line: Text, title: str, year: str | Text, width: int) -> Text:
        """Add the title, in all the room there is, and the year where there is enough of it."""
        last = 0 if width < TIGHT else 6
        line.append_text(fitted(title, max(0, width - line.cell_len - last)))
        return line + year if last else line

    def draw(self, row: MovieRow, index: int, width: int, *, under_cursor: bool) -> Text:
        """Draw one movie."""
        rank, move, each = self._columns(width)
        quiet, star = self.style("quiet"), self.style("stars")
        line = Text(no_wrap=True)
        line.append(f"{row['rank']:>{rank}} ", quiet)
        line.append_text(self._move(row, move))
        line.append("★ ", star)
        if self.pair:
            line.append(f"{row['stars']:.1f}".ljust(5 if width < 64 else 7))
            for value in row["by"]:
                line.append("★ ", star)
                line.append(f"{value:.1f}".ljust(each - 2))
            line.append(f"{dots(row['agreement'])}  " if width >= 64 else "")
        else:
            line.append(f"{row['stars']:.1f} ")
            line.append(f"±{decimals(row['uncertainty'], 1)}", quiet)
            line.append("" if width < TIGHT else f"{row['count']:>6,} ", quiet)
        year = Text(f" {row['year']:>4} " if row["year"] else "      ", quiet)
        return self._with_title(line, f" {row['title']}", year, width)

    def _move(self, row: MovieRow, width: int) -> Text:
        if not self.marked or row["before"] == row["rank"]:
            return Text(" " * width)
        if row["before"] is None:
            return fitted(Text("new", self.style("up")), width)
        step = row["before"] - row["rank"]
        far = 10 ** (width - 2)  # what fits beside the arrow and a space
        size = f"{abs(step)}" if abs(step) < far else f"{far - 1}"
        return fitted(Text(f"▲{size}", self.style("up")) if step > 0 else Text(f"▼{size}", self.style("down")), width)
