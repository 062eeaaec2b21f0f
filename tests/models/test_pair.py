"""Pairs of viewers."""

import numpy as np

from movietui.data.pairs import Pairs
from movietui.models.base import history_of
from movietui.models.pair import Pair, PairSettings
from movietui.models.serving.groups import Aggregation
from movietui.models.serving.ranking import Ranker, Viewer
from movietui.models.training.pair import _Base
from tests.models.builders import rmse, tastes
from tests.models.contract import ModelContract


class TestPair(ModelContract):
    kind = Pair
    settings = PairSettings(members=1, epochs=2, triples=1.0)
    hurried = PairSettings(epochs=1)
    rounding = 2e-4  # the network amplifies how the posteriors of mf, its inputs, are rounded
    checkerboard_bound = 0.4
    tastes_bound = 0.68

    def test_is_the_same_either_way_round(self, model: Pair) -> None:
        first, second, movies = (np.arange(40, dtype=np.int32) + start for start in (0, 50, 20))
        one, other = model.predict_pair(first, second, movies), model.predict_pair(second, first, movies)
        np.testing.assert_array_equal(one, other)
        assert np.abs(one - model.predict(first, movies)).max() > 0.1

    def test_served_stars_are_those_of_predict_pair(self, model: Pair) -> None:
        train = tastes()[0]
        a, b = (model.fold_in(history_of(train, user)) for user in (3, 9))
        movies = np.arange(len(train.movies), dtype=np.int32)
        expected = model.predict_pair(np.full_like(movies, 3), np.full_like(movies, 9), movies)
        np.testing.assert_allclose(model.expect_pair(a, b).stars, expected, atol=1e-3)


def test_a_list_for_two_is_ordered_by_the_expectation_for_the_pair() -> None:
    train, held_out = tastes()
    model = Pair()
    model.fit(train)
    assert rmse(model.predict(held_out.user, held_out.movie), held_out.stars) < TestPair.tastes_bound
    histories = [history_of(train, user) for user in (3, 9)]
    viewers = [Viewer("user", train.users.ids[each.user], each) for each in histories if each.user is not None]
    ranked = Ranker(train, model).rank(viewers, how=Aggregation(misery=0), order="likely")
    both = model.expect_pair(*map(model.fold_in, histories))
    np.testing.assert_array_equal(ranked.score, both.score)
    np.testing.assert_array_equal(ranked.stars, both.stars)


def test_drawn_rows_are_two_ratings_of_one_movie() -> None:
    ratings = tastes()[0].ratings
    for first, second in Pairs.of(ratings).drawn(100, 30, seed=0):
        np.testing.assert_array_equal(ratings.movie[first], ratings.movie[second])
        assert (ratings.user[first] != ratings.user[second]).all()


def test_the_base_without_a_rating_is_close_to_folding_in_without_it() -> None:
    train = tastes()[0]
    base = _Base(train, PairSettings(), seed=0)
    rows = train.rows_of(4)[:3]
    whole = history_of(train, 4)
    for index, mean in enumerate(base.without(rows)[0]):
        exact = base.scaled(base.model.fold_in(whole.without(index)).mean)
        near = np.abs(mean - exact).max()
        assert near < 0.5 * np.abs(base.scaled(base.model.fold_in(whole).mean) - exact).max()
