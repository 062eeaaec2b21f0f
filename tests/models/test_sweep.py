"""What sweeps try, what they measure it on, and which fits they stop."""

import math
import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from movietui.data.problems import Problem
from movietui.data.splits import hold_out, split
from movietui.models.base import Epoch
from movietui.models.bias import Bias, BiasSettings
from movietui.models.choices import Sampler
from movietui.models.evaluation.sweep import (
    ENOUGH_FITS,
    Grid,
    MedianRule,
    Range,
    Space,
    Tpe,
    space_of,
    task_of,
    tries_of,
    usual_texts,
    validate,
)
from movietui.models.registry import MODELS
from tests.models.builders import rmse, tastes

DATASET = tastes()[0]


def tried(sampler: Sampler, space: Space, tries: int | None = None, seed: int = 0) -> list[dict[str, str]]:
    """Return all that a sampler tries if every combination is as good as any other."""
    source = tries_of(sampler, space, "rmse", tries, seed)
    tried = []
    while (changes := source.ask()) is not None:
        tried.append(changes)
        source.tell(1.0)
    return tried


# What to try


def test_all_combinations() -> None:
    space = space_of("bias", {"sweeps": ["1", "2"], "caution": ["0", "3"]})
    assert tried("grid", space) == [
        {"sweeps": sweeps, "caution": caution} for sweeps in ("1", "2") for caution in ("0", "3")
    ]


@pytest.mark.parametrize(
    ("grid", "search", "message"),
    [
        ({}, False, "needs a grid or a search"),
        ({"sweeps": []}, False, "no values for sweeps"),
        ({"factors": ["2"]}, False, "no setting 'factors'"),
        ({"sweeps": ["2", "many"]}, False, "not a whole number"),
        ({"sweeps": ["0"]}, False, "out of range"),
        ({"sweeps": ["1..8"]}, False, "is a range, from which only --search draws"),
        ({"sweeps": ["1..8", "9"]}, True, "not a whole number"),
        ({"sweeps": ["0..8"]}, True, "out of range"),
        ({"sweeps": ["8..1"]}, True, "put the lower end first"),
        ({"sweeps": ["1..2..3"]}, True, "not a whole number"),
        ({"caution": ["nan..1"]}, True, "out of range"),
    ],
)
def test_impossible_grids_are_problems(grid: dict[str, list[str]], search: bool, message: str) -> None:
    with pytest.raises(Problem, match=message):
        space_of("bias", grid, search=search)


def test_a_switch_has_no_range() -> None:
    with pytest.raises(Problem, match="ones is yes or no"):
        space_of("ease", {"ones": ["0..1"]}, search=True)


def test_too_many_combinations_are_a_problem() -> None:
    with pytest.raises(Problem, match="10,100 combinations"):
        Grid(space_of("bias", {"sweeps": ["1"] * 101, "caution": ["1"] * 100}))


def test_a_grid_for_an_unknown_model_is_a_problem() -> None:
    with pytest.raises(Problem, match="There is no model 'oracle'"):
        space_of("oracle", {"sweeps": ["1"]})


def test_a_search_tries_values_around_the_defaults() -> None:
    assert usual_texts("ease") == {
        "ones": ["no", "yes"],
        "zero": ["0.25..4"],
        "ridge": ["500..8000"],
        "drop": ["0.25..4"],
        "balance": ["0.125..1"],
        "movies": ["2000..32000"],
    }
    for name in MODELS:
        texts = usual_texts(name)
        space_of(name, texts, search=True)
        assert texts, name


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_search_draws_from_ranges_and_lists(sampler: Sampler) -> None:
    if sampler == "tpe":
        pytest.importorskip("optuna")
    texts = {"ones": ["no", "yes"], "ridge": ["0.1..1000"], "movies": ["10..30"]}
    space = space_of("ease", texts, search=True)
    drawn = tried(sampler, space, 40)
    assert len(drawn) == 40
    assert {each["ones"] for each in drawn} == {"no", "yes"}
    assert all(10 <= int(each["movies"]) <= 30 for each in drawn)
    ridges = [float(each["ridge"]) for each in drawn]
    assert all(0.1 <= ridge <= 1000 for ridge in ridges)
    assert 0.1 < np.mean([ridge < 10 for ridge in ridges]) < 0.9  # drawn by their logarithm
    assert drawn == tried(sampler, space, 40)
    assert drawn != tried(sampler, space, 40, seed=1)


def test_random_search_tries_nothing_twice() -> None:
    space = space_of("bias", {"sweeps": ["1..3"], "caution": ["0", "1"]}, search=True)
    drawn = tried("random", space, 20)
    assert len(drawn) == len({tuple(each.values()) for each in drawn}) == 6


def test_both_ends_of_a_range_are_drawn() -> None:
    for low, high in ((1, 3), (1, 100)):
        random = np.random.default_rng(0)
        drawn = [int(Range(low, high, whole=True).draw(random)) for _ in range(5_000)]
        assert (min(drawn), max(drawn)) == (low, high)
        if high == 3:
            assert min(map(drawn.count, (1, 2, 3))) > 1_500  # each is as likely as the others


def test_tpe_draws_where_earlier_results_were_good() -> None:
    pytest.importorskip("optuna")
    space = space_of("ease", {"ridge": ["1..10000"]}, search=True)
    for metric, sign in (("rmse", 1), ("ndcg@10", -1)):
        source, drawn = Tpe(space, metric, 40, 0), []
        while (changes := source.ask()) is not None:
            drawn.append(math.log(float(changes["ridge"])))
            if len(drawn) % 5 == 1:
                source.tell(None, [(2, drawn[-1])])
            else:
                source.tell(None if len(drawn) % 5 == 2 else sign * drawn[-1])
        assert np.mean(drawn[20:]) < math.log(10_000) / 4  # random draws have twice this mean


def test_without_optuna_tpe_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    space = space_of("bias", {"sweeps": ["1..3"]}, search=True)
    with pytest.raises(Problem, match=r"needs optuna.*pip install 'movietui\[tune\]'.*use random"):
        tries_of("tpe", space, "rmse", 3)
    assert len(tried("random", space, 3)) == 3


def test_what_settings_can_be_chosen_by() -> None:
    assert (task_of("mae"), task_of("ndcg@10")) == ("rating", "ranking")
    for metric, message in (("ndgc@10", "did you mean ndcg@10"), ("users", "cannot be chosen by 'users'")):
        with pytest.raises(Problem, match=message):
            task_of(metric)


# Measuring


def test_settings_are_measured_on_a_validation_part_of_train() -> None:
    epochs: list[Epoch] = []
    settings = BiasSettings(sweeps=2)
    result = validate("bias", DATASET, "random80", "rating", settings, progress=epochs.append)
    parts = split(DATASET, "random80")
    learn, validation = hold_out(parts.train)
    model = Bias(settings)
    model.fit(DATASET.with_ratings(learn))
    held_out = DATASET.ratings.take(validation)
    expected = rmse(model.predict(held_out.user, held_out.movie), held_out.stars)
    assert result.metrics["rmse"] == pytest.approx(expected, rel=1e-6)
    assert [epoch.validation_loss is not None for epoch in epochs] == [True, True]


@pytest.mark.parametrize("task", ["rating", "ranking"])
def test_the_choice_does_not_depend_on_test(task: str) -> None:
    """Inverting the test ratings changes nothing, and inverting a train rating changes the figures."""
    parts = split(DATASET, "random80")

    def figures(rows: Sequence[int]) -> dict[str, float]:
        stars = DATASET.ratings.stars.copy()
        stars[rows] = 6 - stars[rows]
        inverted = replace(DATASET, ratings=replace(DATASET.ratings, stars=stars))
        return validate("bias", inverted, "random80", task, BiasSettings()).metrics  # type: ignore[arg-type]

    assert figures(parts.test) == figures([])  # type: ignore[arg-type]
    assert figures(hold_out(parts.train)[1]) != figures([])  # type: ignore[arg-type]


# Stopping early


def test_fits_above_the_median_are_hopeless() -> None:
    rule = MedianRule()
    for loss in range(1, ENOUGH_FITS + 1):  # the median is 3
        assert rule.problem([(1, 9.0), (2, 9.0)], 4) == ""
        rule.add([(1, 2.0 * loss), (2, 1.0 * loss)])
    assert rule.problem([(1, 9.0), (2, 3.0)], 4) == ""
    assert rule.problem([(1, 3.0), (2, 9.0)], 4) == ""  # it was good once
    reason = "the lowest validation loss after epoch 2 of 4, 3.5000, is above 3.0000, the median of 5 earlier fits."
    assert rule.problem([(1, 9.0), (2, 3.5)], 4) == f"Stopped early: {reason}"
    assert rule.problem([(1, 9.0), (2, 3.5)], 20) == ""  # too early
    assert rule.problem([(3, 9.0)], 4) == ""  # no other fit came as far
    assert rule.problem([], 4) == ""
