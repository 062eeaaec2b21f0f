"""In the table of all runs, runs are sorted, filtered, compared and shown in full."""

from movietui.store.ratings import Store
from movietui.store.runs import Runs
from movietui.ui.train.run_table import RunTable
from tests.movietui.driving import LARGE, SIZES, lines, shown, started
from tests.movietui.fakes import FakeEngine, with_run
from tests.movietui.training import go, numbers


async def test_runs_are_sorted_and_filtered(store: Store) -> None:
    with_run(store)
    async with started(LARGE, engine=FakeEngine()) as driver:
        screen = await go(driver)
        await driver.until(lambda: numbers(screen) == [3, 2, 1, 0], "the newest first, the published figures last")
        table = screen.runs
        table.sort("rmse")
        assert numbers(screen) == [3, 1, 0, 2]  # the lowest first; runs without the metric come last
        await driver.see("rmse▴")
        await driver.press("O")
        assert numbers(screen) == [0, 1, 3, 2]
        await driver.see("rmse▾")
        table.sort("accuracy")
        table.sort("ndcg@10")
        assert numbers(screen) == [3, 1, 2, 0]
        await driver.see("ndcg@10▾")
        table.sorted_by = ""
        await driver.press("o", "o")
        await driver.wait_for_notice("Sorted by model.")
        assert numbers(screen) == [1, 3, 2, 0]
        await driver.press("slash")
        await driver.type("bi")
        await driver.until(lambda: numbers(screen) == [1], "bias only")
        await driver.press("enter")
        assert table.has_focus
        await driver.press("slash")
        await driver.type("zz")
        await driver.until(lambda: numbers(screen) == [], "no run")
        await driver.press("enter", "u")
        await driver.see("No run has a dataset, split, model")
        await driver.wait_for_notice("No run is selected; the filter shows none.")
        await driver.press("escape")
        await driver.until(lambda: len(numbers(screen)) == 4, "all of them")
        head = lines(driver.app).index(next(line for line in lines(driver.app) if "rmse" in line))
        column = lines(driver.app)[head].index("mae")
        await driver.pilot.click(offset=(column, head))
        assert table.sorted_by == "mae"
        for narrow in table.column_names():
            table.sort(narrow)
            assert narrow in [column.key for column in table.columns(76)]


async def test_the_table_shows_differences_from_a_baseline(store: Store) -> None:
    with_run(store)
    async with started(LARGE, engine=FakeEngine()) as driver:
        await go(driver)
        await driver.press("right", "home", "equals_sign")
        await driver.wait_for_notice("Differences from run 3, with 95 % intervals over users.")
        await driver.see("+.0300 ±.0100")
        await driver.press("equals_sign")
        await driver.wait_for_notice("Metrics.")
        await driver.until(lambda: "±.0100" not in shown(driver.app), "the figures")


@SIZES
async def test_runs_are_shown_in_full_and_side_by_side(store: Store, size: tuple[int, int]) -> None:
    number = with_run(store)
    group = {"by": "genre", "group": "[b]Crime[/b]", "rows": 12, "users": 5, "rmse": 1.5, "mae": 1, "too_high": 0.25}
    error = {"error": 0.5, "bins": [{"low": 3, "high": 3.5, "rows": 12, "predicted": 3.25, "rated": 3.75}]}
    counts = {"rated": [3, 4], "predicted": [3, 4], "counts": [[7, 1], [2, 8]]}
    Runs(store).measured(number, "rows", b"", {"subgroups": [group], "calibration": error, "confusion": counts})
    async with started(size, engine=FakeEngine()) as driver:
        screen = await go(driver)
        await driver.press("right", "home", "enter")
        await driver.see("random90, split seed 0")
        await driver.press("pagedown", "pagedown")
        for expected in ("[b]Crime[/b]", "+0.250", "mean distance 0.5000 stars", "as 4"):
            await driver.see(expected)
        await driver.press("escape", "m")
        await driver.wait_for_notice("! Mark two runs with x")
        await driver.press("x", "end", "up", "x")
        assert screen.runs.marked == [3, 1]
        for expected in ("x run 3 mf", "+ run 1 bias"):
            await driver.see(expected)
        await driver.press("m")
        for expected in ("Run 1 and run 3", "+0.0300 ±0.0100", "The [b]Odd[/b]", "1 of 10 in both lists"):
            await driver.see(expected)
        await driver.press("escape", "z")
        await driver.see("last 1/2")


def test_many_runs_can_be_sorted_by_any_column(store: Store) -> None:
    for seed in range(500):
        number = store.start_run("mf", "demo", "standard", "random90", seed, {"factors": 10})
        store.end_run(number, "done", seconds=1.0, metrics={"rmse": 1 + seed * 7 % 500 / 1000})
    runs = store.runs()
    table = RunTable()
    table._all = runs
    for column in ("rmse", "model", "mae"):
        table.sorted_by = column
        rows = table._sorted(list(runs))
    table.sorted_by = "rmse"
    rows = table._sorted(list(runs))
    assert rows[0].metrics["rmse"] == 1
