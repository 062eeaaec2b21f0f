"""Metrics compared with results that were computed by hand or by another library."""

import doctest
from collections.abc import Callable

import numpy as np
import pytest
from sklearn import metrics as independent

from movietui.data.dataset import Floats
from movietui.data.pairs import Rows
from movietui.models import metrics
from movietui.models.metrics import (
    Ranked,
    believed,
    calibration,
    calibration_error,
    disliked,
    diversity,
    inverted,
    liked,
    mse,
    ndcg,
    pair_errors,
    pair_list_metrics,
    pair_metrics,
    rank_users,
    ranking_metrics,
    rating_metrics,
    recall,
    rmse_margin,
)
from tests.models.builders import by_score, dataset


def test_examples_in_docstrings_hold() -> None:
    with np.printoptions(legacy="1.25"):
        tried = doctest.testmod(metrics)
    assert tried.attempted >= 15
    assert tried.failed == 0


def test_the_margin_of_rmse_is_that_of_a_bootstrap_over_users() -> None:
    random = np.random.default_rng(0)
    user = np.repeat(np.arange(400), random.integers(1, 20, 400)).astype(np.int32)
    errors = random.normal(0, 1, len(user)) + random.normal(0, 1, 400)[user]
    stars = np.zeros(len(user), np.float32)
    sums = np.stack([np.bincount(user, errors**2), np.bincount(user)], 1)
    drawn = [sums[random.integers(0, 400, 400)].sum(0) for _ in range(2000)]
    spread = np.std([np.sqrt(total / rows) for total, rows in drawn])
    assert rmse_margin(errors.astype(np.float32), stars, user) == pytest.approx(1.96 * spread, rel=0.06)
    assert rmse_margin(stars, stars, user) == 0


def test_rating_metrics() -> None:
    result = rating_metrics(np.float32([1, 2.5, 4.49, 5]), np.float32([2, 3, 4, 5]))
    assert result["mse"] == pytest.approx((1 + 0.25 + 0.49**2) / 4, rel=1e-6)
    assert result["rmse"] == pytest.approx(result["mse"] ** 0.5)
    assert result["mae"] == pytest.approx(1.99 / 4, rel=1e-6)
    assert result["accuracy"] == 0.75
    assert result["mse_scaled"] == pytest.approx(result["mse"] / 25)


def test_mse_does_not_lose_digits() -> None:
    stars = np.full(3_000_000, 4, np.float32)
    assert mse(stars + np.float32(0.5), stars) == 0.25


def test_ndcg_by_hand() -> None:
    hits = np.asarray([[0, 1, 1], [1, 1, 1], [0, 0, 0]], bool)
    gains = [1, 1 / np.log2(3), 0.5]
    expected = [(gains[1] + gains[2]) / (gains[0] + gains[1]), 1, 0]
    assert ndcg(hits, np.int32([2, 7, 1])) == pytest.approx(expected)


def test_recall_divides_by_all_relevant_movies() -> None:
    assert recall(np.asarray([[True, True]]), np.int32([8])) == pytest.approx([0.25])


def test_ranking_by_hand() -> None:
    # User 0 saw movies 0 and 1, user 1 movie 2, user 2 movies 0 and 3. Movie 4 is not in train.
    train = dataset([0, 0, 1, 2, 2], [0, 1, 2, 0, 3], [5, 5, 5, 5, 5], movies=5)
    test = dataset([0, 0, 1, 1, 2], [2, 4, 0, 3, 1], [4, 5, 3, 5, 3.5], movies=5).ratings
    asked: list[int] = []
    scores, stars = np.float32([9, 8, 1, 2, 99]), np.float32([4, 3, 4.5, 4.1, 5])

    def rank(user: int) -> Ranked:
        asked.append(user)
        return Ranked(by_score(train, user, scores), stars)

    lists = rank_users(train, test, rank)
    assert asked == [0, 1]  # user 2 has no relevant movie
    assert lists.movies[0, :5].tolist() == [3, 2, -1, -1, -1]
    assert lists.movies[1, :5].tolist() == [0, 1, 3, -1, -1]
    assert lists.relevant.tolist() == [2, 1]
    result = ranking_metrics(lists, train)
    second = 1 / np.log2(3)
    assert result["ndcg@10"] == pytest.approx((second / (1 + second) + 0.5) / 2)
    assert result["recall@10"] == result["recall@20"] == pytest.approx(0.75)
    assert result["hit@10"] == 1
    assert result["coverage@10"] == 1
    # The five listed movies are 3, 2, 0, 1 and 3. Two of three users rated movie 0; the other movies have one rating.
    assert result["novelty@10"] == pytest.approx((4 * np.log2(3) + np.log2(1.5)) / 5)
    # Listed and rated in test: movie 2 with 4 stars by user 0, movies 0 and 3 with 3 and 5 stars by user 1.
    assert result["liked@10"] == pytest.approx(2 / 3)
    assert result["disliked@10"] == 0
    # Both users' mean is 5, which no listed movie is predicted to reach. Two of the 1 + 3 pairs are inverted: movie 2,
    # predicted 0.4 stars above movie 3, is below it in the list of user 0, and so is movie 3, predicted 1.1 stars above
    # movie 1, in the list of user 1.
    assert result["believed@10"] == 0
    assert result["inverted@10"] == pytest.approx(2 / 4)


def test_of_many_users_a_seeded_sample_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "MANY_USERS", 40)
    monkeypatch.setattr(metrics, "SAMPLED_USERS", 15)
    train = dataset([*range(60), 58, 59], [*[0, 1] * 30, 2, 3], np.full(62, 4), 60, 5)
    test = dataset(np.arange(60), np.full(60, 2), np.full(60, 5), 60, 5).ratings
    scores = np.float32([1, 1, 1, 1, 1])

    def measured(seed: int) -> list[int]:
        lists = rank_users(train, test, lambda user: Ranked(np.asarray([2 + user % 2]), scores), seed)
        result = ranking_metrics(lists, train)
        assert result["users"] == len(lists.users) == 15
        hits = [user % 2 == 0 for user in lists.users.tolist()]
        assert result["ndcg@10"] == pytest.approx(np.mean(hits))
        assert result["ndcg@10_margin"] == pytest.approx(1.96 * np.std(hits, ddof=1) / np.sqrt(15))
        return lists.users.tolist()

    assert measured(1) == measured(1) == sorted({*measured(1)})
    assert measured(1) != measured(2)
    assert max(measured(2)) < 60
    monkeypatch.setattr(metrics, "MANY_USERS", 60)
    assert rank_users(train, test, lambda user: Ranked(np.asarray([2]), scores)).users.tolist() == [*range(60)]


@pytest.mark.parametrize(("stars", "expected"), [(1, 1), (2, 1), (2.5, 0), (3.5, 0)])
def test_movies_with_two_stars_or_fewer_are_disliked(stars: float, expected: float) -> None:
    assert disliked(np.float32([[5, 0, stars], [0, 0, stars]])) == expected


def test_an_empty_list_is_neither_believed_nor_inverted() -> None:
    nothing = np.full((1, 3), np.nan, np.float32)
    assert believed(nothing, np.float32([3])) == inverted(nothing) == 0
    assert liked(np.zeros((1, 3), np.float32)) == 0


def test_without_a_mean_rating_every_movie_is_believed() -> None:
    assert believed(np.float32([[1, 5]]), np.float32([-np.inf])) == 1


def test_ranking_equals_a_plain_sort() -> None:
    random = np.random.RandomState(2)
    rated = random.random_sample((30, 50)) < 0.2
    tested = (random.random_sample((30, 50)) < 0.2) & ~rated
    train = dataset(*np.nonzero(rated), np.full(rated.sum(), 4), 30, 50)
    test = dataset(*np.nonzero(tested), random.randint(1, 6, tested.sum()), 30, 50).ratings
    scores = random.randint(0, 6, (30, 50)).astype(np.float32)
    lists = rank_users(train, test, lambda user: Ranked(by_score(train, user, scores[user]), scores[user]))
    for row, user in enumerate(lists.users):
        candidates = [movie for movie in range(50) if train.counts[movie] and not rated[user, movie]]
        order = sorted(candidates, key=lambda movie: (-scores[user, movie], -train.counts[movie], movie))[:20]
        assert lists.movies[row].tolist() == order
        relevant = {
            int(m) for m, s in zip(test.movie[test.user == user], test.stars[test.user == user], strict=True) if s >= 4
        }
        assert lists.hits(20)[row].tolist() == [movie in relevant for movie in order]


def mean_of(prediction: Floats) -> Callable[[Rows, Rows], Floats]:
    return lambda first, second: (prediction[first] + prediction[second]) / 2


def test_pair_metrics_by_hand() -> None:
    test = dataset([0, 1, 2, 0], [0, 0, 0, 1], [5, 3, 1, 2]).ratings
    # For movie 0, the errors are -1, 0 and 2, and those of the pairs -0.5, 0.5 and 1. Movie 1 has one rating and no
    # pair.
    result = pair_metrics(pair_errors(mean_of(np.float32([4, 3, 3, 5])), test))
    assert result["triples"] == 3
    assert result["rmse"] == pytest.approx(0.5**0.5)
    assert result["mae"] == pytest.approx(2 / 3)
    assert result["mse_scaled"] == pytest.approx(0.5 / 25)


def test_a_user_is_not_paired_with_themselves() -> None:
    # User 0 rated movie 0 twice. The newest rating counts; its error is 2, and that of user 1 is 1.
    test = dataset([0, 1, 0], [0, 0, 0], [5, 3, 1]).ratings
    result = pair_metrics(pair_errors(mean_of(np.float32([4, 4, 3])), test))
    assert (result["triples"], result["rmse"]) == (1, pytest.approx(1.5))


@pytest.mark.parametrize("movies", [[0, 1], [0, 0]])
def test_having_no_pair_is_an_error(movies: list[int]) -> None:
    with pytest.raises(ValueError, match="two raters"):
        pair_metrics(pair_errors(mean_of(np.float32([4, 3])), dataset([0, 0], movies, [5, 3]).ratings))


def test_lists_of_pairs_by_hand() -> None:
    hits = np.zeros((2, 2, 10), bool)
    hits[0, 0, :2] = hits[1, 1, 9] = hits[1, 0, 0] = True
    # For one member of the first pair, the shared list is ideal; for the other, it has no hit. For the members of the
    # second pair, its ndcg is 1 and 1 / log2(11).
    result = pair_list_metrics(hits, np.int32([[2, 5], [1, 1]]))
    last = 1 / np.log2(11)
    assert result["ndcg@10_mean"] == pytest.approx((0.5 + (1 + last) / 2) / 2)
    assert result["ndcg@10_min"] == pytest.approx((0 + last) / 2)
    assert result["ndcg@10_gap"] == pytest.approx((1 + 1 - last) / 2)
    assert result["pairs"] == 2


def test_against_an_independent_implementation() -> None:
    random = np.random.RandomState(4)
    stars = random.randint(1, 6, 500).astype(np.float32)
    prediction = np.clip(stars + random.normal(0, 1, 500), 1, 5).astype(np.float32)
    result = rating_metrics(prediction, stars)
    assert result["mse"] == pytest.approx(independent.mean_squared_error(stars, prediction), rel=1e-6)
    assert result["rmse"] == pytest.approx(independent.root_mean_squared_error(stars, prediction), rel=1e-6)
    assert result["mae"] == pytest.approx(independent.mean_absolute_error(stars, prediction), rel=1e-6)
    assert result["accuracy"] == independent.accuracy_score(stars, np.floor(prediction + 0.5))
    scores = random.normal(size=(40, 60)).astype(np.float32)
    liked = random.rand(40, 60) < 0.2
    labels = np.argsort(-scores, axis=1)[:, :10]
    hits = np.take_along_axis(liked, labels, 1)
    ours = ndcg(hits, liked.sum(1).astype(np.int32))
    theirs = [independent.ndcg_score(liked[None, user], scores[None, user], k=10) for user in range(40)]
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)
    shown = np.zeros_like(liked)
    np.put_along_axis(shown, labels, True, 1)
    expected = [independent.recall_score(liked[user], shown[user]) for user in range(40)]
    np.testing.assert_allclose(recall(hits, liked.sum(1).astype(np.int32)), expected)


def test_calibration_measures_predictions_that_are_too_high() -> None:
    prediction = np.repeat(np.float32([1.2, 2.7, 4.9]), [10, 30, 60])
    bins = calibration(prediction, prediction - np.float32(0.2))
    assert [(bin_.low, bin_.high, bin_.rows) for bin_ in bins] == [(1, 1.5, 10), (2.5, 3, 30), (4.5, 5, 60)]
    assert calibration_error(bins) == pytest.approx(0.2, abs=1e-6)
    assert calibration_error(calibration(prediction, prediction)) == pytest.approx(0, abs=1e-6)


def test_diversity_of_lists_too_short_to_have_any() -> None:
    genres = np.zeros((3, 2), bool)
    assert diversity(np.asarray([[0, -1], [-1, -1]]), genres) == 0
    assert diversity(np.asarray([[0, 1, 2]]), genres) == 0
    assert diversity(np.asarray([[0, 1]]), np.eye(3, 2, dtype=bool)) == 1
