"""Import and export by the command line: what goes in comes out, and nothing of a person's own is lost."""

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from data import catalogue, locations
from data.imports.files import read
from movietui.cli import cli
from movietui.cli.profiles import EXPORTS
from movietui.exporting import FORMATS, SHORTLIST, escaped
from movietui.store import Film, Store
from movietui.viewers import profile
from tests.data.exports import IMDB, MOVIELENS, film, imdb_row, letterboxd, table, trakt, trakt_film
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
    found = {rated.film.title: rated.stars for rated in store.ratings(profile(name))}
    store.close()
    return found


def movies(count: int) -> list[tuple[str, int]]:
    """Titles and years of the demo that no other title of it could be mistaken for."""
    dataset = catalogue.load("demo").movies
    return [(dataset.titles[row], int(dataset.years[row])) for row in range(count)]


def zip_of(tmp_path: Path) -> Path:
    (first, a), (second, b), (third, c), (fourth, d) = movies(4)
    files = letterboxd(
        ratings=[film(first, a, 4.5), film(second, b, 1, "2019-01-01"), film("No such film, at all", 1950, 3)],
        watchlist=[film(third, c)],
        likes=[film(first, a)],
        watched=[film(fourth, d)],
    )
    return write_zip(tmp_path / "letterboxd.zip", files, "")


def keys(rows: list[dict[str, Any]]) -> list[tuple[str, int, float | None, tuple[str, ...]]]:
    return sorted(
        ((row["title"], row["year"], row["stars"], tuple(row["marks"])) for row in rows), key=lambda row: row[0]
    )


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    told = document("import", zip_of(tmp_path), "--profile", "anna", "--dataset", "demo")
    assert (told["profile"], told["format"], told["dataset"]) == ("anna", "letterboxd", "demo")
    assert (len(told["matched"]), told["ambiguous"], len(told["unmatched"])) == (4, [], 1)
    assert told["unmatched"][0]["reason"] == "demo has no movie of that name and year"
    assert told["matched"][0]["movie"]["title"] == movies(2)[1][0]  # the oldest rating comes first
    brought = keys([*told["matched"], *told["unmatched"]])
    out = document("export", "--profile", "ANNA", "--format", "csv", "--output", tmp_path / "out.csv")
    assert keys(out["films"]) == brought
    assert out["left_out"] == 0
    again = document("import", tmp_path / "out.csv", "--profile", "tom", "--dataset", "demo")
    assert again["format"] == "csv"
    assert keys([*again["matched"], *again["unmatched"]]) == brought
    assert {(row["title"], row["at"]) for row in again["matched"]} == {
        (row["title"], row["at"]) for row in told["matched"]
    }


def test_importing_twice_changes_nothing(tmp_path: Path) -> None:
    path = zip_of(tmp_path)
    first = document("import", path, "--profile", "anna", "--dataset", "demo")
    assert first["changes"] == 6
    before = document("export", "--profile", "anna", "--format", "csv", "--output", tmp_path / "a.csv")["films"]
    second = document("import", path, "--profile", "anna", "--dataset", "demo")
    assert second["changes"] == 0
    after = document("export", "--profile", "anna", "--format", "csv", "--output", tmp_path / "b.csv")["films"]
    assert after == before
    store = Store(locations.store())
    (step,) = store.history(ANNA)
    assert (step.kind, step.note) == ("import", "letterboxd: letterboxd.zip")
    store.undo([ANNA])
    assert (store.ratings(ANNA), store.marks(ANNA)) == ([], [])
    store.close()


def test_a_preview_changes_nothing(tmp_path: Path) -> None:
    told = document("import", zip_of(tmp_path), "--profile", "anna", "--dataset", "demo", "--preview")
    assert (told["preview"], told["changes"], len(told["matched"])) == (True, 0, 4)
    store = Store(locations.store())
    assert store.profiles() == []
    store.close()
    shown = run("import", zip_of(tmp_path), "--profile", "anna", "--dataset", "demo", "--preview").stdout
    assert "4 matched, 0 ambiguous, 1 unmatched, 0 skipped; a preview, nothing is changed" in shown
    assert "No such film, at all (1950)" in shown


def test_what_is_newer_in_the_profile_stays(tmp_path: Path) -> None:
    title, _ = movies(1)[0]
    run("rate", "--profile", "anna", title, 2, "--dataset", "demo")
    assert document("import", zip_of(tmp_path), "--profile", "anna", "--dataset", "demo")["changes"] == 5
    assert ratings_in()[title] == 2


def test_what_is_ambiguous_is_settled_by_hand_and_remembered(tmp_path: Path) -> None:
    title, year = movies(1)[0]
    dataset = catalogue.load("demo").movies
    path = tmp_path / "mine.csv"
    path.write_text(f"title,year,rating\n{title},{year + 3},4\n")
    asked = ("import", path, "--profile", "anna", "--dataset", "demo")
    (row,) = document(*asked)["ambiguous"]
    assert [one["id"] for one in row["candidates"]] == [dataset.ids[0]]
    assert f"{title} ({year}) is {dataset.ids[0]}" in run(*asked).stdout
    assert ratings_in() == {title: 4}
    label = f"{title} ({year + 3})"
    refused(run(*asked, "--settle", f"{label}=999999"), "demo has no movie '999999'; take the id")
    refused(run(*asked, "--settle", "Nothing (1990)=1"), "The file has no film 'Nothing \\(1990\\)'")
    refused(run(*asked, "--settle", "Nothing"), "takes TITLE=MOVIE", 2)
    settled = document(*asked, "--settle", f"{label}={dataset.ids[0]}")
    assert [(one["by"], one["movie"]["id"]) for one in settled["matched"]] == [("hand", dataset.ids[0])]
    assert settled["changes"] == 0  # it was kept under its own title, and is known to be that movie now
    assert len(document(*asked)["matched"]) == 1
    store = Store(locations.store())
    assert (dataset.keys[0], 4) in store.asked(ANNA)["rated"]
    store.close()
    assert len(document(*asked, "--settle", f"{label}=none")["unmatched"]) == 1
    assert ratings_in() == {title: 4}


def test_a_film_with_the_title_and_year_of_another_is_not_taken_for_it(tmp_path: Path) -> None:
    title, year = movies(1)[0]
    dataset = catalogue.load("demo").movies
    path = tmp_path / "mine.csv"
    path.write_text(f"title,year,rating\n{title},{year},4\n")
    asked = ("import", path, "--profile", "anna", "--dataset", "demo")
    label = f"{title} ({year})"
    assert len(document(*asked, "--settle", f"{label}=none")["unmatched"]) == 1
    store = Store(locations.store())
    assert store.asked(ANNA)["rated"] == [(f"{dataset.keys[0]} other", 4)]
    assert document(*asked, "--settle", f"{label}={dataset.ids[1]}")["changes"] == 0
    assert {key for key, _ in store.asked(ANNA)["rated"]} == {f"{dataset.keys[0]} other", dataset.keys[1]}
    assert len(document(*asked, "--settle", f"{label}={dataset.ids[1]}")["matched"]) == 1
    store.close()
    assert ratings_in() == {title: 4}


EACH = {
    "letterboxd": {"Liked", "Rated", "Seen"},
    "imdb": {"Rated"},
    "movielens": {"Rated"},
    "csv": {"Liked", "Rated", "Seen", "Wanted", "Hidden"},
}


@pytest.fixture
def filled() -> Store:
    store = Store(locations.store())
    store.create_profile("anna")
    store.rate(ANNA, Film("rated 1990", "Rated", 1990), 3.5)
    store.mark(ANNA, Film("seen 1991", "Seen", 1991), "seen")
    store.mark(ANNA, Film("liked", "Liked", 0), "liked")
    store.mark(ANNA, Film("wanted 1993", "Wanted", 1993), "watchlist")
    store.mark(ANNA, Film("hidden 1994", "Hidden", 1994), "hidden")
    return store


@pytest.mark.parametrize("name", EACH)
def test_what_we_write_we_read(tmp_path: Path, filled: Store, name: str) -> None:
    path = tmp_path / "out.csv"
    told = document("export", "--profile", "anna", "--format", name, "--output", path)
    assert {row["title"] for row in told["films"]} == EACH[name]
    assert told["left_out"] == 5 - len(EACH[name])
    back = read(path)
    assert back.format == {"letterboxd": "csv"}.get(name, name)
    assert {(entry.title, entry.stars) for entry in back.entries} == {
        (title, 3.5 if title == "Rated" else None) for title in EACH[name]
    }
    assert {entry.year for entry in back.entries if entry.title == "Rated"} == {1990}


HEADERS = {
    "letterboxd": "tmdbID,imdbID,Title,Year,Rating",
    "imdb": IMDB["now"],
    "movielens": MOVIELENS,
    "csv": "title,year,rating,marks,date,imdb_id,tmdb_id",
}


@pytest.mark.parametrize("name", HEADERS)
def test_ids_come_out_again(tmp_path: Path, name: str) -> None:
    source = tmp_path / "trakt.zip"
    rated = trakt_film("Fargo", 1996, rating=9, rated_at="2020-01-05T10:00:00Z", imdb="tt0116282", tmdb=275)
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


def test_titles_that_a_spreadsheet_would_run(tmp_path: Path) -> None:
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


def test_a_watchlist_in_markdown(tmp_path: Path, filled: Store) -> None:
    filled.mark(ANNA, Film("x 1990", HOSTILE[5] + "\x1b[31m", 1990), "watchlist")
    path = tmp_path / "list.md"
    run("export", "--profile", "anna", "--format", "watchlist", "--output", path)
    lines = path.read_text("utf-8").splitlines()
    assert lines[:3] == ["# Watchlist of anna", "", "- Wanted \\(1993\\)"]
    assert lines[3] == ("- \\[x\\]\\(http://e\\.org\\) \\*b\\* \\_c\\_ \\`d\\` \\<e\\> \\# f \\| g \\(1990\\)")
    assert escaped("a\nb") == "a b"


def test_a_shortlist_in_markdown(tmp_path: Path, demo_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    home = tmp_path / "trained"
    shutil.copytree(demo_home, home)
    monkeypatch.setenv("MOVIETUI_HOME", str(home))
    asked = ("--profile", "anna", "--dataset", "demo", "-k", 3)
    run("rate", "--profile", "anna", movies(1)[0][0], 5, "--dataset", "demo")
    offered = document("recommend", *asked)["movies"]
    store = Store(locations.store())
    first = offered[0]
    key = catalogue.load("demo").movies.keys[catalogue.load("demo").movies.row[first["id"]]]
    store.mark(ANNA, Film(key, first["title"], first["year"]), "seen")
    store.close()
    told = document("export", *asked, "--format", "shortlist", "--output", tmp_path / "short.md")
    assert [row["id"] for row in told["films"]][:2] == [row["id"] for row in offered][1:]
    lines = (tmp_path / "short.md").read_text("utf-8").splitlines()
    assert lines[0] == "# What anna may like"
    assert lines[4].startswith(f"1. {escaped(offered[1]['title'])} \\(")
    assert len(lines) == 7


def no_links(*_: object) -> None:
    raise PermissionError(1, "Operation not permitted")


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_is_there_stays(
    tmp_path: Path, filled: Store, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    if not links:
        monkeypatch.setattr("os.link", no_links)
        run("export", "--profile", "anna", "--format", "csv", "--output", tmp_path / "new.csv")
        assert (tmp_path / "new.csv").read_text().startswith("title,year")
        (tmp_path / "new.csv").unlink()
    path = tmp_path / "out.csv"
    path.write_text("mine")
    asked = ("export", "--profile", "anna", "--format", "csv", "--output", path)
    refused(run(*asked), "There is a file .* already; name another one, or replace it with --force")
    assert path.read_text() == "mine"
    assert "5 films written" in run(*asked, "--force").stdout
    assert path.read_text().startswith("title,year")
    assert [entry.name for entry in tmp_path.iterdir() if entry.is_file()] == ["out.csv"]


def test_places_that_cannot_be_written(tmp_path: Path, filled: Store) -> None:
    asked = ("export", "--profile", "anna", "--format", "csv", "--output")
    refused(run(*asked, tmp_path), "is a folder; name the file")
    refused(run(*asked, tmp_path / "none" / "out.csv"), "could not be written: No such file or directory")
    refused(run(*asked, tmp_path / ("x" * 300)), "could not be written: File name too long")


FILLS = """
import resource, signal, sys
from pathlib import Path
from data.problems import Problem
from movietui.files import write_file
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
    done = subprocess.run([sys.executable, "-c", FILLS, str(path)], capture_output=True, text=True, timeout=60)
    assert "could not be written" in done.stdout, done.stderr
    assert path.read_text() == "mine"
    assert [entry.name for entry in tmp_path.iterdir() if entry.is_file()] == ["out.csv"]


def test_what_cannot_be_done(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    refused(run("export", "--profile", "nobody", "--format", "csv", "--output", out), "no profile 'nobody'")
    store = Store(locations.store())
    store.create_profile("anna")
    store.close()
    refused(run("export", "--profile", "anna", "--format", "csv", "--output", out), "has no films")
    assert not out.exists()
    refused(run("import", tmp_path / "none.csv", "--profile", "anna", "--dataset", "demo"), "There is no file")
    source = zip_of(tmp_path)
    refused(run("import", source, "--profile", " ", "--dataset", "demo"), "1 to 40")
    refused(run("import", source, "--profile", "tom", "--dataset", "nothing"), "There is no dataset")
    refused(run("import", source), "--profile", 2)
    refused(run("export", "--profile", "anna", "--format", "x", "--output", out), "is not one of", 2)


def test_the_formats_are_those_that_are_offered() -> None:
    assert (*FORMATS, SHORTLIST) == EXPORTS


KILLED = """
import os, sys
from movietui.cli import cli
from movietui.store import Store
put = Store._put
left = [3]
def dies(*arguments):
    put(*arguments)
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), 9)
Store._put = dies
cli(sys.argv[1:])
"""


def test_an_import_that_is_killed_leaves_nothing(tmp_path: Path) -> None:
    line = [sys.executable, "-c", KILLED, "import", str(zip_of(tmp_path)), "--profile", "anna", "--dataset", "demo"]
    assert subprocess.run(line, capture_output=True, timeout=60).returncode == -9
    assert ratings_in() == {}
    assert document("import", zip_of(tmp_path), "--profile", "anna", "--dataset", "demo")["changes"] == 6


def test_the_history_of_a_profile(tmp_path: Path) -> None:
    assert document("history") == {"viewers": []}
    assert "no profile yet" in run("history").stdout
    document("import", zip_of(tmp_path), "--profile", "anna", "--dataset", "demo")
    store = Store(locations.store())
    store.create_profile("tom")
    fargo = Film("fargo 1996", "[b]Fargo", 1996)
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
    film = {"title": "[b]Fargo", "year": 1996, "kind": "rating"}
    assert anna["steps"][1]["changes"] == [{**film, "before": 4, "after": 4.5}]
    assert anna["steps"][3]["note"] == "letterboxd: letterboxd.zip"
    assert len(document("history", "-k", 2, "--profile", "anna")["viewers"][0]["steps"]) == 2
    assert [viewer["id"] for viewer in document("history")["viewers"]] == ["anna", "tom"]
    lines = run("history").stdout.splitlines()
    when = re.escape(anna["steps"][0]["at"][:4]) + r"-\d\d-\d\d \d\d:\d\d"
    assert re.fullmatch(rf"{when}  \+ watchlist\s+\[b\]Fargo \(1996\)\s+undone\s*", lines[2])
    assert re.fullmatch(rf"{when}  ★ 4 → ★ 4½\s+\[b\]Fargo \(1996\)\s*", lines[3])
    assert lines[-2:] == ["tom", "nothing yet: ratings, marks and imports are listed here"]
    refused(run("history", "--profile", "nobody"), "no profile 'nobody'")
