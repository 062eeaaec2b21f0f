"""Every layout that MovieLens uses: first what all layouts have in common, then each by itself."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

from movietui.data.dataset import Scale
from movietui.data.movielens import number_columns
from movietui.data.movielens import reader as movielens
from movietui.data.movielens.number_columns import Field
from movietui.data.movielens.release import GENRES_1M, MISSING, Raw
from movietui.data.problems import Problem
from movietui.data.progress import Stage
from movietui.data.tables.interactions import ratings_of
from tests.data.files import LAYOUTS, MOVIES, USERS, contents, lines, rated, write_folder, write_zip

RATINGS = {layout: next(iter(lines(layout))) for layout in LAYOUTS}
"""The name of the file with the ratings in each layout."""
SEPARATORS = {"ml-100k": "\t", "ml-1m": "::", "ml-10m": "::", "ml-latest-small": ","}
LATER = ["ml-10m", "ml-latest-small"]

each_layout = pytest.mark.parametrize("layout", LAYOUTS)


def read(folder: Path, layout: str, changed: dict[str, list[str]] | None = None) -> Raw:
    return movielens.read(write_folder(folder / layout, contents(changed, layout)))


def assert_same(one: Raw, two: Raw) -> None:
    for name in ("ratings", "movies", "users"):
        assert_frame_equal(getattr(one, name), getattr(two, name))
    assert (one.links is None) == (two.links is None)
    if one.links is not None:
        assert_frame_equal(one.links, two.links)
    assert (one.genre_names, one.scale) == (two.genre_names, two.scale)


@each_layout
def test_the_rows_of_a_file(tmp_path: Path, layout: str) -> None:
    raw = read(tmp_path, layout)
    assert list(raw.ratings.itertuples(index=False, name=None)) == rated(halves=layout in LATER)
    assert [str(kind) for kind in raw.ratings.dtypes] == ["int32", "int32", "float32", "int64"]
    assert raw.movies["movie_id"].tolist() == list(range(1, MOVIES + 1))
    assert raw.users["user_id"].tolist() == list(range(1, USERS + 1))
    assert (raw.malformed, raw.ratings_file) == ((), RATINGS[layout])
    assert raw.scale == (Scale(0.5, 5.0, 0.5) if layout in LATER else Scale(1.0, 5.0, 1.0))


@each_layout
def test_file_names_identify_the_layout_and_folder_names_do_not(tmp_path: Path, layout: str) -> None:
    folder = read(tmp_path, layout)
    for inside in ("", "ml-1m/", "ml-20m/"):
        assert_same(movielens.read(write_zip(tmp_path / "download.bin", contents(layout=layout), inside)), folder)


@each_layout
def test_line_ends_do_not_matter(tmp_path: Path, layout: str) -> None:
    whole = read(tmp_path, layout)
    for index, end in enumerate((b"\n", b"\r\n")):
        files = {name: end.join(content.splitlines()) for name, content in contents(layout=layout).items()}
        assert_same(movielens.read(write_folder(tmp_path / str(index), files)), whole)


@each_layout
def test_small_blocks_give_the_same_tables(tmp_path: Path, layout: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read(tmp_path, layout)
    blocks = movielens.archive.Files.blocks
    monkeypatch.setattr(movielens.archive.Files, "blocks", lambda self, name, size=100: blocks(self, name, 100))
    assert_same(read(tmp_path, layout), whole)


@each_layout
def test_a_wrong_rating_is_reported_and_only_its_block_is_read_slowly(
    tmp_path: Path, layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, whole = RATINGS[layout], read(tmp_path, layout)
    slow: list[int] = []
    slowly: Callable[..., object] = number_columns._slowly

    def watch(block: bytes, *arguments: object) -> object:
        slow.append(block.count(b"\n"))
        return slowly(block, *arguments)

    monkeypatch.setattr(number_columns, "_slowly", watch)
    blocks = movielens.archive.Files.blocks
    monkeypatch.setattr(movielens.archive.Files, "blocks", lambda self, name, size=0: blocks(self, name, 1000))
    rows = lines(layout)[name]
    bad = SEPARATORS[layout].join(["1", "2", "five", "880000000"])
    raw = read(tmp_path, layout, {name: [*rows[:150], bad, *rows[150:]]})
    assert_frame_equal(raw.ratings, whole.ratings)
    line = 152 if layout == "ml-latest-small" else 151
    assert [str(wrong) for wrong in raw.malformed] == [
        f"{name} line {line}: the stars 'five' are not a number in range"
    ]
    assert 0 < sum(slow) < 100


@each_layout
@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        (("1", "2", "3"), "it should have 4 fields, not 3"),
        (("1", "2", "3", "880000000", "5"), "it should have 4 fields, not 5"),
        (("1", "2", "inf", "880000000"), "the stars 'inf' are not a number in range"),
        (("-1", "2", "3", "880000000"), "the user '-1' is not a whole number in range"),
        (("1", "2147483648", "3", "880000000"), "the movie '2147483648' is not a whole number in range"),
        (("1", "2", "3", "253402300800"), "the time '253402300800' is not a whole number in range"),
        (("1", "2", "3", "12.5"), "the time '12.5'"),
    ],
)
def test_wrong_ratings(tmp_path: Path, layout: str, fields: tuple[str, ...], wrong: str) -> None:
    name = RATINGS[layout]
    rows = lines(layout)[name]
    raw = read(tmp_path, layout, {name: [*rows, SEPARATORS[layout].join(fields)]})
    assert len(raw.ratings) == len(rows)
    assert [bad.line for bad in raw.malformed] == [len(rows) + 1 + (layout == "ml-latest-small")]
    assert wrong in raw.malformed[0].reason


@each_layout
def test_empty_fields_are_missing(tmp_path: Path, layout: str) -> None:
    between = SEPARATORS[layout]
    rows = [between.join(row) for row in (("1", "", "3", "9"), ("1", "2", "", "9"), ("", "2", "3", ""))]
    for more in ([], [between.join("1234x")]):  # first the fast path, then line by line
        raw = read(tmp_path, layout, {RATINGS[layout]: rows + more})
        assert raw.ratings["user_id"].tolist() == [1, 1, MISSING]
        assert raw.ratings["movie_id"].tolist() == [MISSING, 2, 2]
        assert np.isnan(raw.ratings["stars"]).tolist() == [False, True, False]
        assert raw.ratings["time"].tolist() == [9, 9, MISSING]
        assert MISSING not in raw.users["user_id"].tolist()
        assert len(raw.malformed) == len(more)


@each_layout
@pytest.mark.parametrize("index", [0, 1, 2])
def test_ten_wrong_lines_are_accepted_but_not_eleven(tmp_path: Path, layout: str, index: int) -> None:
    names = list(lines(layout))
    if index >= len(names):
        pytest.skip("this layout has no third file")
    rows = lines(layout)[names[index]]
    assert len(read(tmp_path, layout, {names[index]: [*rows, *["nonsense"] * 10]}).malformed) == 10
    first = len(rows) + 1 + (layout == "ml-latest-small")
    with pytest.raises(
        Problem, match=rf"more than 10 lines of {names[index]} are wrong; the first is line {first}: it s"
    ):
        read(tmp_path, layout, {names[index]: [*rows, *["nonsense"] * 11]})


@each_layout
@pytest.mark.parametrize("index", [0, 1])
def test_a_missing_and_an_empty_file(tmp_path: Path, layout: str, index: int) -> None:
    files = contents(layout=layout)
    name = list(files)[index]
    with pytest.raises(Problem, match=r"has no (ratings|movies)"):
        read(tmp_path, layout, {name: []})
    (tmp_path / layout / name).unlink()
    message = "no u.data, ratings.dat or ratings.csv" if index == 0 else f"has no file {name}"
    with pytest.raises(Problem, match=message):
        movielens.read(tmp_path / layout)


@each_layout
def test_reading_reports_its_progress(tmp_path: Path, layout: str) -> None:
    path = write_folder(tmp_path / "files", contents(layout=layout))
    stages: list[Stage] = []
    movielens.read(path, stages.append)
    size = sum(file.stat().st_size for file in path.iterdir())
    assert {(stage.name, stage.unit, stage.total) for stage in stages} == {("Reading", "bytes", size)}
    assert {stage.note for stage in stages} >= set(list(lines(layout))[:2])
    assert (stages[-1].done, stages[-1].finished) == (size, True)


def test_two_layouts_in_one_folder_are_refused(tmp_path: Path) -> None:
    path = write_folder(tmp_path / "x", {**contents(layout="ml-1m"), **contents(layout="ml-latest-small")})
    with pytest.raises(Problem, match=r"contains ratings\.dat and ratings\.csv, which are two datasets"):
        movielens.read(path)


def test_titles_and_genres_of_1m(tmp_path: Path) -> None:
    raw = read(
        tmp_path, "ml-1m", {"movies.dat": ["1::Alien: La Cité (1995)::Children's|Drama", "7::Two::", "8::\x1b[1mx::A"]}
    )
    assert raw.movies["title"].tolist() == ["Alien: La Cité (1995)", "Two", "x"]
    assert raw.movies["genres"].tolist() == ["Children's|Drama", "", "A"]
    assert raw.movies["release_date"].tolist() == ["", "", ""]
    assert raw.genre_names == (*GENRES_1M, "A")


def test_1m_that_was_saved_again_as_utf8(tmp_path: Path) -> None:
    files = {name: content.decode("latin-1").encode() for name, content in contents(layout="ml-1m").items()}
    files["movies.dat"] = "\ufeff1::La Cité (1995)::Drama\n".encode()
    assert movielens.read(write_folder(tmp_path / "x", files)).movies["title"].tolist() == ["La Cité (1995)"]


def test_codes_of_1m_become_words(tmp_path: Path) -> None:
    rows = ["1::F::1::10::48067", "2::M::56::0::55117-1234", "3::M::25::::"]
    users = read(tmp_path, "ml-1m", {"users.dat": rows}).users
    assert users["age"].tolist() == [1, 56, 25]
    assert users["gender"].tolist() == ["F", "M", "M"]
    assert users["occupation"].tolist() == ["K-12 student", "other", ""]
    assert users["zip_code"].tolist() == ["48067", "55117-1234", ""]


@pytest.mark.parametrize(
    ("layout", "name", "line", "wrong"),
    [
        ("ml-1m", "movies.dat", "99::Short", "it should have 3 fields, not 2"),
        ("ml-1m", "movies.dat", "1::Again (1995)::Drama", "the movie 1 appears twice"),
        ("ml-1m", "movies.dat", "99:: ::Drama", "no title"),
        ("ml-1m", "users.dat", "99::M::400::1::0", "the age '400'"),
        ("ml-1m", "users.dat", "99::M::25::21::0", "the occupation '21'"),
        ("ml-1m", "users.dat", "1::M::25::1::0", "the user 1 appears twice"),
        ("ml-10m", "movies.dat", "::Nobody (1995)::Drama", "no movie id"),
        ("ml-latest-small", "movies.csv", '99,"Half a quote (1995),Drama', "its quotes do not match"),
        ("ml-latest-small", "movies.csv", "99,One, Two (1995),Drama", "it should have 3 fields, not 4"),
        ("ml-latest-small", "movies.csv", "1,Again (1995),Drama", "the movie 1 appears twice"),
        ("ml-latest-small", "links.csv", "99,tt0114709,1", "the IMDb id 'tt0114709'"),
    ],
)
def test_wrong_movies_users_and_links(tmp_path: Path, layout: str, name: str, line: str, wrong: str) -> None:
    rows = lines(layout)[name]
    raw = read(tmp_path, layout, {name: [*rows, line]})
    assert [(bad.file, bad.line) for bad in raw.malformed] == [(name, len(rows) + 1 + name.endswith(".csv"))]
    assert wrong in raw.malformed[0].reason


@pytest.mark.parametrize("layout", LATER)
def test_a_title_that_is_not_utf8_is_a_wrong_line(tmp_path: Path, layout: str) -> None:
    files = contents(layout=layout)
    name = list(files)[1]
    line = b"99::Cit\xe9 (1995)::Drama\n" if layout == "ml-10m" else b"99,Cit\xe9 (1995),Drama\r\n"
    raw = movielens.read(write_folder(tmp_path / "x", {**files, name: files[name] + line}))
    line_number = MOVIES + 1 + (layout == "ml-latest-small")
    assert [str(bad) for bad in raw.malformed] == [f"{name} line {line_number}: it is not UTF-8 text"]
    assert raw.movies["title"][0].startswith("Filmé")


@pytest.mark.parametrize("layout", LATER)
def test_releases_without_demographics_have_users_by_id(tmp_path: Path, layout: str) -> None:
    users = read(tmp_path, layout).users
    assert list(users.columns) == ["user_id"]
    assert str(users["user_id"].dtype) == "int32"


@pytest.mark.parametrize("layout", ["ml-1m", *LATER])
def test_more_genres_than_any_release_has(tmp_path: Path, layout: str) -> None:
    name = next(name for name in lines(layout) if name.startswith("movies"))
    between = "," if name.endswith(".csv") else "::"
    genres = "|".join(f"Genre {number}" for number in range(201))
    with pytest.raises(Problem, match="have 201 genres, more than the limit of 200"):
        read(tmp_path, layout, {name: [between.join(["1", "Film (1995)", genres])]})


def test_csv_with_commas_quotes_and_no_genre(tmp_path: Path) -> None:
    rows = [
        '1,"American President, The (1995)",Comedy|IMAX',
        '2,"The ""Big"" One, Again (1997)",(no genres listed)',
        "3,Plain,Own",
    ]
    raw = read(tmp_path, "ml-latest-small", {"movies.csv": rows})
    assert raw.movies["title"].tolist() == ["American President, The (1995)", 'The "Big" One, Again (1997)', "Plain"]
    assert raw.movies["genres"].tolist() == ["Comedy|IMAX", "(no genres listed)", "Own"]
    assert raw.genre_names[0] == "(no genres listed)"
    assert raw.genre_names[-2:] == ("Western", "Own")


def test_links(tmp_path: Path) -> None:
    links = read(tmp_path, "ml-latest-small", {"links.csv": ["1,0114709,862", "2,0000003,", "3,,"]}).links
    assert links is not None
    assert [str(kind) for kind in links.dtypes] == ["int64"] * 3
    assert links["imdb_id"].tolist() == [114709, 3, MISSING]
    assert links["tmdb_id"].tolist() == [862, MISSING, MISSING]
    assert read(tmp_path, "ml-10m").links is None


def test_a_csv_dataset_without_links(tmp_path: Path) -> None:
    files = contents(layout="ml-latest-small")
    del files["links.csv"]
    assert movielens.read(write_folder(tmp_path / "x", files)).links is None


def test_a_csv_dataset_with_whole_stars_has_the_half_star_scale(tmp_path: Path) -> None:
    raw = read(tmp_path, "ml-latest-small", {"ratings.csv": ["1,1,4.0,9", "1,2,5.0,9"]})
    assert raw.scale == Scale(0.5, 5.0, 0.5)


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("ratings.csv", "1,1,4.0,964982703"),
        ("ratings.csv", "userId\tmovieId\trating\ttimestamp"),
        ("movies.csv", "movieId,title"),
        ("links.csv", ""),
    ],
)
def test_another_header_is_refused(tmp_path: Path, name: str, header: str) -> None:
    files = contents(layout="ml-latest-small")
    files[name] = header.encode() + b"\r\n" + files[name].split(b"\r\n", 1)[1]
    with pytest.raises(Problem, match=rf"{name} in .* begins with .*, not with \w+Id,"):
        movielens.read(write_folder(tmp_path / "x", files))


def test_a_header_as_a_spreadsheet_saves_it(tmp_path: Path) -> None:
    files = contents(layout="ml-latest-small")
    for name in files:
        files[name] = b"\xef\xbb\xbf" + b",".join(b'"%s"' % part for part in files[name].split(b"\r\n")[0].split(b","))
        files[name] += b"\r\n" + contents(layout="ml-latest-small")[name].split(b"\r\n", 1)[1]
    assert_same(movielens.read(write_folder(tmp_path / "x", files)), read(tmp_path, "ml-latest-small"))


def test_another_separator_is_reported(tmp_path: Path) -> None:
    rows = [line.replace("::", "\t") for line in lines("ml-1m")["ratings.dat"]]
    with pytest.raises(Problem, match=r"ratings\.dat are wrong; the first is line 1: it should have 4 fields, not 1"):
        read(tmp_path, "ml-1m", {"ratings.dat": rows})


def test_single_colons_are_not_separators(tmp_path: Path) -> None:
    rows = lines("ml-1m")["ratings.dat"]
    raw = read(tmp_path, "ml-1m", {"ratings.dat": [*rows, "1:2:3:4", "1:x:2::3::4", "1::2:3::4"]})
    assert len(raw.ratings) == len(rows)
    assert len(raw.malformed) == 3


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "ratings", "users", "movies", "links", "genres"),
    [("ml-1m", 1_000_209, 6040, 3883, None, 18), ("ml-latest-small", 100_836, 610, 9742, 9742, 20)],
)
def test_published_files(
    datasets_folder: Path, name: str, ratings: int, users: int, movies: int, links: int | None, genres: int
) -> None:
    raw = movielens.read(datasets_folder / f"{name}.zip")
    assert (len(raw.ratings), len(raw.users), len(raw.movies), raw.malformed) == (ratings, users, movies, ())
    assert (None if raw.links is None else len(raw.links)) == links
    assert len(raw.genre_names) == genres
    if links:
        assert (raw.movies["genres"] == "(no genres listed)").sum() == 34
        assert (raw.links["tmdb_id"] == MISSING).sum() == 8
    else:
        assert sum(":" in title for title in raw.movies["title"]) == 197
        assert raw.movies["title"][72] == "Misérables, Les (1995)"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(
            (text, float(text))
            for text in ("4", "4.5", "+4", "-4", "4.", ".5", "1e2", "1E-1", " 4 ", "1" * 6, "0." + "3" * 40)
        ),
        *(
            (text, None)
            for text in ("1e", "1e400", "inf", "-inf", "-nan", "NAN", "0x1", "4,5", "1_0", "４", "1000001", "1e38")
        ),
    ],
)
def test_a_number_of_stars_is_the_same_however_it_is_read(text: str, number: float | None) -> None:
    fields = (Field("movie_id", "movie", np.int32), Field("stars", "stars", np.float32))
    line, rejected = f"1\t{text}\n".encode(), list[str]()
    fast = number_columns._fast(line, fields, "\t")
    slow = number_columns._slowly(line, 1, fields, "\t", lambda line, reason: rejected.append(reason))[1].tolist()
    values, wrong = ratings_of(pa.chunked_array([pa.array([text])]))
    expected = [] if number is None else np.float32([number]).tolist()
    assert slow == expected
    assert (None if fast is None else fast[1].tolist()) == (expected or None)
    assert wrong.tolist() == [number is None] == [bool(rejected)]
    assert number is None or values.tolist() == [number]
