"""What somebody likes, planted and found."""

from dataclasses import replace

import numpy as np
import pytest

from data.dataset import Dataset
from models.model import Expectation, History
from models.taste import DAMPING, divided, dividing, taste
from tests.models.builders import dataset


def crowd() -> Dataset:
    """Ten users who give every movie three stars; half of the movies are comedies, a third of each decade."""
    user, movie = (grid.ravel() for grid in np.indices((10, 30)))
    found = dataset(user, movie, np.full(300, 3.0), users=11)
    genres = np.stack([np.arange(30) % 2 == 0, np.arange(30) % 2 == 1], 1)
    years = np.asarray([1985, 1995, 0], np.int32)[np.arange(30) % 3]
    return replace(found, movies=replace(found.movies, genres=genres, years=years))


def history(movies: object, stars: object, user: int | None = None) -> History:
    return History(np.asarray(movies, np.int32), np.asarray(stars, np.float32), user)


def test_who_likes_comedies_and_no_dramas() -> None:
    movies = np.arange(20)
    found = taste(crowd(), history(movies, np.where(movies % 2 == 0, 4.0, 2.0)))
    assert (found.ratings, found.mean) == (20, 3)
    assert found.crowd == pytest.approx(3)
    assert found.generosity == pytest.approx(0)
    assert [group.name for group in found.genres] == ["Comedy", "Drama"]
    comedy, drama = found.genres
    assert (comedy.ratings, comedy.mean, comedy.crowd) == (10, 4, 3)
    assert comedy.difference == pytest.approx(10 / (10 + DAMPING))
    assert drama.beyond == pytest.approx(-10 / (10 + DAMPING))
    assert [(group.name, group.ratings) for group in found.decades] == [("1980s", 7), ("1990s", 7)]
    assert len(found.likes) == len(found.dislikes) == 5
    assert {each.movie % 2 for each in found.likes} == {0}
    assert {each.movie % 2 for each in found.dislikes} == {1}


def test_who_is_generous_likes_nothing_unusually() -> None:
    found = taste(crowd(), history(np.arange(30), np.full(30, 4.5)))
    assert found.generosity == pytest.approx(1.5 * 30 / 35)
    assert found.likes == found.dislikes == ()
    assert all(abs(group.beyond) < 0.2 for group in found.genres)


def test_one_rating_says_little() -> None:
    found = taste(crowd(), history([0], [5]))
    assert found.genres[0].difference < 1
    assert len(found.genres) == len(found.decades) == 1


def test_nobody_is_their_own_crowd() -> None:
    only = dataset([0, 1, 1], [0, 1, 2], [5, 1, 1], users=2)
    alone = taste(only, history([0], [5], user=0))
    assert alone.crowd < taste(only, history([0], [5])).crowd


def test_without_ratings_there_is_nothing_to_tell() -> None:
    for whole in (crowd(), dataset([], [], [], users=1, movies=3)):
        found = taste(whole, history([], []))
        assert (found.ratings, found.genres, found.decades, found.likes) == (0, (), (), ())


def test_what_divides_two() -> None:
    a, b = history([1, 2, 3, 4], [5, 4, 1, 3]), history([4, 3, 2, 9], [1, 5, 4, 5])
    assert [(each.movie, each.stars) for each in divided(a, b)] == [(3, (1, 5)), (4, (3, 1))]
    assert divided(a, history([], [])) == []


def test_what_would_divide_two_surely() -> None:
    def expects(stars: list[float], unsure: list[float]) -> Expectation:
        return Expectation(np.float32(stars), np.float32(unsure), np.float32(stars))

    one = expects([5, 5, 4, 5], [0, 3, 0.1, 0])
    other = expects([1, 1, 3, 2], [0, 3, 0.1, 0])
    open_rows = np.asarray([False, True, True, True])
    found = dividing(open_rows, one, other)
    assert [(each.movie, each.stars) for each in found] == [(3, (5, 2)), (2, (4, 3))]
