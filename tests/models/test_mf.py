"""Biased matrix factorisation."""

import numpy as np
import pytest

from movietui.models.base import History, history_of
from movietui.models.bias import Bias
from movietui.models.mf import BiasedMF, BiasedMFSettings
from movietui.models.training import mf
from tests.models.builders import rmse, tastes
from tests.models.contract import EMPTY, ModelContract


class TestBiasedMF(ModelContract):
    kind = BiasedMF
    hurried = BiasedMFSettings(sweeps=1)
    checkerboard_bound = 0.3
    tastes_bound = 0.66

    def test_is_better_than_biases_where_there_is_taste(self) -> None:
        train, held_out = tastes()
        errors = []
        for kind in (Bias, BiasedMF):
            model = kind()
            model.fit(train)
            errors.append(rmse(model.predict(held_out.user, held_out.movie), held_out.stars))
        assert errors[1] < errors[0] - 0.1

    def test_more_ratings_reduce_the_uncertainty(self, model: BiasedMF) -> None:
        history = history_of(tastes()[0], 4)
        few = History(history.movies[:4], history.stars[:4])
        uncertainties = [float(model.expect(model.fold_in(each)).uncertainty.mean()) for each in (EMPTY, few, history)]
        assert uncertainties[0] > uncertainties[1] > uncertainties[2]

    def test_uncertainty_is_that_of_samples_from_the_posterior(self, model: BiasedMF) -> None:
        random = np.random.RandomState(0)
        taste = model.fold_in(history_of(tastes()[0], 4))
        size = len(taste.mean)
        covariance = np.zeros((size, size))
        rows, columns = np.triu_indices(size)
        covariance[rows, columns] = covariance[columns, rows] = model.parameters["movie_covariance"][11]
        x = random.multivariate_normal(taste.mean, taste.covariance, 200_000)
        y = random.multivariate_normal(model.parameters["movie_mean"][11], covariance, 200_000)
        sampled = (x[:, :-1] * y[:, :-1]).sum(1) + x[:, -1] + y[:, -1]
        expectation = model.expect(taste)
        assert expectation.uncertainty[11] == pytest.approx(sampled.std(), rel=0.01)
        assert expectation.stars[11] == pytest.approx(sampled.mean() + model.parameters["overall"], abs=0.01)

    def test_intervals_have_their_nominal_coverage(self, model: BiasedMF) -> None:
        """About 80 % of the ratings should be in the 80 % interval; rounding to whole stars hardly matters."""
        held_out = tastes()[1]
        train = tastes()[0]
        inside = []
        noise = float(model.parameters["noise"])
        for user in np.unique(held_out.user):
            expectation = model.expect(model.fold_in(history_of(train, int(user))))
            rows = held_out.user == user
            movies = held_out.movie[rows]
            reach = 1.2816 * np.sqrt(expectation.uncertainty[movies] ** 2 + noise)
            inside.extend(np.abs(held_out.stars[rows] - expectation.stars[movies]) <= reach)
        assert 0.72 < np.mean(inside) < 0.92

    def test_caution_and_popularity_only_change_the_order(self, model: BiasedMF) -> None:
        train = tastes()[0]
        taste = model.fold_in(history_of(train, 2))
        plain, careful, common = BiasedMF(), BiasedMF(), BiasedMF()
        for each, settings in (
            (plain, BiasedMFSettings(caution=0, popularity=0)),
            (careful, BiasedMFSettings(caution=2, popularity=0)),
            (common, BiasedMFSettings(caution=0, popularity=1)),
        ):
            each.settings = settings
            each.restore(model.parameters, model.scale)
            np.testing.assert_array_equal(each.expect(taste).stars, model.expect(taste).stars)
        base = plain.expect(taste)
        np.testing.assert_allclose(careful.expect(taste).score, base.score - 2 * base.uncertainty, atol=1e-5)
        np.testing.assert_allclose(common.expect(taste).score, base.score + np.log1p(train.counts), atol=1e-5)

    def test_another_seed_gives_another_start_but_similar_predictions(self) -> None:
        train, held_out = tastes()
        predictions = []
        for seed in (1, 2):
            model = BiasedMF(seed=seed)
            model.fit(train)
            predictions.append(model.predict(held_out.user, held_out.movie))
        assert not np.array_equal(*predictions)
        assert rmse(*predictions) < 0.2

    @pytest.mark.parametrize("factors", [1, 64])
    def test_too_many_factors_do_no_harm(self, factors: int) -> None:
        train, held_out = tastes()
        model = BiasedMF(BiasedMFSettings(factors=factors))
        model.fit(train)
        assert rmse(model.predict(held_out.user, held_out.movie), held_out.stars) < 0.9

    def test_blocks_do_not_change_the_result(self, model: BiasedMF, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(mf, "BLOCK", 7)
        again = BiasedMF(seed=1)
        again.fit(tastes()[0])
        np.testing.assert_allclose(again.parameters["user_mean"], model.parameters["user_mean"], atol=2e-3)
        assert again.parameters["noise"] == pytest.approx(model.parameters["noise"], rel=1e-3)
