"""A model's accuracy for one profile, compared with results that were computed by hand."""

import math

import numpy as np
import pytest

from movietui.data.dataset import Dataset, Floats, Ints, Ratings
from movietui.models.base import Expectation, Fitted, History, Model, Parameters, Progress
from movietui.models.serving.personal_accuracy import (
    HELD_OUT_EVERY,
    MIN_HELD_OUT,
    personal_accuracy,
    ratings_needed,
    rmse,
    wilson,
)
from movietui.models.serving.ranking import Ranker
from movietui.models.settings import Settings
from tests.models.builders import dataset

MOVIES = 100


class Fixed(Model[Settings, History]):
    """Predicts 4 stars for the first half of the movies and 2 for the others, and ranks all movies by row."""

    name = "fixed"
    settings_type = Settings
    last_history: History

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        return {}, Fitted()

    def predict(self, users: Ints, movies: Ints) -> Floats:
        raise AssertionError("a profile is folded in")

    def fold_in(self, history: History) -> History:
        self.last_history = history
        return history

    def expect(self, taste: History) -> Expectation:
        rows = np.arange(MOVIES, dtype=np.float32)
        stars = np.where(rows < MOVIES // 2, np.float32(4), np.float32(2))
        return Expectation(stars, np.zeros_like(rows), -rows)


def fitted() -> Ranker:
    """Two users give every movie 3 stars; a third gives the last sixty movies 5, so that these have a higher mean."""
    user = np.r_[np.repeat([0, 1], MOVIES), np.full(60, 2)]
    movie = np.r_[np.tile(np.arange(MOVIES), 2), np.arange(40, MOVIES)]
    train = dataset(user, movie, np.r_[np.full(2 * MOVIES, 3.0), np.full(60, 5.0)])
    model = Fixed()
    model.fit(train)
    return Ranker(train, model)


def test_the_newest_fifth_is_predicted_from_the_rest() -> None:
    ranker = fitted()
    # The older ratings are those of movies 70 to 93. Of the newest, movies 0, 1, 3 and 99 are liked, although 2 stars
    # are predicted for 99; movie 2 is not liked.
    movies = np.r_[np.arange(70, 94), [0, 1, 99, 2, 3]].astype(np.int32)
    stars = np.r_[np.full(24, 3.0), [5, 4, 4, 3, 4]].astype(np.float32)
    accuracy = personal_accuracy(ranker, History(movies, stars))
    assert (accuracy.older, accuracy.newest, accuracy.liked) == (24, 5, 4)
    assert len(ranker.model.last_history) == 24  # type: ignore[attr-defined]
    # The model's absolute errors are 1, 0, 2, 1 and 0.
    assert accuracy.by_model.rmse.value == pytest.approx(math.sqrt(6 / 5))
    assert accuracy.by_model.hits == 3  # movies 0, 1 and 3; movie 99 is the last in the list
    assert accuracy.by_model.hit_rate == wilson(3, 4)
    overall = (200 * 3 + 60 * 5) / 260
    low, high = ((sums + 5 * overall) / (count + 5) for sums, count in ((6, 2), (11, 3)))
    errors = [5 - low, 4 - low, 4 - high, 3 - low, 4 - low]
    assert accuracy.by_means.rmse.value == pytest.approx(math.sqrt(sum(error**2 for error in errors) / 5))
    # By the means, the list begins with those 36 of the last sixty movies that the older ratings lack, followed by
    # movies 0 to 13.
    assert accuracy.by_means.hits == 4


def test_without_liked_movies_there_is_no_hit_rate() -> None:
    accuracy = personal_accuracy(fitted(), History(np.arange(25, dtype=np.int32), np.full(25, 2, np.float32)))
    assert (accuracy.liked, accuracy.by_model.hits, accuracy.by_model.hit_rate) == (0, 0, None)


def test_how_many_more_ratings_are_needed() -> None:
    assert ratings_needed(0) == HELD_OUT_EVERY * MIN_HELD_OUT
    assert ratings_needed(24) == 1
    assert ratings_needed(25) == ratings_needed(1000) == 0


def test_intervals_by_hand() -> None:
    # The squared errors 0, 1, 4, 1 and 4 have a mean of 2 and a deviation of sqrt(14 / 4): 2 ± 1.96 * 1.8708 / sqrt(5).
    interval = rmse(np.float32([3, 3, 3, 3, 3]), np.float32([3, 4, 5, 2, 1]))
    assert interval.value == pytest.approx(math.sqrt(2))
    assert (interval.low, interval.high) == pytest.approx((math.sqrt(2 - 1.6398), math.sqrt(2 + 1.6398)), abs=1e-4)
    # Wilson's interval for 1 of 10 is 0.0179 to 0.4042 (Agresti and Coull 1998).
    assert (wilson(1, 10).low, wilson(1, 10).high) == pytest.approx((0.0179, 0.4042), abs=1e-4)
    assert (wilson(0, 5).low, wilson(5, 5).high) == (0, 1)
    assert wilson(0, 5).high == pytest.approx(0.4345, abs=1e-4)
