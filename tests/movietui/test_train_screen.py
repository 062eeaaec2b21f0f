"""The Train screen, by keyboard: its runs, and training."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from movietui.data.storage import locations
from movietui.formatting.run_progress import NO_LOSSES
from movietui.models.choices import CLOSED_FORM
from movietui.protocol.messages import ModelRow
from movietui.protocol.requests import Requests
from movietui.state.child_processes import Job
from movietui.store.ratings import Store
from movietui.ui.train.curve import Curve
from movietui.ui.train.screen import TrainScreen
from tests.movietui.driving import LARGE, SIZES, SMALL, Driver, lines, shown, started
from tests.movietui.fakes import FakeEngine, FakeJob, with_run
from tests.movietui.processes import gone
from tests.movietui.training import choose, fill, form_of, go


def newest_state(driver: Driver) -> str:
    return driver.app.session.store.runs()[0].state


@SIZES
async def test_the_screen_shows_runs_and_one_can_be_used(store: Store, size: tuple[int, int]) -> None:
    with_run(store)
    async with started(size, engine=FakeEngine()) as driver:
        screen = await go(driver)
        for expected in ("0.9100", "0.9400", "in use", "cancelled", "2.5 s", "● epoch 5 used"):
            await driver.see(expected)
        await driver.press("right")
        assert screen.runs.has_focus
        await driver.press("down")
        await driver.see("run 2 · mf · demo · random90")
        await driver.press("u")
        await driver.wait_for_notice("Run 2 is cancelled; only a finished run can be used.")
        await driver.press("down", "u")
        await driver.wait_for_notice("Browse now uses run 1: bias on demo")
        assert driver.app.session.run is not None
        assert driver.app.session.run.id == 1
        await driver.press("left")
        assert screen.models.has_focus
        for expected in ("validation", "sweeps", "train"):
            if size == SMALL:
                await driver.press("v")
            await driver.see(expected)
        await driver.press("c")
        await driver.wait_for_notice("Nothing is running.")


async def test_the_legend_of_the_curve_is_not_cut(store: Store) -> None:
    with_run(store)
    run = store.start_run("mf", "demo", "none", "u1", 0, {})
    curve = [{"epoch": epoch, "train_loss": 1 / epoch, "validation_loss": abs(epoch - 3) + 1} for epoch in range(1, 13)]
    store.end_run(run, "done", curve=curve, best_epoch=12, metrics={"rmse": 0.9})
    async with started(SMALL, engine=FakeEngine()) as driver:
        await go(driver)
        await driver.press("right", "home")
        await driver.see("·· train  ▀▀ validation  ● used 12, lowest 3 ─╯")
        await driver.pilot.resize_terminal(60, 20)
        await driver.see("· train  ▀ validation  ● used ─╯")
        await driver.pilot.resize_terminal(*SMALL)
        await driver.see("● used 12, lowest 3 ─╯")


@SIZES
async def test_training_adds_a_run_that_can_be_used(ready: Path, size: tuple[int, int]) -> None:
    async with started(size) as driver:
        assert "mf RMSE" in lines(driver.app)[0]
        screen = await go(driver)
        await choose(driver, screen, "bias")
        await fill(driver, screen, sweeps="4", seed="7")
        await driver.press("enter")
        await driver.until(lambda: (newest_state(driver), driver.app.queue.running) == ("done", []), "the run")
        await driver.wait_for_notice("bias: RMSE 0.")
        newest = driver.app.session.store.runs()[0]
        assert (newest.state, newest.model, newest.seed, newest.settings["sweeps"]) == ("done", "bias", 7, 4)
        await driver.press("right", "home", "u")
        await driver.wait_for_notice("Browse now uses run 3: bias on demo")
        await driver.until(lambda: "bias RMSE" in lines(driver.app)[0], "the title line")
        await driver.see("in use")
        await driver.press("b")
        await driver.rate("5")


async def test_training_can_be_cancelled(ready: Path) -> None:
    async with started(LARGE, job=Job) as driver:
        screen = await go(driver)
        assert screen.models.current is not None
        assert screen.models.current["name"] == "blend"
        await driver.see("recommended")
        await choose(driver, screen, "mf")
        await fill(driver, screen, sweeps="200")
        await driver.press("enter")
        queue = driver.app.queue
        await driver.until(lambda: queue.running, "the run")
        job = cast(Job, queue._jobs[queue.running[0]])
        await driver.until(lambda: any(one.curve for one in queue.progress.values()), "an epoch")
        await driver.see("train mf")
        await driver.press("b")
        await driver.rate("4")
        await driver.press("t", "c")
        await driver.wait_for_notice("Stopped training mf; run 3 keeps its curve")
        assert job._process is not None
        assert gone(job._process.pid)
        newest = driver.app.session.store.runs()[0]
        assert newest.state == "cancelled"
        assert newest.curve
        await driver.see("cancelled")
        assert not (locations.checkpoints() / newest.checkpoint).exists()


@SIZES
async def test_a_run_without_a_curve_says_why(store: Store, size: tuple[int, int]) -> None:
    with_run(store)
    for state, problem in (
        ("failed", "There is no split [b]u77[/b]; " + "choose one of many, " * 5 + "last"),
        ("done", ""),
    ):
        store.end_run(store.start_run("mf", "demo", "none", "u77", 0, {}), state, problem=problem)
    async with started(size, engine=FakeEngine()) as driver:
        await go(driver)
        await driver.see("This model trains without epochs.")
        await driver.press("right", "home", "down")
        await driver.see("There is no split [b]u77[/b]; choose")
        assert "train ─" not in shown(driver.app)
        await driver.see("last ")
        await driver.press("end")
        await driver.see("shown as a curve only")


async def test_the_epochs_fit_at_every_width(store: Store) -> None:
    with_run(store)
    async with started((140, 20), engine=FakeEngine()) as driver:
        screen = await go(driver)
        screen.view("epochs")
        pane = screen.query_one("#epochs-pane")
        for width in (80, 99, 100, 110, 129, 130, 140):
            await driver.pilot.resize_terminal(width, 20)
            await driver.until(lambda: screen.size.width == width and pane.region.right <= width, "the size")  # noqa: B023
            rows = [line[pane.region.x + 1 : pane.region.right - 1] for line in lines(driver.app)]
            assert any(line.split()[:2] == ["epoch", "train"] and " valid" in line for line in rows), (width, rows)
            assert any(line.split()[:4] == ["5", "0.6500", "0.8000", "●"] for line in rows), (width, rows)


async def test_keys_typed_before_the_models_are_listed_are_not_lost(store: Store) -> None:
    with_run(store)
    engine, may_reply = FakeEngine(), asyncio.Event()
    ask = engine.ask

    async def late(request: Callable[..., Any], **arguments: Any) -> Any:
        if request is Requests.models:
            await may_reply.wait()
        return await ask(request, **arguments)

    engine.ask = late  # type: ignore[method-assign]
    async with started(engine=engine) as driver:
        FakeJob.made = []
        driver.app.queue.new_job = lambda: FakeJob(store)
        await driver.press("t")
        await driver.until(lambda: driver.app.screen.query("#models"), "the screen")
        screen = cast(TrainScreen, driver.app.screen)
        await driver.press("down", "down", "up", "enter")
        assert store.runs()[0].id == 3
        may_reply.set()
        await driver.until(lambda: store.runs()[0].id == 4, "the run")
        assert screen.models.current is not None
        assert store.runs()[0].model == screen.models.current["name"] == screen.models.known_rows()[1]["name"]


async def test_a_form_is_built_when_the_cursor_rests_or_a_key_needs_it(store: Store) -> None:
    with_run(store)
    async with started(engine=FakeEngine()) as driver:
        screen = await go(driver)
        shown: list[str] = []
        show = screen.form.show

        async def note(model: ModelRow) -> None:
            shown.append(model["name"])
            await show(model)

        screen.form.show = note  # type: ignore[method-assign]
        names = [row["name"] for row in screen.models.known_rows()]
        for _ in names:
            screen.models.action_move(1)
        await form_of(driver, screen, names[-1])
        assert shown == names[-1:]
        screen.models.action_move(-1)
        await driver.press("y")
        assert driver.app.clipboard.startswith(f"movietui train {names[-2]} ")


async def test_the_screen_can_be_used_without_a_dataset(home: Path) -> None:
    async with started(
        wait=False, job=Job
    ) as driver:  # a job in this process would get the dataset before the key is pressed
        await driver.until(lambda: driver.app.jobs.progress is not None, "the job")
        await driver.press("c")
        await driver.see("Stopped. Nothing is lost")
        await driver.press("d")
        await driver.see("Datasets")
        await driver.press("t")
        await driver.until(lambda: driver.app.screen.query("#set-seed"), "the form")
        await driver.see("No runs yet")
        await driver.press("right", "u")
        await driver.wait_for_notice("There is no run to use yet; train a model first.")
        await driver.see("No runs yet")


@SIZES
async def test_a_curve_has_titles_and_the_parts_of_a_blend_are_stages(store: Store, size: tuple[int, int]) -> None:
    with_run(store)
    number = store.start_run("blend", "demo", "none", "u1", 0, {})
    names = ("bayes", "item-knn", "blend")
    curve = [
        {"epoch": number, "stage": name, "train_loss": 0.7 + number / 100, "validation_loss": None}
        for number, name in enumerate(names, 1)
    ]
    store.end_run(number, "done", curve=curve, best_epoch=3, metrics={"rmse": 0.9})
    async with started(size, engine=FakeEngine()) as driver:
        screen = await go(driver)
        await driver.press("right", "home")
        await driver.see(f"run {number} · blend")
        for expected in ("stage", "held out", "item-knn", "0.7200"):
            await driver.see(expected)
        assert "valid" not in shown(driver.app)  # a blend has no validation part
        assert "★" not in shown(driver.app)
        await driver.press("down")
        await driver.see("● epoch 5 used")
        for title in ("epoch", "mse, stars²"):
            await driver.until(lambda title=title: title in _picture(screen), title)  # type: ignore[misc]


async def test_a_closed_form_is_a_stage_and_without_stars_there_are_no_losses(store: Store) -> None:
    with_run(store)
    closed = {"epoch": 1, "stage": CLOSED_FORM, "train_loss": 0.7251, "validation_loss": 0.8251}
    without = {"train_loss": None, "validation_loss": None}
    numbers = [store.start_run(name, "demo", "none", "u1", 0, {}) for name in ("ease", "popularity", "ials")]
    curves = [[closed], [closed | without], [{"epoch": epoch, **without} for epoch in (1, 2)]]
    for number, curve in zip(numbers, curves, strict=True):
        store.end_run(number, "done", curve=curve, best_epoch=None, metrics={"ndcg@10": 0.1})
    async with started((80, 24), engine=FakeEngine()) as driver:
        screen = await go(driver)
        await driver.press("right", "home")
        for model in ("ials", "popularity"):
            await driver.see(f"· {model}")
            await driver.until(lambda: NO_LOSSES[:20] in _picture(screen), "a sentence instead of a curve")
            await driver.press("down")
        for expected in ("stage", "train", "closed form", "0.7251", "0.8251"):
            await driver.until(lambda expected=expected: expected in _picture(screen), expected)  # type: ignore[misc]
        assert "held out" not in _picture(screen)


def _picture(screen: TrainScreen) -> str:
    return "\n".join(strip.text for strip in screen.query_one(Curve)._strips)
