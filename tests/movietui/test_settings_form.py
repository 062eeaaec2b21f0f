"""The form of a model's settings on the Train screen."""

import pytest
from textual.await_remove import AwaitRemove
from textual.containers import Vertical
from textual.widgets import Input, Static

from movietui.store.ratings import Store
from tests.movietui.driving import LARGE, SIZES, started
from tests.movietui.fakes import FakeEngine, with_run
from tests.movietui.training import choose, fill, go


async def test_invalid_settings_are_reported_and_nothing_is_trained(store: Store) -> None:
    with_run(store)
    async with started(engine=FakeEngine()) as driver:
        screen = await go(driver)
        await choose(driver, screen, "bias")
        for name, good, wrong in (("sweeps", "12", ("0", "201", "many", "", "2.5")), ("seed", "0", ("-1", "x"))):
            for value in wrong:
                driver.app.show_notice("")
                await fill(driver, screen, **{name: value})
                await driver.press("enter")
                await driver.wait_for_notice(f"! {name}: ")
            await fill(driver, screen, **{name: good})
        assert driver.app.queue.running == []
        assert [run.state for run in store.runs()] == ["done", "cancelled", "done"]


async def test_letters_typed_into_the_form_are_not_keys(store: Store) -> None:
    with_run(store)
    async with started(engine=FakeEngine()) as driver:
        screen = await go(driver)
        await driver.press("e")
        field = screen.query_one("#set-sweeps", Input)
        await driver.until(lambda: field.has_focus, "the field")
        await driver.press("end", "backspace", "backspace")
        await driver.type("3q")
        assert field.value == "3q"
        assert driver.app.is_running
        await driver.press("escape")
        assert screen.models.has_focus


@SIZES
async def test_the_form_is_checked_as_it_is_typed(store: Store, size: tuple[int, int]) -> None:
    with_run(store)
    async with started(size, engine=FakeEngine()) as driver:
        screen = await go(driver)
        command = screen.query_one("#command", Static)
        await driver.until(lambda: "movietui train mf --dataset demo " in str(command.content), "the command line")
        await driver.press("P")
        await driver.wait_for_notice("These are the published settings.")
        assert screen.query_one("#set-sweeps", Input).value == "8"
        await driver.press("y")
        await driver.wait_for_notice("Copied: movietui train mf --dataset demo --published")
        assert driver.app.clipboard == "movietui train mf --dataset demo --published"
        await fill(driver, screen, sweeps="20", seed="3", split="u1")
        expected = "movietui train mf --dataset demo --set sweeps=20 --seed 3 --split u1 --cleaning none"
        await driver.until(lambda: expected in str(command.content), "the command line")
        await fill(driver, screen, sweeps="201")
        await driver.until(lambda: str(command.content).startswith("! sweeps: "), "the error")
        await driver.press("y")
        await driver.wait_for_notice("! sweeps: ")
        await choose(driver, screen, "bias")
        await driver.press("P")
        await driver.wait_for_notice("! None of the five earlier systems has bias, so it has only tuned settings.")


async def test_a_half_built_form_shows_no_command(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """After quick moves through the models, one model's fields are on screen while the next form is built."""
    with_run(store)
    engine = FakeEngine()
    models = engine.models()
    models[1]["settings"] = [models[1]["settings"][0] | {"name": "neighbours"}]
    monkeypatch.setattr(engine, "models", lambda: models)
    async with started(LARGE, engine=engine) as driver:
        screen = await go(driver)
        form, remove = screen.form, Vertical.remove_children
        drawn: list[str] = []

        def meanwhile(fields: Vertical, *selectors: str) -> AwaitRemove:
            screen.check_settings()
            drawn.append(str(form.query_one("#command").render()))
            return remove(fields, *selectors)

        monkeypatch.setattr(Vertical, "remove_children", meanwhile)
        await driver.press("down")
        await driver.until(lambda: form.query("#set-neighbours"), "the form")
        await driver.until(lambda: "train bias" in str(form.query_one("#command").render()), "the command")
        assert drawn
