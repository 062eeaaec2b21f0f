"""Ratings predicted from demographics."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from movietui.data.dataset import Dataset
from movietui.data.problems import Problem
from movietui.models.base import History, history_of
from movietui.models.demographic import Demographic, DemographicSettings
from tests.models.builders import dataset, rmse, tastes
from tests.models.contract import EMPTY, ModelContract

QUICK = DemographicSettings(members=1, epochs=4, rate=0.01)
WITH_AVERAGES = replace(QUICK, averages=True)


class TestDemographic(ModelContract):
    kind = Demographic
    settings = QUICK
    hurried = DemographicSettings(epochs=1)
    checkerboard_bound = 2.2
    tastes_bound = 1.3
    personal = False


@cache
def of_tastes(settings: DemographicSettings) -> Demographic:
    """Return a model fitted to tastes; do not modify it."""
    model = Demographic(settings)
    model.fit(tastes()[0])
    return model


def planted(seed: int = 0) -> tuple[Dataset, Dataset]:
    """Men like comedies, women like dramas, older users are stricter: ``(train, more ratings by the same users)``."""
    random = np.random.RandomState(seed)
    user, movie = random.randint(0, 80, 6000), random.randint(0, 60, 6000)
    whole = dataset(user, movie, np.full(6000, 3.0), 80, 60)
    whole = replace(whole, movies=replace(whole.movies, genres=np.arange(60)[:, None] % 2 == [0, 1]))
    male = np.asarray(whole.users.gender)[user] == "M"
    likes = np.where(male == (movie % 2 == 0), 1.0, -1.0)
    stars = 3 + likes - (whole.users.age[user] - 43) / 25 + random.normal(0, 0.2, 6000)
    whole = replace(whole, ratings=replace(whole.ratings, stars=np.clip(stars, 1, 5).astype(np.float32)))
    return whole.with_ratings(np.arange(4000)), whole.with_ratings(np.arange(4000, 6000))


@pytest.mark.parametrize("settings", [QUICK, Demographic.published, WITH_AVERAGES])
def test_recovers_what_was_planted(settings: DemographicSettings | None) -> None:
    train, rest = planted()
    model = Demographic(settings)
    model.fit(train)
    stars = model.predict(rest.ratings.user, rest.ratings.movie)
    assert rmse(stars, rest.ratings.stars) < 0.4 < np.std(rest.ratings.stars) / 2


def test_averages_predict_what_demographics_do_not() -> None:
    held_out = tastes()[1]
    errors = [
        rmse(of_tastes(settings).predict(held_out.user, held_out.movie), held_out.stars)
        for settings in (QUICK, WITH_AVERAGES)
    ]
    assert errors[1] < errors[0] - 0.05


@pytest.mark.parametrize("settings", [QUICK, WITH_AVERAGES])
def test_a_generous_profile_is_expected_to_give_more(settings: DemographicSettings) -> None:
    model = of_tastes(settings)
    movies = np.arange(20, dtype=np.int32)
    stranger, one, generous, strict = (
        model.expect(model.fold_in(History(movies[:many], np.full(many, stars, np.float32))))
        for many, stars in ((0, 5), (1, 5), (20, 5), (20, 1))
    )
    assert (stranger.stars < one.stars).mean() > 0.9
    assert one.stars.mean() < generous.stars.mean()
    assert (strict.stars < stranger.stars).mean() > 0.9


def test_the_offset_is_shrunk_by_its_prior() -> None:
    model = of_tastes(QUICK)
    noise, spread = model.parameters["variances"]
    expected = model.expect(model.fold_in(EMPTY)).stars
    history = History(np.arange(4, dtype=np.int32), expected[:4] + 1)
    taste = model.fold_in(history)
    assert taste.offset == pytest.approx(4 / (4 + noise / spread), rel=1e-4)
    assert taste.variance == pytest.approx(1 / (1 / spread + 4 / noise))


def test_with_averages_folding_in_a_user_gives_the_predictions_for_the_user() -> None:
    train, model = tastes()[0], of_tastes(WITH_AVERAGES)
    movies = np.arange(len(train.movies), dtype=np.int32)
    stars = model.expect(model.fold_in(history_of(train, 7))).stars
    np.testing.assert_allclose(stars, model.predict(np.full(len(movies), 7, np.int32), movies), atol=1e-4)


def test_the_averages_in_training_leave_out_the_rating_itself() -> None:
    """The ratings are pure noise. A model whose averages included the rating itself would fit this noise."""
    random = np.random.RandomState(2)
    train = dataset(np.arange(3000) % 300, random.randint(0, 1000, 3000), random.randint(1, 6, 3000))
    model = Demographic(WITH_AVERAGES)
    curve = model.fit(train).curve
    assert curve[-1].train_loss > 0.8 * np.var(train.ratings.stars)


def test_a_dataset_without_demographics_is_a_problem() -> None:
    train = tastes()[0]
    anonymous = replace(train, users=replace(train.users, age=np.empty(0, np.int32), gender=(), occupation=()))
    with pytest.raises(Problem, match="does not say the age, gender or occupation"):
        Demographic(QUICK).fit(anonymous)
