"""The dial from safe to daring, and surprises."""

from dataclasses import replace

import numpy as np
import pytest

from movietui.data.dataset import Dataset
from movietui.models.base import history_of
from movietui.models.mf import BiasedMF
from movietui.models.popularity import Popularity
from movietui.models.serving.diversify import POOL, diversify
from movietui.models.serving.ranking import Ranker, Viewer, surprise
from tests.models.builders import dataset, tastes


def with_genres(genres: object) -> Dataset:
    table = np.asarray(genres, bool)
    whole = dataset([0], [0], [3], movies=len(table))
    return replace(whole, movies=replace(whole.movies, genres=table, genre_names=tuple("abcdef"[: table.shape[1]])))


@pytest.fixture(scope="module")
def ranker() -> Ranker:
    train = tastes()[0]
    model = BiasedMF()
    model.fit(train)
    return Ranker(train, model)


def viewer(ranker: Ranker) -> Viewer:
    return Viewer("user", "u3", history_of(ranker.dataset, 3))


def test_the_safest_list_is_unchanged(ranker: Ranker) -> None:
    listed = ranker.rank([viewer(ranker)])
    np.testing.assert_array_equal(ranker.rank([viewer(ranker)], daring=0).order, listed.order)
    for daring in (0.1, 0.5, 1.0):
        other = ranker.rank([viewer(ranker)], daring=daring)
        assert sorted(other.order) == sorted(listed.order)
        assert other.order.tolist() != listed.order.tolist()
        np.testing.assert_array_equal(other.score, listed.score)


def test_of_two_movies_with_equal_scores_the_lesser_known_comes_first() -> None:
    few = with_genres(np.zeros((4, 2)))
    score, counts = np.float32([1, 1, 0, 0]), np.int32([100, 1, 50, 2])
    assert diversify(np.arange(4), score, counts, few, 0.0).tolist() == [0, 1, 2, 3]
    assert diversify(np.arange(4), score, counts, few, 0.5).tolist() == [1, 0, 3, 2]


def test_a_movie_that_differs_from_those_above_moves_up() -> None:
    genres = np.asarray([[1, 0], [1, 0], [1, 0], [0, 1]])
    score, counts = np.float32([4, 3.9, 3.8, 3.7]), np.int32([9, 9, 9, 9])
    alike = with_genres(genres)
    assert diversify(np.arange(4), score, counts, alike, 0.0).tolist() == [0, 1, 2, 3]
    assert diversify(np.arange(4), score, counts, alike, 1.0).tolist()[:2] == [0, 3]
    one_genre = with_genres(np.ones((4, 2)))
    assert diversify(np.arange(4), score, counts, one_genre, 1.0).tolist() == [0, 1, 2, 3]
    vectors = np.float32([[1, 0], [1, 0.1], [0, 1], [1, 0]])
    assert diversify(np.arange(4), score, counts, one_genre, 1.0, vectors).tolist()[:2] == [0, 2]


def test_movies_below_the_pool_keep_their_order() -> None:
    total = POOL + 50
    many = with_genres(np.ones((total, 1)))
    score, counts = np.linspace(5, 1, total, dtype=np.float32), np.full(total, 9, np.int32)
    assert diversify(np.arange(total), score, counts, many, 1.0).tolist() == list(range(total))


@pytest.mark.parametrize("rows", [[], [2]])
def test_a_list_of_one_movie_or_none_is_unchanged(rows: list[int]) -> None:
    few = with_genres(np.ones((4, 1)))
    order = diversify(np.asarray(rows, np.intp), np.ones(4, np.float32), np.ones(4, np.int32), few, 1.0)
    assert order.tolist() == rows


def test_a_model_without_vectors_is_diversified_too() -> None:
    train = tastes()[0]
    model = Popularity()
    model.fit(train)
    assert model.movie_vectors() is None
    assert len(Ranker(train, model).rank([Viewer("user", "u3", history_of(train, 3))], daring=1).order)


def test_a_surprise_is_one_of_the_best_and_the_same_for_the_same_draw(ranker: Ranker) -> None:
    order = np.arange(1000)
    drawn = {int(surprise(order, draw)[0]) for draw in range(300)}
    assert drawn <= set(range(50))
    assert len(drawn) > 40
    assert surprise(order, 7).tolist() == surprise(order, 7).tolist()
    assert surprise(order[:3], 1)[0] in (0, 1, 2)
    assert surprise(order[:0], 1).tolist() == []
    listed = {movie["id"]: movie for movie in ranker.recommend([viewer(ranker)], 1000)["movies"]}
    (movie,) = ranker.recommend([viewer(ranker)], draw=4)["movies"]
    assert movie == {**listed[movie["id"]], "rank": 1}
