"""Every model on ratings of another scale, and on a dataset that only says who watched what."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from movietui.data import catalogue
from movietui.data.dataset import IMPLICIT_STARS, Dataset, Scale
from movietui.data.problems import Problem
from movietui.models import MODELS
from movietui.models.base import history_of
from movietui.models.choices import LEARN_FROM_WATCHING
from movietui.models.evaluation.comparison import compare
from movietui.models.evaluation.measure import build, choose, evaluate, train
from movietui.models.evaluation.sweep import validate
from movietui.models.metrics import OF_STARS, family
from movietui.models.serving.ranking import Ranker, Viewer
from tests.data.tables import on_scale, rated, write

HEADER = ("user", "item", "rating", "time")
QUICK = {"members": "1", "epochs": "2", "steps": "2", "sweeps": "2", "samples": "2", "minutes": "1", "vae": "no"}
"""Settings that make a fit short, for the models that have them; ``vae`` is fitted by itself."""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVIETUI_HOME", str(tmp_path / "home"))


@pytest.fixture
def hundred(tmp_path: Path) -> Dataset:
    """A dataset with ratings from 0 to 100."""
    catalogue.get("hundred", write(tmp_path / "hundred.csv", HEADER, on_scale(0, 100)))
    return catalogue.load("hundred", "none")


@pytest.fixture
def ten(tmp_path: Path) -> tuple[Dataset, Dataset]:
    """The same ratings from 2 to 10 and from 1 to 5."""
    catalogue.get("ten", write(tmp_path / "ten.csv", HEADER, on_scale(2, 10)))
    catalogue.get("five", write(tmp_path / "five.csv", HEADER, rated()))
    return catalogue.load("ten", "none"), catalogue.load("five", "none")


@pytest.fixture
def watched(tmp_path: Path) -> Dataset:
    """A dataset without stars."""
    rows = [(user, item, time) for user, item, stars, time in rated() if stars >= 3]
    catalogue.get("watched", write(tmp_path / "watched.csv", ("user", "item", "time"), rows))
    return catalogue.load("watched", "none")


def quick(name: str) -> dict[str, str]:
    fields = MODELS[name].settings_type.__dataclass_fields__
    return {key: value for key, value in QUICK.items() if key in fields}


@pytest.mark.parametrize("name", [name for name in MODELS if name != "demographic"])
def test_every_model_learns_from_ratings_on_another_scale(name: str, hundred: Dataset) -> None:
    settings = choose(name, changes=quick(name))
    rating = evaluate(name, hundred, "random80", settings=settings)
    assert 1 < rating.metrics["rmse"] < 40
    assert "mse_scaled" not in rating.metrics
    assert rating.prediction is not None
    assert 0 <= rating.prediction.min() <= rating.prediction.max() <= 100
    assert {*np.unique(rating.parts.test.stars).tolist()} <= {0, 25, 50, 75, 100}
    model = build(name, settings)
    model.fit(hundred)
    document = Ranker(hundred, model).recommend([Viewer("user", hundred.users.ids[0], history_of(hundred, 0))], k=3)
    assert {movie["id"] for movie in document["movies"]} <= {*hundred.movies.ids}
    assert all(0.5 <= movie["stars"] <= 5 for movie in document["movies"])


def test_errors_are_measured_on_the_scale_of_the_ratings(ten: tuple[Dataset, Dataset]) -> None:
    doubled, plain = (evaluate("bias", dataset, "random80") for dataset in ten)
    for name, factor in (("rmse", 2), ("mae", 2), ("mse", 4)):
        assert doubled.metrics[name] == pytest.approx(factor * plain.metrics[name])
    lists = [evaluate("bias", dataset, "random80", task="ranking").metrics for dataset in ten]
    assert lists[0] == lists[1]
    pairs = [evaluate("bias", dataset, "random80", task="pair").metrics for dataset in ten]
    assert pairs[0]["rmse"] == pytest.approx(2 * pairs[1]["rmse"])
    assert ("mse_scaled" in pairs[0], "mse_scaled" in pairs[1]) == (False, True)
    differences = [
        compare(evaluate("popularity", dataset, "random80"), first)
        for dataset, first in zip(ten, (doubled, plain), strict=True)
    ]
    assert differences[0].value == pytest.approx(2 * differences[1].value)


def test_training_and_sweeps_measure_on_the_scale_of_the_ratings(ten: tuple[Dataset, Dataset]) -> None:
    rmse = [train("bias", dataset).metrics["rmse"] for dataset in ten]
    assert rmse[0] == pytest.approx(2 * rmse[1])
    settings = choose("bias")
    swept = [validate("bias", dataset, "random80", "rating", settings).metrics["rmse"] for dataset in ten]
    assert swept[0] == pytest.approx(2 * swept[1])


def test_the_models_that_learn_from_watching_are_named() -> None:
    assert {name for name, model in MODELS.items() if not model.needs_stars} == {*LEARN_FROM_WATCHING}


@pytest.mark.parametrize("name", [*MODELS])
def test_a_dataset_without_stars(name: str, watched: Dataset) -> None:
    if MODELS[name].needs_stars:
        with pytest.raises(Problem, match=f"{name} learns from stars, and watched only says who watched what"):
            build(name).fit(watched)
        with pytest.raises(Problem, match=f"{name} learns from stars"):
            train(name, watched)
        return
    settings = choose(name, changes=quick(name))
    measured = evaluate(name, watched, "random80", task="ranking", settings=settings)
    assert measured.metrics["ndcg@10"] > 0.1
    assert not {*OF_STARS} & {*map(family, measured.metrics)}
    assert measured.order == "likely"
    trained = train(name, watched, settings=settings)
    assert trained.prediction is None
    assert "rmse" not in trained.metrics
    assert "ndcg@10" in trained.metrics
    assert trained.fitted.curve
    assert {loss for epoch in trained.fitted.curve for loss in (epoch.train_loss, epoch.validation_loss)} == {None}


@pytest.mark.parametrize("task", ["rating", "pair"])
def test_ratings_cannot_be_measured_without_stars(task: str, watched: Dataset) -> None:
    with pytest.raises(Problem, match="there are no ratings to predict; measure lists with --task ranking"):
        evaluate("ease", watched, "random80", task=task)  # type: ignore[arg-type]


@pytest.mark.parametrize("way", ["weighted", "without misery"])
@pytest.mark.parametrize("order", ["liked", "stars", "likely"])
def test_lists_without_stars_are_by_how_likely_a_movie_is_watched(watched: Dataset, order: str, way: str) -> None:
    from movietui.models.serving.groups import Aggregation

    assert (watched.ratings.stars == IMPLICIT_STARS).all()
    model = build("ease")
    model.fit(watched)
    viewers = [Viewer("user", watched.users.ids[row], history_of(watched, row)) for row in (0, 1)]
    ranker = Ranker(watched, model)
    ranked = ranker.rank(viewers[:1], order=order)  # type: ignore[arg-type]
    assert np.array_equal(ranked.score, ranker.expect(viewers[0].history).score)
    document = ranker.recommend(viewers[:1], order=order)  # type: ignore[arg-type]
    assert document["order"] == "likely"
    scores = [movie["score"] for movie in document["movies"]]
    assert len(scores) == 10
    assert scores == sorted(scores, reverse=True)
    assert {movie["stars"] for movie in document["movies"]} == {None}
    assert {why["stars"] for movie in document["movies"] for why in movie["why"]} <= {None}
    together = ranker.recommend(viewers, how=Aggregation(way=way), order=order)  # type: ignore[arg-type]
    assert len(together["movies"]) == 10


def test_a_scale_without_steps(hundred: Dataset) -> None:
    dataset = replace(hundred, published_scale=Scale(-10, 10, 0), scale=Scale(0.5, 5, 0))
    assert evaluate("bayes", dataset, "random80").metrics["rmse"] < 10
    assert evaluate("bayes", dataset, "random80", task="ranking").metrics["users"] > 0
