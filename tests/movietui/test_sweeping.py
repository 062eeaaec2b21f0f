"""Typed grids and searches, the effects of settings, and sweeps in real jobs."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from movietui.data import catalogue
from movietui.data.problems import Problem
from movietui.data.storage import locations
from movietui.jobs import datasets
from movietui.jobs.__main__ import Reporter, perform
from movietui.jobs.listener import Listener
from movietui.jobs.sweep import SweepRequest, sweep
from movietui.models.bias import Bias
from movietui.models.evaluation.sweep import MedianRule
from movietui.protocol.messages import FieldRow
from movietui.protocol.wire import Message
from movietui.state.sweep import Sweep, effects, grid_of, metric_of, sampler_of, seconds_of_fit, tries_of, values_of
from movietui.store.ratings import Store
from movietui.store.runs import Runs
from movietui.store.sweeps import Sweeps
from tests.data.imdb_tables import basics, crew, person, rating, write_tables
from tests.movietui.fakes import with_run

FACTORS: FieldRow = {"name": "factors", "kind": "int", "default": 10, "low": 1, "high": 512, "meaning": ""}
RATE: FieldRow = {"name": "rate", "kind": "float", "default": 0.01, "low": 0, "high": 1, "meaning": ""}
TAGS: FieldRow = {"name": "tags", "kind": "bool", "default": True, "low": False, "high": True, "meaning": ""}
GRID = {"sweeps": ["1", "4", "12"]}
REQUEST = SweepRequest("bias", "demo", "kfold5-0", GRID)
SEARCH = replace(REQUEST, grid={"sweeps": ["1..40"], "caution": ["0.1..5"]}, sampler="random", tries=6)


# What was typed


def test_a_sampler_needs_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("movietui.state.sweep.find_spec", lambda name: "optuna")
    assert [sampler_of(typed, 20) for typed in ("", " random ", "tpe")] == ["random", "random", "tpe"]
    assert sampler_of("tpe", None) == "grid"
    with pytest.raises(Problem, match="There is no sampler 'tpee'; did you mean tpe"):
        sampler_of("tpee", 20)
    monkeypatch.setattr("movietui.state.sweep.find_spec", lambda name: None)
    assert sampler_of("random", 20) == "random"
    with pytest.raises(Problem, match=r"needs optuna.*pip install 'movietui\[tune\]'"):
        sampler_of("tpe", 20)


def test_values_are_checked() -> None:
    assert values_of(" 8,16 , 8,", FACTORS) == ["8", "16"]
    assert values_of("1e-3,0.5", RATE) == ["1e-3", "0.5"]
    assert values_of("8..64", FACTORS, search=True) == ["8..64"]
    for typed, search, expected in (
        ("", False, "factors needs a value; its default is 10"),
        ("8,x", False, "x is not a whole number"),
        ("0", False, "0 is out of range, 1 to 512"),
        ("8..64", False, "8..64 is not a whole number"),
        ("8..x", True, "x is not a whole number"),
        ("0..64", True, "0 is out of range, 1 to 512"),
    ):
        with pytest.raises(Problem, match=expected):
            values_of(typed, FACTORS, search=search)
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


def test_a_switch_is_yes_or_no() -> None:
    assert values_of("yes, no", TAGS) == ["yes", "no"]
    assert grid_of({"factors": "8,9", "tags": "yes"}, [FACTORS, TAGS]) == {"factors": ["8", "9"]}
    assert grid_of({"factors": "8,9", "tags": "no"}, [FACTORS, TAGS])["tags"] == ["no"]
    for typed, expected in (("1", "tags: 1 is neither yes nor no"), ("", "its default is yes")):
        with pytest.raises(Problem, match=expected):
            values_of(typed, TAGS)


def test_a_search_needs_no_grid() -> None:
    assert grid_of({"factors": "10", "rate": "0.01"}, [FACTORS, RATE], search=True) == {}
    grid = grid_of({"factors": "8..64", "rate": "0.2"}, [FACTORS, RATE], search=True)
    assert grid == {"factors": ["8..64"], "rate": ["0.2"]}
    assert [tries_of(typed) for typed in ("", " 20 ", "1")] == [None, 20, 1]
    for typed in ("0", "x", "-1", "10001", "9" * 50):
        with pytest.raises(Problem, match=r"not a number of combinations, 1 to 10,000"):
            tries_of(typed)
    assert metric_of(" ndcg@10 ") == "ndcg@10"
    for typed, expected in (("ndgc@10", "did you mean ndcg@10"), ("pairs", "cannot be chosen by"), ("", "by ''")):
        with pytest.raises(Problem, match=expected):
            metric_of(typed)


# Effects


def row(factors: str, rate: str, **metrics: float) -> dict[str, Any]:
    return {"grid": {"factors": factors, "rate": rate}, "metrics": metrics, "seconds": {"fit": 2.0}, "problem": ""}


def test_the_effect_of_a_value_is_its_best_and_its_mean_metric() -> None:
    rows = [row("8", "0.1", rmse=1.0), row("8", "0.2", rmse=0.5), row("16", "0.1", rmse=0.25)]
    grid = {"factors": ["8", "16"], "rate": ["0.1", "0.2"]}
    sweep = Sweep("mf", "demo", "u1", grid, "rmse", rows=rows)
    responses = {
        (effect.setting, one.value): (one.best, one.mean) for effect in effects(sweep) for one in effect.responses
    }
    assert responses[("factors", "8")] == (0.5, 0.75)
    assert responses[("factors", "16")] == (0.25, 0.25)
    assert responses[("rate", "0.1")] == (0.25, 0.625)
    assert sweep.seconds_left == 4  # for one more combination, and for the best one once more
    assert replace(sweep, rows=()).seconds_left is None
    assert replace(sweep, tries=30).combinations == 30


def test_of_a_metric_to_maximise_the_highest_is_best() -> None:
    rows = [row("8", "0.1", **{"ndcg@10": 0.2}), row("8", "0.2", **{"ndcg@10": 0.4}), row("16", "0.1")]
    sweep = Sweep("ease", "demo", "u1", {"factors": ["8", "16"], "rate": ["0.1", "0.2"]}, "ndcg@10", rows=rows)
    assert sweep.best is rows[1]
    (effect,) = effects(sweep)  # of factors, only one value was measured
    assert effect.setting == "rate"
    assert replace(sweep, rows=rows[2:]).best is None


def test_the_most_important_setting_comes_first() -> None:
    """The importance is epsilon squared: 1 − (16 / 6) / (80 / 7) for ``rate``, and 0 for ``factors``."""
    values = {("8", "0.1"): (1, 3), ("8", "0.2"): (7, 9), ("16", "0.1"): (3, 1), ("16", "0.2"): (9, 7)}
    rows = [row(factors, rate, rmse=value) for (factors, rate), both in values.items() for value in both]
    first, second = effects(
        Sweep("mf", "demo", "u1", {"factors": ["8", "16"], "rate": ["0.1", "0.2"]}, "rmse", rows=rows)
    )
    assert (first.setting, second.setting) == ("rate", "factors")
    assert first.importance == pytest.approx(1 - (8 / 6) / (80 / 7))
    assert second.importance == 0


def test_drawn_values_are_shown_in_four_parts() -> None:
    rows = [row(str(number), "0.1", rmse=number) for number in (9, 1, 3, 2, 5, 4, 10, 7)]
    (effect,) = effects(Sweep("mf", "demo", "u1", {"factors": ["1..10"]}, "rmse", tries=8, rows=rows))
    assert [(one.value, one.best, one.mean) for one in effect.responses] == [
        ("1…", 1, 1.5),
        ("3…", 3, 3.5),
        ("5…", 5, 6),
        ("9…", 9, 9.5),
    ]


def test_the_time_of_a_fit_is_that_of_earlier_runs(store: Store) -> None:
    with_run(store)
    assert seconds_of_fit(store.runs(), "mf", "demo", 28_000) == pytest.approx(2.5 / 3)
    assert seconds_of_fit(store.runs(), "mf", "demo", 20_000_000) == 2.5  # so large a dataset is fitted once
    assert seconds_of_fit(store.runs(), "mf", "ml-100k", 100_000) is None
    number = store.start_run("blend", "demo", "standard", "random90", 0, {})
    store.end_run(number, "done", seconds=3.0)
    assert seconds_of_fit(store.runs(), "blend", "demo", 28_000) == 2.0  # and half of that for the last fit
    number = store.start_run("ncf", "demo", "standard", "u1", 0, {}, request={"split": "u1"})
    store.end_run(number, "done", seconds=3.0)
    assert seconds_of_fit(store.runs(), "ncf", "demo", 28_000) == 1.5
    trial = store.start_run("ncf", "demo", "none", "u1 validation", 0, {}, kind="trial")
    store.end_run(trial, "done", seconds=100.0)
    assert seconds_of_fit(store.runs(), "ncf", "demo", 28_000) == 1.5


# Sweeps


@pytest.fixture
def demo(small: Path) -> Iterator[Store]:
    """The store of a home with the demo and its two runs."""
    opened = Store(locations.store())
    yield opened
    opened.close()


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list to which every fit of ``bias`` adds its number of sweeps."""
    seen: list[int] = []
    learn = Bias._learn
    monkeypatch.setattr(Bias, "_learn", lambda model, *rest: seen.append(model.settings.sweeps) or learn(model, *rest))
    return seen


def stop_after(count: int) -> Listener:
    """Return a listener that interrupts a sweep after this many results."""
    rows: list[object] = []

    def stop(row: object) -> None:
        rows.append(row)
        if len(rows) == count:
            raise KeyboardInterrupt

    return Listener(row=stop)


def test_a_sweep_job_reports_each_combination(small: Path) -> None:
    sent: list[Message] = []
    options = {"split": "kfold5-0", "cleaning": "none", "seed": 0, "grid": {"sweeps": ["1", "3"]}}
    request = {"do": "sweep", "model": "bias", "dataset": "demo", "metric": "rmse", "sampler": "grid", "tries": None}
    rows = perform({**request, **options}, Reporter(sent.append))["rows"]
    grids = [event["row"]["grid"] for event in sent if event["event"] == "result"]
    assert grids == [{"sweeps": "1"}, {"sweeps": "3"}]
    assert rows[0]["test"]["rmse"] > 0
    assert rows[0]["metrics"]["rmse"] <= rows[1]["metrics"]["rmse"]
    sent.clear()
    perform({**request, **options}, Reporter(sent.append))
    assert len([event for event in sent if event["event"] == "result"]) == 2  # known from the first sweep


def test_every_measurement_is_a_run(demo: Store) -> None:
    before = len(demo.runs())
    rows = sweep(demo, REQUEST)
    runs = demo.runs()[: len(demo.runs()) - before]
    assert [(run.kind, run.split, run.state) for run in reversed(runs)] == [
        *[("trial", "kfold5-0 validation", "done")] * 3,
        ("evaluation", "kfold5-0", "done"),
    ]
    trials = {run.id: run for run in runs if run.kind == "trial"}
    assert {row["run"]: row["metrics"] for row in rows} == {run.id: run.metrics for run in trials.values()}
    assert all(run.curve[0]["validation_loss"] > 0 for run in trials.values())
    assert runs[0].metrics == rows[0]["test"]
    assert (runs[0].task, runs[0].list_order, runs[0].split_seed) == ("rating", "", 0)
    assert runs[0].environment["data"] == catalogue.load("demo", "none").fingerprint
    # They have no checkpoint, so they make no list.
    assert {run.kind for run in demo.serving_runs("demo")} == {"training"}
    with pytest.raises(Problem, match="only measured bias; train it"):
        Runs(demo).use(runs[0].id)
    with pytest.raises(Problem, match="measured again by the movietui sweep"):
        Runs(demo).again(runs[-1].id)


def test_an_interrupted_sweep_resumes(demo: Store, fits: list[int]) -> None:
    with pytest.raises(KeyboardInterrupt):
        sweep(demo, REQUEST, stop_after(2))
    assert fits == [1, 4]
    assert [one["state"] for one in map(Sweeps(demo).as_json, Sweeps(demo).find())] == ["unfinished"]
    fits.clear()
    result = sweep(demo, REQUEST)
    assert fits == [12, int(result[0]["grid"]["sweeps"])]
    fits.clear()
    assert sweep(demo, REQUEST) == result
    assert fits == []
    again = sweep(demo, replace(REQUEST, fresh=True))
    assert [(row["grid"], row["metrics"], row["test"]) for row in again] == [
        (row["grid"], row["metrics"], row["test"]) for row in result
    ]
    assert fits[:3] == [1, 4, 12]


def test_a_sweep_replaces_measurements_that_did_not_end(demo: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Bias, "_learn", interrupted)
        with pytest.raises(KeyboardInterrupt):
            sweep(demo, REQUEST)
    cancelled = demo.runs()[0]
    assert cancelled.state == "cancelled"
    sweep(demo, REQUEST)
    assert demo.run(cancelled.id) is None


def test_another_sweep_uses_what_was_measured(demo: Store, fits: list[int]) -> None:
    sweep(demo, REQUEST)
    fits.clear()
    sweep(demo, replace(REQUEST, grid={"sweeps": ["4", "8"]}))
    assert fits[0] == 8
    assert 4 not in fits[:1]
    for change in ({"seed": 1}, {"split_seed": 1}, {"split": "kfold5-1"}, {"metric": "ndcg@10"}):
        fits.clear()
        sweep(demo, replace(REQUEST, **change))  # type: ignore[arg-type]
        assert fits[:3] == [1, 4, 12]


def join_with_imdb(folder: Path, votes: int) -> None:
    movie = catalogue.load("demo", "none").movies
    title = basics(1, movie.titles[0], int(movie.years[0]))
    write_tables(folder, [title], [rating(1, votes)], [crew(1, 1)], [person(1, "Ann Other")])
    datasets.join_imdb("demo", folder)


def test_after_a_join_with_imdb_a_sweep_measures_again(demo: Store, tmp_path: Path, fits: list[int]) -> None:
    sweep(demo, REQUEST)
    for votes in (10, 20):
        join_with_imdb(tmp_path / str(votes), votes)
        fits.clear()
        sweep(demo, REQUEST)
        assert fits[:3] == [1, 4, 12]
    assert len({run.imdb for run in demo.runs() if run.kind == "trial"}) == 3


def test_rankers_are_chosen_by_a_metric_of_lists(demo: Store) -> None:
    request = SweepRequest("ease", "demo", "random80", {"ridge": ["1", "1000"]}, metric="ndcg@10", order="likely")
    rows = sweep(demo, request)
    values = [row["metrics"]["ndcg@10"] for row in rows]
    assert values == sorted(values, reverse=True)
    assert rows[0]["test"] is not None
    assert rows[0]["test"]["ndcg@10"] > 0
    assert demo.runs()[0].list_order == "likely"
    other = sweep(demo, replace(request, order="stars"))
    assert {row["run"] for row in other}.isdisjoint(row["run"] for row in rows)


def test_a_search_gives_the_same_twice_and_resumes(demo: Store, fits: list[int]) -> None:
    with pytest.raises(KeyboardInterrupt):
        sweep(demo, SEARCH, stop_after(4))
    drawn = list(fits)
    assert len(drawn) == 4
    result = sweep(demo, SEARCH)
    assert fits[:4] == drawn
    assert len(result) == 6
    assert len(fits) == 7  # six settings, and the best once more
    assert sweep(demo, SEARCH) == result
    assert len(fits) == 7
    assert all(1 <= row["settings"]["sweeps"] <= 40 for row in result)
    assert all(0.1 <= row["settings"]["caution"] <= 5 for row in result)


def test_hopeless_fits_are_stopped(demo: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MedianRule, "problem", lambda rule, losses, of: "Stopped early." * (of in (19, 27)))
    request = replace(SEARCH, grid={"sweeps": ["3", "19", "27", "35"]}, tries=4)
    rows = sweep(demo, request)
    assert {row["grid"]["sweeps"]: row["problem"] for row in rows} == {
        "3": "",
        "35": "",
        "19": "Stopped early.",
        "27": "Stopped early.",
    }
    assert [bool(row["metrics"]) for row in rows] == [True, True, False, False]
    assert {demo.run(row["run"]).state for row in rows[2:]} == {"cancelled"}  # type: ignore[union-attr]
    assert {row["run"] for row in sweep(demo, request)} == {row["run"] for row in rows}  # they are results, too
    for whole in (replace(request, whole=True), replace(request, sampler="grid", tries=None)):
        assert all(row["metrics"] for row in sweep(demo, whole))  # type: ignore[arg-type]
    lists = sweep(demo, replace(request, metric="ndcg@10"))  # the losses say nothing about lists
    assert all(row["metrics"] for row in lists)


def test_settings_that_cannot_be_fitted_are_left_out(demo: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    learn = Bias._learn

    def fail(only: Callable[[int], bool]) -> None:
        def fitted(model: Bias, *rest: Any) -> Any:
            if only(model.settings.sweeps):
                raise Problem("There is not enough memory.")
            return learn(model, *rest)

        monkeypatch.setattr(Bias, "_learn", fitted)

    fail(lambda sweeps: sweeps == 4)
    assert {row["grid"]["sweeps"] for row in sweep(demo, REQUEST)} == {"1", "12"}
    fail(lambda sweeps: True)
    with pytest.raises(Problem, match="not enough memory"):
        sweep(demo, replace(REQUEST, split="kfold5-1"))


def test_the_tpe_sampler(demo: Store, fits: list[int]) -> None:
    pytest.importorskip("optuna")
    request = replace(SEARCH, sampler="tpe", tries=12)
    with pytest.raises(KeyboardInterrupt):
        sweep(demo, request, stop_after(11))
    seen = list(fits)
    result = sweep(demo, request)
    assert fits[: len(seen)] == seen
    undisturbed = sweep(demo, replace(request, fresh=True))
    assert [(row["grid"], row["metrics"]) for row in result] == [(row["grid"], row["metrics"]) for row in undisturbed]


def test_a_sweep_can_be_deleted(demo: Store) -> None:
    before = {run.id for run in demo.runs()}
    sweep(demo, REQUEST)
    sweep(demo, replace(REQUEST, grid={"sweeps": ["4", "8"]}))
    second, first = Sweeps(demo).find()
    shared = {trial.run.id for trial in Sweeps(demo).trials(first.id)} & {
        trial.run.id for trial in Sweeps(demo).trials(second.id)
    }
    assert len(shared) == 1
    Sweeps(demo).delete(first.id)
    assert shared <= {run.id for run in demo.runs()}
    assert len(Sweeps(demo).rows(second)) == 2
    Sweeps(demo).delete(second.id)
    assert {run.id for run in demo.runs()} == before
    assert not Sweeps(demo).find()


def test_a_damaged_sweep_is_left_out(demo: Store) -> None:
    sweep(demo, REQUEST)
    number = Sweeps(demo).find()[0].id
    with demo.change():
        demo.execute("UPDATE trials SET changes = '[]' WHERE number = 1")
    assert len(Sweeps(demo).trials(number)) == 2
    with demo.change():
        demo.execute("UPDATE sweeps SET request = '{}'")
    assert not Sweeps(demo).find()
    assert any("sweeps 1: invalid request" in notice for notice in demo.notices())
    assert locations.store().exists()
