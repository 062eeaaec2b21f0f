"""Joining datasets with IMDb, keeping the join, and settling by hand."""

import errno
import gzip
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data import cache, catalogue, downloads, imdb, imdb_files, imdb_matching, locations
from data.dataset import Dataset, ImdbFacts
from data.imdb import JoinReport
from data.imdb_matching import Sought, match, wanted_years
from data.problems import Cancelled, Problem
from data.progress import Stage
from data.titles import parse_label
from tests.data.files import contents, movie_line, write_folder
from tests.data.imdb_tables import BASICS, basics, crew, person, rating, write_table, write_tables
from tests.data.server import Server, trusted

ROOT = Path(__file__).parents[2]

FILMS = {
    1: "Usual Suspects, The (1995)",
    2: "Fargo (1996)",
    3: "Emma (1996)",
    4: "Nowhere to Be Found (1995)",
    5: "Star Wars (1977)",
    6: "Postino, Il (1994)",
}
TITLES = [
    basics(11, "The Usual Suspects", 1995, genres="Crime,Thriller", minutes=106),
    basics(12, "Fargo", 1995, minutes="\\N"),
    basics(13, "Emma", 1996),
    basics(14, "Emma", 1996, "movie", minutes=120),
    basics(15, "Star Wars: Episode IV - A New Hope", 1977),
    basics(16, "The Postman", 1994, original="Il postino"),
    basics(17, "Another Film", 2001),
]
RATINGS = [rating(11, 1000, 8.6), rating(12, 500, 8.1), rating(13, 30)]
CREWS = [crew(11, 21), crew(12, 22, 23), crew(13), crew(15, 24)]
PEOPLE = [person(21, "Bryan Singer"), person(22, "Joel Coen"), person(23, "Ethan \x1b[1mCoen"), person(25, "Nobody")]


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    return write_tables(tmp_path / "imdb", TITLES, RATINGS, CREWS, PEOPLE)


def get(tmp_path: Path, films: Mapping[int, str] = FILMS, name: str = "films") -> None:
    """Make a dataset in the layout of ML-100K."""
    items = [movie_line(movie, label, f"01-Jan-{parse_label(label)[1] or 1999}") for movie, label in films.items()]
    rated = [f"{user}\t{movie}\t4\t880000000" for movie in films for user in range(1, 6)]
    catalogue.get(name, write_folder(tmp_path / f"{name}-files", contents({"u.item": items, "u.data": rated})))


def get_linked(tmp_path: Path, films: Mapping[int, str], links: Mapping[int, object], name: str = "linked") -> None:
    """Make a dataset in the layout of the later releases, which have links."""
    movies = ["movieId,title,genres", *(f'{movie},"{label}",Drama' for movie, label in films.items())]
    rated = ["userId,movieId,rating,timestamp", *(f"1,{movie},4.0,880000000" for movie in films)]
    linked = ["movieId,imdbId,tmdbId", *(f"{movie},{links[movie]},1" for movie in links)]
    files = {"movies.csv": movies, "ratings.csv": rated, "links.csv": linked}
    folder = write_folder(tmp_path / f"{name}-files", {key: "\n".join(of).encode() for key, of in files.items()})
    catalogue.get(name, folder)


def way_of(report: JoinReport) -> dict[str, str]:
    """Return what became of each movie that is not matched."""
    rows = {"ambiguous": report.ambiguous, "unmatched": report.unmatched, "settled": report.settled}
    return {row.id: way for way, of in rows.items() for row in of}


def facts_of(name: str = "films", cleaning: str = "none") -> tuple[Dataset, ImdbFacts]:
    dataset = catalogue.load(name, cleaning)
    assert dataset.movies.imdb is not None
    return dataset, dataset.movies.imdb


def test_a_join(tmp_path: Path, tables: Path) -> None:
    get(tmp_path)
    before = catalogue.load("films", "none")
    assert before.movies.imdb is None
    stages: list[Stage] = []
    report = imdb.join("films", tables, stages.append)
    assert report.by == {"id": 0, "title": 4, "hand": 0}
    assert (report.matched, report.links, report.notes) == (4, "", ())
    assert way_of(report) == {"3": "ambiguous", "4": "unmatched"}
    (emma,), (nowhere,) = report.ambiguous, report.unmatched
    assert (emma.title, emma.reason) == ("Emma (1996)", "2 titles fit, none clearly better")
    assert [(title.id, title.votes, title.minutes) for title in emma.candidates] == [
        ("tt0000013", 30, 100),
        ("tt0000014", 0, 120),
    ]
    assert nowhere.reason == "no title of that name from 1994 to 1996"
    assert {stage.name for stage in stages if stage.finished} == {"Reading", "Matching", "Storing"}
    dataset, facts = facts_of()
    assert dataset.fingerprint == before.fingerprint
    assert facts.ids == ("tt0000011", "tt0000012", "", "", "tt0000015", "tt0000016")
    assert facts.rating[:2].tolist() == pytest.approx([8.6, 8.1])
    assert np.isnan(facts.rating[2:]).all()
    assert facts.votes.tolist() == [1000, 500, 0, 0, 0, 0]
    assert facts.minutes.tolist() == [106, 0, 0, 0, 100, 100]
    assert facts.directors == (("Bryan Singer",), ("Joel Coen", "Ethan Coen"), (), (), (), ())
    assert facts.people == (("nm0000021",), ("nm0000022", "nm0000023"), (), (), (), ())
    assert facts.genres[0] == ("Crime", "Thriller")
    assert (facts.rating.dtype, facts.votes.dtype, facts.minutes.dtype) == (np.float32, np.int32, np.int32)
    assert facts.of(0) == {
        "id": "tt0000011",
        "rating": 8.6,
        "votes": 1000,
        "minutes": 106,
        "genres": ["Crime", "Thriller"],
        "directors": ["Bryan Singer"],
    }
    assert facts.of(2) is None
    assert facts.of(5) is not None
    assert facts.of(5)["rating"] is None  # type: ignore[index]


def test_the_report_as_json(tmp_path: Path, tables: Path) -> None:
    get(tmp_path)
    told = json.loads(json.dumps(imdb.join("films", tables).to_json(), allow_nan=False))
    assert (told["dataset"], told["matched"], told["ambiguous"], told["unmatched"]) == ("films", 4, 1, 1)
    assert told["by"] == {"id": 0, "title": 4, "hand": 0}
    assert told["tables"]["title.basics"] == {"rows": 7, "malformed": 0}
    assert told["terms"] == "Information courtesy of IMDb (https://www.imdb.com). Used with permission."
    assert told["seconds"] > 0
    assert told["peak_bytes"] > 10**7
    assert [row["id"] for row in told["ambiguous_movies"]] == ["3"]
    assert told["ambiguous_movies"][0]["candidates"][0] == {
        "id": "tt0000013",
        "title": "Emma",
        "original": "Emma",
        "year": 1996,
        "kind": "movie",
        "minutes": 100,
        "rating": 7.5,
        "votes": 30,
        "genres": ["Drama"],
        "directors": [],
    }
    assert told["ambiguous_movies"][0]["candidates"][1]["rating"] is None
    assert told["settled_movies"] == []


def test_by_links(tmp_path: Path, tables: Path) -> None:
    films = {1: "Quite Another Name (1950)", 2: "Fargo (1996)", 3: "Emma (1996)", 4: "Fargo (1995)", 5: "None (1999)"}
    get_linked(tmp_path, films, {1: "0000011", 2: "", 3: "0000014", 4: "0000099", 5: "0000098"})
    report = imdb.join("linked", tables)
    assert report.by == {"id": 2, "title": 1, "hand": 0}
    assert report.links == "linked"
    assert {row.id: row.reason for row in (*report.ambiguous, *report.unmatched)} == {
        "4": "its link tt0000099 is not in title.basics",
        "5": "its link tt0000098 is not in title.basics",
    }


def test_links_of_another_dataset_where_id_and_title_agree(tmp_path: Path, tables: Path) -> None:
    get(tmp_path)
    get_linked(tmp_path, {3: "Emma (1996)", 4: "Something Else (1995)"}, {3: "0000013", 4: "0000017"})
    report = imdb.join("films", tables)
    assert report.links == "linked"
    assert report.by == {"id": 1, "title": 4, "hand": 0}
    assert way_of(report) == {"4": "unmatched"}
    assert facts_of()[1].ids[2] == "tt0000013"


@pytest.mark.parametrize(
    ("missing", "told", "lost"),
    [
        ("title.ratings", "no ratings and votes are known, and votes could settle nothing", "votes"),
        ("title.crew", "no directors are known", "directors"),
        ("name.basics", "no names of directors are known", "directors"),
    ],
)
def test_tables_that_may_be_missing(tmp_path: Path, tables: Path, missing: str, told: str, lost: str) -> None:
    get(tmp_path)
    (tables / f"{missing}.tsv.gz").unlink()
    report = imdb.join("films", tables)
    assert report.notes == (f"{missing}.tsv.gz is not in {tables}: {told}.",)
    assert report.matched == 4
    facts = facts_of()[1]
    assert not np.any([bool(value) for value in getattr(facts, lost)])


def test_malformed_lines_are_said(tmp_path: Path, tables: Path) -> None:
    get(tmp_path)
    write_table(tables, "title.ratings", ["tconst", "averageRating", "numVotes"], [*RATINGS, ["tt1", "2"], ["x"]])
    report = imdb.join("films", tables)
    assert report.notes == ("2 malformed lines were left out of title.ratings.",)
    assert report.tables["title.ratings"] == {"rows": 5, "malformed": 2}


def test_files_that_are_of_no_use(tmp_path: Path, tables: Path) -> None:
    get(tmp_path)
    with pytest.raises(Problem, match="There is no folder"):
        imdb.join("films", tmp_path / "nothing")
    with pytest.raises(Problem, match=r"has no file title\.basics\.tsv\.gz; download it from https://datasets"):
        imdb.join("films", write_folder(tmp_path / "empty", {}))
    path = tables / "title.crew.tsv.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(Problem, match="cut off"):
        imdb.join("films", tables)
    assert imdb.load("films") is None


def test_what_is_not_here(tables: Path) -> None:
    for name in ("ml-100k", "../x"):
        with pytest.raises(Problem, match="is not here yet; run movietui data get"):
            imdb.join(name, tables)
    with pytest.raises(Problem, match="There is no dataset nothing"):
        catalogue.join("nothing", tables)
    assert imdb.load("ml-100k") is None


def test_the_demo_is_made_where_it_is_joined(tables: Path) -> None:
    assert catalogue.join("demo", tables).by["title"] >= 1
    assert facts_of("demo", "standard")[1].ids.count("tt0000011") == 1


def test_every_cleaning_has_the_facts(tmp_path: Path, tables: Path) -> None:
    get(tmp_path, {**FILMS, 7: "Usual Suspects, The (1995)"})
    imdb.join("films", tables)
    for cleaning in ("none", "standard"):
        dataset, facts = facts_of("films", cleaning)
        assert len(facts.ids) == len(facts.directors) == len(facts.rating) == len(dataset.movies)
        assert facts.directors[dataset.movies.row["2"]] == ("Joel Coen", "Ethan Coen")


def test_a_merged_film_has_the_facts_of_any_entry(tmp_path: Path, tables: Path) -> None:
    get_linked(tmp_path, {1: "Fargo (1996)", 2: "Fargo (1996)"}, {1: "0000099", 2: "0000012"})
    imdb.join("linked", tables)

    def ids() -> tuple[str, ...]:
        dataset, facts = facts_of("linked", "standard")
        assert dataset.movies.merged == {"1": ("2",)}
        return facts.ids

    assert ids() == ids() == ("tt0000012",)  # made, then loaded
    imdb.settle("linked", "2", None)
    assert ids() == ("",)
    imdb.settle("linked", "1", "tt0000012")
    assert ids() == ("tt0000012",)


def test_another_source_under_the_same_name_forgets_the_join(tmp_path: Path, tables: Path) -> None:
    get(tmp_path)
    imdb.join("films", tables)
    assert len(list(cache.folder_of("films").glob("imdb-*"))) == 1
    get(tmp_path, {movie: FILMS[7 - movie] for movie in FILMS})
    assert catalogue.load("films", "none").movies.imdb is None
    assert list(cache.folder_of("films").glob("imdb-*")) == []


@pytest.mark.parametrize("change", [lambda path: get(path, {1: FILMS[2]}), lambda _: catalogue.remove("films")])
def test_what_is_replaced_while_it_is_joined(tmp_path: Path, tables: Path, change: Callable[[Path], None]) -> None:
    def swap(stage: Stage) -> None:
        if stage.name == "Matching" and stage.finished:
            change(tmp_path)

    get(tmp_path)
    with pytest.raises(Problem, match=r"^films was replaced or removed while it was joined; join it again\.$"):
        imdb.join("films", tables, swap)
    assert imdb.load("films") is None


@pytest.mark.parametrize(("where", "version"), [(cache, "FORMAT"), (imdb_matching, "VERSION")])
def test_a_join_of_another_version_is_none(
    tmp_path: Path, tables: Path, monkeypatch: pytest.MonkeyPatch, where: object, version: str
) -> None:
    get(tmp_path)
    imdb.join("films", tables)
    monkeypatch.setattr(where, version, 99)
    with pytest.raises(FileNotFoundError):  # and not damaged
        cache.load_imdb("films")
    assert imdb.load("films") is None


def test_getting_and_cleaning_again_keep_the_join(tmp_path: Path, tables: Path) -> None:
    get(tmp_path)
    imdb.join("films", tables)
    get(tmp_path)
    catalogue.clean("films")
    assert facts_of()[1].ids[0] == "tt0000011"


@pytest.mark.parametrize("file", ["movies.parquet", "titles.parquet", "manifest.json"])
def test_a_damaged_join_is_none(tmp_path: Path, tables: Path, file: str) -> None:
    get(tmp_path)
    imdb.join("films", tables)
    (path,) = cache.folder_of("films").glob(f"imdb-*/{file}")
    path.write_bytes(path.read_bytes()[:-3])
    assert catalogue.load("films", "none").movies.imdb is None
    with pytest.raises(Problem, match="is not joined with IMDb yet; run movietui data imdb films"):
        imdb.settle("films", "3", None)
    imdb.join("films", tables)
    assert facts_of()[1].ids[0] == "tt0000011"


def test_a_full_disk_keeps_the_join_before(tmp_path: Path, tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    get(tmp_path)
    imdb.join("films", tables)
    assert facts_of()[1].ids[1] == "tt0000012"
    write_table(tables, "title.basics", BASICS, TITLES[:1])

    def full(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cache, "write_bytes", full)
    with pytest.raises(Problem, match="disk is full"):
        imdb.join("films", tables)
    with pytest.raises(Problem, match="disk is full"):
        imdb.settle("films", "3", None)
    assert facts_of()[1].ids[1] == "tt0000012"
    assert not [path for path in locations.imdb().glob("*") if path.is_file()]


def test_stopping_keeps_the_join_before(tmp_path: Path, tables: Path) -> None:
    get(tmp_path)
    imdb.join("films", tables)
    before = {path.name for path in cache.folder_of("films").iterdir()}
    for name in ("Reading", "Matching", "Storing"):

        def stop(stage: Stage, name: str = name) -> None:
            if stage.name == name:
                raise Cancelled

        with pytest.raises(Cancelled):
            imdb.join("films", tables, stop)
    assert {path.name for path in cache.folder_of("films").iterdir()} == before
    assert facts_of()[1].ids[0] == "tt0000011"


# By hand


def test_settling(tmp_path: Path, tables: Path) -> None:
    get(tmp_path)
    imdb.join("films", tables)
    prints = [facts_of()[1].fingerprint]
    report = imdb.settle("films", "3", "tt0000014")
    assert report.by == {"id": 0, "title": 4, "hand": 1}
    assert way_of(report) == {"4": "unmatched", "3": "settled"}
    assert [title.id for title in report.settled[0].candidates] == ["tt0000014"]
    _, facts = facts_of()
    assert (facts.ids[2], facts.minutes[2]) == ("tt0000014", 120)
    prints.append(facts.fingerprint)
    assert way_of(imdb.unsettle("films", "3")) == {"3": "ambiguous", "4": "unmatched"}
    assert facts_of()[1].fingerprint == prints[0] != prints[1]


def test_none_of_the_candidates(tmp_path: Path, tables: Path) -> None:
    get(tmp_path)
    imdb.join("films", tables)
    report = imdb.settle("films", "1", None)
    assert report.by["title"] == 3
    assert [(row.id, row.reason) for row in report.unmatched if row.id == "1"] == [
        ("1", "none of the candidates, as was said by hand")
    ]
    assert [(row.id, row.candidates) for row in report.settled] == [("1", ())]
    assert facts_of()[1].of(0) is None


def test_what_was_settled_outlives_everything(tmp_path: Path, tables: Path) -> None:
    get(tmp_path)
    imdb.join("films", tables)
    imdb.settle("films", "3", "tt0000014")
    imdb.settle("films", "2", None)
    (locations.datasets() / "films").rename(tmp_path / "gone")
    get(tmp_path)
    report = imdb.join("films", tables)
    assert report.by == {"id": 0, "title": 3, "hand": 1}
    ids = facts_of("films", "standard")[1].ids
    assert {"tt0000014"} <= set(ids)
    assert "tt0000012" not in ids


def test_a_title_that_was_not_read_waits_for_the_next_join(tmp_path: Path, tables: Path) -> None:
    get(tmp_path)
    imdb.join("films", tables)
    report = imdb.settle("films", "4", "tt0000017")
    assert [row.reason for row in report.unmatched] == [
        "tt0000017, as was said by hand, was not among the titles read; join again"
    ]
    report = imdb.join("films", tables)
    assert report.by["hand"] == 1
    assert facts_of()[1].ids[3] == "tt0000017"


def test_two_settle_at_once(tmp_path: Path, tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    get(tmp_path)
    imdb.join("films", tables)
    write_json = cache.write_json
    other = threading.Thread(target=imdb.settle, args=("films", "1", None))

    def late(*what: object) -> None:
        if threading.current_thread() is not other:
            other.start()
            other.join(0.5)  # ends only where nothing holds it back
        write_json(*what)  # type: ignore[arg-type]

    monkeypatch.setattr(cache, "write_json", late)
    imdb.settle("films", "3", "tt0000014")
    other.join(30)
    assert {row.id for row in imdb.load("films").report().settled} == {"1", "3"}  # type: ignore[union-attr]


def test_a_choice_holds_for_its_movie_only(tmp_path: Path, tables: Path) -> None:
    get(tmp_path)
    imdb.join("films", tables)
    imdb.settle("films", "3", "tt0000014")
    get(tmp_path, {**FILMS, 3: "Fargo (1996)", 2: "Emma (1996)"})
    report = imdb.join("films", tables)
    assert way_of(report) == {"2": "ambiguous", "4": "unmatched"}


@pytest.mark.parametrize("title", ["", "0000014", "tt12", "tt0000014\n", "nm0000014", "\x1b[31mtt0000014"])
def test_ids_that_are_none(tmp_path: Path, tables: Path, title: str) -> None:
    get(tmp_path)
    imdb.join("films", tables)
    with pytest.raises(Problem, match="is not the id of an IMDb title; it should look like tt0114709"):
        imdb.settle("films", "3", title)
    assert not locations.imdb().exists()


def test_movies_that_are_not_there(tmp_path: Path, tables: Path) -> None:
    get(tmp_path)
    for call in (lambda: imdb.settle("films", "3", None), lambda: imdb.unsettle("films", "3")):
        with pytest.raises(Problem, match="is not joined with IMDb yet"):
            call()
    imdb.join("films", tables)
    for call in (lambda: imdb.settle("films", "77", None), lambda: imdb.unsettle("films", "77")):
        with pytest.raises(Problem, match="films has no movie 77"):
            call()


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"3": 4}', b'{"3": {"movie": "Emma (1996)", "imdb": 4}}'])
def test_a_damaged_file_of_choices_is_never_written_over(tmp_path: Path, tables: Path, content: bytes) -> None:
    get(tmp_path)
    imdb.join("films", tables)
    path = imdb.settle("films", "3", None) and locations.imdb() / "films.json"
    path.write_bytes(content)
    for call in (lambda: imdb.settle("films", "3", "tt0000014"), lambda: imdb.join("films", tables)):
        with pytest.raises(Problem, match="which holds what you settled by hand, cannot be read"):
            call()
    assert path.read_bytes() == content
    assert catalogue.load("films", "none").movies.imdb is None


# Downloads


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "object":
    with trusted(tmp_path, monkeypatch, "tables") as state:
        monkeypatch.delenv("MOVIETUI_OFFLINE")
        monkeypatch.setattr(imdb_files, "URL", state.url)
        yield state


def test_tables_are_downloaded_once(tmp_path: Path, server: Server) -> None:
    server.content = gzip.compress(b"tconst\n")
    files = imdb_files.tables(None)
    assert set(files) == {"title.basics", *imdb_files.FURTHER}
    assert all(path.read_bytes() == server.content for path in files.values())
    assert all(path.parent == locations.downloads() / "imdb" for path in files.values())
    assert (imdb_files.tables(None), len(server.requests)) == (files, 4)


def test_downloaded_tables_are_listed_and_removed(tmp_path: Path, server: Server) -> None:
    assert "imdb" not in [each.name for each in catalogue.stored()]
    server.content = gzip.compress(b"tconst\n")
    files = imdb_files.tables(None)
    (locations.downloads() / "imdb" / "title.crew.tsv.gz.part").write_bytes(b"x" * 10)
    size = 4 * len(server.content) + 10
    assert [each.bytes for each in catalogue.stored() if each.name == "imdb"] == [size]
    assert catalogue.remove("imdb").bytes == size
    assert not any(path.exists() for path in files.values())
    with pytest.raises(Problem, match="Nothing of imdb is on this disk"):
        catalogue.remove("imdb")
    with pytest.raises(Problem, match="give the files in PATH another name"):
        catalogue.get("imdb", tmp_path)


def test_a_downloaded_table_that_is_damaged_is_downloaded_again(tmp_path: Path, tables: Path, server: Server) -> None:
    get(tmp_path)
    server.content = (tables / "title.basics.tsv.gz").read_bytes()[:-9]
    for _ in range(2):
        with pytest.raises(Problem, match="is cut off; it was removed, join again to download it again"):
            imdb.join("films")
    assert len(server.requests) == 4 + 1
    with pytest.raises(Problem, match="is cut off; download it again"):
        imdb.join("films", write_folder(tmp_path / "own", {"title.basics.tsv.gz": server.content}))
    assert (tmp_path / "own" / "title.basics.tsv.gz").exists()


def test_a_table_that_is_too_large_is_not_kept(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.content = gzip.compress(b"tconst\n")
    monkeypatch.setattr(imdb_files, "MOST_BYTES", len(server.content) - 1)
    with pytest.raises(Problem, match=r"title\.basics\.tsv\.gz could not be downloaded: .* larger"):
        imdb_files.tables(None)


def test_a_web_page_is_not_kept(server: Server) -> None:
    server.content = b"<!DOCTYPE html><html>Sign in</html>"
    with pytest.raises(Problem, match=r"title\.basics\.tsv\.gz could not be downloaded: .* web page") as told:
        imdb_files.tables(None)
    assert "--from DIR" in str(told.value)
    assert [path.name for path in (locations.downloads() / "imdb").iterdir()] == []


def test_without_network() -> None:
    with pytest.raises(Problem, match=f"switched off by {downloads.OFFLINE}; get it from https://datasets.imdbws.com"):
        imdb_files.tables(None)


# What a fresh process loads


def test_facts_are_loaded_without_heavy_modules(tmp_path: Path, tables: Path) -> None:
    get(tmp_path)
    imdb.join("films", tables)
    catalogue.load("films")
    imdb.settle("films", "3", "tt0000014")
    code = "import sys; from data import catalogue, imdb; d = catalogue.load('films'); imdb.load('films').report(); "
    code += "assert 'tt0000014' in d.movies.imdb.ids; print(sorted({'pandas', 'requests', 'torch'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# The real tables


@pytest.fixture(scope="module")
def real(published: Path, tmp_path_factory: pytest.TempPathFactory) -> "object":
    """The three datasets, joined with the real tables; ML-1M first alone, then with the links of ML-latest-small."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOVIETUI_HOME", str(tmp_path_factory.mktemp("joined")))
        reports, joins = {}, {}
        catalogue.get("ml-1m", published / "ml-1m.zip")
        reports["alone"], joins["alone"] = imdb.join("ml-1m", published / "imdb"), imdb.load("ml-1m")
        for name in ("ml-100k", "ml-latest-small", "ml-1m"):
            catalogue.get(name, published / f"{name}.zip")
            reports[name], joins[name] = imdb.join(name, published / "imdb"), imdb.load(name)
        tables = cache.published("ml-latest-small", cache.describe("ml-latest-small")["raw"], "movies", "links")
        yield reports, joins, tables


def matched(join: imdb.Join) -> dict[str, str]:
    return {movie: join.titles["id"][place] for movie, place in join.place_of.items() if place >= 0}


@pytest.mark.real
def test_shares_of_the_real_datasets(real: Callable[[], object]) -> None:
    reports, joins, small = real  # type: ignore[misc]
    truth = {
        str(movie): f"tt{number:07}"
        for movie, number in zip(small["links"]["movie_id"], small["links"]["imdb_id"], strict=True)
    }
    assert matched(joins["ml-latest-small"]) == truth
    assert reports["ml-latest-small"].by == {"id": 9742, "title": 0, "hand": 0}
    # ML-1M has the ids of ML-latest-small, all of whose films are in the table.
    found = matched(joins["ml-1m"])
    shared = set(truth) & set(joins["ml-1m"].movies["id"])
    assert len(shared) == 2949
    assert sum(found.get(movie) == truth[movie] for movie in shared) >= 0.99 * len(shared)
    # Alone, ML-1M is found by name: 2,941 of them, and only Saturn 3 is wrong: IMDb has two of 1980.
    assert reports["alone"].by["id"] == 0
    by_name = matched(joins["alone"])
    assert len(shared & set(by_name)) >= 2935
    assert [movie for movie in shared & set(by_name) if by_name[movie] != truth[movie]] == ["2851"]
    # Of ML-100K, at most 7 of those not matched are in the table, as far as a person can tell.
    assert len(matched(joins["ml-100k"])) >= 1340
    assert len(reports["ml-100k"].ambiguous) <= 12
    assert all(report.peak < 10**9 for report in reports.values())


@pytest.mark.real
def test_names_alone_find_what_links_say(real: Callable[[], object], published: Path) -> None:
    from data import imdb_tables

    _, _, small = real  # type: ignore[misc]
    movies, links = small["movies"], small["links"]
    truth = dict(zip(links["movie_id"].tolist(), links["imdb_id"].tolist(), strict=True))
    sought = [
        Sought(str(movie), label, 0, frozenset(genres.split("|")) - {"(no genres listed)"})
        for movie, label, genres in zip(movies["movie_id"].tolist(), movies["title"], movies["genres"], strict=True)
    ]
    titles, _ = imdb_tables.titles(published / "imdb" / "title.basics.tsv.gz", (), wanted_years(sought))
    rated, _ = imdb_tables.ratings(published / "imdb" / "title.ratings.tsv.gz", {title.id for title in titles})
    titles = [replace(title, votes=rated.get(title.id, (0, 0))[1]) for title in titles]
    found = match(sought, titles)
    right = sum(each.title == f"tt{truth[int(movie.id)]:07}" for movie, each in zip(sought, found, strict=True))
    assert right / sum(bool(each.title) for each in found) >= 0.997
    assert right / len(sought) >= 0.985
