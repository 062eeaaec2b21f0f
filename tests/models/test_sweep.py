"""Sweeping over settings."""

from dataclasses import replace

import pytest

from data.problems import Problem
from data.splits import hold_out, split
from models.bias import Bias, BiasSettings
from models.evaluation import evaluate
from models.model import Epoch
from models.sweep import Swept, combine, sweep
from tests.models.builders import rmse, tastes

DATASET = tastes()[0]


def test_all_combinations() -> None:
    found = combine("bias", {"sweeps": ["1", "2"], "caution": ["0", "3"]})
    assert [settings for _, settings in found] == [
        BiasSettings(sweeps=sweeps, caution=caution) for sweeps in (1, 2) for caution in (0.0, 3.0)
    ]
    assert found[1][0] == {"sweeps": "1", "caution": "3"}


@pytest.mark.parametrize(
    ("grid", "told"),
    [
        ({}, "needs a grid"),
        ({"sweeps": []}, "no values for sweeps"),
        ({"factors": ["2"]}, "no setting 'factors'"),
        ({"sweeps": ["2", "many"]}, "not a whole number"),
        ({"sweeps": ["0"]}, "out of range"),
        ({"sweeps": ["1"] * 101, "caution": ["1"] * 100}, "10,100 combinations"),
    ],
)
def test_grids_that_cannot_be(grid: dict[str, list[str]], told: str) -> None:
    with pytest.raises(Problem, match=told):
        combine("bias", grid)


def test_a_grid_for_no_model() -> None:
    with pytest.raises(Problem, match="There is no model 'oracle'"):
        combine("oracle", {"sweeps": ["1"]})


def test_the_best_is_chosen_on_validation_and_measured_on_test() -> None:
    arrived: list[Swept] = []
    epochs: list[tuple[dict[str, str], Epoch]] = []
    grid = combine("bias", {"sweeps": ["1", "12"]})
    found = sweep(
        "bias",
        DATASET,
        "random80",
        grid,
        progress=lambda changes, epoch: epochs.append((changes, epoch)),
        arrived=arrived.append,
    )
    assert [swept.changes for swept in arrived] == [changes for changes, _ in grid]
    assert [swept.metrics["mse"] for swept in found] == sorted(swept.metrics["mse"] for swept in arrived)
    assert [swept.test is None for swept in found] == [False, True]
    assert found[0].test == evaluate("bias", DATASET, "random80", settings=found[0].settings).metrics
    assert len([epoch for changes, epoch in epochs if changes == {"sweeps": "1"}]) >= 1

    parts = split(DATASET, "random80")
    learn, validation = hold_out(parts.train)
    model = Bias(BiasSettings(sweeps=1))
    model.fit(DATASET.with_ratings(learn))
    held_out = DATASET.ratings.take(validation)
    expected = rmse(model.predict(held_out.user, held_out.movie), held_out.stars)
    assert arrived[0].metrics["rmse"] == pytest.approx(expected, rel=1e-6)


def test_test_does_not_choose() -> None:
    """With the test ratings turned round, what is best on test is not what is chosen."""
    parts = split(DATASET, "random80")
    ratings = DATASET.ratings
    stars = ratings.stars.copy()
    stars[parts.test] = 6 - stars[parts.test]
    turned = replace(DATASET, ratings=replace(ratings, stars=stars))
    grid = combine("bias", {"sweeps": ["1", "2", "12"]})
    before, after = (sweep("bias", data, "random80", grid) for data in (DATASET, turned))
    assert [swept.changes for swept in before] == [swept.changes for swept in after]
    assert before[0].test != after[0].test
