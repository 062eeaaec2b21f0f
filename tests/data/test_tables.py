"""Reads ratings from tables of any kind, and from the layouts of other datasets."""

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from movietui.data import catalogue
from movietui.data.dataset import Dataset, Scale
from movietui.data.movielens.release import MISSING, Raw
from movietui.data.problems import Problem
from movietui.data.tables import reader
from tests.data.files import contents, lines, write_folder, write_zip
from tests.data.tables import Rated, on_scale, rated, write
from tests.data.tables import lines as table_lines

HEADER = ("user", "item", "rating", "time")


def read(path: Path, *columns: str) -> Raw:
    return reader.read(path, columns)[0]


def pairs(raw: Raw) -> list[tuple[str, str, float, int]]:
    """Return the ratings of raw tables, by the published ids."""
    users, movies = raw.users["published_id"].tolist(), raw.movies["published_id"].tolist()
    return [
        (users[row.user_id], movies[row.movie_id], float(row.stars), int(row.time)) for row in raw.ratings.itertuples()
    ]


def expected(rows: list[Rated]) -> list[tuple[str, str, float, int]]:
    return [(user, item, float(stars), time) for user, item, stars, time in rows]


@pytest.mark.parametrize(
    ("separator", "header"),
    [
        (",", HEADER),
        ("\t", ("userId", "movieId", "rating", "timestamp")),
        (";", ("User-ID", "ISBN", "Stars", "Date")),
        ("|", ("reviewerID", "asin", "overall", "unixReviewTime")),
    ],
)
def test_columns_are_found_by_the_header(tmp_path: Path, separator: str, header: tuple[str, ...]) -> None:
    assert pairs(read(write(tmp_path / "mine.csv", header, rated(), separator))) == expected(rated())


def test_columns_may_be_in_any_order_among_others(tmp_path: Path) -> None:
    rows = [(time, "x", stars, item, user) for user, item, stars, time in rated()]
    path = write(tmp_path / "mine.csv", ("time", "helpful", "score", "item_id", "user_id"), rows)
    assert pairs(read(path)) == expected(rated())


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        (("who", "what", "how", "when"), ("who", "what", "how", "when")),
        (("who", "what", "how", "when"), HEADER),
        ((), HEADER),
        (("user", "item", "rating", "time"), HEADER),
        (("userId", "movieId", "rating", "timestamp"), HEADER),
    ],
)
def test_columns_are_found_by_the_names_that_the_user_gives(
    tmp_path: Path, header: tuple[str, ...], columns: tuple[str, ...]
) -> None:
    assert pairs(read(write(tmp_path / "mine.csv", header, rated()), *columns)) == expected(rated())


def test_a_column_of_ratings_can_be_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.csv", ("who", "what", "how", "when"), rated())
    for columns in (("who", "what", "-", "when"), ("user", "item", "-", "time")):
        raw = read(path, *columns)
        assert raw.implicit
        assert raw.ratings["time"].tolist() == [time for *_, time in rated()]


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (("who", "waht"), "did you mean what"),
        (("a", "b", "c"), "its columns are 'who', 'what', 'how', 'when'"),
        (("-", "what"), "must name the column of mine.csv with the user"),
    ],
)
def test_names_that_do_not_fit_are_refused(tmp_path: Path, columns: tuple[str, ...], sentence: str) -> None:
    path = write(tmp_path / "mine.csv", ("who", "what", "how", "when"), rated())
    with pytest.raises(Problem, match=sentence):
        read(path, *columns)


def test_a_header_that_says_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"begins with 'a,b,c', which names no user and item; name its columns"):
        read(write(tmp_path / "mine.csv", ("a", "b", "c"), [("x", "y", 1)]))


def test_a_table_of_numbers_needs_no_header(tmp_path: Path) -> None:
    rows = [(1, 10, 3.5, 900_000_000), (2, 10, 4, 900_000_001)]
    raw = read(write(tmp_path / "ratings", (), rows, "\t"))
    assert pairs(raw) == [("1", "10", 3.5, 900_000_000), ("2", "10", 4, 900_000_001)]


@pytest.mark.parametrize("kind", [str, int])
def test_a_parquet_table(tmp_path: Path, kind: type) -> None:
    rows = [
        (kind(number), kind(item), float(item), 900_000_000 + number) for number in range(9) for item in range(1, 6)
    ]
    frame = pd.DataFrame(rows, columns=[*HEADER])
    frame.to_parquet(tmp_path / "mine.parquet")
    assert pairs(read(tmp_path / "mine.parquet")) == [(str(a), str(b), c, d) for a, b, c, d in rows]
    frame["time"] = pd.to_datetime(frame["time"], unit="s")
    frame.to_parquet(tmp_path / "dated.parquet")
    assert pairs(read(tmp_path / "dated.parquet")) == [(str(a), str(b), c, d) for a, b, c, d in rows]


def test_files_may_be_packed(tmp_path: Path) -> None:
    content = table_lines(HEADER, rated())
    (tmp_path / "mine.csv.gz").write_bytes(gzip.compress(content))
    packed = write_zip(tmp_path / "mine.zip", {"mine.csv": content}, "inside/")
    folder = write_folder(tmp_path / "folder", {"mine.csv": content, "README.md": b"Mine."})
    for path in (tmp_path / "mine.csv.gz", packed, folder):
        assert pairs(read(path)) == expected(rated())


def test_two_tables_of_ratings_are_refused(tmp_path: Path) -> None:
    content = table_lines(HEADER, rated())
    with pytest.raises(Problem, match=r"has 2 tables of ratings, a.csv, b.csv; name the file"):
        read(write_folder(tmp_path / "folder", {"a.csv": content, "b.csv": content}))


def test_titles_come_from_the_table_or_from_one_beside_it(tmp_path: Path) -> None:
    with_titles = [(*row, f"Title of {row[1]} (1999)") for row in rated()]
    beside = table_lines(("item", "title"), [(item, title) for _, item, _, _, title in with_titles])
    folder = write_folder(tmp_path / "folder", {"mine.csv": table_lines(HEADER, rated()), "titles.csv": beside})
    for path in (write(tmp_path / "mine.csv", (*HEADER, "title"), with_titles), folder):
        raw = read(path)
        assert raw.movies["title"].tolist() == [f"Title of {item} (1999)" for item in raw.movies["published_id"]]


def test_times_may_be_dates_or_milliseconds_or_missing(tmp_path: Path) -> None:
    times = ("1999-01-02", "1999-01-02T03:04:05Z", "915246245000", "915246245", "", "soon")
    raw = read(
        write(tmp_path / "mine.csv", HEADER, [("a", str(row), 1 + row % 5, each) for row, each in enumerate(times)])
    )
    assert raw.ratings["time"].tolist() == [915_235_200, *[915_246_245] * 3, MISSING, MISSING]


def test_a_table_without_times_is_not_dated(tmp_path: Path) -> None:
    facts = _stored(tmp_path, HEADER[:3], [row[:3] for row in rated()])[1]
    assert (facts["first"], facts["last"]) == (None, None)
    assert "ratings over time" not in [chart["name"] for chart in facts["charts"]]


def test_rows_without_an_id_or_a_rating_are_removed(tmp_path: Path) -> None:
    faults = [("", "it_1é", 3, 9), ("Us-01", "", 3, 9), ("Us-01", "it_1é", "", 9), ("x" * 201, "it_1é", 3, 9)]
    report = _stored(tmp_path, HEADER, [*faults, *rated()])[2]
    assert {rule.rule: rule.removed for rule in report.rules}["missing-values"] == 4
    assert report.ratings == len(rated())


def test_malformed_rows_are_listed_and_too_many_refused(tmp_path: Path) -> None:
    raw = read(write(tmp_path / "mine.csv", HEADER, [("a", "b"), ("a", "c", "good", 9), *rated()]))
    assert [str(line) for line in raw.malformed] == [
        "mine.csv line 2: it should have 4 fields, not 2",
        "mine.csv: the rating 'good' is not a number in range",
    ]
    with pytest.raises(Problem, match=r"11 of \d+ rows of mine.csv are wrong; the rating 'good' is not a number"):
        read(write(tmp_path / "mine.csv", HEADER, [*[("a", "c", "good", 9)] * 11, *rated()]))


@pytest.mark.parametrize("content", [b"", b"\n\n", b"user,item,rating\n", b"PAR1 and nothing", b"\x1f\x8b\x00"])
def test_files_without_ratings_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "mine.csv").write_bytes(content)
    with pytest.raises(Problem):
        read(tmp_path / "mine.csv")


def test_a_missing_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="There is no file or folder"):
        read(tmp_path / "nothing.csv")


# The ids and titles of the dataset


def _stored(
    tmp_path: Path, header: tuple[str, ...], rows: list[tuple[object, ...]], scale: str = ""
) -> tuple[Dataset, dict[str, object], catalogue.CleaningReport]:
    catalogue.get("mine", write(tmp_path / "mine.csv", header, rows), scale=scale)
    return catalogue.load("mine"), catalogue.show("mine"), catalogue.clean("mine")


def test_ids_stay_as_they_are(tmp_path: Path) -> None:
    dataset, _, report = _stored(tmp_path, HEADER, rated())
    ratings = dataset.ratings
    users, movies = dataset.users.ids, dataset.movies.ids
    assert [(users[user], movies[movie]) for user, movie in zip(ratings.user, ratings.movie, strict=True)] == [
        row[:2] for row in rated()
    ]
    assert dataset.movies.titles == movies
    assert report.ratings == len(rated())
    assert dataset.scale == Scale(1, 5, 1)


def test_ids_that_differ_only_in_case_or_zeros_are_different(tmp_path: Path) -> None:
    rows = [("a", "007", 1, 9), ("A", "7", 2, 9), ("a", "seven", 5, 9), ("A", "SEVEN", 4, 9)]
    movies = _stored(tmp_path, HEADER, rows)[0].movies
    assert movies.ids == ("007", "7", "seven", "SEVEN")
    assert movies.titles == ("Movie 007", "Movie 7", "seven", "SEVEN")
    assert len({*movies.keys}) == 4


def test_movies_without_titles_are_different_in_every_dataset(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.csv", HEADER, rated())
    for name in ("one", "two"):
        catalogue.get(name, path)
    one, two = (catalogue.load(name).movies for name in ("one", "two"))
    assert one.ids == two.ids
    assert not {*one.keys} & {*two.keys}


def test_removed_rows_name_the_published_ids(tmp_path: Path) -> None:
    rows = [*rated(), ("Us-01", "it_1é", 9, 9)]
    _stored(tmp_path, HEADER, rows, scale="1..5")
    removed = catalogue.removed_rows("mine", "standard", "outside-scale", 0, 9)
    assert [row[:4] for row in removed.rows] == [("Us-01", "it_1é", "it_1é", 9.0)]
    assert (
        catalogue.removed_rows("mine", "none +few-ratings-users:99", "few-ratings-users", 0, 1).rows[0][0][:3] == "Us-"
    )


def test_a_removed_movie_is_found_by_its_id(tmp_path: Path) -> None:
    catalogue.get("mine", write(tmp_path / "mine.csv", HEADER, [*rated(), ("Us-01", "rare", 3, 9)]))
    dataset = catalogue.load("mine", "none +few-ratings-movies:2")
    (movie,) = catalogue.removed_movies(dataset)
    assert movie.id == "rare"
    assert "under 2 ratings" in catalogue.rule_that_removed(dataset, movie)


def test_a_join_with_imdb_matches_no_item_without_a_title(tmp_path: Path, tables: Path) -> None:
    catalogue.get("mine", write(tmp_path / "mine.csv", HEADER, rated()))
    report = catalogue.join("mine", tables)
    assert (sum(report.by.values()), len(report.unmatched)) == (0, len({item for _, item, _, _ in rated()}))
    assert {row.id for row in report.unmatched} == {item for _, item, _, _ in rated()}
    assert catalogue.load("mine").movies.titles[0] == rated()[0][1]


# Which reader reads what


def test_a_release_is_still_read_as_one(tmp_path: Path) -> None:
    catalogue.get("own", write_zip(tmp_path / "own.zip", contents(layout="ml-latest-small")))
    assert catalogue.load("own").movies.titles[0] == "Filmé, Number 1"


def test_ratings_csv_without_movies_csv_is_a_table(tmp_path: Path) -> None:
    files = contents(layout="ml-latest-small")
    catalogue.get("own", write_folder(tmp_path / "own", {"ratings.csv": files["ratings.csv"]}))
    dataset = catalogue.load("own")
    assert len(dataset.ratings) == len(lines("ml-latest-small")["ratings.csv"])
    assert "Movie 3" in dataset.movies.titles


@pytest.mark.parametrize("option", [{"columns": HEADER}, {"scale": "1..5"}])
def test_what_is_known_of_a_release_cannot_be_changed(
    tmp_path: Path, small_zip: Path, option: dict[str, object]
) -> None:
    with pytest.raises(Problem, match="columns and the scale of ml-100k are known"):
        catalogue.get("ml-100k", small_zip, **option)  # type: ignore[arg-type]
    catalogue.get("mine", write(tmp_path / "mine.csv", HEADER, rated()))
    with pytest.raises(Problem, match="describe your own files; give the path of these files with --from"):
        catalogue.get("mine", **option)  # type: ignore[arg-type]


# The layouts of other datasets


@pytest.mark.parametrize(
    ("names", "end"), [(("combined_data_1.txt", "combined_data_2.txt"), b"\r\n"), (("mv_1.txt", "mv_2.txt"), b"\n")]
)
def test_netflix(tmp_path: Path, names: tuple[str, str], end: bytes) -> None:
    files = {
        names[0]: end.join([b"1:", b"1488844,3,2005-09-06", b"822109,5,2005-05-13", b""]),
        names[1]: end.join([b"2:", b"822109,4,2005-09-05", b"30:", b"1488844,1,2004-01-01"]),
        "movie_titles.csv": "1,2003,Dinosaur Planet\n2,NULL,Café, the Return\n".encode("latin-1"),
    }
    raw = read(write_folder(tmp_path / "netflix", files))
    assert pairs(raw) == [
        ("1488844", "1", 3.0, 1_125_964_800),
        ("822109", "1", 5.0, 1_115_942_400),
        ("822109", "2", 4.0, 1_125_878_400),
        ("1488844", "30", 1.0, 1_072_915_200),
    ]
    assert raw.movies["title"].tolist() == ["Dinosaur Planet (2003)", "Café, the Return", ""]
    assert raw.scale == Scale(1, 5, 1)


def test_book_crossing(tmp_path: Path) -> None:
    files = {
        "BX-Book-Ratings.csv": b'"User-ID";"ISBN";"Book-Rating"\n"276725";"034545104X";"0"\n"276726";"0155061224";"5"\n'
        b'"276729";"034545104X";"10"\n',
        "BX-Books.csv": '"ISBN";"Book-Title";"Book-Author"\n"034545104X";"A \\"Café\\"; one";"X"\n'.encode("latin-1"),
        "BX-Users.csv": b'"User-ID";"Location";"Age"\n"276725";"tyler";NULL\n',
    }
    raw, note = reader.read(write_folder(tmp_path / "bx", files))
    assert pairs(raw) == [("276726", "0155061224", 5.0, 0), ("276729", "034545104X", 10.0, 0)]
    assert raw.movies["title"].tolist() == ["", 'A "Café"; one']
    assert raw.scale == Scale(1, 10, 1)
    assert note.startswith("1 ratings of 0 were left out")


def test_jester(tmp_path: Path) -> None:
    rows = [[2, -7.82, 99, *[99] * 97, 8.79], [1, 99, 4.08, *[99] * 98]]
    raw = read(write(tmp_path / "jester-data-1.csv", (), rows))
    assert [(user, item, round(rating, 2)) for user, item, rating, _ in pairs(raw)] == [
        ("1", "1", -7.82),
        ("1", "100", 8.79),
        ("2", "2", 4.08),
    ]
    assert raw.scale == Scale(-10, 10, 0)
    assert raw.movies["title"].tolist() == ["Joke 1", "Joke 100", "Joke 2"]


@pytest.mark.parametrize("swapped", [False, True])
def test_amazon_ratings(tmp_path: Path, swapped: bool) -> None:
    rows = [("A3AF8FFZAZYNE5", "0000000078", 5.0, 1_092_182_400), ("AH2L9G3DQHHAJ", "B000000116", 4.0, 1_019_865_600)]
    written = [(item, user, *rest) if swapped else (user, item, *rest) for user, item, *rest in rows]
    raw = read(write(tmp_path / "ratings_Books.csv", (), written))
    assert pairs(raw) == rows
    assert raw.scale == Scale(1, 5, 1)


def test_amazon_reviews(tmp_path: Path) -> None:
    reviews = [
        {
            "reviewerID": "A2SUAM1J3GNN3B",
            "asin": "0000013714",
            "helpful": [0, 0],
            "overall": 5.0,
            "unixReviewTime": 1252800000,
        },
        {"reviewerID": "A14VAT5EAX3D9S", "asin": "0000013714", "overall": 3.0, "unixReviewTime": 1363392000},
    ]
    text = "".join(json.dumps(review) + "\n" for review in reviews) + "{broken\n"
    (tmp_path / "reviews_Books_5.json.gz").write_bytes(gzip.compress(text.encode()))
    raw = read(tmp_path / "reviews_Books_5.json.gz")
    assert pairs(raw) == [
        ("A2SUAM1J3GNN3B", "0000013714", 5.0, 1_252_800_000),
        ("A14VAT5EAX3D9S", "0000013714", 3.0, 1_363_392_000),
    ]
    assert [line.line for line in raw.malformed] == [3]


# Scales


def test_ratings_become_stars(tmp_path: Path) -> None:
    dataset, facts, report = _stored(tmp_path, HEADER, on_scale(0, 100))
    assert facts["scale"] == {"low": 0, "high": 100, "step": 1}
    assert "0 to 100" in str(facts["scale_note"])
    assert [*facts["stars"]] == ["0", "25", "50", "75", "100"]
    assert report.ratings == len(dataset.ratings) == len(rated())
    np.testing.assert_allclose(np.unique(dataset.ratings.stars), [0.5, 1.625, 2.75, 3.875, 5])
    assert dataset.published_scale == Scale(0, 100, 1)
    assert (dataset.scale.low, dataset.scale.high) == (0.5, 5)


def test_a_scale_is_given(tmp_path: Path) -> None:
    dataset, facts, _ = _stored(tmp_path, HEADER, rated(), scale="1..10")
    assert facts["scale"] == {"low": 1, "high": 10, "step": 1}
    assert np.unique(dataset.ratings.stars).tolist() == [0.5, 1, 1.5, 2, 2.5]


@pytest.mark.parametrize(("low", "high", "expected"), [(2, 10, Scale(2, 10, 2)), (0, 100, Scale(0, 100, 1))])
def test_a_release_on_another_scale_keeps_all_rows(tmp_path: Path, low: int, high: int, expected: Scale) -> None:
    numbers = {item: number for number, item in enumerate(sorted({row[1] for row in rated()}), 1)}
    ratings = [(int(user[3:]) + 1, numbers[item], value, time) for user, item, value, time in on_scale(low, high)]
    movies = [(number, f"Movie {number} (1995)", "Drama") for number in numbers.values()]
    files = {
        "ratings.csv": table_lines(("userId", "movieId", "rating", "timestamp"), ratings),
        "movies.csv": table_lines(("movieId", "title", "genres"), movies),
    }
    catalogue.get("own", write_folder(tmp_path / "own", files))
    assert catalogue.clean("own").ratings == len(ratings)
    assert catalogue.load("own").published_scale == expected
    assert catalogue.get("own").scale == {"low": expected.low, "high": expected.high, "step": expected.step}


def test_ratings_without_stars(tmp_path: Path) -> None:
    dataset, facts, _ = _stored(
        tmp_path, ("user", "item", "time"), [(user, item, time) for user, item, _, time in rated()]
    )
    assert dataset.implicit
    assert (facts["scale"], facts["mean_rating"], facts["stars"]) == (None, None, {})
    assert facts["scale_note"] == "There are no ratings, only who watched what."
    assert dataset.mean_of(0) is None
    (status,) = [status for status in catalogue.list_datasets() if status.name == "mine"]
    assert status.implicit
