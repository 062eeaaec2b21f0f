"""Matrix factorisation that also learns from what was not rated."""

import numpy as np
import pytest
import torch

from movietui.models.base import History, history_of
from movietui.models.bias import Bias
from movietui.models.ials import Ials, IalsSettings
from movietui.models.training import alternating
from movietui.models.training import ials as training
from tests.models.builders import checkerboard, rmse, tastes
from tests.models.contract import EMPTY, ModelContract


class TestIals(ModelContract):
    kind = Ials
    hurried = IalsSettings(sweeps=1)
    checkerboard_bound = 1.9
    """The many default factors only separate movies that a user rated from others; a test below uses two factors."""
    tastes_bound = 0.9

    def test_two_factors_learn_the_checkerboard(self) -> None:
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

    def test_more_ratings_support_more_factors_with_less_ridge(self) -> None:
        chosen = [IalsSettings().for_ratings(ratings) for ratings in (0, 1_000, 80_000, 800_000, 32_000_000)]
        factors, ridges = [each.factors for each in chosen], [each.ridge for each in chosen]
        assert factors == sorted(factors)
        assert (factors[0], factors[-1]) == (4, 128)
        assert ridges == sorted(ridges, reverse=True)
        assert IalsSettings(factors=7, ridge=0.3).for_ratings(1_000) == IalsSettings(factors=7, ridge=0.3)
        train = tastes()[0]
        model = Ials(IalsSettings(sweeps=1))
        model.fit(train)
        suited = model.settings.for_ratings(len(train.ratings))
        assert model.parameters["factors"].shape == (len(train.movies) + 1, suited.factors)
        assert float(model.parameters["ridge"]) == suited.ridge

    @pytest.mark.parametrize("ratings", [1, 4])
    def test_unrated_pairs_weigh_as_much_per_rating_in_larger_data(self, ratings: int) -> None:
        """If everybody rates ``k`` times as many movies, a pair without a rating weighs ``k`` times as much."""
        train = tastes()[0]
        rows = np.arange(0, len(train.ratings), 4 // ratings)
        model = Ials(IalsSettings(factors=3, sweeps=1, unseen=8.0))
        model.fit(train.with_ratings(rows))
        valued = np.count_nonzero(train.ratings.stars[rows] != model.settings.zero)
        expected = 8.0 * valued / len(train.users) / len(train.movies)
        assert float(model.parameters["unseen"]) == pytest.approx(expected)

    @pytest.mark.parametrize("scaling", [0.0, 1.0])
    def test_a_viewer_minimises_the_loss(self, scaling: float) -> None:
        model = Ials(IalsSettings(factors=3, sweeps=3, scaling=scaling))
        train = tastes()[0]
        model.fit(train)
        history = history_of(train, 7)
        values = history.stars - 1
        has_value = values != 0
        movies = model.parameters["factors"][:-1].astype(np.float64)
        unseen = float(model.parameters["unseen"])

        def loss(x: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> float:
            ridge = float(model.parameters["ridge"]) * (has_value.sum() + unseen * len(movies)) ** scaling
            fit = ((values - movies[history.movies] @ x)[has_value] ** 2).sum()
            return float(fit + unseen * ((movies @ x) ** 2).sum() + ridge * x @ x)

        best = model.solve(history)
        for step in (*np.eye(3), *-np.eye(3)):
            assert loss(best + 0.01 * step) > loss(best)

    def test_users_are_solved_for_like_viewers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Factors of users in training are computed like those of viewers, and the block size changes nothing."""
        model = Ials(IalsSettings(factors=3, sweeps=3), seed=1)
        train = tastes()[0]
        model.fit(train)
        monkeypatch.setattr(alternating, "BLOCK", 300)
        monkeypatch.setattr(alternating, "LISTS", 3)
        values = model.settings.values(train.ratings.stars)
        rated = train.ratings.take(np.flatnonzero(values))
        lists = alternating.PaddedLists.of(rated.user, rated.movie, values[values != 0], len(train.users))
        assert max(len(numbers) for numbers, _, _ in lists.groups) == 3
        movies = torch.from_numpy(model.parameters["factors"][:-1])
        settings = model.settings.for_ratings(len(train.ratings))
        users = training._solve(lists, movies, movies, float(model.parameters["unseen"]), settings).numpy()
        for user in (0, 6, 7, 149):
            np.testing.assert_allclose(users[user], model.solve(history_of(train, user)), atol=1e-4)

    def test_more_ratings_reduce_the_uncertainty(self) -> None:
        train = tastes()[0]
        model = Ials(IalsSettings(factors=3, unseen=0.05))
        model.fit(train)
        history = history_of(train, 4)
        few = History(history.movies[:4], history.stars[:4])
        uncertainties = [float(model.expect(model.fold_in(each)).uncertainty.mean()) for each in (EMPTY, few, history)]
        assert uncertainties[0] > uncertainties[1] > uncertainties[2]

    def test_too_much_ridge_leaves_only_the_biases(self) -> None:
        train, held_out = tastes()
        bias, model = Bias(), Ials(IalsSettings(factors=3, ridge=10))
        bias.fit(train)
        model.fit(train)
        expected = bias.predict(held_out.user, held_out.movie)
        np.testing.assert_allclose(model.predict(held_out.user, held_out.movie), expected, atol=1e-4)
