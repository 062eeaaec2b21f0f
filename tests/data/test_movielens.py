from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal
from pyarrow import parquet

from movietui.data.movielens import reader as movielens
from movietui.data.movielens.release import GENRES_100K, MISSING
from movietui.data.problems import Problem
from tests.data.files import contents, lines, movie_line, write_folder


def read(tmp_path: Path, **changed: list[str]) -> movielens.Raw:
    renamed = {name.replace("_", "."): content for name, content in changed.items()}
    return movielens.read(write_folder(tmp_path / "files", contents(renamed)))


def test_zip_and_folder_are_the_same(tmp_path: Path, small_zip: Path) -> None:
    one, two = movielens.read(small_zip), read(tmp_path)
    for name in ("ratings", "movies", "users"):
        assert_frame_equal(getattr(one, name), getattr(two, name))
    assert [str(kind) for kind in one.ratings.dtypes] == ["int32", "int32", "float32", "int64"]


def test_rows_keep_the_order_of_the_file(tmp_path: Path) -> None:
    raw = read(tmp_path)
    rows = [f"{r.user_id}\t{r.movie_id}\t{r.stars:g}\t{r.time}" for r in raw.ratings.itertuples()]
    assert rows == lines()["u.data"]


def test_titles_dates_and_genres(tmp_path: Path) -> None:
    raw = read(
        tmp_path,
        u_item=[
            movie_line(1, "Ménage [a|b]".replace("|", "/") + " (1995)", "4-Feb-1971", ("Comedy", "Film-Noir")),
            movie_line(2, "Two ", "", ()),
            movie_line(3, "\x1b[31mRed\x1b[0m\x85 (1994)", "29-Feb-1996", ("unknown",)),
        ],
    )
    assert raw.movies["title"].tolist() == ["Ménage [a/b] (1995)", "Two ", "Red  (1994)"]
    assert raw.movies["release_date"].tolist() == ["1971-02-04", "", "1996-02-29"]
    assert raw.movies["genres"].tolist() == ["Comedy|Film-Noir", "", "unknown"]


def test_windows_line_ends(tmp_path: Path) -> None:
    files = {name: content.replace(b"\n", b"\r\n") for name, content in contents().items()}
    raw = movielens.read(write_folder(tmp_path / "crlf", files))
    assert_frame_equal(raw.ratings, read(tmp_path).ratings)
    assert_frame_equal(raw.users, read(tmp_path).users)


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("1\t2\t3", "it should have 4 fields, not 3"),
        ("1\t2\t3\t4\t5", "it should have 4 fields, not 5"),
        ("1\t2\tfive\t880000000", "the stars 'five' are not a number in range"),
        ("1\t2\tinf\t880000000", "the stars 'inf' are not a number in range"),
        ("x\t2\t3\t880000000", "the user 'x' is not a whole number in range"),
        ("-4\t2\t3\t880000000", "the user '-4'"),
        ("-1\t2\t3\t880000000", "the user '-1'"),
        ("1\t2.5\t3\t880000000", "the movie '2.5'"),
        ("1\t2\t3\t99999999999999999999", "the time"),
        ("1\t2\t3\t999999999999", "the time"),
        ("1\t2\t\x1b[31m\t880000000", "the stars ''"),
    ],
)
def test_a_malformed_rating_is_left_out_and_reported(tmp_path: Path, line: str, wrong: str) -> None:
    rows = lines()["u.data"]
    raw = read(tmp_path, u_data=[*rows[:7], line, *rows[7:]])
    assert len(raw.ratings) == len(rows)
    assert [(bad.file, bad.line) for bad in raw.malformed] == [("u.data", 8)]
    assert wrong in str(raw.malformed[0])
    assert_frame_equal(raw.ratings, read(tmp_path).ratings)


@pytest.mark.parametrize(
    ("name", "line", "wrong"),
    [
        ("u_item", "99|Short (1995)|01-Jan-1995", "it should have 24 fields, not 3"),
        ("u_item", movie_line(99, "Date (1995)", "31-Feb-1995"), "there is no date"),
        ("u_item", movie_line(99, "Date (1995)", "1995"), "is not like 01-Jan-1995"),
        ("u_item", movie_line(1, "Again (1995)"), "the movie 1 appears twice"),
        ("u_item", movie_line(99, "  "), "no title"),
        ("u_item", movie_line(99, "x" * 1001), "has more than 1,000 characters"),
        ("u_item", movie_line(99, "Flag (1995)")[:-1] + "2", "genre"),
        ("u_user", "99|forty|M|writer|00000", "the age 'forty'"),
        ("u_user", "99|40|M|writer", "it should have 5 fields, not 4"),
        ("u_user", "1|40|M|writer|00000", "the user 1 appears twice"),
        ("u_user", "99|400|M|writer|00000", "400"),
    ],
)
def test_malformed_movies_and_users(tmp_path: Path, name: str, line: str, wrong: str) -> None:
    rows = lines()[name.replace("_", ".")]
    raw = read(tmp_path, **{name: [*rows, line]})
    assert [bad.line for bad in raw.malformed] == [len(rows) + 1]
    assert wrong in raw.malformed[0].reason


def test_too_many_malformed_lines(tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"more than 10 lines of u\.data are wrong; the first is line 1: it should"):
        read(tmp_path, u_data=["nonsense"] * 11 + lines()["u.data"])
    assert len(read(tmp_path, u_data=["nonsense"] * 10 + lines()["u.data"]).malformed) == 10


def test_empty_fields_are_missing_not_malformed(tmp_path: Path) -> None:
    raw = read(tmp_path, u_data=["1\t\t3\t880000000", "1\t2\t\t880000000", "\t2\t3\t", "1\t2\t3\t880000000"])
    assert raw.malformed == ()
    assert raw.ratings["movie_id"].tolist() == [MISSING, 2, 2, 2]
    assert np.isnan(raw.ratings["stars"]).tolist() == [False, True, False, False]
    assert raw.ratings["time"].tolist() == [880000000, 880000000, MISSING, 880000000]


@pytest.mark.parametrize("name", ["u_data", "u_item", "u_user"])
def test_an_empty_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(Problem, match="has no"):
        read(tmp_path, **{name: []})


def test_binary_instead_of_text(tmp_path: Path) -> None:
    noise = np.random.RandomState(0).bytes(50_000)
    with pytest.raises(Problem, match=r"u\.data"):
        movielens.read(write_folder(tmp_path / "x", {**contents(), "u.data": noise}))


@pytest.mark.real
def test_published_files(datasets_folder: Path) -> None:
    raw = movielens.read(datasets_folder / "ml-100k.zip")
    assert (len(raw.ratings), len(raw.movies), len(raw.users), raw.malformed) == (100_000, 1682, 943, ())
    assert (raw.movies["release_date"] == "").sum() == 1
    assert "1971-02-04" in raw.movies["release_date"].tolist()
    assert sum(title != title.strip() for title in raw.movies["title"]) == 3


# The wheel


def write_tables(folder: Path, change: Callable[[dict[str, pa.Table]], None] = lambda tables: None) -> Path:
    """Write invented tables as they are in the wheel, after ``change`` has changed them; return their folder."""
    movies, users = np.arange(1, 1683), np.arange(1, 944)
    tables = {
        "data": pa.table(
            {
                "user_id": np.resize(users, 100_000),
                "movie_id": np.resize(movies, 100_000),
                "rating": np.resize([1, 2, 3, 4, 5], 100_000),
                "timestamp": np.full(100_000, 880_000_000),
            }
        ),
        "items": pa.table(
            {
                "movie_id": movies,
                "movie_title": [f"Film {movie} (1995)" for movie in movies],
                "release_date": ["01-Jan-1995", *[None] * 1681],
                **{genre: np.ones(1682, int) for genre in GENRES_100K},
            }
        ),
        "users": pa.table(
            {
                "user_id": users,
                "age": np.full(943, 30),
                **dict.fromkeys(("gender", "occupation", "zip_code"), ["x"] * 943),
            }
        ),
    }
    change(tables)
    folder.mkdir()
    for name, table in tables.items():
        parquet.write_table(table, folder / f"MovieLens100k_{name}.parquet.brotli", compression="brotli")
    return folder


def with_value(name: str, column: str, value: object) -> Callable[[dict[str, pa.Table]], None]:
    def change(tables: dict[str, pa.Table]) -> None:
        old = tables[name]
        index = old.column_names.index(column)
        tables[name] = old.set_column(index, column, pa.array([value, *old.column(column).to_pylist()[1:]]))

    return change


def doubled(tables: dict[str, pa.Table]) -> None:
    tables["data"] = pa.concat_tables([tables["data"]] * 2)


def test_the_tables_of_the_wheel(tmp_path: Path) -> None:
    raw = movielens.read(write_tables(tmp_path / "wheel"))
    assert (len(raw.ratings), len(raw.movies), len(raw.users)) == (100_000, 1682, 943)
    assert raw.movies["release_date"].tolist()[:2] == ["1995-01-01", ""]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (doubled, "is not the MovieLens 100K file: it has 200,000 rows"),
        (with_value("items", "movie_title", "x" * 2**26), "is not the MovieLens 100K file"),
        (with_value("data", "user_id", 2**32 + 1), "does not contain the expected tables"),
        (with_value("data", "timestamp", -5), "does not contain the expected tables"),
        (with_value("items", "movie_id", 2), "does not contain the expected tables"),
        (with_value("items", "movie_id", 2**32 + 5), "does not contain the expected tables"),
        (with_value("users", "user_id", None), "does not contain the expected tables"),
        (with_value("users", "age", 200), "does not contain the expected tables"),
    ],
)
def test_unexpected_tables_are_refused(
    tmp_path: Path, change: Callable[[dict[str, pa.Table]], None], message: str
) -> None:
    with pytest.raises(Problem, match=message):
        movielens.read(write_tables(tmp_path / "wheel", change))
