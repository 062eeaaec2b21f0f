"""The ordered probit, and the Bayesian factorisation machine with it."""

from dataclasses import replace

import numpy as np
import pytest

from movietui.models import ordinal
from movietui.models.bayes import Bayes, BayesSettings
from tests.models.builders import dataset
from tests.models.contract import ModelContract

VALUES = np.asarray([1, 2, 3, 4, 5], np.float32)
CUTS = np.asarray([1.5, 2.1, 3.4, 4.5])
QUICK = BayesSettings(factors=2, sweeps=60, samples=6, implicit=2, ordinal=True)


@pytest.mark.parametrize(("latent", "deviation"), [(0.0, 1.0), (2.7, 0.5), (3.3, 1.4), (6.0, 0.8)])
def test_expected_stars_are_the_mean_of_drawn_stars(latent: float, deviation: float) -> None:
    z = np.random.RandomState(0).normal(latent, deviation, 400_000)
    stars = VALUES[np.searchsorted(CUTS, z)]
    expected = ordinal.expected(VALUES, CUTS, np.asarray([latent]), np.asarray([deviation]))
    assert expected[0] == pytest.approx(stars.mean(), abs=0.01)
    for star in np.unique(stars):
        rows = stars == star
        if rows.sum() < 1_000:
            continue
        mean = ordinal.latent_mean(VALUES, CUTS, np.asarray([star]), np.asarray([latent]), np.asarray([deviation]))
        assert mean[0] == pytest.approx(z[rows].mean(), abs=0.02)


def test_several_samples_are_computed_at_once() -> None:
    cuts, latent = np.stack([CUTS, CUTS + 0.1]), np.asarray([[1.0, 3.0, 5.0], [2.0, 3.0, 4.0]])
    deviation, stars = np.full(latent.shape, 0.7), np.asarray([5, 1, 3], np.float32)
    both = ordinal.expected(VALUES, cuts, latent, deviation)
    means = ordinal.latent_mean(VALUES, cuts, stars, latent, deviation)
    for index in range(2):
        one = cuts[index], latent[index], deviation[index]
        np.testing.assert_array_equal(both[index], ordinal.expected(VALUES, *one))
        np.testing.assert_array_equal(means[index], ordinal.latent_mean(VALUES, one[0], stars, *one[1:]))


def test_latent_means_stay_between_their_cuts_far_from_the_prediction() -> None:
    means = ordinal.latent_mean(VALUES, CUTS, np.asarray([5.0, 3.0]), np.asarray([-40.0, 90.0]), np.asarray([1.0, 1.0]))
    assert np.isfinite(means).all()
    assert means[0] > -40
    assert means[1] < 90


class TestOrdinal(ModelContract):
    kind = Bayes
    settings = QUICK
    hurried = replace(QUICK, sweeps=2)
    checkerboard_bound = 0.6
    tastes_bound = 0.75

    def test_recovers_uneven_steps(self) -> None:
        """A wide range of latent numbers becomes three stars, narrow ranges become two or four."""
        random = np.random.RandomState(5)
        user, movie = np.nonzero(random.random_sample((150, 60)) < 0.6)
        z = 3 + random.normal(0, 0.5, 150)[user] + random.normal(0, 0.7, 60)[movie] + random.normal(0, 0.7, len(user))
        cuts = np.asarray([1.5, 1.9, 4.1, 4.5])
        train = dataset(user, movie, VALUES[np.searchsorted(cuts, z)])
        model = Bayes(QUICK)
        model.fit(train)
        np.testing.assert_allclose(model.parameters["cuts"].mean(0), cuts, atol=0.15)
        assert model.parameters["cuts"].std(0)[1:3].min() > 0
