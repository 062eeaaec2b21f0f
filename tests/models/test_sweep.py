"""Sweeping over settings."""

from dataclasses import replace
from pathlib import Path

import pytest

from movietui.data.problems import Problem
from movietui.data.splits import hold_out, split
from movietui.models.base import Epoch
from movietui.models.bias import Bias, BiasSettings
from movietui.models.evaluation.measure import evaluate
from movietui.models.evaluation.sweep import Results, Swept, combine, sweep
from tests.models.builders import rmse, tastes

DATASET = tastes()[0]


def test_all_combinations() -> None:
    result = combine("bias", {"sweeps": ["1", "2"], "caution": ["0", "3"]})
    assert [settings for _, settings in result] == [
        BiasSettings(sweeps=sweeps, caution=caution) for sweeps in (1, 2) for caution in (0.0, 3.0)
    ]
    assert result[1][0] == {"sweeps": "1", "caution": "3"}


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({}, "needs a grid"),
        ({"sweeps": []}, "no values for sweeps"),
        ({"factors": ["2"]}, "no setting 'factors'"),
        ({"sweeps": ["2", "many"]}, "not a whole number"),
        ({"sweeps": ["0"]}, "out of range"),
        ({"sweeps": ["1"] * 101, "caution": ["1"] * 100}, "10,100 combinations"),
    ],
)
def test_impossible_grids_are_problems(grid: dict[str, list[str]], message: str) -> None:
    with pytest.raises(Problem, match=message):
        combine("bias", grid)


def test_a_grid_for_an_unknown_model_is_a_problem() -> None:
    with pytest.raises(Problem, match="There is no model 'oracle'"):
        combine("oracle", {"sweeps": ["1"]})


def test_the_best_is_chosen_on_validation_and_measured_on_test() -> None:
    arrived: list[Swept] = []
    epochs: list[tuple[dict[str, str], Epoch]] = []
    grid = combine("bias", {"sweeps": ["1", "12"]})
    result = sweep(
        "bias",
        DATASET,
        "random80",
        grid,
        progress=lambda changes, epoch: epochs.append((changes, epoch)),
        on_result=arrived.append,
    )
    assert [swept.changes for swept in arrived] == [changes for changes, _ in grid]
    assert [swept.metrics["mse"] for swept in result] == sorted(swept.metrics["mse"] for swept in arrived)
    assert [swept.test is None for swept in result] == [False, True]
    assert result[0].test == evaluate("bias", DATASET, "random80", settings=result[0].settings).metrics
    assert len([epoch for changes, epoch in epochs if changes == {"sweeps": "1"}]) >= 1

    parts = split(DATASET, "random80")
    learn, validation = hold_out(parts.train)
    model = Bias(BiasSettings(sweeps=1))
    model.fit(DATASET.with_ratings(learn))
    held_out = DATASET.ratings.take(validation)
    expected = rmse(model.predict(held_out.user, held_out.movie), held_out.stars)
    assert arrived[0].metrics["rmse"] == pytest.approx(expected, rel=1e-6)


def test_the_choice_does_not_depend_on_test() -> None:
    """Inverting the test ratings changes the figures on test, but not the choice."""
    parts = split(DATASET, "random80")
    ratings = DATASET.ratings
    stars = ratings.stars.copy()
    stars[parts.test] = 6 - stars[parts.test]
    inverted = replace(DATASET, ratings=replace(ratings, stars=stars))
    grid = combine("bias", {"sweeps": ["1", "2", "12"]})
    before, after = (sweep("bias", data, "random80", grid) for data in (DATASET, inverted))
    assert [swept.changes for swept in before] == [swept.changes for swept in after]
    assert before[0].test != after[0].test


def fitted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list to which every fit of ``bias`` adds its number of sweeps."""
    seen: list[int] = []
    learn = Bias._learn
    monkeypatch.setattr(Bias, "_learn", lambda model, *rest: seen.append(model.settings.sweeps) or learn(model, *rest))
    return seen


def test_an_interrupted_sweep_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = fitted(monkeypatch)
    grid = combine("bias", {"sweeps": ["1", "4", "12"]})

    def stop(swept: Swept) -> None:
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep("bias", DATASET, "random80", grid, on_result=stop, results=Results(tmp_path, seed=0))
    seen.clear()
    arrived: list[Swept] = []
    result = sweep("bias", DATASET, "random80", grid, on_result=arrived.append, results=Results(tmp_path, seed=0))
    assert seen == [12, result[0].settings.sweeps]
    assert [swept.changes for swept in arrived] == [changes for changes, _ in grid]
    undisturbed = sweep("bias", DATASET, "random80", grid)
    assert [(swept.changes, swept.metrics, swept.test) for swept in result] == [
        (swept.changes, swept.metrics, swept.test) for swept in undisturbed
    ]


def test_results_of_another_sweep_and_truncated_ones_are_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = combine("bias", {"sweeps": ["1", "4"]})
    results = Results(tmp_path, seed=0)
    sweep("bias", DATASET, "random80", grid, results=results)
    assert Results(tmp_path, seed=1).read() == {}
    results.path.write_text(results.path.read_text("utf-8")[:-9], "utf-8")
    seen = fitted(monkeypatch)
    for _ in range(2):
        sweep("bias", DATASET, "random80", grid, results=results)
    # First, the combination that was cut off is measured again, and then the best one on test. The second time, only
    # the best one is measured, on test.
    assert seen == [4, 4, 4]
    assert len(results.read()) == 2
    results.forget()
    assert results.read() == {}
