"""``movietui data`` gets, cleans, shows and removes datasets, and joins them with IMDb."""

import re
import sys
from pathlib import Path

import pytest

from movietui.cli.output import Bars
from movietui.data.fetch import sources
from movietui.data.fetch.sources import Source
from movietui.data.problems import Problem
from movietui.data.progress import WHOLE, Stage
from movietui.data.storage import locations
from movietui.protocol.viewers import profile
from movietui.store.ratings import Movie, Store
from tests.data.files import contents, write_folder, write_zip
from tests.movietui.commands import Run, check_fields, document, refused
from tests.movietui.fakes import with_run


def test_data_list_shows_each_dataset_and_its_state(run: Run) -> None:
    listed = {row["name"]: row for row in document(run("data", "list", "--json"))}
    assert listed["demo"]["state"] == "invented"
    assert listed["ml-100k"]["state"] == "available"
    output = run("data", "list").stdout
    assert "ml-100k" in output
    assert "MovieLens" in output


def test_data_get_generates_the_demo(run: Run) -> None:
    obtained = document(run("data", "get", "demo", "--json"))
    check_fields(obtained, "dataset", "source", "ratings", "users", "movies", "seconds")
    assert (obtained["dataset"], obtained["source"]) == ("demo", "generated")
    output = run("data", "get", "demo").stdout
    assert f"demo: {obtained['ratings']:,} ratings, {obtained['users']} users, {obtained['movies']} movies" in output
    assert "invented" in output


@pytest.mark.parametrize("packed", [True, False])
def test_data_get_reads_a_dataset_from_a_path(run: Run, tmp_path: Path, packed: bool) -> None:
    files = contents()
    path = write_zip(tmp_path / "x.zip", files) if packed else write_folder(tmp_path / "x", files)
    obtained = document(run("data", "get", "own", "--from", path, "--json"))
    assert (obtained["source"], obtained["ratings"], obtained["users"], obtained["movies"]) == ("path", 240, 12, 30)
    assert "own" in run("data", "list").stdout


def test_data_get_passes_the_option_insecure_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    passed: list[bool] = []

    def fetched(source: Source, report: object, insecure: bool) -> None:
        passed.append(insecure)
        raise Problem("No network.")

    monkeypatch.setattr(sources, "fetched", fetched)
    refused(run("data", "get", "ml-1m"), "No network")
    refused(run("data", "get", "ml-1m", "--insecure"), "No network")
    assert passed == [False, True]


def test_a_download_shows_its_progress_and_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Bars() as bars:
        bars.stage(Stage("Downloading", 12_000_000, 240_000_000, "bytes", "MovieLens 32M", rate=3.1e6))
        (bar,) = bars._progress.tasks
        assert bar.fields["reached"] == "12 MB of 240 MB, 3.1 MB/s"
        assert (bar.completed, bar.total) == (12_000_000, 240_000_000)


def test_a_fit_shows_its_share_and_what_its_losses_are_measured_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Bars() as bars:
        bars.epoch("curve", {"epoch": 3, "of": 12, "train_loss": 0.8, "validation_loss": 0.9})
        bars.inside("serve", Stage("effects"))  # within an epoch
        bars.inside("serve", Stage("ease", 600, 1000, WHOLE))
        bars.epoch("serve", {"epoch": 2, "of": 7, "train_loss": 0.75, "validation_loss": None, "stage": "item-knn"})
        curve, serve = bars._progress.tasks
        assert (curve.description, curve.fields["reached"]) == ("learning", "train 0.8000  validation 0.9000")
        assert (curve.completed, curve.total) == (3, 12)
        assert (serve.description, serve.fields["reached"]) == ("training on all ratings", "item-knn  held out 0.7500")
        assert (serve.completed, serve.total) == (600, 1000)
        bars.inside("serve", Stage("ials", 700, 1000, WHOLE))
        assert (serve.completed, serve.fields["reached"]) == (700, "ials")


def test_data_remove_deletes_the_dataset_and_keeps_ratings(run: Run, tmp_path: Path) -> None:
    for layout, name in (("ml-1m", "own"), ("ml-latest-small", "other")):
        path = write_zip(tmp_path / f"{layout}.zip", contents(layout=layout))
        document(run("data", "get", name, "--from", path, "--json"))
    store = Store(locations.store())
    store.rate(store.create_profile("me"), Movie("fargo 1996", "Fargo", 1996), 4)
    with_run(store, dataset="own")
    sizes = {row["name"]: row["bytes"] for row in document(run("data", "list", "--json"))}
    removed = document(run("data", "remove", "own", "--json"))
    assert removed == {"dataset": "own", "bytes": sizes["own"], "in_use": True, "cluster": ""}
    output = run("data", "remove", "other").stdout
    assert re.search(r"^other: removed, [\d.]+ kB freed\.$", output.strip())
    assert "in use" not in output
    assert not {"own", "other"} & {row["name"] for row in document(run("data", "list", "--json"))}
    assert len(store.ratings(profile("me"))) == 1


def test_data_remove_says_that_the_dataset_was_in_use(run: Run) -> None:
    document(run("data", "get", "demo", "--json"))
    with_run(Store(locations.store()), dataset="demo")
    assert "It was in use" in run("data", "remove", "demo").stdout


def test_data_clean_reports_its_rules_and_is_remembered(run: Run) -> None:
    document(run("data", "get", "demo", "--json"))
    report = document(run("data", "clean", "demo", "--json"))
    check_fields(report, "dataset", "preset", "rules", "ratings", "users", "movies")
    for rule in report["rules"]:
        check_fields(rule, "rule", "on", "before", "removed", "examples")
    assert document(run("data", "clean", "demo", "--cleaning", "none", "--json"))["preset"] == "none"
    assert "demo after cleaning (none)" in run("data", "clean", "demo").stdout  # the cleaning used last
    assert "cleaning none" in run("data", "show", "demo").stdout
    assert document(run("train", "popularity", "--dataset", "demo", "--json"))["cleaning"] == "none"
    assert "demo after cleaning (standard)" in run("data", "clean", "demo", "--preset", "standard").stdout


@pytest.mark.parametrize("option", ["--cleaning", "--preset"])
def test_a_cleaning_is_a_preset_with_changes(run: Run, option: str) -> None:
    document(run("data", "get", "demo", "--json"))
    text = "standard  +few-ratings-movies:60 -gender"
    report = document(run("data", "clean", "demo", option, text, "--json"))
    canonical = "standard +few-ratings-movies:60 -gender"
    assert report["preset"] == canonical
    assert canonical in run("data", "show", "demo", option, text).stdout
    trained = document(run("train", "popularity", "--dataset", "demo", option, text, "--json"))
    (measured,) = document(run("evaluate", "popularity", "--dataset", "demo", option, text, "--json"))
    assert (trained["cleaning"], measured["cleaning"]) == (canonical, canonical)
    assert document(run("recommend", "--user", "1", "--dataset", "demo", "--json"))["movies"]


def test_data_show_prints_every_chart(run: Run) -> None:
    document(run("data", "get", "demo", "--json"))
    shown = document(run("data", "show", "demo", "--json"))
    check_fields(shown, "dataset", "ratings", "users", "movies", "terms", "density", "charts", "absent")
    output = run("data", "show", "demo").stdout
    assert "invented" in output
    for chart in shown["charts"]:
        assert chart["title"] in output
    assert f"{shown['stars']['5']:,}  ███" in output


def test_data_imdb_joins_and_reports_matches(run: Run, tables: Path) -> None:
    movies = document(run("data", "get", "demo", "--json"))["movies"]
    report = document(run("data", "imdb", "demo", "--from", tables, "--json"))
    check_fields(
        report, "dataset", "matched", "ambiguous", "unmatched", "by", "tables", "notes", "seconds", "peak_bytes"
    )
    assert report["matched"] + report["ambiguous"] + report["unmatched"] == movies
    assert report["by"] == {"id": 0, "title": 1, "hand": 0}
    assert [row["title"] for row in report["ambiguous_movies"]] == ["Alien (1979)"]
    assert len(report["unmatched_movies"]) == report["unmatched"]
    assert all(row["reason"] for row in (*report["ambiguous_movies"], *report["unmatched_movies"]))
    output = run("data", "imdb", "demo", "--from", tables).stdout
    assert re.search(r"matched +1 +1 by title", output)
    assert "Alien (1979)" in output
    assert "Information courtesy of IMDb (https://www.imdb.com). Used with permission." in output
    (tables / "title.crew.tsv.gz").unlink()
    assert "directors are unknown" in run("data", "imdb", "demo", "--from", tables).stdout


def test_files_without_a_dataset_are_refused(run: Run, tmp_path: Path) -> None:
    whole = write_zip(tmp_path / "whole.zip", contents()).read_bytes()
    wrong = {
        "README.md": b"# A page of text\n",
        "page.zip": b"<!DOCTYPE html><html><body>Sign in</body></html>",
        "cut.zip": whole[: len(whole) // 2],
        "empty.zip": b"",
        "other.zip": write_zip(tmp_path / "other.zip", {"notes.txt": b"hello"}).read_bytes(),
    }
    expected = {
        "page.zip": "web page",
        "cut.zip": "damaged or incomplete",
        "empty.zip": "empty",
        "other.zip": "no user",
    }
    for name, content in wrong.items():
        (tmp_path / name).write_bytes(content)
        for dataset in ("ml-100k", "demo2"):
            wanted = "u.data" if (name, dataset) == ("other.zip", "ml-100k") else expected.get(name, re.escape(name))
            refused(run("data", "get", dataset, "--from", tmp_path / name), wanted)
            refused(run("data", "get", dataset, "--from", tmp_path / name, "--json"), "")
    refused(run("data", "get", "demo2", "--from", write_folder(tmp_path / "nothing", {})), "nothing")
    assert document(run("data", "list", "--json"))[-1]["name"] != "demo2"
