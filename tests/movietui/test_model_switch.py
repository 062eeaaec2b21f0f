"""The list is compared with that of another model, which can then make the list."""

from movietui.store.ratings import Store
from movietui.ui.browse.model_switch import SwitchPanel, render_comparison
from tests.movietui.driving import SIZES, lines, shown, started
from tests.movietui.fakes import FakeEngine


@SIZES
async def test_another_run_serves_after_a_comparison(faked: FakeEngine, store: Store, size: tuple[int, int]) -> None:
    async with started(size, engine=faked) as driver:
        first, _, third = driver.titles(3)
        await driver.press("M")
        await driver.see("run 3 mf makes the list now")
        (bias,) = [line for line in lines(driver.app) if " 1  bias " in line]
        assert "0.940" in bias
        assert "0.160" in bias
        await driver.press("down")
        await driver.see("3 of 10 in both lists")
        await driver.see("run 1 bias compared with run 3 mf")
        rows = [line for line in lines(driver.app) if third[:18] in line or first[:18] in line]
        assert any("▲2" in line and "gone" not in line for line in rows)
        assert shown(driver.app).count("gone") == shown(driver.app).count("new  ") == 7
        opened = len([do for do, _ in faked.asked if do == "open"])
        await driver.press("enter")
        await driver.wait_for_notice("Using run 1, bias, for the list")
        assert len([do for do, _ in faked.asked if do == "open"]) == opened + 1
        assert driver.app.session.run is not None
        assert driver.app.session.run.id == 1
        assert store.choice("run:demo") == "1"


async def test_comparing_changes_nothing(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        await driver.press("f")
        await driver.type("+even")
        await driver.press("enter")
        await driver.press("M")
        await driver.see("makes the list now")
        await driver.press("down")
        await driver.see("3 of 10 in both lists")
        do, arguments = faked.asked[-1]
        query = arguments["query"]
        assert (do, query["filter"], query["viewers"][0]["id"]) == ("compare_lists", "+even", "1")
        await driver.press("up", "down")
        await driver.pilot.pause(0.3)
        assert [do for do, _ in faked.asked].count("compare_lists") <= 2  # comparisons are cached
        await driver.press("escape")
        assert driver.app.session.run is not None
        assert driver.app.session.run.id == 3


async def test_a_run_that_cannot_be_loaded_is_reported(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        await driver.press("M")
        await driver.see("makes the list now")
        faked.problem = "The checkpoint of [b]run 1[/b] is damaged; train it again."
        await driver.press("down")
        await driver.see("The checkpoint of [b]run 1[/b] is damaged")
        assert isinstance(driver.app.screen, SwitchPanel)
        faked.problem = ""


def test_lists_of_different_lengths_are_compared() -> None:
    movies = [
        {"title": "[b]Fargo", "year": 1996, "first": 1, "second": None},
        {"title": "Heat", "year": 0, "first": 2, "second": 1},
    ]
    rows = render_comparison({"movies": movies}, 60).plain.splitlines()
    assert [line.split() for line in rows[1:]] == [
        ["1", "[b]Fargo", "(1996)", "gone", "1", "▲1", "Heat"],
        ["2", "Heat"],
    ]
