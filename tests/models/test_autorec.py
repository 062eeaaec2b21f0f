"""AutoRec."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from movietui.models import autorec
from movietui.models.autorec import AutoRec, AutoRecSettings
from movietui.models.base import History, Model, history_of
from movietui.models.bias import Bias
from movietui.models.rankers import sample_users
from tests.models.builders import checkerboard, rmse, tastes
from tests.models.contract import EMPTY, ModelContract


class TestAutoRec(ModelContract):
    kind = AutoRec
    settings = AutoRecSettings(hidden=60, members=1, epochs=12, rate=0.004)
    hurried = AutoRecSettings(hidden=60, epochs=1)
    checkerboard_bound = 0.3
    tastes_bound = 0.78

    def test_is_better_than_biases_where_there_is_taste(self) -> None:
        train, held_out = tastes()
        errors = []
        for model in (Bias(), AutoRec(), AutoRec(AutoRecSettings(by_user=True))):
            model.fit(train)
            errors.append(rmse(model.predict(held_out.user, held_out.movie), held_out.stars))
        assert errors[1] < errors[0] - 0.1
        assert errors[2] < errors[0] - 0.03

    def test_folding_in_is_the_posterior_of_the_regression(self, model: AutoRec) -> None:
        """The reference is the textbook form, which inverts a matrix with a row per feature instead of per rating."""
        known = history_of(tastes()[0], 4)
        history = History(known.movies, known.stars)
        taste = model.fold_in(history)
        mean, prior = model.parameters["mean"], model.parameters["prior"]
        noise = float(model.parameters["noise"])
        design = np.append(model.parameters["features"][history.movies], np.ones((len(history), 1)), 1)
        residuals = history.stars - model.parameters["overall"] - model.parameters["movie"][history.movies]
        precision = np.linalg.inv(prior)
        covariance = np.linalg.inv(precision + design.T @ design / noise)
        expected = covariance @ (precision @ mean + design.T @ residuals / noise)
        np.testing.assert_allclose(taste.mean, expected, atol=1e-6)
        np.testing.assert_allclose(prior - taste.root.T @ taste.root, covariance, atol=1e-6)

    def test_the_ridge_maximises_the_likelihood_of_ratings(self, monkeypatch: pytest.MonkeyPatch) -> None:
        train = tastes()[0]
        monkeypatch.setattr(autorec, "RIDGES", (1.0,))
        model = AutoRec(AutoRecSettings(epochs=4, members=1))
        model.fit(train)
        prior, mean, noise = (model.parameters[name] for name in ("prior", "mean", "noise"))
        size = len(mean) - 1
        ridges = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
        priors = [
            prior + np.diag(np.append(np.full(size, (1 / ridge - 1) * noise / model.settings.decay), 0.0))
            for ridge in ridges
        ]
        likelihoods = np.zeros(len(ridges))
        for user in sample_users(len(train.users), autorec.EVIDENCE_USERS).tolist():
            history = history_of(train, user)
            design = model._rated_design(history)
            residuals = history.stars - model.parameters["overall"] - model.parameters["movie"][history.movies]
            for index, prior_covariance in enumerate(priors):
                covariance = design @ prior_covariance @ design.T + noise * np.eye(len(history))
                likelihoods[index] += multivariate_normal(design @ mean, covariance).logpdf(residuals)
        best = int(likelihoods.argmax())
        assert 0 < best < len(ridges) - 1
        monkeypatch.setattr(autorec, "RIDGES", ridges)
        model.learn_shrinkage(train)
        np.testing.assert_allclose(model.parameters["prior"], priors[best], atol=1e-9)
        features = model.parameters["features"][:-1]
        variance = np.diag(features @ priors[best][:size, :size] @ features.T) + priors[best][-1, -1]
        np.testing.assert_allclose(model.parameters["spread"], variance, rtol=1e-4)

    def test_features_leave_out_the_ratings_of_the_user_they_serve(self, model: AutoRec) -> None:
        train = tastes()[0]
        history = history_of(train, 4)
        rows = np.flatnonzero(train.ratings.user == 4)
        residuals = np.zeros((len(train.movies), len(train.users)))
        bias = Bias()
        bias.fit(train)
        expected = bias.predict(train.ratings.user, train.ratings.movie)
        residuals[train.ratings.movie, train.ratings.user] = train.ratings.stars - expected
        inside = model.parameters["inside"][-1] + residuals @ model.parameters["encoder"]
        # The tolerance is needed because ``predict`` clips stars to the scale.
        np.testing.assert_allclose(inside, model.parameters["inside"][:-1], atol=0.1)
        residuals[train.ratings.movie[rows], 4] = 0
        without = (model.parameters["inside"][-1] + residuals @ model.parameters["encoder"])[history.movies]
        features = (
            1 / (1 + np.exp(-without)) - 1 / (1 + np.exp(-model.parameters["inside"][-1]))
        ) / model.settings.members**0.5
        np.testing.assert_allclose(model._rated_design(history)[:, :-1], features, atol=0.02)

    def test_more_ratings_reduce_the_uncertainty(self, model: AutoRec) -> None:
        history = history_of(tastes()[0], 4)
        few = History(history.movies[:4], history.stars[:4])
        uncertainties = [float(model.expect(model.fold_in(each)).uncertainty.mean()) for each in (EMPTY, few, history)]
        assert uncertainties[0] > uncertainties[1] > uncertainties[2]


class TestByUser:
    @pytest.fixture(scope="class")
    @classmethod
    def model(cls) -> AutoRec:
        model = AutoRec(AutoRecSettings(by_user=True), seed=1)
        model.fit(tastes()[0])
        return model

    @pytest.mark.parametrize("dropout", [0.0, 0.3])
    def test_learns_the_checkerboard(self, dropout: float) -> None:
        train, held_out = checkerboard()
        model = AutoRec(AutoRecSettings(by_user=True, dropout=dropout))
        model.fit(train)
        assert rmse(model.predict(held_out.user, held_out.movie), held_out.stars) < 0.3

    def test_folding_in_gives_the_output_of_the_network(self, model: AutoRec) -> None:
        train, held_out = tastes()
        again = AutoRec(model.settings, seed=1)
        fitted = again.fit(train, held_out)
        error = rmse(model.predict(held_out.user, held_out.movie), held_out.stars)
        assert np.sqrt(fitted.curve[-1].validation_loss) == pytest.approx(error, rel=1e-3)
        movies = np.arange(len(train.movies), dtype=np.int32)
        stars = model.expect(model.fold_in(history_of(train, 3))).stars
        np.testing.assert_allclose(stars, model.predict(np.full(len(movies), 3, np.int32), movies), atol=1e-4)
        stranger = model.expect(model.fold_in(EMPTY)).stars
        np.testing.assert_allclose(stranger, model.predict(movies * 0 - 1, movies), atol=1e-4)

    def test_an_explanation_is_how_much_removing_a_rating_changes_the_score(self, model: AutoRec) -> None:
        history, movies = history_of(tastes()[0], 8), np.asarray([0, 30, 89], np.int32)
        shares = model.explain_list(history, movies)
        np.testing.assert_allclose(shares, Model.explain_list(model, history, movies), atol=1e-4)
        assert np.abs(shares).max() > 1e-3


def test_published_settings_learn() -> None:
    train, held_out = tastes()
    model = AutoRec(AutoRec.published)
    curve = model.fit(train).curve
    assert len(curve) == 10
    assert curve[-1].train_loss < curve[0].train_loss
    assert np.isfinite(model.predict(held_out.user, held_out.movie)).all()
