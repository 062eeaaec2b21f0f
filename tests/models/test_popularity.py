"""Popularity."""

import numpy as np
import pytest

from movietui.models.popularity import Popularity, PopularitySettings
from tests.models.builders import dataset
from tests.models.contract import EMPTY, ModelContract


class TestPopularity(ModelContract):
    kind = Popularity
    checkerboard_bound = 2.05
    tastes_bound = 1.2
    personal = False
    stored_users = False

    def test_stars_are_the_damped_mean(self) -> None:
        model = Popularity(PopularitySettings(damping=2))
        model.fit(dataset([0, 1, 2, 0], [0, 0, 0, 1], [5, 5, 2, 4]))
        # The overall mean is 4, so movie 0 gets (12 + 8) / 5 stars and movie 1 (4 + 8) / 3.
        expectation = model.expect(model.fold_in(EMPTY))
        assert expectation.stars == pytest.approx([4, 4])
        assert expectation.score == pytest.approx(np.log([4, 2]))

    def test_uncertainty_falls_with_the_number_of_ratings(self) -> None:
        model = Popularity(PopularitySettings(damping=1))
        model.fit(dataset([0, 1, 2, 0], [0, 0, 0, 1], [5, 3, 1, 4]))
        many, one = model.expect(None).uncertainty
        assert one == pytest.approx(many * np.sqrt(2), rel=1e-5)

    def test_without_damping_a_movie_without_ratings_has_finite_predictions(self) -> None:
        model = Popularity(PopularitySettings(damping=0))
        model.fit(dataset([0], [0], [5], movies=2))
        assert np.isfinite(model.expect(None).stars).all()
        assert np.isfinite(model.expect(None).uncertainty).all()
