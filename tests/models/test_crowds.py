"""Who likes a movie more than others do."""

import numpy as np
import pytest

from movietui.models.serving.crowds import Crowd, agreeing, crowd, fans, watchers
from movietui.models.serving.similar import Similarities
from tests.models.builders import dataset


@pytest.mark.parametrize(
    ("theirs", "everyone", "people", "clearly", "more"),
    [
        (0.96, 0.9, 100, True, True),
        (0.93, 0.9, 100, False, False),
        (0.9, 0.8, 100, True, True),
        (0.87, 0.8, 100, False, True),  # 87 % of many, shrunk: 0.064, less than four tenths of 0.2
        (0.68, 0.6, 100, True, True),  # 8 % more is enough
        (0.67, 0.6, 100, False, True),
        (1.0, 0.8, 19, False, False),  # too few
        (1.0, 1.0, 100, False, False),
        (0.5, 0.6, 100, False, False),
    ],
)
def test_a_crowd_likes_a_movie_clearly_more(
    theirs: float, everyone: float, people: int, clearly: bool, more: bool
) -> None:
    fans_of_it = Crowd(theirs, everyone, people)
    assert (fans_of_it.likes_clearly_more, fans_of_it.likes_more) == (clearly, more)


@pytest.mark.parametrize(
    ("common", "people", "expected"),
    [(40, 50, Crowd(0.8, 0.3, 50)), (22, 50, None), (15, 19, None), (0, 0, None)],
)
def test_people_who_watched_a_movie_watched_another_one_more_often(
    common: int, people: int, expected: Crowd | None
) -> None:
    assert watchers(common, people, 60, 200) == expected


def test_fans_and_people_who_agree() -> None:
    # Users 0 to 2 rated movies 0 to 4, user 3 only movie 4, user 4 all but movie 0.
    stars = [[4, 5, 4, 1, 5], [5, 4, 3, 1, 5], [1, 1, 1, 5, 3], [0, 0, 0, 0, 4], [0, 5, 5, 1, 1]]
    user, movie = np.nonzero(stars)
    raters = Similarities(dataset(user, movie, np.asarray(stars)[user, movie])).of(0).raters
    assert raters.user.tolist() == [0, 1, 2]
    assert fans(raters, [1]).tolist() == [True, True, False]
    assert fans(raters, [1, 2]).tolist() == [True, False, False]
    assert fans(raters, []).tolist() == [True] * 3
    assert crowd(raters, fans(raters, [2])) == Crowd(1.0, 2 / 3, 1)
    assert crowd(raters, np.zeros(3, bool)) == Crowd(0.0, 2 / 3, 0)
    rated = np.int32([1, 2, 3])
    assert agreeing(raters, rated, np.float32([1, 1, -1]), 5).tolist() == [True, True, False]
    assert agreeing(raters, rated, np.float32([-1, -1, 1]), 5).tolist() == [False, False, True]
    assert not agreeing(raters, np.int32([]), np.float32([]), 5).any()
