"""Bias."""

import numpy as np
import pytest

from movietui.models.base import History
from movietui.models.bias import Bias, BiasSettings
from tests.models.builders import dataset, rmse, tastes
from tests.models.contract import EMPTY, ModelContract


class TestBias(ModelContract):
    kind = Bias
    hurried = BiasSettings(sweeps=1)
    checkerboard_bound = 2.05
    tastes_bound = 0.95

    def test_recovers_planted_effects(self) -> None:
        random = np.random.RandomState(1)
        b, c = random.normal(0, 0.5, 80), random.normal(0, 0.5, 70)
        user, movie = (grid.ravel() for grid in np.indices((80, 70)))
        stars = 3 + b[user] + c[movie] + random.normal(0, 0.5, len(user))
        model = Bias()
        model.fit(dataset(user, movie, stars))
        assert np.corrcoef(model.parameters["user"][:-1], b)[0, 1] > 0.98
        assert np.corrcoef(model.parameters["movie"][:-1], c)[0, 1] > 0.98
        assert model.parameters["noise"] == pytest.approx(0.25, rel=0.1)

    def test_a_generous_viewer_is_expected_to_give_more(self) -> None:
        train = tastes()[0]
        model = Bias()
        model.fit(train)
        generous = History(np.arange(20, dtype=np.int32), np.full(20, 5, np.float32))
        taste, stranger = model.fold_in(generous), model.fold_in(EMPTY)
        assert taste.mean > stranger.mean + 0.5
        assert taste.variance < stranger.variance / 3

    def test_is_better_than_movie_means(self) -> None:
        train, held_out = tastes()
        model = Bias()
        model.fit(train)
        means = np.bincount(train.ratings.movie, train.ratings.stars) / train.counts
        prediction = model.predict(held_out.user, held_out.movie)
        assert rmse(prediction, held_out.stars) < rmse(means[held_out.movie], held_out.stars) - 0.02
