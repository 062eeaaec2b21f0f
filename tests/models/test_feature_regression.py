"""Regressions on features."""

import numpy as np
import pytest

from movietui.models.feature_regression import RIDGES, regress

RANDOM = np.random.default_rng(3)
FEATURES = RANDOM.normal(size=(60, 5))
TRUE = RANDOM.normal(size=(5, 2))
WEIGHTS = RANDOM.uniform(0.2, 3, 60)


def test_a_linear_function_is_recovered() -> None:
    regression = regress(FEATURES, FEATURES @ TRUE + [3, -1], WEIGHTS)
    new = RANDOM.normal(size=(4, 5))
    np.testing.assert_allclose(regression.predict(new), new @ TRUE + [3, -1], atol=0.02)
    assert np.abs(regression.errors).max() < 0.02


def test_a_row_with_more_weight_counts_like_several_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("movietui.models.feature_regression.RIDGES", RIDGES[:1])
    values = RANDOM.normal(size=(60, 1))
    times = np.arange(60) % 3 + 1
    repeated = regress(np.repeat(FEATURES, times, 0), np.repeat(values, times, 0), np.ones(times.sum()))
    np.testing.assert_allclose(regress(FEATURES, values, times).slopes, repeated.slopes, atol=1e-8)


@pytest.mark.parametrize("row", [0, 17])
def test_errors_are_those_of_a_regression_on_the_other_rows(monkeypatch: pytest.MonkeyPatch, row: int) -> None:
    monkeypatch.setattr("movietui.models.feature_regression.RIDGES", RIDGES[2:3])
    values = FEATURES @ TRUE + RANDOM.normal(size=(60, 2))
    others = np.arange(60) != row
    error = regress(FEATURES, values, WEIGHTS).errors[row]
    left_out = regress(FEATURES[others], values[others], WEIGHTS[others])
    # The intercept of all rows and the ridge make a small difference.
    np.testing.assert_allclose(error, values[row] - left_out.predict(FEATURES[row]), atol=0.02)


def test_each_column_has_the_ridge_that_leaves_the_smallest_errors() -> None:
    signal, noise = FEATURES @ TRUE[:, :1], RANDOM.normal(size=(60, 1))
    regression = regress(FEATURES, np.hstack([signal, noise]), WEIGHTS)
    assert np.abs(regression.slopes[:, 0]).max() > 0.5
    assert np.abs(regression.slopes[:, 1]).max() < 0.02


def test_without_features_the_mean_is_predicted() -> None:
    values = RANDOM.normal(size=(60, 1))
    regression = regress(FEATURES[:, :0], values, WEIGHTS)
    assert regression.predict(np.empty((2, 0))) == pytest.approx(
        np.full((2, 1), np.average(values[:, 0], weights=WEIGHTS))
    )
