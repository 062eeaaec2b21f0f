"""Import and export with commands: what was imported can be exported again, and nothing is lost."""

import csv
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from movietui.answers.export_ratings import FORMATS, SHORTLIST
from movietui.answers.import_ratings import _each_named
from movietui.answers.lists import same_movies
from movietui.cli import cli, output
from movietui.cli.profiles import EXPORTS
from movietui.data import catalogue
from movietui.data.imports.entries import NamedList
from movietui.data.imports.export_file import read
from movietui.data.storage import locations
from movietui.formatting.escaping import markdown
from movietui.protocol.viewers import profile
from movietui.store.ratings import Movie, Store
from tests.data.exports import IMDB, MOVIELENS, imdb_row, letterboxd, letterboxd_row, table, trakt, trakt_entry
from tests.data.files import write_zip
from tests.movietui.commands import refused

ANNA = profile("anna")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], env={"COLUMNS": "200"})


def document(*arguments: object) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(autouse=True)
def demo(home: Path) -> None:
    catalogue.get("demo")


def ratings_in(name: str = "anna") -> dict[str, float]:
    store = Store(locations.store())
    result = {rated.movie.title: rated.stars for rated in store.ratings(profile(name))}
    store.close()
    return result


def movies(count: int) -> list[tuple[str, int]]:
    """Return the titles and years of the first movies of the demo."""
    dataset = catalogue.load("demo").movies
    return [(dataset.titles[row], int(dataset.years[row])) for row in range(count)]


def zip_of(tmp_path: Path) -> Path:
    (first, a), (second, b), (third, c), (fourth, d) = movies(4)
    files = letterboxd(
        ratings=[
            letterboxd_row(first, a, 4.5),
            letterboxd_row(second, b, 1, "2019-01-01"),
            letterboxd_row("No such film, at all", 1950, 3),
        ],
        watchlist=[letterboxd_row(third, c)],
        likes=[letterboxd_row(first, a)],
        watched=[letterboxd_row(fourth, d)],
    )
    return write_zip(tmp_path / "letterboxd.zip", files, "")


def facts_of(rows: list[dict[str, Any]]) -> list[tuple[str, int, float | None, tuple[str, ...]]]:
    return sorted(
        ((row["title"], row["year"], row["stars"], tuple(row["marks"])) for row in rows), key=lambda row: row[0]
    )


def test_an_export_contains_what_was_imported(tmp_path: Path) -> None:
    report = document("import", zip_of(tmp_path), "--profile", "anna", "--dataset", "demo")
    assert (report["profile"], report["format"], report["dataset"]) == ("anna", "letterboxd", "demo")
    assert (len(report["matched"]), report["ambiguous"], len(report["unmatched"])) == (4, [], 1)
    assert report["unmatched"][0]["reason"] == "demo has no movie with that name and year"
    assert report["matched"][0]["movie"]["title"] == movies(2)[1][0]  # the oldest rating comes first
    imported = facts_of([*report["matched"], *report["unmatched"]])
    exported = document("export", "--profile", "ANNA", "--format", "csv", "--output", tmp_path / "out.csv")
    assert facts_of(exported["movies"]) == imported
    assert exported["left_out"] == 0
    again = document("import", tmp_path / "out.csv", "--profile", "tom", "--dataset", "demo")
    assert again["format"] == "csv"
    assert facts_of([*again["matched"], *again["unmatched"]]) == imported
    assert {(row["title"], row["at"]) for row in again["matched"]} == {
        (row["title"], row["at"]) for row in report["matched"]
    }


def test_importing_twice_changes_nothing(tmp_path: Path) -> None:
    path = zip_of(tmp_path)
    first = document("import", path, "--profile", "anna", "--dataset", "demo")
    assert first["changes"] == 6
    before = document("export", "--profile", "anna", "--format", "csv", "--output", tmp_path / "a.csv")["movies"]
    second = document("import", path, "--profile", "anna", "--dataset", "demo")
    assert second["changes"] == 0
    after = document("export", "--profile", "anna", "--format", "csv", "--output", tmp_path / "b.csv")["movies"]
    assert after == before
    store = Store(locations.store())
    (step,) = store.history(ANNA)
    assert (step.kind, step.note) == ("import", "letterboxd: letterboxd.zip")
    store.undo([ANNA])
    assert (store.ratings(ANNA), store.marks(ANNA)) == ([], [])
    store.close()


def test_a_preview_changes_nothing(tmp_path: Path) -> None:
    report = document("import", zip_of(tmp_path), "--profile", "anna", "--dataset", "demo", "--preview")
    assert (report["preview"], report["changes"], len(report["matched"])) == (True, 0, 4)
    store = Store(locations.store())
    assert store.profiles() == []
    store.close()
    shown = run("import", zip_of(tmp_path), "--profile", "anna", "--dataset", "demo", "--preview").stdout
    assert "4 matched, 0 ambiguous, 1 unmatched, 0 skipped; preview, nothing changed" in shown
    assert "No such film, at all (1950)" in shown


def test_newer_ratings_of_the_profile_are_kept(tmp_path: Path) -> None:
    title, _ = movies(1)[0]
    run("rate", "--profile", "anna", title, 2, "--dataset", "demo")
    assert document("import", zip_of(tmp_path), "--profile", "anna", "--dataset", "demo")["changes"] == 5
    assert ratings_in()[title] == 2


def rated_in(store: Store) -> list[tuple[str, float]]:
    """Return Anna's stars by each movie's key in the demo, as lists of the demo use them."""
    return same_movies(store, catalogue.load("demo"), [ANNA]).for_engine(ANNA)["rated"]


def test_a_choice_about_an_ambiguous_movie_is_remembered(tmp_path: Path) -> None:
    title, year = movies(1)[0]
    dataset = catalogue.load("demo").movies
    path = tmp_path / "mine.csv"
    path.write_text(f"title,year,rating\n{title},{year + 3},4\n")
    arguments = ("import", path, "--profile", "anna", "--dataset", "demo")
    (row,) = document(*arguments)["ambiguous"]
    assert [one["id"] for one in row["candidates"]] == [dataset.ids[0]]
    assert f"{title} ({year}) is {dataset.ids[0]}" in run(*arguments).stdout
    assert ratings_in() == {title: 4}
    label = f"{title} ({year + 3})"
    refused(run(*arguments, "--settle", f"{label}=999999"), "demo has no movie '999999'; use an id")
    refused(run(*arguments, "--settle", "Nothing (1990)=1"), "There is no title 'Nothing \\(1990\\)'")
    refused(run(*arguments, "--settle", "Nothing"), "needs TITLE=MOVIE", 2)
    settled = document(*arguments, "--settle", f"{label}={dataset.ids[0]}")
    assert [(one["by"], one["movie"]["id"]) for one in settled["matched"]] == [("hand", dataset.ids[0])]
    assert settled["changes"] == 0  # the rating, stored under the title in the file, now counts for that movie
    assert len(document(*arguments)["matched"]) == 1
    store = Store(locations.store())
    assert rated_in(store) == [(dataset.keys[0], 4)]
    store.close()
    assert len(document(*arguments, "--settle", f"{label}=none")["unmatched"]) == 1
    assert ratings_in() == {title: 4}


def test_a_match_by_title_and_year_can_be_corrected(tmp_path: Path) -> None:
    title, year = movies(1)[0]
    dataset = catalogue.load("demo").movies
    path = tmp_path / "mine.csv"
    path.write_text(f"title,year,rating\n{title},{year},4\n")
    arguments = ("import", path, "--profile", "anna", "--dataset", "demo")
    label = f"{title} ({year})"
    assert len(document(*arguments, "--settle", f"{label}=none")["unmatched"]) == 1
    store = Store(locations.store())
    assert rated_in(store) == []
    assert document(*arguments, "--settle", f"{label}={dataset.ids[1]}")["changes"] == 0
    assert rated_in(store) == [(dataset.keys[1], 4)]
    assert len(document(*arguments, "--settle", f"{label}={dataset.ids[1]}")["matched"]) == 1
    store.close()
    assert ratings_in() == {title: 4}


EXPORTED_TITLES = {
    "letterboxd": {"Liked", "Rated", "Seen"},
    "imdb": {"Rated"},
    "movielens": {"Rated"},
    "csv": {"Liked", "Rated", "Seen", "Wanted", "Hidden"},
}


@pytest.fixture
def filled() -> Store:
    store = Store(locations.store())
    store.create_profile("anna")
    store.rate(ANNA, Movie("rated 1990", "Rated", 1990), 3.5)
    store.mark(ANNA, Movie("seen 1991", "Seen", 1991), "seen")
    store.mark(ANNA, Movie("liked", "Liked", 0), "liked")
    store.mark(ANNA, Movie("wanted 1993", "Wanted", 1993), "watchlist")
    store.mark(ANNA, Movie("hidden 1994", "Hidden", 1994), "hidden")
    return store


@pytest.mark.parametrize("name", EXPORTED_TITLES)
def test_exports_can_be_imported(tmp_path: Path, filled: Store, name: str) -> None:
    path = tmp_path / "out.csv"
    report = document("export", "--profile", "anna", "--format", name, "--output", path)
    assert {row["title"] for row in report["movies"]} == EXPORTED_TITLES[name]
    assert report["left_out"] == 5 - len(EXPORTED_TITLES[name])
    exported = read(path)
    assert exported.format == {"letterboxd": "csv"}.get(name, name)
    assert {(entry.title, entry.stars) for entry in exported.entries} == {
        (title, 3.5 if title == "Rated" else None) for title in EXPORTED_TITLES[name]
    }
    assert {entry.year for entry in exported.entries if entry.title == "Rated"} == {1990}


HEADERS = {
    "letterboxd": "tmdbID,imdbID,Title,Year,Rating",
    "imdb": IMDB["now"],
    "movielens": MOVIELENS,
    "csv": "title,year,rating,marks,date,imdb_id,tmdb_id",
}


@pytest.mark.parametrize("name", HEADERS)
def test_ids_are_exported_again(tmp_path: Path, name: str) -> None:
    source = tmp_path / "trakt.zip"
    rated = trakt_entry("Fargo", 1996, rating=9, rated_at="2020-01-05T10:00:00Z", imdb="tt0116282", tmdb=275)
    write_zip(source, {"ratings-movies.json": trakt([rated])}, "")
    run("import", source, "--profile", "anna", "--dataset", "demo")
    path = tmp_path / "out.csv"
    run("export", "--profile", "anna", "--format", name, "--output", path)
    assert path.read_bytes().decode().split("\r\n")[0] == HEADERS[name]
    (entry,) = read(path).entries
    assert (entry.title, entry.year, entry.stars, entry.imdb) == ("Fargo", 1996, 4.5, "tt0116282")
    assert entry.tmdb == (0 if name == "imdb" else 275)


HOSTILE = (
    "=HYPERLINK(1)",
    "+1",
    "-30-",
    "@sum",
    'a "quoted", title',
    "[x](http://e.org) *b* _c_ `d` <e> # f | g",
    "漢字",
)


def test_titles_that_look_like_formulas_are_exported_safely(tmp_path: Path) -> None:
    source = tmp_path / "ratings.csv"
    source.write_bytes(
        table(IMDB["now"], [imdb_row(f"tt{row + 1}", 8, title, 1990) for row, title in enumerate(HOSTILE)])
    )
    run("import", source, "--profile", "anna", "--dataset", "demo")
    for name in HEADERS:
        path = tmp_path / f"{name}.csv"
        run("export", "--profile", "anna", "--format", name, "--output", path)
        cells = [cell for row in csv.reader(io.StringIO(path.read_text("utf-8"))) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
        assert {entry.title for entry in read(path).entries} == set(HOSTILE)


def test_a_watchlist_is_exported_as_markdown(tmp_path: Path, filled: Store) -> None:
    filled.mark(ANNA, Movie("x 1990", HOSTILE[5] + "\x1b[31m", 1990), "watchlist")
    path = tmp_path / "list.md"
    run("export", "--profile", "anna", "--format", "watchlist", "--output", path)
    lines = path.read_text("utf-8").splitlines()
    assert lines[:3] == ["# Watchlist of anna", "", "- Wanted \\(1993\\)"]
    assert lines[3] == ("- \\[x\\]\\(http\\:// e\\.org\\) \\*b\\* \\_c\\_ \\`d\\` \\<e\\> \\# f \\| g \\(1990\\)")
    assert markdown("a\nb") == "a b"


def test_a_shortlist_is_exported_as_markdown(tmp_path: Path, demo_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    home = tmp_path / "trained"
    shutil.copytree(demo_home, home)
    monkeypatch.setenv("MOVIETUI_HOME", str(home))
    arguments = ("--profile", "anna", "--dataset", "demo", "-k", 3)
    run("rate", "--profile", "anna", movies(1)[0][0], 5, "--dataset", "demo")
    offered = document("recommend", *arguments)["movies"]
    store = Store(locations.store())
    first = offered[0]
    key = catalogue.load("demo").movies.keys[catalogue.load("demo").movies.row[first["id"]]]
    store.mark(ANNA, Movie(key, first["title"], first["year"]), "seen")
    store.close()
    report = document("export", *arguments, "--format", "shortlist", "--output", tmp_path / "short.md")
    assert [row["id"] for row in report["movies"]][:2] == [row["id"] for row in offered][1:]
    lines = (tmp_path / "short.md").read_text("utf-8").splitlines()
    assert lines[0] == "# What anna may like"
    assert lines[4].startswith(f"1. {markdown(offered[1]['title'])} \\(")
    assert len(lines) == 7


def no_links(*_: object) -> None:
    raise PermissionError(1, "Operation not permitted")


@pytest.mark.parametrize("links", [True, False])
def test_an_existing_file_is_not_overwritten(
    tmp_path: Path, filled: Store, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    if not links:
        monkeypatch.setattr("os.link", no_links)
        run("export", "--profile", "anna", "--format", "csv", "--output", tmp_path / "new.csv")
        assert (tmp_path / "new.csv").read_text().startswith("title,year")
        (tmp_path / "new.csv").unlink()
    path = tmp_path / "out.csv"
    path.write_text("mine")
    arguments = ("export", "--profile", "anna", "--format", "csv", "--output", path)
    refused(run(*arguments), "already exists; choose another file, or replace it with --force")
    assert path.read_text() == "mine"
    assert "exported 5 movies" in run(*arguments, "--force").stdout
    assert path.read_text().startswith("title,year")
    assert [entry.name for entry in tmp_path.iterdir() if entry.is_file()] == ["out.csv"]


def test_paths_that_cannot_be_written_are_refused(tmp_path: Path, filled: Store) -> None:
    arguments = ("export", "--profile", "anna", "--format", "csv", "--output")
    refused(run(*arguments, tmp_path), "is a folder; add a file name")
    refused(run(*arguments, tmp_path / "none" / "out.csv"), "could not be written: No such file or directory")
    refused(run(*arguments, tmp_path / ("x" * 300)), "could not be written: File name too long")


FILLS = """
import resource, signal, sys
from pathlib import Path
from movietui.data.problems import Problem
from movietui.data.storage.atomic_files import write_file
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))
try:
    write_file(Path(sys.argv[1]), b"x" * 20_000, force=True)
except Problem as problem:
    print(problem)
"""


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("mine")
    process = subprocess.run([sys.executable, "-c", FILLS, str(path)], capture_output=True, text=True, timeout=300)
    assert "could not be written" in process.stdout, process.stderr
    assert path.read_text() == "mine"
    assert [entry.name for entry in tmp_path.iterdir() if entry.is_file()] == ["out.csv"]


def test_impossible_requests_exit_with_one_sentence(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    refused(run("export", "--profile", "nobody", "--format", "csv", "--output", out), "no profile 'nobody'")
    store = Store(locations.store())
    store.create_profile("anna")
    store.close()
    refused(run("export", "--profile", "anna", "--format", "csv", "--output", out), "has no movies")
    assert not out.exists()
    refused(run("import", tmp_path / "none.csv", "--profile", "anna", "--dataset", "demo"), "There is no file")
    source = zip_of(tmp_path)
    refused(run("import", source, "--profile", " ", "--dataset", "demo"), "1 to 40")
    refused(run("import", source, "--profile", "tom", "--dataset", "nothing"), "There is no dataset")
    refused(run("import", source), "--profile", 2)
    refused(run("export", "--profile", "anna", "--format", "x", "--output", out), "is not one of", 2)


def test_every_format_is_offered() -> None:
    assert (*FORMATS, SHORTLIST) == EXPORTS


KILLED = """
import os, sys
from movietui.cli import cli
from movietui.store.ratings import Store
write = getattr(Store, os.environ["DIES_IN"])
def dies(*arguments):
    write(*arguments)
    os.kill(os.getpid(), 9)
setattr(Store, os.environ["DIES_IN"], dies)
cli(sys.argv[1:])
"""


@pytest.mark.parametrize("dies_in", ["_write_changes", "_put_all", "_put_list"])
def test_an_import_that_is_killed_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_in: str) -> None:
    monkeypatch.setenv("DIES_IN", dies_in)
    source = zip_of(tmp_path)
    with zipfile.ZipFile(source, "a") as archive:
        archive.writestr("lists/evenings.csv", "Position,Name,Year,URL,Description\n1,Ran,1985,https://boxd.it/1,\n")
    line = [sys.executable, "-c", KILLED, "import", str(source), "--profile", "anna", "--dataset", "demo"]
    assert subprocess.run(line, capture_output=True, timeout=300).returncode == -9
    assert ratings_in() == {}
    assert document("import", zip_of(tmp_path), "--profile", "anna", "--dataset", "demo")["changes"] == 6


def test_history_lists_the_steps_of_each_profile(tmp_path: Path) -> None:
    assert document("history") == {"viewers": []}
    assert "no profile yet" in run("history").stdout
    document("import", zip_of(tmp_path), "--profile", "anna", "--dataset", "demo")
    store = Store(locations.store())
    store.create_profile("tom")
    fargo = Movie("fargo 1996", "[b]Fargo", 1996)
    store.rate(ANNA, fargo, 4)
    store.rate(ANNA, fargo, 4.5)
    store.mark(ANNA, fargo, "watchlist")
    store.undo([ANNA])
    store.close()
    (anna,) = document("history", "--profile", "Anna")["viewers"]
    assert (anna["kind"], anna["id"]) == ("profile", "anna")
    assert [(step["kind"], step["undone"], len(step["changes"])) for step in anna["steps"]] == [
        ("watchlist", True, 1),
        ("rating", False, 1),
        ("rating", False, 1),
        ("import", False, 6),
    ]
    rating = {"title": "[b]Fargo", "year": 1996, "kind": "rating"}
    assert anna["steps"][1]["changes"] == [{**rating, "before": 4, "after": 4.5}]
    assert anna["steps"][3]["note"] == "letterboxd: letterboxd.zip"
    assert len(document("history", "-k", 2, "--profile", "anna")["viewers"][0]["steps"]) == 2
    assert [viewer["id"] for viewer in document("history")["viewers"]] == ["anna", "tom"]
    lines = run("history").stdout.splitlines()
    when = re.escape(anna["steps"][0]["at"][:4]) + r"-\d\d-\d\d \d\d:\d\d"
    assert re.fullmatch(rf"{when}  \+ watchlist\s+\[b\]Fargo \(1996\)\s+undone\s*", lines[2])
    assert re.fullmatch(rf"{when}  ★ 4 → ★ 4½\s+\[b\]Fargo \(1996\)\s*", lines[3])
    assert lines[-2:] == ["tom", "nothing yet; ratings, marks and imports will be listed here"]
    refused(run("history", "--profile", "nobody"), "no profile 'nobody'")


def test_long_documents_are_written_in_pieces_with_a_line_for_each_row(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(output, "ROWS_PER_WRITE", 2)
    rows: dict[str, list[dict[str, object]]] = {
        "many": [{"title": title} for title in ("1\x7f", "2\u202e", "3\n", "4", "5")],
        "none": [],
    }
    output.print_rows({"profile": "x"}, rows)
    written = capsys.readouterr().out
    assert json.loads(written) == {"profile": "x", **rows}
    assert len(written.splitlines()) == len(["{", "profile", "many", *rows["many"], "none", "}"])
    assert not {"\x7f", "\u202e"} & set(written)


def test_lists_with_the_same_name_are_numbered() -> None:
    names = ["X", "X", "X 2", "Y" * 300, "Y" * 300]
    renamed = [each.name for each in _each_named(NamedList(name, ()) for name in names)]
    assert renamed == ["X", "X 2", "X 2 2", "Y" * 200, "Y" * 198 + " 2"]
