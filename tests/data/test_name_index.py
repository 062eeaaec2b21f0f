"""The names that a shell completes: always those of the current cleaned tables."""

import os
from pathlib import Path

import pytest

from movietui.data import catalogue
from movietui.data.dataset import Dataset
from movietui.data.storage import locations, name_index
from movietui.data.titles import with_year
from tests.data.files import MOVIES, contents, movie_line, write_folder


def names(dataset: Dataset) -> tuple[list[str], list[str]]:
    years = dataset.movies.years.tolist()
    labels = [with_year(title, year) for title, year in zip(dataset.movies.titles, years, strict=True)]
    return labels, list(dataset.users.ids)


def read(cleaning: str = "standard") -> tuple[list[str], list[str]]:
    return name_index.read("small", cleaning, name_index.MOVIES), name_index.read("small", cleaning, name_index.USERS)


def test_each_cleaning_has_its_own_names(small_zip: Path) -> None:
    catalogue.get("small", small_zip)
    for cleaning in ("standard", "standard +few-ratings-movies:9"):
        assert read(cleaning) == ([], [])  # nothing is cleaned for a shell
        current = names(catalogue.load("small", cleaning))
        assert read(cleaning) == current
    assert read() != current


def test_names_are_never_those_of_replaced_tables(small_zip: Path, tmp_path: Path) -> None:
    catalogue.get("small", small_zip)
    before = names(catalogue.load("small"))
    renamed = [movie_line(movie, f"Other {movie} (1996)") for movie in range(1, MOVIES + 1)]
    catalogue.get("small", write_folder(tmp_path / "again", contents({"u.item": renamed})))
    assert read() == ([], [])
    after = names(catalogue.load("small"))
    assert read() == after != before
    catalogue.remove("small")
    assert read() == ([], [])


def test_the_names_of_the_newest_tables_count(small_zip: Path) -> None:
    catalogue.get("small", small_zip)
    current = names(catalogue.load("small"))
    path = next(locations.dataset("small").glob("*/movies.txt"))
    earlier = path.parent.with_name("earlier") / path.name  # as another version of the rules left it
    earlier.parent.mkdir()
    digest = path.read_text().split('"')[3]
    earlier.write_bytes(name_index.lines(digest, "standard", ["Old"]))
    os.utime(earlier, (1, 1))
    assert read()[0] == current[0]


@pytest.mark.parametrize("damage", [b"", b"{}\n", b'["raw"]\nx\n', b"\xff\n\xff", None])
def test_a_damaged_file_gives_no_names(small_zip: Path, damage: bytes | None) -> None:
    catalogue.get("small", small_zip)
    catalogue.load("small")
    path = next(locations.dataset("small").glob("*/movies.txt"))
    path.write_bytes(path.read_bytes()[:-3] if damage is None else damage)
    assert read()[0] == []
    assert read()[1]


def test_names_that_no_shell_can_pass_on_are_left_out() -> None:
    body = name_index.lines("0", "none", ["fine", "two\nlines", "next\x85line", "é"]).split(b"\n", 1)[1]
    assert body.decode() == "fine\né\n"
