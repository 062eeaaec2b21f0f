"""Folding a viewer in is as accurate as training with their ratings."""

from dataclasses import replace

import numpy as np
import pytest

from movietui.data.problems import Problem
from movietui.models.base import AnyModel, History, history_of
from movietui.models.evaluation.measure import build
from movietui.models.settings import Settings
from tests.benchmarks.folding import Newcomers, folding_cost, newcomers, times
from tests.models.builders import dataset, tastes
from tests.models.contract import EMPTY
from tests.models.test_bayes import QUICK

DATASET = tastes(movies=120)[0]


@pytest.fixture(scope="module")
def parts() -> Newcomers:
    return newcomers(DATASET, 30, 20)


def fitted(name: str, rows: object, settings: Settings | None = None) -> AnyModel:
    model = build(name, settings)
    model.fit(DATASET.with_ratings(np.asarray(rows, np.intp)))
    return model


def test_the_newest_of_several_ratings_of_a_movie_counts() -> None:
    """The rule against duplicate ratings may be off. Nothing may then be listed or explained twice."""
    twice = dataset([0, 0, 0, 0, 1], [3, 5, 3, 3, 3], [1, 2, 3, 4, 5])
    time = np.int64([10, 10, 30, 20, 10])
    history = history_of(replace(twice, ratings=replace(twice.ratings, time=time)), 0)
    assert (history.movies.tolist(), history.stars.tolist(), history.user) == ([5, 3], [2, 3], 0)
    assert history.time is not None
    assert history.time.tolist() == [10, 30]
    same_second = History.of_ratings(history.movies[[1, 0, 1]], np.float32([1, 2, 3]), time=np.int64([5, 5, 5]))
    without_times = History.of_ratings(history.movies[[1, 0, 1]], np.float32([1, 2, 3]))
    for last in (same_second, without_times):
        assert (last.movies.tolist(), last.stars.tolist()) == ([5, 3], [2, 3])


def test_each_rating_is_in_exactly_one_part(parts: Newcomers) -> None:
    rows = np.concatenate([parts.others, parts.known, parts.tested])
    np.testing.assert_array_equal(np.sort(rows), np.arange(len(DATASET.ratings)))
    user = DATASET.ratings.user
    users, counts = np.unique(user[parts.known], return_counts=True)
    assert len(users) == 30
    assert set(counts) == {20}
    assert np.unique(user[parts.tested], return_counts=True)[1].min() >= 5
    assert not np.isin(user[parts.others], users).any()
    again, other = newcomers(DATASET, 30, 20), newcomers(DATASET, 30, 20, seed=1)
    np.testing.assert_array_equal(again.known, parts.known)
    assert not np.array_equal(np.unique(user[other.known]), users)


def test_more_known_ratings_than_anybody_has_are_a_problem() -> None:
    with pytest.raises(Problem, match="fewer known ratings"):
        newcomers(DATASET, 30, 200)


@pytest.mark.parametrize(
    ("name", "settings", "bound"), [("bias", None, 0.01), ("mf", None, 0.02), ("bayes", QUICK, 0.03)]
)
def test_folding_in_is_as_good_as_training(
    parts: Newcomers, name: str, settings: Settings | None, bound: float
) -> None:
    with_them = fitted(name, np.sort(np.concatenate([parts.others, parts.known])), settings)
    result = folding_cost(fitted(name, parts.others, settings), with_them, DATASET, parts)
    assert result.users == 30
    assert result.rows == len(parts.tested)
    assert result.folded_in - result.trained_with == pytest.approx(result.difference)
    assert abs(result.difference) < bound
    assert result.deviation < 0.02


def test_a_model_that_ignores_ratings_is_noticed(parts: Newcomers, monkeypatch: pytest.MonkeyPatch) -> None:
    without, trained = fitted("mf", parts.others), fitted("mf", np.sort(np.concatenate([parts.others, parts.known])))
    fold_in = without.fold_in
    monkeypatch.setattr(without, "fold_in", lambda history: fold_in(EMPTY))
    result = folding_cost(without, trained, DATASET, parts)
    assert result.difference > 0.1
    assert result.difference > 3 * result.deviation


def test_each_timed_list_is_the_first_of_its_viewer(monkeypatch: pytest.MonkeyPatch) -> None:
    model = fitted("bias", np.arange(len(DATASET.ratings)))
    folded: list[History] = []
    fold_in = model.fold_in
    monkeypatch.setattr(model, "fold_in", lambda history: folded.append(history) or fold_in(history))
    seconds = times(model, DATASET, viewers=5)
    assert seconds.shape == (5,)
    assert (seconds > 0).all()
    assert len(folded) == 6  # one to warm up
    assert all(history.user is None for history in folded)
