"""A viewer who is folded in is served as well as one who was trained with."""

import numpy as np
import pytest

from data.problems import Problem
from models.evaluation import build
from models.model import AnyModel, History
from models.settings import Settings
from tests.benchmarks.folding import Newcomers, honesty, newcomers, times
from tests.models.builders import tastes
from tests.models.contract import EMPTY
from tests.models.test_bayes import QUICK

DATASET = tastes(movies=120)[0]


@pytest.fixture(scope="module")
def who() -> Newcomers:
    return newcomers(DATASET, 30, 20)


def fitted(name: str, rows: object, settings: Settings | None = None) -> AnyModel:
    model = build(name, settings)
    model.fit(DATASET.with_ratings(np.asarray(rows, np.intp)))
    return model


def test_each_rating_is_somebody_elses_or_told_or_asked_for(who: Newcomers) -> None:
    rows = np.concatenate([who.others, who.told, who.asked])
    np.testing.assert_array_equal(np.sort(rows), np.arange(len(DATASET.ratings)))
    user = DATASET.ratings.user
    users, told = np.unique(user[who.told], return_counts=True)
    assert len(users) == 30
    assert set(told) == {20}
    assert np.unique(user[who.asked], return_counts=True)[1].min() >= 5
    assert not np.isin(user[who.others], users).any()
    again, other = newcomers(DATASET, 30, 20), newcomers(DATASET, 30, 20, seed=1)
    np.testing.assert_array_equal(again.told, who.told)
    assert not np.array_equal(np.unique(user[other.told]), users)


def test_asking_for_more_than_anybody_rated_is_said() -> None:
    with pytest.raises(Problem, match="tell fewer"):
        newcomers(DATASET, 30, 200)


@pytest.mark.parametrize(
    ("name", "settings", "bound"), [("bias", None, 0.01), ("mf", None, 0.02), ("bayes", QUICK, 0.03)]
)
def test_folding_in_is_as_good_as_training(who: Newcomers, name: str, settings: Settings | None, bound: float) -> None:
    with_them = fitted(name, np.sort(np.concatenate([who.others, who.told])), settings)
    found = honesty(fitted(name, who.others, settings), with_them, DATASET, who)
    assert found.users == 30
    assert found.rows == len(who.asked)
    assert found.folded_in - found.trained_with == pytest.approx(found.difference)
    assert abs(found.difference) < bound
    assert found.deviation < 0.02


def test_a_model_that_does_not_listen_is_found(who: Newcomers, monkeypatch: pytest.MonkeyPatch) -> None:
    without, trained = fitted("mf", who.others), fitted("mf", np.sort(np.concatenate([who.others, who.told])))
    fold_in = without.fold_in
    monkeypatch.setattr(without, "fold_in", lambda history: fold_in(EMPTY))
    found = honesty(without, trained, DATASET, who)
    assert found.difference > 0.1
    assert found.difference > 3 * found.deviation


def test_each_list_is_somebodys_first(monkeypatch: pytest.MonkeyPatch) -> None:
    model = fitted("bias", np.arange(len(DATASET.ratings)))
    seen: list[History] = []
    fold_in = model.fold_in
    monkeypatch.setattr(model, "fold_in", lambda history: seen.append(history) or fold_in(history))
    seconds = times(model, DATASET, viewers=5)
    assert seconds.shape == (5,)
    assert (seconds > 0).all()
    assert len(seen) == 6  # one to warm up
    assert all(history.user is None for history in seen)
