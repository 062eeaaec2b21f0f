"""A column is declared once, and its heading is above its cells at every width."""

from collections.abc import Sequence

import pytest
from rich.cells import cell_len

from movietui.protocol.messages import MovieRow
from movietui.ui.browse.movie_list import TITLE_CELLS, MovieList
from movietui.ui.widgets.columns import REST, Column, ColumnList
from movietui.ui.widgets.line_view import Line

Person = tuple[str, int]
NAME: Column[Person] = Column("name", REST, lambda row, _: row[0], style="quiet")
AGE: Column[Person] = Column("age ", 6, lambda row, _: f"{row[1]} ", right=True)


class People(ColumnList[Person]):
    def columns(self, width: int) -> Sequence[Column[Person]]:
        return [NAME, AGE] if width > 10 else [NAME]


DECADE_CELLS = 7
DECADE: Column[MovieRow] = Column(" decade", DECADE_CELLS, lambda row, _: f" {row['year'] // 10 * 10}s")


class Decades(MovieList):
    """A list with one more column before the title, if there is room beside all others."""

    def columns(self, width: int) -> Sequence[Column[MovieRow]]:
        *others, title, year = super().columns(width)
        room = width - sum(column.cells for column in (*others, year)) - TITLE_CELLS
        return [*others, *([DECADE] if room >= DECADE_CELLS else []), title, year]


def test_one_column_takes_the_rest_of_the_width() -> None:
    people = People()
    assert people.header(16) == "name        age "
    assert people.draw(("Ada", 36), 16) == [("Ada       ", "quiet"), ("   36 ", "")]
    assert people.header(10) == "name      "
    assert people.draw(("Ada Lovelace", 36), 10) == [("Ada Lovel…", "quiet")]


def test_adjacent_pieces_of_one_style_are_merged() -> None:
    class Twice(People):
        def columns(self, width: int) -> Sequence[Column[Person]]:
            return [NAME, Column("", 2, lambda row, _: "x", style="quiet"), Column("", 3, lambda row, _: [("", "up")])]

    assert Twice().draw(("Ada", 36), 8) == [("Ada   x ", "quiet")]


def movie(**facts: object) -> MovieRow:
    row = {"rank": 1, "before": 1, "id": "1", "title": "Fargo", "year": 1996, "stars": 4.3, "uncertainty": 0.5}
    row |= {"count": 583, "by": [4.5, 3.9], "agreement": 0.8, "wanted": ""}
    return {**row, **facts}  # type: ignore[typeddict-item, return-value]


def words(line: Line) -> str:
    return "".join(text for text, _ in line)


@pytest.mark.parametrize("names", [("Anna",), ("Anna", "Ben")])
@pytest.mark.parametrize("width", [34, 47, 48, 55, 63, 64, 100])
def test_headings_are_above_their_cells(width: int, names: tuple[str, ...]) -> None:
    movies = MovieList(id="movies")
    movies.names = names
    header, row = movies.header(width), words(movies.draw(movie(), width))
    assert cell_len(header) == cell_len(row) == width
    assert header.index("title") == row.index("Fargo")
    assert "year" in header
    assert "1996" in row
    stars = ("predicted" if width >= 51 else "stars") if len(names) == 1 else "both"
    assert header.index(stars) == row.index("★")


def test_one_entry_adds_a_column() -> None:
    decades = Decades(id="movies")
    header, row = decades.header(100), words(decades.draw(movie(), 100))
    assert header.index("decade") == row.index("1990s")
    assert header.index("n ") < header.index("decade") < header.index("title")
    assert row.endswith("1996 ")
    assert decades.header(40) == MovieList(id="movies").header(40)
