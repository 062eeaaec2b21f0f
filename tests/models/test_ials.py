"""Matrix factorisation that also learns from what was not rated."""

import numpy as np
import pytest

from models import alternation
from models.bias import Bias
from models.ials import Ials, IalsSettings
from models.model import History, history_of
from tests.models.builders import checkerboard, rmse, tastes
from tests.models.contract import EMPTY, ModelContract


class TestIals(ModelContract):
    kind = Ials
    hurried = IalsSettings(sweeps=1)
    checkerboard_bound = 1.9
    """As many factors as there are movies of a kind tell seen from unseen; see below for two."""
    tastes_bound = 0.9

    def test_two_factors_find_the_checkerboard(self) -> None:
        train, held_out = checkerboard()
        model = Ials(IalsSettings(factors=2))
        model.fit(train)
        assert rmse(model.predict(held_out.user, held_out.movie), held_out.stars) < 0.4
        liked = History(np.asarray([2, 6, 11], np.int32), np.asarray([5, 5, 1], np.float32))
        score = model.expect(model.fold_in(liked)).score
        assert score[0:40:2].min() > score[1:40:2].max()

    def test_is_better_than_biases_where_there_is_taste(self) -> None:
        train, held_out = tastes()
        errors = []
        for model in (Bias(), Ials(IalsSettings(factors=3, unseen=0.05))):
            model.fit(train)
            errors.append(rmse(model.predict(held_out.user, held_out.movie), held_out.stars))
        assert errors[1] < errors[0] - 0.1

    @pytest.mark.parametrize("scaling", [0.0, 1.0])
    def test_a_viewer_minimises_the_loss(self, scaling: float) -> None:
        model = Ials(IalsSettings(factors=3, sweeps=3, scaling=scaling))
        train = tastes()[0]
        model.fit(train)
        history = history_of(train, 7)
        values = history.stars - 1
        said = values != 0
        movies = model.parameters["factors"][:-1].astype(np.float64)
        settings, unseen = model.settings, float(model.parameters["unseen"])

        def loss(x: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> float:
            ridge = settings.ridge * (said.sum() + unseen * len(movies)) ** scaling
            fit = ((values - movies[history.movies] @ x)[said] ** 2).sum()
            return float(fit + unseen * ((movies @ x) ** 2).sum() + ridge * x @ x)

        best = model.solve(history)
        for step in (*np.eye(3), *-np.eye(3)):
            assert loss(best + 0.01 * step) > loss(best)

    def test_movies_are_solved_for_as_viewers_are(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Both sides are one system of equations; and blocks do not change the answer."""
        model = Ials(IalsSettings(factors=3, sweeps=3), seed=1)
        train = tastes()[0]
        model.fit(train)
        monkeypatch.setattr(alternation, "BLOCK", 70)
        lists = alternation._Lists.of_users(train, model.settings)
        movies = alternation.torch.from_numpy(model.parameters["factors"][:-1])
        users = alternation._solve(lists, movies, movies, float(model.parameters["unseen"]), model.settings).numpy()
        for user in (0, 6, 7, 149):
            np.testing.assert_allclose(users[user], model.solve(history_of(train, user)), atol=1e-4)

    def test_more_ratings_make_it_surer(self) -> None:
        train = tastes()[0]
        model = Ials(IalsSettings(factors=3, unseen=0.05))
        model.fit(train)
        history = history_of(train, 4)
        few = History(history.movies[:4], history.stars[:4])
        doubts = [float(model.expect(model.fold_in(each)).uncertainty.mean()) for each in (EMPTY, few, history)]
        assert doubts[0] > doubts[1] > doubts[2]

    def test_too_much_ridge_leaves_biases(self) -> None:
        train, held_out = tastes()
        bias, model = Bias(), Ials(IalsSettings(factors=3, ridge=10))
        bias.fit(train)
        model.fit(train)
        expected = bias.predict(held_out.user, held_out.movie)
        np.testing.assert_allclose(model.predict(held_out.user, held_out.movie), expected, atol=1e-4)
