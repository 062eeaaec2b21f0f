"""Who likes a movie more than others do."""

import numpy as np
import pytest

from movietui.models.serving.crowds import Crowd, agreeing, crowd, fans
from movietui.models.serving.similar import Similarities
from tests.models.builders import dataset


@pytest.mark.parametrize(
    ("theirs", "everyone", "people", "clearly"),
    [
        (0.96, 0.9, 100, True),
        (0.95, 0.9, 100, False),  # shrunk: 0.045, less than half of 0.1
        (0.89, 0.8, 100, True),  # 8 % more is enough
        (0.88, 0.8, 100, False),
        (0.7, 0.61, 100, True),
        (0.7, 0.62, 100, False),
        (0.69, 0.5, 100, False),  # too many do not like it
        (1.0, 0.8, 29, False),  # too few
        (1.0, 1.0, 100, False),
        (0.5, 0.6, 100, False),
    ],
)
def test_a_crowd_likes_a_movie_clearly_more(theirs: float, everyone: float, people: int, clearly: bool) -> None:
    assert Crowd(theirs, everyone, people).likes_clearly_more == clearly


@pytest.mark.parametrize(
    ("theirs", "everyone", "people", "nearly"),
    [(0.9, 0.8, 30, True), (0.89, 0.8, 30, False), (0.9, 0.84, 30, False), (0.9, 0.8, 29, False)],
)
def test_nearly_all_of_a_crowd_like_a_movie(theirs: float, everyone: float, people: int, nearly: bool) -> None:
    assert Crowd(theirs, everyone, people).nearly_all_like == nearly


def test_fans_and_people_who_agree() -> None:
    # Users 0 to 2 rated movies 0 to 4, user 3 only movie 4, user 4 all but movie 0.
    stars = [[4, 5, 4, 1, 5], [5, 4, 3, 1, 5], [1, 1, 1, 5, 3], [0, 0, 0, 0, 4], [0, 5, 5, 1, 1]]
    user, movie = np.nonzero(stars)
    raters = Similarities(dataset(user, movie, np.asarray(stars)[user, movie])).of(0).raters
    assert raters.user.tolist() == [0, 1, 2]
    assert fans(raters, 1).tolist() == [True, True, False]
    assert crowd(raters, fans(raters, 2)) == Crowd(1.0, 2 / 3, 1)
    assert crowd(raters, np.zeros(3, bool)) == Crowd(0.0, 2 / 3, 0)
    rated = np.int32([1, 2, 3])
    assert agreeing(raters, rated, np.float32([1, 1, -1]), 5).tolist() == [True, True, False]
    assert agreeing(raters, rated, np.float32([-1, -1, 1]), 5).tolist() == [False, False, True]
    assert not agreeing(raters, np.int32([]), np.float32([]), 5).any()
