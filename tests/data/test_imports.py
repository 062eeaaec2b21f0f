"""Personal exports of other services: every layout, and files that are not exports."""

import os
import zipfile
from pathlib import Path, PurePosixPath
from random import Random

import pytest

from movietui.data.imports import csv_exports
from movietui.data.imports.entries import Choices, Entry, Export
from movietui.data.imports.export_file import MAX_BYTES, read
from movietui.data.imports.fields import to_imdb, to_moment, to_stars, to_year
from movietui.data.imports.merging import merged
from movietui.data.problems import Problem
from tests.data.exports import (
    IMDB,
    IMDB_LIST,
    LETTERBOXD,
    MOVIELENS,
    TMDB,
    imdb_row,
    letterboxd,
    letterboxd_row,
    table,
    trakt,
    trakt_entry,
)
from tests.data.files import write_folder, write_zip


def summary(export: Export) -> list[tuple[str, int, float | None, str]]:
    return [(entry.title, entry.year, entry.stars, " ".join(sorted(entry.marks))) for entry in export.entries]


def read_file(folder: Path, name: str, content: bytes) -> Export:
    path = folder / name
    path.write_bytes(content)
    return read(path)


LETTERBOXD_FILES = letterboxd(
    ratings=[letterboxd_row("Fargo", 1996, 4.5), letterboxd_row("Amélie", 2001, "0.5", "2021-01-05")],
    watched=[letterboxd_row("Fargo", 1996), letterboxd_row("Heat", 1995)],
    watchlist=[letterboxd_row("Alien", 1979), letterboxd_row("Untitled, and unreleased", "")],
    likes=[letterboxd_row("Fargo", 1996), letterboxd_row("Brazil", 1985)],
    diary=[
        letterboxd_row("Fargo", 1996, 2, "2022-01-01", **{"watched date": "2022-01-01"}),
        letterboxd_row("Ran", 1985, 3, "2020-02-02", **{"watched date": "2020-02-01"}),
        letterboxd_row("Ran", 1985, 5, "2020-03-03", **{"watched date": "2020-03-01"}),
        letterboxd_row("Ran", 1985, "", "2020-04-04", **{"watched date": "2020-04-01", "rewatch": "Yes"}),
    ],
    reviews=[
        letterboxd_row("Ran", 1985, 1, "2019-03-03", review='Long, "loud"\nand red', **{"watched date": "2019-03-01"})
    ],
)
LETTERBOXD_MOVIES = {
    ("Fargo", 1996, 4.5, "liked"),
    ("Amélie", 2001, 0.5, ""),
    ("Heat", 1995, None, "seen"),
    ("Alien", 1979, None, "watchlist"),
    ("Untitled, and unreleased", 0, None, "watchlist"),
    ("Brazil", 1985, None, "liked"),
    ("Ran", 1985, 5.0, ""),
}


@pytest.mark.parametrize("inside", ["", "letterboxd-anna-2026/"])
def test_a_letterboxd_zip(tmp_path: Path, inside: str) -> None:
    others = {
        "deleted/diary.csv": table(LETTERBOXD["diary.csv"], [letterboxd_row("Deleted", 2000, 1)]),
        "orphaned/ratings.csv": table(LETTERBOXD["ratings.csv"], [letterboxd_row("Orphan", 2000, 1)]),
        "lists/best.csv": b"Letterboxd list export v7\nDate,Name\n",
        "likes/reviews.csv": table(LETTERBOXD["reviews.csv"], [letterboxd_row("Liked review", 2000, 1)]),
        "profile.csv": b"Date Joined,Username\n2020-01-01,anna\n",
        "__MACOSX/ratings.csv": b"\0\5\x16\7",
    }
    export = read(write_zip(tmp_path / "letterboxd.zip", {**LETTERBOXD_FILES, **others}, inside))
    assert (export.format, set(summary(export)), export.skipped) == ("letterboxd", LETTERBOXD_MOVIES, ())
    ran = next(entry for entry in export.entries if entry.title == "Ran")
    assert ran.at == "2020-03-01T00:00:00.000+00:00"


def test_the_folder_that_a_zip_unpacks_to(tmp_path: Path) -> None:
    (tmp_path / "export" / "likes").mkdir(parents=True)
    assert set(summary(read(write_folder(tmp_path / "export", LETTERBOXD_FILES)))) == LETTERBOXD_MOVIES


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ratings.csv", ("Fargo", 1996, 4.5, "")),
        ("watched.csv", ("Fargo", 1996, None, "seen")),
        ("watchlist-anna-2026.csv", ("Fargo", 1996, None, "watchlist")),
        ("films.csv", ("Fargo", 1996, None, "liked")),
        ("diary.csv", ("Fargo", 1996, 4.5, "")),
        ("reviews.csv", ("Fargo", 1996, 4.5, "")),
    ],
)
def test_each_letterboxd_table_alone(tmp_path: Path, name: str, expected: tuple[object, ...]) -> None:
    header = LETTERBOXD.get(name, LETTERBOXD["watched.csv"])
    assert summary(read_file(tmp_path, name, table(header, [letterboxd_row("Fargo", 1996, 4.5)]))) == [expected]


def test_a_letterboxd_table_that_does_not_say_what_it_is(tmp_path: Path) -> None:
    export = read_file(tmp_path, "mine.csv", table(LETTERBOXD["watched.csv"], [letterboxd_row("Fargo", 1996)]))
    assert (export.entries, [(each.name, len(each.entries)) for each in export.lists]) == ((), [("mine", 1)])
    assert export.readings[0].is_unclear


@pytest.mark.parametrize("variant", IMDB)
def test_imdb_ratings(tmp_path: Path, variant: str) -> None:
    rows = [
        imdb_row("tt0116282", 9, "Fargo", 1996),
        imdb_row("tt12345678", 1, "New, and good", 2020, "Feature Film"),
        imdb_row("tt0000001", 10, "Ohne Jahr", "", "Spielfilm"),
        imdb_row("tt2802850", 10, "Fargo", "2014–2024", "TV Series"),
    ]
    export = read_file(tmp_path, "ratings.csv", table(IMDB[variant], rows))
    movies = {(entry.title, entry.year, entry.stars, entry.imdb, entry.at) for entry in export.entries}
    at = "2019-03-02T00:00:00.000+00:00"
    assert movies == {
        ("Fargo", 1996, 4.5, "tt0116282", at),
        ("New, and good", 2020, 0.5, "tt12345678", at),
        ("Ohne Jahr", 0, 5.0, "tt0000001", at),
    }
    assert [(row.location, row.title) for row in export.skipped] == [("ratings.csv line 5", "Fargo")]
    assert export.format == "imdb"


def test_an_imdb_watchlist(tmp_path: Path) -> None:
    rows = [imdb_row("tt0116282", "", "Fargo", 1996), imdb_row("tt0078748", 8, "Alien", 1979)]
    export = read_file(tmp_path, "WATCHLIST.csv", table(IMDB_LIST, rows))
    assert summary(export) == [("Fargo", 1996, None, "watchlist"), ("Alien", 1979, 4.0, "watchlist")]


MOVIE_TYPES = ("movie", "Movie", "Feature Film", "Película", "Spielfilm", "Filme", "TV Movie", "Video", "चलचित्र", "")
OTHER_TYPES = (
    *(
        "tvSeries",
        "TV Series",
        "tvMiniSeries",
        "tvEpisode",
        "TV Episode",
        "Fernsehserie",
        "Serie de TV",
        "Série télévisée",
    ),
    *("Episodio TV", "Épisode télévisé", "podcastSeries", "videoGame", "Videospiel", "Music Video"),
)


@pytest.mark.parametrize("kind", MOVIE_TYPES)
def test_types_that_are_movies(tmp_path: Path, kind: str) -> None:
    assert read_file(tmp_path, "r.csv", table(IMDB["now"], [imdb_row("tt1", 2, "X", 1990, kind)])).entries


@pytest.mark.parametrize("kind", OTHER_TYPES)
def test_types_that_are_not_movies(tmp_path: Path, kind: str) -> None:
    rows = [imdb_row("tt1", 2, "X", 1990, kind), imdb_row("tt2", 2, "Y", 1990)]
    export = read_file(tmp_path, "r.csv", table(IMDB["now"], rows))
    assert [entry.title for entry in export.entries] == ["Y"]
    assert export.skipped[0].reason == f"it is not a movie; its type is {kind}"


TRAKT_FILES = {
    "ratings-movies.json": trakt(
        [
            trakt_entry("Fargo", 1996, rated_at="2021-05-01T10:00:00.000Z", rating=9, imdb="tt0116282", tmdb=275),
            trakt_entry("Alien", 1979, rated_at="2021-05-02T10:00:00.000Z", rating=1),
        ]
    ),
    "watched-movies-1.json": trakt(
        [trakt_entry("Fargo", 1996, last_watched_at="2021-05-01T09:00:00Z", imdb="tt0116282", tmdb=275)]
    ),
    "watched-history-2.json": trakt(
        [
            trakt_entry("Heat", 1995, watched_at="2021-05-01T09:00:00Z"),
            {"type": "episode", "episode": {}, "show": {"title": "Series"}},
        ]
    ),
    "lists-watchlist.json": trakt([trakt_entry("Ran", None, listed_at="2021-05-01T09:00:00Z")]),
}


@pytest.mark.parametrize("nested", [False, True])
def test_a_trakt_zip(tmp_path: Path, nested: bool) -> None:
    names = {
        "ratings-movies.json": "user/ratings/ratings-movies.json",
        "watched-movies-1.json": "user/watched/watched-movies-1.json",
        "watched-history-2.json": "user/watched/watched-history-2.json",
        "lists-watchlist.json": "user/lists/watchlist.json",
    }
    files = {names[name] if nested else name: content for name, content in TRAKT_FILES.items()}
    files["user/ratings/ratings-shows.json"] = trakt([{"rating": 10, "show": {"title": "Series"}}])
    files["user-profile.json"] = b"{}"
    export = read(write_zip(tmp_path / "trakt.zip", files, ""))
    assert export.format == "trakt"
    assert set(summary(export)) == {
        ("Fargo", 1996, 4.5, ""),
        ("Alien", 1979, 0.5, ""),
        ("Heat", 1995, None, "seen"),
        ("Ran", 0, None, "watchlist"),
    }
    fargo = next(entry for entry in export.entries if entry.title == "Fargo")
    assert (fargo.imdb, fargo.tmdb, fargo.at) == ("tt0116282", 275, "2021-05-01T10:00:00.000+00:00")
    assert [row.reason for row in export.skipped] == ["1 entry is not a movie"]


def test_a_movielens_export(tmp_path: Path) -> None:
    rows = [
        {
            "movie_id": 608,
            "imdb_id": "0116282",
            "tmdb_id": 275,
            "rating": "4.5",
            "average_rating": "4.1",
            "title": "Fargo (1996)",
        },
        {
            "movie_id": 2571,
            "imdb_id": "tt0133093",
            "rating": "5",
            "average_rating": "4.2",
            "title": "The Matrix (1999)",
        },
        {"movie_id": 1, "average_rating": "3.9", "title": "Not rated (1995)"},
    ]
    export = read_file(tmp_path, "movielens-ratings.csv", table(MOVIELENS, rows, "\r\n"))
    assert export.format == "movielens"
    assert export.entries == (
        Entry("Fargo", 1996, 4.5, imdb="tt0116282", tmdb=275, movielens=608),
        Entry("The Matrix", 1999, 5.0, imdb="tt0133093", movielens=2571),
    )
    assert [row.reason for row in export.skipped] == ["it has no rating"]


def test_a_tmdb_export(tmp_path: Path) -> None:
    row = {"tmdb id": 275, "imdb id": "tt0116282", "type": "movie", "name": "Fargo", "release date": "1996-03-08"}
    rows = [{**row, "rating": "7.9", "your rating": "7.5", "date rated": "2020-01-05T12:30:00Z"}, {**row, "type": "tv"}]
    export = read_file(tmp_path, "ratings.csv", table(TMDB, rows))
    assert export.entries == (
        Entry("Fargo", 1996, 4.0, at="2020-01-05T12:30:00.000+00:00", imdb="tt0116282", tmdb=275),
    )
    assert [row.reason for row in export.skipped] == ["it is not a movie; its type is tv"]


PLAIN = {
    "title,year,rating\nFargo,1996,4.5\n": ("Fargo", 1996, 4.5, ""),
    "Title;Year;Rating\nFargo;1996;4,5\n": ("Fargo", 1996, 4.5, ""),
    "movie\tstars\nFargo (1996)\t4.5\n": ("Fargo", 1996, 4.5, ""),
    'Name,Rating10\n"Usual Suspects, The (1995)",9\n': ("The Usual Suspects", 1995, 4.5, ""),
    " FILM , Year, Watched Date\nFargo,1996,2020-01-05\n": ("Fargo", 1996, None, "seen"),
    "title,year,marks\nFargo,1996,watchlist hidden\n": ("Fargo", 1996, None, "hidden watchlist"),
    "Title,Year,Rating\n'+1,2013,3\n": ("+1", 2013, 3.0, ""),
    "Title,Year,Rating\n\x1b[31mFar\x07go\u202e,1996,3\n": ("Fargo", 1996, 3.0, ""),
    "Title,Year,Rating\nFargo,soon,3\n": ("Fargo", 0, 3.0, ""),
    "Title,Rating,Review\nFargo (1996),3\n": ("Fargo", 1996, 3.0, ""),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("text", PLAIN)
def test_plain_tables(tmp_path: Path, text: str, end: str, encoding: str) -> None:
    export = read_file(tmp_path, "mine.csv", text.replace("\n", end).encode(encoding))
    assert (export.format, summary(export)) == ("csv", [PLAIN[text]])


def test_a_table_in_cp1252(tmp_path: Path) -> None:
    content = "Title,Year,Rating\nLe Fabuleux Destin d’Amélie Poulain – “1”,2001,4\n".encode("cp1252")
    assert summary(read_file(tmp_path, "mine.csv", content))[0][0] == "Le Fabuleux Destin d’Amélie Poulain – “1”"


def test_unreadable_lines_are_reported(tmp_path: Path) -> None:
    content = b"Title,Year,Rating\nFargo,1996,4\nA,b,c,d,e\nshort\n,1990,3\n\n" + b"x" * 1200 + b",1990,3\n"
    export = read_file(tmp_path, "mine.csv", content)
    assert summary(export) == [("Fargo", 1996, 4.0, "")]
    assert [(row.location.partition(" ")[2], row.reason) for row in export.skipped] == [
        ("line 3", "it should have 3 fields, not 5"),
        ("line 4", "it should have 3 fields, not 1"),
        ("line 5", "it has no title"),
        ("line 7", "its title has more than 1,000 characters"),
    ]


@pytest.mark.parametrize(
    ("header", "row", "reason"),
    [
        (LETTERBOXD["ratings.csv"], letterboxd_row("Fargo", 1996, 9), "the rating '9' is not from 0.5 to 5"),
        (LETTERBOXD["ratings.csv"], letterboxd_row("Fargo", 1996, "0"), "from 0.5 to 5"),
        (LETTERBOXD["ratings.csv"], letterboxd_row("Fargo", 1996, "-3"), "the rating '-3' cannot be read"),
        (LETTERBOXD["ratings.csv"], letterboxd_row("Fargo", 1996, "nan"), "cannot be read"),
        (LETTERBOXD["ratings.csv"], letterboxd_row("Fargo", 1996, "1e0"), "cannot be read"),
        (IMDB["now"], imdb_row("tt1", 11, "Fargo", 1996), "the rating '11' is not from 1 to 10"),
        (IMDB["now"], imdb_row("tt1", "\x1b[31m9", "Fargo", 1996), "the rating '9' cannot be read"),
        ("Title,Rating", {"title": "Fargo", "rating": "800"}, "the rating '800' is not from 0.5 to 5"),
    ],
)
def test_a_movie_with_an_unreadable_rating_is_still_imported(
    tmp_path: Path, header: str, row: dict[str, object], reason: str
) -> None:
    good = {**row, **dict.fromkeys(("rating", "your rating"), 4), "name": "Heat", "title": "Heat", "const": "tt2"}
    export = read_file(tmp_path, "ratings.csv", table(header, [row, good]))
    assert {(entry.title, entry.stars is None, entry.marks) for entry in export.entries} == {
        ("Fargo", True, frozenset({"seen"})),
        ("Heat", False, frozenset()),
    }
    ((location, title, why),) = [(each.location, each.title, each.reason) for each in export.unread]
    assert (location, title) == ("ratings.csv line 2", "Fargo")
    assert reason in why
    assert why.isprintable()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"<!DOCTYPE html><html>", "is a web page"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0", "is not a text file in UTF-8"),
        (b"Title,Year\nFar\0go,1996\n", "is not a text file in UTF-8"),
        (b"Title,Year\nFarg\x81,1996\n", "is not a text file in UTF-8"),
        (b"a,b,c\n1,2,3\n", "begins with 'a,b,c', which is not a header of Letterboxd"),
        (b"\x1b]0;owned\x07a,b\n1,2\n", "begins with 'a,b', which is not a header"),
        (b"Title,Year,Rating\n", "contains no movie"),
        (b"Title,Year,Rating\n,1990,3\n", r"contains no movie \(mine.csv line 2: it has no title\); choose"),
        (b'Title,Year\n"Fargo,1996\nAlien,1979\n', "line 3 cannot be read"),
        (b'Title,Year\n"Far"go,1996\n', "line 2 cannot be read"),
        (b"Title,Year\n" + b"x" * 200_000 + b",1990\n", "cannot be read"),
        (b"[1, 2", "is damaged or not JSON"),
        (b"{}", "is not a list of movies"),
        (b"[" * 100_000, "is damaged or not JSON"),
        (b"[1, null, [], {}]", "contains no movie"),
        (b"PK\3\4 no archive", "damaged or incomplete"),
    ],
)
def test_files_that_are_not_exports(tmp_path: Path, content: bytes, problem: str) -> None:
    with pytest.raises(Problem, match=problem) as raised:
        read_file(tmp_path, "mine.csv", content)
    assert str(raised.value).isprintable()
    assert str(raised.value).endswith((".", "?"))


def test_paths_that_are_not_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, problem in (
        ("nothing.csv", "There is no file"),
        ("pipe", "is not a regular file"),
        ("", "contains no table"),
    ):
        with pytest.raises(Problem, match=problem):
            read(tmp_path / name)


def test_a_zip_without_an_export_or_with_two(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="contains no table from Letterboxd, IMDb"):
        read(write_zip(tmp_path / "a.zip", {"notes.txt": b"x"}))
    mixed = {"a.csv": b"Title\nX\n", "b.csv": table(IMDB["now"], [imdb_row("tt1", 3, "Y", 1990)])}
    with pytest.raises(Problem, match="tables from csv and imdb; import them one by one"):
        read(write_zip(tmp_path / "b.zip", mixed))


def test_hostile_zips(tmp_path: Path) -> None:
    ratings = LETTERBOXD_FILES["ratings.csv"]
    with pytest.raises(Problem, match="leads outside the archive"):
        read(write_zip(tmp_path / "slip.zip", {"ratings.csv": ratings, "../../evil.csv": ratings}, ""))
    with pytest.raises(Problem, match="more than 100 times its packed size"):
        read(write_zip(tmp_path / "bomb.zip", {"ratings.csv": ratings + b"\n" * 30_000_000}, ""))
    with pytest.raises(Problem, match="bytes, more than the"):
        read(write_zip(tmp_path / "large.zip", {"ratings.csv": b"\n" * (MAX_BYTES + 1)}, ""))
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
        archive.writestr("ratings.csv", ratings)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("ratings.csv", ratings)
    with pytest.raises(Problem, match="twice"):
        read(tmp_path / "twice.zip")
    cut = (tmp_path / "slip.zip").read_bytes()[:-30]
    with pytest.raises(Problem, match="damaged or incomplete"):
        read_file(tmp_path, "cut.zip", cut)


def test_stars() -> None:
    assert [to_stars(text, 5) for text in ("", " 5 ", "0.5", "3,5", "3.7", "3.75")] == [None, 5, 0.5, 3.5, 3.5, 4]
    assert [to_stars(text, 10) for text in ("1", "7", "10", "7.5", "0.5")] == [0.5, 3.5, 5, 4, 0.5]


def test_years_ids_and_moments() -> None:
    assert [to_year(text) for text in ("1996", "1996-03-08", "2014–2024", "", "soon", "0001", "19961")] == [
        *(1996, 1996, 2014),
        *(0, 0, 0, 0),
    ]
    assert [to_imdb(text) for text in ("tt0116282", "116282", "12345678", "", "nm1", "tt0")] == [
        *("tt0116282", "tt0116282", "tt12345678"),
        *("", "", ""),
    ]
    day = "2020-01-05T00:00:00.000+00:00"
    assert [to_moment(text) for text in ("2020-01-05", "Sun Jan  5 00:00:00 2020", "2020-01-05 00:00:00 UTC")] == [
        day
    ] * 3
    assert to_moment("2020-01-05T01:00:00+01:00") == day
    assert [to_moment(text) for text in ("", "5/1/2020", "2999-01-01", "0001-01-01T00:00:00+14:00", "2020-13-01")] == [
        ""
    ] * 5


def test_the_newest_rating_of_a_movie_counts() -> None:
    old, new = Entry("Fargo", 1996, 2, at="2019"), Entry("FARGO", 1996, 4, frozenset({"seen"}), at="2020")
    wish = Entry("Fargo", 1996, None, frozenset({"watchlist", "seen"}), at="2021")
    for order in ([old, new, wish], [wish, new, old]):
        assert merged(order) == (Entry("FARGO", 1996, 4, frozenset({"watchlist"}), at="2020"),)
    remake = Entry("Fargo", 1997, 1, at="2018")
    assert [entry.year for entry in merged([new, remake])] == [1997, 1996]
    assert len(merged([Entry("X", 1990, 1, imdb="tt1"), Entry("X", 1990, 1, imdb="tt2")])) == 2


REPEATED = (
    b"title,year,rating,date,marks\n"
    b"Heat,1995,4,2020-01-05,liked\n"
    b"Fargo,1996,3,2020-01-05,\n"
    b"Heat,1995,5,2021-01-05,\n"
    b"HEAT,1995,2,2021-01-05,\n"
    b"Heat,1995,,2022-01-05,watchlist\n"
    b"Heat,1995,3,2019-01-05,hidden\n"
    b"Fargo,1996,1,2020-01-05,\n"
    b"Heat,1995,1,2021-01-05,\n"
)


def test_most_rows_of_a_movie_are_merged_while_a_table_is_read() -> None:
    """A file may name a movie a million times. The result is the same as if all rows were merged at the end."""
    read_rows = csv_exports.read(PurePosixPath("mine.csv"), REPEATED).entries
    assert [(one.title, one.stars, sorted(one.marks), one.at[:4]) for one in read_rows] == [
        ("Heat", 4.0, ["liked"], "2020"),
        ("Fargo", 3.0, [], "2020"),
        ("HEAT", 2.0, [], "2021"),
        ("Heat", None, ["watchlist"], "2022"),
        ("Fargo", 1.0, [], "2020"),
        ("Heat", 1.0, ["hidden"], "2021"),
    ]
    heat = next(one for one in merged(read_rows) if one.title == "Heat")
    assert (heat.stars, sorted(heat.marks), heat.at[:4]) == (1.0, ["hidden", "liked", "watchlist"], "2021")


def test_repeated_rows_of_a_list_stay_separate() -> None:
    listed = csv_exports.read(PurePosixPath("mine.csv"), REPEATED, Choices(meaning="list"))
    assert len(listed.entries) == 8


def test_unreadable_values_are_reported_for_each_row_of_a_movie() -> None:
    rows = (
        b"title,year,rating,date\n"
        + b"Heat,soon,4,2020-01-05\n" * 3
        + b"Fargo,1996,11,2020-01-05\nFargo,1996,4,never\n"
    )
    table = csv_exports.read(PurePosixPath("mine.csv"), rows, Choices(scale=5))
    assert [one.location[-1] for one in table.unread.rows] == ["2", "3", "4", "5", "6"]


DATES = ("", "2020-01-05", "2020-01-06", "2019", "03/04/2020", "never")


def random_export(random: Random) -> dict[str, bytes]:
    """Return random Letterboxd tables with repeated movies, namesakes, and missing or unreadable values."""
    titles = random.sample(("Heat", "HEAT", "Fargo", "Crash", "The Crash", ""), 3)
    addresses = random.sample(("https://boxd.it/a", "https://boxd.it/b", "https://boxd.it/c", ""), 2)
    contents = {}
    for name in random.sample([*LETTERBOXD, "lists/mine.csv"], random.randint(1, 5)):
        header = LETTERBOXD.get(name, "Position,Name,Year,URL,Description")
        rows = [
            {
                "name": random.choice(titles),
                "year": random.choice(("1995", "2004", "soon")),
                "rating": random.choice(("", "1", "3.5", "11")),
                "date": random.choice(DATES),
                "watched date": random.choice(DATES),
                "letterboxd uri": random.choice(addresses),
            }
            for _ in range(random.choice((1, 3, 30)))
        ]
        contents[name] = table(header, rows)
    return contents


@pytest.mark.parametrize("seed", range(40))
def test_merging_while_reading_changes_no_export(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def result() -> Export | str:
        try:
            return read(archive)
        except Problem as problem:
            return str(problem)

    archive = write_zip(tmp_path / "export.zip", random_export(Random(seed)))
    merged_early = result()
    monkeypatch.setattr(csv_exports, "_MOST_KNOWN", 0)
    assert merged_early == result()


def test_movies_with_the_same_time_stay_in_the_order_of_the_file() -> None:
    names = ["Heat", "Fargo", "Ran", "Fargo", "Crash", "Ran", "Heat"]
    assert [entry.title for entry in merged([Entry(name, 1995, 3) for name in names])] == [
        "Heat",
        "Fargo",
        "Ran",
        "Crash",
    ]
