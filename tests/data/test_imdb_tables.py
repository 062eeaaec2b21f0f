"""Reading IMDb's tables: only a small part of them, piece by piece, from files that may be damaged."""

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movietui.data.imdb import tables as imdb_tables
from movietui.data.imdb.tables import ReadCounts
from movietui.data.imdb.title_matching import Title, loose_keys
from movietui.data.problems import Cancelled, Problem
from movietui.data.progress import Stage
from tests.data.imdb_tables import (
    AKAS,
    BASICS,
    CREW,
    NAMES,
    PRINCIPALS,
    RATINGS,
    aka,
    basics,
    crew,
    lines,
    person,
    principal,
    rating,
    write_table,
)

ANY = (0, 9999)


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imdb_tables, "CHUNK", 100)
    monkeypatch.setattr(imdb_tables, "_PACKED", 7)


def read(path: Path, *wanted: str, ids: tuple[str, ...] = ()) -> tuple[list[str], ReadCounts]:
    """Return the sorted names of the titles with these loose keys or ids, and how much was read."""
    titles, counted = imdb_tables.titles(path, ids, dict.fromkeys(wanted, ANY))
    return sorted(title.name for title in titles), counted


def test_only_wanted_titles_are_read(tmp_path: Path) -> None:
    rows = [
        basics(1, "Fargo", 1996, minutes=98, genres="Crime,Thriller"),
        basics(2, "Fargo", 1999),
        basics(3, "Fargo", 1996, "tvEpisode"),
        basics(4, "Brazil", 1985),
        basics(5, "Linked", 1950, "videoGame", "Original", "\\N", "\\N", adult=1),
        basics(6, "Other Name", 1996, original="Fargo"),
    ]
    path = write_table(tmp_path, "title.basics", BASICS, rows)
    titles, counted = imdb_tables.titles(path, {"tt0000005", "tt0000009"}, {"fargo": (1995, 1997)})
    assert counted == ReadCounts(6, 0)
    assert sorted(titles, key=lambda title: title.id) == [
        Title("tt0000001", "movie", "Fargo", "Fargo", 1996, 98, ("Crime", "Thriller")),
        Title("tt0000005", "videoGame", "Linked", "Original", 1950, 0, (), adult=True),
        Title("tt0000006", "movie", "Other Name", "Fargo", 1996, 100, ("Drama",)),
    ]


NAMES_IN_TABLES = (
    "The Usual Suspects",
    "THE USUAL SUSPECTS!",
    "Usual Suspects",
    "Usual-Suspects",
    "The 'Usual' Suspects",
    "'The Usual Suspects'",
    "Usual Suspects, The",
    "Usual Suspects (The Film)",
    "Úsual Suspects",
    'The "Usual" Suspects',
    "The\x1b[31m Usual Suspects",
)


@pytest.mark.parametrize("name", NAMES_IN_TABLES)
@pytest.mark.parametrize("original", [False, True])
def test_names_match_however_they_are_written(tmp_path: Path, name: str, original: bool) -> None:
    row = basics(1, "Quite Other", original=name) if original else basics(1, name, original="Quite Other")
    path = write_table(tmp_path, "title.basics", BASICS, [row, basics(2, "Unusual Suspects")])
    titles, _ = imdb_tables.titles(path, (), {"usualsuspects": ANY})
    assert [title.id for title in titles] == ["tt0000001"]


@pytest.mark.parametrize(("first", "last", "there"), [(1995, 1995, True), (1996, 1999, False), (1990, 1994, False)])
@pytest.mark.parametrize("name", ["Evita", "Évita"])
def test_years_count_for_quick_and_slow_names(tmp_path: Path, name: str, first: int, last: int, there: bool) -> None:
    path = write_table(tmp_path, "title.basics", BASICS, [basics(1, name)])
    assert bool(imdb_tables.titles(path, (), {"evita": (first, last)})[0]) is there


@given(
    st.lists(
        st.lists(
            st.sampled_from(
                [*"AaZ09'`-:!. ,&(é½", "The ", "the", "an", "LA ", "l'a", "O ", "Les", "²", "\x1b[m", "漢"]
            ),
            max_size=8,
        ).map("".join),
        min_size=1,
        max_size=20,
    )
)
@settings(max_examples=300, deadline=None)
def test_quick_keys_equal_the_loose_keys(names: list[str]) -> None:
    keys, slow = imdb_tables._quick_keys(pa.array([name.encode() for name in names], pa.binary()))
    for name, key, is_slow in zip(names, keys.to_pylist(), slow, strict=True):
        assert is_slow or (key.decode(),) == loose_keys(name)
    quick = [bool(re.fullmatch("[A-Za-z0-9]+ [A-Za-z0-9 ]*[A-Za-z0-9]", name)) for name in names]
    assert not (slow & quick).any()


def test_pieces_may_end_anywhere(tmp_path: Path, small_pieces: None) -> None:
    names = [f"{'é' * (number % 5)}Film {'x' * (number % 37)} {number}" for number in range(300)]
    path = write_table(tmp_path, "title.basics", BASICS, [basics(n, name) for n, name in enumerate(names)])
    wanted = [key for name in names for key in loose_keys(name)]
    assert read(path, *wanted) == (sorted(names), ReadCounts(300, 0))


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n"])
def test_the_last_line(tmp_path: Path, small_pieces: None, end: bytes) -> None:
    path = tmp_path / "title.basics.tsv.gz"
    path.write_bytes(gzip.compress(lines(BASICS, [basics(1, "Fargo")]).rstrip(b"\n") + end))
    assert read(path, "fargo") == (["Fargo"], ReadCounts(1, 0))


def test_quotes_have_no_meaning(tmp_path: Path) -> None:
    rows = [basics(1, '"Crocodile" Dundee'), basics(2, '"Open'), basics(3, 'End"'), basics(4, "It's \\N")]
    path = write_table(tmp_path, "title.basics", BASICS, rows)
    assert read(path, "crocodiledundee", "open", "end", "itsn") == (
        sorted(['"Crocodile" Dundee', '"Open', 'End"', "It's \\N"]),
        ReadCounts(4, 0),
    )


@pytest.mark.parametrize(
    "bad",
    [
        b"tt0000002\tmovie\tFargo",
        b"\t".join(field.encode() for field in basics(2, "Fargo")) + b"\tone more",
        b"\t".join(field.encode() for field in basics(2, "Fargo")) + b"\t\xff\xfe",
        b"tt0000002\tmovie\t\xff\xfe",
        b"\t".join(field.encode() for field in basics(2, "Fargo", minutes="soon")),
        b"\t".join(field.encode() for field in basics(2, "Fargo")).replace(b"tt0", b"nm0"),
        b"\t".join(field.encode() for field in basics(2, "Fargo")).replace(b"Drama", b"\xff\xfe"),
        b"\t".join(field.encode() for field in basics(2, "Fargo", original=" ")),
    ],
)
def test_malformed_lines_are_left_out_and_counted(tmp_path: Path, bad: bytes) -> None:
    content = lines(BASICS, [basics(1, "Fargo")]) + bad + b"\n" + lines(basics(3, "Fargo"), [])
    path = tmp_path / "title.basics.tsv.gz"
    path.write_bytes(gzip.compress(content))
    assert read(path, "fargo") == (["Fargo", "Fargo"], ReadCounts(3, 1))


def test_titles_cannot_control_the_terminal(tmp_path: Path) -> None:
    rows = [basics(1, "\x1b]0;owned\x07Fargo", genres="\x1b[31mDrama", kind="movie")]
    path = write_table(tmp_path, "title.basics", BASICS, rows)
    (title,) = imdb_tables.titles(path, (), {"fargo": ANY})[0]
    assert (title.name, title.genres) == ("Fargo", ("Drama",))


def test_columns_are_identified_by_name(tmp_path: Path) -> None:
    order = [*reversed(BASICS), "another"]
    rows = [[*reversed(basics(1, "Fargo")), "x"]]
    assert read(write_table(tmp_path, "title.basics", order, rows), "fargo") == (["Fargo"], ReadCounts(1, 0))


def test_ratings_directors_and_names(tmp_path: Path) -> None:
    ids = {"tt0000001", "tt0000002", "tt0000003"}
    rated = [rating(1, 1320, 8.1), rating(2, 0), ["tt0000003", "\\N", "7"], rating(4, 9)]
    path = write_table(tmp_path, "title.ratings", RATINGS, rated)
    assert imdb_tables.ratings(path, ids) == ({"tt0000001": (8.1, 1320)}, ReadCounts(4, 2))
    path = write_table(tmp_path, "title.crew", CREW, [crew(1, 5, 3), crew(2), crew(4, 9)])
    assert imdb_tables.directors(path, ids) == ({"tt0000001": ("nm0000005", "nm0000003")}, ReadCounts(3, 0))
    people = [person(5, "Joel \x1b[1mCoen"), person(6, "Nobody"), person(3, " ")]
    path = write_table(tmp_path, "name.basics", NAMES, people)
    assert imdb_tables.names(path, {"nm0000005", "nm0000003"}) == ({"nm0000005": "Joel Coen"}, ReadCounts(3, 1))


def test_the_cast_is_who_is_billed_first(tmp_path: Path, small_pieces: None) -> None:
    rows = [
        *(principal(1, rank, rank, "actor" if rank % 2 else "actress") for rank in (12, 3, 7, 2, 10, 4, 6)),
        principal(1, 1, 99, "director"),
        principal(2, 1, 5),
        principal(3, 1, 6),
        principal(2, "first", 7),
        principal(2, 9, 8, "self"),
    ]
    path = write_table(tmp_path, "title.principals", PRINCIPALS, rows)
    people, counts = imdb_tables.cast(path, {"tt0000001", "tt0000002"})
    assert people == {
        "tt0000001": tuple(f"nm{person:07}" for person in (2, 3, 4, 6, 7)),
        "tt0000002": ("nm0000005",),
    }
    assert (counts.rows, counts.malformed) == (12, 1)


def test_origins_come_from_the_rows_with_the_original_title(tmp_path: Path, small_pieces: None) -> None:
    rows = [
        aka(1, "Gisaengchung", original=True),
        aka(1, "Gisaengchung", "KR"),
        aka(1, "Parasite", "US"),
        aka(1, "Parasite", "FR"),
        aka(2, "Gisaengchung", "US"),
        aka(3, "Unwanted", "FR"),
        aka(4, "Marked", "fr\x1b[1m", "fr", original=True),
        ["tt0000001", "1", "too few"],
    ]
    path = write_table(tmp_path, "title.akas", AKAS, rows)
    originals = {"tt0000001": "Gisaengchung", "tt0000002": "Hoop Dreams", "tt0000004": "Another"}
    origins, counts = imdb_tables.origins(path, originals)
    assert origins == {"tt0000001": (("ko",), ("KR",)), "tt0000004": (("fr",), ())}
    assert (counts.rows, counts.malformed) == (8, 1)


# Files


def test_a_table_that_is_not_compressed(tmp_path: Path, small_pieces: None) -> None:
    path = tmp_path / "title.basics.tsv"
    path.write_bytes(lines(BASICS, [basics(1, "Fargo"), basics(2, "Brazil")]))
    assert read(path, "fargo") == (["Fargo"], ReadCounts(2, 0))


def test_concatenated_gzip_streams(tmp_path: Path, small_pieces: None) -> None:
    path = tmp_path / "title.basics.tsv.gz"
    parts = lines(BASICS, [basics(1, "Fargo")]), lines(basics(2, "Fargo"), [])
    path.write_bytes(b"".join(map(gzip.compress, parts)) + bytes(20))
    assert read(path, "fargo") == (["Fargo", "Fargo"], ReadCounts(2, 0))


def cut(content: bytes) -> bytes:
    return content[: len(content) * 2 // 3]


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes(byte ^ 255 for byte in content[middle : middle + 40]) + content[middle + 40 :]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (cut, "is incomplete; download it again"),
        (lambda content: content[:-4], "is incomplete; download it again"),
        (flipped, "is damaged; download it again"),
        (lambda content: b"", "is empty; download it again"),
        (lambda content: b"<!DOCTYPE html><html>Sign in</html>", "is a web page"),
        (lambda content: gzip.compress(b"a\tb\n1\t2\n"), "its first line has no column tconst"),
        (lambda content: gzip.compress(b"x" * 20_000_000), "it has a line of more than"),
        (lambda content: gzip.compress(gzip.decompress(content) + b"x" * 3_000_000), "it has a line of more than"),
    ],
)
def test_files_that_are_not_tables(tmp_path: Path, change: Callable[[bytes], bytes], message: str) -> None:
    path = write_table(tmp_path, "title.basics", BASICS, [basics(n, f"Film {n * n}") for n in range(3000)])
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(Problem, match=message) as problem:
        read(path, "fargo")
    assert str(path) in str(problem.value)


def test_a_folder_instead_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "title.basics.tsv.gz").mkdir()
    with pytest.raises(Problem, match="cannot be read"):
        read(tmp_path / "title.basics.tsv.gz", "fargo")


def test_a_small_file_that_unpacks_to_a_large_one_needs_little_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imdb_tables, "CHUNK", 2**16)
    path = tmp_path / "title.basics.tsv.gz"
    path.write_bytes(gzip.compress(lines(BASICS, [basics(1, "Fargo")]) + (b"\t" * 8 + b"\n") * 2_000_000, 9))
    largest = 0
    joined = imdb_tables._line_chunks

    def watched(*arguments: object) -> object:
        nonlocal largest
        for piece, done in joined(*arguments):  # type: ignore[arg-type]
            largest = max(largest, len(piece))
            yield piece, done

    monkeypatch.setattr(imdb_tables, "_line_chunks", watched)
    assert read(path, "fargo")[0] == ["Fargo"]
    assert largest < 3 * 2**16


def test_progress_and_stopping(tmp_path: Path, small_pieces: None) -> None:
    path = write_table(tmp_path, "title.basics", BASICS, [basics(n, f"Film {n}") for n in range(100)])
    stages: list[Stage] = []
    imdb_tables.titles(path, (), {}, stages.append)
    assert {(stage.name, stage.unit, stage.note) for stage in stages} == {("Reading", "bytes", path.name)}
    assert stages[-1].finished
    assert stages[-1].done == stages[-1].total == path.stat().st_size
    assert [stage.done for stage in stages] == sorted(stage.done for stage in stages)

    def stop(stage: Stage) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        imdb_tables.titles(path, (), {}, stop)
