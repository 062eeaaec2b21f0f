"""The values of ratings, and how scores become stars."""

import numpy as np
import pytest

from movietui.models.rankers import PreferenceSettings, Sample, calibrate, sample_users, unit_mean_of


def test_values_of_ratings() -> None:
    stars = np.asarray([1, 3, 4, 5], np.float32)
    np.testing.assert_array_equal(PreferenceSettings().values(stars), [0, 2, 3, 4])
    np.testing.assert_array_equal(PreferenceSettings(zero=2.5).values(stars), [-1.5, 0.5, 1.5, 2.5])
    np.testing.assert_array_equal(PreferenceSettings(least=4, zero=2.5).values(stars), [0, 0, 1.5, 2.5])
    np.testing.assert_array_equal(PreferenceSettings(least=4, ones=True).values(stars), [0, 0, 1, 1])


def test_recovers_a_planted_slope() -> None:
    random = np.random.RandomState(0)
    personal = random.normal(0, 2, 20_000).astype(np.float32)
    residuals = (0.3 * personal + random.normal(0, 0.5, len(personal))).astype(np.float32)
    parameters, loss = calibrate(Sample(residuals, personal, 0.5 * personal, 40))
    assert parameters["slope"] == pytest.approx(0.3, abs=0.01)
    assert loss == pytest.approx(0.25, rel=0.05)
    without, gain = parameters["taste"]
    assert without == pytest.approx(0.3**2 * 4, rel=0.1)
    # With 20 of the 40 ratings, the variance falls to a quarter, because leaving out half of them changes half of the
    # score.
    assert without / (1 + 20 * gain) == pytest.approx(without / 4, rel=0.01)


def test_negligible_scores_have_no_slope() -> None:
    personal = np.full(50, 1e-12, np.float32)
    parameters, _ = calibrate(Sample(np.ones(50, np.float32), personal, personal, 10))
    assert parameters["slope"] == 0
    assert (parameters["taste"] == 0).all()


def test_the_mean_scores_have_length_one() -> None:
    np.testing.assert_allclose(unit_mean_of(np.asarray([3.0, -4.0])), [0.6, -0.8, 0])
    np.testing.assert_array_equal(unit_mean_of(np.zeros(2)), [0, 0, 0])


def test_the_sample_is_at_most_a_tenth_of_the_users() -> None:
    assert len(sample_users(0, 256)) == 0
    assert len(sample_users(60, 256)) == 6
    assert len(sample_users(100_000, 256)) == 256
