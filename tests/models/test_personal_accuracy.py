"""How good a model is for one person, against what is worked out by hand."""

import math

import numpy as np
import pytest

from data.dataset import Dataset, Floats, Ints, Ratings
from models.model import Expectation, Fitted, History, Model, Parameters, Progress
from models.personal import FEWEST, NEWEST, lacking, personal, rmse, wilson
from models.ranking import Ranker
from models.settings import Settings
from tests.models.builders import dataset

MOVIES = 100


class Fixed(Model[Settings, History]):
    """Expects 4 stars of the first half of the movies and 2 of the others, and lists them in their order."""

    name = "fixed"
    settings_type = Settings
    met: History

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        return {}, Fitted()

    def predict(self, users: Ints, movies: Ints) -> Floats:
        raise AssertionError("a person is folded in")

    def fold_in(self, history: History) -> History:
        self.met = history
        return history

    def expect(self, taste: History) -> Expectation:
        rows = np.arange(MOVIES, dtype=np.float32)
        stars = np.where(rows < MOVIES // 2, np.float32(4), np.float32(2))
        return Expectation(stars, np.zeros_like(rows), -rows)


def fitted() -> Ranker:
    """Two users give every movie 3 stars; a third gives the last sixty 5, so that their mean lies above."""
    user = np.r_[np.repeat([0, 1], MOVIES), np.full(60, 2)]
    movie = np.r_[np.tile(np.arange(MOVIES), 2), np.arange(40, MOVIES)]
    train = dataset(user, movie, np.r_[np.full(2 * MOVIES, 3.0), np.full(60, 5.0)])
    model = Fixed()
    model.fit(train)
    return Ranker(train, model)


def test_the_newest_fifth_is_told_from_the_rest() -> None:
    ranker = fitted()
    # Older: 24 movies from 70 on. Newest: 0 and 1 liked, 99 liked though 2 are expected, 2 and 3 not liked.
    movies = np.r_[np.arange(70, 94), [0, 1, 99, 2, 3]].astype(np.int32)
    stars = np.r_[np.full(24, 3.0), [5, 4, 4, 3, 4]].astype(np.float32)
    found = personal(ranker, History(movies, stars))
    assert (found.older, found.newest, found.liked) == (24, 5, 4)
    assert len(ranker.model.met) == 24  # type: ignore[attr-defined]
    # Errors of the model: 1, 0, 2, 1, 0.
    assert found.by_model.rmse.value == pytest.approx(math.sqrt(6 / 5))
    assert found.by_model.hits == 3  # 0, 1 and 3; 99 is the last of its list
    assert found.by_model.hit_rate == wilson(3, 4)
    overall = (200 * 3 + 60 * 5) / 260
    low, high = ((sums + 5 * overall) / (count + 5) for sums, count in ((6, 2), (11, 3)))
    errors = [5 - low, 4 - low, 4 - high, 3 - low, 4 - low]
    assert found.by_means.rmse.value == pytest.approx(math.sqrt(sum(error**2 for error in errors) / 5))
    # By the means the list begins at 40; without the 24 that are rated, 36 of its sixty are left, then come 0 to 13.
    assert found.by_means.hits == 4


def test_what_was_not_liked_has_no_hit_rate() -> None:
    found = personal(fitted(), History(np.arange(25, dtype=np.int32), np.full(25, 2, np.float32)))
    assert (found.liked, found.by_model.hits, found.by_model.hit_rate) == (0, 0, None)


def test_how_many_ratings_are_lacking() -> None:
    assert lacking(0) == NEWEST * FEWEST
    assert lacking(24) == 1
    assert lacking(25) == lacking(1000) == 0


def test_intervals_by_hand() -> None:
    # Squared errors 0, 1, 4, 1, 4: mean 2, deviation sqrt(14 / 4), so 2 ± 1.96 * 1.8708 / sqrt(5).
    found = rmse(np.float32([3, 3, 3, 3, 3]), np.float32([3, 4, 5, 2, 1]))
    assert found.value == pytest.approx(math.sqrt(2))
    assert (found.low, found.high) == pytest.approx((math.sqrt(2 - 1.6398), math.sqrt(2 + 1.6398)), abs=1e-4)
    # Wilson's interval of 1 of 10: 0.0179 to 0.4042 (Agresti and Coull 1998 and every table since).
    assert (wilson(1, 10).low, wilson(1, 10).high) == pytest.approx((0.0179, 0.4042), abs=1e-4)
    assert (wilson(0, 5).low, wilson(5, 5).high) == (0, 1)
    assert wilson(0, 5).high == pytest.approx(0.4345, abs=1e-4)
