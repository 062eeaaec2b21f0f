"""What ratings say, and how scores become stars."""

import numpy as np
import pytest

from models.preferences import PreferenceSettings, Sample, calibrate, sampled, usual


def test_what_ratings_say() -> None:
    stars = np.asarray([1, 3, 4, 5], np.float32)
    np.testing.assert_array_equal(PreferenceSettings().values(stars), [0, 2, 3, 4])
    np.testing.assert_array_equal(PreferenceSettings(zero=2.5).values(stars), [-1.5, 0.5, 1.5, 2.5])
    np.testing.assert_array_equal(PreferenceSettings(least=4, zero=2.5).values(stars), [0, 0, 1.5, 2.5])
    np.testing.assert_array_equal(PreferenceSettings(least=4, ones=True).values(stars), [0, 0, 1, 1])


def test_a_planted_slope_is_found() -> None:
    random = np.random.RandomState(0)
    apart = random.normal(0, 2, 20_000).astype(np.float32)
    rest = (0.3 * apart + random.normal(0, 0.5, len(apart))).astype(np.float32)
    found, loss = calibrate(Sample(rest, apart, 0.5 * apart, 40))
    assert found["slope"] == pytest.approx(0.3, abs=0.01)
    assert loss == pytest.approx(0.25, rel=0.05)
    without, gain = found["taste"]
    assert without == pytest.approx(0.3**2 * 4, rel=0.1)
    # With 20 of the 40 ratings it is a quarter: the other half moves it half as far.
    assert without / (1 + 20 * gain) == pytest.approx(without / 4, rel=0.01)


def test_scores_that_say_nothing_have_no_slope() -> None:
    apart = np.full(50, 1e-12, np.float32)
    found, _ = calibrate(Sample(np.ones(50, np.float32), apart, apart, 10))
    assert found["slope"] == 0
    assert (found["taste"] == 0).all()


def test_the_usual_scores_have_length_one() -> None:
    np.testing.assert_allclose(usual(np.asarray([3.0, -4.0])), [0.6, -0.8, 0])
    np.testing.assert_array_equal(usual(np.zeros(2)), [0, 0, 0])


def test_the_sample_is_never_more_than_a_tenth() -> None:
    assert len(sampled(0, 256)) == 0
    assert len(sampled(60, 256)) == 6
    assert len(sampled(100_000, 256)) == 256
