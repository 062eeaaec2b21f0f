"""Metrics, against answers worked out by hand."""

import doctest
from collections.abc import Callable

import numpy as np
import pytest
from sklearn import metrics as independent

import models.metrics
from data.dataset import Floats
from data.pairs import Rows
from models.metrics import (
    calibration,
    calibration_error,
    diversity,
    mse,
    ndcg,
    pair_errors,
    pair_list_metrics,
    pair_metrics,
    rank_users,
    ranking_metrics,
    rating_metrics,
    recall,
    top,
)
from tests.models.builders import dataset


def test_the_examples_in_the_docstrings_hold() -> None:
    with np.printoptions(legacy="1.25"):
        tried = doctest.testmod(models.metrics)
    assert tried.attempted >= 15
    assert tried.failed == 0


def test_rating_metrics() -> None:
    found = rating_metrics(np.float32([1, 2.5, 4.49, 5]), np.float32([2, 3, 4, 5]))
    assert found["mse"] == pytest.approx((1 + 0.25 + 0.49**2) / 4, rel=1e-6)
    assert found["rmse"] == pytest.approx(found["mse"] ** 0.5)
    assert found["mae"] == pytest.approx(1.99 / 4, rel=1e-6)
    assert found["accuracy"] == 0.75
    assert found["mse_scaled"] == pytest.approx(found["mse"] / 25)


def test_mse_does_not_lose_digits() -> None:
    stars = np.full(3_000_000, 4, np.float32)
    assert mse(stars + np.float32(0.5), stars) == 0.25


def test_ndcg_by_hand() -> None:
    hits = np.asarray([[0, 1, 1], [1, 1, 1], [0, 0, 0]], bool)
    gains = [1, 1 / np.log2(3), 0.5]
    expected = [(gains[1] + gains[2]) / (gains[0] + gains[1]), 1, 0]
    assert ndcg(hits, np.int32([2, 7, 1])) == pytest.approx(expected)


def test_recall_divides_by_all_that_is_relevant() -> None:
    assert recall(np.asarray([[True, True]]), np.int32([8])) == pytest.approx([0.25])


def test_top_breaks_ties_by_count_then_row() -> None:
    scores = np.float32([[2, 2, 2, 5, -np.inf]])
    assert top(scores, 5, np.int32([1, 9, 9, 0, 3])).tolist() == [[3, 1, 2, 0, -1]]


def test_ranking_by_hand() -> None:
    # User 0 saw movies 0 and 1, user 1 movie 2, user 2 movies 0 and 3. Movie 4 is not in train.
    train = dataset([0, 0, 1, 2, 2], [0, 1, 2, 0, 3], [5, 5, 5, 5, 5], movies=5)
    test = dataset([0, 0, 1, 1, 2], [2, 4, 0, 3, 1], [4, 5, 3, 5, 3.5], movies=5).ratings
    asked: list[int] = []

    def score(user: int) -> np.ndarray:
        asked.append(user)
        return np.float32([9, 8, 1, 2, 99])

    lists = rank_users(train, test, score)
    assert asked == [0, 1]  # user 2 has nothing relevant
    assert lists.movies[0, :5].tolist() == [3, 2, -1, -1, -1]
    assert lists.movies[1, :5].tolist() == [0, 1, 3, -1, -1]
    assert lists.relevant.tolist() == [2, 1]
    found = ranking_metrics(lists, train)
    second = 1 / np.log2(3)
    assert found["ndcg@10"] == pytest.approx((second / (1 + second) + 0.5) / 2)
    assert found["recall@10"] == found["recall@20"] == pytest.approx(0.75)
    assert found["hit@10"] == 1
    assert found["coverage@10"] == 1
    # Movies 3, 2, 1 and 3 have one of three raters each, movie 0 has two.
    assert found["novelty@10"] == pytest.approx((4 * np.log2(3) + np.log2(1.5)) / 5)


def test_ranking_equals_a_plain_sort() -> None:
    random = np.random.RandomState(2)
    rated = random.random_sample((30, 50)) < 0.2
    tested = (random.random_sample((30, 50)) < 0.2) & ~rated
    train = dataset(*np.nonzero(rated), np.full(rated.sum(), 4), 30, 50)
    test = dataset(*np.nonzero(tested), random.randint(1, 6, tested.sum()), 30, 50).ratings
    scores = random.randint(0, 6, (30, 50)).astype(np.float32)
    lists = rank_users(train, test, lambda user: scores[user])
    for place, user in enumerate(lists.users):
        candidates = [movie for movie in range(50) if train.counts[movie] and not rated[user, movie]]
        order = sorted(candidates, key=lambda movie: (-scores[user, movie], -train.counts[movie], movie))[:20]
        assert lists.movies[place].tolist() == order
        wanted = {
            int(m) for m, s in zip(test.movie[test.user == user], test.stars[test.user == user], strict=True) if s >= 4
        }
        assert lists.hits[place].tolist() == [movie in wanted for movie in order]


def mean_of(prediction: Floats) -> Callable[[Rows, Rows], Floats]:
    return lambda first, second: (prediction[first] + prediction[second]) / 2


def test_pair_metrics_by_hand() -> None:
    test = dataset([0, 1, 2, 0], [0, 0, 0, 1], [5, 3, 1, 2]).ratings
    # Errors -1, 0, 2 of movie 0; pairs -0.5, 0.5, 1. Movie 1 has one rating and no pair.
    found = pair_metrics(pair_errors(mean_of(np.float32([4, 3, 3, 5])), test))
    assert found["triples"] == 3
    assert found["rmse"] == pytest.approx(0.5**0.5)
    assert found["mae"] == pytest.approx(2 / 3)
    assert found["mse_scaled"] == pytest.approx(0.5 / 25)


def test_nobody_is_a_pair_with_themselves() -> None:
    # User 0 rated movie 0 twice; the newest rating counts, whose error is 2, against 1 of user 1.
    test = dataset([0, 1, 0], [0, 0, 0], [5, 3, 1]).ratings
    found = pair_metrics(pair_errors(mean_of(np.float32([4, 4, 3])), test))
    assert (found["triples"], found["rmse"]) == (1, pytest.approx(1.5))


@pytest.mark.parametrize("movies", [[0, 1], [0, 0]])
def test_no_pair_at_all_is_said(movies: list[int]) -> None:
    with pytest.raises(ValueError, match="two raters"):
        pair_metrics(pair_errors(mean_of(np.float32([4, 3])), dataset([0, 0], movies, [5, 3]).ratings))


def test_lists_of_pairs_by_hand() -> None:
    hits = np.zeros((2, 2, 10), bool)
    hits[0, 0, :2] = hits[1, 1, 9] = hits[1, 0, 0] = True
    # Of the first pair one member has the best list of two, the other none; of the second 1 and 1 / log2(11).
    found = pair_list_metrics(hits, np.int32([[2, 5], [1, 1]]))
    last = 1 / np.log2(11)
    assert found["ndcg@10_mean"] == pytest.approx((0.5 + (1 + last) / 2) / 2)
    assert found["ndcg@10_min"] == pytest.approx((0 + last) / 2)
    assert found["ndcg@10_gap"] == pytest.approx((1 + 1 - last) / 2)
    assert found["pairs"] == 2


def test_against_an_independent_implementation() -> None:
    random = np.random.RandomState(4)
    stars = random.randint(1, 6, 500).astype(np.float32)
    prediction = np.clip(stars + random.normal(0, 1, 500), 1, 5).astype(np.float32)
    found = rating_metrics(prediction, stars)
    assert found["mse"] == pytest.approx(independent.mean_squared_error(stars, prediction), rel=1e-6)
    assert found["rmse"] == pytest.approx(independent.root_mean_squared_error(stars, prediction), rel=1e-6)
    assert found["mae"] == pytest.approx(independent.mean_absolute_error(stars, prediction), rel=1e-6)
    assert found["accuracy"] == independent.accuracy_score(stars, np.floor(prediction + 0.5))
    scores = random.normal(size=(40, 60)).astype(np.float32)
    liked = random.rand(40, 60) < 0.2
    first = top(scores, 10, np.zeros(60, np.int32))
    hits = np.take_along_axis(liked, first, 1)
    ours = ndcg(hits, liked.sum(1).astype(np.int32))
    theirs = [independent.ndcg_score(liked[None, user], scores[None, user], k=10) for user in range(40)]
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)
    labels = np.argsort(-scores, axis=1)[:, :10]
    shown = np.zeros_like(liked)
    np.put_along_axis(shown, labels, True, 1)
    expected = [independent.recall_score(liked[user], shown[user]) for user in range(40)]
    np.testing.assert_allclose(recall(hits, liked.sum(1).astype(np.int32)), expected)


def test_calibration_finds_who_expects_too_much() -> None:
    prediction = np.repeat(np.float32([1.2, 2.7, 4.9]), [10, 30, 60])
    bins = calibration(prediction, prediction - np.float32(0.2))
    assert [(found.low, found.high, found.rows) for found in bins] == [(1, 1.5, 10), (2.5, 3, 30), (4.5, 5, 60)]
    assert calibration_error(bins) == pytest.approx(0.2, abs=1e-6)
    assert calibration_error(calibration(prediction, prediction)) == pytest.approx(0, abs=1e-6)


def test_diversity_of_lists_too_short_to_have_any() -> None:
    genres = np.zeros((3, 2), bool)
    assert diversity(np.asarray([[0, -1], [-1, -1]]), genres) == 0
    assert diversity(np.asarray([[0, 1, 2]]), genres) == 0
    assert diversity(np.asarray([[0, 1]]), np.eye(3, 2, dtype=bool)) == 1
