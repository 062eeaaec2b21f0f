"""The Train screen, by keyboard."""

import time
from pathlib import Path
from typing import cast

import pytest
from textual.widgets import Input, Static

from data import locations
from movietui.children import Job
from movietui.runs import Runs
from movietui.screens.train import TrainScreen
from movietui.store import Store
from movietui.widgets.run_table import RunTable
from tests.movietui.driving import LARGE, SMALL, Driver, lines, shown, started
from tests.movietui.fakes import FakeEngine, FakeJob, FakeSweep, with_run
from tests.movietui.processes import gone


def newest_state(driver: Driver) -> str:
    return driver.app.session.store.runs()[0].state


SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "140x40"])


async def go(driver: Driver) -> TrainScreen:
    await driver.press("t")
    await driver.until(lambda: driver.app.screen.query("#models"), "the models")
    screen = cast(TrainScreen, driver.app.screen)
    await driver.until(lambda: screen.models.total > 2 and screen.query("#set-seed"), "the models and the form")
    await driver.until(lambda: screen.runs.total, "the runs")
    return screen


async def fill(driver: Driver, screen: TrainScreen, **values: str) -> None:
    for name, value in values.items():
        screen.query_one(f"#set-{name}", Input).value = value
    await driver.pilot.pause()


async def choose(driver: Driver, screen: TrainScreen, model: str) -> None:
    names = [row["name"] for row in screen.models.known_rows()]
    screen.models.cursor = names.index(model)
    field = "damping" if model == "popularity" else "sweeps"
    await driver.until(lambda: screen.query(f"#set-{field}") and screen.query("#set-seed"), "the form")
    await driver.pilot.pause(0.1)


@SIZES
async def test_the_runs(store: Store, size: tuple[int, int]) -> None:
    with_run(store)
    async with started(size, engine=FakeEngine()) as driver:
        screen = await go(driver)
        for told in ("0.9100", "0.9400", "in use", "cancelled", "2.5 s", "best epoch 5"):
            await driver.see(told)
        await driver.press("right")
        assert screen.runs.has_focus
        await driver.press("down")
        await driver.see("run 2 · mf · demo · random90")
        await driver.press("u")
        await driver.told("Run 2 is cancelled; only a run that is done can be used.")
        await driver.press("down", "u")
        await driver.told("Browse uses run 1: bias on demo")
        assert driver.app.session.run is not None
        assert driver.app.session.run.id == 1
        await driver.press("left")
        assert screen.models.has_focus
        for told in ("validation", "sweeps", "train"):
            if size == SMALL:
                await driver.press("v")
            await driver.see(told)
        await driver.press("c")
        await driver.told("Nothing is running.")


@SIZES
async def test_training_adds_a_run_that_can_be_used(ready: Path, size: tuple[int, int]) -> None:
    async with started(size) as driver:
        assert "mf RMSE" in lines(driver.app)[0]
        screen = await go(driver)
        await choose(driver, screen, "bias")
        await fill(driver, screen, sweeps="4", seed="7")
        await driver.press("enter")
        await driver.until(lambda: (newest_state(driver), driver.app.queue.running) == ("done", []), "the run", 40)
        await driver.told("bias: RMSE 0.")
        newest = driver.app.session.store.runs()[0]
        assert (newest.state, newest.model, newest.seed, newest.settings["sweeps"]) == ("done", "bias", 7, 4)
        await driver.press("right", "home", "u")
        await driver.told("Browse uses run 3: bias on demo")
        await driver.until(lambda: "bias RMSE" in lines(driver.app)[0], "the title line")
        await driver.see("in use")
        await driver.press("b")
        await driver.rate("5")


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


async def test_cancelling(ready: Path) -> None:
    async with started(LARGE) as driver:
        screen = await go(driver)
        assert screen.models.current is not None
        assert screen.models.current["name"] == "blend"
        await driver.see("recommended")
        await choose(driver, screen, "mf")
        await fill(driver, screen, sweeps="200")
        await driver.press("enter")
        queue = driver.app.queue
        await driver.until(lambda: queue.running, "the work")
        job = cast(Job, queue._jobs[queue.running[0]])
        await driver.until(lambda: any(one.curve for one in queue.activities.values()), "an epoch", 30)
        await driver.see("train mf")
        await driver.press("b")
        await driver.rate("4")
        await driver.press("t", "c")
        await driver.told("Stopped training mf; run 3 keeps its curve")
        assert job._process is not None
        assert gone(job._process.pid)
        newest = driver.app.session.store.runs()[0]
        assert newest.state == "cancelled"
        assert newest.curve
        await driver.see("cancelled")
        assert not (locations.checkpoints() / newest.checkpoint).exists()


async def test_nothing_to_train_on(home: Path) -> None:
    async with started(stands=False) as driver:
        await driver.until(lambda: driver.app.work.activity is not None, "the work")
        await driver.press("c")
        await driver.told("Stopped.")
        await driver.press("t")
        await driver.until(lambda: driver.app.screen.query("#set-seed"), "the form")
        await driver.see("No runs yet")
        await driver.press("right", "u")
        await driver.told("There is no run to use yet.")
        assert "No runs yet" in shown(driver.app)


# The queue


async def with_fake_jobs(driver: Driver, store: Store) -> TrainScreen:
    FakeJob.made = []
    driver.app.queue._new_job = lambda: FakeJob(store)
    return await go(driver)


def states(store: Store) -> list[str]:
    """Of the runs that are not from before."""
    return [run.state for run in reversed(store.runs())][3:]


@SIZES
async def test_runs_wait_for_each_other(store: Store, size: tuple[int, int]) -> None:
    with_run(store)
    async with started(size, engine=FakeEngine()) as driver:
        screen = await with_fake_jobs(driver, store)
        await driver.press("enter")
        await driver.until(lambda: states(store) == ["running"], "the first")
        await driver.press("enter")
        await driver.told("Run 5, mf, waits behind 1 run.")
        await driver.press("enter")
        await driver.told("Run 6, mf, waits behind 2 runs.")
        for told in ("waits, 1", "waits, 2", "running"):
            await driver.see(told)
        assert [row.id for row in screen.runs.known_rows()][:4] == [4, 5, 6, 3]
        await driver.until(lambda: screen.runs.current and screen.runs.current.id == 6, "the cursor on the newest")
        await driver.press("right", "K")
        await driver.until(lambda: [row.id for row in screen.runs.known_rows()][:3] == [4, 6, 5], "the new order")
        assert screen.runs.current is not None
        assert screen.runs.current.id == 6
        await driver.press("J")
        await driver.until(lambda: [row.id for row in screen.runs.known_rows()][:3] == [4, 5, 6], "the old order")
        await driver.press("K")
        await driver.until(lambda: [row.id for row in screen.runs.known_rows()][:3] == [4, 6, 5], "the new order")
        FakeJob.made[0].end()
        await driver.until(lambda: states(store) == ["done", "queued", "running"], "the next")
        await driver.told("u on run 4 uses it in Browse")
        await driver.press("c")
        await driver.until(lambda: states(store) == ["done", "running", "cancelled"], "the last")
        await driver.told("Stopped training mf; run 6 keeps its curve, r goes on with it.")
        await driver.press("r")
        await driver.until(lambda: states(store) == ["done", "running", "queued"], "the cancelled one waiting")
        await driver.until(lambda: screen.runs.current and screen.runs.current.id == 6, "the cursor on it")
        await driver.see("waits, 1")
        await driver.press("c")
        await driver.until(lambda: states(store) == ["done", "running", "cancelled"], "what waited cancelled")
        FakeJob.made[2].end("done")
        await driver.until(lambda: states(store) == ["done", "done", "cancelled"], "the end")


async def test_pausing_and_several_at_a_time(store: Store) -> None:
    with_run(store)
    async with started(LARGE, engine=FakeEngine()) as driver:
        screen = await with_fake_jobs(driver, store)
        await driver.press("p")
        await driver.told("! Nothing trains here that could be paused.")
        await driver.press("J")
        await driver.told("! Only a run that waits here can be moved.")
        await driver.press("enter", "enter", "plus")
        await driver.until(lambda: states(store) == ["running", "running"], "both")
        await driver.told("2 runs at a time.")
        await driver.see("2 at a time")
        await driver.press("right", "home", "p")
        await driver.told("Run 4 pauses at the end of its epoch; p resumes it.")
        await driver.see("paused")
        await driver.press("p")
        await driver.told("Run 4 goes on.")
        assert FakeJob.made[0].told == ["pause", "resume"]
        assert screen.runs.has_focus


async def test_a_run_that_was_cut_off_is_offered(store: Store) -> None:
    with_run(store)
    number = store.start_run("mf", "demo", "standard", "random90", 0, {}, request={"cleaning": "standard"})
    store.execute("UPDATE runs SET process = 2147483, began = 'then' WHERE id = ?", number)
    async with started(LARGE, engine=FakeEngine()) as driver:
        await with_fake_jobs(driver, store)
        await driver.see("cut off")
        await driver.see("run 4 was cut off · r goes on with it")
        await driver.press("r")
        await driver.until(lambda: states(store) == ["running"], "the run going on")
        await driver.until(lambda: "was cut off" not in shown(driver.app), "the offer taken back")
        assert FakeJob.made[0].request["run"] == number


async def test_leaving_asks_what_becomes_of_the_runs(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with_run(store)
    closed: list[bool] = []
    async with started(engine=FakeEngine()) as driver:
        await with_fake_jobs(driver, store)
        queue = driver.app.queue
        close = queue.close

        async def note(*, stay: bool = False) -> None:
            closed.append(stay)
            await close()

        monkeypatch.setattr(queue, "close", note)
        await driver.press("enter", "enter")
        await driver.until(lambda: states(store) == ["running", "queued"], "both")
        await driver.press("q")
        await driver.see("1 run trains and 1 run waits.")
        await driver.press("escape")
        assert driver.app.is_running
        assert states(store) == ["running", "queued"]
        await driver.press("q")
        await driver.see("Leave while models train?")
        await driver.press("y")
        await driver.until(lambda: driver.app._exit, "the end")
        assert closed[0] is True


async def test_leaving_at_once_stops_what_trains(store: Store) -> None:
    with_run(store)
    async with started(engine=FakeEngine()) as driver:
        await with_fake_jobs(driver, store)
        await driver.press("enter", "enter")
        await driver.until(lambda: states(store) == ["running", "queued"], "both")
        await driver.press("ctrl+c")
        await driver.see("Leave while models train?")
        await driver.press("ctrl+c")
        await driver.until(lambda: driver.app._exit, "the end")
        assert states(store) == ["cancelled", "queued"]


async def test_a_run_of_the_command_line_appears(store: Store) -> None:
    with_run(store)
    async with started(LARGE, engine=FakeEngine()) as driver:
        screen = await go(driver)
        other = Store(locations.store())
        number = other.start_run("sgd-mf", "demo", "standard", "u2", 0, {})
        await driver.until(lambda: screen.runs.known_rows()[0].id == number, "the run", 1.5)
        Runs(other).delete(1)
        await driver.until(lambda: screen.runs.total == 4, "the run gone", 1.5)
        other.close()


# The table


def numbers(screen: TrainScreen) -> list[int]:
    return [row.id for row in screen.runs.known_rows()]


async def test_sorting_and_filtering(store: Store) -> None:
    with_run(store)
    async with started(LARGE, engine=FakeEngine()) as driver:
        screen = await go(driver)
        await driver.until(lambda: numbers(screen) == [3, 2, 1, 0], "the newest first, what was reported last")
        table = screen.runs
        table.sort("rmse")
        assert numbers(screen) == [3, 1, 0, 2]  # the lowest first; what has none comes last
        await driver.see("rmse▲")
        await driver.press("O")
        assert numbers(screen) == [0, 1, 3, 2]
        await driver.see("rmse▼")
        table.sort("accuracy")
        table.sort("ndcg@10")
        assert numbers(screen) == [3, 1, 2, 0]
        await driver.see("ndcg@10▼")
        table.sorted_by = ""
        await driver.press("o", "o")
        await driver.told("Sorted by model.")
        assert numbers(screen) == [1, 3, 2, 0]
        await driver.press("slash")
        await driver.type("bi")
        await driver.until(lambda: numbers(screen) == [1], "bias only")
        await driver.press("enter")
        assert table.has_focus
        await driver.press("escape")
        await driver.until(lambda: len(numbers(screen)) == 4, "all of them")
        head = lines(driver.app).index(next(line for line in lines(driver.app) if "rmse" in line))
        column = lines(driver.app)[head].index("mae")
        await driver.pilot.click(offset=(column, head))
        assert table.sorted_by == "mae"
        for narrow in table.columns():
            table.sort(narrow)
            assert narrow in "".join(name for name, _ in table._columns(76))


async def test_differences_to_a_baseline(store: Store) -> None:
    with_run(store)
    async with started(LARGE, engine=FakeEngine()) as driver:
        await go(driver)
        await driver.press("right", "home", "equals_sign")
        await driver.told("Differences to run 3, with 95 % intervals over users.")
        await driver.see("+.0300 ±.0100")
        await driver.press("equals_sign")
        await driver.told("Figures.")
        await driver.until(lambda: "±.0100" not in shown(driver.app), "the figures")


@SIZES
async def test_a_run_unfolds_and_two_stand_side_by_side(store: Store, size: tuple[int, int]) -> None:
    number = with_run(store)
    group = {"by": "genre", "group": "[b]Crime[/b]", "rows": 12, "users": 5, "rmse": 1.5, "mae": 1, "too_high": 0.25}
    error = {"error": 0.5, "bins": [{"low": 3, "high": 3.5, "rows": 12, "predicted": 3.25, "rated": 3.75}]}
    counts = {"rated": [3, 4], "predicted": [3, 4], "counts": [[7, 1], [2, 8]]}
    Runs(store).measured(number, "rows", b"", {"subgroups": [group], "calibration": error, "confusion": counts})
    async with started(size, engine=FakeEngine()) as driver:
        screen = await go(driver)
        await driver.press("right", "home", "enter")
        await driver.see("random90, seed 0")
        await driver.press("pagedown", "pagedown")
        for told in ("[b]Crime[/b]", "+0.250", "mean distance 0.5000 stars", "as 4"):
            await driver.see(told)
        await driver.press("escape", "m")
        await driver.told("! Mark two runs with x")
        await driver.press("x", "end", "up", "x")
        assert screen.runs.marked == [3, 1]
        for told in ("● run 3 mf", "x run 1 bias"):
            await driver.see(told)
        await driver.press("m")
        for told in ("Run 1 and run 3", "+0.0300 ±0.0100", "The [b]Odd[/b]", "1 of 10 in both lists"):
            await driver.see(told)
        await driver.press("escape", "z")
        await driver.see("last 1/2")


def test_many_runs_are_sorted_at_once(store: Store) -> None:
    for place in range(500):
        number = store.start_run("mf", "demo", "standard", "random90", place, {"factors": 10})
        store.end_run(number, "done", seconds=1.0, metrics={"rmse": 1 + place * 7 % 500 / 1000})
    runs = store.runs()
    table = RunTable()
    table._all = runs
    started_at = time.perf_counter()
    for column in ("rmse", "model", "mae"):
        table.sorted_by = column
        rows = table._sorted(list(runs))
    table.sorted_by = "rmse"
    rows = table._sorted(list(runs))
    assert time.perf_counter() - started_at < 0.2
    assert rows[0].metrics["rmse"] == 1


# Sweeps


@SIZES
async def test_a_sweep_from_the_form(store: Store, size: tuple[int, int]) -> None:
    with_run(store)
    FakeSweep.made = []
    async with started(size, engine=FakeEngine()) as driver:
        screen = await go(driver)
        driver.app.work._new_job = FakeSweep  # type: ignore[assignment]
        await driver.press("e", "s")
        await driver.see("Sweep mf · demo · random90")
        panel = driver.app.screen
        field = panel.query_one("#try-sweeps", Input)
        assert field.has_focus
        for typed, told in (
            ("12", "! Give a field several values"),
            ("8,201", "! sweeps: 201 is out of range, 1 to 200."),
            ("8,x", "! sweeps: x is not a whole number."),
            ("4, 8,16,8", "3 combinations · about 3.3 s · enter starts"),  # a run of 2.5 s learned three times
        ):
            field.value = typed
            await driver.see(told)
        await driver.press("enter")
        await driver.until(lambda: FakeSweep.made and FakeSweep.made[0].request, "the job")
        assert FakeSweep.made[0].request["grid"] == {"sweeps": ["4", "8", "16"]}
        await driver.see("0 of 3")
        FakeSweep.made[0].let(2)
        for told in ("2 of 3", "6.0 s left", "● ", "0.9400", ".9000", "← better"):
            await driver.see(told)
        await driver.press("c")
        await driver.see("stopped after 2 of 3")
        await driver.press("escape", "s")
        await driver.until(lambda: driver.app.screen is not panel, "the panel closed")
        await driver.until(lambda: driver.app.screen.query("#try-sweeps"), "the panel")
        assert driver.app.screen.query_one("#try-sweeps", Input).value == "4,8,16"
        await driver.press("enter")
        await driver.until(lambda: len(FakeSweep.made) == 2 and FakeSweep.made[1].request, "the job")
        FakeSweep.made[1].let(3)
        await driver.see("rmse 0.9000 on validation, 0.9500 on test")
        await driver.press("home", "enter")
        await driver.told("These are the settings of the combination")
        assert screen.query_one("#set-sweeps", Input).value == "8"


async def test_a_sweep_goes_on_without_its_panel(store: Store) -> None:
    with_run(store)
    FakeSweep.made = []
    async with started(engine=FakeEngine()) as driver:
        await go(driver)
        driver.app.work._new_job = FakeSweep  # type: ignore[assignment]
        await driver.press("s")
        await driver.see("Sweep mf")
        driver.app.screen.query_one("#try-sweeps", Input).value = "4,8"
        await driver.press("enter")
        await driver.until(lambda: FakeSweep.made and FakeSweep.made[0].request, "the job")
        await driver.press("escape", "down", "s")
        await driver.told("! A sweep of mf on demo runs; c cancels it.")
        FakeSweep.made[0].let(2)
        await driver.told("Swept mf: sweeps 8 is best, RMSE 0.9000")
        await driver.press("up", "s")
        await driver.see("done · the best: rmse 0.9000")
        await driver.press("e", "enter")
        await driver.until(lambda: len(FakeSweep.made) == 2 and FakeSweep.made[1].request, "the job")
        FakeSweep.made[1].let(how="failed")
        await driver.see("! There is no such split.")


# To keep


def with_checkpoints(store: Store, **sizes: int) -> None:
    """Give runs checkpoints of so many bytes."""
    for run in store.runs():
        if size := sizes.get(f"run_{run.id}"):
            folder = locations.checkpoints() / run.checkpoint
            folder.mkdir(parents=True)
            (folder / "arrays").write_bytes(b"x" * size)


@SIZES
async def test_a_run_is_named_and_noted(store: Store, size: tuple[int, int]) -> None:
    with_run(store)
    with_checkpoints(store, run_3=2_000_000)
    async with started(size, engine=FakeEngine()) as driver:
        screen = await go(driver)
        await driver.see("3 runs · 2.0 MB of checkpoints")
        await driver.press("right", "home", "n")
        await driver.see("Name run 3")
        await driver.type("[b]best")
        await driver.press("enter")
        await driver.told("Run 3 is [b]best.")
        await driver.see("[b]best ")
        assert screen.runs.columns()[2] == "name"
        await driver.press("N")
        await driver.see("Note to run 3")
        await driver.type("wide")
        await driver.press("enter")
        await driver.told("The note to run 3 is kept.")
        run = store.run(3)
        assert run is not None
        assert (run.name, run.note) == ("[b]best", "wide")
        await driver.press("n")
        await driver.see("Name run 3")
        await driver.press("ctrl+u", "enter")
        await driver.told("Run 3 has no name.")
        await driver.press("end", "n")
        await driver.told("! There is no run under the cursor.")  # but what was reported


@SIZES
async def test_deleting_asks_and_tells_of_the_run_in_use(store: Store, size: tuple[int, int]) -> None:
    with_run(store)
    with_checkpoints(store, run_1=100, run_3=4_000)
    async with started(size, engine=FakeEngine()) as driver:
        screen = await go(driver)
        await driver.press("right", "home", "D")
        await driver.see("Delete run 3?")
        await driver.see("Run 3 makes the lists of demo; run 1")
        await driver.press("escape")
        assert store.run(3) is not None
        await driver.press("D")
        await driver.see("Delete run 3?")
        await driver.press("y")
        await driver.until(lambda: store.run(3) is None, "the run gone")
        await driver.until(lambda: driver.app.session.run and driver.app.session.run.id == 1, "the next one served")
        await driver.until(lambda: numbers(screen) == [2, 1, 0], "the table without it")
        store.execute("UPDATE runs SET state = 'running' WHERE id = 2")
        await driver.until(lambda: "running" in shown(driver.app), "the run under way")
        await driver.press("home", "D")
        await driver.told("! Run 2 is running; c cancels it")
        store.execute("UPDATE runs SET state = 'cancelled' WHERE id = 2")
        await driver.press("end", "up", "D")
        await driver.see("no other run could")
        await driver.press("y")
        await driver.told("Browse keeps its list until you leave")


@SIZES
async def test_runs_are_written_to_a_file(
    store: Store, size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_run(store)
    Runs(store).note(3, "=1+1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs.csv").write_text("mine")
    async with started(size, engine=FakeEngine()) as driver:
        await go(driver)
        await driver.press("E")
        await driver.see("the shown 3 runs")
        field = driver.app.screen.query_one("#name", Input)
        assert field.value == str(tmp_path / "runs-2.csv")
        for typed, told in (
            (tmp_path / "runs.csv", "There is something at"),
            (tmp_path / "no" / "runs.csv", "No such file"),
            (tmp_path / "runs.txt", "Let the file end in .csv, .json, .md"),
            ("", "Type the name of a file."),
        ):
            field.value = str(typed)
            await driver.press("enter")
            wrong = driver.app.screen.query_one("#wrong", Static)
            await driver.until(lambda: told in str(wrong.content), told)  # noqa: B023
        field.value = "runs-2.csv"
        await driver.press("enter")
        await driver.told(f"3 runs written to {tmp_path / 'runs-2.csv'}")
        head, first, *_ = (tmp_path / "runs-2.csv").read_text().splitlines()
        assert head.startswith("run,name,model")
        assert first.endswith(",'=1+1")
        await driver.press("right", "home", "x", "E")
        await driver.see("the marked 1 run")
        driver.app.screen.query_one("#name", Input).value = "one.md"
        await driver.press("enter")
        await driver.told("1 run written to")
        assert len((tmp_path / "one.md").read_text().splitlines()) == 3
        assert (tmp_path / "runs.csv").read_text() == "mine"


@SIZES
async def test_pruning_shows_what_would_go(store: Store, size: tuple[int, int]) -> None:
    with_run(store)
    with_checkpoints(store, run_1=1_000_000, run_3=2_000_000)
    async with started(size, engine=FakeEngine()) as driver:
        await go(driver)
        await driver.press("B")
        await driver.see("None would go.")
        keep, metric = (driver.app.screen.query_one(f"#{name}", Input) for name in ("keep", "metric"))
        for field, value, told in (
            (metric, "taste", "No run has a metric 'taste'"),
            (metric, "rmse", "None would go."),
            (keep, "x", "Type how many stay"),
            (keep, "1", "1 checkpoint would go, 1.0 MB:"),
        ):
            field.value = value
            await driver.see(told)
        await driver.see("run 1  bias, demo")
        assert len(list(locations.checkpoints().iterdir())) == 2
        await driver.press("enter")
        await driver.told("1 checkpoint removed, 1.0 MB free.")
        await driver.see("3 runs · 2.0 MB of checkpoints")


# The form


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
