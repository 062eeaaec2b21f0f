"""Sweeping over settings."""

from dataclasses import replace
from pathlib import Path

import pytest

from data.problems import Problem
from data.splits import hold_out, split
from models.bias import Bias, BiasSettings
from models.evaluation import evaluate
from models.model import Epoch
from models.sweep import Notes, Swept, combine, sweep
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


def fitted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sweeps of every ``bias`` that is fitted from now on."""
    seen: list[int] = []
    learn = Bias._learn
    monkeypatch.setattr(Bias, "_learn", lambda model, *rest: seen.append(model.settings.sweeps) or learn(model, *rest))
    return seen


def test_what_was_broken_off_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = fitted(monkeypatch)
    grid = combine("bias", {"sweeps": ["1", "4", "12"]})

    def stop(swept: Swept) -> None:
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep("bias", DATASET, "random80", grid, arrived=stop, notes=Notes(tmp_path, seed=0))
    seen.clear()
    arrived: list[Swept] = []
    found = sweep("bias", DATASET, "random80", grid, arrived=arrived.append, notes=Notes(tmp_path, seed=0))
    assert seen == [12, found[0].settings.sweeps]
    assert [swept.changes for swept in arrived] == [changes for changes, _ in grid]
    undisturbed = sweep("bias", DATASET, "random80", grid)
    assert [(own.changes, own.metrics, own.test) for own in found] == [
        (own.changes, own.metrics, own.test) for own in undisturbed
    ]


def test_notes_of_another_sweep_or_cut_off_are_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grid = combine("bias", {"sweeps": ["1", "4"]})
    notes = Notes(tmp_path, seed=0)
    sweep("bias", DATASET, "random80", grid, notes=notes)
    assert Notes(tmp_path, seed=1).read() == {}
    notes.path.write_text(notes.path.read_text("utf-8")[:-9], "utf-8")
    seen = fitted(monkeypatch)
    for _ in range(2):
        sweep("bias", DATASET, "random80", grid, notes=notes)
    assert seen == [4, 4, 4]  # measured, best on test; then best on test alone
    assert len(notes.read()) == 2
    notes.forget()
    assert notes.read() == {}
