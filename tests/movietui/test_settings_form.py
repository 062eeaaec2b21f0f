"""The form of a model's settings on the Train screen."""

from textual.widgets import Input, Static

from movietui.store import Store
from tests.movietui.driving import started
from tests.movietui.fakes import FakeEngine, with_run
from tests.movietui.training import SIZES, choose, fill, go


async def test_a_form_that_cannot_be_used(store: Store) -> None:
    with_run(store)
    async with started(engine=FakeEngine()) as driver:
        screen = await go(driver)
        await choose(driver, screen, "bias")
        for name, good, wrong in (("sweeps", "12", ("0", "201", "many", "", "2.5")), ("seed", "0", ("-1", "x"))):
            for value in wrong:
                driver.app.say("")
                await fill(driver, screen, **{name: value})
                await driver.press("enter")
                await driver.told(f"! {name}: ")
            await fill(driver, screen, **{name: good})
        assert driver.app.queue.running == []
        assert [run.state for run in store.runs()] == ["done", "cancelled", "done"]


async def test_typing_into_the_form(store: Store) -> None:
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
        await driver.told("These are the published settings.")
        assert screen.query_one("#set-sweeps", Input).value == "8"
        await driver.press("y")
        await driver.told("Copied: movietui train mf --dataset demo --published")
        assert driver.app.clipboard == "movietui train mf --dataset demo --published"
        await fill(driver, screen, sweeps="20", seed="3", split="u1")
        told = "movietui train mf --dataset demo --set sweeps=20 --seed 3 --split u1 --cleaning none"
        await driver.until(lambda: told in str(command.content), "the command line")
        await fill(driver, screen, sweeps="201")
        await driver.until(lambda: str(command.content).startswith("! sweeps: "), "what is wrong")
        await driver.press("y")
        await driver.told("! sweeps: ")
        await choose(driver, screen, "bias")
        await driver.press("P")
        await driver.told("! None of the source systems has bias")
