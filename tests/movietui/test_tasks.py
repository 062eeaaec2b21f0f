"""What commands and jobs do below the interface: find, rate and recommend movies, and train models."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from movietui.answers import lists
from movietui.data import catalogue
from movietui.data.dataset import Dataset, Movies, Ratings, Scale, Users
from movietui.data.problems import Cancelled, Problem
from movietui.data.storage import locations
from movietui.data.titles import movie_key
from movietui.jobs.listener import Listener
from movietui.jobs.train import TrainRequest, train
from movietui.models.base import Fitted, Parameters
from movietui.models.bias import Bias
from movietui.protocol.viewers import profile, user
from movietui.protocol.wire import Message
from movietui.store.ratings import Movie, Store
from movietui.store.runs import SERVED_SPLIT

MOVIES = (
    ("Fargo", 1996),
    ("The Usual Suspects", 1995),
    ("Sabrina", 1995),
    ("Sabrina", 1954),
    ("La Cité des enfants perdus", 1995),
    ("Alien", 1979),
    ("Aliens", 1986),
    ("[REC]²", 2009),
    ("Home", 0),
)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    empty = np.empty(0, np.int32)
    return Dataset(
        name="movies",
        ratings=Ratings(empty, empty, np.empty(0, np.float32), np.empty(0, np.int64)),
        users=Users(()),
        movies=Movies(
            ids=tuple(str(row) for row in range(len(MOVIES))),
            titles=tuple(title for title, _ in MOVIES),
            years=np.asarray([year for _, year in MOVIES], np.int32),
            genres=np.zeros((len(MOVIES), 1), bool),
            genre_names=("Drama",),
            keys=tuple(movie_key(*movie) for movie in MOVIES),
        ),
        scale=Scale(),
        fingerprint="0",
    )


@pytest.mark.parametrize(
    ("typed", "movie"),
    [
        ("Fargo (1996)", ("Fargo", 1996)),
        ("Fargo", ("Fargo", 1996)),
        ("  fARGO  (1996) ", ("Fargo", 1996)),
        ("Usual Suspects, The (1995)", ("The Usual Suspects", 1995)),
        ("the usual suspects", ("The Usual Suspects", 1995)),
        ("Sabrina (1954)", ("Sabrina", 1954)),
        ("la cite des enfants perdus", ("La Cité des enfants perdus", 1995)),
        ("Alien", ("Alien", 1979)),
        ("Aliens", ("Aliens", 1986)),
        ("[REC]²", ("[REC]²", 2009)),
        ("home", ("Home", 0)),
        ("The Usual Suspetcs", ("The Usual Suspects", 1995)),
        ("\x1b[31mFargo\x1b[0m", ("Fargo", 1996)),
        ("fargo 1996", ("Fargo", 1996)),
    ],
)
def test_a_movie_is_found_by_what_was_typed(dataset: Dataset, typed: str, movie: tuple[str, int]) -> None:
    result = lists.find_movie(dataset, typed)
    assert result == Movie(movie_key(*movie), *movie)


def test_a_title_comes_before_an_id(dataset: Dataset) -> None:
    """Movies of the dataset have the ids 0 to 8, and here one movie has another's id as its title."""
    movies = dataset.movies
    titles, years = ("3", *movies.titles[1:]), movies.years
    keys = (movie_key("3", int(years[0])), *movies.keys[1:])
    renamed = replace(dataset, movies=replace(movies, titles=titles, keys=keys))
    assert lists.find_movie(renamed, "3").title == "3"
    assert lists.find_movie(renamed, "id:3").title == movies.titles[3]
    assert lists.find_movie(renamed, " 4 ").title == movies.titles[4]
    with pytest.raises(Problem, match="has no movie 'id:77'"):
        lists.find_movie(renamed, "id:77")


@pytest.mark.parametrize("typed", ["Spirited Away", "sen to chihiro", "Spirited Away (2001)"])
def test_a_movie_is_named_without_its_titles_in_parentheses_or_by_one_of_them(dataset: Dataset, typed: str) -> None:
    movies = dataset.movies
    title = "Spirited Away (Sen to Chihiro)"
    named = replace(
        movies,
        titles=(title, *movies.titles[1:]),
        keys=(movie_key(title, 2001), *movies.keys[1:]),
        years=np.asarray([2001, *movies.years[1:]], np.int32),
    )
    assert lists.find_movie(replace(dataset, movies=named), typed).title == title


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("Sabrina", r"'Sabrina' could be several movies: Sabrina \(1995\), Sabrina \(1954\); add the year"),
        ("Fargo (1997)", r"has no movie 'Fargo \(1997\)'; did you mean Fargo \(1996\)"),
        ("Farg", r"did you mean Fargo \(1996\)"),
        ("xyzzy", "has no movie 'xyzzy'; check its title"),
        ("", "has no movie ''"),
        ("(1995)", "has no movie"),
    ],
)
def test_ambiguous_or_unknown_movies_are_refused(dataset: Dataset, typed: str, expected: str) -> None:
    with pytest.raises(Problem, match=expected) as problem:
        lists.find_movie(dataset, typed)
    assert "\x1b" not in str(problem.value)


def test_rate_creates_the_profile(ready: Path, store: Store) -> None:
    first = lists.rate(store, "demo", "Anna", "the godfather", 4.5)
    assert first == {
        "profile": "Anna",
        "movie": {"title": "The Godfather", "year": 1972},
        "stars": 4.5,
        "before": None,
        "ratings": 1,
    }
    assert lists.rate(store, "demo", "anna", "The Godfather (1972)", 3)["before"] == 4.5
    assert [(ref.id, count) for ref, count in store.profiles()] == [("Anna", 1)]


def test_rate_knows_the_movies_that_the_chosen_cleaning_leaves(
    ready: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    cleanings: list[str] = []
    load = catalogue.load

    def recorded(name: str, cleaning: str = "standard") -> Dataset:
        cleanings.append(cleaning)
        return load(name, cleaning)

    monkeypatch.setattr(catalogue, "load", recorded)
    store.clean_with("demo", "none")
    lists.rate(store, "demo", "anna", "The Godfather", 3)
    assert cleanings == ["none"]


def test_a_refused_rating_creates_no_profile(ready: Path, store: Store) -> None:
    for movie, stars in (("no such film at all", 4.0), ("The Godfather", 7.0)):
        with pytest.raises(Problem):
            lists.rate(store, "demo", "anna", movie, stars)
    assert store.profiles() == []


def test_training_stores_a_run(ready: Path, store: Store) -> None:
    epochs: list[tuple[str, Message]] = []
    request = TrainRequest("bias", "demo", "standard", settings={"sweeps": "2"}, seed=5)
    trained = train(store, request, Listener(epoch=lambda phase, epoch: epochs.append((phase, epoch))))
    run = store.run(trained["run"])
    assert run is not None
    assert (run.state, run.model, run.seed, run.split) == ("done", "bias", 5, SERVED_SPLIT)
    assert run.settings["sweeps"] == 2
    assert run.curve == trained["epochs"]
    assert run.metrics == trained["metrics"]
    assert [epoch["epoch"] for phase, epoch in epochs if phase == "curve"] == [1, 2]
    assert Path(trained["checkpoint"]).is_dir()
    assert run in store.serving_runs("demo")


def test_a_run_keeps_the_losses_that_only_the_end_of_a_fit_knows(
    ready: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn = Bias._learn

    def learn_and_measure_again(*arguments: Any) -> tuple[Parameters, Fitted]:
        parameters, fitted = learn(*arguments)
        return parameters, replace(fitted, curve=(replace(fitted.curve[0], validation_loss=0.5), *fitted.curve[1:]))

    monkeypatch.setattr(Bias, "_learn", learn_and_measure_again)
    trained = train(store, TrainRequest("bias", "demo", "standard", settings={"sweeps": "2"}))
    run = store.run(trained["run"])
    assert run is not None
    assert run.curve == trained["epochs"]
    assert [epoch["validation_loss"] == 0.5 for epoch in run.curve] == [True, False]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, Cancelled])
def test_stopped_training_is_stored_as_cancelled(ready: Path, store: Store, stop: type[BaseException]) -> None:
    def on_epoch(phase: str, epoch: Message) -> None:
        if epoch["epoch"] == 2:
            raise stop

    before = store.serving_runs("demo")
    with pytest.raises(stop):
        train(store, TrainRequest("bias", "demo", "standard"), Listener(epoch=on_epoch))
    newest = store.runs()[0]
    assert (newest.state, len(newest.curve)) == ("cancelled", 2)
    assert store.serving_runs("demo") == before
    assert not (locations.checkpoints() / newest.checkpoint).exists()


def test_stopped_training_resumes_when_it_is_requested_again(ready: Path, store: Store) -> None:
    def train_until(stop_at: int | None) -> tuple[Message, list[str]]:
        messages: list[str] = []

        def on_epoch(phase: str, epoch: Message) -> None:
            if phase == "measure" and epoch["epoch"] == stop_at:
                raise Cancelled

        settings = {"members": "1", "factors": "2", "epochs": "3"}
        request = TrainRequest("sgd-mf", "demo", "standard", settings=settings)
        return train(store, request, Listener(epoch=on_epoch, say=messages.append)), messages

    with pytest.raises(Cancelled):
        train_until(stop_at=2)
    resumed, messages = train_until(stop_at=None)
    assert messages == ["Resuming after epoch 2 of 3, where the same training was interrupted."]
    undisturbed, messages = train_until(stop_at=None)
    assert messages == []
    assert resumed["epochs"] == undisturbed["epochs"]
    assert resumed["metrics"] == undisturbed["metrics"]


def test_failed_training_is_stored_with_its_problem(ready: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise Problem("The disk is full.")

    monkeypatch.setattr("movietui.models.checkpoints.save", full)
    with pytest.raises(Problem, match="disk is full"):
        train(store, TrainRequest("bias", "demo", "standard", settings={"sweeps": "1"}))
    newest = store.runs()[0]
    assert (newest.state, newest.problem) == ("failed", "The disk is full.")


def test_a_lost_store_does_not_stop_training(ready: Path) -> None:
    """If somebody moves a damaged store away, the checkpoints of its runs remain."""
    for path in locations.store().parent.glob("movietui.sqlite3*"):
        path.unlink()
    store = Store(locations.store())
    trained = train(store, TrainRequest("bias", "demo", "standard", settings={"sweeps": "1"}))
    result = lists.recommend(store, "demo", [user("1", "demo")], 3)
    assert (result["model"], len(result["movies"])) == ("bias", 3)
    assert trained["metrics"]
    store.close()


def test_recommend_lists_movies_for_one_viewer_or_a_pair(ready: Path, store: Store) -> None:
    result = lists.recommend(store, "demo", [user("1", "demo")], 5)
    assert [movie["rank"] for movie in result["movies"]] == [1, 2, 3, 4, 5]
    assert result["model"] == "mf"
    assert lists.recommend(store, "demo", [user("1", "demo")], 5, "bias")["model"] == "bias"
    lists.rate(store, "demo", "anna", result["movies"][0]["title"], 1)
    for_anna = lists.recommend(store, "demo", [profile("anna")], 400)
    assert result["movies"][0]["id"] not in [movie["id"] for movie in for_anna["movies"]]
    both = lists.recommend(store, "demo", [profile("anna"), user("1", "demo")], 5)
    assert [viewer["id"] for viewer in both["viewers"]] == ["anna", "1"]
    assert all(len(movie["stars_by_viewer"]) == 2 for movie in both["movies"])


def test_a_dataset_without_a_model_is_a_problem(home: Path, store: Store) -> None:
    with pytest.raises(Problem, match="run movietui train mf --dataset demo"):
        lists.served(store, "demo")
    with pytest.raises(Problem, match="No bias has been trained on demo yet"):
        lists.served(store, "demo", "bias")


def test_a_run_is_stored_with_its_device(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVIETUI_DEVICE", "cpu:0")  # another name for the CPU
    for model, settings, device in (("bias", {"sweeps": "1"}, "cpu"), ("sgd-mf", {"epochs": "1"}, "cpu:0")):
        trained = train(store, TrainRequest(model, "demo", "standard", settings=settings))
        run = store.run(trained["run"])
        assert run is not None
        assert (trained["device"], run.device) == (device, device)


@pytest.mark.parametrize(
    ("model", "stages"),
    [
        ("ease", ["effects", "weights", "stars"]),
        ("item-knn", ["effects", "similarities", "weights"]),
        ("user-knn", ["effects", "weights"]),
    ],
)
def test_a_closed_form_reports_its_stages(ready: Path, store: Store, model: str, stages: list[str]) -> None:
    reported: list[str] = []
    listener = Listener(inside=lambda phase, stage: reported.append(stage.name))
    train(store, TrainRequest(model, "demo", "none", "kfold5-0"), listener)
    assert reported == stages * 2
