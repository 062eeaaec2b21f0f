"""Sweeps on the Train screen."""

import re
from dataclasses import replace

import pytest
from textual.widgets import Input

from movietui.store.ratings import Store
from tests.movietui.driving import SIZES, started
from tests.movietui.fakes import FakeEngine, FakeSweep, with_run
from tests.movietui.training import go


@SIZES
async def test_a_sweep_varies_the_settings_of_the_form(store: Store, size: tuple[int, int]) -> None:
    with_run(store)
    FakeSweep.made = []
    async with started(size, engine=FakeEngine()) as driver:
        screen = await go(driver)
        driver.app.jobs._new_job = FakeSweep
        await driver.press("e", "s")
        await driver.see("Sweep mf · demo · random90")
        panel = driver.app.screen
        await driver.see("here.")  # the end of the sentence in place of the chart
        field = panel.query_one("#try-sweeps", Input)
        assert field.has_focus
        for typed, expected in (
            ("12", "! Give at least one field several values"),
            ("8,201", "! sweeps: 201 is out of range, 1 to 200."),
            ("8,x", "! sweeps: x is not a whole number."),
            ("4, 8,16,8", "3 combinations · about 3.3 s · enter starts"),  # an earlier run took 2.5 s for three fits
        ):
            field.value = typed
            await driver.see(expected)
        await driver.press("enter")
        await driver.until(lambda: FakeSweep.made and FakeSweep.made[0].request, "the job")
        assert FakeSweep.made[0].request["grid"] == {"sweeps": ["4", "8", "16"]}
        await driver.see("0 of 3")
        FakeSweep.made[0].allow(2)
        for expected in ("2 of 3", "6.0 s left", "● ", "0.9400", ".9000", "← better"):
            await driver.see(expected)
        await driver.press("c")
        await driver.see("stopped after 2 of 3")
        await driver.press("escape", "s")
        await driver.until(lambda: driver.app.screen is not panel, "the panel closed")
        await driver.until(lambda: driver.app.screen.query("#try-sweeps"), "the panel")
        assert driver.app.screen.query_one("#try-sweeps", Input).value == "4,8,16"
        await driver.press("enter")
        await driver.until(lambda: len(FakeSweep.made) == 2 and FakeSweep.made[1].request, "the job")
        FakeSweep.made[1].allow(3)
        await driver.see("RMSE 0.9000 on validation, 0.9500 on test")
        await driver.press("home", "enter")
        await driver.wait_for_notice("Copied the combination to the settings")
        assert screen.query_one("#set-sweeps", Input).value == "8"


async def test_a_sweep_continues_without_its_panel(store: Store) -> None:
    with_run(store)
    FakeSweep.made = []
    async with started(engine=FakeEngine()) as driver:
        await go(driver)
        driver.app.jobs._new_job = FakeSweep
        await driver.press("s")
        await driver.see("Sweep mf")
        driver.app.screen.query_one("#try-sweeps", Input).value = "4,8"
        await driver.press("enter")
        await driver.until(lambda: FakeSweep.made and FakeSweep.made[0].request, "the job")
        await driver.press("escape", "down", "s")
        await driver.wait_for_notice("! A sweep of mf on demo is running; c cancels it.")
        FakeSweep.made[0].allow(2)
        await driver.wait_for_notice("Swept mf: sweeps 8 is best, RMSE 0.9000")
        await driver.press("up", "s")
        await driver.see("done · RMSE 0.9000")
        await driver.press("e", "enter")
        await driver.until(lambda: len(FakeSweep.made) == 2 and FakeSweep.made[1].request, "the job")
        FakeSweep.made[1].allow(how="failed")
        await driver.see("! There is no such split.")


async def test_a_search_draws_settings_and_shows_which_matter(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with_run(store)
    installed = {"optuna"}
    monkeypatch.setattr("movietui.state.sweep.find_spec", lambda name: name if name in installed else None)
    FakeSweep.made = []
    async with started((120, 36), engine=FakeEngine()) as driver:
        await go(driver)
        driver.app.jobs._new_job = FakeSweep
        await driver.press("s")
        await driver.see("Sweep mf")
        panel = driver.app.screen
        fields = {name: panel.query_one(f"#try-{name}", Input) for name in ("sweeps", "metric", "search", "sampler")}
        assert [fields[name].value for name in ("metric", "search", "sampler")] == ["rmse", "", "random"]
        installed.clear()
        fields["sampler"].value = "tpe"
        await driver.see("! TPE needs optuna; run pip install 'movietui[tune]'")
        installed.add("optuna")
        for name, typed, expected in (
            ("metric", "ndgc@10", "! Settings cannot be chosen by 'ndgc@10'; did you mean ndcg@10"),
            ("metric", "ndcg@10", "! Give at least one field several values"),
            ("search", "many", "! search: many is not a number of combinations"),
            ("search", "20", "20 combinations"),
            ("sweeps", "4..400", "! sweeps: 400 is out of range, 1 to 200."),
            ("sweeps", "4..40", "20 combinations · about"),
        ):
            fields[name].value = typed
            await driver.see(expected)
        await driver.press("enter")
        await driver.until(lambda: FakeSweep.made and FakeSweep.made[0].request, "the job")
        request = FakeSweep.made[0].request
        assert request["grid"] == {"sweeps": ["4..40"]}
        assert (request["metric"], request["sampler"], request["tries"]) == ("ndcg@10", "tpe", 20)
        await driver.see("0 of 20")
        rows = [
            {
                "run": number,
                "grid": {"sweeps": str(number), "factors": str(number % 2 + 1)},
                "metric": "ndcg@10",
                "metrics": {"ndcg@10": number / 100, "recall@10": 0.5} if number else {},
                "seconds": {"fit": 1.0},
                "problem": "" if number else "Stopped early.",
            }
            for number in range(9)
        ]
        panel.update(replace(panel.sweep, rows=rows))
        for expected in ("9 of 20", "0.0800", "stopped", "← better", "sweeps ━━━━━━━", "factors ──────────"):
            await driver.see(expected)
        heading = panel.query_one("#responses").render_line(1).text
        assert re.match(r" sweeps ━+─* explains \d+%", heading)
