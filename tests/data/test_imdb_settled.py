"""Choosing the matches of movies by hand, and forgetting these choices."""

import threading
from pathlib import Path

import pytest

from movietui.data import catalogue
from movietui.data.imdb import join as imdb
from movietui.data.problems import Problem
from movietui.data.storage import locations, parquet
from tests.data.joined import MOVIES, facts_of, get, outcomes_of


def test_settling_and_unsettling_a_movie(tmp_path: Path, tables: Path) -> None:
    get(tmp_path)
    imdb.join("joined", tables)
    fingerprints = [facts_of()[1].fingerprint]
    report = imdb.settle("joined", "3", "tt0000014")
    assert report.by == {"id": 0, "title": 4, "hand": 1}
    assert outcomes_of(report) == {"4": "unmatched", "3": "settled"}
    assert [title.id for title in report.settled[0].candidates] == ["tt0000014"]
    _, facts = facts_of()
    assert (facts.ids[2], facts.minutes[2]) == ("tt0000014", 120)
    fingerprints.append(facts.fingerprint)
    assert outcomes_of(imdb.unsettle("joined", "3")) == {"3": "ambiguous", "4": "unmatched"}
    assert facts_of()[1].fingerprint == fingerprints[0] != fingerprints[1]


def test_choosing_none_of_the_candidates(tmp_path: Path, tables: Path) -> None:
    get(tmp_path)
    imdb.join("joined", tables)
    report = imdb.settle("joined", "1", None)
    assert report.by["title"] == 3
    assert [(row.id, row.reason) for row in report.unmatched if row.id == "1"] == [
        ("1", "you chose none of the candidates")
    ]
    assert [(row.id, row.candidates) for row in report.settled] == [("1", ())]
    assert facts_of()[1].of(0) is None


def test_choices_survive_getting_and_joining_again(tmp_path: Path, tables: Path) -> None:
    get(tmp_path)
    imdb.join("joined", tables)
    imdb.settle("joined", "3", "tt0000014")
    imdb.settle("joined", "2", None)
    (locations.datasets() / "joined").rename(tmp_path / "gone")
    get(tmp_path)
    report = imdb.join("joined", tables)
    assert report.by == {"id": 0, "title": 3, "hand": 1}
    ids = facts_of("joined", "standard")[1].ids
    assert {"tt0000014"} <= set(ids)
    assert "tt0000012" not in ids


def test_a_chosen_title_that_was_not_read_applies_from_the_next_join_on(tmp_path: Path, tables: Path) -> None:
    get(tmp_path)
    imdb.join("joined", tables)
    report = imdb.settle("joined", "4", "tt0000017")
    assert [row.reason for row in report.unmatched] == ["you chose tt0000017, which the join did not read; join again"]
    report = imdb.join("joined", tables)
    assert report.by["hand"] == 1
    assert facts_of()[1].ids[3] == "tt0000017"


def test_two_choices_at_once(tmp_path: Path, tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    get(tmp_path)
    imdb.join("joined", tables)
    write_json = parquet.write_json
    other = threading.Thread(target=imdb.settle, args=("joined", "1", None))

    def late(*arguments: object) -> None:
        if threading.current_thread() is not other:
            other.start()
            other.join(0.5)  # the thread ends only if it is not blocked
        write_json(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(parquet, "write_json", late)
    imdb.settle("joined", "3", "tt0000014")
    other.join(30)
    assert {row.id for row in imdb.load("joined").report().settled} == {"1", "3"}  # type: ignore[union-attr]


def test_a_choice_counts_only_for_the_movie_it_was_made_for(tmp_path: Path, tables: Path) -> None:
    get(tmp_path)
    imdb.join("joined", tables)
    imdb.settle("joined", "3", "tt0000014")
    get(tmp_path, {**MOVIES, 3: "Fargo (1996)", 2: "Emma (1996)"})
    report = imdb.join("joined", tables)
    assert outcomes_of(report) == {"2": "ambiguous", "4": "unmatched"}


@pytest.mark.parametrize("title", ["", "0000014", "tt12", "tt0000014\n", "nm0000014", "\x1b[31mtt0000014"])
def test_invalid_imdb_ids(tmp_path: Path, tables: Path, title: str) -> None:
    get(tmp_path)
    imdb.join("joined", tables)
    with pytest.raises(Problem, match="is not an IMDb id; it should look like tt0114709"):
        imdb.settle("joined", "3", title)
    assert not locations.imdb().exists()


def test_unknown_movies(tmp_path: Path, tables: Path) -> None:
    get(tmp_path)
    for call in (lambda: imdb.settle("joined", "3", None), lambda: imdb.unsettle("joined", "3")):
        with pytest.raises(Problem, match="has not been joined with IMDb yet"):
            call()
    imdb.join("joined", tables)
    for call in (lambda: imdb.settle("joined", "77", None), lambda: imdb.unsettle("joined", "77")):
        with pytest.raises(Problem, match="joined has no movie 77"):
            call()


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"3": 4}', b'{"3": {"movie": "Emma (1996)", "imdb": 4}}'])
def test_a_damaged_file_of_choices_is_never_overwritten(tmp_path: Path, tables: Path, content: bytes) -> None:
    get(tmp_path)
    imdb.join("joined", tables)
    path = imdb.settle("joined", "3", None) and locations.imdb() / "joined.json"
    path.write_bytes(content)
    for call in (lambda: imdb.settle("joined", "3", "tt0000014"), lambda: imdb.join("joined", tables)):
        with pytest.raises(Problem, match="the file with your choices, cannot be read"):
            call()
    assert path.read_bytes() == content
    assert catalogue.load("joined", "none").movies.imdb is None
