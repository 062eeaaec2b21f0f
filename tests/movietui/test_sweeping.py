"""Typed grids, the effects of their values, and a sweep in a real job."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from movietui.data.problems import Problem
from movietui.jobs.__main__ import Reporter, perform
from movietui.protocol.messages import FieldRow
from movietui.protocol.wire import Message
from movietui.state.sweep import Sweep, grid_of, responses, seconds_of_fit, values_of
from movietui.store.ratings import Store
from tests.movietui.fakes import with_run

FACTORS: FieldRow = {"name": "factors", "kind": "int", "default": 10, "low": 1, "high": 512, "meaning": ""}
RATE: FieldRow = {"name": "rate", "kind": "float", "default": 0.01, "low": 0, "high": 1, "meaning": ""}


def test_values_are_checked() -> None:
    assert values_of(" 8,16 , 8,", FACTORS) == ["8", "16"]
    assert values_of("1e-3,0.5", RATE) == ["1e-3", "0.5"]
    for typed, expected in (
        ("", "factors needs a value; its default is 10"),
        ("8,x", "x is not a whole number"),
        ("0", "0 is out of range, 1 to 512"),
    ):
        with pytest.raises(Problem, match=expected):
            values_of(typed, FACTORS)
    with pytest.raises(Problem, match="nan is out of range"):
        values_of("nan", RATE)


def test_a_grid_contains_varied_and_changed_settings() -> None:
    assert grid_of({"factors": "10", "rate": "0.1,0.2"}, [FACTORS, RATE]) == {"rate": ["0.1", "0.2"]}
    assert grid_of({"factors": "8", "rate": "0.1,0.2"}, [FACTORS, RATE])["factors"] == ["8"]
    with pytest.raises(Problem, match="several values"):
        grid_of({"factors": "8", "rate": "0.1"}, [FACTORS, RATE])
    many = ",".join(map(str, range(1, 513)))
    with pytest.raises(Problem, match="more than 10,000"):
        grid_of({"factors": many, "rate": ",".join(f"0.{number:02}" for number in range(1, 31))}, [FACTORS, RATE])


def row(factors: str, rate: str, rmse: float) -> dict[str, Any]:
    return {"grid": {"factors": factors, "rate": rate}, "metrics": {"rmse": rmse}, "seconds": {"fit": 2.0}}


def test_the_effect_of_a_value_is_its_best_and_its_mean_metric() -> None:
    rows = [row("8", "0.1", 1.0), row("8", "0.2", 0.5), row("16", "0.1", 0.25)]
    sweep = Sweep("mf", "demo", "u1", {"factors": ["8", "16"], "rate": ["0.1", "0.2"]}, rows)
    effects = {(one.field, one.value): (one.best, one.mean) for one in responses(sweep)}
    assert effects[("factors", "8")] == (0.5, 0.75)
    assert effects[("factors", "16")] == (0.25, 0.25)
    assert effects[("rate", "0.1")] == (0.25, 0.625)
    assert sweep.seconds_left == 4  # for one more combination, and for the best one once more
    assert replace(sweep, rows=()).seconds_left is None


def test_the_time_of_a_fit_is_that_of_earlier_runs(store: Store) -> None:
    with_run(store)
    assert seconds_of_fit(store.runs(), "mf", "demo") == pytest.approx(2.5 / 3)
    assert seconds_of_fit(store.runs(), "mf", "ml-100k") is None
    number = store.start_run("ncf", "demo", "standard", "u1", 0, {}, request={"split": "u1"})
    store.end_run(number, "done", seconds=3.0)
    assert seconds_of_fit(store.runs(), "ncf", "demo") == 1.5


def test_a_sweep_job_reports_each_combination(ready: Path) -> None:
    sent: list[Message] = []
    options = {"split": "kfold5-0", "cleaning": "none", "seed": 0, "grid": {"sweeps": ["1", "3"]}}
    request = {"do": "sweep", "model": "bias", "dataset": "demo", **options}
    rows = perform(request, Reporter(sent.append))["rows"]
    grids = [event["row"]["grid"] for event in sent if event["event"] == "result"]
    assert grids == [{"sweeps": "1"}, {"sweeps": "3"}]
    assert rows[0]["test"]["rmse"] > 0
    assert rows[0]["metrics"]["rmse"] <= rows[1]["metrics"]["rmse"]
    sent.clear()
    perform(request, Reporter(sent.append))
    assert len([event for event in sent if event["event"] == "result"]) == 2  # known from the first sweep
