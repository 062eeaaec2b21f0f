"""Models over embeddings: factorisation by gradient descent, with and without dense layers."""

from dataclasses import replace

import numpy as np
import pytest

from movietui.models.base import History, history_of
from movietui.models.embedding_networks import DeepMF, DeepMFSettings, Ncf, NcfSettings, ResidualMF, ResidualMFSettings
from movietui.models.embedding_products import Dot, DotSettings, SgdMF, SgdMFSettings
from movietui.models.embeddings import Embedded, fold_in, outputs, outputs_and_slopes
from tests.models.builders import rmse, tastes
from tests.models.contract import EMPTY, ModelContract


class EmbeddedContract(ModelContract):
    """The contract of this family of models, in addition to that of all models."""

    checkerboard_bound = 0.4
    tastes_bound = 0.8

    def test_slopes_are_the_derivatives_of_the_output(self, model: Embedded) -> None:
        random = np.random.RandomState(2)
        x = model.parameters["user"][:, 5:6] + 0.01
        y = model.parameters["movie"][:, :40]
        slope = outputs_and_slopes(model.parameters, model.shape, x, y)[1]
        direction = random.normal(size=x.shape).astype(np.float32)
        free = model.shape.user_factors + model.shape.biases
        direction[..., free:] = 0
        step = np.float32(1e-3)
        ahead, behind = (outputs(model.parameters, model.shape, x + way * direction, y) for way in (step, -step))
        expected = (ahead - behind) / (2 * step)
        # In wide layers, some ReLU units switch within the step, so the largest errors are ignored.
        errors = np.abs(expected - (slope * direction[..., : slope.shape[-1]]).sum(-1))
        assert np.quantile(errors, 0.75) < 0.01 * np.abs(expected).max()

    def test_folding_in_reaches_a_minimum(self, model: Embedded) -> None:
        """No small step in any direction improves the objective of the viewer's vector."""
        history = history_of(tastes()[0], 4)
        posterior = model.fold_in(history)
        parameters, free = model.parameters, model.shape.user_factors + 1

        def objective(x: np.ndarray) -> np.ndarray:
            y = parameters["movie"][:, history.movies]
            stars = outputs(parameters, model.shape, x.astype(np.float32)[:, None], y)
            difference = x[:, :free] - parameters["user_mean"]
            prior_term = np.einsum("ek,ekl,el->e", difference, parameters["user_precision"], difference)
            return ((history.stars - stars) ** 2).sum(-1) / parameters["noise"] + prior_term

        least, start = objective(posterior.mean), posterior.mean.copy()
        start[:, :free] = parameters["user_mean"]
        assert (least < objective(start)).all()
        random = np.random.RandomState(0)
        for _ in range(30):
            step = random.normal(size=posterior.mean.shape)
            step[:, free:] = 0
            step *= 0.1 / np.linalg.norm(step, axis=-1, keepdims=True)
            assert (objective(posterior.mean + step) > least - 0.02 * np.abs(least)).all()

    def test_more_ratings_reduce_the_uncertainty(self, model: Embedded) -> None:
        history = history_of(tastes()[0], 4)
        few = History(history.movies[:4], history.stars[:4])
        uncertainties = [float(model.expect(model.fold_in(each)).uncertainty.mean()) for each in (EMPTY, few, history)]
        assert uncertainties[0] > uncertainties[1] > uncertainties[2]

    def test_the_defaults_learn_tastes(self) -> None:
        """The other tests of these models use settings that train faster."""
        train, held_out = tastes()
        model = self.kind(seed=1)
        model.fit(train)
        assert rmse(model.predict(held_out.user, held_out.movie), held_out.stars) < self.tastes_bound


class TestSgdMF(EmbeddedContract):
    kind = SgdMF
    published = replace(SgdMF.published, epochs=4, rate=0.02)
    settings = SgdMFSettings(members=2, factors=8, epochs=5, rate=0.02)
    hurried = replace(settings, epochs=1)

    def test_folding_in_is_ridge_regression(self, model: SgdMF) -> None:
        history = history_of(tastes()[0], 4)
        posterior = fold_in(model.parameters, model.shape, history.movies, history.stars)
        for member in range(len(posterior.mean)):
            y = model.parameters["movie"][member, history.movies].astype(np.float64)
            residuals = history.stars - y[:, -1] - float(model.parameters["overall"])
            design = np.column_stack([y[:, :-1], np.ones(len(y))])
            prior = model.parameters["user_precision"][member]
            noise = model.parameters["noise"][member]
            pull = design.T @ residuals / noise + prior @ model.parameters["user_mean"][member]
            expected = np.linalg.solve(design.T @ design / noise + prior, pull)
            np.testing.assert_allclose(posterior.mean[member], expected, atol=1e-3)


class TestDot(EmbeddedContract):
    kind = Dot
    published = replace(Dot.published, epochs=4, rate=0.02)
    settings = DotSettings(factors=8, epochs=5, rate=0.02)
    hurried = replace(settings, epochs=1)


class TestDeepMF(EmbeddedContract):
    kind = DeepMF
    published = replace(DeepMF.published, epochs=4, rate=0.05)
    settings = DeepMFSettings(members=2)
    hurried = replace(settings, epochs=1)


class TestResidualMF(EmbeddedContract):
    kind = ResidualMF
    published = replace(ResidualMF.published, epochs=4)
    settings = ResidualMFSettings(members=2, factors=8, hidden=32, epochs=4, rate=0.03)
    hurried = replace(settings, epochs=1)


class TestNcf(EmbeddedContract):
    kind = Ncf
    settings = NcfSettings(members=1)
    hurried = replace(settings, epochs=1)
    published = replace(Ncf.published, epochs=2)


@pytest.mark.parametrize("kind", [SgdMF, DeepMF])
def test_several_members_are_better_than_one(kind: type[Embedded]) -> None:
    train, held_out = tastes()
    errors = []
    for members in (1, 3):
        model = kind(kind.settings_type(members=members))
        model.fit(train)
        errors.append(rmse(model.predict(held_out.user, held_out.movie), held_out.stars))
    assert errors[1] < errors[0]
