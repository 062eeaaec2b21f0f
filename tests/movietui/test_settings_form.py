"""The form of a model's settings on the Train screen."""

import pytest
from textual.await_remove import AwaitRemove
from textual.containers import Vertical
from textual.events import Paste
from textual.widgets import Input, Static

from movietui.store.ratings import Store
from movietui.ui.train.screen import TrainScreen
from movietui.ui.train.settings_form import SPLIT_SEED
from tests.movietui.driving import LARGE, SIZES, Driver, lines, started
from tests.movietui.fakes import FakeEngine, with_run
from tests.movietui.training import choose, fill, go, with_fake_jobs


async def test_invalid_settings_are_reported_and_nothing_is_trained(store: Store) -> None:
    with_run(store)
    async with started(engine=FakeEngine()) as driver:
        screen = await go(driver)
        await choose(driver, screen, "bias")
        cases = (
            ("sweeps", "12", ("0", "201", "many", "", "2.5")),
            ("seed", "0", ("-1", "x")),
            ("split", "", ("u7", "u1", "no-such.csv")),
        )
        for name, good, wrong in cases:
            for value in wrong:
                driver.app.show_notice("")
                await fill(driver, screen, **{name: value})
                await driver.press("enter")
                await driver.wait_for_notice(f"! {name}: ")
            await fill(driver, screen, **{name: good})
        assert driver.app.queue.running == []
        assert [run.state for run in store.runs()] == ["done", "cancelled", "done"]


async def focused_field(driver: Driver, screen: TrainScreen, name: str) -> Input:
    """Move the focus to the field of a setting, and return it."""
    field = screen.query_one(f"#set-{name}", Input)
    screen.set_focus(field)
    await driver.until(lambda: field.has_focus, "the field")
    return field


async def test_a_field_for_numbers_takes_no_letters(store: Store) -> None:
    with_run(store)
    async with started(engine=FakeEngine()) as driver:
        screen = await go(driver)
        await driver.press("e")
        for name, typed, expected in (
            ("sweeps", "3qx.-", "3"),
            ("seed", "k7e", "7"),
            ("spread", "x0.5q.-", "0.5"),
            ("spread", "1e-3e", "1e-3"),
            ("spread", "e", ""),
            ("split_seed", "d4", "4"),
        ):
            field = await focused_field(driver, screen, name)
            field.value = ""
            await driver.type(typed)
            assert field.value == expected
            assert field.has_focus
        driver.app.post_message(Paste("many 12"))
        await driver.pilot.pause()
        assert field.value == "4"
        await driver.press("escape")
        assert screen.models.has_focus


async def test_a_switch_is_yes_or_no(store: Store) -> None:
    with_run(store)
    async with started(LARGE, engine=FakeEngine()) as driver:
        screen = await go(driver)
        await driver.see("tags  yes or no")
        field = await focused_field(driver, screen, "tags")
        assert field.value == "yes"
        for key, expected in (
            ("n", "no"),
            ("x", "no"),
            ("space", "yes"),
            ("space", "no"),
            ("backspace", "no"),
            ("y", "yes"),
        ):
            await driver.press(key)
            assert field.value == expected
        await driver.press("n")
        command = screen.query_one("#command", Static)
        await driver.until(lambda: "--set tags=no" in str(command.content), "the command")
        assert screen.form.options()["settings"]["tags"] == "no"
        await driver.press("s")
        await driver.see("Sweep mf")


@SIZES
async def test_a_wrong_split_is_refused_as_it_is_typed(store: Store, size: tuple[int, int]) -> None:
    with_run(store)
    async with started(size, engine=FakeEngine()) as driver:
        screen = await go(driver)
        await driver.press("e")
        field = await focused_field(driver, screen, "split")
        below = screen.query_one("#below-split", Static)
        for typed, sentence in (
            ("rand", "There is no split 'rand'; did you mean"),
            ("om80", ""),
            ("x", "There is no split 'random80x'; did you mean random80"),
        ):
            await driver.type(typed)
            await driver.until(
                lambda sentence=sentence: str(below.content).startswith(f"! {sentence}" if sentence else "Train only"),  # type: ignore[misc]
                sentence or "no sentence",
            )
            assert field.has_class("-invalid") == bool(sentence)
        drawn = " ".join(line.strip("│ ") for line in lines(driver.app))
        assert "! There is no split" in drawn
        field.value = "u1"
        await driver.until(lambda: "Only ml-100k has the split u1" in str(below.content), "the sentence")
        field.value = "latest"
        screen.query_one("#set-split_seed", Input).value = "3"
        seed = screen.query_one("#below-split_seed", Static)
        await driver.until(lambda: "latest is the same with every split seed" in str(seed.content), "the sentence")
        field.value = "random80"
        await driver.until(lambda: not str(seed.content).startswith("!"), "no sentence")


@SIZES
async def test_the_focus_stays_in_the_form(store: Store, size: tuple[int, int]) -> None:
    with_run(store)
    async with started(size, engine=FakeEngine()) as driver:
        screen = await with_fake_jobs(driver, store)
        field = screen.query_one("#set-sweeps", Input)
        if size == LARGE:
            screen.set_focus(field)
        else:
            await driver.press("e")
        await driver.until(lambda: field.has_focus, "the field")
        screen.query_one("#set-split", Input).value = "u7"
        await driver.press("enter")
        await driver.wait_for_notice("! split: There is no split 'u7'")
        assert screen.focused is screen.query_one("#set-split", Input)
        assert screen.form.region.height
        screen.query_one("#set-split", Input).value = ""
        await driver.press("enter")
        await driver.until(lambda: driver.app.queue.running, "the run")
        assert screen.focused is screen.query_one("#set-split", Input)
        assert screen.form.is_on_screen
        await driver.pilot.resize_terminal(80, 24)
        await driver.until(lambda: screen.size.width == 80, "the size")
        await driver.pilot.pause()
        assert screen.focused is screen.query_one("#set-split", Input)
        await driver.until(lambda: field.screen.focused is not None and screen.form.is_on_screen, "the form")


@SIZES
async def test_each_field_is_explained_below_it_and_by_the_mouse(store: Store, size: tuple[int, int]) -> None:
    with_run(store)
    async with started(size, engine=FakeEngine()) as driver:
        screen = await go(driver)
        await driver.press("e")
        for name, meaning in (
            ("sweeps", "How often all is updated."),
            ("spread", "The prior variance: v in N(0, v)."),
            ("tags", "Whether tags are used."),
            ("split_seed", SPLIT_SEED),
        ):
            field = await focused_field(driver, screen, name)
            await driver.see(meaning[:18])
            assert meaning in str(field.tooltip)


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
        await fill(driver, screen, sweeps="20", seed="3", split="random80")
        expected = "movietui train mf --dataset demo --set sweeps=20 --seed 3 --split random80 --cleaning none"
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
