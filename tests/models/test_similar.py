"""Similar movies: known similarities are found, and every movie has neighbours."""

from dataclasses import replace

import numpy as np
import pytest

from movietui.data.dataset import ImdbFacts
from movietui.models.serving.kinship import content_similarity
from movietui.models.serving.similar import Similarities
from tests.models.builders import checkerboard, dataset, tags_of


def test_movies_liked_by_the_same_users_are_similar() -> None:
    train = checkerboard()[0]
    similar = Similarities(train).nearest(4, 10)
    assert all(each.movie % 2 == 0 and each.movie != 4 for each in similar)
    assert [each.similarity for each in similar] == sorted((each.similarity for each in similar), reverse=True)
    raters = [set(train.ratings.user[train.ratings.movie == row].tolist()) for row in (4, similar[0].movie)]
    assert similar[0].common == len(raters[0] & raters[1])
    similarity = Similarities(train).of(4).similarity
    rated = train.counts > 0
    assert similarity[1::2].max() < similarity[::2][rated[::2]].min()


def test_of_movies_with_the_same_ratings_those_of_the_same_kind_are_more_similar() -> None:
    # Everybody rates movies 1 and 2 exactly like movie 0, but only movie 1 shares its genre.
    users = np.arange(30)
    few = dataset(np.tile(users, 3), np.repeat([0, 1, 2], 30), np.tile(np.resize([5, 1, 3], 30), 3))
    few = replace(few, movies=replace(few.movies, genres=np.asarray([[1, 0], [1, 0], [0, 1]], bool)))
    assert [each.movie for each in Similarities(few).nearest(0, 2)] == [1, 2]


@pytest.mark.parametrize("row", [0, 3])
def test_a_movie_without_ratings_is_similar_to_movies_of_its_kind(row: int) -> None:
    few = dataset([0, 1], [1, 2], [4, 5], movies=5)
    genres = np.asarray([[1, 0], [0, 1], [1, 1], [1, 0], [0, 1]], bool)
    few = replace(few, movies=replace(few.movies, genres=genres, years=np.int32([1980, 1990, 0, 1985, 2000])))
    similar = Similarities(few).nearest(row, 9)
    assert len(similar) == 4
    assert similar[0].movie == 3 - row
    assert similar[0].shared.genres == ("Comedy",)
    assert similar[0].common == 0


def test_a_common_director_counts() -> None:
    few = dataset([0, 1], [1, 2], [4, 5], movies=4)
    names = (("Ann",), ("Bo",), ("Ann", "Cy"), ("Cy",))
    facts = ImdbFacts(np.ones(4, np.float32), np.ones(4, np.int32), np.ones(4, np.int32), names, ((),) * 4)
    movies = replace(few.movies, genres=np.zeros((4, 2), bool), imdb=facts)
    similar = Similarities(replace(few, movies=movies)).nearest(0, 1)
    assert (similar[0].movie, similar[0].shared.directors) == (2, ("Ann",))
    assert content_similarity(movies, 0).max() <= 1


def test_common_tags_count_and_never_against() -> None:
    few = dataset([0, 1], [1, 2], [4, 5], movies=5)
    plain = replace(few.movies, genres=np.asarray([[1, 0], [1, 0], [1, 0], [0, 1], [0, 1]], bool))
    cells = [(0, "heist", 0.9), (0, "clever", 0.9), (2, "heist", 0.9), (2, "clever", 0.9), (1, "slow", 0.9)]
    tagged = replace(plain, tags=tags_of(cells, 5))
    before, after = content_similarity(plain, 0), content_similarity(tagged, 0)
    assert after[2] > before[2]
    assert after[2] <= after[0] <= 1
    np.testing.assert_array_equal(after[[1, 3, 4]], before[[1, 3, 4]])
    near = Similarities(replace(few, movies=tagged)).nearest(0, 4)
    assert (near[0].movie, near[0].shared.tags) == (2, ("clever", "heist"))


def test_the_share_of_well_known_movies_that_are_closer() -> None:
    # Movies 1 and 2 have the users of movie 0, and movie 1 their opinions too; movies 3 to 5 have other users.
    half = np.arange(30)
    users = np.concatenate([np.tile(half, 3), np.tile(half + 30, 3)])
    opinions = np.resize([5, 1], 30), np.resize([1, 1, 5, 5], 30)
    stars = np.concatenate([opinions[0], opinions[0], opinions[1], opinions[0], opinions[0], opinions[0]])
    made = dataset(users, np.repeat(np.arange(6), 30), stars, movies=7)
    years = np.int32([1990, 1980, 2010, 1995, 1990, 0, 1990])
    similarities = Similarities(replace(made, movies=replace(made.movies, years=years)))
    shares = similarities.closer_shares(0, similarities.of(0), np.int32([1, 2, 3, 5]))
    assert shares[0].tolist() == pytest.approx([1 / 5, 1, 4 / 5, 4 / 5])  # nobody rated both 0 and 3
    assert shares[1].tolist() == pytest.approx([1 / 5, 2 / 5, 1, 1])  # 15 people like both 0 and 1, 8 both 0 and 2
    assert shares[2].tolist() == pytest.approx([3 / 5, 4 / 5, 2 / 5, 1])
    unstarred = Similarities(replace(similarities.dataset, implicit=True))
    without = unstarred.closer_shares(0, unstarred.of(0), np.int32([1, 2, 3, 5]))
    assert without[0].tolist() == shares[1].tolist()


def test_similarity_by_the_vectors_of_a_model() -> None:
    train = checkerboard()[0]
    vectors = np.eye(3, dtype=np.float32)[np.arange(len(train.movies)) % 3]
    assert {each.movie % 3 for each in Similarities(train).nearest(4, 8, vectors)} == {1}


def test_a_dataset_without_ratings() -> None:
    assert len(Similarities(dataset([], [], [], users=2, movies=3)).nearest(0, 5)) == 2


def test_a_common_genre_says_less_than_a_rare_one() -> None:
    few = dataset([0], [0], [4], movies=40)
    genres = np.zeros((40, 2), bool)
    genres[:16, 0] = genres[30:32, 1] = True
    movies = replace(few.movies, genres=genres, years=np.zeros(40, np.int32))
    assert content_similarity(movies, 0)[1] < content_similarity(movies, 30)[31] / 2
    assert content_similarity(movies, 0)[31] == 0
