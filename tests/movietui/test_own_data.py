"""A person's own ratings, on any scale and with ids of any kind, in commands and in the app."""

import re
from pathlib import Path
from typing import Any

import pytest

from movietui.data.storage import locations
from movietui.data.titles import untitled_key
from movietui.engine.service import Service
from movietui.protocol.messages import ListQuery, ViewerRatings
from movietui.store.ratings import Store
from movietui.store.runs import Runs
from tests.data.files import write_folder
from tests.data.tables import lines, on_scale, rated, write
from tests.movietui.commands import Run, document, refused
from tests.movietui.terminal import Start

HEADER = ("who", "what", "how", "when")


@pytest.fixture
def hundred(tmp_path: Path, run: Run) -> Path:
    """A table of ratings from 0 to 100, read as the dataset ``hundred``."""
    path = write(tmp_path / "hundred.csv", HEADER, on_scale(0, 100))
    obtained = document(run("data", "get", "hundred", "--from", path, "--columns", ",".join(HEADER), "--json"))
    assert obtained["scale"] == {"low": 0, "high": 100, "step": 1}
    return path


@pytest.fixture
def watched(tmp_path: Path, run: Run) -> Path:
    """A table that only says who watched what, read as the dataset ``watched``."""
    path = write(tmp_path / "watched.tsv", ("user", "item"), [row[:2] for row in rated() if row[2] >= 3], "\t")
    obtained = document(run("data", "get", "watched", "--from", path, "--json"))
    assert obtained["scale"] is None
    assert obtained["note"].startswith("No column has ratings")
    return path


def test_the_scale_is_shown_and_can_be_set(run: Run, hundred: Path) -> None:
    shown = document(run("data", "show", "hundred", "--json"))
    assert shown["scale"] == {"low": 0, "high": 100, "step": 1}
    assert "Ratings from 0 to 100 in steps of 1" in run("data", "show", "hundred").stdout
    columns = ("--columns", ",".join(HEADER))
    output = run("data", "get", "hundred", "--from", hundred, *columns, "--scale", "0..200").stdout
    assert "on a scale of 0 to 200 in steps of 1" in " ".join(output.split())
    assert "are not on the scale" not in output
    narrow = " ".join(run("data", "get", "narrow", "--from", hundred, *columns, "--scale", "2..10").stdout.split())
    assert re.search(
        r"[1-9][0-9]* of \d+ ratings are not on the scale of 2 to 10 .* outside-scale removes them", narrow
    )
    assert document(run("data", "show", "hundred", "--json"))["scale"]["high"] == 200
    refused(run("data", "get", "hundred", "--from", hundred, *columns, "--scale", "200"), "is not a scale")


def test_commands_work_on_it(run: Run, hundred: Path) -> None:
    trained = document(run("train", "bias", "--dataset", "hundred", "--json"))
    assert 5 < trained["metrics"]["rmse"] < 40
    (measured,) = document(run("evaluate", "bias", "--dataset", "hundred", "--detail", "--json"))
    assert 5 < measured["metrics"]["rmse"] < 40
    assert 0 < measured["calibration"]["bins"][-1]["high"] <= 105
    assert {*measured["confusion"]["rated"]} <= {0, 1, 2, 3, 4, 5}
    user, movie = rated()[0][:2]
    recommended = document(run("recommend", "--user", user, "--dataset", "hundred", "--json"))
    assert recommended["viewers"] == [{"kind": "user", "id": user, "ratings": sum(row[0] == user for row in rated())}]
    assert {each["id"] for each in recommended["movies"]} <= {row[1] for row in rated()}
    assert all(0.5 <= each["stars"] <= 5 for each in recommended["movies"])
    for command in (
        ("explain", movie, "--user", user),
        ("similar", movie),
        ("taste", "--user", user),
        ("search", movie[:4]),
        ("rate", "--profile", "anna", movie, "4"),
        ("recommend", "--profile", "anna"),
    ):
        result = run(*command, "--dataset", "hundred")
        assert result.exit_code == 0, result.stderr


def test_a_split_in_a_file(run: Run, hundred: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    parts = [(user, item, "test" if row % 4 == 0 else "train") for row, (user, item, *_) in enumerate(rated())]
    write(tmp_path / "folds.csv", ("user", "movie", "part"), parts)
    measured = document(run("evaluate", "bias", "--dataset", "hundred", "--split", "folds.csv,random80", "--json"))
    total = len(rated())
    assert (measured[0]["n_train"], measured[0]["n_test"]) == (total - -(-total // 4), -(-total // 4))
    assert measured[0]["split"].startswith("folds.csv:")
    trained = document(run("train", "bias", "--dataset", "hundred", "--split", "folds.csv", "--json"))
    assert trained["split"] == measured[0]["split"]
    assert trained["metrics"]["rmse"] == pytest.approx(measured[0]["metrics"]["rmse"])
    stored = Runs(Store(locations.store())).get(trained["run"])
    assert stored.split == trained["split"]
    assert stored.request["split"] == str(tmp_path / "folds.csv")
    (swept,) = document(run("sweep", "bias", "sweeps=2", "--dataset", "hundred", "--split", "folds.csv", "--json"))
    assert swept["test"]["rmse"] > 1
    write(tmp_path / "folds.csv", ("user", "movie", "part"), parts[4:])
    assert (
        "already measured"
        not in run("sweep", "bias", "sweeps=2", "--dataset", "hundred", "--split", "folds.csv").stderr
    )
    refused(run("evaluate", "bias", "--dataset", "hundred", "--split", "nowhere.csv"), "There is no file or folder")


def test_ratings_that_are_missing_are_never_invented(run: Run, watched: Path) -> None:
    refused(
        run("train", "bias", "--dataset", "watched"), "bias learns from stars, and watched only says who watched what"
    )
    refused(run("evaluate", "ease", "--dataset", "watched"), "no ratings to predict; measure lists with --task ranking")
    refused(run("evaluate", "ease", "mf", "--task", "ranking", "--dataset", "watched"), "mf learns from stars")
    refused(run("sweep", "ease", "ridge=1,2", "--metric", "rmse", "--dataset", "watched"), "no ratings to predict")
    refused(
        run("evaluate", "ease", "--task", "ranking", "--split", "latest", "--dataset", "watched"), "does not say when"
    )
    (ease, popularity) = document(run("evaluate", "ease", "--task", "ranking", "--dataset", "watched", "--json"))
    assert (ease["model"], popularity["model"], ease["order"]) == ("ease", "popularity", "likely")
    trained = document(run("train", "ease", "--dataset", "watched", "--json"))
    assert "rmse" not in trained["metrics"]
    user = rated()[0][0]
    result = run("recommend", "--user", user, "--dataset", "watched")
    assert "★" not in result.stdout
    assert "by how likely you are to watch it" in result.stdout
    movies = document(run("recommend", "--user", user, "--dataset", "watched", "--json"))["movies"]
    assert {movie["stars"] for movie in movies} == {None}
    assert "There are no ratings, only who watched what." in run("data", "show", "watched").stdout
    for command in (
        ("recommend", "--user", user, "--surprise"),
        ("explain", movies[0]["id"], "--user", user),
        ("similar", movies[0]["id"]),
        ("taste", "--user", user),
    ):
        result = run(*command, "--dataset", "watched")
        assert result.exit_code == 0, result.stderr


def _opened(run: Run, dataset: str, model: str) -> Service:
    trained = document(run("train", model, "--dataset", dataset, "--json"))
    service = Service()
    service.open(dataset=dataset, cleaning="standard", checkpoint=trained["checkpoint"])
    return service


def _query(*viewers: ViewerRatings) -> ListQuery:
    return {"viewers": [*viewers], "misery": 0.6}


@pytest.mark.parametrize(("dataset", "model"), [("hundred", "mf"), ("watched", "ease")])
def test_the_app_shows_it(run: Run, request: pytest.FixtureRequest, dataset: str, model: str) -> None:
    request.getfixturevalue(dataset)
    service = _opened(run, dataset, model)
    has_stars = dataset == "hundred"
    someone, movie = rated()[0][:2]
    user: ViewerRatings = {"kind": "user", "id": someone, "rated": [], "seen": [], "hidden": []}
    anna: ViewerRatings = {
        "kind": "profile",
        "id": "anna",
        "rated": [(untitled_key(movie, dataset, movie), 4.0)],
        "seen": [],
        "hidden": [],
    }
    for viewers in ((user,), (anna,), (user, anna)):
        window = service.rank(query=_query(*viewers), offset=0, limit=10)
        assert len(window["rows"]) == 10
        assert {row["year"] for row in window["rows"]} == {0}
        assert all(0.5 <= row["stars"] <= 5 if has_stars else row["stars"] == 0 for row in window["rows"])
    assert service.rank(query=_query(anna), offset=0, limit=1)["rated"] == [1]
    details: Any = service.movie_details(viewers=[user, anna], movies=[movie])[0]
    assert details["title"] == movie
    assert len(details["histogram"]) == (10 if has_stars else 0)
    assert bool(details["mean"]) == has_stars
    assert sum(details["histogram"]) == (details["count"] if has_stars else 0)
    assert service.similar_movies(movie=movie, limit=5)
    assert service.search(words=movie, users=[])["movies"][0]["id"] == movie
    assert service.find_users(search=someone, offset=0, limit=5)["rows"][0]["id"] == someone
    assert service.given_ratings(viewer=user)
    assert service.taste(viewers=[user, anna])
    answers: Any = {"unseen": [], "unchosen": [], "genres": {}}
    assert service.next_question(viewer=anna, answers=answers, card=True)["movies"]
    assert service.surprise(query=_query(user), draw=3)
    summary = service.dataset_summary(dataset=dataset, cleaning="standard")
    assert summary is not None
    assert ("0 to 100" in summary["scale_note"]) == has_stars
    assert {row["name"]: row["implicit"] for row in service.datasets()}[dataset] is not has_stars


def test_data_get_reads_a_release_of_another_dataset(run: Run, tmp_path: Path) -> None:
    content = lines(("User-ID", "ISBN", "Book-Rating"), [(1, "a", 0), (1, "b", 7), (2, "a", 9)], ";")
    folder = write_folder(tmp_path / "books", {"BX-Book-Ratings.csv": content})
    obtained = document(run("data", "get", "books", "--from", folder, "--json"))
    assert (obtained["ratings"], obtained["users"], obtained["scale"]["high"]) == (2, 2, 10)


@pytest.mark.parametrize(
    ("dataset", "model", "shown"), [("hundred", "mf", "average"), ("watched", "ease", "watched by")]
)
def test_browsing_it(
    run: Run, request: pytest.FixtureRequest, start: Start, dataset: str, model: str, shown: str
) -> None:
    request.getfixturevalue(dataset)
    assert run("train", model, "--dataset", dataset).exit_code == 0
    terminal = start((140, 40))
    terminal.wait_for(shown)
    screen = "\n".join(terminal.lines)
    assert "it_" in screen
    assert bool(re.search(r"★ \d", screen)) == (dataset == "hundred")
    assert ("how much you would like it ▾" if dataset == "hundred" else "how likely you are to watch it ▾") in screen
    terminal.send("d")
    terminal.wait_for("Ratings from 0 to 100" if dataset == "hundred" else "No column has ratings")
    terminal.send("q")
    terminal.end()
    assert b"Traceback" not in terminal.raw
