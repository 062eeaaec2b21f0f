from pathlib import Path

import numpy as np
import pytest

from data import locations
from data.dataset import Dataset, Movies, Ratings, Scale, Users
from data.problems import Cancelled, Problem
from data.titles import film_key
from movietui import asking, tasks
from movietui.store import Film, Store
from movietui.viewers import profile, user
from movietui.wire import Message

FILMS = (
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
def films() -> Dataset:
    empty = np.empty(0, np.int32)
    return Dataset(
        name="films",
        ratings=Ratings(empty, empty, np.empty(0, np.float32), np.empty(0, np.int64)),
        users=Users(()),
        movies=Movies(
            ids=tuple(str(row) for row in range(len(FILMS))),
            titles=tuple(title for title, _ in FILMS),
            years=np.asarray([year for _, year in FILMS], np.int32),
            genres=np.zeros((len(FILMS), 1), bool),
            genre_names=("Drama",),
            keys=tuple(film_key(*film) for film in FILMS),
        ),
        scale=Scale(),
        fingerprint="0",
    )


@pytest.mark.parametrize(
    ("typed", "film"),
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
    ],
)
def test_the_film_that_is_meant(films: Dataset, typed: str, film: tuple[str, int]) -> None:
    found = asking.find_movie(films, typed)
    assert found == Film(film_key(*film), *film)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("Sabrina", r"'Sabrina' may be several movies: Sabrina \(1995\), Sabrina \(1954\); add the year"),
        ("Fargo (1997)", r"has no movie 'Fargo \(1997\)'; did you mean Fargo \(1996\)"),
        ("Farg", r"did you mean Fargo \(1996\)"),
        ("xyzzy", "has no movie 'xyzzy'; check its title"),
        ("", "has no movie ''"),
        ("(1995)", "has no movie"),
    ],
)
def test_films_that_are_not_guessed(films: Dataset, typed: str, told: str) -> None:
    with pytest.raises(Problem, match=told) as problem:
        asking.find_movie(films, typed)
    assert "\x1b" not in str(problem.value)


def test_rate_makes_the_profile(ready: Path, store: Store) -> None:
    first = asking.rate(store, "demo", "Anna", "the godfather", 4.5)
    assert first == {
        "profile": "Anna",
        "movie": {"title": "The Godfather", "year": 1972},
        "stars": 4.5,
        "before": None,
        "ratings": 1,
    }
    assert asking.rate(store, "demo", "anna", "The Godfather (1972)", 3)["before"] == 4.5
    assert [(ref.id, count) for ref, count in store.profiles()] == [("Anna", 1)]


def test_a_rating_that_cannot_be_given_makes_no_profile(ready: Path, store: Store) -> None:
    for movie, stars in (("no such film at all", 4.0), ("The Godfather", 7.0)):
        with pytest.raises(Problem):
            asking.rate(store, "demo", "anna", movie, stars)
    assert store.profiles() == []


def test_train_is_written_down(ready: Path, store: Store) -> None:
    heard: list[tuple[str, Message]] = []
    trained = tasks.train(
        store,
        "bias",
        "demo",
        cleaning="standard",
        settings={"sweeps": "2"},
        seed=5,
        on_epoch=lambda phase, epoch: heard.append((phase, epoch)),
    )
    run = store.run(trained["run"])
    assert run is not None
    assert (run.state, run.model, run.seed, run.split) == ("done", "bias", 5, tasks.SERVED_SPLIT)
    assert run.settings["sweeps"] == 2
    assert run.curve == trained["epochs"]
    assert run.metrics == trained["metrics"]
    assert [epoch["epoch"] for phase, epoch in heard if phase == "curve"] == [1, 2]
    assert Path(trained["checkpoint"]).is_dir()
    assert run in store.serving_runs("demo")


@pytest.mark.parametrize("stop", [KeyboardInterrupt, Cancelled])
def test_a_stopped_training_is_written_down(ready: Path, store: Store, stop: type[BaseException]) -> None:
    def hear(phase: str, epoch: Message) -> None:
        if epoch["epoch"] == 2:
            raise stop

    before = store.serving_runs("demo")
    with pytest.raises(stop):
        tasks.train(store, "bias", "demo", cleaning="standard", settings={}, on_epoch=hear)
    newest = store.runs()[0]
    assert (newest.state, len(newest.curve)) == ("cancelled", 2)
    assert store.serving_runs("demo") == before
    assert not (locations.checkpoints() / newest.checkpoint).exists()


def test_a_stopped_training_goes_on_when_it_is_asked_for_again(ready: Path, store: Store) -> None:
    def train(stop_at: int | None) -> tuple[Message, list[str]]:
        said: list[str] = []

        def hear(phase: str, epoch: Message) -> None:
            if phase == "measure" and epoch["epoch"] == stop_at:
                raise Cancelled

        settings = {"members": "1", "factors": "2", "epochs": "3"}
        return tasks.train(
            store, "sgd-mf", "demo", cleaning="standard", settings=settings, on_epoch=hear, say=said.append
        ), said

    with pytest.raises(Cancelled):
        train(stop_at=2)
    resumed, said = train(stop_at=None)
    assert said == ["Going on after epoch 2 of 3, where the same training was cut off."]
    undisturbed, said = train(stop_at=None)
    assert said == []
    assert resumed["epochs"] == undisturbed["epochs"]
    assert resumed["metrics"] == undisturbed["metrics"]


def test_a_failed_training_is_written_down(ready: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise Problem("The disk is full.")

    monkeypatch.setattr("models.checkpoints.save", full)
    with pytest.raises(Problem, match="disk is full"):
        tasks.train(store, "bias", "demo", cleaning="standard", settings={"sweeps": "1"})
    newest = store.runs()[0]
    assert (newest.state, newest.problem) == ("failed", "The disk is full.")


def test_a_lost_store_does_not_stop_training(ready: Path) -> None:
    """Somebody moves a damaged store away: the checkpoints of its runs are still there."""
    for path in locations.store().parent.glob("movietui.sqlite3*"):
        path.unlink()
    store = Store(locations.store())
    trained = tasks.train(store, "bias", "demo", cleaning="standard", settings={"sweeps": "1"})
    found = asking.recommend(store, "demo", [user("1", "demo")], 3)
    assert (found["model"], len(found["movies"])) == ("bias", 3)
    assert trained["metrics"]
    store.close()


def test_recommend(ready: Path, store: Store) -> None:
    found = asking.recommend(store, "demo", [user("1", "demo")], 5)
    assert [movie["rank"] for movie in found["movies"]] == [1, 2, 3, 4, 5]
    assert found["model"] == "mf"
    assert asking.recommend(store, "demo", [user("1", "demo")], 5, "bias")["model"] == "bias"
    asking.rate(store, "demo", "anna", found["movies"][0]["title"], 1)
    for_anna = asking.recommend(store, "demo", [profile("anna")], 400)
    assert found["movies"][0]["id"] not in [movie["id"] for movie in for_anna["movies"]]
    both = asking.recommend(store, "demo", [profile("anna"), user("1", "demo")], 5)
    assert [viewer["id"] for viewer in both["viewers"]] == ["anna", "1"]
    assert all(len(movie["stars_by_viewer"]) == 2 for movie in both["movies"])


def test_no_model_yet(home: Path, store: Store) -> None:
    with pytest.raises(Problem, match="run movietui train mf --dataset demo"):
        asking.served(store, "demo")
    with pytest.raises(Problem, match="No bias is trained on demo yet"):
        asking.served(store, "demo", "bias")


def test_a_run_tells_where_it_was_fitted(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVIETUI_DEVICE", "cpu:0")  # the processor by another name
    for model, settings, where in (("bias", {"sweeps": "1"}, "cpu"), ("sgd-mf", {"epochs": "1"}, "cpu:0")):
        trained = tasks.train(store, model, "demo", cleaning="standard", settings=settings)
        run = store.run(trained["run"])
        assert run is not None
        assert (trained["device"], run.device) == (where, where)


@pytest.mark.parametrize(
    ("model", "stages"),
    [
        ("ease", ["effects", "weights", "stars"]),
        ("item-knn", ["effects", "similarities", "weights"]),
        ("user-knn", ["effects", "weights"]),
    ],
)
def test_a_closed_form_tells_its_stages(ready: Path, store: Store, model: str, stages: list[str]) -> None:
    heard: list[str] = []
    tasks.train(
        store,
        model,
        "demo",
        split="kfold5-0",
        cleaning="none",
        settings={},
        on_inside=lambda stage: heard.append(stage.name),
    )
    assert heard == stages * 2
