"""When a stored join is used again, and what happens to it if a new join fails."""

import errno
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from movietui.data import catalogue
from movietui.data.imdb import join as imdb
from movietui.data.imdb import title_matching
from movietui.data.problems import Cancelled, Problem
from movietui.data.progress import Stage
from movietui.data.storage import atomic_files, cache, locations, parquet
from tests.data.imdb_tables import BASICS, write_table
from tests.data.joined import MOVIES, TITLES, facts_of, get, get_linked

ROOT = Path(__file__).parents[2]


def test_every_cleaning_has_the_imdb_facts(tmp_path: Path, tables: Path) -> None:
    get(tmp_path, {**MOVIES, 7: "Usual Suspects, The (1995)"})
    imdb.join("joined", tables)
    for cleaning in ("none", "standard"):
        dataset, facts = facts_of("joined", cleaning)
        assert len(facts.ids) == len(facts.directors) == len(facts.rating) == len(dataset.movies)
        assert facts.directors[dataset.movies.row["2"]] == ("Joel Coen", "Ethan Coen")


def test_a_merged_movie_has_the_imdb_facts_of_any_entry(tmp_path: Path, tables: Path) -> None:
    get_linked(tmp_path, {1: "Fargo (1996)", 2: "Fargo (1996)"}, {1: "0000099", 2: "0000012"})
    imdb.join("linked", tables)

    def ids() -> tuple[str, ...]:
        dataset, facts = facts_of("linked", "standard")
        assert dataset.movies.merged == {"1": ("2",)}
        return facts.ids

    others = ("tt0000011",)  # a popular movie that the dataset lacks
    assert ids() == ids() == ("tt0000012", *others)  # just cleaned, then loaded
    imdb.settle("linked", "2", None)
    assert ids() == ("", *others)
    imdb.settle("linked", "1", "tt0000012")
    assert ids() == ("tt0000012", *others)


def test_a_new_source_under_the_same_name_discards_the_join(tmp_path: Path, tables: Path) -> None:
    get(tmp_path)
    imdb.join("joined", tables)
    assert len(list(cache.folder_of("joined").glob("imdb-*"))) == 1
    get(tmp_path, {movie: MOVIES[7 - movie] for movie in MOVIES})
    assert catalogue.load("joined", "none").movies.imdb is None
    assert list(cache.folder_of("joined").glob("imdb-*")) == []


@pytest.mark.parametrize("change", [lambda path: get(path, {1: MOVIES[2]}), lambda _: catalogue.remove("joined")])
def test_a_dataset_replaced_during_the_join(tmp_path: Path, tables: Path, change: Callable[[Path], None]) -> None:
    def swap(stage: Stage) -> None:
        if stage.name == "Matching" and stage.finished:
            change(tmp_path)

    get(tmp_path)
    with pytest.raises(Problem, match=r"^joined was replaced or removed during the join; join it again\.$"):
        imdb.join("joined", tables, swap)
    assert imdb.load("joined") is None


@pytest.mark.parametrize(("where", "version"), [(parquet, "FORMAT"), (title_matching, "VERSION")])
def test_a_join_of_another_version_is_ignored(
    tmp_path: Path, tables: Path, monkeypatch: pytest.MonkeyPatch, where: object, version: str
) -> None:
    get(tmp_path)
    imdb.join("joined", tables)
    monkeypatch.setattr(where, version, 99)
    with pytest.raises(FileNotFoundError):  # and not Damaged
        cache.load_imdb("joined")
    assert imdb.load("joined") is None


def test_getting_and_cleaning_again_keep_the_join(tmp_path: Path, tables: Path) -> None:
    get(tmp_path)
    imdb.join("joined", tables)
    get(tmp_path)
    catalogue.clean("joined")
    assert facts_of()[1].ids[0] == "tt0000011"


@pytest.mark.parametrize("file", ["movies.parquet", "titles.parquet", "manifest.json"])
def test_a_damaged_join_is_ignored(tmp_path: Path, tables: Path, file: str) -> None:
    get(tmp_path)
    imdb.join("joined", tables)
    (path,) = cache.folder_of("joined").glob(f"imdb-*/{file}")
    path.write_bytes(path.read_bytes()[:-3])
    assert catalogue.load("joined", "none").movies.imdb is None
    with pytest.raises(Problem, match="has not been joined with IMDb yet; run movietui data imdb joined"):
        imdb.settle("joined", "3", None)
    imdb.join("joined", tables)
    assert facts_of()[1].ids[0] == "tt0000011"


def test_a_full_disk_leaves_the_previous_join_unchanged(
    tmp_path: Path, tables: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    get(tmp_path)
    imdb.join("joined", tables)
    assert facts_of()[1].ids[1] == "tt0000012"
    write_table(tables, "title.basics", BASICS, TITLES[:1])

    def full(path: Path, content: bytes, durable: bool = True) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(atomic_files, "write_new", full)
    with pytest.raises(Problem, match="disk is full"):
        imdb.join("joined", tables)
    with pytest.raises(Problem, match="disk is full"):
        imdb.settle("joined", "3", None)
    assert facts_of()[1].ids[1] == "tt0000012"
    assert not [path for path in locations.imdb().glob("*") if path.is_file()]


def test_stopping_leaves_the_previous_join_unchanged(tmp_path: Path, tables: Path) -> None:
    get(tmp_path)
    imdb.join("joined", tables)
    before = {path.name for path in cache.folder_of("joined").iterdir()}
    for name in ("Reading", "Matching", "Storing"):

        def stop(stage: Stage, name: str = name) -> None:
            if stage.name == name:
                raise Cancelled

        with pytest.raises(Cancelled):
            imdb.join("joined", tables, stop)
    assert {path.name for path in cache.folder_of("joined").iterdir()} == before
    assert facts_of()[1].ids[0] == "tt0000011"


def test_facts_are_loaded_without_heavy_modules(tmp_path: Path, tables: Path) -> None:
    get(tmp_path)
    imdb.join("joined", tables)
    catalogue.load("joined")
    imdb.settle("joined", "3", "tt0000014")
    code = "import sys; from movietui.data import catalogue; from movietui.data.imdb import join\n"
    code += "d = catalogue.load('joined'); join.load('joined').report()\n"
    code += "assert 'tt0000014' in d.movies.imdb.ids; print(sorted({'pandas', 'requests', 'torch'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
