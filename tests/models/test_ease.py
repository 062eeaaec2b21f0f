"""The linear model that predicts each movie from all others."""

from dataclasses import replace

import numpy as np
import pytest

from movietui.models.base import History, history_of
from movietui.models.bias import Bias
from movietui.models.ease import Ease, EaseSettings, solve, solve_by_users
from tests.models.builders import checkerboard, rmse, tastes
from tests.models.contract import EMPTY, ModelContract


def table(users: int = 40, movies: int = 12) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    random = np.random.RandomState(2)
    return (random.randint(1, 5, (users, movies)) * (random.random_sample((users, movies)) < 0.4)).astype(np.float32)


class TestEase(ModelContract):
    kind = Ease
    checkerboard_bound = 0.8
    tastes_bound = 0.9

    @pytest.mark.parametrize("drop", [0.0, 0.7])
    @pytest.mark.parametrize("few", [False, True])
    def test_weights_are_those_of_a_ridge_regression_for_each_movie(self, drop: float, few: bool) -> None:
        x = table(8) if few else table()
        weights, diagonal = solve_by_users(x, 3.0, drop) if few else solve([x], 12, 3.0, drop)
        ridge = 3.0 + drop * (x**2).sum(0)
        for movie in range(x.shape[1]):
            others = np.delete(np.arange(x.shape[1]), movie)
            a = x[:, others].T @ x[:, others] + np.diag(ridge[others])
            np.testing.assert_allclose(
                weights[others, movie], np.linalg.solve(a, x[:, others].T @ x[:, movie]), atol=1e-5
            )
            assert weights[movie, movie] == 0
        np.testing.assert_allclose(diagonal, np.linalg.inv(x.T @ x + np.diag(ridge)).diagonal(), rtol=1e-5)

    @pytest.mark.parametrize("unit", [0.5, 0.3])
    def test_values_are_rounded_only_where_that_is_exact(self, unit: float) -> None:
        x = np.float32(unit) * table(600, 300)
        inverse = np.linalg.inv(x.astype(np.float64).T @ x + 3 * np.eye(300))
        np.testing.assert_allclose(solve([x], 300, 3.0, 0.0)[1], inverse.diagonal(), rtol=1e-5)

    def test_more_movies_and_users_than_a_block_change_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = solve([table()], 12, 3.0, 0.5)[0]
        monkeypatch.setattr("movietui.models.ease.BLOCK", 5)
        np.testing.assert_allclose(solve([table()[:13], table()[13:]], 12, 3.0, 0.5)[0], whole, atol=1e-6)

    def test_more_ratings_than_a_block_change_nothing(self, model: Ease, monkeypatch: pytest.MonkeyPatch) -> None:
        history = history_of(tastes()[0], 4)
        whole = model.expect(model.fold_in(history)).score
        monkeypatch.setattr("movietui.models.ease.MOVIES_AT_ONCE", 3)
        np.testing.assert_allclose(model.expect(model.fold_in(history)).score, whole, atol=1e-5)

    def test_the_sample_is_scored_as_if_it_were_not_in_the_fit(self) -> None:
        """``unseen`` gives the same scores as a fit without the user, if the ridge does not change."""
        values, model = table(), Ease(EaseSettings(balance=0.7))
        x = model.weighted(values)
        weights, diagonal = solve([x], 12, 3.0, 0.0)
        unseen = model.unseen(values[5:6], values[5:6] @ weights, diagonal)[0]
        np.testing.assert_allclose(unseen, values[5] @ solve([np.delete(x, 5, 0)], 12, 3.0, 0.0)[0], atol=1e-4)

    def test_users_with_many_ratings_count_less(self) -> None:
        few, many = np.zeros((2, 300), np.float32)
        few[:20], many[:] = 3, 4
        weighted = Ease(EaseSettings(balance=0.5)).weighted(np.stack([few, many]))
        np.testing.assert_allclose(weighted[:, 0], [3 * (300 / 60) ** 0.25, 4 * (300 / 1200) ** 0.25], rtol=0.04)
        assert (Ease(EaseSettings(balance=0)).weighted(few[None]) == few).all()

    def test_weighted_half_stars_are_exact_in_sixteen_bits(self) -> None:
        import torch

        roots = EaseSettings().roots(np.arange(1, 20_000))
        rows = torch.from_numpy(np.outer(roots, np.arange(0.5, 5.5, 0.5)).astype(np.float32))
        assert (rows.bfloat16() == rows).all()

    def test_movies_similar_to_liked_ones_lead_the_list(self) -> None:
        train = checkerboard()[0]
        model = Ease()
        model.fit(train)
        liked = History(np.asarray([2, 6, 11], np.int32), np.asarray([5, 5, 1], np.float32))
        score = model.expect(model.fold_in(liked)).score
        even, odd = score[0:40:2], score[1:40:2]
        assert even.min() > odd.max()

    def test_is_better_than_biases_where_there_is_taste(self) -> None:
        train, held_out = tastes()
        errors = []
        for model in (Bias(), Ease(EaseSettings(zero=3, ridge=300))):
            model.fit(train)
            errors.append(rmse(model.predict(held_out.user, held_out.movie), held_out.stars))
        assert errors[1] < errors[0] - 0.1

    def test_a_rating_with_the_value_zero_contributes_nothing(self, model: Ease) -> None:
        history = History(np.asarray([1, 2, 3], np.int32), np.asarray([1, 4, 5], np.float32))
        shares = model.explain_list(history, np.asarray([7, 1], np.int32))
        weights, column = model.parameters["weights"], model.parameters["column"]
        of_seven = weights[:, column[7]]
        np.testing.assert_allclose(shares[0], [0, 3 * of_seven[column[2]], 4 * of_seven[column[3]]], atol=1e-6)
        assert shares[1, 0] == -0.5

    def test_only_the_most_rated_movies_are_learned(self) -> None:
        train = tastes()[0]
        model = Ease(EaseSettings(movies=20))
        model.fit(train)
        assert model.parameters["weights"].shape == (20, 20)
        learned = np.argsort(-train.counts, kind="stable")[:20]
        expectation = model.expect(model.fold_in(history_of(train, 3)))
        assert set(np.flatnonzero(expectation.score)) <= set(learned) | set(history_of(train, 3).movies)
        assert np.isfinite(expectation.stars).all()
        rest = np.setdiff1d(np.arange(len(train.movies)), learned)[:4].astype(np.int32)
        history = History(rest[:2], np.asarray([5, 4], np.float32))
        assert (model.explain_list(history, rest[2:]) == 0).all()

    def test_more_ratings_reduce_the_uncertainty(self) -> None:
        train = tastes()[0]
        model = Ease(EaseSettings(zero=3, ridge=300))
        model.fit(train)
        history = history_of(train, 4)
        few = History(history.movies[:4], history.stars[:4])
        uncertainties = [float(model.expect(model.fold_in(each)).uncertainty.mean()) for each in (EMPTY, few, history)]
        assert uncertainties[0] > uncertainties[1] > uncertainties[2]

    def test_binary_values_from_four_stars_on(self) -> None:
        model = Ease(replace(EaseSettings(), ones=True, least=4))
        model.fit(tastes()[0])
        low = History(np.asarray([1, 2], np.int32), np.asarray([3, 2], np.float32))
        assert not np.delete(model.expect(model.fold_in(low)).score, [1, 2]).any()
