"""Movies without ratings, which IMDb adds to a dataset: predicted, listed, explained, saved."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from movietui.data.dataset import Dataset, ImdbFacts
from movietui.data.problems import Problem
from movietui.models.base import Expectation, History, history_of
from movietui.models.bayes import Bayes, BayesSettings
from movietui.models.blend import BASE, Blend, BlendSettings
from movietui.models.checkpoints import load, save
from movietui.models.evaluation.measure import evaluate, train
from movietui.models.mf import BiasedMF
from movietui.models.serving.orders import FAMILIARITY, with_unrated
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
    model = Blend(BlendSettings(factors=2, sweeps=30))
    model.fit(by_genre())
    return model


def test_bayes_predicts_unrated_movies_from_their_features(bayes: Bayes) -> None:
    everything = by_genre()
    for user in (0, 1):
        expected = bayes.expect(bayes.fold_in(history_of(everything, user)))
        liked = expected.stars[MOVIES + user :: 2]
        others = expected.stars[MOVIES + 1 - user :: 2]
        assert liked.min() > others.max() + 1
        assert expected.uncertainty[MOVIES:].mean() > expected.uncertainty[:MOVIES].mean()
    # For a viewer without ratings, neither genre is predicted to be much better than the other.
    nobody = bayes.expect(bayes.fold_in(History(np.empty(0, np.int32), np.empty(0, np.float32))))
    assert np.ptp(nobody.stars[MOVIES:]) < 0.7


def test_a_rating_of_an_unrated_movie_counts(bayes: Bayes) -> None:
    history = History(np.asarray([MOVIES, MOVIES + 2], np.int32), np.asarray([5, 5], np.float32))
    stars = bayes.expect(bayes.fold_in(history)).stars
    assert stars[:MOVIES:2].mean() > stars[1:MOVIES:2].mean()


def test_only_models_that_predict_unrated_movies_list_them(bayes: Bayes) -> None:
    everything = by_genre()
    viewer = Viewer("user", "0", history_of(everything, 0))
    listed = Ranker(everything, bayes).rank([viewer], order="likely").order
    assert set(range(MOVIES, MOVIES + ADDED)) < set(listed.tolist())
    assert not (Ranker(everything, bayes, unrated=False).rank([viewer]).order >= MOVIES).any()
    mf = BiasedMF()
    mf.fit(everything)
    assert not (Ranker(everything, mf).rank([viewer]).order >= MOVIES).any()
    expected = bayes.expect(bayes.fold_in(viewer.history))
    bound = (expected.stars - expected.uncertainty)[listed[listed >= MOVIES]]
    assert (np.diff(bound) <= 1e-5).all()


def test_the_score_of_an_unrated_movie_has_the_rank_of_its_lower_bound_and_its_votes() -> None:
    known = np.arange(8) < 6
    bound = np.float32([3, 4, 5, 3, 4, 5, 5, 6])
    votes = np.int32([9, 9, 9, 99, 99, 99, 999, 9])
    unsure = np.float32([0, 0, 0, 0, 0, 0, 1, 1])
    value = bound + FAMILIARITY * np.log1p(votes)
    expected = Expectation(np.minimum(bound + unsure, 5), unsure, np.where(known, 10 * value, 0), bound + unsure)
    ranked = with_unrated(expected, known, votes).score
    np.testing.assert_allclose(ranked, 10 * value, rtol=1e-5)
    # Without votes, the score depends on the bound alone, and the stars are not cut to the scale.
    alone = with_unrated(replace(expected, score=np.where(known, 10 * bound, 0)), known).score
    np.testing.assert_allclose(alone, 10 * bound, rtol=1e-5)
    # A rated movie that IMDb does not know is not compared with.
    some = np.append([0], votes[1:]).astype(np.int32)
    score = replace(expected, score=np.append([99], 10 * value[1:]).astype(np.float32))
    np.testing.assert_allclose(with_unrated(score, known, some).score[6:], 10 * value[6:], rtol=1e-5)
    for same in (np.ones(8, bool), np.zeros(8, bool)):
        assert with_unrated(expected, same) is expected
    cut = replace(expected, uncut=None)
    assert with_unrated(cut, known) is cut


def test_a_ranker_reads_the_votes(bayes: Bayes) -> None:
    everything, viewer = by_genre(), Viewer("user", "0", history_of(by_genre(), 0))
    numbers = np.ones(MOVIES + ADDED, np.int32)
    votes = np.append(1 + everything.counts[:MOVIES] ** 3, np.arange(1, ADDED + 1) ** 4).astype(np.int32)
    facts = ImdbFacts(numbers.astype(np.float32), votes, numbers, ((),) * len(numbers), ((),) * len(numbers))
    joined = replace(everything, movies=replace(everything.movies, imdb=facts))
    score = Ranker(joined, bayes).expect(viewer.history).score
    expected = bayes.expect(bayes.fold_in(viewer.history))
    np.testing.assert_allclose(score, with_unrated(expected, joined.counts > 0, votes).score)
    assert np.abs(score - Ranker(everything, bayes).expect(viewer.history).score)[MOVIES:].max() > 0.01


def test_stars_beyond_the_scale_are_told_apart(bayes: Bayes, blend: Blend) -> None:
    everything = by_genre()
    generous = History(np.arange(0, MOVIES, 2, dtype=np.int32), np.full(MOVIES // 2, 5, np.float32))
    for model in (bayes, blend):
        expected = model.expect(model.fold_in(generous))
        assert expected.uncut is not None
        assert expected.uncut.max() > 5  # what a part of the blend predicts is cut before it is stacked
        np.testing.assert_allclose(expected.stars, everything.scale.clip(expected.uncut), atol=0.1)
        if isinstance(model, Blend):
            base = model._parts[BASE]
            alone = base.expect(base.fold_in(generous)).uncut
            assert alone is not None
            stack, shift = model.parameters["stack"], model.parameters["shift"]
            np.testing.assert_allclose(expected.uncut[MOVIES:], stack.sum() * alone[MOVIES:] + shift, atol=1e-4)
        both = model.expect_pair(model.fold_in(generous), model.fold_in(history_of(everything, 1)))
        other = model.expect(model.fold_in(history_of(everything, 1))).uncut
        assert other is not None
        np.testing.assert_allclose(both.uncut, (expected.uncut + other) / 2, atol=1e-5)


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


def test_a_blend_explains_unrated_movies_exactly(blend: Blend) -> None:
    rated = np.asarray([1, 4, 7, MOVIES + 1, MOVIES + 4], np.int32)
    history = History(rated, np.asarray([5, 2, 4, 5, 1], np.float32))
    movies = np.asarray([0, 9, MOVIES, MOVIES + 3], np.int32)
    score = blend.expect(blend.fold_in(history)).score[movies]
    shares = blend.explain_list(history, movies)
    for index in range(len(rated)):
        without = blend.expect(blend.fold_in(history.without(index))).score[movies]
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
