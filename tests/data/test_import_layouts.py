"""Tables that users wrote themselves: names of columns, scales, formats of ratings and dates, and lists."""

from pathlib import Path

import pytest

from movietui.data.imports.entries import Choices, Export
from movietui.data.imports.export_file import read
from movietui.data.imports.fields import date_order, rating_of, scale_of, to_moment, to_stars, uncertain
from movietui.data.problems import Problem
from tests.data.exports import IMDB, IMDB_LIST, imdb_row, letterboxd, letterboxd_row, table
from tests.data.files import write_zip


def read_text(folder: Path, text: str, name: str = "mine.csv", choices: Choices | None = None) -> Export:
    path = folder / name
    path.write_bytes(text.encode("utf-8"))
    return read(path, choices)


def stars(export: Export) -> dict[str, float | None]:
    return {f"{entry.title} {entry.year}": entry.stars for entry in export.entries}


def listed(export: Export) -> dict[str, list[str]]:
    return {each.name: [f"{entry.title} {entry.year}" for entry in each.entries] for each in export.lists}


PERSONAL_NAMES = (
    *("My Rating", "your rating", "userRating", "User Score", "Personal rating", "You Rated", "Ma note", "Votre note"),
    *("Meine Bewertung", "Mi valoración", "Mi nota", "Il mio voto", "Minha nota", "Sua avaliação", "Note personnelle"),
)
PLAIN_NAMES = ("Rating", "Score", "Stars", "Note", "Bewertung", "Valoración", "Puntuación", "Voto", "Nota", "Avaliação")


@pytest.mark.parametrize("name", PERSONAL_NAMES)
def test_my_rating_is_read_instead_of_the_average(tmp_path: Path, name: str) -> None:
    export = read_text(tmp_path, f"Title,Rating,{name},IMDb Rating\nRan (1985),4.5,2,8.2\nIkiru (1952),4,,8.3\n")
    assert stars(export) == {"Ran 1985": 2, "Ikiru 1952": None}
    assert export.readings[0].not_read == ("Rating", "IMDb Rating")


@pytest.mark.parametrize("name", PLAIN_NAMES)
def test_names_of_ratings(tmp_path: Path, name: str) -> None:
    export = read_text(tmp_path, f"Title;{name}\nRan (1985);4,5\n")
    assert stars(export) == {"Ran 1985": 4.5}


def test_a_note_in_words_is_not_a_rating(tmp_path: Path) -> None:
    export = read_text(tmp_path, "Title,Note,Score\nRan (1985),with Tom,4\nIkiru (1952),5 times,3\n")
    assert stars(export) == {"Ran 1985": 4, "Ikiru 1952": 3}


@pytest.mark.parametrize(
    "name",
    ["Release Year", "Released", "Release Date", "Jahr", "Erscheinungsjahr", "Année de sortie", "Año", "Anno", "Ano"],
)
@pytest.mark.parametrize("year", ["2000", "2000-05-12", "12/05/2000", "12.5.2000", "2000.0"])
def test_names_and_formats_of_years(tmp_path: Path, name: str, year: str) -> None:
    export = read_text(tmp_path, f"Titre;{name};Rating\nHamlet;{year};4\nHamlet;1996;3\n")
    assert stars(export) == {"Hamlet 2000": 4, "Hamlet 1996": 3}


@pytest.mark.parametrize("name", ["Titel", "Titre", "Título", "Titolo", "Película", "Nome", "Movie Title"])
def test_names_of_titles(tmp_path: Path, name: str) -> None:
    assert stars(read_text(tmp_path, f"{name},Rating\nRan (1985),4\n")) == {"Ran 1985": 4}


@pytest.mark.parametrize(
    ("header", "values", "scale", "by", "first"),
    [
        ("Rating", "4,3.5,5", 5, "assumed", 4),
        ("Score", "9,6,7", 10, "assumed", 4.5),
        ("Score", "90,65,7", 100, "assumed", 4.5),
        ("Rating (1-10)", "4,3,2", 10, "stated", 2),
        ("Note sur 20", "12,14,8", 20, "stated", 3),
        ("Rating10", "4,3,2", 10, "stated", 2),
    ],
)
def test_scales(tmp_path: Path, header: str, values: str, scale: int, by: str, first: float) -> None:
    rows = "".join(f"Title {row} (199{row}),{value}\n" for row, value in enumerate(values.split(",")))
    export = read_text(tmp_path, f"Title,{header}\n{rows}")
    assert (export.readings[0].scale, export.readings[0].scale_by) == (scale, by)
    assert export.entries[0].stars == first


def test_one_typing_error_does_not_change_the_scale() -> None:
    assert scale_of([("4", 60), ("3.5", 60), ("45", 1)]) == 5
    assert scale_of([("4", 3), ("45", 3)]) == 100
    assert scale_of([("★★★", 3), ("", 9)]) == 0


def test_a_scale_and_columns_that_the_user_chooses(tmp_path: Path) -> None:
    text = "What,How much,Rating\nRan (1985),4,5\n"
    chosen = Choices(scale=10, columns={"title": "what", "rating": "HOW MUCH"})
    export = read_text(tmp_path, text, choices=chosen)
    assert stars(export) == {"Ran 1985": 2}
    assert (export.readings[0].scale_by, export.readings[0].not_read) == ("chosen", ("Rating",))
    with pytest.raises(Problem, match=r"has no column 'Score'; its columns are: What, Rating, How much"):
        read_text(tmp_path, text, choices=Choices(columns={"title": "What", "rating": "Score"}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("★★★½", 3.5),
        ("★★★☆☆", 3),
        ("½", 0.5),
        ("***", 3),
        ("⭐⭐⭐⭐", 4),
        ("4/5", 4),
        ("3.5 / 5", 3.5),
        ("8/10", 4),
        ("16 sur 20", 4),
        ("4 out of 5", 4),
        ("90 %", 4.5),
        ("4,5", 4.5),
        ("3½", 3.5),
    ],
)
def test_ways_to_write_a_rating(text: str, expected: float) -> None:
    assert to_stars(text, 5) == expected


@pytest.mark.parametrize("text", ["good", "0", "6", "-1", "6/5", "★★★★★★", "½½", "5/0", "120 %", "1e3", "٣"])
def test_text_that_is_not_a_rating(text: str) -> None:
    with pytest.raises(ValueError, match=r"cannot be read|is not from"):
        to_stars(text, 5)


def test_a_rating_may_state_its_scale() -> None:
    assert (rating_of("8/10"), rating_of("★★"), rating_of("7")) == ((8, 10), (2, 5), (7, 0))


DAY = "2022-03-25T00:00:00.000+00:00"


@pytest.mark.parametrize("text", ["25/3/2022", "25.3.2022", "3/25/2022", "25 Mar 2022", "March 25, 2022", "2022/3/25"])
def test_dates_that_are_certain(text: str) -> None:
    assert to_moment(text) == DAY


def test_the_other_dates_of_a_column_decide_about_an_ambiguous_one(tmp_path: Path) -> None:
    assert date_order(["5/3/2022", "25/3/2022"]) == ("day", False)
    assert date_order(["5/3/2022", "3/25/2022"]) == ("month", False)
    assert date_order(["25/3/2022", "3/25/2022"]) == ("", True)
    assert date_order(["5/3/2022", "5.3.2022"]) == ("", False)
    assert (to_moment("5/3/2022"), uncertain("5/3/2022"), uncertain("5/5/2022")) == ("", "2022?", "")
    export = read_text(tmp_path, "Title,Rating,Date\nRan (1985),4,5/3/2022\nIkiru (1952),4,13/3/2022\n")
    assert [entry.at[:10] for entry in export.entries] == ["2022-03-05", "2022-03-13"]
    assert export.readings[0].notes == ()


def test_ambiguous_dates_are_reported_and_still_ordered_by_year(tmp_path: Path) -> None:
    rows = [
        letterboxd_row("Ran", 1985, 5, "4/5/2021"),
        letterboxd_row("Ran", 1985, 2, "6/7/2019"),
        letterboxd_row("Heat", 1995, 3, "never"),
    ]
    export = read_text(tmp_path, table("Date,Name,Year,Letterboxd URI,Rating,Rewatch", rows).decode())
    assert stars(export) == {"Ran 1985": 5, "Heat 1995": 3}
    assert [entry.at for entry in export.entries] == ["", ""]
    assert "is the day or the month first?" in export.readings[0].notes[0]
    assert ["'never' cannot be read" in row.reason for row in export.unread] == [True]


def test_a_year_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    export = read_text(tmp_path, "Title,Year,Rating\nRan,soon,4\n")
    assert [(row.location, row.reason) for row in export.unread] == [
        ("mine.csv line 2", "the year 'soon' cannot be read")
    ]


def test_a_table_that_does_not_say_what_its_movies_are(tmp_path: Path) -> None:
    text = "Title,Year,Mood\nRan,1985,sad\n"
    export = read_text(tmp_path, text)
    assert (export.entries, listed(export)) == ((), {"mine": ["Ran 1985"]})
    assert (export.readings[0].is_unclear, export.readings[0].not_read) == (True, ("Mood",))
    seen = read_text(tmp_path, text, choices=Choices(meaning="seen"))
    assert ([set(entry.marks) for entry in seen.entries], seen.lists) == ([{"seen"}], ())
    named = read_text(tmp_path, text, choices=Choices(meaning="list", name="Tonight"))
    assert (listed(named), named.readings[0].is_unclear) == ({"Tonight": ["Ran 1985"]}, False)


@pytest.mark.parametrize(
    ("name", "marks"),
    [
        ("my watchlist.csv", "watchlist"),
        ("to-watch.csv", "watchlist"),
        ("watched.csv", "seen"),
        ("Liked films.csv", "liked"),
        ("unwatched.csv", None),
        ("unseen.csv", None),
    ],
)
def test_the_file_name_decides_if_the_rows_do_not(tmp_path: Path, name: str, marks: str | None) -> None:
    export = read_text(tmp_path, "Title,Year\nRan,1985\n", name)
    assert [set(entry.marks) for entry in export.entries] == ([{marks}] if marks else [])


def test_rows_take_precedence_over_the_file_name(tmp_path: Path) -> None:
    text = "title,year,rating,marks\nRan,1985,4.5,\nHeat,1995,,seen\nBrazil,1985,,watchlist\nAlien,1979,,\n"
    export = read_text(tmp_path, text, "ratings and watchlist.csv")
    assert {entry.title: set(entry.marks) for entry in export.entries} == {
        "Ran": set(),
        "Heat": {"seen"},
        "Brazil": {"watchlist"},
        "Alien": {"watchlist"},
    }


ROWS = "Position,Name,Year,URL,Description\n1,Ran,1985,https://boxd.it/b,loud\n2,Ikiru,1952,https://boxd.it/c,\n"
ABOVE = 'Date,Name,Tags,URL,Description\n2020-05-16,Snow days,,https://boxd.it/a,"for\ntwo"\n\n'


@pytest.mark.parametrize("before", ["", "\n", "Letterboxd list export v7\n"])
def test_letterboxd_lists(tmp_path: Path, before: str) -> None:
    export = read_text(tmp_path, before + ABOVE + ROWS, "evenings.csv")
    assert (export.format, export.entries) == ("letterboxd", ())
    assert listed(export) == {"Snow days": ["Ran 1985", "Ikiru 1952"]}
    assert [entry.note for entry in export.lists[0].entries] == ["loud", ""]
    assert listed(read_text(tmp_path, ROWS, "evenings.csv")) == {"evenings": ["Ran 1985", "Ikiru 1952"]}


def test_lists_in_a_letterboxd_zip(tmp_path: Path) -> None:
    files = letterboxd(ratings=[letterboxd_row("Heat", 1995, 4)])
    files |= {"lists/snow.csv": (ABOVE + ROWS).encode(), "lists/empty.csv": ABOVE.encode()}
    export = read(write_zip(tmp_path / "letterboxd.zip", files, ""))
    assert (stars(export), listed(export)) == ({"Heat 1995": 4}, {"Snow days": ["Ran 1985", "Ikiru 1952"]})


def test_an_imdb_list_has_ratings_but_no_seen_marks(tmp_path: Path) -> None:
    rows = [imdb_row("tt0089881", "", "Ran", 1985), imdb_row("tt0044741", 8, "Ikiru", 1952)]
    export = read_text(tmp_path, table(IMDB_LIST, rows).decode(), "Kurosawa.csv")
    assert listed(export) == {"Kurosawa": ["Ran 1985", "Ikiru 1952"]}
    assert [(entry.title, entry.stars, set(entry.marks)) for entry in export.entries] == [("Ikiru", 4, set())]


@pytest.mark.parametrize(("name", "marks"), [("WATCHLIST.csv", [{"watchlist"}, {"watchlist"}]), ("mine.csv", [set()])])
def test_a_list_in_the_oldest_imdb_layout(tmp_path: Path, name: str, marks: list[set[str]]) -> None:
    rows = [imdb_row("tt0089881", "", "Ran", 1985), imdb_row("tt0044741", 8, "Ikiru", 1952)]
    export = read_text(tmp_path, table(IMDB["oldest"], rows).decode(), name)
    assert [set(entry.marks) for entry in export.entries] == marks
    assert len(listed(export)) == (name == "mine.csv")
    assert export.skipped == ()


@pytest.mark.parametrize(
    "text", ["Ran (1985)\nIkiru (1952)\n", "1. Ran (1985)\n2. Ikiru (1952)", "- Ran [1985]\n\n* Ikiru [1952]\n"]
)
def test_a_title_in_each_line(tmp_path: Path, text: str) -> None:
    export = read_text(tmp_path, text, "evening.txt")
    assert (export.format, listed(export)) == ("titles", {"evening": ["Ran 1985", "Ikiru 1952"]})
    assert export.readings[0].is_unclear


@pytest.mark.parametrize("text", ["sep=;\nTitle;Rating\nRan (1985);4,5\n", '"sep=;"\nTitre;Note\nRan (1985);4,5\n'])
def test_lines_that_spreadsheets_write_above_a_table(tmp_path: Path, text: str) -> None:
    assert stars(read_text(tmp_path, text)) == {"Ran 1985": 4.5}


def test_two_movies_with_one_name_and_year(tmp_path: Path) -> None:
    one, two = (
        {**letterboxd_row("Snow", 1922, rating), "letterboxd uri": f"https://boxd.it/{rating}"} for rating in (3, 4)
    )
    files = letterboxd(
        ratings=[one, two], diary=[letterboxd_row("Snow", 1922, 1)], watched=[one, two, letterboxd_row("Heat", 1995)]
    )
    export = read(write_zip(tmp_path / "letterboxd.zip", files, ""))
    assert [(entry.title, entry.stars, entry.qualifier) for entry in export.entries if entry.stars] == [
        ("Snow", 3, "3"),
        ("Snow", 4, "4"),
    ]
    assert len({entry.key for entry in export.entries}) == 3
    assert export.namesakes == ("Snow (1922)",)
