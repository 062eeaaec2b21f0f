"""Movies without ratings, which IMDb adds to a dataset: predicted, listed, explained, saved."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from movietui.data.dataset import Dataset
from movietui.data.problems import Problem
from movietui.models.base import AnyModel, Expectation, History, history_of
from movietui.models.bayes import Bayes, BayesSettings
from movietui.models.blend import BASE, Blend, BlendSettings
from movietui.models.checkpoints import load, save
from movietui.models.evaluation.measure import evaluate, train
from movietui.models.ials import Ials, IalsSettings
from movietui.models.mf import BiasedMF
from movietui.models.serving.orders import with_unrated
from movietui.models.serving.ranking import Ranker, Viewer
from tests.models.builders import dataset

MOVIES, ADDED = 40, 10
QUICK = BayesSettings(factors=2, sweeps=60)


def by_genre() -> Dataset:
    """Return ratings by users who like either comedies or dramas, with ten movies that nobody rated at the end."""
    random = np.random.RandomState(3)
    user, movie = np.nonzero(random.random_sample((80, MOVIES)) < 0.4)
    comedy = np.arange(MOVIES + ADDED) % 2 == 0
    stars = np.where((user % 2 == 0) == comedy[movie], 4, 2) + random.randint(0, 2, len(user))
    whole = dataset(user, movie, stars, 80, MOVIES + ADDED)
    movies = replace(whole.movies, genres=np.stack([comedy, ~comedy], 1), unrated=ADDED)
    return replace(whole, movies=movies)


@pytest.fixture(scope="module")
def bayes() -> Bayes:
    model = Bayes(QUICK)
    model.fit(by_genre())
    return model


@pytest.fixture(scope="module")
def blend() -> Blend:
    model = Blend(BlendSettings(factors=2, sweeps=30, vae=False))
    model.fit(by_genre())
    return model


@pytest.fixture(scope="module")
def ials() -> Ials:
    model = Ials(IalsSettings(factors=2, unseen=0.05))
    model.fit(by_genre())
    return model


@pytest.fixture(params=["bayes", "ials"])
def model(request: pytest.FixtureRequest) -> AnyModel:
    fitted: AnyModel = request.getfixturevalue(request.param)
    return fitted


def test_unrated_movies_are_predicted_from_their_features(model: AnyModel) -> None:
    everything = by_genre()
    for user in (0, 1):
        expected = model.expect(model.fold_in(history_of(everything, user)))
        liked = expected.stars[MOVIES + user :: 2]
        others = expected.stars[MOVIES + 1 - user :: 2]
        assert liked.min() > others.max() + 1
    # For a viewer without ratings, neither genre is predicted to be much better than the other.
    nobody = model.expect(model.fold_in(History(np.empty(0, np.int32), np.empty(0, np.float32))))
    assert np.ptp(nobody.stars[MOVIES:]) < 0.7


def test_bayes_is_less_certain_of_unrated_movies(bayes: Bayes) -> None:
    uncertainty = bayes.expect(bayes.fold_in(history_of(by_genre(), 0))).uncertainty
    assert uncertainty[MOVIES:].mean() > uncertainty[:MOVIES].mean()


def test_ials_is_as_uncertain_of_unrated_movies_as_movies_differ_from_their_genre() -> None:
    random = np.random.default_rng(5)
    user, movie = np.nonzero(random.random((80, 300)) < 0.4)
    comedy = np.arange(310) % 2 == 0
    quality = np.where(comedy, 3.5, 2.5) + random.normal(0, 0.5, 310)
    stars = (quality[movie] + random.normal(0, 0.3, len(movie))).clip(1, 5)
    whole = dataset(user, movie, stars, 80, 310)
    model = Ials(IalsSettings(factors=2, unseen=0.05))
    model.fit(replace(whole, movies=replace(whole.movies, genres=np.stack([comedy, ~comedy], 1), unrated=ADDED)))
    expected = model.expect(model.fold_in(history_of(whole, 0)))
    assert expected.uncertainty[300:].mean() == pytest.approx(0.5, abs=0.1)
    assert expected.uncertainty[:300].mean() < 0.2
    assert (expected.stars - 3)[300:] == pytest.approx(np.where(comedy[300:], 0.5, -0.5), abs=0.3)


def test_a_rating_of_an_unrated_movie_counts(model: AnyModel) -> None:
    history = History(np.asarray([MOVIES, MOVIES + 2], np.int32), np.asarray([5, 5], np.float32))
    stars = model.expect(model.fold_in(history)).stars
    assert stars[:MOVIES:2].mean() > stars[1:MOVIES:2].mean()


def test_unrated_movies_change_nothing_that_ials_learns_about_others(ials: Ials) -> None:
    alone = Ials(ials.settings)
    alone.fit(by_genre().without_unrated())
    history = history_of(by_genre(), 3)
    expected, before = (each.expect(each.fold_in(history)) for each in (ials, alone))
    np.testing.assert_array_equal(expected.stars[:MOVIES], before.stars)
    np.testing.assert_array_equal(expected.score[:MOVIES], before.score)


def test_ials_also_describes_movies_of_the_dataset_that_lost_their_ratings(ials: Ials) -> None:
    everything = by_genre().without_unrated()
    remaining = everything.with_ratings(np.flatnonzero(everything.ratings.movie < MOVIES - 4))
    cold = Ials(ials.settings)
    cold.fit(remaining)
    stars = cold.predict(np.zeros(4, np.int32), np.arange(MOVIES - 4, MOVIES, dtype=np.int32))
    assert stars[::2].min() > stars[1::2].max() + 1
    assert cold.predict(np.zeros(1, np.int32), np.asarray([-1], np.int32)) == pytest.approx(stars.mean(), abs=0.3)


def test_only_models_that_predict_unrated_movies_list_them(model: AnyModel) -> None:
    everything = by_genre()
    viewer = Viewer("user", "0", history_of(everything, 0))
    listed = Ranker(everything, model).rank([viewer], order="likely").order
    assert set(range(MOVIES, MOVIES + ADDED)) < set(listed.tolist())
    assert not (Ranker(everything, model, unrated=False).rank([viewer]).order >= MOVIES).any()
    mf = BiasedMF()
    mf.fit(everything)
    assert not (Ranker(everything, mf).rank([viewer]).order >= MOVIES).any()
    expected = model.expect(model.fold_in(viewer.history))
    bound = (expected.stars - expected.uncertainty)[listed[listed >= MOVIES]]
    assert (np.diff(bound) <= 1e-5).all()


def test_the_score_of_an_unrated_movie_has_the_rank_of_its_lower_bound() -> None:
    stars, score = np.float32([3, 4, 5, 5, 2]), np.float32([10, 20, 30, 0, 0])
    expected = Expectation(stars, np.float32([0, 0, 0, 1, 1]), score)
    known = np.asarray([True, True, True, False, False])
    ranked = with_unrated(expected, known).score
    np.testing.assert_allclose(ranked, [10, 20, 30, 20, -10], rtol=1e-5)
    assert with_unrated(expected, np.ones(5, bool)) is expected
    assert with_unrated(expected, np.zeros(5, bool)) is expected


def test_only_the_base_of_a_blend_knows_unrated_movies(blend: Blend) -> None:
    everything = by_genre()
    assert len(blend.counts) == MOVIES + ADDED
    assert len(blend._parts["ease"].counts) == MOVIES
    expected = blend.expect(blend.fold_in(history_of(everything, 0)))
    users, movies = np.zeros(MOVIES + ADDED, np.int32), np.arange(MOVIES + ADDED, dtype=np.int32)
    np.testing.assert_allclose(blend.predict(users, movies), expected.stars, atol=0.02)
    base = blend._parts[BASE].predict(users, movies)[MOVIES:]
    stack, shift = blend.parameters["stack"], blend.parameters["shift"]
    np.testing.assert_allclose(
        blend.predict(users, movies)[MOVIES:], np.clip(stack.sum() * base + shift, 1, 5), atol=0.01
    )
    assert blend.movie_vectors().shape[0] == MOVIES + ADDED  # type: ignore[union-attr]


def test_only_the_base_of_a_blend_predicts_movies_of_the_dataset_without_ratings() -> None:
    everything = by_genre()
    train = everything.with_ratings(np.flatnonzero(everything.ratings.movie != 0))
    model = Blend(BlendSettings(factors=2, sweeps=10, vae=False))
    model.fit(train)
    model.restore({**model.parameters, "stack": np.asarray([0.5, 0.5]), "shift": np.asarray(0.1)}, model.scale)
    base, history = model._parts[BASE], history_of(train, 0)
    taste = model.fold_in(history)
    assert model.expect(taste).stars[0] == pytest.approx(base.expect(taste.by_part[BASE]).stars[0] + 0.1)
    users, movies = np.zeros(2, np.int32), np.asarray([0, MOVIES], np.int32)
    np.testing.assert_allclose(model.predict(users, movies), base.predict(users, movies) + 0.1, rtol=1e-6)
    # The scores of the other parts, and what each rating adds to them, are the same for all such movies.
    score = model.expect(taste).score[movies]
    shares = model.explain_list(history, movies)
    for index in range(3):
        without = model.expect(model.fold_in(history.without(index))).score[movies]
        np.testing.assert_allclose(shares[:, index], score - without, atol=2e-4)


@pytest.mark.parametrize("name", ["blend", "ials"])
def test_unrated_movies_are_explained_exactly(name: str, request: pytest.FixtureRequest) -> None:
    model: AnyModel = request.getfixturevalue(name)
    rated = np.asarray([1, 4, 7, MOVIES + 1, MOVIES + 4], np.int32)
    history = History(rated, np.asarray([5, 2, 4, 5, 1], np.float32))
    movies = np.asarray([0, 9, MOVIES, MOVIES + 3], np.int32)
    score = model.expect(model.fold_in(history)).score[movies]
    shares = model.explain_list(history, movies)
    for index in range(len(rated)):
        without = model.expect(model.fold_in(history.without(index))).score[movies]
        np.testing.assert_allclose(shares[:, index], score - without, atol=2e-4)


def test_a_checkpoint_knows_which_unrated_movies_it_was_fitted_on(bayes: Bayes, tmp_path: Path) -> None:
    everything = by_genre()
    save(tmp_path / "bayes", bayes, everything)
    model, manifest, served = load(tmp_path / "bayes", everything)
    assert manifest.unrated
    assert len(model.counts) == len(served.movies) == MOVIES + ADDED
    ids = everything.movies.ids
    others = replace(everything, movies=replace(everything.movies, ids=(*ids[:-1], "tt9999999")))
    for other in (others, everything.without_unrated()):
        with pytest.raises(Problem, match="other movies from IMDb"):
            load(tmp_path / "bayes", other)


def test_a_model_that_was_fitted_without_unrated_movies_is_served_without_them(tmp_path: Path) -> None:
    everything = by_genre()
    trained = train("mf", everything, "random80")
    assert len(trained.model.counts) == MOVIES
    save(tmp_path / "mf", trained.model, everything)
    model, manifest, served = load(tmp_path / "mf", everything)
    assert manifest.unrated == ""
    assert len(model.counts) == len(served.movies) == MOVIES


def test_training_includes_unrated_movies_and_measuring_does_not() -> None:
    everything = by_genre()
    assert len(train("bayes", everything, "random80", settings=QUICK).model.counts) == MOVIES + ADDED
    measured = evaluate("bayes", everything, "random80", "ranking", settings=QUICK)
    alone = evaluate("bayes", everything.without_unrated(), "random80", "ranking", settings=QUICK)
    assert measured.metrics == alone.metrics
    assert measured.lists is not None
    assert measured.lists.movies.max() < MOVIES
