"""Of which movies a movie is one of the best liked, and what a viewer likes."""

from dataclasses import replace

import numpy as np
import pytest

from movietui.data.dataset import Dataset, Floats
from movietui.models.base import History
from movietui.models.serving.standing import Standing, standings
from movietui.models.serving.taste import crowd_means, taste
from tests.models.builders import dataset

NOBODY = History(np.int32([]), np.float32([]))


def graded(movies: int = 200, each: int = 2) -> Dataset:
    """Return a dataset in which every movie has more stars than the next one, 5 to 3. Movies 0 to 99 are of the 1940s,
    the others of the 1950s; one in ``each`` movies, beginning with the first, is a war movie, the others comedies."""
    stars: Floats = np.repeat(np.linspace(5, 3, movies, dtype=np.float32), 20)
    made = dataset(np.tile(np.arange(20), movies), np.repeat(np.arange(movies), 20), stars)
    years = np.where(np.arange(movies) < 100, 1942, 1951).astype(np.int32)
    genres = (np.arange(movies) % each == 0)[:, None] == np.asarray([True, False])
    return replace(made, movies=replace(made.movies, years=years, genres=genres, genre_names=("War", "Comedy")))


def of(made: Dataset, row: int, history: History = NOBODY) -> list[Standing]:
    return standings(made, crowd_means(made), row, taste(made, history))


def test_the_best_of_all_of_a_genre_and_of_a_decade_are_found() -> None:
    made = graded()
    groups = [[standing.group for standing in of(made, row)] for row in range(12)]
    assert groups[0] == ["", "1940s", "War"]
    assert groups[4] == ["", "1940s", "War"]
    assert groups[5] == ["Comedy"]  # sixth of all and of the decade, third of the comedies
    assert groups[9] == ["Comedy"]
    assert groups[10] == groups[11] == []
    assert [standing.group for standing in of(graded(400), 7)] == ["", "Comedy"]  # 2 % of 400 movies are 8


def test_the_best_of_few_or_bad_movies_are_not_called_so() -> None:
    assert [standing.group for standing in of(graded(30), 0)] == ["", "1940s"]  # 15 war movies
    made = graded()
    assert [standing.group for standing in of(made, 100)] == ["1950s"]
    worse = replace(made, ratings=replace(made.ratings, stars=made.ratings.stars - np.float32(1.1)))
    assert not of(worse, 0)


@pytest.mark.parametrize(
    ("war", "comedy", "likes"), [(5, 3, True), (4, 4, False), (3, 5, False), (5, 4.8, False), (3.4, 2, False)]
)
def test_it_is_said_if_the_viewer_likes_the_group(war: float, comedy: float, likes: bool) -> None:
    rated = np.arange(20, 55, dtype=np.int32)
    history = History(rated, np.where(rated % 5 == 0, war, comedy).astype(np.float32))
    (standing,) = [each for each in of(graded(each=5), 0, history) if each.group == "War"]
    assert (standing.liking is not None) == likes
    if standing.liking:
        assert (standing.liking.mean, standing.liking.others) == pytest.approx((war, comedy))


@pytest.mark.parametrize(("each", "ratings"), [(2, 35), (5, 16)])
def test_a_common_group_or_few_ratings_do_not_say_what_is_liked(each: int, ratings: int) -> None:
    rated = np.arange(20, 20 + ratings, dtype=np.int32)
    history = History(rated, np.where(rated % each == 0, 5, 2).astype(np.float32))
    assert not any(standing.liking for standing in of(graded(each=each), 0, history))
