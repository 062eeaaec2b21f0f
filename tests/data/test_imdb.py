"""Joining datasets with IMDb."""

import json
from pathlib import Path

import numpy as np
import pytest

from movietui.data import catalogue
from movietui.data.imdb import join as imdb
from movietui.data.problems import Problem
from movietui.data.progress import Stage
from tests.data.files import write_folder
from tests.data.imdb_tables import write_table
from tests.data.joined import RATINGS, facts_of, get, get_linked, outcomes_of


def test_a_join_and_its_facts(tmp_path: Path, tables: Path) -> None:
    get(tmp_path)
    before = catalogue.load("joined", "none")
    assert before.movies.imdb is None
    stages: list[Stage] = []
    report = imdb.join("joined", tables, stages.append)
    assert report.by == {"id": 0, "title": 4, "hand": 0}
    assert (report.matched, report.links, report.notes) == (4, "", ())
    assert outcomes_of(report) == {"3": "ambiguous", "4": "unmatched"}
    (emma,), (nowhere,) = report.ambiguous, report.unmatched
    assert (emma.title, emma.reason) == ("Emma (1996)", "2 titles fit, none clearly better")
    assert [(title.id, title.votes, title.minutes) for title in emma.candidates] == [
        ("tt0000013", 30, 100),
        ("tt0000014", 0, 120),
    ]
    assert nowhere.reason == "no title with that name from 1994 to 1996"
    assert {stage.name for stage in stages if stage.finished} == {"Reading", "Matching", "Storing"}
    dataset, facts = facts_of()
    assert dataset.fingerprint == before.fingerprint
    assert facts.ids == ("tt0000011", "tt0000012", "", "", "tt0000015", "tt0000016")
    assert facts.rating[:2].tolist() == pytest.approx([8.6, 8.1])
    assert np.isnan(facts.rating[2:]).all()
    assert facts.votes.tolist() == [1000, 500, 0, 0, 0, 0]
    assert facts.minutes.tolist() == [106, 0, 0, 0, 100, 100]
    assert facts.directors == (("Bryan Singer",), ("Joel Coen", "Ethan Coen"), (), (), (), ())
    assert facts.director_ids == (("nm0000021",), ("nm0000022", "nm0000023"), (), (), (), ())
    assert facts.genres[0] == ("Crime", "Thriller")
    assert facts.cast == (("Gabriel Byrne",), ("Frances McDormand", "William H. Macy"), (), (), (), ())
    assert facts.languages == ((), ("en",), (), (), (), ("it",))
    assert facts.countries == ((), ("US", "CA"), (), (), (), ("IT",))
    assert (facts.rating.dtype, facts.votes.dtype, facts.minutes.dtype) == (np.float32, np.int32, np.int32)
    assert facts.of(0) == {
        "id": "tt0000011",
        "rating": 8.6,
        "votes": 1000,
        "minutes": 106,
        "genres": ["Crime", "Thriller"],
        "directors": ["Bryan Singer"],
        "cast": ["Gabriel Byrne"],
        "languages": [],
        "countries": [],
    }
    assert facts.of(2) is None
    assert facts.of(5) is not None
    assert facts.of(5)["rating"] is None  # type: ignore[index]


def test_the_report_as_json(tmp_path: Path, tables: Path) -> None:
    get(tmp_path)
    report = json.loads(json.dumps(imdb.join("joined", tables).to_json(), allow_nan=False))
    assert (report["dataset"], report["matched"], report["ambiguous"], report["unmatched"]) == ("joined", 4, 1, 1)
    assert report["by"] == {"id": 0, "title": 4, "hand": 0}
    assert report["tables"]["title.basics"] == {"rows": 7, "malformed": 0}
    assert report["terms"] == "Information courtesy of IMDb (https://www.imdb.com). Used with permission."
    assert report["seconds"] > 0
    assert report["peak_bytes"] > 10**7
    assert [row["id"] for row in report["ambiguous_movies"]] == ["3"]
    assert report["ambiguous_movies"][0]["candidates"][0] == {
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
    assert report["ambiguous_movies"][0]["candidates"][1]["rating"] is None
    assert report["settled_movies"] == []


def test_movies_are_matched_by_links(tmp_path: Path, tables: Path) -> None:
    labels = {1: "Quite Another Name (1950)", 2: "Fargo (1996)", 3: "Emma (1996)", 4: "Fargo (1995)", 5: "None (1999)"}
    get_linked(tmp_path, labels, {1: "0000011", 2: "", 3: "0000014", 4: "0000099", 5: "0000098"})
    report = imdb.join("linked", tables)
    assert report.by == {"id": 2, "title": 1, "hand": 0}
    assert report.links == "linked"
    assert {row.id: row.reason for row in (*report.ambiguous, *report.unmatched)} == {
        "4": "its link tt0000099 is not in title.basics",
        "5": "its link tt0000098 is not in title.basics",
    }


def test_links_of_another_dataset_are_used_if_id_and_title_agree(tmp_path: Path, tables: Path) -> None:
    get(tmp_path)
    get_linked(tmp_path, {3: "Emma (1996)", 4: "Something Else (1995)"}, {3: "0000013", 4: "0000017"})
    report = imdb.join("joined", tables)
    assert report.links == "linked"
    assert report.by == {"id": 1, "title": 4, "hand": 0}
    assert outcomes_of(report) == {"4": "unmatched"}
    assert facts_of()[1].ids[2] == "tt0000013"


@pytest.mark.parametrize(
    ("missing", "note", "lost"),
    [
        ("title.ratings", "ratings and votes are unknown, so votes cannot decide between titles", "votes"),
        ("title.crew", "directors are unknown", "directors"),
        ("name.basics", "the names of directors and actors are unknown", "directors"),
        ("name.basics", "the names of directors and actors are unknown", "cast"),
        ("title.principals", "actors are unknown", "cast"),
        ("title.akas", "original languages and countries are unknown", "languages"),
        ("title.akas", "original languages and countries are unknown", "countries"),
    ],
)
def test_optional_tables_may_be_missing(tmp_path: Path, tables: Path, missing: str, note: str, lost: str) -> None:
    get(tmp_path)
    (tables / f"{missing}.tsv.gz").unlink()
    report = imdb.join("joined", tables)
    assert report.notes == (f"{missing}.tsv.gz is not in {tables}: {note}.",)
    assert report.matched == 4
    facts = facts_of()[1]
    assert not np.any([bool(value) for value in getattr(facts, lost)])


def test_malformed_lines_are_noted(tmp_path: Path, tables: Path) -> None:
    get(tmp_path)
    write_table(tables, "title.ratings", ["tconst", "averageRating", "numVotes"], [*RATINGS, ["tt1", "2"], ["x"]])
    report = imdb.join("joined", tables)
    assert report.notes == ("2 malformed lines were skipped in title.ratings.",)
    assert report.tables["title.ratings"] == {"rows": 5, "malformed": 2}


def test_unusable_files(tmp_path: Path, tables: Path) -> None:
    get(tmp_path)
    with pytest.raises(Problem, match="There is no folder"):
        imdb.join("joined", tmp_path / "nothing")
    with pytest.raises(Problem, match=r"has no file title\.basics\.tsv\.gz; download it from https://datasets"):
        imdb.join("joined", write_folder(tmp_path / "empty", {}))
    path = tables / "title.crew.tsv.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(Problem, match="incomplete"):
        imdb.join("joined", tables)
    assert imdb.load("joined") is None


def test_datasets_that_are_not_on_disk(tables: Path) -> None:
    with pytest.raises(Problem, match="is not on disk yet; run movietui data get"):
        imdb.join("ml-100k", tables)
    with pytest.raises(Problem, match="cannot be the name of a dataset"):
        imdb.join("../x", tables)
    with pytest.raises(Problem, match="There is no dataset nothing"):
        catalogue.join("nothing", tables)
    assert imdb.load("ml-100k") is None


def test_joining_generates_the_demo(tables: Path) -> None:
    assert catalogue.join("demo", tables).by["title"] >= 1
    assert facts_of("demo", "standard")[1].ids.count("tt0000011") == 1
