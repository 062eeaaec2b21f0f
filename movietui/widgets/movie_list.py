"""The ranked list in the middle of Browse."""

from rich.text import Text

from movietui.replies import MovieRow
from movietui.text import decimals, dots, fitted
from movietui.widgets.row_list import RowList


class MovieList(RowList[MovieRow]):
    """Unseen movies, best first: for one viewer, or for a pair with the stars of each."""

    DEFAULT_CSS = "MovieList { height: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.names: tuple[str, ...] = ("",)
        self.marked = False
        self._head_cache: tuple[tuple[object, ...], Text] | None = None

    @property
    def pair(self) -> bool:
        """Whether the list is for two."""
        return len(self.names) == 2

    def mark(self, marked: bool) -> None:
        """Show by how much rows moved, or do not."""
        if marked != self.marked:
            self.marked = marked
            self.refresh()

    def head(self, width: int) -> Text:
        """Return the names of the columns."""
        line = Text("     #      " if self.marked or width >= 70 else "    #    ")
        if self.pair:
            line.append("together ")
            for letter, name in zip("AB", self.names, strict=True):
                line.append_text(fitted(f"{letter} {name}", self._by_width(width)))
            line.append(fitted("agree", 7).plain if width >= 70 else "")
        else:
            line.append("expect     ")
            line.append("     n  ")
        room = max(0, width - line.cell_len - 6)
        line.append_text(fitted("title", room))
        line.append(" year ")
        return line

    @staticmethod
    def _by_width(width: int) -> int:
        return 12 if width >= 70 else 7

    def draw(self, row: MovieRow, index: int, width: int, *, under_cursor: bool) -> Text:
        """Draw one movie."""
        line = Text(no_wrap=True)
        line.append(f"{row['rank']:>6} " if width >= 70 or self.marked else f"{row['rank']:>5} ", self.style("quiet"))
        line.append_text(self._move(row, 5 if width >= 70 or self.marked else 3))
        star = self.style("stars")
        if self.pair:
            line.append("★ ", star)
            line.append(f"{row['stars']:.1f}".ljust(7))
            for value in row["by"]:
                line.append_text(fitted(Text.assemble(("★ ", star), f"{value:.1f}"), self._by_width(width)))
            if width >= 70:
                line.append(dots(row["agreement"]).ljust(7))
        else:
            line.append("★ ", star)
            line.append(f"{row['stars']:.1f} ")
            line.append(f"±{decimals(row['uncertainty'], 1)}".ljust(6), self.style("quiet"))
            line.append(f"{row['count']:>6,}  ", self.style("quiet"))
        room = max(0, width - line.cell_len - 6)
        line.append_text(fitted(row["title"], room))
        line.append(f" {row['year']:>4} " if row["year"] else "      ", self.style("quiet"))
        return line

    def _move(self, row: MovieRow, width: int) -> Text:
        if not self.marked or row["before"] == row["rank"]:
            return Text(" " * width)
        if row["before"] is None:
            return fitted(Text("new", self.style("up")), width)
        step = row["before"] - row["rank"]
        mark = Text(f"▲{step}", self.style("up")) if step > 0 else Text(f"▼{-step}", self.style("down"))
        return fitted(mark, width)
