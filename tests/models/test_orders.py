"""The orders of a list."""

import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movietui.data.dataset import Dataset, Scale
from movietui.models.base import Expectation, History, history_of
from movietui.models.choices import DEFAULT_ORDER, ORDERS, Order
from movietui.models.evaluation.measure import evaluate
from movietui.models.mf import BiasedMF
from movietui.models.popularity import Popularity
from movietui.models.serving import orders
from movietui.models.serving.orders import MARGIN, PASSES, order_by_liking, settle, usual_stars, value
from movietui.models.serving.ranking import Ranker, Viewer
from tests.models.builders import tastes

DATASET = tastes()[0]
EVERY = np.ones(4, bool)


def expectation(stars: list[float], score: list[float], uncertainty: float = 0.3) -> Expectation:
    return Expectation(np.float32(stars), np.full(len(stars), uncertainty, np.float32), np.float32(score))


def user(row: int) -> Viewer:
    return Viewer("user", DATASET.users.ids[row], history_of(DATASET, row))


@pytest.fixture(scope="module")
def ranker() -> Ranker:
    model = BiasedMF()
    model.fit(DATASET)
    return Ranker(DATASET, model)


def test_examples_in_docstrings_hold() -> None:
    assert doctest.testmod(orders).attempted
    assert not doctest.testmod(orders).failed


def test_liking_is_the_default() -> None:
    assert next(iter(ORDERS)) == DEFAULT_ORDER == "liked"


def test_of_equally_likely_movies_the_better_liked_gains_more() -> None:
    values = value(expectation([3, 3.5, 4, 5], [1, 1, 1, 1]), None, EVERY, Scale())
    assert (np.diff(values) > 0).all()


def test_of_equally_liked_movies_the_likelier_gains_more() -> None:
    values = value(expectation([4, 4, 4, 4], [0, 1, 2, 3]), None, EVERY, Scale())
    assert (np.diff(values) > 0).all()


def test_a_movie_that_may_disappoint_gains_less() -> None:
    sure, unsure = (
        value(expectation([4, 4, 4, 4], [1, 1, 1, 1], uncertainty), None, EVERY, Scale()) for uncertainty in (0.1, 1.5)
    )
    assert (unsure < sure).all()


def test_more_noise_lowers_the_value() -> None:
    quiet, noisy = (
        value(expectation([4, 4, 4, 4], [1, 1, 1, 1]), np.full(4, noise, np.float32), EVERY, Scale())
        for noise in (0.2, 2.0)
    )
    assert (noisy < quiet).all()


def test_a_value_is_finite_even_where_everything_is_disliked() -> None:
    scale = Scale(0.5, 5.0, 0.5)
    assert np.isfinite(value(expectation([0.5, 0.5, 5, 5], [0, 0, 0, 0]), None, EVERY, scale)).all()
    assert np.isfinite(value(expectation([1, 2, 3, 4], [0, 1, 2, 3]), None, ~EVERY, scale)).all()


def test_movies_below_the_usual_stars_come_last() -> None:
    rows, stars = np.arange(4), np.float32([2, 4, 3.5, 3.4])
    assert order_by_liking(rows, np.float32([9, 1, 2, 8]), stars, 3.5).tolist() == [2, 1, 0, 3]
    assert order_by_liking(rows, np.float32([9, 1, 2, 8]), stars, -np.inf).tolist() == [0, 3, 2, 1]


def test_the_usual_stars_of_a_group_are_the_mean_of_its_members() -> None:
    def history(*stars: float) -> History:
        return History(np.arange(len(stars), dtype=np.int32), np.float32(stars))

    assert usual_stars([history(5, 4), history(2), history()]) == pytest.approx((4.5 + 2) / 2)
    assert usual_stars([history()]) == -np.inf


@settings(deadline=None)
@given(st.lists(st.floats(1, 5, width=32), max_size=30))
def test_settling_moves_each_movie_a_few_ranks_at_most(predicted: list[float]) -> None:
    order, stars = np.arange(len(predicted)), np.float32(predicted)
    settled = settle(order, stars)
    assert sorted(settled.tolist()) == order.tolist()
    assert (np.abs(np.argsort(settled) - order) <= PASSES).all()
    # A movie passes another only if it is predicted to get clearly more stars.
    passed = [(a, b) for i, a in enumerate(settled) for b in settled[i + 1 :] if a > b]
    assert all(stars[a] > stars[b] + np.float32(MARGIN) for a, b in passed)


def test_settling_ignores_small_differences() -> None:
    assert settle(np.arange(5), np.float32([5, 4.9, 5, 4.8, 5])).tolist() == [0, 1, 2, 3, 4]


def test_removing_the_first_movies_does_not_change_the_order_of_the_rest(ranker: Ranker) -> None:
    whole = ranker.rank([user(3)]).order
    for leaving in range(4):
        passing = np.ones(len(DATASET.movies), bool)
        passing[whole[:leaving]] = False
        np.testing.assert_array_equal(ranker.rank([user(3)], passing=passing).order, whole[leaving:])


def test_a_list_ends_with_movies_below_the_usual_stars(ranker: Ranker) -> None:
    for row in range(0, 60, 7):
        ranked, usual = ranker.rank([user(row)]), usual_stars([user(row).history])
        reaches = ranked.stars[ranked.order] >= usual
        assert (np.diff(reaches.astype(int)) <= 0).all()


@pytest.mark.parametrize("viewers", [[3], [3, 4], [3, 4, 5]])
def test_every_order_has_the_same_candidates(ranker: Ranker, viewers: list[int]) -> None:
    people = [user(row) for row in viewers]
    lists = {order: ranker.rank(people, order=order) for order in ORDERS}
    assert len({frozenset(ranked.order.tolist()) for ranked in lists.values()}) == 1
    counts, movies = ranker.model.counts, DATASET.movies
    assert (np.diff(lists["stars"].stars[lists["stars"].order]) <= 0).all()
    assert (np.diff(counts[lists["ratings"].order]) <= 0).all()
    assert (np.diff(movies.years[lists["year"].order]) <= 0).all()
    titles = [movies.titles[row].casefold() for row in lists["title"].order]
    assert titles == sorted(titles)


def test_a_daring_list_still_ends_with_movies_below_the_usual_stars(ranker: Ranker) -> None:
    ranked, usual = ranker.rank([user(3)], daring=1), usual_stars([user(3).history])
    assert ranked.order.tolist() != ranker.rank([user(3)]).order.tolist()
    assert (np.diff((ranked.stars[ranked.order] >= usual).astype(int)) <= 0).all()


def test_daring_changes_only_orders_by_taste(ranker: Ranker) -> None:
    for order in ("stars", "year", "title", "ratings"):
        safe, daring = (ranker.rank([user(3)], daring=each, order=order).order for each in (0, 1))
        np.testing.assert_array_equal(safe, daring)


def test_without_ratings_the_most_liked_come_first() -> None:
    model = Popularity()
    model.fit(DATASET)
    nobody = Viewer("profile", "Ada", History(np.empty(0, np.int32), np.empty(0, np.float32)))
    ranked = Ranker(DATASET, model).rank([nobody])
    assert len(ranked.order) == int((DATASET.counts > 0).sum())
    assert ranked.stars[ranked.order[:10]].mean() > ranked.stars[ranked.order].mean()


def _figures(dataset: Dataset, name: str, order: Order) -> dict[str, float]:
    return evaluate(name, dataset, "random80", "ranking", order=order).metrics


@pytest.mark.parametrize("name", ["mf", "ease", "popularity"])
def test_the_order_liked_lists_more_liked_and_fewer_disliked_movies(name: str) -> None:
    likely, liked = (_figures(DATASET, name, order) for order in ("likely", "liked"))
    assert liked["liked@10"] > likely["liked@10"] - 0.01
    assert liked["disliked@10"] <= likely["disliked@10"] + 0.01
    assert liked["believed@10"] >= likely["believed@10"]
    assert liked["inverted@10"] <= likely["inverted@10"] + 0.01
