"""The tastes of viewers with planted likes and dislikes."""

from dataclasses import replace

import numpy as np
import pytest

from movietui.data.dataset import Dataset
from movietui.models.base import Expectation, History
from movietui.models.serving.taste import DAMPING, divided, dividing, taste
from tests.models.builders import dataset


def crowd() -> Dataset:
    """Return a dataset in which ten users give every movie three stars.

    Half of the movies are comedies and half are dramas; a third are from 1985, a third from 1995, and a third from an
    unknown year.
    """
    user, movie = (grid.ravel() for grid in np.indices((10, 30)))
    whole = dataset(user, movie, np.full(300, 3.0), users=11)
    genres = np.stack([np.arange(30) % 2 == 0, np.arange(30) % 2 == 1], 1)
    years = np.asarray([1985, 1995, 0], np.int32)[np.arange(30) % 3]
    return replace(whole, movies=replace(whole.movies, genres=genres, years=years))


def history(movies: object, stars: object, user: int | None = None) -> History:
    return History(np.asarray(movies, np.int32), np.asarray(stars, np.float32), user)


def test_the_taste_of_a_viewer_who_likes_comedies_but_not_dramas() -> None:
    movies = np.arange(20)
    result = taste(crowd(), history(movies, np.where(movies % 2 == 0, 4.0, 2.0)))
    assert (result.ratings, result.mean) == (20, 3)
    assert result.crowd == pytest.approx(3)
    assert result.generosity == pytest.approx(0)
    assert [group.name for group in result.genres] == ["Comedy", "Drama"]
    comedy, drama = result.genres
    assert (comedy.ratings, comedy.mean, comedy.crowd) == (10, 4, 3)
    assert comedy.difference == pytest.approx(10 / (10 + DAMPING))
    assert drama.beyond == pytest.approx(-10 / (10 + DAMPING))
    assert [(group.name, group.ratings) for group in result.decades] == [("1980s", 7), ("1990s", 7)]
    assert len(result.likes) == len(result.dislikes) == 5
    assert {each.movie % 2 for each in result.likes} == {0}
    assert {each.movie % 2 for each in result.dislikes} == {1}


def test_a_generous_viewer_has_no_unusual_ratings() -> None:
    result = taste(crowd(), history(np.arange(30), np.full(30, 4.5)))
    assert result.generosity == pytest.approx(1.5 * 30 / 35)
    assert result.likes == result.dislikes == ()
    assert all(abs(group.beyond) < 0.2 for group in result.genres)


def test_a_single_rating_is_shrunk() -> None:
    result = taste(crowd(), history([0], [5]))
    assert result.genres[0].difference < 1
    assert len(result.genres) == len(result.decades) == 1


def test_a_user_is_not_part_of_their_own_crowd() -> None:
    only = dataset([0, 1, 1], [0, 1, 2], [5, 1, 1], users=2)
    alone = taste(only, history([0], [5], user=0))
    assert alone.crowd < taste(only, history([0], [5])).crowd


def test_taste_is_empty_without_ratings() -> None:
    for whole in (crowd(), dataset([], [], [], users=1, movies=3)):
        result = taste(whole, history([], []))
        assert (result.ratings, result.genres, result.decades, result.likes) == (0, (), (), ())


def test_ratings_that_divide_two_viewers() -> None:
    a, b = history([1, 2, 3, 4], [5, 4, 1, 3]), history([4, 3, 2, 9], [1, 5, 4, 5])
    assert [(each.movie, each.stars) for each in divided(a, b)] == [(3, (1, 5)), (4, (3, 1))]
    assert divided(a, history([], [])) == []


def test_predictions_that_surely_divide_two_viewers() -> None:
    def expects(stars: list[float], unsure: list[float]) -> Expectation:
        return Expectation(np.float32(stars), np.float32(unsure), np.float32(stars))

    one = expects([5, 5, 4, 5], [0, 3, 0.1, 0])
    other = expects([1, 1, 3, 2], [0, 3, 0.1, 0])
    open_rows = np.asarray([False, True, True, True])
    movies = dividing(open_rows, one, other)
    assert [(each.movie, each.stars) for each in movies] == [(3, (5, 2)), (2, (4, 3))]
