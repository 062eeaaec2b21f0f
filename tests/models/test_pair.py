"""Pairs of viewers."""

import numpy as np

from data.pairs import Pairs
from models.combiner import _Base
from models.model import history_of
from models.pair import Pair, PairSettings
from models.ranking import Aggregation, Ranker, Viewer
from tests.models.builders import rmse, tastes
from tests.models.contract import ModelContract


class TestPair(ModelContract):
    kind = Pair
    settings = PairSettings(members=1, epochs=2, triples=1.0)
    hurried = PairSettings(epochs=1)
    checkerboard_bound = 0.4
    tastes_bound = 0.68

    def test_is_the_same_either_way_round(self, model: Pair) -> None:
        first, second, movies = (np.arange(40, dtype=np.int32) + start for start in (0, 50, 20))
        one, other = model.predict_pair(first, second, movies), model.predict_pair(second, first, movies)
        np.testing.assert_array_equal(one, other)
        assert np.abs(one - model.predict(first, movies)).max() > 0.1

    def test_what_is_served_is_what_is_predicted(self, model: Pair) -> None:
        train = tastes()[0]
        a, b = (model.fold_in(history_of(train, user)) for user in (3, 9))
        movies = np.arange(len(train.movies), dtype=np.int32)
        expected = model.predict_pair(np.full_like(movies, 3), np.full_like(movies, 9), movies)
        np.testing.assert_allclose(model.expect_pair(a, b).stars, expected, atol=1e-3)

    def test_a_pair_with_themselves_is_the_viewer(self, model: Pair) -> None:
        taste = model.fold_in(history_of(tastes()[0], 3))
        np.testing.assert_array_equal(model.expect_pair(taste, taste).score, model.expect(taste).score)


def test_a_list_for_two_is_ordered_by_what_the_pair_is_expected_to_give() -> None:
    train, held_out = tastes()
    model = Pair()
    model.fit(train)
    assert rmse(model.predict(held_out.user, held_out.movie), held_out.stars) < TestPair.tastes_bound
    histories = [history_of(train, user) for user in (3, 9)]
    viewers = [Viewer("user", train.users.ids[each.user], each) for each in histories if each.user is not None]
    found = Ranker(train, model).rank(viewers, how=Aggregation(misery=0))
    both = model.expect_pair(*map(model.fold_in, histories))
    np.testing.assert_array_equal(found.score, both.score)
    np.testing.assert_array_equal(found.stars, both.stars)


def test_drawn_rows_are_two_ratings_of_one_movie() -> None:
    ratings = tastes()[0].ratings
    for first, second in Pairs.of(ratings).drawn(100, 30, seed=0):
        np.testing.assert_array_equal(ratings.movie[first], ratings.movie[second])
        assert (ratings.user[first] != ratings.user[second]).all()


def test_a_base_without_a_rating_is_one_that_never_saw_it() -> None:
    train = tastes()[0]
    base = _Base(train, PairSettings(), seed=0)
    rows = train.rows_of(4)[:3]
    whole = history_of(train, 4)
    for place, mean in enumerate(base.without(rows)[0]):
        exact = base.scaled(base.model.fold_in(whole.without(place)).mean)
        near = np.abs(mean - exact).max()
        assert near < 0.5 * np.abs(base.scaled(base.model.fold_in(whole).mean) - exact).max()
