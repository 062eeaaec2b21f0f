"""The dial from movies of any year to recent ones."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from movietui.data.dataset import Dataset
from movietui.models.base import history_of
from movietui.models.mf import BiasedMF
from movietui.models.serving.orders import usual_stars
from movietui.models.serving.ranking import Ranker, Viewer
from movietui.models.serving.recency import HALF_LIFE, RECENCY_WEIGHT, lean_to_recent, recency
from tests.models.builders import dataset, tastes

STEPS = np.linspace(0, 1, 11)


def released(whole: Dataset, years: object) -> Dataset:
    return replace(whole, movies=replace(whole.movies, years=np.asarray(years, np.int32)))


@pytest.fixture(scope="module")
def ranker() -> Ranker:
    train = tastes()[0]
    train = released(train, 1950 + np.random.RandomState(0).permutation(len(train.movies)) % 74)
    model = BiasedMF()
    model.fit(train)
    return Ranker(train, model)


def viewer(ranker: Ranker, user: int = 3) -> Viewer:
    return Viewer("user", f"u{user}", history_of(ranker.dataset, user))


def test_a_movie_is_half_as_recent_after_the_half_life() -> None:
    few = dataset([0], [0], [3], movies=5)
    newest = 2020
    years = [newest, newest - HALF_LIFE, newest - 2 * HALF_LIFE, 1900, 0]
    np.testing.assert_allclose(recency(released(few, years)), [1, 0.5, 0.25, 0, 0], atol=1e-6)


def test_age_counts_from_the_newest_year_with_ratings() -> None:
    """A movie with a wrong year and no ratings does not make all others old."""
    movies = 21
    whole = dataset([user for user in range(5) for _ in range(20)], [*range(20)] * 5, [3] * 100, movies=movies)
    years = [2000] * 10 + [1995] * 10 + [2999]
    whole = released(whole, years)
    assert whole.newest_year == whole.covered_year == 2000
    assert set(recency(whole)[:10]) == {1.0}
    assert recency(whole)[20] == 1
    np.testing.assert_allclose(recency(whole)[10:20], 0.5)


def test_no_year_at_all() -> None:
    assert recency(released(dataset([0], [0], [3], movies=3), [0, 0, 0])).tolist() == [0, 0, 0]


def test_scores_change_by_the_formula_and_only_in_the_list() -> None:
    score, newness = np.float32([1, 2, 3, 9]), np.float32([1, 0.5, 0, 1])
    order = np.asarray([2, 1, 0])
    assert lean_to_recent(order, score, newness, 0.0) is score
    leaning = lean_to_recent(order, score, newness, 0.5)
    standardised = (np.asarray([1, 2, 3]) - 2) / np.std([1, 2, 3])
    np.testing.assert_allclose(leaning[:3], standardised + 0.5 * RECENCY_WEIGHT * newness[:3], rtol=1e-6)
    assert leaning[3] == 9
    assert score.tolist() == [1, 2, 3, 9]


@pytest.mark.parametrize("rows", [[], [2]])
def test_a_list_of_one_movie_or_none_is_unchanged(rows: list[int]) -> None:
    score = np.float32([1, 2, 3])
    assert lean_to_recent(np.asarray(rows, np.intp), score, np.ones(3, np.float32), 1.0) is score


@pytest.mark.parametrize("order", ["liked", "likely"])
def test_no_movie_falls_behind_an_older_one_as_the_dial_turns(ranker: Ranker, order: str) -> None:
    years, usual = ranker.dataset.movies.years, usual_stars([viewer(ranker).history])
    lists = [ranker.rank([viewer(ranker)], recent=step, order=order).order for step in STEPS]  # type: ignore[arg-type]
    stars = ranker.rank([viewer(ranker)]).stars
    for before, after in pairwise(lists[1:]):
        assert sorted(before) == sorted(after)
        place_before, place_after = ({row: rank for rank, row in enumerate(each.tolist())} for each in (before, after))
        rows = [row for row in before.tolist() if order == "likely" or stars[row] >= usual]
        for newer in rows[:40]:
            for older in rows[:40]:
                if years[newer] > years[older] and place_before[newer] < place_before[older]:
                    assert place_after[newer] < place_after[older]
    medians = [np.median(years[each[:10]]) for each in lists]
    assert medians[-1] > medians[0] + 10


def test_the_dial_at_zero_changes_nothing(ranker: Ranker) -> None:
    listed = ranker.rank([viewer(ranker)])
    np.testing.assert_array_equal(ranker.rank([viewer(ranker)], recent=0.0).order, listed.order)
    recent = ranker.rank([viewer(ranker)], recent=1.0)
    assert recent.order.tolist() != listed.order.tolist()
    np.testing.assert_array_equal(recent.score, listed.score)
    np.testing.assert_array_equal(recent.stars, listed.stars)


def test_a_recent_list_still_ends_with_movies_below_the_usual_stars(ranker: Ranker) -> None:
    ranked, usual = ranker.rank([viewer(ranker)], recent=1.0), usual_stars([viewer(ranker).history])
    believed = ranked.stars[ranked.order] >= usual
    assert believed.any()
    assert not np.diff(believed.astype(int)).max() > 0


@pytest.mark.parametrize("order", ["stars", "year", "title", "ratings"])
def test_recent_changes_only_orders_by_taste(ranker: Ranker, order: str) -> None:
    any_year, recent = (ranker.rank([viewer(ranker)], recent=each, order=order).order for each in (0, 1))  # type: ignore[arg-type]
    np.testing.assert_array_equal(any_year, recent)


@pytest.mark.parametrize("users", [(3, 4), (3, 4, 5)])
def test_lists_for_several_viewers_lean_to_recent_movies_too(ranker: Ranker, users: tuple[int, ...]) -> None:
    viewers = [viewer(ranker, user) for user in users]
    years = ranker.dataset.movies.years
    any_year, recent = (ranker.rank(viewers, recent=each).order for each in (0, 1))
    assert years[recent[:3]].mean() > years[any_year[:3]].mean()


def test_both_dials_turn_together(ranker: Ranker) -> None:
    years, counts = ranker.dataset.movies.years, ranker.model.counts
    recent, both = (ranker.rank([viewer(ranker)], recent=1.0, daring=each).order[:20] for each in (0.0, 1.0))
    daring = ranker.rank([viewer(ranker)], daring=1.0).order[:20]
    assert np.median(years[both]) > np.median(years[daring])
    assert counts[both].mean() < counts[recent].mean()
