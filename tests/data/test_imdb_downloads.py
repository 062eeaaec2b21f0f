"""Downloading IMDb's tables."""

import gzip
from pathlib import Path

import pytest

from movietui.data import catalogue
from movietui.data.fetch import downloads
from movietui.data.imdb import join as imdb
from movietui.data.imdb import table_files
from movietui.data.imdb.table_files import LARGE
from movietui.data.problems import Problem
from movietui.data.storage import locations
from tests.data.files import write_folder
from tests.data.joined import get
from tests.data.server import Server, trusted


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "object":
    with trusted(tmp_path, monkeypatch, "tables") as state:
        monkeypatch.delenv("MOVIETUI_OFFLINE")
        monkeypatch.setattr(table_files, "URL", state.url)
        yield state


def test_tables_are_downloaded_once(tmp_path: Path, server: Server) -> None:
    server.content = gzip.compress(b"tconst\n")
    files = table_files.tables(None).files
    assert set(files) == {"title.basics", *table_files.OPTIONAL}
    assert all(path.read_bytes() == server.content for path in files.values())
    assert all(path.parent == locations.downloads() / "imdb" for path in files.values())
    assert (table_files.tables(None).files, len(server.requests)) == (files, 6)


def test_downloaded_tables_are_listed_and_removed(tmp_path: Path, server: Server) -> None:
    assert "imdb" not in [each.name for each in catalogue.list_stored()]
    server.content = gzip.compress(b"tconst\n")
    files = table_files.tables(None).files
    (locations.downloads() / "imdb" / "title.crew.tsv.gz.part").write_bytes(b"x" * 10)
    size = 6 * len(server.content) + 10
    assert [each.bytes for each in catalogue.list_stored() if each.name == "imdb"] == [size]
    assert catalogue.remove("imdb").bytes == size
    assert not any(path.exists() for path in files.values())
    with pytest.raises(Problem, match="imdb is not on disk"):
        catalogue.remove("imdb")
    with pytest.raises(Problem, match="give the files in PATH another name"):
        catalogue.get("imdb", tmp_path)


def test_a_downloaded_table_that_is_damaged_is_downloaded_again(tmp_path: Path, tables: Path, server: Server) -> None:
    get(tmp_path)
    server.content = (tables / "title.basics.tsv.gz").read_bytes()[:-9]
    for _ in range(2):
        with pytest.raises(Problem, match="is incomplete; it was removed; join again to download it"):
            imdb.join("joined")
    assert len(server.requests) == 6 + 1
    with pytest.raises(Problem, match="is incomplete; download it again"):
        imdb.join("joined", write_folder(tmp_path / "own", {"title.basics.tsv.gz": server.content}))
    assert (tmp_path / "own" / "title.basics.tsv.gz").exists()


def test_a_table_that_is_too_large_is_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.content = gzip.compress(b"tconst\n")
    monkeypatch.setattr(table_files, "MAX_BYTES", len(server.content) - 1)
    with pytest.raises(Problem, match=r"title\.basics\.tsv\.gz could not be downloaded: .* larger"):
        table_files.tables(None)


def test_the_large_tables_are_not_needed(tmp_path: Path, tables: Path, server: Server) -> None:
    get(tmp_path)
    folder = locations.downloads() / "imdb"
    small = {path.name: path.read_bytes() for path in tables.iterdir() if path.name.split(".tsv")[0] not in LARGE}
    write_folder(folder, small)
    server.content = b"<!DOCTYPE html><html>Sign in</html>"
    report = imdb.join("joined")
    assert report.matched == 4
    assert [note.split(" could not be downloaded: ")[0] for note in report.notes] == [
        "title.principals.tsv.gz",
        "title.akas.tsv.gz",
    ]
    assert report.notes[0].endswith("; actors are unknown.")


def test_a_web_page_is_refused(server: Server) -> None:
    server.content = b"<!DOCTYPE html><html>Sign in</html>"
    with pytest.raises(Problem, match=r"title\.basics\.tsv\.gz could not be downloaded: .* web page") as error:
        table_files.tables(None)
    assert "--from FOLDER" in str(error.value)
    assert [path.name for path in (locations.downloads() / "imdb").iterdir()] == []


def test_without_network() -> None:
    with pytest.raises(
        Problem, match=f"switched off by {downloads.OFFLINE}; download it from https://datasets.imdbws.com"
    ):
        table_files.tables(None)
