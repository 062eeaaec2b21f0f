"""More like this: planted likeness is found, and nobody is left without."""

from dataclasses import replace

import numpy as np
import pytest

from data.dataset import ImdbFacts
from models.similar import Similarities
from tests.models.builders import checkerboard, dataset


def test_those_who_like_even_movies_like_even_movies() -> None:
    train = checkerboard()[0]
    found = Similarities(train).nearest(4, 10)
    assert all(each.movie % 2 == 0 and each.movie != 4 for each in found)
    assert [each.similarity for each in found] == sorted((each.similarity for each in found), reverse=True)
    raters = [set(train.ratings.user[train.ratings.movie == row].tolist()) for row in (4, found[0].movie)]
    assert found[0].common == len(raters[0] & raters[1])
    similarity = Similarities(train).of(4)[0]
    assert similarity[5] < 0 < similarity[6]


@pytest.mark.parametrize("row", [0, 3])
def test_a_movie_that_nobody_rated_has_its_like_among_those_of_its_kind(row: int) -> None:
    few = dataset([0, 1], [1, 2], [4, 5], movies=5)
    genres = np.asarray([[1, 0], [0, 1], [1, 1], [1, 0], [0, 1]], bool)
    few = replace(few, movies=replace(few.movies, genres=genres, years=np.int32([1980, 1990, 0, 1985, 2000])))
    found = Similarities(few).nearest(row, 9)
    assert len(found) == 4
    assert found[0].movie == 3 - row
    assert found[0].shared.genres == ("Comedy",)
    assert found[0].common == 0


def test_a_director_counts() -> None:
    few = dataset([0, 1], [1, 2], [4, 5], movies=4)
    names = (("Ann",), ("Bo",), ("Ann", "Cy"), ("Cy",))
    facts = ImdbFacts(np.ones(4, np.float32), np.ones(4, np.int32), np.ones(4, np.int32), names, ((),) * 4)
    movies = replace(few.movies, genres=np.zeros((4, 2), bool), imdb=facts)
    found = Similarities(replace(few, movies=movies)).nearest(0, 1)
    assert (found[0].movie, found[0].shared.directors) == (2, ("Ann",))
    assert Similarities(replace(few, movies=movies)).content(0).max() <= 1


def test_by_what_a_model_knows() -> None:
    train = checkerboard()[0]
    vectors = np.eye(3, dtype=np.float32)[np.arange(len(train.movies)) % 3]
    assert {each.movie % 3 for each in Similarities(train).nearest(4, 8, vectors)} == {1}


def test_a_dataset_without_ratings() -> None:
    assert len(Similarities(dataset([], [], [], users=2, movies=3)).nearest(0, 5)) == 2
